//! Rows of orders and their lines.

use handel_domain::{
    id::{OrderId, TenantId},
    order::{Order, OrderLine, Source, Status},
    totals::LineTotals,
};
use handel_store::{Bound, Json, Row, StoreError, Transaction, statements, values};

statements! {
    GET = "
        select id, number, channel_id, checkout_id, cart_id, status, email, shipping_address, billing_address,
               shipping_method, currency, prices_include_tax, subtotal_minor, discount_minor, shipping_subtotal_minor,
               shipping_discount_minor, shipping_tax_minor, shipping_tax_rate_millionths, shipping_total_minor,
               tax_minor, total_minor, placed_at, updated_at, reservation_expires_at, version, event_sequence, source,
               origin, discounts
          from orders where tenant_id = $1 and id = $2";
    LOCK for update = "
        select id, number, channel_id, checkout_id, cart_id, status, email, shipping_address, billing_address,
               shipping_method, currency, prices_include_tax, subtotal_minor, discount_minor, shipping_subtotal_minor,
               shipping_discount_minor, shipping_tax_minor, shipping_tax_rate_millionths, shipping_total_minor,
               tax_minor, total_minor, placed_at, updated_at, reservation_expires_at, version, event_sequence, source,
               origin, discounts
          from orders where tenant_id = $1 and id = $2";
    LINES = "
        select id, product_id, variant_id, sku, title, variant_title, image_url, custom, unit_price_minor,
               subtotal_minor, discount_minor, tax_minor, tax_rate_millionths, total_minor, tax_class, weight_grams,
               requires_shipping, tracked, ordered, canceled, shipped, delivered
          from order_lines where tenant_id = $1 and order_id = $2 order by position";
    INSERT = "
        insert into orders (tenant_id, id, number, channel_id, checkout_id, cart_id, source, status, email,
                            shipping_address, billing_address, shipping_method, currency, prices_include_tax,
                            subtotal_minor, discount_minor, shipping_subtotal_minor, shipping_discount_minor,
                            shipping_tax_minor, shipping_tax_rate_millionths, shipping_total_minor, tax_minor,
                            total_minor, placed_at, updated_at, reservation_expires_at, version, event_sequence, origin,
                            discounts)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                $23, $24, $25, $26, $27, $28, $29, $30)";
    INSERT_LINE = "
        insert into order_lines (tenant_id, order_id, id, position, product_id, variant_id, sku, title, variant_title,
                                 image_url, custom, unit_price_minor, subtotal_minor, discount_minor, tax_minor,
                                 tax_rate_millionths, total_minor, tax_class, weight_grams, requires_shipping, tracked,
                                 ordered, canceled, shipped, delivered)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                $23, $24, $25)";
    UPDATE = "
        update orders set status = $3, updated_at = $4, event_sequence = $5, version = version + 1
         where tenant_id = $1 and id = $2 and version = $6";
    UPDATE_LINE = "
        update order_lines set canceled = $4, shipped = $5, delivered = $6
         where tenant_id = $1 and order_id = $2 and id = $3";
}

/// Reads an order whole. One round trip.
pub(crate) async fn find(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    id: OrderId,
) -> Result<Option<Order>, StoreError> {
    read(tx, &GET, tenant_id, id).await
}

/// Reads an order whole and locks it until the end of the transaction.
pub(crate) async fn lock(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    id: OrderId,
) -> Result<Option<Order>, StoreError> {
    read(tx, &LOCK, tenant_id, id).await
}

async fn read(
    tx: &mut Transaction<'_>,
    statement: &'static handel_store::Statement,
    tenant_id: TenantId,
    id: OrderId,
) -> Result<Option<Order>, StoreError> {
    let results = tx.rows_all(bind(statement, tenant_id, id).into()).await?;
    read_found(tenant_id, &results)
}

fn bind(
    statement: &'static handel_store::Statement,
    tenant_id: TenantId,
    id: OrderId,
) -> [Bound; 2] {
    [statement.bind(values![tenant_id, id]), LINES.bind(values![tenant_id, id])]
}

/// The statements that lock an order and read it whole, for [`read_found`].
pub(crate) fn lock_bounds(tenant_id: TenantId, id: OrderId) -> [Bound; 2] {
    bind(&LOCK, tenant_id, id)
}

/// Understands the two results of [`lock_bounds`].
pub(crate) fn read_found(
    tenant_id: TenantId,
    results: &[Vec<Row>],
) -> Result<Option<Order>, StoreError> {
    let [orders, lines] = results else { return Ok(None) };
    let lines = || lines.iter().map(read_line).collect::<Result<Vec<_>, _>>();
    orders.first().map(|row| read_order(tenant_id, row, lines()?)).transpose()
}

/// The rows of a new order.
pub(crate) fn insert(order: &Order) -> Vec<Bound> {
    let shipping = &order.shipping;
    let mut bounds = vec![INSERT.bind(values![
        order.tenant_id,
        order.id,
        order.number,
        order.channel_id,
        order.checkout_id,
        order.cart_id,
        order.source.as_str(),
        order.status.as_str(),
        &order.email,
        order.shipping_address.as_ref().map(Json),
        order.billing_address.as_ref().map(Json),
        order.shipping_method.as_ref().map(Json),
        order.currency,
        order.prices_include_tax,
        order.subtotal_minor,
        order.discount_minor,
        shipping.subtotal_minor,
        shipping.discount_minor,
        shipping.tax_minor,
        shipping.tax_rate_millionths,
        shipping.total_minor,
        order.tax_minor,
        order.total_minor,
        order.placed_at,
        order.updated_at,
        order.reservation_expires_at,
        order.version,
        order.event_sequence,
        order.origin.as_ref().map(Json),
        Json(&order.discounts),
    ])];
    bounds.extend(
        (0i64..).zip(&order.lines).map(|(position, line)| insert_line(order, position, line)),
    );
    bounds
}

fn insert_line(order: &Order, position: i64, line: &OrderLine) -> Bound {
    INSERT_LINE.bind(values![
        order.tenant_id,
        order.id,
        line.id,
        position,
        line.product_id,
        line.variant_id,
        &line.sku,
        &line.title,
        &line.variant_title,
        line.image_url.as_deref(),
        Json(&line.custom),
        line.unit_price_minor,
        line.totals.subtotal_minor,
        line.totals.discount_minor,
        line.totals.tax_minor,
        line.totals.tax_rate_millionths,
        line.totals.total_minor,
        &line.tax_class,
        line.weight_grams,
        line.requires_shipping,
        line.tracked,
        line.ordered,
        line.canceled,
        line.shipped,
        line.delivered,
    ])
}

/// Saves what changes of an order that was read in this transaction, and gives it its next version. The
/// first row must change.
pub(crate) fn update(order: &mut Order) -> Bound {
    let before = order.version;
    order.version += 1;
    UPDATE.bind(values![
        order.tenant_id,
        order.id,
        order.status.as_str(),
        order.updated_at,
        order.event_sequence,
        before,
    ])
}

/// Saves how far the lines of an order have come.
pub(crate) fn update_lines(order: &Order) -> Vec<Bound> {
    let update = |line: &OrderLine| {
        UPDATE_LINE.bind(values![
            order.tenant_id,
            order.id,
            line.id,
            line.canceled,
            line.shipped,
            line.delivered
        ])
    };
    order.lines.iter().map(update).collect()
}

fn read_order(tenant_id: TenantId, row: &Row, lines: Vec<OrderLine>) -> Result<Order, StoreError> {
    Ok(Order {
        id: row.get(0)?,
        tenant_id,
        number: row.get(1)?,
        channel_id: row.get(2)?,
        checkout_id: row.get(3)?,
        cart_id: row.get(4)?,
        source: read_source(&row.get::<String>(26)?),
        origin: json_of(row, 27)?,
        status: read_status(row, 5)?,
        email: row.get(6)?,
        shipping_address: json_of(row, 7)?,
        billing_address: json_of(row, 8)?,
        shipping_method: json_of(row, 9)?,
        currency: row.get(10)?,
        prices_include_tax: row.get(11)?,
        subtotal_minor: row.get(12)?,
        discount_minor: row.get(13)?,
        discounts: row.get(28).map(|Json(discounts)| discounts)?,
        shipping: LineTotals {
            subtotal_minor: row.get(14)?,
            discount_minor: row.get(15)?,
            tax_minor: row.get(16)?,
            tax_rate_millionths: row.get(17)?,
            total_minor: row.get(18)?,
        },
        tax_minor: row.get(19)?,
        total_minor: row.get(20)?,
        lines,
        placed_at: row.get(21)?,
        updated_at: row.get(22)?,
        reservation_expires_at: row.get(23)?,
        version: row.get(24)?,
        event_sequence: row.get(25)?,
    })
}

fn json_of<T: serde::de::DeserializeOwned>(
    row: &Row,
    column: usize,
) -> Result<Option<T>, StoreError> {
    row.get::<Option<Json<T>>>(column).map(|found| found.map(|Json(value)| value))
}

fn read_line(row: &Row) -> Result<OrderLine, StoreError> {
    Ok(OrderLine {
        id: row.get(0)?,
        product_id: row.get(1)?,
        variant_id: row.get(2)?,
        sku: row.get(3)?,
        title: row.get(4)?,
        variant_title: row.get(5)?,
        image_url: row.get(6)?,
        custom: row.get(7).map(|Json(custom)| custom)?,
        unit_price_minor: row.get(8)?,
        totals: LineTotals {
            subtotal_minor: row.get(9)?,
            discount_minor: row.get(10)?,
            tax_minor: row.get(11)?,
            tax_rate_millionths: row.get(12)?,
            total_minor: row.get(13)?,
        },
        tax_class: row.get(14)?,
        weight_grams: row.get(15)?,
        requires_shipping: row.get(16)?,
        tracked: row.get(17)?,
        ordered: row.get(18)?,
        canceled: row.get(19)?,
        shipped: row.get(20)?,
        delivered: row.get(21)?,
    })
}

/// A stored status. The database's own check allows no other text.
pub(crate) fn read_status(row: &Row, column: usize) -> Result<Status, StoreError> {
    let text: String = row.get(column)?;
    let known = Status::ALL.into_iter().find(|status| status.as_str() == text);
    known.ok_or_else(|| StoreError::Unit(format!("an order has the unknown status {text}")))
}

/// A door of a newer release reads as the oldest one.
fn read_source(text: &str) -> Source {
    Source::ALL.into_iter().find(|source| source.as_str() == text).unwrap_or_default()
}
