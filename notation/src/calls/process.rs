//! The calls that are about the process, whose words are those of a case and no others.

use std::fmt::Display;

use harness::case::Op;
use harness::case::process::{Capability, Disposition, ProcessCall, Resource, Signal};

use super::args::{Args, Fields, name, not};
use super::read::Read;
use crate::fault::Fault;
use crate::tree::{Node, What};

/// One of these words.
fn one_of<T: Copy + Display>(node: &Node<'_>, all: &[T], what: &str) -> Result<T, Fault> {
    let word = match node.what {
        What::Word(word) => word.to_owned(),
        What::Number(number) => number.to_string(),
        _ => return Err(not(node, what)),
    };
    let words: Vec<String> = all.iter().map(ToString::to_string).collect();
    let found = all.iter().zip(&words).find(|(_, known)| **known == word);
    found.map(|(one, _)| *one).ok_or_else(|| {
        let fault = Fault::new(node.at.clone(), format!("{word} is no word for {what}"));
        fault.nearest(&word, words.iter().map(String::as_str))
    })
}

fn signal(args: &mut Args<'_, '_>) -> Result<Signal, Fault> {
    one_of(args.next("a signal")?, Signal::ALL, "a signal")
}

/// NULL, or the signals that are blocked while a call waits: `{SIGUSR1, SIGUSR2}`.
pub(super) fn mask(args: &mut Args<'_, '_>) -> Result<Option<Vec<Signal>>, Fault> {
    let node = args.next("NULL or a mask such as {SIGUSR1}")?;
    match &node.what {
        What::Word("NULL") => Ok(None),
        What::Group(all) => {
            let one = |node: &Node<'_>| one_of(node, Signal::ALL, "a signal");
            all.iter().map(one).collect::<Result<_, _>>().map(Some)
        }
        _ => Err(not(node, "NULL or a mask such as {SIGUSR1}")),
    }
}

pub(super) fn read(call: &str, args: &mut Args<'_, '_>) -> Read {
    let call = match call {
        "sigaction" => {
            let (signal, what) = (signal(args)?, "0, SA_RESTART or SIG_IGN");
            ProcessCall::Sigaction {
                signal,
                how: one_of(args.next(what)?, Disposition::ALL, what)?,
            }
        }
        "pthread_kill" => {
            let thread = name(args.next("a thread")?, "the name of a thread")?;
            ProcessCall::PthreadKill { thread, signal: signal(args)? }
        }
        "setrlimit" => {
            let resource = one_of(args.next("a resource")?, Resource::ALL, "a resource")?;
            ProcessCall::Setrlimit { resource, soft: args.number("a limit")? }
        }
        "seteuid" => ProcessCall::Seteuid { uid: args.number("a user")? },
        _ => {
            const LIKE: &str = "{without=CAP_NET_RAW}";
            let mut fields = Fields::of(args.next(LIKE)?, LIKE)?;
            let without = fields.want("without")?;
            fields.end(&["without"])?;
            let one = |node: &Node<'_>| one_of(node, Capability::ALL, "a capability");
            let without = match &without.what {
                What::Number(0) => Vec::new(),
                What::Or(all) => all.iter().map(one).collect::<Result<_, _>>()?,
                _ => vec![one(without)?],
            };
            ProcessCall::Capset { without }
        }
    };
    Ok(Op::Process { call })
}
