//! An outcome in a word: what the call that a case is about returned, and what that put on a wire.
//!
//! Which call that is follows from the calls that a case makes. If it sends, the sends and what was
//! received; else the connects; else what was received; else the binds; else every other answer.
//! What failed on the way is always said. A word has room for three answers, the last ones.
//!
//! `silent` is said of a send that reported success when no frame left for it at all, then or
//! later, and nothing was received.

use std::fmt::Write as _;

use harness::case::blocking::waits_for;
use harness::case::op::Opt;
use harness::case::{Case, LinkKind, Op, Os};
use harness::outcome::{self, What};
use harness::trace::{Did, Direction, End, Event, Out, Trace};
use harness::wire::{self, Arp, Body, Framing, Icmp6, Net, TcpFlags};

/// How many answers a word has at the most.
const MOST: usize = 3;

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Sends,
    Connects,
    Receives,
    Binds,
    Others,
}

/// A call that was made, and what left beneath it.
struct Step<'a> {
    op: &'a Op,
    did: Option<&'a Did>,
    /// Its line in the outcome.
    text: String,
    left: Left,
    signals: Vec<&'a str>,
}

/// The frames that left beneath a step.
#[derive(Default)]
pub(super) struct Left {
    /// What carries data or ends, and is whole.
    whole: usize,
    /// How many of them say DF.
    whole_df: usize,
    fragments: usize,
    /// TCP flags of the only one.
    flags: Option<TcpFlags>,
    /// ARP requests and neighbour solicitations.
    arp: usize,
    solicitations: usize,
}

/// The word for what `case` did on a system: short, and true.
pub fn word(case: &Case, trace: &Trace, os: Os) -> String {
    match &trace.end {
        End::Skipped { .. } => return "not run".to_owned(),
        End::Broken { .. } => return "harness error".to_owned(),
        End::Died { how } => return how.lines().next().unwrap_or_default().to_owned(),
        End::Done | End::Unsupported | End::Hung => {}
    }
    let steps = steps(case, trace, os);
    let about = about(&steps);
    let mut answers: Vec<(usize, String)> = Vec::new();
    for at in 0..steps.len() {
        let answer = answer(&steps, at, about, case);
        let signals = steps[at].signals.iter().map(|name| (*name).to_owned());
        for text in answer.into_iter().chain(signals) {
            match answers.last_mut() {
                Some((times, last)) if *last == text => *times += 1,
                _ => answers.push((1, text)),
            }
        }
    }
    let from = answers.len().saturating_sub(MOST);
    let mut word = String::from(if from > 0 { "… " } else { "" });
    for (number, (times, text)) in answers[from..].iter().enumerate() {
        let comma = if number > 0 { ", " } else { "" };
        let times = if *times > 1 { format!("{times}× ") } else { String::new() };
        let _ = write!(word, "{comma}{times}{text}");
    }
    if !case.threads.is_empty() {
        // What a send brought about may have been received before it returned.
        word = word.replace(" · silent", "");
    }
    if word.is_empty() { "done".to_owned() } else { word }
}

fn steps<'a>(case: &'a Case, trace: &'a Trace, os: Os) -> Vec<Step<'a>> {
    let mut steps: Vec<Step<'a>> = Vec::new();
    let mut last = None;
    for line in outcome::lines(case, trace, os) {
        let (What::Call { op } | What::Lab { op } | What::Frame { op } | What::Signal { op }) =
            line.what
        else {
            continue;
        };
        let event = line.event.and_then(|at| trace.events.get(at));
        // A call that waits is told where it returns.
        let (Some(made), false) = (case.ops.get(op), matches!(event, Some(Event::Began { .. })))
        else {
            continue;
        };
        if last != Some(op) {
            last = Some(op);
            let (did, left, signals) = (None, Left::default(), Vec::new());
            steps.push(Step { op: made, did, text: String::new(), left, signals });
        }
        let Some(step) = steps.last_mut() else { continue };
        match event {
            Some(Event::Call { did, .. }) => {
                step.did = Some(did);
                step.text = line.text;
            }
            Some(Event::Frame { link, dir: Direction::Out, bytes, .. }) => {
                step.left.add(framing(case, trace, link), &bytes.0);
            }
            Some(Event::Signal { name, .. }) => step.signals.push(name),
            _ => {}
        }
    }
    steps
}

pub(super) fn framing(case: &Case, trace: &Trace, link: &str) -> Framing {
    let fact = trace.links.iter().find(|fact| fact.name == link);
    let kind = match fact {
        Some(fact) => fact.kind,
        None => case.lab.links.iter().find(|l| l.name == link).map(|l| l.kind),
    };
    if kind == Some(LinkKind::Tun) { Framing::Ip } else { Framing::Ethernet }
}

pub(super) fn sends(op: &Op) -> bool {
    op.sends()
}

fn receives(op: &Op) -> bool {
    op.receives()
}

fn about(steps: &[Step<'_>]) -> About {
    let has = |test: fn(&Op) -> bool| steps.iter().any(|step| test(step.op));
    if has(sends) {
        About::Sends
    } else if has(|op| matches!(op, Op::Connect { .. })) {
        About::Connects
    } else if has(receives) {
        About::Receives
    } else if has(|op| matches!(op, Op::Bind { .. })) {
        About::Binds
    } else {
        About::Others
    }
}

/// What the step at `at` has to say, if it has to.
fn answer(steps: &[Step<'_>], at: usize, about: About, case: &Case) -> Option<String> {
    let step = &steps[at];
    let call = step.op.call();
    let main = match about {
        About::Sends => sends(step.op),
        About::Connects => call == "connect",
        About::Receives => receives(step.op),
        About::Binds => call == "bind",
        About::Others => call != "socket" && call != "close",
    };
    let call = if receives(step.op) { "recv" } else { call };
    let named = |text: String| {
        if main && !receives(step.op) { text } else { format!("{call} {text}") }
    };
    // A name is what a bind is about, and elsewhere says again what a call has said.
    let asks_name = matches!(step.op, Op::Getsockname { .. } | Op::Getpeername { .. });
    if asks_name && about != About::Others && (about != About::Binds || refused(&steps[..at])) {
        return None;
    }
    match step.did {
        // The executor did not live to say what came of it.
        None if step.op.call() != "lab" => Some(format!("{call} unfinished")),
        None => None,
        Some(Did::Unsupported { .. }) => Some("unsupported here".to_owned()),
        Some(Did::Hung { .. }) => Some(named("hangs".to_owned())),
        Some(Did::Returned { errno: Some(errno), .. }) if errno.as_str() == "EINPROGRESS" => {
            (about == About::Connects).then(|| connecting(steps, at, case))
        }
        Some(Did::Returned { errno: Some(errno), .. }) => {
            let unanswered = receives(step.op) && errno.as_str() == "EAGAIN";
            if unanswered && about == About::Sends && nothing_was_sent(&steps[..at]) {
                return None;
            }
            Some(named(format!("{errno}{}", step.left.arrow())))
        }
        Some(Did::Returned { ret, out, errno: None }) => {
            if let Some(errno) = pending(step.op, out) {
                let told = about == About::Connects && followed_up(steps, at);
                let asked = !told && (errno != "0" || about == About::Others);
                return asked.then(|| format!("SO_ERROR {errno}"));
            }
            if sends(step.op) {
                return Some(sent(steps, at, *ret, case));
            }
            let text = match about {
                About::Binds if asks_name => written(&step.text),
                About::Binds if main && is_named(&steps[at + 1..], step.op) => return None,
                _ if call == "accept" => "accepted".to_owned(),
                About::Others if main => written(&step.text),
                _ if receives(step.op) => format!("recv {ret}"),
                _ if main => format!("{ret}"),
                _ => return None,
            };
            Some(format!("{text}{}", step.left.arrow()))
        }
    }
}

/// What `SO_ERROR` had, by name; `0` if nothing.
fn pending<'a>(op: &Op, out: &'a Out) -> Option<&'a str> {
    let asked = matches!(op, Op::Getsockopt { option: Opt::Raw { name, .. }, .. }
        if name.as_str() == "SO_ERROR");
    match out {
        Out::Errno(errno) if asked => Some(errno.as_str()),
        Out::Int(0) if asked => Some("0"),
        _ => None,
    }
}

/// Whether a connect before `at` says itself what `SO_ERROR` had.
fn followed_up(steps: &[Step<'_>], at: usize) -> bool {
    steps[..at].iter().any(|step| {
        matches!(step.did, Some(Did::Returned { errno: Some(e), .. }) if e.as_str() == "EINPROGRESS")
            && step.op.fd() == steps[at].op.fd()
    })
}

/// A connect that was in progress: by what the socket said of it later.
fn connecting(steps: &[Step<'_>], at: usize, case: &Case) -> String {
    let step = &steps[at];
    let fd = step.op.fd();
    let later = &steps[at + 1..];
    let error = later.iter().filter(|s| s.op.fd() == fd).find_map(|s| match s.did {
        Some(Did::Returned { out, .. }) => pending(s.op, out),
        _ => None,
    });
    let ready = later.iter().any(|s| {
        let Some(fds) = s.op.polled() else { return false };
        let Some(Did::Returned { out: Out::Poll(ready), .. }) = s.did else { return false };
        let of = |(entry, _): &(&harness::case::op::PollFd, _)| Some(entry.fd.as_str()) == fd;
        let writes = |(_, got): (_, &Vec<_>)| {
            got.iter().any(|e: &harness::case::Sym| e.as_str() == "POLLOUT")
                && !got.iter().any(|e| matches!(e.as_str(), "POLLERR" | "POLLHUP"))
        };
        fds.iter().zip(ready).filter(of).any(writes)
    });
    let asks = later.iter().any(|s| s.left.any());
    let quiet = if !step.left.any() && !asks { " · silent" } else { "" };
    match error {
        Some(errno) if errno != "0" => format!("{errno}{}", step.left.arrow()),
        Some(_) if ready => format!("connected{}", step.left.arrow()),
        _ if case.runs_a_program() => "EINPROGRESS".to_owned(),
        _ => format!("EINPROGRESS{}{quiet}", step.left.arrow()),
    }
}

/// A send that reported success.
fn sent(steps: &[Step<'_>], at: usize, ret: i64, case: &Case) -> String {
    let step = &steps[at];
    let whole = waits_for(step.op).and_then(|all| i64::try_from(all).ok()) == Some(ret);
    if step.left.any() {
        let said = if whole { String::new() } else { format!("{ret} ") };
        return format!("{said}{}", step.left.arrow().trim_start());
    }
    match later(&steps[at + 1..]) {
        Later::Nothing if !held(step.op) && !is_no_socket(step.op, case) => {
            format!("{ret} · silent")
        }
        Later::Nothing | Later::Received => ret.to_string(),
        Later::Left(arrow) => format!("{ret}, later{arrow}"),
    }
}

/// Whether no wire is behind what it sends by: a file, a pipe, a local socket.
fn is_no_socket(op: &Op, case: &Case) -> bool {
    op.sends_by().is_some_and(|fd| case.family(fd).is_none())
}

/// Whether the sender said that more of the datagram is to come, or wrote nothing, of which POSIX says nothing.
fn held(op: &Op) -> bool {
    let nothing = matches!(op, Op::Write { .. } | Op::Writev { .. })
        && op.written().is_some_and(|bytes| bytes.is_empty());
    nothing || op.send_flags().is_some_and(|flags| flags.has("MSG_MORE"))
}

enum Later {
    Nothing,
    /// Without a frame of its own: a socket pair, or what another send brought about.
    Received,
    Left(String),
}

/// What became of a send beneath which no frame stands.
fn later(steps: &[Step<'_>]) -> Later {
    let received = steps.iter().any(|step| {
        receives(step.op)
            && matches!(step.did, Some(Did::Returned { ret, errno: None, .. }) if *ret > 0)
    });
    let before_next = steps.iter().take_while(|step| !sends(step.op));
    match before_next.map(|step| &step.left).find(|left| left.any()) {
        Some(left) => Later::Left(left.arrow()),
        None if received || steps.iter().any(|step| step.left.any()) => Later::Received,
        None => Later::Nothing,
    }
}

/// Whether no send put anything on a wire: that nothing came needs no word then.
fn nothing_was_sent(steps: &[Step<'_>]) -> bool {
    steps.iter().any(|step| sends(step.op)) && !steps.iter().any(|step| step.left.any())
}

/// Whether the last bind failed.
fn refused(steps: &[Step<'_>]) -> bool {
    let bind = steps.iter().rfind(|step| matches!(step.op, Op::Bind { .. }));
    bind.is_some_and(|step| matches!(step.did, Some(Did::Returned { errno: Some(_), .. })))
}

/// Whether the socket's name is asked for later.
fn is_named(later: &[Step<'_>], op: &Op) -> bool {
    later.iter().any(|step| matches!(step.op, Op::Getsockname { .. }) && step.op.fd() == op.fd())
}

/// What stands behind a call's ` = ` in the outcome, without the value 0 before other values.
fn written(text: &str) -> String {
    let value = text.rsplit_once(" = ").map_or(text, |(_, value)| value);
    value.strip_prefix("0, ").unwrap_or(value).to_owned()
}

impl Left {
    pub(super) fn add(&mut self, framing: Framing, bytes: &[u8]) {
        let packet = wire::decode(framing, bytes);
        match (&packet.net, packet.body()) {
            (Net::Arp(arp), _) if arp.operation == Arp::REQUEST => self.arp += 1,
            (_, Some(Body::Icmp6 { message: Icmp6::NeighbourSolicitation { .. }, .. })) => {
                self.solicitations += 1;
            }
            (Net::V4(ip, _), _) if ip.more_fragments || ip.fragment_offset > 0 => {
                self.fragments += 1;
            }
            (Net::V6(ip, _), _) if ip.fragment.is_some() => self.fragments += 1,
            (net, body) => {
                self.whole += 1;
                self.whole_df += usize::from(matches!(net, Net::V4(ip, _) if ip.dont_fragment));
                self.flags = match body {
                    Some(Body::Tcp(tcp)) if self.whole == 1 => Some(tcp.flags),
                    _ => None,
                };
            }
        }
    }

    /// Whether anything of what was sent left.
    pub(super) fn any_data(&self) -> bool {
        self.whole + self.fragments > 0
    }

    fn any(&self) -> bool {
        self.whole + self.fragments + self.arp + self.solicitations > 0
    }

    /// ` → DF 1 frame`; nothing if nothing left.
    fn arrow(&self) -> String {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let flag = [(TcpFlags::RST, "RST"), (TcpFlags::SYN, "SYN"), (TcpFlags::FIN, "FIN")]
            .into_iter()
            .find(|(flag, _)| self.flags.is_some_and(|flags| flags.has(*flag)));
        let whole = match flag {
            Some((_, name)) => name.to_owned(),
            None if self.whole_df == self.whole => format!("DF {}", count(self.whole, "frame")),
            None => count(self.whole, "frame"),
        };
        match (self.whole, self.fragments) {
            (0, 0) if self.arp > 0 => format!(" → {}", count(self.arp, "ARP request")),
            (0, 0) if self.solicitations > 0 => {
                format!(" → {}", count(self.solicitations, "solicitation"))
            }
            (0, 0) => String::new(),
            (0, n) => format!(" → {}", count(n, "fragment")),
            (_, 0) => format!(" → {whole}"),
            (_, n) => format!(" → {whole} + {}", count(n, "fragment")),
        }
    }
}

/// What tells `text` from `other`, where their words are the same: the first line that differs, as
/// its call and result, or as the words of a frame that the other has not.
pub(super) fn apart(text: &str, other: &str) -> String {
    let differing = text
        .lines()
        .map(Some)
        .chain(std::iter::repeat(None))
        .zip(other.lines().map(Some).chain(std::iter::repeat(None)))
        .take(text.lines().count().max(other.lines().count()))
        .find(|(mine, theirs)| mine != theirs);
    let said = match differing {
        Some((Some(mine), theirs)) if mine.starts_with(' ') => {
            let theirs = theirs.filter(|theirs| theirs.starts_with(' '));
            match theirs {
                None => format!("also {}", mine.trim_start()),
                Some(theirs) => middle(mine, theirs),
            }
        }
        Some((Some(mine), _)) => {
            let call = mine.split('(').next().unwrap_or_default();
            format!("{call} {}", written(mine))
        }
        Some((None, _)) => "nothing more".to_owned(),
        None => return String::new(),
    };
    shortened(&said)
}

/// The words of `mine` between those at both ends that `theirs` has too, behind the label that they
/// belong to; what is missing if there are none.
fn middle(mine: &str, theirs: &str) -> String {
    let (mine, theirs): (Vec<&str>, Vec<&str>) =
        (mine.split_whitespace().collect(), theirs.split_whitespace().collect());
    let same = |(a, b): &(&&str, &&str)| a == b;
    let first = mine.iter().zip(&theirs).take_while(same).count();
    let room = mine.len().min(theirs.len()) - first;
    let last = mine.iter().rev().zip(theirs.iter().rev()).take(room).take_while(same).count();
    let own = &mine[first..mine.len() - last];
    if own.is_empty() {
        return format!("without {}", theirs[first..theirs.len() - last].join(" "));
    }
    let label = mine[..first].last().filter(|word| word.chars().all(char::is_alphabetic));
    label.into_iter().chain(own).copied().collect::<Vec<_>>().join(" ")
}

fn shortened(text: &str) -> String {
    const MOST: usize = 32;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}
