//! Promotions over REST: made by staff, used by shoppers, and shown to both.

use std::time::Duration;

use handel_engine::Scope;
use handel_testkit::both_databases;
use http::Method;
use serde_json::{Value, json};

use super::support::{Shop, paying_what_was_shown};

fn ten_percent() -> Value {
    json!({
        "title": "Ten percent off", "class": "order",
        "action": { "kind": "percentage", "rate_millionths": 100_000 },
        "combines_with": { "product": true, "order": true, "shipping": true },
        "codes": ["ten"],
    })
}

both_databases! {
    /// Goal: staff keep promotions as they keep everything else: with versions, pages, keys and pointers.
    async fn staff_keep_promotions(shop: Shop) {
        let key = shop.key(&[Scope::PromotionsRead, Scope::PromotionsWrite]).await;
        let create = |body: &Value| shop.post("/admin/promotions").bearer(&key).json(body);
        let made = create(&ten_percent()).once("make-it-once-only").send().await.expect(201);
        let again = create(&ten_percent()).once("make-it-once-only").send().await.expect(201);
        assert!(again.is_replayed());
        let view = made.json();
        assert_eq!(again.json(), view);
        let path = format!("/admin/promotions/{}", view["id"].as_str().expect("an id"));
        assert_eq!((made.header("location"), made.header("etag")), (format!("/api/v1{path}"), "\"1\"".to_owned()));
        assert_eq!((&view["codes"], &view["automatic"], &view["used"]), (&json!(["TEN"]), &json!(false), &json!(0)));
        assert_eq!(shop.get(&path).bearer(&key).send().await.expect(200).json(), view);
        create(&ten_percent()).send().await.problem(409, "promotion.code_taken");

        let mut changed = ten_percent();
        changed["codes"] = json!([]);
        changed["conditions"] = json!({ "minimum_subtotal_minor": 100, "countries": ["DE"] });
        changed["currency"] = json!("EUR");
        changed["ends_at"] = json!("2099-01-01T00:00:00Z");
        let put = |body: &Value| shop.call(Method::PUT, &path).bearer(&key).json(body);
        put(&changed).send().await.problem(428, "version.required");
        let replaced = put(&changed).header("if-match", "\"1\"").send().await.expect(200).json();
        assert_eq!((&replaced["version"], &replaced["automatic"]), (&json!(2), &json!(true)));
        assert_eq!(replaced["conditions"], changed["conditions"]);
        put(&changed).header("if-match", "\"1\"").send().await.problem(412, "version.conflict");

        for (field, value, pointer) in [
            ("title", json!(""), "/title"),
            ("action", json!({ "kind": "percentage", "rate_millionths": 1_000_001 }), "/action/rate_millionths"),
            ("action", json!({ "kind": "fixed", "amount_minor": 0 }), "/action/amount_minor"),
            ("currency", Value::Null, "/currency"),
            ("usage_limit", json!(0), "/usage_limit"),
            ("channel_id", json!("chn_00000000000000000000000404"), "/channel_id"),
            ("codes", json!(["a b"]), "/codes/0"),
        ] {
            let mut bad = changed.clone();
            bad[field] = value;
            create(&bad).send().await.field(pointer);
        }
        let mut unknown = ten_percent();
        unknown["discount"] = json!(10);
        create(&unknown).send().await.problem(422, "input.invalid");

        for n in 0..3 {
            let mut more = ten_percent();
            more["codes"] = json!([format!("more-{n}")]);
            // Ids of one moment do not sort.
            shop.clock.advance(Duration::from_millis(1));
            create(&more).send().await.expect(201);
        }
        let first = shop.get("/admin/promotions?limit=3").bearer(&key).send().await.expect(200).json();
        let cursor = first["next_cursor"].as_str().expect("there is more");
        let second = shop.get(&format!("/admin/promotions?limit=3&cursor={cursor}"));
        let second = second.bearer(&key).send().await.expect(200).json();
        assert_eq!(second["items"].as_array().map(Vec::len), Some(1));
        assert_eq!((&second["items"][0]["id"], second["items"][0].get("codes")), (&view["id"], None));
        shop.call(Method::DELETE, &path).bearer(&key).send().await.expect(204);
        shop.get(&path).bearer(&key).send().await.problem(404, "promotion.unknown");
    }

    /// Goal: a shopper gives codes, sees what they do and why not, and the order says the same.
    async fn a_shopper_buys_with_codes(shop: Shop) {
        shop.product("MUG", 3_500, 5).await;
        let key = shop.key(Scope::ALL).await;
        let create = async |body: &Value| {
            shop.post("/admin/promotions").bearer(&key).json(body).send().await.expect(201).json()
        };
        let mut last = ten_percent();
        last["usage_limit"] = json!(1);
        let promotion = create(&last).await;
        let mut free = ten_percent();
        (free["class"], free["action"]["rate_millionths"]) = (json!("shipping"), json!(1_000_000));
        (free["title"], free["codes"]) = (json!("Free shipping"), json!([]));
        create(&free).await;

        let cart = shop.cart("MUG", 1).await;
        let set = |codes: Value| {
            shop.call(Method::PUT, "/cart/codes").cart(&cart.token).json(&json!({ "codes": codes }))
        };
        let view = set(json!(["Ten", "nope"])).header("if-match", "\"1\"").send().await.expect(200);
        assert_eq!(view.header("etag"), "\"2\"");
        let view = view.json();
        assert_eq!((&view["codes"], &view["total_minor"]), (&json!(["Ten", "nope"]), &json!(3_150)));
        assert_eq!(view["rejected_codes"], json!([{ "code": "nope", "reason": "unknown" }]));
        let line = &view["lines"][0]["id"];
        assert_eq!(view["discounts"], json!([{
            "promotion_id": promotion["id"], "code": "Ten", "title": "Ten percent off", "class": "order",
            "amount_minor": 350, "allocations": [{ "line_id": line, "amount_minor": 350 }],
        }]));
        set(json!([])).header("if-match", "\"1\"").send().await.problem(412, "version.conflict");
        set(json!(vec!["x"; 11])).send().await.field("/codes");
        set(json!(["4242424242424242"])).send().await.problem(422, "card_number.refused");
        shop.call(Method::PUT, "/cart/codes").json(&json!({ "codes": [] })).send().await.problem(404, "cart.unknown");

        let late = shop.cart("MUG", 1).await;
        let codes = json!({ "codes": ["TEN"] });
        shop.call(Method::PUT, "/cart/codes").cart(&late.token).json(&codes).send().await.expect(200);
        let checkout = shop.checkout_over_rest(&cart).await;
        assert_eq!(checkout["shipping_options"], json!([
            { "code": "standard", "name": "Paket", "amount_minor": 0 },
            { "code": "courier", "name": "Kurier", "amount_minor": 0 },
        ]));
        assert_eq!((&checkout["codes"], &checkout["total_minor"]), (&json!(["Ten", "nope"]), &json!(3_150)));
        let buy = |token: &str| {
            let key = format!("buy-{}", &token[..8]);
            shop.post("/checkout").cart(token).once(&key).json(&paying_what_was_shown("tok_ok"))
        };
        let order = buy(&cart.token).send().await.expect(201).json()["order"].clone();
        assert_eq!((&order["total_minor"], &order["discount_minor"]), (&json!(3_150), &json!(840)));
        assert_eq!(order["discounts"], checkout["discounts"]);
        assert_eq!(order["discounts"][1]["allocations"], json!([{ "amount_minor": 490 }]));
        let staff = shop.get(&format!("/admin/orders/{}", order["id"].as_str().expect("an id")));
        assert_eq!(staff.bearer(&key).send().await.expect(200).json()["discounts"], order["discounts"]);

        let refused = buy(&late.token).send().await.problem(409, "promotion.used_up");
        assert_eq!(refused["total_minor"], 3_500);
        let path = format!("/admin/promotions/{}", promotion["id"].as_str().expect("an id"));
        assert_eq!(shop.get(&path).bearer(&key).send().await.expect(200).json()["used"], 1);
        shop.call(Method::DELETE, &path).bearer(&key).send().await.problem(409, "still_in_use");
    }
    /// Goal: shipping methods cost what promotions leave, cheapest first.
    async fn shipping_methods_cost_what_promotions_leave(shop: Shop) {
        shop.product("MUG", 8_000, 5).await;
        let key = shop.key(&[Scope::PromotionsWrite]).await;
        // The one that takes off more holds: free shipping only where it is dear.
        for (class, rate) in [("order", 100_000), ("shipping", 1_000_000)] {
            let promotion = json!({
                "title": class, "class": class, "action": { "kind": "percentage", "rate_millionths": rate },
            });
            shop.post("/admin/promotions").bearer(&key).json(&promotion).send().await.expect(201);
        }
        let cart = shop.cart("MUG", 1).await;
        let checkout = shop.checkout_over_rest(&cart).await;
        assert_eq!(checkout["shipping_options"], json!([
            { "code": "courier", "name": "Kurier", "amount_minor": 0 },
            { "code": "standard", "name": "Paket", "amount_minor": 490 },
        ]));
    }
}
