//! What can be asked behind a call: what can never come is a mistake of the text.

use harness::case::op::Opt;
use harness::case::{Case, KNOWN, Op};
use harness::outcome::{errnos, fields};

use super::fits::{items, named, range, within};
use crate::fault::{Fault, nearest};

/// Why a result can never be that of a call: which part of it cannot, and what is wrong with that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cannot {
    /// As it is written.
    pub(crate) part: String,
    says: String,
    help: Option<String>,
}

impl Cannot {
    fn new(part: &str, says: impl Into<String>) -> Self {
        Self { part: part.to_owned(), says: says.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn nearest<'w>(self, word: &str, of: impl IntoIterator<Item = &'w str>) -> Self {
        match nearest(word, of) {
            Some(near) => self.help(format!("did you mean {near}?")),
            None => self,
        }
    }

    /// The same as a mistake that stands there.
    pub(crate) fn at(self, at: std::ops::Range<usize>) -> Fault {
        Fault { at, says: self.says, help: self.help }
    }
}

/// Why this can never be what `op` returns, if it cannot.
pub(crate) fn cannot(case: &Case, op: &Op, says: &str) -> Result<(), Cannot> {
    if says.starts_with(['-', '?']) {
        return Ok(());
    }
    let parts = items(says);
    for part in &parts {
        is_bytes(part)?;
    }
    let behind = parts.get(1..).unwrap_or(&[]);
    match op {
        Op::Getsockopt { option, .. } => {
            behind.iter().try_for_each(|part| value(case, option, part))
        }
        _ if is_told_data(op) => behind.iter().try_for_each(|part| of_data(op, part)),
        _ if gives_nothing(op) => match behind.first() {
            Some(part) => {
                let says = format!("{} gives nothing but what it returns", op.call());
                Err(Cannot::new(part, says))
            }
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// That what begins as bytes has some.
fn is_bytes(part: &str) -> Result<(), Cannot> {
    let Some(digits) = part.strip_prefix("0x") else { return Ok(()) };
    if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(Cannot::new(part, "hexadecimal digits are expected behind 0x"))
}

/// Whether a call writes nothing through its pointers.
fn gives_nothing(op: &Op) -> bool {
    matches!(
        op,
        Op::Bind { .. }
            | Op::Connect { .. }
            | Op::Listen { .. }
            | Op::Send { .. }
            | Op::Sendto { .. }
            | Op::Sendmsg { .. }
            | Op::Sendmmsg { .. }
            | Op::Write { .. }
            | Op::Writev { .. }
            | Op::Shutdown { .. }
            | Op::Close { .. }
            | Op::Setsockopt { .. }
            | Op::Fcntl { .. }
            | Op::Mkdir { .. }
            | Op::Unlink { .. }
            | Op::Symlink { .. }
            | Op::Chmod { .. }
    )
}

fn is_told_data(op: &Op) -> bool {
    matches!(
        op,
        Op::Recv { .. }
            | Op::Recvfrom { .. }
            | Op::Recvmsg { .. }
            | Op::Read { .. }
            | Op::Readv { .. }
    )
}

/// Whether it is a single word, such as a name.
fn is_word(part: &str) -> bool {
    !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_number(part: &str) -> bool {
    part.parse::<i64>().is_ok() || part.starts_with("0x") || range(part).is_some()
}

/// A part of what comes with data.
fn of_data(op: &Op, part: &str) -> Result<(), Cannot> {
    let call = op.call();
    match named(part) {
        Some(("msg_flags" | "msg_control", _)) if !matches!(op, Op::Recvmsg { .. }) => {
            let says = format!("{call} gives no flags and no control messages");
            Err(Cannot::new(part, says).help("recvmsg does"))
        }
        Some(("msg_flags", "0")) => Ok(()),
        Some(("msg_flags", flags)) => flags.split('|').try_for_each(|flag| is_flag(flag.trim())),
        Some(("msg_control", list)) if within(list, '[', ']').is_some() => Ok(()),
        Some(("msg_control", list)) => {
            let cannot = Cannot::new(list, "control messages are a list");
            Err(cannot.help("msg_control=[{IPPROTO_IP, IP_TTL, 64}], or [] for none"))
        }
        Some((name, _)) => {
            let says = format!("nothing that {call} gives is called {name}");
            Err(Cannot::new(name, says).nearest(name, ["msg_flags", "msg_control"]))
        }
        None if is_word(part) || is_number(part) => {
            let says = format!("{part} is nothing that {call} gives");
            Err(Cannot::new(part, says).help("data stands in quotes, or is a pattern[0..1400]"))
        }
        None => Ok(()),
    }
}

fn is_flag(flag: &str) -> Result<(), Cannot> {
    let known = KNOWN.iter().copied().filter(|known| known.starts_with("MSG_"));
    if is_number(flag) && flag != "0" || known.clone().any(|known| known == flag) {
        return Ok(());
    }
    let says = format!("{flag} is no flag of a message");
    Err(Cannot::new(flag, says).nearest(flag, known))
}

/// The value of an option.
fn value(case: &Case, option: &Opt, part: &str) -> Result<(), Cannot> {
    let name = match option {
        Opt::Raw { name, .. } => name.plain(),
        Opt::Intent(_) => "",
    };
    if let (Some(known), Some(all)) = (fields(name), within(part, '{', '}')) {
        for field in items(all) {
            let Some((field, _)) = named(field) else {
                return Err(Cannot::new(field, format!("{field} is no field with its value"))
                    .help(format!("such as {}=0", known[0])));
            };
            if !known.iter().any(|known| known == field) {
                let says = format!("{name} has no field {field}");
                return Err(
                    Cannot::new(field, says).nearest(field, known.iter().map(String::as_str))
                );
            }
        }
        return Ok(());
    }
    let is_of_the_lab = || part == "lo" || case.lab.links.iter().any(|link| link.name == part);
    let words = ["present", "zero", "own", "other", "overflow"];
    let is_known = is_number(part) || words.contains(&part) || errnos().any(|known| known == part);
    if !is_word(part) || is_known || is_of_the_lab() {
        return Ok(());
    }
    let says = format!("{part} is no value of an option");
    let cannot = Cannot::new(part, says);
    Err(cannot.help("a value is a number, bytes such as 0x0a, text in quotes, or a structure such as {l_onoff=0}"))
}
