//! A request of a platform: who it is, its idempotency key, and its body without cards.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use handel_domain::{Code, Refusal, id::TenantId, order::Source};
use handel_engine::{Caller, Context, Idempotency};
use handel_kit::{Problem, RawBody, digest, read_json};
use http::{HeaderMap, StatusCode, header, request::Parts};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Compat, VERSION, payment};

/// The header by which a platform introduces itself.
const AGENT: &str = "ucp-agent";
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longest address of a profile, in bytes.
const PROFILE_MAX: usize = 2_048;

/// A request of a platform.
pub(crate) struct Call {
    /// Who asks, with the idempotency key if one was sent.
    pub(crate) ctx: Context,
    /// The profile by which the platform introduced itself. The suite also sends texts that are no address.
    pub(crate) profile: String,
    /// The body, with tokens in the place of cards; null if there is none.
    pub(crate) body: Value,
}

impl Call {
    /// Understands the body. What is wrong with it is answered with 422, as the suite wants it.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        T::deserialize(&self.body).map_err(|error| Refusal::field("", error.to_string()).into())
    }
}

impl FromRequest<Compat> for Call {
    type Rejection = Problem;

    async fn from_request(request: Request, compat: &Compat) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let profile = introduce(&parts.headers)?;
        let request = Request::from_parts(Parts::clone(&parts), body);
        let RawBody(bytes) = RawBody::from_request(request, &compat.door).await?;
        let body = match bytes.is_empty() && !parts.headers.contains_key(header::CONTENT_TYPE) {
            true => Value::Null,
            false => without_card(&parts.headers, &bytes)?,
        };
        let ctx = Context {
            tenant_id: TenantId::DEFAULT,
            channel: None,
            caller: Caller::Agent { profile: profile.clone() },
            request_id: compat.door.engine().request_id(),
            idempotency: idempotency(&parts, &profile, &body)?,
            source: Source::Ucp,
        };
        Ok(Self { ctx, profile, body })
    }
}

fn without_card(headers: &HeaderMap, bytes: &Bytes) -> Result<Value, Problem> {
    let mut body: Value = read_json(headers, bytes)?;
    payment::exchange_card(&mut body)?;
    Ok(body)
}

/// The profile in `UCP-Agent`, whose version must be ours if it names one.
fn introduce(headers: &HeaderMap) -> Result<String, Problem> {
    let wrong = |message: &str| {
        Problem::with_status(
            StatusCode::BAD_REQUEST,
            Refusal::new(Code::InputInvalid, format!("UCP-Agent {message}")),
        )
    };
    let text = headers.get(AGENT).and_then(|value| value.to_str().ok());
    let text = text.ok_or_else(|| wrong("is needed"))?;
    let profile = quoted(text, "profile").filter(|profile| !profile.is_empty());
    let profile = profile.ok_or_else(|| wrong("must name a profile"))?;
    if profile.len() > PROFILE_MAX {
        return Err(wrong("names a profile that is too long"));
    }
    match quoted(text, "version") {
        Some(version) if version != VERSION => {
            Err(wrong(&format!("asks for a version that is not spoken here; {VERSION} is")))
        }
        _ => Ok(profile.to_owned()),
    }
}

/// The value of a member or parameter, such as `profile="…"`.
fn quoted<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split('"').collect::<Vec<_>>().chunks(2).find_map(|pair| match pair {
        [before, value] => {
            let key = before.trim_start_matches([';', ',', ' ']).strip_suffix('=')?;
            (key == name).then_some(*value)
        }
        _ => None,
    })
}

/// A key is unique within the platform and what it calls. The digest is of the body without its card, so that
/// nothing of a card is kept, not even its hash.
fn idempotency(parts: &Parts, profile: &str, body: &Value) -> Result<Option<Idempotency>, Problem> {
    let Some(value) = parts.headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = Idempotency::read_key(value.to_str().unwrap_or_default())?;
    Ok(Some(Idempotency {
        scope: format!("{profile} {} {}", parts.method, parts.uri.path()),
        key,
        digest: digest(&HeaderMap::new(), body.to_string().as_bytes()),
    }))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn introduced(text: &str) -> Result<String, StatusCode> {
        let value = HeaderValue::from_str(text).expect("a header");
        introduce(&HeaderMap::from_iter([(header::HeaderName::from_static(AGENT), value)]))
            .map_err(|problem| problem.status())
    }

    #[test]
    fn a_platform_introduces_itself_in_a_version_that_is_spoken() {
        let profile = "http://localhost:8285/profiles/shopping-agent.json";
        assert_eq!(introduced(&format!("profile=\"{profile}\"")), Ok(profile.to_owned()));
        let versioned = |version| format!("profile=\"...\"; version=\"{version}\"");
        assert_eq!(introduced(&versioned("2026-01-11")), Ok("...".to_owned()));
        assert_eq!(introduced(&versioned("2099-01-01")), Err(StatusCode::BAD_REQUEST));
        for nobody in ["", "profile", "profile=\"\"", "version=\"2026-01-11\"", "xprofile=\"a\""] {
            assert_eq!(introduced(nobody), Err(StatusCode::BAD_REQUEST), "{nobody}");
        }
        assert!(introduce(&HeaderMap::new()).is_err());
    }
}
