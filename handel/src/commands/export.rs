//! `handel export products`: every product as CSV, page by page.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use handel_domain::{Currency, catalog::Product, id::CategoryId, text::Sku};
use handel_engine::{Context, Engine};

use super::{categories, operator};
use crate::{
    catalog_csv::{ExportedProduct, Writer},
    config::Config,
    console, failure, wiring,
};

/// Products on one page.
const PAGE: u32 = 100;

/// Writes all products to a file, or to the standard output if it is `-`.
pub async fn run(config: &Config, file: &Path) -> Result<()> {
    let engine = wiring::open_engine(config).await?;
    let count = write_to(&engine, file).await;
    engine.close().await;
    console::note(&format!("{} products exported", count?));
    Ok(())
}

async fn write_to(engine: &Engine, file: &Path) -> Result<u64> {
    if file == Path::new("-") {
        return write_all(engine, io::stdout()).await;
    }
    // A file of that name is whole: it gets the name when everything is written.
    let unfinished = unfinished(file);
    let written = write_file(engine, &unfinished).await;
    let named = written.and_then(|count| {
        fs::rename(&unfinished, file).map(|()| count).map_err(anyhow::Error::from)
    });
    if named.is_err() {
        // What failed is what must be told.
        let _ = fs::remove_file(&unfinished);
    }
    named.with_context(|| format!("cannot write {}", file.display()))
}

fn unfinished(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(format!(".{}.part", std::process::id()));
    name.into()
}

async fn write_file(engine: &Engine, path: &Path) -> Result<u64> {
    let file = File::create_new(path)?;
    let count = write_all(engine, file.try_clone()?).await?;
    file.sync_all()?;
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
