//! Product files in the CSV format of Shopify: what merchants bring along and take away.
//!
//! Owns the format: its columns, what a cell may hold, and which rows make up a product. Refuses to
//! own the catalog: nothing here reads or writes a database, and categories are names until the
//! importer maps them to ids.
//!
//! Memory is bounded by one product, apart from a few bytes for each handle and SKU already seen.

mod assemble;
mod column;
mod draft;
mod formula;
mod mend;
mod problems;
mod read;
mod records;
mod row;
mod sku;
mod variant;
mod write;

#[cfg(test)]
mod tests;

pub use problems::RowError;
pub use read::{Error, ImportedProduct, Item, Reader};
pub use write::{ExportedProduct, Writer};
