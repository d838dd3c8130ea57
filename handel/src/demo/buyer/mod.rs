//! The demo's buyer: a script that shops over HTTP like anybody else, and says what it sees.

mod script;
mod shop;

use anyhow::Result;

use super::{agent::Wish, transcript::Transcript};
use crate::serve::Open;

/// Shops through everything that a buyer meets. Fails at the first thing that is not as it should be. Returns
/// what was bought first.
pub async fn run(open: &Open, transcript: &mut Transcript) -> Result<Wish> {
    let shop = shop::Shop::new(&open.local_url)?;
    script::Script::new(shop, open, transcript).run().await
}
