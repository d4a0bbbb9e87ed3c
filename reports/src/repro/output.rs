//! What a reproducer prints, read back and compared with a trace.

use std::fmt::Write as _;

use harness::case::addr::{Port, SockAddr};
use harness::case::op::Opt;
use harness::case::{Case, Hex, Op, Sym, netlink, vsock};
use harness::outcome::{is_of_the_run, is_ping, route_messages, stable_option};
use harness::trace::{AddrInfo, Did, Event, Interface, Kevent, LinkFact, Out, Trace};

use super::frames;
use super::requests::OF_AN_OWNER;
use super::stays::stays;

/// The line of one call, and what stands beneath it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The number of the case's step.
    pub op: u32,
    /// The call, such as `sendto(s)`.
    pub call: String,
    /// Its return value; -1 where there is none.
    pub ret: i64,
    /// errno by name, or an `EAI_` name.
    pub errno: Option<String>,
    /// It did not return in time.
    pub hung: bool,
    /// The system has not got a name that it uses.
    pub unsupported: bool,
    /// SIGPIPE came with it.
    pub sigpipe: bool,
    /// What it wrote through its pointers: a number, a name, an address, data.
    pub values: Vec<String>,
}

/// The lines of the calls in a reproducer's output.
pub fn parse_output(stdout: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for text in stdout.lines() {
        if let Some(value) = text.strip_prefix("    -> ") {
            let Some(line) = lines.last_mut() else { continue };
            if value == "SIGPIPE" {
                line.sigpipe = true;
            } else {
                line.values.push(value.to_owned());
            }
        } else {
            lines.extend(parse_line(text));
        }
    }
    lines
}

fn parse_line(text: &str) -> Option<Line> {
    let (op, rest) = text.strip_prefix('#')?.split_once(' ')?;
    let (call, did) = rest.rsplit_once(") = ")?;
    let name = call.split('(').next().unwrap_or_default();
    let of_a_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if name.is_empty() || !name.bytes().all(of_a_name) {
        return None;
    }
    let line = Line { op: op.parse().ok()?, call: format!("{call})"), ret: -1, ..Line::default() };
    if did == "hung" {
        return Some(Line { hung: true, ..line });
    }
    if did.starts_with("unsupported ") {
        return Some(Line { unsupported: true, ..line });
    }
    let (number, errno) = match did.split_once(' ') {
        None => (did, None),
        Some((number, why)) => (number, Some(why.split(" (").next().unwrap_or(why).to_owned())),
    };
    Some(Line { ret: number.parse().ok()?, errno, ..line })
}

/// What the program says itself, on its last line: whether what was observed happened again. None of
/// one that has nothing to compare itself with, or that could not be tried.
pub fn verdict(stdout: &str) -> Option<bool> {
    match stdout.lines().next_back()? {
        "REPRODUCED" => Some(true),
        "not reproduced" => Some(false),
        _ => None,
    }
}

/// The first thing that a call wrote, as the program shows it, where another run writes it again: the
/// program compares that. Of lists it is all of them, a line each.
pub(super) fn first_value((case, trace): (&Case, &Trace), op: &Op, did: &Did) -> Option<String> {
    let Did::Returned { ret, out, .. } = did else { return None };
    match out {
        Out::Int(n) if is_an_owner(op, *n) => Some(OWN.to_owned()),
        Out::Int(n) if !super::is_index(op) && !is_of_the_run(option_name(op), *n) => {
            Some(n.to_string())
        }
        Out::Offset(n) => Some(n.to_string()),
        Out::Errno(errno) => Some(errno.as_str().to_owned()),
        Out::Bytes(bytes) => {
            stays(op, &bytes.0).or_else(|| (!is_clocked(op, bytes)).then(|| bytes.to_string()))
        }
        Out::Data { bytes, .. } if *ret >= 0 && !is_raw(case, op) => {
            Some(shown_received(case, op, bytes))
        }
        Out::Addr(addr @ (SockAddr::V4 { port, .. } | SockAddr::V6 { port, scope: 0, .. }))
            if *port < CHOSEN_PORTS && !is_drawn_id(case, op, *port) =>
        {
            Some(addr.to_string())
        }
        Out::Addr(
            addr @ (SockAddr::Vsock { port: number, .. } | SockAddr::Netlink { pid: number, .. }),
        ) if [0, vsock::ANY].contains(number) || case.names_wide_port(*number) => {
            Some(addr.to_string())
        }
        Out::Addr(addr @ SockAddr::Unix(unix)) if !unix.is_drawn() => Some(addr.to_string()),
        // What has no name at all; of other families a program tells the number.
        Out::Addr(addr @ SockAddr::Bare { family }) if family == "AF_UNIX" => {
            Some(addr.to_string())
        }
        Out::Poll(list) => list.first().map(|one| or(one)),
        Out::Text(text) => Some(text.clone()),
        Out::Messages(list) if !is_raw(case, op) => list.first().map(|m| shown_data(&m.bytes)),
        // Without a descriptor nothing is asked.
        Out::Sets(_) if op.uses().is_empty() => None,
        _ => Some(listed(trace, out)?.join("\n")),
    }
}

/// What is printed a line each and compared together; none of what is not.
fn listed(trace: &Trace, out: &Out) -> Option<Vec<String>> {
    Some(match out {
        Out::Sets(sets) => {
            let named = ["in", "out", "except"].into_iter().zip(sets);
            named.flat_map(|(set, fds)| fds.iter().map(move |fd| format!("{set} {fd}"))).collect()
        }
        Out::Ready(list) => {
            list.iter().map(|one| format!("{} {}", one.fd, or(&one.events))).collect()
        }
        Out::Interfaces(list) => list.iter().map(|one| shown_interface(trace, one)).collect(),
        _ => return None,
    })
}

/// Whether the call returned the index of a link, which no two labs need to share.
pub(super) fn is_of_a_link(trace: &Trace, step: &Op, ret: i64) -> bool {
    let is = |link: &LinkFact| i64::from(link.index) == ret;
    matches!(step, Op::IfNametoindex { .. }) && trace.links.iter().any(is)
}

/// Whether the reproducer of `case`, which printed `stdout`, did what `trace` says.
///
/// Return values and errno always count; descriptors count as success, however they are numbered.
/// What calls wrote counts where another run writes it again: not interface indexes, not ports
/// that the kernel chose (from 32768 on), not the contents of control messages and raw packets.
///
/// # Errors
/// The first difference, as one sentence.
pub fn agrees(trace: &Trace, case: &Case, stdout: &str) -> Result<(), String> {
    let lines = parse_output(stdout);
    let mut made = 0;
    for event in &trace.events {
        let Event::Call { op, did, .. } = event else { continue };
        let step =
            case.ops.get(*op as usize).ok_or_else(|| format!("the case has no step #{op}"))?;
        let line = lines
            .iter()
            .find(|line| line.op == *op)
            .ok_or_else(|| format!("#{op} {}: the program did not make this call", step.call()))?;
        made += 1;
        same(case, trace, step, did, line).map_err(|e| format!("#{op} {}: {e}", line.call))?;
        let signalled =
            trace.events.iter().any(|e| matches!(e, Event::Signal { op: o, .. } if o == op));
        if signalled != line.sigpipe {
            return Err(format!("#{op} {}: SIGPIPE came in one of both only", line.call));
        }
    }
    if made != lines.len() {
        return Err(format!("the trace has {made} calls and the program made {}", lines.len()));
    }
    if stdout.lines().any(|line| line == UNSEEN) || trace.is_unseen() {
        return Ok(());
    }
    frames::same(&frames::observed(case, trace), &frames::printed(stdout))
}

/// What a program says before its verdict that could not look at the wire.
const UNSEEN: &str = "the calls agree; the wire was not looked at";

/// Whether the program looked at the wire, and found what was observed.
pub fn saw_the_wire(stdout: &str) -> bool {
    stdout.lines().any(|line| line == "the calls and the frames agree")
}

/// Whether it returned the number of a process.
pub(super) fn is_a_process(step: &Op, ret: i64) -> bool {
    ret > 0 && matches!(step, Op::Fcntl { cmd, .. } if cmd.as_str() == "F_GETOWN")
}

/// What a program tells of its own number.
pub(super) const OWN: &str = "own";

/// Whether it wrote the number of a process, the owner's of a socket.
fn is_an_owner(step: &Op, pid: i32) -> bool {
    pid != 0 && OF_AN_OWNER.contains(&option_name(step))
}

fn same(case: &Case, trace: &Trace, step: &Op, did: &Did, line: &Line) -> Result<(), String> {
    let shown = || match line {
        Line { hung: true, .. } => "hung".to_owned(),
        Line { unsupported: true, .. } => "unsupported".to_owned(),
        Line { ret, errno, .. } => format!("{ret} {}", errno.as_deref().unwrap_or_default()),
    };
    let differ =
        |traced: String| Err(format!("{} in the trace, {} here", traced.trim(), shown().trim()));
    match did {
        Did::Hung { .. } if !line.hung => differ("hung".to_owned()),
        Did::Unsupported { name } if !line.unsupported => differ(format!("unsupported {name}")),
        Did::Hung { .. } | Did::Unsupported { .. } => Ok(()),
        Did::Returned { ret, errno, out } => {
            let name = errno.as_ref().map(Sym::as_str);
            let same_ret = match step {
                step if step.gives_a_descriptor() => (*ret < 0) == (line.ret < 0),
                step if is_of_a_link(trace, step, *ret) || is_a_process(step, *ret) => line.ret > 0,
                _ => *ret == line.ret,
            };
            let returned = !line.hung && !line.unsupported;
            if !same_ret || !returned || name != line.errno.as_deref() {
                return differ(format!("{ret} {}", name.unwrap_or_default()));
            }
            same_out((case, trace), step, out, &line.values)
        }
    }
}

fn same_out(
    (case, trace): (&Case, &Trace),
    step: &Op,
    out: &Out,
    values: &[String],
) -> Result<(), String> {
    let first = values.first().map_or("", String::as_str);
    let need = |holds: bool, traced: String| {
        if holds { Ok(()) } else { Err(format!("wrote {traced} in the trace, {values:?} here")) }
    };
    match out {
        Out::Nothing => Ok(()),
        Out::Int(n) if is_an_owner(step, *n) => need(first == OWN, n.to_string()),
        Out::Int(n) if super::is_index(step) || is_of_the_run(option_name(step), *n) => Ok(()),
        Out::Int(n) => need(first == n.to_string(), n.to_string()),
        Out::Offset(n) => need(first == n.to_string(), n.to_string()),
        Out::Errno(errno) => need(first == errno.as_str(), errno.to_string()),
        Out::Bytes(bytes) => need(same_bytes(step, bytes, values), bytes.to_string()),
        Out::Addr(addr) if addr.port().is_some_and(|id| is_drawn_id(case, step, id)) => {
            let same = |shown: &SockAddr| shown.ip() == addr.ip() && shown.port() != Some(0);
            need(first.parse().is_ok_and(|shown| same(&shown)), addr.to_string())
        }
        Out::Addr(addr) => need(same_addr(addr, first), addr.to_string()),
        Out::Addrs(list) => {
            let mut shown = values.chunks(2);
            let same = 2 * list.len() == values.len()
                && list.iter().zip(&mut shown).all(|(info, shown)| same_info(info, shown));
            need(same, format!("{list:?}"))
        }
        Out::Names { host, service } => {
            let shown = |with: &str| values.iter().find_map(|v| v.strip_prefix(with));
            let host = host.as_deref();
            let same = match (host, shown("host ")) {
                (Some(traced), Some(shown)) => same_host(trace, traced, shown),
                (traced, shown) => traced == shown,
            };
            let same = same && service.as_deref() == shown("service ");
            need(same, format!("{host:?}, {service:?}"))
        }
        // In whatever form the library writes it.
        Out::Ip(ip) => need(first.parse() == Ok(*ip), ip.to_string()),
        Out::Text(text) => need(first == text, text.clone()),
        Out::Sets(_) | Out::Ready(_) | Out::Interfaces(_) => {
            let traced = listed(trace, out).unwrap_or_default();
            need(traced == values, format!("{traced:?}"))
        }
        Out::Poll(list) => {
            let traced: Vec<String> = list.iter().map(|one| or(one)).collect();
            need(traced == values, format!("{traced:?}"))
        }
        Out::Data { bytes, from, flags, control } => {
            let bytes = (!is_raw(case, step)).then(|| shown_received(case, step, bytes));
            same_data((bytes, from.as_ref(), flags, control.len()), values)
        }
        Out::Messages(list) => {
            let mut shown = values.chunk_by(|_, next| !next.starts_with('"'));
            list.iter().try_for_each(|one| {
                let shown = shown.next().unwrap_or_default();
                let bytes = (!is_raw(case, step)).then(|| shown_data(&one.bytes));
                // Darwin's `msg_datalen` is that of the data.
                if let Op::Recvmmsg { .. } = step {
                    let length = format!("length {}", one.len);
                    need(shown.contains(&length), length)?;
                }
                let data = (bytes, one.from.as_ref(), &one.flags[..], one.control.len());
                same_data(data, shown)
            })?;
            need(shown.next().is_none(), format!("{} datagrams", list.len()))
        }
        Out::Events(list) => {
            let traced: Vec<String> = list.iter().map(shown_event).collect();
            need(traced == values, format!("{traced:?}"))
        }
    }
}

/// An option's bytes, behind what stays of it.
fn same_bytes(step: &Op, bytes: &Hex, values: &[String]) -> bool {
    let name = option_name(step);
    let stays = stays(step, &bytes.0);
    let (told, shown) = match (&stays, values) {
        (Some(_), [told, shown, ..]) => (Some(told), shown.as_str()),
        _ => (None, values.first().map_or("", String::as_str)),
    };
    let stable = |Hex(bytes): &Hex| stable_option(name, bytes);
    let same = if is_clocked(step, bytes) {
        shown.parse().is_ok_and(|shown| stable(&shown) == stable(bytes))
    } else {
        shown == bytes.to_string()
    };
    told == stays.as_ref() && same
}

/// Data as it was received: the bytes if they are to be compared, from whom, `msg_flags`, how many
/// control messages.
fn same_data(
    (bytes, from, flags, control): (Option<String>, Option<&SockAddr>, &[Sym], usize),
    values: &[String],
) -> Result<(), String> {
    let need = |holds: bool, traced: String| {
        if holds { Ok(()) } else { Err(format!("wrote {traced} in the trace, {values:?} here")) }
    };
    let starting = |with: &str| values.iter().find(|v| v.starts_with(with));
    if let Some(traced) = bytes {
        // Data in quotes, or messages in brackets.
        let same = values.iter().find(|v| v.starts_with(['"', '['])).is_some_and(|v| *v == traced);
        need(same, traced)?;
    }
    if let Some(from) = from {
        let same = starting("{").is_some_and(|v| same_addr(from, v));
        need(same, from.to_string())?;
    }
    let flags: Vec<&str> = flags.iter().map(Sym::as_str).collect();
    let got = starting("flags ").map_or("", |v| &v["flags ".len()..]);
    need(got == flags.join("|"), format!("msg_flags {}", flags.join("|")))?;
    let messages = values.iter().filter(|v| v.starts_with("control ")).count();
    need(messages == control, format!("{control} control messages"))
}

/// Flags as the reproducer shows them.
fn or(flags: &[Sym]) -> String {
    match flags {
        [] => "0".to_owned(),
        flags => flags.iter().map(Sym::as_str).collect::<Vec<_>>().join("|"),
    }
}

/// An entry of `getifaddrs` as the reproducer shows it: `net0 IFF_UP|IFF_RUNNING fe80::1%net0/64`.
fn shown_interface(trace: &Trace, of: &Interface) -> String {
    let link = |index: u32| trace.links.iter().find(|link| link.index == index);
    let zone = match of.addr {
        Some(SockAddr::V6 { scope, .. }) if scope != 0 => match link(scope) {
            Some(link) => format!("%{}", link.name),
            None => format!("%{scope}"),
        },
        _ => String::new(),
    };
    let ip = of.addr.as_ref().and_then(SockAddr::ip);
    let bits = of.prefix_len.map_or_else(String::new, |bits| format!("/{bits}"));
    let addr = ip.map_or_else(String::new, |ip| format!(" {ip}{zone}{bits}"));
    format!("{} {}{addr}", of.link, or(&of.flags))
}

/// An event of `kevent` as the reproducer shows it.
fn shown_event(event: &Kevent) -> String {
    let data = event.error.as_ref().map_or_else(|| event.data.to_string(), Sym::to_string);
    format!("{} {} {} {data}", event.filter, or(&event.flags), or(&event.fflags))
}

/// Whether the option has times, counts or processes in it, of which no two runs have the same: the
/// rest of it is compared.
fn is_clocked(step: &Op, Hex(bytes): &Hex) -> bool {
    stable_option(option_name(step), bytes).is_some()
}

/// The option that is read by its name; none of an intent.
fn option_name(step: &Op) -> &str {
    match step {
        Op::Getsockopt { option: Opt::Raw { name, .. }, .. } => name.as_str(),
        Op::Ioctl { request, .. } => request.as_str(),
        _ => "",
    }
}

/// The data as the reproducer shows it: the first 32 bytes.
fn shown_data(Hex(bytes): &Hex) -> String {
    let mut text = String::from('"');
    for &b in bytes.iter().take(32) {
        match b {
            b' '..=b'~' if b != b'"' && b != b'\\' => text.push(b as char),
            _ => {
                let _ = write!(text, "\\{b:03o}");
            }
        }
    }
    text.push_str(if bytes.len() > 32 { "\"..." } else { "\"" });
    text
}

/// The same, or what rtnetlink said, as the program tells it.
fn shown_received(case: &Case, step: &Op, bytes: &Hex) -> String {
    let said = route_messages(case, step.fd().unwrap_or_default(), &bytes.0);
    said.unwrap_or_else(|| shown_data(bytes))
}

/// Whether it is the id of an echo that the kernel has drawn: the case names none.
fn is_drawn_id(case: &Case, step: &Op, id: u16) -> bool {
    let is_ping = |op: &Op| op.fd().is_some_and(|fd| is_ping(case, fd));
    let names = |op: &Op| matches!(op, Op::Bind { addr, .. } if addr.port != Port::Is(0));
    id != 0 && is_ping(step) && !case.ops.iter().any(|op| names(op) && is_ping(op))
}

/// The first port that Linux chooses itself (ip(7), `ip_local_port_range`).
const CHOSEN_PORTS: u16 = 32_768;

fn same_addr(traced: &SockAddr, shown: &str) -> bool {
    let Ok(shown) = shown.parse::<SockAddr>() else { return shown == traced.to_string() };
    let scoped = |addr: &SockAddr| matches!(addr, SockAddr::V6 { scope, .. } if *scope != 0);
    let same_port = match (traced.port(), shown.port()) {
        (Some(a), Some(b)) => a == b || a >= CHOSEN_PORTS && b >= CHOSEN_PORTS,
        (a, b) => a == b,
    };
    let some = |number: u32, none: u32| if number == none { "none" } else { "some" };
    let bare = |addr: &SockAddr| match addr {
        SockAddr::Bare { family } => Some(family.clone()),
        // Names that the kernel has drawn differ.
        SockAddr::Unix(unix) if unix.is_drawn() => Some("drawn".to_owned()),
        SockAddr::Unix(unix) => Some(unix.to_string()),
        // Of no two labs a link needs to have the same index.
        SockAddr::Packet(seen) => Some(seen.text((seen.index != 0).then_some("some"))),
        // Those that a kernel chose are no others than a case names, but for none.
        SockAddr::Vsock { cid, port } => Some(vsock::text(*cid, some(*port, vsock::ANY))),
        SockAddr::Netlink { pid, groups } => Some(netlink::text(some(*pid, 0), *groups)),
        _ => None,
    };
    traced.ip() == shown.ip()
        && same_port
        && scoped(traced) == scoped(&shown)
        && bare(traced) == bare(&shown)
}

fn same_info(traced: &AddrInfo, shown: &[String]) -> bool {
    let name = traced.canonname.as_ref().map_or_else(String::new, |name| format!(" {name}"));
    let kind = format!("{} {}{name}", traced.r#type, traced.protocol);
    matches!(shown, [addr, what] if same_addr(&traced.addr, addr) && *what == kind)
}

/// The zone of a host may be the index of a link, which no two labs need to share.
fn same_host(trace: &Trace, traced: &str, shown: &str) -> bool {
    let zone = |host: &str| Some(host.rsplit_once('%')?.1.parse::<u32>().ok());
    let is_link = trace.links.iter().any(|link| zone(traced) == Some(Some(link.index)));
    let ip = |host: &str| host.split('%').next().map(str::to_owned);
    traced == shown || is_link && zone(shown).flatten().is_some() && ip(traced) == ip(shown)
}

/// Whether what the call receives has headers in it: ids and checksums differ from run to run.
fn is_raw(case: &Case, step: &Op) -> bool {
    let Some(mut name) = step.fd() else { return false };
    // From the last step back, so that a copy leads to the socket that it is of.
    case.ops.iter().rev().any(|op| match op {
        Op::Dup { fd, new } if new == name => {
            name = fd;
            false
        }
        // Of netlink raw sockets are as the others.
        Op::Socket { fd, domain, .. } if fd == name && domain.plain() == "AF_NETLINK" => {
            matches!(step, Op::Recvmmsg { .. })
        }
        Op::Socket { fd, r#type, protocol, .. } if fd == name => {
            let icmp = protocol.has("IPPROTO_ICMP") || protocol.has("IPPROTO_ICMPV6");
            r#type.has("SOCK_RAW") || icmp
        }
        _ => false,
    })
}
