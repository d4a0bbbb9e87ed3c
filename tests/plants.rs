//! Every rule fires in a run with a fault planted, and in the same run without it none does.

use std::collections::BTreeSet;

use harness::case::{Case, Os};
use harness::exec::Plant;
use harness::trace::End;
use rstest::rstest;

use crate::common::traces;

/// A fault, the rules that find it, and cases in which it shows.
const PLANTS: [(Plant, &[&str], &[&str]); 19] = [
    (
        Plant::SendtoLies,
        &["no-silent-loss"],
        &[
            "link-state/udp-sendto[tap,up,neighbour]",
            "link-state/udp-sendto[tun,up,global]",
            "link-state/udp-sendto[tap,up,own4]",
            "link-state/netdown",
        ],
    ),
    (
        Plant::SendtoDenies,
        &["failed-call-no-effect"],
        &["link-state/udp-sendto[tap,up,neighbour]", "link-state/udp-sendto[tun,up,global]"],
    ),
    (
        Plant::InventsErrno,
        &["errno-documented"],
        &["link-state/udp-sendto[tap,down,neighbour]", "scoped-ipv6/udp-sendto[second,absent,own]"],
    ),
    (
        Plant::HidesEmsgsize,
        &["too-big-says-emsgsize"],
        &["fragmentation/payload[v4,1500,on,10000]", "fragmentation/payload[v6,1500,on,10000]"],
    ),
    (
        Plant::ForgetsScope,
        &["names-carry-the-scope"],
        &[
            "scoped-ipv6/udp-connect[first,right,neighbour]",
            "scoped-ipv6/bind[second,right,own,udp]",
        ],
    ),
    (
        Plant::LowersMtu,
        &["forged-icmp-changes-nothing"],
        &[
            "fragmentation/path-mtu-forged[v4,on,connected,destination]",
            "fragmentation/path-mtu-forged[v6,unset,connected,destination]",
        ],
    ),
    (
        Plant::ClearsDf,
        &["do-not-fragment"],
        &[
            "fragmentation/payload[v4,1500,on,fit]",
            "fragmentation/payload[v4,9000,on,1]",
            "fragmentation/option[v4,ip-do,fit]",
        ],
    ),
    (
        Plant::OverlapsFragments,
        // What overlaps differs, so the datagram is not the one that was sent.
        &["fragments-reassemble", "no-silent-loss"],
        &[
            "fragmentation/payload[v4,1500,off,10000]",
            "fragmentation/payload[mapped,1500,off,10000]",
        ],
    ),
    (
        Plant::SwapsLinks,
        &["scope-id-names-the-link"],
        &[
            "scoped-ipv6/udp-sendto[first,right,neighbour]",
            "scoped-ipv6/udp-sendto[second,right,unresolved]",
            "scoped-ipv6/udp-sendto[second,right,ff02::1]",
            "scoped-ipv6/tcp-connect[second,right,neighbour]",
        ],
    ),
    (
        Plant::AddsHeader,
        // The first request leaves in no segment as it was written.
        &["bytes-as-written", "no-silent-loss"],
        &["http/control[inet,set-cookie,same]", "http/control[inet6,delete-cookie,new]"],
    ),
    (
        Plant::AsksAnyway,
        &["numeric-asks-nobody"],
        &["names/flags[file,any,numerichost]", "names/flags[both,any,numerichost]"],
    ),
    (
        Plant::ForgetsFlags,
        &["cut-message-is-flagged"],
        &["datagram/length[recvmsg,none,4]", "datagram/length[recvmmsg,none,0]"],
    ),
    (
        Plant::KeepsError,
        &["so-error-is-cleared"],
        &["stream/told[reset,error]", "stream/told[data-reset,error]"],
    ),
    (
        Plant::DropsControl,
        &["asked-control-comes"],
        &["ancillary/over[tos-ef,v4]", "ancillary/over6[ef,new]"],
    ),
    (
        Plant::HidesEnd,
        &["end-of-stream-is-told"],
        &[
            "http/response-then-end[inet,closed,send-send-recv-recv]",
            "errors/state[pair-closed,connect]",
        ],
    ),
    (
        Plant::HidesEpipe,
        &["shutdown-forbids"],
        &["errors/state[shut-write,send]", "stream/signal[nosignal,unix]"],
    ),
    (
        Plant::FlipsNonblock,
        &["accepted-inherits"],
        &["connecting/flags[accept,inet]", "connecting/flags[accept4,unix]"],
    ),
    (
        Plant::HalvesOptions,
        &["option-reads-as-set"],
        &["effects/sent4[ttl-7,neighbour]", "options/int[udp4,SO_PRIORITY,6]"],
    ),
    (
        Plant::SaysReady,
        &["ready-does-not-wait"],
        &["errors/refused[plain,poll]", "errors/udp6[time,none]"],
    ),
];

#[test]
fn each_rule_and_each_fault_has_its_place() {
    let found: BTreeSet<&str> = PLANTS.iter().flat_map(|(_, rules, _)| *rules).copied().collect();
    // The C library itself breaks some, which a test of the baselines holds to account.
    let broken = suites::deviation::known().iter().map(|known| known.rule.as_str());
    let all: BTreeSet<&str> = suites::rules::RULES.iter().map(|rule| rule.name).collect();
    let missing: Vec<&&str> = all.difference(&found).collect();
    let broken: BTreeSet<&str> = broken.collect();
    assert!(missing.iter().all(|rule| broken.contains(**rule)), "{missing:?}");
    assert!(found.is_subset(&all));
    let planted: BTreeSet<&str> = PLANTS.iter().map(|(plant, ..)| plant.name()).collect();
    assert_eq!(planted, Plant::ALL.iter().map(Plant::name).collect());
}

#[rstest]
fn a_planted_fault_is_found_by_its_rules(
    #[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)] row: usize,
) {
    let (plant, rules, ids) = &PLANTS[row];
    let Some(os) = Os::host().filter(|os| *os == Os::Linux) else { return };
    let all: Vec<Case> = suites::tables().into_iter().flat_map(|table| table.cases).collect();
    let case = |id: &&str| all.iter().find(|case| case.id == **id).expect(id).clone();
    let cases: Vec<Case> = ids.iter().map(case).collect();
    for (args, expected) in
        [(&[][..], BTreeSet::new()), (&["--plant", plant.name()], rules.iter().copied().collect())]
    {
        for (case, trace) in cases.iter().zip(traces(args, &cases)) {
            if let End::Skipped { reason } = &trace.end {
                eprintln!("skipped: {reason}");
                return;
            }
            assert_eq!(trace.end, End::Done, "{}", case.id);
            let findings = suites::rules::judge(case, &trace, os);
            let fired: BTreeSet<&str> = findings.iter().map(|finding| finding.rule).collect();
            assert_eq!(fired, expected, "{} {args:?}: {findings:?}", case.id);
        }
    }
}
