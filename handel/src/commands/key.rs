//! `handel key`: API keys, above all the first one.

use anyhow::{Context as _, Result};
use handel_domain::id::ApiKeyId;
use handel_engine::{ApiKey, Engine, Scope};
use handel_ports::System;
use jiff::{SignedDuration, Timestamp};

use super::operator;
use crate::{config::Config, console, failure, wiring};

/// Keys on one page of the list.
const PAGE: u32 = 100;

/// Makes a key. The secret is the only line on the standard output, so that a script can take it.
pub async fn create(
    config: &Config,
    name: &str,
    scopes: Vec<Scope>,
    expires_in: Option<SignedDuration>,
) -> Result<()> {
    let expires_at = match expires_in {
        Some(time) => {
            Some(System::real().now().checked_add(time).context("the key would never end")?)
        }
        None => None,
    };
    let engine = wiring::open_engine(config).await?;
    let made = engine.create_api_key(&operator(&engine), name, scopes.clone(), expires_at).await;
    engine.close().await;
    let key = made.map_err(failure::of_engine).context("the key cannot be made")?;
    console::note(&format!(
        "Key {} for {name}, {}, may do: {}.\nSend it as `Authorization: Bearer …`. It is shown this once:",
        key.id,
        expires_at.map_or("without end".to_owned(), |at| format!("until {}", day(at))),
        names(&scopes),
    ));
    console::line(key.secret.expose())
}

/// Prints a table of all keys.
pub async fn list(config: &Config) -> Result<()> {
    let engine = wiring::open_engine(config).await?;
    let listed = all(&engine).await;
    engine.close().await;
    let now = System::real().now();
    let header = ["ID", "BEGINS WITH", "NAME", "STATE", "LAST USED", "SCOPES"].map(str::to_owned);
    let rows = listed?.into_iter().map(|key| {
        let state = state(&key, now);
        let used = key.last_used_at.map_or("never".to_owned(), day);
        [key.id.to_string(), key.prefix, key.name, state, used, names(&key.scopes)]
    });
    console::table(std::iter::once(header).chain(rows))
}

/// Ends a key.
pub async fn revoke(config: &Config, id: ApiKeyId) -> Result<()> {
    let engine = wiring::open_engine(config).await?;
    let revoked = engine.revoke_api_key(&operator(&engine), id).await;
    engine.close().await;
    revoked.map_err(failure::of_engine).context("the key cannot be revoked")?;
    console::note(&format!("Key {id} is revoked."));
    Ok(())
}

async fn all(engine: &Engine) -> Result<Vec<ApiKey>> {
    let ctx = operator(engine);
    let (mut keys, mut cursor) = (Vec::new(), None);
    loop {
        let page = engine.list_api_keys(&ctx, cursor, PAGE).await.map_err(failure::of_engine)?;
        keys.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(keys);
        }
    }
}

fn state(key: &ApiKey, now: Timestamp) -> String {
    match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {}", day(at)),
        (None, Some(at)) if at <= now => format!("expired {}", day(at)),
        (None, Some(at)) => format!("until {}", day(at)),
        (None, None) => "valid".to_owned(),
    }
}

fn names(scopes: &[Scope]) -> String {
    if Scope::ALL.iter().all(|scope| scopes.contains(scope)) {
        return "all".to_owned();
    }
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",")
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
