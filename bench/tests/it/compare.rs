//! The limit of the storage: the rows of a purchase can be written again by nothing but the database.

use serde_json::Value;

use super::support::{postgres, report};

const OPTIONS: [&str; 7] = ["compare", "--clients", "1,3", "--orders", "30", "--products", "10"];

fn judge(report: &Value, ways: [&str; 2]) {
    let comparisons = report["comparisons"].as_array().expect("a list of comparisons");
    let loads: Vec<_> = comparisons
        .iter()
        .map(|found| (found["articles"].as_u64(), found["clients"].as_u64()))
        .collect();
    let expected = [(10, 1), (10, 3), (1, 1), (1, 3)].map(|(a, b)| (Some(a), Some(b)));
    assert_eq!(loads, expected);
    for found in comparisons {
        let limits = found["limits"].as_array().expect("a list of limits");
        let how: Vec<_> = limits.iter().filter_map(|limit| limit["how"].as_str()).collect();
        assert_eq!(how, ways);
        for limit in limits {
            assert!(limit["per_second"].as_f64().is_some_and(|rate| rate > 0.0), "{limit}");
            assert!(limit["ratio_percent"].as_f64().is_some_and(|ratio| ratio > 0.0), "{limit}");
        }
    }
}

#[test]
fn a_purchase_is_repeated_by_sqlite() {
    judge(&report(&OPTIONS), ["one commit each", "64 in a commit"]);
}

#[test]
fn a_purchase_is_repeated_by_pgbench() {
    if let Some(url) = postgres() {
        let report = report(&[&OPTIONS[..], &["--postgres", &url]].concat());
        judge(&report, ["a statement at a time", "one pipeline"]);
    }
}
