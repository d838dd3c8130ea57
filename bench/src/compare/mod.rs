//! The limit of the storage beside the shop: the rows of one purchase, written by nothing but the database,
//! and the same purchase at the shop.
//!
//! The limit takes no order number from a row that all orders share, knows no guard and no index of the shop
//! less or more, and calls nobody between two statements. So it is a limit, and not a competitor.

mod pgbench;
mod sqlite;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::{
    cli::{PlaceOptions, TargetOptions},
    place,
    report::rounded,
    rows::{self, Database, Op, Pattern, Scope, Watch},
    shop::Shop,
};

/// A number that no text of a shop has by chance.
const TOKEN: usize = 7_000_001;
/// Rows that the shop writes later on its own, and not for the purchase.
const UPKEEP: [&str; 1] = ["outbox"];

/// What the storage can do, and what the shop does.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// How many articles the purchases are about.
    pub articles: usize,
    /// How many clients there are.
    pub clients: usize,
    /// Orders that the shop placed per second.
    pub orders_per_second: f64,
    /// What the storage alone can do.
    pub limits: Vec<Limit>,
}

/// What the storage alone can do.
#[derive(Clone, Debug, Serialize)]
pub struct Limit {
    /// How the rows were written.
    pub how: &'static str,
    /// Purchases whose rows were written per second.
    pub per_second: f64,
    /// The shop's rate as a part of it, in percent.
    pub ratio_percent: f64,
}

/// The rows of a purchase, and a database without a shop that is ready for them.
struct Yardstick {
    shop: Shop,
    database: Database,
    /// The rows that a purchase changes.
    needs: Vec<Op>,
    /// Its writes, in their order.
    steps: Vec<Op>,
    /// The number of the next purchase.
    next: i64,
}

/// A run of the limit.
#[derive(Clone, Copy, Debug)]
struct Load {
    /// How many purchases.
    orders: i64,
    /// About how many articles.
    articles: i64,
    clients: usize,
    /// The number of the first purchase.
    first: i64,
}

/// Measures both. `add` hears of every shop's run, so that its promises are reported as well.
pub async fn limits(options: &PlaceOptions) -> Result<Vec<Comparison>> {
    if options.common.target.url.is_some() {
        bail!("the limit of a running shop's storage is not known; leave --url out");
    }
    let mut yardstick = Yardstick::learn(&options.common.target).await?;
    let measured = yardstick.measure(options).await;
    let closed = yardstick.shop.close().await;
    closed.and(measured)
}

impl Yardstick {
    /// Opens a shop, watches one purchase, and takes the shop out of its database.
    async fn learn(target: &TargetOptions) -> Result<Self> {
        let articles = articles_of(target);
        let target = TargetOptions { products: 1, skus: None, processes: 1, ..target.clone() };
        let mut shop = Shop::open(&target).await?;
        let learned = Self::watch(&mut shop, articles, target.stock).await;
        match learned {
            Ok((database, needs, steps)) => {
                Ok(Self { shop, database, needs, steps, next: rows::FIRST_PURCHASE })
            }
            Err(error) => {
                drop(shop.close().await);
                Err(error)
            }
        }
    }

    async fn watch(
        shop: &mut Shop,
        articles: usize,
        stock: i64,
    ) -> Result<(Database, Vec<Op>, Vec<Op>)> {
        let store = shop.fleet.as_ref().context("the shop is not ours")?.store();
        let database = Database::open(&store).await?;
        let watch = Watch::begin(&database).await?;
        let product = rows::product(shop, &watch, TOKEN, stock).await?;
        let changes = rows::purchase(shop, &watch, &product.article, true).await?;
        watch.end().await?;
        let mut pattern = Pattern::about(&product.places);
        let mut steps = pattern.steps(&changes)?;
        steps.retain(is_of_purchase);
        let needs = pattern.needs(&changes)?;
        shop.fleet.as_mut().context("the shop is not ours")?.pause().await?;
        let articles = i64::try_from(articles)?;
        for op in &product.rows {
            let sql = rows::fill(op, database.dialect(), &(0..articles), 1, 1);
            database.run(&sql).await?;
        }
        Ok((database, needs, steps))
    }

    async fn measure(&mut self, options: &PlaceOptions) -> Result<Vec<Comparison>> {
        let mut comparisons = Vec::new();
        for articles in [articles_of(&options.common.target), 1] {
            for &clients in &options.clients {
                let load = self.ready(articles, clients, options.orders).await?;
                eprintln!("the limit: {articles} articles, {clients} clients");
                let limits = self.run(load).await?;
                comparisons.push(Comparison { articles, clients, orders_per_second: 0.0, limits });
            }
        }
        Ok(comparisons)
    }

    /// Writes the rows that as many purchases change as the limits of one load take.
    async fn ready(&mut self, articles: usize, clients: usize, orders: usize) -> Result<Load> {
        let orders = i64::try_from(orders)?;
        let (articles, first) = (i64::try_from(articles)?, self.next);
        // Each client writes as many as any other.
        let share = orders / i64::try_from(clients)?;
        let orders = share.max(1) * i64::try_from(clients)?;
        let dialect = self.database.dialect();
        for op in &self.needs {
            let copies = first..first + 2 * orders;
            self.database.run(&rows::fill(op, dialect, &copies, 1, articles)).await?;
        }
        self.next += 2 * orders;
        Ok(Load { orders, articles, clients, first })
    }

    /// Two ways to write the rows: as a simple program does, and as well as the database can.
    async fn run(&self, load: Load) -> Result<Vec<Limit>> {
        let later = Load { first: load.first + load.orders, ..load };
        let rates = match &self.database {
            Database::Sqlite(connection) => [
                ("one commit each", sqlite::run(connection, &self.steps, load, 1)?),
                ("64 in a commit", sqlite::run(connection, &self.steps, later, 64)?),
            ],
            Database::Postgres(client) => {
                client.batch_execute("analyze").await?;
                let url = self.shop.fleet.as_ref().context("the shop is not ours")?.store();
                [
                    ("a statement at a time", pgbench::run(&url, &self.steps, load, false).await?),
                    ("one pipeline", pgbench::run(&url, &self.steps, later, true).await?),
                ]
            }
        };
        Ok(rates
            .map(|(how, per_second)| Limit {
                how,
                per_second: rounded(per_second),
                ratio_percent: 0.0,
            })
            .to_vec())
    }
}

/// Measures the shop beside the limits that were found. It gets a database of its own.
pub async fn shop(
    shop: &Shop,
    comparison: &mut Comparison,
    orders: usize,
) -> Result<crate::load::Outcome> {
    let articles = &shop.goods.articles;
    let world = match comparison.articles {
        1 => shop.world_of(articles.first().context("nothing is for sale")?)?,
        _ => std::sync::Arc::into_inner(shop.world()?).context("a new world has one owner")?,
    };
    place::run(&world.into(), comparison.clients, orders).await
}

impl Comparison {
    /// Adds what the shop did.
    #[expect(clippy::float_arithmetic, reason = "a ratio of rates is a fraction")]
    pub fn judge(&mut self, orders_per_second: f64) {
        self.orders_per_second = orders_per_second;
        for limit in &mut self.limits {
            limit.ratio_percent = (1_000.0 * orders_per_second / limit.per_second).round() / 10.0;
        }
    }
}

/// How many articles purchases are about that are not all about the same.
fn articles_of(target: &TargetOptions) -> usize {
    target.skus.unwrap_or(target.products).min(target.products)
}

/// A row of all orders would make every order wait for every other, which a sequence need not.
fn is_of_purchase(op: &Op) -> bool {
    op.scope() != Scope::Shared && (op.is_new || !UPKEEP.contains(&&*op.table))
}
