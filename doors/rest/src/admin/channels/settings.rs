//! The settings of a channel: one document, read as it is written.

use handel_domain::{
    Currency, Refusal,
    address::Country,
    channel::Settings,
    money::Rounding,
    policy::Policy,
    shipping::ShippingMethod,
    tax::{MissingRate, RoundPer, TaxPolicy, TaxRate},
    text::Slug,
    web_origin::WebOrigin,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::rate::{self, Percent};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The settings of a channel.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsBody {
    /// What staff read.
    #[schema(example = "Europe")]
    name: String,
    /// ISO 4217 code of the currency that everything in the channel is sold in. It never changes.
    #[schema(value_type = String, example = "EUR")]
    currency: Currency,
    /// The language as a BCP 47 tag.
    #[schema(example = "de-DE")]
    locale: String,
    /// ISO 3166-1 codes of the countries that the channel sells to; empty for all.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["DE", "AT"]))]
    countries: Vec<Country>,
    /// The country that totals assume until the buyer gives an address.
    #[schema(value_type = String, example = "DE")]
    default_country: Country,
    /// How tax is charged.
    tax: TaxBody,
    /// How goods are sent; at most 1000.
    #[serde(default)]
    shipping_methods: Vec<ShippingMethodBody>,
    /// How long a cart lives after its last change, in milliseconds: 1 minute to 366 days.
    #[serde(default = "cart_ttl_ms")]
    #[schema(default = cart_ttl_ms)]
    cart_ttl_ms: i64,
    /// How long a checkout lives after its last change, in milliseconds: 1 minute to 30 days.
    #[serde(default = "checkout_ttl_ms")]
    #[schema(default = checkout_ttl_ms)]
    checkout_ttl_ms: i64,
    /// How long an order keeps its stock while it waits for money, in milliseconds: 1 minute to 30 days.
    #[serde(default = "reservation_ms")]
    #[schema(default = reservation_ms)]
    reservation_ms: i64,
    /// How long a checkout holds stock before the order is placed, in milliseconds, up to 1 day; 0 holds
    /// nothing.
    #[serde(default)]
    hold_ms: i64,
    /// Most lines of a cart; 1 to 1000.
    #[serde(default = "cart_lines_max")]
    #[schema(default = cart_lines_max)]
    cart_lines_max: u32,
    /// Most units of one line; 1 to 100000.
    #[serde(default = "line_quantity_max")]
    #[schema(default = line_quantity_max)]
    line_quantity_max: u32,
    /// What shoppers may rely on, such as returns; at most 20.
    #[serde(default)]
    policies: Vec<PolicyBody>,
    /// Origins of the web pages that may call the storefront interface from a browser; `*` for any, at most 50.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["https://store.example"]))]
    cors_origins: Vec<String>,
}

fn cart_ttl_ms() -> i64 {
    30 * 24 * HOUR_MS
}

fn checkout_ttl_ms() -> i64 {
    6 * HOUR_MS
}

fn reservation_ms() -> i64 {
    15 * MINUTE_MS
}

fn cart_lines_max() -> u32 {
    200
}

fn line_quantity_max() -> u32 {
    999
}

/// How tax is charged.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaxBody {
    /// Whether prices contain the tax.
    prices_include_tax: bool,
    /// Which way a half goes; `half_even` if absent.
    #[serde(default = "half_even")]
    rounding: RoundingBody,
    /// What is rounded; `line` if absent.
    #[serde(default = "line")]
    round_per: RoundPerBody,
    /// What happens where no rate is configured; `zero` if absent.
    #[serde(default = "zero")]
    missing_rate: MissingRateBody,
    /// The rates; at most 1000.
    #[serde(default)]
    rates: Vec<TaxRateBody>,
}

fn half_even() -> RoundingBody {
    RoundingBody::HalfEven
}

fn line() -> RoundPerBody {
    RoundPerBody::Line
}

fn zero() -> MissingRateBody {
    MissingRateBody::Zero
}

wire_enum! {
    /// Which way a half goes.
    RoundingBody = Rounding {
        /// To the even neighbor, so that errors cancel out over many lines.
        HalfEven,
        /// Away from zero, as some tax offices demand.
        HalfUp,
    }
}

wire_enum! {
    /// What is rounded.
    RoundPerBody = RoundPer {
        /// The tax of the whole line, once.
        Line,
        /// The tax of one unit, times the quantity.
        Unit,
    }
}

wire_enum! {
    /// What happens where no rate is configured.
    MissingRateBody = MissingRate {
        /// The goods are sold without tax.
        Zero,
        /// The sale is refused.
        Block,
    }
}

/// The rate of a class of goods at a place.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TaxRateBody {
    /// The class of goods.
    #[schema(example = "standard")]
    class: String,
    /// ISO 3166-1 code of the country where it holds.
    #[schema(value_type = String, example = "DE")]
    country: Country,
    /// The region where it holds, by ISO 3166-2 code or name; the whole country if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    /// The rate in percent, as text with at most four decimals: `"19"`, `"7.25"`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "19")]
    rate_percent: Option<Percent>,
    /// The rate in millionths instead: 190000 is 19 %. Answers have `rate_percent`.
    #[serde(default, skip_serializing)]
    #[schema(write_only, maximum = 1_000_000)]
    rate_millionths: Option<u32>,
    /// What the buyer reads.
    #[schema(example = "VAT 19 %")]
    name: String,
}

/// A way to send goods, at one price per order.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShippingMethodBody {
    /// The name that checkouts choose it by.
    #[schema(value_type = String, example = "standard")]
    pub(super) code: Slug,
    /// What the buyer reads.
    #[schema(example = "Standard, 2 to 4 days")]
    name: String,
    /// ISO 3166-1 codes of the countries where it goes; empty for all of the channel.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    countries: Vec<Country>,
    /// The price in minor units of the channel's currency; contains the tax where prices do.
    #[schema(minimum = 0, example = 490)]
    amount_minor: i64,
    /// The tax class of shipping itself.
    #[schema(example = "standard")]
    tax_class: String,
}

/// A policy that shoppers read and programs link to.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyBody {
    /// What it is about: `privacy-policy`, `terms-of-service`, `refund-policy`, `shipping-policy`, `faq`, or a
    /// kind of your own.
    #[schema(value_type = String, example = "refund-policy")]
    pub(super) kind: Slug,
    /// What shoppers read first.
    #[schema(example = "Returns and refunds", max_length = 200)]
    title: String,
    /// The text: paragraphs with empty lines between, at most 100000 bytes.
    #[schema(example = "Send back what you do not like within 30 days.")]
    text: String,
}

impl TryFrom<SettingsBody> for Settings {
    type Error = Refusal;

    fn try_from(body: SettingsBody) -> Result<Self, Refusal> {
        let origins = body.cors_origins.iter().enumerate();
        let origins =
            origins.map(|(at, text)| WebOrigin::parse(&format!("/cors_origins/{at}"), text));
        Ok(Self {
            name: body.name,
            currency: body.currency,
            locale: body.locale,
            countries: body.countries,
            default_country: body.default_country,
            tax: body.tax.try_into()?,
            shipping_methods: body.shipping_methods.into_iter().map(ShippingMethod::from).collect(),
            cart_ttl_ms: body.cart_ttl_ms,
            checkout_ttl_ms: body.checkout_ttl_ms,
            reservation_ms: body.reservation_ms,
            hold_ms: body.hold_ms,
            cart_lines_max: body.cart_lines_max,
            line_quantity_max: body.line_quantity_max,
            policies: body.policies.into_iter().map(Policy::from).collect(),
            cors_origins: origins.collect::<Result<_, _>>()?,
        })
    }
}

impl From<Settings> for SettingsBody {
    fn from(settings: Settings) -> Self {
        let methods = settings.shipping_methods.into_iter();
        Self {
            name: settings.name,
            currency: settings.currency,
            locale: settings.locale,
            countries: settings.countries,
            default_country: settings.default_country,
            tax: settings.tax.into(),
            shipping_methods: methods.map(ShippingMethodBody::from).collect(),
            cart_ttl_ms: settings.cart_ttl_ms,
            checkout_ttl_ms: settings.checkout_ttl_ms,
            reservation_ms: settings.reservation_ms,
            hold_ms: settings.hold_ms,
            cart_lines_max: settings.cart_lines_max,
            line_quantity_max: settings.line_quantity_max,
            policies: settings.policies.into_iter().map(PolicyBody::from).collect(),
            cors_origins: settings.cors_origins.iter().map(ToString::to_string).collect(),
        }
    }
}

impl TryFrom<TaxBody> for TaxPolicy {
    type Error = Refusal;

    fn try_from(body: TaxBody) -> Result<Self, Refusal> {
        let rates = body.rates.into_iter().enumerate();
        Ok(Self {
            prices_include_tax: body.prices_include_tax,
            rounding: body.rounding.into(),
            round_per: body.round_per.into(),
            missing_rate: body.missing_rate.into(),
            rates: rates.map(|(at, rate)| rate.read(at)).collect::<Result<_, _>>()?,
        })
    }
}

impl TaxRateBody {
    fn read(self, at: usize) -> Result<TaxRate, Refusal> {
        let Self { class, country, region, rate_percent, rate_millionths, name } = self;
        let rate_millionths =
            rate::read(&format!("/tax/rates/{at}"), rate_percent, rate_millionths)?;
        Ok(TaxRate { class, country, region, rate_millionths, name })
    }
}

impl From<TaxPolicy> for TaxBody {
    fn from(policy: TaxPolicy) -> Self {
        Self {
            prices_include_tax: policy.prices_include_tax,
            rounding: policy.rounding.into(),
            round_per: policy.round_per.into(),
            missing_rate: policy.missing_rate.into(),
            rates: policy.rates.into_iter().map(TaxRateBody::from).collect(),
        }
    }
}

impl From<TaxRate> for TaxRateBody {
    fn from(TaxRate { class, country, region, rate_millionths, name }: TaxRate) -> Self {
        let rate_percent = Some(rate_millionths.into());
        Self { class, country, region, rate_percent, rate_millionths: None, name }
    }
}

impl From<ShippingMethodBody> for ShippingMethod {
    fn from(body: ShippingMethodBody) -> Self {
        let ShippingMethodBody { code, name, countries, amount_minor, tax_class } = body;
        Self { code, name, countries, amount_minor, tax_class }
    }
}

impl From<ShippingMethod> for ShippingMethodBody {
    fn from(method: ShippingMethod) -> Self {
        let ShippingMethod { code, name, countries, amount_minor, tax_class } = method;
        Self { code, name, countries, amount_minor, tax_class }
    }
}

impl From<PolicyBody> for Policy {
    fn from(PolicyBody { kind, title, text }: PolicyBody) -> Self {
        Self { kind, title, text }
    }
}

impl From<Policy> for PolicyBody {
    fn from(Policy { kind, title, text }: Policy) -> Self {
        Self { kind, title, text }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_out_means_the_same_as_in_the_domain() {
        let least = json!({
            "name": "Europe", "currency": "EUR", "locale": "de-DE", "default_country": "DE",
            "tax": { "prices_include_tax": true }
        });
        let body: SettingsBody =
            serde_json::from_value(least.clone()).expect("the least is enough");
        let settings: Settings = serde_json::from_value(least).expect("the least is enough");
        assert_eq!(Settings::try_from(body), Ok(settings));
    }

    #[test]
    fn settings_are_read_as_they_were_written() {
        let written = json!({
            "name": "Europe", "currency": "EUR", "locale": "de-DE", "countries": ["DE", "AT"],
            "default_country": "DE",
            "tax": {
                "prices_include_tax": true, "rounding": "half_up", "round_per": "unit",
                "missing_rate": "block",
                "rates": [{
                    "class": "standard", "country": "DE", "region": "BY", "rate_percent": "19",
                    "name": "VAT 19 %"
                }]
            },
            "shipping_methods": [{
                "code": "post", "name": "Post", "countries": ["AT"], "amount_minor": 490,
                "tax_class": "standard"
            }],
            "cart_ttl_ms": 60_000, "checkout_ttl_ms": 60_001, "reservation_ms": 60_002, "hold_ms": 1,
            "cart_lines_max": 2, "line_quantity_max": 3,
            "policies": [{ "kind": "faq", "title": "Questions", "text": "None yet." }],
            "cors_origins": ["https://store.example"]
        });
        let body: SettingsBody = serde_json::from_value(written.clone()).expect("settings");
        let settings = Settings::try_from(body).expect("settings");
        let read = serde_json::to_value(SettingsBody::from(settings)).expect("settings");
        assert_eq!(read, written);
    }
}
