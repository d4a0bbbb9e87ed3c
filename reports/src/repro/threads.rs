//! Cases with more than one thread: each call of another thread is a function, which a thread of its own runs.
//! What it gave is told when all of them are at rest, as the executor does it.

use std::fmt::Write as _;

use harness::case::payload::quoted;
use harness::case::{Case, Os};

use super::calls;
use super::parts::Part;
use super::program::{Program, shown};

/// How the functions of the case's threads are told from those of the program.
pub(super) const PREFIX: &str = "case_";

/// Why there is no program for the case.
pub(super) fn refused(os: Os, case: &Case, hung: bool) -> Option<&'static str> {
    if case.is_served() {
        Some("a far end of the case speaks a protocol, which is no part of a C program")
    } else if case.threads.is_empty() {
        None
    } else if os != Os::Linux {
        Some("the case has more than one thread, and of one nobody can tell here whether it waits")
    } else {
        let why = "a call of one of several threads did not return, and whose that is is not told";
        hung.then_some(why)
    }
}

/// Makes of the statements behind `length`, which are a step's, a function, and begins it.
pub(super) fn cut(p: &mut Program<'_>, number: u32, length: usize) {
    let Some(thread) = p.case.thread_of(number) else { return };
    let lines = p.body.split_off(length);
    let (mut text, mut is_made) = (String::new(), false);
    for line in lines.split_inclusive('\n') {
        let calls = !is_made && super::is_a_call(line.trim_end());
        if calls {
            text.push_str("    begins();\n");
        }
        text.push_str(line);
        if calls {
            text.push_str("    returns();\n");
        }
        is_made |= calls;
    }
    let ret = if text.contains("    ret = ") { "    ssize_t ret;\n" } else { "" };
    let name = format!("{PREFIX}call{number}");
    let _ = write!(
        p.functions,
        "static void *{name}(void *caller)\n{{\n{ret}\n    own = caller;\n{text}    return NULL;\n}}\n\n"
    );
    // A thread makes one call at a time.
    if let Some(before) = last(p.case, thread, number) {
        p.line(format_args!("finish({before});"));
    }
    let called = p.case.ops.get(number as usize).map(shown).unwrap_or_default();
    p.line(format_args!("begin({number}, {}, {name});", quoted(called.as_bytes())));
    p.need(Part::Threads);
}

/// The step of a thread that stands last before this one.
pub(super) fn last(case: &Case, thread: &str, number: u32) -> Option<u32> {
    let steps = case.threads.0.get(thread)?.iter().copied();
    steps.filter(|step| *step < number).max()
}

/// Where they rest behind a step.
pub(super) fn rest(p: &mut Program<'_>, number: u32) {
    if p.parts.has(Part::Threads) {
        p.line(format_args!("rest({number});"));
    }
}

/// The statements of `main`, behind which all threads are waited for.
pub(super) fn statements(p: &mut Program<'_>, ends_early: bool) -> String {
    if p.parts.has(Part::Threads) && !ends_early {
        p.blank();
        p.line(format_args!("finish_all();"));
    }
    let calls = std::mem::take(&mut p.body);
    if !p.is_threaded() {
        return calls::without_unread(&calls);
    }
    p.has_ret = calls.contains(" ret = ");
    calls
}

/// What the functions have in common with `main`, and they themselves.
pub(super) fn functions(p: &Program<'_>) -> String {
    let mut text = String::new();
    for fd in &p.declared {
        let _ = writeln!(text, "static int {fd} = -1;");
    }
    for port in &p.shared {
        let _ = writeln!(text, "static {port};");
    }
    for link in &p.indexed {
        let _ = writeln!(text, "static unsigned {};", p.link_variable(link));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text + &p.functions
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program without what its far end speaks would say that nothing is reproduced.
    #[test]
    fn a_case_whose_far_end_speaks_a_protocol_has_no_program() {
        let case = |does: &str| -> Case {
            let text = format!(
                r#"{{"id":"a/b","title":"","catalogue":[],"ops":[],"window_ms":0,"lab":{{
                    "links":[{{"name":"l","kind":"tun","mtu":1500,"ranges":["v4"]}}],
                    "setup":[{{"serve":{{"link":"l","service":{{"port":80,{does}}}}}}}]}}}}"#
            );
            serde_json::from_str(&text).expect("a case")
        };
        let speaks = case(r#""script":[],"speaks":{"protocol":"http"}"#);
        let why = refused(Os::Linux, &speaks, false).expect("a reason");
        assert!(why.contains("speaks a protocol"), "{why}");
        assert_eq!(refused(Os::Linux, &case(r#""script":["close"]"#), false), None);
    }
}
