//! Every webhook arrives, however often it has to be sent.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use handel_local::payments::SignedWebhook;
use handel_ports::{BoxFuture, PaymentProvider as _, ProviderReport};
use tokio::sync::Notify;

use crate::world::{World, captured, key};

/// A receiver that fails as often as it is told, and notes what it took.
#[derive(Clone, Default)]
struct Receiver {
    failures: Arc<Mutex<usize>>,
    taken: Arc<Mutex<Vec<SignedWebhook>>>,
    took: Arc<Notify>,
}

impl Receiver {
    fn failing(failures: usize) -> Self {
        Self { failures: Arc::new(Mutex::new(failures)), ..Self::default() }
    }

    fn post(&self) -> impl Fn(SignedWebhook) -> BoxFuture<'static, Result<(), String>> + use<> {
        let receiver = self.clone();
        move |webhook| {
            let receiver = receiver.clone();
            Box::pin(async move {
                let mut failures = receiver.failures.lock().unwrap();
                if *failures > 0 {
                    *failures -= 1;
                    return Err("503".to_owned());
                }
                receiver.taken.lock().unwrap().push(webhook);
                receiver.took.notify_one();
                Ok(())
            })
        }
    }

    fn count(&self) -> usize {
        self.taken.lock().unwrap().len()
    }
}

#[tokio::test]
async fn the_end_of_a_slow_charge_is_told_when_it_comes() {
    let world = World::new();
    world.charge(key(1), "tok_async_ok").await;
    let (sender, receiver) = (world.payments.webhook_sender(), Receiver::default());
    assert_eq!(sender.send_due(&receiver.post()).await.unwrap(), 0, "it is not due yet");

    world.clock.advance(Duration::from_secs(1));
    assert_eq!(sender.send_due(&receiver.post()).await.unwrap(), 1);
    let webhook = receiver.taken.lock().unwrap()[0].clone();
    let event = world.payments.read_webhook(&webhook.headers, &webhook.body).unwrap();
    let report = captured(key(1), 1250);
    assert_eq!(event.report, Some(ProviderReport { key: key(1), report: report.clone() }));
    // What was told is what is found.
    assert_eq!(world.find(key(1)).await, report);

    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(sender.send_due(&receiver.post()).await.unwrap(), 0, "it is told once");
}

#[tokio::test]
async fn a_decision_is_told_once_however_often_it_is_made() {
    let world = World::new();
    world.charge(key(1), "tok_action_required").await;
    for approve in [false, true, false] {
        world.payments.complete_action(key(1), approve).await.unwrap();
    }
    let (sender, receiver) = (world.payments.webhook_sender(), Receiver::default());
    assert_eq!(sender.send_due(&receiver.post()).await.unwrap(), 1);
    assert_eq!(sender.send_due(&receiver.post()).await.unwrap(), 0);
    let body: serde_json::Value =
        serde_json::from_slice(&receiver.taken.lock().unwrap()[0].body).unwrap();
    assert_eq!(body["type"], "charge.declined");
}

#[tokio::test]
async fn the_loop_sends_again_until_it_arrives() {
    let world = World::new();
    world.charge(key(1), "tok_async_ok").await;
    let (sender, receiver) = (world.payments.webhook_sender(), Receiver::failing(4));
    // Boxed as a task of its own must be, which also shows that it may be one.
    let run: BoxFuture<'_, ()> = Box::pin(sender.run(receiver.post()));
    tokio::select! {
        () = run => unreachable!("it never ends"),
        () = receiver.took.notified() => {}
    }
    assert_eq!((*receiver.failures.lock().unwrap(), receiver.count()), (0, 1));
    // A signature from the first try would be worth nothing after a long time.
    let webhook = receiver.taken.lock().unwrap()[0].clone();
    world.payments.read_webhook(&webhook.headers, &webhook.body).unwrap();
}

#[tokio::test]
async fn a_failed_try_waits_longer_every_time_and_is_given_up_in_the_end() {
    let world = World::new();
    world.charge(key(1), "tok_action_required").await;
    world.payments.complete_action(key(1), true).await.unwrap();
    let (sender, receiver) = (world.payments.webhook_sender(), Receiver::failing(usize::MAX));
    let mut waits_s = Vec::new();
    let mut waited_s = 0;
    // Two hours and a half are enough for every try.
    for _ in 0..9_000 {
        if sender.send_due(&receiver.post()).await.unwrap() == 1 {
            waits_s.push(waited_s);
            waited_s = 0;
        }
        world.clock.advance(Duration::from_secs(1));
        waited_s += 1;
    }
    assert_eq!(waits_s[..10], [0, 1, 2, 4, 8, 16, 32, 64, 128, 256]);
    assert_eq!((waits_s[10], waits_s.len()), (300, 32));
}

#[tokio::test]
async fn an_event_that_somebody_took_and_never_reported_comes_back() {
    let world = World::new();
    world.charge(key(1), "tok_async_ok").await;
    world.clock.advance(Duration::from_secs(1));
    let ledger = world.payments.ledger();
    let taken = ledger.due_webhooks(world.system.now(), 10).await.unwrap();
    assert_eq!(taken.len(), 1);
    let twin = world.twin();
    for wait_ms in [0, 59_999] {
        world.clock.advance(Duration::from_millis(wait_ms));
        assert_eq!(twin.ledger().due_webhooks(world.system.now(), 10).await.unwrap(), []);
    }
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(twin.ledger().due_webhooks(world.system.now(), 10).await.unwrap(), taken);
    ledger.webhook_delivered(&taken[0].id, world.system.now()).await.unwrap();
    ledger.webhook_failed(&taken[0].id, world.system.now()).await.unwrap();
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(ledger.due_webhooks(world.system.now(), 10).await.unwrap(), []);
}

#[tokio::test]
async fn no_more_are_taken_than_asked_for() {
    let world = World::new();
    for n in 0..5 {
        world.charge(key(n), "tok_async_ok").await;
    }
    world.clock.advance(Duration::from_secs(1));
    let ledger = world.payments.ledger();
    assert_eq!(ledger.due_webhooks(world.system.now(), 3).await.unwrap().len(), 3);
    assert_eq!(ledger.due_webhooks(world.system.now(), 3).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_receiver_that_never_answers_holds_nobody_up() {
    let world = World::new();
    world.charge(key(1), "tok_action_required").await;
    world.payments.complete_action(key(1), true).await.unwrap();
    let sender = world.payments.webhook_sender();
    let silent = |_: SignedWebhook| -> BoxFuture<'static, Result<(), String>> {
        Box::pin(std::future::pending())
    };
    assert_eq!(sender.send_due(&silent).await.unwrap(), 1);
    world.clock.advance(Duration::from_secs(1));
    let receiver = Receiver::default();
    assert_eq!(sender.send_due(&receiver.post()).await.unwrap(), 1, "it counts as failed");
    assert_eq!(receiver.count(), 1);
}
