//! Carts: what a shopper means to buy.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    buyer::Buyer,
    channel::Settings,
    id::{CartId, ChannelId, LineId, VariantId},
    promotion,
    refusal::{Code, Refusal},
    text,
};

/// Whether a cart can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartStatus {
    /// It can.
    Open,
    /// It became an order; it takes no more changes until the order is canceled.
    Ordered,
}

impl CartStatus {
    /// The stored text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Ordered => "ordered",
        }
    }
}

/// A cart as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// Identity.
    pub id: CartId,
    /// The channel whose prices hold.
    pub channel_id: ChannelId,
    /// Whether it can be changed.
    pub status: CartStatus,
    /// The lines in the order in which they were added.
    pub lines: Vec<CartLine>,
    /// The codes that the buyer entered, as they were entered. Whether they do anything is judged whenever the
    /// cart is priced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// What a program said of the buyer, for estimates and for the checkout.
    #[serde(default, skip_serializing_if = "is_nobody")]
    pub buyer: Buyer,
    /// The program that owns it, by its profile; none where a shopper does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Grows with every change.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it disappears.
    pub expires_at: Timestamp,
}

fn is_nobody(buyer: &Buyer) -> bool {
    *buyer == Buyer::default()
}

/// A line of a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    /// Identity within the cart, and of the order line made from it.
    pub id: LineId,
    /// What is bought.
    pub variant_id: VariantId,
    /// How many; positive.
    pub quantity: i64,
    /// What the merchant or buyer attached, such as an engraving. Lines of one variant with different
    /// attachments stay apart.
    #[serde(default, skip_serializing_if = "HashMap::is_empty")]
    pub custom: HashMap<String, String>,
    /// The price of one when the line was added, in minor units, to show that it changed.
    pub added_price_minor: i64,
}

/// Most attachments of a line, and their lengths in characters.
const CUSTOM_MAX: (usize, usize, usize) = (20, 50, 500);

impl Cart {
    /// An empty cart.
    pub fn create(id: CartId, channel_id: ChannelId, settings: &Settings, now: Timestamp) -> Self {
        Self {
            id,
            channel_id,
            status: CartStatus::Open,
            lines: Vec::new(),
            codes: Vec::new(),
            buyer: Buyer::default(),
            agent: None,
            version: 1,
            created_at: now,
            updated_at: now,
            expires_at: expiry(now, settings),
        }
    }

    /// Adds units of a variant: to the line that has the same variant and attachments, or as a new
    /// line. Returns the line.
    pub fn add(
        &mut self,
        item: NewItem,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<LineId, Refusal> {
        self.check_open(now)?;
        check_custom("/custom", &item.custom)?;
        if item.quantity < 1 {
            return Err(Refusal::field("/quantity", "must be at least 1"));
        }
        let same =
            |line: &&mut CartLine| line.variant_id == item.variant_id && line.custom == item.custom;
        let id = match self.lines.iter_mut().find(same) {
            Some(line) => {
                line.quantity =
                    check_quantity(line.quantity.saturating_add(item.quantity), settings)?;
                line.id
            }
            None => {
                let quantity = check_quantity(item.quantity, settings)?;
                check_lines(self.lines.len() + 1, settings)?;
                self.lines.push(CartLine {
                    id: item.line_id,
                    variant_id: item.variant_id,
                    quantity,
                    custom: item.custom,
                    added_price_minor: item.unit_price_minor,
                });
                item.line_id
            }
        };
        self.touch(settings, now);
        Ok(id)
    }

    /// Sets how many of a line are wanted; 0 removes the line.
    pub fn set_quantity(
        &mut self,
        line_id: LineId,
        quantity: i64,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.check_open(now)?;
        if quantity < 0 {
            return Err(Refusal::field("/quantity", "must not be negative"));
        }
        let at = self.lines.iter().position(|line| line.id == line_id);
        let at =
            at.ok_or_else(|| Refusal::new(Code::CartLineUnknown, "the cart has no such line"))?;
        if quantity == 0 {
            self.lines.remove(at);
        } else {
            self.lines[at].quantity = check_quantity(quantity, settings)?;
        }
        self.touch(settings, now);
        Ok(())
    }

    /// Replaces all codes.
    pub fn set_codes(
        &mut self,
        codes: &[String],
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.check_open(now)?;
        self.codes = promotion::checked_codes(codes)?;
        self.touch(settings, now);
        Ok(())
    }

    /// The cart became an order and takes no more changes.
    pub fn close(&mut self, now: Timestamp) {
        self.status = CartStatus::Ordered;
        self.updated_at = now;
    }

    /// The order was canceled before it was paid: the cart can be changed again.
    pub fn reopen(&mut self, settings: &Settings, now: Timestamp) {
        self.status = CartStatus::Open;
        self.touch(settings, now);
    }

    /// Takes note of what is known of the buyer, instead of what was known. It was checked.
    pub fn say_buyer(&mut self, buyer: Buyer) {
        self.buyer.replace(buyer);
    }

    /// How many of a variant the cart holds over all lines.
    pub fn quantity_of(&self, variant_id: VariantId) -> i64 {
        let lines = self.lines.iter().filter(|line| line.variant_id == variant_id);
        lines.fold(0, |sum, line| sum.saturating_add(line.quantity))
    }

    /// Refuses a cart that was bought or has expired.
    pub fn check_open(&self, now: Timestamp) -> Result<(), Refusal> {
        match self.status {
            CartStatus::Ordered => {
                Err(Refusal::new(Code::CartClosed, "the cart became an order; start a new one"))
            }
            CartStatus::Open if self.expires_at <= now => {
                Err(Refusal::new(Code::CartUnknown, "the cart has expired; start a new one"))
            }
            CartStatus::Open => Ok(()),
        }
    }

    pub(crate) fn touch(&mut self, settings: &Settings, now: Timestamp) {
        self.updated_at = now;
        self.expires_at = expiry(now, settings);
    }
}

/// What is added to a cart.
#[derive(Clone, Debug)]
pub struct NewItem {
    /// The id of the line, if it becomes a new one.
    pub line_id: LineId,
    /// What is bought.
    pub variant_id: VariantId,
    /// How many more.
    pub quantity: i64,
    /// What is attached.
    pub custom: HashMap<String, String>,
    /// The price of one now, in minor units.
    pub unit_price_minor: i64,
}

fn expiry(now: Timestamp, settings: &Settings) -> Timestamp {
    now + SignedDuration::from_millis(settings.cart_ttl_ms)
}

/// Refuses more lines than a cart may have.
pub fn check_lines(count: usize, settings: &Settings) -> Result<(), Refusal> {
    if count <= settings.cart_lines_max as usize {
        return Ok(());
    }
    let most = format!("a cart holds at most {} lines", settings.cart_lines_max);
    Err(Refusal::new(Code::CartFull, most))
}

fn check_quantity(quantity: i64, settings: &Settings) -> Result<i64, Refusal> {
    let max = settings.line_quantity_max;
    if quantity > i64::from(max) {
        return Err(Refusal::field(
            "/quantity",
            format!("must not be more than {max} in one line"),
        ));
    }
    Ok(quantity)
}

pub(crate) fn check_custom(pointer: &str, custom: &HashMap<String, String>) -> Result<(), Refusal> {
    let (entries, name_max, value_max) = CUSTOM_MAX;
    let fits = custom.len() <= entries
        && custom.iter().all(|(name, value)| {
            (1..=name_max).contains(&name.chars().count())
                && value.chars().count() <= value_max
                && !name.chars().chain(value.chars()).any(char::is_control)
        });
    if custom
        .iter()
        .flat_map(|(name, value)| [name, value])
        .any(|it| text::looks_like_card_number(it))
    {
        return Err(Refusal::card_number(pointer));
    }
    if fits {
        return Ok(());
    }
    Err(Refusal::field(
        pointer,
        format!("must have at most {entries} entries of {name_max} and {value_max} characters"),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::settings;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn cart() -> Cart {
        Cart::create(CartId::from_u128(1), ChannelId::from_u128(1), &settings(), NOW)
    }

    fn item(line: u128, variant: u128, quantity: i64) -> NewItem {
        NewItem {
            line_id: LineId::from_u128(line),
            variant_id: VariantId::from_u128(variant),
            quantity,
            custom: HashMap::new(),
            unit_price_minor: 100,
        }
    }

    #[test]
    fn the_same_goods_share_a_line_and_engraved_ones_do_not() {
        let mut cart = cart();
        cart.add(item(1, 7, 2), &settings(), NOW).expect("fits");
        assert_eq!(cart.add(item(2, 7, 1), &settings(), NOW), Ok(LineId::from_u128(1)));
        let engraved = NewItem {
            custom: HashMap::from([("engraving".into(), "Ada".into())]),
            ..item(3, 7, 1)
        };
        assert_eq!(cart.add(engraved, &settings(), NOW), Ok(LineId::from_u128(3)));
        assert_eq!((cart.lines.len(), cart.quantity_of(VariantId::from_u128(7))), (2, 4));
    }

    #[test]
    fn quantities_have_limits() {
        let mut cart = cart();
        for quantity in [0, -1, 1_000, i64::MAX] {
            assert!(cart.add(item(1, 7, quantity), &settings(), NOW).is_err(), "{quantity}");
        }
        cart.add(item(1, 7, 999), &settings(), NOW).expect("the limit itself fits");
        assert!(cart.add(item(1, 7, 1), &settings(), NOW).is_err());
        assert!(cart.set_quantity(LineId::from_u128(1), -1, &settings(), NOW).is_err());
        cart.set_quantity(LineId::from_u128(1), 0, &settings(), NOW).expect("zero removes");
        assert!(cart.lines.is_empty());
    }

    #[test]
    fn lines_have_a_limit() {
        let mut cart = cart();
        for n in 0..200 {
            cart.add(item(n, n, 1), &settings(), NOW).expect("fits");
        }
        let refusal = cart.add(item(200, 200, 1), &settings(), NOW).expect_err("the 201st line");
        assert_eq!(refusal.code, Code::CartFull);
    }

    #[test]
    fn an_ordered_or_expired_cart_takes_no_changes() {
        let mut ordered = Cart { status: CartStatus::Ordered, ..cart() };
        assert_eq!(
            ordered.add(item(1, 1, 1), &settings(), NOW).map_err(|r| r.code),
            Err(Code::CartClosed)
        );
        let mut expired = cart();
        let late = expired.expires_at;
        assert_eq!(
            expired.add(item(1, 1, 1), &settings(), late).map_err(|r| r.code),
            Err(Code::CartUnknown)
        );
    }

    proptest! {
        #[test]
        fn a_cart_holds_what_was_put_in(adds in prop::collection::vec((1u128..6, 1i64..20), 0..40)) {
            let mut cart = cart();
            let mut expected: HashMap<u128, i64> = HashMap::new();
            for (n, (variant, quantity)) in adds.into_iter().enumerate() {
                cart.add(item(n as u128, variant, quantity), &settings(), NOW).expect("within limits");
                *expected.entry(variant).or_default() += quantity;
            }
            prop_assert_eq!(cart.lines.len(), expected.len());
            for (variant, quantity) in expected {
                prop_assert_eq!(cart.quantity_of(VariantId::from_u128(variant)), quantity);
            }
        }
    }
}
