//! Every frame of a network, with the kernel's times and in the kernel's order.
//!
//! A packet socket of all interfaces with a ring (packet(7), `TPACKET_V3`): its memory is not bounded by
//! `net.core.rmem_max`, as a receive buffer's is for who is not the host's root, and what has no room
//! in it is counted.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use libc::{c_int, c_void};
use socket2::{Domain, Socket, Type};

use super::barrier::Barrier;
use super::link;
use super::netlink::News;
use crate::case::{Hex, LinkKind};
use crate::exec::network::{Capture, Seen};
use crate::trace::{Direction, LinkFact};

/// Of a block, in bytes: more than the longest frame, so that none is cut.
const BLOCK: usize = 1 << 20;
/// How many blocks are asked for: where memory is short, fewer.
const BLOCKS: [usize; 3] = [64, 16, 4];
/// After how many milliseconds a block is handed over that is not full.
const RETIRE_MS: u32 = 10;
/// How long the last frames are waited for.
const LAST: Duration = Duration::from_secs(1);

/// `linux/filter.h`: load a word, jump if equal, return.
const LD: u16 = 0x20;
const JEQ: u16 = 0x15;
const RET: u16 = 0x06;

/// The ring and what is known of the interfaces.
pub(super) struct Ring {
    socket: Socket,
    memory: *mut u8,
    blocks: usize,
    next: usize,
    lost: u64,
    barrier: Barrier,
    /// Those of the lab, and behind them those that came later.
    links: Vec<LinkFact>,
    of_the_lab: usize,
    news: News,
    /// What links are called by their index, since the ring was opened.
    names: BTreeMap<u32, String>,
}

impl Ring {
    /// Of the network in which the thread is. What the barrier sends is nobody's.
    pub(super) fn open(links: &[LinkFact], barrier: Barrier) -> io::Result<Self> {
        let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking(), None)?;
        let version = libc::tpacket_versions::TPACKET_V3 as c_int;
        option(&socket, libc::SOL_PACKET, libc::PACKET_VERSION, &version)?;
        filter(&socket, links.first().map_or(1, |lo| lo.index))?;
        let asked = |blocks: &usize| {
            let frame = 2048;
            let request = libc::tpacket_req3 {
                tp_block_size: BLOCK as u32,
                tp_block_nr: *blocks as u32,
                tp_frame_size: frame,
                tp_frame_nr: (BLOCK * blocks) as u32 / frame,
                tp_retire_blk_tov: RETIRE_MS,
                tp_sizeof_priv: 0,
                tp_feature_req_word: 0,
            };
            option(&socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &request).is_ok()
        };
        // Nothing fails any more once there is a mapping that has no owner yet.
        let news = News::open()?;
        let blocks = *BLOCKS.iter().find(|blocks| asked(blocks)).ok_or_else(last_error)?;
        let (access, fd) = (libc::PROT_READ | libc::PROT_WRITE, socket.as_raw_fd());
        let none = std::ptr::null_mut();
        // SAFETY: a new mapping of the ring's length; where it lies the kernel chooses.
        let memory = unsafe { libc::mmap(none, BLOCK * blocks, access, libc::MAP_SHARED, fd, 0) };
        if memory == libc::MAP_FAILED {
            return Err(last_error());
        }
        let (memory, of_the_lab) = (memory.cast(), links.len());
        let (next, lost, links, names) = (0, 0, links.to_vec(), BTreeMap::new());
        let ring =
            Self { socket, memory, blocks, next, lost, barrier, links, of_the_lab, news, names };
        ring.socket.bind(&link::address(0, libc::ETH_P_ALL as u16))?;
        Ok(ring)
    }

    /// Hands over what is there, once round the ring: it may be filled as fast as it is read. Whether the
    /// barrier's mark was among it.
    fn read(&mut self, seen: &mut dyn FnMut(Seen<'_>)) -> bool {
        let mut marked = false;
        for _ in 0..self.blocks {
            // SAFETY: `next` is less than the number of blocks that are mapped.
            let block = unsafe { self.memory.add(self.next * BLOCK) };
            // SAFETY: a block is longer than that.
            let status = unsafe { block.add(8) }.cast();
            // SAFETY: the status stands at byte 8 of a block (`struct tpacket_block_desc`), aligned, and
            // is what the kernel and this process tell each other by.
            let status = unsafe { AtomicU32::from_ptr(status) };
            if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
                return marked;
            }
            // SAFETY: until the status is set back the kernel writes nothing to the block.
            let bytes = unsafe { std::slice::from_raw_parts(block, BLOCK) };
            let mut at = word(bytes, 16) as usize;
            for _ in 0..word(bytes, 12) {
                marked |= self.frame(&bytes[at.min(BLOCK)..], seen);
                at += word(bytes, at) as usize;
            }
            status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
            self.next = (self.next + 1) % self.blocks;
        }
        marked
    }

    /// One frame behind its header (`struct tpacket3_hdr`) and its `struct sockaddr_ll`.
    fn frame(&mut self, bytes: &[u8], seen: &mut dyn FnMut(Seen<'_>)) -> bool {
        const ADDRESS: usize = size_of::<libc::tpacket3_hdr>();
        let (index, hardware) = (word(bytes, ADDRESS + 4), half(bytes, ADDRESS + 8));
        let start = usize::from(half(bytes, 24));
        let Some(frame) = bytes.get(start..start + word(bytes, 12) as usize) else { return false };
        let at_ns = u64::from(word(bytes, 4)) * 1_000_000_000 + u64::from(word(bytes, 8));
        let out = bytes.get(ADDRESS + 10) == Some(&(libc::PACKET_OUTGOING));
        let dir = if out { Direction::Out } else { Direction::In };
        let place = self.place(index, hardware);
        let link = &self.links[place];
        if link.kind.is_none() && self.barrier.owns(frame) {
            return Barrier::is_mark(frame);
        }
        // A tag that the device would have written (linux net/8021q), and so is not among the bytes.
        let tag = (word(bytes, 20) & libc::TP_STATUS_VLAN_VALID != 0).then(|| {
            let kind = match half(bytes, 36) {
                0 => 0x8100,
                kind => kind,
            };
            [kind.to_be_bytes(), (word(bytes, 32) as u16).to_be_bytes()].concat()
        });
        match tag.filter(|_| frame.len() >= 12) {
            Some(tag) => {
                let bytes = [&frame[..12], &tag, &frame[12..]].concat();
                seen(Seen { at_ns, link: &link.name, dir, bytes: &bytes });
            }
            None => seen(Seen { at_ns, link: &link.name, dir, bytes: frame }),
        }
        false
    }

    /// The place of the interface with that index, which the program may have made just now.
    fn place(&mut self, index: u32, hardware: u16) -> usize {
        let known = self.links.iter().position(|link| link.index == index);
        known.unwrap_or_else(|| {
            // It may have gone already, so that it is not asked for.
            self.names.extend(self.news.links());
            let name = self.names.get(&index).cloned().unwrap_or_else(|| format!("if{index}"));
            // Whatever has no Ethernet header has none at all here, or one that nobody decodes.
            let ethernet = hardware == libc::ARPHRD_ETHER;
            let kind = Some(if ethernet { LinkKind::Tap } else { LinkKind::Tun });
            let mac = Hex(Vec::new());
            self.links.push(LinkFact { name, index, kind, mac, unseen: false });
            self.links.len() - 1
        })
    }
}

impl Capture for Ring {
    fn frames(&mut self, seen: &mut dyn FnMut(Seen<'_>)) {
        self.read(seen);
    }

    fn last(&mut self, seen: &mut dyn FnMut(Seen<'_>)) {
        let until = Instant::now() + LAST;
        self.barrier.mark();
        while !self.read(seen) && Instant::now() < until {
            link::watch(std::iter::once(self.socket.as_fd()));
        }
    }

    fn lost(&mut self) -> u64 {
        let mut counted = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
        let mut len = size_of::<libc::tpacket_stats_v3>() as libc::socklen_t;
        let fd = self.socket.as_raw_fd();
        let (level, name) = (libc::SOL_PACKET, libc::PACKET_STATISTICS);
        let value: *mut c_void = (&raw mut counted).cast();
        // SAFETY: the value and its length live through the call. Asked for, the count begins anew.
        if unsafe { libc::getsockopt(fd, level, name, value, &raw mut len) } == 0 {
            self.lost += u64::from(counted.tp_drops);
        }
        self.lost
    }

    fn others(&self) -> Vec<LinkFact> {
        self.links[self.of_the_lab..].to_vec()
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and nothing refers to it any more.
        unsafe { libc::munmap(self.memory.cast(), BLOCK * self.blocks) };
    }
}

fn last_error() -> io::Error {
    io::Error::last_os_error()
}

fn option<T>(socket: &Socket, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    let (fd, len) = (socket.as_raw_fd(), size_of::<T>() as libc::socklen_t);
    let value = std::ptr::from_ref(value).cast();
    // SAFETY: the value lives through the call and has that length.
    let done = unsafe { libc::setsockopt(fd, level, name, value, len) };
    if done < 0 { Err(last_error()) } else { Ok(()) }
}

/// Of loopback, which shows each packet twice, only what is on its way out.
fn filter(socket: &Socket, lo: u32) -> io::Result<()> {
    let step = |code, jt, jf, k: u32| libc::sock_filter { code, jt, jf, k };
    let of = |what: c_int| (libc::SKF_AD_OFF + what) as u32;
    let mut steps = [
        step(LD, 0, 0, of(libc::SKF_AD_IFINDEX)),
        step(JEQ, 0, 2, lo),
        step(LD, 0, 0, of(libc::SKF_AD_PKTTYPE)),
        step(JEQ, 0, 1, u32::from(libc::PACKET_OUTGOING)),
        step(RET, 0, 0, u32::MAX),
        step(RET, 0, 0, 0),
    ];
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    option(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

fn half(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_ne_bytes)
}
