//! Runs made by hand, and what the page makes of them.

use std::collections::BTreeMap;

use harness::case::{Case, Lab, Op, Os, Payload, Sym, Threads};
use harness::trace::{Did, End, Event, Fingerprint, Out, Trace};
use harness::verdict::{Rank, Unexpected, Verdict};
use rstest::rstest;

use super::word::apart;
use super::*;
use crate::runs::{Ended, Finding, Line, Manifest, Run, SCHEMA, Subject};

/// A case of one `send` that returned this, with `case.id` as its id.
fn send(id: &str, ret: i64, errno: Option<&'static str>) -> (Case, Trace) {
    let data = Payload::Text("hello".to_owned());
    let (fd, flags) = ("s".to_owned(), harness::case::Flags::NONE);
    let (catalogue, lab) = (Vec::new(), Lab::loopback());
    let made = Op::Socket {
        fd: "s".to_owned(),
        domain: "AF_INET".into(),
        r#type: harness::case::Flags::of(&["SOCK_DGRAM"]),
        protocol: flags.clone(),
    };
    let ops = vec![Op::Send { fd, data, flags }, made];
    let title = "Is it sent?".to_owned();
    let case = Case {
        id: id.to_owned(),
        title,
        catalogue,
        lab,
        ops,
        window_ms: 0,
        threads: Threads::NONE,
    };
    let did = Did::Returned { ret, errno: errno.map(Sym::from), out: Out::Nothing };
    let events = vec![Event::Call { op: 0, at_ns: 0, took_ns: 0, addr: None, did }];
    (case, Trace::new(id, Vec::new(), events, End::Done))
}

fn line(subject: &str, id: &str, errno: Option<&'static str>) -> Line {
    let (case, trace) = send(id, if errno.is_some() { -1 } else { 5 }, errno);
    let outcome = harness::outcome::render(&case, &trace, Os::Linux);
    Line {
        subject: subject.to_owned(),
        id: id.to_owned(),
        verdict: Verdict::Ok,
        outcome,
        baseline: None,
        expected: None,
        findings: Vec::new(),
        remarks: Vec::new(),
        unexpected: Vec::new(),
        case,
        trace,
    }
}

/// A run of `subjects` that has these lines.
fn run(subjects: &[&str], lines: Vec<Line>) -> Run {
    let subject = |name: &&str| Subject {
        name: (*name).to_owned(),
        kernel: Fingerprint {
            system: "Linux".to_owned(),
            release: "6.1".to_owned(),
            version: "#1".to_owned(),
            machine: "x86_64".to_owned(),
            ..Fingerprint::default()
        },
        platforms: vec!["linux-6.1".to_owned()],
        program: "0".to_owned(),
        revision: None,
        began_ns: 0,
        seed: None,
        cases: lines.iter().filter(|line| line.subject == *name).count(),
        environment: None,
        log: None,
        ended: Some(Ended { took_ms: 1, verdicts: BTreeMap::new() }),
    };
    let (rules, tables) = (Vec::new(), BTreeMap::new());
    let manifest = Manifest {
        schema: SCHEMA,
        subjects: subjects.iter().map(subject).collect(),
        rules,
        tables,
    };
    Run { manifest, lines, cut: false }
}

fn made(runs: &[&Run], since: Option<&Run>, order: &[&str]) -> Result<Model, ModelError> {
    let sources: Vec<Source<'_>> =
        runs.iter().zip(["one", "two"]).map(|(run, name)| Source { name, run }).collect();
    let since = since.map(|run| Source { name: "before", run });
    let (claims, reason) = (&|_: &_, _: &_| Vec::new(), &|_: &_| None);
    let (tags, means) = (&|_: &_| vec!["df".to_owned()], &|tag: &str| vec![format!("IP_{tag}")]);
    model(Input { runs: &sources, since, order, claims, reason, tags, means })
}

const OTHER: Option<&str> = Some("ENETDOWN");

#[test]
fn a_merged_run_has_a_column_for_each_subject() {
    let lines =
        vec![line("a", "s/t[1]", None), line("b", "s/t[1]", OTHER), line("b", "s/t[2]", None)];
    let model = made(&[&run(&["a", "b"], lines)], None, &[]).unwrap();
    assert_eq!(model.columns.len(), 2);
    let [one, two] = &model.rows[..] else { panic!("{:?}", model.rows) };
    assert_eq!((one.outcomes, &one.cells[..]), (2, &[Some(0), Some(1)][..]));
    assert_eq!((two.outcomes, &two.cells[..]), (1, &[None, Some(0)][..]));
    let words: Vec<&str> = one.answers.iter().map(|a| model.words[a.word].as_str()).collect();
    assert_eq!(words, ["5 · silent", "ENETDOWN"]);
    // Nobody asks for the program of what all agree on.
    assert!(one.repro.is_some() && two.repro.is_none());
}

#[test]
fn the_outcome_of_most_columns_is_the_first() {
    let lines = [("a", OTHER), ("b", None), ("c", None)];
    let lines = lines.iter().map(|(subject, errno)| line(subject, "s/t", *errno)).collect();
    let model = made(&[&run(&["a", "b", "c"], lines)], None, &[]).unwrap();
    let row = &model.rows[0];
    let groups: Vec<_> = row.cells.iter().map(|c| row.answers[c.unwrap()].group).collect();
    assert_eq!(groups, [Some(1), Some(0), Some(0)]);
}

#[rstest]
#[case(&["linux-6.1", "linux"], "Linux", "6.1")]
#[case(&["gvisor-20240729", "gvisor"], "gvisor-20240729", "")]
fn a_column_says_who_answered(
    #[case] platforms: &[&str],
    #[case] system: &str,
    #[case] build: &str,
) {
    let mut run = run(&["a"], vec![line("a", "s/t", None)]);
    run.manifest.subjects[0].platforms = platforms.iter().map(|p| (*p).to_owned()).collect();
    let model = made(&[&run], None, &[]).unwrap();
    assert_eq!((&model.columns[0].system[..], &model.columns[0].build[..]), (system, build));
}

#[test]
fn rows_stand_in_the_order_that_is_known() {
    let ids = ["s/t[10]", "s/t[9]", "s/unknown", "a/unknown"];
    let lines = ids.iter().map(|id| line("a", id, None)).collect();
    let model = made(&[&run(&["a"], lines)], None, &["s/t[9]", "s/t[10]"]).unwrap();
    let rows: Vec<&str> = model.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(rows, ["s/t[9]", "s/t[10]", "a/unknown", "s/unknown"]);
}

#[test]
fn changes_are_those_of_the_same_subject() {
    let was = run(&["a", "b"], vec![line("a", "s/t", OTHER), line("b", "s/t", None)]);
    let is = run(&["a", "b"], vec![line("a", "s/t", None), line("b", "s/t", None)]);
    let model = made(&[&is], Some(&was), &[]).unwrap();
    let since: Vec<bool> = model.rows[0]
        .cells
        .iter()
        .map(|cell| model.rows[0].answers[cell.unwrap()].since.is_some())
        .collect();
    assert_eq!(since, [true, false]);
}

#[test]
fn what_was_not_run_agrees_with_nobody() {
    let mut skipped = line("b", "s/t", None);
    skipped.verdict = Verdict::Skipped;
    skipped.trace.end = End::Skipped { reason: "no root".to_owned() };
    let model = made(&[&run(&["a", "b"], vec![line("a", "s/t", None), skipped])], None, &[]);
    let model = model.unwrap();
    assert_eq!(model.rows[0].outcomes, 1);
    let answer = &model.rows[0].answers[1];
    assert_eq!((answer.group, model.words[answer.word].as_str()), (None, "not run"));
}

/// It says nothing of the system, so that the row is not one in which platforms differ.
#[test]
fn what_is_not_here_differs_from_nobody() {
    let lacking = |verdict, errno| {
        let mut line = line("b", "s/t", errno);
        let did = Did::Unsupported { name: "SO_NONE".to_owned() };
        let call = Event::Call { op: 0, at_ns: 0, took_ns: 0, addr: None, did };
        line.trace.events.insert(usize::from(errno.is_some()), call);
        line.trace.end = End::Unsupported;
        line.outcome += "SO_NONE = unsupported here\n";
        line.verdict = verdict;
        if errno.is_none() {
            line.trace.events.truncate(1);
        }
        made(&[&run(&["a", "b"], vec![self::line("a", "s/t", None), line])], None, &[]).unwrap()
    };
    for verdict in [Verdict::Ok, Verdict::New] {
        let model = lacking(verdict, None);
        let row = &model.rows[0];
        assert_eq!((row.outcomes, row.is_of_interest()), (1, false));
        assert_eq!((row.answers[1].group, row.answers[1].not_here), (None, true));
        assert!(!row.answers[0].not_here);
    }
    // What changed before that name is a result.
    let model = lacking(Verdict::Changed, OTHER);
    let row = &model.rows[0];
    assert_eq!((row.outcomes, row.is_of_interest(), row.answers[1].not_here), (2, true, false));
}

#[test]
fn what_is_unexpected_is_on_the_page() {
    let mut one = line("a", "s/t[1]", None);
    one.verdict = Verdict::Unexpected;
    let (file, wanted, came) = ("x.case".to_owned(), "= 7".to_owned(), "5".to_owned());
    one.unexpected.push(Unexpected { file, line: 3, op: 0, wanted, came });
    let two = line("a", "s/t[2]", None);
    let model = made(&[&run(&["a"], vec![one, two])], None, &[]).unwrap();
    let told: Vec<_> = model
        .rows
        .iter()
        .map(|row| (row.is_of_interest(), row.answers[0].unexpected.len()))
        .collect();
    assert_eq!(told, [(true, 1), (false, 0)]);
    let json = serde_json::to_string(&model).unwrap();
    assert!(json.contains("x.case:3 asks `= 7`, and what came is `5`"), "{json}");
}

#[test]
fn a_remark_makes_no_row_deviate() {
    let found = |rule: &str, rank| {
        let (rule, rank, text) = (rule.to_owned(), Some(rank), "It happened.".to_owned());
        Finding { rule, rank, op: 0, text, known: None }
    };
    let remarked = found("errno-documented", Rank::Undocumented);
    let mut one = line("a", "s/t[1]", OTHER);
    one.remarks.push(remarked.clone());
    let mut two = line("a", "s/t[2]", OTHER);
    two.verdict = Verdict::Deviates;
    two.findings.push(found("no-silent-loss", Rank::Surprises));
    two.remarks.push(remarked);
    let model = made(&[&run(&["a"], vec![one, two])], None, &[]).unwrap();
    let [one, two] = &model.rows[..] else { panic!("{:?}", model.rows) };
    assert_eq!((one.is_of_interest(), two.is_of_interest()), (false, true));
    let of = |row: &Row| (row.answers[0].findings.len(), row.answers[0].remarks.len());
    assert_eq!((of(one), of(two)), ((0, 1), (1, 1)));
    assert_eq!(two.answers[0].findings[0].rank, Rank::Surprises);
    let json = serde_json::to_string(&model).unwrap();
    assert_eq!(json.matches("\"rank\":\"undocumented\"").count(), 2);
}

#[rstest]
#[case::cut_line("was cut off", |run: &mut Run| run.cut = true)]
#[case::cut_between("has 1 of 2 cases", |run: &mut Run| run.manifest.subjects[0].cases = 2)]
#[case::not_ended("was cut off", |run: &mut Run| run.manifest.subjects[0].ended = None)]
#[case::twice("answers s/t twice", |run: &mut Run| run.lines.push(run.lines[0].clone()))]
#[case::stranger("whom the manifest does not name", |run: &mut Run| run.lines[0].subject = "c".into())]
#[case::empty("has no results", |run: &mut Run| {
    run.lines.clear();
    run.manifest.subjects[0].cases = 0;
})]
fn a_run_is_whole_or_refused(#[case] says: &str, #[case] damage: fn(&mut Run)) {
    let mut run = run(&["a"], vec![line("a", "s/t", None)]);
    assert!(made(&[&run], None, &[]).is_ok());
    damage(&mut run);
    let error = made(&[&run], None, &[]).unwrap_err().to_string();
    assert!(error.contains(says), "{error}");
}

#[rstest]
#[case(5, None, "5 · silent")]
#[case(3, None, "3 · silent")]
#[case(-1, Some("EMSGSIZE"), "EMSGSIZE")]
fn the_word_of_a_send(#[case] ret: i64, #[case] errno: Option<&'static str>, #[case] says: &str) {
    let (case, trace) = send("s/t", ret, errno);
    assert_eq!(word(&case, &trace, Os::Linux), says);
}

/// What sends is a send, though its data stands elsewhere: of a file's bytes nothing was said but `5`.
#[test]
fn the_word_of_what_has_no_payload() {
    let (s, text) = (|| "s".to_owned(), |text: &str| Payload::Text(text.to_owned()));
    let flags = harness::case::Flags::NONE;
    let sendfile = Op::Sendfile { fd: s(), file: "f".to_owned(), offset: None, count: 5 };
    let batch = vec![text("a"), text("b")];
    let sendmmsg = Op::Sendmmsg { fd: s(), data: batch, flags, addr: None, control: Vec::new() };
    for (op, ret) in [(sendfile, 5), (sendmmsg, 2)] {
        let (mut case, trace) = send("s/t", ret, None);
        case.ops[0] = op;
        assert_eq!(word(&case, &trace, Os::Linux), format!("{ret} · silent"));
    }
}

/// A write of nothing need not send anything (POSIX write); a send of nothing does.
#[test]
fn the_word_of_nothing() {
    let (fd, nothing) = (|| "s".to_owned(), || Payload::Text(String::new()));
    let flags = harness::case::Flags::NONE;
    let writev = Op::Writev { fd: fd(), data: vec![nothing(), nothing()] };
    let write = Op::Write { fd: fd(), data: nothing() };
    let send_ = Op::Send { fd: fd(), data: nothing(), flags };
    for (op, says) in [(writev, "0"), (write, "0"), (send_, "0 · silent")] {
        let (mut case, trace) = send("s/t", 0, None);
        case.ops[0] = op;
        assert_eq!(word(&case, &trace, Os::Linux), says);
    }
}

/// Behind a file, a pipe and a local socket there is no wire, by whatever name; behind a socket of a network there is.
#[test]
fn the_word_of_what_is_no_socket() {
    let name = |name: &str| name.to_owned();
    let more = [
        Op::File { new: name("f"), data: Payload::Text(String::new()) },
        Op::Pipe { read: name("r"), write: name("w") },
        Op::Dup { fd: name("w"), new: name("d") },
        Op::Socketpair {
            a: name("a"),
            b: name("b"),
            domain: "AF_UNIX".into(),
            r#type: harness::case::Flags::of(&["SOCK_STREAM"]),
            protocol: harness::case::Flags::NONE,
        },
        Op::Dup { fd: name("s"), new: name("t") },
    ];
    let says = |fd: &str| {
        let (mut case, trace) = send("s/t", 1, None);
        case.ops[0] = Op::Write { fd: name(fd), data: Payload::Text(name("x")) };
        case.ops.extend(more.clone());
        word(&case, &trace, Os::Linux)
    };
    assert_eq!(["f", "w", "d", "a"].map(says), ["1"; 4]);
    assert_eq!(["s", "t"].map(says), ["1 · silent"; 2]);
}

#[rstest]
#[case::result("a() = 0\nrecv(s) = -1 EAGAIN\n", "a() = 0\nrecv(s) = 0\n", "recv -1 EAGAIN")]
#[case::frame("a() = 0\n    > l ttl 64 DF UDP\n", "a() = 0\n    > l ttl 1 DF UDP\n", "ttl 64")]
#[case::flag("    > l len 0\n", "    > l len 0 bad checksum\n", "without bad checksum")]
#[case::its_flag("    > l len 0 bad checksum\n", "    > l len 0\n", "bad checksum")]
#[case::another_frame("a() = 0\n    > l UDP\n", "a() = 0\n", "also > l UDP")]
#[case::less("a() = 0\n", "a() = 0\n    > l UDP\n", "nothing more")]
#[case::same("a() = 0\n", "a() = 0\n", "")]
fn what_tells_outcomes_apart(#[case] text: &str, #[case] other: &str, #[case] says: &str) {
    assert_eq!(apart(text, other), says);
}

/// WCAG 2.2, relative luminance.
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = u8::from_str_radix(&colour[at..at + 2], 16).expect("a colour");
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

/// WCAG 2.2, contrast ratio.
fn contrast(one: &str, two: &str) -> f64 {
    let (one, two) = (luminance(one), luminance(two));
    (one.max(two) + 0.05) / (one.min(two) + 0.05)
}

#[test]
fn every_text_can_be_read_in_both_themes() {
    let style = include_str!("page.css");
    let colours = |name: &str| {
        let from = style.split_once(&format!("--{name}: light-dark(")).expect("in the palette").1;
        let (light, dark) = from.split_once(')').expect("two").0.split_once(", ").expect("two");
        [light.to_owned(), dark.to_owned()]
    };
    let cells = ["g0", "g1", "g2", "g3", "g4", "g5", "page", "hover"];
    let cells = [&cells[..], &["good", "bad"]].concat();
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for text in ["ink", "soft", "deviates", "changed", "new"] {
        pairs.extend(cells.iter().map(|cell| (text, *cell)));
    }
    pairs.extend([("ink", "bar"), ("soft", "bar")]);
    pairs.extend([("ink", "differs"), ("link", "page"), ("link", "bar")]);
    pairs.extend([("deviates", "bar"), ("changed", "bar"), ("new", "bar")]);
    for (text, ground) in pairs {
        for (text_colour, ground_colour) in colours(text).iter().zip(&colours(ground)) {
            let ratio = contrast(text_colour, ground_colour);
            assert!(ratio >= 4.5, "{text} on {ground}: {ratio:.2}, {text_colour} {ground_colour}");
        }
    }
    // The focus ring is no text: 3 to 1 is asked of it (WCAG 2.2 §1.4.11).
    for ground in cells {
        for (ring, ground) in colours("focus").iter().zip(&colours(ground)) {
            assert!(contrast(ring, ground) >= 3.0, "{ring} on {ground}");
        }
    }
    assert!(contrast("#777777", "#888888") < 4.5, "this check can fail");
}

#[test]
fn the_data_end_no_script() {
    let mut line = line("a", "s/t", None);
    line.outcome = "</script><!-- <script>\n".to_owned();
    let model = made(&[&run(&["a"], vec![line])], None, &[]).unwrap();
    let mut bytes = Vec::new();
    page(&model, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.matches("</script>").count(), 3);
    assert!(!text.contains("<!-- <script>"));
    let data = text.split_once("id=\"texts\">").unwrap().1.split_once("</script>").unwrap().0;
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["lines"][0], "</script><!-- <script>");
}

#[test]
fn a_lost_datagram_is_struck_out_and_no_other() {
    let found = |known| Finding {
        rule: "no-silent-loss".to_owned(),
        rank: Some(Rank::Surprises),
        op: 0,
        text: "It is lost.".to_owned(),
        known,
    };
    let lost = |errno, known| {
        let mut line = line("a", "s/t", errno);
        line.findings.push(found(known));
        let model = made(&[&run(&["a"], vec![line])], None, &[]).unwrap();
        let [story] = &model.stories[..] else { panic!("{:?}", model.stories) };
        story.picture.iter().filter(|step| step.lost).count()
    };
    assert_eq!(lost(None, None), 1);
    // A call that failed has told.
    assert_eq!(lost(OTHER, None), 0);
    // Nor is anything lost where a frame left.
    let (case, mut trace) = send("s/t", 5, None);
    trace.events.push(Event::Frame {
        op: 0,
        at_ns: 0,
        link: "lo".to_owned(),
        dir: harness::trace::Direction::Out,
        bytes: harness::case::Hex(vec![0; 60]),
    });
    let picture = story::picture(&case, &trace, Os::Linux, (0, true));
    assert!(picture.iter().all(|step| !step.lost), "{picture:?}");
    assert!(picture.iter().any(|step| step.kind == "out"), "{picture:?}");
}

#[test]
fn what_nobody_knows_of_is_told_first_and_one_cause_once() {
    let known = crate::runs::Known { reason: "so it is".to_owned(), link: String::new() };
    let of = |id: &str, known: Option<&crate::runs::Known>| {
        let mut line = line("a", id, None);
        let (rule, text) = ("r".to_owned(), id.to_owned());
        let (rank, known) = (Some(Rank::Surprises), known.cloned());
        line.findings.push(Finding { rule, rank, op: 0, text, known });
        line
    };
    let lines = vec![of("s/a", Some(&known)), of("s/b", Some(&known)), of("s/c", None)];
    let model = made(&[&run(&["a"], lines)], None, &[]).unwrap();
    let told: Vec<_> = model.stories.iter().map(|s| (s.known, s.rows.len())).collect();
    assert_eq!(told, [(None, 1), (Some(0), 2)]);
}
