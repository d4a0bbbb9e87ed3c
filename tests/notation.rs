//! Every case of the catalogue as text, and back.

use std::time::Instant;

use harness::case::Case;

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
            Ok(read) => wrong.push(format!("{text}\nis read as\n{:#?}", read.first().map(|w| &w.case))),
            Err(faults) => wrong.push(notation::render(&faults, &case.id, &text, false)),
        }
    }
    for one in wrong.iter().take(8) {
        println!("{one}\n");
    }
    assert!(wrong.is_empty(), "{} cases", wrong.len());
}

#[test]
fn a_text_of_many_cases_is_read_at_once() {
    let cases = cases();
    let one = cases.iter().map(|case| format!("{}\n", notation::print(case)));
    let text: String = one.collect();
    let began = Instant::now();
    let _ = notation::read("all", &text);
    let took = began.elapsed();
    println!("{} cases, {} bytes: {took:?}", cases.len(), text.len());
}
