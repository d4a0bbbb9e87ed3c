//! Reproducers of the calls that wait for several descriptors, send and receive several pieces of data, make
//! descriptors that are no sockets and tell of interfaces: each of them is made to succeed and to fail, by the
//! executor and by a C program, and both say the same. Of a trace in which one such call did something else
//! the program says `not reproduced`.

use std::collections::BTreeSet;

use harness::case::{Case, Op};
use harness::trace::{Did, Event, Out, Ready};
use reports::repro::{agrees, saw_the_wire, verdict};
use rstest::rstest;

use crate::calls::{ANSWERED, MASKS, REQUESTS, SEVERAL};
use crate::common::repro::{able, case, ran, written};
use crate::common::traces;

const ACCEPTED: &str = "
    socket(AF_INET, SOCK_STREAM, 0) = l
    bind(l, {AF_INET 127.0.0.1:0})
    listen(l, 5)
    socket(AF_INET, SOCK_STREAM, 0) = c
    connect(c, {AF_INET 127.0.0.1:port(l)})
    accept4(l, MSG_PEEK)
    accept4(l, SOCK_NONBLOCK|SOCK_CLOEXEC) = a
    fcntl(a, F_GETFL)
    fcntl(a, F_GETFD)
    recv(a, 1, 0)
    fcntl(l, F_SETFL, O_NONBLOCK)
    accept4(l, 0)
    close(l)
    accept4(l, 0)";

const COPIES: &str = "
    socket(AF_INET, SOCK_DGRAM, 0) = s
    dup(s) = d
    close(s)
    dup(s)
    bind(d, {AF_INET 127.0.0.1:0})
    pipe([r, w])
    write(w, \"ab\")
    read(r, 5)
    bind(r, {AF_INET 127.0.0.1:0})
    close(r)
    write(w, \"c\")
    pipe([x, y])
    tmpfile(\"abc\") = f
    read(f, 2)
    fcntl(f, F_GETFD)
    fcntl(f, F_GETFL)
    listen(f, 1)
    tmpfile(pattern[0..5000]) = big
    read(big, 4999)
    tmpfile(\"\") = empty
    read(empty, 1)
    epoll_create1(EPOLL_CLOEXEC) = e
    fcntl(e, F_GETFD)
    epoll_create1(EPOLLOUT)";

const VECTORS: &str = "
    socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])
    writev(a, [{\"ab\", 2}, {\"\", 0}, {pattern[0..90], 90}], 3)
    readv(b, [1, 0, 200], 3)
    readv(b, [], 0)
    writev(a, [], 0)
    fcntl(b, F_SETFL, O_NONBLOCK)
    readv(b, [4, 4], 2)
    writev(a, [\"next\"])
    readv(b, [2], 1)
    readv(b, [2], 1)
    shutdown(a, SHUT_WR)
    writev(a, [\"x\"])
    readv(b, [1, 1], 2)
    close(a)
    readv(a, [1], 1)
    writev(a, [\"x\"])";

const DATAGRAMS: &str = "
    socket(AF_INET, SOCK_DGRAM, 0) = u
    bind(u, {AF_INET 127.0.0.1:0})
    setsockopt(u, IPPROTO_IP, IP_PKTINFO, 1)
    socket(AF_INET, SOCK_DGRAM, 0) = v
    sendmmsg(v, [{msg_iov=[\"x\", 1]}], 1, 0)
    sendmmsg(v, [{msg_name={AF_INET 127.0.0.1:port(u)}, msg_iov=[\"one\", 3]}, {msg_name={AF_INET 127.0.0.1:port(u)}, msg_iov=[pattern[0..70], 70]}], 2, 0)
    recvmmsg(u, {msg_iov=[8], msg_controllen=64}, 3, MSG_DONTWAIT|MSG_TRUNC|MSG_CMSG_CLOEXEC, NULL)
    recvmmsg(u, {msg_iov=[8]}, 3, MSG_DONTWAIT, NULL)
    connect(v, {AF_INET 127.0.0.1:port(u)})
    sendmmsg(v, [{msg_iov=[\"\", 0]}, {msg_iov=[\"two\", 3]}], 2, 0)
    recvmmsg(u, {msg_iov=[0]}, 1, MSG_PEEK, NULL)
    recvmmsg(u, {msg_iov=[64]}, 2, 0, {tv_sec=0, tv_nsec=20000000})
    sendmmsg(v, [{msg_iov=[\"one\", 3]}], 1, 0)
    recvmmsg(u, {msg_iov=[64]}, 5, MSG_WAITFORONE, NULL)
    recvmmsg(u, {msg_iov=[64]}, 0, 0, NULL)
    close(u)
    recvmmsg(u, {msg_iov=[8]}, 1, 0, NULL)
    sendmmsg(u, [{msg_iov=[\"x\", 1]}], 1, 0)";

const FILES: &str = "
    socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])
    tmpfile(\"hello file\") = f
    sendfile(a, f, [6], 3)
    sendfile(a, f, NULL, 5)
    recv(b, 20, 0)
    sendfile(a, f, NULL, 100)
    recv(b, 20, 0)
    sendfile(a, b, NULL, 1)
    pipe([r, w])
    splice(f, NULL, w, NULL, 4, SPLICE_F_MOVE)
    write(w, \"pipe\")
    splice(r, NULL, a, NULL, 3, SPLICE_F_MOVE|SPLICE_F_MORE)
    recv(b, 20, 0)
    splice(r, NULL, a, NULL, 9, SPLICE_F_NONBLOCK)
    splice(r, NULL, a, NULL, 9, SPLICE_F_NONBLOCK)
    splice(a, NULL, b, NULL, 1, 0)
    close(f)
    sendfile(a, f, [0], 1)
    splice(f, NULL, w, NULL, 1, 0)
    close(b)
    write(w, \"x\")
    splice(r, NULL, a, NULL, 1, 0)";

/// A folder that is left with no rights, and is read-only, is gone with the rest.
const PATHS: &str = "
    socket(AF_UNIX, SOCK_DGRAM, 0) = l
    mkdir(\"d\", 0700)
    mkdir(\"d\", 0700)
    bind(l, {AF_UNIX \"d/l.sock\"})
    symlink(\"d/l.sock\", \"link\")
    symlink(\"link\", \"link\")
    chmod(\"link\", 0600)
    chmod(\"nobody\", 0)
    connect(l, {AF_UNIX \"link\"})
    unlink(\"link\")
    unlink(\"link\")
    connect(l, {AF_UNIX \"link\"})
    mkdir(\"d/e\", 0)
    chmod(\"d\", 0)
    -- mount -o remount,ro .
    mkdir(\"f\", 0700)";

const MARKS: &str = "
    socket(AF_INET6, SOCK_STREAM, 0) = l
    bind(l, {AF_INET6 [::1]:0})
    listen(l, 1)
    socket(AF_INET6, SOCK_STREAM, 0) = c
    connect(c, {AF_INET6 [::1]:port(l)})
    accept(l) = a
    sockatmark(a)
    send(c, \"ab\", MSG_OOB)
    select(NULL, NULL, [a], {tv_sec=1, tv_usec=0})
    pselect([a], [c], [a], {tv_sec=1, tv_nsec=0}, NULL)
    sockatmark(a)
    recv(a, 5, 0)
    sockatmark(a)
    tmpfile(\"\") = f
    sockatmark(f)
    close(a)
    sockatmark(a)";

const SETS: &str = "
    socketpair(AF_UNIX, SOCK_DGRAM, 0, [a, b])
    select([a, b], NULL, NULL, {tv_sec=0, tv_usec=10000})
    select([a, b], [b, a], [a], {tv_sec=1, tv_usec=0})
    pselect([a], NULL, NULL, {tv_sec=0, tv_nsec=0}, NULL)
    send(a, \"x\", 0)
    pselect([a, b], [a], NULL, NULL, NULL)
    select([b], NULL, NULL, NULL)
    select(NULL, NULL, NULL, {tv_sec=0, tv_usec=1000})
    pselect(NULL, NULL, NULL, {tv_sec=0, tv_nsec=1000000}, NULL)
    close(a)
    select([b, a], NULL, NULL, {tv_sec=1, tv_usec=0})
    pselect(NULL, [a], NULL, {tv_sec=1, tv_nsec=0}, NULL)
    socket(AF_INET, MSG_PEEK, 0) = never
    select([never], NULL, NULL, NULL)";

const POLLS: &str = "
    socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])
    ppoll([{a, POLLIN}, {b, POLLIN}], {tv_sec=0, tv_nsec=10000000}, NULL)
    ppoll([{a, POLLIN|POLLOUT}, {b, POLLIN}], NULL, NULL)
    ppoll([], {tv_sec=0, tv_nsec=1000000}, NULL)
    close(b)
    ppoll([{b, POLLIN}, {a, POLLIN|POLLRDHUP}], {tv_sec=1, tv_nsec=0}, NULL)
    poll([{b, POLLIN}, {a, POLLIN}], 100)";

const EPOLL: &str = "
    epoll_create1(0) = e
    socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])
    pipe([r, w])
    epoll_wait(e, 4, 0)
    epoll_ctl(e, EPOLL_CTL_ADD, w, {events=EPOLLOUT})
    epoll_ctl(e, EPOLL_CTL_ADD, b, {events=EPOLLIN|EPOLLRDHUP|EPOLLET})
    epoll_ctl(e, EPOLL_CTL_ADD, a, {events=EPOLLIN|EPOLLOUT|EPOLLONESHOT})
    epoll_ctl(e, EPOLL_CTL_ADD, a, {events=EPOLLIN})
    epoll_ctl(e, EPOLL_CTL_MOD, r, {events=EPOLLIN})
    epoll_wait(e, 4, 1000)
    write(a, \"x\")
    epoll_wait(e, 1, 1000)
    epoll_wait(e, 8, -1)
    epoll_ctl(e, EPOLL_CTL_MOD, a, {events=EPOLLOUT})
    epoll_ctl(e, EPOLL_CTL_DEL, w, {events=0})
    epoll_ctl(e, EPOLL_CTL_DEL, w, {events=0})
    epoll_wait(e, 8, 10)
    close(a)
    epoll_wait(e, 8, 10)
    tmpfile(\"x\") = f
    epoll_ctl(e, EPOLL_CTL_ADD, f, {events=EPOLLIN})
    epoll_ctl(e, EPOLL_CTL_ADD, e, {events=EPOLLIN})
    epoll_ctl(e, EPOLL_CTL_ADD, a, {events=EPOLLIN})
    epoll_ctl(r, EPOLL_CTL_ADD, w, {events=EPOLLIN})
    epoll_wait(e, 0, 0)
    epoll_wait(r, 1, 0)
    socket(AF_INET, SOCK_DGRAM, 0) = a
    epoll_ctl(e, EPOLL_CTL_ADD, a, {events=EPOLLOUT})
    epoll_wait(e, 8, 10)";

const INTERFACES: &str = "tun net0 mtu 1400
    tap tap0
    if_nametoindex(\"net0\")
    if_nametoindex(\"lo\")
    if_nametoindex(\"nope\")
    if_nametoindex(\"a name that is much too long\")
    if_indextoname(if_nametoindex(\"tap0\"))
    if_indextoname(if_nametoindex(\"lo\"))
    if_indextoname(1)
    if_indextoname(0)
    if_indextoname(4000000000)
    getifaddrs()
    -- address delete own(net0,v4) dev net0
    -- link set tap0 down
    getifaddrs()
    -- link delete net0
    if_nametoindex(\"net0\")
    if_indextoname(if_nametoindex(\"net0\"))
    getifaddrs()";

/// The far end answers while each of them waits.
/// ARP and what the far end answers of its own come while a call waits.
const ASKED: &str = "tap net0
    socket(AF_INET, SOCK_DGRAM, 0) = s
    setsockopt(s, IPPROTO_IP, IP_RECVERR, 1)
    sendmmsg(s, [{msg_name={AF_INET silent(net0):9}, msg_iov=[\"x\", 1]}], 1, 0)
    select([s], NULL, [s], {tv_sec=0, tv_usec=20000})
    pselect([s], NULL, NULL, {tv_sec=0, tv_nsec=20000000}, NULL)
    ppoll([{s, POLLIN}], {tv_sec=0, tv_nsec=20000000}, NULL)";

/// What only the alarm ends is told as hung by both.
const HUNG_SELECT: &str = "
    socket(AF_INET, SOCK_DGRAM, 0) = s
    bind(s, {AF_INET 127.0.0.1:0})
    select([s], NULL, NULL, NULL)";

const HUNG_PPOLL: &str = "tun net0
    socket(AF_INET, SOCK_DGRAM, 0) = s
    ppoll([{s, POLLIN}], NULL, NULL)";

const HUNG_EPOLL: &str = "tun net0
    epoll_create1(0) = e
    epoll_wait(e, 3, -1)";

const HUNG_SPLICE: &str = "
    pipe([r, w])
    pipe([x, y])
    splice(r, NULL, y, NULL, 1, 0)";

/// One of the two has come: the kernel tells that there was one when the alarm comes.
const HUNG_RECVMMSG: &str = "tun net0
    socket(AF_INET, SOCK_DGRAM, 0) = s
    bind(s, {AF_INET own(net0):0})
    < net0 UDP neighbour(net0,v4):9 > own(net0,v4):port(s) \"one\"
    recvmmsg(s, {msg_iov=[9]}, 2, 0, {tv_sec=0, tv_nsec=50000000})";

/// What is written out waits as well, and no end of it is the program's.
const HUNG_RAW: &str = "
    socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])
    recv(a, ROOM, 4, 0)";

const HUNG_RAW_WRITE: &str = "
    pipe([r, w])
    write(w, ROOM, 60000)
    write(w, ROOM, 60000)";

/// What it was given is over when the alarm comes that ends what waits for nothing.
const RAW_POLL: &str = "
    poll(NULL, 0, 2500)";

const HUNG_READV: &str = "
    socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])
    readv(a, [1], 1)";

const HUNG_ACCEPT4: &str = "tun net0
    socket(AF_INET, SOCK_STREAM, 0) = l
    bind(l, {AF_INET own(net0):80})
    listen(l, 5)
    accept4(l, 0)";

const ALL: [&str; 16] = [
    MASKS, SEVERAL, REQUESTS, ACCEPTED, COPIES, VECTORS, DATAGRAMS, FILES, PATHS, MARKS, SETS,
    POLLS, EPOLL, INTERFACES, ANSWERED, ASKED,
];

/// The calls that this is about.
const CALLS: [&str; 25] = [
    "accept4",
    "chmod",
    "dup",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "getifaddrs",
    "if_indextoname",
    "if_nametoindex",
    "mkdir",
    "pipe",
    "ppoll",
    "pselect",
    "readv",
    "recvmmsg",
    "select",
    "sendfile",
    "sendmmsg",
    "sockatmark",
    "splice",
    "symlink",
    "tmpfile",
    "unlink",
    "writev",
];

/// What fails for want of memory or descriptors alone, and `ppoll`, which tells what is wrong with a descriptor
/// beside it.
const NEVER_FAIL: [&str; 4] = ["getifaddrs", "pipe", "ppoll", "tmpfile"];

#[rstest]
#[case::accepted(ACCEPTED)]
#[case::copies(COPIES)]
#[case::vectors(VECTORS)]
#[case::datagrams(DATAGRAMS)]
#[case::files(FILES)]
#[case::paths(PATHS)]
#[case::marks(MARKS)]
#[case::sets(SETS)]
#[case::polls(POLLS)]
#[case::epoll(EPOLL)]
#[case::interfaces(INTERFACES)]
#[case::masks(MASKS)]
#[case::several(SEVERAL)]
#[case::requests(REQUESTS)]
#[case::answered(ANSWERED)]
#[case::asked(ASKED)]
#[case::hung_select(HUNG_SELECT)]
#[case::hung_ppoll(HUNG_PPOLL)]
#[case::hung_epoll(HUNG_EPOLL)]
#[case::hung_splice(HUNG_SPLICE)]
#[case::hung_recvmmsg(HUNG_RECVMMSG)]
#[case::hung_raw(HUNG_RAW)]
#[case::hung_raw_write(HUNG_RAW_WRITE)]
#[case::raw_poll(RAW_POLL)]
#[case::hung_readv(HUNG_READV)]
#[case::hung_accept4(HUNG_ACCEPT4)]
fn a_program_does_what_the_executor_did(#[case] text: &str) {
    if !able() {
        return;
    }
    let case = case(text);
    let traces = traces(&[], std::slice::from_ref(&case));
    let trace = &traces[0];
    let folder = tempfile::tempdir().expect("a folder");
    let (stdout, stderr, status) = ran(&written(&case, trace), folder.path());
    assert_eq!(agrees(trace, &case, &stdout), Ok(()), "{stdout}{stderr}");
    assert_eq!((verdict(&stdout), status), (Some(true), Some(0)), "{stdout}{stderr}");
    assert!(saw_the_wire(&stdout), "{stdout}{stderr}");
    let hangs = trace.events.iter().any(|e| matches!(e, Event::Call { did: Did::Hung { .. }, .. }));
    assert_eq!(stdout.contains(" = hung\n"), hangs, "{stdout}");
}

#[test]
fn each_call_succeeds_and_fails() {
    if !able() {
        return;
    }
    let cases: Vec<Case> = ALL.iter().map(|text| case(text)).collect();
    let mut did = BTreeSet::new();
    for (case, trace) in cases.iter().zip(traces(&[], &cases)) {
        for event in &trace.events {
            let Event::Call { op, did: Did::Returned { errno, .. }, .. } = event else { continue };
            did.insert((case.ops[*op as usize].call(), errno.is_none()));
        }
    }
    for call in CALLS {
        assert!(did.contains(&(call, true)), "{call} never succeeds");
        assert_eq!(did.contains(&(call, false)), !NEVER_FAIL.contains(&call), "{call} fails");
    }
}

/// What the call could have done instead, each told apart from what it did by one thing.
fn lies(op: &Op, did: &Did) -> Vec<(&'static str, Did)> {
    let Did::Returned { ret, errno, out } = did else { return Vec::new() };
    let with = |ret: i64, errno: Option<&'static str>, out: &Out| {
        let (errno, out) = (errno.map(Into::into), out.clone());
        Did::Returned { ret, errno, out }
    };
    if errno.is_some() {
        return vec![
            ("another errno", with(*ret, Some("ENOMEM"), out)),
            ("success", with(3, None, out)),
        ];
    }
    let of_index = matches!(op, Op::IfNametoindex { .. } | Op::IfIndextoname { .. });
    let failed = if of_index { 0 } else { -1 };
    let mut all = vec![("failure", with(failed, Some("ENOMEM"), &Out::Nothing))];
    if !op.gives_a_descriptor() {
        all.push(("another value", with(ret + 70, None, out)));
    }
    let mut lie = out.clone();
    let is_one = match &mut lie {
        Out::Sets(sets) => sets.iter_mut().rev().find_map(Vec::pop).is_some(),
        Out::Ready(list) => match list.last_mut() {
            Some(Ready { events, .. }) => {
                *events = vec!["EPOLLHUP".into()];
                true
            }
            None => false,
        },
        Out::Poll(list) => match list.first_mut() {
            Some(first) => {
                *first = vec!["POLLERR".into()];
                true
            }
            None => false,
        },
        Out::Text(text) => {
            text.push('x');
            true
        }
        Out::Interfaces(list) => list.pop().is_some(),
        Out::Data { bytes, .. } => match bytes.0.first_mut() {
            Some(first) => {
                *first ^= 1;
                true
            }
            None => false,
        },
        Out::Messages(list) => match list.first_mut() {
            Some(first) => {
                first.bytes.0.push(1);
                true
            }
            None => false,
        },
        _ => false,
    };
    if is_one {
        all.push(("another thing written", with(*ret, None, &lie)));
    }
    if let Out::Interfaces(list) = out {
        let mut lie = list.clone();
        lie[0].flags.pop();
        all.push(("other flags", with(*ret, None, &Out::Interfaces(lie))));
        let mut lie = list.clone();
        let bits = lie.iter_mut().find_map(|one| one.prefix_len.as_mut());
        *bits.expect("a prefix") += 1;
        all.push(("another prefix", with(*ret, None, &Out::Interfaces(lie))));
    }
    all
}

/// The calls whose every value is some other call's, too: what they write, if they write anything, is chosen by
/// the kernel anew.
const WRITE: [&str; 9] = [
    "epoll_pwait",
    "epoll_wait",
    "getifaddrs",
    "if_indextoname",
    "ppoll",
    "pselect",
    "readv",
    "recvmmsg",
    "select",
];

/// The calls whose value is a descriptor, of which none is another one's.
const GIVE: [&str; 4] = ["accept4", "dup", "epoll_create1", "tmpfile"];

/// Of each call each lie once: in the first case in which it can be told.
#[test]
fn of_a_lie_a_program_says_no() {
    if !able() {
        return;
    }
    let cases: Vec<Case> = ALL.iter().map(|text| case(text)).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let mut told = BTreeSet::new();
    for (case, trace) in cases.iter().zip(traces(&[], &cases)) {
        for (at, event) in trace.events.iter().enumerate() {
            let Event::Call { op, did, .. } = event else { continue };
            let step = &case.ops[*op as usize];
            if !CALLS.contains(&step.call()) {
                continue;
            }
            for (what, lie) in lies(step, did) {
                if !told.insert((step.call(), what)) {
                    continue;
                }
                let mut other = trace.clone();
                let Event::Call { did, .. } = &mut other.events[at] else { continue };
                *did = lie;
                let (stdout, stderr, status) = ran(&written(case, &other), folder.path());
                let said = format!("{what}: {:?}: {stdout}{stderr}", other.events[at]);
                assert_eq!((verdict(&stdout), status), (Some(false), Some(1)), "{said}");
                assert!(agrees(&other, case, &stdout).is_err(), "{said}");
                let step = format!("#{op} differs: ");
                assert!(stderr.lines().any(|line| line.starts_with(&step)), "{said}");
            }
        }
    }
    for call in CALLS {
        for (what, is) in [
            ("failure", true),
            ("another errno", !NEVER_FAIL.contains(&call)),
            ("another value", !GIVE.contains(&call)),
            ("another thing written", WRITE.contains(&call)),
        ] {
            assert_eq!(told.contains(&(call, what)), is, "{call}: {what}");
        }
    }
}
