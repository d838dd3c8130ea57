//! Requests as programs write them. Members that the shop decides itself are passed over, as are those that nobody
//! knows; what is known must have the right type.

use std::collections::BTreeMap;

use handel_domain::text::looks_like_card_number;
use handel_ports::Secret;
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned},
};
use serde_json::Value;

use crate::{
    TransportError,
    neutral::{
        delivery::METHOD,
        request::{
            Hints, Wanted, WantedAddress, WantedBuyer, WantedConsent, WantedCredential,
            WantedDelivery, WantedDestination, WantedFilters, WantedInstrument, WantedLine,
            WantedLookup, WantedPayment, WantedProduct, WantedSearch,
        },
    },
};

/// How a version writes what a buyer consents to.
pub(crate) type ReadConsents =
    fn(&Value) -> Result<BTreeMap<String, WantedConsent>, TransportError>;

/// Reads a value; a wrong member is named by its path.
pub(crate) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, TransportError> {
    if !value.is_object() {
        return Err(TransportError::malformed("the request must be an object"));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let (path, text) = (error.path().to_string(), error.inner().to_string());
        let content = if path == "." { text } else { format!("{path}: {text}") };
        match looks_like_card_number(&content) {
            true => TransportError::malformed("a member has the wrong type"),
            false => TransportError::malformed(content),
        }
    })
}

/// Reads what a cart or a checkout is to be.
pub(crate) fn wanted(value: &Value, consents: ReadConsents) -> Result<Wanted, TransportError> {
    let body: BasketBody = read(value)?;
    let lines = body.line_items.map(|lines| lines.into_iter().map(WantedLine::from).collect());
    Ok(Wanted {
        lines,
        buyer: buyer(body.buyer, consents)?,
        codes: body.discounts.map(|discounts| discounts.codes.unwrap_or_default()),
        delivery: body.fulfillment.map(delivery),
        hints: hints(body.context),
        attribution: body.attribution.map(attribution).unwrap_or_default(),
        cart_id: body.cart_id,
    })
}

/// Reads how something is paid.
pub(crate) fn payment(
    value: &Value,
    consents: ReadConsents,
) -> Result<WantedPayment, TransportError> {
    let body: CompleteBody = read(value)?;
    let instruments = body.payment.instruments.unwrap_or_default();
    Ok(WantedPayment {
        instruments: instruments.into_iter().map(instrument).collect(),
        consents: buyer(body.buyer, consents)?.consents,
    })
}

/// Reads a search.
pub(crate) fn search(value: &Value) -> Result<WantedSearch, TransportError> {
    let body: SearchBody = read(value)?;
    let pagination = body.pagination.unwrap_or_default();
    let query = body.query.filter(|query| !query.trim().is_empty());
    Ok(WantedSearch {
        query,
        filters: filters(body.filters),
        hints: hints(body.context),
        cursor: pagination.cursor,
        limit: pagination.limit,
    })
}

/// Reads a look-up.
pub(crate) fn lookup(value: &Value) -> Result<WantedLookup, TransportError> {
    let body: LookupBody = read(value)?;
    Ok(WantedLookup { ids: body.ids, filters: filters(body.filters), hints: hints(body.context) })
}

/// Reads a look at one product.
pub(crate) fn product(value: &Value) -> Result<WantedProduct, TransportError> {
    let body: ProductBody = read(value)?;
    let selected = body.selected.unwrap_or_default();
    Ok(WantedProduct {
        id: body.id,
        selected: selected.into_iter().map(|option| (option.name, option.label)).collect(),
        preferences: body.preferences.unwrap_or_default(),
        filters: filters(body.filters),
        hints: hints(body.context),
    })
}

#[derive(Deserialize)]
struct BasketBody {
    line_items: Option<Vec<LineBody>>,
    buyer: Option<BuyerBody>,
    context: Option<ContextBody>,
    attribution: Option<BTreeMap<String, Value>>,
    discounts: Option<DiscountsBody>,
    fulfillment: Option<FulfillmentBody>,
    cart_id: Option<String>,
}

#[derive(Deserialize)]
struct LineBody {
    id: Option<String>,
    item: ItemBody,
    #[serde(deserialize_with = "at_least_one")]
    quantity: i64,
}

fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    match i64::deserialize(deserializer)? {
        quantity if quantity >= 1 => Ok(quantity),
        _ => Err(de::Error::custom("must be at least 1")),
    }
}

#[derive(Deserialize)]
struct ItemBody {
    id: String,
    quantity_unit: Option<UnitBody>,
}

#[derive(Deserialize)]
struct UnitBody {
    unit: String,
    scale: Option<i64>,
}

#[derive(Deserialize)]
struct BuyerBody {
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    phone_number: Option<String>,
    consent: Option<Value>,
}

#[derive(Deserialize)]
struct ContextBody {
    address_country: Option<String>,
    currency: Option<String>,
}

#[derive(Deserialize)]
struct DiscountsBody {
    codes: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct FulfillmentBody {
    methods: Option<Vec<MethodBody>>,
}

#[derive(Deserialize)]
struct MethodBody {
    #[serde(rename = "type")]
    kind: Option<String>,
    destinations: Option<Vec<DestinationBody>>,
    selected_destination_id: Option<String>,
    groups: Option<Vec<GroupBody>>,
}

#[derive(Deserialize)]
struct GroupBody {
    selected_option_id: Option<String>,
}

#[derive(Deserialize)]
struct DestinationBody {
    id: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    street_address: Option<String>,
    extended_address: Option<String>,
    address_locality: Option<String>,
    address_region: Option<String>,
    address_country: Option<String>,
    postal_code: Option<String>,
    phone_number: Option<String>,
}

#[derive(Deserialize)]
struct CompleteBody {
    payment: PaymentBody,
    buyer: Option<BuyerBody>,
}

#[derive(Deserialize)]
struct PaymentBody {
    instruments: Option<Vec<InstrumentBody>>,
}

#[derive(Deserialize)]
struct InstrumentBody {
    handler_id: String,
    selected: Option<bool>,
    credential: Option<CredentialBody>,
    billing_address: Option<DestinationBody>,
}

#[derive(Deserialize)]
struct CredentialBody {
    #[serde(rename = "type")]
    kind: String,
    token: Option<Secret<String>>,
    number: Option<Value>,
    card_number_type: Option<Value>,
}

#[derive(Deserialize)]
struct SearchBody {
    query: Option<String>,
    filters: Option<FiltersBody>,
    context: Option<ContextBody>,
    pagination: Option<PaginationBody>,
}

#[derive(Default, Deserialize)]
struct PaginationBody {
    cursor: Option<String>,
    limit: Option<u64>,
}

#[derive(Deserialize)]
struct FiltersBody {
    categories: Option<Vec<String>>,
    price: Option<PriceBody>,
}

#[derive(Deserialize)]
struct PriceBody {
    min: Option<i64>,
    max: Option<i64>,
}

#[derive(Deserialize)]
struct LookupBody {
    ids: Vec<String>,
    filters: Option<FiltersBody>,
    context: Option<ContextBody>,
}

#[derive(Deserialize)]
struct ProductBody {
    id: String,
    selected: Option<Vec<SelectedBody>>,
    preferences: Option<Vec<String>>,
    filters: Option<FiltersBody>,
    context: Option<ContextBody>,
}

#[derive(Deserialize)]
struct SelectedBody {
    name: String,
    label: String,
}

/// The code of pieces (UN/CEFACT Recommendation 20).
const PIECE: &str = "C62";

impl From<LineBody> for WantedLine {
    fn from(line: LineBody) -> Self {
        let unit = line.item.quantity_unit;
        Self {
            id: line.id,
            item: line.item.id,
            quantity: line.quantity,
            is_in_foreign_unit: unit
                .is_some_and(|unit| unit.unit != PIECE || unit.scale.unwrap_or(0) != 0),
        }
    }
}

fn buyer(body: Option<BuyerBody>, consents: ReadConsents) -> Result<WantedBuyer, TransportError> {
    let Some(body) = body else { return Ok(WantedBuyer::default()) };
    let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    Ok(WantedBuyer {
        email: filled(body.email),
        first_name: filled(body.first_name),
        last_name: filled(body.last_name),
        phone: filled(body.phone_number),
        consents: body.consent.as_ref().map(consents).transpose()?,
    })
}

fn delivery(body: FulfillmentBody) -> WantedDelivery {
    let mut methods = body.methods.unwrap_or_default();
    let is_shipping =
        |method: &MethodBody| method.kind.as_deref().is_none_or(|kind| kind == METHOD);
    let is_foreign = methods.len() > 1 || methods.iter().any(|method| !is_shipping(method));
    let at = methods.iter().position(is_shipping);
    let Some(method) = at.map(|at| methods.swap_remove(at)) else {
        return WantedDelivery { is_foreign, ..WantedDelivery::default() };
    };
    let destinations = method.destinations.unwrap_or_default();
    let groups = method.groups.unwrap_or_default();
    WantedDelivery {
        destinations: destinations.into_iter().map(WantedDestination::from).collect(),
        destination: method.selected_destination_id,
        option: groups.into_iter().find_map(|group| group.selected_option_id),
        is_foreign,
    }
}

impl From<DestinationBody> for WantedDestination {
    fn from(body: DestinationBody) -> Self {
        Self {
            id: body.id,
            address: WantedAddress {
                first_name: body.first_name,
                last_name: body.last_name,
                street: body.street_address,
                extended: body.extended_address,
                locality: body.address_locality,
                region: body.address_region,
                postal_code: body.postal_code,
                country: body.address_country,
                phone: body.phone_number,
            },
        }
    }
}

fn instrument(body: InstrumentBody) -> WantedInstrument {
    WantedInstrument {
        handler_id: body.handler_id,
        is_selected: body.selected.unwrap_or(true),
        credential: body.credential.map_or(WantedCredential::Unusable, credential),
        billing: body.billing_address.map(|body| WantedDestination::from(body).address),
    }
}

/// Kinds of credentials that are a card, or stand for one outside of a handler's vault.
const CARDS: [&str; 3] = ["pan", "card", "network_token"];

fn credential(body: CredentialBody) -> WantedCredential {
    let is_card = CARDS.contains(&body.kind.as_str())
        || body.number.is_some()
        || body.card_number_type.is_some();
    match body.token {
        _ if is_card => WantedCredential::Card,
        Some(token) if looks_like_card_number(token.expose()) => WantedCredential::Card,
        Some(token) if !token.expose().is_empty() => WantedCredential::Token(token),
        _ => WantedCredential::Unusable,
    }
}

fn hints(body: Option<ContextBody>) -> Hints {
    let upper = |text: Option<String>| text.map(|text| text.trim().to_uppercase());
    let Some(body) = body else { return Hints::default() };
    Hints { country: upper(body.address_country), currency: upper(body.currency) }
}

fn filters(body: Option<FiltersBody>) -> WantedFilters {
    let Some(body) = body else { return WantedFilters::default() };
    let price = body.price.filter(|price| price.min.is_some() || price.max.is_some());
    WantedFilters {
        categories: body.categories.unwrap_or_default(),
        price: price.map(|price| (price.min, price.max)),
    }
}

/// Most entries of an attribution that are kept, and the longest name and value, in characters.
const ATTRIBUTION_MAX: (usize, usize, usize) = (50, 100, 500);

/// What can be kept of an attribution. It must never decide whether a request is worked on, so the rest is dropped
/// in silence.
fn attribution(entries: BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let (most, name_max, value_max) = ATTRIBUTION_MAX;
    let fits = |text: &str, max: usize| {
        text.chars().count() <= max
            && !text.chars().any(char::is_control)
            && !looks_like_card_number(text)
    };
    let kept = entries.into_iter().filter_map(|(name, value)| {
        let value = value.as_str()?.trim().to_owned();
        let name = name.trim().to_owned();
        (!name.is_empty() && fits(&name, name_max) && fits(&value, value_max))
            .then_some((name, value))
    });
    kept.take(most).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn no_consents(_: &Value) -> Result<BTreeMap<String, WantedConsent>, TransportError> {
        Ok(BTreeMap::new())
    }

    #[test]
    fn what_the_shop_decides_is_passed_over() {
        let body = json!({
            "id": "chk_1", "status": "completed", "currency": 7, "totals": "all mine",
            "line_items": [{ "item": { "id": "A", "title": 1, "price": -5 }, "quantity": 2, "totals": [] }],
        });
        let wanted = wanted(&body, no_consents).expect("nothing of it counts");
        assert_eq!(wanted.lines.expect("lines")[0].quantity, 2);
    }

    #[test]
    fn wrong_types_are_named_by_their_path_and_never_repeated() {
        for (body, path) in [
            (
                json!({ "line_items": [{ "item": { "id": "A" }, "quantity": 0 }] }),
                "line_items[0].quantity",
            ),
            (
                json!({ "line_items": [{ "item": { "id": "A" }, "quantity": 1.5 }] }),
                "line_items[0].quantity",
            ),
            (
                json!({ "line_items": [{ "item": { "id": "A" }, "quantity": "1" }] }),
                "line_items[0].quantity",
            ),
            (json!({ "line_items": [{ "item": {}, "quantity": 1 }] }), "line_items[0].item"),
            (json!({ "line_items": {} }), "line_items"),
            (json!([]), "object"),
        ] {
            let error = wanted(&body, no_consents).expect_err(path);
            assert!(error.status == 400 && error.content.contains(path), "{path}: {error:?}");
        }
        let error = wanted(&json!({ "line_items": "4242 4242 4242 4242" }), no_consents)
            .expect_err("a text");
        assert!(!error.content.contains("4242"), "{error:?}");
    }

    #[test]
    fn cards_are_known_whatever_they_call_themselves() {
        for credential in [
            json!({ "type": "pan", "number": "4242424242424242", "card_number_type": "fpan" }),
            json!({ "type": "card", "token": "tok_ok" }),
            json!({ "type": "network_token", "number": "4242" }),
            json!({ "type": "token", "token": "4242424242424242" }),
            json!({ "type": "token", "token": "tok", "number": "1" }),
        ] {
            let body = json!({ "payment": { "instruments": [
                { "id": "i", "handler_id": "test", "type": "card", "credential": credential }] } });
            let wanted = payment(&body, no_consents).expect("the right shape");
            assert!(
                matches!(wanted.instruments[0].credential, WantedCredential::Card),
                "{credential}"
            );
        }
    }

    #[test]
    fn an_attribution_never_stands_in_the_way() {
        let body = json!({ "line_items": [], "attribution": {
            "utm_source": "chat", "number": 5, "long": "x".repeat(501), "card": "4242424242424242", "": "x",
        } });
        let wanted = wanted(&body, no_consents).expect("whatever it says");
        assert_eq!(wanted.attribution, BTreeMap::from([("utm_source".into(), "chat".into())]));
    }
}
