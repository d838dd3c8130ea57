//! Who asks, for which shop, and how often.

use handel_domain::{
    Code, Refusal,
    audit::Actor,
    id::{ApiKeyId, CartId, RequestId, TenantId},
    order::Source,
    text::Slug,
};
use serde::{Deserialize, Serialize};

/// Everything about a request that is not its content. Doors make it; use cases take it first.
#[derive(Clone, Debug)]
pub struct Context {
    /// The merchant.
    pub tenant_id: TenantId,
    /// The channel by name; the merchant's first one if none is named.
    pub channel: Option<Slug>,
    /// Who asks.
    pub caller: Caller,
    /// The request, for logs and the audit trail.
    pub request_id: RequestId,
    /// The key that makes a repetition harmless.
    pub idempotency: Option<Idempotency>,
    /// The door.
    pub source: Source,
}

/// An idempotency key with what it was first used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// What the key is unique within: who calls, and which operation.
    pub scope: String,
    /// The key as it was sent.
    pub key: String,
    /// A digest of the request, by which a repetition is told from a mistake. Each door has its rule.
    pub digest: String,
}

impl Idempotency {
    /// Longest key, in characters.
    pub const KEY_MAX: usize = 255;

    /// A key as it was sent: 1 to 255 visible ASCII characters, so no spaces but around it. Every door reads keys with
    /// this.
    pub fn read_key(text: &str) -> Result<String, Refusal> {
        let key = text.trim_matches(' ');
        let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if !(1..=Self::KEY_MAX).contains(&key.len()) || !is_visible {
            let message = "the idempotency key must be 1 to 255 visible ASCII characters";
            return Err(Refusal::new(Code::InputInvalid, message));
        }
        Ok(key.to_owned())
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Somebody who shops, known by a cart if there is one.
    Shopper(Option<CartId>),
    /// A program that buys for somebody, known by the address of its profile. It owns the carts, checkouts and
    /// orders that it began. Whether it is who it says is for its door to find out.
    Agent {
        /// The address, as the program sent it.
        profile: String,
    },
    /// A program with an API key.
    ApiKey {
        /// The key.
        id: ApiKeyId,
        /// What it may do.
        scopes: Vec<Scope>,
    },
    /// Somebody at the command line of the server, who may do everything.
    Operator,
    /// The shop itself.
    System(&'static str),
}

/// Declares the scopes once, with what each allows.
macro_rules! scopes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal;)*) => {
        /// What an API key may do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Scope {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $name,)*
        }

        impl Scope {
            /// Every scope.
            pub const ALL: &[Scope] = &[$(Scope::$name),*];

            /// The text in keys and documentation.
            pub fn as_str(self) -> &'static str {
                match self { $(Scope::$name => $text,)* }
            }
        }
    };
}

scopes! {
    /// See every product, also drafts.
    CatalogRead = "catalog:read";
    /// Create, change and delete products, prices and categories.
    CatalogWrite = "catalog:write";
    /// See stock and its movements.
    StockRead = "stock:read";
    /// Change what is on hand.
    StockWrite = "stock:write";
    /// See every order.
    OrdersRead = "orders:read";
    /// Pack, ship, deliver and cancel orders.
    OrdersWrite = "orders:write";
    /// See promotions with their codes.
    PromotionsRead = "promotions:read";
    /// Create, change and delete promotions.
    PromotionsWrite = "promotions:write";
    /// Change channels: currencies, taxes, shipping.
    ChannelsWrite = "channels:write";
    /// Make and revoke API keys.
    KeysWrite = "keys:write";
    /// See jobs and events that failed, and run them again.
    Operations = "operations";
}

impl std::str::FromStr for Scope {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let found = Scope::ALL.iter().find(|scope| scope.as_str() == text).copied();
        found.ok_or_else(|| {
            let known: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
            Refusal::field("/scopes", format!("must be one of {}", known.join(", ")))
        })
    }
}

impl Context {
    /// The context of a command at the server's own command line.
    pub fn operator(request_id: RequestId) -> Self {
        Self {
            tenant_id: TenantId::DEFAULT,
            channel: None,
            caller: Caller::Operator,
            request_id,
            idempotency: None,
            source: Source::default(),
        }
    }

    /// The context of work that nobody asked for.
    pub(crate) fn system(tenant_id: TenantId, part: &'static str, request_id: RequestId) -> Self {
        Self { tenant_id, caller: Caller::System(part), ..Self::operator(request_id) }
    }

    /// Refuses callers without a scope. Shoppers have none.
    pub fn require(&self, scope: Scope) -> Result<(), Refusal> {
        match &self.caller {
            Caller::Operator | Caller::System(_) => Ok(()),
            Caller::ApiKey { scopes, .. } if scopes.contains(&scope) => Ok(()),
            Caller::ApiKey { .. } => Err(Refusal::new(
                Code::ScopeMissing,
                format!("the API key lacks the scope {}", scope.as_str()),
            )),
            Caller::Shopper(_) | Caller::Agent { .. } => {
                Err(Refusal::new(Code::Unauthenticated, "this needs an API key"))
            }
        }
    }

    /// Whether the caller has a scope.
    pub fn allows(&self, scope: Scope) -> bool {
        self.require(scope).is_ok()
    }

    /// The profile of the program that asks; none where somebody else does.
    pub fn agent(&self) -> Option<&str> {
        match &self.caller {
            Caller::Agent { profile } => Some(profile),
            _ => None,
        }
    }

    /// Whether the program that asks is the one that owns something.
    pub(crate) fn is_agent(&self, owner: Option<&str>) -> bool {
        self.agent().is_some_and(|profile| owner == Some(profile))
    }

    /// Who is named in the audit log.
    pub(crate) fn actor(&self) -> Actor {
        match &self.caller {
            Caller::Shopper(cart) => Actor::Shopper(*cart),
            Caller::Agent { profile } => Actor::Agent(profile.clone()),
            Caller::ApiKey { id, .. } => Actor::ApiKey(*id),
            Caller::Operator => Actor::Operator,
            Caller::System(part) => Actor::System(part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_visible_texts() {
        let long = "k".repeat(Idempotency::KEY_MAX);
        for (sent, key) in [("k", "k"), (" !two~words ", "!two~words"), (&long, &long)] {
            assert_eq!(Idempotency::read_key(sent).as_deref(), Ok(key));
        }
        let too_long = format!("{long}k");
        for bad in ["", "  ", "two words", "a\nb", "a\tb", "a\0", "\u{7f}", "schlüssel", &too_long]
        {
            let refusal = Idempotency::read_key(bad).expect_err(bad);
            assert_eq!(refusal.code, Code::InputInvalid, "{bad:?}");
        }
    }
}
