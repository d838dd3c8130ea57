//! The catalog of the demo shop: a small trading house for kitchen, desk and field.
//!
//! Owns what the shop sells and what that looks like. Refuses to own how it gets into a shop: ids of
//! categories, media addresses and stock locations are the loader's. Everything is made of the texts
//! in `data` and `motifs`, so two calls give the same catalog. Makers and brands are invented.

mod picture;
mod source;

#[cfg(test)]
mod tests;

use handel_domain::{
    catalog::ProductInput,
    text::{Sku, Slug},
};

/// The name of the shop.
pub const SHOP_NAME: &str = "Kontor & Krume";

/// A category of the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoCategory {
    /// Unique in the catalog.
    pub slug: Slug,
    /// What shoppers read.
    pub name: String,
    /// The category above; none at the top.
    pub parent: Option<Slug>,
}

/// A product of the shop.
#[derive(Clone, Debug, PartialEq)]
pub struct DemoProduct {
    /// The product, without `category_ids` and `media`.
    pub input: ProductInput,
    /// The category that it stands in.
    pub category: Slug,
    /// How many are on hand, for every variant whose stock is tracked.
    pub stock: Vec<(Sku, i64)>,
    /// Its picture as an SVG document of less than 6 kB, without scripts and external
    /// references.
    pub picture: String,
}

/// The categories; a parent comes before its children.
pub fn categories() -> Vec<DemoCategory> {
    source::categories()
}

/// The products, shelf by shelf.
pub fn products() -> Vec<DemoProduct> {
    source::products()
}
