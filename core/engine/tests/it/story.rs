//! The story of an order, as those see it who follow it.

use handel_domain::{
    Code,
    event::OrderChange,
    order::{LineQuantity, Tracking},
    payment::OperationStatus,
};
use handel_engine::{OrderStory, Parcel};
use handel_testkit::{
    Fault, TestShop,
    agents::{AGENT, STRANGER},
    both_databases,
};

use crate::{code, refusal};

fn names(story: &OrderStory) -> Vec<&'static str> {
    story.events.iter().map(|event| event.change.name()).collect()
}

both_databases! {
    /// Goal: whoever follows an order sees each parcel: what is in it, when it left, and where it is.
    async fn every_parcel_is_told_with_its_number(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let opened = shop.open(&[("MUG", 3)]).await.checkout;
        let id = shop.complete_open(opened.id, "tok_ok").await.expect("it is complete").order.id;
        let line_id = opened.lines[0].id;
        shop.engine.pack_order(&shop.staff(), id, None).await.expect("it is paid");
        let tracking = Tracking {
            carrier: Some("DHL".to_owned()),
            number: Some("1Z".to_owned()),
            url: Some("https://carrier.example/1Z".to_owned()),
        };
        let units = vec![LineQuantity { line_id, quantity: 2 }];
        let parcel = Parcel { units: units.clone(), tracking: tracking.clone() };
        shop.engine.ship_order(&shop.staff(), id, parcel, None).await.expect("it is packed");
        shop.clock.advance(std::time::Duration::from_secs(60));
        shop.engine.ship_order(&shop.staff(), id, Parcel::default(), None).await.expect("the rest");
        shop.engine.deliver_order(&shop.staff(), id, None).await.expect("it arrives");
        let story = shop.engine.order_story(&shop.agent(AGENT), id, None).await.expect("its own");
        let told = ["order_placed", "inventory_reserved", "payment_captured", "order_paid", "order_packing",
            "order_partially_shipped", "order_shipped", "order_delivered"];
        assert_eq!(names(&story), told);
        assert_eq!(story.events[5].change, OrderChange::PartiallyShipped { lines: units, tracking });
        let rest = vec![LineQuantity { line_id, quantity: 1 }];
        assert_eq!(story.events[6].change, OrderChange::Shipped { lines: rest, tracking: Tracking::default() });
        assert!(story.events[5].occurred_at < story.events[6].occurred_at);
        assert_eq!((story.details.order.lines[0].delivered, story.refunds.len()), (3, 0));
        let again = shop.engine.order_story(&shop.agent(AGENT), id, None).await.expect("its own");
        assert_eq!(again.events, story.events, "ids and times never change");
        shop.settle().await;
    }

    /// Goal: a refund is told while it is under way, and when it has ended.
    async fn refunds_are_told_from_the_start(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let opened = shop.open(&[("MUG", 1)]).await.checkout;
        let id = shop.complete_open(opened.id, "tok_ok").await.expect("it is complete").order.id;
        shop.payments.fail_refund(Fault::LostBefore);
        shop.cancel(id).await.expect("it has not shipped");
        let story = shop.engine.order_story(&shop.agent(AGENT), id, None).await.expect("its own");
        let [refund] = &story.refunds[..] else { panic!("{:?}", story.refunds) };
        assert_eq!((refund.status, refund.amount.amount_minor, refund.reason.as_deref()), (OperationStatus::Pending, 1_490, Some("a test")));
        shop.settle().await;
        shop.settle_after(7_200).await;
        let later = shop.engine.order_story(&shop.staff(), id, None).await.expect("staff see it");
        assert_eq!((later.refunds[0].id, later.refunds[0].status), (refund.id, OperationStatus::Succeeded));
        assert_eq!(names(&later).last(), Some(&"payment_refunded"));
    }

    /// Goal: only those who may see an order hear its story.
    async fn a_story_is_for_those_who_may_see_the_order(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let opened = shop.open(&[("MUG", 1)]).await.checkout;
        let done = shop.complete_open(opened.id, "tok_ok").await.expect("it is complete");
        let id = done.order.id;
        for stranger in [shop.agent(STRANGER), shop.ctx()] {
            assert_eq!(code(shop.engine.order_story(&stranger, id, None).await), Some(Code::OrderUnknown));
        }
        for (ctx, token) in [(shop.ctx(), Some(done.order_token)), (shop.owner(opened.cart_id), None)] {
            shop.engine.order_story(&ctx, id, token).await.expect("the buyer sees it");
        }
        shop.settle().await;
    }

    /// Goal: nothing that is no link becomes one.
    async fn a_tracking_address_must_be_a_link(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let id = shop.buy(&[("MUG", 1)]).await.order.id;
        shop.engine.pack_order(&shop.staff(), id, None).await.expect("it is paid");
        let tracking = Tracking { url: Some("javascript:alert(1)".to_owned()), ..Tracking::default() };
        let parcel = Parcel { tracking, ..Parcel::default() };
        let refused = refusal(shop.engine.ship_order(&shop.staff(), id, parcel, None).await);
        assert_eq!((refused.code, &*refused.details.errors[0].pointer), (Code::InputInvalid, "/tracking_url"));
        assert_eq!(shop.order(id).await.order.lines[0].shipped, 0);
        shop.settle().await;
    }
}
