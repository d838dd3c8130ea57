//! What the shop says, in the words of those who asked, whatever the door.

use handel_domain::{
    Code, Refusal,
    id::{CartId, CheckoutId, LineId, OrderId, VariantId},
};

/// What the shop says when it does what it was asked.
#[derive(Clone, Debug)]
pub enum Reply {
    Cart(Cart),
    Checkout(Checkout),
    Purchase(Purchase),
    Order(Order),
    Orders(Vec<OrderId>),
    Other(String),
}

/// A cart with the token that opens it.
#[derive(Clone, Debug)]
pub struct Cart {
    pub id: CartId,
    pub token: String,
    pub lines: Vec<LineId>,
    pub has_codes: bool,
    /// Whether something is taken off.
    pub is_reduced: bool,
}

/// A checkout.
#[derive(Clone, Debug)]
pub struct Checkout {
    pub id: CheckoutId,
    /// Where the door tells it.
    pub version: Option<i64>,
    pub is_canceled: bool,
    /// Whether it has become an order.
    pub has_order: bool,
    pub goods: Goods,
}

/// Units of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub id: LineId,
    pub variant_id: VariantId,
    pub quantity: i64,
}

/// What came of completing a checkout.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// Where the door tells it.
    pub checkout: Option<CheckoutId>,
    /// The order; some doors show it only when it is paid.
    pub order: Option<OrderId>,
    pub is_canceled: bool,
    /// What was ordered, where the door tells it.
    pub goods: Option<Goods>,
    pub money: Money,
}

/// Lines, and what they cost together with what is added to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goods {
    pub lines: Vec<Line>,
    pub total_minor: i64,
}

/// How a purchase is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Money {
    /// Nothing is owed.
    Paid,
    /// It can be paid in another way.
    Declined(Code),
    /// The buyer must go to the provider.
    WaitsForBuyer,
    /// Something else is awaited.
    UnderWay,
}

/// An order.
#[derive(Clone, Debug)]
pub struct Order {
    pub id: OrderId,
    pub status: String,
    pub lines: Vec<LineId>,
}

/// What a caller sees.
#[derive(Clone, Debug)]
pub enum Answer {
    Ok(Told),
    Refused(Refusal),
    /// No answer: a hang-up, a crash, or nobody was there.
    Lost,
}

/// What was told, and the exact words, which a repetition must have too.
#[derive(Clone, Debug)]
pub struct Told {
    pub reply: Reply,
    pub words: String,
}

/// What comes of a request that arrived.
pub type Served = Result<Told, Refusal>;

impl Answer {
    /// In short, for the trace.
    pub fn words(&self) -> String {
        match self {
            Self::Ok(told) => told.reply.words(),
            Self::Refused(refusal) => format!("refused, {}", refusal.code),
            Self::Lost => "no answer".to_owned(),
        }
    }

    /// What was told, if anything.
    pub fn reply(self) -> Option<Reply> {
        match self {
            Self::Ok(told) => Some(told.reply),
            Self::Refused(_) | Self::Lost => None,
        }
    }

    /// The checkout that was told of.
    pub fn checkout(self) -> Option<Checkout> {
        match self.reply() {
            Some(Reply::Checkout(checkout)) => Some(checkout),
            _ => None,
        }
    }

    /// The purchase that was told of.
    pub fn purchase(self) -> Option<Purchase> {
        match self.reply() {
            Some(Reply::Purchase(purchase)) => Some(purchase),
            _ => None,
        }
    }
}

impl From<Served> for Answer {
    fn from(served: Served) -> Self {
        match served {
            Ok(told) => Self::Ok(told),
            Err(refusal) => Self::Refused(refusal),
        }
    }
}

impl Purchase {
    /// Whether the way to pay was refused, so that another may be tried.
    pub fn is_declined(&self) -> bool {
        matches!(self.money, Money::Declined(_))
    }
}

impl Reply {
    fn words(&self) -> String {
        match self {
            Self::Cart(cart) => format!("{} of {} lines", cart.id, cart.lines.len()),
            Self::Checkout(checkout) => {
                let state = if checkout.is_canceled { "canceled" } else { "open" };
                format!("{} {state} {}", checkout.id, checkout.goods.total_minor)
            }
            Self::Purchase(purchase) => {
                let order =
                    purchase.order.map_or_else(|| "no order".to_owned(), |id| id.to_string());
                format!("{order}: {:?}", purchase.money)
            }
            Self::Order(order) => format!("{} {}", order.id, order.status),
            Self::Orders(ids) => format!("{} orders", ids.len()),
            Self::Other(words) => words.clone(),
        }
    }
}
