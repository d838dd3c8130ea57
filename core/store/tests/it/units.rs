//! Units of work commit as a whole or not at all.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use handel_store::{StoreError, Transaction, values};
use handel_testkit::both_databases;

use crate::{ADD, Counters, GET_FOR_UPDATE, SET, put_bound};

fn panic_on_purpose() -> Result<(), StoreError> {
    panic!("on purpose")
}

both_databases! {
    /// Goal: what a failed unit wrote is gone, and what others wrote stays.
    async fn a_failed_unit_leaves_no_trace(store: Counters) {
        store.put("kept", 1).await.expect("fresh");
        let outcome: Result<(), StoreError> = store.database().write(async |tx: &mut Transaction<'_>| {
            tx.run(put_bound("lost", 1)).await?;
            Err(StoreError::Unit("on purpose".into()))
        }).await;
        assert!(matches!(outcome, Err(StoreError::Unit(_))));
        assert_eq!(store.count().await, 1);
    }

    /// Goal: a unit whose statement failed does not commit even if it swallows the error.
    async fn a_swallowed_failure_does_not_commit(store: Counters) {
        store.put("a", 1).await.expect("fresh");
        let outcome = store.database().write(async |tx: &mut Transaction<'_>| {
            tx.run(put_bound("b", 1)).await?;
            let _swallowed = tx.run(put_bound("a", 1)).await;
            Ok::<_, StoreError>(())
        }).await;
        assert!(matches!(outcome, Err(StoreError::Unique(_))));
        assert_eq!(store.count().await, 1);
    }

    /// Goal: what only one of the databases could store is refused by both, before anything is written.
    async fn a_text_with_a_nul_is_refused_alike(store: Counters) {
        let outcome = store.database().write(async |tx: &mut Transaction<'_>| {
            tx.run(put_bound("kept", 1)).await?;
            let _swallowed = tx.run(put_bound("a\0b", 1)).await;
            Ok::<_, StoreError>(())
        }).await;
        assert!(matches!(outcome, Err(StoreError::Unstorable(_))), "{outcome:?}");
        let found = store.database().read(async |tx: &mut Transaction<'_>| {
            tx.rows(crate::GET.bind(values!["\0"])).await.map(|rows| rows.len())
        }).await;
        assert!(matches!(found, Err(StoreError::Unstorable(_))), "{found:?}");
        assert_eq!(store.count().await, 0);
        store.put("kept", 1).await.expect("the database lives");
    }

    /// Goal: a panic in one unit harms neither the database nor the units after it.
    async fn a_panic_rolls_back_alone(store: Counters) {
        let database = store.database();
        let panicking = tokio::task::spawn(async move {
            database.write(async |tx: &mut Transaction<'_>| {
                tx.run(put_bound("lost", 1)).await?;
                panic_on_purpose()
            }).await
        }).await;
        assert!(!matches!(panicking, Ok(Ok(()))));
        store.put("kept", 1).await.expect("the writer lives");
        assert_eq!(store.count().await, 1);
    }

    /// Goal: concurrent read-modify-write units do not lose updates.
    async fn no_update_is_lost(store: Counters) {
        store.put("n", 0).await.expect("fresh");
        let tasks: Vec<_> = (0..50).map(|_| {
            let database = store.database();
            tokio::task::spawn(async move {
                database.write(async |tx: &mut Transaction<'_>| {
                    let row = tx.row(GET_FOR_UPDATE.bind(values!["n"])).await?.expect("it is there");
                    let next = row.get::<i64>(0)? + 1;
                    tx.run(SET.bind(values!["n", next.to_string()])).await
                }).await
            })
        }).collect();
        for task in tasks {
            assert_eq!(task.await.expect("no panic").expect("no error"), 1);
        }
        assert_eq!(store.get("n").await, 50);
    }

    /// Goal: units that lock the same rows in opposite order are run again, not failed.
    async fn deadlocks_are_run_again(store: Counters) {
        store.put("a", 0).await.expect("fresh");
        store.put("b", 0).await.expect("fresh");
        let runs = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..6).map(|n| {
            let (database, runs) = (store.database(), runs.clone());
            // A unit that runs in a task owns what it captures.
            let (first, second) = if n % 2 == 0 { ("a", "b") } else { ("b", "a") };
            let (first, second) = (first.to_owned(), second.to_owned());
            tokio::task::spawn(async move {
                database.write(async move |tx: &mut Transaction<'_>| {
                    runs.fetch_add(1, Ordering::Relaxed);
                    tx.run(ADD.bind(values![&first, 1i64])).await?;
                    tx.run(ADD.bind(values![&second, 1i64])).await
                }).await
            })
        }).collect();
        for task in tasks {
            task.await.expect("no panic").expect("no error");
        }
        assert!(runs.load(Ordering::Relaxed) >= 6);
        assert_eq!((store.get("a").await, store.get("b").await), (6, 6));
    }

    /// Goal: what was acknowledged is there after the database was closed and opened again.
    async fn what_was_acknowledged_is_there_after_a_restart(store: Counters) {
        store.put("a", 7).await.expect("fresh");
        store.test.reopen().await;
        assert_eq!(store.get("a").await, 7);
    }
}
