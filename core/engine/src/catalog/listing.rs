//! Product lists: filtered, sorted, and read page by page from where the last one ended.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use handel_domain::{
    Currency, Refusal,
    id::{CategoryId, ProductId},
    text::Slug,
};
use handel_ports::CacheKey;
use handel_store::{Bound, Row, Statement, StoreError, Transaction, Value, statements, values};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{category, sql};
use crate::{Context, Engine, Error, Page, channel::Which, page::LIMIT_MAX, stock};

/// The part that all list statements share: the filters.
macro_rules! list_statement {
    ($name:ident, $select:expr, $order:expr) => {
        statements! {
            $name = text concat!(
                $select,
                "
           and l.price_max_minor >= $6 and l.price_min_minor <= $7
           and (l.price_min_minor >= $6 or exists (
                select 1 from variants v join prices p on p.tenant_id = v.tenant_id and p.variant_id = v.id
                 where v.tenant_id = l.tenant_id and v.product_id = l.product_id and not v.deleted
                   and p.currency = l.currency and p.amount_minor >= $6 and p.amount_minor <= $7))
           and ($8 = '' or l.search_text like $8 escape '\\') and ($9 = '' or l.search_text like $9 escape '\\')
           and ($10 = '' or l.search_text like $10 escape '\\')
           and ($11 = '' or exists (select 1 from product_attributes a where a.tenant_id = l.tenant_id
                and a.product_id = l.product_id and a.name = $11 and a.value = $12))
           and ($13 = '' or exists (select 1 from product_attributes a where a.tenant_id = l.tenant_id
                and a.product_id = l.product_id and a.name = $13 and a.value = $14))
           and ($15 = '' or exists (select 1 from product_attributes a where a.tenant_id = l.tenant_id
                and a.product_id = l.product_id and a.name = $15 and a.value = $16))
           and (not $17 or exists (
                select 1 from variants v left join stock_levels s
                       on s.tenant_id = v.tenant_id and s.variant_id = v.id
                 where v.tenant_id = l.tenant_id and v.product_id = l.product_id and not v.deleted
                   and (not v.tracked or (s.variant_id is not null and (s.backorder_limit is null
                        or s.on_hand - s.allocated - s.held - s.safety + s.backorder_limit > 0)))))
           and (not $18 or exists (select 1 from listings c where c.tenant_id = l.tenant_id
                and c.currency = l.currency and c.product_id = l.product_id and c.category_id in list($19)))",
                $order
            );
        }
    };
}

list_statement!(
    BY_NEWEST,
    "
        select l.product_id, l.price_min_minor, l.price_max_minor, l.title_key, l.listed_at
          from listings l
         where l.tenant_id = $1 and l.currency = $2 and l.category_id = $3
           and (l.listed_at, l.product_id) < ($4, $5)",
    "
         order by l.listed_at desc, l.product_id desc limit $20"
);
list_statement!(
    BY_PRICE,
    "
        select l.product_id, l.price_min_minor, l.price_max_minor, l.title_key, l.listed_at, l.price_min_minor
          from listings l
         where l.tenant_id = $1 and l.currency = $2 and l.category_id = $3
           and (l.price_min_minor, l.product_id) > ($4, $5)",
    "
         order by l.price_min_minor, l.product_id limit $20"
);
list_statement!(
    BY_PRICE_DOWN,
    "
        select l.product_id, l.price_min_minor, l.price_max_minor, l.title_key, l.listed_at, l.price_min_minor
          from listings l
         where l.tenant_id = $1 and l.currency = $2 and l.category_id = $3
           and (l.price_min_minor, l.product_id) < ($4, $5)",
    "
         order by l.price_min_minor desc, l.product_id desc limit $20"
);
/// A list by the price of the cheapest variant that matches the filter.
macro_rules! matching_price_statement {
    ($name:ident, $after:literal, $direction:literal) => {
        list_statement!(
            $name,
            concat!(
                "
        select l.product_id, l.price_min_minor, l.price_max_minor, l.title_key, l.listed_at, l.matching_min_minor
          from (select a.tenant_id, a.currency, a.category_id, a.product_id, a.price_min_minor, a.price_max_minor,
                       a.title_key, a.listed_at, a.search_text,
                       case when a.price_min_minor >= $6 then a.price_min_minor else (
                            select min(p.amount_minor)
                              from variants v join prices p on p.tenant_id = v.tenant_id and p.variant_id = v.id
                             where v.tenant_id = a.tenant_id and v.product_id = a.product_id and not v.deleted
                               and p.currency = a.currency and p.amount_minor >= $6 and p.amount_minor <= $7)
                       end as matching_min_minor
                  from listings a
                 where a.tenant_id = $1 and a.currency = $2 and a.category_id = $3
                   and a.price_max_minor >= $6 and a.price_min_minor <= $7) l
         where l.tenant_id = $1 and (l.matching_min_minor, l.product_id) ",
                $after,
                " ($4, $5)"
            ),
            concat!(
                "
         order by l.matching_min_minor ",
                $direction,
                ", l.product_id ",
                $direction,
                " limit $20"
            )
        );
    };
}

matching_price_statement!(BY_MATCHING_PRICE, ">", "asc");
matching_price_statement!(BY_MATCHING_PRICE_DOWN, "<", "desc");
list_statement!(
    BY_TITLE,
    "
        select l.product_id, l.price_min_minor, l.price_max_minor, l.title_key, l.listed_at
          from listings l
         where l.tenant_id = $1 and l.currency = $2 and l.category_id = $3
           and (l.title_key, l.product_id) > ($4, $5)",
    "
         order by l.title_key, l.product_id limit $20"
);

/// Most words that a search looks for.
pub const SEARCH_WORDS_MAX: usize = 3;
/// Most categories of which a list shows what is in any.
pub const LIST_CATEGORIES_MAX: usize = 10;
/// Most attributes that a list is filtered by.
const ATTRIBUTES_MAX: usize = 3;

/// In which order products are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductSort {
    /// The newest first.
    #[default]
    Newest,
    /// The cheapest first.
    Price,
    /// The dearest first.
    PriceDown,
    /// By title, A first.
    Title,
}

/// A range of prices in minor units, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PriceFilter {
    /// The lowest.
    pub min_minor: Option<i64>,
    /// The highest.
    pub max_minor: Option<i64>,
}

impl PriceFilter {
    fn is_set(&self) -> bool {
        *self != Self::default()
    }

    fn range(&self) -> std::ops::RangeInclusive<i64> {
        self.min_minor.unwrap_or(0)..=self.max_minor.unwrap_or(i64::MAX)
    }
}

/// Which products, in which order, from where on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProducts {
    /// Only those in one of these categories or below it; at most ten. One that does not exist holds nothing.
    pub categories: Vec<Slug>,
    /// Only those of which a variant has a price in this range. Sorted by price, it is the cheapest of these that counts.
    pub price: PriceFilter,
    /// Only those with these attribute values, as name and value; at most three.
    pub attributes: Vec<(String, String)>,
    /// Only those that can be bought now.
    pub in_stock: bool,
    /// Only those whose title, vendor, type, tags or SKUs hold these words; at most three count.
    pub query: String,
    /// In which order.
    pub sort: ProductSort,
    /// How many at most; 1 to 100.
    pub limit: u32,
    /// Where the last page ended.
    #[serde(skip)]
    pub cursor: Option<String>,
}

/// A product in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductSummary {
    /// Identity.
    pub id: ProductId,
    /// The name on the web.
    pub slug: Slug,
    /// What shoppers read.
    pub title: String,
    /// Who makes it.
    pub vendor: String,
    /// The first picture.
    pub image_url: Option<String>,
    /// Its text for those who cannot see it.
    pub image_alt: String,
    /// The currency of the prices.
    pub currency: Currency,
    /// The lowest price of a variant, in minor units.
    pub price_min_minor: i64,
    /// The highest price of a variant, in minor units.
    pub price_max_minor: i64,
    /// The lowest price of a variant in the range that was asked for, in minor units; none where none was asked for.
    #[serde(default)]
    pub matching_min_minor: Option<i64>,
    /// The highest price in that range, likewise.
    #[serde(default)]
    pub matching_max_minor: Option<i64>,
    /// The price to strike through, in minor units, of the cheapest variant that has one.
    pub compare_at_minor: Option<i64>,
    /// Whether at least one variant can be bought now.
    pub in_stock: bool,
    /// How many variants it has.
    pub variants: usize,
}

impl Engine {
    /// A page of products of a channel.
    ///
    /// Pages are cached for a short time; a change of the catalog makes this process forget them at once.
    pub async fn list_products(
        &self,
        ctx: &Context,
        list: ListProducts,
    ) -> Result<Page<ProductSummary>, Error> {
        check(&list)?;
        let channel = self.get_channel(ctx).await?;
        let name =
            serde_json::to_string(&list).map_err(|error| Error::internal(error.to_string()))?;
        let list_id = format!("{}\n{name}", channel.id);
        let after = list
            .cursor
            .as_deref()
            .map(|cursor| self.0.signer.read_cursor(&list_id, cursor))
            .transpose()?;
        let key = CacheKey {
            tenant_id: ctx.tenant_id,
            channel_id: channel.id,
            currency: channel.settings.currency,
            locale: channel.settings.locale.clone(),
            epoch: self.0.epoch.load(Ordering::Acquire),
            query: format!("{list_id}\n{}", after.as_deref().unwrap_or_default()),
        };
        if let Some(page) =
            self.0.cache.get(&key).and_then(|answer| serde_json::from_slice(&answer).ok())
        {
            return Ok(page);
        }
        let page = self.read_page(ctx, list, &list_id, after).await?;
        if let Ok(answer) = serde_json::to_vec(&page) {
            self.0.cache.put(key, Bytes::from(answer));
        }
        Ok(page)
    }

    /// Makes this process forget the lists that it has cached.
    pub(crate) fn forget_lists(&self) {
        self.0.epoch.fetch_add(1, Ordering::AcqRel);
    }

    async fn read_page(
        &self,
        ctx: &Context,
        list: ListProducts,
        list_id: &str,
        after: Option<String>,
    ) -> Result<Page<ProductSummary>, Error> {
        let (engine, context, limit) = (self.clone(), ctx.clone(), list.limit as usize);
        let (mut items, position) = self
            .database()
            .read(async move |tx: &mut Transaction<'_>| {
                let channel = engine.channel(tx, context.tenant_id, Which::from(&context)).await?;
                let categories =
                    category::ids_by_slug(tx, context.tenant_id, &list.categories).await?;
                let currency = channel.settings.currency;
                let rows = tx
                    .rows(statement(&list, &context, currency, &categories, after.as_deref())?)
                    .await?;
                let position = rows.get(limit.saturating_sub(1)).filter(|_| rows.len() > limit);
                let position = position.map(|row| read_position(row, list.sort)).transpose()?;
                let items = summaries(
                    &engine,
                    tx,
                    &context,
                    Prices { currency, filter: list.price },
                    &rows,
                )
                .await?;
                Ok::<_, Error>((items, position))
            })
            .await?;
        items.truncate(limit);
        let next_cursor = position.map(|position| self.0.signer.cursor(list_id, &position));
        Ok(Page { items, next_cursor })
    }
}

fn check(list: &ListProducts) -> Result<(), Refusal> {
    let mut errors = handel_domain::refusal::FieldErrors::default();
    errors.check(
        (1..=LIMIT_MAX).contains(&list.limit),
        "/limit",
        format!("must be 1 to {LIMIT_MAX}"),
    );
    errors.check(
        list.attributes.len() <= ATTRIBUTES_MAX,
        "/attributes",
        "must not be more than three",
    );
    errors.check(
        list.categories.len() <= LIST_CATEGORIES_MAX,
        "/categories",
        format!("must not be more than {LIST_CATEGORIES_MAX}"),
    );
    errors.check(list.query.chars().count() <= 200, "/q", "must not be longer than 200 characters");
    let range = list.price.range();
    errors.check(
        *range.start() >= 0 && !range.is_empty(),
        "/price",
        "must be a range of prices that are not negative",
    );
    errors.finish()
}

/// One more row than the page has, to see whether there is a next page.
fn statement(
    list: &ListProducts,
    ctx: &Context,
    currency: Currency,
    categories: &[CategoryId],
    after: Option<&str>,
) -> Result<Bound, Error> {
    let (statement, key, id): (&'static Statement, Value, String) = start(list, after)?;
    // A product is listed once in each category, and once in none, which stands for all of them.
    let (one, any) = match categories {
        [one] => (one.to_string(), &[][..]),
        any => (String::new(), any),
    };
    let mut bound = values![
        ctx.tenant_id,
        currency,
        one,
        key,
        id,
        *list.price.range().start(),
        *list.price.range().end(),
    ];
    bound.extend(search_patterns(&list.query).map(Value::from));
    for at in 0..ATTRIBUTES_MAX {
        let (name, value) = list.attributes.get(at).cloned().unwrap_or_default();
        bound.extend([Value::from(name), Value::from(value.to_lowercase())]);
    }
    let is_in_any: Value = any.iter().copied().collect();
    bound.extend([list.in_stock.into(), (!any.is_empty()).into(), is_in_any]);
    bound.push(Value::from(i64::from(list.limit) + 1));
    Ok(statement.bind(bound))
}

/// The patterns by which the words of a query are looked for; empty ones where it has fewer.
pub(super) fn search_patterns(query: &str) -> [String; SEARCH_WORDS_MAX] {
    let mut words = query.split_whitespace();
    std::array::from_fn(|_| match words.next() {
        Some(word) => format!("%{}%", plain(&word.to_lowercase())),
        None => String::new(),
    })
}

/// `like` takes `%` and `_` for wildcards; a shopper who types them means these characters.
fn plain(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for c in word.chars() {
        if matches!(c, '%' | '_' | '\\') {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

/// Where a page starts: after the key and id in which the last one ended.
fn start(
    list: &ListProducts,
    after: Option<&str>,
) -> Result<(&'static Statement, Value, String), Error> {
    let position = after
        .and_then(|after| after.rsplit_once('\n'))
        .map(|(key, id)| (key.to_owned(), id.to_owned()));
    let last = "\u{7f}".to_owned();
    let wrong = || Error::internal("a signed cursor holds no position");
    let number = |key: &str| key.parse::<i64>().map_err(|_| wrong());
    let (by_price, by_price_down) = match list.price.min_minor {
        Some(_) => (&BY_MATCHING_PRICE, &BY_MATCHING_PRICE_DOWN),
        None => (&BY_PRICE, &BY_PRICE_DOWN),
    };
    Ok(match (list.sort, position) {
        (ProductSort::Newest, None) => (&BY_NEWEST, FAR_FUTURE.into(), last),
        (ProductSort::Newest, Some((key, id))) => {
            (&BY_NEWEST, key.parse::<Timestamp>().map_err(|_| wrong())?.into(), id)
        }
        (ProductSort::Price, None) => (by_price, (-1i64).into(), String::new()),
        (ProductSort::Price, Some((key, id))) => (by_price, number(&key)?.into(), id),
        (ProductSort::PriceDown, None) => (by_price_down, i64::MAX.into(), last),
        (ProductSort::PriceDown, Some((key, id))) => (by_price_down, number(&key)?.into(), id),
        (ProductSort::Title, None) => (&BY_TITLE, "".into(), String::new()),
        (ProductSort::Title, Some((key, id))) => (&BY_TITLE, key.into(), id),
    })
}

/// The year 9000, after every product.
const FAR_FUTURE: Timestamp = Timestamp::constant(221_845_392_000, 0);

fn read_position(row: &Row, sort: ProductSort) -> Result<String, StoreError> {
    let key = match sort {
        ProductSort::Newest => row.get::<Timestamp>(4)?.to_string(),
        ProductSort::Price | ProductSort::PriceDown => row.get::<i64>(5)?.to_string(),
        ProductSort::Title => row.get::<String>(3)?,
    };
    Ok(format!("{key}\n{}", row.get::<String>(0)?))
}

/// Which prices a list shows.
#[derive(Clone, Copy)]
struct Prices {
    currency: Currency,
    filter: PriceFilter,
}

/// Fills in what a list shows of its products. Five statements in two round trips for a whole page.
async fn summaries(
    engine: &Engine,
    tx: &mut Transaction<'_>,
    ctx: &Context,
    prices: Prices,
    rows: &[Row],
) -> Result<Vec<ProductSummary>, Error> {
    let ids = rows.iter().map(|row| row.get::<ProductId>(0)).collect::<Result<Vec<_>, _>>()?;
    let products = sql::load(tx, ctx.tenant_id, ids.clone()).await?;
    let variants: Value =
        products.iter().flat_map(|product| &product.variants).map(|variant| variant.id).collect();
    let level_rows = tx.rows(stock::levels_of(ctx.tenant_id, variants)).await?;
    let levels =
        stock::read_levels(tx, ctx.tenant_id, &level_rows, None, engine.system().now()).await?;
    let available = super::available(&levels);
    let by_id: std::collections::HashMap<_, _> =
        products.into_iter().map(|product| (product.id, product)).collect();
    let mut summaries = Vec::with_capacity(rows.len());
    for (row, id) in rows.iter().zip(ids) {
        let Some(product) = by_id.get(&id) else { continue };
        let can_buy = |variant: &handel_domain::catalog::Variant| {
            !variant.tracked || available.get(&variant.id).is_some_and(|count| *count > 0)
        };
        let Prices { currency, filter } = prices;
        let matching = || {
            let all = product.variants.iter().flat_map(|variant| &variant.prices);
            all.filter(move |price| {
                price.currency == currency && filter.range().contains(&price.amount_minor)
            })
        };
        let amounts = || matching().map(|price| price.amount_minor).filter(|_| filter.is_set());
        let picture = product.media.first();
        summaries.push(ProductSummary {
            id,
            slug: product.slug.clone(),
            title: product.title.clone(),
            vendor: product.vendor.clone(),
            image_url: picture.map(|picture| picture.url.clone()),
            image_alt: picture.map(|picture| picture.alt.clone()).unwrap_or_default(),
            currency,
            price_min_minor: row.get(1)?,
            price_max_minor: row.get(2)?,
            matching_min_minor: amounts().min(),
            matching_max_minor: amounts().max(),
            compare_at_minor: matching().filter_map(|price| price.compare_at_minor).min(),
            in_stock: product.variants.iter().any(can_buy),
            variants: product.variants.len(),
        });
    }
    Ok(summaries)
}
