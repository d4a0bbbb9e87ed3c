//! Names as strace has them and as a case has them, and the numbers of Linux behind them.

use harness::case::{Flags, Sym, is_known};

/// `SOL_IP` is `IPPROTO_IP`, and so are the others.
const LEVELS: [(&str, &str); 6] = [
    ("SOL_IP", "IPPROTO_IP"),
    ("SOL_IPV6", "IPPROTO_IPV6"),
    ("SOL_TCP", "IPPROTO_TCP"),
    ("SOL_UDP", "IPPROTO_UDP"),
    ("SOL_ICMP", "IPPROTO_ICMP"),
    ("SOL_ICMPV6", "IPPROTO_ICMPV6"),
];

/// Names that strace has otherwise.
const OTHERWISE: [(&str, &str); 4] = [
    ("AF_LOCAL", "AF_UNIX"),
    ("IPV6_JOIN_GROUP", "IPV6_ADD_MEMBERSHIP"),
    ("IPV6_LEAVE_GROUP", "IPV6_DROP_MEMBERSHIP"),
    ("MSG_TRYHARD", "MSG_DONTROUTE"),
];

/// Options that strace 6.1 and earlier have no names for, by level.
const NUMBERED: [(&str, i64, &str); 11] = [
    ("IPPROTO_IPV6", 50, "IPV6_PKTINFO"),
    ("IPPROTO_IPV6", 52, "IPV6_HOPLIMIT"),
    ("IPPROTO_IPV6", 67, "IPV6_TCLASS"),
    ("IPPROTO_UDP", 103, "UDP_SEGMENT"),
    ("IPPROTO_UDP", 104, "UDP_GRO"),
    ("IPPROTO_IP", 51, "IP_LOCAL_PORT_RANGE"),
    ("IPPROTO_IP", 52, "IP_PROTOCOL"),
    ("SOL_SOCKET", 76, "SO_PASSPIDFD"),
    ("SOL_SOCKET", 77, "SO_PEERPIDFD"),
    ("IPPROTO_TCP", 37, "TCP_TX_DELAY"),
    ("IPPROTO_IPV6", 77, "IPV6_RECVFRAGSIZE"),
];

/// Values that options have by name (`include/uapi/linux/in.h`, `asm-generic/socket.h` and others).
const NUMBERS: [(&str, i32); 26] = [
    ("AF_UNSPEC", 0),
    ("AF_UNIX", 1),
    ("AF_INET", 2),
    ("AF_INET6", 10),
    ("SOCK_STREAM", 1),
    ("SOCK_DGRAM", 2),
    ("SOCK_RAW", 3),
    ("SOCK_SEQPACKET", 5),
    ("IPPROTO_IP", 0),
    ("IPPROTO_ICMP", 1),
    ("IPPROTO_TCP", 6),
    ("IPPROTO_UDP", 17),
    ("IPPROTO_IPV6", 41),
    ("IPPROTO_ICMPV6", 58),
    ("IPPROTO_RAW", 255),
    ("IP_PMTUDISC_DONT", 0),
    ("IP_PMTUDISC_WANT", 1),
    ("IP_PMTUDISC_DO", 2),
    ("IP_PMTUDISC_PROBE", 3),
    ("IP_PMTUDISC_INTERFACE", 4),
    ("IP_PMTUDISC_OMIT", 5),
    ("IPTOS_LOWDELAY", 0x10),
    ("IPTOS_THROUGHPUT", 0x08),
    ("IPTOS_RELIABILITY", 0x04),
    ("IPTOS_MINCOST", 0x02),
    ("IPTOS_ECN_NOT_ECT", 0),
];

/// A name as a case has it.
pub(super) fn sym(word: &str) -> Result<Sym, String> {
    let plain = word.strip_suffix("_OLD").unwrap_or(word);
    let both = LEVELS.iter().chain(&OTHERWISE);
    let name = both.into_iter().find(|(known, _)| *known == plain).map_or(plain, |(_, name)| name);
    if is_known(name) {
        return Ok(Sym(name.to_owned().into()));
    }
    // What stands there is a stranger's.
    Err(format!("{} is no name that a case may use", shown(word)))
}

/// The name of an option, which strace may have as a number.
pub(super) fn option(level: &Sym, word: &str) -> Result<Sym, String> {
    let number = super::log::Arg::word(word).number();
    let found =
        NUMBERED.iter().find(|(of, value, _)| *of == level.as_str() && number == Some(*value));
    if let Some((.., name)) = found {
        return Ok((*name).into());
    }
    // `0x7b /* TCP_??? */`: an option that strace has no name for.
    let written = number.and_then(|n| i32::try_from(n).ok()).filter(|n| *n >= 0);
    written.map_or_else(|| sym(word), |n| Ok(Sym(n.to_string().into())))
}

/// Flags, those left out that say nothing in a case.
pub(super) fn flags(words: &[&str], nothing: &[&str]) -> Result<Flags, String> {
    let said = words.iter().filter(|word| !nothing.contains(word));
    said.map(|word| sym(word)).collect::<Result<Vec<_>, _>>().map(Flags)
}

/// A value that an option has by name, as the number that it is.
pub(super) fn value(word: &str) -> Option<i32> {
    if let Some(number) = super::log::Arg::word(word).number() {
        // `[4294967295]` of what has no sign.
        return i32::try_from(number).or_else(|_| u32::try_from(number).map(u32::cast_signed)).ok();
    }
    NUMBERS.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

/// A word of the log, as far as it can be shown.
pub(super) fn shown(word: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "_|-".contains(*c);
    let text: String = word.chars().filter(plain).take(40).collect();
    if text.is_empty() { "what it is given".to_owned() } else { text }
}
