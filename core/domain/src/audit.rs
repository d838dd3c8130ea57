//! Who did something.

use std::fmt;

use crate::id::{ApiKeyId, CartId};

/// Who is behind a change, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A shopper without an account, known by the cart.
    Shopper(Option<CartId>),
    /// A program that introduced itself by its profile.
    Agent(String),
    /// A program with an API key.
    ApiKey(ApiKeyId),
    /// Somebody at the command line of the server.
    Operator,
    /// A payment provider, through its webhook or an answer.
    Provider(String),
    /// The shop itself: a job or the scheduler.
    System(&'static str),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shopper(Some(cart)) => write!(f, "shopper:{cart}"),
            Self::Shopper(None) => f.write_str("shopper"),
            Self::Agent(profile) => write!(f, "agent:{profile}"),
            Self::ApiKey(id) => write!(f, "api_key:{id}"),
            Self::Operator => f.write_str("operator"),
            Self::Provider(name) => write!(f, "provider:{name}"),
            Self::System(part) => write!(f, "system:{part}"),
        }
    }
}
