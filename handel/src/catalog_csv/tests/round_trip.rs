//! Goal: what is written reads back as it was.

use handel_domain::{
    catalog::{
        Attribute, AttributeValue, Backorder, Media, Price, ProductInput, ProductOption,
        ProductStatus, Seo, VariantInput,
    },
    text::{Sku, Slug},
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    super::{ExportedProduct, ImportedProduct, Writer},
    currency, sorted,
};

/// Texts as people write them, among them what spreadsheets and CSV take for something else.
fn text() -> impl Strategy<Value = String> {
    "[-=+@']{0,2}[a-zäß0-9]([a-z ,;\"'=<>&/ß-]{0,20}[a-z\"'=0-9])?"
}

fn price(code: &'static str) -> impl Strategy<Value = Price> {
    (0i64..1_000_000_000, option::of(1i64..1_000)).prop_map(move |(amount_minor, more)| Price {
        currency: currency(code),
        amount_minor,
        compare_at_minor: more.map(|more| amount_minor + more),
    })
}

fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    let value = prop_oneof![
        text().prop_map(AttributeValue::Text),
        any::<i32>().prop_map(|number| AttributeValue::Number(number.into())),
        any::<bool>().prop_map(AttributeValue::Boolean),
        vec(text(), 0..3).prop_map(AttributeValue::Choices),
    ];
    option::of(value).prop_map(|value| {
        value.map(|value| Attribute { name: "material".to_owned(), value }).into_iter().collect()
    })
}

/// What a variant has beside its SKU and options.
fn variant() -> impl Strategy<Value = (VariantInput, Option<i64>)> {
    let backorder = prop_oneof![
        Just(Backorder::Deny),
        Just(Backorder::Allow),
        any::<u32>().prop_map(Backorder::UpTo)
    ];
    let stock = option::of(0i64..1_000);
    let details = (price("USD"), option::of(price("EUR")), backorder, option::of("'?[0-9]{8}"));
    (details, stock, any::<(bool, bool)>(), 0i64..1_000_000).prop_map(
        |((usd, eur, backorder, barcode), stock, (requires_shipping, tracked), weight_grams)| {
            let variant = VariantInput {
                id: None,
                sku: "PENDING".parse().expect("a SKU"),
                option_values: Vec::new(),
                barcode,
                weight_grams,
                requires_shipping,
                tracked,
                backorder,
                prices: [Some(usd), eur].into_iter().flatten().collect(),
            };
            (variant, stock.filter(|_| tracked))
        },
    )
}

/// Everything of a product but its variants.
fn frame() -> impl Strategy<Value = ProductInput> {
    let texts = (text(), text(), text(), text(), text(), text());
    let statuses = [ProductStatus::Active, ProductStatus::Draft, ProductStatus::Archived];
    let classes = (select(statuses.to_vec()), select(vec!["standard", "none", "reduced"]));
    let lists = (vec("[a-z=@-]{0,3}[a-z]", 0..4), attributes(), vec(text(), 0..6));
    (texts, classes, lists).prop_map(|(texts, (status, tax_class), (tags, attributes, alts))| {
        let (title, description_html, vendor, product_type, seo_title, seo_description) = texts;
        let picture = |(at, alt)| Media { url: format!("/media/{at}.svg"), alt };
        ProductInput {
            slug: None,
            title,
            description_html,
            vendor,
            product_type,
            status,
            tax_class: tax_class.to_owned(),
            tags,
            options: Vec::new(),
            attributes,
            category_ids: Vec::new(),
            media: alts.into_iter().enumerate().map(picture).collect(),
            seo: Seo { title: seo_title, description: seo_description },
            variants: Vec::new(),
        }
    })
}

fn product(number: usize) -> impl Strategy<Value = ExportedProduct> {
    let categories = vec("[A-Z][a-z]{1,8}( > [A-Z][a-z]{1,8})?", 1..4);
    let variants = vec(variant(), 1..6);
    (frame(), categories, vec(text(), 0..4), variants).prop_map(
        move |(mut input, mut category_names, names, mut variants)| {
            if names.is_empty() {
                variants.truncate(1);
            }
            category_names.sort_unstable();
            category_names.dedup();
            let mut stock = Vec::new();
            for (at, (variant, on_hand)) in variants.into_iter().enumerate() {
                let start = ["", "'", "=", "'9"][at % 4];
                let sku: Sku = format!("{start}P{number}-{at}").parse().expect("a SKU");
                stock.extend(on_hand.map(|on_hand| (sku.clone(), on_hand)));
                let option_values = (0..names.len()).map(|n| format!("-{n}.{at}")).collect();
                input.variants.push(VariantInput { sku, option_values, ..variant });
            }
            for (at, name) in names.into_iter().enumerate() {
                let variants = input.variants.iter();
                let values = variants.map(|variant| variant.option_values[at].clone()).collect();
                input.options.push(ProductOption { name, values });
            }
            let handle: Slug = format!("product-{number}").parse().expect("a slug");
            input.slug = Some(handle.clone());
            ExportedProduct { handle, input, category_names, stock }
        },
    )
}

fn written(products: &[ExportedProduct]) -> String {
    let mut writer = Writer::new(Vec::new(), currency("USD"), &[currency("EUR"), currency("USD")])
        .expect("memory can be written");
    for product in products {
        writer.write(product).expect("memory can be written");
    }
    String::from_utf8(writer.finish().expect("memory can be written")).expect("text")
}

fn exported(product: ImportedProduct) -> ExportedProduct {
    let ImportedProduct { handle, input, category_names, stock, .. } = product;
    ExportedProduct { handle, input, category_names, stock }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn an_export_reads_back_as_it_was(one in product(1), two in product(2)) {
        let products = vec![one, two];
        let file = written(&products);
        let (read, rejected) = sorted(&file);
        prop_assert_eq!(rejected, vec![]);
        for product in &read {
            prop_assert_eq!((&product.rejected, &product.warnings), (&vec![], &vec![]), "{}", file);
        }
        let read: Vec<_> = read.into_iter().map(exported).collect();
        prop_assert_eq!(read, products);
    }

    #[test]
    fn no_cell_of_an_export_is_a_formula(product in product(1)) {
        let file = written(&[product]);
        for row in csv::Reader::from_reader(file.as_bytes()).records() {
            for cell in &row.expect("our own CSV") {
                let is_number = cell.parse::<rust_decimal::Decimal>().is_ok();
                prop_assert!(is_number || !cell.starts_with(['=', '+', '-', '@']), "{}", cell);
            }
        }
    }
}

#[test]
fn our_header_is_understood_by_our_reader() {
    let file = written(&[]);
    let reader = super::reader(file.as_bytes());
    assert_eq!(reader.ignored_columns(), [""; 0]);
}
