//! One line about a frame, in the manner of `tcpdump`.
//!
//! In: addresses, TTL or hop limit, DF, MF, offsets, lengths, TCP flags, which payload it is. Out, because it differs between
//! two runs on one kernel: IP identifications, flow labels, sequence numbers, the clocks in TCP timestamps, nonces, cookies,
//! windows (but for a SYN's and for one that closes) and checksums that are right. Where the caller knows the first sequence
//! numbers ([`Names::numbers`]), numbers are in, relative to them, and the options are a list.

use std::fmt::{Arguments, Write as _};
use std::net::IpAddr;

use super::decode::{FRAGMENT, ipv4_options};
use super::line_inside::tcp_option;
use super::transport::{ICMP, ICMPV6, UDP};
use super::{Arp, Body, Eth, Mac, Names, Net, Packet, Tcp, TcpFlags, Udp, V4, V6, dns, name};

/// Says one frame in one line, without a line break. With an Ethernet header it starts with where the frame goes (`to far:`),
/// unless that is the zero address of loopback.
pub fn line(packet: &Packet<'_>, names: &dyn Names) -> String {
    let mut line = Line::new(names);
    if let Some(eth) = packet.eth {
        line.eth(eth);
    }
    line.net(&packet.net);
    line.out
}

/// A line on its way.
pub(super) struct Line<'n> {
    out: String,
    pub(super) names: &'n dyn Names,
    /// In how many packets the one that is said stands.
    pub(super) inside: u8,
}

impl<'n> Line<'n> {
    fn new(names: &'n dyn Names) -> Self {
        Self { out: String::new(), names, inside: 0 }
    }

    pub(super) fn net(&mut self, net: &Net<'_>) {
        match net {
            Net::V4(ip, body) => self.v4(ip, body),
            Net::V6(ip, body) => self.v6(ip, body),
            Net::Arp(arp) => self.arp(arp),
            Net::Other { ethertype, bytes } => self.ethertype(*ethertype, bytes),
            Net::Malformed { why, bytes } => {
                self.say(format_args!("malformed ({why}) len {}", bytes.len()));
            }
        }
    }

    /// Adds words behind a space.
    pub(super) fn say(&mut self, words: Arguments<'_>) {
        if !self.out.is_empty() {
            self.out.push(' ');
        }
        let written = self.out.write_fmt(words);
        debug_assert!(written.is_ok(), "a string takes all that is written to it");
    }

    /// Adds words directly, for a comma.
    pub(super) fn comma(&mut self) {
        self.out.push(',');
    }

    pub(super) fn mac(&self, mac: Mac) -> String {
        match mac {
            Mac::BROADCAST => "broadcast".to_owned(),
            mac if mac.is_multicast() => mac.to_string(),
            mac => self.names.mac(mac),
        }
    }

    fn eth(&mut self, eth: Eth) {
        if eth.dst != Mac::ZERO {
            let to = self.mac(eth.dst);
            self.say(format_args!("to {to}:"));
        }
    }

    fn arp(&mut self, arp: &Arp) {
        let sender = self.names.ip(arp.sender_ip.into());
        let target = self.names.ip(arp.target_ip.into());
        match arp.operation {
            Arp::REQUEST => self.say(format_args!("ARP who-has {target} tell {sender}")),
            Arp::REPLY => {
                let mac = self.mac(arp.sender_mac);
                self.say(format_args!("ARP {sender} is-at {mac}"));
            }
            operation => self.say(format_args!("ARP operation {operation} {sender} > {target}")),
        }
    }

    fn addresses(&mut self, version: u8, src: IpAddr, dst: IpAddr) {
        let (src, dst) = (self.names.ip(src), self.names.ip(dst));
        self.say(format_args!("IPv{version} {src} > {dst}"));
    }

    fn v4(&mut self, ip: &V4, body: &Body<'_>) {
        self.addresses(4, ip.src.into(), ip.dst.into());
        self.say(format_args!("ttl {}", ip.ttl));
        let flags = [(ip.reserved, "RF"), (ip.dont_fragment, "DF"), (ip.more_fragments, "MF")];
        for (_, flag) in flags.iter().filter(|(set, _)| *set) {
            self.say(format_args!("{flag}"));
        }
        if ip.more_fragments || ip.fragment_offset != 0 {
            self.say(format_args!("frag {}+{}", ip.fragment_offset, ip.body_len));
        }
        if ip.tos != 0 {
            self.say(format_args!("tos {:#04x}", ip.tos));
        }
        if !ip.options.is_empty() {
            let options = self.ipv4_options(&ip.options);
            self.say(format_args!("options [{options}]"));
        }
        if ip.total_len == 0 {
            self.say(format_args!("total length 0"));
        }
        if !ip.checksum_ok && self.names.checksums() {
            self.say(format_args!("bad header checksum"));
        }
        self.body(ip.protocol, ip.fragment_offset, body);
    }

    /// Kinds, and the addresses of routes; a timestamp's data are times, and stay out.
    fn ipv4_options(&self, options: &[u8]) -> String {
        let said = ipv4_options(options).map(|(kind, data)| {
            let name = name::ipv4_option(kind);
            match kind {
                7 | 131 | 137 if !data.is_empty() => {
                    let (hops, _) = data[1..].as_chunks::<4>();
                    let hops = hops.iter().map(|hop| self.names.ip(IpAddr::from(*hop)));
                    std::iter::once(format!("{name} at {}", data[0]))
                        .chain(hops)
                        .collect::<Vec<_>>()
                        .join(" ")
                }
                68 => format!("{name} len {}", data.len()),
                _ if data.iter().all(|&byte| byte == 0) => name,
                _ => format!("{name} {}", data.escape_ascii()),
            }
        });
        said.collect::<Vec<_>>().join(", ")
    }

    fn v6(&mut self, ip: &V6, body: &Body<'_>) {
        self.addresses(6, ip.src.into(), ip.dst.into());
        self.say(format_args!("hlim {}", ip.hop_limit));
        if let Some(fragment) = ip.fragment {
            let more = if fragment.more { "MF " } else { "" };
            self.say(format_args!("{more}frag {}+{}", fragment.offset, ip.body_len));
        }
        if ip.traffic_class != 0 {
            self.say(format_args!("class {:#04x}", ip.traffic_class));
        }
        let label = if ip.flow_label == 0 { None } else { self.names.flow_label(ip.flow_label) };
        if let Some(label) = label {
            self.say(format_args!("flow {label}"));
        }
        for &extension in ip.extensions.iter().filter(|kind| **kind != FRAGMENT) {
            self.say(format_args!("{}", name::protocol(extension)));
        }
        self.body(ip.next_header, ip.fragment.map_or(0, |fragment| fragment.offset), body);
    }

    fn body(&mut self, protocol: u8, offset: u32, body: &Body<'_>) {
        match body {
            Body::Udp(udp) => self.udp(udp),
            Body::Tcp(tcp) => self.tcp(tcp),
            Body::Icmp4 { checksum_ok, message } => {
                self.icmp4(message);
                self.checksum(*checksum_ok);
            }
            Body::Icmp6 { checksum_ok, message } => {
                self.icmp6(message);
                self.checksum(*checksum_ok);
            }
            Body::Igmp { checksum_ok, message } => {
                self.igmp(message);
                self.checksum(*checksum_ok);
            }
            Body::Fragment(bytes) => {
                // The payload's offset: the first fragment spent 8 bytes on the header of UDP or of an echo.
                let header = if matches!(protocol, UDP | ICMP | ICMPV6) { 8 } else { 0 };
                self.say(format_args!("{}", name::protocol(protocol)));
                self.payload(bytes, offset.saturating_sub(header));
            }
            Body::Other { protocol, bytes } => self.other(*protocol, bytes),
            Body::Malformed { protocol, why, bytes } => {
                let name = name::protocol(*protocol);
                self.say(format_args!("{name} malformed ({why}) len {}", bytes.len()));
            }
        }
    }

    pub(super) fn payload(&mut self, bytes: &[u8], offset: u32) {
        if !bytes.is_empty() {
            let payload = self.names.payload(bytes, offset);
            self.say(format_args!("{payload}"));
        }
    }

    /// What a datagram or a segment carries: a message of the DNS by what it says.
    pub(super) fn carried(&mut self, ports: [u16; 2], bytes: &[u8], stream: bool) {
        let id = |id| self.names.dns_id(id);
        match dns::said(ports, bytes, stream, &id) {
            Some(text) => self.say(format_args!("{text}")),
            None => self.payload(bytes, 0),
        }
    }

    pub(super) fn checksum(&mut self, ok: Option<bool>) {
        if ok == Some(false) && self.names.checksums() {
            self.say(format_args!("bad checksum"));
        }
    }

    fn udp(&mut self, udp: &Udp<'_>) {
        let (sport, dport) = (self.names.port(udp.sport), self.names.port(udp.dport));
        self.say(format_args!("UDP {sport} > {dport} len {}", udp.len.saturating_sub(8)));
        self.carried([udp.sport, udp.dport], udp.payload, false);
        if udp.surplus != 0 {
            self.say(format_args!("surplus {}", udp.surplus));
        }
        if udp.checksum == 0 {
            self.say(format_args!("no checksum"));
        }
        self.checksum(udp.checksum_ok);
    }

    fn tcp(&mut self, tcp: &Tcp<'_>) {
        let (sport, dport) = (self.names.port(tcp.sport), self.names.port(tcp.dport));
        self.say(format_args!("TCP {sport} > {dport} [{}]", tcp.flags));
        let numbers = self.names.numbers().filter(|_| self.inside == 0);
        if let Some(numbers) = numbers {
            self.tcp_numbers(tcp, numbers);
        }
        let closes = tcp.window == 0 && !tcp.flags.has(TcpFlags::RST);
        if tcp.flags.has(TcpFlags::SYN) || closes {
            self.say(format_args!("win {}", tcp.window));
        }
        if tcp.flags.has(TcpFlags::URG) {
            self.say(format_args!("urg {}", tcp.urgent));
        }
        match numbers {
            Some(numbers) => self.tcp_options(tcp, numbers),
            None => tcp.options.iter().filter_map(tcp_option).for_each(|option| {
                self.say(format_args!("{option}"));
            }),
        }
        if !tcp.payload.is_empty() {
            self.say(format_args!("len {}", tcp.payload.len()));
            self.carried([tcp.sport, tcp.dport], tcp.payload, true);
        }
        self.checksum(tcp.checksum_ok);
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::{self, hex};
    use super::super::{Fragment, Framing, build, decode};
    use super::*;
    use rstest::rstest;

    /// The names that an outcome would use.
    struct Roles {
        loopback: bool,
    }

    impl Names for Roles {
        fn mac(&self, mac: Mac) -> String {
            match mac.0[5] {
                1 => "own".to_owned(),
                2 => "far".to_owned(),
                _ => mac.to_string(),
            }
        }

        fn port(&self, port: u16) -> String {
            if port < 32768 { port.to_string() } else { "eph1".to_owned() }
        }

        fn checksums(&self) -> bool {
            !self.loopback
        }
    }

    fn said(framing: Framing, frame: &[u8]) -> String {
        line(&decode(framing, frame), &Roles { loopback: false })
    }

    #[rstest]
    #[case(frames::ARP_REQUEST, "to broadcast: ARP who-has 192.0.2.2 tell 192.0.2.1")]
    #[case(
        frames::UDP4,
        r#"to far: IPv4 192.0.2.1 > 192.0.2.2 ttl 64 DF UDP eph1 > 12345 len 6 "hello\0""#
    )]
    #[case(
        frames::UDP6,
        r#"to far: IPv6 2001:db8::1 > 2001:db8::2 hlim 64 UDP eph1 > 12345 len 6 "hello\0""#
    )]
    #[case(
        frames::FRAG4_FIRST,
        "to far: IPv4 192.0.2.1 > 192.0.2.2 ttl 64 MF frag 0+1480 \
         UDP eph1 > 12345 len 2000 data[0..1472]"
    )]
    #[case(
        frames::FRAG4_LAST,
        "to far: IPv4 192.0.2.1 > 192.0.2.2 ttl 64 frag 1480+528 UDP data[1472..2000]"
    )]
    #[case(
        frames::FRAG6_FIRST,
        "to far: IPv6 2001:db8::1 > 2001:db8::2 hlim 64 MF frag 0+1448 \
         UDP eph1 > 12345 len 2000 data[0..1440]"
    )]
    #[case(
        frames::FRAG6_LAST,
        "to far: IPv6 2001:db8::1 > 2001:db8::2 hlim 64 frag 1448+560 UDP data[1440..2000]"
    )]
    #[case(
        frames::SYN,
        "to far: IPv4 192.0.2.1 > 192.0.2.2 ttl 64 DF \
         TCP eph1 > 80 [S] win 64240 mss 1460 sackOK ts wscale 10"
    )]
    fn kernel_frames(#[case] frame: &str, #[case] expected: &str) {
        assert_eq!(said(Framing::Ethernet, &hex(frame)), expected);
    }

    #[test]
    fn an_arp_reply() {
        let far = Mac([2, 0, 0, 0, 0, 2]);
        let (own, target) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let request = build::arp_request(Mac([2, 0, 0, 0, 0, 1]), own, target);
        let Net::Arp(request) = decode(Framing::Ethernet, &request).net else { panic!("no ARP") };
        let reply = build::arp_reply(&request, far);
        assert_eq!(said(Framing::Ethernet, &reply), "to own: ARP 192.0.2.2 is-at far");
        let other = build::arp(far, &Arp { operation: 8, ..request });
        let expected = "to far: ARP operation 8 192.0.2.1 > 192.0.2.2";
        assert_eq!(said(Framing::Ethernet, &other), expected);
    }

    /// Loopback has zero addresses, of which nothing is said, and unfinished checksums, which are not wrong.
    #[test]
    fn loopback() {
        let mut frame = hex(frames::UDP4);
        frame[..12].fill(0);
        frame[40] ^= 0xff;
        let packet = decode(Framing::Ethernet, &frame);
        let expected = r#"IPv4 192.0.2.1 > 192.0.2.2 ttl 64 DF UDP eph1 > 12345 len 6 "hello\0""#;
        assert_eq!(line(&packet, &Roles { loopback: true }), expected);
        let wrong = format!("{expected} bad checksum");
        assert_eq!(line(&packet, &Roles { loopback: false }), wrong);
    }

    /// What is different in every run changes nothing: identification, ports, numbers, clocks, flow labels.
    #[rstest]
    #[case(frames::UDP4, &[(18, 2), (34, 2)])]
    #[case(frames::UDP6, &[(16, 2), (54, 2)])]
    #[case(frames::FRAG6_FIRST, &[(58, 4)])]
    #[case(frames::SYN, &[(18, 2), (34, 2), (38, 8), (62, 4)])]
    #[case(frames::DAD, &[(80, 6)])]
    fn what_varies_is_out(#[case] frame: &str, #[case] varying: &[(usize, usize)]) {
        let names = Roles { loopback: true };
        let mut frame = hex(frame);
        let before = line(&decode(Framing::Ethernet, &frame), &names);
        for &(at, len) in varying {
            frame[at..at + len].iter_mut().for_each(|byte| *byte ^= 0x05);
        }
        assert_eq!(line(&decode(Framing::Ethernet, &frame), &names), before);
    }

    #[rstest]
    #[case::ttl(22, 1, " ttl 65 ")]
    #[case::df(20, 0x40, " ttl 64 bad")]
    #[case::mf(20, 0x20, " DF MF frag 0+14 ")]
    #[case::reserved(20, 0x80, " RF DF ")]
    #[case::tos(15, 0xb8, " tos 0xb8 ")]
    #[case::header_checksum(25, 1, " bad header checksum ")]
    #[case::port(37, 1, " > 12344 ")]
    #[case::shorter(39, 2, r#" len 4 "hell" surplus 2 bad checksum"#)]
    #[case::longer(39, 1, " malformed (UDP length 15, 14 bytes here) len 14")]
    #[case::protocol(23, 0x11 ^ 0x88, " UDP-Lite eph1 > 12345 covers 14 len 6 ")]
    #[case::version(14, 0x30, "to far: malformed (an IPv4 header in 34 bytes) len 34")]
    #[case::ethertype(12, 0x80, "to far: ethertype 0x8800 len 34")]
    fn what_matters_is_in(#[case] at: usize, #[case] change: u8, #[case] expected: &str) {
        let mut frame = hex(frames::UDP4);
        frame[at] ^= change;
        let said = said(Framing::Ethernet, &frame);
        assert!(said.contains(expected), "{said}");
    }

    #[rstest]
    #[case("03e807d0 0008 0000", 17, "UDP 1000 > 2000 len 0 no checksum")]
    #[case("03e807d0 0009 0000 61 62", 17, r#"UDP 1000 > 2000 len 1 "a" surplus 1 no checksum"#)]
    #[case("03e807d0 0009", 17, "UDP malformed (a UDP header in 6 bytes) len 6")]
    #[case("616263", 253, r#"protocol 253 len 3 "abc""#)]
    #[case("00", 6, "TCP malformed (a TCP header in 1 bytes) len 1")]
    #[case("", 59, "no next header len 0")]
    #[case(
        "3a00000000000000",
        60,
        "destination-options ICMPv6 malformed (ICMPv6 in 0 bytes) len 0"
    )]
    #[case("3a01", 0, "hop-by-hop malformed (extension header 0 in 2 bytes) len 2")]
    fn bodies(#[case] body: &str, #[case] protocol: u8, #[case] expected: &str) {
        let (src, dst) = ("fe80::1".parse().unwrap(), "fe80::2".parse().unwrap());
        let frame = build::ip(build::Link::Ip, src, dst, 64, protocol, &hex(body)).unwrap();
        let said = said(Framing::Ip, &frame);
        assert_eq!(said, format!("IPv6 fe80::1 > fe80::2 hlim 64 {expected}"));
    }

    #[rstest]
    #[case(TcpFlags::ACK, 512, 0, "", "[.]")]
    #[case(TcpFlags::ACK, 0, 0, "", "[.] win 0")]
    #[case(TcpFlags::RST, 0, 0, "", "[R]")]
    #[case(TcpFlags::PSH | TcpFlags::ACK | TcpFlags::URG, 9, 1, "hi", r#"[P.U] urg 1 len 2 "hi""#)]
    #[case(TcpFlags::FIN | TcpFlags::ACK, 9, 1, "", "[F.]")]
    fn segments(
        #[case] flags: TcpFlags,
        #[case] window: u16,
        #[case] urgent: u16,
        #[case] payload: &str,
        #[case] expected: &str,
    ) {
        let (src, dst) = ("192.0.2.1:40000".parse().unwrap(), "192.0.2.2:80".parse().unwrap());
        let payload = payload.as_bytes();
        let segment = build::Segment { flags, window, urgent, payload, ..Default::default() };
        let frame = build::tcp_segment(build::Link::Ip, src, dst, 64, &segment).unwrap();
        let expected = format!("IPv4 192.0.2.1 > 192.0.2.2 ttl 64 DF TCP eph1 > 80 {expected}");
        assert_eq!(said(Framing::Ip, &frame), expected);
    }

    #[rstest]
    #[case("02040218 2202 0101", "mss 536 tfo request")]
    #[case("2206 12345678 1e03", "tfo len 4 malformed options len 2")]
    #[case("050a 00000001 00000005 1e04 0102", "sack 1 mptcp MP_CAPABLE v1")]
    fn tcp_options(#[case] options: &str, #[case] expected: &str) {
        let mut options = hex(options);
        options.resize(options.len().next_multiple_of(4), 0);
        let (src, dst) = ("192.0.2.1:1".parse().unwrap(), "192.0.2.2:80".parse().unwrap());
        let flags = TcpFlags::ACK;
        let segment = build::Segment { flags, window: 1, options: &options, ..Default::default() };
        let frame = build::tcp_segment(build::Link::Ip, src, dst, 64, &segment).unwrap();
        let said = said(Framing::Ip, &frame);
        assert_eq!(said.split_once("[.] ").map(|(_, options)| options), Some(expected));
    }

    #[rstest]
    #[case("8307 04 c6336401 00", "[LSRR at 4 198.51.100.1, EOL]")]
    #[case("4408 05 01 12345678", "[TS len 6]")]
    #[case("94040000 01 5503 61", "[RA, NOP, option-85 a]")]
    #[case("00000000 01070707", "[EOL]")]
    #[case("01010101 010107 ff", "[NOP, NOP, NOP, NOP, NOP, NOP, malformed \\x07\\xff]")]
    fn ip_options(#[case] options: &str, #[case] expected: &str) {
        let mut frame = hex(frames::UDP4);
        frame.splice(34..34, hex(options));
        frame[14] = 0x47;
        frame[17] += 8;
        let said = said(Framing::Ethernet, &frame);
        assert!(
            said.contains(&format!(" DF options {expected} bad header checksum UDP ")),
            "{said}"
        );
    }

    /// A fragment header on a packet that is whole (RFC 6946).
    #[test]
    fn an_atomic_fragment() {
        let (src, dst) = ("fe80::1".parse().unwrap(), "fe80::2".parse().unwrap());
        let (link, piece) = (build::Link::Ip, Fragment::default());
        let frame = build::fragment(link, src, dst, 64, 253, piece, b"abc").unwrap();
        let expected = r#"IPv6 fe80::1 > fe80::2 hlim 64 frag 0+3 protocol 253 len 3 "abc""#;
        assert_eq!(said(Framing::Ip, &frame), expected);
    }

    #[rstest]
    #[case(Framing::Ethernet, "0102", "malformed (an Ethernet header in 2 bytes) len 2")]
    #[case(Framing::Ip, "", "malformed (no bytes) len 0")]
    #[case(Framing::Ip, "70", "malformed (IP version 7) len 1")]
    #[case(Framing::Ip, "45", "malformed (an IPv4 header in 1 bytes) len 1")]
    #[case(Framing::Ip, "60", "malformed (an IPv6 header in 1 bytes) len 1")]
    fn no_packets(#[case] framing: Framing, #[case] bytes: &str, #[case] expected: &str) {
        assert_eq!(said(framing, &hex(bytes)), expected);
    }
}
