//! `struct tcp_info` of Linux and `struct tcp_connection_info` of Darwin.

use super::bytes::{i64_at, u32_at, u64_at};
use super::parts::join;

/// From `TCP_ESTABLISHED`, which is 1 (`include/net/tcp_states.h`).
const STATES: [&str; 12] = [
    "TCP_ESTABLISHED",
    "TCP_SYN_SENT",
    "TCP_SYN_RECV",
    "TCP_FIN_WAIT1",
    "TCP_FIN_WAIT2",
    "TCP_TIME_WAIT",
    "TCP_CLOSE",
    "TCP_CLOSE_WAIT",
    "TCP_LAST_ACK",
    "TCP_LISTEN",
    "TCP_CLOSING",
    "TCP_NEW_SYN_RECV",
];

/// `TCPI_OPT_` (`include/uapi/linux/tcp.h`), from the lowest bit.
const OPTIONS: [&str; 8] =
    ["TIMESTAMPS", "SACK", "WSCALE", "ECN", "ECN_SEEN", "SYN_DATA", "USEC_TS", "TFO_CHILD"];

/// `enum tcp_ca_state`, from 0.
const CONGESTION: [&str; 5] =
    ["TCP_CA_Open", "TCP_CA_Disorder", "TCP_CA_CWR", "TCP_CA_Recovery", "TCP_CA_Loss"];

/// `enum tcp_fastopen_client_fail`, from 0.
const FAST_OPEN_FAILS: [&str; 4] =
    ["TFO_STATUS_UNSPEC", "TFO_COOKIE_UNAVAILABLE", "TFO_DATA_NOT_ACKED", "TFO_SYN_RETRANSMITTED"];

/// What follows the first eight bytes (`include/uapi/linux/tcp.h`): name, place, and whether no clock
/// and no counter decides it.
#[rustfmt::skip]
const WORDS: [(&str, usize, bool); 35] = [
    ("rto", 8, false), ("ato", 12, false), ("snd_mss", 16, true), ("rcv_mss", 20, false),
    ("unacked", 24, false), ("sacked", 28, false), ("lost", 32, false), ("retrans", 36, false),
    ("fackets", 40, false), ("last_data_sent", 44, false), ("last_ack_sent", 48, false),
    ("last_data_recv", 52, false), ("last_ack_recv", 56, false), ("pmtu", 60, true),
    ("rcv_ssthresh", 64, false), ("rtt", 68, false), ("rttvar", 72, false),
    ("snd_ssthresh", 76, false), ("snd_cwnd", 80, false), ("advmss", 84, true),
    ("reordering", 88, false), ("rcv_rtt", 92, false), ("rcv_space", 96, false),
    ("total_retrans", 100, false), ("segs_out", 136, false), ("segs_in", 140, false),
    ("notsent_bytes", 144, false), ("min_rtt", 148, false), ("data_segs_in", 152, false),
    ("data_segs_out", 156, false), ("delivered", 192, false), ("delivered_ce", 196, false),
    ("dsack_dups", 216, false), ("reord_seen", 220, false), ("rcv_ooopack", 224, false),
];

/// The same of 64 bits, all of them counters.
const COUNTERS: [(&str, usize); 10] = [
    ("pacing_rate", 104),
    ("max_pacing_rate", 112),
    ("bytes_acked", 120),
    ("bytes_received", 128),
    ("delivery_rate", 160),
    ("busy_time", 168),
    ("rwnd_limited", 176),
    ("sndbuf_limited", 184),
    ("bytes_sent", 200),
    ("bytes_retrans", 208),
];

/// `struct tcp_info`, of which kernels have always given the first eight bytes, as many of its fields
/// as are here.
pub(super) fn tcp_info(bytes: &[u8], stable: bool) -> String {
    let named = |names: &[&str], number: u8| {
        names.get(usize::from(number)).map_or_else(|| number.to_string(), |name| (*name).to_owned())
    };
    let state = match bytes[0].checked_sub(1) {
        Some(place) if usize::from(place) < STATES.len() => named(&STATES, place),
        _ => bytes[0].to_string(),
    };
    let mut said = vec![format!("tcpi_state={state}")];
    if !stable {
        said.push(format!("tcpi_ca_state={}", named(&CONGESTION, bytes[1])));
        let counts = ["retransmits", "probes", "backoff"].iter().zip(&bytes[2..5]);
        said.extend(counts.map(|(name, count)| format!("tcpi_{name}={count}")));
    }
    said.push(format!("tcpi_options={}", options(bytes[5])));
    said.push(format!("tcpi_snd_wscale={}, tcpi_rcv_wscale={}", bytes[6] & 15, bytes[6] >> 4));
    if bytes[7] >> 1 & 3 != 0 {
        let why = named(&FAST_OPEN_FAILS, bytes[7] >> 1 & 3);
        said.push(format!("tcpi_fastopen_client_fail={why}"));
    }
    for (name, at, decided) in WORDS {
        if (decided || !stable) && bytes.len() >= at + 4 {
            said.push(format!("tcpi_{name}={}", u32_at(bytes, at)));
        }
    }
    for (name, at) in COUNTERS {
        if !stable && bytes.len() >= at + 8 {
            said.push(format!("tcpi_{name}={}", u64_at(bytes, at)));
        }
    }
    format!("{{{}}}", join(said))
}

/// The names of all that [`tcp_info`] may tell.
pub(super) fn fields() -> Vec<String> {
    const FIRST: [&str; 9] = [
        "state",
        "ca_state",
        "retransmits",
        "probes",
        "backoff",
        "options",
        "snd_wscale",
        "rcv_wscale",
        "fastopen_client_fail",
    ];
    let words = WORDS.iter().map(|(name, ..)| *name);
    let all = FIRST.into_iter().chain(words).chain(COUNTERS.iter().map(|(name, _)| *name));
    all.map(|name| format!("tcpi_{name}")).collect()
}

fn options(bits: u8) -> String {
    let set = OPTIONS.iter().zip(0..).filter(|(_, bit)| bits >> bit & 1 == 1);
    let set: Vec<String> = set.map(|(name, _)| format!("TCPI_OPT_{name}")).collect();
    if set.is_empty() { "0".to_owned() } else { set.join("|") }
}

/// The names of `bsd/netinet/tcp_fsm.h` (xnu-11417.101.15), from 0.
const DARWINS: [&str; 11] = [
    "CLOSED",
    "LISTEN",
    "SYN_SENT",
    "SYN_RECEIVED",
    "ESTABLISHED",
    "CLOSE_WAIT",
    "FIN_WAIT_1",
    "CLOSING",
    "LAST_ACK",
    "FIN_WAIT_2",
    "TIME_WAIT",
];

/// The flags behind `tcpi_rttvar`, from the lowest bit (`bsd/netinet/tcp.h:278`).
const FAST_OPEN: [&str; 15] = [
    "cookie_req",
    "cookie_rcv",
    "syn_loss",
    "syn_data_sent",
    "syn_data_acked",
    "syn_data_rcv",
    "cookie_req_rcv",
    "cookie_sent",
    "cookie_invalid",
    "cookie_wrong",
    "no_cookie_rcv",
    "heuristics_disable",
    "send_blackhole",
    "recv_blackhole",
    "onebyte_proxy",
];

/// What no clock decides of `struct tcp_connection_info` (`bsd/netinet/tcp.h:254`): not windows,
/// round trips and counts of packets. None of what has another length.
pub(super) fn connection_info(bytes: &[u8]) -> Option<String> {
    if bytes.len() != 112 {
        return None;
    }
    let state = DARWINS.get(usize::from(bytes[0]));
    let state = state.map_or_else(|| bytes[0].to_string(), |name| (*name).to_owned());
    let set =
        |(bit, name): (u32, &&str)| (u32_at(bytes, 52) >> bit & 1 == 1).then(|| (*name).to_owned());
    let fast_open: Vec<String> = (0..).zip(&FAST_OPEN).filter_map(set).collect();
    let fast_open = if fast_open.is_empty() { "0".to_owned() } else { fast_open.join("|") };
    Some(format!(
        "{{tcpi_state={state}, tcpi_options={:#x}, tcpi_maxseg={}, tcpi_tfo={fast_open}, \
         tcpi_txbytes={}, tcpi_rxbytes={}}}",
        u32_at(bytes, 4),
        u32_at(bytes, 16),
        i64_at(bytes, 64),
        i64_at(bytes, 88),
    ))
}
