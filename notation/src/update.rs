//! Results written into a text where it has none yet.
//!
//! What is written stays as it is, byte for byte. Behind a call without a result comes what it returned, and
//! beneath it the frames that left; behind one with results for other systems alone, what it returned on
//! this one. A line that stands for several rows gets what all of them came to. What comes out reads back
//! as the same cases, which then ask for nothing that did not come, or it is not written.

use std::collections::{BTreeMap, BTreeSet};

use harness::case::{Case, Op, Os};
use harness::outcome::{Line, What};
use harness::trace::Trace;

use crate::asked::{self, call_end, result};
use crate::file::UNNAMED;
use crate::{Asked, Demand, Fault, Written};

/// A text with what came, and where it could not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// The text.
    pub text: String,
    /// How many results are new in it.
    pub written: usize,
    /// The lines without a result that got none.
    pub left: Vec<Left>,
}

/// A line that got no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// From 1.
    pub line: u32,
    /// Why, as one sentence.
    pub why: String,
}

/// Writes what came into `text`. `all` are its cases as [`read`](crate::read) gave them under the name
/// `file`, and `traces` what came of each; none of one that did not run.
pub fn update(
    file: &str,
    text: &str,
    all: &[Written],
    traces: &[Option<&Trace>],
    os: Os,
) -> Updated {
    update_by(&|text| crate::read(file, text), text, all, traces, os)
}

type Read<'r> = dyn Fn(&str) -> Result<Vec<Written>, Vec<Fault>> + 'r;

fn update_by(
    read: &Read<'_>,
    text: &str,
    all: &[Written],
    traces: &[Option<&Trace>],
    os: Os,
) -> Updated {
    let said: Vec<Option<Vec<Line>>> = all
        .iter()
        .zip(traces)
        .map(|(written, trace)| trace.map(|trace| asked::lines(&written.case, trace, os)))
        .collect();
    let mut lines: BTreeMap<u32, Vec<(usize, u32)>> = BTreeMap::new();
    for (case, written) in all.iter().enumerate() {
        for (op, line) in (0..).zip(&written.lines) {
            let is_call = written.case.ops.get(op as usize).is_some_and(is_call);
            if is_call {
                lines.entry(*line).or_default().push((case, op));
            }
        }
    }
    let (mut edits, mut left) = (Vec::new(), Vec::new());
    let starts = starts(text);
    for (line, steps) in &lines {
        match edit(text, &starts, *line, steps, all, &said, os) {
            Ok(edit) => edits.extend(edit),
            Err(why) => left.push(Left { line: *line, why: why.to_owned() }),
        }
    }
    // Each round gives up at least one form of one edit.
    let mut bad = BTreeSet::new();
    loop {
        let (new, places) = applied(text, &edits);
        match wrong(read, &new, all, traces, os) {
            Ok(lines) if lines.is_empty() => {
                let written = edits.iter().filter(|edit| edit.form != Form::Nothing).count();
                let why = "what came cannot be written so that it reads back".to_owned();
                left.extend(bad.iter().map(|line| Left { line: *line, why: why.clone() }));
                left.sort_by_key(|left| left.line);
                return Updated { text: new, written, left };
            }
            Ok(_) if edits.iter().all(|edit| edit.form == Form::Nothing) => {
                return Updated { text: text.to_owned(), written: 0, left };
            }
            Ok(steps) => {
                let of = |edit: &Edit| steps.iter().any(|step| edit.steps.contains(step));
                if !less(&mut edits, of, &mut bad) {
                    let is_good = |new: &str| wrong(read, new, all, traces, os) == Ok(Vec::new());
                    one_by_one(text, &mut edits, &is_good, &mut bad);
                }
            }
            // The text itself cannot be read, which nothing here mends.
            Err(_) if edits.iter().all(|edit| edit.form == Form::Nothing) => {
                return Updated { text: text.to_owned(), written: 0, left };
            }
            Err(faults) => {
                let at = |number: usize| {
                    let range = &places[number];
                    faults.iter().any(|f| f.at.start < range.end && range.start <= f.at.end)
                };
                let hit: BTreeSet<u32> =
                    (0..edits.len()).filter(|n| at(*n)).map(|n| edits[n].line).collect();
                if !less(&mut edits, |edit| hit.contains(&edit.line), &mut bad) {
                    let is_good = |new: &str| wrong(read, new, all, traces, os) == Ok(Vec::new());
                    one_by_one(text, &mut edits, &is_good, &mut bad);
                }
            }
        }
    }
}

/// Has the edits that are meant say less; what cannot say less says nothing, and its line is `bad`. False:
/// none of them said anything.
fn less(edits: &mut [Edit], meant: impl Fn(&Edit) -> bool, bad: &mut BTreeSet<u32>) -> bool {
    let mut any = false;
    for edit in edits.iter_mut().filter(|edit| edit.form != Form::Nothing && meant(edit)) {
        any = true;
        edit.form = match edit.form {
            Form::Full => Form::Short,
            Form::Short => Form::Bare,
            Form::Bare | Form::Nothing => {
                bad.insert(edit.line);
                Form::Nothing
            }
        };
    }
    any
}

/// Where nothing tells which edit is at fault: each is made that can be made beside those before it, halves
/// of them at once while that goes well.
fn one_by_one(
    text: &str,
    edits: &mut [Edit],
    is_good: &dyn Fn(&str) -> bool,
    bad: &mut BTreeSet<u32>,
) {
    let wanted: Vec<Form> = edits.iter().map(|edit| edit.form).collect();
    for edit in &mut *edits {
        edit.form = Form::Nothing;
    }
    let mut parts = Vec::from([(0, edits.len())]);
    while let Some((start, end)) = parts.pop() {
        let part = start..end;
        for at in part.clone() {
            edits[at].form = wanted[at];
        }
        if part.is_empty() || is_good(&applied(text, edits).0) {
            continue;
        }
        for at in part.clone() {
            edits[at].form = Form::Nothing;
        }
        if part.len() > 1 {
            // The first half first.
            let middle = part.start + part.len() / 2;
            parts.extend([(middle, part.end), (part.start, middle)]);
            continue;
        }
        let edit = part.start;
        let less = [Form::Full, Form::Short, Form::Bare].into_iter();
        let mut less = less.skip_while(|form| *form != wanted[edit]).skip(1);
        let found = less.find(|form| {
            edits[edit].form = *form;
            is_good(&applied(text, edits).0)
        });
        if found.is_none() && wanted[edit] != Form::Nothing {
            edits[edit].form = Form::Nothing;
            bad.insert(edits[edit].line);
        }
    }
}

/// How much an edit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The whole result and the frames.
    Full,
    /// The result up to a comma, and the frames.
    Short,
    /// That result alone.
    Bare,
    /// Nothing.
    Nothing,
}

/// What is inserted for one call.
#[derive(Debug)]
struct Edit {
    /// On which line of the old text, from 1.
    line: u32,
    /// The cases and their steps that it is about.
    steps: Vec<(usize, u32)>,
    /// Where the result goes, in bytes.
    at: usize,
    /// Where the frames go, and what is before each and behind it.
    beneath: usize,
    indent: String,
    end: &'static str,
    /// What came.
    result: String,
    frames: Vec<String>,
    /// The system that the result is said of, where others have one.
    on: Option<Os>,
    /// Whether the name of what the call makes stands there already.
    is_named: bool,
    form: Form,
}

impl Edit {
    fn result(&self) -> String {
        let result = match self.form {
            Form::Nothing => return String::new(),
            Form::Full if self.on.is_none() => self.result.as_str(),
            _ => short(&self.result),
        };
        match self.on {
            None if self.is_named => format!(", {result}"),
            None => format!(" = {result}"),
            Some(Os::Linux) => format!(", {result} on linux"),
            Some(Os::Macos) => format!(", {result} on macos"),
        }
    }

    fn frames(&self) -> String {
        if matches!(self.form, Form::Bare | Form::Nothing) {
            return String::new();
        }
        let line = |frame: &String| [self.indent.as_str(), frame, self.end].concat();
        self.frames.iter().map(line).collect()
    }
}

/// A result up to the first comma that stands in no brackets: what behind it a call gave besides.
fn short(result: &str) -> &str {
    result.split_once(", ").map_or(result, |(before, _)| before)
}

fn is_call(op: &Op) -> bool {
    !matches!(op, Op::Lab { .. })
}

/// Where each line begins.
fn starts(text: &str) -> Vec<usize> {
    let ends = text.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).collect()
}

/// What is to be inserted for the calls that stand on a line: nothing where that has a result, or where
/// nothing ran; an error where they have none, and none can be written.
fn edit(
    text: &str,
    starts: &[usize],
    line: u32,
    steps: &[(usize, u32)],
    all: &[Written],
    said: &[Option<Vec<Line>>],
    os: Os,
) -> Result<Option<Edit>, &'static str> {
    let start = starts.get(line as usize - 1).copied().unwrap_or(text.len());
    let beneath = starts.get(line as usize).copied().unwrap_or(text.len());
    let whole = &text[start..beneath];
    let plain = whole.trim_end_matches(['\n', '\r']);
    let asked = |(case, op): &(usize, u32)| -> Vec<&Asked> {
        all[*case].asked.iter().filter(|asked| asked.op == *op).collect()
    };
    let asked: Vec<&Asked> = steps.iter().flat_map(asked).collect();
    let results = asked.iter().filter_map(|asked| match &asked.what {
        Demand::Result(wanted) => Some((asked.at.end, wanted)),
        Demand::Frame(_) | Demand::NoFrame => None,
    });
    let results: Vec<_> = results.collect();
    let ran = |(case, _): &(usize, u32)| said[*case].as_deref();
    if steps.iter().all(|step| ran(step).is_none()) {
        return Ok(None);
    }
    let mut is_named = false;
    let (at, on) = if let Some((at, _)) = results.first() {
        let elsewhere = results.iter().flat_map(|(_, wanted)| *wanted);
        if !elsewhere.into_iter().all(|one| one.on.is_some_and(|on| on != os)) {
            return Ok(None);
        }
        if *at > beneath {
            return Err("what others return stands on another line");
        }
        (*at, Some(os))
    } else {
        let Some(end) = call_end(plain) else { return Err("it is no call on one line") };
        // The name of what it makes alone: what is to be said is that it makes nothing.
        is_named = plain[end..].trim_start().starts_with('=');
        (start + if is_named { plain.trim_end().len() } else { end }, None)
    };
    let mut came: Option<(String, Vec<String>)> = None;
    for step in steps {
        let Some(lines) = ran(step) else {
            return if is_named { Ok(None) } else { Err("not all of its rows ran") };
        };
        let said = match returned(lines, step.1) {
            // Its line has all that there is to say.
            Err(_) if is_named => return Ok(None),
            said => said?,
        };
        let this = (said, left(lines, step.1));
        if this.0.starts_with(UNNAMED) {
            return Err("what it makes has no name: write = NAME");
        }
        match &came {
            None => came = Some(this),
            Some((result, _)) if *result != this.0 => {
                return Err("its rows return different things");
            }
            Some((_, frames)) if *frames != this.1 => return Err("its rows send different frames"),
            Some(_) => {}
        }
    }
    let Some((result, mut frames)) = came else { return Ok(None) };
    if is_named && !result.starts_with('-') {
        return Ok(None);
    }
    // Who has written of frames has said all that there is to say, and frames are of no system.
    if on.is_some() || asked.len() > results.len() {
        frames.clear();
    }
    let blank = plain.len() - plain.trim_start().len();
    let indent = format!("{}    ", &plain[..blank]);
    let ending = if whole.ends_with("\r\n") { "\r\n" } else { "\n" };
    let steps = steps.to_vec();
    let form = Form::Full;
    let end = ending;
    Ok(Some(Edit { line, steps, at, beneath, indent, end, result, frames, on, is_named, form }))
}

/// What a step returned; why it has no result that one could ask for again.
fn returned(lines: &[Line], op: u32) -> Result<String, &'static str> {
    let is_it =
        |line: &&Line| matches!(line.what, What::Call { op: o } if u32::try_from(o) == Ok(op));
    let line = lines.iter().rev().find(is_it).ok_or("the call was not made")?;
    let said = result(&line.text).ok_or("the call did not return")?;
    if said.starts_with('?') { Err("the call has no result here") } else { Ok(said.to_owned()) }
}

/// The frames that left beneath a step.
fn left(lines: &[Line], op: u32) -> Vec<String> {
    let is_it =
        |line: &&Line| matches!(line.what, What::Frame { op: o } if u32::try_from(o) == Ok(op));
    let frames = lines.iter().filter(is_it).map(|line| line.text.trim());
    frames.filter(|frame| frame.starts_with('>')).map(str::to_owned).collect()
}

/// The text with all that is inserted, and which bytes of it each edit is, with all between its parts.
fn applied(text: &str, edits: &[Edit]) -> (String, Vec<std::ops::Range<usize>>) {
    let (mut new, mut upto, mut places) = (String::with_capacity(text.len()), 0, Vec::new());
    for edit in edits {
        new.push_str(&text[upto..edit.at]);
        let start = new.len();
        new.push_str(&edit.result());
        new.push_str(&text[edit.at..edit.beneath]);
        let frames = edit.frames();
        if !frames.is_empty() && !new.ends_with('\n') {
            new.push_str(edit.end);
        }
        new.push_str(&frames);
        upto = edit.beneath;
        places.push(start..new.len());
    }
    new.push_str(&text[upto..]);
    (new, places)
}

/// The steps of which the new text asks what did not come; what it has wrong if it cannot be read, or not
/// as the same cases.
fn wrong(
    read: &Read<'_>,
    new: &str,
    all: &[Written],
    traces: &[Option<&Trace>],
    os: Os,
) -> Result<Vec<(usize, u32)>, Vec<Fault>> {
    let again = read(new)?;
    let cases =
        |all: &[Written]| all.iter().map(|written| written.case.clone()).collect::<Vec<Case>>();
    if cases(&again) != cases(all) {
        return Err(Vec::new());
    }
    let mut steps = Vec::new();
    for (case, trace) in traces.iter().enumerate() {
        let Some(trace) = trace else { continue };
        let before: Vec<_> =
            all[case].unmet(trace, os).into_iter().map(|unmet| (unmet.op, unmet.wanted)).collect();
        let after = again[case].unmet(trace, os);
        let fresh = after.into_iter().filter(|unmet| {
            !before.iter().any(|(op, wanted)| (*op, wanted) == (unmet.op, &unmet.wanted))
        });
        steps.extend(fresh.map(|unmet| (case, unmet.op)));
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use harness::trace::{Did, End, Event, Out};

    use super::*;

    const ABOVE: &str = "socket(AF_INET, SOCK_DGRAM, 0) = s\n";

    /// A trace in which each call of a case returns so, with this errno if it fails.
    fn came(written: &Written, returns: &[(i64, Option<&'static str>)]) -> Trace {
        let calls = (0u32..).zip(returns).map(|(op, (ret, errno))| {
            let did = Did::Returned { ret: *ret, errno: errno.map(Into::into), out: Out::Nothing };
            Event::Call { op, at_ns: 0, took_ns: 0, addr: None, did }
        });
        Trace::new(&written.case.id, Vec::new(), calls.collect(), End::Done)
    }

    /// The text with what came, where the calls behind the first return so in each row.
    fn updated(text: &str, rows: &[&[(i64, Option<&'static str>)]]) -> Updated {
        let all = crate::read("x", text).unwrap();
        let returns = |row: &[(i64, Option<&'static str>)]| [&[(3, None)], row].concat();
        let traces: Vec<Trace> =
            all.iter().zip(rows).map(|(written, row)| came(written, &returns(row))).collect();
        let mut traces: Vec<Option<&Trace>> = traces.iter().map(Some).collect();
        traces.resize(all.len(), None);
        update("x", text, &all, &traces, Os::Linux)
    }

    #[test]
    fn a_call_without_a_result_gets_it_and_nothing_else_changes() {
        let before = format!(
            "# Is it so?\n\n{ABOVE}\tlisten(s, 1)  \r\n# why\nlisten(s, 2) = 0\nlisten(s, 3)"
        );
        let new = updated(&before, &[&[(-1, Some("EOPNOTSUPP")), (-1, Some("EINVAL")), (0, None)]]);
        let after =
            before.replace("(s, 1)", "(s, 1) = -1 EOPNOTSUPP").replace("(s, 3)", "(s, 3) = 0");
        assert_eq!((new.text.as_str(), new.written), (after.as_str(), 2), "{new:?}");
        assert_eq!(new.left, []);
        // Once more changes nothing: what did not come as it is written is told by the verdict.
        let again = updated(&new.text, &[&[(0, None), (0, None), (-1, Some("EINVAL"))]]);
        assert_eq!((again.text, again.written), (new.text, 0));
    }

    /// A name says nothing of a call that makes nothing: that is written behind it, and is asked from then on.
    #[test]
    fn what_is_named_and_was_not_made_is_said() {
        let before =
            format!("{ABOVE}socket(AF_INET, SOCK_DGRAM, 0) = t\naccept(s) = c \nclose(t)\n");
        let new = updated(&before, &[&[(4, None), (-1, Some("EINVAL")), (0, None)]]);
        let after = before.replace("= c", "= c, -1 EINVAL").replace("close(t)", "close(t) = 0");
        assert_eq!((new.text.as_str(), new.written, new.left.len()), (after.as_str(), 2, 0));
        let failed = crate::read("x", &new.text).unwrap().remove(0);
        let trace = came(&failed, &[(3, None), (4, None), (-1, Some("EINVAL")), (0, None)]);
        assert!(failed.is_judged_by(&trace, Os::Linux));
        let unsaid =
            crate::read("x", &before.replace("close(t)", "close(t) = 0")).unwrap().remove(0);
        assert!(!unsaid.is_judged_by(&trace, Os::Linux), "the name alone says nothing of that");
    }

    #[test]
    fn what_others_return_stays_and_this_system_is_added() {
        let before = format!("{ABOVE}listen(s, 1) = 0 on macos\nlisten(s, 2) = 0 on linux\n");
        let new = updated(&before, &[&[(-1, Some("EOPNOTSUPP")), (-1, Some("EINVAL"))]]);
        let after = before.replace("on macos", "on macos, -1 EOPNOTSUPP on linux");
        assert_eq!((new.text, new.written), (after, 1));
    }

    #[test]
    fn rows_that_differ_get_nothing_and_that_is_said() {
        let before = format!("case c\nfor n in 1, 2\n{ABOVE}listen(s, n)\nlisten(s, 7)\n");
        let new = updated(&before, &[&[(0, None), (0, None)], &[(-1, Some("EINVAL")), (0, None)]]);
        assert_eq!(new.text, before.replace("(s, 7)", "(s, 7) = 0"));
        let [left] = &new.left[..] else { panic!("{:?}", new.left) };
        assert_eq!((left.line, left.why.contains("return different things")), (4, true));
        // A row that did not run may differ, too.
        let new = updated(&before, &[&[(0, None), (0, None)]]);
        assert_eq!((new.text, new.left.len()), (before.clone(), 2), "{:?}", new.left);
        // Where nothing ran there is nothing to say.
        assert_eq!(updated(&before, &[]), Updated { text: before, written: 0, left: Vec::new() });
    }

    #[test]
    fn what_has_no_result_is_left() {
        let before = format!("{ABOVE}socket(AF_INET, SOCK_DGRAM, 0)\nlisten(s, 1)\n");
        let new = updated(&before, &[&[(4, None)]]);
        assert_eq!((new.text, new.written), (before, 0));
        let why: Vec<&str> = new.left.iter().map(|left| left.why.as_str()).collect();
        assert!(why[0].contains("has no name") && why[1].contains("was not made"), "{why:?}");
    }

    /// What does not read back as it was is not written: here a reader that takes no result at all, and
    /// one that has another case then.
    #[test]
    fn what_does_not_read_back_is_not_written() {
        let text = format!("{ABOVE}listen(s, 1)\n");
        let all = crate::read("x", &text).unwrap();
        let trace = came(&all[0], &[(3, None), (0, None)]);
        let refuses = |new: &str| match new.rfind(" = 0") {
            Some(at) => Err(vec![Fault::new(at..new.len(), "no")]),
            None => crate::read("x", new),
        };
        let forgets = |new: &str| crate::read("x", new.split("listen").next().unwrap());
        for read in [&refuses as &Read<'_>, &forgets] {
            let new = update_by(read, &text, &all, &[Some(&trace)], Os::Linux);
            assert_eq!((new.text.as_str(), new.written), (text.as_str(), 0), "{new:?}");
        }
    }

    /// One line that cannot be written takes nothing from the others, whether the reader says where it is
    /// at fault, says another place, or has other cases then.
    #[test]
    fn what_can_be_written_is_written_and_the_rest_is_named() {
        let lines: Vec<String> = (1..10).map(|n| format!("listen(s, {n})\n")).collect();
        let text = [ABOVE, &lines.concat()].concat();
        let all = crate::read("x", &text).unwrap();
        let returns = [&[(3, None)][..], &[(0, None); 9]].concat();
        let trace = came(&all[0], &returns);
        let is_bad = |new: &str| new.contains("listen(s, 4) = 0");
        let fault = |at: std::ops::Range<usize>| Err(vec![Fault::new(at, "no")]);
        let there = |new: &str| match new.find("listen(s, 4) = 0") {
            Some(at) => fault(at..at + 16),
            None => crate::read("x", new),
        };
        let elsewhere = |new: &str| if is_bad(new) { fault(0..1) } else { crate::read("x", new) };
        let other = |new: &str| {
            let text = if is_bad(new) { ABOVE } else { new };
            crate::read("x", text)
        };
        let after = text.replace(")\n", ") = 0\n").replace("(s, 4) = 0", "(s, 4)");
        for read in [&there as &Read<'_>, &elsewhere, &other] {
            let new = update_by(read, &text, &all, &[Some(&trace)], Os::Linux);
            assert_eq!((new.text.as_str(), new.written), (after.as_str(), 8), "{new:?}");
            let [left] = &new.left[..] else { panic!("{:?}", new.left) };
            assert_eq!((left.line, left.why.contains("cannot be written")), (5, true));
        }
    }
}
