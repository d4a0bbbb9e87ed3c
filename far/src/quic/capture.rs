//! The datagrams as a pcapng file, with the secrets that decrypt them in it.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use etherparse::PacketBuilder;
use pcap_file::DataLink;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionBlock;
use pcap_file::pcapng::blocks::unknown::UnknownBlock;

/// How many bytes of datagrams are told; what comes behind them is not.
const MOST: usize = 64 << 20;
/// The type of a Decryption Secrets Block, and of a TLS key log in one (draft-ietf-opsawg-pcapng).
const SECRETS: (u32, u32) = (0x0a, 0x544c_534b);
/// An IP packet without a link layer (`LINKTYPE_RAW`).
const RAW: u32 = 101;

/// A file that is written as things happen.
pub(super) struct Capture {
    writer: Option<PcapNgWriter<Vec<u8>>>,
    /// When the server began, since 1970.
    began: Duration,
    told: usize,
}

impl Capture {
    pub(super) fn new() -> Self {
        let mut writer = PcapNgWriter::new(Vec::new()).ok();
        if let Some(writer) = &mut writer {
            let linktype = DataLink::from(RAW);
            let interface = InterfaceDescriptionBlock { linktype, snaplen: 0, options: Vec::new() };
            // Nothing fails that is written to memory.
            let _ = writer.write_pcapng_block(interface);
        }
        let began = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { writer, began, told: 0 }
    }

    /// A datagram as an IP packet; its header is made up but for the addresses.
    pub(super) fn datagram(&mut self, at: Duration, from: SocketAddr, to: SocketAddr, data: &[u8]) {
        if self.told + data.len() > MOST {
            return;
        }
        self.told += data.len();
        let ip = match (from, to) {
            (SocketAddr::V4(from), SocketAddr::V4(to)) => {
                PacketBuilder::ipv4(from.ip().octets(), to.ip().octets(), 64)
            }
            (from, to) => {
                let octets = |addr: SocketAddr| match addr.ip() {
                    std::net::IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
                    std::net::IpAddr::V6(v6) => v6.octets(),
                };
                PacketBuilder::ipv6(octets(from), octets(to), 64)
            }
        };
        let mut packet = Vec::new();
        if ip.udp(from.port(), to.port()).write(&mut packet, data).is_err() {
            return;
        }
        let Some(writer) = &mut self.writer else { return };
        let block = EnhancedPacketBlock {
            interface_id: 0,
            timestamp: self.began + at,
            original_len: u32::try_from(packet.len()).unwrap_or(u32::MAX),
            data: Cow::Owned(packet),
            options: Vec::new(),
        };
        let _ = writer.write_pcapng_block(block);
    }

    /// Lines of a key log, for the packets behind them.
    pub(super) fn keys(&mut self, lines: &str) {
        let Some(writer) = &mut self.writer else { return };
        let length = u32::try_from(lines.len()).unwrap_or(0);
        let mut value = [SECRETS.1.to_ne_bytes(), length.to_ne_bytes()].concat();
        value.extend_from_slice(lines.as_bytes());
        value.resize(value.len().next_multiple_of(4), 0);
        let length = u32::try_from(value.len()).unwrap_or(0) + 12;
        let _ = writer.write_pcapng_block(UnknownBlock::new(SECRETS.0, length, &value));
    }

    /// What was written since.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.writer.as_mut().map(|w| std::mem::take(w.get_mut())).unwrap_or_default()
    }
}
