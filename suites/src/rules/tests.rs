//! What holds for all rules; the tables of each rule are beneath.

mod big;
mod bytes;
mod darwin;
mod darwin_calls;
mod effect;
mod errno;
mod forged;
mod fragments;
mod lookups;
mod loss;
mod loss_lines;
mod messages;
mod options;
mod raw;
mod sends;
mod waiting;
mod zone;
mod zone_names;

use harness::case::op::{PollFd, Value};
use harness::case::payload::pattern;
use harness::case::{Flags, LinkKind, Op, Os};
use harness::trace::{End, Out};
use harness::wire::TcpFlags;
use rstest::rstest;

use super::story::{
    HELLO, Story, ask_of, data, getsockname, getsockopt, name, option, recv, recvmsg, send_by,
    sendto, set_of, setsockopt, shutdown, socket, to,
};
use super::{RULES, judge};

/// A trace that breaks every rule.
fn lawless() -> Story {
    let story = Story::on(LinkKind::Tap)
        .pair("a", "b", "SOCK_DGRAM")
        .ok(set_of("b", "SO_PASSCRED", Value::Int(1)), 0)
        .ok(socket("s", "AF_INET6", "SOCK_DGRAM", &[]), 0)
        .ok(sendto(HELLO, to("fe80::2", "l0")), 6)
        .err(sendto(HELLO, to("fe80::2", "l0")), "ENOTTY")
        .udp("l1", "[fe80::2]:12345", b"other")
        .gives(getsockname(), name("fe80::1", 12345))
        .ok(setsockopt(option("IPPROTO_IPV6", "IPV6_DONTFRAG"), Value::Int(1)), 0)
        .ok(fragments::big(to("fe80::3", "l0")), 2000)
        .piece("l0", "[fe80::3]:12345", &pattern(2000), 0, 1448)
        .piece("l0", "[fe80::3]:12345", &pattern(2000), 1448, 2008)
        .piece("l0", "[fe80::9]:12345", &[1; 2000], 0, 1448)
        .piece("l0", "[fe80::9]:12345", &[1; 2000], 1448, 2008)
        .err(big::too_big(to("fe80::3", "l0"), 65_528), "EINVAL")
        .too_big_comes("[fe80::7]:9")
        .gives(getsockopt("IPPROTO_IPV6", "IPV6_MTU"), Out::Int(1280))
        .ok(socket("t", "AF_INET6", "SOCK_STREAM", &[]), 0)
        .ok(Op::Connect { fd: "t".into(), addr: to("fe80::2", "l0") }, 0)
        .tcp("l0", "[fe80::2]:12345", TcpFlags::SYN, b"")
        .tcp_at("l0", "[fe80::2]:12345", TcpFlags::ACK, 2, b"Cookie");
    broken_promises(lookups::lawless(story))
}

/// What needs no frames. In a message are two faults: the cut, and the credentials that are missing.
fn broken_promises(story: Story) -> Story {
    let error = || Out::Errno("ECONNREFUSED".into());
    let fds = vec![PollFd { fd: "u".into(), events: Flags::of(&["POLLIN"]) }];
    story
        .ok(send_by("a", "a message"), 9)
        .call(recvmsg("b", 5, &[]), 5, None, data("a mes", &[], &[]))
        .ok(socket("u", "AF_INET6", "SOCK_DGRAM", &[]), 0)
        .ok(set_of("u", "SO_BROADCAST", Value::Int(1)), 0)
        .gives(ask_of("u", "SO_BROADCAST"), Out::Int(0))
        .gives(ask_of("u", "SO_ERROR"), error())
        .gives(ask_of("u", "SO_ERROR"), error())
        .call(Op::Poll { fds, timeout_ms: 0 }, 1, None, Out::Poll(vec![vec!["POLLIN".into()]]))
        .err(recv("u"), "EAGAIN")
        .ok(socket("l", "AF_INET6", "SOCK_STREAM", &[]), 0)
        .ok(set_of("l", "TCP_NODELAY", Value::Int(1)), 0)
        .ok(Op::Listen { fd: "l".into(), backlog: 1 }, 0)
        .ok(Op::Accept { fd: "l".into(), new: "p".into() }, 0)
        .gives(ask_of("p", "TCP_NODELAY"), Out::Int(0))
        .pair("c", "d", "SOCK_STREAM")
        .ok(shutdown("c", "SHUT_WR"), 0)
        .err(recv("d"), "EAGAIN")
        .ok(send_by("c", "x"), 1)
}

#[test]
fn every_rule_can_fail() {
    let story = lawless();
    let broken: Vec<_> =
        judge(&story.case, &story.trace, Os::Linux).iter().map(|f| f.rule).collect();
    let names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(broken, names);
}

#[rstest]
#[case::skipped(End::Skipped { reason: "no network namespace".into() }, 0)]
#[case::broken(End::Broken { reason: "no link".into() }, 0)]
#[case::died(End::Died { how: "killed by SIGKILL".into() }, 0)]
#[case::hung(End::Hung, 23)]
#[case::unsupported(End::Unsupported, 23)]
fn a_trace_that_says_nothing_of_the_kernel_breaks_no_rule(
    #[case] end: End,
    #[case] findings: usize,
) {
    let mut story = lawless();
    story.trace.end = end;
    assert_eq!(judge(&story.case, &story.trace, Os::Linux).len(), findings);
}

/// What a file says need not fit: a trace may be of another case.
#[test]
fn a_trace_of_another_case_panics_nowhere() {
    let mut story = lawless();
    story.case.ops.truncate(1);
    assert_eq!(judge(&story.case, &story.trace, Os::Macos), []);
}

#[test]
fn rules_say_and_cite_in_sentences() {
    for rule in RULES {
        assert!(rule.says.ends_with('.') && !rule.says.contains("  "), "{}", rule.says);
        assert!(!rule.cites.is_empty(), "{}", rule.name);
        for cite in rule.cites {
            assert!(!cite.source.is_empty() && !cite.quote.contains("  "), "{cite:?}");
        }
    }
}
