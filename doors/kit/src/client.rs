//! Which client a request came from, by its network address.
//!
//! Owns how an address is found behind proxies, and which addresses count as one client.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
    sync::{Arc, atomic::AtomicUsize},
};

use axum::http::{Extensions, HeaderMap};

/// The header in which proxies say for whom they ask, the nearest one last.
const FORWARDED_FOR: &str = "x-forwarded-for";
/// An IPv6 network of this size belongs to one customer of a provider.
const IPV6_PREFIX: u32 = 64;

/// A client, for limits that each client has of its own: an IPv4 address, or an IPv6 network of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Client(IpAddr);

/// The other end of the connection that a request came on. It lies among the extensions of the request.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// Bodies that are on their way on this connection.
    pub(crate) bodies: Arc<AtomicUsize>,
}

/// A range of addresses, such as `10.0.0.0/8` or `::1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: u128,
    is_v4: bool,
    prefix: u32,
}

impl Peer {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address: address.ip().to_canonical(), bodies: Arc::default() }
    }
}

impl Client {
    /// The client at an address.
    pub fn new(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let mask = u128::MAX << (128 - IPV6_PREFIX);
                Ipv6Addr::from_bits(address.to_bits() & mask).into()
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }

    /// The client that a request came from, if it is known. A proxy that is trusted says for whom it asks; where it
    /// does not, the request has no client.
    pub(crate) fn find(
        peer: Option<&Peer>,
        headers: &HeaderMap,
        proxies: &[Network],
    ) -> Option<Self> {
        let is_proxy = |address: IpAddr| proxies.iter().any(|network| network.has(address));
        let peer = peer?.address;
        if !is_proxy(peer) {
            return Some(Self::new(peer));
        }
        let values = headers.get_all(FORWARDED_FOR).into_iter();
        let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        // Each proxy adds the address that it was asked from at the end; what stands before may be made up.
        let addresses = values.iter().rev().flat_map(|value| value.rsplit(','));
        for address in addresses {
            let address = read_address(address.trim())?;
            if !is_proxy(address) {
                return Some(Self::new(address));
            }
        }
        None
    }

    /// The client of a request that is being worked on.
    pub fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }
}

/// An address as proxies write it: some add the port.
fn read_address(text: &str) -> Option<IpAddr> {
    let plain = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    let address = plain.or_else(with_port).or_else(in_brackets)?;
    Some(address.to_canonical())
}

impl Network {
    /// The addresses of this machine.
    pub fn loopback() -> Vec<Self> {
        ["127.0.0.0/8", "::1"].iter().filter_map(|text| text.parse().ok()).collect()
    }

    pub(crate) fn has(&self, address: IpAddr) -> bool {
        let (bits, width) = bits(address.to_canonical());
        self.is_v4 == address.to_canonical().is_ipv4()
            && masked(bits, width, self.prefix) == self.first
    }
}

fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (address.to_bits().into(), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

fn masked(bits: u128, width: u32, prefix: u32) -> u128 {
    let mask = u128::MAX.checked_shl(width - prefix).unwrap_or(0);
    bits & mask
}

/// A text that is no address and no range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

impl fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be an address such as 10.0.0.7, or a range such as 10.0.0.0/8")
    }
}

impl std::error::Error for NotANetwork {}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().map_err(|_| NotANetwork)?)),
            None => (text, None),
        };
        let address = address.parse::<IpAddr>().map_err(|_| NotANetwork)?;
        let (bits, width) = bits(address);
        let prefix = prefix.unwrap_or(width);
        if prefix > width {
            return Err(NotANetwork);
        }
        Ok(Self { first: masked(bits, width, prefix), is_v4: address.is_ipv4(), prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(peer: &str, forwarded: &[&str]) -> Option<Client> {
        let peer = Peer::new(SocketAddr::new(peer.parse().unwrap(), 1));
        let headers = forwarded.iter().map(|value| {
            (FORWARDED_FOR.parse::<http::HeaderName>().unwrap(), value.parse().unwrap())
        });
        let headers: HeaderMap = headers.collect();
        let mut proxies = Network::loopback();
        proxies.push("10.1.0.0/16".parse().unwrap());
        Client::find(Some(&peer), &headers, &proxies)
    }

    fn client(address: &str) -> Option<Client> {
        Some(Client::new(address.parse().unwrap()))
    }

    #[test]
    fn only_proxies_that_are_trusted_say_for_whom_they_ask() {
        assert_eq!(find("192.0.2.1", &["198.51.100.7"]), client("192.0.2.1"));
        assert_eq!(find("127.0.0.1", &["198.51.100.7"]), client("198.51.100.7"));
        // What a client made up stands before what the proxies added.
        assert_eq!(find("127.0.0.1", &["1.1.1.1, 198.51.100.7, 10.1.2.3"]), client("198.51.100.7"));
        assert_eq!(find("::1", &["1.1.1.1", "198.51.100.7"]), client("198.51.100.7"));
        assert_eq!(find("::ffff:127.0.0.1", &["198.51.100.7:4711"]), client("198.51.100.7"));
        assert_eq!(find("127.0.0.1", &["[2001:db8::1]:80"]), client("2001:db8::"));
        for unknown in [&[][..], &["unknown"], &["127.0.0.1"], &["1.1.1.1, "]] {
            assert_eq!(find("127.0.0.1", unknown), None, "{unknown:?}");
        }
        assert_eq!(Client::find(None, &HeaderMap::new(), &[]), None);
    }

    #[test]
    fn an_ipv6_network_of_a_customer_is_one_client() {
        assert_eq!(client("2001:db8:0:1:ffff::7"), client("2001:db8:0:1::1"));
        assert_ne!(client("2001:db8:0:2::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
        assert_ne!(client("192.0.2.2"), client("192.0.2.1"));
    }

    #[test]
    fn networks_are_addresses_with_a_prefix() {
        let has = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().has(address.parse().unwrap())
        };
        assert!(has("10.0.0.0/8", "10.255.1.2") && !has("10.0.0.0/8", "11.0.0.1"));
        assert!(has("10.0.0.7", "10.0.0.7") && !has("10.0.0.7", "10.0.0.8"));
        assert!(has("0.0.0.0/0", "192.0.2.1") && !has("0.0.0.0/0", "2001:db8::1"));
        assert!(has("::/0", "2001:db8::1") && has("2001:db8::/32", "2001:db8:1::"));
        for wrong in ["", "a", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8"] {
            assert_eq!(wrong.parse::<Network>(), Err(NotANetwork), "{wrong}");
        }
    }
}
