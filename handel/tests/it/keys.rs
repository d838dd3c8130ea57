//! API keys from the command line.

use reqwest::Method;

use super::support::{Place, answer};

/// Goal: the first key is made where nobody has one, works at once, and ends at once.
#[tokio::test]
async fn a_key_opens_the_door_until_it_is_revoked() {
    let place = Place::new();
    let output = place.succeed(&["key", "create", "--name", "first", "--scopes", "all"]);
    let secret = output.lines().last().unwrap();
    assert!(secret.starts_with("hk_") && output.lines().count() == 1, "{output}");

    let path = "/api/v1/admin/keys";
    let served = place.serve();
    let (status, keys) = answer(served.request(Method::GET, path).bearer_auth(secret)).await;
    assert_eq!(status, 200, "{keys}");
    assert_eq!(keys["items"][0]["name"], "first");
    let (status, _) = answer(served.request(Method::GET, path)).await;
    assert_eq!(status, 401);
    served.stop().await;

    let list = place.succeed(&["key", "list"]);
    assert!(list.contains("first") && list.contains("valid") && !list.contains(secret), "{list}");
    let id = list.split_whitespace().find(|word| word.starts_with("key_")).unwrap();
    place.succeed(&["key", "revoke", id]);
    assert!(place.succeed(&["key", "list"]).contains("revoked"));
    assert!(place.fail(&["key", "revoke", id]).contains("revoked before"));

    let served = place.serve();
    let (status, _) = answer(served.request(Method::GET, path).bearer_auth(secret)).await;
    assert_eq!(status, 401);
    served.stop().await;
}

#[tokio::test]
async fn a_key_may_do_only_what_it_was_made_for() {
    let place = Place::new();
    let arguments =
        ["key", "create", "--name", "reader", "--scopes", "catalog:read", "--expires-in", "90d"];
    let output = place.succeed(&arguments);
    let secret = output.trim();
    assert!(place.succeed(&["key", "list"]).contains("until "));

    let served = place.serve();
    let keys = served.request(Method::GET, "/api/v1/admin/keys").bearer_auth(secret);
    assert_eq!(answer(keys).await.0, 403);
    served.stop().await;
}
