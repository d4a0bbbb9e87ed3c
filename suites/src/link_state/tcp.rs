//! TCP: connect to each destination over a link in each state.

use harness::case::{Case, LinkKind, Op};

use super::axes::{KINDS, PORT, State, To, lab};
use crate::steps::{
    bind, case, connect, covering, ip, listen, nonblocking, poll_out, so_error, socket,
};
use crate::table::{Row, Table};

pub(super) fn table() -> Table {
    let mut table = Table::new(
        "link-state/tcp-connect",
        "What does a non-blocking connect say, and does a SYN leave?",
    );
    for kind in KINDS {
        for state in State::ALL {
            for to in To::ALL {
                let row = match to.left_out(kind) {
                    Some(why) => Row::LeftOut(why),
                    None => Row::Case(row(kind, state, to)),
                };
                table.push(&[&kind.to_string(), state.id(), to.id()], row);
            }
        }
    }
    table
}

fn row(kind: LinkKind, state: State, to: To) -> Case {
    let title = format!("TCP connect to {}, the link being {}", to.words(), state.words());
    let mut ops: Vec<Op> = Vec::new();
    if to.is_local() {
        ops.extend([
            socket("l", "AF_INET6", "SOCK_STREAM"),
            bind("l", ip("::", PORT)),
            listen("l"),
        ]);
    }
    ops.extend([
        socket("s", to.domain(), "SOCK_STREAM"),
        nonblocking("s"),
        connect("s", to.addr(PORT)),
        poll_out("s"),
        so_error("s"),
    ]);
    covering(case(title, lab(kind, state), ops), &["LINK-01"])
}
