//! Values on PostgreSQL's wire.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use jiff::{SignedDuration, Timestamp};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::value::Value;

type Anything = Box<dyn Error + Sync + Send>;

/// PostgreSQL counts microseconds from the year 2000, in seconds of Unix time.
const EPOCH_UNIX_SECONDS: i64 = 946_684_800;

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Anything> {
        match self {
            Self::Bool(value) => value.to_sql(kind, out),
            Self::Int(value) if *kind == Type::INT4 => {
                value.map(i32::try_from).transpose()?.to_sql(kind, out)
            }
            Self::Int(value) => value.to_sql(kind, out),
            Self::Text(value) => value.to_sql(kind, out),
            Self::Bytes(value) => value.to_sql(kind, out),
            Self::List(texts) => texts.to_sql(kind, out),
            Self::Json(None) | Self::Time(None) => Ok(IsNull::Yes),
            Self::Json(Some(json)) => {
                // The binary form of jsonb is a version and the text.
                out.put_u8(1);
                out.put_slice(json.as_bytes());
                Ok(IsNull::No)
            }
            Self::Time(Some(time)) => {
                let micros = time.as_microsecond() - EPOCH_UNIX_SECONDS * 1_000_000;
                micros.to_sql(&Type::INT8, out)
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        // Each variant writes the form of exactly one type; a statement with another is refused when it
        // is prepared or first run, and a test prepares them all.
        true
    }

    to_sql_checked!();
}

/// The text of a `jsonb`.
pub(crate) struct PostgresJson<'a>(pub(crate) &'a str);

impl<'a> FromSql<'a> for PostgresJson<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Anything> {
        match raw.split_first() {
            Some((1, text)) => Ok(Self(std::str::from_utf8(text)?)),
            _ => Err("an unknown form of jsonb".into()),
        }
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::JSONB
    }
}

/// A `timestamptz`.
pub(crate) struct PostgresTime(pub(crate) Timestamp);

impl<'a> FromSql<'a> for PostgresTime {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Anything> {
        let micros = i64::from_sql(&Type::INT8, raw)?;
        let epoch = Timestamp::from_second(EPOCH_UNIX_SECONDS)?;
        Ok(Self(epoch.checked_add(SignedDuration::from_micros(micros))?))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }
}
