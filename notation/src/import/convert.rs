//! The calls of one process as the steps of a case.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

use harness::case::addr::{Addr, Host, Port, Scope, SockAddr};
use harness::case::{Case, Flags, Lab, Op};
use harness::trace::{Did, Out, Trace};

use super::draft::{Draft, did};
use super::far::Servers;
use super::hosts::{Hosts, Told, decorated, link, told};
use super::log::{Arg, Called};
use super::sockets::{Learned, Socket, Sockets};
use crate::file::Remark;

/// Where nobody listens (RFC 863): for a port that a socket had which is closed.
const DISCARD: u16 = 9;

/// What is known of the whole log before its first call is taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    sockets: Vec<Learned>,
    pub(super) hosts: Hosts,
}

/// Takes one call after the other.
#[derive(Debug)]
pub(super) struct Converter<'l> {
    facts: Facts,
    pub(super) learned: Vec<Learned>,
    pub(super) sockets: Sockets,
    pub(super) hosts: Hosts,
    pub(super) servers: Servers,
    pub(super) draft: Draft,
    /// Calls for which what they receive is there already.
    pub(super) delivered: HashSet<usize>,
    /// Ports of sockets that are closed, for which another stands.
    discarded: HashSet<u16>,
    /// The sockets that wait for another host to take their connection, which a lab's does at once.
    pub(super) connecting: HashSet<usize>,
    /// Whether the log tells which ports sockets have (`strace -yy`).
    pub(super) is_told: bool,
    pub(super) calls: &'l [&'l Called],
    /// The place of the call that is taken.
    pub(super) at: usize,
}

/// What an address is in the case, and how the kernel of the lab would tell it.
pub(super) type Given = (Addr, Option<SockAddr>);

impl<'l> Converter<'l> {
    pub(super) fn new(facts: Facts) -> Self {
        Self {
            hosts: facts.hosts.clone(),
            facts,
            learned: Vec::new(),
            sockets: Sockets::default(),
            servers: Servers::default(),
            draft: Draft::default(),
            delivered: HashSet::new(),
            discarded: HashSet::new(),
            connecting: HashSet::new(),
            is_told: false,
            calls: &[],
            at: 0,
        }
    }

    /// What is known now.
    pub(super) fn learned(mut self) -> Facts {
        for socket in 0..self.sockets.all.len() {
            let far = &self.sockets.all[socket].far;
            let script = far.port.and_then(|port| self.servers.script(port));
            if !far.is_first && script.is_some_and(|script| !far.is_like(script)) {
                self.of(socket).differs = true;
            }
        }
        let own = self.hosts.learned();
        Facts { sockets: self.learned, hosts: own }
    }

    pub(super) fn run(&mut self, calls: &'l [&'l Called]) {
        self.calls = calls;
        for (at, call) in calls.iter().enumerate() {
            self.at = at;
            if self.draft.is_full() {
                let more = calls.len() - at;
                self.draft.left += more;
                self.draft
                    .remark(format!("{more} more calls follow, which one case has no room for"));
                return;
            }
            if let Some((child, _)) = call.begets() {
                let name = &call.name;
                self.draft.remark(format!(
                    "{name}() = {child}: from here on another process has these sockets, too, and what it does \
                     with them is not here"
                ));
                continue;
            }
            self.overlap(call);
            self.look(call);
            let before = self.draft.ops.len();
            let said = match call.ret {
                Some(_) => self.call(call),
                None => Err("it did not return".to_owned()),
            };
            self.has_port(call);
            if let Err(why) = said {
                let fd = self.about(call);
                let ret = match (&call.errno, call.ret) {
                    (Some(errno), Some(ret)) => format!(" = {ret} {}", super::words::shown(errno)),
                    (None, Some(ret)) if call.fd().is_some() => format!(" = {ret}"),
                    _ => String::new(),
                };
                self.draft.remark(format!("{}({fd}){ret}: {why}", call.name));
                self.draft.left += 1;
            } else if self.draft.ops.len() > before {
                self.draft.said += 1;
                self.left(call);
            }
        }
    }

    /// What a call is about, as far as a remark tells: its socket, and the name of what it asks.
    fn about(&self, call: &Called) -> String {
        let fd = call.fd().map(|fd| self.sockets.shown(fd));
        let named = match call.name.as_str() {
            "fcntl" | "fcntl64" | "ioctl" | "epoll_ctl" => &call.args[1..call.args.len().min(2)],
            "setsockopt" | "getsockopt" => &call.args[1..call.args.len().min(3)],
            "socket" | "socketpair" => &call.args[..call.args.len().min(3)],
            _ => &[],
        };
        let names = named.iter().filter(|arg| !arg.text().is_empty());
        let names = names.map(|arg| super::words::shown(arg.text()));
        fd.into_iter().chain(names).collect::<Vec<_>>().join(", ")
    }

    /// Says where the order of two threads' calls is not the log's.
    fn overlap(&mut self, call: &Called) {
        let Some(last) = self.at.checked_sub(1).and_then(|before| self.calls.get(before)) else {
            return;
        };
        let both = last.pid != call.pid && last.begun < call.ended && call.begun < last.ended;
        let untold = |call: &Called| {
            let names = ["epoll", "io_uring", "select", "fork", "clone"];
            names.iter().any(|name| call.name.contains(name))
        };
        if both
            && !untold(last)
            && !untold(call)
            && last.ended != u32::MAX
            && call.ended != u32::MAX
        {
            let (one, two) = (&last.name, &call.name);
            let says = format!(
                "{one} of thread {} and {two} of thread {} overlap: what may have waited for the other \
                 stands behind it",
                last.pid, call.pid
            );
            self.draft.remark(says);
        }
    }

    /// Learns what is said beside the call.
    fn look(&mut self, call: &Called) {
        let Some(Arg::Fd(fd, said)) = call.args.first() else { return };
        if let (Some(socket), Some((ip, port))) = (self.sockets.of(*fd), decorated(said)) {
            self.is_told = true;
            self.learn(socket, ip, port);
        }
    }

    /// Whoever binds, connects, listens or sends has a port from then on (ip(7)).
    fn has_port(&mut self, call: &Called) {
        let gets = matches!(call.name.as_str(), "bind" | "connect" | "listen")
            || call.name.starts_with("send");
        let worked = call.errno.is_none() || call.errno.as_deref() == Some("EINPROGRESS");
        if let Some(socket) = call.fd().and_then(|fd| self.sockets.of(fd))
            && gets
            && worked
            && call.ret.is_some()
        {
            self.sockets.all[socket].has_port = true;
        }
    }

    /// A socket has this address.
    pub(super) fn learn(&mut self, socket: usize, ip: IpAddr, port: u16) {
        self.hosts.learn_own(ip);
        if port != 0 {
            self.of(socket).port = Some(port);
            self.sockets.all[socket].has_port = true;
        }
    }

    /// What is learned of a socket.
    pub(super) fn of(&mut self, socket: usize) -> &mut Learned {
        if self.learned.len() <= socket {
            self.learned.resize(socket + 1, Learned::default());
        }
        &mut self.learned[socket]
    }

    /// What was learned of it when the log was gone through before.
    pub(super) fn known(&self, socket: usize) -> Learned {
        let before = self.facts.sockets.get(socket);
        before.or(self.learned.get(socket)).cloned().unwrap_or_default()
    }

    /// The socket that an argument is a descriptor of.
    pub(super) fn socket(&self, arg: Option<&Arg>) -> Result<usize, String> {
        let fd = arg.and_then(Arg::number).ok_or("it is given no descriptor")?;
        let socket = self.sockets.of(fd);
        let socket = socket.ok_or("its descriptor was made where the log does not tell")?;
        match self.sockets.all[socket].lost {
            Some(why) => Err(why.to_owned()),
            None => Ok(socket),
        }
    }

    pub(super) fn name(&self, socket: usize) -> String {
        self.sockets.all[socket].name.clone()
    }

    /// The socket of the case whose port this is, as the kernel chose it, and whether it is open.
    fn whose(&self, port: u16, like: &Socket) -> Option<(usize, bool)> {
        let mut closed = None;
        for (number, socket) in self.sockets.all.iter().enumerate() {
            let same =
                socket.is_stream() == like.is_stream() && self.known(number).port == Some(port);
            // What a socket gets later is nobody's now.
            if !same || port == 0 || !socket.has_port {
                continue;
            }
            match (socket.bound, socket.open > 0) {
                (true, true) => return None,
                (false, true) => return Some((number, true)),
                (true, false) => closed = None,
                (false, false) => closed = Some((number, false)),
            }
        }
        closed
    }

    /// A port as the kernel of the lab would tell it: of those that the kernel chose none is one that the case
    /// names.
    pub(super) fn out_port(&self, port: u16, socket: usize) -> u16 {
        let like = &self.sockets.all[socket];
        match self.whose(port, like) {
            Some((_, false)) if self.discarded.contains(&port) => DISCARD,
            Some((number, _)) => {
                // What was accepted has the port of its listener.
                let first = self.sockets.all[number].of.unwrap_or(number);
                61_000u16.saturating_add(u16::try_from(first).unwrap_or(u16::MAX))
            }
            None => port,
        }
    }

    /// The index of the link of an address with a scope.
    fn scope(&mut self, said: Option<&str>) -> (Scope, u32) {
        match said {
            None => (Scope::Zero, 0),
            Some("lo" | "1") => (Scope::Link("lo".to_owned()), 1),
            Some(_) => {
                self.hosts.link = true;
                (Scope::Link(link(0)), 2)
            }
        }
    }

    /// What a case cannot say of an address's length: it gives as many bytes as the structure has.
    fn length(&mut self, told: &Told, len: Option<&Arg>) -> Result<(), String> {
        // Of `sockaddr_in6` the last four bytes may be missing, and of no address there may be more than 128.
        let (whole, least) = match told {
            Told::Ip { ip: IpAddr::V4(_), .. } => (16, 16),
            Told::Ip { ip: IpAddr::V6(_), .. } => (28, 24),
            _ => return Ok(()),
        };
        let Some(len) = len.and_then(Arg::number).filter(|len| *len != whole) else {
            return Ok(());
        };
        let says =
            format!("it is given {len} bytes of an address of {whole}, and a case gives {whole}");
        if !(least..=128).contains(&len) {
            return Err(says);
        }
        self.draft.remark(format!("{}: {says}", self.calls[self.at].name));
        Ok(())
    }

    /// An address that a call on a socket is given, and how long it is said to be.
    pub(super) fn given(
        &mut self,
        (arg, len): (Option<&Arg>, Option<&Arg>),
        socket: usize,
    ) -> Result<Given, String> {
        let told = arg.and_then(told).ok_or("the log does not tell the address")?;
        self.length(&told, len)?;
        match told {
            Told::Ip { ip, port, scope } => {
                let (scope, index) = self.scope(scope.as_deref());
                let like = self.sockets.all[socket].clone();
                let is_ours = !self.hosts.is_peer(ip);
                let (host, mut out) = (self.hosts.host(ip), port);
                let chosen = self.whose(port, &like).filter(|_| is_ours);
                let port = match chosen {
                    Some((of, true)) => {
                        out = self.out_port(port, socket);
                        Port::Of(self.name(of))
                    }
                    Some((of, false)) => {
                        let name = self.name(of);
                        self.draft.remark(format!(
                            "port {DISCARD} stands for the one that {name} had, which is closed"
                        ));
                        self.discarded.insert(port);
                        out = DISCARD;
                        Port::Is(DISCARD)
                    }
                    None => {
                        if !is_ours {
                            out = self.far_port(socket, port);
                        }
                        Port::Is(out)
                    }
                };
                let seen = self.hosts.sockaddr(ip, out, index);
                Ok((Addr { host, port, scope, family: None }, Some(seen)))
            }
            Told::Unspecified => {
                let (host, port) = (Host::Ip(Ipv4Addr::UNSPECIFIED.into()), Port::Is(0));
                let family = Some("AF_UNSPEC".into());
                let seen = SockAddr::Bare { family: "AF_UNSPEC".to_owned() };
                Ok((Addr { host, port, scope: Scope::Zero, family }, Some(seen)))
            }
            Told::Unnamed => Err("an address of AF_UNIX cannot be said yet".to_owned()),
            Told::Other(family) => Err(format!("an address of {family} cannot be said yet")),
        }
    }

    /// An address that a call gave, as the kernel of the lab would; none where it gave none.
    pub(super) fn gave(&mut self, arg: Option<&Arg>, socket: usize) -> Option<SockAddr> {
        match told(arg?)? {
            Told::Ip { ip, port, scope } => {
                let (_, index) = self.scope(scope.as_deref());
                let port = if self.hosts.is_peer(ip) {
                    self.far_port(socket, port)
                } else {
                    self.out_port(port, socket)
                };
                Some(self.hosts.sockaddr(ip, port, index))
            }
            Told::Unspecified => Some(SockAddr::Bare { family: "AF_UNSPEC".to_owned() }),
            Told::Unnamed => Some(SockAddr::Bare { family: "AF_UNIX".to_owned() }),
            Told::Other(_) => None,
        }
    }

    /// A step, if a case may have it: what came of it is in the call.
    pub(super) fn step(&mut self, op: Op, addr: Option<SockAddr>, out: Out) -> Result<(), String> {
        let call = self.calls[self.at];
        self.step_as(op, addr, did(call, out))
    }

    /// A step that came to something else than the call.
    pub(super) fn step_as(
        &mut self,
        op: Op,
        addr: Option<SockAddr>,
        did: Did,
    ) -> Result<(), String> {
        let call = self.calls[self.at];
        if call.errno.as_deref().is_some_and(|errno| !super::is_errno(errno)) {
            return Err("it was interrupted".to_owned());
        }
        let lab = Lab { setup: Vec::new(), ..self.hosts.lab() };
        // Alone it uses what nobody has made.
        let mut used: Vec<&str> = op.uses();
        used.sort_unstable();
        used.dedup();
        let mut steps: Vec<Op> = used.into_iter().map(|name| self.made(name)).collect();
        steps.push(op.clone());
        Case::new("a/b", "", lab, steps).check()?;
        self.draft.step(op, addr, did);
        Ok(())
    }

    /// A step that makes a socket of that name, of its family.
    fn made(&self, name: &str) -> Op {
        let known = self.sockets.all.iter().find(|socket| socket.name == name);
        let family = known.and_then(|socket| super::words::sym(&socket.family).ok());
        let (domain, r#type) =
            (family.unwrap_or_else(|| "AF_INET".into()), Flags::of(&["SOCK_DGRAM"]));
        // What is spoken by netlink is not read yet: of a protocol of which a case has no messages.
        let is_netlink = domain.plain() == "AF_NETLINK";
        let protocol = if is_netlink { Flags::of(&["NETLINK_AUDIT"]) } else { Flags::NONE };
        Op::Socket { fd: name.to_owned(), domain, r#type, protocol }
    }

    /// The case.
    pub(super) fn done(self) -> (Case, Trace, Vec<Remark>) {
        let lab = self.hosts.lab();
        self.draft.done(lab.with(self.servers.steps()))
    }
}
