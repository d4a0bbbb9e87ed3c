//! What a text asks of a case's outcome, and what of it did not come.

use std::cell::OnceCell;
use std::ops::Range;

use harness::case::{Case, Hex, Op, Os};
use harness::outcome::{self, Line, What};
use harness::trace::{Did, End, Event, Out, Trace};

use crate::Written;

mod can;
mod fits;

pub(crate) use can::cannot;
use fits::Came;
pub(crate) use fits::range;

/// Something that is asked of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The number of the case's step, from 0.
    pub op: u32,
    /// Where in the text it is asked, in bytes.
    pub at: Range<usize>,
    /// On which line of the text, from 1.
    pub line: u32,
    /// What.
    pub what: Demand,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// The call returns one of these; on a system that none is for, nothing is asked.
    Result(Vec<Wanted>),
    /// Beneath the step there is a frame whose line has these words in their order: `>`, `link0`, `UDP`.
    Frame(Vec<String>),
    /// Beneath the step nothing leaves.
    NoFrame,
}

/// What a call may return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// On this system; on each if there is none.
    pub on: Option<Os>,
    /// As the outcome has it, up to where a comma follows: `6`, `-1 EAGAIN`, `success`.
    pub says: String,
}

/// Something that was asked and did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// The number of the case's step.
    pub op: u32,
    /// Where in the text it is asked, in bytes.
    pub at: Range<usize>,
    /// On which line of the text, from 1.
    pub line: u32,
    /// What was asked, as it is written.
    pub wanted: String,
    /// What came.
    pub came: String,
}

/// The steps of whose frames nothing can be said: nobody saw the wire, or several calls have theirs at once, from where
/// one waits to where it has returned.
struct Blind {
    all: bool,
    /// From the step in which it begins to that in which it is told to have returned.
    waits: Vec<(u32, u32)>,
}

impl Blind {
    fn of(trace: &Trace) -> Self {
        let beneath = trace.beneath();
        let returned = |began: u32| {
            let of = |(event, (_, own)): &(&Event, &(u32, bool))| {
                !own && matches!(event, Event::Call { op, .. } if *op == began)
            };
            trace.events.iter().zip(&beneath).find(of).map(|(_, (step, _))| *step)
        };
        let waits = trace.waited().map(|op| (op, returned(op).unwrap_or(u32::MAX))).collect();
        Self { all: trace.is_unseen(), waits }
    }

    fn has(&self, op: u32) -> bool {
        self.all || self.waits.iter().any(|(from, to)| (*from..=*to).contains(&op))
    }
}

/// The lines of an outcome, but for frames of which nothing can be said.
pub(crate) fn lines(case: &Case, trace: &Trace, os: Os) -> Vec<Line> {
    let mut lines = outcome::told(case, trace, os);
    let blind = Blind::of(trace);
    let is_blind = |op: usize| u32::try_from(op).is_ok_and(|op| blind.has(op));
    lines.retain(|line| !matches!(line.what, What::Frame { op } if is_blind(op)));
    lines
}

impl Written {
    /// Whether something is asked on this system, and whether this trace tells of all of it.
    pub fn is_judged_by(&self, trace: &Trace, os: Os) -> bool {
        self.asks_on(os) && self.why_unjudged(trace, os).is_none()
    }

    fn asks_on(&self, os: Os) -> bool {
        self.asked.iter().any(|one| match &one.what {
            Demand::Result(wanted) => wanted.iter().any(|one| one.on.is_none_or(|on| on == os)),
            Demand::Frame(_) | Demand::NoFrame => true,
        })
    }

    /// Why what is asked is not judged by this trace, if it is not and something is: the case did not come to its end,
    /// a call waited for ever of which nobody says so, one failed to make a socket whose name is all that the text says
    /// of it, or nobody saw the frames that are asked for.
    pub fn why_unjudged(&self, trace: &Trace, os: Os) -> Option<String> {
        if !self.asks_on(os) {
            return None;
        }
        if !matches!(trace.end, End::Done | End::Unsupported | End::Hung) {
            return Some(
                "what is asked of it is not judged: it did not come to its end".to_owned(),
            );
        }
        let result_of = |op: u32| {
            self.asked.iter().any(|one| one.op == op && matches!(one.what, Demand::Result(_)))
        };
        let call = |op: u32| self.case.ops.get(op as usize);
        let unexplained = |event: &Event| match event {
            Event::Call { op, did: Did::Hung { .. }, .. } if !result_of(*op) => {
                Some(format!("{} waited for ever", call(*op)?.call()))
            }
            Event::Call { op, did: Did::Returned { ret, errno, .. }, .. } if *ret < 0 => {
                let made = call(*op).filter(|made| made.gives_a_descriptor() && !result_of(*op))?;
                let errno = errno.as_ref().map_or_else(String::new, |errno| format!(", {errno}"));
                Some(format!("{} gave no {}{errno}", made.call(), made.makes().first()?))
            }
            _ => None,
        };
        if let Some(what) = trace.events.iter().find_map(unexplained) {
            return Some(format!(
                "what is asked of it is not judged: {what}, of which its text says nothing"
            ));
        }
        self.asks_of_unseen_frames(trace).then(|| {
            "what is asked of its frames is not judged: nobody saw them, or another thread waited"
                .to_owned()
        })
    }

    /// Whether it asks of frames of which nothing can be said: nobody saw the wire, or another thread waited.
    fn asks_of_unseen_frames(&self, trace: &Trace) -> bool {
        let blind = Blind::of(trace);
        self.asked.iter().any(|one| !matches!(one.what, Demand::Result(_)) && blind.has(one.op))
    }

    /// What was asked and did not come.
    pub fn unmet(&self, trace: &Trace, os: Os) -> Vec<Unmet> {
        let told = Told::new(&self.case, trace, os);
        let mut unmet = Vec::new();
        let blind = Blind::of(trace);
        // Frames are asked for in their order: the next one comes behind the one that was found.
        let mut from = (u32::MAX, 0);
        let asked = self.asked.iter();
        for asked in asked.filter(|one| matches!(one.what, Demand::Result(_)) || !blind.has(one.op))
        {
            let frames = || told.frames(asked.op);
            let came = match &asked.what {
                Demand::Result(wanted) => told.unmet(asked.op, wanted),
                Demand::NoFrame => {
                    let sent = frames().map(|(_, frame)| frame);
                    let sent: Vec<&str> = sent.filter(|f| f.starts_with('>')).collect();
                    (!sent.is_empty()).then(|| sent.join("\n"))
                }
                Demand::Frame(words) => {
                    if from.0 != asked.op {
                        from = (asked.op, 0);
                    }
                    let is_it = |(event, frame): (Option<usize>, &str)| {
                        has_words(frame, words)
                            || told.shown(event).is_some_and(|frame| has_words(frame, words))
                    };
                    if let Some(place) = frames().skip(from.1).position(is_it) {
                        from.1 += place + 1;
                        None
                    } else {
                        let is_before = frames().take(from.1).any(is_it);
                        let rest = frames().skip(from.1).map(|(_, frame)| frame);
                        Some(others(rest, from.1 > 0, is_before))
                    }
                }
            };
            if let Some(came) = came {
                let (op, at, line) = (asked.op, asked.at.clone(), asked.line);
                unmet.push(Unmet { op, at, line, wanted: asked.what.to_string(), came });
            }
        }
        unmet
    }
}

/// What a trace tells.
struct Told<'a> {
    case: &'a Case,
    trace: &'a Trace,
    os: Os,
    lines: Vec<Line>,
    /// As transcripts have it: for what an outcome has no number of.
    shown: OnceCell<Vec<Line>>,
}

impl<'a> Told<'a> {
    fn new(case: &'a Case, trace: &'a Trace, os: Os) -> Self {
        let lines = outcome::told(case, trace, os);
        Self { case, trace, os, lines, shown: OnceCell::new() }
    }

    /// The frames beneath a step, and of which event each is.
    fn frames(&self, op: u32) -> impl Iterator<Item = (Option<usize>, &str)> {
        self.lines.iter().filter_map(move |line| match line.what {
            What::Frame { op: of } if u32::try_from(of) == Ok(op) => {
                Some((line.event, line.text.trim()))
            }
            _ => None,
        })
    }

    /// The line of an event with real ports and counters.
    fn shown(&self, event: Option<usize>) -> Option<&str> {
        let all = self.shown.get_or_init(|| outcome::shown(self.case, self.trace, self.os));
        let line = all.iter().find(|line| line.event == event && event.is_some())?;
        Some(line.text.trim())
    }

    /// What came of a call, if it is none of what is wanted.
    fn unmet(&self, op: u32, wanted: &[Wanted]) -> Option<String> {
        let is_its = |line: &&Line| matches!(line.what, What::Call { op: of } if u32::try_from(of) == Ok(op));
        let many = self.case.ops.get(op as usize).is_some_and(takes_many);
        let Some(line) = self.lines.iter().rev().find(is_its) else {
            let came = Came::new("? the call was not made", [], many);
            return (!came.is_met(wanted, self.os)).then(|| "the call was not made".to_owned());
        };
        let said = result(&line.text).unwrap_or("?");
        if Came::new(said, [], many).is_met(wanted, self.os) {
            return None;
        }
        let shown = self.shown(line.event).and_then(result).map(str::to_owned);
        let came = Came::new(said, shown.into_iter().chain(self.bytes(op, line.event)), many);
        (!came.is_met(wanted, self.os)).then(|| came.told_to(wanted, self.os))
    }

    /// What `getsockopt` wrote, in bytes.
    fn bytes(&self, op: u32, event: Option<usize>) -> Option<String> {
        let Op::Getsockopt { .. } = self.case.ops.get(op as usize)? else { return None };
        let Event::Call { did: Did::Returned { ret, out, .. }, .. } =
            self.trace.events.get(event?)?
        else {
            return None;
        };
        let bytes = match out {
            // All systems that are known here have the lowest byte first.
            Out::Int(value) => Hex(value.to_le_bytes().to_vec()),
            Out::Bytes(bytes) => bytes.clone(),
            _ => return None,
        };
        Some(format!("{ret}, 0x{bytes}"))
    }
}

/// The frames that lines before have not asked for, and whether such a one is among those.
fn others<'a>(frames: impl Iterator<Item = &'a str>, has_more: bool, is_before: bool) -> String {
    let all: Vec<&str> = frames.collect();
    let none = if has_more { "no other frame" } else { "no frame" };
    let all = if all.is_empty() { none.to_owned() } else { all.join("\n") };
    let order = "\nsuch a one came before: lines ask for frames in their order, each for one";
    if is_before { all + order } else { all }
}

/// Whether the call tells of several messages.
fn takes_many(op: &Op) -> bool {
    matches!(op, Op::Recvmmsg { .. } | Op::RecvmsgX { .. })
}

/// Whether these words are in the line, in their order; a value directly behind what it is the value of.
fn has_words(line: &str, words: &[String]) -> bool {
    let there = split(line);
    let mut from = 0;
    let mut words = words;
    while let Some(first) = words.first() {
        let mut len = 1;
        while len < words.len() && (is_key(&words[len - 1]) || from > 0 && words[len] == ">") {
            len += 1;
            // Who sends and who gets it are one thing.
            if words[len - 1] == ">" && len < words.len() {
                len += 1;
            }
        }
        let (unit, rest) = words.split_at(len);
        debug_assert_eq!(unit.first(), Some(first));
        let found = there[from..].windows(len).position(|part| part.iter().eq(unit));
        let Some(place) = found else { return false };
        from += place + len;
        words = rest;
    }
    true
}

/// Whether what stands behind the word in the line of a frame is its value.
fn is_key(word: &str) -> bool {
    const KEYS: [&str; 19] = [
        "ack", "class", "code", "flow", "from", "frag", "hlim", "id", "len", "mss", "mtu", "quote",
        "sack", "seq", "to", "tos", "ttl", "win", "wscale",
    ];
    KEYS.contains(&word)
}

/// The words of a line; what stands in quotes is one.
pub(crate) fn split(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut from, mut quoted, mut escaped) = (None, false, false);
    for (at, c) in line.char_indices() {
        match c {
            ' ' | '\t' if !quoted => {
                words.extend(from.take().map(|from| &line[from..at]));
                continue;
            }
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
        from = from.or(Some(at));
    }
    words.extend(from.map(|from| &line[from..]));
    words
}

/// What stands behind the call of a line: `6` of `send(s, "x", 1, 0) = 6`; none if nothing does.
pub(crate) fn result(line: &str) -> Option<&str> {
    let rest = &line[call_end(line)?..];
    rest.strip_prefix(" = ")
}

/// Where a call ends, at the bracket that closes its arguments or those of `<... recv resumed>`.
pub(crate) fn call_end(line: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0u32, false, false);
    let resumed = line.find("<... ").filter(|at| !line[..*at].contains('('));
    if let Some(at) = resumed {
        return line[at..].find('>').map(|end| at + end + 1);
    }
    for (at, c) in line.char_indices() {
        match c {
            '"' if !escaped => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
    }
    None
}

impl std::fmt::Display for Demand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoFrame => f.write_str("> nothing"),
            Self::Frame(words) => f.write_str(&words.join(" ")),
            Self::Result(wanted) => {
                f.write_str("= ")?;
                let mut first = true;
                for run in wanted.chunk_by(|a, b| a.on == b.on) {
                    let says: Vec<&str> = run.iter().map(|wanted| wanted.says.as_str()).collect();
                    let before = if std::mem::take(&mut first) { "" } else { ", " };
                    write!(f, "{before}{}", alternatives(&says))?;
                    match run[0].on {
                        Some(Os::Linux) => f.write_str(" on linux")?,
                        Some(Os::Macos) => f.write_str(" on macos")?,
                        None => {}
                    }
                }
                Ok(())
            }
        }
    }
}

/// `-1 EINVAL|ENOPROTOOPT`, or each with what it has of its own.
fn alternatives(says: &[&str]) -> String {
    let errnos: Option<Vec<&str>> = says.iter().map(|one| one.strip_prefix("-1 ")).collect();
    let are_numbers = says.iter().all(|one| one.parse::<i64>().is_ok());
    match errnos {
        Some(errnos) => format!("-1 {}", errnos.join("|")),
        None if are_numbers || says.len() == 1 => says.join("|"),
        None => format!("one of {}", says.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use harness::case::addr::SockAddr;
    use harness::trace::Direction;
    use harness::wire::build;
    use rstest::rstest;

    use super::*;

    /// What did not come of a text's second step, whose call gave this, and what came instead.
    fn came(line: &str, out: Out, frames: &[Event]) -> Option<String> {
        let text = format!("tun link0\nsocket(AF_INET, SOCK_STREAM, 0) = s\n{line}\n");
        let written = crate::read("x", &text).expect(line).remove(0);
        let call = |op, out| {
            let did = Did::Returned { ret: 0, errno: None, out };
            Event::Call { op, at_ns: 0, took_ns: 0, addr: None, did }
        };
        let mut events = vec![call(0, Out::Nothing), call(1, out)];
        events.extend_from_slice(frames);
        let trace = Trace::new("x/case", Vec::new(), events, End::Done);
        let mut unmet = written.unmet(&trace, Os::Linux);
        assert!(unmet.len() < 2, "{unmet:?}");
        unmet.pop().map(|unmet| unmet.came)
    }

    /// An outcome has none of it.
    #[test]
    fn clocks_ports_and_bytes_are_asked_of_the_trace() {
        let asked = |fields: &str| {
            let mut info = vec![0; 256];
            (info[0], info[68], info[80]) = (7, 250, 10);
            let line = format!("getsockopt(s, IPPROTO_TCP, TCP_INFO) = 0, {{{fields}}}");
            came(&line, Out::Bytes(Hex(info)), &[])
        };
        assert_eq!(asked("tcpi_snd_cwnd=10, tcpi_state=TCP_CLOSE, tcpi_rtt=1..1000"), None);
        let came_otherwise = asked("tcpi_snd_cwnd=11").expect("another");
        assert!(came_otherwise.starts_with("0, {tcpi_state=TCP_CLOSE, "), "{came_otherwise}");
        assert!(came_otherwise.contains("tcpi_snd_cwnd=10"), "{came_otherwise}");
        assert!(!came_otherwise.contains("tcpi_rtt"), "{came_otherwise}");

        let asked = |port: &str| {
            let addr = SockAddr::V4 { ip: [127, 0, 0, 1].into(), port: 45000 };
            let line = format!("getsockname(s) = 0, {{AF_INET 127.0.0.1:{port}}}");
            came(&line, Out::Addr(addr), &[])
        };
        assert_eq!((asked("45000"), asked("eph1"), asked("45000..45001")), (None, None, None));
        assert_eq!(asked("45001").as_deref(), Some("0, {AF_INET 127.0.0.1:45000}"));
        assert_eq!(asked("eph2").as_deref(), Some("0, {AF_INET 127.0.0.1:eph1}"));

        let asked = |value: &str| {
            let line = format!("getsockopt(s, IPPROTO_IP, IP_LOCAL_PORT_RANGE) = 0, {value}");
            came(&line, Out::Int(-1_672_438_720), &[])
        };
        assert_eq!((asked("0x409c509c"), asked("-1672438720")), (None, None));
        assert_eq!(asked("0x409c509d").as_deref(), Some("0, 0x409c509c"));
    }

    #[test]
    fn a_port_of_a_frame_is_asked_by_its_number() {
        let [from, to] = [45000, 9].map(|port| ([192, 0, 2, 1], port).into());
        let bytes = Hex(build::udp(build::Link::Ip, from, to, 64, b"x").expect("a frame"));
        let (link, dir) = ("link0".to_owned(), Direction::Out);
        let frame = [Event::Frame { op: 1, at_ns: 0, link, dir, bytes }];
        let asked =
            |words: &str| came(&format!("close(s)\n    > link0 UDP {words}"), Out::Nothing, &frame);
        assert_eq!((asked("45000 > 9"), asked("eph1 > eph2")), (None, None));
        assert!(asked("45001 > 9").is_some_and(|came| came.contains("eph1 > eph2")));
    }

    #[rstest]
    #[case("> link0 UDP \"x\"", true)]
    #[case("> UDP eph1 > 9", true)]
    #[case("> link0 ttl 64", true)]
    #[case("> link1 UDP", false)]
    #[case("< link0 UDP", false)]
    #[case("> link0 UDP \"y\"", false)]
    #[case("> link0 \"x\" UDP", false)]
    #[case("> link0 ttl 1 \"x\"", false)]
    #[case("> link0 ttl 9", false)]
    #[case("> link0 UDP len 1", true)]
    #[case("> link0 192.0.2.1 > 192.0.2.2 UDP", true)]
    #[case("> link0 192.0.2.1 > 9", false)]
    #[case("> link0 IPv4 > UDP", false)]
    fn a_frame_has_the_words_or_not(#[case] wanted: &str, #[case] has: bool) {
        let line = "> link0 IPv4 192.0.2.1 > 192.0.2.2 ttl 64 UDP eph1 > 9 len 1 \"x\"";
        let words: Vec<String> = split(wanted).into_iter().map(str::to_owned).collect();
        assert_eq!(has_words(line, &words), has);
    }

    #[rstest]
    #[case("send(s, \"x\", 1, 0) = 1", Some("1"))]
    #[case("send(s, \") = 7\\\"\", 1, 0) = 1", Some("1"))]
    #[case("t: <... recv resumed> = 0, \"\"", Some("0, \"\""))]
    #[case("connect(s, {AF_INET own(link0):9}) = 0", Some("0"))]
    #[case("t: recv(s, 64, 0) <unfinished ...>", None)]
    #[case("send(s, \"x", None)]
    fn a_result_is_found(#[case] line: &str, #[case] expected: Option<&str>) {
        assert_eq!(result(line), expected);
    }
}
