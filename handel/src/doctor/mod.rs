//! `handel doctor`: looks at everything that a shop needs, and says what is wrong.
//!
//! Owns the questions and their verdicts. It repairs nothing and makes nothing, and it works while a server
//! runs.

mod database;
mod files;
mod server;

use std::process::ExitCode;

use anyhow::Result;

use crate::{
    config::{Config, Loaded},
    console, failure,
};

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// Worth knowing, but a shop can run.
    Note,
    Wrong,
}

/// What was found of one thing.
#[derive(Debug)]
struct Finding {
    what: &'static str,
    state: State,
    detail: String,
}

impl Finding {
    fn new(what: &'static str, state: State, detail: impl Into<String>) -> Self {
        Self { what, state, detail: detail.into() }
    }
}

/// Looks at everything. The exit status says whether something is wrong.
pub async fn run(loaded: &Loaded) -> Result<ExitCode> {
    let config = &loaded.config;
    let mut findings = vec![Finding::new("configuration", State::Good, "can be read")];
    findings.extend(files::look(loaded));
    findings.extend(database::look(config).await);
    findings.extend(server::look(config).await);
    findings.push(payments(config));
    report(&findings)
}

/// Tells that not even the configuration can be read.
pub fn report_configuration(error: &anyhow::Error) -> Result<ExitCode> {
    report(&[Finding::new("configuration", State::Wrong, failure::sentence(error))])
}

fn payments(config: &Config) -> Finding {
    let what = "payments";
    if !config.has_test_payments() {
        return Finding::new(what, State::Note, "no provider is in use: nothing can be bought");
    }
    let ledger = config.test_ledger();
    let books = ledger.display();
    if !ledger.exists() {
        return Finding::new(
            what,
            State::Note,
            format!("test provider, no real money; {books} is new"),
        );
    }
    match handel_local::Ledger::open(&ledger) {
        Ok(_) => Finding::new(
            what,
            State::Note,
            format!("test provider, no real money; books in {books}"),
        ),
        Err(error) => {
            let reason = failure::sentence(&error.into());
            Finding::new(what, State::Wrong, format!("the books in {books} are unusable: {reason}"))
        }
    }
}

fn report(findings: &[Finding]) -> Result<ExitCode> {
    let rows = findings.iter().map(|Finding { what, state, detail }| {
        let state = match state {
            State::Good => "ok",
            State::Note => "note",
            State::Wrong => "WRONG",
        };
        [(*what).to_owned(), state.to_owned(), detail.clone()]
    });
    console::table(rows)?;
    let wrong = findings.iter().filter(|finding| finding.state == State::Wrong).count();
    if wrong == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    console::complain(&format!("{wrong} of {} checks found something wrong", findings.len()));
    Ok(ExitCode::FAILURE)
}
