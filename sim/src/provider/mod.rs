//! A payment provider that declines, hangs, forgets to answer, arrives late, takes another amount, and is
//! down at times. It keeps its own books, by which the shop is judged.

mod books;
mod webhooks;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use handel_domain::{Code, Money, Refusal, id::AttemptId, payment::Report};
use handel_ports::{
    Charge, PaymentProvider, Refund, RefundOutcome, Secret, System, WebhookEvent, WebhookRejected,
};
use handel_testkit::ProviderBooks;
use http::HeaderMap;
use jiff::SignedDuration;

pub use webhooks::Webhook;

use crate::{dice::Dice, trace::Trace};
use books::{Books, Standing};

/// Longer than the shop waits for an answer.
const HANG: Duration = Duration::from_secs(30);

/// How far behind the answers about charges may be. Together with the longest way there it is less than the
/// minute that the shop gives a provider.
const LAG: SignedDuration = SignedDuration::from_secs(15);

/// How the provider feels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It answers at once and never fails.
    Perfect,
    /// Some calls go wrong.
    Usual,
    /// Most calls go wrong.
    Flaky,
    /// Nobody reaches it.
    Down,
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Fine,
    /// The connection is refused, and the caller knows.
    NotSent,
    /// It gets lost on its way.
    LostBefore,
    /// It is done, and the answer gets lost.
    LostAfter,
    /// The caller hears nothing, and the call arrives when nobody waits any more.
    Late,
    /// It arrives twice.
    Twice,
}

/// The provider.
pub struct Provider {
    shared: Arc<Shared>,
}

struct Shared {
    system: System,
    dice: Dice,
    trace: Arc<Trace>,
    state: Mutex<State>,
}

struct State {
    books: Books,
    mood: Mood,
    webhooks: Vec<Webhook>,
    webhooks_written: u64,
}

impl Provider {
    /// A provider without charges.
    pub fn new(system: System, dice: Dice, trace: Arc<Trace>) -> Self {
        let state = State {
            books: Books::default(),
            mood: Mood::Usual,
            webhooks: Vec::new(),
            webhooks_written: 0,
        };
        Self { shared: Arc::new(Shared { system, dice, trace, state: Mutex::new(state) }) }
    }

    /// Changes how it feels.
    pub fn set_mood(&self, mood: Mood) {
        self.shared.state().mood = mood;
    }

    /// What moved for each order.
    pub fn books(&self) -> ProviderBooks {
        self.shared.state().books.moved()
    }

    /// The buyer whose means of payment has that token approves what waits for it, or does not.
    pub fn decide(&self, token: &str, approves: bool) {
        let decided = self.shared.state().books.decide(token, approves, self.shared.system.now());
        for (key, report) in decided {
            self.shared.queue_webhook(key, report);
        }
    }

    /// Takes the webhooks that are due, in an order of chance.
    pub fn take_due_webhooks(&self) -> Vec<Webhook> {
        let now = self.shared.system.now();
        let ended = self.shared.state().books.progress(now);
        for (key, report) in ended {
            self.shared.queue_webhook(key, report);
        }
        let mut state = self.shared.state();
        let mut due: Vec<_> =
            state.webhooks.extract_if(.., |webhook| webhook.due_at <= now).collect();
        for at in (1..due.len()).rev() {
            due.swap(at, self.shared.dice.index(at + 1));
        }
        due
    }

    /// Puts a webhook back that nobody took in.
    pub fn put_back(&self, mut webhook: Webhook, wait: Duration) {
        webhook.due_at = self.shared.system.now() + SignedDuration::try_from(wait).expect("short");
        self.shared.state().webhooks.push(webhook);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue_webhook(&self, key: AttemptId, report: Report) {
        let mut state = self.state();
        state.webhooks_written += 1;
        let event_id = format!("evt_{}", state.webhooks_written);
        let late_ms = if self.dice.percent(10) { 3_600_000 } else { 20_000 };
        let late = self.dice.millis(10, late_ms);
        let due_at = self.system.now() + SignedDuration::try_from(late).expect("short");
        let body = webhooks::write(event_id, key, report);
        // The same event may be sent twice, at two times.
        if self.dice.percent(15) {
            let again = due_at + SignedDuration::from_millis(self.dice.range(0, 90_000));
            state.webhooks.push(Webhook { body: body.clone(), due_at: again });
        }
        state.webhooks.push(Webhook { body, due_at });
    }

    fn fate(&self) -> Fate {
        let fate = match self.state().mood {
            Mood::Perfect => Fate::Fine,
            Mood::Down if self.dice.percent(50) => Fate::NotSent,
            Mood::Down => Fate::LostBefore,
            Mood::Usual if self.dice.percent(88) => Fate::Fine,
            Mood::Flaky if self.dice.percent(30) => Fate::Fine,
            Mood::Usual | Mood::Flaky => *self.dice.pick(&[
                Fate::NotSent,
                Fate::LostBefore,
                Fate::LostAfter,
                Fate::LostAfter,
                Fate::Late,
                Fate::Late,
                Fate::Twice,
            ]),
        };
        match fate {
            Fate::Fine => {}
            Fate::NotSent => self.trace.count("provider: not sent"),
            Fate::LostBefore => self.trace.count("provider: lost before"),
            Fate::LostAfter => self.trace.count("provider: lost after"),
            Fate::Late => self.trace.count("provider: arrived late"),
            Fate::Twice => self.trace.count("provider: arrived twice"),
        }
        fate
    }

    /// The way there, or back.
    async fn travel(&self) {
        let mood = self.state().mood;
        let longest_ms = match mood {
            Mood::Perfect => return,
            Mood::Usual | Mood::Down => 800,
            Mood::Flaky => 7_000,
        };
        self.system.sleep(self.dice.millis(5, longest_ms)).await;
    }

    /// Some lost calls are noticed soon, others only by the clock of the shop.
    async fn silence(&self) {
        if self.dice.percent(50) {
            self.system.sleep(HANG).await;
        }
    }

    /// What a new charge comes to. The same key always gives the same.
    fn verdict(&self, amount: Money) -> (Standing, Money) {
        if self.state().mood == Mood::Perfect {
            return (Standing::Captured, amount);
        }
        let until = self.system.now() + SignedDuration::from_millis(self.dice.range(1, 1_200_000));
        let standing = match self.dice.below(100) {
            0..70 => Standing::Captured,
            70..77 => Standing::Declined(Code::PaymentDeclined),
            77..81 => Standing::Declined(Code::InsufficientFunds),
            81..90 => Standing::ActionRequired,
            _ => Standing::Processing { until, succeeds: self.dice.percent(70) },
        };
        let lies = standing == Standing::Captured && self.dice.percent(3);
        let more_minor = if lies { self.dice.range(-50, 50) } else { 0 };
        if more_minor != 0 {
            self.trace.count("provider: took another amount");
        }
        (standing, Money::new((amount.amount_minor + more_minor).max(1), amount.currency))
    }

    fn book(&self, charge: &Charge) -> Report {
        let (standing, taken) = self.verdict(charge.amount);
        let now = self.system.now();
        let mut state = self.state();
        let (entry, is_new) = state.books.charge(charge, taken, standing, now);
        let report = entry.report();
        drop(state);
        if is_new {
            self.trace.note(format!("provider books {}: {report:?}", charge.key));
            self.trace.count("charges");
            // What has ended may be told as well; what has not will be, when it ends.
            if self.dice.percent(30) {
                self.queue_webhook(charge.key, report.clone());
            }
        }
        report
    }
}

#[async_trait]
impl PaymentProvider for Provider {
    fn name(&self) -> &'static str {
        // The name of a kind of provider that programs can pay with.
        "test"
    }

    fn check_token(&self, _token: &Secret<String>) -> Result<(), Refusal> {
        Ok(())
    }

    async fn charge(&self, charge: Charge) -> Report {
        let shared = &self.shared;
        shared.travel().await;
        let report = match shared.fate() {
            Fate::NotSent => return Report::NotSent,
            Fate::LostBefore => {
                shared.silence().await;
                return Report::Unknown;
            }
            Fate::Late => {
                let late = shared.clone();
                shared.system.spawn(async move {
                    late.system.sleep(late.dice.millis(1_000, 30_000)).await;
                    late.book(&charge);
                });
                shared.silence().await;
                return Report::Unknown;
            }
            Fate::LostAfter => {
                shared.book(&charge);
                shared.silence().await;
                return Report::Unknown;
            }
            Fate::Twice => {
                shared.book(&charge);
                shared.book(&charge)
            }
            Fate::Fine => shared.book(&charge),
        };
        shared.travel().await;
        report
    }

    async fn find(&self, key: AttemptId) -> Report {
        let shared = &self.shared;
        shared.travel().await;
        if !matches!(shared.fate(), Fate::Fine | Fate::Twice) {
            shared.silence().await;
            return Report::Unknown;
        }
        let now = shared.system.now();
        // Whoever answers questions may hear of a charge a little later than whoever took it.
        let known_before = if shared.dice.percent(10) { now - LAG } else { now };
        let report = shared
            .state()
            .books
            .find(key, now)
            .filter(|entry| entry.made_at() <= known_before)
            .map(books::Entry::report);
        if report.is_none() {
            shared.trace.count("provider: never heard of it");
        }
        shared.travel().await;
        report.unwrap_or(Report::NotFound)
    }

    async fn refund(&self, refund: Refund) -> RefundOutcome {
        let shared = &self.shared;
        shared.travel().await;
        let fate = shared.fate();
        if matches!(fate, Fate::NotSent | Fate::LostBefore | Fate::Late) {
            shared.silence().await;
            return RefundOutcome::Unknown;
        }
        let is_refused = shared.dice.percent(1);
        let outcome = shared.state().books.refund(&refund, is_refused);
        shared.trace.note(format!("provider refunds {}: {outcome:?}", refund.key));
        shared.trace.count("refunds");
        if fate == Fate::LostAfter {
            shared.silence().await;
            return RefundOutcome::Unknown;
        }
        shared.travel().await;
        outcome
    }

    fn read_webhook(
        &self,
        _headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<WebhookEvent, WebhookRejected> {
        webhooks::read(body)
    }
}
