use std::time::{Duration, Instant};

use proptest::prelude::*;
use rstest::rstest;

use super::*;

mod far;
mod links;
mod ports;
mod processes;

const OPEN: &str = "7 socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 3<UDP:[1]>\n";
const TCP: &str = "7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3<TCP:[1]>\n";

fn imported(log: &str) -> Imported {
    let read = strace(log).unwrap_or_else(|why| panic!("{why}\n{log}"));
    import(&read, &Wanted::default()).unwrap_or_else(|why| panic!("{why}\n{log}"))
}

/// The lines of the case below its head.
fn lines(log: &str) -> Vec<String> {
    let text = imported(log).text;
    let read = crate::read("x", &text);
    assert!(read.is_ok(), "{text}");
    let body = text.split("\n\n").skip(1).collect::<Vec<_>>().join("\n");
    body.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[rstest]
#[case::send(r#"sendto(3, "x", 1, 0, NULL, 0) = 1"#, r#"send(s, "x", 1, 0) = 1"#)]
#[case::write(r#"write(3, "x", 1) = 1"#, r#"write(s, "x", 1) = 1"#)]
#[case::writev(
    r#"writev(3, [{iov_base="a", iov_len=1}, {iov_base="b", iov_len=1}], 2) = 2"#,
    r#"write(s, "ab", 2) = 2"#
)]
#[case::closed_port(
    r#"sendto(3, "x", 1, MSG_NOSIGNAL, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 ECONNREFUSED (Connection refused)"#,
    r#"sendto(s, "x", 1, MSG_NOSIGNAL, {AF_INET 127.0.0.1:9}) = -1 ECONNREFUSED"#
)]
#[case::cut(
    r#"sendto(3, "xx"..., 300, 0, NULL, 0) = 300"#,
    "send(s, pattern[0..300], 300, 0) = 300"
)]
#[case::unspecified(
    r#"connect(3, {sa_family=AF_UNSPEC, sa_data="\0\0"}, 16) = 0"#,
    "connect(s, {AF_UNSPEC 0.0.0.0:0}) = 0"
)]
#[case::option(
    "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0",
    "setsockopt(s, SOL_SOCKET, SO_REUSEADDR, 1) = 0"
)]
#[case::level(
    "setsockopt(3, SOL_IP, IP_TTL, [5], 4) = 0",
    "setsockopt(s, IPPROTO_IP, IP_TTL, 5) = 0"
)]
#[case::without_a_name(
    "setsockopt(3, SOL_TCP, 0x7b /* TCP_??? */, [1], 4) = 0",
    "setsockopt(s, IPPROTO_TCP, 123, 1) = 0"
)]
#[case::named(
    "setsockopt(3, SOL_IP, IP_MTU_DISCOVER, [IP_PMTUDISC_DO], 4) = 0",
    "setsockopt(s, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO) = 0"
)]
#[case::time(
    "setsockopt(3, SOL_SOCKET, SO_RCVTIMEO_OLD, {tv_sec=1, tv_usec=500000}, 16) = 0",
    "setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=1, tv_usec=500000}) = 0"
)]
#[case::linger(
    "setsockopt(3, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}, 8) = 0",
    "setsockopt(s, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}) = 0"
)]
#[case::error(
    "getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0",
    "getsockopt(s, SOL_SOCKET, SO_ERROR) = 0, ECONNREFUSED"
)]
#[case::type_(
    "getsockopt(3, SOL_SOCKET, SO_TYPE, [SOCK_DGRAM], [4]) = 0",
    "getsockopt(s, SOL_SOCKET, SO_TYPE) = 0, 2"
)]
#[case::nonblocking(
    "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0",
    "fcntl(s, F_SETFL, O_NONBLOCK) = 0"
)]
#[case::flags("fcntl(3, F_GETFL) = 0x802 (flags O_RDWR|O_NONBLOCK)", "fcntl(s, F_GETFL) = 0x802")]
#[case::how_many("ioctl(3, FIONREAD, [5]) = 0", "ioctl(s, FIONREAD) = 0, 5")]
#[case::poll("poll([{fd=3, events=POLLIN}], 1, 100) = 0 (Timeout)", "poll([{s, POLLIN}], 100) = 0")]
#[case::ppoll(
    "ppoll([{fd=3, events=POLLOUT}], 1, {tv_sec=1, tv_nsec=0}, NULL, 8) = 1 ([{fd=3, revents=POLLOUT}], left {tv_sec=0, tv_nsec=9})",
    "poll([{s, POLLOUT}], 1000) = 1, [{s, POLLOUT}]"
)]
#[case::order(
    "poll([{fd=3, events=POLLOUT}], 1, -1) = 1 ([{fd=3, revents=POLLHUP|POLLERR|POLLOUT}])",
    "poll([{s, POLLOUT}], -1) = 1, [{s, POLLOUT|POLLERR|POLLHUP}]"
)]
#[case::again(
    "recvfrom(3, 0x7ffe, 10, MSG_DONTWAIT, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)",
    "recv(s, 10, MSG_DONTWAIT) = -1 EAGAIN"
)]
#[case::tos(
    r#"sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="x", iov_len=1}], msg_iovlen=1, msg_control=[{cmsg_len=20, cmsg_level=SOL_IP, cmsg_type=IP_TOS, cmsg_data=[0x2, 0, 0, 0]}], msg_controllen=24, msg_flags=0}, 0) = 1"#,
    r#"sendmsg(s, {msg_iov=["x", 1], msg_control=[{IPPROTO_IP, IP_TOS, 2}]}, 0) = 1"#
)]
#[case::shutdown(
    "shutdown(3, SHUT_WR) = -1 ENOTCONN (Transport endpoint is not connected)",
    "shutdown(s, SHUT_WR) = -1 ENOTCONN"
)]
fn a_call_is_said_as_it_was(#[case] call: &str, #[case] said: &str) {
    let all = lines(&format!("{OPEN}7 {call}\n"));
    assert_eq!(all.last().map(String::as_str), Some(said), "{all:#?}");
}

#[rstest]
#[case::epoll(
    "epoll_ctl(4, EPOLL_CTL_ADD, 3, {events=EPOLLIN}) = 0",
    "epoll is not read from a log yet"
)]
#[case::select("select(4, [3], NULL, NULL, NULL) = 1 (in [3])", "poll is")]
#[case::dup("dup(3) = 4", "another descriptor of the same socket")]
#[case::unix(
    r#"bind(3, {sa_family=AF_UNIX, sun_path="/tmp/s"}, 110) = 0"#,
    "an address of AF_UNIX cannot be said yet"
)]
#[case::interrupted(
    "recvfrom(3, 0x7f, 1, 0, NULL, NULL) = ? ERESTARTSYS (To be restarted)",
    "it did not return"
)]
#[case::sendfile("sendfile(3, 5, [0] => [10], 10) = 10", "it is no call of a case")]
#[case::bytes(
    r#"setsockopt(3, SOL_TCP, TCP_MD5SIG, "\2\0\0\0\n\1\2\3", 8) = 0"#,
    "in which an address may be"
)]
#[case::rights(
    r#"sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="x", iov_len=1}], msg_iovlen=1, msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[1]}], msg_controllen=24, msg_flags=0}, 0) = 1"#,
    "SCM_RIGHTS cannot be said yet"
)]
fn what_cannot_be_said_is_a_remark_at_its_place(#[case] call: &str, #[case] why: &str) {
    let all = lines(&format!("{OPEN}7 {call}\n7 sendto(3, \"z\", 1, 0, NULL, 0) = 1\n"));
    let remark = all.iter().position(|line| line.starts_with('#') && line.contains(why));
    assert!(remark.is_some_and(|place| place > 0 && place + 1 < all.len()), "{all:#?}");
}

/// What leads beyond the lab is refused for itself, and the rest is told.
#[test]
fn what_is_for_the_kernel_alone_is_a_remark() {
    let all = lines(&format!(
        "7 socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT) = 4\n7 sendto(4, \"x\", 1, 0, NULL, 0) = 1\n\
         {OPEN}7 sendto(3, \"z\", 1, 0, NULL, 0) = 1\n"
    ));
    assert!(all.iter().any(|line| line.starts_with("# sendto(")), "{all:#?}");
    assert_eq!(all.last().map(|line| &line[..4]), Some("send"), "{all:#?}");
}

#[test]
fn a_socket_with_two_descriptors_is_closed_once() {
    let all = lines(&format!("{OPEN}7 dup(3) = 4\n7 close(3) = 0\n7 close(4) = 0\n"));
    assert_eq!(all.iter().filter(|line| line.starts_with("close")).count(), 1, "{all:#?}");
    assert_eq!(all.last().map(String::as_str), Some("close(s) = 0"));
}

/// A program that talks to the same server in two steps, and looks in between.
const HTTP: &str = r#"7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3<TCP:[1]>
7 connect(3<TCP:[1]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("203.0.113.77")}, 16) = 0
7 getsockname(3<TCP:[10.20.30.40:40000->203.0.113.77:80]>, {sa_family=AF_INET, sin_port=htons(40000), sin_addr=inet_addr("10.20.30.40")}, [16]) = 0
7 sendto(3<TCP:[10.20.30.40:40000->203.0.113.77:80]>, "GET", 3, 0, NULL, 0) = 3
7 recvfrom(3<TCP:[10.20.30.40:40000->203.0.113.77:80]>, "ok", 10, 0, NULL, NULL) = 2
7 recvfrom(3<TCP:[10.20.30.40:40000->203.0.113.77:80]>, "more", 10, 0, NULL, NULL) = 4
7 recvfrom(3<TCP:[10.20.30.40:40000->203.0.113.77:80]>, "", 10, 0, NULL, NULL) = 0
7 close(3<TCP:[10.20.30.40:40000->203.0.113.77:80]>) = 0
"#;

#[test]
fn another_host_is_a_server_of_the_lab() {
    let text = imported(HTTP).text;
    for line in [
        "# own(link0,v4): an address of this host\n",
        "# neighbour(link0,v4): another host\n",
        "serve link0 80: expect \"GET\", send \"ok\", pause, send \"more\", pause, close\n",
        "connect(s, {AF_INET neighbour(link0):80}) = 0\n",
        "getsockname(s) = 0, {AF_INET 192.0.2.1:eph1}\n",
        "recv(s, 10, 0) = 2, \"ok\"\n-- the server at link0 80 goes on\nrecv(s, 10, 0) = 4, \"more\"\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn other_peoples_addresses_stay_out_unless_they_are_wanted() {
    let log = strace(HTTP).expect("a log");
    for (keep_addresses, has) in [(false, false), (true, true)] {
        let text = import(&log, &Wanted { pid: None, keep_addresses }).expect("a case").text;
        assert_eq!(text.contains("203.0.113.77"), has, "{text}");
        assert_eq!(text.contains("10.20.30.40"), has, "{text}");
    }
}

#[test]
fn a_datagram_of_another_host_comes_in_when_it_did() {
    let text = imported(
        r#"7 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3<UDP:[1]>
7 connect(3<UDP:[1]>, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("9.9.9.9")}, 16) = 0
7 sendto(3<UDP:[10.0.0.5:4000->9.9.9.9:53]>, "q", 1, 0, NULL, 0) = 1
7 poll([{fd=3<UDP:[10.0.0.5:4000->9.9.9.9:53]>, events=POLLIN}], 1, 1000) = 1 ([{fd=3, revents=POLLIN}])
7 recvfrom(3<UDP:[10.0.0.5:4000->9.9.9.9:53]>, "a", 99, 0, NULL, NULL) = 1
7 sendto(3<UDP:[10.0.0.5:4000->9.9.9.9:53]>, "q", 1, 0, NULL, 0) = 1
7 recvfrom(3<UDP:[10.0.0.5:4000->9.9.9.9:53]>, 0x7f, 99, 0, NULL, NULL) = -1 ECONNREFUSED (Connection refused)
"#,
    )
    .text;
    let frame = "    < link0 UDP neighbour(link0,v4):53 > own(link0,v4):port(s) \"a\"\npoll(";
    assert!(text.contains(frame) && text.contains("recv(s, 99, 0) = 1, \"a\"\n"), "{text}");
    let refused =
        "    < link0 ICMP port unreachable, quoting it\nrecv(s, 99, 0) = -1 ECONNREFUSED\n";
    assert!(text.contains(refused), "{text}");
}

#[test]
fn a_port_that_the_kernel_chose_is_the_sockets() {
    let all = lines(
        r#"7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3<TCP:[1]>
7 bind(3<TCP:[1]>, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
7 listen(3<TCP:[127.0.0.1:45585]>, 5) = 0
7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 4<TCP:[2]>
7 connect(4<TCP:[2]>, {sa_family=AF_INET, sin_port=htons(45585), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
7 accept4(3<TCP:[127.0.0.1:45585]>, {sa_family=AF_INET, sin_port=htons(56942), sin_addr=inet_addr("127.0.0.1")}, [16], SOCK_NONBLOCK) = 5<TCP:[127.0.0.1:45585->127.0.0.1:56942]>
7 getsockname(5<TCP:[127.0.0.1:45585->127.0.0.1:56942]>, {sa_family=AF_INET, sin_port=htons(45585), sin_addr=inet_addr("127.0.0.1")}, [16]) = 0
7 close(3<TCP:[127.0.0.1:45585]>) = 0
7 close(5<TCP:[127.0.0.1:45585->127.0.0.1:56942]>) = 0
7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 6<TCP:[3]>
7 connect(6<TCP:[3]>, {sa_family=AF_INET, sin_port=htons(45585), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 ECONNREFUSED (Connection refused)
"#,
    );
    for line in [
        "connect(s2, {AF_INET 127.0.0.1:port(s)}) = 0",
        "accept(s) = c",
        "fcntl(c, F_SETFL, O_NONBLOCK) = 0",
        "getsockname(c) = 0, {AF_INET 127.0.0.1:eph1}",
        "connect(s3, {AF_INET 127.0.0.1:9}) = -1 ECONNREFUSED",
    ] {
        assert!(all.iter().any(|one| one == line), "{line}: {all:#?}");
    }
}

/// What one thread waits for, another has done before it, whoever is told first.
#[test]
fn calls_that_overlap_stand_in_an_order_that_explains_them() {
    let all = lines(
        "7 socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0\n\
         7 recvfrom(3, <unfinished ...>\n\
         8 sendto(4, \"x\", 1, 0, NULL, 0 <unfinished ...>\n\
         7 <... recvfrom resumed>\"x\", 9, 0, NULL, NULL) = 1\n\
         8 <... sendto resumed>) = 1\n",
    );
    let place = |call: &str| all.iter().position(|line| line.starts_with(call));
    assert!(place("send(b") < place("recv(a") && place("send(b").is_some(), "{all:#?}");
    let remark = |line: &String| line.contains("thread 8 and recvfrom of thread 7 overlap");
    assert!(all.iter().any(remark), "{all:#?}");
}

#[test]
fn another_process_is_named_and_can_be_chosen() {
    let log = format!(
        "{OPEN}8 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3\n8 listen(3, 1) = 0\n8 close(3) = 0\n"
    );
    let log = strace(&log).expect("a log");
    let of = |pid| import(&log, &Wanted { pid, ..Wanted::default() });
    let (most, first) = (of(None).expect("a case").text, of(Some(7)).expect("a case").text);
    assert!(
        most.contains("# not here: 1 socket call of another process, --pid 7 takes them\n"),
        "{most}"
    );
    assert!(most.contains("listen(s, 1) = 0") && first.contains("SOCK_DGRAM"), "{most}{first}");
    let why = of(Some(9)).expect_err("no such thread");
    assert!(why.contains("no thread 9") && why.contains('7') && why.contains('8'), "{why}");
}

#[rstest]
#[case("7 close(3) = 0\n", "no call of it is about a socket")]
#[case("7 socket(AF_NOBODYS, SOCK_RAW, 0) = 3\n", "AF_NOBODYS is no name")]
fn what_has_nothing_to_say_says_so(#[case] log: &str, #[case] says: &str) {
    let why = import(&strace(log).expect("a log"), &Wanted::default()).expect_err("no case");
    assert!(why.contains(says), "{why}");
}

/// What a program gives its calls is a stranger's: it comes out quoted, or not at all.
#[test]
fn nothing_of_the_log_is_a_line_of_the_case() {
    let log = format!(
        "{OPEN}7 setsockopt(3, SOL_X\u{202e}\u{1b}[31m, SO_\u{7}EVIL, [1], 4) = 0\n\
         7 sendto(3, \"\\nrun(\\\"rm\\\")\\n\", 11, 0, NULL, 0) = 11\n"
    );
    let text = imported(&log).text;
    let obeyed = |c: char| c != '\n' && harness::text::is_obeyed(c);
    assert!(!text.contains(obeyed) && !text.lines().any(|line| line.starts_with("run")), "{text}");
}

const PIECES: [&str; 32] = [
    "7 ",
    "[pid 8] ",
    "10:00:00 ",
    "socket(",
    "AF_INET",
    ", ",
    "SOCK_STREAM|",
    ") = ",
    "3",
    "-1 EAGAIN (x)",
    "{sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr(\"10.0.0.1\")}",
    "\"x\\0\"...",
    "[",
    "]",
    "{",
    "}",
    "\n",
    "connect(3, ",
    "recvfrom(3, ",
    "<unfinished ...>\n",
    "<... recvfrom resumed>",
    "poll([{fd=3, events=",
    "=> ",
    "99999999999",
    "7 fork() = 8\n",
    "8 clone(flags=CLONE_THREAD) = 7\n",
    "7 close_range(3, 4294967295, 0) = 0\n",
    "strace: Process 8 attached\n",
    "--- SIGCHLD {si_signo=SIGCHLD, si_pid=8} ---\n",
    "7 recvfrom(3, \"GE\", 9, MSG_PEEK, NULL, NULL) = 2\n",
    "8 setsockopt(3, SOL_IP, IP_MULTICAST_IF, [99], 4) = 0\n",
    "7 accept(3, NULL, NULL) = 4\n",
];

fn a_log() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(PIECES.to_vec()).prop_map(str::to_owned);
    let line = proptest::sample::select(HTTP.lines().collect::<Vec<_>>());
    let line = (line, 0usize..200, ".{0,3}").prop_map(|(line, at, noise)| {
        let at = line.floor_char_boundary(at);
        format!("{}{noise}{}\n", &line[..at], &line[at..])
    });
    let whole =
        proptest::sample::select(HTTP.lines().collect::<Vec<_>>()).prop_map(|l| format!("{l}\n"));
    proptest::collection::vec(prop_oneof![piece, line, whole, ".{0,20}"], 0..40)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_panics_and_what_comes_reads_back(text in a_log()) {
        if let Ok(log) = strace(&text)
            && let Ok(imported) = import(&log, &Wanted::default())
        {
            let read = crate::read("x", &imported.text);
            prop_assert!(read.is_ok(), "{}", imported.text);
            let written = read.unwrap_or_default();
            prop_assert_eq!(written.len(), 1);
            prop_assert_eq!(written[0].case.check(), Ok(()));
        }
    }
}

/// Ten times as long takes ten times as long: in a square it would take a hundred times.
#[test]
fn the_time_grows_as_the_log_does() {
    let of = |times: usize| {
        let deep = "7 x(".to_owned() + &"{[".repeat(times) + "\n";
        let open = format!("7 close({}\n", "\"".repeat(times));
        format!(
            "{TCP}{}{deep}{open}",
            "7 sendto(3, \"x\", 1, 0, NULL, 0) = 1\n7 close(9</x>) = 0\n".repeat(times)
        )
    };
    let time = |text: &str| {
        let begun = Instant::now();
        let log = strace(text).expect("a log");
        assert!(import(&log, &Wanted::default()).is_ok());
        begun.elapsed()
    };
    let least = |text: &str| (0..3).map(|_| time(text)).min().unwrap_or_default();
    let (few, many) = (least(&of(8_000)), least(&of(80_000)));
    assert!(many < few * 25 + Duration::from_millis(50), "{few:?}, {many:?}");
}
