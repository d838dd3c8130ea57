//! What is for sale: `GET /products`, `GET /products/{id or slug}`, `GET /categories`, `GET /channels`.

mod views;

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use handel_domain::{Refusal, refusal::FieldErrors, text::Slug};
use handel_engine::{ListProducts, PriceFilter, ProductKey, ProductSort};
use handel_kit::{Door, PathParams, Problem, ProblemBody, QueryParams, Request};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use views::{CategoryTree, ChannelView, ProductSummaryView, ProductView};

use crate::{
    documents::{Always, BadQuery, InChannel},
    replies::{PAGE, PageBody, kept},
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new()
        .routes(routes!(list_products))
        .routes(routes!(get_product))
        .routes(routes!(list_categories))
        .routes(routes!(list_channels))
}

/// Which products.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "documents the parameters; they are read as pairs, because some names are open"
)]
struct ListQuery {
    /// The slug of a category; products below it count too.
    category: Option<String>,
    /// Lowest price, in minor units of the channel's currency.
    price_min: Option<i64>,
    /// Highest price, in minor units of the channel's currency.
    price_max: Option<i64>,
    /// Only what can be bought now.
    in_stock: Option<bool>,
    /// Attributes that products must have, at most three: `attr[material]=oak`. `attr.material=oak` means the same.
    #[param(style = DeepObject, explode, value_type = Option<Object>, example = json!({"material": "oak"}))]
    attr: Option<BTreeMap<String, String>>,
    /// Words that title, vendor, type, tags or SKUs must hold; at most three count.
    q: Option<String>,
    /// `newest` (as it is without), `price`, `-price` or `title`.
    sort: Option<String>,
    /// How many at most, up to 100.
    limit: Option<u32>,
    /// Where the last page ended.
    cursor: Option<String>,
}

/// A list without pages.
#[derive(Serialize, ToSchema)]
struct Items<T> {
    /// The entries.
    items: Vec<T>,
}

/// Products of the channel, page by page.
#[utoipa::path(get, path = "/products", tag = "catalog", params(InChannel, ListQuery), responses(
    Always, BadQuery,
    (status = 200, description = "A page", body = PageBody<ProductSummaryView>, headers(
        ("ETag" = String, description = "A digest of the page, for `If-None-Match`"))),
    (status = 304, description = "It is the one that you have (`If-None-Match`)"),
    (status = 404, description = "No such category or channel", body = ProblemBody,
        content_type = "application/problem+json"),
))]
async fn list_products(
    State(door): State<Door>,
    request: Request,
    QueryParams(pairs): QueryParams<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let page = door.engine().list_products(&request.ctx, read_list(pairs)?).await?;
    kept(&request.headers, &PageBody::<ProductSummaryView>::from(page))
}

/// A product with its variants, prices and what can be bought now.
#[utoipa::path(get, path = "/products/{key}", tag = "catalog",
    params(("key" = String, Path, description = "The id or the slug"), InChannel), responses(
    Always,
    (status = 200, description = "The product", body = ProductView, headers(
        ("ETag" = String, description = "A digest of the answer, for `If-None-Match`"))),
    (status = 304, description = "It is the one that you have (`If-None-Match`)"),
    (status = 404, description = "No such product", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn get_product(
    State(door): State<Door>,
    PathParams(key): PathParams<String>,
    request: Request,
) -> Result<Response, Problem> {
    let key: ProductKey = key.parse()?;
    let view = door.engine().view_product(&request.ctx, key).await?;
    kept(&request.headers, &ProductView::from(view))
}

/// The tree of categories.
#[utoipa::path(get, path = "/categories", tag = "catalog", params(InChannel), responses(
    Always,
    (status = 404, description = "No such channel", body = ProblemBody, content_type = "application/problem+json"),
    (status = 200, description = "The tree", body = Items<CategoryTree>, headers(
        ("ETag" = String, description = "A digest of the tree, for `If-None-Match`"))),
    (status = 304, description = "It is the one that you have (`If-None-Match`)"),
))]
async fn list_categories(State(door): State<Door>, request: Request) -> Result<Response, Problem> {
    let tree = door.engine().list_categories(&request.ctx).await?;
    let items: Vec<_> = tree.into_iter().map(CategoryTree::from).collect();
    kept(&request.headers, &Items { items })
}

/// The channels to choose from with the header `Handel-Channel`. The first one holds where none is chosen.
#[utoipa::path(get, path = "/channels", tag = "catalog", params(InChannel), responses(
    Always,
    (status = 404, description = "No such channel", body = ProblemBody, content_type = "application/problem+json"),
    (status = 200, description = "The channels", body = Items<ChannelView>, headers(
        ("ETag" = String, description = "A digest of the list, for `If-None-Match`"))),
    (status = 304, description = "It is the one that you have (`If-None-Match`)"),
))]
async fn list_channels(State(door): State<Door>, request: Request) -> Result<Response, Problem> {
    let channels = door.engine().list_channels(&request.ctx).await?;
    let items: Vec<_> = channels.into_iter().map(ChannelView::from).collect();
    kept(&request.headers, &Items { items })
}

fn read_list(pairs: Vec<(String, String)>) -> Result<ListProducts, Refusal> {
    let mut list = ListProducts { limit: PAGE, ..ListProducts::default() };
    let mut errors = FieldErrors::default();
    for (name, value) in pairs {
        let pointer = format!("/{name}");
        let number = |value: &str| {
            value.parse::<i64>().map_err(|_| Refusal::field(&*pointer, "must be a whole number"))
        };
        match name.as_str() {
            "category" => {
                let category = errors.take(Slug::parse(&pointer, &value));
                list.categories = category.into_iter().collect();
            }
            "price_min" => list.price.min_minor = errors.take(number(&value)),
            "price_max" => {
                list.price = PriceFilter { max_minor: errors.take(number(&value)), ..list.price }
            }
            "in_stock" => {
                list.in_stock = errors.take(read_flag(&pointer, &value)).unwrap_or_default();
            }
            "q" => list.query = value,
            "sort" => list.sort = errors.take(read_sort(&pointer, &value)).unwrap_or_default(),
            "limit" => {
                let limit = errors.take(number(&value)).and_then(|limit| u32::try_from(limit).ok());
                list.limit = limit.unwrap_or(0);
            }
            "cursor" => list.cursor = Some(value),
            other => match attribute_name(other) {
                Some(attribute) => list.attributes.push((attribute.to_owned(), value)),
                None => errors.add(pointer, "there is no such parameter"),
            },
        }
    }
    errors.finish()?;
    list.attributes.sort();
    Ok(list)
}

/// The attribute that a parameter filters by, in either spelling.
fn attribute_name(parameter: &str) -> Option<&str> {
    let bracketed = || parameter.strip_prefix("attr[")?.strip_suffix(']');
    parameter.strip_prefix("attr.").or_else(bracketed)
}

fn read_flag(pointer: &str, value: &str) -> Result<bool, Refusal> {
    value.parse().map_err(|_| Refusal::field(pointer, "must be true or false"))
}

fn read_sort(pointer: &str, value: &str) -> Result<ProductSort, Refusal> {
    match value {
        "newest" => Ok(ProductSort::Newest),
        "price" => Ok(ProductSort::Price),
        "-price" => Ok(ProductSort::PriceDown),
        "title" => Ok(ProductSort::Title),
        _ => Err(Refusal::field(pointer, "must be newest, price, -price or title")),
    }
}
