//! How a version of the protocol is read and written. Everything that differs between versions stands behind this
//! trait, so that no handler asks for a version.

use handel_domain::{address::Address, checkout::Buyer};
use handel_signatures::SigningKey;
use http::HeaderValue;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    Answer, TransportError, Version,
    handlers::Handler,
    negotiate::Agreement,
    neutral::{
        Message,
        catalog::Products,
        checkout::{Cart, Checkout},
        order::Order,
        policy::Policy,
        product::Product,
        request::{Wanted, WantedLookup, WantedPayment, WantedProduct, WantedSearch},
    },
    operation::{CONSENT, DISCOUNT, FULFILLMENT, ORDER, Operation},
    wire::{
        Object, catalog, envelope, flags, order,
        profile::{self, Shape},
        request::{self, ReadConsents},
        resource,
    },
};

/// A capability that the shop has in a version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capability {
    /// The name.
    pub(crate) name: &'static str,
    /// The capabilities that it extends; none for a capability of its own.
    pub(crate) extends: &'static [&'static str],
    /// Where its schema is, below the address of the version.
    pub(crate) schema: &'static str,
    /// Where it is explained, below the address of the version.
    pub(crate) spec: &'static str,
}

impl Capability {
    /// One of its own.
    pub(crate) const fn root(name: &'static str, schema: &'static str, spec: &'static str) -> Self {
        Self { name, extends: &[], schema, spec }
    }

    /// One that adds to others.
    pub(crate) const fn extension(
        name: &'static str,
        extends: &'static [&'static str],
        schema: &'static str,
        spec: &'static str,
    ) -> Self {
        Self { name, extends, schema, spec }
    }
}

/// What a profile says.
pub(crate) struct Facts<'a> {
    /// Where the shop is on the web.
    pub(crate) public_url: &'a str,
    /// The ways to pay.
    pub(crate) handlers: &'a [Handler],
    /// The public halves of the keys that the shop signs with.
    pub(crate) keys: Vec<Value>,
    /// Endpoints of further bindings of this version, as transport and address below that of the shop.
    pub(crate) bindings: &'a [(&'static str, String)],
    /// The other versions with the addresses of their profiles; empty in a profile that another one points to.
    pub(crate) others: Vec<(Version, String)>,
}

/// A version. What most versions have in common stands here; each says where it differs.
pub(crate) trait Codec: Send + Sync {
    /// Which it is, what the shop can do in it, and where it is explained.
    fn shape(&self) -> &'static Shape;

    /// Which.
    fn version(&self) -> Version {
        self.shape().version
    }

    /// What the shop can do in it.
    fn capabilities(&self) -> &'static [Capability] {
        self.shape().capabilities
    }

    /// The profile of the shop. Until 2026-08-25 the keys were named for what they are for.
    fn profile(&self, facts: &Facts<'_>) -> Value {
        let ucp = profile::ucp(self.shape(), facts);
        Object::new().with("ucp", ucp).with("signing_keys", facts.keys.clone()).into()
    }

    /// How a buyer's consents are read: flags, until 2026-08-25.
    fn read_consents(&self) -> ReadConsents {
        flags::read
    }

    /// Writes what a buyer consents to.
    fn consents(&self, buyer: &Buyer) -> Value {
        flags::write(buyer)
    }

    /// Writes an address that goods can go to. Until 2026-08-25 destinations had no type.
    fn destination(&self, id: &str, address: &Address) -> Value {
        resource::address(address).with("id", id).into()
    }

    /// Writes the rules of the shop. Until 2026-08-25 there was no place for them.
    fn policies(&self, _: &[Policy]) -> Vec<Value> {
        Vec::new()
    }

    /// Reads what a cart or a checkout is to be.
    fn read_wanted(&self, body: &Value) -> Result<Wanted, TransportError> {
        request::wanted(body, self.read_consents())
    }

    /// Reads what the checkout with this id is to be from now on.
    fn read_update(&self, body: &Value, _id: &str) -> Result<Wanted, TransportError> {
        self.read_wanted(body)
    }

    /// Reads how a checkout is paid.
    fn read_payment(&self, body: &Value) -> Result<WantedPayment, TransportError> {
        request::payment(body, self.read_consents())
    }

    /// Reads a search.
    fn read_search(&self, body: &Value) -> Result<WantedSearch, TransportError> {
        request::search(body)
    }

    /// Reads a look-up.
    fn read_lookup(&self, body: &Value) -> Result<WantedLookup, TransportError> {
        request::lookup(body)
    }

    /// Reads a look at one product.
    fn read_product(&self, body: &Value) -> Result<WantedProduct, TransportError> {
        request::product(body)
    }

    /// Writes a checkout.
    fn checkout(
        &self,
        checkout: &Checkout,
        agreement: &Agreement,
        operation: Operation,
        handlers: &[Handler],
    ) -> Value {
        let consents = agreement.has(CONSENT).then(|| self.consents(&checkout.buyer));
        let buyer = resource::buyer(&checkout.buyer).with_some("consent", consents);
        let delivery = checkout.delivery.as_ref().filter(|_| agreement.has(FULFILLMENT));
        let delivery = delivery.map(|delivery| {
            resource::fulfillment(delivery, |id, address| self.destination(id, address))
        });
        let discounts = agreement.has(DISCOUNT).then(|| resource::discounts(&checkout.discounts));
        let attribution = Some(&checkout.attribution).filter(|entries| !entries.is_empty());
        Object::new()
            .with("ucp", envelope::with_handlers(agreement, operation, handlers))
            .with("id", checkout.id.as_str())
            .with("status", checkout.status.as_str())
            .with("currency", checkout.currency.as_str())
            .with("line_items", resource::lines(&checkout.goods.lines))
            .with("totals", resource::totals(&checkout.goods.totals))
            .with("buyer", buyer)
            .with_some("discounts", discounts)
            .with_some("fulfillment", delivery)
            .with_list("messages", envelope::messages(&checkout.messages))
            .with("links", resource::links(&checkout.links))
            .with_list("policies", self.policies(&checkout.policies))
            .with_some("attribution", attribution.map(|entries| json!(entries)))
            .with("expires_at", checkout.expires_at.to_string())
            .with_some("continue_url", checkout.continue_url.as_deref())
            .with_some("order", checkout.order.as_ref().map(resource::confirmation))
            .into()
    }

    /// Writes a cart.
    fn cart(&self, cart: &Cart, agreement: &Agreement, operation: Operation) -> Value {
        let consents = agreement.has(CONSENT).then(|| self.consents(&cart.buyer));
        let buyer = resource::buyer(&cart.buyer).with_some("consent", consents);
        let discounts = agreement.has(DISCOUNT).then(|| resource::discounts(&cart.discounts));
        Object::new()
            .with("ucp", envelope::of(agreement, operation))
            .with("id", cart.id.as_str())
            .with("currency", cart.currency.as_str())
            .with("line_items", resource::lines(&cart.goods.lines))
            .with("totals", resource::totals(&cart.goods.totals))
            .with("buyer", buyer)
            .with_some("discounts", discounts)
            .with_list("messages", envelope::messages(&cart.messages))
            .with_list("links", resource::links(&cart.links))
            .with_list("policies", self.policies(&cart.policies))
            .with("expires_at", cart.expires_at.to_string())
            .with_some("continue_url", cart.continue_url.as_deref())
            .into()
    }

    /// Writes what a search or a look-up found.
    fn products(&self, products: &Products, agreement: &Agreement, operation: Operation) -> Value {
        let items: Vec<_> = products.items.iter().map(catalog::product).collect();
        let pages = operation == Operation::SearchCatalog;
        let pages = pages.then(|| catalog::pagination(products.next_cursor.as_deref()));
        Object::new()
            .with("ucp", envelope::of(agreement, operation))
            .with("products", items)
            .with_some("pagination", pages)
            .with_list("messages", envelope::messages(&products.messages))
            .into()
    }

    /// Writes one product.
    fn product(&self, product: &Product, agreement: &Agreement) -> Value {
        json!({
            "ucp": Value::from(envelope::of(agreement, Operation::GetProduct)),
            "product": catalog::product(product),
        })
    }

    /// Writes an order.
    fn order(&self, order: &Order, agreement: &Agreement) -> Value {
        order::order(order).with("ucp", envelope::of(agreement, Operation::GetOrder)).into()
    }

    /// Writes an order for somebody who did not ask, as the body of a webhook: a message with an id, of an event that
    /// happened at a time.
    fn order_news(&self, order: &Order, _id: &str, _occurred_at: Timestamp) -> Value {
        order::order(order).with("ucp", envelope::unasked(self.version().name(), ORDER)).into()
    }

    /// A header with a signature of a body, where the version wants one beside those of the message.
    fn body_signature(
        &self,
        _key: &SigningKey,
        _body: &[u8],
    ) -> Option<(&'static str, HeaderValue)> {
        None
    }

    /// Writes why a request was not worked on.
    fn error(&self, error: &TransportError) -> Value {
        error.body()
    }

    /// Answers why there is no resource.
    fn outcome(&self, messages: &[Message], continue_url: Option<&str>) -> Answer {
        let body = envelope::outcome(self.version().name(), messages, continue_url);
        Answer::Resource { created: false, body }
    }
}
