//! What KernelCI's common database takes: kcidb's JSON, version 5
//! (<https://github.com/kernelci/kcidb-io>, `kcidb_io/schema/v05_03.py`).

use serde_json::{Map, Value, json};

use super::model::{Came, Export, Part, Test, known};
use crate::runs::{Run, Subject};
use crate::text::visible;

/// The CI system that reports.
const ORIGIN: &str = "sockeye";

/// How much of an outcome goes with a failed test: `log_excerpt` takes 16384 characters.
const EXCERPT: usize = 16_384;

/// A run as one JSON object: each kernel is a build of a checkout, each case a test of it.
///
/// Which sources a kernel was built from is told as far as `uname` tells it
/// ([`harness::trace::Fingerprint::source_version`]).
pub fn kcidb(run: &Run) -> String {
    let export = Export::of(run);
    let (mut checkouts, mut builds, mut tests) = (Vec::new(), Vec::new(), Vec::new());
    for (subject, part) in run.manifest.subjects.iter().zip(&export.parts) {
        let kernel = &subject.kernel;
        let id = id(subject);
        let mut checkout = Map::new();
        checkout.insert("id".to_owned(), json!(id));
        checkout.insert("origin".to_owned(), json!(ORIGIN));
        if let Some(tag) = kernel.source_version().tag().filter(|_| kernel.system == "Linux") {
            checkout.insert("git_commit_name".to_owned(), json!(tag));
        }
        checkouts.push(Value::Object(checkout));
        builds.push(json!({
            "id": id,
            "checkout_id": id,
            "origin": ORIGIN,
            "architecture": name(&kernel.machine).to_lowercase().replace('-', "_"),
            "comment": visible(&format!("{} {} {}", kernel.system, kernel.release, kernel.version)),
            "misc": properties(part),
        }));
        for test in part.tables.iter().flat_map(|table| &table.tests) {
            tests.push(one(&id, test));
        }
    }
    let version = json!({"major": 5, "minor": 3});
    let all = json!({"version": version, "checkouts": checkouts, "builds": builds, "tests": tests});
    format!("{all}\n")
}

/// What no other run has.
fn id(subject: &Subject) -> String {
    let Subject { name, kernel, began_ns, .. } = subject;
    visible(&format!("{ORIGIN}:{name}:{}:{began_ns}", kernel.release)).into_owned()
}

fn properties(part: &Part) -> Value {
    let pairs = part.properties.iter();
    Value::Object(pairs.map(|(name, value)| ((*name).to_owned(), json!(visible(value)))).collect())
}

fn one(build: &str, test: &Test) -> Value {
    let (status, why) = match &test.came {
        Came::Passed => ("PASS", String::new()),
        Came::Known(reasons) => ("PASS", known(test, reasons)),
        Came::Failed { lines, text, .. } => ("FAIL", format!("{}\n\n{text}", lines.join("\n"))),
        Came::Broken(reason) => ("ERROR", reason.clone()),
        Came::Skipped(reason) | Came::NotHere(reason) => ("SKIP", reason.clone()),
    };
    let mut said = json!({
        "id": format!("{build}:{}", visible(&test.id)),
        "build_id": build,
        "origin": ORIGIN,
        "path": path(&test.id),
        "comment": visible(&test.id),
        "status": status,
        "duration": test.took.as_secs_f64(),
    });
    // What is undocumented fails nothing: it is no word of the log's.
    if !test.ranks.is_empty() {
        let ranks: Vec<&str> = test.ranks.iter().map(|rank| rank.word()).collect();
        said["misc"] = json!({"ranks": ranks, "undocumented": test.remarks.iter().map(|remark| visible(remark)).collect::<Vec<_>>()});
    }
    if !why.is_empty() {
        said["log_excerpt"] = visible(&why).chars().take(EXCERPT).collect::<String>().into();
    }
    said
}

/// `link-state/udp-sendto[tap,up]` as `sockeye.link-state.udp-sendto.tap_up`.
fn path(id: &str) -> String {
    let parts = id.trim_end_matches(']').split(['/', '[']);
    std::iter::once(ORIGIN.to_owned()).chain(parts.map(name)).collect::<Vec<_>>().join(".")
}

/// With an underscore for whatever a path may not have.
fn name(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    if text.is_empty() { "_".to_owned() } else { text.chars().map(plain).collect() }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("link-state/netdown", "sockeye.link-state.netdown")]
    #[case("a/b[v4,127.0.0.1,fit+1]", "sockeye.a.b.v4_127_0_0_1_fit_1")]
    #[case("a/b[]", "sockeye.a.b._")]
    fn a_path_has_letters_alone(#[case] id: &str, #[case] is: &str) {
        assert_eq!(path(id), is);
    }
}
