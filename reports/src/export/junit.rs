//! JUnit's XML, as Jenkins, GitLab and most others read it: a suite for each table.

use harness::verdict::Rank;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::model::{Came, Export, Part, Table, Test, known};
use crate::text::visible;

/// The whole file.
///
/// `classname` is the suite, `name` the case's id. What changed or deviates as nobody knew is a
/// failure, what the harness failed at an error, a known deviation a success that says so; what is
/// new is skipped, since it is neither right nor wrong. The `type` of a failure is `changed`, `unexpected` or the
/// highest rank of what is broken, and one that is written in a file has its `file` and `line`; what is undocumented stands in `system-out` and fails nothing. How
/// many cases of the table have findings of a rank are properties of the suite.
pub fn junit(export: &Export) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("sockeye");
    let several = export.parts.len() > 1;
    for part in &export.parts {
        report.add_test_suites(part.tables.iter().map(|table| suite(part, table, several)));
    }
    report.to_string()
}

fn suite(part: &Part, table: &Table, several: bool) -> TestSuite {
    let name = if several { format!("{} {}", part.name, table.name) } else { table.name.clone() };
    let mut suite = TestSuite::new(&*visible(&name));
    for (name, value) in &part.properties {
        suite.add_property((*name, &*visible(value)));
    }
    for rank in Rank::ALL {
        let count = table.tests.iter().filter(|test| test.ranks.contains(&rank)).count();
        if count > 0 {
            suite.add_property((rank.word(), &*count.to_string()));
        }
    }
    if part.cut {
        suite.add_property(("cut-off", "true"));
    }
    let class = table.name.split('/').next().unwrap_or_default();
    let class = if several { format!("{}.{class}", part.name) } else { class.to_owned() };
    suite.add_test_cases(table.tests.iter().map(|test| case(test, &class)));
    suite.set_time(table.tests.iter().map(|test| test.took).sum());
    suite
}

fn case(test: &Test, class: &str) -> TestCase {
    let mut status = match &test.came {
        Came::Passed | Came::Known(_) => TestCaseStatus::success(),
        Came::Failed { .. } => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Came::Broken(_) => TestCaseStatus::non_success(NonSuccessKind::Error),
        Came::Skipped(_) | Came::NotHere(_) => TestCaseStatus::skipped(),
    };
    match &test.came {
        Came::Passed | Came::Known(_) => {}
        Came::Failed { what, lines, text } => {
            status.set_type(*what);
            status.set_message(&*visible(&lines.join("; ")));
            let all = format!("{}\n\n{text}", lines.join("\n"));
            status.set_description(&*visible(&all));
        }
        Came::Broken(reason) | Came::Skipped(reason) | Came::NotHere(reason) => {
            status.set_message(&*visible(reason));
        }
    }
    let mut case = TestCase::new(&*visible(&test.id), status);
    case.set_classname(&*visible(class)).set_time(test.took);
    // What shows a failure beside the text that it is about reads these.
    if let Some((file, line)) = &test.place {
        case.extra.insert("file".into(), (&*visible(file)).into());
        case.extra.insert("line".into(), line.to_string().into());
    }
    let known = match &test.came {
        Came::Known(reasons) => Some(known(test, reasons)),
        _ => None,
    };
    let said: Vec<String> = known.into_iter().chain(test.remarked()).collect();
    if !said.is_empty() {
        case.set_system_out(&*visible(&said.join("\n")));
    }
    case
}
