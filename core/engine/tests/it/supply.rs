//! Whether a variant can be bought, and whether it is there already.

use handel_domain::catalog::Backorder::{self, Allow, Deny, UpTo};
use handel_engine::{ProductKey, Supply};
use handel_testkit::{
    TestShop, both_databases,
    fixtures::{adjustment, product_input},
};

both_databases! {
    /// Goal: what is on hand is in stock, what may be promised is on order, and the rest is sold out; what is not
    /// counted is always there.
    async fn shoppers_are_told_what_they_get_now(shop: TestShop) {
        let cases: [(bool, Backorder, i64, Supply, Option<i64>); 8] = [
            (false, Deny, 0, Supply::InStock, None),
            (true, Deny, 2, Supply::InStock, Some(2)),
            (true, Deny, 0, Supply::SoldOut, Some(0)),
            (true, UpTo(3), 2, Supply::InStock, Some(5)),
            (true, UpTo(3), 0, Supply::OnOrder, Some(3)),
            (true, UpTo(0), 0, Supply::SoldOut, Some(0)),
            (true, Allow, 2, Supply::InStock, None),
            (true, Allow, 0, Supply::OnOrder, None),
        ];
        for (n, (is_tracked, backorder, on_hand, supply, available)) in cases.into_iter().enumerate() {
            let sku = format!("MUG-{n}");
            let mut input = product_input(&sku, 1_000);
            input.variants[0].tracked = is_tracked;
            input.variants[0].backorder = backorder;
            let product = shop.create(input, 0).await;
            if is_tracked {
                // One came and went, so that there is a level to read.
                shop.receive_stock(&sku, on_hand + 1).await;
                shop.engine.adjust_stock(&shop.staff(), adjustment(&sku, -1)).await.expect("one is there");
            }
            let view = shop.engine.view_product(&shop.ctx(), ProductKey::Id(product.id)).await.expect("it is for sale");
            let seen = view.availability[0];
            assert_eq!((seen.supply, seen.available), (supply, available), "{backorder:?} with {on_hand}");
        }
        // What was promised is not on hand any more.
        shop.buy(&[("MUG-6", 2)]).await;
        let key: ProductKey = "mug-6".parse().expect("a slug");
        let view = shop.engine.view_product(&shop.ctx(), key).await.expect("it is for sale");
        assert_eq!(view.availability[0].supply, Supply::OnOrder);
        assert!(Supply::OnOrder.can_be_bought() && !Supply::SoldOut.can_be_bought());
        shop.settle().await;
    }
}
