//! The sandbox for the conformance suite of UCP 2026-01-11, beside a server.

use reqwest::Method;

use super::support::{Place, answer};

#[tokio::test]
async fn the_sandbox_opens_on_a_port_of_its_own_and_closes_with_the_shop() {
    let place = Place::new();
    let sandbox = ["--ucp-compat", "2026-01-11", "--ucp-compat-listen", "127.0.0.1:0"];
    let served = place.serve_with(&[&["serve"], &sandbox[..]].concat(), &[]);
    let said = served.said.lines().find(|line| line.contains("UCP 2026-01-11 at"));
    let said = said.unwrap_or_else(|| panic!("{}", served.said));
    let url = said.split_whitespace().find(|word| word.starts_with("http://")).expect(said);
    let profile = served.client.get(format!("{url}/.well-known/ucp"));
    let (status, profile) = answer(profile).await;
    assert_eq!((status, &profile["ucp"]["version"]), (200, &"2026-01-11".into()));
    assert_eq!(profile["ucp"]["services"]["dev.ucp.shopping"]["rest"]["endpoint"], *url);
    let nobody = served.client.post(format!("{url}/testing/simulate-shipping/ord_1"));
    assert_ne!(answer(nobody).await.0, 200);
    let (status, _) = answer(served.request(Method::GET, "/checkout-sessions/chk_1")).await;
    assert_eq!(status, 404, "the shop's own port knows nothing of the sandbox");
    served.stop().await;
}

#[test]
fn a_sandbox_that_could_do_harm_does_not_open() {
    let place = Place::new();
    let refused = |arguments: &[&str]| {
        let sandbox = ["serve", "--listen", "127.0.0.1:0", "--ucp-compat"];
        place.fail(&[&sandbox, arguments].concat())
    };
    let open = refused(&["2026-01-11", "--ucp-compat-listen", "0.0.0.0:0"]);
    assert!(open.contains("loopback"), "{open}");
    let version = refused(&["2026-04-08"]);
    assert!(version.contains("for UCP 2026-01-11"), "{version}");
    let data =
        refused(&["2026-01-11", "--ucp-compat-listen", "127.0.0.1:0", "--ucp-compat-data", "none"]);
    assert!(data.contains("customers.csv"), "{data}");
    assert!(!place.path("handel-data").exists(), "nothing is made where the start fails");
}
