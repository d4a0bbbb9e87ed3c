//! Frames: decoded, said in one line, built.
//!
//! Pure functions from bytes to values and back: no socket, no clock, no randomness. [`decode`] takes any bytes at all,
//! [`line()`] says what a frame is in the way `tcpdump` would, leaving out what differs between two runs on one kernel,
//! [`chatter`] tells what a kernel sends of its own accord, and [`build`] makes the frames of the far end of a link.

mod answer;
pub mod build;
mod bytes;
mod chatter;
mod checksum;
mod decode;
pub mod dns;
mod envelope;
mod forge;
#[cfg(test)]
mod frames;
mod icmp;
mod line;
mod line_control;
mod line_inside;
mod mend;
mod message;
mod name;
mod names;
mod packet;
mod quote;
mod tcp;
mod transport;

pub use chatter::chatter;
pub use decode::decode;
pub use forge::{Field, forge, spoil};
pub use line::line;
pub use mend::mend;
pub use message::{
    Echo, GroupRecord, Icmp4, Icmp6, Igmp, MldQuery, Prefix, Querier, RouterAdvertisement,
};
pub use names::{Names, Numbers, Plain};
pub use packet::{Arp, Body, Eth, Fragment, Framing, Mac, Net, Packet, Udp, V4, V6};
pub use quote::{Quote, quoted};
pub use tcp::{Tcp, TcpFlags, TcpOption};

#[cfg(test)]
mod tests {
    use super::frames::{self, hex};
    use super::*;
    use proptest::prelude::*;

    /// All that this module makes of bytes: none of it may panic.
    fn everything(bytes: &[u8]) {
        for framing in [Framing::Ethernet, Framing::Ip] {
            let packet = decode(framing, bytes);
            let said = line(&packet, &Plain);
            assert!(!said.is_empty() && !said.contains('\n'), "{said:?}");
            let _ = chatter(&packet);
            let _ = build::echo_reply(&packet);
            let _ = build::neighbour_answer(&packet, Mac::ZERO);
        }
        let _ = quoted(bytes);
    }

    fn kernel_frame() -> impl Strategy<Value = Vec<u8>> {
        prop::sample::select(frames::ALL).prop_map(hex)
    }

    /// A header that leads somewhere, before bytes that do not.
    fn plausible() -> impl Strategy<Value = Vec<u8>> {
        let bytes = prop::collection::vec(any::<u8>(), 0..200);
        let protocol = prop::sample::select(
            &[0u8, 1, 2, 4, 6, 17, 33, 41, 43, 44, 47, 50, 51, 58, 60, 112, 132, 136][..],
        );
        (any::<bool>(), protocol, bytes).prop_map(|(v6, protocol, bytes)| {
            let (src, dst) = if v6 { ("fe80::1", "fe80::2") } else { ("192.0.2.1", "192.0.2.2") };
            let (src, dst) = (src.parse().unwrap(), dst.parse().unwrap());
            build::ip(build::Link::Ip, src, dst, 64, protocol, &bytes).unwrap()
        })
    }

    /// A control message of each type, before bytes that do not belong to it.
    fn control() -> impl Strategy<Value = Vec<u8>> {
        let kind = prop_oneof![0u8..=18, 128u8..=144, Just(0x22)];
        (plausible(), kind, 0u8..16).prop_map(|(mut packet, kind, code)| {
            let header = if packet[0] >> 4 == 4 { 20 } else { 40 };
            for (at, byte) in [(header, kind), (header + 1, code)] {
                if let Some(there) = packet.get_mut(at) {
                    *there = byte;
                }
            }
            packet
        })
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            everything(&bytes);
        }

        #[test]
        fn any_body(bytes in plausible()) {
            everything(&bytes);
        }

        #[test]
        fn any_control_message(bytes in control()) {
            everything(&bytes);
        }

        #[test]
        fn cut_frames(frame in kernel_frame(), len in any::<prop::sample::Index>()) {
            everything(&frame[..len.index(frame.len())]);
        }

        #[test]
        fn changed_frames(
            mut frame in kernel_frame(),
            changes in prop::collection::vec((0usize..80, any::<u8>()), 1..6),
        ) {
            for (at, byte) in changes {
                let at = at % frame.len();
                frame[at] = byte;
            }
            everything(&frame);
        }
    }
}
