//! Calls whose every argument is written out: a pointer that leads nowhere, a length that lies.

use harness::case::Op;
use harness::case::raw::{Arg, ROOM};

use super::arguments::address_as;
use super::parts::Part;
use super::program::{Missing, Program};

/// Writes the statements of one such call.
pub(super) fn call(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::Raw { call, args } = op else { return Ok(()) };
    p.include(&[
        "sys/socket.h",
        "sys/ioctl.h",
        "sys/uio.h",
        "netinet/in.h",
        "poll.h",
        "unistd.h",
        "stddef.h",
    ]);
    let (mut given, mut length) = (Vec::new(), None);
    for (place, arg) in args.iter().enumerate() {
        given.push(match arg {
            Arg::Fd(name) => p.fd(name),
            // Less than nothing is what it is about: a compiler that sees it warns.
            Arg::Number(-1) if !(call == "poll" && place == 2) => {
                let var = format!("less{number}_{place}");
                p.line(format_args!("const volatile int {var} = -1;"));
                var
            }
            Arg::Number(n) if call == "poll" && place == 1 => format!("(nfds_t){n}"),
            Arg::Number(n) => n.to_string(),
            Arg::Names(names) => p.flags(names)?,
            Arg::Null => {
                let var = format!("null{number}_{place}");
                p.line(format_args!("void *const volatile {var} = NULL;"));
                var
            }
            Arg::Bad => {
                p.need(Part::Bad);
                "bad()".to_owned()
            }
            Arg::Room => {
                let var = format!("room{number}_{place}");
                // Aligned for whatever a structure has.
                p.line(format_args!("static long long {var}[{}];", ROOM / 8));
                format!("(void *){var}")
            }
            Arg::Bytes(bytes) => {
                let var = format!("room{number}_{place}");
                let list: Vec<String> = bytes.0.iter().map(|byte| format!("{byte:#04x}")).collect();
                // None at all are no list in C.
                let list = if list.is_empty() { "0".to_owned() } else { list.join(", ") };
                p.line(format_args!("static unsigned char {var}[{ROOM}] = {{{list}}};"));
                format!("(void *){var}")
            }
            Arg::Addr(addr) => {
                p.include(&["string.h"]);
                let (var, room) =
                    (format!("addr{number}_{place}"), format!("room{number}_{place}"));
                let (_, size) = address_as(p, &var, addr)?;
                p.line(format_args!("static long long {room}[{}];", ROOM / 8));
                p.line(format_args!("memcpy({room}, &{var}, {size});"));
                format!("(void *){room}")
            }
            Arg::At(n) => {
                let var = format!("length{number}");
                p.line(format_args!("socklen_t {var} = (socklen_t){n};"));
                length = Some(var.clone());
                format!("&{var}")
            }
        });
    }
    p.call(number, op, &format!("{call}({})", given.join(", ")));
    if let Some(length) = length {
        p.need(Part::Value);
        p.line(format_args!("if (ret != -1)"));
        p.line(format_args!("    value(\"%d\", (int){length});"));
    }
    Ok(())
}
