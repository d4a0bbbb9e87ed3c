//! A response that comes before the request has been read.

use harness::case::addr::Range;
use harness::case::{Case, Op, ServerStep};

use super::steps::{
    EMPTY_LINE, PORT, RANGES, answer, expect, http, id, open, readable, recv, send, text, words,
};
use crate::steps::{case, covering, so_error};
use crate::table::{Row, Table};

const TOO_LARGE: &str = "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\r\n";
const HEAD: &str = "POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\n";
const BODY: &str = "a=b&c=d\n";

pub(super) fn tables() -> Vec<Table> {
    vec![early()]
}

/// How the server ends the connection (RFC 9112 §9.6).
fn endings() -> [(&'static str, Vec<ServerStep>, &'static str); 4] {
    let lingers = vec![ServerStep::Shutdown, ServerStep::Take { bytes: 8 }, ServerStep::Close];
    [
        ("closes", vec![ServerStep::Close], "closes"),
        ("lingers", lingers, "closes in stages"),
        ("resets", vec![ServerStep::Reset], "resets"),
        ("stays", vec![], "leaves it at that"),
    ]
}

fn early() -> Table {
    let question = "Is an early 413 read when the body was not, with and without lingering close?";
    let mut table = Table::new("http/early-response", question);
    let sends: [(&str, &[&str]); 4] = [
        ("at-once", &["POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\na=b&c=d\n"]),
        ("body-after", &[HEAD, BODY]),
        ("body-in-two", &[HEAD, "a=b&", "c=d\n"]),
        ("head-alone", &[HEAD]),
    ];
    let reads = [
        ("recv", vec![recv("s"), recv("s")]),
        ("poll", vec![readable("s"), recv("s"), recv("s"), so_error("s")]),
        ("error", vec![so_error("s"), recv("s"), recv("s")]),
    ];
    for range in RANGES {
        for (how, parts) in sends {
            for (name, end, does) in endings() {
                for (first, then) in &reads {
                    let title = format!(
                        "Over {} the server answers a request's head ({how}) and {does}",
                        words(range)
                    );
                    let case = row(title, range, parts, &end, then.clone());
                    table.push(&[id(range), how, name, first], Row::Case(case));
                }
            }
        }
    }
    table
}

fn row(title: String, range: Range, parts: &[&str], end: &[ServerStep], then: Vec<Op>) -> Case {
    let script = [expect(EMPTY_LINE), answer(TOO_LARGE)].into_iter().chain(end.iter().cloned());
    let mut ops = open("s", range, PORT);
    ops.extend(parts.iter().map(|part| send("s", text(part))));
    ops.extend(then);
    covering(case(title, http(script), ops), &["HTTP-03", "HTTP-06"])
}
