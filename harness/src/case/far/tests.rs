//! What far ends send, as data.

use std::net::IpAddr;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rstest::rstest;

use super::*;
use crate::case::addr::Role;
use crate::case::{Case, LabOp, Op};
use crate::case::{Flags, Lab, LinkKind};

fn end() -> impl Strategy<Value = End> {
    let role = select(vec![Role::Own, Role::Neighbour, Role::Unresolved, Role::Silent]);
    let range = select(vec![Range::Ll, Range::V6, Range::V4]);
    let host = prop_oneof![
        any::<IpAddr>().prop_map(Host::Ip),
        (role, range).prop_map(|(role, range)| Host::On { link: "l".into(), role, range }),
    ];
    let port = prop_oneof![any::<u16>().prop_map(Port::Is), "[a-z]{1,3}".prop_map(Port::Of)];
    (host, port).prop_map(|(host, port)| End { host, port })
}

fn ends() -> impl Strategy<Value = Ends> {
    (end(), end()).prop_map(|(from, to)| Ends { from, to })
}

fn lie() -> impl Strategy<Value = Lie> {
    let named = select(Lie::NAMED.to_vec()).prop_map(|(lie, _)| lie);
    prop_oneof![named, any::<u16>().prop_map(Lie::Cut)]
}

fn data() -> impl Strategy<Value = Payload> {
    prop_oneof!["[ -\u{ff}]{0,8}".prop_map(Payload::Text), (0u32..100).prop_map(Payload::Pattern)]
}

fn an_option() -> impl Strategy<Value = SegmentOption> {
    let echo = prop_oneof![any::<u32>().prop_map(Echo::Is), any::<i32>().prop_map(Echo::Beyond)];
    prop_oneof![
        select(vec![SegmentOption::Eol, SegmentOption::Nop, SegmentOption::SackOk]),
        any::<u16>().prop_map(SegmentOption::Mss),
        any::<u8>().prop_map(SegmentOption::Wscale),
        vec(any::<(u32, u32)>().prop_map(|(from, to)| Block { from, to }), 0..3)
            .prop_map(SegmentOption::Sack),
        (any::<u32>(), echo).prop_map(|(value, echo)| SegmentOption::Timestamps { value, echo }),
        data().prop_map(SegmentOption::FastOpen),
        (any::<u8>(), option::of(any::<u8>()), data())
            .prop_map(|(kind, len, data)| SegmentOption::Kind { kind, len, data }),
    ]
}

/// Any frame that may be sent by words.
pub(in crate::case) fn frame() -> impl Strategy<Value = Frame> {
    let kinds: Vec<Kind> = Kind::all().map(|(kind, _)| kind).collect();
    let from = option::of(end().prop_map(|end| end.host));
    let error = (select(kinds), option::of(any::<u32>()), from, any::<bool>(), vec(lie(), 0..3))
        .prop_map(|(kind, value, from, v6, lies)| {
            Frame::Error(Error { kind, value, from, v6, lies })
        });
    let datagram =
        (ends(), data(), option::of(any::<u8>()), option::of(any::<u8>()), any::<[bool; 2]>())
            .prop_map(|(ends, data, ttl, tos, [dont_fragment, checksum_wrong])| {
                Frame::Datagram(Datagram { ends, data, ttl, tos, dont_fragment, checksum_wrong })
            });
    let flags = select(vec!["S", "S.", ".", "P.", "R", "R.", "F.", "none", "FSRP.UEW"]);
    let numbers = (any::<[i32; 2]>(), any::<u16>(), option::of(any::<u16>()));
    let tos = option::of(any::<u8>());
    let segment =
        (option::of(ends()), flags, numbers, option::of(vec(an_option(), 0..5)), tos, data())
            .prop_map(|(ends, flags, ([seq, ack], window, mss), options, tos, data)| {
                let rest = Segment::new(flags);
                Frame::Segment(Segment { ends, seq, ack, window, mss, options, tos, data, ..rest })
            });
    prop_oneof![error, datagram, segment]
}

/// The short form of what is said most often, in JSON and in words.
#[rstest]
#[case(r#"{"error":{"kind":"port_unreachable"}}"#, "ICMP port unreachable, quoting it")]
#[case(
    r#"{"error":{"kind":"packet_too_big","value":1280,"v6":true,"lies":["source_port",{"cut":48}]}}"#,
    "ICMPv6 packet too big mtu 1280, quoting it, source port wrong, cut to 48 bytes"
)]
#[case(r#"{"segment":{"flags":"S."}}"#, "TCP [S.]")]
#[case(
    r#"{"segment":{"flags":"P.","seq":-1,"window":0,"data":{"text":"x"},"checksum_wrong":true}}"#,
    "TCP [P.] seq -1 win 0 \"x\", checksum wrong"
)]
#[case(
    r#"{"segment":{"flags":"S.","options":[{"mss":1460},"sack_ok",{"timestamps":{"value":9}},"nop"],"tos":2}}"#,
    "TCP [S.] [mss 1460,sackOK,TS val 9,nop] tos 0x02"
)]
#[case(r#"{"segment":{"flags":".","options":[]}}"#, "TCP [.] []")]
#[case(
    r#"{"datagram":{"from":{"host":{"on":{"link":"l","role":"neighbour","range":"v4"}},"port":{"is":9}},"to":{"host":{"ip":"192.0.2.1"},"port":{"of":"s"}},"data":{"text":"x"},"ttl":1}}"#,
    "UDP neighbour(l,v4):9 > 192.0.2.1:port(s) ttl 1 \"x\""
)]
fn a_frame_is_short(#[case] json: &str, #[case] words: &str) {
    let frame: Frame = serde_json::from_str(json).expect("a frame");
    assert_eq!(serde_json::to_string(&frame).expect("JSON"), json);
    assert_eq!(frame.to_string(), words);
    let step = LabOp::Say { link: "l".to_owned(), frame };
    assert_eq!(step.to_string(), format!("l sends {words}"));
    let (fd, domain, r#type) = ("s".to_owned(), "AF_INET".into(), Flags::of(&["SOCK_DGRAM"]));
    let socket = Op::Socket { fd, domain, r#type, protocol: Flags::NONE };
    let (lab, ops) = (Lab::one(LinkKind::Tun, "l"), vec![socket, Op::Lab { step: step.clone() }]);
    assert_eq!(Case::new("s/t", "", lab.clone(), ops).check(), Ok(()));
    // There is nobody yet to whom it could be sent.
    let setup = Case::new("s/t", "", lab.with([step]), Vec::new()).check();
    assert!(setup.is_err_and(|says| says.contains("none of its lab")));
}

fn said(link: &str, frame: Frame) -> Result<(), String> {
    let (lab, link) = (Lab::one(LinkKind::Tun, "l"), link.to_owned());
    Case::new("s/t", "", lab, vec![Op::Lab { step: LabOp::Say { link, frame } }]).check()
}

#[test]
fn what_cannot_be_sent_is_not_let_in() {
    let error = |kind, value, v6, lies| Frame::Error(Error { kind, value, from: None, v6, lies });
    let plain = || error(Kind::PortUnreachable, None, false, Vec::new());
    let end = |host: &str, port| End { host: Host::Ip(host.parse().expect("an address")), port };
    let nine = || Port::Is(9);
    let datagram = |from: End, to: End, data: Payload, dont_fragment| {
        let ends = Ends { from, to };
        let (ttl, tos, checksum_wrong) = (None, None, false);
        Frame::Datagram(Datagram { ends, data, ttl, tos, dont_fragment, checksum_wrong })
    };
    let code = || Port::Of("s);system(\"x\"".to_owned());
    let (four, six) = ("192.0.2.1", "2001:db8::1");
    let segment = |flags| Frame::Segment(Segment::new(flags));
    let with = |mss, options| {
        let options = Some(options);
        Frame::Segment(Segment { mss, options, ..Segment::new("S") })
    };
    assert_eq!(said("l", plain()), Ok(()));
    assert_eq!(said("l", with(None, vec![SegmentOption::Nop; 40])), Ok(()));
    for (link, frame, says) in [
        ("lo", plain(), "has a far end"),
        ("m", plain(), "has a far end"),
        ("l", error(Kind::SourceQuench, None, true, Vec::new()), "ICMPv6 has no source quench"),
        ("l", error(Kind::PortUnreachable, Some(9), false, Vec::new()), "has no number"),
        ("l", error(Kind::PortUnreachable, None, false, vec![Lie::Source; 99]), "99 lies"),
        ("l", datagram(end(four, nine()), end(six, nine()), nothing(), false), "one family"),
        ("l", datagram(end(four, nine()), end(four, code()), nothing(), false), "name of a socket"),
        ("l", datagram(end(six, nine()), end(six, nine()), nothing(), true), "IPv6 has no DF"),
        (
            "l",
            datagram(end(four, nine()), end(four, nine()), Payload::Pattern(u32::MAX), false),
            "65507 are the most",
        ),
        ("l", segment(".S"), "no control bits"),
        ("l", segment(""), "no control bits"),
        ("l", segment("SS"), "no control bits"),
        (
            "l",
            with(None, vec![SegmentOption::Sack(vec![Block { from: 1, to: 2 }; 5])]),
            "take 42 bytes",
        ),
        ("l", with(Some(1460), Vec::new()), "no mss is said"),
    ] {
        let is = said(link, frame).expect_err(says);
        assert!(is.contains(says), "{is}");
    }
}

/// It would answer by RST what a case answers by hand.
#[test]
fn tcp_by_hand_and_a_server_are_not_on_one_link() {
    let service = crate::case::Service::new(80, []);
    let lab = Lab {
        links: ["l", "m"].map(|name| crate::case::Link::new(LinkKind::Tun, name)).to_vec(),
        setup: vec![LabOp::Serve { link: "l".to_owned(), service }],
    };
    let says = |link: &str, frame: Frame| {
        let step = LabOp::Say { link: link.to_owned(), frame };
        Case::new("s/t", "", lab.clone(), vec![Op::Lab { step }]).check()
    };
    let segment = || Frame::Segment(Segment::new("S."));
    assert!(says("l", segment()).is_err_and(|says| says.contains("a server answers on l")));
    assert_eq!(says("m", segment()), Ok(()));
    let (kind, value, from, v6, lies) = (Kind::PortUnreachable, None, None, false, Vec::new());
    assert_eq!(says("l", Frame::Error(Error { kind, value, from, v6, lies })), Ok(()));
}

#[test]
fn each_kind_has_a_name_and_a_number_of_its_own() {
    let names: Vec<&str> = Kind::all().map(|(_, name)| name).collect();
    for (kind, name) in Kind::all() {
        assert_eq!(kind.name(), name);
        assert_eq!(names.iter().filter(|other| **other == name).count(), 1, "{name}");
        assert!(kind.number(false).or(kind.number(true)).is_some(), "{name}");
    }
}
