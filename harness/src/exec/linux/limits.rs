//! What of the host's configuration decides outcomes and no lab can set, and which cases it concerns:
//! those are skipped, since what came out would not be the kernel's doing.
//!
//! What a socket tells of a setting is asked of a socket: of the files below `/proc/sys` that are of the
//! whole host only its first network sees any, and a container sees none.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::sync::OnceLock;

use netlink_packet_route::AddressFamily;
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};

use super::needs;
use super::netlink::Netlink;
use crate::case::Case;
use crate::case::process::MOST_OF_FILES;
use crate::trace::HostLimit;

/// A limit and the cases that it concerns.
struct Limit {
    shown: HostLimit,
    concerns: fn(&Case) -> bool,
}

static LIMITS: OnceLock<Vec<Limit>> = OnceLock::new();

/// What limits the executors of this host.
pub(in crate::exec) fn limits() -> Vec<HostLimit> {
    LIMITS.get().into_iter().flatten().map(|limit| limit.shown.clone()).collect()
}

/// Why this host cannot say what becomes of the case, if it cannot.
pub(in crate::exec) fn refused(case: &Case) -> Option<String> {
    let limits = LIMITS.get()?;
    let limit = limits.iter().find(|limit| (limit.concerns)(case))?;
    Some(limit.shown.why.clone())
}

/// Whether a TCP connection's window has another scale than what rows were observed with, so that
/// routes to servers have to say how large it may become ([`WINDOW`]).
pub(super) fn scales_otherwise() -> bool {
    static SCALES: OnceLock<bool> = OnceLock::new();
    *SCALES.get_or_init(|| {
        super::host::is_linux() && Buffers::ask().is_some_and(|has| has.rmem_max > WINDOW_FITS)
    })
}

/// What `tcp_rmem` of a lab says in the end ([`super::host::quiet_network`]).
pub(super) const WINDOW: u32 = 6_291_456;

/// The largest `rmem_max` with the same scale, 7 (`tcp_select_initial_window`,
/// `net/ipv4/tcp_output.c`).
const WINDOW_FITS: i64 = (1 << 23) - 1;

/// A kernel's own for sockets on 64 bits, `SK_RMEM_DEFAULT` (include/net/sock.h).
const BUFFER: i64 = 212_992;

/// A setting of the whole host.
struct Global {
    key: &'static str,
    /// From which on outcomes are those that rows were observed with.
    least: i64,
    /// What `sysctl -w` is to set.
    good: &'static str,
    concerns: fn(&Case) -> bool,
}

const GLOBALS: [Global; 6] = [
    Global { key: "net.ipv4.tcp_max_orphans", least: 256, good: "8192", concerns: needs::tcp },
    Global {
        key: "net.ipv4.tcp_mem",
        least: 512,
        good: "'8192 16384 32768'",
        concerns: needs::tcp,
    },
    Global {
        key: "net.ipv4.udp_mem",
        least: 512,
        good: "'8192 16384 32768'",
        concerns: needs::datagrams,
    },
    Global {
        key: "net.core.optmem_max",
        least: 20_480,
        good: "131072",
        concerns: needs::option_memory,
    },
    Global {
        key: "net.core.netdev_max_backlog",
        least: 128,
        good: "1000",
        concerns: needs::packets,
    },
    Global { key: "net.ipv6.mld_max_msf", least: 64, good: "64", concerns: needs::sources6 },
];

/// What the first network alone shows, read before the executor leaves it; nothing in a container.
pub(super) fn of_the_host() -> Vec<(usize, Vec<i64>)> {
    let read = |(number, global): (usize, &Global)| Some((number, numbers(global.key)?));
    GLOBALS.iter().enumerate().filter_map(read).collect()
}

/// Of three numbers the first is where memory is plenty still (tcp(7), `tcp_mem`: low, pressure, high).
fn decides(numbers: &[i64]) -> Option<i64> {
    numbers.iter().skip(usize::from(numbers.len() > 1)).min().copied()
}

fn numbers(key: &str) -> Option<Vec<i64>> {
    let text = fs::read_to_string(format!("/proc/sys/{}", key.replace('.', "/"))).ok()?;
    text.split_whitespace().map(|word| word.parse().ok()).collect()
}

/// Finds what limits the executor, which is in its first network.
///
/// # Errors
/// One sentence: without this there is no lab at all.
pub(super) fn look(of_the_host: &[(usize, Vec<i64>)], has_ipv6: bool) -> Result<(), String> {
    // What only answers Linux's calls has other settings, or says 0 of those that it has not.
    if !super::host::is_linux() {
        return Ok(());
    }
    essential()?;
    let mut limits = Vec::new();
    for (number, before) in of_the_host {
        let global = &GLOBALS[*number];
        // What a fresh network has of its own counts instead: since which version is not asked.
        let found = numbers(global.key).unwrap_or_else(|| before.clone());
        limits.extend(decides(&found).and_then(|value| below(global, value)));
    }
    limits.extend(Buffers::ask().into_iter().flat_map(Buffers::limits));
    limits.extend(neighbours());
    limits.extend(families(has_ipv6));
    limits.extend(descriptors());
    limits.extend(selinux());
    let _ = LIMITS.set(limits);
    Ok(())
}

fn limit(why: String, mend: String, concerns: fn(&Case) -> bool) -> Limit {
    Limit { shown: HostLimit { why, mend }, concerns }
}

/// A setting that has another value than rows were observed under.
fn otherwise(key: &str, is: i64, observed: &str, good: &str, concerns: fn(&Case) -> bool) -> Limit {
    let why = format!("{key} is {is}, these rows were observed under {observed}");
    limit(why, format!("sudo sysctl -w {key}={good}"), concerns)
}

fn below(global: &Global, value: i64) -> Option<Limit> {
    let Global { key, least, good, concerns, .. } = *global;
    let observed = format!("{least} or more");
    (value < least).then(|| otherwise(key, value, &observed, good, concerns))
}

/// What sockets say of the host's limits for buffers, in bytes.
#[derive(Clone, Copy)]
struct Buffers {
    rmem_default: i64,
    wmem_default: i64,
    rmem_max: i64,
    wmem_max: i64,
    /// Whether it may have more than the limit, as the host's root may (socket(7), `SO_RCVBUFFORCE`).
    forced: bool,
}

impl Buffers {
    fn ask() -> Option<Self> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).ok()?;
        let (rmem_default, wmem_default) =
            (socket.recv_buffer_size().ok()?, socket.send_buffer_size().ok()?);
        // Capped by the limit, and then doubled (socket(7), SO_RCVBUF).
        socket.set_recv_buffer_size(i32::MAX as usize / 2).ok()?;
        socket.set_send_buffer_size(i32::MAX as usize / 2).ok()?;
        let (rmem_max, wmem_max) =
            (socket.recv_buffer_size().ok()? / 2, socket.send_buffer_size().ok()? / 2);
        let [rmem_default, wmem_default, rmem_max, wmem_max] =
            [rmem_default, wmem_default, rmem_max, wmem_max].map(|bytes| bytes as i64);
        let forced = forced(&socket);
        Some(Self { rmem_default, wmem_default, rmem_max, wmem_max, forced })
    }

    fn limits(self) -> Vec<Limit> {
        let mut limits = Vec::new();
        if self.rmem_max > WINDOW_FITS {
            let observed = "less than 8388608, which decides TCP's window scale";
            let key = "net.core.rmem_max";
            limits.push(otherwise(key, self.rmem_max, observed, "4194304", needs::window_scale));
        }
        let mut less = |key, is: i64, concerns| {
            if is < BUFFER {
                let (observed, good) = (format!("{BUFFER} or more"), BUFFER.to_string());
                limits.push(otherwise(key, is, &observed, &good, concerns));
            }
        };
        less("net.core.rmem_default", self.rmem_default, needs::datagrams);
        less("net.core.wmem_default", self.wmem_default, needs::sent_from_a_buffer);
        // What loopback's packets are captured with is larger than that by the host's root alone.
        let captured = if self.forced { needs::receive_buffer } else { needs::packets };
        less("net.core.rmem_max", self.rmem_max, captured);
        less("net.core.wmem_max", self.wmem_max, needs::send_buffer);
        limits
    }
}

/// Whether the kernel lets the executor have a larger buffer than the limit. That it is root says nothing:
/// in its own user namespace it always is.
fn forced(socket: &Socket) -> bool {
    let room: libc::c_int = 4 << 20;
    // SAFETY: the value lives through the call and has that length.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUFFORCE,
            (&raw const room).cast(),
            size_of_val(&room) as libc::socklen_t,
        )
    };
    done == 0
}

/// Neighbours are counted for the whole host: a table that small may be full.
fn neighbours() -> Vec<Limit> {
    let Ok(mut netlink) = Netlink::open() else { return Vec::new() };
    let tables = [(AddressFamily::Inet, "ipv4"), (AddressFamily::Inet6, "ipv6")];
    let small = tables.map(|(family, name)| {
        let most = netlink.most_neighbours(family).ok().flatten()?;
        let key = format!("net.{name}.neigh.default.gc_thresh3");
        (most < 128).then(|| otherwise(&key, most.into(), "128 or more", "1024", needs::packets))
    });
    small.into_iter().flatten().collect()
}

pub(super) fn refusal(domain: i32, r#type: Type, protocol: Option<Protocol>) -> Option<Errno> {
    let made = Socket::new(Domain::from(domain), r#type, protocol);
    made.err().and_then(|e| e.raw_os_error()).map(Errno::from_raw)
}

/// Who refuses what a network would allow.
const BY_WHOM: &str =
    "a seccomp filter, a security module or a missing capability does that, not the network";

const LIFT: &str = "lift RestrictAddressFamilies= and the like of the service, or start the container \
    with --security-opt seccomp=unconfined --cap-add NET_RAW --cap-add NET_ADMIN";

const LIFT_CALLS: &str = "lift SystemCallFilter= of the service, or start the container with --security-opt seccomp=unconfined";

/// Without these there is no lab.
fn essential() -> Result<(), String> {
    let kinds = [
        ("AF_NETLINK", libc::AF_NETLINK, Type::RAW),
        ("AF_PACKET", libc::AF_PACKET, Type::RAW),
        ("AF_INET", libc::AF_INET, Type::DGRAM),
    ];
    for (name, domain, r#type) in kinds {
        if let Some(errno @ (Errno::EPERM | Errno::EACCES | Errno::EAFNOSUPPORT)) =
            refusal(domain, r#type, None)
        {
            return Err(format!("{name} sockets are refused with {errno:?}: {BY_WHOM}"));
        }
    }
    Ok(())
}

/// Kinds of sockets that cases are about.
fn families(has_ipv6: bool) -> Vec<Limit> {
    let mut limits = Vec::new();
    let mut ask = |name, domain, r#type, protocol, concerns| {
        if let Some(errno) = refusal(domain, r#type, protocol) {
            let why = format!("{name} sockets are refused with {errno:?}: {BY_WHOM}");
            limits.push(limit(why, LIFT.to_owned(), concerns));
        }
    };
    ask("AF_UNIX", libc::AF_UNIX, Type::DGRAM, None, needs::unix as fn(&Case) -> bool);
    ask("raw", libc::AF_INET, Type::RAW, Some(Protocol::UDP), needs::raw);
    // A kernel that has none says EAFNOSUPPORT: then its cases are not here. Of a container's filter it is EPERM.
    let optional = [
        ("AF_VSOCK", libc::AF_VSOCK, Type::STREAM, needs::vsock as fn(&Case) -> bool),
        ("AF_XDP", libc::AF_XDP, Type::RAW, needs::xdp),
    ];
    for (name, domain, r#type, concerns) in optional {
        if let Some(Errno::EPERM | Errno::EACCES) = refusal(domain, r#type, None) {
            ask(name, domain, r#type, None, concerns);
        }
    }
    if has_ipv6 {
        ask("AF_INET6", libc::AF_INET6, Type::DGRAM, None, needs::ipv6_sockets);
    } else {
        let why = "the kernel's IPv6 is turned off: ipv6.disable=1, or it has none".to_owned();
        let mend = "boot without ipv6.disable=1 on the kernel's command line".to_owned();
        limits.push(limit(why, mend, needs::ipv6));
    }
    limits
}

/// What a case lets its process have, this one may not have itself, or not say.
fn descriptors() -> Vec<Limit> {
    let (soft, hard) = match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok(both) => both,
        Err(errno) => return vec![own_limits("getrlimit", errno)],
    };
    if let Err(errno) = setrlimit(Resource::RLIMIT_NOFILE, soft, hard) {
        return vec![own_limits("setrlimit", errno)];
    }
    let few = i64::try_from(hard).ok().filter(|_| hard < u64::from(MOST_OF_FILES));
    let why = |hard| {
        format!("RLIMIT_NOFILE is {hard}, these rows were observed under {MOST_OF_FILES} or more")
    };
    let few = few.map(|hard| {
        limit(why(hard), format!("ulimit -n {MOST_OF_FILES}"), needs::more_descriptors)
    });
    few.into_iter().collect()
}

fn own_limits(call: &str, errno: Errno) -> Limit {
    let why = format!("{call} is refused with {errno:?}: {BY_WHOM}");
    limit(why, LIFT_CALLS.to_owned(), needs::own_limits)
}

/// `SELinux` answers what no other kernel does: of labels (`SO_PEERSEC`, `IP_PASSSEC`), and, before the socket's own
/// family looks, of an address that says IPv6 and is too short for it (`security/selinux/hooks.c`
/// `selinux_socket_bind` and `_connect_helper`: EINVAL below `SIN6_LEN_RFC2133`). Its folder is there when it is at
/// work, whether or not anybody mounted what belongs there (`sel_init`). Debian's User-Mode Linux always has it, and
/// its rows were observed so.
fn selinux() -> Option<Limit> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let is_at_work = fs::metadata("/sys/fs/selinux").is_ok() && !cpu.contains("User Mode Linux");
    is_at_work.then(|| {
        let why = "SELinux is at work, these rows were observed without it".to_owned();
        limit(why, "boot with selinux=0 on the kernel's command line".to_owned(), needs::selinux)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that was "root" of its own namespace was taken for the host's.
    #[test]
    fn a_small_buffer_concerns_whatever_is_captured_by_who_may_have_no_larger() {
        let (large, rmem_max) = (BUFFER, 4096);
        let said = |forced| {
            let buffers = Buffers {
                rmem_default: large,
                wmem_default: large,
                rmem_max,
                wmem_max: large,
                forced,
            };
            let limits = buffers.limits();
            assert_eq!(limits.len(), 1);
            limits[0].concerns as usize
        };
        assert_eq!(said(true), needs::receive_buffer as fn(&Case) -> bool as usize);
        assert_eq!(said(false), needs::packets as fn(&Case) -> bool as usize);
    }

    #[test]
    fn of_three_numbers_pressure_and_the_most_decide() {
        assert_eq!(decides(&[8192, 16384, 32768]), Some(16384));
        assert_eq!(decides(&[8192, 8192, 16]), Some(16));
        assert_eq!(decides(&[4, 16384, 32768]), Some(16384));
        assert_eq!((decides(&[7]), decides(&[])), (Some(7), None));
    }
}
