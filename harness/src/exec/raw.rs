//! Calls with a pointer that leads nowhere, or a length that lies.

use std::os::fd::RawFd;
use std::ptr::null_mut;
use std::sync::OnceLock;

use libc::{c_int, c_void, socklen_t};

use super::calls::{int, request_of, size};
use super::gave::{Fault, Gave, Returned, given};
use super::options::flags;
use super::runner::Runner;
use super::{guard, os};
use crate::case::Op;
use crate::case::addr::SockAddr;
use crate::case::raw::{Arg, ROOM};
use crate::trace::Out;

/// An argument as the call is given it.
enum Given {
    Number(i64),
    /// By its number, so that another thread can be given it.
    Pointer(usize),
}

impl Given {
    fn int(&self) -> c_int {
        match self {
            Self::Number(n) => *n as c_int,
            Self::Pointer(_) => 0,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Number(n) => *n as usize,
            Self::Pointer(_) => 0,
        }
    }

    fn at<T>(&self) -> *mut T {
        match self {
            Self::Number(_) => null_mut(),
            Self::Pointer(at) => *at as *mut T,
        }
    }
}

/// A page that can be neither read nor written. It stays.
fn bad() -> *mut c_void {
    static PAGE: OnceLock<usize> = OnceLock::new();
    let page = PAGE.get_or_init(|| {
        let (none, how) = (libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANON);
        // SAFETY: a new mapping, wherever the kernel puts it.
        unsafe { libc::mmap(null_mut(), 4096, none, how, -1, 0) as usize }
    });
    *page as *mut c_void
}

impl Runner<'_> {
    pub(super) fn raw(
        &mut self,
        (number, op): (u32, &Op),
        args: &[Arg],
        seen: &mut Option<SockAddr>,
    ) -> Result<Gave, Fault> {
        // Aligned for whatever a structure has.
        let mut rooms: Vec<Vec<u64>> = Vec::new();
        let mut later = false;
        let mut room = |bytes: &[u8]| {
            let mut room = vec![0u64; ROOM / size_of::<u64>() + 1];
            let at: *mut u8 = room.as_mut_ptr().cast();
            // SAFETY: no more bytes than there is room.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len().min(ROOM)) };
            rooms.push(room);
            Given::Pointer(at as usize)
        };
        let mut all = Vec::with_capacity(args.len());
        let mut length = None;
        for arg in args {
            all.push(match arg {
                Arg::Fd(name) => Given::Number(self.fd(name).into()),
                Arg::Number(n) => Given::Number(*n),
                Arg::Names(names) => {
                    let names = flags(names)?;
                    later |= os::reads_later(names);
                    Given::Number(names.into())
                }
                Arg::Null => Given::Pointer(0),
                Arg::Bad => Given::Pointer(bad() as usize),
                Arg::Room => room(&[]),
                Arg::Bytes(bytes) => room(&bytes.0),
                Arg::Addr(addr) => room(self.addr(addr, seen)?.bytes()),
                Arg::At(n) => {
                    let at = room(&n.to_ne_bytes());
                    length = Some(at.at::<c_int>());
                    at
                }
            });
        }
        let int = |at: usize| all.get(at).map_or(0, Given::int);
        match op.call() {
            "getsockopt" => guard::asked((int(1), int(2)), 0)?,
            "setsockopt" if matches!(args.get(3), Some(Arg::Bytes(_))) => {
                // A length below nothing is more than there is.
                let len = usize::try_from(int(4)).unwrap_or(ROOM);
                guard::set((int(1), int(2)), len, None)?;
            }
            // The room goes when the call has returned.
            call if later && call.starts_with("send") => {
                let why = format!("{call}: what is read later is no room of one call");
                return Err(Fault::Broken(why));
            }
            _ => {}
        }
        let call = op.call();
        let made = self.apart((number, op), move || (make(call, &all), rooms))?;
        let (returned, rooms) = made;
        let returned =
            returned.ok_or_else(|| Fault::Broken(format!("{} takes no pointer", op.call())))?;
        // SAFETY: it leads into one of the rooms, which are still there.
        let length = length.map(|at| unsafe { at.read() });
        drop(rooms);
        let returned = match returned {
            // It has no name: where nothing is written of the address, it is accepted all the same.
            Ok(fd) if op.call() == "accept" => {
                self.received.extend(RawFd::try_from(fd).ok());
                Ok(0)
            }
            returned => returned,
        };
        Ok(given(returned).map(|ret| (ret, length.map_or(Out::Nothing, Out::Int))))
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
