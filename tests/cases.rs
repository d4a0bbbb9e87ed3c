//! Each example of `docs/cases.md` is run as it stands: what it asks comes.

use std::fs;

use crate::common::{has_labs, is_linux, sockeye, stderr, stdout};

/// The examples of the page, in their order.
fn examples() -> Vec<&'static str> {
    let page = include_str!("../docs/cases.md");
    let parts = page.split("```case\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default()).collect()
}

#[test]
fn every_example_of_the_page_is_as_it_says() {
    if !has_labs() || !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let out = out.to_str().expect("UTF-8");
    assert!(examples().len() >= 7, "{} examples", examples().len());
    for (number, example) in examples().into_iter().enumerate() {
        let file = folder.path().join(format!("example-{number}.case"));
        fs::write(&file, example).expect("it is written");
        let output = sockeye(&["run", file.to_str().expect("UTF-8"), "--out", out]);
        let told = format!("{example}\n{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(!told.contains("skipped"), "{told}");
    }
}

/// Those of the folder are as they say, too.
#[test]
fn the_examples_of_the_tree_are_as_they_say() {
    if !is_linux() {
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let output = sockeye(&["run", "examples", "--out", out.path().to_str().expect("UTF-8")]);
    let told = format!("{}{}", stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("11 as observed") && !told.contains("skipped"), "{told}");
}

/// An example of which one thing is asked otherwise is not as it says.
#[test]
fn an_example_that_asks_for_something_else_fails() {
    if !has_labs() || !is_linux() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("other.case");
    let first = examples()[0];
    for (what, other) in [
        ("-1 ECONNREFUSED", "-1 EHOSTUNREACH"),
        ("> link0 UDP \"x\"", "> link0 UDP \"z\""),
        ("> link0 UDP \"x\"", "> nothing"),
    ] {
        assert!(first.contains(what), "{first}");
        fs::write(&file, first.replacen(what, other, 1)).expect("it is written");
        let out = folder.path().join("out");
        let args = ["run", file.to_str().expect("UTF-8"), "--out", out.to_str().expect("UTF-8")];
        let output = sockeye(&args);
        let told = stdout(&output);
        assert_eq!(output.status.code(), Some(1), "{other}: {told}{}", stderr(&output));
        assert!(told.contains("other.case:") && told.contains(other), "{told}");
    }
}

/// Who adds to a suite what CONTRIBUTING has, at the end of the file that it names, is shown what comes of it.
#[test]
fn what_a_contributor_is_shown_is_a_table() {
    if !has_labs() || !is_linux() {
        return;
    }
    let page = include_str!("../CONTRIBUTING.md");
    let blocks: Vec<&str> =
        page.split("```case\n").skip(1).filter_map(|part| part.split("```").next()).collect();
    assert_eq!(blocks.len(), 2, "{blocks:?}");
    assert!(
        blocks[0].lines().count() == 5 && page.contains("show suites/link-state/routes.case:hops")
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("routes.case");
    let added = format!(
        "{}\n{}\n{}",
        include_str!("../suites/link-state/routes.case"),
        blocks[0],
        blocks[1]
    );
    fs::write(&file, added).expect("it is written");
    for (name, came) in [("hops", "hlim 1 UDP"), ("two-threads", "t: <... recv resumed> = 0, \"\"")]
    {
        let output = sockeye(&["show", &format!("{}:{name}", file.display())]);
        let told = format!("{}{}", stdout(&output), stderr(&output));
        assert!(output.status.code() == Some(0) && told.contains(came), "{name}: {told}");
    }
}

/// What the page's tables call a form is one: it is read, by `show`, in a case that has what it needs.
#[test]
fn every_form_of_the_tables_is_read() {
    let page = include_str!("../docs/cases.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" |"));
    let forms =
        rows.flat_map(|(cell, _)| cell.split('`').step_by(2)).map(|form| form.replace("\\|", "|"));
    let forms: Vec<String> = forms.collect();
    assert!(forms.len() >= 15, "{forms:?}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("form.case");
    let told = |text: String| {
        fs::write(&file, text).expect("it is written");
        let output = sockeye(&["show", "--as", "case", file.to_str().expect("UTF-8")]);
        (output.status.code(), format!("{}{}", stdout(&output), stderr(&output)))
    };
    for form in &forms {
        let link = if form.starts_with("tun link0") { "" } else { "tun link0\n" };
        let makes = form.starts_with("= s,");
        let text = match form.chars().next() {
            Some('=') if makes => format!("socket(AF_INET, SOCK_DGRAM, 0) {form}"),
            Some('=') => {
                // What a form asks, its call can give.
                let call = match &form[..] {
                    form if form.starts_with("= 1, msg_") => "recvmsg(s, {msg_iov=[8]}, 0)",
                    form if form.starts_with("= 0, ") => "getsockopt(s, IPPROTO_TCP, TCP_INFO)",
                    _ => "recv(s, 10, 0)",
                };
                format!("socket(AF_INET, SOCK_STREAM, 0) = s\n{call} {form}")
            }
            Some('>' | '<') => format!("socket(AF_INET, SOCK_DGRAM, 0) = s\n    {form}"),
            _ => format!("{form}\nsocket(AF_INET, SOCK_DGRAM, 0) = s"),
        };
        let (status, told) = told(format!("{link}{text}\n"));
        assert_eq!(status, Some(0), "{form}: {told}");
    }
    let (status, told) = told("tun link0\nsocket(AF_INET, SOCK_DGRAM, 0) =\n".into());
    assert_eq!(status, Some(2), "{told}");
}
