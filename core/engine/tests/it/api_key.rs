//! API keys: what they may do, for how long, and how they are told apart.

use std::time::Duration;

use handel_domain::{Code, id::TenantId};
use handel_engine::{Caller, Context, ListOrders, Scope};
use handel_testkit::{TestShop, both_databases, fixtures::product_input};

use crate::code;

async fn create(shop: &TestShop, scopes: &[Scope]) -> (handel_domain::id::ApiKeyId, String) {
    let made = shop.engine.create_api_key(&shop.staff(), "a test", scopes.to_vec(), None).await;
    let made = made.expect("staff may make any key");
    (made.id, made.secret.expose().clone())
}

/// The request of somebody who sends that key.
async fn with(shop: &TestShop, secret: &str) -> Result<Context, handel_engine::Error> {
    let (tenant_id, caller) = shop.engine.authenticate(secret).await?;
    Ok(Context { tenant_id, caller, ..shop.ctx() })
}

both_databases! {
    /// Goal: a key does what its scopes allow and nothing else.
    async fn a_key_may_do_what_its_scopes_say(shop: TestShop) {
        let (id, secret) = create(shop, &[Scope::CatalogWrite, Scope::OrdersRead]).await;
        let ctx = with(shop, &secret).await.expect("it is good");
        assert_eq!(ctx.tenant_id, TenantId::DEFAULT);
        assert_eq!(ctx.caller, Caller::ApiKey { id, scopes: vec![Scope::CatalogWrite, Scope::OrdersRead] });
        shop.engine.create_product(&ctx, product_input("MUG", 1_000)).await.expect("it may");
        shop.engine.list_orders(&ctx, ListOrders { limit: 10, ..ListOrders::default() }).await.expect("it may");
        let settings = shop.engine.get_channel(&ctx).await.expect("anybody may").settings.clone();
        let refused = [
            code(shop.engine.put_channel(&ctx, "new".parse().expect("a slug"), settings, None).await),
            code(shop.engine.list_dead_jobs(&ctx, None, 10).await),
            code(shop.engine.list_api_keys(&ctx, None, 10).await),
            code(shop.engine.revoke_api_key(&ctx, id).await),
            code(shop.engine.create_api_key(&ctx, "more", vec![Scope::OrdersRead], None).await),
        ];
        assert!(refused.iter().all(|code| *code == Some(Code::ScopeMissing)), "{refused:?}");
        shop.settle().await;
    }

    /// Goal: nobody makes a key that may do more than they may.
    async fn a_key_cannot_make_a_wider_key(shop: TestShop) {
        let (_, secret) = create(shop, &[Scope::KeysWrite, Scope::OrdersRead]).await;
        let ctx = with(shop, &secret).await.expect("it is good");
        for scopes in [vec![Scope::OrdersWrite], vec![Scope::OrdersRead, Scope::Operations], Scope::ALL.to_vec()] {
            assert_eq!(code(shop.engine.create_api_key(&ctx, "wider", scopes, None).await), Some(Code::ScopeMissing));
        }
        let made = shop.engine.create_api_key(&ctx, "as wide", vec![Scope::OrdersRead, Scope::KeysWrite], None).await;
        made.expect("it has these itself");
        for (name, scopes) in [("", vec![Scope::OrdersRead]), ("a\nb", vec![Scope::OrdersRead]), ("none", vec![])] {
            assert_eq!(code(shop.engine.create_api_key(&ctx, name, scopes, None).await), Some(Code::InputInvalid));
        }
        let shopper = shop.engine.create_api_key(&shop.ctx(), "x", vec![Scope::OrdersRead], None).await;
        assert_eq!(code(shopper), Some(Code::Unauthenticated));
        shop.settle().await;
    }

    /// Goal: a key ends when it was said to, or at once when it is revoked.
    async fn a_key_ends_when_it_expires_or_is_revoked(shop: TestShop) {
        let (id, secret) = create(shop, &[Scope::OrdersRead]).await;
        let until = shop.now() + Duration::from_secs(3_600);
        let short = shop.engine.create_api_key(&shop.staff(), "short", vec![Scope::OrdersRead], Some(until)).await;
        let short = short.expect("it is valid").secret.expose().clone();
        let past = shop.engine.create_api_key(&shop.staff(), "past", vec![Scope::OrdersRead], Some(shop.now())).await;
        assert_eq!(code(past), Some(Code::InputInvalid));
        shop.clock.advance(Duration::from_secs(3_598));
        with(shop, &short).await.expect("it is still good");
        shop.clock.advance(Duration::from_secs(3));
        assert_eq!(code(with(shop, &short).await), Some(Code::CredentialInvalid));
        with(shop, &secret).await.expect("it has no end");
        shop.engine.revoke_api_key(&shop.staff(), id).await.expect("it ends");
        assert_eq!(code(with(shop, &secret).await), Some(Code::CredentialInvalid));
        assert_eq!(code(shop.engine.revoke_api_key(&shop.staff(), id).await), Some(Code::ApiKeyUnknown));
        let listed = shop.engine.list_api_keys(&shop.staff(), None, 10).await.expect("a list").items;
        assert_eq!(listed.iter().filter(|key| key.revoked_at.is_some()).count(), 1);
        assert!(listed.iter().all(|key| key.last_used_at.is_some() && !secret.ends_with(&key.prefix)));
        shop.settle().await;
    }

    /// Goal: only the whole key opens; its visible beginning is worth nothing.
    async fn only_the_whole_key_opens(shop: TestShop) {
        let (_, secret) = create(shop, &[Scope::OrdersRead]).await;
        let (prefix, rest) = secret.rsplit_once('_').filter(|(prefix, _)| prefix.len() > 3).unwrap_or(("hk_none", "x"));
        let swapped: String = rest.chars().rev().collect();
        let wrong = [
            String::new(),
            "hk_".to_owned(),
            prefix.to_owned(),
            format!("{prefix}_"),
            format!("{prefix}_{swapped}"),
            format!("{secret}A"),
            secret[..secret.len() - 1].to_owned(),
            secret.replacen("hk_", "HK_", 1),
            format!("hk_unknown_{rest}"),
        ];
        for key in wrong {
            assert_eq!(code(with(shop, &key).await), Some(Code::CredentialInvalid), "{key}");
        }
        with(shop, &secret).await.expect("the whole key");
        shop.settle().await;
    }

    /// Goal: two keys that happen to begin alike are two keys.
    async fn a_prefix_that_is_drawn_twice_is_drawn_again(shop: TestShop) {
        shop.random().rewind();
        let (_, first) = create(shop, &[Scope::OrdersRead]).await;
        shop.clock.advance(Duration::from_millis(5));
        shop.random().rewind();
        let (_, second) = create(shop, &[Scope::StockRead]).await;
        assert_ne!(first, second);
        let scopes = |ctx: Context| match ctx.caller {
            Caller::ApiKey { scopes, .. } => scopes,
            _ => Vec::new(),
        };
        assert_eq!(with(shop, &first).await.map(scopes).ok(), Some(vec![Scope::OrdersRead]));
        assert_eq!(with(shop, &second).await.map(scopes).ok(), Some(vec![Scope::StockRead]));
        shop.settle().await;
    }

    /// Goal: a repeated request makes one key, and says that its secret cannot be shown again.
    async fn a_repeated_request_makes_one_key(shop: TestShop) {
        let ctx = handel_testkit::fixtures::with_key(shop.staff(), "k", "b");
        let create = async || shop.engine.create_api_key(&ctx, "one", vec![Scope::OrdersRead], None).await;
        create().await.expect("it is made");
        assert_eq!(code(create().await), Some(Code::SecretShownOnce));
        assert_eq!(shop.engine.list_api_keys(&shop.staff(), None, 10).await.expect("a list").items.len(), 1);
        let (id, _) = create_plain(shop).await;
        let revoke = handel_testkit::fixtures::with_key(shop.staff(), "revoke", "b");
        let first = shop.engine.revoke_api_key(&revoke, id).await.expect("it ends");
        let second = shop.engine.revoke_api_key(&revoke, id).await.expect("it is answered");
        assert_eq!((first.replayed, second.replayed), (false, true));
        shop.settle().await;
    }
}

async fn create_plain(shop: &TestShop) -> (handel_domain::id::ApiKeyId, String) {
    create(shop, &[Scope::OrdersRead]).await
}
