//! A database file with a page that is not what was written.

use std::{
    fs::{self, File},
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
};

use reqwest::Method;
use serde_json::Value;

use super::shopper::{Memory, Outcome, new_cart, staff_key, try_answer};
use crate::support::{Place, Served, sample};

const PAGE: u64 = 4_096;
/// How many places of the file are tried.
const PLACES: u64 = 8;

/// Goal: damage is found by the doctor, and a server either refuses to start or answers every question as before or
/// with an error: it never makes something up.
#[tokio::test]
async fn a_damaged_page_is_found_and_never_served_as_if_it_were_whole() {
    let place = Place::new();
    place.succeed(&["import", "products", &sample()]);
    let key = staff_key(&place);
    let (memory, served) = (Memory::default(), place.serve());
    let mut carts = Vec::new();
    for _ in 0..20 {
        let cart = new_cart(&served).await.expect("a cart");
        assert!(matches!(memory.try_to_buy(&served, &cart, "first").await, Outcome::Paid));
        carts.push(cart);
    }
    let whole = everything(&served, &carts[7], &key).await;
    assert!(whole.iter().all(|(status, _)| *status == 200));
    served.stop().await;

    let database = place.path("handel-data/handel.db");
    let good = fs::read(&database).expect("the database");
    let pages = good.len() as u64 / PAGE;
    let (mut refused, mut served_on) = (0, 0);
    for number in (0..PLACES).map(|place| place * (pages - 1) / (PLACES - 1)) {
        damage(&database, number);
        let said = place.run(&["doctor", "--listen", "127.0.0.1:0"]);
        let verdict = said.output.lines().find(|line| line.starts_with("database"));
        let verdict = verdict.unwrap_or_default();
        assert!(
            verdict.contains("WRONG") && verdict.contains("damaged"),
            "{number}: {}",
            said.output
        );
        let start = place.try_serve();
        match start {
            Err(complaint) => {
                assert!(complaint.contains("damaged"), "{number}: {complaint}");
                refused += 1;
            }
            Ok(served) => {
                let now = everything(&served, &carts[7], &key).await;
                for (before, (status, body)) in whole.iter().zip(now) {
                    let is_error = status == 503 && body["code"] == "storage.unavailable";
                    assert!(is_error || before.1 == body, "page {number}: {status} {body}");
                }
                served_on += 1;
            }
        }
        for file in ["handel.db-wal", "handel.db-shm"] {
            // They are there only if a server ran on the damaged file.
            let _gone = fs::remove_file(place.path("handel-data").join(file));
        }
        fs::write(&database, &good).expect("the database can be restored");
    }
    assert!(refused > 0 && served_on > 0, "{refused} refused, {served_on} served");
    let served = place.serve();
    assert_eq!(
        everything(&served, &carts[7], &key).await,
        whole,
        "a restored file is as good as ever"
    );
    served.stop().await;
}

/// Writes zeros where a page was, as a disk does that lost it.
fn damage(database: &Path, page: u64) {
    let mut file = File::options().write(true).open(database).expect("the database");
    file.seek(SeekFrom::Start(page * PAGE)).expect("there is such a page");
    file.write_all(&[0; 4_096]).expect("it can be written");
}

/// What the shop answers to those who look.
async fn everything(served: &Served, cart: &str, key: &str) -> Vec<(u16, Value)> {
    let mut answers = Vec::new();
    for path in ["/products", "/products/field-mug", "/channels", "/categories"] {
        let look = served.request(Method::GET, &format!("/api/v1{path}"));
        answers.push(try_answer(look).await.expect("an answer"));
    }
    for path in ["/cart", "/orders"] {
        let look =
            served.request(Method::GET, &format!("/api/v1{path}")).header("Cart-Token", cart);
        answers.push(try_answer(look).await.expect("an answer"));
    }
    let look = served.request(Method::GET, "/api/v1/admin/orders?limit=100").bearer_auth(key);
    answers.push(try_answer(look).await.expect("an answer"));
    answers
}
