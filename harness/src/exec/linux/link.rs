//! TUN and TAP links, whose far end is a descriptor, and the tap on loopback.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;

use nix::net::if_::if_nametoindex;
use nix::poll::{PollFd, PollFlags, poll};
use socket2::{Domain, SockAddr, SockAddrStorage, Socket, Type};

use crate::case::addr::Role;
use crate::case::{Hex, Lab, LinkKind};
use crate::exec::calls;
use crate::exec::plan::mac_of;
use crate::trace::LinkFact;

/// `if_tun.h`: bare packets or frames, with no header before them.
const IFF_TUN: i16 = 0x0001;
const IFF_TAP: i16 = 0x0002;
const IFF_NO_PI: i16 = 0x1000;
/// `_IOW('T', 202, int)` and `_IOW('T', 203, int)`.
const TUNSETIFF: libc::Ioctl = 0x4004_54ca_u32 as libc::Ioctl;
const TUNSETPERSIST: libc::Ioctl = 0x4004_54cb_u32 as libc::Ioctl;

/// The far end of a link: what the host sends there is read here, and the other way round.
pub(super) struct FarEnd {
    file: File,
}

impl FarEnd {
    /// Opens the device that makes links, in this network namespace; or says why there can be none.
    pub(super) fn device() -> Result<File, String> {
        let path = "/dev/net/tun";
        let mut how = OpenOptions::new();
        how.read(true).write(true).custom_flags(libc::O_NONBLOCK);
        how.open(path).map_err(|e| format!("{path} cannot be opened: {e}"))
    }

    /// Makes the link `name` in this network namespace.
    pub(super) fn create(kind: LinkKind, name: &str) -> Result<Self, String> {
        let file = Self::device()?;
        // SAFETY: all zeros is a valid `struct ifreq`.
        let mut request: libc::ifreq = unsafe { MaybeUninit::zeroed().assume_init() };
        if name.len() >= request.ifr_name.len() {
            return Err(format!("{name:?} is too long for an interface's name"));
        }
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = libc::c_char::from_ne_bytes([from]);
        }
        let layer = if kind == LinkKind::Tun { IFF_TUN } else { IFF_TAP };
        request.ifr_ifru.ifru_flags = layer | IFF_NO_PI;
        // SAFETY: TUNSETIFF reads and writes one `struct ifreq`, which lives through the call.
        let done = unsafe { libc::ioctl(file.as_raw_fd(), TUNSETIFF, &raw mut request) };
        if done < 0 {
            return Err(format!("link {name} cannot be made: {}", io::Error::last_os_error()));
        }
        Ok(Self { file })
    }

    /// The next frame that the host sent, if there is one.
    pub(super) fn read<'b>(&mut self, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        // Nothing to read is EAGAIN; of a link that is down or gone there is nothing either.
        let len = self.file.read(buffer).ok()?;
        Some(&buffer[..len])
    }

    /// Lets a frame arrive at the host. That the link is down is no error: it is lost, as a frame
    /// to a host whose cable is out.
    pub(super) fn write(&mut self, frame: &[u8]) {
        let _ = self.file.write(frame);
    }

    /// Lets the link outlive its descriptor, until its namespace goes: then closing does not wait
    /// for the kernel to take the link down (tens of milliseconds).
    pub(super) fn outlive(&self) {
        // SAFETY: TUNSETPERSIST takes its argument by value.
        unsafe { libc::ioctl(self.file.as_raw_fd(), TUNSETPERSIST, 1) };
    }
}

impl AsFd for FarEnd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Waits until one of them can be read, or not long.
pub(super) fn watch<'f>(fds: impl Iterator<Item = BorrowedFd<'f>>) {
    let mut fds: Vec<PollFd<'_>> = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    let readable = poll(&mut fds, 10u8).is_ok_and(|count| count == 0)
        || fds.iter().any(|fd| fd.revents().is_some_and(|is| is.contains(PollFlags::POLLIN)));
    // A link that is gone is an error at once, each time.
    if !readable {
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// The links of a lab as the kernel has them in this network, `lo` first.
pub(super) fn facts(spec: &Lab) -> Result<Vec<LinkFact>, String> {
    let fact = |name: &str, kind: Option<LinkKind>, mac: [u8; 6]| {
        let index = if_nametoindex(name).map_err(|_| format!("no link {name:?}"))?;
        let mac = Hex(mac.to_vec());
        Ok(LinkFact { name: name.to_owned(), index, kind, mac, unseen: false })
    };
    let links = spec.links.iter().enumerate();
    std::iter::once(fact("lo", None, [0; 6]))
        .chain(
            links
                .map(|(number, link)| fact(&link.name, Some(link.kind), mac_of(number, Role::Own))),
        )
        .collect()
}

/// The flags of a link in this network (netdevice(7)): whether it is up, and whether it runs. For
/// people: that it cannot be had is said as well.
pub(super) fn state(name: &str) -> String {
    let socket = match Socket::new(Domain::IPV4, Type::DGRAM, None) {
        Ok(socket) => socket,
        Err(e) => return e.to_string(),
    };
    let (mut flags, get) = (0, libc::SIOCGIFFLAGS as libc::c_int);
    if let Err(number) = calls::ioctl_link(socket.as_raw_fd(), get, name, &mut flags) {
        return io::Error::from_raw_os_error(number).to_string();
    }
    let word = |bit, name| if flags & bit == 0 { "" } else { name };
    let (up, runs) = (word(libc::IFF_UP, " up"), word(libc::IFF_RUNNING, " running"));
    format!("flags {flags:#06x}{up}{runs}")
}

/// How many frames that the host sent on a link had no room in its descriptor: `drop` behind
/// `Transmit` in `/proc/net/dev` (proc(5)), of this thread's network.
pub(super) fn dropped(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/net/dev").unwrap_or_default();
    let of = |line: &str| {
        let (link, counts) = line.split_once(':')?;
        (link.trim() == name).then(|| counts.split_whitespace().nth(11)?.parse().ok())?
    };
    text.lines().find_map(of).unwrap_or(0)
}

/// The receive buffer of the tap on loopback, in bytes.
const ROOM: libc::c_int = 4 << 20;

/// What a [`LoopbackTap`] hears.
pub(super) enum Heard<'b> {
    /// A packet that the host sends to itself.
    Loopback(&'b [u8]),
    /// That a frame leaves by the link with this index.
    Link(u32),
}

/// Of a packet socket: an interface, 0 for all of them, and a protocol.
pub(super) fn address(index: u32, protocol: u16) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: `sockaddr_ll` is one of the addresses that a storage is made to hold.
    let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = protocol.to_be();
    address.sll_ifindex = index.cast_signed();
    let len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the storage holds a whole `sockaddr_ll` and `len` is its length.
    unsafe { SockAddr::new(storage, len) }
}

/// Sees each packet that the host sends to itself: packet(7) on loopback, or on all links.
pub(super) struct LoopbackTap {
    socket: Socket,
    lo: u32,
    /// How many packets were seen on their way out and not yet on their way in.
    under_way: i64,
}

impl AsFd for LoopbackTap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl LoopbackTap {
    /// In this network namespace, of the loopback interface with this index; with `all` it hears
    /// when something leaves by another link, too.
    pub(super) fn open(lo: u32, all: bool) -> io::Result<Self> {
        // Without a protocol until it is bound: to change the interface of one that hears already
        // takes the kernel a grace period (net/packet/af_packet.c packet_do_bind).
        let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking(), None)?;
        // A datagram of 64 KiB in small fragments, each seen twice, is more than the default holds.
        // SAFETY: the value is an int that lives through the call.
        let done = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_RCVBUFFORCE,
                std::ptr::from_ref(&ROOM).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            )
        };
        if done < 0 {
            // Beyond the host's limit by its own root only; twice that limit holds such a datagram.
            socket.set_recv_buffer_size(ROOM as usize)?;
        }
        // No index is every interface.
        socket.bind(&address(if all { 0 } else { lo }, libc::ETH_P_ALL as u16))?;
        Ok(Self { socket, lo, under_way: 0 })
    }

    /// The next that is sent, if there is something. Loopback shows each packet twice, on its way
    /// out and on its way in: the second is passed over, and so is what comes in by a link.
    pub(super) fn read<'b>(&mut self, buffer: &'b mut [u8]) -> Option<Heard<'b>> {
        loop {
            let fd: RawFd = self.socket.as_raw_fd();
            // SAFETY: all zeros is a valid `struct sockaddr_ll`.
            let mut from: libc::sockaddr_ll = unsafe { MaybeUninit::zeroed().assume_init() };
            let mut from_len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
            // SAFETY: the buffer and the address live through the call, and their lengths are theirs.
            let len = unsafe {
                libc::recvfrom(
                    fd,
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                    0,
                    (&raw mut from).cast(),
                    &raw mut from_len,
                )
            };
            // Loopback going down is reported once, and says nothing of what was sent.
            if len < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::ENETDOWN) {
                continue;
            }
            let len = usize::try_from(len).ok()?;
            let out = from.sll_pkttype == libc::PACKET_OUTGOING;
            let index = from.sll_ifindex.cast_unsigned();
            match (index == self.lo, out) {
                (true, true) => {
                    self.under_way += 1;
                    return Some(Heard::Loopback(&buffer[..len]));
                }
                (true, false) => self.under_way -= 1,
                (false, true) => return Some(Heard::Link(index)),
                (false, false) => {}
            }
        }
    }

    /// Whether packets that were seen to leave have not come in: the host has yet to deal with
    /// them, or has lost them. Asks once for each.
    pub(super) fn has_packets_under_way(&mut self) -> bool {
        std::mem::take(&mut self.under_way) != 0
    }
}
