//! What a lab has to heed since its network is the host's own.

use std::net::IpAddr;

use super::MacLab;
use crate::case::addr::{Range, Role, SockAddr, prefix_len};
use crate::case::lab::Lab;
use crate::darwin::beyond::{Choice, choice};
use crate::darwin::ours::Ours;
use crate::darwin::request::network;
use crate::exec::macos::host::Host;
use crate::exec::macos::sys;
use crate::exec::network::Reach;
use crate::exec::plan::ip_of;
use crate::exec::{calls, sockaddr::RawAddr};
use crate::trace::End;

/// Descriptors above this are not a case's.
const MOST_SOCKETS: i32 = 64;

/// Whether nobody else on this host has what the lab would take.
pub(super) fn are_free(spec: &Lab) -> Result<(), End> {
    let all = Host::interfaces();
    let all = all.map_err(|e| End::skipped(format!("the interfaces cannot be listed: {e}")))?;
    for (number, link) in spec.links.iter().enumerate() {
        // A link-local address is good for its own link alone.
        for range in link.ranges.iter().filter(|range| **range != Range::Ll) {
            let wanted = network(ip_of(number, Role::Own, *range), prefix_len(*range));
            for interface in &all {
                let is_in = |(ip, _): &&(IpAddr, u8)| network(*ip, prefix_len(*range)) == wanted;
                if let Some((ip, _)) = interface.addresses.iter().find(is_in) {
                    let name = &interface.name;
                    return Err(End::skipped(format!("{name} has {ip}, which the lab would take")));
                }
            }
        }
    }
    Ok(())
}

/// Takes down which sockets this process has.
pub(super) fn remember_sockets(ours: &mut Ours) {
    for fd in 3..MOST_SOCKETS {
        let mut name = RawAddr::room();
        if calls::getsockname(fd, &mut name).is_err() {
            continue;
        }
        let Some(SockAddr::V4 { port, .. } | SockAddr::V6 { port, .. }) = name.read() else {
            continue;
        };
        match sys::kind_of(fd) {
            Some(libc::SOCK_RAW) => ours.has_raw(),
            Some(kind) if port != 0 => ours.bound(kind == libc::SOCK_STREAM, port),
            _ => {}
        }
    }
}

impl MacLab {
    /// How many frames the BPF devices have lost in all.
    pub(super) fn drops(&self) -> u32 {
        let links: u32 = self.links.iter().map(|link| link.far.drops()).sum();
        links + self.loopback.as_ref().map_or(0, super::Bpf::drops)
    }

    /// Why a call must not be made: the table of routes leads what it sends to an interface that no lab
    /// made. Of what a socket is bound to, or what a scope names, all is the lab's.
    pub(super) fn leaves_by(&mut self, reach: &Reach) -> Option<String> {
        let by = match choice(reach.to, reach.scope) {
            Choice::Stays => return None,
            Choice::Scope(index) => index,
            Choice::Table(to) => {
                let is_v6 = reach.to.is_ipv6();
                if sys::names_an_interface(reach.fd, is_v6, to.is_multicast()) {
                    return None;
                }
                match self.table.ask(to, None) {
                    Ok(answer) => answer.filter(|answer| !answer.drops)?.index.into(),
                    Err(e) => return Some(format!("whether {to} stays on this host: {e}")),
                }
            }
        };
        if self.facts.iter().any(|fact| fact.index == by) {
            return None;
        }
        let to = reach.to;
        let all = match Host::interfaces() {
            Ok(all) => all,
            Err(e) => return Some(format!("{to} is reached by interface {by}: {e}")),
        };
        // One that is not there reaches nobody.
        let other = all.into_iter().find(|interface| u32::from(interface.index) == by)?;
        Some(format!("{to} would be reached by {}, which sockeye did not make", other.name))
    }
}
