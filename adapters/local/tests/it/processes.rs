//! The ledger between processes that crash. Each child is this test binary again.

use std::{
    env,
    io::Write as _,
    path::Path,
    process::{self, Child, Command, Stdio},
    sync::Arc,
};

use handel_domain::{id::AttemptId, payment::Report};
use handel_local::{TestPayments, TestPaymentsConfig};
use handel_ports::{PaymentProvider as _, Secret, System};
use tokio::task::JoinSet;

use crate::world::{BASE_URL, SECRET, World, captured, charge, key};

const LEDGER: &str = "HANDEL_TEST_LEDGER";
const KEYS: u128 = 200;

fn start(child: &str, directory: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", &format!("processes::{child}"), "--ignored", "--nocapture"])
        .env(LEDGER, directory.join("ledger.sqlite"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Charges many keys at once; `answered` hears of each as soon as it is answered.
#[expect(clippy::disallowed_methods, reason = "a child learns from its environment what to do")]
async fn charge_all(answered: impl Fn(AttemptId, Report)) {
    let ledger = env::var_os(LEDGER).expect("another test starts this one");
    let config = TestPaymentsConfig::new(ledger, BASE_URL, Secret::new(SECRET.to_vec()));
    let payments = Arc::new(TestPayments::open(config, System::real()).unwrap());
    let mut calls = JoinSet::new();
    for n in 0..KEYS {
        let payments = payments.clone();
        calls.spawn(async move { (key(n), payments.charge(charge(key(n), "tok_ok")).await) });
    }
    while let Some(call) = calls.join_next().await {
        let (key, report) = call.unwrap();
        answered(key, report);
    }
}

#[tokio::test]
#[ignore = "started by processes_that_share_a_ledger_are_one_provider"]
async fn child_that_charges() {
    charge_all(|key, report| assert_eq!(report, captured(key, 1250))).await;
}

#[tokio::test]
#[ignore = "started by what_was_answered_is_there_after_a_crash"]
async fn child_that_crashes_at_the_first_answer() {
    charge_all(|key, report| {
        assert_eq!(report, captured(key, 1250));
        println!("\nanswered {key}");
        std::io::stdout().flush().unwrap();
        process::abort();
    })
    .await;
}

#[tokio::test]
async fn processes_that_share_a_ledger_are_one_provider() {
    let world = World::new();
    let children = [(); 2].map(|()| start("child_that_charges", world.directory.path()));
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "the child ran");
    }
    let summary = world.payments.ledger().summary().await.unwrap();
    assert_eq!((summary.keys, summary.charges, summary.captured_minor), (200, 200, 200 * 1250));
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_crash() {
    let world = World::new();
    let child = start("child_that_crashes_at_the_first_answer", world.directory.path());
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    let answered: AttemptId = printed
        .lines()
        .find_map(|line| line.strip_prefix("answered "))
        .expect("the child got an answer")
        .parse()
        .unwrap();
    assert_eq!(world.find(answered).await, captured(answered, 1250));
}
