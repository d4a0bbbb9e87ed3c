//! What an IP packet carries: the protocol number decides.

use etherparse::UdpHeader;

use super::bytes::rest;
use super::checksum::{self, Ends};
use super::icmp::{icmp4, icmp6, igmp};
use super::tcp::tcp;
use super::{Body, Udp};

pub(super) const ICMP: u8 = 1;
pub(super) const IGMP: u8 = 2;
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const ICMPV6: u8 = 58;

/// What the body's checksum can be held against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole {
    pub(super) ends: Ends,
    /// Not the first fragment of several.
    pub(super) all_here: bool,
    /// `ends` has the final destination: no source route has hops to go.
    pub(super) final_destination: bool,
}

impl Whole {
    /// Whether a checksum over bytes and pseudo header is right; `None` when one of the two is not here.
    pub(super) fn checksum_ok(self, protocol: u8, bytes: &[u8]) -> Option<bool> {
        let known = self.all_here && self.final_destination;
        known.then(|| self.ends.sum(protocol, bytes) == 0)
    }

    /// The same for a checksum that has no pseudo header.
    fn bare_checksum_ok(self, bytes: &[u8]) -> Option<bool> {
        self.all_here.then(|| checksum::sum(bytes) == 0)
    }
}

/// Decodes the body of a packet that is no later fragment.
pub(super) fn body(protocol: u8, bytes: &[u8], whole: Whole) -> Body<'_> {
    let decoded = match (protocol, whole.ends) {
        (UDP, _) => udp(bytes, whole).map(Body::Udp),
        (TCP, _) => tcp(bytes, whole).map(Body::Tcp),
        (ICMP, Ends::V4(..)) => icmp4(bytes)
            .map(|message| Body::Icmp4 { checksum_ok: whole.bare_checksum_ok(bytes), message }),
        (IGMP, Ends::V4(..)) => igmp(bytes)
            .map(|message| Body::Igmp { checksum_ok: whole.bare_checksum_ok(bytes), message }),
        (ICMPV6, Ends::V6(..)) => icmp6(bytes)
            .map(|message| Body::Icmp6 { checksum_ok: whole.checksum_ok(ICMPV6, bytes), message }),
        _ => Ok(Body::Other { protocol, bytes }),
    };
    decoded.unwrap_or_else(|why| Body::Malformed { protocol, why, bytes })
}

fn udp(bytes: &[u8], whole: Whole) -> Result<Udp<'_>, String> {
    let (header, after) = UdpHeader::from_slice(bytes)
        .map_err(|_| format!("a UDP header in {} bytes", bytes.len()))?;
    let len = usize::from(header.length);
    if len < 8 || (whole.all_here && len > bytes.len()) {
        return Err(format!("UDP length {len}, {} bytes here", bytes.len()));
    }
    let here = len.min(bytes.len());
    let checksum_ok = match header.checksum {
        0 => None,
        _ => whole.checksum_ok(UDP, &bytes[..here]),
    };
    Ok(Udp {
        sport: header.source_port,
        dport: header.destination_port,
        len: header.length,
        checksum: header.checksum,
        checksum_ok,
        payload: &after[..here - 8],
        surplus: rest(bytes, here).len(),
    })
}
