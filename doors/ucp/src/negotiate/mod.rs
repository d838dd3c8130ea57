//! Who asks, in which version, and what both sides can do: found out anew for each request, from the profile that
//! the program published.

mod address;
mod agent;
mod cache;
mod intersect;
mod platform;

use std::{sync::Arc, time::Duration};

use handel_ports::{System, WebClient};
use handel_signatures::KeySet;

pub use agent::profile_of;
pub(crate) use platform::Platform;

use crate::{
    TransportError, Version,
    operation::{ORDER, Operation},
};

/// What a program and the shop agree on.
#[derive(Clone, Debug)]
pub struct Agreement {
    version: Version,
    platform: Arc<Platform>,
    /// Names of capabilities that both have.
    active: Vec<&'static str>,
}

impl Agreement {
    /// The version that both speak.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The address of the program's profile, which is its name.
    pub fn agent(&self) -> &str {
        &self.platform.url
    }

    /// The keys that the program published.
    pub(crate) fn keys(&self) -> &KeySet {
        &self.platform.keys
    }

    /// Whether both have a capability.
    pub(crate) fn has(&self, capability: &str) -> bool {
        self.active.contains(&capability)
    }

    /// What both have and matters for an operation: its own capability, and what extends it.
    pub(crate) fn relevant(&self, operation: Operation) -> impl Iterator<Item = &'static str> {
        let own = operation.capability();
        let known = self.version.codec().capabilities().iter();
        let active = known.filter(|capability| self.has(capability.name));
        active
            .filter(move |capability| capability.name == own || capability.extends.contains(&own))
            .map(|capability| capability.name)
    }

    /// Where the program wants to hear of its orders.
    pub(crate) fn webhook_url(&self) -> Option<&str> {
        self.platform.webhook_url.as_deref().filter(|_| self.has(ORDER))
    }
}

/// Finds out who asks.
pub(crate) struct Negotiator {
    cache: cache::Profiles,
    web: Arc<dyn WebClient>,
}

impl Negotiator {
    pub(crate) fn new(web: Arc<dyn WebClient>, system: System) -> Self {
        Self { cache: cache::Profiles::new(web.clone(), system), web }
    }

    /// Reads the profile of a program, and agrees with it on a version and capabilities.
    pub(crate) async fn meet(
        &self,
        version: Version,
        agent: Option<&str>,
    ) -> Result<Agreement, TransportError> {
        let url = address::checked(agent, &*self.web)?;
        let platform = self.cache.get(&url, None).await?;
        agree(version, platform)
    }

    /// The same with a profile that is read anew, unless that was done a moment ago: for a signature whose key is
    /// not known yet.
    pub(crate) async fn meet_again(
        &self,
        version: Version,
        agent: &str,
    ) -> Result<Agreement, TransportError> {
        let platform = self.cache.get(agent, Some(REFRESH_MIN)).await?;
        agree(version, platform)
    }
}

/// How old a profile must be before it is read anew on demand.
const REFRESH_MIN: Duration = Duration::from_secs(60);

fn agree(version: Version, platform: Arc<Platform>) -> Result<Agreement, TransportError> {
    if platform.version != version.name() {
        let known: Vec<_> = Version::ALL.into_iter().map(Version::name).collect();
        let content = format!(
            "this endpoint speaks {}, and your profile is in another version; the shop speaks {}",
            version.name(),
            known.join(", "),
        );
        return Err(TransportError::new(422, "version_unsupported", content));
    }
    let active = intersect::active(version, &platform);
    Ok(Agreement { version, platform, active })
}
