//! Datagrams, with what the kernel tells of each.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::machine::{About, Datagram, Datagrams, Out};

/// How many are read before others have their turn.
const AT_ONCE: usize = 64;

/// A socket and its machine.
pub(super) struct Udp {
    pub(super) socket: UdpSocket,
    pub(super) machine: Box<dyn Datagrams>,
    local: SocketAddr,
}

impl Udp {
    pub(super) fn new(socket: UdpSocket, machine: Box<dyn Datagrams>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        Ok(Self { socket, machine, local })
    }

    /// Hands over what came.
    pub(super) fn read(&mut self, at: Duration, out: &mut Out) {
        let mut buffer = vec![0; 1 << 16];
        for _ in 0..AT_ONCE {
            match self.socket.recv_from(&mut buffer) {
                Ok((n, peer)) => {
                    let about = About::default();
                    let datagram = Datagram { local: self.local, peer, data: &buffer[..n], about };
                    self.machine.input(&datagram, at, out);
                }
                // What was sent before came to nobody (ICMP): the next is another's.
                Err(e) if e.kind() == ErrorKind::ConnectionRefused => {}
                Err(_) => return,
            }
        }
    }

    /// Sends what the machine wants sent. What the kernel does not take is lost, as datagrams are.
    pub(super) fn send(&self, out: &mut Out) {
        for reply in out.datagrams.drain(..) {
            let _ = self.socket.send_to(&reply.data, reply.peer);
        }
    }
}
