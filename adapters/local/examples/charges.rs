//! Measures how many charges the test provider books in a second, with the callers of a busy shop.
//!
//! `cargo run --release -p handel-local --example charges -- [directory]`. Two of them on one directory
//! show how processes share a ledger.

use std::{env, path::PathBuf, sync::Arc};

use handel_domain::{
    Money,
    id::{AttemptId, OrderId},
    payment::Report,
};
use handel_local::{TestPayments, TestPaymentsConfig};
use handel_ports::{Charge, PaymentProvider as _, Secret, System};
use tokio::task::JoinSet;

const CALLERS: usize = 64;
const CHARGES_EACH: usize = 1_000;

#[tokio::main(worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "the measurement is the output")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let temporary = tempfile::tempdir()?;
    let directory = env::args().nth(1).map_or(temporary.path().to_owned(), PathBuf::from);
    let secret = Secret::new(vec![7; TestPayments::SECRET_LEN_MIN]);
    let config = TestPaymentsConfig::new(directory.join("ledger.sqlite"), "http://shop", secret);
    let system = System::real();
    let payments = Arc::new(TestPayments::open(config, system.clone())?);

    let started_at = system.now();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(pay(payments.clone(), system.clone()));
    }
    let slowest_ms = callers.join_all().await.into_iter().max().unwrap_or_default();
    let elapsed_ms = system.now().duration_since(started_at).as_millis();
    let charges = CALLERS * CHARGES_EACH;
    println!(
        "{charges} charges by {CALLERS} callers in {elapsed_ms} ms, the slowest {slowest_ms} ms"
    );
    println!("{:?}", payments.ledger().summary().await?);
    Ok(())
}

/// Charges one after another and returns the longest time that one took, in milliseconds.
async fn pay(payments: Arc<TestPayments>, system: System) -> i128 {
    let mut slowest_ms = 0;
    for _ in 0..CHARGES_EACH {
        let sent_at = system.now();
        let charge = Charge {
            key: system.mint(sent_at) as AttemptId,
            order_id: system.mint(sent_at) as OrderId,
            amount: Money::new(1250, "EUR".parse().expect("a currency")),
            token: Secret::new("tok_ok".to_owned()),
            return_url: None,
        };
        let report = payments.charge(charge).await;
        assert!(matches!(report, Report::Captured { .. }), "{report:?}");
        slowest_ms = slowest_ms.max(system.now().duration_since(sent_at).as_millis());
    }
    slowest_ms
}
