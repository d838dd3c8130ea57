//! Staff make, change and delete promotions.

use std::collections::{BTreeMap, BTreeSet};

use handel_domain::{
    Code, Refusal,
    event::{Change, Event, PromotionEvent},
    id::{ChannelId, PromotionId, PromotionKind, TenantId},
    promotion::{AUTOMATIC_MAX, CouponCode, Promotion, Rules},
};
use handel_store::{Bound, Row, StoreError, Transaction, Value, values};
use jiff::Timestamp;

use super::{PromotionDetails, PromotionSummary, sql};
use crate::{Context, Engine, Error, Once, Page, Scope, journal};

impl Engine {
    /// Makes a promotion. With codes it is for those who give one of them, without for everybody.
    pub async fn create_promotion(
        &self,
        ctx: &Context,
        rules: Rules,
        codes: Vec<String>,
    ) -> Result<Once<PromotionDetails>, Error> {
        ctx.require(Scope::PromotionsWrite)?;
        let (rules, codes) = (rules.checked()?, CouponCode::checked("/codes", &codes)?);
        let (system, context) = (self.system().clone(), ctx.clone());
        self.write_once(ctx, async move |tx, now| {
            let tenant_id = context.tenant_id;
            let promotion = Promotion {
                id: system.mint::<PromotionKind>(now),
                rules: rules.clone(),
                is_automatic: codes.is_empty(),
                version: 1,
                created_at: now,
                updated_at: now,
            };
            tx.run(sql::next_edition(&system, tenant_id)).await?;
            check(tx, tenant_id, &promotion, &codes, now).await?;
            let mut bounds = vec![sql::insert(tenant_id, &promotion)];
            bounds.extend(codes.iter().map(|code| insert_code(tenant_id, promotion.id, code)));
            bounds.extend(record(&system, &context, &promotion, Change::Created, now));
            tx.run_all(bounds).await?;
            Ok(details(promotion, &codes, 0))
        })
        .await
    }

    /// Replaces the rules and codes of a promotion. Orders keep what they got.
    pub async fn replace_promotion(
        &self,
        ctx: &Context,
        id: PromotionId,
        rules: Rules,
        codes: Vec<String>,
        expected_version: Option<i64>,
    ) -> Result<Once<PromotionDetails>, Error> {
        ctx.require(Scope::PromotionsWrite)?;
        let (rules, codes) = (rules.checked()?, CouponCode::checked("/codes", &codes)?);
        let (system, context) = (self.system().clone(), ctx.clone());
        self.write_once(ctx, async move |tx, now| {
            let tenant_id = context.tenant_id;
            let row = tx.row(sql::LOCK.bind(values![tenant_id, id])).await?.ok_or_else(unknown)?;
            let (before, used) = (sql::read(&row, 0)?, row.get(6)?);
            crate::check_version(before.version, expected_version)?;
            let promotion = Promotion {
                rules: rules.clone(),
                is_automatic: codes.is_empty(),
                version: before.version + 1,
                updated_at: now,
                ..before
            };
            tx.run(sql::next_edition(&system, tenant_id)).await?;
            check(tx, tenant_id, &promotion, &codes, now).await?;
            if tx.run(sql::update(tenant_id, &promotion)).await? != 1 {
                return Err(tx.restart().into());
            }
            let had = codes_of(tx, tenant_id, id).await?;
            let had: BTreeSet<&str> = had.iter().map(String::as_str).collect();
            let has: BTreeSet<&str> = codes.iter().map(CouponCode::as_str).collect();
            let gone = had.difference(&has).map(|code| sql::delete_code(tenant_id, id, code));
            let new = has.difference(&had).map(|code| sql::insert_code(tenant_id, id, code));
            let mut bounds: Vec<Bound> = gone.chain(new).collect();
            bounds.extend(record(&system, &context, &promotion, Change::Updated, now));
            tx.run_all(bounds).await?;
            Ok(details(promotion, &codes, used))
        })
        .await
    }

    /// Deletes a promotion that no order uses. One that was used can be switched off instead.
    pub async fn delete_promotion(
        &self,
        ctx: &Context,
        id: PromotionId,
    ) -> Result<Once<()>, Error> {
        ctx.require(Scope::PromotionsWrite)?;
        let (system, context) = (self.system().clone(), ctx.clone());
        self.write_once(ctx, async move |tx, now| {
            let tenant_id = context.tenant_id;
            let row = tx.row(sql::LOCK.bind(values![tenant_id, id])).await?.ok_or_else(unknown)?;
            let mut promotion = sql::read(&row, 0)?;
            if row.get::<i64>(6)? > 0 {
                let message = "orders use the promotion; switch it off instead";
                return Err(Refusal::new(Code::StillInUse, message).into());
            }
            if tx.run(sql::DELETE.bind(values![tenant_id, id])).await? != 1 {
                return Err(tx.restart().into());
            }
            promotion.version += 1;
            let mut bounds = vec![sql::next_edition(&system, tenant_id)];
            bounds.extend(record(&system, &context, &promotion, Change::Deleted, now));
            tx.run_all(bounds).await?;
            Ok(())
        })
        .await
    }

    /// A promotion with its codes. Who may change it may read it, too.
    pub async fn get_promotion(
        &self,
        ctx: &Context,
        id: PromotionId,
    ) -> Result<PromotionDetails, Error> {
        if !ctx.allows(Scope::PromotionsWrite) {
            ctx.require(Scope::PromotionsRead)?;
        }
        let tenant_id = ctx.tenant_id;
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let row =
                    tx.row(sql::GET.bind(values![tenant_id, id])).await?.ok_or_else(unknown)?;
                let codes = codes_of(tx, tenant_id, id).await?;
                Ok::<_, Error>(PromotionDetails {
                    promotion: sql::read(&row, 0)?,
                    codes,
                    used: row.get(6)?,
                })
            })
            .await
    }

    /// Every promotion, newest first, page by page.
    pub async fn list_promotions(
        &self,
        ctx: &Context,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Page<PromotionSummary>, Error> {
        ctx.require(Scope::PromotionsRead)?;
        let tenant_id = ctx.tenant_id;
        let bind =
            move |after: String, count: i64| sql::LIST.bind(values![tenant_id, after, count]);
        self.page("promotions", cursor, limit, bind, read_summary).await
    }
}

fn unknown() -> Refusal {
    Refusal::new(Code::PromotionUnknown, "there is no such promotion")
}

fn read_summary(row: &Row) -> Result<PromotionSummary, StoreError> {
    Ok(PromotionSummary { promotion: sql::read(row, 0)?, used: row.get(6)? })
}

fn details(promotion: Promotion, codes: &BTreeSet<CouponCode>, used: i64) -> PromotionDetails {
    let codes = codes.iter().map(|code| code.as_str().to_owned()).collect();
    PromotionDetails { promotion, codes, used }
}

fn insert_code(tenant_id: TenantId, id: PromotionId, code: &CouponCode) -> Bound {
    sql::insert_code(tenant_id, id, code.as_str())
}

fn record(
    system: &handel_ports::System,
    ctx: &Context,
    promotion: &Promotion,
    change: Change,
    now: Timestamp,
) -> [Bound; 2] {
    let event = Event::Promotion(PromotionEvent { promotion_id: promotion.id, change });
    journal::record(system, ctx, &event, promotion.version, now)
}

async fn codes_of(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    id: PromotionId,
) -> Result<Vec<String>, StoreError> {
    let rows = tx.rows(sql::CODES.bind(values![tenant_id, id])).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Checks what the rules alone do not say, after others were made to wait.
async fn check(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    promotion: &Promotion,
    codes: &BTreeSet<CouponCode>,
    now: Timestamp,
) -> Result<(), Error> {
    if let Some(channel_id) = promotion.rules.channel_id {
        let channel = tx.row(sql::CHANNEL.bind(values![tenant_id, channel_id])).await?;
        channel.ok_or_else(|| Refusal::field("/channel_id", "there is no such channel"))?;
    }
    if promotion.is_automatic {
        return check_room(tx, tenant_id, promotion, now).await;
    }
    let meant: Value = codes.iter().map(|code| code.as_str().to_owned()).collect::<Vec<_>>().into();
    for row in tx.rows(sql::OWNERS.bind(values![tenant_id, meant])).await? {
        if row.get::<PromotionId>(1)? != promotion.id {
            let message = format!("another promotion has the code {}", row.get::<String>(0)?);
            return Err(Refusal::new(Code::PromotionCodeTaken, message).into());
        }
    }
    Ok(())
}

/// Refuses one more promotion without a code than a basket may have to look at.
async fn check_room(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    promotion: &Promotion,
    now: Timestamp,
) -> Result<(), Error> {
    let rows = tx.rows(sql::COUNT_AUTOMATIC.bind(values![tenant_id, promotion.id, now])).await?;
    let counts: BTreeMap<Option<ChannelId>, i64> =
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_, StoreError>>()?;
    let of = |channel_id| counts.get(&channel_id).copied().unwrap_or(0);
    let in_one = match promotion.rules.channel_id {
        Some(channel_id) => of(Some(channel_id)),
        None => counts.iter().filter(|(id, _)| id.is_some()).map(|(_, n)| *n).max().unwrap_or(0),
    };
    let is_full = usize::try_from(of(None) + in_one).unwrap_or(usize::MAX) >= AUTOMATIC_MAX;
    if promotion.rules.is_enabled && is_full {
        let message = format!(
            "are needed: a channel has at most {AUTOMATIC_MAX} promotions without a code that are in force"
        );
        return Err(Refusal::field("/codes", message).into());
    }
    Ok(())
}
