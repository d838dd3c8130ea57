//! What is wrong with rows, told in the words of the file.

use std::fmt;

/// What is wrong with one row of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// The line of the file where the row starts; the header is usually line 1.
    pub line: u64,
    /// The column at fault; none if it is the row as a whole.
    pub column: Option<String>,
    /// What is wrong, as a lowercase fragment.
    pub reason: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", {column}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// The problems of one product, bounded however many rows it has.
#[derive(Debug, Default)]
pub(super) struct Problems {
    listed: Vec<RowError>,
    unlisted: u64,
}

impl Problems {
    const LISTED_MAX: usize = 100;

    pub(super) fn push(&mut self, error: RowError) {
        if self.listed.len() < Self::LISTED_MAX {
            self.listed.push(error);
        } else {
            self.unlisted += 1;
        }
    }

    /// The problems in the order of the file; the last one counts those that were too many to list.
    pub(super) fn into_vec(self) -> Vec<RowError> {
        let Self { mut listed, unlisted } = self;
        listed.sort_by_key(|error| error.line);
        if let Some(last) = listed.last().filter(|_| unlisted > 0) {
            let reason = format!("and {unlisted} more problems with this product");
            listed.push(RowError { line: last.line, column: None, reason });
        }
        listed
    }
}
