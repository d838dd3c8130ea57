//! What happened second by second, in a file that can be drawn and kept.

use std::{
    fmt,
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::{task::JoinHandle, time};

use crate::{
    server::memory_of,
    stats::{Histogram, ms},
};

/// The columns of the file.
pub const HEADER: &str =
    "second,iterations,requests,p50_ms,p99_ms,failed,refused,missed,server_memory_mb";
const SECOND: Duration = Duration::from_secs(1);

/// What was counted since it was last looked at. All clients share it.
#[derive(Debug, Default)]
pub struct Window(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    iterations: Histogram,
    requests: u64,
    failed: u64,
    refused: u64,
    missed: u64,
}

impl Window {
    /// An iteration ended well after so long, or not at all.
    pub fn iteration(&self, elapsed: Option<Duration>) {
        self.count(|counts| match elapsed {
            Some(elapsed) => counts.iterations.record(elapsed),
            None => counts.failed += 1,
        });
    }

    /// A request was answered with a success, or not.
    pub fn request(&self, is_success: bool) {
        self.count(|counts| {
            counts.requests += 1;
            counts.refused += u64::from(!is_success);
        });
    }

    /// An iteration found no place.
    pub fn missed(&self) {
        self.count(|counts| counts.missed += 1);
    }

    fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn take(&self) -> Counts {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut counts)
    }
}

/// A second of a run.
struct Second {
    number: u64,
    counts: Counts,
    memory_mb: Option<u64>,
}

impl fmt::Display for Second {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { iterations, requests, failed, refused, missed } = &self.counts;
        let [p50_ms, p99_ms] = [500, 990].map(|per_mille| ms(iterations.quantile_us(per_mille)));
        let count = iterations.count();
        write!(
            f,
            "{},{count},{requests},{p50_ms:.3},{p99_ms:.3},{failed},{refused},{missed},",
            self.number
        )?;
        self.memory_mb.map_or(Ok(()), |mb| write!(f, "{mb}"))
    }
}

/// Writes a line each second until it is dropped, so that a run that breaks off leaves what it had.
pub struct Series {
    /// What clients count in.
    pub window: Arc<Window>,
    writing: JoinHandle<()>,
}

impl Series {
    /// Begins a file about a run on these servers.
    pub fn begin(path: &Path, servers: Vec<u32>) -> Result<Self> {
        let file =
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut file = BufWriter::new(file);
        writeln!(file, "{HEADER}")?;
        let window = Arc::new(Window::default());
        let writing = tokio::spawn(write(file, window.clone(), servers));
        Ok(Self { window, writing })
    }
}

impl Drop for Series {
    fn drop(&mut self) {
        self.writing.abort();
    }
}

async fn write(mut file: BufWriter<File>, window: Arc<Window>, servers: Vec<u32>) {
    let mut ticks = time::interval_at((Instant::now() + SECOND).into(), SECOND);
    for number in 1.. {
        ticks.tick().await;
        let memory_mb = servers.iter().map(|id| memory_of(*id)).sum::<Option<u64>>();
        let memory_mb = memory_mb.filter(|_| !servers.is_empty());
        let second = Second { number, counts: window.take(), memory_mb };
        if writeln!(file, "{second}").and_then(|()| file.flush()).is_err() {
            eprintln!("the series cannot be written on; the run goes on without it");
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holds_what_was_counted_since_the_last_one() {
        let window = Window::default();
        window.iteration(Some(Duration::from_millis(2)));
        window.iteration(None);
        window.request(true);
        window.request(false);
        window.missed();
        let second = Second { number: 1, counts: window.take(), memory_mb: Some(50) };
        assert_eq!(second.to_string(), "1,1,2,2.000,2.000,1,1,1,50");
        let second = Second { number: 2, counts: window.take(), memory_mb: None };
        assert_eq!(second.to_string(), "2,0,0,0.000,0.000,0,0,0,");
        assert_eq!(second.to_string().split(',').count(), HEADER.split(',').count());
    }
}
