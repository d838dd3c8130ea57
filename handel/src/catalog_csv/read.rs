//! Reads a file as a stream of products.

use std::{
    collections::VecDeque,
    io::{self, Read},
};

use handel_domain::{
    Currency,
    catalog::ProductInput,
    text::{self, Sku, Slug},
};

use super::{
    assemble::assemble,
    column::{Column, Header},
    draft::Draft,
    problems::RowError,
    records::{Record, Records},
    row::Row,
    sku::Seen,
};

/// Why a file cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read the file")]
    Io(#[from] io::Error),
    #[error("the file is empty")]
    Empty,
    #[error("the file is encoded as UTF-16; save it as CSV in UTF-8")]
    Utf16,
    #[error("the header is too long; the file may not be CSV")]
    HeaderTooLong,
    #[error("the file lacks the columns {}", .0.join(", "))]
    ColumnsMissing(Vec<&'static str>),
}

/// What a file has next.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A product of which at least one variant can be sold.
    Product(Box<ImportedProduct>),
    /// Rows that make no product; at least one error, in the order of the file.
    Rejected(Vec<RowError>),
}

/// A product of a file. Its `input` passes `Product::create` once categories are added.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedProduct {
    /// The line where its first row starts.
    pub line: u64,
    /// Its slug; also set in `input`.
    pub handle: Slug,
    /// The product, without `category_ids`.
    pub input: ProductInput,
    /// Names of categories, or paths such as `Kitchen > Knives` from the top.
    pub category_names: Vec<String>,
    /// How many are on hand, for the variants whose quantity the file has.
    pub stock: Vec<(Sku, i64)>,
    /// Rows that were left out.
    pub rejected: Vec<RowError>,
    /// What was changed or left out although its row was taken.
    pub warnings: Vec<RowError>,
}

/// Reads products in the order of the file; a row that belongs to none comes as soon as it is read.
///
/// Consecutive rows with one handle make a product. A bad row never ends the reading: it is told by
/// its line, and the rest of its product is kept. Only a failing input ends the iteration early.
pub struct Reader<R> {
    records: Records<R>,
    record: Record,
    header: Header,
    currency: Currency,
    draft: Option<Draft>,
    ready: VecDeque<Item>,
    handles: Seen,
    skus: Seen,
    has_ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the header. `currency` is that of `Variant Price`, which the file does not say.
    pub fn new(input: R, currency: Currency) -> Result<Self, Error> {
        let mut records = Records::new(input);
        let mut record = Record::default();
        if records.skip_byte_order_mark()? {
            return Err(Error::Utf16);
        }
        if !records.read(&mut record)? {
            return Err(Error::Empty);
        }
        Ok(Self {
            header: Header::parse(&record, currency)?,
            records,
            record,
            currency,
            draft: None,
            ready: VecDeque::new(),
            handles: Seen::default(),
            skus: Seen::default(),
            has_ended: false,
        })
    }

    /// The columns that are not understood, in the order of the file. Worth one warning.
    pub fn ignored_columns(&self) -> &[String] {
        &self.header.ignored
    }

    /// Reads one record, which may make items ready.
    fn advance(&mut self) -> io::Result<()> {
        if !self.records.read(&mut self.record)? {
            self.has_ended = true;
            self.end_product();
            return Ok(());
        }
        match Row::decode(&self.header, &self.record) {
            Ok(row) if row.is_blank() => {}
            Ok(row) if row.text(Column::Handle).is_empty() => {
                let error = row.error(Column::Handle, "must not be empty");
                self.ready.push_back(Item::Rejected(vec![error]));
            }
            Ok(row) => {
                let handle = row.text(Column::Handle);
                if self.draft.as_ref().is_none_or(|draft| draft.handle != handle) {
                    if let Some(draft) = self.draft.take() {
                        self.ready.push_back(assemble(draft, &mut self.skus));
                    }
                    let is_new = self.handles.note(&key(handle));
                    self.draft = Some(Draft::new(row.line, handle, !is_new));
                }
                if let Some(draft) = &mut self.draft {
                    draft.add(&row, self.currency);
                }
            }
            Err(error) => match &mut self.draft {
                Some(draft) if is_row_of(draft, &self.header, &self.record) => {
                    draft.rejected.push(error);
                }
                _ => self.ready.push_back(Item::Rejected(vec![error])),
            },
        }
        Ok(())
    }

    fn end_product(&mut self) {
        if let Some(draft) = self.draft.take() {
            self.ready.push_back(assemble(draft, &mut self.skus));
        }
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Item, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(Ok(item));
            }
            if self.has_ended {
                return None;
            }
            if let Err(error) = self.advance() {
                self.has_ended = true;
                return Some(Err(error.into()));
            }
        }
    }
}

/// Whether a row that cannot be read still names the handle of a product.
fn is_row_of(draft: &Draft, header: &Header, record: &Record) -> bool {
    let cell = header.position(Column::Handle).and_then(|at| record.cell(at));
    cell.is_some_and(|cell| cell.trim_ascii() == draft.handle.as_bytes())
}

/// What no two products of a file may share: the slug, or the handle where no slug can be made.
fn key(handle: &str) -> String {
    Some(text::slugify(handle)).filter(|slug| !slug.is_empty()).unwrap_or_else(|| handle.to_owned())
}
