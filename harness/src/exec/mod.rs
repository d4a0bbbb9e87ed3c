//! The executor: cases in on one stream, traces out on another, JSON Lines.
//!
//! It is a process of its own that runs cases in one thread, since namespaces want that, since a case
//! may raise a signal, hang or kill it, and since the same bytes then run anywhere. This is the
//! only module that touches a kernel, and the only one with `unsafe` in it.
//!
//! One system, one folder: `linux` and `macos` have all that differs there. Nothing else looks at
//! the system.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_lossless,
    clippy::unnecessary_cast,
    reason = "the C types of constants and sizes differ between systems; all of them fit"
)]

use std::io::{self, BufRead, Write};

use crate::SCHEMA;
use crate::case::addr::Port;
use crate::case::names::{Answer, Flaw};
use crate::case::op::{Given, Opt};
use crate::case::{Case, LabOp, LinkKind, Op, ServerStep};
use crate::environment::Environment;
use crate::trace::{End, Fingerprint, Reply, Trace};
use crate::wire::{Body, Framing, Icmp4, Icmp6, Net, decode};

mod beyond;
mod calls;
mod chance;
mod confine;
mod credentials;
mod far;
mod folder;
mod gave;
mod guard;
mod interfaces;
mod limits;
mod lookup;
mod network;
mod options;
mod pace;
mod plant;
mod process;
mod program;
mod raw;
mod received;
mod run;
mod runner;
mod select;
mod sends;
mod signals;
mod sockaddr;
mod threads;
mod transfers;
mod waiting;
mod waits;
mod worker;

// Of use where there are labs: names of the system, who has which address, what far ends do.
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod naming;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod plan;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod requests;
mod resolution;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod server;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as os;

#[cfg(not(target_os = "linux"))]
mod commands;
#[cfg(not(target_os = "linux"))]
mod not_linux;

#[cfg(not(target_os = "macos"))]
mod not_macos;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as os;

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod no_lab;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod other;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
use other as os;

use folder::Folder;
use network::Network;

pub use confine::{NOBODY, Rights, confine, rights};
pub use limits::{Memory, refuse_large_files};
pub use os::KernelLog;
pub use plant::{Mishap, Plant};
pub use program::{calls_of_programs, output_of_programs, record, why_nothing_ran};

/// The machine as this process finds it.
pub fn environment() -> Environment {
    os::environment()
}

/// Which kernel this is, and as whom the process runs.
pub fn fingerprint() -> io::Result<Fingerprint> {
    let uname = nix::sys::utsname::uname()?;
    let text = |t: &std::ffi::OsStr| t.to_string_lossy().into_owned();
    Ok(Fingerprint {
        system: text(uname.sysname()),
        release: text(uname.release()),
        version: text(uname.version()),
        machine: text(uname.machine()),
        euid: nix::unistd::geteuid().as_raw(),
        libc: os::libc_name(),
        product: os::product(),
        limits: Vec::new(),
    })
}

/// Answers each case on `input` with its trace on `output`, until the input ends.
///
/// The calling process enters namespaces of its own and stays in them: call this from a process
/// that does nothing else, and has one thread.
pub fn serve(
    mut input: impl BufRead,
    mut output: impl Write,
    plant: Option<&Plant>,
) -> io::Result<()> {
    signals::install()?;
    let mut kernel = fingerprint()?;
    if plant == Some(&Plant::SendtoLies) {
        os::plant::sendto_lies()?;
    }
    if let Some(Plant::Refuses(what)) = plant {
        os::plant::refuse(what)?;
    }
    let isolated = os::isolate();
    kernel.limits = os::limits();
    // On one processor, so that what the host sends to itself keeps its order.
    os::stay(true);
    let mut labs = os::Labs::default();
    let mut line = Vec::new();
    let mut text = Vec::new();
    say(&mut output, &mut text, &Reply::Hello { schema: SCHEMA, kernel })?;
    for number in 1u64.. {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let case = parse(&line);
        if let (Ok(case), Some(Plant::At(mishap, id))) = (&case, plant)
            && case.id == *id
        {
            match mishap {
                Mishap::Garbage => output.write_all(b"garbage\n")?,
                mishap => os::plant::happen(*mishap)?,
            }
        }
        let reply = match case {
            Err(message) => Reply::Error { line: number, message },
            Ok(case) => Reply::Trace(Box::new(match &isolated {
                Ok(()) => run_in(&mut labs, &case, plant),
                Err(reason) => nothing(&case, End::Skipped { reason: reason.clone() }),
            })),
        };
        say(&mut output, &mut text, &reply)?;
    }
    Ok(())
}

/// Whether all labs are in one network, the host's own: then one executor runs at a time.
pub fn shares_the_network() -> bool {
    os::IS_SHARED
}

/// How many sockets of this host content filters see just now, where the system counts them.
pub fn filtered_sockets() -> Option<u32> {
    os::filtered_sockets()
}

/// What labs left on this host that were killed, a line each; nothing is taken away.
pub fn left() -> Result<Vec<String>, String> {
    os::left()
}

/// Takes away what labs left on this host that were killed, and says what that was, a line each.
pub fn clean() -> Result<Vec<String>, String> {
    os::clean()
}

/// Takes this process, which has one thread yet, and all that it starts into a network of their own, in which
/// loopback is all there is, and has them see these files of `/etc` in place of the host's (Linux).
///
/// # Errors
/// One sentence: this host does not let it.
pub fn enter_network_with_files(files: &[(&str, String)]) -> Result<(), String> {
    os::enter_network_with_files(files)
}

/// Whether this process is the first of a machine that was made for it: then it calls [`init`].
pub fn is_init() -> bool {
    os::init::is_first()
}

/// Lives the life of a machine's first process, and ends the machine.
pub fn init() {
    os::init::live();
}

fn parse(line: &[u8]) -> Result<Case, String> {
    // At once for all of its texts.
    let line = std::str::from_utf8(line).map_err(|e| format!("not a case: {e}"))?;
    let case: Case = serde_json::from_str(line).map_err(|e| format!("not a case: {e}"))?;
    case.check().map_err(|e| format!("case {}: {e}", case.id))?;
    Ok(case)
}

/// One line in one write, so that whatever happens next, it has been said.
fn say(output: &mut impl Write, text: &mut Vec<u8>, reply: &Reply) -> io::Result<()> {
    text.clear();
    serde_json::to_writer(&mut *text, reply)?;
    text.push(b'\n');
    output.write_all(text)?;
    output.flush()
}

fn nothing(case: &Case, end: End) -> Trace {
    Trace::new(&case.id, Vec::new(), Vec::new(), end)
}

/// Takes a case, and again in another lab when the executor stood still in it, a timer of the kernel's
/// came between or a resolver drew one number twice.
fn run_in(labs: &mut os::Labs, case: &Case, plant: Option<&Plant>) -> Trace {
    if let Some(reason) = os::refused(case) {
        return nothing(case, End::Skipped { reason });
    }
    let (mut pauses_ms, mut disturbed) = (Vec::new(), Vec::new());
    let mut number = 0;
    loop {
        let (trace, pause_ms) = take(labs, case, number, plant);
        pauses_ms.extend(pause_ms);
        let between = || os::disturbed(case, &trace).or_else(|| chance::coincidence(case, &trace));
        let between = if pause_ms.is_none() { between() } else { None };
        number += 1;
        // What a program of the user's does is done once.
        let may = number < Trace::TAKES && !case.runs_a_program();
        let again = (pause_ms.is_some() || between.is_some()) && may;
        if !again {
            return Trace { pauses_ms, disturbed, ..trace };
        }
        disturbed.extend(between);
    }
}

/// Takes a case for the time that has this number, from 0. Beside its trace, for how many
/// milliseconds the executor stood still in it, if that was long.
fn take(
    labs: &mut os::Labs,
    case: &Case,
    number: usize,
    plant: Option<&Plant>,
) -> (Trace, Option<u32>) {
    let mut lab = match labs.take(&case.lab) {
        Ok(lab) => lab,
        Err(end) => return (nothing(case, end), None),
    };
    debug_assert!(*lab.spec() == case.lab);
    if case.resolves()
        && let Err(reason) = lab.make_files()
    {
        labs.put(lab);
        return (nothing(case, End::Skipped { reason }), None);
    }
    let plant = plant.filter(|plant| plant.is_for(number));
    if let Err(reason) = lab.begin(case) {
        labs.discard(lab);
        return (nothing(case, End::Broken { reason }), None);
    }
    let folder = match case.has_files().then(|| Folder::of(case)).transpose() {
        Ok(folder) => folder,
        Err(reason) => {
            labs.put(lab);
            return (nothing(case, End::Skipped { reason }), None);
        }
    };
    let (mut trace, pause_ms) = run::run(case, &mut lab, folder.as_ref(), plant);
    drop(folder);
    trace.beyond = lab.beyond();
    if let Some(reason) = lab.broken() {
        labs.discard(lab);
        trace.end = End::Broken { reason };
        return (trace, None);
    }
    let skipped = match &trace.end {
        End::Skipped { .. } => Some(trace.end.clone()),
        _ => lab.spoilt().map(End::skipped),
    };
    if let Some(end) = skipped {
        labs.discard(lab);
        return (nothing(case, end), None);
    }
    if pause_ms.is_some() {
        // Timers of the host's may go on in it.
        labs.discard(lab);
        return (trace, pause_ms);
    }
    let steps = || {
        case.ops.iter().filter_map(|op| if let Op::Lab { step } = op { Some(step) } else { None })
    };
    // The route to who speaks TCP by hand is this case's.
    let lasting = steps().any(lasts)
        || case.has_packets()
        || case.by_hand().next().is_some()
        || case.ops.iter().any(sets_a_link)
        || guard::is_read_later(case);
    // Of a path on which something was lost the host keeps what it has learned (`net/ipv4/tcp_metrics.c`).
    let remembers =
        || remembers_a_server(case) || leaves_fragments(case) || case.waits_for_timers();
    let restored = if lasting || leaves_an_orphan(case) || remembers() {
        Ok(false)
    } else {
        lab.restore(steps().any(|step| changes(case, step)))
    };
    match restored {
        Ok(true) if leaves_connections(case, &mut lab) => labs.discard(lab),
        Ok(true) => labs.put(lab),
        // The next case that asks for it gets a new one.
        Ok(false) => labs.discard(lab),
        Err(reason) => {
            labs.discard(lab);
            if trace.end == End::Done {
                trace.end = End::Broken { reason: format!("the lab cannot be restored: {reason}") };
            }
        }
    }
    (trace, None)
}

/// Whether the host may go on speaking to a server that has vanished, on a connection that the
/// case itself has closed.
fn leaves_an_orphan(case: &Case) -> bool {
    let vanishes = |step: &LabOp| match step {
        LabOp::Serve { service, .. } => service.script.contains(&ServerStep::Vanish),
        _ => false,
    };
    case.lab.setup.iter().any(vanishes) && case.ops.iter().any(|op| matches!(op, Op::Close { .. }))
}

/// Whether the kernel still has connections of the case that the next one could meet: such as send by
/// themselves, or in TIME-WAIT (RFC 9293 §3.6.1) at a port that cases choose. One that the kernel chose
/// is given to nobody else meanwhile.
fn leaves_connections(case: &Case, lab: &mut impl Network) -> bool {
    let connects = |op: &Op| {
        op.addrs().next().is_some()
            || matches!(op, Op::Listen { .. } | Op::Raw { .. } | Op::Run { .. })
    };
    if !sends::has_streams(case) || !case.ops.iter().any(connects) {
        return false;
    }
    let left = lab.left_behind();
    let chosen = |op: &Op| match op {
        Op::Bind { addr, .. } => !matches!(addr.port, Port::Is(0)),
        _ => false,
    };
    left.live > 0 || (left.waiting > 0 && case.ops.iter().any(chosen))
}

/// Whether pieces of a datagram may wait in the host for the others, for half a minute or longer (RFC
/// 8200 §4.5): those of another case could be theirs, and the host says when it gives them up.
fn leaves_fragments(case: &Case) -> bool {
    let is_fragment = |link: &str, frame: &[u8]| match decode(framing(case, link), frame).net {
        Net::V4(ip, _) => ip.more_fragments || ip.fragment_offset > 0,
        Net::V6(ip, _) => ip.fragment.is_some_and(|piece| piece.more || piece.offset > 0),
        _ => false,
    };
    case.ops.iter().any(|op| match op {
        Op::Lab { step: LabOp::Inject { link, frame } } => is_fragment(link, &frame.0),
        _ => false,
    })
}

/// How the frames of a link are laid out.
fn framing(case: &Case, link: &str) -> Framing {
    let kind = case.lab.links.iter().find(|l| l.name == link).map(|l| l.kind);
    if kind == Some(LinkKind::Tun) { Framing::Ip } else { Framing::Ethernet }
}

/// Whether a step leaves the network other than it was.
fn changes(case: &Case, step: &LabOp) -> bool {
    match step {
        LabOp::Inject { link, frame } => is_remembered(case, link, &frame.0),
        LabOp::Say { frame, .. } => frame.is_remembered(),
        LabOp::Wait { .. } | LabOp::Resume { .. } | LabOp::ReadOnly {} => false,
        _ => true,
    }
}

/// Whether a call changes a link of the lab's.
fn sets_a_link(op: &Op) -> bool {
    matches!(op, Op::Ioctl { given: Some(Given::Mtu(_) | Given::Up(_)), .. })
}

/// Whether what a step does outlives taking the links down and up again.
fn lasts(step: &LabOp) -> bool {
    matches!(
        step,
        LabOp::RouteAdd { .. }
            | LabOp::LinkDelete { .. }
            | LabOp::RetransTime { .. }
            | LabOp::Sysctl { .. }
    )
}

/// Whether the host remembers what it was to a server: whether it may have a cookie, and which
/// (RFC 7413 §4.1.3), or a connection between two ports that are always the same (RFC 9293 §3.6.1,
/// TIME-WAIT).
fn remembers_a_server(case: &Case) -> bool {
    let dials = |step: &LabOp| match step {
        LabOp::Serve { service, .. } => {
            service.script.iter().any(|step| matches!(step, ServerStep::Dial { .. }))
        }
        _ => false,
    };
    let opens_fast = |op: &Op| match op {
        Op::Sendto { flags, .. } | Op::Sendmsg { flags, .. } => flags.has("MSG_FASTOPEN"),
        Op::Connectx { flags, .. } => flags.has("CONNECT_DATA_IDEMPOTENT"),
        Op::Setsockopt { option: Opt::Raw { name, .. }, .. } => {
            name.as_str() == "TCP_FASTOPEN_CONNECT"
        }
        _ => false,
    };
    case.lab.setup.iter().any(dials) || case.ops.iter().any(opens_fast) || asks_by_tcp(case)
}

/// Whether a resolver may ask by TCP: musl's opens fast (`src/network/res_msend.c` `start_tcp`), and Linux
/// tries another form of the option next time, where it was given no cookie (`net/ipv4/tcp_fastopen.c`).
fn asks_by_tcp(case: &Case) -> bool {
    let (_, server) = case.lab.name_server().unzip();
    let truncates = |answer: &Answer| answer.flaw == Some(Flaw::Truncated);
    case.resolves() && server.is_some_and(|server| server.answers.iter().any(truncates))
}

/// Whether a host remembers what the frame tells beyond the socket that it concerns: the MTU of a
/// path (RFC 1191 §6.3, RFC 8201 §5.3), or another router.
fn is_remembered(case: &Case, link: &str, frame: &[u8]) -> bool {
    match decode(framing(case, link), frame).body() {
        Some(Body::Icmp4 { message, .. }) => {
            matches!(message, Icmp4::Unreachable { code: 4, .. } | Icmp4::Redirect { .. })
        }
        Some(Body::Icmp6 { message, .. }) => {
            matches!(message, Icmp6::PacketTooBig { .. } | Icmp6::Redirect { .. })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What musl's resolver left behind by TCP changed the option of the next SYN to the same server.
    #[test]
    fn a_lab_in_which_a_resolver_asked_by_tcp_is_not_used_again() {
        let case = |flaw: &str, op: &str| -> Case {
            let text = format!(
                r#"{{"id":"names/a[b]","title":"","catalogue":[],"lab":{{
                    "links":[{{"name":"tun0","kind":"tun","mtu":1500,"ranges":["v4"]}}],
                    "setup":[{{"name_server":{{"link":"tun0","server":{{"at":["v4"],"options":"",
                    "answers":[{{"name":"a.example"{flaw}}}]}}}}}}]}},"ops":[{op}],"window_ms":0}}"#
            );
            serde_json::from_str(&text).expect("a case")
        };
        let flaw = r#","flaw":"truncated""#;
        let op = r#"{"getaddrinfo":{"node":"a.example","service":null,"family":"AF_INET",
            "type":["SOCK_STREAM"],"flags":[]}}"#;
        assert!(remembers_a_server(&case(flaw, op)));
        assert!(!remembers_a_server(&case("", op)), "by UDP");
        assert!(!remembers_a_server(&case(flaw, "")), "nobody asks");
    }
}
