//! Writes what years of business leave behind: rows of products and purchases that were really made, again
//! and again.

use std::{ops::Range, path::Path};

use anyhow::{Context, Result, ensure};
use handel_domain::id::VariantId;

use crate::{
    rows::{
        self, Change, Database, Dialect, FIRST_PURCHASE, Op, PLACES_MAX, Pattern, Scope, Variables,
        Watch,
    },
    server::Store,
    shop::Shop,
    world::Article,
};

/// How many different products and purchases are made for others to be like.
const PRODUCTS: usize = 4;
const PURCHASES: usize = 2;
/// The number of the first of those products. No text of a shop has it by chance.
const TOKEN: usize = 7_000_001;
/// How far apart they are, so that they differ in kind, material, color and price.
const STRIDE: usize = 1_013;
/// Copies that are written at once.
const CHUNK: i64 = 20_000;
/// What a shop keeps for days only, and how many purchases it has in that time.
const SHORT_LIVED: [&str; 4] = ["carts", "checkouts", "idempotency_keys", "outbox"];
const RECENT: i64 = 50_000;
/// Most articles that shoppers look at.
const LOOKED_AT: usize = 10_000;

/// What copies are made of.
pub struct Mold {
    products: i64,
    /// How many of them are bought.
    bought: i64,
    stock: i64,
    /// The articles that were made at the shop.
    made: Vec<Article>,
    product_rows: Vec<Vec<Op>>,
    purchases: Vec<Purchase>,
    /// The place of a product's variant among its ids.
    variant_place: u32,
    /// Orders that were written so far.
    written: i64,
}

struct Purchase {
    rows: Vec<Op>,
    /// The row in the books of the provider.
    charge: Vec<Op>,
}

impl Mold {
    /// Makes some products and buys them, and watches what the shop writes.
    pub async fn learn(shop: &Shop, products: usize, bought: usize, stock: i64) -> Result<Self> {
        let store = shop.fleet.as_ref().context("the shop is not ours")?.store();
        let database = Database::open(&store).await?;
        let watch = Watch::begin(&database).await?;
        let mut mold = Self {
            products: i64::try_from(products)?,
            bought: i64::try_from(bought)?,
            stock,
            made: shop.goods.articles.clone(),
            product_rows: Vec::new(),
            purchases: Vec::new(),
            variant_place: 0,
            written: 0,
        };
        let mut made = Vec::new();
        for at in 0..PRODUCTS {
            let product = rows::product(shop, &watch, TOKEN + at * STRIDE, stock).await?;
            let variant_id = product.article.variant_id;
            let place = *product.places.get(variant_id.body()).context("no variant was written")?;
            ensure!(at == 0 || place == mold.variant_place, "products are not alike");
            mold.variant_place = place;
            made.push(product);
        }
        for product in made.iter().take(PURCHASES) {
            let changes = rows::purchase(shop, &watch, &product.article, false).await?;
            let mut pattern = Pattern::about(&product.places);
            let rows = pattern.rows(&changes)?;
            let charge = charge(shop, &changes)?;
            mold.purchases.push(Purchase { rows, charge: pattern.rows(&[charge])? });
        }
        for product in made {
            mold.made.push(product.article);
            mold.product_rows.push(product.rows);
        }
        watch.end().await?;
        Ok(mold)
    }

    /// Writes all products.
    pub async fn fill_products(&self, database: &Database) -> Result<()> {
        let load = Load::begin(database).await?;
        for chunk in chunks(0..self.products) {
            for (ops, copies) in self.product_rows.iter().zip(shares(&chunk, PRODUCTS)) {
                for op in ops {
                    load.copies(op, &copies, PRODUCTS, 1).await?;
                }
            }
            progress("products", chunk.end, self.products);
        }
        load.end().await
    }

    /// Writes further purchases, until there are so many.
    pub async fn fill_orders(
        &mut self,
        database: &Database,
        ledger: &Path,
        orders: i64,
    ) -> Result<()> {
        let (before, orders) = (self.written, orders.max(self.written));
        if orders == before {
            return Ok(());
        }
        let ledger = Database::open(&Store::Sqlite(ledger.to_owned())).await?;
        let (load, books) = (Load::begin(database).await?, Load::begin(&ledger).await?);
        for chunk in chunks(before..orders) {
            let is_recent = chunk.end > orders - RECENT;
            let numbers = FIRST_PURCHASE + chunk.start..FIRST_PURCHASE + chunk.end;
            for (purchase, copies) in self.purchases.iter().zip(shares(&numbers, PURCHASES)) {
                let own = purchase.rows.iter().filter(|op| op.scope() == Scope::Own);
                for op in own.filter(|op| is_recent || !SHORT_LIVED.contains(&&*op.table)) {
                    load.copies(op, &copies, PURCHASES, self.bought).await?;
                }
                for op in &purchase.charge {
                    books.copies(op, &copies, PURCHASES, self.bought).await?;
                }
            }
            progress("orders", chunk.end, orders);
        }
        self.take_stock(&load, before..orders).await?;
        self.written = orders;
        books.end().await?;
        load.end().await
    }

    /// What the purchases take of each article, in sum.
    async fn take_stock(&self, load: &Load<'_>, orders: Range<i64>) -> Result<()> {
        let Some(purchase) = self.purchases.first() else { return Ok(()) };
        let shared: Vec<_> =
            purchase.rows.iter().filter(|op| op.scope() == Scope::Article).collect();
        let dialect = load.database.dialect();
        let mut statements = Vec::new();
        for article in 0..self.bought {
            let up_to = |end: i64| (FIRST_PURCHASE + end - article + self.bought - 1) / self.bought;
            let times = up_to(orders.end) - up_to(orders.start);
            let number = article.to_string();
            let variables = Variables { copy: "0", article: &number };
            let mut write = |cell: &rows::Cell| rows::value(cell, dialect, variables);
            statements.extend(shared.iter().map(|op| rows::update(op, times, &mut write)));
        }
        load.database.run(&format!("begin; {}; commit", statements.join(";\n"))).await
    }

    /// What is for sale: everything that is bought first, and some of the rest to look at.
    pub fn articles(&self) -> Result<Vec<Article>> {
        let others = self.products - self.bought;
        let step = usize::try_from(others)?.div_ceil(LOOKED_AT).max(1);
        let numbers = (0..self.bought).chain((self.bought..self.products).step_by(step));
        let place = i64::from(self.variant_place);
        let article = |number: i64| {
            let id = format!("var_{:026}", number * i64::from(PLACES_MAX) + place);
            let variant_id: VariantId = id.parse().context("a number is no id")?;
            let slug = crate::seed::sku(TOKEN).replace(&TOKEN.to_string(), &number.to_string());
            Ok(Article { variant_id, slug, seeded: Some(self.stock) })
        };
        let mut articles = numbers.map(article).collect::<Result<Vec<_>>>()?;
        articles.extend(self.made.iter().cloned());
        Ok(articles)
    }
}

/// A database whose safety does not count, because it would be thrown away after a crash.
struct Load<'a> {
    database: &'a Database,
}

impl<'a> Load<'a> {
    async fn begin(database: &'a Database) -> Result<Self> {
        match database.dialect() {
            Dialect::Sqlite => {
                database.run("pragma synchronous = off; pragma cache_size = -262144").await?;
            }
            Dialect::Postgres => database.run("set synchronous_commit = off").await?,
        }
        Ok(Self { database })
    }

    async fn copies(&self, op: &Op, copies: &Range<i64>, step: usize, articles: i64) -> Result<()> {
        let (step, dialect) = (i64::try_from(step)?, self.database.dialect());
        self.database.run(&rows::fill(op, dialect, copies, step, articles)).await?;
        // Somebody may want to interrupt.
        tokio::task::yield_now().await;
        Ok(())
    }

    /// Leaves the database as one that has been in use for long.
    async fn end(self) -> Result<()> {
        match self.database.dialect() {
            Dialect::Sqlite => {
                self.database.run("pragma synchronous = full").await?;
                self.database.texts("pragma wal_checkpoint(truncate)").await.map(drop)
            }
            Dialect::Postgres => {
                self.database.run("vacuum analyze").await?;
                self.database.run("checkpoint").await
            }
        }
    }
}

/// The charge of a purchase in the books of the provider.
fn charge(shop: &Shop, changes: &[Change]) -> Result<Change> {
    let order = changes.iter().rfind(|change| change.table == "orders");
    let id = order.and_then(|order| order.after.as_ref()?["id"].as_str());
    let id = id.context("the purchase wrote no order")?;
    let ledger = shop.ledger().context("the shop has no ledger")?;
    let connection = rusqlite::Connection::open(ledger)?;
    let columns: String = connection.query_row(
        "select group_concat('''' || name || ''', ' || name) from pragma_table_info('charges')",
        [],
        |row| row.get(0),
    )?;
    let query = format!("select json_object({columns}) from charges where order_id = ?1");
    let row: String = connection.query_row(&query, [id], |row| row.get(0))?;
    let after = serde_json::from_str(&row)?;
    let key = vec!["key".to_owned()];
    Ok(Change { table: "charges".to_owned(), key, before: None, after: Some(after) })
}

fn chunks(range: Range<i64>) -> impl Iterator<Item = Range<i64>> {
    let end = range.end;
    let size = usize::try_from(CHUNK).expect("a chunk is small");
    range.step_by(size).map(move |start| start..end.min(start + CHUNK))
}

/// A range for each of so many molds: every so manieth copy is of the same one.
fn shares(range: &Range<i64>, molds: usize) -> impl Iterator<Item = Range<i64>> {
    let Range { start, end } = range.clone();
    (0i64..).take(molds).map(move |at| start + at..end)
}

/// Says how far it is, ten times in all.
fn progress(what: &str, done: i64, all: i64) {
    if all >= 5 * CHUNK && (done == all || done / CHUNK % (all / CHUNK / 10).max(1) == 0) {
        eprintln!("wrote {done} of {all} {what}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_copy_is_in_one_chunk_and_of_one_mold() {
        let mut copies: Vec<i64> = chunks(7..3 * CHUNK)
            .flat_map(|chunk| {
                shares(&chunk, 3).flat_map(|share| share.step_by(3)).collect::<Vec<_>>()
            })
            .collect();
        copies.sort_unstable();
        assert!(copies.into_iter().eq(7..3 * CHUNK));
        assert_eq!(chunks(5..5).count(), 0);
    }
}
