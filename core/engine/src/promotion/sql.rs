//! Rows of promotions and their codes.

use handel_domain::{
    id::{ChannelId, PromotionId, TenantId},
    promotion::{AUTOMATIC_MAX, Promotion},
};
use handel_ports::System;
use handel_store::{Bound, Json, Row, StoreError, statements, values};
use jiff::Timestamp;

statements! {
    GET = "
        select id, rules, automatic, version, created_at, updated_at, used
          from promotions where tenant_id = $1 and id = $2";
    LOCK for update = "
        select id, rules, automatic, version, created_at, updated_at, used
          from promotions where tenant_id = $1 and id = $2";
    LIST = "
        select id, rules, automatic, version, created_at, updated_at, used
          from promotions where tenant_id = $1 and id < $2 order by id desc limit $3";
    AUTOMATIC = "
        select id, rules, automatic, version, created_at, updated_at, used
          from promotions
         where tenant_id = $1 and automatic and enabled and (channel_id is null or channel_id = $2)
           and (ends_at is null or ends_at > $3)
         order by id limit $4";
    INSERT = "
        insert into promotions (tenant_id, id, rules, automatic, enabled, channel_id, ends_at, usage_limit,
                                customer_limit, used, version, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12)";
    UPDATE = "
        update promotions set rules = $3, automatic = $4, enabled = $5, channel_id = $6, ends_at = $7,
                              usage_limit = $8, customer_limit = $9, version = $10, updated_at = $11
         where tenant_id = $1 and id = $2 and version = $12";
    DELETE = "delete from promotions where tenant_id = $1 and id = $2 and used = 0";
    CODES = "
        select code from promotion_codes where tenant_id = $1 and promotion_id = $2 order by code limit 1000";
    OWNERS = "
        select code, promotion_id from promotion_codes where tenant_id = $1 and code in list($2) order by code";
    INSERT_CODE = "insert into promotion_codes (tenant_id, promotion_id, code) values ($1, $2, $3)";
    DELETE_CODE = "delete from promotion_codes where tenant_id = $1 and promotion_id = $2 and code = $3";
    /// How many promotions without a code are in force in each channel, besides one.
    COUNT_AUTOMATIC = "
        select channel_id, count(*) from promotions
         where tenant_id = $1 and automatic and enabled and id <> $2 and (ends_at is null or ends_at > $3)
         group by channel_id";
    CHANNEL = "select id from channels where tenant_id = $1 and id = $2";
    NEXT_EDITION = "
        insert into promotion_editions (tenant_id, edition) values ($1, $2)
            on conflict (tenant_id) do update set edition = excluded.edition";
}

/// The promotions that hold in a channel without a code, as far as they have not ended.
pub(crate) fn automatic(tenant_id: TenantId, channel_id: ChannelId, now: Timestamp) -> Bound {
    let most = i64::try_from(AUTOMATIC_MAX).unwrap_or(i64::MAX);
    AUTOMATIC.bind(values![tenant_id, channel_id, now, most])
}

/// Understands what [`automatic`] finds.
pub(crate) fn read_all(rows: &[Row]) -> Result<Vec<Promotion>, StoreError> {
    rows.iter().map(|row| read(row, 0)).collect()
}

/// Reads a promotion from six columns, the first of which is `at`.
pub(super) fn read(row: &Row, at: usize) -> Result<Promotion, StoreError> {
    let Json(rules) = row.get(at + 1)?;
    Ok(Promotion {
        id: row.get(at)?,
        rules,
        is_automatic: row.get(at + 2)?,
        version: row.get(at + 3)?,
        created_at: row.get(at + 4)?,
        updated_at: row.get(at + 5)?,
    })
}

/// Makes everybody read promotions anew. Whoever changes one does this before it is looked at what others did, so
/// that they follow one another.
///
/// The number is drawn, not counted: whoever read what was never committed must not take it for what is
/// committed next.
pub(super) fn next_edition(system: &System, tenant_id: TenantId) -> Bound {
    NEXT_EDITION.bind(values![tenant_id, i64::from_be_bytes(system.bytes())])
}

pub(super) fn insert(tenant_id: TenantId, promotion: &Promotion) -> Bound {
    let rules = &promotion.rules;
    INSERT.bind(values![
        tenant_id,
        promotion.id,
        Json(rules),
        promotion.is_automatic,
        rules.is_enabled,
        rules.channel_id,
        rules.ends_at,
        rules.usage_limit,
        rules.customer_limit,
        promotion.version,
        promotion.created_at,
        promotion.updated_at,
    ])
}

/// Saves a promotion that was read in this transaction and has its next version already. Changes one row.
pub(super) fn update(tenant_id: TenantId, promotion: &Promotion) -> Bound {
    let rules = &promotion.rules;
    UPDATE.bind(values![
        tenant_id,
        promotion.id,
        Json(rules),
        promotion.is_automatic,
        rules.is_enabled,
        rules.channel_id,
        rules.ends_at,
        rules.usage_limit,
        rules.customer_limit,
        promotion.version,
        promotion.updated_at,
        promotion.version - 1,
    ])
}

pub(super) fn insert_code(tenant_id: TenantId, id: PromotionId, code: &str) -> Bound {
    INSERT_CODE.bind(values![tenant_id, id, code])
}

pub(super) fn delete_code(tenant_id: TenantId, id: PromotionId, code: &str) -> Bound {
    DELETE_CODE.bind(values![tenant_id, id, code])
}
