//! What is for sale: the list at `/`, and a page for each product.

mod json_ld;
mod list;
mod product;

use axum::{Router, routing::get};
use handel_kit::Door;

pub(crate) use product::{Problems, product_page};

pub(crate) fn router() -> Router<Door> {
    Router::new()
        .route("/", get(list::show_list))
        .route("/products/{key}", get(product::show_product))
}
