//! What the kit promises to those who call a shop.

mod compress;
mod errors_doc;
