//! What a buyer agreed to pay: the total that an answer showed last, or the one that a request names.

use super::Checkout;
use crate::{
    money::Money,
    refusal::{Code, Refusal},
};

impl Checkout {
    /// Keeps the total that an answer shows to the owner. Returns whether it is another one than before.
    pub fn show_total(&mut self, total: Money) -> bool {
        let is_news = self.shown_total != Some(total);
        self.shown_total = Some(total);
        is_news
    }

    /// Refuses to charge `total` unless the buyer agreed to exactly that: to `expected_total_minor` where the request
    /// names one, else to what was shown last. A lower total and another currency are refused too, and so is a total
    /// where none was ever shown.
    pub fn check_agreed(
        &self,
        total: Money,
        expected_total_minor: Option<i64>,
    ) -> Result<(), Refusal> {
        let agreed = match expected_total_minor {
            // An amount without a currency is one of the currency that its buyer saw.
            Some(expected_minor) => {
                let seen = self.shown_total.unwrap_or(total);
                Some(Money::new(expected_minor, seen.currency))
            }
            None => self.shown_total,
        };
        check_total(total, agreed)
    }
}

/// Refuses to charge another total than the one that was agreed to.
pub fn check_total(total: Money, agreed: Option<Money>) -> Result<(), Refusal> {
    if agreed == Some(total) {
        return Ok(());
    }
    let message = match agreed {
        Some(agreed) => format!("the total is {total} now, not {agreed}; nothing was bought"),
        None => format!("the total is {total}, which was not shown before; nothing was bought"),
    };
    let mut refusal = Refusal::new(Code::TotalsChanged, message);
    refusal.details.total_minor = Some(total.amount_minor);
    Err(refusal)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Currency, checkout::tests::open_checkout};

    fn money() -> impl Strategy<Value = Money> {
        let currency = prop_oneof![Just("EUR"), Just("USD"), Just("JPY")];
        // Few amounts, so that equal ones meet.
        (prop_oneof![-2i64..3, any::<i64>()], currency).prop_map(|(amount_minor, currency)| {
            Money::new(amount_minor, currency.parse::<Currency>().expect("a currency"))
        })
    }

    proptest! {
        /// Goal: exactly the total that was shown, or named, is charged, in its currency.
        #[test]
        fn nothing_but_the_agreed_total_is_charged(
            shown in prop::option::of(money()),
            expected in prop::option::of(prop_oneof![-2i64..3, any::<i64>()]),
            total in money(),
        ) {
            let mut checkout = open_checkout();
            if let Some(shown) = shown {
                checkout.show_total(shown);
            }
            let is_agreed = match (expected, shown) {
                (Some(expected), Some(shown)) => {
                    expected == total.amount_minor && shown.currency == total.currency
                }
                (Some(expected), None) => expected == total.amount_minor,
                (None, Some(shown)) => shown == total,
                (None, None) => false,
            };
            match checkout.check_agreed(total, expected) {
                Ok(()) => prop_assert!(is_agreed),
                Err(refusal) => {
                    prop_assert!(!is_agreed);
                    prop_assert_eq!(refusal.code, Code::TotalsChanged);
                    prop_assert_eq!(refusal.details.total_minor, Some(total.amount_minor));
                }
            }
            // Whatever was refused is shown with the refusal, and then it is agreed to.
            let is_news = checkout.show_total(total);
            prop_assert_eq!(is_news, shown != Some(total));
            prop_assert!(checkout.check_agreed(total, None).is_ok());
        }
    }

    #[test]
    fn a_checkout_of_yesterday_has_shown_nothing() {
        let mut stored = serde_json::to_value(open_checkout()).expect("it is JSON");
        assert!(stored.as_object_mut().expect("an object").remove("shown_total").is_none());
        let read: Checkout = serde_json::from_value(stored).expect("an old row");
        assert_eq!(read.shown_total, None);
    }
}
