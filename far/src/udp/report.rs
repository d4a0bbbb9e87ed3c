//! How datagrams came, in words and as JSON.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};

use super::numbers::Numbered;
use super::{Said, Seen};
use crate::machine::Group;
use crate::text::{self, millis};
use crate::witness::{Seen as Any, Told, Witness, count, plain};

/// How many senders are told apart.
const SENDERS: usize = 64;
/// How many are told one by one.
const TOLD: usize = 8;
/// How much of a datagram is shown, in bytes.
const SHOWN: usize = 64;
/// What the last two bits of a type of service mean (RFC 3168 §5), with their names as words of an expectation.
pub(super) const ECN: [(&str, &str); 4] =
    [("Not-ECT", "notect"), ("ECT(1)", "ect1"), ("ECT(0)", "ect0"), ("CE", "ce")];

/// A sender, and what came of it.
#[derive(Clone, Debug, Default)]
struct Sender {
    datagrams: usize,
    bytes: u64,
    numbered: Numbered,
}

/// Who tells of datagrams.
#[derive(Debug, Default)]
pub struct Report {
    groups: Vec<Group>,
    interfaces: HashMap<u32, String>,
    datagrams: usize,
    bytes: u64,
    whole: usize,
    in_fragments: usize,
    largest_fragment: u32,
    ttls: BTreeMap<u8, usize>,
    tos: BTreeMap<u8, usize>,
    by: BTreeMap<u32, usize>,
    /// To which group they came, by which interface.
    to_groups: BTreeMap<(IpAddr, Option<u32>), usize>,
    senders: HashMap<SocketAddr, Sender>,
    /// In the order in which they came.
    order: Vec<SocketAddr>,
    of_others: usize,
    /// All that came, as if of one sender: there are those who open a socket for each datagram.
    together: Numbered,
    lost: u32,
    is_closed: bool,
}

impl Report {
    /// Of a server that joined those groups, where interfaces have these names.
    pub fn new(groups: Vec<Group>, interfaces: HashMap<u32, String>) -> Self {
        Self { groups, interfaces, ..Self::default() }
    }

    fn interface(&self, index: u32) -> String {
        let known = self.interfaces.get(&index).cloned();
        known.unwrap_or_else(|| format!("interface {index}"))
    }

    fn take(&mut self, seen: &Seen, peer: SocketAddr, local: SocketAddr) {
        let Seen { data, about, .. } = seen;
        self.datagrams += 1;
        self.bytes += data.len() as u64;
        match about.fragment {
            Some(size) => {
                self.in_fragments += 1;
                self.largest_fragment = self.largest_fragment.max(size);
            }
            None if about.tells_fragments => self.whole += 1,
            None => {}
        }
        about.ttl.iter().for_each(|ttl| *self.ttls.entry(*ttl).or_default() += 1);
        about.tos.iter().for_each(|tos| *self.tos.entry(*tos).or_default() += 1);
        about.interface.iter().for_each(|index| *self.by.entry(*index).or_default() += 1);
        self.together.add(data);
        self.lost = self.lost.max(about.lost.unwrap_or_default());
        self.is_closed |= seen.said == Said::Closed;
        let to = (local.ip(), about.interface);
        if to.0.is_multicast()
            && (self.to_groups.len() < SENDERS || self.to_groups.contains_key(&to))
        {
            *self.to_groups.entry(to).or_default() += 1;
        }
        if !self.senders.contains_key(&peer) {
            if self.senders.len() >= SENDERS {
                self.of_others += 1;
                return;
            }
            self.order.push(peer);
        }
        let sender = self.senders.entry(peer).or_default();
        sender.datagrams += 1;
        sender.bytes += data.len() as u64;
        sender.numbered.add(data);
    }

    /// How many came to a group that was joined; an interface that was not named may be any.
    fn came_to(&self, group: &Group) -> usize {
        let is_its = |(to, by): &(IpAddr, Option<u32>)| {
            let named = group.interface.as_ref();
            let by = by.map(|index| self.interface(index));
            *to == group.addr && named.is_none_or(|name| by.is_none_or(|by| by == *name))
        };
        self.to_groups.iter().filter(|(to, _)| is_its(to)).map(|(_, n)| n).sum()
    }

    /// All that came, if there are several senders and each sent but one.
    fn together(&self) -> Option<&Numbered> {
        let is_one_each = self.of_others == 0 && self.senders.values().all(|s| s.datagrams == 1);
        (is_one_each && self.senders.len() > 1).then_some(&self.together)
    }

    /// Whether they came whole.
    fn fragments(&self) -> String {
        let untold = self.datagrams - self.whole - self.in_fragments;
        match (self.whole, self.in_fragments) {
            (0, 0) => "whether in fragments, this kernel does not tell".to_owned(),
            (_, 0) if untold == 0 => "all whole".to_owned(),
            (whole, some) => {
                let how_many = if some == self.datagrams {
                    "all in fragments".to_owned()
                } else {
                    format!("{whole} whole, {some} in fragments")
                };
                format!("{how_many}, of which the largest had {} bytes", self.largest_fragment)
            }
        }
    }

    /// "TTL 64; ECN Not-ECT (2), CE (1); by lo".
    fn headers(&self) -> Option<String> {
        let mut parts = Vec::new();
        let ttls: Vec<_> = self.ttls.iter().map(|(n, c)| (n.to_string(), *c)).collect();
        parts.extend(told("TTL", &ttls));
        let mut ecn = [0; 4];
        let mut dscp: BTreeMap<u8, usize> = BTreeMap::new();
        for (tos, n) in &self.tos {
            ecn[usize::from(tos & 3)] += n;
            *dscp.entry(tos >> 2).or_default() += n;
        }
        let ecn = ECN.iter().zip(ecn).filter(|(_, n)| *n > 0);
        let ecn: Vec<_> = ecn.map(|((name, _), n)| ((*name).to_owned(), n)).collect();
        parts.extend(told("ECN", &ecn));
        let dscp: Vec<_> = dscp.iter().map(|(n, c)| (n.to_string(), *c)).collect();
        if dscp.iter().any(|(n, _)| n != "0") {
            parts.extend(told("DSCP", &dscp));
        }
        let by: Vec<_> = self.by.iter().map(|(index, n)| (self.interface(*index), *n)).collect();
        parts.extend(told("by", &by));
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// "TTL 64" where there is but one, "TTL 1 (2), 64 (3)" where there are more.
fn told(what: &str, all: &[(String, usize)]) -> Option<String> {
    match all {
        [] => None,
        [(one, _)] => Some(format!("{what} {one}")),
        all => {
            let some: Vec<_> =
                all.iter().take(TOLD).map(|(value, n)| format!("{value} ({n})")).collect();
            let more = if all.len() > TOLD { ", …" } else { "" };
            Some(format!("{what} {}{more}", some.join(", ")))
        }
    }
}

impl Witness for Report {
    fn tell(&mut self, seen: &Any) -> Told {
        let Any::Udp(seen) = seen else { return Told::default() };
        let (peer, local) = (plain(seen.peer), plain(seen.local));
        let offset = self.bytes;
        self.take(seen, peer, local);
        let by = seen.about.interface.map(|index| self.interface(index));
        let lines = lines(seen, peer, local, by.as_deref());
        let mut json = json(seen, peer, local);
        json["interface"] = by.into();
        // Where it begins in the file.
        json["offset"] = offset.into();
        let files = vec![("datagrams.bin".to_owned(), seen.data.clone())];
        Told { lines, json, files, counts: true }
    }

    fn summary(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.datagrams == 0 {
            lines.push("no datagram came".to_owned());
        } else {
            let senders = self.senders.len();
            let many = if self.of_others > 0 { "more than " } else { "" };
            lines.push(format!(
                "{} came, {}, from {many}{}: {}",
                count(self.datagrams, "datagram"),
                count(self.bytes, "byte"),
                count(senders, "sender"),
                self.fragments()
            ));
            lines.extend(self.headers());
        }
        for peer in self.order.iter().take(TOLD) {
            let sender = &self.senders[peer];
            let n = count(sender.datagrams, "datagram");
            lines.push(format!("{peer} sent {n}, {}", count(sender.bytes, "byte")));
            lines.extend(sender.numbered.words().map(|words| format!("  numbered {words}")));
        }
        if self.order.len() > TOLD {
            lines.push(format!("and {} more", count(self.order.len() - TOLD, "sender")));
        }
        let together = self.together().and_then(Numbered::words);
        lines.extend(together.map(|words| format!("together they are numbered {words}")));
        for group in &self.groups {
            let on = group.interface.as_ref().map(|name| format!(" on {name}")).unwrap_or_default();
            let came = match self.came_to(group) {
                0 => "nothing came to it".to_owned(),
                n => format!("{} came to it", count(n, "datagram")),
            };
            lines.push(format!("group {}{on} was joined: {came}", group.addr));
        }
        if self.lost > 0 {
            lines.push(format!(
                "{} had no room here: the socket's buffer was full, and the sender is not at fault",
                count(self.lost, "datagram")
            ));
        }
        if self.is_closed {
            lines.push("behind the first one the port was closed: others were refused".to_owned());
        }
        lines
    }

    fn expectations(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("no datagram", "no datagram came"),
            ("whole", "datagrams came, and none in fragments"),
            ("fragments", "a datagram came in fragments"),
            ("ecn NAME", "all came with this ECN: Not-ECT, ECT(0), ECT(1) or CE"),
            ("ttl N", "all came with this TTL or hop limit"),
            ("all N", "of a sender N numbered ones came, and none of those between is missing"),
            ("group ADDRESS", "something came to the group"),
        ]
    }

    fn holds(&self, words: &str) -> Result<bool, String> {
        let all_are = |n: usize| self.datagrams > 0 && n == self.datagrams;
        let parts: Vec<&str> = words.split_whitespace().collect();
        Ok(match parts[..] {
            ["no", "datagram"] => self.datagrams == 0,
            ["whole"] => all_are(self.whole),
            ["fragments"] => self.in_fragments > 0,
            ["ecn", name] => {
                let plain = |c: &char| c.is_ascii_alphanumeric();
                let name: String = name.to_lowercase().chars().filter(plain).collect();
                let bits = ECN.iter().position(|(_, word)| *word == name).ok_or_else(|| {
                    format!("{:?} is none of Not-ECT, ECT(0), ECT(1) and CE", parts[1])
                })?;
                let these = self.tos.iter().filter(|(tos, _)| usize::from(*tos & 3) == bits);
                all_are(these.map(|(_, n)| n).sum())
            }
            ["ttl", n] => {
                let ttl: u8 = n.parse().map_err(|_| format!("{n:?} is no number up to 255"))?;
                all_are(self.ttls.get(&ttl).copied().unwrap_or_default())
            }
            ["all", n] => {
                let n: u64 = n.parse().map_err(|_| format!("{n:?} is no number"))?;
                let each = self.senders.values().map(|sender| &sender.numbered);
                each.chain(self.together()).any(|numbered| numbered.all() == Some(n))
            }
            ["group", addr] => {
                let addr: IpAddr = addr.parse().map_err(|_| format!("{addr:?} is no address"))?;
                self.to_groups.keys().any(|(to, _)| *to == addr)
            }
            _ => return Err(format!("{words:?} is nothing that can be expected of udp")),
        })
    }
}

fn lines(seen: &Seen, peer: SocketAddr, local: SocketAddr, by: Option<&str>) -> Vec<String> {
    let Seen { number, at, data, about, said, .. } = seen;
    let by = by.map(|name| format!(" by {name}")).unwrap_or_default();
    let whole = match about.fragment {
        Some(size) => format!(", in fragments of at most {size} bytes"),
        None if about.tells_fragments => ", whole".to_owned(),
        None => String::new(),
    };
    let cut = about.cut.map(|all| format!(" of {all}")).unwrap_or_default();
    let (len, seconds) = (data.len(), at.as_secs_f64());
    let mut lines = vec![format!(
        "datagram {number} ({seconds:.3} s): {}{cut} from {peer} to {local}{by}{whole}",
        count(len, "byte")
    )];
    let mut parts = Vec::new();
    parts.extend(about.ttl.map(|ttl| format!("TTL {ttl}")));
    parts.extend(about.tos.map(|tos| format!("ECN {}", ECN[usize::from(tos & 3)].0)));
    parts.extend(about.tos.filter(|tos| *tos > 3).map(|tos| format!("DSCP {}", tos >> 2)));
    parts.push(
        match said {
            Said::Nothing => "not answered",
            Said::Echo => "echoed",
            Said::EchoLater => "to be echoed after 2 s",
            Said::Full => "not echoed: too many wait",
            Said::Closed => "the port is closed now",
        }
        .to_owned(),
    );
    lines.push(format!("    {}", parts.join(", ")));
    if len > 0 {
        let some = data[..len.min(SHOWN)].escape_ascii();
        let more = text::more(len - len.min(SHOWN));
        lines.push(format!("    \"{some}\"{more}"));
    }
    lines
}

fn json(seen: &Seen, peer: SocketAddr, local: SocketAddr) -> Value {
    let Seen { number, at, data, about, said, .. } = seen;
    json!({
        "event": "datagram",
        "datagram": number,
        "at_ms": millis(*at),
        "peer": peer.to_string(),
        "local": local.to_string(),
        "len": data.len(),
        "cut_from": about.cut,
        "ttl": about.ttl,
        "tos": about.tos,
        "ecn": about.tos.map(|tos| ECN[usize::from(tos & 3)].0),
        "dscp": about.tos.map(|tos| tos >> 2),
        "interface_index": about.interface,
        "whole": (about.tells_fragments).then_some(about.fragment.is_none()),
        "largest_fragment": about.fragment,
        "lost_here": about.lost,
        "answer": match said {
            Said::Nothing => Value::Null,
            Said::Echo => "echo".into(),
            Said::EchoLater => "echo, 2 s later".into(),
            Said::Full => "none: too many wait".into(),
            Said::Closed => "the port was closed".into(),
        },
        "text": data[..data.len().min(SHOWN)].escape_ascii().to_string(),
    })
}
