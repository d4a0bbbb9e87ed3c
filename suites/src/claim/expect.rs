//! What a claim expects of a trace: what calls returned, and what reached the links.

use harness::case::Case;
use harness::case::addr::SockAddr;
use harness::trace::{Did, Event, Kevent, Out, Trace};
use harness::wire::{Body, Icmp4, Icmp6, Net};
use serde::Deserialize;

use super::answer::Answer;
use crate::rules::view::{Call, Seen, View};

/// One thing that is to be seen in a trace. With `call` it is about that call and the packets that
/// it caused, without it about all packets of the case. Packets are those that the host sent by
/// the lab's links; loopback is none of them, nor is what a host sends of its own accord (address
/// resolution, group membership, ICMP errors).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// Which call, by the C function's name.
    pub call: Option<String>,
    /// On which socket of the case, if not on any.
    pub fd: Option<String>,
    /// The how manieth such call, from 1; the first if nothing is said.
    pub nth: Option<usize>,
    /// What it returns.
    pub returns: Option<Answer>,
    /// What it wrote: an option's `int`, or the errno that `SO_ERROR` has.
    pub value: Option<Answer>,
    /// Words that one event of `kevent` has among its filter, flags and fflags, such as
    /// `EVFILT_WRITE EV_EOF`.
    pub event: Option<String>,
    /// Words that no event of `kevent` has all of.
    pub no_event: Option<String>,
    /// Whether the name that it told has a port: a socket without one is bound to none.
    pub port: Option<bool>,
    /// The scope id that the name has which it told.
    pub scope: Option<u32>,
    /// How many packets.
    pub packets: Option<usize>,
    /// How many of them are fragments.
    pub fragments: Option<usize>,
    /// Whether each of them has DF set; there has to be one.
    pub df: Option<bool>,
    /// With which TTL or hop limit each of them left; there has to be one.
    pub hops: Option<u8>,
    /// By which link of the case each of them left; there has to be one. With `lo` it is loopback's
    /// packets that are looked at.
    pub link: Option<String>,
    /// Whether the checksum of each that is UDP or TCP is right; there has to be one packet.
    pub checksum: Option<bool>,
    /// Whether the host sent an ICMP destination unreachable.
    pub unreachable: Option<bool>,
}

/// What became of one expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seems {
    /// It was so.
    So,
    /// It was not: what was claimed and what was seen, as one sentence.
    Not(String),
    /// The call was never made, or did not return: why, as one sentence.
    Untold(String),
}

impl Expect {
    /// What the trace of a case says of it.
    pub fn seems(&self, case: &Case, trace: &Trace) -> Seems {
        self.check(&View::new(case, trace))
    }

    /// What the trace says of it.
    pub(crate) fn check(&self, view: &View<'_>) -> Seems {
        if view.trace.is_unseen() && self.is_about_frames() {
            return Seems::Untold("what the host sent was not captured".to_owned());
        }
        let Some(name) = &self.call else {
            let packets: Vec<&Seen<'_>> = view.sent().collect();
            return self.wire("the case", &packets).map_or(Seems::So, Seems::Not);
        };
        let nth = self.nth.unwrap_or(1);
        let called = |call: &&Call<'_>| {
            call.what.call() == name
                && self.fd.as_deref().is_none_or(|fd| call.what.fd() == Some(fd))
        };
        let Some(call) = view.calls.iter().filter(called).nth(nth - 1) else {
            return Seems::Untold(untold(view, name, nth));
        };
        if let Some(wrong) = self.call_says(call, nth) {
            return Seems::Not(wrong);
        }
        let packets: Vec<&Seen<'_>> = view.sent().filter(|seen| seen.op == call.op).collect();
        self.wire(name, &packets).map_or(Seems::So, Seems::Not)
    }

    fn is_about_frames(&self) -> bool {
        let counts = self.packets.is_some() || self.fragments.is_some();
        counts || self.looks_at_each() || self.unreachable.is_some()
    }

    fn looks_at_each(&self) -> bool {
        let of_headers = self.df.is_some() || self.hops.is_some() || self.checksum.is_some();
        of_headers || self.link.is_some()
    }

    fn call_says(&self, call: &Call<'_>, nth: usize) -> Option<String> {
        let name = say_call(call.what.call(), nth);
        if let Some(returns) = &self.returns
            && !returns.is(call.ret, call.errno)
        {
            let got = call.errno.map_or_else(|| call.ret.to_string(), str::to_owned);
            return Some(format!("claimed: {name} returns {returns}; here: {got}"));
        }
        if self.event.is_some() || self.no_event.is_some() {
            let Out::Events(events) = call.out else {
                let got = call.errno.unwrap_or("something else");
                return Some(format!("claimed: {name} tells of events; here: {got}"));
            };
            if let Some(wrong) = self.events_say(events) {
                return Some(wrong);
            }
        }
        if let Some(wrong) = self.name_says(&name, call) {
            return Some(wrong);
        }
        let value = self.value.as_ref()?;
        let (is, got) = match (call.errno, call.out) {
            (Some(errno), _) => (false, errno.to_owned()),
            (None, Out::Int(n)) => (value.is(i64::from(*n), None), n.to_string()),
            (None, Out::Errno(errno)) => {
                (value.is(0, Some(errno.as_str())), errno.as_str().to_owned())
            }
            (None, _) => (false, "something else".to_owned()),
        };
        (!is).then(|| format!("claimed: {name} tells {value}; here: {got}"))
    }

    fn name_says(&self, name: &str, call: &Call<'_>) -> Option<String> {
        if self.port.is_none() && self.scope.is_none() {
            return None;
        }
        let (port, scope) = match call.out {
            Out::Addr(SockAddr::V4 { port, .. }) => (*port, None),
            Out::Addr(SockAddr::V6 { port, scope, .. }) => (*port, Some(*scope)),
            _ => {
                let got = call.errno.unwrap_or("something else");
                return Some(format!("claimed: {name} tells a name; here: {got}"));
            }
        };
        if let Some(claimed) = self.port.filter(|claimed| *claimed != (port != 0)) {
            let said = |has| if has { "a port" } else { "no port" };
            return Some(format!(
                "claimed: {name} tells {}; here: {}",
                said(claimed),
                said(!claimed)
            ));
        }
        let claimed = self.scope.filter(|claimed| scope != Some(*claimed))?;
        let got = scope.map_or_else(|| "none".to_owned(), |scope| scope.to_string());
        Some(format!("claimed: {name} tells the scope id {claimed}; here: {got}"))
    }

    fn events_say(&self, events: &[Kevent]) -> Option<String> {
        let has = |words: &String| {
            events.iter().any(|event| {
                let said =
                    || std::iter::once(&event.filter).chain(&event.flags).chain(&event.fflags);
                words.split(' ').all(|word| said().any(|name| name.as_str() == word))
            })
        };
        match (&self.event, &self.no_event) {
            (Some(words), _) if !has(words) => {
                Some(format!("claimed: {words}; here: no such event"))
            }
            (_, Some(words)) if has(words) => {
                Some(format!("claimed: never {words}; here: it is so"))
            }
            _ => None,
        }
    }

    /// What is otherwise among the packets that the host sent.
    fn wire(&self, of: &str, sent: &[&Seen<'_>]) -> Option<String> {
        let loopback = self.link.as_deref() == Some("lo");
        let on_links = sent.iter().copied().filter(|seen| (seen.link == "lo") == loopback);
        if let Some(claimed) = self.unreachable {
            let told = on_links.clone().any(is_unreachable);
            if told != claimed {
                let said = |told| if told { "an ICMP unreachable" } else { "no ICMP unreachable" };
                return Some(format!("claimed: {}; here: {}", said(claimed), said(told)));
            }
        }
        let packets: Vec<&Seen<'_>> = on_links.filter(|seen| !seen.is_upkeep()).collect();
        let fragments = packets.iter().filter(|seen| is_fragment(seen)).count();
        let counts =
            [("packets", self.packets, packets.len()), ("fragments", self.fragments, fragments)];
        for (what, claimed, got) in counts {
            if let Some(claimed) = claimed.filter(|claimed| *claimed != got) {
                return Some(format!("claimed: {claimed} {what} by {of}; here: {got}"));
            }
        }
        if self.looks_at_each() && packets.is_empty() {
            return Some(format!("claimed: a packet by {of}; here: none"));
        }
        packets.iter().find_map(|seen| self.header(seen))
    }

    fn header(&self, seen: &Seen<'_>) -> Option<String> {
        if let Some(claimed) = self.link.as_ref().filter(|claimed| *claimed != seen.link) {
            return Some(format!("claimed: a packet by {claimed}; here: by {}", seen.link));
        }
        let checked = match seen.packet.body() {
            Some(Body::Udp(udp)) => Some(udp.checksum_ok),
            Some(Body::Tcp(tcp)) => Some(tcp.checksum_ok),
            _ => None,
        };
        if let (Some(claimed), Some(checked)) = (self.checksum, checked)
            && checked != Some(claimed)
        {
            let got = match checked {
                Some(true) => "right",
                Some(false) => "wrong",
                None => "absent",
            };
            let said = if claimed { "right" } else { "wrong" };
            return Some(format!("claimed: a {said} checksum; here: {got}"));
        }
        let (df, hops) = match &seen.packet.net {
            Net::V4(ip, _) => (Some(ip.dont_fragment), ip.ttl),
            Net::V6(ip, _) => (None, ip.hop_limit),
            _ => return None,
        };
        if let (Some(claimed), Some(df)) = (self.df, df)
            && claimed != df
        {
            let said = |df| if df { "DF set" } else { "DF clear" };
            return Some(format!("claimed: {}; here: {}", said(claimed), said(df)));
        }
        let claimed = self.hops.filter(|claimed| *claimed != hops)?;
        Some(format!("claimed: hop limit {claimed}; here: {hops}"))
    }
}

/// Why a call that was to be judged is not there.
fn untold(view: &View<'_>, name: &str, nth: usize) -> String {
    let last = view.trace.events.iter().rev().find_map(|event| match event {
        Event::Call { did, .. } => Some(did),
        _ => None,
    });
    match last {
        Some(Did::Unsupported { name }) => format!("this system has no {name}"),
        Some(Did::Hung { .. }) => "a call before it did not return".to_owned(),
        _ => format!("{} was not called", say_call(name, nth)),
    }
}

fn say_call(name: &str, nth: usize) -> String {
    if nth == 1 { name.to_owned() } else { format!("{name} (number {nth})") }
}

fn is_fragment(seen: &Seen<'_>) -> bool {
    let piece = seen.fragment();
    piece.more || piece.offset > 0
}

fn is_unreachable(seen: &Seen<'_>) -> bool {
    match seen.packet.body() {
        Some(Body::Icmp4 { message, .. }) => matches!(message, Icmp4::Unreachable { .. }),
        Some(Body::Icmp6 { message, .. }) => matches!(message, Icmp6::Unreachable { .. }),
        _ => false,
    }
}
