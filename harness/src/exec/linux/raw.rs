//! Linux's own calls with a pointer that leads nowhere, or a length that lies.

use libc::socklen_t;

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
            c!(ppoll(arg(0).at(), one.size() as libc::nfds_t, two.at(), three.at()))
        }
        // The type of the flags differs between C libraries.
        "recvmmsg" => c!(recvmmsg(fd, one.at(), len, three.int() as _, arg(4).at())),
        "sendfile" => {
            let (file, count) = (one.int(), three.size());
            // SAFETY: as above: the offset is zero, or cannot be read.
            returned(unsafe { libc::sendfile(fd, file, two.at(), count) } as i64)
        }
        "sendmmsg" => c!(sendmmsg(fd, one.at(), len, three.int() as _)),
        _ => return None,
    })
}
