//! Sales channels: in which currency, language and countries a merchant sells, and under which
//! rules.

use serde::{Deserialize, Serialize};

use crate::{
    address::{self, Address, Country, Part},
    id::ChannelId,
    money::Currency,
    policy::{self, Policy},
    refusal::{Code, FieldErrors, Refusal},
    shipping::ShippingMethod,
    tax::{Destination, TaxPolicy},
    text::{self, Slug},
    web_origin::WebOrigin,
};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// A sales channel as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Identity.
    pub id: ChannelId,
    /// The name that requests choose it by.
    pub code: Slug,
    /// Everything that the merchant may change.
    pub settings: Settings,
    /// Grows with every change.
    pub version: i64,
}

/// The channel that fits a buyer best of whom little is known: one with the currency, else one whose home is the
/// country, else one that names the country, else the first. Of those that fit alike, the first.
pub fn fitting(
    channels: &[Channel],
    country: Option<Country>,
    currency: Option<Currency>,
) -> Option<&Channel> {
    let fit = |settings: &Settings| {
        let has_currency = currency == Some(settings.currency);
        let is_home = country == Some(settings.default_country);
        let is_named = country.is_some_and(|country| settings.countries.contains(&country));
        (has_currency, is_home, is_named)
    };
    // The last of the greatest wins, so the first comes last.
    channels.iter().rev().max_by_key(|channel| fit(&channel.settings))
}

/// What a merchant sets for a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What staff read.
    pub name: String,
    /// The currency that everything in the channel is sold in.
    pub currency: Currency,
    /// The language of the channel as a BCP 47 tag, such as `en-US`.
    pub locale: String,
    /// The countries that the channel sells to; empty for all.
    #[serde(default)]
    pub countries: Vec<Country>,
    /// The country that totals assume until the buyer gives an address.
    pub default_country: Country,
    /// How tax is charged.
    pub tax: TaxPolicy,
    /// How goods are sent.
    #[serde(default)]
    pub shipping_methods: Vec<ShippingMethod>,
    /// How long a cart lives after its last change, in milliseconds.
    #[serde(default = "default_cart_ttl_ms")]
    pub cart_ttl_ms: i64,
    /// How long a checkout lives after its last change, in milliseconds.
    #[serde(default = "default_checkout_ttl_ms")]
    pub checkout_ttl_ms: i64,
    /// How long a placed order keeps its stock while it waits for money, in milliseconds.
    #[serde(default = "default_reservation_ms")]
    pub reservation_ms: i64,
    /// How long an open checkout holds its stock before the order is placed, in milliseconds; 0
    /// holds nothing, so that nobody can empty the shelves without buying.
    #[serde(default)]
    pub hold_ms: i64,
    /// Most lines of a cart.
    #[serde(default = "default_cart_lines_max")]
    pub cart_lines_max: u32,
    /// Most units of one line.
    #[serde(default = "default_line_quantity_max")]
    pub line_quantity_max: u32,
    /// What shoppers may rely on, such as returns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
    /// The web pages that may call the storefront interface from a browser; none may if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cors_origins: Vec<WebOrigin>,
}

fn default_cart_ttl_ms() -> i64 {
    30 * DAY_MS
}

fn default_checkout_ttl_ms() -> i64 {
    DAY_MS / 4
}

fn default_reservation_ms() -> i64 {
    15 * MINUTE_MS
}

fn default_cart_lines_max() -> u32 {
    200
}

fn default_line_quantity_max() -> u32 {
    999
}

/// Most origins of a channel.
const CORS_ORIGINS_MAX: usize = 50;
/// Most tax rates or shipping methods of a channel.
const RATES_MAX: usize = 1_000;

impl Settings {
    /// Checks what a merchant sent.
    pub fn checked(mut self) -> Result<Self, Refusal> {
        let mut errors = FieldErrors::default();
        self.name =
            errors.take(text::line("/name", &self.name, text::NAME_MAX)).unwrap_or_default();
        let locale_shaped = (2..=35).contains(&self.locale.len())
            && self.locale.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        errors.check(locale_shaped, "/locale", "must be a BCP 47 language tag such as en-US");
        errors.check(
            self.sells_to(self.default_country),
            "/default_country",
            "must be one of the channel's countries",
        );
        self.check_tax(&mut errors);
        self.check_shipping(&mut errors);
        self.check_limits(&mut errors);
        policy::check(&mut self.policies, &mut errors);
        self.check_cors_origins(&mut errors);
        errors.finish()?;
        Ok(self)
    }

    fn check_tax(&mut self, errors: &mut FieldErrors) {
        errors.check(self.tax.rates.len() <= RATES_MAX, "/tax/rates", "must not be more than 1000");
        for (at, rate) in self.tax.rates.iter_mut().enumerate() {
            let typed = rate.region.take().filter(|region| !region.trim().is_empty());
            rate.region = typed.and_then(|typed| {
                let code = rate.country.region(&typed).map(|region| region.code.to_owned());
                let problem = || rate.country.unknown_region(&typed);
                let pointer = format!("/tax/rates/{at}/region");
                errors.take(code.ok_or_else(|| Refusal::field(pointer, problem())))
            });
            let class = errors.take(text::line(&format!("/tax/rates/{at}/class"), &rate.class, 50));
            rate.class = class.unwrap_or_default();
            errors.check(
                rate.rate_millionths.millionths() <= 1_000_000,
                format!("/tax/rates/{at}/rate_millionths"),
                "must not be above 1000000 (100 %)",
            );
        }
    }

    fn check_shipping(&mut self, errors: &mut FieldErrors) {
        errors.check(
            self.shipping_methods.len() <= RATES_MAX,
            "/shipping_methods",
            "must not be more than 1000",
        );
        for (at, method) in self.shipping_methods.iter_mut().enumerate() {
            let pointer = format!("/shipping_methods/{at}");
            method.name = errors
                .take(text::line(&format!("{pointer}/name"), &method.name, text::NAME_MAX))
                .unwrap_or_default();
            errors.check(
                (0..=MINOR_MAX).contains(&method.amount_minor),
                format!("{pointer}/amount_minor"),
                "must be between 0 and 10^12",
            );
        }
        let codes: std::collections::BTreeSet<_> =
            self.shipping_methods.iter().map(|method| method.code.as_str()).collect();
        errors.check(
            codes.len() == self.shipping_methods.len(),
            "/shipping_methods",
            "must have codes of their own",
        );
    }

    fn check_limits(&self, errors: &mut FieldErrors) {
        let duration = |ms: i64, min: i64, max: i64| (min..=max).contains(&ms);
        errors.check(
            duration(self.cart_ttl_ms, MINUTE_MS, 366 * DAY_MS),
            "/cart_ttl_ms",
            "must be 1 minute to 366 days",
        );
        errors.check(
            duration(self.checkout_ttl_ms, MINUTE_MS, 30 * DAY_MS),
            "/checkout_ttl_ms",
            "must be 1 minute to 30 days",
        );
        errors.check(
            duration(self.reservation_ms, MINUTE_MS, 30 * DAY_MS),
            "/reservation_ms",
            "must be 1 minute to 30 days",
        );
        errors.check(duration(self.hold_ms, 0, DAY_MS), "/hold_ms", "must be 0 to 1 day");
        errors.check(
            (1..=1_000).contains(&self.cart_lines_max),
            "/cart_lines_max",
            "must be 1 to 1000",
        );
        errors.check(
            (1..=100_000).contains(&self.line_quantity_max),
            "/line_quantity_max",
            "must be 1 to 100000",
        );
    }

    fn check_cors_origins(&mut self, errors: &mut FieldErrors) {
        errors.check(
            self.cors_origins.len() <= CORS_ORIGINS_MAX,
            "/cors_origins",
            format!("must not be more than {CORS_ORIGINS_MAX}"),
        );
        for (at, origin) in self.cors_origins.iter_mut().enumerate() {
            let parsed = WebOrigin::parse(&format!("/cors_origins/{at}"), &origin.to_string());
            if let Some(parsed) = errors.take(parsed) {
                *origin = parsed;
            }
        }
    }

    /// Whether pages of an origin may call the storefront interface from a browser.
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.cors_origins.iter().any(|allowed| allowed.covers(origin))
    }

    /// Whether the channel sells to a country.
    pub fn sells_to(&self, country: Country) -> bool {
        self.countries.is_empty() || self.countries.contains(&country)
    }

    /// Where tax is due: at the shipping address, else at the billing address, else at home.
    pub fn destination(
        &self,
        shipping: Option<&Address>,
        billing: Option<&Address>,
    ) -> Destination {
        match shipping.or(billing) {
            Some(address) => {
                // Addresses that were stored before regions had codes are read as they are.
                let code = |typed: &String| match address.country.region(typed) {
                    Some(region) => region.code.to_owned(),
                    None => typed.clone(),
                };
                let region = address.region.as_ref().map(code);
                Destination { country: address.country, region }
            }
            None => Destination { country: self.default_country, region: None },
        }
    }

    /// Refuses an address whose region is not known, or another one than that of its postal code, where the tax of the
    /// channel depends on it. A whole address needs one there; `pointer` names the address.
    pub fn check_region(
        &self,
        address: &Address,
        pointer: &str,
        is_whole: bool,
    ) -> Result<(), Refusal> {
        let country = address.country;
        if !self.tax.depends_on_region(country) {
            return Ok(());
        }
        let refuse = |why| Err(Refusal::field(format!("{pointer}/region"), why));
        let Some(typed) = &address.region else {
            return if is_whole { refuse(country.missing_region()) } else { Ok(()) };
        };
        let Some(region) = country.region(typed) else {
            return refuse(country.unknown_region(typed));
        };
        let code = address.postal_code.as_deref().unwrap_or_default();
        match address::contradiction(country, region.code, code) {
            Some(there) => refuse(format!(
                "is {}, but the {} {code} is in {there}; correct one of them",
                region.name,
                country.label(Part::PostalCode),
            )),
            None => Ok(()),
        }
    }

    /// The methods that go to a country, cheapest first.
    pub fn shipping_methods_to(&self, country: Country) -> Vec<&ShippingMethod> {
        let mut methods: Vec<_> =
            self.shipping_methods.iter().filter(|method| method.serves(country)).collect();
        methods.sort_by_key(|method| method.amount_minor);
        methods
    }

    /// The method of that code, if it goes to the country.
    pub fn shipping_method(
        &self,
        code: &Slug,
        country: Country,
    ) -> Result<&ShippingMethod, Refusal> {
        let method = self
            .shipping_methods
            .iter()
            .find(|method| method.code == *code && method.serves(country));
        method.ok_or_else(|| {
            Refusal::new(
                Code::ShippingMethodUnknown,
                format!("no shipping method {code} goes to {}", country.in_sentence()),
            )
        })
    }
}

/// Largest price, in minor units. Sums of it over a full cart stay far inside 64 bits.
pub const MINOR_MAX: i64 = 1_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::settings;

    fn channel(code: &str, currency: &str, home: &str, countries: &[&str]) -> Channel {
        let country = |code: &str| code.parse().expect("a country");
        let settings = Settings {
            currency: currency.parse().expect("a currency"),
            default_country: country(home),
            countries: countries.iter().map(|code| country(code)).collect(),
            ..settings()
        };
        let code = code.parse().expect("a slug");
        Channel { id: ChannelId::from_u128(1), code, settings, version: 1 }
    }

    #[test]
    fn the_channel_that_fits_a_buyer_best_is_found() {
        let channels = [
            channel("own", "EUR", "DE", &[]),
            channel("swiss", "CHF", "CH", &["CH", "LI"]),
            channel("south", "EUR", "IT", &["IT", "CH"]),
            channel("us", "USD", "US", &["US"]),
        ];
        let found = |country: Option<&str>, currency: Option<&str>| {
            let country = country.map(|code| code.parse().expect("a country"));
            let currency = currency.map(|code| code.parse().expect("a currency"));
            fitting(&channels, country, currency).map(|channel| channel.code.as_str())
        };
        for (country, currency, expected) in [
            (None, None, "own"),
            (None, Some("EUR"), "own"),
            (None, Some("USD"), "us"),
            (Some("CH"), None, "swiss"),
            (Some("LI"), None, "swiss"),
            (Some("CH"), Some("EUR"), "south"),
            (Some("US"), Some("EUR"), "own"),
            (Some("FR"), Some("GBP"), "own"),
        ] {
            assert_eq!(found(country, currency), Some(expected), "{country:?} {currency:?}");
        }
        assert_eq!(fitting(&[], None, None), None);
    }
}
