//! What a client counts: latencies of iterations and steps, and what went wrong.
//!
//! Each client counts for itself, so that counting needs no lock; the counts are added up in the end.

mod histogram;

use std::{collections::BTreeMap, time::Duration};

pub use histogram::Histogram;

/// A request of an iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A page of a product list.
    List,
    /// A product page.
    Product,
    /// A new cart.
    Cart,
    /// An item into the cart.
    Item,
    /// A checkout from the cart, with all that the buyer says.
    Checkout,
    /// The order and its payment.
    Complete,
    /// A completion that was sent and answered before.
    Repeat,
    /// Whether the server lives.
    Live,
    /// Whether the server is ready.
    Ready,
    /// What the self-test sends.
    Echo,
}

impl Step {
    /// Every step, in the order of the tables.
    pub const ALL: [Self; 10] = [
        Self::List,
        Self::Product,
        Self::Cart,
        Self::Item,
        Self::Checkout,
        Self::Complete,
        Self::Repeat,
        Self::Live,
        Self::Ready,
        Self::Echo,
    ];

    /// What the tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "GET /products",
            Self::Product => "GET /products/{slug}",
            Self::Cart => "POST /cart",
            Self::Item => "POST /cart/items",
            Self::Checkout => "POST /checkout",
            Self::Complete => "POST /checkout/{id}/complete",
            Self::Repeat => "the same, again later",
            Self::Live => "GET /health/live",
            Self::Ready => "GET /health/ready",
            Self::Echo => "POST /echo",
        }
    }
}

/// Something that went wrong: at which step, with which status, and with which code. A request that was
/// never answered has status 0.
pub type ErrorKey = (Step, u16, String);

/// What was counted.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Whether counting is on; it is off while the server warms up.
    pub is_on: bool,
    /// Whole iterations that went well.
    pub iterations: Histogram,
    /// Iterations that ended early.
    pub failed: u64,
    /// Requests that were answered with a success.
    pub accepted: Histogram,
    /// Requests that were answered with 503.
    pub turned_away: Histogram,
    /// What went wrong, how often.
    pub errors: BTreeMap<ErrorKey, u64>,
    steps: [Histogram; Step::ALL.len()],
}

impl Stats {
    /// Counts an iteration that went well.
    pub fn iteration(&mut self, elapsed: Duration) {
        if self.is_on {
            self.iterations.record(elapsed);
        }
    }

    /// Counts an iteration that ended early.
    pub fn failure(&mut self) {
        self.failed += u64::from(self.is_on);
    }

    /// Counts a request that was answered, whatever the answer says.
    pub fn step(&mut self, step: Step, elapsed: Duration) {
        if self.is_on {
            self.steps[step as usize].record(elapsed);
        }
    }

    /// Counts whether a request was done or turned away.
    pub fn fate(&mut self, status: u16, elapsed: Duration) {
        match status {
            _ if !self.is_on => {}
            200..300 => self.accepted.record(elapsed),
            503 => self.turned_away.record(elapsed),
            _ => {}
        }
    }

    /// Counts something that went wrong.
    pub fn error(&mut self, step: Step, status: u16, code: &str) {
        if self.is_on {
            *self.errors.entry((step, status, code.to_owned())).or_default() += 1;
        }
    }

    /// The latencies of a step.
    pub fn of(&self, step: Step) -> &Histogram {
        &self.steps[step as usize]
    }

    /// How many requests were answered.
    pub fn requests(&self) -> u64 {
        self.steps.iter().map(Histogram::count).sum()
    }

    /// How many answers were mistakes of the server.
    pub fn server_errors(&self) -> u64 {
        let of_server = self.errors.iter().filter(|((_, status, _), _)| *status >= 500);
        of_server.map(|(_, count)| count).sum()
    }

    /// Adds what another client counted.
    pub fn merge(&mut self, other: &Self) {
        self.iterations.merge(&other.iterations);
        self.failed += other.failed;
        self.accepted.merge(&other.accepted);
        self.turned_away.merge(&other.turned_away);
        for (key, count) in &other.errors {
            *self.errors.entry(key.clone()).or_default() += count;
        }
        for (histogram, more) in self.steps.iter_mut().zip(&other.steps) {
            histogram.merge(more);
        }
    }
}

/// Microseconds in milliseconds, as latencies are shown.
#[expect(clippy::float_arithmetic, reason = "latencies are shown in milliseconds with decimals")]
pub fn ms(us: u64) -> f64 {
    us as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_its_place() {
        for (at, step) in Step::ALL.into_iter().enumerate() {
            assert_eq!(step as usize, at, "{}", step.name());
        }
    }

    #[test]
    fn nothing_is_counted_while_the_server_warms_up() {
        let mut stats = Stats::default();
        stats.iteration(Duration::from_millis(1));
        stats.step(Step::Cart, Duration::from_millis(1));
        stats.error(Step::Cart, 500, "internal");
        stats.failure();
        assert_eq!((stats.requests(), stats.failed, stats.server_errors()), (0, 0, 0));
        assert_eq!(stats.iterations.count(), 0);
    }

    #[test]
    fn errors_add_up_by_step_status_and_code() {
        let mut one = Stats { is_on: true, ..Stats::default() };
        one.error(Step::Complete, 409, "stock.short");
        one.error(Step::Complete, 503, "request.overloaded");
        let mut sum = one.clone();
        sum.merge(&one);
        assert_eq!(sum.errors[&(Step::Complete, 409, "stock.short".to_owned())], 2);
        assert_eq!(sum.server_errors(), 2, "a refusal is no mistake of the server");
    }
}
