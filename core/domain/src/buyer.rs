//! What buyers say about delivery and contact.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    address::{self, Address},
    channel::Settings,
    origin::escape,
    refusal::{Code, FieldErrors, Refusal},
    shipping::ShippingMethod,
    tax,
    text::{self, Email, Slug},
};

/// Most addresses that a buyer may choose from.
pub const DESTINATIONS_MAX: usize = 20;
/// Most purposes that consent is given for, most segments of one, and the longest name, in characters.
const CONSENTS_MAX: (usize, usize, usize) = (50, 50, 200);

/// What a buyer says about delivery and contact. Absent parts are kept when a checkout is updated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    /// Where the receipt goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Phone number of the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Where the goods go: the address of the selected destination where one is selected, which may be known in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
    /// Who is billed; the shipping address if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<Address>,
    /// How the goods go there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_method: Option<Slug>,
    /// The addresses that the buyer may choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<Destination>,
    /// Which of them is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected_destination: Option<String>,
    /// What the buyer agreed to or not, by purpose, such as `dev.ucp.consent.marketing`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub consents: BTreeMap<String, Consent>,
}

/// An address that the goods could go to. It may be known in part, to see what sending there would cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// What it is chosen by; unique within the checkout.
    pub id: String,
    /// The address.
    pub address: Address,
}

/// What is said of a buyer together with the payment, after the price was agreed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WithPayment {
    /// Decisions on consent, by purpose.
    pub consents: BTreeMap<String, Consent>,
    /// Who is billed.
    pub billing_address: Option<Address>,
}

/// A decision of the buyer on one purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Whether the buyer agrees.
    pub granted: bool,
    /// Decisions on parts of the purpose, such as e-mail; they go before the one on the whole.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub segments: BTreeMap<String, bool>,
}

impl Buyer {
    /// Checks what a buyer sent, against the rules of the channel. The address of a selected destination
    /// becomes the shipping address.
    pub fn checked(self, settings: &Settings) -> Result<Self, Refusal> {
        let mut errors = FieldErrors::default();
        check_consents(&self.consents, &mut errors);
        let first_name = name("/first_name", self.first_name, &mut errors);
        let last_name = name("/last_name", self.last_name, &mut errors);
        let phone =
            self.phone.and_then(|phone| errors.take(address::checked_phone("/phone", &phone)));
        let phone = phone.filter(|phone| !phone.is_empty());
        let destinations = check_destinations(self.destinations, settings, &mut errors);
        let selected =
            self.selected_destination.filter(|_| errors.is_empty()).and_then(|selected| {
                let found = destinations.iter().find(|destination| destination.id == selected);
                errors.check(
                    found.is_some(),
                    "/selected_destination",
                    "is none of the destinations",
                );
                found
            });
        let mut address = |address: Option<Address>, pointer| {
            let checked = address?.checked(pointer).and_then(|address| {
                settings.check_region(&address, pointer, true)?;
                Ok(address)
            });
            errors.take(checked)
        };
        let shipping_address = match selected {
            Some(selected) => Some(selected.address.clone()),
            None => address(self.shipping_address, "/shipping_address"),
        };
        let billing_address = address(self.billing_address, "/billing_address");
        errors.finish()?;
        if let Some(address) =
            shipping_address.as_ref().filter(|address| !settings.sells_to(address.country))
        {
            return Err(Refusal::new(
                Code::CountryRefused,
                format!("this shop does not sell to {}", address.country.in_sentence()),
            ));
        }
        Ok(Self {
            email: self.email,
            first_name,
            last_name,
            phone,
            shipping_address,
            billing_address,
            shipping_method: self.shipping_method,
            selected_destination: selected.map(|selected| selected.id.clone()),
            destinations,
            consents: self.consents,
        })
    }

    /// Where tax is due.
    pub(crate) fn taxed_at(&self, settings: &Settings) -> tax::Destination {
        settings.destination(self.shipping_address.as_ref(), self.billing_address.as_ref())
    }

    /// How the goods go there. Refuses a choice that does not exist, or does not go there.
    pub(crate) fn chosen_method<'s>(
        &self,
        settings: &'s Settings,
    ) -> Result<Option<&'s ShippingMethod>, Refusal> {
        let country = self.taxed_at(settings).country;
        let method = |code| settings.shipping_method(code, country);
        self.shipping_method.as_ref().map(method).transpose()
    }

    /// Takes over what is present in `newer`.
    pub fn merge(&mut self, newer: Self) {
        self.email = newer.email.or(self.email.take());
        self.first_name = newer.first_name.or(self.first_name.take());
        self.last_name = newer.last_name.or(self.last_name.take());
        self.phone = newer.phone.or(self.phone.take());
        self.billing_address = newer.billing_address.or(self.billing_address.take());
        self.shipping_method = newer.shipping_method.or(self.shipping_method.take());
        if !newer.destinations.is_empty() {
            self.destinations = newer.destinations;
        }
        if newer.shipping_address.is_some() {
            self.shipping_address = newer.shipping_address;
            self.selected_destination = newer.selected_destination;
        }
        // Who sends other addresses without a choice has not chosen among them yet; the goods still go where
        // they were to go.
        let is_there = |selected: &String| {
            self.destinations.iter().any(|destination| destination.id == *selected)
        };
        self.selected_destination = self.selected_destination.take().filter(is_there);
        self.consents.extend(newer.consents);
    }

    /// Adds what is said with the payment; what is absent stays as it was. Nothing of it changes what is owed: where
    /// another billing address would mean other taxes, as it may if nothing is sent, it is left out.
    pub(crate) fn add_with_payment(
        &mut self,
        said: WithPayment,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        let WithPayment { consents, billing_address } = said;
        let mut said = Self { consents, billing_address, ..Self::default() }.checked(settings)?;
        let moves_tax = said.billing_address.as_ref().is_some_and(|address| {
            let moved = settings.destination(self.shipping_address.as_ref(), Some(address));
            moved != self.taxed_at(settings)
        });
        if moves_tax {
            said.billing_address = None;
        }
        self.merge(said);
        Ok(())
    }

    /// Becomes what `newer` says. Decisions on consent stay for purposes of which nothing is said.
    pub(crate) fn replace(&mut self, newer: Self) {
        let mut consents = std::mem::take(&mut self.consents);
        consents.extend(newer.consents);
        *self = Self { consents, ..newer };
    }
}

fn name(pointer: &str, name: Option<String>, errors: &mut FieldErrors) -> Option<String> {
    let name = name?;
    if text::looks_like_card_number(&name) {
        return errors.take(Err(Refusal::card_number(pointer)));
    }
    errors.take(text::optional_line(pointer, &name, 100)).filter(|name| !name.is_empty())
}

fn check_destinations(
    destinations: Vec<Destination>,
    settings: &Settings,
    errors: &mut FieldErrors,
) -> Vec<Destination> {
    if destinations.len() > DESTINATIONS_MAX {
        errors.add("/destinations", format!("must not have more than {DESTINATIONS_MAX} entries"));
        return Vec::new();
    }
    let mut ids = BTreeSet::new();
    let mut checked = Vec::with_capacity(destinations.len());
    for (at, destination) in destinations.into_iter().enumerate() {
        let pointer = format!("/destinations/{at}");
        let id = errors.take(text::line(&format!("{pointer}/id"), &destination.id, 100));
        let at = format!("{pointer}/address");
        let address = destination.address.checked_in_part(&at).and_then(|address| {
            settings.check_region(&address, &at, false)?;
            Ok(address)
        });
        let address = errors.take(address);
        let (Some(id), Some(address)) = (id, address) else { continue };
        if text::looks_like_card_number(&id) {
            errors.take::<()>(Err(Refusal::card_number(format!("{pointer}/id"))));
        }
        errors.check(ids.insert(id.clone()), format!("{pointer}/id"), "must be unique");
        checked.push(Destination { id, address });
    }
    checked
}

fn check_consents(consents: &BTreeMap<String, Consent>, errors: &mut FieldErrors) {
    let (purposes, segments, name_max) = CONSENTS_MAX;
    if consents.len() > purposes {
        return errors.add("/consents", format!("must not have more than {purposes} entries"));
    }
    for (purpose, consent) in consents {
        let pointer = format!("/consents/{}", escape(purpose));
        errors.check(
            consent.segments.len() <= segments,
            format!("{pointer}/segments"),
            format!("must not have more than {segments} entries"),
        );
        for name in std::iter::once(purpose).chain(consent.segments.keys().take(segments)) {
            errors.take(text::line("/consents", name, name_max));
            if text::looks_like_card_number(name) {
                errors.take::<()>(Err(Refusal::card_number("/consents")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::settings;

    fn home(line1: &str) -> Address {
        Address {
            name: "Ada Lovelace".into(),
            line1: line1.into(),
            line2: None,
            city: "Berlin".into(),
            region: None,
            postal_code: Some("10115".into()),
            country: "DE".parse().expect("a country"),
            phone: None,
        }
    }

    fn to(ids: &[&str], selected: Option<&str>) -> Buyer {
        let destination = |id: &&str| Destination { id: (*id).into(), address: home(id) };
        Buyer {
            destinations: ids.iter().map(destination).collect(),
            selected_destination: selected.map(str::to_owned),
            ..Buyer::default()
        }
    }

    fn pointer(buyer: Buyer) -> String {
        let refusal = buyer.checked(&settings()).expect_err("it is wrong");
        refusal.details.errors[0].pointer.clone()
    }

    #[test]
    fn goods_go_to_the_destination_that_is_selected() {
        let buyer =
            Buyer { shipping_address: Some(home("elsewhere")), ..to(&["a", "b"], Some("b")) };
        let checked = buyer.checked(&settings()).expect("it is there");
        assert_eq!(checked.shipping_address, Some(home("b")));
        assert_eq!(pointer(to(&["a"], Some("b"))), "/selected_destination");
        assert_eq!(pointer(to(&["a", "a"], None)), "/destinations/1/id");
        let many: Vec<String> = (0..21).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(pointer(to(&many, None)), "/destinations");
    }

    #[test]
    fn a_choice_ends_when_the_goods_go_elsewhere() {
        let mut buyer = to(&["a", "b"], Some("b")).checked(&settings()).expect("it is there");
        buyer.merge(Buyer { shipping_address: Some(home("typed")), ..Buyer::default() });
        assert_eq!((buyer.selected_destination.clone(), buyer.destinations.len()), (None, 2));
        let mut buyer = to(&["a", "b"], Some("b")).checked(&settings()).expect("it is there");
        buyer.merge(to(&["c"], None));
        assert_eq!((buyer.selected_destination, buyer.shipping_address), (None, Some(home("b"))));
    }

    #[test]
    fn names_phones_and_consents_are_checked() {
        let card = "4242 4242 4242 4242".to_owned();
        let consent = |name: &str| BTreeMap::from([(name.to_owned(), Consent::default())]);
        let wrong = [
            (Buyer { first_name: Some(card.clone()), ..Buyer::default() }, "/first_name"),
            (Buyer { last_name: Some("x".repeat(101)), ..Buyer::default() }, "/last_name"),
            (Buyer { phone: Some(card.clone()), ..Buyer::default() }, "/phone"),
            (Buyer { phone: Some("1\n2".into()), ..Buyer::default() }, "/phone"),
            (Buyer { consents: consent(&card), ..Buyer::default() }, "/consents"),
            (Buyer { consents: consent(""), ..Buyer::default() }, "/consents"),
        ];
        for (buyer, expected) in wrong {
            assert_eq!(pointer(buyer), expected);
        }
        let fine = Buyer {
            first_name: Some(" Ada ".into()),
            last_name: Some(String::new()),
            phone: Some("+49 1711 2345 674".into()),
            consents: consent("dev.ucp.consent.marketing"),
            ..Buyer::default()
        };
        let checked = fine.checked(&settings()).expect("it is fine");
        assert_eq!((checked.first_name.as_deref(), checked.last_name), (Some("Ada"), None));
    }

    fn said_with_payment(purpose: &str, billing: Address) -> WithPayment {
        let consents = BTreeMap::from([(purpose.to_owned(), Consent::default())]);
        WithPayment { consents, billing_address: Some(billing) }
    }

    #[test]
    fn what_is_said_with_the_payment_is_added() {
        let mut buyer = to(&["a"], Some("a")).checked(&settings()).expect("it is there");
        buyer.first_name = Some("Ada".into());
        let vienna = Address {
            country: "AT".parse().expect("a country"),
            postal_code: Some("1010".into()),
            ..home("bill")
        };
        for purpose in ["marketing", "analytics"] {
            let said = said_with_payment(purpose, vienna.clone());
            buyer.add_with_payment(said, &settings()).expect("it is fine");
        }
        assert_eq!(buyer.consents.keys().collect::<Vec<_>>(), ["analytics", "marketing"]);
        let before = buyer.clone();
        buyer.add_with_payment(WithPayment::default(), &settings()).expect("nothing is said");
        assert_eq!((&buyer, buyer.billing_address.as_ref()), (&before, Some(&vienna)));
        let card = said_with_payment("4242 4242 4242 4242", vienna);
        buyer.add_with_payment(card, &settings()).expect_err("a card number");
        assert_eq!(buyer, before);
    }

    #[test]
    fn a_billing_address_with_the_payment_never_moves_tax() {
        let at = |country: &str, region: Option<&str>| Address {
            country: country.parse().expect("a country"),
            region: region.map(str::to_owned),
            postal_code: Some(if country == "US" { "10001" } else { "10115" }.to_owned()),
            ..home("bill")
        };
        let places = [at("DE", None), at("FR", None), at("US", Some("NY")), at("US", Some("CA"))];
        let (settings, mut taken) = (settings(), 0);
        let known = || std::iter::once(None).chain(places.iter().cloned().map(Some));
        for (shipping_address, billing_address) in
            known().flat_map(|to| known().map(move |by| (to.clone(), by)))
        {
            for billing in &places {
                let mut buyer = Buyer {
                    shipping_address: shipping_address.clone(),
                    billing_address: billing_address.clone(),
                    ..Buyer::default()
                };
                let before = buyer.taxed_at(&settings);
                let said = said_with_payment("marketing", billing.clone());
                buyer.add_with_payment(said, &settings).expect("it is an address");
                assert_eq!(
                    buyer.taxed_at(&settings),
                    before,
                    "{shipping_address:?} {billing_address:?}"
                );
                assert_eq!(buyer.consents.len(), 1, "the rest is taken over");
                taken += usize::from(buyer.billing_address.as_ref() == Some(billing));
            }
        }
        // All of those whose goods are sent; at home where nothing is known; and where it says nothing new.
        assert_eq!(taken, 4 * 5 * 4 + 1 + 4);
    }

    #[test]
    fn what_is_not_said_anew_is_gone_but_consent() {
        let decided = |purpose: &str, granted| {
            (purpose.to_owned(), Consent { granted, ..Consent::default() })
        };
        let consents = BTreeMap::from([decided("marketing", true), decided("analytics", true)]);
        let mut buyer = Buyer { first_name: Some("Ada".into()), consents, ..to(&["a"], Some("a")) };
        buyer.replace(Buyer {
            last_name: Some("Lovelace".into()),
            consents: BTreeMap::from([decided("analytics", false)]),
            ..Buyer::default()
        });
        let consents = BTreeMap::from([decided("marketing", true), decided("analytics", false)]);
        let expected = Buyer { last_name: Some("Lovelace".into()), consents, ..Buyer::default() };
        assert_eq!(buyer, expected);
    }
}
