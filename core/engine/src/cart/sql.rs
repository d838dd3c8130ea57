//! Rows of carts: one document each.

use handel_domain::{
    cart::Cart,
    id::{CartId, CheckoutId, TenantId},
};
use handel_store::{Bound, Json, StoreError, Transaction, statements, values};
use jiff::Timestamp;

statements! {
    GET = "select document from carts where tenant_id = $1 and id = $2";
    LOCK for update = "select document from carts where tenant_id = $1 and id = $2";
    LOCK_OF_CHECKOUTS for update = "
        select document from carts
         where tenant_id = $1 and id in (select cart_id from checkouts where tenant_id = $1 and id in list($2))
         order by id";
    INSERT = "
        insert into carts (tenant_id, id, status, document, version, expires_at) values ($1, $2, $3, $4, $5, $6)";
    UPDATE = "
        update carts set status = $3, document = $4, version = $5, expires_at = $6
         where tenant_id = $1 and id = $2 and version = $7";
    EXPIRED = "
        select tenant_id, id from carts where expires_at <= $1 and status = 'open' order by expires_at limit 200";
    REMOVE = "delete from carts where tenant_id = $1 and id = $2 and version = $3";
    DELETE = "delete from carts where tenant_id = $1 and id = $2 and expires_at <= $3 and status = 'open'";
    DELETE_ORDERED = "
        delete from carts where (tenant_id, id) in (
            select tenant_id, id from carts where expires_at <= $1 and status = 'ordered' order by expires_at limit 200)";
}

pub(crate) async fn find(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    id: CartId,
) -> Result<Option<Cart>, StoreError> {
    let row = tx.row(GET.bind(values![tenant_id, id])).await?;
    row.map(|row| row.get(0).map(|Json(cart)| cart)).transpose()
}

pub(crate) async fn lock(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    id: CartId,
) -> Result<Option<Cart>, StoreError> {
    let row = tx.row(LOCK.bind(values![tenant_id, id])).await?;
    row.map(|row| row.get(0).map(|Json(cart)| cart)).transpose()
}

/// The carts of some checkouts. They are locked before the checkouts, everywhere, so that two who want both
/// wait for each other instead of deadlocking.
pub(crate) fn lock_of_checkouts(tenant_id: TenantId, ids: &[CheckoutId]) -> Bound {
    let ids: handel_store::Value = ids.iter().copied().collect();
    LOCK_OF_CHECKOUTS.bind(values![tenant_id, ids])
}

pub(crate) fn read_all(rows: &[handel_store::Row]) -> Result<Vec<Cart>, StoreError> {
    rows.iter().map(|row| row.get(0).map(|Json(cart)| cart)).collect()
}

pub(crate) fn insert(tenant_id: TenantId, cart: &Cart) -> Bound {
    INSERT.bind(values![
        tenant_id,
        cart.id,
        cart.status.as_str(),
        Json(cart),
        cart.version,
        cart.expires_at
    ])
}

/// Saves a cart that was read in this transaction, and gives it its next version. Changes one row.
pub(crate) fn update(tenant_id: TenantId, cart: &mut Cart) -> Bound {
    let before = cart.version;
    cart.version += 1;
    UPDATE.bind(values![
        tenant_id,
        cart.id,
        cart.status.as_str(),
        Json(&*cart),
        cart.version,
        cart.expires_at,
        before,
    ])
}

/// Takes away a cart that was read in this transaction. Changes one row.
pub(crate) fn remove(tenant_id: TenantId, cart: &Cart) -> Bound {
    REMOVE.bind(values![tenant_id, cart.id, cart.version])
}

pub(crate) fn expired(now: Timestamp) -> Bound {
    EXPIRED.bind(values![now])
}

pub(crate) fn delete(tenant_id: TenantId, id: CartId, now: Timestamp) -> Bound {
    DELETE.bind(values![tenant_id, id, now])
}

pub(crate) fn delete_ordered(now: Timestamp) -> Bound {
    DELETE_ORDERED.bind(values![now])
}
