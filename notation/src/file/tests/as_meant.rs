//! What is read as its writer means it: addresses, titles, texts; and what is wrong is told where it stands.

use super::*;

/// `[::255.255.255.255]` never came, since transcripts have `[::ffff:ffff]` (RFC 5952).
#[test]
fn an_address_is_asked_for_however_it_is_written() {
    let said = |line: &str| {
        let text = format!("tun link0\nsocket(AF_INET6, SOCK_DGRAM, 0) = s\n{line}\n");
        one(&text).asked[0].what.to_string()
    };
    let address = |text: &str| said(&format!("getsockname(s) = 0, {{AF_INET6 [{text}]:9}}"));
    assert_eq!(address("::255.255.255.255"), "= 0, {AF_INET6 [::ffff:ffff]:9}");
    assert_eq!(address("FE80:0::1%link0"), "= 0, {AF_INET6 [fe80::1%link0]:9}");
    assert_eq!(said("recv(s, 9, 0) = 6, \"[0::1]\""), "= 6, \"[0::1]\"");
    assert_eq!(said("recv(s, 9, 0) = 1, [0x41]"), "= 1, [0x41]");
    assert_eq!(said("close(s)\n> link0 IPv6 0::1 > ff02::1"), "> link0 IPv6 ::1 > ff02::1");
}

#[test]
fn a_title_ends_at_its_question() {
    let text = "# Is this\n# the question?\n# And this is not.\nsocket(AF_INET, SOCK_DGRAM, 0)\n";
    assert_eq!(one(text).case.title, "Is this the question?");
}

#[test]
fn what_another_threads_call_returns_need_not_be_asked() {
    let text = "socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])\nt: recv(a, 9, 0)\n\
                send(b, \"x\", 0)\nt: <... recv resumed>\n";
    assert_eq!(one(text).asked, []);
}

/// They were told of the first call.
#[test]
fn what_is_no_call_of_a_thread_is_told_where_it_stands() {
    let text = "socket(AF_INET, SOCK_DGRAM, 0) = s\nt: recv(s, 9, 0)\n\
                u: bind(s, {AF_INET 127.0.0.1:9})\n";
    let all = wrong(text);
    let [(part, says)] = &all[..] else { panic!("{all:?}") };
    assert_eq!(says, "bind cannot be a call of another thread");
    assert!(part.starts_with("u: bind"), "{part}");
}

#[test]
fn text_of_an_option_is_its_bytes() {
    let value = |value: &str| {
        let text = format!(
            "tun link0\nsocket(AF_INET, SOCK_STREAM, 0) = s\n\
             setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, {value})\n\
             setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, \"link0\")\n"
        );
        one(&text).case.ops
    };
    assert_eq!(value("\"reno\""), value("0x72656e6f"));
}

#[test]
fn a_default_route_is_told_by_its_prefix() {
    let text = "tun link0\nroute add default dev link0\nsocket(AF_INET, SOCK_DGRAM, 0)\n";
    let faults = read("mine", text).expect_err("no prefix");
    assert_eq!(faults[0].help.as_deref(), Some("the default route is 0.0.0.0/0 or ::/0"));
}

#[test]
fn one_of_several_may_come() {
    let text =
        |asked: &str| format!("socket(AF_INET, SOCK_DGRAM, 0) = s\nrecv(s, 8, 0) = {asked}\n");
    let says = |asked: &str| match &one(&text(asked)).asked[0].what {
        Demand::Result(all) => all.iter().map(|one| one.says.clone()).collect::<Vec<_>>(),
        other => panic!("{other}"),
    };
    assert_eq!(says("one of 0, -1 EAGAIN"), ["0", "-1 EAGAIN"]);
    assert_eq!(says("one of 1, \"a, 2\", 1, \"b\""), ["1, \"a, 2\"", "1, \"b\""]);
    assert_eq!(says("one of 2, -1 EAGAIN|EINTR on linux, 0 on macos").len(), 4);
    let shown = |asked: &str| one(&text(asked)).asked[0].what.to_string();
    assert_eq!(shown("one of 0, -1 EAGAIN"), "= one of 0, -1 EAGAIN");
    assert_eq!(shown("own"), "= own");
    for (asked, why) in [
        ("one of 0", "two at the least"),
        ("one of 0, one of 1, 2", "a set is no result of a set"),
        ("one of 0, EAGAIN", "two at the least"),
        ("one of 0, -1 ENOBODY", "ENOBODY"),
    ] {
        let faults = read("f", &text(asked)).expect_err(asked);
        let said = render(&faults, "f", &text(asked), false);
        assert!(said.contains(why), "{said}");
    }
}

/// A value that no call gives was a verdict.
#[test]
fn what_can_never_come_is_a_mistake_where_it_stands() {
    let said = |line: &str| {
        let text = format!("tun link0\nsocket(AF_INET, SOCK_STREAM, 0) = s\n{line}\n");
        read("mine", &text).map_err(|faults| {
            assert_eq!(faults.len(), 1, "{line}");
            let at = faults[0].at.clone();
            (text[at].to_owned(), faults[0].says.clone(), faults[0].help.clone())
        })
    };
    for (line, part, why, help) in [
        ("getsockopt(s, SOL_SOCKET, SO_RCVBUF) = 0, banana", "banana", "no value of an option", ""),
        (
            "getsockopt(s, IPPROTO_TCP, TCP_INFO) = 0, {tcpi_stat=1}",
            "tcpi_stat",
            "TCP_INFO has no field tcpi_stat",
            "did you mean tcpi_state?",
        ),
        ("getsockopt(s, SOL_SOCKET, SO_LINGER) = 0, {1}", "1", "no field with its value", ""),
        ("read(s, 4) = 1, banana", "banana", "nothing that read gives", "in quotes"),
        ("recv(s, 4, 0) = 1, 0x41", "0x41", "nothing that recv gives", "in quotes"),
        ("recv(s, 4, 0) = 1, msg_flags=0", "msg_flags=0", "gives no flags", "recvmsg"),
        (
            "recvmsg(s, {msg_iov=[9]}, 0) = 1, msg_flag=0",
            "msg_flag",
            "is called",
            "did you mean msg_flags?",
        ),
        (
            "recvmsg(s, {msg_iov=[9]}, 0) = 1, msg_flags=MSG_TRUNK",
            "MSG_TRUNK",
            "no flag of a message",
            "did you mean MSG_TRUNC?",
        ),
        ("recvmsg(s, {msg_iov=[9]}, 0) = 1, msg_control={}", "{}", "a list", "[]"),
        ("close(s) = 0, banana", "banana", "close gives nothing", ""),
        ("listen(s, 1) = 0x", "0x", "digits are expected behind 0x", ""),
        ("getsockopt(s, SOL_SOCKET, SO_RCVBUF) = 0, 0xzz", "0xzz", "behind 0x", ""),
        ("close(s) = 0 on linux, 1 on linux", "1 on linux", "said already", "one of 0, 1"),
        ("recv(s, 4, 0) = 9..1", "9..1", "no number is within", ""),
    ] {
        let Err((at, says, more)) = said(line) else { panic!("{line}") };
        assert_eq!(at, part, "{line}");
        assert!(says.contains(why), "{line}: {says}");
        assert!(more.unwrap_or_default().contains(help), "{line}");
    }
    for line in [
        "getsockopt(s, SOL_SOCKET, SO_ERROR) = 0, ECONNREFUSED",
        "getsockopt(s, SOL_SOCKET, SO_RCVBUF) = 0, 1000..200000",
        "getsockopt(s, SOL_SOCKET, SO_RCVBUF) = 0, >=1000",
        "getsockopt(s, SOL_SOCKET, SO_COOKIE) = 0, present",
        "getsockopt(s, IPPROTO_TCP, TCP_INFO) = 0, {tcpi_snd_cwnd=10, tcpi_rtt=0..9}",
        "getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE) = 0, \"link0\\0\"",
        "recvmsg(s, {msg_iov=[9]}, 0) = 1, \"x\", msg_flags=0, msg_control=[]",
        "recvmsg(s, {msg_iov=[9]}, 0) = 1, msg_flags=MSG_TRUNC|MSG_EOR",
        "recv(s, 9, 0) = 1..9, pattern[0..4]",
        "close(s) = 0 on linux, 0 on macos",
        "close(s) = -1 EBADF",
    ] {
        assert_eq!(said(line).map(|_| ()), Ok(()), "{line}");
    }
}

/// It had room for an `int`, and a structure was cut.
#[test]
fn an_option_has_room_for_its_structure() {
    let len = |line: &str| {
        let text = format!("tun link0\nsocket(AF_INET, SOCK_STREAM, 0) = s\n{line}\n");
        let written = one(&text);
        assert_eq!(one(&print(&written.case)).case, written.case, "{line}");
        let Op::Getsockopt { len, .. } = &written.case.ops[1] else { panic!("{line}") };
        *len
    };
    assert_eq!(len("getsockopt(s, SOL_SOCKET, SO_LINGER)"), 8);
    assert_eq!(len("getsockopt(s, SOL_SOCKET, SO_LINGER, 4)"), 4);
    assert_eq!(len("getsockopt(s, SOL_SOCKET, SO_RCVTIMEO)"), 16);
    assert_eq!(len("getsockopt(s, IPPROTO_TCP, TCP_INFO)"), 256);
    assert_eq!(len("getsockopt(s, SOL_SOCKET, SO_RCVBUF)"), 4);
    assert_eq!(len("getsockopt(s, \"give up connecting\")"), 4);
}

/// Neither form was read.
#[test]
fn what_another_thread_accepts_has_its_name_where_it_begins_or_returns() {
    let text = |begins: &str, resumes: &str| {
        format!(
            "socket(AF_UNIX, SOCK_STREAM, 0) = l\nt: accept(l){begins}\n\
             socket(AF_UNIX, SOCK_STREAM, 0) = s\nt: <... accept resumed>{resumes}\nclose(c)\n"
        )
    };
    for (begins, resumes) in [
        (" = c", ""),
        (" <unfinished ...>", " = c"),
        ("", " = c"),
        (" = c <unfinished ...>", ""),
        (" = c <unfinished ...>", " = c, success"),
    ] {
        let written = one(&text(begins, resumes));
        assert_eq!(written.case.ops[1].makes(), ["c"], "{begins}{resumes}");
    }
    let why = |begins, resumes| {
        let faults = read("f", &text(begins, resumes)).expect_err("a mistake");
        faults.iter().map(|fault| fault.says.clone()).collect::<Vec<_>>()
    };
    let says = ["the socket that it makes is called c where it begins"];
    assert_eq!(why(" = c <unfinished ...>", " = d"), says);
    let says = ["what a call returns that waits stands where it has returned"];
    assert_eq!(why(" = -1 EINVAL <unfinished ...>", " = c"), says);
    assert_eq!(why("", ""), ["no call before this one makes a socket c"]);
}
