//! News of orders: every program hears of its order, in order, and whoever does not listen holds up nobody else.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use handel_domain::{
    Code,
    id::{DeliveryId, OrderId},
    origin::Origin,
};
use handel_engine::{
    Caller, Context, Delivery, DeliveryEntry, DeliveryStatus, ListDeliveries, OpenCheckout,
    OrderNews, Parcel, ReplayDeliveries, Scope, WebhookFormat,
};
use handel_ports::WebError;
use handel_testkit::{
    PlainNews, Reaction, Sent, TestDatabase, TestShop, agents::opening, both_databases,
    fixtures::with_key, meanwhile, together, until,
};
use http::HeaderMap;
use tokio::sync::watch;

use crate::{code, refusal};

const HOST: &str = "agent.example";
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Where the program of a test wants to be told, with a secret of its own.
fn url(host: &str) -> String {
    format!("https://{host}/news?token=hush")
}

fn told_at(url: String) -> Origin {
    let protocol = Some(PlainNews::NAME.to_owned());
    Origin { protocol, webhook_url: Some(url), ..Origin::default() }
}

/// A program buys a mug and wants to be told at a host. Nothing is sent yet.
async fn buy_told_at(shop: &TestShop, host: &str) -> OrderId {
    let open = OpenCheckout { origin: told_at(url(host)), ..opening(&[("MUG", 1)]) };
    let ctx = shop.agent(&format!("https://{host}/profile.json"));
    let opened = shop.engine.open_checkout(&ctx, open).await.expect("it is for sale").reply;
    let ctx = with_key(ctx, &shop.fresh_key(), "");
    let complete = handel_testkit::fixtures::completion_of(opened.checkout.id, "tok_ok");
    shop.engine.complete_checkout(&ctx, complete).await.expect("it is complete").reply.order.id
}

async fn buy(shop: &TestShop) -> OrderId {
    buy_told_at(shop, HOST).await
}

async fn pack(shop: &TestShop, id: OrderId) {
    shop.engine.pack_order(&shop.staff(), id, None).await.expect("it is paid");
}

async fn ship(shop: &TestShop, id: OrderId) {
    shop.engine.ship_order(&shop.staff(), id, Parcel::default(), None).await.expect("it is packed");
}

/// What was sent about an order, and for which event.
fn sent_about(shop: &TestShop, id: OrderId) -> Vec<(String, Sent)> {
    let about = |sent: &Sent| sent.json()["order"]["id"] == id.to_string();
    let named = |sent: Sent| (sent.json()["event"].as_str().expect("a name").to_owned(), sent);
    shop.web.sent().into_iter().filter(about).map(named).collect()
}

fn names(shop: &TestShop, id: OrderId) -> Vec<String> {
    sent_about(shop, id).into_iter().map(|(name, _)| name).collect()
}

async fn list(shop: &TestShop, status: Option<DeliveryStatus>) -> Vec<DeliveryEntry> {
    let list = ListDeliveries { status, limit: 100, ..ListDeliveries::default() };
    shop.engine.list_deliveries(&shop.staff(), list).await.expect("staff may look").items
}

async fn replay(shop: &TestShop, id: DeliveryId) {
    shop.engine.replay_delivery(&shop.staff(), id).await.expect("it is dead");
}

/// Lets a receiver fail until nothing is tried any more.
async fn wear_out(shop: &TestShop) {
    for _ in 0..12 {
        shop.settle_after(11 * HOUR + 1).await;
    }
}

both_databases! {
    /// Goal: the program that bought an order hears of every step, in order, once, with all that it needs to know.
    async fn a_program_hears_of_every_step_of_its_order(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let id = buy(shop).await;
        shop.settle().await;
        pack(shop, id).await;
        ship(shop, id).await;
        shop.engine.deliver_order(&shop.staff(), id, None).await.expect("it is shipped");
        shop.settle().await;
        let sent = sent_about(shop, id);
        let steps = ["order_paid", "order_packing", "order_shipped", "order_delivered"];
        assert_eq!(names(shop, id), steps);
        let numbers: Vec<_> = sent.iter().map(|(_, sent)| sent.json()["sequence"].as_i64().expect("a number")).collect();
        assert!(numbers.is_sorted_by(|before, after| before < after), "{numbers:?}");
        for (_, sent) in &sent {
            let body = sent.json();
            assert_eq!((sent.url.as_str(), &body["order"]["total_minor"]), (&*url(HOST), &1_490.into()));
            assert_eq!(sent.headers["webhook-id"], body["id"].as_str().expect("an id"));
        }
        let last = &sent.last().expect("a message").1.json();
        assert_eq!(last["order"]["status"], "delivered");
        assert_eq!(last["events"].as_array().expect("events").last(), Some(&"order_delivered".into()));
        shop.settle_after(HOUR).await;
        assert_eq!(names(shop, id), steps, "each is sent once");
    }

    /// Goal: an order that was never paid is no news, and one that nobody asked about costs nothing.
    async fn what_nobody_needs_to_know_is_not_sent(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let open = OpenCheckout { origin: told_at(url(HOST)), ..opening(&[("MUG", 1)]) };
        let opened = shop.engine.open_checkout(&shop.agent("https://a.example/"), open).await.expect("opened").reply;
        let ctx = with_key(shop.agent("https://a.example/"), "k", "");
        let complete = handel_testkit::fixtures::completion_of(opened.checkout.id, "tok_declined");
        shop.engine.complete_checkout(&ctx, complete).await.expect("it is placed");
        shop.settle_after(20 * MINUTE).await;
        assert_eq!(shop.web.sent(), []);
        assert_eq!(list(shop, None).await, [], "nothing is kept of what is not told");

        shop.buy(&[("MUG", 1)]).await;
        shop.settle().await;
        assert_eq!((shop.web.sent(), list(shop, None).await), (vec![], vec![]));
    }

    /// Goal: a message that failed comes again with the same id, headers and bytes, although the order has moved on.
    async fn a_message_comes_again_as_it_was(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        for reaction in [Reaction::Answers(500), Reaction::Answers(302), Reaction::Fails(WebError::Timeout), Reaction::Answers(404)] {
            shop.web.plan(HOST, reaction);
        }
        let id = buy(shop).await;
        shop.settle().await;
        pack(shop, id).await;
        for pause in [6, 6 * MINUTE, 34 * MINUTE, 3 * HOUR] {
            shop.settle_after(pause).await;
        }
        let sent = sent_about(shop, id);
        let first = &sent[0].1;
        assert_eq!(sent.iter().filter(|(_, sent)| sent == first).count(), 5, "{:?}", names(shop, id));
        assert_eq!(sent[4].1, *first, "four attempts failed");
        assert_eq!(first.json()["order"]["status"], "paid", "it tells what was when it was written");
        assert_eq!(names(shop, id).split_off(5), ["order_packing"]);
    }

    /// Goal: later news wait until the earlier ones were taken, and then follow at once.
    async fn news_keep_their_order_while_the_first_one_fails(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        shop.web.set(HOST, Reaction::Answers(503));
        let id = buy(shop).await;
        shop.settle().await;
        pack(shop, id).await;
        ship(shop, id).await;
        shop.settle_after(6).await;
        shop.settle_after(6 * MINUTE).await;
        assert_eq!(names(shop, id), ["order_paid"; 3]);
        shop.web.set(HOST, Reaction::Answers(204));
        shop.settle_after(HOUR).await;
        assert_eq!(names(shop, id).split_off(3), ["order_paid", "order_packing", "order_shipped"]);
        assert_eq!(list(shop, Some(DeliveryStatus::Delivered)).await.len(), 3);
    }

    /// Goal: after the last attempt a message is dead and seen by staff, the next one goes on, and a replay sends the
    /// same message again before what still waits.
    async fn a_dead_message_is_seen_and_sent_again(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        shop.web.set(HOST, Reaction::Fails(WebError::Unreachable));
        let id = buy(shop).await;
        shop.settle().await;
        wear_out(shop).await;
        let sent = sent_about(shop, id);
        assert_eq!(sent.len(), 8, "{:?}", names(shop, id));
        let dead = list(shop, Some(DeliveryStatus::Dead)).await;
        let [entry] = &dead[..] else { panic!("{dead:?}") };
        assert_eq!((entry.order_id, entry.host.as_str(), entry.attempts, entry.due_at), (id, HOST, 8, None));
        assert_eq!(entry.last_error.as_deref(), Some("there was no answer"));
        assert!(!format!("{entry:?}").contains("hush"), "the address is a secret of the receiver");
        let stats = shop.engine.delivery_stats().await.expect("they can be counted");
        assert_eq!((stats.waiting, stats.dead), (0, 1));

        pack(shop, id).await;
        shop.settle().await;
        assert_eq!(names(shop, id).last().map(String::as_str), Some("order_packing"), "a dead one holds up nobody");
        shop.web.set(HOST, Reaction::Answers(200));
        replay(shop, entry.id).await;
        shop.settle_after(HOUR).await;
        let after = sent_about(shop, id).split_off(9);
        assert_eq!(after[0].1, sent[0].1, "the same message");
        assert_eq!(after.len(), 2);
        assert_eq!(after[1].0, "order_packing", "what waited comes after it");
        assert_eq!(list(shop, Some(DeliveryStatus::Dead)).await, []);
        assert_eq!(code(shop.engine.replay_delivery(&shop.staff(), entry.id).await), Some(Code::NotFound));
    }

    /// Goal: many dead messages are sent again at once, those of one host alone if asked for, and once for one key.
    async fn dead_messages_are_replayed_in_bulk(shop: TestShop) {
        shop.product("MUG", 1_000, 100).await;
        for host in ["one.example", "two.example"] {
            shop.web.set(host, Reaction::Answers(400));
            for _ in 0..3 {
                buy_told_at(shop, host).await;
            }
        }
        shop.settle().await;
        wear_out(shop).await;
        assert_eq!(list(shop, Some(DeliveryStatus::Dead)).await.len(), 6);
        shop.web.set("one.example", Reaction::Answers(200));
        let before = shop.web.sent().len();
        let ctx = with_key(shop.staff(), "k", "one");
        let replay = || shop.engine.replay_deliveries(&ctx, ReplayDeliveries { host: Some("one.example".to_owned()) });
        assert_eq!(replay().await.expect("staff may").reply, 3);
        let again = replay().await.expect("it is answered");
        assert_eq!((again.reply, again.replayed), (3, true));
        shop.settle().await;
        assert_eq!(shop.web.sent().len(), before + 3);
        let dead = list(shop, Some(DeliveryStatus::Dead)).await;
        assert!(dead.len() == 3 && dead.iter().all(|entry| entry.host == "two.example"), "{dead:?}");
        let all = shop.engine.replay_deliveries(&shop.staff(), ReplayDeliveries::default()).await;
        assert_eq!(all.expect("staff may").reply, 3);
        shop.web.set("two.example", Reaction::Answers(200));
        shop.settle().await;
    }

    /// Goal: a receiver that says 410 is told nothing more of what waits, and nobody calls that a failure.
    async fn a_receiver_that_is_gone_is_left_alone(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        shop.web.plan(HOST, Reaction::Answers(500));
        shop.web.set(HOST, Reaction::Answers(410));
        let id = buy(shop).await;
        shop.settle().await;
        pack(shop, id).await;
        ship(shop, id).await;
        shop.settle_after(6).await;
        shop.settle_after(HOUR).await;
        assert_eq!(names(shop, id).len(), 2);
        let gone = list(shop, Some(DeliveryStatus::Gone)).await;
        assert_eq!(gone.len(), 3);
        assert_eq!(shop.engine.delivery_stats().await.expect("they can be counted").dead, 0);
    }

    /// Goal: a receiver that never answers is left after 15 seconds, and tried again.
    async fn a_receiver_that_hangs_is_left(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        shop.web.plan(HOST, Reaction::Hangs);
        let id = buy(shop).await;
        let settling = meanwhile({
            let shop = shop.clone();
            async move { shop.settle().await }
        });
        until("a message that hangs", || !shop.web.sent().is_empty()).await;
        until("the end of patience", || {
            shop.clock.advance(Duration::from_secs(1));
            settling.is_finished()
        })
        .await;
        settling.await.expect("no panic");
        shop.settle_after(6).await;
        let sent = sent_about(shop, id);
        assert_eq!(sent[0], sent[1]);
    }

    /// Goal: a slow receiver takes up a few places and no more: everybody else hears their news meanwhile, also while the
    /// shop's own loops do the work.
    async fn a_slow_receiver_holds_up_nobody_else(shop: TestShop) {
        let at_rest = shop.running_tasks();
        shop.product("MUG", 1_000, 100).await;
        shop.web.set("slow.example", Reaction::Hangs);
        for _ in 0..10 {
            buy_told_at(shop, "slow.example").await;
        }
        // A buyer has the answer a moment before the task that bought ends.
        until("the end of buying", || shop.running_tasks() == at_rest).await;
        let (stop, stopped) = watch::channel(false);
        shop.engine.start_upkeep(stopped);
        let to = |host: &str| shop.web.sent().iter().filter(|sent| sent.url == url(host)).count();
        until("the slow one is being waited for", || to("slow.example") == 4).await;
        let id = buy(shop).await;
        until("the others' news", || names(shop, id) == ["order_paid"]).await;
        assert_eq!(to("slow.example"), 4, "it has its places and no more");
        shop.web.set("slow.example", Reaction::Answers(200));
        let all = shop.clone();
        until("the slow one's news", || {
            all.clock.advance(Duration::from_secs(1));
            let ids: std::collections::HashSet<_> = all.web.sent().iter().map(|sent| sent.body.clone()).collect();
            ids.len() >= 11
        })
        .await;
        stop.send(true).expect("they listen");
        until("the end of the loops", || {
            shop.clock.advance(Duration::from_millis(100));
            shop.running_tasks() == at_rest
        })
        .await;
        for _ in 0..5 {
            shop.settle_after(HOUR).await;
        }
    }

    /// Goal: a process that dies before it sends, or before it knows that it has, sends the same message again and loses
    /// none.
    async fn a_crash_while_sending_sends_the_same_again(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let gate = shop.web.hold(HOST);
        let id = buy(shop).await;
        shop.spawn({
            let shop = shop.clone();
            async move { shop.settle().await }
        });
        gate.reached().await;
        shop.restart().await;
        pack(shop, id).await;
        // On PostgreSQL another process waits for the lease.
        shop.settle_after(61).await;
        let sent = sent_about(shop, id);
        assert_eq!(sent[0], sent[1], "it had arrived, and comes again as it was");
        assert_eq!(names(shop, id).last().map(String::as_str), Some("order_packing"));
        assert_eq!(shop.web.most_at_once(), 1);
    }

    /// Goal: a change that was rolled back, or refused, tells nobody.
    async fn a_refused_change_is_no_news(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let id = buy(shop).await;
        shop.settle().await;
        let before = shop.web.sent().len();
        assert_eq!(before, 1);
        let refused = shop.engine.ship_order(&shop.staff(), id, Parcel::default(), None).await;
        assert_eq!(code(refused), Some(Code::TransitionRefused));
        let stale = shop.engine.pack_order(&shop.staff(), id, Some(1_000)).await;
        assert_eq!(code(stale), Some(Code::VersionConflict));
        shop.settle().await;
        assert_eq!(shop.web.sent().len(), before);
    }

    /// Goal: the same step sent twice is one message, and steps that race each other are told in their order.
    async fn a_repeated_step_is_told_once(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let id = buy(shop).await;
        let packing = (0..4).map(|_| {
            let shop = shop.clone();
            async move {
                let ctx = with_key(shop.staff(), "pack", "");
                shop.engine.pack_order(&ctx, id, None).await.is_ok()
            }
        });
        assert!(together(packing).await.contains(&true));
        shop.settle().await;
        assert_eq!(names(shop, id).iter().filter(|name| *name == "order_packing").count(), 1);
    }

    /// Goal: an order that is canceled is told twice: that it is canceled, and that the money went back.
    async fn a_refund_is_news(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let id = buy(shop).await;
        shop.settle().await;
        shop.cancel(id).await.expect("it has not shipped");
        shop.settle().await;
        assert_eq!(names(shop, id), ["order_paid", "order_canceled", "payment_refunded"]);
    }

    /// Goal: what was delivered or given up is kept for two weeks and no longer.
    async fn messages_are_kept_for_two_weeks(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        buy(shop).await;
        shop.settle().await;
        let kept = list(shop, None).await.len();
        assert!(kept > 0);
        shop.settle_after(14 * 24 * HOUR - 60).await;
        assert_eq!(list(shop, None).await.len(), kept);
        shop.settle_after(120).await;
        assert_eq!(list(shop, None).await, []);
    }

    /// Goal: a shop tells nobody at an address that leads inside, or in a protocol that it does not speak.
    async fn an_address_that_must_not_be_called_is_refused(shop: TestShop) {
        for url in ["http://agent.example/", "https://10.0.0.1/", "https://localhost/", "nonsense", "file:///etc/passwd"] {
            let refused = refusal(shop.engine.check_webhook_url(url).map_err(handel_engine::Error::from));
            assert_eq!((refused.code, &*refused.details.errors[0].pointer), (Code::InputInvalid, "/webhook_url"));
            assert!(!refused.to_string().contains("passwd"));
        }
        assert_eq!(shop.engine.check_webhook_url("https://agent.example/a").as_deref(), Ok("https://agent.example/a"));

        shop.product("MUG", 1_000, 10).await;
        let open = OpenCheckout { origin: Origin { protocol: Some("klingon/1".to_owned()), ..told_at(url(HOST)) }, ..opening(&[("MUG", 1)]) };
        let opened = shop.engine.open_checkout(&shop.agent("https://a.example/"), open).await.expect("opened").reply;
        let ctx = with_key(shop.agent("https://a.example/"), "k", "");
        let complete = handel_testkit::fixtures::completion_of(opened.checkout.id, "tok_ok");
        shop.engine.complete_checkout(&ctx, complete).await.expect("it is sold all the same");
        shop.settle().await;
        let waiting = list(shop, Some(DeliveryStatus::Waiting)).await;
        assert!(waiting.iter().any(|entry| entry.last_error.as_deref() == Some("this program does not write klingon/1")), "{waiting:?}");
        wear_out(shop).await;
        assert_eq!(shop.web.sent(), []);
    }

    /// Goal: only staff with the scope see messages and send them again, and nobody those of another merchant.
    async fn messages_are_for_staff_alone(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        shop.web.set(HOST, Reaction::Answers(400));
        buy(shop).await;
        shop.settle().await;
        wear_out(shop).await;
        let dead = list(shop, Some(DeliveryStatus::Dead)).await[0].id;
        let with = |scope: Scope| {
            let caller = Caller::ApiKey { id: handel_domain::id::ApiKeyId::from_u128(1), scopes: vec![scope] };
            Context { caller, ..shop.ctx() }
        };
        let all = || ListDeliveries { limit: 10, ..ListDeliveries::default() };
        for (ctx, expected) in [(shop.ctx(), Code::Unauthenticated), (shop.agent("https://agent.example/profile.json"), Code::Unauthenticated), (with(Scope::OrdersWrite), Code::ScopeMissing)] {
            assert_eq!(code(shop.engine.list_deliveries(&ctx, all()).await), Some(expected));
            assert_eq!(code(shop.engine.replay_delivery(&ctx, dead).await), Some(expected));
            assert_eq!(code(shop.engine.replay_deliveries(&ctx, ReplayDeliveries::default()).await), Some(expected));
        }
        assert!(shop.engine.list_deliveries(&with(Scope::Operations), all()).await.is_ok());
        let tenant_id = handel_domain::id::TenantId::from_u128(2);
        let other = Context { tenant_id, ..shop.staff() };
        assert_eq!(shop.engine.list_deliveries(&other, all()).await.expect("it is empty").items, []);
        assert_eq!(code(shop.engine.replay_delivery(&other, dead).await), Some(Code::NotFound));
        assert_eq!(shop.engine.replay_deliveries(&other, ReplayDeliveries::default()).await.expect("none").reply, 0);
        let both = ListDeliveries { status: Some(DeliveryStatus::Dead), order_id: Some(OrderId::from_u128(1)), ..all() };
        assert_eq!(code(shop.engine.list_deliveries(&shop.staff(), both).await), Some(Code::InputInvalid));
        assert_eq!(code(shop.engine.list_deliveries(&shop.staff(), ListDeliveries::default()).await), Some(Code::InputInvalid));
    }

    /// Goal: the secret that the shop's key is made of is the same after a restart.
    async fn the_shop_keeps_its_key(shop: TestShop) {
        let seed = *shop.engine.signature_seed().expose();
        assert_ne!(seed, [0; 32]);
        shop.restart().await;
        assert_eq!(*shop.engine.signature_seed().expose(), seed);
        let system = handel_ports::System::real();
        let before = handel_engine::signature_seed(shop.database(), &system).await.expect("it is there");
        assert_eq!(*before.expose(), seed);
        assert_eq!(format!("{before:?}"), "***");
    }
}

/// Goal: of several processes one sends a message, and none sends a later one of the order meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_never_send_the_news_of_an_order_at_once() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let mut shop = TestShop::start(database).await;
    let processes = [shop.clone(), shop.second_process().await, shop.second_process().await];
    shop.product("MUG", 1_000, 100).await;
    let mut ids = Vec::new();
    for _ in 0..8 {
        let id = buy_told_at(&shop, HOST).await;
        pack(&shop, id).await;
        ship(&shop, id).await;
        ids.push(id);
    }
    let settling = processes.clone().map(|shop| async move { shop.settle().await });
    together(settling).await;
    shop.settle().await;
    for id in ids {
        assert_eq!(names(&shop, id), ["order_paid", "order_packing", "order_shipped"]);
        let numbers: Vec<_> = sent_about(&shop, id)
            .iter()
            .map(|(_, sent)| sent.json()["sequence"].as_i64())
            .collect();
        assert!(numbers.is_sorted_by(|before, after| before < after), "{numbers:?}");
    }
    // A process that waits for an answer keeps the others from the order.
    let gate = shop.web.hold(HOST);
    let id = buy_told_at(&shop, HOST).await;
    let first = meanwhile({
        let shop = processes[1].clone();
        async move { shop.settle().await }
    });
    gate.reached().await;
    let before: Vec<Sent> = shop.web.sent();
    pack(&shop, id).await;
    shop.settle().await;
    processes[2].settle().await;
    assert_eq!(shop.web.sent(), before);
    gate.open();
    first.await.expect("no panic");
    shop.settle().await;
    assert_eq!(names(&shop, id).last().map(String::as_str), Some("order_packing"));
    assert_eq!(list(&shop, Some(DeliveryStatus::Delivered)).await.len(), shop.web.sent().len());
    shop.finish().await;
}

/// A protocol that knows of payment and shipment alone.
struct Terse;

impl WebhookFormat for Terse {
    fn name(&self) -> &str {
        PlainNews::NAME
    }

    fn tells(&self, event: &str) -> bool {
        ["order_paid", "order_shipped"].contains(&event)
    }

    fn write(&self, news: &OrderNews) -> Result<Bytes, String> {
        PlainNews.write(news)
    }

    fn headers(&self, delivery: &Delivery, body: &Bytes) -> Result<HeaderMap, String> {
        PlainNews.headers(delivery, body)
    }
}

/// Goal: where a protocol has no word for an event, nothing is sent, and what comes after it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_protocol_without_a_word_for_an_event_is_silent() {
    let database = TestDatabase::sqlite().await;
    let mut shop = TestShop::start_telling(database, vec![Arc::new(Terse)]).await;
    shop.product("MUG", 1_000, 10).await;
    let id = buy(&shop).await;
    pack(&shop, id).await;
    ship(&shop, id).await;
    shop.settle().await;
    assert_eq!(names(&shop, id), ["order_paid", "order_shipped"]);
    assert_eq!(list(&shop, None).await.len(), 2);
    shop.finish().await;
}

/// Goal: pauses between attempts are those of the plan, with a little chance.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_come_at_their_times() {
    let mut shop = TestShop::start(TestDatabase::sqlite().await).await;
    shop.product("MUG", 1_000, 10).await;
    shop.web.set(HOST, Reaction::Answers(400));
    buy(&shop).await;
    shop.settle().await;
    for (at, pause) in [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR]
        .into_iter()
        .enumerate()
    {
        let due = list(&shop, Some(DeliveryStatus::Waiting)).await[0].due_at.expect("it is due");
        let wait_ms = due.duration_since(shop.now()).as_millis();
        let planned_ms = i128::from(pause) * 1_000;
        assert!(
            (planned_ms..=planned_ms / 10 * 11).contains(&wait_ms),
            "attempt {at}: {wait_ms} ms"
        );
        shop.settle_after(pause - 1).await;
        assert_eq!(shop.web.sent().len(), at + 1, "not before its time");
        shop.settle_after(pause / 10 + 2).await;
        assert_eq!(shop.web.sent().len(), at + 2);
    }
    assert_eq!(list(&shop, Some(DeliveryStatus::Dead)).await.len(), 1);
    shop.finish().await;
}
