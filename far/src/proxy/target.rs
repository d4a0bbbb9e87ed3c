//! Where a client wants to go, and whether this proxy goes there.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::text;

/// How a client named its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// By a name, which the proxy looks up.
    Name(String),
    /// By an address, which the client knew.
    Address(IpAddr),
}

/// Where a client wants to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The host.
    pub host: Host,
    /// The port.
    pub port: u16,
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the proxy itself.
    Own,
    /// It is at one of these; the first that answers is taken.
    Connect(Vec<SocketAddr>),
    /// The proxy does not go there, and why.
    Refused(String),
    /// Its name is nobody's.
    Unknown(String),
}

/// Looks a name up.
pub(super) type Resolve = fn(&str, u16) -> Result<Vec<SocketAddr>, String>;

impl Target {
    /// Of `host:port`; an IPv6 address is in brackets. None if it is not such.
    pub(super) fn parse(text: &str, default_port: Option<u16>) -> Option<Self> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, port) = rest.split_once(']')?;
            let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?) };
            (Host::Address(host.parse::<Ipv6Addr>().ok()?.into()), port)
        } else {
            let (host, port) = match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            };
            (Host::of(host)?, port)
        };
        let port = match port.filter(|port| !port.is_empty()) {
            Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => port.parse().ok()?,
            Some(_) => return None,
            None => default_port?,
        };
        Some(Self { host, port })
    }

    /// Whether the proxy, which is at `own`, goes there for `peer`: to loopback, and to what `upstream` has. For a
    /// client of another host, to whom this one's loopback is closed, to what `upstream` has alone.
    pub(super) fn judge(
        &self,
        own: SocketAddr,
        peer: IpAddr,
        upstream: &[String],
        resolve: Resolve,
    ) -> Verdict {
        let port = self.port;
        let is_here = is_local(peer) || peer.to_canonical() == own.ip().to_canonical();
        let is_open = is_here || self.is_allowed(upstream);
        let is_own = |addr: &SocketAddr| {
            let same = addr.ip().to_canonical() == own.ip().to_canonical();
            addr.port() == own.port() && (same || is_local(addr.ip()))
        };
        let addrs = match &self.host {
            Host::Address(ip) if is_own(&SocketAddr::new(*ip, port)) => return Verdict::Own,
            Host::Address(ip) if is_local(*ip) && is_open || self.is_allowed(upstream) => {
                vec![SocketAddr::new(*ip, port)]
            }
            Host::Name(name) if is_localhost(name) && (is_open || port == own.port()) => vec![
                SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port),
                SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port),
            ],
            Host::Name(name) if self.is_allowed(upstream) => match resolve(name, port) {
                Ok(addrs) if addrs.is_empty() => {
                    return Verdict::Unknown(format!("{name} has no address"));
                }
                Ok(addrs) => addrs,
                Err(why) => return Verdict::Unknown(format!("{name} cannot be looked up: {why}")),
            },
            host if !is_here => {
                return Verdict::Refused(format!(
                    "for clients of other hosts this proxy connects to nothing but itself; \
                     --allow-upstream {host} allows it"
                ));
            }
            host => {
                return Verdict::Refused(format!(
                    "this proxy connects to loopback alone (localhost, 127.0.0.0/8, ::1), and \
                     {host} is not that; --allow-upstream {host} allows it"
                ));
            }
        };
        if addrs.iter().any(is_own) { Verdict::Own } else { Verdict::Connect(addrs) }
    }

    fn is_allowed(&self, upstream: &[String]) -> bool {
        upstream.iter().any(|entry| {
            let any_port = entry.parse().ok().map(Host::Address).or_else(|| Host::of(entry));
            let entry = match any_port {
                Some(host) => Some((host, None)),
                None => Self::parse(entry, Some(0)).map(|t| (t.host, Some(t.port))),
            };
            entry.is_some_and(|(host, port)| {
                host.is(&self.host) && port.is_none_or(|port| port == self.port)
            })
        })
    }
}

impl Host {
    /// A name or an address; none if it is empty or has what no host has.
    pub(super) fn of(text: &str) -> Option<Self> {
        if let Ok(ip) = text.parse::<Ipv4Addr>() {
            return Some(Self::Address(ip.into()));
        }
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b) || b >= 0x80;
        let is_name = !text.is_empty() && text.len() < 256 && text.bytes().all(fits);
        is_name.then(|| Self::Name(text.to_owned()))
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => {
                let bare = |name: &str| name.trim_end_matches('.').to_ascii_lowercase();
                bare(a) == bare(b)
            }
            (Self::Address(a), Self::Address(b)) => a.to_canonical() == b.to_canonical(),
            _ => false,
        }
    }
}

fn is_local(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

fn is_localhost(name: &str) -> bool {
    name.strip_suffix('.').unwrap_or(name).eq_ignore_ascii_case("localhost")
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(&text::cut(name)),
            Self::Address(ip) => ip.fmt(f),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host {
            Host::Address(IpAddr::V6(ip)) => write!(f, "[{ip}]:{}", self.port),
            _ => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn nobody(_: &str, _: u16) -> Result<Vec<SocketAddr>, String> {
        Err("nobody".to_owned())
    }

    fn lab(name: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
        assert!(name.to_lowercase().contains(".test"), "{name}");
        if name.is_empty() { nobody(name, port) } else { Ok(vec![([10, 0, 0, 1], port).into()]) }
    }

    #[rstest]
    #[case("localhost:80", "connect 127.0.0.1:80 [::1]:80")]
    #[case("LOCALHOST.:80", "connect 127.0.0.1:80 [::1]:80")]
    #[case("127.9.9.9:80", "connect 127.9.9.9:80")]
    #[case("[::1]:80", "connect [::1]:80")]
    #[case("[::ffff:127.0.0.1]:80", "connect [::ffff:127.0.0.1]:80")]
    #[case("localhost:9", "own")]
    #[case("127.0.0.1:9", "own")]
    #[case("[::1]:9", "own")]
    #[case("192.0.2.7:9", "own")]
    #[case("192.0.2.7:80", "refused")]
    #[case("0.0.0.0:80", "refused")]
    #[case("[::]:80", "refused")]
    #[case("[::ffff:10.0.0.1]:80", "refused")]
    #[case("10.0.0.1:80", "refused")]
    #[case("127.1:80", "refused")]
    #[case("2130706433:80", "refused")]
    #[case("example.com:80", "refused")]
    #[case("localhost.example.com:80", "refused")]
    #[case("lab.test:80", "connect 10.0.0.1:80")]
    #[case("LAB.test.:81", "connect 10.0.0.1:81")]
    #[case("one.test:80", "connect 10.0.0.1:80")]
    #[case("one.test:81", "refused")]
    #[case("10.7.7.7:5", "connect 10.7.7.7:5")]
    #[case("[2001:db8::1]:5", "connect [2001:db8::1]:5")]
    #[case("[2001:db8::2]:443", "connect [2001:db8::2]:443")]
    #[case("[2001:db8::2]:5", "refused")]
    #[case("localhost", "no target")]
    #[case("localhost:0x50", "no target")]
    #[case("localhost:+80", "no target")]
    #[case("localhost:65536", "no target")]
    #[case("a b:80", "no target")]
    #[case(":80", "no target")]
    #[case("[::1]80", "no target")]
    fn it_goes_to_loopback_and_where_it_is_allowed(#[case] text: &str, #[case] expected: &str) {
        let own = "192.0.2.7:9".parse().unwrap();
        let upstream = ["lab.test", "one.test:80", "10.7.7.7", "2001:db8::1", "[2001:db8::2]:443"];
        let upstream = upstream.map(str::to_owned);
        let got = match Target::parse(text, None).map(|t| t.judge(own, own.ip(), &upstream, lab)) {
            None => "no target".to_owned(),
            Some(Verdict::Own) => "own".to_owned(),
            Some(Verdict::Refused(why)) => {
                assert!(why.contains("--allow-upstream"), "{why}");
                "refused".to_owned()
            }
            Some(Verdict::Unknown(why)) => why,
            Some(Verdict::Connect(all)) => {
                let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                format!("connect {}", all.join(" "))
            }
        };
        assert_eq!(got, expected);
    }

    #[rstest]
    #[case("127.0.0.1:80", "[]", false)]
    #[case("localhost:80", "[]", false)]
    #[case("[::ffff:127.0.0.1]:80", "[]", false)]
    #[case("localhost:80", "localhost", true)]
    #[case("127.0.0.1:80", "127.0.0.1:80", true)]
    #[case("127.0.0.1:81", "127.0.0.1:80", false)]
    #[case("192.0.2.7:9", "[]", true)]
    #[case("localhost:9", "[]", true)]
    fn loopback_is_closed_to_other_hosts(
        #[case] text: &str,
        #[case] upstream: &str,
        #[case] goes: bool,
    ) {
        let own = "192.0.2.7:9".parse().unwrap();
        let target = Target::parse(text, None).unwrap();
        let verdict =
            target.judge(own, "192.0.2.8".parse().unwrap(), &[upstream.to_owned()], nobody);
        match verdict {
            Verdict::Refused(why) => assert!(!goes && why.contains("other hosts"), "{why}"),
            verdict => assert!(goes, "{verdict:?}"),
        }
    }

    #[test]
    fn a_name_that_nobody_has_is_told() {
        let target = Target::parse("lab.test:80", None).unwrap();
        let own = "127.0.0.1:9".parse().unwrap();
        let verdict = target.judge(own, own.ip(), &["lab.test".to_owned()], nobody);
        assert!(matches!(verdict, Verdict::Unknown(why) if why.contains("nobody")));
    }
}
