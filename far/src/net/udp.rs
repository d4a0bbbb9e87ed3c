//! Datagrams, with what the kernel tells of each.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use nix::net::if_::if_nametoindex;
use socket2::{Domain, InterfaceIndexOrAddress, SockRef, Socket, Type};

use super::os;
use crate::machine::{Datagram, Datagrams, Group, Out};

/// How many are read, and how many bytes, before others have their turn and all is said: a burst that is longer than
/// what the kernel keeps is not lost here.
const AT_ONCE: (usize, usize) = (4096, 8 << 20);
/// How much the kernel is asked to keep until it is read, in bytes: what has no room there is lost.
const KEPT: usize = 4 << 20;

/// The sockets and their machine.
pub(super) struct Udp {
    /// The server's own, then one for each group.
    sockets: Vec<UdpSocket>,
    locals: Vec<SocketAddr>,
    buffer: Vec<u8>,
    pub(super) machine: Box<dyn Datagrams>,
}

impl Udp {
    pub(super) fn new(
        socket: UdpSocket,
        groups: &[Group],
        machine: Box<dyn Datagrams>,
    ) -> io::Result<Self> {
        let port = socket.local_addr()?.port();
        let mut sockets = vec![socket];
        for group in groups {
            let joined = join(group, port);
            sockets.push(joined.map_err(|e| {
                let interface = group.interface.as_deref().map(|name| format!("%{name}"));
                let what = format!("{}{}", group.addr, interface.unwrap_or_default());
                io::Error::new(e.kind(), format!("the group {what} cannot be joined: {e}"))
            })?);
        }
        for socket in &sockets {
            socket.set_nonblocking(true)?;
            // It is worth a try: there is a limit.
            let _ = SockRef::from(socket).set_recv_buffer_size(KEPT);
            os::ask(socket);
        }
        let locals = sockets.iter().map(UdpSocket::local_addr).collect::<io::Result<_>>()?;
        Ok(Self { sockets, locals, buffer: vec![0; 1 << 16], machine })
    }

    /// What is to be waited for.
    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.sockets.iter().map(UdpSocket::as_fd)
    }

    /// Hands over what came to all of them and was not read yet: whether there may be more.
    pub(super) fn read_all(&mut self, at: Duration, out: &mut Out) -> bool {
        (0..self.sockets.len()).fold(false, |more, index| self.read(index, at, out) | more)
    }

    /// Hands over what came to that socket of [`Self::fds`]: whether there may be more.
    pub(super) fn read(&mut self, index: usize, at: Duration, out: &mut Out) -> bool {
        let mut bytes = 0;
        for _ in 0..AT_ONCE.0 {
            match os::receive(&self.sockets[index], &mut self.buffer) {
                Ok(got) => {
                    let mut local = self.locals[index];
                    if let Some(ip) = got.to {
                        local.set_ip(as_family(ip, local));
                    }
                    let data = &self.buffer[..got.len];
                    bytes += got.len;
                    let datagram = Datagram { local, peer: got.peer, data, about: got.about };
                    self.machine.input(&datagram, at, out);
                }
                // What was sent before came to nobody (ICMP): the next is another's.
                Err(e) if e.kind() == ErrorKind::ConnectionRefused => {}
                Err(_) => return false,
            }
            if out.closes_port {
                return false;
            }
            if bytes > AT_ONCE.1 {
                break;
            }
        }
        true
    }

    /// Sends what the machine wants sent, from the address that it says if that is one host's. What the kernel does
    /// not take is lost, as datagrams are.
    pub(super) fn send(&self, out: &mut Out) {
        for reply in out.datagrams.drain(..) {
            let socket = &self.sockets[0];
            let own = self.locals[0].ip();
            let from = reply.local.ip();
            let chosen = own.is_unspecified() && !from.is_multicast() && !is_broadcast(from);
            let sent = if chosen && !from.is_unspecified() {
                os::send(socket, &reply.data, reply.peer, reply.local)
            } else {
                socket.send_to(&reply.data, reply.peer).map(drop)
            };
            // A broadcast within a network looks like an address of one host, and none of ours.
            if sent.is_err() && chosen {
                let _ = socket.send_to(&reply.data, reply.peer);
            }
        }
    }
}

fn is_broadcast(ip: IpAddr) -> bool {
    matches!(ip.to_canonical(), IpAddr::V4(ip) if ip.is_broadcast())
}

/// The address as a socket of that family writes it: one of IPv4 is mapped where it came to a socket of IPv6.
fn as_family(ip: IpAddr, of: SocketAddr) -> IpAddr {
    match (ip, of) {
        (IpAddr::V4(ip), SocketAddr::V6(_)) => IpAddr::V6(ip.to_ipv6_mapped()),
        (ip, _) => ip,
    }
}

/// A socket of datagrams at that address. Groups have sockets of their own at its port, which want it shared.
pub(super) fn bind(at: SocketAddr, shares: bool) -> io::Result<UdpSocket> {
    if !shares {
        return UdpSocket::bind(at);
    }
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, None)?;
    share(&socket)?;
    // What is not for it alone comes to the groups' own sockets.
    os::only_own_groups(&socket);
    socket.bind(&at.into())?;
    Ok(socket.into())
}

fn share(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)
}

/// A socket that gets what is sent to the group, at that port, by that interface.
fn join(group: &Group, port: u16) -> io::Result<UdpSocket> {
    if !group.addr.is_multicast() {
        return Err(io::Error::other("it is no multicast address"));
    }
    let index = match group.interface.as_deref() {
        None => 0,
        Some(name) => if_nametoindex(name)
            .map_err(|_| io::Error::new(ErrorKind::NotFound, "there is no such interface"))?,
    };
    let scoped = |ip: Ipv6Addr| SocketAddr::V6(SocketAddrV6::new(ip, port, 0, index));
    let at = match group.addr {
        IpAddr::V4(_) => SocketAddr::new(group.addr, port),
        IpAddr::V6(ip) => scoped(ip),
    };
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, None)?;
    share(&socket)?;
    os::only_own_groups(&socket);
    socket.bind(&at.into())?;
    match group.addr {
        IpAddr::V4(ip) => {
            socket.join_multicast_v4_n(&ip, &InterfaceIndexOrAddress::Index(index))?;
        }
        IpAddr::V6(ip) => socket.join_multicast_v6(&ip, index)?,
    }
    Ok(socket.into())
}
