//! Who may do what: for every operation of staff, made from the documentation itself, so that none is left out.

use handel_domain::promotion::Class;
use handel_engine::Scope;
use handel_testkit::{
    both_databases,
    fixtures::{percent, product_input, promotion_rules},
};
use http::Method;
use serde_json::{Value, json};

use super::{
    openapi::{document, operations},
    support::{Call, Shop},
};

/// Things that exist, so that nothing but the missing right can be the reason of a refusal.
struct Things {
    product: String,
    variant: String,
    category: String,
    promotion: String,
    order: String,
    key: String,
    job: String,
    delivery: String,
}

impl Things {
    async fn make(shop: &Shop) -> Self {
        let product = shop.product("MUG", 1999, 9).await;
        let order = shop.buy(&[("MUG", 1)]).await.order.id;
        let key = shop.key(&[Scope::KeysWrite]).await;
        let category = shop.post("/admin/categories").bearer(&shop.key(Scope::ALL).await);
        let category = category.json(&json!({ "name": "Kitchen" })).send().await.expect(201).json();
        let rules = promotion_rules(Class::Order, percent(10));
        let promotion = shop.promotion(rules, &["TEN"]).await.promotion;
        let keys = shop.get("/admin/keys").bearer(&key).send().await.expect(200).json();
        Self {
            product: product.id.to_string(),
            variant: product.variants[0].id.to_string(),
            promotion: promotion.id.to_string(),
            category: category["id"].as_str().expect("an id").to_owned(),
            order: order.to_string(),
            key: keys["items"][0]["id"].as_str().expect("an id").to_owned(),
            job: shop.system.mint::<handel_domain::id::JobKind>(shop.now()).to_string(),
            delivery: shop.system.mint::<handel_domain::id::DeliveryKind>(shop.now()).to_string(),
        }
    }

    fn path(&self, template: &str) -> String {
        let id = match template.split('/').nth(4).expect("what it is about") {
            "products" => &self.product,
            "categories" => &self.category,
            "promotions" => &self.promotion,
            "orders" => &self.order,
            "keys" => &self.key,
            "jobs" => &self.job,
            "webhooks" => &self.delivery,
            _ => "",
        };
        let path = template.replace("{id}", id).replace("{variant_id}", &self.variant);
        let path = path.replace("{method}", "standard").replace("{kind}", "faq");
        path.replace("{sku}", "MUG").replace("{code}", "eur")
    }
}

/// A body that the operation takes.
async fn body(shop: &Shop, operation: &str) -> Option<Value> {
    let key = shop.key(Scope::ALL).await;
    Some(match operation {
        "admin_create_product" => serde_json::to_value(product_input("HAT", 100)).expect("JSON"),
        "admin_change_product"
        | "admin_change_category"
        | "admin_change_promotion"
        | "admin_change_channel"
        | "admin_change_tax"
        | "admin_change_shipping_method"
        | "admin_change_prices" => json!({}),
        "admin_put_tax" => json!({ "prices_include_tax": true }),
        "admin_put_shipping_method" => {
            json!({ "name": "Post", "amount_minor": 490, "tax_class": "standard" })
        }
        "admin_put_policy" => json!({ "title": "Questions", "text": "None yet." }),
        "admin_replace_product" => serde_json::to_value(product_input("MUG", 100)).expect("JSON"),
        "admin_set_prices" => json!({ "prices": [] }),
        "admin_create_category" | "admin_replace_category" => json!({ "name": "Kitchen" }),
        "admin_create_promotion" | "admin_replace_promotion" => json!({
            "title": "10 %", "class": "order", "action": { "kind": "percentage", "rate_millionths": 100_000 },
        }),
        "admin_adjust_stock" => json!({ "sku": "MUG", "delta": 1, "reason": "a test" }),
        "admin_cancel_order" => json!({ "reason": "a test" }),
        "admin_ship_order" | "admin_replay_deliveries" => json!({}),
        "admin_put_channel" => {
            let channel = shop.get("/admin/channels/eur").bearer(&key).send().await.expect(200);
            channel.json()["settings"].clone()
        }
        "admin_create_key" => json!({ "name": "new", "scopes": ["keys:write"] }),
        _ => return None,
    })
}

/// The scope that the documentation of an operation names.
fn scope(operation: &Value) -> Scope {
    let text = operation["description"].as_str().expect("a description");
    let (_, rest) =
        text.split_once("Needs the scope `").unwrap_or_else(|| panic!("no scope in {text}"));
    rest.split('`').next().expect("a word").parse().expect("a scope")
}

both_databases! {
    /// Goal: without a key nobody does what staff do; a key with every other scope does not either; and the
    /// one scope that is documented is enough.
    async fn every_operation_of_staff_needs_its_scope(shop: Shop) {
        let things = Things::make(shop).await;
        let cart = shop.cart("MUG", 1).await;
        let mut checked = 0;
        for (template, method, operation) in operations(&document(shop).await) {
            let is_below = template.starts_with("/api/v1/admin/");
            let group = operation["tags"][0].as_str().expect("a group");
            assert_eq!(is_below, group.starts_with("admin-"), "{method} {template}");
            if !is_below {
                continue;
            }
            let id = operation["operationId"].as_str().expect("an id");
            let body = body(shop, id).await;
            assert_eq!(body.is_some(), operation["requestBody"].is_object(), "{id} has another body");
            let path = things.path(&template);
            let call = || -> Call {
                let call = shop.call(method.clone(), &path).header("if-match", "*");
                body.iter().fold(call, Call::json)
            };
            let needed = scope(&operation);
            let others: Vec<_> = Scope::ALL.iter().copied().filter(|scope| *scope != needed).collect();
            call().send().await.problem(401, "auth.required");
            call().cart(&cart.token).send().await.problem(401, "auth.required");
            call().bearer(&shop.key(&others).await).send().await.problem(403, "auth.scope_missing");
            if method == Method::GET || method == Method::POST {
                let allowed = call().bearer(&shop.key(&[needed]).await).send().await;
                assert!(!matches!(allowed.status.as_u16(), 401 | 403), "{id}: {allowed}");
            }
            checked += 1;
        }
        assert!(checked >= 25, "{checked} operations of staff");
    }

    /// Goal: whoever may not do something is told so before anything that they sent is looked at.
    async fn staff_are_known_before_anything_is_read(shop: Shop) {
        let mut bodies = 0;
        for (template, method, operation) in operations(&document(shop).await) {
            if !template.starts_with("/api/v1/admin/") {
                continue;
            }
            let path = template.replace(['{', '}'], "%FF");
            let needed = scope(&operation);
            let others: Vec<_> = Scope::ALL.iter().copied().filter(|scope| *scope != needed).collect();
            let others = shop.key(&others).await;
            let call = || shop.call(method.clone(), &format!("{path}?limit=none"));
            call().send().await.problem(401, "auth.required");
            call().bearer(&others).send().await.problem(403, "auth.scope_missing");
            call().bearer("hk_wrong_key").send().await.problem(401, "auth.invalid");
            if !operation["requestBody"].is_object() {
                continue;
            }
            bodies += 1;
            let too_large = "x".repeat(2 << 20);
            for body in ["{", "[]", "{\"nonsense\": 1}", "", &too_large] {
                for call in [call().text(body), call().text(body).without("content-type")] {
                    call.send().await.problem(401, "auth.required");
                }
                call().text(body).bearer(&others).send().await.problem(403, "auth.scope_missing");
            }
        }
        assert!(bodies >= 9, "{bodies} operations take a body");
    }

    /// Goal: what shoppers do needs no key, and a key that may read orders sees more than a shopper.
    async fn what_shoppers_do_needs_no_key(shop: Shop) {
        shop.product("MUG", 1999, 9).await;
        let order = shop.buy(&[("MUG", 1)]).await.order.id;
        let key = shop.key(&[Scope::OrdersRead]).await;
        for path in ["/products", "/products/mug", "/categories", "/channels", "/orders"] {
            shop.get(path).send().await.expect(200);
        }
        let listed = shop.get("/orders").bearer(&key).send().await.expect(200).json();
        assert_eq!(listed["items"][0]["id"], order.to_string());
        assert_eq!(shop.get("/orders").send().await.expect(200).json()["items"], json!([]));
    }
}
