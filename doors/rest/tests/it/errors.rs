//! Whatever goes wrong, the answer is a problem document that says what and where.

use axum::body::Body;
use bytes::Bytes;
use handel_engine::Scope;
use handel_kit::DoorSettings;
use handel_testkit::{TestDatabase, both_databases};
use http::Method;
use serde_json::{Value, json};

use super::support::{Call, Shop, buyer, paying};

/// A test whose outcome has nothing to do with the database.
async fn shop() -> Shop {
    Shop::start(TestDatabase::sqlite().await).await
}

#[tokio::test]
async fn bodies_that_are_not_json_are_refused_with_the_place() {
    let shop = shop().await;
    let add = || shop.post("/cart/items");
    add().text(&"[".repeat(5_000)).send().await.field("");
    add().text(&"[".repeat(100_000)).send().await.problem(413, "request.too_large");
    for text in
        ["{", "{\"sku\":", "nonsense", "{} {}", "{\"sku\": \"a\n\"}", "{\"quantity\": 1e999}"]
    {
        let problem = add().text(text).send().await.problem(400, "input.invalid");
        let detail = problem["detail"].as_str().expect("a text");
        assert!(detail.contains("line"), "{text}: {detail}");
    }
    // No body says nothing, and so lacks what is needed.
    add().text("").send().await.field("/variant_id");
    let invalid_utf8 = Bytes::from_static(b"{\"sku\": \"\xff\xfe\"}");
    add().bytes(invalid_utf8).send().await.problem(400, "input.invalid");
    let broken_off = futures_util::stream::iter([
        Ok(Bytes::from_static(b"{\"sku\":")),
        Err(std::io::Error::other("the client is gone")),
    ]);
    add().bytes(Body::from_stream(broken_off)).send().await.problem(400, "input.invalid");
}

#[tokio::test]
async fn the_media_type_must_be_json() {
    let shop = shop().await;
    shop.product("MUG", 1999, 5).await;
    let add = || shop.post("/cart/items").json(&json!({ "sku": "MUG" }));
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        add().header("content-type", kind).send().await.problem(415, "input.invalid");
    }
    add().without("content-type").send().await.problem(415, "input.invalid");
    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        add().header("content-type", kind).send().await.expect(201);
    }
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused_wherever_they_go() {
    let shop = shop().await;
    let settings = DoorSettings { body_max: 100, ..DoorSettings::default() };
    let front = shop.front(settings, axum::Router::new());
    let filled = |length: usize| format!("{{\"sku\": \"{}\"}}", "x".repeat(length - 11));
    for path in ["/cart", "/cart/items", "/checkout", "/webhooks/test"] {
        front.post(path).text(&filled(101)).send().await.problem(413, "request.too_large");
    }
    front.post("/cart/items").text(&filled(100)).send().await.problem(422, "input.invalid");
    let chunks = futures_util::stream::iter((0..50).map(|_| Ok::<_, std::io::Error>("     ")));
    let streamed = front.post("/cart/items").bytes(Body::from_stream(chunks));
    streamed.send().await.problem(413, "request.too_large");
}

#[tokio::test]
async fn wrong_fields_are_named_by_their_pointer() {
    let shop = shop().await;
    let add = |body: Value| shop.post("/cart/items").json(&body);
    for (body, pointer) in [
        (json!({ "sku": 7 }), "/sku"),
        (json!({ "sku": "MUG", "quantity": "2" }), "/quantity"),
        (json!({ "sku": "MUG", "quantity": 1.5 }), "/quantity"),
        (json!({ "sku": "MUG", "quantity": u64::MAX }), "/quantity"),
        (json!({ "sku": "MUG", "custom": { "engraving": 5 } }), "/custom/engraving"),
        (json!({ "sku": "MUG", "price_minor": 1 }), "/price_minor"),
        (json!({ "variant_id": "MUG" }), "/variant_id"),
        (json!({ "sku": "MUG", "variant_id": "var_x" }), "/variant_id"),
        (json!({}), "/variant_id"),
        (json!([]), ""),
        (json!([null, "MUG", 1]), ""),
    ] {
        add(body).send().await.field(pointer);
    }
    let cart = shop.post("/cart").send().await.expect(201).header("cart-token");
    let mut address = buyer();
    address["shipping_address"]["planet"] = json!("Mars");
    for (body, pointer) in [
        (json!({ "email": "nobody" }), "/email"),
        (json!({ "shipping_address": { "name": "Ada" } }), "/shipping_address"),
        (address, "/shipping_address/planet"),
        (json!({ "payment": { "token": "tok_ok", "cvc": "123" } }), "/payment/cvc"),
        (json!({ "shipping_method": "No Slug" }), "/shipping_method"),
    ] {
        shop.post("/checkout").cart(&cart).json(&body).send().await.field(pointer);
    }
}

#[tokio::test]
async fn the_type_of_a_problem_leads_to_its_meaning() {
    let shop = shop().await;
    let problem = shop.get("/products/none").send().await.problem(404, "product.unknown");
    let kind = problem["type"].as_str().expect("an address");
    let page = shop.get(kind).send().await.expect(200);
    let text = String::from_utf8(page.body.to_vec()).expect("a text");
    assert!(page.header("content-type").starts_with("text/plain"));
    assert!(text.starts_with("product.unknown\n") && text.contains("404"), "{text}");
    let all = shop.get("/errors").send().await.expect(200);
    let all = String::from_utf8(all.body.to_vec()).expect("a text");
    assert!(handel_domain::Code::ALL.iter().all(|code| all.contains(code.as_str())), "{all}");
    shop.get("/errors/nonsense").send().await.problem(404, "not_found");
}

/// Goal: a cart token that is empty or cut off is named as what is wrong, not the key that its owner chose.
#[tokio::test]
async fn a_wrong_cart_token_is_the_cause_that_is_named() {
    let shop = shop().await;
    for token in ["", "nonsense", "cart_00000000000000000000000001.x"] {
        let call =
            shop.post("/checkout").cart(token).once("my-first-order").json(&paying("tok_ok"));
        call.send().await.problem(404, "cart.unknown");
    }
    let call = shop.post("/checkout").once("my-first-order").json(&paying("tok_ok"));
    let problem = call.send().await.problem(422, "input.invalid");
    assert!(problem["detail"].as_str().is_some_and(|text| text.contains("16 characters")));
}

#[tokio::test]
async fn addresses_that_lead_nowhere_are_problems_too() {
    let shop = shop().await;
    for path in
        ["/nothing", "/api/v1", "/api/v2/products", "/docs/nothing.html", "/media", "/%FF%FE"]
    {
        shop.get(path).send().await.problem(404, "not_found");
    }
    let token = shop.post("/cart").send().await.expect(201).header("cart-token");
    for path in
        ["/orders/nonsense", "/checkout/1", "/orders/%00", "/checkout/%FF", "/orders/ord_%0A"]
    {
        shop.get(path).cart(&token).send().await.problem(404, "not_found");
    }
    shop.get("/products/none").send().await.problem(404, "product.unknown");
    for (method, path, allowed) in [
        (Method::PUT, "/cart", "GET,HEAD,POST"),
        (Method::GET, "/cart/items", "POST"),
        (Method::DELETE, "/products", "GET,HEAD"),
        (Method::POST, "/health/live", "GET,HEAD"),
    ] {
        let refused = shop.call(method, path).send().await;
        refused.problem(405, "method_not_allowed");
        let allow = refused.header("allow");
        let mut methods: Vec<_> = allow.split(',').map(str::trim).collect();
        methods.sort_unstable();
        assert_eq!(methods.join(","), allowed, "{path}");
    }
}

both_databases! {
    /// Goal: a character that only one of the databases can store makes no fault on either.
    async fn a_nul_is_refused_wherever_a_text_is_read(shop: Shop) {
        shop.product("MUG", 1999, 5).await;
        for query in ["q=%00", "q=mug%00", "attr.a=%00", "attr.a%00=b"] {
            let reply = shop.get(&format!("/products?{query}")).send().await;
            reply.problem(422, "input.invalid");
        }
        for path in ["/products?category=%00", "/products/%00", "/policies/%00", "/products?after=%00"] {
            let reply = shop.get(path).send().await;
            assert!(reply.status.is_client_error(), "{path}: {reply}");
        }
        let cart = shop.cart("MUG", 1).await;
        for (path, body) in [
            ("/cart/items", json!({ "sku": "MUG\0" })),
            ("/cart/items", json!({ "sku": "MUG", "attachments": [{ "name": "a\0", "value": "b\0" }] })),
            ("/cart/promotion-codes", json!({ "code": "A\0" })),
            ("/checkout", json!({ "email": "a\0@example.com" })),
        ] {
            let reply = shop.post(path).cart(&cart.token).json(&body).send().await;
            assert!(reply.status.is_client_error(), "{path} {body}: {reply}");
        }
    }

    /// Goal: a wrong parameter of a list is named, and a cursor holds only for the list that it came from.
    async fn lists_refuse_what_they_do_not_understand(shop: Shop) {
        for number in 0..4 {
            shop.product(&format!("MUG-{number}"), 1000 + number, 1).await;
        }
        for (query, pointer) in [
            ("limit=0", "/limit"), ("limit=101", "/limit"), ("limit=-1", "/limit"), ("limit=ten", "/limit"),
            ("price_min=cheap", "/price_min"), ("price_max=99999999999999999999", "/price_max"),
            ("in_stock=maybe", "/in_stock"), ("sort=best", "/sort"), ("category=No%20Slug", "/category"),
            ("color=red", "/color"),
        ] {
            shop.get(&format!("/products?{query}")).send().await.field(pointer);
        }
        let first = shop.get("/products?limit=2").send().await.expect(200).json();
        let cursor = first["next_cursor"].as_str().expect("there is more");
        shop.get(&format!("/products?limit=2&cursor={cursor}")).send().await.expect(200);
        let mut bytes = cursor.as_bytes().to_vec();
        bytes[3] = if bytes[3] == b'A' { b'B' } else { b'A' };
        let tampered = String::from_utf8(bytes).expect("ASCII");
        let cut = &cursor[..cursor.len() - 2];
        for wrong in ["", "nonsense", "%00", "%F0%9F%98%80", &tampered, cut, &"A".repeat(5000)] {
            let reply = shop.get(&format!("/products?limit=2&cursor={wrong}")).send().await;
            reply.problem(400, "cursor.invalid");
        }
        let sorted = shop.get(&format!("/products?limit=2&sort=price&cursor={cursor}")).send().await;
        sorted.problem(400, "cursor.invalid");
        let key = shop.key(&[Scope::OrdersRead, Scope::KeysWrite]).await;
        for path in ["/admin/orders", "/admin/keys", "/orders"] {
            let reply = shop.get(&format!("{path}?cursor={cursor}")).bearer(&key).send().await;
            reply.problem(400, "cursor.invalid");
        }
        shop.get("/admin/orders?status=lost").bearer(&key).send().await.field("/status");
        shop.get("/admin/orders?colour=red").bearer(&key).send().await.field("/colour");
    }

    /// Goal: quantities and prices that cannot be are refused before anything is computed with them.
    async fn impossible_numbers_are_refused(shop: Shop) {
        shop.product("MUG", 1999, 1_000_000).await;
        let cart = shop.cart("MUG", 1).await;
        for quantity in [0, -1, 4_294_967_297, 1 << 32, i64::MAX, i64::MIN] {
            let body = json!({ "sku": "MUG", "quantity": quantity });
            shop.post("/cart/items").cart(&cart.token).json(&body).send().await.field("/quantity");
        }
        let line = cart.view["lines"][0]["id"].as_str().expect("a line");
        for quantity in [-1, 1 << 32, i64::MAX, i64::MIN] {
            let call = shop.call(Method::PATCH, &format!("/cart/items/{line}")).cart(&cart.token);
            call.json(&json!({ "quantity": quantity })).send().await.field("/quantity");
        }
        let now = shop.get("/cart").cart(&cart.token).send().await.expect(200).json();
        assert_eq!(now["lines"][0]["quantity"], 1, "nothing of it was taken in");
        let key = shop.key(&[Scope::CatalogWrite, Scope::StockWrite]).await;
        for price in [-1, i64::MIN, i64::MAX] {
            let refused = shop.post("/admin/products").bearer(&key).json(&product("EUR", price)).send().await;
            refused.field("/variants/0/prices/0/amount_minor");
        }
        for delta in [0, i64::MAX, i64::MIN] {
            let body = json!({ "sku": "MUG", "delta": delta, "reason": "a test" });
            shop.post("/admin/stock/adjustments").bearer(&key).json(&body).send().await.field("/delta");
        }
    }

    /// Goal: only currencies of ISO 4217 with their exact codes are taken.
    async fn currencies_are_iso_codes(shop: Shop) {
        let key = shop.key(&[Scope::CatalogWrite]).await;
        for currency in ["usd", "€", "ZZZ", "", "EURO", "EUR "] {
            let call = shop.post("/admin/products").bearer(&key).json(&product(currency, 100));
            call.send().await.field("/variants/0/prices/0/currency");
        }
        shop.post("/admin/products").bearer(&key).json(&product("EUR", 100)).send().await.expect(201);
    }

    /// Goal: control characters reach no database and no log through a text.
    async fn control_characters_are_refused(shop: Shop) {
        shop.product("MUG", 1999, 5).await;
        for (text, pointer) in [("a\u{0}b", "/custom"), ("a\u{1b}[31m", "/custom")] {
            let body = json!({ "sku": "MUG", "custom": { "note": text } });
            shop.post("/cart/items").json(&body).send().await.field(pointer);
        }
        shop.post("/cart/items").json(&json!({ "sku": "MUG\u{0}" })).send().await.field("/sku");
        let cart = shop.cart("MUG", 1).await;
        for (part, text) in [("name", "Ada\nLovelace"), ("city", "Ber\u{0}lin"), ("line1", "1\r\nMain")] {
            let mut body = buyer();
            body["shipping_address"][part] = json!(text);
            let reply = shop.post("/checkout").cart(&cart.token).json(&body).send().await;
            reply.field(&format!("/shipping_address/{part}"));
        }
        let body = json!({ "email": "ada@example.com\nBcc: all@example.com" });
        shop.post("/checkout").cart(&cart.token).json(&body).send().await.field("/email");
        let mut body = paying("tok_ok\u{0}");
        body["expected_total_minor"] = json!(2489);
        let refused = shop.post("/checkout").cart(&cart.token).once("k").json(&body).send().await;
        refused.problem(422, "payment.token_invalid");
    }

    /// Goal: a card number is refused wherever it is sent, and is never said back.
    async fn card_numbers_are_refused_and_never_echoed(shop: Shop) {
        shop.product("MUG", 1999, 5).await;
        let cart = shop.cart("MUG", 1).await;
        let in_address = |part: &str, text: &str| {
            let mut body = buyer();
            body["shipping_address"][part] = json!(text);
            body
        };
        let submit = |body: Value| shop.post("/checkout").cart(&cart.token).once("k").json(&body);
        for number in ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242"] {
            let custom = json!({ "sku": "MUG", "custom": { "note": format!("pay with {number}") } });
            let mut calls: Vec<Call> = vec![
                submit(paying(number)),
                shop.post("/cart/items").cart(&cart.token).json(&custom),
            ];
            for part in ["name", "line1", "line2", "city", "region", "postal_code", "phone"] {
                calls.push(submit(in_address(part, number)));
            }
            let mut billed = buyer();
            billed["billing_address"] = in_address("line1", number)["shipping_address"].clone();
            billed["shipping_address"]["city"] = json!("");
            calls.push(submit(billed));
            for call in calls {
                let reply = call.send().await;
                reply.problem(422, "card_number.refused");
                let text = reply.to_string();
                assert!(!text.contains("4242"), "it is said back: {text}");
            }
        }
        assert_eq!(shop.payments.calls().charges, 0);
    }

    /// Goal: a card number that is sent as something else, such as a quantity or the name of a field, is not said
    /// back either.
    async fn misplaced_card_numbers_are_not_echoed(shop: Shop) {
        let number = "4242424242424242";
        let mut named = json!({ "sku": "MUG" });
        named[number] = json!(1);
        for body in [json!({ "quantity": number }), named, json!({ "sku": { "number": number } })] {
            let reply = shop.post("/cart/items").json(&body).send().await;
            reply.problem(422, "input.invalid");
            assert!(!reply.to_string().contains(number), "it is said back: {reply}");
        }
        let reply = shop.get(&format!("/products?{number}=1")).send().await;
        reply.problem(422, "input.invalid");
        assert!(!reply.to_string().contains(number), "it is said back: {reply}");
    }

    /// Goal: what names a channel or a caller must be right, or nothing is done.
    async fn wrong_names_of_channels_and_callers_are_refused(shop: Shop) {
        for channel in ["nowhere", "No Slug", "", "eur,default", "\u{e9}"] {
            let reply = shop.get("/products").header("handel-channel", channel).send().await;
            reply.problem(404, "channel.unknown");
        }
        for authorization in ["Basic YTpi", "Bearer", "Bearer ", "hk_x_y", "Bearer hk_x_y", "Bearer a b", "\u{e9}"] {
            let reply = shop.get("/products").header("authorization", authorization).send().await;
            reply.problem(401, "auth.invalid");
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
        let key = shop.key(&[Scope::CatalogRead]).await;
        shop.get("/products").header("authorization", &format!("bEaReR {key}")).send().await.expect(200);
    }
}

fn product(currency: &str, amount_minor: i64) -> Value {
    let prices = json!([{ "currency": currency, "amount_minor": amount_minor }]);
    json!({ "title": "Mug", "variants": [{ "sku": "NEW-MUG", "prices": prices }] })
}
