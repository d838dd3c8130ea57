//! Whether everything that a shop wrote down agrees.

use std::collections::{BTreeMap, BTreeSet};

use handel_domain::{
    id::{CartId, CheckoutId, OrderId},
    order::Status,
};
use handel_local::Ledger;
use handel_store::{Database, Row, Statement, StoreError, Transaction, statements, values};

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
    ORDERS = "select id, checkout_id, status, total_minor, event_sequence from orders";
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

/// Checks everything.
pub(crate) async fn check(database: &Database, ledger: &Ledger) {
    check_stock(database).await;
    let orders = rows(database, &ORDERS, Order::read).await;
    check_orders(&orders);
    check_money(database, ledger, &orders).await;
    check_journal(database, &orders).await;
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

async fn check_stock(database: &Database) {
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
        assert_eq!(allocated, promised, "{what}: allocated is the sum of the allocations");
        assert_eq!(on_hand, moved, "{what}: on hand is the sum of the movements");
        assert_eq!(allocated, moved_promises, "{what}: every promise is in the ledger");
        assert_eq!(held, holds, "{what}: held is the sum of the holds");
        if let Some(limit) = backorder_limit {
            assert!(allocated + held + safety <= on_hand + limit, "{what}: it is oversold");
        }
    }
    let lines = rows(database, &LINES, |row| {
        Ok((row.get::<String>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?))
    });
    for (what, open, promised) in lines.await {
        assert_eq!(open, promised, "{what}: what must still ship is promised, and nothing else");
    }
}

fn check_orders(orders: &[Order]) {
    let mut seen = BTreeSet::new();
    for order in orders.iter().filter(|order| order.status != Status::Canceled) {
        assert!(seen.insert(&order.checkout_id), "{} became two orders", order.checkout_id);
    }
}

async fn check_money(database: &Database, ledger: &Ledger, orders: &[Order]) {
    let payments = rows(database, &MONEY, |row| {
        let numbers = (1..=8).map(|column| row.get::<i64>(column));
        Ok((row.get::<OrderId>(0)?, numbers.collect::<Result<Vec<_>, _>>()?))
    });
    let mut not_returned: BTreeMap<OrderId, i64> = BTreeMap::new();
    for (id, numbers) in payments.await {
        let [_, captured, pending, refunded, captures, pending_refunds, refunds, failed] =
            numbers[..]
        else {
            unreachable!("eight numbers were read")
        };
        let counted = (captured, pending, refunded);
        assert_eq!(counted, (captures, pending_refunds, refunds), "{id}: money is in the ledger");
        not_returned.insert(id, failed);
    }
    let mut kept_minor = 0;
    for order in orders {
        let charges = ledger.charges_of(order.id).await.expect("the provider's books are open");
        let taken: i64 = charges.iter().map(|charge| charge.captured_minor).sum();
        let returned: i64 = charges.iter().map(|charge| charge.refunded_minor).sum();
        let refused = not_returned.get(&order.id).copied().unwrap_or(0);
        let expected = order.earned_minor() + refused;
        assert_eq!(taken - returned, expected, "{}: the provider keeps what is owed", order.id);
        kept_minor += expected;
    }
    let summary = ledger.summary().await.expect("the provider's books are open");
    let kept = summary.captured_minor - summary.refunded_minor;
    assert_eq!(kept, kept_minor, "the provider took money for nothing that the shop knows");
}

async fn check_journal(database: &Database, orders: &[Order]) {
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
        assert_eq!(sequence, whole, "{id}: its events have a gap, or another order");
        for name in order.past() {
            let count = story.iter().filter(|(_, known)| known == name).count();
            assert_eq!(count, 1, "{id} is {} without {name}", order.status);
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
