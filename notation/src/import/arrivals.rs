//! What other hosts send, so that it is there when the host receives it.

use std::net::IpAddr;

use harness::case::addr::{Host, Port};
use harness::case::far::{Datagram, End, Ends, Frame};
use harness::case::{LabOp, ServerStep};

use super::convert::Converter;
use super::data::Data;
use super::far::{pauses, progress};
use super::hosts::{Told, link, told};
use super::log::{Arg, Called};
use super::transfers::{Said, room_of};

/// How many calls on from a `poll` what it said is received at the latest.
const AHEAD: usize = 64;

impl Converter<'_> {
    /// Has the far end do what the host is about to receive, with so much room and these flags.
    pub(super) fn before_receive(
        &mut self,
        call: &Called,
        socket: usize,
        (data, from): (&Data, Option<&Told>),
        (room, flags): (usize, &[&str]),
    ) -> Said {
        // What is in the queue of errors is the host's own (ip(7), IP_RECVERR).
        if flags.contains(&"MSG_ERRQUEUE") || call.ret.is_none() {
            return Ok(());
        }
        self.refuses(call, socket);
        if call.errno.is_none() {
            self.connecting.remove(&socket);
        }
        let is_last = data.len < room;
        if call.errno.is_none() {
            if let Some(gap) = data.missed() {
                self.draft.remark(gap);
            }
            let is_stream = self.sockets.all[socket].is_stream();
            let is_there = self.delivered.remove(&self.at) || is_stream && room == 0;
            if !is_there {
                self.deliver(socket, data, from)?;
            }
            if !flags.contains(&"MSG_PEEK") {
                let taken = if is_stream { data.len } else { 1 };
                let socket = &mut self.sockets.all[socket];
                socket.there = socket.there.saturating_sub(taken);
            }
        } else if call.errno.as_deref() == Some("ECONNRESET") {
            self.server_says(socket, ServerStep::Reset)?;
        }
        self.sockets.all[socket].far.looked |= is_last || call.errno.is_some();
        Ok(())
    }

    /// What the next receive on the socket will have is there before `poll` says so.
    pub(super) fn looks(&mut self, socket: usize, readable: bool) -> Said {
        if !readable {
            self.sockets.all[socket].far.looked = true;
            return Ok(());
        }
        for ahead in self.at + 1..self.calls.len().min(self.at + AHEAD) {
            let call = self.calls[ahead];
            let fd = call.args.first().and_then(Arg::number);
            // By its number it may be another's by then.
            let is_gone =
                || fd.is_some_and(|fd| self.calls[self.at + 1..ahead].iter().any(|c| c.ends(fd)));
            let of_errors =
                || call.args.get(3).is_some_and(|f| f.flags().contains(&"MSG_ERRQUEUE"));
            let is_it = matches!(call.name.as_str(), "recv" | "recvfrom" | "read")
                && self.socket(call.args.first()) == Ok(socket)
                && !of_errors()
                && !is_gone();
            if !is_it {
                continue;
            }
            if call.errno.is_none() && call.ret.is_some() && self.delivered.insert(ahead) {
                let copied = usize::try_from(call.ret.unwrap_or(0)).unwrap_or(0);
                let data = Data::of(call.args.get(1), copied.min(room_of(call.args.get(2))?));
                return self.deliver(socket, &data, call.args.get(4).and_then(told).as_ref());
            }
            return Ok(());
        }
        Ok(())
    }

    /// Has another host send this, if the socket's data comes from one and is not there already.
    fn deliver(&mut self, socket: usize, data: &Data, from: Option<&Told>) -> Said {
        let one = &mut self.sockets.all[socket];
        if one.is_stream() {
            let is_end = data.len == 0;
            let data = data.beyond(one.there);
            if data.len == 0 && (!is_end || one.is_ended) {
                return Ok(());
            }
            one.is_ended |= is_end;
            one.there += data.len;
            let bytes = data.payload();
            let said = if is_end { ServerStep::Close } else { ServerStep::Send { data: bytes } };
            if self.server_says(socket, said)? {
                self.frame(socket, None, &data.sent());
            }
            return Ok(());
        }
        if one.there > 0 {
            return Ok(());
        }
        one.there = 1;
        let from = match from {
            Some(Told::Ip { ip, port, .. }) => Some((*ip, *port)),
            _ => one.peer,
        };
        match from {
            Some((ip, port)) if self.hosts.is_peer(ip) => self.datagram(socket, data, ip, port),
            Some((_, port)) if !self.is_own_port(socket, port) => {
                Err("a socket of another process sent it, which the case has not".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Whether a server of the lab is at the other end; if it is, it does this next.
    fn server_says(&mut self, socket: usize, said: ServerStep) -> Result<bool, String> {
        let far = &mut self.sockets.all[socket].far;
        let Some(port) = far.port else { return Ok(false) };
        let Some(script) = self.servers.script(port) else { return Ok(false) };
        let mut own = std::mem::take(&mut far.own);
        let steps = if far.is_first { &mut *script } else { &mut own };
        let is_full = steps.len() > 1000;
        let waits = !is_full && far.says(Some(said), steps);
        // A server that does the same again pauses where it did before.
        let resumes = if far.is_first {
            usize::from(waits)
        } else {
            let all = pauses(script, progress(&own));
            all.saturating_sub(std::mem::replace(&mut far.resumed, all))
        };
        far.own = own;
        if is_full {
            return Err("its server has more to do than one has room for".to_owned());
        }
        for _ in 0..resumes {
            self.draft.lab(LabOp::Resume { link: link(0), port });
        }
        Ok(true)
    }

    /// A datagram of another host's comes in.
    fn datagram(&mut self, socket: usize, data: &Data, ip: IpAddr, port: u16) -> Said {
        let own = self.known(socket);
        let host = self.hosts.host(ip);
        let (from, v6) = (self.hosts.ip(ip), ip.to_canonical().is_ipv6());
        let Some(to) = self.hosts.own_like(v6) else {
            return Err("the log does not tell this host's address".to_owned());
        };
        let payload = data.payload();
        let to_port = if self.sockets.all[socket].bound {
            Port::Is(own.port.unwrap_or(0))
        } else {
            Port::Of(self.name(socket))
        };
        let frame = Frame::Datagram(Datagram {
            ends: Ends {
                from: End { host: plain(host, from), port: Port::Is(port) },
                to: End { host: to, port: to_port },
            },
            data: payload,
            ttl: None,
            tos: None,
            dont_fragment: false,
            checksum_wrong: false,
        });
        self.draft.lab(LabOp::Say { link: link(0), frame });
        self.frame(socket, Some((ip, port)), &data.sent());
        Ok(())
    }
}

/// A mapped address as the one that is on the wire.
fn plain(host: Host, ip: IpAddr) -> Host {
    match host {
        Host::Ip(_) => Host::Ip(ip.to_canonical()),
        other => other,
    }
}
