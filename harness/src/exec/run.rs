//! Runs one case in a lab that stands, and takes down what happens.

use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use libc::c_int;

use super::far::{FarEnds, Link};
use super::folder::Folder;
use super::gave::{CLOSED, Fault, Gave, PATIENCE, address, given, plain};
use super::network::Network;
use super::options::{self, Resolve as _, flags, value};
use super::pace::{LATE, Pace};
use super::plant::Plant;
use super::process::Process;
use super::runner::{Runner, nanoseconds};
use super::sends::{has_streams, is_run, may_send};
use super::sockaddr::RawAddr;
use super::waiting::Threads;
use super::{calls, credentials, folder, framing, guard, lookup, os, received, signals};
use crate::case::addr::{Host, SockAddr};
use crate::case::blocking::Blocking;
use crate::case::far::{self, Frame};
use crate::case::intent::{Family, concrete};
use crate::case::op::{Opt, Value};
use crate::case::{Case, Hex, LabOp, Op, Os, Sym};
use crate::trace::{Did, Direction, End, Event, Out, Trace};
use crate::wire::{chatter, decode};

/// For how long a link is looked at that shows nothing of what was sent by it.
const SILENCE: Duration = Duration::from_millis(3);

/// Runs `case` in `lab`, which is in the state that `case.lab` describes and has been entered. Beside
/// the trace, for how many milliseconds the executor stood still, if that was long ([`Pace`]).
pub(super) fn run(
    case: &Case,
    lab: &mut dyn Network,
    folder: Option<&Folder>,
    plant: Option<&Plant>,
) -> (Trace, Option<u32>) {
    signals::pipe_came();
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let events = Vec::with_capacity(case.ops.len() * 2);
    let start = Instant::now();
    let (sockets, room, streams) = (Vec::new(), Vec::new(), has_streams(case));
    let (heard, beside, pace) = (case.names_a_group(), Out::Nothing, Pace::of(case));
    let blocking = Blocking::of(case);
    let far = FarEnds::of(case);
    let (threads, links, ran) = (Threads::default(), Vec::new(), None);
    let (received, kept) = (Vec::new(), Vec::new());
    let mut runner = Runner {
        case,
        lab,
        folder,
        sockets,
        closed: Vec::new(),
        streams,
        heard,
        events,
        start,
        pace,
        room,
        blocking,
        plant,
        threads,
        received,
        kept,
        far,
        short: false,
        beside,
        links,
        ran,
        process: Process::default(),
    };
    let end = runner.steps();
    runner.threads = Threads::default();
    // Without a connection that goes on trying after the case, to a peer that may be gone.
    let at_once = [1i32.to_ne_bytes(), 0i32.to_ne_bytes()].concat();
    for (_, fd) in runner.sockets.iter().filter(|(_, fd)| (0..CLOSED).contains(fd)) {
        if runner.streams {
            let _ = calls::setsockopt(*fd, libc::SOL_SOCKET, libc::SO_LINGER, &at_once);
        }
        let _ = calls::close(*fd);
    }
    runner.received.drain(..).for_each(received::close);
    // What is done between two cases is not to be interrupted.
    signals::disarm();
    let began_ns = u64::try_from(began.as_nanos()).unwrap_or(u64::MAX);
    let links = [runner.lab.facts(), &runner.links].concat();
    let trace = Trace::new(&case.id, links, runner.events, end);
    let (own, program) = (credentials::of(case), runner.ran);
    let served = if case.is_served() { runner.lab.served() } else { Vec::new() };
    (Trace { began_ns, own, program, served, ..trace }, runner.pace.pause_ms())
}

impl<'c> Runner<'c> {
    pub(super) fn steps(&mut self) -> End {
        for (number, op) in (0u32..).zip(&self.case.ops) {
            // Anew for each: however slowly the others went, it has its time.
            let now = Instant::now();
            signals::arm_about(now, self.patience(op));
            let asks = self.case.step_waits_ms(op) > 0 || op.timeout_ms().is_some_and(|ms| ms < 0);
            self.pace.begins(now, asks || self.blocking.waits(op));
            let end = if self.case.threads.of(number).is_some() {
                self.thread_step(number, op)
            } else {
                self.step(number, op).or_else(|| self.rest(number))
            };
            if let Some(end) = end {
                return end;
            }
        }
        if let Some(end) = self.join_all() {
            return end;
        }
        if self.case.window_ms > 0 {
            signals::arm(PATIENCE + Duration::from_millis(self.case.window_ms.into()));
            self.pace.begins(Instant::now(), true);
            let last = u32::try_from(self.case.ops.len().saturating_sub(1)).unwrap_or(u32::MAX);
            self.pass(last, self.case.window_ms, None);
        }
        End::Done
    }

    /// Takes one step; an end if it is the last that can be taken.
    pub(super) fn step(&mut self, number: u32, op: &'c Op) -> Option<End> {
        if let Op::Lab { step } = op {
            return self.lab_step(number, step);
        }
        // What is wrong with the step, the call itself says below.
        if let Ok(Some(reason)) = self.leaves(op) {
            return Some(End::Skipped { reason });
        }
        let mut addr = None;
        let at_ns = self.now();
        self.short = false;
        let gave = self.lessened(number, op, &mut addr);
        let now = Instant::now();
        let took_ns = nanoseconds(now - self.start) - at_ns;
        if let Ok(Ok(_)) = gave {
            self.blocking.succeeded(op);
        }
        if is_run(op) {
            // However long it took: it is not run twice.
            self.pace.waited();
        }
        let sends = may_send(op, self.streams);
        if let (Some(plant), true) = (self.plant, sends) {
            plant.pause(&self.case.id);
        }
        let gave = match self.plant {
            Some(plant) => gave.map(|gave| plant.told(op, gave)),
            None => gave,
        };
        let (mut did, end) = match gave {
            Ok(Err(errno))
                if errno.as_str() == "EINTR" && (signals::alarm_came() || is_run(op)) =>
            {
                self.hung(op, took_ns)
            }
            Ok(Ok((ret, out)))
                if signals::alarm_came() && (self.short || self.blocking.is_cut(op, ret)) =>
            {
                self.cut(op, (ret, out), took_ns)
            }
            Ok(gave) => (self.did(op, gave), None),
            Err(Fault::Unsupported(name)) => {
                let more = (number as usize) + 1 < self.case.ops.len();
                let goes_on = more && op.may_be_left_out();
                let end = (!goes_on).then_some(End::Unsupported);
                (Did::Unsupported { name }, end)
            }
            Err(Fault::Broken(reason)) => return Some(End::Broken { reason }),
        };
        self.pace.here_at(now);
        if let (Some(stand_in), Did::Returned { out, .. }) = (self.lab.stand_in(), &mut did) {
            stand_in.hide(addr.as_mut(), out);
        }
        // What `poll` saw go by while it waited stands behind it in the trace as all frames do.
        let place = self.events.iter().rposition(|e| e.op() != number).map_or(0, |i| i + 1);
        self.events.insert(place, Event::Call { op: number, at_ns, took_ns, addr, did });
        if signals::pipe_came() {
            let at_ns = self.now();
            self.events.push(Event::Signal { op: number, at_ns, name: "SIGPIPE".to_owned() });
        }
        if sends {
            self.sent(number, op);
        }
        if let Some((link, bytes)) = self.plant.and_then(|plant| plant.left(op, self.lab.facts())) {
            let (at_ns, dir, bytes) = (self.now(), Direction::Out, Hex(bytes));
            self.events.push(Event::Frame { op: number, at_ns, link, dir, bytes });
        }
        end
    }

    /// Takes down what a call has sent.
    fn sent(&mut self, number: u32, op: &Op) {
        // Else its answer to itself may come late on a busy host: behind frames of other links,
        // or in the next case where no link showed that there would be one.
        if self.heard {
            self.lab.settle();
        }
        self.drain(number);
        self.look_for(number, op);
    }

    /// Looks longer for what a call has just said that it sent.
    pub(super) fn look_for(&mut self, number: u32, op: &Op) {
        if !self.has_left(op) {
            return;
        }
        // That data is lost in silence is told of a kernel, so it has to be so: where another processor sends
        // by the same link, what a call sends may wait for that one (`sch_direct_xmit`, NET_TX_SOFTIRQ).
        let mut until = None;
        while !self.saw_leave(number)
            && Instant::now() < *until.get_or_insert_with(|| Instant::now() + SILENCE)
        {
            std::thread::sleep(Duration::from_micros(300));
            self.drain(number);
        }
    }

    /// Whether a frame was seen to leave in a step, other than what the kernel says of its own accord: that may be
    /// what the other processor is at.
    fn saw_leave(&self, number: u32) -> bool {
        self.events.iter().rev().any(|event| match event {
            Event::Frame { op, link, dir: Direction::Out, bytes, .. } if *op == number => {
                chatter(&decode(framing(self.case, link), &bytes.0)).is_none()
            }
            _ => false,
        })
    }

    /// Whether a call has just said that it sent data to a network.
    fn has_left(&self, op: &Op) -> bool {
        // Of IP, or a packet socket's.
        let domain = op.sends_by().and_then(|name| self.case.domain(name));
        let to_a_network =
            domain.is_some_and(|domain| domain == "AF_PACKET" || Family::of(domain).is_some());
        let calls = self.events.iter().rev().find_map(|event| match event {
            Event::Call { did, .. } => Some(did),
            _ => None,
        });
        // On a stream nothing of nothing leaves, and what else is due may come meanwhile.
        let least = i64::from(self.streams);
        let said = matches!(calls, Some(Did::Returned { ret, .. }) if *ret >= least);
        to_a_network && said
    }

    /// A call that wants all of it and tells what it had when the alarm came (signal(7)): it is hung all the same. But
    /// not where another thread was at it, which is slow then, nor where the alarm came late, since it was the
    /// executor that stood still.
    fn cut(&mut self, op: &Op, part: (i64, Out), took_ns: u64) -> (Did, Option<End>) {
        let took = Duration::from_nanos(took_ns);
        if self.threads.are_none() && took < self.patience(op) + LATE {
            return self.hung(op, took_ns);
        }
        self.pace.cut(took);
        (self.did(op, Ok(part)), None)
    }

    /// How long a step has until the alarm comes.
    pub(super) fn patience(&self, op: &Op) -> Duration {
        PATIENCE + Duration::from_millis(self.case.step_waits_ms(op).into())
    }

    /// A call that only the alarm has ended. How late it ended it, the executor stood still.
    fn hung(&mut self, op: &Op, took_ns: u64) -> (Did, Option<End>) {
        self.pace.waited();
        self.pace.cut(Duration::from_nanos(took_ns).saturating_sub(self.patience(op)));
        let after_ms = u32::try_from(took_ns / 1_000_000).unwrap_or(u32::MAX);
        (Did::Hung { after_ms }, Some(End::Hung))
    }

    fn lab_step(&mut self, number: u32, step: &LabOp) -> Option<End> {
        let broken = |reason: String| End::Broken { reason: format!("{step}: {reason}") };
        if let LabOp::ReadOnly {} = step
            && let Err(reason) = Folder::make_read_only(self.folder)
        {
            return Some(End::Skipped { reason });
        }
        let made = match step {
            LabOp::Say { link, frame } => match self.frame(link, frame) {
                Ok(frame) => Some(LabOp::Inject { link: link.clone(), frame: Hex(frame) }),
                Err(reason) => return Some(broken(reason)),
            },
            _ => None,
        };
        let taken = made.as_ref().unwrap_or(step);
        let at_ns = self.now();
        let done = if let LabOp::Wait { .. } = taken { Ok(()) } else { self.lab.step(taken) };
        let took_ns = self.now() - at_ns;
        self.events.push(Event::Lab { op: number, at_ns, took_ns });
        if let LabOp::Inject { link, frame } = taken {
            let (link, bytes) = (link.clone(), frame.clone());
            let dir = Direction::In;
            self.events.push(Event::Frame { op: number, at_ns, link, dir, bytes });
        }
        if let LabOp::Wait { ms, until, .. } = step {
            self.pass(number, *ms, until.as_deref());
        }
        self.drain(number);
        match taken {
            // Nothing is wrong with the lab: this kernel, or this network, has no such setting.
            LabOp::Sysctl { .. } => done.err().map(|reason| End::Skipped { reason }),
            _ => done.err().map(broken),
        }
    }

    /// The bytes of a frame that a far end sends by words, its live values filled in.
    fn frame(&mut self, link: &str, frame: &Frame) -> Result<Vec<u8>, String> {
        let ip = |host: &Host| self.ip(host).map_err(|_| format!("the lab has no {host:?}"));
        let at = |end: &far::End| match self.port(&end.port) {
            0 if end.is_of_a_socket() => Err(format!("there is no port {} yet", end.port_text())),
            port => Ok(SocketAddr::new(ip(&end.host)?, port)),
        };
        let ends = match frame.between() {
            Some(ends) => Some((at(&ends.from)?, at(&ends.to)?)),
            None => None,
        };
        let from = match frame {
            Frame::Error(error) => error.from.as_ref().map(ip).transpose()?,
            _ => None,
        };
        let fact = self.lab.facts().iter().find(|fact| fact.name == link);
        let own = fact.and_then(|fact| <[u8; 6]>::try_from(&fact.mac.0[..]).ok());
        let link =
            Link { name: link, framing: framing(self.case, link), own: own.unwrap_or([0; 6]) };
        self.far.make(&link, frame, from, ends)
    }

    /// Makes the call. The outer error is the case's, the inner one the kernel's.
    pub(super) fn call(
        &mut self,
        number: u32,
        op: &'c Op,
        seen: &mut Option<SockAddr>,
    ) -> Result<Gave, Fault> {
        self.may_be_made(op)?;
        let fd = op.fd().map_or(-1, |name| self.fd(name));
        Ok(match op {
            Op::Socket { fd, domain, r#type, protocol } => {
                let domain = value(domain.as_str())?;
                let made = calls::socket(domain, flags(r#type)?, flags(protocol)?);
                self.keep(fd, made)
            }
            Op::Socketpair { a, b, domain, r#type, protocol } => {
                let domain = value(domain.as_str())?;
                let made = calls::socketpair(domain, flags(r#type)?, flags(protocol)?);
                self.pair([a, b], made)
            }
            Op::Bind { addr, .. } => plain(calls::bind(fd, &self.addr(addr, seen)?)),
            Op::Listen { backlog, .. } => plain(calls::listen(fd, *backlog)),
            op if op.is_transfer() => self.transfer(number, op, seen)?,
            Op::Getsockname { .. } => {
                let mut name = RawAddr::room();
                given(calls::getsockname(fd, &mut name)).map(|r| (r, address(&name)))
            }
            Op::Getpeername { .. } => {
                let mut name = RawAddr::room();
                given(calls::getpeername(fd, &mut name)).map(|r| (r, address(&name)))
            }
            Op::Setsockopt { fd: s, option, value: v } => self.setsockopt(fd, s, option, v)?,
            Op::Getsockopt { fd: name, option, len } => self.getsockopt(fd, name, option, *len)?,
            Op::Poll { fds, .. } | Op::Ppoll { fds, .. } => self.poll(number, op, fds)?,
            Op::Select { .. } | Op::Pselect { .. } => self.select(number, op)?,
            Op::Dup { new, .. } => self.keep(new, calls::dup(fd)),
            Op::Pipe { read, write } => self.pair([read, write], calls::pipe()),
            Op::File { new, data } => self.file(new, data)?,
            op if op.is_of_files() => folder::call(op)?,
            Op::EpollCreate1 { new, flags: f } => {
                let made = os::epoll_create1(flags(f)?);
                self.keep(new, made)
            }
            Op::Sockatmark { .. } => plain(calls::sockatmark(fd)),
            Op::IfNametoindex { .. } | Op::IfIndextoname { .. } | Op::Getifaddrs {} => {
                self.interfaces(op)?
            }
            Op::Ioctl { .. } => self.ioctl(fd, op)?,
            Op::Fcntl { cmd, pid: Some(who), .. } => {
                plain(calls::fcntl(fd, value(cmd.as_str())?, credentials::pid(*who)))
            }
            Op::Fcntl { cmd, arg, .. } => {
                plain(calls::fcntl(fd, value(cmd.as_str())?, flags(arg)?))
            }
            Op::Getaddrinfo { .. }
            | Op::Getnameinfo { .. }
            | Op::InetPton { .. }
            | Op::InetAton { .. } => self.resolve(number, op, seen)?,
            Op::Raw { args, .. } => self.raw((number, op), args, seen)?,
            Op::Process { call } => self.of_the_process(call),
            Op::Run { argv, limit_ms } => self.program(number, argv, *limit_ms)?,
            op if op.is_darwins() || op.is_not_darwins() => os::own_call(self, number, op, seen)?,
            op => return Err(Fault::Broken(format!("{} is not a call", op.call()))),
        })
    }

    /// The calls that are about names.
    fn resolve(
        &mut self,
        number: u32,
        op: &Op,
        seen: &mut Option<SockAddr>,
    ) -> Result<Gave, Fault> {
        Ok(match op {
            Op::Getaddrinfo { .. } => {
                let files = self.files()?;
                lookup::getaddrinfo(op, &files, &mut |done| self.watch(number, done))?
            }
            Op::Getnameinfo { addr, .. } => {
                let (files, addr) = (self.files()?, self.addr(addr, seen)?);
                lookup::getnameinfo(op, &addr, &files, &mut |done| self.watch(number, done))?
            }
            Op::InetPton { family, text } => {
                let (ret, made) = calls::inet_pton(value(family.as_str())?, text);
                given(ret).map(|ret| (ret, made.map_or(Out::Nothing, Out::Ip)))
            }
            Op::InetAton { text } => {
                let made = calls::inet_aton(text);
                Ok((i64::from(made.is_some()), made.map_or(Out::Nothing, Out::Ip)))
            }
            _ => return Err(Fault::Broken(format!("{} resolves nothing", op.call()))),
        })
    }

    fn concrete(&self, socket: &str, option: &Opt, v: &Value) -> Result<(Sym, Sym, Value), Fault> {
        let host = Os::host().ok_or_else(|| Fault::Unsupported("this system".to_owned()))?;
        concrete(host, self.case.family(socket), option, v)
            .ok_or_else(|| Fault::Unsupported(format!("{option:?}")))
    }

    fn setsockopt(&self, fd: RawFd, socket: &str, option: &Opt, v: &Value) -> Result<Gave, Fault> {
        let (level, name, v) = self.concrete(socket, option, v)?;
        let bytes = options::encode(name.as_str(), &v, self)?;
        let option = (value(level.as_str())?, value(name.as_str())?);
        guard::set_by_number(&name, bytes.len())?;
        guard::set(option, bytes.len(), os::family(fd))?;
        Ok(plain(calls::setsockopt(fd, option.0, option.1, &bytes)))
    }

    fn getsockopt(
        &mut self,
        fd: RawFd,
        socket: &str,
        option: &Opt,
        len: u32,
    ) -> Result<Gave, Fault> {
        let (level, name, _) = self.concrete(socket, option, &Value::Int(0))?;
        let mut bytes = vec![0; len as usize];
        let (level, number) = (value(level.as_str())?, value(name.as_str())?);
        guard::asked((level, number), len)?;
        let ret = given(calls::getsockopt(fd, level, number, &mut bytes));
        if ret.is_ok() {
            self.received.extend(received::of_option((level, number), &bytes));
        }
        Ok(ret.map(|ret| (ret, option_value(name.as_str(), bytes))))
    }
}

/// That a system has the call, in this form; whichever thread is to make it.
pub(super) fn is_here(os: Option<Os>, op: &Op) -> Result<(), Fault> {
    let lacks = if os == Some(Os::Linux) { op.is_darwins() } else { op.is_not_darwins() };
    if lacks { Err(Fault::Unsupported(op.call().to_owned())) } else { Ok(()) }
}

fn option_value(name: &str, bytes: Vec<u8>) -> Out {
    match <[u8; 4]>::try_from(&bytes[..]).map(c_int::from_ne_bytes) {
        Ok(0) if name == "SO_ERROR" => Out::Int(0),
        Ok(errno) if name == "SO_ERROR" => Out::Errno(os::errno(errno)),
        Ok(n) => Out::Int(n),
        Err(_) => Out::Bytes(Hex(bytes)),
    }
}

#[cfg(test)]
pub(super) mod tests;
