//! What other hosts do, told once and for the connection that it was on.

use super::*;

/// A connection to a server: the number of its descriptor, the server, what is sent, what comes.
fn get(fd: u32, to: &str, sent: &str, came: &str) -> String {
    let (len, got) = (sent.len(), came.len());
    format!(
        "7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = {fd}\n\
         7 connect({fd}, {{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"{to}\")}}, 16) = 0\n\
         7 sendto({fd}, \"{sent}\", {len}, 0, NULL, 0) = {len}\n\
         7 recvfrom({fd}, \"{came}\", 99, 0, NULL, NULL) = {got}\n\
         7 recvfrom({fd}, \"\", 99, 0, NULL, NULL) = 0\n\
         7 close({fd}) = 0\n"
    )
}

#[test]
fn a_connection_with_another_dialogue_has_a_port_of_its_own() {
    let one = |sent, came| get(3, "203.0.113.7", sent, came);
    let text = imported(&(one("A", "a") + &one("B", "b") + &one("A", "a"))).text;
    for part in [
        "serve link0 80: expect \"A\", send \"a\", pause, close\n",
        "serve link0 30001: expect \"B\", send \"b\", pause, close\n",
        "connect(s, {AF_INET neighbour(link0):80}) = 0\n",
        "# port 30001 stands for 80, where a server does something else on another connection\n\
         connect(s2, {AF_INET neighbour(link0):30001}) = 0\n",
        "recv(s2, 99, 0) = 1, \"b\"\n",
        // The third is as the first, pause and all.
        "connect(s3, {AF_INET neighbour(link0):80}) = 0\n",
        "recv(s3, 99, 0) = 1, \"a\"\n-- the server at link0 80 goes on\nrecv(s3, 99, 0) = 0, \"\"\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn another_host_with_the_same_port_is_served_too() {
    let two = |came| get(3, "203.0.113.7", "A", "a") + &get(3, "203.0.113.8", "A", came);
    let same = imported(&two("a")).text;
    assert!(same.contains("serve link0 80 at every address: expect \"A\", send \"a\""), "{same}");
    assert!(!same.contains("30001") && same.contains("recv(s2, 99, 0) = 1, \"a\"\n"), "{same}");
    let other = imported(&two("b")).text;
    assert!(other.contains("# port 30001 stands for 80"), "{other}");
    assert!(
        other.contains("serve link0 30001 at every address: expect \"A\", send \"b\""),
        "{other}"
    );
    assert!(other.contains("connect(s2, {AF_INET unresolved(link0):30001}) = 0\n"), "{other}");
}

#[test]
fn what_is_looked_at_first_comes_once() {
    let text = imported(
        "7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3\n\
         7 connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"203.0.113.7\")}, 16) = 0\n\
         7 recvfrom(3, \"he\", 2, MSG_PEEK, NULL, NULL) = 2\n\
         7 recvfrom(3, \"hel\", 3, MSG_PEEK, NULL, NULL) = 3\n\
         7 recvfrom(3, \"hello\", 5, 0, NULL, NULL) = 5\n\
         7 recvfrom(3, \"\", 9, MSG_PEEK, NULL, NULL) = 0\n\
         7 recvfrom(3, \"\", 9, 0, NULL, NULL) = 0\n",
    )
    .text;
    assert!(text.contains("serve link0 80: send \"hello\", close\n"), "{text}");
    for part in [
        "recv(s, 2, MSG_PEEK) = 2, \"he\"\nrecv(s, 3, MSG_PEEK) = 3, \"hel\"\n",
        "recv(s, 5, 0) = 5, \"hello\"\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[rstest]
#[case::looked("recvfrom(3, \"a\", 9, MSG_PEEK, NULL, NULL) = 1", 1)]
#[case::polled(
    "poll([{fd=3, events=POLLIN}], 1, 9) = 1 ([{fd=3, revents=POLLIN}])\n\
     7 recvfrom(3, \"a\", 9, MSG_PEEK, NULL, NULL) = 1",
    1
)]
#[case::queue(
    "recvmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"q\", iov_len=9}], msg_iovlen=1, \
     msg_controllen=0, msg_flags=MSG_ERRQUEUE}, MSG_ERRQUEUE) = 1",
    1
)]
#[case::twice("recvfrom(3, \"a\", 9, 0, NULL, NULL) = 1", 2)]
fn a_datagram_comes_once_and_that_of_an_error_never(#[case] call: &str, #[case] times: usize) {
    let text = imported(&format!(
        "{OPEN}7 connect(3, {{sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr(\"9.9.9.9\")}}, 16) = 0\n\
         7 getsockname(3, {{sa_family=AF_INET, sin_port=htons(4000), sin_addr=inet_addr(\"10.0.0.5\")}}, [16]) = 0\n\
         7 sendto(3, \"q\", 1, 0, NULL, 0) = 1\n\
         7 {call}\n\
         7 recvfrom(3, \"a\", 9, 0, NULL, NULL) = 1\n"
    ))
    .text;
    assert_eq!(text.matches("< link0 UDP").count(), times, "{text}");
}

const LISTENS: &str = "\
7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3<TCP:[1]>
7 bind(3<TCP:[1]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"0.0.0.0\")}, 16) = 0
7 listen(3<TCP:[0.0.0.0:80]>, 1) = 0
";

/// Nobody in the case connects, whether the log tells who it was or not.
#[rstest]
#[case::told(
    "3<TCP:[0.0.0.0:80]>, NULL, NULL) = 4<TCP:[10.0.0.5:80->203.0.113.7:4000]>",
    "another host begins"
)]
#[case::untold("3, NULL, NULL) = 4", "no socket of the case begins what it accepts")]
#[case::a_process(
    "3, NULL, NULL) = 4<TCP:[127.0.0.1:80->127.0.0.1:4000]>",
    "no socket of the case begins"
)]
fn what_is_accepted_from_elsewhere_is_a_remark(#[case] call: &str, #[case] why: &str) {
    let all = lines(&format!(
        "{LISTENS}7 accept({call}\n7 recvfrom(4, \"x\", 9, 0, NULL, NULL) = 1\n7 close(3) = 0\n"
    ));
    assert!(all.iter().any(|l| l.starts_with("# accept(s)") && l.contains(why)), "{all:#?}");
    assert!(!all.iter().any(|l| l.starts_with("accept") || l.starts_with("recv")), "{all:#?}");
}

#[rstest]
#[case("recvfrom(3, \"ab\"..., 99, 0, NULL, NULL) = 5", "3 of the 5 bytes")]
#[case(
    "recvmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"a\"..., iov_len=9}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, 0) = 4",
    "3 of the 4 bytes"
)]
fn what_was_received_and_is_cut_says_so(#[case] call: &str, #[case] says: &str) {
    let all = lines(&format!("7 socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0\n7 {call}\n"));
    let remark = format!("# the log has not {says} that came (strace -s): none are asked for");
    assert_eq!(all.get(all.len() - 2), Some(&remark), "{all:#?}");
}

#[rstest]
#[case::longer("bind", 128, "= 0", Some("bind(s, {AF_INET 127.0.0.1:80}) = 0"))]
#[case::shorter("connect", 8, "= -1 EINVAL (Invalid argument)", None)]
#[case::too_long("bind", 129, "= -1 EINVAL (Invalid argument)", None)]
fn another_length_of_an_address_is_told(
    #[case] name: &str,
    #[case] len: u32,
    #[case] came: &str,
    #[case] said: Option<&str>,
) {
    let all = lines(&format!(
        "{OPEN}7 {name}(3, {{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"127.0.0.1\")}}, {len}) {came}\n"
    ));
    let says = format!("it is given {len} bytes of an address of 16, and a case gives 16");
    assert!(all.iter().any(|line| line.starts_with('#') && line.contains(&says)), "{all:#?}");
    assert_eq!(
        all.iter().find(|line| line.starts_with(name)).map(String::as_str),
        said,
        "{all:#?}"
    );
}

#[test]
fn an_address_that_had_too_little_room_is_not_asked_for() {
    let all = lines(&format!(
        "{OPEN}7 getsockname(3, {{sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr(\"0.0.0.0\")}}, [8 => 16]) = 0\n"
    ));
    assert_eq!(
        all[all.len() - 2..],
        ["# getsockname(s): there was less room than the address is long", "getsockname(s) = 0",]
    );
}

/// curl's resolver wakes it by a pair of sockets, whose descriptor the connection has next: what was looked for on the
/// pair was taken for what came on the connection, of which then nothing was said.
#[rstest]
#[case::closed("close(3) = 0\n7 close(4) = 0", "")]
#[case::all("close_range(3, 4, 0) = 0", "")]
#[case::replaced("close(4) = 0", "7 dup2(5, 3) = 3\n7 close(5) = 0\n")]
#[case::in_vain("close(4) = 0\n7 close(3) = -1 EBADF (Bad file descriptor)\n7 close(3) = 0", "")]
fn what_is_looked_for_ends_with_its_descriptor(#[case] ends: &str, #[case] replaces: &str) {
    let fd = if replaces.is_empty() { 3 } else { 5 };
    let text = imported(&format!(
        "7 socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0\n\
         7 sendto(4, \"\\1\", 1, 0, NULL, 0) = 1\n\
         7 poll([{{fd=3, events=POLLIN}}], 1, 1) = 1 ([{{fd=3, revents=POLLIN}}])\n\
         7 {ends}\n\
         7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = {fd}\n\
         {replaces}\
         7 connect(3, {{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"192.0.2.2\")}}, 16) = 0\n\
         7 sendto(3, \"GET\", 3, 0, NULL, 0) = 3\n\
         7 poll([{{fd=3, events=POLLIN}}], 1, 0) = 1 ([{{fd=3, revents=POLLIN}}])\n\
         7 recvfrom(3, \"hello\", 9, 0, NULL, NULL) = 5\n"
    ))
    .text;
    assert!(text.contains("serve link0 80: expect \"GET\", send \"hello\"\n"), "{text}");
}

/// Whether a connection is there yet is a matter of microseconds on a host; a lab's far end has taken it before
/// `connect` returns.
#[test]
fn a_connection_that_is_not_there_yet_is_not_polled() {
    let log = |first: &str, second: &str| {
        format!(
            "7 socketpair(AF_UNIX, SOCK_STREAM, 0, [4, 5]) = 0\n\
             7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3\n\
             7 connect(3, {{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"192.0.2.2\")}}, 16) = -1 EINPROGRESS (Operation now in progress)\n\
             7 poll([{{fd=3, events=POLLOUT}}], 1, 0) = {first}\n\
             7 poll([{{fd=3, events=POLLOUT}}, {{fd=4, events=POLLIN}}], 2, 0) = {first}\n\
             7 poll([{{fd=3, events=POLLOUT}}, {{fd=4, events=POLLIN}}], 2, 99) = {second}\n\
             7 poll([{{fd=3, events=POLLIN}}], 1, 0) = 0 (Timeout)\n"
        )
    };
    let came = "1 ([{fd=3, revents=POLLOUT}])";
    let late = lines(&log("0 (Timeout)", came));
    let why = "a connection was not there yet, and in a lab it is at once";
    let polls = |lines: &[String]| -> Vec<String> {
        lines.iter().filter(|line| line.contains("poll")).cloned().collect()
    };
    assert_eq!(
        polls(&late),
        [
            &format!("# poll(): {why}"),
            &format!("# poll, without a socket: {why}"),
            "poll([{a, POLLIN}], 0) = 0",
            "poll([{s, POLLOUT}, {a, POLLIN}], 99) = 1, [{s, POLLOUT}]",
            "poll([{s, POLLIN}], 0) = 0",
        ],
        "{late:#?}"
    );
    let at_once = lines(&log(came, came));
    assert!(!at_once.iter().any(|line| line.contains(why)), "{at_once:#?}");
    // Who has sent knows that it is there.
    let sends = log("0 (Timeout)", "0 (Timeout)").replacen(
        "7 poll([{fd=3, events=POLLOUT}], 1, 0) = 0 (Timeout)",
        "7 sendto(3, \"x\", 1, 0, NULL, 0) = 1",
        1,
    );
    let sends = lines(&sends);
    assert!(!sends.iter().any(|line| line.contains(why)), "{sends:#?}");
}
