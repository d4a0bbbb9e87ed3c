//! A way to know that the host has dealt with every packet that it sent to itself.
//!
//! Such a packet waits in a queue of the processor that sent it (`net/core/dev.c` `netif_rx`), and is
//! dealt with before the call returns, unless the machine is busy: then a kernel thread does it,
//! some time later. The queue is first in, first out: once a datagram of the executor's own has
//! come through, so has all that was sent before it on the same processor.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use socket2::{Domain, Socket, Type};

use crate::case::LinkKind;

/// What the datagrams say, one byte behind the header of UDP.
const PASS: u8 = 0;
const MARK: u8 = 1;

/// A socket that sends to itself, in one network.
pub(super) struct Barrier {
    socket: Socket,
    port: u16,
}

impl Barrier {
    pub(super) fn open() -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        let own = socket.local_addr()?;
        socket.connect(&own)?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        let port = own.as_socket().map_or(0, |own| own.port());
        Ok(Self { socket, port })
    }

    /// The same one again.
    pub(super) fn again(&self) -> io::Result<Self> {
        Ok(Self { socket: self.socket.try_clone()?, port: self.port })
    }

    /// Waits until what was sent before has been dealt with. Loopback has to be up.
    pub(super) fn pass(&mut self) {
        self.send(PASS);
    }

    /// The same, so that who sees the datagram knows that all was sent before.
    pub(super) fn mark(&mut self) {
        self.send(MARK);
    }

    fn send(&mut self, what: u8) {
        // Nothing comes of it if it fails: what follows is read as it is.
        if self.socket.write(&[what]).is_ok() {
            let _ = self.socket.read(&mut [0]);
        }
    }

    /// Whether a frame that is the barrier's own is of [`Barrier::mark`].
    pub(super) fn is_mark(frame: &[u8]) -> bool {
        frame.get(42) == Some(&MARK)
    }

    /// Whether a frame of loopback is the barrier's own: UDP, from its port and to it.
    pub(super) fn owns(&self, frame: &[u8]) -> bool {
        let port = self.port.to_be_bytes();
        let ports = [port[0], port[1], port[0], port[1]];
        frame.get(12..14) == Some(&[8, 0])
            && frame.get(23) == Some(&17)
            && frame.get(34..38) == Some(&ports)
    }
}

/// Whether the host hears a frame that it sends on a link itself: a multicast or a broadcast.
pub(super) fn is_heard_by_sender(kind: LinkKind, frame: &[u8]) -> bool {
    if kind == LinkKind::Tap {
        let is_arp = frame.get(12..14) == Some(&[8, 6]);
        return frame.first().is_some_and(|byte| byte & 1 == 1) && !is_arp;
    }
    match frame.first().map(|byte| byte >> 4) {
        Some(4) => {
            let group = frame.get(16).is_some_and(|byte| *byte >= 224);
            // A directed broadcast of the networks of the address plan.
            group || frame.get(19) == Some(&255)
        }
        Some(6) => frame.get(24) == Some(&0xff),
        _ => false,
    }
}

/// Keeps the thread on one processor, or lets it go again wherever it was allowed.
///
/// Which one is told by the number of the process: executors that are started one after the other
/// are on different ones.
pub(in crate::exec) fn stay(on: bool) {
    static ALLOWED: OnceLock<Option<CpuSet>> = OnceLock::new();
    let this = Pid::from_raw(0);
    let Some(allowed) = ALLOWED.get_or_init(|| sched_getaffinity(this).ok()) else { return };
    let processors: Vec<usize> =
        (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap_or(false)).collect();
    let mut set = *allowed;
    if on && !processors.is_empty() {
        let turn = std::process::id() as usize % processors.len();
        set = CpuSet::new();
        let _ = set.set(processors[turn]);
    }
    // Where that is not allowed, the barrier is as good as the scheduler lets it be.
    let _ = sched_setaffinity(this, &set);
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use rstest::rstest;

    use super::*;
    use crate::wire::{Mac, build};

    #[test]
    fn it_passes_and_knows_its_own() {
        let mut barrier = Barrier::open().unwrap();
        barrier.pass();
        let frame = |from: u16, to: u16| {
            let link = build::Link::Ethernet { src: Mac::ZERO, dst: Mac::ZERO };
            let at = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            build::udp(link, at(from), at(to), 64, &[0]).unwrap()
        };
        let own = frame(barrier.port, barrier.port);
        assert!(barrier.owns(&own) && !Barrier::is_mark(&own));
        assert!(Barrier::is_mark(&[&own[..42], &[MARK]].concat()));
        assert!(!barrier.owns(&frame(barrier.port, 9)));
        assert!(!barrier.owns(&[]));
    }

    #[rstest]
    #[case("192.0.2.1:1", "224.0.0.251:5353", true)]
    #[case("192.0.2.1:1", "192.0.2.255:9", true)]
    #[case("192.0.2.1:1", "255.255.255.255:9", true)]
    #[case("192.0.2.1:1", "192.0.2.2:9", false)]
    #[case("[fe80::1]:1", "[ff02::1]:9", true)]
    #[case("[fe80::1]:1", "[fe80::2]:9", false)]
    fn groups_are_heard(#[case] from: SocketAddr, #[case] to: SocketAddr, #[case] heard: bool) {
        let frame = build::udp(build::Link::Ip, from, to, 64, b"x").unwrap();
        assert_eq!(is_heard_by_sender(LinkKind::Tun, &frame), heard);
        let host = Mac([2, 0, 0, 0, 0, 1]);
        let dst = Mac::of_group(to.ip()).unwrap_or(host);
        let broadcast = to.ip().is_ipv4() && to.to_string().contains("255:");
        let dst = if broadcast { Mac::BROADCAST } else { dst };
        let link = build::Link::Ethernet { src: host, dst };
        let frame = build::udp(link, from, to, 64, b"x").unwrap();
        assert_eq!(is_heard_by_sender(LinkKind::Tap, &frame), heard);
    }
}
