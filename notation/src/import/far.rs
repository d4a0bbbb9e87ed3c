//! What hosts at the far end did, as far as the log tells: a server's script, datagrams that came in.

use harness::case::{LabOp, Payload, ServerStep, Service};

use super::hosts::link;

/// What is known of the other end of a connection to another host.
#[derive(Clone, Debug, Default)]
pub(super) struct Far {
    /// Its port, if it is a TCP server of the lab.
    pub(super) port: Option<u16>,
    /// Whether the script is this connection's, and not that of an earlier one to the same port.
    pub(super) is_first: bool,
    /// The port that it has in the log, and the one that stands for it in the case.
    pub(super) stands: Option<(u16, u16)>,
    /// What it does on a connection that is not the first, to be laid beside the script.
    pub(super) own: Vec<ServerStep>,
    /// How many pauses of the script this connection is beyond, if it is not the first.
    pub(super) resumed: usize,
    /// What was sent to it since it said something last, as far as that is shown.
    sent: Vec<u8>,
    /// How much that is in all.
    len: usize,
    /// Whether the log lacks some of it.
    unknown: bool,
    /// Whether the host has looked for data since then: what comes later was not there.
    pub(super) looked: bool,
}

/// The most data that stands in a script as it is.
const SHOWN: usize = 64;

impl Far {
    /// The host has sent it something.
    pub(super) fn sends(&mut self, data: &[u8], len: usize) {
        let room = (SHOWN + 1).saturating_sub(self.sent.len());
        self.sent.extend(data.iter().take(len.min(room)));
        self.len = self.len.saturating_add(len);
        self.unknown |= data.len() < len;
        self.looked = false;
    }

    /// What it does for what the host receives next, and whether the case has to say when.
    pub(super) fn says(&mut self, said: Option<ServerStep>, script: &mut Vec<ServerStep>) -> bool {
        let Some(said) = said else { return false };
        if self.len > 0 {
            let bytes = u32::try_from(self.len).unwrap_or(u32::MAX);
            let shown = !self.unknown && self.len <= SHOWN;
            script.push(if shown {
                ServerStep::Expect { until: text(&self.sent) }
            } else {
                ServerStep::Take { bytes }
            });
            self.sent.clear();
            (self.len, self.unknown) = (0, false);
        }
        let waits = self.looked;
        if waits {
            script.push(ServerStep::Pause);
        }
        match (script.last_mut(), said) {
            // What comes in one piece may be received in several.
            (
                Some(ServerStep::Send { data: Payload::Text(before) }),
                ServerStep::Send { data: Payload::Text(more) },
            ) => before.push_str(&more),
            (_, said) => script.push(said),
        }
        waits
    }
}

impl Far {
    /// Whether what it did on this connection is the beginning of what the script says.
    pub(super) fn is_like(&self, script: &[ServerStep]) -> bool {
        let (own, all) = (plain(&self.own), plain(script));
        let Some((last, before)) = own.split_last() else { return true };
        let begins = match (last, all.get(before.len())) {
            (ServerStep::Send { data: Payload::Text(own) }, Some(ServerStep::Send { data })) => {
                matches!(data, Payload::Text(all) if all.starts_with(&own[..]))
            }
            (last, step) => step == Some(last),
        };
        begins && all.starts_with(before)
    }
}

/// A script without its pauses, what is sent in a row as one.
fn plain(script: &[ServerStep]) -> Vec<ServerStep> {
    let mut all: Vec<ServerStep> = Vec::new();
    for step in script.iter().filter(|step| **step != ServerStep::Pause) {
        match (all.last_mut(), step) {
            (
                Some(ServerStep::Send { data: Payload::Text(before) }),
                ServerStep::Send { data: Payload::Text(more) },
            ) => before.push_str(more),
            _ => all.push(step.clone()),
        }
    }
    all
}

/// How far a script has come: the steps that send nothing and do not wait, and the bytes that are sent.
pub(super) fn progress(script: &[ServerStep]) -> (usize, usize) {
    script.iter().fold((0, 0), |(steps, sent), step| match step {
        ServerStep::Pause => (steps, sent),
        ServerStep::Send { data } => (steps, sent + data.len()),
        _ => (steps + 1, sent),
    })
}

/// How many pauses of a script stand before what has come so far.
pub(super) fn pauses(script: &[ServerStep], (steps, sent): (usize, usize)) -> usize {
    let (mut pauses, mut at) = (0, (0, 0));
    for step in script {
        if at.0 >= steps && at.1 >= sent {
            break;
        }
        match step {
            ServerStep::Pause => pauses += 1,
            ServerStep::Send { data } => at.1 += data.len(),
            _ => at.0 += 1,
        }
    }
    pauses
}

/// Bytes as a case has them.
pub(super) fn text(bytes: &[u8]) -> Payload {
    Payload::Text(bytes.iter().map(|b| char::from(*b)).collect())
}

/// The servers of the lab.
#[derive(Clone, Debug, Default)]
pub(super) struct Servers {
    all: Vec<Service>,
    /// Whether one has to be there so that others are refused.
    pub(super) refuses: Option<u16>,
}

impl Servers {
    /// Has a port served, by other hosts than the neighbour, too, if that is `anywhere`; whether it is new.
    pub(super) fn serve(&mut self, port: u16, anywhere: bool) -> bool {
        if let Some(one) = self.all.iter_mut().find(|one| one.port == port) {
            one.anywhere |= anywhere;
            return false;
        }
        self.all.push(Service { anywhere, ..Service::new(port, []) });
        true
    }

    pub(super) fn script(&mut self, port: u16) -> Option<&mut Vec<ServerStep>> {
        self.all.iter_mut().find(|one| one.port == port).map(|one| &mut one.script)
    }

    /// As steps of a lab's setup.
    pub(super) fn steps(self) -> Vec<LabOp> {
        let mut all = self.all;
        if let (Some(port), true) = (self.refuses, all.is_empty()) {
            let other = if port == u16::MAX { port - 1 } else { port + 1 };
            all.push(Service::new(other, []));
        }
        all.into_iter().map(|service| LabOp::Serve { link: link(0), service }).collect()
    }
}
