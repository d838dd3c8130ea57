//! What is for sale: the list at `/`, and a page for each product.

mod json_ld;
mod list;
mod offers;
mod product;

use axum::{Router, routing::get};
use handel_kit::Door;

pub(crate) use list::links;
pub(crate) use product::{Problems, initial, product_page};

pub(crate) fn router() -> Router<Door> {
    Router::new()
        .route("/", get(list::show_list))
        .route("/products/{key}", get(product::show_product))
}
