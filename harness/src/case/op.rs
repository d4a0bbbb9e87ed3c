//! The steps of a case: the real calls, under their real names, and what the lab does.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::addr::{Addr, Host};
pub use super::control::{Code, Control, Who};
use super::lab::LabOp;
use super::payload::Payload;
use super::process::{ProcessCall, Signal};
use super::raw::Arg;
use super::{Flags, Hex, Sym};

/// A socket of a case goes by name.
pub type Name = String;

/// What is wanted of a socket, whichever option says it on this system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Datagrams shall not be fragmented: 1, or may be: 0.
    DontFragment,
    /// Only this link shall be used.
    BindToInterface,
    /// After about so many seconds a connection that nobody answers is given up.
    ConnectTimeout,
    /// After so many milliseconds without an acknowledgement of data a connection is given up.
    UserTimeout,
    /// After so many seconds without a segment a connection is probed.
    KeepIdle,
}

impl Intent {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::DontFragment,
        Self::BindToInterface,
        Self::ConnectTimeout,
        Self::UserTimeout,
        Self::KeepIdle,
    ];

    /// What a transcript says where no option of the system says it.
    pub fn text(self) -> &'static str {
        match self {
            Self::DontFragment => "do not fragment",
            Self::BindToInterface => "bind to interface",
            Self::ConnectTimeout => "give up connecting",
            Self::UserTimeout => "give up unacknowledged",
            Self::KeepIdle => "probe when idle",
        }
    }
}

/// A socket option: by level and name, or by what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Opt {
    /// This one.
    Raw {
        /// Such as `IPPROTO_IPV6`.
        level: Sym,
        /// Such as `IPV6_V6ONLY`.
        name: Sym,
    },
    /// Whichever serves this, see [`super::intent::concrete`].
    Intent(Intent),
}

impl Opt {
    /// How many bytes of room `getsockopt` has where nobody says how many: as many as the option's structure, or an
    /// `int`.
    pub fn room(&self) -> u32 {
        let Self::Raw { name, .. } = self else { return 4 };
        match super::plain(name.as_str()) {
            "SO_LINGER" | "SO_LINGER_SEC" | "SO_COOKIE" | "SO_NETNS_COOKIE" => 8,
            "SO_PEERCRED" => 12,
            // A `struct timeval`; and IFNAMSIZ, TCP_CA_NAME_MAX and TCP_ULP_NAME_MAX.
            "SO_RCVTIMEO" | "SO_SNDTIMEO" | "SO_RCVTIMEO_NEW" | "SO_SNDTIMEO_NEW"
            | "SO_BINDTODEVICE" | "TCP_CONGESTION" | "TCP_ULP" => 16,
            "SO_MEMINFO" => 36,
            "TCP_CONNECTION_INFO" => 112,
            // Those of the newest kernels are shorter.
            "TCP_INFO" => 256,
            _ => 4,
        }
    }
}

/// What an option is set to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// An `int`.
    Int(i32),
    /// An `int` that has a name.
    Named(Sym),
    /// A link, as an index or as a name, whichever the option takes.
    Link(String),
    /// The own IPv4 address of a link (`struct in_addr`).
    Host(Host),
    /// `struct linger`.
    Linger {
        /// `l_onoff`.
        on: i32,
        /// `l_linger`, in seconds.
        seconds: i32,
    },
    /// `struct timeval`.
    Timeval {
        /// In milliseconds.
        ms: u32,
    },
    /// `struct ip_mreqn` or `struct ipv6_mreq`, by the group's family.
    Membership {
        /// The group.
        group: IpAddr,
        /// On which link; none is index 0.
        link: Option<String>,
    },
    /// A group and one source of it: `struct ip_mreq_source` for the options that begin with `IP_`,
    /// `struct group_source_req` for those that begin with `MCAST_` (RFC 3678 §4.1, §5.1).
    Source {
        /// The group.
        group: IpAddr,
        /// On which link, which `IP_` options name by its own address; none is the wildcard.
        link: Option<String>,
        /// The source.
        source: IpAddr,
    },
    /// A group and its sources: `struct ip_msfilter` for `IP_MSFILTER`, `struct group_filter` for
    /// `MCAST_MSFILTER` (RFC 3678 §4.2, §5.2).
    Filter {
        /// The group.
        group: IpAddr,
        /// As for [`Value::Source`].
        link: Option<String>,
        /// `MCAST_INCLUDE` or `MCAST_EXCLUDE`.
        mode: Sym,
        /// The sources, as many as the structure says there are.
        sources: Vec<IpAddr>,
    },
    /// These bytes.
    Bytes(Hex),
}

/// One entry of `poll`'s array.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct PollFd {
    /// Which socket.
    pub fd: Name,
    /// `events`.
    pub events: Flags,
}

/// An interface's index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Index {
    /// That of a link of the lab, or of `lo`.
    Of(String),
    /// This number.
    Is(u32),
}

/// What `ioctl` is given beside a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// A process, of `FIOSETOWN` and `SIOCSPGRP`.
    Pid(Who),
    /// `ifr_ifindex`, of no link.
    Index(u32),
    /// `ifr_mtu`.
    Mtu(i32),
    /// `ifr_flags`: `IFF_UP` alone, or none.
    Up(bool),
}

/// One entry of `kevent`'s list of changes, a `struct kevent` whose `ident` is a socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Which socket.
    pub fd: Name,
    /// Such as `EVFILT_READ`.
    pub filter: Sym,
    /// Such as `EV_ADD`.
    pub flags: Flags,
    /// Such as `NOTE_LOWAT`.
    #[serde(default)]
    pub fflags: Flags,
    /// What the filter's flags are about, such as the low-water mark.
    #[serde(default)]
    pub data: i32,
}

impl Change {
    /// Every constant that it names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let flags = self.flags.0.iter().chain(&self.fflags.0);
        std::iter::once(&self.filter).chain(flags).map(Sym::as_str)
    }
}

/// One step. A call's name is the C function's; its fields are the arguments in their order.
///
/// A socket that does not exist (its `socket` failed) is descriptor -1.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the arguments are those of the manual page")]
pub enum Op {
    /// `fd = socket(domain, type, protocol)`.
    Socket { fd: Name, domain: Sym, r#type: Flags, protocol: Flags },
    /// `socketpair(domain, type, protocol, {a, b})`.
    Socketpair { a: Name, b: Name, domain: Sym, r#type: Flags, protocol: Flags },
    /// `bind(fd, addr)`.
    Bind { fd: Name, addr: Addr },
    /// `connect(fd, addr)`.
    Connect { fd: Name, addr: Addr },
    /// `listen(fd, backlog)`.
    Listen { fd: Name, backlog: i32 },
    /// `new = accept(fd)`.
    Accept { fd: Name, new: Name },
    /// `send(fd, data, flags)`.
    Send { fd: Name, data: Payload, flags: Flags },
    /// `sendto(fd, data, flags, addr)`.
    Sendto { fd: Name, data: Payload, flags: Flags, addr: Addr },
    /// `sendmsg(fd, {addr, data, control}, flags)`.
    Sendmsg { fd: Name, data: Payload, flags: Flags, addr: Option<Addr>, control: Vec<Control> },
    /// `recv(fd, len, flags)`.
    Recv { fd: Name, len: u32, flags: Flags },
    /// `recvfrom(fd, len, flags)`.
    Recvfrom { fd: Name, len: u32, flags: Flags },
    /// `recvmsg(fd, {len, control_len}, flags)`, into one part, or into those of `lens`, as long as `len` together.
    Recvmsg {
        fd: Name,
        len: u32,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lens: Vec<u32>,
        control_len: u32,
        flags: Flags,
    },
    /// `write(fd, data)`.
    Write { fd: Name, data: Payload },
    /// `read(fd, len)`.
    Read { fd: Name, len: u32 },
    /// `shutdown(fd, how)`.
    Shutdown { fd: Name, how: Sym },
    /// `close(fd)`.
    Close { fd: Name },
    /// `getsockname(fd)`.
    Getsockname { fd: Name },
    /// `getpeername(fd)`.
    Getpeername { fd: Name },
    /// `setsockopt(fd, option, value)`.
    Setsockopt { fd: Name, option: Opt, value: Value },
    /// `getsockopt(fd, option)`, into a buffer of `len` bytes; an `int`'s worth is shown as one.
    Getsockopt { fd: Name, option: Opt, len: u32 },
    /// `poll(fds, timeout_ms)`.
    Poll { fds: Vec<PollFd>, timeout_ms: i32 },
    /// `ioctl(fd, request)`, on an `int`, or on a `struct ifreq` that names `link`, or on what else the request reads.
    Ioctl {
        fd: Name,
        request: Sym,
        link: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        given: Option<Given>,
    },
    /// `fcntl(fd, cmd, arg)`; `F_SETOWN` is given a process.
    Fcntl {
        fd: Name,
        cmd: Sym,
        arg: Flags,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pid: Option<Who>,
    },
    /// `getaddrinfo(node, service, {family, type, flags})`.
    Getaddrinfo {
        node: Option<String>,
        service: Option<String>,
        family: Sym,
        r#type: Flags,
        flags: Flags,
    },
    /// `getnameinfo(addr, host, host_len, service, service_len, flags)`; room for none is NULL.
    Getnameinfo { addr: Addr, host_len: u32, service_len: u32, flags: Flags },
    /// `inet_pton(family, text)`.
    #[serde(rename = "inet_pton")]
    InetPton { family: Sym, text: String },
    /// `inet_aton(text)`.
    #[serde(rename = "inet_aton")]
    InetAton { text: String },
    /// `connectx(fd, {link, source, addr}, SAE_ASSOCID_ANY, flags, data, &len, NULL)`: Darwin's.
    Connectx {
        fd: Name,
        link: Option<String>,
        source: Option<Addr>,
        addr: Addr,
        flags: Flags,
        data: Option<Payload>,
    },
    /// `disconnectx(fd, SAE_ASSOCID_ANY, SAE_CONNID_ANY)`: Darwin's.
    Disconnectx { fd: Name },
    /// `sendmsg_x(fd, [{addr, data}…], n, flags)`, each of them to the same address: Darwin's.
    #[serde(rename = "sendmsg_x")]
    SendmsgX { fd: Name, data: Vec<Payload>, flags: Flags, addr: Option<Addr> },
    /// `recvmsg_x(fd, [{len, control_len}…], count, flags)`: Darwin's.
    #[serde(rename = "recvmsg_x")]
    RecvmsgX { fd: Name, count: u32, len: u32, control_len: u32, flags: Flags },
    /// `kevent(kqueue(), changes, n, events, n, timeout_ms)`, and the queue is closed: Darwin's, and
    /// the other BSDs'.
    Kevent { changes: Vec<Change>, timeout_ms: i32 },
    /// `new = accept4(fd, flags)`: POSIX.1-2024's, and Linux's and the BSDs' before.
    Accept4 { fd: Name, new: Name, flags: Flags },
    /// `new = dup(fd)`.
    Dup { fd: Name, new: Name },
    /// `pipe([read, write])`.
    Pipe { read: Name, write: Name },
    /// `tmpfile()` with these bytes written to it, and at its start: a descriptor that is no socket.
    #[serde(rename = "tmpfile")]
    File { new: Name, data: Payload },
    /// `mkdir(path, mode)`, in the case's folder, as the paths of its Unix sockets are.
    Mkdir { path: String, mode: u32 },
    /// `unlink(path)`.
    Unlink { path: String },
    /// `symlink(target, path)`.
    Symlink { target: String, path: String },
    /// `chmod(path, mode)`.
    Chmod { path: String, mode: u32 },
    /// `writev(fd, [data…], n)`.
    Writev { fd: Name, data: Vec<Payload> },
    /// `readv(fd, [len…], n)`.
    Readv { fd: Name, lens: Vec<u32> },
    /// `sendmmsg(fd, [{addr, data, control}…], n, flags)`, each of them to the same address: Linux's.
    Sendmmsg {
        fd: Name,
        data: Vec<Payload>,
        flags: Flags,
        addr: Option<Addr>,
        /// Those of each message; none at all if none has any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        control: Vec<Vec<Control>>,
    },
    /// `recvmmsg(fd, [{len, control_len}…], count, flags, timeout)`: Linux's. Without a time it has NULL.
    Recvmmsg {
        fd: Name,
        count: u32,
        len: u32,
        control_len: u32,
        flags: Flags,
        timeout_ms: Option<u32>,
    },
    /// `sendfile(fd, file, offset, count)`, which is Linux's; without an offset it is NULL.
    Sendfile { fd: Name, file: Name, offset: Option<i64>, count: u32 },
    /// `splice(from, NULL, to, NULL, count, flags)`: Linux's.
    Splice { from: Name, to: Name, count: u32, flags: Flags },
    /// `sockatmark(fd)`.
    Sockatmark { fd: Name },
    /// `ppoll(fds, n, timeout, mask)`; without a time or a mask that is NULL.
    Ppoll {
        fds: Vec<PollFd>,
        timeout_ms: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mask: Option<Vec<Signal>>,
    },
    /// `select(nfds, read, write, except, timeout)`; an empty set is NULL, as is no time.
    Select { read: Vec<Name>, write: Vec<Name>, except: Vec<Name>, timeout_ms: Option<u32> },
    /// `pselect(nfds, read, write, except, timeout, mask)`.
    Pselect {
        read: Vec<Name>,
        write: Vec<Name>,
        except: Vec<Name>,
        timeout_ms: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mask: Option<Vec<Signal>>,
    },
    /// `new = epoll_create1(flags)`: Linux's.
    #[serde(rename = "epoll_create1")]
    EpollCreate1 { new: Name, flags: Flags },
    /// `epoll_ctl(fd, op, target, {events})`: Linux's.
    #[serde(rename = "epoll_ctl")]
    EpollCtl { fd: Name, op: Sym, target: Name, events: Flags },
    /// `epoll_wait(fd, events, max, timeout_ms)`: Linux's.
    #[serde(rename = "epoll_wait")]
    EpollWait { fd: Name, max: u32, timeout_ms: i32 },
    /// `epoll_pwait(fd, events, max, timeout_ms, mask)`: Linux's.
    #[serde(rename = "epoll_pwait")]
    EpollPwait {
        fd: Name,
        max: u32,
        timeout_ms: i32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mask: Option<Vec<Signal>>,
    },
    /// `if_nametoindex(name)`, of a link of the lab's, or of none that there is.
    #[serde(rename = "if_nametoindex")]
    IfNametoindex { name: String },
    /// `if_indextoname(if_nametoindex(link))`, or the number itself.
    #[serde(rename = "if_indextoname")]
    IfIndextoname { index: Index },
    /// `getifaddrs()`.
    Getifaddrs {},
    /// A call as it is, every argument written out: with a pointer that leads nowhere, a length that lies. What
    /// it writes is not shown, but for the length that a pointer to one leads to.
    Raw {
        /// One of [`super::raw::CALLS`].
        call: String,
        /// As many as the manual page has.
        args: Vec<Arg>,
    },
    /// A call that is about the process.
    Process { call: ProcessCall },
    /// Not a call: another program, run in the lab as it is with all that it starts, its input empty and
    /// its output on the executor's standard error, unless that was given another. Its exit status is
    /// the value.
    Run { argv: Vec<String>, limit_ms: u32 },
    /// Not a call: the lab changes the network.
    Lab { step: LabOp },
}

impl Op {
    /// The C function's name; `lab` for the lab's steps.
    pub fn call(&self) -> &'static str {
        match self {
            Self::Socket { .. } => "socket",
            Self::Socketpair { .. } => "socketpair",
            Self::Bind { .. } => "bind",
            Self::Connect { .. } => "connect",
            Self::Listen { .. } => "listen",
            Self::Accept { .. } => "accept",
            Self::Send { .. } => "send",
            Self::Sendto { .. } => "sendto",
            Self::Sendmsg { .. } => "sendmsg",
            Self::Recv { .. } => "recv",
            Self::Recvfrom { .. } => "recvfrom",
            Self::Recvmsg { .. } => "recvmsg",
            Self::Write { .. } => "write",
            Self::Read { .. } => "read",
            Self::Shutdown { .. } => "shutdown",
            Self::Close { .. } => "close",
            Self::Getsockname { .. } => "getsockname",
            Self::Getpeername { .. } => "getpeername",
            Self::Setsockopt { .. } => "setsockopt",
            Self::Getsockopt { .. } => "getsockopt",
            Self::Poll { .. } => "poll",
            Self::Ioctl { .. } => "ioctl",
            Self::Fcntl { .. } => "fcntl",
            Self::Getaddrinfo { .. } => "getaddrinfo",
            Self::Getnameinfo { .. } => "getnameinfo",
            Self::InetPton { .. } => "inet_pton",
            Self::InetAton { .. } => "inet_aton",
            Self::Connectx { .. } => "connectx",
            Self::Disconnectx { .. } => "disconnectx",
            Self::SendmsgX { .. } => "sendmsg_x",
            Self::RecvmsgX { .. } => "recvmsg_x",
            Self::Kevent { .. } => "kevent",
            Self::Accept4 { .. } => "accept4",
            Self::Dup { .. } => "dup",
            Self::Pipe { .. } => "pipe",
            Self::File { .. } => "tmpfile",
            Self::Mkdir { .. } => "mkdir",
            Self::Unlink { .. } => "unlink",
            Self::Symlink { .. } => "symlink",
            Self::Chmod { .. } => "chmod",
            Self::Writev { .. } => "writev",
            Self::Readv { .. } => "readv",
            Self::Sendmmsg { .. } => "sendmmsg",
            Self::Recvmmsg { .. } => "recvmmsg",
            Self::Sendfile { .. } => "sendfile",
            Self::Splice { .. } => "splice",
            Self::Sockatmark { .. } => "sockatmark",
            Self::Ppoll { .. } => "ppoll",
            Self::Select { .. } => "select",
            Self::Pselect { .. } => "pselect",
            Self::EpollCreate1 { .. } => "epoll_create1",
            Self::EpollCtl { .. } => "epoll_ctl",
            Self::EpollWait { .. } => "epoll_wait",
            Self::EpollPwait { .. } => "epoll_pwait",
            Self::IfNametoindex { .. } => "if_nametoindex",
            Self::IfIndextoname { .. } => "if_indextoname",
            Self::Getifaddrs {} => "getifaddrs",
            Self::Raw { call, .. } => super::raw::places(call).map_or("raw", |(name, _)| name),
            Self::Process { call } => call.name(),
            Self::Run { .. } => "run",
            Self::Lab { .. } => "lab",
        }
    }
}
