//! The lines of control messages.

use std::fmt::Display;
use std::net::{IpAddr, Ipv6Addr};

use super::line::Line;
use super::{
    Echo, GroupRecord, Icmp4, Icmp6, Igmp, Mac, MldQuery, Querier, Quote, RouterAdvertisement,
    name, quoted,
};

impl Line<'_> {
    pub(super) fn icmp4(&mut self, message: &Icmp4<'_>) {
        match message {
            Icmp4::EchoRequest(echo) => self.echo("ICMP echo request", *echo),
            Icmp4::EchoReply(echo) => self.echo("ICMP echo reply", *echo),
            Icmp4::Unreachable { code, mtu, quote } => {
                let what = name::unreachable4(*code, &self.whom(quote));
                self.say(format_args!("ICMP {what} (3/{code})"));
                if let Some(mtu) = mtu {
                    self.say(format_args!("mtu {mtu}"));
                }
                self.about(quote);
            }
            Icmp4::Redirect { code, gateway, quote } => {
                let gateway = self.names.ip(IpAddr::V4(*gateway));
                let whom = self.whom(quote);
                self.say(format_args!("ICMP redirect (5/{code}) {whom} to {gateway}"));
                self.about(quote);
            }
            Icmp4::TimeExceeded { code, quote } => {
                self.say(format_args!("ICMP {} (11/{code})", name::time_exceeded(*code)));
                self.about(quote);
            }
            Icmp4::ParameterProblem { code, pointer, quote } => {
                self.say(format_args!("ICMP parameter problem (12/{code}) at {pointer}"));
                self.about(quote);
            }
            Icmp4::Other { kind, code, bytes } => {
                self.say(format_args!("ICMP type {kind} code {code} len {}", bytes.len()));
            }
        }
    }

    pub(super) fn icmp6(&mut self, message: &Icmp6<'_>) {
        match message {
            Icmp6::EchoRequest(echo) => self.echo("ICMPv6 echo request", *echo),
            Icmp6::EchoReply(echo) => self.echo("ICMPv6 echo reply", *echo),
            Icmp6::Unreachable { code, quote } => {
                let what = name::unreachable6(*code, &self.whom(quote));
                self.say(format_args!("ICMPv6 {what} (1/{code})"));
                self.about(quote);
            }
            Icmp6::PacketTooBig { mtu, quote } => {
                self.say(format_args!("ICMPv6 packet too big (2/0) mtu {mtu}"));
                self.about(quote);
            }
            Icmp6::TimeExceeded { code, quote } => {
                self.say(format_args!("ICMPv6 {} (3/{code})", name::time_exceeded(*code)));
                self.about(quote);
            }
            Icmp6::ParameterProblem { code, pointer, quote } => {
                self.say(format_args!("ICMPv6 parameter problem (4/{code}) at {pointer}"));
                self.about(quote);
            }
            Icmp6::Other { kind, code, bytes } => {
                self.say(format_args!("ICMPv6 type {kind} code {code} len {}", bytes.len()));
            }
            Icmp6::MldQuery(query) => self.mld_query(query),
            Icmp6::MldReport { group } => self.group("ICMPv6 MLDv1 report", *group),
            Icmp6::MldDone { group } => self.group("ICMPv6 MLDv1 done", *group),
            Icmp6::Mld2Report { records } => self.records("ICMPv6 MLDv2 report", records),
            neighbour => self.neighbour(neighbour),
        }
    }

    fn neighbour(&mut self, message: &Icmp6<'_>) {
        match message {
            Icmp6::RouterSolicitation { source_mac } => {
                self.say(format_args!("ICMPv6 router solicitation"));
                self.link_address("source", *source_mac);
            }
            Icmp6::RouterAdvertisement(router) => self.router(router),
            Icmp6::NeighbourSolicitation { target, source_mac, nonce } => {
                let target = self.names.ip(IpAddr::V6(*target));
                self.say(format_args!("ICMPv6 neighbour solicitation, who has {target}"));
                self.link_address("source", *source_mac);
                self.flags(&[(*nonce, "nonce")]);
            }
            Icmp6::NeighbourAdvertisement { target, target_mac, .. } => {
                let target = self.names.ip(IpAddr::V6(*target));
                self.say(format_args!("ICMPv6 neighbour advertisement, {target}"));
                if let Some(mac) = target_mac {
                    let mac = self.mac(*mac);
                    self.say(format_args!("is at {mac}"));
                }
                self.advertisement_flags(message);
            }
            Icmp6::Redirect { target, destination, target_mac, quote } => {
                let target = self.names.ip(IpAddr::V6(*target));
                let destination = self.names.ip(IpAddr::V6(*destination));
                self.say(format_args!("ICMPv6 redirect (137/0) {destination} to {target}"));
                self.link_address("target", *target_mac);
                self.about(quote);
            }
            _ => {}
        }
    }

    fn advertisement_flags(&mut self, message: &Icmp6<'_>) {
        if let Icmp6::NeighbourAdvertisement { router, solicited, override_known, .. } = message {
            self.flags(&[
                (*router, "router"),
                (*solicited, "solicited"),
                (*override_known, "override"),
            ]);
        }
    }

    /// The flags that are set, behind a comma.
    fn flags(&mut self, flags: &[(bool, &str)]) {
        let set: Vec<_> = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
        if !set.is_empty() {
            self.comma();
            self.say(format_args!("{}", set.join(" ")));
        }
    }

    fn link_address(&mut self, whose: &str, mac: Option<Mac>) {
        if let Some(mac) = mac {
            let mac = self.mac(mac);
            self.comma();
            self.say(format_args!("{whose} {mac}"));
        }
    }

    fn router(&mut self, router: &RouterAdvertisement) {
        self.say(format_args!("ICMPv6 router advertisement, hlim {}", router.hop_limit));
        self.say(format_args!("lifetime {}", router.lifetime));
        if let Some(mtu) = router.mtu {
            self.say(format_args!("mtu {mtu}"));
        }
        self.flags(&[(router.managed, "managed"), (router.other, "other")]);
        for prefix in &router.prefixes {
            let address = self.names.ip(IpAddr::V6(prefix.prefix));
            self.comma();
            self.say(format_args!("prefix {address}/{}", prefix.len));
            for (_, flag) in [(prefix.on_link, "on-link"), (prefix.autonomous, "autonomous")]
                .iter()
                .filter(|f| f.0)
            {
                self.say(format_args!("{flag}"));
            }
            self.say(format_args!("valid {} preferred {}", prefix.valid, prefix.preferred));
        }
        self.link_address("source", router.source_mac);
    }

    fn mld_query(&mut self, query: &MldQuery) {
        self.group(&format!("ICMPv6 MLDv{} query", query.version), query.group);
        self.sources(&query.sources.iter().copied().map(IpAddr::V6).collect::<Vec<_>>());
        self.querier(query.max_response, query.querier);
    }

    /// What a query has beside whom it asks about, version 1 nothing.
    fn querier(&mut self, max_response: u16, querier: Option<Querier>) {
        if max_response != 0 {
            self.say(format_args!("max response {max_response}"));
        }
        if let Some(Querier { suppress, robustness, interval }) = querier {
            self.say(format_args!("robustness {robustness} interval {interval}"));
            self.flags(&[(suppress, "suppress")]);
        }
    }

    fn group(&mut self, what: &str, group: Ipv6Addr) {
        let group = self.names.ip(IpAddr::V6(group));
        self.say(format_args!("{what}, {group}"));
    }

    pub(super) fn igmp(&mut self, message: &Igmp<'_>) {
        match message {
            Igmp::Query { version, group, sources, max_response, querier } => {
                let group = self.names.ip(IpAddr::V4(*group));
                self.say(format_args!("IGMPv{version} query, {group}"));
                self.sources(&sources.iter().copied().map(IpAddr::V4).collect::<Vec<_>>());
                self.querier((*max_response).into(), *querier);
            }
            Igmp::Report { version, group } => {
                let group = self.names.ip(IpAddr::V4(*group));
                self.say(format_args!("IGMPv{version} report, {group}"));
            }
            Igmp::Leave { group } => {
                let group = self.names.ip(IpAddr::V4(*group));
                self.say(format_args!("IGMPv2 leave, {group}"));
            }
            Igmp::Report3 { records } => self.records("IGMPv3 report", records),
            Igmp::Other { kind, bytes } => {
                self.say(format_args!("IGMP type {kind:#04x} len {}", bytes.len()));
            }
        }
    }

    fn records(&mut self, what: &str, records: &[GroupRecord]) {
        self.say(format_args!("{what}"));
        for record in records {
            let group = self.names.ip(record.group);
            self.comma();
            self.say(format_args!("{group} {}", name::record(record.kind)));
            self.sources(&record.sources);
        }
    }

    fn sources(&mut self, sources: &[IpAddr]) {
        if !sources.is_empty() {
            let sources: Vec<_> = sources.iter().map(|ip| self.names.ip(*ip)).collect();
            self.say(format_args!("{{{}}}", sources.join(" ")));
        }
    }

    fn echo(&mut self, what: &str, echo: Echo<'_>) {
        let id = self.names.port(echo.id);
        self.say(format_args!("{what} id {id} seq {} len {}", echo.seq, echo.payload.len()));
        self.payload(echo.payload, 0);
    }

    /// The destination of the quoted packet.
    fn whom(&self, quote: &[u8]) -> String {
        quoted(quote).map_or_else(|| "?".to_owned(), |quote| self.names.ip(quote.dst))
    }

    /// What packet an error is about, and how much of it is here.
    fn about(&mut self, quote: &[u8]) {
        if let Some(Quote { src, dst, protocol, sport, dport }) = quoted(quote) {
            let (src, dst) = (self.end(src, sport), self.end(dst, dport));
            self.say(format_args!("for {} {src} > {dst}", name::protocol(protocol)));
        }
        self.say(format_args!("quote {}", quote.len()));
    }

    fn end(&self, ip: IpAddr, port: Option<u16>) -> String {
        let said = self.names.ip(ip);
        let join = |ip: &dyn Display, port| format!("{ip}:{}", self.names.port(port));
        match (ip, port) {
            (_, None) => said,
            (IpAddr::V4(_), Some(port)) => join(&said, port),
            (IpAddr::V6(_), Some(port)) => join(&format_args!("[{said}]"), port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::{self, hex};
    use super::super::{Framing, Names, Plain, build, decode, line};
    use super::*;
    use rstest::rstest;

    struct Roles;

    impl Names for Roles {
        fn mac(&self, mac: Mac) -> String {
            if mac.0[5] == 1 { "own".to_owned() } else { "far".to_owned() }
        }
    }

    #[rstest]
    #[case(
        frames::UNREACHABLE4,
        "to far: IPv4 192.0.2.1 > 192.0.2.2 ttl 64 tos 0xc0 ICMP port unreachable (3/3) \
         for UDP 192.0.2.2:5000 > 192.0.2.1:9 quote 32"
    )]
    #[case(
        frames::UNREACHABLE6,
        "to far: IPv6 2001:db8::1 > 2001:db8::2 hlim 64 ICMPv6 port unreachable (1/4) \
         for UDP [2001:db8::2]:5000 > [2001:db8::1]:9 quote 52"
    )]
    #[case(
        frames::SOLICITATION,
        "to 33:33:ff:00:00:09: IPv6 2001:db8::1 > ff02::1:ff00:9 hlim 255 \
         ICMPv6 neighbour solicitation, who has 2001:db8::9, source own"
    )]
    #[case(
        frames::DAD,
        "to 33:33:ff:00:00:01: IPv6 :: > ff02::1:ff00:1 hlim 255 \
         ICMPv6 neighbour solicitation, who has 2001:db8::1, nonce"
    )]
    #[case(
        frames::ROUTER_SOLICITATION,
        "to 33:33:00:00:00:02: IPv6 fe80::ff:fe00:1 > ff02::2 hlim 255 \
         ICMPv6 router solicitation, source own"
    )]
    #[case(
        frames::MLD2_REPORT,
        "to 33:33:00:00:00:16: IPv6 :: > ff02::16 hlim 1 hop-by-hop \
         ICMPv6 MLDv2 report, ff02::1:ff00:1 to_ex"
    )]
    #[case(
        frames::IGMP3_REPORT,
        "to 01:00:5e:00:00:16: IPv4 192.0.2.1 > 224.0.0.22 ttl 1 DF tos 0xc0 options [RA] \
         IGMPv3 report, 239.1.2.3 to_ex"
    )]
    fn kernel_frames(#[case] frame: &str, #[case] expected: &str) {
        assert_eq!(line(&decode(Framing::Ethernet, &hex(frame)), &Roles), expected);
    }

    const QUOTE4: &str = "4500001c 00010000 40110000 c0000201 c0000209 9c403039 00080000";
    const FOR4: &str = "for UDP 192.0.2.1:40000 > 192.0.2.9:12345 quote 28";

    /// The body of an IP packet, as the line of an IPv4 one and behind its header says it; the checksum is seldom right.
    fn body(v6: bool, protocol: u8, bytes: &[u8]) -> String {
        let (src, dst) = if v6 { ("fe80::1", "fe80::2") } else { ("192.0.2.1", "192.0.2.2") };
        let (src, dst) = (src.parse().unwrap(), dst.parse().unwrap());
        let frame = build::ip(build::Link::Ip, src, dst, 64, protocol, bytes).unwrap();
        let said = line(&decode(Framing::Ip, &frame), &Roles);
        let said = said.strip_suffix(" bad checksum").unwrap_or(&said);
        said.split_once(if v6 { "hlim 64 " } else { "DF " }).unwrap().1.to_owned()
    }

    #[rstest]
    #[case("0300 0000 00000000", "net 192.0.2.9 unreachable (3/0)")]
    #[case("0301 0000 00000000", "host 192.0.2.9 unreachable (3/1)")]
    #[case("0304 0000 00000514", "fragmentation needed (3/4) mtu 1300")]
    #[case("030d 0000 00000000", "communication prohibited (3/13)")]
    #[case("03ff 0000 00000000", "unreachable (3/255)")]
    #[case("0501 0000 c00002fe", "redirect (5/1) 192.0.2.9 to 192.0.2.254")]
    #[case("0b00 0000 00000000", "time exceeded in transit (11/0)")]
    #[case("0b01 0000 00000000", "time exceeded in reassembly (11/1)")]
    #[case("0c00 0000 14000000", "parameter problem (12/0) at 20")]
    fn errors4(#[case] header: &str, #[case] expected: &str) {
        let message = hex(&format!("{header} {QUOTE4}"));
        assert_eq!(body(false, 1, &message), format!("ICMP {expected} {FOR4}"));
    }

    #[rstest]
    #[case("0800 0000 1234 0001 6869", r#"ICMP echo request id 4660 seq 1 len 2 "hi""#)]
    #[case("0000 0000 1234 0001", "ICMP echo reply id 4660 seq 1 len 0")]
    #[case("0301 0000 00000000", "ICMP host ? unreachable (3/1) quote 0")]
    #[case("0d00 0000 00000000 00000000", "ICMP type 13 code 0 len 8")]
    #[case("0301 0000", "ICMP malformed (ICMP in 4 bytes) len 4")]
    fn icmp4(#[case] message: &str, #[case] expected: &str) {
        assert_eq!(body(false, 1, &hex(message)), expected);
    }

    #[rstest]
    #[case("1100 0000 00000000", "IGMPv1 query, 0.0.0.0")]
    #[case("1164 0000 ef010203", "IGMPv2 query, 239.1.2.3 max response 100")]
    #[case(
        "1164 0000 ef010203 0a7d0001 c0000209",
        "IGMPv3 query, 239.1.2.3 {192.0.2.9} max response 100 robustness 2 interval 125, suppress"
    )]
    #[case("1164 0000 ef010203 0a7d", "IGMPv2 query, 239.1.2.3 max response 100")]
    #[case("1200 0000 ef010203", "IGMPv1 report, 239.1.2.3")]
    #[case("1600 0000 ef010203", "IGMPv2 report, 239.1.2.3")]
    #[case("1700 0000 ef010203", "IGMPv2 leave, 239.1.2.3")]
    #[case(
        "2200 0000 00000002 06000002 ef010203 c0000208 c0000209 03000000 ef010204",
        "IGMPv3 report, 239.1.2.3 block {192.0.2.8 192.0.2.9}, 239.1.2.4 to_in"
    )]
    #[case(
        "2200 0000 00000002 01010000 ef010203 01020304 02000000 ef010204",
        "IGMPv3 report, 239.1.2.3 is_in, 239.1.2.4 is_ex"
    )]
    #[case("2200 0000 00000002 06000000 ef010203", "IGMP malformed (IGMP in 16 bytes) len 16")]
    #[case("3000 0000 00000000", "IGMP type 0x30 len 4")]
    fn igmp(#[case] message: &str, #[case] expected: &str) {
        assert_eq!(body(false, 2, &hex(message)), expected);
    }

    #[rstest]
    #[case("0100 0000 00000000", "ICMPv6 no route to 2001:db8::2 (1/0)")]
    #[case("0103 0000 00000000", "ICMPv6 address 2001:db8::2 unreachable (1/3)")]
    #[case("0200 0000 00000500", "ICMPv6 packet too big (2/0) mtu 1280")]
    #[case("0300 0000 00000000", "ICMPv6 time exceeded in transit (3/0)")]
    #[case("0401 0000 00000006", "ICMPv6 parameter problem (4/1) at 6")]
    fn errors6(#[case] header: &str, #[case] expected: &str) {
        let mut message = hex(header);
        message.extend(&hex(frames::UDP6)[14..62]);
        let about = "for UDP [2001:db8::1]:33032 > [2001:db8::2]:12345 quote 48";
        assert_eq!(body(true, 58, &message), format!("{expected} {about}"));
    }

    const TARGET: &str = "fe800000000000000000000000000002";
    const GROUP: &str = "ff020000000000000000000000001234";

    #[rstest]
    #[case("8000 0000 0007 0001 6869", r#"ICMPv6 echo request id 7 seq 1 len 2 "hi""#)]
    #[case("8100 0000 0007 0001", "ICMPv6 echo reply id 7 seq 1 len 0")]
    #[case("8200 0000 27100000 GROUP", "ICMPv6 MLDv1 query, ff02::1234 max response 10000")]
    #[case(
        "8200 0000 27100000 GROUP 027d0001 TARGET",
        "ICMPv6 MLDv2 query, ff02::1234 {fe80::2} max response 10000 robustness 2 interval 125"
    )]
    #[case("8300 0000 00000000 GROUP", "ICMPv6 MLDv1 report, ff02::1234")]
    #[case("8400 0000 00000000 GROUP", "ICMPv6 MLDv1 done, ff02::1234")]
    #[case(
        "8f00 0000 00000001 05000001 GROUP TARGET",
        "ICMPv6 MLDv2 report, ff02::1234 allow {fe80::2}"
    )]
    #[case(
        "8800 0000 e0000000 TARGET 0201 020000000002",
        "ICMPv6 neighbour advertisement, fe80::2 is at far, router solicited override"
    )]
    #[case("8800 0000 00000000 TARGET", "ICMPv6 neighbour advertisement, fe80::2")]
    #[case("8700 0000 00000000 TARGET 0000", "ICMPv6 neighbour solicitation, who has fe80::2")]
    #[case("8700 0000 00000000", "ICMPv6 type 135 code 0 len 4")]
    #[case("8500 0000 00000000", "ICMPv6 router solicitation")]
    #[case(
        "8900 0000 00000000 TARGET GROUP",
        "ICMPv6 redirect (137/0) ff02::1234 to fe80::2 quote 0"
    )]
    #[case("c800 0000 00", "ICMPv6 type 200 code 0 len 1")]
    fn icmp6(#[case] message: &str, #[case] expected: &str) {
        let message = message.replace("GROUP", GROUP).replace("TARGET", TARGET);
        assert_eq!(body(true, 58, &hex(&message)), expected);
    }

    #[test]
    fn a_router() {
        let message = "8600 0000 40c0 0708 00000000 00000000 0101 020000000002 \
                       05010000 000005dc 030440c0 00278d00 00093a80 00000000 \
                       20010db8000000000000000000000000";
        let expected = "ICMPv6 router advertisement, hlim 64 lifetime 1800 mtu 1500, \
                        managed other, prefix 2001:db8::/64 on-link autonomous \
                        valid 2592000 preferred 604800, source far";
        assert_eq!(body(true, 58, &hex(message)), expected);
    }

    #[test]
    fn a_wrong_checksum_is_said() {
        let mut frame = hex(frames::UNREACHABLE6);
        frame[70] ^= 1;
        assert!(line(&decode(Framing::Ethernet, &frame), &Plain).ends_with(" bad checksum"));
    }
}
