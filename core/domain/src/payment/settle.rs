//! Applies what a provider says to an order.
//!
//! The same function takes the answer to a call, a webhook, and what the janitor hears when it asks.
//! Reports may come twice, late and in any order: what has ended never changes back, and money that an
//! order cannot keep is always returned.

use jiff::{SignedDuration, Timestamp};

use super::{Attempt, AttemptStatus, NextAction, Payment};
use crate::{event::OrderChange, money::Money, order::Order, refusal::Code};

/// What a provider says of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The money was taken.
    Captured {
        /// The provider's own name of the payment.
        reference: String,
        /// How much was taken.
        amount: Money,
    },
    /// The buyer must do something first.
    ActionRequired {
        /// The provider's own name of the payment.
        reference: String,
        /// What to do.
        next_action: NextAction,
    },
    /// The provider is working on it and will report.
    Processing {
        /// The provider's own name of the payment.
        reference: String,
    },
    /// The provider said no.
    Declined {
        /// The provider's own name of the payment.
        reference: Option<String>,
        /// Why.
        code: Code,
    },
    /// The provider was surely not reached.
    NotSent,
    /// The provider has never heard of it.
    NotFound,
    /// There was no answer, or none that can be understood.
    Unknown,
}

/// What follows from a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// What happened to the order; empty where the report said nothing new.
    pub changes: Vec<OrderChange>,
    /// Money that came, for the ledger.
    pub captured: Option<Money>,
    /// Money that must go back.
    pub refund: Option<Money>,
    /// Whether the attempt must be saved.
    pub attempt_changed: bool,
}

/// Applies a report to an attempt, its payment and its order.
pub fn settle(
    order: &mut Order,
    payment: &mut Payment,
    attempt: &mut Attempt,
    report: Report,
    now: Timestamp,
) -> Settlement {
    assert_eq!(
        (order.id, payment.id),
        (attempt.order_id, attempt.payment_id),
        "they belong together"
    );
    match report {
        Report::Captured { reference, amount } => {
            captured(order, payment, attempt, reference, amount, now)
        }
        _ if attempt.status.is_final() => Settlement::default(),
        Report::ActionRequired { reference, next_action } => {
            let is_news = attempt.status != AttemptStatus::RequiresAction;
            attempt.next_action = Some(next_action);
            wait(attempt, AttemptStatus::RequiresAction, Some(reference), now);
            let change = OrderChange::PaymentActionRequired { payment_id: payment.id };
            changed(is_news.then_some(change))
        }
        Report::Processing { reference } => {
            wait(attempt, AttemptStatus::Processing, Some(reference), now);
            changed(None)
        }
        Report::Unknown => {
            let is_news = attempt.status == AttemptStatus::Pending;
            let status = if is_news { AttemptStatus::Unknown } else { attempt.status };
            wait(attempt, status, None, now);
            changed(is_news.then_some(OrderChange::PaymentUnknown { payment_id: payment.id }))
        }
        Report::NotFound
            if now < attempt.sent_at + SignedDuration::from_millis(Attempt::GRACE_MS) =>
        {
            wait(attempt, attempt.status, None, now);
            changed(None)
        }
        Report::NotFound | Report::NotSent => fail(payment, attempt, Code::ProviderUnavailable),
        Report::Declined { reference, code } => {
            attempt.reference = reference.or(attempt.reference.take());
            fail(payment, attempt, code)
        }
    }
}

fn captured(
    order: &mut Order,
    payment: &mut Payment,
    attempt: &mut Attempt,
    reference: String,
    amount: Money,
    now: Timestamp,
) -> Settlement {
    // An attempt that took money takes it once; whatever is said again is an echo.
    let is_echo = attempt.status == AttemptStatus::Succeeded
        || (attempt.status == AttemptStatus::Failed
            && attempt.failure == Some(Code::AmountMismatch));
    if is_echo {
        return Settlement::default();
    }
    attempt.reference = Some(reference);
    attempt.next_action = None;
    attempt.check_at = None;
    let mut settlement =
        Settlement { captured: Some(amount), attempt_changed: true, ..Settlement::default() };
    if amount.currency == payment.currency {
        payment.captured_minor += amount.amount_minor;
    }
    if amount != Money::new(attempt.amount_minor, payment.currency) {
        attempt.status = AttemptStatus::Failed;
        attempt.failure = Some(Code::AmountMismatch);
        give_back(payment, amount, &mut settlement);
        settlement.changes.push(OrderChange::PaymentFailed {
            payment_id: payment.id,
            code: Code::AmountMismatch,
        });
        return settlement;
    }
    attempt.status = AttemptStatus::Succeeded;
    attempt.failure = None;
    if order.awaits_payment() {
        settlement.changes.push(OrderChange::PaymentCaptured {
            payment_id: payment.id,
            amount_minor: amount.amount_minor,
        });
        settlement.changes.push(order.pay(now).expect("an order that awaits payment can be paid"));
    } else {
        // It came too late: the order was canceled, or another attempt paid it.
        give_back(payment, amount, &mut settlement);
    }
    settlement
}

fn give_back(payment: &mut Payment, amount: Money, settlement: &mut Settlement) {
    if amount.currency == payment.currency {
        payment.refund_pending_minor += amount.amount_minor;
    }
    settlement.refund = Some(amount);
    settlement.changes.push(OrderChange::PaymentUnexpected {
        payment_id: payment.id,
        amount_minor: amount.amount_minor,
    });
}

fn fail(payment: &Payment, attempt: &mut Attempt, code: Code) -> Settlement {
    attempt.status = AttemptStatus::Failed;
    attempt.failure = Some(code);
    attempt.next_action = None;
    attempt.check_at = None;
    changed(Some(OrderChange::PaymentFailed { payment_id: payment.id, code }))
}

fn wait(attempt: &mut Attempt, status: AttemptStatus, reference: Option<String>, now: Timestamp) {
    // A buyer who left never comes back; what the provider still reports on its own is heard.
    let abandoned = now > attempt.created_at + SignedDuration::from_hours(Attempt::ASK_HOURS_MAX);
    attempt.check_at = (!abandoned).then(|| attempt.next_check(now));
    attempt.checks += 1;
    attempt.status = status;
    attempt.reference = reference.or(attempt.reference.take());
}

fn changed(change: Option<OrderChange>) -> Settlement {
    Settlement {
        changes: change.into_iter().collect(),
        attempt_changed: true,
        ..Settlement::default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        id::{AttemptId, PaymentId},
        order::{PaymentStatus, Status},
        tests::order,
    };

    fn parts() -> (Order, Payment, Attempt) {
        let order = order();
        let payment = Payment {
            id: PaymentId::from_u128(1),
            order_id: order.id,
            currency: order.currency,
            amount_minor: order.total_minor,
            captured_minor: 0,
            refund_pending_minor: 0,
            refunded_minor: 0,
            version: 1,
        };
        let attempt = attempt(1, &payment);
        (order, payment, attempt)
    }

    fn attempt(n: u128, payment: &Payment) -> Attempt {
        Attempt {
            id: AttemptId::from_u128(n),
            payment_id: payment.id,
            order_id: payment.order_id,
            provider: "test".into(),
            reference: None,
            status: AttemptStatus::Pending,
            amount_minor: payment.amount_minor,
            failure: None,
            next_action: None,
            check_at: None,
            checks: 0,
            created_at: Timestamp::UNIX_EPOCH,
            sent_at: Timestamp::UNIX_EPOCH,
            version: 1,
        }
    }

    fn seconds(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("in range")
    }

    fn capture(payment: &Payment) -> Report {
        Report::Captured { reference: "r".into(), amount: payment.money() }
    }

    #[test]
    fn a_capture_pays_once_however_often_it_is_told() {
        let (mut order, mut payment, mut attempt) = parts();
        let report = capture(&payment);
        let first = settle(&mut order, &mut payment, &mut attempt, report.clone(), seconds(1));
        assert_eq!((first.changes.len(), order.status), (2, Status::Paid));
        let before = (order.clone(), payment.clone(), attempt.clone());
        assert_eq!(
            settle(&mut order, &mut payment, &mut attempt, report, seconds(2)),
            Settlement::default()
        );
        let late = Report::Declined { reference: None, code: Code::PaymentDeclined };
        assert_eq!(
            settle(&mut order, &mut payment, &mut attempt, late, seconds(3)),
            Settlement::default()
        );
        assert_eq!((order, payment, attempt), before);
    }

    #[test]
    fn money_for_a_canceled_order_goes_back() {
        let (mut order, mut payment, mut attempt) = parts();
        order.cancel("expired".into(), 0, seconds(1)).expect("reserved");
        let report = capture(&payment);
        let settlement = settle(&mut order, &mut payment, &mut attempt, report, seconds(2));
        assert_eq!(settlement.refund, Some(payment.money()));
        assert_eq!(
            (order.status, payment.status(Some(attempt.status))),
            (Status::Canceled, PaymentStatus::Refunded)
        );
    }

    #[test]
    fn a_second_attempt_that_also_took_money_is_returned() {
        let (mut order, mut payment, mut first) = parts();
        let mut second = attempt(2, &payment);
        let report = capture(&payment);
        let paid = settle(&mut order, &mut payment, &mut first, report.clone(), seconds(1));
        let extra = settle(&mut order, &mut payment, &mut second, report, seconds(2));
        assert_eq!((paid.refund, extra.refund), (None, Some(payment.money())));
        assert_eq!(payment.refundable_minor(), order.total_minor);
    }

    #[test]
    fn another_amount_or_currency_never_pays() {
        for amount in [
            Money::new(1, "EUR".parse().expect("known")),
            Money::new(order().total_minor, "USD".parse().expect("known")),
        ] {
            let (mut order, mut payment, mut attempt) = parts();
            let report = Report::Captured { reference: "r".into(), amount };
            let settlement = settle(&mut order, &mut payment, &mut attempt, report, seconds(1));
            assert_eq!((order.status, settlement.refund), (Status::Reserved, Some(amount)));
            assert_eq!(attempt.failure, Some(Code::AmountMismatch));
            let status = |latest| payment.status(Some(latest));
            assert_eq!(status(attempt.status), PaymentStatus::Unpaid, "it can be tried again");
            assert_eq!(status(AttemptStatus::Processing), PaymentStatus::Processing);
        }
    }

    #[test]
    fn never_heard_of_it_counts_only_after_the_grace_time() {
        let (mut order, mut payment, mut attempt) = parts();
        settle(&mut order, &mut payment, &mut attempt, Report::Unknown, seconds(10));
        assert_eq!(attempt.status, AttemptStatus::Unknown);
        settle(&mut order, &mut payment, &mut attempt, Report::NotFound, seconds(20));
        assert_eq!(attempt.status, AttemptStatus::Unknown);
        settle(&mut order, &mut payment, &mut attempt, Report::NotFound, seconds(61));
        assert_eq!(
            (attempt.status, attempt.failure),
            (AttemptStatus::Failed, Some(Code::ProviderUnavailable))
        );
        // And if the provider took it after all, the order is paid while it still waits.
        let report = capture(&payment);
        settle(&mut order, &mut payment, &mut attempt, report, seconds(70));
        assert_eq!((order.status, attempt.status), (Status::Paid, AttemptStatus::Succeeded));
    }

    fn reports() -> impl Strategy<Value = Vec<(usize, u8)>> {
        prop::collection::vec((0usize..2, 0u8..8), 0..20)
    }

    proptest! {
        /// Whatever a provider says, in whatever order: the shop keeps the price of the order if it is
        /// paid and nothing if it is not.
        #[test]
        fn the_shop_keeps_exactly_the_price(reports in reports(), cancel_at in 0usize..25) {
            let (mut order, mut payment, first) = parts();
            let mut attempts = [first, attempt(2, &payment)];
            for (n, (which, kind)) in reports.into_iter().enumerate() {
                let now = seconds(i64::try_from(n).expect("few") * 30);
                if n == cancel_at && order.awaits_payment() {
                    order.cancel("expired".into(), 0, now).expect("reserved");
                }
                let reference = "r".to_owned();
                let report = match kind {
                    0 | 1 => capture(&payment),
                    2 => Report::Captured { reference, amount: Money::new(payment.amount_minor + 1, payment.currency) },
                    3 => Report::Declined { reference: None, code: Code::PaymentDeclined },
                    4 => Report::Processing { reference },
                    5 => Report::NotFound,
                    6 => Report::NotSent,
                    _ => Report::Unknown,
                };
                settle(&mut order, &mut payment, &mut attempts[which], report, now);
                let kept = payment.refundable_minor();
                prop_assert_eq!(kept, if order.status == Status::Paid { order.total_minor } else { 0 });
            }
        }
    }
}
