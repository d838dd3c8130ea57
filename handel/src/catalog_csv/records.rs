//! Records of a CSV file, read in a stream and with a limit on every cell.
//!
//! Knows nothing of products. `csv_core` does the parsing, because a reader that hands out whole
//! records would let one unclosed quote take all memory.

use std::io::{self, ErrorKind, Read};

use csv_core::ReadFieldResult;

/// Most bytes of a cell.
pub(super) const CELL_BYTES_MAX: usize = 1 << 20;
/// Most bytes of a row.
const ROW_BYTES_MAX: usize = 4 * CELL_BYTES_MAX;
/// Most cells of a row that are kept.
const CELLS_MAX: usize = 1_000;
const BUFFER_BYTES: usize = 64 * 1024;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// One record, with a buffer that is used again for the next.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The line of the file where the record starts, from 1.
    pub(super) line: u64,
    /// How many cells the file has here, also those that were not kept.
    pub(super) cell_count: usize,
    /// The first cell that is too long to be kept.
    pub(super) oversized_cell: Option<usize>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Record {
    /// The cells that were kept.
    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).filter_map(|at| self.cell(at))
    }

    pub(super) fn cell(&self, at: usize) -> Option<&[u8]> {
        let start = if at == 0 { 0 } else { *self.ends.get(at - 1)? };
        self.bytes.get(start..*self.ends.get(at)?)
    }

    /// Whether the record lost a part of what the file has.
    pub(super) fn is_oversized(&self) -> bool {
        self.oversized_cell.is_some() || self.cell_count > CELLS_MAX
    }

    fn start(&mut self, line: u64) {
        self.line = line;
        self.cell_count = 0;
        self.oversized_cell = None;
        self.bytes.clear();
        self.ends.clear();
    }

    fn append(&mut self, part: &[u8]) {
        if self.oversized_cell == Some(self.cell_count) || self.cell_count >= CELLS_MAX {
            return;
        }
        let start = self.ends.last().copied().unwrap_or(0);
        let cell_bytes = self.bytes.len() - start + part.len();
        if cell_bytes > CELL_BYTES_MAX || self.bytes.len() + part.len() > ROW_BYTES_MAX {
            self.bytes.truncate(start);
            self.oversized_cell.get_or_insert(self.cell_count);
        } else {
            self.bytes.extend_from_slice(part);
        }
    }

    fn end_cell(&mut self) {
        if self.cell_count < CELLS_MAX {
            self.ends.push(self.bytes.len());
        }
        self.cell_count += 1;
    }
}

/// A stream of records.
pub(super) struct Records<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    parser: csv_core::Reader,
    part: Vec<u8>,
    line: u64,
}

impl<R: Read> Records<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            parser: csv_core::Reader::new(),
            part: vec![0; 8 * 1024],
            line: 1,
        }
    }

    /// Drops the byte order mark of UTF-8, if the file has one. Tells whether it is UTF-16 instead.
    pub(super) fn skip_byte_order_mark(&mut self) -> io::Result<bool> {
        while self.end < BOM.len() {
            let read = read_some(&mut self.input, &mut self.buffer[self.end..])?;
            if read == 0 {
                break;
            }
            self.end += read;
        }
        let head = &self.buffer[..self.end];
        let is_utf16 = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
        if head.starts_with(BOM) {
            self.start = BOM.len();
        }
        Ok(is_utf16)
    }

    /// Reads the next record into `record`; `false` at the end of the file. Empty lines are skipped.
    pub(super) fn read(&mut self, record: &mut Record) -> io::Result<bool> {
        if !self.skip_line_ends()? {
            return Ok(false);
        }
        record.start(self.line);
        loop {
            self.fill()?;
            let input = &self.buffer[self.start..self.end];
            let (result, read, written) = self.parser.read_field(input, &mut self.part);
            self.line += line_ends(&input[..read]);
            self.start += read;
            record.append(&self.part[..written]);
            match result {
                ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
                ReadFieldResult::Field { record_end } => {
                    record.end_cell();
                    if record_end {
                        return Ok(true);
                    }
                }
                ReadFieldResult::End => return Ok(false),
            }
        }
    }

    /// Goes to the next record, so that its first line is known; `false` at the end of the file.
    fn skip_line_ends(&mut self) -> io::Result<bool> {
        loop {
            self.fill()?;
            let input = &self.buffer[self.start..self.end];
            if input.is_empty() {
                return Ok(false);
            }
            let skipped = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.line += line_ends(&input[..skipped]);
            self.start += skipped;
            if self.start < self.end {
                return Ok(true);
            }
        }
    }

    /// Reads more if nothing is left; leaves the buffer empty at the end of the file.
    fn fill(&mut self) -> io::Result<()> {
        if self.start == self.end {
            self.start = 0;
            self.end = read_some(&mut self.input, &mut self.buffer)?;
        }
        Ok(())
    }
}

fn read_some(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}
