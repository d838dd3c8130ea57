//! The columns of the format, and where a file has them.

use handel_domain::Currency;

use super::{read::Error, records::Record};

/// Declares the columns once, in the order in which they are written.
macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A column that means something here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Column {
            $($(#[$doc])* $name,)*
        }

        impl Column {
            pub(super) const ALL: &[Column] = &[$(Column::$name),*];

            /// The name in the header.
            pub(super) fn name(self) -> &'static str {
                match self { $(Column::$name => $text,)* }
            }
        }
    };
}

columns! {
    Handle = "Handle",
    Title = "Title",
    Body = "Body (HTML)",
    Vendor = "Vendor",
    ProductCategory = "Product Category",
    Type = "Type",
    Tags = "Tags",
    Published = "Published",
    Option1Name = "Option1 Name",
    Option1Value = "Option1 Value",
    Option2Name = "Option2 Name",
    Option2Value = "Option2 Value",
    Option3Name = "Option3 Name",
    Option3Value = "Option3 Value",
    Sku = "Variant SKU",
    Grams = "Variant Grams",
    Tracker = "Variant Inventory Tracker",
    Quantity = "Variant Inventory Qty",
    Policy = "Variant Inventory Policy",
    /// Written for other shops, never read.
    Fulfillment = "Variant Fulfillment Service",
    Price = "Variant Price",
    CompareAt = "Variant Compare At Price",
    RequiresShipping = "Variant Requires Shipping",
    Taxable = "Variant Taxable",
    Barcode = "Variant Barcode",
    ImageSrc = "Image Src",
    ImagePosition = "Image Position",
    ImageAlt = "Image Alt Text",
    GiftCard = "Gift Card",
    SeoTitle = "SEO Title",
    SeoDescription = "SEO Description",
    GoogleCategory = "Google Shopping / Google Product Category",
    /// Written for other shops, never read: `Variant Grams` is in grams whatever this says.
    WeightUnit = "Variant Weight Unit",
    Status = "Status",
    /// Ours: a tax class other than `standard` and `none`.
    TaxClass = "Tax Class",
    /// Ours: how many more than on hand may be sold under the policy `continue`.
    BackorderLimit = "Backorder Limit",
    /// Ours: paths of categories such as `Kitchen > Knives`, one on each line of the cell.
    Categories = "Categories",
    /// Ours: the typed attributes as JSON.
    Attributes = "Attributes",
}

pub(super) const OPTION_NAMES: [Column; 3] =
    [Column::Option1Name, Column::Option2Name, Column::Option3Name];
pub(super) const OPTION_VALUES: [Column; 3] =
    [Column::Option1Value, Column::Option2Value, Column::Option3Value];

const MANDATORY: [Column; 3] = [Column::Handle, Column::Title, Column::Price];

/// Columns of Shopify that mean nothing here and are not worth a warning.
const SILENT: [&str; 3] = ["Variant Image", "Variant Tax Code", "Cost per item"];
const SILENT_PREFIX: &str = "google shopping / ";

/// The header of the prices in a currency other than that of `Variant Price`.
pub(super) fn price_name(currency: Currency) -> String {
    format!("Price / {currency}")
}

/// The header of the prices to strike through, in a currency other than that of `Variant Price`.
pub(super) fn compare_at_name(currency: Currency) -> String {
    format!("Compare At Price / {currency}")
}

/// Where a file has the prices of one more currency.
#[derive(Clone, Copy, Debug)]
pub(super) struct PriceColumns {
    pub(super) currency: Currency,
    pub(super) price: usize,
    pub(super) compare_at: Option<usize>,
}

/// The header of a file.
#[derive(Debug)]
pub(super) struct Header {
    names: Vec<String>,
    positions: Vec<Option<usize>>,
    /// The currencies beside that of `Variant Price`.
    pub(super) other_prices: Vec<PriceColumns>,
    /// Columns that are not understood, in the order of the file.
    pub(super) ignored: Vec<String>,
}

impl Header {
    /// Reads the header; `currency` is that of `Variant Price`.
    pub(super) fn parse(record: &Record, currency: Currency) -> Result<Self, Error> {
        if record.is_oversized() {
            return Err(Error::HeaderTooLong);
        }
        let names: Vec<String> = record
            .cells()
            .map(|cell| String::from_utf8_lossy(cell).trim().replace(char::is_control, " "))
            .collect();
        let find = |name: &str| names.iter().position(|other| other.eq_ignore_ascii_case(name));
        let positions: Vec<_> = Column::ALL.iter().map(|column| find(column.name())).collect();
        let missing: Vec<_> = MANDATORY
            .into_iter()
            .filter(|column| positions[*column as usize].is_none())
            .map(Column::name)
            .collect();
        if !missing.is_empty() {
            return Err(Error::ColumnsMissing(missing));
        }
        let other_prices = other_prices(&names, currency);
        let ignored = ignored(&names, &positions, &other_prices);
        Ok(Self { names, positions, other_prices, ignored })
    }

    /// How many cells a row has.
    pub(super) fn width(&self) -> usize {
        self.names.len()
    }

    /// The name of a column as the file writes it.
    pub(super) fn name_at(&self, position: usize) -> Option<&str> {
        self.names.get(position).map(String::as_str)
    }

    /// Where the file has a column, if it has it.
    pub(super) fn position(&self, column: Column) -> Option<usize> {
        self.positions[column as usize]
    }
}

fn other_prices(names: &[String], main: Currency) -> Vec<PriceColumns> {
    let find = |name: &str| names.iter().position(|other| other.eq_ignore_ascii_case(name));
    let mut found: Vec<PriceColumns> = Vec::new();
    for (price, name) in names.iter().enumerate() {
        let Some((first, code)) = name.split_once('/') else { continue };
        let Ok(currency) = code.trim().to_ascii_uppercase().parse::<Currency>() else { continue };
        let is_new = currency != main && found.iter().all(|other| other.currency != currency);
        if first.trim().eq_ignore_ascii_case("price") && is_new {
            found.push(PriceColumns {
                currency,
                price,
                compare_at: find(&compare_at_name(currency)),
            });
        }
    }
    found
}

fn ignored(
    names: &[String],
    positions: &[Option<usize>],
    other_prices: &[PriceColumns],
) -> Vec<String> {
    let is_read = |at: usize| {
        let is_price =
            |columns: &PriceColumns| columns.price == at || columns.compare_at == Some(at);
        positions.contains(&Some(at)) || other_prices.iter().any(is_price)
    };
    let is_silent = |name: &str| {
        name.is_empty()
            || SILENT.iter().any(|silent| silent.eq_ignore_ascii_case(name))
            || name.to_ascii_lowercase().starts_with(SILENT_PREFIX)
    };
    let unread = names.iter().enumerate().filter(|(at, name)| !is_read(*at) && !is_silent(name));
    unread.map(|(_, name)| name.clone()).collect()
}
