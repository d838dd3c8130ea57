//! API keys: hashed, found by a prefix, limited by scopes and time.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use handel_domain::{
    Code, Refusal,
    id::{ApiKeyId, ApiKeyKind, TenantId},
    text,
};
use handel_store::{Json, Row, StoreError, Transaction, statements, values};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{Context, Engine, Error, Once, Page, Scope, context::Caller};

statements! {
    FIND = "
        select tenant_id, id, digest, scopes, expires_at, revoked_at, last_used_at from api_keys where prefix = $1";
    INSERT = "
        insert into api_keys (tenant_id, id, prefix, digest, name, scopes, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIST = "
        select id, prefix, name, scopes, created_at, expires_at, revoked_at, last_used_at
          from api_keys where tenant_id = $1 and id < $2 order by id desc limit $3";
    REVOKE = "
        update api_keys set revoked_at = $3 where tenant_id = $1 and id = $2 and revoked_at is null";
    TOUCH = "update api_keys set last_used_at = $3 where tenant_id = $1 and id = $2";
}

/// How a key begins, so that it is recognized where it should not be.
const MARK: &str = "hk_";
/// The index that keeps two keys from beginning alike.
const BY_PREFIX: &str = "api_keys_by_prefix";
/// How often another prefix is drawn. Two that are drawn alike are rare; three in a row are a mistake.
const PREFIX_TRIES_MAX: usize = 3;
/// How exactly the last use is noted.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// A key as staff see it. The secret is not among it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Identity.
    pub id: ApiKeyId,
    /// How the key begins.
    pub prefix: String,
    /// What staff call it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to within five minutes.
    pub last_used_at: Option<Timestamp>,
}

/// A new key with its secret, which is shown this once and never again.
#[derive(Clone)]
pub struct NewApiKey {
    /// Identity.
    pub id: ApiKeyId,
    /// The whole key.
    pub secret: handel_ports::Secret<String>,
}

impl Engine {
    /// Makes a key. Nobody can make a key that may do more than they may.
    pub async fn create_api_key(
        &self,
        ctx: &Context,
        name: &str,
        scopes: Vec<Scope>,
        expires_at: Option<Timestamp>,
    ) -> Result<NewApiKey, Error> {
        ctx.require(Scope::KeysWrite)?;
        let name = text::line("/name", name, text::NAME_MAX)?;
        let now = self.system().now();
        if scopes.is_empty() {
            return Err(Refusal::field("/scopes", "must not be empty").into());
        }
        for scope in &scopes {
            ctx.require(*scope)?;
        }
        if expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(Refusal::field("/expires_at", "must be in the future").into());
        }
        for _ in 0..PREFIX_TRIES_MAX {
            match self.insert_key(ctx, &name, &scopes, expires_at).await {
                Err(Error { source: Some(source), .. }) if source.is_unique(BY_PREFIX) => {}
                outcome => return outcome,
            }
        }
        Err(Error::internal("no prefix of a key is free"))
    }

    /// Draws a key and stores it. Fails where another one begins alike.
    async fn insert_key(
        &self,
        ctx: &Context,
        name: &str,
        scopes: &[Scope],
        expires_at: Option<Timestamp>,
    ) -> Result<NewApiKey, Error> {
        let prefix = format!(
            "{MARK}{}",
            URL_SAFE_NO_PAD.encode(self.system().bytes::<6>()).replace(['-', '_'], "x")
        );
        let secret = format!("{prefix}_{}", URL_SAFE_NO_PAD.encode(self.system().bytes::<32>()));
        let id = self.system().mint::<ApiKeyKind>(self.system().now());
        let (tenant_id, digest) = (ctx.tenant_id, digest(&secret));
        let (name, scopes) = (name.to_owned(), scopes.to_vec());
        let once = self
            .write_once(ctx, async move |tx, now| {
                let insert = INSERT.bind(values![
                    tenant_id,
                    id,
                    &prefix,
                    &digest,
                    &name,
                    Json(&scopes),
                    now,
                    expires_at
                ]);
                tx.run(insert).await.map(drop).map_err(Error::from)
            })
            .await?;
        if once.replayed {
            // Secrets are not stored, so the first answer cannot be given again.
            let message =
                "this request made a key before; its secret was shown then and never again";
            return Err(Refusal::new(Code::SecretShownOnce, message).into());
        }
        Ok(NewApiKey { id, secret: handel_ports::Secret::new(secret) })
    }

    /// The merchant and caller behind a key.
    pub async fn authenticate(&self, key: &str) -> Result<(TenantId, Caller), Error> {
        let invalid =
            || Refusal::new(Code::CredentialInvalid, "the API key is unknown, expired or revoked");
        let Some((prefix, _)) = key.strip_prefix(MARK).and_then(|rest| rest.split_once('_')) else {
            return Err(invalid().into());
        };
        let prefix = format!("{MARK}{prefix}");
        let found = self
            .database()
            .read(async move |tx: &mut Transaction<'_>| {
                Ok::<_, Error>(
                    tx.row(FIND.bind(values![&prefix]))
                        .await?
                        .map(|row| read_stored(&row))
                        .transpose()?,
                )
            })
            .await?;
        let now = self.system().now();
        // A key that does not exist costs the same comparison as one that does.
        let expected = found.as_ref().map_or("", |stored| stored.digest.as_str());
        let is_right = bool::from(digest(key).as_bytes().ct_eq(expected.as_bytes()));
        let stored = found.filter(|stored| is_right && stored.is_valid(now)).ok_or_else(invalid)?;
        if stored.last_used_at.is_none_or(|used| used + TOUCH_EVERY < now) {
            let (tenant_id, id) = (stored.tenant_id, stored.id);
            let touch = async move |tx: &mut Transaction<'_>| {
                tx.run(TOUCH.bind(values![tenant_id, id, now])).await
            };
            if let Err(error) = self.database().write(touch).await {
                // Reads go on where nothing can be written, also those of staff.
                tracing::warn!(%error, "the last use of an API key was not noted");
            }
        }
        Ok((stored.tenant_id, Caller::ApiKey { id: stored.id, scopes: stored.scopes }))
    }

    /// The keys of the shop, newest first.
    pub async fn list_api_keys(
        &self,
        ctx: &Context,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Page<ApiKey>, Error> {
        ctx.require(Scope::KeysWrite)?;
        let tenant_id = ctx.tenant_id;
        let bind = move |after: String, count: i64| LIST.bind(values![tenant_id, after, count]);
        self.page("api keys", cursor, limit, bind, read).await
    }

    /// Ends a key at once.
    pub async fn revoke_api_key(&self, ctx: &Context, id: ApiKeyId) -> Result<Once<()>, Error> {
        ctx.require(Scope::KeysWrite)?;
        let tenant_id = ctx.tenant_id;
        self.write_once(ctx, async move |tx, now| {
            let message = "there is no such key, or it was revoked before";
            match tx.run(REVOKE.bind(values![tenant_id, id, now])).await? {
                0 => Err(Refusal::new(Code::ApiKeyUnknown, message).into()),
                _ => Ok(()),
            }
        })
        .await
    }
}

struct Stored {
    tenant_id: TenantId,
    id: ApiKeyId,
    digest: String,
    scopes: Vec<Scope>,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
}

impl Stored {
    fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| expires_at > now)
    }
}

fn read_stored(row: &Row) -> Result<Stored, StoreError> {
    Ok(Stored {
        tenant_id: row.get(0)?,
        id: row.get(1)?,
        digest: row.get(2)?,
        scopes: row.get(3).map(|Json(scopes)| scopes)?,
        expires_at: row.get(4)?,
        revoked_at: row.get(5)?,
        last_used_at: row.get(6)?,
    })
}

fn read(row: &Row) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: row.get(0)?,
        prefix: row.get(1)?,
        name: row.get(2)?,
        scopes: row.get(3).map(|Json(scopes)| scopes)?,
        created_at: row.get(4)?,
        expires_at: row.get(5)?,
        revoked_at: row.get(6)?,
        last_used_at: row.get(7)?,
    })
}

/// Keys have 256 random bits, so a plain hash is as good as a slow one.
fn digest(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(key.as_bytes()))
}
