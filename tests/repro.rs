//! Reproducers, compiled and run: each call's result and each frame must be the executor's, and with the
//! decisive step of a known deviation undone the program must say that it is not reproduced.
//!
//! The first row of each table and each known deviation is compiled by cc. Of the others cc reads the program with all
//! its warnings, and where there is a tcc, which takes a tenth of the time, that compiles what is run: it proves the
//! same of the source, and nothing of cc's code. What a program of tcc's does not agree with is cc's to say.
//!
//! By default a sample: of each table the first row, of each two calls, sockets, links and steps one program that has
//! both, and all known deviations of this kernel, of which one of each reason and table is undone. `SOCKEYE_REPRO=all` takes every row.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode, Output};
use std::{env, fs};

use common::compile::{By, ran, ran_by_tcc, warned};
use common::undone::{came, near, undoings};
use common::{BPF_H, documented, executor, has_cc, lacking};
use harness::case::{Case, Hex, Op, Os};
use harness::outcome;
use harness::subject;
use harness::trace::{Did, End, Event, Fingerprint, LinkFact, Out, Trace};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use reports::repro::{FLAGS, Observed, Options, agrees, reproducer, saw_the_wire, verdict};
use suites::{Table, deviation, pattern, tables};

/// How many rows one test takes, so that the tests are of a size and run side by side.
const ROWS: usize = 24;

/// How many tests run side by side for each processor: programs wait for far ends, timers and networks that go.
const SIDE_BY_SIDE: usize = 3;

/// How many tests compile programs for macOS.
const MACOS_PARTS: usize = 4;

/// How many known deviations one test undoes.
const UNDONE: usize = 6;

/// Known deviations that no step decides: a socket that has just been made is asked what it is. Only
/// what the option writes could differ, and that is the executor's own process.
const NOTHING_TO_UNDO: [&str; 1] = ["options/default[*,SO_PEERCRED]"];

/// Rows whose programs say `not reproduced`, as they should: their far end is another TCP, Linux's own. Of the first
/// `repro_far.rs` holds them to it; when the others' edges come is chance.
const OTHERWISE: [&str; 3] = [
    // It acknowledges what it reads before it resets, so that nothing is unsent.
    "errors/state[reset,unsent]",
    // It acknowledges a FIN when it likes, which is an edge of its own.
    "readiness/connection[shut-both,edge]",
    "readiness/connection[shut-write,edge]",
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    arguments.test_threads.get_or_insert(SIDE_BY_SIDE * processors);
    // What is to take everything leaves nothing out for want of something.
    if let Some(what) = takes_all().then(lacking).flatten() {
        eprintln!("SOCKEYE_REPRO=all takes every program, and this host has no {what}");
        return ExitCode::FAILURE;
    }
    let tables = tables();
    let kernel = subject::fingerprint(&executor(&[])).expect("the executor says who it is");
    let deviations = deviating(&tables, &kernel);
    let (rows, by_cc) = chosen(&tables, &deviations);
    let ids: BTreeSet<&str> =
        tables.iter().flat_map(|table| &table.cases).map(|case| case.id.as_str()).collect();
    assert!(OTHERWISE.iter().all(|id| ids.contains(id)), "a row of {OTHERWISE:?} is gone");
    let all = ids.len();
    let taken: usize = rows.values().map(Vec::len).sum();
    if !arguments.list {
        println!("{taken} of {all} reproducers; SOCKEYE_REPRO=all takes all");
    }
    // First what takes longest: undone programs wait for what does not come, those for macOS take the processor.
    let to_undo = if takes_all() { deviations } else { one_of_each(deviations) };
    let mut trials = Vec::new();
    for (part, cases) in to_undo.chunks(UNDONE).enumerate() {
        let cases = cases.to_vec();
        let name = format!("undone/{}-of-{}", part + 1, to_undo.len().div_ceil(UNDONE));
        trials.push(Trial::ignorable_test(name, move || undone(&cases)));
    }
    trials.push(Trial::ignorable_test("the-wire-alone", the_wire_alone));
    trials.push(Trial::ignorable_test("says-what-came-of-it", says_what_came_of_it));
    trials.push(Trial::ignorable_test("all-is-all", all_is_all));
    for part in 1..=MACOS_PARTS {
        let name = format!("for-macos-compiles/{part}-of-{MACOS_PARTS}");
        trials.push(Trial::ignorable_test(name, move || for_macos_compiles(part - 1)));
    }
    trials.extend(rows.into_iter().flat_map(|(name, rows)| tables_of(&name, &rows, &by_cc)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn tables_of(table: &str, cases: &[Case], by_cc: &BTreeSet<String>) -> Vec<Trial> {
    let parts = cases.len().div_ceil(ROWS);
    let name = |part: usize| match parts {
        1 => table.to_owned(),
        _ => format!("{table}/{}-of-{parts}", part + 1),
    };
    let rows = cases.chunks(ROWS).enumerate();
    rows.map(|(part, cases)| {
        let cases: Vec<(Case, By)> = cases
            .iter()
            .map(|case| (case.clone(), if by_cc.contains(&case.id) { By::Cc } else { By::Either }))
            .collect();
        Trial::ignorable_test(name(part), move || reproduce(&cases))
    })
    .collect()
}

/// The rows of known deviations of this kernel and its C library.
fn deviating(tables: &[Table], kernel: &Fingerprint) -> Vec<Case> {
    let known = |case: &&Case| {
        let platforms = suites::platforms(kernel, &kernel.platforms(), case.suite());
        deviation::known().iter().any(|entry| {
            entry.platforms.iter().any(|p| platforms.contains(p))
                && entry.cases.iter().any(|cases| pattern::matches(cases, &case.id))
        })
    };
    tables.iter().flat_map(|table| &table.cases).filter(known).cloned().collect()
}

fn takes_all() -> bool {
    env::var("SOCKEYE_REPRO").is_ok_and(|which| which == "all")
}

/// One of each table for each reason that is known.
fn one_of_each(mut deviations: Vec<Case>) -> Vec<Case> {
    let mut seen = BTreeSet::new();
    deviations.retain(|case| {
        let known = deviation::known().iter();
        let its = known.filter(|one| one.cases.iter().any(|p| pattern::matches(p, &case.id)));
        its.filter(|one| seen.insert((case.table().to_owned(), &one.reason))).count() > 0
    });
    deviations
}

/// Of which parts its program is, two and two: its links, steps, sockets and calls.
fn pairs(case: &Case) -> BTreeSet<(String, String)> {
    let calls = case.ops.iter().map(|op| match op {
        Op::Socket { domain, r#type, .. } => format!("{domain} {type}"),
        op => op.call().to_owned(),
    });
    let parts: BTreeSet<String> = calls.chain(lab_of(case)).collect();
    let with = |one: &String| {
        parts.range(one.clone()..).map(|other| (one.clone(), other.clone())).collect::<Vec<_>>()
    };
    parts.iter().flat_map(with).collect()
}

/// The rows that are taken, by table, and which of them cc compiles.
fn chosen(
    tables: &[Table],
    deviations: &[Case],
) -> (BTreeMap<String, Vec<Case>>, BTreeSet<String>) {
    let all = takes_all();
    let known: BTreeSet<&str> = deviations.iter().map(|case| case.id.as_str()).collect();
    let mut by_cc: BTreeSet<String> = known.iter().map(|id| (*id).to_owned()).collect();
    by_cc.extend(tables.iter().filter_map(|table| Some(table.cases.first()?.id.clone())));
    let mut seen = BTreeSet::new();
    let mut rows: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for table in tables {
        for (at, case) in table.cases.iter().enumerate() {
            if OTHERWISE.contains(&case.id.as_str()) {
                continue;
            }
            let before = seen.len();
            seen.extend(pairs(case));
            let fresh = seen.len() > before;
            if all || at == 0 || fresh || known.contains(case.id.as_str()) {
                rows.entry(table.name.to_string()).or_default().push(case.clone());
            }
        }
    }
    (rows, by_cc)
}

/// From xnu-11417.101.15 `bsd/net/if_utun.h`, `bsd/sys/sys_domain.h`, `bsd/netinet6/in6_var.h` and
/// `bsd/net/bpf.h`, as much as a reproducer names.
const SDK: [(&str, &str); 4] = [
    (
        "net/if_utun.h",
        "#define UTUN_CONTROL_NAME \"com.apple.net.utun_control\"\n#define UTUN_OPT_IFNAME 2\n#define UTUN_OPT_MAX_PENDING_PACKETS 16\n",
    ),
    ("sys/sys_domain.h", "#define SYSPROTO_CONTROL 2\n#define AF_SYS_CONTROL 2\n"),
    (
        "netinet6/in6_var.h",
        "struct in6_aliasreq { char ifra_name[16]; struct sockaddr_in6 ifra_addr, ifra_dstaddr, \
         ifra_prefixmask; int ifra_flags; struct { long expire, preferred; unsigned v, p; } \
         ifra_lifetime; };\n",
    ),
    ("net/bpf.h", BPF_H),
];

/// Which steps a case takes, and of which kinds its links are: the words of each without the names.
fn lab_of(case: &Case) -> BTreeSet<String> {
    let among = case.ops.iter().filter_map(|op| match op {
        Op::Lab { step } => Some(step),
        _ => None,
    });
    let steps = case.lab.setup.iter().chain(among);
    let steps = steps.map(|step| format!("{step:?}").split([' ', '{']).take(1).collect());
    steps.chain(case.lab.links.iter().map(|link| format!("{:?}", link.kind))).collect()
}

/// A trace in which every call of a case returned 0. `unseen`: nobody saw its frames.
fn all_made(case: &Case, unseen: bool) -> Trace {
    let (name, mac) = ("lo".to_owned(), Hex(vec![0; 6]));
    let lo = LinkFact { name, index: 1, kind: None, mac, unseen };
    let made = |(op, step): (u32, &Op)| {
        let did = Did::Returned { ret: 0, errno: None, out: Out::Nothing };
        let call = Event::Call { op, at_ns: 0, took_ns: 0, addr: None, did };
        (!matches!(step, Op::Lab { .. })).then_some(call)
    };
    Trace {
        schema: harness::SCHEMA,
        case: case.id.clone(),
        began_ns: 0,
        links: vec![lo],
        events: (0..).zip(&case.ops).filter_map(made).collect(),
        end: End::Done,
        pauses_ms: Vec::new(),
        disturbed: Vec::new(),
        beyond: None,
        own: None,
        program: None,
        served: Vec::new(),
    }
}

/// Apple's headers are in `zig`, with clang beside them: the program that `ZIG` names, of the
/// package `ziglang` for instance. Of each table the first row and the last, of `darwin` all, and the
/// first of each set of steps; of all those every fourth.
fn for_macos_compiles(part: usize) -> Result<Completion, Failed> {
    let Some(zig) = env::var_os("ZIG") else {
        return Ok(Completion::ignored_with("ZIG names no zig, which has Apple's headers"));
    };
    let folder = tempfile::tempdir()?;
    // What of the SDK's headers zig has not got.
    for (header, text) in SDK {
        let file = folder.path().join(header);
        fs::create_dir_all(file.parent().unwrap_or(folder.path()))?;
        fs::write(file, text)?;
    }
    let mut wrong = Vec::new();
    let tables = tables();
    let mut steps = BTreeSet::new();
    let mut rows = Vec::new();
    for table in &tables {
        let (own, last) = (table.name.starts_with("darwin/"), table.cases.len() - 1);
        let rows_of = table.cases.iter().enumerate();
        rows.extend(rows_of.filter_map(|(at, case)| {
            let fresh = steps.insert(lab_of(case));
            (fresh || own || at == 0 || at == last).then_some((fresh, case))
        }));
    }
    // No table has a far end that sends by words.
    let said =
        documented().into_iter().flat_map(|text| [text.to_owned(), text.replace("tun ", "tap ")]);
    let said = said.map(|text| notation::read("far", &text).map(|mut all| all.remove(0).case));
    let said: Vec<Case> = said.collect::<Result<_, _>>().map_err(|faults| format!("{faults:?}"))?;
    rows.extend(said.iter().map(|case| (true, case)));
    let (source, object) = (folder.path().join("repro.c"), folder.path().join("repro.o"));
    let rows = rows.into_iter().enumerate().filter(|(at, _)| at % MACOS_PARTS == part);
    for (at, (fresh, case)) in rows {
        // One that has nothing to compare itself with, one that has, and one whose frames nobody saw.
        let bare = reproducer(case, &Options { os: Os::Macos, observed: None, expected: &[] });
        let compares = written(case, &all_made(case, false), Os::Macos);
        let unseen = written(case, &all_made(case, true), Os::Macos);
        let all = [("aarch64-macos", bare), ("x86_64-macos", compares), ("aarch64-macos", unseen)];
        let all = all.into_iter().enumerate();
        for (target, text) in all.filter(|(n, _)| fresh || *n == at % 2).map(|(_, one)| one) {
            fs::write(&source, text)?;
            let zig = Command::new(&zig)
                .args(["cc", "-target", target])
                .args(FLAGS)
                .args(["-c".as_ref(), "-idirafter".as_ref(), folder.path().as_os_str()])
                .args([source.as_os_str(), "-o".as_ref(), object.as_os_str()])
                .output()?;
            if !zig.status.success() {
                let said = String::from_utf8_lossy(&zig.stderr);
                wrong.push(format!("{} for {target}: {said}", case.id));
            }
        }
    }
    if wrong.is_empty() { Ok(Completion::Completed) } else { Err(wrong.join("\n").into()) }
}

fn reproduce(rows: &[(Case, By)]) -> Result<Completion, Failed> {
    let Some(os) = Os::host().filter(|os| *os == Os::Linux) else {
        return Ok(Completion::ignored_with("a reproducer builds its own lab on Linux only"));
    };
    if !has_cc() {
        return Ok(Completion::ignored_with("cc is not installed"));
    }
    let subject = executor(&[]);
    let cases: Vec<&Case> = rows.iter().map(|(case, _)| case).collect();
    let traces = subject::run(&subject, &cases, 1, &|_, _| ())?;
    let folder = tempfile::tempdir()?;
    let (mut wrong, mut absent) = (Vec::new(), None);
    for ((case, by), trace) in rows.iter().zip(&traces) {
        if let End::Skipped { reason } = &trace.end {
            absent = Some(reason.clone());
            continue;
        }
        if let Some(name) = trace.lacks().filter(|_| trace.lacks_what_hosts_have()) {
            // The program asks for it, and is told that it is not there.
            absent = Some(format!("this host has no {name}"));
            continue;
        }
        if trace.is_unseen() && !case.lab.links.is_empty() {
            // The program makes the link, for which the executor had an interface of the host's.
            absent = Some(ROOT_ALONE.to_owned());
            continue;
        }
        if let Err(e) = reproduces(case, trace, (os, *by), folder.path()) {
            wrong.push(format!("{}: {e}", case.id));
        }
    }
    ended(&wrong, absent)
}

/// Why a case is not there that asks for a link.
const ROOT_ALONE: &str = "links are made by root alone";

/// What is wrong counts, whatever was not there; and where something was not there, it is said.
fn ended(wrong: &[String], absent: Option<String>) -> Result<Completion, Failed> {
    match (wrong, absent) {
        ([], None) => Ok(Completion::Completed),
        ([], Some(why)) => Ok(Completion::ignored_with(why)),
        (wrong, _) => Err(wrong.join("\n").into()),
    }
}

/// The program for what a trace says, as C.
fn written(case: &Case, trace: &Trace, os: Os) -> String {
    let observed = outcome::render(case, trace, os);
    let observed = Observed { trace, platform: "this", kernel: "this kernel", outcome: &observed };
    reproducer(case, &Options { os, observed: Some(observed), expected: &[] })
}

fn reproduces(
    case: &Case,
    trace: &Trace,
    (os, by): (Os, By),
    folder: &Path,
) -> Result<(), Box<dyn Error>> {
    let text = written(case, trace, os);
    if by == By::Either
        && let Some(ran) = ran_by_tcc(&text, folder)
    {
        warned(folder)?;
        if judged(case, trace, &ran).is_ok() {
            return Ok(());
        }
    }
    judged(case, trace, &ran(&text, folder)?)
}

/// What is wrong with what the program did.
fn judged(case: &Case, trace: &Trace, ran: &Output) -> Result<(), Box<dyn Error>> {
    let text = String::from_utf8_lossy(&ran.stdout);
    if !case.threads.is_empty() && trace.end == End::Hung {
        // There is no program of it, which it says.
        let said = String::from_utf8_lossy(&ran.stderr);
        let refused = said.contains("several threads") && ran.status.code() == Some(2);
        return if refused { Ok(()) } else { Err(format!("{}: {said}", ran.status).into()) };
    }
    agrees(trace, case, &text)?;
    // A name that is lacking is no verdict.
    let wanted = if trace.end == End::Unsupported { (None, 2) } else { (Some(true), 0) };
    let errors = String::from_utf8_lossy(&ran.stderr);
    if (verdict(&text), ran.status.code()) != (wanted.0, Some(wanted.1)) {
        return Err(format!("{}, though all agrees: {errors}", ran.status).into());
    }
    if wanted.0 == Some(true) && !saw_the_wire(&text) {
        return Err(format!("it did not look at the wire: {errors}").into());
    }
    Ok(())
}

/// The program of an undone case, compared with what the case itself was seen to do: what is wrong with its
/// answer.
fn says_no(
    other: &Case,
    trace: &Trace,
    os: Os,
    folder: &Path,
) -> Result<Option<String>, Box<dyn Error>> {
    let text = written(other, trace, os);
    let is_no = |said: &Output| {
        let text = String::from_utf8_lossy(&said.stdout);
        (verdict(&text), said.status.code()) == (Some(false), Some(1))
    };
    let said = match ran_by_tcc(&text, folder).filter(is_no) {
        Some(said) => said,
        None => ran(&text, folder)?,
    };
    let text = String::from_utf8_lossy(&said.stdout);
    if (verdict(&text), said.status.code()) != (Some(false), Some(1)) {
        return Ok(Some(format!("and still {}", said.status)));
    }
    Ok(agrees(trace, other, &text).is_ok().then(|| "and its output agrees".to_owned()))
}

/// Each of the cases with its decisive step undone must say `not reproduced`.
fn undone(cases: &[Case]) -> Result<Completion, Failed> {
    let Some(os) = Os::host().filter(|os| *os == Os::Linux && has_cc()) else {
        return Ok(Completion::ignored_with("there is no cc, or this is not Linux"));
    };
    let tables = tables();
    let subject = executor(&[]);
    let folder = tempfile::tempdir()?;
    let (mut wrong, mut absent) = (Vec::new(), None);
    for case in cases {
        let others = [undoings(case), near(case, &tables)].concat();
        let mut all: Vec<&Case> = vec![case];
        all.extend(&others);
        let traces = subject::run(&subject, &all, 1, &|_, _| ())?;
        let Some((trace, theirs)) = traces.split_first() else { continue };
        if let End::Skipped { reason } = &trace.end {
            absent = Some(reason.clone());
            continue;
        }
        if trace.is_unseen() {
            absent = Some(ROOT_ALONE.to_owned());
            continue;
        }
        let what = came(case, trace);
        let ran_to_its_end: Vec<_> = others.iter().zip(theirs).collect();
        let differing = || {
            let all = ran_to_its_end.iter().filter(|(_, theirs)| theirs.end == End::Done);
            all.map(|(other, theirs)| (*other, came(other, theirs)))
        };
        // The nearest that does something else, and the nearest of which the wire alone tells.
        let any = differing().find(|(_, did)| *did != what);
        let wire = differing().find(|(_, did)| did.0 == what.0 && did.1 != what.1);
        let wire = wire.filter(|(other, _)| any.as_ref().is_none_or(|(any, _)| any != other));
        if any.is_none() && !NOTHING_TO_UNDO.iter().any(|p| pattern::matches(p, &case.id)) {
            wrong.push(format!("{}: nothing undoes it", case.id));
        }
        for (other, _) in any.into_iter().chain(wire) {
            let said = says_no(other, trace, os, folder.path()).map_err(|e| e.to_string())?;
            wrong.extend(said.map(|how| format!("{}: undone by {}, {how}", case.id, other.id)));
        }
    }
    ended(&wrong, absent)
}

/// What came of a datagram on a link that is down differs from that on one that is up by the wire alone.
fn the_wire_alone() -> Result<Completion, Failed> {
    let Some(os) = Os::host().filter(|os| *os == Os::Linux && has_cc()) else {
        return Ok(Completion::ignored_with("there is no cc, or this is not Linux"));
    };
    let tables = tables();
    let id = "link-state/udp-bound-own[tap,down,multicast4]";
    let case = tables.iter().flat_map(|table| &table.cases).find(|case| case.id == id);
    let case = case.ok_or("the row is gone")?;
    let subject = executor(&[]);
    let traces = subject::run(&subject, &[case], 1, &|_, _| ())?;
    let trace = traces.first().ok_or("no trace")?;
    if trace.is_unseen() || matches!(trace.end, End::Skipped { .. }) {
        return Ok(Completion::ignored_with(ROOT_ALONE));
    }
    let (text, down) = (written(case, trace, os), "    link_set(\"link0\", 0);\n");
    let folder = tempfile::tempdir()?;
    for (text, last, status) in
        [(text.clone(), "\nREPRODUCED\n", 0), (text.replace(down, ""), "\nnot reproduced\n", 1)]
    {
        let ran = ran(&text, folder.path()).map_err(|e| e.to_string())?;
        let (stdout, stderr) =
            (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        let said = stderr.contains("differs: came, and was not observed: > link0 IPv4");
        if !stdout.ends_with(last) || ran.status.code() != Some(status) || said != (status == 1) {
            return Err(format!("{}: {stdout}{stderr}", ran.status).into());
        }
    }
    Ok(Completion::Completed)
}

/// `link-state/netdown` as it is, without the step that makes it what it is, without the call that it
/// is about, and where there is no tun: each says which it is.
fn says_what_came_of_it() -> Result<Completion, Failed> {
    let Some(os) = Os::host().filter(|os| *os == Os::Linux && has_cc()) else {
        return Ok(Completion::ignored_with("there is no cc, or this is not Linux"));
    };
    let tables = tables();
    let case = tables.iter().flat_map(|table| &table.cases).find(|c| c.id == "link-state/netdown");
    let case = case.ok_or("link-state/netdown is gone")?;
    let subject = executor(&[]);
    let traces = subject::run(&subject, &[case], 1, &|_, _| ())?;
    let trace = traces.first().ok_or("no trace")?;
    if let End::Skipped { reason } = &trace.end {
        return Ok(Completion::ignored_with(reason));
    }
    if trace.is_unseen() {
        return Ok(Completion::ignored_with(ROOT_ALONE));
    }
    let text = written(case, trace, os);
    let folder = tempfile::tempdir()?;
    let table = [
        ("\n", "\n", "\nREPRODUCED\n", 0),
        ("    link_set(\"down0\", 0);\n", "", "\nnot reproduced\n", 1),
        ("    result(1, \"sendto(s)\", ret);\n", "", "\nnot reproduced\n", 1),
        ("/dev/net/tun", "/dev/net/none", "", 2),
        // Calls alone are no evidence of what left.
        ("socket(AF_PACKET, SOCK_DGRAM", "socket(AF_PACKET, 99", "", 2),
    ];
    for (from, to, last, status) in table {
        if !text.contains(from) {
            return Err(format!("{from:?} is not in the program").into());
        }
        let ran = ran(&text.replace(from, to), folder.path()).map_err(|e| e.to_string())?;
        let (stdout, stderr) =
            (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        let why = stderr.starts_with("not tried: the lab cannot be made: /dev/net/none: ")
            || stderr.starts_with("not tried: no packet socket is to be had");
        if ran.status.code() != Some(status) || !stdout.ends_with(last) || why != (status == 2) {
            return Err(format!("without {from:?}: {}: {stdout}{stderr}", ran.status).into());
        }
    }
    Ok(Completion::Completed)
}

/// These tests, where every row is to be taken: without a compiler they fail and say so, with one they run.
fn all_is_all() -> Result<Completion, Failed> {
    if lacking().is_some() {
        return Ok(Completion::ignored_with("this host has no labs, or no cc"));
    }
    for (path, passes) in [(env::var("PATH")?, true), ("/nonexistent".to_owned(), false)] {
        let mut itself = Command::new(env::current_exe()?);
        itself.args(["--exact", "no such test"]).env("SOCKEYE_REPRO", "all").env("PATH", &path);
        let ran = itself.output()?;
        let said = String::from_utf8_lossy(&ran.stderr);
        if ran.status.success() != passes || said.contains("this host has no cc\n") == passes {
            return Err(format!("PATH={path}: {}: {said}", ran.status).into());
        }
    }
    Ok(Completion::Completed)
}
