use std::net::{IpAddr, Ipv6Addr};

use rstest::rstest;

use super::*;
use crate::case::addr::{Addr, Port, Range, Role};
use crate::case::{Flags, Lab, LinkKind};
use crate::darwin::down::StandIn;
use crate::exec::network::fake::Fake;
use crate::trace::LinkFact;

/// A runner of the case, before its first step.
pub(in crate::exec) fn runner<'c>(case: &'c Case, lab: &'c mut dyn Network) -> Runner<'c> {
    Runner {
        case,
        lab,
        folder: None,
        sockets: Vec::new(),
        closed: Vec::new(),
        streams: false,
        heard: false,
        events: Vec::new(),
        start: Instant::now(),
        pace: Pace::of(case),
        room: Vec::new(),
        blocking: Blocking::of(case),
        plant: None,
        threads: Threads::default(),
        received: Vec::new(),
        kept: Vec::new(),
        far: FarEnds::default(),
        short: false,
        beside: Out::Nothing,
        links: Vec::new(),
        ran: None,
        process: Process::default(),
    }
}

/// A thread's `accept4` on Darwin failed with ENOSYS, as if a kernel had been asked.
#[test]
fn what_a_system_has_not_got_no_thread_asks_for() {
    let (fd, new, flags) = ("s".to_owned(), "t".to_owned(), Flags::NONE);
    let accept4 = Op::Accept4 { fd: fd.clone(), new, flags };
    assert!(is_here(Some(Os::Linux), &accept4).is_ok());
    for os in [Some(Os::Macos), None] {
        assert!(
            matches!(is_here(os, &accept4), Err(Fault::Unsupported(name)) if name == "accept4")
        );
    }
    let ours = Op::Disconnectx { fd };
    assert!(is_here(Some(Os::Macos), &ours).is_ok() && is_here(Some(Os::Linux), &ours).is_err());
    // Nor does one begin it.
    let theirs = if Os::host() == Some(Os::Linux) { &ours } else { &accept4 };
    let case = Case::new("s/t", String::new(), Lab::loopback(), vec![theirs.clone()]);
    let mut lab = Fake::of(case.lab.clone());
    let end = runner(&case, &mut lab).thread_step(0, &case.ops[0]);
    signals::disarm();
    assert_eq!(end, Some(End::Unsupported));
}

#[test]
fn calls_have_the_hosts_own_address_and_the_trace_has_the_plans() {
    let fd = || "s".to_owned();
    let own = Addr::on("tap0", Role::Own, Range::Ll, 0);
    let (domain, r#type) = ("AF_INET6".into(), Flags::of(&["SOCK_DGRAM"]));
    let case = Case::new(
        "s/t",
        String::new(),
        Lab::one(LinkKind::Tap, "tap0"),
        vec![
            Op::Socket { fd: fd(), domain, r#type, protocol: Flags::NONE },
            Op::Bind { fd: fd(), addr: own },
            Op::Getsockname { fd: fd() },
            Op::Close { fd: fd() },
        ],
    );
    let (name, kind, mac) = ("tap0".to_owned(), Some(LinkKind::Tap), Hex(Vec::new()));
    let fact = LinkFact { name, index: 1, kind, mac, unseen: true };
    let stand_in = StandIn::new(("lo".to_owned(), vec![Ipv6Addr::LOCALHOST]));
    // A lab without root, for whose link loopback stands.
    let mut lab = Fake::of(case.lab.clone());
    (lab.facts, lab.stand_in) = (vec![fact], Some(stand_in));
    let mut runner = runner(&case, &mut lab);
    let end = runner.steps();
    signals::disarm();
    assert_eq!(end, End::Done);
    let [_, Event::Call { addr: Some(given), did: bound, .. }, Event::Call { did: named, .. }, _] =
        &runner.events[..]
    else {
        panic!("{:?}", runner.events)
    };
    let planned: IpAddr = "fe80::1".parse().expect("an address");
    assert_eq!(given.ip(), Some(planned));
    // Where there is no IPv6, bind has failed: fe80::1 itself would have failed everywhere.
    if let Did::Returned { ret: 0, .. } = bound {
        let Did::Returned { out: Out::Addr(name), .. } = named else { panic!("{named:?}") };
        assert_eq!(name.ip(), Some(planned));
    }
}

/// `fragmentation/payload-connected[v4,1280,unset,fit]`, once in some hundred runs: the datagram waited for
/// another processor, and was told as lost.
#[test]
fn what_leaves_late_is_not_lost() {
    let (domain, r#type) = ("AF_INET".into(), Flags::of(&["SOCK_DGRAM"]));
    let (fd, data) = ("s".to_owned(), crate::case::Payload::Text("x".to_owned()));
    let ops = vec![
        Op::Socket { fd: fd.clone(), domain, r#type, protocol: Flags::NONE },
        Op::Send { fd, data, flags: Flags::NONE },
    ];
    let lab = Lab::one(LinkKind::Tun, "tun0");
    let case = Case::new("s/t", String::new(), lab.clone(), ops);
    let udp = crate::wire::build::udp(
        crate::wire::build::Link::Ip,
        "192.0.2.1:9".parse().expect("an address"),
        "192.0.2.2:9".parse().expect("an address"),
        64,
        b"x",
    );
    let udp = udp.expect("a datagram");
    // A router solicitation, which the kernel sends of its own accord (RFC 4861 §6.3.7).
    let mut unasked = vec![0x60, 0, 0, 0, 0, 8, 58, 255];
    unasked.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    unasked.extend([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    unasked.extend([133, 0, 0x7b, 0xb8, 0, 0, 0, 0]);
    assert!(chatter(&decode(framing(&case, "tun0"), &unasked)).is_some());
    for (frames, ret, seen) in [
        (vec![unasked.clone(), udp.clone()], 1, 2),
        (vec![unasked.clone()], 1, 1),
        // A call that failed has nothing to wait for.
        (vec![unasked, udp], -1, 1),
    ] {
        // The first is there at once, the later ones after a millisecond.
        let (mut frames, mut since) = (frames.into_iter(), None);
        let mut late = Fake::of(lab.clone());
        late.drain = Box::new(move |sees| {
            let is_first = since.is_none();
            let since: &mut Instant = since.get_or_insert_with(Instant::now);
            if (is_first || since.elapsed() > Duration::from_millis(1))
                && let Some(frame) = frames.next()
            {
                sees("tun0", Direction::Out, &frame);
            }
        });
        let mut runner = runner(&case, &mut late);
        let did = Did::Returned { ret, errno: None, out: Out::Nothing };
        runner.events.push(Event::Call { op: 1, at_ns: 0, took_ns: 0, addr: None, did });
        runner.sent(1, &case.ops[1]);
        let of = |event: &&Event| matches!(event, Event::Frame { op: 1, .. });
        assert_eq!(runner.events.iter().filter(of).count(), seen);
    }
}

/// `connecting/again[timeout,unspec,block]`, once in some thirty runs: asked between the two, the kernel had set the
/// socket's error and not yet its state, and `poll` told `POLLERR` where who sleeps in it is told
/// `POLLOUT|POLLERR|POLLHUP`.
#[rstest]
#[case::half(&[0, 1, 2], 2)]
#[case::taken_by_another(&[0, 1, 0, 3, 3], 3)]
// Nothing was waited for, and the second answer is not asked for.
#[case::at_once(&[1, 2], 1)]
#[case::never(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0)]
fn what_comes_after_a_while_is_asked_for_again(#[case] answers: &[i64], #[case] told: i64) {
    let lab = Lab::one(LinkKind::Tun, "tun0");
    let case = Case::new("s/t", String::new(), lab.clone(), Vec::new());
    let mut quiet = Fake::of(lab);
    let (mut runner, mut answers) = (runner(&case, &mut quiet), answers.iter());
    let ret = runner.looks_in_slices(0, 20, |ms| {
        let answer = answers.next().copied().unwrap_or(0);
        let ms = Duration::from_millis(ms.unsigned_abs().into());
        std::thread::sleep(if answer == 0 { ms } else { Duration::ZERO });
        Ok(answer)
    });
    assert_eq!(ret, Ok(told));
}

/// `errors/state[shut-write,other-level]` beside twenty busy processes: its `connect` was called hung after 4,047 ms, of
/// which the far end, the executor's own, had none.
#[rstest]
#[case::as_ever(2_003, false)]
#[case::late(4_047, true)]
fn what_hangs_while_the_executor_stands_still_is_taken_again(
    #[case] took_ms: u64,
    #[case] again: bool,
) {
    let lab = Lab::one(LinkKind::Tun, "tun0");
    let op = Op::Recv { fd: "s".to_owned(), len: 1, flags: Flags::NONE };
    let case = Case::new("s/t", String::new(), lab.clone(), vec![op]);
    let mut quiet = Fake::of(lab);
    let mut runner = runner(&case, &mut quiet);
    let (did, end) = runner.hung(&case.ops[0], took_ms * 1_000_000);
    let after_ms = u32::try_from(took_ms).expect("it fits");
    assert_eq!((did, end), (Did::Hung { after_ms }, Some(End::Hung)));
    assert_eq!(runner.pace.pause_ms().is_some(), again);
}

/// Nothing waits for the executor: it was the kernel that kept the byte back for 200 ms, and the case that asked for
/// its window. All three takes of such a case were "the executor stood still", and no change of it was ever told.
#[test]
fn what_the_kernel_and_the_case_take_is_no_pause() {
    if Os::host() != Some(Os::Linux) {
        return eprintln!("skipped: the time is Linux's");
    }
    let name = |name: &str| name.to_owned();
    let stream = |fd| {
        let (domain, r#type) = ("AF_INET".into(), Flags::of(&["SOCK_STREAM"]));
        Op::Socket { fd: name(fd), domain, r#type, protocol: Flags::NONE }
    };
    let data = crate::case::Payload::Text(name("x"));
    let to = Addr { port: Port::Of(name("l")), ..Addr::ip([127, 0, 0, 1], 0) };
    let ops = vec![
        stream("l"),
        Op::Bind { fd: name("l"), addr: Addr::ip([127, 0, 0, 1], 0) },
        Op::Listen { fd: name("l"), backlog: 1 },
        stream("s"),
        Op::Connect { fd: name("s"), addr: to },
        Op::Accept { fd: name("l"), new: name("p") },
        Op::Send { fd: name("s"), data, flags: Flags::of(&["MSG_MORE"]) },
        Op::Recv { fd: name("p"), len: 1, flags: Flags::NONE },
    ];
    let mut case = Case::new("s/t", String::new(), Lab::loopback(), ops);
    case.window_ms = 60;
    let mut lab = Fake::of(case.lab.clone());
    let mut runner = runner(&case, &mut lab);
    let (began, end) = (Instant::now(), runner.steps());
    signals::disarm();
    assert_eq!(end, End::Done, "{:?}", runner.events);
    assert!(began.elapsed() > Duration::from_millis(200));
    assert_eq!(runner.pace.pause_ms(), None);
}
