//! What the executor and its driver do when something is wrong: with a call, a case, an executor.

use harness::case::{Case, Os};
use harness::outcome;
use harness::subject::{self, Subject, SubjectError};
use harness::trace::{Did, End, Event, Out, Trace};
use rstest::rstest;

use crate::common::{SOCKEYE, executor, has_labs, turn};

/// An executor written in shell.
fn fake(script: &str) -> Subject {
    Subject { program: "sh".into(), args: vec!["-c".into(), script.into()] }
}

fn run(subject: &Subject, cases: &[Case]) -> Result<Vec<Trace>, SubjectError> {
    let cases: Vec<&Case> = cases.iter().collect();
    let _turn = turn();
    subject::run(subject, &cases, 1, &|_, _| ())
}

/// The outcome of steps given as JSON, without a link.
fn outcome_of(ops: &str) -> String {
    let json = format!(r#"{{"id":"test/steps","title":"","ops":{ops}}}"#);
    let case: Case = serde_json::from_str(&json).expect("a case");
    let traces = run(&executor(&[]), std::slice::from_ref(&case)).expect("it runs");
    outcome::render(&case, &traces[0], Os::host().expect("a known system"))
}

fn can_run() -> bool {
    let able = !outcome_of("[]").contains("skipped");
    if !able {
        eprintln!("skipped: this host has no labs, see `sockeye doctor`");
    }
    able
}

const PAIR: &str =
    r#"{"socketpair":{"a":"a","b":"b","domain":"AF_UNIX","type":["SOCK_STREAM"],"protocol":[]}}"#;
const UDP: &str = r#"{"socket":{"fd":"s","domain":"AF_INET","type":["SOCK_DGRAM"],"protocol":[]}}"#;

#[test]
fn a_signal_is_an_outcome() {
    if !can_run() {
        return;
    }
    let close = r#"{"close":{"fd":"b"}}"#;
    let send = r#"{"send":{"fd":"a","data":{"text":"x"},"flags":[]}}"#;
    let text = outcome_of(&format!("[{PAIR},{close},{send}]"));
    assert!(text.contains("= -1 EPIPE") && text.contains("+++ SIGPIPE +++"), "{text}");
}

#[test]
fn a_call_that_never_returns_is_an_outcome() {
    if !can_run() {
        return;
    }
    let recv = r#"{"recv":{"fd":"s","len":8,"flags":[]}}"#;
    let text = outcome_of(&format!("[{UDP},{recv},{UDP}]"));
    assert!(text.contains("recv(s, 8, 0) = ? still waiting"), "{text}");
    assert_eq!(text.matches("socket(").count(), 1, "the case ends there: {text}");
}

/// A second SYN leaves after a second, which is shorter than a planted pause.
#[rstest]
#[case("pause", false)]
#[case("pauses", true)]
fn a_case_in_which_the_executor_stood_still_is_taken_again(
    #[case] plant: &str,
    #[case] always: bool,
) {
    if !can_run() || Os::host() != Some(Os::Linux) {
        return;
    }
    let id = "link-state/tcp-connect[tun,up,neighbour]";
    let all = suites::tables().into_iter().flat_map(|table| table.cases);
    let cases: Vec<Case> = all.filter(|case| case.id == id).collect();
    let undisturbed = run(&executor(&[]), &cases).expect("it runs");
    let plant = format!("{plant}@{id}");
    let disturbed = run(&executor(&["--plant", &plant]), &cases).expect("it runs");
    let pauses = &disturbed[0].pauses_ms;
    assert!(pauses.first().is_some_and(|ms| *ms >= 1_000), "{pauses:?}");
    assert_eq!(disturbed[0].has_pause(), always, "{pauses:?}");
    let [a, b] = [&undisturbed, &disturbed].map(|t| outcome::render(&cases[0], &t[0], Os::Linux));
    // That of the third take is what it is.
    assert_eq!(a != b, always, "{a}\n{b}");
}

/// Nothing comes in its time, however late the executor sees that: it is stopped until the alarm
/// for a call that hangs has gone off.
#[test]
fn a_poll_does_not_hang_because_its_executor_was_stopped() {
    if !can_run() || Os::host() != Some(Os::Linux) {
        return;
    }
    let poll = r#"{"poll":{"fds":[{"fd":"s","events":["POLLIN"]}],"timeout_ms":1500}}"#;
    let json = format!(r#"{{"id":"test/steps","title":"","ops":[{UDP},{poll}]}}"#);
    let case: Case = serde_json::from_str(&json).expect("a case");
    let stopped = fake(&format!(
        "exec 3<&0; '{SOCKEYE}' exec <&3 & sleep 0.7; kill -STOP $!; sleep 4; kill -CONT $!; wait $!"
    ));
    let traces = run(&stopped, std::slice::from_ref(&case)).expect("it runs");
    let text = outcome::render(&case, &traces[0], Os::Linux);
    assert!(text.contains("poll([{s, POLLIN}], 1500) = 0"), "{text}");
}

#[test]
fn a_name_that_this_system_lacks_is_an_outcome() {
    if !can_run() || Os::host() != Some(Os::Linux) {
        return;
    }
    let option = r#"{"raw":{"level":"IPPROTO_IP","name":"IP_DONTFRAG"}}"#;
    let set = format!(r#"{{"setsockopt":{{"fd":"s","option":{option},"value":{{"int":1}}}}}}"#);
    let text = outcome_of(&format!("[{UDP},{set}]"));
    assert!(text.contains("unsupported here: IP_DONTFRAG"), "{text}");
}

/// What comes after an option that could not be set may hang on it; after one that could not be read
/// nothing does.
#[test]
fn a_case_goes_on_behind_a_name_that_it_only_reads() {
    if !can_run() || Os::host() != Some(Os::Linux) {
        return;
    }
    let option = r#"{"raw":{"level":"IPPROTO_IP","name":"IP_DONTFRAG"}}"#;
    let get = format!(r#"{{"getsockopt":{{"fd":"s","option":{option},"len":4}}}}"#);
    let set = format!(r#"{{"setsockopt":{{"fd":"s","option":{option},"value":{{"int":1}}}}}}"#);
    let close = r#"{"close":{"fd":"s"}}"#;
    let text = outcome_of(&format!("[{UDP},{get},{close}]"));
    assert!(text.contains("unsupported here: IP_DONTFRAG\nclose(s) = 0"), "{text}");
    let text = outcome_of(&format!("[{UDP},{set},{close}]"));
    assert!(text.contains("unsupported here") && !text.contains("close"), "{text}");
}

#[test]
fn a_socket_that_does_not_exist_is_ebadf() {
    if !can_run() {
        return;
    }
    let listen = r#"{"listen":{"fd":"nobody","backlog":1}}"#;
    // Who wants one that could not be made, or one that is closed, has that; one that no step makes is a
    // mistake of the case.
    let none = r#"{"socket":{"fd":"nobody","domain":"AF_INET","type":["SOCK_SEQPACKET"],"protocol":["IPPROTO_TCP"]}}"#;
    let text = outcome_of(&format!("[{none},{listen}]"));
    assert!(text.contains("listen(nobody, 1) = -1 EBADF"), "{text}");
    let case: Case =
        serde_json::from_str(&format!(r#"{{"id":"t/t","title":"","ops":[{listen}]}}"#))
            .expect("JSON");
    let traces = run(&executor(&[]), std::slice::from_ref(&case)).expect("it runs");
    let End::Broken { reason } = &traces[0].end else { panic!("{:?}", traces[0].end) };
    assert!(reason.contains("no step before this one makes a socket \"nobody\""), "{reason}");
}

/// The executor would end for want of memory, and that was taken for an outcome.
#[rstest]
#[case(r#"{"recv":{"fd":"s","len":4294967295,"flags":[]}}"#)]
#[case(r#"{"read":{"fd":"s","len":4294967295}}"#)]
#[case(r#"{"recvmsg":{"fd":"s","len":1,"control_len":4294967295,"flags":[]}}"#)]
#[case(r#"{"recvmsg_x":{"fd":"s","count":4294967295,"len":1,"control_len":0,"flags":[]}}"#)]
#[case(r#"{"getsockopt":{"fd":"s","option":{"raw":{"level":"SOL_SOCKET","name":"SO_ERROR"}},"len":4294967295}}"#)]
#[case(r#"{"send":{"fd":"s","data":{"pattern":4294967295},"flags":[]}}"#)]
fn no_case_has_the_executor_take_all_memory(#[case] op: &str) {
    let json = format!(r#"{{"id":"test/steps","title":"","ops":[{UDP},{op}]}}"#);
    let case: Case = serde_json::from_str(&json).expect("a case");
    assert!(case.check().is_err());
    let traces = run(&executor(&[]), std::slice::from_ref(&case)).expect("it runs");
    let End::Broken { reason } = &traces[0].end else { panic!("{:?}", traces[0].end) };
    let room = reason.contains("it asks room for more than 1048576 bytes");
    assert!(room || reason.contains("4294967295 at once, 1024 are the most"), "{reason}");
}

/// A descriptor that a call gave the case stayed open: the next case's had other numbers, until there were
/// none left.
#[test]
fn what_a_case_is_given_is_closed_with_it() {
    if !can_run() || Os::host() != Some(Os::Linux) {
        return;
    }
    let option = |name: &str| format!(r#"{{"raw":{{"level":"SOL_SOCKET","name":"{name}"}}}}"#);
    let ops = [
        PAIR.to_owned(),
        format!(
            r#"{{"setsockopt":{{"fd":"b","option":{},"value":{{"int":1}}}}}}"#,
            option("SO_PASSPIDFD")
        ),
        r#"{"send":{"fd":"a","data":{"text":"x"},"flags":[]}}"#.to_owned(),
        r#"{"recvmsg":{"fd":"b","len":8,"control_len":64,"flags":[]}}"#.to_owned(),
        format!(r#"{{"getsockopt":{{"fd":"a","option":{},"len":4}}}}"#, option("SO_PEERPIDFD")),
    ];
    let json = format!(r#"{{"id":"test/steps","title":"","ops":[{}]}}"#, ops.join(","));
    let case: Case = serde_json::from_str(&json).expect("a case");
    let traces = run(&executor(&[]), &[case.clone(), case.clone()]).expect("it runs");
    let text = outcome::render(&case, &traces[0], Os::Linux);
    if !text.contains("SCM_PIDFD") {
        return eprintln!("skipped: this kernel gives no descriptors of processes: {text}");
    }
    let outs = |trace: &Trace| -> Vec<Out> {
        let calls = trace.events.iter().filter_map(|event| match event {
            Event::Call { did: Did::Returned { out, .. }, .. } => Some(out.clone()),
            _ => None,
        });
        calls.collect()
    };
    assert_eq!(outs(&traces[0]), outs(&traces[1]));
}

#[test]
fn what_a_case_did_to_its_lab_is_undone() {
    // Who may not make links has loopback all the same.
    if !can_run() || !has_labs() {
        return;
    }
    let lab = r#"{"links":[{"name":"l0","kind":"tap","mtu":1500,"ranges":["ll","v6","v4"]}]}"#;
    let route = r#"{"lab":{"step":{"route_add":{"prefix":"198.51.100.0","prefix_len":24,"kind":"blackhole"}}}}"#;
    let down = r#"{"lab":{"step":{"link_down":{"link":"l0"}}}}"#;
    let delete = r#"{"lab":{"step":{"link_delete":{"link":"l0"}}}}"#;
    let to = r#"{"host":{"on":{"link":"l0","role":"unresolved","range":"ll"}},"port":{"is":9},"scope":{"link":"l0"}}"#;
    let socket = r#"{"socket":{"fd":"s","domain":"AF_INET6","type":["SOCK_DGRAM"],"protocol":[]}}"#;
    let send = format!(r#"{{"sendto":{{"fd":"s","data":{{"text":"x"}},"flags":[],"addr":{to}}}}}"#);
    let case = |steps: &str| -> Case {
        let ops = format!("[{socket},{send}{steps}]");
        let json = format!(r#"{{"id":"test/lab","title":"","lab":{lab},"ops":{ops}}}"#);
        serde_json::from_str(&json).expect("a case")
    };
    let steps = ["", route, route, down, down, delete, delete, ""]
        .map(|step| if step.is_empty() { String::new() } else { format!(",{step}") });
    let cases: Vec<Case> = steps.iter().map(|steps| case(steps)).collect();
    let traces = run(&executor(&[]), &cases).expect("it runs");
    let os = Os::host().expect("a known system");
    let first = outcome::render(&cases[0], &traces[0], os);
    for (case, trace) in cases.iter().zip(&traces) {
        assert_eq!(trace.end, End::Done, "{trace:#?}");
        // Whatever ran before, the neighbour has to be asked for again.
        assert!(outcome::render(case, trace, os).starts_with(&first), "{trace:#?}");
    }
}

/// What a name means is the lab's business, and no other lab's or the host's: neither by what the C
/// library has read before, nor by the executor's own files.
#[test]
fn each_lab_has_files_of_its_own() {
    if !can_run() || Os::host() != Some(Os::Linux) {
        return;
    }
    let link = r#"{"name":"l0","kind":"tun","mtu":1500,"ranges":["ll","v6","v4"]}"#;
    let lookup = r#"{"getaddrinfo":{"node":"a.example","service":null,"family":"AF_INET","type":["SOCK_STREAM"],"flags":[]}}"#;
    let case = |setup: &str| -> Case {
        let lab = format!(r#"{{"links":[{link}],"setup":[{setup}]}}"#);
        let json = format!(r#"{{"id":"test/files","title":"","lab":{lab},"ops":[{lookup}]}}"#);
        serde_json::from_str(&json).expect("a case")
    };
    let hosts = |ip: &str| format!(r#"{{"hosts":{{"lines":["{ip} a.example"]}}}}"#);
    // Their resolv.conf is of one size, and made one after the other.
    let server = |domain: &str, ip: &str| {
        let name = format!("a.example.{domain}");
        let answer = format!(r#"{{"name":"{name}","records":[{{"data":{{"a":"{ip}"}}}}]}}"#);
        let words = format!(r#""options":"timeout:1","search":"{domain}""#);
        let server = format!(r#"{{"at":["v4"],{words},"answers":[{answer}]}}"#);
        format!(r#"{{"name_server":{{"link":"l0","server":{server}}}}}"#)
    };
    let steps = [
        (hosts("192.0.2.7"), "192.0.2.7"),
        (hosts("192.0.2.8"), "192.0.2.8"),
        (server("one", "192.0.2.5"), "A 192.0.2.5"),
        (server("two", "192.0.2.6"), "A 192.0.2.6"),
        (hosts("192.0.2.7"), "192.0.2.7"),
    ];
    let cases: Vec<Case> = steps.iter().map(|(setup, _)| case(setup)).collect();
    let traces = run(&executor(&[]), &cases).expect("it runs");
    for ((case, trace), (_, expected)) in cases.iter().zip(&traces).zip(&steps) {
        if let End::Skipped { reason } = &trace.end {
            return eprintln!("skipped: {reason}");
        }
        let text = outcome::render(case, trace, Os::Linux);
        assert!(text.contains("= 0, [{AF_INET 192.0.2.") && text.contains(expected), "{text}");
    }
}

const HELLO: &str = r#"echo '{"hello":{"schema":1,"kernel":{"system":"Fake","release":"1.0","version":"","machine":"","euid":0}}}'"#;

/// Answers each case with an empty trace, but for those that say what else to do.
fn obedient() -> Subject {
    fake(&format!(
        r#"{HELLO}
        while read -r line; do
          id=$(printf '%s' "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/')
          case $id in
            *die*) kill -9 $$ ;;
            *exit*) exit 7 ;;
            *) echo '{{"trace":{{"schema":1,"case":"'"$id"'","began_ns":0,"links":[],"events":[],"end":"done"}}}}' ;;
          esac
        done"#
    ))
}

#[test]
fn an_executor_that_dies_costs_only_the_case_that_it_ran() {
    let names = ["a", "die", "b", "exit", "c", "d", "e", "die2"];
    let case = |name: &str| -> Case {
        serde_json::from_str(&format!(r#"{{"id":"{name}","title":"","ops":[]}}"#)).expect("a case")
    };
    let cases: Vec<Case> = names.into_iter().map(case).collect();
    let traces = run(&obedient(), &cases).expect("it runs");
    let ends: Vec<String> = traces
        .iter()
        .map(|trace| match &trace.end {
            End::Died { how } => format!("{}: {how}", trace.case),
            End::Broken { reason } => format!("{}: {reason}", trace.case),
            _ => trace.case.clone(),
        })
        .collect();
    // No call of the case's sent it, and no kernel that says so.
    let killed = "the executor ended: killed by SIGKILL";
    let exited = "exit status 7";
    let expected = ["a", &format!("die: {killed}"), "b", &format!("exit: {exited}"), "c", "d", "e"];
    assert_eq!(ends[..7], expected);
    assert_eq!(ends[7], format!("die2: {killed}"));
}

#[rstest]
#[case("exit 1", "said nothing")]
#[case("echo nonsense", "does not speak sockeye's protocol")]
#[case(r#"echo '{"hello":{"schema":99,"kernel":{"system":"","release":"","version":"","machine":"","euid":0}}}'"#, "schema 99")]
fn what_is_no_executor_is_said_in_a_sentence(#[case] script: &str, #[case] says: &str) {
    let error = subject::fingerprint(&fake(script)).expect_err("it is none").to_string();
    assert!(error.contains(says), "{error}");
}

#[test]
fn a_program_that_is_not_there_is_said_in_a_sentence() {
    let subject = Subject { program: "/nonexistent/executor".into(), args: Vec::new() };
    let error = subject::fingerprint(&subject).expect_err("it is none").to_string();
    assert!(error.contains("cannot be started"), "{error}");
}
