//! Products as programs see them.

use handel_domain::{
    Currency,
    catalog::{Product as Stored, Variant as StoredVariant},
    id::VariantId,
};
use handel_engine::{ProductView, Supply, VariantAvailability};

use super::basket::{absolute, title};

/// A product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) handle: String,
    pub(crate) title: String,
    /// The description without markup; never empty.
    pub(crate) plain: String,
    /// The description as the merchant wrote it.
    pub(crate) html: Option<String>,
    pub(crate) url: String,
    pub(crate) categories: Vec<String>,
    pub(crate) currency: String,
    /// Addresses of pictures, with what they show.
    pub(crate) media: Vec<(String, String)>,
    pub(crate) options: Vec<ProductOption>,
    /// What the answer is narrowed to; none where nobody asked for it.
    pub(crate) selected: Option<Vec<(String, String)>>,
    /// At least one; the featured one first.
    pub(crate) variants: Vec<Variant>,
    pub(crate) tags: Vec<String>,
    /// The lowest and highest price of all variants, also of those that are not shown, in minor units.
    pub(crate) price_range: (i64, i64),
    /// The same of the prices to strike through.
    pub(crate) list_price_range: Option<(i64, i64)>,
}

/// What variants differ in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProductOption {
    pub(crate) name: String,
    pub(crate) values: Vec<OptionValue>,
}

/// A value of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OptionValue {
    pub(crate) label: String,
    /// Whether there is a variant with it beside what is selected, and whether it can be bought.
    pub(crate) signals: Option<Signals>,
}

/// What is known of a value beside what is selected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signals {
    pub(crate) exists: bool,
    pub(crate) is_available: bool,
}

/// What can be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) id: String,
    pub(crate) sku: String,
    pub(crate) title: String,
    pub(crate) barcode: Option<(&'static str, String)>,
    /// In minor units.
    pub(crate) price_minor: i64,
    pub(crate) list_price_minor: Option<i64>,
    pub(crate) supply: Supply,
    /// Names and values of options.
    pub(crate) options: Vec<(String, String)>,
    /// The names by which it was asked for, and how they fit.
    pub(crate) inputs: Vec<(String, &'static str)>,
}

/// Whether something can be bought, in the words of the protocol.
pub(crate) fn supply_text(supply: Supply) -> &'static str {
    match supply {
        Supply::InStock => "in_stock",
        Supply::OnOrder => "backorder",
        Supply::SoldOut => "out_of_stock",
    }
}

impl Product {
    /// A product with all its variants that have a price; none where there is no such variant.
    pub(crate) fn new(view: &ProductView, public_url: &str) -> Option<Self> {
        let currency = view.channel.settings.currency;
        let product = &view.product;
        let variants = product.variants.iter().zip(&view.availability);
        let variants: Vec<_> = variants
            .filter_map(|(variant, stock)| Variant::new(product, variant, *stock, currency))
            .collect();
        let price_range = range(variants.iter().map(|variant| variant.price_minor))?;
        let plain = plain(&product.description_html);
        Some(Self {
            id: product.id.to_string(),
            handle: product.slug.to_string(),
            title: product.title.clone(),
            plain: if plain.is_empty() { product.title.clone() } else { plain },
            html: Some(product.description_html.clone()).filter(|html| !html.trim().is_empty()),
            url: format!("{public_url}/products/{}", product.slug),
            categories: view.categories.iter().map(|category| category.slug.to_string()).collect(),
            currency: currency.to_string(),
            media: product
                .media
                .iter()
                .map(|media| (absolute(&media.url, public_url), media.alt.clone()))
                .collect(),
            options: product
                .options
                .iter()
                .map(|option| ProductOption {
                    name: option.name.clone(),
                    values: option
                        .values
                        .iter()
                        .map(|label| OptionValue { label: label.clone(), signals: None })
                        .collect(),
                })
                .collect(),
            selected: None,
            list_price_range: range(variants.iter().filter_map(|variant| variant.list_price_minor)),
            variants,
            tags: product.tags.clone(),
            price_range,
        })
    }

    /// Puts what can be bought first, and of that what the merchant shows first.
    pub(crate) fn feature_available(&mut self) {
        self.variants.sort_by_key(|variant| !variant.supply.can_be_bought());
    }

    /// Puts a variant first.
    pub(crate) fn feature(&mut self, id: VariantId) {
        let id = id.to_string();
        self.variants.sort_by_key(|variant| variant.id != id);
    }
}

impl Variant {
    fn new(
        product: &Stored,
        variant: &StoredVariant,
        stock: VariantAvailability,
        currency: Currency,
    ) -> Option<Self> {
        let price = variant.prices.iter().find(|price| price.currency == currency)?;
        let names = product.options.iter().map(|option| option.name.clone());
        let higher = |list: &i64| *list > price.amount_minor;
        Some(Self {
            id: variant.id.to_string(),
            sku: variant.sku.to_string(),
            title: title(&product.title, &variant.title),
            barcode: variant.barcode.clone().map(|code| (standard(&code), code)),
            price_minor: price.amount_minor,
            list_price_minor: price.compare_at_minor.filter(higher),
            supply: stock.supply,
            options: names.zip(variant.option_values.iter().cloned()).collect(),
            inputs: Vec::new(),
        })
    }
}

fn standard(code: &str) -> &'static str {
    match code.len() {
        12 => "UPC",
        8 | 13 => "EAN",
        _ => "GTIN",
    }
}

fn range(amounts: impl Iterator<Item = i64> + Clone) -> Option<(i64, i64)> {
    Some((amounts.clone().min()?, amounts.max()?))
}

/// The largest plain text, in characters.
const PLAIN_MAX: usize = 5_000;

/// The text of a piece of HTML, for programs that show none. What is left is never markup again, because every `<`
/// begins a tag and goes.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = after.split_once('>').map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    for (entity, c) in [
        ("&nbsp;", " "),
        ("&lt;", "‹"),
        ("&gt;", "›"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, c);
    }
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(PLAIN_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_lose_their_markup() {
        assert_eq!(plain("<p>Soft &amp; warm.</p><p>Washable</p>"), "Soft & warm. Washable");
        assert_eq!(plain("a <script>x</script"), "a x");
        assert_eq!(plain("&lt;script&gt;"), "‹script›");
        assert_eq!(plain("5 < 6"), "5");
    }
}
