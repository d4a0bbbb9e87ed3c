//! What differs between two runs, by a name that does not.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv6Addr};

use super::credentials::Whose;
use super::data::{Sources, injected};
use super::packets::{framing, ports};
use super::socks::{Transport, has_ping, transport};
use crate::case::addr::{Addr, Host, Port, Scope, SockAddr, Unix, UnixName};
use crate::case::names::DNS_PORT;
use crate::case::{Case, LabOp, Op, Os, ServerStep, Sym, netlink, vsock};
use crate::darwin::scope::without_embedded_scope;
use crate::trace::{Credentials, LinkFact, Trace};
use crate::wire;

/// Below it no system takes a port of its own choice: the lowest of Linux's
/// `net.ipv4.ip_local_port_range`, macOS's and FreeBSD's being above.
const EPHEMERAL: u16 = 32768;

/// How a text about a case says ports, links, hardware addresses and payloads.
///
/// Ephemeral ports are numbered as they come: to have the numbers of an outcome, ask for its lines
/// in their order.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a case and its text")]
pub struct Names<'a> {
    case: &'a Case,
    links: &'a [LinkFact],
    os: Os,
    stable: bool,
    /// Whether what is as documented is told all the same.
    whole: bool,
    /// The ports that the case itself names.
    named: Vec<u16>,
    ping: bool,
    runs: bool,
    /// The steps of other threads whose calls have waited while others were made.
    waited: Vec<u32>,
    ephemeral: RefCell<Vec<(Transport, u32)>>,
    dns_ids: RefCell<Vec<u16>>,
    drawn: RefCell<Vec<String>>,
    sources: Sources<'a>,
    own: Option<&'a Credentials>,
}

impl<'a> Names<'a> {
    /// The names that are the same in every run: of outcomes.
    pub fn stable(case: &'a Case, trace: &'a Trace, os: Os) -> Self {
        Self::new(case, Some(trace), os, true)
    }

    /// The same, and what an outcome leaves out where it is as documented: of what a case asks.
    pub(super) fn whole(case: &'a Case, trace: &'a Trace, os: Os) -> Self {
        Self { whole: true, ..Self::stable(case, trace, os) }
    }

    /// The real numbers of this run, links by name nevertheless: of transcripts.
    pub fn real(case: &'a Case, trace: &'a Trace, os: Os) -> Self {
        Self::new(case, Some(trace), os, false)
    }

    /// The names of a case that has not run.
    pub fn planned(case: &'a Case, os: Os) -> Self {
        Self::new(case, None, os, true)
    }

    fn new(case: &'a Case, trace: Option<&'a Trace>, os: Os, stable: bool) -> Self {
        Self {
            case,
            links: trace.map_or(&[], |trace| &trace.links[..]),
            os,
            stable,
            whole: !stable,
            named: named_ports(case),
            ping: has_ping(case),
            runs: case.runs_a_program(),
            waited: trace.into_iter().flat_map(Trace::waited).collect(),
            ephemeral: RefCell::default(),
            dns_ids: RefCell::default(),
            drawn: RefCell::default(),
            sources: Sources::new(case, trace),
            own: trace.and_then(|trace| trace.own.as_ref()),
        }
    }

    /// Whether nothing is left out.
    pub(super) fn tells_all(&self) -> bool {
        self.whole
    }

    /// The case that they are the names of.
    pub fn case(&self) -> &'a Case {
        self.case
    }

    /// The system whose options stand for the case's intents.
    pub fn os(&self) -> Os {
        self.os
    }

    pub(super) fn is_stable(&self) -> bool {
        self.stable
    }

    pub(super) fn has_waited(&self, step: u32) -> bool {
        self.waited.contains(&step)
    }

    /// Whose process, user and group the executor's are.
    pub(super) fn whose(&self) -> Whose<'a> {
        Whose { own: self.own, stable: self.stable }
    }

    pub(super) fn sources(&self) -> &Sources<'a> {
        &self.sources
    }

    /// The link of that name, as the kernel had it.
    pub(super) fn link(&self, name: &str) -> Option<&'a LinkFact> {
        self.links.iter().find(|link| link.name == name)
    }

    /// An interface index: the link's name, or the number when no link has it.
    pub(super) fn index(&self, index: u32) -> String {
        let link = self.links.iter().find(|link| link.index == index && index != 0);
        link.map_or_else(|| index.to_string(), |link| link.name.clone())
    }

    /// A port; those of no protocol are numbers.
    pub(super) fn port(&self, transport: Option<Transport>, port: u16) -> String {
        let Some(transport) = transport.filter(|transport| {
            self.stable
                && port != 0
                && !self.named.contains(&port)
                && !(self.runs && port < EPHEMERAL)
                && (*transport != Transport::Ping || self.ping)
        }) else {
            return port.to_string();
        };
        self.numbered(transport, port.into())
    }

    /// A port that a kernel chose: numbered as they come.
    fn numbered(&self, transport: Transport, port: u32) -> String {
        let mut seen = self.ephemeral.borrow_mut();
        let number = seen.iter().position(|known| *known == (transport, port));
        let number = number.unwrap_or_else(|| {
            seen.push((transport, port));
            seen.len() - 1
        });
        format!("eph{}", number + 1)
    }

    /// A port of `AF_VSOCK`.
    fn vsock_port(&self, port: u32) -> String {
        if self.stable && port != vsock::ANY && !self.case.names_wide_port(port) {
            return self.numbered(Transport::Vsock, port);
        }
        vsock::port_text(port)
    }

    /// What `AF_NETLINK` has for a port: the executor's process, if no socket of it has that already.
    fn netlink_pid(&self, pid: u32) -> String {
        let is_own = || self.own.is_some_and(|own| own.pid.cast_unsigned() == pid);
        match pid {
            pid if !self.stable || pid == 0 || self.case.names_wide_port(pid) => pid.to_string(),
            _ if is_own() => "own".to_owned(),
            pid => self.numbered(Transport::Netlink, pid),
        }
    }

    /// The ID of a DNS message: numbered as they come, since a resolver draws them at random.
    pub(super) fn dns_id(&self, id: u16) -> String {
        if !self.stable {
            return format!("id {id}");
        }
        let mut seen = self.dns_ids.borrow_mut();
        let number = seen.iter().position(|known| *known == id).unwrap_or_else(|| {
            seen.push(id);
            seen.len() - 1
        });
        format!("id{}", number + 1)
    }

    /// A host as `getnameinfo` writes it: the number of a zone by its link.
    pub(super) fn host_text(&self, host: &str) -> String {
        let zone = host.rsplit_once('%').and_then(|(ip, zone)| Some((ip, zone.parse().ok()?)));
        match zone {
            Some((ip, index)) if self.stable && self.index(index) != index.to_string() => {
                format!("{ip}%if_nametoindex({})", self.index(index))
            }
            _ => host.to_owned(),
        }
    }

    /// An address that a socket of the case was given by the kernel.
    pub(super) fn sockaddr_of(&self, fd: &str, addr: &SockAddr) -> String {
        self.sockaddr(transport(self.case, fd), None, addr)
    }

    /// `{AF_INET6 [fe80::1%tap0]:12345}`. `family` stands for the address's own, when the case says
    /// so.
    pub(super) fn sockaddr(
        &self,
        transport: Option<Transport>,
        family: Option<&str>,
        addr: &SockAddr,
    ) -> String {
        match addr {
            SockAddr::V4 { ip, port } => {
                let port = self.port(transport, *port);
                format!("{{{} {ip}:{port}}}", family.unwrap_or("AF_INET"))
            }
            SockAddr::V6 { ip, port, scope } => {
                let zone =
                    if *scope == 0 { String::new() } else { format!("%{}", self.index(*scope)) };
                let (ip, port) = (self.kept(*ip), self.port(transport, *port));
                format!("{{{} [{ip}{zone}]:{port}}}", family.unwrap_or("AF_INET6"))
            }
            SockAddr::Unix(unix) => self.unix(unix),
            SockAddr::Packet(seen) => {
                let link = (seen.index != 0).then(|| self.index(seen.index));
                seen.text(link.as_deref())
            }
            SockAddr::Vsock { cid, port } => vsock::text(*cid, &self.vsock_port(*port)),
            SockAddr::Netlink { pid, groups } => netlink::text(&self.netlink_pid(*pid), *groups),
            SockAddr::Bare { family } => format!("{{{family}}}"),
        }
    }

    /// `{AF_UNIX "s.sock"}`. Names that the kernel has drawn are numbered as they come.
    fn unix(&self, unix: &Unix) -> String {
        let UnixName::Abstract(name) = &unix.name else { return unix.to_string() };
        let own = || self.case.ops.iter().flat_map(Op::addrs).filter_map(Addr::as_unix);
        if !self.stable || !unix.is_drawn() || own().any(|of| of.name == unix.name) {
            return unix.to_string();
        }
        let mut seen = self.drawn.borrow_mut();
        let number = seen.iter().position(|known| known == name).unwrap_or_else(|| {
            seen.push(name.clone());
            seen.len() - 1
        });
        format!("{{AF_UNIX @autobind{}}}", number + 1)
    }

    /// An address as text. Darwin shows some with the interface's index in it, as its kernel keeps
    /// them (xnu-11417 `bsd/netinet6/in6_pcb.c` `in6_getpeeraddr` leaves it in `ff01::1`).
    fn kept(&self, ip: Ipv6Addr) -> String {
        let (plain, index) = without_embedded_scope(ip);
        let link = self.links.iter().find(|link| index != 0 && link.index == index);
        match link.filter(|_| self.stable) {
            None => ip.to_string(),
            Some(link) => format!("{plain} with {} in it", link.name),
        }
    }

    /// The address that the case gives a call on `fd`: as it was resolved, or else as far as the
    /// case alone tells.
    pub(super) fn addr(&self, fd: &str, addr: &Addr, resolved: Option<&SockAddr>) -> String {
        let family = addr.family.as_ref().map(Sym::as_str);
        if let Some(resolved) = resolved {
            return self.sockaddr(transport(self.case, fd), family, resolved);
        }
        if let Some(unix) = addr.as_unix() {
            return unix.to_string();
        }
        if let Some(packet) = addr.as_packet() {
            let link = zone(&addr.scope);
            return packet.text(link.strip_prefix('%'));
        }
        let port = match &addr.port {
            Port::Is(port) => port.to_string(),
            Port::Of(fd) => format!("port({fd})"),
        };
        match &addr.host {
            Host::Vsock(vsock) => return vsock.text(&port),
            Host::Netlink(netlink) => return netlink.text(&port),
            _ => {}
        }
        match self.case.lab.ip(&addr.host) {
            Some(IpAddr::V4(ip)) => format!("{{{} {ip}:{port}}}", family.unwrap_or("AF_INET")),
            Some(IpAddr::V6(ip)) => {
                let zone = zone(&addr.scope);
                format!("{{{} [{ip}{zone}]:{port}}}", family.unwrap_or("AF_INET6"))
            }
            None => format!("{{{} {}:{port}}}", family.unwrap_or("?"), self.host(&addr.host)),
        }
    }

    /// The address of somebody in the lab.
    pub(super) fn host(&self, host: &Host) -> String {
        match (self.case.lab.ip(host), host) {
            (Some(ip), _) => ip.to_string(),
            (None, Host::Ip(ip)) => ip.to_string(),
            (None, Host::Unix(unix)) => unix.to_string(),
            (None, Host::Packet(packet)) => packet.text(None),
            (None, Host::Vsock(vsock)) => vsock.to_string(),
            (None, Host::Netlink(netlink)) => netlink.to_string(),
            (None, Host::On { link, role, .. }) => format!("{role:?}({link})").to_lowercase(),
        }
    }
}

fn zone(scope: &Scope) -> String {
    match scope {
        Scope::Zero | Scope::Id(0) => String::new(),
        Scope::Link(link) => format!("%{link}"),
        Scope::Id(id) => format!("%{id}"),
    }
}

/// Every port that the case itself has as a number: in an address, as a service, in a frame that it
/// injects, in what a server of its lab does.
fn named_ports(case: &Case) -> Vec<u16> {
    let mut named = Vec::new();
    for op in &case.ops {
        if let Op::Getaddrinfo { service: Some(service), .. } = op {
            named.extend(service.parse::<u16>());
        }
        named.extend(op.addrs().filter_map(|addr| match addr.port {
            Port::Is(port) => Some(port),
            Port::Of(_) => None,
        }));
    }
    for step in &case.lab.setup {
        let LabOp::Serve { service, .. } = step else { continue };
        named.push(service.port);
        for step in service.script.iter().flat_map(ServerStep::all) {
            if let ServerStep::Dial { from, to, .. } = step {
                named.extend([*from, *to]);
            }
        }
    }
    if case.resolves() {
        named.push(DNS_PORT);
    }
    named.extend(case.said().flat_map(|(_, frame)| frame.ports()).filter_map(|port| match port {
        Port::Is(port) => Some(*port),
        Port::Of(_) => None,
    }));
    for (link, frame) in injected(case) {
        let kind = case.lab.links.iter().find(|known| known.name == link).map(|link| link.kind);
        named.extend(ports(&wire::decode(framing(kind), frame)));
    }
    named
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::tests::{case, hello, socket, trace};
    use super::*;

    #[test]
    fn ephemeral_ports_are_numbered_as_they_come() {
        let case = case([hello("s", Addr::ip([192, 0, 2, 2], 12345))]);
        let trace = trace([]);
        let names = Names::stable(&case, &trace, Os::Linux);
        let udp = Some(Transport::Udp);
        assert_eq!(names.port(udp, 40001), "eph1");
        assert_eq!(names.port(udp, 40000), "eph2");
        assert_eq!(names.port(udp, 40001), "eph1");
        assert_eq!(names.port(Some(Transport::Tcp), 40001), "eph3");
        assert_eq!(names.port(udp, 12345), "12345");
        assert_eq!(names.port(udp, 0), "0");
        assert_eq!(names.port(None, 40001), "40001");
        assert_eq!(names.port(Some(Transport::Ping), 7), "7");
    }

    /// Those that a case has itself are no drawn ones, however they look.
    #[test]
    fn drawn_names_are_numbered_as_they_come() {
        let own = Addr::unix(Unix::new(UnixName::Abstract("00000".into())));
        let case = case([hello("s", own)]);
        let trace = trace([]);
        let names = Names::stable(&case, &trace, Os::Linux);
        let said = |name: &str| {
            let unix = Unix::new(UnixName::Abstract(name.into()));
            names.sockaddr(None, None, &SockAddr::Unix(unix))
        };
        assert_eq!(said("beef0"), "{AF_UNIX @autobind1}");
        assert_eq!(said("beef1"), "{AF_UNIX @autobind2}");
        assert_eq!(said("beef0"), "{AF_UNIX @autobind1}");
        assert_eq!(said("00000"), "{AF_UNIX @\"00000\"}");
    }

    #[test]
    fn only_the_kernels_own_echo_identifiers_are_ephemeral() {
        let case = case([socket("s", "AF_INET", "SOCK_DGRAM", "IPPROTO_ICMP")]);
        let names = Names::planned(&case, Os::Linux);
        assert_eq!(names.port(Some(Transport::Ping), 7), "eph1");
    }

    #[rstest]
    #[case::link("{AF_INET6 [fe80::2%2]:1}", "{AF_INET6 [fe80::2%tap0]:eph1}")]
    #[case::gone("{AF_INET6 [fe80::2%9]:1}", "{AF_INET6 [fe80::2%9]:eph1}")]
    #[case::kept("{AF_INET6 [ff01:2::1]:1}", "{AF_INET6 [ff01::1 with tap0 in it]:eph1}")]
    #[case::nobodys("{AF_INET6 [ff01:9::1]:1}", "{AF_INET6 [ff01:9::1]:eph1}")]
    #[case::global("{AF_INET6 [2001:2::1]:1}", "{AF_INET6 [2001:2::1]:eph1}")]
    #[case::no_zone("{AF_INET6 [::]:0}", "{AF_INET6 [::]:0}")]
    #[case::v4("{AF_INET 192.0.2.1:5}", "{AF_INET 192.0.2.1:eph1}")]
    #[case::bare("{AF_UNIX}", "{AF_UNIX}")]
    #[case::path("{AF_UNIX \"s.sock\"}", "{AF_UNIX \"s.sock\"}")]
    #[case::named("{AF_UNIX @\"name\"}", "{AF_UNIX @\"name\"}")]
    fn zones_are_links(#[case] addr: &str, #[case] expected: &str) {
        let case = case([]);
        let trace = trace([]);
        let names = Names::stable(&case, &trace, Os::Linux);
        let addr = addr.parse().unwrap();
        assert_eq!(names.sockaddr(Some(Transport::Udp), None, &addr), expected);
        // A fresh namespace may number its links otherwise.
        let literal = Names::planned(&case, Os::Linux).sockaddr(None, None, &addr);
        assert_eq!(literal, addr.to_string());
    }

    /// Of an outcome those that a kernel chose are numbered; none is none everywhere.
    #[rstest]
    #[case("{AF_VSOCK VMADDR_CID_ANY:70000}", "{AF_VSOCK VMADDR_CID_ANY:eph1}")]
    #[case(
        "{AF_VSOCK VMADDR_CID_ANY:VMADDR_PORT_ANY}",
        "{AF_VSOCK VMADDR_CID_ANY:VMADDR_PORT_ANY}"
    )]
    #[case("{AF_NETLINK pid 0 groups 3}", "{AF_NETLINK pid 0 groups 3}")]
    #[case("{AF_NETLINK pid 4294963199 groups 0}", "{AF_NETLINK pid eph1 groups 0}")]
    fn wide_ports_are_numbered(#[case] addr: &str, #[case] expected: &str) {
        let case = case([]);
        let (names, addr) = (Names::planned(&case, Os::Linux), addr.parse().unwrap());
        assert_eq!(names.sockaddr(None, None, &addr), expected);
    }

    #[rstest]
    #[case(Scope::Link("tap0".into()), Port::Is(9), "{AF_INET6 [fe80::1%tap0]:9}")]
    #[case(Scope::Id(77), Port::Is(9), "{AF_INET6 [fe80::1%77]:9}")]
    #[case(Scope::Zero, Port::Of("r".into()), "{AF_INET6 [fe80::1]:port(r)}")]
    fn an_unresolved_address_is_as_the_case_has_it(
        #[case] scope: Scope,
        #[case] port: Port,
        #[case] expected: &str,
    ) {
        let addr = Addr { port, scope, ..Addr::ip([0xfe80, 0, 0, 0, 0, 0, 0, 1], 0) };
        let case = case([]);
        assert_eq!(Names::planned(&case, Os::Linux).addr("s", &addr, None), expected);
    }

    #[test]
    fn another_family_is_said() {
        let addr = Addr { family: Some("AF_UNSPEC".into()), ..Addr::ip([127, 0, 0, 1], 9) };
        let case = case([]);
        let names = Names::planned(&case, Os::Linux);
        assert_eq!(names.addr("s", &addr, None), "{AF_UNSPEC 127.0.0.1:9}");
        let resolved = "{AF_INET 127.0.0.1:9}".parse().unwrap();
        assert_eq!(names.addr("s", &addr, Some(&resolved)), "{AF_UNSPEC 127.0.0.1:9}");
    }

    #[test]
    fn services_and_injected_frames_name_ports() {
        let lookup = Op::Getaddrinfo {
            node: None,
            service: Some("4000".into()),
            family: "AF_INET".into(),
            r#type: crate::case::Flags::NONE,
            flags: crate::case::Flags::NONE,
        };
        let frame = wire::build::udp(
            wire::build::Link::Ip,
            "192.0.2.2:4001".parse().unwrap(),
            "192.0.2.1:4002".parse().unwrap(),
            64,
            b"x",
        );
        let step = LabOp::Inject { link: "tun0".into(), frame: crate::case::Hex(frame.unwrap()) };
        let dial = ServerStep::Dial { from: 4004, to: 4005, script: Vec::new() };
        let service = crate::case::Service::new(4003, [dial]);
        let mut case = case([lookup, Op::Lab { step }]);
        case.lab.setup.push(LabOp::Serve { link: "tun0".into(), service });
        assert_eq!(named_ports(&case), [4000, 4003, 4004, 4005, DNS_PORT, 4001, 4002]);
    }
}
