//! A case that is being run: its lab, its sockets, what was seen of it.

use std::io::{Seek as _, Write as _};
use std::net::IpAddr;
use std::os::fd::{BorrowedFd, IntoRawFd as _, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libc::c_int;

use super::far::FarEnds;
use super::folder::Folder;
use super::gave::{CLOSED, Fault, Gave, Returned, given};
use super::network::Network;
use super::options::{Resolve, value};
use super::os::Files;
use super::pace::Pace;
use super::plant::Plant;
use super::process::Process;
use super::sockaddr::RawAddr;
use super::waiting::Threads;
use super::{calls, lookup, os};
use crate::case::addr::{Addr, Host, Port, Scope, SockAddr, UnixName};
use crate::case::blocking::Blocking;
use crate::case::{Case, Hex, Op, Os, Payload};
use crate::trace::{Did, Event, LinkFact, Out, Ran};

pub(super) struct Runner<'c> {
    pub(super) case: &'c Case,
    pub(super) lab: &'c mut dyn Network,
    /// Where its files lie, if it has any.
    pub(super) folder: Option<&'c Folder>,
    pub(super) sockets: Vec<(&'c str, RawFd)>,
    /// The addresses of sockets that are closed, of those whose port is given later.
    pub(super) closed: Vec<(&'c str, Option<SockAddr>)>,
    pub(super) streams: bool,
    /// Whether what the case sends may come to the host itself.
    pub(super) heard: bool,
    pub(super) events: Vec<Event>,
    pub(super) start: Instant,
    pub(super) pace: Pace,
    pub(super) room: Vec<u8>,
    pub(super) blocking: Blocking<'c>,
    pub(super) plant: Option<&'c Plant>,
    /// The calls of other threads that have not returned.
    pub(super) threads: Threads<'c>,
    /// Descriptors that calls have given the case and no step can name.
    pub(super) received: Vec<RawFd>,
    /// What the kernel may read until the sockets are closed.
    pub(super) kept: Vec<Arc<Vec<u8>>>,
    /// What far ends know that send by words.
    pub(super) far: FarEnds,
    /// Whether a call has sent less than its value says that it has.
    pub(super) short: bool,
    /// What a call wrote though it failed.
    pub(super) beside: Out,
    /// Links that a program of the user's has made.
    pub(super) links: Vec<LinkFact>,
    /// What is to be said of it.
    pub(super) ran: Option<Ran>,
    /// What the case has set of its process.
    pub(super) process: Process,
}

impl Resolve for Runner<'_> {
    fn index(&self, link: &str) -> Result<u32, Fault> {
        let fact = self.lab.facts().iter().find(|fact| fact.name == link);
        fact.map(|f| f.index).ok_or_else(|| Fault::Broken(format!("the lab has no link {link:?}")))
    }

    fn interface(&self, link: &str) -> String {
        self.lab.interface(link)
    }

    fn descriptor(&self, socket: &str) -> c_int {
        self.fd(socket)
    }

    fn ip(&self, host: &Host) -> Result<IpAddr, Fault> {
        let ip = self.case.lab.ip(host);
        let ip = ip.ok_or_else(|| Fault::Broken(format!("the lab has no {host:?}")))?;
        Ok(self.lab.stand_in().map_or(ip, |stand_in| stand_in.real(ip)))
    }
}

/// As a trace has it.
pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl<'c> Runner<'c> {
    pub(super) fn now(&self) -> u64 {
        nanoseconds(self.start.elapsed())
    }

    /// What came of a call that has returned.
    pub(super) fn did(&mut self, op: &Op, gave: Gave) -> Did {
        match gave {
            Err(errno) => {
                let ret = lookup::returned(op, &errno);
                let out = std::mem::take(&mut self.beside);
                Did::Returned { ret, errno: Some(errno), out }
            }
            Ok((ret, out)) => Did::Returned { ret, errno: None, out },
        }
    }

    pub(super) fn drain(&mut self, number: u32) {
        let (start, events, far) = (self.start, &mut self.events, &mut self.far);
        let plant = self.plant.map(|plant| (plant, self.lab.facts().to_vec()));
        self.lab.drain(&mut |link, dir, bytes| {
            let at_ns = nanoseconds(start.elapsed());
            far.saw(link, dir, bytes);
            let (link, bytes) = match &plant {
                Some((plant, facts)) => plant.seen(facts, link, dir, bytes),
                None => (link.to_owned(), bytes.to_vec()),
            };
            let bytes = Hex(bytes);
            events.push(Event::Frame { op: number, at_ns, link, dir, bytes });
        });
        self.pace.here();
    }

    /// Lets the far ends answer, and waits for what may be next.
    pub(super) fn watch(&mut self, number: u32, done: BorrowedFd<'_>) {
        self.drain(number);
        self.lab.watch(done);
    }

    /// What the calls that resolve names are to see.
    pub(super) fn files(&self) -> Result<Arc<Files>, Fault> {
        self.lab.files().ok_or_else(|| Fault::Broken("the lab has no files".to_owned()))
    }

    pub(super) fn fd(&self, name: &str) -> RawFd {
        self.sockets.iter().rev().find(|(n, _)| *n == name).map_or(-1, |(_, fd)| *fd)
    }

    /// From here on `name` is the socket made, or -1 if none was: what C's `s = socket(…)` does.
    pub(super) fn keep(&mut self, name: &'c str, made: Returned) -> Gave {
        let fd = given(made);
        let number = fd.as_ref().ok().and_then(|fd| RawFd::try_from(*fd).ok());
        self.sockets.push((name, number.unwrap_or(-1)));
        self.closed.retain(|(of, _)| *of != name);
        fd.map(|_| (0, Out::Nothing))
    }

    /// Two descriptors that a call has made, or -1 if it made none: whatever had these names before.
    pub(super) fn pair(&mut self, [a, b]: [&'c str; 2], made: Result<[RawFd; 2], c_int>) -> Gave {
        let [x, y] = made.unwrap_or([-1; 2]);
        self.sockets.extend([(a, x), (b, y)]);
        self.closed.retain(|(of, _)| ![a, b].contains(of));
        made.map(|_| (0, Out::Nothing)).map_err(os::errno)
    }

    /// What is sent with these flags. It stays where it is as long as the kernel may read it: of memory that is
    /// something else's by then it would send that.
    pub(super) fn bytes_of(&mut self, data: &Payload, flags: c_int) -> Arc<Vec<u8>> {
        let bytes = Arc::new(data.bytes());
        if os::reads_later(flags) {
            self.kept.push(Arc::clone(&bytes));
        }
        bytes
    }

    /// A file with these bytes that has no name.
    pub(super) fn file(&mut self, name: &'c str, data: &Payload) -> Result<Gave, Fault> {
        let broken = |e: std::io::Error| Fault::Broken(format!("no file can be made: {e}"));
        let mut file = tempfile::tempfile().map_err(broken)?;
        file.write_all(&data.bytes()).and_then(|()| file.rewind()).map_err(broken)?;
        Ok(self.keep(name, Ok(file.into_raw_fd().into())))
    }

    /// Marks a descriptor as closed, by whatever names it goes: such a one, or one that was never made, stays what it
    /// is. Of what is given later by its port that is kept: no descriptor tells it then.
    pub(super) fn closes(&mut self, fd: RawFd) {
        let gives = |name: &str| self.case.ops.iter().any(|op| op.gives_port_of(name));
        if !(0..CLOSED).contains(&fd) {
            return;
        }
        let names = self.sockets.iter().filter(|(_, of)| *of == fd);
        let kept: Vec<_> = names.filter(|(name, _)| gives(name)).map(|(name, _)| *name).collect();
        self.closed.extend(kept.into_iter().map(|name| (name, name_of(fd))));
        for (_, number) in self.sockets.iter_mut().filter(|(_, of)| *of == fd) {
            *number = CLOSED;
        }
    }

    /// The number of a port: 0 of a socket that has none, that of a closed one as it was.
    pub(super) fn port(&self, port: &Port) -> u16 {
        match port {
            Port::Is(port) => *port,
            Port::Of(socket) => self.name_of(socket).and_then(|name| name.port()).unwrap_or(0),
        }
    }

    /// What a socket of `AF_VSOCK` or `AF_NETLINK` has for a port: 0 of one that has none.
    fn wide_port(&self, port: &Port) -> u32 {
        let Port::Of(socket) = port else { return 0 };
        match self.name_of(socket) {
            Some(SockAddr::Vsock { port, .. }) => port,
            Some(SockAddr::Netlink { pid, .. }) => pid,
            _ => 0,
        }
    }

    /// The address of a socket, of a closed one as it was.
    fn name_of(&self, socket: &str) -> Option<SockAddr> {
        let closed = self.closed.iter().rev().find(|(of, _)| *of == socket);
        closed.map_or_else(|| name_of(self.fd(socket)), |(_, name)| name.clone())
    }

    /// The address as the kernel is given it; `seen` is set to what it means.
    pub(super) fn addr(&self, addr: &Addr, seen: &mut Option<SockAddr>) -> Result<RawAddr, Fault> {
        if let Some(unix) = addr.as_unix() {
            if matches!(unix.name, UnixName::Abstract(_)) && Os::host() != Some(Os::Linux) {
                return Err(Fault::Unsupported("abstract names".to_owned()));
            }
            *seen = Some(SockAddr::unix(unix.clone()));
            return Ok(RawAddr::unix(unix));
        }
        if let Some(packet) = addr.as_packet() {
            let family = value("AF_PACKET")?;
            let index = match &addr.scope {
                Scope::Zero => 0,
                Scope::Link(link) => self.index(link)?,
                Scope::Id(id) => *id,
            };
            return Ok(RawAddr::packet(packet, family, index));
        }
        let of_socket = || self.wide_port(&addr.port);
        let wide = match &addr.host {
            Host::Vsock(vsock) => Some(RawAddr::vsock(vsock, value("AF_VSOCK")?, of_socket())),
            Host::Netlink(netlink) => {
                Some(RawAddr::netlink(netlink, value("AF_NETLINK")?, of_socket()))
            }
            _ => None,
        };
        if let Some(raw) = wide {
            // Of a length that is not its own it is as the case has it.
            let is_whole = addr.as_vsock().is_none_or(|of| of.len.is_none())
                && addr.as_netlink().is_none_or(|of| of.len.is_none());
            *seen = raw.read().filter(|_| is_whole);
            return Ok(raw);
        }
        let port = self.port(&addr.port);
        let scope = match &addr.scope {
            Scope::Zero => 0,
            Scope::Link(link) => self.index(link)?,
            Scope::Id(id) => *id,
        };
        let family = addr.family.as_ref().map(|f| value(f.as_str())).transpose()?;
        let raw = RawAddr::new(self.ip(&addr.host)?, port, scope, family);
        *seen = raw.read();
        Ok(raw)
    }
}

/// What a descriptor is bound to, if it is a socket.
fn name_of(fd: RawFd) -> Option<SockAddr> {
    let mut name = RawAddr::room();
    let _ = calls::getsockname(fd, &mut name);
    name.read()
}
