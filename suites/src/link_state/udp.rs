//! UDP: each way to send, to each destination, over a link in each state.

use harness::case::op::Value;
use harness::case::{Case, Lab, LinkKind, Op};

use super::axes::{KINDS, LINK, PORT, State, To, lab};
use crate::steps::{
    bind, bind_to, case, connect, covering, getpeername, receiver, recvfrom, send, sendmsg_by,
    sendto, setsockopt, so_error, socket,
};
use crate::table::{Row, Table};

/// A way to send.
struct Way {
    table: &'static str,
    question: &'static str,
    /// How it is sent, as the title of a row begins.
    how: &'static str,
    /// The rows of the catalogue that all of it is about, beside those of each row.
    catalogue: &'static [&'static str],
    /// What is done with the socket `s`, up to and with the send.
    steps: fn(To) -> Vec<Op>,
}

const WAYS: [Way; 5] = [
    Way {
        table: "link-state/udp-sendto",
        question: "What does sendto on a fresh socket say and send?",
        how: "UDP",
        catalogue: &[],
        steps: |to| vec![sendto("s", to.addr(PORT))],
    },
    Way {
        table: "link-state/udp-connect-send",
        question: "What do connect and then send say and send?",
        how: "UDP by connect and send",
        catalogue: &[],
        steps: |to| vec![connect("s", to.addr(PORT)), send("s")],
    },
    Way {
        table: "link-state/udp-bound-own",
        question: "What does sendto say and send after bind to the link's own address?",
        how: "UDP from a bound socket",
        catalogue: &[],
        steps: |to| vec![bind("s", to.source()), sendto("s", to.addr(PORT))],
    },
    Way {
        table: "link-state/udp-bound-interface",
        question: "What does sendto say and send from a socket bound to the link?",
        how: "UDP from a socket bound to the link",
        catalogue: &["LINK-05"],
        steps: |to| vec![bind_to("s", LINK), sendto("s", to.addr(PORT))],
    },
    Way {
        table: "link-state/udp-pktinfo",
        question: "What does sendmsg say and send when its PKTINFO names the link?",
        how: "UDP with PKTINFO",
        catalogue: &[],
        steps: |to| {
            let level = if to.is_v4() { "IPPROTO_IP" } else { "IPPROTO_IPV6" };
            vec![sendmsg_by("s", level, LINK, to.addr(PORT))]
        },
    },
];

/// One table for each way to send, and one for sockets connected before the link changed.
pub(super) fn tables() -> Vec<Table> {
    let mut tables: Vec<Table> = WAYS.iter().map(table).collect();
    tables.push(connected_before());
    tables
}

fn rows() -> impl Iterator<Item = (LinkKind, State, To)> {
    KINDS.into_iter().flat_map(|kind| {
        State::ALL
            .into_iter()
            .flat_map(move |state| To::ALL.into_iter().map(move |to| (kind, state, to)))
    })
}

fn table(way: &Way) -> Table {
    let mut table = Table::new(way.table, way.question);
    for (kind, state, to) in rows() {
        let row = match to.left_out(kind) {
            Some(why) => Row::LeftOut(why),
            None => Row::Case(covering(
                row(lab(kind, state), way.how, (to, state), (way.steps)(to)),
                way.catalogue,
            )),
        };
        table.push(&[&kind.to_string(), state.id(), to.id()], row);
    }
    table
}

/// Receiver and socket, the steps, then whether an error surfaced and what arrived.
fn row(lab: Lab, how: &str, (to, state): (To, State), steps: Vec<Op>) -> Case {
    let title = format!("{how} to {}, the link being {}", to.words(), state.words());
    let mut ops = Vec::new();
    if to.is_local() {
        ops.extend(receiver(PORT));
    }
    ops.push(socket("s", to.domain(), "SOCK_DGRAM"));
    if to.is_broadcast() {
        ops.push(setsockopt("s", "SOL_SOCKET", "SO_BROADCAST", Value::Int(1)));
    }
    ops.extend(steps);
    ops.push(so_error("s"));
    if to.is_local() {
        ops.push(recvfrom("r"));
    }
    covering(case(title, lab, ops), &catalogue(to, state))
}

/// The rows of the catalogue of behaviours that a row of these tables is one of.
fn catalogue(to: To, state: State) -> Vec<&'static str> {
    let mut rows = vec!["LINK-01"];
    rows.extend((to == To::Own4 && state == State::Down).then_some("LINK-03"));
    rows.extend((to == To::OffLink).then_some("LINK-11"));
    rows.extend((to == To::AllNodes && state == State::SmallMtu).then_some("LINK-13"));
    rows
}

fn connected_before() -> Table {
    let mut table = Table::new(
        "link-state/udp-connected-before",
        "What does send on a connected socket say and send after the link has changed?",
    );
    for (kind, state, to) in rows() {
        let row = match (to.left_out(kind), state) {
            (Some(why), _) => Row::LeftOut(why),
            (None, State::Up) => Row::LeftOut(
                "nothing changes after connect: the row would repeat udp-connect-send's",
            ),
            (None, _) => {
                let mut steps = vec![connect("s", to.addr(PORT))];
                steps.extend(state.steps().into_iter().map(|step| Op::Lab { step }));
                steps.extend([send("s"), getpeername("s")]);
                let how = "UDP connected before";
                Row::Case(row(Lab::one(kind, LINK), how, (to, state), steps))
            }
        };
        table.push(&[&kind.to_string(), state.id(), to.id()], row);
    }
    table
}
