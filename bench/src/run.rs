//! From the command line to the report.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use anyhow::{Result, bail};

use crate::{
    capacity,
    check::{Checker, Finding},
    cli::{
        CapacityOptions, Command, CommonOptions, FlashOptions, KillOptions, LoadOptions,
        OverloadOptions, PlaceOptions, TargetOptions, TimedOptions,
    },
    client::Log,
    compare, flash, kill,
    load::{self, Plan},
    open::{self, OpenPlan},
    overload, place,
    report::{Report, Run},
    scenario::Scenario,
    selftest,
    series::Series,
    server::Fleet,
    shop::Shop,
};

/// How long a shop may take after an ordinary run until everything holds.
const PATIENCE: Duration = Duration::from_secs(15);

/// Does what the command line says. Fails if the run could not be made; a broken promise is in the report.
pub async fn run(command: &Command) -> Result<Report> {
    match command {
        Command::Flow(load) => shoppers("flow", Scenario::Flow, load).await,
        Command::Cart(load) => shoppers("cart", Scenario::Cart, load).await,
        Command::Browse(load) => shoppers("browse", Scenario::Browse, load).await,
        Command::Mixed(load) => shoppers("mixed", Scenario::Mixed, load).await,
        Command::Duplicates(timing) => {
            timed("duplicates", Scenario::Duplicates, timing, None).await
        }
        Command::Place(place) => placements(place).await,
        Command::Capacity(capacity) => capacities(capacity).await,
        Command::Overload(overload) => overloads(overload).await,
        Command::Compare(compare) => comparisons(compare).await,
        Command::Flash(flash) => sales(flash).await,
        Command::Kill(kill) => crashes(kill).await,
        Command::Selftest(options) => selftest::run(options).await,
        Command::Plot(_) => bail!("a drawing is no measurement"),
    }
}

/// An open or a closed loop.
async fn shoppers(name: &'static str, scenario: Scenario, options: &LoadOptions) -> Result<Report> {
    let LoadOptions { timed: timing, open, series } = options;
    let runs = if open.rate.is_empty() { timing.clients.len() } else { open.rate.len() };
    if series.is_some() && runs > 1 {
        bail!("a series is about one run; name one number of --clients or one --rate");
    }
    if open.rate.is_empty() {
        return timed(name, scenario, timing, series.as_deref()).await;
    }
    with_shop(&timing.common, async |shop, checker, report| {
        for &rate in &open.rate {
            let series = begin_series(shop, series.as_deref())?;
            let plan = OpenPlan {
                rate,
                spacing: open.arrivals,
                outstanding: open.outstanding,
                warmup: Duration::from_secs(timing.warmup),
                measured: Duration::from_secs(timing.seconds),
                window: series.as_ref().map(|series| series.window.clone()),
            };
            let outcome = open::run(scenario, &shop.world()?, &plan).await?;
            drop(series);
            let mut run = Run::new(name, open.outstanding, &outcome);
            (run.rate, run.missed) = (Some(rate), Some(outcome.missed));
            conclude(shop, checker, report, run, outcome.log).await?;
        }
        Ok(())
    })
    .await
}

/// A closed loop.
async fn timed(
    name: &'static str,
    scenario: Scenario,
    options: &TimedOptions,
    series: Option<&Path>,
) -> Result<Report> {
    with_shop(&options.common, async |shop, checker, report| {
        for &clients in &options.clients {
            let series = begin_series(shop, series)?;
            let plan = Plan {
                clients,
                warmup: Duration::from_secs(options.warmup),
                measured: Duration::from_secs(options.seconds),
                stop: Arc::new(AtomicBool::new(false)),
                window: series.as_ref().map(|series| series.window.clone()),
            };
            let mut outcome = load::run(scenario, &shop.world()?, &plan).await;
            drop(series);
            let mut run = Run::new(name, clients, &outcome);
            if scenario == Scenario::Duplicates {
                let contradictions = std::mem::take(&mut outcome.log.contradictions);
                let kept = (contradictions.len()..outcome.log.purchases.len()).map(|_| None);
                let broken = contradictions.into_iter().map(Some);
                let rule = "a key has one answer, however often it is sent";
                run.findings.push(Finding::of(rule, broken.chain(kept)));
            }
            conclude(shop, checker, report, run, outcome.log).await?;
        }
        Ok(())
    })
    .await
}

fn begin_series(shop: &Shop, path: Option<&Path>) -> Result<Option<Series>> {
    let servers = shop.fleet.as_ref().map(Fleet::process_ids).unwrap_or_default();
    path.map(|path| Series::begin(path, servers)).transpose()
}

/// Examines the shop after a run, and reports it.
async fn conclude(
    shop: &Shop,
    checker: &mut Checker,
    report: &mut Report,
    mut run: Run,
    log: Log,
) -> Result<()> {
    run.server_memory_mb = memory(shop);
    if !log.unanswered.is_empty() {
        run.fact("completions without an answer", &log.unanswered.len());
    }
    checker.acknowledge(log.purchases);
    run.judged(checker.check(shop, PATIENCE).await?);
    report.add(run);
    Ok(())
}

async fn placements(options: &PlaceOptions) -> Result<Report> {
    with_shop(&options.common, async |shop, checker, report| {
        for &clients in &options.clients {
            let outcome = place::run(&shop.world()?, clients, options.orders).await?;
            let run = Run::new("place", clients, &outcome);
            conclude(shop, checker, report, run, outcome.log).await?;
        }
        Ok(())
    })
    .await
}

async fn capacities(options: &CapacityOptions) -> Result<Report> {
    let target = &options.common.target;
    let opening = CommonOptions { target: capacity::opening(target)?, ..options.common.clone() };
    let mut sizes = options.orders.clone();
    sizes.sort_unstable();
    with_shop(&opening, async |shop, checker, report| {
        let mut mold = capacity::prepare(shop, target).await?;
        for orders in sizes {
            let (found, runs) = capacity::measure(shop, &mut mold, orders, options).await?;
            report.capacities.push(found);
            for (mut run, outcome) in runs {
                run.fact("orders", &orders);
                // Both are judged below, by what they left behind.
                checker.acknowledge(outcome.log.purchases);
                report.add(run);
            }
            if let Some(last) = report.runs.last_mut() {
                last.judged(checker.check(shop, PATIENCE).await?);
                report.holds &= last.findings.iter().all(Finding::holds);
            }
            capacity::fleet(shop)?.pause().await?;
        }
        Ok(())
    })
    .await
}

async fn overloads(options: &OverloadOptions) -> Result<Report> {
    with_shop(&options.common, async |shop, checker, report| {
        let outcome = overload::saturate(&shop.world()?, options).await;
        let run = Run::new("flow", options.clients, &outcome);
        let saturated = outcome.stats.iterations.count() / options.seconds.max(1);
        conclude(shop, checker, report, run, outcome.log).await?;
        for &percent in &options.percent {
            let rate = u32::try_from(saturated * u64::from(percent) / 100)?.max(1);
            let (mut run, outcome) = overload::run(&shop.world()?, rate, options).await?;
            run.fact("of what the shop can do, in percent", &percent);
            conclude(shop, checker, report, run, outcome.log).await?;
        }
        Ok(())
    })
    .await
}

async fn comparisons(options: &PlaceOptions) -> Result<Report> {
    let limits = compare::limits(options).await?;
    with_shop(&options.common, async |shop, checker, report| {
        for mut comparison in limits {
            let outcome = compare::shop(shop, &mut comparison, options.orders).await?;
            let mut run = Run::new("place", comparison.clients, &outcome);
            run.fact("articles", &comparison.articles);
            comparison.judge(run.iterations_per_second);
            report.comparisons.push(comparison);
            conclude(shop, checker, report, run, outcome.log).await?;
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
            run.fact("units", &options.units);
            run.fact("winners", &sale.winners);
            run.findings.extend(sale.findings);
            conclude(shop, checker, report, run, sale.outcome.log).await?;
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
