use std::collections::BTreeSet;

use harness::case::addr::{Addr, Range as AddrRange, Role};
use harness::case::{Hex, Lab, LabOp, LinkKind};
use harness::trace::{Did, Direction, Event, Fingerprint, LinkFact, Out};
use harness::wire::build;
use rstest::rstest;

use super::*;
use crate::steps::{case, sendto, so_error, socket};

mod conditions;

#[test]
fn the_files_are_sound() {
    let all: Vec<Claim> = FILES.iter().flat_map(|text| parse(text).unwrap()).collect();
    let cases: Vec<String> =
        crate::tables().into_iter().flat_map(|t| t.cases).map(|c| c.id).collect();
    let rows = ["LINK", "FRAG", "SCOPE", "HTTP", "NAME", "MCAST"];
    let mut ids = BTreeSet::new();
    for claim in &all {
        let id = &claim.id;
        assert!(ids.insert(id.clone()), "twice: {id}");
        assert!(claim.says.ends_with('.'), "{id} says no sentence");
        assert!(!claim.on.is_empty() && !claim.expect.is_empty(), "{id} says nothing");
        assert!(!claim.provenance.is_empty(), "nobody knows {id}");
        assert!(!claim.sources.is_empty() && claim.sources.iter().all(|s| s.len() > 3), "{id}");
        for pattern in &claim.cases {
            assert!(cases.iter().any(|case| pattern::matches(pattern, case)), "{id}: {pattern}");
        }
        for row in &claim.catalogue {
            let suite = row.split('-').next().unwrap_or_default();
            let known = crate::catalogue::catalogue().any(|known| known.id == row);
            assert!(known || !rows.contains(&suite), "{id}: {row}");
        }
        for expect in claim.expect.iter().chain(&claim.given) {
            let answers = [&expect.returns, &expect.value];
            assert!(answers.into_iter().flatten().all(Answer::is_sound), "{id}: {expect:?}");
            let of_events = expect.event.is_some() || expect.no_event.is_some();
            let of_kevent = expect.call.as_deref() == Some("kevent");
            assert!(!of_events || of_kevent, "{id}: {expect:?}");
            for word in [&expect.event, &expect.no_event].into_iter().flatten() {
                let known = |word: &str| harness::case::is_known(word) || word.starts_with('E');
                assert!(word.split(' ').all(known), "{id}: {word}");
            }
            let of_a_call = expect.returns.is_some() || expect.value.is_some();
            assert!(!of_a_call || expect.call.is_some(), "{id}: {expect:?}");
            assert_ne!(expect, &Expect { call: expect.call.clone(), ..Expect::default() }, "{id}");
        }
    }
}

#[rstest]
#[case("id = \"a\"")]
#[case(
    "[[claim]]\nid = \"a\"\nsays = \"b.\"\non = [\"linux\"]\ncases = []\nexpect = [{ cal = \"x\" }]\nprovenance = \"observed\"\nsources = [\"c\"]"
)]
#[case(
    "[[claim]]\nid = \"a\"\nsays = \"b.\"\non = [\"linus\"]\ncases = []\nexpect = []\nprovenance = \"observed\"\nsources = [\"c\"]"
)]
#[case(
    "[[claim]]\nid = \"a\"\nsays = \"b.\"\non = [\"linux\"]\ncases = []\nexpect = []\nprovenance = \"guessed\"\nsources = [\"c\"]"
)]
fn a_file_that_says_nonsense_is_refused(#[case] text: &str) {
    assert!(parse(text).is_err());
}

/// A UDP send over a link, `SO_ERROR` behind it.
fn asked() -> Case {
    let to = Addr::on("link0", Role::Neighbour, AddrRange::V4, 9);
    let ops = vec![socket("s", "AF_INET", "SOCK_DGRAM"), sendto("s", to), so_error("s")];
    let lab = Lab::one(LinkKind::Tun, "link0").with(Vec::<LabOp>::new());
    Case { id: "s/t[a]".to_owned(), ..case(String::new(), lab, ops) }
}

/// What it did: sent so many packets, with this errno or none.
fn trace(case: &Case, errno: Option<&'static str>, packets: usize, end: End) -> Trace {
    let call = |op, ret, errno: Option<&'static str>, out| {
        let did = Did::Returned { ret, errno: errno.map(Into::into), out };
        Event::Call { op, at_ns: 0, took_ns: 0, addr: None, did }
    };
    let mut events = vec![call(0, 0, None, Out::Nothing)];
    events.push(call(1, if errno.is_some() { -1 } else { 6 }, errno, Out::Nothing));
    let (src, dst) = ("192.0.2.1:50000".parse().unwrap(), "192.0.2.2:9".parse().unwrap());
    let bytes = Hex(build::udp(build::Link::Ip, src, dst, 64, b"hello\0").unwrap());
    let frame = Event::Frame { op: 1, at_ns: 0, link: "link0".into(), dir: Direction::Out, bytes };
    events.extend(std::iter::repeat_n(frame, packets));
    events.push(call(2, 0, None, Out::Int(0)));
    let kind = Some(LinkKind::Tun);
    let links =
        vec![LinkFact { name: "link0".into(), index: 2, kind, mac: Hex(vec![]), unseen: false }];
    Trace::new(&case.id, links, events, end)
}

fn kernel(system: &str, release: &str) -> Kernel {
    let [system, release] = [system, release].map(str::to_owned);
    Kernel::of(&Fingerprint { system, release, ..Fingerprint::default() })
}

fn claim(on: &str, when: &str, expect: &str) -> Claim {
    let text = format!(
        "[[claim]]\nid = \"a\"\nsays = \"b.\"\non = [\"{on}\"]\n{when}\ncases = [\"s/t\"]\n\
         expect = [{expect}]\nprovenance = \"observed\"\nsources = [\"c\"]"
    );
    parse(&text).unwrap().remove(0)
}

#[rstest]
#[case(r#"{ call = "sendto", returns = "success" }"#, Standing::Confirmed)]
#[case(r#"{ call = "sendto", returns = 6, packets = 1 }"#, Standing::Confirmed)]
#[case(r#"{ call = "sendto", returns = ["ENETDOWN", 6] }"#, Standing::Confirmed)]
#[case(r#"{ call = "getsockopt", value = 0 }"#, Standing::Confirmed)]
#[case("{ packets = 1, fragments = 0, df = true, hops = 64 }", Standing::Confirmed)]
#[case(r#"{ call = "sendto", returns = "ENETDOWN" }"#, Standing::Refuted)]
#[case(r#"{ call = "sendto", returns = "failure" }"#, Standing::Refuted)]
#[case(r#"{ call = "sendto", returns = 5 }"#, Standing::Refuted)]
#[case(r#"{ call = "getsockopt", value = "ENETDOWN" }"#, Standing::Refuted)]
#[case("{ packets = 0 }", Standing::Refuted)]
#[case("{ fragments = 2 }", Standing::Refuted)]
#[case("{ df = false }", Standing::Refuted)]
#[case("{ hops = 1 }", Standing::Refuted)]
#[case("{ unreachable = true }", Standing::Refuted)]
#[case(r#"{ call = "socket", df = true }"#, Standing::Refuted)]
#[case(r#"{ call = "sendto", nth = 2, returns = 6 }"#, Standing::NotReached)]
#[case(r#"{ call = "sendto", fd = "r", returns = 6 }"#, Standing::NotReached)]
#[case(r#"{ call = "recv", returns = 6 }"#, Standing::NotReached)]
fn a_send_that_succeeded(#[case] expect: &str, #[case] standing: Standing) {
    let case = asked();
    let trace = trace(&case, None, 1, End::Done);
    let test = claim("linux", "", expect).test(&case, &trace, &kernel("Linux", "6.18.44"));
    assert_eq!(test.standing, standing, "{:?}", test.why);
}

#[rstest]
#[case("linux", "", End::Done, Standing::Refuted)]
#[case("linux < 6.9", "", End::Done, Standing::Unverified)]
#[case("macos", "", End::Done, Standing::Unverified)]
#[case("linux", "", End::Skipped { reason: "no root".into() }, Standing::NotReached)]
#[case("linux", "", End::Broken { reason: "no link".into() }, Standing::NotReached)]
#[case("linux", "", End::Died { how: "killed".into() }, Standing::NotReached)]
#[case("linux", "when = \"content-filter\"", End::Done, Standing::NotReached)]
fn a_send_that_failed(
    #[case] on: &str,
    #[case] when: &str,
    #[case] end: End,
    #[case] standing: Standing,
) {
    let case = asked();
    let trace = trace(&case, Some("ENETUNREACH"), 0, end);
    let claim = claim(on, when, r#"{ call = "sendto", returns = 6 }, { packets = 0 }"#);
    let test = claim.test(&case, &trace, &kernel("Linux", "6.18.44"));
    assert_eq!(test.standing, standing, "{:?}", test.why);
}

#[rstest]
#[case("{ packets = 0 }", Standing::NotReached)]
#[case(r#"{ call = "sendto", returns = 6 }"#, Standing::Confirmed)]
#[case(r#"{ call = "sendto", returns = 6, fragments = 0 }"#, Standing::NotReached)]
fn frames_that_nobody_saw_say_nothing(#[case] expect: &str, #[case] standing: Standing) {
    let case = asked();
    let mut trace = trace(&case, None, 0, End::Done);
    trace.links[0].unseen = true;
    let test = claim("linux", "", expect).test(&case, &trace, &kernel("Linux", "6.18.44"));
    assert_eq!(test.standing, standing, "{:?}", test.why);
}

/// The forum's observation on two Macs: one that still does it, and one that does not.
#[test]
fn what_a_claim_takes_for_given_has_to_be_so() {
    let case = asked();
    let trace = trace(&case, Some("ENETUNREACH"), 0, End::Done);
    let mut claim = claim("linux", "", "{ packets = 1 }");
    let kernel = kernel("Linux", "6.18.44");
    assert_eq!(claim.test(&case, &trace, &kernel).standing, Standing::Refuted);
    claim.given = vec![Expect {
        call: Some("sendto".to_owned()),
        returns: Some(Answer::Word("success".to_owned())),
        ..Expect::default()
    }];
    assert_eq!(claim.test(&case, &trace, &kernel).standing, Standing::NotReached);
}

#[test]
fn a_minor_version_that_nobody_knows_is_not_reached() {
    let case = asked();
    let trace = trace(&case, None, 0, End::Done);
    let claim = claim("macos = 15.3.1", "", "{ packets = 0 }");
    let test = claim.test(&case, &trace, &kernel("Darwin", "24.3.0"));
    assert_eq!(test.standing, Standing::NotReached);
    assert!(test.why.is_some_and(|why| why.contains("macos 15")));
}

#[rstest]
#[case("event = \"EVFILT_WRITE EV_EOF ECONNRESET\"", Standing::Confirmed)]
#[case("event = \"EVFILT_READ\"", Standing::Confirmed)]
#[case("event = \"EVFILT_READ EV_EOF\"", Standing::Refuted)]
#[case("event = \"EVFILT_EXCEPT\"", Standing::Refuted)]
#[case("no_event = \"EVFILT_READ EV_EOF\"", Standing::Confirmed)]
#[case("no_event = \"EVFILT_WRITE EV_EOF\"", Standing::Refuted)]
#[case("event = \"EVFILT_READ\", no_event = \"EV_EOF\"", Standing::Refuted)]
#[case("returns = 2, event = \"EVFILT_READ\"", Standing::Confirmed)]
#[case("returns = 1, event = \"EVFILT_READ\"", Standing::Refuted)]
fn events_are_by_their_words(#[case] expect: &str, #[case] standing: Standing) {
    let change = |filter: &'static str| harness::case::op::Change {
        fd: "s".to_owned(),
        filter: filter.into(),
        flags: harness::case::Flags::of(&["EV_ADD"]),
        fflags: harness::case::Flags::NONE,
        data: 0,
    };
    let changes = vec![change("EVFILT_READ"), change("EVFILT_WRITE")];
    let op = harness::case::Op::Kevent { changes, timeout_ms: 0 };
    let case = case("a case".to_owned(), Lab::loopback(), vec![op]);
    let event = |filter: &'static str, words: &[&'static str], fflags: &[&'static str]| {
        let (flags, fflags) =
            (harness::case::Flags::of(words).0, harness::case::Flags::of(fflags).0);
        let (fd, filter) = ("s".to_owned(), filter.into());
        harness::trace::Kevent { fd, filter, flags, fflags, data: 0, error: None }
    };
    let events =
        vec![event("EVFILT_READ", &[], &[]), event("EVFILT_WRITE", &["EV_EOF"], &["ECONNRESET"])];
    let did = Did::Returned { ret: 2, errno: None, out: Out::Events(events) };
    let call = Event::Call { op: 0, at_ns: 0, took_ns: 0, addr: None, did };
    let trace = Trace { events: vec![call], ..trace(&asked(), None, 0, End::Done) };
    let claim = claim("macos", "", &format!("{{ call = \"kevent\", {expect} }}"));
    let kernel = kernel("Darwin", "24.3.0");
    assert_eq!(claim.test(&case, &trace, &kernel).standing, standing);
    // A call that failed tells of none, whatever was claimed of its events.
    let errno = Some("EBADF".into());
    let did = Did::Returned { ret: -1, errno, out: Out::Nothing };
    let call = Event::Call { op: 0, at_ns: 0, took_ns: 0, addr: None, did };
    let failed = Trace { events: vec![call], ..trace };
    assert_eq!(claim.test(&case, &failed, &kernel).standing, Standing::Refuted);
}

#[test]
fn one_refutation_outweighs_what_confirms() {
    let test = |standing| Test { case: String::new(), standing, why: None };
    let all = [Standing::NotReached, Standing::Confirmed, Standing::Refuted].map(test);
    assert_eq!(standing(&all), Standing::Refuted);
    assert_eq!(standing(&all[..2]), Standing::Confirmed);
    assert_eq!(standing(&[]), Standing::NotReached);
}
