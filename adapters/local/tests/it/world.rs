//! A test provider in a directory of its own, on a clock that only moves when told or slept on.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use handel_domain::{
    Money,
    id::{AttemptId, OperationId, OrderId},
    payment::Report,
};
use handel_local::{TestPayments, TestPaymentsConfig};
use handel_ports::{
    BoxFuture, Charge, Clock, PaymentProvider as _, Random, Refund, Secret, Spawner, System,
};
use jiff::Timestamp;
use tempfile::TempDir;

pub const BASE_URL: &str = "https://shop.example";
pub const SECRET: &[u8] = b"a secret of the tests";

/// Sleeping moves it forward at once.
pub struct TestClock(Mutex<Timestamp>);

impl TestClock {
    pub fn advance(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.advance(duration);
        Box::pin(tokio::task::yield_now())
    }
}

struct Unused;

impl Random for Unused {
    fn fill(&self, _: &mut [u8]) {
        unreachable!("the local adapters need no randomness")
    }
}

impl Spawner for Unused {
    fn spawn(&self, _: BoxFuture<'static, ()>) {
        unreachable!("the local adapters spawn no task")
    }
}

pub fn system() -> (System, Arc<TestClock>) {
    let clock = Arc::new(TestClock(Mutex::new(Timestamp::from_second(1_800_000_000).unwrap())));
    (System::new(clock.clone(), Arc::new(Unused), Arc::new(Unused)), clock)
}

pub struct World {
    pub payments: Arc<TestPayments>,
    pub clock: Arc<TestClock>,
    pub system: System,
    pub directory: TempDir,
}

pub fn config(directory: &TempDir) -> TestPaymentsConfig {
    TestPaymentsConfig::new(
        directory.path().join("ledger.sqlite"),
        BASE_URL,
        Secret::new(SECRET.to_vec()),
    )
}

impl World {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (system, clock) = system();
        let payments = TestPayments::open(config(&directory), system.clone()).unwrap();
        Self { payments: Arc::new(payments), clock, system, directory }
    }

    /// Another provider on the same ledger, as in another process.
    pub fn twin(&self) -> TestPayments {
        TestPayments::open(config(&self.directory), self.system.clone()).unwrap()
    }

    pub async fn charge(&self, key: AttemptId, token: &str) -> Report {
        self.payments.charge(charge(key, token)).await
    }

    pub async fn find(&self, key: AttemptId) -> Report {
        self.payments.find(key).await
    }
}

pub fn key(n: u128) -> AttemptId {
    AttemptId::from_u128(n)
}

/// The order that [`charge`] pays.
pub fn order_of(key: AttemptId) -> OrderId {
    format!("ord_{}", key.body()).parse().unwrap()
}

pub fn euros(amount_minor: i64) -> Money {
    Money::new(amount_minor, "EUR".parse().unwrap())
}

pub fn reference(key: AttemptId) -> String {
    format!("test_ch_{}", key.body())
}

/// 12.50 EUR for an order of its own.
pub fn charge(key: AttemptId, token: &str) -> Charge {
    Charge {
        key,
        order_id: order_of(key),
        amount: euros(1250),
        token: Secret::new(token.to_owned()),
        return_url: None,
    }
}

pub fn refund(n: u128, reference: &str, amount_minor: i64) -> Refund {
    Refund {
        key: OperationId::from_u128(n),
        reference: reference.to_owned(),
        amount: euros(amount_minor),
    }
}

pub fn captured(key: AttemptId, amount_minor: i64) -> Report {
    Report::Captured { reference: reference(key), amount: euros(amount_minor) }
}
