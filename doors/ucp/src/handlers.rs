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

/// The ways to pay of a shop. What a provider takes is known here by its name; a provider that is not known is for
/// people only.
pub(crate) fn of(engine: &Engine) -> Vec<Handler> {
    engine.provider_names().into_iter().filter_map(Handler::of).collect()
}

impl Handler {
    fn of(provider: &'static str) -> Option<Self> {
        let (instrument, environment) = match provider {
            "test" => ("card", "sandbox"),
            _ => return None,
        };
        Some(Self {
            name: format!("example.handel.payments.{provider}"),
            id: provider,
            instrument,
            config: json!({ "environment": environment, "credential_types": ["token"] }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_guessed_of_a_provider() {
        assert!(Handler::of("test").is_some());
        assert!(Handler::of("acquirer").is_none());
    }
}
