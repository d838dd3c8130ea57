//! What only the embedded database does.

use handel_store::{Database, DatabaseConfig, StoreError, Transaction, values};
use handel_testkit::TestDatabase;

use crate::{ADD, Counters, put, put_bound};

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_unit_does_not_take_its_group_along() {
    let store = Counters::start(TestDatabase::sqlite().await).await;
    store.put("n", 0).await.expect("fresh");
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let database = store.database();
            tokio::task::spawn(async move {
                database
                    .write(async move |tx: &mut Transaction<'_>| {
                        tx.run(ADD.bind(values!["n", 1i64])).await?;
                        match n % 4 {
                            0 => Err(StoreError::Unit("on purpose".into())),
                            1 => panic!("on purpose"),
                            _ => Ok(()),
                        }
                    })
                    .await
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += i64::from(task.await.expect("the panic stays in the unit").is_ok());
    }
    assert_eq!((done, store.get("n").await), (100, 100));
}

#[tokio::test]
async fn a_unit_that_waits_is_refused_and_rolled_back() {
    let store = Counters::start(TestDatabase::sqlite().await).await;
    let outcome = store
        .database()
        .write(async |tx: &mut Transaction<'_>| {
            tx.run(put_bound("lost", 1)).await?;
            tokio::task::yield_now().await;
            Ok::<_, StoreError>(())
        })
        .await;
    assert!(matches!(outcome, Err(StoreError::Unit(_))));
    assert_eq!(store.count().await, 0);
}

#[tokio::test]
async fn a_caller_that_goes_away_changes_nothing() {
    let store = Counters::start(TestDatabase::sqlite().await).await;
    let database = store.database();
    {
        let write = put(&database, "a", 1);
        let mut write = std::pin::pin!(write);
        // The job is queued by the first poll; then the caller disappears.
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(write.as_mut().poll(context).is_ready())
        });
        polled.await;
    }
    store.put("b", 1).await.expect("later units run");
    assert_eq!(store.count().await, 2);
}

#[tokio::test]
async fn a_directory_serves_one_process() {
    let store = Counters::start(TestDatabase::sqlite().await).await;
    let second = Database::open(store.test.config()).await;
    assert!(matches!(second, Err(StoreError::Locked(_))));
}

#[tokio::test]
async fn a_closed_database_refuses_work() {
    let store = Counters::start(TestDatabase::sqlite().await).await;
    store.database().close().await;
    let outcome = store.put("a", 1).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_never_overwritten() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("handel.db");
    std::fs::write(&file, b"these are not the pages you are looking for, but they are somebody's")
        .expect("a file");
    let config = DatabaseConfig::Sqlite { directory: directory.path().to_owned(), readers: 1 };
    assert!(matches!(Database::open(&config).await, Err(StoreError::Corrupt(_))));
    assert!(std::fs::read(&file).expect("it is there").starts_with(b"these are not"));
}

/// Goal: where the disk refuses a commit, nobody knows what it has. So nothing is acknowledged and nothing written,
/// until a start has read what is really there.
#[tokio::test]
async fn a_disk_that_refuses_a_commit_ends_all_writing_until_a_restart() {
    let mut store = Counters::start(TestDatabase::sqlite().await).await;
    store.put("before", 1).await.expect("fresh");
    store.test.reopen().await;
    // The log is opened for its first sync. SQLite goes on with the file that it has, but the shop finds none.
    let log = store.test.directory().join("data/handel.db-wal");
    let hidden = log.with_extension("hidden");
    std::fs::rename(&log, &hidden).expect("an open database has a log");
    let refused = store.put("lost", 1).await;
    assert!(matches!(refused, Err(StoreError::NotWritable(_))), "{refused:?}");
    std::fs::rename(&hidden, &log).expect("it comes back");
    let refused = store.put("later", 1).await;
    assert!(matches!(refused, Err(StoreError::NotWritable(_))), "{refused:?}");
    store.test.reopen().await;
    store.put("after", 1).await.expect("it writes again");
    assert_eq!((store.get("before").await, store.get("after").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_busy_database_is_whole() {
    let store = Counters::start(TestDatabase::sqlite().await).await;
    store.put("n", 0).await.expect("fresh");
    let database = store.database();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writer = {
        let (database, stop) = (database.clone(), stop.clone());
        tokio::task::spawn(async move {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let add =
                    async |tx: &mut Transaction<'_>| tx.run(ADD.bind(values!["n", 1i64])).await;
                database.write(add).await.expect("it goes on");
            }
        })
    };
    let copy = store.test.directory().join("copy");
    std::fs::create_dir_all(&copy).expect("a directory");
    database.backup(copy.join("handel.db")).await.expect("a backup");
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.await.expect("no panic");
    assert!(database.backup(copy.join("handel.db")).await.is_err(), "a backup never overwrites");
    let restored = Database::open(&DatabaseConfig::Sqlite { directory: copy, readers: 1 })
        .await
        .expect("it opens");
    restored.check_schema().await.expect("the schema is there");
    let count: i64 = crate::one(&restored, || crate::GET.bind(values!["n"])).await;
    assert!(count <= store.get("n").await);
}
