//! Everything reads back; what is wrong is told where it stands.

use std::net::IpAddr;

use harness::case::addr::{Host, Range, Role};
use harness::case::lab::RouteKind;
use harness::case::names::{Answer, Flaw, NameServer, Rcode, Record, RecordData, RecordType};
use harness::case::{Hex, LabOp, Link, LinkKind, Payload, ServerStep, Service, Speaks};
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
        r#"[a1 \t;:,.#"\\()%|=/-]{0,8}"#,
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
    let does = prop_oneof![
        vec(server_step(), 0..5).prop_map(|script| (script, None)),
        speaks().prop_map(|speaks| (Vec::new(), Some(speaks))),
    ];
    (any::<u16>(), window, any::<[bool; 3]>(), does).prop_map(
        |(port, window, [fast_open, anywhere, udp], (script, speaks))| Service {
            port,
            window,
            fast_open,
            anywhere,
            udp,
            script,
            speaks,
        },
    )
}

fn speaks() -> impl Strategy<Value = Speaks> {
    let script = option::of(select(&["good", "self-signed", "h3"][..]).prop_map(str::to_owned));
    let names = vec("[a-z]{4,9}[.][a-z]{4,9}", 0..4);
    (select(&Speaks::PROTOCOLS[..]), script, names).prop_map(|(protocol, script, names)| Speaks {
        protocol: protocol.to_owned(),
        script,
        names,
    })
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
        ("net[.]ipv4[.][a-z_]{1,9}", "[0-9a-z]{1,4}( [0-9]{1,4}){0,2}")
            .prop_map(|(name, value)| LabOp::Sysctl { name, value }),
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
            | LabOp::Sysctl { .. } | LabOp::AddressAdd { .. } | LabOp::AddressDelete { .. } | LabOp::RouteAdd { .. }
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

/// A text takes as long as fifty of a fiftieth; in a square it would take fifty times as long.
/// What is missing is said of something that can be shown: a mark, or the end of the line.
#[rstest]
#[case("sysctl\" net.ipv4.x=0", 6..7)]
#[case("sysctl", 6..7)]
#[case("sysctl =0", 7..9)]
fn a_setting_is_missing_somewhere(#[case] text: &str, #[case] at: std::ops::Range<usize>) {
    let fault = parse_step(text).expect_err("a mistake");
    assert_eq!(
        (fault.at, fault.says.as_str()),
        (at, "a setting such as net.ipv4.ip_default_ttl is expected here")
    );
}

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
    let time = |text: &str, times: u32| {
        let begun = std::time::Instant::now();
        for _ in 0..times {
            assert!(parse_step(text).is_ok() || parse_link(text).is_ok(), "{text:.60}");
        }
        begun.elapsed()
    };
    for (few, many) in texts(1_000).iter().zip(texts(50_000)) {
        let least = |text: &str, times| (0..5).map(|_| time(text, times)).min().unwrap_or_default();
        let (few, whole) = (least(few, 50), least(&many, 1));
        let most = few * 10 + std::time::Duration::from_millis(5);
        assert!(whole < most, "{many:.30}: {few:?}, {whole:?}");
    }
}
