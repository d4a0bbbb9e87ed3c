//! A case and its trace side by side: each call with its arguments, each frame decoded.

use std::net::IpAddr;

use harness::case::addr::SockAddr;
use harness::case::op::Op;
use harness::case::{Case, LabOp, LinkKind};
use harness::trace::{Did, Direction, Event, Out, Trace};
use harness::wire::{
    Arp, Body, Fragment, Framing, Icmp4, Icmp6, Net, Packet, Tcp, chatter, decode,
};

/// A call that returned.
pub(crate) struct Call<'a> {
    /// The number of the case's step.
    pub(crate) op: u32,
    /// Where it stands in the trace.
    pub(crate) place: usize,
    pub(crate) at_ns: u64,
    /// The call and its arguments.
    pub(crate) what: &'a Op,
    /// The address it was given, resolved.
    pub(crate) addr: Option<&'a SockAddr>,
    pub(crate) ret: i64,
    pub(crate) errno: Option<&'a str>,
    pub(crate) out: &'a Out,
}

impl Call<'_> {
    /// Whether it reported success.
    pub(crate) fn ok(&self) -> bool {
        self.errno.is_none() && self.ret >= 0
    }

    /// `sendto returned ENETUNREACH`.
    pub(crate) fn said(&self) -> String {
        let call = self.what.call();
        self.errno.map_or_else(
            || format!("{call} returned {}", self.ret),
            |errno| format!("{call} returned {errno}"),
        )
    }
}

/// A frame on a link.
pub(crate) struct Seen<'a> {
    /// The step during which it was seen.
    pub(crate) op: u32,
    /// Where it stands in the trace.
    pub(crate) place: usize,
    pub(crate) at_ns: u64,
    pub(crate) link: &'a str,
    pub(crate) dir: Direction,
    pub(crate) packet: Packet<'a>,
    /// What follows the IP header: all of it, undecoded.
    pub(crate) body: &'a [u8],
}

/// The case and what happened.
pub(crate) struct View<'a> {
    pub(crate) case: &'a Case,
    pub(crate) trace: &'a Trace,
    pub(crate) calls: Vec<Call<'a>>,
    pub(crate) frames: Vec<Seen<'a>>,
}

impl<'a> View<'a> {
    pub(crate) fn new(case: &'a Case, trace: &'a Trace) -> Self {
        Self { case, trace, calls: calls(case, trace), frames: frames(trace) }
    }

    /// The frames that the host sent.
    pub(crate) fn sent(&self) -> impl Iterator<Item = &Seen<'a>> {
        self.frames.iter().filter(|seen| seen.dir == Direction::Out)
    }

    /// The lab's link with this interface index.
    pub(crate) fn link_of(&self, index: u32) -> Option<&'a str> {
        self.trace.links.iter().find(|link| link.index == index).map(|link| link.name.as_str())
    }

    /// Every step that the lab takes: before the case, and in it with the number of the step.
    pub(crate) fn lab_steps(&self) -> impl Iterator<Item = (Option<u32>, &'a LabOp)> {
        let case = self.case;
        let within = (0u32..).zip(&case.ops).filter_map(|(number, op)| match op {
            Op::Lab { step } => Some((Some(number), step)),
            _ => None,
        });
        case.lab.setup.iter().map(|step| (None, step)).chain(within)
    }
}

/// The calls of the case that returned.
pub(crate) fn calls<'a>(case: &'a Case, trace: &'a Trace) -> Vec<Call<'a>> {
    let call = |(place, event): (usize, &'a Event)| match event {
        Event::Call { op, at_ns, addr, did: Did::Returned { ret, errno, out }, .. } => Some(Call {
            op: *op,
            place,
            at_ns: *at_ns,
            what: case.ops.get(usize::try_from(*op).ok()?)?,
            addr: addr.as_ref(),
            ret: *ret,
            errno: errno.as_ref().map(harness::case::Sym::as_str),
            out,
        }),
        _ => None,
    };
    trace.events.iter().enumerate().filter_map(call).collect()
}

fn frames(trace: &Trace) -> Vec<Seen<'_>> {
    let framing = |name: &str| {
        let fact = trace.links.iter().find(|link| link.name == name);
        match fact.and_then(|link| link.kind) {
            Some(LinkKind::Tun) => Framing::Ip,
            Some(LinkKind::Tap) | None => Framing::Ethernet,
        }
    };
    let frame = |(place, event)| match event {
        &Event::Frame { op, at_ns, ref link, dir, ref bytes } => {
            let packet = decode(framing(link), &bytes.0);
            let body = body(&packet, &bytes.0);
            Some(Seen { op, place, at_ns, link, dir, packet, body })
        }
        _ => None,
    };
    trace.events.iter().enumerate().filter_map(frame).collect()
}

fn body<'a>(packet: &Packet<'_>, frame: &'a [u8]) -> &'a [u8] {
    let link = if packet.eth.is_some() { 14 } else { 0 };
    let (header, len) = match &packet.net {
        Net::V4(ip, _) => (20 + ip.options.len(), ip.body_len),
        Net::V6(ip, _) => {
            (40 + usize::from(ip.payload_len).saturating_sub(ip.body_len as usize), ip.body_len)
        }
        _ => return &[],
    };
    let rest = frame.get(link + header..).unwrap_or_default();
    &rest[..rest.len().min(len as usize)]
}

impl<'a> Seen<'a> {
    /// The destination of an IP packet.
    pub(crate) fn dst(&self) -> Option<IpAddr> {
        self.packet.addresses().map(|(_, dst)| dst)
    }

    /// The number of the protocol that an IP packet carries.
    pub(crate) fn protocol(&self) -> Option<u8> {
        match &self.packet.net {
            Net::V4(ip, _) => Some(ip.protocol),
            Net::V6(ip, _) => Some(ip.next_header),
            _ => None,
        }
    }

    /// Which piece of an IP packet it is; offset zero and no more to come is all of it.
    pub(crate) fn fragment(&self) -> Fragment {
        match &self.packet.net {
            Net::V4(ip, _) => {
                Fragment { offset: ip.fragment_offset, more: ip.more_fragments, id: ip.id.into() }
            }
            Net::V6(ip, _) => ip.fragment.unwrap_or_default(),
            _ => Fragment::default(),
        }
    }

    /// The TCP segment in it.
    pub(crate) fn tcp(&self) -> Option<&Tcp<'a>> {
        match self.packet.body() {
            Some(Body::Tcp(tcp)) => Some(tcp),
            _ => None,
        }
    }

    /// Whose link-layer address it asks for: an ARP request, or a neighbour solicitation that is
    /// not duplicate address detection.
    pub(crate) fn asks_for(&self) -> Option<IpAddr> {
        if chatter(&self.packet).is_some() {
            return None;
        }
        match (&self.packet.net, self.packet.body()) {
            (Net::Arp(arp), _) if arp.operation == Arp::REQUEST => Some(arp.target_ip.into()),
            (_, Some(Body::Icmp6 { message: Icmp6::NeighbourSolicitation { target, .. }, .. })) => {
                Some((*target).into())
            }
            _ => None,
        }
    }

    /// Whose link-layer address it tells.
    pub(crate) fn answers_for(&self) -> Option<IpAddr> {
        match (&self.packet.net, self.packet.body()) {
            (Net::Arp(arp), _) if arp.operation == Arp::REPLY => Some(arp.sender_ip.into()),
            (
                _,
                Some(Body::Icmp6 { message: Icmp6::NeighbourAdvertisement { target, .. }, .. }),
            ) => Some((*target).into()),
            _ => None,
        }
    }

    /// Whether a host sends it for reasons of its own: what [`chatter`] names, ARP and neighbour
    /// discovery, group membership, an ICMP error, the answer to an echo request.
    pub(crate) fn is_upkeep(&self) -> bool {
        chatter(&self.packet).is_some()
            || match self.packet.body() {
                Some(Body::Icmp4 { message, .. }) => !matches!(
                    message,
                    Icmp4::EchoRequest(_) | Icmp4::Redirect { .. } | Icmp4::Other { .. }
                ),
                Some(Body::Icmp6 { message, .. }) => {
                    !matches!(message, Icmp6::EchoRequest(_) | Icmp6::Other { .. })
                }
                Some(Body::Igmp { .. }) | None => true,
                Some(_) => false,
            }
    }
}

/// The packet's kind in words.
pub(crate) fn kind_of(protocol: u8) -> &'static str {
    match protocol {
        1 | 58 => "an ICMP message",
        6 => "a TCP segment",
        17 => "a UDP datagram",
        _ => "an IP packet",
    }
}
