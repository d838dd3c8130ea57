//! What programs ask for, whatever the version: requests that were read and are of the right shape.

use std::collections::BTreeMap;

use handel_ports::Secret;

/// A checkout or a cart, as a program wants it to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// What is bought; none where the program left it to a cart.
    pub(crate) lines: Option<Vec<WantedLine>>,
    /// Who buys.
    pub(crate) buyer: WantedBuyer,
    /// Codes of discounts; none where nothing was said.
    pub(crate) codes: Option<Vec<String>>,
    /// How the goods get there; none where nothing was said.
    pub(crate) delivery: Option<WantedDelivery>,
    /// What is known of the buyer before an address is.
    pub(crate) hints: Hints,
    /// Where the buyer came from.
    pub(crate) attribution: BTreeMap<String, String>,
    /// The cart that becomes a checkout.
    pub(crate) cart_id: Option<String>,
}

/// A line.
#[derive(Clone, Debug)]
pub(crate) struct WantedLine {
    /// The line that it replaces.
    pub(crate) id: Option<String>,
    /// A variant, by id or SKU.
    pub(crate) item: String,
    /// How many.
    pub(crate) quantity: i64,
    /// Whether the program counts in another unit than pieces.
    pub(crate) is_in_foreign_unit: bool,
}

/// Who buys.
#[derive(Clone, Debug, Default)]
pub(crate) struct WantedBuyer {
    pub(crate) email: Option<String>,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) phone: Option<String>,
    /// What the buyer consents to, by purpose; none where nothing was said.
    pub(crate) consents: Option<BTreeMap<String, WantedConsent>>,
}

/// What a buyer decided about a purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WantedConsent {
    pub(crate) granted: bool,
    /// Decisions for parts of it.
    pub(crate) segments: BTreeMap<String, bool>,
}

/// How the goods get there.
#[derive(Clone, Debug, Default)]
pub(crate) struct WantedDelivery {
    /// Where they may go.
    pub(crate) destinations: Vec<WantedDestination>,
    /// Where they go, by id.
    pub(crate) destination: Option<String>,
    /// In which way, by id.
    pub(crate) option: Option<String>,
    /// Whether it asks for another way than sending.
    pub(crate) is_foreign: bool,
}

/// An address with a name of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct WantedDestination {
    pub(crate) id: Option<String>,
    pub(crate) address: WantedAddress,
}

/// An address as programs write it (UCP, `postal_address.json`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WantedAddress {
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) street: Option<String>,
    pub(crate) extended: Option<String>,
    pub(crate) locality: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) postal_code: Option<String>,
    pub(crate) country: Option<String>,
    pub(crate) phone: Option<String>,
}

/// What is known of a buyer before an address is. Never binding.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    pub(crate) country: Option<String>,
    pub(crate) currency: Option<String>,
}

/// Buys.
#[derive(Clone, Debug)]
pub(crate) struct WantedPayment {
    /// The means of payment.
    pub(crate) instruments: Vec<WantedInstrument>,
    /// What the buyer consents to at the last moment.
    pub(crate) consents: Option<BTreeMap<String, WantedConsent>>,
}

/// A means of payment.
#[derive(Clone, Debug)]
pub(crate) struct WantedInstrument {
    /// The handler that it belongs to.
    pub(crate) handler_id: String,
    pub(crate) is_selected: bool,
    pub(crate) credential: WantedCredential,
    pub(crate) billing: Option<WantedAddress>,
}

/// What stands for the money.
#[derive(Clone, Debug)]
pub(crate) enum WantedCredential {
    /// A token of the handler.
    Token(Secret<String>),
    /// A card itself, which this shop never takes.
    Card,
    /// Nothing, or nothing that can be used.
    Unusable,
}

/// Searches the catalog.
#[derive(Clone, Debug, Default)]
pub(crate) struct WantedSearch {
    pub(crate) query: Option<String>,
    pub(crate) filters: WantedFilters,
    pub(crate) hints: Hints,
    pub(crate) cursor: Option<String>,
    pub(crate) limit: Option<u64>,
}

/// What products must be like.
#[derive(Clone, Debug, Default)]
pub(crate) struct WantedFilters {
    pub(crate) categories: Vec<String>,
    /// The lowest and the highest price, in minor units.
    pub(crate) price: Option<(Option<i64>, Option<i64>)>,
}

impl WantedFilters {
    pub(crate) fn is_empty(&self) -> bool {
        self.categories.is_empty() && self.price.is_none()
    }
}

/// Looks products up.
#[derive(Clone, Debug, Default)]
pub(crate) struct WantedLookup {
    pub(crate) ids: Vec<String>,
    pub(crate) filters: WantedFilters,
    pub(crate) hints: Hints,
}

/// Reads one product.
#[derive(Clone, Debug, Default)]
pub(crate) struct WantedProduct {
    pub(crate) id: String,
    /// Names and values of options.
    pub(crate) selected: Vec<(String, String)>,
    /// Names of options, the dearest first.
    pub(crate) preferences: Vec<String>,
    pub(crate) filters: WantedFilters,
    pub(crate) hints: Hints,
}
