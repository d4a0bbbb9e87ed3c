//! A case whose lines are being read.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use harness::case::{Case, Lab, Op};

use super::line::{Made, Said, UNNAMED};
use super::table::Raw;
use crate::asked::{Asked, cannot};
use crate::fault::{Fault, nearest};

/// A case of which some lines have been read.
pub(super) struct Draft {
    pub(super) case: Case,
    pub(super) asked: Vec<Asked>,
    pub(super) lines: Vec<u32>,
    /// The lines of what is done to the lab before.
    pub(super) setup: Vec<u32>,
    /// The steps for which the text has no name of a socket.
    unnamed: Vec<usize>,
    pub(super) threads: BTreeMap<String, Vec<u32>>,
    /// Whether there is a line that could not be read: what is missing may have been there.
    pub(super) is_partial: bool,
    /// Whether a call or a step was read.
    pub(super) begun: bool,
    /// The step that the frames of the next lines are of.
    beneath: Option<u32>,
}

impl Draft {
    pub(super) fn new(id: String, title: String) -> Self {
        let case = Case::new(id, title, Lab::default(), Vec::new());
        let (asked, lines, setup, unnamed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (threads, beneath, is_partial) = (BTreeMap::new(), None, false);
        Self { case, asked, lines, setup, unnamed, threads, is_partial, begun: false, beneath }
    }

    pub(super) fn add(&mut self, said: Said, raw: &Raw<'_>) -> Result<(), Fault> {
        let above =
            |what: &str| Fault::new(raw.range(), format!("{what} stands above the first call"));
        let begun = self.begun;
        match said {
            Said::Title(title) if !begun => self.case.title = title,
            Said::Catalogue(rows) if !begun => self.case.catalogue.extend(rows),
            Said::Window(ms) if !begun => self.case.window_ms = ms,
            Said::Link(link) if !begun => self.case.lab.links.push(link),
            Said::Setup(step) if !begun => {
                self.case.lab.setup.push(step);
                self.setup.push(raw.number);
            }
            Said::Title(_) => return Err(above("a title")),
            Said::Catalogue(_) => return Err(above("the catalogue's rows")),
            Said::Window(_) => return Err(above("the window")),
            Said::Link(_) => return Err(above("a link")),
            Said::Setup(_) => {
                let fault = above("a step of the lab without --");
                return Err(fault.help(format!("write -- {}", raw.text)));
            }
            Said::Step { thread, op, made, asked } => {
                self.begun = true;
                let number = u32::try_from(self.case.ops.len()).unwrap_or(u32::MAX);
                if made == Made::Unnamed {
                    self.unnamed.push(self.case.ops.len());
                }
                if let Some(thread) = thread {
                    self.threads.entry(thread).or_default().push(number);
                }
                self.case.ops.push(op);
                self.lines.push(raw.number);
                self.beneath = Some(number);
                self.check_result(number, asked.as_ref(), raw)?;
                self.ask(number, asked, raw);
            }
            Said::Resumed { thread, call, made: name, asked } => {
                let last = self.threads.get(&thread).and_then(|steps| steps.last()).copied();
                let is_in = last.map(|step| self.case.ops[step as usize].call());
                if self.is_partial && is_in != Some(call.as_str()) {
                    return Ok(());
                }
                let Some(step) = last else {
                    let says = format!("thread {thread} has made no call");
                    return Err(Fault::new(raw.range(), says));
                };
                if let Some(made) = is_in.filter(|made| *made != call) {
                    let says = format!("thread {thread} is in {made}, and this is {call}");
                    return Err(Fault::new(raw.range(), says));
                }
                if let Some(name) = name {
                    self.name_made(step as usize, &name, raw)?;
                }
                self.beneath = Some(step);
                self.check_result(step, asked.as_ref(), raw)?;
                self.ask(step, asked, raw);
            }
            Said::Frame(asked) => {
                let Some(last) = self.beneath else {
                    return Err(Fault::new(raw.range(), "a frame stands beneath a step"));
                };
                self.check_frame(last, &asked, raw)?;
                self.ask(last, Some(asked), raw);
            }
        }
        Ok(())
    }

    fn ask(&mut self, op: u32, asked: Option<crate::Demand>, raw: &Raw<'_>) {
        let (at, line) = (raw.range(), raw.number);
        self.asked.extend(asked.map(|what| Asked { op, at, line, what }));
    }

    /// That what is asked of a call can come of it.
    fn check_result(
        &self,
        step: u32,
        asked: Option<&crate::Demand>,
        raw: &Raw<'_>,
    ) -> Result<(), Fault> {
        let Some(crate::Demand::Result(wanted)) = asked else { return Ok(()) };
        let Some(op) = self.case.ops.get(step as usize) else { return Ok(()) };
        wanted.iter().try_for_each(|one| {
            cannot(&self.case, op, &one.says).map_err(|why| {
                // Behind the call, in which the same may stand.
                let found = raw.text.rfind(&why.part).map(|at| &raw.text[at..at + why.part.len()]);
                let at = found.map_or_else(|| raw.range(), |found| raw.part(found));
                why.at(at)
            })
        })
    }

    /// That what is asked of frames can be so: on a link that there is, and not nothing and something at once.
    fn check_frame(&self, step: u32, asked: &crate::Demand, raw: &Raw<'_>) -> Result<(), Fault> {
        use crate::Demand::{Frame, NoFrame, Result as Returned};
        let leaves = |what: &crate::Demand| matches!(what, Frame(words) if words[0] == ">");
        let mut others = self.asked.iter().filter(|one| one.op == step).map(|one| &one.what);
        let clash = match asked {
            NoFrame => others.any(leaves),
            asked if leaves(asked) => others.any(|other| *other == NoFrame),
            _ => false,
        };
        if clash {
            return Err(Fault::new(
                raw.range(),
                "nothing leaves beneath this step, and something does",
            ));
        }
        let words = match asked {
            Frame(words) => words,
            NoFrame | Returned(_) => return Ok(()),
        };
        let links: Vec<&str> = self.case.lab.links.iter().map(|link| link.name.as_str()).collect();
        let link = words.get(1).map_or("", String::as_str);
        if link != "lo" && !links.contains(&link) {
            let at = raw.word(link);
            let fault =
                Fault::new(at, format!("a frame is on a link, and the lab has no {link:?}"));
            return Err(fault.nearest(link, links.into_iter().chain(["lo"])));
        }
        let roles = ["own(", "neighbour(", "unresolved(", "silent("];
        if let Some(word) = words.iter().find(|word| roles.iter().any(|r| word.starts_with(r))) {
            let says = format!("{word} has an address in the line of a frame, such as 192.0.2.2");
            return Err(Fault::new(raw.range(), says));
        }
        Ok(())
    }

    /// Gives names to sockets that nobody asks for by name.
    pub(super) fn name_the_unnamed(&mut self) {
        if self.unnamed.is_empty() {
            return;
        }
        let mut taken: HashSet<String> = HashSet::new();
        for (at, op) in self.case.ops.iter().enumerate() {
            taken.extend(op.uses().into_iter().map(str::to_owned));
            // Those without a name are in their order.
            if self.unnamed.binary_search(&at).is_err() {
                taken.extend(op.makes().into_iter().map(str::to_owned));
            }
        }
        let names = (1..).map(|number| format!("{UNNAMED}{number}"));
        let mut names = names.filter(|name| !taken.contains(name));
        for at in std::mem::take(&mut self.unnamed) {
            if let (Some(fd), Some(name)) = (made_by(&mut self.case.ops[at]), names.next()) {
                *fd = name;
            }
        }
    }

    /// Gives the socket its name that a call has made which waited.
    fn name_made(&mut self, step: usize, name: &str, raw: &Raw<'_>) -> Result<(), Fault> {
        let Some(fd) = made_by(&mut self.case.ops[step]) else { return Ok(()) };
        let unnamed = self.unnamed.iter().position(|at| *at == step);
        if let Some(at) = unnamed {
            name.clone_into(fd);
            self.unnamed.remove(at);
        } else if fd != name {
            let says = format!("the socket that it makes is called {fd} where it begins");
            return Err(Fault::new(raw.word(name), says));
        }
        Ok(())
    }

    /// That each socket that is named was made by then.
    pub(super) fn check_names(&self, at: impl Fn(u32, &str) -> Range<usize>) -> Result<(), Fault> {
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for (op, line) in self.case.ops.iter().zip(&self.lines) {
            for name in op.uses() {
                if !known.contains(name) {
                    let fault = Fault::new(
                        at(*line, name),
                        format!("no call before this one makes a socket {name}"),
                    );
                    return Err(match nearest(name, known.iter().copied()) {
                        Some(near) => fault.help(format!("did you mean {near}?")),
                        None => fault.help("name it where it is made: socket(…) = NAME"),
                    });
                }
            }
            known.extend(op.makes());
        }
        Ok(())
    }
}

/// The name of the one descriptor that a call makes.
fn made_by(op: &mut Op) -> Option<&mut String> {
    match op {
        Op::Socket { fd, .. }
        | Op::Accept { new: fd, .. }
        | Op::Accept4 { new: fd, .. }
        | Op::Dup { new: fd, .. }
        | Op::File { new: fd, .. }
        | Op::EpollCreate1 { new: fd, .. } => Some(fd),
        _ => None,
    }
}
