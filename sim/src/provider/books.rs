//! What the simulated provider knows of every charge. Its books are never wrong; only what it says may be.

use std::collections::BTreeMap;

use handel_domain::{
    Code, Money,
    id::{AttemptId, OperationId, OrderId},
    payment::{NextAction, Report},
};
use handel_ports::{Charge, Refund, RefundOutcome};
use handel_testkit::{Moved, ProviderBooks};
use jiff::{SignedDuration, Timestamp};

/// How long a buyer may take to approve before the provider gives the charge up.
const ACTION_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// Where a charge stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The money was taken.
    Captured,
    /// The buyer must approve.
    ActionRequired,
    /// It is being worked on until then, and captured if so.
    Processing { until: Timestamp, succeeds: bool },
    /// No.
    Declined(Code),
}

/// A charge in the books.
#[derive(Clone, Debug)]
pub struct Entry {
    key: AttemptId,
    order_id: OrderId,
    /// Whose money it is.
    token: String,
    /// What is, or would be, taken.
    amount: Money,
    standing: Standing,
    made_at: Timestamp,
    refunds: BTreeMap<OperationId, (i64, RefundOutcome)>,
}

impl Entry {
    /// What the provider says of it.
    pub fn report(&self) -> Report {
        let reference = format!("sim_{}", self.key.body());
        match self.standing {
            Standing::Captured => Report::Captured { reference, amount: self.amount },
            Standing::Processing { .. } => Report::Processing { reference },
            Standing::Declined(code) => Report::Declined { reference: Some(reference), code },
            Standing::ActionRequired => {
                let url = format!("https://pay.example/{}", self.key);
                Report::ActionRequired { reference, next_action: NextAction::Redirect { url } }
            }
        }
    }

    /// When it was taken in.
    pub fn made_at(&self) -> Timestamp {
        self.made_at
    }

    fn refunded_minor(&self) -> i64 {
        let done = self.refunds.values().filter(|(_, outcome)| *outcome == RefundOutcome::Done);
        done.map(|(minor, _)| minor).sum()
    }

    /// Whether it has just come to an end.
    fn progress(&mut self, now: Timestamp) -> bool {
        let ended = match self.standing {
            Standing::Processing { until, succeeds } if until <= now => match succeeds {
                true => Standing::Captured,
                false => Standing::Declined(Code::PaymentDeclined),
            },
            Standing::ActionRequired if self.made_at + ACTION_LIFE <= now => {
                Standing::Declined(Code::PaymentDeclined)
            }
            _ => return false,
        };
        self.standing = ended;
        true
    }
}

/// All charges.
#[derive(Default)]
pub struct Books(BTreeMap<AttemptId, Entry>);

impl Books {
    /// Takes a charge in. A key that is known takes nothing again, whatever else the request says.
    pub fn charge(
        &mut self,
        charge: &Charge,
        taken: Money,
        standing: Standing,
        now: Timestamp,
    ) -> (&Entry, bool) {
        let is_new = !self.0.contains_key(&charge.key);
        let entry = self.0.entry(charge.key).or_insert_with(|| Entry {
            key: charge.key,
            order_id: charge.order_id,
            token: charge.token.expose().clone(),
            amount: taken,
            standing,
            made_at: now,
            refunds: BTreeMap::new(),
        });
        (entry, is_new)
    }

    /// A charge by its key.
    pub fn find(&mut self, key: AttemptId, now: Timestamp) -> Option<&Entry> {
        let entry = self.0.get_mut(&key)?;
        entry.progress(now);
        Some(entry)
    }

    /// The charges that have just come to an end by themselves.
    pub fn progress(&mut self, now: Timestamp) -> Vec<(AttemptId, Report)> {
        let ended = self
            .0
            .values_mut()
            .filter_map(|entry| entry.progress(now).then(|| (entry.key, entry.report())));
        ended.collect()
    }

    /// The buyer decides on all that waits. The first decision holds.
    pub fn decide(
        &mut self,
        token: &str,
        approves: bool,
        now: Timestamp,
    ) -> Vec<(AttemptId, Report)> {
        let own = self.0.values_mut().filter(|entry| entry.token == token);
        own.filter_map(|entry| {
            if entry.progress(now) || entry.standing != Standing::ActionRequired {
                return None;
            }
            entry.standing = match approves {
                true => Standing::Captured,
                false => Standing::Declined(Code::PaymentDeclined),
            };
            Some((entry.key, entry.report()))
        })
        .collect()
    }

    /// Gives money back, once for each key.
    pub fn refund(&mut self, refund: &Refund, is_refused: bool) -> RefundOutcome {
        let reference = refund.reference.strip_prefix("sim_").unwrap_or_default();
        let Some(entry) = self.0.values_mut().find(|entry| entry.key.body() == reference) else {
            return RefundOutcome::Refused;
        };
        if let Some((_, outcome)) = entry.refunds.get(&refund.key) {
            return *outcome;
        }
        let amount_minor = refund.amount.amount_minor;
        let fits = entry.standing == Standing::Captured
            && refund.amount.currency == entry.amount.currency
            && entry.refunded_minor() + amount_minor <= entry.amount.amount_minor;
        let outcome =
            if fits && !is_refused { RefundOutcome::Done } else { RefundOutcome::Refused };
        entry.refunds.insert(refund.key, (amount_minor, outcome));
        outcome
    }

    /// What moved for each order.
    pub fn moved(&self) -> ProviderBooks {
        let mut books = ProviderBooks::default();
        for entry in self.0.values() {
            let moved: &mut Moved = books.orders.entry(entry.order_id).or_default();
            if entry.standing == Standing::Captured {
                moved.captured_minor += entry.amount.amount_minor;
            }
            moved.refunded_minor += entry.refunded_minor();
        }
        books
    }
}
