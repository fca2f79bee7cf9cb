//! Where Muster may connect to. Addresses come from administrators and from the names they give, and a server inside a
//! network reaches what nobody outside may.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

/// Where Muster may connect to: public addresses by https, and what the operator allows beside these.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// Networks that are allowed though they are not public.
    pub allow: Vec<IpNet>,
    /// Whether plain http is.
    pub http: bool,
}

/// Why Muster does not connect there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Neither https nor, where it is allowed, http.
    #[error("the address must begin with https://")]
    Scheme,
    /// A name or password in the URL would be logged and shown.
    #[error("the address must not hold a user name or password")]
    Credentials,
    /// A part behind `#` is never sent.
    #[error("the address must not have a part behind `#`")]
    Fragment,
    /// No public address, and not one that the operator allows.
    #[error("the address is not a public one, and the operator has not allowed it")]
    Address,
}

impl Guard {
    /// Lets a URL pass, as far as can be told without looking up its name.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, url: &Url) -> Result<(), Refused> {
        if url.scheme() != "https" && !(self.http && url.scheme() == "http") {
            return Err(Refused::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        if url.fragment().is_some() {
            return Err(Refused::Fragment);
        }
        let permitted = match url.host() {
            Some(Host::Ipv4(address)) => self.permits(address.into()),
            Some(Host::Ipv6(address)) => self.permits(address.into()),
            // What it resolves to is looked at when it does.
            Some(Host::Domain(_)) => true,
            None => false,
        };
        if permitted { Ok(()) } else { Err(Refused::Address) }
    }

    /// Whether Muster may connect to an address. One of IPv6 that stands for one of IPv4 is judged as that.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let judged = match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(long) => embedded(long).map_or(address, IpAddr::V4),
        };
        let public = match judged {
            IpAddr::V4(short) => is_public(short),
            IpAddr::V6(long) => is_global(long),
        };
        public || self.allow.iter().any(|net| net.contains(&judged))
    }
}

/// The address of IPv4 that one of IPv6 stands for: mapped, compatible, NAT64 and 6to4 (RFC 4291, 6052, 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let words = address.segments();
    let of = |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match words {
        // `::` and `::1` are of IPv6 itself.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            of(high, low)
        }
        _ => None,
    }
}

/// Not set aside for anything by RFC 6890 and its additions.
fn is_public(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match a {
        0 | 10 | 127 | 224.. => true,
        100 => (64..128).contains(&b),
        169 => b == 254,
        172 => (16..32).contains(&b),
        192 => b == 168 || (b == 0 && (c == 0 || c == 2)) || (b == 88 && c == 99),
        198 => b == 18 || b == 19 || (b == 51 && c == 100),
        203 => b == 0 && c == 113,
        _ => false,
    };
    !special
}

/// Within `2000::/3`, the only part that is given out, and not set aside there.
fn is_global(address: Ipv6Addr) -> bool {
    let words = address.segments();
    let given_out = words[0] & 0xe000 == 0x2000;
    // 2001::/23 holds Teredo, `ORCHID` and other protocols; 2001:db8::/32 and 3fff::/20 are for documents.
    let special = match words[0] {
        0x2001 => words[1] < 0x200 || words[1] == 0xdb8,
        0x3fff => words[1] < 0x1000,
        _ => false,
    };
    given_out && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(text: &str) -> bool {
        Guard::default().permits(text.parse().unwrap())
    }

    #[test]
    fn only_public_addresses_are_permitted() {
        for private in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
        ] {
            assert!(!permits(private), "{private}");
        }
        for public in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::",
            "2001:4860::8888",
        ] {
            assert!(permits(public), "{public}");
        }
    }

    #[test]
    fn the_operator_may_allow_networks_and_http() {
        let guard = Guard {
            allow: vec!["10.1.0.0/16".parse().unwrap()],
            http: true,
        };
        let check = |text: &str| guard.check(&text.parse().unwrap());
        assert_eq!(check("http://10.1.2.3/hook"), Ok(()));
        assert_eq!(check("http://[::ffff:10.1.2.3]/hook"), Ok(()));
        assert_eq!(check("http://10.2.2.3/hook"), Err(Refused::Address));
        assert_eq!(
            check("http://localhost/hook"),
            Ok(()),
            "a name is judged when it is looked up"
        );
        assert_eq!(check("ftp://example.com"), Err(Refused::Scheme));
    }

    #[test]
    fn other_ways_to_write_an_address_are_seen_through() {
        let check = |text: &str| Guard::default().check(&text.parse().unwrap());
        for private in [
            "https://127.1",
            "https://0x7f000001",
            "https://2130706433",
            "https://0177.0.0.1",
            "https://[::]",
        ] {
            assert_eq!(check(private), Err(Refused::Address), "{private}");
        }
        assert_eq!(check("https://example.com/hook"), Ok(()));
        assert_eq!(check("http://example.com/hook"), Err(Refused::Scheme));
        assert_eq!(check("https://a:b@example.com"), Err(Refused::Credentials));
        assert_eq!(check("https://example.com/#a"), Err(Refused::Fragment));
    }
}
