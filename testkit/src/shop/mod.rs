//! A shop with everything around it: a database, a clock, a payment provider, and who listens.

pub mod agents;
pub mod fixtures;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use handel_engine::{Engine, Limits, Parts, WebhookFormat};
use handel_local::{MemoryCache, TestPayments, TestPaymentsConfig};
use handel_ports::{Clock, Secret, System};
use handel_store::{Database, StoreError, Transaction};
use jiff::Timestamp;

use crate::{
    FakeWeb, FaultyPayments, PlainNews, Recorder, SeededRandom, SimulatedClock, Tasks,
    TestDatabase, books,
    clock::LateClock,
    tasks::{in_time, tasks, until},
};

/// A process of a shop, with the world that it shares with other processes of the same shop. Clones are
/// the same process.
#[derive(Clone)]
pub struct TestShop {
    /// The shop itself.
    pub engine: Engine,
    /// What time it is.
    pub clock: Arc<SimulatedClock>,
    /// The payment provider as the shop meets it.
    pub payments: Arc<FaultyPayments>,
    /// The payment provider itself, with its books.
    pub provider: Arc<TestPayments>,
    /// What the shop told those who listen.
    pub events: Arc<Recorder>,
    /// The Web, with everybody who waits for news of an order.
    pub web: Arc<FakeWeb>,
    tasks: Arc<Tasks>,
    database: Database,
    world: Arc<World>,
}

/// What outlives a process.
struct World {
    test: TestDatabase,
    random: Arc<SeededRandom>,
    /// How news of orders are written.
    formats: Vec<Arc<dyn WebhookFormat>>,
    /// Counts what must be unique in a test.
    counter: AtomicUsize,
}

impl TestShop {
    /// Opens a shop with two channels: `eur`, which all fixtures sell in, has 19 % VAT in its prices; the
    /// built-in `default` sells in USD without tax. Both send goods.
    pub async fn start(test: TestDatabase) -> Self {
        Self::start_telling(test, vec![Arc::new(PlainNews)]).await
    }

    /// The same shop, which writes news of orders in these formats.
    pub async fn start_telling(test: TestDatabase, formats: Vec<Arc<dyn WebhookFormat>>) -> Self {
        let clock = Arc::new(SimulatedClock::default());
        let random = Arc::new(SeededRandom::fresh());
        let (own, system) = process(clock.clone(), &random);
        let ledger = test.directory().join("ledger.sqlite");
        let secret = Secret::new(b"a secret of the tests".to_vec());
        let config = TestPaymentsConfig::new(ledger, "https://shop.example", secret);
        let provider = TestPayments::open(config, system.clone()).expect("a fresh ledger opens");
        let provider = Arc::new(provider);
        let payments = Arc::new(FaultyPayments::new(provider.clone()));
        let events = Arc::new(Recorder::default());
        let web = Arc::new(FakeWeb::new(clock.clone()));
        let database = test.database().clone();
        let listeners = (&events, &web, &formats[..]);
        let parts = parts(&database, system, &payments, listeners);
        let engine = Engine::start(parts).await.expect("a fresh shop starts");
        let world = Arc::new(World { test, random, formats, counter: AtomicUsize::new(0) });
        let tasks = own;
        let shop = Self { engine, clock, payments, provider, events, web, tasks, database, world };
        // The built-in channel is the older one, and so the first.
        shop.clock.advance(Duration::from_secs(1));
        shop.open_channel().await;
        shop.settle().await;
        shop
    }

    /// Another process of the same shop, on the same PostgreSQL database.
    pub async fn second_process(&self) -> Self {
        self.late_process(Duration::ZERO).await
    }

    /// Another process, on a machine whose clock is late.
    pub async fn late_process(&self, late: Duration) -> Self {
        let database = Database::open(self.world.test.config()).await;
        let clock = LateClock { clock: self.clock.clone(), late };
        let database = database.expect("PostgreSQL takes many processes");
        self.in_process(database, Arc::new(clock)).await
    }

    /// Ends this process as a crash does, in the middle of whatever it does, and starts another one on what
    /// it left behind.
    pub async fn restart(&mut self) {
        self.tasks.kill().await;
        self.database.close().await;
        let database = Database::open(self.world.test.config()).await;
        let database = database.expect("what a crash leaves behind opens");
        *self = self.in_process(database, self.clock.clone()).await;
    }

    /// Ends this process, and starts another one in which no payment provider is configured.
    pub async fn restart_without_payments(&mut self) {
        self.tasks.kill().await;
        self.database.close().await;
        let database = Database::open(self.world.test.config()).await;
        let database = database.expect("what a crash leaves behind opens");
        let (tasks, system) = process(self.clock.clone(), &self.world.random);
        let listeners = (&self.events, &self.web, &self.world.formats[..]);
        let parts = parts(&database, system, &self.payments, listeners);
        let engine = Engine::start(Parts { providers: Vec::new(), ..parts }).await;
        let engine = engine.expect("the shop starts again");
        *self = Self { engine, tasks, database, ..self.clone() };
    }

    async fn in_process(&self, database: Database, clock: Arc<dyn Clock>) -> Self {
        let (tasks, system) = process(clock, &self.world.random);
        let listeners = (&self.events, &self.web, &self.world.formats[..]);
        let parts = parts(&database, system, &self.payments, listeners);
        let engine = Engine::start(parts).await.expect("the shop starts again");
        Self { engine, tasks, database, ..self.clone() }
    }

    /// Does all that is due now.
    pub async fn settle(&self) {
        let settling = self.engine.settle_everything();
        in_time("an end of all work", settling).await.expect("the upkeep works");
    }

    /// Lets time pass, and does all that is due then.
    pub async fn settle_after(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.settle().await;
    }

    /// Waits until no completion and no webhook is being worked on.
    pub async fn idle(&self) {
        until("an end of what is under way", || self.engine.in_flight() == 0).await;
    }

    /// Runs something as a task of the process: it dies in a crash.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        handel_ports::Spawner::spawn(&*self.tasks, Box::pin(task));
    }

    /// How many tasks of this process run now.
    pub fn running_tasks(&self) -> usize {
        self.tasks.running()
    }

    /// The database, to look at rows that no use case shows.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Keeps the writer of the embedded database busy until what this returns is dropped, as a slow disk does.
    pub async fn slow_disk(&self) -> impl Send + use<> {
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (database, released) = (self.database.clone(), std::sync::Mutex::new(released));
        let begun = Arc::new(AtomicBool::new(false));
        let begins = begun.clone();
        drop(crate::meanwhile(async move {
            let unit = async move |_: &mut Transaction<'_>| {
                begins.store(true, Ordering::Release);
                let _ended = released.lock().expect("nobody else waits").recv();
                Ok::<_, StoreError>(())
            };
            database.write(unit).await
        }));
        until("a busy database", || begun.load(Ordering::Acquire)).await;
        release
    }

    /// What the shop draws its ids and secrets from.
    pub fn random(&self) -> &SeededRandom {
        &self.world.random
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        handel_ports::Clock::now(&*self.clock)
    }

    /// Checks that stock, orders, money, events and the audit log agree with each other and with the books
    /// of the provider.
    ///
    /// # Panics
    /// If they do not.
    pub async fn check_books(&self) {
        books::check(&self.database, self.provider.ledger()).await;
    }

    /// Ends the test: the books agree, and nothing is left to be done.
    ///
    /// # Panics
    /// If jobs, events or messages were not processed, or anything else is left over.
    pub async fn finish(&mut self) {
        self.idle().await;
        let jobs = self.engine.job_stats().await.expect("jobs can be counted");
        assert_eq!((jobs.queued, jobs.dead), (0, 0), "jobs are left: settle the shop");
        let outbox = self.engine.outbox_stats().await.expect("events can be counted");
        assert_eq!(outbox.waiting, 0, "events are left: settle the shop");
        let news = self.engine.delivery_stats().await.expect("messages can be counted");
        assert_eq!(news.waiting, 0, "messages are left: settle the shop");
        self.check_books().await;
        assert_eq!(self.tasks.panics(), 0, "a task of the shop panicked");
        self.tasks.kill().await;
        self.database.close().await;
    }
}

fn process(clock: Arc<dyn Clock>, random: &Arc<SeededRandom>) -> (Arc<Tasks>, System) {
    let tasks = tasks();
    (tasks.clone(), System::new(clock, random.clone(), tasks))
}

fn parts(
    database: &Database,
    system: System,
    payments: &Arc<FaultyPayments>,
    (events, web, formats): (&Arc<Recorder>, &Arc<FakeWeb>, &[Arc<dyn WebhookFormat>]),
) -> Parts {
    Parts {
        database: database.clone(),
        cache: Arc::new(MemoryCache::new(system.clone())),
        system,
        providers: vec![payments.clone()],
        subscribers: vec![events.clone()],
        web: web.clone(),
        webhook_formats: formats.to_vec(),
        limits: Limits::default(),
    }
}
