//! A forged "too big" changes nothing.
//!
//! # What counts as forged
//!
//! A "fragmentation needed" or "packet too big" that came in and quotes a packet that the host had
//! not sent by then: other addresses, another protocol, other ports, another type of ICMP. What an
//! attacker off the path can know is no more than that.
//!
//! # What counts as a change
//!
//! EMSGSIZE from a receive or as the pending error, a path MTU below that of every link, EMSGSIZE
//! for a datagram that fits every link, and such a datagram leaving in fragments. Once a genuine
//! one has come in, nothing is judged.
//!
//! # How much it weighs
//!
//! Over IPv6 RFC 8201 says that nodes should look at what is quoted, and RFC 8085 that applications
//! SHOULD, where it is UDP, over IPv4 too. Over IPv4 nothing asks for it elsewhere: RFC 1191 has a host
//! take what any such error says. What quotes ICMP there is [`Rank::Undocumented`].

use harness::case::op::{Op, Opt};
use harness::case::{Case, Os};
use harness::trace::{Direction, Out, Trace};
use harness::verdict::Rank;
use harness::wire::{Body, Icmp4, Icmp6, Quote, quoted};

use super::acts::{Act, acts};
use super::datagrams::{Datagram, claims, datagrams};
use super::view::{Call, Seen, View};
use super::{Cite, Finding, Needs, Rule};

/// The rule *forged ICMP changes nothing*.
pub(super) const RULE: Rule = Rule {
    name: "forged-icmp-changes-nothing",
    rank: Rank::Surprises,
    needs: Needs::Frames,
    says: "An ICMP error about the size of a packet that the host never sent changes no path MTU \
           and raises no error.",
    cites: &[
        Cite {
            source: "RFC 8201 §4 (over IPv6)",
            quote: "Nodes should appropriately validate the payload of ICMPv6 PTB messages to \
                    ensure these are received in response to transmitted traffic",
        },
        Cite {
            source: "RFC 8085 §5.2 (where UDP is quoted, over IPv4 and IPv6)",
            quote: "Applications SHOULD appropriately validate the payload of ICMP messages to \
                    ensure these are received in response to transmitted traffic",
        },
        Cite {
            source: "RFC 1191 §3 (over IPv4; why what quotes no UDP there surprises nobody)",
            quote: "When a host receives a Datagram Too Big message, it MUST reduce its estimate \
                    of the PMTU for the relevant path, based on the value of the Next-Hop MTU \
                    field in the message",
        },
    ],
    check,
};

/// The IP and UDP headers of IPv6, the longer ones.
const HEADERS: usize = 48;

fn check(case: &Case, trace: &Trace, os: Os) -> Vec<Finding> {
    let view = View::new(case, trace);
    let errors: Vec<_> = view.frames.iter().filter_map(|seen| Some((seen, quote(seen)?))).collect();
    let Some((first, _)) = errors.first() else { return Vec::new() };
    let from = first.place;
    let genuine = errors.iter().find(|(seen, quote)| was_sent(&view, seen.place, quote));
    let until = genuine.map_or(usize::MAX, |(seen, _)| seen.place);
    let Some(mtu) = view.case.lab.links.iter().map(|link| link.mtu).min() else {
        return Vec::new();
    };
    let acts = acts(&view).list;
    let datagrams = datagrams(&view, os);
    let within = |call: &&Call<'_>| (from..until).contains(&call.place);
    let found = view.calls.iter().filter(within).filter_map(|call| {
        // Of several datagrams the largest: it is the one that may not fit.
        let own = acts.iter().filter(|act| act.op == call.op);
        let act = own.max_by_key(|act| act.bytes.len());
        let told = changed(call, act, (&acts, &datagrams), mtu)?;
        let text = format!("after an ICMP error about a packet that was never sent, {told}.");
        let before = errors.iter().filter(|(seen, _)| seen.place < call.place);
        let rank = before.map(|(_, quote)| weight(quote)).min().unwrap_or(RULE.rank);
        Some(RULE.weighs(rank, call.op, text))
    });
    found.collect()
}

/// How much it weighs to believe an error, by what it quotes.
fn weight(quote: &[u8]) -> Rank {
    const UDP: u8 = 17;
    let covered = |packet: Quote| packet.src.is_ipv6() || packet.protocol == UDP;
    if quoted(quote).is_none_or(covered) { Rank::Surprises } else { Rank::Undocumented }
}

/// What an error about the size of a packet quotes, if the frame is one that came in.
fn quote<'a>(seen: &Seen<'a>) -> Option<&'a [u8]> {
    match seen.packet.body() {
        _ if seen.dir == Direction::Out => None,
        Some(
            Body::Icmp4 { message: Icmp4::Unreachable { code: 4, quote, .. }, .. }
            | Body::Icmp6 { message: Icmp6::PacketTooBig { quote, .. }, .. },
        ) => Some(quote),
        _ => None,
    }
}

fn was_sent(view: &View<'_>, before: usize, quote: &[u8]) -> bool {
    // What cannot be read may be of anything.
    let Some(packet) = quoted(quote) else { return true };
    let header = if packet.src.is_ipv4() { usize::from(quote[0] & 0xf) * 4 } else { 40 };
    // The ports, or the type of ICMP.
    let known = if packet.sport.is_some() { 4 } else { 1 };
    let start = quote.get(header..).map(|body| &body[..body.len().min(known)]);
    view.sent().filter(|seen| seen.place < before).any(|seen| {
        seen.packet.addresses() == Some((packet.src, packet.dst))
            && seen.protocol() == Some(packet.protocol)
            && start.is_none_or(|start| seen.fragment().offset > 0 || seen.body.starts_with(start))
    })
}

/// What the call shows to have changed.
fn changed(
    call: &Call<'_>,
    act: Option<&Act<'_>>,
    (acts, datagrams): (&[Act<'_>], &[Datagram<'_>]),
    mtu: u32,
) -> Option<String> {
    if let (Op::Getsockopt { option: Opt::Raw { name, .. }, .. }, true) = (call.what, call.ok()) {
        return match (name.as_str(), call.out) {
            ("SO_ERROR", Out::Errno(errno)) if errno.as_str() == "EMSGSIZE" => {
                Some("SO_ERROR is EMSGSIZE".to_owned())
            }
            ("IP_MTU" | "IPV6_MTU", Out::Int(told)) if i64::from(*told) < i64::from(mtu) => {
                Some(format!("{name} is {told} over a link of {mtu}"))
            }
            _ => None,
        };
    }
    let receives = matches!(
        call.what,
        Op::Recv { .. } | Op::Recvfrom { .. } | Op::Recvmsg { .. } | Op::Read { .. }
    );
    if receives && call.errno == Some("EMSGSIZE") {
        return Some(call.said());
    }
    let act = act.filter(|act| !act.segments && act.bytes.len() + HEADERS <= mtu as usize)?;
    if call.errno == Some("EMSGSIZE") {
        return Some(format!("{} for {} bytes", call.said(), act.bytes.len()));
    }
    let mut own = datagrams.iter().zip(claims(acts, datagrams)).filter(|(datagram, of)| {
        datagram.pieces() > 1 && of.is_some_and(|of| acts[of].op == act.op)
    });
    let (datagram, _) = own.next()?;
    Some(format!("{} bytes left in {} fragments", act.bytes.len(), datagram.pieces()))
}
