//! Carts.

use handel_domain::{
    checkout::{Buyer, Destination},
    id::{CartId, LineId},
    text::Email,
};
use handel_engine::{Basket, CartView, PutCart, StockKey, WantedItem};

use super::{Stop, Work};
use crate::{
    Answer,
    neutral::{
        Message,
        checkout::{Cart, Scene},
        consent,
        message::{self, path},
        request::{Wanted, WantedBuyer, WantedLine},
    },
    operation::{CONSENT, DISCOUNT},
};

impl Work<'_> {
    pub(super) async fn create_cart(&self) -> Result<Answer, Stop> {
        let wanted = self.codec.read_wanted(&self.call.payload).map_err(|e| Box::new(e.into()))?;
        let ctx = self.in_channel(&wanted.hints).await?;
        let basket = self.basket(&wanted, &[]).map_err(|problems| self.outcome(&problems))?;
        let buyer = self.buyer(&wanted.buyer);
        let buyer = buyer.map_err(|problems| self.outcome(&problems))?;
        let put = PutCart { cart_id: None, basket, buyer, expected_version: None };
        let view = self.ucp.engine().put_cart(&ctx, put).await.map_err(|e| self.stop(e))?.reply;
        self.show_cart(&view, Vec::new(), true).await
    }

    pub(super) async fn get_cart(&self) -> Result<Answer, Stop> {
        let view = self.cart(self.id()?).await?;
        self.show_cart(&view, Vec::new(), false).await
    }

    pub(super) async fn update_cart(&self) -> Result<Answer, Stop> {
        let id: CartId = self.id()?;
        let wanted = self.codec.read_wanted(&self.call.payload).map_err(|e| Box::new(e.into()))?;
        let before = self.cart(id).await?;
        let lines: Vec<_> = before.cart.lines.iter().map(|line| line.id).collect();
        let put = self.basket(&wanted, &lines).and_then(|basket| {
            let buyer = self.buyer(&wanted.buyer)?;
            Ok(PutCart { cart_id: Some(id), basket, buyer, expected_version: None })
        });
        let put = match put {
            Ok(put) => put,
            Err(problems) => return self.show_cart(&before, problems, false).await,
        };
        match self.ucp.engine().put_cart(&self.ctx, put).await {
            Ok(once) => self.show_cart(&once.reply, Vec::new(), false).await,
            Err(error) if super::is_unknown(&error) => Err(self.stop(error)),
            Err(error) => {
                let problems = self.told(error)?;
                self.show_cart(&before, problems, false).await
            }
        }
    }

    pub(super) async fn cancel_cart(&self) -> Result<Answer, Stop> {
        let canceled = self.ucp.engine().cancel_cart(&self.ctx, self.id()?).await;
        let view = canceled.map_err(|error| self.stop(error))?.reply;
        self.show_cart(&view, Vec::new(), false).await
    }

    async fn cart(&self, id: CartId) -> Result<CartView, Stop> {
        self.ucp.engine().agent_cart(&self.ctx, id).await.map_err(|error| self.stop(error))
    }

    async fn show_cart(
        &self,
        view: &CartView,
        problems: Vec<Message>,
        created: bool,
    ) -> Result<Answer, Stop> {
        let channel = self.channel_of(view.cart.channel_id).await?;
        let scene = Scene {
            settings: &channel.settings,
            public_url: self.ucp.public_url(),
            continue_url: Some(self.ucp.continue_url(view.cart.id, view.cart.expires_at)),
            now: self.ucp.system().now(),
            can_deliver: self.can_deliver(),
        };
        let mut cart = Cart::new(view, scene).map_err(|refusal| self.stop(refusal.into()))?;
        message::put_first(&mut cart.messages, problems);
        let body = self.codec.cart(&cart, self.agreement, self.call.operation);
        Ok(Answer::Resource { created, body })
    }

    /// The goods and codes of a request. Lines keep the ids that the resource has.
    pub(super) fn basket(&self, wanted: &Wanted, lines: &[LineId]) -> Result<Basket, Vec<Message>> {
        let mut problems = Vec::new();
        let wanted_lines = wanted.lines.iter().flatten().enumerate();
        let items = wanted_lines.filter_map(|(at, line)| match item(line, lines) {
            Ok(item) => Some(item),
            Err(problem) => {
                problems.push(problem.at(path::line(at)));
                None
            }
        });
        let items: Vec<_> = items.collect();
        let codes = wanted.codes.as_ref().filter(|_| self.agreement.has(DISCOUNT));
        match problems.is_empty() {
            true => Ok(Basket { items, codes: codes.cloned().unwrap_or_default() }),
            false => Err(problems),
        }
    }

    /// The buyer of a request, without where the goods go.
    pub(super) fn buyer(&self, wanted: &WantedBuyer) -> Result<Buyer, Vec<Message>> {
        match self.buyer_in_part(wanted) {
            (buyer, None) => Ok(buyer),
            (_, Some(problem)) => Err(vec![problem]),
        }
    }

    /// The same as far as it can be taken over, and what is wrong with the rest.
    pub(super) fn buyer_in_part(&self, wanted: &WantedBuyer) -> (Buyer, Option<Message>) {
        let email = wanted.email.as_deref().map(str::parse::<Email>).transpose();
        let problem = email.as_ref().err().map(|_| {
            let text = "this is no e-mail address";
            Message::repairable("invalid_input", text).at(path::EMAIL)
        });
        let consents = wanted.consents.as_ref().filter(|_| self.agreement.has(CONSENT));
        let buyer = Buyer {
            email: email.ok().flatten(),
            first_name: wanted.first_name.clone(),
            last_name: wanted.last_name.clone(),
            phone: wanted.phone.clone(),
            consents: consent::decided(consents),
            destinations: Vec::<Destination>::new(),
            ..Buyer::default()
        };
        (buyer, problem)
    }
}

fn item(line: &WantedLine, lines: &[LineId]) -> Result<WantedItem, Message> {
    if line.is_in_foreign_unit {
        let text = "this is sold by the piece; leave `quantity_unit` out";
        return Err(Message::repairable("quantity_unit_mismatch", text));
    }
    let id = line.item.parse().map(StockKey::Id).ok();
    let variant = id.or_else(|| line.item.parse().map(StockKey::Sku).ok());
    let unknown = || Message::repairable("item_unavailable", "there is no such item");
    let line_id = line.id.as_deref().and_then(|id| id.parse::<LineId>().ok());
    Ok(WantedItem {
        line_id: line_id.filter(|id| lines.contains(id)),
        variant: variant.ok_or_else(unknown)?,
        quantity: line.quantity,
        custom: std::collections::HashMap::new(),
    })
}
