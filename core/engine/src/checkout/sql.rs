//! Rows of checkouts: one document each.

use handel_domain::{
    cart::Cart,
    checkout::Checkout,
    id::{CartId, CheckoutId, TenantId},
};
use handel_store::{Bound, Json, Row, StoreError, Transaction, Value, statements, values};
use jiff::Timestamp;

use crate::cart;

statements! {
    GET = "select document from checkouts where tenant_id = $1 and id = $2";
    LOCK for update = "select document from checkouts where tenant_id = $1 and id = $2";
    LOCK_MANY for update = "
        select document from checkouts where tenant_id = $1 and id in list($2) order by id";
    LOCK_OF_CART for update = "
        select document from checkouts where tenant_id = $1 and cart_id = $2 and status <> 'canceled'";
    GET_OF_CART = "
        select document from checkouts where tenant_id = $1 and cart_id = $2 and status <> 'canceled'";
    INSERT = "
        insert into checkouts (tenant_id, id, cart_id, status, document, order_id, version, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    UPDATE = "
        update checkouts set status = $3, document = $4, order_id = $5, version = $6, expires_at = $7
         where tenant_id = $1 and id = $2 and version = $8";
    SET_DOCUMENT = "
        update checkouts set document = $3 where tenant_id = $1 and id = $2 and version = $4";
    DELETE_EXPIRED = "
        delete from checkouts where (tenant_id, id) in (
            select tenant_id, id from checkouts where expires_at <= $1 and status <> 'completed'
             order by expires_at limit 200)";
    DELETE_COMPLETED = "
        delete from checkouts where (tenant_id, id) in (
            select tenant_id, id from checkouts where expires_at <= $1 and status = 'completed'
             order by expires_at limit 200)";
}

fn read(row: &Row) -> Result<Checkout, StoreError> {
    row.get(0).map(|Json(checkout)| checkout)
}

pub(crate) async fn find(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    id: CheckoutId,
) -> Result<Option<Checkout>, StoreError> {
    tx.row(GET.bind(values![tenant_id, id])).await?.as_ref().map(read).transpose()
}

pub(crate) async fn lock(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    id: CheckoutId,
) -> Result<Option<Checkout>, StoreError> {
    tx.row(LOCK.bind(values![tenant_id, id])).await?.as_ref().map(read).transpose()
}

/// The checkout of a cart that was not canceled. There is at most one.
pub(crate) async fn lock_of_cart(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    cart_id: CartId,
) -> Result<Option<Checkout>, StoreError> {
    tx.row(LOCK_OF_CART.bind(values![tenant_id, cart_id])).await?.as_ref().map(read).transpose()
}

/// The checkout of a cart, without locking it.
pub(crate) async fn find_of_cart(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    cart_id: CartId,
) -> Result<Option<Checkout>, StoreError> {
    tx.row(GET_OF_CART.bind(values![tenant_id, cart_id])).await?.as_ref().map(read).transpose()
}

/// A checkout with its cart, both locked, the cart first as everywhere. One round trip.
pub(crate) async fn lock_with_cart(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    id: CheckoutId,
) -> Result<Option<(Checkout, Option<Cart>)>, StoreError> {
    let bounds =
        vec![cart::sql::lock_of_checkouts(tenant_id, &[id]), lock_many(tenant_id, vec![id])];
    let results = tx.rows_all(bounds).await?;
    let [carts, checkouts] = &results[..] else { return Ok(None) };
    let Some(checkout) = checkouts.first() else { return Ok(None) };
    Ok(Some((read(checkout)?, cart::sql::read_all(carts)?.pop())))
}

pub(crate) fn lock_many(tenant_id: TenantId, ids: Vec<CheckoutId>) -> Bound {
    let ids: Value = ids.into_iter().collect();
    LOCK_MANY.bind(values![tenant_id, ids])
}

pub(crate) fn read_all(rows: &[Row]) -> Result<Vec<Checkout>, StoreError> {
    rows.iter().map(read).collect()
}

pub(crate) fn insert(tenant_id: TenantId, checkout: &Checkout) -> Bound {
    INSERT.bind(values![
        tenant_id,
        checkout.id,
        checkout.cart_id,
        checkout.status.as_str(),
        Json(checkout),
        checkout.order_id,
        checkout.version,
        checkout.expires_at,
    ])
}

/// Saves a checkout that was read in this transaction, and gives it its next version. Changes one row.
pub(crate) fn update(tenant_id: TenantId, checkout: &mut Checkout) -> Bound {
    let before = checkout.version;
    checkout.version += 1;
    UPDATE.bind(values![
        tenant_id,
        checkout.id,
        checkout.status.as_str(),
        Json(&*checkout),
        checkout.order_id,
        checkout.version,
        checkout.expires_at,
        before,
    ])
}

/// Saves what an answer shows, and nothing else: the version stays. Changes one row.
pub(crate) fn set_shown(tenant_id: TenantId, checkout: &Checkout) -> Bound {
    SET_DOCUMENT.bind(values![tenant_id, checkout.id, Json(checkout), checkout.version])
}

pub(crate) fn delete_expired(now: Timestamp) -> Bound {
    DELETE_EXPIRED.bind(values![now])
}

pub(crate) fn delete_completed(now: Timestamp) -> Bound {
    DELETE_COMPLETED.bind(values![now])
}
