//! What is asked of a step, whichever call it is: its socket, its data, its addresses.

use super::addr::{Addr, Port};
use super::op::{Control, PollFd};
use super::process::Signal;
use super::{Flags, LabOp, Op, Payload};

impl Op {
    /// Whether the call connects, sends, receives, ends or closes on a socket that is there: such a one is
    /// made ready first, and then by whichever thread is to make it.
    pub fn is_transfer(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. }
                | Self::Accept { .. }
                | Self::Send { .. }
                | Self::Sendto { .. }
                | Self::Sendmsg { .. }
                | Self::Write { .. }
                | Self::Recv { .. }
                | Self::Recvfrom { .. }
                | Self::Recvmsg { .. }
                | Self::Read { .. }
                | Self::Shutdown { .. }
                | Self::Close { .. }
                | Self::Accept4 { .. }
                | Self::Writev { .. }
                | Self::Readv { .. }
        )
    }

    /// Whether a case goes on where this system has no name for what the step asks: a program that
    /// cannot read an option makes its other calls all the same.
    pub fn may_be_left_out(&self) -> bool {
        matches!(self, Self::Getsockopt { .. })
    }

    /// The descriptors that it waits for, with what is waited for: of `poll` and `ppoll`.
    pub fn polled(&self) -> Option<&[PollFd]> {
        match self {
            Self::Poll { fds, .. } | Self::Ppoll { fds, .. } => Some(fds),
            _ => None,
        }
    }

    /// The signals that are blocked while it waits, and no others of a case's, if it says so.
    pub fn mask(&self) -> Option<&[Signal]> {
        match self {
            Self::Ppoll { mask, .. }
            | Self::Pselect { mask, .. }
            | Self::EpollPwait { mask, .. } => mask.as_deref(),
            _ => None,
        }
    }

    /// The control messages that it is given.
    pub fn controls(&self) -> Vec<&Control> {
        match self {
            Self::Sendmsg { control, .. } => control.iter().collect(),
            Self::Sendmmsg { control, .. } => control.iter().flatten().collect(),
            Self::Raw { args, .. } => super::raw::controls(args).iter().collect(),
            _ => Vec::new(),
        }
    }

    /// How long it waits at the most by an argument of its own, in milliseconds: -1 for ever; none of
    /// a call that has no such argument.
    pub fn timeout_ms(&self) -> Option<i32> {
        let of = |ms: &Option<u32>| ms.map_or(-1, |ms| i32::try_from(ms).unwrap_or(i32::MAX));
        match self {
            Self::Poll { timeout_ms, .. }
            | Self::Kevent { timeout_ms, .. }
            | Self::EpollWait { timeout_ms, .. }
            | Self::EpollPwait { timeout_ms, .. } => Some(*timeout_ms),
            Self::Ppoll { timeout_ms, .. }
            | Self::Select { timeout_ms, .. }
            | Self::Pselect { timeout_ms, .. } => Some(of(timeout_ms)),
            Self::Raw { call, args } => super::raw::timeout_ms(call, args),
            _ => None,
        }
    }

    /// The socket that the call is made on; none for calls on no single existing socket.
    pub fn fd(&self) -> Option<&str> {
        match self {
            Self::Bind { fd, .. }
            | Self::Connect { fd, .. }
            | Self::Listen { fd, .. }
            | Self::Accept { fd, .. }
            | Self::Send { fd, .. }
            | Self::Sendto { fd, .. }
            | Self::Sendmsg { fd, .. }
            | Self::Recv { fd, .. }
            | Self::Recvfrom { fd, .. }
            | Self::Recvmsg { fd, .. }
            | Self::Write { fd, .. }
            | Self::Read { fd, .. }
            | Self::Shutdown { fd, .. }
            | Self::Close { fd }
            | Self::Getsockname { fd }
            | Self::Getpeername { fd }
            | Self::Setsockopt { fd, .. }
            | Self::Getsockopt { fd, .. }
            | Self::Ioctl { fd, .. }
            | Self::Fcntl { fd, .. }
            | Self::Connectx { fd, .. }
            | Self::Disconnectx { fd }
            | Self::SendmsgX { fd, .. }
            | Self::RecvmsgX { fd, .. }
            | Self::Accept4 { fd, .. }
            | Self::Dup { fd, .. }
            | Self::Writev { fd, .. }
            | Self::Readv { fd, .. }
            | Self::Sendmmsg { fd, .. }
            | Self::Recvmmsg { fd, .. }
            | Self::Sendfile { fd, .. }
            | Self::Sockatmark { fd }
            | Self::EpollCtl { fd, .. }
            | Self::EpollWait { fd, .. }
            | Self::EpollPwait { fd, .. } => Some(fd),
            Self::Raw { args, .. } => super::raw::fd(args),
            Self::Socket { .. }
            | Self::Socketpair { .. }
            | Self::Poll { .. }
            | Self::Getaddrinfo { .. }
            | Self::Getnameinfo { .. }
            | Self::InetPton { .. }
            | Self::InetAton { .. }
            | Self::Kevent { .. }
            | Self::Pipe { .. }
            | Self::File { .. }
            | Self::Mkdir { .. }
            | Self::Unlink { .. }
            | Self::Symlink { .. }
            | Self::Chmod { .. }
            | Self::Splice { .. }
            | Self::Ppoll { .. }
            | Self::Select { .. }
            | Self::Pselect { .. }
            | Self::EpollCreate1 { .. }
            | Self::IfNametoindex { .. }
            | Self::IfIndextoname { .. }
            | Self::Getifaddrs {}
            | Self::Process { .. }
            | Self::Run { .. }
            | Self::Lab { .. } => None,
        }
    }

    /// The data that the call sends, if it sends any.
    pub fn payload(&self) -> Option<&Payload> {
        match self {
            Self::Send { data, .. }
            | Self::Sendto { data, .. }
            | Self::Sendmsg { data, .. }
            | Self::Write { data, .. } => Some(data),
            Self::Connectx { data, .. } => data.as_ref(),
            _ => None,
        }
    }

    /// By which descriptor the call sends, if it is one that does: whether the case says what or not, as of a file's
    /// bytes.
    pub fn sends_by(&self) -> Option<&str> {
        match self {
            Self::Send { fd, .. }
            | Self::Sendto { fd, .. }
            | Self::Sendmsg { fd, .. }
            | Self::Write { fd, .. }
            | Self::Writev { fd, .. }
            | Self::Sendmmsg { fd, .. }
            | Self::SendmsgX { fd, .. }
            | Self::Sendfile { fd, .. }
            | Self::Connectx { fd, data: Some(_), .. }
            | Self::Splice { to: fd, .. } => Some(fd),
            Self::Raw { call, args } if super::raw::SENDS.contains(&call.as_str()) => {
                super::raw::fd(args)
            }
            _ => None,
        }
    }

    /// Whether the call sends.
    pub fn sends(&self) -> bool {
        self.sends_by().is_some()
    }

    /// Whether the call receives.
    pub fn receives(&self) -> bool {
        match self {
            Self::Recv { .. }
            | Self::Recvfrom { .. }
            | Self::Recvmsg { .. }
            | Self::Recvmmsg { .. }
            | Self::RecvmsgX { .. }
            | Self::Read { .. }
            | Self::Readv { .. } => true,
            Self::Raw { call, .. } => super::raw::TAKES.contains(&call.as_str()),
            _ => false,
        }
    }

    /// The flags of a call that sends, if it has such.
    pub fn send_flags(&self) -> Option<&Flags> {
        match self {
            Self::Send { flags, .. }
            | Self::Sendto { flags, .. }
            | Self::Sendmsg { flags, .. }
            | Self::Sendmmsg { flags, .. }
            | Self::SendmsgX { flags, .. } => Some(flags),
            Self::Raw { args, .. } if self.sends() => super::raw::flags(args),
            _ => None,
        }
    }

    /// All the bytes that it sends as one, if it sends any that the case says: `writev`'s parts are one.
    pub fn written(&self) -> Option<Vec<u8>> {
        match self {
            Self::Writev { data, .. } => Some(data.iter().flat_map(Payload::bytes).collect()),
            Self::Raw { call, args } => super::raw::written(call, args),
            other => other.payload().map(Payload::bytes),
        }
    }

    /// Everything that the call sends: more than one payload where it is made for that.
    pub fn payloads(&self) -> Vec<&Payload> {
        match self {
            Self::SendmsgX { data, .. }
            | Self::Sendmmsg { data, .. }
            | Self::Writev { data, .. } => data.iter().collect(),
            Self::File { data, .. } => vec![data],
            other => other.payload().into_iter().collect(),
        }
    }

    /// The sockets that it makes, by their names.
    pub fn makes(&self) -> Vec<&str> {
        match self {
            Self::Socket { fd: new, .. }
            | Self::Accept { new, .. }
            | Self::Accept4 { new, .. }
            | Self::Dup { new, .. }
            | Self::File { new, .. }
            | Self::EpollCreate1 { new, .. } => vec![new],
            Self::Socketpair { a, b, .. } | Self::Pipe { read: a, write: b } => vec![a, b],
            _ => Vec::new(),
        }
    }

    /// Whether what it returns is the descriptor that it makes.
    pub fn gives_a_descriptor(&self) -> bool {
        self.makes().len() == 1
    }

    /// The sockets that it is about, each made by an earlier step if it is there at all.
    pub fn uses(&self) -> Vec<&str> {
        let ports = self.addrs().filter_map(|addr| match &addr.port {
            Port::Of(socket) => Some(socket.as_str()),
            Port::Is(_) => None,
        });
        let mut all: Vec<&str> = ports.collect();
        match self {
            Self::Socket { .. } | Self::Socketpair { .. } => {}
            Self::Poll { fds, .. } | Self::Ppoll { fds, .. } => {
                all.extend(fds.iter().map(|one| one.fd.as_str()));
            }
            Self::Kevent { changes, .. } => all.extend(changes.iter().map(|one| one.fd.as_str())),
            Self::Select { read, write, except, .. }
            | Self::Pselect { read, write, except, .. } => {
                all.extend(read.iter().chain(write).chain(except).map(String::as_str));
            }
            Self::Sendfile { fd, file, .. } => all.extend([fd.as_str(), file]),
            Self::Splice { from, to, .. } => all.extend([from.as_str(), to]),
            Self::EpollCtl { fd, target, .. } => all.extend([fd.as_str(), target]),
            Self::Lab { step: LabOp::Say { frame, .. } } => all.extend(frame.sockets()),
            Self::Sendmsg { fd, .. } | Self::Sendmmsg { fd, .. } => {
                all.push(fd);
                for one in self.controls() {
                    if let Control::Rights { fds } = one {
                        all.extend(fds.iter().map(String::as_str));
                    }
                }
            }
            Self::Raw { args, .. } => all.extend(super::raw::descriptors(args)),
            other => all.extend(other.fd()),
        }
        all
    }

    /// The ports that it gives, those in a frame that it has sent among them.
    pub fn ports(&self) -> impl Iterator<Item = &Port> {
        let frame = match self {
            Self::Lab { step: LabOp::Say { frame, .. } } => Some(frame),
            _ => None,
        };
        self.addrs()
            .map(|addr| &addr.port)
            .chain(frame.into_iter().flat_map(super::far::Frame::ports))
    }

    /// Whether it gives the port of this socket, whatever that was bound to.
    pub fn gives_port_of(&self, socket: &str) -> bool {
        self.ports().any(|port| matches!(port, Port::Of(of) if of == socket))
    }

    /// Every address that the call is given.
    pub fn addrs(&self) -> impl Iterator<Item = &Addr> {
        let source = match self {
            Self::Connectx { source, .. } => source.as_ref(),
            _ => None,
        };
        source.into_iter().chain(self.addr())
    }

    /// The address that the call is given, if it is given one; of two the peer's.
    pub fn addr(&self) -> Option<&Addr> {
        match self {
            Self::Bind { addr, .. }
            | Self::Connect { addr, .. }
            | Self::Sendto { addr, .. }
            | Self::Connectx { addr, .. }
            | Self::Getnameinfo { addr, .. } => Some(addr),
            Self::Sendmsg { addr, .. }
            | Self::SendmsgX { addr, .. }
            | Self::Sendmmsg { addr, .. } => addr.as_ref(),
            Self::Raw { args, .. } => super::raw::addr(args),
            _ => None,
        }
    }
}
