//! The reports in docs/reports are what the program makes, but for what differs by machine.
//! `SOCKEYE_DOCS=write cargo test --test whole reports` makes them anew.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Output;

use reports::bundle::MOST_OF_LINES;
use rstest::rstest;
use serde_json::Value;

use crate::common::git::goes_by_git;
use crate::common::{fetched, has_cc, has_labs, is_linux, sockeye, text};

/// What stands on top of the one that no Mac has made.
const NOT_OBSERVED: &str = "**No Mac has run this.** It shows the form of a report alone: Linux made the calls, with a fault that \
     was planted (`sockeye run --plant sendto-lies`), and its run was then given the name of another system. Nothing in it \
     says what macOS does.\n\n";

/// Far above what a line of prose has: a mail program breaks it otherwise.
const WIDEST: usize = 75;

fn doc(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reports").join(name)
}

/// A run of these cases, made with these arguments and its manifest then changed.
fn run(folder: &Path, cases: &[&str], how: &[&str], change: impl FnOnce(&mut Value)) -> PathBuf {
    let number = fs::read_dir(folder).expect("a folder").count();
    let run = folder.join(format!("run-{number}"));
    let output = sockeye(&[&["run", "--out", text(&run)], cases, how].concat());
    let manifest = run.join("run.json");
    assert!(manifest.exists(), "{output:?}");
    let mut value: Value =
        serde_json::from_str(&fs::read_to_string(&manifest).expect("a manifest")).expect("JSON");
    change(&mut value);
    fs::write(manifest, value.to_string()).expect("it is written");
    run
}

/// The bundle of cases of a run, and where it is unpacked.
fn bundle(folder: &Path, cases: &[&str], run: &Path, more: &[&str]) -> (Output, PathBuf) {
    let (zip, files) = (folder.join("bug.zip"), folder.join("files"));
    let args = ["--run", text(run), "-o", text(&zip)];
    let output = sockeye(&[&["bundle"], cases, &args, more].concat());
    if let Ok(bytes) = fs::read(zip) {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("a sound zip");
        archive.extract(&files).expect("it unpacks");
    }
    (output, files)
}

/// What no machine changes: not the versions, times and builds, and not where lines of prose end.
fn stable(text: &str) -> String {
    let mut before = "";
    let paragraphs = text.split("\n\n").filter(|paragraph| {
        // Which machine it was, and what came of trying the program there.
        let of_machine = ["bad: ", "same: ", "To reproduce: ", "The reproducer "];
        // Some kernels believe of more frames than others that they are about one of theirs.
        let of_kernel = |text: &str| text.starts_with("In contrast, the same with another frame");
        let behind = of_kernel(before);
        before = paragraph;
        !behind
            && !of_kernel(paragraph)
            && !of_machine.iter().any(|begin| paragraph.starts_with(begin))
    });
    let whole = paragraphs.map(|paragraph| {
        let mut said = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        // The lead's own: `On Linux 6.18.4, 1 of 1 times: `, and what is said of other kernels.
        if let Some((_, rest)) = said.split_once(" times: ").filter(|_| said.starts_with("On ")) {
            said = rest.to_owned();
            for begin in [". Worked in ", ". The same on ", ". Not on ", ". No other version "] {
                said.truncate(said.find(begin).unwrap_or(said.len()));
            }
        }
        for line in ["Subject: ", "- Title: ", "# "] {
            if said.contains(line) {
                said = said.replace(char::is_numeric, "0");
                // Of a version, which may have any number of numbers.
                said = said.rsplit_once(" (").map_or(said.clone(), |(title, _)| title.to_owned());
            }
        }
        said
    });
    whole.collect::<Vec<_>>().join("\n\n")
}

/// Whether the documents are made anew.
fn writes() -> bool {
    std::env::var_os("SOCKEYE_DOCS").is_some_and(|how| how == "write")
}

/// Writes the document, or compares what is stable of it. Whose kernel it was is nobody's business.
fn judge(name: &str, made: &str) {
    let release = nix::sys::utsname::uname().expect("a name").release().to_owned();
    let release = release.to_str().expect("UTF-8");
    let made = match release.find('-') {
        Some(at) => made.replace(release, &format!("{}-local", &release[..at])),
        None => made.to_owned(),
    };
    if writes() {
        fs::create_dir_all(doc("")).expect("a folder");
        fs::write(doc(name), made).expect("it is written");
        return;
    }
    let kept = fs::read_to_string(doc(name)).unwrap_or_default();
    assert!(stable(&kept) == stable(&made), "{name} is not what is made:\n{made}\nbut\n{kept}");
}

/// What speaks against a report, and so is not what one begins with.
fn against(text: &str) -> Vec<String> {
    let never = ["not guarantee", "No indication of failure"];
    let said = text.split_whitespace().collect::<Vec<_>>().join(" ").replace(" * ", " ");
    never.iter().filter(|word| said.contains(**word)).map(|word| format!("has {word}")).collect()
}

/// What a list takes, and who reads it: what is wrong with a mail.
fn faults(mail: &str) -> Vec<String> {
    let mut out = Vec::new();
    let (head, body) = mail.split_once("\n\n").unwrap_or((mail, ""));
    if mail.lines().count() > MOST_OF_LINES {
        out.push(format!("{} lines", mail.lines().count()));
    }
    let is_head = |line: &str| line.contains(": ") || line.starts_with('\t');
    out.extend(head.lines().filter(|line| !is_head(line)).map(|line| format!("no head: {line}")));
    let title = head.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or_default();
    let title = title.trim_start_matches("[BUG] ").trim_start_matches("net: ");
    if !(1..=70).contains(&title.chars().count()) {
        out.push(format!("the title has {} characters", title.chars().count()));
    }
    // What is a transcript's is indented, and an address of a page is one word.
    let is_prose = |line: &&str| !line.starts_with("  ") && line.contains(' ');
    let wide = body.lines().filter(is_prose).filter(|line| line.chars().count() > WIDEST);
    out.extend(wide.map(|line| format!("too wide: {line}")));
    out.extend(against(body));
    let never = ["unzip", "\n| ", "**", "]("];
    out.extend(never.iter().filter(|word| body.contains(**word)).map(|word| format!("has {word}")));
    if !mail.is_ascii() && !head.contains("charset=UTF-8") {
        out.push("no character set".to_owned());
    }
    out
}

/// A report of the documents.
struct Mail {
    /// Its file.
    doc: &'static str,
    /// Its case.
    case: &'static str,
    /// Those of which one is the contrast.
    like: &'static [&'static str],
    /// What that is said to be.
    contrast: &'static str,
    /// What triggers it, which the title has to say.
    triggers: &'static [&'static str],
    /// The kernel that it is of; none of this one.
    of: Option<&'static str>,
    /// What it says of the other kernels, where all were there.
    others: &'static [&'static str],
}

/// The kernels that were asked besides, if they were fetched.
const OTHERS: [&str; 2] = ["linux-5.10", "uml-7.2"];

const MAILS: [Mail; 4] = [
    Mail {
        doc: "limited-broadcast.txt",
        case: "link-state/udp-bound-own[tap,down,limited4]",
        like: &[
            "link-state/udp-sendto[tap,down,limited4]",
            "link-state/udp-bound-own[tap,up,limited4]",
        ],
        contrast: "the same without bind(s, {AF_INET 192.0.2.1:0})",
        triggers: &["bind", "255.255.255.255", "link down"],
        of: None,
        others: &["The same on Linux 5.10", " (this), Linux 5.10", ", Linux 7.2"],
    },
    Mail {
        doc: "path-mtu.txt",
        case: "fragmentation/path-mtu-forged[v6,unset,connected,echo-request]",
        like: &[
            "fragmentation/path-mtu-forged[v6,unset,connected,source-port]",
            "fragmentation/path-mtu-forged[v6,unset,connected,destination]",
        ],
        contrast: "the same with another frame",
        triggers: &["forged ICMP", "IPv6"],
        of: None,
        others: &["The same on Linux 5.10", " (this), Linux 5.10", ", Linux 7.2"],
    },
    Mail {
        doc: "glibc-service.txt",
        case: "names/service[65536,any]",
        like: &["names/service[80,any]", "names/service[65535,any]", "names/service[minus,any]"],
        contrast: "the same with one value changed (names/service[65535,any])",
        triggers: &["getaddrinfo", "65536"],
        of: None,
        others: &["The same on glibc "],
    },
    Mail {
        doc: "path-mtu-port.txt",
        case: "fragmentation/path-mtu-forged[v6,unset,connected,source-port]",
        like: &[
            "fragmentation/path-mtu-forged[v6,unset,connected,swapped]",
            "fragmentation/path-mtu-forged[v6,unset,connected,destination]",
        ],
        contrast: "the same with another frame",
        triggers: &["forged ICMP", "IPv6"],
        of: Some("linux-7.3"),
        others: &[
            "Worked in Linux 7.2",
            "fails in Linux 7.3",
            "Not on Linux 5.10",
            "good: Linux 5.10",
        ],
    },
];

/// Runs of these cases on another kernel.
fn run_on(folder: &Path, kernel: &str, cases: &[&str]) -> PathBuf {
    let out = folder.join(format!("on-{}", fs::read_dir(folder).expect("a folder").count()));
    let output = sockeye(&[&["run", "--on", kernel, "--out", text(&out)], cases].concat());
    let run = out.join(kernel);
    assert!(run.join("run.json").exists(), "{output:?}");
    run
}

#[rstest]
fn a_mail_of_the_documents_is_what_is_made(#[values(0, 1, 2, 3)] which: usize) {
    if !is_linux() || !has_labs() || !has_cc() {
        return;
    }
    let mail = &MAILS[which];
    let folder = tempfile::tempdir().expect("a folder");
    let all = [&[mail.case], mail.like].concat();
    let of = match mail.of.map(fetched) {
        Some(None) => return,
        Some(of) => of,
        None => None,
    };
    let here = || run(folder.path(), &all, &[], |_| ());
    let once = || of.as_deref().map_or_else(here, |kernel| run_on(folder.path(), kernel, &all));
    let first = once();
    let mut again = vec![once(), once()];
    if of.is_some() {
        again.push(here());
    }
    let others: Vec<String> = OTHERS.into_iter().filter_map(fetched).collect();
    again.extend(others.iter().map(|kernel| run_on(folder.path(), kernel, &all)));
    let again: Vec<&str> = again.iter().flat_map(|run| ["--run", text(run)]).collect();
    let (output, files) = bundle(folder.path(), &[mail.case], &first, &again);
    let Ok(made) = fs::read_to_string(files.join("mail.txt")) else { panic!("{output:?}") };
    if made.starts_with("Subject: control record: ") {
        return eprintln!("skipped: {} is as it should be here", mail.case);
    }
    assert_eq!(faults(&made), [""; 0], "{made}");
    for program in ["mail-program.txt", "repro.c"] {
        let program = fs::read_to_string(files.join(program)).expect("a program");
        assert_eq!(against(&program), [""; 0], "{program}");
    }
    let title = made.lines().find(|line| line.starts_with("Subject: ")).expect("a subject");
    assert!(mail.triggers.iter().all(|trigger| title.contains(trigger)), "{title}");
    let flat = made.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains(&format!("In contrast, {}", mail.contrast)), "{made}");
    assert!(flat.contains("3 of 3 times: "), "{made}");
    goes_by_git(&files, &made);
    if others.len() == OTHERS.len() {
        let lacks = mail.others.iter().find(|says| !flat.contains(**says));
        assert_eq!(lacks, None, "{made}");
    } else {
        // What it says of other kernels would be gone.
        assert!(!writes(), "{OTHERS:?} are not fetched");
    }
    judge(mail.doc, &made);
}

/// What is as it should be is for nobody: it has no list, no contrast and no program for an answer.
#[test]
fn a_control_record_is_for_nobody() {
    if !is_linux() || !has_labs() || !has_cc() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let case = "link-state/udp-sendto[tap,down,limited4]";
    // The one like it that is another kernel's bug would be a contrast.
    let run = run(folder.path(), &[case, "link-state/udp-sendto[tap,up,limited4]"], &[], |_| ());
    let (output, files) = bundle(folder.path(), &[case], &run, &[]);
    let mail = fs::read_to_string(files.join("mail.txt"));
    let mail = mail.unwrap_or_else(|_| panic!("{output:?}"));
    assert!(mail.starts_with("Subject: control record: "), "{mail}");
    assert!(!mail.contains("[BUG]") && !mail.contains("netdev"), "{mail}");
    let readme = fs::read_to_string(files.join("README.md")).expect("it is there");
    for text in [&mail, &readme] {
        assert!(!text.contains("To: ") && !text.contains("In contrast"), "{text}");
        assert!(text.contains("no fault is claimed"), "{text}");
        assert!(!text.contains("git send-email"), "{text}");
    }
    assert!(!files.join("mail-program.txt").exists());
    fs::create_dir(folder.path().join("tree")).expect("a folder");
    fs::write(folder.path().join("tree/MAINTAINERS"), MAINTAINERS).expect("it is written");
    let tree = folder.path().join("tree");
    let (output, _) = bundle(folder.path(), &[case], &run, &["--linux", text(&tree)]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("this is for a control record"), "{said}");
}

/// Without the run of the like that behaves nothing is said of it, nor where it deviates itself.
#[test]
fn what_did_not_run_or_does_not_behave_is_no_contrast() {
    if !is_linux() || !has_labs() || !has_cc() {
        return;
    }
    let case = "link-state/udp-bound-own[tap,down,limited4]";
    let bad = "link-state/udp-bound-own[tap,down,multicast4]";
    for like in [None, Some(bad)] {
        let folder = tempfile::tempdir().expect("a folder");
        let cases: Vec<&str> = [case].into_iter().chain(like).collect();
        let run = run(folder.path(), &cases, &[], |_| ());
        let (_, files) = bundle(folder.path(), &[case], &run, &[]);
        for name in ["mail.txt", "README.md"] {
            let text = fs::read_to_string(files.join(name)).expect("it is there");
            assert!(!text.contains("In contrast"), "{like:?}: {text}");
        }
    }
}

/// Each is told of what it can mend, by who does it.
#[test]
fn what_the_library_does_is_for_the_library() {
    if !is_linux() || !has_labs() || !has_cc() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (of_libc, of_kernel) = ("names/service[65536,any]", "link-state/netdown");
    let libc = |name: &'static str| {
        move |run: &mut Value| run["subjects"][0]["kernel"]["libc"] = name.into()
    };
    for (name, whom, other) in [("glibc 2.36", "glibc", "musl"), ("musl", "musl", "glibc")] {
        let run = run(folder.path(), &[of_libc, of_kernel], &[], libc(name));
        for (case, to, told) in [
            (of_libc, whom, true),
            (of_libc, other, false),
            (of_libc, "netdev", false),
            (of_libc, "gvisor", false),
            (of_kernel, whom, false),
            (of_kernel, "netdev", true),
        ] {
            let (output, files) = bundle(folder.path(), &[case], &run, &["--for", to]);
            let status = output.status.code();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(status == Some(2), !told, "{name}: {case} for {to}: {output:?}");
            assert_eq!(said.contains(" alone"), !told, "{name}: {case} for {to}: {said}");
            if told && to == whom {
                let mail = fs::read_to_string(files.join("mail.txt")).expect("a mail");
                assert!(
                    mail.lines()
                        .next()
                        .is_some_and(|line| line.contains(whom) || line.contains("libc-alpha"))
                );
                assert!(mail.contains(&format!("({name})\n")), "{mail}");
                assert!(!mail.contains("taint: "), "{mail}");
            }
        }
        // If nothing is said.
        let (_, files) = bundle(folder.path(), &[of_libc], &run, &[]);
        let mail = fs::read_to_string(files.join("mail.txt")).expect("a mail");
        assert!(!mail.starts_with("To: netdev"), "{mail}");
        fs::remove_dir_all(run).expect("it goes");
    }
}

const MAINTAINERS: &str = "\
NETWORKING [GENERAL]
M:\tA Person <a@x.example>
L:\tnetdev@vger.kernel.org
F:\tnet/

NETWORKING [IPv4/IPv6]
M:\tC. Person <c@x.example>
R:\tevil@x.example\u{7}\r
L:\tnetdev@vger.kernel.org
F:\tnet/ipv4/
";

/// Whom a mail is to, by a tree that is at hand.
#[test]
fn a_kernels_tree_says_whom_a_mail_is_to() {
    if !is_linux() || !has_labs() || !has_cc() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).expect("a folder");
    let case = "link-state/udp-bound-own[tap,down,limited4]";
    let run = run(folder.path(), &[case, "names/service[65536,any]"], &[], |_| ());
    let to = ["--linux", text(&tree)];
    let made = |case: &str, to: &[&str]| bundle(folder.path(), &[case], &run, to);
    let refused = |case: &str, says: &str| {
        let (output, files) = made(case, &to);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(says) && said.lines().count() == 1 && !files.exists(), "{said}");
    };
    let none = "is no kernel's source tree";
    let path = tree.join("MAINTAINERS");
    refused(case, none);
    for text in ["", "F: net/\n", "\u{0}\u{1}"] {
        fs::write(&path, text).expect("it is written");
        refused(case, none);
    }
    let file = fs::File::create(&path).expect("a file");
    file.set_len(1 << 40).expect("a file without blocks");
    refused(case, none);
    fs::remove_file(&path).expect("it is there");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    refused(case, none);
    fs::remove_file(&path).expect("it is there");
    fs::write(&path, MAINTAINERS).expect("it is written");
    refused("names/service[65536,any]", "--linux is for a mail to netdev");
    let (output, files) = made(case, &to);
    let mail = fs::read_to_string(files.join("mail.txt")).unwrap_or_else(|_| panic!("{output:?}"));
    let head = "To: \"C. Person\" <c@x.example>,\n\tA Person <a@x.example>\nCc: netdev@vger.kernel.org\nSubject: ";
    assert!(mail.starts_with(head), "{mail}");
    assert_eq!(faults(&mail), [""; 0], "{mail}");
    goes_by_git(&files, &mail);
}

/// The form of a report for Apple: one of several rows of one cause.
#[test]
fn the_report_for_apple_says_that_no_mac_made_it() {
    if !is_linux() || !has_labs() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mac = |manifest: &mut Value| {
        let subject = &mut manifest["subjects"][0];
        subject["environment"] = Value::Null;
        subject["log"] = Value::Null;
        subject["platforms"] = serde_json::json!(["macos-0", "macos"]);
        let kernel = &mut subject["kernel"];
        kernel["system"] = "Darwin".into();
        kernel["libc"] = "".into();
        for field in ["release", "version", "machine"] {
            kernel[field] = "not-observed".into();
        }
        let product = r#"{"version":"0.0","build":"not observed","content_filter":false}"#;
        kernel["product"] = serde_json::from_str(product).expect("JSON");
    };
    let cases = [
        "link-state/udp-sendto[tap,down,unresolved]",
        "link-state/udp-bound-own[tap,down,unresolved]",
        "link-state/udp-bound-interface[tap,down,unresolved]",
    ];
    let how = ["link-state/udp-sendto[tap,up,unresolved]", "--plant", "sendto-lies"];
    let run = run(folder.path(), &cases, &how, mac);
    let (output, files) = bundle(folder.path(), &cases, &run, &[]);
    let report = fs::read_to_string(files.join("README.md"));
    let report = report.unwrap_or_else(|_| panic!("{output:?}"));
    let (first, _) = report.split_once("What follows is there").expect("the lead ends");
    for field in
        ["Area", "Title", "Expected", "Actual", "Build", "Hardware", "Content filters and VPNs"]
    {
        let begin = format!("- {field}: ");
        let lines: Vec<&str> = first.lines().filter(|line| line.starts_with(&begin)).collect();
        assert!(lines.len() == 1 && lines[0].len() > begin.len(), "{field}: {first}");
    }
    let rows = first.lines().filter(|line| line.starts_with("| ")).count();
    assert_eq!(rows, 2 + cases.len(), "{first}");
    assert!(!first.contains("as it should be"), "{first}");
    // The planted fault is everywhere, so that nothing behaves.
    assert!(!first.contains("In contrast"), "{first}");
    // Times are of the run.
    let no_time = |line: &str| {
        let is_time = line.contains("sudo log show");
        line.replace(|c: char| is_time && c.is_ascii_digit(), "0")
    };
    let made = first.lines().map(no_time).collect::<Vec<_>>().join("\n");
    judge("apple.md", &format!("{NOT_OBSERVED}{made}\n"));
}

/// What compares and what finds faults can say no.
#[test]
fn what_differs_is_seen_and_a_version_is_none() {
    let mail = "To: a@x.example\nSubject: [BUG] net: x (6.18.44)\n\nOn Linux 6.18.4, 1 of 1 times: a b.\n\nbad: Linux\ntaint: none\n\ncc";
    assert_eq!(faults(mail), [""; 0]);
    let newer = mail.replace("6.18", "7.2").replace("a b", "a\nb").replace("none", "4096");
    assert_eq!(stable(mail), stable(&newer));
    assert_ne!(stable(mail), stable(&mail.replace("a b", "a c")));
    assert_ne!(stable(mail), stable(&mail.replace("net: x", "net: y")));
    assert_ne!(stable(mail), stable(&mail.replace("a@x", "b@x")));
    let long = |n: usize| format!("{mail}{}", "\nx".repeat(n));
    let wide = mail.replace("a b", &"a b ".repeat(20));
    let title = mail.replace("x (", &format!("{} (", "x".repeat(70)));
    let odd = [
        long(80),
        wide,
        title,
        mail.replace("cc", "**cc**"),
        mail.replace("cc", "\u{a7}"),
        format!("warning\n{mail}"),
        mail.replace("cc", "Success does not guarantee delivery."),
    ];
    for mail in odd {
        assert_eq!(faults(&mail).len(), 1, "{mail}");
    }
    assert_eq!(against(" *     it does not\n *     guarantee delivery").len(), 1);
    let told =
        "On Linux 6.18.4, 1 of 1 times: a b. Expected: c. Worked in Linux 6.1, fails in Linux 6.2.";
    assert_eq!(stable(told), stable("On x, 3 of 3 times: a b. Expected: c. The same on y. No z."));
}
