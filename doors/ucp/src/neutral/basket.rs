//! Lines of carts, checkouts and orders.

use handel_domain::{
    Refusal,
    checkout::{LineProblem, Quote, QuotedLine},
    order::Order,
};

use super::{
    Message,
    message::path,
    totals::{self, Sums, Total},
};

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) item: Item,
    pub(crate) quantity: i64,
    pub(crate) totals: Vec<Total>,
}

/// What is on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// The variant.
    pub(crate) id: String,
    pub(crate) title: String,
    /// The price of one, in minor units.
    pub(crate) price_minor: i64,
    pub(crate) image_url: Option<String>,
}

/// Lines with what they cost together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Goods {
    pub(crate) lines: Vec<Line>,
    pub(crate) totals: Vec<Total>,
}

impl Goods {
    /// What is not ordered yet, at the prices of this moment.
    pub(crate) fn of_quote(
        quote: &Quote,
        has_shipping: bool,
        public_url: &str,
    ) -> Result<Self, Refusal> {
        let lines = quote.lines.iter().map(|line| {
            let offer = line.offer.as_ref();
            let price_minor = offer.and_then(|offer| offer.unit_price_minor);
            Ok(Line {
                id: line.line.id.to_string(),
                item: Item {
                    id: line.line.variant_id.to_string(),
                    title: offer.map_or_else(
                        || "No longer for sale".to_owned(),
                        |offer| title(&offer.title, &offer.variant_title),
                    ),
                    price_minor: price_minor.unwrap_or(0),
                    image_url: offer
                        .and_then(|offer| offer.image_url.as_deref())
                        .map(|url| absolute(url, public_url)),
                },
                quantity: line.line.quantity,
                totals: totals::of_line(&line.totals)?,
            })
        });
        let sums = Sums {
            lines: quote.lines.iter().map(|line| &line.totals).collect(),
            shipping: has_shipping.then_some(&quote.totals.shipping),
            tax_minor: quote.totals.tax_minor,
            total_minor: quote.totals.total_minor,
            prices_include_tax: quote.totals.prices_include_tax,
        };
        Ok(Self { lines: lines.collect::<Result<_, _>>()?, totals: sums.rows()? })
    }

    /// What was ordered, at the prices of then.
    pub(crate) fn of_order(order: &Order, public_url: &str) -> Result<Self, Refusal> {
        let lines = order.lines.iter().map(|line| {
            Ok(Line {
                id: line.id.to_string(),
                item: Item {
                    id: line.variant_id.to_string(),
                    title: title(&line.title, &line.variant_title),
                    price_minor: line.unit_price_minor,
                    image_url: line.image_url.as_deref().map(|url| absolute(url, public_url)),
                },
                quantity: line.ordered,
                totals: totals::of_line(&line.totals)?,
            })
        });
        let sums = Sums {
            lines: order.lines.iter().map(|line| &line.totals).collect(),
            shipping: order.shipping_method.is_some().then_some(&order.shipping),
            tax_minor: order.tax_minor,
            total_minor: order.total_minor,
            prices_include_tax: order.prices_include_tax,
        };
        Ok(Self { lines: lines.collect::<Result<_, _>>()?, totals: sums.rows()? })
    }
}

impl Goods {
    /// The lines in the order in which they are shown.
    pub(crate) fn line_ids(&self) -> Vec<String> {
        self.lines.iter().map(|line| line.id.clone()).collect()
    }
}

/// The product, and what tells the variant from the others where there are others.
pub(crate) fn title(product: &str, variant: &str) -> String {
    match variant {
        "" | "Default" => product.to_owned(),
        variant => format!("{product} – {variant}"),
    }
}

/// Pictures of the shop itself are stored without its address, which may change.
pub(crate) fn absolute(url: &str, public_url: &str) -> String {
    if url.starts_with('/') { format!("{public_url}{url}") } else { url.to_owned() }
}

/// What is wrong with the lines.
pub(crate) fn problems(quote: &Quote) -> Vec<Message> {
    let lines = quote.lines.iter().enumerate();
    lines
        .flat_map(|(at, line)| {
            line.problems.iter().map(move |problem| of_problem(*problem, line).at(path::line(at)))
        })
        .collect()
}

fn of_problem(problem: LineProblem, line: &QuotedLine) -> Message {
    let text = problem.text(line.line.quantity);
    match problem {
        LineProblem::NotForSale => Message::repairable("item_unavailable", text),
        LineProblem::StockShort { .. } => Message::repairable("out_of_stock", text),
        LineProblem::PriceChanged { .. } => Message::warning("price_changed", text),
    }
}
