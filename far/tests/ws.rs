//! Real clients of WebSocket, with a handshake and without.

mod clients;
mod fits;
mod talk;

use clients::missing;
use rstest::rstest;
use talk::{Came, Said, client, python, serve};

const WEBSOCKETS: &str = r#"
import sys
from websockets.sync.client import connect
from websockets.exceptions import WebSocketException
try:
    with connect(sys.argv[1], subprotocols=["chat"], open_timeout=2 if "silent" in sys.argv else 20, close_timeout=5) as ws:
        print("subprotocol", ws.subprotocol)
        ws.send("hello")
        print("got", ws.recv(timeout=20))
        ws.send(b"\x00\x01")
        print("got", ws.recv(timeout=20))
        if "slow" in sys.argv:
            try:
                ws.recv(timeout=1.5)
            except TimeoutError:
                pass
        ws.close(4000, "done")
except (WebSocketException, OSError, EOFError) as e:
    print("failed", type(e).__name__, e)
"#;

/// What Python's websockets makes of a script.
fn websockets(script: &str) -> Option<(String, Said)> {
    let server = serve("ws", script);
    let how = match script {
        "ping" => "slow",
        "no-handshake" => "silent",
        _ => "",
    };
    let came = python("websockets.sync.client", WEBSOCKETS, &[&server.url, how])?;
    assert!(came.ok, "{came:?}");
    Some((came.out, server.stop()))
}

#[rstest]
#[case::echo("echo", &["subprotocol chat", "got hello", "got b'\\x00\\x01'"], "close 4000")]
#[case::fragment("fragment", &["got hello", "got b'\\x00\\x01'"], "close 4000")]
#[case::ping("ping", &["got hello"], "pong")]
#[case::no_subprotocol("no-subprotocol", &["subprotocol None", "got hello"], "close 4000")]
#[case::deflate("deflate-ignored", &["got 7 compressed bytes came"], "close 4000")]
#[case::close_at_once("close-at-once", &["failed ConnectionClosed", "1001"], "close 1001")]
#[case::reset("reset", &["failed ConnectionClosedError"], "no close")]
fn websockets_shakes_hands(#[case] script: &str, #[case] out: &[&str], #[case] holds: &str) {
    let Some((got, said)) = websockets(script) else { return };
    for part in out {
        assert!(got.contains(part), "no {part:?} in {got}\n{said}");
    }
    said.sums(&["1 connection: 1 began with a handshake", "nothing of them breaks RFC 6455"]);
    said.has(&["handshake: GET / — Python/3", "extensions offered: permessage-deflate"]);
    said.check(&["handshake", "no violation", holds], &["no handshake", "violation", "close 1002"]);
}

#[rstest]
#[case::refused("refuse-403", "failed InvalidStatus", "handshakes were answered: 403")]
#[case::bad_accept("bad-accept", "failed InvalidHeader", "handshakes were answered: 101")]
#[case::no_handshake("no-handshake", "failed TimeoutError", "0 frames came")]
fn websockets_is_refused(#[case] script: &str, #[case] out: &str, #[case] summary: &str) {
    let Some((got, said)) = websockets(script) else { return };
    assert!(got.contains(out), "{got}\n{said}");
    said.sums(&["1 connection: 1 began with a handshake", summary]);
    said.check(&["handshake"], &["no violation", "violation", "pong", "close 4000"]);
}

const RAW: &str = r#"
import socket, sys
port, what = int(sys.argv[1]), sys.argv[2]
s = socket.create_connection(("127.0.0.1", port), 20)
shake = ("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode()
masked = b"\x81\x85\x01\x02\x03\x04" + bytes(b ^ m for b, m in zip(b"hello", b"\x01\x02\x03\x04\x01"))
def read():
    try:
        while got := s.recv(4096):
            print(got)
            if b"hello" in got:
                break
    except OSError as e:
        print("failed", e)
if what == "frame":
    s.sendall(masked)
elif what == "unmasked":
    s.sendall(shake)
    print(s.recv(4096))
    s.sendall(b"\x81\x05hello")
elif what == "no key":
    s.sendall(shake.replace(b"Sec-WebSocket-Key", b"X"))
elif what == "early":
    s.sendall(shake + masked)
elif what == "tls":
    s.sendall(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03")
elif what == "right":
    s.sendall(shake)
    print(s.recv(4096))
    s.sendall(masked)
if what != "nothing":
    read()
s.close()
"#;

/// What a socket of Python's comes to that speaks WebSocket so.
fn raw(script: &str, what: &str) -> Option<(Came, Said)> {
    let server = serve("ws", script);
    let came = python("socket", RAW, &[&server.addr.port().to_string(), what])?;
    assert!(came.ok, "{came:?}");
    Some((came, server.stop()))
}

#[rstest]
#[case::frame("frame", "1 began without a handshake, with a frame at once", &["no handshake"], "HTTP/1.1 400")]
#[case::no_key("no key", "Sec-WebSocket-Key is missing", &["no handshake", "violation"], "HTTP/1.1 400")]
#[case::unmasked("unmasked", "a frame without a mask (§5.1)", &["handshake", "violation"], "\\x03\\xeaa frame without a mask")]
#[case::early("early", "it sends frames before the handshake is answered (§4.1)", &["handshake", "violation"], "HTTP/1.1 101")]
#[case::tls("tls", "1 began with something else", &["no handshake"], "")]
#[case::nothing("nothing", "1 began with nothing", &["no handshake"], "")]
#[case::right("right", "1 began with a handshake", &["handshake", "no violation"], "hello")]
fn a_raw_socket_is_told_for_what_it_is(
    #[case] what: &str,
    #[case] summary: &str,
    #[case] holds: &[&str],
    #[case] out: &str,
) {
    let Some((came, said)) = raw("echo", what) else { return };
    said.sums(&[summary]);
    assert!(came.out.contains(out), "{came:?}\n{said}");
    let all = ["handshake", "no handshake", "violation"];
    let others: Vec<&str> = all.into_iter().filter(|words| !holds.contains(words)).collect();
    said.check(holds, &others);
}

#[test]
fn frames_without_a_handshake_are_echoed_where_the_script_has_none() {
    let Some((came, said)) = raw("no-handshake", "frame") else { return };
    assert!(
        came.out.contains("a frame without a handshake") && came.out.contains("hello"),
        "{came:?}"
    );
    said.check(&["no handshake", "no violation"], &["handshake"]);
    let files: Vec<u8> = said.files.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    assert!(files.starts_with(b"\x81\x85\x01\x02\x03\x04"));
}

/// A `ws` of npm, where the test is told of one; else of the system's.
const NODE: &str = r"
let WebSocket;
try { WebSocket = require(process.env.FAR_WS || 'ws'); } catch { console.log('no ws'); process.exit(0); }
const ws = new WebSocket(process.argv[1], ['chat']);
ws.on('error', e => console.log('failed', e.message));
ws.on('open', () => ws.send('hello'));
ws.on('message', m => { console.log('got', m.toString()); ws.close(1000, 'bye'); });
ws.on('close', (code) => console.log('closed', code));
";

#[rstest]
#[case::echo("echo", "got hello", &["handshake", "close 1000", "no violation"])]
#[case::bad_accept("bad-accept", "failed Invalid Sec-WebSocket-Accept header", &["handshake", "no close"])]
#[case::no_handshake("no-handshake", "failed Parse Error", &["handshake"])]
#[case::no_subprotocol("no-subprotocol", "failed Server sent no subprotocol", &["handshake"])]
#[case::reset("reset", "closed 1006", &["handshake", "no close"])]
fn ws_of_node(#[case] script: &str, #[case] out: &str, #[case] holds: &[&str]) {
    let server = serve("ws", script);
    let Some(came) = client(&["node", "-e", NODE, &server.url]) else { return };
    if came.out.contains("no ws") {
        missing("node's ws");
        return;
    }
    let said = server.stop();
    assert!(came.out.contains(out), "{came:?}\n{said}");
    said.check(holds, &["no handshake", "no connection"]);
}

#[test]
fn curl_asks_for_a_page_and_is_told_of_each_header() {
    let server = serve("ws", "echo");
    let url = server.url.replace("ws://", "http://");
    let Some(came) = client(&["curl", "-sS", &url]) else { return };
    assert!(came.out.contains("Sec-WebSocket-Key is missing"), "{came:?}");
    let said = server.stop();
    said.sums(&["Upgrade is missing", "Connection is missing", "handshakes were answered: 426"]);
    said.check(&["no handshake", "violation"], &["handshake", "no connection", "no violation"]);
}

#[test]
fn curl_speaks_websocket_if_it_can() {
    let server = serve("ws", "close-at-once");
    let Some(came) = client(&["curl", "-sS", "-m", "10", &server.url]) else { return };
    if came.err.contains("not supported") {
        println!("skipped: curl has no ws://");
        return;
    }
    server.stop().check(&["handshake"], &["no handshake"]);
}
