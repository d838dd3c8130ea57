//! Puts goods on the shelves, through the same interface as a merchant's own tools.
//!
//! What is there already is taken as it is, so a shop can be used for many runs.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, Result, anyhow, bail};
use handel_domain::id::{CategoryId, VariantId};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    http::{Admin, CART_TOKEN, Connection, IDEMPOTENCY_KEY, Reply, post},
    scenario::browse,
    shop::Shop,
    world::{self, Article, Goods, path},
};

/// How many connections stock a shop at once.
const HELPERS: usize = 16;
const CATEGORIES: [&str; 8] = [
    "bench-lamps",
    "bench-chairs",
    "bench-tables",
    "bench-shelves",
    "bench-mugs",
    "bench-rugs",
    "bench-desks",
    "bench-clocks",
];
const NOUNS: [&str; 8] = ["lamp", "chair", "table", "shelf", "mug", "rug", "desk", "clock"];
const MATERIALS: [&str; 5] = ["oak", "steel", "wool", "glass", "clay"];
const COLORS: [&str; 7] = ["blue", "green", "red", "white", "black", "gray", "yellow"];

/// What a product is made of.
struct Recipe {
    currency: String,
    categories: Vec<CategoryId>,
    stock: i64,
}

/// Stocks a shop with so many products, and finds out how it sends parcels.
pub async fn seed(shop: &Shop, products: usize, stock: i64) -> Result<Goods> {
    let mut admin = shop.admin(0);
    let recipe = recipe(&mut admin, stock).await.context("cannot prepare the shop")?;
    let recipe = Arc::new(recipe);
    let done = Arc::new(AtomicUsize::new(0));
    let mut helpers = JoinSet::new();
    for helper in 0..HELPERS.min(products) {
        let (mut admin, recipe, done) = (shop.admin(helper), recipe.clone(), done.clone());
        helpers.spawn(async move {
            let mut articles = Vec::new();
            for at in (helper..products).step_by(HELPERS) {
                let sku = sku(at);
                let article = stocked(&mut admin, &recipe, &sku, at).await;
                articles.push((at, article.with_context(|| format!("cannot stock {sku}"))?));
                report(done.fetch_add(1, Ordering::Relaxed) + 1, products);
            }
            Ok::<_, anyhow::Error>(articles)
        });
    }
    let mut articles = Vec::with_capacity(products);
    while let Some(stocked) = helpers.join_next().await {
        articles.extend(stocked??);
    }
    // The same order in every run, so that the same seed makes the same choices.
    articles.sort_unstable_by_key(|(at, _)| *at);
    let articles: Vec<Article> = articles.into_iter().map(|(_, article)| article).collect();
    let first = articles.first().context("--products must be at least 1")?;
    let shipping_method = shipping_method(shop, first.variant_id).await?;
    let lists = browse::lists(&CATEGORIES.map(str::to_owned));
    Ok(Goods { articles, lists, shipping_method })
}

/// One more article, with few units on the shelf, that nobody has bought yet.
pub async fn fresh_article(shop: &Shop, units: i64) -> Result<Article> {
    let mut admin = shop.admin(0);
    let recipe = recipe(&mut admin, units).await?;
    let sku = format!("bench-flash-{:016x}", rand::random::<u64>());
    stocked(&mut admin, &recipe, &sku, 0).await
}

/// The article with this number, made or found as [`seed`] does.
pub async fn article(shop: &Shop, at: usize, stock: i64) -> Result<Article> {
    let mut admin = shop.admin(0);
    let recipe = recipe(&mut admin, stock).await?;
    stocked(&mut admin, &recipe, &sku(at), at).await
}

/// What the article with this number is called.
pub fn sku(at: usize) -> String {
    format!("bench-{at:06}")
}

async fn recipe(admin: &mut Admin, stock: i64) -> Result<Recipe> {
    #[derive(Deserialize)]
    struct Channels {
        items: Vec<Channel>,
    }
    #[derive(Deserialize)]
    struct Channel {
        currency: String,
    }
    let Channels { items } = admin.get("/channels").await?;
    let channel = items.into_iter().next().context("the shop has no channel")?;
    Ok(Recipe { currency: channel.currency, categories: categories(admin).await?, stock })
}

#[derive(Deserialize)]
struct Category {
    id: CategoryId,
    slug: String,
}

async fn categories(admin: &mut Admin) -> Result<Vec<CategoryId>> {
    #[derive(Deserialize)]
    struct Categories {
        items: Vec<Category>,
    }
    let Categories { items } = admin.get("/categories").await?;
    let mut ids = Vec::new();
    for slug in CATEGORIES {
        if let Some(known) = items.iter().find(|category| category.slug == slug) {
            ids.push(known.id);
            continue;
        }
        let body = json!({ "slug": slug, "name": slug });
        match admin.post::<Category>("/admin/categories", &body).await? {
            Reply::Done(made) => ids.push(made.id),
            Reply::Refused(code) => bail!("the category {slug} was refused: {code}"),
        }
    }
    Ok(ids)
}

#[derive(Deserialize)]
struct Product {
    slug: String,
    variants: Vec<Variant>,
}

#[derive(Deserialize)]
struct Variant {
    id: VariantId,
}

/// Makes an article, or finds the one of an earlier run, and puts enough of it on the shelf.
async fn stocked(admin: &mut Admin, recipe: &Recipe, sku: &str, at: usize) -> Result<Article> {
    let body = product(recipe, sku, at);
    let made = admin.post::<Product>("/admin/products", &body).await?;
    let (product, is_new) = match made {
        Reply::Done(product) => (product, true),
        Reply::Refused(code) if matches!(&*code, "variant.sku_taken" | "product.slug_taken") => {
            (admin.get(&format!("/admin/products/{sku}")).await?, false)
        }
        Reply::Refused(code) => bail!("the product was refused: {code}"),
    };
    let variant = product.variants.first().context("the product has no variant")?;
    let free = if is_new { 0 } else { free_units(admin, variant.id).await? };
    if free < recipe.stock.div_euclid(2).max(1) {
        let body =
            json!({ "variant_id": variant.id, "delta": recipe.stock - free, "reason": "bench" });
        let reply = admin.post::<serde_json::Value>("/admin/stock/adjustments", &body).await?;
        if let Reply::Refused(code) = reply {
            return Err(anyhow!("the stock was refused: {code}"));
        }
    }
    let seeded = is_new.then_some(recipe.stock);
    Ok(Article { variant_id: variant.id, slug: product.slug, seeded })
}

async fn free_units(admin: &mut Admin, variant_id: VariantId) -> Result<i64> {
    let stock: crate::check::Stock = admin.get(&format!("/admin/stock/{variant_id}")).await?;
    Ok(stock.on_hand() - stock.allocated())
}

fn product(recipe: &Recipe, sku: &str, at: usize) -> serde_json::Value {
    let (noun, category) = (NOUNS[at % NOUNS.len()], at % recipe.categories.len());
    let (material, color) = (MATERIALS[at / 3 % MATERIALS.len()], COLORS[at / 5 % COLORS.len()]);
    // Spread over the whole range, and never the same order by price as by age.
    let amount_minor = 500 + (at * 7_919) % 20_000;
    json!({
        "slug": sku,
        "title": format!("{color} {material} {noun} {at}"),
        "description_html": format!("<p>A {noun} of {material}, made to be measured.</p>"),
        "vendor": format!("Maker {}", at % 20),
        "attributes": [
            { "name": "material", "type": "choice", "value": material },
            { "name": "color", "type": "choice", "value": color },
        ],
        "category_ids": [recipe.categories[category]],
        "variants": [{
            "sku": sku,
            "weight_grams": 500,
            "prices": [{ "currency": recipe.currency, "amount_minor": amount_minor }],
        }],
    })
}

/// Asks the shop how it sends parcels, as any buyer can.
async fn shipping_method(shop: &Shop, variant_id: VariantId) -> Result<String> {
    #[derive(Deserialize)]
    struct Checkout {
        shipping_options: Vec<Shipping>,
    }
    #[derive(Deserialize)]
    struct Shipping {
        code: String,
    }
    let mut connection = Connection::new(shop.addresses()[0]);
    let lost = |lost: crate::http::Lost| anyhow!("{}", lost.0);
    let cart = connection.send(post(path::items(), world::item(variant_id))).await.map_err(lost)?;
    if cart.status != StatusCode::CREATED {
        bail!("the first cart was refused: {} {}", cart.status, cart.code());
    }
    let token = cart.headers.get(CART_TOKEN).context("the first cart has no token")?;
    let mut request = post(path::checkout(), world::buyer(0, None));
    request.headers_mut().insert(CART_TOKEN, token.clone());
    let key = format!("probe-{:016x}", rand::random::<u64>());
    request.headers_mut().insert(IDEMPOTENCY_KEY, key.parse()?);
    let answer = connection.send(request).await.map_err(lost)?;
    let Checkout { shipping_options } = answer.read().context("the first checkout")?;
    let cheapest = shipping_options.into_iter().next();
    cheapest.map(|method| method.code).context("the shop sends nothing to the US")
}

/// Says how far it is, ten times in all.
fn report(done: usize, products: usize) {
    if products >= 5_000 && done.is_multiple_of(products / 10) {
        eprintln!("stocked {done} of {products} products");
    }
}
