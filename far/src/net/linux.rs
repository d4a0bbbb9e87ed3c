//! What Linux tells of a datagram (ip(7), ipv6(7), socket(7)).

use std::io;
use std::net::{SocketAddr, UdpSocket};

use nix::sys::socket::{ControlMessageOwned, MsgFlags, setsockopt, sockopt};
use nix::{libc, setsockopt_impl, sockopt_impl};
use socket2::Socket;

use super::messages;
use super::received::Received;
use crate::machine::About;

pub(super) use super::messages::send;

sockopt_impl!(
    /// Of a datagram of IPv4, the size of its largest fragment.
    RecvFragSize,
    SetOnly,
    libc::IPPROTO_IP,
    libc::IP_RECVFRAGSIZE,
    bool
);
sockopt_impl!(
    /// The same of IPv6.
    RecvFragSize6,
    SetOnly,
    libc::IPPROTO_IPV6,
    libc::IPV6_RECVFRAGSIZE,
    bool
);

/// Asks for all that is told. What a kernel has not is not told.
pub(super) fn ask(socket: &UdpSocket) {
    let _ = setsockopt(socket, sockopt::RxqOvfl, &1);
    // A socket of IPv6 gets datagrams of IPv4, too, which have those of IPv4.
    let _ = setsockopt(socket, sockopt::Ipv4RecvTtl, &true);
    let _ = setsockopt(socket, sockopt::IpRecvTos, &true);
    let _ = setsockopt(socket, sockopt::Ipv4PacketInfo, &true);
    let _ = setsockopt(socket, RecvFragSize, &true);
    if matches!(socket.local_addr(), Ok(SocketAddr::V6(_))) {
        let _ = setsockopt(socket, sockopt::Ipv6RecvHopLimit, &true);
        let _ = setsockopt(socket, sockopt::Ipv6RecvTClass, &true);
        let _ = setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true);
        let _ = setsockopt(socket, RecvFragSize6, &true);
    }
}

/// It gets no group's datagrams that others have joined (`IP_MULTICAST_ALL`).
pub(super) fn only_own_groups(socket: &Socket) {
    let _ = socket.set_multicast_all_v4(false);
    let _ = socket.set_multicast_all_v6(false);
}

/// The next datagram.
pub(super) fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
    let mut space =
        nix::cmsg_space!(libc::in_pktinfo, libc::in6_pktinfo, i32, i32, i32, i32, i32, i32, i32);
    let room = buffer.len();
    // The length that it had, even if it had no room.
    let mut got = messages::receive(socket, buffer, &mut space, MsgFlags::MSG_TRUNC, tell)?;
    got.about.tells_fragments = true;
    got.about.cut = (got.len > room).then(|| u32::try_from(got.len).unwrap_or(u32::MAX));
    got.len = got.len.min(room);
    Ok(got)
}

fn tell(message: &ControlMessageOwned, about: &mut About) {
    match message {
        ControlMessageOwned::Ipv4Ttl(n) | ControlMessageOwned::Ipv6HopLimit(n) => {
            about.ttl = u8::try_from(*n).ok();
        }
        ControlMessageOwned::Ipv4Tos(n) => about.tos = Some(*n),
        ControlMessageOwned::Ipv6TClass(n) => about.tos = u8::try_from(*n).ok(),
        ControlMessageOwned::RxqOvfl(n) => about.lost = Some(*n),
        ControlMessageOwned::Unknown(other) => {
            let header = &other.cmsg_header;
            let of_v4 = (libc::IPPROTO_IP, libc::IP_RECVFRAGSIZE);
            let of_v6 = (libc::IPPROTO_IPV6, libc::IPV6_RECVFRAGSIZE);
            let kind = (header.cmsg_level, header.cmsg_type);
            if let Some(&bytes) = other.data_bytes.first_chunk()
                && (kind == of_v4 || kind == of_v6)
            {
                about.fragment = u32::try_from(i32::from_ne_bytes(bytes)).ok().filter(|n| *n > 0);
            }
        }
        _ => {}
    }
}
