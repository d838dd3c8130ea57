//! What merchants may bring, what hostile files may do, and that an export reads back.

mod hostile;
mod mapping;
mod problems;
mod round_trip;

use std::io::Read;

use handel_domain::Currency;

use super::{ImportedProduct, Item, Reader, RowError};

fn currency(code: &str) -> Currency {
    code.parse().expect("a known currency")
}

fn reader<R: Read>(file: R) -> Reader<R> {
    Reader::new(file, currency("USD")).expect("a header with the mandatory columns")
}

fn items(file: &str) -> Vec<Item> {
    reader(file.as_bytes()).map(|item| item.expect("memory can be read")).collect()
}

/// The products of a file, and the rows that make none.
fn sorted(file: &str) -> (Vec<ImportedProduct>, Vec<RowError>) {
    let (mut products, mut rejected) = (Vec::new(), Vec::new());
    for item in items(file) {
        match item {
            Item::Product(product) => products.push(*product),
            Item::Rejected(errors) => {
                assert!(!errors.is_empty(), "a rejection tells why");
                rejected.extend(errors);
            }
        }
    }
    (products, rejected)
}

/// The only product of a file without rejected rows.
fn only_product(file: &str) -> ImportedProduct {
    let (mut products, rejected) = sorted(file);
    assert_eq!((products.len(), rejected), (1, Vec::new()));
    let product = products.remove(0);
    assert_eq!(product.rejected, []);
    product
}

/// Errors as people read them.
fn told(errors: &[RowError]) -> Vec<String> {
    errors.iter().map(RowError::to_string).collect()
}
