//! What a far end sends reads back; what is wrong is told where it stands.

use harness::case::addr::Port;
use harness::case::{LabOp, far};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rstest::rstest;

use super::super::tests::{host, name, payload};
use super::super::{parse_step, print_said, print_step, read_said};
use crate::tree::Cursor;

fn end() -> impl Strategy<Value = far::End> {
    let port = prop_oneof![any::<u16>().prop_map(Port::Is), "[a-z_]{1,4}".prop_map(Port::Of)];
    (host(), port).prop_map(|(host, port)| far::End { host, port })
}

fn ends_of_a_frame() -> impl Strategy<Value = far::Ends> {
    (end(), end()).prop_map(|(from, to)| far::Ends { from, to })
}

/// What a far end may send by words.
pub(in crate::lab) fn said() -> impl Strategy<Value = far::Frame> {
    let kinds: Vec<far::Kind> = far::Kind::all().map(|(kind, _)| kind).collect();
    let named = select(far::Lie::NAMED.to_vec()).prop_map(|(lie, _)| lie);
    let lie = prop_oneof![named, any::<u16>().prop_map(far::Lie::Cut)];
    let value = option::of(any::<u32>());
    let error = (select(kinds), value, option::of(host()), any::<bool>(), vec(lie, 0..3)).prop_map(
        |(kind, value, from, v6, lies)| {
            let value = value.filter(|_| kind.value().is_some());
            far::Frame::Error(far::Error { kind, value, from, v6, lies })
        },
    );
    let byte = || option::of(any::<u8>());
    let datagram = (ends_of_a_frame(), payload(), byte(), byte(), any::<[bool; 2]>()).prop_map(
        |(ends, data, ttl, tos, [dont_fragment, checksum_wrong])| {
            let one = far::Datagram { ends, data, ttl, tos, dont_fragment, checksum_wrong };
            far::Frame::Datagram(one)
        },
    );
    let flags = select(vec!["S", "S.", ".", "P.", "R", "R.", "F.", "none", "FSRP.UEW"]);
    let (ends, mss) = (option::of(ends_of_a_frame()), option::of(any::<u16>()));
    let numbers = (any::<[i32; 2]>(), any::<u16>(), mss, byte());
    let options = option::of(super::options::tests::options());
    let segment = (ends, flags, numbers, options, payload(), any::<bool>()).prop_map(
        |(ends, flags, ([seq, ack], window, mss, tos), options, data, checksum_wrong)| {
            let plain = far::Segment::new(flags);
            let plain = far::Segment { ends, seq, ack, window, mss, ..plain };
            far::Frame::Segment(far::Segment { options, tos, data, checksum_wrong, ..plain })
        },
    );
    prop_oneof![error, datagram, segment]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Beneath a call, as a step of its own, and as a transcript shows it.
    #[test]
    fn a_frame_reads_back(link in name(), frame in said()) {
        let step = LabOp::Say { link: link.clone(), frame: frame.clone() };
        let text = print_step(&step);
        prop_assert_eq!(&step.to_string(), &text);
        prop_assert_eq!(parse_step(&text), Ok(step.clone()), "{}", text);
        let text = print_said(&link, &frame);
        prop_assert_eq!(read_said(&mut Cursor::new(&text, 0)), Ok(step), "{}", text);
    }

    #[test]
    fn no_text_panics(text in ".*") {
        let _ = read_said(&mut Cursor::new(&text, 0));
    }

    #[test]
    fn no_text_of_its_own_letters_panics(text in r#"< l (TCP|UDP|ICMP)( \[S\] \[)?[ a-z\[\](){}:,.>+"0-9-]{0,40}"#) {
        if let Err(fault) = read_said(&mut Cursor::new(&text, 0)) {
            prop_assert!(fault.at.start < fault.at.end && fault.at.end <= text.len() + 1, "{:?}: {}", fault, text);
        }
    }
}

#[rstest]
#[case("link0 sends ICMP port unreachable, quoting it")]
#[case(
    "link0 sends ICMPv6 packet too big mtu 1280 from neighbour(link0,v6), quoting it, cut to 48 bytes"
)]
#[case(
    "link0 sends ICMP time exceeded from 192.0.2.9, quoting it, source port wrong, checksum wrong"
)]
#[case("link0 sends ICMP parameter problem pointer 20, quoting it, sequence number wrong")]
#[case(r#"link0 sends UDP neighbour(link0,v4):9 > own(link0,v4):port(s) ttl 1 tos 0x02 df "x""#)]
#[case(
    "link0 sends UDP [2001:db8::7]:9 > own(link0,v6):9 hlim 1 class 0xff pattern[0..9], checksum wrong"
)]
#[case("link0 sends TCP [S.] mss 1000")]
#[case(r#"link0 sends TCP [P.] seq +5 ack -1 win 0 "x", checksum wrong"#)]
#[case("link0 sends TCP [2001:db8::2]:9 > own(link0,v6):80 [S] win 100")]
#[case("link0 sends TCP [none]")]
#[case("link0 sends TCP [S.] win 100 [mss 1460,sackOK,TS val 100,nop,wscale 7] tos 0x02")]
#[case(r#"link0 sends TCP [.EW] [nop,nop,TS val 100 ecr 0,sack 1:11 21:31] "x""#)]
#[case("link0 sends TCP [.] [TS val 1 ecr +5,eol]")]
#[case(r#"link0 sends TCP [S] [tfo,tfo "cookie",kind 253 len 9 "a]b",kind 254]"#)]
#[case("link0 sends TCP [.] []")]
// Links may be called as steps are, and as what is said of them.
#[case("link sends TCP [R]")]
#[case("sends sends TCP [R]")]
#[case("serve sends 80:")]
#[case("inject sends 0x45")]
fn a_frame_is_printed_as_it_is_written(#[case] text: &str) {
    let step = parse_step(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
    assert_eq!(print_step(&step), text);
}

/// A short form, or one of transcripts, and what it is.
#[rstest]
#[case(
    "l sends ICMP  communication prohibited ,quoting it",
    "l sends ICMP administratively prohibited, quoting it"
)]
#[case(
    "l sends UDP neighbor(l, v6):9>[own(l,v6)]:7 \"x\" tclass 2 ttl 1",
    "l sends UDP neighbour(l,v6):9 > own(l,v6):7 hlim 1 class 0x02 \"x\""
)]
#[case("l sends TCP [.S] \"x\" win 65535 seq -0", "l sends TCP [S.] \"x\"")]
fn what_is_written_otherwise_is_the_same(#[case] text: &str, #[case] printed: &str) {
    let read = parse_step(text).map(|step| print_step(&step));
    assert_eq!(read.as_deref(), Ok(printed));
}

/// The words that are wrong, what is said of them, and what is meant.
#[rstest]
#[case(
    "l sends ICMP port unreachabel, quoting it",
    "port unreachabel",
    "there is no such ICMP error",
    Some("port unreachable")
)]
#[case("l sends ICMP, quoting it", ",", "an error, such as port unreachable, is expected", None)]
#[case("l sends ICMP port unreachable", "", "a comma and quoting it is expected here", None)]
#[case(
    "l sends ICMP port unreachable, qouting it",
    "qouting",
    "quoting is expected here",
    Some("quoting")
)]
#[case(
    "l sends ICMP port unreachable mtu 9, quoting it",
    "mtu",
    "port unreachable has no mtu",
    None
)]
#[case("l sends ICMP packet too big mtu, quoting it", ",", "an MTU is expected here", None)]
#[case("l sends ICMP port unreachable from l, quoting it", "l", "an address", None)]
#[case(
    "l sends ICMP port unreachable, quoting it, source prot wrong",
    "source prot wrong",
    "nothing that can be wrong",
    Some("source port wrong")
)]
#[case("l sends ICMP port unreachable, quoting it, cut to x", "x", "a number of bytes", None)]
#[case("l sends UPD own(l,v4):9", "UPD", "ICMP, ICMPv6, UDP or TCP is expected", Some("UDP"))]
#[case("l sends UDP own(l,v4):9", "", "> and to whom it is sent is expected", None)]
#[case("l sends UDP own(l):9 > own(l,v4):9", "own(l)", "which of its addresses", None)]
#[case("l sends UDP own(l,v4) > own(l,v4):9", "own(l,v4)", "an address and its port", None)]
#[case("l sends UDP own(l,v4):9 > own(l,v4):9 tll 1", "tll", "ttl, hlim, tos", Some("ttl"))]
#[case("l sends UDP own(l,v4):9 > own(l,v4):9 ttl 1 hlim 1", "hlim", "said already", None)]
#[case("l sends UDP own(l,v4):9 > own(l,v4):9 tos 0x100", "0x100", "a byte such as", None)]
#[case("l sends UDP own(l,v4):9 > own(l,v4):9 \"x\" \"y\"", "\"", "df is expected here", None)]
#[case("l sends UDP own(l,v4):9 > own(l,v4):9, cut", "cut", "checksum is expected here", None)]
#[case("l sends TCP", "", "control bits such as [S.] is expected here", None)]
#[case("l sends TCP [X]", "X", "'X' is no control bit", None)]
#[case("l sends TCP []", "[]", "which control bits are set", None)]
#[case("l sends TCP [SS]", "S", "this is said already", None)]
#[case("l sends TCP [.] seq 5", "5", "how far it is from the right one", None)]
#[case("l sends TCP [.] wni 5", "wni", "seq, ack, win, mss, tos, class or tclass", Some("win"))]
#[case("l sends TCP [.] tos 1 class 2", "class", "class is said already", None)]
#[case("l sends TCP [.] [nop] [nop]", "[nop]", "tclass is expected here", None)]
#[case("l sends TCP [.] [nope]", "nope", "an option of TCP is mss", Some("nop"))]
fn a_mistake_is_told_where_it_stands(
    #[case] text: &str,
    #[case] at: &str,
    #[case] says: &str,
    #[case] meant: Option<&str>,
) {
    let fault = parse_step(text).expect_err(text);
    assert!(fault.says.contains(says), "{text}: {fault:?}");
    assert_eq!(text.get(fault.at.clone()).unwrap_or_default(), at, "{text}: {fault:?}");
    if let Some(meant) = meant {
        assert_eq!(fault.help, Some(format!("did you mean {meant}?")), "{text}");
    }
}

/// In a file: where it stands, and what is a frame that was seen.
#[test]
fn a_mistake_in_a_file_is_told_where_it_stands() {
    let file = |line: &str| {
        format!(
            "tun link0\nsocket(AF_INET, SOCK_DGRAM, 0) = sock\nsend(sock, \"x\", 1, 0) = 1\n    {line}\n"
        )
    };
    for (line, at, says, help) in [
        (
            "< link0 ICMP prot unreachable, quoting it",
            "prot unreachable",
            "there is no such ICMP error",
            "did you mean port unreachable?",
        ),
        ("< link0 UPD", "UPD", "ICMP, ICMPv6, UDP or TCP is expected", "did you mean UDP?"),
        (
            "< link0 UDP neighbour(link0,v4):9 > own(link0,v4):port(scok)",
            "scok",
            "no call before this one makes a socket scok",
            "did you mean sock?",
        ),
    ] {
        let text = file(line);
        let faults = crate::read("f", &text).expect_err(line);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(&text[faults[0].at.clone()], at, "{faults:?}");
        assert!(faults[0].says.contains(says), "{faults:?}");
        assert_eq!(faults[0].help.as_deref(), Some(help), "{faults:?}");
    }
    // Of a link that there is not the whole line is wrong.
    let faults = crate::read("f", &file("< link1 TCP [R]")).expect_err("no such link");
    assert!(faults[0].says.contains("\"link1\" is no link of the lab"), "{faults:?}");
    let seen = file("< link0 IPv4 ICMP port unreachable");
    let read = crate::read("f", &seen).expect("a demand");
    assert_eq!((read[0].case.ops.len(), read[0].asked.len()), (2, 2));
    let sent = file("< link0 ICMP port unreachable, quoting it");
    let read = crate::read("f", &sent).expect("a step");
    assert_eq!((read[0].case.ops.len(), read[0].asked.len()), (3, 1));
    assert!(
        crate::print(&read[0].case).contains("\n    < link0 ICMP port unreachable, quoting it\n")
    );
}
