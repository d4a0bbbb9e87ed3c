//! The calls themselves: each a thin wrapper that returns what the kernel returned.
//!
//! They are libc's, not raw system calls: errno and the layout of structures are the system's own,
//! as for the programs that sockeye stands in for.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::net::IpAddr;
use std::os::fd::RawFd;

use libc::{c_int, c_void, socklen_t, ssize_t};
use nix::sys::signal::SigSet;

use super::gave::{Message, Returned};
use super::os;
use super::sockaddr::RawAddr;
use crate::case::Sym;
use crate::trace::AddrInfo;

pub(super) fn errno() -> c_int {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

pub(super) fn int(ret: c_int) -> Returned {
    if ret < 0 { Err(errno()) } else { Ok(ret.into()) }
}

pub(super) fn size(ret: ssize_t) -> Returned {
    if ret < 0 { Err(errno()) } else { Ok(ret as i64) }
}

pub(super) fn socket(domain: c_int, kind: c_int, protocol: c_int) -> Returned {
    // SAFETY: takes its arguments by value.
    int(unsafe { libc::socket(domain, kind, protocol) })
}

pub(super) fn socketpair(domain: c_int, kind: c_int, protocol: c_int) -> Result<[RawFd; 2], c_int> {
    let mut pair = [-1; 2];
    // SAFETY: `pair` has room for two descriptors.
    int(unsafe { libc::socketpair(domain, kind, protocol, pair.as_mut_ptr()) }).map(|_| pair)
}

pub(super) fn bind(fd: RawFd, addr: &RawAddr) -> Returned {
    // SAFETY: the address is valid for its length.
    int(unsafe { libc::bind(fd, addr.as_ptr(), addr.len) })
}

pub(super) fn connect(fd: RawFd, addr: &RawAddr) -> Returned {
    // SAFETY: the address is valid for its length.
    int(unsafe { libc::connect(fd, addr.as_ptr(), addr.len) })
}

pub(super) fn listen(fd: RawFd, backlog: c_int) -> Returned {
    // SAFETY: takes its arguments by value.
    int(unsafe { libc::listen(fd, backlog) })
}

pub(super) fn accept(fd: RawFd, addr: &mut RawAddr) -> Returned {
    let len = &raw mut addr.len;
    // SAFETY: the address has room for the length that it says.
    int(unsafe { libc::accept(fd, addr.as_mut_ptr(), len) })
}

pub(super) fn send(fd: RawFd, data: &[u8], flags: c_int) -> Returned {
    // SAFETY: the data is valid for its length.
    size(unsafe { libc::send(fd, data.as_ptr().cast(), data.len(), flags) })
}

pub(super) fn sendto(fd: RawFd, data: &[u8], flags: c_int, addr: &RawAddr) -> Returned {
    let (at, len) = (data.as_ptr().cast::<c_void>(), data.len());
    // SAFETY: the data and the address are valid for their lengths.
    size(unsafe { libc::sendto(fd, at, len, flags, addr.as_ptr(), addr.len) })
}

pub(super) fn write(fd: RawFd, data: &[u8]) -> Returned {
    // SAFETY: the data is valid for its length.
    size(unsafe { libc::write(fd, data.as_ptr().cast(), data.len()) })
}

pub(super) fn recv(fd: RawFd, buffer: &mut [u8], flags: c_int) -> Returned {
    // SAFETY: the buffer is valid for its length.
    size(unsafe { libc::recv(fd, buffer.as_mut_ptr().cast(), buffer.len(), flags) })
}

pub(super) fn recvfrom(fd: RawFd, buffer: &mut [u8], flags: c_int, from: &mut RawAddr) -> Returned {
    let (at, len) = (buffer.as_mut_ptr().cast::<c_void>(), buffer.len());
    let from_len = &raw mut from.len;
    // SAFETY: the buffer is valid for its length, the address has room for the length that it says.
    size(unsafe { libc::recvfrom(fd, at, len, flags, from.as_mut_ptr(), from_len) })
}

pub(super) fn read(fd: RawFd, buffer: &mut [u8]) -> Returned {
    // SAFETY: the buffer is valid for its length.
    size(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) })
}

/// Room for bytes that the kernel writes.
pub(super) fn iovec_mut(bytes: &mut [u8]) -> libc::iovec {
    libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() }
}

/// Bytes that the kernel reads.
pub(super) fn iovec(bytes: &[u8]) -> libc::iovec {
    libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }
}

/// Room for bytes that the kernel writes, in parts of these lengths, one behind the other.
fn parts_mut(buffer: &mut [u8], lens: &[usize]) -> Vec<libc::iovec> {
    let (mut rest, mut iovs) = (buffer, Vec::with_capacity(lens.len()));
    for len in lens {
        let (part, behind) = rest.split_at_mut((*len).min(rest.len()));
        iovs.push(iovec_mut(part));
        rest = behind;
    }
    iovs
}

/// Bytes that the kernel reads, in such parts.
fn parts(mut bytes: &[u8], lens: &[usize]) -> Vec<libc::iovec> {
    let mut iovs = Vec::with_capacity(lens.len());
    for len in lens {
        let (part, behind) = bytes.split_at((*len).min(bytes.len()));
        iovs.push(iovec(part));
        bytes = behind;
    }
    iovs
}

pub(super) fn writev(fd: RawFd, data: &[Vec<u8>]) -> Returned {
    let iovs: Vec<libc::iovec> = data.iter().map(|data| iovec(data)).collect();
    let many = c_int::try_from(iovs.len()).unwrap_or(c_int::MAX);
    // SAFETY: each part is valid for its length.
    size(unsafe { libc::writev(fd, iovs.as_ptr(), many) })
}

/// All of it is in the buffer, one part behind the other.
pub(super) fn readv(fd: RawFd, buffer: &mut [u8], lens: &[usize]) -> Returned {
    let iovs = parts_mut(buffer, lens);
    let many = c_int::try_from(iovs.len()).unwrap_or(c_int::MAX);
    // SAFETY: each part is valid for its length, and they do not overlap.
    size(unsafe { libc::readv(fd, iovs.as_ptr(), many) })
}

pub(super) fn dup(fd: RawFd) -> Returned {
    // SAFETY: takes its argument by value.
    int(unsafe { libc::dup(fd) })
}

pub(super) fn pipe() -> Result<[RawFd; 2], c_int> {
    let mut pair = [-1; 2];
    // SAFETY: `pair` has room for two descriptors.
    int(unsafe { libc::pipe(pair.as_mut_ptr()) }).map(|_| pair)
}

pub(super) fn sockatmark(fd: RawFd) -> Returned {
    // SAFETY: takes its argument by value.
    int(unsafe { c_sockatmark(fd) })
}

pub(super) fn timespec(ms: u32) -> libc::timespec {
    // SAFETY: all zeros is a valid `struct timespec`.
    let mut time: libc::timespec = unsafe { MaybeUninit::zeroed().assume_init() };
    (time.tv_sec, time.tv_nsec) = ((ms / 1000).into(), (ms % 1000 * 1_000_000).into());
    time
}

/// A pointer to a mask of signals, or NULL.
pub(super) fn mask_at(mask: Option<&SigSet>) -> *const libc::sigset_t {
    mask.map_or(std::ptr::null(), |mask| std::ptr::from_ref(mask.as_ref()))
}

/// `pselect`, whose sets are changed.
pub(super) fn pselect(
    nfds: c_int,
    sets: &mut [Option<libc::fd_set>; 3],
    ms: Option<u32>,
    mask: Option<&SigSet>,
) -> Returned {
    let [read, write, except] =
        sets.each_mut().map(|set| set.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut));
    let time = ms.map(timespec);
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let mask = mask_at(mask);
    // SAFETY: each set is null or one `fd_set`, and the time and the mask are null or outlive the call.
    int(unsafe { libc::pselect(nfds, read, write, except, time, mask) })
}

/// `select`, whose sets are changed.
pub(super) fn select(
    nfds: c_int,
    sets: &mut [Option<libc::fd_set>; 3],
    ms: Option<u32>,
) -> Returned {
    let [read, write, except] =
        sets.each_mut().map(|set| set.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut));
    let mut time = ms.map(|ms| {
        // SAFETY: all zeros is a valid `struct timeval`.
        let mut time: libc::timeval = unsafe { MaybeUninit::zeroed().assume_init() };
        // Whose type differs between systems.
        (time.tv_sec, time.tv_usec) = ((ms / 1000).into(), (ms % 1000 * 1000) as libc::suseconds_t);
        time
    });
    let time = time.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
    // SAFETY: each set is null or one `fd_set`, and the time is null or outlives the call.
    int(unsafe { libc::select(nfds, read, write, except, time) })
}

pub(super) fn shutdown(fd: RawFd, how: c_int) -> Returned {
    // SAFETY: takes its arguments by value.
    int(unsafe { libc::shutdown(fd, how) })
}

pub(super) fn close(fd: RawFd) -> Returned {
    // SAFETY: the case's table of sockets forgets the descriptor, so none is closed twice.
    int(unsafe { libc::close(fd) })
}

pub(super) fn getsockname(fd: RawFd, addr: &mut RawAddr) -> Returned {
    let len = &raw mut addr.len;
    // SAFETY: the address has room for the length that it says.
    int(unsafe { libc::getsockname(fd, addr.as_mut_ptr(), len) })
}

pub(super) fn getpeername(fd: RawFd, addr: &mut RawAddr) -> Returned {
    let len = &raw mut addr.len;
    // SAFETY: the address has room for the length that it says.
    int(unsafe { libc::getpeername(fd, addr.as_mut_ptr(), len) })
}

pub(super) fn setsockopt(fd: RawFd, level: c_int, name: c_int, value: &[u8]) -> Returned {
    let (at, len) = (value.as_ptr().cast::<c_void>(), value.len() as socklen_t);
    // SAFETY: the value is valid for its length.
    int(unsafe { libc::setsockopt(fd, level, name, at, len) })
}

/// The buffer is cut to what the kernel wrote.
pub(super) fn getsockopt(fd: RawFd, level: c_int, name: c_int, value: &mut Vec<u8>) -> Returned {
    let mut len = value.len() as socklen_t;
    let at = value.as_mut_ptr().cast::<c_void>();
    // SAFETY: the buffer has room for `len` bytes.
    let done = int(unsafe { libc::getsockopt(fd, level, name, at, &raw mut len) });
    value.truncate(len as usize);
    done
}

pub(super) fn poll(fds: &mut [libc::pollfd], timeout_ms: c_int) -> Returned {
    // SAFETY: the array is valid for its length.
    int(unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout_ms) })
}

/// Without a sign: where the type is wider, the kernel compares all of it.
pub(super) fn request_of(request: c_int) -> os::Request {
    request.cast_unsigned() as os::Request
}

/// On an `int`.
pub(super) fn ioctl_int(fd: RawFd, request: c_int, value: &mut c_int) -> Returned {
    // SAFETY: the requests that a case may name here write one int.
    int(unsafe { libc::ioctl(fd, request_of(request), &raw mut *value) })
}

/// On a `struct ifreq` that names an interface: its flags or MTU, the first int of the answer.
pub(super) fn ioctl_link(fd: RawFd, request: c_int, link: &str, value: &mut c_int) -> Returned {
    // SAFETY: all zeros is a valid `struct ifreq`.
    let mut ifreq: libc::ifreq = unsafe { MaybeUninit::zeroed().assume_init() };
    for (to, from) in ifreq.ifr_name.iter_mut().zip(link.bytes().take(15)) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    // SAFETY: the requests that a case may name here read and write one `struct ifreq`.
    let done = int(unsafe { libc::ioctl(fd, request_of(request), &raw mut ifreq) });
    // SAFETY: the union's members are plain numbers, each a valid int.
    *value = unsafe { ifreq.ifr_ifru.ifru_mtu };
    done
}

pub(super) fn fcntl(fd: RawFd, cmd: c_int, arg: c_int) -> Returned {
    // SAFETY: the commands that a case may name take an int.
    int(unsafe { libc::fcntl(fd, cmd, arg) })
}

/// Room for control messages, aligned as `struct cmsghdr` wants it.
fn control_room(len: usize) -> Vec<u64> {
    vec![0; len.div_ceil(size_of::<u64>())]
}

fn header(
    name: Option<&mut RawAddr>,
    data: &mut [libc::iovec],
    control: &mut [u64],
    control_len: usize,
) -> libc::msghdr {
    // SAFETY: all zeros is a valid `struct msghdr`.
    let mut msg: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    if let Some(name) = name {
        msg.msg_name = name.as_mut_ptr().cast();
        msg.msg_namelen = name.len;
    }
    msg.msg_iov = data.as_mut_ptr();
    msg.msg_iovlen = data.len() as _;
    if control_len > 0 {
        msg.msg_control = control.as_mut_ptr().cast();
        msg.msg_controllen = control_len as _;
    }
    msg
}

pub(super) fn sendmsg(
    fd: RawFd,
    (data, lens): (&[u8], &[usize]),
    flags: c_int,
    addr: Option<&mut RawAddr>,
    messages: &[Message],
) -> Returned {
    let (mut control, total) = control_of(messages);
    let mut iov = parts(data, lens);
    let msg = header(addr, &mut iov, &mut control, total);
    // SAFETY: the header's parts outlive the call.
    size(unsafe { libc::sendmsg(fd, &raw const msg, flags) })
}

/// The buffer of these control messages, and how long it is.
pub(super) fn control_of(messages: &[Message]) -> (Vec<u64>, usize) {
    let space = |len: usize| {
        // SAFETY: computes a size.
        unsafe { libc::CMSG_SPACE(len as u32) as usize }
    };
    let total = messages.iter().map(|(_, _, data)| space(data.len())).sum();
    let mut control = control_room(total);
    let msg = header(None, &mut [], &mut control, total);
    // SAFETY: the header describes the control buffer.
    let mut at = unsafe { libc::CMSG_FIRSTHDR(&raw const msg) };
    for (level, kind, data) in messages {
        // SAFETY: the buffer was sized for all the messages, so this one's header lies within it.
        let head = unsafe { &mut *at };
        head.cmsg_level = *level;
        head.cmsg_type = *kind;
        // SAFETY: computes a size.
        head.cmsg_len = unsafe { libc::CMSG_LEN(data.len() as u32) } as _;
        // SAFETY: within the buffer, behind the header.
        let room = unsafe { libc::CMSG_DATA(at) };
        // SAFETY: the buffer was sized for this data.
        unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), room, data.len()) };
        // musl's CMSG_NXTHDR has none that ends where the buffer does.
        at = at.wrapping_byte_add(space(data.len()));
    }
    (control, total)
}

/// What `recvmsg` wrote besides the data.
pub(super) struct Received {
    pub(super) returned: Returned,
    pub(super) flags: c_int,
    pub(super) messages: Vec<Message>,
}

pub(super) fn recvmsg(
    fd: RawFd,
    (buffer, lens): (&mut [u8], &[usize]),
    control_len: usize,
    flags: c_int,
    from: &mut RawAddr,
) -> Received {
    let mut control = control_room(control_len);
    let mut iov = parts_mut(buffer, lens);
    let mut msg = header(Some(from), &mut iov, &mut control, control_len);
    // SAFETY: the header's parts outlive the call.
    let returned = size(unsafe { libc::recvmsg(fd, &raw mut msg, flags) });
    // SAFETY: the header describes the control buffer as the kernel left it.
    let messages = if returned.is_ok() { unsafe { messages(&msg) } } else { Vec::new() };
    from.len = msg.msg_namelen;
    Received { returned, flags: msg.msg_flags, messages }
}

/// The control messages that a header has.
///
/// # Safety
/// The header describes a control buffer that is there, as the kernel left it.
pub(super) unsafe fn messages(msg: &libc::msghdr) -> Vec<Message> {
    let mut messages = Vec::new();
    // SAFETY: computes a size.
    let empty = unsafe { libc::CMSG_LEN(0) } as usize;
    // SAFETY: the caller vouches for the control buffer.
    let mut at = unsafe { libc::CMSG_FIRSTHDR(msg) };
    let end = msg.msg_control as usize + msg.msg_controllen as usize;
    // SAFETY: what FIRSTHDR gave is null or lies within the buffer, and what follows was looked at below.
    while let Some(head) = unsafe { at.as_ref() } {
        let len = (head.cmsg_len as usize).saturating_sub(empty);
        // SAFETY: behind the header.
        let data = unsafe { libc::CMSG_DATA(at) };
        // SAFETY: the kernel wrote `len` bytes of data there.
        let data = unsafe { std::slice::from_raw_parts(data, len) };
        messages.push((head.cmsg_level, head.cmsg_type, data.to_vec()));
        // A header of zeros leads to itself: `recvmsg_x` before macOS 14 says that there is more
        // than it wrote.
        if (head.cmsg_len as usize) < empty {
            break;
        }
        // SAFETY: computes a size.
        at = at.wrapping_byte_add(unsafe { libc::CMSG_SPACE(len as u32) } as usize);
        // Not by CMSG_NXTHDR: musl's does not see the last one where it has no data.
        if at as usize + empty > end {
            break;
        }
    }
    messages
}

/// The text that a C library wrote.
fn text_at(at: *const libc::c_char) -> Option<String> {
    // SAFETY: the caller got it from the C library: null, or a text with its end.
    (!at.is_null()).then(|| unsafe { CStr::from_ptr(at) }.to_string_lossy().into_owned())
}

/// The list, or the `EAI_` value.
pub(super) fn getaddrinfo(
    node: Option<&str>,
    service: Option<&str>,
    hints: [c_int; 3],
) -> Result<Vec<AddrInfo>, c_int> {
    let text = |t: Option<&str>| t.map(|t| CString::new(t).unwrap_or_default());
    let (node, service) = (text(node), text(service));
    let at = |t: &Option<CString>| t.as_ref().map_or(std::ptr::null(), |t| t.as_ptr());
    // SAFETY: all zeros is a valid `struct addrinfo`.
    let mut wanted: libc::addrinfo = unsafe { MaybeUninit::zeroed().assume_init() };
    [wanted.ai_family, wanted.ai_socktype, wanted.ai_flags] = hints;
    let mut list = std::ptr::null_mut();
    // SAFETY: the strings and the hints outlive the call.
    let failed =
        unsafe { libc::getaddrinfo(at(&node), at(&service), &raw const wanted, &raw mut list) };
    if failed != 0 {
        return Err(failed);
    }
    let mut found = Vec::new();
    let mut next = list;
    // SAFETY: the list is made of valid entries and ends with null.
    while let Some(entry) = unsafe { next.as_ref() } {
        // SAFETY: an entry's address is valid for its length.
        let addr = unsafe { RawAddr::copied(entry.ai_addr, entry.ai_addrlen) };
        let kinds = (entry.ai_socktype, entry.ai_protocol);
        found.extend(addr_info(&addr, kinds, text_at(entry.ai_canonname)));
        next = entry.ai_next;
    }
    // SAFETY: the list came from `getaddrinfo` and nothing of it is kept.
    unsafe { libc::freeaddrinfo(list) };
    Ok(found)
}

/// An entry of the list, its numbers by name where they have one.
fn addr_info(
    addr: &RawAddr,
    (kind, protocol): (c_int, c_int),
    canonname: Option<String>,
) -> Option<AddrInfo> {
    let named = |number: c_int, known: &[&'static str]| {
        let name = known.iter().find(|name| os::value(name) == Some(number));
        name.map_or_else(|| Sym(number.to_string().into()), |name| Sym::from(*name))
    };
    let kinds = ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_SEQPACKET"];
    let protocols = ["IPPROTO_IP", "IPPROTO_TCP", "IPPROTO_UDP"];
    let (r#type, protocol) = (named(kind, &kinds), named(protocol, &protocols));
    Some(AddrInfo { addr: addr.read()?, r#type, protocol, canonname })
}

/// The host and the service, or the `EAI_` value.
pub(super) fn getnameinfo(
    addr: &RawAddr,
    (host_len, service_len): (usize, usize),
    flags: c_int,
) -> Result<(Option<String>, Option<String>), c_int> {
    let (mut host, mut service) = (vec![0; host_len], vec![0; service_len]);
    let at = |room: &mut Vec<libc::c_char>| {
        if room.is_empty() { std::ptr::null_mut() } else { room.as_mut_ptr() }
    };
    let (host_at, service_at) = (at(&mut host), at(&mut service));
    // SAFETY: the address is valid for its length, and there is room for what the lengths say, whose
    // type differs between systems.
    let failed = unsafe {
        libc::getnameinfo(
            addr.as_ptr(),
            addr.len,
            host_at,
            host_len as _,
            service_at,
            service_len as _,
            flags,
        )
    };
    if failed == 0 { Ok((text_at(host_at), text_at(service_at))) } else { Err(failed) }
}

unsafe extern "C" {
    #[link_name = "inet_pton"]
    fn c_inet_pton(family: c_int, text: *const libc::c_char, to: *mut c_void) -> c_int;
    #[link_name = "sockatmark"]
    fn c_sockatmark(fd: c_int) -> c_int;
    #[link_name = "inet_aton"]
    fn c_inet_aton(text: *const libc::c_char, to: *mut libc::in_addr) -> c_int;
}

pub(super) fn inet_pton(family: c_int, text: &str) -> (Returned, Option<IpAddr>) {
    let text = CString::new(text).unwrap_or_default();
    let mut bytes = [0u8; 16];
    // SAFETY: the text has its end, and there is room for an address of either family.
    let ret = int(unsafe { c_inet_pton(family, text.as_ptr(), bytes.as_mut_ptr().cast()) });
    let [a, b, c, d, ..] = bytes;
    let ip = if family == libc::AF_INET { IpAddr::from([a, b, c, d]) } else { bytes.into() };
    let made = matches!(ret, Ok(1)).then_some(ip);
    (ret, made)
}

pub(super) fn inet_aton(text: &str) -> Option<IpAddr> {
    let text = CString::new(text).unwrap_or_default();
    let mut ip = libc::in_addr { s_addr: 0 };
    // SAFETY: the text has its end, and `ip` is one `struct in_addr`.
    let made = unsafe { c_inet_aton(text.as_ptr(), &raw mut ip) };
    (made != 0).then(|| IpAddr::from(ip.s_addr.to_ne_bytes()))
}

/// The names of the flags that are set in `bits`, of those that `known` has.
pub(super) fn named(bits: c_int, known: &'static [&'static str]) -> Vec<Sym> {
    let (mut left, mut names) = (bits, Vec::new());
    for name in known {
        // Darwin's POLLWRNORM is POLLOUT: once told is told.
        if os::value(name).is_some_and(|v| v != 0 && bits & v == v && left & v != 0) {
            left &= !os::value(name).unwrap_or(0);
            names.push((*name).into());
        }
    }
    names
}

#[cfg(test)]
mod tests;
