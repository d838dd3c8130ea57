//! The embedded database that a simulation steps by hand.

use std::task::{Context, Poll, Waker};

use handel_store::{Database, Hand, StoreError, Transaction};
use handel_testkit::TestDatabase;

use crate::{put, put_bound};

type Outcome = Result<(), StoreError>;
type Pending = std::pin::Pin<Box<dyn Future<Output = Outcome>>>;

/// A migrated database that is now worked by hand.
async fn open() -> (TestDatabase, Database, Hand) {
    let test = TestDatabase::sqlite().await;
    test.database().close().await;
    let (database, hand) =
        Database::open_by_hand(&test.directory().join("data")).expect("a closed database opens");
    (test, database, hand)
}

fn poll<T>(future: &mut std::pin::Pin<Box<dyn Future<Output = T>>>) -> Poll<T> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// A write that has been submitted.
fn begin(database: &Database, name: &'static str) -> Pending {
    let database = database.clone();
    let mut write: Pending = Box::pin(async move { put(&database, name, 1).await });
    assert!(poll(&mut write).is_pending(), "nothing happens by itself");
    write
}

fn count(database: &Database, hand: &mut Hand) -> i64 {
    let database = database.clone();
    let mut read: std::pin::Pin<Box<dyn Future<Output = i64>>> =
        Box::pin(async move { crate::one(&database, || crate::COUNT.bind(Vec::new())).await });
    assert!(poll(&mut read).is_pending() && hand.has_reads());
    hand.read();
    match poll(&mut read) {
        Poll::Ready(count) => count,
        Poll::Pending => panic!("a read is done after one step"),
    }
}

#[tokio::test]
async fn units_run_in_one_group_when_the_hand_is_told_to() {
    let (_test, database, mut hand) = open().await;
    let mut writes = [begin(&database, "a"), begin(&database, "b")];
    assert!(hand.has_writes());
    assert_eq!(count(&database, &mut hand), 0);
    hand.write();
    assert!(!hand.has_writes());
    assert!(
        writes.iter_mut().all(|write| poll(write).map(|done| done.is_ok()) == Poll::Ready(true))
    );
    assert_eq!(count(&database, &mut hand), 2);
}

#[tokio::test]
async fn a_commit_that_fails_leaves_nothing_and_tells_everybody() {
    let (_test, database, mut hand) = open().await;
    let mut writes = [begin(&database, "a"), begin(&database, "b")];
    hand.write_in_vain();
    for write in &mut writes {
        assert!(matches!(poll(write), Poll::Ready(Err(StoreError::NotWritable(_)))));
    }
    assert_eq!(count(&database, &mut hand), 0);
}

#[tokio::test]
async fn what_waits_is_lost_with_the_hand_and_what_was_committed_is_there() {
    let (test, database, mut hand) = open().await;
    let mut kept = begin(&database, "kept");
    hand.write();
    let mut lost = begin(&database, "lost");
    drop(hand);
    assert!(matches!(poll(&mut kept), Poll::Ready(Ok(()))));
    assert!(matches!(poll(&mut lost), Poll::Ready(Err(StoreError::Unavailable(_)))));
    let (database, mut hand) =
        Database::open_by_hand(&test.directory().join("data")).expect("the lock went with it");
    assert_eq!(count(&database, &mut hand), 1);
}

#[tokio::test]
async fn a_full_database_refuses_to_grow_until_there_is_space() {
    let (_test, database, mut hand) = open().await;
    hand.set_full(true).expect("a limit can be set");
    let many = |database: Database| -> Pending {
        Box::pin(async move {
            let unit = async |tx: &mut Transaction<'_>| {
                let name = "long ".repeat(1_000);
                let rows = (0..200i64).map(|n| put_bound(&format!("{name}{n}"), n)).collect();
                tx.run_all(rows).await.map(drop)
            };
            database.write(unit).await
        })
    };
    let mut refused = many(database.clone());
    assert!(poll(&mut refused).is_pending());
    hand.write();
    assert!(matches!(poll(&mut refused), Poll::Ready(Err(StoreError::NotWritable(_)))));
    assert_eq!(count(&database, &mut hand), 0);
    hand.set_full(false).expect("a limit can be lifted");
    let mut taken = many(database.clone());
    assert!(poll(&mut taken).is_pending());
    hand.write();
    assert!(matches!(poll(&mut taken), Poll::Ready(Ok(()))));
    assert_eq!(count(&database, &mut hand), 200);
}
