//! Counts statements, for tests that fix the price of a use case.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What a database has run so far. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<Counts>);

#[derive(Default)]
struct Counts {
    statements: AtomicU64,
    round_trips: AtomicU64,
}

/// How many statements a database has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementCount {
    /// Statements of units of work, without `begin` and `commit`.
    pub statements: u64,
    /// How often a unit waited for statements. On PostgreSQL these are round trips, and the commit is one more.
    pub round_trips: u64,
}

impl Counter {
    pub(crate) fn add(&self, statements: usize) {
        let statements = u64::try_from(statements).unwrap_or(u64::MAX);
        self.0.statements.fetch_add(statements, Ordering::Relaxed);
        self.0.round_trips.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> StatementCount {
        StatementCount {
            statements: self.0.statements.load(Ordering::Relaxed),
            round_trips: self.0.round_trips.load(Ordering::Relaxed),
        }
    }
}
