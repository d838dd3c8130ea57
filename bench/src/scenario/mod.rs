//! What clients do, again and again.

pub mod browse;
pub mod buy;
pub mod duplicates;
pub mod patience;

use bytes::Bytes;
use http::Uri;

use crate::{
    client::{Client, Failed},
    http::post,
    stats::Step,
};

/// What a client does in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Purchases from the empty cart to the paid order.
    Flow,
    /// Carts with one item.
    Cart,
    /// Product lists and product pages.
    Browse,
    /// Of a hundred iterations 80 browse, 15 fill a cart and 5 buy.
    Mixed,
    /// Purchases whose completion is sent several times.
    Duplicates,
    /// One small request, for the self-test.
    Echo,
}

/// What a client keeps between iterations.
#[derive(Debug, Default)]
pub struct Memory {
    answered: duplicates::Answered,
}

impl Scenario {
    /// How many connections a client needs.
    pub fn connections(self) -> usize {
        if self == Self::Duplicates { duplicates::COPIES_MAX } else { 1 }
    }

    /// One iteration.
    pub async fn iterate(self, client: &mut Client, memory: &mut Memory) -> Result<(), Failed> {
        match self {
            Self::Flow => buy::flow(client).await,
            Self::Cart => buy::cart(client).await,
            Self::Browse => browse::browse(client).await,
            Self::Mixed => match client.pick(100) {
                0..80 => browse::browse(client).await,
                80..95 => buy::cart(client).await,
                _ => buy::flow(client).await,
            },
            Self::Duplicates => duplicates::duplicates(client, &mut memory.answered).await,
            Self::Echo => echo(client).await,
        }
    }

    /// What is left to do when time is up.
    pub async fn finish(self, client: &mut Client, memory: Memory) {
        duplicates::finish(client, memory.answered).await;
    }
}

async fn echo(client: &mut Client) -> Result<(), Failed> {
    let body = Bytes::from_static(br#"{"variant_id":"var_00000000000000000000000001"}"#);
    client.must(Step::Echo, post(Uri::from_static("/echo"), body)).await.map(drop)
}
