//! Darwin's own calls: each a thin wrapper that returns what the kernel returned.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::time::Duration;

use libc::{c_int, c_uint, c_void, size_t, socklen_t, ssize_t};

use crate::exec::calls::messages;
use crate::exec::gave::{Message, Returned};
use crate::exec::sockaddr::RawAddr;

/// `struct msghdr_x` (xnu-11417.101.15 `bsd/sys/socket_private.h:403`), which the SDK has not got.
#[repr(C)]
#[allow(clippy::struct_field_names, reason = "as the header has them")]
struct MsghdrX {
    msg_name: *mut c_void,
    msg_namelen: socklen_t,
    msg_iov: *mut libc::iovec,
    msg_iovlen: c_int,
    msg_control: *mut c_void,
    msg_controllen: socklen_t,
    msg_flags: c_int,
    msg_datalen: size_t,
}

// `struct user64_msghdr_x` of the same file, line 488, is what the kernel reads.
const _: () = assert!(size_of::<MsghdrX>() == 56);

unsafe extern "C" {
    // bsd/sys/socket_private.h:832 and 800.
    #[link_name = "sendmsg_x"]
    fn c_sendmsg_x(s: c_int, msgp: *const MsghdrX, count: c_uint, flags: c_int) -> ssize_t;
    #[link_name = "recvmsg_x"]
    fn c_recvmsg_x(s: c_int, msgp: *const MsghdrX, count: c_uint, flags: c_int) -> ssize_t;
}

fn errno() -> c_int {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn returned(ret: i64) -> Returned {
    if ret < 0 { Err(errno()) } else { Ok(ret) }
}

/// With `ends` the index of the source interface, the source and the destination. What it returns,
/// and how much of the data it took.
pub(super) fn connectx(
    fd: RawFd,
    ends: (c_uint, Option<&RawAddr>, &RawAddr),
    flags: c_uint,
    data: Option<&[u8]>,
) -> (Returned, usize) {
    let (link, source, to) = ends;
    let ends = libc::sa_endpoints_t {
        sae_srcif: link,
        sae_srcaddr: source.map_or(std::ptr::null(), RawAddr::as_ptr),
        sae_srcaddrlen: source.map_or(0, |source| source.len),
        sae_dstaddr: to.as_ptr(),
        sae_dstaddrlen: to.len,
    };
    let iov = data
        .map(|data| libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() });
    let (at, count) =
        iov.as_ref().map_or((std::ptr::null(), 0), |iov| (std::ptr::from_ref(iov), 1));
    let mut len: size_t = 0;
    // SAFETY: the addresses and the data are valid for their lengths; the id of the connection is not
    // asked for.
    let ret = unsafe {
        libc::connectx(
            fd,
            &raw const ends,
            libc::SAE_ASSOCID_ANY,
            flags,
            at,
            count,
            &raw mut len,
            std::ptr::null_mut(),
        )
    };
    (returned(ret.into()), len)
}

pub(super) fn disconnectx(fd: RawFd) -> Returned {
    // SAFETY: takes its arguments by value.
    let ret = unsafe { libc::disconnectx(fd, libc::SAE_ASSOCID_ANY, libc::SAE_CONNID_ANY) };
    returned(ret.into())
}

/// A header with neither address nor control messages.
fn header(iov: &mut libc::iovec) -> MsghdrX {
    MsghdrX {
        msg_name: std::ptr::null_mut(),
        msg_namelen: 0,
        msg_iov: iov,
        msg_iovlen: 1,
        msg_control: std::ptr::null_mut(),
        msg_controllen: 0,
        msg_flags: 0,
        msg_datalen: 0,
    }
}

pub(super) fn sendmsg_x(
    fd: RawFd,
    data: &[Vec<u8>],
    mut to: Option<&mut RawAddr>,
    flags: c_int,
) -> Returned {
    let iov = |data: &Vec<u8>| libc::iovec {
        iov_base: data.as_ptr().cast_mut().cast(),
        iov_len: data.len(),
    };
    let mut iovs: Vec<libc::iovec> = data.iter().map(iov).collect();
    let mut headers: Vec<MsghdrX> = iovs.iter_mut().map(header).collect();
    if let Some(to) = &mut to {
        for header in &mut headers {
            header.msg_name = to.as_mut_ptr().cast();
            header.msg_namelen = to.len;
        }
    }
    // SAFETY: the array is valid for its length, and the parts of each header outlive the call.
    returned(unsafe { c_sendmsg_x(fd, headers.as_ptr(), headers.len() as c_uint, flags) } as i64)
}

/// A datagram that `recvmsg_x` gave.
pub(super) struct Got {
    /// `msg_datalen`.
    pub(super) len: usize,
    pub(super) bytes: Vec<u8>,
    pub(super) from: RawAddr,
    pub(super) flags: c_int,
    pub(super) messages: Vec<Message>,
}

/// With room for so many datagrams, of so many bytes each, with so many of control messages.
pub(super) fn recvmsg_x(
    fd: RawFd,
    (count, len, control_len): (usize, usize, usize),
    flags: c_int,
) -> (Returned, Vec<Got>) {
    let mut data = vec![vec![0u8; len]; count];
    // Aligned as `struct cmsghdr` wants it.
    let mut control = vec![vec![0u64; control_len.div_ceil(size_of::<u64>())]; count];
    let mut from: Vec<RawAddr> = (0..count).map(|_| RawAddr::room()).collect();
    let iov = |data: &mut Vec<u8>| libc::iovec {
        iov_base: data.as_mut_ptr().cast(),
        iov_len: data.len(),
    };
    let mut iovs: Vec<libc::iovec> = data.iter_mut().map(iov).collect();
    let mut headers: Vec<MsghdrX> = iovs.iter_mut().map(header).collect();
    for ((header, from), control) in headers.iter_mut().zip(&mut from).zip(&mut control) {
        header.msg_name = from.as_mut_ptr().cast();
        header.msg_namelen = from.len;
        if control_len > 0 {
            header.msg_control = control.as_mut_ptr().cast();
            header.msg_controllen = control_len as socklen_t;
        }
    }
    let at = headers.as_mut_ptr();
    // SAFETY: the array is valid for its length, and the parts of each header outlive the call.
    let ret = returned(unsafe { c_recvmsg_x(fd, at, count as c_uint, flags) } as i64);
    let came = ret.as_ref().map_or(0, |came| usize::try_from(*came).unwrap_or(0));
    let each = headers.iter().zip(data).zip(from).take(came);
    let got = each.map(|((header, mut bytes), mut from)| {
        from.len = header.msg_namelen;
        bytes.truncate(header.msg_datalen);
        let (len, flags) = (header.msg_datalen, header.msg_flags);
        Got { len, bytes, from, flags, messages: messages_of(header) }
    });
    (ret, got.collect())
}

fn messages_of(header: &MsghdrX) -> Vec<Message> {
    // SAFETY: all zeros is a valid `struct msghdr`.
    let mut msg: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    (msg.msg_control, msg.msg_controllen) = (header.msg_control, header.msg_controllen);
    // SAFETY: the buffer of the header lives where this is called, and the kernel has written it.
    unsafe { messages(&msg) }
}

/// `EV_SET`, the place of the change being what comes back with its events.
pub(super) fn change(
    ident: RawFd,
    filter: i16,
    (flags, fflags, data): (u16, u32, i32),
    place: usize,
) -> libc::kevent {
    let udata = std::ptr::without_provenance_mut(place);
    libc::kevent { ident: ident as usize, filter, flags, fflags, data: data as isize, udata }
}

pub(super) fn kqueue() -> Result<OwnedFd, c_int> {
    // SAFETY: takes nothing.
    let fd = unsafe { libc::kqueue() };
    returned(fd.into())?;
    // SAFETY: the descriptor is new and owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The events that came, `room` of them at the most.
pub(super) fn kevent(
    queue: &OwnedFd,
    changes: &[libc::kevent],
    room: usize,
    timeout: Duration,
) -> Result<Vec<libc::kevent>, c_int> {
    let mut events = vec![change(0, 0, (0, 0, 0), 0); room];
    let timeout = libc::timespec {
        tv_sec: timeout.as_secs() as libc::time_t,
        tv_nsec: timeout.subsec_nanos() as _,
    };
    // SAFETY: both arrays are valid for their lengths, and the timeout outlives the call.
    let ret = unsafe {
        libc::kevent(
            queue.as_raw_fd(),
            changes.as_ptr(),
            changes.len() as c_int,
            events.as_mut_ptr(),
            room as c_int,
            &raw const timeout,
        )
    };
    events.truncate(usize::try_from(returned(ret.into())?).unwrap_or(0));
    Ok(events)
}
