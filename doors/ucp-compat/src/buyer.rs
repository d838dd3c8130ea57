//! What a platform says about the buyer and the way of the goods, and what the shop makes of it.

use handel_domain::{
    Refusal,
    checkout::{Buyer, Consent, Destination},
    text::{Email, Slug},
};
use serde_json::{Map, Value, json};

use crate::{
    address::PostalAddress,
    customers::Customers,
    wire::{BuyerBody, DestinationBody, FulfillmentBody, MethodBody},
};

/// Where the receipt goes of a buyer who gave no address. The suite buys without one; nothing is ever
/// delivered to this domain (RFC 2606).
const NOBODY: &str = "nobody@sandbox.invalid";

/// The buyer as the checkout will know it: what is absent stays as it was in `before`.
pub(crate) fn read(
    before: Buyer,
    said: Option<BuyerBody>,
    fulfillment: Option<FulfillmentBody>,
    customers: &Customers,
) -> Result<Buyer, Refusal> {
    let mut buyer = match said {
        Some(said) => identify(before, said)?,
        None => before,
    };
    if buyer.email.is_none() {
        buyer.email = Some(Email::parse("/buyer/email", NOBODY)?);
    }
    if let Some(fulfillment) = fulfillment {
        deliver(&mut buyer, fulfillment, customers)?;
    }
    Ok(buyer)
}

/// Who the buyer is, instead of who it was.
fn identify(before: Buyer, said: BuyerBody) -> Result<Buyer, Refusal> {
    let email = said.email.as_deref().map(|email| Email::parse("/buyer/email", email));
    let (mut first_name, mut last_name) = (said.first_name, said.last_name);
    if let (None, None, Some(full_name)) = (&first_name, &last_name, &said.full_name) {
        let (first, last) = full_name.split_once(' ').unwrap_or((full_name, ""));
        first_name = Some(first.to_owned());
        last_name = Some(last.to_owned()).filter(|last| !last.is_empty());
    }
    let consents = said.consent.map(|consent| {
        let decided =
            |(purpose, granted)| (purpose, Consent { granted, segments: Default::default() });
        consent.into_iter().map(decided).collect()
    });
    Ok(Buyer {
        email: email.transpose()?,
        first_name,
        last_name,
        phone: said.phone_number,
        consents: consents.unwrap_or(before.consents),
        ..before
    })
}

/// Where the goods go and how, instead of where and how they went.
fn deliver(
    buyer: &mut Buyer,
    fulfillment: FulfillmentBody,
    customers: &Customers,
) -> Result<(), Refusal> {
    let mut methods = fulfillment.methods.into_iter();
    let Some(method) = methods.next() else { return Ok(()) };
    let at = "/fulfillment/methods";
    if methods.next().is_some() {
        return Err(Refusal::field(at, "must not be more than one"));
    }
    if method.kind.as_deref().is_some_and(|kind| kind != "shipping") {
        return Err(Refusal::field(format!("{at}/0/type"), "must be shipping"));
    }
    let MethodBody { destinations, selected_destination_id, groups, .. } = method;
    let email = buyer.email.as_ref().map(Email::as_str).unwrap_or_default().to_owned();
    match destinations.filter(|destinations| !destinations.is_empty()) {
        Some(given) => buyer.destinations = read_destinations(given, &email, customers)?,
        None => {
            let saved = saved_destinations(&email, customers)?;
            if !saved.is_empty() {
                buyer.destinations = saved;
            }
        }
    }
    let option = groups.into_iter().flatten().find_map(|group| group.selected_option_id);
    let option = option.map(|code| Slug::parse(&format!("{at}/0/groups/0"), &code)).transpose()?;
    buyer.shipping_method = option.filter(|_| selected_destination_id.is_some());
    buyer.selected_destination = selected_destination_id;
    // The engine fills in the address of the selected one.
    buyer.shipping_address = None;
    Ok(())
}

fn read_destinations(
    given: Vec<DestinationBody>,
    email: &str,
    customers: &Customers,
) -> Result<Vec<Destination>, Refusal> {
    let read = |(at, DestinationBody { id, address }): (usize, DestinationBody)| {
        let id = id.unwrap_or_else(|| customers.name(email, &address));
        let pointer = format!("/fulfillment/methods/0/destinations/{at}");
        Ok(Destination { id, address: address.into_shop(&pointer)? })
    };
    given.into_iter().enumerate().map(read).collect()
}

fn saved_destinations(email: &str, customers: &Customers) -> Result<Vec<Destination>, Refusal> {
    let saved = customers.addresses(email).into_iter();
    saved
        .map(|saved| {
            Ok(Destination { id: saved.id, address: saved.address.into_shop("/destinations")? })
        })
        .collect()
}

/// Remembers the addresses of a buyer who said who they are.
pub(crate) fn remember(buyer: &Buyer, customers: &Customers) {
    let Some(email) = known_email(buyer) else { return };
    for destination in &buyer.destinations {
        let address = PostalAddress::of_shop(&destination.address);
        customers.remember(email, &destination.id, &address);
    }
}

/// The buyer as the platform gave it; none if it gave nothing.
pub(crate) fn view(buyer: &Buyer) -> Option<Value> {
    let mut view = Map::new();
    let email = known_email(buyer).map(str::to_owned);
    for (name, text) in [
        ("first_name", &buyer.first_name),
        ("last_name", &buyer.last_name),
        ("email", &email),
        ("phone_number", &buyer.phone),
    ] {
        if let Some(text) = text {
            view.insert(name.to_owned(), json!(text));
        }
    }
    if !buyer.consents.is_empty() {
        let decided = buyer.consents.iter();
        let consent: Map<_, _> =
            decided.map(|(purpose, consent)| (purpose.clone(), json!(consent.granted))).collect();
        view.insert("consent".to_owned(), Value::Object(consent));
    }
    (!view.is_empty()).then_some(Value::Object(view))
}

fn known_email(buyer: &Buyer) -> Option<&str> {
    buyer.email.as_ref().map(Email::as_str).filter(|email| *email != NOBODY)
}

#[cfg(test)]
mod tests {
    use serde_json::from_value;

    use super::*;

    fn delivered(before: Buyer, method: &Value) -> Result<Buyer, Refusal> {
        let fulfillment = from_value(json!({ "methods": [method] })).expect("a fulfillment");
        read(before, None, Some(fulfillment), &Customers::default())
    }

    fn ids(buyer: &Buyer) -> Vec<&str> {
        buyer.destinations.iter().map(|destination| destination.id.as_str()).collect()
    }

    #[test]
    fn what_is_absent_stays() {
        let said = json!({ "fullName": "John Doe", "email": "john@example.com", "consent": { "marketing": true } });
        let said = from_value(said).expect("a buyer");
        let buyer = read(Buyer::default(), Some(said), None, &Customers::default());
        let buyer = buyer.expect("a buyer");
        let same = read(buyer.clone(), None, None, &Customers::default()).expect("a buyer");
        assert_eq!(same, buyer);
        let other = from_value(json!({ "first_name": "Jane" })).expect("a buyer");
        let other = read(buyer, Some(other), None, &Customers::default()).expect("a buyer");
        assert_eq!(
            view(&other),
            Some(json!({ "first_name": "Jane", "consent": { "marketing": true } }))
        );
    }

    #[test]
    fn who_gave_no_address_is_nobody_and_nobody_is_not_shown() {
        let buyer = read(Buyer::default(), None, None, &Customers::default()).expect("a buyer");
        assert_eq!(buyer.email.as_ref().map(Email::as_str), Some(NOBODY));
        assert_eq!(view(&buyer), None);
    }

    #[test]
    fn a_new_destination_replaces_the_old_ones_and_the_choice() {
        let first = json!({
            "destinations": [{ "id": "a", "address_country": "US" }, { "id": "b", "address_country": "CA" }],
            "selected_destination_id": "b", "groups": [{ "selected_option_id": "std-ship" }],
        });
        let buyer = delivered(Buyer::default(), &first).expect("a buyer");
        assert_eq!(ids(&buyer), ["a", "b"]);
        assert_eq!(buyer.selected_destination.as_deref(), Some("b"));
        assert_eq!(buyer.shipping_method.as_ref().map(Slug::as_str), Some("std-ship"));
        let next = json!({ "destinations": [{ "id": "c", "address_country": "CA" }] });
        let buyer = delivered(buyer, &next).expect("a buyer");
        assert_eq!(ids(&buyer), ["c"]);
        assert_eq!((buyer.selected_destination, buyer.shipping_method), (None, None));
    }

    #[test]
    fn an_address_without_a_name_gets_one_that_stays() {
        let method = json!({ "destinations": [{ "street_address": "1 Main St", "address_locality": "Springfield",
            "address_region": "IL", "postal_code": "62704", "address_country": "US" }] });
        let first = delivered(Buyer::default(), &method).expect("a buyer");
        let again = delivered(Buyer::default(), &method).expect("a buyer");
        assert!(ids(&first)[0].starts_with("addr_"));
        assert_eq!(ids(&first), ids(&again));
    }

    #[test]
    fn nonsense_is_refused() {
        for wrong in [
            json!({ "type": "pickup" }),
            json!({ "destinations": [{ "id": "a" }] }),
            json!({ "destinations": [{ "id": "a", "address_country": "Nowhere" }] }),
            json!({ "selected_destination_id": "a", "groups": [{ "selected_option_id": "Not A Slug" }] }),
        ] {
            assert!(delivered(Buyer::default(), &wrong).is_err(), "{wrong}");
        }
        let two = from_value(json!({ "methods": [{}, {}] })).expect("a fulfillment");
        assert!(read(Buyer::default(), None, Some(two), &Customers::default()).is_err());
    }
}
