//! What a signature must cover, so that nothing of a message can be exchanged under it.

use crate::{
    base::{Component, Input},
    digest,
    message::{Message, field},
};

/// The headers that say who asks and how often, which a signed request covers where it has them. This is the list
/// of the Universal Commerce Protocol (message signatures, "signed components").
pub const AGENT_HEADERS: &[&str] = &["ucp-agent", "idempotency-key", "signature-agent"];

/// The components that a signature of this message covers at least: of a request its target, of a response its
/// status, the body by its digest and media type, and of `headers` those that the message has.
pub(crate) fn demanded(message: &Message<'_>, headers: &[&str]) -> Vec<Component> {
    let mut names = match message.target() {
        Some(target) if target.query.is_some() => {
            vec!["@method", "@authority", "@path", "@query"]
        }
        Some(_) => vec!["@method", "@authority", "@path"],
        None => vec!["@status"],
    };
    if !message.body.is_empty() {
        names.extend([digest::NAME, "content-type"]);
    }
    let present = headers.iter().filter(|name| field(message.headers, name).is_some());
    names.extend(present);
    names.into_iter().map(Component::new).collect()
}

/// Whether a signature covers everything that is demanded. One member of a dictionary stands for the header: a
/// signature covers the member that is about itself.
pub(crate) fn covers(input: &Input, demanded: &[Component]) -> bool {
    let covered = |name: &str| input.components.iter().any(|component| component.name() == name);
    demanded.iter().all(|component| covered(component.name()))
}
