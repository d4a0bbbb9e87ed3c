//! C reproducers: one self-contained C11 file for a case, to attach to a bug.
//!
//! The file makes the calls as a plain program makes them, one statement each, and prints one line
//! for each: `#1 sendto(s) = -1 ENETDOWN (Network is down)`. What a call wrote through its pointers
//! stands beneath its line, after `    -> `, and each frame that left after `    > `. It builds its
//! lab by itself, compares what its calls do and which frames they send with the trace that it was made
//! of, and says `REPRODUCED` or `not reproduced` on its last line; its
//! exit status is 0 or 1, and 2 if it could not be tried. [`parse_output`] reads what it prints,
//! [`agrees`] compares that with a trace, [`verdict`] is its own.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use harness::case::blocking::Blocking;
use harness::case::op::Opt;
use harness::case::payload::quoted;
use harness::case::{Case, LabOp, Op, Os};
use harness::darwin::request::refused;
use harness::trace::{Did, Event, Trace};

mod arguments;
mod calls;
mod comment;
mod darwin;
mod far;
pub mod frames;
mod headers;
mod interfaces;
mod lab_linux;
mod leaves;
mod macos;
mod messages;
mod names;
mod names_linux;
mod options;
mod output;
mod parts;
mod process;
mod program;
mod raw;
mod requests;
mod server;
mod stays;
mod threads;
mod vectors;
mod waits;

pub use output::{Line, agrees, parse_output, saw_the_wire, verdict};

use parts::Part;
use program::{Missing, Program};

/// The compiler's flags that every reproducer compiles with, in silence. Some have a thread, which is no part of
/// the C library before glibc 2.34.
pub const FLAGS: [&str; 5] = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pthread"];

/// What a program says at its end that has nothing to compare itself with.
const NO_VERDICT: &str = "no verdict: nothing was observed that this could be compared with";

/// What happened when the case ran.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// The trace: the program compares each call's result with it.
    pub trace: &'a Trace,
    /// The platform, such as `linux-6.18`.
    pub platform: &'a str,
    /// The kernel's release and version.
    pub kernel: &'a str,
    /// The transcript.
    pub outcome: &'a str,
}

/// For whom and with what the file is written.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The system that it is for.
    pub os: Os,
    /// What happened there, if the case has run.
    pub observed: Option<Observed<'a>>,
    /// What should have happened, one sentence each, with its citation.
    pub expected: &'a [String],
}

/// The step of a call that did not return.
fn hung(event: &Event) -> Option<u32> {
    matches!(event, Event::Call { did: Did::Hung { .. }, .. }).then(|| event.op())
}

/// One self-contained C11 file for `case`.
pub fn reproducer(case: &Case, options: &Options<'_>) -> String {
    let mut p = Program::new(case, options.os);
    p.hung = options.observed.and_then(|o| o.trace.events.iter().find_map(hung));
    let observed = options.observed.map(|o| observations(case, o.trace)).filter(|t| !t.is_empty());
    // Else nobody saw what was sent, and there is nothing to compare with.
    let looks = !options.observed.is_some_and(|o| o.trace.is_unseen());
    needs(&mut p, looks);
    let (ends_early, left_out) = write_calls(&mut p);
    // What ends without all of its calls has no verdict.
    let observed = observed.filter(|_| !ends_early);
    if observed.is_some() {
        p.need(Part::Observed);
        if looks {
            p.need(Part::FramesObserved);
        }
    } else {
        p.body = left_out.into_iter().fold(p.body, |body, number| without(&body, number));
    }
    if p.case.window_ms > 0 {
        p.need(Part::WaitMs);
        p.line(format_args!("wait_ms({});", p.case.window_ms));
    }
    let calls = threads::statements(&mut p, ends_early);
    needs_of_addresses(&mut p);
    write_lab(&mut p);
    write_beginning(&mut p);
    if let Some(why) = threads::refused(options.os, case, p.hung.is_some()) {
        let made = std::mem::take(&mut p.body);
        cannot(&mut p, &Missing::Step(why.to_owned()));
        p.body.push_str(&made);
    }
    let lab = std::mem::take(&mut p.body);
    let shows = p.parts.has(Part::Value) || p.parts.has(Part::Listed);
    if p.parts.has(Part::Observed) && shows {
        p.need(Part::CompareValue);
    }
    let end = match (ends_early, observed.is_some()) {
        (true, _) => String::new(),
        (false, true) => "\n    return verdict();\n".to_owned(),
        (false, false) => {
            let lost = if p.parts.has(Part::WireLinux) { "    nothing_lost();\n" } else { "" };
            format!("\n{lost}    puts(\"{NO_VERDICT}\");\n    return 0;\n")
        }
    };
    let main = main(&p, &lab, &calls, &end, looks);
    let frames = options.observed.map(|o| sent(case, o.trace)).unwrap_or_default();
    let served = frames::served(case).flat_map(|l| [quoted(l.as_bytes()), ", ".to_owned()]);
    let by_hand: BTreeSet<&str> = case.by_hand().collect();
    let by_hand = by_hand.into_iter().flat_map(|l| [quoted(l.as_bytes()), ", ".to_owned()]);
    let words = [
        ("@@OBSERVED@@", observed.unwrap_or_default()),
        ("@@FRAMES@@", frames),
        ("@@SERVED@@", served.collect()),
        ("@@BY_HAND@@", by_hand.collect()),
        ("@@ANSWERING@@", lab_linux::answers(case)),
        ("@@CALLED@@", macos::called(case)),
        ("@@STEPS@@", server::steps(case)),
        ("@@FILES@@", names_linux::files(case)),
        ("@@ANSWERS@@", names_linux::answers(case)),
        ("@@MADE@@", waits::made(&case.ops)),
        ("@@OURS@@", interfaces::ours(&p)),
        ("@@LONGEST@@", server::longest(case).to_string()),
        ("@@SERVICES@@", server::services(case)),
        ("@@TAPS@@", far::taps(case)),
        ("@@LINKS@@", case.lab.links.len().to_string()),
        ("@@THREADS@@", case.threads.0.values().map(Vec::len).sum::<usize>().to_string()),
        ("@@DESTINATIONS@@", lines(leaves::rows(case).into_iter())),
    ];
    finish(&p, &comment::comment(case, options), &words, &main)
}

/// Writes what stands between the lab and the calls: the folder, and what the program looks at before it begins.
fn write_beginning(p: &mut Program<'_>) {
    if p.case.has_files() {
        p.need(Part::Folder);
        p.line(format_args!("enter_folder();"));
        if p.case.acts_for_others() {
            p.include(&["sys/stat.h"]);
            p.line(format_args!("chmod(\".\", 0711);"));
        }
    }
    process::needs_users(p);
    if p.case.speaks_vsock() {
        p.need(Part::VsockStays);
        p.line(format_args!("vsock_stays();"));
    }
}

/// What shows the addresses of other families than IP's.
fn needs_of_addresses(p: &mut Program<'_>) {
    if p.parts.has(Part::Address) && calls::has_unix(p.case) {
        p.need(Part::Unix);
    }
    if p.parts.has(Part::Address) && p.os == Os::Linux && p.case.has_packets() {
        p.need(Part::Packet);
    }
    if !p.parts.has(Part::Address) || p.os != Os::Linux {
        return;
    }
    for (family, part) in [("AF_VSOCK", Part::VsockName), ("AF_NETLINK", Part::NetlinkName)] {
        let is_one = |op: &Op| matches!(op, Op::Socket { domain, .. } if domain.plain() == family);
        if p.case.ops.iter().any(is_one) {
            p.need(part);
        }
    }
}

/// The functions that a case needs whatever its calls are.
fn needs(p: &mut Program<'_>, looks: bool) {
    let case = p.case;
    let linux = p.os == Os::Linux;
    for (part, needed) in [
        (Part::AnswerAll, linux && lab_linux::is_read(case)),
        (Part::Server, linux && server::serves(case)),
        (Part::TcpOptions, looks && case.tells_options()),
        (Part::Wire, looks),
        (Part::WireLinux, linux && looks),
        (Part::Deadline, calls::patience_ms(case).is_some()),
        (Part::Pipe, calls::streams(case)),
    ] {
        if needed {
            p.need(part);
        }
    }
    if looks && !linux {
        macos::watch(p);
    }
}

/// The function `main`.
fn main(p: &Program<'_>, lab: &str, calls: &str, end: &str, looks: bool) -> String {
    let mut main = String::from("int main(void)\n{\n");
    if p.has_ret {
        main.push_str("    ssize_t ret;\n\n");
    }
    if !lab.is_empty() {
        main.push_str("    /* The lab. */\n");
        main.push_str(lab);
    }
    if looks {
        main.push_str("    watch_wire();\n");
    }
    if calls::streams(p.case) {
        main.push_str("    catch_pipe();\n");
    }
    if let Some(ms) = calls::patience_ms(p.case) {
        let _ = writeln!(main, "    set_deadline({ms});");
    }
    main.push_str("\n    /* The calls. */\n");
    for part in [calls, end, "}\n"] {
        main.push_str(part);
    }
    main
}

/// The whole file: comment, headers, functions, `main`.
fn finish(p: &Program<'_>, comment: &str, words: &[(&str, String)], main: &str) -> String {
    let defines = match p.os {
        Os::Linux => "#define _GNU_SOURCE\n",
        Os::Macos => "#define _DARWIN_C_SOURCE\n#define __APPLE_USE_RFC_3542\n",
    };
    let mut headers = p.headers.clone();
    headers.insert("#include <stdio.h>".to_owned());
    let mut functions = p.parts.text(words, &mut headers);
    if !p.case.threads.is_empty() {
        functions += &threads::functions(p);
    }
    let mut out = format!("{comment}{defines}");
    for header in &headers {
        let _ = writeln!(out, "{header}");
    }
    out.push('\n');
    let missing = names::defines(p.os, main);
    if !missing.is_empty() {
        let _ = writeln!(
            out,
            "/* For headers that are older than the kernel, or warn of what they have. */\n{missing}"
        );
    }
    out.push_str(&functions);
    out.push_str(main);
    out
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

/// Writes the lab, into the program's body, after the calls: it must know whom they speak of.
fn write_lab(p: &mut Program<'_>) {
    let case = p.case;
    if p.os == Os::Linux {
        lab_linux::build(p, &lab_linux::far_ends(case));
    } else {
        macos::build(p);
    }
    for link in p.indexed.clone() {
        p.include(&["net/if.h"]);
        let (var, name) = (p.index(&link), p.link(&link));
        let unsigned = if p.is_threaded() { "" } else { "const unsigned " };
        p.line(format_args!("{unsigned}{var} = if_nametoindex({name});"));
    }
    for (place, step) in case.lab.setup.iter().enumerate() {
        let Err(missing) = lab_step(p, &format!("_setup{place}"), step) else { continue };
        // Said before anything is made.
        let made = std::mem::take(&mut p.body);
        cannot(p, &missing);
        p.body.push_str(&made);
    }
    if p.os == Os::Macos {
        leaves::look(p);
        macos::tidy_at_the_end(p);
        if let Some(why) = refused(case) {
            let made = std::mem::take(&mut p.body);
            cannot(p, &Missing::Step(why));
            p.body.push_str(&made);
        }
    }
}

fn lab_step(p: &mut Program<'_>, tag: &str, step: &LabOp) -> Result<(), Missing> {
    match p.os {
        Os::Linux => lab_linux::step(p, tag, step),
        Os::Macos => macos::step(p, tag, step),
    }
}

/// Ends the program: the lab is not to be had.
fn cannot(p: &mut Program<'_>, missing: &Missing) {
    let (Missing::Step(why) | Missing::Name(why)) = missing;
    let text = quoted(format!("not tried: the lab cannot be made: {why}\n").as_bytes());
    p.line(format_args!("fputs({text}, stderr);"));
    p.line(format_args!("return 2;"));
}

/// That a call was not made, since the system has not got the option that it only reads.
fn not_made(number: u32) -> String {
    format!("compare({number}, -1, \"unsupported\");")
}

/// Where there is nothing to compare with.
fn without(body: &str, number: u32) -> String {
    body.replace(&format!("    {}\n", not_made(number)), "")
}

/// Writes the calls, and the lab's steps among them; whether the case ends before its end, since
/// the system has not got what it asks for, and which calls are left out for that.
fn write_calls(p: &mut Program<'_>) -> (bool, Vec<u32>) {
    let mut left_out = Vec::new();
    let mut blocking = Blocking::of(p.case);
    let acts = p.parts.has(Part::FarEnd) || p.parts.has(Part::Server);
    for (number, op) in (0u32..).zip(&p.case.ops) {
        p.blank();
        let is_anothers = p.case.thread_of(number).is_some();
        let may_block = acts && blocking.may_block(op) && !is_anothers;
        blocking.succeeded(op);
        let (length, parts, headers) = (p.body.len(), p.parts.clone(), p.headers.clone());
        let done = match op {
            Op::Lab { step } => among(p, number, step),
            op => calls::call(p, number, op),
        };
        if may_block && done.is_ok() {
            p.need(Part::Acting);
            act_meanwhile(p, length);
        }
        let Err(missing) = done else {
            if is_anothers {
                threads::cut(p, number, length);
            } else {
                threads::rest(p, number);
            }
            continue;
        };
        p.body.truncate(length);
        (p.parts, p.headers) = (parts, headers);
        match &missing {
            Missing::Step(_) => cannot(p, &missing),
            Missing::Name(name) => {
                let text = format!("#{number} {} = unsupported {name}", program::shown(op));
                p.line(format_args!("puts({});", quoted(text.as_bytes())));
                // Of the last one nothing is left that could be told, as of a run's.
                let is_last = usize::try_from(number).is_ok_and(|n| n + 1 == p.case.ops.len());
                if op.may_be_left_out() && !is_last {
                    left_out.push(number);
                    p.line(format_args!("{}", not_made(number)));
                    continue;
                }
                let text = format!("not tried: this system has no {name}\n");
                p.line(format_args!("fputs({}, stderr);", quoted(text.as_bytes())));
                p.line(format_args!("return 2;"));
            }
        }
        return (true, left_out);
    }
    (false, left_out)
}

/// Whether this line of a step is the call itself: what is given to it stands before it.
fn is_a_call(line: &str) -> bool {
    let begins = line.contains(" = ") && !line.contains('{') && line.ends_with(");");
    begins && (line.contains("ret = ") || line.contains(" = accept"))
}

/// Lets the far ends act while the call that stands behind `length` is made, which may block.
fn act_meanwhile(p: &mut Program<'_>, length: usize) {
    let mut at = length;
    for line in p.body[length..].split_inclusive('\n') {
        if is_a_call(line.trim_end()) {
            break;
        }
        at += line.len();
    }
    p.body.insert_str(at, "    begin_acting();\n");
}

/// Writes a step of the lab among the calls.
fn among(p: &mut Program<'_>, number: u32, step: &LabOp) -> Result<(), Missing> {
    let command = match p.os {
        Os::Linux => lab_linux::command(&p.case.lab, step),
        Os::Macos => macos::command(&p.case.lab, step)?,
    };
    let text = format!("#{number} {command}");
    if p.os == Os::Macos {
        let call = macos::printed(&p.case.lab, &format!("{text}\n"));
        p.line(format_args!("printf({call});"));
    } else {
        p.line(format_args!("puts({});", quoted(text.as_bytes())));
    }
    match step {
        LabOp::Wait { ms, until: Some(link), .. } if p.parts.has(Part::Wire) => {
            p.need(Part::WaitFrame);
            let link = quoted(link.as_bytes());
            p.line(format_args!("wait_frame({number}, {link}, {ms});"));
        }
        step => lab_step(p, &number.to_string(), step)?,
    }
    if p.parts.has(Part::Wire) {
        p.line(format_args!("look({number});"));
    }
    if p.os == Os::Macos && leaves::leads_away(step) {
        leaves::look(p);
    }
    Ok(())
}

/// The rows of the table of what was observed.
fn observations(case: &Case, trace: &Trace) -> String {
    let mut rows = Vec::new();
    for event in &trace.events {
        let Event::Call { op, did, .. } = event else { continue };
        let Some(step) = case.ops.get(*op as usize) else { continue };
        let row = match did {
            Did::Unsupported { .. } => format!("{{{op}, -1, \"unsupported\", NULL}},"),
            Did::Hung { .. } => format!("{{{op}, -1, \"hung\", NULL}},"),
            Did::Returned { ret, errno, .. } => {
                let ret = match step {
                    _ if errno.is_some() => ret.to_string(),
                    step if step.gives_a_descriptor() => "DESCRIPTOR".to_owned(),
                    step if output::is_a_process(step, *ret) => "PROCESS".to_owned(),
                    step if output::is_of_a_link(trace, step, *ret) => "INDEX".to_owned(),
                    _ => ret.to_string(),
                };
                let signal = trace
                    .events
                    .iter()
                    .any(|event| matches!(event, Event::Signal { op: of, .. } if of == op));
                let errno = errno.as_ref().map_or("", |e| e.as_str());
                let errno = format!("{errno}{}", if signal { " SIGPIPE" } else { "" });
                // A word of a stranger's trace is no code.
                let errno = quoted(errno.as_bytes());
                let value = output::first_value((case, trace), step, did)
                    .map_or_else(|| "NULL".to_owned(), |w| quoted(w.as_bytes()));
                format!("{{{op}, {ret}, {errno}, {value}}},")
            }
        };
        rows.push(format!("    {row}"));
    }
    rows.join("\n")
}

/// The rows of the table of frames.
fn sent(case: &Case, trace: &Trace) -> String {
    let rows = frames::observed(case, trace).into_iter();
    let rows = rows.map(|(op, text)| format!("    {{{op}, {}}},", quoted(text.as_bytes())));
    // The table must not be empty in C.
    lines(rows.chain(["    {-1, NULL},".to_owned()]))
}

/// Whether the option's value is an interface index, which no two labs need to share.
fn is_index(op: &Op) -> bool {
    let Op::Getsockopt { option: Opt::Raw { name, .. }, .. } = op else {
        return matches!(op, Op::Getsockopt { option: Opt::Intent(_), .. });
    };
    ["IPV6_MULTICAST_IF", "IP_BOUND_IF", "IPV6_BOUND_IF"].contains(&name.as_str())
}
