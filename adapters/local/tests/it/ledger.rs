//! The ledger survives its process, and several may share it.

use std::{
    fs::{self, File},
    future::Future as _,
    pin::pin,
    sync::{Arc, Barrier},
    task::{Context, Waker},
    thread,
};

use futures_util::future::join_all;
use handel_domain::payment::Report;
use handel_local::{Ledger, payments::LedgerError};
use handel_ports::PaymentProvider as _;
use rusqlite::Connection;
use tokio::{runtime, task::JoinSet};

use crate::world::{World, captured, charge, euros, key, order_of, reference, refund};

#[tokio::test]
async fn what_was_charged_is_there_after_reopening() {
    let World { payments, system, directory, .. } = World::new();
    payments.charge(charge(key(1), "tok_ok")).await;
    payments.refund(refund(1, &reference(key(1)), 250)).await;
    let before = payments.ledger().charges_of(order_of(key(1))).await.unwrap();
    drop(payments);

    let ledger = Ledger::open(&directory.path().join("ledger.sqlite")).unwrap();
    assert_eq!(ledger.charges_of(order_of(key(1))).await.unwrap(), before);
    assert_eq!(ledger.find(key(1), system.now()).await.unwrap().as_ref(), before.first());
    let summary = ledger.summary().await.unwrap();
    assert_eq!((summary.charges, summary.orders_charged, summary.refunds), (1, 1, 1));
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_a_charge_that_can_be_found() {
    let world = World::new();
    {
        let mut call = pin!(world.charge(key(1), "tok_ok"));
        // One poll sends it; the answer cannot be there yet, or it is thrown away.
        let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    // The queue keeps its order, so this is answered after the abandoned charge was committed.
    world.charge(key(2), "tok_ok").await;
    assert_eq!(world.find(key(1)).await, captured(key(1), 1250));
}

#[test]
fn two_providers_on_one_file_charge_a_key_once() {
    const KEYS: u128 = 50;
    let world = World::new();
    let start = Barrier::new(2);
    let run = || {
        let payments = Arc::new(world.twin());
        start.wait();
        let runtime = runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut calls = JoinSet::new();
            for n in 0..KEYS {
                let payments = payments.clone();
                calls.spawn(async move { (n, payments.charge(charge(key(n), "tok_ok")).await) });
            }
            for (n, report) in calls.join_all().await {
                assert_eq!(report, captured(key(n), 1250));
            }
        });
    };
    thread::scope(|scope| {
        scope.spawn(run);
        scope.spawn(run);
    });
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    let summary = runtime.block_on(world.payments.ledger().summary()).unwrap();
    assert_eq!((summary.charges, summary.captured_minor), (50, 50 * 1250));
}

#[test]
fn a_new_file_may_be_opened_by_many_at_once() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..10 {
        let path = directory.path().join(format!("{round}.sqlite"));
        let start = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    Ledger::open(&path).unwrap();
                });
            }
        });
    }
}

#[tokio::test]
async fn callers_that_wait_together_share_a_transaction() {
    const CALLERS: u128 = 64;
    let world = World::new();
    world.charge(key(CALLERS), "tok_ok").await;
    let log = world.directory.path().join("ledger.sqlite-wal");
    let before = fs::metadata(&log).unwrap().len();

    let busy = hold(&world);
    let mut calls: Vec<_> =
        (0..CALLERS).map(|n| Box::pin(world.charge(key(n), "tok_ok"))).collect();
    // One poll sends each; the file is locked, so none is answered.
    for call in &mut calls {
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    drop(busy);
    for (n, report) in (0..).zip(join_all(calls).await) {
        assert_eq!(report, captured(key(n), 1250));
    }
    // A transaction writes at least one page of the table and one of the index.
    let pages = (fs::metadata(&log).unwrap().len() - before) / 4096;
    assert!(pages < u64::try_from(CALLERS).unwrap(), "{pages} pages");
}

/// Locks the ledger against writers, as another process does in a transaction.
fn hold(world: &World) -> Connection {
    let connection = Connection::open(world.directory.path().join("ledger.sqlite")).unwrap();
    connection.execute_batch("begin immediate").unwrap();
    connection
}

#[tokio::test]
async fn who_waits_for_the_ledger_goes_before_who_comes_later() {
    for _ in 0..5 {
        let world = World::new();
        let waiting = world.twin();
        let turn = File::open(world.directory.path().join("ledger.sqlite.lock")).unwrap();
        let busy = hold(&world);

        let mut first = pin!(waiting.charge(charge(key(1), "tok_ok")));
        assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        while turn.try_lock().is_ok() {
            turn.unlock().unwrap();
            thread::yield_now();
        }
        let mut later = charge(key(1), "tok_ok");
        later.amount = euros(1);
        let mut second = pin!(world.payments.charge(later));
        assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(busy);
        // The first charge of a key is the answer to all.
        let reports = tokio::join!(first, second);
        assert_eq!(reports, (captured(key(1), 1250), captured(key(1), 1250)));
    }
}

#[test]
fn a_file_of_another_layout_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.sqlite");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 7).unwrap();
    let refused = Ledger::open(&path).err().unwrap();
    assert!(matches!(refused, LedgerError::Layout { found: 7, known: 1 }), "{refused}");
}

#[tokio::test]
async fn a_ledger_that_cannot_write_says_that_it_does_not_know() {
    let world = World::new();
    world.charge(key(1), "tok_ok").await;
    let connection = Connection::open(world.directory.path().join("ledger.sqlite")).unwrap();
    connection.execute_batch("drop table refunds; alter table charges rename to lost").unwrap();
    assert_eq!(world.charge(key(2), "tok_ok").await, Report::Unknown);
    assert_eq!(world.find(key(1)).await, Report::Unknown);
    // It works again as soon as the file does.
    connection.execute_batch("alter table lost rename to charges").unwrap();
    assert_eq!(world.charge(key(2), "tok_ok").await, captured(key(2), 1250));
}
