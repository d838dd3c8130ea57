//! What the pages promise to people with a browser, met through the whole router: pages are read as HTML and
//! changed by sending their own forms, without any script.

mod addresses;
mod catalog;
mod codes;
mod handoff;
mod purchase;
mod races;
mod safety;
mod support;
mod wrong;
