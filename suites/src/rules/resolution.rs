//! Whether the host asked the network where a packet's next hop is.

use std::net::IpAddr;

use harness::case::LabOp;
use harness::trace::Direction;
use harness::wire::{Body, Icmp4, Icmp6, quoted};

use super::acts::Act;
use super::view::View;

/// What became of address resolution for the next hop of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nobody was asked.
    No,
    /// The host asked, and nobody has answered: the packet may wait, and is lost by the network
    /// when the wait is over. So too when a later packet took its place in the queue.
    Waits,
    /// The host asked and had its answer: there is nothing left to wait for.
    Answered,
}

/// RFC 4861 §10 `RETRANS_TIMER`; RFC 1122 §2.3.2.1 has one second for ARP as well.
const RETRANS_MS: u32 = 1000;

/// Looks for a request for the next hop of the send number `index`: after the call, or before it
/// where the resolution was still going on.
///
/// A host that resolves asks again each `RETRANS_TIMER`, so a request before the call says that it
/// still waits only if it is not older than that (half as much again for timers that are late).
pub(super) fn asked(view: &View<'_>, acts: &[Act<'_>], index: usize) -> Asked {
    let act = &acts[index];
    let Some(dst) = act.dest.and_then(|dest| dest.ip()) else { return Asked::No };
    let hops = next_hops(view, dst);
    let call = &view.calls[act.call];
    for request in view.sent() {
        let Some(hop) = request.asks_for().filter(|hop| hops.contains(hop)) else { continue };
        let age = call.at_ns.saturating_sub(request.at_ns);
        let is_before = request.place < call.place;
        if is_before && age > patience_ns(view, request.link) {
            continue;
        }
        let answer = view.frames.iter().find(|seen| {
            seen.dir == Direction::In
                && seen.place > request.place
                && seen.answers_for() == Some(hop)
        });
        let Some(answer) = answer else { return Asked::Waits };
        if answer.place < call.place {
            continue;
        }
        // RFC 4861 §7.2.2: "the new arrival SHOULD replace the oldest entry".
        let replaced = acts[index + 1..].iter().any(|later| {
            later.ok
                && view.calls[later.call].place < answer.place
                && later.dest.and_then(|dest| dest.ip()) == Some(dst)
        });
        return if replaced { Asked::Waits } else { Asked::Answered };
    }
    Asked::No
}

fn patience_ns(view: &View<'_>, link: &str) -> u64 {
    let set = view.lab_steps().filter_map(|(_, step)| match step {
        LabOp::RetransTime { link: of, ms } if of == link => Some(*ms),
        _ => None,
    });
    // Linux waits a hundredth of a second at least (net/core/neighbour.c, neigh_timer_handler).
    u64::from(set.last().unwrap_or(RETRANS_MS).max(10)) * 1_500_000
}

/// The addresses whose holder a packet to `dst` may have to be handed to: itself, and the routers
/// that the lab's routes or the frames of the case name.
fn next_hops(view: &View<'_>, dst: IpAddr) -> Vec<IpAddr> {
    let mut hops = vec![dst];
    hops.extend(view.lab_steps().filter_map(|(_, step)| match step {
        LabOp::RouteAdd { prefix, prefix_len, via: Some(via), .. } => {
            view.case.lab.ip(via).filter(|_| covers(*prefix, *prefix_len, dst))
        }
        _ => None,
    }));
    for seen in view.frames.iter().filter(|seen| seen.dir == Direction::In) {
        match seen.packet.body() {
            Some(Body::Icmp4 { message: Icmp4::Redirect { gateway, quote, .. }, .. })
                if quoted(quote).is_some_and(|quote| quote.dst == dst) =>
            {
                hops.push((*gateway).into());
            }
            Some(Body::Icmp6 { message: Icmp6::Redirect { target, destination, .. }, .. })
                if IpAddr::V6(*destination) == dst =>
            {
                hops.push((*target).into());
            }
            Some(Body::Icmp6 { message: Icmp6::RouterAdvertisement(_), .. }) => {
                hops.extend(seen.packet.addresses().map(|(src, _)| src));
            }
            _ => {}
        }
    }
    hops
}

/// Whether `ip` is in the prefix.
pub(super) fn covers(prefix: IpAddr, len: u8, ip: IpAddr) -> bool {
    let bits = |ip| match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)) << 96,
        IpAddr::V6(ip) => u128::from(ip),
    };
    let mask = u128::MAX.checked_shl(128 - u32::from(len.min(128))).unwrap_or(0);
    prefix.is_ipv4() == ip.is_ipv4() && bits(prefix) & mask == bits(ip) & mask
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0.0.0.0", 0, "192.0.2.1", true)]
    #[case("192.0.2.0", 24, "192.0.2.255", true)]
    #[case("192.0.2.0", 24, "192.0.3.0", false)]
    #[case("192.0.2.1", 32, "192.0.2.1", true)]
    #[case("::", 0, "2001:db8::1", true)]
    #[case("::", 0, "192.0.2.1", false)]
    #[case("2001:db8::", 64, "2001:db8::1", true)]
    #[case("2001:db8::", 64, "2001:db8:0:1::1", false)]
    #[case("2001:db8::1", 128, "2001:db8::2", false)]
    fn a_prefix_covers_its_addresses(
        #[case] prefix: IpAddr,
        #[case] len: u8,
        #[case] ip: IpAddr,
        #[case] expected: bool,
    ) {
        assert_eq!(covers(prefix, len, ip), expected);
    }
}
