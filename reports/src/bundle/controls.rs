//! Cases like another one: what a bug is not.

use harness::case::Case;
use serde_json::Value;

/// How many are told.
pub const MOST: usize = 5;

/// What one case has otherwise than another, where that is one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It leaves out this step of the other's.
    LeftOut(usize),
    /// One value of this step is another one.
    Value(usize),
    /// It leaves out this step of the other's lab.
    LabLeftOut(usize),
    /// One value of the lab is another one.
    LabValue,
}

/// How near a case is to another: 0 if it is the same without one call, 1 if one value of a call is
/// another one, 2 if its lab differs as little, 3 if both are rows of one table that differ in one
/// parameter, 4 if it makes the same call over links of the same kinds in another lab. None if it is
/// none of these.
///
/// `op` is the call that the bug is about, which all of them make.
pub fn nearness(bug: &Case, op: u32, other: &Case) -> Option<u8> {
    if bug.id == other.id {
        return None;
    }
    match difference(bug, op, other) {
        Some(Difference::LeftOut(_)) => return Some(0),
        Some(Difference::Value(_)) => return Some(1),
        Some(Difference::LabLeftOut(_) | Difference::LabValue) => return Some(2),
        None => {}
    }
    let (ours, theirs) = (parameters(&bug.id), parameters(&other.id));
    if bug.table() == other.table() && ours.len() == theirs.len() {
        let differ = ours.iter().zip(&theirs).filter(|(a, b)| a != b).count();
        return (differ == 1).then_some(3);
    }
    let kinds = |case: &Case| case.lab.links.iter().map(|link| link.kind).collect::<Vec<_>>();
    let wanted = call(bug, op as usize)?;
    let calls = (0..other.ops.len()).filter_map(|at| call(other, at));
    let same = calls.into_iter().any(|made| made == wanted);
    let near = bug.suite() == other.suite() && bug.lab.setup != other.lab.setup;
    (near && same && kinds(bug) == kinds(other)).then_some(4)
}

/// The one thing that `other` has otherwise; none if it is more, or the very call that the bug is about.
pub fn difference(bug: &Case, op: u32, other: &Case) -> Option<Difference> {
    let (ours, theirs) = (values(&bug.ops)?, values(&other.ops)?);
    if bug.threads != other.threads || bug.window_ms != other.window_ms {
        return None;
    }
    if bug.lab == other.lab {
        if let Some(at) = left_out(&ours, &theirs) {
            return (at != op as usize).then_some(Difference::LeftOut(at));
        }
        return one_value(&ours, &theirs).map(Difference::Value);
    }
    if ours != theirs {
        return None;
    }
    let setup = |case: &Case| values(&case.lab.setup);
    if bug.lab.links == other.lab.links
        && let Some(at) = left_out(&setup(bug)?, &setup(other)?)
    {
        return Some(Difference::LabLeftOut(at));
    }
    let labs = [serde_json::to_value(&bug.lab).ok()?, serde_json::to_value(&other.lab).ok()?];
    (leaves(&labs[0], &labs[1]) == 1).then_some(Difference::LabValue)
}

/// How much of two cases differs, in characters of their calls: of two that are as near, the one with
/// less tells more.
pub fn distance(bug: &Case, other: &Case) -> usize {
    let text = |case: &Case| serde_json::to_string(&(&case.lab, &case.ops)).unwrap_or_default();
    let (ours, theirs) = (text(bug).into_bytes(), text(other).into_bytes());
    let same = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
    let (ours, theirs) = (&ours[same..], &theirs[same..]);
    let tail = ours.iter().rev().zip(theirs.iter().rev()).take_while(|(a, b)| a == b).count();
    ours.len().max(theirs.len()) - tail
}

fn values<T: serde::Serialize>(steps: &[T]) -> Option<Vec<Value>> {
    steps.iter().map(|step| serde_json::to_value(step).ok()).collect()
}

/// Which of `ours` is not among `theirs`, if they are the same otherwise.
fn left_out(ours: &[Value], theirs: &[Value]) -> Option<usize> {
    if ours.len() != theirs.len() + 1 {
        return None;
    }
    let at = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    (ours[at + 1..] == theirs[at..]).then_some(at)
}

/// Which of them differs, if it is one and in one value.
fn one_value(ours: &[Value], theirs: &[Value]) -> Option<usize> {
    let mut differ = (0..ours.len()).filter(|at| theirs.get(*at) != Some(&ours[*at]));
    let at = differ.next().filter(|_| ours.len() == theirs.len())?;
    (differ.next().is_none() && leaves(&ours[at], &theirs[at]) == 1).then_some(at)
}

/// How many values of the one are not those of the other; many where their shapes differ.
fn leaves(ours: &Value, theirs: &Value) -> usize {
    const MANY: usize = 2;
    match (ours, theirs) {
        _ if ours == theirs => 0,
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            a.values().zip(b.values()).map(|(a, b)| leaves(a, b)).sum()
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).map(|(a, b)| leaves(a, b)).sum()
        }
        (Value::Object(_) | Value::Array(_), _) | (_, Value::Object(_) | Value::Array(_)) => MANY,
        _ => 1,
    }
}

/// The step of `other` that makes the call that the bug is about; else one with the same function.
pub(super) fn counterpart(bug: &Case, op: u32, other: &Case) -> Option<u32> {
    let wanted = call(bug, op as usize)?;
    let same = (0..other.ops.len()).find(|at| call(other, *at).as_ref() == Some(&wanted));
    let name = bug.ops.get(op as usize)?.call();
    let place = bug.ops.iter().take(op as usize).filter(|op| op.call() == name).count();
    let called = other.ops.iter().enumerate().filter(|(_, op)| op.call() == name);
    let at = same.or(called.map(|(at, _)| at).nth(place))?;
    u32::try_from(at).ok()
}

fn parameters(id: &str) -> Vec<&str> {
    let inner = id.split_once('[').and_then(|(_, rest)| rest.strip_suffix(']'));
    inner.map_or_else(Vec::new, |inner| inner.split(',').collect())
}

/// A call as text, with its links by their numbers.
fn call(case: &Case, at: usize) -> Option<String> {
    let mut text = serde_json::to_string(case.ops.get(at)?).ok()?;
    for (number, link) in case.lab.links.iter().enumerate() {
        text = text.replace(&format!("\"{}\"", link.name), &format!("\"#{number}\""));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use harness::case::{Lab, LabOp, LinkKind, Threads};

    use super::*;

    fn case(id: &str, lab: Lab, ops: &str) -> Case {
        let ops = serde_json::from_str(ops).unwrap();
        let (title, catalogue) = (String::new(), Vec::new());
        Case { id: id.to_owned(), title, catalogue, lab, ops, window_ms: 0, threads: Threads::NONE }
    }

    fn listen(fd: &str) -> String {
        format!(r#"[{{"listen":{{"fd":"{fd}","backlog":1}}}}]"#)
    }

    #[test]
    fn one_parameter_apart_is_near() {
        let lab = || Lab::one(LinkKind::Tap, "link0");
        let down = || lab().with([LabOp::LinkDown { link: "link0".into() }]);
        let bug = case("s/t[tap,down]", down(), &listen("s"));
        let near = |id: &str, lab, ops: &str| nearness(&bug, 0, &case(id, lab, ops));
        assert_eq!(near("s/t[tap,up]", lab(), "[]"), Some(3));
        assert_eq!(near("s/t[tun,up]", lab(), "[]"), None);
        assert_eq!(near("s/t[tap,down]", down(), "[]"), None, "itself");
        // The same call in another lab, and what only looks like it.
        let other_lab = || lab().with([LabOp::LinkUp { link: "link0".into() }]);
        let two = r#"[{"listen":{"fd":"s","backlog":1}},{"close":{"fd":"s"}}]"#;
        assert_eq!(near("s/other", other_lab(), two), Some(4));
        assert_eq!(near("s/other", lab(), &listen("other")), None);
        assert_eq!(near("t/other", other_lab(), two), None, "another suite");
    }

    #[test]
    fn one_thing_apart_is_nearest() {
        let lab = || Lab::one(LinkKind::Tap, "link0");
        let down = || lab().with([LabOp::LinkDown { link: "link0".into() }]);
        let calls = |how: &str, backlog: u8| {
            format!(
                r#"[{{"shutdown":{{"fd":"s","how":"{how}"}}}},{{"listen":{{"fd":"s","backlog":{backlog}}}}}]"#
            )
        };
        let bug = case("s/t[tap,down]", down(), &calls("SHUT_RD", 1));
        let told = |lab, ops: &str, op| {
            let other = case("s/other", lab, ops);
            (difference(&bug, op, &other), nearness(&bug, op, &other))
        };
        let without = told(down(), &listen("s"), 1);
        assert_eq!(without, (Some(Difference::LeftOut(0)), Some(0)));
        // What leaves out the call that it is about tells nothing.
        assert_eq!(told(down(), r#"[{"shutdown":{"fd":"s","how":"SHUT_RD"}}]"#, 1), (None, None));
        let value = told(down(), &calls("SHUT_WR", 1), 1);
        assert_eq!(value, (Some(Difference::Value(0)), Some(1)));
        assert_eq!(told(down(), &calls("SHUT_RD", 2), 1).0, Some(Difference::Value(1)));
        assert_eq!(told(down(), &calls("SHUT_WR", 2), 1).0, None, "two values");
        let up = told(lab(), &calls("SHUT_RD", 1), 1);
        assert_eq!(up, (Some(Difference::LabLeftOut(0)), Some(2)));
        assert_eq!(told(lab(), &calls("SHUT_WR", 1), 1).0, None, "a value, and the lab");
        let mut wide = down();
        wide.links[0].mtu = 9000;
        assert_eq!(told(wide, &calls("SHUT_RD", 1), 1).0, Some(Difference::LabValue));
        // Of two values the one that is nearer.
        let to = |text: &str| {
            let ops = format!(r#"[{{"shutdown":{{"fd":"s","how":"{text}"}}}}]"#);
            case("s/other", down(), &ops)
        };
        assert_eq!(distance(&to("65536"), &to("65535")), 1);
        assert!(distance(&to("65536"), &to("80")) > 1);
        assert_eq!(distance(&bug, &bug), 0);
    }
}
