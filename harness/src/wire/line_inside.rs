//! The lines of what is neither ARP nor one of the protocols whose fields a [`Packet`](super::Packet)
//! has: tags, tunnels, and transports that only have their beginning said; and the options of TCP.

use super::bytes::{be16, be32, len32};
use super::decode::{ETHERTYPE_ARP, ETHERTYPE_V4, ETHERTYPE_V6, arp, ip};
use super::line::Line;
use super::{Numbers, Tcp, TcpFlags, TcpOption, name};

/// How many packets within packets are said; what is deeper is its length.
const DEEPEST: u8 = 4;
/// Tags of IEEE 802.1Q, and of the provider (802.1ad).
const VLAN: u16 = 0x8100;
const PROVIDER: u16 = 0x88a8;

/// An option by its name; padding has none.
pub(super) fn tcp_option(option: &TcpOption) -> Option<String> {
    Some(match option {
        TcpOption::End | TcpOption::Nop => return None,
        TcpOption::Mss(mss) => format!("mss {mss}"),
        TcpOption::WindowScale(shift) => format!("wscale {shift}"),
        TcpOption::SackPermitted => "sackOK".to_owned(),
        TcpOption::Sack(blocks) => format!("sack {}", blocks.len()),
        TcpOption::Timestamps { .. } => "ts".to_owned(),
        TcpOption::FastOpen(cookie) if cookie.is_empty() => "tfo request".to_owned(),
        TcpOption::FastOpen(cookie) => format!("tfo len {}", cookie.len()),
        TcpOption::Other { kind: 30, data } => name::mptcp(data),
        // RFC 2385, RFC 5925.
        TcpOption::Other { kind: 19, data } => format!("md5 len {}", data.len()),
        TcpOption::Other { kind: 29, data } => format!("ao len {}", data.len()),
        TcpOption::Other { kind, data } => format!("option-{kind} len {}", data.len()),
        TcpOption::Malformed(bytes) => format!("malformed options len {}", bytes.len()),
    })
}

/// How far it is beyond the first one, or before it.
fn beyond(number: u32, first: u32) -> i32 {
    number.wrapping_sub(first).cast_signed()
}

impl Line<'_> {
    /// As `tcpdump` says them: `seq 1:6 ack 1`. A SYN's own number is what the others are relative to.
    pub(super) fn tcp_numbers(&mut self, tcp: &Tcp<'_>, numbers: Numbers) {
        let has = |flag| tcp.flags.has(flag);
        let is_told = !tcp.payload.is_empty() || has(TcpFlags::FIN) || has(TcpFlags::RST);
        if let Some(first) = numbers.sender.filter(|_| is_told && !has(TcpFlags::SYN)) {
            let from = beyond(tcp.seq, first);
            if tcp.payload.is_empty() {
                self.say(format_args!("seq {from}"));
            } else {
                self.say(format_args!(
                    "seq {from}:{}",
                    from.wrapping_add_unsigned(len32(tcp.payload))
                ));
            }
        }
        if let Some(first) = numbers.receiver.filter(|_| has(TcpFlags::ACK)) {
            self.say(format_args!("ack {}", beyond(tcp.ack, first)));
        }
    }

    /// As `tcpdump` lists them, padding too, but never a time of the host's clock.
    pub(super) fn tcp_options(&mut self, tcp: &Tcp<'_>, numbers: Numbers) {
        let said = tcp.options.iter().map(|option| match (option, numbers.receiver) {
            (TcpOption::End, _) => "eol".to_owned(),
            (TcpOption::Nop, _) => "nop".to_owned(),
            (TcpOption::Sack(blocks), Some(first)) => {
                let edges = |&(from, to)| format!(" {}:{}", beyond(from, first), beyond(to, first));
                format!("sack{}", blocks.iter().map(edges).collect::<String>())
            }
            (TcpOption::Timestamps { value, .. }, _) if !numbers.by_host => {
                format!("TS val {value}")
            }
            // RFC 7323 §3.2: what is echoed counts if the segment acknowledges.
            (TcpOption::Timestamps { echo, .. }, _) if tcp.flags.has(TcpFlags::ACK) => {
                format!("TS ecr {echo}")
            }
            (TcpOption::Timestamps { .. }, _) => "TS".to_owned(),
            (TcpOption::FastOpen(cookie), _) if cookie.is_empty() => "tfo".to_owned(),
            (other, _) => tcp_option(other).unwrap_or_default(),
        });
        let said = said.collect::<Vec<_>>().join(",");
        if !said.is_empty() {
            self.say(format_args!("[{said}]"));
        }
    }

    pub(super) fn ethertype(&mut self, ethertype: u16, bytes: &[u8]) {
        if self.inside < DEEPEST && self.tagged(ethertype, bytes).is_some() {
            return;
        }
        match name::ethertype(ethertype) {
            Some(name) => self.say(format_args!("{name} len {}", bytes.len())),
            None => self.say(format_args!("ethertype {ethertype:#06x} len {}", bytes.len())),
        }
    }

    /// A tag is priority, eligibility to be dropped, and the number of the VLAN.
    fn tagged(&mut self, ethertype: u16, bytes: &[u8]) -> Option<()> {
        let what = match ethertype {
            VLAN => "vlan",
            PROVIDER => "s-vlan",
            _ => return None,
        };
        let (tag, inner) = (be16(bytes, 0)?, be16(bytes, 2)?);
        self.say(format_args!("{what} {}", tag & 0xfff));
        if tag >> 13 != 0 {
            self.say(format_args!("priority {}", tag >> 13));
        }
        if tag >> 12 & 1 == 1 {
            self.say(format_args!("drop-eligible"));
        }
        self.carries(inner, bytes.get(4..)?);
        Some(())
    }

    /// What follows an ethertype that is not the frame's own.
    fn carries(&mut self, ethertype: u16, bytes: &[u8]) {
        self.inside += 1;
        match ethertype {
            ETHERTYPE_V4 | ETHERTYPE_V6 => self.net(&ip(bytes)),
            ETHERTYPE_ARP => self.net(&arp(bytes)),
            other => self.ethertype(other, bytes),
        }
        self.inside -= 1;
    }

    /// A protocol by its name, and what is simple of it; the bytes where nothing is.
    pub(super) fn other(&mut self, protocol: u8, bytes: &[u8]) {
        if self.inside < DEEPEST && self.known(protocol, bytes).is_some() {
            return;
        }
        self.say(format_args!("{} len {}", name::protocol(protocol), bytes.len()));
        self.payload(bytes, 0);
    }

    fn known(&mut self, protocol: u8, bytes: &[u8]) -> Option<()> {
        let name = name::protocol(protocol);
        match protocol {
            // RFC 2003, RFC 4213 §3.
            4 | 41 => {
                let version = bytes.first()? >> 4;
                (version == if protocol == 4 { 4 } else { 6 }).then_some(())?;
                self.say(format_args!("{name}"));
                let ethertype = if protocol == 4 { ETHERTYPE_V4 } else { ETHERTYPE_V6 };
                self.carries(ethertype, bytes);
            }
            47 => self.gre(bytes)?,
            // RFC 4303 §2: all the rest is encrypted. Sequence numbers are left out.
            50 => {
                let spi = be32(bytes, 0)?;
                be32(bytes, 4)?;
                self.say(format_args!("{name} spi {spi:#x} len {}", bytes.len()));
            }
            51 => self.authenticated(bytes)?,
            33 => {
                // RFC 4340 §5.1.
                let (sport, dport, kind) = (be16(bytes, 0)?, be16(bytes, 2)?, *bytes.get(8)?);
                let (sport, dport) = (self.names.port(sport), self.names.port(dport));
                let kind = name::dccp(kind >> 1 & 15);
                self.say(format_args!("{name} {sport} > {dport} {kind} len {}", bytes.len()));
            }
            112 => {
                // RFC 9568 §5: version and type, router, priority.
                let [first, router, priority] = *bytes.first_chunk()?;
                let (version, kind) = (first >> 4, first & 15);
                let kind =
                    if kind == 1 { "advertisement".to_owned() } else { format!("type {kind}") };
                let words =
                    format_args!("{name}v{version} {kind} router {router} priority {priority}");
                self.say(words);
                self.say(format_args!("len {}", bytes.len()));
            }
            132 => self.sctp(bytes)?,
            136 => {
                // RFC 3828 §3.1: what is the length in UDP is how much the checksum covers.
                let (sport, dport, covers) = (be16(bytes, 0)?, be16(bytes, 2)?, be16(bytes, 4)?);
                let payload = bytes.get(8..)?;
                let (sport, dport) = (self.names.port(sport), self.names.port(dport));
                let words = format_args!("{name} {sport} > {dport} covers {covers}");
                self.say(words);
                self.say(format_args!("len {}", payload.len()));
                self.payload(payload, 0);
            }
            _ => return None,
        }
        Some(())
    }

    /// RFC 2784 §2, and RFC 2890 §2 for the key; another version is PPTP's.
    fn gre(&mut self, bytes: &[u8]) -> Option<()> {
        let (flags, ethertype) = (be16(bytes, 0)?, be16(bytes, 2)?);
        if flags & 7 != 0 {
            return None;
        }
        let (sum, key, sequence) = (flags >> 15 & 1, flags >> 13 & 1, flags >> 12 & 1);
        let at = 4 + 4 * usize::from(sum);
        let key = if key == 1 { Some(be32(bytes, at)?) } else { None };
        let header = at + 4 * usize::from(key.is_some()) + 4 * usize::from(sequence);
        let inner = bytes.get(header..)?;
        self.say(format_args!("GRE"));
        if let Some(key) = key {
            self.say(format_args!("key {key:#x}"));
        }
        self.carries(ethertype, inner);
        Some(())
    }

    /// RFC 4302 §2: what comes next, the length in words beyond two, the parameters' index.
    fn authenticated(&mut self, bytes: &[u8]) -> Option<()> {
        let (next, len, spi) = (*bytes.first()?, *bytes.get(1)?, be32(bytes, 4)?);
        let inner = bytes.get(4 * (usize::from(len) + 2)..)?;
        self.say(format_args!("AH spi {spi:#x}"));
        self.inside += 1;
        match next {
            4 => self.carries(ETHERTYPE_V4, inner),
            41 => self.carries(ETHERTYPE_V6, inner),
            17 if inner.len() >= 8 => {
                let (sport, dport) = (be16(inner, 0)?, be16(inner, 2)?);
                let (sport, dport) = (self.names.port(sport), self.names.port(dport));
                self.say(format_args!("UDP {sport} > {dport} len {}", inner.len() - 8));
                self.payload(&inner[8..], 0);
            }
            next => self.other(next, inner),
        }
        self.inside -= 1;
        Some(())
    }

    /// RFC 9260 §3: ports, a tag that is drawn at random, and chunks.
    fn sctp(&mut self, bytes: &[u8]) -> Option<()> {
        let (sport, dport) = (be16(bytes, 0)?, be16(bytes, 2)?);
        let mut chunks = bytes.get(12..)?;
        let (sport, dport) = (self.names.port(sport), self.names.port(dport));
        let mut kinds = Vec::new();
        while let (Some(kind), Some(len)) = (chunks.first(), be16(chunks, 2)) {
            kinds.push(name::sctp(*kind));
            // Padded to four bytes; a chunk is no shorter than its header.
            let len = usize::from(len).max(4).next_multiple_of(4);
            chunks = chunks.get(len..).unwrap_or_default();
        }
        self.say(format_args!("SCTP {sport} > {dport} [{}] len {}", kinds.join(", "), bytes.len()));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::{self, hex};
    use super::super::{Framing, Plain, build, decode, line};
    use rstest::rstest;

    /// What stands behind the header of a packet of this protocol.
    fn body(protocol: u8, bytes: &[u8]) -> String {
        let (src, dst) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let frame = build::ip(build::Link::Ip, src, dst, 64, protocol, bytes).unwrap();
        let said = line(&decode(Framing::Ip, &frame), &Plain);
        said.split_once("DF ").unwrap().1.to_owned()
    }

    const INNER4: &str = "4500001c 00000000 40110000 01010101 02020202 00010002 00080000";
    const INNER6: &str = "60000000 00083a40 00000000000000000000000000000001 \
                          00000000000000000000000000000002 80000000 00010001";
    const SAID4: &str =
        "IPv4 1.1.1.1 > 2.2.2.2 ttl 64 bad header checksum UDP 1 > 2 len 0 no checksum";
    const SAID6: &str = "IPv6 ::1 > ::2 hlim 64 ICMPv6 echo request id 1 seq 1 len 0 bad checksum";

    /// One packet of each odd kind.
    #[rstest]
    #[case(
        132,
        "1388 0050 00000000 00000000 01000014 00000000 00000000 00000000 00000000",
        "SCTP 5000 > 80 [INIT] len 32"
    )]
    #[case(
        132,
        "1388 0050 00000000 00000000 0a000005 00000000 0b000004",
        "SCTP 5000 > 80 [COOKIE ECHO, COOKIE ACK] len 24"
    )]
    #[case(132, "1388 0050 00000000 00000000 63000000 00", "SCTP 5000 > 80 [chunk 99] len 17")]
    #[case(132, "1388 0050 00000000", "SCTP len 8 data[0..8]")]
    #[case(136, "1388 0009 0008 0000 6c697465", "UDP-Lite 5000 > 9 covers 8 len 4 \"lite\"")]
    #[case(136, "1388 0009 0008", "UDP-Lite len 6 data[0..6]")]
    #[case(33, "1388 0050 04 00 0000 01 00 0000 00000000", "DCCP 5000 > 80 Request len 16")]
    #[case(33, "1388 0050 04 00 0000", "DCCP len 8 data[0..8]")]
    #[case(50, "00001234 00000001 78787878", "ESP spi 0x1234 len 12")]
    #[case(50, "00001234 0000", "ESP len 6 data[0..6]")]
    #[case(
        51,
        "11 04 0000 00000055 00000001 696969696969696969696969 0001 0002 0008 0000",
        "AH spi 0x55 UDP 1 > 2 len 0"
    )]
    #[case(51, "11 ff 0000 00000055 00000001", "AH len 12 data[0..12]")]
    #[case(112, "21016401 00010000 0a000001", "VRRPv2 advertisement router 1 priority 100 len 12")]
    #[case(112, "2101", "VRRP len 2 data[0..2]")]
    #[case(253, "6578", "protocol 253 len 2 \"ex\"")]
    #[case(89, "0201", "OSPF len 2 data[0..2]")]
    fn protocols(#[case] protocol: u8, #[case] bytes: &str, #[case] said: &str) {
        assert_eq!(body(protocol, &hex(bytes)), said);
    }

    #[test]
    fn tunnels() {
        assert_eq!(body(4, &hex(INNER4)), format!("IP-in-IP {SAID4}"));
        assert_eq!(body(41, &hex(INNER6)), format!("IPv6-in-IP {SAID6}"));
        let gre = |header: &str, inner: &str| body(47, &hex(&format!("{header} {inner}")));
        assert_eq!(gre("0000 0800", INNER4), format!("GRE {SAID4}"));
        assert_eq!(gre("3000 86dd 00000007 00000001", INNER6), format!("GRE key 0x7 {SAID6}"));
        assert_eq!(gre("0000 88cc", "0011"), "GRE LLDP len 2");
        // What each of them cannot be: another version, too short, PPTP's GRE.
        assert_eq!(body(4, &hex("60")), "IP-in-IP len 1 \"`\"");
        assert_eq!(body(41, &hex("45")), "IPv6-in-IP len 1 \"E\"");
        assert_eq!(body(4, &hex("4500")), "IP-in-IP malformed (an IPv4 header in 2 bytes) len 2");
        assert_eq!(gre("2000 0800", "00"), "GRE len 5 data[0..5]");
        assert_eq!(gre("3001 880b", "0000"), "GRE len 6 data[0..6]");
    }

    /// A tunnel in a tunnel in a tunnel ends, however long the frame is.
    #[test]
    fn packets_in_packets_end() {
        let (src, dst) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let mut bytes = Vec::new();
        for _ in 0..2000 {
            bytes = build::ip(build::Link::Ip, src, dst, 64, 4, &bytes).unwrap();
        }
        let said = line(&decode(Framing::Ip, &bytes), &Plain);
        assert_eq!(said.matches("IPv4").count(), 5, "{said}");
        assert!(said.contains("IP-in-IP len 39"), "{said}");
    }

    #[rstest]
    #[case(
        "8100 0007",
        "to 02:00:00:00:00:02: vlan 7 IPv4 192.0.2.1 > 192.0.2.2 ttl 64 DF UDP 53094 > 12345 len 6 \"hello\\0\""
    )]
    #[case(
        "88a8 f064 8100 0007",
        "to 02:00:00:00:00:02: s-vlan 100 priority 7 drop-eligible vlan 7 IPv4 192.0.2.1 > 192.0.2.2 ttl 64 DF UDP 53094 > 12345 len 6 \"hello\\0\""
    )]
    fn tags(#[case] tag: &str, #[case] said: &str) {
        let mut frame = hex(frames::UDP4);
        frame.splice(12..12, hex(tag));
        assert_eq!(line(&decode(Framing::Ethernet, &frame), &Plain), said);
        // Cut in the middle of its tag.
        let cut = line(&decode(Framing::Ethernet, &frame[..15]), &Plain);
        assert!(cut.ends_with("802.1Q len 1") || cut.ends_with("802.1ad len 1"), "{cut}");
    }

    #[test]
    fn a_tag_that_is_an_answer_to_nobody_is_no_packet_of_the_host() {
        let mut frame = hex(frames::UDP4);
        frame.splice(12..12, hex("8100 0007"));
        assert_eq!(decode(Framing::Ethernet, &frame).body(), None);
    }

    /// A SYN that asks for Multipath TCP (RFC 8684 §3.1).
    #[rstest]
    #[case("1e 04 01 00", "mptcp MP_CAPABLE v1")]
    #[case("1e 0c 10 00 00000001 00000002", "mptcp MP_JOIN")]
    #[case("1e 03 20 01", "mptcp DSS")]
    #[case("1e 03 90 01", "mptcp subtype 9")]
    #[case("1e 02 01 01", "mptcp")]
    #[case("1e 01 00 00", "malformed options len 4")]
    #[case("13 12 00000000000000000000000000000000 01 01", "md5 len 16")]
    #[case("1d 04 00 00", "ao len 2")]
    fn options_of_tcp(#[case] option: &str, #[case] said: &str) {
        let option = hex(option);
        let mut segment = hex("dfd6 0050 a8fc4e17 00000000 5002 faf0 0000 0000");
        segment[12] = u8::try_from((20 + option.len()) / 4).unwrap() << 4;
        segment.extend(option);
        let line = body(6, &segment);
        let line = line.strip_suffix(" bad checksum").unwrap_or(&line);
        assert_eq!(line, format!("TCP 57302 > 80 [S] win 64240 {said}"));
    }
}
