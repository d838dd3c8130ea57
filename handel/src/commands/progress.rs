//! How far a command is, for people who wait.

use std::io::Read;

use indicatif::{ProgressBar, ProgressBarIter, ProgressStyle};

use crate::console;

/// A bar on the standard error output; invisible where that is no terminal.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar over so many bytes.
    pub(super) fn over_bytes(total: u64) -> Self {
        let bar = ProgressBar::new(total);
        let template = "{bar:32} {percent:>3} %  {bytes} of {total_bytes}, {eta} left  {msg}";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
        Self(bar)
    }

    /// Counts what is read.
    pub(super) fn reading<R: Read>(&self, input: R) -> ProgressBarIter<R> {
        self.0.wrap_read(input)
    }

    /// Says what has been done so far.
    pub(super) fn tell(&self, text: String) {
        self.0.set_message(text);
    }

    /// Prints a line above the bar.
    pub(super) fn note(&self, text: &str) {
        self.0.suspend(|| console::note(text));
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}
