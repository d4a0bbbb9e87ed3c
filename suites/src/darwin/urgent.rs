//! Urgent data as kqueue tells of it.

use harness::case::op::{Change, Value};
use harness::case::{Flags, Lab, Op};

use super::{add, connection, kevent, settle, text};
use crate::steps::{case, covering, send_of, setsockopt};
use crate::table::{Row, Table};

/// How to ask: `EV_OOBAND` is reported in old manual pages, `NOTE_OOB` is what there is.
fn filters() -> [(&'static str, Change); 4] {
    let plain = add("s", "EVFILT_READ", &[], 0);
    let band = Change { flags: Flags::of(&["EV_ADD", "EV_OOBAND"]), ..plain.clone() };
    [
        ("read", plain),
        ("read-ooband", band),
        ("read-note", add("s", "EVFILT_READ", &["NOTE_OOB"], 0)),
        ("except", add("s", "EVFILT_EXCEPT", &["NOTE_OOB"], 0)),
    ]
}

pub(super) fn tables() -> Vec<Table> {
    let question = "What does kqueue say of urgent data, before and after it was read?";
    let mut table = Table::new("darwin/kqueue-urgent", question);
    let sends: [(&str, &[(&str, bool)]); 3] = [
        ("urgent-alone", &[("!", true)]),
        ("between", &[("before", false), ("!", true), ("after", false)]),
        ("none", &[("before", false)]),
    ];
    let reads: [(&str, &[&[&'static str]]); 3] = [
        ("unread", &[]),
        ("read", &[&["MSG_DONTWAIT"]]),
        ("urgent-read", &[&["MSG_OOB", "MSG_DONTWAIT"]]),
    ];
    for (what, parts) in sends {
        for inline in [false, true] {
            for (when, acts) in reads {
                for (filter, change) in filters() {
                    let mut ops = connection("AF_INET");
                    if inline {
                        let on = Value::Int(1);
                        ops.push(setsockopt("s", "SOL_SOCKET", "SO_OOBINLINE", on));
                    }
                    ops.extend(parts.iter().map(|(part, urgent)| {
                        send_of("c", text(part), if *urgent { &["MSG_OOB"] } else { &[] })
                    }));
                    ops.push(settle());
                    ops.extend(acts.iter().map(|flags| Op::Recv {
                        fd: "s".to_owned(),
                        len: 64,
                        flags: Flags::of(flags),
                    }));
                    ops.push(kevent(vec![change], 20));
                    let place = if inline { "inline" } else { "apart" };
                    let title =
                        format!("Urgent data ({what}), {place}, {when}, asked for by {filter}");
                    let case = case(title, Lab::loopback(), ops);
                    let case = covering(case, &["POLL-07", "STRM-12"]);
                    table.push(&[what, place, when, filter], Row::Case(case));
                }
            }
        }
    }
    vec![table]
}
