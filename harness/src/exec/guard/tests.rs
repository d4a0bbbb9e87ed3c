use rstest::rstest;

use super::*;
use crate::case::op::Control;
use crate::case::{Case, Lab, Payload};
use crate::exec::network::fake::Fake;
use crate::exec::options::message;
use crate::exec::run::tests::runner;
use crate::exec::signals;
use crate::trace::{Did, End, Event};

/// A step's outcome, whatever `Case::check` says of it: the executor is the last that could refuse.
fn run(steps: &[&str]) -> (End, Vec<Event>, usize) {
    run_in(false, steps)
}

/// The same in a lab that has a network of its own, or the host's.
fn run_in(is_shared: bool, steps: &[&str]) -> (End, Vec<Event>, usize) {
    let ops: Vec<Op> = serde_json::from_str(&format!("[{}]", steps.join(","))).expect("steps");
    let case = Case::new("s/t", String::new(), Lab::loopback(), ops);
    let mut lab = Fake::of(Lab::loopback());
    lab.is_shared = is_shared;
    let mut runner = runner(&case, &mut lab);
    let end = runner.steps();
    signals::disarm();
    for (_, fd) in runner.sockets.iter().filter(|(_, fd)| *fd >= 0) {
        let _ = calls::close(*fd);
    }
    runner.received.drain(..).for_each(crate::exec::received::close);
    (end, std::mem::take(&mut runner.events), runner.kept.len())
}

fn reason(steps: &[&str]) -> String {
    why(run(steps).0)
}

/// Why a step is refused where the network is the host's.
fn where_shared(steps: &[&str]) -> String {
    why(run_in(true, steps).0)
}

fn why(end: End) -> String {
    match end {
        End::Broken { reason } => reason,
        end => format!("{end:?}"),
    }
}

fn is_linux() -> bool {
    Os::host() == Some(Os::Linux)
}

const INET: &str =
    r#"{"socket":{"fd":"s","domain":"AF_INET","type":["SOCK_DGRAM"],"protocol":[]}}"#;
/// `SO_DEBUG` is 1, as `AF_UNIX` is.
const BY_NUMBER: &str =
    r#"{"socket":{"fd":"s","domain":"SO_DEBUG","type":["SOCK_DGRAM"],"protocol":[]}}"#;
/// As bytes of `sockaddr_un` this is the path `/tmp/Z`.
const ADDRESS: &str =
    r#"{"host":{"ip":"109.112.47.90"},"port":{"is":12148},"scope":"zero","family":"SO_DEBUG"}"#;

/// Each made `/tmp/Z`, or reached who listened there.
#[rstest]
#[case::bind(r#"{"bind":{"fd":"s","addr":ADDRESS}}"#)]
#[case::connect(r#"{"connect":{"fd":"s","addr":ADDRESS}}"#)]
#[case::sendto(r#"{"sendto":{"fd":"s","data":{"text":"x"},"flags":[],"addr":ADDRESS}}"#)]
#[case::sendmsg(
    r#"{"sendmsg":{"fd":"s","data":{"text":"x"},"flags":[],"control":[],"addr":ADDRESS}}"#
)]
#[case::sendmmsg(r#"{"sendmmsg":{"fd":"s","data":[{"text":"x"}],"flags":[],"addr":ADDRESS}}"#)]
#[case::raw(r#"{"raw":{"call":"bind","args":[{"fd":"s"},{"addr":ADDRESS},{"number":10}]}}"#)]
fn a_path_of_the_hosts_is_none_of_a_cases(#[case] step: &str) {
    if is_linux() {
        let why = reason(&[BY_NUMBER, &step.replace("ADDRESS", ADDRESS)]);
        assert!(why.contains("its path is the host's"), "{why}");
        // To another socket its bytes are no path.
        let why = reason(&[INET, &step.replace("ADDRESS", ADDRESS)]);
        assert!(!why.contains("the host's"), "{why}");
    }
}

/// Darwin takes an address without a family for a Unix socket's.
#[test]
fn where_no_family_passes_for_a_unix_sockets_its_bytes_are_a_path() {
    let (linux, darwin) = (Some(Os::Linux), Some(Os::Macos));
    for (socket, family, has_path, os, is) in [
        (libc::AF_UNIX, libc::AF_UNSPEC, true, linux, true),
        (libc::AF_UNIX, libc::AF_UNSPEC, true, darwin, false),
        (libc::AF_UNIX, libc::AF_UNSPEC, false, darwin, true),
        (libc::AF_UNIX, libc::AF_INET, true, darwin, true),
        (libc::AF_UNIX, libc::AF_UNIX, true, linux, false),
        (libc::AF_UNIX, libc::AF_UNIX, false, darwin, false),
        (libc::AF_INET, libc::AF_UNIX, true, darwin, true),
    ] {
        assert_eq!(given(socket, (family, has_path), os).is_ok(), is, "{socket} {family} {os:?}");
    }
}

/// `IPPROTO_RDP` and others are numbers of families, and `SOCK_RAW|SOCK_STREAM|…` of `SOCK_PACKET`.
#[test]
fn a_family_that_a_case_may_only_ask_is_known_by_number() {
    if !is_linux() {
        return;
    }
    // 16 is AF_NETLINK's and IPTOS_LOWDELAY's, 15 is NETLINK_KOBJECT_UEVENT.
    let netlink =
        r#"{"socket":{"fd":"s","domain":"IPTOS_LOWDELAY","type":["SOCK_RAW"],"protocol":["15"]}}"#;
    let send = r#"{"send":{"fd":"s","data":{"text":"x"},"flags":[]}}"#;
    let why = reason(&[netlink, send]);
    assert!(why.contains("a socket of family 16"), "{why}");
    let twice = r#"{"dup":{"fd":"s","new":"d"}}"#;
    let why = reason(&[netlink, twice, &send.replace(r#""s""#, r#""d""#)]);
    assert!(why.contains("a socket of family 16"), "{why}");
    // 270 is SOL_NETLINK.
    let set = |value: &str| {
        let option = r#"{"raw":{"level":"SOL_NETLINK","name":"NETLINK_EXT_ACK"}}"#;
        reason(&[
            netlink,
            &format!(r#"{{"setsockopt":{{"fd":"s","option":{option},"value":{value}}}}}"#),
        ])
    };
    assert!(set(r#"{"linger":{"on":1,"seconds":1}}"#).contains("ask for numbers"));
    assert!(!set(r#"{"int":1}"#).contains("ask for numbers"));
}

#[test]
fn an_option_with_a_pointer_is_known_by_number() {
    for (level, first, last) in os::WITH_A_POINTER {
        assert!(set((*level, *first), 16, None).is_err(), "{level} {first}");
        assert!(set((*level, *last), 8, Some(libc::AF_INET)).is_err(), "{level} {last}");
        assert!(set((*level, *last), 4, Some(libc::AF_INET)).is_ok(), "a number is no pointer");
    }
    assert!(set((libc::SOL_SOCKET, libc::SO_LINGER), 8, Some(libc::AF_INET)).is_ok());
    for level in os::OF_MEMORY {
        assert!(set((*level, 1), 4, Some(libc::AF_INET + 100)).is_err());
        assert!(set((*level, 1), 4, Some(libc::AF_INET)).is_ok(), "no rings of these");
    }
    if is_linux() {
        // A program of a filter, `sock_fprog` by another value's bytes.
        let set = r#"{"setsockopt":{"fd":"s","option":{"raw":{"level":"SOL_SOCKET","name":"SO_ATTACH_FILTER"}},"value":{"filter":{"group":"1.0.0.0","link":null,"mode":"MCAST_INCLUDE","sources":[]}}}}"#;
        let why = reason(&[INET, set]);
        assert!(why.contains("takes a pointer"), "{why}");
        // By its own name, and written out.
        let raw = r#"{"raw":{"call":"setsockopt","args":[{"fd":"s"},{"names":["SOL_SOCKET"]},{"names":["SO_ATTACH_FILTER"]},{"bytes":"0100"},{"number":16}]}}"#;
        let why = reason(&[INET, raw]);
        assert!(why.contains("takes a pointer"), "{why}");
        let zeros = raw.replace(r#"{"bytes":"0100"}"#, r#""room""#);
        assert_eq!(run(&[INET, &zeros]).0, End::Done);
    }
}

/// By number as well: a message that changes something, a process that is the executor's, an address by IP's form.
#[test]
fn a_netlink_socket_asks_and_changes_nothing() {
    if !is_linux() {
        return;
    }
    let of = |protocol: &str| {
        format!(
            r#"{{"socket":{{"fd":"s","domain":"IPTOS_LOWDELAY","type":["SOCK_RAW"],"protocol":[{protocol}]}}}}"#
        )
    };
    let send = |text: &str| {
        format!(r#"{{"send":{{"fd":"s","data":{{"text":"{text}"}},"flags":["MSG_DONTWAIT"]}}}}"#)
    };
    let new_link = send(
        r"\u0010\u0000\u0000\u0000\u0010\u0000\u0001\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000",
    );
    let why = reason(&[&of(""), &new_link]);
    assert!(why.contains("type 16 may change something"), "{why}");
    assert_eq!(run(&[&of(""), &send("x")]).0, End::Done, "cut short");
    // Nobody in the kernel reads it.
    assert_eq!(run(&[&of(r#""NETLINK_USERSOCK""#), &new_link]).0, End::Done);
    let at = r#"{"connect":{"fd":"s","addr":{"host":{"ip":"0.0.0.7"},"port":{"is":0},"family":"IPTOS_LOWDELAY"}}}"#;
    let why = reason(&[&of(""), at]);
    assert!(why.contains("has its form"), "{why}");
    let why = where_shared(&[&of(""), &send("x")]);
    assert!(why.contains("the host's"), "{why}");
}

/// What nobody else is to be told of: a port for all machines, or one that none keeps to itself.
#[test]
fn a_vsock_is_of_this_machine() {
    if !is_linux()
        || calls::socket(libc::AF_VSOCK, libc::SOCK_STREAM, 0)
            .map(|fd| calls::close(fd as c_int))
            .is_err()
    {
        return eprintln!("skipped: no AF_VSOCK");
    }
    let made = r#"{"socket":{"fd":"s","domain":"AF_VSOCK","type":["SOCK_STREAM"],"protocol":[]}}"#;
    let bind = r#"{"bind":{"fd":"s","addr":{"host":{"vsock":{"cid":4294967295,"port":4294967295}},"port":{"is":0}}}}"#;
    let listen = r#"{"listen":{"fd":"s","backlog":1}}"#;
    let why = reason(&[made, bind, listen]);
    assert!(why.contains("machines beyond the lab"), "{why}");
    assert_eq!(run(&[made, listen]).0, End::Done, "it is bound to nothing");
    let host = r#"{"connect":{"fd":"s","addr":{"host":{"ip":"0.0.0.7"},"port":{"is":0},"family":"AF_VSOCK"}}}"#;
    let (end, ..) = run(&[made, host]);
    assert!(matches!(end, End::Skipped { .. } | End::Broken { .. }), "{end:?}");
    let local = r#"{"connect":{"fd":"s","addr":{"host":{"vsock":{"cid":1,"port":70000}},"port":{"is":0}}}}"#;
    let (end, events, _) = run(&[made, local]);
    match end {
        End::Skipped { reason } => {
            assert!(reason.contains("stays on this machine"), "{reason}");
            assert!(
                !events.iter().any(|e| matches!(e, Event::Call { op: 1, .. })),
                "no call was made"
            );
        }
        end => assert_eq!(end, End::Done),
    }
}

/// Where links are the host's, or go by a name that no case has, nothing is sent.
#[test]
fn a_packet_socket_sends_where_all_links_are_the_labs() {
    let Some(family) = os::value("AF_PACKET") else { return };
    let of = |kind: &str| {
        format!(r#"{{"socket":{{"fd":"s","domain":"AF_PACKET","type":["{kind}"],"protocol":[]}}}}"#)
    };
    let send = r#"{"send":{"fd":"s","data":{"text":"x"},"flags":[]}}"#;
    // PACKET_FANOUT is 18, PACKET_FANOUT_DATA 22, which has a pointer.
    let lens = [
        (1, 4, true),
        (1, 8, false),
        (5, 16, false),
        (5, 28, false),
        (18, 8, true),
        (18, 9, false),
        (22, 8, false),
    ];
    for (name, len, is) in lens {
        assert_eq!(set((263, name), len, Some(family)).is_ok(), is, "{name} {len}");
    }
    let Ok(made) = calls::socket(family, libc::SOCK_RAW, 0) else { return };
    let _ = calls::close(made as c_int);
    // It is on no link.
    assert_eq!(run(&[&of("SOCK_RAW"), send]).0, End::Done);
    let why = reason(&[&of("SOCK_PACKET"), send]);
    assert!(why.contains("obsolete"), "{why}");
    let why = where_shared(&[&of("SOCK_RAW"), send]);
    assert!(why.contains("the host's"), "{why}");
}

#[test]
fn a_descriptor_that_an_option_gives_is_known_by_number() {
    for (level, name) in os::GIVES_A_DESCRIPTOR {
        assert!(asked((*level, *name), 3).is_err());
        assert_eq!(asked((*level, *name), 4).is_ok(), *level == libc::SOL_SOCKET, "it is closed");
    }
    if is_linux() {
        assert!(os::GIVES_A_DESCRIPTOR.iter().any(|of| Some(of.1) == os::value("SO_PEERPIDFD")));
        // 1|76 is 77.
        let raw = r#"{"raw":{"call":"getsockopt","args":[{"fd":"s"},{"names":["SOL_SOCKET"]},{"names":["SO_PASSPIDFD","SO_DEBUG"]},"bad",{"at":0}]}}"#;
        let why = reason(&[INET, raw]);
        assert!(why.contains("gives a descriptor"), "{why}");
    }
}

/// By its name the rules know what a call asks for, and by its number they would not.
#[rstest]
#[case(
    r#"{"setsockopt":{"fd":"s","option":{"raw":{"level":"0","name":"0x7b"}},"value":{"int":1}}}"#,
    "is IPPROTO_IP here"
)]
#[case(r#"{"setsockopt":{"fd":"s","option":{"raw":{"level":"IPPROTO_IP","name":"10"}},"value":{"int":1}}}"#, "setsockopt: 10 is IP_MTU_DISCOVER here, by which a case calls it")]
#[case(
    r#"{"getsockopt":{"fd":"s","option":{"raw":{"level":"SOL_SOCKET","name":"0x03"}},"len":4}}"#,
    "0x03 is SO_TYPE here"
)]
#[case(
    r#"{"getsockopt":{"fd":"s","option":{"raw":{"level":"IPPROTO_IP","name":"123"}},"len":4}}"#,
    "Done"
)]
#[case(r#"{"getsockopt":{"fd":"s","option":{"raw":{"level":"999","name":"0"}},"len":4}}"#, "Done")]
#[case(r#"{"setsockopt":{"fd":"s","option":{"raw":{"level":"IPPROTO_IP","name":"123"}},"value":{"bytes":"00000000000000"}}}"#, "Done")]
#[case(r#"{"setsockopt":{"fd":"s","option":{"raw":{"level":"IPPROTO_IP","name":"123"}},"value":{"bytes":"0000000000000000"}}}"#, "may be set to fewer than 8 bytes")]
#[case(
    r#"{"socket":{"fd":"t","domain":"AF_INET","type":["SOCK_DGRAM"],"protocol":["17"]}}"#,
    "17 is IPPROTO_UDP here"
)]
#[case(
    r#"{"socket":{"fd":"t","domain":"AF_INET","type":["SOCK_DGRAM"],"protocol":["253"]}}"#,
    "Done"
)]
#[case(r#"{"send":{"fd":"s","data":{"text":"x"},"flags":["0x00100040"]}}"#, "is MSG_DONTWAIT here")]
#[case(
    r#"{"recv":{"fd":"s","len":4,"flags":["MSG_DONTWAIT","0x04000000"]}}"#,
    "is MSG_ZEROCOPY here"
)]
#[case(r#"{"recv":{"fd":"s","len":4,"flags":["MSG_DONTWAIT","0x00100000"]}}"#, "Done")]
fn what_has_a_name_is_called_by_it(#[case] step: &str, #[case] says: &str) {
    if is_linux() {
        let why = reason(&[INET, step]);
        assert!(why.contains(says), "{why}");
    }
}

#[test]
fn descriptors_by_number_are_known_by_number() {
    assert!(control((libc::SOL_SOCKET, libc::SCM_RIGHTS), 4).is_err());
    assert!(control((libc::SOL_SOCKET, libc::SCM_RIGHTS), 2).is_ok(), "no whole descriptor");
    assert!(control((libc::IPPROTO_IP, libc::SCM_RIGHTS), 4).is_ok());
    if is_linux() {
        let case = Case::new("s/t", String::new(), Lab::loopback(), Vec::new());
        let mut lab = Fake::of(Lab::loopback());
        let runner = runner(&case, &mut lab);
        // IPPROTO_IP is 0, IP_PKTINFO 8, as IPTOS_THROUGHPUT is.
        assert!(control((0, 8), 12).is_err() && control((41, 50), 20).is_err());
        assert!(control((0, 8), 4).is_ok(), "no whole structure");
        assert!(message(&Control::int("SOL_SOCKET", "SO_DEBUG", 0), &runner).is_err());
        assert!(message(&Control::int("IPPROTO_IP", "IP_TTL", 1), &runner).is_ok());
    }
}

/// The name of the pair before stood for its socket, or for none and then for what has its number.
#[test]
fn a_pair_that_was_not_made_leaves_no_names() {
    let pair = |family: &str| {
        format!(
            r#"{{"socketpair":{{"a":"a","b":"b","domain":"{family}","type":["SOCK_DGRAM"],"protocol":[]}}}}"#
        )
    };
    let named = r#"{"getsockname":{"fd":"a"}}"#;
    let (end, events, _) = run(&[&pair("AF_UNIX"), &pair("AF_INET"), named]);
    assert_eq!(end, End::Done);
    let did: Vec<_> = events
        .iter()
        .filter_map(|e| if let Event::Call { did, .. } = e { Some(did) } else { None })
        .collect();
    let [_, _, Did::Returned { errno: Some(errno), .. }] = &did[..] else { panic!("{did:?}") };
    assert_eq!(errno.as_str(), "EBADF");
}

/// It was nobody's, and open when the next case began.
#[test]
fn what_is_accepted_without_an_address_is_closed() {
    let socket = |name: &str| {
        format!(
            r#"{{"socket":{{"fd":"{name}","domain":"AF_INET","type":["SOCK_STREAM"],"protocol":[]}}}}"#
        )
    };
    let at = |port: &str| format!(r#"{{"host":{{"ip":"127.0.0.1"}},"port":{port}}}"#);
    let steps = format!(
        r#"[{},{},{{"bind":{{"fd":"l","addr":{}}}}},{{"listen":{{"fd":"l","backlog":1}}}},
        {{"connect":{{"fd":"c","addr":{}}}}},
        {{"raw":{{"call":"accept","args":[{{"fd":"l"}},"bad",{{"at":0}}]}}}}]"#,
        socket("l"),
        socket("c"),
        at(r#"{"is":0}"#),
        at(r#"{"of":"l"}"#),
    );
    let ops: Vec<Op> = serde_json::from_str(&steps).expect("steps");
    let case = Case::new("s/t", String::new(), Lab::loopback(), ops);
    let mut lab = Fake::of(Lab::loopback());
    let mut runner = runner(&case, &mut lab);
    assert_eq!(runner.steps(), End::Done);
    signals::disarm();
    let Some(Event::Call { did: Did::Returned { ret, .. }, .. }) = runner.events.last() else {
        panic!("{:?}", runner.events)
    };
    // Where the kernel looks at the pointer nothing was accepted.
    assert_eq!(runner.received.len(), usize::from(*ret == 0));
    assert!(*ret <= 0, "no number of a descriptor is told");
    for (_, fd) in &runner.sockets {
        let _ = calls::close(*fd);
    }
    runner.received.drain(..).for_each(crate::exec::received::close);
}

/// The kernel sent what the memory had become.
#[test]
fn what_the_kernel_reads_later_stays() {
    let case = Case::new("s/t", String::new(), Lab::loopback(), Vec::new());
    let mut lab = Fake::of(Lab::loopback());
    let mut runner = runner(&case, &mut lab);
    let data = Payload::Pattern(4);
    assert_eq!(*runner.bytes_of(&data, 0), data.bytes());
    assert_eq!(runner.kept.len(), 0);
    runner.bytes_of(&data, os::value("MSG_ZEROCOPY").unwrap_or(0));
    assert_eq!(runner.kept.len(), usize::from(is_linux()));
    for (flags, later) in [("", false), (r#""MSG_MORE""#, false), (r#""MSG_ZEROCOPY""#, is_linux())]
    {
        let send = format!(r#"{{"send":{{"fd":"s","data":{{"text":"x"}},"flags":[{flags}]}}}}"#);
        let ops = serde_json::from_str(&format!("[{send}]")).expect("steps");
        let case = Case::new("s/t", String::new(), Lab::loopback(), ops);
        assert_eq!(is_read_later(&case), later, "in a lab that is given up");
        if is_linux() {
            assert_eq!(run(&[INET, &send]).2, usize::from(later));
        }
    }
}

/// By the number of a name nothing here would know what is asked for.
#[rstest]
#[case::family(r#""2""#, r#""SOCK_DGRAM""#, "2 is AF_INET here")]
#[case::family_in_bytes(r#""0x02""#, r#""SOCK_DGRAM""#, "0x02 is AF_INET here")]
#[case::kind(r#""AF_INET""#, r#""2""#, "2 has SOCK_DGRAM in it")]
#[case::flag(r#""AF_INET""#, r#""SOCK_DGRAM","0x80000""#, "0x80000 has SOCK_CLOEXEC in it")]
#[case::both(r#""AF_INET""#, r#""0x802""#, "0x802 has")]
fn what_a_socket_is_goes_by_name(#[case] domain: &str, #[case] kind: &str, #[case] says: &str) {
    if is_linux() {
        let socket =
            format!(r#"{{"socket":{{"fd":"s","domain":{domain},"type":[{kind}],"protocol":[]}}}}"#);
        let why = reason(&[&socket]);
        assert!(why.contains(says), "{why}");
    }
}

#[test]
fn what_has_no_name_is_asked_for() {
    for (domain, kind) in [("77", r#""SOCK_DGRAM""#), ("AF_INET", r#""0xd""#)] {
        let socket = format!(
            r#"{{"socket":{{"fd":"s","domain":"{domain}","type":[{kind}],"protocol":[]}}}}"#
        );
        assert!(matches!(run(&[&socket]).0, End::Done), "{socket}");
    }
}

/// A link of the host's is none of a case's, whatever it is called.
#[test]
fn a_link_is_changed_where_the_lab_has_its_own_network() {
    let down =
        r#"{"ioctl":{"fd":"s","request":"SIOCSIFFLAGS","link":"none0","given":{"up":false}}}"#;
    let why = where_shared(&[INET, down]);
    assert!(why.contains("the links here are the host's"), "{why}");
    assert!(matches!(run(&[INET, down]).0, End::Done));
}
