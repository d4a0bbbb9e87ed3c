//! What a machine says of itself is let through only where it is known.

use harness::environment::{Interface, Log};
use harness::trace::{End, Trace};

use super::*;

fn interface(name: &str, addresses: &[&str]) -> Interface {
    let addresses = addresses.iter().map(|one| (*one).to_owned()).collect();
    Interface { name: name.to_owned(), flags: Vec::new(), mtu: None, addresses }
}

/// Each survived a run and its bundle before there was a list of what is let through.
const TOLD_BEFORE: [&str; 22] = [
    "enx001122334455",
    "jqpublic0",
    "jqpublic",
    "secret",
    "ks.planted",
    "rd.luks.key",
    "s3cr3t",
    "BOOTIF",
    "11-22-33-44-55",
    "0011.2233.4455",
    "001122334455",
    "33:4455",
    "33:44:55",
    "0a090807",
    "0x0708090a",
    "ip-10-9-8-7",
    "1-2-3-4",
    "%6a%71",
    "jane@",
    "SN00AABB",
    "PlantedNet",
    "10.9.8.7",
];

/// A machine with all of that in every place where it may stand.
fn machine_full_of_names() -> (Environment, Log) {
    let words = "eth1 enx001122334455 jqpublic0 jqpublic 0011.2233.4455 001122334455 fe33:4455 33:44:55 \
                 0a090807 0x0708090a ip-10-9-8-7 1-2-3-4.planted.test %6a%71public jane@mail.test SN00AABB \
                 PlantedNet 10.9.8.7";
    let line = "quiet ks=https://jqpublic:secret@ks.planted/x rd.luks.key=/k token=s3cr3t \
                BOOTIF=01-00-11-22-33-44-55 ipv6.disable=0";
    let private = Private {
        users: vec!["jqpublic".to_owned()],
        serials: vec!["SN00AABB".to_owned()],
        ssids: vec!["PlantedNet".to_owned()],
        ..Private::default()
    };
    let machine = Environment {
        private,
        command_line: Some(format!("{line} {words}")),
        interfaces: vec![
            interface("enx001122334455", &["00:11:22:33:44:55", "10.9.8.7"]),
            interface("jqpublic0", &["fe80::211:22ff:fe33:4455"]),
            interface("eth1", &[]),
        ],
        routes: vec!["10.9.8.0/24 via 10.9.8.7 dev jqpublic0".to_owned()],
        filters: vec![format!("jqpublic0 is a tun interface {words}")],
        confinement: vec![format!("security label {words}")],
        unknown: vec![format!("/srv/x/jq: {words}")],
        said: [(
            "ifconfig -a".to_owned(),
            format!("jqpublic0: flags=1\n\tdescription: {words}\n\tinet 10.9.8.7"),
        )]
        .into(),
        sysctls: [("net.ipv4.tcp_fastopen_key".to_owned(), words.to_owned())].into(),
        ..Environment::default()
    };
    let lines = ["[    1.5] IPv6: ", "[    1.5] usb 1-1: SerialNumber: ", "TCP: peer ", ""];
    let lines = lines.iter().map(|head| format!("{head}{words}")).collect();
    (machine, Log { lines, missing: Some(format!("/srv/x: {words}")) })
}

#[test]
fn what_survived_before_is_gone() {
    let (machine, log) = machine_full_of_names();
    let told = |scrub: &mut Scrub| {
        let clean = (scrub.machine(&machine), scrub.log(&log));
        (serde_json::to_string(&clean).unwrap(), clean)
    };
    let (text, clean) = told(&mut Scrub::of(&machine));
    for planted in TOLD_BEFORE {
        assert!(!text.to_lowercase().contains(&planted.to_lowercase()), "{planted}: {text}");
    }
    let names: Vec<&str> = clean.0.interfaces.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["if1", "if2", "eth1"]);
    assert!(clean.0.command_line.unwrap().contains("ipv6.disable=0"));
    assert!(clean.0.routes[0].ends_with(" dev if2"), "{:?}", clean.0.routes);
    // The check can fail: what is not replaced is seen.
    let (open, _) = told(&mut Scrub::off());
    assert!(TOLD_BEFORE.iter().all(|planted| open.contains(planted)), "{open}");
}

/// A run is scrubbed when it is made, and its bundle is whenever that is.
#[test]
fn what_was_scrubbed_once_is_the_same_when_scrubbed_again() {
    let (machine, log) = machine_full_of_names();
    let mut scrub = Scrub::of(&machine);
    let once = (scrub.machine(&machine), scrub.log(&log));
    let mut scrub = Scrub::of(&once.0);
    let twice = (scrub.machine(&once.0), scrub.log(&once.1));
    assert_eq!(once, twice);
}

#[test]
fn a_subject_and_a_reason_have_no_arguments_and_no_paths() {
    let one = |word: &str| vec![word.to_owned()];
    let mut scrub = Scrub::new(&Private {
        hosts: one("planted-host"),
        users: one("plantuser"),
        paths: one("/srv/people/planted"),
        ..Private::default()
    });
    for (name, begins, whole) in [
        ("native", "native", true),
        ("linux-6.1", "linux-6.1", true),
        ("cmd:sockeye", "cmd:sockeye", true),
        ("cmd:ssh jq@planted-host sockeye exec", "cmd:ssh \u{2026}", false),
        ("cmd:TOKEN=hunter2 sockeye exec", "cmd:program \u{2026}", false),
        ("cmd:TOKEN=hunter2", "cmd:program \u{2026}", false),
        ("cmd:(sockeye exec)", "cmd:program \u{2026}", false),
        ("cmd:/srv/people/planted/run-plantuser", "cmd:run-user-1 \u{2026}", false),
        ("/data/plantuser/vmlinux", "vmlinux \u{2026}", false),
        ("~/linux/bzImage", "bzImage \u{2026}", false),
    ] {
        let told = scrub.subject(name);
        assert!(told.starts_with(begins) && (told == name) == whole, "{told}");
        assert_eq!(scrub.subject(&told), told, "twice");
    }
    assert_ne!(scrub.subject("cmd:ssh a"), scrub.subject("cmd:ssh b"));
    let said = "/data/x/plantuser/kernel: no such file, asked by jane@mail.test of planted-host at 8.8.8.8";
    let clean = "/\u{2026}: no such file, asked by mail-1 of host-1 at 198.18.0.1";
    for end in [
        End::Skipped { reason: said.to_owned() },
        End::Broken { reason: said.to_owned() },
        End::Died { how: said.to_owned() },
    ] {
        let trace = Trace::new("s/t[a]", Vec::new(), Vec::new(), end);
        let told = scrub.told(&trace).expect("it has words").end;
        let (End::Skipped { reason: text }
        | End::Broken { reason: text }
        | End::Died { how: text }) = told
        else {
            panic!("{told:?}")
        };
        assert_eq!(text, clean);
        assert!(Scrub::off().told(&trace).is_none());
    }
    let done = Trace::new("s/t[a]", Vec::new(), Vec::new(), End::Done);
    assert!(scrub.told(&done).is_none());
}

/// A Mac's interfaces are in no list.
#[test]
fn what_ifconfig_says_is_known_by_its_lines() {
    let text = "en0: flags=8863<UP> mtu 1500\n\tether ac:de:48:00:11:22\n\tinet 10.9.8.7 netmask \
                0xffffff00 broadcast 10.9.8.255\n\tdescription: jqpublic at home\njqpublic0: flags=1\n";
    let machine = Environment {
        said: [("ifconfig -a".to_owned(), text.to_owned())].into(),
        unknown: vec!["jqpublic0 acde48001122 0a090807".to_owned()],
        ..Environment::default()
    };
    let clean = Scrub::of(&machine).machine(&machine);
    let said = &clean.said["ifconfig -a"];
    assert!(
        said.starts_with("en0: flags=8863<UP> mtu 1500\n\tether 0a:00:00:00:00:01\n"),
        "{said}"
    );
    assert!(said.ends_with("\n\u{2026}\nif1: flags=1"), "{said}");
    assert_eq!(clean.unknown, ["if1 mac-1 addr-1"]);
}

/// A person's address at kernel.org was taken for a list's.
#[test]
fn people_are_no_lists() {
    let mut scrub = Scrub::new(&Private::default());
    let told = scrub.text("jane@kernel.org netdev@vger.kernel.org", &BTreeSet::new());
    assert_eq!(told, "mail-1 netdev@vger.kernel.org");
}
