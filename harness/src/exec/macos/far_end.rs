//! The far ends of links, and the tap on loopback.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;

use super::sys;
use crate::darwin::{bpf, ioctl, request, utun};

/// As many BPF devices as may be looked at.
const DEVICES: u32 = 256;

/// How long a device's buffer shall be: with the 4,096 that it has else, longer packets are cut and
/// bursts lost (xnu-11417 `bsd/net/bpf.c:145`). The kernel may give less.
const BUFFER: u32 = 1 << 18;

/// `DLT_EN10MB` of `bsd/net/bpf.h`.
const ETHERNET: u32 = 1;

/// The far end of a link: what the host sends there is read here, and the other way round.
pub(super) enum FarEnd {
    /// A utun's own descriptor.
    Utun(OwnedFd),
    /// BPF on the other feth of a pair.
    Feth(Bpf),
    /// The link has been deleted.
    Gone,
}

impl FarEnd {
    /// Hands over each frame that is there.
    pub(super) fn read(&mut self, buffer: &mut [u8], frames: &mut Vec<Vec<u8>>) {
        match self {
            Self::Utun(fd) => {
                // Nothing to read is EAGAIN.
                while let Ok(len) = nix::unistd::read(&*fd, buffer) {
                    if len == 0 {
                        break;
                    }
                    frames.extend(utun::packet(&buffer[..len]).map(<[u8]>::to_vec));
                }
            }
            Self::Feth(bpf) => bpf.read(frames),
            Self::Gone => {}
        }
    }

    /// Lets a frame arrive at the host. That the link is down is no error: it is lost, as a frame to
    /// a host whose cable is out.
    pub(super) fn write(&mut self, frame: &[u8]) {
        match self {
            Self::Utun(fd) => {
                if let Some(header) = utun::header(frame) {
                    let _ = nix::unistd::write(&*fd, &[&header[..], frame].concat());
                }
            }
            Self::Feth(bpf) => bpf.write(frame),
            Self::Gone => {}
        }
    }

    /// How many frames there was no room for.
    pub(super) fn drops(&self) -> u32 {
        if let Self::Feth(bpf) = self { bpf.drops() } else { 0 }
    }
}

/// A BPF device on an interface.
pub(super) struct Bpf {
    file: File,
    /// Each read asks for all of the device's buffer.
    buffer: Vec<u8>,
    /// Whether its packets have an Ethernet header.
    is_ethernet: bool,
}

impl Bpf {
    /// On that interface. `is_far_end`: frames to whomever are wanted, and what is written is not
    /// read back.
    pub(super) fn open(interface: &str, is_far_end: bool) -> io::Result<Self> {
        let file = free_device()?;
        let mut len = BUFFER.to_ne_bytes();
        // Before it has an interface: then it is EINVAL.
        sys::control(&file, ioctl::BIOCSBLEN, &mut len)?;
        sys::control(&file, ioctl::BIOCGBLEN, &mut len)?;
        sys::control(&file, ioctl::BIOCSETIF, &mut request::ifreq(interface))?;
        let [mut on, mut off] = [1u32, 0].map(u32::to_ne_bytes);
        sys::control(&file, ioctl::BIOCIMMEDIATE, &mut on)?;
        sys::control(&file, ioctl::BIOCSHDRCMPLT, &mut on)?;
        if is_far_end {
            sys::control(&file, ioctl::BIOCSSEESENT, &mut off)?;
            sys::control(&file, ioctl::BIOCPROMISC, &mut [])?;
        }
        let mut header = [0; 4];
        sys::control(&file, ioctl::BIOCGDLT, &mut header)?;
        let is_ethernet = u32::from_ne_bytes(header) == ETHERNET;
        Ok(Self { file, buffer: vec![0; u32::from_ne_bytes(len) as usize], is_ethernet })
    }

    /// How many packets there was no room for since it was opened.
    pub(super) fn drops(&self) -> u32 {
        let mut counts = [0; 8];
        match sys::control(&self.file, ioctl::BIOCGSTATS, &mut counts) {
            Ok(()) => u32::from_ne_bytes([counts[4], counts[5], counts[6], counts[7]]),
            // Its interface is gone.
            Err(_) => 0,
        }
    }

    fn read(&mut self, frames: &mut Vec<Vec<u8>>) {
        while let Ok(len) = self.file.read(&mut self.buffer) {
            if len == 0 {
                break;
            }
            frames.extend(bpf::records(&self.buffer[..len]).map(|record| record.bytes.to_vec()));
        }
    }

    fn write(&mut self, frame: &[u8]) {
        let _ = self.file.write(frame);
    }

    /// Each packet that the interface carried, with an Ethernet header if it has none.
    pub(super) fn read_all(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        self.read(&mut packets);
        if self.is_ethernet {
            return packets;
        }
        packets.iter().filter_map(|packet| bpf::of_loopback(packet)).collect()
    }
}

/// The first device that nobody has; the kernel makes another when all are taken
/// (bsd/net/bpf.c `bpfopen`).
fn free_device() -> io::Result<File> {
    for number in 0..DEVICES {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).custom_flags(libc::O_NONBLOCK);
        match options.open(format!("/dev/bpf{number}")) {
            Err(e) if e.raw_os_error() == Some(libc::EBUSY) => {}
            opened => return opened,
        }
    }
    Err(io::Error::from_raw_os_error(libc::EBUSY))
}
