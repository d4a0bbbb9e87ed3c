//! Data in a SYN: TCP Fast Open (RFC 7413).

use harness::case::addr::{Addr, Range, Role};
use harness::case::op::Value;
use harness::case::{Flags, Lab, Op, Service};

use super::steps::{
    EMPTY_LINE, GET, LINK, OK, PORT, RANGES, answer, expect, get, id, readable, recv, serving,
    text, words,
};
use crate::steps::{case, close, connect, covering, nonblocking, setsockopt, so_error, socket};
use crate::table::{Row, Table};

/// How a client asks for it.
const WAYS: [&str; 5] = ["sendto", "sendmsg", "connect", "send-no-cookie", "connect-no-cookie"];

/// What the far end makes of it.
const SERVERS: [&str; 3] = ["grants", "ignores", "refuses"];

/// Linux remembers of a server that granted nothing which of two options asked it, and asks by the
/// other (`net/ipv4/tcp_fastopen.c` `tcp_fastopen_cookie_check`, `net/ipv4/tcp_metrics.c`).
pub(super) fn table() -> Table {
    let question = "Does a request leave in the SYN, and what do the calls say?";
    let mut table = Table::new("http/fast-open", question);
    for range in RANGES {
        for server in SERVERS {
            for way in WAYS {
                for times in ["first", "second", "after-plain"] {
                    let title = format!(
                        "Fast open over {} by {way}, {times}, to a server that {server}",
                        words(range)
                    );
                    let lab = lab(server);
                    let case = covering(case(title, lab, asked(range, way, times)), &["HTTP-08"]);
                    table.push(&[id(range), server, way, times], Row::Case(case));
                }
            }
        }
    }
    table
}

fn lab(server: &str) -> Lab {
    let script = [expect(EMPTY_LINE), answer(OK)];
    // Who refuses serves another port.
    let port = if server == "refuses" { PORT + 1 } else { PORT };
    let mut service = Service::new(port, script);
    service.fast_open = server == "grants";
    serving([service])
}

/// The request is sent, after another connection that the server may have told a cookie on, or
/// one that did not ask for any.
fn asked(range: Range, way: &str, times: &str) -> Vec<Op> {
    let mut ops = Vec::new();
    if times != "first" {
        ops.extend(request("s", range, if times == "second" { way } else { "plain" }));
        ops.push(close("s"));
    }
    ops.extend(request("t", range, way));
    ops
}

fn request(fd: &str, range: Range, way: &str) -> Vec<Op> {
    let domain = if range == Range::V4 { "AF_INET" } else { "AF_INET6" };
    let to = Addr::on(LINK, Role::Neighbour, range, PORT);
    let (name, data, flags) = (fd.to_owned(), text(GET), Flags::of(&["MSG_FASTOPEN"]));
    let option = |option| setsockopt(fd, "IPPROTO_TCP", option, Value::Int(1));
    let mut ops = vec![socket(fd, domain, "SOCK_STREAM"), nonblocking(fd)];
    if way.ends_with("no-cookie") {
        ops.push(option("TCP_FASTOPEN_NO_COOKIE"));
    }
    match way {
        "sendto" | "send-no-cookie" => {
            ops.push(Op::Sendto { fd: name, data, flags, addr: to });
        }
        "sendmsg" => {
            let (addr, control) = (Some(to), Vec::new());
            ops.push(Op::Sendmsg { fd: name, data, flags, addr, control });
        }
        "plain" => ops.extend([connect(fd, to), get(fd)]),
        _ => ops.extend([option("TCP_FASTOPEN_CONNECT"), connect(fd, to), get(fd)]),
    }
    ops.extend([so_error(fd), get(fd), readable(fd), recv(fd)]);
    ops
}
