//! The demo's buyer: a script that shops over HTTP like anybody else, and says what it sees.

mod script;
mod shop;
mod transcript;

use anyhow::Result;

use crate::serve::Open;

/// Shops through everything that a buyer meets. Fails at the first thing that is not as it should be.
pub async fn run(open: &Open) -> Result<()> {
    let shop = shop::Shop::new(&open.local_url)?;
    let mut script = script::Script::new(shop, open);
    script.run().await
}
