use super::State::{Elsewhere, Excused, Missing, Seen};
use super::*;
use crate::baseline::text;

/// Made-up baselines: a case that is shorter on Linux, one of an older Linux alone, one of gVisor.
fn made() -> Baselines {
    let mut all = Baselines::default();
    let rows = [
        // Shorter than all, but it ends at what is not there.
        ("s/cut[a]", "bind(s, x) = -1 EINVAL\nkevent([], 0) = ? unsupported here: kevent"),
        ("s/long[a]", "bind(s, x) = -1 EINVAL\nsocket(A) = s\nsocket(A) = t\nclose(t) = 0"),
        (
            "s/set[a]",
            "setsockopt(s, SOL_SOCKET, SO_TYPE, 1) = 0\ngetsockopt(s, SOL_SOCKET, SO_TYPE) = 0, 1",
        ),
        (
            "s/short[a]",
            "bind(s, {AF_INET 10.0.0.1:1}) = -1 EINVAL\nsocket(A) = t\n    > lo IPv4 EPERM MSG_OOB accept(l) = 1",
        ),
        // Flags that nothing was asked with: on no socket, and where a number was meant.
        (
            "s/flags[a]",
            "recv(f, 8, MSG_PEEK) = -1 EBADF\nsend(f, \"x\", 1, MSG_MORE) = -1 ENOTSOCK\n\
             epoll_ctl(ep, MSG_PROXY, s, {events=0}) = 0",
        ),
        // It reads back, refuses to be set, and is set without anything that tells.
        (
            "s/own[a]",
            "setsockopt(s, IPPROTO_IP, IP_TTL, 9) = 0\ngetsockopt(s, IPPROTO_IP, IP_TTL) = 0, ttl 9",
        ),
        (
            "s/refused[a]",
            "setsockopt(s, IPPROTO_IP, IP_TTL, 0) = -1 EINVAL\n    > ttl 64\nclose(s) = 0\nclose(t) = 0",
        ),
        ("s/read[a]", "getsockopt(s, IPPROTO_IP, IP_TTL) = 0, 64\n    > ttl 64"),
        ("s/quiet[a]", "setsockopt(s, IPPROTO_IP, IP_TTL, 7) = 0"),
        (
            "s/told[a]",
            "setsockopt(s, IPPROTO_IP, IP_TTL, 7) = 0\nsend(s, \"MSG_EOR\", 7, MSG_OOB) = 7\n    > ttl 7\n\
             getsockopt(s, SOL_SOCKET, SO_ERROR) = 0, ECONNREFUSED\n\
             ioctl(s, FIONREAD) = 0, 3\n\
             setsockopt(s, SOL_SOCKET, SO_DEBUG, 0) = 0\n\
             getsockopt(s, SOL_SOCKET, SO_DEBUG) = 0, 0\n\
             recvmsg(s, {msg_iov=[1]}, 0) = 1, \"x\", msg_control=[{IPPROTO_IP, IP_TTL, 7}]\n\
             kevent([], 0) = ? unsupported here: kevent",
        ),
    ];
    all.add("linux", &text(rows));
    all.add("linux-6.1", &text([("s/short[a]", "bind(s, {AF_INET 10.0.0.1:1}) = -1 EACCES")]));
    all.add("linux-5.10", &text([("s/long[a]", "bind(s, x) = -1 EINVAL")]));
    all.add("gvisor", &text([("s/long[a]", "bind(s, x) = -1 EINVAL")]));
    all
}

fn list(kind: Kind, text: &str) -> List {
    list::read(kind, text).unwrap()
}

/// Name, state and depth, where it was and by which case.
fn told<'a>(covered: &'a [Covered<'_>]) -> Vec<(&'a str, State, String, Option<&'a str>)> {
    let entries = covered.iter().flat_map(|covered| &covered.entries);
    entries.map(|e| (&*e.item.name, e.state, e.on.join(" "), e.case)).collect()
}

#[test]
fn what_an_outcome_has_is_seen_and_nothing_else() {
    let baselines = made();
    let lists = [
        list(Kind::Calls, "bind\nkevent macos\naccept\nkqueue"),
        list(Kind::Errnos, "EINVAL\nEACCES\nECONNREFUSED\nEPERM\nEWOULDBLOCK = EACCES"),
        list(Kind::Flags, "MSG_OOB\nMSG_EOR : no reason is needed\nMSG_PEEK\nMSG_MORE\nMSG_PROXY"),
        list(Kind::Ioctls, "FIONREAD\nTIOCINQ = FIONREAD"),
        list(Kind::Controls, "IP_TTL\nSCM_RIGHTS"),
    ];
    let covered = coverage(&lists, &[], &baselines);
    let short = Some("s/short[a]");
    let long = Some("s/told[a]");
    let expected = [
        // On Linux as such, and on gVisor; of 6.1 and 5.10 nothing more.
        ("bind", Seen, "gvisor linux", short),
        ("kevent", Elsewhere, "", None),
        // In a frame's line, and in quotes.
        ("accept", Missing, "", None),
        ("kqueue", Missing, "", None),
        ("EINVAL", Seen, "gvisor linux", short),
        ("EACCES", Seen, "linux-6.1", short),
        ("ECONNREFUSED", Seen, "linux", long),
        ("EPERM", Missing, "", None),
        ("EWOULDBLOCK", Seen, "linux-6.1", short),
        ("MSG_OOB", Seen, "linux", long),
        ("MSG_EOR", Excused, "", None),
        // No socket, and no call that takes flags.
        ("MSG_PEEK", Missing, "", None),
        ("MSG_MORE", Missing, "", None),
        ("MSG_PROXY", Missing, "", None),
        ("FIONREAD", Seen, "linux", long),
        ("TIOCINQ", Seen, "linux", long),
        ("IP_TTL", Seen, "linux", long),
        ("SCM_RIGHTS", Missing, "", None),
    ];
    let expected = expected.map(|(name, state, on, case)| (name, state, on.to_owned(), case));
    assert_eq!(told(&covered), expected);
    assert_eq!(faults(&covered, &[], &baselines), [""; 0]);
}

#[test]
fn a_pair_is_the_errno_of_that_call_alone() {
    let baselines = made();
    let lists = [list(Kind::Pairs, "calls: bind send\nbind EADDRINUSE : made up")];
    let covered = coverage(&lists, &[], &baselines);
    let state = |name: &str| {
        let mut found = covered[0].entries.iter().filter(|entry| entry.item.name == name);
        found.next().map(|entry| entry.state)
    };
    assert_eq!(state("bind EINVAL"), Some(Seen));
    assert_eq!(state("bind ENOTSOCK"), Some(Missing));
    assert_eq!(state("bind EADDRINUSE"), Some(Excused));
    // SO_ERROR tells it, and no call returned it.
    assert_eq!(state("send ECONNRESET"), Some(Missing));
    // Documented nowhere, whatever came.
    assert_eq!(state("send ENOTTY"), None);
}

#[test]
fn an_option_is_called_read_back_or_seen_at_work() {
    let baselines = made();
    let lists = [list(Kind::Options, "SO_TYPE\nSO_ERROR\nIP_TTL\nSO_DEBUG\nSO_LINGER")];
    let line = "IP_TTL s/told[a] unlike s/short[a] : ttl 7";
    let works = effects::read(line).unwrap();
    let covered = coverage(&lists, &works, &baselines);
    let depths: Vec<_> = covered[0].entries.iter().map(|entry| entry.depth).collect();
    let [read, called, effect] = [Depth::ReadBack, Depth::Called, Depth::Effect].map(Some);
    assert_eq!(depths, [read, called, effect, called, None]);
    assert_eq!(
        [Depth::Called, Depth::ReadBack, Depth::Effect].map(|d| covered[0].shown(d)),
        [4, 2, 1]
    );
    assert_eq!(faults(&covered, &works, &baselines), [""; 0]);
}

/// The planted negatives: a reason for what is seen, a word that is not in the outcome, an option that the
/// case does not set, a case that is none, and words that are there without the option.
#[test]
fn what_is_not_so_is_a_fault() {
    let baselines = made();
    let lists = [list(Kind::Options, "SO_TYPE : cannot be read\nIP_TTL")];
    let wrong = "IP_TTL s/told[a] unlike s/cut[a] : ttl 8\nSO_TYPE s/told[a] unlike s/cut[a] : ttl 7\n\
                 IP_TTL s/none unlike s/cut[a] : ttl 7\nSO_TYPE s/set[a] unlike s/long[a] : socket\n\
                 SO_NONE s/told[a] unlike s/cut[a] : ttl 7\nIP_TTL s/told[a] unlike s/told[a] : ttl 7\n\
                 IP_TTL s/told[a] unlike s/none : ttl 7\nIP_TTL s/told[a] unlike s/quiet[a] : ttl 7\n\
                 IP_TTL s/own[a] unlike s/cut[a] : ttl 9\nIP_TTL s/own[a] unlike s/cut[a] : = 0\n\
                 IP_TTL s/refused[a] unlike s/cut[a] : ttl 64\nIP_TTL s/read[a] unlike s/cut[a] : ttl 64";
    let wrong = effects::read(wrong).unwrap();
    let covered = coverage(&lists, &wrong, &baselines);
    let said = [
        "SO_TYPE: s/set[a] shows it, so that the reason must go: cannot be read",
        "effects.txt: s/told[a] does not show \"ttl 8\" with IP_TTL",
        "effects.txt: s/told[a] does not show \"ttl 7\" with SO_TYPE",
        "effects.txt: s/none does not show \"ttl 7\" with IP_TTL",
        "effects.txt: s/set[a] does not show \"socket\" with SO_TYPE",
        "effects.txt: SO_NONE is in no list",
        "effects.txt: s/told[a] does not show \"ttl 7\" with SO_NONE",
        "effects.txt: s/told[a] shows \"ttl 7\" as well, or sets the option so, or is no case",
        "effects.txt: s/none shows \"ttl 7\" as well, or sets the option so, or is no case",
        "effects.txt: s/quiet[a] shows \"ttl 7\" as well, or sets the option so, or is no case",
        // Its own lines tell of it alone.
        "effects.txt: s/own[a] does not show \"ttl 9\" with IP_TTL",
        "effects.txt: s/own[a] does not show \"= 0\" with IP_TTL",
        "effects.txt: s/refused[a] does not show \"ttl 64\" with IP_TTL",
        "effects.txt: s/read[a] does not show \"ttl 64\" with IP_TTL",
    ];
    assert_eq!(faults(&covered, &wrong, &baselines), said);
    for line in [
        "IP_TTL s/told[a] ttl 7",
        "IP_TTL : ttl 7",
        "IP_TTL a like b : ttl 7",
        "IP_TTL s/told[a] : ttl 7",
        "IP_TTL a unlike b c : ttl 7",
    ] {
        assert_eq!(effects::read(line).unwrap_err(), format!("effects.txt: {line:?}"));
    }
}

/// Nobody has to ask what is left to write.
#[test]
fn what_no_case_shows_has_a_reason() {
    let covered = coverage(lists(), effects(), Baselines::embedded());
    // What of them is missing is written elsewhere.
    let all = covered.iter().filter(|covered| covered.list.kind != Kind::Ioctls);
    let entries = all.flat_map(|covered| &covered.entries);
    let missing: Vec<&str> =
        entries.filter(|entry| entry.state == Missing).map(|entry| &*entry.item.name).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The lists themselves, against what this program was built with.
#[test]
fn the_lists_are_so() {
    let baselines = Baselines::embedded();
    let covered = coverage(lists(), effects(), baselines);
    let faults = faults(&covered, effects(), baselines);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
