//! Ordinary sockets: one thread that waits for all of them, and hands what comes to the machines.

mod flow;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod messages;
mod received;
mod room;
mod udp;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as os;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as os;

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod other;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
use other as os;

use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::net::UnixStream;
use std::thread::{Builder, JoinHandle};

use crate::machine::Kind;
use crate::witness::{Told, Witness};

/// How often a port is looked for that TCP and UDP both have free.
const TRIES: usize = 16;

/// A server at work.
pub struct Server {
    addr: SocketAddr,
    waker: UnixStream,
    thread: JoinHandle<Box<dyn Witness>>,
}

impl Server {
    /// Starts to serve at that address, whose port may be 0, and says what comes as it comes.
    pub fn start(
        listen: SocketAddr,
        mut kind: Box<dyn Kind>,
        witness: Box<dyn Witness>,
        say: impl FnMut(Told) + Send + 'static,
    ) -> io::Result<Self> {
        let datagrams = kind.datagrams();
        let groups = if datagrams.is_some() { kind.groups() } else { Vec::new() };
        let shares = datagrams.as_ref().map(|_| !groups.is_empty());
        let (listener, socket) = bind(listen, kind.has_streams(), shares)?;
        let of_socket = || socket.as_ref().map(UdpSocket::local_addr);
        let addr = listener.as_ref().map(TcpListener::local_addr).or_else(of_socket);
        let addr = addr.unwrap_or_else(|| Err(io::Error::other("it serves nothing")))?;
        let (waker, woken) = UnixStream::pair()?;
        let udp = socket.zip(datagrams);
        let udp = udp.map(|(socket, machine)| udp::Udp::new(socket, &groups, machine));
        let room =
            room::Room::new(listener, udp.transpose()?, woken, kind, witness, Box::new(say))?;
        let thread = Builder::new().name("far end".to_owned()).spawn(move || room.serve())?;
        Ok(Self { addr, waker, thread })
    }

    /// Where it serves.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes what is waiting to be accepted, gives what is unfinished a moment, and ends; who was told everything.
    /// None if the thread has panicked.
    pub fn stop(mut self) -> Option<Box<dyn Witness>> {
        // It may have ended by itself: then there is nobody to be woken.
        let _ = self.waker.write_all(b"x");
        self.thread.join().ok()
    }
}

/// What listens at that address; both have the same port. Of datagrams, whether the port is shared.
fn bind(
    listen: SocketAddr,
    streams: bool,
    datagrams: Option<bool>,
) -> io::Result<(Option<TcpListener>, Option<UdpSocket>)> {
    let mut tries = 0;
    loop {
        tries += 1;
        let listener = streams.then(|| TcpListener::bind(listen)).transpose()?;
        let at = listener.as_ref().map_or(Ok(listen), TcpListener::local_addr)?;
        match datagrams.map(|shares| udp::bind(at, shares)).transpose() {
            // Another program has that port of UDP, of which the kernel knew nothing when it chose.
            Err(e)
                if e.kind() == io::ErrorKind::AddrInUse && listen.port() == 0 && tries < TRIES => {}
            Err(e) => return Err(e),
            Ok(socket) => return Ok((listener, socket)),
        }
    }
}

#[cfg(test)]
mod tests;
