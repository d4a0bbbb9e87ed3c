//! A case as text.

use harness::case::payload::quoted;
use harness::case::{Case, LabOp, Op};

use crate::{Asked, Demand, Written, calls, lab};

/// A case as text, which reads back as the same case.
pub fn print(case: &Case) -> String {
    text(case, &[])
}

/// The same with what its text asks.
pub fn print_written(written: &Written) -> String {
    text(&written.case, &written.asked)
}

fn text(case: &Case, asked: &[Asked]) -> String {
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
    case.lab.links.iter().for_each(|link| say(&lab::print_link(link)));
    case.lab.setup.iter().for_each(|step| say(&lab::print_step(step)));
    if case.window_ms != 0 {
        say(&format!("window {} ms", case.window_ms));
    }
    say("");
    for (number, op) in (0u32..).zip(&case.ops) {
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
    text
}

/// Whether a title is what is read back from a line that begins with `#`.
fn is_a_comment(title: &str) -> bool {
    let plain = !title.contains(['\n', '\r']) && !title.starts_with('#');
    plain && !title.is_empty() && title.trim() == title
}
