//! Addresses as people write them.

use handel_testkit::{both_databases, fixtures::tax_california};
use serde_json::{Value, json};

use super::support::Shop;

/// The same address with these members.
fn at(changes: &Value) -> Value {
    let mut address =
        json!({ "name": "B", "line1": "1 Main St", "city": "Los Angeles", "country": "US" });
    let members = changes.as_object().expect("an object").clone();
    address.as_object_mut().expect("an object").extend(members);
    address
}

impl Shop {
    async fn checkout_to(&self, changes: &Value) -> (u16, Value) {
        let cart = self.cart("LAMP", 1).await;
        let body = json!({
            "email": "b@example.com", "shipping_method": "standard", "shipping_address": at(changes),
        });
        let reply = self.post("/checkout").cart(&cart.token).json(&body).send().await;
        (reply.status.as_u16(), reply.json())
    }
}

both_databases! {
    /// Goal: a state pays its tax however it is written, and what is no state is asked about.
    async fn a_state_pays_its_tax_however_it_is_written(shop: Shop) {
        shop.product("LAMP", 10_000, 20).await;
        shop.change_channel(tax_california).await;
        for region in ["CA", "ca", "California", "US-CA", "Calif."] {
            let (status, view) = shop.checkout_to(&json!({ "region": region, "postal_code": "90001" })).await;
            assert_eq!(status, 201, "{region}: {view}");
            assert_eq!((&view["tax_minor"], &view["shipping_address"]["region"]), (&json!(725), &json!("CA")), "{region}");
        }
        let (status, view) = shop.checkout_to(&json!({ "postal_code": "90001" })).await;
        assert_eq!((status, &view["tax_minor"]), (201, &json!(725)), "it follows from the ZIP code");
        for (region, code, message) in [
            ("Californa", "90001", "is not a state of the United States; did you mean California?"),
            ("OR", "94105", "is Oregon, but the ZIP code 94105 is in California; correct one of them"),
        ] {
            let (status, problem) = shop.checkout_to(&json!({ "region": region, "postal_code": code })).await;
            assert_eq!((status, &problem["code"]), (422, &json!("input.invalid")), "{problem}");
            let error = &problem["errors"][0];
            assert_eq!((&error["pointer"], &error["message"]), (&json!("/shipping_address/region"), &json!(message)));
        }
    }

    /// Goal: a rate for a region that is none is refused when it is set, not found out when nothing is taxed.
    async fn a_rate_for_no_region_is_refused(shop: Shop) {
        let channel = shop.engine.get_channel(&shop.ctx()).await.expect("the channel");
        let mut settings = channel.settings.clone();
        settings.tax.rates[0].country = "US".parse().expect("a country");
        settings.tax.rates[0].region = Some("Kalifornien".into());
        let refused = settings.checked().expect_err("it is no state");
        let error = &refused.details.errors[0];
        assert_eq!(error.pointer, "/tax/rates/0/region");
        assert!(error.message.starts_with("is not a state of the United States"), "{}", error.message);
    }

    /// Goal: postal codes are taken as people type them, and kept as the country writes them.
    async fn postal_codes_are_taken_as_people_type_them(shop: Shop) {
        shop.product("LAMP", 10_000, 30).await;
        shop.change_channel(tax_california).await;
        for (country, region, typed, normal) in [
            ("GB", None, "SW1A 1AA", "SW1A 1AA"),
            ("UK", None, "sw1a1aa", "SW1A 1AA"),
            ("GB", None, "BFPO 61", "BFPO 61"),
            ("PL", None, "00950", "00-950"),
            ("PT", None, "1000205", "1000-205"),
            ("JP", Some("Tokyo"), "１００－０００１", "100-0001"),
            ("CA", Some("ON"), "K1A-0B1", "K1A 0B1"),
            ("usa", Some("NY"), "100011234", "10001-1234"),
            ("SE", Some("-"), "SE-114 55", "114 55"),
            ("France", None, "75 001", "75001"),
            ("deutschland", None, "D-10115", "10115"),
        ] {
            let (status, view) = shop
                .checkout_to(&json!({ "country": country, "region": region, "postal_code": typed }))
                .await;
            assert_eq!(status, 201, "{country} {typed}: {view}");
            assert_eq!(view["shipping_address"]["postal_code"], normal, "{country} {typed}");
        }
        let (status, problem) = shop.checkout_to(&json!({ "country": "DE", "postal_code": "1011" })).await;
        let message = &problem["errors"][0]["message"];
        assert_eq!((status, message), (422, &json!("must be a postal code of Germany, such as 10115")));
        let (status, problem) = shop.checkout_to(&json!({ "country": "Germny" })).await;
        let message = &problem["errors"][0]["message"];
        assert_eq!((status, message), (422, &json!("is not a country; did you mean Germany (DE)?")));
        let no_city = json!({ "country": "SG", "city": "", "postal_code": "018956" });
        assert_eq!(shop.checkout_to(&no_city).await.0, 201, "Singapore has no cities");
    }

    /// Goal: a storefront of one's own can draw the form for any country.
    async fn a_storefront_learns_how_addresses_are_written(shop: Shop) {
        let sold_to = shop.get("/countries").send().await.expect(200).json();
        let names: Vec<_> = sold_to["items"].as_array().expect("items").iter().map(|item| item["name"].clone()).collect();
        assert_eq!(names, ["Austria", "France", "Germany"]);
        let reply = shop.get("/countries/US").send().await.expect(200);
        let etag = reply.header("etag");
        let america = reply.json();
        assert_eq!((&america["code"], &america["name"]), (&json!("US"), &json!("United States")));
        assert_eq!(america["fields"], json!([
            { "name": "city", "label": "city", "usage": "required" },
            { "name": "region", "label": "state", "usage": "required" },
            { "name": "postal_code", "label": "ZIP code", "usage": "required", "example": "10001" },
        ]));
        let california = json!({ "code": "CA", "name": "California", "local_name": "California" });
        assert!(america["regions"].as_array().expect("regions").contains(&california));
        shop.get("/countries/US").header("if-none-match", &etag).send().await.expect(304);
        let hong_kong = shop.get("/countries/hk").send().await.expect(200).json();
        assert_eq!(hong_kong["fields"][2]["usage"], "unused", "there are no postal codes");
        shop.get("/countries/XX").send().await.problem(404, "not_found");
    }
}
