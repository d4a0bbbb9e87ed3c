//! A capture of what a server saw, for Wireshark: pcapng with made-up headers around the real bytes, and the
//! secrets that decrypt them.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use etherparse::{PacketBuilder, PacketBuilderStep, TcpHeader};

/// `LINKTYPE_RAW`: packets begin with their IP header.
const RAW: u16 = 101;
/// How much of the bytes goes into one packet.
const SEGMENT: usize = 16 << 10;
/// What both ends say that they can take.
const WINDOW: u16 = 0xffff;

/// What is put behind what is there already, block by block.
#[derive(Debug)]
pub struct Capture {
    /// When the server began, since 1970.
    began: Duration,
    flows: HashMap<u64, Flow>,
    has_begun: bool,
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
        Self { began, flows: HashMap::new(), has_begun: false }
    }

    /// A connection is there.
    pub fn opened(
        &mut self,
        id: u64,
        client: SocketAddr,
        server: SocketAddr,
        at: Duration,
    ) -> Vec<u8> {
        let mut blocks = Vec::new();
        if !self.has_begun {
            self.has_begun = true;
            blocks.extend(block(0x0a0d_0d0a, &section()));
            let interface = [&RAW.to_le_bytes()[..], &[0; 6]].concat();
            blocks.extend(block(1, &interface));
        }
        // Families may differ in words only (::ffff:127.0.0.1).
        let ends = [client, server].map(|end| SocketAddr::new(end.ip().to_canonical(), end.port()));
        self.flows.insert(id, Flow { ends, next: [1000, 2000] });
        for (side, flag) in [(0, Flag::Syn), (1, Flag::Syn), (0, Flag::Ack)] {
            self.packet(id, side, flag, &[], at, &mut blocks);
        }
        blocks
    }

    /// Bytes of a connection went by.
    pub fn bytes(&mut self, id: u64, from_client: bool, data: &[u8], at: Duration) -> Vec<u8> {
        let mut blocks = Vec::new();
        for piece in data.chunks(SEGMENT) {
            self.packet(id, usize::from(!from_client), Flag::Ack, piece, at, &mut blocks);
        }
        blocks
    }

    /// Secrets in the format of `SSLKEYLOGFILE`; they stand before what they decrypt.
    pub fn secrets(lines: &str) -> Vec<u8> {
        let length = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        let head = [*b"KSLT", length.to_le_bytes()].concat();
        block(0x0a, &[&head, lines.as_bytes()].concat())
    }

    /// One end sends no more, or resets it.
    pub fn ended(&mut self, id: u64, by_client: bool, is_reset: bool, at: Duration) -> Vec<u8> {
        let mut blocks = Vec::new();
        let flag = if is_reset { Flag::Reset } else { Flag::Fin };
        self.packet(id, usize::from(!by_client), flag, &[], at, &mut blocks);
        blocks
    }

    /// A connection is over: nothing of it is kept.
    pub fn forget(&mut self, id: u64) {
        self.flows.remove(&id);
    }

    fn packet(
        &mut self,
        id: u64,
        side: usize,
        flag: Flag,
        data: &[u8],
        at: Duration,
        to: &mut Vec<u8>,
    ) {
        let Some(flow) = self.flows.get_mut(&id) else { return };
        let mut tcp = TcpHeader::new(
            flow.ends[side].port(),
            flow.ends[1 - side].port(),
            flow.next[side],
            WINDOW,
        );
        let is_first = flag == Flag::Syn && side == 0;
        tcp.syn = flag == Flag::Syn;
        tcp.fin = flag == Flag::Fin;
        tcp.rst = flag == Flag::Reset;
        tcp.psh = !data.is_empty();
        tcp.ack = !is_first;
        tcp.acknowledgment_number = if is_first { 0 } else { flow.next[1 - side] };
        let takes = u32::try_from(data.len()).unwrap_or(0) + u32::from(tcp.syn || tcp.fin);
        flow.next[side] = flow.next[side].wrapping_add(takes);
        let Some(packet) = ip(flow.ends[side].ip(), flow.ends[1 - side].ip(), tcp, data) else {
            return;
        };
        let micros = u64::try_from((self.began + at).as_micros()).unwrap_or(u64::MAX);
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        // The higher half comes first, each half little-endian.
        let time = micros.to_le_bytes();
        let (low, high) = time.split_at(4);
        let length = length.to_le_bytes();
        let head = [&[0; 4], high, low, &length, &length].concat();
        to.extend(block(6, &[head, packet].concat()));
    }
}

/// A packet of IP; none where one end has no address of the other's family.
fn ip(from: IpAddr, to: IpAddr, tcp: TcpHeader, data: &[u8]) -> Option<Vec<u8>> {
    let builder: PacketBuilderStep<TcpHeader> = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            PacketBuilder::ipv4(from.octets(), to.octets(), 64).tcp_header(tcp)
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            PacketBuilder::ipv6(from.octets(), to.octets(), 64).tcp_header(tcp)
        }
        _ => return None,
    };
    let mut packet = Vec::with_capacity(builder.size(data.len()));
    builder.write(&mut packet, data).ok()?;
    Some(packet)
}

/// A block of pcapng, which is little-endian here.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = body.len().next_multiple_of(4) - body.len();
    let length = u32::try_from(12 + body.len() + padding).unwrap_or(u32::MAX).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, body, &[0; 3][..padding], &length].concat()
}

/// What the file begins with: byte order, version 1.0, a length that nobody knows yet.
fn section() -> Vec<u8> {
    [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_whole() {
        let mut capture = Capture::new(Duration::from_secs(1 << 33));
        let client: SocketAddr = "127.0.0.1:40000".parse().unwrap();
        let server: SocketAddr = "127.0.0.1:443".parse().unwrap();
        let mut all = capture.opened(1, client, server, Duration::ZERO);
        all.extend(Capture::secrets("CLIENT_RANDOM 00 00\n"));
        all.extend(capture.bytes(1, true, &vec![7; 20_001], Duration::from_millis(1)));
        all.extend(capture.ended(1, false, true, Duration::from_millis(2)));
        capture.forget(1);
        assert!(capture.bytes(1, true, b"x", Duration::ZERO).is_empty());
        let mut kinds = Vec::new();
        let mut rest = &all[..];
        while !rest.is_empty() {
            let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
            let length = word(4) as usize;
            assert_eq!(word(length - 4) as usize, length);
            kinds.push(word(0));
            rest = &rest[length..];
        }
        assert_eq!(kinds, [0x0a0d_0d0a, 1, 6, 6, 6, 10, 6, 6, 6]);
        let addr = "[::1]:1".parse().unwrap();
        assert!(capture.opened(2, addr, server, Duration::ZERO).is_empty());
        assert!(capture.bytes(2, true, b"x", Duration::ZERO).is_empty());
    }
}
