//! What the buyer says.

use anyhow::Result;
use handel_domain::{Currency, Money};
use serde_json::Value;

use crate::console;

/// Numbers the steps and prints what happens in them.
#[derive(Default)]
pub struct Transcript {
    step: usize,
}

impl Transcript {
    /// Begins a step.
    pub fn step(&mut self, title: &str) -> Result<()> {
        self.step += 1;
        console::line(&format!("\n{:>2}. {title}", self.step))
    }

    /// Something that was seen.
    pub fn see(&self, text: &str) -> Result<()> {
        console::line(&format!("    {text}"))
    }

    /// The totals of a cart, checkout or order.
    pub fn totals(&self, basket: &Value) -> Result<()> {
        for line in basket["lines"].as_array().into_iter().flatten() {
            let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
            let title = match text("variant_title").as_str() {
                "" | "Default" => text("title"),
                variant => format!("{}, {variant}", text("title")),
            };
            let amount = money(basket, line["subtotal_minor"].as_i64());
            self.see(&format!("{:>3} × {title:<52.52} {amount:>12}", line["quantity"]))?;
        }
        let inclusive = basket["prices_include_tax"].as_bool().unwrap_or_default();
        let rows = [
            ("shipping_minor", "shipping"),
            ("tax_minor", if inclusive { "tax, included" } else { "tax" }),
            ("total_minor", "total"),
        ];
        for (field, name) in rows {
            let amount = money(basket, basket[field].as_i64());
            self.see(&format!("{name:>58} {amount:>12}"))?;
        }
        Ok(())
    }
}

/// An amount in the currency of what it belongs to.
pub fn money(of: &Value, amount_minor: Option<i64>) -> String {
    let currency = of["currency"].as_str().and_then(|code| code.parse::<Currency>().ok());
    match (currency, amount_minor) {
        (Some(currency), Some(amount_minor)) => Money::new(amount_minor, currency).to_string(),
        _ => "?".to_owned(),
    }
}
