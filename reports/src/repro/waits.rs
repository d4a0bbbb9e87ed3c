//! The calls that wait for what descriptors are ready for. The links' far ends answer meanwhile.

use harness::case::Op;
use harness::case::op::PollFd;
use harness::case::payload::quoted;

use super::arguments::fd;
use super::headers::short;
use super::parts::Part;
use super::program::{Missing, Program};

/// Writes the statements of one of them.
pub(super) fn call(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    match op {
        Op::Poll { fds, timeout_ms } => poll(p, number, op, fds, &timeout_ms.to_string()),
        Op::Ppoll { fds, timeout_ms, .. } => {
            p.include(&["stddef.h"]);
            let time = timespec(p, number, *timeout_ms);
            poll(p, number, op, fds, &time)
        }
        Op::Select { .. } | Op::Pselect { .. } => {
            select(p, number, op);
            Ok(())
        }
        Op::EpollCtl { op: what, target, events, .. } => {
            p.include(&["sys/epoll.h"]);
            let (fd, event) = (fd(p, op), format!("event{number}"));
            let (what, events, place) = (p.name(what)?, p.flags(events)?, place(p, number, target));
            let target = p.fd(target);
            p.line(format_args!("struct epoll_event {event} = {{"));
            p.line(format_args!("    .events = {events},"));
            p.line(format_args!("    .data.u64 = {place},"));
            p.line(format_args!("}};"));
            p.call(number, op, &format!("epoll_ctl({fd}, {what}, {target}, &{event})"));
            Ok(())
        }
        Op::EpollWait { max, timeout_ms, .. } | Op::EpollPwait { max, timeout_ms, .. } => {
            p.need(Part::Ready);
            let (fd, events) = (fd(p, op), format!("events{number}"));
            let (part, names, mask) = match op {
                Op::EpollPwait { .. } => {
                    let mask = format!(", {}", mask(p, number, op));
                    (Part::EpollPAnswering, ("epoll_pwait", "epoll_pwait_answering"), mask)
                }
                _ => (Part::EpollAnswering, ("epoll_wait", "epoll_answering"), String::new()),
            };
            let call = answering(p, part, names);
            // Room for none has no array in C.
            p.line(format_args!("static struct epoll_event {events}[{}];", (*max).max(1)));
            p.call(number, op, &format!("{call}({fd}, {events}, {max}, {timeout_ms}{mask})"));
            p.line(format_args!("ready({events}, (int)ret);"));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The call itself, or the function that makes it in slices where far ends are to answer.
fn answering(p: &mut Program<'_>, part: Part, (call, in_slices): (&str, &str)) -> String {
    // Of another thread's call the first one lets them answer.
    if p.is_threaded() || !p.parts.has(Part::FarEnd) && !p.parts.has(Part::Server) {
        return call.to_owned();
    }
    p.need(part);
    in_slices.to_owned()
}

/// A time in a variable of its own: the pointer to it.
fn timespec(p: &mut Program<'_>, number: u32, ms: Option<u32>) -> String {
    let Some(ms) = ms else { return "NULL".to_owned() };
    p.include(&["time.h"]);
    let (s, ns) = (ms / 1000, ms % 1000 * 1_000_000);
    let fields = format!("{{.tv_sec = {s}, .tv_nsec = {ns}}}");
    p.line(format_args!("const struct timespec timeout{number} = {fields};"));
    format!("&timeout{number}")
}

/// A mask in a variable of its own: the pointer to it. What the thread does not take anyway stays in it.
fn mask(p: &mut Program<'_>, number: u32, op: &Op) -> String {
    p.include(&["stddef.h"]);
    let Some(mask) = op.mask() else { return "NULL".to_owned() };
    p.include(&["signal.h"]);
    p.line(format_args!("sigset_t mask{number};"));
    p.line(format_args!("sigprocmask(SIG_SETMASK, NULL, &mask{number});"));
    for signal in mask {
        p.line(format_args!("sigaddset(&mask{number}, {signal});"));
    }
    format!("&mask{number}")
}

/// `poll`, or `ppoll`.
fn poll(
    p: &mut Program<'_>,
    number: u32,
    op: &Op,
    fds: &[PollFd],
    time: &str,
) -> Result<(), Missing> {
    p.include(&["poll.h"]);
    let mut entries = Vec::new();
    for entry in fds {
        let (fd, events) = (p.fd(&entry.fd), p.flags(&entry.events)?);
        let events = short(events, "short", &entry.events.0, &["POLL"]);
        entries.push(format!("{{.fd = {fd}, .events = {events}}}"));
    }
    let (part, names) = match op {
        Op::Ppoll { .. } => (Part::PpollAnswering, ("ppoll", "ppoll_answering")),
        _ => (Part::PollAnswering, ("poll", "poll_answering")),
    };
    let call = answering(p, part, names);
    let mask = match op {
        Op::Ppoll { .. } => format!(", {}", mask(p, number, op)),
        _ => String::new(),
    };
    if entries.is_empty() {
        p.call(number, op, &format!("{call}(NULL, 0, {time}{mask})"));
        return Ok(());
    }
    p.need(Part::Revents);
    let (var, n) = (format!("fds{number}"), entries.len());
    p.line(format_args!("struct pollfd {var}[] = {{{}}};", entries.join(", ")));
    p.call(number, op, &format!("{call}({var}, {n}, {time}{mask})"));
    p.line(format_args!("for (int i = 0; ret != -1 && i < {n}; i++)"));
    p.line(format_args!("    revents(&{var}[i]);"));
    Ok(())
}

/// `select`, or `pselect`.
fn select(p: &mut Program<'_>, number: u32, op: &Op) {
    let (Op::Select { read, write, except, timeout_ms }
    | Op::Pselect { read, write, except, timeout_ms, .. }) = op
    else {
        return;
    };
    p.include(&["stddef.h", "sys/select.h"]);
    let sets: Vec<(&str, &Vec<String>)> =
        ["in", "out", "except"].into_iter().zip([read, write, except]).collect();
    let n = if op.uses().is_empty() { "0".to_owned() } else { format!("nfds{number}") };
    if !op.uses().is_empty() {
        p.need(Part::FdSets);
        p.line(format_args!("int {n} = 0;"));
    }
    let mut given = Vec::new();
    for (set, fds) in &sets {
        if fds.is_empty() {
            given.push("NULL".to_owned());
            continue;
        }
        given.push(format!("&{set}{number}"));
        p.line(format_args!("fd_set {set}{number};"));
        p.line(format_args!("FD_ZERO(&{set}{number});"));
        for fd in *fds {
            let var = p.fd(fd);
            p.line(format_args!("{n} = into(&{set}{number}, {var}, {n});"));
        }
    }
    let plain = matches!(op, Op::Select { .. });
    let (part, names) = if plain {
        (Part::SelectAnswering, ("select", "select_answering"))
    } else {
        (Part::PselectAnswering, ("pselect", "pselect_answering"))
    };
    let time =
        if plain { timeval(p, number, *timeout_ms) } else { timespec(p, number, *timeout_ms) };
    let call = answering(p, part, names);
    let mask = if plain { String::new() } else { format!(", {}", mask(p, number, op)) };
    p.call(number, op, &format!("{call}({n}, {}, {time}{mask})", given.join(", ")));
    let asked = sets.iter().flat_map(|(set, fds)| fds.iter().map(move |fd| (set, fd)));
    let asked: Vec<String> = asked
        .map(|(set, fd)| {
            let (var, text) = (p.fd(fd), quoted(format!("{set} {fd}").as_bytes()));
            format!("{{&{set}{number}, {var}, {text}}}")
        })
        .collect();
    if !asked.is_empty() {
        p.line(format_args!("const struct asked asked{number}[] = {{{}}};", asked.join(", ")));
        p.line(format_args!("selected(asked{number}, {}, (int)ret);", asked.len()));
    }
}

/// As [`timespec`], for `select`, which may change it.
fn timeval(p: &mut Program<'_>, number: u32, ms: Option<u32>) -> String {
    let Some(ms) = ms else { return "NULL".to_owned() };
    p.include(&["sys/time.h"]);
    let (s, us) = (ms / 1000, ms % 1000 * 1000);
    let fields = format!("{{.tv_sec = {s}, .tv_usec = {us}}}");
    p.line(format_args!("struct timeval timeout{number} = {fields};"));
    format!("&timeout{number}")
}

/// The number of a descriptor among all that steps up to this one make.
fn place(p: &Program<'_>, number: u32, target: &str) -> usize {
    let before = p.case.ops.iter().take(number as usize).flat_map(Op::makes);
    let all: Vec<&str> = before.collect();
    all.iter().rposition(|name| *name == target).unwrap_or(all.len())
}

/// The rows of the table of what steps make.
pub(super) fn made(ops: &[Op]) -> String {
    let rows = ops.iter().flat_map(Op::makes);
    rows.map(|name| format!("    {},", quoted(name.as_bytes()))).collect::<Vec<_>>().join("\n")
}
