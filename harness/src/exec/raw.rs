//! Calls with a pointer that leads nowhere, or a length that lies.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::ptr::null_mut;
use std::sync::OnceLock;

use libc::{c_int, c_void, socklen_t};

use super::calls::{control_of, int, messages, request_of, size};
use super::gave::{Fault, Gave, Returned, given};
use super::options::{self, flags};
use super::received::descriptors;
use super::runner::Runner;
use super::{guard, os};
use crate::case::Op;
use crate::case::addr::SockAddr;
use crate::case::raw::{Arg, MOST_OF_PARTS, Message, ROOM};
use crate::trace::Out;

/// An argument as the call is given it.
pub(super) enum Given {
    Number(i64),
    /// By its number, so that another thread can be given it.
    Pointer(usize),
}

impl Given {
    pub(super) fn int(&self) -> c_int {
        match self {
            Self::Number(n) => *n as c_int,
            Self::Pointer(_) => 0,
        }
    }

    pub(super) fn size(&self) -> usize {
        match self {
            Self::Number(n) => *n as usize,
            Self::Pointer(_) => 0,
        }
    }

    pub(super) fn at<T>(&self) -> *mut T {
        match self {
            Self::Number(_) => null_mut(),
            Self::Pointer(at) => *at as *mut T,
        }
    }
}

/// New pages, wherever the kernel puts them.
fn map(len: usize, how: c_int) -> usize {
    // SAFETY: a new mapping.
    unsafe { libc::mmap(null_mut(), len, how, libc::MAP_PRIVATE | libc::MAP_ANON, -1, 0) as usize }
}

/// A page that can be neither read nor written. It stays.
fn bad() -> usize {
    static PAGE: OnceLock<usize> = OnceLock::new();
    *PAGE.get_or_init(|| map(4096, libc::PROT_NONE))
}

/// Bytes with pages behind them that can be neither read nor written: as many of them as of any length. They go with it.
struct Edge(usize);

impl Edge {
    fn new(bytes: &[u8]) -> Result<(Self, usize), Fault> {
        let at = map(2 * ROOM, libc::PROT_READ | libc::PROT_WRITE);
        if at == libc::MAP_FAILED as usize {
            return Err(Fault::Broken("there is no memory for a page".to_owned()));
        }
        let edge = Self(at);
        let begins = at + ROOM - bytes.len().min(ROOM);
        // SAFETY: no more bytes than there is room before the middle, which is where a page begins, whatever its size.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), begins as *mut u8, bytes.len().min(ROOM));
        }
        // SAFETY: the second half of the mapping, to which nothing leads.
        let none = unsafe { libc::mprotect((at + ROOM) as *mut c_void, ROOM, libc::PROT_NONE) };
        int(none).map_err(|_| Fault::Broken("a page stays as it is".to_owned()))?;
        Ok((edge, begins))
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        // SAFETY: the whole mapping, to which nothing leads any longer.
        unsafe { libc::munmap(self.0 as *mut c_void, 2 * ROOM) };
    }
}

/// What the pointers of one call lead to, until it has returned.
#[derive(Default)]
struct Rooms {
    /// Aligned for whatever a structure has.
    all: Vec<Vec<u64>>,
    edges: Vec<Edge>,
    /// Where the length is that a pointer leads to.
    length: Option<usize>,
    /// Where the `struct msghdr` is whose control messages the kernel may write.
    told: Option<usize>,
}

impl Rooms {
    /// A pointer to these bytes, and zeros behind them.
    fn with(&mut self, bytes: &[u8]) -> usize {
        let mut room = vec![0u64; ROOM / size_of::<u64>() + 1];
        let at: *mut u8 = room.as_mut_ptr().cast();
        // SAFETY: no more bytes than there is room.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len().min(ROOM)) };
        self.all.push(room);
        at as usize
    }

    /// A pointer to this structure, which has less than a room.
    fn structure<T>(&mut self, structure: T) -> usize {
        let at = self.with(&[]);
        // SAFETY: there is room for it, aligned for whatever it has.
        unsafe { (at as *mut T).write(structure) };
        at
    }
}

impl Runner<'_> {
    pub(super) fn raw(
        &mut self,
        (number, op): (u32, &Op),
        args: &[Arg],
        seen: &mut Option<SockAddr>,
    ) -> Result<Gave, Fault> {
        let (mut rooms, mut later) = (Rooms::default(), false);
        let mut all = Vec::with_capacity(args.len());
        for arg in args {
            all.push(match arg {
                Arg::Fd(name) => Given::Number(self.fd(name).into()),
                Arg::Number(n) => Given::Number(*n),
                Arg::Names(names) => {
                    let names = flags(names)?;
                    later |= os::reads_later(names);
                    Given::Number(names.into())
                }
                pointer => Given::Pointer(self.lead(pointer, &mut rooms, seen)?),
            });
        }
        let call = op.call();
        may_be_given(call, args, &all, later)?;
        let made = self.apart((number, op), move || (make(call, &all), rooms))?;
        let (returned, rooms) = made;
        let returned =
            returned.ok_or_else(|| Fault::Broken(format!("{} takes no pointer", op.call())))?;
        // SAFETY: it leads into one of the rooms, which are still there.
        let length = rooms.length.map(|at| unsafe { (at as *const c_int).read() });
        if let Some(at) = rooms.told.filter(|_| returned.is_ok()) {
            // SAFETY: it is in one of the rooms, which are still there.
            let header = unsafe { &*(at as *const libc::msghdr) };
            // SAFETY: the header is as the kernel left it, and its control messages are in one of the rooms, too.
            let messages = unsafe { messages(header) };
            self.received.extend(descriptors(&messages));
        }
        drop(rooms);
        let returned = match returned {
            // It has no name: where nothing is written of the address, it is accepted all the same.
            Ok(fd) if op.call().starts_with("accept") => {
                self.received.extend(RawFd::try_from(fd).ok());
                Ok(0)
            }
            returned => returned,
        };
        Ok(given(returned).map(|ret| (ret, length.map_or(Out::Nothing, Out::Int))))
    }

    /// A pointer to what an argument says.
    fn lead(
        &self,
        arg: &Arg,
        rooms: &mut Rooms,
        seen: &mut Option<SockAddr>,
    ) -> Result<usize, Fault> {
        Ok(match arg {
            Arg::Bad => bad(),
            Arg::Room => rooms.with(&[]),
            Arg::Bytes(bytes) => rooms.with(&bytes.0),
            Arg::Addr(addr) => rooms.with(self.addr(addr, seen)?.bytes()),
            Arg::At(n) => {
                let at = rooms.with(&n.to_ne_bytes());
                rooms.length = Some(at);
                at
            }
            Arg::Edge(bytes) => {
                let (edge, begins) = Edge::new(&bytes.0)?;
                rooms.edges.push(edge);
                begins
            }
            Arg::Parts(parts) => {
                let none = libc::iovec { iov_base: null_mut(), iov_len: 0 };
                let mut all = [none; MOST_OF_PARTS];
                for (one, part) in all.iter_mut().zip(parts) {
                    one.iov_base = self.lead(&part.base, rooms, seen)? as *mut c_void;
                    one.iov_len = part.len as usize;
                }
                rooms.structure(all)
            }
            Arg::Message(message) => self.message(message, rooms, seen)?,
            Arg::Null | Arg::Fd(_) | Arg::Number(_) | Arg::Names(_) => 0,
        })
    }

    /// A `struct msghdr`, and what it leads to.
    fn message(
        &self,
        message: &Message,
        rooms: &mut Rooms,
        seen: &mut Option<SockAddr>,
    ) -> Result<usize, Fault> {
        // SAFETY: all zeros is a valid `struct msghdr`.
        let mut msg: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        let (name, len) = match &message.name {
            Arg::Addr(addr) => {
                let addr = self.addr(addr, seen)?;
                (rooms.with(addr.bytes()), addr.len)
            }
            other => (self.lead(other, rooms, seen)?, 0),
        };
        msg.msg_name = name as *mut c_void;
        msg.msg_namelen = message.namelen.map_or(len, |n| n as socklen_t);
        let parts = if let Arg::Parts(parts) = &message.iov { parts.len() } else { 0 };
        msg.msg_iov = self.lead(&message.iov, rooms, seen)? as *mut libc::iovec;
        msg.msg_iovlen = message.iovlen.map_or(parts, |n| n as usize) as _;
        let (control, len) = if message.controls.is_empty() {
            (self.lead(&message.control, rooms, seen)?, 0)
        } else {
            let all: Result<Vec<_>, _> =
                message.controls.iter().map(|one| options::message(one, self)).collect();
            let (control, len) = control_of(&all?);
            let bytes: Vec<u8> = control.iter().flat_map(|word| word.to_ne_bytes()).collect();
            (rooms.with(&bytes), len)
        };
        msg.msg_control = control as *mut c_void;
        msg.msg_controllen = message.controllen.map_or(len, |n| n as usize) as _;
        let at = rooms.structure(msg);
        rooms.told = (message.control == Arg::Room).then_some(at);
        Ok(at)
    }
}

/// That what such a call is given is for no pointer of a kernel's, and is read while the call lasts.
fn may_be_given(call: &str, args: &[Arg], all: &[Given], later: bool) -> Result<(), Fault> {
    let int = |at: usize| all.get(at).map_or(0, Given::int);
    match call {
        "getsockopt" => guard::asked((int(1), int(2)), 0),
        "setsockopt" if matches!(args.get(3), Some(Arg::Bytes(_))) => {
            // A length below nothing is more than there is.
            let len = usize::try_from(int(4)).unwrap_or(ROOM);
            guard::set((int(1), int(2)), len, None)
        }
        // The room goes when the call has returned.
        call if later && call.starts_with("send") => {
            let why = format!("{call}: what is read later is no room of one call");
            Err(Fault::Broken(why))
        }
        _ => Ok(()),
    }
}

/// A call of the C library.
macro_rules! c {
    ($call:ident($($arg:expr),*)) => {
        // SAFETY: the arguments were checked (`Case::check`): each pointer is null, the page that nobody may touch, or
        // leads to more bytes than any length says. A kernel answers EFAULT where one leads nowhere.
        unsafe { libc::$call($($arg),*) }
    };
}

/// Makes the call.
fn make(call: &str, args: &[Given]) -> Option<Returned> {
    let arg = |at: usize| args.get(at).unwrap_or(&Given::Number(0));
    let (fd, one, two, three) = (arg(0).int(), arg(1), arg(2), arg(3));
    let len = |at: usize| arg(at).int().cast_unsigned() as socklen_t;
    if let Some(returned) = os::raw_call(call, args) {
        return Some(returned);
    }
    Some(match call {
        "accept" => int(c!(accept(fd, one.at(), two.at()))),
        "bind" => int(c!(bind(fd, one.at(), len(2)))),
        "connect" => int(c!(connect(fd, one.at(), len(2)))),
        "getpeername" => int(c!(getpeername(fd, one.at(), two.at()))),
        "getsockname" => int(c!(getsockname(fd, one.at(), two.at()))),
        "getsockopt" => int(c!(getsockopt(fd, one.int(), two.int(), three.at(), arg(4).at()))),
        "ioctl" => int(c!(ioctl(fd, request_of(one.int()), two.at::<c_void>()))),
        "poll" => int(c!(poll(arg(0).at(), one.size() as libc::nfds_t, two.int()))),
        "read" => size(c!(read(fd, one.at(), two.size()))),
        "readv" => size(c!(readv(fd, one.at(), two.int()))),
        "recv" => size(c!(recv(fd, one.at(), two.size(), three.int()))),
        "recvfrom" => {
            let (from, len_at) = (arg(4).at(), arg(5).at());
            size(c!(recvfrom(fd, one.at(), two.size(), three.int(), from, len_at)))
        }
        "recvmsg" => size(c!(recvmsg(fd, one.at(), two.int()))),
        "select" => int(c!(select(fd, one.at(), two.at(), three.at(), arg(4).at()))),
        "send" => size(c!(send(fd, one.at(), two.size(), three.int()))),
        "sendmsg" => size(c!(sendmsg(fd, one.at(), two.int()))),
        "sendto" => {
            let to = arg(4).at();
            size(c!(sendto(fd, one.at(), two.size(), three.int(), to, len(5))))
        }
        "setsockopt" => int(c!(setsockopt(fd, one.int(), two.int(), three.at(), len(4)))),
        "socketpair" => int(c!(socketpair(fd, one.int(), two.int(), three.at()))),
        "write" => size(c!(write(fd, one.at(), two.size()))),
        "writev" => size(c!(writev(fd, one.at(), two.int()))),
        _ => return None,
    })
}
