//! Threads and processes: what another one does is said to be left out.

use super::*;

const LISTENS: &str = "\
7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3
7 listen(3, 1) = 0
";
const CHILD: &str = "\
8 close(3) = 0
8 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 5
8 close(5) = 0
7 shutdown(3, SHUT_RDWR) = 0
7 close(3) = 0
";

/// What it closes is open in its parent.
#[rstest]
#[case::fork("7 fork() = 8\n", "fork")]
#[case::vfork("7 vfork( <unfinished ...>\n7 <... vfork resumed>) = 8\n", "vfork")]
#[case::clone(
    "7 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 8\n",
    "clone"
)]
#[case::with_the_same_descriptors(
    "7 clone(child_stack=NULL, flags=CLONE_FILES|SIGCHLD) = 8\n",
    "clone"
)]
#[case::clone3(
    "7 clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD, stack=0x7f, stack_size=0x9} => {}, 88) = 8\n",
    "clone3"
)]
fn a_child_is_another_process(#[case] made: &str, #[case] name: &str) {
    let text = imported(&format!("{LISTENS}{made}{CHILD}")).text;
    let remark = format!("# {name}() = 8: from here on another process has these sockets");
    for part in [
        "# not here: 3 socket calls of another process, --pid 8 takes them\n",
        &format!("listen(s, 1) = 0\n{remark}"),
        "shutdown(s, SHUT_RDWR) = 0\nclose(s) = 0\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("SOCK_DGRAM") && !text.contains("threads"), "{text}");
}

/// A log of `trace=network,desc` has no call that made it; its end is told to its parent.
#[test]
fn a_child_is_known_by_its_end() {
    let end =
        "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=8, si_uid=0, si_status=0} ---\n";
    let text = imported(&format!("{LISTENS}{CHILD}7 {end}")).text;
    assert!(text.contains("# not here: 3 socket calls of another process"), "{text}");
    assert!(text.ends_with("shutdown(s, SHUT_RDWR) = 0\nclose(s) = 0\n"), "{text}");
}

#[rstest]
#[case("7 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, parent_tid=[8]) = 8\n")]
#[case(
    "7 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, exit_signal=0} => {parent_tid=[8]}, 88) = 8\n"
)]
fn a_thread_is_of_its_process(#[case] made: &str) {
    // Descriptor 5 is its own at once: by numbers alone nobody can tell.
    let text =
        imported(&format!("{LISTENS}{made}8 shutdown(3, SHUT_RD) = 0\n8 close(3) = 0\n")).text;
    assert!(text.contains("# socket calls of the threads 7 with 2, 8 with 2\n"), "{text}");
    assert!(text.ends_with("shutdown(s, SHUT_RD) = 0\nclose(s) = 0\n"), "{text}");
}

/// On standard error strace's own words stand within its lines.
#[test]
fn a_call_that_strace_interrupts_itself_is_whole() {
    let log = strace(
        "socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3\n\
         clone(child_stack=0x7f, flags=CLONE_THREADstrace: Process 8 attached\n\
         , parent_tid=[8]) = 8\n\
         recvfrom(3, strace: Process 9 attached\n \
         <unfinished ...>\n\
         [pid     8] close(4) = 0\n\
         [pid     7] <... recvfrom resumed>\"x\", 9, 0, NULL, NULL) = 1\n",
    );
    let calls = log.expect("a log").calls;
    let names: Vec<(u32, &str)> = calls.iter().map(|call| (call.pid, call.name.as_str())).collect();
    assert_eq!(names, [(7, "socket"), (7, "clone"), (8, "close"), (7, "recvfrom")]);
}

#[test]
fn descriptors_that_are_closed_together_are_closed_one_by_one() {
    let all = lines(
        "7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3\n\
         7 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 4\n\
         7 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = 9\n\
         7 close_range(3, 1023, CLOSE_RANGE_CLOEXEC) = 0\n\
         7 close_range(1, 4, 0) = 0\n\
         7 close_range(5, 4294967295, 0) = 0\n",
    );
    let closed = ["close(s) = 0", "close(s2) = 0", "close(s3) = 0"];
    let found: Vec<&String> = all.iter().filter(|line| line.starts_with("close(")).collect();
    assert_eq!(found, closed);
    assert!(all.iter().any(|line| line.starts_with("# close_range(")), "{all:#?}");
    assert!(all.iter().any(|line| line == "# close_range, one by one"), "{all:#?}");
}

#[rstest]
#[case(
    "ppoll_time64([{fd=3, events=POLLOUT}], 1, {tv_sec=1, tv_nsec=0}, NULL, 8) = 1 ([{fd=3, revents=POLLOUT}])",
    "poll([{s, POLLOUT}], 1000) = 1, [{s, POLLOUT}]"
)]
#[case(
    "recvmmsg_time64(3, [{msg_hdr={msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=0x7f, iov_len=9}], msg_iovlen=1}}], 1, MSG_DONTWAIT, NULL) = -1 EAGAIN (Resource temporarily unavailable)",
    "recvmsg(s, {msg_iov=[9]}, MSG_DONTWAIT) = -1 EAGAIN"
)]
#[case(
    "pselect6_time64(4, [3], NULL, NULL, NULL, NULL) = 1 (in [3])",
    "# pselect6(): select is not read from a log yet: poll is"
)]
fn calls_with_wider_times_are_the_same(#[case] call: &str, #[case] said: &str) {
    let all = lines(&format!("{OPEN}7 {call}\n7 shutdown(3, SHUT_RD) = 0\n"));
    assert!(all.iter().any(|line| line.starts_with(said)), "{all:#?}");
}
