//! FTP's two connections (RFC 959, RFC 2428), by hand.

use harness::case::addr::Range;
use harness::case::{Case, Op, ServerStep, Service};

use super::steps::{
    RANGES, answer, expect, id, open, poll, readable, recv, resume, send, send_with, serving, text,
    words,
};
use crate::steps::{case, close, covering, so_error};
use crate::table::{Row, Table};

const CONTROL: u16 = 21;
/// Where the server says that its data waits: 7 times 256 and 229.
const DATA: u16 = 2021;
const FILE: &str = "the contents of the file";

pub(super) fn tables() -> Vec<Table> {
    vec![transfers(), abor()]
}

/// Sends a command and reads the reply.
fn says(command: &str) -> [Op; 3] {
    [send("c", text(&format!("{command}\r\n"))), readable("c"), recv("c")]
}

fn transfers() -> Table {
    let question = "Do FTP's control and data connections pass side by side, byte for byte?";
    let mut table = Table::new("http/ftp", question);
    for range in RANGES {
        for (mode, reply) in [
            ("PASV", "227 Entering Passive Mode (192,0,2,2,7,229)\r\n"),
            ("EPSV", "229 Entering Extended Passive Mode (|||2021|)\r\n"),
        ] {
            for what in ["whole", "rest", "reset", "refused"] {
                let row = if range == Range::V6 && mode == "PASV" {
                    Row::LeftOut("PASV has room for an IPv4 address only (RFC 959 §4.1.2)")
                } else {
                    Row::Case(transfer(range, mode, reply, what))
                };
                table.push(&[id(range), mode, what], row);
            }
        }
    }
    table
}

fn transfer(range: Range, mode: &str, reply: &str, what: &str) -> Case {
    let rest = what == "rest";
    let mut script = vec![answer("220 ready\r\n"), expect("\r\n"), answer(reply)];
    if rest {
        script.extend([expect("\r\n"), answer("350 from there\r\n")]);
    }
    script.extend([expect("\r\n"), answer("150 coming\r\n"), answer("226 done\r\n")]);
    let contents = if rest { &FILE[4..] } else { FILE };
    let end = if what == "reset" { ServerStep::Reset } else { ServerStep::Close };
    let data = Service::new(DATA, [ServerStep::Pause, answer(contents), end]);
    let mut services = vec![Service::new(CONTROL, script)];
    if what != "refused" {
        services.push(data);
    }
    let mut ops = open("c", range, CONTROL);
    ops.extend([readable("c"), recv("c")]);
    ops.extend(says(mode));
    ops.extend(open("d", range, DATA));
    ops.push(so_error("d"));
    if what != "refused" {
        if rest {
            ops.extend(says("REST 4"));
        }
        ops.extend(says("RETR file"));
        ops.push(resume(DATA));
        ops.extend([readable("d"), recv("d"), recv("d"), close("d"), recv("c")]);
    }
    let title = format!("{mode} over {}, the transfer being {what}", words(range));
    covering(case(title, serving(services), ops), &["HTTP-11"])
}

/// ABOR with the Synch of RFC 959 §4.1.3: what of it is urgent.
fn abor() -> Table {
    let question = "Where does the urgent pointer of an ABOR point, and do all its bytes leave?";
    let mut table = Table::new("http/ftp-abor", question);
    let ways: [(&str, &[(&str, bool)]); 5] = [
        ("plain", &[("ABOR\r\n", false)]),
        ("all-urgent", &[("ABOR\r\n", true)]),
        ("synch", &[("\u{ff}\u{f4}\u{ff}", true), ("\u{f2}ABOR\r\n", false)]),
        ("dm-urgent", &[("\u{ff}\u{f4}\u{ff}", false), ("\u{f2}", true), ("ABOR\r\n", false)]),
        ("twice", &[("\u{ff}", true), ("\u{f2}", true), ("ABOR\r\n", false)]),
    ];
    for range in RANGES {
        for (name, parts) in ways {
            let script = [expect("ABOR\r\n"), answer("226 aborted\r\n")];
            let mut ops = open("c", range, CONTROL);
            ops.extend(parts.iter().map(|(part, urgent)| {
                send_with("c", text(part), if *urgent { &["MSG_OOB"] } else { &[] })
            }));
            ops.extend([readable("c"), recv("c"), poll("c", &["POLLPRI"], 0)]);
            let title = format!("ABOR over {}: {name}", words(range));
            let lab = serving([Service::new(CONTROL, script)]);
            let case = covering(case(title, lab, ops), &["STRM-12"]);
            table.push(&[id(range), name], Row::Case(case));
        }
    }
    table
}
