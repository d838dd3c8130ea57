//! Ways to pay: the payment providers of the shop, as programs see them.

use handel_engine::Engine;
use serde_json::{Value, json};

/// A way to pay.
#[derive(Clone, Debug)]
pub(crate) struct Handler {
    /// The name of its kind, which many shops may share.
    pub(crate) name: String,
    /// Which of the shop's handlers it is: the name of the provider.
    pub(crate) id: &'static str,
    /// The kind of instruments that it takes.
    pub(crate) instrument: &'static str,
    /// What a program must know to get a credential.
    pub(crate) config: Value,
}

/// The ways to pay of a shop.
pub(crate) fn of(engine: &Engine) -> Vec<Handler> {
    engine.provider_names().into_iter().map(Handler::new).collect()
}

impl Handler {
    fn new(provider: &'static str) -> Self {
        let config = match provider {
            "test" => json!({ "environment": "sandbox", "credential_types": ["token"] }),
            _ => json!({ "environment": "production", "credential_types": ["token"] }),
        };
        Self {
            name: format!("example.handel.payments.{provider}"),
            id: provider,
            instrument: "card",
            config,
        }
    }
}
