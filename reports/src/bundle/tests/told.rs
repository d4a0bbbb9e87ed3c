//! What each receiver is told, and in which form.

use super::*;

/// As what a mail program shows, and what `git send-email` takes.
#[test]
fn a_mail_is_short_and_plain() {
    let many = |part: &mut Part<'_>| {
        let (kernel, verdict) = (Fingerprint::default(), Verdict::Ok);
        let other = |n| Elsewhere {
            kernel: kernel.clone(),
            name: format!("Linux 6.{n}"),
            verdict,
            outcome: "x\n".repeat(200),
        };
        part.elsewhere = (0..200).map(other).collect();
    };
    for file in files_of(&"word ".repeat(300), false, Recipient::Netdev, many) {
        if file.name != "mail.txt" {
            continue;
        }
        let text = String::from_utf8(file.bytes).unwrap();
        assert!(text.lines().count() <= 80, "{text}");
        let (head, body) = text.split_once("\n\n").unwrap();
        assert!(head.lines().all(|line| line.contains(": ")), "{head}");
        let subject =
            head.lines().find_map(|line| line.strip_prefix("Subject: [BUG] net: ")).unwrap();
        assert!(subject.chars().count() <= 70, "{subject}");
        for markdown in ["| ---", "**", "](http", "unzip", "Unzip"] {
            assert!(!body.contains(markdown), "{markdown}: {body}");
        }
        return;
    }
    panic!("there is no mail");
}

/// What is as it should be is no bug, whoever it is sent to.
#[test]
fn a_case_without_a_finding_is_a_control_record() {
    for recipient in [Recipient::Netdev, Recipient::Apple, Recipient::Freebsd, Recipient::Gvisor] {
        let (subject, mut line, rules) = (subject(""), line(""), rules());
        line.findings.clear();
        line.verdict = Verdict::Ok;
        let mut bundle = bare(&subject, &rules, &line, recipient);
        // It would be one, if this were a bug.
        let fine = like(&line, "s/t[b]", another_port);
        bundle.parts[0].controls = vec![&fine];
        assert!(
            lead::contrast(&Part { line: &super::line(""), ..bundle.parts[0].clone() }).is_some()
        );
        for file in bundle.files(&mut bundle.scrub(false)).unwrap() {
            assert!(!has(&file, "[BUG]"), "{}", file.name);
            if ["README.md", "mail.txt"].contains(&file.name.as_str()) {
                assert!(has(&file, "no fault is claimed"), "{}", file.name);
                assert!(has(&file, "control record: "), "{}", file.name);
                assert!(!has(&file, "regzbot"), "{}", file.name);
            }
            // It is for nobody, and so it is for no list, no form and no contrast.
            assert_ne!(file.name, "mail-program.txt");
            for word in
                ["Incorrect/Unexpected", "In contrast", "git send-email", "Bugzilla", "Feedback"]
            {
                assert!(!has(&file, word), "{}: {word}", file.name);
            }
            let text = String::from_utf8_lossy(&file.bytes).into_owned();
            assert!(!text.contains("To: ") && !text.contains("Cc: "), "{text}");
        }
    }
}

/// The first quote is none that says that delivery was never promised.
#[test]
fn quotes_speak_for_the_report() {
    let (subject, line, mut rules) = (subject(""), line(""), rules());
    let cite = |source: &str, quote: &str| Cite {
        source: source.to_owned(),
        quote: quote.to_owned(),
        link: None,
    };
    rules[0].cites = vec![
        cite("POSIX sendto", "Success does not guarantee delivery of the message."),
        cite("RFC 1", "It SHOULD be."),
        cite("RFC 2", "It MUST be."),
        cite("POSIX sendto, ERRORS [ENETDOWN]", "The interface is down."),
    ];
    let bundle = bare(&subject, &rules, &line, Recipient::Netdev);
    let quotes = |bundle: &Bundle<'_>| -> Vec<String> {
        lead::quotes(bundle.rules, &bundle.parts[0])
            .iter()
            .map(|cite| cite.source.clone())
            .collect()
    };
    assert_eq!(quotes(&bundle), ["RFC 2", "RFC 1"], "the link is up");
    let down = LabOp::LinkDown { link: "link0".into() };
    let mut line = line.clone();
    line.case.lab.setup.push(down);
    let bundle = bare(&subject, &rules, &line, Recipient::Netdev);
    assert_eq!(quotes(&bundle), ["POSIX sendto, ERRORS [ENETDOWN]"]);
    // The program and the answer that has it say the same as the mail.
    let files = bundle.files(&mut bundle.scrub(false)).unwrap();
    for name in ["mail.txt", "mail-program.txt", "repro.c"] {
        let file = files.iter().find(|file| file.name == name).unwrap();
        assert!(has(file, "The interface is down."), "{name}");
        assert!(!has(file, "not guarantee") && !has(file, "It MUST be."), "{name}");
    }
}

/// A kernel that deviates in another way is not good, nor is one that did both.
#[test]
fn good_is_what_was_seen_to_be_good() {
    let (subject, line, rules) = (subject(""), line(""), rules());
    let mut bundle = bare(&subject, &rules, &line, Recipient::Netdev);
    let ran = |name: &str, verdict, outcome: &str| Elsewhere {
        kernel: Fingerprint::default(),
        name: name.to_owned(),
        verdict,
        outcome: outcome.to_owned(),
    };
    bundle.parts[0].elsewhere = vec![
        ran("a", Verdict::Ok, "otherwise"),
        ran("a", Verdict::Ok, "otherwise"),
        ran("b", Verdict::Deviates, "otherwise"),
        ran("c", Verdict::Deviates, &line.outcome),
        ran("d", Verdict::Ok, "otherwise"),
        ran("d", Verdict::Deviates, &line.outcome),
    ];
    bundle.parts[0].baselines = vec![("macos-15", "otherwise")];
    let tested = lead::tested(&bundle, &bundle.parts[0]);
    assert_eq!(tested.same[1..], ["c"]);
    assert_eq!((tested.good, tested.other), (vec!["a".to_owned()], vec!["b".into(), "d".into()]));
    let says = |bundle: &Bundle<'_>| lead::lead(bundle, &bundle.parts[0]);
    assert!(says(&bundle).ends_with(" Not on a."), "{}", says(&bundle));
    // Where none is good, those that do it too are named.
    bundle.parts[0].elsewhere.retain(|e| e.name != "a");
    assert!(says(&bundle).ends_with(" The same on c."), "{}", says(&bundle));
    bundle.parts[0].elsewhere.clear();
    assert!(says(&bundle).ends_with(" No other version was tried."), "{}", says(&bundle));
}

/// A case that differs from the other one by one step or one value, and what it came to.
fn like(bug: &Line, id: &str, change: impl FnOnce(&mut Line)) -> Line {
    let mut other = bug.clone();
    other.id = id.to_owned();
    other.case.id = id.to_owned();
    other.findings.clear();
    other.verdict = Verdict::Ok;
    let did = Did::Returned { ret: -1, errno: Some("ENETUNREACH".into()), out: Out::Nothing };
    let call = Event::Call { op: 1, at_ns: 0, took_ns: 0, addr: None, did };
    other.trace.events.truncate(1);
    other.trace.events.push(call);
    change(&mut other);
    other
}

/// One value is another one.
fn another_port(line: &mut Line) {
    let text = serde_json::to_string(&line.case.ops).unwrap();
    let text = text.replace(r#""port":{"is":9}"#, r#""port":{"is":10}"#);
    line.case.ops = serde_json::from_str(&text).unwrap();
}

type Change<'c> = &'c dyn Fn(&mut Line);

/// The like that behaves has run, differs in one thing, and does behave: else there is none.
#[test]
fn a_contrast_is_one_that_behaves() {
    let mut bug = line("");
    bug.case.lab.setup.push(LabOp::LinkDown { link: "link0".into() });
    let up = |line: &mut Line| line.case.lab.setup.clear();
    let both = |line: &mut Line| {
        up(line);
        another_port(line);
    };
    let deviates = |line: &mut Line| {
        up(line);
        line.verdict = Verdict::Deviates;
    };
    let with_a_finding = |line: &mut Line| {
        up(line);
        line.findings = super::line("").findings;
    };
    let does_the_same = |line: &mut Line| {
        up(line);
        line.trace.events = super::line("").trace.events;
    };
    let changes: [(&str, Change<'_>); 6] = [
        ("the same without \"link set link0 down\"", &up),
        ("the same with one value changed", &another_port),
        ("", &both),
        ("", &deviates),
        ("", &with_a_finding),
        ("", &does_the_same),
    ];
    for (what, change) in changes {
        let other = like(&bug, "s/t[b]", change);
        let part = Part { controls: vec![&other], ..part(&bug) };
        let found = lead::contrast(&part);
        assert_eq!(found.as_ref().map_or("", |found| found.what.as_str()), what);
        if let Some(found) = found {
            assert!(found.lines.iter().any(|line| line.ends_with("= -1 ENETUNREACH")));
            assert_eq!(found.id, "s/t[b]");
        }
    }
    assert!(lead::contrast(&part(&bug)).is_none(), "nothing has run");
}

/// What goes by mail has its programs in an answer; what goes into a form has them beside it.
#[rstest]
#[case(Recipient::Netdev, "To: netdev@vger.kernel.org\nSubject: [BUG] net: ")]
#[case(Recipient::Glibc, "To: libc-alpha@sourceware.org\nSubject: [BUG] sendto ")]
#[case(Recipient::Musl, "To: musl@lists.openwall.com\nSubject: [BUG] sendto ")]
#[case(Recipient::Freebsd, "Product: ")]
#[case(Recipient::Gvisor, "https://")]
fn a_list_is_told_by_two_mails(#[case] to: Recipient, #[case] begins: &str) {
    let files = files_of("", false, to, |_| ());
    let read = |name: &str| {
        let file = files.iter().find(|file| file.name == name)?;
        Some(String::from_utf8(file.bytes.clone()).unwrap())
    };
    let mail = read("mail.txt").unwrap();
    assert!(mail.starts_with(begins), "{mail}");
    let is_mail = begins.starts_with("To: ");
    let answer = read("mail-program.txt");
    assert_eq!(answer.is_some(), is_mail);
    if let Some(answer) = answer {
        assert!(answer.is_ascii() || answer.contains("charset=UTF-8"), "{answer}");
        let (head, body) = answer.split_once("\n\n").unwrap();
        assert!(head.lines().any(|line| line.starts_with("Subject: Re: [BUG] ")), "{head}");
        assert!(body.contains(&read("repro.c").unwrap()), "the program is not whole");
    }
    // What a library does is no matter of a kernel's.
    let of_kernel = mail.contains("taint: ");
    assert_eq!(of_kernel, !matches!(to, Recipient::Glibc | Recipient::Musl), "{mail}");
}

/// Who did it is who is told, and of a library no kernel's version is told to be the first that has it.
#[test]
fn who_resolves_names_is_told_of_names() {
    let (mut subject, kernels) = (subject(""), line(""));
    let mut names = line("");
    let lookup = r#"[{"inet_pton":{"family":"AF_INET","text":"1"}}]"#;
    names.case.ops = serde_json::from_str(lookup).unwrap();
    names.findings[0].op = 0;
    names.trace.events.truncate(1);
    for (libc, whom) in [
        ("glibc 2.36", Recipient::Glibc),
        ("musl", Recipient::Musl),
        ("", Recipient::Netdev),
        ("another", Recipient::Netdev),
    ] {
        subject.kernel.libc = libc.to_owned();
        let of = |parts: &[Part<'_>]| Recipient::of(&subject, Os::Linux, parts);
        assert_eq!(of(&[part(&names)]), whom, "{libc}");
        assert_eq!(of(&[part(&kernels)]), Recipient::Netdev);
        assert_eq!(of(&[part(&names), part(&kernels)]), Recipient::Netdev, "both did something");
        assert_eq!(Recipient::of(&subject, Os::Macos, &[part(&names)]), Recipient::Apple);
    }
    subject.platforms = vec!["gvisor-20240729".to_owned()];
    assert_eq!(Recipient::of(&subject, Os::Linux, &[part(&kernels)]), Recipient::Gvisor);
    subject.kernel.libc = "glibc 2.36".to_owned();
    assert_eq!(Recipient::of(&subject, Os::Linux, &[part(&names)]), Recipient::Glibc);
    let rules = rules();
    let mut bundle = bare(&subject, &rules, &names, Recipient::Glibc);
    let kernel = Fingerprint {
        release: "6.1.0".into(),
        libc: "glibc 2.31".into(),
        ..subject.kernel.clone()
    };
    let (name, outcome) = ("Linux 6.1.0".to_owned(), "otherwise".to_owned());
    bundle.parts[0].elsewhere = vec![Elsewhere { kernel, name, verdict: Verdict::Ok, outcome }];
    let lead = lead::lead(&bundle, &bundle.parts[0]);
    assert!(
        lead.contains("Not on glibc 2.31 on Linux 6.1.0.") && !lead.contains("Worked in"),
        "{lead}"
    );
    assert!(lead.starts_with("On glibc 2.36 on Linux 6.18.4"), "{lead}");
}

/// One area, one title, one line of what was expected and of what came; rows of one cause are a table.
#[test]
fn a_form_for_apple_has_each_field_once() {
    let (mut subject, line, rules) = (subject(""), line(""), rules());
    subject.kernel.machine = "arm64".to_owned();
    subject.log = Some(Log { lines: vec!["kernel: link0 down".to_owned(); 20], missing: None });
    let environment = subject.environment.as_mut().unwrap();
    environment.said.insert("sysctl hw.model".to_owned(), "hw.model: Mac15,3\n".to_owned());
    environment.filters = vec!["VPN (com.x)".to_owned()];
    let mut bundle = bare(&subject, &rules, &line, Recipient::Apple);
    bundle.environment = subject.environment.as_ref();
    bundle.log = subject.log.as_ref();
    let text = readme::readme(&bundle);
    let (form, rest) = text.split_once("What follows is there").unwrap();
    for line in [
        "- Area: macOS, Networking (kernel, sockets)",
        "- Title: sendto lost in silence: UDP to a neighbour (6.18.4)",
        "- Expected: a frame, or an error from the call or a later one on the socket",
        "- Actual: sendto returned 6, but no frame carried them",
        "- Hardware: Mac15,3, arm64",
        "- Content filters and VPNs: VPN (com.x)",
    ] {
        assert_eq!(form.lines().filter(|have| *have == line).count(), 1, "{line}: {form}");
    }
    assert_eq!(form.matches("link0 down").count(), 12, "{form}");
    assert!(form.contains("sudo sysdiagnose") && !form.contains("| when |"), "{form}");
    assert!(!rest.contains("- Area: "), "{rest}");
    let part = bundle.parts[0].clone();
    bundle.parts.push(part);
    let form = readme::readme(&bundle);
    let (form, _) = form.split_once("What follows is there").unwrap();
    assert_eq!(
        form.lines().filter(|line| line.starts_with("| `s/t[a]` | UDP to a neighbour |")).count(),
        2
    );
    assert_eq!(form.matches("- Title: ").count(), 1);
}
