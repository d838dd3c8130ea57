//! The pages in a real browser, where one is installed: on a phone without scripts, and with a keyboard alone.
//!
//! Pictures of every page lie in `target/tmp/screenshots` afterwards, for people to look at.

mod driver;

use driver::{Driver, Looks};

use super::support::Place;

/// A phone, held upright, whose browser runs no scripts.
const PHONE: Looks =
    Looks { name: "phone", width: 390, height: 844, has_scripts: false, is_dark: false };
const DARK_PHONE: Looks = Looks { name: "phone-dark", is_dark: true, ..PHONE };
const DESK: Looks =
    Looks { name: "desk", width: 1280, height: 900, has_scripts: true, is_dark: false };

/// Goes from the front page to a paid order, with every page that can lie between.
async fn buy(driver: &Driver, shop: &str) {
    driver.open(&format!("{shop}/")).await;
    driver.look("list", ".cards").await;
    driver.click(".card:not(.sold-out) .card-link").await;
    driver.look("product", ".buy").await;
    driver.click(".buy button").await;
    driver.look("cart", "form[action='/checkout']").await;
    driver.click("form[action='/checkout'] button").await;
    driver.look("contact", "#email").await;
    driver.click(".step form button.main").await;
    assert!(driver.text(".wrong").await.contains("E-mail is needed"));
    driver.look("contact-wrong", ".wrong").await;
    for (field, text) in [
        ("#email", "ada@example.com"),
        ("#name", "Ada Lovelace"),
        ("#line1", "1 Main Street"),
        ("#city", "New York"),
        ("#postal_code", "10001"),
    ] {
        driver.fill(field, text).await;
    }
    driver.click("#region option[value='NY']").await;
    driver.click(".step form button.main").await;
    driver.look("delivery", "#methods").await;
    driver.click(".step form button").await;
    driver.look("pay", "#payments").await;
    driver.click("input[value='test/tok_declined']").await;
    driver.click("form[action$='/complete'] button").await;
    assert!(driver.text(".wrong").await.contains("The payment was declined"));
    driver.look("pay-again", ".wrong").await;
    driver.click("input[value='test/tok_action_required']").await;
    driver.click("form[action$='/complete'] button").await;
    driver.look("approve", ".step .button").await;
    driver.click(".step .button").await;
    driver.look("provider", "button[value='approve']").await;
    driver.click("button[value='approve']").await;
    // The page looks again by itself, without scripts.
    driver.comes("h1", "Thank you for your order").await;
    driver.look("order", ".progress").await;
    driver.open(&format!("{shop}/?q=nothing+of+the+kind")).await;
    driver.look("nothing-found", ".empty").await;
    driver.open(&format!("{shop}/?q=coffee&sort=price&min=5")).await;
    driver.look("filtered", ".filters[open]").await;
    driver.open(&format!("{shop}/not/there")).await;
    driver.look("not-found", ".error-page").await;
    driver.open(&format!("{shop}/cart")).await;
    driver.look("cart-empty", ".empty").await;
}

#[tokio::test]
async fn a_phone_without_scripts_buys() {
    let Some(driver) = Driver::start(PHONE).await else { return };
    let place = Place::new();
    let served = place.serve_with(&["demo"], &[]);
    buy(&driver, &served.url).await;
    driver.stop().await;
    for looks in [DARK_PHONE, DESK] {
        let driver = Driver::start(looks).await.expect("it is installed");
        buy(&driver, &served.url).await;
        driver.stop().await;
    }
    served.stop().await;
}

#[tokio::test]
async fn a_keyboard_is_enough() {
    let Some(driver) = Driver::start(Looks { name: "keyboard", ..DESK }).await else { return };
    let place = Place::new();
    let served = place.serve_with(&["demo"], &[]);
    driver.open(&format!("{}/?q=coffee&in_stock=1&sort=title", served.url)).await;
    driver.press_at("Skip to content").await;
    driver.tab_to_class("card-link").await;
    driver.enter().await;
    driver.is_there(".buy button").await;
    driver.press_at("Add to cart").await;
    driver.is_there("form[action='/checkout'] button").await;
    driver.press_at("Go to checkout").await;
    driver.is_there("#email").await;
    // The country is right as it is; the list of states goes to what is typed.
    for text in
        ["ada@example.com", "", "Ada Lovelace", "1 Main Street", "", "New York", "New Y", "10001"]
    {
        driver.tab_to_field().await;
        driver.keys(text).await;
    }
    driver.look("contact", "#email").await;
    driver.press_at("Continue").await;
    driver.is_there("#methods").await;
    driver.press_at("Continue").await;
    driver.is_there("#payments").await;
    driver.press_at("Pay ").await;
    driver.comes("h1", "Thank you for your order").await;
    driver.stop().await;
    served.stop().await;
}
