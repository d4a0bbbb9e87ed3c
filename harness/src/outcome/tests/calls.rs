//! Every call, as the case has it.

use rstest::rstest;

use super::super::{Names, call_text};
use super::{case, hello, lookup, neighbour, opt, s, send, socket, text, udp6};
use crate::case::addr::{Addr, Host, Port, Range, Role, Scope};
use crate::case::op::{Code, Control, Intent, Opt, PollFd, Value, Who};
use crate::case::{Flags, Hex, LabOp, Op, Os, Payload};

fn set(option: Opt, value: Value) -> Op {
    Op::Setsockopt { fd: s(), option, value }
}

fn flags(names: &[&'static str]) -> Flags {
    Flags::of(names)
}

fn sendmsg(addr: Option<Addr>, control: Vec<Control>) -> Op {
    Op::Sendmsg { fd: s(), data: text("x"), flags: Flags::NONE, addr, control }
}

fn pktinfo(level: &'static str, link: Option<&str>, source: Option<Host>) -> Control {
    Control::PktInfo { level: level.into(), link: link.map(Into::into), source }
}

#[rstest]
#[case(udp6("s"), "socket(AF_INET6, SOCK_DGRAM, 0)")]
#[case(
    socket("s", "AF_INET", "SOCK_RAW", "IPPROTO_ICMP"),
    "socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)"
)]
#[case(
    Op::Socketpair { a: "a".into(), b: "b".into(), domain: "AF_UNIX".into(), r#type: flags(&["SOCK_STREAM", "SOCK_CLOEXEC"]), protocol: Flags::NONE },
    "socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0, [a, b])"
)]
#[case(Op::Bind { fd: s(), addr: neighbour(Range::V4) }, "bind(s, {AF_INET 192.0.2.2:12345})")]
#[case(
    Op::Connect { fd: s(), addr: neighbour(Range::Ll) },
    "connect(s, {AF_INET6 [fe80::2%tap0]:12345})"
)]
#[case(Op::Listen { fd: s(), backlog: 1 }, "listen(s, 1)")]
#[case(Op::Accept { fd: s(), new: "c".into() }, "accept(s)")]
#[case(send("s", text("x\"")), r#"send(s, "x\"", 2, 0)"#)]
#[case(send("s", Payload::Pattern(1472)), "send(s, pattern[0..1472], 1472, 0)")]
#[case(
    hello("s", neighbour(Range::V6)),
    r#"sendto(s, "hello\0", 6, 0, {AF_INET6 [2001:db8::2]:12345})"#
)]
#[case(sendmsg(None, vec![]), r#"sendmsg(s, {msg_iov=["x", 1]}, 0)"#)]
#[case(
    sendmsg(Some(neighbour(Range::V4)), vec![ pktinfo("IPPROTO_IP", Some("tap0"), None), Control::int("IPPROTO_IP", "IP_TTL", 3), ]),
    r#"sendmsg(s, {msg_name={AF_INET 192.0.2.2:12345}, msg_iov=["x", 1], msg_control=[{IPPROTO_IP, IP_PKTINFO, {tap0, 0.0.0.0}}, {IPPROTO_IP, IP_TTL, 3}]}, 0)"#
)]
#[case(
    sendmsg(None, vec![pktinfo("IPPROTO_IPV6", None, Some(neighbour(Range::Ll).host)), pktinfo("IPPROTO_IPV6", None, None)]),
    r#"sendmsg(s, {msg_iov=["x", 1], msg_control=[{IPPROTO_IPV6, IPV6_PKTINFO, {0, fe80::2}}, {IPPROTO_IPV6, IPV6_PKTINFO, {0, ::}}]}, 0)"#
)]
#[case(
    sendmsg(None, vec![
        Control::Rights { fds: vec!["a".into(), "b".into()] },
        Control::Credentials { pid: Who::Own, uid: Who::Is(7), gid: Who::Own },
        Control::Bytes { level: Code::Name("IPPROTO_IP".into()), kind: Code::Number(2), data: Hex(vec![5]) },
        Control::Bytes { level: Code::Number(1), kind: Code::Number(1), data: Hex(vec![]) },
    ]),
    r#"sendmsg(s, {msg_iov=["x", 1], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [a, b]}, {SOL_SOCKET, SCM_CREDENTIALS, {pid=own, uid=7, gid=own}}, {IPPROTO_IP, 2, 0x05}, {1, 1, 0 bytes}]}, 0)"#
)]
#[case(Op::Recv { fd: s(), len: 64, flags: flags(&["MSG_DONTWAIT"]) }, "recv(s, 64, MSG_DONTWAIT)")]
#[case(Op::Recvfrom { fd: s(), len: 64, flags: Flags::NONE }, "recvfrom(s, 64, 0)")]
#[case(
    Op::Recvmsg { fd: s(), len: 64, lens: Vec::new(), control_len: 128, flags: flags(&["MSG_ERRQUEUE"]) },
    "recvmsg(s, {msg_iov=[64], msg_controllen=128}, MSG_ERRQUEUE)"
)]
#[case(
    Op::Recvmsg { fd: s(), len: 64, lens: Vec::new(), control_len: 0, flags: Flags::NONE },
    "recvmsg(s, {msg_iov=[64]}, 0)"
)]
#[case(Op::Write { fd: s(), data: text("") }, r#"write(s, "", 0)"#)]
#[case(Op::Read { fd: s(), len: 1 }, "read(s, 1)")]
#[case(Op::Shutdown { fd: s(), how: "SHUT_WR".into() }, "shutdown(s, SHUT_WR)")]
#[case(Op::Close { fd: s() }, "close(s)")]
#[case(Op::Getsockname { fd: s() }, "getsockname(s)")]
#[case(Op::Getpeername { fd: s() }, "getpeername(s)")]
#[case(
    Op::Poll { fds: vec![PollFd { fd: s(), events: flags(&["POLLIN", "POLLOUT"]) }, PollFd { fd: "r".into(), events: Flags::NONE }], timeout_ms: -1 },
    "poll([{s, POLLIN|POLLOUT}, {r, 0}], -1)"
)]
#[case(Op::Ioctl { fd: s(), request: "FIONREAD".into(), link: None, given: None }, "ioctl(s, FIONREAD)")]
#[case(
    Op::Ioctl { fd: s(), request: "SIOCGIFMTU".into(), link: Some("tap0".into()), given: None },
    r#"ioctl(s, SIOCGIFMTU, {ifr_name="tap0"})"#
)]
#[case(Op::Fcntl { fd: s(), cmd: "F_GETFL".into(), arg: Flags::NONE, pid: None }, "fcntl(s, F_GETFL)")]
#[case(
    Op::Fcntl { fd: s(), cmd: "F_SETFL".into(), arg: flags(&["O_NONBLOCK"]), pid: None },
    "fcntl(s, F_SETFL, O_NONBLOCK)"
)]
#[case(
    lookup(Some("fe80::1%tap0"), None),
    r#"getaddrinfo("fe80::1%tap0", NULL, {AF_INET6, SOCK_DGRAM, AI_NUMERICHOST})"#
)]
#[case(Op::Lab { step: LabOp::LinkDown { link: "tap0".into() } }, "-- link set tap0 down")]
#[case(
    hello("s", Addr { family: Some("AF_UNSPEC".into()), ..Addr::ip([127, 0, 0, 1], 1) }),
    r#"sendto(s, "hello\0", 6, 0, {AF_UNSPEC 127.0.0.1:1})"#
)]
#[case(
    Op::Connect { fd: s(), addr: Addr { port: Port::Of("r".into()), ..neighbour(Range::Ll).scoped(Scope::Id(9)) } },
    "connect(s, {AF_INET6 [fe80::2%9]:port(r)})"
)]
fn every_call_as_the_case_has_it(#[case] op: Op, #[case] expected: &str) {
    let case = case([op]);
    assert_eq!(call_text(&Names::planned(&case, Os::Linux), 0, None), expected);
}

#[rstest]
#[case(
    opt("SOL_SOCKET", "SO_BINDTODEVICE"),
    Value::Link("tap0".into()),
    r#"SOL_SOCKET, SO_BINDTODEVICE, "tap0""#
)]
#[case(
    opt("IPPROTO_IPV6", "IPV6_MULTICAST_IF"),
    Value::Link("tap0".into()),
    r#"IPPROTO_IPV6, IPV6_MULTICAST_IF, if_nametoindex("tap0")"#
)]
#[case(opt("IPPROTO_IPV6", "IPV6_V6ONLY"), Value::Int(1), "IPPROTO_IPV6, IPV6_V6ONLY, 1")]
#[case(
    opt("IPPROTO_IP", "IP_MTU_DISCOVER"),
    Value::Named("IP_PMTUDISC_DO".into()),
    "IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO"
)]
#[case(
    opt("IPPROTO_IP", "IP_MULTICAST_IF"),
    Value::Host(Host::On { link: "tun0".into(), role: Role::Own, range: Range::V4 }),
    "IPPROTO_IP, IP_MULTICAST_IF, 198.51.100.1"
)]
#[case(
    opt("SOL_SOCKET", "SO_LINGER"),
    Value::Linger { on: 1, seconds: 0 },
    "SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}"
)]
#[case(
    opt("SOL_SOCKET", "SO_RCVTIMEO"),
    Value::Timeval { ms: 1500 },
    "SOL_SOCKET, SO_RCVTIMEO, {tv_sec=1, tv_usec=500000}"
)]
#[case(
    opt("IPPROTO_IPV6", "IPV6_ADD_MEMBERSHIP"),
    Value::Membership { group: "ff02::1:3".parse().unwrap(), link: Some("tap0".into()) },
    r#"IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, {ipv6mr_multiaddr=ff02::1:3, ipv6mr_interface=if_nametoindex("tap0")}"#
)]
#[case(
    opt("IPPROTO_IP", "IP_ADD_MEMBERSHIP"),
    Value::Membership { group: "224.0.0.9".parse().unwrap(), link: None },
    "IPPROTO_IP, IP_ADD_MEMBERSHIP, {imr_multiaddr=224.0.0.9, imr_ifindex=0}"
)]
#[case(
    opt("IPPROTO_IP", "IP_BLOCK_SOURCE"),
    Value::Source {
        group: "239.1.2.3".parse().unwrap(),
        link: Some("tun0".into()),
        source: "203.0.113.9".parse().unwrap(),
    },
    "IPPROTO_IP, IP_BLOCK_SOURCE, \
     {imr_multiaddr=239.1.2.3, imr_interface=198.51.100.1, imr_sourceaddr=203.0.113.9}"
)]
#[case(
    opt("IPPROTO_IPV6", "MCAST_BLOCK_SOURCE"),
    Value::Source {
        group: "ff05::99".parse().unwrap(),
        link: None,
        source: "2001:db8::9".parse().unwrap(),
    },
    "IPPROTO_IPV6, MCAST_BLOCK_SOURCE, \
     {gsr_interface=0, gsr_group=ff05::99, gsr_source=2001:db8::9}"
)]
#[case(
    opt("IPPROTO_IP", "IP_MSFILTER"),
    Value::Filter {
        group: "239.1.2.3".parse().unwrap(),
        link: None,
        mode: "MCAST_EXCLUDE".into(),
        sources: vec![],
    },
    "IPPROTO_IP, IP_MSFILTER, \
     {imsf_multiaddr=239.1.2.3, imsf_interface=0.0.0.0, imsf_fmode=MCAST_EXCLUDE, imsf_slist=[]}"
)]
#[case(
    opt("IPPROTO_IP", "MCAST_MSFILTER"),
    Value::Filter {
        group: "239.1.2.3".parse().unwrap(),
        link: Some("tap0".into()),
        mode: "MCAST_INCLUDE".into(),
        sources: vec!["203.0.113.9".parse().unwrap(), "203.0.113.8".parse().unwrap()],
    },
    r#"IPPROTO_IP, MCAST_MSFILTER, {gf_interface=if_nametoindex("tap0"), gf_group=239.1.2.3, gf_fmode=MCAST_INCLUDE, gf_slist=[203.0.113.9, 203.0.113.8]}"#
)]
#[case(opt("IPPROTO_IP", "IP_TOS"), Value::Bytes(Hex(vec![1, 255])), "IPPROTO_IP, IP_TOS, 0x01ff")]
#[case(opt("IPPROTO_IP", "IP_TOS"), Value::Bytes(Hex(vec![])), "IPPROTO_IP, IP_TOS, 0 bytes")]
#[case(Opt::Intent(Intent::DontFragment), Value::Int(1), "IPPROTO_IPV6, IPV6_DONTFRAG, 1")]
#[case(
    Opt::Intent(Intent::BindToInterface),
    Value::Link("tap0".into()),
    r#"SOL_SOCKET, SO_BINDTODEVICE, "tap0""#
)]
fn every_option_value(#[case] option: Opt, #[case] value: Value, #[case] expected: &str) {
    let case = case([udp6("s"), set(option, value)]);
    let said = call_text(&Names::planned(&case, Os::Linux), 1, None);
    assert_eq!(said, format!("setsockopt(s, {expected})"));
}

#[rstest]
#[case(Os::Macos, "s", r#"setsockopt(s, IPPROTO_IPV6, IPV6_BOUND_IF, if_nametoindex("tap0"))"#)]
#[case(Os::Linux, "no", r#"setsockopt(no, "bind to interface", if_nametoindex("tap0"))"#)]
fn an_intent_is_said_as_the_system_says_it(
    #[case] os: Os,
    #[case] fd: &str,
    #[case] expected: &str,
) {
    let option = Opt::Intent(Intent::BindToInterface);
    let op = Op::Setsockopt { fd: fd.into(), option, value: Value::Link("tap0".into()) };
    let case = case([udp6("s"), op]);
    assert_eq!(call_text(&Names::planned(&case, os), 1, None), expected);
}
