//! Packets with a header of the program's own, by raw sockets and ping sockets. In Rust, since a header is
//! computed and what follows fills the size.

use harness::case::op::Value;
use harness::case::{Case, LinkKind, Payload};

use super::axes::{Asked, Path, lab};
use crate::steps::{case, covering, sendto_of, setsockopt, so_error, socket_of};
use crate::table::{Row, Table};

fn icmp(path: Path) -> &'static str {
    if path == Path::V6 { "IPPROTO_ICMPV6" } else { "IPPROTO_ICMP" }
}

fn asked(path: Path) -> Vec<Asked> {
    let mut all = Asked::INTENTS.to_vec();
    all.extend(Asked::options(path));
    all
}

/// What follows the IP header.
fn sizes(path: Path, mtu: u32) -> Vec<(&'static str, u32)> {
    let fit = path.fit(mtu) + 8;
    let most = if path == Path::V6 { 65_535 } else { 65_515 };
    vec![("fit", fit), ("fit+1", fit + 1), ("10000", 10_000), ("most", most), ("most+1", most + 1)]
}

/// RFC 3542 §11.2 turns fragments off "for UDP and raw sockets", of whichever protocol. Linux asks which it is:
/// for `IPV6_DONTFRAG` UDP, ICMPv6 and `IPPROTO_RAW` count (`net/ipv6/ip6_output.c` `__ip6_append_data`), for a
/// mode of `IPV6_MTU_DISCOVER` all of them. `fragmentation/raw` has ICMPv6; IPv4, which asks for no protocol,
/// is the control.
pub(super) fn protocol() -> Table {
    let question =
        "Is a raw socket's datagram of that protocol refused when fragments are forbidden?";
    let mut table = Table::new("fragmentation/raw-protocol", question);
    for (protocol, name) in [("udp", "IPPROTO_UDP"), ("tcp", "IPPROTO_TCP")] {
        for path in Path::PURE {
            let told = if path == Path::V6 { asked(path) } else { Asked::INTENTS.to_vec() };
            for asked in told {
                for (size, len) in [("fit", path.fit(1500) + 8), ("fit+1", path.fit(1500) + 9)] {
                    let title =
                        format!("{len} bytes of {name} by raw {}, {}", path.words(), asked.words());
                    let mut ops = vec![socket_of("s", path.domain(), &["SOCK_RAW"], &[name])];
                    ops.extend(asked.ops("s"));
                    let data = headed(protocol, len);
                    ops.extend([sendto_of("s", data, path.neighbour(0)), so_error("s")]);
                    let case = case(title, lab(LinkKind::Tun, 1500), ops);
                    let case = covering(case, &asked.catalogue(path));
                    table.push(&[protocol, path.id(), &asked.id(), size], Row::Case(case));
                }
            }
        }
    }
    table
}

/// So many bytes with a header of UDP or TCP, from port 20000 to 25000, which a raw socket takes as they are.
fn headed(protocol: &str, len: u32) -> Payload {
    let ports = "\u{4e}\u{20}\u{61}\u{a8}";
    let header = if protocol == "udp" {
        let [high, low] = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes().map(char::from);
        format!("{ports}{high}{low}\0\0")
    } else {
        format!("{ports}\0\0\0\u{1}\0\0\0\0\u{50}\u{2}\0\0\0\0\0\0")
    };
    let rest = (len as usize).saturating_sub(header.chars().count());
    Payload::Text(header + &"p".repeat(rest))
}

/// An echo request of so many bytes: the kernel writes identifier and checksum.
fn echo(path: Path, len: u32) -> Payload {
    let kind = if path == Path::V6 { '\u{80}' } else { '\u{8}' };
    let header = format!("{kind}\0\0\0\0\0\0\u{1}");
    let rest = "p".repeat((len as usize).saturating_sub(8));
    Payload::Text(header + &rest)
}

pub(super) fn ping() -> Table {
    let question = "What does a ping socket say of that size, and in which pieces does it leave?";
    let mut table = Table::new("fragmentation/ping", question);
    for path in Path::PURE {
        for asked in asked(path) {
            for mtu in [1280, 1500] {
                for (name, len) in sizes(path, mtu) {
                    if len > 60_000 && (mtu < 1500 || asked != Asked::Unset) {
                        continue;
                    }
                    let case = ping_row(path, asked, mtu, len);
                    let case = covering(case, &asked.catalogue(path));
                    table.push(&[path.id(), &asked.id(), &mtu.to_string(), name], Row::Case(case));
                }
            }
        }
    }
    table
}

fn ping_row(path: Path, asked: Asked, mtu: u32, len: u32) -> Case {
    let title = format!("{len} bytes of echo by {}, MTU {mtu}, {}", path.words(), asked.words());
    let mut ops = vec![socket_of("s", path.domain(), &["SOCK_DGRAM"], &[icmp(path)])];
    ops.extend(asked.ops("s"));
    ops.extend([sendto_of("s", echo(path, len), path.neighbour(0)), so_error("s")]);
    case(title, lab(LinkKind::Tun, mtu), ops)
}

/// An IPv4 header of so many bytes in all, with or without DF; the kernel writes the checksum, the
/// length, and the addresses and identification that are zero (raw(7)).
fn packet(dont_fragment: bool, len: u32) -> Payload {
    let flags = if dont_fragment { '\u{40}' } else { '\0' };
    let header = format!("\u{45}\0\0\0\0\0{flags}\0\u{40}\u{1}\0\0\0\0\0\0\u{c0}\0\u{2}\u{2}");
    Payload::Text(header + &"h".repeat((len as usize).saturating_sub(20)))
}

pub(super) fn own_header() -> Table {
    let question = "Does a packet with a header of the program's own leave as it was written?";
    let mut table = Table::new("fragmentation/own-header", question);
    for (df, set) in [("df", true), ("no-df", false)] {
        for asked in asked(Path::V4) {
            for (name, len) in [("20", 20), ("fit", 1500), ("fit+1", 1501)] {
                let title = format!("A packet of {len} bytes, {df}, {}", asked.words());
                let mut ops = vec![socket_of("s", "AF_INET", &["SOCK_RAW"], &["IPPROTO_ICMP"])];
                ops.push(setsockopt("s", "IPPROTO_IP", "IP_HDRINCL", Value::Int(1)));
                ops.extend(asked.ops("s"));
                ops.extend([
                    sendto_of("s", packet(set, len), Path::V4.neighbour(0)),
                    so_error("s"),
                ]);
                let case = case(title, lab(LinkKind::Tun, 1500), ops);
                let case = covering(case, &asked.catalogue(Path::V4));
                table.push(&[df, &asked.id(), name], Row::Case(case));
            }
        }
    }
    table
}

/// How long the packets are whose byte order is asked for.
const LEN: u16 = 100;

/// The same header with these two fields, each by its bytes. DF in the wrong order is an offset of 512
/// bytes, MF one of 256.
fn packet_of(len: [u8; 2], off: [u8; 2]) -> Payload {
    let header =
        [0x45, 0, len[0], len[1], 0, 0, off[0], off[1], 64, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2];
    let text: String = header.iter().map(|byte| char::from(*byte)).collect();
    Payload::Text(text + &"h".repeat(usize::from(LEN) - header.len()))
}

/// The network's order, or that of every system here: little-endian.
///
/// raw(7): Linux fills in the length, whatever it is. Of the others some want both fields in host byte
/// order: FreeBSD before 11 and macOS do, OpenBSD and FreeBSD since do not.
pub(super) fn byte_order() -> Table {
    let question = "In which byte order does IP_HDRINCL want the length and the fragment offset?";
    let mut table = Table::new("fragmentation/own-header-order", question);
    let lens = [("network", LEN.to_be_bytes()), ("host", LEN.to_le_bytes()), ("zero", [0; 2])];
    let lens = lens.into_iter().chain([("beyond", [0xff; 2])]);
    let mut offs = vec![("none".to_owned(), [0; 2])];
    for (flag, bit) in [("df", 0x4000), ("mf", 0x2000)] {
        offs.push((format!("{flag}-network"), u16::to_be_bytes(bit)));
        offs.push((format!("{flag}-host"), u16::to_le_bytes(bit)));
    }
    for (len, len_bytes) in lens {
        for (off, off_bytes) in &offs {
            let title = format!("A packet with its own header, length: {len}, offset: {off}");
            let mut ops = vec![socket_of("s", "AF_INET", &["SOCK_RAW"], &["IPPROTO_ICMP"])];
            ops.push(setsockopt("s", "IPPROTO_IP", "IP_HDRINCL", Value::Int(1)));
            let data = packet_of(len_bytes, *off_bytes);
            ops.extend([sendto_of("s", data, Path::V4.neighbour(0)), so_error("s")]);
            let case = case(title, lab(LinkKind::Tun, 1500), ops);
            table.push(&[len, off], Row::Case(covering(case, &["RAW-01"])));
        }
    }
    table
}
