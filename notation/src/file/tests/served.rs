//! What is wrong with a server of the lab is told at its own line, and at the word where that is one.

use super::*;

#[rstest]
#[case("serve link0 443: tls nosuch", "nosuch", "tls has no script \"nosuch\", and sockeye")]
#[case("serve link0 443: tls self-singed", "self-singed", "nearest is self-signed")]
#[case("serve link0 443: tls good for -bad-.example", "-bad-.example", "no name of a certificate")]
#[case("serve link0 443: tls for b for b", "", "nothing more is expected here")]
#[case("serve link0 443: tls for a.b and a.b", "a.b", "stands twice")]
#[case("serve link0 80: http for a.example", "a.example", "http has no certificate")]
#[case("serve link0 443 by UDP: tls", "tls", "\"tls\" is spoken by TCP: serve link0 443: tls")]
#[case("serve link0 443: quic h3", "quic", "\"quic\" is spoken by UDP: serve link0 443 by UDP")]
#[case("serve link0 0: http", "serve link0 0: http", "at port 0: ports are 1 to 65535")]
#[case("serve lnik0 80: http", "lnik0", "a server on \"lnik0\", which is no tun of the lab")]
#[case("serve tap0 80: http", "tap0", "\"tap0\" is a tap")]
#[case("serve link0 80: http", "serve link0 80: http", "two servers at port 80 of TCP")]
#[case(
    "serve link0 53 by UDP: echo\nname server link0 53 at v4, options timeout:1: a A is ::1",
    "name server link0 53 at v4, options timeout:1: a A is ::1",
    "two servers at port 53 of UDP, a name server's"
)]
fn a_server_is_wrong_where_it_stands(#[case] line: &str, #[case] at: &str, #[case] says: &str) {
    let text = format!(
        "tun link0\ntap tap0\nserve link0 80: close\nserve link0 80 by UDP: echo\n{line}\n\
         socket(AF_INET, SOCK_DGRAM, 0) = s\n"
    );
    let faults = wrong(&text);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].1.contains(says), "{faults:?}");
    if !at.is_empty() {
        assert_eq!(faults[0].0, at, "{faults:?}");
    }
}

/// A server of which nothing is said takes connections, and reads and sends nothing.
#[test]
fn a_server_without_steps_is_one() {
    let made =
        |line: &str| one(&format!("tun link0\n{line}\nsocket(AF_INET, SOCK_DGRAM, 0) = s\n")).case;
    assert_eq!(made("serve link0 443:"), made("serve link0 443"));
}
