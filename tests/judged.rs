//! What is asked of a case of one's own is judged: calls that wait, frames before another thread does, names of another system.

use crate::common::own::{folder, sockeye, verdict};
use crate::common::{has_labs, is_linux, stderr, stdout};

/// A call that waits by its socket's own time was taken for an executor that stood still, thrice, and the case was
/// an error.
#[test]
fn a_call_that_waits_for_its_time_is_judged() {
    let text = "\
socket(AF_INET, SOCK_DGRAM, 0) = s
bind(s, {AF_INET 127.0.0.1:0}) = 0
setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=0, tv_usec=700000}) = 0
recv(s, 8, 0) = -1 ETIMEDOUT
";
    let folder =
        folder(&[("waits.case", text), ("right.case", &text.replace("ETIMEDOUT", "EAGAIN"))]);
    assert_eq!(verdict(folder.path(), &["waits.case"]), ("unexpected".to_owned(), Some(1)));
    let output = sockeye(folder.path(), &["run", "right.case"]);
    assert!(output.status.success() && !stderr(&output).contains("stood still"), "{output:?}");
}

/// While a call waits frames are not asked for, since they may be its; before it and behind its return they are. The
/// case was `new`, and a frame that did not leave was no fault.
#[test]
fn frames_before_and_behind_what_another_thread_waits_for_are_judged() {
    if !has_labs() {
        return;
    }
    let text = "\
tun net0
socket(AF_INET, SOCK_DGRAM, 0) = s
connect(s, {AF_INET neighbour(net0):9}) = 0
send(s, \"x\", 0) = 1
    > net0 UDP \"x\"
t: recv(s, 8, 0) <unfinished ...>
shutdown(s, SHUT_RD) = 0
t: <... recv resumed> = 0
send(s, \"z\", 0) = 1
    > net0 UDP \"z\"
";
    let while_it_waits = text.replace("t: <...", "    > nothing\nt: <...");
    let other = text.replace("UDP \"x\"", "UDP \"y\"");
    let behind = text.replace("UDP \"z\"", "UDP \"y\"");
    let folder = folder(&[
        ("a.case", text),
        ("b.case", &other),
        ("c.case", &while_it_waits),
        ("d.case", &behind),
    ]);
    assert_eq!(verdict(folder.path(), &["d.case"]), ("unexpected".to_owned(), Some(1)));
    assert_eq!(verdict(folder.path(), &["a.case"]), ("ok".to_owned(), Some(0)));
    assert_eq!(verdict(folder.path(), &["b.case"]), ("unexpected".to_owned(), Some(1)));
    let shown = stdout(&sockeye(folder.path(), &["show", "c.case"]));
    assert!(shown.contains("what is asked of its frames is not judged"), "{shown}");
}

/// What came was told as what was asked, letter by letter.
#[test]
fn a_frame_is_asked_for_once_and_in_its_order() {
    if !has_labs() {
        return;
    }
    let sends = |data: &str| {
        format!(
            "sendto(s, \"{data}\", 0, {{AF_INET neighbour(net0):9}}) = 1\n    > net0 \"{data}\"\n"
        )
    };
    let begins = format!("tun net0\nsocket(AF_INET, SOCK_DGRAM, 0) = s\n{}", sends("a"));
    let once = format!("{begins}    > net0 \"a\"\n");
    let folder = folder(&[("once.case", &once), ("right.case", &begins)]);
    assert_eq!(verdict(folder.path(), &["right.case"]), ("ok".to_owned(), Some(0)));
    let told = stdout(&sockeye(folder.path(), &["run", "once.case", "right.case"]));
    assert!(told.contains("ok unexpected\n"), "the words stand apart: {told}");
    let shown = stdout(&sockeye(folder.path(), &["show", "once.case"]));
    for part in ["no other frame", "such a one came before"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

/// `show` said of each that nothing is asked of it.
#[test]
fn why_nothing_is_judged_is_said() {
    let made =
        "socket(AF_INET, SOCK_STREAM, IPPROTO_UDP) = l\nsocket(AF_INET, SOCK_DGRAM, 0) = s\n";
    let waits =
        "socket(AF_INET, SOCK_DGRAM, 0) = s\nbind(s, {AF_INET 127.0.0.1:0}) = 0\nrecv(s, 1, 0)\n";
    let (asks, nothing) =
        ("bind(s, {AF_INET 127.0.0.1:0}) = 0\n", "bind(s, {AF_INET 127.0.0.1:0})\n");
    let folder = folder(&[
        ("made.case", &format!("{made}{asks}")),
        ("waits.case", waits),
        ("none.case", &format!("{made}{nothing}")),
    ]);
    for (file, why) in [
        (
            "made.case",
            "what is asked of it is not judged: socket gave no l, EPROTONOSUPPORT, of which its text says nothing",
        ),
        (
            "waits.case",
            "what is asked of it is not judged: recv waited for ever, of which its text says nothing",
        ),
        ("none.case", "verdict: new, nothing is asked of it"),
    ] {
        let shown = stdout(&sockeye(folder.path(), &["show", file]));
        assert!(shown.contains(why), "{shown}");
    }
}

/// `show` said `ok` of what `run` counts as not here.
#[test]
fn what_is_not_here_is_shown_so() {
    if !is_linux() {
        return;
    }
    let text = "socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b]) = 0\npoll([{a, POLLEXTEND}], 0) = 0 on macos\n";
    let folder = folder(&[("x.case", text)]);
    let shown = stdout(&sockeye(folder.path(), &["show", "x.case"]));
    assert!(shown.contains("verdict: not here"), "{shown}");
}
