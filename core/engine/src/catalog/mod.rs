//! The catalog: products, categories, prices, and the lists that shoppers browse.

mod category;
mod delete;
mod export;
mod listing;
mod lookup;
mod offers;
mod product;
mod relist;
mod save;
mod sql;
mod staff_list;
mod views;

pub use category::CategoryNode;
pub use listing::{
    LIST_CATEGORIES_MAX, ListProducts, PriceFilter, ProductSort, ProductSummary, SEARCH_WORDS_MAX,
};
pub use lookup::{CatalogKey, FoundKey, ProductLookup};
pub(crate) use offers::{available, offers};
pub use product::ProductKey;
pub(crate) use relist::RELIST_JOB;
pub(crate) use sql::BackorderColumn;
pub use staff_list::StaffProductFilter;
pub use views::{ProductView, Supply, VariantAvailability};
