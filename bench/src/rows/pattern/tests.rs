use serde_json::json;

use super::*;

const ORDER: &str = "ord_01jd6z3v9q8x7k2m4n5p6r7s8t";
const VARIANT: &str = "var_01jd6z3v9q8x7k2m4n5p6r7s8v";

fn change(table: &str, before: Value, after: Value) -> Change {
    let row = |value: Value| value.as_object().cloned();
    Change {
        table: table.to_owned(),
        key: vec!["id".to_owned()],
        before: row(before),
        after: row(after),
    }
}

/// An order that is placed and paid, for an article of which one is taken.
fn purchase() -> Vec<Change> {
    vec![
        change("orders", json!(null), json!({ "id": ORDER, "number": 1001, "status": "reserved" })),
        change("stock", json!({ "id": VARIANT, "held": 4 }), json!({ "id": VARIANT, "held": 5 })),
        change(
            "orders",
            json!({ "id": ORDER, "number": 1001, "status": "reserved" }),
            json!({ "id": ORDER, "number": 1001, "status": "paid" }),
        ),
    ]
}

fn about() -> Pattern {
    Pattern::about(&[(VARIANT[4..].to_owned(), 7)].into())
}

fn own(place: u32) -> Cell {
    Cell::Own { prefix: "ord".to_owned(), place }
}

#[test]
fn every_write_is_repeated_in_its_order() {
    let steps = about().steps(&purchase()).unwrap();
    let scopes: Vec<_> = steps.iter().map(|op| (op.is_new, op.scope())).collect();
    assert_eq!(
        scopes,
        [(true, Scope::Own), (false, Scope::Article), (false, Scope::Own)],
        "the order, its stock, and the order again"
    );
    assert_eq!(steps[1].cells, [("held".to_owned(), Cell::Plus(1))]);
    assert_eq!(steps[2].cells, [("status".to_owned(), Cell::Fixed(json!("paid")))]);
    assert_eq!(steps[2].key, [("id".to_owned(), own(0))]);
}

#[test]
fn in_the_end_a_row_is_there_once_and_whole() {
    let rows = about().rows(&purchase()).unwrap();
    assert_eq!(rows.len(), 2);
    let expected = [
        ("id".to_owned(), own(0)),
        ("number".to_owned(), Cell::Number),
        ("status".to_owned(), Cell::Fixed(json!("paid"))),
    ];
    assert_eq!(rows[0].cells, expected);
}

#[test]
fn what_was_there_before_is_needed() {
    let cart = json!({ "id": ORDER, "status": "open" });
    let changes = [change("carts", cart, json!({ "id": ORDER, "status": "ordered" }))];
    let mut pattern = Pattern::default();
    let needs = pattern.needs(&changes).unwrap();
    assert_eq!(needs[0].cells[1].1, Cell::Fixed(json!("open")));
    assert!(needs[0].is_new);
    assert!(about().needs(&purchase()).unwrap().is_empty(), "stock belongs to the article");
    let rows = pattern.rows(&changes).unwrap();
    assert!(rows[0].cells.contains(&("id".to_owned(), own(0))), "the row is written whole");
}

#[test]
fn two_names_of_one_thing_stay_together() {
    let body = &ORDER[4..];
    let row = json!({ "id": ORDER, "reference": format!("test_ch_{body}"), "tenant": "ten_00000000000000000000000001" });
    let steps = Pattern::default().steps(&[change("payments", json!(null), row)]).unwrap();
    let cells: HashMap<_, _> = steps[0].cells.iter().cloned().collect();
    assert_eq!(cells["id"], own(0));
    assert_eq!(cells["reference"], Cell::Own { prefix: "test_ch".to_owned(), place: 0 });
    assert!(matches!(cells["tenant"], Cell::Fixed(_)), "all copies have one merchant");
}

#[test]
fn a_name_follows_the_number() {
    let row = json!({ "id": ORDER, "slug": "bench-7000001", "vendor": "Maker" });
    let steps = Pattern::named("7000001").steps(&[change("products", json!(null), row)]).unwrap();
    assert!(matches!(&steps[0].cells[1].1, Cell::Text { token, .. } if token == "7000001"));
    assert_eq!(steps[0].cells[2].1, Cell::Fixed(json!("Maker")));
}
