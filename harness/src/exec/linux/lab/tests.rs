use std::net::{Ipv4Addr, SocketAddrV6, UdpSocket};

use super::*;
use crate::wire::{Framing, chatter, decode};

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

/// A network takes over from the one that it is made in how large its tables are.
#[test]
fn no_network_is_made_in_that_of_a_lab() {
    // In a thread of its own: it stays in the lab's network.
    let entries = || {
        let tables = |setup: Vec<LabOp>| {
            let lab = LinuxLab::build(&Lab::loopback().with(setup)).ok()?;
            let name = "net.ipv4.tcp_ehash_entries";
            let entries = std::fs::read_to_string(crate::case::sysctl::file(name));
            drop(lab);
            entries.ok()
        };
        let name = "net.ipv4.tcp_child_ehash_entries".to_owned();
        let small = LabOp::Sysctl { name, value: "1".to_owned() };
        Some([tables(Vec::new())?, tables(vec![small])?, tables(Vec::new())?])
    };
    match std::thread::spawn(entries).join().unwrap() {
        Some([before, _, after]) => assert_eq!(after, before),
        None => eprintln!("skipped: no network, or a kernel before 6.1"),
    }
}

/// What a restored lab says of its own accord within the time after which solicitations repeat, when
/// a datagram from the address of one link waits for the same address on the other; none where there
/// can be no lab.
fn left_behind() -> Option<Vec<Vec<u8>>> {
    let in_lab = || {
        let links = ["tap0", "tap1"].map(|name| Link::new(LinkKind::Tap, name));
        let mut lab = match LinuxLab::build(&Lab { links: links.into(), setup: Vec::new() }) {
            Ok(lab) => lab,
            Err(End::Skipped { reason }) => {
                eprintln!("skipped: {reason}");
                return None;
            }
            Err(end) => panic!("{end:?}"),
        };
        let IpAddr::V6(own) = ip_of(1, Role::Own, Range::Ll) else { panic!("not IPv6") };
        let on = |number: usize, port| SocketAddrV6::new(own, port, 0, lab.facts[number + 1].index);
        let socket = UdpSocket::bind(on(1, 0)).unwrap();
        // The other link is asked for by the message that says so, since the socket has an address.
        let sent = socket.send_to(b"x", on(0, 9));
        drop(socket);
        let mut asked = Vec::new();
        lab.drain(&mut |_, _, frame| asked.push(frame.to_vec()));
        assert!(sent.is_ok() && !asked.is_empty(), "{sent:?}");
        assert_eq!(lab.restore(false), Ok(true));
        assert_eq!(lab.asked, []);
        std::thread::sleep(Duration::from_millis(1_200));
        let mut seen = Vec::new();
        lab.drain(&mut |_, _, frame| {
            // Reports of its own memberships are nobody's case.
            if chatter(&decode(Framing::Ethernet, frame)).is_none() {
                seen.push(frame.to_vec());
            }
        });
        Some(seen)
    };
    std::thread::spawn(in_lab).join().unwrap()
}

#[test]
fn nobody_is_asked_for_in_a_restored_lab() {
    if let Some(seen) = left_behind() {
        assert_eq!(seen, Vec::<Vec<u8>>::new());
    }
}
