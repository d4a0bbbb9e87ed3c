//! WebSocket frames (RFC 6455 §5) as what they are to a socket: bytes.
//! In Rust, since each frame goes with its reply in each script.

use harness::case::ServerStep;

use super::steps::{
    EMPTY_LINE, PORT, RANGES, answer, expect, http, id, open, readable, recv, send, text, words,
};
use crate::steps::{case, covering};
use crate::table::{Row, Table};

const UPGRADE: &str = "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\n\r\n";

/// Frames from a client are masked, here with zeros; those from a server are not.
const FRAMES: [(&str, &str, &str); 3] = [
    ("text", "\u{81}\u{85}\0\0\0\0hello", "\u{81}\u{5}world"),
    ("ping", "\u{89}\u{80}\0\0\0\0", "\u{8a}\0"),
    ("close", "\u{88}\u{82}\0\0\0\0\u{3}\u{e8}", "\u{88}\u{2}\u{3}\u{e8}"),
];

pub(super) fn table() -> Table {
    let question = "Do WebSocket frames pass without a handshake, and is there any EIO?";
    let mut table = Table::new("http/websocket", question);
    for range in RANGES {
        for shakes in [false, true] {
            for (name, frame, reply) in FRAMES {
                for (ends, end) in [("stays", None), ("closes", Some(ServerStep::Close))] {
                    let mut script = vec![];
                    let mut ops = open("s", range, PORT);
                    if shakes {
                        script.extend([expect(EMPTY_LINE), answer(SWITCHING)]);
                        ops.extend([send("s", text(UPGRADE)), readable("s"), recv("s")]);
                    }
                    script.extend([expect(frame), answer(reply)]);
                    script.extend(end);
                    ops.extend([send("s", text(frame)), readable("s"), recv("s"), recv("s")]);
                    let with = if shakes { "after a handshake" } else { "without a handshake" };
                    let title = format!("A {name} frame {with} over {}", words(range));
                    let case = covering(case(title, http(script), ops), &["HTTP-10"]);
                    let hands = if shakes { "handshake" } else { "none" };
                    table.push(&[id(range), hands, name, ends], Row::Case(case));
                }
            }
        }
    }
    table
}
