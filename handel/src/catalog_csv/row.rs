//! One row of a file as text.

use std::str;

use super::{
    column::{Column, Header, OPTION_VALUES},
    formula::{Content, unguarded},
    problems::RowError,
    records::{CELL_BYTES_MAX, Record},
};

/// Most bytes of a cell that every row of a product may have, so that a product stays small.
const SHORT_BYTES_MAX: usize = 2_048;

/// Cells of which at least one is filled in where a row is a variant.
const VARIANT_SIGNS: [Column; 4] = [Column::Sku, Column::Price, Column::Quantity, Column::Barcode];

/// A row whose cells are as many as the header has, and text.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) header: &'a Header,
    pub(super) line: u64,
    cells: Vec<&'a str>,
}

impl<'a> Row<'a> {
    /// Takes a record as a row of the table, or tells why it is none.
    pub(super) fn decode(header: &'a Header, record: &'a Record) -> Result<Self, RowError> {
        let line = record.line;
        let error = |position: Option<usize>, reason: String| {
            let column = position.and_then(|at| header.name_at(at)).map(str::to_owned);
            RowError { line, column, reason }
        };
        if let Some(position) = record.oversized_cell {
            let reason = format!(
                "the cell is longer than {CELL_BYTES_MAX} bytes, or the whole row is too long; \
                 a closing quote may be missing"
            );
            return Err(error(Some(position), reason));
        }
        let width = header.width();
        if record.cell_count != width {
            let reason =
                format!("the row has {} cells, but the header has {width}", record.cell_count);
            return Err(error(None, reason));
        }
        let mut cells = Vec::with_capacity(width);
        for (position, cell) in record.cells().enumerate() {
            let text = str::from_utf8(cell)
                .map_err(|_| error(Some(position), "the cell is not UTF-8".to_owned()))?;
            cells.push(text);
        }
        Ok(Self { header, line, cells })
    }

    /// Whether every cell is empty, as spreadsheets leave behind below a table.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }

    /// The text of a cell, trimmed; empty where the file lacks the column.
    pub(super) fn text(&self, column: Column) -> &'a str {
        let content = match column {
            Column::Sku | Column::Barcode => Content::Code,
            _ => Content::Text,
        };
        let cell = self.header.position(column).and_then(|at| self.cells.get(at));
        unguarded(cell.copied().unwrap_or_default().trim(), content).trim()
    }

    /// The text of a cell that is kept for each row; refused where it is too long for that.
    pub(super) fn short(&self, column: Column) -> Result<&'a str, RowError> {
        let text = self.text(column);
        if text.len() > SHORT_BYTES_MAX {
            let reason = format!("must not be longer than {SHORT_BYTES_MAX} bytes");
            return Err(self.error(column, reason));
        }
        Ok(text)
    }

    /// The text of a cell by its position.
    pub(super) fn text_at(&self, position: usize) -> &'a str {
        self.cells.get(position).copied().unwrap_or_default().trim()
    }

    /// Whether the row describes a variant, rather than only one more picture.
    pub(super) fn has_variant(&self) -> bool {
        VARIANT_SIGNS.into_iter().chain(OPTION_VALUES).any(|column| !self.text(column).is_empty())
    }

    /// What is wrong with a cell of this row.
    pub(super) fn error(&self, column: Column, reason: impl Into<String>) -> RowError {
        let column = Some(column.name().to_owned());
        RowError { line: self.line, column, reason: reason.into() }
    }
}
