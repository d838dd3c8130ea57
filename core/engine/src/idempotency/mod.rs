//! Idempotency keys: a request that is sent twice happens once.
//!
//! The key and the reply commit together with what the request did. A refusal changes nothing and is not
//! remembered: the same request may be judged anew. Rules: the same key with another request is refused;
//! a request that is still under way is refused with a time to wait; a finished one is answered as it was
//! the first time.

use handel_domain::{Code, Refusal};
use handel_ports::System;
use handel_store::{Bound, Json, Transaction, statements, values};
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Context, Engine, Error, context::Idempotency};

statements! {
    FIND for update = "
        select digest, lease_until, reply
          from idempotency_keys where tenant_id = $1 and scope = $2 and key = $3 and expires_at > $4";
    CLAIM = "
        insert into idempotency_keys (tenant_id, scope, key, digest, owner, lease_until, reply, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (tenant_id, scope, key) do update
               set digest = excluded.digest, owner = excluded.owner, lease_until = excluded.lease_until,
                   reply = excluded.reply, expires_at = excluded.expires_at
             where idempotency_keys.expires_at <= $9
                or (idempotency_keys.reply is null and idempotency_keys.digest = excluded.digest
                    and idempotency_keys.lease_until <= $9)";
    FINISH = "
        update idempotency_keys set reply = $4
         where tenant_id = $1 and scope = $2 and key = $3 and reply is null";
    RELEASE = "
        delete from idempotency_keys where tenant_id = $1 and scope = $2 and key = $3 and reply is null";
    RELEASE_ALL_OF_OTHERS = "
        update idempotency_keys set lease_until = $2
         where reply is null and owner <> $1 and expires_at > $3";
    PURGE = "
        delete from idempotency_keys where (tenant_id, scope, key) in (
            select tenant_id, scope, key from idempotency_keys where expires_at <= $1 limit 500)";
}

/// How long a key is remembered.
const RETENTION: SignedDuration = SignedDuration::from_hours(72);
/// How long a request may be under way before a repetition takes it over.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// When a caller should ask again about a request that is under way, in milliseconds.
const RETRY_MS: u64 = 1_000;

/// A reply, and whether it was given before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Once<T> {
    /// The reply.
    pub reply: T,
    /// Whether this is the answer to a repetition.
    pub replayed: bool,
}

impl<T> Once<T> {
    /// Changes the reply and keeps whether it was given before.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Once<U> {
        Once { reply: change(self.reply), replayed: self.replayed }
    }
}

/// What is known of a key.
pub(crate) enum Known<T> {
    /// Nothing: the request may go on.
    New,
    /// The request ended with this reply.
    Done(T),
    /// The request was begun and its process died: it may be taken up again.
    Abandoned,
}

/// Looks a key up in the transaction of the request. Fails if it is in use, or was used for another request.
pub(crate) async fn look_up<T: DeserializeOwned>(
    tx: &mut Transaction<'_>,
    ctx: &Context,
    now: Timestamp,
) -> Result<Known<T>, Error> {
    let Some(key) = &ctx.idempotency else { return Ok(Known::New) };
    let Some(row) = tx.row(find(ctx, key, now)).await? else { return Ok(Known::New) };
    judge(&row, key, now)
}

pub(crate) fn find(ctx: &Context, key: &Idempotency, now: Timestamp) -> Bound {
    FIND.bind(values![ctx.tenant_id, &key.scope, &key.key, now])
}

/// Decides what a stored key means for a request.
pub(crate) fn judge<T: DeserializeOwned>(
    row: &handel_store::Row,
    key: &Idempotency,
    now: Timestamp,
) -> Result<Known<T>, Error> {
    if row.get::<String>(0)? != key.digest {
        return Err(conflict().into());
    }
    if let Some(Json(reply)) = row.get::<Option<Json<T>>>(2)? {
        return Ok(Known::Done(reply));
    }
    if row.get::<Timestamp>(1)? > now {
        return Err(in_flight().into());
    }
    Ok(Known::Abandoned)
}

/// The refusal of a key that was used for another request.
pub(crate) fn conflict() -> Refusal {
    Refusal::new(Code::IdempotencyConflict, "this idempotency key was used for a different request")
}

/// The refusal of a request whose first sending is still under way.
pub(crate) fn in_flight() -> Refusal {
    Refusal::new(
        Code::IdempotencyInFlight,
        "the first request with this idempotency key is still under way",
    )
    .retry_after_ms(RETRY_MS)
}

/// Claims a key, with the reply if there is one already. Changes no row if somebody else was faster.
pub(crate) fn claim<T: Serialize>(
    ctx: &Context,
    key: &Idempotency,
    owner: &str,
    reply: Option<&T>,
    now: Timestamp,
) -> Bound {
    CLAIM.bind(values![
        ctx.tenant_id,
        &key.scope,
        &key.key,
        &key.digest,
        owner,
        now + LEASE,
        reply.map(Json),
        now + RETENTION,
        now,
    ])
}

/// Stores the reply of a claimed key.
pub(crate) fn finish<T: Serialize>(ctx: &Context, reply: &T) -> Option<Bound> {
    let key = ctx.idempotency.as_ref()?;
    Some(FINISH.bind(values![ctx.tenant_id, &key.scope, &key.key, Json(reply)]))
}

/// Forgets a claimed key, because nothing came of the request.
pub(crate) fn release(ctx: &Context) -> Option<Bound> {
    let key = ctx.idempotency.as_ref()?;
    Some(RELEASE.bind(values![ctx.tenant_id, &key.scope, &key.key]))
}

/// Ends the leases of every other process. Only where no other process can be alive. Those of keys that were
/// claimed longer ago have ended by themselves, so a start looks at a few keys and not at all of three days.
pub(crate) fn release_all_of_others(owner: &str, now: Timestamp) -> Bound {
    RELEASE_ALL_OF_OTHERS.bind(values![owner, now, now + RETENTION - LEASE])
}

/// Deletes some of the keys that are no longer remembered.
pub(crate) fn purge(now: Timestamp) -> Bound {
    PURGE.bind(values![now])
}

impl Engine {
    /// Runs a unit of work once per idempotency key. `unit` gets the current time.
    pub(crate) async fn write_once<T, F>(&self, ctx: &Context, unit: F) -> Result<Once<T>, Error>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Transaction<'b>, Timestamp) -> Result<T, Error>
            + Send
            + Sync
            + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let (ctx, owner, system) = (ctx.clone(), self.process(), self.system().clone());
        self.database()
            .write(async move |tx: &mut Transaction<'_>| {
                once(tx, &ctx, &owner, &system, &unit).await
            })
            .await
    }
}

async fn once<T, F>(
    tx: &mut Transaction<'_>,
    ctx: &Context,
    owner: &str,
    system: &System,
    unit: &F,
) -> Result<Once<T>, Error>
where
    F: for<'a, 'b> AsyncFn(&'a mut Transaction<'b>, Timestamp) -> Result<T, Error>,
    T: Serialize + DeserializeOwned,
{
    let now = system.now();
    if let Known::Done(reply) = look_up(tx, ctx, now).await? {
        return Ok(Once { reply, replayed: true });
    }
    let reply = unit(tx, now).await?;
    if let Some(key) = &ctx.idempotency {
        let claimed = tx.run(claim(ctx, key, owner, Some(&reply), now)).await?;
        if claimed == 0 {
            return Err(tx.restart().into());
        }
    }
    Ok(Once { reply, replayed: false })
}
