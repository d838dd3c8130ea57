//! Delivers events: reads them, hands them to every subscriber, and only then takes them from the outbox. A crash in between delivers some again, with the same ids.

use std::collections::HashSet;

use handel_domain::id::TenantId;
use handel_ports::{CrashPoint, PublishedEvent};
use handel_store::{Json, Row, StoreError, Transaction, statements, values};

use crate::{Engine, Error};

statements! {
    NEXT = "
        select e.tenant_id, e.id, e.aggregate, e.sequence, e.payload, e.occurred_at
          from outbox o
          join events e on e.tenant_id = o.tenant_id and e.aggregate = o.aggregate and e.id = o.event_id
         where o.event_id > $1 order by o.event_id limit 256";
    DELIVERED = "delete from outbox where tenant_id = $1 and event_id in list($2)";
}

/// How many events `NEXT` reads.
const PAGE: usize = 256;

/// What became of the events of a pass.
#[derive(Default)]
struct Pass {
    held_back: HashSet<String>,
    delivered: Vec<(TenantId, String)>,
}

/// Delivers one batch. Returns how many events were delivered. An event that a subscriber refuses holds
/// back the later ones of its aggregate, so that order is kept.
pub(crate) async fn relay_once(engine: &Engine) -> Result<usize, Error> {
    let mut pass = Pass::default();
    let mut events = next(engine, String::new()).await?;
    if !events.is_empty() {
        engine.system().reach(CrashPoint::EventsRead).await;
    }
    loop {
        for event in &events {
            pass.take(engine, event).await;
        }
        // Where a whole page is held back, what comes behind it must not wait for it.
        match events.pop().filter(|_| pass.delivered.is_empty() && events.len() + 1 == PAGE) {
            Some(last) => events = next(engine, last.id.to_string()).await?,
            None => break,
        }
    }
    let count = pass.delivered.len();
    if count == 0 {
        return Ok(0);
    }
    engine.system().reach(CrashPoint::EventsDelivered).await;
    let by_tenant = crate::group_by(pass.delivered);
    engine
        .database()
        .write(async move |tx: &mut Transaction<'_>| {
            let delivered = by_tenant
                .iter()
                .map(|(tenant_id, ids)| DELIVERED.bind(values![*tenant_id, ids.clone()]));
            tx.run_all(delivered.collect()).await.map(drop)
        })
        .await?;
    Ok(count)
}

/// The events that wait, oldest first, from after a given one on.
async fn next(engine: &Engine, after: String) -> Result<Vec<PublishedEvent>, StoreError> {
    engine
        .database()
        .read(async move |tx: &mut Transaction<'_>| {
            let rows = tx.rows(NEXT.bind(values![&after])).await?;
            rows.iter().map(read).collect::<Result<Vec<_>, StoreError>>()
        })
        .await
}

impl Pass {
    async fn take(&mut self, engine: &Engine, event: &PublishedEvent) {
        if self.held_back.contains(&event.aggregate) {
            return;
        }
        match deliver(engine, event).await {
            Ok(()) => self.delivered.push((event.tenant_id, event.id.to_string())),
            Err(reason) => {
                tracing::warn!(event = %event.id, reason, "an event could not be delivered; it comes again");
                self.held_back.insert(event.aggregate.clone());
            }
        }
    }
}

async fn deliver(engine: &Engine, event: &PublishedEvent) -> Result<(), String> {
    for subscriber in &engine.0.subscribers {
        subscriber
            .receive(event)
            .await
            .map_err(|reason| format!("{}: {reason}", subscriber.name()))?;
    }
    Ok(())
}

fn read(row: &Row) -> Result<PublishedEvent, StoreError> {
    let Json(event) = row.get(4)?;
    Ok(PublishedEvent {
        tenant_id: row.get(0)?,
        id: row.get(1)?,
        aggregate: row.get(2)?,
        sequence: row.get(3)?,
        occurred_at: row.get(5)?,
        event,
    })
}
