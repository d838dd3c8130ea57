//! Copies of the database.

use std::fs;

use super::support::{Place, sample};

#[tokio::test]
async fn a_backup_is_made_while_the_server_runs_and_can_be_restored() {
    let (place, restored) = (Place::new(), Place::new());
    place.succeed(&["import", "products", &sample()]);
    let served = place.serve();
    let token = served.cart_with("MAP-1", 1).await;
    place.succeed(&["backup", "copy.db"]);
    let complaint = place.fail(&["backup", "copy.db"]);
    assert!(complaint.contains("copy.db exists already"), "{complaint}");
    served.stop().await;

    fs::create_dir(restored.path("handel-data")).unwrap();
    fs::copy(place.path("copy.db"), restored.path("handel-data/handel.db")).unwrap();
    let served = restored.serve();
    let cart = served.request(reqwest::Method::GET, "/api/v1/cart").header("Cart-Token", token);
    let (status, cart) = super::support::answer(cart).await;
    assert_eq!((status, &cart["lines"][0]["sku"]), (200, &"MAP-1".into()), "{cart}");
    served.stop().await;
}

#[test]
fn there_must_be_something_to_copy() {
    let place = Place::new();
    let complaint = place.fail(&["backup", "copy.db"]);
    assert!(complaint.contains("there is no database"), "{complaint}");
    let url = "postgres://shop@db.example/shop";
    let complaint = place.fail(&["backup", "copy.db", "--database-url", url]);
    assert!(complaint.contains("pg_dump"), "{complaint}");
    assert!(!place.path("copy.db").exists());
}
