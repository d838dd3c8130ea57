//! Products from files and into files.

use super::support::{Place, sample};

#[tokio::test]
async fn good_rows_are_imported_and_bad_rows_are_told() {
    let place = Place::new();
    let said = place.run(&["import", "products", &sample()]);
    assert_eq!(said.code, Some(0), "{}", said.errors);
    assert!(said.output.contains("2 products created, 0 updated"), "{}", said.output);
    for told in ["line 4, Variant Price", "line 6, Variant Price"] {
        assert!(said.errors.contains(told), "{told} is not in {}", said.errors);
    }

    let again = place.succeed(&["import", "products", &sample()]);
    assert!(again.contains("0 products created, 2 updated"), "{again}");

    let served = place.serve();
    let list = served.get("/api/v1/products").await;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2), "{list}");
    let mug = served.get("/api/v1/products/field-mug").await;
    assert_eq!(mug["variants"].as_array().map(Vec::len), Some(2), "{mug}");
    assert_eq!(mug["variants"][0]["price_minor"], 1850);
    assert_eq!(mug["variants"][0]["available"], 12);
    assert_eq!(mug["media"][0]["url"], "https://pictures.example/mug.jpg");
    let below = served.get("/api/v1/products?category=kitchen").await;
    assert_eq!(below["items"][0]["slug"], "field-mug", "categories are a tree: {below}");
    let refused = place.fail(&["import", "products", &sample()]);
    assert!(refused.contains("a server uses this data directory"), "{refused}");
    served.stop().await;
}

#[test]
fn a_dry_run_changes_nothing() {
    let place = Place::new();
    let output = place.succeed(&["import", "products", &sample(), "--dry-run"]);
    assert!(output.contains("2 products can be imported, 2 rows are rejected"), "{output}");
    assert!(!place.path("handel-data").exists());
}

#[test]
fn a_file_without_a_good_product_fails() {
    let place = Place::new();
    place.write("bad.csv", "Handle,Title,Variant Price\nmug,Mug,cheap\n");
    place.write("other.csv", "Name,Price\nMug,12\n");
    let said = place.run(&["import", "products", "bad.csv"]);
    assert_eq!(said.code, Some(1), "{}", said.errors);
    assert!(said.errors.contains("line 2, Variant Price"), "{}", said.errors);
    assert!(place.fail(&["import", "products", "other.csv"]).contains("lacks the columns"));
    assert!(place.fail(&["import", "products", "none.csv"]).contains("cannot read none.csv"));
}

/// Goal: an export is a whole copy of the catalog, as far as the format goes.
#[test]
fn an_export_makes_the_same_shop_again() {
    let (here, there) = (Place::new(), Place::new());
    here.succeed(&["import", "products", &sample()]);
    let first = here.succeed(&["export", "products"]);
    assert!(first.contains("MUG-WHITE") && first.contains("Kitchen > Mugs"), "{first}");
    assert!(first.lines().next().unwrap().contains("Price / EUR"), "{first}");

    let file = there.write("first.csv", &first);
    there.succeed(&["import", "products", &file.display().to_string()]);
    there.succeed(&["export", "products", "second.csv"]);
    assert_eq!(std::fs::read_to_string(there.path("second.csv")).unwrap(), first);
}

/// Goal: many products stream through, several to a commit, and pages of an export follow each other.
#[test]
fn hundreds_of_products_go_in_and_out() {
    let place = Place::new();
    let mut file = "Handle,Title,Variant SKU,Variant Price,Type\n".to_owned();
    for number in 0..250 {
        file.push_str(&format!(
            "p-{number},Product {number},SKU-{number},1.00,Shelf {}\n",
            number % 7
        ));
    }
    place.write("many.csv", &file);
    let output = place.succeed(&["import", "products", "many.csv"]);
    assert!(output.contains("250 products created"), "{output}");
    let exported = place.succeed(&["export", "products"]);
    let skus: std::collections::BTreeSet<_> =
        exported.split(',').filter(|cell| cell.starts_with("SKU-")).collect();
    assert_eq!(skus.len(), 250);
}
