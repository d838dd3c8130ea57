//! The REST binding of UCP, in the version of the shop's profile: what programs say is written as HTTP and JSON.

mod read;

use axum::Router;
use handel_domain::{address::Address, checkout::Buyer};
use handel_ucp::Version;
use serde_json::{Value, json};

use super::{Call, Request, Who, Wish, http::Sending, reply::Served};
use crate::receiver;

/// Answers a request.
pub(super) async fn serve(router: &Router, request: Request) -> Served {
    let Who::Agent(number) = request.who else { unreachable!("programs come this way") };
    let agent = format!("profile=\"{}\"", receiver::profile_url(number));
    let sending = sending(&request.call);
    let received = sending.send(router, &request, Some(("ucp-agent", &agent))).await?;
    read::read(&request.call, &received)
}

fn sending(call: &Call) -> Sending {
    let endpoint = Version::ROOT.endpoint();
    let checkout = |id| format!("{endpoint}/checkout-sessions/{id}");
    match call {
        Call::ListProducts => {
            Sending::post(format!("{endpoint}/catalog/search")).json(&json!({ "query": "mug" }))
        }
        Call::ViewProduct { sku } => {
            Sending::post(format!("{endpoint}/catalog/lookup")).json(&json!({ "ids": [sku] }))
        }
        Call::Open { wish, buyer } => {
            Sending::post(format!("{endpoint}/checkout-sessions")).json(&basket(wish, buyer))
        }
        // The protocol has no versions of a checkout.
        Call::Replace { checkout: id, wish, buyer, expected_version: None } => {
            Sending::put(checkout(id)).json(&basket(wish, buyer))
        }
        Call::SeeCheckout { checkout: id } => Sending::get(checkout(id)),
        Call::CancelCheckout { checkout: id } => Sending::post(format!("{}/cancel", checkout(id))),
        // Nor has it totals that a buyer agrees to.
        Call::Complete { checkout: id, token, expected_total_minor: None } => {
            Sending::post(format!("{}/complete", checkout(id))).json(&paying(token))
        }
        Call::SeeOrder { order } => Sending::get(format!("{endpoint}/orders/{order}")),
        other => unreachable!("UCP has no words for {other:?}"),
    }
}

fn basket(wish: &Wish, buyer: &Buyer) -> Value {
    let line =
        |(sku, quantity): &(&str, i64)| json!({ "item": { "id": sku }, "quantity": quantity });
    let lines: Vec<_> = wish.items.iter().map(line).collect();
    let destination = buyer.shipping_address.as_ref().map(destination);
    json!({
        "line_items": lines,
        "buyer": { "email": buyer.email.as_ref().map(ToString::to_string) },
        "discounts": { "codes": wish.codes },
        "fulfillment": { "methods": [{
            "type": "shipping",
            "destinations": destination.as_slice(),
            "selected_destination_id": "home",
            "groups": [{ "selected_option_id": buyer.shipping_method }],
        }] },
    })
}

fn destination(address: &Address) -> Value {
    let (first, last) = address.name.split_once(' ').unwrap_or((&address.name, ""));
    json!({
        "id": "home",
        "first_name": first,
        "last_name": last,
        "street_address": address.line1,
        "address_locality": address.city,
        "postal_code": address.postal_code,
        "address_country": address.country.to_string(),
    })
}

fn paying(token: &str) -> Value {
    json!({ "payment": { "instruments": [{
        "id": "instrument_1", "handler_id": "test", "type": "card", "selected": true,
        "credential": { "type": "token", "token": token },
    }] } })
}
