//! `docs/errors.md` says what the code says. The table in it is generated: run the test with
//! `HANDEL_BLESS=1` to write it anew.

use std::{fs, path::PathBuf};

use handel_domain::{Code, refusal::Kind};
use handel_kit::status_of;

/// The table stands between these lines; the rest of the file is written by hand.
const BEGIN: &str =
    "<!-- The table below is generated; see doors/kit/tests/it/errors_doc.rs. -->\n";
const END: &str = "<!-- The table above is generated. -->\n";

/// Goal: whoever meets a code finds it explained, and nobody finds a code that no longer exists.
#[test]
fn every_refusal_code_is_documented() {
    let path = path();
    let written = fs::read_to_string(&path).expect("docs/errors.md can be read");
    let (before, rest) =
        written.split_once(BEGIN).expect("docs/errors.md has the line before the table");
    let (_, after) = rest.split_once(END).expect("docs/errors.md has the line after the table");
    let right = format!("{before}{BEGIN}\n{}\n{END}{after}", table());
    if is_blessed() {
        fs::write(&path, right).expect("docs/errors.md can be written");
        return;
    }
    let same = written == right;
    assert!(
        same,
        "docs/errors.md is out of date; HANDEL_BLESS=1 cargo test -p handel-kit writes it anew"
    );
}

/// Goal: a code is one row of the table, however it is worded.
#[test]
fn meanings_fit_into_a_table() {
    for code in Code::ALL {
        let meaning = meaning(*code);
        assert!(meaning.ends_with('.'), "{code}: {meaning}");
        assert!(!meaning.contains('|'), "{code}: {meaning}");
    }
}

fn table() -> String {
    let head = "| Code | HTTP status | Kind | Meaning |\n|---|---|---|---|\n".to_owned();
    Code::ALL.iter().fold(head, |table, code| {
        let (status, kind, meaning) = (status_of(*code), kind(code.kind()), meaning(*code));
        format!("{table}| `{code}` | {status} | {kind} | {meaning} |\n")
    })
}

/// A doc comment of several lines is one sentence after the other.
fn meaning(code: Code) -> String {
    code.meaning().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Invalid => "invalid",
        Kind::Unauthenticated => "unauthenticated",
        Kind::Forbidden => "forbidden",
        Kind::NotFound => "not found",
        Kind::Conflict => "conflict",
        Kind::Refused => "refused",
        Kind::PaymentFailed => "payment failed",
        Kind::Limited => "limited",
        Kind::Unavailable => "unavailable",
        Kind::Internal => "internal",
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md")
}

#[expect(clippy::disallowed_methods, reason = "the environment says whether the test may write")]
fn is_blessed() -> bool {
    std::env::var_os("HANDEL_BLESS").is_some_and(|value| value == "1")
}
