//! Which addresses may be called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use handel_ports::WebError;
use url::{Host, Url};

/// Longest address, in bytes.
const URL_MAX: usize = 2_048;
/// The port of `https`. Other ports below 1024 belong to other services, which have no business with us.
const HTTPS: u16 = 443;
const SYSTEM_PORTS: u16 = 1_024;

/// Every block of the IANA IPv4 special-purpose registry, and multicast.
const SPECIAL_V4: [(Ipv4Addr, u32); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(192, 175, 48, 0), 24),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, and everything above it.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// What of IPv6 is used on the Internet at all. Loopback, private, link-local, multicast, mapped and translated
/// addresses lie outside of it.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Every block of the IANA IPv6 special-purpose registry inside of [`GLOBAL_V6`].
const SPECIAL_V6: [(Ipv6Addr, u32); 5] = [
    // Protocol assignments: Teredo, benchmarking, ORCHID and others.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4, in which any IPv4 address can hide.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Which addresses may be called.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    /// Whether this machine itself may be called, also without TLS. For development.
    pub allow_loopback: bool,
}

impl Rules {
    /// Understands an address and refuses what can never be called. What its name leads to is not known yet.
    pub fn read(self, text: &str) -> Result<Url, WebError> {
        if text.len() > URL_MAX {
            return Err(WebError::Address);
        }
        let url = Url::parse(text).map_err(|_| WebError::Address)?;
        let is_plain =
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let port = url.port_or_known_default().ok_or(WebError::Address)?;
        let (is_named, is_allowed) = match url.host().ok_or(WebError::Address)? {
            Host::Domain(name) => (name == "localhost", true),
            Host::Ipv4(address) => (address.is_loopback(), self.allows(address.into())),
            Host::Ipv6(address) => (address.is_loopback(), self.allows(address.into())),
        };
        let is_local = self.allow_loopback && is_named;
        let is_secure = match url.scheme() {
            "https" => is_local || port == HTTPS || port >= SYSTEM_PORTS,
            "http" => is_local,
            _ => false,
        };
        if is_plain && is_allowed && is_secure { Ok(url) } else { Err(WebError::Address) }
    }

    /// Whether a connection may go there.
    pub fn allows(self, address: IpAddr) -> bool {
        address.is_loopback() && self.allow_loopback || is_public(address)
    }
}

/// Whether an address is one of a machine on the Internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4
            .iter()
            .any(|(block, bits)| begins_alike(address.to_bits(), block.to_bits(), *bits)),
        IpAddr::V6(address) => {
            let within = |(block, bits): (Ipv6Addr, u32)| {
                (address.to_bits() ^ block.to_bits()) >> (128 - bits) == 0
            };
            within(GLOBAL_V6) && !SPECIAL_V6.into_iter().any(within)
        }
    }
}

fn begins_alike(address: u32, block: u32, bits: u32) -> bool {
    (address ^ block) >> (32 - bits) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: Rules = Rules { allow_loopback: false };
    const LOCAL: Rules = Rules { allow_loopback: true };

    fn allows(address: &str) -> bool {
        PUBLIC.allows(address.parse().expect("an address"))
    }

    #[test]
    fn machines_on_the_internet_may_be_called() {
        for address in
            ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0"]
        {
            assert!(allows(address), "{address}");
        }
        for address in [
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(allows(address), "{address}");
        }
    }

    #[test]
    fn every_special_block_is_refused_from_its_first_address_to_its_last() {
        for (block, bits) in SPECIAL_V4 {
            let last = Ipv4Addr::from_bits(block.to_bits() | (u32::MAX >> bits));
            assert!(!PUBLIC.allows(block.into()) && !PUBLIC.allows(last.into()), "{block}/{bits}");
        }
        for (block, bits) in SPECIAL_V6 {
            let last = Ipv6Addr::from_bits(block.to_bits() | (u128::MAX >> bits));
            assert!(!PUBLIC.allows(block.into()) && !PUBLIC.allows(last.into()), "{block}/{bits}");
        }
    }

    #[test]
    fn addresses_that_lead_inside_are_refused_by_name() {
        let v4 = [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.1.1",
            "172.16.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "240.0.0.1",
        ];
        let v6 = [
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:2::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "5f00::1",
            "4000::1",
        ];
        for address in v4.into_iter().chain(v6) {
            assert!(!allows(address), "{address}");
        }
    }

    #[test]
    fn a_host_is_read_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0177.0.0.1",
            "0x7f.0.0.1",
            "0x7f000001",
            "2130706433",
            "017700000001",
            "127.0.0.1.",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:ffff:7f00:0001]",
            "１２７.0.0.1",
            "127。0。0。1",
            "%31%32%37.0.0.1",
            "0",
            "0.0.0.0",
            "169.254.169.254",
            "0xa9fea9fe",
            "[fe80::1]",
            "[::]",
        ] {
            let url = format!("https://{host}/news");
            assert_eq!(PUBLIC.read(&url), Err(WebError::Address), "{url}");
        }
    }

    #[test]
    fn only_https_without_extras_is_an_address() {
        let long = format!("https://shop.example/{}", "x".repeat(URL_MAX));
        for url in [
            "http://agent.example/",
            "ftp://agent.example/",
            "file:///etc/passwd",
            "gopher://agent.example/",
            "agent.example",
            "https://",
            "https://ada@agent.example/",
            "https://ada:x@agent.example/",
            "https://agent.example/#a",
            "https://agent.example:22/",
            "https://agent.example:80/",
            "https://agent.example:0/",
            "https://agent.example:99999/",
            "http://localhost/",
            "http://127.0.0.1/",
            "javascript:alert(1)",
            "",
            "https://a b/",
            &long,
        ] {
            assert_eq!(PUBLIC.read(url), Err(WebError::Address), "{url}");
        }
        for url in [
            "https://agent.example/news?a=1",
            "https://agent.example:8443/",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
        ] {
            assert!(PUBLIC.read(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn an_address_has_one_form() {
        let read = |url: &str| PUBLIC.read(url).expect("an address").to_string();
        assert_eq!(read("HTTPS://Agent.EXAMPLE:443/a/../b c"), "https://agent.example/b%20c");
        assert_eq!(read("https://bücher.example"), "https://xn--bcher-kva.example/");
    }

    #[test]
    fn this_machine_may_be_called_only_where_that_is_allowed() {
        for url in [
            "http://127.0.0.1:9000/",
            "http://localhost:9000/",
            "http://[::1]:9000/",
            "https://127.0.0.1:9000/",
        ] {
            assert!(LOCAL.read(url).is_ok(), "{url}");
        }
        for url in [
            "http://agent.example/",
            "http://10.0.0.1/",
            "https://10.0.0.1/",
            "http://169.254.169.254/",
            "http://0.0.0.0/",
        ] {
            assert_eq!(LOCAL.read(url), Err(WebError::Address), "{url}");
        }
        assert!(!LOCAL.allows("10.0.0.1".parse().expect("an address")));
    }
}
