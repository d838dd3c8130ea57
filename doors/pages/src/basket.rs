//! Lines and sums as carts, checkouts and orders show them.

use handel_domain::{
    cart::CartLine,
    checkout::{LineProblem, Quote, QuotedLine},
    order::{Order, OrderLine},
    promotion::AppliedDiscount,
};

use crate::{catalog::initial, format::Format, words::ENGLISH};

/// A line.
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) title: String,
    /// Its page, where there is one.
    pub(crate) href: Option<String>,
    pub(crate) variant: String,
    pub(crate) image: Option<String>,
    /// Stands where there is no picture.
    pub(crate) initial: String,
    pub(crate) custom: Vec<(String, String)>,
    pub(crate) quantity: i64,
    pub(crate) unit: String,
    /// Unit price times quantity, where less is paid.
    pub(crate) struck: Option<String>,
    pub(crate) total: String,
    /// What is wrong with it.
    pub(crate) problems: Vec<String>,
    /// What became of it, in an order.
    pub(crate) notes: Vec<String>,
}

/// The sums below the lines.
pub(crate) struct Sums {
    pub(crate) rows: Vec<Sum>,
    pub(crate) total: String,
    /// What of the total is tax.
    pub(crate) tax_note: String,
    /// What the total does not have yet, shortly and as a sentence; empty if nothing is missing.
    pub(crate) plus: &'static str,
    pub(crate) follows: &'static str,
}

/// A sum.
pub(crate) struct Sum {
    pub(crate) label: String,
    pub(crate) amount: String,
    pub(crate) is_discount: bool,
}

impl Sum {
    fn new(label: impl Into<String>, amount: impl Into<String>) -> Self {
        Self { label: label.into(), amount: amount.into(), is_discount: false }
    }
}

/// What is known of shipping.
pub(crate) enum Shipping {
    /// Nothing is sent.
    None,
    /// It is chosen at the checkout.
    Later,
    /// It is not chosen yet, at the checkout.
    Open,
    /// It was chosen.
    Chosen(String),
}

/// The lines of a cart or checkout.
pub(crate) fn lines(quote: &Quote, format: &Format) -> Vec<Line> {
    quote.lines.iter().map(|quoted| line(quoted, format)).collect()
}

fn line(quoted: &QuotedLine, format: &Format) -> Line {
    let QuotedLine { line, offer, totals, problems } = quoted;
    let price = offer.as_ref().and_then(|offer| offer.unit_price_minor);
    let paid_minor = totals.subtotal_minor - totals.discount_minor;
    let offer = offer.as_ref();
    Line {
        id: line.id.to_string(),
        title: offer.map_or_else(|| ENGLISH.gone.to_owned(), |offer| offer.title.clone()),
        href: offer.map(|offer| format!("/products/{}", offer.slug)),
        variant: offer.map_or_else(String::new, |offer| variant(&offer.variant_title)),
        initial: offer.map_or_else(String::new, |offer| initial(&offer.title)),
        image: offer.and_then(|offer| offer.image_url.clone()),
        custom: custom(&line.custom),
        quantity: line.quantity,
        unit: price.map_or_else(String::new, |price| format.money(price)),
        struck: (totals.discount_minor > 0).then(|| format.money(totals.subtotal_minor)),
        total: if price.is_some() { format.money(paid_minor) } else { String::new() },
        problems: problems.iter().map(|problem| problem_text(*problem, line, format)).collect(),
        notes: Vec::new(),
    }
}

fn problem_text(problem: LineProblem, line: &CartLine, format: &Format) -> String {
    match problem {
        LineProblem::NotForSale => ENGLISH.no_longer_for_sale.to_owned(),
        LineProblem::StockShort { available } if available <= 0 => {
            ENGLISH.sold_out_meanwhile.to_owned()
        }
        LineProblem::StockShort { available } => ENGLISH.only_left_of(available, line.quantity),
        LineProblem::PriceChanged { before_minor } => {
            ENGLISH.price_changed(&format.money(before_minor))
        }
    }
}

/// Products with one variant call it so that nobody needs to read it.
fn variant(title: &str) -> String {
    match title {
        "Default" | "Default Title" => String::new(),
        title => title.to_owned(),
    }
}

fn custom(custom: &std::collections::HashMap<String, String>) -> Vec<(String, String)> {
    let mut pairs: Vec<_> =
        custom.iter().map(|(name, value)| (ENGLISH.capitalized(name), value.clone())).collect();
    pairs.sort();
    pairs
}

/// The sums of a cart or checkout.
pub(crate) fn sums(quote: &Quote, shipping: Shipping, format: &Format) -> Sums {
    let totals = &quote.totals;
    Figures {
        subtotal_minor: totals.subtotal_minor,
        discounts: discounts(&quote.discounts, format),
        shipping_minor: totals.shipping.subtotal_minor,
        tax_minor: totals.tax_minor,
        total_minor: totals.total_minor,
        prices_include_tax: totals.prices_include_tax,
    }
    .write(shipping, format)
}

fn discounts(discounts: &[AppliedDiscount], format: &Format) -> Vec<Sum> {
    let sum = |discount: &AppliedDiscount| {
        let label = match &discount.code {
            Some(code) => ENGLISH.discount_by_code(&discount.title, code),
            None => discount.title.clone(),
        };
        Sum { is_discount: true, ..Sum::new(label, format.money(-discount.amount_minor)) }
    };
    discounts.iter().map(sum).collect()
}

struct Figures {
    subtotal_minor: i64,
    discounts: Vec<Sum>,
    shipping_minor: i64,
    tax_minor: i64,
    total_minor: i64,
    prices_include_tax: bool,
}

impl Figures {
    fn write(self, shipping: Shipping, format: &Format) -> Sums {
        let mut rows = vec![Sum::new(ENGLISH.subtotal, format.money(self.subtotal_minor))];
        rows.extend(self.discounts);
        let is_open = matches!(shipping, Shipping::Open);
        match shipping {
            Shipping::None => {}
            Shipping::Later => rows.push(Sum::new(ENGLISH.shipping, ENGLISH.at_checkout)),
            Shipping::Open => rows.push(Sum::new(ENGLISH.shipping, ENGLISH.not_chosen)),
            Shipping::Chosen(name) => {
                let amount = match self.shipping_minor {
                    0 => ENGLISH.free.to_owned(),
                    amount => format.money(amount),
                };
                rows.push(Sum::new(ENGLISH.shipping_by(&name), amount));
            }
        }
        let has_tax = self.tax_minor != 0;
        if has_tax && !self.prices_include_tax {
            rows.push(Sum::new(ENGLISH.tax, format.money(self.tax_minor)));
        }
        let tax_note = match has_tax && self.prices_include_tax {
            true => ENGLISH.includes_tax(&format.money(self.tax_minor)),
            false => String::new(),
        };
        let (plus, follows) = match (is_open, self.prices_include_tax) {
            (false, _) => ("", ""),
            (true, true) => (ENGLISH.plus_shipping, ENGLISH.shipping_follows),
            (true, false) => (ENGLISH.plus_tax_and_shipping, ENGLISH.tax_and_shipping_follow),
        };
        Sums { rows, total: format.money(self.total_minor), tax_note, plus, follows }
    }
}

/// The lines of an order.
pub(crate) fn ordered_lines(order: &Order, format: &Format) -> Vec<Line> {
    order.lines.iter().map(|line| ordered_line(line, format)).collect()
}

fn ordered_line(line: &OrderLine, format: &Format) -> Line {
    let totals = &line.totals;
    let mut notes = Vec::new();
    for (count, text) in [
        (line.canceled, ENGLISH.n_canceled),
        (line.delivered, ENGLISH.n_delivered),
        (line.shipped - line.delivered, ENGLISH.n_shipped),
    ] {
        if count > 0 {
            notes.push(ENGLISH.of(text, count, line.ordered));
        }
    }
    Line {
        id: line.id.to_string(),
        title: line.title.clone(),
        href: None,
        variant: variant(&line.variant_title),
        initial: initial(&line.title),
        image: line.image_url.clone(),
        custom: custom(&line.custom),
        quantity: line.ordered,
        unit: format.money(line.unit_price_minor),
        struck: (totals.discount_minor > 0).then(|| format.money(totals.subtotal_minor)),
        total: format.money(totals.subtotal_minor - totals.discount_minor),
        problems: Vec::new(),
        notes,
    }
}

/// The sums of an order.
pub(crate) fn ordered_sums(order: &Order, format: &Format) -> Sums {
    let shipping = match &order.shipping_method {
        Some(method) => Shipping::Chosen(method.name.clone()),
        None => Shipping::None,
    };
    Figures {
        subtotal_minor: order.subtotal_minor,
        discounts: discounts(&order.discounts, format),
        shipping_minor: order.shipping.subtotal_minor,
        tax_minor: order.tax_minor,
        total_minor: order.total_minor,
        prices_include_tax: order.prices_include_tax,
    }
    .write(shipping, format)
}
