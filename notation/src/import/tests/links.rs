//! What tells of the host that a log is from: addresses, indices of links, keys.

use super::*;

const OPEN6: &str = "7 socket(AF_INET6, SOCK_DGRAM, IPPROTO_IP) = 3<UDPv6:[1]>\n";

#[rstest]
// 192.168.7.23 as the number that strace 6.1 has.
#[case::number(
    "SOL_IP, IP_MULTICAST_IF, [386377920], 4) = 0",
    "IPPROTO_IP, IP_MULTICAST_IF, own(link0,v4)) = 0"
)]
#[case::address(
    r#"SOL_IP, IP_MULTICAST_IF, [inet_addr("192.168.7.23")], 4) = 0"#,
    "IPPROTO_IP, IP_MULTICAST_IF, own(link0,v4)) = 0"
)]
#[case::request(
    r#"SOL_IP, IP_MULTICAST_IF, "\0\0\0\0\300\250\7\27", 8) = 0"#,
    "IPPROTO_IP, IP_MULTICAST_IF, own(link0,v4)) = 0"
)]
#[case::request_with_an_index(
    r#"SOL_IP, IP_MULTICAST_IF, "\0\0\0\0\0\0\0\0\27\0\0\0", 12) = 0"#,
    "IPPROTO_IP, IP_MULTICAST_IF, if_nametoindex(\"link0\")) = 0"
)]
#[case::structure(
    r#"SOL_IP, IP_MULTICAST_IF, {imr_multiaddr=inet_addr("0.0.0.0"), imr_interface=inet_addr("192.168.7.23"), imr_ifindex=23}, 12) = 0"#,
    "IPPROTO_IP, IP_MULTICAST_IF, if_nametoindex(\"link0\")) = 0"
)]
#[case::loopback(
    "SOL_IP, IP_MULTICAST_IF, [16777343], 4) = 0",
    "IPPROTO_IP, IP_MULTICAST_IF, 0x7f000001) = 0"
)]
#[case::index(
    "SOL_SOCKET, SO_BINDTOIFINDEX, [23], 4) = 0",
    "SOL_SOCKET, SO_BINDTOIFINDEX, if_nametoindex(\"link0\")) = 0"
)]
#[case::of_loopback(
    "SOL_SOCKET, SO_BINDTOIFINDEX, [1], 4) = 0",
    "SOL_SOCKET, SO_BINDTOIFINDEX, if_nametoindex(\"lo\")) = 0"
)]
#[case::of_nobody(
    "SOL_IPV6, IPV6_MULTICAST_IF, [23], 4) = -1 ENODEV (No such device)",
    "IPPROTO_IPV6, IPV6_MULTICAST_IF, 2139062143) = -1 ENODEV"
)]
#[case::no_link(
    "SOL_IPV6, IPV6_MULTICAST_IF, [0], 4) = 0",
    "IPPROTO_IPV6, IPV6_MULTICAST_IF, 0) = 0"
)]
#[case::v6(
    "SOL_IPV6, IPV6_MULTICAST_IF, [23], 4) = 0",
    "IPPROTO_IPV6, IPV6_MULTICAST_IF, if_nametoindex(\"link0\")) = 0"
)]
#[case::group_on_a_link(
    r#"SOL_IP, IP_ADD_MEMBERSHIP, {imr_multiaddr=inet_addr("239.1.1.1"), imr_interface=inet_addr("0.0.0.0"), imr_ifindex=23}, 12) = 0"#,
    "IPPROTO_IP, IP_ADD_MEMBERSHIP, {imr_multiaddr=239.1.1.1, imr_ifindex=if_nametoindex(\"link0\")}) = 0"
)]
#[case::group_of_ipv6(
    r#"SOL_IPV6, IPV6_ADD_MEMBERSHIP, {inet_pton(AF_INET6, "ff05::99", &ipv6mr_multiaddr), ipv6mr_interface=23}, 20) = 0"#,
    "IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, {ipv6mr_multiaddr=ff05::99, ipv6mr_interface=if_nametoindex(\"link0\")}) = 0"
)]
#[case::no_group(
    r#"SOL_IP, IP_ADD_MEMBERSHIP, {imr_multiaddr=inet_addr("192.168.7.23"), imr_interface=inet_addr("0.0.0.0")}, 8) = -1 EINVAL (Invalid argument)"#,
    "IPPROTO_IP, IP_ADD_MEMBERSHIP, {imr_multiaddr=192.0.2.2, imr_interface=0.0.0.0}) = -1 EINVAL"
)]
fn a_link_of_the_host_is_the_labs(#[case] call: &str, #[case] said: &str) {
    let log = format!("{OPEN6}7 setsockopt(3, {call}\n");
    let text = imported(&log).text;
    assert!(text.ends_with(&format!("\nsetsockopt(s, {said}\n")), "{text}");
    assert!(!text.contains("192.168") && !text.contains("386377920"), "{text}");
}

#[rstest]
#[case("SOL_IP, IP_UNICAST_IF, [385875968], 4", "in network byte order")]
#[case("SOL_IPV6, IPV6_UNICAST_IF, [385875968], 4", "in network byte order")]
#[case(r#"SOL_TCP, TCP_FASTOPEN_KEY, "topsecretkey0123", 16"#, "a secret, which is left out")]
#[case(
    r#"SOL_IP, IP_MULTICAST_IF, "\300\250\7\27\0", 5"#,
    "which link it is set to cannot be said"
)]
fn a_link_that_has_no_name_in_a_case_and_a_key_are_left_out(#[case] call: &str, #[case] why: &str) {
    let log = format!("{OPEN6}7 setsockopt(3, {call}) = 0\n");
    let text = imported(&log).text;
    let remark = text.lines().any(|line| line.starts_with("# setsockopt(s") && line.contains(why));
    assert!(remark && !text.contains("\nsetsockopt"), "{text}");
    assert!(!text.contains("topsecret") && !text.contains("385875968"), "{text}");
}

#[rstest]
#[case("SOL_IP, IP_MULTICAST_IF, [386377920], [4]", "IPPROTO_IP, IP_MULTICAST_IF) = 0, 192.0.2.1")]
#[case("SOL_IP, IP_UNICAST_IF, [385875968], [4]", "IPPROTO_IP, IP_UNICAST_IF) = 0")]
#[case("SOL_IPV6, IPV6_MULTICAST_IF, [23], [4]", "IPPROTO_IPV6, IPV6_MULTICAST_IF) = 0")]
#[case("SOL_SOCKET, SO_BINDTOIFINDEX, [23], [4]", "SOL_SOCKET, SO_BINDTOIFINDEX) = 0")]
#[case(
    r#"SOL_TCP, TCP_FASTOPEN_KEY, "topsecretkey0123", [16]"#,
    "IPPROTO_TCP, TCP_FASTOPEN_KEY, 16) = 0"
)]
fn what_was_asked_of_a_link_is_the_labs_or_nobodys(#[case] call: &str, #[case] said: &str) {
    let log = format!("{OPEN6}7 getsockopt(3, {call}) = 0\n");
    let text = imported(&log).text;
    assert!(text.ends_with(&format!("\ngetsockopt(s, {said}\n")), "{text}");
}

/// More hosts than one octet has numbers.
#[test]
fn many_hosts_are_as_many_in_the_lab() {
    let send = |n: usize| {
        let (high, low) = (n / 256, n % 256);
        format!(
            "7 sendto(3, \"x\", 1, 0, {{sa_family=AF_INET, sin_port=htons(9), \
             sin_addr=inet_addr(\"11.1.{high}.{low}\")}}, 16) = 1\n"
        )
    };
    let log = format!("{OPEN}{}", (0..600).map(send).collect::<String>());
    let text = imported(&log).text;
    let to = |line: &str| Some(line.split_once("{AF_INET ")?.1.split_once(':')?.0.to_owned());
    let all: std::collections::HashSet<String> = text.lines().filter_map(to).collect();
    assert_eq!(all.len(), 600);
    assert!(all.contains("198.18.1.0") && all.contains("198.18.2.88"), "{text}");
}
