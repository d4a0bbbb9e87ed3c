//! The host's table of routes, by a routing socket.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{Shutdown, shutdown};

use super::sys;
use crate::darwin::route::{self, Answer, Change, Route};

/// How often a question is put: what the kernel tells everybody may leave no room for its answer.
const TRIES: u32 = 3;

pub(super) struct Routes {
    /// What the kernel tells everybody is not read from it.
    writes: OwnedFd,
    asks: OwnedFd,
    seq: i32,
}

impl Routes {
    pub(super) fn open() -> io::Result<Self> {
        let socket = || sys::socket(libc::PF_ROUTE, libc::SOCK_RAW, libc::AF_UNSPEC);
        let (writes, asks) = (socket()?, socket()?);
        shutdown(writes.as_raw_fd(), Shutdown::Read)?;
        sys::do_not_block(&asks)?;
        Ok(Self { writes, asks, seq: 0 })
    }

    fn next(&mut self) -> i32 {
        self.seq += 1;
        self.seq
    }

    /// Adds or deletes a route.
    pub(super) fn change(&mut self, change: Change, route: &Route) -> io::Result<()> {
        let message = route::message(change, self.next(), route);
        nix::unistd::write(&self.writes, &message).map(|_| ()).map_err(Into::into)
    }

    /// Has the kernel forget a neighbour that it asked for; one that it has given up is none.
    pub(super) fn forget_neighbour(&mut self, ip: IpAddr, index: u16) -> io::Result<()> {
        let message = route::forget_neighbour(self.next(), ip, index);
        match nix::unistd::write(&self.writes, &message) {
            Ok(_) | Err(Errno::ESRCH) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// By which way packets would go to `ip`, or, with a length, the route to that prefix.
    pub(super) fn ask(&mut self, ip: IpAddr, prefix_len: Option<u8>) -> io::Result<Option<Answer>> {
        let mut buffer = [0; 2048];
        for _ in 0..TRIES {
            // What is there is no answer yet.
            while nix::unistd::read(&self.asks, &mut buffer).is_ok() {}
            let seq = self.next();
            match nix::unistd::write(&self.asks, &route::question(seq, ip, prefix_len)) {
                Ok(_) => {}
                Err(Errno::ESRCH) => return Ok(None),
                Err(e) => return Err(e.into()),
            }
            while let Ok(len) = nix::unistd::read(&self.asks, &mut buffer) {
                if let Some(answer) = route::answer(&buffer[..len], seq, std::process::id()) {
                    return Ok(answer);
                }
            }
        }
        Err(io::Error::other(format!("nobody says which way {ip} is")))
    }

    /// Whether there is a default route, over IPv4 or IPv6.
    pub(super) fn has_default(&mut self) -> io::Result<bool> {
        for any in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()] {
            let found = self.ask(any, Some(0))?;
            if found.is_some_and(|found| !found.drops) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
