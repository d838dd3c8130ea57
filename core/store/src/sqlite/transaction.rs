//! Statements on SQLite.

use jiff::Timestamp;
use rusqlite::{
    Connection, ToSql,
    types::{ToSqlOutput, Value as SqliteValue, ValueRef},
};

use crate::{
    error::StoreError,
    row::{Columns, Row},
    statement::Bound,
    value::Value,
};

pub(crate) struct SqliteTransaction<'b> {
    /// Exclusive, although SQLite would share it, because only an exclusive reference may cross threads.
    connection: &'b mut Connection,
    failed: Option<StoreError>,
    changed: bool,
}

impl<'b> SqliteTransaction<'b> {
    pub(super) fn new(connection: &'b mut Connection) -> Self {
        Self { connection, failed: None, changed: false }
    }

    /// What failed first, if anything did, and whether anything may have been changed.
    pub(super) fn end(self) -> (Option<StoreError>, bool) {
        (self.failed, self.changed)
    }

    fn note<T>(&mut self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        outcome.map_err(|error| self.fail(error))
    }

    /// From here on the unit cannot commit.
    pub(crate) fn fail(&mut self, error: StoreError) -> StoreError {
        self.failed.get_or_insert_with(|| error.clone());
        error
    }

    pub(crate) fn rows_all(&mut self, bounds: &[Bound]) -> Result<Vec<Vec<Row>>, StoreError> {
        let outcome = bounds.iter().map(|bound| self.rows(bound)).collect();
        self.note(outcome)
    }

    fn rows(&mut self, bound: &Bound) -> Result<Vec<Row>, StoreError> {
        let mut prepared = self.connection.prepare_cached(bound.statement.for_sqlite())?;
        let columns = prepared.column_count();
        self.changed |= !prepared.readonly();
        let mut found = prepared.query(rusqlite::params_from_iter(&bound.values))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let values =
                (0..columns).map(|at| row.get(at)).collect::<Result<Box<[SqliteValue]>, _>>()?;
            rows.push(Row { statement: bound.statement, columns: Columns::Sqlite(values) });
        }
        Ok(rows)
    }

    pub(crate) fn run_all(&mut self, bounds: &[Bound]) -> Result<Vec<u64>, StoreError> {
        self.changed = true;
        let run = |bound: &Bound| {
            let mut prepared = self.connection.prepare_cached(bound.statement.for_sqlite())?;
            let changed = prepared.execute(rusqlite::params_from_iter(&bound.values))?;
            Ok(u64::try_from(changed).unwrap_or(u64::MAX))
        };
        let outcome = bounds.iter().map(run).collect();
        self.note(outcome)
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.changed = true;
        let outcome = self.connection.execute_batch(sql).map_err(StoreError::from);
        self.note(outcome)
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = |text: &'_ str| ToSqlOutput::Owned(SqliteValue::Text(text.to_owned()));
        Ok(match self {
            Self::Bool(Some(flag)) => ToSqlOutput::Owned(SqliteValue::Integer(i64::from(*flag))),
            Self::Int(Some(number)) => ToSqlOutput::Owned(SqliteValue::Integer(*number)),
            Self::Text(Some(value)) | Self::Json(Some(value)) => {
                ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes()))
            }
            Self::Time(Some(time)) => text(&format_time(*time)),
            Self::Bytes(Some(bytes)) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::List(texts) => text(&serde_json::to_string(texts).expect("texts are JSON")),
            Self::Bool(None)
            | Self::Int(None)
            | Self::Text(None)
            | Self::Json(None)
            | Self::Time(None)
            | Self::Bytes(None) => ToSqlOutput::Owned(SqliteValue::Null),
        })
    }
}

/// RFC 3339 with six digits of a second and always the same width, so that texts sort as times do.
fn format_time(time: Timestamp) -> String {
    format!("{time:.6}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_width() {
        let texts = [0, 1, 1_000_000, 1_764_000_000_123_456]
            .map(|micros| format_time(Timestamp::from_microsecond(micros).expect("in range")));
        assert_eq!(texts[0], "1970-01-01T00:00:00.000000Z");
        assert_eq!(texts[1], "1970-01-01T00:00:00.000001Z");
        assert!(texts.iter().all(|text| text.len() == 27));
        assert!(texts.is_sorted());
    }
}
