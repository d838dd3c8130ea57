//! Whether everything that a shop wrote down agrees.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use handel_domain::{
    id::{CartId, CheckoutId, OrderId, PromotionId},
    order::Status,
    promotion::AppliedDiscount,
};
use handel_local::Ledger;
use handel_store::{Database, Json, Row, Statement, StoreError, Transaction, statements, values};

statements! {
    LEVELS = "
        select l.variant_id || ' at ' || l.location_id, l.on_hand, l.allocated, l.held, l.safety, l.backorder_limit,
               (select cast(coalesce(sum(a.quantity), 0) as bigint) from stock_allocations a
                 where a.tenant_id = l.tenant_id and a.variant_id = l.variant_id and a.location_id = l.location_id),
               (select cast(coalesce(sum(m.on_hand_delta), 0) as bigint) from stock_movements m
                 where m.tenant_id = l.tenant_id and m.variant_id = l.variant_id and m.location_id = l.location_id),
               (select cast(coalesce(sum(m.allocated_delta), 0) as bigint) from stock_movements m
                 where m.tenant_id = l.tenant_id and m.variant_id = l.variant_id and m.location_id = l.location_id),
               (select cast(coalesce(sum(h.quantity), 0) as bigint) from stock_holds h
                 where h.tenant_id = l.tenant_id and h.variant_id = l.variant_id and h.location_id = l.location_id)
          from stock_levels l";
    LINES = "
        select l.order_id || ' line ' || l.id, l.ordered - l.canceled - l.shipped,
               (select cast(coalesce(sum(a.quantity), 0) as bigint) from stock_allocations a
                 where a.tenant_id = l.tenant_id and a.order_id = l.order_id and a.line_id = l.id)
          from order_lines l where l.tracked";
    ORDERS = "
        select id, checkout_id, status, total_minor, event_sequence, discount_minor, discounts from orders";
    PROMOTIONS = "select id, used, usage_limit, customer_limit from promotions";
    USES = "select promotion_id, customer, order_id from promotion_uses";
    MONEY = "
        select p.order_id, p.amount_minor, p.captured_minor, p.refund_pending_minor, p.refunded_minor,
               (select cast(coalesce(sum(o.amount_minor), 0) as bigint) from payment_operations o
                 where o.tenant_id = p.tenant_id and o.payment_id = p.id and o.currency = p.currency
                   and o.kind = 'capture'),
               (select cast(coalesce(sum(o.amount_minor), 0) as bigint) from payment_operations o
                 where o.tenant_id = p.tenant_id and o.payment_id = p.id and o.currency = p.currency
                   and o.kind = 'refund' and o.status = 'pending'),
               (select cast(coalesce(sum(o.amount_minor), 0) as bigint) from payment_operations o
                 where o.tenant_id = p.tenant_id and o.payment_id = p.id and o.currency = p.currency
                   and o.kind = 'refund' and o.status = 'succeeded'),
               (select cast(coalesce(sum(o.amount_minor), 0) as bigint) from payment_operations o
                 where o.tenant_id = p.tenant_id and o.payment_id = p.id and o.kind = 'refund' and o.status = 'failed')
          from payments p";
    EVENTS = "select aggregate, sequence, name from events order by aggregate, id";
    CHECKOUT_OF = "select id from checkouts where cart_id = $1 and status <> 'canceled'";
}

/// What a provider has in its books.
#[derive(Clone, Debug, Default)]
pub struct ProviderBooks {
    /// What it took for each order, and what of it went back, in minor units.
    pub orders: BTreeMap<OrderId, Moved>,
}

/// Money that moved for one order, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// What was taken.
    pub captured_minor: i64,
    /// What of it went back.
    pub refunded_minor: i64,
}

impl Moved {
    /// What the provider keeps for the shop.
    pub fn kept_minor(self) -> i64 {
        self.captured_minor - self.refunded_minor
    }
}

/// When the books are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// While calls are under way: the provider may know more than the shop.
    Moving,
    /// When nothing is left to be done: both know the same.
    AtRest,
}

/// What does not agree, one sentence each.
#[derive(Debug, Default)]
struct Findings(Vec<String>);

impl Findings {
    fn expect(&mut self, holds: bool, sentence: impl FnOnce() -> String) {
        if !holds {
            self.0.push(sentence());
        }
    }

    fn equal<T: PartialEq + fmt::Debug>(
        &mut self,
        found: &T,
        expected: &T,
        what: &(impl fmt::Display + ?Sized),
    ) {
        self.expect(found == expected, || format!("{what}: {found:?} is not {expected:?}"));
    }
}

/// Holds all tables against each other and against the books of the provider. Returns what does not agree,
/// one sentence each.
pub async fn audit_books(
    database: &Database,
    provider: &ProviderBooks,
    moment: Moment,
) -> Vec<String> {
    let mut findings = Findings::default();
    check_stock(database, &mut findings).await;
    let orders = rows(database, &ORDERS, Order::read).await;
    check_orders(&orders, &mut findings);
    check_promotions(database, &orders, &mut findings).await;
    check_money(database, provider, &orders, moment, &mut findings).await;
    check_journal(database, &orders, &mut findings).await;
    findings.0
}

/// Checks everything, at rest.
pub(crate) async fn check(database: &Database, ledger: &Ledger) {
    let provider = books_of(database, ledger).await;
    let findings = audit_books(database, &provider, Moment::AtRest).await;
    assert!(findings.is_empty(), "the books do not agree:\n{}", findings.join("\n"));
}

async fn books_of(database: &Database, ledger: &Ledger) -> ProviderBooks {
    let mut provider = ProviderBooks::default();
    for order in rows(database, &ORDERS, Order::read).await {
        let charges = ledger.charges_of(order.id).await.expect("the provider's books are open");
        let moved = Moved {
            captured_minor: charges.iter().map(|charge| charge.captured_minor).sum(),
            refunded_minor: charges.iter().map(|charge| charge.refunded_minor).sum(),
        };
        provider.orders.insert(order.id, moved);
    }
    let summary = ledger.summary().await.expect("the provider's books are open");
    let known: i64 = provider.orders.values().map(|moved| moved.kept_minor()).sum();
    let kept = summary.captured_minor - summary.refunded_minor;
    assert_eq!(kept, known, "the provider took money for nothing that the shop knows");
    provider
}

/// The checkout that a cart has.
pub(crate) async fn checkout_of(database: &Database, cart_id: CartId) -> CheckoutId {
    let found = database.read(async move |tx: &mut Transaction<'_>| {
        let row = tx.row(CHECKOUT_OF.bind(values![cart_id])).await?;
        row.expect("the cart has a checkout").get(0)
    });
    found.await.unwrap_or_else(|error: StoreError| panic!("{error}"))
}

struct Order {
    id: OrderId,
    checkout_id: String,
    status: Status,
    total_minor: i64,
    event_sequence: i64,
    discount_minor: i64,
    discounts: Vec<AppliedDiscount>,
}

impl Order {
    fn read(row: &Row) -> Result<Self, StoreError> {
        let status: String = row.get(2)?;
        Ok(Self {
            id: row.get(0)?,
            checkout_id: row.get(1)?,
            status: *Status::ALL.iter().find(|known| known.as_str() == status).expect("a status"),
            total_minor: row.get(3)?,
            event_sequence: row.get(4)?,
            discount_minor: row.get(5)?,
            discounts: row.get(6).map(|Json(discounts)| discounts)?,
        })
    }

    /// What the shop may keep of the buyer's money.
    fn earned_minor(&self) -> i64 {
        match self.status {
            Status::Created | Status::Reserved | Status::Canceled => 0,
            Status::Paid | Status::Packing | Status::Shipped | Status::Delivered => {
                self.total_minor
            }
        }
    }

    /// The events that an order in this status must have had.
    fn past(&self) -> &'static [&'static str] {
        match self.status {
            Status::Created => &["order_placed"],
            Status::Reserved => &["order_placed", "inventory_reserved"],
            Status::Paid => &["order_placed", "inventory_reserved", "order_paid"],
            Status::Packing => &["order_placed", "order_paid", "order_packing"],
            Status::Shipped => &["order_placed", "order_paid", "order_packing", "order_shipped"],
            Status::Delivered => {
                &["order_placed", "order_paid", "order_packing", "order_shipped", "order_delivered"]
            }
            Status::Canceled => &["order_placed", "order_canceled"],
        }
    }
}

async fn check_stock(database: &Database, findings: &mut Findings) {
    let levels = rows(database, &LEVELS, |row| {
        let numbers = [1, 2, 3, 4, 6, 7, 8, 9].map(|column| row.get::<i64>(column));
        let numbers = numbers.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok((row.get::<String>(0)?, row.get::<Option<i64>>(5)?, numbers))
    });
    for (what, backorder_limit, numbers) in levels.await {
        let [on_hand, allocated, held, safety, promised, moved, moved_promises, holds] =
            numbers[..]
        else {
            unreachable!("eight numbers were read")
        };
        let sum = |of: &str| format!("{what}: {of}");
        findings.equal(&allocated, &promised, &sum("allocated is the sum of the allocations"));
        findings.equal(&on_hand, &moved, &sum("on hand is the sum of the movements"));
        findings.equal(&allocated, &moved_promises, &sum("every promise is in the ledger"));
        findings.equal(&held, &holds, &sum("held is the sum of the holds"));
        if let Some(limit) = backorder_limit {
            findings.expect(allocated + held + safety <= on_hand + limit, || {
                format!("{what}: it is oversold, {allocated} are promised of {on_hand}")
            });
        }
    }
    let lines = rows(database, &LINES, |row| {
        Ok((row.get::<String>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?))
    });
    for (what, open, promised) in lines.await {
        let all = format!("{what}: what must still ship is promised, and nothing else");
        findings.equal(&open, &promised, &all);
    }
}

fn check_orders(orders: &[Order], findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for order in orders.iter().filter(|order| order.status != Status::Canceled) {
        findings.expect(seen.insert(&order.checkout_id), || {
            format!("{} became two orders", order.checkout_id)
        });
    }
}

/// Orders that were not canceled use their promotions, nothing else does, and no limit is passed.
async fn check_promotions(database: &Database, orders: &[Order], findings: &mut Findings) {
    let mut expected = BTreeSet::new();
    for order in orders {
        let off: i64 = order.discounts.iter().map(|discount| discount.amount_minor).sum();
        let sentence = format!("{}: every discount has its promotion", order.id);
        findings.equal(&order.discount_minor, &off, &sentence);
        if order.status != Status::Canceled {
            expected.extend(order.discounts.iter().map(|one| (one.promotion_id, order.id)));
        }
    }
    let uses = rows(database, &USES, |row| {
        Ok((row.get::<PromotionId>(0)?, row.get::<String>(1)?, row.get::<OrderId>(2)?))
    });
    let uses = uses.await;
    let found: BTreeSet<_> = uses.iter().map(|(id, _, order_id)| (*id, *order_id)).collect();
    findings.equal(&found, &expected, "what uses promotions are the orders that were not canceled");
    let promotions = rows(database, &PROMOTIONS, |row| {
        let limits = (row.get::<Option<i64>>(2)?, row.get::<Option<i64>>(3)?);
        Ok((row.get::<PromotionId>(0)?, row.get::<i64>(1)?, limits))
    });
    for (id, used, (usage_limit, customer_limit)) in promotions.await {
        let mut by_customer: BTreeMap<&str, i64> = BTreeMap::new();
        for (_, customer, _) in uses.iter().filter(|(of, ..)| *of == id) {
            *by_customer.entry(customer).or_default() += 1;
        }
        let counted: i64 = by_customer.values().sum();
        findings.equal(&used, &counted, &format!("{id}: used is the number of its uses"));
        findings.expect(usage_limit.is_none_or(|limit| used <= limit), || {
            format!("{id}: it was used {used} times, more often than it may")
        });
        let most = by_customer.values().copied().max().unwrap_or(0);
        findings.expect(customer_limit.is_none_or(|limit| most <= limit), || {
            format!("{id}: somebody used it {most} times, more often than they may")
        });
    }
}

/// What the shop says of the money of an order, in minor units.
struct Money {
    order_id: OrderId,
    captured: i64,
    pending: i64,
    refunded: i64,
    /// Refunds that the provider refuses for good.
    not_returned: i64,
}

async fn read_money(database: &Database, findings: &mut Findings) -> Vec<Money> {
    let payments = rows(database, &MONEY, |row| {
        let numbers = (1..=8).map(|column| row.get::<i64>(column));
        Ok((row.get::<OrderId>(0)?, numbers.collect::<Result<Vec<_>, _>>()?))
    });
    let mut money = Vec::new();
    for (order_id, numbers) in payments.await {
        let [_, captured, pending, refunded, captures, pending_refunds, refunds, not_returned] =
            numbers[..]
        else {
            unreachable!("eight numbers were read")
        };
        let counted = (captured, pending, refunded);
        let operations = (captures, pending_refunds, refunds);
        findings.equal(&counted, &operations, &format!("{order_id}: money is in the ledger"));
        money.push(Money { order_id, captured, pending, refunded, not_returned });
    }
    money
}

async fn check_money(
    database: &Database,
    provider: &ProviderBooks,
    orders: &[Order],
    moment: Moment,
    findings: &mut Findings,
) {
    let money = read_money(database, findings).await;
    for Money { order_id, captured, pending, refunded, .. } in &money {
        let moved = provider.orders.get(order_id).copied().unwrap_or_default();
        findings.expect(*captured <= moved.captured_minor, || {
            format!("{order_id}: the shop counts {captured}, the provider has {moved:?}")
        });
        let returned = *refunded..=refunded + pending;
        findings.expect(returned.contains(&moved.refunded_minor), || {
            format!("{order_id}: {refunded} went back and {pending} are to, but {moved:?}")
        });
    }
    let known: BTreeSet<OrderId> = orders.iter().map(|order| order.id).collect();
    for (order_id, moved) in provider.orders.iter().filter(|(id, _)| !known.contains(id)) {
        let sentence = format!("{order_id}: money of an order that the shop does not know");
        findings.equal(moved, &Moved::default(), &sentence);
    }
    if moment == Moment::Moving {
        return;
    }
    for order in orders {
        let kept = provider.orders.get(&order.id).copied().unwrap_or_default().kept_minor();
        let of_it = money.iter().find(|money| money.order_id == order.id);
        let expected = order.earned_minor() + of_it.map_or(0, |money| money.not_returned);
        let sentence = format!("{} ({}): the provider keeps what is owed", order.id, order.status);
        findings.equal(&kept, &expected, &sentence);
    }
}

async fn check_journal(database: &Database, orders: &[Order], findings: &mut Findings) {
    let events = rows(database, &EVENTS, |row| {
        Ok((row.get::<String>(0)?, row.get::<i64>(1)?, row.get::<String>(2)?))
    });
    let mut stories: BTreeMap<String, Vec<(i64, String)>> = BTreeMap::new();
    for (aggregate, sequence, name) in events.await {
        stories.entry(aggregate).or_default().push((sequence, name));
    }
    for order in orders {
        let id = order.id.to_string();
        let story = stories.get(&id).map(Vec::as_slice).unwrap_or_default();
        let sequence: Vec<i64> = story.iter().map(|(sequence, _)| *sequence).collect();
        let whole: Vec<i64> = (1..=order.event_sequence).collect();
        findings.equal(&sequence, &whole, &format!("{id}: its events have no gap"));
        for name in order.past() {
            let count = story.iter().filter(|(_, known)| known == name).count();
            findings.expect(count == 1, || format!("{id} is {} without {name}", order.status));
        }
    }
}

async fn rows<T: Send + 'static>(
    database: &Database,
    statement: &'static Statement,
    read: fn(&Row) -> Result<T, StoreError>,
) -> Vec<T> {
    let rows = database.read(async move |tx: &mut Transaction<'_>| {
        tx.rows(statement.bind(values![])).await?.iter().map(read).collect()
    });
    rows.await.unwrap_or_else(|error: StoreError| panic!("{}: {error}", statement.name()))
}
