//! What Darwin tells of a datagram (its `netinet/in.h` and `netinet6/in6.h`; RFC 3542 §4). Of fragments it tells nothing.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;

use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt,
    sockopt,
};
use nix::{libc, setsockopt_impl, sockopt_impl};
use socket2::{SockRef, Socket};

use super::received::Received;
use crate::machine::About;

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
    let mut parts = [IoSliceMut::new(buffer)];
    let got = recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut parts,
        Some(&mut space),
        MsgFlags::empty(),
    )?;
    let peer = got.address.as_ref().and_then(address);
    let peer = peer.ok_or_else(|| io::Error::other("a datagram of nobody"))?;
    let mut about = About::default();
    let mut to = None;
    for message in got.cmsgs()? {
        tell(&message, &mut about, &mut to);
    }
    Ok(Received { peer, to, len: got.bytes, about })
}

fn tell(message: &ControlMessageOwned, about: &mut About, to: &mut Option<IpAddr>) {
    match message {
        ControlMessageOwned::Ipv4PacketInfo(info) => {
            about.interface = Some(info.ipi_ifindex);
            *to = Some(Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr)).into());
        }
        ControlMessageOwned::Ipv6PacketInfo(info) => {
            about.interface = Some(info.ipi6_ifindex);
            *to = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into());
        }
        ControlMessageOwned::Unknown(other) => {
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
        _ => {}
    }
}

fn address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|a| SocketAddr::from(*a));
    v4.or_else(|| address.as_sockaddr_in6().map(|a| SocketAddr::from(*a)))
}

/// Sends a datagram from that address.
pub(super) fn send(
    socket: &UdpSocket,
    data: &[u8],
    to: SocketAddr,
    from: SocketAddr,
) -> io::Result<()> {
    let parts = [IoSlice::new(data)];
    let (v4, v6);
    let message = match from.ip() {
        IpAddr::V4(ip) => {
            let spec = libc::in_addr { s_addr: u32::from(ip).to_be() };
            let any = libc::in_addr { s_addr: 0 };
            v4 = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: spec, ipi_addr: any };
            ControlMessage::Ipv4PacketInfo(&v4)
        }
        IpAddr::V6(ip) => {
            let ipi6_addr = libc::in6_addr { s6_addr: ip.octets() };
            v6 = libc::in6_pktinfo { ipi6_addr, ipi6_ifindex: 0 };
            ControlMessage::Ipv6PacketInfo(&v6)
        }
    };
    let to = SockaddrStorage::from(to);
    sendmsg(socket.as_raw_fd(), &parts, &[message], MsgFlags::empty(), Some(&to))?;
    Ok(())
}
