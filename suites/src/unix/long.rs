//! A path that leads over a name of so many bytes. In Rust, since no line of a file has room for it.

use harness::case::addr::{Addr, Unix, UnixName};
use harness::case::{Flags, Lab, Op, Payload};

use crate::steps::{bind, case, connect, sendto, socket};
use crate::table::{Row, Table};

/// `NAME_MAX` (pathname(7)), and one byte more: only by a symbolic link, since an address has room for 108. Where a
/// socket is to be made the last link is not followed.
pub(super) fn table() -> Table {
    let question = "What does a call say of a path that leads over a long name?";
    let mut table = Table::new("unix/long-name", question);
    let to = |path: &str| Addr::unix(Unix::new(UnixName::Path(path.to_owned())));
    for call in ["bind", "connect", "sendto", "sendmsg"] {
        for len in [255usize, 256] {
            let made = Op::Symlink { target: "x".repeat(len), path: "link".to_owned() };
            let asked = match call {
                "bind" => bind("s", to("link/s")),
                "connect" => connect("s", to("link")),
                "sendto" => sendto("s", to("link")),
                _ => Op::Sendmsg {
                    fd: "s".to_owned(),
                    data: Payload::Text("x".to_owned()),
                    flags: Flags::NONE,
                    addr: Some(to("link")),
                    control: Vec::new(),
                },
            };
            let title = format!("{call} to a path that leads over a name of {len} bytes");
            let ops = vec![socket("s", "AF_UNIX", "SOCK_DGRAM"), made, asked];
            let len = len.to_string();
            table.push(&[call, &len], Row::Case(case(title, Lab::loopback(), ops)));
        }
    }
    table
}
