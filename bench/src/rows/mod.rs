//! The rows of a shop, learned from the shop itself.
//!
//! This is the only part of the bench that sees the database, apart from a few names of tables in `compare` and
//! `capacity`. It does not follow the schema: it watches the rows that a real purchase writes, turns them into a
//! pattern in which ids and numbers are open, and writes that pattern many times. So what it writes stays true
//! when the schema changes, and satisfies its constraints.

mod capture;
mod database;
mod learn;
mod pattern;
mod render;

use serde_json::{Map, Value};

pub use capture::Watch;
pub use database::Database;
pub use learn::{product, purchase};
pub use pattern::{Cell, FIRST_PURCHASE, Op, PLACES_MAX, Pattern, Places, Scope};
pub use render::{Dialect, Variables, fill, insert, update, value};

/// The columns of a row.
pub type Row = Map<String, Value>;

/// A row that changed, as the database saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The table.
    pub table: String,
    /// The columns of its primary key.
    pub key: Vec<String>,
    /// What stood there before; none for a new row.
    pub before: Option<Row>,
    /// What stands there now; none for a row that was deleted.
    pub after: Option<Row>,
}
