//! The names of the sockets API that macOS has, and their values there.

use libc::c_int;

use crate::case::Sym;
use crate::darwin::ioctl::{IFREQ, ior, iowr};
use crate::exec::naming::{control_names, errnos, resolver_errors};

macro_rules! values {
    ($($name:ident)* ; $($own:ident = $value:expr, $at:literal;)*) => {
        /// The value of `name`; none where macOS has not got it.
        pub(in crate::exec) fn value(name: &str) -> Option<c_int> {
            match name {
                $(stringify!($name) => Some(libc::$name as c_int),)*
                $(stringify!($own) => Some($value as c_int),)*
                _ => None,
            }
        }
    };
}

// Behind the semicolon what libc has not got, each with its place in xnu-11417.101.15/bsd.
// SO_RECV_ANYIF is in a private header: a program that is built with the SDK has to define it.
// IP_MSFILTER takes another structure than Linux's, which is private too, and MCAST_MSFILTER is
// none of Darwin's: both are what setipv4sourcefilter(3) and setsourcefilter(3) are for.
values! {
    AF_INET AF_INET6 AF_UNIX AF_UNSPEC
    AI_ADDRCONFIG AI_ALL AI_CANONNAME AI_NUMERICHOST AI_NUMERICSERV AI_PASSIVE AI_V4MAPPED
    CONNECT_DATA_AUTHENTICATED CONNECT_DATA_IDEMPOTENT CONNECT_RESUME_ON_READ_WRITE
    EVFILT_EXCEPT EVFILT_READ EVFILT_WRITE
    EV_ADD EV_CLEAR EV_DISABLE EV_DISPATCH EV_ENABLE EV_EOF EV_ERROR EV_ONESHOT EV_OOBAND EV_RECEIPT
    FIONBIO FIONREAD F_GETFL F_SETFL
    IPPROTO_ICMP IPPROTO_ICMPV6 IPPROTO_IP IPPROTO_IPV6 IPPROTO_RAW IPPROTO_TCP IPPROTO_UDP
    IPV6_BOUND_IF IPV6_CHECKSUM IPV6_DONTFRAG IPV6_HOPLIMIT IPV6_JOIN_GROUP IPV6_LEAVE_GROUP
    IPV6_MULTICAST_HOPS IPV6_MULTICAST_IF IPV6_MULTICAST_LOOP IPV6_PKTINFO IPV6_RECVHOPLIMIT
    IPV6_RECVPKTINFO IPV6_RECVTCLASS IPV6_TCLASS IPV6_UNICAST_HOPS IPV6_V6ONLY
    IP_ADD_MEMBERSHIP IP_ADD_SOURCE_MEMBERSHIP IP_BLOCK_SOURCE IP_BOUND_IF IP_DONTFRAG
    IP_DROP_MEMBERSHIP IP_DROP_SOURCE_MEMBERSHIP IP_HDRINCL IP_MULTICAST_IF IP_MULTICAST_LOOP
    IP_MULTICAST_TTL IP_PKTINFO IP_RECVDSTADDR IP_RECVIF IP_RECVTOS IP_RECVTTL IP_TOS IP_TTL
    IP_UNBLOCK_SOURCE
    LOCAL_PEERCRED LOCAL_PEEREPID LOCAL_PEERPID LOCAL_PEERTOKEN LOCAL_PEERUUID
    MCAST_BLOCK_SOURCE MCAST_JOIN_GROUP MCAST_JOIN_SOURCE_GROUP MCAST_LEAVE_GROUP
    MCAST_LEAVE_SOURCE_GROUP MCAST_UNBLOCK_SOURCE
    MSG_CTRUNC MSG_DONTROUTE MSG_DONTWAIT MSG_EOF MSG_EOR MSG_FLUSH MSG_HAVEMORE MSG_HOLD
    MSG_NEEDSA MSG_NOSIGNAL MSG_OOB MSG_PEEK MSG_RCVMORE MSG_SEND MSG_TRUNC MSG_WAITALL
    NI_DGRAM NI_NAMEREQD NI_NOFQDN NI_NUMERICHOST NI_NUMERICSCOPE NI_NUMERICSERV
    NOTE_LOWAT NOTE_OOB
    O_NONBLOCK
    POLLERR POLLHUP POLLIN POLLNVAL POLLOUT POLLPRI
    SHUT_RD SHUT_RDWR SHUT_WR
    SOCK_DGRAM SOCK_RAW SOCK_SEQPACKET SOCK_STREAM
    SOL_LOCAL SOL_SOCKET
    SO_ACCEPTCONN SO_BROADCAST SO_DEBUG SO_DONTROUTE SO_DONTTRUNC SO_ERROR SO_KEEPALIVE SO_LABEL
    SO_LINGER SO_LINGER_SEC SO_NKE SO_NOADDRERR SO_NOSIGPIPE SO_NOTIFYCONFLICT SO_NP_EXTENSIONS
    SO_NREAD SO_NWRITE SO_OOBINLINE SO_PEERLABEL SO_RANDOMPORT SO_RCVBUF SO_RCVLOWAT SO_RCVTIMEO
    SO_REUSEADDR SO_REUSEPORT SO_REUSESHAREUID SO_SNDBUF SO_SNDLOWAT SO_SNDTIMEO SO_TIMESTAMP
    SO_TIMESTAMP_MONOTONIC SO_TYPE SO_USELOOPBACK SO_WANTMORE SO_WANTOOBFLAG
    TCP_CONNECTION_INFO TCP_FASTOPEN TCP_KEEPALIVE TCP_KEEPCNT TCP_KEEPINTVL TCP_MAXSEG
    TCP_NODELAY TCP_NOOPT TCP_NOPUSH
    ;
    // What the suites call so, as Linux does, is RFC 3493's IPV6_JOIN_GROUP and IPV6_LEAVE_GROUP.
    IPV6_ADD_MEMBERSHIP = libc::IPV6_JOIN_GROUP, "netinet6/in6.h:517";
    IPV6_DROP_MEMBERSHIP = libc::IPV6_LEAVE_GROUP, "netinet6/in6.h:518";
    IPV6_2292DSTOPTS = 23, "netinet6/in6.h:527";
    IPV6_2292HOPLIMIT = 20, "netinet6/in6.h:524";
    IPV6_2292HOPOPTS = 22, "netinet6/in6.h:526";
    IPV6_2292NEXTHOP = 21, "netinet6/in6.h:525";
    IPV6_2292PKTINFO = 19, "netinet6/in6.h:523";
    IPV6_2292PKTOPTIONS = 25, "netinet6/in6.h:531";
    IPV6_2292RTHDR = 24, "netinet6/in6.h:528";
    IPV6_3542DSTOPTS = 50, "netinet6/in6.h:617";
    IPV6_3542HOPLIMIT = 47, "netinet6/in6.h:614";
    IPV6_3542HOPOPTS = 49, "netinet6/in6.h:616";
    IPV6_3542NEXTHOP = 48, "netinet6/in6.h:615";
    IPV6_3542PKTINFO = 46, "netinet6/in6.h:613";
    IPV6_3542RTHDR = 51, "netinet6/in6.h:618";
    IPV6_AUTOFLOWLABEL = 59, "netinet6/in6.h:627";
    IPV6_BINDV6ONLY = libc::IPV6_V6ONLY, "netinet6/in6.h:548";
    IPV6_DSTOPTS = 50, "netinet6/in6.h:624";
    IPV6_FAITH = 29, "netinet6/in6.h:555";
    IPV6_HOPOPTS = 49, "netinet6/in6.h:623";
    IPV6_IPSEC_POLICY = 28, "netinet6/in6.h:553";
    IPV6_MSFILTER = 74, "netinet6/in6.h:638";
    IPV6_NEXTHOP = 48, "netinet6/in6.h:622";
    IPV6_PATHMTU = 44, "netinet6/in6.h:606";
    IPV6_PORTRANGE = 14, "netinet6/in6.h:521";
    IPV6_PREFER_TEMPADDR = 63, "netinet6/in6.h:632";
    IPV6_RECVDSTOPTS = 40, "netinet6/in6.h:594";
    IPV6_RECVHOPOPTS = 39, "netinet6/in6.h:593";
    IPV6_RECVPATHMTU = 43, "netinet6/in6.h:600";
    IPV6_RECVRTHDR = 38, "netinet6/in6.h:592";
    IPV6_RTHDR = 51, "netinet6/in6.h:625";
    IPV6_RTHDRDSTOPTS = 57, "netinet6/in6.h:581";
    IPV6_USE_MIN_MTU = 42, "netinet6/in6.h:599";
    IP_FAITH = 22, "netinet/in.h:438";
    IP_IPSEC_POLICY = 21, "netinet/in.h:437";
    IP_MULTICAST_IFINDEX = 66, "netinet/in.h:471";
    IP_MULTICAST_VIF = 14, "netinet/in.h:429";
    IP_OPTIONS = 1, "netinet/in.h:416";
    IP_PORTRANGE = 19, "netinet/in.h:434";
    IP_RECVOPTS = 5, "netinet/in.h:420";
    IP_RECVPKTINFO = libc::IP_PKTINFO, "netinet/in.h:445";
    IP_RECVRETOPTS = 6, "netinet/in.h:421";
    IP_RETOPTS = 8, "netinet/in.h:423";
    IP_STRIPHDR = 23, "netinet/in.h:440";
    IP_TRAFFIC_MGT_BACKGROUND = 65, "netinet/in.h:470";
    MCAST_EXCLUDE = 2, "netinet/in.h:624";
    MCAST_INCLUDE = 1, "netinet/in.h:623";
    PERSIST_TIMEOUT = 0x40, "netinet/tcp.h:228";
    SIOCATMARK = ior(b's', 7, 4), "sys/sockio.h:79";
    SIOCGIFFLAGS = iowr(b'i', 17, IFREQ), "sys/sockio.h:89";
    SIOCGIFMTU = iowr(b'i', 51, IFREQ), "sys/sockio.h:113";
    SO_BINDTODEVICE = 0x1134, "sys/socket.h:210";
    SO_NETSVC_MARKING_LEVEL = 0x1119, "sys/socket.h:199";
    SO_NET_SERVICE_TYPE = 0x1116, "sys/socket.h:193";
    SO_NUMRCVPKT = 0x1112, "sys/socket.h:189";
    SO_RECV_ANYIF = 0x1104, "sys/socket_private.h:228";
    SO_RESOLVER_SIGNATURE = 0x1131, "sys/socket.h:205";
    SO_UPCALLCLOSEWAIT = 0x1027, "sys/socket.h:180";
    TCP_CONNECTIONTIMEOUT = 0x20, "netinet/tcp.h:227";
    TCP_ENABLE_ECN = 0x104, "netinet/tcp.h:243";
    TCP_NOTSENT_LOWAT = 0x201, "netinet/tcp.h:252";
    TCP_RXT_CONNDROPTIME = 0x80, "netinet/tcp.h:232";
    TCP_RXT_FINDROP = 0x100, "netinet/tcp.h:235";
    TCP_SENDMOREACKS = 0x103, "netinet/tcp.h:242";
    UDP_NOCKSUM = 1, "netinet/udp.h:89";
}

// The numbers that decide what the suites ask, against the headers: checked when this is compiled.
const _: () = {
    assert!(libc::IP_BOUND_IF == 25, "netinet/in.h:443");
    assert!(libc::IP_DONTFRAG == 28, "netinet/in.h:447");
    assert!(libc::IP_PKTINFO == 26, "netinet/in.h:444");
    assert!(libc::IP_RECVDSTADDR == 7, "netinet/in.h:422");
    assert!(libc::IP_RECVIF == 20, "netinet/in.h:435");
    assert!(libc::IPV6_BOUND_IF == 125, "netinet6/in6.h:641");
    assert!(libc::IPV6_DONTFRAG == 62, "netinet6/in6.h:629");
    assert!(libc::IPV6_HOPLIMIT == 47 && libc::IPV6_PKTINFO == 46, "RFC 3542's, in6.h:620");
    assert!(libc::IPV6_RECVPKTINFO == 61, "netinet6/in6.h:589");
    assert!(libc::SO_NOSIGPIPE == 0x1022, "sys/socket.h:174");
    assert!(libc::SO_LINGER == 0x80, "sys/socket.h:132, in ticks; SO_LINGER_SEC is another");
};

// All of `bsd/sys/errno.h` but EWOULDBLOCK, which is EAGAIN.
errnos! {
    E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EAUTH EBADARCH EBADEXEC
    EBADF EBADMACHO EBADMSG EBADRPC EBUSY ECANCELED ECHILD ECONNABORTED ECONNREFUSED ECONNRESET
    EDEADLK EDESTADDRREQ EDEVERR EDOM EDQUOT EEXIST EFAULT EFBIG EFTYPE EHOSTDOWN EHOSTUNREACH
    EIDRM EILSEQ EINPROGRESS EINTR EINVAL EIO EISCONN EISDIR ELOOP EMFILE EMLINK EMSGSIZE
    EMULTIHOP ENAMETOOLONG ENEEDAUTH ENETDOWN ENETRESET ENETUNREACH ENFILE ENOATTR ENOBUFS ENODATA
    ENODEV ENOENT ENOEXEC ENOLCK ENOLINK ENOMEM ENOMSG ENOPOLICY ENOPROTOOPT ENOSPC ENOSR ENOSTR
    ENOSYS ENOTBLK ENOTCONN ENOTDIR ENOTEMPTY ENOTRECOVERABLE ENOTSOCK ENOTSUP ENOTTY ENXIO
    EOPNOTSUPP EOVERFLOW EOWNERDEAD EPERM EPFNOSUPPORT EPIPE EPROCLIM EPROCUNAVAIL EPROGMISMATCH
    EPROGUNAVAIL EPROTO EPROTONOSUPPORT EPROTOTYPE EPWROFF EQFULL ERANGE EREMOTE EROFS
    ERPCMISMATCH ESHLIBVERS ESHUTDOWN ESOCKTNOSUPPORT ESPIPE ESRCH ESTALE ETIME ETIMEDOUT
    ETOOMANYREFS ETXTBSY EUSERS EXDEV
}

/// None: the system has but one, and it comes with the kernel.
pub(in crate::exec) fn libc_name() -> String {
    String::new()
}

resolver_errors! {
    EAI_AGAIN EAI_BADFLAGS EAI_FAIL EAI_FAMILY EAI_MEMORY EAI_NODATA EAI_NONAME EAI_OVERFLOW
    EAI_SERVICE EAI_SOCKTYPE EAI_SYSTEM
    ;
}

// What arrives bears the number of the option that asked for it (`ip_savecontrol` of
// `bsd/netinet/ip_input.c`); of sockets, `SCM_` of `bsd/sys/socket.h`.
control_names! {
    IPPROTO_IP: IP_PKTINFO IP_RECVDSTADDR IP_RECVIF IP_RECVTOS IP_RECVTTL,;
    IPPROTO_IPV6: IPV6_PKTINFO IPV6_TCLASS IPV6_HOPLIMIT,;
    SOL_SOCKET: SCM_RIGHTS SCM_TIMESTAMP SCM_CREDS, SCM_TIMESTAMP_MONOTONIC = 4;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_errno_has_its_name() {
        for value in 1..=106 {
            assert!(errno(value).as_str().starts_with('E'), "{value}");
        }
        // What a socket says of an option that none has; it was "errno 45" once.
        assert_eq!((errno(45).as_str(), errno(102).as_str()), ("ENOTSUP", "EOPNOTSUPP"));
        assert_eq!(errno(200).as_str(), "errno 200");
    }
}
