use rstest::rstest;

use super::*;
use crate::import::Arg;

const CALL: &str = "socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3";

fn one(line: &str) -> Called {
    let log = strace(line).unwrap_or_else(|why| panic!("{line}: {why}"));
    assert_eq!(log.calls.len(), 1, "{line}");
    log.calls[0].clone()
}

#[rstest]
#[case::plain("", 0)]
#[case::pid("1234 ", 1234)]
#[case::padded("1234  ", 1234)]
#[case::bracket("[pid  1234] ", 1234)]
#[case::command("[pid  1234<python3>] ", 1234)]
#[case::command_of_a_file("1234<python3> ", 1234)]
#[case::t("10:00:00 ", 0)]
#[case::tt("10:00:00.123456 ", 0)]
#[case::ttt("1700000000.123456 ", 0)]
#[case::r("     0.000123 ", 0)]
#[case::both("10:00:00.123456 (+     0.000123) ", 0)]
#[case::pid_and_time("1234  10:00:00.123456 ", 1234)]
#[case::bracket_and_time("[pid  1234] 10:00:00.123456 ", 1234)]
#[case::instruction("10:00:00 [00007f0011223344] ", 0)]
fn the_beginning_of_a_line_is_no_matter(#[case] before: &str, #[case] pid: u32) {
    let call = one(&format!("{before}{CALL}"));
    assert_eq!((call.pid, call.name.as_str(), call.ret), (pid, "socket", Some(3)));
}

#[rstest]
#[case("close(3) = 0", Some(0), None)]
#[case("close(3) = 0 <0.000012>", Some(0), None)]
#[case("close(3) = -1 EBADF (Bad file descriptor)", Some(-1), Some("EBADF"))]
#[case("close(3)                                = 0", Some(0), None)]
#[case(
    "recv(3, 0x7f, 1, 0) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)",
    None,
    Some("ERESTARTSYS")
)]
#[case("close(3) = ?", None, None)]
#[case("fcntl(3, F_GETFL) = 0x802 (flags O_RDWR|O_NONBLOCK)", Some(0x802), None)]
#[case("close(3) = ? <unavailable>", None, None)]
fn what_it_returns_is_read(
    #[case] line: &str,
    #[case] ret: Option<i64>,
    #[case] errno: Option<&str>,
) {
    let call = one(line);
    assert_eq!((call.ret, call.errno.as_deref()), (ret, errno));
}

#[test]
fn arguments_are_read() {
    let call = one(
        r#"sendto(3<UDP:[[::1]:7->[::1]:9]>, "a\0\"\1772\n"..., 300, MSG_DONTWAIT|MSG_NOSIGNAL, {sa_family=AF_INET6, sin6_port=htons(9), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}, 28) = 300"#,
    );
    assert_eq!(call.args[0], Arg::Fd(3, "UDP:[[::1]:7->[::1]:9]".to_owned()));
    assert_eq!(call.args[1], Arg::Bytes { bytes: b"a\0\"\x7f2\n".to_vec(), cut: true });
    assert_eq!(call.args[3].flags(), ["MSG_DONTWAIT", "MSG_NOSIGNAL"]);
    assert_eq!(call.args[4].field("sin6_port").and_then(Arg::number), Some(9));
    let call = one("poll([{fd=3<a<b>->>, events=POLLIN}], 1, -1) = 1 ([{fd=3, revents=POLLIN}])");
    assert_eq!(call.beside[0].within()[0].field("revents").map(Arg::text), Some("POLLIN"));
    let call = one("getsockname(3, 0x7ffc /* where */, [128 => 16]) = 0");
    assert_eq!((call.args[2].before(), call.args[2].number()), (Some(128), Some(16)));
    let call = one("accept4(4, {sa_family=AF_UNIX}, [2], 0) = 5<UNIX-STREAM:[1->2]>");
    assert_eq!(call.made.as_deref(), Some("UNIX-STREAM:[1->2]"));
}

#[test]
fn calls_in_two_pieces_are_one() {
    let log = strace(
        "7 recvfrom(3, <unfinished ...>\n\
         8 sendto(4, \"x\", 1, 0, NULL, 0 <unfinished ...>\n\
         7 <... recvfrom resumed>\"x\", 10, 0, NULL, NULL) = 1\n\
         8 <... sendto resumed>)             = 1\n\
         9 accept(3, <unfinished ...>\n",
    );
    let calls = log.expect("a log").calls;
    let places: Vec<_> = calls.iter().map(|c| (c.pid, c.name.as_str(), c.begun, c.ended)).collect();
    assert_eq!(places[..2], [(7, "recvfrom", 1, 3), (8, "sendto", 2, 4)]);
    assert_eq!(calls[0].args[1], Arg::Bytes { bytes: b"x".to_vec(), cut: false });
}

#[test]
fn the_first_thread_is_one_though_it_has_no_number_at_first() {
    let log = strace(
        "socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 3\n\
         strace: Process 8 attached\n\
         [pid     8] close(4) = 0\n\
         [pid     7] close(3) = 0\n\
         [pid     8] +++ exited with 0 +++\n\
         close(5) = 0\n",
    );
    let pids: Vec<u32> = log.expect("a log").calls.iter().map(|call| call.pid).collect();
    assert_eq!(pids, [7, 8, 7, 7]);
}

#[rstest]
#[case("", "is empty")]
#[case("\n\n", "is empty")]
#[case("hello\nworld\n", "the first is \"hello\"")]
#[case("tun link0\nsocket(AF_INET", "was expected")]
#[case("12:00:01.1 IP 10.0.0.1.80 > 10.0.0.2.1024: Flags [S], seq 1\n", "was expected")]
fn a_text_that_is_no_log_says_what_was_expected(#[case] text: &str, #[case] says: &str) {
    let why = strace(text).expect_err("no log");
    assert!(why.contains(says), "{why}");
}

#[test]
fn files_are_passed_over_and_output_of_the_program_too() {
    let log = strace(
        "openat(AT_FDCWD</>, \"/etc/hosts\", O_RDONLY) = 3</etc/hosts>\n\
         read(3</etc/hosts>, \"127.0.0.1\", 4096) = 9\n\
         read(4<pipe:[7]>, \"\", 1) = 0\n\
         a line of the program's (with brackets)\n\
         --- SIGCHLD {si_signo=SIGCHLD} ---\n\
         +++ exited with 0 +++\n",
    );
    assert_eq!(log.expect("a log").calls, []);
}
