//! How goods get to the buyer: one way of sending, one parcel for everything that is sent.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use handel_domain::{
    Refusal,
    address::{Address, Country},
    channel::Settings,
    checkout::{Buyer, DESTINATIONS_MAX, Destination},
    refusal::FieldErrors,
    text::{Slug, looks_like_card_number},
};
use handel_engine::CheckoutView;
use sha2::{Digest as _, Sha256};

use super::{
    Message,
    message::path,
    request::{WantedAddress, WantedBuyer, WantedDelivery, WantedDestination},
};

/// The name of the one way of sending.
pub(crate) const METHOD: &str = "shipping";
/// The name of the one parcel.
pub(crate) const GROUP: &str = "parcel";
/// Longest id of an address, in bytes.
const ID_MAX: usize = 100;

/// Where goods can go and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// The lines that are sent.
    pub(crate) line_ids: Vec<String>,
    pub(crate) destinations: Vec<(String, Address)>,
    pub(crate) destination: Option<String>,
    pub(crate) options: Vec<DeliveryOption>,
    pub(crate) option: Option<String>,
}

/// A way of sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeliveryOption {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) amount_minor: i64,
}

impl Delivery {
    /// None where nothing is sent.
    pub(crate) fn of(view: &CheckoutView) -> Option<Self> {
        let lines = view.quote.lines.iter();
        let sent =
            lines.filter(|line| line.offer.as_ref().is_some_and(|offer| offer.requires_shipping));
        let line_ids: Vec<_> = sent.map(|line| line.line.id.to_string()).collect();
        if line_ids.is_empty() {
            return None;
        }
        let buyer = &view.checkout.buyer;
        let destinations = buyer.destinations.iter();
        let options = view.shipping_prices();
        let mut delivery = Self {
            line_ids,
            destinations: destinations
                .map(|destination| (destination.id.clone(), destination.address.clone()))
                .collect(),
            destination: buyer.selected_destination.clone(),
            options: options
                .map(|(method, amount_minor)| DeliveryOption {
                    id: method.code.to_string(),
                    title: method.name.clone(),
                    amount_minor,
                })
                .collect(),
            option: buyer.shipping_method.as_ref().map(ToString::to_string),
        };
        delivery.add_page_address(buyer);
        Some(delivery)
    }

    /// An address that the buyer gave on the shop's own page is one of the destinations too.
    fn add_page_address(&mut self, buyer: &Buyer) {
        let Some(address) = buyer.shipping_address.as_ref().filter(|_| self.destination.is_none())
        else {
            return;
        };
        let id = content_id(address);
        if !self.destinations.iter().any(|(known, _)| *known == id) {
            self.destinations.push((id.clone(), address.clone()));
        }
        self.destination = Some(id);
    }
}

/// What became of the wishes of a program for the delivery.
#[derive(Debug, Default)]
pub(crate) struct Arranged {
    pub(crate) destinations: Vec<Destination>,
    pub(crate) selected: Option<String>,
    pub(crate) method: Option<Slug>,
    /// What could not be taken over, and why.
    pub(crate) problems: Vec<Message>,
}

/// Takes over what can be, and says what cannot. `before` are the addresses that the checkout knows already, which
/// may be chosen without being sent again.
pub(crate) fn arrange(
    wanted: &WantedDelivery,
    before: &[Destination],
    buyer: &WantedBuyer,
    settings: &Settings,
) -> Arranged {
    let mut arranged = Arranged::default();
    if wanted.is_foreign {
        arranged.problems.push(
            Message::repairable(
                "fulfillment_method_unavailable",
                "this shop only sends goods; use the method \"shipping\"",
            )
            .at("$.fulfillment.methods"),
        );
    }
    for (at, destination) in wanted.destinations.iter().enumerate().take(DESTINATIONS_MAX) {
        match checked(at, destination, buyer, settings) {
            Ok(checked) => arranged.add(at, checked),
            Err(problems) => arranged.problems.extend(problems),
        }
    }
    if wanted.destinations.len() > DESTINATIONS_MAX {
        let text = format!("at most {DESTINATIONS_MAX} addresses can be kept");
        arranged.problems.push(
            Message::repairable("too_many_destinations", text)
                .at(path::destination(DESTINATIONS_MAX, "")),
        );
    }
    arranged.choose(wanted, before);
    arranged
}

impl Arranged {
    fn add(&mut self, at: usize, destination: Destination) {
        if self.destinations.iter().any(|known| known.id == destination.id) {
            let text = "another destination has this id";
            let problem = Message::repairable("destination_repeated", text);
            self.problems.push(problem.at(path::destination(at, ".id")));
        } else {
            self.destinations.push(destination);
        }
    }

    fn choose(&mut self, wanted: &WantedDelivery, before: &[Destination]) {
        if let Some(id) = &wanted.destination {
            let is_here = self.destinations.iter().any(|known| known.id == *id);
            let earlier = before.iter().find(|known| known.id == *id).filter(|_| !is_here);
            self.destinations.extend(earlier.cloned());
            // One that was sent and refused has been named already.
            let was_sent =
                wanted.destinations.iter().any(|sent| sent.id.as_deref() == Some(id.as_str()));
            if is_here || earlier.is_some() {
                self.selected = Some(id.clone());
            } else if !was_sent {
                let text = "there is no such destination; send it in `destinations`";
                let problem = Message::repairable("destination_unknown", text);
                self.problems.push(problem.at(path::DESTINATION));
            }
        } else if let [only] = &self.destinations[..] {
            self.selected = Some(only.id.clone());
        }
        match wanted.option.as_deref().map(str::parse::<Slug>) {
            Some(Ok(method)) => self.method = Some(method),
            Some(Err(_)) => self.problems.push(no_such_option()),
            None => {}
        }
    }
}

/// The error of a way of sending that does not go there.
pub(crate) fn no_such_option() -> Message {
    let text = "there is no such option for this address; choose one of `options`";
    Message::repairable("fulfillment_option_unavailable", text).at(path::OPTION)
}

fn checked(
    at: usize,
    destination: &WantedDestination,
    buyer: &WantedBuyer,
    settings: &Settings,
) -> Result<Destination, Vec<Message>> {
    let address = written(&destination.address, buyer);
    let address = address.and_then(|address| address.checked_in_part(""));
    let address = address.and_then(|address| {
        settings.check_region(&address, "", false)?;
        Ok(address)
    });
    let address = address.map_err(|refusal| {
        let errors = refusal.details.errors.into_iter();
        errors
            .map(|error| {
                let member = member_of(error.pointer.trim_start_matches('/'));
                Message::repairable(
                    "address_undeliverable",
                    format!("{} {}", spoken(member), error.message),
                )
                .at(path::destination(at, &format!(".{member}")))
            })
            .collect::<Vec<_>>()
    })?;
    if !settings.sells_to(address.country) {
        let text = format!("this shop does not send to {}", address.country.in_sentence());
        let problem = Message::repairable("address_undeliverable", text);
        return Err(vec![problem.at(path::destination(at, ".address_country"))]);
    }
    let id = match destination.id.as_deref().map(str::trim).filter(|id| !id.is_empty()) {
        Some(id)
            if id.len() > ID_MAX
                || id.chars().any(char::is_control)
                || looks_like_card_number(id) =>
        {
            let text = format!("the id must be at most {ID_MAX} bytes without control characters");
            let problem = Message::repairable("destination_unknown", text);
            return Err(vec![problem.at(path::destination(at, ".id"))]);
        }
        Some(id) => id.to_owned(),
        None => content_id(&address),
    };
    Ok(Destination { id, address })
}

/// A whole address in the words of the shop. Names that are missing are the buyer's.
pub(crate) fn address(wanted: &WantedAddress, buyer: &WantedBuyer) -> Result<Address, Refusal> {
    written(wanted, buyer)?.checked("")
}

/// The same as it was written: nothing but its country is checked.
fn written(wanted: &WantedAddress, buyer: &WantedBuyer) -> Result<Address, Refusal> {
    let names = |first: &Option<String>, last: &Option<String>| {
        let parts = [first.as_deref(), last.as_deref()].into_iter().flatten().map(str::trim);
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let own = names(&wanted.first_name, &wanted.last_name);
    let name = if own.is_empty() { names(&buyer.first_name, &buyer.last_name) } else { own };
    let mut errors = FieldErrors::default();
    let country = wanted.country.as_deref().unwrap_or_default();
    let country = errors.take(Country::read("/country", country));
    let Some(country) = country else {
        return Err(errors.finish().expect_err("an error was added"));
    };
    Ok(Address {
        name,
        line1: wanted.street.clone().unwrap_or_default(),
        line2: wanted.extended.clone(),
        city: wanted.locality.clone().unwrap_or_default(),
        region: wanted.region.clone(),
        postal_code: wanted.postal_code.clone(),
        country,
        phone: wanted.phone.clone(),
    })
}

/// An address in the words of programs, as far as it is known. Our addresses have one name; the last word of it is the
/// family name.
pub(crate) fn spelled(address: &Address) -> WantedAddress {
    let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let (first, last) = match address.name.rsplit_once(' ') {
        Some((first, last)) => (known(first), known(last)),
        None => (None, known(&address.name)),
    };
    WantedAddress {
        first_name: first,
        last_name: last,
        street: known(&address.line1),
        extended: address.line2.clone(),
        locality: known(&address.city),
        region: address.region_in_words().map(str::to_owned),
        postal_code: address.postal_code.clone(),
        country: Some(address.country.to_string()),
        phone: address.phone.clone(),
    }
}

/// The error of an address that lacks a part, by the name of our field. `at` is its place among the destinations.
pub(crate) fn lacking(field: &str, at: usize) -> Message {
    let member = member_of(field);
    Message::repairable("address_incomplete", format!("{} is needed", spoken(member)))
        .at(path::destination(at, &format!(".{member}")))
}

/// The member of an address that our field is called by.
fn member_of(field: &str) -> &'static str {
    match field {
        "name" => "last_name",
        "line1" => "street_address",
        "line2" => "extended_address",
        "city" => "address_locality",
        "region" => "address_region",
        "postal_code" => "postal_code",
        "phone" => "phone_number",
        _ => "address_country",
    }
}

fn spoken(member: &str) -> &'static str {
    match member {
        "last_name" => "the name",
        "street_address" => "the street",
        "extended_address" => "the second line",
        "address_locality" => "the city",
        "address_region" => "the region",
        "postal_code" => "the postal code",
        "phone_number" => "the phone number",
        _ => "the country",
    }
}

/// An id that follows from the address alone, so that the same address has the same id in every request.
fn content_id(address: &Address) -> String {
    let mut hash = Sha256::new();
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    for part in [
        &address.name,
        &address.line1,
        &optional(&address.line2),
        &address.city,
        &optional(&address.region),
        &optional(&address.postal_code),
        &address.country.to_string(),
        &optional(&address.phone),
    ] {
        // No part has a line feed.
        hash.update(part.as_bytes());
        hash.update(b"\n");
    }
    format!("dest_{}", URL_SAFE_NO_PAD.encode(&hash.finalize()[..12]))
}
