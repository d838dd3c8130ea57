//! What names a caller or a place in a list: keys, tokens, cookies, cursors, idempotency keys.

use http::{HeaderValue, Method, StatusCode, header};

use crate::front::{front, request, split};

/// An API key that nobody made opens nothing.
pub(crate) fn api_key(data: &[u8]) {
    let (kind, data) = split(data);
    let mut value = if kind % 2 == 0 { b"Bearer hk_".to_vec() } else { Vec::new() };
    value.extend_from_slice(data);
    let front = front();
    // The fuzzer sees what is compared, and so finds the key.
    if value.trim_ascii().ends_with(front.key.as_bytes()) {
        return;
    }
    let Ok(value) = HeaderValue::from_bytes(&value) else { return };
    let look = request(Method::GET, "/admin/keys").header(header::AUTHORIZATION, value);
    let answer = front.send(look, "").expect("a request");
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
}

/// A token that the shop did not make opens no cart and no order, wherever it is sent.
pub(crate) fn token(data: &[u8]) {
    let (place, data) = split(data);
    let front = front();
    let get = |path: &str| request(Method::GET, path);
    let order = "/orders/ord_01jd6z3v9q8x7k2m4n5p6r7s8t";
    let call = match place % 4 {
        0 => get("/cart").header("cart-token", data),
        1 => get("/cart").header("cookie", [b"handel_cart=", data].concat()),
        2 => get("/cart").header("cookie", data),
        _ => get(order).header("order-token", data),
    };
    if let Some(answer) = front.send(call, "") {
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{answer:?}");
    }
    let call = request(Method::POST, "/cart/items").header("cart-token", data);
    if let Some(answer) = front.json(call, br#"{"sku":"MUG"}"#) {
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{answer:?}");
    }
}

/// A cursor that the shop did not make continues no list.
pub(crate) fn cursor(data: &[u8]) {
    let encoded: String = data.iter().map(|byte| format!("%{byte:02X}")).collect();
    let front = front();
    for path in ["/products", "/admin/orders", "/admin/keys"] {
        let look = front.staff(Method::GET, &format!("{path}?limit=1&cursor={encoded}"));
        let Some(answer) = front.send(look, "") else { continue };
        assert_eq!(answer.body["code"], "cursor.invalid", "{path}: {answer:?}");
    }
    if let Ok(text) = std::str::from_utf8(data) {
        // As it is written, where a client encodes nothing.
        front.send(front.staff(Method::GET, &format!("/products?cursor={text}")), "");
    }
}

/// Any key that is taken is answered once; another one is refused.
pub(crate) fn idempotency_key(data: &[u8]) {
    let front = front();
    let token = front.cart("eur");
    let add = || {
        let add = request(Method::POST, "/cart/items").header("cart-token", &token);
        front.json(add.header("idempotency-key", data), br#"{"sku":"MUG"}"#)
    };
    let (Some(first), Some(again)) = (add(), add()) else { return };
    assert_eq!((first.status, &first.body["code"]), (again.status, &again.body["code"]));
    if first.status.is_success() {
        assert_eq!(first.body, again.body, "it was done twice");
    }
}
