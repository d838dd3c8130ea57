//! Bodies of requests. The first byte chooses the route where several take such bodies.

use std::sync::Mutex;

use http::{Method, StatusCode};
use serde_json::Value;

use crate::front::{Answer, front, request, split};

/// Adds to carts and changes their lines; whatever was taken in, the cart can be looked at.
pub(crate) fn cart(data: &[u8]) {
    let (route, body) = split(data);
    let front = front();
    let token = front.cart("eur");
    let answer = if route % 2 == 0 {
        front.json(request(Method::POST, "/cart/items").header("cart-token", &token), body)
    } else {
        let seen = front.send(request(Method::GET, "/cart").header("cart-token", &token), "");
        let seen = seen.expect("a request").body;
        let line = seen["lines"][0]["id"].as_str().expect("a line");
        let change = request(Method::PATCH, &format!("/cart/items/{line}"));
        front.json(change.header("cart-token", &token), body)
    };
    let Some(Answer { status, .. }) = answer else { return };
    let seen = front.send(request(Method::GET, "/cart").header("cart-token", &token), "");
    let seen = seen.expect("a request");
    assert_eq!(seen.status, StatusCode::OK, "after {status}: {seen:?}");
    adds_up(&seen.body);
}

/// Makes, changes and completes checkouts.
pub(crate) fn checkout(data: &[u8]) {
    let (route, body) = split(data);
    let front = front();
    let token = front.cart("eur");
    let key = format!("fuzz-{}-{}", std::process::id(), front.count());
    let of_cart = |method: Method, path: &str| {
        request(method, path).header("cart-token", &token).header("idempotency-key", &key)
    };
    if route % 3 == 0 {
        front.json(of_cart(Method::POST, "/checkout"), body);
        return;
    }
    let made = request(Method::POST, "/checkout").header("cart-token", &token);
    let made = front.json(made, COMPLETE).expect("a request");
    let id = made.body["id"].as_str().unwrap_or_else(|| panic!("{made:?}"));
    let path = format!("/checkout/{id}");
    let answer = if route % 3 == 1 {
        front.json(of_cart(Method::PATCH, &path), body)
    } else {
        front.json(of_cart(Method::POST, &format!("{path}/complete")), body)
    };
    let Some(Answer { status, .. }) = answer else { return };
    let seen = front.send(of_cart(Method::GET, &path), "").expect("a request");
    assert_eq!(seen.status, StatusCode::OK, "after {status}: {seen:?}");
}

const COMPLETE: &[u8] =
    br#"{"email":"ada@example.com","shipping_address":{"name":"Ada","line1":"1 Main Street",
    "city":"Berlin","postal_code":"10115","country":"DE"},"shipping_method":"standard"}"#;

/// Makes products; one that was taken in can be read, listed and put into a cart.
pub(crate) fn product(data: &[u8]) {
    let (route, body) = split(data);
    let front = front();
    let answer = if route % 2 == 0 {
        front.json(front.staff(Method::POST, "/admin/products"), body)
    } else {
        front.json(front.staff(Method::PUT, "/admin/variants/HAT/prices"), body)
    };
    let Some(Answer { status, body }) = answer.filter(|answer| answer.status.is_success()) else {
        return;
    };
    let id = body["id"].as_str().unwrap_or_else(|| panic!("{status} without an id: {body}"));
    let look = front.staff(Method::GET, &format!("/admin/products/{id}"));
    let seen = front.send(look, "").expect("a request");
    assert_eq!(
        (seen.status, &seen.body),
        (StatusCode::OK, &body),
        "it is another one when it is read"
    );
    front.send(request(Method::GET, &format!("/products/{id}")), "");
    for variant in body["variants"].as_array().into_iter().flatten().take(3) {
        let add = serde_json::json!({ "sku": variant["sku"], "quantity": 999 }).to_string();
        for channel in ["eur", "default"] {
            let add_to = request(Method::POST, "/cart/items").header("handel-channel", channel);
            front.json(add_to, add.as_bytes());
        }
    }
    if route % 2 == 0 {
        // The shop stays small, and names are free again.
        front.send(front.staff(Method::DELETE, &format!("/admin/products/{id}")), "");
    }
}

/// Changes channels, one of each currency; with whatever was taken in, a cart has a price or a refusal.
pub(crate) fn channel(data: &[u8]) {
    /// Inputs of other threads would change the channel in between.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock();
    let front = front();
    let currency = serde_json::from_slice::<Value>(data).ok();
    let currency = currency.as_ref().and_then(|body| body["currency"].as_str()).unwrap_or("none");
    let code: String =
        currency.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let path = format!("/admin/channels/fuzz-{code}");
    let Some(put) = front.json(front.staff(Method::PUT, &path), data) else { return };
    if !put.status.is_success() {
        return;
    }
    let seen = front.send(front.staff(Method::GET, &path), "").expect("a request");
    assert_eq!((seen.status, &seen.body), (StatusCode::OK, &put.body));
    // What the shop says of its settings can be sent back to it.
    let again =
        front.json(front.staff(Method::PUT, &path), seen.body["settings"].to_string().as_bytes());
    assert!(again.is_some_and(|again| again.status.is_success()), "{}", seen.body);
    let channel = format!("fuzz-{code}");
    let in_channel = |method, path: &str| request(method, path).header("handel-channel", &channel);
    let added =
        front.json(in_channel(Method::POST, "/cart/items"), br#"{"sku":"MUG","quantity":3}"#);
    let added = added.expect("a request");
    if let Some(token) = added.body["token"].as_str() {
        adds_up(&added.body);
        front.json(in_channel(Method::POST, "/checkout").header("cart-token", token), COMPLETE);
    }
    front.send(in_channel(Method::GET, "/products?sort=price"), "");
}

/// Makes promotions; with one that was taken in, a cart that has its code adds up.
pub(crate) fn promotion(data: &[u8]) {
    /// Codes of other threads would be taken.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock();
    let front = front();
    let made = front.json(front.staff(Method::POST, "/admin/promotions"), data);
    let Some(Answer { body, .. }) = made.filter(|made| made.status.is_success()) else { return };
    let path = format!("/admin/promotions/{}", body["id"].as_str().expect("an id"));
    let seen = front.send(front.staff(Method::GET, &path), "").expect("a request");
    assert_eq!(
        (seen.status, &seen.body),
        (StatusCode::OK, &body),
        "it is another one when it is read"
    );
    let token = front.cart("eur");
    let codes = serde_json::json!({ "codes": body["codes"] }).to_string();
    let put = request(Method::PUT, "/cart/codes").header("cart-token", &token);
    front.json(put, codes.as_bytes());
    let cart = front.send(request(Method::GET, "/cart").header("cart-token", &token), "");
    adds_up(&cart.expect("a request").body);
    front.json(request(Method::POST, "/checkout").header("cart-token", &token), COMPLETE);
    let removed = front.send(front.staff(Method::DELETE, &path), "").expect("a request");
    assert!(removed.status.is_success(), "{removed:?}");
}

/// What is shown is exact: the total is what the parts come to.
fn adds_up(cart: &Value) {
    let of = |part: &Value, name: &str| {
        part[name].as_i64().unwrap_or_else(|| panic!("no {name} in {cart}"))
    };
    let lines = cart["lines"].as_array().expect("lines");
    let printed: i64 = lines.iter().map(|line| of(line, "total_minor")).sum();
    let on_top = if cart["prices_include_tax"] == true { 0 } else { of(cart, "tax_minor") };
    let goods = of(cart, "subtotal_minor") - of(cart, "discount_minor");
    assert_eq!(goods + of(cart, "shipping_minor") + on_top, of(cart, "total_minor"), "{cart}");
    assert!(printed <= of(cart, "total_minor"), "{cart}");
}
