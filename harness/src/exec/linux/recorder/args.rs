//! Arguments of a stopped thread's call, as strace writes them.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{FromRawFd as _, OwnedFd};

use nix::unistd::Pid;
use socket2::SockRef;

use crate::case::KNOWN;
use crate::exec::linux::{errno, value};

/// The most bytes of one argument.
const MOST: usize = 1 << 16;
/// The most entries of a list.
const MOST_ENTRIES: u64 = 64;

/// `include/uapi/linux/close_range.h`
const CLOSE_RANGE_CLOEXEC: i32 = 4;

/// The calls that are written, by the numbers that they have here.
#[rustfmt::skip]
const CALLS: &[(i64, &str)] = &[
    (libc::SYS_accept, "accept"), (libc::SYS_accept4, "accept4"), (libc::SYS_bind, "bind"),
    (libc::SYS_close, "close"), (libc::SYS_close_range, "close_range"),
    (libc::SYS_connect, "connect"), (libc::SYS_dup, "dup"),
    (libc::SYS_dup3, "dup3"), (libc::SYS_epoll_ctl, "epoll_ctl"),
    (libc::SYS_epoll_pwait, "epoll_pwait"), (libc::SYS_fcntl, "fcntl"),
    (libc::SYS_getpeername, "getpeername"), (libc::SYS_getsockname, "getsockname"),
    (libc::SYS_getsockopt, "getsockopt"), (libc::SYS_ioctl, "ioctl"),
    (libc::SYS_listen, "listen"), (libc::SYS_ppoll, "ppoll"), (libc::SYS_read, "read"),
    (libc::SYS_readv, "readv"), (libc::SYS_recvfrom, "recvfrom"), (libc::SYS_recvmmsg, "recvmmsg"),
    (libc::SYS_recvmsg, "recvmsg"), (libc::SYS_sendmmsg, "sendmmsg"),
    (libc::SYS_sendmsg, "sendmsg"), (libc::SYS_sendto, "sendto"),
    (libc::SYS_setsockopt, "setsockopt"), (libc::SYS_shutdown, "shutdown"),
    (libc::SYS_socket, "socket"), (libc::SYS_socketpair, "socketpair"), (libc::SYS_write, "write"),
    (libc::SYS_writev, "writev"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_dup2, "dup2"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_epoll_wait, "epoll_wait"),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_poll, "poll"),
];

/// The name of a call that is written.
pub(super) fn name(number: i64) -> Option<&'static str> {
    CALLS.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// What a thread that is about to clone itself asks for.
pub(super) fn flags_of_clone(pid: Pid, number: i64, a: [u64; 6]) -> Option<u64> {
    match number {
        libc::SYS_clone => Some(a[0]),
        libc::SYS_clone3 => Some(Memory(pid).long(a[0])),
        _ => None,
    }
}

/// The value, or -1 and the errno's name; `?` where the call is made again.
pub(super) fn returned(ret: i64) -> String {
    match ret {
        // ERESTARTSYS and the others of `include/linux/errno.h`.
        -530..=-512 => "? ERESTARTSYS".to_owned(),
        -4095..=-1 => format!("-1 {}", errno(i32::try_from(-ret).unwrap_or(0))),
        ret => ret.to_string(),
    }
}

/// The arguments, and what stands behind the value.
pub(super) fn said(pid: Pid, name: &str, a: [u64; 6], ret: i64) -> (String, String) {
    let m = Memory(pid);
    let int = |n: u64| i64::from(n as i32);
    let fd = if name.starts_with("close") { int(a[0]).to_string() } else { m.fd(a[0]) };
    let worked = ret >= 0;
    let said = match name {
        "socket" => format!("{}, {}, {}", family(a[0]), kind(a[1]), protocol(a[0], a[2])),
        "socketpair" => {
            let pair = m.ints(a[3], 2);
            let pair = pair.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
            format!("{}, {}, {}, [{pair}]", family(a[0]), kind(a[1]), protocol(a[0], a[2]))
        }
        "bind" | "connect" => format!("{fd}, {}, {}", m.addr(a[1], a[2]), a[2]),
        "accept" | "accept4" | "getsockname" | "getpeername" => {
            let len = if worked { m.word(a[2]) } else { 0 };
            let flags = if name == "accept4" { format!(", {}", kind(a[3])) } else { String::new() };
            format!("{fd}, {}, [{len}]{flags}", m.addr(a[1], len))
        }
        "close_range" => {
            let flags =
                if a[2] as i32 & CLOSE_RANGE_CLOEXEC == 0 { "0" } else { "CLOSE_RANGE_CLOEXEC" };
            format!("{}, {}, {flags}", a[0] as u32, a[1] as u32)
        }
        "listen" | "dup" | "dup2" | "dup3" => format!("{fd}, {}", int(a[1])),
        "shutdown" => format!(
            "{fd}, {}",
            ["SHUT_RD", "SHUT_WR", "SHUT_RDWR"].get(a[1] as usize).unwrap_or(&"?")
        ),
        "setsockopt" | "getsockopt" => m.option(&fd, name, a, worked),
        "fcntl" => format!("{fd}, {}", command(a[1], a[2])),
        "ioctl" => match a[1] {
            0x5421 => format!("{fd}, FIONBIO, [{}]", m.word(a[2]) as i32),
            0x541b => format!("{fd}, FIONREAD, [{}]", m.word(a[2]) as i32),
            0x8905 => format!("{fd}, SIOCATMARK, [{}]", m.word(a[2]) as i32),
            other => format!("{fd}, {other:#x}"),
        },
        "poll" | "ppoll" => {
            let timeout = if name == "poll" { int(a[2]).to_string() } else { m.timespec(a[2]) };
            let (fds, ready) = m.poll(a[0], a[1]);
            return (format!("[{fds}], {}, {timeout}", a[1]), format!(" ([{ready}])"));
        }
        "epoll_ctl" => {
            let op = ["0", "EPOLL_CTL_ADD", "EPOLL_CTL_DEL", "EPOLL_CTL_MOD"];
            format!("{fd}, {}, {}", op.get(a[1] as usize).unwrap_or(&"?"), m.fd(a[2]))
        }
        _ => transfer(&m, &fd, name, a, ret),
    };
    (said, String::new())
}

/// Those of a call that sends or receives; of any other the descriptor alone.
fn transfer(m: &Memory, fd: &str, name: &str, a: [u64; 6], ret: i64) -> String {
    let (copied, worked) = (u64::try_from(ret).unwrap_or(0), ret >= 0);
    match name {
        "read" => format!("{fd}, {}, {}", m.text(a[1], copied), a[2]),
        "write" => format!("{fd}, {}, {}", m.text(a[1], a[2]), a[2]),
        "recvfrom" => {
            let from =
                if worked && a[4] != 0 { m.addr(a[4], m.word(a[5])) } else { "NULL".to_owned() };
            format!("{fd}, {}, {}, {}, {from}", m.text(a[1], copied), a[2], flags("MSG_", a[3]))
        }
        "sendto" => {
            let to = m.addr(a[4], a[5]);
            format!(
                "{fd}, {}, {}, {}, {to}, {}",
                m.text(a[1], a[2]),
                a[2],
                flags("MSG_", a[3]),
                a[5]
            )
        }
        "readv" => format!("{fd}, {}, {}", m.iov(a[1], a[2], Some(copied)), a[2]),
        "writev" => format!("{fd}, {}, {}", m.iov(a[1], a[2], None), a[2]),
        "sendmsg" => format!("{fd}, {}, {}", m.message(a[1], None), flags("MSG_", a[2])),
        "recvmsg" => format!("{fd}, {}, {}", m.message(a[1], Some(copied)), flags("MSG_", a[2])),
        "sendmmsg" | "recvmmsg" => {
            let count = if worked { copied } else { 1 };
            let all = (0..count.min(MOST_ENTRIES)).map(|number| {
                let at = a[1].wrapping_add(number * 64);
                let len = m.word(at.wrapping_add(56));
                let came = (name == "recvmmsg").then_some(if worked { len } else { 0 });
                format!("{{msg_hdr={}, msg_len={len}}}", m.message(at, came))
            });
            let all = all.collect::<Vec<_>>().join(", ");
            format!("{fd}, [{all}], {}, {}", a[2], flags("MSG_", a[3]))
        }
        _ => fd.to_owned(),
    }
}

fn family(number: u64) -> String {
    let known = ["AF_INET", "AF_INET6", "AF_UNIX", "AF_UNSPEC"];
    let found = known.into_iter().find(|name| value(name) == i32::try_from(number).ok());
    match (found, number) {
        (Some(name), _) => name.to_owned(),
        (None, 16) => "AF_NETLINK".to_owned(),
        (None, 17) => "AF_PACKET".to_owned(),
        (None, other) => other.to_string(),
    }
}

fn kind(number: u64) -> String {
    let mut said = Vec::new();
    if let Some(name) = ["", "SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "", "SOCK_SEQPACKET"]
        .get(number as usize & 0xf)
        && !name.is_empty()
    {
        said.push(*name);
    }
    for (flag, name) in
        [(libc::SOCK_CLOEXEC, "SOCK_CLOEXEC"), (libc::SOCK_NONBLOCK, "SOCK_NONBLOCK")]
    {
        if number as i32 & flag != 0 {
            said.push(name);
        }
    }
    if said.is_empty() { "0".to_owned() } else { said.join("|") }
}

fn protocol(family: u64, number: u64) -> String {
    let is_ip = matches!(family as i32, libc::AF_INET | libc::AF_INET6);
    // `IPPROTO_HOPOPTS` is 0, too.
    if is_ip && number == 0 {
        return "IPPROTO_IP".to_owned();
    }
    let of = |name: &str| value(name) == Some(number as i32);
    let found =
        KNOWN.iter().copied().filter(|name| name.starts_with("IPPROTO_")).find(|name| of(name));
    found.filter(|_| is_ip).map_or_else(|| number.to_string(), str::to_owned)
}

/// The names of bits, or all of them as a number if one has none.
fn flags(prefix: &str, bits: u64) -> String {
    let (mut rest, mut said) = (bits as i32, Vec::new());
    for name in KNOWN.iter().filter(|name| name.starts_with(prefix)) {
        if let Some(bit) = value(name).filter(|bit| bit.count_ones() == 1 && rest & bit != 0) {
            rest &= !bit;
            said.push((*name).to_owned());
        }
    }
    // MSG_CMSG_CLOEXEC is of no descriptor that a case has.
    rest &= !libc::MSG_CMSG_CLOEXEC;
    if rest != 0 {
        said.push(format!("{rest:#x}"));
    }
    if said.is_empty() { "0".to_owned() } else { said.join("|") }
}

fn command(cmd: u64, arg: u64) -> String {
    match cmd as i32 {
        libc::F_GETFL => "F_GETFL".to_owned(),
        libc::F_SETFL => format!("F_SETFL, {}", flags("O_NONBLOCK", arg & !0o100_003)),
        libc::F_GETFD => "F_GETFD".to_owned(),
        libc::F_SETFD => format!("F_SETFD, {arg}"),
        libc::F_DUPFD => "F_DUPFD".to_owned(),
        libc::F_DUPFD_CLOEXEC => "F_DUPFD_CLOEXEC".to_owned(),
        other => other.to_string(),
    }
}

/// The names of an option's level and of itself.
fn option(level: i32, number: i32) -> (String, String) {
    let levels = [
        (libc::SOL_SOCKET, "SOL_SOCKET", "SO_"),
        (libc::IPPROTO_IP, "IPPROTO_IP", "IP_"),
        (libc::IPPROTO_IPV6, "IPPROTO_IPV6", "IPV6_"),
        (libc::IPPROTO_TCP, "IPPROTO_TCP", "TCP_"),
        (libc::IPPROTO_UDP, "IPPROTO_UDP", "UDP_"),
    ];
    let Some((_, name, prefix)) = levels.into_iter().find(|(of, ..)| *of == level) else {
        return (level.to_string(), number.to_string());
    };
    let is_it = |known: &&&str| {
        known.starts_with(prefix) && !known.contains("PMTUDISC_") && value(known) == Some(number)
    };
    let found = KNOWN.iter().find(is_it).map_or_else(|| number.to_string(), |n| (*n).to_owned());
    (name.to_owned(), found)
}

/// The memory of a thread that is stopped.
struct Memory(Pid);

impl Memory {
    /// So many bytes, or as many as there are.
    fn bytes(&self, at: u64, len: u64) -> Vec<u8> {
        let len = usize::try_from(len).unwrap_or(MOST).min(MOST);
        let mut bytes = vec![0u8; len];
        let to = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: len };
        let from = libc::iovec { iov_base: at as usize as *mut libc::c_void, iov_len: len };
        // SAFETY: the buffer has room for `len` bytes; of the other process's the kernel sees to it.
        let read = unsafe {
            libc::process_vm_readv(self.0.as_raw(), &raw const to, 1, &raw const from, 1, 0)
        };
        bytes.truncate(usize::try_from(read).unwrap_or(0));
        bytes
    }

    fn text(&self, at: u64, len: u64) -> String {
        let bytes = self.bytes(at, len);
        let cut = if (bytes.len() as u64) < len { "..." } else { "" };
        format!("{}{cut}", quoted(&bytes))
    }

    fn ints(&self, at: u64, count: u64) -> Vec<i32> {
        let bytes = self.bytes(at, count.saturating_mul(4));
        bytes.as_chunks::<4>().0.iter().map(|word| i32::from_ne_bytes(*word)).collect()
    }

    /// A word of four bytes; 0 where there is none.
    fn word(&self, at: u64) -> u64 {
        self.ints(at, 1).first().map_or(0, |word| u64::from(word.cast_unsigned()))
    }

    fn long(&self, at: u64) -> u64 {
        let bytes = self.bytes(at, 8);
        bytes.first_chunk::<8>().map_or(0, |bytes| u64::from_ne_bytes(*bytes))
    }

    fn addr(&self, at: u64, len: u64) -> String {
        let bytes = self.bytes(at, len.min(128));
        match (at, &bytes[..]) {
            (0, _) => "NULL".to_owned(),
            (_, [2, 0, rest @ ..]) if rest.len() >= 6 => {
                let port = u16::from_be_bytes([rest[0], rest[1]]);
                let ip = Ipv4Addr::new(rest[2], rest[3], rest[4], rest[5]);
                format!(
                    "{{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr(\"{ip}\")}}"
                )
            }
            (_, [10, 0, high, low, _, _, _, _, rest @ ..]) if rest.len() >= 16 => {
                let port = u16::from_be_bytes([*high, *low]);
                let ip = rest.first_chunk::<16>().map_or(Ipv6Addr::UNSPECIFIED, |ip| (*ip).into());
                let scope = rest.get(16..20).and_then(|s| s.first_chunk::<4>().copied());
                let scope = u32::from_ne_bytes(scope.unwrap_or_default());
                format!(
                    "{{sa_family=AF_INET6, sin6_port=htons({port}), inet_pton(AF_INET6, \"{ip}\", \
                     &sin6_addr), sin6_scope_id={scope}}}"
                )
            }
            (_, [0, 0, ..]) => "{sa_family=AF_UNSPEC}".to_owned(),
            (_, [1, 0]) => "{sa_family=AF_UNIX}".to_owned(),
            (_, [1, 0, ..]) => "{sa_family=AF_UNIX, sun_path=\"\"}".to_owned(),
            (_, [low, high, ..]) => format!("{{sa_family={}}}", u16::from_ne_bytes([*low, *high])),
            _ => format!("{at:#x}"),
        }
    }

    /// `came` is how many bytes of it were written by the call.
    fn iov(&self, at: u64, count: u64, came: Option<u64>) -> String {
        let mut left = came;
        let all = (0..count.min(MOST_ENTRIES)).map(|number| {
            let at = at.wrapping_add(number * 16);
            let (base, len) = (self.long(at), self.long(at.wrapping_add(8)));
            let shown = left.map_or(len, |left| left.min(len));
            left = left.map(|left| left - shown);
            format!("{{iov_base={}, iov_len={len}}}", self.text(base, shown))
        });
        format!("[{}]", all.collect::<Vec<_>>().join(", "))
    }

    /// `struct msghdr`, as the call left it.
    fn message(&self, at: u64, came: Option<u64>) -> String {
        let field = |offset: u64| at.wrapping_add(offset);
        let (name, len) = (self.long(at), self.word(field(8)));
        let iov = self.iov(self.long(field(16)), self.long(field(24)), came);
        let (control, control_len) = (self.long(field(32)), self.long(field(40)));
        let messages = self.control(control, control_len);
        let came = flags("MSG_", self.word(field(48)));
        let name = if len == 0 { "NULL".to_owned() } else { self.addr(name, len) };
        format!(
            "{{msg_name={name}, msg_namelen={len}, msg_iov={iov}{messages}, \
             msg_controllen={control_len}, msg_flags={came}}}"
        )
    }

    fn control(&self, at: u64, len: u64) -> String {
        let all = self.bytes(at, if at == 0 { 0 } else { len });
        let (mut rest, mut said) = (&all[..], Vec::new());
        while let Some(head) = rest.first_chunk::<16>() {
            let long = u64::from_ne_bytes([
                head[0], head[1], head[2], head[3], head[4], head[5], head[6], head[7],
            ]);
            let word = |from: usize| {
                i32::from_ne_bytes([head[from], head[from + 1], head[from + 2], head[from + 3]])
            };
            let Some(data) = usize::try_from(long).ok().and_then(|len| rest.get(16..len)) else {
                break;
            };
            let (level, kind) = (word(8), word(12));
            let (level, kind) = match super::super::control_name(level, kind) {
                // Of descriptors a case has none to give.
                (level, kind) if kind.starts_with("SCM_") => (level, kind),
                _ => option(level, kind),
            };
            let bytes = data.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
            said.push(format!("{{cmsg_level={level}, cmsg_type={kind}, cmsg_data=[{bytes}]}}"));
            let next = (16 + data.len()).next_multiple_of(8).min(rest.len());
            rest = &rest[next..];
        }
        if said.is_empty() { String::new() } else { format!(", msg_control=[{}]", said.join(", ")) }
    }

    fn timespec(&self, at: u64) -> String {
        if at == 0 {
            return "NULL".to_owned();
        }
        format!("{{tv_sec={}, tv_nsec={}}}", self.long(at), self.long(at.wrapping_add(8)))
    }

    /// The list and what is ready of it.
    fn poll(&self, at: u64, count: u64) -> (String, String) {
        let bytes = self.bytes(at, count.min(MOST_ENTRIES) * 8);
        let (mut all, mut ready) = (Vec::new(), Vec::new());
        for one in bytes.as_chunks::<8>().0 {
            let fd = i32::from_ne_bytes([one[0], one[1], one[2], one[3]]);
            let events = u64::from(u16::from_ne_bytes([one[4], one[5]]));
            let revents = u64::from(u16::from_ne_bytes([one[6], one[7]]));
            all.push(format!("{{fd={fd}, events={}}}", flags("POLL", events)));
            if revents != 0 {
                ready.push(format!("{{fd={fd}, revents={}}}", flags("POLL", revents)));
            }
        }
        (all.join(", "), ready.join(", "))
    }

    fn option(&self, fd: &str, call: &str, a: [u64; 6], worked: bool) -> String {
        let (level, name) = option(a[1] as i32, a[2] as i32);
        let (len, shown) = if call == "setsockopt" {
            (a[4], a[4].to_string())
        } else {
            let len = self.word(a[4]);
            (if worked { len } else { 0 }, format!("[{len}]"))
        };
        let bytes = self.bytes(a[3], len.min(4096));
        let long = |from: usize| {
            bytes
                .get(from..from + 8)
                .and_then(|b| b.first_chunk::<8>())
                .map_or(0, |b| i64::from_ne_bytes(*b))
        };
        let int = |from: usize| {
            bytes
                .get(from..from + 4)
                .and_then(|b| b.first_chunk::<4>())
                .map_or(0, |b| i32::from_ne_bytes(*b))
        };
        let v4 = |from: usize| Ipv4Addr::from(int(from).to_ne_bytes());
        let told = match (name.as_str(), bytes.len()) {
            ("SO_ERROR", 4) if int(0) != 0 => format!("[{}]", errno(int(0))),
            ("SO_LINGER", 8) => format!("{{l_onoff={}, l_linger={}}}", int(0), int(4)),
            ("SO_RCVTIMEO" | "SO_SNDTIMEO", 16) => {
                format!("{{tv_sec={}, tv_usec={}}}", long(0), long(8))
            }
            ("IP_ADD_MEMBERSHIP" | "IP_DROP_MEMBERSHIP", 8 | 12) => {
                let index = if bytes.len() == 12 {
                    format!(", imr_ifindex={}", int(8))
                } else {
                    String::new()
                };
                format!(
                    "{{imr_multiaddr=inet_addr(\"{}\"), imr_interface=inet_addr(\"{}\"){index}}}",
                    v4(0),
                    v4(4)
                )
            }
            ("IP_MULTICAST_IF", 4) => format!("[inet_addr(\"{}\")]", v4(0)),
            (_, 4) => format!("[{}]", int(0)),
            _ => quoted(&bytes),
        };
        format!("{fd}, {level}, {name}, {told}, {shown}")
    }

    /// A descriptor, and of a socket of IP its own address, which the program may never ask for.
    fn fd(&self, number: u64) -> String {
        let number = number as i32;
        match self.own(number) {
            Some(addr) => format!("{number}<IP:[{addr}]>"),
            None => number.to_string(),
        }
    }

    fn own(&self, number: i32) -> Option<SocketAddr> {
        if number < 0 {
            return None;
        }
        // Another thread's number is none of a process's: its group's is, and that is a file of its own.
        // SAFETY: takes its arguments by value.
        let process = unsafe { libc::syscall(libc::SYS_pidfd_open, self.0.as_raw(), 0) };
        let process = owned(process).or_else(|| {
            // SAFETY: takes its arguments by value. `PIDFD_THREAD`, since Linux 6.9.
            owned(unsafe { libc::syscall(libc::SYS_pidfd_open, self.0.as_raw(), libc::O_EXCL) })
        })?;
        let process = std::os::fd::AsRawFd::as_raw_fd(&process);
        // SAFETY: takes its arguments by value; the descriptor is open meanwhile.
        let copy = owned(unsafe { libc::syscall(libc::SYS_pidfd_getfd, process, number, 0) })?;
        SockRef::from(&copy).local_addr().ok()?.as_socket()
    }
}

/// A descriptor that the kernel has just made for this process.
fn owned(fd: libc::c_long) -> Option<OwnedFd> {
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0)?;
    // SAFETY: nobody else has it.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Text as strace and C write it.
fn quoted(bytes: &[u8]) -> String {
    let mut said = String::with_capacity(bytes.len() + 2);
    said.push('"');
    for b in bytes {
        match b {
            b' '..=b'~' if !b"\"\\".contains(b) => said.push(char::from(*b)),
            _ => {
                let _ = write!(said, "\\{b:03o}");
            }
        }
    }
    said.push('"');
    said
}

/// The names of all calls that are written.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    CALLS.iter().map(|(_, name)| *name)
}
