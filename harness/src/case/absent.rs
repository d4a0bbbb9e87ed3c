//! Which names of the sockets API a system has not got, and so which cases ask nothing there.

use super::intent::concrete;
use super::op::{Op, Opt, Value};
use super::{Case, Os, check};

/// Names that cases use and macOS has no word for, in ASCII order. What there is another word for is an
/// intent ([`super::op::Intent`]); that a program reads one of them and goes on is no end of its
/// case ([`Op::may_be_left_out`]).
#[rustfmt::skip]
pub const NOT_ON_MACOS: &[&str] = &[
    "IPV6_ADDRFORM", "IPV6_ADDR_PREFERENCES", "IPV6_AUTHHDR", "IPV6_FLOWINFO",
    "IPV6_FLOWINFO_SEND", "IPV6_FLOWLABEL_MGR", "IPV6_FREEBIND", "IPV6_HDRINCL",
    "IPV6_JOIN_ANYCAST", "IPV6_LEAVE_ANYCAST", "IPV6_MINHOPCOUNT", "IPV6_MTU",
    "IPV6_MTU_DISCOVER", "IPV6_MULTICAST_ALL", "IPV6_ORIGDSTADDR", "IPV6_PMTUDISC_DO",
    "IPV6_PMTUDISC_DONT", "IPV6_PMTUDISC_INTERFACE", "IPV6_PMTUDISC_OMIT",
    "IPV6_PMTUDISC_PROBE", "IPV6_PMTUDISC_WANT", "IPV6_RECVERR", "IPV6_RECVERR_RFC4884",
    "IPV6_RECVFRAGSIZE", "IPV6_RECVORIGDSTADDR", "IPV6_ROUTER_ALERT",
    "IPV6_ROUTER_ALERT_ISOLATE", "IPV6_TRANSPARENT", "IPV6_UNICAST_IF", "IPV6_XFRM_POLICY",
    "IP_BIND_ADDRESS_NO_PORT", "IP_CHECKSUM", "IP_FREEBIND", "IP_LOCAL_PORT_RANGE", "IP_MINTTL",
    "IP_MSFILTER", "IP_MTU", "IP_MTU_DISCOVER", "IP_MULTICAST_ALL", "IP_NODEFRAG",
    "IP_ORIGDSTADDR", "IP_PASSSEC", "IP_PKTOPTIONS", "IP_PMTUDISC_DO", "IP_PMTUDISC_DONT",
    "IP_PMTUDISC_INTERFACE", "IP_PMTUDISC_OMIT", "IP_PMTUDISC_PROBE", "IP_PMTUDISC_WANT",
    "IP_PROTOCOL", "IP_RECVERR", "IP_RECVERR_RFC4884", "IP_RECVFRAGSIZE", "IP_RECVORIGDSTADDR",
    "IP_ROUTER_ALERT", "IP_TRANSPARENT", "IP_UNICAST_IF", "IP_XFRM_POLICY", "MCAST_MSFILTER",
    "MSG_FASTOPEN", "MSG_MORE", "POLLRDHUP", "SO_ATTACH_BPF", "SO_ATTACH_FILTER",
    "SO_ATTACH_REUSEPORT_CBPF", "SO_ATTACH_REUSEPORT_EBPF", "SO_BINDTOIFINDEX",
    "SO_BPF_EXTENSIONS", "SO_BSDCOMPAT", "SO_BUF_LOCK", "SO_BUSY_POLL", "SO_BUSY_POLL_BUDGET",
    "SO_CNX_ADVICE", "SO_COOKIE", "SO_DETACH_FILTER", "SO_DETACH_REUSEPORT_BPF",
    "SO_DEVMEM_DMABUF", "SO_DEVMEM_DONTNEED", "SO_DEVMEM_LINEAR", "SO_DOMAIN",
    "SO_INCOMING_CPU", "SO_INCOMING_NAPI_ID", "SO_INQ", "SO_LOCK_FILTER", "SO_MARK",
    "SO_MAX_PACING_RATE", "SO_MEMINFO", "SO_NETNS_COOKIE", "SO_NOFCS", "SO_NO_CHECK",
    "SO_PASSCRED", "SO_PASSPIDFD", "SO_PASSRIGHTS", "SO_PASSSEC", "SO_PEEK_OFF", "SO_PEERCRED",
    "SO_PEERGROUPS", "SO_PEERNAME", "SO_PEERPIDFD", "SO_PREFER_BUSY_POLL", "SO_PRIORITY",
    "SO_PROTOCOL", "SO_RCVBUFFORCE", "SO_RCVMARK", "SO_RCVPRIORITY", "SO_RCVTIMEO_NEW",
    "SO_RESERVE_MEM", "SO_RXQ_OVFL", "SO_SELECT_ERR_QUEUE", "SO_SNDBUFFORCE", "SO_SNDTIMEO_NEW",
    "SO_TIMESTAMPING", "SO_TIMESTAMPING_NEW", "SO_TIMESTAMPNS", "SO_TIMESTAMPNS_NEW",
    "SO_TIMESTAMP_NEW", "SO_TXREHASH", "SO_TXTIME", "SO_WIFI_STATUS", "SO_ZEROCOPY",
    "TCP_AO_ADD_KEY", "TCP_AO_DEL_KEY", "TCP_CC_INFO", "TCP_CONGESTION", "TCP_CORK",
    "TCP_DEFER_ACCEPT", "TCP_DELACK_MAX_US", "TCP_FASTOPEN_CONNECT", "TCP_FASTOPEN_KEY",
    "TCP_FASTOPEN_NO_COOKIE", "TCP_INFO", "TCP_INQ", "TCP_IS_MPTCP", "TCP_KEEPIDLE",
    "TCP_LINGER2", "TCP_MD5SIG", "TCP_MD5SIG_EXT", "TCP_QUEUE_SEQ", "TCP_QUICKACK",
    "TCP_REPAIR", "TCP_REPAIR_OPTIONS", "TCP_REPAIR_QUEUE", "TCP_REPAIR_WINDOW",
    "TCP_RTO_MAX_MS", "TCP_RTO_MIN_US", "TCP_SAVED_SYN", "TCP_SAVE_SYN", "TCP_SYNCNT",
    "TCP_THIN_DUPACK", "TCP_THIN_LINEAR_TIMEOUTS", "TCP_TIMESTAMP", "TCP_TX_DELAY", "TCP_ULP",
    "TCP_USER_TIMEOUT", "TCP_WINDOW_CLAMP", "TCP_ZEROCOPY_RECEIVE", "UDP_CORK", "UDP_ENCAP",
    "UDP_GRO", "UDP_NO_CHECK6_RX", "UDP_NO_CHECK6_TX", "UDP_SEGMENT",
];

impl Case {
    /// The name at which it ends on `os`, if that has not got it: what the case asks has no meaning
    /// there. Of Linux, whose kernels differ, nothing is known beforehand.
    pub fn ends_at(&self, os: Os) -> Option<&str> {
        let last = self.ops.len().saturating_sub(1);
        let asked = self.ops.iter().enumerate();
        let mut asked = asked.filter(|(at, op)| *at == last || !op.may_be_left_out());
        asked.find_map(|(_, op)| self.lacking(os, op))
    }

    fn lacking<'a>(&self, os: Os, op: &'a Op) -> Option<&'a str> {
        if os != Os::Macos {
            return None;
        }
        let option = match op {
            Op::Setsockopt { fd, option, .. } | Op::Getsockopt { fd, option, .. } => {
                Some((fd, option))
            }
            _ => None,
        };
        if let Some((fd, option @ Opt::Intent(_))) = option
            && concrete(os, self.family(fd), option, &Value::Int(1)).is_none()
        {
            return Some("an option for that");
        }
        check::names(op).into_iter().find(|name| NOT_ON_MACOS.binary_search(name).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::case::{Lab, Sym, is_known};

    #[test]
    fn the_list_is_sound() {
        assert!(NOT_ON_MACOS.is_sorted() && NOT_ON_MACOS.iter().all(|name| is_known(name)));
        for here in ["IP_DONTFRAG", "IPV6_DONTFRAG", "SO_NOSIGPIPE", "SO_ERROR", "MSG_DONTWAIT"] {
            assert!(!NOT_ON_MACOS.contains(&here), "{here}");
        }
    }

    fn get(name: &'static str) -> Op {
        let option = Opt::Raw { level: "IPPROTO_IP".into(), name: name.into() };
        Op::Getsockopt { fd: "s".to_owned(), option, len: 4 }
    }

    fn set(value: &'static str) -> Op {
        let option = Opt::Raw { level: "IPPROTO_IP".into(), name: "IP_TTL".into() };
        let value = Value::Named(Sym::from(value));
        Op::Setsockopt { fd: "s".to_owned(), option, value }
    }

    #[rstest]
    #[case(vec![get("IP_MTU")], Some("IP_MTU"))]
    #[case(vec![get("IP_MTU"), get("IP_TTL")], None)]
    #[case(vec![get("IP_TTL"), get("IP_MTU")], Some("IP_MTU"))]
    #[case(vec![set("IP_PMTUDISC_DO"), get("IP_TTL")], Some("IP_PMTUDISC_DO"))]
    #[case(vec![], None)]
    fn a_case_ends_where_it_needs_a_name(#[case] ops: Vec<Op>, #[case] at: Option<&str>) {
        let case = Case::new("s/t", "", Lab::loopback(), ops);
        assert_eq!(case.ends_at(Os::Macos), at);
        assert_eq!(case.ends_at(Os::Linux), None);
    }
}
