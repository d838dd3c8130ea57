//! What a buyer was shown last, and that nothing else is charged.
//!
//! A total counts as shown when the shop answers it. A buyer whose answers got lost does not know what the shop showed
//! last, and one who asks several times at once does not know in which order; neither holds the shop to anything.

use std::collections::BTreeMap;

use handel_domain::{Code, id::CheckoutId};

use crate::door::{Answer, Call, Door, Reply, Request};

/// The totals that were shown to one caller.
#[derive(Default)]
pub struct Shown {
    totals: BTreeMap<CheckoutId, i64>,
    /// Checkouts of which an answer got lost, or several were under way at once.
    unsure: Vec<CheckoutId>,
    /// Whether an answer got lost before the caller knew its checkout.
    is_blind: bool,
}

/// What an answer means for the totals.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was charged, or nobody can tell whether it was agreed to.
    Nothing,
    /// Exactly what was shown last was charged.
    Agreed,
    /// Something else was charged.
    Charged { shown_minor: Option<i64>, charged_minor: i64 },
}

impl Shown {
    /// From now on nobody knows what was shown last.
    pub fn doubt(&mut self, checkout: CheckoutId) {
        self.unsure.push(checkout);
    }

    /// Takes an answer in.
    pub fn see(&mut self, request: &Request, answer: &Answer) -> Verdict {
        let about = checkout_of(&request.call);
        match answer {
            Answer::Lost => {
                match about {
                    Some(checkout) => self.unsure.push(checkout),
                    None => self.is_blind |= begins(&request.call),
                }
                Verdict::Nothing
            }
            Answer::Refused(refusal) => {
                let is_shown = request.door == Door::Ucp || refusal.code == Code::TotalsChanged;
                if let (Some(checkout), Some(total_minor)) = (about, refusal.details.total_minor)
                    && is_shown
                {
                    self.totals.insert(checkout, total_minor);
                }
                Verdict::Nothing
            }
            Answer::Ok(told) => match &told.reply {
                Reply::Checkout(view) => {
                    self.totals.insert(view.id, view.goods.total_minor);
                    Verdict::Nothing
                }
                Reply::Purchase(purchase) => match (about, &purchase.goods) {
                    (Some(checkout), Some(goods)) => {
                        self.charged(checkout, goods.total_minor, &request.call)
                    }
                    // Bought in one step: from here on the checkout has the total of its order.
                    (None, Some(goods)) => {
                        match purchase.checkout {
                            Some(checkout) => {
                                self.totals.insert(checkout, goods.total_minor);
                            }
                            None => self.is_blind = true,
                        }
                        Verdict::Nothing
                    }
                    _ => Verdict::Nothing,
                },
                _ => Verdict::Nothing,
            },
        }
    }

    fn charged(&mut self, checkout: CheckoutId, charged_minor: i64, call: &Call) -> Verdict {
        let shown_minor = self.totals.insert(checkout, charged_minor);
        let agreed_minor = match call {
            Call::Complete { expected_total_minor: Some(named), .. } => Some(*named),
            _ if self.is_blind || self.unsure.contains(&checkout) => return Verdict::Nothing,
            _ => shown_minor,
        };
        match agreed_minor == Some(charged_minor) {
            true => Verdict::Agreed,
            false => Verdict::Charged { shown_minor: agreed_minor, charged_minor },
        }
    }
}

/// The checkout that a call names.
fn checkout_of(call: &Call) -> Option<CheckoutId> {
    match call {
        Call::UpdateCheckout { checkout, .. }
        | Call::SeeCheckout { checkout }
        | Call::Replace { checkout, .. }
        | Call::CancelCheckout { checkout }
        | Call::Complete { checkout, .. } => Some(*checkout),
        _ => None,
    }
}

/// Whether a call shows a checkout that it does not name.
fn begins(call: &Call) -> bool {
    matches!(call, Call::CreateCheckout { .. } | Call::Open { .. } | Call::Submit { .. })
}
