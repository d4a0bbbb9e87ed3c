use std::net::IpAddr;

use rstest::rstest;

use super::*;
use crate::case::{Flags, Hex, Lab, Payload, Threads};
use crate::trace::Received;

fn link() -> String {
    "tap0".to_owned()
}

fn down() -> LabOp {
    LabOp::LinkDown { link: link() }
}

fn case(lab: Lab, ops: Vec<Op>) -> Case {
    let (id, title, catalogue) = ("s/t".to_owned(), String::new(), Vec::new());
    Case { id, title, catalogue, lab, ops, window_ms: 0, threads: Threads::NONE }
}

fn tap() -> Lab {
    Lab::one(LinkKind::Tap, "tap0")
}

fn send_to(addr: Addr) -> Op {
    let data = Payload::Text("hello".to_owned());
    Op::Sendto { fd: "s".to_owned(), data, flags: Flags::NONE, addr }
}

fn to(role: Role, range: Range) -> Op {
    send_to(Addr::on("tap0", role, range, 9))
}

fn socket(domain: &'static str, kind: &'static str) -> Op {
    let (fd, protocol) = ("s".to_owned(), Flags::NONE);
    Op::Socket { fd, domain: domain.into(), r#type: Flags::of(&[kind]), protocol }
}

#[test]
fn a_link_is_down_by_the_lab_or_before_the_first_call() {
    let own = to(Role::Own, Range::Ll);
    let step = |step| Op::Lab { step };
    assert!(fits(&case(tap().with([down()]), vec![own.clone()])));
    assert!(fits(&case(tap(), vec![step(down()), own.clone()])));
    let again = LabOp::LinkUp { link: link() };
    let serve = LabOp::Hosts { lines: Vec::new() };
    let address = LabOp::AddressAdd { link: link(), range: Range::Ll };
    for (lab, ops) in [
        (tap(), vec![own.clone()]),
        (tap(), vec![own.clone(), step(down())]),
        (tap(), vec![step(down()), own.clone(), step(again.clone())]),
        (tap().with([down(), again]), vec![own.clone()]),
        (tap().with([down(), serve]), vec![own.clone()]),
        (tap().with([down(), address]), vec![own.clone()]),
        (tap().with([LabOp::LinkDown { link: "lo".to_owned() }]), vec![own.clone()]),
        (Lab::one(LinkKind::Tun, "tap0").with([down()]), vec![own]),
        (Lab::loopback(), Vec::new()),
    ] {
        let case = case(lab, ops);
        assert!(!fits(&case), "{case:?}");
    }
    let mut two = tap().with([down()]);
    two.links.push(Link::new(LinkKind::Tap, "tap1"));
    assert!(!fits(&case(two, Vec::new())));
    let mut small = tap().with([down()]);
    small.links[0].mtu = 1280;
    assert!(!fits(&case(small, Vec::new())));
}

#[rstest]
#[case::own(to(Role::Own, Range::Ll), true)]
#[case::neighbour(to(Role::Neighbour, Range::Ll), true)]
#[case::global(to(Role::Neighbour, Range::V6), false)]
#[case::v4(to(Role::Own, Range::V4), false)]
#[case::any(send_to(Addr::ip([0u16; 8], 9)), true)]
#[case::off_link(send_to(Addr::ip([0x2001, 0xdb8, 1, 0, 0, 0, 0, 1], 9)), false)]
#[case::group(send_to(Addr::ip([0xff02, 0, 0, 0, 0, 0, 0, 1], 9).scoped(Scope::Link(link()))), true)]
// It would leave by another interface, onto somebody's network.
#[case::no_zone(send_to(Addr::ip([0xff02, 0, 0, 0, 0, 0, 0, 1], 9)), false)]
#[case::own_without(send_to(Addr::on("tap0", Role::Own, Range::Ll, 9).scoped(Scope::Zero)), false)]
#[case::wider(send_to(Addr::ip([0xff05, 0, 0, 0, 0, 0, 0, 1], 9).scoped(Scope::Link(link()))), false)]
#[case::broadcast(send_to(Addr::ip([255, 255, 255, 255], 9)), false)]
#[case::udp(socket("AF_INET6", "SOCK_DGRAM"), true)]
#[case::udp4(socket("AF_INET", "SOCK_DGRAM"), false)]
#[case::raw(socket("AF_INET6", "SOCK_RAW"), false)]
#[case::flags(Op::Ioctl { fd: "s".into(), request: "SIOCGIFFLAGS".into(), link: Some(link()), given: None }, false)]
#[case::room(Op::Recvmsg { fd: "s".into(), len: 9, lens: Vec::new(), control_len: 0, flags: Flags::NONE }, true)]
// In its IPV6_PKTINFO would be the host's address.
#[case::control(Op::Recvmsg { fd: "s".into(), len: 9, lens: Vec::new(), control_len: 64, flags: Flags::NONE }, false)]
#[case::inject(Op::Lab { step: LabOp::Inject { link: link(), frame: Hex(Vec::new()) } }, false)]
#[case::run(Op::Run { argv: Vec::new(), limit_ms: 1 }, false)]
fn a_call_asks_no_more(#[case] op: Op, #[case] expected: bool) {
    assert_eq!(fits(&case(tap().with([down()]), vec![op])), expected);
}

fn ips(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|ip| ip.parse().expect("an address")).collect()
}

#[test]
fn the_first_by_name_that_is_down_and_has_an_address_is_chosen() {
    let all = || {
        [
            ("lo0", 0x8008, ips(&["fe80::1"])),
            ("utun3", 0x8010, ips(&["fe80:12::7"])),
            ("en0", 0x8863, ips(&["fe80:4::10", "192.0.2.7"])),
            ("ap1", 0x8802, ips(&[])),
            ("llw0", 0x8822, ips(&["fe80:e::20"])),
            ("bridge0", 0x8822, ips(&["192.0.2.8", "2001:db8::8"])),
            ("awdl0", 0x8802, ips(&["2001:db8::8", "fe80:d::20", "fe80:d::21"])),
            // As if it were the lab's neighbour.
            ("anpi0", 0x8822, ips(&["fe80:5::2"])),
        ]
    };
    let chosen = |up| choose(all(), up).map(|(name, ips)| (name, ips[0].to_string(), ips.len()));
    assert_eq!(chosen(false), Some(("awdl0".to_owned(), "fe80::20".to_owned(), 2)));
    assert_eq!(chosen(true), Some(("en0".to_owned(), "fe80::10".to_owned(), 1)));
    let backwards = all().into_iter().rev();
    assert_eq!(choose(backwards, false), choose(all(), false));
    assert_eq!(choose(all().into_iter().take(4), false), None);
}

#[test]
fn a_trace_has_the_plans_addresses() {
    let addresses = ["fe80::aa:bbcc", "fe80::dd"].map(|ip| ip.parse().expect("an address"));
    let stand_in = StandIn::new(("awdl0".to_owned(), addresses.to_vec()));
    for (plan, real) in [
        ("fe80::1", "fe80::aa:bbcc"),
        ("ff02::1:ff00:1", "ff02::1:ffaa:bbcc"),
        ("fe80::2", "fe80::2"),
        ("ff02::1", "ff02::1"),
        ("::", "::"),
    ] {
        assert_eq!(stand_in.real(plan.parse().unwrap()), real.parse::<IpAddr>().unwrap());
    }
    let shown = |text: &str| {
        let given: SockAddr = text.parse().expect("an address");
        let (mut addr, mut out) = (given.clone(), Out::Addr(given.clone()));
        stand_in.hide(Some(&mut addr), &mut out);
        assert_eq!(out, Out::Addr(addr.clone()));
        let none = Hex(Vec::new());
        let from = Some(given);
        let one = Received {
            len: 0,
            bytes: none.clone(),
            from: from.clone(),
            flags: Vec::new(),
            control: Vec::new(),
        };
        let mut messages = Out::Messages(vec![one.clone()]);
        stand_in.hide(None, &mut messages);
        assert_eq!(messages, Out::Messages(vec![Received { from: Some(addr.clone()), ..one }]));
        let data =
            |from| Out::Data { bytes: none.clone(), from, flags: Vec::new(), control: Vec::new() };
        let mut out = data(from);
        stand_in.hide(None, &mut out);
        assert_eq!(out, data(Some(addr.clone())));
        addr.to_string()
    };
    assert_eq!(shown("{AF_INET6 [fe80::aa:bbcc%9]:7}"), "{AF_INET6 [fe80::1%9]:7}");
    assert_eq!(shown("{AF_INET6 [fe80::dd%9]:7}"), "{AF_INET6 [fe80::1%9]:7}");
    assert_eq!(shown("{AF_INET6 [fe80:9::dd]:7}"), "{AF_INET6 [fe80:9::1]:7}");
    assert_eq!(shown("{AF_INET6 [ff02::1:ffaa:bbcc%9]:7}"), "{AF_INET6 [ff02::1:ff00:1%9]:7}");
    assert_eq!(shown("{AF_INET6 [fe80::2%9]:7}"), "{AF_INET6 [fe80::2%9]:7}");
    assert_eq!(shown("{AF_INET 192.0.2.1:7}"), "{AF_INET 192.0.2.1:7}");
}
