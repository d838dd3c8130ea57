//! Addresses of profiles that may be looked at. What they resolve to is checked when they are called.

use std::net::IpAddr;

use url::{Host, Url};

use crate::TransportError;

/// Longest address of a profile, in characters. It is a part of keys in the database.
const URL_MAX: usize = 1_024;

/// The address as it is kept. Only `https` is allowed, and `http` to this machine on a shop that is on this machine.
pub(super) fn checked(url: Option<&str>, is_local: bool) -> Result<String, TransportError> {
    let wrong = |content: &str| TransportError::new(400, "invalid_profile_url", content);
    let text = url.map(str::trim).filter(|url| !url.is_empty());
    let text = text.ok_or_else(|| wrong("say who asks: UCP-Agent: profile=\"https://…\""))?;
    if text.len() > URL_MAX {
        return Err(wrong("the address of the profile is too long"));
    }
    let url = Url::parse(text).map_err(|_| wrong("the address of the profile is malformed"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("the address of the profile must not have a user"));
    }
    let is_allowed = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_local && is_loopback(&url),
        _ => false,
    };
    if !is_allowed {
        return Err(wrong("the address of the profile must begin with https://"));
    }
    Ok(text.to_owned())
}

/// Whether an address is on this machine by its name alone.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secure_addresses_are_looked_at() {
        let good = "https://agent.example/profile.json";
        assert_eq!(checked(Some(good), false).as_deref(), Ok(good));
        let long = format!("https://agent.example/{}", "x".repeat(URL_MAX));
        for bad in [
            None,
            Some(""),
            Some("..."),
            Some("agent.example"),
            Some("http://agent.example/"),
            Some("ftp://agent.example/"),
            Some("file:///etc/passwd"),
            Some("https://user:secret@agent.example/"),
            Some("javascript:alert(1)"),
            Some(&*long),
        ] {
            let error = checked(bad, false).expect_err("it must not be called");
            assert_eq!((error.status, error.code), (400, "invalid_profile_url"), "{bad:?}");
        }
    }

    #[test]
    fn programs_on_this_machine_are_for_development() {
        for local in ["http://localhost:8285/p", "http://127.0.0.1/p", "http://[::1]:1/p"] {
            assert!(checked(Some(local), true).is_ok(), "{local}");
            assert!(checked(Some(local), false).is_err(), "{local}");
        }
        assert!(checked(Some("http://192.168.0.1/p"), true).is_err());
        assert!(checked(Some("http://localhost.agent.example/p"), true).is_err());
    }
}
