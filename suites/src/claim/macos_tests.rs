//! For each claim about what XNU's source does otherwise, a trace that confirms it and some that refute it.

use harness::case::addr::SockAddr;
use harness::case::{Case, Flags, Hex, LinkKind, Op};
use harness::trace::{
    Did, Direction, End, Event, Fingerprint, Kevent, LinkFact, Out, Product, Trace,
};
use harness::wire::{TcpFlags, build};

use super::*;

/// A claim, one of its cases, what confirms it, and what refutes it each by itself.
///
/// A word is a call's result, `sendto=6`, and what it told behind a colon: an `int`, a port and a
/// scope id, a filter and its flags. `>link0:udp` is a packet that the call before it caused. Calls
/// that no word is about return 0, in the order of the case.
type Told = (&'static str, &'static str, &'static str, &'static [&'static str]);

const TOLD: &[Told] = &[
    (
        "xnu-down-unresolved-lost",
        "link-state/udp-sendto[tap,down,unresolved]",
        "sendto=6 getsockopt=0:0",
        &["sendto=ENETDOWN getsockopt=0:0", "sendto=6 >link0:udp getsockopt=0:0"],
    ),
    (
        "xnu-down-unresolved-lost-send",
        "link-state/udp-connected-before[tap,down,unresolved]",
        "connect=0 send=6 getsockopt=0:0",
        &["connect=0 send=ENETDOWN getsockopt=0:0", "connect=0 send=6 >link0:udp getsockopt=0:0"],
    ),
    (
        "xnu-down-unresolved-lost-sendmsg",
        "link-state/udp-pktinfo[tap,down,unresolved]",
        "sendmsg=6 getsockopt=0:0",
        &["sendmsg=ENETDOWN getsockopt=0:0", "sendmsg=6 >link0:udp getsockopt=0:0"],
    ),
    (
        "xnu-down-unresolved-lost-syn",
        "link-state/tcp-connect[tap,down,unresolved]",
        "connect=EINPROGRESS getsockopt=0:0",
        &["connect=ENETDOWN getsockopt=0:0", "connect=EINPROGRESS >link0:syn getsockopt=0:0"],
    ),
    (
        "xnu-down-group-delivered",
        "link-state/udp-sendto[tap,down,all-nodes]",
        "sendto=ENETDOWN >lo:udp recvfrom=6",
        &["sendto=ENETDOWN recvfrom=EAGAIN", "sendto=6 >link0:udp recvfrom=6"],
    ),
    (
        "xnu-failed-send-binds",
        "link-state/name-after-failure[tap,down,own,sendto]",
        "getsockname=0:0/0 sendto=ENETDOWN getsockname=0:50000/0",
        &[
            "getsockname=0:0/0 sendto=ENETDOWN getsockname=0:0/0",
            "getsockname=0:0/0 sendto=6 getsockname=0:50000/0",
        ],
    ),
    (
        "xnu-mapped-dontfrag-ignored",
        "fragmentation/payload[mapped,1500,on,fit+1]",
        "setsockopt=0 sendto=1473 >link0:piece >link0:piece",
        &["setsockopt=0 sendto=EMSGSIZE", "setsockopt=0 sendto=1473 >link0:udp4-df"],
    ),
    (
        "xnu-mapped-dontfrag-kept",
        "fragmentation/payload[mapped,1500,on,fit+1]",
        "setsockopt=0 sendto=EMSGSIZE",
        &[
            "setsockopt=0 sendto=1473 >link0:piece >link0:piece",
            "setsockopt=0 sendto=EMSGSIZE >link0:piece",
        ],
    ),
    (
        "xnu-mapped-dontfrag-off",
        "fragmentation/payload[mapped,1500,off,fit]",
        "setsockopt=0 sendto=1472 >link0:udp4",
        &["setsockopt=0 sendto=1472 >link0:udp4-df", "setsockopt=0 sendto=EMSGSIZE"],
    ),
    (
        "xnu-multicast-if-beats-bound-if",
        "multicast/bound-if[v4,interface,before,other]",
        "setsockopt=0 setsockopt=0 sendto=6 >link1:udp4",
        &[
            "setsockopt=0 setsockopt=0 sendto=6 >link0:udp4",
            "setsockopt=0 setsockopt=0 sendto=EINVAL",
        ],
    ),
    (
        "xnu-pktinfo-beats-scope",
        "scoped-ipv6/pktinfo[second,absent,neighbour,its-link,no-source]",
        "sendmsg=6 >link1:udp",
        &["sendmsg=EINVAL", "sendmsg=6 >link0:udp", "sendmsg=6"],
    ),
    (
        "xnu-bound-if-peer-without-scope",
        "scoped-ipv6/bound-interface[second,zero,neighbour,connect]",
        "connect=0 getpeername=0:12345/0 send=EHOSTUNREACH",
        &[
            "connect=EHOSTUNREACH getpeername=ENOTCONN send=EDESTADDRREQ",
            "connect=0 getpeername=0:12345/3 send=6 >link1:udp",
            "connect=0 getpeername=ENOTCONN send=EHOSTUNREACH",
        ],
    ),
    (
        "xnu-connect-across-zones",
        "scoped-ipv6/accept[second,other,any,own]",
        "connect=EINPROGRESS >lo:syn accept=EAGAIN",
        &[
            "connect=EINVAL accept=EAGAIN",
            "connect=EINPROGRESS >link1:syn accept=EAGAIN",
            "connect=EINPROGRESS >lo:syn accept=5",
        ],
    ),
    (
        "xnu-connect-across-zones-tun",
        "scoped-ipv6/accept[tun,other,any,own]",
        "connect=EINPROGRESS >link1:syn-bad",
        &["connect=EINPROGRESS >link1:syn", "connect=EINPROGRESS >link0:syn-bad", "connect=EINVAL"],
    ),
    (
        "xnu-loopback-source-lost",
        "link-state/loopback-source[tap,neighbour,sendto]",
        "sendto=6 >lo:udp getsockopt=0:0",
        &["sendto=EADDRNOTAVAIL getsockopt=0:0", "sendto=6 >link0:udp getsockopt=0:0"],
    ),
    (
        "xnu-utun-own-leaves",
        "link-state/udp-sendto[tun,up,own]",
        "sendto=6 >link0:udp-bad recvfrom=EAGAIN",
        &["sendto=6 >lo:udp recvfrom=6", "sendto=6 >link0:udp recvfrom=EAGAIN"],
    ),
    (
        "xnu-forged-icmp-taken",
        "fragmentation/path-mtu-forged[v4,unset,connected,never-sent]",
        "connect=0 recv=EMSGSIZE",
        &["connect=0 recv=EAGAIN"],
    ),
    (
        "xnu-lowat-counts-the-address",
        "darwin/kqueue-lowat[unix-dgram,read,11]",
        "kevent=1:EVFILT_READ/EV_ADD",
        &["kevent=0", "kevent=1:EVFILT_READ/EV_ERROR"],
    ),
    (
        "xnu-sendmsg-x-hides-what-left",
        "darwin/sendmsg-x[inet,up,addressed,too-big-last,df]",
        "setsockopt=0 sendmsg_x=EMSGSIZE >net0:udp4 >net0:udp4",
        &["setsockopt=0 sendmsg_x=2 >net0:udp4 >net0:udp4", "setsockopt=0 sendmsg_x=EMSGSIZE"],
    ),
    (
        "xnu-sendmsg-x-tells-what-left",
        "darwin/sendmsg-x[inet,up,addressed,too-big-last,df]",
        "setsockopt=0 sendmsg_x=2 >net0:udp4 >net0:udp4",
        &[
            "setsockopt=0 sendmsg_x=EMSGSIZE >net0:udp4 >net0:udp4",
            "setsockopt=0 sendmsg_x=3 >net0:udp4 >net0:udp4",
        ],
    ),
    (
        "xnu-mreqn-index-unread",
        "multicast/delivery[v4,any,other-link,alone,other-link]",
        "setsockopt=0 recvfrom=EAGAIN",
        &["setsockopt=0 recvfrom=9"],
    ),
];

#[test]
fn each_claim_about_xnu_can_be_confirmed_and_refuted() {
    let cases: Vec<Case> = crate::tables().into_iter().flat_map(|table| table.cases).collect();
    let mine = parse(include_str!("../../claims/macos.toml")).unwrap();
    let told: Vec<&str> = TOLD.iter().map(|told| told.0).collect();
    assert_eq!(mine.iter().map(|claim| claim.id.as_str()).collect::<Vec<_>>(), told);
    for (claim, (_, id, confirms, refute)) in mine.iter().zip(TOLD) {
        assert!(claim.concerns(id), "{}: {id}", claim.id);
        let case = cases.iter().find(|case| case.id == *id).unwrap();
        let kernel = ["11.5", "15.5"].map(kernel).into_iter();
        let kernel =
            kernel.into_iter().find(|kernel| claim.is_about(kernel) == Some(true)).unwrap();
        let test = |words: &'static str| claim.test(case, &trace(case, words), &kernel);
        let test_of = |words, standing| {
            let test = test(words);
            assert_eq!(test.standing, standing, "{}: {words}: {:?}", claim.id, test.why);
        };
        test_of(confirms, Standing::Confirmed);
        refute.iter().for_each(|words| test_of(words, Standing::Refuted));
    }
}

/// Those of which one kernel's source says one thing and another's the opposite are about either.
#[test]
fn what_a_version_mended_is_not_claimed_of_it() {
    let all = claims();
    let about = |id: &str, version: &str| {
        all.iter().find(|claim| claim.id == id).unwrap().is_about(&kernel(version))
    };
    for (before, after, last, first) in [
        ("xnu-mapped-dontfrag-ignored", "xnu-mapped-dontfrag-kept", "14.7", "15.0"),
        ("xnu-sendmsg-x-hides-what-left", "xnu-sendmsg-x-tells-what-left", "13.5", "14.0"),
    ] {
        assert_eq!((about(before, last), about(after, last)), (Some(true), Some(false)));
        assert_eq!((about(before, first), about(after, first)), (Some(false), Some(true)));
    }
    assert_eq!(about("bound-one-way-or-other", "15.1"), Some(false));
    assert_eq!(about("bound-one-way-or-other", "15.2"), Some(true));
}

fn kernel(version: &str) -> Kernel {
    let [version, build] = [version, ""].map(str::to_owned);
    let product =
        Product { version, build, content_filter: Some(false), default_route: Some(false) };
    let system = "Darwin".to_owned();
    Kernel::of(&Fingerprint { system, product: Some(product), ..Fingerprint::default() })
}

fn trace(case: &Case, words: &'static str) -> Trace {
    let mut words = words.split(' ').peekable();
    let mut events = Vec::new();
    for (op, what) in (0..).zip(&case.ops) {
        if matches!(what, Op::Lab { .. }) {
            continue;
        }
        let (ret, errno, out) =
            match words.next_if(|word| word.split('=').next() == Some(what.call())) {
                Some(word) => result(word.split_once('=').unwrap().1),
                None => (0, None, Out::Nothing),
            };
        let did = Did::Returned { ret, errno, out };
        events.push(Event::Call { op, at_ns: 0, took_ns: 0, addr: None, did });
        while let Some(word) = words.next_if(|word| word.starts_with('>')) {
            let (link, kind) = word[1..].split_once(':').unwrap();
            let bytes = Hex(packet(kind));
            events.push(Event::Frame {
                op,
                at_ns: 0,
                link: link.to_owned(),
                dir: Direction::Out,
                bytes,
            });
        }
    }
    assert_eq!(words.next(), None, "{} does not call that", case.id);
    let fact = |name: &str| {
        let (name, kind, mac) = (name.to_owned(), Some(LinkKind::Tun), Hex(vec![]));
        LinkFact { name, index: 2, kind, mac, unseen: false }
    };
    Trace::new(&case.id, ["lo", "link0", "link1", "net0"].map(fact).into(), events, End::Done)
}

fn result(text: &'static str) -> (i64, Option<harness::case::Sym>, Out) {
    let (ret, told) = text.split_once(':').unwrap_or((text, ""));
    let out = match told.split_once('/') {
        Some((filter, flags)) if filter.starts_with("EVFILT") => {
            let (fd, filter) = ("s".to_owned(), filter.into());
            let flags = vec![flags.into()];
            Out::Events(vec![Kevent {
                fd,
                filter,
                flags,
                fflags: Flags::NONE.0,
                data: 10,
                error: None,
            }])
        }
        Some((port, scope)) => {
            let (port, scope) = (port.parse().unwrap(), scope.parse().unwrap());
            Out::Addr(SockAddr::V6 { ip: "fe80::2".parse().unwrap(), port, scope })
        }
        None if told.is_empty() => Out::Nothing,
        None => Out::Int(told.parse().unwrap()),
    };
    match ret.parse() {
        Ok(ret) => (ret, None, out),
        Err(_) => (-1, Some(ret.into()), out),
    }
}

fn packet(kind: &str) -> Vec<u8> {
    let (kind, fault) = kind.split_once('-').unwrap_or((kind, ""));
    let of = |src: &str, dst: &str| [src, dst].map(|text| text.parse().unwrap());
    let [src, dst] = of("[fe80::1]:50000", "[fe80::2]:12345");
    let [src4, dst4] = of("192.0.2.1:50000", "192.0.2.2:12345");
    let syn = build::Segment { flags: TcpFlags::SYN, window: 65_535, ..build::Segment::default() };
    let mut bytes = match kind {
        "udp" => build::udp(build::Link::Ip, src, dst, 64, b"hello\0").unwrap(),
        "syn" => build::tcp_segment(build::Link::Ip, src, dst, 64, &syn).unwrap(),
        "udp4" | "piece" => build::udp(build::Link::Ip, src4, dst4, 64, b"hello\0").unwrap(),
        other => panic!("{other}"),
    };
    match (kind, fault) {
        (_, "bad") => *bytes.last_mut().unwrap() ^= 1,
        // The flags of IPv4: DF as the builder sets it, none, more fragments.
        (_, "df") => {}
        ("udp4", _) => bytes[6] = 0,
        ("piece", _) => bytes[6] = 0x20,
        _ => {}
    }
    bytes
}
