//! Parts, masks, owners and numbers, read and printed.

use rstest::rstest;

use super::{case, refused};
use crate::{print, read, render};

/// As it is written, and what is read of it is printed in that form.
#[rstest]
#[case(
    "sendmsg(s, {msg_iov=[\"x\", \"yy\"]}, 0)",
    "sendmsg(s, {msg_iov=[{\"x\", 1}, {\"yy\", 2}]}, 0)"
)]
#[case("sendmsg(s, {msg_iov=[{\"x\", 1}, {\"yy\", 2}]}, 0)", "")]
#[case(
    "sendmsg(s, {msg_iov=[\"x\", pattern[0..9]]}, 0)",
    "sendmsg(s, {msg_iov=[{\"x\", 1}, {pattern[0..9], 9}]}, 0)"
)]
#[case("sendmsg(s, {msg_iov=[\"x\", 1]}, 0)", "")]
#[case(
    "sendmsg(s, {msg_iov=[{\"x\", 2}, {\"yy\", 2}]}, 0)",
    "sendmsg(s, {msg_iov=[{0x78, 2}, {0x7979, 2}]}, 0)"
)]
#[case("recvmsg(s, {msg_iov=[4, 8]}, 0)", "")]
#[case("recvmsg(s, {msg_iov=[0, 8, 1], msg_controllen=64}, 0)", "")]
#[case(
    "sendmmsg(s, [{msg_iov=[\"x\", 1], msg_control=[{IPPROTO_IP, IP_TTL, 9}]}, {msg_iov=[\"y\", 1]}], 2, 0)",
    ""
)]
#[case("ppoll([{s, POLLIN}], NULL, {SIGUSR1, SIGIO})", "")]
#[case("pselect([s], NULL, NULL, NULL, {})", "")]
#[case("epoll_pwait(s, 4, -1, {SIGUSR2})", "")]
#[case("epoll_pwait(s, 4, -1, NULL)", "")]
#[case("socket(77, 0xd|SOCK_CLOEXEC, 0x40000) = n", "")]
#[case("ioctl(s, FIOSETOWN, [own])", "")]
#[case("ioctl(s, SIOCSPGRP, [0])", "")]
#[case("fcntl(s, F_SETOWN, own)", "")]
#[case("fcntl(s, F_GETOWN)", "")]
#[case("ioctl(s, SIOCSIFMTU, {ifr_name=\"net0\", ifr_mtu=1300})", "")]
#[case("ioctl(s, SIOCSIFFLAGS, {ifr_name=\"net0\", ifr_flags=IFF_UP})", "")]
#[case("ioctl(s, SIOCSIFFLAGS, {ifr_name=\"net0\", ifr_flags=0})", "")]
#[case("ioctl(s, SIOCGIFNAME, {ifr_ifindex=if_nametoindex(\"net0\")})", "")]
#[case("ioctl(s, SIOCGIFNAME, {ifr_ifindex=77})", "")]
#[case("ioctl(s, SIOCGIFCONF)", "")]
#[case(
    "getsockopt(s, SOL_SOCKET, SO_TYPE, ROOM, [4294967295])",
    "getsockopt(s, SOL_SOCKET, SO_TYPE, ROOM, [-1])"
)]
#[case(
    "setsockopt(s, SOL_SOCKET, SO_TYPE, ROOM, 4294967295)",
    "setsockopt(s, SOL_SOCKET, SO_TYPE, ROOM, -1)"
)]
#[case("getsockopt(s, SOL_SOCKET, SO_TYPE, ROOM, [2147483647])", "")]
#[case(
    "setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, {imr_multiaddr=224.0.0.9, imr_interface=192.0.2.9})",
    ""
)]
#[case(
    "setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, {imr_multiaddr=224.0.0.9, imr_ifindex=0x7f7f7f7f})",
    ""
)]
#[case(
    "setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, {ipv6mr_multiaddr=ff02::9, ipv6mr_interface=0x7f7f7f7f})",
    ""
)]
#[case(
    "setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, 0xe000000901000000)",
    "setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, {imr_multiaddr=224.0.0.9, imr_interface=1.0.0.0})"
)]
#[case("setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, 0xe0000009)", "")]
fn what_came_later_is_read_and_printed(#[case] call: &str, #[case] printed: &str) {
    let text = format!("{}{call}\n", print(&case(Vec::new())));
    let read = read("calls", &text)
        .unwrap_or_else(|faults| panic!("{}", render(&faults, "calls", &text, false)));
    let shown = print(&read[0].case);
    let printed = if printed.is_empty() { call } else { printed };
    assert!(shown.ends_with(&format!("{printed}\n")), "{shown}");
}

#[rstest]
#[case("sendmsg(s, {msg_iov=[\"x\", yy]}, 0)", "is expected here")]
#[case("recvmsg(s, {msg_iov=[]}, 0)", "a length, as in msg_iov=[64]")]
#[case("recvmmsg(s, {msg_iov=[4, 8]}, 2, 0, NULL)", "one length")]
#[case(
    "sendmsg_x(s, [{msg_iov=[\"x\"], msg_control=[{IPPROTO_IP, IP_TTL, 9}]}], 1, 0)",
    "no control messages"
)]
#[case("ppoll([{s, POLLIN}], NULL, {SIGALRM})", "SIGALRM is no word for a signal")]
#[case("ppoll([{s, POLLIN}], NULL, SIGUSR1)", "a mask such as {SIGUSR1}")]
#[case("epoll_pwait(s, 4, -1)", "wants NULL or a mask")]
#[case("socket(0x7g, SOCK_STREAM, 0) = n", "an even number of hexadecimal digits")]
#[case("socket(-1, SOCK_STREAM, 0) = n", "a name, or a number")]
#[case("setsockopt(s, IPPROTO_IP, IP_OPTIONS, 0x123)", "bytes having an even number")]
#[case("ioctl(s, FIOSETOWN, [77])", "[own] or [0]")]
#[case("ioctl(s, FIOSETOWN)", "a case cannot write")]
#[case("fcntl(s, F_SETOWN, 1)", "own or 0")]
#[case("ioctl(s, SIOCSIFMTU, {ifr_name=\"lo\", ifr_mtu=9})", "a link that the lab has made")]
#[case("ioctl(s, SIOCSIFFLAGS, {ifr_name=\"net0\", ifr_flags=IFF_PROMISC})", "IFF_UP or 0")]
#[case("ioctl(s, SIOCGIFNAME, {ifr_name=\"net0\"})", "ifr_ifindex is missing")]
#[case("getsockopt(s, SOL_SOCKET, SO_TYPE, ROOM, [4294967296])", "out of range")]
#[case("mkdir(\"d\", 0780)", "octal digits")]
#[case("mkdir(\"d\")", "wants a mode")]
#[case("mkdir(\"../d\", 0700)", "is no path")]
#[case("symlink(\"a\")", "wants a path")]
#[case("unlink(d)", "text in quotes is expected")]
fn what_came_later_is_wrong_in_one_sentence(#[case] call: &str, #[case] why: &str) {
    let said = refused(call);
    assert!(said.contains(why), "{said}");
}
