//! What the program says to whoever started it: results on the standard output, all else beside it.

use std::io::{self, ErrorKind, Write as _};

use anyhow::{Context as _, Result};
use comfy_table::{Table, presets::NOTHING};

/// Prints a text. A reader that has seen enough and went away is no failure.
pub fn print(text: &str) -> Result<()> {
    let mut output = io::stdout().lock();
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("the standard output cannot be written")
        }
        _ => Ok(()),
    }
}

/// Prints one line.
pub fn line(text: &str) -> Result<()> {
    print(&format!("{text}\n"))
}

/// Prints rows with their columns below each other.
pub fn table<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING).add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    line(&table.trim_fmt())
}

/// Tells something that is not the result of a command.
pub fn note(text: &str) {
    // Nobody is left to be told that this failed.
    let _gone = writeln!(io::stderr().lock(), "{text}");
}

/// Tells why the command failed.
pub fn complain(sentence: &str) {
    note(&format!("handel: {sentence}"));
}
