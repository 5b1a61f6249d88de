//! Where the gateway may connect: decided on the address that is dialled, after name lookup.
//!
//! `https` goes to public addresses, plain `http` only to private ones, and neither to addresses that
//! no model lives at (metadata services, link-local, multicast, translation prefixes). A literal
//! address in the configuration counts as the operator's word. Networks can be allowed explicitly.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bits of an IPv6 address before the IPv4 address that is mapped into it.
const MAPPED: u8 = 96;

/// A network in CIDR notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, `fd00::/8` or a single address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address.parse().ok()?, Some(prefix.parse().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let most = if matches!(address, IpAddr::V4(_)) { 32 } else { 128 };
        let prefix = prefix.unwrap_or(most);
        match address {
            // IPv4 as IPv6 writes it: addresses are compared as what they are.
            IpAddr::V6(mapped) if (MAPPED..=128).contains(&prefix) => {
                let prefix = mapped.to_ipv4_mapped().map_or(prefix, |_| prefix - MAPPED);
                Some(Network { address: address.to_canonical(), prefix })
            }
            _ => (prefix <= most).then_some(Network { address, prefix }),
        }
    }

    /// Whether the network holds `address`.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, other, width) = match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                (u128::from(a.to_bits()), u128::from(b.to_bits()), 32)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
            _ => return false,
        };
        let drop = width - u32::from(self.prefix);
        drop >= 128 || own >> drop == other >> drop
    }
}

/// What an address is, as far as dialling it is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zone {
    Public,
    Private,
    Forbidden,
}

/// The rule for one gateway.
#[derive(Debug, Clone, Default)]
pub struct Egress {
    allowed: Vec<Network>,
    of_clients: bool,
}

/// How the host was written in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// An address, written out.
    Literal,
    /// A name that had to be looked up.
    Name,
}

impl Egress {
    /// A rule with these networks allowed besides the built-in ones.
    #[must_use]
    pub fn new(allowed: Vec<Network>) -> Self {
        Egress { allowed, of_clients: false }
    }

    /// The rule for addresses that clients write: a literal one is nobody's word, and those where no
    /// model lives stay forbidden even in a network that is allowed.
    #[must_use]
    pub fn of_clients(allowed: Vec<Network>) -> Self {
        Egress { allowed, of_clients: true }
    }

    /// Whether `address` may be dialled.
    ///
    /// # Errors
    /// The reason, fit for the operator's log.
    pub fn check(&self, address: IpAddr, tls: bool, host: Host) -> Result<(), String> {
        let address = address.to_canonical();
        let zone = zone(address);
        if self.of_clients && zone == Zone::Forbidden {
            return Err(format!("{address} is not an address that clients may name"));
        }
        if self.allowed.iter().any(|network| network.contains(address)) {
            return Ok(());
        }
        let hint = "allow it under egress.allow_networks if that is intended";
        match (zone, tls, if self.of_clients { Host::Name } else { host }) {
            (Zone::Forbidden, ..) => {
                Err(format!("{address} is not an address a model may live at; {hint}"))
            }
            (Zone::Public, false, _) => Err(format!(
                "plain http to the public address {address} would show the key; {hint}"
            )),
            (Zone::Private, true, Host::Name) => {
                Err(format!("the name leads to the private address {address}; {hint}"))
            }
            _ => Ok(()),
        }
    }
}

fn zone(address: IpAddr) -> Zone {
    match address {
        IpAddr::V4(address) => zone_v4(address),
        IpAddr::V6(address) => zone_v6(address),
    }
}

fn zone_v4(address: Ipv4Addr) -> Zone {
    let [a, b, c, _] = address.octets();
    // Alibaba's metadata service sits inside the carrier-grade NAT range.
    if address == Ipv4Addr::new(100, 100, 100, 200) {
        return Zone::Forbidden;
    }
    match (a, b, c) {
        (10 | 127, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Zone::Private,
        (0 | 224..=255, ..)
        | (169, 254, _)
        | (192, 0, 0 | 2)
        | (192, 88, 99)
        | (198, 18 | 19, _)
        | (198, 51, 100)
        | (203, 0, 113) => Zone::Forbidden,
        _ => Zone::Public,
    }
}

fn zone_v6(address: Ipv6Addr) -> Zone {
    let segments = address.segments();
    if address == Ipv6Addr::LOCALHOST {
        return Zone::Private;
    }
    // fd00:ec2::254 is the metadata service of EC2.
    if address == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254) {
        return Zone::Forbidden;
    }
    match segments[0] {
        0xfc00..=0xfdff => Zone::Private,
        // Global unicast, without 6to4 (2002::/16), Teredo and other special blocks (2001::/23), and
        // documentation (2001:db8::/32): those carry or hide other addresses.
        0x2002 => Zone::Forbidden,
        0x2001 if segments[1] < 0x200 || segments[1] == 0xdb8 => Zone::Forbidden,
        0x2000..=0x3fff => Zone::Public,
        _ => Zone::Forbidden,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(address: &str, tls: bool, host: Host) -> bool {
        Egress::default().check(address.parse().unwrap(), tls, host).is_ok()
    }

    #[test]
    fn https_names_lead_to_public_addresses_only() {
        for address in ["8.8.8.8", "2606:4700::1"] {
            assert!(check(address, true, Host::Name), "{address}");
        }
        for address in ["10.1.2.3", "127.0.0.1", "100.64.0.1", "::1", "fd12::1", "::ffff:10.0.0.1"]
        {
            assert!(!check(address, true, Host::Name), "{address}");
            assert!(check(address, true, Host::Literal), "{address}");
        }
    }

    #[test]
    fn plain_http_stays_inside() {
        assert!(!check("8.8.8.8", false, Host::Literal));
        assert!(check("192.168.1.1", false, Host::Name));
        assert!(check("127.0.0.1", false, Host::Name));
    }

    #[test]
    fn addresses_where_no_model_lives_are_refused_however_they_are_written() {
        for address in [
            "169.254.169.254",
            "100.100.100.200",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.1",
            "::",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "2001:0:1::1",
            "2001:db8::1",
        ] {
            for tls in [true, false] {
                assert!(!check(address, tls, Host::Literal), "{address}");
            }
        }
    }

    #[test]
    fn clients_reach_private_addresses_only_where_their_network_is_allowed() {
        let strict = Egress::of_clients(Vec::new());
        let networks = ["10.0.0.0/8", "0.0.0.0/0"].map(|n| Network::parse(n).unwrap());
        let [inner, everything] = networks.map(|network| Egress::of_clients(vec![network]));
        let check = |egress: &Egress, address: &str, tls| {
            egress.check(address.parse().unwrap(), tls, Host::Literal).is_ok()
        };
        for private in ["10.1.2.3", "127.0.0.1", "::1", "::ffff:10.0.0.1"] {
            assert!(!check(&strict, private, true), "{private}");
        }
        assert!(check(&strict, "8.8.8.8", true) && !check(&strict, "8.8.8.8", false));
        assert!(check(&inner, "10.1.2.3", true) && !check(&inner, "192.168.0.1", true));
        for metadata in ["169.254.169.254", "100.100.100.200", "::ffff:169.254.169.254"] {
            assert!(!check(&everything, metadata, true), "{metadata}");
        }
    }

    #[test]
    fn an_allowed_network_overrides_the_rule() {
        let networks =
            ["10.0.0.0/8", "169.254.169.254", "fd00::/8"].map(|n| Network::parse(n).unwrap());
        let egress = Egress::new(networks.to_vec());
        for address in ["10.9.9.9", "169.254.169.254", "fd01::1"] {
            assert!(egress.check(address.parse().unwrap(), true, Host::Name).is_ok());
        }
        assert!(egress.check("192.168.0.1".parse().unwrap(), true, Host::Name).is_err());
        assert!(Network::parse("10.0.0.0/33").is_none());
        assert!(Network::parse("0.0.0.0/0").unwrap().contains("9.9.9.9".parse().unwrap()));
    }
}
