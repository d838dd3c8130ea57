//! The use cases themselves, without any protocol.

mod staff;
mod told;

use handel_domain::{checkout::WithPayment, id::TenantId, order::Source, origin::Origin};
use handel_engine::{
    AddItem, Basket, Caller, CartRef, Complete, Context, Engine, Error, Idempotency, ListProducts,
    OpenCheckout, PaymentChoice, ProductKey, ReplaceCheckout, StockKey, Submit,
};
use handel_ports::Secret;
use handel_testkit::{
    agents,
    fixtures::{sku, slug},
};

use super::{
    Call, Reply, Request, Who, Wish,
    reply::{Order, Served, Told},
};
use crate::receiver;
use told::once;

/// Answers a request.
pub(super) async fn serve(engine: &Engine, request: Request) -> Served {
    let ctx = context(engine, &request);
    let answered = match &request.who {
        Who::Staff => staff::serve(engine, &ctx, request.call).await,
        Who::Shopper(mine) => {
            let token = mine.as_ref().map(|mine| mine.token.clone());
            serve_shopper(engine, &ctx, token, request.call).await
        }
        Who::Agent(_) => serve_program(engine, &ctx, request.call).await,
    };
    answered.map_err(|error| error.refusal)
}

fn context(engine: &Engine, request: &Request) -> Context {
    let caller = match &request.who {
        Who::Shopper(mine) => Caller::Shopper(mine.as_ref().map(|mine| mine.id)),
        Who::Agent(number) => Caller::Agent { profile: receiver::profile_url(*number) },
        Who::Staff => Caller::Operator,
    };
    let idempotency = request.key.as_ref().map(|key| Idempotency {
        scope: format!("{:?} {}", request.who, request.call.name()),
        key: key.clone(),
        digest: format!("{:?}", request.call),
    });
    Context {
        tenant_id: TenantId::DEFAULT,
        channel: Some(slug("eur")),
        caller,
        request_id: engine.request_id(),
        idempotency,
        source: match request.who {
            Who::Agent(_) => Source::Ucp,
            Who::Shopper(_) | Who::Staff => Source::Rest,
        },
    }
}

/// What an engine says to a call.
type Said = Result<Told, Error>;

fn other(words: impl Into<String>) -> Said {
    let words = words.into();
    Ok(Told { reply: Reply::Other(words.clone()), words })
}

fn pays(token: String) -> Option<PaymentChoice> {
    Some(PaymentChoice { provider: None, token: Secret::new(token), return_url: None })
}

async fn serve_shopper(engine: &Engine, ctx: &Context, token: Option<String>, call: Call) -> Said {
    let cart = || CartRef { token: token.clone().unwrap_or_default() };
    match call {
        Call::AddItem { sku: name, quantity } => {
            let item = AddItem {
                cart: token.map(|token| CartRef { token }),
                variant: StockKey::Sku(sku(&name)),
                quantity,
                custom: std::collections::HashMap::new(),
                expected_version: None,
            };
            once(&engine.add_cart_item(ctx, item).await?, told::cart)
        }
        Call::SetQuantity { line, quantity } => {
            let set = engine.set_cart_quantity(ctx, &cart(), line, quantity, None).await?;
            once(&set, told::cart)
        }
        Call::SetCodes { codes } => {
            once(&engine.set_cart_codes(ctx, &cart(), codes, None).await?, told::cart)
        }
        Call::SeeCart => Ok(told::told(&engine.get_cart(ctx, &cart()).await?, told::cart)),
        Call::CreateCheckout { buyer } => {
            once(&engine.create_checkout(ctx, &cart(), buyer).await?, told::checkout)
        }
        Call::UpdateCheckout { checkout, buyer } => {
            once(&engine.update_checkout(ctx, checkout, buyer, None).await?, told::checkout)
        }
        Call::Submit { buyer, token } => {
            let payment = pays(token);
            let submit = Submit { cart: cart(), buyer, payment, expected_total_minor: None };
            once(&engine.submit_checkout(ctx, submit).await?, told::purchase)
        }
        Call::Webhook { body } => {
            let headers = http::HeaderMap::new();
            let receipt = engine.receive_webhook(ctx, "test", &headers, &body).await?;
            other(if receipt.accepted { "accepted" } else { "known" })
        }
        call => serve_anybody(engine, ctx, call).await,
    }
}

/// What programs ask: whole baskets, said anew each time.
async fn serve_program(engine: &Engine, ctx: &Context, call: Call) -> Said {
    match call {
        Call::Open { wish, buyer } => {
            let (basket, origin) = (Some(basket(wish)), origin());
            let open = OpenCheckout { cart_id: None, basket, buyer, origin };
            once(&engine.open_checkout(ctx, open).await?, told::checkout)
        }
        Call::Replace { checkout: checkout_id, wish, buyer, expected_version } => {
            let (basket, origin) = (basket(wish), None);
            let to = ReplaceCheckout { checkout_id, basket, buyer, origin, expected_version };
            once(&engine.replace_checkout(ctx, to).await?, told::checkout)
        }
        Call::CancelCheckout { checkout } => {
            once(&engine.cancel_checkout(ctx, checkout).await?, told::checkout)
        }
        call => serve_anybody(engine, ctx, call).await,
    }
}

async fn serve_anybody(engine: &Engine, ctx: &Context, call: Call) -> Said {
    match call {
        Call::ListProducts => {
            let list = ListProducts { limit: 20, ..ListProducts::default() };
            let page = engine.list_products(ctx, list).await?;
            other(format!("{} products", page.items.len()))
        }
        Call::ViewProduct { sku } => {
            let key = ProductKey::Slug(slug(&handel_domain::text::slugify(&sku)));
            let product = engine.view_product(ctx, key).await?;
            other(format!("product {}", product.product.id))
        }
        Call::SeeCheckout { checkout } => {
            Ok(told::told(&engine.get_checkout(ctx, checkout).await?, told::checkout))
        }
        Call::Complete { checkout: checkout_id, token, expected_total_minor } => {
            let (payment, said) = (pays(token), WithPayment::default());
            let expected_version = None;
            let complete =
                Complete { checkout_id, payment, said, expected_total_minor, expected_version };
            once(&engine.complete_checkout(ctx, complete).await?, told::purchase)
        }
        Call::SeeOrder { order } => {
            let details = engine.get_order(ctx, order, None).await?;
            Ok(told::told(&details, |details| Reply::Order(Order::from(&details.order))))
        }
        call => unreachable!("nobody asks the engine to {}", call.name()),
    }
}

fn basket(wish: Wish) -> Basket {
    Basket { codes: wish.codes, ..agents::basket(&wish.items) }
}

/// Programs want to be told of their orders.
fn origin() -> Origin {
    Origin { webhook_url: Some(receiver::URL.to_owned()), ..agents::origin() }
}
