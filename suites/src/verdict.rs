//! What a trace comes to, against the rules and the baselines.

use harness::case::{Case, Os};
use harness::outcome;
use harness::trace::{End, Trace};
pub use harness::verdict::{Rank, Unexpected, Verdict};

use crate::baseline::Baselines;
use crate::deviation::{self, Deviation};
use crate::rules::{self, Finding};

/// Everything that is to be said of one case.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The word for it.
    pub verdict: Verdict,
    /// The outcome's text.
    pub outcome: String,
    /// What was expected, and by the baseline of which platform.
    pub expected: Option<(String, String)>,
    /// Each rule broken, those of the highest rank first, and the known deviation that this is, if it
    /// is one.
    pub findings: Vec<(Finding, Option<&'static Deviation>)>,
    /// The same of those that are [`Rank::Undocumented`]: no verdict and no exit status asks for them.
    pub remarks: Vec<(Finding, Option<&'static Deviation>)>,
    /// What the text of the case asks and did not come; nothing of a case of a suite.
    pub unexpected: Vec<Unexpected>,
}

impl Judgement {
    /// Whether a user has to look: changed, not as it was written, broken, or a deviation that nobody knew.
    pub fn is_unexpected(&self) -> bool {
        matches!(self.verdict, Verdict::Changed | Verdict::Unexpected | Verdict::Error)
            || self.findings.iter().any(|(_, known)| known.is_none())
    }

    /// The names of all rules that are broken, of whichever rank.
    pub fn broken(&self) -> Vec<&'static str> {
        self.findings.iter().chain(&self.remarks).map(|(finding, _)| finding.rule).collect()
    }
}

/// What the text of a case asks of its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Whether it asks anything on this system, and the trace tells of all of it.
    pub asks: bool,
    /// What of it did not come.
    pub unmet: Vec<Unexpected>,
}

/// Judges what `case` did on a platform, its names from the specific to the general.
pub fn judge(
    case: &Case,
    trace: &Trace,
    os: Os,
    platforms: &[String],
    baselines: &Baselines,
) -> Judgement {
    let known = |finding: &Finding| {
        deviation::known().iter().find(|d| d.covers(platforms, &case.id, finding))
    };
    judge_by(case, trace, os, baselines.expected(platforms, &case.id), &known, None)
}

/// Judges what a case of a user's own did: by the rules, by what its text asks, and by what was observed of
/// it before if somebody kept that. What is known of the suites' cases is none of its.
pub fn judge_own(
    case: &Case,
    trace: &Trace,
    os: Os,
    before: Option<(&str, &str)>,
    asked: Asked,
) -> Judgement {
    judge_by(case, trace, os, before, &|_| None, Some(asked))
}

fn judge_by(
    case: &Case,
    trace: &Trace,
    os: Os,
    before: Option<(&str, &str)>,
    known: &dyn Fn(&Finding) -> Option<&'static Deviation>,
    asked: Option<Asked>,
) -> Judgement {
    let outcome = outcome::render(case, trace, os);
    // A baseline has frames, and what nobody saw differs from none.
    let is_hosts = trace.lacks_what_hosts_have();
    let expected = before.filter(|_| !trace.is_unseen() && !is_hosts);
    let expected = expected.map(|(platform, text)| (platform.to_owned(), text.to_owned()));
    let found = rules::judge(case, trace, os).into_iter().map(|finding| {
        let known = known(&finding);
        (finding, known)
    });
    let (remarks, mut findings): (Vec<_>, Vec<_>) =
        found.partition(|(finding, _)| finding.rank() == Rank::Undocumented);
    findings.sort_by_key(|(finding, _)| finding.rank());
    let ran = !matches!(trace.end, End::Skipped { .. } | End::Broken { .. });
    let Asked { asks, unmet } = asked.unwrap_or(Asked { asks: false, unmet: Vec::new() });
    // Where nothing ran nothing came, and that is nobody's fault but the host's.
    let unexpected = if ran { unmet } else { Vec::new() };
    let is_other = expected.as_ref().is_some_and(|(_, text)| *text != outcome.trim_end());
    let verdict = match (&trace.end, &expected) {
        (End::Skipped { .. }, _) => Verdict::Skipped,
        (End::Broken { .. }, _) => Verdict::Error,
        // What is other after a pause in each take may be the pause's doing: nothing is said of the kernel.
        _ if trace.has_pause() && (is_other || !unexpected.is_empty()) => Verdict::Error,
        _ if !unexpected.is_empty() => Verdict::Unexpected,
        _ if is_other => Verdict::Changed,
        _ if !findings.is_empty() => Verdict::Deviates,
        _ if is_hosts => Verdict::Ok,
        (_, None) if !asks => Verdict::New,
        _ => Verdict::Ok,
    };
    Judgement { verdict, outcome, expected, findings, remarks, unexpected }
}

#[cfg(test)]
mod tests {
    use harness::case::addr::{Addr, SockAddr};
    use harness::case::{Flags, Hex, Lab, LinkKind, Op};
    use harness::trace::{Did, Event, LinkFact, Out};
    use rstest::rstest;

    use super::*;
    use crate::baseline;
    use crate::steps::{case, sendto, socket};

    const SAID: &str = "socket(AF_INET, SOCK_DGRAM, 0) = s";

    /// A trace of one `socket` call that gave this errno, or a socket.
    fn trace(errno: Option<&'static str>, end: End) -> (Case, Trace) {
        let case = case(String::new(), Lab::loopback(), vec![socket("s", "AF_INET", "SOCK_DGRAM")]);
        let case = Case { id: "s/t[a]".to_owned(), ..case };
        let ret = if errno.is_some() { -1 } else { 0 };
        let did = Did::Returned { ret, errno: errno.map(Into::into), out: Out::Nothing };
        let call = Event::Call { op: 0, at_ns: 0, took_ns: 0, addr: None, did };
        let trace = Trace::new(&case.id, Vec::new(), vec![call], end);
        (case, trace)
    }

    /// Without root on macOS: what nobody saw is neither as ever nor changed.
    #[test]
    fn a_trace_without_a_wire_is_judged_by_its_calls_alone() {
        let (case, mut trace) = trace(Some("ENOTTY"), End::Done);
        let lo = |unseen| LinkFact {
            name: "lo".into(),
            index: 1,
            kind: None,
            mac: Hex(vec![0; 6]),
            unseen,
        };
        let platforms = ["macos-15".to_owned(), "macos".to_owned()];
        for unseen in [false, true] {
            trace.links = vec![lo(unseen)];
            let judgement = judge(&case, &trace, Os::Macos, &platforms, Baselines::embedded());
            assert_eq!((judgement.verdict, judgement.remarks.len()), (Verdict::New, 1));
            assert_eq!(judgement.outcome.contains("+++ wire not captured +++"), unseen);
        }
        let mut sent = lost_send();
        assert_eq!(rules::judge(&sent.0, &sent.1, Os::Macos).len(), 1, "it was lost in silence");
        assert_eq!(rules::frames_unjudged(&sent.1), None);
        sent.1.links[0].unseen = true;
        assert_eq!(rules::judge(&sent.0, &sent.1, Os::Macos), []);
        assert!(rules::frames_unjudged(&sent.1).is_some_and(|why| why.contains("nobody saw")));
    }

    /// A frame beneath one call may be the doing of another that waits, and so may one that is missing.
    #[test]
    fn a_trace_in_which_calls_overlap_is_judged_by_its_calls_alone() {
        let (mut case, mut trace) = lost_send();
        // A thread that makes its call while nothing waits is judged as ever.
        case.threads.0.insert("t".to_owned(), vec![1]);
        assert_eq!(rules::judge(&case, &trace, Os::Macos).len(), 1, "it was lost in silence");
        trace.events.insert(1, Event::Began { op: 1, at_ns: 0, addr: None });
        assert_eq!(rules::judge(&case, &trace, Os::Macos), []);
        assert!(rules::frames_unjudged(&trace).is_some_and(|why| why.contains("waited")));
        // What needs no frames is.
        let Event::Call { did, .. } = &mut trace.events[2] else { panic!("a call") };
        *did = Did::Returned { ret: -1, errno: Some("ENOTTY".into()), out: Out::Nothing };
        let told = rules::judge(&case, &trace, Os::Macos);
        assert_eq!(told.iter().map(|found| found.rule).collect::<Vec<_>>(), ["errno-documented"]);
    }

    /// A datagram that was sent, and that no link and no receiver has seen.
    fn lost_send() -> (Case, Trace) {
        let to = Addr::ip([192, 0, 2, 2], 9);
        let ops = vec![socket("s", "AF_INET", "SOCK_DGRAM"), sendto("s", to)];
        let lab = Lab::one(LinkKind::Tun, "tun0");
        let case = Case { id: "s/t[b]".to_owned(), ..case(String::new(), lab, ops) };
        let call = |op, ret, addr| {
            let did = Did::Returned { ret, errno: None, out: Out::Nothing };
            Event::Call { op, at_ns: 0, took_ns: 0, addr, did }
        };
        let addr = SockAddr::V4 { ip: [192, 0, 2, 2].into(), port: 9 };
        let events = vec![call(0, 0, None), call(1, 6, Some(addr))];
        let tun = LinkFact {
            name: "tun0".into(),
            index: 2,
            kind: Some(LinkKind::Tun),
            mac: Hex(vec![]),
            unseen: false,
        };
        let trace = Trace::new(&case.id, vec![tun], events, End::Done);
        (case, trace)
    }

    #[rstest]
    #[case::asks_nothing(false, 0, End::Done, None, Verdict::New, false)]
    #[case::asks_nothing_as_before(false, 0, End::Done, Some(SAID), Verdict::Ok, false)]
    #[case::asks_and_came(true, 0, End::Done, None, Verdict::Ok, false)]
    #[case::asks_and_changed(true, 0, End::Done, Some("x"), Verdict::Changed, true)]
    #[case::did_not_come(true, 1, End::Done, None, Verdict::Unexpected, true)]
    #[case::did_not_come_before(true, 1, End::Done, Some("x"), Verdict::Unexpected, true)]
    #[case::skipped(true, 1, End::Skipped { reason: "no root".into() }, None, Verdict::Skipped, false)]
    #[case::broken(true, 1, End::Broken { reason: "no link".into() }, None, Verdict::Error, true)]
    #[case::died(true, 1, End::Died { how: "killed".into() }, None, Verdict::Unexpected, true)]
    fn a_case_of_a_users_own_comes_to(
        #[case] asks: bool,
        #[case] unmet: usize,
        #[case] end: End,
        #[case] before: Option<&str>,
        #[case] verdict: Verdict,
        #[case] unexpected: bool,
    ) {
        let (case, trace) = trace(None, end);
        let word = || "x".to_owned();
        let one = Unexpected { file: word(), line: 1, op: 0, wanted: word(), came: word() };
        let asked = Asked { asks, unmet: vec![one; unmet] };
        let before = before.map(|text| ("linux", text));
        let judgement = judge_own(&case, &trace, Os::Linux, before, asked);
        assert_eq!((judgement.verdict, judgement.is_unexpected()), (verdict, unexpected));
        let told = if verdict == Verdict::Unexpected { unmet } else { 0 };
        assert_eq!(judgement.unexpected.len(), told);
    }

    /// A rule that a case of one's own breaks is never known, whatever the case is called.
    #[test]
    fn what_is_known_of_the_suites_is_of_no_other_case() {
        let (case, trace) = lost_send();
        let asked = Asked { asks: true, unmet: Vec::new() };
        let judgement = judge_own(&case, &trace, Os::Macos, None, asked);
        assert_eq!((judgement.verdict, judgement.is_unexpected()), (Verdict::Deviates, true));
        assert!(judgement.findings.iter().all(|(_, known)| known.is_none()));
    }

    #[rstest]
    #[case(None, End::Done, Some(SAID), Verdict::Ok, false)]
    #[case(None, End::Done, None, Verdict::New, false)]
    #[case(
        None,
        End::Done,
        Some("socket(AF_INET, SOCK_DGRAM, 0) = -1 EPERM"),
        Verdict::Changed,
        true
    )]
    #[case::undocumented(Some("ENOTTY"), End::Done, None, Verdict::New, false)]
    #[case::undocumented_as_before(
        Some("ENOTTY"),
        End::Done,
        Some("socket(AF_INET, SOCK_DGRAM, 0) = -1 ENOTTY"),
        Verdict::Ok,
        false
    )]
    #[case::undocumented_and_changed(Some("ENOTTY"), End::Done, Some(SAID), Verdict::Changed, true)]
    #[case(None, End::Skipped { reason: "no root".into() }, Some(SAID), Verdict::Skipped, false)]
    #[case(None, End::Broken { reason: "no link".into() }, Some(SAID), Verdict::Error, true)]
    #[case(None, End::Died { how: "killed".into() }, Some(SAID), Verdict::Changed, true)]
    fn a_trace_comes_to(
        #[case] errno: Option<&'static str>,
        #[case] end: End,
        #[case] baseline: Option<&str>,
        #[case] verdict: Verdict,
        #[case] unexpected: bool,
    ) {
        let (case, trace) = trace(errno, end);
        let mut baselines = Baselines::default();
        if let Some(text) = baseline {
            baselines.add("linux", &baseline::text([("s/t[a]", text)]));
        }
        let platforms = ["linux-6.1".to_owned(), "linux".to_owned()];
        let judgement = judge(&case, &trace, Os::Linux, &platforms, &baselines);
        assert_eq!(judgement.verdict, verdict);
        assert_eq!(judgement.is_unexpected(), unexpected);
        // No errno that a manual lacks is lost: it is a remark, whatever the verdict.
        assert_eq!(
            (judgement.findings.len(), judgement.remarks.len()),
            (0, usize::from(errno.is_some()))
        );
        assert_eq!(judgement.broken().len(), judgement.remarks.len());
    }

    /// A row that needs what a host lacks would be `changed` wherever that is so, and is when the kernel lacks a name.
    #[rstest]
    #[case::family("AF_VSOCK", Verdict::Ok)]
    #[case::user("seteuid", Verdict::Ok)]
    #[case::limits("CAP_SYS_RESOURCE", Verdict::Ok)]
    #[case::configuration("TCP_AO_INFO", Verdict::Ok)]
    #[case::of_the_kernel("SO_INQ", Verdict::Changed)]
    fn what_hosts_have_is_no_change(#[case] name: &str, #[case] verdict: Verdict) {
        let (case, mut trace) = trace(None, End::Unsupported);
        let Event::Call { did, .. } = &mut trace.events[0] else { panic!("a call") };
        *did = Did::Unsupported { name: name.to_owned() };
        let mut baselines = Baselines::default();
        baselines.add("linux", &baseline::text([("s/t[a]", SAID)]));
        let judgement = judge(&case, &trace, Os::Linux, &["linux".to_owned()], &baselines);
        assert_eq!(judgement.verdict, verdict, "{judgement:?}");
        assert_eq!(verdict.is_not_here(&trace), verdict == Verdict::Ok);
    }

    /// A machine under load: timers of the kernel ran out while the executor stood still, in every take.
    #[test]
    fn what_a_pause_may_have_changed_is_no_change_of_the_kernel() {
        let (case, mut trace) = trace(Some("EINVAL"), End::Done);
        let mut baselines = Baselines::default();
        baselines.add("linux", &baseline::text([("s/t[a]", SAID)]));
        let verdict =
            |trace: &Trace| judge(&case, trace, Os::Linux, &["linux".into()], &baselines).verdict;
        for (takes, verdict_of) in
            [(0, Verdict::Changed), (2, Verdict::Changed), (3, Verdict::Error)]
        {
            trace.pauses_ms = vec![700; takes];
            assert_eq!(verdict(&trace), verdict_of, "{takes} takes");
        }
        let (case, mut trace) = self::trace(None, End::Done);
        trace.pauses_ms = vec![700; 3];
        let same = judge(&case, &trace, Os::Linux, &["linux".into()], &baselines);
        assert_eq!(same.verdict, Verdict::Ok, "what is as ever is as ever");
    }

    /// On every system: the remark stands beside the loss and is not what the case is about.
    #[rstest]
    #[case(Os::Linux, "linux")]
    #[case(Os::Macos, "macos")]
    fn a_remark_buries_no_lost_datagram(#[case] os: Os, #[case] platform: &str) {
        let (mut case, mut trace) = lost_send();
        let Op::Socket { fd, domain, r#type, .. } = case.ops[0].clone() else { panic!("a socket") };
        let again = Op::Socket { fd: format!("{fd}2"), domain, r#type, protocol: Flags::NONE };
        case.ops.insert(0, again);
        for event in &mut trace.events {
            let Event::Call { op, .. } = event else { panic!("a call") };
            *op += 1;
        }
        let did = Did::Returned { ret: -1, errno: Some("ENOTTY".into()), out: Out::Nothing };
        trace.events.insert(0, Event::Call { op: 0, at_ns: 0, took_ns: 0, addr: None, did });
        let judgement = judge(&case, &trace, os, &[platform.to_owned()], &Baselines::default());
        assert_eq!(judgement.verdict, Verdict::Deviates);
        assert!(judgement.is_unexpected());
        let rules =
            |of: &[(Finding, Option<_>)]| of.iter().map(|(f, _)| f.rule).collect::<Vec<_>>();
        assert_eq!(rules(&judgement.findings), ["no-silent-loss"]);
        assert_eq!(rules(&judgement.remarks), ["errno-documented"]);
        assert_eq!(judgement.broken(), ["no-silent-loss", "errno-documented"]);
    }

    /// The rules are told in an order of their own; what a standard forbids comes first all the same.
    #[test]
    fn the_first_finding_is_of_the_highest_rank() {
        let (mut case, mut trace) = lost_send();
        let name = SockAddr::V6 { ip: "fe80::9".parse().unwrap(), port: 9, scope: 0 };
        case.ops.push(Op::Getsockname { fd: "s".to_owned() });
        let did = Did::Returned { ret: 0, errno: None, out: Out::Addr(name) };
        trace.events.push(Event::Call { op: 2, at_ns: 0, took_ns: 0, addr: None, did });
        let told = rules::judge(&case, &trace, Os::Macos);
        assert_eq!([told[0].rank(), told[1].rank()], [Rank::Surprises, Rank::Violates]);
        let judgement = judge(&case, &trace, Os::Macos, &[], &Baselines::default());
        let ranks: Vec<Rank> = judgement.findings.iter().map(|(found, _)| found.rank()).collect();
        assert_eq!(ranks, [Rank::Violates, Rank::Surprises]);
    }
}
