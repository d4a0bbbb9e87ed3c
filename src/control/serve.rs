//! Ordinary sockets: a thread accepts, a thread for each connection does what the script says.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use harness::threads::lock;

use super::Event;
use super::parse::{Body, Head, Parsed, Reader, parse};
use super::report::{Answered, Record};
use super::script::{self, Action, Response, Script, Seen};

/// How much of a body is kept.
const KEPT: usize = 1 << 20;
/// How much is read at once.
const CHUNK: usize = 16 << 10;
/// How long the slow reader sleeps before each read.
const SLOW: Duration = Duration::from_millis(10);
/// How long connections have to end by themselves, and then again by force.
const GRACE: Duration = Duration::from_millis(300);

/// A server at work.
pub(crate) struct Server {
    addr: SocketAddr,
    /// The address that the connection which ends the server comes from.
    last: Arc<Mutex<Option<SocketAddr>>>,
    accepting: JoinHandle<Vec<Open>>,
}

/// What the threads share.
#[derive(Debug)]
struct Shared {
    script: &'static Script,
    began: Instant,
    requests: AtomicU64,
    events: Sender<Event>,
}

/// A connection that may still be open.
struct Open {
    thread: JoinHandle<()>,
    stream: Weak<TcpStream>,
}

/// Starts to serve.
pub(crate) fn start(
    listener: TcpListener,
    script: &'static Script,
    events: Sender<Event>,
) -> io::Result<Server> {
    let addr = listener.local_addr()?;
    let last = Arc::new(Mutex::new(None));
    let requests = AtomicU64::new(0);
    let shared = Arc::new(Shared { script, began: Instant::now(), requests, events });
    let ends = Arc::clone(&last);
    let accepting = thread::Builder::new().spawn(move || accept(&listener, &shared, &ends))?;
    Ok(Server { addr, last, accepting })
}

impl Server {
    /// Accepts what is waiting to be accepted and no more, and ends every connection.
    pub(crate) fn stop(self) {
        // Connections are accepted in their order: those before this one are not lost.
        {
            let mut last = lock(&self.last);
            let mut addr = self.addr;
            if addr.ip().is_unspecified() {
                addr.set_ip(match addr.ip() {
                    IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                    IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
                });
            }
            let Ok(stream) = TcpStream::connect_timeout(&addr, GRACE) else { return };
            *last = stream.local_addr().ok();
        }
        let Ok(open) = self.accepting.join() else { return };
        if !ended(&open) {
            for stream in open.iter().filter_map(|open| open.stream.upgrade()) {
                // It may have been closed in the meantime.
                let _ = stream.shutdown(Shutdown::Both);
            }
            ended(&open);
        }
    }
}

/// Waits for the connections to end, but not for long.
fn ended(open: &[Open]) -> bool {
    let began = Instant::now();
    while !open.iter().all(|open| open.thread.is_finished()) {
        if began.elapsed() > GRACE {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
    true
}

fn accept(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    last: &Mutex<Option<SocketAddr>>,
) -> Vec<Open> {
    let mut open: Vec<Open> = Vec::new();
    let mut number = 0;
    loop {
        let Ok((stream, peer)) = listener.accept() else {
            // Gone before it was accepted, or no descriptors left: others may come.
            thread::sleep(SLOW);
            continue;
        };
        if *lock(last) == Some(peer) {
            return open;
        }
        number += 1;
        let (stream, shared) = (Arc::new(stream), Arc::clone(shared));
        let weak = Arc::downgrade(&stream);
        let connection = Connection { stream, number, buffer: Vec::new(), shared };
        open.retain(|open| !open.thread.is_finished());
        // What fails on a connection is the client's leaving; each request says what it got.
        match thread::Builder::new().spawn(move || drop(connection.serve())) {
            Ok(thread) => open.push(Open { thread, stream: weak }),
            // The connection went with what should have served it: others may find room.
            Err(_) => thread::sleep(SLOW),
        }
    }
}

/// One connection. Its thread holds the only lasting reference to the stream: dropping it closes.
struct Connection {
    stream: Arc<TcpStream>,
    number: u64,
    /// What was read and belongs to nothing yet.
    buffer: Vec<u8>,
    shared: Arc<Shared>,
}

/// A request being served.
struct Exchange {
    record: Record,
    body: Reader,
    reported: bool,
}

impl Connection {
    fn serve(mut self) -> io::Result<()> {
        for on_connection in 1.. {
            let Some((head, head_len)) = self.head()? else { break };
            let raw: Vec<u8> = self.buffer.drain(..head_len).collect();
            let request = self.shared.requests.fetch_add(1, Ordering::SeqCst) + 1;
            let connection = self.number;
            let seen = Seen { request, connection, on_connection, head: &head };
            let actions = script::actions(self.shared.script, &seen);
            let body = head.body;
            let ending = script::ending(&actions).to_owned();
            let record = self.record(request, Ok(head), raw, ending);
            let mut exchange = Exchange { record, body: Reader::new(body), reported: false };
            let goes_on = self.perform(actions, &mut exchange);
            if let Err(e) = &goes_on {
                exchange.record.ending = format!("broken by the client: {e}");
            }
            self.report(&mut exchange, body);
            if !goes_on? {
                break;
            }
        }
        Ok(())
    }

    fn record(
        &self,
        request: u64,
        head: Result<Head, String>,
        raw: Vec<u8>,
        ending: String,
    ) -> Record {
        let (connection, at, head_len) = (self.number, self.shared.began.elapsed(), raw.len());
        let (body_len, body_note, response) = (0, None, None);
        Record {
            request,
            connection,
            at,
            head,
            raw,
            head_len,
            body_len,
            body_note,
            response,
            ending,
        }
    }

    /// The next head, or nothing if the connection is at its end.
    fn head(&mut self) -> io::Result<Option<(Head, usize)>> {
        loop {
            let (why, too_long) = match parse(&self.buffer) {
                Parsed::Complete(head, len) => return Ok(Some((head, len))),
                Parsed::Malformed(why) => (why, false),
                Parsed::TooLong => ("the head is longer than 64 KiB".to_owned(), true),
                Parsed::Partial => match self.fill() {
                    Ok(n) if n > 0 => continue,
                    _ if self.buffer.is_empty() => return Ok(None),
                    Ok(_) => ("the connection ended within the head".to_owned(), false),
                    Err(e) => (format!("within the head: {e}"), false),
                },
            };
            let request = self.shared.requests.fetch_add(1, Ordering::SeqCst) + 1;
            let raw = std::mem::take(&mut self.buffer);
            let mut record = self.record(request, Err(why), raw, "closed".to_owned());
            let answered = self.send(&script::refusal(too_long), &mut record);
            // There is nobody to tell once the reporter is gone.
            let _ = self.shared.events.send(Event::Request(Box::new(record)));
            return answered.map(|()| None);
        }
    }

    /// Reads once, as much as there is: how much; 0 at the end.
    fn fill(&mut self) -> io::Result<usize> {
        let mut chunk = [0; CHUNK];
        loop {
            match (&*self.stream).read(&mut chunk) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
                Ok(n) => {
                    self.buffer.extend_from_slice(&chunk[..n]);
                    return Ok(n);
                }
            }
        }
    }

    /// Does what the script says: whether another request may come.
    fn perform(&mut self, actions: Vec<Action>, exchange: &mut Exchange) -> io::Result<bool> {
        for action in actions {
            match action {
                Action::Send(response) => self.send(&response, &mut exchange.record)?,
                Action::Read | Action::ReadSlowly => {
                    let pause = (action == Action::ReadSlowly).then_some(SLOW);
                    if !self.read_body(exchange, pause)? {
                        return Ok(false);
                    }
                }
                Action::Pause(ms) => thread::sleep(Duration::from_millis(ms)),
                Action::Idle(ms) => {
                    self.report(exchange, Body::Length(0));
                    if self.idle(Duration::from_millis(ms))? {
                        return Ok(true);
                    }
                }
                Action::HalfClose => self.stream.shutdown(Shutdown::Write)?,
                Action::Drain => {
                    self.read_body(exchange, None)?;
                    while self.fill()? > 0 {
                        self.buffer.clear();
                    }
                }
                Action::Close => return Ok(false),
                Action::Reset => {
                    socket2::SockRef::from(&*self.stream).set_linger(Some(Duration::ZERO))?;
                    return Ok(false);
                }
                Action::Silence => {
                    self.report(exchange, Body::Length(0));
                    while self.fill()? > 0 {
                        self.buffer.clear();
                    }
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn send(&self, response: &Response, record: &mut Record) -> io::Result<()> {
        let at = self.shared.began.elapsed();
        (&*self.stream).write_all(&response.bytes)?;
        if response.status != 100 {
            let (status, lines) = (response.status, response.lines.clone());
            record.response = Some(Answered { at, status, lines });
        }
        Ok(())
    }

    /// Reads the body to its end: whether it got there.
    fn read_body(&mut self, exchange: &mut Exchange, pause: Option<Duration>) -> io::Result<bool> {
        loop {
            let fed = exchange.body.feed(&self.buffer);
            let taken = *fed.as_ref().unwrap_or(&self.buffer.len());
            let room = (exchange.record.head_len + KEPT).saturating_sub(exchange.record.raw.len());
            let kept = self.buffer.drain(..taken).take(room);
            exchange.record.raw.extend(kept);
            exchange.record.body_len = exchange.body.len;
            if let Err(why) = fed {
                exchange.record.body_note = Some(why);
                "closed".clone_into(&mut exchange.record.ending);
                return Ok(false);
            }
            if exchange.body.is_done() {
                return Ok(true);
            }
            if let Some(pause) = pause {
                thread::sleep(pause);
            }
            if self.fill()? == 0 {
                exchange.record.body_note = Some("then the connection ended".to_owned());
                "ended by the client".clone_into(&mut exchange.record.ending);
                return Ok(false);
            }
        }
    }

    /// Waits for the client: whether the next request has begun.
    fn idle(&self, time: Duration) -> io::Result<bool> {
        if !self.buffer.is_empty() {
            return Ok(true);
        }
        self.stream.set_read_timeout(Some(time))?;
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_read_timeout(None)?;
        match peeked {
            Ok(n) => Ok(n > 0),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Hands the record over, once.
    fn report(&self, exchange: &mut Exchange, body: Body) {
        if std::mem::replace(&mut exchange.reported, true) {
            return;
        }
        let record = &mut exchange.record;
        if !exchange.body.is_done() && record.body_note.is_none() {
            record.body_note = Some(match body {
                Body::Length(len) => format!("of {len} announced"),
                Body::Chunked => "not to its end".to_owned(),
            });
        }
        // There is nobody to tell once the reporter is gone.
        let _ = self.shared.events.send(Event::Request(Box::new(record.clone())));
    }
}
