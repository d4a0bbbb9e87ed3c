//! What a text asks of a case's outcome, and what of it did not come.

use std::ops::Range;

use harness::case::{Case, Op, Os};
use harness::outcome::{self, Line, What};
use harness::trace::{Did, End, Event, Trace};

use crate::Written;
use crate::quotes::by_quotes;

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
        let lines = outcome::told(&self.case, trace, os);
        let mut unmet = Vec::new();
        let blind = Blind::of(trace);
        // Frames are asked for in their order: the next one comes behind the one that was found.
        let mut from = (u32::MAX, 0);
        let asked = self.asked.iter();
        for asked in asked.filter(|one| matches!(one.what, Demand::Result(_)) || !blind.has(one.op))
        {
            let of = |op: usize| u32::try_from(op) == Ok(asked.op);
            let frames = || {
                lines.iter().filter_map(|line| match line.what {
                    What::Frame { op } if of(op) => Some(line.text.trim()),
                    _ => None,
                })
            };
            let came = match &asked.what {
                Demand::Result(wanted) => {
                    let said = lines.iter().rev().find_map(|line| match line.what {
                        What::Call { op } if of(op) => Some(result(&line.text).unwrap_or("?")),
                        _ => None,
                    });
                    let said = said.unwrap_or("the call was not made");
                    let many = self.case.ops.get(asked.op as usize).is_some_and(takes_many);
                    if is_met(wanted, said, os, many) { None } else { Some(said.to_owned()) }
                }
                Demand::NoFrame => {
                    let sent: Vec<&str> = frames().filter(|f| f.starts_with('>')).collect();
                    (!sent.is_empty()).then(|| sent.join("\n"))
                }
                Demand::Frame(words) => {
                    if from.0 != asked.op {
                        from = (asked.op, 0);
                    }
                    match frames().skip(from.1).position(|frame| has_words(frame, words)) {
                        Some(place) => {
                            from.1 += place + 1;
                            None
                        }
                        None => Some(all_frames(frames())),
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

fn all_frames<'a>(frames: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<&str> = frames.collect();
    if all.is_empty() { "no frame".to_owned() } else { all.join("\n") }
}

/// Whether a result is one of those that are wanted on this system, or none is.
/// `many` is whether it tells of several messages, of each of which something is asked by itself.
fn is_met(wanted: &[Wanted], said: &str, os: Os, many: bool) -> bool {
    // What is said of this system stands before what is said of the others.
    let of = |on| wanted.iter().filter(move |wanted| wanted.on == on).peekable();
    let mut here = of(Some(os));
    let mut here = if here.peek().is_some() { here } else { of(None) };
    let fits =
        |wanted: &Wanted| fits(&wanted.says, said) || many && messages_fit(&wanted.says, said);
    here.peek().is_none() || here.any(fits)
}

/// Whether the call tells of several messages.
fn takes_many(op: &Op) -> bool {
    matches!(op, Op::Recvmmsg { .. } | Op::RecvmsgX { .. })
}

/// Whether of each message that was received all is told that is asked of it: `2, [{1, "x"}, {msg_flags=MSG_TRUNC}]`. It is
/// its length, its data, from whom it is, its flags and its control messages, in that order; a `{}` asks nothing.
fn messages_fit(wanted: &str, said: &str) -> bool {
    let (Some((number, wanted)), Some((came, said))) =
        (wanted.split_once(", "), said.split_once(", "))
    else {
        return false;
    };
    let (Some(wanted), Some(said)) = (within(wanted, '[', ']'), within(said, '[', ']')) else {
        return false;
    };
    let (wanted, said) = (items(wanted), items(said));
    let fits = |(wanted, said): (&&str, &&str)| {
        let (Some(wanted), Some(said)) = (within(wanted, '{', '}'), within(said, '{', '}')) else {
            return false;
        };
        let mut told = items(said).into_iter();
        items(wanted).into_iter().all(|one| told.any(|came| came == one))
    };
    number == came && wanted.len() == said.len() && wanted.iter().zip(&said).all(fits)
}

/// What stands between these brackets, if they are all of it.
fn within(text: &str, open: char, close: char) -> Option<&str> {
    text.trim().strip_prefix(open)?.strip_suffix(close)
}

/// What stands between the commas of a list, those in brackets and quotes being none.
fn items(text: &str) -> Vec<&str> {
    let (mut items, mut from, mut depth) = (Vec::new(), 0, 0i32);
    for (at, c, quoted) in by_quotes(text) {
        match c {
            _ if quoted => {}
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth -= 1,
            ',' if depth == 0 => {
                items.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    items.push(text[from..].trim());
    items.retain(|item| !item.is_empty());
    items
}

/// Whether what is wanted is all of it, or all before a comma.
fn fits(wanted: &str, said: &str) -> bool {
    if wanted == "success" {
        return !said.starts_with('-') && !said.starts_with('?');
    }
    // Whatever the errno.
    if wanted == "-1" {
        return said.starts_with("-1 ");
    }
    said.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(", "))
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
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("6", "6", true)]
    #[case("6", "6, \"hello\"", true)]
    #[case("6", "64", false)]
    #[case("6, \"hello\"", "6, \"hello\"", true)]
    #[case("6, \"hell\"", "6, \"hello\"", false)]
    #[case("-1 EAGAIN", "-1 EAGAIN", true)]
    #[case("-1 EAGAIN", "-1 EINVAL", false)]
    #[case("-1", "-1 EINVAL", true)]
    #[case("-1", "1", false)]
    #[case("success", "0", true)]
    #[case("success", "s", true)]
    #[case("success", "-1 EINVAL", false)]
    #[case("success", "? unsupported here: AF_INET", false)]
    fn a_result_is_one_or_not(#[case] wanted: &str, #[case] said: &str, #[case] met: bool) {
        let of = |on| [Wanted { on, says: wanted.to_owned() }];
        assert_eq!(is_met(&of(None), said, Os::Linux, false), met);
        assert_eq!(is_met(&of(Some(Os::Linux)), said, Os::Linux, false), met);
        assert!(is_met(&of(Some(Os::Macos)), said, Os::Linux, false), "nothing is asked here");
    }

    #[test]
    fn what_is_said_of_a_system_is_said_of_no_other() {
        let of = |on, says: &str| Wanted { on, says: says.to_owned() };
        let both = [of(Some(Os::Linux), "-1 EINVAL"), of(None, "0")];
        assert!(
            !is_met(&both, "0", Os::Linux, false) && is_met(&both, "-1 EINVAL", Os::Linux, false)
        );
        assert!(
            is_met(&both, "0", Os::Macos, false) && !is_met(&both, "-1 EINVAL", Os::Macos, false)
        );
    }

    #[rstest]
    #[case("2, [{1}, {2}]", true)]
    #[case("2, [{1, \"x\"}, {\"y,}\"}]", true)]
    #[case("2, [{}, {msg_flags=MSG_TRUNC}]", true)]
    #[case("2, [{1, {AF_INET own(link0):9}}, {2, msg_control=[{SOL_IP, IP_TTL, 9}]}]", true)]
    #[case("2, [{1, \"y\"}, {2}]", false)]
    #[case("2, [{\"x\", 1}, {2}]", false)]
    #[case("2, [{1}]", false)]
    #[case("1, [{1}, {2}]", false)]
    #[case("2, [{1, msg_flags=MSG_TRUNC}, {2}]", false)]
    #[case("2, [{1}, {2}, {}]", false)]
    fn of_each_message_something_is_asked(#[case] wanted: &str, #[case] met: bool) {
        let said = "2, [{1, \"x\", {AF_INET own(link0):9}}, \
                    {2, \"y,}\", msg_flags=MSG_TRUNC, msg_control=[{SOL_IP, IP_TTL, 9}]}]";
        let of = [Wanted { on: None, says: wanted.to_owned() }];
        assert_eq!(is_met(&of, said, Os::Linux, true), met);
        assert!(!is_met(&of, said, Os::Linux, false), "of no other call");
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
