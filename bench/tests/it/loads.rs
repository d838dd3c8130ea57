//! The other scenarios, as far as their reports can be told from each other.

use serde_json::Value;

use super::support::{checked, report};

fn only_run(report: &Value) -> &Value {
    let [run] = &report["runs"].as_array().expect("a list of runs")[..] else {
        panic!("there is one run: {report}")
    };
    run
}

#[test]
fn placement_completes_every_checkout_that_was_prepared() {
    let report = report(&["place", "--orders", "40", "--clients", "3", "--products", "5"]);
    let run = only_run(&report);
    assert_eq!((&run["iteration"]["count"], &run["failed"]), (&Value::from(40), &Value::from(0)));
    let steps = run["steps"].as_array().expect("a list of steps");
    assert_eq!(steps.len(), 1, "nothing but completions is measured");
    assert_eq!(checked(&report, "every paid order was charged"), 40);
}

#[test]
fn an_open_loop_begins_as_many_as_were_asked_for() {
    let options =
        ["mixed", "--rate", "50", "--arrivals", "even", "--seconds", "1", "--warmup", "0"];
    let report = report(&[&options[..], &["--products", "5"]].concat());
    let run = only_run(&report);
    let count = |of: &Value| of.as_u64().expect("a number");
    let begun = count(&run["iteration"]["count"]) + count(&run["failed"]);
    assert_eq!((begun + count(&run["missed"]), &run["rate"]), (50, &Value::from(50)));
}

#[test]
fn an_overloaded_shop_stays_healthy_and_polite() {
    let options = ["overload", "--clients", "8", "--percent", "300", "--seconds", "1"];
    // How fast a busy machine is in one second says nothing.
    let report =
        report(&[&options[..], &["--latency-max-ms", "60000", "--products", "5"]].concat());
    assert!(checked(&report, "the shop stays alive and ready") > 0);
    checked(&report, "who is turned away is told when to come back");
}
