//! A case as text.

use harness::case::payload::quoted;
use harness::case::{Case, LabOp, Op};

use crate::{Asked, Demand, Written, calls, lab};

/// A case as text, which reads back as the same case.
pub fn print(case: &Case) -> String {
    text(case, &[], &[], &[])
}

/// The same with what its text asks.
pub fn print_written(written: &Written) -> String {
    text(&written.case, &written.asked, &[], &[])
}

/// A comment between steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    /// Before which step it stands, from 0.
    pub(crate) before: u32,
    /// What it says, in one line.
    pub(crate) says: String,
    /// How often it would stand there.
    pub(crate) times: u32,
}

/// A case as text with these comments above the lab, and remarks between its steps.
pub(crate) fn print_remarked(case: &Case, head: &[String], remarks: &[Remark]) -> String {
    text(case, &[], head, remarks)
}

fn text(case: &Case, asked: &[Asked], head: &[String], remarks: &[Remark]) -> String {
    let mut text = String::new();
    let mut say = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    say(&format!("case {}", case.id));
    if is_a_comment(&case.title) {
        say(&format!("# {}", case.title));
    } else if !case.title.is_empty() {
        say(&format!("title {}", quoted(case.title.as_bytes())));
    }
    if !case.catalogue.is_empty() {
        say(&format!("catalogue {}", case.catalogue.join(", ")));
    }
    if !head.is_empty() {
        // A comment that stood directly below the title would be a part of it.
        say("");
        for line in head {
            say(&format!("# {line}"));
        }
    }
    case.lab.links.iter().for_each(|link| say(&lab::print_link(link)));
    case.lab.setup.iter().for_each(|step| say(&lab::print_step(step)));
    if case.window_ms != 0 {
        say(&format!("window {} ms", case.window_ms));
    }
    say("");
    let mut remarks = remarks.iter().peekable();
    let mut remark = |upto: u32, say: &mut dyn FnMut(&str)| {
        while let Some(one) = remarks.next_if(|one| one.before <= upto) {
            let times = match one.times {
                1 => String::new(),
                times => format!(" ({times} times)"),
            };
            say(&format!("# {}{times}", one.says));
        }
    };
    for (number, op) in (0u32..).zip(&case.ops) {
        remark(number, &mut say);
        let thread = case.thread_of(number).map(|t| format!("{t}: ")).unwrap_or_default();
        match op {
            Op::Lab { step: LabOp::Say { link, frame } } => {
                say(&format!("    {}", lab::print_said(link, frame)));
            }
            Op::Lab { step } => say(&format!("-- {}", lab::print_step(step))),
            op => {
                let mut line = format!("{thread}{}", calls::print(op));
                for one in asked.iter().filter(|one| one.op == number) {
                    if let Demand::Result(_) = &one.what {
                        let said = one.what.to_string();
                        // Behind the name of what it makes only what else is asked.
                        let said = if line.ends_with(')') || line.ends_with(" ms") {
                            format!(" {said}")
                        } else {
                            said.replacen('=', ",", 1)
                        };
                        line.push_str(&said);
                    }
                }
                say(&line);
            }
        }
        let frames = asked.iter().filter(|one| one.op == number);
        for one in frames.filter(|one| !matches!(one.what, Demand::Result(_))) {
            say(&format!("    {}", one.what));
        }
    }
    remark(u32::MAX, &mut say);
    text
}

/// Whether a title is what is read back from a line that begins with `#`.
fn is_a_comment(title: &str) -> bool {
    let plain = !title.contains(['\n', '\r']) && !title.starts_with('#');
    plain && !title.is_empty() && title.trim() == title
}
