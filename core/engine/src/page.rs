//! Lists that are read page by page, newest first, from where the last page ended.

use handel_domain::{Refusal, refusal::FieldErrors};
use handel_store::{Bound, Row, StoreError, Transaction};
use serde::{Deserialize, Serialize};

use crate::{Engine, Error};

/// Most entries of a page.
pub(crate) const LIMIT_MAX: u32 = 100;
/// Sorts after every id.
const LAST: &str = "\u{7f}";

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// What to ask for the next page; none on the last one.
    pub next_cursor: Option<String>,
}

impl Engine {
    /// Reads a page by id, newest first. `bind` gets the id to go on after and how many rows to read; the
    /// first column of its statement is the id.
    pub(crate) async fn page<T: Send + 'static>(
        &self,
        list_id: &str,
        cursor: Option<String>,
        limit: u32,
        bind: impl Fn(String, i64) -> Bound + Send + Sync + 'static,
        read: fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Page<T>, Error> {
        check_limit(limit)?;
        let after = match &cursor {
            Some(cursor) => self.0.signer.read_cursor(list_id, cursor)?,
            None => LAST.to_owned(),
        };
        let (items, last) = self
            .database()
            .read(async move |tx: &mut Transaction<'_>| {
                let rows = tx.rows(bind(after.clone(), i64::from(limit) + 1)).await?;
                let here = &rows[..rows.len().min(limit as usize)];
                let last = here.last().filter(|_| rows.len() > here.len());
                let last = last.map(|row| row.get::<String>(0)).transpose()?;
                Ok::<_, Error>((here.iter().map(read).collect::<Result<Vec<_>, _>>()?, last))
            })
            .await?;
        Ok(Page { items, next_cursor: last.map(|last| self.0.signer.cursor(list_id, &last)) })
    }
}

/// Refuses pages that are empty or too large.
pub(crate) fn check_limit(limit: u32) -> Result<(), Refusal> {
    let mut errors = FieldErrors::default();
    errors.check((1..=LIMIT_MAX).contains(&limit), "/limit", format!("must be 1 to {LIMIT_MAX}"));
    errors.finish()
}
