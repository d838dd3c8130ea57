//! Runs the bench as its users do.

use std::{
    path::PathBuf,
    process::{Command, Output},
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;

const BENCH: &str = env!("CARGO_BIN_EXE_handel-bench");

/// The server beside the bench. Cargo builds it for a test of the whole workspace, but not for one of the bench
/// alone.
fn server() -> PathBuf {
    static SERVER: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let mut command = Command::new(env!("CARGO"));
        command.args(["build", "--quiet", "--package", "handel", "--bin", "handel"]);
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        assert!(command.status().expect("cargo runs").success(), "the server cannot be built");
        PathBuf::from(BENCH).with_file_name("handel")
    };
    SERVER.get_or_init(build).clone()
}

/// A PostgreSQL server to make databases in, if there is one.
#[expect(clippy::disallowed_methods, reason = "the environment says where PostgreSQL is")]
pub(crate) fn postgres() -> Option<String> {
    let url = std::env::var("TEST_POSTGRES_URL").ok();
    assert!(
        url.is_some() || std::env::var_os("HANDEL_REQUIRE_SERVICES").is_none(),
        "there is no PostgreSQL, and none of its tests may be skipped"
    );
    if url.is_none() {
        eprintln!("skipped: TEST_POSTGRES_URL is not set");
    }
    url
}

/// What the bench says of a run that must keep all promises.
pub(crate) fn report(args: &[&str]) -> Value {
    let directory = TempDir::with_prefix("handel-bench-test-").expect("a temporary directory");
    let json = directory.path().join("report.json");
    let output = bench(&directory, &[args, &["--json", json.to_str().expect("UTF-8")]].concat());
    let said = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{said}\n{complaints}", output.status);
    let text = std::fs::read_to_string(json).expect("the bench wrote its report");
    let report: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!((&report["format"], &report["holds"]), (&Value::from(1), &Value::from(true)));
    report
}

fn bench(directory: &TempDir, args: &[&str]) -> Output {
    let mut command = Command::new(BENCH);
    command.args(args).arg("--server").arg(server()).arg("--directory").arg(directory.path());
    command.output().expect("the bench runs")
}

/// How many cases the last examination of a rule looked at.
pub(crate) fn checked(report: &Value, rule: &str) -> u64 {
    let runs = report["runs"].as_array().expect("a list of runs").iter();
    let mut findings = runs.flat_map(|run| run["findings"].as_array().expect("a list of findings"));
    let found = findings.rfind(|finding| finding["rule"] == rule);
    found.unwrap_or_else(|| panic!("nobody looked whether {rule}"))["checked"]
        .as_u64()
        .expect("a number")
}
