//! All ways of sending over a link that is down, and which of them are lost in silence.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use harness::case::addr::{Addr, Host, Role, Scope};
use harness::case::op::{Control, Value};
use harness::case::{Case, LabOp, Op, Sym};
use harness::trace::End;
use harness::verdict::Verdict;

use crate::results::Answer;
use crate::summary::Counted;

/// The rule that a silent loss breaks.
const RULE: &str = "no-silent-loss";

/// Loopback, by which also what goes to an own address of another link's travels.
const LOOPBACK: &str = "lo";

/// What came of all of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ways {
    /// How many were asked and answered.
    pub(super) asked: usize,
    /// The ids of those that were reported sent and lost.
    pub(super) lost: Vec<String>,
    /// How many were asked and gave no answer: skipped, or the harness failed.
    pub(super) untold: usize,
    /// The first in which the harness failed, and why.
    failed: Option<(String, String)>,
    /// Why the first was skipped.
    skipped: Option<String>,
}

impl Ways {
    /// Why it cannot be told that none is lost; nothing where one is, or where all that could be asked
    /// answered.
    pub(super) fn why_untold(&self) -> Option<String> {
        let Self { asked, untold, failed, skipped, .. } = self;
        if !self.lost.is_empty() {
            return None;
        }
        if let Some((id, why)) = failed {
            let of = asked + untold;
            return Some(format!("{untold} of {of} ways of sending gave no answer; {id}: {why}"));
        }
        let why = skipped.as_deref().unwrap_or("there is none to ask");
        (*asked == 0).then(|| format!("no way of sending was asked: {why}"))
    }
}

/// A socket of a case, as far as the case itself tells.
#[derive(Default)]
struct Sock<'c> {
    is_stream: bool,
    /// The links that it was bound or connected to, or shall send by.
    links: Vec<&'c str>,
}

/// Whether a case sends while a link is down over which that goes: connected or not, bound, to a group,
/// a broadcast or a neighbour, raw, TCP. Those that wait for seconds are left to `sockeye run`.
///
/// Which link it goes over is what the destination, the socket's options and its control messages name.
/// Where none of them names any, as for a group or a broadcast from a socket that is bound to nothing,
/// the routes tell, and it is a way whichever link is down.
pub(super) fn is_way(case: &Case) -> bool {
    if case.is_idle() {
        return false;
    }
    let mut down = BTreeSet::new();
    case.lab.setup.iter().for_each(|step| turn(&mut down, step));
    let mut sockets: BTreeMap<&str, Sock<'_>> = BTreeMap::new();
    for op in &case.ops {
        match op {
            Op::Lab { step } => turn(&mut down, step),
            Op::Socket { fd, r#type, .. } => {
                let is_stream = r#type.0.iter().map(Sym::as_str).any(|kind| kind == "SOCK_STREAM");
                sockets.insert(fd, Sock { is_stream, links: Vec::new() });
            }
            _ => {}
        }
        let Some(fd) = op.sends_by().or(op.fd()) else { continue };
        let socket = sockets.entry(fd).or_default();
        let mut links = named(op);
        if sends(op, socket.is_stream) && !down.is_empty() {
            links.extend(&socket.links);
            if links.is_empty() || links.iter().any(|link| down.contains(link)) {
                return true;
            }
        }
        let connects = op.call() == "connect" || matches!(op, Op::Connectx { .. });
        if connects || matches!(op, Op::Setsockopt { .. }) {
            socket.links.extend(links);
        }
    }
    false
}

/// Which links are down after a step.
fn turn<'c>(down: &mut BTreeSet<&'c str>, step: &'c LabOp) {
    match step {
        LabOp::LinkDown { link } => {
            down.insert(link);
        }
        LabOp::LinkUp { link } => {
            down.remove(link.as_str());
        }
        _ => {}
    }
}

/// Whether a call makes a kernel send: a connect of a stream sends a SYN, another one nothing.
fn sends(op: &Op, is_stream: bool) -> bool {
    match op {
        Op::Connect { .. } | Op::Connectx { .. } if is_stream => true,
        Op::Raw { .. } if op.call() == "connect" => is_stream,
        op => op.sends(),
    }
}

/// The links that a call names to send by.
fn named(op: &Op) -> Vec<&str> {
    let mut links: Vec<&str> = Vec::new();
    match op {
        Op::Setsockopt { value: Value::Link(link), .. } => links.push(link),
        Op::Setsockopt { value: Value::Host(host), .. } => links.extend(of_host(host)),
        Op::Sendmsg { control, .. } => links.extend(control.iter().filter_map(|one| match one {
            Control::PktInfo { link, .. } => link.as_deref(),
            _ => None,
        })),
        Op::Connectx { link, .. } => links.extend(link.as_deref()),
        _ => {}
    }
    // Where it is bound to says from where, and not by which link.
    let to = op.addr().filter(|_| !matches!(op, Op::Bind { .. }));
    links.extend(to.into_iter().flat_map(of_addr));
    links
}

fn of_addr(addr: &Addr) -> Vec<&str> {
    let mut links = of_host(&addr.host);
    if let Scope::Link(link) = &addr.scope {
        links.push(link);
    }
    links
}

fn of_host(host: &Host) -> Vec<&str> {
    match host {
        Host::On { link, role: Role::Own, .. } => vec![link, LOOPBACK],
        Host::On { link, .. } => vec![link],
        Host::Ip(ip) if IpAddr::is_loopback(ip) => vec![LOOPBACK],
        Host::Ip(_) | Host::Unix(_) | Host::Packet(_) | Host::Vsock(_) | Host::Netlink(_) => {
            Vec::new()
        }
    }
}

/// By what the rules say of each answer. What this system has not got is no way of its.
pub(super) fn ways(answers: &[Answer<'_>]) -> Ways {
    let mut ways = Ways::default();
    for answer in answers.iter().filter(|answer| Counted::of(answer) != Counted::NotHere) {
        let id = &answer.case.id;
        match (&answer.judgement.verdict, &answer.trace.end) {
            (Verdict::Skipped, End::Skipped { reason }) => {
                ways.untold += 1;
                ways.skipped.get_or_insert_with(|| reason.clone());
            }
            (Verdict::Skipped | Verdict::Error, end) => {
                ways.untold += 1;
                let why = match end {
                    End::Broken { reason } => reason.clone(),
                    end => format!("{end:?}"),
                };
                ways.failed.get_or_insert_with(|| (id.clone(), why));
            }
            _ => {
                ways.asked += 1;
                if answer.judgement.findings.iter().any(|(finding, _)| finding.rule == RULE) {
                    ways.lost.push(id.clone());
                }
            }
        }
    }
    ways
}

/// Ids of one table in one line, where they are all combinations of their parameters, and how many they
/// are; else each.
pub(super) fn folded(ids: &[String]) -> Vec<(String, usize)> {
    let mut tables: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
    let mut out = Vec::new();
    for id in ids {
        match id.strip_suffix(']').and_then(|id| id.split_once('[')) {
            Some((table, row)) => tables.entry(table).or_default().push(row.split(',').collect()),
            None => out.push((id.clone(), 1)),
        }
    }
    for (table, rows) in tables {
        let width = rows.iter().map(Vec::len).max().unwrap_or_default();
        let columns: Vec<BTreeSet<&str>> = (0..width)
            .map(|at| rows.iter().filter_map(|row| row.get(at).copied()).collect())
            .collect();
        let all: usize = columns.iter().map(BTreeSet::len).product();
        if all == rows.len() && rows.iter().all(|row| row.len() == width) {
            let column = |values: &BTreeSet<&str>| {
                let text = values.iter().copied().collect::<Vec<_>>().join(",");
                if values.len() == 1 { text } else { format!("{{{text}}}") }
            };
            let row: Vec<String> = columns.iter().map(column).collect();
            out.push((format!("{table}[{}]", row.join(",")), rows.len()));
        } else {
            out.extend(rows.iter().map(|row| (format!("{table}[{}]", row.join(",")), 1)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use harness::case::Lab;
    use harness::trace::{Did, Event, Trace};
    use harness::verdict::Rank;
    use suites::rules::Finding;
    use suites::tables;
    use suites::verdict::Judgement;

    use super::*;

    #[test]
    fn all_ways_of_sending_are_among_them() {
        let all: Vec<Case> = tables().into_iter().flat_map(|table| table.cases).collect();
        let ways: Vec<&Case> = all.iter().filter(|case| is_way(case)).collect();
        for table in [
            "link-state/udp-sendto",
            "link-state/udp-connect-send",
            "link-state/udp-bound-own",
            "link-state/loopback-down",
            "link-state/icmp-raw",
            "link-state/tcp-connect",
        ] {
            assert!(ways.iter().any(|case| case.table() == table), "{table}");
        }
        for id in ["[tap,down,limited4]", "[tap,down,multicast4]", "[tun,down,own]"] {
            assert!(ways.iter().any(|case| case.id.ends_with(id)), "{id}");
        }
        // What is up is none, and neither is what is up again.
        assert!(ways.iter().all(|case| !case.id.ends_with("[tap,up,own]")));
        assert!(ways.iter().all(|case| !case.id.contains(",down-up,")));
        // Darwin's calls send, too.
        for table in ["darwin/connectx-down", "darwin/sendmsg-x["] {
            assert!(ways.iter().any(|case| case.id.starts_with(table)), "{table}");
        }
    }

    /// By the case alone: what is said to go by a link that is up is none, and what nobody says may be.
    #[test]
    fn the_link_that_is_down_is_the_one_that_is_sent_by() {
        let tables = tables();
        let all: Vec<&Case> = tables.iter().flat_map(|table| &table.cases).collect();
        let is = |id: &str| {
            let case = all.iter().find(|case| case.id == id).unwrap_or_else(|| panic!("no {id}"));
            is_way(case)
        };
        for (id, expected) in [
            ("link-state/udp-connected-before[tap,down,neighbour]", true),
            ("link-state/udp-connected-before[tap,down-up,neighbour]", false),
            ("multicast/ip-multicast-if[down,link,224.0.0.251,sendto]", true),
            ("multicast/ip-multicast-if[down,address,224.0.0.251,sendto]", true),
            ("multicast/ip-multicast-if[down,unset,224.0.0.251,sendto]", true),
            ("multicast/ip-multicast-if[down,other,224.0.0.251,sendto]", false),
            ("multicast/ip-multicast-if[down,lo,224.0.0.251,sendto]", false),
            ("link-state/loopback-down[own4,udp]", true),
            ("link-state/loopback-down[::1,udp]", true),
            ("link-state/loopback-down[own4,bind]", false),
            ("link-state/tcp-connect[tun,down,neighbour4]", true),
        ] {
            assert_eq!(is(id), expected, "{id}");
        }
        let other = all.iter().filter(|case| case.id.contains(",other-down,"));
        assert!(other.clone().count() > 0 && other.clone().all(|case| !is_way(case)));
    }

    fn answer<'c>(
        case: &'c Case,
        verdict: Verdict,
        end: End,
        rule: Option<&'static str>,
    ) -> Answer<'c> {
        let trace = Trace::new(&case.id, Vec::new(), Vec::new(), end);
        let rank = Rank::Surprises;
        let finding = |rule| (Finding { rule, rank, op: 0, text: String::new() }, None);
        let findings = rule.map(finding).into_iter().collect();
        let (outcome, expected, remarks) = (String::new(), None, Vec::new());
        let judgement =
            Judgement { verdict, outcome, expected, findings, remarks, unexpected: Vec::new() };
        Answer { case, trace, judgement }
    }

    /// What gave no answer is counted, and nobody is told that nothing was lost.
    #[test]
    fn what_gave_no_answer_is_told() {
        let case = Case::new("s/t".to_owned(), String::new(), Lab::loopback(), Vec::new());
        let fine = || answer(&case, Verdict::Ok, End::Done, None);
        let lost = || answer(&case, Verdict::Deviates, End::Done, Some(RULE));
        let skipped =
            || answer(&case, Verdict::Skipped, End::Skipped { reason: "no tun".to_owned() }, None);
        let failed =
            || answer(&case, Verdict::Error, End::Broken { reason: "no memory".to_owned() }, None);
        let told = |answers: &[Answer<'_>]| {
            let ways = ways(answers);
            ((ways.asked, ways.lost.len(), ways.untold), ways.why_untold())
        };
        assert_eq!(told(&[fine(), skipped()]), ((1, 0, 1), None));
        let (counts, why) = told(&[fine(), skipped(), failed()]);
        assert_eq!(counts, (1, 0, 2));
        assert_eq!(why.unwrap(), "2 of 3 ways of sending gave no answer; s/t: no memory");
        assert_eq!(told(&[lost(), failed()]), ((1, 1, 1), None));
        let (counts, why) = told(&[skipped()]);
        assert_eq!(
            (counts, why.unwrap()),
            ((0, 0, 1), "no way of sending was asked: no tun".into())
        );
        assert!(told(&[]).1.is_some());
        // Another rule's finding is none of these.
        assert_eq!(
            told(&[answer(&case, Verdict::Deviates, End::Done, Some("twins"))]).0,
            (1, 0, 0)
        );
    }

    /// A name that this system has not got ends a case: it was not asked.
    #[test]
    fn what_is_not_here_is_passed_over() {
        let case = Case::new("s/t".to_owned(), String::new(), Lab::loopback(), Vec::new());
        let mut lacking = answer(&case, Verdict::Ok, End::Done, None);
        let did = Did::Unsupported { name: "connectx".to_owned() };
        lacking.trace.events.push(Event::Call { op: 0, at_ns: 0, took_ns: 0, addr: None, did });
        assert_eq!(ways(&[lacking]), Ways::default());
    }

    #[test]
    fn rows_are_folded_where_all_are_there() {
        let ids = |text: &[&str]| text.iter().map(|&id| id.to_owned()).collect::<Vec<_>>();
        let four = ids(&["a/b[x,1]", "a/b[x,2]", "a/b[y,1]", "a/b[y,2]"]);
        assert_eq!(folded(&four), [("a/b[{x,y},{1,2}]".to_owned(), 4)]);
        let alone: Vec<(String, usize)> = four[..3].iter().map(|id| (id.clone(), 1)).collect();
        assert_eq!(folded(&four[..3]), alone);
        assert_eq!(folded(&ids(&["a/c", "a/b[1]"])), [("a/c".into(), 1), ("a/b[1]".into(), 1)]);
    }
}
