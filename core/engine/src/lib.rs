//! Every use case of a shop, one module per noun.
//!
//! A use case loads rows, hands them to a pure function of `handel-domain`, and commits the new rows, the
//! events and the stored reply in one transaction. Owns the SQL, the outbox, the jobs and the idempotency
//! keys. Refuses to know any protocol, and makes no network call inside a transaction.

#![warn(missing_docs)]

mod api_key;
mod cart;
mod catalog;
mod channel;
mod checkout;
mod context;
mod error;
mod handoff;
mod idempotency;
mod jobs;
mod journal;
mod order;
mod outbox;
mod page;
mod payment;
mod pricing;
mod promotion;
mod stock;
mod tokens;
mod upkeep;
mod webhook;

use std::{collections::HashMap, sync::Arc, time::Duration};

use handel_domain::{
    Refusal,
    id::{ProcessId, RequestId},
};
use handel_ports::{Cache, EventSubscriber, PaymentProvider, Secret, System, WebClient};
use handel_store::{Backend, Database, StoreError};

pub use api_key::{ApiKey, NewApiKey};
pub use cart::{AddItem, Basket, CartRef, CartView, OwnedCart, PutCart, WantedItem};
pub use catalog::{
    CatalogKey, CategoryNode, FoundKey, LIST_CATEGORIES_MAX, ListProducts, PriceFilter, ProductKey,
    ProductLookup, ProductSort, ProductSummary, ProductView, SEARCH_WORDS_MAX, StaffProductFilter,
    Supply, VariantAvailability,
};
pub use checkout::{
    CheckoutView, Complete, Completion, OpenCheckout, PaymentChoice, PaymentSummary, Preselected,
    ReplaceCheckout, Submit,
};
pub use context::{Caller, Context, Idempotency, Scope};
pub use error::Error;
pub use handoff::Handoff;
pub use idempotency::Once;
pub use jobs::{DeadJob, JobStats};
pub use order::{
    AuditEntry, ListOrders, OrderDetails, OrderStory, OrderSummary, Parcel, RefundEntry, StoryEvent,
};
pub use outbox::OutboxStats;
pub use page::Page;
pub use payment::{ProviderCheck, WebhookReceipt};
pub use promotion::{PromotionDetails, PromotionSummary};
pub use stock::{AdjustStock, MovementEntry, StockKey, StockView};
pub use webhook::{
    Delivery, DeliveryEntry, DeliveryStats, DeliveryStatus, ListDeliveries, OrderNews,
    ReplayDeliveries, WebhookFormat,
};

/// What an engine is made of.
pub struct Parts {
    /// The database, migrated.
    pub database: Database,
    /// Clock, randomness, tasks.
    pub system: System,
    /// The payment providers that are enabled; the first is the default.
    pub providers: Vec<Arc<dyn PaymentProvider>>,
    /// A cache for product lists.
    pub cache: Arc<dyn Cache>,
    /// Who receives events in this process.
    pub subscribers: Vec<Arc<dyn EventSubscriber>>,
    /// The way out to addresses that programs name.
    pub web: Arc<dyn WebClient>,
    /// How news of orders are written, one for each protocol that can be told. See [`signature_seed`].
    pub webhook_formats: Vec<Arc<dyn WebhookFormat>>,
    /// Times and sizes.
    pub limits: Limits,
}

/// Times and sizes that an installation may set.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a payment provider may take to answer.
    pub provider_timeout: Duration,
    /// Most orders that are placed in one transaction.
    pub placement_batch: usize,
    /// How long orders may wait for their batch. Those that would wait longer are told to come back.
    pub placement_wait: Duration,
    /// How often a job is tried before it is dead.
    pub job_attempts: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            provider_timeout: Duration::from_secs(10),
            placement_batch: 64,
            placement_wait: Duration::from_secs(1),
            job_attempts: 12,
        }
    }
}

/// A shop. Clones share it.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    database: Database,
    system: System,
    providers: Vec<Arc<dyn PaymentProvider>>,
    cache: Arc<dyn Cache>,
    subscribers: Vec<Arc<dyn EventSubscriber>>,
    web: Arc<dyn WebClient>,
    webhook_formats: Vec<Arc<dyn WebhookFormat>>,
    traffic: webhook::Traffic,
    limits: Limits,
    signer: tokens::Signer,
    process: ProcessId,
    channels: channel::Known,
    placements: order::Queue,
    outbox_wake: tokio::sync::Notify,
    jobs_wake: tokio::sync::Notify,
    news_wake: tokio::sync::Notify,
    epoch: std::sync::atomic::AtomicU64,
    in_flight: std::sync::atomic::AtomicUsize,
}

impl Engine {
    /// Starts a shop on its parts: makes what a fresh database lacks, and releases what a dead process
    /// of an embedded database left behind.
    pub async fn start(parts: Parts) -> Result<Self, Error> {
        let process = parts.system.mint(parts.system.now());
        let signer = tokens::Signer::load(&parts.database, &parts.system).await?;
        let (placements, queue) = order::Queue::new();
        let engine = Self(Arc::new(Shared {
            signer,
            process,
            channels: channel::Known::default(),
            placements,
            outbox_wake: tokio::sync::Notify::new(),
            jobs_wake: tokio::sync::Notify::new(),
            news_wake: tokio::sync::Notify::new(),
            traffic: webhook::Traffic::default(),
            epoch: std::sync::atomic::AtomicU64::new(0),
            in_flight: std::sync::atomic::AtomicUsize::new(0),
            database: parts.database,
            system: parts.system,
            providers: parts.providers,
            cache: parts.cache,
            subscribers: parts.subscribers,
            web: parts.web,
            webhook_formats: parts.webhook_formats,
            limits: parts.limits,
        }));
        engine.ensure_defaults().await?;
        if engine.database().backend() == Backend::Sqlite {
            match engine.take_over_from_dead_process().await {
                // The shop can be read from, and what was begun ends later, when it is due.
                Err(Error { source: Some(StoreError::NotWritable(reason)), .. }) => {
                    tracing::warn!(
                        reason,
                        "what an earlier process had begun cannot be taken over"
                    );
                }
                taken_over => taken_over?,
            }
        }
        order::start_placing(&engine, queue);
        Ok(engine)
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.database
    }

    pub(crate) fn system(&self) -> &System {
        &self.0.system
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The id of this process, as rows name it that only one process may work on.
    pub(crate) fn process(&self) -> String {
        self.0.process.to_string()
    }

    /// A new request id, for work that starts outside a door.
    pub fn request_id(&self) -> RequestId {
        self.system().mint(self.system().now())
    }

    /// The secret from which the shop makes the key that it signs with towards others. See [`signature_seed`].
    pub fn signature_seed(&self) -> Secret<[u8; 32]> {
        self.0.signer.signature_seed()
    }

    /// Payment providers by name.
    pub fn provider_names(&self) -> Vec<&'static str> {
        self.0.providers.iter().map(|provider| provider.name()).collect()
    }

    /// How many completions and webhooks are being worked on, for a shutdown that waits for them.
    pub fn in_flight(&self) -> usize {
        self.0.in_flight.load(std::sync::atomic::Ordering::Acquire)
    }

    /// How many units of work wait for the database, for a door that turns away what would wait for long.
    pub fn waiting(&self) -> usize {
        self.0.database.pool_status().waiting
    }

    /// Ends the database after what is under way. Nothing works afterwards.
    pub async fn close(&self) {
        self.0.database.close().await;
    }

    /// Runs work in a task of its own and waits for it: a caller that goes away does not stop it.
    pub(crate) async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let counted = InFlight::enter(self.clone());
        self.system().spawn(async move {
            let outcome = work.await;
            drop(counted);
            // The caller may be gone; what was done is done.
            let _gone = answer.send(outcome);
        });
        answered.await.map_err(|_| Error::internal("a task ended without an answer"))?
    }
}

/// The secret from which a shop makes the key that it signs with towards others, for parts that are made before the
/// engine starts. All processes of a shop have the same one, from its first start on.
pub async fn signature_seed(
    database: &Database,
    system: &System,
) -> Result<Secret<[u8; 32]>, Error> {
    Ok(tokens::Signer::load(database, system).await?.signature_seed())
}

/// Counts work that a shutdown waits for.
struct InFlight(Engine);

impl InFlight {
    fn enter(engine: Engine) -> Self {
        engine.0.in_flight.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
        Self(engine)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.in_flight.fetch_sub(1, std::sync::atomic::Ordering::AcqRel);
    }
}

/// Refuses what is not as the caller saw it.
pub(crate) fn check_version(current: i64, expected: Option<i64>) -> Result<(), Refusal> {
    match expected {
        Some(expected) if expected != current => Err(Refusal::version_conflict(current)),
        _ => Ok(()),
    }
}

/// Groups rows by a key, keeping their order.
pub(crate) fn group_by<K: std::hash::Hash + Eq, V>(
    items: impl IntoIterator<Item = (K, V)>,
) -> HashMap<K, Vec<V>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for (key, value) in items {
        groups.entry(key).or_default().push(value);
    }
    groups
}
