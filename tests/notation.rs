//! Every case of the catalogue as text, and back.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use harness::case::{Case, LabOp, Op};
use notation::lab::{parse_link, parse_step, print_link, print_step};

fn cases() -> Vec<Case> {
    suites::tables().into_iter().flat_map(|table| table.cases).collect()
}

#[test]
fn every_case_is_what_its_text_says() {
    let mut wrong = Vec::new();
    for case in cases() {
        let text = notation::print(&case);
        match notation::read(case.suite(), &text) {
            Ok(read) if read.len() == 1 && read[0].case == case => {}
            Ok(read) => {
                let read = read.first().map(|written| &written.case);
                wrong.push(format!("{text}\nis read as\n{read:#?}"));
            }
            Err(faults) => wrong.push(notation::render(&faults, &case.id, &text, false)),
        }
    }
    for one in wrong.iter().take(8) {
        println!("{one}\n");
    }
    assert!(wrong.is_empty(), "{} cases", wrong.len());
}

/// All of a suite in one file are what they are one by one.
#[test]
fn a_text_of_many_cases_is_what_each_is() {
    let mut cases = cases();
    cases.retain(|case| case.suite() == "fragmentation");
    let texts: Vec<String> = cases.iter().map(notation::print).collect();
    let text = texts.join("\n");
    let read = notation::read("fragmentation", &text);
    let read =
        read.unwrap_or_else(|faults| panic!("{}", notation::render(&faults, "f", &text, false)));
    assert!(cases.len() > 1_000 && read.into_iter().map(|written| written.case).eq(cases));
}

/// A table of so many rows, and so many cases of their own.
fn long(rows: usize, cases: usize) -> String {
    let numbers = |to: usize| (1..=to).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "case many\n# {{a}} and {{b}}\nfor a in {}\nfor b in {}\ntun link0\n\
         socket(AF_INET, SOCK_DGRAM, 0) = s\nsend(s, pattern[0..a], 0) = a\n\
         sendto(s, pattern[0..b], 0, {{AF_INET neighbour(link0):9}}) = b\nclose(s)\n",
        numbers(rows / 100),
        numbers(100),
    );
    let one =
        |number| format!("case c{number}\nsocket(AF_INET, SOCK_DGRAM, 0) = s\nclose(s) = 0\n");
    text.extend((0..cases).map(one));
    text
}

/// Ten times as much takes ten times as long: in a square it would take a hundred times.
#[test]
fn the_time_grows_as_the_rows_and_cases_do() {
    let time = |text: &str, times: u32| {
        let begun = Instant::now();
        for _ in 0..times {
            assert!(notation::read("mine", text).is_ok());
        }
        begun.elapsed()
    };
    let least = |text: &str, times| (0..3).map(|_| time(text, times)).min().unwrap_or_default();
    for (few, many) in [(long(2_000, 0), long(20_000, 0)), (long(100, 500), long(100, 5_000))] {
        let (few, whole) = (least(&few, 10), least(&many, 1));
        let most = few * 5 + Duration::from_millis(20);
        assert!(whole < most, "{} bytes: {few:?}, {whole:?}", many.len());
    }
    let read = notation::read("mine", &long(20_000, 1)).expect("a table");
    assert_eq!((read.len(), read[19_999].case.id.as_str()), (20_001, "mine/many[200,100]"));
}

/// Every link and every step of a lab prints as one line, and that reads back as the same.
#[test]
fn every_link_and_lab_step_of_the_catalogue_reads_back() {
    let (mut links, mut steps, mut quoted) = (BTreeSet::new(), BTreeSet::new(), 0);
    for case in suites::tables().iter().flat_map(|table| &table.cases) {
        for link in &case.lab.links {
            let text = print_link(link);
            if links.insert(text.clone()) {
                assert_eq!(parse_link(&text).as_ref(), Ok(link), "{}: {text}", case.id);
            }
        }
        let of_case = case.ops.iter().filter_map(|op| match op {
            Op::Lab { step } => Some(step),
            _ => None,
        });
        for step in case.lab.setup.iter().chain(of_case) {
            let text = print_step(step);
            if !steps.insert(text.clone()) {
                continue;
            }
            assert!(!text.contains(harness::text::is_obeyed), "{}: {text}", case.id);
            assert_eq!(parse_step(&text).as_ref(), Ok(step), "{}: {text}", case.id);
            // A transcript leaves out a frame's bytes, and has names without quotes: what else it says
            // can be written as it is shown.
            let shown = step.to_string();
            let quotes = |text: &str| text.matches('"').count();
            match step {
                _ if quotes(&text) > quotes(&shown) => quoted += 1,
                LabOp::Inject { .. } => assert!(parse_step(&shown).is_err(), "{shown}"),
                _ => assert_eq!(parse_step(&shown).as_ref(), Ok(step), "{}: {shown}", case.id),
            }
        }
    }
    assert!(quoted < 10, "{quoted} steps need quotes that transcripts have not");
    // Each kind is there, or this would say nothing of it.
    for begins in [
        "link set",
        "link delete",
        "address add",
        "address delete",
        "route add",
        "ntable change",
        "inject",
        "wait for a frame",
        "serve",
        "name server",
        "/etc/hosts",
        "the server at",
    ] {
        assert!(steps.iter().any(|step| step.starts_with(begins)), "no step begins with {begins}");
    }
    let waits = |step: &String| step.starts_with("wait ") && !step.starts_with("wait for");
    assert!(steps.iter().any(waits), "no step waits for a time");
    assert!(links.len() > 3 && steps.len() > 100, "{} links, {} steps", links.len(), steps.len());
}

/// Two steps that differ are two texts: of a text of which something is lost, this fails.
#[test]
fn no_two_steps_print_the_same() {
    let mut all: Vec<(String, LabOp)> = Vec::new();
    for case in suites::tables().iter().flat_map(|table| &table.cases) {
        all.extend(case.lab.setup.iter().map(|step| (print_step(step), step.clone())));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    for pair in all.windows(2) {
        assert_eq!(pair[0].0 == pair[1].0, pair[0].1 == pair[1].1, "{}", pair[0].0);
    }
}
