//! What `getsockopt` wrote: structures by their fields, those in an outcome that no clock, counter or
//! process decides.

use super::bytes::{i32_at, i64_at, sockaddr, u16_at, u32_at, u32s, u64_at, v4_at};
use super::control::present;
use super::credentials::{self, Whose};
use super::frames;
use super::names::Names;
use super::parts::{hex, join, timeval};
use super::tcp_info::{self, connection_info};
use crate::case::op::{Opt, Value};
use crate::case::payload::quoted;
use crate::case::{Hex, Op};

/// The value of the option `name`, of which the call on `fd` gave these bytes.
pub(super) fn bytes(names: &Names<'_>, fd: &str, name: &str, raw: &Hex) -> String {
    let bytes = &raw.0[..];
    let who = names.whose();
    if let Some(said) = varying(name, bytes, &who) {
        return said;
    }
    match (name, bytes.len()) {
        ("TCP_CC_INFO", 16 | 20) => congestion(names, fd, bytes).unwrap_or_else(|| hex(raw)),
        ("TCP_SAVED_SYN", 20..) => format!("{{{}}}", frames::received(names, bytes)),
        ("SO_PEERNAME", 2..) => match sockaddr(bytes) {
            Some(addr) => names.sockaddr_of(fd, &addr),
            None => hex(raw),
        },
        ("SO_BINDTODEVICE", _) | ("TCP_CONGESTION" | "TCP_ULP", 1..) => quoted(bytes),
        ("SO_LINGER" | "SO_LINGER_SEC", 8) => {
            format!("{{l_onoff={}, l_linger={}}}", i32_at(bytes, 0), i32_at(bytes, 4))
        }
        ("SO_RCVTIMEO" | "SO_SNDTIMEO" | "SO_RCVTIMEO_NEW" | "SO_SNDTIMEO_NEW", 16) => {
            timeval(i64_at(bytes, 0), i64_at(bytes, 8))
        }
        ("IP_MULTICAST_IF", 4) => v4_at(bytes, 0).to_string(),
        _ => hex(raw),
    }
}

/// The value of the option `name` where it is an `int`'s worth.
pub(super) fn int(names: &Names<'_>, name: &str, value: i32) -> Option<String> {
    let who = names.whose();
    Some(match name {
        "SO_PEERCRED" | "LOCAL_PEERPID" | "LOCAL_PEEREPID" | "FIOGETOWN" | "SIOCGPGRP" => {
            who.pid(value)
        }
        "SO_PEERGROUPS" => who.groups(&[value.cast_unsigned()]),
        "SO_PEERPIDFD" if value >= 0 && who.stable => "a descriptor".to_owned(),
        name if who.stable && varies(name, value) => "present".to_owned(),
        _ => return None,
    })
}

/// The fields of the structure that `getsockopt` gives of this option, if it is one whose fields are told.
pub fn fields(name: &str) -> Option<Vec<String>> {
    let all = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    match name {
        "SO_LINGER" | "SO_LINGER_SEC" => all(&["l_onoff", "l_linger"]),
        "SO_RCVTIMEO" | "SO_SNDTIMEO" | "SO_RCVTIMEO_NEW" | "SO_SNDTIMEO_NEW" => {
            all(&["tv_sec", "tv_usec"])
        }
        "SO_PEERCRED" => all(&["pid", "uid", "gid"]),
        "SO_MEMINFO" => all(&MEMINFO.map(|(name, _)| name)),
        "TCP_INFO" => Some(tcp_info::fields()),
        _ => None,
    }
}

/// What an outcome says of an option whose bytes no two runs have alike, so that two programs can be
/// compared; none of any other option.
pub fn stable_option(name: &str, bytes: &[u8]) -> Option<String> {
    match name {
        "TCP_CC_INFO" | "TCP_SAVED_SYN" | "SO_PEERNAME" => Some(format!("{} bytes", bytes.len())),
        _ => varying(name, bytes, &Whose { own: None, stable: true }),
    }
}

/// Whether an option of an `int`'s worth has another value than this in each run.
pub fn is_of_the_run(name: &str, value: i32) -> bool {
    ["SO_PEERCRED", "LOCAL_PEERPID", "LOCAL_PEEREPID", "SO_PEERGROUPS", "SO_PEERPIDFD"]
        .contains(&name)
        || ["FIOGETOWN", "SIOCGPGRP"].contains(&name) && value != 0
        || varies(name, value)
}

/// A clock, a sequence number that begins anywhere, the queue or the processor that took a packet, if
/// there is one.
fn varies(name: &str, value: i32) -> bool {
    match name {
        "TCP_TIMESTAMP" | "TCP_QUEUE_SEQ" | "SO_INCOMING_NAPI_ID" => value != 0,
        "SO_INCOMING_CPU" => value >= 0,
        _ => false,
    }
}

fn varying(name: &str, bytes: &[u8], who: &Whose<'_>) -> Option<String> {
    match (name, bytes.len()) {
        ("SO_PEERCRED", 12) => Some(credentials::ucred(bytes, who)),
        ("SO_PEERGROUPS", _) => Some(who.groups(&u32s(bytes)?)),
        ("LOCAL_PEERCRED", 12..) => Some(credentials::xucred(bytes, who)),
        // Of a process and of an executable.
        ("LOCAL_PEERUUID" | "LOCAL_PEEREUUID", 16) | ("LOCAL_PEERTOKEN", 32) if who.stable => {
            Some(present(bytes).to_owned())
        }
        // Counters of the kernel's, see socket(7).
        ("SO_COOKIE" | "SO_NETNS_COOKIE", 8) if who.stable => Some(present(bytes).to_owned()),
        ("SO_COOKIE" | "SO_NETNS_COOKIE", 8) => Some(u64_at(bytes, 0).to_string()),
        ("SO_MEMINFO", 4..) => Some(meminfo(&u32s(bytes)?, who.stable)),
        ("TCP_INFO", 8..) => Some(tcp_info::tcp_info(bytes, who.stable)),
        ("TCP_CONNECTION_INFO", _) => connection_info(bytes),
        _ => None,
    }
}

/// `SK_MEMINFO_` of `include/uapi/linux/sock_diag.h`, and whether the case decides it: what is
/// accounted for goes by the size of the kernel's own structures and by when it gives them back.
const MEMINFO: [(&str, bool); 9] = [
    ("rmem_alloc", false),
    ("rcvbuf", true),
    ("wmem_alloc", false),
    ("sndbuf", true),
    ("fwd_alloc", false),
    ("wmem_queued", false),
    ("optmem", true),
    ("backlog", false),
    ("drops", true),
];

fn meminfo(words: &[u32], stable: bool) -> String {
    let said = MEMINFO.iter().zip(words).filter(|((_, decided), _)| *decided || !stable);
    format!("{{{}}}", join(said.map(|((name, _), word)| format!("{name}={word}"))))
}

/// `union tcp_cc_info`, by the algorithm that the case asked for; BBR's is the only one of its length
/// (`include/uapi/linux/inet_diag.h`).
fn congestion(names: &Names<'_>, fd: &str, bytes: &[u8]) -> Option<String> {
    let word = |at| u32_at(bytes, at);
    let (always, clocked) = match (asked_for(names, fd).as_deref(), bytes.len()) {
        (_, 20) => {
            let rest = format!(
                "bbr_bw={}, bbr_min_rtt={}, bbr_pacing_gain={}, bbr_cwnd_gain={}",
                u64_at(bytes, 0),
                word(8),
                word(12),
                word(16)
            );
            ("struct tcp_bbr_info".to_owned(), rest)
        }
        (Some("dctcp"), _) => {
            let (enabled, ce) = (u16_at(bytes, 0), u16_at(bytes, 2));
            let always = format!("dctcp_enabled={enabled}, dctcp_ce_state={ce}");
            let rest = format!(
                "dctcp_alpha={}, dctcp_ab_ecn={}, dctcp_ab_tot={}",
                word(4),
                word(8),
                word(12)
            );
            (always, rest)
        }
        (Some("vegas"), _) => {
            let rest =
                format!("tcpv_rttcnt={}, tcpv_rtt={}, tcpv_minrtt={}", word(4), word(8), word(12));
            (format!("tcpv_enabled={}", word(0)), rest)
        }
        _ => return names.is_stable().then(|| format!("{} bytes", bytes.len())),
    };
    Some(if names.is_stable() {
        format!("{{{always}}}")
    } else {
        format!("{{{always}, {clocked}}}")
    })
}

/// The congestion control that the case sets on `fd`.
fn asked_for(names: &Names<'_>, fd: &str) -> Option<String> {
    names.case().ops.iter().rev().find_map(|op| match op {
        Op::Setsockopt { fd: on, option: Opt::Raw { name, .. }, value: Value::Bytes(bytes) }
            if on == fd && name.as_str() == "TCP_CONGESTION" =>
        {
            let name = bytes.0.split(|byte| *byte == 0).next().unwrap_or_default();
            Some(String::from_utf8_lossy(name).into_owned())
        }
        _ => None,
    })
}
