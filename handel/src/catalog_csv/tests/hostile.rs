//! Goal: no file takes all memory, stops the import or brings in what the shop would refuse.

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

use proptest::prelude::*;

use super::{
    super::{Error, Item},
    reader, sorted, told,
};

/// Writes rows only when they are asked for, and counts what was taken.
struct Rows<F> {
    row: F,
    next: u64,
    count: u64,
    left: Vec<u8>,
    taken: Rc<Cell<u64>>,
}

impl<F: Fn(u64) -> String> Rows<F> {
    fn new(header: &str, count: u64, row: F) -> Self {
        Self { row, next: 0, count, left: header.as_bytes().to_vec(), taken: Rc::default() }
    }
}

impl<F: Fn(u64) -> String> Read for Rows<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.left.is_empty() && self.next < self.count {
            self.left = (self.row)(self.next).into_bytes();
            self.next += 1;
        }
        let count = buffer.len().min(self.left.len());
        buffer[..count].copy_from_slice(&self.left[..count]);
        self.left.drain(..count);
        self.taken.set(self.taken.get() + count as u64);
        Ok(count)
    }
}

#[test]
fn a_hundred_thousand_rows_stream_through() {
    let row = |at: u64| {
        let product = at / 4;
        let title = if at.is_multiple_of(4) { "Mug,Size" } else { "," };
        format!("mug-{product},{title},{},4.90\n", at % 4)
    };
    let header = "Handle,Title,Option1 Name,Option1 Value,Variant Price\n";
    let rows = Rows::new(header, 100_000, row);
    let taken = Rc::clone(&rows.taken);
    let (mut products, mut known_bytes) = (0, header.len() as u64);
    for item in reader(rows) {
        let Ok(Item::Product(product)) = item else { panic!("only good products") };
        assert_eq!((product.input.variants.len(), product.line), (4, products * 4 + 2));
        known_bytes += (0..4).map(|at| row(products * 4 + at).len() as u64).sum::<u64>();
        // Nothing but the read buffer lies between what came out and what was taken in.
        assert!(taken.get() - known_bytes < 128 * 1024);
        products += 1;
    }
    assert_eq!(products, 25_000);
}

#[test]
fn a_product_of_endless_rows_stays_small() {
    let header = "Handle,Title,Option1 Name,Option1 Value,Variant Price\na,A,Size,first,1\n";
    let items: Vec<_> = reader(Rows::new(header, 50_000, |at| format!("a,,,{at},1\n"))).collect();
    let [Ok(Item::Product(product))] = items.as_slice() else { panic!("one product") };
    assert_eq!(product.input.variants.len(), 250);
    assert_eq!(product.rejected.len(), 101);
    let last = product.rejected.last().map(ToString::to_string);
    assert_eq!(last.as_deref(), Some("line 351: and 49651 more problems with this product"));
}

#[test]
fn a_huge_cell_costs_only_its_row() {
    let header = "Handle,Title,Body (HTML),Variant Price\na,A,,1\nb,B,\"";
    let part = "x".repeat(64 * 1024);
    let rows = Rows::new(header, 1_002, |at| match at {
        1_000 => "\",1\n".to_owned(),
        1_001 => "c,C,,1\n".to_owned(),
        _ => part.clone(),
    });
    let items: Vec<_> = reader(rows).map(|item| item.expect("memory can be read")).collect();
    let rejected = items.iter().find_map(|item| match item {
        Item::Rejected(errors) => Some(errors),
        Item::Product(_) => None,
    });
    let [error] = rejected.expect("the huge row").as_slice() else { panic!("one row") };
    assert_eq!((error.line, error.column.as_deref()), (3, Some("Body (HTML)")));
    assert_eq!(items.len(), 3);
}

#[test]
fn a_row_of_endless_cells_costs_only_itself() {
    let rows = Rows::new("Handle,Title,Variant Price\n", 3_001, |at| match at {
        3_000 => "\na,A,1\n".to_owned(),
        _ => "b,".repeat(1_000),
    });
    let items: Vec<_> = reader(rows).map(|item| item.expect("memory can be read")).collect();
    let [Item::Rejected(errors), Item::Product(product)] = items.as_slice() else {
        panic!("one row and one product")
    };
    assert_eq!(told(errors), ["line 2: the row has 3000001 cells, but the header has 3"]);
    assert_eq!(product.line, 3);
}

#[test]
fn nul_bytes_and_long_texts_are_refused_where_they_stand() {
    let long = "x".repeat(3_000);
    let file = format!(
        "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n\
         a,A,Size,S,,1\na,,,M\0,,1\na,,,L,SKU\0,1\na,,,{long},,1\n\
         b,B\0,Size,S,,1\nc,{long},Size,S,,1\n\0,D,Size,S,,1\n"
    );
    let (products, rejected) = sorted(&file);
    assert_eq!(products.len(), 1);
    assert_eq!(
        told(&products[0].rejected),
        [
            "line 3, Option1 Value: must not contain control characters",
            "line 4, Variant SKU: must be 1 to 64 printable ASCII characters",
            "line 5, Option1 Value: must not be longer than 2048 bytes",
        ]
    );
    assert_eq!(
        told(&rejected),
        [
            "line 6, Title: must not contain control characters",
            "line 7, Title: must not be longer than 200 characters",
            "line 8, Handle: must have letters or digits",
        ]
    );
}

#[test]
fn an_unclosed_quote_ends_with_the_file() {
    let (products, rejected) = sorted("Handle,Title,Variant Price\na,A,1\nb,\"B,1\nc,C,1\n");
    assert_eq!((products.len(), rejected.len(), rejected[0].line), (1, 1, 3));
}

#[test]
fn an_input_that_breaks_ends_the_reading_with_its_error() {
    struct Broken(bool);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            let file = b"Handle,Title,Variant Price\na,A,1\n";
            buffer[..file.len()].copy_from_slice(file);
            Ok(file.len())
        }
    }
    let mut items = reader(Broken(false));
    assert!(matches!(items.next(), Some(Err(Error::Io(_)))));
    assert!(items.next().is_none());
}

proptest! {
    #[test]
    fn any_bytes_end_in_products_or_reasons(
        body in prop::collection::vec(any::<u8>(), 0..300),
        cells in "[ab,\"\n'=0-9]{0,200}",
    ) {
        let header = b"Handle,Title,Option1 Name,Option1 Value,Variant Price,Image Src\n".to_vec();
        for tail in [body, cells.into_bytes()] {
            let file = [header.clone(), tail].concat();
            for item in reader(file.as_slice()) {
                if let Item::Rejected(errors) = item.expect("memory can be read") {
                    prop_assert!(!errors.is_empty() && errors.iter().all(|error| error.line > 1));
                }
            }
        }
    }
}
