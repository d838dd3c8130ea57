//! Goal: a bad row costs only itself, and is told by its line.

use super::{super::Error, Reader, currency, sorted, told};

#[test]
fn a_bad_row_of_a_product_leaves_the_good_ones() {
    let file = "\
Handle,Title,Option1 Name,Option1 Value,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Grams
a,A,Size,XS,1,deny,1.999,
a,,,S,-4,deny,1,
a,,,M,2000000000,deny,1,
a,,,L,5,sometimes,1,
a,,Color,XL,5,deny,1,
a,,,XXL,5,deny,1,heavy
a,,,,5,deny,1,
a,,,One,5,deny,1,
a,,,One,5,deny,1,
a,,,Two,5,deny,,
a,,,Three,5,deny,\"1,299.00\",
a,,,Four,5,deny,-1,
a,,,Five,5,deny,99999999999999,
";
    let (products, rejected) = sorted(file);
    assert_eq!(rejected, []);
    let values: Vec<_> =
        products[0].input.variants.iter().map(|variant| variant.option_values.join("/")).collect();
    assert_eq!(values, ["One"]);
    let amount = "must be an amount with at most 2 decimals and no separators";
    assert_eq!(
        told(&products[0].rejected),
        [
            &format!("line 2, Variant Price: {amount}"),
            "line 3, Variant Inventory Qty: must not be negative",
            "line 4, Variant Inventory Qty: must be a whole number up to 1000000000",
            "line 5, Variant Inventory Policy: must be deny or continue",
            "line 6, Option1 Name: the product has no option named Color",
            "line 7, Variant Grams: must be a weight in grams, such as 250",
            "line 8, Option1 Value: must not be empty",
            "line 10, Option1 Value: must not be those of another variant",
            "line 11, Variant Price: must not be empty",
            &format!("line 12, Variant Price: {amount}"),
            "line 13, Variant Price: must not be negative",
            "line 14, Variant Price: must be between 0 and 10^12",
        ]
    );
}

#[test]
fn a_product_without_a_good_variant_is_rejected() {
    let file = "Handle,Title,Variant Price\na,A,x\nb,,1\n,C,1\nd,D,1\n";
    let (products, rejected) = sorted(file);
    assert_eq!(products.len(), 1);
    assert_eq!(
        told(&rejected),
        [
            "line 2, Variant Price: must be an amount with at most 2 decimals and no separators",
            "line 2: the product has no usable variant",
            "line 4, Handle: must not be empty",
            "line 3, Title: must not be empty",
        ]
    );
}

#[test]
fn a_handle_that_comes_back_later_is_rejected() {
    let file = "Handle,Title,Variant Price,Image Src\na,A,1,\na,,,https://example.com/a.jpg\n\
                b,B,1,\na,A,2,\na,,,https://example.com/b.jpg\nA,Other,3,\n";
    let (products, rejected) = sorted(file);
    assert_eq!((products.len(), products[0].input.media.len()), (2, 1));
    let reason = "Handle: the handle appears again after other products";
    let expected = [5, 6, 7].map(|line| format!("line {line}, {reason}"));
    assert_eq!(told(&rejected), expected);
}

#[test]
fn a_sku_that_comes_back_is_rejected_wherever_it_is() {
    let file = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n\
                a,A,Size,S,X,1\na,,,M,X,1\nb,B,Size,S,X,1\nb,,,M,Y,1\n";
    let (products, rejected) = sorted(file);
    let reason = "Variant SKU: another row of the file has this SKU";
    assert_eq!(told(&products[0].rejected), [format!("line 3, {reason}")]);
    assert_eq!(told(&products[1].rejected), [format!("line 4, {reason}")]);
    assert_eq!(rejected, []);
}

#[test]
fn harmless_oddities_are_warnings() {
    let file = "Handle,Title,Variant Price,Variant Compare At Price,Image Src,SEO Title,Status\n\
                Tea_Pot,Tea Pot,10,9.99,javascript:alert(1),a\u{7}b,new\n";
    let (products, rejected) = sorted(file);
    assert_eq!((products[0].rejected.len(), rejected.len()), (0, 0));
    assert_eq!(products[0].handle.as_str(), "tea-pot");
    assert_eq!(products[0].input.media, []);
    assert_eq!(
        told(&products[0].warnings),
        [
            "line 2, Variant Compare At Price: is left out, as it is not an amount above the price",
            "line 2, Handle: is changed to tea-pot, as it has other than a-z, 0-9 and hyphens",
            "line 2, Status: is taken as draft, as it is not active, draft or archived",
            "line 2, SEO Title: is left out: must not contain control characters",
            "line 2, Image Src: is left out: must be an http or https address, or a path of this shop",
        ]
    );
}

#[test]
fn rows_of_a_wrong_length_and_broken_text_are_told_by_line() {
    let file = b"Handle,Title,Option1 Name,Option1 Value,Variant Price\n\
        a,A,Size,S,1\na,,,M\na,,,L,1,2,3\na,,,\xff\xfe,1\n\xff,B,,,1\na,,,XL,1\n,,,,\n";
    let mut told_all = Vec::new();
    for item in super::reader(&file[..]) {
        match item.expect("memory can be read") {
            super::Item::Product(product) => {
                assert_eq!(product.input.variants.len(), 2);
                told_all.extend(told(&product.rejected));
            }
            super::Item::Rejected(errors) => told_all.extend(told(&errors)),
        }
    }
    assert_eq!(
        told_all,
        [
            "line 6, Handle: the cell is not UTF-8",
            "line 3: the row has 4 cells, but the header has 5",
            "line 4: the row has 7 cells, but the header has 5",
            "line 5, Option1 Value: the cell is not UTF-8",
        ]
    );
}

#[test]
fn a_file_that_is_no_catalog_is_refused_as_a_whole() {
    let told = |file: &[u8]| match Reader::new(file, currency("USD")) {
        Ok(_) => panic!("the file has what is mandatory"),
        Err(error) => error.to_string(),
    };
    assert_eq!(told(b"Name,title\na,b\n"), "the file lacks the columns Handle, Variant Price");
    assert_eq!(told(b""), Error::Empty.to_string());
    assert_eq!(told(b"\r\n\n"), Error::Empty.to_string());
    assert_eq!(told(b"\xff\xfeH\0a\0"), Error::Utf16.to_string());
    assert_eq!(told(&[b','; 5_000]), Error::HeaderTooLong.to_string());
}
