//! What is wrong is told where it stands.

use rstest::rstest;

use super::{parse_link, parse_step, print_step, read_step};
use crate::fault::Fault;
use crate::tree::Cursor;

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
#[case("serve net0 7 by UDP: ehco", "ehco", "quic, udp or echo is expected here", Some("echo"))]
#[case("serve net0 443: TLS", "TLS", "http, tls, ws, or a step (expect, take, end", Some("tls"))]
#[case("serve net0 443: thls x", "thls", "http, tls, ws, or a step", Some("tls"))]
#[case("serve net0 443: zzzz", "zzzz", "http, tls, ws, or a step", None)]
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
    told(&parse_step(text).map(|_| ()).expect_err(text), text, at, says, meant);
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
    told(&parse_link(text).map(|_| ()).expect_err(text), text, at, says, meant);
}

fn told(fault: &Fault, text: &str, at: &str, says: &str, meant: Option<&str>) {
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
    let fault = read_step(&mut Cursor::new(&text[from..], from)).unwrap_err();
    assert_eq!(&text[fault.at], "dwon");
    let fault = read_step(&mut Cursor::new("wait 1 ms: \"a\\q\"", 100)).unwrap_err();
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

/// What others call a protocol, or write elsewhere.
#[rstest]
#[case("serve net0 443: by UDP: quic h3", "by", "by UDP stands before the colon: 443 by UDP: quic")]
#[case("serve net0 443: https", "https", "did you mean tls? It answers HTTP within")]
#[case("serve net0 443: HTTPS", "HTTPS", "did you mean tls? It answers HTTP within")]
#[case("serve net0 21: ftp", "ftp", "a lab has not: it takes more than one connection")]
#[case("serve net0 53: dns", "dns", "name server LINK 53 at v4")]
#[case("serve net0 443: h3", "h3", "write serve LINK 443 by UDP: quic h3")]
fn what_is_meant_is_told(#[case] text: &str, #[case] at: &str, #[case] help: &str) {
    let fault = parse_step(text).map(|_| ()).expect_err(text);
    assert_eq!(&text[fault.at.clone()], at);
    assert!(fault.says.starts_with("http, tls, ws, or a step"), "{fault:?}");
    assert!(fault.help.as_ref().is_some_and(|told| told.contains(help)), "{fault:?}");
}
