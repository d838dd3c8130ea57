//! What is said of the buyer together with the payment: it happens with the order, once, or not at all.

use std::collections::BTreeMap;

use handel_domain::{
    Code,
    checkout::{Checkout, Consent, WithPayment},
    order::Status,
};
use handel_engine::{Complete, Completion, Error, Once};
use handel_testkit::{
    TestShop,
    agents::AGENT,
    both_databases,
    fixtures::{address, completion_of},
    meanwhile, together,
};

use crate::code;

/// A decision about marketing, and an invoice to somebody.
fn said(granted: bool, name: &str) -> WithPayment {
    let consent = Consent { granted, ..Consent::default() };
    let mut billing = address("AT", "1010");
    billing.name = name.to_owned();
    WithPayment {
        consents: BTreeMap::from([("marketing".to_owned(), consent)]),
        billing_address: Some(billing),
    }
}

/// Completes a checkout and says that with the payment; it is part of what the request says.
async fn complete(
    shop: &TestShop,
    checkout: &Checkout,
    said: WithPayment,
    key: &str,
) -> Result<Once<Completion>, Error> {
    let ctx = shop.agent_with_key(key, &format!("{said:?}"));
    let complete = Complete { said, ..completion_of(checkout.id, "tok_ok") };
    shop.engine.complete_checkout(&ctx, complete).await
}

async fn see(shop: &TestShop, checkout: &Checkout) -> Checkout {
    let view = shop.engine.get_checkout(&shop.agent(AGENT), checkout.id).await;
    view.expect("it is its own").checkout
}

/// Whose invoice it is, as the checkout and its order say, and what was decided.
async fn decided(shop: &TestShop, checkout: &Checkout) -> (String, String, Option<bool>) {
    let checkout = see(shop, checkout).await;
    let order = shop.order(checkout.order_id.expect("it became an order")).await.order;
    let billed = checkout.buyer.billing_address.expect("it was said").name;
    let granted = checkout.buyer.consents.get("marketing").map(|consent| consent.granted);
    (billed, order.billing_address.expect("it was said").name, granted)
}

both_databases! {
    /// Goal: what is said with the payment goes into the order, and neither a repetition nor a later request
    /// changes it.
    async fn what_is_said_with_the_payment_is_in_the_order_once(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let checkout = shop.open(&[("MUG", 1)]).await.checkout;
        let first = complete(shop, &checkout, said(true, "Ada"), "k").await.expect("it is complete");
        assert_eq!((first.replayed, first.reply.order.total_minor), (false, 1_490), "nothing of it has a price");
        let bought = see(shop, &checkout).await;
        let again = complete(shop, &checkout, said(true, "Ada"), "k").await.expect("it is answered");
        assert_eq!((again.replayed, again.reply.order), (true, first.reply.order.clone()));
        let other = complete(shop, &checkout, said(false, "Eve"), "k").await;
        assert_eq!(code(other), Some(Code::IdempotencyConflict));
        let late = complete(shop, &checkout, said(false, "Eve"), "late").await.expect("it was bought");
        assert_eq!((late.replayed, late.reply.order), (false, first.reply.order));
        assert_eq!(see(shop, &checkout).await, bought);
        assert_eq!(decided(shop, &checkout).await, ("Ada".to_owned(), "Ada".to_owned(), Some(true)));
        shop.settle().await;
    }

    /// Goal: a refused completion leaves the checkout as it was, whatever refuses it.
    async fn a_refusal_keeps_nothing_of_it(shop: TestShop) {
        shop.product("MUG", 1_000, 1).await;
        let checkout = shop.open(&[("MUG", 1)]).await.checkout;
        let wrong = WithPayment {
            consents: BTreeMap::from([(String::new(), Consent::default())]),
            ..said(true, "Ada")
        };
        assert_eq!(code(complete(shop, &checkout, wrong, "wrong").await), Some(Code::InputInvalid));
        let dearer = Complete {
            said: said(true, "Ada"),
            expected_total_minor: Some(1),
            ..completion_of(checkout.id, "tok_ok")
        };
        let refused = shop.engine.complete_checkout(&shop.agent_with_key("dearer", "b"), dearer).await;
        assert_eq!(code(refused), Some(Code::TotalsChanged));
        shop.buy(&[("MUG", 1)]).await;
        let refused = complete(shop, &checkout, said(true, "Ada"), "short").await;
        assert_eq!(code(refused), Some(Code::StockShort));
        assert_eq!(see(shop, &checkout).await, checkout);
        shop.settle().await;
    }

    /// Goal: of two who complete one checkout and say different things, one is heard, in everything.
    async fn of_two_who_complete_one_is_heard(shop: TestShop) {
        shop.product("MUG", 1_000, 100).await;
        for round in 0..8 {
            let checkout = shop.open(&[("MUG", 1)]).await.checkout;
            let racing = [(true, "Ada"), (false, "Eve")].map(|(granted, name)| {
                let (shop, checkout) = (shop.clone(), checkout.clone());
                let key = format!("{name}-{round}");
                async move { complete(&shop, &checkout, said(granted, name), &key).await }
            });
            let mut orders = Vec::new();
            for outcome in together(racing).await {
                match outcome {
                    Ok(done) => orders.push(done.reply.order.id),
                    Err(error) => assert_eq!(error.code(), Code::PaymentInProgress),
                }
            }
            orders.dedup();
            assert_eq!(orders.len(), 1);
            let (billed, invoiced, granted) = decided(shop, &checkout).await;
            assert_eq!((billed.as_str(), granted), (invoiced.as_str(), Some(invoiced == "Ada")));
            assert!(["Ada", "Eve"].contains(&&*invoiced), "{invoiced}");
        }
        shop.idle().await;
        shop.settle().await;
    }

    /// Goal: a process that dies with the order placed has kept what was said; the same request goes on with it.
    async fn a_crash_loses_nothing_of_it(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let checkout = shop.open(&[("MUG", 1)]).await.checkout;
        let gate = shop.payments.hold_before_charge();
        let answer = meanwhile({
            let (shop, checkout) = (shop.clone(), checkout.clone());
            async move { complete(&shop, &checkout, said(true, "Ada"), "k").await }
        });
        gate.reached().await;
        shop.restart().await;
        assert!(answer.await.expect("no panic").is_err(), "a dead process answers nobody");
        let kept = ("Ada".to_owned(), "Ada".to_owned(), Some(true));
        assert_eq!(decided(shop, &checkout).await, kept);
        shop.clock.advance(std::time::Duration::from_secs(31));
        let done = complete(shop, &checkout, said(true, "Ada"), "k").await.expect("it is taken up").reply;
        let charges = shop.provider.ledger().summary().await.expect("open books").charges;
        assert_eq!((done.order.status, charges), (Status::Paid, 1));
        assert_eq!(decided(shop, &checkout).await, kept);
        shop.settle_after(60).await;
    }
}
