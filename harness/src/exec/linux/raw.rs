//! Linux's own calls with a pointer that leads nowhere, or a length that lies.

use libc::{c_void, socklen_t};

use super::own::returned;
use crate::exec::gave::Returned;
use crate::exec::raw::Given;

/// A call of the C library.
macro_rules! c {
    ($call:ident($($arg:expr),*)) => {
        // SAFETY: the arguments were checked (`Case::check`): each pointer is null, the page that nobody may touch, or
        // leads to more bytes than any length says. A kernel answers EFAULT where one leads nowhere.
        returned(unsafe { libc::$call($($arg),*) }.into())
    };
}

/// A call of the kernel's. musl looks into a structure before the kernel does, and a process that gives it a pointer to
/// nothing ends: its `recvmsg`, `sendmsg`, `recvmmsg`, `sendmmsg` and `ppoll`.
macro_rules! kernels {
    ($number:ident, $fd:expr, $($arg:expr),*) => {
        // SAFETY: as above.
        returned(unsafe { libc::syscall(libc::$number, $fd, $($arg),*) }.into())
    };
}

/// The bytes of a kernel's set of signals (`NSIG / 8`).
const OF_SIGNALS: usize = 8;

/// Makes the call; none if it is everybody's.
pub(in crate::exec) fn raw_call(call: &str, args: &[Given]) -> Option<Returned> {
    let arg = |at: usize| args.get(at).unwrap_or(&Given::Number(0));
    let (fd, one, two, three) = (arg(0).int(), arg(1), arg(2), arg(3));
    let len = two.int().cast_unsigned();
    Some(match call {
        "accept4" => c!(accept4(fd, one.at(), two.at::<socklen_t>(), three.int())),
        "epoll_ctl" => c!(epoll_ctl(fd, one.int(), two.int(), three.at())),
        "epoll_wait" => c!(epoll_wait(fd, one.at(), two.int(), three.int())),
        "ppoll" => {
            let (fds, mask) = (arg(0).at::<c_void>(), three.at::<c_void>());
            kernels!(SYS_ppoll, fds, one.size(), two.at::<c_void>(), mask, OF_SIGNALS)
        }
        "recvmmsg" => {
            let (at, timeout) = (one.at::<c_void>(), arg(4).at::<c_void>());
            kernels!(SYS_recvmmsg, fd, at, len, three.int(), timeout)
        }
        "recvmsg" => kernels!(SYS_recvmsg, fd, one.at::<c_void>(), two.int()),
        "sendmsg" => kernels!(SYS_sendmsg, fd, one.at::<c_void>(), two.int()),
        "sendfile" => {
            let (file, count) = (one.int(), three.size());
            // SAFETY: as above: the offset is zero, or cannot be read.
            returned(unsafe { libc::sendfile(fd, file, two.at(), count) } as i64)
        }
        "sendmmsg" => kernels!(SYS_sendmmsg, fd, one.at::<c_void>(), len, three.int()),
        _ => return None,
    })
}
