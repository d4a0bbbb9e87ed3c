//! Control messages: those that a case sends, and those that a call received, by their fields.

use super::bytes::{i32_at, i64_at, sockaddr, u16_at, u32_at, u32s, u64_at, v4_at, v6_at};
use super::names::Names;
use super::parts::{hex, timeval};
use super::{credentials, errnos};
use crate::case::addr::SockAddr;
use crate::trace::ControlOut;

/// `{IPPROTO_IPV6, IPV6_HOPLIMIT, 64}`
pub(super) fn message(names: &Names<'_>, message: &ControlOut) -> String {
    let raw = &message.bytes;
    let name = message.name.as_str();
    let said = integer(name, &raw.0)
        .or_else(|| address(names, name, &raw.0))
        .or_else(|| stamp(names, name, &raw.0))
        .or_else(|| process(names, name, &raw.0));
    format!("{{{}, {name}, {}}}", message.level, said.unwrap_or_else(|| hex(raw)))
}

/// A number that a case sends, in front of it its type where the manual has another.
pub(super) fn sent(name: &str, value: i32, width: u8) -> String {
    // udp(7): "a uint16_t"; everything else is an int.
    let documented = if name == "UDP_SEGMENT" { 2 } else { 4 };
    typed(documented, width.into(), &value.to_string())
}

fn typed(documented: usize, width: usize, value: &str) -> String {
    let name = match width {
        _ if width == documented => return value.to_owned(),
        1 => "uint8_t",
        2 => "uint16_t",
        4 => "int",
        _ => "uint64_t",
    };
    format!("({name}){value}")
}

/// The numbers among them, of whatever width they are.
fn integer(name: &str, bytes: &[u8]) -> Option<String> {
    let documented = match name {
        // "It contains a byte" (ip(7)), and so it is on Darwin.
        "IP_TOS" | "IP_RECVTOS" | "IP_RECVTTL" => 1,
        "UDP_SEGMENT" => 2,
        "IP_TTL" | "IPV6_HOPLIMIT" | "IPV6_2292HOPLIMIT" | "IPV6_TCLASS" | "IP_RECVFRAGSIZE"
        | "IPV6_RECVFRAGSIZE" | "IP_PROTOCOL" | "UDP_GRO" | "TCP_CM_INQ" | "SCM_INQ"
        | "SCM_WIFI_STATUS" | "SO_RXQ_OVFL" | "SO_MARK" | "SO_PRIORITY" => 4,
        "SCM_TXTIME" => 8,
        _ => return None,
    };
    let value = match bytes.len() {
        1 => bytes[0].to_string(),
        2 => u16_at(bytes, 0).to_string(),
        4 if name == "SO_RXQ_OVFL" || name == "SO_MARK" => u32_at(bytes, 0).to_string(),
        4 => i32_at(bytes, 0).to_string(),
        8 => u64_at(bytes, 0).to_string(),
        _ => return None,
    };
    Some(typed(documented, bytes.len(), &value))
}

fn address(names: &Names<'_>, name: &str, bytes: &[u8]) -> Option<String> {
    let of = |addr: &SockAddr| names.sockaddr(None, None, addr);
    Some(match (name, bytes.len()) {
        ("IP_PKTINFO", 12) => {
            let link = names.index(u32_at(bytes, 0));
            let (local, to) = (v4_at(bytes, 4), v4_at(bytes, 8));
            let to = if to == local { String::new() } else { format!(", sent to {to}") };
            format!("{{{link}, {local}{to}}}")
        }
        ("IPV6_PKTINFO" | "IPV6_2292PKTINFO", 20) => {
            format!("{{{}, {}}}", names.index(u32_at(bytes, 16)), v6_at(bytes, 0))
        }
        ("IP_RECVDSTADDR", 4) => v4_at(bytes, 0).to_string(),
        // `struct sockaddr_dl`: its index stands behind its length and family.
        ("IP_RECVIF", 8..) => names.index(u16_at(bytes, 2).into()),
        ("IP_ORIGDSTADDR", 16) | ("IPV6_ORIGDSTADDR", 28) => of(&sockaddr(bytes)?),
        // `struct ip6_mtuinfo` (RFC 3542 §11.3).
        ("IPV6_PATHMTU", 32) => {
            let (addr, mtu) = (of(&sockaddr(bytes)?), u32_at(bytes, 28));
            format!("{{ip6m_addr={addr}, ip6m_mtu={mtu}}}")
        }
        ("IP_RECVERR" | "IPV6_RECVERR", 16..) => extended_error(names, bytes),
        _ => return None,
    })
}

/// `zero` or `present`, which is all that an outcome has of a clock or a counter.
pub(super) fn present(bytes: &[u8]) -> &'static str {
    if bytes.iter().all(|byte| *byte == 0) { "zero" } else { "present" }
}

/// A time, in microseconds or nanoseconds by the message's name.
fn stamp(names: &Names<'_>, name: &str, bytes: &[u8]) -> Option<String> {
    let timespec = |bytes: &[u8]| match present(bytes) {
        "present" if !names.is_stable() => {
            format!("{{tv_sec={}, tv_nsec={}}}", i64_at(bytes, 0), i64_at(bytes, 8))
        }
        said => said.to_owned(),
    };
    Some(match (name, bytes.len()) {
        ("SCM_TIMESTAMP" | "SCM_TIMESTAMP_NEW", 16) if !names.is_stable() => {
            timeval(i64_at(bytes, 0), i64_at(bytes, 8))
        }
        ("SCM_TIMESTAMPNS" | "SCM_TIMESTAMPNS_NEW", 16) => timespec(bytes),
        // Ticks since the machine was started (`bsd/sys/socket.h`).
        ("SCM_TIMESTAMP_MONOTONIC", 8) if !names.is_stable() => u64_at(bytes, 0).to_string(),
        ("SCM_TIMESTAMP" | "SCM_TIMESTAMP_NEW", 16) | ("SCM_TIMESTAMP_MONOTONIC", 8) => {
            present(bytes).to_owned()
        }
        // `struct scm_timestamping`: software, none (once hardware in the system's time), hardware.
        ("SCM_TIMESTAMPING" | "SCM_TIMESTAMPING_NEW", 0..=48) if bytes.len().is_multiple_of(16) => {
            let slots = ["software", "deprecated", "hardware"].into_iter().zip(0..);
            let slots = slots.map(|(slot, at): (_, usize)| {
                let said = bytes.get(16 * at..16 * at + 16).map(timespec);
                format!("{slot}={}", said.unwrap_or_else(|| "absent".to_owned()))
            });
            format!("{{{}}}", slots.collect::<Vec<_>>().join(", "))
        }
        // `struct scm_ts_pktinfo`.
        ("SCM_TIMESTAMPING_PKTINFO", 16) => {
            format!(
                "{{if_index={}, pkt_length={}}}",
                names.index(u32_at(bytes, 0)),
                u32_at(bytes, 4)
            )
        }
        // Netlink attributes with counters and rates.
        ("SCM_TIMESTAMPING_OPT_STATS", _) if names.is_stable() => present(bytes).to_owned(),
        _ => return None,
    })
}

/// Who sent it, and the descriptors that came with it.
fn process(names: &Names<'_>, name: &str, bytes: &[u8]) -> Option<String> {
    let who = names.whose();
    Some(match (name, bytes.len()) {
        ("SCM_CREDENTIALS", 12) => credentials::ucred(bytes, &who),
        ("SCM_CREDS", 84) => credentials::cmsgcred(bytes, &who),
        ("SCM_PIDFD", 4) if who.stable => "a descriptor".to_owned(),
        ("SCM_PIDFD", 4) => i32_at(bytes, 0).to_string(),
        ("SCM_RIGHTS", _) => {
            let descriptors = u32s(bytes)?;
            match descriptors.len() {
                _ if !who.stable => format!("{descriptors:?}"),
                1 => "a descriptor".to_owned(),
                many => format!("{many} descriptors"),
            }
        }
        ("SCM_SECURITY", _) if who.stable => present(bytes).to_owned(),
        _ => return None,
    })
}

/// `struct sock_extended_err` and the address of who found the error (Linux ip(7),
/// `linux/errqueue.h`).
fn extended_error(names: &Names<'_>, bytes: &[u8]) -> String {
    let offender = bytes.get(16..).unwrap_or_default();
    let offender = match sockaddr(offender) {
        // The kernel leaves a port there that no call decides.
        Some(SockAddr::V4 { ip, .. }) => SockAddr::V4 { ip, port: 0 },
        Some(SockAddr::V6 { ip, scope, .. }) => SockAddr::V6 { ip, port: 0, scope },
        Some(bare) => bare,
        None => {
            let family = offender.first().copied().unwrap_or_default();
            let family = if family == 0 { "AF_UNSPEC".to_owned() } else { family.to_string() };
            SockAddr::Bare { family }
        }
    };
    let (origin, kind, code) = (bytes[4], bytes[5], bytes[6]);
    let (kind, code) = error_names(origin, kind, code);
    let info = u32_at(bytes, 8);
    let data = match origin {
        TIMESTAMPING | ZEROCOPY | TXTIME => format!(", ee_data={}", u32_at(bytes, 12)),
        OF_ICMP | OF_ICMP6 if bytes[12..16] != [0; 4] => rfc4884(bytes),
        _ => String::new(),
    };
    format!(
        "{{ee_errno={}, ee_origin={}, ee_type={kind}, ee_code={code}, ee_info={}{data}, \
         offender={}}}",
        errnos::linux(i32_at(bytes, 0)),
        named(&ORIGINS, origin.into()),
        if origin == TIMESTAMPING { named(&STAMPS, info) } else { info.to_string() },
        names.sockaddr(None, None, &offender),
    )
}

/// `struct sock_ee_data_rfc4884`: where in the data the extensions begin, and whether they are right. The other byte is
/// told if it is one.
fn rfc4884(bytes: &[u8]) -> String {
    let len = u16::from_ne_bytes([bytes[12], bytes[13]]);
    let flags = match bytes[14] {
        1 => "SO_EE_RFC4884_FLAG_INVALID".to_owned(),
        other => other.to_string(),
    };
    let rest = if bytes[15] == 0 { String::new() } else { format!(", reserved={}", bytes[15]) };
    format!(", ee_rfc4884={{len={len}, flags={flags}{rest}}}")
}

const OF_ICMP: u8 = 2;
const OF_ICMP6: u8 = 3;
const TIMESTAMPING: u8 = 4;
const ZEROCOPY: u8 = 5;
const TXTIME: u8 = 6;

/// `include/uapi/linux/errqueue.h`, from 0.
const ORIGINS: [&str; 7] = [
    "SO_EE_ORIGIN_NONE",
    "SO_EE_ORIGIN_LOCAL",
    "SO_EE_ORIGIN_ICMP",
    "SO_EE_ORIGIN_ICMP6",
    "SO_EE_ORIGIN_TIMESTAMPING",
    "SO_EE_ORIGIN_ZEROCOPY",
    "SO_EE_ORIGIN_TXTIME",
];

/// Which event a time is of, from 0 (ibid.).
const STAMPS: [&str; 4] =
    ["SCM_TSTAMP_SND", "SCM_TSTAMP_SCHED", "SCM_TSTAMP_ACK", "SCM_TSTAMP_COMPLETION"];

fn named(names: &[&str], number: u32) -> String {
    let name = usize::try_from(number).ok().and_then(|place| names.get(place));
    name.map_or_else(|| number.to_string(), |name| (*name).to_owned())
}

/// `ee_type` and `ee_code`, where the origin gives them a meaning.
fn error_names(origin: u8, kind: u8, code: u8) -> (String, String) {
    let name =
        |name: Option<&str>, number: u8| name.map_or_else(|| number.to_string(), ToOwned::to_owned);
    let table: &[IcmpType] = match origin {
        2 => ICMP,
        3 => ICMP6,
        ZEROCOPY if code == 1 => return ("0".to_owned(), "SO_EE_CODE_ZEROCOPY_COPIED".to_owned()),
        TXTIME => {
            let codes = ["0", "SO_EE_CODE_TXTIME_INVALID_PARAM", "SO_EE_CODE_TXTIME_MISSED"];
            return (kind.to_string(), named(&codes, code.into()));
        }
        _ => return (kind.to_string(), code.to_string()),
    };
    let known = table.iter().find(|(number, ..)| *number == kind);
    let codes = known.map_or(&[][..], |(_, _, codes)| codes);
    (name(known.map(|known| known.1), kind), name(codes.get(usize::from(code)).copied(), code))
}

/// A type's number, its name, and the names of its codes from 0.
type IcmpType = (u8, &'static str, &'static [&'static str]);

/// `include/uapi/linux/icmp.h`.
const ICMP: &[IcmpType] = &[
    (
        3,
        "ICMP_DEST_UNREACH",
        &[
            "ICMP_NET_UNREACH",
            "ICMP_HOST_UNREACH",
            "ICMP_PROT_UNREACH",
            "ICMP_PORT_UNREACH",
            "ICMP_FRAG_NEEDED",
            "ICMP_SR_FAILED",
            "ICMP_NET_UNKNOWN",
            "ICMP_HOST_UNKNOWN",
            "ICMP_HOST_ISOLATED",
            "ICMP_NET_ANO",
            "ICMP_HOST_ANO",
            "ICMP_NET_UNR_TOS",
            "ICMP_HOST_UNR_TOS",
            "ICMP_PKT_FILTERED",
            "ICMP_PREC_VIOLATION",
            "ICMP_PREC_CUTOFF",
        ],
    ),
    (4, "ICMP_SOURCE_QUENCH", &[]),
    (
        5,
        "ICMP_REDIRECT",
        &["ICMP_REDIR_NET", "ICMP_REDIR_HOST", "ICMP_REDIR_NETTOS", "ICMP_REDIR_HOSTTOS"],
    ),
    (11, "ICMP_TIME_EXCEEDED", &["ICMP_EXC_TTL", "ICMP_EXC_FRAGTIME"]),
    (12, "ICMP_PARAMETERPROB", &[]),
];

/// `include/uapi/linux/icmpv6.h`.
const ICMP6: &[IcmpType] = &[
    (
        1,
        "ICMPV6_DEST_UNREACH",
        &[
            "ICMPV6_NOROUTE",
            "ICMPV6_ADM_PROHIBITED",
            "ICMPV6_NOT_NEIGHBOUR",
            "ICMPV6_ADDR_UNREACH",
            "ICMPV6_PORT_UNREACH",
            "ICMPV6_POLICY_FAIL",
            "ICMPV6_REJECT_ROUTE",
        ],
    ),
    (2, "ICMPV6_PKT_TOOBIG", &[]),
    (3, "ICMPV6_TIME_EXCEED", &["ICMPV6_EXC_HOPLIMIT", "ICMPV6_EXC_FRAGTIME"]),
    (4, "ICMPV6_PARAMPROB", &["ICMPV6_HDR_FIELD", "ICMPV6_UNK_NEXTHDR", "ICMPV6_UNK_OPTION"]),
];
