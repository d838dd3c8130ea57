//! The demo's agent: a program that knows nothing of the shop but its address. It finds out how the shop wants
//! to be talked to, and buys what the buyer bought, once over UCP's REST binding and once over MCP.

mod binding;
mod desk;
mod errand;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::transcript::{Transcript, money};
use crate::serve::Open;
use binding::Binding;
use desk::Desk;
use errand::{Bought, Errand};

/// What the agent is sent for: what the buyer bought before, and what that cost.
#[derive(Clone, Debug)]
pub struct Wish {
    /// What is bought.
    pub variant_id: String,
    /// How many.
    pub quantity: i64,
    /// The order of the buyer, as the shop answered it.
    pub order: Value,
}

/// Buys the same twice more, and compares the three orders.
pub async fn run(open: &Open, wish: &Wish, transcript: &mut Transcript) -> Result<()> {
    let desk = Desk::open(&open.shop.system).await?;
    let rest = Errand::new(open, &desk, Binding::Rest).run(wish, transcript).await?;
    let mcp = Errand::new(open, &desk, Binding::Mcp).run(wish, transcript).await?;
    compare(wish, &[rest, mcp], transcript)?;
    hear_of(open, &desk, transcript).await
}

fn compare(wish: &Wish, agents: &[Bought; 2], transcript: &mut Transcript) -> Result<()> {
    transcript.step("The same basket over three doors, side by side")?;
    let total_minor =
        wish.order["total_minor"].as_i64().context("the buyer's order has no total")?;
    let paid = money(&wish.order, Some(total_minor));
    transcript.see(&format!(
        "{:<12} {:<34} {paid:>12}",
        "REST",
        wish.order["id"].as_str().unwrap_or_default()
    ))?;
    for (name, bought) in ["UCP, REST", "UCP, MCP"].iter().zip(agents) {
        ensure!(
            bought.total_minor == total_minor,
            "{name} costs {} instead of {total_minor}",
            bought.total_minor
        );
        let paid = money(&wish.order, Some(bought.total_minor));
        transcript.see(&format!("{name:<12} {:<34} {paid:>12}", bought.order_id))?;
    }
    Ok(())
}

/// Waits until the shop has told the agent of both orders.
async fn hear_of(open: &Open, desk: &Desk, transcript: &mut Transcript) -> Result<()> {
    transcript.step("Hear from the shop what became of the orders")?;
    let heard = async {
        loop {
            let news = desk.news();
            let mut orders: Vec<_> =
                news.iter().filter_map(|news| news.order["id"].as_str()).collect();
            orders.sort_unstable();
            orders.dedup();
            if orders.len() == 2 {
                return news;
            }
            open.shop.system.sleep(LOOK).await;
        }
    };
    let news = open.shop.system.within(PATIENCE, heard).await;
    let news = news.context("the shop did not report the orders")?;
    ensure!(news.iter().all(|news| news.is_signed), "a report was not signed");
    transcript.see(&format!("{} signed reports of 2 orders", news.len()))
}

const LOOK: std::time::Duration = std::time::Duration::from_millis(20);
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(15);
