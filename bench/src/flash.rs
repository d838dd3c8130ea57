//! The flash sale: many buyers, few units, all at once. Exactly as many must win as there are units, and
//! everybody else must be told cleanly that the shelf is empty.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use handel_domain::id::VariantId;
use tokio::{sync::Barrier, task::JoinSet, time};

use crate::{
    check::Finding,
    client::{Client, Completion, Failed, Log, Purchase},
    load::Outcome,
    scenario::{buy, patience},
    shop::Shop,
    stats::{Stats, Step},
};

/// How often a buyer who was told to come back does so, and how soon.
const TRIES_MAX: usize = 100;
const PAUSE: Duration = Duration::from_millis(200);

/// What became of a buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    /// The order is paid.
    Won(Purchase),
    /// The shelf was empty.
    Short,
    /// Anything else, in words.
    Other(String),
}

/// A sale that is over.
#[derive(Debug)]
pub struct Sale {
    /// What was counted. An iteration is the completion alone: the moment that everybody fights for.
    pub outcome: Outcome,
    /// Whether the right number won and the others were told so.
    pub findings: Vec<Finding>,
    /// How many won.
    pub winners: usize,
}

/// Sells so many units of a fresh article to so many buyers.
pub async fn run(shop: &mut Shop, buyers: usize, units: usize) -> Result<Sale> {
    let stock = i64::try_from(units).context("--units is too large")?;
    let article = crate::seed::fresh_article(shop, stock).await?;
    let world = Arc::new(shop.world_of(&article)?);
    shop.goods.articles.push(article.clone());
    let barrier = Arc::new(Barrier::new(buyers));
    let mut running = JoinSet::new();
    for id in 0..buyers {
        running.spawn(buyer(Client::new(world.clone(), id, 1), barrier.clone()));
    }
    let (mut stats, mut log, mut fates) = (Stats::default(), Log::default(), Vec::new());
    let (mut first, mut last) = (None::<Instant>, None::<Instant>);
    while let Some(ended) = running.join_next().await {
        let (client, fate, begun, ended) = ended?;
        stats.merge(&client.stats);
        log.append(client.log);
        first = first.map_or(Some(begun), |first| Some(first.min(begun)));
        last = last.max(Some(ended));
        fates.push(fate);
    }
    let elapsed = first.zip(last).map_or(Duration::ZERO, |(first, last)| last - first);
    let won = fates.iter().filter_map(|fate| match fate {
        Fate::Won(purchase) => Some(*purchase),
        _ => None,
    });
    log.purchases.extend(won);
    let winners = log.purchases.len();
    let findings = judge(&fates, units.min(buyers), article.variant_id);
    Ok(Sale { outcome: Outcome { stats, elapsed, log, missed: 0 }, findings, winners })
}

/// Prepares a purchase, waits for all others, and fights.
async fn buyer(mut client: Client, barrier: Arc<Barrier>) -> (Client, Fate, Instant, Instant) {
    let prepared = prepare(&mut client).await;
    barrier.wait().await;
    client.stats.is_on = true;
    let begun = Instant::now();
    let fate = match prepared {
        Ok(completion) => {
            let request = buy::request(&client, &completion);
            let outcome =
                patience::until_final(&mut client.connections[0], &request, Duration::MAX).await;
            client.count(Step::Complete, begun, &outcome);
            client.stats.iteration(begun.elapsed());
            match outcome {
                Ok(answer) => match buy::purchase(&answer, completion.checkout_id) {
                    Some(purchase) if purchase.is_paid => Fate::Won(purchase),
                    Some(purchase) => Fate::Other(format!("{} is unpaid", purchase.order_id)),
                    None if answer.status.as_u16() == 409 && answer.code() == "stock.short" => {
                        Fate::Short
                    }
                    None => Fate::Other(format!("{} {}", answer.status, answer.code())),
                },
                Err(lost) => Fate::Other(lost.0.to_owned()),
            }
        }
        Err(_) => {
            client.stats.failure();
            Fate::Other("the buyer got no checkout".to_owned())
        }
    };
    (client, fate, begun, Instant::now())
}

/// A shop that is asked by hundreds at once may tell some to come back. Nothing is counted yet.
async fn prepare(client: &mut Client) -> Result<Completion, Failed> {
    let mut prepared = buy::prepare(client).await;
    for _ in 0..TRIES_MAX {
        if prepared.is_ok() {
            break;
        }
        time::sleep(PAUSE).await;
        prepared = buy::prepare(client).await;
    }
    prepared
}

fn judge(fates: &[Fate], expected: usize, variant_id: VariantId) -> Vec<Finding> {
    let won = fates.iter().filter(|fate| matches!(fate, Fate::Won(_))).count();
    let wrong =
        (won != expected).then(|| format!("{won} won the units of {variant_id}, not {expected}"));
    let others = fates.iter().map(|fate| match fate {
        Fate::Other(words) => Some(words.clone()),
        Fate::Won(_) | Fate::Short => None,
    });
    vec![
        Finding::of("exactly as many win as there are units", [wrong]),
        Finding::of("everybody else is told 409 stock.short", others),
    ]
}

#[cfg(test)]
mod tests {
    use handel_domain::id::{CheckoutId, OrderId};

    use super::*;

    fn won(n: u128) -> Fate {
        Fate::Won(Purchase {
            order_id: OrderId::from_u128(n),
            checkout_id: CheckoutId::from_u128(n),
            total_minor: 1,
            is_paid: true,
        })
    }

    fn holds(fates: &[Fate], expected: usize) -> [bool; 2] {
        let findings = judge(fates, expected, VariantId::from_u128(1));
        [findings[0].holds(), findings[1].holds()]
    }

    #[test]
    fn one_winner_too_many_or_too_few_is_found() {
        assert_eq!(holds(&[won(1), won(2), Fate::Short], 2), [true, true]);
        assert_eq!(holds(&[won(1), won(2), won(3)], 2), [false, true]);
        assert_eq!(holds(&[won(1), Fate::Short, Fate::Short], 2), [false, true]);
    }

    #[test]
    fn a_loser_who_is_told_something_else_is_found() {
        assert_eq!(holds(&[won(1), Fate::Other("500 internal".to_owned())], 1), [true, false]);
    }
}
