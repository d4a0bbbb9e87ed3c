//! What stays of an option that has times, counts or processes in it: a program compares that.

use std::fmt::Write as _;

use harness::case::Op;
use harness::case::op::Opt;

/// Options of which the length alone stays.
const OF_LENGTH: [&str; 7] = [
    "SO_COOKIE",
    "SO_MEMINFO",
    "SO_NETNS_COOKIE",
    "SO_PEERCRED",
    "SO_PEERNAME",
    "TCP_CC_INFO",
    "TCP_SAVED_SYN",
];

/// Whether the length of this option stays, and nothing else of it.
pub(super) fn of_length(option: &str) -> bool {
    OF_LENGTH.contains(&option)
}

/// What the program tells of an option before its bytes; none of one whose bytes are compared, or
/// of which nothing is.
pub(super) fn stays(op: &Op, bytes: &[u8]) -> Option<String> {
    // For an int there is room, and it is told as one, or not at all where it was not written.
    let Op::Getsockopt { option: Opt::Raw { name, .. }, len, .. } = op else { return None };
    if *len == 4 {
        return None;
    }
    match name.as_str() {
        "TCP_INFO" => tcp_info(bytes),
        name if of_length(name) => Some(format!("{} bytes", bytes.len())),
        _ => None,
    }
}

/// As `c/tcp_info.c` shows it.
fn tcp_info(bytes: &[u8]) -> Option<String> {
    let [state, _, _, _, _, options, scales, fast_open, ..] = *bytes else { return None };
    let mut text = format!(
        "state {state}, options {options}, snd_wscale {}, rcv_wscale {}, fastopen {}",
        scales & 15,
        scales >> 4,
        fast_open >> 1 & 3,
    );
    for (name, at) in [("snd_mss", 16), ("pmtu", 60), ("advmss", 84)] {
        if let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let _ = write!(text, ", {name} {}", u32::from_le_bytes(*word));
        }
    }
    Some(text)
}
