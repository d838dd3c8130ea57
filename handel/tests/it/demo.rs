//! The demo shop.

use super::support::Place;

#[tokio::test]
async fn the_demo_fills_a_shop_once() {
    let place = Place::new();
    let served = place.serve_with(&["demo"], &[]);
    let list = served.get("/api/v1/products?limit=100").await;
    let products = list["items"].as_array().map(Vec::len).unwrap();
    assert!(products >= 50, "{products}");
    let picture = list["items"][0]["image_url"].as_str().unwrap();
    let answer = served.request(reqwest::Method::GET, picture).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/svg+xml");
    let channels = served.get("/api/v1/channels").await;
    let currencies: Vec<_> =
        channels["items"].as_array().unwrap().iter().map(|channel| &channel["currency"]).collect();
    assert_eq!(currencies, ["USD", "EUR"]);
    served.stop().await;

    let said = place.succeed(&["demo", "--exit", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("0 products and 0 categories are new"), "{said}");
}
