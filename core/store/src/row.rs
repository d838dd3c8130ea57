//! Rows, and how columns become Rust values.

use handel_domain::{
    Currency, Id,
    id::Kind,
    text::{Email, Sku, Slug},
};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::{
    error::StoreError,
    postgres::{PostgresJson, PostgresTime},
    statement::Statement,
    value::Json,
};

/// A row of a result. Columns are counted from 0, in the order of the select list.
pub struct Row {
    pub(crate) statement: &'static Statement,
    pub(crate) columns: Columns,
}

pub(crate) enum Columns {
    Postgres(tokio_postgres::Row),
    Sqlite(Box<[rusqlite::types::Value]>),
}

/// A raw column: what the database gave, before it is understood.
pub struct Column<'r>(Raw<'r>, usize);

enum Raw<'r> {
    Postgres(&'r tokio_postgres::Row),
    Sqlite(&'r rusqlite::types::Value),
}

/// A type that a column can become.
pub trait FromColumn: Sized {
    /// Understands a column; the text says what is wrong with it.
    fn from_column(column: &Column<'_>) -> Result<Self, String>;
}

impl Row {
    /// The value of a column. Fails where it is not of the expected type.
    pub fn get<T: FromColumn>(&self, column: usize) -> Result<T, StoreError> {
        let raw = match &self.columns {
            Columns::Postgres(row) => Raw::Postgres(row),
            Columns::Sqlite(values) => {
                Raw::Sqlite(values.get(column).unwrap_or(&rusqlite::types::Value::Null))
            }
        };
        T::from_column(&Column(raw, column)).map_err(|reason| StoreError::Decode {
            statement: self.statement.name(),
            column,
            reason,
        })
    }
}

impl Column<'_> {
    fn is_null(&self) -> bool {
        match &self.0 {
            Raw::Postgres(row) => matches!(row.try_get::<_, Option<AnyNull>>(self.1), Ok(None)),
            Raw::Sqlite(value) => matches!(value, rusqlite::types::Value::Null),
        }
    }

    fn text(&self) -> Result<&str, String> {
        match &self.0 {
            Raw::Postgres(row) => row.try_get(self.1).map_err(|error| error.to_string()),
            Raw::Sqlite(rusqlite::types::Value::Text(text)) => Ok(text),
            Raw::Sqlite(_) => Err("not a text".to_owned()),
        }
    }
}

/// Accepts any type, to see whether a column is null.
struct AnyNull;

impl<'a> tokio_postgres::types::FromSql<'a> for AnyNull {
    fn from_sql(
        _: &tokio_postgres::types::Type,
        _: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self)
    }

    fn accepts(_: &tokio_postgres::types::Type) -> bool {
        true
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    fn from_column(column: &Column<'_>) -> Result<Self, String> {
        if column.is_null() { Ok(None) } else { T::from_column(column).map(Some) }
    }
}

impl FromColumn for i64 {
    fn from_column(column: &Column<'_>) -> Result<Self, String> {
        match &column.0 {
            Raw::Postgres(row) => row.try_get(column.1).map_err(|error| error.to_string()),
            Raw::Sqlite(rusqlite::types::Value::Integer(number)) => Ok(*number),
            Raw::Sqlite(_) => Err("not a number".to_owned()),
        }
    }
}

impl FromColumn for u32 {
    fn from_column(column: &Column<'_>) -> Result<Self, String> {
        i64::from_column(column)?.try_into().map_err(|_| "out of range".to_owned())
    }
}

impl FromColumn for bool {
    fn from_column(column: &Column<'_>) -> Result<Self, String> {
        match &column.0 {
            Raw::Postgres(row) => row.try_get(column.1).map_err(|error| error.to_string()),
            Raw::Sqlite(rusqlite::types::Value::Integer(number @ 0..=1)) => Ok(*number == 1),
            Raw::Sqlite(_) => Err("not a truth value".to_owned()),
        }
    }
}

impl FromColumn for String {
    fn from_column(column: &Column<'_>) -> Result<Self, String> {
        column.text().map(str::to_owned)
    }
}

impl FromColumn for Vec<u8> {
    fn from_column(column: &Column<'_>) -> Result<Self, String> {
        match &column.0 {
            Raw::Postgres(row) => row.try_get(column.1).map_err(|error| error.to_string()),
            Raw::Sqlite(rusqlite::types::Value::Blob(bytes)) => Ok(bytes.clone()),
            Raw::Sqlite(_) => Err("not bytes".to_owned()),
        }
    }
}

impl FromColumn for Timestamp {
    fn from_column(column: &Column<'_>) -> Result<Self, String> {
        match &column.0 {
            Raw::Postgres(row) => row
                .try_get::<_, PostgresTime>(column.1)
                .map(|time| time.0)
                .map_err(|error| error.to_string()),
            Raw::Sqlite(_) => {
                column.text()?.parse().map_err(|error: jiff::Error| error.to_string())
            }
        }
    }
}

impl<K: Kind> FromColumn for Id<K> {
    fn from_column(column: &Column<'_>) -> Result<Self, String> {
        column.text()?.parse().map_err(|error| format!("{error}"))
    }
}

impl<T: DeserializeOwned> FromColumn for Json<T> {
    fn from_column(column: &Column<'_>) -> Result<Self, String> {
        let parsed = match &column.0 {
            Raw::Postgres(row) => {
                let json: PostgresJson<'_> =
                    row.try_get(column.1).map_err(|error| error.to_string())?;
                serde_json::from_str(json.0)
            }
            Raw::Sqlite(_) => serde_json::from_str(column.text()?),
        };
        parsed.map(Json).map_err(|error| error.to_string())
    }
}

/// Columns that hold a text with a rule.
macro_rules! parsed_column {
    ($($type:ty),*) => {$(
        impl FromColumn for $type {
            fn from_column(column: &Column<'_>) -> Result<Self, String> {
                column.text()?.parse().map_err(|refusal: handel_domain::Refusal| refusal.to_string())
            }
        }
    )*};
}

parsed_column!(Currency, Slug, Sku, Email);
