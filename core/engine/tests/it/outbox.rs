//! Events: every one is delivered, in order, with an id that never changes.

use std::{collections::HashMap, time::Duration};

use handel_domain::event::{Event, OrderChange};
use handel_engine::Parcel;
use handel_testkit::{TestDatabase, TestShop, both_databases, fixtures::product_input, together};

both_databases! {
    /// Goal: an order tells its whole story, in order and without a gap.
    async fn an_order_tells_its_story_in_order(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let mut ids = Vec::new();
        for _ in 0..5 {
            let id = shop.buy(&[("MUG", 1)]).await.order.id;
            shop.engine.pack_order(&shop.staff(), id, None).await.expect("it is paid");
            shop.engine.ship_order(&shop.staff(), id, Parcel::default(), None).await.expect("it is packed");
            ids.push(id);
        }
        shop.settle().await;
        for id in ids {
            let story = ["order_placed", "inventory_reserved", "payment_captured", "order_paid", "order_packing", "order_shipped"];
            assert_eq!(shop.events.names_of(&id.to_string()), story);
            let deliveries = shop.events.deliveries();
            let sequence: Vec<_> = deliveries.iter().filter(|event| event.aggregate == id.to_string()).map(|event| event.sequence).collect();
            assert_eq!(sequence, [1, 2, 3, 4, 5, 6]);
        }
        let placed = shop.events.deliveries().into_iter().find_map(|delivery| match delivery.event {
            Event::Order(event) => matches!(event.change, OrderChange::Placed { .. }).then_some(event.change),
            _ => None,
        });
        assert!(matches!(placed, Some(OrderChange::Placed { total_minor: 1_490, .. })));
    }

    /// Goal: steps of one order that race each other are told in the order in which they happened.
    async fn racing_steps_are_told_in_their_order(shop: TestShop) {
        shop.product("MUG", 1_000, 20).await;
        let mut orders = Vec::new();
        for _ in 0..8 {
            let cart = shop.cart_with(&[("MUG", 1)]).await;
            let key = shop.fresh_key();
            orders.push(shop.submit(&cart, "tok_async_ok", &key).await.expect("placed").reply.order.id);
        }
        shop.clock.advance(std::time::Duration::from_secs(1));
        let due = shop.due_webhooks().await;
        let webhooks = due.iter().map(|event| shop.sign(event)).collect::<Vec<_>>();
        let receiving = webhooks.into_iter().map(|webhook| {
            let shop = shop.clone();
            async move { assert!(shop.receive(&webhook).await.expect("it is signed").accepted) }
        });
        together(receiving).await;
        let canceling = orders.clone().into_iter().map(|id| {
            let shop = shop.clone();
            async move { drop(shop.cancel(id).await.expect("it has not shipped")) }
        });
        let settling = (0..4).map(|_| {
            let shop = shop.clone();
            async move { shop.settle().await }
        });
        let work: Vec<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>> = canceling
            .map(|work| Box::pin(work) as _)
            .chain(settling.map(|work| Box::pin(work) as _))
            .collect();
        together(work).await;
        shop.settle_after(2).await;
        let mut seen: HashMap<String, i64> = HashMap::new();
        for delivery in shop.events.deliveries() {
            let last = seen.entry(delivery.aggregate.clone()).or_default();
            assert!(delivery.sequence <= *last + 1 || !delivery.aggregate.starts_with("ord_"), "{delivery:?} came before its time");
            *last = delivery.sequence.max(*last);
        }
        for id in orders {
            assert_eq!(shop.kept_minor(id).await, 0);
        }
    }

    /// Goal: an event that a subscriber cannot take holds back its own thing and nothing else, however many
    /// events the thing has.
    async fn a_poisoned_event_holds_back_only_its_own_thing(shop: TestShop) {
        let bad = shop.product("BAD", 1_000, 10).await;
        shop.settle().await;
        shop.events.refuse(bad.id.to_string());
        for n in 0..300 {
            let mut input = product_input("BAD", 1_000 + n);
            input.title = format!("Change {n}");
            shop.engine.replace_product(&shop.staff(), bad.id, input, None).await.expect("it changes");
        }
        let order = shop.buy(&[("BAD", 1)]).await.order.id;
        shop.settle().await;
        assert_eq!(shop.events.names_of(&order.to_string()).last(), Some(&"order_paid"));
        assert_eq!(shop.events.names_of(&bad.id.to_string()), ["product_created"]);
        let stats = shop.engine.outbox_stats().await.expect("it can be counted");
        assert_eq!(stats.waiting, 300);
        shop.events.heal();
        shop.settle().await;
        assert_eq!(shop.events.names_of(&bad.id.to_string()).len(), 301);
        let sequence: Vec<_> = shop.events.deliveries().iter().filter(|event| event.aggregate == bad.id.to_string()).map(|event| event.sequence).collect();
        assert!(sequence.is_sorted_by(|before, after| before < after));
    }

    /// Goal: what follows an event that a subscriber cannot take waits for it, even if it could be taken.
    async fn what_follows_a_refused_event_waits_for_it(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let (first, second) = (shop.buy(&[("MUG", 1)]).await.order.id, shop.buy(&[("MUG", 1)]).await.order.id);
        shop.events.refuse_name(first.to_string(), "inventory_reserved");
        shop.settle().await;
        assert_eq!(shop.events.names_of(&first.to_string()), ["order_placed"]);
        let story = ["order_placed", "inventory_reserved", "payment_captured", "order_paid"];
        assert_eq!(shop.events.names_of(&second.to_string()), story);
        shop.events.heal();
        shop.settle().await;
        assert_eq!(shop.events.names_of(&first.to_string()), story);
    }

    /// Goal: a crash between delivery and its note delivers again, with the same ids.
    async fn a_crash_while_delivering_delivers_again_with_the_same_ids(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let order = shop.buy(&[("MUG", 1)]).await.order.id;
        let gate = shop.events.hold_at("inventory_reserved");
        shop.spawn({
            let shop = shop.clone();
            async move { shop.settle().await }
        });
        gate.reached().await;
        let before = shop.events.deliveries();
        shop.restart().await;
        shop.settle_after(20).await;
        let after = shop.events.deliveries().split_off(before.len());
        let is_of_order = |event: &&handel_ports::PublishedEvent| event.aggregate == order.to_string();
        let first: Vec<_> = before.iter().filter(is_of_order).collect();
        let second: Vec<_> = after.iter().filter(is_of_order).collect();
        assert_eq!((first.len(), second.len()), (2, 4), "what was not noted comes again");
        assert_eq!(first[..], second[..2], "with its id, time and content");
        let again = shop.events.deliveries().len();
        shop.settle().await;
        assert_eq!(shop.events.deliveries().len(), again, "what was noted does not");
    }

    /// Goal: an event of a change that was rolled back does not exist.
    async fn a_refused_change_tells_nothing(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 1).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let checkout = shop.checkout(&cart).await.checkout;
        shop.buy(&[("MUG", 1)]).await;
        shop.settle().await;
        let before = shop.events.deliveries().len();
        shop.complete(&checkout, "tok_ok").await.expect_err("it is short");
        shop.engine.create_product(&shop.staff(), product_input("MUG", 1)).await.expect_err("it is taken");
        shop.engine.replace_product(&shop.staff(), mug.id, product_input("MUG", -1), None).await.expect_err("it is wrong");
        shop.settle().await;
        assert_eq!(shop.events.deliveries().len(), before);
    }

    /// Goal: what was delivered leaves the outbox and stays on record.
    async fn delivered_events_stay_on_record(shop: TestShop) {
        shop.product("MUG", 1_000, 1).await;
        let id = shop.buy(&[("MUG", 1)]).await.order.id;
        assert!(count(shop).await > 0);
        shop.settle().await;
        shop.settle_after(365 * 86_400).await;
        assert_eq!(count(shop).await, 0);
        let history = shop.engine.order_history(&shop.staff(), id, None, 100).await.expect("staff may look");
        let names: Vec<_> = history.items.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(names, ["order_paid", "payment_captured", "inventory_reserved", "order_placed"]);
    }
}

handel_store::statements! {
    COUNT = "select count(*) from outbox";
}

async fn count(shop: &TestShop) -> i64 {
    let counted = shop.database().read(async |tx: &mut handel_store::Transaction<'_>| {
        tx.row(COUNT.bind(Vec::new())).await?.expect("a count").get(0)
    });
    counted.await.unwrap_or_else(|error: handel_store::StoreError| panic!("{error}"))
}

/// Goal: an order's story is told in its order even where the processes that write it disagree about the
/// time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_differ_do_not_mix_up_a_story() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let mut shop = TestShop::start(database).await;
    let late = shop.late_process(Duration::from_secs(30)).await;
    shop.product("MUG", 1_000, 10).await;
    let order = shop.buy(&[("MUG", 1)]).await.order.id;
    late.engine.pack_order(&late.staff(), order, None).await.expect("it is paid");
    shop.engine
        .ship_order(&shop.staff(), order, Parcel::default(), None)
        .await
        .expect("it is packed");
    late.engine.deliver_order(&late.staff(), order, None).await.expect("it is shipped");
    shop.settle().await;
    let deliveries = shop.events.deliveries();
    let story = deliveries.iter().filter(|event| event.aggregate == order.to_string());
    assert_eq!(story.map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    shop.finish().await;
}
