//! The four requests of a purchase. Every scenario that buys is made of them.

use handel_domain::{
    id::{CheckoutId, OrderId},
    order::Status,
};
use http::{HeaderValue, Uri};
use serde::Deserialize;

use crate::{
    client::{Client, Completion, Failed, Purchase},
    http::{Answer, CART_TOKEN, IDEMPOTENCY_KEY, Request, post},
    stats::Step,
    world::path,
};

/// One purchase, from the empty cart to the paid order.
pub async fn flow(client: &mut Client) -> Result<(), Failed> {
    let completion = prepare(client).await?;
    complete(client, completion).await
}

/// The order and its payment. What is not answered is kept, to be sent again.
pub async fn complete(client: &mut Client, completion: Completion) -> Result<(), Failed> {
    let answer = match client.must(Step::Complete, request(client, &completion)).await {
        Ok(answer) => answer,
        Err(Failed::Lost) => {
            client.log.unanswered.push(completion);
            return Err(Failed::Lost);
        }
        Err(refused) => return Err(refused),
    };
    let Some(purchase) = purchase(&answer, completion.checkout_id) else {
        return Err(client.nonsense(Step::Complete, answer.status, "no order in the answer"));
    };
    client.log.purchases.push(purchase);
    if purchase.is_paid {
        return Ok(());
    }
    Err(client.nonsense(Step::Complete, answer.status, "the order is not paid"))
}

/// A cart with one item.
pub async fn cart(client: &mut Client) -> Result<(), Failed> {
    fill_cart(client).await.map(drop)
}

/// Everything before the money: a cart with one item, and a checkout with all that the buyer says.
pub async fn prepare(client: &mut Client) -> Result<Completion, Failed> {
    let cart = fill_cart(client).await?;
    let mut request = post(path::checkout(), client.buyer.clone());
    request.headers_mut().insert(CART_TOKEN, cart.clone());
    request.headers_mut().insert(IDEMPOTENCY_KEY, client.key());
    let answer = client.must(Step::Checkout, request).await?;
    let Ok(Checkout { id: checkout_id }) = answer.read() else {
        return Err(client.nonsense(Step::Checkout, answer.status, "no checkout in the answer"));
    };
    Ok(Completion { cart, checkout_id, key: client.key() })
}

/// The request that makes an order of a checkout and pays it. It is the same however often it is made.
pub fn request(client: &Client, completion: &Completion) -> Request {
    completion_of(completion, client.world.payment.clone())
}

/// The same, with the body of a payment.
pub fn completion_of(completion: &Completion, payment: bytes::Bytes) -> Request {
    let path = format!("/api/v1/checkout/{}/complete", completion.checkout_id);
    let mut request = post(Uri::try_from(path).expect("an id is fit for a path"), payment);
    request.headers_mut().insert(CART_TOKEN, completion.cart.clone());
    request.headers_mut().insert(IDEMPOTENCY_KEY, completion.key.clone());
    request
}

/// The order that an answer tells of.
pub fn purchase(answer: &Answer, checkout_id: CheckoutId) -> Option<Purchase> {
    let Receipt { order } = answer.read().ok()?;
    Some(Purchase {
        order_id: order.id,
        checkout_id,
        total_minor: order.total_minor,
        is_paid: order.status == Status::Paid,
    })
}

async fn fill_cart(client: &mut Client) -> Result<HeaderValue, Failed> {
    let answer = client.must(Step::Cart, post(path::cart(), bytes::Bytes::new())).await?;
    let Some(cart) = answer.headers.get(CART_TOKEN).cloned() else {
        return Err(client.nonsense(Step::Cart, answer.status, "no cart token in the answer"));
    };
    let article = client.pick(client.world.items.len());
    let mut request = post(path::items(), client.world.items[article].clone());
    request.headers_mut().insert(CART_TOKEN, cart.clone());
    client.must(Step::Item, request).await?;
    Ok(cart)
}

#[derive(Deserialize)]
struct Checkout {
    id: CheckoutId,
}

#[derive(Deserialize)]
struct Receipt {
    order: ReceiptOrder,
}

#[derive(Deserialize)]
struct ReceiptOrder {
    id: OrderId,
    status: Status,
    total_minor: i64,
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    const CHECKOUT: CheckoutId = CheckoutId::from_u128(3);

    fn bought(body: &str) -> Option<Purchase> {
        let (status, headers) = (StatusCode::CREATED, HeaderMap::new());
        purchase(&Answer { status, headers, body: body.to_owned().into() }, CHECKOUT)
    }

    #[test]
    fn an_order_is_read_from_the_answer_and_the_rest_is_skipped() {
        let order_id = OrderId::from_u128(9);
        let body = format!(
            r#"{{"checkout_id":"x","order":{{"id":"{order_id}","number":1,"status":"paid","lines":[{{}}],"total_minor":1500}},"payment":{{"status":"paid"}}}}"#
        );
        let expected =
            Purchase { order_id, checkout_id: CHECKOUT, total_minor: 1500, is_paid: true };
        assert_eq!(bought(&body), Some(expected));
        let reserved = body.replace(r#""status":"paid","lines""#, r#""status":"reserved","lines""#);
        assert!(bought(&reserved).is_some_and(|purchase| !purchase.is_paid));
    }

    #[test]
    fn an_answer_without_an_order_is_no_purchase() {
        assert_eq!(bought("{}"), None);
        assert_eq!(bought("upstream error"), None);
    }

    #[test]
    fn a_completion_is_the_same_request_however_often_it_is_made() {
        let completion = Completion {
            cart: HeaderValue::from_static("token"),
            checkout_id: CHECKOUT,
            key: HeaderValue::from_static("key-1"),
        };
        let request = completion_of(&completion, bytes::Bytes::from_static(b"{}"));
        assert_eq!(request.uri().path(), format!("/api/v1/checkout/{CHECKOUT}/complete"));
        assert_eq!(request.headers()[IDEMPOTENCY_KEY], "key-1");
        assert_eq!(request.headers()[CART_TOKEN], "token");
    }
}
