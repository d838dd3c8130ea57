//! Puts the demo's channels, categories, pictures, products and promotions into a shop.
//!
//! What is there already stays as it is, so a demo that starts again keeps its orders and its stock.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use handel_domain::{
    Code,
    catalog::{CategoryInput, Media},
    channel::Settings,
    id::CategoryId,
    promotion::Rules,
    text::Slug,
};
use handel_engine::{CategoryNode, Context, Engine, ProductKey};
use handel_ports::BlobStore;
use serde::Deserialize;

use super::catalog::{self, DemoCategory, DemoProduct};
use crate::{failure, wiring::Shop};

const DEFAULT: &str = include_str!("channels/default.toml");
const EU: &str = include_str!("channels/eu.toml");

const PROMOTIONS: &str = include_str!("promotions.toml");

/// What a fresh shop calls its channel; any other name was given by somebody.
const FRESH_CHANNEL: (&str, i64) = ("Default", 1);

/// How much was put into the shop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Products that were not there before.
    pub products: usize,
    /// Categories that were not there before.
    pub categories: usize,
}

/// Puts into the shop what it lacks of the demo.
pub async fn load(shop: &Shop) -> Result<Loaded> {
    let Shop { engine, blobs, .. } = shop;
    let ctx = Context::operator(engine.request_id());
    load_channels(engine, &ctx).await.context("the channels of the demo cannot be made")?;
    let (known, categories) =
        load_categories(engine, &ctx).await.context("the categories of the demo cannot be made")?;
    let mut loaded = Loaded { products: 0, categories };
    for product in catalog::products() {
        let is_new = load_product(engine, &ctx, blobs.as_ref(), &known, product).await;
        loaded.products += usize::from(is_new.context("the products of the demo cannot be made")?);
    }
    load_promotions(engine, &ctx).await.context("the promotions of the demo cannot be made")?;
    Ok(loaded)
}

/// The promotions of the demo as they are written down.
#[derive(Deserialize)]
struct DemoPromotions {
    promotion: Vec<DemoPromotion>,
}

#[derive(Deserialize)]
struct DemoPromotion {
    #[serde(default)]
    codes: Vec<String>,
    #[serde(flatten)]
    rules: toml::Table,
}

/// Makes the promotions in a shop that has none.
async fn load_promotions(engine: &Engine, ctx: &Context) -> Result<()> {
    let there = engine.list_promotions(ctx, None, 1).await.map_err(failure::of_engine)?;
    if !there.items.is_empty() {
        return Ok(());
    }
    for (codes, rules) in promotions()? {
        engine.create_promotion(ctx, rules, codes).await.map_err(failure::of_engine)?;
    }
    Ok(())
}

fn promotions() -> Result<Vec<(Vec<String>, Rules)>> {
    let written: DemoPromotions = toml::from_str(PROMOTIONS)?;
    let read = |DemoPromotion { codes, rules }| Ok((codes, rules.try_into()?));
    written.promotion.into_iter().map(read).collect()
}

async fn load_channels(engine: &Engine, ctx: &Context) -> Result<()> {
    let there = engine.list_channels(ctx).await.map_err(failure::of_engine)?;
    for (code, text) in [("default", DEFAULT), ("eu", EU)] {
        let code: Slug =
            code.parse().map_err(|refusal: handel_domain::Refusal| anyhow::anyhow!(refusal))?;
        let settings: Settings = toml::from_str(text).context("the channel is malformed")?;
        let existing = there.iter().find(|channel| channel.code == code);
        let expected_version = match existing {
            Some(channel) if (channel.settings.name.as_str(), channel.version) == FRESH_CHANNEL => {
                Some(channel.version)
            }
            Some(_) => continue,
            None => None,
        };
        let put = engine.put_channel(ctx, code, settings, expected_version).await;
        put.map_err(failure::of_engine)?;
    }
    Ok(())
}

/// Returns all categories by slug, and how many are new.
async fn load_categories(
    engine: &Engine,
    ctx: &Context,
) -> Result<(HashMap<Slug, CategoryId>, usize)> {
    let mut known = HashMap::new();
    note(&engine.list_categories(ctx).await.map_err(failure::of_engine)?, &mut known);
    let mut new = 0;
    for (position, DemoCategory { slug, name, parent }) in (0..).zip(catalog::categories()) {
        if known.contains_key(&slug) {
            continue;
        }
        let parent_id = parent.and_then(|parent| known.get(&parent).copied());
        let description = String::new();
        let input = CategoryInput { parent_id, slug: Some(slug), name, description, position };
        let category = engine.create_category(ctx, input).await.map_err(failure::of_engine)?.reply;
        known.insert(category.slug, category.id);
        new += 1;
    }
    Ok((known, new))
}

fn note(nodes: &[CategoryNode], known: &mut HashMap<Slug, CategoryId>) {
    for CategoryNode { category, children } in nodes {
        known.insert(category.slug.clone(), category.id);
        note(children, known);
    }
}

/// Returns whether the product is new. Its picture is stored first, so no product points nowhere.
async fn load_product(
    engine: &Engine,
    ctx: &Context,
    blobs: &dyn BlobStore,
    categories: &HashMap<Slug, CategoryId>,
    product: DemoProduct,
) -> Result<bool> {
    let DemoProduct { mut input, category, stock, picture } = product;
    let slug = input.slug.clone().context("a product of the demo has no slug")?;
    match engine.get_product(ctx, ProductKey::Slug(slug.clone())).await {
        Ok(_) => return Ok(false),
        Err(error) if error.code() == Code::ProductUnknown => {}
        Err(error) => return Err(failure::of_engine(error)),
    }
    let key = format!("media/{slug}.svg");
    blobs.put(&key, Bytes::from(picture)).await.context("a picture cannot be stored")?;
    input.media = vec![Media { url: format!("/{key}"), alt: input.title.clone() }];
    input.category_ids.extend(categories.get(&category));
    let imported = engine.import_product(ctx, slug, input, stock).await;
    imported.map_err(failure::of_engine)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channels_are_what_a_shop_takes() {
        for text in [DEFAULT, EU] {
            let settings: Settings = toml::from_str(text).unwrap();
            let settings = settings.checked().unwrap();
            for country in &settings.countries {
                let methods = settings.shipping_methods_to(*country);
                assert!(!methods.is_empty(), "nothing is sent to {country}");
            }
            let kinds: Vec<_> =
                settings.policies.iter().map(|policy| policy.kind.as_str()).collect();
            assert_eq!(
                kinds,
                ["shipping-policy", "refund-policy", "privacy-policy", "terms-of-service"]
            );
        }
    }

    #[test]
    fn the_promotions_are_what_a_shop_takes() {
        let promotions = promotions().unwrap();
        assert_eq!(promotions.len(), 3);
        for (_, rules) in promotions {
            rules.checked().unwrap();
        }
    }

    #[test]
    fn every_country_of_europe_has_its_tax() {
        let settings: Settings = toml::from_str(EU).unwrap();
        for country in settings.countries {
            for class in ["standard", "shipping"] {
                let there = handel_domain::tax::Destination { country, region: None };
                let rate = settings.tax.rate(class, &there).unwrap();
                assert!(rate.millionths() >= 170_000, "{class} goods in {country}");
            }
        }
    }
}
