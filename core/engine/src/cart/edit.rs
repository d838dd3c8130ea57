//! Changes of a cart. Each is one transaction that locks the cart, so changes from two tabs follow one
//! another and none is lost.

use std::collections::HashMap;

use super::{CartRef, CartView, OwnedCart, sql, variants_of, view};
use crate::{
    Context, Engine, Error, Once, StockKey,
    channel::Which,
    check_version,
    pricing::{Prices, Purchase},
    stock::short,
};
use handel_domain::{
    Code, Refusal,
    cart::{Cart, NewItem},
    checkout::Offer,
    id::{LineId, LineKind, TenantId, VariantId},
    promotion::Rejection,
    refusal::Shortage,
    text::Sku,
};
use handel_store::{Transaction, statements, values};

statements! {
    VARIANT_BY_SKU = "select id from variants where tenant_id = $1 and sku = $2 and not deleted";
}

/// Adds units of a variant to a cart.
#[derive(Clone, Debug)]
pub struct AddItem {
    /// The cart; a new one if none is named.
    pub cart: Option<CartRef>,
    /// What to add.
    pub variant: StockKey,
    /// How many.
    pub quantity: i64,
    /// What is attached, such as an engraving.
    pub custom: HashMap<String, String>,
    /// The version of the cart that the caller saw.
    pub expected_version: Option<i64>,
}

impl Engine {
    /// Makes an empty cart in the channel that the request names.
    pub async fn create_cart(&self, ctx: &Context) -> Result<Once<OwnedCart>, Error> {
        let (engine, context) = (self.clone(), ctx.clone());
        let once = self
            .write_once(ctx, async move |tx, now| {
                let market = engine.market(tx, context.tenant_id, Which::from(&context)).await?;
                let cart = engine.new_cart(&context, &market.channel, now);
                tx.run(sql::insert(context.tenant_id, &cart)).await?;
                CartView::new(cart, &Prices::default(), &market, now)
            })
            .await?;
        Ok(once.map(|view| self.owned(view)))
    }

    /// Adds an item. What is not for sale, or is not in stock in that quantity, is refused.
    pub async fn add_cart_item(
        &self,
        ctx: &Context,
        add: AddItem,
    ) -> Result<Once<OwnedCart>, Error> {
        let cart_id = add.cart.as_ref().map(|cart| self.cart_id(cart)).transpose()?;
        let (engine, context) = (self.clone(), ctx.clone());
        let once = self
            .write_once(ctx, async move |tx, now| {
                let tenant_id = context.tenant_id;
                let (mut cart, market, is_new) = match cart_id {
                    Some(id) => {
                        let (cart, market) = engine.lock_cart(tx, tenant_id, id).await?;
                        (cart, market, false)
                    }
                    None => {
                        let market = engine.market(tx, tenant_id, Which::from(&context)).await?;
                        (engine.new_cart(&context, &market.channel, now), market, true)
                    }
                };
                check_version(cart.version, add.expected_version)?;
                let variant_id = find_variant(tx, tenant_id, &add.variant).await?;
                let mut variants = variants_of(&cart.lines);
                variants.push(variant_id);
                let purchase =
                    Purchase { lines: &cart.lines, codes: &cart.codes, buyer: &cart.buyer };
                let prices =
                    Prices::read(tx, tenant_id, &market, &variants, purchase, cart.id, now).await?;
                let offer = prices.offers.get(&variant_id).ok_or_else(unknown_variant)?;
                let item = new_item(engine.system().mint::<LineKind>(now), &add, offer)?;
                cart.add(item, &market.channel.settings, now)?;
                check_stock(&cart, offer)?;
                save(tx, tenant_id, &mut cart, is_new).await?;
                CartView::new(cart, &prices, &market, now)
            })
            .await?;
        Ok(once.map(|view| self.owned(view)))
    }

    /// Sets how many of a line are wanted; 0 removes it. More than there is in stock is refused.
    pub async fn set_cart_quantity(
        &self,
        ctx: &Context,
        cart: &CartRef,
        line_id: LineId,
        quantity: i64,
        expected_version: Option<i64>,
    ) -> Result<Once<OwnedCart>, Error> {
        let (engine, tenant_id, id) = (self.clone(), ctx.tenant_id, self.cart_id(cart)?);
        let once = self
            .write_once(ctx, async move |tx, now| {
                let (mut cart, market) = engine.lock_cart(tx, tenant_id, id).await?;
                check_version(cart.version, expected_version)?;
                let before = cart
                    .lines
                    .iter()
                    .find(|line| line.id == line_id)
                    .map_or(0, |line| line.quantity);
                cart.set_quantity(line_id, quantity, &market.channel.settings, now)?;
                save(tx, tenant_id, &mut cart, false).await?;
                let view = view::view(tx, tenant_id, cart, &market, now).await?;
                // Fewer are always fine, even of what is short.
                let line = view.quote.lines.iter().find(|quoted| quoted.line.id == line_id);
                if let Some(offer) =
                    line.and_then(|quoted| quoted.offer.as_ref()).filter(|_| quantity > before)
                {
                    check_stock(&view.cart, offer)?;
                }
                Ok(view)
            })
            .await?;
        Ok(once.map(|view| self.owned(view)))
    }
}

impl Engine {
    /// Replaces the codes of a cart. Whether each does anything is part of what the cart says from then on; a
    /// code that does nothing is not refused.
    pub async fn set_cart_codes(
        &self,
        ctx: &Context,
        cart: &CartRef,
        codes: Vec<String>,
        expected_version: Option<i64>,
    ) -> Result<Once<OwnedCart>, Error> {
        let (engine, tenant_id, id) = (self.clone(), ctx.tenant_id, self.cart_id(cart)?);
        let once = self
            .write_once(ctx, async move |tx, now| {
                let (mut cart, market) = engine.lock_cart(tx, tenant_id, id).await?;
                check_version(cart.version, expected_version)?;
                cart.set_codes(&codes, &market.channel.settings, now)?;
                save(tx, tenant_id, &mut cart, false).await?;
                view::view(tx, tenant_id, cart, &market, now).await
            })
            .await?;
        Ok(once.map(|view| self.owned(view)))
    }
}

impl Engine {
    /// Adds a code to those of a cart. A code that is rejected leaves the cart unchanged, and the reason is returned; but
    /// a promotion for certain countries waits in the cart for an address.
    pub async fn add_cart_code(
        &self,
        ctx: &Context,
        cart: &CartRef,
        code: String,
    ) -> Result<Result<OwnedCart, Rejection>, Error> {
        let (engine, tenant_id, id) = (self.clone(), ctx.tenant_id, self.cart_id(cart)?);
        let added = self
            .database()
            .write(async move |tx: &mut Transaction<'_>| {
                let now = engine.system().now();
                let (mut cart, market) = engine.lock_cart(tx, tenant_id, id).await?;
                let codes: Vec<_> = cart.codes.iter().cloned().chain([code.clone()]).collect();
                cart.set_codes(&codes, &market.channel.settings, now)?;
                let added = cart.codes.last().cloned().unwrap_or_default();
                let variants = variants_of(&cart.lines);
                let purchase =
                    Purchase { lines: &cart.lines, codes: &cart.codes, buyer: &cart.buyer };
                let prices =
                    Prices::read(tx, tenant_id, &market, &variants, purchase, cart.id, now).await?;
                let waits = cart.buyer.shipping_address.is_none()
                    && prices.known.deals(&market, &cart.codes, None, now).is_for_countries(&added);
                let mut view = CartView::new(cart, &prices, &market, now)?;
                let mut rejected = view.quote.rejected_codes.iter().rev();
                match rejected.find(|one| one.code == added).map(|one| one.reason) {
                    None => {}
                    Some(Rejection::NotEligible) if waits => {}
                    Some(reason) => return Ok::<_, Error>(Err(reason)),
                }
                save(tx, tenant_id, &mut view.cart, false).await?;
                Ok(Ok(view))
            })
            .await?;
        Ok(added.map(|view| self.owned(view)))
    }
}

fn new_item(line_id: LineId, add: &AddItem, offer: &Offer) -> Result<NewItem, Refusal> {
    let unit_price_minor = offer.unit_price_minor.ok_or_else(|| {
        Refusal::new(Code::NotPriced, format!("{} is not for sale in this channel", offer.sku))
    })?;
    Ok(NewItem {
        line_id,
        variant_id: offer.variant_id,
        quantity: add.quantity,
        custom: add.custom.clone(),
        unit_price_minor,
    })
}

fn check_stock(cart: &Cart, offer: &Offer) -> Result<(), Refusal> {
    let requested = cart.quantity_of(offer.variant_id);
    match offer.available {
        Some(available) if available < requested => {
            Err(short(vec![Shortage { variant_id: offer.variant_id, requested, available }]))
        }
        _ => Ok(()),
    }
}

async fn find_variant(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    key: &StockKey,
) -> Result<VariantId, Error> {
    match key {
        StockKey::Id(id) => Ok(*id),
        StockKey::Sku(sku) => by_sku(tx, tenant_id, sku).await,
    }
}

async fn by_sku(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    sku: &Sku,
) -> Result<VariantId, Error> {
    let row = tx.row(VARIANT_BY_SKU.bind(values![tenant_id, sku])).await?;
    Ok(row.ok_or_else(unknown_variant)?.get(0)?)
}

fn unknown_variant() -> Refusal {
    Refusal::new(Code::VariantUnknown, "there is no such variant")
}

pub(super) async fn save(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    cart: &mut Cart,
    is_new: bool,
) -> Result<(), Error> {
    let bound = if is_new { sql::insert(tenant_id, cart) } else { sql::update(tenant_id, cart) };
    if tx.run(bound).await? != 1 {
        return Err(tx.restart().into());
    }
    Ok(())
}
