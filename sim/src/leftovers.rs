//! What must not be there any more when everybody has gone and all deadlines have passed.

use std::collections::BTreeMap;

use handel_domain::id::OrderId;
use handel_store::{Database, Row, StoreError, Transaction, statements, values};
use jiff::Timestamp;

use crate::{listener::Listener, receiver::Receiver};

statements! {
    OPEN_ATTEMPTS = "
        select id || ' is ' || status from payment_attempts where status not in ('succeeded', 'failed') limit 5";
    PENDING_REFUNDS = "select id || ' of ' || payment_id from payment_operations where status = 'pending' limit 5";
    JOBS = "select kind || ' is ' || status || ': ' || coalesce(last_error, '') from jobs where status <> 'done' limit 5";
    OUTBOX = "select event_id || ' of ' || aggregate from outbox order by event_id limit 5";
    NEWS = "select id || ' is ' || status from webhook_deliveries where status in ('waiting', 'dead') limit 5";
    TOLD = "select id from webhook_deliveries where status = 'delivered'";
    KEYS = "select scope || ' ' || key from idempotency_keys where expires_at <= $1 limit 5";
    RESERVED = "select id || ' is ' || status from orders where status in ('created', 'reserved') limit 5";
    FORGOTTEN = "
        select id from orders
         where source = 'ucp' and (origin is null or cast(origin as text) not like '%/profile.json%') limit 5";
    HOLDS = "select checkout_id || ' holds ' || variant_id from stock_holds limit 5";
    ORDERS = "select id, status, event_sequence from orders";
}

/// Looks for everything that should have come to an end.
pub async fn find(database: &Database, now: Timestamp) -> Vec<String> {
    let mut found = Vec::new();
    for (what, statement) in [
        ("an attempt to pay never ended", &OPEN_ATTEMPTS),
        ("a refund never ended", &PENDING_REFUNDS),
        ("a job never ended", &JOBS),
        ("an event was never delivered", &OUTBOX),
        ("news were never taken", &NEWS),
        ("a key was never forgotten", &KEYS),
        ("an order waits for ever", &RESERVED),
        ("an order does not know its program", &FORGOTTEN),
        ("a hold was never released", &HOLDS),
    ] {
        let rows = database.read(async move |tx: &mut Transaction<'_>| {
            let values = if statement.name() == KEYS.name() { values![now] } else { values![] };
            let rows = tx.rows(statement.bind(values)).await?;
            rows.iter().map(|row| row.get::<String>(0)).collect::<Result<Vec<_>, StoreError>>()
        });
        match rows.await {
            Ok(rows) => found.extend(rows.into_iter().map(|row| format!("{what}: {row}"))),
            Err(error) => found.push(format!("{what}: it cannot be read: {error}")),
        }
    }
    found
}

/// Holds what the shop believes to have told programs against what their receiver heard.
pub async fn compare_news(database: &Database, receiver: &Receiver) -> Vec<String> {
    let told = database.read(async |tx: &mut Transaction<'_>| {
        let rows = tx.rows(TOLD.bind(values![])).await?;
        rows.iter().map(|row| row.get::<String>(0)).collect::<Result<Vec<_>, StoreError>>()
    });
    let told = match told.await {
        Ok(told) => told,
        Err(error) => return vec![format!("the messages cannot be read: {error}")],
    };
    let unheard = told.into_iter().filter(|id| !receiver.has_heard(id));
    unheard.map(|id| format!("message {id} was not heard")).collect()
}

/// Holds the orders against what callers were told of them and what the subscriber heard.
pub async fn compare_orders(
    database: &Database,
    acknowledged: &BTreeMap<OrderId, bool>,
    listener: &Listener,
) -> Vec<String> {
    let orders = database.read(async |tx: &mut Transaction<'_>| {
        let rows = tx.rows(ORDERS.bind(values![])).await?;
        let read =
            |row: &Row| Ok((row.get::<OrderId>(0)?, (row.get::<String>(1)?, row.get::<i64>(2)?)));
        rows.iter().map(read).collect::<Result<BTreeMap<_, _>, StoreError>>()
    });
    let orders = match orders.await {
        Ok(orders) => orders,
        Err(error) => return vec![format!("the orders cannot be read: {error}")],
    };
    let mut found = Vec::new();
    for (id, is_paid) in acknowledged {
        match orders.get(id) {
            None => found.push(format!("{id} was acknowledged and is gone")),
            Some((status, _)) if *is_paid && status == "reserved" => {
                found.push(format!("{id} was acknowledged as paid and is {status}"));
            }
            Some(_) => {}
        }
    }
    for (id, (_, sequence)) in &orders {
        let heard = listener.last_of(&id.to_string());
        if heard != *sequence {
            found.push(format!("{id}: of {sequence} events the subscriber heard {heard}"));
        }
    }
    found
}
