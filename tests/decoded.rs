//! What structures, control messages and widths come to on this kernel: each input said otherwise once
//! in every run, or could not be said.

use harness::case::{Case, Os};
use harness::outcome;
use harness::trace::{Credentials, Trace};
use rstest::rstest;

use crate::common::{case, has_labs, traces};

/// What an executor of its own makes of a case.
fn run(case: &Case) -> Trace {
    let traces = traces(&[], std::slice::from_ref(case));
    traces.into_iter().next().expect("a trace")
}

/// The outcome of a case, which two executors, each a process of its own, have alike; none where this
/// system has not got what is asked.
fn outcome(json: &str) -> Option<String> {
    let case = case(json);
    if Os::host() != Some(Os::Linux) || !has_labs() {
        return None;
    }
    let (one, two) = (run(&case), run(&case));
    let text = outcome::render(&case, &one, Os::Linux);
    assert_eq!(text, outcome::render(&case, &two, Os::Linux));
    Some(text)
}

#[test]
fn coalesced_datagrams_have_a_number() {
    let Some(text) = outcome(include_str!("inputs/gro.json")) else { return };
    assert!(text.contains("{IPPROTO_UDP, UDP_GRO, 1000}"), "{text}");
}

#[test]
fn times_are_there_and_no_clock() {
    let Some(text) = outcome(include_str!("inputs/timestamping.json")) else { return };
    for said in [
        "{SOL_SOCKET, SCM_TIMESTAMPING, {software=present, deprecated=zero, hardware=zero}}",
        "{ee_errno=ENOMSG, ee_origin=SO_EE_ORIGIN_TIMESTAMPING, ee_type=0, ee_code=0, \
         ee_info=SCM_TSTAMP_SND, ee_data=0, offender={AF_UNSPEC}}",
        "{SOL_SOCKET, SCM_TIMESTAMPNS, present}",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
}

/// They were right once, and JSON alone: each is a text of some lines, and its C program reproduces it.
#[rstest]
#[case(include_str!("inputs/recverr-unconnected.json"), &[
    "\"live\", 4, 0, {AF_INET 127.0.0.1:eph2}) = -1 ECONNREFUSED",
    "MSG_ERRQUEUE|MSG_DONTWAIT) = 4, \"dead\", {AF_INET 127.0.0.1:9999}",
    "recv(live, 100, MSG_DONTWAIT) = 4, \"live\"",
])]
#[case(include_str!("inputs/self-connect.json"), &[
    "connect(s, {AF_INET 127.0.0.1:12345}) = 0",
    "TCP 12345 > 12345 [S.]",
    "recv(s, 100, MSG_DONTWAIT) = 2, \"hi\"",
])]
#[case(include_str!("inputs/shutdown-udp.json"), &[
    "shutdown(s, SHUT_RDWR) = -1 ENOTCONN",
    "recv(s, 100, 0) = 0, \"\"",
    "[{s, POLLIN|POLLHUP|POLLRDHUP}]",
])]
#[case(include_str!("inputs/shutdown-unix.json"), &[
    "recv(a, 100, 0) = 0, \"\"",
    "[{a, POLLIN|POLLRDHUP}]",
    "send(b, \"x\", 1, 0) = -1 EPIPE",
])]
#[case(include_str!("inputs/reuseport-connected.json"), &[
    "recv(k, 100, MSG_DONTWAIT) = 2, \"m2\"",
    "recv(l1, 100, MSG_DONTWAIT) = -1 EAGAIN",
    "recv(l2, 100, MSG_DONTWAIT) = -1 EAGAIN",
])]
fn what_was_json_alone_is_text_and_a_program(#[case] json: &str, #[case] says: &[&str]) {
    let Some(text) = outcome(json) else { return };
    for said in says {
        assert!(text.contains(said), "{said}\n{text}");
    }
    assert!(text.lines().count() <= 25, "{text}");
    if !crate::common::repro::able() {
        return;
    }
    let case = case(json);
    let program = crate::common::repro::written(&case, &run(&case));
    let folder = tempfile::tempdir().expect("a folder");
    let (stdout, stderr, status) = crate::common::repro::ran(&program, folder.path());
    assert_eq!(status, Some(0), "{stdout}{stderr}");
    // It says no where something else was observed.
    let other = program.replacen("0, \"\", NULL}", "7, \"\", NULL}", 1);
    assert_ne!(other, program, "{program}");
    let (stdout, stderr, status) = crate::common::repro::ran(&other, folder.path());
    assert_eq!(status, Some(1), "{stdout}{stderr}");
}

#[test]
fn structures_have_their_fields() {
    let json = include_str!("inputs/structs.json");
    let Some(text) = outcome(json) else { return };
    for said in [
        "getsockopt(a, SOL_SOCKET, SO_PEERCRED, 12) = 0, {pid=own, uid=own, gid=own}",
        "{SOL_SOCKET, SCM_CREDENTIALS, {pid=own, uid=own, gid=own}}",
        "= 0, {tcpi_state=TCP_ESTABLISHED, tcpi_options=TCPI_OPT_TIMESTAMPS|TCPI_OPT_SACK|TCPI_OPT_WSCALE, ",
        "SO_COOKIE, 8) = 0, present",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    // Without what tells whose they are nobody is `own`.
    let case = case(json);
    let trace = run(&case);
    let own = trace.own.clone().expect("it has a local socket");
    let other = Trace { own: Some(Credentials { pid: own.pid + 1, ..own }), ..trace };
    let text = outcome::render(&case, &other, Os::Linux);
    assert!(text.contains("{pid=other, uid=own, gid=own}"), "{text}");
}

#[test]
fn a_segment_size_has_two_bytes() {
    let json = include_str!("inputs/gso-cmsg.json");
    let Some(text) = outcome(json) else { return };
    assert!(text.contains("{IPPROTO_UDP, UDP_SEGMENT, (int)1000}]}, 0) = -1 EINVAL"), "{text}");
    let wide = |width: &str| json.replace("\"value\": 1000", &format!("\"value\": 1000, {width}"));
    let text = outcome(&wide("\"width\": 2")).expect("as before");
    assert!(text.contains("{IPPROTO_UDP, UDP_SEGMENT, 1000}]}, 0) = 3000"), "{text}");
    assert_eq!(text.matches(" = 1000, pattern[").count(), 3, "{text}");
    assert_eq!(outcome(&wide("\"width\": 4")), outcome(json));
}

#[test]
fn a_width_that_no_number_has_is_not_let_in() {
    let json = include_str!("inputs/gso-cmsg.json");
    for (width, lets_in) in [(0, false), (1, false), (2, true), (3, false), (8, true), (9, false)] {
        let json = json.replace("\"value\": 1000", &format!("\"value\": 1000, \"width\": {width}"));
        let case: Case = serde_json::from_str(&json).expect("a case");
        assert_eq!(case.check().is_ok(), lets_in, "{width}");
    }
    let json = json.replace("\"value\": 1000", "\"value\": 65536, \"width\": 2");
    assert!(serde_json::from_str::<Case>(&json).expect("a case").check().is_err());
}
