//! Whose addresses the log has, and who in the lab stands for them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use harness::case::addr::{Host, Range, Role, SockAddr, address};
use harness::case::lab::RouteKind;
use harness::case::{Lab, LabOp, Link, LinkKind};

use super::log::Arg;

/// The links are called `link0` and on.
pub(super) fn link(number: usize) -> String {
    format!("link{number}")
}

/// The most links: there are as many networks for documentation (RFC 5737).
const MOST_LINKS: usize = 3;

/// Who stands for the first peers; later ones are of the networks for benchmarks (RFC 2544, RFC 5180).
const ROLES: [Role; 3] = [Role::Neighbour, Role::Unresolved, Role::Silent];

/// An address as strace writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Of IPv4 or IPv6, and the scope as it is written: a link's name, or a number.
    Ip { ip: IpAddr, port: u16, scope: Option<String> },
    /// `AF_UNSPEC`.
    Unspecified,
    /// An `AF_UNIX` socket without a name.
    Unnamed,
    /// Of another family.
    Other(String),
}

/// Reads `{sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr("127.0.0.1")}`; none if it is a pointer.
pub(super) fn told(arg: &Arg) -> Option<Told> {
    let family = arg.field("sa_family")?.text();
    match family {
        "AF_INET" => {
            let port = u16::try_from(arg.field("sin_port")?.number()?).ok()?;
            let ip = applied(arg.field("sin_addr")?)?;
            Some(Told::Ip { ip, port, scope: None })
        }
        "AF_INET6" => {
            let port = u16::try_from(arg.field("sin6_port")?.number()?).ok()?;
            let ip = arg.within().iter().find_map(applied)?;
            let scope = match arg.field("sin6_scope_id") {
                Some(Arg::Apply(_, name)) => name.first().and_then(text),
                Some(Arg::Word(number)) if number != "0" => Some(number.clone()),
                _ => None,
            };
            Some(Told::Ip { ip, port, scope })
        }
        "AF_UNSPEC" => Some(Told::Unspecified),
        "AF_UNIX" | "AF_LOCAL" if arg.field("sun_path").is_none() => Some(Told::Unnamed),
        other => Some(Told::Other(super::words::shown(other))),
    }
}

/// `inet_addr("127.0.0.1")`, `inet_pton(AF_INET6, "::1", &sin6_addr)`
pub(super) fn applied(arg: &Arg) -> Option<IpAddr> {
    match arg {
        Arg::Apply(of, args) if of == "inet_addr" || of == "inet_pton" => {
            args.iter().find_map(text)?.parse().ok()
        }
        _ => None,
    }
}

pub(super) fn text(arg: &Arg) -> Option<String> {
    match arg {
        Arg::Bytes { bytes, cut: false } => String::from_utf8(bytes.clone()).ok(),
        _ => None,
    }
}

/// The own address and port in what `-yy` says of a descriptor: `TCP:[127.0.0.1:80->127.0.0.1:1024]`.
pub(super) fn decorated(said: &str) -> Option<(IpAddr, u16)> {
    let inside = said.split_once(":[")?.1.strip_suffix(']')?;
    let own = inside.split("->").next()?;
    let (ip, port) = own.rsplit_once(':')?;
    let ip = ip.trim_start_matches('[').trim_end_matches(']');
    Some((ip.parse().ok()?, port.parse().ok()?))
}

/// The other end's address and port in it, if it tells them.
pub(super) fn decorated_peer(said: &str) -> Option<(IpAddr, u16)> {
    let (_, peer) = said.split_once("->")?;
    let (ip, port) = peer.strip_suffix(']')?.rsplit_once(':')?;
    let ip = ip.trim_start_matches('[').trim_end_matches(']');
    Some((ip.parse().ok()?, port.parse().ok()?))
}

/// The number of an address plan's range.
fn range(ip: IpAddr) -> Range {
    match ip {
        IpAddr::V4(_) => Range::V4,
        IpAddr::V6(ip) if ip.is_unicast_link_local() => Range::Ll,
        IpAddr::V6(_) => Range::V6,
    }
}

/// Whether the address is nobody's in particular, and stays.
pub(super) fn stays(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast()
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unspecified() || ip.is_multicast(),
    }
}

/// Who stands for whom.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts {
    /// The host's own addresses, in the order in which they came.
    own: Vec<IpAddr>,
    /// Other people's, the same.
    peers: Vec<IpAddr>,
    /// Those that no route led to.
    away: Vec<IpAddr>,
    /// Whether a group needs a route.
    pub(super) groups: bool,
    /// Whether a link is needed even if nobody has an address on it.
    pub(super) link: bool,
}

impl Hosts {
    /// Keeps an address of the host's own.
    pub(super) fn learn_own(&mut self, ip: IpAddr) {
        let ip = ip.to_canonical();
        if !stays(ip) && !self.own.contains(&ip) && self.own.len() < 64 {
            self.own.push(ip);
        }
    }

    /// The same without what is not known of the whole log.
    pub(super) fn learned(&self) -> Self {
        Self { own: self.own.clone(), away: self.away.clone(), ..Self::default() }
    }

    /// The host's own address to which others of that family send.
    pub(super) fn own_like(&self, v6: bool) -> Option<Host> {
        let own = self.own.iter().find(|ip| ip.is_ipv6() == v6);
        let range = own.map_or(if v6 { Range::V6 } else { Range::V4 }, |ip| range(*ip));
        self.lab().links.first()?;
        Some(Host::On { link: link(0), role: Role::Own, range })
    }

    /// Keeps an address to which there was no route.
    pub(super) fn learn_away(&mut self, ip: IpAddr) {
        let ip = ip.to_canonical();
        if !stays(ip) && !self.away.contains(&ip) && self.away.len() < 64 {
            self.away.push(ip);
        }
    }

    /// Whether it is another host's.
    pub(super) fn is_peer(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        !stays(ip) && !self.own.contains(&ip)
    }

    /// Who stands for an address.
    pub(super) fn host(&mut self, ip: IpAddr) -> Host {
        let plain = ip.to_canonical();
        if stays(ip) {
            return Host::Ip(ip);
        }
        let host = self.plain(plain);
        // `::ffff:192.0.2.1`
        match (ip, self.lab().ip(&host)) {
            (IpAddr::V6(_), Some(IpAddr::V4(v4))) => Host::Ip(v4.to_ipv6_mapped().into()),
            _ => host,
        }
    }

    fn plain(&mut self, ip: IpAddr) -> Host {
        let of = range(ip);
        let nth =
            |all: &[IpAddr]| all.iter().filter(|one| range(**one) == of).position(|one| *one == ip);
        if let Some(nth) = nth(&self.own) {
            return Host::On { link: link(nth.min(MOST_LINKS - 1)), role: Role::Own, range: of };
        }
        if let Some(nth) = nth(&self.away) {
            return Host::Ip(numbered(of, true, nth));
        }
        if !self.peers.contains(&ip) {
            self.peers.push(ip);
        }
        let nth = nth(&self.peers).unwrap_or(0);
        match ROLES.get(nth) {
            Some(role) => Host::On { link: link(0), role: *role, range: of },
            None => Host::Ip(numbered(of, false, nth)),
        }
    }

    /// The same as a number.
    pub(super) fn ip(&mut self, ip: IpAddr) -> IpAddr {
        let host = self.host(ip);
        self.lab().ip(&host).unwrap_or(ip)
    }

    fn links(&self) -> usize {
        let ranges = [Range::Ll, Range::V6, Range::V4];
        let of = |wanted: Range| self.own.iter().filter(|ip| range(**ip) == wanted).count();
        let own = ranges.into_iter().map(of).max().unwrap_or(0);
        let needs = self.link || self.groups || !self.peers.is_empty();
        own.max(usize::from(needs)).min(MOST_LINKS)
    }

    /// The lab in which they are, without what its far ends serve.
    pub(super) fn lab(&self) -> Lab {
        let links = (0..self.links()).map(|number| Link::new(LinkKind::Tun, &link(number)));
        let mut lab = Lab { links: links.collect(), setup: Vec::new() };
        let mut route = |prefix: IpAddr, prefix_len: u8| {
            let (kind, link, via) = (RouteKind::Unicast, Some(link(0)), None);
            lab.setup.push(LabOp::RouteAdd { prefix, prefix_len, kind, link, via });
        };
        if self.groups {
            route(Ipv4Addr::new(224, 0, 0, 0).into(), 4);
        }
        let many =
            |of: Range| self.peers.iter().filter(|ip| range(**ip) == of).count() > ROLES.len();
        if many(Range::V4) {
            route(Ipv4Addr::new(198, 18, 0, 0).into(), 15);
        }
        if many(Range::V6) {
            route(Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 0).into(), 48);
        }
        lab
    }

    /// A line for each that stands for somebody; the address itself only if it is wanted.
    pub(super) fn table(&mut self, keeps: bool) -> Vec<String> {
        let own: Vec<_> = self.own.iter().map(|ip| (*ip, "an address of this host")).collect();
        let peers = self.peers.iter().map(|ip| (*ip, "another host"));
        let away = self.away.iter().map(|ip| (*ip, "a host to which there was no route"));
        let all: Vec<(IpAddr, &str)> = own.into_iter().chain(peers).chain(away).collect();
        let lines = all.into_iter().map(|(ip, who)| {
            let host = self.host(ip);
            let was = if keeps { format!(", {ip}") } else { String::new() };
            format!("{}: {who}{was}", crate::calls::print_host(&host, None))
        });
        lines.collect()
    }

    /// An address as the kernel of the lab would tell it.
    pub(super) fn sockaddr(&mut self, ip: IpAddr, port: u16, scope: u32) -> SockAddr {
        match self.ip(ip) {
            IpAddr::V4(ip) => SockAddr::V4 { ip, port },
            IpAddr::V6(ip) => SockAddr::V6 { ip, port, scope },
        }
    }
}

/// A host beyond those of the address plan: of a network for benchmarks, or of one to which there is no route (RFC 6598).
/// A case has fewer steps than there are numbers.
fn numbered(range: Range, away: bool, nth: usize) -> IpAddr {
    let nth = u16::try_from(nth + 1).unwrap_or(u16::MAX);
    let [high, low] = nth.to_be_bytes();
    match (range, away) {
        (Range::V4, true) => Ipv4Addr::new(100, 64, high, low).into(),
        (Range::V4, false) => Ipv4Addr::new(198, 18, high, low).into(),
        (_, true) => Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, nth).into(),
        (_, false) => Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, nth).into(),
    }
}

/// The plan's address of the host at the far end, which is where servers are.
pub(super) fn is_served(host: &Host) -> bool {
    let neighbour = |range| address(0, Role::Neighbour, range);
    match host {
        Host::On { role, .. } => *role == Role::Neighbour,
        Host::Ip(ip) => ip.to_canonical() == neighbour(Range::V4),
        Host::Unix(_) | Host::Packet(_) | Host::Vsock(_) | Host::Netlink(_) => false,
    }
}
