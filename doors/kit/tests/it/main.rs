//! What the kit promises to those who call a shop.

mod errors_doc;
