//! What a run brought, as numbers that can be kept and compared.

mod table;

use std::{fmt::Display, fs, path::Path, thread, time::Duration};

use anyhow::{Context, Result};
use jiff::Zoned;
use serde::Serialize;

pub use table::print;

use crate::{
    capacity::Capacity,
    check::{Finding, Verdict},
    compare::Comparison,
    load::Outcome,
    stats::{Histogram, Stats, Step, ms},
};

const FORMAT: u32 = 1;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The shape of this document. Fields may be added under the same number; none is renamed or removed.
    pub format: u32,
    /// Where it was measured.
    pub environment: Environment,
    /// One run after another.
    pub runs: Vec<Run>,
    /// The shop beside what its storage can do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<Comparison>,
    /// Shops of several sizes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capacities: Vec<Capacity>,
    /// Whether every promise was kept.
    pub holds: bool,
}

/// Where it was measured.
#[derive(Debug, Serialize)]
pub struct Environment {
    /// When.
    pub date: String,
    /// Cores of the machine, which the servers and this program share.
    pub cores: usize,
    /// Threads of this program.
    pub threads: usize,
    /// The database and the servers.
    pub backend: String,
    /// Whether this program was built to be fast.
    pub build: &'static str,
}

/// One run.
#[derive(Debug, Serialize)]
pub struct Run {
    /// What the clients did.
    pub scenario: String,
    /// How many there were; in an open loop, how many there were at most.
    pub clients: usize,
    /// How many iterations were begun in a second, in an open loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    /// Iterations of an open loop that were not begun, because too many were under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed: Option<u64>,
    /// How long was measured.
    pub seconds: f64,
    /// Iterations that went well, per second.
    pub iterations_per_second: f64,
    /// Requests that were answered, per second.
    pub requests_per_second: f64,
    /// Whole iterations.
    pub iteration: Latency,
    /// Iterations that ended early.
    pub failed: u64,
    /// Answers that were mistakes of the server.
    pub server_errors: u64,
    /// Requests that were answered with a success.
    pub accepted: Latency,
    /// Requests that were answered with 503.
    pub turned_away: Latency,
    /// What the servers kept in memory at the end, in megabytes.
    pub server_memory_mb: Option<u64>,
    /// Requests by kind.
    pub steps: Vec<StepLatency>,
    /// What went wrong.
    pub errors: Vec<ErrorCount>,
    /// What is peculiar to the scenario.
    pub facts: Vec<Fact>,
    /// Promises, kept or broken.
    pub findings: Vec<Finding>,
}

/// How long something took, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latency {
    /// How often it was done.
    pub count: u64,
    /// Half of the times it took no longer.
    pub p50_ms: f64,
    /// Nine times in ten it took no longer.
    pub p90_ms: f64,
    /// Ninety-nine times in a hundred it took no longer.
    pub p99_ms: f64,
    /// It never took longer.
    pub max_ms: f64,
}

/// How long requests of a kind took.
#[derive(Debug, Serialize)]
pub struct StepLatency {
    /// The kind.
    pub step: &'static str,
    /// How long.
    #[serde(flatten)]
    pub latency: Latency,
}

/// Something that went wrong, and how often.
#[derive(Debug, Serialize)]
pub struct ErrorCount {
    /// The kind of request.
    pub step: &'static str,
    /// The status; 0 where no answer came.
    pub status: u16,
    /// The code, or what was seen.
    pub code: String,
    /// How often.
    pub count: u64,
}

/// Something that only one scenario knows.
#[derive(Debug, Serialize)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// How much it is.
    pub value: String,
}

impl Report {
    /// A report without runs.
    pub fn new(backend: String, threads: usize) -> Self {
        let environment = Environment {
            date: Zoned::now().strftime("%Y-%m-%d %H:%M:%S %:z").to_string(),
            cores: thread::available_parallelism().map_or(0, usize::from),
            threads,
            backend,
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
        };
        Self {
            format: FORMAT,
            environment,
            runs: Vec::new(),
            comparisons: Vec::new(),
            capacities: Vec::new(),
            holds: true,
        }
    }

    /// Adds a run.
    pub fn add(&mut self, run: Run) {
        self.holds &= run.findings.iter().all(Finding::holds);
        self.runs.push(run);
    }

    /// Writes everything to a file.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Run {
    /// Turns counts into numbers per second.
    pub fn new(scenario: &str, clients: usize, outcome: &Outcome) -> Self {
        let Outcome { stats, elapsed, .. } = outcome;
        Self {
            scenario: scenario.to_owned(),
            clients,
            rate: None,
            missed: None,
            seconds: rounded(elapsed.as_secs_f64()),
            iterations_per_second: per_second(stats.iterations.count(), *elapsed),
            requests_per_second: per_second(stats.requests(), *elapsed),
            iteration: Latency::of(&stats.iterations),
            failed: stats.failed,
            server_errors: stats.server_errors(),
            accepted: Latency::of(&stats.accepted),
            turned_away: Latency::of(&stats.turned_away),
            server_memory_mb: None,
            steps: steps(stats),
            errors: errors(stats),
            facts: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// What the tables call the load: clients, or iterations per second.
    pub fn load(&self) -> String {
        self.rate.map_or_else(|| self.clients.to_string(), |rate| format!("{rate}/s"))
    }

    /// Adds something that only this scenario knows.
    pub fn fact(&mut self, name: &str, value: &dyn Display) {
        self.facts.push(Fact { name: name.to_owned(), value: value.to_string() });
    }

    /// Adds what was found when the shop was examined.
    pub fn judged(&mut self, verdict: Verdict) {
        if verdict.findings.is_empty() {
            return;
        }
        self.fact("time until everything was checked", &format!("{:.1?}", verdict.settled_after));
        self.findings.extend(verdict.findings);
    }
}

impl Latency {
    /// Reads the usual quantiles.
    pub fn of(histogram: &Histogram) -> Self {
        Self {
            count: histogram.count(),
            p50_ms: ms(histogram.quantile_us(500)),
            p90_ms: ms(histogram.quantile_us(900)),
            p99_ms: ms(histogram.quantile_us(990)),
            max_ms: ms(histogram.max_us()),
        }
    }
}

fn steps(stats: &Stats) -> Vec<StepLatency> {
    let used = Step::ALL.into_iter().filter(|step| stats.of(*step).count() > 0);
    used.map(|step| StepLatency { step: step.name(), latency: Latency::of(stats.of(step)) })
        .collect()
}

fn errors(stats: &Stats) -> Vec<ErrorCount> {
    let error = |((step, status, code), count): (&crate::stats::ErrorKey, &u64)| ErrorCount {
        step: step.name(),
        status: *status,
        code: code.clone(),
        count: *count,
    };
    stats.errors.iter().map(error).collect()
}

#[expect(clippy::float_arithmetic, reason = "a rate is a fraction")]
fn per_second(count: u64, elapsed: Duration) -> f64 {
    match elapsed.as_secs_f64() {
        0.0 => 0.0,
        seconds => rounded(count as f64 / seconds),
    }
}

/// As many decimals as a measurement has.
#[expect(clippy::float_arithmetic, reason = "more decimals than a measurement has say nothing")]
pub fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Log;

    #[test]
    fn rates_count_what_was_measured() {
        let mut stats = Stats::default();
        stats.is_on = true;
        for _ in 0..30 {
            stats.step(Step::Cart, Duration::from_micros(1_500));
            stats.step(Step::Item, Duration::from_millis(2));
            stats.iteration(Duration::from_micros(3_500));
        }
        let elapsed = Duration::from_millis(1_500);
        let run = Run::new("cart", 1, &Outcome { stats, elapsed, log: Log::default(), missed: 0 });
        assert_eq!((run.iterations_per_second, run.requests_per_second), (20.0, 40.0));
        assert_eq!(run.iteration.max_ms, 3.5);
        let steps: Vec<_> = run.steps.iter().map(|step| (step.step, step.latency.count)).collect();
        assert_eq!(steps, [("POST /cart", 30), ("POST /cart/items", 30)]);
    }

    #[test]
    fn one_broken_promise_spoils_the_report() {
        let outcome = Outcome {
            stats: Stats::default(),
            elapsed: Duration::ZERO,
            log: Log::default(),
            missed: 0,
        };
        let mut report = Report::new("nothing".to_owned(), 1);
        let mut run = Run::new("flow", 1, &outcome);
        run.findings.push(Finding::of("kept", [None]));
        report.add(run);
        assert!(report.holds);
        let mut run = Run::new("flow", 1, &outcome);
        run.findings.push(Finding::of("broken", [Some("why".to_owned())]));
        report.add(run);
        assert!(!report.holds);
    }
}
