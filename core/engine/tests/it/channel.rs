//! Channels: what a merchant sets, and that it holds at once and everywhere.

use std::time::Duration;

use handel_domain::{Code, channel::Settings};
use handel_engine::Error;
use handel_testkit::{TestDatabase, TestShop, both_databases, fixtures::slug, together};

use crate::{code, refusal};

async fn settings(shop: &TestShop) -> Settings {
    shop.engine.get_channel(&shop.ctx()).await.expect("it is open").settings.clone()
}

async fn put(
    shop: &TestShop,
    name: &str,
    settings: Settings,
    expected: Option<i64>,
) -> Result<i64, Error> {
    let put = shop.engine.put_channel(&shop.staff(), slug(name), settings, expected).await;
    put.map(|once| once.reply.version)
}

both_databases! {
    /// Goal: a change of an old version is refused, and of many at once one wins.
    async fn a_channel_changes_one_version_at_a_time(shop: TestShop) {
        let settings = settings(shop).await;
        assert_eq!(put(shop, "eur", settings.clone(), Some(1)).await.ok(), Some(2));
        assert_eq!(refusal(put(shop, "eur", settings.clone(), Some(1)).await).details.version, Some(2));
        let outcomes = together((0..8).map(|_| {
            let (shop, settings) = (shop.clone(), settings.clone());
            async move { put(&shop, "eur", settings, Some(2)).await }
        }))
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        for outcome in outcomes.into_iter().filter(Result::is_err) {
            assert_eq!(code(outcome), Some(Code::VersionConflict));
        }
        shop.settle().await;
    }

    /// Goal: a channel that many make at once is made once.
    async fn a_channel_is_made_once(shop: TestShop) {
        let settings = settings(shop).await;
        for n in 0..10 {
            shop.clock.advance(Duration::from_millis(2));
            let versions = together((0..8).map(|_| {
                let (shop, settings) = (shop.clone(), settings.clone());
                async move { put(&shop, &format!("new-{n}"), settings, None).await.expect("it is made or changed") }
            }))
            .await;
            assert_eq!(versions.iter().max(), Some(&8));
        }
        let codes: Vec<_> = shop.engine.list_channels(&shop.ctx()).await.expect("a list").into_iter().map(|channel| channel.code.as_str().to_owned()).collect();
        let new = (0..10).map(|n| format!("new-{n}"));
        assert_eq!(codes, ["default".to_owned(), "eur".to_owned()].into_iter().chain(new).collect::<Vec<_>>());
        shop.settle().await;
    }

    /// Goal: the currency of a channel stays, and settings that make no sense are refused.
    async fn settings_that_make_no_sense_are_refused(shop: TestShop) {
        let good = settings(shop).await;
        let bad: [fn(&mut Settings); 7] = [
            |settings| settings.currency = "USD".parse().expect("a currency"),
            |settings| settings.default_country = "US".parse().expect("a country"),
            |settings| settings.name = String::new(),
            |settings| settings.reservation_ms = 0,
            |settings| settings.hold_ms = -1,
            |settings| settings.line_quantity_max = 0,
            |settings| settings.shipping_methods[0].amount_minor = -1,
        ];
        for (n, change) in bad.into_iter().enumerate() {
            let mut settings = good.clone();
            change(&mut settings);
            assert_eq!(code(put(shop, "eur", settings, None).await), Some(Code::InputInvalid), "{n}");
        }
        assert_eq!(settings(shop).await, good);
        let shopper = shop.engine.put_channel(&shop.ctx(), slug("eur"), good, None).await;
        assert_eq!(code(shopper), Some(Code::Unauthenticated));
        shop.settle().await;
    }
}

/// Goal: a change holds at once in every process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_holds_at_once_in_every_process() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let mut shop = TestShop::start(database).await;
    let other = shop.second_process().await;
    shop.product("MUG", 1_000, 10).await;
    let cart = other.cart_with(&[("MUG", 1)]).await;
    let checkout = other.checkout(&cart).await;
    assert_eq!(checkout.quote.totals.total_minor, 1_490);
    shop.change_channel(|settings| settings.shipping_methods[0].amount_minor = 100).await;
    let refused = refusal(other.complete(&checkout.checkout, "tok_ok").await);
    assert_eq!((refused.code, refused.details.total_minor), (Code::TotalsChanged, Some(1_100)));
    let done = other.complete(&checkout.checkout, "tok_ok").await.expect("it was shown");
    assert_eq!(done.order.total_minor, 1_100);
    other.idle().await;
    shop.settle().await;
    shop.finish().await;
}
