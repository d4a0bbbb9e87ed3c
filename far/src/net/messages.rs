//! Datagrams with control messages, as far as Linux and Darwin do it alike (RFC 3542 §4).

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;

use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg,
};

use super::received::Received;
use crate::machine::About;

/// The next datagram, of which `tell` reads what only that system says.
pub(super) fn receive(
    socket: &UdpSocket,
    buffer: &mut [u8],
    space: &mut [u8],
    flags: MsgFlags,
    tell: fn(&ControlMessageOwned, &mut About),
) -> io::Result<Received> {
    let mut parts = [IoSliceMut::new(buffer)];
    let got = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(space), flags)?;
    let peer = got.address.as_ref().and_then(address);
    let peer = peer.ok_or_else(|| io::Error::other("a datagram of nobody"))?;
    let mut about = About::default();
    let mut to = None;
    for message in got.cmsgs()? {
        match message {
            ControlMessageOwned::Ipv4PacketInfo(info) => {
                // It has a sign on Linux, and none on Darwin.
                about.interface = u32::try_from(i64::from(info.ipi_ifindex)).ok();
                to = Some(Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr)).into());
            }
            ControlMessageOwned::Ipv6PacketInfo(info) => {
                about.interface = Some(info.ipi6_ifindex);
                to = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into());
            }
            message => tell(&message, &mut about),
        }
    }
    Ok(Received { peer, to, len: got.bytes, about })
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
