//! What a shop does on its own: first defaults, deliveries, jobs, and the recurring work that one process
//! at a time does for all.

use std::time::Duration;

use handel_domain::{
    event::{CartEvent, Event},
    id::{CartId, ChannelKind, TenantId},
};
use handel_ports::BoxFuture;
use handel_store::{Bound, Json, Transaction, statements, values};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::{
    Context, Engine, Error, cart, checkout, idempotency, jobs, journal, outbox, payment, stock,
    webhook,
};

statements! {
    ANY_CHANNEL = "select id from channels where tenant_id = $1 limit 1";
    INSERT_CHANNEL = "
        insert into channels (tenant_id, id, code, settings, version, created_at, updated_at)
        values ($1, $2, $3, $4, 1, $5, $5) on conflict do nothing";
    TAKE_LEASE = "
        insert into leases (name, owner, expires_at) values ($1, $2, $3)
            on conflict (name) do update set owner = excluded.owner, expires_at = excluded.expires_at
             where leases.owner = excluded.owner or leases.expires_at <= $4";
    DROP_LEASE = "delete from leases where name = $1 and owner = $2";
    DROP_LEASES = "delete from leases where owner <> $1";
    BEAT = "
        insert into heartbeats (process_id, seen_at) values ($1, $2)
            on conflict (process_id) do update set seen_at = excluded.seen_at";
    PURGE_HEARTBEATS = "delete from heartbeats where seen_at <= $1";
}

/// How long the leader leads without renewing.
const LEASE: SignedDuration = SignedDuration::from_secs(15);
/// How often the recurring work is done.
const SCHEDULE: Duration = Duration::from_secs(1);
/// How often jobs and events are looked for when nobody tells of any.
const POLL: Duration = Duration::from_millis(500);
/// How long a process that is no longer seen stays in the list.
const HEARTBEAT_RETENTION: SignedDuration = SignedDuration::from_mins(10);

/// The settings of the first channel, until the merchant changes them.
pub(crate) const DEFAULT_CHANNEL: &str = r#"{
    "name": "Default", "currency": "USD", "locale": "en-US", "default_country": "US",
    "tax": { "prices_include_tax": false },
    "shipping_methods": [
        { "code": "standard", "name": "Standard shipping", "amount_minor": 500, "tax_class": "shipping" }
    ]
}"#;

impl Engine {
    /// Makes what a fresh shop lacks: a channel and a location.
    pub(crate) async fn ensure_defaults(&self) -> Result<(), Error> {
        let system = self.system().clone();
        self.database()
            .write(async move |tx: &mut Transaction<'_>| {
                let (now, tenant_id) = (system.now(), TenantId::DEFAULT);
                if tx.row(ANY_CHANNEL.bind(values![tenant_id])).await?.is_some() {
                    return Ok(());
                }
                let settings: handel_domain::channel::Settings =
                    serde_json::from_str(DEFAULT_CHANNEL).map_err(|error| {
                        Error::internal(format!("the default channel is malformed: {error}"))
                    })?;
                let id = system.mint::<ChannelKind>(now);
                tx.run(INSERT_CHANNEL.bind(values![
                    tenant_id,
                    id,
                    "default",
                    Json(&settings),
                    now
                ]))
                .await?;
                stock::ensure_location(tx, &system, tenant_id, "main", "Main warehouse", now)
                    .await?;
                Ok::<_, Error>(())
            })
            .await
    }

    /// An embedded database has one process. Whatever an earlier one had begun, it will not finish: its keys
    /// may be taken up at once, the janitor asks about its payments now, its jobs run, its messages are sent, and
    /// nobody else leads. By
    /// the clock alone that could take as long as the clock was put back.
    pub(crate) async fn take_over_from_dead_process(&self) -> Result<(), Error> {
        let engine = self.clone();
        self.database()
            .write(async move |tx: &mut Transaction<'_>| {
                let now = engine.system().now();
                tx.run(idempotency::release_all_of_others(&engine.process(), now)).await?;
                engine.pull_checks_forward(tx).await?;
                tx.run(jobs::release_all(now)).await?;
                tx.run(webhook::release_all(now)).await?;
                tx.run(DROP_LEASES.bind(values![&engine.process()])).await?;
                Ok::<_, Error>(())
            })
            .await
    }

    /// Starts what runs on its own. It ends when `stop` does.
    pub fn start_upkeep(&self, stop: watch::Receiver<bool>) {
        self.spawn_loop(stop.clone(), "relay", |engine| Box::pin(relay(engine)));
        self.spawn_loop(stop.clone(), "jobs", |engine| Box::pin(work(engine)));
        self.spawn_loop(stop.clone(), "webhooks", |engine| Box::pin(webhook::run_loop(engine)));
        self.spawn_loop(stop, "scheduler", |engine| Box::pin(schedule(engine)));
    }

    fn spawn_loop(&self, mut stop: watch::Receiver<bool>, name: &'static str, step: Step) {
        let engine = self.clone();
        self.system().spawn(async move {
            while !*stop.borrow() {
                let stopped = async { drop(stop.wait_for(|stop| *stop).await) };
                tokio::select! {
                    biased;
                    outcome = step(engine.clone()) => {
                        if let Err(error) = outcome {
                            tracing::error!(task = name, error = ?error.source, "upkeep failed; it goes on");
                            engine.system().sleep(SCHEDULE).await;
                        }
                    }
                    () = stopped => return,
                }
            }
        });
    }

    /// Waits until somebody tells of work, or a little while.
    pub(crate) async fn pause(&self, wake: &tokio::sync::Notify) {
        tokio::select! {
            // Without chance, so that a run can be repeated.
            biased;
            () = wake.notified() => {}
            () = self.system().sleep(POLL) => {}
        }
    }

    /// Does the recurring work if this process leads. Returns how much there was to do.
    pub(crate) async fn run_schedule(&self) -> Result<usize, Error> {
        if !self.take_lease("scheduler").await? {
            return Ok(0);
        }
        let mut done = self.check_payments().await?;
        done += self.expire_orders().await?;
        done += self.expire_carts().await?;
        done += self.tidy().await?;
        Ok(done)
    }

    /// Does all that is due now, until nothing is: events, jobs, messages and the schedule. For tests, which must
    /// not wait.
    pub async fn settle_everything(&self) -> Result<usize, Error> {
        let mut total = 0;
        loop {
            let done = outbox::relay_once(self).await?
                + jobs::run_due(self).await?
                + webhook::send_due(self).await?
                + self.run_schedule().await?;
            if done == 0 {
                return Ok(total);
            }
            total += done;
        }
    }

    async fn take_lease(&self, name: &str) -> Result<bool, Error> {
        let (system, owner, name) = (self.system().clone(), self.process(), name.to_owned());
        self.database()
            .write(async move |tx: &mut Transaction<'_>| {
                let now = system.now();
                Ok(tx.run(TAKE_LEASE.bind(values![&name, &owner, now + LEASE, now])).await? == 1)
            })
            .await
    }

    /// Lets another process lead at once.
    pub async fn resign(&self) -> Result<(), Error> {
        let owner = self.process();
        self.database()
            .write(async move |tx: &mut Transaction<'_>| {
                tx.run(DROP_LEASE.bind(values!["scheduler", &owner]))
                    .await
                    .map(drop)
                    .map_err(Error::from)
            })
            .await
    }

    /// Whether the shop can do business: the database answers, takes a write, and has room for more.
    pub async fn check_ready(&self) -> Result<(), Error> {
        self.database().check_room()?;
        let (system, process) = (self.system().clone(), self.process());
        self.database()
            .write(async move |tx: &mut Transaction<'_>| {
                tx.run(BEAT.bind(values![&process, system.now()]))
                    .await
                    .map(drop)
                    .map_err(Error::from)
            })
            .await
    }

    async fn expire_carts(&self) -> Result<usize, Error> {
        let engine = self.clone();
        self.database()
            .write(async move |tx: &mut Transaction<'_>| {
                let now = engine.system().now();
                let rows = tx.rows(cart::sql::expired(now)).await?;
                for row in &rows {
                    let (tenant_id, cart_id) = (row.get::<TenantId>(0)?, row.get::<CartId>(1)?);
                    if tx.run(cart::sql::delete(tenant_id, cart_id, now)).await? == 1 {
                        let ctx = Context::system(tenant_id, "scheduler", engine.request_id());
                        let event = Event::Cart(CartEvent { cart_id });
                        tx.run_all(journal::record(engine.system(), &ctx, &event, 1, now).into())
                            .await?;
                    }
                }
                Ok(rows.len())
            })
            .await
    }

    /// Deletes a chunk of everything that is no longer needed.
    async fn tidy(&self) -> Result<usize, Error> {
        let engine = self.clone();
        self.database()
            .write(async move |tx: &mut Transaction<'_>| {
                let now = engine.system().now();
                let holds = stock::release_expired_holds(tx, now).await?;
                let counts = tx.run_all(purges(now)).await?;
                let deleted =
                    counts.iter().map(|count| usize::try_from(*count).unwrap_or(0)).sum::<usize>();
                Ok(holds + deleted)
            })
            .await
    }
}

/// One turn of a loop.
type Step = fn(Engine) -> BoxFuture<'static, Result<(), Error>>;

async fn relay(engine: Engine) -> Result<(), Error> {
    if outbox::relay_once(&engine).await? == 0 {
        engine.pause(&engine.0.outbox_wake).await;
    }
    Ok(())
}

async fn work(engine: Engine) -> Result<(), Error> {
    if jobs::run_due(&engine).await? == 0 {
        engine.pause(&engine.0.jobs_wake).await;
    }
    Ok(())
}

async fn schedule(engine: Engine) -> Result<(), Error> {
    engine.run_schedule().await?;
    engine.system().sleep(SCHEDULE).await;
    Ok(())
}

fn purges(now: Timestamp) -> Vec<Bound> {
    vec![
        checkout::sql::delete_expired(now),
        checkout::sql::delete_completed(now),
        cart::sql::delete_ordered(now),
        idempotency::purge(now),
        jobs::purge(now),
        payment::purge_webhooks(now),
        webhook::purge(now),
        PURGE_HEARTBEATS.bind(values![now - HEARTBEAT_RETENTION]),
    ]
}
