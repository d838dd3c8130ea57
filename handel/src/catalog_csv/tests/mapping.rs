//! Goal: each column ends up where it belongs.

use handel_domain::catalog::{Backorder, Price, ProductStatus};

use super::{currency, only_product, reader, sorted};

const SHOPIFY: &str = "\
Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,\
Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,\
Variant Price,Variant Compare At Price,Variant Requires Shipping,Variant Taxable,Variant Barcode,\
Image Src,Image Position,Image Alt Text,SEO Title,SEO Description,\
Google Shopping / Google Product Category,Google Shopping / Gender,Variant Weight Unit,Variant Tax Code\n\
felt-hat,Felt Hat,<p>Warm.</p>,Oakmoor,Hats,\"wool, winter,, gift \",true,Size,S,Color,Moss,\
HAT-S,120.5,,3,deny,35,49.00,true,true,'0012345678905,https://example.com/2.jpg,2,Side,Hat,A hat,\
Apparel & Accessories>Hats,unisex,kg,\n\
felt-hat,,,,,,,,L,,Moss,,130,shopify,0,continue,36.5,,false,true,,https://example.com/1.jpg,1,Front,,,,,kg,\n\
felt-hat,,,,,,,,,,,,,,,,,,,,,https://example.com/3.jpg,3,,,,,,,\n";

#[test]
fn a_product_of_several_rows_becomes_one_input() {
    let product = only_product(SHOPIFY);
    let input = &product.input;
    assert_eq!((product.line, product.handle.as_str()), (2, "felt-hat"));
    assert_eq!((input.title.as_str(), input.vendor.as_str()), ("Felt Hat", "Oakmoor"));
    assert_eq!(
        (input.description_html.as_str(), input.product_type.as_str()),
        ("<p>Warm.</p>", "Hats")
    );
    assert_eq!(input.tags, ["wool", "winter", "gift"]);
    assert_eq!(input.status, ProductStatus::Active);
    assert_eq!((input.seo.title.as_str(), input.seo.description.as_str()), ("Hat", "A hat"));
    assert_eq!(product.category_names, ["Hats", "Apparel & Accessories > Hats"]);
    let options: Vec<_> = input
        .options
        .iter()
        .map(|option| (option.name.as_str(), option.values.join(",")))
        .collect();
    assert_eq!(options, [("Size", "S,L".to_owned()), ("Color", "Moss".to_owned())]);
    let pictures: Vec<_> =
        input.media.iter().map(|media| (media.url.as_str(), media.alt.as_str())).collect();
    assert_eq!(
        pictures,
        [
            ("https://example.com/1.jpg", "Front"),
            ("https://example.com/2.jpg", "Side"),
            ("https://example.com/3.jpg", ""),
        ]
    );
    assert_eq!(product.warnings, []);
}

#[test]
fn variants_carry_price_weight_stock_and_policy() {
    let product = only_product(SHOPIFY);
    let [small, large] = product.input.variants.as_slice() else { panic!("two variants") };
    assert_eq!((small.sku.as_str(), large.sku.as_str()), ("HAT-S", "FELT-HAT-L-MOSS"));
    assert_eq!((small.weight_grams, large.weight_grams), (121, 130));
    assert_eq!(small.barcode.as_deref(), Some("0012345678905"));
    assert!(small.tracked && large.tracked && small.requires_shipping && !large.requires_shipping);
    assert_eq!((small.backorder, large.backorder), (Backorder::Deny, Backorder::Allow));
    let usd = currency("USD");
    let price =
        |amount_minor, compare_at_minor| Price { currency: usd, amount_minor, compare_at_minor };
    assert_eq!(small.prices, [price(3500, Some(4900))]);
    assert_eq!(large.prices, [price(3650, None)]);
    let stock: Vec<_> = product.stock.iter().map(|(sku, count)| (sku.as_str(), *count)).collect();
    assert_eq!(stock, [("HAT-S", 3), ("FELT-HAT-L-MOSS", 0)]);
}

#[test]
fn headers_come_in_any_order_and_case_with_a_byte_order_mark() {
    let file = "\u{feff}\"variant price\",COLOR CODE,title,HANDLE\r\n9.90,x,\"A, \"\"B\"\"\r\nC\",a\r\n\r\n";
    let product = only_product(&file.replace("\r\nC", " C"));
    assert_eq!(product.input.title, "A, \"B\" C");
    assert_eq!(product.input.variants[0].sku.as_str(), "A");
    assert_eq!(reader(file.as_bytes()).ignored_columns(), ["COLOR CODE"]);
}

#[test]
fn quoted_line_breaks_stay_and_lines_are_still_counted() {
    let file =
        "Handle,Title,Body (HTML),Variant Price\r\na,A,\"one\r\ntwo\r\nthree\",1\r\n\r\nb,B,,x\r\n";
    let (products, rejected) = sorted(file);
    assert_eq!(products[0].input.description_html, "one\r\ntwo\r\nthree");
    assert_eq!(rejected[0].line, 6);
}

#[test]
fn one_default_variant_means_no_options() {
    let file =
        "Handle,Title,Option1 Name,Option1 Value,Variant Price\nmug,Mug,Title,Default Title,5\n";
    let product = only_product(file);
    assert_eq!(product.input.options, []);
    assert_eq!(product.input.variants[0].option_values, [""; 0]);
    assert_eq!(product.input.variants[0].sku.as_str(), "MUG");
    assert!(!product.input.variants[0].tracked, "a file without quantities tracks no stock");
}

#[test]
fn status_and_published_agree_on_the_more_careful() {
    let cases = [
        ("active", "true", ProductStatus::Active),
        ("Active", "", ProductStatus::Active),
        ("", "", ProductStatus::Active),
        ("", "FALSE", ProductStatus::Draft),
        ("active", "false", ProductStatus::Draft),
        ("draft", "true", ProductStatus::Draft),
        ("archived", "false", ProductStatus::Archived),
        ("unlisted", "true", ProductStatus::Draft),
    ];
    for (status, published, expected) in cases {
        let file =
            format!("Handle,Title,Variant Price,Status,Published\na,A,1,{status},{published}\n");
        assert_eq!(only_product(&file).input.status, expected, "{status} {published}");
    }
}

#[test]
fn one_variant_that_is_not_taxable_makes_the_class_none() {
    let file = "Handle,Title,Option1 Name,Option1 Value,Variant Price,Variant Taxable\n\
                a,A,Size,S,1,true\na,,,L,1,false\n";
    assert_eq!(only_product(file).input.tax_class, "none");
    assert_eq!(only_product("Handle,Title,Variant Price\na,A,1\n").input.tax_class, "standard");
}

#[test]
fn columns_of_other_currencies_add_prices() {
    let file = "Handle,Title,Variant Price,price / eur,Compare At Price / EUR,Price / International\n\
                a,A,1.50,1.40,2,9\nb,B,1,,,\n";
    let (products, rejected) = sorted(file);
    assert_eq!(rejected, []);
    let eur = Price { currency: currency("EUR"), amount_minor: 140, compare_at_minor: Some(200) };
    assert_eq!(products[0].input.variants[0].prices[1..], [eur]);
    assert_eq!(products[1].input.variants[0].prices.len(), 1);
    assert_eq!(reader(file.as_bytes()).ignored_columns(), ["Price / International"]);
}

#[test]
fn skus_are_the_same_at_every_import_and_unique_in_the_file() {
    let file = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n\
                a,A,Size,Small,,1\na,,,small,,1\na,,,赤,,1\na,,,X,A-Y,1\na,,,Y,,1\n\
                a-small,A,Title,Default Title,,1\n";
    let skus = || -> Vec<String> {
        let (products, rejected) = sorted(file);
        assert_eq!(rejected, []);
        let variants = products.iter().flat_map(|product| &product.input.variants);
        variants.map(|variant| variant.sku.to_string()).collect()
    };
    let first = skus();
    assert_eq!((first.len(), first[0].as_str(), first[3].as_str()), (6, "A-SMALL", "A-Y"));
    let mut distinct = first.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 6, "{first:?}");
    assert_eq!(first, skus());
}
