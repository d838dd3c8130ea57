//! Many at once.

use handel_testkit::{both_databases, together};
use serde_json::Value;

use crate::support::{Shop, address, basket, codes};

both_databases! {
    async fn ten_programs_race_for_the_last_one(shop: Shop) {
        shop.product("LAST", 1_200, 1).await;
        let agent = shop.agent();
        let mut checkouts = Vec::new();
        for _ in 0..10 {
            checkouts.push(agent.ready("LAST", 1).await);
        }
        let buyers = checkouts.iter().enumerate().map(|(at, checkout)| {
            let (agent, checkout) = (agent.clone(), checkout.clone());
            async move { agent.complete(&checkout, "tok_ok", &format!("key-{at}")).await.ok() }
        });
        let answers: Vec<Value> = together(buyers).await;
        let bought = answers.iter().filter(|answer| answer["status"] == "completed").count();
        let short: Vec<_> = answers.iter().filter(|answer| answer["status"] == "incomplete").collect();
        assert_eq!((bought, short.len()), (1, 9), "{answers:?}");
        assert!(short.iter().all(|answer| codes(answer, "error") == ["out_of_stock"]));
    }

    async fn the_same_purchase_at_once_is_one(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let checkout = agent.ready("MUG", 1).await;
        let same = (0..8).map(|_| {
            let (agent, checkout) = (agent.clone(), checkout.clone());
            async move { agent.complete(&checkout, "tok_ok", "the-key").await }
        });
        let answers = together(same).await;
        for answer in &answers {
            match answer.status.as_u16() {
                200 => assert_eq!(answer.json()["status"], "completed"),
                _ => drop(answer.transport(409, "idempotency_in_flight")),
            }
        }
        let order = answers.iter().find(|answer| answer.status == 200).expect("one was first").json();
        assert_eq!(shop.kept_minor(shop.order_id(&order)).await, 1_690);
    }

    async fn changing_and_buying_at_once_never_buys_what_was_not_said(shop: Shop) {
        shop.product("MUG", 1_200, 100).await;
        let agent = shop.agent();
        for round in 0..5 {
            let checkout = agent.ready("MUG", 1).await;
            let (buyer, held) = (agent.clone(), checkout.clone());
            let buys = async move { buyer.complete(&held, "tok_ok", &format!("buy-{round}")).await.ok() };
            let (changer, held) = (agent.clone(), checkout.clone());
            let changes = async move { changer.put(&address(&held), &basket("MUG", 2)).send().await.ok() };
            let both: [std::pin::Pin<Box<dyn Future<Output = Value> + Send>>; 2] = [Box::pin(buys), Box::pin(changes)];
            let answers = together(both).await;
            if answers[0]["status"] != "completed" {
                // The change came between what the buyer had seen and the order.
                assert_eq!(codes(&answers[0], "error"), ["totals_changed"], "{}", answers[0]);
                continue;
            }
            let order = shop.order(shop.order_id(&answers[0])).await.order;
            let quantity = answers[0]["line_items"][0]["quantity"].as_i64().expect("a number");
            assert_eq!(order.total_minor, quantity * 1_200 + 490);
        }
    }
}
