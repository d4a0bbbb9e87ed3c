//! The program as it is being written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Arguments, Write as _};

use harness::case::blocking::waits_for;
use harness::case::lab::LinkKind;
use harness::case::payload::quoted;
use harness::case::{Case, Flags, Op, Os, Sym};

use super::headers;
use super::names::{self, Variables};
use super::parts::{Part, Parts};
use super::threads::PREFIX;

/// A step cannot be taken on this system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The system has not got this name: the case ends here.
    Name(String),
    /// The lab cannot do this, said as one sentence.
    Step(String),
}

/// A C program as it is being written.
pub(super) struct Program<'a> {
    pub(super) case: &'a Case,
    pub(super) os: Os,
    pub(super) parts: Parts,
    pub(super) headers: BTreeSet<String>,
    pub(super) variables: Variables,
    /// The links whose index a call is given.
    pub(super) indexed: BTreeSet<String>,
    /// The sockets that have a variable by now.
    pub(super) declared: BTreeSet<String>,
    /// The variables that have the ports of sockets which are closed.
    pub(super) ports: BTreeMap<String, String>,
    /// Those of them that several threads have, with their types.
    pub(super) shared: Vec<String>,
    /// The step that was seen to hang.
    pub(super) hung: Option<u32>,
    /// Whether the common variable of the calls' return values is there.
    pub(super) has_ret: bool,
    pub(super) body: String,
    /// The functions of the case's other threads.
    pub(super) functions: String,
}

impl<'a> Program<'a> {
    pub(super) fn new(case: &'a Case, os: Os) -> Self {
        Self {
            case,
            os,
            parts: Parts::default(),
            headers: BTreeSet::new(),
            variables: Variables::of(&case.lab, &case.ops),
            indexed: BTreeSet::new(),
            declared: BTreeSet::new(),
            ports: BTreeMap::new(),
            shared: Vec::new(),
            hung: None,
            has_ret: false,
            body: String::new(),
            functions: String::new(),
        }
    }

    /// One line of `main`.
    pub(super) fn line(&mut self, text: Arguments<'_>) {
        let _ = writeln!(self.body, "    {text}");
    }

    /// An empty line, unless there is one.
    pub(super) fn blank(&mut self) {
        if !self.body.is_empty() && !self.body.ends_with("\n\n") {
            self.body.push('\n');
        }
    }

    pub(super) fn include(&mut self, headers: &[&str]) {
        self.headers.extend(headers.iter().map(|h| format!("#include <{h}>")));
    }

    pub(super) fn need(&mut self, part: Part) {
        self.parts.need(part);
    }

    /// The name as the headers have it, and its header.
    pub(super) fn constant<'s>(&mut self, name: &'s Sym) -> Result<&'s str, Missing> {
        // Digits, and nothing that headers could lack.
        if name.number().is_some() {
            return Ok(name.as_str());
        }
        if !names::exists(self.os, name.as_str()) {
            return Err(Missing::Name(name.as_str().to_owned()));
        }
        let name = names::c_name(self.os, name);
        self.include(&[headers::header(name)]);
        Ok(name)
    }

    /// The same as an `int`.
    pub(super) fn name(&mut self, name: &Sym) -> Result<String, Missing> {
        if let Some(number) = name.number() {
            return Ok(format!("{number}"));
        }
        self.constant(name).map(|name| headers::int(self.os, name))
    }

    /// The flags or-ed together, as the headers have them; `0` if there are none.
    pub(super) fn flags(&mut self, flags: &Flags) -> Result<String, Missing> {
        let all: Result<Vec<_>, _> = flags.0.iter().map(|flag| self.name(flag)).collect();
        all.map(|all| if all.is_empty() { "0".to_owned() } else { all.join(" | ") })
    }

    /// The variable of a socket; -1 if no step makes it.
    pub(super) fn fd(&self, socket: &str) -> String {
        let name = self.variables.socket(socket);
        // Several threads have them, beside what is the program's own.
        let prefix = if self.is_threaded() && name != "-1" { PREFIX } else { "" };
        format!("{prefix}{name}")
    }

    /// Whether others than `main` make calls.
    pub(super) fn is_threaded(&self) -> bool {
        !self.case.threads.is_empty()
    }

    /// The variable of a link's index, which is there if it is used.
    pub(super) fn link_variable(&self, link: &str) -> String {
        let prefix = if self.is_threaded() { PREFIX } else { "" };
        format!("{prefix}{}", self.variables.link(link))
    }

    /// The variable of a link's index.
    pub(super) fn index(&mut self, link: &str) -> String {
        self.indexed.insert(link.to_owned());
        self.link_variable(link)
    }

    /// The interface's name as a string: of a link on macOS what it came to be called.
    pub(super) fn link(&self, link: &str) -> String {
        if let (Os::Macos, Some(number)) = (self.os, self.case.lab.number(link)) {
            return format!("links[{number}].name");
        }
        quoted(names::interface(self.os, &self.case.lab, link).as_bytes())
    }

    /// The link's number in the address plan, and its layer; loopback has neither.
    pub(super) fn number(&self, link: &str) -> Option<(u8, LinkKind)> {
        let number = self.case.lab.number(link)?;
        Some((number, self.case.lab.links[usize::from(number)].kind))
    }

    /// Gives a socket's variable its descriptor, declaring it the first time.
    pub(super) fn set_fd(&mut self, socket: &str, expression: &str) {
        let fd = self.fd(socket);
        self.ports.remove(socket);
        let is_new = self.declared.insert(fd.clone());
        let int = if is_new && !self.is_threaded() { "int " } else { "" };
        self.line(format_args!("{int}{fd} = {expression};"));
    }

    /// Makes a call whose value is no descriptor, and reports it.
    pub(super) fn call(&mut self, number: u32, op: &Op, expression: &str) {
        let is_part = waits_for(op).map(|all| format!("ret < {all}"));
        self.call_in_parts(number, op, expression, is_part);
    }

    /// The same; `is_part` says of which `ret` it has only come to a part of what it waits for.
    pub(super) fn call_in_parts(
        &mut self,
        number: u32,
        op: &Op,
        expression: &str,
        is_part: Option<String>,
    ) {
        self.has_ret = true;
        self.include(&["sys/types.h"]);
        self.line(format_args!("ret = {expression};"));
        if let (Some(is_part), true) = (is_part, self.hung == Some(number)) {
            // Linux returns the part that it has when a signal comes: the call hung all the same.
            self.include(&["errno.h"]);
            self.line(format_args!("if (timed_out && ret >= 0 && {is_part}) {{"));
            self.line(format_args!("    ret = -1;"));
            self.line(format_args!("    errno = EINTR;"));
            self.line(format_args!("}}"));
        }
        self.report(number, op, "ret");
    }

    /// Reports a call.
    pub(super) fn report(&mut self, number: u32, op: &Op, ret: &str) {
        self.need(Part::Result);
        let call = quoted(shown(op).as_bytes());
        self.line(format_args!("result({number}, {call}, {ret});"));
    }
}

/// The call as its line of output says it: `sendto(s)`, `setsockopt(s, SOL_SOCKET, SO_BROADCAST)`.
pub(super) fn shown(op: &Op) -> String {
    use harness::case::op::{Index, Opt};
    let call = op.call();
    let option = |fd: &str, option: &Opt| match option {
        Opt::Raw { level, name } => format!("{call}({fd}, {level}, {name})"),
        Opt::Intent(intent) => format!("{call}({fd}, {intent:?})"),
    };
    match op {
        Op::Socket { domain, r#type, protocol, .. }
        | Op::Socketpair { domain, r#type, protocol, .. } => {
            format!("{call}({domain}, {type}, {protocol})")
        }
        Op::Setsockopt { fd, option: o, .. } | Op::Getsockopt { fd, option: o, .. } => {
            option(fd, o)
        }
        Op::Shutdown { fd, how } => format!("{call}({fd}, {how})"),
        Op::Ioctl { fd, request, .. } => format!("{call}({fd}, {request})"),
        Op::Fcntl { fd, cmd, .. } => format!("{call}({fd}, {cmd})"),
        Op::Poll { fds, .. } | Op::Ppoll { fds, .. } => {
            let fds: Vec<&str> = fds.iter().map(|f| f.fd.as_str()).collect();
            format!("{call}({})", fds.join(", "))
        }
        Op::Select { .. } | Op::Pselect { .. } | Op::Splice { .. } | Op::Sendfile { .. } => {
            format!("{call}({})", op.uses().join(", "))
        }
        Op::EpollCtl { fd, op, target, .. } => format!("{call}({fd}, {op}, {target})"),
        op if op.is_of_files() => harness::outcome::file_call(op),
        Op::Pipe { read, write } => format!("{call}({read}, {write})"),
        Op::IfNametoindex { name } => format!("{call}({})", quoted(name.as_bytes())),
        Op::IfIndextoname { index } => match index {
            Index::Of(link) => format!("{call}({link})"),
            Index::Is(number) => format!("{call}({number})"),
        },
        Op::Kevent { changes, .. } => {
            let fds: Vec<&str> = changes.iter().map(|change| change.fd.as_str()).collect();
            format!("{call}({})", fds.join(", "))
        }
        Op::Getaddrinfo { node, service, .. } => {
            let text = |t: &Option<String>| {
                t.as_ref().map_or_else(|| "NULL".to_owned(), |t| quoted(t.as_bytes()))
            };
            format!("{call}({}, {})", text(node), text(service))
        }
        Op::InetPton { family, text } => format!("{call}({family}, {})", quoted(text.as_bytes())),
        Op::InetAton { text } => format!("{call}({})", quoted(text.as_bytes())),
        Op::Process { call: what } => format!("{call}({what})"),
        _ => format!("{call}({})", op.fd().unwrap_or_default()),
    }
}
