//! Product files of merchants.

use std::collections::HashMap;

use handel_domain::{
    Currency,
    catalog::Product,
    id::{ProductId, VariantId},
};

use crate::catalog_csv::{ExportedProduct, ImportedProduct, Item, Reader, Writer};

/// Reads a file. Every product can be made, and one that is written again reads back as it was.
pub(crate) fn read(data: &[u8]) {
    let Ok(reader) = Reader::new(data, currency()) else { return };
    for item in reader {
        match item.expect("memory can be read") {
            Item::Rejected(errors) => assert!(!errors.is_empty(), "a rejection tells why"),
            Item::Product(product) => {
                let product = *product;
                let made = make(&product);
                let export = ExportedProduct {
                    handle: product.handle.clone(),
                    input: ExportedProduct::new(made.clone(), Vec::new(), Vec::new()).input,
                    category_names: product.category_names.clone(),
                    stock: product.stock.clone(),
                };
                let again = make(&read_back(&export));
                assert_eq!(made, again, "it reads back as another product");
            }
        }
    }
}

fn make(product: &ImportedProduct) -> Product {
    let mut count = 0;
    let mint = || {
        count += 1;
        VariantId::from_u128(count)
    };
    let time = "2026-01-05T09:00:00Z".parse().expect("a time");
    let id = ProductId::from_u128(1);
    let made = Product::create(id, product.input.clone(), &HashMap::new(), mint, time);
    made.unwrap_or_else(|refusal| panic!("{product:?} cannot be made: {refusal:?}"))
}

fn read_back(product: &ExportedProduct) -> ImportedProduct {
    let currencies = currencies_of(product);
    let writer = Writer::new(Vec::new(), currency(), &currencies);
    let mut writer = writer.expect("memory can be written");
    writer.write(product).expect("memory can be written");
    let file = writer.finish().expect("memory can be written");
    let text = String::from_utf8_lossy(&file).into_owned();
    let mut items: Vec<_> = Reader::new(&file[..], currency()).expect("a header").collect();
    assert_eq!(items.len(), 1, "{text}");
    match items.pop() {
        Some(Ok(Item::Product(product))) => {
            assert_eq!(product.rejected, [], "{text}");
            *product
        }
        other => panic!("{other:?} instead of a product: {text}"),
    }
}

fn currencies_of(product: &ExportedProduct) -> Vec<Currency> {
    let variants = product.input.variants.iter();
    let mut currencies: Vec<_> =
        variants.flat_map(|variant| &variant.prices).map(|price| price.currency).collect();
    currencies.sort_unstable_by_key(ToString::to_string);
    currencies.dedup();
    currencies
}

fn currency() -> Currency {
    "USD".parse().expect("a currency")
}
