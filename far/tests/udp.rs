//! `udp` against sockets of Python, socat and nc.

mod clients;
mod common;
mod fits;

use std::net::UdpSocket;
use std::process::Command;
use std::time::Duration;

use common::{Far, has, output, shell};
use far::Asked;
use rstest::rstest;

fn asked(script: &str, groups: &[&str]) -> Asked {
    let groups = groups.iter().map(|&group| group.to_owned()).collect();
    Asked { script: script.to_owned(), groups, ..Asked::default() }
}

/// Whether a client of Python can be asked here for what the kernel tells: what is expected is Linux's to tell.
fn can_be_told() -> bool {
    if std::env::consts::OS != "linux" {
        eprintln!("skipped: other kernels tell less of a datagram");
        return false;
    }
    has("python3", "--version")
}

/// Python that has a socket `s` and sends to `to`.
fn python(at: std::net::SocketAddr, code: &str) -> Command {
    let family = if at.is_ipv4() { "AF_INET" } else { "AF_INET6" };
    let start = format!(
        "import socket\nfrom socket import *\ns = socket(AF_INET, SOCK_DGRAM) if '{family}' == 'AF_INET' else socket(AF_INET6, SOCK_DGRAM)\ns.settimeout(5)\nto = ('{}', {})\n",
        at.ip(),
        at.port()
    );
    let mut command = Command::new("python3");
    command.args(["-c", &format!("{start}{code}")]);
    command
}

/// What the summary says but for who sent.
fn without_senders(summary: Vec<String>) -> Vec<String> {
    summary.into_iter().filter(|line| !line.starts_with("127.0.0.1:")).collect()
}

#[rstest]
#[case::none("pass", &["no datagram came"], &["no datagram"], &["whole", "ttl 64"])]
#[case::numbered(
    "for n in range(1, 11): s.sendto(b'%d' % n, to)",
    &["10 datagrams came, 11 bytes, from 1 sender: all whole", "TTL 64; ECN Not-ECT; by lo",
      "  numbered 1 to 10 in decimal: all came, once and in order"],
    &["all 10", "whole", "ecn Not-ECT", "ttl 64"], &["all 9", "fragments", "no datagram"]
)]
#[case::disturbed(
    "for n in (1, 2, 5, 5, 3): s.sendto(n.to_bytes(8, 'big') + b'x', to)",
    &["5 datagrams came, 45 bytes, from 1 sender: all whole", "TTL 64; ECN Not-ECT; by lo",
      "  numbered 1 to 5 in 8 bytes: missing 4 (1 in all); doubled 5; out of order 3"],
    &[], &["all 4", "all 5"]
)]
#[case::marked(
    "s.setsockopt(IPPROTO_IP, IP_TTL, 7); s.setsockopt(IPPROTO_IP, IP_TOS, 0xba); s.sendto(b'x', to)",
    &["1 datagram came, 1 byte, from 1 sender: all whole", "TTL 7; ECN ECT(0); DSCP 46; by lo"],
    &["ttl 7", "ecn ect0"], &["ttl 64", "ecn ECT(1)", "ecn CE"]
)]
#[case::congested(
    "s.setsockopt(IPPROTO_IP, IP_TOS, 1); s.sendto(b'x', to); s.setsockopt(IPPROTO_IP, IP_TOS, 2); s.sendto(b'x', to)",
    &["2 datagrams came, 2 bytes, from 1 sender: all whole", "TTL 64; ECN ECT(1) (1), ECT(0) (1); by lo"],
    &[], &["ecn ECT(0)", "ecn ECT(1)"]
)]
#[case::long(
    "s.sendto(bytes(65507), to)",
    &["1 datagram came, 65507 bytes, from 1 sender: all whole", "TTL 64; ECN Not-ECT; by lo"],
    &["whole"], &["fragments"]
)]
fn datagrams_are_told(
    #[case] code: &str,
    #[case] expected: &[&str],
    #[case] holds: &[&str],
    #[case] not: &[&str],
) {
    if !can_be_told() {
        return;
    }
    let far = Far::start("udp", &asked("count", &[]));
    assert_eq!(output(python(far.addr, code)), "");
    let witness = far.witness();
    assert_eq!(without_senders(witness.summary()), expected);
    for (words, so) in holds.iter().map(|w| (w, true)).chain(not.iter().map(|w| (w, false))) {
        assert_eq!(witness.holds(words), Ok(so), "{words}");
    }
}

#[rstest]
#[case::lo(&["239.7.7.7%lo", "ff02::77%lo"], "239.7.7.7", &["group 239.7.7.7 on lo was joined: 1 datagram came to it", "group ff02::77 on lo was joined: nothing came to it"])]
#[case::another(&["239.7.7.8%lo"], "239.7.7.7", &["no datagram came", "group 239.7.7.8 on lo was joined: nothing came to it"])]
fn a_group_of_an_interface_is_heard(
    #[case] groups: &[&str],
    #[case] to: &str,
    #[case] expected: &[&str],
) {
    if !can_be_told() {
        return;
    }
    let far = Far::start("udp", &asked("count", groups));
    let send = format!(
        "s.setsockopt(IPPROTO_IP, IP_MULTICAST_IF, inet_aton('127.0.0.1')); s.sendto(b'x', ('{to}', to[1]))"
    );
    assert_eq!(output(python(far.addr, &send)), "");
    let summary = far.end();
    for line in expected {
        assert!(summary.iter().any(|l| l == line), "{line}\n{}", summary.join("\n"));
    }
}

#[test]
fn a_group_that_cannot_be_joined_is_an_error() {
    let offer = far::OFFERS.iter().find(|offer| offer.name == "udp").unwrap();
    let made = (offer.make)(&asked("count", &["239.7.7.7%nowhere"])).unwrap();
    let at = "127.0.0.1:0".parse().unwrap();
    let error = far::net::Server::start(at, made.kind, made.witness, |_| {}).err().unwrap();
    let expected = "the group 239.7.7.7%nowhere cannot be joined: there is no such interface";
    assert_eq!(error.to_string(), expected);
}

/// A connected socket takes answers of no other address.
#[rstest]
#[case("0.0.0.0:0", "127.0.0.1")]
#[case("0.0.0.0:0", "127.0.0.9")]
#[case("[::]:0", "::1")]
#[case("[::]:0", "127.0.0.9")]
fn an_echo_comes_from_where_it_was_asked(#[case] at: &str, #[case] asked_at: &str) {
    if !can_be_told() {
        return;
    }
    let far = Far::start_at(at, "udp", &asked("echo", &[]));
    let from = if asked_at.contains(':') { "[::1]:0" } else { "127.0.0.1:0" };
    let socket = UdpSocket::bind(from).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket.connect((asked_at, far.addr.port())).unwrap();
    socket.send(b"who").unwrap();
    let mut room = [0; 9];
    assert_eq!(socket.recv(&mut room).unwrap(), 3);
    assert!(far.end()[0].ends_with("all whole"));
}

#[test]
fn a_slow_echo_is_late() {
    let far = Far::start("udp", &asked("echo-slow", &[]));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket.send_to(b"x", far.addr).unwrap();
    let began = std::time::Instant::now();
    socket.recv(&mut [0; 9]).unwrap();
    assert!(began.elapsed() > Duration::from_millis(1900));
}

#[rstest]
#[case::refuse("refuse", "ConnectionRefusedError", true)]
#[case::count("count", "timed out", false)]
fn a_port_is_closed_behind_the_first_datagram(
    #[case] script: &str,
    #[case] error: &str,
    #[case] is_closed: bool,
) {
    if !can_be_told() {
        return;
    }
    let far = Far::start("udp", &asked(script, &[]));
    let code = "s.settimeout(1); s.connect(to); s.send(b'1')\nimport time; time.sleep(.3); s.send(b'2'); s.recv(9)";
    let said = output(python(far.addr, code));
    assert!(said.contains(error), "{said}");
    let summary = far.end();
    let line = "behind the first one the port was closed: others were refused";
    assert_eq!(summary.iter().any(|l| l == line), is_closed, "{summary:?}");
    let expected = if is_closed { "1 datagram came" } else { "2 datagrams came" };
    assert!(summary[0].starts_with(expected), "{summary:?}");
}

#[rstest]
#[case("socat", "-V", "printf hello | socat -t1 - UDP4:127.0.0.1:PORT")]
#[case("nc", "-h", "printf hello | nc -u -w1 127.0.0.1 PORT")]
fn others_are_echoed(#[case] program: &str, #[case] words: &str, #[case] script: &str) {
    if !can_be_told() || !has(program, words) {
        return;
    }
    let far = Far::start("udp", &asked("echo", &[]));
    let said = output(shell(&script.replace("PORT", &far.addr.port().to_string())));
    assert_eq!(said, "hello");
    assert_eq!(far.end()[0], "1 datagram came, 5 bytes, from 1 sender: all whole");
}

/// More than are read at once wait to be read when the server ends.
#[test]
fn what_waits_at_the_end_is_told() {
    let far = Far::start("udp", &asked("count", &[]));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for n in 1..=200 {
        socket.send_to(n.to_string().as_bytes(), far.addr).unwrap();
    }
    let witness = far.witness();
    assert_eq!(witness.holds("all 200"), Ok(true), "{:?}", witness.summary());
}

/// In a network of its own, whose loopback takes no more than 1280 bytes at once.
#[test]
fn inside() {
    let Some((at, code)) = common::inside_args() else { return };
    assert_eq!(output(shell("ip link set lo mtu 1280 up")), "");
    let far = Far::start_at(&at, "udp", &asked("count", &[]));
    println!("SAID {}", output(python(far.addr, &code)).replace('\n', " "));
    far.end().iter().for_each(|line| println!("LINE {line}"));
}

#[rstest]
#[case::fragments(
    "127.0.0.1:0",
    "s.setsockopt(IPPROTO_IP, 10, 0); s.sendto(bytes(2000), to)",
    "",
    "1 datagram came, 2000 bytes, from 1 sender: all in fragments, of which the largest had 1276 bytes"
)]
#[case::fragments_of_ipv6(
    "[::1]:0",
    "s.sendto(bytes(2000), to)",
    "",
    "1 datagram came, 2000 bytes, from 1 sender: all in fragments, of which the largest had 1280 bytes"
)]
#[case::whole(
    "127.0.0.1:0",
    "s.setsockopt(IPPROTO_IP, 10, 0); s.sendto(bytes(1200), to)",
    "",
    "1 datagram came, 1200 bytes, from 1 sender: all whole"
)]
#[case::do_not_fragment(
    "127.0.0.1:0",
    "s.setsockopt(IPPROTO_IP, 10, 2); s.sendto(bytes(2000), to)",
    "Message too long",
    "no datagram came"
)]
fn fragments_are_told(
    #[case] at: &str,
    #[case] code: &str,
    #[case] said: &str,
    #[case] expected: &str,
) {
    if !can_be_told() {
        return;
    }
    let Some((got, summary)) = common::outside("inside", at, code) else { return };
    assert!(got.contains(said), "{got}");
    assert_eq!(summary[0], expected);
}
