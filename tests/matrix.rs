//! `sockeye matrix` as a user meets it: the command, and its page in a headless Chromium.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use reports::matrix::{Input, Model, Source, model, page};
use reports::runs::{self, Run};
use rstest::rstest;
use serde_json::json;

use crate::browser::Browser;
use crate::browser::search::{reason, searches, set};
use crate::common::{has_labs, is_linux, sockeye, stderr};

/// Runs cases on this kernel.
fn run(folder: &Path, how: &[&str]) -> Run {
    let name = folder.to_str().expect("UTF-8");
    let output = sockeye(&[&["run", "--out", name], how].concat());
    // 1: what was planted is found.
    assert!(output.status.code() <= Some(1), "{}", stderr(&output));
    runs::read(folder).expect("a whole run")
}

/// Two runs and the folders that they lie in.
struct Runs {
    _folder: tempfile::TempDir,
    paths: [PathBuf; 2],
    read: [Run; 2],
    /// The two beside each other.
    model: Model,
}

/// Not every suite: a lookup whose queries are lost waits for its timers.
const PLANTED: [&str; 6] =
    ["--plant", "sendto-lies", "link-state", "fragmentation", "scoped-ipv6", "multicast"];

/// This kernel as it is, and with sends that lie; none where no lab can be made.
static RUNS: LazyLock<Option<Runs>> = LazyLock::new(|| {
    // A fault is planted in its executor, which can be done on Linux alone.
    if !has_labs() || !is_linux() {
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let read = [run(&one, &[]), run(&two, &PLANTED)];
    let sources = [Source { name: "one", run: &read[0] }, Source { name: "two", run: &read[1] }];
    let model = made(&sources);
    Some(Runs { _folder: folder, paths: [one, two], read, model })
});

fn made(sources: &[Source<'_>]) -> Model {
    let claims = &|_: &_, _: &_| Vec::new();
    let tagged =
        |line: &runs::Line| suites::tag::of(&line.case).map(|tag| tag.name.to_owned()).collect();
    let (tags, means, since) = (&tagged, &suites::tag::means, None);
    let order = &[];
    let input = Input { runs: sources, since, order, claims, reason: &reason, tags, means };
    model(input).expect("whole runs")
}

/// Writes the page of a model, and says where it can be opened.
fn written(model: &Model, folder: &Path) -> String {
    let path = folder.join("matrix.html");
    page(model, &mut File::create(&path).expect("a file")).expect("written");
    format!("file://{}", path.display())
}

#[test]
fn a_word_says_nothing_that_did_not_happen() {
    let Some(runs) = &*RUNS else { return };
    let model = &runs.model;
    let mut checked = 0;
    for row in &model.rows {
        for answer in row.answers.iter().filter(|answer| answer.group.is_some()) {
            let (word, lines) = (&model.words[answer.word], lines(model, answer.text));
            let has = |text: &str| lines.iter().any(|line| line.contains(text));
            let left = |mark: &str| {
                lines.iter().filter(|l| l.starts_with("    > ") && l.contains(mark)).count()
            };
            let context = || format!("{}: {word}\n{}", row.id, lines.join("\n"));
            for (count, _) in word.match_indices(" · silent") {
                let said = word[..count].rsplit(' ').next().unwrap_or_default();
                let any = said == "EINPROGRESS"
                    || (0..lines.len()).any(|at| is_silent(&lines[at..], said));
                assert!(any, "{}", context());
            }
            let names = word.split(|c: char| !c.is_ascii_alphanumeric());
            for errno in names.filter(|n| n.len() > 2 && n.starts_with('E')) {
                assert!(has(errno), "{}", context());
            }
            let words: Vec<&str> = word.split_whitespace().collect();
            for pair in words.windows(2) {
                let Ok(count) = pair[0].parse::<usize>() else { continue };
                let there = match pair[1].trim_end_matches(',') {
                    "fragment" | "fragments" => left(" frag "),
                    "frame" | "frames" => left(""),
                    _ => continue,
                };
                assert!(there >= count, "{}", context());
                checked += 1;
            }
        }
    }
    assert!(checked > 1_000, "only {checked} words had a count in them");
}

/// Whether the first line is a send that returned this, and nothing left before the next one.
fn is_silent(lines: &[&str], returned: &str) -> bool {
    let calls = ["send", "write(", "writev(", "splice("];
    let sends = |line: &&&str| calls.iter().any(|call| line.starts_with(call));
    lines.first().filter(sends).is_some_and(|line| line.ends_with(&format!(" = {returned}")))
        && !lines.iter().skip(1).take_while(|l| !sends(l)).any(|line| line.starts_with("    > "))
}

#[test]
fn words_of_a_row_differ_where_outcomes_do() {
    let Some(runs) = &*RUNS else { return };
    let model = &runs.model;
    let differing = model.rows.iter().filter(|row| row.outcomes > 1);
    let (mut apart, mut alike) = (0, Vec::new());
    for row in differing {
        let words: std::collections::BTreeSet<usize> = row.answers.iter().map(|a| a.word).collect();
        if words.len() == row.outcomes { apart += 1 } else { alike.push(&row.id) }
    }
    assert!(apart > 1_000);
    assert!(alike.is_empty(), "{alike:?}");
}

fn lines(model: &Model, text: usize) -> Vec<&str> {
    let mut numbers: Vec<i64> = Vec::new();
    for &n in &model.texts.texts[text] {
        match numbers.last() {
            Some(&last) if n < 0 => numbers.extend(last + 1..=-n),
            _ => numbers.push(n),
        }
    }
    let line = |n: i64| model.texts.lines[usize::try_from(n).expect("a line")].as_str();
    numbers.into_iter().map(line).collect()
}

#[test]
fn the_same_runs_give_the_same_bytes() {
    let Some(runs) = &*RUNS else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let name = |name: &str| folder.path().join(name).display().to_string();
    let [one, two] = runs.paths.each_ref().map(|path| path.to_str().expect("UTF-8"));
    for page in ["a.html", "b.html"] {
        let output = sockeye(&["matrix", one, two, "--since", one, "-o", &name(page)]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let read = |page: &str| fs::read(folder.path().join(page)).expect("a page");
    assert!(read("a.html") == read("b.html"));
}

/// A run of nothing, and what to do to it.
fn damaged(folder: &Path, fault: &str) {
    let kernel =
        json!({ "system": "Linux", "release": "1", "version": "", "machine": "", "euid": 0 });
    let subject = json!({
        "name": "native", "kernel": kernel, "platforms": ["linux"], "program": "0", "began_ns": 0,
        "cases": 3, "ended": { "took_ms": 1, "verdicts": {} },
    });
    let mut manifest = json!({ "schema": 1, "subjects": [subject], "rules": [], "tables": {} });
    let mut lines = String::new();
    match fault {
        "newer" => manifest["schema"] = 99.into(),
        "half a line" => lines.push_str("{\"subject\": \"native\", \"id\""),
        "not JSON" => lines.push_str("nonsense\n"),
        "no results" => manifest["subjects"][0]["cases"] = 0.into(),
        "unended" => manifest["subjects"][0]["ended"] = json!(null),
        _ => {}
    }
    fs::create_dir_all(folder).expect("a folder");
    if fault != "not a run" {
        fs::write(folder.join(runs::MANIFEST), manifest.to_string()).expect("written");
    }
    fs::write(folder.join(runs::RESULTS), lines).expect("written");
}

#[rstest]
#[case("not a run", "is not a run: it has no run.json")]
#[case("newer", "is a run of schema 99, and this program reads up to")]
#[case("half a line", "was cut off: native has 0 of 3 cases")]
#[case("too few", "was cut off: native has 0 of 3 cases")]
#[case("unended", "was cut off: native has 0 of 3 cases")]
#[case("not JSON", "results.jsonl, line 1: ")]
#[case("no results", "has no results")]
fn bad_input_gets_a_sentence_and_no_page(#[case] fault: &str, #[case] says: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let (run, page) = (folder.path().join("run"), folder.path().join("matrix.html"));
    damaged(&run, fault);
    let (run, name) = (run.display().to_string(), page.display().to_string());
    for args in
        [&["matrix", &run, "-o", &name][..], &["matrix", &run, "--since", &run, "-o", &name]]
    {
        let output = sockeye(args);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
        let left: Vec<PathBuf> =
            fs::read_dir(folder.path()).expect("it").flatten().map(|e| e.path()).collect();
        assert_eq!(left, [folder.path().join("run")], "a half file is left");
    }
}

const ROWS: &str = "document.querySelectorAll('tr.case').length";
/// Of suites, tables, cases and what is folded.
const SHOWN: &str = "document.querySelectorAll('#body tr[data-at]').length";
const OPEN: &str = "document.getElementById('evidence').open";
const ID: &str = "link-state/udp-sendto[tap,up,own]";

#[test]
fn the_page_filters_opens_copies_and_links() {
    let Some(runs) = &*RUNS else { return };
    let Some(mut b) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let url = written(&runs.model, folder.path());
    b.open(&url);
    b.wait(&format!("{SHOWN} > 10"));
    landing(&mut b);
    searches(&mut b);
    filters(&mut b);
    keys(&mut b);
    copies(&mut b);
    links(&mut b, &url);
    themes(&mut b, &url);
    phone(&mut b, &url);
    zoomed(&mut b, &url);
    // Nothing but the file was asked for.
    assert_eq!(b.eval("performance.getEntriesByType('resource').length"), 0);
    assert_eq!(b.faults, [""; 0]);
}

/// What was found stands before the table: a sentence, a picture in which the lost frame is struck out, the row.
fn landing(b: &mut Browser) {
    b.wait("performance.getEntriesByName('sockeye-told').length");
    let first = "document.querySelector('#stories .card')";
    let text = b.text(&format!("{first}.textContent"));
    assert!(text.starts_with("new") && text.contains("The rule "), "{text}");
    assert!(b.text(&format!("{first}.querySelector('.lost s').textContent")).contains("bytes"));
    let above = "document.getElementById('stories').getBoundingClientRect().bottom <= \
                 document.getElementById('scroll').getBoundingClientRect().top";
    assert_eq!(b.eval(above), true);
    assert!(b.eval("document.querySelectorAll('#apart-list .card').length").as_u64() > Some(1));
    b.eval(&format!("{first}.querySelector('button.row').click()"));
    b.wait(OPEN);
    b.press("Escape");
}

/// At 400 % of 1280 by 1024 (WCAG 2.2 §1.4.10), and on a phone on its side.
fn zoomed(b: &mut Browser, url: &str) {
    for (width, height) in [(320, 256), (844, 390)] {
        let screen =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": true });
        b.ask("Emulation.setDeviceMetricsOverride", &screen);
        b.open(url);
        b.wait(&format!("{SHOWN} > 2"));
        assert_eq!(b.eval("document.documentElement.scrollWidth <= innerWidth"), true);
        b.eval("document.getElementById('to-table').click()");
        let seen = "[...document.querySelectorAll('#body tr[data-at] th')].filter((th) => { \
                    const r = th.getBoundingClientRect(); const h = document.getElementById('head')\
                    .getBoundingClientRect(); return r.top >= h.bottom && r.bottom <= innerHeight; }).length";
        assert!(b.eval(seen).as_u64() >= Some(5), "rows are in sight at {width} by {height}");
    }
    b.ask("Emulation.clearDeviceMetricsOverride", &json!({}));
}

#[test]
fn a_report_of_one_run_is_a_page() {
    let Some(runs) = &*RUNS else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("run.html");
    let (run, name) = (runs.paths[1].to_str().expect("UTF-8"), page.to_str().expect("UTF-8"));
    let output = sockeye(&["report", run, "--html", "-o", name]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(fs::read_to_string(&page).expect("a page").contains("no frame carried them"));
    for args in [&["report", run, "--html"][..], &["report", "none", "--html", "-o", name]] {
        assert_eq!(sockeye(args).status.code(), Some(2), "{args:?}");
    }
}

fn filters(b: &mut Browser) {
    let count = "document.getElementById('count').textContent";
    let everything = b.text(count);
    b.eval(&set("udp-sendto[tap,up silent"));
    let text = b.text(count);
    assert!(text.contains(" of ") && text != everything, "{text}");
    let other = "[...document.querySelectorAll('tr.case th')].filter((th) => \
                 !th.getAttribute('aria-label').includes('udp-sendto[tap,up')).length";
    assert!(b.eval(ROWS).as_u64() > Some(3));
    assert_eq!(b.eval(other), 0);
    assert!(b.text("location.hash").contains("text="));
    b.eval(&set(""));
    for (filter, mark) in
        [("differs", ".letter"), ("deviates", ".deviates"), ("changed", ".changed")]
    {
        b.eval(&format!("document.getElementById('{filter}').click()"));
        let without = format!(
            "[...document.querySelectorAll('tr.case')].filter((tr) => !tr.querySelector('{mark}')).length"
        );
        assert!(b.eval(ROWS).as_u64() > Some(10), "{filter}");
        assert_eq!(b.eval(&without), 0, "{filter}");
        b.eval(&format!("document.getElementById('{filter}').click()"));
    }
    b.eval(&set("nothing is called this"));
    assert_eq!(b.eval(ROWS), 0);
    b.eval(&set(""));
    assert_eq!(b.text(count), everything);
}

fn keys(b: &mut Browser) {
    let differs = "document.getElementById('differs').click()";
    b.eval(differs);
    b.eval("document.querySelector('#grid [tabindex=\"0\"]').focus()");
    // Suite, table, case; then the cell of the second column.
    for key in ["ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight"] {
        b.press(key);
    }
    let focus = "document.activeElement.getAttribute('aria-label') || ''";
    let label = b.text(focus);
    assert!(label.contains("native in two: "), "{label}");
    b.press("Enter");
    b.wait(OPEN);
    assert_eq!(
        b.eval("document.getElementById('evidence').contains(document.activeElement)"),
        true
    );
    assert!(b.eval("document.querySelectorAll('.text .differs').length").as_u64() >= Some(1));
    assert_eq!(b.eval("document.querySelectorAll('.pane.chosen').length"), 1);
    let tops = "[...document.querySelectorAll('.text')].map((text) => \
                [...text.children].map((line) => line.getBoundingClientRect().top).join()).every(\
                (tops, _, all) => tops === all[0])";
    assert_eq!(b.eval(tops), true, "what is the same stands at the same height");
    b.press("Escape");
    b.wait(&format!("!{OPEN}"));
    assert_eq!(b.text(focus), label, "the focus is back");
    b.press("ArrowDown");
    assert_ne!(b.text(focus), label);
    b.eval(differs);
    // One stop for the tab key.
    assert_eq!(b.eval("document.querySelectorAll('#grid [tabindex=\"0\"]').length"), 1);
}

fn copies(b: &mut Browser) {
    b.eval(
        "navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }",
    );
    b.eval(&format!("location.hash = {ID:?}"));
    b.wait(OPEN);
    let click = |label: &str, nth: usize| {
        format!(
            "[...document.querySelectorAll('#evidence button')].filter((b) => \
             b.textContent === {label:?})[{nth}].click()"
        )
    };
    b.eval(&click("Copy", 0));
    b.wait("window.copied");
    assert_eq!(b.text("copied"), format!("sockeye show '{ID}'"));
    b.eval("window.copied = ''");
    b.eval(&click("Copy C program", 0));
    b.wait("window.copied");
    let program = b.text("copied");
    assert!(program.contains("int main(void)") && program.contains(ID), "{program}");
    assert!(program.ends_with("}\n"));
    b.eval("window.copied = ''");
    b.eval(&click("Copy link", 0));
    b.wait("window.copied");
    assert!(b.text("copied").ends_with(&format!("#{ID}")), "{}", b.text("copied"));
    // What the rule says and where it has it from.
    let evidence = b.text("document.getElementById('evidence').textContent");
    for part in ["no-silent-loss", "POSIX.1-2017", "sockeye bundle 'link-state/", "--run two"] {
        assert!(evidence.contains(part), "{part}");
    }
}

fn links(b: &mut Browser, url: &str) {
    b.open(&format!("{url}#{ID}"));
    b.wait(OPEN);
    assert_eq!(b.text("document.getElementById('evidence-id').textContent"), ID);
    b.ask("Page.reload", &json!({}));
    b.wait(&format!("document.getElementById('evidence')?.open && {SHOWN} > 10"));
    b.press("Escape");
    b.wait(&format!("!{OPEN} && document.activeElement.closest('tr')"));
    let row = b.text("document.activeElement.closest('tr').firstChild.getAttribute('aria-label')");
    assert!(row.starts_with(ID), "{row}");
    b.eval("history.back()");
    b.wait(OPEN);
    b.eval("history.forward()");
    b.wait(&format!("!{OPEN}"));
    // Filters are in the link too.
    b.open(&format!("{url}#?suite=fragmentation&only=differs"));
    b.wait(&format!("{SHOWN} > 10"));
    assert_eq!(b.text("document.getElementById('suite').value"), "fragmentation");
    assert_eq!(b.eval("document.getElementById('differs').checked"), true);
    b.open(&format!("{url}#no/such[row]"));
    b.wait(&format!("{SHOWN} > 10"));
    assert!(b.text("document.getElementById('count').textContent").contains("No row no/such[row]"));
}

fn themes(b: &mut Browser, url: &str) {
    b.open(url);
    let colour = "getComputedStyle(document.body).backgroundColor";
    let mut seen = Vec::new();
    for scheme in ["light", "dark"] {
        let feature = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        b.ask("Emulation.setEmulatedMedia", &json!({ "features": feature }));
        seen.push(b.text(colour));
    }
    assert_ne!(seen[0], seen[1]);
    // The switch holds against the system, and after a reload.
    b.eval("document.getElementById('theme').click()");
    assert_eq!(b.text(colour), seen[0]);
    b.open(url);
    assert_eq!(b.text(colour), seen[0]);
    b.eval("document.getElementById('theme').click()");
    assert_eq!(b.text(colour), seen[1]);
    b.eval("document.getElementById('theme').click()");
}

fn phone(b: &mut Browser, url: &str) {
    let screen = json!({ "width": 390, "height": 800, "deviceScaleFactor": 2, "mobile": true });
    b.ask("Emulation.setDeviceMetricsOverride", &screen);
    b.open(url);
    b.wait(&format!("{SHOWN} > 5"));
    assert_eq!(
        b.eval("document.documentElement.scrollWidth <= 390"),
        true,
        "only the table scrolls"
    );
    // A table that is alike everywhere is folded.
    b.open(&format!("{url}#?only=differs"));
    b.wait("document.querySelector('tr.case th')");
    b.eval("document.getElementById('scroll').scrollLeft = 150");
    let left = |of: &str| format!("document.querySelector('{of}').getBoundingClientRect().left");
    assert_eq!(b.eval(&left("tr.case th")), 0.0, "the first column stays");
    assert!(b.eval(&left("tr.case td")).as_f64() < Some(170.0));
    b.eval("document.querySelector('tr.case td').click()");
    b.wait(OPEN);
    let covers = "(() => { const r = document.getElementById('evidence').getBoundingClientRect(); \
                  return r.left === 0 && r.width === innerWidth && r.height === innerHeight; })()";
    assert_eq!(b.eval(covers), true);
    b.ask("Emulation.clearDeviceMetricsOverride", &json!({}));
}

/// What no HTML parser may see as its own.
const EVIL: &str =
    "</script><script>hacked=1</script><img src=x onerror=hacked=1>\"'&amp;\u{1}\u{2028}";

#[test]
fn what_is_in_an_outcome_stays_text() {
    let Some(runs) = &*RUNS else { return };
    let Some(mut b) = Browser::start() else { return };
    let [mut one, mut two] = runs.read.clone();
    for run in [&mut one, &mut two] {
        run.lines.retain(|line| line.id == "link-state/netdown");
        run.manifest.subjects[0].cases = 1;
        run.manifest.subjects[0].kernel.release = EVIL.to_owned();
        run.manifest.tables.insert("link-state/netdown".to_owned(), EVIL.to_owned());
        run.lines[0].case.title = EVIL.to_owned();
    }
    two.lines[0].outcome = format!("{EVIL}\n");
    two.lines[0].findings[0].text = EVIL.to_owned();
    let model = made(&[Source { name: EVIL, run: &one }, Source { name: "two", run: &two }]);
    let folder = tempfile::tempdir().expect("a folder");
    let url = written(&model, folder.path());
    b.open(&format!("{url}#link-state/netdown"));
    b.wait(OPEN);
    assert_eq!(b.text("typeof hacked"), "undefined");
    let evidence = b.text("document.getElementById('evidence').textContent");
    assert!(evidence.contains(EVIL), "{evidence}");
    assert!(b.text("document.title").contains("</script><script>hacked=1"));
    assert_eq!(b.faults, [""; 0]);
}

/// Rows and platforms as many as are wanted, by other names, made of real ones.
fn large(mut model: Model, rows: usize, columns: usize) -> Model {
    let real = std::mem::take(&mut model.rows);
    for number in 0..rows {
        let mut row = real[number % real.len()].clone();
        if number >= real.len() {
            row.id = format!("{}#{}", row.id, number / real.len());
        }
        let cells = row.cells.iter().cycle().take(columns).copied();
        row.cells = cells.collect();
        model.rows.push(row);
    }
    let column = |number: usize| {
        let mut column = model.columns[number % model.columns.len()].clone();
        column.build = format!("6.{number}");
        column
    };
    model.columns = (0..columns).map(column).collect();
    model
}

#[test]
fn thirty_thousand_rows_on_twenty_platforms() {
    let Some(runs) = &*RUNS else { return };
    let Some(mut b) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let url = written(&large(runs.model.clone(), 30_000, 20), folder.path());
    let bytes = fs::metadata(folder.path().join("matrix.html")).expect("a page").len();
    b.open(&url);
    b.wait(&format!("{SHOWN} > 10"));
    b.wait("performance.getEntriesByName('first-contentful-paint').length");
    let paint = b.eval("performance.getEntriesByName('first-contentful-paint')[0].startTime");
    let rows = b.eval("performance.getEntriesByName('sockeye-rows')[0].startTime");
    let timed = "(() => { const from = performance.now(); const t = document.getElementById('text'); \
                 t.value = 'silent'; t.dispatchEvent(new Event('input')); \
                 return performance.now() - from; })()";
    // Few rows are in the document, however many there are.
    assert!(b.eval("document.querySelectorAll('#body tr').length").as_u64() < Some(120));
    b.eval("document.getElementById('scroll').scrollTop = 1e9");
    let last = "[...document.querySelectorAll('#body tr[data-at]')].at(-1)?.getAttribute('aria-rowindex') === \
                document.getElementById('grid').getAttribute('aria-rowcount')";
    b.wait(last);
    let filter = b.eval(timed);
    println!("{bytes} bytes; first paint {paint} ms, rows {rows} ms, a filter {filter} ms");
    // Under a second on an idle machine; this one may be busy with other tests.
    for (what, took) in [("first paint", &paint), ("rows", &rows), ("a filter", &filter)] {
        assert!(took.as_f64() < Some(4_000.0), "{what} took {took} ms");
    }
    // By keys alone, from the first cell to the last.
    b.eval("document.querySelector('#grid [tabindex=\"0\"]').focus()");
    b.press("End");
    assert_eq!(b.text("document.activeElement.getAttribute('aria-colindex')"), "21");
    assert_eq!(b.faults, [""; 0]);
}
