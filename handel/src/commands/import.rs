//! `handel import products`: a file as a stream of products, many of them on their way at once.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context as _, Result, ensure};
use handel_domain::{Currency, text::Slug};
use handel_engine::{Context, Engine, Error};
use handel_ports::System;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{categories::Categories, operator, progress::Progress};
use crate::{
    catalog_csv::{self, ImportedProduct, Item, Reader, RowError},
    config::Config,
    console, failure, wiring,
};

/// Products on their way at once: enough for a commit to serve many.
const UNDER_WAY_MAX: usize = 32;

/// Says what is wrong with a file, and changes nothing.
pub fn check(file: &Path, currency: Currency) -> Result<ExitCode> {
    let progress = Progress::over_bytes(size(file)?);
    let (mut products, mut tally) = (0u64, Tally::default());
    for item in open(file, currency, &progress)? {
        match item.with_context(|| format!("cannot read {}", file.display()))? {
            Item::Product(product) => {
                products += 1;
                tally.report(&progress, &product.rejected, &product.warnings);
            }
            Item::Rejected(errors) => tally.report(&progress, &errors, &[]),
        }
    }
    progress.end();
    console::line(&format!(
        "{products} products can be imported, {} rows are rejected; nothing was changed",
        tally.rejected
    ))?;
    Ok(if products > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Brings all products of a file into the shop. One that is there already is replaced.
pub async fn run(config: &Config, file: &Path, currency: Currency) -> Result<ExitCode> {
    // A file that cannot be read is told before a shop is opened.
    let progress = Progress::over_bytes(size(file)?);
    let reader = open(file, currency, &progress)?;
    let engine = wiring::open_engine(config).await?;
    let outcome = bring_all(&engine, reader, &progress).await;
    progress.end();
    engine.close().await;
    let (tally, outcome) = outcome?;
    console::line(&format!(
        "{} products created, {} updated, {} refused; {} rows rejected",
        tally.created, tally.updated, tally.refused, tally.rejected
    ))?;
    outcome.with_context(|| format!("the import of {} ended early", file.display()))?;
    let is_any = tally.created + tally.updated > 0;
    Ok(if is_any { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn size(file: &Path) -> Result<u64> {
    let found = std::fs::metadata(file);
    let found = found.with_context(|| format!("cannot read {}", file.display()))?;
    ensure!(!found.is_dir(), "{} is a directory, not a file", file.display());
    Ok(found.len())
}

fn open(file: &Path, currency: Currency, progress: &Progress) -> Result<Reader<impl Read + use<>>> {
    let input = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let reader = Reader::new(progress.reading(BufReader::new(input)), currency);
    let reader = reader.with_context(|| format!("cannot import {}", file.display()))?;
    let ignored = reader.ignored_columns();
    if !ignored.is_empty() {
        console::note(&format!("warning: these columns are ignored: {}", ignored.join(", ")));
    }
    Ok(reader)
}

/// What became of the rows.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    created: u64,
    updated: u64,
    /// Products that the shop did not take.
    refused: u64,
    /// Rows that were left out.
    rejected: u64,
}

impl Tally {
    fn report(&mut self, progress: &Progress, rejected: &[RowError], warnings: &[RowError]) {
        let mut last = None;
        for error in rejected {
            // A row may have several things wrong with it; they stand together.
            self.rejected += u64::from(last.replace(error.line) != Some(error.line));
            progress.note(&format!("rejected: {error}"));
        }
        for warning in warnings {
            progress.note(&format!("warning: {warning}"));
        }
    }
}

/// What became of a product, and whether it is new.
struct Done {
    line: u64,
    handle: Slug,
    outcome: Result<bool, Error>,
}

struct Importer<'a> {
    engine: &'a Engine,
    ctx: Context,
    system: System,
    categories: Categories,
    progress: &'a Progress,
    tally: Tally,
    under_way: usize,
    report: UnboundedSender<Done>,
    reports: UnboundedReceiver<Done>,
}

/// Imports all items. What was done is told even if a failure ended it early.
async fn bring_all(
    engine: &Engine,
    reader: Reader<impl Read>,
    progress: &Progress,
) -> Result<(Tally, Result<()>)> {
    let ctx = operator(engine);
    let categories = Categories::load(engine, &ctx).await.map_err(failure::of_engine)?;
    let (report, reports) = unbounded_channel();
    let mut importer = Importer {
        engine,
        ctx,
        system: System::real(),
        categories,
        progress,
        tally: Tally::default(),
        under_way: 0,
        report,
        reports,
    };
    let mut outcome = importer.send_all(reader).await;
    while importer.under_way > 0 {
        let received = importer.receive().await;
        outcome = outcome.and(received);
    }
    Ok((importer.tally, outcome))
}

impl Importer<'_> {
    async fn send_all(
        &mut self,
        items: impl Iterator<Item = Result<Item, catalog_csv::Error>>,
    ) -> Result<()> {
        for item in items {
            match item? {
                Item::Product(product) => {
                    self.tally.report(self.progress, &product.rejected, &product.warnings);
                    while self.under_way >= UNDER_WAY_MAX {
                        self.receive().await?;
                    }
                    self.send(*product).await?;
                }
                Item::Rejected(errors) => self.tally.report(self.progress, &errors, &[]),
            }
        }
        Ok(())
    }

    /// Sends a product on its way.
    async fn send(&mut self, product: ImportedProduct) -> Result<()> {
        let ImportedProduct { line, handle, mut input, category_names, stock, .. } = product;
        for path in &category_names {
            match self.categories.id(self.engine, &self.ctx, path).await {
                Ok(id) => input.category_ids.extend(id),
                Err(error) if error.is_fault() => return Err(failure::of_engine(error)),
                Err(error) => {
                    let reason = failure::of_engine(error);
                    let note = format!("warning: line {line}: not put into {path}: {reason}");
                    self.progress.note(&note);
                }
            }
        }
        let (engine, ctx, report) = (self.engine.clone(), self.ctx.clone(), self.report.clone());
        self.under_way += 1;
        self.system.spawn(async move {
            let imported = engine.import_product(&ctx, handle.clone(), input, stock).await;
            let outcome = imported.map(|(_, is_new)| is_new);
            // The importer is gone only if the whole command is.
            let _gone = report.send(Done { line, handle, outcome });
        });
        Ok(())
    }

    /// Takes in what became of one product. Only a failure of the shop itself is an error.
    async fn receive(&mut self) -> Result<()> {
        let done = self.reports.recv().await.context("the import lost count of its products")?;
        self.under_way -= 1;
        match done.outcome {
            Ok(true) => self.tally.created += 1,
            Ok(false) => self.tally.updated += 1,
            Err(error) if error.is_fault() => return Err(failure::of_engine(error)),
            Err(error) => {
                self.tally.refused += 1;
                let reason = failure::sentence(&failure::of_engine(error));
                let Done { line, handle, .. } = done;
                self.progress.note(&format!("refused: line {line}, product {handle}: {reason}"));
            }
        }
        let Tally { created, updated, .. } = self.tally;
        self.progress.tell(format!("{created} created, {updated} updated"));
        Ok(())
    }
}
