//! Where nothing but what is everywhere is asked of the kernel.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::Socket;

use super::received::Received;
use crate::machine::About;

/// Nothing is asked for.
pub(super) fn ask(_socket: &UdpSocket) {}

/// It gets no others' by itself.
pub(super) fn only_own_groups(_socket: &Socket) {}

/// The next datagram.
pub(super) fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
    let (len, peer) = socket.recv_from(buffer)?;
    Ok(Received { peer, to: None, len, about: About::default() })
}

/// Sends a datagram, from whichever address the kernel chooses.
pub(super) fn send(
    socket: &UdpSocket,
    data: &[u8],
    to: SocketAddr,
    _from: SocketAddr,
) -> io::Result<()> {
    socket.send_to(data, to).map(drop)
}
