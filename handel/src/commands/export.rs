//! `handel export products`: every product as CSV, page by page.

use std::{
    collections::HashMap,
    io::{self, BufWriter, Write},
    path::Path,
};

use anyhow::{Context as _, Result};
use handel_domain::{Currency, catalog::Product, id::CategoryId, text::Sku};
use handel_engine::{Context, Engine};

use super::{categories, operator};
use crate::{
    catalog_csv::{ExportedProduct, Writer},
    config::Config,
    console, failure,
    output::Output,
    wiring,
};

/// Products on one page.
const PAGE: u32 = 100;

/// Writes all products to a file, or to the standard output if it is `-`. A new file gets the permissions `mode`.
pub async fn run(config: &Config, file: &Path, mode: u32) -> Result<()> {
    let engine = wiring::open_engine(config).await?;
    let count = match file == Path::new("-") {
        true => write_all(&engine, io::stdout()).await,
        false => write_file(config, &engine, file, mode)
            .await
            .with_context(|| format!("cannot write {}", file.display())),
    };
    engine.close().await;
    console::note(&format!("{} products exported", count?));
    Ok(())
}

/// A file of that name is whole: it gets the name when everything is written.
async fn write_file(config: &Config, engine: &Engine, path: &Path, mode: u32) -> Result<u64> {
    let output = Output::begin(config, path, mode)?;
    let count = write_all(engine, output.file.try_clone()?).await?;
    output.finish()?;
    Ok(count)
}

/// Goes over the shop twice: the header names every currency, and which there are is known only at the end.
async fn write_all(engine: &Engine, output: impl Write) -> Result<u64> {
    let ctx = operator(engine);
    let channel = engine.get_channel(&ctx).await.map_err(failure::of_engine)?;
    let mut currencies = Vec::new();
    each_product(engine, &ctx, |product, _| {
        let new =
            product.currencies().into_iter().filter(|currency| !currencies.contains(currency));
        let new: Vec<Currency> = new.collect();
        currencies.extend(new);
        Ok(())
    })
    .await?;
    currencies.sort_by_key(|currency| currency.code());
    let first = channel.settings.currency;
    let mut writer = Writer::new(BufWriter::new(output), first, &currencies)?;
    let paths = categories::paths(engine, &ctx).await.map_err(failure::of_engine)?;
    let mut count = 0;
    each_product(engine, &ctx, |product, stock| {
        count += 1;
        let categories = names(&product, &paths);
        Ok(writer.write(&ExportedProduct::new(product, categories, stock))?)
    })
    .await?;
    writer.finish()?.flush()?;
    Ok(count)
}

async fn each_product(
    engine: &Engine,
    ctx: &Context,
    mut take: impl FnMut(Product, Vec<(Sku, i64)>) -> Result<()>,
) -> Result<()> {
    let mut after = None;
    loop {
        let page = engine.list_all_products(ctx, after, PAGE).await.map_err(failure::of_engine)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(last.id);
        for (product, stock) in page {
            take(product, stock)?;
        }
    }
}

fn names(product: &Product, paths: &HashMap<CategoryId, String>) -> Vec<String> {
    product.category_ids.iter().filter_map(|id| paths.get(id).cloned()).collect()
}
