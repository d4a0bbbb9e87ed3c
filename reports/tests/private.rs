//! What is private in a machine, its log and the harness's sentences is in no file of a run, in no export, on no page and in no
//! bundle, whatever it is called.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use harness::case::Os;
use harness::environment::{Environment, Interface, Log, Private};
use harness::trace::{Beyond, End, Trace};
use proptest::prelude::*;
use reports::bundle::{Bundle, Part, Recipient, Scrub, Tried};
use reports::export::{Export, junit, kcidb, ktap, markdown};
use reports::matrix::{Input, Source, model, page};
use reports::runs::{self, Finding, Line, Run};

/// Who and what a machine has.
#[derive(Clone, Debug)]
struct Secrets {
    user: String,
    full: [String; 2],
    host: String,
    ssid: String,
    serial: String,
    token: String,
    interface: String,
    mac: [u8; 6],
    v4: [u8; 4],
    path: String,
}

fn secrets() -> impl Strategy<Value = Secrets> {
    let word = || "zq[a-z]{4,8}";
    let words = (word(), [word(), word()], word(), word(), "ZQ[0-9A-F]{8}", "zq[0-9a-f]{12}");
    let rest = (word(), any::<[u8; 6]>(), [1u8..100, 1..250, 1..250, 100..250], word());
    (words, rest).prop_map(
        |((user, full, host, ssid, serial, token), (link, mut mac, v4, path))| {
            // None of the lab's, no group, and a network that somebody has.
            (mac[0], mac[1]) = (0xac, mac[1] | 0x10);
            let v4 = [if [10, 100].contains(&v4[0]) { 11 } else { v4[0] }, v4[1], v4[2], v4[3]];
            let (interface, path) = (format!("{link}0"), format!("/srv/{path}/x"));
            Secrets { user, full, host, ssid, serial, token, interface, mac, v4, path }
        },
    )
}

impl Secrets {
    /// In all the ways in which they may stand in a text.
    #[allow(clippy::many_single_char_names, reason = "the bytes of addresses, in their order")]
    fn written(&self) -> Vec<String> {
        let ([a, b, c, d, e, f], [i, j, k, l]) = (self.mac, self.v4);
        let (user, host) = (&self.user, &self.host);
        vec![
            user.clone(),
            user.to_uppercase(),
            self.full.join(" "),
            format!("{host}.corp.test"),
            host.to_uppercase(),
            self.ssid.clone(),
            self.serial.clone(),
            self.interface.clone(),
            format!("{user}@{host}.test"),
            format!("%7a{}", &user[1..]),
            format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}"),
            format!("{a:02X}-{b:02X}-{c:02X}-{d:02X}-{e:02X}-{f:02X}"),
            format!("{a:02x}{b:02x}.{c:02x}{d:02x}.{e:02x}{f:02x}"),
            format!("{a:02x}{b:02x}{c:02x}{d:02x}{e:02x}{f:02x}"),
            format!("fe80::{:02x}{b:02x}:{c:02x}ff:fe{d:02x}:{e:02x}{f:02x}", a ^ 2),
            format!("{:02x}{b:02x}:{c:02x}ff:fe{d:02x}:{e:02x}{f:02x}", a ^ 2),
            format!("{i}.{j}.{k}.{l}"),
            format!("ip-{i}-{j}-{k}-{l}"),
            format!("{i:02x}{j:02x}{k:02x}{l:02x}"),
            format!("{}/file", self.path),
            format!("/home/{user}/file"),
        ]
    }

    /// Those that the command line and the log alone may have, in no other place's form.
    fn only_there(&self) -> Vec<String> {
        let (user, host, token) = (&self.user, &self.host, &self.token);
        vec![
            format!("ks=https://{user}:{token}@{host}.test/ks"),
            format!("rd.luks.key=/{token}"),
            format!("token={token}"),
            token.clone(),
        ]
    }

    fn machine(&self) -> (Environment, Log) {
        let said = self.written().join(" ");
        let all = format!("{said} {}", self.only_there().join(" "));
        let private = Private {
            hosts: vec![self.host.clone()],
            users: [vec![self.user.clone(), self.full.join(" ")], self.full.to_vec()].concat(),
            serials: vec![self.serial.clone()],
            ssids: vec![self.ssid.clone()],
            paths: vec![self.path.clone()],
            ..Private::default()
        };
        let addresses = vec![self.written()[10].clone(), self.written()[16].clone()];
        let (flags, mtu) = (Vec::new(), None);
        let interface = Interface { name: self.interface.clone(), flags, mtu, addresses };
        let machine = Environment {
            private,
            os: Some(format!("Debian {said}")),
            command_line: Some(format!("quiet {all} ipv6.disable=0")),
            confinement: vec![said.clone()],
            sysctls: [("net.x".to_owned(), all.clone())].into(),
            interfaces: vec![interface],
            routes: vec![format!("0.0.0.0/0 via {} dev {}", self.written()[16], self.interface)],
            filters: vec![said.clone()],
            said: [(
                "ifconfig -a".to_owned(),
                format!("{}: flags=1\n\tdesc: {all}", self.interface),
            )]
            .into(),
            unknown: vec![said.clone()],
            ..Environment::default()
        };
        let lines = ["[    1.0] IPv6: ", "[    1.0] usb: ", ""].map(|head| format!("{head}{all}"));
        (machine, Log { lines: lines.to_vec(), missing: Some(said) })
    }
}

/// A run as one is written, with a case that was skipped for a reason full of names. `behind` is what
/// gets into it behind the scrubber.
fn run(secrets: &Secrets, scrub: impl Fn(&Environment) -> Scrub, behind: &str) -> Run {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/runs/1");
    let mut run = runs::read(&golden).expect("runs of schema 1 can be read");
    let (machine, log) = secrets.machine();
    let mut scrub = scrub(&machine);
    let said = secrets.written().join(" ");
    let about = &mut run.manifest.subjects[0];
    about.environment = Some(scrub.machine(&machine));
    // A release is short, so that not all of them fit.
    about.kernel.release = format!("{} {}", about.kernel.release, secrets.user);
    about.kernel.version = format!("{} {said}", about.kernel.version);
    about.kernel = scrub.kernel(&about.kernel);
    about.log = Some(scrub.log(&log));
    let (was, name) = (about.name.clone(), scrub.subject(&format!("cmd:{} {said}", secrets.path)));
    about.name.clone_from(&name);
    for line in run.lines.iter_mut().filter(|line| line.subject == was) {
        line.subject.clone_from(&name);
    }
    let line = run.lines.iter_mut().find(|line| matches!(line.trace.end, End::Skipped { .. }));
    let line = line.expect("one was skipped");
    let trace = Trace { end: End::skipped(format!("it cannot: {said}")), ..line.trace.clone() };
    line.trace = scrub.told(&trace).unwrap_or(trace);
    line.outcome = harness::outcome::render(&line.case, &line.trace, Os::Linux) + behind;
    // The one that a bundle is made of: what it says of the host's interfaces.
    let line = run.lines.iter_mut().find(|line| line.subject == name && is_done(line));
    let line = line.expect("one is done");
    let beyond = Beyond { watched: vec![secrets.interface.clone()], left: vec![said] };
    let trace = Trace { beyond: Some(beyond), ..line.trace.clone() };
    line.trace = scrub.told(&trace).unwrap_or(trace);
    line.outcome += behind;
    run
}

fn is_done(line: &Line) -> bool {
    line.trace.end == End::Done
}

/// A bundle of one case of a run's first subject.
fn bundle<'a>(run: &'a Run, line: &'a Line) -> Bundle<'a> {
    let subject = &run.manifest.subjects[0];
    Bundle {
        subject,
        os: Os::Linux,
        environment: subject.environment.as_ref(),
        log: subject.log.as_ref(),
        rules: &run.manifest.rules,
        parts: vec![Part::once(line, Os::Linux, Tried::Agrees)],
        recipient: Recipient::Netdev,
    }
}

/// The files of a bundle, by name.
fn files(bundle: &Bundle<'_>, keep_private: bool) -> Vec<(String, Vec<u8>)> {
    let files = || bundle.files(&mut bundle.scrub(keep_private)).expect("files");
    let (first, second) = (files(), files());
    assert!(first.iter().zip(&second).all(|(a, b)| a.bytes == b.bytes), "the same bytes, always");
    first.into_iter().map(|file| (format!("bundle/{}", file.name), file.bytes)).collect()
}

/// A bundle of a case that ran here, with no run between: nothing was replaced before, and the case's
/// own line is as full of names as the machine and its log.
fn live(secrets: &Secrets, keep_private: bool) -> BTreeSet<String> {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/runs/1");
    let mut run = runs::read(&golden).expect("runs of schema 1 can be read");
    let (machine, log) = secrets.machine();
    let said = secrets.written().join(" ");
    let about = &mut run.manifest.subjects[0];
    about.kernel.version = format!("{} {said}", about.kernel.version);
    let name = about.name.clone();
    let line = run.lines.iter().find(|line| line.subject == name && is_done(line));
    let mut line = line.expect("one is done").clone();
    line.outcome = format!("{}{said}\n", line.outcome);
    line.findings = vec![Finding {
        rule: "no-silent-loss".to_owned(),
        rank: None,
        op: 1,
        text: format!("lost by {said}"),
        known: None,
    }];
    let beyond = Beyond { watched: vec![secrets.interface.clone()], left: vec![said] };
    line.trace.beyond = Some(beyond);
    let bundle = Bundle { environment: Some(&machine), log: Some(&log), ..bundle(&run, &line) };
    standing(secrets, files(&bundle, keep_private))
}

/// The run's files, its exports, its page, and a bundle of it: what may be passed on.
fn everything(run: &Run, keep_private: bool) -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("a folder");
    let lines: Vec<String> =
        run.lines.iter().map(|line| serde_json::to_string(line).expect("JSON")).collect();
    let manifest = serde_json::to_vec(&run.manifest).expect("JSON");
    fs::write(folder.path().join(runs::MANIFEST), &manifest).expect("written");
    fs::write(folder.path().join(runs::RESULTS), lines.join("\n") + "\n").expect("written");
    let run = runs::read(folder.path()).expect("it can be read");
    let export = Export::of(&run);
    let claims = |_: &Line, _: &harness::trace::Fingerprint| Vec::new();
    let sources = [Source { name: "run", run: &run }];
    let input = Input {
        runs: &sources,
        since: None,
        order: &[],
        claims: &claims,
        reason: &|_| None,
        tags: &|_| Vec::new(),
        means: &|_| Vec::new(),
    };
    let mut shown = Vec::new();
    page(&model(input).expect("a model"), &mut shown).expect("a page");
    let of_it = |line: &&Line| line.subject == run.manifest.subjects[0].name && is_done(line);
    let line = run.lines.iter().find(of_it).expect("one is done");
    let mut all = vec![
        ("run.json".to_owned(), manifest),
        ("results.jsonl".to_owned(), lines.join("\n").into_bytes()),
        ("junit".to_owned(), junit(&export).expect("XML").into_bytes()),
        ("ktap".to_owned(), ktap(&export).into_bytes()),
        ("markdown".to_owned(), markdown(&export).into_bytes()),
        ("kcidb".to_owned(), kcidb(&run).into_bytes()),
        ("page".to_owned(), shown),
    ];
    all.extend(files(&bundle(&run, line), keep_private));
    all
}

/// Where a secret stands, by the name of the file.
fn told(secrets: &Secrets, run: &Run) -> BTreeSet<String> {
    standing(secrets, everything(run, false))
}

fn standing(secrets: &Secrets, files: Vec<(String, Vec<u8>)>) -> BTreeSet<String> {
    let words = [secrets.written(), secrets.only_there()].concat();
    // A word of two is known by each.
    let words: BTreeSet<String> =
        words.iter().chain(&secrets.full).map(|w| w.to_lowercase()).collect();
    let mut found = BTreeSet::new();
    for (name, bytes) in files {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let mut of_it = words.iter().filter(|word| text.contains(word.as_str()));
        found.extend(of_it.next().map(|word| format!("{name}: {word}")));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_private_is_passed_on(secrets in secrets()) {
        let found = told(&secrets, &run(&secrets, Scrub::of, ""));
        prop_assert!(found.is_empty(), "{found:#?}");
    }

    /// The check can fail: what gets in behind the scrubber is found, wherever a run is passed on.
    #[test]
    fn what_is_planted_behind_the_scrubber_is_found(secrets in secrets()) {
        let found = told(&secrets, &run(&secrets, Scrub::of, &secrets.token));
        let files: BTreeSet<&str> = found.iter().filter_map(|f| Some(f.split_once(':')?.0)).collect();
        prop_assert!(files.contains("results.jsonl"), "{found:#?}");
        let open = standing(&secrets, everything(&run(&secrets, |_| Scrub::off(), ""), true));
        let files: BTreeSet<&str> = open.iter().filter_map(|f| Some(f.split_once(':')?.0)).collect();
        let of_a_run = ["run.json", "results.jsonl", "junit", "ktap", "markdown", "kcidb", "page"];
        let of_a_bundle = ["README.md", "trace.json", "environment.json", "kernel.log"];
        let of_a_bundle = of_a_bundle.map(|name| format!("bundle/{name}"));
        for name in of_a_run.into_iter().chain(of_a_bundle.iter().map(String::as_str)) {
            prop_assert!(files.contains(name), "{name}: {open:#?}");
        }
    }

    /// A bundle replaces by itself what no run has replaced before, and only it.
    #[test]
    fn a_bundle_of_this_host_passes_nothing_on(secrets in secrets()) {
        let clean = live(&secrets, false);
        prop_assert!(clean.is_empty(), "{clean:#?}");
        let open = live(&secrets, true);
        let files: BTreeSet<&str> = open.iter().filter_map(|f| Some(f.split_once(':')?.0)).collect();
        for name in ["README.md", "mail.txt", "trace.json", "environment.json", "kernel.log", "repro.c"] {
            prop_assert!(files.contains(&*format!("bundle/{name}")), "{name}: {open:#?}");
        }
    }
}
