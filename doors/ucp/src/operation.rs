//! What can be asked, whatever the binding: the operations of the shopping service.

use http::Method;

/// The root capability of checkouts.
pub(crate) const CHECKOUT: &str = "dev.ucp.shopping.checkout";
/// The root capability of carts.
pub(crate) const CART: &str = "dev.ucp.shopping.cart";
/// The root capability of searches in the catalog.
pub(crate) const SEARCH: &str = "dev.ucp.shopping.catalog.search";
/// The root capability of look-ups in the catalog.
pub(crate) const LOOKUP: &str = "dev.ucp.shopping.catalog.lookup";
/// The root capability of orders.
pub(crate) const ORDER: &str = "dev.ucp.shopping.order";
/// The extension with codes and discounts.
pub(crate) const DISCOUNT: &str = "dev.ucp.shopping.discount";
/// The extension with addresses and ways of sending.
pub(crate) const FULFILLMENT: &str = "dev.ucp.shopping.fulfillment";
/// The extension with what buyers consent to.
pub(crate) const CONSENT: &str = "dev.ucp.shopping.buyer_consent";

/// An operation of the shopping service (UCP, `services/shopping/rest.openapi.json`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Makes a checkout.
    CreateCheckout,
    /// Reads a checkout.
    GetCheckout,
    /// Replaces what a checkout says.
    UpdateCheckout,
    /// Buys.
    CompleteCheckout,
    /// Gives a checkout up.
    CancelCheckout,
    /// Makes a cart.
    CreateCart,
    /// Reads a cart.
    GetCart,
    /// Replaces what is in a cart.
    UpdateCart,
    /// Gives a cart up.
    CancelCart,
    /// Searches the catalog.
    SearchCatalog,
    /// Looks products up by their ids.
    LookupCatalog,
    /// Reads one product, narrowed by options.
    GetProduct,
    /// Reads an order.
    GetOrder,
}

use Operation::{
    CancelCart, CancelCheckout, CompleteCheckout, CreateCart, CreateCheckout, GetCart, GetCheckout,
    GetOrder, GetProduct, LookupCatalog, SearchCatalog, UpdateCart, UpdateCheckout,
};

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 13] = [
        CreateCheckout,
        GetCheckout,
        UpdateCheckout,
        CompleteCheckout,
        CancelCheckout,
        CreateCart,
        GetCart,
        UpdateCart,
        CancelCart,
        SearchCatalog,
        LookupCatalog,
        GetProduct,
        GetOrder,
    ];

    /// The name in the protocol: the operation of the REST binding and the tool of the MCP binding.
    pub fn name(self) -> &'static str {
        match self {
            CreateCheckout => "create_checkout",
            GetCheckout => "get_checkout",
            UpdateCheckout => "update_checkout",
            CompleteCheckout => "complete_checkout",
            CancelCheckout => "cancel_checkout",
            CreateCart => "create_cart",
            GetCart => "get_cart",
            UpdateCart => "update_cart",
            CancelCart => "cancel_cart",
            SearchCatalog => "search_catalog",
            LookupCatalog => "lookup_catalog",
            GetProduct => "get_product",
            GetOrder => "get_order",
        }
    }

    /// The capability without which it cannot be used.
    pub fn capability(self) -> &'static str {
        match self {
            CreateCheckout | GetCheckout | UpdateCheckout | CompleteCheckout | CancelCheckout => {
                CHECKOUT
            }
            CreateCart | GetCart | UpdateCart | CancelCart => CART,
            SearchCatalog => SEARCH,
            LookupCatalog | GetProduct => LOOKUP,
            GetOrder => ORDER,
        }
    }

    /// The method of the REST binding.
    pub fn method(self) -> Method {
        match self {
            GetCheckout | GetCart | GetOrder => Method::GET,
            UpdateCheckout | UpdateCart => Method::PUT,
            _ => Method::POST,
        }
    }

    /// The path of the REST binding, below the endpoint.
    pub fn path(self) -> &'static str {
        match self {
            CreateCheckout => "/checkout-sessions",
            GetCheckout | UpdateCheckout => "/checkout-sessions/{id}",
            CompleteCheckout => "/checkout-sessions/{id}/complete",
            CancelCheckout => "/checkout-sessions/{id}/cancel",
            CreateCart => "/carts",
            GetCart | UpdateCart => "/carts/{id}",
            CancelCart => "/carts/{id}/cancel",
            SearchCatalog => "/catalog/search",
            LookupCatalog => "/catalog/lookup",
            GetProduct => "/catalog/product",
            GetOrder => "/orders/{id}",
        }
    }

    /// Whether it works on something that exists, named by an id.
    pub fn takes_id(self) -> bool {
        self.path().contains("{id}")
    }

    /// Whether it says something in a body.
    pub fn takes_body(self) -> bool {
        !matches!(self, GetCheckout | GetCart | GetOrder | CancelCheckout | CancelCart)
    }

    /// Whether it changes something, so that a key makes its repetition harmless.
    pub fn writes(self) -> bool {
        matches!(self.capability(), CHECKOUT | CART) && self.method() != Method::GET
    }

    /// Whether a program that has keys must sign it: it tells who bought what, spends money, or gives up what a
    /// buyer chose.
    pub fn needs_proof(self) -> bool {
        matches!(self, GetOrder | CompleteCheckout | CancelCheckout)
    }

    /// Whether its answer is signed: what money or a promise hangs on.
    pub fn is_signed(self) -> bool {
        matches!(self, CompleteCheckout | GetOrder)
    }
}
