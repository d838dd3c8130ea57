//! Checkout sessions: create, read, change, complete, cancel.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use handel_domain::{
    Code, Refusal,
    cart::CartLine,
    checkout::{Buyer, WithPayment},
    id::CheckoutId,
    order::Source,
    origin::Origin,
    text::{Sku, looks_like_card_number},
};
use handel_engine::{
    Basket, CheckoutView, Complete, Context, Error, Once, OpenCheckout, ReplaceCheckout, StockKey,
    WantedItem,
};
use handel_kit::{PathParams, Problem};
use http::StatusCode;

use crate::{
    Compat, VERSION, buyer,
    call::Call,
    payment, platform,
    refuse::{insufficient_stock, is_stale, problem, short_basket},
    view,
    wire::{CheckoutBody, LineItemBody},
};

/// How often a change is tried again that somebody else was faster than.
const TRIES: usize = 3;

/// `POST /checkout-sessions`.
pub(crate) async fn create(State(compat): State<Compat>, call: Call) -> Result<Response, Problem> {
    let body: CheckoutBody = call.read()?;
    let Some(items) = body.line_items else {
        return Err(Refusal::field("/line_items", "is needed").into());
    };
    let codes = body.discounts.map(|discounts| discounts.codes).unwrap_or_default();
    let basket = Basket { items: items.into_iter().map(wanted).collect::<Result<_, _>>()?, codes };
    let customers = &compat.settings.customers;
    let buyer = buyer::read(Buyer::default(), body.buyer, body.fulfillment, customers)?;
    let origin = Origin {
        source: Source::Ucp,
        agent: Some(call.profile.clone()),
        protocol: Some(protocol()),
        webhook_url: platform::webhook_url(&compat, &call.profile).await,
        ..Origin::default()
    };
    let open = OpenCheckout { cart_id: None, basket: Some(basket), buyer, origin };
    let opened = compat.door.engine().open_checkout(&call.ctx, open).await;
    let opened = opened.map_err(short_basket)?.reply;
    if let Some(sku) = view::shortage(&opened) {
        let refused = insufficient_stock(sku);
        give_up(&compat, &call.ctx, &opened).await;
        return Err(refused);
    }
    buyer::remember(&opened.checkout.buyer, customers);
    Ok((StatusCode::CREATED, Json(view::written(&compat, &opened))).into_response())
}

/// `GET /checkout-sessions/{id}`.
pub(crate) async fn show(
    State(compat): State<Compat>,
    PathParams(id): PathParams<CheckoutId>,
    call: Call,
) -> Result<Response, Problem> {
    let found = compat.door.engine().get_checkout(&call.ctx, id).await.map_err(problem)?;
    let now = compat.door.system().now();
    Ok(Json(view::checkout(&compat, &found, now)).into_response())
}

/// `PUT /checkout-sessions/{id}`. What is absent stays, although the protocol says that it goes.
pub(crate) async fn update(
    State(compat): State<Compat>,
    PathParams(id): PathParams<CheckoutId>,
    call: Call,
) -> Result<Response, Problem> {
    let engine = compat.door.engine();
    let mut tries = 0;
    let (before, changed) = loop {
        tries += 1;
        let before = engine.peek_checkout(&call.ctx, id).await.map_err(problem)?;
        let replace = replacement(&compat, &before, call.read()?)?;
        match engine.replace_checkout(&call.ctx, replace).await {
            Err(error) if is_stale(&error) && tries < TRIES => {}
            outcome => break (before, outcome.map_err(problem)?.reply),
        }
    };
    if let Some(sku) = view::shortage(&changed) {
        let refused = insufficient_stock(sku);
        put_back(&compat, &call.ctx, &before, &changed).await;
        return Err(refused);
    }
    buyer::remember(&changed.checkout.buyer, &compat.settings.customers);
    Ok(Json(view::written(&compat, &changed)).into_response())
}

/// `POST /checkout-sessions/{id}/complete`.
pub(crate) async fn complete(
    State(compat): State<Compat>,
    PathParams(id): PathParams<CheckoutId>,
    call: Call,
) -> Result<Response, Problem> {
    let engine = compat.door.engine();
    let choice = payment::choice(&call.body)?;
    let before = engine.peek_checkout(&call.ctx, id).await.map_err(problem)?;
    let was_completed = view::status(&before, compat.door.system().now()) == "completed";
    let complete = Complete {
        checkout_id: id,
        payment: Some(choice),
        said: WithPayment::default(),
        // The version has no member for it: the total of the latest answer is the one that is charged.
        expected_total_minor: None,
        expected_version: None,
    };
    let completed = engine.complete_checkout(&call.ctx, complete).await.map_err(problem)?;
    if was_completed && !completed.replayed {
        // The engine answers with the order that there is. The suite wants to hear that it is too late.
        return Err(Refusal::new(Code::CheckoutClosed, "the checkout became an order").into());
    }
    if let Some(refusal) = completed.reply.payment_refusal() {
        return Err(problem(refusal));
    }
    let found = engine.get_checkout(&call.ctx, id).await.map_err(problem)?;
    let found = CheckoutView { completion: Some(completed.reply), ..found };
    Ok(Json(view::written(&compat, &found)).into_response())
}

/// `POST /checkout-sessions/{id}/cancel`.
pub(crate) async fn cancel(
    State(compat): State<Compat>,
    PathParams(id): PathParams<CheckoutId>,
    call: Call,
) -> Result<Response, Problem> {
    let canceled = compat.door.engine().cancel_checkout(&call.ctx, id).await.map_err(problem)?;
    Ok(Json(view::written(&compat, &canceled.reply)).into_response())
}

/// What the protocol of an order is called, so that its news are written in it.
pub(crate) fn protocol() -> String {
    format!("ucp/{VERSION}")
}

/// The whole checkout as it is to be, from what is said and what was.
fn replacement(
    compat: &Compat,
    before: &CheckoutView,
    body: CheckoutBody,
) -> Result<ReplaceCheckout, Refusal> {
    let checkout = &before.checkout;
    let items = match body.line_items {
        Some(items) => items.into_iter().map(wanted).collect::<Result<_, _>>()?,
        None => checkout.lines.iter().map(kept).collect(),
    };
    let codes = body.discounts.map_or_else(|| checkout.codes.clone(), |discounts| discounts.codes);
    let customers = &compat.settings.customers;
    let buyer = buyer::read(checkout.buyer.clone(), body.buyer, body.fulfillment, customers)?;
    Ok(ReplaceCheckout {
        checkout_id: checkout.id,
        basket: Basket { items, codes },
        buyer,
        origin: None,
        expected_version: Some(checkout.version),
    })
}

/// An item by its SKU. A line that the checkout does not know is a new one.
fn wanted(item: LineItemBody) -> Result<WantedItem, Refusal> {
    let LineItemBody { id, item, quantity } = item;
    if looks_like_card_number(&item.id) {
        return Err(Refusal::card_number("/line_items"));
    }
    let unknown = |_| Refusal::new(Code::VariantUnknown, "there is no such product");
    let sku = Sku::parse("/line_items", &item.id).map_err(unknown)?;
    Ok(WantedItem {
        line_id: id.and_then(|id| id.parse().ok()),
        variant: StockKey::Sku(sku),
        quantity,
        custom: Default::default(),
    })
}

/// A line as it stands.
fn kept(line: &CartLine) -> WantedItem {
    WantedItem {
        line_id: Some(line.id),
        variant: StockKey::Id(line.variant_id),
        quantity: line.quantity,
        custom: line.custom.clone(),
    }
}

/// Gives up a checkout that was opened for more than there is. The engine lets baskets be too large until they
/// are bought; the suite wants them refused at once. If this fails, the checkout expires on its own.
async fn give_up(compat: &Compat, ctx: &Context, opened: &CheckoutView) {
    let ctx = Context { idempotency: None, ..ctx.clone() };
    note(compat.door.engine().cancel_checkout(&ctx, opened.checkout.id).await);
}

/// Puts a checkout back that became more than there is. If this fails, it cannot be bought either.
async fn put_back(compat: &Compat, ctx: &Context, before: &CheckoutView, changed: &CheckoutView) {
    let ctx = Context { idempotency: None, ..ctx.clone() };
    let checkout = &before.checkout;
    let replace = ReplaceCheckout {
        checkout_id: checkout.id,
        basket: Basket {
            items: checkout.lines.iter().map(kept).collect(),
            codes: checkout.codes.clone(),
        },
        buyer: checkout.buyer.clone(),
        origin: None,
        expected_version: Some(changed.checkout.version),
    };
    note(compat.door.engine().replace_checkout(&ctx, replace).await);
}

fn note(outcome: Result<Once<CheckoutView>, Error>) {
    if let Err(error) = outcome {
        tracing::debug!(code = %error.code(), "a basket that was too large stays as it is");
    }
}
