//! Several rows in one statement: inserts that follow one another and differ in their values only. A row in
//! a statement of its own costs the server several times as much as one more row in a statement.

use std::sync::OnceLock;

use crate::{statement::Bound, value::Value};

/// How many rows a statement may have. Few numbers, since each connection prepares a text for each.
const SIZES: [usize; 4] = [64, 16, 4, 2];

/// What is sent as one statement.
pub(super) struct Run<'b> {
    pub(super) text: &'static str,
    pub(super) values: Vec<&'b Value>,
    /// How many of the statements it stands for.
    pub(super) bounds: usize,
}

/// Puts inserts that follow one another into one. The order of everything stays as it is.
pub(super) fn runs(bounds: &[Bound]) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    let same = |a: &Bound, b: &Bound| std::ptr::eq(a.statement, b.statement);
    for mut rest in bounds.chunk_by(same) {
        while let Some(first) = rest.first() {
            let size = SIZES.iter().copied().find(|size| *size <= rest.len());
            let found = size.and_then(|size| Some((size, first.statement.of_rows(size)?)));
            let (count, text) = found.unwrap_or_else(|| (1, first.statement.for_postgres()));
            let (taken, left) = rest.split_at(count);
            let values = taken.iter().flat_map(|bound| &bound.values).collect();
            runs.push(Run { text, values, bounds: count });
            rest = left;
        }
    }
    runs
}

/// The texts of an insert with several rows.
pub(crate) struct OfRows([OnceLock<Option<Box<str>>>; SIZES.len()]);

impl OfRows {
    pub(crate) const fn new() -> Self {
        Self([const { OnceLock::new() }; SIZES.len()])
    }

    /// The text with so many rows; none where `text` is more than a plain insert of one row.
    pub(crate) fn get(&self, text: &str, rows: usize) -> Option<&str> {
        let at = SIZES.iter().position(|size| *size == rows)?;
        self.0[at].get_or_init(|| with_rows(text, rows).map(Into::into)).as_deref()
    }
}

/// Repeats the row of a plain insert. One that says what happens on a conflict, or returns something, is
/// not plain: how many rows it changes is not known beforehand.
fn with_rows(text: &str, rows: usize) -> Option<String> {
    let text = text.trim();
    let (head, row) = text.split_once(" values (").or_else(|| text.split_once("\n values ("))?;
    let row = row.strip_suffix(')')?;
    let plain = head.starts_with("insert into ")
        && !["select ", " conflict", "returning"].iter().any(|word| text.contains(word));
    if !plain {
        return None;
    }
    let numbers = row.split('$').skip(1).filter_map(number);
    let parameters = numbers.map(|(number, _)| number).max()?;
    let tuples: Vec<_> = (0..rows).map(|at| format!("({})", shift(row, at * parameters))).collect();
    Some(format!("{head} values {}", tuples.join(", ")))
}

/// Adds to the number of each parameter.
fn shift(row: &str, by: usize) -> String {
    let mut parts = row.split('$');
    let mut shifted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match number(part) {
            Some((number, rest)) => shifted.push_str(&format!("${}{rest}", number + by)),
            None => shifted.push_str(&format!("${part}")),
        }
    }
    shifted
}

/// The number of a parameter, and what comes after it.
fn number(part: &str) -> Option<(usize, &str)> {
    let digits = part.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = part.split_at(digits);
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::{Lock, Statement};

    static PLAIN: Statement = Statement::new(
        "plain",
        "insert into t (a, b, c) values ($1, $2, $2)",
        "insert into t (a, b, c) values ($1, $2, $2)",
        Lock::None,
    );
    static OTHER: Statement =
        Statement::new("other", "update t set a = $1", "update t set a = $1", Lock::None);

    fn plain(a: i64) -> Bound {
        PLAIN.bind(vec![Value::Int(Some(a)), Value::Int(Some(-a))])
    }

    #[test]
    fn inserts_in_a_row_become_one_and_the_order_stays() {
        let mut bounds: Vec<Bound> = (0..7).map(plain).collect();
        bounds.insert(1, OTHER.bind(vec![Value::Int(Some(9))]));
        let runs = runs(&bounds);
        let sent: Vec<_> = runs.iter().map(|run| run.bounds).collect();
        assert_eq!(sent, [1, 1, 4, 2]);
        assert_eq!(runs[3].text, "insert into t (a, b, c) values ($1, $2, $2), ($3, $4, $4)");
        let values: Vec<_> = runs.iter().flat_map(|run| run.values.clone()).collect();
        let given: Vec<_> = bounds.iter().flat_map(|bound| &bound.values).collect();
        assert_eq!(format!("{values:?}"), format!("{given:?}"));
    }

    #[test]
    fn what_may_change_no_row_or_return_one_stays_alone() {
        for text in [
            "insert into t (a) values ($1) on conflict do nothing",
            "insert into t (a) values ($1) returning a",
            "insert into t (a) select $1",
            "update t set a = $1",
        ] {
            assert_eq!(with_rows(text, 2), None, "{text}");
        }
    }
}
