//! One line about a frame of a trace.

use super::data::Seen;
use super::names::Names;
use super::packets::framing;
use super::socks::Transport;
use crate::case::LinkKind;
use crate::case::addr::Role;
use crate::trace::Direction;
use crate::wire::{self, Arp, Body, Framing, Icmp6, Mac, Net, Numbers, Packet, TcpFlags};

/// A frame as an outcome has it.
pub(super) struct Said {
    /// `> tap0 IPv6 …`
    pub(super) text: String,
    /// What it is, when the kernel said it unasked.
    pub(super) chatter: Option<&'static str>,
    /// Whether a timer sends it again until it is answered.
    pub(super) repeats: bool,
}

/// `numbers`: what those of a segment are relative to, where they are told.
pub(super) fn frame(
    names: &Names<'_>,
    link: &str,
    dir: Direction,
    bytes: &[u8],
    numbers: Option<Numbers>,
) -> Said {
    let framing = framing(kind(names, link));
    let packet = wire::decode(framing, bytes);
    let out = dir == Direction::Out;
    let chatter = if out { wire::chatter(&packet) } else { None };
    if names.is_stable() && chatter.is_some() {
        return Said { text: String::new(), chatter, repeats: false };
    }
    let there = OnLink { numbers, ..OnLink::new(names, link, dir, &packet) };
    let arrow = if out { '>' } else { '<' };
    let mut text = format!("{arrow} {link} {}", wire::line(&packet, &there));
    if let Some(eth) = packet.eth
        && out
        && there.own.is_some_and(|own| own != eth.src && own != Mac::ZERO)
    {
        let source = if eth.src.is_multicast() {
            eth.src.to_string()
        } else {
            wire::Names::mac(&there, eth.src)
        };
        text.push_str(" from ");
        text.push_str(&source);
    }
    Said { text, chatter, repeats: out && repeats(&packet) }
}

/// A packet that a raw socket received, from its IPv4 header on.
pub(super) fn received(names: &Names<'_>, bytes: &[u8]) -> String {
    let packet = wire::decode(Framing::Ip, bytes);
    let there = OnLink::new(names, "lo", Direction::In, &packet);
    wire::line(&packet, &there)
}

/// A message that a raw socket of `ICMPv6` received.
pub(super) fn received_icmp6(names: &Names<'_>, message: &[u8]) -> String {
    const BEFORE: &str = "hlim 0 ";
    let [high, low] = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut packet = vec![0x60, 0, 0, 0, high, low, 58];
    packet.resize(40, 0);
    packet.extend(message);
    let said = received(names, &packet);
    said.split_once(BEFORE).map_or_else(|| said.clone(), |(_, message)| message.to_owned())
}

pub(super) fn kind(names: &Names<'_>, link: &str) -> Option<LinkKind> {
    match names.link(link) {
        Some(fact) => fact.kind,
        None => names.case().lab.links.iter().find(|l| l.name == link).map(|l| l.kind),
    }
}

/// Address resolution requests and SYNs.
fn repeats(packet: &Packet<'_>) -> bool {
    match (&packet.net, packet.body()) {
        (Net::Arp(arp), _) => arp.operation == Arp::REQUEST,
        (_, Some(Body::Icmp6 { message, .. })) => {
            matches!(message, Icmp6::NeighbourSolicitation { .. })
        }
        (_, Some(Body::Tcp(tcp))) => tcp.flags.has(TcpFlags::SYN),
        _ => false,
    }
}

/// Whose ports the line about a packet says: its own or those of the packet that it quotes.
fn transport(packet: &Packet<'_>) -> Transport {
    match packet.body() {
        Some(Body::Udp(_)) => Transport::Udp,
        Some(Body::Tcp(_)) => Transport::Tcp,
        Some(body) => match body.quote().map(wire::quoted) {
            None => Transport::Ping,
            Some(Some(quote)) if quote.protocol == 17 => Transport::Udp,
            Some(Some(quote)) if quote.protocol == 6 => Transport::Tcp,
            Some(Some(quote)) if matches!(quote.protocol, 1 | 58) => Transport::Ping,
            Some(_) => Transport::Other,
        },
        None => Transport::Other,
    }
}

/// The names as they are on one link, for one frame.
struct OnLink<'n> {
    names: &'n Names<'n>,
    number: Option<u8>,
    own: Option<Mac>,
    transport: Transport,
    seen: Seen,
    checksums: bool,
    numbers: Option<Numbers>,
}

impl<'n> OnLink<'n> {
    fn new(names: &'n Names<'n>, link: &str, dir: Direction, packet: &Packet<'_>) -> Self {
        let own = names.link(link).and_then(|fact| fact.mac.0[..].try_into().ok().map(Mac));
        Self {
            names,
            number: names.case().lab.number(link),
            own,
            transport: transport(packet),
            seen: if dir == Direction::In { Seen::Anywhere } else { Seen::Sent },
            // Loopback leaves checksums to offload: nobody will look.
            checksums: link != "lo",
            numbers: None,
        }
    }
}

impl wire::Names for OnLink<'_> {
    fn mac(&self, mac: Mac) -> String {
        if !self.names.is_stable() || mac == Mac::ZERO {
            return mac.to_string();
        }
        if Some(mac) == self.own {
            return "own".to_owned();
        }
        let Mac([2, 0, 0, 0, link, role]) = mac else { return "other".to_owned() };
        let roles = [Role::Own, Role::Neighbour, Role::Unresolved, Role::Silent];
        match roles.into_iter().find(|known| *known as u8 == role) {
            Some(role) if Some(link) == self.number => format!("{role:?}").to_lowercase(),
            _ => "other".to_owned(),
        }
    }

    fn port(&self, port: u16) -> String {
        self.names.port(Some(self.transport), port)
    }

    fn dns_id(&self, id: u16) -> String {
        self.names.dns_id(id)
    }

    fn payload(&self, bytes: &[u8], offset: u32) -> String {
        self.names.sources().identify(bytes, offset, self.seen)
    }

    fn checksums(&self) -> bool {
        self.checksums
    }

    fn numbers(&self) -> Option<Numbers> {
        self.numbers
    }
}
