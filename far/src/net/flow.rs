//! One TCP connection: what is to be done with it, in order, as far as the kernel takes it.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use nix::poll::PollFlags;
use socket2::SockRef;

/// How much is read at once.
const CHUNK: usize = 16 << 10;
/// How much may wait to be sent before nothing more is read.
const FULL: usize = 1 << 20;

/// What waits to be done.
#[derive(Debug)]
enum Step {
    Bytes(VecDeque<u8>),
    Shutdown,
    Close,
    Reset,
    Vanish,
}

/// What reading came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    Bytes(Vec<u8>),
    Urgent,
    End,
    Broken(String),
}

/// A connection and what waits to be done with it.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) stream: TcpStream,
    steps: VecDeque<Step>,
    waiting: usize,
    ended: bool,
    vanished: bool,
    urgent: bool,
}

impl Flow {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        // Urgent bytes keep their place (RFC 6093 §6).
        SockRef::from(&stream).set_out_of_band_inline(true)?;
        let (ended, vanished, urgent) = (false, false, false);
        Ok(Self { stream, steps: VecDeque::new(), waiting: 0, ended, vanished, urgent })
    }

    pub(super) fn send(&mut self, bytes: Vec<u8>) {
        self.waiting += bytes.len();
        match self.steps.back_mut() {
            Some(Step::Bytes(last)) => last.extend(bytes),
            _ => self.steps.push_back(Step::Bytes(bytes.into())),
        }
    }

    pub(super) fn shutdown(&mut self) {
        self.steps.push_back(Step::Shutdown);
    }

    pub(super) fn close(&mut self) {
        self.steps.push_back(Step::Close);
    }

    pub(super) fn reset(&mut self) {
        self.steps.push_back(Step::Reset);
    }

    pub(super) fn vanish(&mut self) {
        self.steps.push_back(Step::Vanish);
    }

    /// Whether so much waits to be sent that no more should come.
    pub(super) fn is_full(&self) -> bool {
        self.waiting >= FULL
    }

    /// What to wait for; `room` is what its reader takes.
    pub(super) fn wants(&self, room: usize) -> PollFlags {
        let mut flags = PollFlags::empty();
        if self.vanished {
            return flags;
        }
        let closes = self.steps.iter().any(|s| matches!(s, Step::Close | Step::Reset));
        if !self.ended && !closes && room > 0 && !self.is_full() {
            flags |= PollFlags::POLLIN;
            if !self.urgent {
                flags |= PollFlags::POLLPRI;
            }
        }
        if !self.steps.is_empty() {
            flags |= PollFlags::POLLOUT;
        }
        flags
    }

    /// Does what can be done now: whether the connection goes on.
    pub(super) fn act(&mut self) -> io::Result<bool> {
        while let Some(step) = self.steps.front_mut() {
            match step {
                Step::Bytes(bytes) => match self.stream.write(bytes.make_contiguous()) {
                    Ok(n) => {
                        bytes.drain(..n);
                        self.waiting -= n;
                        if !bytes.is_empty() {
                            continue;
                        }
                    }
                    Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(true),
                    Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                    Err(e) => return Err(e),
                },
                Step::Shutdown => match self.stream.shutdown(Shutdown::Write) {
                    Err(e) if e.kind() != ErrorKind::NotConnected => return Err(e),
                    _ => {}
                },
                Step::Close => return Ok(false),
                Step::Reset => {
                    SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?;
                    return Ok(false);
                }
                Step::Vanish => {
                    self.vanished = true;
                    self.steps.clear();
                    self.waiting = 0;
                    return Ok(true);
                }
            }
            self.steps.pop_front();
        }
        Ok(true)
    }

    /// Reads once.
    pub(super) fn read(&mut self, events: PollFlags, room: usize) -> Option<Came> {
        let looks = PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR;
        if events.contains(PollFlags::POLLPRI) && !self.urgent {
            self.urgent = true;
            return Some(Came::Urgent);
        }
        if !events.intersects(looks) || self.ended || self.vanished || room == 0 {
            return None;
        }
        let mut chunk = vec![0; CHUNK.min(room)];
        match self.stream.read(&mut chunk) {
            Ok(0) => {
                self.ended = true;
                Some(Came::End)
            }
            Ok(n) => {
                chunk.truncate(n);
                self.urgent = false;
                Some(Came::Bytes(chunk))
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => None,
            Err(e) => Some(Came::Broken(why(&e))),
        }
    }
}

/// An error in words, without its number.
pub(super) fn why(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionReset => "reset (RST)".to_owned(),
        ErrorKind::BrokenPipe => "the other end is closed".to_owned(),
        ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        _ => error.to_string(),
    }
}
