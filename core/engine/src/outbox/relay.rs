//! Delivers events: reads them, hands them to every subscriber, and only then notes that they were
//! delivered. A crash in between delivers some again, with the same ids.

use std::collections::HashSet;

use handel_domain::id::{EventId, TenantId};
use handel_ports::PublishedEvent;
use handel_store::{Json, Row, StoreError, Transaction, statements, values};

use crate::{Engine, Error};

statements! {
    NEXT = "
        select tenant_id, id, aggregate, sequence, payload, occurred_at from outbox
         where published_at is null order by occurred_at, aggregate, sequence limit 256";
    PUBLISHED = "update outbox set published_at = $3 where tenant_id = $1 and id in list($2)";
    FAILED = "update outbox set attempts = attempts + 1 where tenant_id = $1 and id = $2";
}

/// Delivers one batch. Returns how many events were delivered. An event that a subscriber refuses holds
/// back the later ones of its aggregate, so that order is kept.
pub(crate) async fn relay_once(engine: &Engine) -> Result<usize, Error> {
    let events = engine
        .database()
        .read(async move |tx: &mut Transaction<'_>| {
            let rows = tx.rows(NEXT.bind(values![])).await?;
            rows.iter().map(read).collect::<Result<Vec<_>, StoreError>>()
        })
        .await?;
    let mut held_back: HashSet<String> = HashSet::new();
    let mut delivered: Vec<(TenantId, String)> = Vec::with_capacity(events.len());
    let mut failed: Vec<(TenantId, EventId)> = Vec::new();
    for event in &events {
        if held_back.contains(&event.aggregate) {
            continue;
        }
        match deliver(engine, event).await {
            Ok(()) => delivered.push((event.tenant_id, event.id.to_string())),
            Err(reason) => {
                tracing::warn!(event = %event.id, reason, "an event could not be delivered; it comes again");
                held_back.insert(event.aggregate.clone());
                failed.push((event.tenant_id, event.id));
            }
        }
    }
    let count = delivered.len();
    let now = engine.system().now();
    let by_tenant = crate::group_by(delivered);
    engine
        .database()
        .write(async move |tx: &mut Transaction<'_>| {
            let published = by_tenant
                .iter()
                .map(|(tenant_id, ids)| PUBLISHED.bind(values![*tenant_id, ids.clone(), now]));
            let failed = failed.iter().map(|(tenant_id, id)| FAILED.bind(values![*tenant_id, *id]));
            tx.run_all(published.chain(failed).collect()).await.map(drop)
        })
        .await?;
    Ok(count)
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
