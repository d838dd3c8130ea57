//! Writes a message, once for all its sendings.

use std::collections::BTreeMap;

use bytes::Bytes;
use handel_store::{Json, Transaction, statements, values};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use super::{Delivery, OrderNews, WebhookFormat, send::Outcome, take::Taken};
use crate::{Context, Engine, Error};

statements! {
    WRITE = "
        update webhook_deliveries set headers = $4, body = $5, written_at = $6, updated_at = $6
         where tenant_id = $1 and id = $2 and lease_owner = $3 and status = 'waiting' and body is null";
}

/// What is sent: always the same.
#[derive(Clone)]
pub(super) struct Written {
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Writes a message for the first time and keeps it, before anybody sees it.
pub(super) async fn write(engine: &Engine, one: &Taken) -> Result<Result<Written, Outcome>, Error> {
    let formats = &engine.0.webhook_formats;
    let Some(format) = formats.iter().find(|format| format.name() == one.format) else {
        let reason = format!("this program does not write {}", one.format);
        return Ok(Err(unwritten(reason)));
    };
    let (news, now) = (news(engine, one).await?, engine.system().now());
    if !news.story.was_paid() || !format.tells(&one.event) {
        return Ok(Err(Outcome::Nothing));
    }
    let written = match compose(&**format, one, &news, now) {
        Ok(written) => written,
        Err(reason) => return Ok(Err(unwritten(reason))),
    };
    let (owner, tenant_id, id) = (engine.process(), one.tenant_id, one.id);
    let (headers, body) = (texts(&written.headers), written.body.to_vec());
    let kept = engine
        .database()
        .write(async move |tx: &mut Transaction<'_>| {
            let keep =
                WRITE.bind(values![tenant_id, id, &owner, Json(&headers), body.clone(), now]);
            Ok::<_, Error>(tx.run(keep).await? == 1)
        })
        .await?;
    Ok(if kept { Ok(written) } else { Err(Outcome::Lost) })
}

/// The outcome of a message that no door could write.
fn unwritten(reason: String) -> Outcome {
    Outcome::Failed { status: None, reason, is_alive: None }
}

fn compose(
    format: &dyn WebhookFormat,
    one: &Taken,
    news: &OrderNews,
    now: Timestamp,
) -> Result<Written, String> {
    let body = format.write(news)?;
    let delivery = Delivery {
        id: one.id,
        order_id: one.order_id,
        event: one.event.clone(),
        url: one.url.clone(),
        written_at: now,
    };
    let headers = format.headers(&delivery, &body)?;
    Ok(Written { headers, body })
}

/// Everything that a message may tell.
async fn news(engine: &Engine, one: &Taken) -> Result<OrderNews, Error> {
    let ctx = Context::system(one.tenant_id, "webhooks", engine.request_id());
    let story = engine.order_story(&ctx, one.order_id, None).await?;
    let event = story.events.iter().find(|event| event.id == one.event_id);
    Ok(OrderNews {
        delivery_id: one.id,
        event: one.event.clone(),
        sequence: one.sequence,
        occurred_at: event.map_or_else(|| one.event_id.minted_at(), |event| event.occurred_at),
        order_token: engine.order_token(one.tenant_id, one.order_id),
        story,
    })
}

/// Headers as they are kept. A format gives each once, and in ASCII.
fn texts(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

pub(super) fn parse(headers: &BTreeMap<String, String>) -> HeaderMap {
    let header = |(name, value): (&String, &String)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    };
    headers.iter().filter_map(header).collect()
}
