use nix::sys::signal::SigHandler;

use super::*;
use crate::case::{Case, Lab};
use crate::exec::calls;
use crate::exec::network::fake::Fake;
use crate::exec::run::tests::runner;
use crate::trace::{Did, End, Event};

fn case(ops: &[&str], threads: &str) -> Case {
    let text =
        format!(r#"{{"id":"t/t","title":"","ops":[{}],"threads":{{{threads}}}}}"#, ops.join(","));
    let case: Case = serde_json::from_str(&text).expect("a case");
    assert_eq!(case.check(), Ok(()));
    case
}

const PAIR: &str =
    r#"{"socketpair":{"a":"p","b":"s","domain":"AF_UNIX","type":["SOCK_STREAM"],"protocol":[]}}"#;
const RECV: &str = r#"{"recv":{"fd":"s","len":1,"flags":[]}}"#;
const SEND: &str = r#"{"send":{"fd":"p","data":{"text":"x"},"flags":[]}}"#;
const LIMIT: &str = r#"{"process":{"call":{"setrlimit":{"resource":"RLIMIT_NOFILE","soft":0}}}}"#;

/// What each call returned or failed with, in the order of the steps.
fn told(events: &[Event]) -> Vec<(u32, Result<i64, String>)> {
    let of = |event: &Event| match event {
        Event::Call { op, did: Did::Returned { ret, errno, .. }, .. } => {
            Some((*op, errno.as_ref().map_or(Ok(*ret), |errno| Err(errno.to_string()))))
        }
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

fn usr1() -> String {
    let ignored = SigAction::new(SigHandler::SigIgn, signal::SaFlags::empty(), SigSet::empty());
    // SAFETY: no handler, and what stood there is put back.
    let before = unsafe { sigaction(signal::Signal::SIGUSR1, &ignored) }.expect("it is known");
    // SAFETY: as above.
    unsafe { sigaction(signal::Signal::SIGUSR1, &before) }.expect("it is known");
    format!("{:?}", before.handler())
}

/// One test, since a disposition is the process's.
#[test]
fn a_signal_ends_a_call_unless_it_is_begun_again_and_is_as_before_afterwards() {
    signals::install().expect("handlers");
    let before = usr1();
    for (how, ended) in [("0", true), ("SA_RESTART", false), ("SIG_IGN", false)] {
        let action = format!(
            r#"{{"process":{{"call":{{"sigaction":{{"signal":"SIGUSR1","how":"{how}"}}}}}}}}"#
        );
        let kill = r#"{"process":{"call":{"pthread_kill":{"thread":"t","signal":"SIGUSR1"}}}}"#;
        let case = case(&[PAIR, &action, RECV, kill, SEND], r#""t":[2]"#);
        let mut lab = Fake::of(Lab::loopback());
        let mut runner = runner(&case, &mut lab);
        let end = runner.steps();
        signals::disarm();
        assert_eq!(end, End::Done);
        let told = told(&runner.events);
        let recv = told.iter().find(|(op, _)| *op == 2).expect("it returned").clone();
        let expected = if ended { Err("EINTR".to_owned()) } else { Ok(1) };
        assert_eq!(recv.1, expected, "{how}: {told:?}");
        drop(runner);
        assert_eq!(usr1(), before, "{how}");
    }
}

#[test]
fn a_thread_that_has_returned_is_gone() {
    signals::install().expect("handlers");
    let action = r#"{"process":{"call":{"sigaction":{"signal":"SIGUSR2","how":"0"}}}}"#;
    let kill = r#"{"process":{"call":{"pthread_kill":{"thread":"t","signal":"SIGUSR2"}}}}"#;
    let case = case(&[PAIR, action, RECV, SEND, kill], r#""t":[2]"#);
    let mut lab = Fake::of(Lab::loopback());
    let mut runner = runner(&case, &mut lab);
    assert_eq!(runner.steps(), End::Done);
    signals::disarm();
    assert_eq!(told(&runner.events).last(), Some(&(4, Err("ESRCH".to_owned()))));
}

/// What the executor opens meanwhile is its own affair.
#[test]
fn a_limit_is_the_cases_alone() {
    signals::install().expect("handlers");
    let dup = r#"{"dup":{"fd":"s","new":"d"}}"#;
    let case = case(&[PAIR, LIMIT, dup, SEND], "");
    let mut lab = Fake::of(Lab::loopback());
    let before = getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).expect("a limit");
    let mut runner = runner(&case, &mut lab);
    let steps: Vec<Option<End>> = (0..).zip(&case.ops).map(|(n, op)| runner.step(n, op)).collect();
    signals::disarm();
    assert_eq!(steps, [None, None, None, None]);
    let now = getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).expect("a limit");
    assert_eq!(now, before);
    let own = calls::dup(2).expect("the executor has what it had");
    let _ = calls::close(i32::try_from(own).expect("a descriptor"));
    let told = told(&runner.events);
    assert_eq!(told[2], (2, Err("EMFILE".to_owned())), "{told:?}");
    assert_eq!(told[3], (3, Ok(1)), "what is open stays so");
}
