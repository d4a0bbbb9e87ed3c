use crate::case::addr::Addr;
use crate::case::op::{Opt, Value};
use crate::case::{Case, Flags, Lab, Op, Payload};
use crate::exec::network::fake::Fake;
use crate::exec::run::run;
use crate::trace::{End, Event};

/// How a case of a datagram socket ends there, of how many calls, and what was asked.
fn ended(is_shared: bool, ops: Vec<Op>) -> (End, usize, Vec<(String, bool)>) {
    let (domain, r#type) = ("AF_INET".into(), Flags::of(&["SOCK_DGRAM"]));
    let socket = Op::Socket { fd: "s".to_owned(), domain, r#type, protocol: Flags::NONE };
    let case = Case::new("s/t", String::new(), Lab::loopback(), [vec![socket], ops].concat());
    let mut asked = Vec::new();
    let mut lab = Fake::of(Lab::loopback());
    // In the host's own network, from which all but loopback leads away.
    lab.is_shared = is_shared;
    lab.leaves = Box::new(|reach| {
        asked.push((reach.to.to_string(), reach.joins));
        (!reach.to.is_loopback()).then(|| "it would leave by en0".to_owned())
    });
    let (trace, _) = run(&case, &mut lab, None, None);
    drop(lab);
    let calls = trace.events.iter().filter(|event| matches!(event, Event::Call { .. })).count();
    (trace.end, calls, asked)
}

const FD: &str = "s";

fn sendto(to: [u8; 4]) -> Op {
    let (data, flags) = (Payload::Text("x".to_owned()), Flags::NONE);
    Op::Sendto { fd: FD.to_owned(), data, flags, addr: Addr::ip(to, 9) }
}

fn asked(to: &str, joins: bool) -> (String, bool) {
    (to.to_owned(), joins)
}

#[test]
fn a_call_that_would_send_elsewhere_is_not_made() {
    let bind = Op::Bind { fd: FD.to_owned(), addr: Addr::ip([127, 0, 0, 1], 0) };
    let (end, calls, told) = ended(true, vec![bind, sendto([192, 0, 2, 9])]);
    assert_eq!(end, End::skipped("it would leave by en0".to_owned()));
    assert_eq!((calls, told), (2, vec![asked("192.0.2.9", false)]));
}

#[test]
fn a_connected_socket_is_asked_for_by_its_peer() {
    let connect = Op::Connect { fd: FD.to_owned(), addr: Addr::ip([127, 0, 0, 1], 9) };
    let (data, flags) = (Payload::Text("x".to_owned()), Flags::NONE);
    let send = Op::Send { fd: FD.to_owned(), data, flags };
    let (end, calls, told) = ended(true, vec![connect, send]);
    assert_eq!((end, calls), (End::Done, 3));
    assert_eq!(told, [asked("127.0.0.1", false), asked("127.0.0.1", false)]);
}

#[test]
fn a_group_is_not_joined_on_an_interface_of_the_hosts() {
    let join = Op::Setsockopt {
        fd: FD.to_owned(),
        option: Opt::Raw { level: "IPPROTO_IP".into(), name: "IP_ADD_MEMBERSHIP".into() },
        value: Value::Membership { group: [239, 1, 2, 3].into(), link: None },
    };
    let (end, calls, told) = ended(true, vec![join]);
    assert_eq!(end, End::skipped("it would leave by en0".to_owned()));
    assert_eq!((calls, told), (1, vec![asked("239.1.2.3", true)]));
}

/// A lab with a network of its own makes no other call than the case's.
#[test]
fn nothing_is_asked_where_nothing_can_leave() {
    let (_, calls, told) = ended(false, vec![sendto([127, 0, 0, 1])]);
    assert_eq!((calls, told), (2, Vec::new()));
}
