//! Addresses of profiles that may be looked at. What they resolve to is checked when they are called.

use handel_ports::WebClient;

use crate::TransportError;

/// Longest address of a profile, in characters. It is a part of keys in the database.
const URL_MAX: usize = 1_024;

/// The address in the form in which it is called and kept. Which may be called is for the way out to say.
pub(super) fn checked(url: Option<&str>, web: &dyn WebClient) -> Result<String, TransportError> {
    let wrong = |content: &str| TransportError::new(400, "invalid_profile_url", content);
    let text = url.map(str::trim).filter(|url| !url.is_empty());
    let text = text.ok_or_else(|| wrong("say who asks: UCP-Agent: profile=\"https://…\""))?;
    let url = web.check_url(text).map_err(|_| {
        wrong("the address of the profile must be one of https, without a user and a fragment")
    })?;
    if text.len().max(url.len()) > URL_MAX {
        return Err(wrong("the address of the profile is too long"));
    }
    Ok(url)
}
