//! What is private goes nowhere, and what is known stands in its place.

use harness::case::{Hex, Lab, LabOp, LinkKind};
use harness::environment::Private;
use harness::trace::{Did, Direction, End, Event, LinkFact, Out};
use harness::verdict::Verdict;
use harness::wire::Framing;
use rstest::rstest;

use super::*;
use crate::runs::{Cite, Finding};

mod told;

/// One of each kind, as it may stand anywhere.
const PLANTED: [&str; 20] = [
    "planted-host",
    "plantuser",
    "corp.planted.example",
    "SN12345678",
    "PlantedNet",
    "8.20.30.40",
    "2a00:1450::77",
    "fe80::a8bb:ccff:fedd:eeff",
    "ac:bb:cc:dd:ee:ff",
    "AC-BB-CC-DD-EE-0F",
    "6f9619ff-8b86-d011-b42d-00c04fc964ff",
    "/home/stranger",
    "jane@mail.example",
    "0011.2233.4455",
    "ip-10-9-8-7",
    "11-12-13-14.planted.test",
    "a9bb:ccff:fedd:eef1",
    "/srv/people/planted",
    "planted%2dhost",
    "plant%75ser%40corp",
];

fn private() -> Private {
    let one = |word: &str| vec![word.to_owned()];
    Private {
        hosts: one("planted-host"),
        users: one("plantuser"),
        domains: one("corp.planted.example"),
        serials: one("SN12345678"),
        ssids: one("PlantedNet"),
        vpns: vec!["VPN".to_owned(), "Planted Office".to_owned()],
        paths: one("/srv/people/planted"),
    }
}

/// A UDP datagram from a stranger's card and address, which are none of the lab's.
fn frame() -> Vec<u8> {
    let mut frame = vec![0xac, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 2, 0, 0, 0, 0, 1, 8, 0];
    frame.extend([0x45, 0, 0, 34, 0, 0, 0, 0, 64, 17, 0, 0, 8, 20, 30, 40, 192, 0, 2, 1]);
    frame.extend([0x30, 0x39, 0x30, 0x39, 0, 14, 0, 1, b'h', b'e', b'l', b'l', b'o', 0]);
    harness::wire::mend(Framing::Ethernet, &mut frame);
    frame
}

fn line(text: &str) -> Line {
    let ops = r#"[{"socket":{"fd":"s","domain":"AF_INET","type":["SOCK_DGRAM"],"protocol":[]}},
        {"sendto":{"fd":"s","data":{"text":"hello\u0000"},"flags":[],"addr":{"host":{"ip":"192.0.2.2"},"port":{"is":9}}}}]"#;
    let case = Case::new(
        "s/t[a]",
        "UDP to a neighbour",
        Lab::one(LinkKind::Tap, "link0"),
        serde_json::from_str(ops).unwrap(),
    );
    let call = |op, ret| {
        let did = Did::Returned { ret, errno: None, out: Out::Nothing };
        Event::Call { op, at_ns: 0, took_ns: 0, addr: None, did }
    };
    let (link, dir) = ("link0".to_owned(), Direction::In);
    let seen = Event::Frame { op: 1, at_ns: 0, link, dir, bytes: Hex(frame()) };
    let mac = Hex(vec![0xac, 0xbb, 0xcc, 0xdd, 0xee, 0xff]);
    let fact =
        LinkFact { name: "link0".into(), index: 2, kind: Some(LinkKind::Tap), mac, unseen: false };
    let trace = Trace {
        schema: harness::SCHEMA,
        case: case.id.clone(),
        began_ns: 1_795_510_301_000_000_000,
        links: vec![fact],
        events: vec![call(0, 0), call(1, 6), seen],
        end: End::Done,
        pauses_ms: Vec::new(),
        disturbed: Vec::new(),
        beyond: None,
        own: None,
        program: None,
        served: Vec::new(),
    };
    let broken = "sendto returned 6, but no frame carried them.".to_owned();
    let found = |rule, text| Finding { rule, rank: None, op: 1, text, known: None };
    let remark = "sendto returned ENOTTY, which no manual lists.".to_owned();
    Line {
        subject: "native".to_owned(),
        id: case.id.clone(),
        verdict: Verdict::Deviates,
        outcome: format!("socket() = s\n{text}\n"),
        baseline: None,
        expected: None,
        findings: vec![found("no-silent-loss".into(), broken)],
        remarks: vec![found("errno-documented".into(), remark)],
        unexpected: Vec::new(),
        case,
        trace,
    }
}

fn subject(text: &str) -> Subject {
    let kernel = Fingerprint {
        system: "Linux".into(),
        release: format!("6.18.4 {text}"),
        version: format!("#1 {text}"),
        machine: "x86_64".into(),
        ..Fingerprint::default()
    };
    Subject {
        name: "native".to_owned(),
        platforms: vec!["linux-6.18".to_owned()],
        program: "0.1.0".to_owned(),
        revision: Some("v0.1.0-7-g0123456".to_owned()),
        began_ns: 0,
        seed: None,
        cases: 1,
        environment: Some(Environment {
            kernel: Some(kernel.clone()),
            os: Some(format!("Debian {text}")),
            os_build: Some("24D70".to_owned()),
            private: private(),
            ..Environment::default()
        }),
        log: Some(Log { lines: vec![format!("[    1.000000] {text}")], missing: None }),
        kernel,
        ended: None,
    }
}

/// What a run keeps of a machine goes where the run goes.
#[test]
fn a_machine_and_its_log_tell_nothing_private() {
    let text = PLANTED.join(" ");
    let subject = subject(&text);
    let (machine, log) = (subject.environment.unwrap(), subject.log.unwrap());
    let mut scrub = Scrub::new(&machine.private);
    let clean = (scrub.machine(&machine), scrub.log(&log));
    assert_eq!(clean.0.private, Private::default());
    assert_eq!(clean.0.os_build.as_deref(), Some("24D70"));
    let told = serde_json::to_string(&clean).unwrap();
    for planted in PLANTED {
        assert!(!told.contains(planted), "{planted}: {told}");
    }
    assert!(told.contains("host-1") && told.contains("198.18."), "{told}");
    // The check can fail: what is not replaced is seen.
    let open = serde_json::to_string(&Scrub::off().machine(&machine)).unwrap();
    assert!(PLANTED.iter().all(|planted| open.contains(planted)), "{open}");
}

/// What `netstat -rn` of a Mac has of the networks that it is in.
#[test]
fn a_route_tells_no_prefix() {
    let routes = [
        ("default            192.168.178.1      UGScg    en0", "default            198.18.0."),
        ("192.168.178        link#4             UCS      en0", "198.18.0."),
        ("172.20/16          10.8.0.1           UGSc     utun4", "198.18.0."),
        ("10                 10.8.0.1           UGSc     utun4", "198.18.0."),
        ("192.168.178.1      a4:83:e7:0:1:2     UHLWIir  en0", "198.18.0."),
        ("224.0.0/4          link#4             UmCS     en0", "224.0.0.0/4 "),
        ("127                127.0.0.1          UCS      lo0", "127.0.0.0/8 "),
        ("fe80::%en0/64      link#4             UCI      en0", "fe80::%en0/64 "),
        ("Internet6:", "Internet6:"),
        ("Destination        Gateway            Flags    Netif Expire", "Destination "),
        ("", ""),
    ];
    let machine = Environment {
        routes: routes.map(|(line, _)| line.to_owned()).to_vec(),
        ..Environment::default()
    };
    let clean = Scrub::new(&private()).machine(&machine).routes;
    for ((was, begins), is) in routes.iter().zip(&clean) {
        assert!(is.starts_with(begins), "{was}: {is}");
    }
    let told = clean.join("\n");
    for part in ["192.168", "172.20", "10.8", "10 ", "a4:83", ":e7"] {
        assert!(!told.contains(part), "{part}: {told}");
    }
    // What is left says how long the prefix was.
    assert!(clean[1].contains("/24 ") && clean[2].contains("/16 ") && clean[3].contains("/8 "));
    assert_eq!(Scrub::off().machine(&machine).routes, machine.routes);
}

fn rules() -> Vec<Rule> {
    let cite = Cite {
        source: "RFC 1122 §2.3.2.2".to_owned(),
        quote: "The words.".to_owned(),
        link: Some("https://www.rfc-editor.org/rfc/rfc1122#section-2.3.2.2".to_owned()),
    };
    let says = "A send leaves its payload on a wire.".to_owned();
    vec![Rule { name: "no-silent-loss".to_owned(), rank: None, says, cites: vec![cite] }]
}

fn part(line: &Line) -> Part<'_> {
    Part {
        line,
        os: Os::Linux,
        times: 10,
        same: 9,
        elsewhere: Vec::new(),
        baselines: Vec::new(),
        controls: Vec::new(),
        tried: Tried::Agrees,
    }
}

fn files_of(
    text: &str,
    keep: bool,
    recipient: Recipient,
    change: impl Fn(&mut Part<'_>),
) -> Vec<File> {
    let (subject, line, rules) = (subject(text), line(text), rules());
    let mut part = part(&line);
    change(&mut part);
    let bundle = Bundle {
        subject: &subject,
        os: Os::Linux,
        environment: subject.environment.as_ref(),
        log: subject.log.as_ref(),
        rules: &rules,
        parts: vec![part],
        recipient,
    };
    bundle.files(&mut bundle.scrub(keep)).unwrap()
}

/// One case of a machine of which nothing is known.
fn bare<'a>(
    subject: &'a Subject,
    rules: &'a [Rule],
    line: &'a Line,
    recipient: Recipient,
) -> Bundle<'a> {
    let (environment, log, parts) = (None, None, vec![part(line)]);
    Bundle { subject, os: Os::Linux, environment, log, rules, parts, recipient }
}

fn has(file: &File, word: &str) -> bool {
    String::from_utf8_lossy(&file.bytes).to_lowercase().contains(&word.to_lowercase())
}

#[test]
fn no_file_has_what_is_private() {
    let text = PLANTED.join(" ");
    let open = files_of(&text, true, Recipient::Netdev, |_| ());
    let clean = files_of(&text, false, Recipient::Netdev, |_| ());
    for (open, clean) in open.iter().zip(&clean) {
        for word in PLANTED {
            // The script has no words of a machine's in it, and nothing to plant them by.
            assert!(
                open.name == "run.sh" || has(open, word),
                "not planted: {word} in {}",
                open.name
            );
            assert!(!has(clean, word), "{word} in {}", clean.name);
        }
        for bytes in [&[0xac, 0xbb, 0xcc, 0xdd, 0xee, 0xff][..], &[8, 20, 30, 40]] {
            let hex = Hex(bytes.to_vec()).to_string();
            assert!(
                !clean.bytes.windows(bytes.len()).any(|w| w == bytes),
                "{hex} in {}",
                clean.name
            );
            assert!(!has(clean, &hex), "{hex} in {}", clean.name);
        }
    }
    let json =
        String::from_utf8_lossy(&clean.iter().find(|f| f.name == "trace.json").unwrap().bytes)
            .into_owned();
    assert!(json.contains("0a0000000001") && json.contains("c6120001"), "{json}");
}

#[test]
fn a_frame_that_was_sound_stays_so() {
    let mut frame = frame();
    Scrub::new(&private()).frame(Framing::Ethernet, &mut frame);
    let mut mended = frame.clone();
    harness::wire::mend(Framing::Ethernet, &mut mended);
    assert_eq!(mended, frame);
    assert_eq!(frame[..6], [0x0a, 0, 0, 0, 0, 1]);
}

#[rstest]
#[case("of planted-host, PLANTED-HOST.", "of host-1, host-1.")]
#[case("replanted-hosts", "replanted-hosts")]
#[case("192.0.2.1 [fe80::1:2%3]:9 02:00:00:00:00:03 127.0.0.1 ff02::1:ff00:3 ::1", "")]
#[case("SRC=10.0.0.9:53 and 10.0.0.9.", "SRC=198.18.0.1:53 and 198.18.0.1.")]
#[case("ip=10.0.0.2::10.0.0.1:255.255.255.0:x", "ip=198.18.0.1::198.18.0.2:255.255.255.0:x")]
#[case("a-10.0.0.1 10.0.0.1-10.0.0.2", "a-198.18.0.1 198.18.0.1-198.18.0.2")]
#[case(
    "MAC=ac:00:00:00:00:01:02:00:00:00:00:01:08:00",
    "MAC=0a:00:00:00:00:01:02:00:00:00:00:01:08:00"
)]
#[case("host:10.0.0.1 1.0.0.10.in-addr.arpa", "host:198.18.0.1 1.0.18.198.in-addr.arpa")]
#[case("mac:ac:00:00:00:00:01, x:2a00::7", "mac:0a:00:00:00:00:01, x:2001:2::1")]
#[case("uuid-6f9619ff-8b86-d011-b42d-00c04fc964ff", "uuid-id-1")]
#[case(r"a\nplanted-host\n10.0.0.1\n2001:db8::7", r"a\nhost-1\n198.18.0.1\n2001:db8::7")]
#[case("8.2.0.192.in-addr.arpa", "")]
#[case(
    "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.a.2.ip6.arpa",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.1.0.0.2.ip6.arpa"
)]
#[case("3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "")]
#[case("ff02::1:ffdd:eeff", "2001:2::1")]
#[case(r#"VPN (com.x) "Planted Office" [VPN:com.x]"#, r#"VPN (com.x) "vpn-1" [VPN:com.x]"#)]
#[case("::ffff:8.8.8.8", "::ffff:198.18.0.1")]
#[case("at 12:34:56, 2026-11-24", "")]
#[case::no_leading_zeros("a4:83:e7:0:1:2 en0", "0a:00:00:00:00:01 en0")]
#[case::in_a_sentence("by A4:83:E7:0:1:2: it", "by 0a:00:00:00:00:01: it")]
#[case::of_link_ntoa("en0:a4.83.e7.0.1.2", "en0:0a.00.00.00.00.01")]
#[case::shortest("0:1:2:3:4:f", "0a:00:00:00:00:01")]
#[case::a_version("15.3.1 24.3.0 1.2 12:34:56 1:2:3:4:5", "")]
#[case::of_the_lab("2:0:0:0:0:3 1:0:5e:0:0:fb ff:ff:ff:ff:ff:ff", "")]
#[case::of_eight_groups("1:2:3:4:5:6:7:8", "2001:2::1")]
#[case::zone("fe80::1c2b:3aff:fe4d:5e6f%en0", "2001:2::1%en0")]
#[case::embedded_zone("fe80:4::1c2b:3aff:fe4d:5e6f", "2001:2::1")]
#[case::zone_and_length("fe80::%lo0/64 2a02:8109:9c00:1::/64", "fe80::%lo0/64 2001:2::1/64")]
#[case::with_a_port("2a00:0:0:0:0:0:0:7.53 2A00::7.53", "2001:2::1.53 2001:2::1.53")]
#[case::before_another_domain("planted-mac.fritz.example", "host-2.fritz.example")]
#[case::its_own_domain("planted-mac.corp.example x.corp.example", "host-2 x.domain-2")]
#[case::as_it_was_set("Anna\u{2019}s MacBook Pro", "host-3")]
#[case::as_it_is_typed("ANNA'S MacBook Pro.", "host-3.")]
#[case::as_bonjour_has_it("annas-macbook-pro.local", "host-3.local")]
#[case::as_the_dns_writes_it(r"Anna\226\128\153s\032MacBook\032Pro._x._tcp", "host-3._x._tcp")]
#[case::as_mdns_writes_it("Anna\u{2019}s\\032MacBook\\032Pro", "host-3")]
#[case::as_json_writes_it("Anna\\u2019s MacBook Pro", "host-3")]
#[case::in_other_letters("M\u{dc}LLER m\u{fc}ller", "user-2 user-2")]
#[case::a_common_name("a mac and macOS, mac.local", "")]
#[case("/home/jane/x /Users/jim", "/home/user-3/x /Users/user-4")]
#[case::cisco("from 0011.2233.4455.", "from 0a00.0000.0001.")]
#[case::in_the_name_of_a_host("ip-10-0-0-1 1-2-3-4.example", "ip-198-18-0-1 198-18-0-2.example")]
#[case::a_date("2026-11-24 1-2-3 1-2-3-4-5 10-0-0-256", "")]
#[case::a_documents_address("192-0-2-1.example", "")]
#[case::the_tail_of_an_eui64("tail a8bb:ccff:fedd:eeff", "tail id-1")]
#[case::a_mail("to jane.d+x@mail.example, from <jim@host>", "to mail-1, from <mail-2>")]
#[case::a_list("netdev@vger.kernel.org, regressions@lists.linux.dev", "")]
#[case::in_c(r"a\njane@mail.example\n", r"a\nmail-1\n")]
#[case::no_mail("@ a@ @b 1@2 sockeye@0.1.0", "")]
#[case::of_a_url("x=%31%30.0.0.1 %70lanted-host%2Fa 100%25", "x=198.18.0.1 host-1/a 100%25")]
#[case::a_zone("[fe80::1%25]:9 fe80::2%10", "")]
#[case::a_folder("in /srv/people/planted/x", "in path-1/x")]
fn what_is_private_is_known_by_its_form(#[case] text: &str, #[case] becomes: &str) {
    let mut private = private();
    let hosts = ["planted-mac.corp.example", "Anna\u{2019}s MacBook Pro", "mac"];
    private.hosts.extend(hosts.map(str::to_owned));
    private.users.push("M\u{fc}ller".to_owned());
    let scrubbed = Scrub::new(&private).text(text, &BTreeSet::new());
    assert_eq!(scrubbed, if becomes.is_empty() { text } else { becomes });
}

#[test]
fn a_host_that_many_have_is_nobody() {
    let hosts = vec!["localhost".to_owned(), "debian".to_owned(), "x".to_owned()];
    let mut scrub = Scrub::new(&Private { hosts, ..Private::default() });
    let text = "localhost debian x";
    assert_eq!(scrub.text(text, &BTreeSet::new()), text);
}

#[test]
fn the_first_line_says_that_it_does_not_reproduce() {
    let how = "#1 sendto(s): 6 in the trace, -1 ENETDOWN here";
    let differs = |part: &mut Part<'_>| part.tried = Tried::Differs(how.to_owned());
    for file in &files_of("", false, Recipient::Netdev, differs)[..2] {
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        // Of a mail it is the first of what it says.
        let text = if file.name == "mail.txt" { text.split_once("\n\n").unwrap().1 } else { &text };
        let text = text.split_once("\n\n").unwrap().0.replace('\n', " ");
        let first = text.as_str();
        assert!(
            first.contains("does not reproduce") && first.contains(how),
            "{}: {first}",
            file.name
        );
    }
}

#[test]
fn everything_that_an_engineer_asks_for_is_there() {
    let other = |part: &mut Part<'_>| {
        part.elsewhere = vec![Elsewhere {
            kernel: Fingerprint {
                system: "Linux".into(),
                release: "6.1.0".into(),
                ..Fingerprint::default()
            },
            name: "Linux 6.1.0".into(),
            verdict: Verdict::Ok,
            outcome: "socket() = s\nsendto() = -1 ENETDOWN".into(),
        }];
    };
    let files = files_of("", false, Recipient::Netdev, other);
    let read = |name: &str| {
        let file = files.iter().find(|file| file.name == name).unwrap();
        String::from_utf8(file.bytes.clone()).unwrap()
    };
    let readme = read("README.md");
    for words in [
        "# sendto lost in silence: UDP to a neighbour (6.18.4)",
        "(24D70), 9 of 10 times: UDP to a neighbour. ",
        "Expected: a frame, or an error from the call or a later one on the socket. Worked in",
        "Worked in Linux 6.1.0, fails in Debian",
        "9 of 10 times",
        "A remark, no fault: sendto returned ENOTTY, which no manual lists.\n",
        "> The words.",
        "[RFC 1122 §2.3.2.2](https://www.rfc-editor.org/rfc/rfc1122#section-2.3.2.2)",
        "| Linux 6.1.0 | `sendto() = -1 ENETDOWN` |",
        "by sockeye 0.1.0 (v0.1.0-7-g0123456)",
        "sh run.sh",
    ] {
        assert!(readme.contains(words), "{words}: {readme}");
    }
    let mail = read("mail.txt");
    for words in [
        "To: netdev@vger",
        "Subject: [BUG] net: sendto lost in silence: UDP to a neighbour (6.18.4)",
        "#regzbot introduced: v6.1..v6.18.4",
        "good: Linux 6.1.0",
        "cc -pthread repro.c -o repro && ./repro",
        "RFC 1122 section 2.3.2.2: \"The words.\" <https://www.rfc-editor.org/rfc/rfc1122#section-2.3.2.2>",
    ] {
        // Lines of a mail are of a width.
        let mail = mail.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(mail.contains(words), "{words}: {mail}");
    }
}

#[rstest]
#[case(Recipient::Apple, "README.md", "- Area: macOS")]
#[case(Recipient::Freebsd, "mail.txt", "Product: Base System")]
#[case(Recipient::Gvisor, "mail.txt", "https://github.com/google/gvisor/issues/new")]
fn each_is_told_in_its_own_form(#[case] to: Recipient, #[case] name: &str, #[case] has: &str) {
    let files = files_of("", false, to, |_| ());
    let file = files.iter().find(|file| file.name == name).unwrap();
    assert!(String::from_utf8_lossy(&file.bytes).contains(has));
}

#[test]
fn what_a_case_says_is_left_alone_in_any_spelling() {
    let mut scrub = Scrub::new(&private());
    scrub.allow(r#"{"node":"1.65535"},{"node":"0x08.010.1"},{"ip":"2a00::1:2:3"}"#);
    let text = "1.0.255.255 8.8.0.1 2a00::1:2:3 ff02::1:ff02:3";
    assert_eq!(scrub.text(text, &BTreeSet::new()), text);
    assert_eq!(scrub.text("8.8.0.2", &BTreeSet::new()), "198.18.0.1");
}
