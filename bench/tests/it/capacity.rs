//! Shops that were filled: what was written must be what a shop writes.

use serde_json::Value;

use super::support::{checked, postgres, report};

const OPTIONS: [&str; 11] = [
    "capacity",
    "--orders",
    "0,70",
    "--products",
    "40",
    "--skus",
    "9",
    "--clients",
    "2",
    "--seconds",
    "1",
];

fn judge(report: &Value) {
    let sizes = report["capacities"].as_array().expect("a list of sizes");
    let orders: Vec<_> = sizes.iter().map(|size| size["orders"].as_i64()).collect();
    assert_eq!(orders, [Some(0), Some(70)]);
    for size in sizes {
        assert!(size["ready_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{size}");
        assert!(size["flow"]["count"].as_u64().is_some_and(|count| count > 0), "{size}");
        assert!(size["browse"]["count"].as_u64().is_some_and(|count| count > 0), "{size}");
    }
    for run in report["runs"].as_array().expect("a list of runs") {
        assert_eq!(run["failed"], 0, "{run}");
        assert_eq!(run["errors"], Value::Array(Vec::new()), "every product page is there: {run}");
    }
    // Two purchases were made to be copied, and seventy were copied.
    let flows: u64 = sizes.iter().filter_map(|size| size["flow"]["count"].as_u64()).sum();
    assert!(checked(report, "every paid order was charged") >= 72 + flows);
    assert_eq!(checked(report, "units sold = stock moved, article by article"), 40 + 5);
}

#[test]
fn a_filled_shop_keeps_its_promises_on_sqlite() {
    judge(&report(&OPTIONS));
}

#[test]
fn a_filled_shop_keeps_its_promises_on_postgres() {
    if let Some(url) = postgres() {
        judge(&report(&[&OPTIONS[..], &["--postgres", &url]].concat()));
    }
}
