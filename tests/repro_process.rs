//! Reproducers of cases about the process: signals that come into a thread's call, limits, capabilities. What the
//! executor saw the program sees; of another disposition, limit or set it says `not reproduced`.

use harness::trace::{Did, End, Event};
use reports::repro::{agrees, saw_the_wire, verdict};
use rstest::rstest;

use crate::common::repro::{able, case, ran, written};
use crate::common::traces;

const RESTARTS: &str = "
    socketpair(AF_UNIX, SOCK_STREAM, 0, [s, p])
    sigaction(SIGUSR1, SA_RESTART)
    t: recv(s, 8, 0)
    pthread_kill(t, SIGUSR1)
    send(p, \"x\", 0)";

const INTERRUPTS: &str = "
    socket(AF_INET, SOCK_STREAM, 0) = l
    bind(l, {AF_INET 127.0.0.1:0})
    listen(l, 1)
    sigaction(SIGURG, 0)
    t: accept(l) = a
    pthread_kill(t, SIGURG)
    t: accept(l) = a
    socket(AF_INET, SOCK_STREAM, 0) = c
    connect(c, {AF_INET 127.0.0.1:port(l)})
    u: read(a, 8)
    write(c, \"hello\")
    pthread_kill(u, SIGURG)";

const IGNORED: &str = "
    socketpair(AF_UNIX, SOCK_DGRAM, 0, [s, p])
    epoll_create1(0) = e
    epoll_ctl(e, EPOLL_CTL_ADD, s, {events=EPOLLIN})
    sigaction(SIGIO, SIG_IGN)
    t: epoll_wait(e, 1, -1)
    u: select([s], NULL, NULL, NULL)
    w: ppoll([{s, POLLIN}], {tv_sec=60, tv_nsec=0}, NULL)
    pthread_kill(t, SIGIO)
    pthread_kill(u, SIGIO)
    pthread_kill(w, SIGIO)
    send(p, \"x\", 0)
    v: recvmmsg(s, {msg_iov=[8]}, 1, 0, NULL)
    v: recvmmsg(s, {msg_iov=[8]}, 1, 0, NULL)
    pthread_kill(v, SIGIO)
    send(p, \"y\", 0)";

/// The far end answers the one that has gone on.
const CONNECTS: &str = "tun net0
    serve net0 80: expect \"1\", send \"one\", close
    sigaction(SIGUSR2, SA_RESTART)
    socket(AF_INET, SOCK_STREAM, 0) = n
    t: connect(n, {AF_INET silent(net0):81})
    pthread_kill(t, SIGUSR2)
    sigaction(SIGUSR2, 0)
    pthread_kill(t, SIGUSR2)
    socket(AF_INET, SOCK_STREAM, 0) = s
    t: connect(s, {AF_INET neighbour(net0):80})
    u: read(s, 8)
    send(s, \"1\", 0)";

/// Nothing else that the program does has a descriptor less, but for what it opens itself.
const LIMITED: &str = "
    socketpair(AF_UNIX, SOCK_DGRAM, 0, [s, p])
    sendmsg(s, {msg_iov=[\"x\"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [s]}]}, 0)
    setrlimit(RLIMIT_NOFILE, 0)
    socket(AF_INET, SOCK_DGRAM, 0)
    poll([{s, POLLOUT}], 0)
    recvmsg(p, {msg_iov=[8], msg_controllen=64}, 0)
    setrlimit(RLIMIT_NOFILE, 512)
    dup(s)";

const LESS: &str = "
    socket(AF_INET, SOCK_DGRAM, 0) = s
    capset({without=CAP_NET_RAW|CAP_NET_ADMIN|CAP_NET_BIND_SERVICE})
    setsockopt(s, SOL_SOCKET, SO_MARK, 7)
    bind(s, {AF_INET 127.0.0.1:80})
    socket(AF_PACKET, SOCK_RAW, 0)
    capset({without=0})
    setsockopt(s, SOL_SOCKET, SO_MARK, 7)
    bind(s, {AF_INET 127.0.0.1:80})";

/// Of two users none has a port that the other has, and what nobody sends says so. On Linux root alone may be nobody.
const OTHER: &str = "
    socket(AF_INET, SOCK_DGRAM, 0) = s
    setsockopt(s, SOL_SOCKET, SO_REUSEPORT, 1)
    bind(s, {AF_INET 127.0.0.1:4000})
    seteuid(65534)
    socket(AF_INET, SOCK_DGRAM, 0) = o
    setsockopt(o, SOL_SOCKET, SO_REUSEPORT, 1)
    bind(o, {AF_INET 127.0.0.1:4000})
    setsockopt(o, SOL_SOCKET, SO_MARK, 7)
    seteuid(0)
    socket(AF_INET, SOCK_DGRAM, 0) = t
    setsockopt(t, SOL_SOCKET, SO_REUSEPORT, 1)
    bind(t, {AF_INET 127.0.0.1:4000})
    setsockopt(t, SOL_SOCKET, SO_MARK, 7)";

/// What rtnetlink says is compared, and to whom a socket of netlink is connected.
const ASKS: &str = "
    socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = s
    send(s, \"\\20\\0\\0\\0\\2\\20\\5\\0\\7\\0\\0\\0\\0\\0\\0\\0\", 0)
    recvfrom(s, 64, MSG_DONTWAIT)
    recvmsg(s, {msg_iov=[64], msg_controllen=0}, MSG_DONTWAIT)";
const GROUPS: &str = "
    socket(AF_NETLINK, SOCK_DGRAM, NETLINK_USERSOCK) = o
    bind(o, {AF_NETLINK pid 0 groups 1})
    socket(AF_NETLINK, SOCK_DGRAM, NETLINK_USERSOCK) = s
    connect(s, {AF_NETLINK pid 0 groups 6})
    getpeername(s)
    getsockname(o)
    sendto(s, \"x\", 0, {AF_NETLINK pid port(o) groups 0})
    recvfrom(o, 8, MSG_DONTWAIT)";

/// A port of the whole machine's that another socket has.
const TAKEN: &str = "
    socket(AF_VSOCK, SOCK_STREAM, 0) = s
    getsockname(s)
    bind(s, {AF_VSOCK VMADDR_CID_ANY:VMADDR_PORT_ANY})
    socket(AF_VSOCK, SOCK_STREAM, 0) = o
    bind(o, {AF_VSOCK VMADDR_CID_ANY:port(s)})
    getsockname(s)";

#[rstest]
#[case::asks(ASKS, "\\2\\20\\5", "\\1\\0\\5")]
#[case::groups(GROUPS, ".nl_groups = 6u", ".nl_groups = 1u")]
#[case::taken(TAKEN, "wide_port_of(s)", "wide_port_of(s) * 0 + VMADDR_PORT_ANY")]
#[case::other(OTHER, "seteuid(65534);", "seteuid(0);")]
#[case::limited(LIMITED, "rlim_cur = 0", "rlim_cur = 512")]
#[case::less(LESS, "1u << CAP_NET_RAW | 1u << CAP_NET_ADMIN", "1u << CAP_NET_RAW")]
#[case::restarts(RESTARTS, ".sa_flags = SA_RESTART", ".sa_flags = 0")]
#[case::interrupts(INTERRUPTS, "{.sa_handler = do_nothing}", "{.sa_handler = SIG_IGN}")]
#[case::ignored(IGNORED, "send(case_p, \"y\"", "send(case_p, \"z\"")]
#[case::connects(CONNECTS, "{.sa_handler = do_nothing}", "{.sa_handler = SIG_IGN}")]
fn what_is_set_decides(#[case] text: &str, #[case] set: &str, #[case] other: &str) {
    if !able() {
        return;
    }
    let case = case(text);
    let trace = traces(&[], std::slice::from_ref(&case)).remove(0);
    if let End::Skipped { reason } = &trace.end {
        return eprintln!("skipped: {reason}");
    }
    let lacks = |event: &Event| {
        matches!(event, Event::Call { op: 0, did: Did::Returned { errno: Some(_), .. }, .. })
    };
    if trace.events.iter().any(lacks) {
        return eprintln!("skipped: this kernel has no such sockets");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let program = written(&case, &trace);
    let (out, err, status) = ran(&program, folder.path());
    agrees(&trace, &case, &out).unwrap_or_else(|differs| panic!("{differs}\n{out}{err}"));
    assert_eq!((verdict(&out), status), (Some(true), Some(0)), "{out}{err}");
    assert!(saw_the_wire(&out), "{out}{err}");
    assert!(program.contains(set), "{program}");
    // The other handler is nobody's then.
    let twin = program
        .replace(set, other)
        .replace("static void do_nothing", "void do_nothing(int);\nvoid do_nothing");
    let (out, err, status) = ran(&twin, folder.path());
    assert_eq!(status, Some(1), "{out}{err}");
    assert!(out.ends_with("not reproduced\n"), "{out}{err}");
}

/// Who owns a socket is the program itself or nobody: the first was any number, and the second passed for it.
#[rstest]
#[case::by_fcntl("fcntl(s, F_SETOWN, own)", "fcntl(s, F_SETOWN, 0)", "fcntl(s, F_GETOWN)")]
#[case::by_ioctl("ioctl(s, FIOSETOWN, [own])", "ioctl(s, FIOSETOWN, [0])", "ioctl(s, FIOGETOWN)")]
fn an_owner_is_compared(#[case] own: &str, #[case] nobody: &str, #[case] asks: &str) {
    if !able() {
        return;
    }
    let of = |sets: &str| case(&format!("socket(AF_INET, SOCK_DGRAM, 0) = s\n{sets}\n{asks}"));
    let (one, other) = (of(own), of(nobody));
    let folder = tempfile::tempdir().expect("a folder");
    for (seen, undone) in [(&one, &other), (&other, &one)] {
        let traces = traces(&[], std::slice::from_ref(seen));
        let (stdout, stderr, _) = ran(&written(seen, &traces[0]), folder.path());
        assert_eq!(agrees(&traces[0], seen, &stdout), Ok(()), "{stdout}{stderr}");
        assert_eq!(verdict(&stdout), Some(true), "{stdout}{stderr}");
        let (stdout, stderr, _) = ran(&written(undone, &traces[0]), folder.path());
        assert_eq!(verdict(&stdout), Some(false), "{stdout}{stderr}");
    }
}

/// An id below 32768 was compared as though the case had named it: of two runs one said `not reproduced`.
#[test]
fn an_id_that_the_kernel_draws_is_any() {
    if !able() {
        return;
    }
    let of = |id: u16| {
        let text = "socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) = s\nbind(s, {AF_INET 0.0.0.0:ID})\ngetsockname(s)";
        case(&text.replace("ID", &id.to_string()))
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (drawn, named, other) = (of(0), of(7), of(8));
    for _ in 0..6 {
        let trace = traces(&[], std::slice::from_ref(&drawn)).remove(0);
        let (stdout, stderr, _) = ran(&written(&drawn, &trace), folder.path());
        assert_eq!(agrees(&trace, &drawn, &stdout), Ok(()), "{stdout}{stderr}");
        assert_eq!(verdict(&stdout), Some(true), "{stdout}{stderr}");
    }
    let trace = traces(&[], std::slice::from_ref(&named)).remove(0);
    let (stdout, stderr, _) = ran(&written(&other, &trace), folder.path());
    assert_eq!(verdict(&stdout), Some(false), "{stdout}{stderr}");
}
