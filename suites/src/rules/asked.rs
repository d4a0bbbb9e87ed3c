//! What a socket was told about fragmentation when it sent.

use std::net::IpAddr;

use harness::case::op::{Code, Control, Intent, Op, Opt, Value};

use super::acts::{Act, Kind};
use super::view::{Call, View};

/// The options of one socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the socket")]
struct Told<'a> {
    v6: bool,
    intent: bool,
    mode4: Option<&'a str>,
    mode6: Option<&'a str>,
    dontfrag4: bool,
    /// That was by the option of IPv4 itself.
    raw4: bool,
    dontfrag6: bool,
    own_header: bool,
}

/// What a socket was told of fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// It shall not send any.
    pub(super) forbids: bool,
    /// An option says so that is specified for this kind of socket and of destination.
    pub(super) reaches: bool,
}

/// Whether fragments of what `act` sends were forbidden; none where that cannot be told: the
/// program writes the header itself, options changed between the pieces of a datagram, or the
/// destination is not known.
pub(super) fn forbidden(view: &View<'_>, act: &Act<'_>) -> Option<Asked> {
    let mut told = Told::default();
    let mut waiting = None;
    for call in &view.calls[..=act.call] {
        if let Op::Socket { fd, domain, protocol, .. } = call.what
            && fd == act.fd
        {
            let own_header = protocol.has("IPPROTO_RAW");
            told = Told { v6: domain.plain() == "AF_INET6", own_header, ..Told::default() };
            waiting = None;
        } else if call.what.fd() == Some(act.fd) {
            told.hear(call);
            if call.what.sends() && call.ok() && call.op != act.op {
                let more = call.what.send_flags().is_some_and(|flags| flags.has("MSG_MORE"));
                waiting = more.then_some(waiting.unwrap_or(told));
            }
        }
    }
    let changed = waiting.is_some_and(|before| before != told);
    let over_v4 = matches!(wire(act)?, IpAddr::V4(_));
    let message = match by_message(view.calls[act.call].what) {
        Message::Nothing => None,
        Message::Says(on) => Some(on),
        Message::Nonsense => return None,
    };
    if told.own_header || changed || act.kind == Kind::Tcp {
        return None;
    }
    let asked = told.forbids(over_v4, message);
    let reaches = if over_v4 {
        // `IP_DONTFRAG` on an AF_INET6 socket is about IPv4, as its level says.
        told.mode4.is_some() || told.raw4 || !told.v6
    } else {
        told.mode6.is_some_and(forbids) || act.kind != Kind::Ping
    };
    Some(Asked { forbids: asked, reaches })
}

/// The destination's address as packets carry it.
pub(super) fn wire(act: &Act<'_>) -> Option<IpAddr> {
    act.dest.and_then(|dest| dest.ip())
}

impl<'a> Told<'a> {
    fn hear(&mut self, call: &Call<'a>) {
        let Op::Setsockopt { option, value, .. } = call.what else { return };
        if !call.ok() {
            return;
        }
        let on = *value == Value::Int(1);
        let name = match option {
            Opt::Intent(Intent::DontFragment) => {
                (self.intent, self.mode4) = (on, None);
                if self.v6 {
                    self.dontfrag6 = on;
                } else {
                    self.dontfrag4 = on;
                }
                return;
            }
            Opt::Intent(_) => return,
            Opt::Raw { name, .. } => name.as_str(),
        };
        let mode = if let Value::Named(mode) = value { Some(mode.as_str()) } else { None };
        match name {
            "IP_MTU_DISCOVER" => self.mode4 = mode,
            "IPV6_MTU_DISCOVER" => self.mode6 = mode,
            "IP_DONTFRAG" => (self.dontfrag4, self.raw4) = (on, on),
            "IPV6_DONTFRAG" => self.dontfrag6 = on,
            "IP_HDRINCL" => self.own_header = *value != Value::Int(0),
            _ => {}
        }
    }

    /// `IP_PMTUDISC_DO` and `PROBE` set DF and refuse what does not fit the link; `WANT` fragments
    /// by what the path says, and `INTERFACE` refuses without DF (ip(7)).
    fn forbids(&self, over_v4: bool, message: Option<bool>) -> bool {
        if over_v4 {
            self.mode4.map_or(self.intent || self.dontfrag4, forbids)
        } else {
            message.unwrap_or(self.dontfrag6) || self.mode6.is_some_and(forbids)
        }
    }
}

/// Whether a mode of `IP_MTU_DISCOVER` or `IPV6_MTU_DISCOVER` does.
fn forbids(mode: &str) -> bool {
    mode.ends_with("_DO") || mode.ends_with("_PROBE")
}

/// What the control messages of a send say about fragments.
enum Message {
    /// Nothing.
    Nothing,
    /// `IPV6_DONTFRAG`, 1 or 0 (RFC 3542 §11.2).
    Says(bool),
    /// `IPV6_DONTFRAG`, another number: no message to go by.
    Nonsense,
}

/// Whether a message in bytes may be `IPV6_DONTFRAG`.
fn may_say(level: &Code, kind: &Code) -> bool {
    let is = |code: &Code, names: &[&str]| match code {
        Code::Name(name) => names.contains(&name.as_str()),
        Code::Number(_) => true,
    };
    is(level, &["IPPROTO_IPV6", "SOL_IPV6"]) && is(kind, &["IPV6_DONTFRAG"])
}

fn by_message(op: &Op) -> Message {
    let Op::Sendmsg { control, .. } = op else { return Message::Nothing };
    let said = control.iter().find_map(|control| match control {
        Control::Int { name, value, .. } if name.as_str() == "IPV6_DONTFRAG" => Some(*value),
        // In bytes: whatever it says, it is no such message as the rule is about.
        Control::Bytes { level, kind, .. } if may_say(level, kind) => Some(-1),
        _ => None,
    });
    match said {
        None => Message::Nothing,
        Some(0) => Message::Says(false),
        Some(1) => Message::Says(true),
        Some(_) => Message::Nonsense,
    }
}
