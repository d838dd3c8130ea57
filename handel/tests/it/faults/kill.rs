//! Power cuts: a server is killed in the middle of purchases, over and over.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use handel_store::DatabaseConfig;
use handel_testkit::TestDatabase;
use rustix::process::Signal;

use super::shopper::{Memory, staff_key};
use crate::support::{Place, eventually, sample};

const ROUNDS: usize = 5;
const SHOPPERS: usize = 8;

/// Goal: whoever was told of an order has it, whoever was told nothing gets it once by asking again, and no key is
/// stuck.
async fn survives_power_cuts(place: &Place) {
    place.succeed(&["import", "products", &sample()]);
    let key = staff_key(place);
    let memory = Memory::default();
    for round in 1..=ROUNDS {
        let mut served = place.serve();
        let (stop, before) = (AtomicBool::new(false), memory.told());
        let kill = async {
            let enough = before + 5 * round;
            eventually("some are told", async || memory.told() >= enough).await;
            served.signal(Signal::KILL);
            stop.store(true, Ordering::Relaxed);
        };
        let shoppers = join_all((0..SHOPPERS).map(|_| memory.shop(&served, &stop)));
        tokio::join!(shoppers, kill);
        assert_eq!(served.ended().await, None, "it was killed");
    }
    assert!(!memory.unanswered().is_empty(), "no kill hit a purchase: the test proves nothing");
    let served = place.serve();
    memory.finish(&served).await;
    memory.check(place, &served, &key).await;
    served.stop().await;
}

#[tokio::test]
async fn a_killed_server_loses_nothing_and_charges_once_on_sqlite() {
    survives_power_cuts(&Place::new()).await;
}

#[tokio::test]
async fn a_killed_server_loses_nothing_and_charges_once_on_postgres() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let DatabaseConfig::Postgres { url, .. } = database.config() else { panic!("it is one") };
    survives_power_cuts(&Place::with(&[("DATABASE_URL", url)])).await;
}
