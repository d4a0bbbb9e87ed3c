//! Calls whose every argument is written out: a pointer that leads nowhere, a length that lies.

use harness::case::addr::Addr;
use harness::case::raw::{Arg, Message, Part as IoPart, ROOM};
use harness::case::{Hex, Op};

use super::arguments::address_as;
use super::messages::{fill, message};
use super::parts::Part;
use super::program::{Missing, Program};

/// Writes the statements of one such call.
pub(super) fn call(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::Raw { call, args } = op else { return Ok(()) };
    p.include(&[
        "sys/socket.h",
        "sys/ioctl.h",
        "sys/select.h",
        "sys/uio.h",
        "netinet/in.h",
        "poll.h",
        "unistd.h",
        "stddef.h",
    ]);
    if call == "sendfile" {
        p.include(&["sys/sendfile.h"]);
    }
    if call.starts_with("epoll") {
        p.include(&["sys/epoll.h"]);
    }
    let (mut given, mut length) = (Vec::new(), None);
    for (place, arg) in args.iter().enumerate() {
        let is_time = matches!((call.as_str(), place), ("poll", 2) | ("epoll_wait", 3));
        given.push(match arg {
            Arg::Fd(name) => p.fd(name),
            // Less than nothing is what it is about: a compiler that sees it warns.
            Arg::Number(-1) if !is_time => {
                let var = format!("less{number}_{place}");
                p.line(format_args!("const volatile int {var} = -1;"));
                if call == "ppoll" { format!("(nfds_t){var}") } else { var }
            }
            Arg::Number(n) if matches!((call.as_str(), place), ("poll" | "ppoll", 1)) => {
                format!("(nfds_t){n}")
            }
            Arg::Number(n) => n.to_string(),
            Arg::Names(names) => p.flags(names)?,
            Arg::At(n) => {
                let var = format!("length{number}");
                p.line(format_args!("socklen_t {var} = (socklen_t){n};"));
                length = Some(var.clone());
                format!("&{var}")
            }
            pointer => self::pointer(p, number, &format!("{number}_{place}"), pointer)?,
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

/// A list of bytes in C, where none at all are no list.
fn bytes_of(bytes: &Hex) -> String {
    let list: Vec<String> = bytes.0.iter().map(|byte| format!("{byte:#04x}")).collect();
    if list.is_empty() { "0".to_owned() } else { list.join(", ") }
}

/// Writes what a pointer leads to, in variables whose names end so, and says it.
fn pointer(p: &mut Program<'_>, number: u32, end: &str, arg: &Arg) -> Result<String, Missing> {
    Ok(match arg {
        Arg::Null => {
            let var = format!("null{end}");
            p.line(format_args!("void *const volatile {var} = NULL;"));
            var
        }
        Arg::Bad => {
            p.need(Part::Bad);
            "bad()".to_owned()
        }
        Arg::Room => {
            let var = format!("room{end}");
            // Aligned for whatever a structure has.
            p.line(format_args!("static long long {var}[{}];", ROOM / 8));
            format!("(void *){var}")
        }
        Arg::Bytes(bytes) => {
            let (var, list) = (format!("room{end}"), bytes_of(bytes));
            p.line(format_args!("static unsigned char {var}[{ROOM}] = {{{list}}};"));
            format!("(void *){var}")
        }
        Arg::Addr(addr) => room_of(p, end, addr)?.0,
        Arg::Edge(bytes) => {
            p.need(Part::Edge);
            let (var, list) = (format!("edge{end}"), bytes_of(bytes));
            p.line(format_args!("static const unsigned char {var}[] = {{{list}}};"));
            format!("edge({var}, sizeof {var})")
        }
        Arg::Parts(all) => parts(p, number, end, all)?,
        Arg::Message(message) => {
            header(p, number, message)?;
            format!("&msg{number}")
        }
        Arg::Fd(_) | Arg::Number(_) | Arg::Names(_) | Arg::At(_) => "NULL".to_owned(),
    })
}

/// Writes an address with zeros behind it, and says it and its size.
fn room_of(p: &mut Program<'_>, end: &str, addr: &Addr) -> Result<(String, String), Missing> {
    p.include(&["string.h"]);
    let (var, room) = (format!("addr{end}"), format!("room{end}"));
    let (_, size) = address_as(p, &var, addr)?;
    p.line(format_args!("static long long {room}[{}];", ROOM / 8));
    p.line(format_args!("memcpy({room}, &{var}, {size});"));
    Ok((format!("(void *){room}"), size))
}

/// Writes an array of `struct iovec`, as long as any that is asked for.
fn parts(p: &mut Program<'_>, number: u32, end: &str, all: &[IoPart]) -> Result<String, Missing> {
    let var = format!("parts{end}");
    p.line(format_args!("static struct iovec {var}[{}];", ROOM / 16));
    for (place, IoPart { base, len }) in all.iter().enumerate() {
        let base = pointer(p, number, &format!("{end}_{place}"), base)?;
        p.line(format_args!("{var}[{place}].iov_base = {base};"));
        p.line(format_args!("{var}[{place}].iov_len = (size_t){len};"));
    }
    Ok(var)
}

/// Writes a `struct msghdr`.
fn header(p: &mut Program<'_>, number: u32, of: &Message) -> Result<(), Missing> {
    let msg = format!("msg{number}");
    p.include(&["string.h"]);
    p.line(format_args!("struct msghdr {msg};"));
    p.line(format_args!("memset(&{msg}, 0, sizeof {msg});"));
    let (end, mut size) = (format!("{number}_name"), None);
    let name = match &of.name {
        Arg::Addr(addr) => {
            let (at, len) = room_of(p, &end, addr)?;
            size = Some(len);
            at
        }
        other => pointer(p, number, &end, other)?,
    };
    p.line(format_args!("{msg}.msg_name = {name};"));
    length(p, &format!("{msg}.msg_namelen"), of.namelen, size);
    let iov = pointer(p, number, &format!("{number}_iov"), &of.iov)?;
    p.line(format_args!("{msg}.msg_iov = {iov};"));
    let many = if let Arg::Parts(parts) = &of.iov { parts.len() } else { 0 };
    length(p, &format!("{msg}.msg_iovlen"), of.iovlen, Some(many.to_string()));
    if of.controls.is_empty() {
        let control = pointer(p, number, &format!("{number}_control"), &of.control)?;
        p.line(format_args!("{msg}.msg_control = {control};"));
        length(p, &format!("{msg}.msg_controllen"), of.controllen, None);
        return Ok(());
    }
    let all: Result<Vec<_>, _> =
        of.controls.iter().enumerate().map(|(place, one)| message(p, number, place, one)).collect();
    let (all, room) = (all?, format!("control{number}"));
    let space: Vec<_> = all.iter().map(|one| format!("CMSG_SPACE({})", one.size())).collect();
    p.line(format_args!("static union {{"));
    p.line(format_args!("    struct cmsghdr aligned;"));
    p.line(format_args!("    unsigned char bytes[{ROOM}];"));
    p.line(format_args!("}} {room};"));
    p.line(format_args!("{msg}.msg_control = {room}.bytes;"));
    p.line(format_args!("{msg}.msg_controllen = {};", space.join(" + ")));
    fill(p, &format!("at{number}"), &msg, &all);
    if of.controllen.is_some() {
        length(p, &format!("{msg}.msg_controllen"), of.controllen, None);
    }
    Ok(())
}

/// Writes a length: the one that is said, or the right one. Less than nothing is what is below zero of its type.
fn length(p: &mut Program<'_>, field: &str, said: Option<i64>, right: Option<String>) {
    match (said, right) {
        (Some(-1), _) => {
            p.line(format_args!("{field} = 0;"));
            p.line(format_args!("{field}--;"));
        }
        (Some(len), _) => p.line(format_args!("{field} = {len};")),
        (None, Some(right)) => p.line(format_args!("{field} = {right};")),
        (None, None) => {}
    }
}
