//! SOCKS, and what happens around a connection.

use super::{Do, EARLY, Input, Out, SOCKS, Session, Side, SideDo, State, Step, Stream, Way, socks};
use crate::proxy::Credentials;
use crate::proxy::relay::Current;

use std::time::Duration;

impl Session {
    pub(super) fn socks(&mut self, out: &mut Out) {
        loop {
            let State::Socks(buffer, step) = &mut self.state else { return };
            let step = *step;
            if buffer.first() == Some(&4) && matches!(step, Step::Methods) {
                return self.socks_4(out);
            }
            let read = match step {
                Step::Methods => socks::methods(buffer).map(|r| r.map(|(_, n)| n)),
                Step::User => socks::user(buffer).map(|r| r.map(|(_, n)| n)),
                Step::Request => socks::request(buffer).map(|r| r.map(|(_, n)| n)),
            };
            let len = match read {
                None if buffer.len() > SOCKS => return self.no_socks("it has no end", out),
                None => return,
                Some(Err(why)) => return self.no_socks(&why, out),
                Some(Ok(len)) => len,
            };
            let message: Vec<u8> = buffer.drain(..len).collect();
            match step {
                Step::Methods => self.methods(&message, out),
                Step::User => {
                    let user = socks::user(&message).and_then(Result::ok).map(|(user, _)| user);
                    let scheme = "SOCKS5 user/password".to_owned();
                    self.credentials = Some(Credentials { scheme, user, about: "" });
                    out.send([1, 0]);
                    self.step(Step::Request);
                }
                Step::Request => return self.wanted(&message, out),
            }
        }
    }

    fn step(&mut self, next: Step) {
        if let State::Socks(_, step) = &mut self.state {
            *step = next;
        }
    }

    fn methods(&mut self, message: &[u8], out: &mut Out) {
        let offered = message.get(2..).unwrap_or_default();
        let asks = self.shared.row.asks_socks;
        let method = if asks { 2 } else { 0 };
        if offered.contains(&method) {
            out.send([5, method]);
            return self.step(if asks { Step::User } else { Step::Request });
        }
        out.send([5, 0xff]);
        let ask = self.ask(Way::Socks5, "greeting".to_owned(), None);
        let current = self.tell(Current::new(ask), out);
        current.code = Some(0xff);
        let methods: Vec<&str> = offered.iter().map(|m| method_name(*m)).collect();
        let wanted = method_name(method);
        let offers = if methods.is_empty() { "nothing".to_owned() } else { methods.join(", ") };
        current.why = Some(format!("the client offers {offers}, and the script wants {wanted}"));
        self.finish(out);
    }

    fn wanted(&mut self, message: &[u8], out: &mut Out) {
        let Some(Ok((wanted, _))) = socks::request(message) else { return };
        let State::Socks(buffer, _) = &mut self.state else { return };
        let rest = std::mem::take(buffer);
        let line = match wanted.command {
            1 => format!("CONNECT {}", wanted.target),
            2 => format!("BIND {}", wanted.target),
            3 => format!("UDP ASSOCIATE {}", wanted.target),
            other => format!("command {other} {}", wanted.target),
        };
        let ask = self.ask(Way::Socks5, line, Some(wanted.target));
        let current = self.tell(Current::new(ask), out);
        current.early = rest;
        if wanted.command == 1 {
            self.go(out);
        } else {
            self.deny(501, "", "this proxy does CONNECT alone of SOCKS5", out);
        }
    }

    fn socks_4(&mut self, out: &mut Out) {
        let State::Socks(buffer, _) = &mut self.state else { return };
        let Some(target) = socks::version_4(buffer) else {
            if buffer.len() > SOCKS {
                self.no_socks("it has no end", out);
            }
            return;
        };
        let ask = self.ask(Way::Socks4, format!("CONNECT {target}"), Some(target));
        let current = self.tell(Current::new(ask), out);
        current.code = Some(0x5b);
        current.why = Some("this is SOCKS 4, and the proxy speaks SOCKS 5".to_owned());
        out.send([0, 0x5b, 0, 0, 0, 0, 0, 0]);
        self.finish(out);
    }

    fn no_socks(&mut self, why: &str, out: &mut Out) {
        let State::Socks(buffer, _) = &mut self.state else { return };
        let bytes = std::mem::take(buffer);
        self.odd(why.to_owned(), &bytes, out);
        self.drain(out);
    }

    /// The target is there.
    fn opened(&mut self, out: &mut Out) {
        self.grant(out);
        let Some(current) = &mut self.current else { return };
        self.state = State::Relays;
        let (forward, early) =
            (std::mem::take(&mut current.forward), std::mem::take(&mut current.early));
        if !forward.is_empty() {
            current.up += forward.len() as u64;
            out.todo.push(Do::Side(SideDo::Send(forward)));
        }
        let has_ended = current.client_ended;
        self.relay(&early, out);
        if has_ended {
            out.todo.push(Do::Side(SideDo::Shutdown));
        }
    }

    fn side(&mut self, side: Side<'_>, out: &mut Out) {
        let Some(current) = &mut self.current else { return };
        match side {
            Side::Listens(_) => {}
            Side::Opened(_) => self.opened(out),
            Side::Failed(why) => self.attempt(why, out),
            Side::Bytes(bytes) => {
                if current.ask.way == Way::Absolute && current.code.is_none() {
                    current.code = status(bytes);
                }
                current.down += bytes.len() as u64;
                out.send(bytes);
            }
            Side::End => {
                current.target_ended = true;
                current.by.get_or_insert_with(|| "the target".to_owned());
                if current.ask.way == Way::Absolute {
                    return self.finish(out);
                }
                out.todo.push(Do::Shutdown);
                if current.client_ended {
                    self.close(out);
                }
            }
            Side::Broken(why) => {
                current.by = Some(format!("the target: {why}"));
                self.over(out);
                out.todo.push(Do::Reset);
            }
        }
    }

    fn end(&mut self, out: &mut Out) {
        match (&mut self.state, &mut self.current) {
            (State::Waits(_) | State::Connects | State::Relays, Some(current)) => {
                current.client_ended = true;
                current.by.get_or_insert_with(|| "the client".to_owned());
                if matches!(self.state, State::Relays) {
                    out.todo.push(Do::Side(SideDo::Shutdown));
                    if current.target_ended {
                        self.close(out);
                    }
                }
            }
            (State::Inner(_), Some(current)) => {
                current.by = Some("the client".to_owned());
                self.close(out);
            }
            (State::Http(_), _) if !self.collector.is_empty() => {
                let bytes = self.collector.begun().to_vec();
                self.odd("it ended within a request".to_owned(), &bytes, out);
                out.todo.push(Do::Close);
            }
            (State::Socks(buffer, _), _) => {
                let bytes = std::mem::take(buffer);
                self.odd("it ended within SOCKS".to_owned(), &bytes, out);
                out.todo.push(Do::Close);
            }
            _ => {
                self.was_silent(out);
                out.todo.push(Do::Close);
            }
        }
    }

    fn was_silent(&mut self, out: &mut Out) {
        if !std::mem::replace(&mut self.said_something, true) {
            self.odd("a connection came and said nothing".to_owned(), &[], out);
        }
    }

    fn close(&mut self, out: &mut Out) {
        self.over(out);
        out.todo.push(Do::Side(SideDo::Close));
        out.todo.push(Do::Close);
        self.state = State::Drains(Duration::MAX);
    }

    fn gone(&mut self, by: String, out: &mut Out) {
        if let Some(current) = &mut self.current {
            current.by.get_or_insert(by);
            out.todo.push(Do::Side(SideDo::Reset));
        }
        self.was_silent(out);
        self.over(out);
    }
}

impl Stream for Session {
    fn input(&mut self, what: Input<'_>, at: Duration, out: &mut Out) {
        self.at = at;
        match what {
            Input::Opened { local, peer } => (self.local, self.peer) = (local, peer),
            Input::Bytes([]) | Input::Urgent => {}
            Input::Bytes(bytes) => self.bytes(bytes, out),
            Input::End => self.end(out),
            Input::Broken(why) => self.gone(format!("the client: {why}"), out),
            Input::Stops => self.gone("nobody, it was open when it was ended here".to_owned(), out),
            Input::Time => match self.state {
                State::Waits(when) if when <= at => self.connect(out),
                State::Drains(when) if when <= at => {
                    out.todo.push(Do::Close);
                    self.state = State::Drains(Duration::MAX);
                }
                _ => {}
            },
            Input::Side(side) => self.side(side, out),
        }
    }

    fn wakes(&self) -> Option<Duration> {
        match self.state {
            State::Waits(when) => Some(when),
            State::Drains(when) if when < Duration::MAX => Some(when),
            _ => None,
        }
    }

    fn room(&self) -> usize {
        match (&self.state, &self.current) {
            (State::Waits(_) | State::Connects, Some(c)) => EARLY.saturating_sub(c.early.len()),
            _ => usize::MAX,
        }
    }

    fn is_busy(&self) -> bool {
        !matches!(self.state, State::Drains(_))
    }
}

/// The status of a response that begins so.
fn status(bytes: &[u8]) -> Option<u16> {
    let line = bytes.get(..12)?;
    line.starts_with(b"HTTP/1.").then(|| std::str::from_utf8(&line[9..]).ok()?.parse().ok())?
}

fn method_name(method: u8) -> &'static str {
    match method {
        0 => "no authentication",
        1 => "GSSAPI",
        2 => "user/password",
        _ => "a method that has no name here",
    }
}
