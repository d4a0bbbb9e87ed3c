//! What a Mac can say by itself of the list in docs/macos.md, by its numbers there.

use anyhow::Result;
use harness::case::addr::{Addr, Host, Port, Range, Role};
use harness::case::{Case, Flags, Lab, LabOp, LinkKind, Op, Payload, Threads};
use harness::subject;
use harness::trace::{Did, Direction, End, Event, Fingerprint, Trace};
use harness::wire::{Framing, Net, decode};

use super::{Check, program, tshark};
use crate::run;

const LINK: &str = "doctor0";

/// What is looked at, in the order of the list.
pub(super) fn checks(kernel: &Fingerprint) -> Result<Vec<Check>> {
    let (tun, tap) = (Lab::one(LinkKind::Tun, LINK), Lab::one(LinkKind::Tap, LINK));
    let to = |range| send_to(Addr::on(LINK, Role::Neighbour, range, 9));
    // By its scope, so that no default route is asked.
    let down = [vec![Op::Lab { step: LabOp::LinkDown { link: LINK.to_owned() } }], to(Range::Ll)];
    Ok(vec![
        root(kernel),
        check("1  utun: an IPv4 datagram is seen once, and nothing is asked", || {
            seen(&tun, to(Range::V4), LINK)
        })?,
        check("2  utun: an IPv6 datagram to a link-local address", || {
            seen(&tun, to(Range::Ll), LINK)
        })?,
        check("3  feth: an IPv4 datagram is seen once, and nothing is asked", || {
            seen(&tap, to(Range::V4), LINK)
        })?,
        check("4  feth: an IPv6 datagram to a link-local address", || {
            seen(&tap, to(Range::Ll), LINK)
        })?,
        check("5  lo0: a datagram is seen once", || seen(&Lab::loopback(), to_itself(), "lo"))?,
        check("6  feth: nothing leaves by a link that is down", || unseen(&tap, down.concat()))?,
        check("7  nothing of a lab is left", || Ok(left_over(kernel)))?,
        content_filter(kernel),
        by(program("cc", "cc: compiles C reproducers", ""), "xcode-select --install"),
        by(tshark(), "brew install wireshark"),
    ])
}

/// A check that is needed.
fn check(what: &'static str, ask: impl FnOnce() -> Result<Option<String>>) -> Result<Check> {
    let missing = ask()?;
    let mend = missing.as_ref().map(|_| "docs/macos.md says what to send us".to_owned());
    Ok(Check { what, missing, mend, needed: true })
}

/// What mends it here.
fn by(mut check: Check, mend: &str) -> Check {
    check.mend = check.missing.as_ref().map(|_| mend.to_owned());
    check
}

fn root(kernel: &Fingerprint) -> Check {
    let missing = (kernel.euid != 0).then(|| format!("this is user {}", kernel.euid));
    let mend = missing.as_ref().map(|_| "sudo sockeye doctor".to_owned());
    Check { what: "root: links, and frames on them", missing, mend, needed: true }
}

/// Not needed, and it decides what `sockeye netdown` finds.
fn content_filter(kernel: &Fingerprint) -> Check {
    let filter = kernel.product.as_ref().and_then(|product| product.content_filter);
    let missing = match filter {
        Some(false) => None,
        Some(true) => Some("one is attached: the platform is another one".to_owned()),
        None => Some("net.cfil.active_count is not known".to_owned()),
    };
    let mend = missing.as_ref().map(|_| "systemextensionsctl list".to_owned());
    Check { what: "8  no content filter sees what sockets send", missing, mend, needed: false }
}

/// To a socket that is there, so that nobody is told that there is none.
fn to_itself() -> Vec<Op> {
    let here = |port| Addr { port, ..Addr::ip([127, 0, 0, 1], 0) };
    let heard = "r".to_owned();
    let (domain, r#type, protocol) = ("AF_INET".into(), Flags::of(&["SOCK_DGRAM"]), Flags::NONE);
    let mut ops = vec![
        Op::Socket { fd: heard.clone(), domain, r#type, protocol },
        Op::Bind { fd: heard.clone(), addr: here(Port::Is(0)) },
    ];
    ops.extend(send_to(here(Port::Of(heard))));
    ops
}

fn send_to(addr: Addr) -> Vec<Op> {
    let family = if matches!(&addr.host, Host::On { range: Range::Ll, .. }) {
        "AF_INET6"
    } else {
        "AF_INET"
    };
    let (fd, flags) = ("s".to_owned(), Flags::NONE);
    let data = Payload::Text("sockeye doctor".to_owned());
    vec![
        Op::Socket {
            fd: fd.clone(),
            domain: family.into(),
            r#type: Flags::of(&["SOCK_DGRAM"]),
            protocol: Flags::NONE,
        },
        Op::Sendto { fd, data, flags, addr },
    ]
}

fn traced(lab: &Lab, ops: Vec<Op>) -> Result<Trace> {
    let (id, title, catalogue, lab) = ("doctor".to_owned(), String::new(), Vec::new(), lab.clone());
    let case = Case { id, title, catalogue, lab, ops, window_ms: 0, threads: Threads::NONE };
    let mut traces = subject::run(&run::native()?, &[&case], 1, &|_, _| ())?;
    traces.pop().ok_or_else(|| anyhow::anyhow!("there is no trace"))
}

fn seen(lab: &Lab, ops: Vec<Op>, link: &str) -> Result<Option<String>> {
    Ok(not_once(&traced(lab, ops)?, link))
}

fn unseen(lab: &Lab, ops: Vec<Op>) -> Result<Option<String>> {
    let trace = traced(lab, ops)?;
    Ok(end(&trace).or_else(|| match sent(&trace, LINK).len() {
        0 => None,
        n => Some(format!("{n} frames were seen")),
    }))
}

/// Why the trace says nothing.
fn end(trace: &Trace) -> Option<String> {
    match &trace.end {
        End::Done => None,
        End::Skipped { reason } | End::Broken { reason } => Some(reason.clone()),
        End::Died { how } => Some(how.clone()),
        End::Unsupported | End::Hung => Some("a call was not made, or did not return".to_owned()),
    }
}

/// The frames that left by `link` and are not what a kernel says unasked.
fn sent<'t>(trace: &'t Trace, link: &str) -> Vec<Net<'t>> {
    let kind = trace.links.iter().find(|fact| fact.name == link).and_then(|fact| fact.kind);
    let framing = if kind == Some(LinkKind::Tun) { Framing::Ip } else { Framing::Ethernet };
    let frames = trace.events.iter().filter_map(|event| match event {
        Event::Frame { link: on, dir: Direction::Out, bytes, .. } if on == link => Some(bytes),
        _ => None,
    });
    frames
        .map(|bytes| decode(framing, &bytes.0))
        .filter(|frame| harness::wire::chatter(frame).is_none())
        .map(|frame| frame.net)
        .collect()
}

/// What is otherwise than that the send succeeded and one datagram left.
fn not_once(trace: &Trace, link: &str) -> Option<String> {
    if let Some(why) = end(trace) {
        return Some(why);
    }
    if trace.is_unseen() {
        return Some("what the host sends is not captured".to_owned());
    }
    let failed = trace.events.iter().find_map(|event| match event {
        Event::Call { did: Did::Returned { errno: Some(errno), .. }, .. } => Some(errno),
        _ => None,
    });
    if let Some(errno) = failed {
        return Some(format!("a call failed: {errno}"));
    }
    let sent = sent(trace, link);
    if sent.iter().any(|net| matches!(net, Net::Arp(_))) {
        return Some("the neighbour was asked for, whom the lab had made known".to_owned());
    }
    match sent.len() {
        1 => None,
        n => Some(format!("{n} frames were seen")),
    }
}

/// What stands of a lab that is gone, as root alone can tell: of an interface's name nobody can say whose
/// it is, so that the ledger says it.
fn left_over(kernel: &Fingerprint) -> Option<String> {
    if kernel.euid != 0 {
        return None;
    }
    match harness::exec::left() {
        Ok(left) if left.is_empty() => None,
        Ok(left) => Some(format!("{}; `sudo sockeye clean` takes it away", left.join(", "))),
        Err(why) => Some(why),
    }
}

#[cfg(test)]
mod tests;
