//! The machine by plain values, and what its witness says of it.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::fits;
use crate::machine::{Do, Input, Side, SideDo, whole};
use crate::witness::Witness;

/// A connection by a script, and whoever tells of it.
struct Lab {
    kind: Box<dyn Kind>,
    witness: Box<dyn Witness>,
    number: u64,
    lines: Vec<String>,
}

/// What a connection is sent, and what is done with its second one.
#[derive(Debug, Default, PartialEq, Eq)]
struct Done {
    sent: String,
    side: Vec<SideDo>,
}

impl Lab {
    fn new(script: &str) -> Self {
        let made = make(&Asked { script: script.to_owned(), ..Asked::default() }).unwrap();
        Self { kind: made.kind, witness: made.witness, number: 0, lines: Vec::new() }
    }

    fn connection(&mut self, inputs: &[Input<'_>]) -> Done {
        self.number += 1;
        let mut stream = self.kind.stream(self.number).unwrap();
        let mut done = Done::default();
        whole(&mut *stream, 8080, inputs, |out| {
            for todo in out.todo {
                match todo {
                    Do::Send(bytes) => done.sent += &String::from_utf8_lossy(&bytes),
                    Do::Side(SideDo::Close | SideDo::Reset) => {}
                    Do::Side(side) => done.side.push(side),
                    _ => {}
                }
            }
            for seen in &out.seen {
                let told = self.witness.tell(seen);
                // Of very many the first: their time is asked, too.
                if self.lines.len() < 2_000 {
                    fits::check(&told);
                }
                self.lines.extend(told.lines);
            }
        });
        done
    }

    fn first(&mut self, bytes: &[u8]) -> Done {
        self.connection(&[Input::Bytes(bytes)])
    }
}

fn connect(to: &str) -> SideDo {
    SideDo::Connect(to.parse().unwrap())
}

const GET: &[u8] = b"GET http://localhost:81/x?y HTTP/1.1\r\nHost: other\r\nUser-Agent: a/1\r\n\
    Proxy-Connection: keep-alive\r\nX-Hop: 1\r\nConnection: x-hop\r\n\r\n";
const TUNNEL: &[u8] =
    b"CONNECT localhost:81 HTTP/1.1\r\nHost: localhost:81\r\nUser-Agent: a/1\r\n\r\n";
const AROUND: &[u8] = b"GET /x HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: b/2\r\n\r\n";
const PAC: &[u8] = b"GET /wpad.dat?1 HTTP/1.1\r\nHost: a\r\nUser-Agent: a/1\r\n\r\n";

#[test]
fn a_request_goes_on_in_origin_form() {
    let mut lab = Lab::new("open");
    let done = lab.connection(&[
        Input::Bytes(GET),
        Input::Side(Side::Failed("connection refused")),
        Input::Side(Side::Opened("[::1]:81".parse().unwrap())),
        Input::Side(Side::Bytes(b"HTTP/1.1 404 Not Found\r\n\r\n")),
        Input::Bytes(b"GET http://localhost/smuggled HTTP/1.1\r\n\r\n"),
        Input::Side(Side::End),
    ]);
    let head =
        "GET /x?y HTTP/1.1\r\nHost: localhost:81\r\nConnection: close\r\nUser-Agent: a/1\r\n\r\n";
    let sent = SideDo::Send(head.as_bytes().to_vec());
    assert_eq!(done.side, [connect("127.0.0.1:81"), connect("[::1]:81"), sent]);
    assert_eq!(done.sent, "HTTP/1.1 404 Not Found\r\n\r\n");
    assert_eq!(
        lab.lines,
        [
            "request 1 (connection 1, 0.000 s): GET http://localhost:81/x?y, by name — a/1, \
             127.0.0.1:50000",
            "request 1: 404, 77 bytes up, 26 bytes down in 0.000 s; ended by the target",
        ]
    );
}

#[rstest]
#[case::client(&[Input::End, Input::Side(Side::End)], "the client")]
#[case::target(&[Input::Side(Side::End), Input::End], "the target")]
#[case::reset(&[Input::Broken("reset (RST)")], "the client: reset (RST)")]
#[case::target_reset(&[Input::Side(Side::Broken("reset (RST)"))], "the target: reset (RST)")]
#[case::nobody(&[], "nobody, it was open when it was ended here")]
fn a_tunnel_says_who_ended_it(#[case] end: &[Input<'_>], #[case] by: &str) {
    let mut lab = Lab::new("open");
    let opened = Input::Side(Side::Opened("127.0.0.1:81".parse().unwrap()));
    let up = Input::Bytes(b"\x16\x03\x01hello");
    let down = Input::Side(Side::Bytes(b"hi"));
    let done = lab.connection(&[&[Input::Bytes(TUNNEL), opened, up, down], end].concat());
    assert_eq!(done.sent, "HTTP/1.1 200 Connection established\r\n\r\nhi");
    let line = format!("request 1: 200, 8 bytes up, 2 bytes down in 0.000 s; ended by {by}");
    assert_eq!(lab.lines[1..], [line.as_str(), "  inside: TLS"]);
}

#[rstest]
#[case::name(b"CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 403 ")]
#[case::address(b"GET http://192.0.2.1/ HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 403 ")]
#[case::user(b"GET http://localhost@192.0.2.1/ HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 403 ")]
#[case::https(b"GET https://localhost/ HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 501 ")]
#[case::no_port(b"CONNECT localhost HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 ")]
#[case::two_lengths(
    b"POST http://localhost/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "HTTP/1.1 400 "
)]
#[case::both_lengths(
    b"POST http://localhost/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 400 "
)]
#[case::tls(b"\x16\x03\x01\x02\x00", "HTTP/1.1 400 ")]
#[case::socks(b"\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50", "\x05\0\x05\x02")]
#[case::bind(b"\x05\x01\x00\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x50", "\x05\0\x05\x07")]
#[case::socks_4(b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00", "\0[")]
fn what_is_not_for_loopback_goes_nowhere(#[case] bytes: &[u8], #[case] expected: &str) {
    let mut lab = Lab::new("open");
    let done = lab.first(bytes);
    assert!(done.sent.starts_with(expected), "{:?}", done.sent);
    assert_eq!(done.side, [], "nothing is opened");
}

#[rstest]
#[case::nothing(&[], "no request: nothing came by the proxy", &["no request"])]
#[case::by(&[GET, TUNNEL], "2 came by the proxy; nobody came around it to the proxy's own port, and what goes around it elsewhere is not seen here", &["proxied"])]
#[case::around(&[AROUND], "0 came by the proxy, 1 went around it", &["around"])]
#[case::both(&[GET, AROUND, GET], "2 came by the proxy, 1 went around it", &["around"])]
#[case::pac(&[PAC], "no request: nothing came by the proxy", &["no request", "pac"])]
#[case::pac_and_by(&[PAC, PAC, GET], "1 came by the proxy; nobody came around it to the proxy's own port, and what goes around it elsewhere is not seen here", &["proxied", "pac"])]
fn the_summary_says_who_went_around(
    #[case] requests: &[&[u8]],
    #[case] expected: &str,
    #[case] holds: &[&str],
) {
    let mut lab = Lab::new("refuse");
    for request in requests {
        lab.first(request);
    }
    let summary = lab.witness.summary();
    assert!(summary[0].starts_with(expected), "{summary:?}");
    for (words, _) in lab.witness.expectations() {
        let words = words.replace("SCHEME", "basic");
        assert_eq!(lab.witness.holds(&words), Ok(holds.contains(&words.as_str())), "{words}");
    }
    assert!(lab.witness.holds("proxy").is_err());
    assert!(lab.witness.holds("auth me").is_err());
    let has = |words: &str| summary.iter().any(|line| line.contains(words));
    assert_eq!(has("b/2: 0 by the proxy, 1 around it (GET /x)"), expected.contains("1 went"));
    assert_eq!(has("the PAC file was fetched by a/1"), holds.contains(&"pac"));
    let is_twice = requests.iter().filter(|r| **r == PAC).count() == 2;
    assert_eq!(has("fetched by a/1 2 times"), is_twice);
}

#[rstest]
#[case(
    "407-basic",
    "",
    false,
    "407 asked for Basic once: no Basic credentials came; 1 request went no further"
)]
#[case(
    "407-basic",
    "Basic YTpi",
    true,
    "407 asked for Basic once: Basic credentials came with 1 request"
)]
#[case(
    "407-digest",
    "Basic YTpi",
    false,
    "407 asked for Digest 2 times: no Digest credentials came; 1 request went no further"
)]
#[case(
    "407-negotiate",
    "Negotiate YAA=",
    true,
    "407 asked for Negotiate once: Negotiate credentials came with 1 request"
)]
fn a_407_says_what_the_client_then_did(
    #[case] script: &str,
    #[case] credentials: &str,
    #[case] enters: bool,
    #[case] expected: &str,
) {
    let mut lab = Lab::new(script);
    let again = format!(
        "CONNECT localhost:81 HTTP/1.1\r\nUser-Agent: a/1\r\nProxy-Authorization: {credentials}\r\n\r\n"
    );
    let mut inputs = vec![Input::Bytes(TUNNEL)];
    if !credentials.is_empty() {
        inputs.push(Input::Bytes(again.as_bytes()));
    }
    let done = lab.connection(&inputs);
    assert!(done.sent.starts_with("HTTP/1.1 407 "), "{}", done.sent);
    assert_eq!(done.side.contains(&connect("127.0.0.1:81")), enters);
    let summary = lab.witness.summary();
    assert_eq!(
        summary[0],
        "1 came by the proxy; nobody came around it to the proxy's own port, and what goes around it elsewhere is not seen here"
    );
    assert!(summary.iter().any(|line| line.starts_with(expected)), "{summary:?}");
    assert_eq!(summary.iter().any(|line| line.contains("no further")), !enters);
    let scheme = credentials.split(' ').next().unwrap_or_default();
    if !scheme.is_empty() {
        assert_eq!(lab.witness.holds(&format!("auth {scheme}")), Ok(true));
    }
}

#[test]
fn who_asks_again_without_credentials_asks_twice() {
    let mut lab = Lab::new("407-basic");
    let again = [&TUNNEL[..TUNNEL.len() - 2], b"Proxy-Authorization: Basic YTpi\r\n\r\n"].concat();
    let tunnel = Input::Bytes(TUNNEL);
    lab.connection(&[tunnel, tunnel, Input::Bytes(&again)]);
    let summary = lab.witness.summary();
    assert_eq!(
        summary[0],
        "2 came by the proxy; nobody came around it to the proxy's own port, and what goes around it elsewhere is not seen here"
    );
    assert!(summary.iter().any(|line| line.ends_with("1 request went no further than the 407")));
}

#[test]
fn a_body_before_the_credentials_is_passed_over() {
    let mut lab = Lab::new("407-basic");
    let first = "POST http://localhost:81/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET /POST http://localhost:81/ \
                 HTTP/1.1\r\nProxy-Authorization: Basic YTpi\r\nContent-Length: 2\r\n\r\nok";
    let opened = Input::Side(Side::Opened("127.0.0.1:81".parse().unwrap()));
    let done = lab.connection(&[Input::Bytes(first.as_bytes()), opened]);
    assert_eq!(done.side.last(), Some(&SideDo::Send(b"ok".to_vec())));
    assert!(!lab.lines.concat().contains("YTpi"));
}

/// What is forwarded of chunks ends where they do; where they make no sense, all of it is.
#[rstest]
#[case("1\r\na\r\n0\r\n\r\n", "GET http://localhost/smuggled HTTP/1.1\r\n\r\n")]
#[case("x\r\nand so on", "")]
fn chunks_have_an_end(#[case] body: &str, #[case] behind: &str) {
    let head = "POST http://localhost:81/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let opened = Input::Side(Side::Opened("127.0.0.1:81".parse().unwrap()));
    let came = [body, behind].concat();
    let done = Lab::new("open").connection(&[
        Input::Bytes(head.as_bytes()),
        opened,
        Input::Bytes(came.as_bytes()),
    ]);
    assert_eq!(done.side.last(), Some(&SideDo::Send(body.as_bytes().to_vec())));
    // And so does what is passed over before the credentials.
    let again = Input::Bytes(TUNNEL);
    let bytes = [head, &came].concat();
    let done = Lab::new("407-basic").connection(&[Input::Bytes(bytes.as_bytes()), again]);
    let asked = if behind.is_empty() { 1 } else { 3 };
    assert_eq!(done.sent.matches("HTTP/1.1 407 ").count(), asked, "{}", done.sent);
}

#[test]
fn many_requests_at_once_are_each_asked() {
    let many = TUNNEL.repeat(20_000);
    let began = std::time::Instant::now();
    let done = Lab::new("407-basic").first(&many);
    assert_eq!(done.sent.matches("HTTP/1.1 407 ").count(), 20_000);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[rstest]
#[case(
    "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML) HeadlessChrome/1.0 Safari/537.36",
    "HeadlessChrome/1.0"
)]
#[case("Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/2.0 Safari/537.36 Edg/3.0", "Edg/3.0")]
#[case("Mozilla/5.0 (odd)", "Mozilla/5.0 (odd)")]
#[case("App/1 CFNetwork/1 Darwin/24", "App/1 CFNetwork/1 Darwin/24")]
#[case("App/1 Safari/2", "App/1 Safari/2")]
fn a_browser_has_a_short_name(#[case] agent: &str, #[case] expected: &str) {
    let mut lab = Lab::new("refuse");
    let head = format!("CONNECT localhost:81 HTTP/1.1\r\nUser-Agent: {agent}\r\n\r\n");
    lab.first(head.as_bytes());
    assert_eq!(lab.witness.summary()[1], format!("  {expected}: 1 by the proxy"));
}

#[test]
fn what_is_slow_waits() {
    let mut lab = Lab::new("slow");
    let done = lab.connection(&[Input::Bytes(TUNNEL)]);
    assert_eq!((done.sent.as_str(), done.side.len()), ("", 0));
    let done = lab.connection(&[Input::Bytes(TUNNEL), Input::Time]);
    assert_eq!(done.side[0], connect("127.0.0.1:81"));
    lab.connection(&[Input::Bytes(TUNNEL), Input::End]);
    assert!(lab.lines.last().is_some_and(|line| line.ends_with("ended by the client")));
}

#[test]
fn the_proxy_itself_is_a_target() {
    let mut lab = Lab::new("open");
    let absolute = b"GET http://127.0.0.1:8080/ HTTP/1.1\r\nUser-Agent: a/1\r\n\r\n";
    assert!(lab.first(absolute).sent.ends_with("you came by the proxy\n"));
    let pac = b"GET http://127.0.0.1:8080/proxy.pac HTTP/1.1\r\n\r\n";
    assert!(lab.first(pac).sent.contains("return \"PROXY 127.0.0.1:8080\";"));
    let tunnel =
        b"CONNECT localhost:8080 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nUser-Agent: c/3\r\n\r\n";
    assert!(lab.first(tunnel).sent.ends_with("you came by the proxy\n"));
    let socks = b"\x05\x01\x00\x05\x01\x00\x03\x09localhost\x1f\x90";
    assert_eq!(lab.first(socks).sent, "\x05\0\x05\0\0\x01\0\0\0\0\0\0");
    let done = lab.connection(&[Input::Bytes(socks), Input::Bytes(AROUND)]);
    assert!(done.sent.ends_with("you came by the proxy\n"));
    let summary = lab.witness.summary();
    assert_eq!(
        summary[0],
        "5 came by the proxy; nobody came around it to the proxy's own port, and what goes around it elsewhere is not seen here"
    );
    assert!(summary.contains(&"  c/3: 1 by the proxy".to_owned()), "{summary:?}");
    assert!(summary.contains(&"  b/2: 1 by the proxy".to_owned()), "{summary:?}");
    assert!(summary.contains(&"targets named by name 3, by address 2".to_owned()), "{summary:?}");
}

#[test]
fn socks_asks_for_a_user() {
    let mut lab = Lab::new("socks-auth");
    let done = lab.first(b"\x05\x01\x00");
    assert_eq!(done.sent.as_bytes(), "\x05\u{fffd}".as_bytes());
    assert!(
        lab.lines.concat().contains("offers no authentication, and the script wants user/password")
    );
    assert_eq!(lab.witness.holds("auth socks5"), Ok(false));
    let done =
        lab.first(b"\x05\x02\x00\x02\x01\x02me\x07hunter2\x05\x01\x00\x01\x7f\0\0\x01\0\x51");
    assert_eq!(done.side, [connect("127.0.0.1:81")]);
    assert_eq!(lab.witness.holds("auth socks5"), Ok(true));
    let all = lab.lines.concat();
    assert!(all.contains("of the user \"me\"") && !all.contains("hunter2"), "{all}");
}

fn run(script: &str, pieces: &[&[u8]]) -> (Vec<String>, Done) {
    let mut lab = Lab::new(script);
    let inputs: Vec<Input<'_>> = pieces.iter().map(|piece| Input::Bytes(piece)).collect();
    let done = lab.connection(&inputs);
    (lab.lines, done)
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_are_the_same(
        script in 0..ROWS.len(),
        start in prop::sample::select(vec![GET, TUNNEL, AROUND, b"\x05\x01\x00", b"\x05\x02\x00\x02\x01\x01a\x01b",
            b"\x04\x01\x00\x50", b"\x05\x01\x00\x05\x01\x00\x03\x09localhost\x1f\x90", b""]),
        end in prop::collection::vec(any::<u8>(), 0..40),
        cut in 0usize..300,
    ) {
        let bytes = [start, &end].concat();
        let script = SCRIPTS[script].name;
        let cut = cut.min(bytes.len());
        let whole = run(script, &[&bytes]);
        prop_assert_eq!(&whole.1, &run(script, &[&bytes[..cut], &bytes[cut..]]).1);
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&whole.1.sent, &run(script, &single).1.sent);
    }
}
