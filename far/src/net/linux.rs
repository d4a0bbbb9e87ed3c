//! What Linux tells of a datagram (ip(7), ipv6(7), socket(7)).

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;

use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt,
    sockopt,
};
use nix::{libc, setsockopt_impl, sockopt_impl};
use socket2::Socket;

use super::received::Received;
use crate::machine::About;

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
    let mut parts = [IoSliceMut::new(buffer)];
    let got = recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut parts,
        Some(&mut space),
        // The length that it had, even if it had no room.
        MsgFlags::MSG_TRUNC,
    )?;
    let peer = got.address.as_ref().and_then(address);
    let peer = peer.ok_or_else(|| io::Error::other("a datagram of nobody"))?;
    let mut about = About { tells_fragments: true, ..About::default() };
    let mut to = None;
    for message in got.cmsgs()? {
        tell(&message, &mut about, &mut to);
    }
    about.cut = (got.bytes > room).then(|| u32::try_from(got.bytes).unwrap_or(u32::MAX));
    Ok(Received { peer, to, len: got.bytes.min(room), about })
}

fn tell(message: &ControlMessageOwned, about: &mut About, to: &mut Option<IpAddr>) {
    match message {
        ControlMessageOwned::Ipv4Ttl(n) | ControlMessageOwned::Ipv6HopLimit(n) => {
            about.ttl = u8::try_from(*n).ok();
        }
        ControlMessageOwned::Ipv4Tos(n) => about.tos = Some(*n),
        ControlMessageOwned::Ipv6TClass(n) => about.tos = u8::try_from(*n).ok(),
        ControlMessageOwned::Ipv4PacketInfo(info) => {
            about.interface = u32::try_from(info.ipi_ifindex).ok();
            *to = Some(Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr)).into());
        }
        ControlMessageOwned::Ipv6PacketInfo(info) => {
            about.interface = Some(info.ipi6_ifindex);
            *to = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into());
        }
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
