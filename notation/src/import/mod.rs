//! What a program did, from a log of its calls, as a case.
//!
//! A log is read by whoever knows its form ([`strace`]) into [`Log`]; from there on all is one. The calls of one
//! process are taken in order, each with what it returned. What a case cannot say stands as a remark at its
//! place, with its reason. Addresses other than loopback's are replaced by the hosts of a lab.
//!
//! The log is gone through twice: what is learned of a socket late, such as its port, is known from the
//! beginning then.

mod arrivals;
mod calls;
mod convert;
mod data;
mod draft;
mod far;
mod hosts;
mod log;
mod messages;
mod options;
mod process;
mod receives;
mod sockets;
mod strace;
#[cfg(test)]
mod tests;
mod transfers;
mod words;

use harness::case::Os;
use harness::outcome::{self, What, errnos};
use harness::trace::{Did, Event, Out, Trace};

use crate::file::print_remarked;
use convert::{Converter, Facts};
pub use log::{Arg, Called, Log};
use process::Process;
pub use strace::strace;

/// What is wanted of an import.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// The process that this thread is of; the one with the most calls if none is named.
    pub pid: Option<u32>,
    /// Whether the table of hosts says whom they stand for.
    pub keep_addresses: bool,
}

/// A log as a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The text of the case.
    pub text: String,
    /// How many calls it makes.
    pub said: usize,
    /// How many calls are told as remarks alone.
    pub left: usize,
}

/// The case that a log tells of; what is wrong with the log, as one sentence.
pub fn import(log: &Log, wanted: &Wanted) -> Result<Imported, String> {
    let (process, others) = process::chosen(process::processes(log), wanted.pid)?;
    let mut first = Converter::new(Facts::default());
    first.run(&process.calls);
    let mut second = Converter::new(first.learned());
    second.run(&process.calls);
    let (said, left) = (second.draft.said, second.draft.left);
    if said == 0 {
        let why = second.draft.remarks.first().map(|one| format!(": {}", one.says));
        return Err(format!("no call of it can be said{}", why.unwrap_or_default()));
    }
    let mut head = head(&process, &others, left);
    head.extend(second.hosts.table(wanted.keep_addresses));
    let (mut case, mut trace, remarks) = second.done();
    case.title =
        "What a program did, from a log of its calls: does the same come of it here?".into();
    case.check()?;
    forget_the_unknown(&case, &mut trace);
    let text = print_remarked(&case, &head, &remarks);
    let told = |faults: Vec<crate::Fault>| {
        let first = faults.first().map(|fault| fault.says.clone()).unwrap_or_default();
        format!("what it tells cannot be written so that it reads back: {first}")
    };
    let written = crate::read("import", &text).map_err(told)?;
    let updated = crate::update("import", &text, &written, &[Some(&trace)], Os::Linux);
    Ok(Imported { text: updated.text, said, left })
}

/// Whose calls they are, and what is not among them.
fn head(process: &Process<'_>, others: &[Process<'_>], left: usize) -> Vec<String> {
    let calls = |count: usize| {
        if count == 1 { "1 socket call".to_owned() } else { format!("{count} socket calls") }
    };
    let mut lines = Vec::new();
    if process.threads.len() > 1 {
        let threads = process.threads.iter().map(|(pid, count)| format!("{pid} with {count}"));
        let threads: Vec<String> = threads.take(16).collect();
        lines.push(format!("socket calls of the threads {}", threads.join(", ")));
    }
    for other in others.iter().take(16) {
        let pid = other.threads.keys().next().copied().unwrap_or(0);
        let count = calls(other.count());
        lines.push(format!("not here: {count} of another process, --pid {pid} takes them"));
    }
    if left > 0 {
        lines.push(format!("{} cannot be said: the reason stands at its place", calls(left)));
    }
    lines
}

/// Where data came that nothing in the case sends, no data is asked for.
fn forget_the_unknown(case: &harness::case::Case, trace: &mut Trace) {
    let lines = outcome::lines(case, trace, Os::Linux);
    let unknown = lines.iter().filter(|line| line.text.contains("DIFFERENT data "));
    let places: Vec<usize> = unknown
        .filter(|line| matches!(line.what, What::Call { .. }))
        .filter_map(|line| line.event)
        .collect();
    for place in places {
        if let Some(Event::Call { did: Did::Returned { out, .. }, .. }) =
            trace.events.get_mut(place)
        {
            *out = Out::Nothing;
        }
    }
}

/// Whether an errno has that name.
fn is_errno(name: &str) -> bool {
    errnos().any(|known| known == name)
}
