//! What of a trace is let in: it may come from a stranger, and everything behind goes by its numbers
//! and names.

use std::collections::BTreeSet;

use super::{ControlOut, Did, End, Event, Out, Trace};
use crate::SCHEMA;
use crate::case::{Case, Op, Sym};

/// How many characters a name may have: of a signal, an errno, a control message.
const NAME: usize = 256;

/// How many characters a sentence may have, with the last lines of a console.
const SENTENCE: usize = 64 << 10;

/// Far beyond any of these times, and so that two can be added.
const LATEST_NS: u64 = 1 << 62;

impl Trace {
    /// Whether it can be what happened in `case`.
    ///
    /// # Errors
    /// It cannot, and why, as one sentence.
    pub fn check(&self, case: &Case) -> Result<(), String> {
        if self.schema != SCHEMA {
            return Err(format!("it is of schema {}", self.schema));
        }
        if self.case != case.id {
            return Err(format!(
                "it is of the case {:?}",
                self.case.chars().take(NAME).collect::<String>()
            ));
        }
        if self.began_ns > LATEST_NS {
            return Err("its beginning is at no time".to_owned());
        }
        if self.pauses_ms.len() > Self::TAKES || self.disturbed.len() > Self::TAKES {
            return Err(format!("it was taken more than {} times", Self::TAKES));
        }
        self.check_words()?;
        self.check_links(case)?;
        self.check_sentences()?;
        let mut made = BTreeSet::new();
        for event in &self.events {
            self.check_event(case, event)?;
            let again = !matches!(event, Event::Frame { .. } | Event::Signal { .. });
            if again && !made.insert(event.op()) {
                return Err(format!("step {} was taken twice", event.op()));
            }
        }
        Ok(())
    }

    fn check_links(&self, case: &Case) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for fact in &self.links {
            let spec = case.lab.links.iter().find(|link| link.name == fact.name);
            let others = spec.is_none() && fact.name != "lo";
            let makes = |op: &Op| matches!(op, Op::Run { .. });
            let may_be = !others || case.ops.iter().any(makes) && is_interface(&fact.name);
            if !may_be || !seen.insert(&fact.name) {
                return Err(format!("it has a link {:.30?} that the case has not", fact.name));
            }
            let is_it = others || spec.map(|link| link.kind) == fact.kind;
            if !is_it || fact.mac.0.len() > 32 {
                return Err(format!("its link {} is another one than the case's", fact.name));
            }
        }
        Ok(())
    }

    fn check_sentences(&self) -> Result<(), String> {
        let end = match &self.end {
            End::Died { how: text }
            | End::Skipped { reason: text }
            | End::Broken { reason: text } => text.as_str(),
            End::Done | End::Unsupported | End::Hung => "",
        };
        let beyond =
            self.beyond.iter().flat_map(|beyond| beyond.watched.iter().chain(&beyond.left));
        let mut all = self.disturbed.iter().chain(beyond).map(String::as_str).chain([end]);
        if all.any(|text| text.len() > SENTENCE) {
            return Err(format!("a sentence in it has more than {SENTENCE} characters"));
        }
        Ok(())
    }

    fn check_event(&self, case: &Case, event: &Event) -> Result<(), String> {
        let number = event.op();
        let op = case.ops.get(number as usize);
        // What a lab without steps shows belongs to the first.
        if op.is_none() && number > 0 {
            return Err(format!("it has a step {number}, and the case has {}", case.ops.len()));
        }
        let (at_ns, took_ns) = match event {
            Event::Call { at_ns, took_ns, .. } | Event::Lab { at_ns, took_ns, .. } => {
                (*at_ns, *took_ns)
            }
            Event::Frame { at_ns, .. } | Event::Signal { at_ns, .. } => (*at_ns, 0),
        };
        if at_ns.max(took_ns) > LATEST_NS {
            return Err(format!("step {number} is at no time"));
        }
        match event {
            Event::Frame { link, .. } if !self.links.iter().any(|fact| fact.name == *link) => {
                Err(format!("it has a frame of the link {link:.30?}, which it has not"))
            }
            Event::Signal { name, .. } if !is_name(name) => {
                Err(format!("a signal's name in step {number} is none"))
            }
            Event::Call { did, .. } => match op {
                Some(Op::Lab { .. }) | None => Err(format!("step {number} is no call")),
                Some(op) => check_did(op, did).map_err(|why| format!("step {number}: {why}")),
            },
            Event::Lab { .. } if !matches!(op, Some(Op::Lab { .. })) => {
                Err(format!("step {number} is a call"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether it can be a constant's name, or a number: it stands in C and in transcripts as it is.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-+. ".contains(c);
    (1..=NAME).contains(&name.len()) && name.chars().all(plain)
}

/// Whether Linux lets an interface have that name (`net/core/dev.c` `dev_valid_name`), and it is plain.
fn is_interface(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && c != '/' && c != ':';
    (1..16).contains(&name.len()) && name.chars().all(plain) && name != "." && name != ".."
}

/// Whether a call can have given that.
fn check_did(op: &Op, did: &Did) -> Result<(), String> {
    let (errno, out) = match did {
        Did::Returned { errno, out, .. } => (errno.as_ref().map(Sym::as_str), out),
        Did::Unsupported { name } => (Some(name.as_str()), &Out::Nothing),
        Did::Hung { .. } => return Ok(()),
    };
    if let Some(name) = errno.into_iter().chain(names(out)).find(|name| !is_name(name)) {
        return Err(format!("{name:.30?} is no name of the sockets API"));
    }
    if texts(out).any(|text| text.len() > NAME || text.contains(char::is_control)) {
        return Err(format!("{} gives a name that is none", op.call()));
    }
    let counts = match (op, out) {
        (Op::Poll { fds, .. }, Out::Poll(found)) => found.len() <= fds.len(),
        (Op::Kevent { changes, .. }, Out::Events(found)) => found.len() <= changes.len(),
        (Op::RecvmsgX { count, .. }, Out::Messages(found)) => found.len() <= *count as usize,
        (_, Out::Poll(_) | Out::Events(_) | Out::Messages(_)) => false,
        _ => true,
    };
    if counts { Ok(()) } else { Err(format!("{} gives no such thing", op.call())) }
}

/// Every constant that a call wrote.
fn names(out: &Out) -> Vec<&str> {
    fn received<'a>(flags: &'a [Sym], control: &'a [ControlOut]) -> impl Iterator<Item = &'a str> {
        let control = control.iter().flat_map(|c| [c.level.as_str(), c.name.as_str()]);
        flags.iter().map(Sym::as_str).chain(control)
    }
    match out {
        Out::Errno(errno) => vec![errno.as_str()],
        Out::Data { flags, control, .. } => received(flags, control).collect(),
        Out::Poll(all) => all.iter().flatten().map(Sym::as_str).collect(),
        Out::Messages(all) => all.iter().flat_map(|m| received(&m.flags, &m.control)).collect(),
        Out::Events(all) => all
            .iter()
            .flat_map(|e| {
                let flags = e.flags.iter().chain(&e.fflags).chain(&e.error).map(Sym::as_str);
                [e.fd.as_str(), e.filter.as_str()].into_iter().chain(flags)
            })
            .collect(),
        Out::Addrs(all) => {
            all.iter().flat_map(|a| [a.r#type.as_str(), a.protocol.as_str()]).collect()
        }
        _ => Vec::new(),
    }
}

/// Every text that it wrote.
fn texts(out: &Out) -> impl Iterator<Item = &str> {
    let (names, addrs) = match out {
        Out::Names { host, service } => ([host.as_deref(), service.as_deref()], &[][..]),
        Out::Addrs(all) => ([None, None], &all[..]),
        _ => ([None, None], &[][..]),
    };
    names.into_iter().flatten().chain(addrs.iter().filter_map(|a| a.canonname.as_deref()))
}
