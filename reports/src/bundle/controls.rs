//! Cases like another one: what a bug is not.

use harness::case::Case;

/// How many are told.
pub const MOST: usize = 5;

/// How near a case is to another: 0 if both are rows of one table that differ in one parameter, 1
/// if it makes the same call over links of the same kinds in another lab. None if it is neither.
///
/// `op` is the call that the bug is about.
pub fn nearness(bug: &Case, op: u32, other: &Case) -> Option<u8> {
    if bug.id == other.id {
        return None;
    }
    let (ours, theirs) = (parameters(&bug.id), parameters(&other.id));
    if bug.table() == other.table() && ours.len() == theirs.len() {
        let differ = ours.iter().zip(&theirs).filter(|(a, b)| a != b).count();
        return (differ == 1).then_some(0);
    }
    let kinds = |case: &Case| case.lab.links.iter().map(|link| link.kind).collect::<Vec<_>>();
    let wanted = call(bug, op as usize)?;
    let calls = (0..other.ops.len()).filter_map(|at| call(other, at));
    let same = calls.into_iter().any(|made| made == wanted);
    let near = bug.suite() == other.suite() && bug.lab.setup != other.lab.setup;
    (near && same && kinds(bug) == kinds(other)).then_some(1)
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
    fn one_parameter_apart_is_nearest() {
        let lab = || Lab::one(LinkKind::Tap, "link0");
        let down = || lab().with([LabOp::LinkDown { link: "link0".into() }]);
        let bug = case("s/t[tap,down]", down(), &listen("s"));
        let near = |id: &str, lab, ops: &str| nearness(&bug, 0, &case(id, lab, ops));
        assert_eq!(near("s/t[tap,up]", lab(), "[]"), Some(0));
        assert_eq!(near("s/t[tun,up]", lab(), "[]"), None);
        assert_eq!(near("s/t[tap,down]", down(), "[]"), None, "itself");
        // The same call in another lab, and what only looks like it.
        assert_eq!(near("s/other", lab(), &listen("s")), Some(1));
        assert_eq!(near("s/other", lab(), &listen("other")), None);
        assert_eq!(near("s/other", down(), &listen("s")), None, "the same lab");
        assert_eq!(near("t/other", lab(), &listen("s")), None, "another suite");
    }
}
