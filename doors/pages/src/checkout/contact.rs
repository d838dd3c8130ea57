//! The first step: where the receipt and the goods go.

use askama::Template;
use axum::{extract::State, response::Response};
use handel_domain::{
    Code, Refusal,
    address::{Address, Country, Part, Usage},
    checkout::Buyer,
    id::CheckoutId,
    refusal::FieldErrors,
    text::Email,
};
use handel_kit::{Door, PathParams, Problem, status_of};
use http::StatusCode;

use super::{Desk, Step, Summary, is_outdated};
use crate::{
    field::{Choice, Complaint, Field, complain},
    page::{Frame, Privacy, see, show},
    visit::{Fields, Form},
    words::{ENGLISH, Words},
};

#[derive(Template)]
#[template(path = "checkout_contact.html")]
struct ContactPage {
    w: &'static Words,
    frame: Frame,
    c: Summary,
    complaints: Vec<Complaint>,
    email: Field,
    /// Where the goods go; empty if nothing is sent.
    shipping: Vec<Field>,
    billing: Vec<Field>,
    /// Whether another address is billed.
    is_billed_elsewhere: bool,
    /// The countries that the fields are shown for, as they are sent back.
    shown_for: Vec<(String, String)>,
}

/// What stands before the names of the fields of an address.
const SHIPPING: &str = "";
const BILLING: &str = "billing-";
/// What the country is called that the fields of an address were shown for.
const SHOWN_FOR: &str = "country-shown";
/// The fields without which there is no address.
const ADDRESS: [&str; 7] = ["name", "line1", "line2", "city", "region", "postal_code", "phone"];

/// The form with what is known already.
pub(super) fn show_form(door: &Door, desk: &Desk) -> Response {
    let buyer = &desk.view.checkout.buyer;
    let email = buyer.email.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut known = vec![("email".to_owned(), email)];
    // An agent may know where the buyer lives without knowing where this should go.
    let likely = buyer.destinations.first().map(|destination| &destination.address);
    known.extend(pairs(SHIPPING, buyer.shipping_address.as_ref().or(likely)));
    let names: Vec<_> =
        [&buyer.first_name, &buyer.last_name].into_iter().flatten().cloned().collect();
    known.push((format!("{SHIPPING}name"), names.join(" ")));
    known.extend(buyer.phone.clone().map(|phone| (format!("{SHIPPING}phone"), phone)));
    known.extend(pairs(BILLING, buyer.billing_address.as_ref()));
    let differs =
        buyer.billing_address.is_some() && buyer.billing_address != buyer.shipping_address;
    known.push(("billing".to_owned(), if differs { "other" } else { "same" }.to_owned()));
    answer(door, desk, &Fields::from_pairs(known), None)
}

fn pairs(prefix: &str, address: Option<&Address>) -> Vec<(String, String)> {
    let Some(address) = address.cloned() else { return Vec::new() };
    let pairs = [
        ("name", Some(address.name)),
        ("line1", Some(address.line1)),
        ("line2", address.line2),
        ("city", Some(address.city)),
        ("region", address.region),
        ("postal_code", address.postal_code),
        ("country", Some(address.country.to_string())),
        ("phone", address.phone),
    ];
    pairs
        .into_iter()
        .filter_map(|(name, value)| Some((format!("{prefix}{name}"), value?)))
        .collect()
}

/// The form with what was typed, and what is wrong with it.
fn answer(door: &Door, desk: &Desk, typed: &Fields, refusal: Option<&Refusal>) -> Response {
    let mut email =
        Field::text("email", ENGLISH.email, "email").kind("email").hint(ENGLISH.email_hint);
    email.value = typed.get("email").to_owned();
    let mut shipping = match desk.needs_delivery() {
        true => address_fields(SHIPPING, "shipping", desk, typed),
        false => Vec::new(),
    };
    let mut billing = address_fields(BILLING, "billing", desk, typed);
    let mut all: Vec<&mut Field> = vec![&mut email];
    all.extend(&mut shipping);
    all.extend(&mut billing);
    let complaints = match refusal {
        Some(refusal) => complaints(&mut all, refusal),
        None => Vec::new(),
    };
    let title = if complaints.is_empty() { ENGLISH.checkout } else { ENGLISH.checkout_wrong };
    let page = ContactPage {
        w: &ENGLISH,
        frame: desk.frame(door, title),
        c: Summary::new(desk, Step::Contact),
        complaints,
        email,
        shipping,
        billing,
        is_billed_elsewhere: typed.get("billing") == "other",
        shown_for: [SHIPPING, BILLING]
            .map(|prefix| {
                let country = country_of(prefix, desk, typed);
                (format!("{prefix}{SHOWN_FOR}"), country.to_string())
            })
            .into(),
    };
    let status = refusal.map_or(StatusCode::OK, |refusal| status_of(refusal.code));
    show(door, status, Privacy::Personal, &page)
}

fn complaints(fields: &mut [&mut Field], refusal: &Refusal) -> Vec<Complaint> {
    if refusal.details.errors.is_empty() {
        let text = ENGLISH.sentence(&refusal.message);
        for field in fields.iter_mut().filter(|field| field.name == "country") {
            field.error = Some(text.clone());
        }
        return vec![Complaint::at("country", text)];
    }
    let field_of = |pointer: &str| {
        let plain = pointer.strip_prefix('/')?;
        Some(match plain.split_once('/') {
            Some(("shipping_address", name)) => format!("{SHIPPING}{name}"),
            Some(("billing_address", name)) => format!("{BILLING}{name}"),
            _ => plain.to_owned(),
        })
    };
    complain(fields, &refusal.details.errors, field_of, &ENGLISH)
}

/// The country whose address is asked for: the one that was chosen, else the one of the channel.
fn country_of(prefix: &str, desk: &Desk, typed: &Fields) -> Country {
    let chosen = Country::read("", typed.get(&format!("{prefix}country")));
    chosen.unwrap_or_else(|_| desk.home())
}

/// The fields of an address as its country has them. The country comes first, for it decides the others.
fn address_fields(prefix: &str, group: &str, desk: &Desk, typed: &Fields) -> Vec<Field> {
    let w = &ENGLISH;
    let field = |name: &str, label: &str, complete: &str| {
        Field::text(format!("{prefix}{name}"), label, &format!("{group} {complete}"))
    };
    let chosen = country_of(prefix, desk, typed);
    // Goods go where the channel sells to; bills go anywhere.
    let is_offered =
        |country: &Country| prefix != SHIPPING || desk.channel.settings.sells_to(*country);
    let countries = Country::all().iter().copied().filter(is_offered);
    let countries = countries
        .map(|country| Choice::new(country.as_str(), country.name()).chosen(country == chosen));
    let mut fields = vec![
        field("country", w.country, "country")
            .choices(countries.collect())
            .update(w.update_country),
        field("name", w.name, "name"),
        field("line1", w.line1, "address-line1"),
        field("line2", w.line2, "address-line2").optional(w.optional),
    ];
    for part in chosen.order_of_parts() {
        let (name, complete) = match part {
            Part::City => ("city", "address-level2"),
            Part::Region => ("region", "address-level1"),
            Part::PostalCode => ("postal_code", "postal-code"),
        };
        let value = typed.get(&format!("{prefix}{name}"));
        let usage = match part {
            Part::Region if desk.channel.settings.tax.depends_on_region(chosen) => Usage::Required,
            part => chosen.usage(part),
        };
        if usage == Usage::Unused && value.is_empty() {
            continue;
        }
        let mut part_field = field(name, &w.capitalized(chosen.label(part)), complete).half();
        if part == Part::Region {
            part_field = part_field.choices(region_choices(chosen, value));
        }
        fields.push(match usage {
            Usage::Required => part_field,
            Usage::Optional | Usage::Unused => part_field.optional(w.optional),
        });
    }
    fields.push(field("phone", w.phone, "tel").kind("tel").optional(w.optional).hint(w.phone_hint));
    for field in &mut fields {
        typed.get(&field.name).clone_into(&mut field.value);
    }
    fields
}

/// The regions of a country to choose from; none where none are known. What was typed and is none of them stays.
fn region_choices(country: Country, typed: &str) -> Vec<Choice> {
    let known = country.region(typed);
    let mut choices: Vec<_> = country
        .regions()
        .iter()
        .map(|region| {
            let label = match region.local_name() {
                local if local == region.name => region.name.to_owned(),
                local => format!("{} ({local})", region.name),
            };
            Choice::new(region.code, label).chosen(known == Some(region))
        })
        .collect();
    if !choices.is_empty() {
        let other = if known.is_none() { typed } else { Default::default() };
        let label = if other.is_empty() { ENGLISH.choose } else { other };
        choices.insert(0, Choice::new(other, label).chosen(known.is_none()));
    }
    choices
}

/// Takes in what was typed, and goes on.
pub(super) async fn save(
    State(door): State<Door>,
    PathParams(id): PathParams<CheckoutId>,
    form: Form,
) -> Result<Response, Problem> {
    if form.fields.some("update").is_some() {
        let desk = Desk::load(&door, &form.visit, id).await?;
        return Ok(answer(&door, &desk, &form.fields, None));
    }
    let desk = Desk::peek(&door, &form.visit, id).await?;
    let again = async |refusal: &Refusal| {
        let desk = Desk::load(&door, &form.visit, id).await?;
        Ok(answer(&door, &desk, &form.fields, Some(refusal)))
    };
    let buyer = match read(&desk, &form.fields) {
        Ok(buyer) => buyer,
        Err(refusal) => return again(&refusal).await,
    };
    match door.engine().update_checkout(&form.visit.ctx, id, buyer, None).await {
        Ok(once) => {
            let next = if desk.needs_delivery() { Step::Delivery } else { Step::Review };
            Ok(see(&next.address(once.reply.checkout.id)))
        }
        Err(error) if is_outdated(error.code()) => Ok(see(&format!("/checkout/{id}"))),
        Err(error) if is_about_form(error.code()) => again(&error.refusal).await,
        Err(error) => Err(error.into()),
    }
}

fn is_about_form(code: Code) -> bool {
    matches!(
        code,
        Code::InputInvalid
            | Code::CardNumberRefused
            | Code::CountryRefused
            | Code::ShippingMethodUnknown
            | Code::TaxRateMissing
    )
}

fn read(desk: &Desk, typed: &Fields) -> Result<Buyer, Refusal> {
    let mut errors = FieldErrors::default();
    let email = match typed.some("email") {
        Some(email) => errors.take(Email::parse("/email", &email)),
        None => errors.take(Err(Refusal::field("/email", ENGLISH.email_missing))),
    };
    // The engine checks again; asked here, it names the wrong fields of both addresses and the e-mail at once.
    let address = |prefix, pointer| {
        let address = read_address(prefix, pointer, typed)?.checked(pointer)?;
        desk.channel.settings.check_region(&address, pointer, true)?;
        Ok(address)
    };
    let shipping_address = match desk.needs_delivery() {
        true => errors.take(address(SHIPPING, "/shipping_address")),
        false => None,
    };
    let before = desk.view.checkout.buyer.billing_address.as_ref();
    let names = ADDRESS.map(|name| format!("{BILLING}{name}"));
    let is_blank = typed.are_empty(&names.each_ref().map(String::as_str));
    let billing_address = match (desk.needs_delivery(), typed.get("billing")) {
        (true, "other") => errors.take(address(BILLING, "/billing_address")),
        // What was said before cannot be unsaid, but it can be said anew.
        (true, _) => before.and(shipping_address.clone()),
        (false, _) if is_blank => None,
        (false, _) => errors.take(address(BILLING, "/billing_address")),
    };
    errors.finish()?;
    let shipping_method = shipping_address.as_ref().and_then(|to| method_for(desk, to.country));
    Ok(Buyer { email, shipping_address, billing_address, shipping_method, ..Buyer::default() })
}

/// The cheapest method to a country, if the one that was chosen does not go there.
fn method_for(desk: &Desk, country: Country) -> Option<handel_domain::text::Slug> {
    let settings = &desk.channel.settings;
    let chosen = desk.view.checkout.buyer.shipping_method.as_ref()?;
    match settings.shipping_method(chosen, country) {
        Ok(_) => None,
        Err(_) => settings.shipping_methods_to(country).first().map(|method| method.code.clone()),
    }
}

fn read_address(prefix: &str, pointer: &str, typed: &Fields) -> Result<Address, Refusal> {
    let said = |name: &str| typed.some(&format!("{prefix}{name}"));
    let country =
        Country::read(&format!("{pointer}/country"), &said("country").unwrap_or_default())?;
    // A region that was chosen for another country is none of this one.
    let is_same = said(SHOWN_FOR).is_none_or(|shown| shown == country.as_str());
    Ok(Address {
        country,
        name: said("name").unwrap_or_default(),
        line1: said("line1").unwrap_or_default(),
        line2: said("line2"),
        city: said("city").unwrap_or_default(),
        region: said("region").filter(|_| is_same),
        postal_code: said("postal_code"),
        phone: said("phone"),
    })
}
