//! One database in two dialects.
//!
//! Owns connections, transactions, values, rows and migrations for SQLite and PostgreSQL behind one
//! statement port: SQL is written once, beside its caller, and runs on both. Refuses to know any
//! table: what the statements mean is the engine's business.
//!
//! A unit of work ([`Database::write`]) commits as a whole or not at all. On SQLite it is polled once, on the
//! writer thread itself, in a transaction that it may share with other units (group commit); it must therefore
//! never wait for anything but its own statements. On both databases it may be run again, after others were
//! faster or failed beside it; it must therefore have no effect outside the transaction.

#![warn(missing_docs)]

mod count;
mod database;
mod error;
mod migrate;
mod postgres;
mod row;
mod sqlite;
mod statement;
mod value;

pub use count::StatementCount;
pub use database::{Backend, Database, DatabaseConfig, PoolStatus, Transaction};
pub use error::StoreError;
pub use inventory;
pub use migrate::{MIGRATIONS, Migration, MigrationReport};
pub use row::{FromColumn, Row};
pub use sqlite::Hand;
pub use statement::{Bound, Lock, Registered, Statement, all_statements};
pub use value::{Json, Value};
