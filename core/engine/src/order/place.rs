//! Places a batch of orders in one transaction: loads what all of them need, decides each, and writes
//! table by table.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::Arc,
};

use handel_domain::{
    Code, Currency, Money, Refusal,
    cart::Cart,
    channel::Settings,
    checkout::{Checkout, CheckoutStatus, Offers, Quote},
    id::{AttemptKind, ChannelId, CheckoutId, OrderId, OrderKind, PaymentKind, TenantId},
    order::{Order, Placement},
    payment::{Attempt, AttemptStatus, Payment},
    promotion::Deals,
};
use handel_store::{Bound, Transaction, statements, values};
use jiff::{SignedDuration, Timestamp};

use super::sql;
use crate::{
    Complete, Completion, Context, Engine, Error, PaymentSummary, cart, catalog,
    channel::{Market, Which},
    checkout,
    idempotency::{self, Known},
    journal,
    payment::{self, Claimed},
    promotion::{self, Asked, Uses},
    stock,
};

statements! {
    /// The first number of a batch. Numbers have no gaps, because they are taken in the transaction.
    TAKE_NUMBERS = "
        insert into order_numbers (tenant_id, next) values ($1, 1001 + $2)
            on conflict (tenant_id) do update set next = order_numbers.next + $2
        returning next - $2";
}

/// A completion on its way to become an order.
#[derive(Clone)]
pub(crate) struct Ticket {
    pub(crate) ctx: Context,
    pub(crate) complete: Complete,
    /// The provider that is to take the money; none where nothing is paid.
    pub(crate) provider: Option<&'static str>,
}

/// What became of a ticket.
pub(crate) enum Placed {
    /// The request was answered before.
    Replayed(Completion),
    /// There is nothing to charge.
    Done(Completion),
    /// The order is placed, and its payment's key is stored: charge it.
    Charge(Claimed),
    /// The checkout became this order before.
    Before(OrderId),
}

/// A checkout that can be ordered if there is stock.
struct Candidate<'t> {
    at: usize,
    ticket: &'t Ticket,
    checkout: Checkout,
    cart: Cart,
    market: Arc<Market>,
    quote: Quote,
}

/// Places orders for tickets of one tenant. Each gets its own outcome; an error fails the batch.
pub(super) async fn place_batch(
    engine: &Engine,
    tx: &mut Transaction<'_>,
    tickets: &[Ticket],
) -> Result<Vec<Result<Placed, Error>>, Error> {
    let now = engine.system().now();
    let mut outcomes: Vec<Option<Result<Placed, Error>>> = tickets.iter().map(|_| None).collect();
    let (checkouts, carts) = load_checkouts(tx, tickets, now, &mut outcomes).await?;
    let candidates =
        load_candidates(engine, tx, tickets, checkouts, carts, now, &mut outcomes).await?;
    if !candidates.is_empty() {
        write_orders(engine, tx, candidates, now, &mut outcomes).await?;
    }
    Ok(outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(|| Err(Error::internal("no outcome"))))
        .collect())
}

/// Checkouts that tickets may complete, each with the place of its ticket.
type Mine = HashMap<CheckoutId, (usize, Checkout)>;

/// Judges the keys and locks the checkouts with their carts. One round trip.
async fn load_checkouts(
    tx: &mut Transaction<'_>,
    tickets: &[Ticket],
    now: Timestamp,
    outcomes: &mut [Option<Result<Placed, Error>>],
) -> Result<(Mine, Vec<Cart>), Error> {
    let Some(first) = tickets.first() else { return Ok((HashMap::new(), Vec::new())) };
    let tenant_id = first.ctx.tenant_id;
    let mut ids: Vec<CheckoutId> =
        tickets.iter().map(|ticket| ticket.complete.checkout_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let keys: Vec<_> = tickets.iter().map(|ticket| ticket.ctx.idempotency.as_ref()).collect();
    let mut bounds: Vec<Bound> = Vec::with_capacity(tickets.len() + 2);
    for (ticket, key) in tickets.iter().zip(&keys) {
        bounds.extend(key.map(|key| idempotency::find(&ticket.ctx, key, now)));
    }
    bounds.push(cart::sql::lock_of_checkouts(tenant_id, &ids));
    bounds.push(checkout::sql::lock_many(tenant_id, ids));
    let mut results = tx.rows_all(bounds).await?;
    let locked = checkout::sql::read_all(&results.pop().unwrap_or_default())?;
    let carts = cart::sql::read_all(&results.pop().unwrap_or_default())?;
    let locked: HashMap<CheckoutId, Checkout> =
        locked.into_iter().map(|found| (found.id, found)).collect();
    let mut stored = results.into_iter();
    let (mut mine, mut taken) = (HashMap::new(), HashSet::new());
    for (at, (ticket, key)) in tickets.iter().zip(&keys).enumerate() {
        let row = key.and_then(|_| stored.next()).and_then(|rows| rows.into_iter().next());
        let known = match (row, key) {
            (Some(row), Some(key)) => idempotency::judge(&row, key, now),
            // Another ticket of this batch is about to claim the key.
            (None, Some(key)) if taken.contains(&(&key.scope, &key.key)) => {
                Err(idempotency::in_flight().into())
            }
            _ => Ok(Known::New),
        };
        outcomes[at] = match known {
            Ok(Known::Done(completion)) => Some(Ok(Placed::Replayed(completion))),
            Err(error) => Some(Err(error)),
            Ok(Known::New | Known::Abandoned) => match check(ticket, &locked, &mine, now) {
                Ok(Found::Open(checkout)) => {
                    mine.insert(checkout.id, (at, checkout.clone()));
                    taken.extend(key.map(|key| (&key.scope, &key.key)));
                    None
                }
                Ok(Found::Ordered(order_id)) => Some(Ok(Placed::Before(order_id))),
                Err(refusal) => Some(Err(refusal.into())),
            },
        };
    }
    Ok((mine, carts))
}

/// A checkout that a ticket may complete.
enum Found<'c> {
    /// It can become an order.
    Open(&'c Checkout),
    /// It became this order before.
    Ordered(OrderId),
}

/// Refuses a checkout that is not there, not the caller's, or has ended, and one that another ticket of this
/// batch completes.
fn check<'c>(
    ticket: &Ticket,
    locked: &'c HashMap<CheckoutId, Checkout>,
    mine: &Mine,
    now: Timestamp,
) -> Result<Found<'c>, Refusal> {
    let checkout = locked.get(&ticket.complete.checkout_id).ok_or_else(checkout::unknown)?;
    checkout::check_owner(&ticket.ctx, checkout)?;
    match (checkout.status, checkout.order_id) {
        (CheckoutStatus::Completed, Some(order_id)) => Ok(Found::Ordered(order_id)),
        _ if mine.contains_key(&checkout.id) => Err(payment::in_progress(None)),
        _ => checkout.check_open(now).map(|()| Found::Open(checkout)),
    }
}

/// Loads the offers and promotions of all checkouts, and keeps those that are complete. One round trip.
///
/// A promotion that may be used only so often is used by those who come first. Where one of them then lacks
/// stock, its use stays free although somebody behind it may have been refused.
async fn load_candidates<'t>(
    engine: &Engine,
    tx: &mut Transaction<'_>,
    tickets: &'t [Ticket],
    checkouts: Mine,
    mut carts: Vec<Cart>,
    now: Timestamp,
    outcomes: &mut [Option<Result<Placed, Error>>],
) -> Result<Vec<Candidate<'t>>, Error> {
    let mut checkouts: Vec<(usize, Checkout)> = checkouts.into_values().collect();
    checkouts.sort_by_key(|(at, _)| *at);
    let Some((first, _)) = checkouts.first() else { return Ok(Vec::new()) };
    let tenant_id = tickets[*first].ctx.tenant_id;
    let markets = load_markets(engine, tx, tenant_id, &checkouts).await?;
    let mut asked = Asked::for_orders();
    for (_, checkout) in &checkouts {
        let market = &markets[&checkout.channel_id];
        asked.add(market, &checkout.codes, checkout.buyer.email.as_ref());
    }
    let mut asked = asked.bounds(tenant_id);
    let mut known = promotion::Known::default();
    let mut by_currency: HashMap<Currency, Offers> = HashMap::new();
    let mut candidates = Vec::with_capacity(checkouts.len());
    let mut shown = Vec::new();
    let all: HashSet<_> =
        checkouts.iter().flat_map(|(_, checkout)| cart::variants_of(&checkout.lines)).collect();
    let all: Vec<_> = all.into_iter().collect();
    for (at, mut checkout) in checkouts {
        let market = &markets[&checkout.channel_id];
        let currency = market.channel.settings.currency;
        if let Entry::Vacant(entry) = by_currency.entry(currency) {
            let others = std::mem::take(&mut asked);
            let (offers, rows) =
                catalog::offers(tx, tenant_id, &all, currency, None, now, others).await?;
            if !rows.is_empty() {
                known = promotion::Known::read(&rows)?;
            }
            entry.insert(offers);
        }
        let cart = carts.iter().position(|cart| cart.id == checkout.cart_id);
        let cart = cart.map(|at| carts.swap_remove(at));
        let deals = known.deals(market, &checkout.codes, checkout.buyer.email.as_ref(), now);
        let (settings, offers) = (&market.channel.settings, &by_currency[&currency]);
        let decided = decide(&tickets[at], &checkout, cart, settings, offers, &deals);
        let said = tickets[at].complete.said.clone();
        let decided = decided.and_then(|bought| {
            checkout.add_with_payment(said, settings)?;
            Ok(bought)
        });
        match decided {
            Ok((cart, quote)) => {
                known.take(&quote.discounts, checkout.buyer.email.as_ref());
                candidates.push(Candidate {
                    at,
                    ticket: &tickets[at],
                    cart,
                    market: Arc::clone(market),
                    quote,
                    checkout,
                });
            }
            Err(refusal) => {
                shown.extend(shown_by(&refusal, &tickets[at].ctx, &mut checkout, currency));
                outcomes[at] = Some(Err(refusal.into()));
            }
        }
    }
    save_shown(tx, shown).await?;
    Ok(candidates)
}

async fn save_shown(tx: &mut Transaction<'_>, shown: Vec<Bound>) -> Result<(), Error> {
    match shown.is_empty() {
        true => Ok(()),
        false => checkout::write(tx, shown).await,
    }
}

/// The row that keeps the total that a refusal shows to the owner, so that the next completion buys at it.
fn shown_by(
    refusal: &Refusal,
    ctx: &Context,
    checkout: &mut Checkout,
    currency: Currency,
) -> Option<Bound> {
    let total_minor = refusal.details.total_minor.filter(|_| refusal.code == Code::TotalsChanged);
    let is_news = checkout::show_total(ctx, checkout, Money::new(total_minor?, currency));
    is_news.then(|| checkout::sql::set_shown(ctx.tenant_id, checkout))
}

/// The channels of some checkouts.
async fn load_markets(
    engine: &Engine,
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    checkouts: &[(usize, Checkout)],
) -> Result<HashMap<ChannelId, Arc<Market>>, Error> {
    let mut markets = HashMap::new();
    for (_, checkout) in checkouts {
        if let Entry::Vacant(entry) = markets.entry(checkout.channel_id) {
            entry.insert(engine.market(tx, tenant_id, Which::Id(checkout.channel_id)).await?);
        }
    }
    Ok(markets)
}

/// Checks a checkout against its cart and against what the catalog says now.
fn decide(
    ticket: &Ticket,
    checkout: &Checkout,
    cart: Option<Cart>,
    settings: &Settings,
    offers: &Offers,
    deals: &Deals<'_>,
) -> Result<(Cart, Quote), Refusal> {
    crate::check_version(checkout.version, ticket.complete.expected_version)?;
    let cart = cart.ok_or_else(cart::unknown)?;
    cart.check_open(deals.now)?;
    if cart.version != checkout.cart_version {
        return Err(Refusal::new(
            Code::CartChanged,
            "the cart changed since; make the checkout from it again",
        ));
    }
    let quote = Quote::compute(&checkout.lines, offers, &checkout.buyer, settings, deals)?;
    checkout.check_complete(&quote, settings.currency, ticket.complete.expected_total_minor)?;
    if quote.totals.total_minor > 0 && ticket.complete.payment.is_none() {
        let mut refusal = Refusal::field("/payment", "is needed");
        refusal.code = Code::CheckoutIncomplete;
        return Err(refusal);
    }
    Ok((cart, quote))
}

/// Promises the stock and writes the orders that got it. Two round trips.
async fn write_orders(
    engine: &Engine,
    tx: &mut Transaction<'_>,
    mut candidates: Vec<Candidate<'_>>,
    now: Timestamp,
    outcomes: &mut [Option<Result<Placed, Error>>],
) -> Result<(), Error> {
    let ctx = &candidates[0].ticket.ctx.clone();
    let placements: Vec<_> = candidates
        .iter()
        .map(|candidate| (candidate.checkout.id, candidate.quote.demand()))
        .collect();
    let reservation = stock::reserve(tx, ctx.tenant_id, &placements, now).await?;
    let served = reservation.outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let mut number = take_numbers(tx, ctx.tenant_id, served).await?;
    let mut order_ids = Vec::with_capacity(candidates.len());
    let mut writes = Writes::default();
    for (candidate, outcome) in candidates.iter_mut().zip(&reservation.outcomes) {
        let placed = match outcome {
            Err(shortages) => {
                order_ids.push(None);
                Err(stock::short(shortages.clone()).into())
            }
            Ok(_) => {
                let (order_id, placed) = place_one(engine, candidate, number, now, &mut writes);
                number += 1;
                order_ids.push(Some(order_id));
                Ok(placed)
            }
        };
        outcomes[candidate.at] = Some(placed);
    }
    let (guards, rows) = stock::reserve_rows(engine.system(), ctx, &reservation, &order_ids, now);
    let guarded = guards.len() + writes.guarded.len();
    let rows = writes.plain.into_iter().chain(rows);
    let mut bounds: Vec<_> = guards.into_iter().chain(writes.guarded).chain(rows).collect();
    let before_uses = bounds.len();
    bounds.extend(writes.uses.bounds(ctx.tenant_id));
    let changed = tx.run_all(bounds).await?;
    if changed[..guarded].iter().chain(&changed[before_uses..]).any(|count| *count != 1) {
        return Err(tx.restart().into());
    }
    Ok(())
}

async fn take_numbers(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    count: usize,
) -> Result<i64, Error> {
    if count == 0 {
        return Ok(0);
    }
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let row = tx.row(TAKE_NUMBERS.bind(values![tenant_id, count])).await?;
    Ok(row.ok_or_else(|| Error::internal("no order number"))?.get(0)?)
}

/// The rows of a batch. The guarded ones must change exactly one row each.
#[derive(Default)]
struct Writes {
    guarded: Vec<Bound>,
    plain: Vec<Bound>,
    uses: Uses,
}

fn place_one(
    engine: &Engine,
    candidate: &mut Candidate<'_>,
    number: i64,
    now: Timestamp,
    writes: &mut Writes,
) -> (OrderId, Placed) {
    let (system, ctx) = (engine.system(), &candidate.ticket.ctx);
    let placement = Placement {
        id: system.mint::<OrderKind>(now),
        tenant_id: ctx.tenant_id,
        number,
        source: ctx.source,
        checkout: &candidate.checkout,
        quote: &candidate.quote,
        settings: &candidate.market.channel.settings,
    };
    let (mut order, changes) = placement.place(now);
    let events = journal::record_order(system, ctx, &mut order, changes, now);
    let total = Money::new(order.total_minor, order.currency);
    checkout::show_total(ctx, &mut candidate.checkout, total);
    let keep_until = candidate.cart.expires_at.max(order.reservation_expires_at);
    candidate.checkout.complete(order.id, keep_until, now);
    candidate.cart.close(now);
    writes.guarded.push(checkout::sql::update(ctx.tenant_id, &mut candidate.checkout));
    writes.guarded.push(cart::sql::update(ctx.tenant_id, &mut candidate.cart));
    writes.plain.extend(sql::insert(&order));
    writes.plain.extend(events);
    writes.uses.add(&order);
    let order_id = order.id;
    let placed = if order.total_minor == 0 {
        let order_token = engine.order_token(ctx.tenant_id, order.id);
        let completion = Completion {
            order,
            order_token,
            payment: None::<PaymentSummary>,
            ordered_before: false,
        };
        claim(engine, ctx, Some(&completion), now, writes);
        Placed::Done(completion)
    } else {
        let provider = candidate.ticket.provider.expect("what is owed was checked to be paid");
        let (payment, attempt) = new_payment(engine, &order, provider, now);
        writes.plain.push(payment::sql::insert_payment(ctx.tenant_id, &payment));
        writes.plain.push(payment::sql::insert_attempt(ctx.tenant_id, &attempt));
        claim(engine, ctx, None, now, writes);
        Placed::Charge(Claimed::new(&payment, &attempt, false))
    };
    (order_id, placed)
}

fn claim(
    engine: &Engine,
    ctx: &Context,
    reply: Option<&Completion>,
    now: Timestamp,
    writes: &mut Writes,
) {
    let key = ctx.idempotency.as_ref();
    writes
        .guarded
        .extend(key.map(|key| idempotency::claim(ctx, key, &engine.process(), reply, now)));
}

fn new_payment(
    engine: &Engine,
    order: &Order,
    provider: &str,
    now: Timestamp,
) -> (Payment, Attempt) {
    let payment = Payment {
        id: engine.system().mint::<PaymentKind>(now),
        order_id: order.id,
        currency: order.currency,
        amount_minor: order.total_minor,
        captured_minor: 0,
        refund_pending_minor: 0,
        refunded_minor: 0,
        version: 1,
    };
    let attempt = new_attempt(engine, &payment, provider, now);
    (payment, attempt)
}

/// A new attempt to collect a payment.
pub(crate) fn new_attempt(
    engine: &Engine,
    payment: &Payment,
    provider: &str,
    now: Timestamp,
) -> Attempt {
    Attempt {
        id: engine.system().mint::<AttemptKind>(now),
        payment_id: payment.id,
        order_id: payment.order_id,
        provider: provider.to_owned(),
        reference: None,
        status: AttemptStatus::Pending,
        amount_minor: payment.amount_minor,
        failure: None,
        next_action: None,
        check_at: Some(now + SignedDuration::from_millis(Attempt::FIRST_CHECK_MS)),
        checks: 0,
        created_at: now,
        sent_at: now,
        version: 1,
    }
}
