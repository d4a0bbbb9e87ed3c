//! Faults planted on purpose, so that each rule and each verifier can be seen to fire in a run.
//!
//! One is in the kernel's place (`os::plant`); the others are in what the executor takes down: what
//! a call is said to have returned, and what the far end is said to have seen. The host itself and
//! the servers of the lab go on undisturbed.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use super::gave::Gave;
use crate::case::addr::SockAddr;
use crate::case::names::{DNS_PORT, RecordType};
use crate::case::op::Opt;
use crate::case::{LinkKind, Op, Sym};
use crate::trace::{ControlOut, Direction, LinkFact, Out};
use crate::wire::build::{self, Segment};
use crate::wire::{Body, Framing, decode, dns};

/// What can happen to a machine, or to the executor in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// The kernel panics.
    Panic,
    /// The machine says nothing any more.
    Hang,
    /// The machine ends as if it had been told to.
    Off,
    /// The executor answers with something that is no answer.
    Garbage,
    /// The executor takes all memory that there is.
    Memory,
}

/// How long a planted pause is: longer than the shortest timer of a host's, which is a second.
const PAUSE: Duration = Duration::from_millis(1_200);

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plant {
    /// `sendto` says that it sent everything and sends nothing (Linux, by seccomp).
    SendtoLies,
    /// `sendto` sends, and says ENOBUFS.
    SendtoDenies,
    /// Every call that fails says ENOTTY.
    InventsErrno,
    /// A send that is too large says EINVAL.
    HidesEmsgsize,
    /// Names are told without their scope ids.
    ForgetsScope,
    /// Every socket tells the least path MTU of IPv6.
    LowersMtu,
    /// The far end sees every IPv4 packet with DF clear.
    ClearsDf,
    /// The far end sees the fragments of IPv4 a step of eight bytes too early, but for the first.
    OverlapsFragments,
    /// The first two links have each other's name.
    SwapsLinks,
    /// The far end of a tun sees a `Cookie` in each request that has its empty line in one segment.
    AddsHeader,
    /// The far end of the first link sees a query for each call of `getaddrinfo`.
    AsksAnyway,
    /// No receive tells `msg_flags`.
    ForgetsFlags,
    /// Every `SO_ERROR` tells ECONNRESET.
    KeepsError,
    /// No receive gives a control message.
    DropsControl,
    /// What is at its end says EAGAIN.
    HidesEnd,
    /// What says EPIPE says EAGAIN.
    HidesEpipe,
    /// Every `F_GETFL` tells the other `O_NONBLOCK`.
    FlipsNonblock,
    /// Every option that is a number tells half of it.
    HalvesOptions,
    /// Every `poll` says that all is ready that it was asked for.
    SaysReady,
    /// Something happens to the machine when the case of this id is to be run.
    At(Mishap, String),
    /// The kernel refuses sockets of this family, or this system call (Linux, by seccomp).
    Refuses(String),
    /// The executor stands still after each call of the case of this id that may send, in its first
    /// take or in each.
    Pauses {
        /// The case.
        id: String,
        /// In each take.
        always: bool,
    },
}

impl Plant {
    /// All that a rule finds.
    pub const ALL: [Self; 19] = [
        Self::SendtoLies,
        Self::SendtoDenies,
        Self::InventsErrno,
        Self::HidesEmsgsize,
        Self::ForgetsScope,
        Self::LowersMtu,
        Self::ClearsDf,
        Self::OverlapsFragments,
        Self::SwapsLinks,
        Self::AddsHeader,
        Self::AsksAnyway,
        Self::ForgetsFlags,
        Self::KeepsError,
        Self::DropsControl,
        Self::HidesEnd,
        Self::HidesEpipe,
        Self::FlipsNonblock,
        Self::HalvesOptions,
        Self::SaysReady,
    ];

    /// What it is called on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::SendtoLies => "sendto-lies",
            Self::SendtoDenies => "sendto-denies",
            Self::InventsErrno => "invents-errno",
            Self::HidesEmsgsize => "hides-emsgsize",
            Self::ForgetsScope => "forgets-scope",
            Self::LowersMtu => "lowers-mtu",
            Self::ClearsDf => "clears-df",
            Self::OverlapsFragments => "overlaps-fragments",
            Self::SwapsLinks => "swaps-links",
            Self::AddsHeader => "adds-header",
            Self::AsksAnyway => "asks-anyway",
            Self::ForgetsFlags => "forgets-flags",
            Self::KeepsError => "keeps-error",
            Self::DropsControl => "drops-control",
            Self::HidesEnd => "hides-end",
            Self::HidesEpipe => "hides-epipe",
            Self::FlipsNonblock => "flips-nonblock",
            Self::HalvesOptions => "halves-options",
            Self::SaysReady => "says-ready",
            Self::At(Mishap::Panic, _) => "panic",
            Self::At(Mishap::Hang, _) => "hang",
            Self::At(Mishap::Off, _) => "off",
            Self::At(Mishap::Garbage, _) => "garbage",
            Self::Refuses(_) => "refuse",
            Self::At(Mishap::Memory, _) => "memory",
            Self::Pauses { always: false, .. } => "pause",
            Self::Pauses { always: true, .. } => "pauses",
        }
    }

    /// Whether it is there in the take of a case that has this number, from 0.
    pub(super) fn is_for(&self, take: usize) -> bool {
        take == 0 || !matches!(self, Self::Pauses { always: false, .. })
    }

    /// Stands still, if that is the fault and its case is this one.
    pub(super) fn pause(&self, case: &str) {
        if matches!(self, Self::Pauses { id, .. } if id == case) {
            std::thread::sleep(PAUSE);
        }
    }

    /// What the call is said to have given.
    pub(super) fn told(&self, op: &Op, gave: Gave) -> Gave {
        match (self, gave) {
            (Self::SendtoDenies, Ok(_)) if op.call() == "sendto" => Err("ENOBUFS".into()),
            (Self::InventsErrno, Err(_)) => Err("ENOTTY".into()),
            (Self::HidesEmsgsize, Err(errno)) if errno.as_str() == "EMSGSIZE" => {
                Err("EINVAL".into())
            }
            (Self::ForgetsScope, Ok((ret, Out::Addr(SockAddr::V6 { ip, port, .. })))) => {
                Ok((ret, Out::Addr(SockAddr::V6 { ip, port, scope: 0 })))
            }
            (Self::LowersMtu, Ok((ret, Out::Int(_)))) if asks_for_mtu(op) => {
                Ok((ret, Out::Int(1280)))
            }
            (Self::ForgetsFlags | Self::DropsControl, Ok((ret, out))) => Ok((ret, self.less(out))),
            (Self::KeepsError, Ok((ret, Out::Int(_) | Out::Errno(_)))) if asks_for_error(op) => {
                Ok((ret, Out::Errno("ECONNRESET".into())))
            }
            (Self::HidesEnd, Ok((0, _))) if op.receives() => Err("EAGAIN".into()),
            (Self::HidesEpipe, Err(errno)) if errno.as_str() == "EPIPE" => Err("EAGAIN".into()),
            (Self::FlipsNonblock, Ok((ret, out))) if asks_for_flags(op) => {
                Ok((ret ^ i64::from(libc::O_NONBLOCK), out))
            }
            (Self::HalvesOptions, Ok((ret, Out::Int(n))))
                if matches!(op, Op::Getsockopt { .. }) =>
            {
                Ok((ret, Out::Int(n / 2)))
            }
            (Self::SaysReady, Ok((_, Out::Poll(_)))) => Ok(all_ready(op)),
            (_, gave) => gave,
        }
    }

    /// The link on which the frame is said to have been seen, and its bytes.
    pub(super) fn seen(
        &self,
        links: &[LinkFact],
        link: &str,
        dir: Direction,
        frame: &[u8],
    ) -> (String, Vec<u8>) {
        let kind = links.iter().find(|fact| fact.name == link).and_then(|fact| fact.kind);
        let header = if kind == Some(LinkKind::Tun) { 0 } else { 14 };
        let bytes = match self {
            _ if dir == Direction::In => None,
            Self::ClearsDf => with_fragment_word(frame, header, |word| word & !0x4000),
            Self::OverlapsFragments => {
                with_fragment_word(frame, header, |word| word - u16::from(word & 0x1fff > 0))
            }
            Self::AddsHeader if header == 0 => with_cookie(frame),
            _ => None,
        };
        let link = match (self, links) {
            (Self::SwapsLinks, [_, a, b, ..]) if link == a.name => &b.name,
            (Self::SwapsLinks, [_, a, b, ..]) if link == b.name => &a.name,
            _ => link,
        };
        (link.to_owned(), bytes.unwrap_or_else(|| frame.to_vec()))
    }
}

impl Plant {
    /// What a receive wrote, without what the fault takes from it.
    fn less(&self, mut out: Out) -> Out {
        let clear = |flags: &mut Vec<Sym>, control: &mut Vec<ControlOut>| {
            if *self == Self::ForgetsFlags { flags.clear() } else { control.clear() }
        };
        match &mut out {
            Out::Data { flags, control, .. } => clear(flags, control),
            Out::Messages(list) => {
                for one in list {
                    clear(&mut one.flags, &mut one.control);
                }
            }
            _ => {}
        }
        out
    }

    /// On which link a frame is said to have left in a call beside those that did.
    pub(super) fn left(&self, op: &Op, links: &[LinkFact]) -> Option<(String, Vec<u8>)> {
        if *self != Self::AsksAnyway || !matches!(op, Op::Getaddrinfo { .. }) {
            return None;
        }
        let fact = links.iter().find(|fact| fact.kind == Some(LinkKind::Tun))?;
        let (from, to) = (([192, 0, 2, 1], 1024).into(), ([192, 0, 2, 2], DNS_PORT).into());
        let query = dns::query("planted.example", RecordType::A);
        let packet = build::udp(build::Link::Ip, from, to, build::DEFAULT_TTL, &query).ok()?;
        Some((fact.name.clone(), packet))
    }
}

impl FromStr for Plant {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let at = |mishap, id: &str| Some(Self::At(mishap, id.to_owned()));
        let found = match name.split_once('@') {
            None => Self::ALL.into_iter().find(|plant| plant.name() == name),
            Some(("panic", id)) => at(Mishap::Panic, id),
            Some(("hang", id)) => at(Mishap::Hang, id),
            Some(("off", id)) => at(Mishap::Off, id),
            Some(("garbage", id)) => at(Mishap::Garbage, id),
            Some(("refuse", what)) => Some(Self::Refuses(what.to_owned())),
            Some(("memory", id)) => at(Mishap::Memory, id),
            Some((name @ ("pause" | "pauses"), id)) => {
                Some(Self::Pauses { id: id.to_owned(), always: name == "pauses" })
            }
            Some(_) => None,
        };
        found.ok_or_else(|| {
            let all = Self::ALL.map(|plant| plant.name()).join(", ");
            format!(
                "there is no fault {name:?} to plant; there are: {all}, and panic, hang, off, \
                 garbage, memory, pause, pauses with @CASE, refuse with @AF_INET6, @setns and the like"
            )
        })
    }
}

fn asks_for_error(op: &Op) -> bool {
    matches!(op, Op::Getsockopt { option: Opt::Raw { name, .. }, .. } if name.as_str() == "SO_ERROR")
}

fn asks_for_flags(op: &Op) -> bool {
    matches!(op, Op::Fcntl { cmd, .. } if cmd.plain() == "F_GETFL")
}

/// What a `poll` tells that finds everything ready that it was asked for.
fn all_ready(op: &Op) -> (i64, Out) {
    let Op::Poll { fds, .. } = op else { return (0, Out::Poll(Vec::new())) };
    let ready: Vec<Vec<Sym>> = fds.iter().map(|one| one.events.0.clone()).collect();
    let many = ready.iter().filter(|events| !events.is_empty()).count();
    (i64::try_from(many).unwrap_or(i64::MAX), Out::Poll(ready))
}

fn asks_for_mtu(op: &Op) -> bool {
    let is = |name: &str| ["IP_MTU", "IPV6_MTU"].contains(&name);
    matches!(op, Op::Getsockopt { option: Opt::Raw { name, .. }, .. } if is(name.as_str()))
}

/// The frame with the flags and the offset of its IPv4 header changed, and the checksum of that
/// header with them (RFC 1624 §3).
fn with_fragment_word(frame: &[u8], header: usize, change: fn(u16) -> u16) -> Option<Vec<u8>> {
    let is_v4 = header == 0 || frame.get(12..14) == Some(&[8, 0]);
    if !is_v4 || frame.get(header)? >> 4 != 4 || frame.len() < header + 20 {
        return None;
    }
    let word = |at: usize| u16::from_be_bytes([frame[header + at], frame[header + at + 1]]);
    let (before, after) = (word(6), change(word(6)));
    let sum = u32::from(!word(10)) + u32::from(!before) + u32::from(after);
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    let mut changed = frame.to_vec();
    changed[header + 6..header + 8].copy_from_slice(&after.to_be_bytes());
    changed[header + 10..header + 12].copy_from_slice(&sum.to_be_bytes());
    Some(changed)
}

/// The packet with a field of HTTP more before the empty line at its end, if it has one.
fn with_cookie(packet: &[u8]) -> Option<Vec<u8>> {
    let decoded = decode(Framing::Ip, packet);
    let (Some((src, dst)), Some(Body::Tcp(tcp))) = (decoded.addresses(), decoded.body()) else {
        return None;
    };
    let fields = tcp.payload.strip_suffix(b"\r\n\r\n")?;
    let payload = [fields, b"\r\nCookie: planted=1\r\n\r\n"].concat();
    let at = |ip: IpAddr, port| SocketAddr::new(ip, port);
    let (seq, ack, window) = (tcp.seq, tcp.ack, tcp.window);
    let segment =
        Segment { flags: tcp.flags, seq, ack, window, urgent: 0, options: &[], payload: &payload };
    let (src, dst) = (at(src, tcp.sport), at(dst, tcp.dport));
    build::tcp_segment(build::Link::Ip, src, dst, build::DEFAULT_TTL, &segment).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Net;

    #[test]
    fn each_fault_is_found_by_its_name() {
        for plant in Plant::ALL {
            assert_eq!(plant.name().parse(), Ok(plant));
        }
        let error = "none".parse::<Plant>().expect_err("there is none");
        assert!(Plant::ALL.iter().all(|plant| error.contains(plant.name())), "{error}");
    }

    #[test]
    fn a_changed_header_has_its_right_checksum() {
        let (src, dst) = ("192.0.2.1:1".parse().unwrap(), "192.0.2.2:2".parse().unwrap());
        let datagram = build::udp_datagram(src, dst, &[7; 100]).unwrap();
        let (src, dst) = (src.ip(), dst.ip());
        let packet = build::ip(build::Link::Ip, src, dst, 64, 17, &datagram).unwrap();
        for set in [0x4000, 0x2000, 0x00b9] {
            let set: fn(u16) -> u16 = match set {
                0x4000 => |word| word ^ 0x4000,
                0x2000 => |word| word | 0x2000,
                _ => |word| word | 0x00b9,
            };
            let changed = with_fragment_word(&packet, 0, set).unwrap();
            assert_ne!(changed, packet);
            let Net::V4(ip, _) = decode(Framing::Ip, &changed).net else { panic!("no IPv4") };
            assert!(ip.checksum_ok);
        }
    }
}
