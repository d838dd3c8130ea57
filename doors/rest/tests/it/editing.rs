//! Staff change what is there: whole, in part, and by sending back what they read.

use handel_engine::Scope;
use handel_testkit::both_databases;
use http::Method;
use serde_json::{Value, json};

use super::support::{Call, Shop};

/// A shop with a key for everything.
struct Desk<'s> {
    shop: &'s Shop,
    key: String,
}

impl<'s> Desk<'s> {
    async fn open(shop: &'s Shop) -> Self {
        Self { shop, key: shop.key(Scope::ALL).await }
    }

    fn call(&self, method: Method, path: &str) -> Call {
        self.shop.call(method, path).bearer(&self.key)
    }

    async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path).send().await.expect(200).json()
    }

    /// A change of whatever is there.
    fn send(&self, method: Method, path: &str, body: &Value) -> Call {
        self.call(method, path).header("if-match", "*").json(body)
    }

    fn patch(&self, path: &str, body: &Value) -> Call {
        self.send(Method::PATCH, path, body)
    }

    async fn product(&self) -> Value {
        let body = json!({
            "title": "Enamel mug", "tags": ["kitchen"], "vendor": "Kilnhouse",
            "options": [{ "name": "Color", "values": ["Blue", "Red"] }],
            "variants": [
                { "sku": "MUG-BLUE", "option_values": ["Blue"],
                  "prices": [{ "currency": "EUR", "amount_minor": 1400 }, { "currency": "USD", "amount_minor": 1600 }] },
                { "sku": "MUG-RED", "option_values": ["Red"],
                  "prices": [{ "currency": "EUR", "amount_minor": 1500 }] },
            ],
        });
        self.call(Method::POST, "/admin/products").json(&body).send().await.expect(201).json()
    }
}

fn path_of(noun: &str, view: &Value) -> String {
    format!("/admin/{noun}/{}", view["id"].as_str().expect("an id"))
}

/// A view without what changes by itself.
fn timeless(mut view: Value) -> Value {
    let members = view.as_object_mut().expect("an object");
    for member in ["version", "updated_at"] {
        members.remove(member).expect(member);
    }
    view
}

both_databases! {
    /// Goal: what GET gives, PUT takes, and nothing changes by it.
    async fn what_was_read_can_be_sent_back(shop: Shop) {
        let desk = Desk::open(shop).await;
        let product = desk.product().await;
        let category = json!({ "name": "Kitchen", "description": "Pots." });
        let category = desk.call(Method::POST, "/admin/categories").json(&category);
        let category = category.send().await.expect(201).json();
        let promotion = json!({
            "title": "Ten", "class": "order", "codes": ["TEN"],
            "action": { "kind": "percentage", "rate_percent": "10" },
        });
        let promotion = desk.call(Method::POST, "/admin/promotions").json(&promotion);
        let promotion = promotion.send().await.expect(201).json();
        for (noun, view) in [("products", product), ("promotions", promotion), ("categories", category)] {
            let path = path_of(noun, &view);
            let put = |body: &Value| desk.send(Method::PUT, &path, body);
            let after = put(&view).send().await.expect(200).json();
            assert_eq!(timeless(after), timeless(view.clone()), "{noun}");
            let mut other = view.clone();
            other["id"] = json!(view["id"].as_str().expect("an id").replace('0', "1"));
            put(&other).send().await.field("/id");
            desk.call(Method::POST, &format!("/admin/{noun}")).json(&view).send().await.field("/id");
        }
        let channel = desk.get("/admin/channels/eur").await;
        let put = desk.send(Method::PUT, "/admin/channels/eur", &channel).send().await.expect(200);
        assert_eq!(put.json()["settings"], channel["settings"]);
    }

    /// Goal: PATCH changes what it names and nothing else, by the rules of RFC 7396.
    async fn a_patch_changes_what_it_names(shop: Shop) {
        let desk = Desk::open(shop).await;
        let product = desk.product().await;
        let path = path_of("products", &product);
        let patch = json!({ "title": "Mug", "seo": { "title": "A mug" }, "tags": [], "vendor": null });
        let changed = desk.patch(&path, &patch).send().await.expect(200).json();
        let mut expected = timeless(product.clone());
        (expected["title"], expected["seo"]["title"]) = (json!("Mug"), json!("A mug"));
        (expected["tags"], expected["vendor"]) = (json!([]), json!(""));
        assert_eq!(timeless(changed), expected);

        let merge = desk.call(Method::PATCH, &path).header("if-match", "*");
        let merge = merge.json(&json!({ "title": "Cup" })).header("content-type", "application/merge-patch+json");
        assert_eq!(merge.send().await.expect(200).json()["title"], "Cup");
        desk.patch(&path, &json!({ "titel": "Cup" })).send().await.problem(422, "input.invalid");
        desk.patch(&path, &json!({ "title": null })).send().await.problem(422, "input.invalid");
        desk.patch(&path, &json!([])).send().await.problem(422, "input.invalid");
        desk.call(Method::PATCH, &path).json(&json!({})).send().await.problem(428, "version.required");
        let stale = desk.call(Method::PATCH, &path).header("if-match", "\"1\"").json(&json!({}));
        stale.send().await.problem(412, "version.conflict");

        let prices = "/admin/variants/MUG-BLUE/prices";
        let patch = json!({ "EUR": { "amount_minor": 1900, "compare_at_minor": 2100 }, "USD": null });
        let priced = desk.patch(prices, &patch).send().await.expect(200).json();
        let expected = json!([{ "currency": "EUR", "amount_minor": 1900, "compare_at_minor": 2100 }]);
        assert_eq!(priced["variants"][0]["prices"], expected);
        let patch = json!({ "GBP": { "amount_minor": 1200 }, "EUR": { "compare_at_minor": null } });
        let priced = desk.patch(prices, &patch).send().await.expect(200).json();
        let expected = json!([{ "currency": "EUR", "amount_minor": 1900 }, { "currency": "GBP", "amount_minor": 1200 }]);
        assert_eq!(priced["variants"][0]["prices"], expected);
        assert_eq!(priced["variants"][1], product["variants"][1], "the sibling");
        desk.patch(prices, &json!({ "EURO": { "amount_minor": 1 } })).send().await.field("/EURO");
        desk.patch("/admin/variants/NONE/prices", &json!({})).send().await.problem(404, "variant.unknown");

        let made = json!({
            "title": "Ten", "class": "order", "codes": ["TEN"],
            "action": { "kind": "percentage", "rate_percent": "10" },
        });
        let promotion = desk.call(Method::POST, "/admin/promotions").json(&made).send().await.expect(201).json();
        let path = path_of("promotions", &promotion);
        let patch = json!({ "enabled": false, "action": { "rate_percent": "12.5" } });
        let changed = desk.patch(&path, &patch).send().await.expect(200).json();
        assert_eq!((&changed["enabled"], &changed["codes"]), (&json!(false), &json!(["TEN"])));
        assert_eq!(changed["action"], json!({ "kind": "percentage", "rate_percent": "12.5" }));

        let category = desk.call(Method::POST, "/admin/categories").json(&json!({ "name": "Pots", "position": 3 }));
        let category = category.send().await.expect(201).json();
        let renamed = desk.patch(&path_of("categories", &category), &json!({ "name": "Pans" }));
        let renamed = renamed.send().await.expect(200).json();
        assert_eq!((&renamed["name"], &renamed["slug"], &renamed["position"]), (&json!("Pans"), &json!("pots"), &json!(3)));
    }

    /// Goal: a patch that is sent again with its key is done once, and of two at once with one version one wins.
    async fn a_patch_is_done_once_and_loses_to_a_faster_one(shop: Shop) {
        let desk = Desk::open(shop).await;
        let product = desk.product().await;
        let path = path_of("products", &product);
        let rename = |title: &str| {
            let call = desk.call(Method::PATCH, &path).header("if-match", "\"1\"");
            call.json(&json!({ "title": title }))
        };
        let (one, two) = tokio::join!(
            rename("One").once("patch-number-one").send(),
            rename("Two").once("patch-number-two").send()
        );
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{one} {two}");
        let (winner, title, key) = match one.status.as_u16() {
            200 => (one, "One", "patch-number-one"),
            _ => (two, "Two", "patch-number-two"),
        };
        let again = rename(title).once(key).send().await.expect(200);
        assert!(again.is_replayed());
        assert_eq!(again.json(), winner.json());
        assert_eq!(desk.get(&path).await["version"], 2);
        // With `*` both are done, one on top of the other.
        let tags = json!({ "tags": ["a"] });
        let vendor = json!({ "vendor": "B" });
        let (tagged, sold) = tokio::join!(desk.patch(&path, &tags).send(), desk.patch(&path, &vendor).send());
        tagged.expect(200);
        sold.expect(200);
        let after = desk.get(&path).await;
        assert_eq!((&after["tags"], &after["vendor"], &after["version"]), (&json!(["a"]), &json!("B"), &json!(4)));
    }

    /// Goal: nothing of a channel vanishes because a body did not name it, and each part can be changed alone.
    async fn parts_of_a_channel_stay(shop: Shop) {
        let desk = Desk::open(shop).await;
        let channel = "/admin/channels/eur";
        let before = desk.get(channel).await["settings"].clone();
        let methods = before["shipping_methods"].as_array().expect("methods").len();
        let put = desk.send(Method::PUT, channel, &json!({ "name": "Euroland" })).send().await.expect(200);
        let mut expected = before.clone();
        expected["name"] = json!("Euroland");
        assert_eq!(put.json()["settings"], expected);
        let patch = json!({ "settings": { "tax": { "missing_rate": "block" } } });
        let patched = desk.patch(channel, &patch).send().await.expect(200).json();
        expected["tax"]["missing_rate"] = json!("block");
        assert_eq!(patched["settings"], expected);
        desk.patch("/admin/channels/none", &json!({})).send().await.problem(404, "channel.unknown");

        let tax = format!("{channel}/tax");
        assert_eq!(desk.get(&tax).await, expected["tax"]);
        let rate = json!({ "class": "food", "country": "DE", "rate_percent": "7", "name": "VAT 7 %" });
        let rates = json!({ "rates": [rate.clone()] });
        let changed = desk.call(Method::PATCH, &tax).json(&rates).send().await.expect(200).json();
        assert_eq!((&changed["rates"], &changed["missing_rate"]), (&json!([rate]), &json!("block")));
        let whole = json!({ "prices_include_tax": true, "rates": [
            { "class": "standard", "country": "DE", "rate_millionths": 190_000, "name": "VAT 19 %" }] });
        let replaced = desk.call(Method::PUT, &tax).json(&whole).send().await.expect(200).json();
        assert_eq!((&replaced["rates"][0]["rate_percent"], &replaced["missing_rate"]), (&json!("19"), &json!("zero")));
        let both = json!({ "rates": [{ "class": "a", "country": "DE", "name": "", "rate_percent": "1", "rate_millionths": 1 }] });
        desk.call(Method::PATCH, &tax).json(&both).send().await.field("/tax/rates/0/rate_millionths");

        let express = format!("{channel}/shipping-methods/express");
        let body = json!({ "name": "Express", "amount_minor": 1490, "tax_class": "standard" });
        let stale = desk.call(Method::PUT, &express).header("if-match", "\"1\"").json(&body);
        stale.send().await.problem(412, "version.conflict");
        let made = desk.call(Method::PUT, &express).json(&body).send().await.expect(200).json();
        assert_eq!((&made["code"], &made["amount_minor"]), (&json!("express"), &json!(1490)));
        let cheaper = desk.call(Method::PATCH, &express).json(&json!({ "amount_minor": 990 }));
        assert_eq!(cheaper.send().await.expect(200).json()["name"], "Express");
        let listed = desk.get(&format!("{channel}/shipping-methods")).await;
        assert_eq!(listed["items"].as_array().expect("methods").len(), methods + 1);
        let renamed = desk.call(Method::PUT, &express).json(&json!({ "code": "slow", "name": "x", "amount_minor": 1, "tax_class": "standard" }));
        renamed.send().await.field("/code");
        let left = desk.call(Method::DELETE, &express).send().await.expect(200).json();
        assert_eq!(left["items"].as_array().expect("methods").len(), methods);
        desk.call(Method::DELETE, &express).send().await.problem(404, "not_found");

        let faq = format!("{channel}/policies/faq");
        let body = json!({ "title": "Questions", "text": "None yet." });
        desk.call(Method::PUT, &faq).json(&body).send().await.expect(200);
        let shown = shop.get("/policies/faq").header("handel-channel", "eur").send().await.expect(200);
        assert_eq!(shown.json()["title"], "Questions");
        desk.call(Method::DELETE, &faq).send().await.expect(200);
        desk.call(Method::DELETE, &faq).send().await.problem(404, "not_found");
    }

    /// Goal: a variant keeps its identity when its SKU changes, also when two swap theirs.
    async fn a_variant_that_is_named_by_id_keeps_its_identity(shop: Shop) {
        let desk = Desk::open(shop).await;
        let product = desk.product().await;
        let path = path_of("products", &product);
        let mut swapped = product.clone();
        (swapped["variants"][0]["sku"], swapped["variants"][1]["sku"]) = (json!("MUG-RED"), json!("MUG-BLUE"));
        let after = desk.send(Method::PUT, &path, &swapped).send().await.expect(200).json();
        for at in 0..2 {
            assert_eq!(after["variants"][at]["id"], product["variants"][at]["id"]);
            assert_eq!(after["variants"][at]["sku"], swapped["variants"][at]["sku"]);
        }
        let mut twice = after.clone();
        twice["variants"][1]["id"] = after["variants"][0]["id"].clone();
        desk.send(Method::PUT, &path, &twice).send().await.field("/variants/1/id");
        let foreign = shop.product("HAT", 100, 1).await;
        let mut stolen = after;
        stolen["variants"][1]["id"] = json!(foreign.variants[0].id.to_string());
        desk.send(Method::PUT, &path, &stolen).send().await.field("/variants/1/id");
    }

    /// Goal: staff find products in every status, by words and filters, page by page.
    async fn staff_list_products_in_every_status(shop: Shop) {
        let desk = Desk::open(shop).await;
        let category = desk.call(Method::POST, "/admin/categories").json(&json!({ "name": "Pots" }));
        let category = category.send().await.expect(201).json();
        for (title, status, vendor) in [
            ("Blue teapot", "active", "Kilnhouse"),
            ("Green teapot", "draft", "Kilnhouse"),
            ("Red kettle", "archived", "Ferro"),
        ] {
            let variant = json!({ "sku": title.to_uppercase().replace(' ', "-") });
            let category = if status == "draft" { json!([category["id"]]) } else { json!([]) };
            let body = json!({
                "title": title, "status": status, "vendor": vendor, "category_ids": category, "variants": [variant],
            });
            shop.clock.advance(std::time::Duration::from_secs(1));
            desk.call(Method::POST, "/admin/products").json(&body).send().await.expect(201);
        }
        let in_pots = format!("category_id={}", category["id"].as_str().expect("an id"));
        for (query, expected) in [
            ("", vec!["Red kettle", "Green teapot", "Blue teapot"]),
            ("status=draft", vec!["Green teapot"]),
            ("status=archived", vec!["Red kettle"]),
            ("q=teapot", vec!["Green teapot", "Blue teapot"]),
            ("q=TEAPOT%20blue", vec!["Blue teapot"]),
            ("q=RED-KET", vec!["Red kettle"]),
            ("q=100%25", vec![]),
            ("vendor=Kilnhouse&status=active", vec!["Blue teapot"]),
            (&in_pots, vec!["Green teapot"]),
        ] {
            let page = desk.get(&format!("/admin/products?{query}")).await;
            let titles: Vec<_> = page["items"].as_array().expect("a list").iter().map(|item| &item["title"]).collect();
            assert_eq!(titles, expected, "{query}");
        }
        let first = desk.get("/admin/products?limit=2&q=e").await;
        let cursor = first["next_cursor"].as_str().expect("there is more");
        let second = desk.get(&format!("/admin/products?limit=2&q=e&cursor={cursor}")).await;
        assert_eq!((second["items"].as_array().map(Vec::len), second.get("next_cursor")), (Some(1), None));
        desk.call(Method::GET, &format!("/admin/products?limit=2&cursor={cursor}")).send().await.problem(400, "cursor.invalid");
        desk.call(Method::GET, "/admin/products?status=gone").send().await.problem(422, "input.invalid");
        desk.call(Method::GET, "/admin/products?title=x").send().await.problem(422, "input.invalid");
    }

    /// Goal: where no body is needed, an empty one with a content type is none.
    async fn a_body_that_is_not_needed_may_be_empty(shop: Shop) {
        shop.product("MUG", 1999, 9).await;
        let order = shop.buy(&[("MUG", 1)]).await.order.id;
        let key = shop.key(&[Scope::OrdersWrite]).await;
        for step in ["pack", "ship", "deliver"] {
            let call = shop.post(&format!("/admin/orders/{order}/{step}")).bearer(&key);
            call.header("content-type", "application/json").text("").send().await.expect(200);
        }
    }
}
