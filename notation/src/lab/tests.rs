//! Everything reads back; what is wrong is told where it stands.

use std::net::IpAddr;

use harness::case::addr::{Host, Range, Role};
use harness::case::lab::RouteKind;
use harness::case::names::{Answer, Flaw, NameServer, Rcode, Record, RecordData, RecordType};
use harness::case::{Hex, LabOp, Link, LinkKind, Payload, ServerStep, Service};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rstest::rstest;

use super::far::tests::said;
use super::{parse_link, parse_step, print_link, print_step};

/// Links are called like words of the language, too.
pub(super) fn name() -> impl Strategy<Value = String> {
    let words = ["lo", "dev", "a", "ms", "at", "goes", "mtu", "none", "pattern", "ll", "via", "e1"];
    prop_oneof!["[a-z_][a-zA-Z0-9_]{0,14}", select(words.to_vec()).prop_map(str::to_owned)]
}

/// Text with all that means something in a line, and any other.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,20}",
        r##"[a1 \t;:,.#"\\()%|=/-]{0,8}"##,
        any::<String>(),
        select(&["", "timeout:1 attempts:1", "a:", "a: b", "\u{a0}a", "x \u{202e}", "\"a\""][..])
            .prop_map(str::to_owned),
    ]
}

fn domain() -> impl Strategy<Value = String> {
    let words = [
        "*",
        "a.example",
        "is",
        "IS",
        "empty",
        "alias",
        "alias.example",
        "named-1",
        "of",
        "NXDOMAIN",
        "refused",
        "refused.a",
        "192.0.2.7",
        "::1",
        "A",
        "aaaa",
        "7.2.0.192.in-addr.arpa",
        "never answered",
        "ä.example",
        "empty.a",
    ];
    prop_oneof![select(words.to_vec()).prop_map(str::to_owned), "[a-z.A-Z0-9_-]{1,12}", line()]
}

fn range() -> impl Strategy<Value = Range> {
    select(&[Range::Ll, Range::V6, Range::V4][..])
}

fn ranges() -> impl Strategy<Value = Vec<Range>> {
    vec(range(), 0..4)
}

fn a_link() -> impl Strategy<Value = Link> {
    let kind = select(&[LinkKind::Tun, LinkKind::Tap][..]);
    let mtu = prop_oneof![Just(1500), any::<u32>()];
    (name(), kind, mtu, ranges()).prop_map(|(name, kind, mtu, ranges)| Link {
        name,
        kind,
        mtu,
        ranges,
    })
}

pub(super) fn host() -> impl Strategy<Value = Host> {
    let role = select(&[Role::Own, Role::Neighbour, Role::Unresolved, Role::Silent][..]);
    prop_oneof![
        any::<IpAddr>().prop_map(Host::Ip),
        (name(), role, range()).prop_map(|(link, role, range)| Host::On { link, role, range }),
    ]
}

pub(super) fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        "[\u{0}-\u{ff}]{0,8}".prop_map(Payload::Text),
        any::<u32>().prop_map(Payload::Pattern)
    ]
}

fn server_step() -> impl Strategy<Value = ServerStep> {
    let plain = prop_oneof![
        payload().prop_map(|until| ServerStep::Expect { until }),
        payload().prop_map(|data| ServerStep::Send { data }),
        any::<u32>().prop_map(|bytes| ServerStep::Take { bytes }),
        Just(ServerStep::End),
        Just(ServerStep::Shutdown),
        Just(ServerStep::Close),
        Just(ServerStep::Reset),
        Just(ServerStep::Vanish),
        Just(ServerStep::Pause),
        Just(ServerStep::Answer),
    ];
    plain.prop_recursive(3, 12, 4, |step| {
        (any::<u16>(), any::<u16>(), vec(step, 0..4))
            .prop_map(|(from, to, script)| ServerStep::Dial { from, to, script })
    })
}

fn service() -> impl Strategy<Value = Service> {
    let window = prop_oneof![Just(u16::MAX), any::<u16>()];
    (any::<u16>(), window, any::<[bool; 3]>(), vec(server_step(), 0..5)).prop_map(
        |(port, window, [fast_open, anywhere, udp], script)| Service {
            port,
            window,
            fast_open,
            anywhere,
            udp,
            script,
        },
    )
}

fn record() -> impl Strategy<Value = Record> {
    let data = prop_oneof![
        any::<std::net::Ipv4Addr>().prop_map(RecordData::A),
        any::<std::net::Ipv6Addr>().prop_map(RecordData::Aaaa),
        domain().prop_map(RecordData::Cname),
        domain().prop_map(RecordData::Ptr),
    ];
    (option::of(domain()), data).prop_map(|(owner, data)| Record { owner, data })
}

fn answer() -> impl Strategy<Value = Answer> {
    let types = select(&[RecordType::A, RecordType::Aaaa, RecordType::Cname, RecordType::Ptr][..]);
    let rcodes = [
        Rcode::NoError,
        Rcode::FormErr,
        Rcode::ServFail,
        Rcode::NxDomain,
        Rcode::NotImp,
        Rcode::Refused,
    ];
    let flaws = [
        Flaw::Silent,
        Flaw::Truncated,
        Flaw::OtherId,
        Flaw::OtherQuestion,
        Flaw::Cut,
        Flaw::NoResponse,
    ];
    (
        domain(),
        vec(types, 0..3),
        select(rcodes.to_vec()),
        vec(record(), 0..3),
        option::of(select(flaws.to_vec())),
    )
        .prop_map(|(name, types, rcode, records, flaw)| Answer {
            name,
            types,
            rcode,
            records,
            flaw,
        })
}

fn name_server() -> impl Strategy<Value = NameServer> {
    (ranges(), line(), option::of(domain()), vec(answer(), 0..4))
        .prop_map(|(at, options, search, answers)| NameServer { at, options, search, answers })
}

fn route() -> impl Strategy<Value = LabOp> {
    let kinds = [
        RouteKind::Unicast,
        RouteKind::Unreachable,
        RouteKind::Prohibit,
        RouteKind::Blackhole,
        RouteKind::Throw,
    ];
    (any::<IpAddr>(), 0..=128u8, select(kinds.to_vec()), option::of(name()), option::of(host()))
        .prop_map(|(prefix, len, kind, link, via)| {
            let prefix_len = if prefix.is_ipv4() { len.min(32) } else { len };
            LabOp::RouteAdd { prefix, prefix_len, kind, link, via }
        })
}

fn step() -> impl Strategy<Value = LabOp> {
    prop_oneof![
        name().prop_map(|link| LabOp::LinkUp { link }),
        name().prop_map(|link| LabOp::LinkDown { link }),
        name().prop_map(|link| LabOp::LinkDelete { link }),
        (name(), any::<u32>()).prop_map(|(link, mtu)| LabOp::Mtu { link, mtu }),
        (name(), any::<u32>()).prop_map(|(link, ms)| LabOp::RetransTime { link, ms }),
        (name(), range()).prop_map(|(link, range)| LabOp::AddressAdd { link, range }),
        (name(), range()).prop_map(|(link, range)| LabOp::AddressDelete { link, range }),
        route(),
        (name(), vec(any::<u8>(), 0..40))
            .prop_map(|(link, frame)| LabOp::Inject { link, frame: Hex(frame) }),
        (any::<u32>(), option::of(name()), line()).prop_map(|(ms, until, why)| LabOp::Wait {
            ms,
            until,
            why
        }),
        (name(), service()).prop_map(|(link, service)| LabOp::Serve { link, service }),
        (name(), name_server()).prop_map(|(link, server)| LabOp::NameServer { link, server }),
        vec(line(), 0..4).prop_map(|lines| LabOp::Hosts { lines }),
        (name(), any::<u16>()).prop_map(|(link, port)| LabOp::Resume { link, port }),
        (name(), said()).prop_map(|(link, frame)| LabOp::Say { link, frame }),
    ]
}

/// The same line with more blanks and tabs where one may stand; nothing in it is in quotes.
pub(super) fn widened(line: &str) -> String {
    format!(" \t{} \t", line.replace(' ', " \t ").replace(',', " , "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_link_reads_back(link in a_link()) {
        let text = print_link(&link);
        prop_assert_eq!(parse_link(&text), Ok(link.clone()), "{}", text);
        prop_assert_eq!(parse_link(&widened(&text)), Ok(link), "{}", text);
    }

    #[test]
    fn a_step_reads_back(step in step()) {
        let text = print_step(&step);
        prop_assert!(!text.contains(harness::text::is_obeyed), "{} is no line", text);
        prop_assert!(text.trim() == text && !text.is_empty(), "{}", text);
        prop_assert_eq!(parse_step(&text), Ok(step.clone()), "{}", text);
        // What a transcript says of such a step is the same one, if it says all.
        let shown = step.to_string();
        let is_plain = matches!(step, LabOp::LinkUp { .. } | LabOp::LinkDown { .. }
            | LabOp::LinkDelete { .. } | LabOp::Mtu { .. } | LabOp::RetransTime { .. }
            | LabOp::AddressAdd { .. } | LabOp::AddressDelete { .. } | LabOp::RouteAdd { .. }
            | LabOp::Resume { .. });
        if is_plain {
            prop_assert_eq!(parse_step(&shown), Ok(step.clone()), "{}", shown);
            prop_assert_eq!(parse_step(&widened(&text)), Ok(step), "{}", text);
        }
    }

    #[test]
    fn no_text_panics(text in ".*") {
        let _ = (parse_step(&text), parse_link(&text));
    }

    /// A line that was right, of which a piece is gone or another stands in it.
    #[test]
    fn no_spoilt_step_panics(step in step(), from: prop::sample::Index, len in 0..4usize, with in ".{0,2}") {
        let mut text = print_step(&step);
        let from = text.floor_char_boundary(from.index(text.len()));
        let to = text.ceil_char_boundary((from + len).min(text.len()));
        text.replace_range(from..to, &with);
        if let Err(fault) = parse_step(&text) {
            prop_assert!(fault.at.start <= text.len() && fault.at.end <= text.len() + 1, "{:?}", fault);
            prop_assert!(fault.at.start < fault.at.end && !fault.says.is_empty(), "{:?}: {}", fault, text);
            prop_assert!(!crate::render(&[fault], "a.case", &text, false).is_empty());
        }
    }
}

/// What everybody writes, and how it is printed.
#[rstest]
#[case("link set tap0 down")]
#[case("link set lo up")]
#[case("link delete tap0")]
#[case("link set tap0 mtu 1280")]
#[case("address add own(tap0,ll) dev tap0")]
#[case("address delete own(tap0,v4) dev tap0")]
#[case("route add unreachable 2001:db8:9::/64")]
#[case("route add 198.51.100.0/24 via neighbour(link0,v4) dev link0")]
#[case("route add 198.51.100.0/24 via 192.0.2.2")]
#[case("ntable change dev tap0 retrans 100")]
#[case("inject link0 0x4500")]
#[case("inject link0 0x")]
#[case("wait 100 ms")]
#[case("wait 100 ms: why it \"waits\", at all; and so on")]
#[case("wait for a frame on link0, 100 ms at the most: why")]
#[case("wait 1 ms: \"see #1\"")]
#[case("wait 1 ms: \" a\\tb\"")]
#[case("serve net0 80:")]
#[case(r#"serve net0 80 with a window of 100 with fast open at every address: expect "\r\n\r\n", send "\377", take 10, end, shutdown, close, reset, vanish, pause, dial 40000 from 20 (send "x", close), dial 1 from 2 (), answer a query"#)]
#[case("serve net0 80: send pattern[0..1400], close")]
#[case("serve net0 7 by UDP: echo")]
#[case("serve net0 7 at every address by UDP: echo, close")]
#[case(
    "name server net0 53 at v4 ll, options timeout:1 attempts:1, search a.example: a.example A is 192.0.2.7; * is NXDOMAIN; b.example is alias of a.example, truncated over UDP"
)]
#[case("name server net0 53 at none, options \"\":")]
#[case("name server net0 53 at v6, options \"a: b\": \"a b\" A AAAA is empty, never answered")]
#[case(
    "name server net0 53 at v6, options ndots:2: a is alias of b \"192.0.2.7\" 192.0.2.7 c 2001:db8::7, cut short; 7.2.0.192.in-addr.arpa PTR is named a"
)]
#[case("/etc/hosts:")]
#[case("/etc/hosts: \"\"")]
#[case("/etc/hosts: 192.0.2.7 a.example; \"::1 a; b\"; 127.0.0.1 localhost")]
#[case("the server at net0 80 goes on")]
fn a_step_is_printed_as_it_is_written(#[case] text: &str) {
    let step = parse_step(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
    assert_eq!(print_step(&step), text);
}

#[rstest]
#[case("tun link0")]
#[case("tun link0 mtu 1400")]
#[case("tap tap0 mtu 1280 addresses ll v4")]
#[case("tap tap0 addresses none")]
fn a_link_is_printed_as_it_is_written(#[case] text: &str) {
    let link = parse_link(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
    assert_eq!(print_link(&link), text);
}

/// A short form, or one of transcripts, and what it is.
#[rstest]
#[case("address add own(tap0, ll)/64 dev tap0", "address add own(tap0,ll) dev tap0")]
#[case("address add own(tap0,ll)", "address add own(tap0,ll) dev tap0")]
#[case("route add 192.0.2.9 dev a", "route add 192.0.2.9/32 dev a")]
#[case(
    "route add unicast 2001:db8::9 dev a via Neighbour(a,ll)",
    "route add 2001:db8::9/128 via neighbour(a,ll) dev a"
)]
#[case("inject link0 0x4500 0054 00ABcd", "inject link0 0x4500005400abcd")]
#[case("wait 100ms:why ", "wait 100 ms: why")]
#[case("wait for a frame on a, 5 ms", "wait for a frame on a, 5 ms at the most")]
#[case("wait 1 ms: \"why\"", "wait 1 ms: why")]
#[case("serve net0 80", "serve net0 80:")]
#[case(
    "serve net0 80 at every address with fast open with window 9:close",
    "serve net0 80 with a window of 9 with fast open at every address: close"
)]
#[case("serve net0 7 by UDP", "serve net0 7 by UDP: echo")]
#[case("serve net0 80: dial 1 from 2, answer", "serve net0 80: dial 1 from 2 (), answer a query")]
#[case(
    "name server net0 at v4: a is nxdomain",
    "name server net0 53 at v4, options timeout:1 attempts:1: a is NXDOMAIN"
)]
#[case(
    "name server net0 at v4: a aaaa is NOERROR,never",
    "name server net0 53 at v4, options timeout:1 attempts:1: a AAAA is empty, never answered"
)]
#[case("/etc/hosts:::1 a;\"b\"", "/etc/hosts: ::1 a; b")]
fn what_is_written_otherwise_is_the_same(#[case] text: &str, #[case] printed: &str) {
    let read = parse_step(text).map(|step| print_step(&step));
    assert_eq!(read.as_deref(), Ok(printed));
}

/// The word that is wrong, what is said of it, and what is meant.
#[rstest]
#[case("", "", "a step of the lab is expected here", None)]
#[case("lnik set tap0 down", "lnik", "this is no step of a lab", Some("link"))]
#[case("link sett tap0 down", "sett", "set or delete is expected here", Some("set"))]
#[case("link set tap0 dwon", "dwon", "up, down or mtu is expected here", Some("down"))]
#[case("link set tap0 Down", "Down", "up, down or mtu is expected here", Some("down"))]
#[case("link set tap0", "", "up, down or mtu is expected here", None)]
#[case("link set tap0 down now", "now", "nothing more is expected here", None)]
#[case("link set tap0 mtu 1280x", "x", "nothing more is expected here", None)]
#[case("link set tap0 mtu -1", "-1", "an MTU is expected here", None)]
#[case("link set tap0 mtu 4294967296", "4294967296", "an MTU is 4294967295 at the most", None)]
#[case("link delete tap-0", "tap-0", "this is no name of a link", None)]
#[case("link delete a123456789012345", "a123456789012345", "15 in all", None)]
#[case("link delete", "", "the name of a link is expected here", None)]
#[case(
    "address add onw(tap0,ll)",
    "onw",
    "who is on a link is own, neighbour, unresolved or silent",
    Some("own")
)]
#[case("address add silent(tap0,ll)", "silent(tap0,ll)", "its own addresses alone", None)]
#[case("address add own(tap0,v5)", "v5", "ll, v6 or v4 is expected here", None)]
#[case("address add own(tap0)", "own(tap0)", "a link and which of its addresses", None)]
#[case("address add own(1,ll)", "1", "the name of a link is expected here, not a number", None)]
#[case("address add own(tap0,ll", "", ") at the end of the arguments is expected here", None)]
#[case("address add own(tap0,ll)/24", "24", "64 bits", None)]
#[case("address add own(tap0,ll) dev tap1", "tap1", "this address is one of tap0", None)]
#[case("route add unreachble ::/0", "unreachble", "a prefix such as", Some("unreachable"))]
#[case("route add 192.0.2.0/33", "33", "0 to 32 bits", None)]
#[case("route add ::/", "/", "0 to 128 bits", None)]
#[case("route add ::/+1", "+1", "0 to 128 bits", None)]
#[case("route add ::/0 vai ::1", "vai", "via or dev is expected here", Some("via"))]
#[case("route add ::/0 dev a dev b", "dev", "this is said already", None)]
#[case("route add ::/0 via tap0", "tap0", "an address is expected here", None)]
#[case(
    "ntable change dev tap0 retrains 1",
    "retrains",
    "retrans is expected here",
    Some("retrans")
)]
#[case("inject link0 0x123", "0x123", "an odd number", None)]
#[case("inject link0 0x12x4", "x", "'x' is no hexadecimal digit", None)]
#[case("inject link0 40 bytes", "40", "the frame's bytes are expected here", None)]
#[case("inject link0", "", "the frame's bytes are expected here", None)]
#[case("inject link0 0x45 zz", "z", "'z' is no hexadecimal digit", None)]
#[case("wait 100: x", ":", "ms is expected here", None)]
#[case("wait 100 s: x", "s", "ms is expected here", None)]
#[case("wait soon", "soon", "a time in milliseconds is expected here", None)]
#[case("wait 100 ms because", "because", "a colon and what is waited for", None)]
#[case("wait for a frame on link0: x", ":", "a comma and how long at the most", None)]
#[case("wait for a farme on link0, 1 ms", "farme", "frame is expected here", Some("frame"))]
#[case("wait 1 ms: \"a", "", "a quote at the end of the text", None)]
#[case("wait 1 ms: \"a\" b", "b", "nothing more is expected here", None)]
#[case("wait 1 ms: \"\\377\"", "\"\\377\"", "this text is no UTF-8", None)]
#[case("serve net0 99999", "99999", "a port is 65535 at the most", None)]
#[case("serve net0 http", "http", "a port is expected here", None)]
#[case("serve net0 80 wiht fast open", "wiht", "with, at, by or : is expected here", Some("with"))]
#[case(
    "serve net0 80 with a widow of 1",
    "widow",
    "window or fast is expected here",
    Some("window")
)]
#[case("serve net0 80 with fast open with fast open:", "fast", "this is said already", None)]
#[case("serve net0 80 by TCP", "TCP", "UDP is expected here", None)]
#[case("serve net0 80 by udp", "udp", "UDP is expected here", Some("UDP"))]
#[case("serve net0 7 by UDP: ehco", "ehco", "echo is expected here", Some("echo"))]
#[case("serve net0 80: expcet \"x\"", "expcet", "expect, take, end", Some("expect"))]
#[case("serve net0 80: expect x", "x", "is expected here, not a name", None)]
#[case("serve net0 80: expect, close", ",", "text such as", None)]
#[case("serve net0 80: close,", "", "expect, take, end", None)]
#[case("serve net0 80: close end", "end", "nothing more is expected here", None)]
#[case("serve net0 80: dial 1 form 2", "form", "from is expected here", Some("from"))]
#[case("serve net0 80: dial 1 from 2 (close", "", "a comma, or )", None)]
#[case("serve net0 80: answer a qeury", "qeury", "query is expected here", Some("query"))]
#[case("name sever net0 at v4:", "sever", "server is expected here", Some("server"))]
#[case("name server net0 54 at v4:", "54", "listens on port 53", None)]
#[case("name server net0 53, options x:", ",", "at is expected here", None)]
#[case("name server net0 53 at v7:", "v7", "ll, v6, v4 or none is expected here", None)]
#[case(
    "name server net0 53 at v4, opitons x:",
    "opitons",
    "options or search is expected here",
    Some("options")
)]
#[case("name server net0 53 at v4, search a, search b:", "search", "this is said already", None)]
#[case(
    "name server net0 at v4, options b:1:a a is NOERROR,never",
    "never",
    "options or search",
    None
)]
#[case("name server net0 53 at v4, search :", ":", "a domain is expected here", None)]
#[case("name server net0 53 at v4: a", "", "A, AAAA, CNAME, PTR or is is expected here", None)]
#[case("name server net0 53 at v4: a AAA is ::1", "AAA", "A, AAAA, CNAME, PTR or is", Some("AAAA"))]
#[case(
    "name server net0 53 at v4: * is NXDOMIAN",
    "NXDOMIAN",
    "or a response code is expected here",
    Some("NXDOMAIN")
)]
#[case("name server net0 53 at v4: a is", "", "what is answered", None)]
#[case("name server net0 53 at v4: a is, never", ",", "what is answered", None)]
#[case(
    "name server net0 53 at v4: a is 192.0.2.300",
    "192.0.2.300",
    "an address, alias of NAME",
    None
)]
#[case("name server net0 53 at v4: a is alias b", "b", "of is expected here", None)]
#[case(
    "name server net0 53 at v4: a is ::1, truncatd",
    "truncatd",
    "never, truncated, with",
    Some("truncated")
)]
#[case(
    "name server net0 53 at v4: a is ::1, cut shrot",
    "shrot",
    "short is expected here",
    Some("short")
)]
#[case("name server net0 53 at v4: a is empty ::1", "::1", "a semicolon and another answer", None)]
#[case("name server net0 53 at v4: a is ::1;", "", "the name that is asked for", None)]
#[case("/etc/host: ::1 a", "/etc/host", "this is no step of a lab", Some("/etc/hosts"))]
#[case("/etc/hosts ::1 a", "::1", "a colon and the lines of the file", None)]
#[case("/etc/hosts: a;; b", ";", "an address and its names", None)]
#[case("the server at net0 80 goes", "", "on is expected here", None)]
fn a_mistake_is_told_where_it_stands(
    #[case] text: &str,
    #[case] at: &str,
    #[case] says: &str,
    #[case] meant: Option<&str>,
) {
    told(parse_step(text).map(|_| ()).expect_err(text), text, at, says, meant);
}

#[rstest]
#[case("tnu link0", "tnu", "tun or tap is expected here", Some("tun"))]
#[case("tun", "", "the name of a link is expected here", None)]
#[case("tun 0link", "0link", "this is no name of a link", None)]
#[case("tun link0 mut 1400", "mut", "mtu or addresses is expected here", Some("mtu"))]
#[case("tun link0 mtu 1400 mtu 1300", "mtu", "this is said already", None)]
#[case("tun link0 addresses", "", "ll, v6, v4 or none is expected here", None)]
#[case("tun link0 addresses ll v8", "v8", "ll, v6 or v4 is expected here", None)]
fn a_mistake_of_a_link_is_told_where_it_stands(
    #[case] text: &str,
    #[case] at: &str,
    #[case] says: &str,
    #[case] meant: Option<&str>,
) {
    told(parse_link(text).map(|_| ()).expect_err(text), text, at, says, meant);
}

pub(super) fn told(fault: crate::Fault, text: &str, at: &str, says: &str, meant: Option<&str>) {
    let meant = meant.map(|meant| format!("did you mean {meant}?"));
    assert!(fault.says.contains(says), "{text}: {fault:?}");
    assert_eq!(text.get(fault.at.clone()).unwrap_or_default(), at, "{text}: {fault:?}");
    if meant.is_some() || !fault.help.as_ref().is_some_and(|help| help.contains("transcript")) {
        assert_eq!(fault.help, meant, "{text}");
    }
}

/// Of a text that begins later, places are those of the whole.
#[test]
fn a_place_is_that_of_the_whole_text() {
    let text = "socket(s)\n-- link set tap0 dwon";
    let from = text.find("link").expect("it is there");
    let fault = super::read_step(&mut crate::tree::Cursor::new(&text[from..], from)).unwrap_err();
    assert_eq!(&text[fault.at], "dwon");
    let fault =
        super::read_step(&mut crate::tree::Cursor::new("wait 1 ms: \"a\\q\"", 100)).unwrap_err();
    assert_eq!(fault.at, 114..115);
}

#[test]
fn connections_that_open_connections_have_an_end() {
    let nested = |depth: usize| {
        format!("serve a 80: {}close{}", "dial 1 from 2 (".repeat(depth), ")".repeat(depth))
    };
    assert_eq!(parse_step(&nested(60)).map(|step| print_step(&step)), Ok(nested(60)));
    let fault = parse_step(&nested(100_000)).expect_err("too deep");
    assert!(fault.says.contains("fewer connections"), "{fault:?}");
}

/// Ten times the text takes about ten times as long; a square would take a hundred.
#[test]
fn the_time_grows_as_the_text_does() {
    let texts = |many: usize| {
        [
            format!("serve a 80: {}", vec!["send \"x\""; many].join(", ")),
            format!("name server a at v4: {}", vec!["b A is 192.0.2.7 c ::1"; many].join("; ")),
            format!("name server a at v4, options {}: * is empty", vec!["a:1"; many].join(" ")),
            format!("/etc/hosts: {}", vec!["192.0.2.7 a"; many].join("; ")),
            format!("inject a 0x{}", vec!["00"; many].join(" ")),
            format!("tun a addresses {}", vec!["ll"; many].join(" ")),
            format!("serve a 80 {}", vec!["at every address"; many].join(" ")),
            format!("wait 1 ms: {}", " ".repeat(many)),
        ]
    };
    let time = |text: &str| {
        let begun = std::time::Instant::now();
        let read = parse_step(text).is_ok() || parse_link(text).is_ok();
        assert!(read, "{:.60}", text);
        begun.elapsed()
    };
    for (few, many) in texts(2_000).iter().zip(texts(20_000)) {
        let least = |text: &str| (0..5).map(|_| time(text)).min().unwrap_or_default();
        let (few, long) = (least(few), least(&many));
        assert!(
            long < few * 50 + std::time::Duration::from_millis(5),
            "{:.30}: {few:?}, {long:?}",
            many
        );
    }
}
