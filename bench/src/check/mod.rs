//! What must hold after a run, whatever happened in it: read from the shop and from the provider's books.
//!
//! [`rules`] decides; the rest of this module fetches what it decides upon.

mod books;
mod ledger;
mod rules;
mod stock;

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::ValueEnum;
use tokio::time;

pub use rules::Finding;
pub use stock::Stock;

use crate::{client::Purchase, shop::Shop};
use books::Books;
use rules::Evidence;

/// How often a shop that still works on something is examined.
const PAUSE: Duration = Duration::from_secs(1);

/// How much is read after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Depth {
    /// Every order with its lines.
    Full,
    /// Every order, and some of them with their lines.
    Sample,
    /// Nothing.
    Off,
}

/// Examines a shop again and again. Remembers what cannot change, and every order that anybody was told of.
#[derive(Debug)]
pub struct Checker {
    depth: Depth,
    books: Books,
    purchases: Vec<Purchase>,
}

/// The outcome of an examination.
#[derive(Debug)]
pub struct Verdict {
    /// What was found, rule by rule.
    pub findings: Vec<Finding>,
    /// How long it took until everything held, or until patience ended.
    pub settled_after: Duration,
}

impl Checker {
    /// A checker that has seen nothing yet.
    pub fn new(depth: Depth) -> Self {
        Self { depth, books: Books::default(), purchases: Vec::new() }
    }

    /// Adds orders that the shop told of.
    pub fn acknowledge(&mut self, purchases: impl IntoIterator<Item = Purchase>) {
        self.purchases.extend(purchases);
    }

    /// How many orders the shop told of so far.
    pub fn acknowledged(&self) -> usize {
        self.purchases.len()
    }

    /// Examines the shop until everything holds or patience ends: what a shop does on its own, such as asking
    /// the provider what became of a payment, takes time.
    pub async fn check(&mut self, shop: &Shop, patience: Duration) -> Result<Verdict> {
        let begun = Instant::now();
        loop {
            let findings = self.examine(shop).await?;
            let holds = findings.iter().all(Finding::holds);
            if holds || begun.elapsed() >= patience {
                return Ok(Verdict { findings, settled_after: begun.elapsed() });
            }
            time::sleep(PAUSE).await;
        }
    }

    async fn examine(&mut self, shop: &Shop) -> Result<Vec<Finding>> {
        if self.depth == Depth::Off {
            return Ok(Vec::new());
        }
        // The ledger first: a charge that appears later belongs to an order that is paid later.
        let charges = shop.ledger().map(|path| ledger::read(path)).transpose()?;
        self.books.refresh(shop, self.depth).await?;
        let shelves = stock::read(shop).await?;
        let evidence = Evidence {
            purchases: &self.purchases,
            orders: self.books.orders(),
            is_complete: self.depth == Depth::Full,
            is_fresh: shop.is_fresh,
            shelves: &shelves,
            charges: charges.as_ref(),
        };
        Ok(rules::judge(&evidence))
    }
}
