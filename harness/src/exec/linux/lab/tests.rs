use std::net::{Ipv4Addr, UdpSocket};

use super::*;

/// The links on which something is seen, in order, when a datagram was sent by a TAP and another
/// one to the host itself before anybody looked; none where there can be no lab.
fn order(setup: Vec<LabOp>) -> Option<Vec<String>> {
    // In a thread of its own: it stays in the lab's network.
    let in_lab = move || {
        let spec = Lab::one(LinkKind::Tap, "tap0").with(setup);
        let mut lab = match LinuxLab::build(&spec) {
            Ok(lab) => lab,
            Err(End::Skipped { reason }) => {
                eprintln!("skipped: {reason}");
                return None;
            }
            Err(end) => panic!("{end:?}"),
        };
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        socket.send_to(b"x", (ip_of(0, Role::Neighbour, Range::V4), 9)).unwrap();
        socket.send_to(b"x", (Ipv4Addr::LOCALHOST, 9)).unwrap();
        socket.send_to(b"x", (ip_of(0, Role::Neighbour, Range::V4), 9)).unwrap();
        let mut links = Vec::new();
        lab.drain(&mut |link, _, frame| {
            let ethertype = frame.get(12..14);
            // Without what the kernel says unasked of its IPv6 addresses, and the ICMP error.
            if ethertype == Some(&[8, 0]) && frame.get(23) == Some(&17) {
                links.push(link.to_owned());
            }
        });
        Some(links)
    };
    std::thread::spawn(in_lab).join().unwrap()
}

#[test]
fn where_timers_send_the_order_is_that_of_leaving() {
    let timer = LabOp::RetransTime { link: "tap0".to_owned(), ms: 200 };
    if let Some(links) = order(vec![timer]) {
        assert_eq!(links, ["tap0", "lo", "tap0"]);
    }
}

#[test]
fn elsewhere_loopback_is_looked_at_first() {
    if let Some(links) = order(Vec::new()) {
        assert_eq!(links, ["lo", "tap0", "tap0"]);
    }
}
