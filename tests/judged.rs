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

/// Behind a call that waits frames are not asked for, since they may be its; before it they are. The case was `new`,
/// and a frame that did not leave was no fault.
#[test]
fn frames_before_another_thread_waits_are_judged() {
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
";
    let behind = format!("{text}close(s) = 0\n    > nothing\n");
    let other = text.replace("UDP \"x\"", "UDP \"y\"");
    let folder = folder(&[("a.case", text), ("b.case", &other), ("c.case", &behind)]);
    assert_eq!(verdict(folder.path(), &["a.case"]), ("ok".to_owned(), Some(0)));
    assert_eq!(verdict(folder.path(), &["b.case"]), ("unexpected".to_owned(), Some(1)));
    let shown = stdout(&sockeye(folder.path(), &["show", "c.case"]));
    assert!(shown.contains("what is asked of its frames cannot be judged"), "{shown}");
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
