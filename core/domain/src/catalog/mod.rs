//! Products, their variants and prices, and the tree of categories.

mod attribute;
mod category;
mod options;
mod product;
mod variant;

pub use attribute::{Attribute, AttributeValue};
pub use category::{Category, CategoryInput, DEPTH_MAX};
pub use options::{OptionChoice, OptionValue, ValueState, option_choices};
pub use product::{Media, Product, ProductInput, ProductOption, ProductStatus, Seo};
pub use variant::{Backorder, Price, Variant, VariantInput};
