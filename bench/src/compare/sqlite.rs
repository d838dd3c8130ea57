//! The limit of SQLite: prepared statements on one connection, with the shop's own settings.

use std::time::Instant;

use anyhow::{Context, Result};
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use rusqlite::{Connection, types::Value};

use super::Load;
use crate::rows::{self, Cell, Dialect, Op, PLACES_MAX, Variables};

/// A statement, and the columns that are bound to it.
struct Step<'a> {
    sql: String,
    bound: Vec<&'a Cell>,
}

/// Writes the rows of so many purchases, so many in a commit. Returns how many a second.
#[expect(clippy::float_arithmetic, reason = "a rate is a fraction")]
pub fn run(connection: &Connection, ops: &[Op], load: Load, group: i64) -> Result<f64> {
    let steps: Vec<_> = ops.iter().map(step).collect();
    let mut rng = SmallRng::seed_from_u64(7);
    let begun = Instant::now();
    let mut copy = load.first;
    let end = load.first + load.orders;
    while copy < end {
        connection.prepare_cached("begin immediate")?.execute([])?;
        for copy in copy..end.min(copy + group) {
            let article = rng.random_range(0..load.articles);
            for step in &steps {
                let values = step.bound.iter().map(|cell| value(cell, copy, article));
                connection
                    .prepare_cached(&step.sql)?
                    .execute(rusqlite::params_from_iter(values))
                    .with_context(|| format!("cannot repeat a purchase: {}", step.sql))?;
            }
        }
        connection.prepare_cached("commit")?.execute([])?;
        copy += group;
    }
    Ok(load.orders as f64 / begun.elapsed().as_secs_f64())
}

fn step(op: &Op) -> Step<'_> {
    let mut bound = Vec::new();
    // What is bound again is found again, so that the number of a value is its place.
    for (_, cell) in op.cells.iter().chain(&op.key) {
        if is_open(cell) && !bound.contains(&cell) {
            bound.push(cell);
        }
    }
    let mut write = |cell: &Cell| match bound.iter().position(|known| *known == cell) {
        Some(at) => format!("?{}", at + 1),
        None => rows::value(cell, Dialect::Sqlite, Variables { copy: "0", article: "0" }),
    };
    let sql =
        if op.is_new { rows::insert(op, &mut write) } else { rows::update(op, 1, &mut write) };
    Step { sql, bound }
}

fn is_open(cell: &Cell) -> bool {
    matches!(cell, Cell::Own { .. } | Cell::Article { .. } | Cell::Number)
}

fn value(cell: &Cell, copy: i64, article: i64) -> Value {
    let id = |prefix, number, place| {
        Value::Text(format!("{prefix}_{:026}", number * i64::from(PLACES_MAX) + i64::from(place)))
    };
    match cell {
        Cell::Own { prefix, place } => id(prefix, copy, *place),
        Cell::Article { prefix, place } => id(prefix, article, *place),
        Cell::Number => Value::Integer(copy),
        Cell::Fixed(_) | Cell::Text { .. } | Cell::Plus(_) => Value::Null,
    }
}
