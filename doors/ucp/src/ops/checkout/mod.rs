//! Checkouts: opened, said anew, given up. Buying is in `complete`.

mod answers;
mod complete;

use handel_domain::{
    channel::Settings,
    checkout::{Buyer, Destination},
    id::CheckoutId,
    origin::Origin,
};
use handel_engine::{CheckoutView, Error, OpenCheckout, ReplaceCheckout};

use super::{Stop, Work, malformed_cart};
use crate::{
    Answer,
    neutral::{
        Message,
        checkout::{Checkout, Scene},
        delivery, message,
        request::Wanted,
    },
};

impl Work<'_> {
    pub(super) async fn create_checkout(&self) -> Result<Answer, Stop> {
        let wanted = self.codec.read_wanted(&self.call.payload).map_err(|e| Box::new(e.into()))?;
        let ctx = self.in_channel(&wanted.hints).await?;
        let cart_id = wanted.cart_id.as_deref();
        let cart_id = cart_id.map(|id| id.parse().map_err(|_| self.stop(malformed_cart())));
        let cart_id = cart_id.transpose()?;
        if cart_id.is_none() && wanted.lines.is_none() {
            let error = crate::TransportError::malformed("line_items: are needed");
            return Err(Box::new(error.into()));
        }
        let channel = self.channel(&ctx).await?;
        let basket = match cart_id {
            None => self.basket(&wanted, &[]),
            // The items of the cart are bought, whatever else is named.
            Some(_) => self.basket(&Wanted { lines: None, ..wanted.clone() }, &[]),
        };
        let basket = basket.map_err(|problems| self.outcome(&problems))?;
        // What cannot be taken over of the buyer and the delivery does not stand in the way of a checkout: it can be
        // said anew.
        let (buyer, mut problems) = self.said(&wanted, &[], &channel.settings);
        let codes = basket.codes.clone();
        let open =
            OpenCheckout { cart_id, basket: Some(basket), buyer, origin: self.origin(&wanted) };
        let option = open.buyer.shipping_method.clone();
        let opened = self.ucp.engine().open_checkout(&ctx, open).await;
        let view = opened.map_err(|error| self.stop(error))?.reply;
        let is_left_out = option.is_some() && view.checkout.buyer.shipping_method != option;
        if is_left_out && view.quote.needs_shipping() {
            problems.push(delivery::no_such_option());
        }
        problems.extend(answers::codes_of_cart(&codes, &view.checkout.codes));
        let mut shown = self.shown(&view, problems).await?;
        answers::leave_out_sent(&mut shown);
        Ok(self.answer(&shown, view.is_new))
    }

    pub(super) async fn get_checkout(&self) -> Result<Answer, Stop> {
        let view = self.checkout(self.id()?).await?;
        self.show(&view, Vec::new(), false).await
    }

    pub(super) async fn update_checkout(&self) -> Result<Answer, Stop> {
        let id: CheckoutId = self.id()?;
        let wanted = self.codec.read_update(&self.call.payload, &id.to_string());
        let wanted = wanted.map_err(|e| Box::new(e.into()))?;
        if wanted.lines.is_none() {
            let error = crate::TransportError::malformed("line_items: are needed");
            return Err(Box::new(error.into()));
        }
        let before = self.peek(id).await?;
        let problems = match self.replacement(&wanted, &before).await? {
            Ok(replace) => match self.ucp.engine().replace_checkout(&self.ctx, replace).await {
                Ok(once) => return self.show(&once.reply, Vec::new(), false).await,
                Err(error) if super::is_unknown(&error) => return Err(self.stop(error)),
                Err(error) => self.told(error)?,
            },
            Err(problems) => problems,
        };
        let view = self.checkout(id).await?;
        let mut shown = self.shown(&view, problems).await?;
        answers::refuse_update(&mut shown, &wanted);
        Ok(self.answer(&shown, false))
    }

    pub(super) async fn cancel_checkout(&self) -> Result<Answer, Stop> {
        let id: CheckoutId = self.id()?;
        match self.ucp.engine().cancel_checkout(&self.ctx, id).await {
            Ok(once) => self.show(&once.reply, Vec::new(), false).await,
            Err(error) => self.rejected(id, error).await,
        }
    }

    /// What an update is to make of a checkout, or why it cannot.
    async fn replacement(
        &self,
        wanted: &Wanted,
        before: &CheckoutView,
    ) -> Result<Result<ReplaceCheckout, Vec<Message>>, Stop> {
        let channel = self.channel_of(before.checkout.channel_id).await?;
        let lines: Vec<_> = before.checkout.lines.iter().map(|line| line.id).collect();
        let known = &before.checkout.buyer.destinations;
        let (buyer, mut problems) = self.said(wanted, known, &channel.settings);
        let basket = match self.basket(wanted, &lines) {
            Ok(basket) if problems.is_empty() => basket,
            Ok(_) => return Ok(Err(problems)),
            Err(wrong_lines) => {
                problems.splice(0..0, wrong_lines);
                return Ok(Err(problems));
            }
        };
        let (checkout_id, origin, expected_version) = (before.checkout.id, None, None);
        Ok(Ok(ReplaceCheckout { checkout_id, basket, buyer, origin, expected_version }))
    }

    /// What a buyer says, and what of it could not be taken over.
    fn said(
        &self,
        wanted: &Wanted,
        known: &[Destination],
        settings: &Settings,
    ) -> (Buyer, Vec<Message>) {
        let (mut buyer, problem) = self.buyer_in_part(&wanted.buyer);
        let mut problems: Vec<_> = problem.into_iter().collect();
        if let Some(delivery) = wanted.delivery.as_ref().filter(|_| self.can_deliver()) {
            let arranged = delivery::arrange(delivery, known, &wanted.buyer, settings);
            buyer.destinations = arranged.destinations;
            buyer.selected_destination = arranged.selected;
            buyer.shipping_method = arranged.method;
            problems.extend(arranged.problems);
        }
        (buyer, problems)
    }

    fn origin(&self, wanted: &Wanted) -> Origin {
        Origin {
            source: self.call.source,
            agent: Some(self.agreement.agent().to_owned()),
            protocol: Some(format!("ucp/{}", self.agreement.version().name())),
            webhook_url: self.ucp.webhook_url(self.agreement),
            attribution: wanted.attribution.clone(),
        }
    }

    /// A checkout for an answer.
    pub(super) async fn checkout(&self, id: CheckoutId) -> Result<CheckoutView, Stop> {
        self.ucp.engine().get_checkout(&self.ctx, id).await.map_err(|error| self.stop(error))
    }

    /// A checkout for what must be known before it is acted on. It must not be shown.
    pub(super) async fn peek(&self, id: CheckoutId) -> Result<CheckoutView, Stop> {
        self.ucp.engine().peek_checkout(&self.ctx, id).await.map_err(|error| self.stop(error))
    }

    /// The checkout as it stands, with why something was refused.
    pub(super) async fn rejected(&self, id: CheckoutId, error: Error) -> Result<Answer, Stop> {
        if super::is_unknown(&error) {
            return Err(self.stop(error));
        }
        let problems = self.told(error)?;
        let view = self.checkout(id).await?;
        self.show(&view, problems, false).await
    }

    pub(super) async fn show(
        &self,
        view: &CheckoutView,
        problems: Vec<Message>,
        created: bool,
    ) -> Result<Answer, Stop> {
        let shown = self.shown(view, problems).await?;
        Ok(self.answer(&shown, created))
    }

    /// A checkout in the words of the protocol, with what is wrong with the request.
    async fn shown(&self, view: &CheckoutView, problems: Vec<Message>) -> Result<Checkout, Stop> {
        let checkout = &view.checkout;
        let channel = self.channel_of(checkout.channel_id).await?;
        let scene = Scene {
            settings: &channel.settings,
            public_url: self.ucp.public_url(),
            continue_url: Some(self.ucp.continue_url(checkout.cart_id, checkout.expires_at)),
            now: self.ucp.system().now(),
            can_deliver: self.can_deliver(),
        };
        let mut shown = Checkout::new(view, scene).map_err(|refusal| self.stop(refusal.into()))?;
        let is_final = shown.status.is_final();
        let problems = problems.into_iter().map(|problem| locked(problem, is_final)).collect();
        message::put_first(&mut shown.messages, problems);
        Ok(shown)
    }

    fn answer(&self, shown: &Checkout, created: bool) -> Answer {
        let handlers = self.ucp.handlers();
        let body = self.codec.checkout(shown, self.agreement, self.call.operation, handlers);
        Answer::Resource { created, body }
    }
}

/// What waits for its payment cannot be changed now, but has not ended.
fn locked(problem: Message, is_final: bool) -> Message {
    if problem.code != message::CLOSED || is_final {
        return problem;
    }
    let text = "the checkout was just being completed; look at it again before you go on";
    Message::repairable("complete_in_progress", text)
}
