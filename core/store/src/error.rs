//! What can go wrong below the engine.

use std::{fmt, sync::Arc};

/// A failure of the database. Cloneable, because a failed group commit fails every unit in it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique index was violated. The name follows the convention `<table>_by_<last column>` on both
    /// databases.
    #[error("unique index {0} was violated")]
    Unique(String),
    /// A check or foreign key was violated.
    #[error("a constraint was violated: {0}")]
    Constraint(String),
    /// A text has U+0000, which not every database can store. No statement was run.
    #[error("a parameter of {0} has the character U+0000")]
    Unstorable(&'static str),
    /// Other transactions were in the way too often.
    #[error("the transaction could not be serialized with others")]
    Contention,
    /// The disk is full or the database may not be written.
    #[error("the database cannot be written: {0}")]
    NotWritable(String),
    /// The database file is damaged.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// The database cannot be reached, or did not answer in time.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// Another process uses the data directory.
    #[error("another process uses the data directory {0}")]
    Locked(String),
    /// The schema is newer than this program.
    #[error(
        "the schema is at version {found}, and this program knows only {known}; use a newer program"
    )]
    SchemaTooNew {
        /// The stored version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The schema is not the one that this program's migrations make.
    #[error("migration {0} differs from the one that was applied")]
    MigrationChanged(i64),
    /// The schema is older than this program, and migrating was not allowed.
    #[error("the schema is at version {found} of {known}; run the migrations first")]
    SchemaTooOld {
        /// The stored version.
        found: i64,
        /// The version that this program needs.
        known: i64,
    },
    /// A row does not hold what the program expects.
    #[error("column {column} of {statement} holds something unexpected: {reason}")]
    Decode {
        /// The statement.
        statement: &'static str,
        /// Which column, from 0.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// A unit of work panicked or waited for something; it was rolled back alone.
    #[error("a unit of work failed: {0}")]
    Unit(String),
    /// Something else.
    #[error("the database failed: {}", chain(&**.0))]
    Other(Arc<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Whether a unique index of that name was violated.
    pub fn is_unique(&self, index: &str) -> bool {
        matches!(self, Self::Unique(name) if name == index)
    }

    /// Whether the same unit may succeed when it is run again at once.
    pub(crate) fn is_contention(&self) -> bool {
        matches!(self, Self::Contention)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let rusqlite::Error::SqliteFailure(failure, message) = &error else {
            return Self::Other(Arc::new(error));
        };
        let message = message.clone().unwrap_or_else(|| failure.to_string());
        match failure.code {
            ErrorCode::ConstraintViolation => constraint(failure.extended_code, &message),
            ErrorCode::DiskFull | ErrorCode::ReadOnly => Self::NotWritable(message),
            ErrorCode::SystemIoFailure => Self::NotWritable(message),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt(message),
            ErrorCode::CannotOpen | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                Self::Unavailable(message)
            }
            _ => Self::Other(Arc::new(error)),
        }
    }
}

/// SQLite names the columns of a violated index; the convention makes the index's name of them.
fn constraint(extended_code: i32, message: &str) -> StoreError {
    let unique = matches!(
        extended_code,
        rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
    );
    let last_column =
        message.rsplit([',', ':']).next().and_then(|column| column.trim().split_once('.'));
    match last_column {
        Some((table, column)) if unique => StoreError::Unique(format!("{table}_by_{column}")),
        _ => StoreError::Constraint(message.to_owned()),
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;
        let Some(db) = error.as_db_error() else {
            return Self::Unavailable(chain(&error));
        };
        match db.code() {
            &SqlState::UNIQUE_VIOLATION => {
                Self::Unique(db.constraint().unwrap_or_default().to_owned())
            }
            &SqlState::CHECK_VIOLATION
            | &SqlState::FOREIGN_KEY_VIOLATION
            | &SqlState::NOT_NULL_VIOLATION => {
                Self::Constraint(db.constraint().unwrap_or_default().to_owned())
            }
            &SqlState::T_R_SERIALIZATION_FAILURE
            | &SqlState::T_R_DEADLOCK_DETECTED
            | &SqlState::LOCK_NOT_AVAILABLE => Self::Contention,
            &SqlState::DISK_FULL | &SqlState::READ_ONLY_SQL_TRANSACTION => {
                Self::NotWritable(db.message().to_owned())
            }
            &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => {
                Self::Corrupt(db.message().to_owned())
            }
            &SqlState::QUERY_CANCELED
            | &SqlState::ADMIN_SHUTDOWN
            | &SqlState::CRASH_SHUTDOWN
            | &SqlState::CANNOT_CONNECT_NOW
            | &SqlState::TOO_MANY_CONNECTIONS => Self::Unavailable(db.message().to_owned()),
            _ => Self::Other(Arc::new(error)),
        }
    }
}

/// An error and what caused it. Drivers say the cause only when they are asked for it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some errors repeat their cause.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

impl StoreError {
    pub(crate) fn unavailable(error: impl fmt::Display) -> Self {
        Self::Unavailable(error.to_string())
    }
}
