//! The checksums of a frame whose bytes were changed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Framing;
use super::checksum::{Ends, sum};

/// Makes the checksums of a frame right: IPv4's, and that of UDP, TCP or ICMP where the packet is
/// whole and has no IPv6 extension headers. Bytes that are no such packet stay as they are.
pub fn mend(framing: Framing, frame: &mut [u8]) {
    let packet = match framing {
        Framing::Ip => frame,
        Framing::Ethernet => frame.get_mut(14..).unwrap_or_default(),
    };
    match packet.first().map(|byte| byte >> 4) {
        Some(4) => mend4(packet),
        Some(6) => mend6(packet),
        _ => None,
    };
}

fn mend4(packet: &mut [u8]) -> Option<()> {
    let header = usize::from(*packet.first()? & 15) * 4;
    let len = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
    if header < 20 {
        return None;
    }
    packet.get_mut(10..12)?.fill(0);
    let right = sum(packet.get(..header)?);
    packet[10..12].copy_from_slice(&right.to_be_bytes());
    if u16::from_be_bytes([packet[6], packet[7]]) & 0x3fff != 0 {
        return None;
    }
    let ip = |at: usize| {
        Some(IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(packet.get(at..at + 4)?).ok()?)))
    };
    let (ends, protocol) = (Ends::new(ip(12)?, ip(16)?)?, packet[9]);
    body(ends, protocol, packet.get_mut(header..len)?)
}

fn mend6(packet: &mut [u8]) -> Option<()> {
    let len = 40 + usize::from(u16::from_be_bytes([*packet.get(4)?, *packet.get(5)?]));
    let ip = |at: usize| {
        Some(IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(packet.get(at..at + 16)?).ok()?)))
    };
    let (ends, protocol) = (Ends::new(ip(8)?, ip(24)?)?, packet[6]);
    body(ends, protocol, packet.get_mut(40..len)?)
}

fn body(ends: Ends, protocol: u8, bytes: &mut [u8]) -> Option<()> {
    let at = match protocol {
        1 | 58 => 2,
        6 => 16,
        17 => 6,
        _ => return None,
    };
    let field = bytes.get(at..at + 2)?;
    // Over IPv4 a UDP datagram may have none (RFC 768).
    if protocol == 17 && field == [0, 0] {
        return None;
    }
    bytes[at..at + 2].fill(0);
    let right = if protocol == 1 { sum(bytes) } else { ends.sum(protocol, bytes) };
    let right = if protocol == 17 && right == 0 { u16::MAX } else { right };
    bytes[at..at + 2].copy_from_slice(&right.to_be_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::frames::{self, hex};
    use super::*;

    #[test]
    fn what_a_kernel_sent_is_right_already() {
        for frame in [frames::UDP4, frames::UDP6, frames::SOLICITATION, frames::IGMP3_REPORT] {
            let sent = hex(frame);
            let mut mended = sent.clone();
            mend(Framing::Ethernet, &mut mended);
            assert_eq!(mended, sent);
        }
    }

    #[test]
    fn a_changed_address_is_summed_anew() {
        for frame in [frames::UDP4, frames::UDP6] {
            let sent = hex(frame);
            let mut changed = sent.clone();
            changed[14 + 15] ^= 1;
            let broken = changed.clone();
            mend(Framing::Ethernet, &mut changed);
            assert_ne!(changed, broken);
            changed[14 + 15] ^= 1;
            mend(Framing::Ethernet, &mut changed);
            assert_eq!(changed, sent);
        }
    }

    #[test]
    fn cut_bytes_do_no_harm() {
        let sent = hex(frames::UDP4);
        for len in 0..sent.len() {
            mend(Framing::Ethernet, &mut sent[..len].to_vec());
        }
    }
}
