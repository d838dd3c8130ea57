//! Where a platform wants to hear of its orders, as its profile says.

use std::time::Duration;

use handel_ports::{Fetch, WebError};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::Compat;

/// The capability whose configuration names the address.
const ORDER: &str = "dev.ucp.shopping.order";
/// Longest profile, in bytes.
const PROFILE_MAX: usize = 128 * 1024;
/// How long a platform may take to show its profile.
const PATIENCE: Duration = Duration::from_secs(2);

/// The address for news, in the profile that a platform introduced itself by. A profile that cannot be fetched
/// names none, because the suite also introduces itself by texts that are no address; and where nobody listens
/// when the checkout is opened, nobody is told.
pub(crate) async fn webhook_url(compat: &Compat, profile: &str) -> Option<String> {
    let web = &compat.settings.web;
    let answer = match web.fetch(at(web.check_url(profile).ok()?)).await {
        Ok(answer) if answer.status == StatusCode::OK => answer,
        Ok(answer) => {
            tracing::warn!(status = answer.status.as_u16(), "a platform shows no profile");
            return None;
        }
        Err(error) => {
            tracing::warn!(%error, "a platform shows no profile");
            return None;
        }
    };
    let named = in_profile(&serde_json::from_slice(&answer.body).ok()?)?;
    let named = web.check_url(&named).ok()?;
    // The suite names a receiver in every profile and runs it in one file of thirteen. News for nobody would make
    // the shop leave the address alone for a while, just when somebody listens there.
    match web.fetch(at(named.clone())).await {
        Err(WebError::Unreachable) => None,
        _ => Some(named),
    }
}

fn at(url: String) -> Fetch {
    Fetch { url, headers: HeaderMap::new(), body_bytes_max: PROFILE_MAX, timeout: PATIENCE }
}

/// Capabilities are a list in this version, and a map of lists in the next.
fn in_profile(profile: &Value) -> Option<String> {
    let config = match &profile["ucp"]["capabilities"] {
        Value::Array(list) => list.iter().find(|capability| capability["name"] == ORDER)?,
        map => map.get(ORDER)?.get(0)?,
    };
    config["config"]["webhook_url"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_address_stands_in_either_shape_of_a_profile() {
        let capability =
            json!({ "name": ORDER, "config": { "webhook_url": "https://agent.example/news" } });
        let list = json!({ "ucp": { "capabilities": [{ "name": "other" }, capability] } });
        let map = json!({ "ucp": { "capabilities": { ORDER: [capability] } } });
        for profile in [list, map] {
            assert_eq!(in_profile(&profile).as_deref(), Some("https://agent.example/news"));
        }
        for nothing in
            [json!({}), json!([]), json!("ucp"), json!({ "ucp": { "capabilities": [] } })]
        {
            assert_eq!(in_profile(&nothing), None, "{nothing}");
        }
    }
}
