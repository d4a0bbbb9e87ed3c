//! The system calls by which a lab is made, each with bytes that `crate::darwin` has laid out.

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};

use libc::{c_int, c_void, socklen_t};
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::darwin::{ioctl, request};

/// `bsd/net/if_utun.h:63`: how many packets may wait to be read.
const UTUN_OPT_MAX_PENDING_PACKETS: c_int = 16;
/// More than any case sends at once.
const PENDING: u32 = 256;

/// `bsd/netinet/in.h`, `bsd/netinet6/in6.h`: the interface that a socket is bound to.
const IP_BOUND_IF: c_int = 25;
const IPV6_BOUND_IF: c_int = 125;

fn check(ret: c_int) -> io::Result<()> {
    if ret < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A socket that no program of a case's takes over.
pub(super) fn socket(domain: c_int, kind: c_int, protocol: c_int) -> io::Result<OwnedFd> {
    // SAFETY: takes its arguments by value.
    let fd = unsafe { libc::socket(domain, kind, protocol) };
    check(fd)?;
    // SAFETY: the descriptor is new and owned by nobody else.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    fcntl(&fd, FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC))?;
    Ok(fd)
}

/// Reading it waits for nothing.
pub(super) fn do_not_block(fd: &impl AsFd) -> io::Result<()> {
    fcntl(fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(())
}

/// An ioctl whose argument is `bytes`, as many as its number says.
pub(super) fn control(fd: &impl AsFd, number: u32, bytes: &mut [u8]) -> io::Result<()> {
    if bytes.len() < ioctl::len_of(number) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let at = bytes.as_mut_ptr();
    // SAFETY: the kernel reads and writes as many bytes as the number says, which are there.
    check(unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), number.into(), at) })
}

/// Makes two feth each other's far end: `IF_FAKE_S_CMD_SET_PEER` of `bsd/net/if_fake_var.h`.
pub(super) fn set_peer(fd: &impl AsFd, name: &str, peer: &str) -> io::Result<()> {
    /// `struct ifdrv` of bsd/net/if.h.
    #[repr(C)]
    struct Ifdrv {
        name: [u8; 16],
        command: libc::c_ulong,
        len: libc::size_t,
        data: *mut c_void,
    }
    const _: () = assert!(size_of::<Ifdrv>() == ioctl::IFDRV as usize);
    let mut wanted = request::fake_peer(peer);
    let mut driver =
        Ifdrv { name: [0; 16], command: 1, len: wanted.len(), data: wanted.as_mut_ptr().cast() };
    driver.name.copy_from_slice(&request::ifreq(name)[..16]);
    let number = ioctl::SIOCSDRVSPEC.into();
    // SAFETY: the kernel reads one `struct ifdrv`, and the bytes that it points to live on.
    check(unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), number, &raw mut driver) })
}

/// A utun that nobody else has, and its name. It goes with its descriptor.
pub(super) fn utun() -> io::Result<(OwnedFd, String)> {
    let fd = socket(libc::PF_SYSTEM, libc::SOCK_DGRAM, libc::SYSPROTO_CONTROL)?;
    // `UTUN_CONTROL_NAME` of bsd/net/if_utun.h.
    let mut info = request::ctl_info("com.apple.net.utun_control");
    control(&fd, ioctl::CTLIOCGINFO, &mut info)?;
    let mut id = [0; 4];
    id.copy_from_slice(&info[..4]);
    // SAFETY: all zeros is a valid `struct sockaddr_ctl`; unit 0 is the first that is free.
    let mut address: libc::sockaddr_ctl = unsafe { MaybeUninit::zeroed().assume_init() };
    address.sc_len = size_of::<libc::sockaddr_ctl>() as u8;
    address.sc_family = libc::AF_SYSTEM as u8;
    address.ss_sysaddr = libc::AF_SYS_CONTROL as u16;
    address.sc_id = u32::from_ne_bytes(id);
    let (at, len) = ((&raw const address).cast(), size_of::<libc::sockaddr_ctl>() as socklen_t);
    // SAFETY: the address is valid for its length.
    check(unsafe { libc::connect(fd.as_raw_fd(), at, len) })?;
    let mut name = [0u8; 16];
    let mut len = name.len() as socklen_t;
    // SAFETY: the buffer has room for `len` bytes.
    check(unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SYSPROTO_CONTROL,
            libc::UTUN_OPT_IFNAME,
            name.as_mut_ptr().cast(),
            &raw mut len,
        )
    })?;
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    // Else the interface's output stands still until the one packet has been read
    // (xnu-11417 `bsd/net/if_utun.c:1631`, `utun_start`).
    let pending = PENDING.to_ne_bytes();
    crate::exec::calls::setsockopt(
        fd.as_raw_fd(),
        libc::SYSPROTO_CONTROL,
        UTUN_OPT_MAX_PENDING_PACKETS,
        &pending,
    )
    .map_err(io::Error::from_raw_os_error)?;
    do_not_block(&fd)?;
    Ok((fd, String::from_utf8_lossy(&name[..end]).into_owned()))
}

/// Whether the socket itself names an interface: for all that it sends, or for groups.
pub(super) fn names_an_interface(fd: c_int, is_v6: bool, is_group: bool) -> bool {
    let (level, bound, group) = if is_v6 {
        (libc::IPPROTO_IPV6, IPV6_BOUND_IF, libc::IPV6_MULTICAST_IF)
    } else {
        (libc::IPPROTO_IP, IP_BOUND_IF, libc::IP_MULTICAST_IF)
    };
    let is_set = |name| {
        let mut four = vec![0; 4];
        let got = crate::exec::calls::getsockopt(fd, level, name, &mut four);
        got.is_ok() && four.iter().any(|byte| *byte != 0)
    };
    is_set(bound) || (is_group && is_set(group))
}

/// The type of a socket of the Internet's, `SOCK_STREAM` and others; none of any other descriptor.
pub(super) fn kind_of(fd: c_int) -> Option<c_int> {
    let mut four = vec![0; 4];
    crate::exec::calls::getsockopt(fd, libc::SOL_SOCKET, libc::SO_TYPE, &mut four).ok()?;
    Some(c_int::from_ne_bytes(four.try_into().ok()?))
}

/// All interfaces and their addresses, as routing messages: `NET_RT_IFLIST`.
pub(super) fn interfaces() -> io::Result<Vec<u8>> {
    let mut path = [libc::CTL_NET, libc::PF_ROUTE, 0, 0, libc::NET_RT_IFLIST, 0];
    let count = path.len() as libc::c_uint;
    let mut len = 0;
    let nothing = std::ptr::null_mut();
    let path = path.as_mut_ptr();
    // SAFETY: without a buffer the kernel writes the length alone.
    check(unsafe { libc::sysctl(path, count, nothing, &raw mut len, nothing, 0) })?;
    // An interface may come meanwhile.
    let mut bytes = vec![0u8; len + 4096];
    len = bytes.len();
    let to = bytes.as_mut_ptr().cast();
    // SAFETY: the buffer has room for `len` bytes.
    check(unsafe { libc::sysctl(path, count, to, &raw mut len, nothing, 0) })?;
    bytes.truncate(len);
    Ok(bytes)
}

/// What a setting has in it, cut to what was written.
fn read_setting(name: &str) -> io::Result<Vec<u8>> {
    let name = CString::new(name).map_err(io::Error::other)?;
    let mut bytes = vec![0u8; 256];
    let mut len = bytes.len();
    let (to, nothing) = (bytes.as_mut_ptr().cast(), std::ptr::null_mut());
    // SAFETY: the name has its end, and the buffer has room for `len` bytes.
    check(unsafe { libc::sysctlbyname(name.as_ptr(), to, &raw mut len, nothing, 0) })?;
    bytes.truncate(len);
    Ok(bytes)
}

/// A setting that is a text, such as `kern.bootsessionuuid`.
pub(super) fn setting(name: &str) -> io::Result<String> {
    let bytes = read_setting(name)?;
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned())
}

/// A setting that is an int, such as `net.cfil.active_count`.
pub(super) fn count(name: &str) -> io::Result<i32> {
    let bytes: [u8; 4] = read_setting(name)?.try_into().map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(i32::from_ne_bytes(bytes))
}

/// Sets such a setting.
pub(super) fn set(name: &str, value: i32) -> io::Result<()> {
    let name = CString::new(name).map_err(io::Error::other)?;
    let mut value = value.to_ne_bytes();
    let (nothing, len) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the name has its end, and the kernel reads as many bytes as are there.
    check(unsafe {
        libc::sysctlbyname(name.as_ptr(), nothing, len, value.as_mut_ptr().cast(), value.len())
    })
}
