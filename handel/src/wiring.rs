//! Which parts a shop is made of.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use handel_engine::{Engine, Limits, Parts, WebhookFormat, signature_seed};
use handel_kit::Metrics;
use handel_local::{FileBlobs, MemoryCache, TestPayments, TestPaymentsConfig};
use handel_ports::{BlobStore, EventSubscriber, PaymentProvider, System, WebClient};
use handel_store::Database;
use handel_ucp::OrderNewsFormat;
use handel_web::{SafeWeb, Settings};
use http::HeaderValue;

use crate::{config::Config, failure, private, test_secret};

/// A shop with the parts that its doors need.
pub struct Shop {
    pub engine: Engine,
    pub blobs: Arc<dyn BlobStore>,
    /// The test provider, if it takes part.
    pub payments: Option<Arc<TestPayments>>,
    pub metrics: Arc<Metrics>,
    /// The way out to addresses that programs name.
    pub web: Arc<dyn WebClient>,
    pub system: System,
}

impl Shop {
    /// Opens everything and starts the engine. `public_url` is where buyers reach the shop.
    pub async fn open(config: &Config, public_url: &str) -> Result<Self> {
        let system = System::real();
        let database = open_database(config, &system).await?;
        make_private_directory(&config.data_dir)?;
        let blobs = FileBlobs::open(config.blobs_dir()).with_context(|| {
            format!("pictures cannot be kept in {}", config.blobs_dir().display())
        })?;
        let payments = test_payments(config, public_url, &system)?;
        let metrics = Arc::new(Metrics::default());
        let mut providers: Vec<Arc<dyn PaymentProvider>> = Vec::new();
        providers.extend(payments.iter().map(|test| Arc::clone(test) as Arc<dyn PaymentProvider>));
        let subscribers = vec![Arc::clone(&metrics) as Arc<dyn EventSubscriber>];
        let web = web(config, public_url, &system);
        let webhook_formats = formats(&database, &system, public_url).await?;
        let parts = Parts {
            providers,
            subscribers,
            webhook_formats,
            ..bare_parts(config, database, &system, web.clone())
        };
        let engine = Engine::start(parts).await.map_err(failure::of_engine)?;
        Ok(Self { engine, blobs: Arc::new(blobs), payments, metrics, system, web })
    }
}

/// How news of orders are written, for each protocol that can be told.
async fn formats(
    database: &Database,
    system: &System,
    public_url: &str,
) -> Result<Vec<Arc<dyn WebhookFormat>>> {
    let seed = signature_seed(database, system).await.map_err(failure::of_engine)?;
    let ucp = OrderNewsFormat::all(public_url, &seed).into_iter();
    let mut formats: Vec<Arc<dyn WebhookFormat>> = Vec::new();
    formats.extend(ucp.map(|format| Arc::new(format) as Arc<dyn WebhookFormat>));
    formats.push(Arc::new(handel_ucp_compat::CompatWebhooks::new(public_url)));
    Ok(formats)
}

/// An engine without payments and doors, for commands.
pub async fn open_engine(config: &Config) -> Result<Engine> {
    let system = System::real();
    let database = open_database(config, &system).await?;
    let web = web(config, "", &system);
    let parts = bare_parts(config, database, &system, web);
    Engine::start(parts).await.map_err(failure::of_engine)
}

/// Opens the database with the schema that this program needs.
async fn open_database(config: &Config, system: &System) -> Result<Database> {
    let database = connect(config).await?;
    let prepared = if config.database.migrate {
        database.migrate(system.now()).await.map(|report| {
            if report.from != report.to {
                tracing::info!(from = report.from, to = report.to, "the schema was migrated");
            }
        })
    } else {
        database.check_schema().await
    };
    prepared.map_err(failure::of_store).context("the database cannot be used")?;
    Ok(database)
}

/// Opens the database as it is.
pub async fn connect(config: &Config) -> Result<Database> {
    if let Some(directory) = config.sqlite_directory() {
        make_private_directory(&directory)?;
    }
    private::close(config)?;
    let opened = Database::open(&config.database()).await;
    opened.map_err(failure::of_store).context("the database cannot be opened")
}

fn bare_parts(
    config: &Config,
    database: Database,
    system: &System,
    web: Arc<dyn WebClient>,
) -> Parts {
    let limits = &config.limits;
    Parts {
        database,
        system: system.clone(),
        providers: Vec::new(),
        cache: Arc::new(MemoryCache::with_bounds(
            config.cache.bytes,
            Duration::from_millis(config.cache.ttl_ms),
            system.clone(),
        )),
        subscribers: Vec::new(),
        web,
        webhook_formats: Vec::new(),
        limits: Limits {
            provider_timeout: Duration::from_millis(limits.provider_timeout_ms),
            placement_batch: limits.placement_batch,
            placement_wait: Duration::from_millis(limits.placement_wait_ms),
            job_attempts: limits.job_attempts,
        },
    }
}

/// The way out to addresses that programs name. A shop that is reached on this machine alone may reach others there.
fn web(config: &Config, public_url: &str, system: &System) -> Arc<dyn WebClient> {
    let user_agent = HeaderValue::from_static(concat!("Handel/", env!("CARGO_PKG_VERSION")));
    let allow_loopback = config.outbound.allow_loopback || is_loopback(public_url);
    Arc::new(SafeWeb::new(Settings { allow_loopback, user_agent }, system.clone()))
}

fn is_loopback(url: &str) -> bool {
    let uri = url.parse::<http::Uri>().ok();
    let host = uri.as_ref().and_then(http::Uri::host).unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn test_payments(
    config: &Config,
    public_url: &str,
    system: &System,
) -> Result<Option<Arc<TestPayments>>> {
    if !config.has_test_payments() {
        return Ok(None);
    }
    let secret = test_secret::load(config, system)?;
    let ledger = config.test_ledger();
    if let Some(directory) = ledger.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_private_directory(directory)?;
    }
    let test = &config.payments.test;
    let settings = TestPaymentsConfig {
        hang: Duration::from_millis(test.hang_ms),
        webhook_delay: Duration::from_millis(test.webhook_delay_ms),
        ..TestPaymentsConfig::new(&ledger, public_url, secret)
    };
    let payments = TestPayments::open(settings, system.clone());
    let payments = payments
        .with_context(|| format!("the test payments cannot be kept in {}", ledger.display()))?;
    Ok(Some(Arc::new(payments)))
}

/// Makes a directory that others may not look into: names, addresses and secrets lie there. One that is
/// there already stays as it is.
fn make_private_directory(directory: &Path) -> Result<()> {
    if fs::metadata(directory).is_ok_and(|there| there.is_dir()) {
        return Ok(());
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.with_context(|| format!("the directory {} cannot be made", directory.display()))
}
