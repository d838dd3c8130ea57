//! What a program was answered last is what its buyer is charged.

use handel_domain::catalog::Price;
use handel_testkit::{both_databases, fixtures::sku};
use handel_ucp::Version;

use crate::support::{Shop, address, amount, basket, codes, paying};

async fn reprice(shop: &Shop, amount_minor: i64) {
    let currency = "EUR".parse().expect("a currency");
    let prices = vec![Price { currency, amount_minor, compare_at_minor: None }];
    shop.engine.set_prices(&shop.staff(), sku("MUG"), prices, None).await.expect("staff may");
}

both_databases! {
    /// Goal: a total that moved, up or down, buys nothing; the answer shows it, and the same request then buys.
    async fn every_version_charges_only_the_total_that_it_answered(shop: Shop) {
        shop.product("MUG", 1_200, 20).await;
        for version in Version::ALL {
            let agent = shop.agent_in(version);
            for price in [9_900, 100] {
                reprice(shop, 1_200).await;
                let checkout = agent.post("/checkout-sessions", &basket("MUG", 1)).send().await.expect(201).json();
                reprice(shop, price).await;
                let key = format!("{}-at-{price}", version.name());
                let charges = shop.payments.calls().charges;
                let refused = agent.complete(&checkout, "tok_ok", &key).await.expect(200).json();
                assert_eq!(refused["status"], "ready_for_complete", "{refused}");
                assert_eq!((amount(&refused, "total"), codes(&refused, "error")), (Some(price + 490), vec!["totals_changed".into()]));
                let message = &refused["messages"][0];
                assert_eq!((&message["severity"], &message["path"]), (&"recoverable".into(), &"$.totals".into()));
                assert_eq!(shop.payments.calls().charges, charges, "nothing was charged");
                let bought = agent.complete(&checkout, "tok_ok", &key).await.expect(200).json();
                assert_eq!((&bought["status"], amount(&bought, "total")), (&"completed".into(), Some(price + 490)));
                assert_eq!(shop.kept_minor(shop.order_id(&bought)).await, price + 490);
            }
        }
    }

    /// Goal: reading or changing a checkout answers its total, and that is agreed to.
    async fn the_latest_answer_counts(shop: Shop) {
        shop.product("MUG", 1_200, 20).await;
        let agent = shop.agent();
        for reads in [true, false] {
            reprice(shop, 1_200).await;
            let checkout = agent.ready("MUG", 1).await;
            reprice(shop, 2_000).await;
            let answered = match reads {
                true => agent.get(&address(&checkout)).send().await.ok(),
                false => agent.put(&address(&checkout), &basket("MUG", 1)).send().await.ok(),
            };
            assert_eq!(amount(&answered, "total"), Some(2_490));
            let bought = agent.complete(&checkout, "tok_ok", &format!("reads-{reads}")).await.ok();
            assert_eq!((&bought["status"], amount(&bought, "total")), (&"completed".into(), Some(2_490)));
        }
    }

    /// Goal: a completion that cannot be read, or names no way to pay, shows the total that it found.
    async fn what_is_refused_shows_the_total_too(shop: Shop) {
        shop.product("MUG", 1_200, 20).await;
        let agent = shop.agent();
        let checkout = agent.ready("MUG", 1).await;
        reprice(shop, 2_000).await;
        let mut nowhere = paying("tok_ok");
        nowhere["payment"]["instruments"][0]["handler_id"] = "nobody".into();
        let path = format!("{}/complete", address(&checkout));
        let refused = agent.post(&path, &nowhere).once("one").send().await.ok();
        assert_eq!((amount(&refused, "total"), codes(&refused, "error")), (Some(2_490), vec!["payment_failed".into()]));
        let bought = agent.complete(&checkout, "tok_ok", "two").await.ok();
        assert_eq!((&bought["status"], amount(&bought, "total")), (&"completed".into(), Some(2_490)));
    }
}
