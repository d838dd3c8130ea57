//! What staff do. Every route needs an API key with the scope that its documentation names. The use case
//! demands it; handlers take `Staff` first, so that nothing else is looked at, or refused, before.

/// Declares the words that an enum of the domain has on the wire. A new variant does not compile until it
/// has one.
macro_rules! wire_enum {
    ($(#[doc = $doc:literal])+ $name:ident = $domain:path { $($(#[doc = $says:literal])+ $variant:ident,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name {
            $($(#[doc = $says])+ $variant,)+
        }

        impl From<$domain> for $name {
            fn from(value: $domain) -> Self {
                use $domain as Domain;
                match value { $(Domain::$variant => Self::$variant,)+ }
            }
        }

        impl From<$name> for $domain {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => Self::$variant,)+ }
            }
        }
    };
}

mod categories;
mod channels;
mod deliveries;
mod document;
mod keys;
mod operations;
mod orders;
mod products;
mod promotions;
mod rate;
mod stock;

use axum::response::Response;
use handel_domain::{Code, Refusal};
use handel_kit::{Door, Problem, expected_version};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    PREFIX,
    replies::{PAGE, versioned},
};

/// The routes of staff.
pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new()
        .routes(routes!(products::list_products, products::create_product))
        .routes(routes!(
            products::get_product,
            products::replace_product,
            products::change_product,
            products::archive_product
        ))
        .routes(routes!(products::set_prices, products::change_prices))
        .routes(routes!(categories::list_categories, categories::create_category))
        .routes(routes!(
            categories::replace_category,
            categories::change_category,
            categories::delete_category
        ))
        .routes(routes!(promotions::list_promotions, promotions::create_promotion))
        .routes(routes!(
            promotions::get_promotion,
            promotions::replace_promotion,
            promotions::change_promotion,
            promotions::delete_promotion
        ))
        .routes(routes!(stock::get_stock))
        .routes(routes!(stock::list_movements))
        .routes(routes!(stock::adjust_stock))
        .routes(routes!(orders::list_orders))
        .routes(routes!(orders::get_order))
        .routes(routes!(orders::order_history))
        .routes(routes!(orders::reconcile_order))
        .routes(routes!(orders::steps::pack_order))
        .routes(routes!(orders::steps::ship_order))
        .routes(routes!(orders::steps::deliver_order))
        .routes(routes!(orders::steps::cancel_order))
        .routes(routes!(channels::list_channels))
        .routes(routes!(channels::get_channel, channels::put_channel, channels::change_channel))
        .routes(routes!(channels::tax::get_tax, channels::tax::put_tax, channels::tax::change_tax))
        .routes(routes!(channels::shipping_methods::list_shipping_methods))
        .routes(routes!(
            channels::shipping_methods::put_shipping_method,
            channels::shipping_methods::change_shipping_method,
            channels::shipping_methods::delete_shipping_method
        ))
        .routes(routes!(channels::policies::put_policy, channels::policies::delete_policy))
        .routes(routes!(keys::create_key, keys::list_keys))
        .routes(routes!(keys::revoke_key))
        .routes(routes!(operations::list_dead_jobs))
        .routes(routes!(operations::replay_job))
        .routes(routes!(deliveries::list_deliveries))
        .routes(routes!(deliveries::replay_delivery))
        .routes(routes!(deliveries::replay_deliveries))
}

/// Which page of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PageQuery {
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many entries at most.
    #[serde(default = "page_limit")]
    #[param(default = 24, minimum = 1, maximum = 100)]
    limit: u32,
}

fn page_limit() -> u32 {
    PAGE
}

/// A request that needs no body; an empty object is one too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoBody {}

/// The version that a change is meant for; none where the caller said that any will do.
fn required_version(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    if !headers.contains_key(header::IF_MATCH) {
        let message =
            "send the ETag of what you read as If-Match, or `*` to change whatever is there";
        return Err(Refusal::new(Code::PreconditionRequired, message).into());
    }
    expected_version(headers)
}

/// The answer to making something: what it is now, and where it is below the routes of staff.
fn created<T: Serialize>(path: &str, version: i64, body: T) -> Response {
    let mut response = versioned(StatusCode::CREATED, version, body);
    if let Ok(location) = HeaderValue::from_str(&format!("{PREFIX}/admin{path}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
