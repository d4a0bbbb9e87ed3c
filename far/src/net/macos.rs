//! What Darwin tells of a datagram (its `netinet/in.h` and `netinet6/in6.h`; RFC 3542 §4). Of fragments it tells nothing.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use nix::sys::socket::{ControlMessageOwned, MsgFlags, setsockopt, sockopt};
use nix::{libc, setsockopt_impl, sockopt_impl};
use socket2::{SockRef, Socket};

use super::messages;
use super::received::Received;
use crate::machine::About;

pub(super) use super::messages::send;

sockopt_impl!(
    /// The TTL of a datagram of IPv4.
    RecvTtl,
    SetOnly,
    libc::IPPROTO_IP,
    libc::IP_RECVTTL,
    bool
);
sockopt_impl!(
    /// The hop limit of one of IPv6.
    RecvHopLimit,
    SetOnly,
    libc::IPPROTO_IPV6,
    libc::IPV6_RECVHOPLIMIT,
    bool
);

/// Asks for all that is told. What a kernel has not is not told.
pub(super) fn ask(socket: &UdpSocket) {
    if matches!(socket.local_addr(), Ok(SocketAddr::V6(_))) {
        let _ = setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true);
        let _ = setsockopt(socket, RecvHopLimit, &true);
        let _ = SockRef::from(socket).set_recv_tclass_v6(true);
    } else {
        let _ = setsockopt(socket, sockopt::Ipv4PacketInfo, &true);
        let _ = setsockopt(socket, RecvTtl, &true);
        let _ = SockRef::from(socket).set_recv_tos_v4(true);
    }
}

/// It gets no others' by itself.
pub(super) fn only_own_groups(_socket: &Socket) {}

/// The next datagram.
pub(super) fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
    let mut space = nix::cmsg_space!(libc::in_pktinfo, libc::in6_pktinfo, i32, i32, i32, i32);
    messages::receive(socket, buffer, &mut space, MsgFlags::empty(), tell)
}

fn tell(message: &ControlMessageOwned, about: &mut About) {
    let ControlMessageOwned::Unknown(other) = message else { return };
    let header = &other.cmsg_header;
    let byte = other.data_bytes.first().copied();
    let int = other.data_bytes.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes));
    let int = int.and_then(|n| u8::try_from(n).ok());
    match (header.cmsg_level, header.cmsg_type) {
        (libc::IPPROTO_IP, libc::IP_RECVTTL) => about.ttl = byte,
        (libc::IPPROTO_IP, libc::IP_RECVTOS) => about.tos = byte,
        (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => about.ttl = int,
        (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => about.tos = int,
        _ => {}
    }
}
