use std::io::Read as _;
use std::os::fd::{IntoRawFd as _, RawFd};
use std::os::unix::net::UnixStream;

use super::*;
use crate::case::{Case, Lab};
use crate::exec::calls::Received;
use crate::exec::network::fake::Fake;
use crate::exec::received;
use crate::exec::run::tests::runner;
use crate::exec::sockaddr::RawAddr;
use crate::exec::waiting::{Made, Threads};

fn case(steps: &str, threads: &str) -> Case {
    let text = format!(
        r#"{{"id":"t/t","title":"","ops":[{{"socketpair":{{"a":"p","b":"s","domain":"AF_UNIX",
        "type":["SOCK_STREAM"],"protocol":[]}}}},{steps}],"threads":{{"t":{threads}}}}}"#
    );
    serde_json::from_str(&text).expect("a case")
}

/// A call of the case's last step that waits, or that has given this.
fn waiting(case: &Case, gave: Option<Gave>) -> Waiting<'_> {
    let worker = take().expect("a thread");
    let making = worker
        .begin(|| Gave { made: Made::Plain(Ok(0)), at: Instant::now(), pipe: false })
        .expect("it begins");
    let (op, since) = (&case.ops[1], gave.as_ref().map_or_else(Instant::now, |gave| gave.at));
    Waiting { worker, making, number: 1, op, addr: None, since, told: true, gave, hung: true }
}

/// One end of a pair, whose other one is a descriptor that nobody owns.
fn pair() -> (UnixStream, RawFd) {
    let (mine, theirs) = UnixStream::pair().expect("a pair");
    mine.set_read_timeout(Some(Duration::from_secs(10))).expect("it is set");
    (mine, theirs.into_raw_fd())
}

fn gave(made: Made) -> Gave {
    Gave { made, at: Instant::now(), pipe: false }
}

/// What a call of `recvmsg` gave that got this descriptor.
fn with_a_message(fd: RawFd) -> Made {
    let messages = vec![(libc::SOL_SOCKET, libc::SCM_RIGHTS, fd.to_ne_bytes().to_vec())];
    Made::Received(Received { returned: Ok(1), flags: 0, messages }, vec![0], RawAddr::room())
}

const ACCEPT: &str = r#"{"accept":{"fd":"s","new":"a"}}"#;
const RECVMSG: &str = r#"{"recvmsg":{"fd":"s","len":1,"control_len":64,"flags":[]}}"#;

/// A case that ends before its threads are told of: what they were given stayed open, until there were no
/// descriptors left.
#[test]
fn what_a_call_gave_that_nobody_is_told_of_is_closed() {
    let case = case(ACCEPT, "[1]");
    let (mut accepted, a) = pair();
    let (mut sent, b) = pair();
    let made = [Made::Accepted(Ok(a.into()), RawAddr::room()), with_a_message(b)];
    drop(Threads(made.map(|made| waiting(&case, Some(gave(made)))).into()));
    for peer in [&mut accepted, &mut sent] {
        assert_eq!(peer.read(&mut [0]).expect("its other end is closed"), 0);
    }
}

/// A trace has nothing of what a call that was given up has returned all the same.
#[test]
fn what_a_call_gave_that_was_given_up_is_closed_with_the_case() {
    let case = case(RECVMSG, "[1]");
    let (_peer, fd) = pair();
    let mut lab = Fake::of(Lab::loopback());
    let mut runner = runner(&case, &mut lab);
    runner.threads.0.push(waiting(&case, Some(gave(with_a_message(fd)))));
    assert_eq!(runner.returns(0, None), Some(End::Hung));
    assert!(matches!(runner.events[..], [Event::Call { did: Did::Hung { .. }, .. }]));
    assert_eq!(runner.received, [fd]);
    received::close(fd);
}

/// On a slow machine: half a second is long in one call, and not in all calls of a thread together.
#[test]
fn pauses_in_the_calls_of_a_thread_do_not_add_up() {
    signals::install().expect("handlers");
    let write = r#"{"write":{"fd":"p","data":{"text":"x"}}}"#;
    let case = case(&[write; 10].join(","), "[1,2,3,4,5,6,7,8,9,10]");
    // The host takes so long for what it sends to itself.
    let mut lab = Fake::of(Lab::loopback());
    lab.settle = Box::new(|| std::thread::sleep(Duration::from_millis(55)));
    let mut runner = runner(&case, &mut lab);
    let end = runner.steps();
    signals::disarm();
    assert_eq!((end, runner.pace.pause_ms()), (End::Done, None));
}
