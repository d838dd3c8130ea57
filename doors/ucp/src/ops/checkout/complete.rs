//! Buying.

use handel_domain::{
    checkout::{Buyer, WithPayment},
    id::CheckoutId,
    order::Status,
};
use handel_engine::{CheckoutView, Complete, PaymentChoice};

use super::{Stop, Work};
use crate::{
    Answer,
    neutral::{
        Message,
        checkout::is_bought,
        consent, delivery,
        message::{CLOSED, Severity},
        request::{WantedBuyer, WantedCredential, WantedPayment},
    },
    operation::CONSENT,
};

impl Work<'_> {
    pub(in crate::ops) async fn complete_checkout(&self) -> Result<Answer, Stop> {
        let id: CheckoutId = self.id()?;
        let wanted = self.codec.read_payment(&self.call.payload).map_err(|e| Box::new(e.into()))?;
        let before = self.peek(id).await?;
        let payment = match self.choice(&wanted, &before) {
            Ok(payment) => payment,
            Err(problem) => {
                return self.show(&self.checkout(id).await?, vec![problem], false).await;
            }
        };
        let said = self.with_payment(&wanted, &before.checkout.buyer);
        let expected_total_minor = agreed(&before);
        let (checkout_id, expected_version) = (id, None);
        let complete =
            Complete { checkout_id, payment, said, expected_total_minor, expected_version };
        let once = match self.ucp.engine().complete_checkout(&self.ctx, complete).await {
            Ok(once) => once,
            Err(error) => return self.rejected(id, error).await,
        };
        // What the key led to at first, whatever became of the order since.
        let mut view = self.checkout(id).await?;
        let completion = view.completion.insert(once.reply);
        let mut problems = Vec::new();
        if completion.order.status == Status::Canceled {
            let text = "the order was canceled meanwhile; money that was taken goes back";
            problems.push(Message::repairable("payment_failed", text));
        } else if completion.ordered_before && is_bought(&view) {
            let text = "the checkout was completed before; nothing was bought again";
            problems.push(Message::error(CLOSED, Severity::Unrecoverable, text));
        }
        self.show(&view, problems, false).await
    }

    /// How it is paid: by exactly one token of one of the shop's handlers.
    fn choice(
        &self,
        wanted: &WantedPayment,
        before: &CheckoutView,
    ) -> Result<Option<PaymentChoice>, Message> {
        let failed = |text: &str| Message::repairable("payment_failed", text);
        let instrument = match &wanted.instruments[..] {
            // What was bought is not paid again, whatever the goods would cost now.
            [] if is_bought(before) || before.quote.totals.total_minor == 0 => {
                return Ok(None);
            }
            [instrument] if instrument.is_selected => instrument,
            _ => return Err(failed("exactly one selected means of payment is taken")),
        };
        let known = self.ucp.handlers().iter().find(|handler| handler.id == instrument.handler_id);
        let handler = known.ok_or_else(|| {
            failed("there is no such payment handler; see `ucp.payment_handlers`")
                .at("$.payment.instruments[0].handler_id")
        })?;
        let token = match &instrument.credential {
            WantedCredential::Token(token) => token.clone(),
            WantedCredential::Card => {
                let text = "this shop takes no card numbers, only tokens of its payment handlers";
                return Err(failed(text).at("$.payment.instruments[0].credential"));
            }
            WantedCredential::Unusable => {
                let text = "the credential has no token";
                return Err(failed(text).at("$.payment.instruments[0].credential"));
            }
        };
        let checkout = &before.checkout;
        let return_url = self.ucp.continue_url(checkout.cart_id, checkout.expires_at);
        Ok(Some(PaymentChoice {
            provider: Some(handler.id.to_owned()),
            token,
            return_url: Some(return_url),
        }))
    }

    /// What a program says of the buyer with the payment. A billing address that is none does not stand in the way.
    fn with_payment(&self, wanted: &WantedPayment, before: &Buyer) -> WithPayment {
        let consents = wanted.consents.as_ref().filter(|_| self.agreement.has(CONSENT));
        let named = WantedBuyer {
            first_name: before.first_name.clone(),
            last_name: before.last_name.clone(),
            ..WantedBuyer::default()
        };
        let billing = wanted.instruments.first().and_then(|instrument| instrument.billing.as_ref());
        WithPayment {
            consents: consent::decided(consents),
            billing_address: billing.and_then(|billing| delivery::address(billing, &named).ok()),
        }
    }
}

/// The total that the buyer agreed to, in minor units. The protocol has no member for it, so it is the one of the
/// latest answer before this request. A request at the same time whose answer shows another one agrees to nothing.
fn agreed(before: &CheckoutView) -> Option<i64> {
    let shown = before.checkout.shown_total.filter(|_| before.completion.is_none());
    shown.map(|total| total.amount_minor)
}
