//! REST: what shoppers say is written as HTTP and JSON.

mod read;

use async_trait::async_trait;
use axum::Router;
use bytes::Bytes;
use handel_domain::{address::Address, checkout::Buyer};
use handel_ports::{Blob, BlobError, BlobStore};
use handel_rest::PREFIX;
use serde_json::{Value, json};

use super::{Call, Request, Who, http::Sending, reply::Served};

/// Answers a request.
pub(super) async fn serve(router: &Router, request: Request) -> Served {
    let Who::Shopper(mine) = &request.who else { unreachable!("shoppers come this way") };
    let token = mine.as_ref().map(|mine| ("cart-token", mine.token.as_str()));
    let received = sending(&request.call).send(router, &request, token).await?;
    read::read(&request.call, &received)
}

fn sending(call: &Call) -> Sending {
    let at = |path: &str| format!("{PREFIX}{path}");
    match call {
        Call::ListProducts => Sending::get(at("/products")),
        Call::ViewProduct { sku } => {
            Sending::get(at(&format!("/products/{}", handel_domain::text::slugify(sku))))
        }
        Call::AddItem { sku, quantity } => {
            Sending::post(at("/cart/items")).json(&json!({ "sku": sku, "quantity": quantity }))
        }
        Call::SetQuantity { line, quantity } => Sending::patch(at(&format!("/cart/items/{line}")))
            .json(&json!({ "quantity": quantity })),
        Call::SetCodes { codes } => {
            Sending::put(at("/cart/codes")).json(&json!({ "codes": codes }))
        }
        Call::SeeCart => Sending::get(at("/cart")),
        Call::CreateCheckout { buyer } => Sending::post(at("/checkout")).json(&self::buyer(buyer)),
        Call::UpdateCheckout { checkout, buyer } => {
            Sending::patch(at(&format!("/checkout/{checkout}"))).json(&self::buyer(buyer))
        }
        Call::SeeCheckout { checkout } => Sending::get(at(&format!("/checkout/{checkout}"))),
        Call::Complete { checkout, token, expected_total_minor } => {
            let mut body = json!({ "payment": { "token": token } });
            if let Some(total_minor) = expected_total_minor {
                body["expected_total_minor"] = json!(total_minor);
            }
            Sending::post(at(&format!("/checkout/{checkout}/complete"))).json(&body)
        }
        Call::Submit { buyer, token } => {
            let mut body = self::buyer(buyer);
            body["payment"] = json!({ "token": token });
            Sending::post(at("/checkout")).json(&body)
        }
        Call::SeeOrder { order } => Sending::get(at(&format!("/orders/{order}"))),
        Call::Webhook { body } => Sending::post(at("/webhooks/test")).bytes(body.clone()),
        other => unreachable!("shoppers do not {}", other.name()),
    }
}

fn buyer(buyer: &Buyer) -> Value {
    json!({
        "email": buyer.email.as_ref().map(ToString::to_string),
        "shipping_address": buyer.shipping_address.as_ref().map(address),
        "shipping_method": buyer.shipping_method,
    })
}

fn address(address: &Address) -> Value {
    json!({
        "name": address.name,
        "line1": address.line1,
        "city": address.city,
        "postal_code": address.postal_code,
        "country": address.country.to_string(),
    })
}

/// The goods of the simulation have no pictures.
pub(super) struct NoPictures;

#[async_trait]
impl BlobStore for NoPictures {
    async fn put(&self, _key: &str, _bytes: Bytes) -> Result<(), BlobError> {
        Ok(())
    }

    async fn get(&self, _key: &str) -> Result<Option<Blob>, BlobError> {
        Ok(None)
    }

    async fn delete(&self, _key: &str) -> Result<(), BlobError> {
        Ok(())
    }
}
