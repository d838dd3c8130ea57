//! Customers of the sandbox with the addresses that the shop remembers of them.
//!
//! The suite of 2026-01-11 wants addresses handed out to whoever types an e-mail address. No shop may do that
//! with the addresses of real people, which is why they are read from files of test data and kept in memory
//! alone: they never meet the shop's own customers.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::address::PostalAddress;

/// Most customers that are remembered beside those of the files.
const CUSTOMERS_MAX: usize = 1_000;
/// Most addresses of one customer.
const ADDRESSES_MAX: usize = 20;

/// An address with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedAddress {
    /// The name that platforms select it by.
    pub(crate) id: String,
    /// Where it is.
    pub(crate) address: PostalAddress,
}

/// Why the customers of a directory cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct BadData {
    path: PathBuf,
    source: csv::Error,
}

/// Addresses by e-mail address.
#[derive(Debug, Default)]
pub struct Customers {
    known: Mutex<BTreeMap<String, Vec<SavedAddress>>>,
}

#[derive(Deserialize)]
struct CustomerRow {
    id: String,
    email: String,
}

#[derive(Deserialize)]
struct AddressRow {
    id: String,
    customer_id: String,
    street_address: String,
    city: String,
    state: String,
    postal_code: String,
    country: String,
}

impl Customers {
    /// Reads `customers.csv` and `addresses.csv` of a directory.
    pub fn read(directory: &Path) -> Result<Self, BadData> {
        let customers: Vec<CustomerRow> = rows(&directory.join("customers.csv"))?;
        let addresses: Vec<AddressRow> = rows(&directory.join("addresses.csv"))?;
        let mut known = BTreeMap::new();
        for customer in customers {
            let own = addresses.iter().filter(|address| address.customer_id == customer.id);
            let own: Vec<_> = own.take(ADDRESSES_MAX).map(SavedAddress::from).collect();
            known.insert(normalized(&customer.email), own);
        }
        Ok(Self { known: Mutex::new(known) })
    }

    /// The addresses of a customer, those of the files first.
    pub(crate) fn addresses(&self, email: &str) -> Vec<SavedAddress> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&normalized(email)).cloned().unwrap_or_default()
    }

    /// The name of an address: the one that it is known by, or else one that follows from what it says.
    pub(crate) fn name(&self, email: &str, address: &PostalAddress) -> String {
        let mut known = self.addresses(email).into_iter();
        match known.find(|saved| saved.address.is_same_place(address)) {
            Some(saved) => saved.id,
            None => named_by_content(email, address),
        }
    }

    /// Remembers an address for the next time. One that is known, or that no parcel would find, changes nothing.
    pub(crate) fn remember(&self, email: &str, id: &str, address: &PostalAddress) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let email = normalized(email);
        if !known.contains_key(&email) && known.len() >= CUSTOMERS_MAX {
            return;
        }
        let own = known.entry(email).or_default();
        let is_known =
            own.iter().any(|saved| saved.id == id || saved.address.is_same_place(address));
        if address.is_whole() && !is_known && own.len() < ADDRESSES_MAX {
            own.push(SavedAddress { id: id.to_owned(), address: address.clone() });
        }
    }
}

impl From<&AddressRow> for SavedAddress {
    fn from(row: &AddressRow) -> Self {
        let part = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let address = PostalAddress {
            street_address: part(&row.street_address),
            address_locality: part(&row.city),
            address_region: part(&row.state),
            postal_code: part(&row.postal_code),
            address_country: part(&row.country),
            ..PostalAddress::default()
        };
        Self { id: row.id.clone(), address }
    }
}

fn rows<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Vec<T>, BadData> {
    let read = || csv::Reader::from_path(path)?.deserialize().collect::<Result<_, csv::Error>>();
    read().map_err(|source| BadData { path: path.to_owned(), source })
}

fn normalized(email: &str) -> String {
    email.trim().to_lowercase()
}

fn named_by_content(email: &str, address: &PostalAddress) -> String {
    let mut hash = Sha256::new();
    for part in [normalized(email)].iter().chain(&address.place()) {
        // No part has a line feed, so no two addresses have the same text.
        hash.update(part.as_bytes());
        hash.update(b"\n");
    }
    let hex: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("addr_{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn street(street: &str) -> PostalAddress {
        PostalAddress {
            street_address: Some(street.to_owned()),
            address_locality: Some("Villagetown".into()),
            address_country: Some("US".into()),
            ..PostalAddress::default()
        }
    }

    fn of_files() -> Customers {
        let directory = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| {
            std::fs::write(directory.path().join(name), text).expect("a file");
        };
        write(
            "customers.csv",
            "id,name,email\nc1,John,John@example.com\nc2,Jane,jane@example.com\n",
        );
        write(
            "addresses.csv",
            "id,customer_id,street_address,city,state,postal_code,country\n\
             a1,c1,1 Main St,Springfield,IL,62704,US\na2,c1,2 Oak Ave,Metropolis,NY,10012,US\n",
        );
        Customers::read(directory.path()).expect("customers")
    }

    #[test]
    fn an_address_is_known_by_the_email_and_by_what_it_says() {
        let customers = of_files();
        let known: Vec<_> =
            customers.addresses("john@EXAMPLE.com").into_iter().map(|saved| saved.id).collect();
        assert_eq!(known, ["a1", "a2"]);
        assert!(customers.addresses("jane@example.com").is_empty());
        assert!(customers.addresses("nobody@example.com").is_empty());
        let same = customers.addresses("john@example.com")[1].address.clone();
        assert_eq!(customers.name("john@example.com", &same), "a2");
        assert_ne!(customers.name("jane@example.com", &same), "a2");
    }

    #[test]
    fn a_new_address_gets_a_name_that_stays() {
        let customers = of_files();
        let name = customers.name("new@example.com", &street("789 Pine St"));
        assert_eq!(customers.name("new@example.com", &street(" 789 PINE st")), name);
        assert_ne!(customers.name("new@example.com", &street("790 Pine St")), name);
        for _ in 0..2 {
            customers.remember("new@example.com", &name, &street("789 Pine St"));
        }
        let known = customers.addresses("new@example.com");
        assert_eq!(known.len(), 1);
        assert_eq!(known[0].id, name);
    }

    #[test]
    fn half_an_address_is_not_remembered() {
        let customers = Customers::default();
        let half = PostalAddress { address_country: Some("US".into()), ..PostalAddress::default() };
        customers.remember("new@example.com", "dest_1", &half);
        assert!(customers.addresses("new@example.com").is_empty());
    }

    #[test]
    fn memory_has_an_end() {
        let customers = Customers::default();
        for count in 0..2 * ADDRESSES_MAX {
            let address = street(&format!("{count} Main St"));
            customers.remember("one@example.com", &format!("a{count}"), &address);
        }
        assert_eq!(customers.addresses("one@example.com").len(), ADDRESSES_MAX);
        for count in 0..2 * CUSTOMERS_MAX {
            customers.remember(&format!("{count}@example.com"), "a", &street("1 Main St"));
        }
        assert_eq!(customers.known.lock().expect("nobody panicked").len(), CUSTOMERS_MAX);
    }

    #[test]
    fn missing_files_are_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let error = Customers::read(directory.path()).expect_err("no files");
        assert!(error.to_string().contains("customers.csv"), "{error}");
    }
}
