//! From rows that were seen to a pattern that can be written any number of times.
//!
//! A copy has a number. Whatever identifies it follows from that number; everything else stays as it was seen.

use std::collections::HashMap;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{Change, Row};

/// Ids of what all copies share; they stay as they are.
const SHARED: [&str; 5] = ["ten", "chn", "loc", "cat", "proc"];
/// Ids of one copy at most. An id is the copy's number times this, plus its place.
pub const PLACES_MAX: u32 = 100;
/// Columns that count copies.
const NUMBERS: [(&str, &str); 1] = [("orders", "number")];
/// Where the numbers of purchases begin: above those of articles, so that no two copies share an id, and above
/// those of the shop's own orders.
pub const FIRST_PURCHASE: i64 = 1_000_000_000;

/// The place of each id of a copy, by the part after the prefix: two names of one thing share it.
pub type Places = HashMap<String, u32>;

/// A column of a copy.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// The same in every copy.
    Fixed(Value),
    /// An id of the copy itself.
    Own { prefix: String, place: u32 },
    /// An id of the article that the copy is about.
    Article { prefix: String, place: u32 },
    /// The number of the copy.
    Number,
    /// A text that names the copy by its number, where `token` stands now.
    Text { text: String, token: String },
    /// So much more than before.
    Plus(i64),
}

/// Whose row it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The copy's own; no other copy writes it.
    Own,
    /// The article's; copies about the same article write it.
    Article,
    /// The shop's; every copy writes it.
    Shared,
}

/// A row to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// The table.
    pub table: String,
    /// Whether the row is new.
    pub is_new: bool,
    /// Which row it is.
    pub key: Vec<(String, Cell)>,
    /// The columns: all of a new row, the changed ones of another.
    pub cells: Vec<(String, Cell)>,
}

impl Op {
    /// Whose row it is.
    pub fn scope(&self) -> Scope {
        let has = |wanted: fn(&Cell) -> bool| self.key.iter().any(|(_, cell)| wanted(cell));
        if has(|cell| matches!(cell, Cell::Own { .. } | Cell::Number | Cell::Text { .. })) {
            Scope::Own
        } else if has(|cell| matches!(cell, Cell::Article { .. })) {
            Scope::Article
        } else {
            Scope::Shared
        }
    }
}

/// What is being learned. Ids that were seen keep their places.
#[derive(Debug, Default)]
pub struct Pattern {
    places: Places,
    articles: Places,
    token: Option<String>,
}

impl Pattern {
    /// A pattern of things about articles whose ids have these places.
    pub fn about(articles: &Places) -> Self {
        Self { articles: articles.clone(), ..Self::default() }
    }

    /// A pattern of things whose texts name them by this token.
    pub fn named(token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..Self::default() }
    }

    /// The places of the ids that were seen.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Every write, in its order.
    pub fn steps(&mut self, changes: &[Change]) -> Result<Vec<Op>> {
        changes
            .iter()
            .filter(|change| change.after.is_some())
            .map(|change| self.op(change))
            .collect()
    }

    /// The copy's own rows that were there before.
    pub fn needs(&mut self, changes: &[Change]) -> Result<Vec<Op>> {
        let mut needs = Vec::new();
        for change in collapsed(changes) {
            if change.before.is_some() {
                let whole = Change { after: change.before, before: None, ..change };
                needs.push(self.op(&whole)?);
            }
        }
        needs.retain(|op| op.scope() == Scope::Own);
        Ok(needs)
    }

    /// What is there in the end: the copy's own rows whole, and what changes of the others.
    pub fn rows(&mut self, changes: &[Change]) -> Result<Vec<Op>> {
        let mut ops = Vec::new();
        for change in collapsed(changes).into_iter().filter(|change| change.after.is_some()) {
            let op = self.op(&change)?;
            let is_whole = op.is_new || op.scope() != Scope::Own;
            ops.push(if is_whole { op } else { self.op(&Change { before: None, ..change })? });
        }
        Ok(ops)
    }

    fn op(&mut self, change: &Change) -> Result<Op> {
        let Change { table, key, before, after } = change;
        let empty = Row::new();
        let after = after.as_ref().unwrap_or(&empty);
        let key: Vec<_> = key
            .iter()
            .map(|column| Ok((column.clone(), self.cell(table, column, &after[column])?)))
            .collect::<Result<_>>()?;
        let mut op = Op { table: table.clone(), is_new: before.is_none(), key, cells: Vec::new() };
        let is_own = op.scope() == Scope::Own;
        for (column, now) in after {
            let then = before.as_ref().map(|before| &before[column]);
            if then == Some(now) {
                continue;
            }
            let cell = match (then.and_then(Value::as_i64), now.as_i64()) {
                // What several copies change adds up.
                (Some(then), Some(now)) if !is_own => Cell::Plus(now - then),
                _ => self.cell(table, column, now)?,
            };
            op.cells.push((column.clone(), cell));
        }
        Ok(op)
    }

    fn cell(&mut self, table: &str, column: &str, value: &Value) -> Result<Cell> {
        if NUMBERS.contains(&(table, column)) {
            return Ok(Cell::Number);
        }
        let Value::String(text) = value else { return Ok(Cell::Fixed(value.clone())) };
        if let Some((prefix, body)) = id(text)
            && !SHARED.contains(&prefix)
        {
            let prefix = prefix.to_owned();
            if let Some(&place) = self.articles.get(body) {
                return Ok(Cell::Article { prefix, place });
            }
            let next = u32::try_from(self.places.len())?;
            let place = *self.places.entry(body.to_owned()).or_insert(next);
            ensure!(place < PLACES_MAX, "a copy has more than {PLACES_MAX} ids");
            return Ok(Cell::Own { prefix, place });
        }
        Ok(match &self.token {
            Some(token) if text.contains(token) => {
                Cell::Text { text: text.clone(), token: token.clone() }
            }
            _ => Cell::Fixed(value.clone()),
        })
    }
}

/// One change for each row, from what it was first to what it is last.
fn collapsed(changes: &[Change]) -> Vec<Change> {
    let mut rows: Vec<Change> = Vec::new();
    let mut known: HashMap<(String, String), usize> = HashMap::new();
    for change in changes {
        let row = change.after.as_ref().or(change.before.as_ref());
        let key = change.key.iter().map(|column| row.map_or(&Value::Null, |row| &row[column]));
        let name = (change.table.clone(), key.map(Value::to_string).collect::<Vec<_>>().join("\n"));
        match known.get(&name) {
            Some(&at) => rows[at].after.clone_from(&change.after),
            None => {
                known.insert(name, rows.len());
                rows.push(change.clone());
            }
        }
    }
    rows
}

/// The parts of a text such as `ord_01jd6z3v9q8x7k2m4n5p6r7s8t`.
fn id(text: &str) -> Option<(&str, &str)> {
    let (prefix, body) = text.rsplit_once('_')?;
    let is_body = body.len() == 26
        && body.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    (is_body && !prefix.is_empty()).then_some((prefix, body))
}

#[cfg(test)]
mod tests;
