//! A capture of what a server saw, for Wireshark: pcapng with made-up headers around the real bytes, and the
//! secrets that decrypt them.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use etherparse::{IpHeaders, PacketBuilder, PacketBuilderStep, TcpHeader};

use crate::witness::plain;

/// `LINKTYPE_RAW`: packets begin with their IP header.
const RAW: u16 = 101;
/// How much of the bytes goes into one packet.
const SEGMENT: usize = 16 << 10;
/// What both ends say that they can take.
const WINDOW: u16 = 0xffff;
/// How many bytes of datagrams are kept; what comes behind them is not.
const MOST: usize = 64 << 20;

/// What is put behind what is there already, block by block.
#[derive(Debug)]
pub struct Capture {
    /// When the server began, since 1970.
    began: Duration,
    flows: HashMap<u64, Flow>,
    /// How many bytes of datagrams are in it.
    datagrams: usize,
    has_begun: bool,
    /// What was not taken yet.
    blocks: Vec<u8>,
}

/// A connection: both ends, the client's first, and what each sends next.
#[derive(Clone, Copy, Debug)]
struct Flow {
    ends: [SocketAddr; 2],
    next: [u32; 2],
}

/// What a packet says besides its bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flag {
    Syn,
    Ack,
    Fin,
    Reset,
}

impl Capture {
    /// One of a server that began then, since 1970.
    pub fn new(began: Duration) -> Self {
        Self { began, flows: HashMap::new(), datagrams: 0, has_begun: false, blocks: Vec::new() }
    }

    /// A connection is there.
    pub fn opened(&mut self, id: u64, client: SocketAddr, server: SocketAddr, at: Duration) {
        self.flows.insert(id, Flow { ends: ends(client, server), next: [1000, 2000] });
        for (side, flag) in [(0, Flag::Syn), (1, Flag::Syn), (0, Flag::Ack)] {
            self.segment(id, side, flag, &[], at);
        }
    }

    /// Bytes of a connection went by.
    pub fn bytes(&mut self, id: u64, from_client: bool, data: &[u8], at: Duration) {
        for piece in data.chunks(SEGMENT) {
            self.segment(id, usize::from(!from_client), Flag::Ack, piece, at);
        }
    }

    /// One end sends no more, or resets it.
    pub fn ended(&mut self, id: u64, by_client: bool, is_reset: bool, at: Duration) {
        let flag = if is_reset { Flag::Reset } else { Flag::Fin };
        self.segment(id, usize::from(!by_client), flag, &[], at);
    }

    /// A connection is over: nothing of it is kept.
    pub fn forget(&mut self, id: u64) {
        self.flows.remove(&id);
    }

    /// A datagram went by.
    pub fn datagram(&mut self, from: SocketAddr, to: SocketAddr, data: &[u8], at: Duration) {
        if self.datagrams + data.len() > MOST {
            return;
        }
        self.datagrams += data.len();
        let [from, to] = ends(from, to);
        let Some(ip) = ip(from.ip(), to.ip()) else { return };
        let mut packet = Vec::new();
        if ip.udp(from.port(), to.port()).write(&mut packet, data).is_ok() {
            self.packet(&packet, at);
        }
    }

    /// Secrets in the format of `SSLKEYLOGFILE`; they stand before what they decrypt.
    pub fn secrets(&mut self, lines: &str) {
        let length = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        let head = [*b"KSLT", length.to_le_bytes()].concat();
        self.block(0x0a, &[&head, lines.as_bytes()].concat());
    }

    /// What came since it was last taken; nothing until there is something to be told.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.blocks)
    }

    fn segment(&mut self, id: u64, side: usize, flag: Flag, data: &[u8], at: Duration) {
        let Some(flow) = self.flows.get_mut(&id) else { return };
        let (from, to) = (flow.ends[side], flow.ends[1 - side]);
        let mut tcp = TcpHeader::new(from.port(), to.port(), flow.next[side], WINDOW);
        let is_first = flag == Flag::Syn && side == 0;
        tcp.syn = flag == Flag::Syn;
        tcp.fin = flag == Flag::Fin;
        tcp.rst = flag == Flag::Reset;
        tcp.psh = !data.is_empty();
        tcp.ack = !is_first;
        tcp.acknowledgment_number = if is_first { 0 } else { flow.next[1 - side] };
        let takes = u32::try_from(data.len()).unwrap_or(0) + u32::from(tcp.syn || tcp.fin);
        flow.next[side] = flow.next[side].wrapping_add(takes);
        let Some(ip) = ip(from.ip(), to.ip()) else { return };
        let mut packet = Vec::new();
        if ip.tcp_header(tcp).write(&mut packet, data).is_ok() {
            self.packet(&packet, at);
        }
    }

    fn packet(&mut self, packet: &[u8], at: Duration) {
        let micros = u64::try_from((self.began + at).as_micros()).unwrap_or(u64::MAX);
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX).to_le_bytes();
        // The higher half comes first, each half little-endian.
        let time = micros.to_le_bytes();
        let (low, high) = time.split_at(4);
        self.block(6, &[&[0; 4], high, low, &length, &length, packet].concat());
    }

    /// A block of pcapng, which is little-endian here; before the first those that a file begins with.
    fn block(&mut self, kind: u32, body: &[u8]) {
        if !self.has_begun {
            self.has_begun = true;
            // Byte order, version 1.0, a length that nobody knows yet.
            let order = 0x1a2b_3c4d_u32.to_le_bytes();
            self.block(0x0a0d_0d0a, &[&order[..], &[1, 0, 0, 0], &[0xff; 8]].concat());
            self.block(1, &[&RAW.to_le_bytes()[..], &[0; 6]].concat());
        }
        let padding = body.len().next_multiple_of(4) - body.len();
        let length = u32::try_from(12 + body.len() + padding).unwrap_or(u32::MAX).to_le_bytes();
        let parts = [&kind.to_le_bytes()[..], &length, body, &[0; 3][..padding], &length];
        self.blocks.extend(parts.concat());
    }
}

/// As addresses of IPv4 if both are, however they are written (`::ffff:127.0.0.1`).
fn ends(from: SocketAddr, to: SocketAddr) -> [SocketAddr; 2] {
    let ends = [plain(from), plain(to)];
    if ends.iter().all(SocketAddr::is_ipv4) { ends } else { [from, to] }
}

/// The header of IP; none where one end has no address of the other's family.
fn ip(from: IpAddr, to: IpAddr) -> Option<PacketBuilderStep<IpHeaders>> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            Some(PacketBuilder::ipv4(from.octets(), to.octets(), 64))
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            Some(PacketBuilder::ipv6(from.octets(), to.octets(), 64))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The types of the blocks that were not taken yet, which are whole.
    fn kinds(capture: &mut Capture) -> Vec<u32> {
        let all = capture.take();
        let mut kinds = Vec::new();
        let mut rest = &all[..];
        while !rest.is_empty() {
            let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
            let length = word(4) as usize;
            assert_eq!(word(length - 4) as usize, length);
            kinds.push(word(0));
            rest = &rest[length..];
        }
        kinds
    }

    #[test]
    fn blocks_are_whole() {
        let mut capture = Capture::new(Duration::from_secs(1 << 33));
        let client: SocketAddr = "127.0.0.1:40000".parse().unwrap();
        let server: SocketAddr = "127.0.0.1:443".parse().unwrap();
        capture.opened(1, client, server, Duration::ZERO);
        capture.secrets("CLIENT_RANDOM 00 00\n");
        capture.bytes(1, true, &vec![7; 20_001], Duration::from_millis(1));
        capture.ended(1, false, true, Duration::from_millis(2));
        assert_eq!(kinds(&mut capture), [0x0a0d_0d0a, 1, 6, 6, 6, 10, 6, 6, 6]);
        capture.forget(1);
        capture.bytes(1, true, b"x", Duration::ZERO);
        assert!(capture.take().is_empty());
        let addr = "[::1]:1".parse().unwrap();
        capture.opened(2, addr, server, Duration::ZERO);
        capture.bytes(2, true, b"x", Duration::ZERO);
        assert!(capture.take().is_empty());
    }

    #[test]
    fn datagrams_are_kept_up_to_a_bound() {
        let mut capture = Capture::new(Duration::ZERO);
        let v4: [SocketAddr; 2] = ["127.0.0.1:4", "127.0.0.1:443"].map(|a| a.parse().unwrap());
        let mapped = ["[::ffff:127.0.0.1]:4", "[::ffff:127.0.0.1]:443"].map(|a| a.parse().unwrap());
        let any: SocketAddr = "[::]:443".parse().unwrap();
        capture.datagram(v4[0], v4[1], b"abc", Duration::ZERO);
        let first = capture.take();
        assert_eq!(first[48..].len(), 32 + 20 + 8 + 4);
        capture.datagram(mapped[0], mapped[1], b"abc", Duration::ZERO);
        assert_eq!(capture.take(), first[48..]);
        // Where no kernel says where it came to.
        capture.datagram(mapped[0], any, b"abc", Duration::ZERO);
        assert_eq!(kinds(&mut capture), [6]);
        capture.datagrams = MOST - 1;
        capture.datagram(v4[0], v4[1], b"abc", Duration::ZERO);
        assert!(capture.take().is_empty());
    }
}
