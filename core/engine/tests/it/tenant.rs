//! Merchants who share a database see nothing of each other.

use handel_domain::{Code, id::TenantId};
use handel_engine::{Caller, Context, ListOrders, ListProducts, ProductKey, StockKey};
use handel_testkit::{
    TestShop, both_databases,
    fixtures::{adjustment, buyer, completion_of, item, product_input, reference, slug, with_key},
};

use crate::code;

/// The same request at another merchant.
fn elsewhere(ctx: Context) -> Context {
    Context { tenant_id: TenantId::from_u128(2), ..ctx }
}

/// Opens another merchant's shop on the same database.
async fn open_other(shop: &TestShop) {
    let settings = shop.engine.get_channel(&shop.ctx()).await.expect("it is open").settings.clone();
    let opened =
        shop.engine.put_channel(&elsewhere(shop.staff()), slug("eur"), settings, None).await;
    opened.expect("a slug is free at another merchant");
}

both_databases! {
    /// Goal: a merchant's goods, stock and channels do not exist for another.
    async fn a_catalog_is_one_merchants(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        let unopened = shop.engine.create_cart(&elsewhere(shop.ctx())).await;
        assert_eq!(code(unopened), Some(Code::ChannelUnknown));
        open_other(shop).await;
        let (anybody, staff) = (elsewhere(shop.ctx()), elsewhere(shop.staff()));
        for key in [ProductKey::Id(mug.id), ProductKey::Slug(mug.slug.clone())] {
            assert_eq!(code(shop.engine.view_product(&anybody, key.clone()).await), Some(Code::ProductUnknown));
            assert_eq!(code(shop.engine.get_product(&staff, key).await), Some(Code::ProductUnknown));
        }
        let list = ListProducts { limit: 10, ..ListProducts::default() };
        assert!(shop.engine.list_products(&anybody, list.clone()).await.expect("a page").items.is_empty());
        assert_eq!(shop.engine.list_products(&shop.ctx(), list).await.expect("a page").items.len(), 1);
        let replaced = shop.engine.replace_product(&staff, mug.id, product_input("MUG", 1), None).await;
        assert_eq!(code(replaced), Some(Code::ProductUnknown));
        let priced = shop.engine.set_prices(&staff, mug.variants[0].sku.clone(), Vec::new(), None).await;
        assert_eq!(code(priced), Some(Code::VariantUnknown));
        assert_eq!(code(shop.engine.archive_product(&staff, mug.id, None).await), Some(Code::ProductUnknown));
        assert_eq!(code(shop.engine.adjust_stock(&staff, adjustment("MUG", 5)).await), Some(Code::VariantUnknown));
        let by_id = handel_engine::AdjustStock { variant: StockKey::Id(mug.variants[0].id), ..adjustment("MUG", 5) };
        assert_eq!(code(shop.engine.adjust_stock(&staff, by_id).await), Some(Code::VariantUnknown));
        assert!(shop.engine.get_stock(&staff, mug.variants[0].id).await.expect("none").is_empty());
        assert_eq!(shop.engine.list_channels(&staff).await.expect("a list").len(), 1);
        let own = shop.engine.create_product(&staff, product_input("MUG", 500)).await;
        assert_ne!(own.expect("the SKU is free at another merchant").reply.id, mug.id);
        assert_eq!(shop.stock(&mug).await.on_hand, 10);
        shop.settle().await;
    }

    /// Goal: carts, checkouts and orders do not open at another merchant, whatever token is shown.
    async fn carts_and_orders_are_one_merchants(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        open_other(shop).await;
        let bought = shop.buy(&[("MUG", 1)]).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let checkout = shop.checkout(&cart).await.checkout;
        let owner = elsewhere(shop.owner(cart.view.cart.id));
        assert_eq!(code(shop.engine.get_cart(&owner, &reference(&cart)).await), Some(Code::CartUnknown));
        let added = shop.engine.add_cart_item(&owner, item(Some(reference(&cart)), "MUG", 1)).await;
        assert_eq!(code(added), Some(Code::CartUnknown));
        assert_eq!(code(shop.engine.create_checkout(&owner, &reference(&cart), buyer()).await), Some(Code::CartUnknown));
        assert_eq!(code(shop.engine.get_checkout(&owner, checkout.id).await), Some(Code::CheckoutUnknown));
        let keyed = with_key(owner, "k", "b");
        let completed = shop.engine.complete_checkout(&keyed, completion_of(checkout.id, "tok_ok")).await;
        assert_eq!(code(completed), Some(Code::CheckoutUnknown));
        let staff = elsewhere(shop.staff());
        let id = bought.order.id;
        let token = Some(bought.order_token.clone());
        assert_eq!(code(shop.engine.get_order(&elsewhere(shop.ctx()), id, token).await), Some(Code::OrderUnknown));
        assert_eq!(code(shop.engine.get_order(&staff, id, None).await), Some(Code::OrderUnknown));
        assert_eq!(code(shop.engine.pack_order(&staff, id, None).await), Some(Code::OrderUnknown));
        assert_eq!(code(shop.engine.cancel_order(&staff, id, "x".to_owned(), None).await), Some(Code::OrderUnknown));
        assert_eq!(code(shop.engine.reconcile_order(&staff, id).await), Some(Code::OrderUnknown));
        assert_eq!(code(shop.engine.order_id_by_number(&staff, bought.order.number).await), Some(Code::OrderUnknown));
        let orders = shop.engine.list_orders(&staff, ListOrders { limit: 10, ..ListOrders::default() }).await;
        assert!(orders.expect("a page").items.is_empty());
        assert!(shop.engine.order_history(&staff, id, None, 10).await.expect("a page").items.is_empty());
        shop.complete(&checkout, "tok_ok").await.expect("its own shop sells it");
        shop.settle().await;
    }

    /// Goal: keys of one merchant are not known at another, and idempotency keys never meet.
    async fn keys_are_one_merchants(shop: TestShop) {
        open_other(shop).await;
        let made = shop.engine.create_api_key(&elsewhere(shop.staff()), "other", vec![handel_engine::Scope::KeysWrite], None).await;
        let made = made.expect("it is made");
        let (tenant_id, caller) = shop.engine.authenticate(made.secret.expose()).await.expect("it is good");
        assert_eq!(tenant_id, TenantId::from_u128(2), "a key leads to its own merchant");
        assert!(matches!(caller, Caller::ApiKey { .. }));
        assert!(shop.engine.list_api_keys(&shop.staff(), None, 10).await.expect("a list").items.is_empty());
        assert_eq!(code(shop.engine.revoke_api_key(&shop.staff(), made.id).await), Some(Code::ApiKeyUnknown));
        let here = shop.engine.create_cart(&shop.ctx_with_key("k", "b")).await.expect("a cart");
        let there = shop.engine.create_cart(&elsewhere(shop.ctx_with_key("k", "another body"))).await.expect("a cart");
        assert!(!there.replayed && here.reply.token != there.reply.token);
        shop.settle().await;
    }
}
