//! The names of the sockets API that Linux has, and their values here.

use libc::c_int;

use crate::case::{Os, Sym, number};

macro_rules! values {
    ($($name:ident)*) => {
        /// The value of `name`; none where Linux has not got it.
        pub(in crate::exec) fn value(name: &str) -> Option<c_int> {
            match name {
                $(stringify!($name) => Some(libc::$name as c_int),)*
                // asm-generic/sockios.h, which libc has not got.
                "SIOCATMARK" => Some(0x8905),
                // netdb.h of musl; glibc has not got it.
                #[cfg(target_env = "musl")]
                "NI_NUMERICSCOPE" => Some(0x100),
                other => number(Os::Linux, other),
            }
        }
    };
}

values! {
    AF_INET AF_INET6 AF_UNIX AF_UNSPEC
    AI_ADDRCONFIG AI_ALL AI_CANONNAME AI_NUMERICHOST AI_NUMERICSERV AI_PASSIVE AI_V4MAPPED
    FIONBIO FIONREAD F_GETFL F_SETFL
    IPPROTO_ICMP IPPROTO_ICMPV6 IPPROTO_IP IPPROTO_IPV6 IPPROTO_RAW IPPROTO_TCP IPPROTO_UDP
    IPV6_2292DSTOPTS IPV6_2292HOPLIMIT IPV6_2292HOPOPTS IPV6_2292PKTINFO IPV6_2292PKTOPTIONS
    IPV6_2292RTHDR IPV6_ADDRFORM IPV6_ADDR_PREFERENCES IPV6_ADD_MEMBERSHIP IPV6_AUTHHDR
    IPV6_AUTOFLOWLABEL IPV6_CHECKSUM IPV6_DONTFRAG IPV6_DROP_MEMBERSHIP IPV6_DSTOPTS IPV6_FREEBIND
    IPV6_HDRINCL IPV6_HOPLIMIT IPV6_HOPOPTS IPV6_IPSEC_POLICY IPV6_JOIN_ANYCAST IPV6_LEAVE_ANYCAST
    IPV6_MINHOPCOUNT IPV6_MTU IPV6_MTU_DISCOVER IPV6_MULTICAST_HOPS IPV6_MULTICAST_IF
    IPV6_MULTICAST_LOOP IPV6_NEXTHOP IPV6_ORIGDSTADDR IPV6_PATHMTU IPV6_PKTINFO IPV6_PMTUDISC_DO
    IPV6_PMTUDISC_DONT IPV6_PMTUDISC_INTERFACE IPV6_PMTUDISC_OMIT IPV6_PMTUDISC_PROBE
    IPV6_PMTUDISC_WANT IPV6_RECVDSTOPTS IPV6_RECVERR IPV6_RECVFRAGSIZE IPV6_RECVHOPLIMIT
    IPV6_RECVHOPOPTS IPV6_RECVORIGDSTADDR IPV6_RECVPATHMTU IPV6_RECVPKTINFO IPV6_RECVRTHDR
    IPV6_RECVTCLASS IPV6_ROUTER_ALERT IPV6_RTHDR IPV6_RTHDRDSTOPTS IPV6_TCLASS IPV6_TRANSPARENT
    IPV6_UNICAST_HOPS IPV6_UNICAST_IF IPV6_V6ONLY IPV6_XFRM_POLICY
    IP_ADD_MEMBERSHIP IP_ADD_SOURCE_MEMBERSHIP IP_BIND_ADDRESS_NO_PORT IP_BLOCK_SOURCE IP_CHECKSUM
    IP_DROP_MEMBERSHIP IP_DROP_SOURCE_MEMBERSHIP IP_FREEBIND IP_HDRINCL IP_IPSEC_POLICY IP_MINTTL
    IP_MSFILTER IP_MTU IP_MTU_DISCOVER IP_MULTICAST_ALL IP_MULTICAST_IF IP_MULTICAST_LOOP
    IP_MULTICAST_TTL IP_NODEFRAG IP_OPTIONS IP_ORIGDSTADDR IP_PASSSEC IP_PKTINFO IP_PKTOPTIONS
    IP_PMTUDISC_DO IP_PMTUDISC_DONT IP_PMTUDISC_INTERFACE IP_PMTUDISC_OMIT IP_PMTUDISC_PROBE
    IP_PMTUDISC_WANT IP_RECVERR IP_RECVFRAGSIZE IP_RECVOPTS IP_RECVORIGDSTADDR IP_RECVTOS IP_RECVTTL
    IP_RETOPTS IP_ROUTER_ALERT IP_TOS IP_TRANSPARENT IP_TTL IP_UNBLOCK_SOURCE IP_UNICAST_IF
    IP_XFRM_POLICY
    MCAST_BLOCK_SOURCE MCAST_EXCLUDE MCAST_INCLUDE MCAST_JOIN_GROUP MCAST_JOIN_SOURCE_GROUP
    MCAST_LEAVE_GROUP MCAST_LEAVE_SOURCE_GROUP MCAST_MSFILTER MCAST_UNBLOCK_SOURCE
    MSG_CTRUNC MSG_DONTROUTE MSG_DONTWAIT MSG_ERRQUEUE MSG_FASTOPEN MSG_MORE MSG_NOSIGNAL MSG_OOB
    MSG_PEEK MSG_TRUNC MSG_WAITALL
    NI_DGRAM NI_NAMEREQD NI_NOFQDN NI_NUMERICHOST NI_NUMERICSERV
    O_NONBLOCK
    POLLERR POLLHUP POLLIN POLLNVAL POLLOUT POLLPRI POLLRDHUP
    SHUT_RD SHUT_RDWR SHUT_WR
    SIOCGIFFLAGS SIOCGIFMTU
    SOCK_CLOEXEC SOCK_DGRAM SOCK_NONBLOCK SOCK_RAW SOCK_SEQPACKET SOCK_STREAM
    SOL_SOCKET
    SO_ACCEPTCONN SO_ATTACH_BPF SO_ATTACH_FILTER SO_ATTACH_REUSEPORT_CBPF SO_ATTACH_REUSEPORT_EBPF
    SO_BINDTODEVICE SO_BINDTOIFINDEX SO_BPF_EXTENSIONS SO_BROADCAST SO_BSDCOMPAT SO_BUSY_POLL
    SO_CNX_ADVICE SO_COOKIE SO_DEBUG SO_DETACH_FILTER SO_DETACH_REUSEPORT_BPF SO_DOMAIN SO_DONTROUTE
    SO_ERROR SO_INCOMING_CPU SO_INCOMING_NAPI_ID SO_KEEPALIVE SO_LINGER SO_LOCK_FILTER SO_MARK
    SO_MAX_PACING_RATE SO_MEMINFO SO_NOFCS SO_NO_CHECK SO_OOBINLINE SO_PASSCRED SO_PASSSEC
    SO_PEEK_OFF SO_PEERCRED SO_PEERGROUPS SO_PEERNAME SO_PEERSEC SO_PRIORITY SO_PROTOCOL SO_RCVBUF
    SO_RCVBUFFORCE SO_RCVLOWAT SO_RCVTIMEO SO_RCVTIMEO_NEW SO_REUSEADDR SO_REUSEPORT SO_RXQ_OVFL
    SO_SELECT_ERR_QUEUE SO_SNDBUF SO_SNDBUFFORCE SO_SNDLOWAT SO_SNDTIMEO SO_SNDTIMEO_NEW
    SO_TIMESTAMP SO_TIMESTAMPING SO_TIMESTAMPING_NEW SO_TIMESTAMPNS SO_TIMESTAMPNS_NEW
    SO_TIMESTAMP_NEW SO_TXTIME SO_TYPE SO_WIFI_STATUS SO_ZEROCOPY
    TCP_CC_INFO TCP_CONGESTION TCP_CORK TCP_DEFER_ACCEPT TCP_FASTOPEN TCP_FASTOPEN_CONNECT
    TCP_FASTOPEN_KEY TCP_FASTOPEN_NO_COOKIE TCP_INFO TCP_INQ TCP_KEEPCNT TCP_KEEPIDLE TCP_KEEPINTVL
    TCP_LINGER2 TCP_MAXSEG TCP_MD5SIG TCP_MD5SIG_EXT TCP_NODELAY TCP_NOTSENT_LOWAT TCP_QUEUE_SEQ
    TCP_QUICKACK TCP_REPAIR TCP_REPAIR_OPTIONS TCP_REPAIR_QUEUE TCP_REPAIR_WINDOW TCP_SAVED_SYN
    TCP_SAVE_SYN TCP_SYNCNT TCP_THIN_DUPACK TCP_THIN_LINEAR_TIMEOUTS TCP_TIMESTAMP TCP_ULP
    TCP_USER_TIMEOUT TCP_WINDOW_CLAMP TCP_ZEROCOPY_RECEIVE
    UDP_SEGMENT
}

macro_rules! errnos {
    ($($name:ident)*) => {
        /// The name of an errno value; a value without one is `errno N`.
        pub(in crate::exec) fn errno(value: c_int) -> Sym {
            match value {
                $(libc::$name => stringify!($name).into(),)*
                other => Sym(format!("errno {other}").into()),
            }
        }
    };
}

errnos! {
    E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF EBADMSG EBUSY ECANCELED
    ECONNABORTED ECONNREFUSED ECONNRESET EDESTADDRREQ EDOM EEXIST EFAULT EFBIG EHOSTDOWN
    EHOSTUNREACH EINPROGRESS EINTR EINVAL EIO EISCONN EISDIR ELOOP EMFILE EMSGSIZE ENAMETOOLONG
    ENETDOWN ENETRESET ENETUNREACH ENFILE ENOBUFS ENODATA ENODEV ENOENT ENOMEM ENONET ENOPROTOOPT
    ENOSPC ENOSYS ENOTCONN ENOTDIR ENOTSOCK ENOTTY ENXIO EOPNOTSUPP EPERM EPFNOSUPPORT EPIPE EPROTO
    EPROTONOSUPPORT EPROTOTYPE ERANGE EREMOTEIO ESHUTDOWN ESOCKTNOSUPPORT ESRCH ESTALE ETIMEDOUT
    ETOOMANYREFS EXDEV
}

/// netdb.h of glibc under `_GNU_SOURCE`, which libc has not got.
const EAI_ADDRFAMILY: c_int = -9;

/// The C library and its version.
pub(in crate::exec) fn libc_name() -> String {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: takes nothing.
        let version = unsafe { libc::gnu_get_libc_version() };
        // SAFETY: a text with its end, that lives as long as the program.
        let version = unsafe { std::ffi::CStr::from_ptr(version) };
        format!("glibc {}", version.to_string_lossy())
    }
    #[cfg(not(target_env = "gnu"))]
    "musl".to_owned()
}

macro_rules! resolver_errors {
    ($($name:ident)*) => {
        /// The name of what `getaddrinfo` and `getnameinfo` return.
        pub(in crate::exec) fn eai(value: c_int) -> Sym {
            match value {
                $(libc::$name => stringify!($name).into(),)*
                EAI_ADDRFAMILY => "EAI_ADDRFAMILY".into(),
                other => Sym(format!("EAI {other}").into()),
            }
        }

        /// The value of such a name.
        pub(in crate::exec) fn eai_value(name: &str) -> Option<c_int> {
            match name {
                $(stringify!($name) => Some(libc::$name),)*
                "EAI_ADDRFAMILY" => Some(EAI_ADDRFAMILY),
                _ => None,
            }
        }
    };
}

resolver_errors! {
    EAI_AGAIN EAI_BADFLAGS EAI_FAIL EAI_FAMILY EAI_MEMORY EAI_NODATA EAI_NONAME EAI_OVERFLOW
    EAI_SERVICE EAI_SOCKTYPE EAI_SYSTEM
}

/// The names of a control message's level and type, or their numbers.
pub(in crate::exec) fn control_name(level: c_int, kind: c_int) -> (String, String) {
    let (level_name, names): (_, &[(c_int, &str)]) = match level {
        libc::IPPROTO_IP => (
            "IPPROTO_IP",
            &[
                (libc::IP_PKTINFO, "IP_PKTINFO"),
                (libc::IP_RECVERR, "IP_RECVERR"),
                (libc::IP_TOS, "IP_TOS"),
                (libc::IP_TTL, "IP_TTL"),
            ],
        ),
        libc::IPPROTO_IPV6 => (
            "IPPROTO_IPV6",
            &[
                (libc::IPV6_PKTINFO, "IPV6_PKTINFO"),
                (libc::IPV6_RECVERR, "IPV6_RECVERR"),
                (libc::IPV6_TCLASS, "IPV6_TCLASS"),
                (libc::IPV6_HOPLIMIT, "IPV6_HOPLIMIT"),
            ],
        ),
        libc::SOL_SOCKET => ("SOL_SOCKET", &[]),
        _ => return (level.to_string(), kind.to_string()),
    };
    let name = names.iter().find(|(number, _)| *number == kind);
    (level_name.to_owned(), name.map_or_else(|| kind.to_string(), |(_, name)| (*name).to_owned()))
}
