//! The thread that waits for all sockets of a server.

use std::io::{self, ErrorKind, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, SockRef, Socket, Type};

use super::flow::{Came, Flow, why};
use super::udp::Udp;
use crate::machine::{Do, Input, Kind, Out, Side, SideDo, Stream};
use crate::witness::{Told, Witness};

/// How many connections there may be at once; others wait to be accepted.
const MOST: usize = 512;
/// How many descriptors are left to whoever keeps what came.
const SPARED: usize = 48;
/// How long connections have to end by themselves once the server ends.
const GRACE: Duration = Duration::from_millis(300);
/// How long nothing is accepted after that has failed.
const PAUSE: Duration = Duration::from_millis(10);

/// All sockets of a server.
pub(super) struct Room {
    listener: Option<TcpListener>,
    udp: Option<Udp>,
    woken: UnixStream,
    kind: Box<dyn Kind>,
    witness: Box<dyn Witness>,
    say: Box<dyn FnMut(Told) + Send>,
    began: Instant,
    number: u64,
    connections: Vec<Connection>,
    /// Until when nothing is accepted.
    pauses: Option<Duration>,
    /// How many connections there may be at once here.
    most: usize,
}

/// A connection, its machine, and its second connection.
struct Connection {
    flow: Flow,
    machine: Box<dyn Stream>,
    side: Option<Second>,
    local: SocketAddr,
    peer: SocketAddr,
    is_over: bool,
}

/// A second connection.
enum Second {
    Listens(TcpListener),
    Connects(TcpStream, SocketAddr),
    Open(Flow),
}

/// Whose descriptor it was.
#[derive(Clone, Copy)]
enum Whose {
    Waker,
    Listener,
    Udp(usize),
    First(usize),
    Second(usize),
}

impl Room {
    pub(super) fn new(
        listener: Option<TcpListener>,
        udp: Option<Udp>,
        woken: UnixStream,
        kind: Box<dyn Kind>,
        witness: Box<dyn Witness>,
        say: Box<dyn FnMut(Told) + Send>,
    ) -> io::Result<Self> {
        listener.iter().try_for_each(|l| l.set_nonblocking(true))?;
        woken.set_nonblocking(true)?;
        let (began, connections) = (Instant::now(), Vec::new());
        let (number, pauses) = (0, None);
        let most = most(descriptors());
        Ok(Self {
            listener,
            udp,
            woken,
            kind,
            witness,
            say,
            began,
            number,
            connections,
            pauses,
            most,
        })
    }

    /// Serves until it is woken, or nobody is left who could wake it.
    pub(super) fn serve(mut self) -> Box<dyn Witness> {
        while !self.turn(None) {}
        // Those that wait to be accepted came before the end, if they are no more than there can be; and so did what
        // lies there to be read.
        for _ in 0..MOST {
            if !self.accept() {
                break;
            }
        }
        self.turn(Some(self.began.elapsed()));
        let until = self.began.elapsed() + GRACE;
        while self.began.elapsed() < until && self.connections.iter().any(|c| c.machine.is_busy()) {
            self.turn(Some(until));
        }
        let at = self.began.elapsed();
        let mut out = Out::default();
        // Datagrams that wait to be read came before the end, too.
        while let Some(udp) = &mut self.udp {
            let more = udp.read_all(at, &mut out);
            self.tell(&mut out);
            if !more || self.began.elapsed() > until + GRACE {
                break;
            }
        }
        if let Some(udp) = &mut self.udp {
            udp.machine.stops(at, &mut out);
            udp.send(&mut out);
            self.tell(&mut out);
        }
        for mut connection in std::mem::take(&mut self.connections) {
            connection.input(Input::Stops, at, &mut out);
            self.tell(&mut out);
        }
        self.witness
    }

    /// Waits for whatever comes next, until then at the most, and sees to it; whether the server is to end.
    fn turn(&mut self, until: Option<Duration>) -> bool {
        let ready = self.wait(until);
        let at = self.began.elapsed();
        let mut out = Out::default();
        let mut ends = false;
        for (whose, events) in ready {
            match whose {
                Whose::Waker => {
                    ends = !matches!(self.woken.read(&mut [0]), Err(e) if e.kind() == ErrorKind::WouldBlock);
                }
                Whose::Listener => {
                    self.accept();
                }
                Whose::Udp(index) => {
                    if let Some(udp) = &mut self.udp {
                        udp.read(index, at, &mut out);
                    }
                }
                Whose::First(index) => self.connections[index].first(events, at, &mut out),
                Whose::Second(index) => self.connections[index].second(events, at, &mut out),
            }
            self.tell(&mut out);
        }
        let at = self.began.elapsed();
        for index in 0..self.connections.len() {
            let connection = &mut self.connections[index];
            if connection.machine.wakes().is_some_and(|when| when <= at) {
                connection.input(Input::Time, at, &mut out);
            }
            self.tell(&mut out);
        }
        if let Some(udp) = &mut self.udp {
            if udp.machine.wakes().is_some_and(|when| when <= at) {
                udp.machine.time(at, &mut out);
            }
            udp.send(&mut out);
        }
        self.tell(&mut out);
        self.connections.retain(|connection| !connection.is_over);
        ends
    }

    /// Whose descriptors are ready.
    fn wait(&mut self, until: Option<Duration>) -> Vec<(Whose, PollFlags)> {
        let at = self.began.elapsed();
        if self.pauses.is_some_and(|when| when <= at) {
            self.pauses = None;
        }
        let mut fds: Vec<PollFd<'_>> = Vec::new();
        let mut whose = Vec::new();
        let mut wakes: Option<Duration> = until;
        let mut earlier = |when: Option<Duration>| {
            wakes = [wakes, when].into_iter().flatten().min();
        };
        earlier(self.pauses);
        // Once it ends it is not woken again.
        if until.is_none() {
            fds.push(PollFd::new(self.woken.as_fd(), PollFlags::POLLIN));
            whose.push(Whose::Waker);
        }
        let has_room =
            self.connections.len() < self.most && self.pauses.is_none() && until.is_none();
        if let Some(listener) = self.listener.as_ref().filter(|_| has_room) {
            fds.push(PollFd::new(listener.as_fd(), PollFlags::POLLIN));
            whose.push(Whose::Listener);
        }
        if let Some(udp) = &self.udp {
            earlier(udp.machine.wakes());
            for (index, fd) in udp.fds().enumerate() {
                fds.push(PollFd::new(fd, PollFlags::POLLIN));
                whose.push(Whose::Udp(index));
            }
        }
        for (index, connection) in self.connections.iter().enumerate() {
            earlier(connection.machine.wakes());
            let flags = connection.flow.wants(connection.room());
            // Without anything to wait for, poll(2) would still tell of a hang-up, over and over.
            if !flags.is_empty() {
                fds.push(PollFd::new(connection.flow.stream.as_fd(), flags));
                whose.push(Whose::First(index));
            }
            if let Some((fd, flags)) = connection.second_wants() {
                fds.push(PollFd::new(fd, flags));
                whose.push(Whose::Second(index));
            }
        }
        let timeout = wakes.map_or(PollTimeout::NONE, |when| {
            // Rounded up: else it would wake before the time is there, and find nothing to do.
            let ms = when.saturating_sub(at).as_micros().div_ceil(1000).min(60_000);
            PollTimeout::from(u16::try_from(ms).unwrap_or(u16::MAX))
        });
        if poll(&mut fds, timeout).is_err() {
            // A signal, whose handler is another thread's business.
            return Vec::new();
        }
        let events = fds.iter().map(|fd| fd.revents().unwrap_or(PollFlags::empty()));
        whose.into_iter().zip(events).filter(|(_, events)| !events.is_empty()).collect()
    }

    /// Accepts one connection: whether there was one.
    fn accept(&mut self) -> bool {
        let Some(listener) = &self.listener else { return false };
        let (stream, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(e) => {
                // Gone before it was accepted, or no descriptors left: others may come.
                if e.kind() != ErrorKind::WouldBlock {
                    self.pauses = Some(self.began.elapsed() + PAUSE);
                }
                return false;
            }
        };
        self.number += 1;
        let Some(machine) = self.kind.stream(self.number) else { return true };
        let local = stream.local_addr();
        let Some((flow, local)) = Flow::new(stream).ok().zip(local.ok()) else { return true };
        let mut connection = Connection { flow, machine, side: None, local, peer, is_over: false };
        let mut out = Out::default();
        connection.input(Input::Opened { local, peer }, self.began.elapsed(), &mut out);
        self.tell(&mut out);
        if !connection.is_over {
            self.connections.push(connection);
        }
        true
    }

    /// Sends what is to be sent as datagrams, then says what was seen, which takes longer.
    fn tell(&mut self, out: &mut Out) {
        if let Some(udp) = &self.udp {
            udp.send(out);
        }
        if std::mem::take(&mut out.closes_port) {
            self.udp = None;
        }
        for seen in out.seen.drain(..) {
            (self.say)(self.witness.tell(&seen));
        }
    }
}

impl Connection {
    /// How much is taken from its first connection: nothing while the second has too much to send.
    fn room(&self) -> usize {
        match &self.side {
            Some(Second::Open(flow)) if flow.is_full() => 0,
            _ => self.machine.room(),
        }
    }

    /// What to wait for of its second connection: nothing to read while the first has too much to send.
    fn second_wants(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        self.side.as_ref()?.wants(if self.flow.is_full() { 0 } else { FLOW })
    }

    /// Hands something over, and does what the machine makes of it.
    fn input(&mut self, what: Input<'_>, at: Duration, out: &mut Out) {
        if self.is_over {
            return;
        }
        self.machine.input(what, at, out);
        self.is_over |= matches!(what, Input::Broken(_) | Input::Stops);
        for todo in std::mem::take(&mut out.todo) {
            match todo {
                Do::Send(bytes) => self.flow.send(bytes),
                Do::Shutdown => self.flow.shutdown(),
                Do::Close => self.flow.close(),
                Do::Reset => self.flow.reset(),
                Do::Vanish => self.flow.vanish(),
                Do::Side(todo) => self.with_second(todo, at, out),
            }
        }
        match self.flow.act() {
            Ok(true) => {}
            Ok(false) => self.is_over = true,
            Err(e) if self.is_over => drop(e),
            Err(e) => self.input(Input::Broken(&why(&e)), at, out),
        }
    }

    /// What is ready of its first connection.
    fn first(&mut self, events: PollFlags, at: Duration, out: &mut Out) {
        if self.is_over {
            return;
        }
        match self.flow.act() {
            Ok(true) => {}
            Ok(false) => return self.is_over = true,
            Err(e) => return self.input(Input::Broken(&why(&e)), at, out),
        }
        match self.flow.read(events, self.machine.room()) {
            None => {}
            Some(Came::Bytes(bytes)) => self.input(Input::Bytes(&bytes), at, out),
            Some(Came::Urgent) => self.input(Input::Urgent, at, out),
            Some(Came::End) => self.input(Input::End, at, out),
            Some(Came::Broken(why)) => self.input(Input::Broken(&why), at, out),
        }
    }

    /// What is ready of its second connection.
    fn second(&mut self, events: PollFlags, at: Duration, out: &mut Out) {
        match self.side.take() {
            None => {}
            Some(Second::Listens(listener)) => match listener.accept() {
                // Whoever else comes is not who was told of the port.
                Ok((_, peer)) if peer.ip() != self.peer.ip() => {
                    self.side = Some(Second::Listens(listener));
                }
                Ok((stream, peer)) => self.has_opened(stream, peer, at, out),
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.side = Some(Second::Listens(listener));
                }
                Err(e) => self.input(Input::Side(Side::Failed(&why(&e))), at, out),
            },
            Some(Second::Connects(stream, peer)) => match SockRef::from(&stream).take_error() {
                Ok(None) => self.has_opened(stream, peer, at, out),
                Ok(Some(e)) | Err(e) => self.input(Input::Side(Side::Failed(&why(&e))), at, out),
            },
            Some(Second::Open(mut flow)) => {
                let goes_on = flow.act();
                let came = flow.read(events, FLOW);
                match (goes_on, came) {
                    (Err(e), _) => self.input(Input::Side(Side::Broken(&why(&e))), at, out),
                    (Ok(false), _) => {}
                    (Ok(true), Some(Came::Broken(why))) => {
                        self.input(Input::Side(Side::Broken(&why)), at, out);
                    }
                    (Ok(true), came) => {
                        self.side = Some(Second::Open(flow));
                        match came {
                            Some(Came::Bytes(bytes)) => {
                                self.input(Input::Side(Side::Bytes(&bytes)), at, out);
                            }
                            Some(Came::End) => self.input(Input::Side(Side::End), at, out),
                            _ => {}
                        }
                    }
                }
            }
        }
    }

    fn has_opened(&mut self, stream: TcpStream, peer: SocketAddr, at: Duration, out: &mut Out) {
        match Flow::new(stream) {
            Ok(flow) => {
                self.side = Some(Second::Open(flow));
                self.input(Input::Side(Side::Opened(peer)), at, out);
            }
            Err(e) => self.input(Input::Side(Side::Failed(&why(&e))), at, out),
        }
    }

    /// Does something with its second connection.
    fn with_second(&mut self, todo: SideDo, at: Duration, out: &mut Out) {
        if let Some(Second::Open(flow)) = &mut self.side {
            match todo {
                SideDo::Send(bytes) => flow.send(bytes),
                SideDo::Shutdown => flow.shutdown(),
                SideDo::Close => flow.close(),
                SideDo::Reset => flow.reset(),
                SideDo::Connect(_) | SideDo::Listen => return self.new_second(&todo, at, out),
            }
            // What failed is told when it is looked at next.
            if matches!(flow.act(), Ok(false)) {
                self.side = None;
            }
            return;
        }
        match todo {
            SideDo::Close | SideDo::Reset => self.side = None,
            SideDo::Connect(_) | SideDo::Listen => self.new_second(&todo, at, out),
            SideDo::Send(_) | SideDo::Shutdown => {}
        }
    }

    fn new_second(&mut self, todo: &SideDo, at: Duration, out: &mut Out) {
        self.side = None;
        let made = match todo {
            SideDo::Connect(to) => connect(*to).map(|stream| Second::Connects(stream, *to)),
            _ => listen(self.local).map(Second::Listens),
        };
        match made {
            Err(e) => self.input(Input::Side(Side::Failed(&why(&e))), at, out),
            Ok(Second::Listens(listener)) => match listener.local_addr() {
                Ok(addr) => {
                    self.side = Some(Second::Listens(listener));
                    self.input(Input::Side(Side::Listens(addr)), at, out);
                }
                Err(e) => self.input(Input::Side(Side::Failed(&why(&e))), at, out),
            },
            Ok(second) => self.side = Some(second),
        }
    }
}

/// How many descriptors this process may have, once that is as many as it may allow itself.
fn descriptors() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return u64::MAX };
    // As many as twice the connections need; more would be passed on to programs that use select(2).
    let wanted = hard.min(1024).max(soft);
    let raised = soft < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok();
    if raised { wanted } else { soft }
}

/// How many connections there may be with so many: each may have a second one.
fn most(descriptors: u64) -> usize {
    let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
    (descriptors.saturating_sub(SPARED) / 2).clamp(1, MOST)
}

/// How much is taken from a second connection at once.
const FLOW: usize = usize::MAX;

impl Second {
    fn wants(&self, room: usize) -> Option<(BorrowedFd<'_>, PollFlags)> {
        match self {
            Self::Listens(listener) => Some((listener.as_fd(), PollFlags::POLLIN)),
            Self::Connects(stream, _) => Some((stream.as_fd(), PollFlags::POLLOUT)),
            Self::Open(flow) => {
                let flags = flow.wants(room);
                (!flags.is_empty()).then(|| (flow.stream.as_fd(), flags))
            }
        }
    }
}

/// A connection that is being opened.
fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&to.into()) {
        Err(e) if e.raw_os_error() != Some(nix::errno::Errno::EINPROGRESS as i32) => Err(e),
        _ => Ok(socket.into()),
    }
}

fn listen(mut at: SocketAddr) -> io::Result<TcpListener> {
    at.set_port(0);
    let listener = TcpListener::bind(at)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

#[cfg(test)]
mod limits {
    use super::*;

    /// With 256 descriptors 230 idle peers took all of them, and what came could not be written.
    #[test]
    fn who_keeps_what_came_has_descriptors_left() {
        assert_eq!((most(256), most(1024), most(u64::MAX), most(32)), (104, 488, MOST, 1));
    }
}
