//! The catalog.

use std::collections::HashSet;

use handel_domain::{
    channel::Channel,
    id::ProductId,
    text::{Slug, looks_like_card_number},
};
use handel_engine::{
    CatalogKey, Context, LIST_CATEGORIES_MAX, ListProducts, PriceFilter, ProductLookup,
    ProductSort, SEARCH_WORDS_MAX,
};

use super::{Stop, Work, too_large};
use crate::{
    Answer, TransportError,
    neutral::{
        Message,
        catalog::{Products, narrow, passes},
        product::Product,
        request::{Hints, WantedFilters},
    },
};

/// How many products a page has if nobody says, and at most.
const PAGE: (u64, u64) = (10, 50);
/// Most ids of a look-up.
const IDS_MAX: usize = 50;

impl Work<'_> {
    pub(super) async fn search_catalog(&self) -> Result<Answer, Stop> {
        let wanted = self.codec.read_search(&self.call.payload).map_err(|e| Box::new(e.into()))?;
        if wanted.query.is_none() && wanted.filters.is_empty() {
            return Err(malformed("say what to look for: `query` or `filters`"));
        }
        if wanted.limit == Some(0) {
            return Err(malformed("pagination.limit: must be at least 1"));
        }
        let ctx = self.in_channel(&wanted.hints).await?;
        let channel = self.channel(&ctx).await?;
        let mut products = Products::default();
        let price = price(&wanted.filters, &wanted.hints, &channel, &mut products.messages);
        let named = &wanted.filters.categories;
        // What is no name of a category names none that exists.
        let categories: Vec<Slug> = named.iter().filter_map(|name| name.parse().ok()).collect();
        if categories.is_empty() && !named.is_empty() {
            return Ok(self.show_products(&products));
        }
        if categories.len() > LIST_CATEGORIES_MAX {
            return Err(too_large("categories", LIST_CATEGORIES_MAX));
        }
        let limit = wanted.limit.unwrap_or(PAGE.0).clamp(1, PAGE.1);
        let list = ListProducts {
            categories,
            price: price.map_or_else(PriceFilter::default, |(min, max)| PriceFilter {
                min_minor: Some(min),
                max_minor: Some(max),
            }),
            query: words(wanted.query.as_deref().unwrap_or_default()),
            sort: ProductSort::Newest,
            limit: u32::try_from(limit).unwrap_or(1),
            cursor: wanted.cursor,
            ..ListProducts::default()
        };
        let page = match self.ucp.engine().search_products(&ctx, list).await {
            Ok(page) => page,
            // Categories that do not exist hold nothing.
            Err(error) if error.code() == handel_domain::Code::CategoryUnknown => {
                return Ok(self.show_products(&products));
            }
            Err(error) => return Err(self.stop(error)),
        };
        for view in &page.items {
            if let Some(mut product) = Product::new(view, self.ucp.public_url()) {
                product.feature_available();
                products.items.push(product);
            }
        }
        products.next_cursor = page.next_cursor;
        Ok(self.show_products(&products))
    }

    pub(super) async fn lookup_catalog(&self) -> Result<Answer, Stop> {
        let wanted = self.codec.read_lookup(&self.call.payload).map_err(|e| Box::new(e.into()))?;
        let mut seen = HashSet::new();
        let ids: Vec<_> = wanted.ids.into_iter().filter(|id| seen.insert(id.clone())).collect();
        if ids.is_empty() {
            return Err(malformed("ids: must not be empty"));
        }
        if ids.len() > IDS_MAX {
            return Err(too_large("ids", IDS_MAX));
        }
        let ctx = self.in_channel(&wanted.hints).await?;
        let channel = self.channel(&ctx).await?;
        let found = self.look_up(&ctx, &ids).await?;
        let mut products = Products::default();
        let price = price(&wanted.filters, &wanted.hints, &channel, &mut products.messages);
        for view in &found.products {
            let Some(mut product) = Product::new(view, self.ucp.public_url()) else { continue };
            if passes(&product, &wanted.filters, price) {
                correlate(&mut product, view.product.id, &ids, &found);
                products.items.push(product);
            }
        }
        products.items.retain(|product| !product.variants.is_empty());
        let missing = ids.iter().zip(&found.found).filter(|(_, name)| name.is_none());
        products.messages.extend(missing.map(|(id, _)| not_found(id)));
        Ok(self.show_products(&products))
    }

    pub(super) async fn get_product(&self) -> Result<Answer, Stop> {
        let wanted = self.codec.read_product(&self.call.payload).map_err(|e| Box::new(e.into()))?;
        let mut names = HashSet::new();
        if !wanted.selected.iter().all(|(name, _)| names.insert(name.to_lowercase())) {
            return Err(malformed("selected: names an option twice"));
        }
        let ctx = self.in_channel(&wanted.hints).await?;
        let channel = self.channel(&ctx).await?;
        let found = self.look_up(&ctx, std::slice::from_ref(&wanted.id)).await?;
        let named = found.found.first().copied().flatten();
        let product = found.products.first();
        let product = product.and_then(|view| Product::new(view, self.ucp.public_url()));
        let unfit = || self.outcome(&[super::not_found()]);
        let (Some(mut product), Some(named)) = (product, named) else { return Err(unfit()) };
        let price = price(&wanted.filters, &wanted.hints, &channel, &mut Vec::new());
        if !passes(&product, &wanted.filters, price) {
            return Err(unfit());
        }
        narrow(&mut product, named.variant_id, &wanted.selected, &wanted.preferences);
        let body = self.codec.product(&product, self.agreement);
        Ok(Answer::Resource { created: false, body })
    }

    async fn look_up(&self, ctx: &Context, ids: &[String]) -> Result<ProductLookup, Stop> {
        let read = |id: &String| match id.parse::<CatalogKey>() {
            Ok(key) => key,
            Err(never) => match never {},
        };
        let keys = ids.iter().map(read).collect();
        self.ucp.engine().lookup_products(ctx, keys).await.map_err(|error| self.stop(error))
    }

    fn show_products(&self, products: &Products) -> Answer {
        let body = self.codec.products(products, self.agreement, self.call.operation);
        Answer::Resource { created: false, body }
    }
}

fn malformed(content: &str) -> Stop {
    Box::new(TransportError::malformed(content).into())
}

/// Keeps the variants that were asked for, with the names by which they were.
fn correlate(product: &mut Product, id: ProductId, ids: &[String], found: &ProductLookup) {
    product.feature_available();
    let featured = product.variants.first().map(|variant| variant.id.clone());
    for (text, name) in ids.iter().zip(&found.found) {
        let Some(name) = name.filter(|name| name.product_id == id) else { continue };
        let (variant, fit) = match name.variant_id {
            Some(variant) => (Some(variant.to_string()), "exact"),
            None => (featured.clone(), "featured"),
        };
        let asked = product.variants.iter_mut().find(|known| Some(&known.id) == variant.as_ref());
        if let Some(asked) = asked {
            asked.inputs.push((text.clone(), fit));
        }
    }
    product.variants.retain(|variant| !variant.inputs.is_empty());
}

fn not_found(id: &str) -> Message {
    let short: String = id.chars().take(100).filter(|c| !c.is_control()).collect();
    let named = if looks_like_card_number(&short) { String::new() } else { format!(" {short}") };
    Message::info("not_found", format!("nothing that is for sale has the id{named}"))
}

/// The range of prices in the currency of the channel. One in another currency is not converted and does not count.
fn price(
    filters: &WantedFilters,
    hints: &Hints,
    channel: &Channel,
    messages: &mut Vec<Message>,
) -> Option<(i64, i64)> {
    let (min, max) = filters.price?;
    let own = channel.settings.currency.to_string();
    if hints.currency.as_ref().is_some_and(|currency| *currency != own) {
        let text = format!("prices are not converted; the filter of prices counts in {own} only");
        messages.push(Message::info("filter_ignored", text));
        return None;
    }
    Some((min.unwrap_or(0).max(0), max.unwrap_or(i64::MAX).max(0)))
}

/// Words that say nothing about goods.
const FILLERS: [&str; 24] = [
    "a", "an", "and", "any", "are", "buy", "find", "for", "from", "get", "have", "in", "is",
    "looking", "me", "need", "of", "please", "some", "that", "the", "to", "want", "with",
];

/// The words of a question that a search looks for: those that say something, the first three.
fn words(query: &str) -> String {
    let is_filler = |word: &str| FILLERS.contains(&word.to_lowercase().as_str());
    let all = query.split(|c: char| c.is_whitespace() || ",.;:!?\"()".contains(c));
    // A star alone asks for everything.
    let all: Vec<_> = all.filter(|word| !word.is_empty() && *word != "*").collect();
    let telling = all.iter().copied().filter(|word| !is_filler(word) && *word != "I");
    let telling: Vec<_> = telling.take(SEARCH_WORDS_MAX).collect();
    let kept = if telling.is_empty() { &all[..all.len().min(SEARCH_WORDS_MAX)] } else { &telling };
    kept.join(" ").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_searched_by_what_they_say() {
        assert_eq!(words("I want to buy a blue cotton shirt, please!"), "blue cotton shirt");
        assert_eq!(words("the"), "the");
        assert_eq!(words("  "), "");
        assert_eq!(words("*"), "", "everything");
    }
}
