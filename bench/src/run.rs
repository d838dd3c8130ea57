//! From the command line to the report.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use anyhow::{Result, bail};

use crate::{
    check::{Checker, Finding},
    cli::{
        Command, CommonOptions, CompareOptions, FlashOptions, KillOptions, LoadOptions,
        PlaceOptions, TargetOptions,
    },
    compare, flash, kill,
    load::{self, Plan},
    place,
    report::{Report, Run},
    scenario::Scenario,
    selftest,
    shop::Shop,
};

/// How long a shop may take after an ordinary run until everything holds.
const PATIENCE: Duration = Duration::from_secs(15);

/// Does what the command line says. Fails if the run could not be made; a broken promise is in the report.
pub async fn run(command: &Command) -> Result<Report> {
    match command {
        Command::Flow(load) => timed("flow", Scenario::Flow, load).await,
        Command::Cart(load) => timed("cart", Scenario::Cart, load).await,
        Command::Browse(load) => timed("browse", Scenario::Browse, load).await,
        Command::Mixed(load) => timed("mixed", Scenario::Mixed, load).await,
        Command::Duplicates(load) => timed("duplicates", Scenario::Duplicates, load).await,
        Command::Place(place) => placements(place).await,
        Command::Compare(compare) => comparisons(compare).await,
        Command::Flash(flash) => sales(flash).await,
        Command::Kill(kill) => crashes(kill).await,
        Command::Selftest(options) => selftest::run(options).await,
    }
}

async fn timed(name: &'static str, scenario: Scenario, options: &LoadOptions) -> Result<Report> {
    with_shop(&options.common, async |shop, checker, report| {
        for &clients in &options.clients {
            let plan = Plan {
                clients,
                warmup: Duration::from_secs(options.warmup),
                measured: Duration::from_secs(options.seconds),
                stop: Arc::new(AtomicBool::new(false)),
            };
            let outcome = load::run(scenario, &shop.world()?, &plan).await;
            let mut run = Run::new(name, clients, &outcome);
            run.server_memory_mb = memory(shop);
            let log = outcome.log;
            if scenario == Scenario::Duplicates {
                let kept = (log.contradictions.len()..log.purchases.len()).map(|_| None);
                let broken = log.contradictions.into_iter().map(Some);
                let rule = "a key has one answer, however often it is sent";
                run.findings.push(Finding::of(rule, broken.chain(kept)));
            }
            if !log.unanswered.is_empty() {
                run.fact("completions without an answer", &log.unanswered.len());
            }
            checker.acknowledge(log.purchases);
            run.judged(checker.check(shop, PATIENCE).await?);
            report.add(run);
        }
        Ok(())
    })
    .await
}

async fn placements(options: &PlaceOptions) -> Result<Report> {
    with_shop(&options.common, async |shop, checker, report| {
        for &clients in &options.clients {
            let outcome = place::run(&shop.world()?, clients, options.orders).await?;
            let mut run = Run::new("place", clients, &outcome);
            run.server_memory_mb = memory(shop);
            checker.acknowledge(outcome.log.purchases);
            run.judged(checker.check(shop, PATIENCE).await?);
            report.add(run);
        }
        Ok(())
    })
    .await
}

async fn comparisons(options: &CompareOptions) -> Result<Report> {
    let limits = compare::limits(options).await?;
    with_shop(&options.common, async |shop, checker, report| {
        for mut comparison in limits {
            let outcome = compare::shop(shop, &mut comparison, options.orders).await?;
            let mut run = Run::new("place", comparison.clients, &outcome);
            run.server_memory_mb = memory(shop);
            run.fact("articles", &comparison.articles);
            checker.acknowledge(outcome.log.purchases);
            run.judged(checker.check(shop, PATIENCE).await?);
            comparison.judge(run.iterations_per_second);
            report.comparisons.push(comparison);
            report.add(run);
        }
        Ok(())
    })
    .await
}

async fn sales(options: &FlashOptions) -> Result<Report> {
    with_shop(&options.common, async |shop, checker, report| {
        for &clients in &options.clients {
            let sale = flash::run(shop, clients, options.units).await?;
            let mut run = Run::new("flash", clients, &sale.outcome);
            run.server_memory_mb = memory(shop);
            run.fact("units", &options.units);
            run.fact("winners", &sale.winners);
            run.findings.extend(sale.findings);
            checker.acknowledge(sale.outcome.log.purchases);
            run.judged(checker.check(shop, PATIENCE).await?);
            report.add(run);
        }
        Ok(())
    })
    .await
}

async fn crashes(options: &KillOptions) -> Result<Report> {
    if options.common.target.url.is_some() {
        bail!("a running server is not killed; leave --url out");
    }
    with_shop(&options.common, async |shop, checker, report| {
        let mut run = kill::run(shop, checker, options).await?;
        run.server_memory_mb = memory(shop);
        report.add(run);
        Ok(())
    })
    .await
}

/// Opens a shop, does the work, and closes the shop whatever came of it, also when somebody interrupts.
async fn with_shop(
    options: &CommonOptions,
    work: impl AsyncFnOnce(&mut Shop, &mut Checker, &mut Report) -> Result<()>,
) -> Result<Report> {
    let mut shop = Shop::open(&options.target).await?;
    let mut checker = Checker::new(options.check);
    let mut report = Report::new(backend(&options.target), options.output.threads);
    if let Some(fleet) = &shop.fleet {
        eprintln!("the shop is stocked; it was ready {:.1?} after its start", fleet.ready_after(0));
    }
    let worked = tokio::select! {
        worked = work(&mut shop, &mut checker, &mut report) => worked,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    let closed = shop.close().await;
    worked.and(closed).map(|()| report)
}

fn memory(shop: &Shop) -> Option<u64> {
    shop.fleet.as_ref()?.memory_mb()
}

fn backend(options: &TargetOptions) -> String {
    let servers = match options.processes {
        1 => "1 server".to_owned(),
        processes => format!("{processes} servers"),
    };
    match (&options.url, &options.postgres) {
        (Some(url), _) => format!("running shop at {url}"),
        (None, Some(_)) => format!("PostgreSQL, {servers}"),
        (None, None) => format!("embedded database, {servers}"),
    }
}
