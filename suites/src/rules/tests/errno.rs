//! The errno is documented.

use harness::case::Os;
use harness::case::op::Op;
use rstest::rstest;

use super::super::documented_errno::RULE;
use super::super::story::*;

fn failed(errno: &'static str) -> Story {
    Story::udp6().err(sendto(HELLO, to("fe80::2", "l0")), errno)
}

fn waited(errno: &'static str) -> Story {
    let names = vec!["s".into()];
    let (write, except) = (Vec::new(), Vec::new());
    Story::udp6().err(Op::Select { read: names, write, except, timeout_ms: Some(0) }, errno)
}

/// Darwin has no page of `sendmsg_x`.
fn batch(errno: &'static str) -> Story {
    let flags = harness::case::Flags::default();
    Story::udp6().err(Op::SendmsgX { fd: "s".into(), data: Vec::new(), flags, addr: None }, errno)
}

#[rstest]
#[case::success(Story::udp6(), Os::Linux)]
#[case::posix(failed("ENETDOWN"), Os::Linux)]
#[case::posix_on_macos(failed("ENETDOWN"), Os::Macos)]
#[case::page_of_the_call(Story::udp6().err(getsockname(), "EFAULT"), Os::Linux)]
#[case::page_of_the_protocol(failed("EPROTO"), Os::Linux)]
#[case::page_of_macos(failed("ENODATA"), Os::Macos)]
#[case::page_of_another_that_it_refers_to(waited("ENOMEM"), Os::Linux)]
#[case::no_page_at_all(batch("EPERM"), Os::Macos)]
fn holds(#[case] story: Story, #[case] os: Os) {
    assert_eq!((RULE.check)(&story.case, &story.trace, os), []);
}

#[rstest]
#[case::nowhere(
    failed("ENOTTY"),
    Os::Linux,
    "sendto returned ENOTTY, which neither POSIX nor the manual pages of Linux list for it: a gap \
     in the manual, since POSIX allows additional errors."
)]
#[case::of_the_other_os(
    failed("ENODATA"),
    Os::Linux,
    "sendto returned ENODATA, which neither POSIX nor the manual pages of Linux list for it: a gap \
     in the manual, since POSIX allows additional errors."
)]
#[case::of_another_of_the_added_calls(
    waited("EPERM"),
    Os::Linux,
    "select returned EPERM, which neither POSIX nor the manual pages of Linux list for it: a gap in \
     the manual, since POSIX allows additional errors."
)]
#[case::of_another_call(
    Story::udp6().err(Op::Listen { fd: "s".into(), backlog: 1 }, "ENETDOWN"),
    Os::Macos,
    "listen returned ENETDOWN, which neither POSIX nor the manual pages of Darwin list for it: a \
     gap in the manual, since POSIX allows additional errors."
)]
fn fires(#[case] story: Story, #[case] os: Os, #[case] expected: &str) {
    let found = (RULE.check)(&story.case, &story.trace, os);
    assert!(matches!(&found[..], [one] if one.op == 1 && one.text == expected), "{found:?}");
}
