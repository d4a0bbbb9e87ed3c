//! Each call as the steps that say the same.

use harness::case::op::PollFd;
use harness::case::{Flags, Hex, Op, Sym};
use harness::trace::{Did, Out};

use super::convert::Converter;
use super::hosts::{Told, decorated, decorated_peer, told};
use super::log::{Arg, Called};
use super::options;
use super::sockets::Socket;
use super::words::{flags, sym};

/// Flags of `open` that are no choice of the caller's (`F_SETFL` of fcntl(2)).
const MODES: [&str; 5] = ["O_RDWR", "O_RDONLY", "O_WRONLY", "O_LARGEFILE", "O_CLOEXEC"];

/// What `poll` reports, in the order of an outcome.
const REVENTS: [&str; 7] =
    ["POLLIN", "POLLPRI", "POLLOUT", "POLLERR", "POLLHUP", "POLLNVAL", "POLLRDHUP"];

type Said = Result<(), String>;

impl Converter<'_> {
    /// Takes one call; why it cannot be said, if it cannot.
    pub(super) fn call(&mut self, call: &Called) -> Said {
        match call.name.as_str() {
            "socket" => self.makes(call),
            "socketpair" => self.pair(call),
            "accept" | "accept4" => self.accept(call),
            "bind" | "connect" => self.names(call),
            "listen" | "shutdown" => self.plain(call),
            "close" => self.close(call),
            "close_range" => self.close_range(call),
            "dup" | "dup2" | "dup3" => self.copy(call),
            "getsockname" | "getpeername" => self.tells(call),
            "setsockopt" | "getsockopt" => self.option(call),
            "fcntl" | "fcntl64" => self.fcntl(call),
            "ioctl" => self.ioctl(call),
            "poll" | "ppoll" => self.poll(call),
            "send" | "sendto" | "write" | "writev" | "sendmsg" | "sendmmsg" => self.sends(call),
            "recv" | "recvfrom" | "read" | "readv" | "recvmsg" | "recvmmsg" => self.receives(call),
            name if name.starts_with("epoll_") => {
                Err("epoll is not read from a log yet".to_owned())
            }
            name if name.starts_with("io_uring") => {
                Err("io_uring is no call of a case yet".to_owned())
            }
            "select" | "_newselect" | "pselect6" => {
                Err("select is not read from a log yet: poll is".to_owned())
            }
            "foreign" => Err("from here on the program makes calls of another architecture, too, \
                              which are not read"
                .to_owned()),
            _ => Err("it is no call of a case".to_owned()),
        }
    }

    fn makes(&mut self, call: &Called) -> Said {
        let [domain, kind, protocol, ..] = &call.args[..] else {
            return Err("the log does not tell its arguments".to_owned());
        };
        let kinds = kind.flags();
        let type_ = kinds.iter().find(|word| **word != "SOCK_CLOEXEC" && **word != "SOCK_NONBLOCK");
        let socket = self.sockets.make("s", domain.text(), type_.copied().unwrap_or_default());
        if let Some(fd) = call.ret.filter(|fd| *fd >= 0) {
            self.sockets.opens(fd, socket);
        }
        let said = (|| {
            let fd = self.name(socket);
            let (domain, r#type) = (sym(domain.text())?, flags(&kinds, &[])?);
            let protocol = flags(&protocol.flags(), &["IPPROTO_IP"])?;
            self.step(Op::Socket { fd, domain, r#type, protocol }, None, Out::Nothing)
        })();
        if said.is_err() {
            self.sockets.all[socket].lost = Some("how its socket was made cannot be said");
        }
        said
    }

    fn pair(&mut self, call: &Called) -> Said {
        let [domain, kind, protocol, pair, ..] = &call.args[..] else {
            return Err("the log does not tell its arguments".to_owned());
        };
        let kinds = kind.flags();
        let type_ = kinds.iter().find(|word| **word != "SOCK_CLOEXEC" && **word != "SOCK_NONBLOCK");
        let made = ["a", "b"]
            .map(|letter| self.sockets.make(letter, domain.text(), type_.copied().unwrap_or("")));
        if call.ret == Some(0) {
            let fds = pair.within().iter().filter_map(Arg::number);
            fds.zip(made).for_each(|(fd, socket)| self.sockets.opens(fd, socket));
        }
        let [a, b] = made.map(|socket| self.name(socket));
        let (domain, r#type) = (sym(domain.text())?, flags(&kinds, &[])?);
        let protocol = flags(&protocol.flags(), &["IPPROTO_IP"])?;
        self.step(Op::Socketpair { a, b, domain, r#type, protocol }, None, Out::Nothing)
    }

    fn accept(&mut self, call: &Called) -> Said {
        let listener = self.socket(call.args.first());
        let (family, kind) = match &listener {
            Ok(socket) => {
                let socket = &self.sockets.all[*socket];
                (socket.family.clone(), socket.kind.clone())
            }
            Err(_) => (String::new(), String::new()),
        };
        let new = self.sockets.make("c", &family, &kind);
        if let Some(fd) = call.ret.filter(|fd| *fd >= 0) {
            self.sockets.opens(fd, new);
        }
        let said = listener.and_then(|listener| self.accepted(call, listener, new));
        if said.is_err() {
            self.sockets.all[new].lost = Some("how its socket was accepted cannot be said");
        }
        said
    }

    fn accepted(&mut self, call: &Called, listener: usize, new: usize) -> Said {
        let made = call.made.as_deref();
        if let Some((ip, port)) = made.and_then(decorated) {
            self.learn(new, ip, port);
        }
        let peer = match call.args.get(1).and_then(told) {
            Some(Told::Ip { ip, .. }) => Some(ip),
            _ => made.and_then(decorated_peer).map(|(ip, _)| ip),
        };
        if peer.is_some_and(|ip| self.hosts.is_peer(ip)) {
            return Err("what another host begins cannot be said yet".to_owned());
        }
        if call.errno.is_none() && !self.is_begun(listener) {
            let why = "no socket of the case begins what it accepts: another process does, or another host";
            return Err(why.to_owned());
        }
        self.sockets.all[new].bound = self.sockets.all[listener].bound;
        self.sockets.all[new].has_port = true;
        self.sockets.all[new].of = Some(listener);
        let op = Op::Accept { fd: self.name(listener), new: self.name(new) };
        let from = self.gave(call.args.get(1), listener).map_or(Out::Nothing, Out::Addr);
        self.step(op, None, from)?;
        if call.errno.is_none() && call.args.get(3).is_some_and(|f| f.text().contains("NONBLOCK")) {
            self.draft.remark("accept4(…, SOCK_NONBLOCK), in two calls".to_owned());
            self.nonblocking(new)?;
        }
        Ok(())
    }

    /// Whether a socket of the case has connected to where a listener is, so far as the log tells where that is.
    fn is_begun(&self, listener: usize) -> bool {
        let port = self.known(listener).port;
        let is_it = |one: &Socket| {
            let to = one.peer.filter(|(ip, _)| !self.hosts.is_peer(*ip));
            one.lost.is_none() && to.is_some_and(|(_, to)| port.is_none_or(|port| port == to))
        };
        self.sockets.all.iter().any(is_it)
    }

    /// `fcntl(s, F_SETFL, O_NONBLOCK)`, for what says the same.
    fn nonblocking(&mut self, socket: usize) -> Said {
        let (fd, arg) = (self.name(socket), Flags::of(&["O_NONBLOCK"]));
        let did = Did::Returned { ret: 0, errno: None, out: Out::Nothing };
        self.step_as(Op::Fcntl { fd, cmd: "F_SETFL".into(), arg, pid: None }, None, did)
    }

    fn names(&mut self, call: &Called) -> Said {
        let socket = self.socket(call.args.first())?;
        let fd = self.name(socket);
        let ip = call.args.get(1).and_then(told).and_then(|told| match told {
            Told::Ip { ip, port, .. } => Some((ip, port)),
            _ => None,
        });
        if let ("bind", Some((ip, port)), Some(0)) = (call.name.as_str(), ip, call.ret) {
            // Before its address is written: the port is not one that the socket had.
            self.sockets.all[socket].bound = port != 0;
            self.learn(socket, ip, port);
        }
        if let ("connect", Some(to)) = (call.name.as_str(), ip) {
            self.parts(socket, to);
        }
        let given = self.given((call.args.get(1), call.args.get(2)), socket);
        let (addr, seen) = match given {
            Ok(given) => given,
            Err(why) => {
                // Nobody knows what the socket is from here on.
                if call.errno.is_none() {
                    self.sockets.all[socket].lost = Some("an earlier call on it cannot be said");
                }
                return Err(why);
            }
        };
        if call.name == "bind" {
            return self.step(Op::Bind { fd, addr }, seen, Out::Nothing);
        }
        if let Some((ip, port)) = ip
            && let Err(why) = self.connects(call, socket, ip, port)
        {
            self.sockets.all[socket].lost = Some("an earlier call on it cannot be said");
            return Err(why);
        }
        self.step(Op::Connect { fd, addr }, seen, Out::Nothing)
    }

    fn plain(&mut self, call: &Called) -> Said {
        let fd = self.name(self.socket(call.args.first())?);
        let arg = call.args.get(1);
        let op = if call.name == "listen" {
            let backlog = arg.and_then(Arg::number).and_then(|n| i32::try_from(n).ok());
            Op::Listen { fd, backlog: backlog.ok_or("the log does not tell the backlog")? }
        } else {
            Op::Shutdown { fd, how: sym(arg.map_or("", Arg::text))? }
        };
        self.step(op, None, Out::Nothing)
    }

    fn close(&mut self, call: &Called) -> Said {
        let socket = self.socket(call.args.first());
        if let (Some(fd), Some(0)) = (call.args.first().and_then(Arg::number), call.ret) {
            self.sockets.closes(fd);
        }
        let socket = socket?;
        if self.sockets.all[socket].open > 0 {
            return Err("the socket is open by another descriptor, and stays so".to_owned());
        }
        self.step(Op::Close { fd: self.name(socket) }, None, Out::Nothing)
    }

    fn close_range(&mut self, call: &Called) -> Said {
        let why = "a case executes no program, and its descriptors have no flags";
        let range = call.closes().ok_or(if call.errno.is_none() { why } else { "it failed" })?;
        let mut last = Vec::new();
        for (fd, socket) in self.sockets.within(&range) {
            self.sockets.closes(fd);
            let one = &self.sockets.all[socket];
            if one.open == 0 && one.lost.is_none() {
                last.push(socket);
            }
        }
        if last.is_empty() {
            return Err("of the sockets of the case it closes none".to_owned());
        }
        self.draft.remark("close_range, one by one".to_owned());
        for socket in last {
            self.step(Op::Close { fd: self.name(socket) }, None, Out::Nothing)?;
        }
        Ok(())
    }

    fn copy(&mut self, call: &Called) -> Said {
        let socket = call.args.first().and_then(Arg::number).and_then(|fd| self.sockets.of(fd));
        if let Some(fd) = call.ret.filter(|fd| *fd >= 0) {
            // What had the number before is closed.
            if let Some(was) = self.sockets.closes(fd)
                && self.sockets.all[was].open == 0
                && Some(was) != socket
                && self.sockets.all[was].lost.is_none()
            {
                let op = Op::Close { fd: self.name(was) };
                let did = Did::Returned { ret: 0, errno: None, out: Out::Nothing };
                self.step_as(op, None, did)?;
            }
            if let Some(socket) = socket {
                self.sockets.opens(fd, socket);
            }
        }
        Err("another descriptor of the same socket: the socket's calls go on by its name"
            .to_owned())
    }

    fn tells(&mut self, call: &Called) -> Said {
        let socket = self.socket(call.args.first())?;
        if let (Some(Told::Ip { ip, port, .. }), "getsockname", None) =
            (call.args.get(1).and_then(told), call.name.as_str(), &call.errno)
        {
            self.learn(socket, ip, port);
        }
        let fd = self.name(socket);
        let len = call.args.get(2);
        let is_cut = len.and_then(Arg::before) < len.and_then(Arg::number);
        if is_cut && call.errno.is_none() {
            let name = &call.name;
            self.draft
                .remark(format!("{name}({fd}): there was less room than the address is long"));
        }
        let out = match call.errno {
            None if !is_cut => self.gave(call.args.get(1), socket).map_or(Out::Nothing, Out::Addr),
            _ => Out::Nothing,
        };
        let op = match call.name.as_str() {
            "getsockname" => Op::Getsockname { fd },
            _ => Op::Getpeername { fd },
        };
        self.step(op, None, out)
    }

    fn option(&mut self, call: &Called) -> Said {
        let socket = self.socket(call.args.first())?;
        let fd = self.name(socket);
        let option = options::option(call.args.get(1), call.args.get(2))?;
        let harness::case::op::Opt::Raw { name, .. } = &option else {
            return Err("it has no name".to_owned());
        };
        let (Some(value), Some(len)) = (call.args.get(3), call.args.get(4)) else {
            return Err("the log does not tell its arguments".to_owned());
        };
        let size = |n: Option<i64>| n.and_then(|n| u32::try_from(n).ok());
        let missing = "the log does not tell how much room there is";
        if call.name == "setsockopt" {
            let len = size(len.number()).filter(|len| *len <= 4096).ok_or(missing)?;
            let came = (len as usize, call.errno.as_deref());
            let value = options::set(name, value, came, &mut self.hosts)?;
            return self.step(Op::Setsockopt { fd, option, value }, None, Out::Nothing);
        }
        let (room, got) = (size(len.before()).ok_or(missing)?, size(len.number()).unwrap_or(0));
        let out = match call.errno {
            None => options::got(name, value, got as usize, &mut self.hosts),
            Some(_) => Out::Nothing,
        };
        if let (Out::Errno(errno), "SO_ERROR") = (&out, name.as_str()) {
            self.refused(socket, errno.as_str());
        }
        self.step(Op::Getsockopt { fd, option, len: room }, None, out)
    }

    fn fcntl(&mut self, call: &Called) -> Said {
        let cmd = call.args.get(1).map_or("", Arg::text).to_owned();
        if cmd.starts_with("F_DUPFD") {
            return self.copy(call);
        }
        let fd = self.name(self.socket(call.args.first())?);
        if matches!(cmd.as_str(), "F_GETFD" | "F_SETFD") {
            return Err("a case executes no program, and its descriptors have no flags".to_owned());
        }
        let arg = match cmd.as_str() {
            "F_SETFL" => {
                let words = call.args.get(2).map(Arg::flags).unwrap_or_default();
                flags(&words, &MODES)?
            }
            _ => Flags::NONE,
        };
        self.step(Op::Fcntl { fd, cmd: sym(&cmd)?, arg, pid: None }, None, Out::Nothing)
    }

    fn ioctl(&mut self, call: &Called) -> Said {
        let socket = self.socket(call.args.first())?;
        let fd = self.name(socket);
        let request = call.args.get(1).map_or("", Arg::text);
        let value = call.args.get(2).and_then(Arg::number).and_then(|n| i32::try_from(n).ok());
        if request == "FIONBIO" && value.is_some_and(|on| on != 0) && call.errno.is_none() {
            self.draft.remark("ioctl(…, FIONBIO, [1])".to_owned());
            return self.nonblocking(socket);
        }
        if !matches!(request, "FIONBIO" | "FIONREAD" | "SIOCATMARK") {
            return Err(format!("{} is no request of a case", super::words::shown(request)));
        }
        let out = match (value, &call.errno) {
            (Some(value), None) => Out::Int(value),
            _ => Out::Nothing,
        };
        self.step(Op::Ioctl { fd, request: sym(request)?, link: None, given: None }, None, out)
    }

    fn poll(&mut self, call: &Called) -> Said {
        let ready = call.beside.first().map(Arg::within).unwrap_or_default();
        let revents = |fd: i64| {
            let of = ready.iter().find(|one| one.field("fd").and_then(Arg::number) == Some(fd));
            of.and_then(|one| one.field("revents")).map(Arg::flags).unwrap_or_default()
        };
        let (mut fds, mut others, mut early) = (Vec::new(), false, false);
        let mut came: Vec<Vec<Sym>> = Vec::new();
        let words = |words: Vec<&str>| {
            flags(&words, &["POLLRDNORM", "POLLRDBAND", "POLLWRNORM", "POLLWRBAND"])
        };
        let mut sockets = Vec::new();
        for one in call.args.first().map(Arg::within).unwrap_or_default() {
            let number = one.field("fd").and_then(Arg::number).unwrap_or(-1);
            match self.socket(one.field("fd")) {
                Ok(socket) => {
                    let events = one.field("events").map(Arg::flags).unwrap_or_default();
                    let events = words(events)?;
                    let revents = words(revents(number))?;
                    if call.errno.is_none() && revents != Flags::NONE {
                        self.connecting.remove(&socket);
                    }
                    if self.connecting.contains(&socket) {
                        early = true;
                        continue;
                    }
                    fds.push(PollFd { fd: self.name(socket), events });
                    let named = REVENTS.into_iter().filter(|name| revents.has(name));
                    came.push(named.map(Sym::from).collect());
                    sockets.push((socket, number));
                }
                Err(_) => others |= number >= 0,
            }
        }
        if early {
            const WHY: &str = "a connection was not there yet, and in a lab it is at once";
            if fds.is_empty() {
                return Err(WHY.to_owned());
            }
            self.draft.remark(format!("poll, without a socket: {WHY}"));
        }
        if fds.is_empty() {
            return Err("no socket of the case is among its descriptors".to_owned());
        }
        let timeout_ms = timeout(call.args.get(2));
        let ret = came.iter().filter(|one| !one.is_empty()).count();
        if timeout_ms < 0 && ret == 0 {
            return Err("it waits for what is no socket of the case".to_owned());
        }
        if others {
            self.draft.remark("poll, without what is no socket of the case".to_owned());
        }
        for ((socket, _), revents) in sockets.iter().zip(&came) {
            let readable = revents.iter().any(|one| one.as_str() == "POLLIN");
            self.looks(*socket, readable)?;
        }
        let ret = i64::try_from(ret).unwrap_or(0);
        let did = match &call.errno {
            None => Did::Returned { ret, errno: None, out: Out::Poll(came) },
            Some(errno) => {
                let errno = Some(Sym(errno.clone().into()));
                Did::Returned { ret: -1, errno, out: Out::Nothing }
            }
        };
        self.step_as(Op::Poll { fds, timeout_ms }, None, did)
    }

    /// Bytes that came, as an outcome has them.
    pub(super) fn data(bytes: Option<Hex>, from: Option<harness::case::addr::SockAddr>) -> Out {
        match bytes {
            Some(bytes) => Out::Data { bytes, from, flags: Vec::new(), control: Vec::new() },
            None => Out::Nothing,
        }
    }
}

/// In milliseconds, of `poll` and of `ppoll`.
fn timeout(arg: Option<&Arg>) -> i32 {
    let Some(arg) = arg else { return -1 };
    if let Some(seconds) = arg.field("tv_sec").and_then(Arg::number) {
        let ns = arg.field("tv_nsec").and_then(Arg::number).unwrap_or(0);
        let ms = seconds.saturating_mul(1000).saturating_add(ns / 1_000_000);
        return i32::try_from(ms).unwrap_or(i32::MAX);
    }
    arg.number().and_then(|ms| i32::try_from(ms).ok()).unwrap_or(-1)
}
