//! Reproducers of Darwin's own calls: what they are on macOS, and that Linux has none of them.

use harness::case::addr::{Addr, Range, Role, Scope};
use harness::case::lab::RouteKind;
use harness::case::op::{Change, Opt, Value};
use harness::case::{Case, Flags, Hex, Lab, LabOp, LinkKind, Op, Os, Payload};
use harness::trace::{ControlOut, Did, End, Event, Kevent, Out, Received, Trace};
use reports::repro::{Options, agrees, reproducer};
use rstest::rstest;

fn socket(r#type: &'static str) -> Op {
    let (fd, r#type) = ("s".to_owned(), Flags::of(&[r#type]));
    Op::Socket { fd, domain: "AF_INET".into(), r#type, protocol: Flags::NONE }
}

fn change(filter: &'static str, fflags: &[&'static str], data: i32) -> Change {
    let (flags, fflags) = (Flags::of(&["EV_ADD"]), Flags::of(fflags));
    Change { fd: "s".to_owned(), filter: filter.into(), flags, fflags, data }
}

fn connectx() -> Op {
    let own = Addr::on("net0", Role::Own, Range::V4, 0);
    Op::Connectx {
        fd: "s".to_owned(),
        link: Some("net0".to_owned()),
        source: Some(own),
        addr: Addr::on("net0", Role::Neighbour, Range::V4, 80),
        flags: Flags::of(&["CONNECT_DATA_IDEMPOTENT"]),
        data: Some(Payload::Text("abc".to_owned())),
    }
}

fn recvmsg_x() -> Op {
    let (fd, flags) = ("s".to_owned(), Flags::of(&["MSG_DONTWAIT"]));
    Op::RecvmsgX { fd, count: 4, len: 64, control_len: 32, flags }
}

/// Zero bytes of room have no array in C.
fn no_room() -> Op {
    let (fd, flags) = ("s".to_owned(), Flags::NONE);
    Op::RecvmsgX { fd, count: 2, len: 0, control_len: 0, flags }
}

fn kevent() -> Op {
    let changes = vec![change("EVFILT_READ", &["NOTE_LOWAT"], 10), change("EVFILT_WRITE", &[], 0)];
    Op::Kevent { changes, timeout_ms: 1020 }
}

fn info() -> Op {
    let option = Opt::Raw { level: "IPPROTO_TCP".into(), name: "TCP_CONNECTION_INFO".into() };
    Op::Getsockopt { fd: "s".to_owned(), option, len: 112 }
}

fn case(r#type: &'static str, op: Op) -> Case {
    let (title, id) = ("Darwin's own call".to_owned(), "reports/darwin".to_owned());
    let lab = Lab::one(LinkKind::Tun, "net0");
    let ops = vec![socket(r#type), op];
    let case = Case::new(id, title, lab, ops);
    case.check().unwrap();
    case
}

fn program(case: &Case, os: Os) -> String {
    reproducer(case, &Options { os, observed: None, expected: &[] })
}

#[rstest]
#[case(
    connectx(),
    "connectx(s, &ends1, SAE_ASSOCID_ANY, CONNECT_DATA_IDEMPOTENT, &iov1, 1, &sent1, NULL)"
)]
#[case(connectx(), ".sae_srcif = net0_index,")]
#[case(connectx(), ".sae_srcaddr = (struct sockaddr *)&source1,")]
#[case(Op::Disconnectx { fd: "s".into() }, "disconnectx(s, SAE_ASSOCID_ANY, SAE_CONNID_ANY)")]
#[case(
    Op::SendmsgX { fd: "s".into(), data: vec![Payload::Pattern(9); 2], flags: Flags::NONE, addr: None },
    "sendmsg_x(s, msg1, 2, 0)"
)]
#[case(recvmsg_x(), "recvmsg_x(s, msg1, 4, MSG_DONTWAIT)")]
#[case(no_room(), "static unsigned char buffer1[2][1];")]
#[case(kevent(), "EV_SET(&changes1[0], s, EVFILT_READ, EV_ADD, NOTE_LOWAT, 10, (void *)0);")]
#[case(kevent(), "timeout1 = {.tv_sec = 1, .tv_nsec = 20000000};")]
#[case(kevent(), "kevent(queue1, changes1, 2, events1, 2, &timeout1)")]
fn darwin_has_it_and_linux_says_that_it_has_not(#[case] op: Op, #[case] line: &str) {
    let name = op.call();
    let case = case("SOCK_DGRAM", op);
    let darwins = program(&case, Os::Macos);
    assert!(darwins.contains(line), "{darwins}");
    let linuxs = program(&case, Os::Linux);
    assert!(linuxs.contains(&format!("Linux has no {name}: the program says so and ends there.")));
    assert!(linuxs.contains(&format!(" = unsupported {name}\");")), "{linuxs}");
    assert!(!linuxs.contains(line), "{linuxs}");
}

/// An option that is only read ends a program no more than its case.
#[test]
fn a_program_goes_on_behind_a_name_that_it_only_reads() {
    let get = |name: &'static str| {
        let option = Opt::Raw { level: "IPPROTO_IP".into(), name: name.into() };
        Op::Getsockopt { fd: "s".into(), option, len: 4 }
    };
    let mut case = case("SOCK_DGRAM", get("IP_MTU"));
    case.ops.push(get("IP_TTL"));
    let text = program(&case, Os::Macos);
    let (_, behind) = text.split_once(" = unsupported IP_MTU\");").expect("it says so");
    assert!(behind.contains("getsockopt(s, IPPROTO_IP, IP_TTL, &value2, &len2)"), "{text}");
    let between = behind.split("IP_TTL").next().unwrap();
    assert!(!between.contains("return"), "{between}");
}

fn trace(ret: i64, errno: Option<&'static str>, out: Out) -> Trace {
    let call = |op, did| Event::Call { op, at_ns: 0, took_ns: 0, addr: None, did };
    let made = Did::Returned { ret: 0, errno: None, out: Out::Nothing };
    let did = Did::Returned { ret, errno: errno.map(Into::into), out };
    let (case, links) = ("reports/darwin".to_owned(), Vec::new());
    let events = vec![call(0, made), call(1, did)];
    Trace::new(&case, links, events, End::Done)
}

fn events() -> Out {
    let event = |filter: &'static str, flags: &[&'static str], fflags: &[&'static str], data| {
        let (flags, fflags) = (Flags::of(flags).0, Flags::of(fflags).0);
        Kevent { fd: "s".to_owned(), filter: filter.into(), flags, fflags, data, error: None }
    };
    let bad =
        Kevent { error: Some("EBADF".into()), ..event("EVFILT_WRITE", &["EV_ERROR"], &[], 0) };
    Out::Events(vec![event("EVFILT_READ", &["EV_EOF", "EV_ADD"], &["ECONNRESET"], 7), bad])
}

fn messages() -> Out {
    let one = |bytes: &[u8], control: usize| {
        let message = ControlOut { level: "0".into(), name: "0".into(), bytes: Hex(Vec::new()) };
        Received {
            len: i64::try_from(bytes.len()).unwrap(),
            bytes: Hex(bytes.to_vec()),
            from: "{AF_INET 192.0.2.2:9}".parse().ok(),
            flags: Vec::new(),
            control: vec![message; control],
        }
    };
    Out::Messages(vec![one(b"one", 0), one(b"", 1)])
}

/// `struct tcp_connection_info` with this state, and a round trip.
fn told(state: u8, rtt: u8) -> Hex {
    let mut bytes = vec![0; 112];
    (bytes[0], bytes[40]) = (state, rtt);
    Hex(bytes)
}

const EVENTS: &str =
    "    -> EVFILT_READ EV_EOF|EV_ADD ECONNRESET 7\n    -> EVFILT_WRITE EV_ERROR 0 EBADF\n";
const MESSAGES: &str = "    -> \"one\"\n    -> {AF_INET 192.0.2.2:9}\n    -> \"\"\n    -> {AF_INET 192.0.2.2:9}\n    -> control 0 0 \n";

#[rstest]
#[case(kevent(), trace(2, None, events()), format!("2\n{EVENTS}"), true)]
#[case(kevent(), trace(2, None, events()), "2\n".to_owned(), false)]
#[case(kevent(), trace(2, None, events()), format!("1\n{EVENTS}"), false)]
#[case(kevent(), trace(2, None, events()), format!("2\n{}", EVENTS.replace("RESET", "REFUSED")), false)]
#[case(kevent(), trace(2, None, events()), format!("2\n{}", EVENTS.replace("|EV_ADD", "")), false)]
#[case(recvmsg_x(), trace(2, None, messages()), format!("2\n{MESSAGES}"), true)]
#[case(recvmsg_x(), trace(2, None, messages()), format!("2\n{}", MESSAGES.replace("one", "two")), false)]
#[case(recvmsg_x(), trace(2, None, messages()), format!("2\n{}", MESSAGES.replace("    -> control 0 0 \n", "")), false)]
#[case(recvmsg_x(), trace(2, None, messages()), format!("2\n{MESSAGES}    -> \"more\"\n"), false)]
#[case(recvmsg_x(), trace(-1, Some("EAGAIN"), Out::Messages(vec![])), "-1 EAGAIN (wait)\n".to_owned(), true)]
#[case(connectx(), trace(-1, Some("EINPROGRESS"), Out::Int(3)), "-1 EINPROGRESS (on)\n    -> 3\n".to_owned(), true)]
#[case(connectx(), trace(-1, Some("EINPROGRESS"), Out::Int(3)), "-1 EINPROGRESS (on)\n    -> 0\n".to_owned(), false)]
#[case(info(), trace(0, None, Out::Bytes(told(4, 1))), format!("0\n    -> {}\n", told(4, 1)), true)]
#[case::another_round_trip(info(), trace(0, None, Out::Bytes(told(4, 1))), format!("0\n    -> {}\n", told(4, 2)), true)]
#[case::another_state(info(), trace(0, None, Out::Bytes(told(4, 1))), format!("0\n    -> {}\n", told(5, 1)), false)]
#[case::no_structure(info(), trace(0, None, Out::Bytes(told(4, 1))), "0\n    -> 02\n".to_owned(), false)]
fn what_it_printed_is_compared(
    #[case] op: Op,
    #[case] trace: Trace,
    #[case] printed: String,
    #[case] same: bool,
) {
    let shown = match &op {
        Op::Kevent { .. } => "kevent(s, s)".to_owned(),
        op => format!("{}(s)", op.call()),
    };
    let case = case("SOCK_STREAM", op);
    let stdout = format!("#0 socket(AF_INET, SOCK_STREAM, 0) = 3\n#1 {shown} = {printed}");
    assert_eq!(agrees(&trace, &case, &stdout).is_ok(), same, "{stdout}");
}

/// A kernel whose interfaces are these names, `ioctl` of which makes and destroys them; the program's
/// own functions are between it and `main`.
const KERNEL: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#define SIOCIFCREATE 1ul
#define SIOCIFDESTROY 2ul
static char there[16][IF_NAMESIZE] = {"feth0", "feth1", "feth21001", "feth21002", "feth21005"};

static int fake_ioctl(int fd, unsigned long what, struct ifreq *with)
{
    (void)fd;
    for (int i = 0; i < 16; i++)
        if (strcmp(there[i], with->ifr_name) == 0) {
            errno = EEXIST;
            if (what == SIOCIFCREATE)
                return -1;
            there[i][0] = 0;
            return 0;
        }
    for (int i = 0; what == SIOCIFCREATE && i < 16; i++)
        if (there[i][0] == 0) {
            memcpy(there[i], with->ifr_name, IF_NAMESIZE);
            return 0;
        }
    errno = ENXIO;
    return -1;
}

static void show(void)
{
    for (int i = 0; i < 16; i++)
        if (there[i][0])
            printf("%s ", there[i]);
    puts("");
}

static void lab(const char *format, const char *name, const char *peer)
{
    printf(format, name, peer);
    puts("");
}

static void no_lab(const char *what, int error)
{
    printf("not tried: %s: %s\n", what, strerror(error));
    exit(2);
}

static int bpf_open(const char *interface, int is_far_end)
{
    (void)interface;
    return is_far_end;
}

static struct { char name[IF_NAMESIZE], peer[IF_NAMESIZE]; unsigned index; int fd, made; } links[3];
"#;

/// What of a program's text goes from here to there.
fn part<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let start = text.find(from).unwrap_or_else(|| panic!("{from:?} is not in {text}"));
    let len = text[start..].find(to).unwrap_or_else(|| panic!("{to:?} is not behind {from:?}"));
    &text[start..start + len]
}

/// The program's own functions, on a kernel that has feth of somebody else's.
#[test]
fn no_feth_of_somebody_elses_is_destroyed() {
    let lab = Lab::one(LinkKind::Tap, "net0");
    let case = Case { lab, ..case("SOCK_DGRAM", Op::Disconnectx { fd: "s".into() }) };
    let text = program(&case, Os::Macos);
    let functions = part(&text, "/* ifconfig NAME create", "#ifndef SIOCPROTOATTACH_IN6");
    let functions = functions.replace("ioctl(fd, what", "fake_ioctl(fd, what");
    let tidy = part(&text, "static void tidy(void)", "static void on_signal");
    let main = "int main(void)\n{\n    feth_create(0);\n    feth_create(2);\n    show();\n    tidy();\n    tidy();\n    show();\n}\n";
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, program) = (folder.join("feth.c"), folder.join("feth"));
    std::fs::write(&source, [KERNEL, &functions, tidy, main].join("\n")).unwrap();
    let cc = std::process::Command::new("cc").arg("-o").args([&program, &source]).output();
    let Ok(cc) = cc else { return eprintln!("skipped: there is no C compiler") };
    assert!(cc.status.success(), "{}", String::from_utf8_lossy(&cc.stderr));
    let ran = std::process::Command::new(&program).output().unwrap();
    // 21000, the half of a pair whose other half is taken, is gone as well.
    let wanted = "ifconfig feth21006 peer feth21007\nifconfig feth21008 peer feth21009\n\
                  feth0 feth1 feth21001 feth21002 feth21005 feth21006 feth21007 feth21008 feth21009 \n\
                  feth0 feth1 feth21001 feth21002 feth21005 \n";
    assert_eq!(String::from_utf8_lossy(&ran.stdout), wanted);
}

fn lab_program(lab: Lab, ops: Vec<Op>) -> String {
    let case = Case { lab, ops, ..case("SOCK_DGRAM", Op::Disconnectx { fd: "s".into() }) };
    case.check().unwrap();
    program(&case, Os::Macos)
}

#[test]
fn a_program_for_macos_changes_what_it_made_and_nothing_else() {
    let step = |step| Op::Lab { step };
    let link = || "net0".to_owned();
    let prefix = "203.0.113.0".parse().unwrap();
    let route = |kind, link| LabOp::RouteAdd { prefix, prefix_len: 24, kind, link, via: None };
    for kind in [LinkKind::Tap, LinkKind::Tun] {
        let ops = vec![
            step(LabOp::LinkDown { link: link() }),
            step(LabOp::LinkUp { link: link() }),
            step(route(RouteKind::Blackhole, None)),
            step(route(RouteKind::Unicast, Some(link()))),
            step(LabOp::LinkDelete { link: link() }),
        ];
        let text = lab_program(Lab::one(kind, "net0"), ops);
        let main = part(&text, "int main(void)", "\n}\n");
        // Neither do they say whether they added anything, nor is any other interface named.
        for wrong in ["route -n", "arp -s", "ndp -s", "destroy\"", "sleep", "feth", "utun"] {
            let said = main.lines().any(|line| line.contains("lab(") && line.contains(wrong));
            assert!(!said, "{wrong}: {main}");
        }
        assert!(!text.contains("feth0") && !text.contains("utun100"), "{text}");
        assert!(main.contains("\n    tidy_at_the_end();\n"), "{main}");
        let up = part(main, "lab(\"ifconfig %s up\", links[0].name);", "route_drop");
        let comes_back = match kind {
            LinkKind::Tap => "neighbour(0, \"192.0.2.2\"",
            LinkKind::Tun => "route_by_link(\"192.0.2.0\", 24, links[0].index);",
        };
        assert!(up.contains(comes_back), "{up}");
        assert_eq!(main.matches(comes_back).count(), 2, "{main}");
        let attached = main.find("attach_v6(0);").unwrap();
        assert!(attached < main.find(" inet6 ").unwrap(), "{main}");
        assert!(main.contains("link_local(0, \"fe80::1\");"), "{main}");
        // What was added goes at the end, and only that.
        let remembers = "    if (route_send(m, prefix, len))\n        added[adds++] = *m;\n";
        assert!(text.contains(remembers) && text.contains("    undo_routes();"), "{text}");
        let made = if kind == LinkKind::Tap { "feth_create(0);" } else { "utun_open(0);" };
        let free = main.find("network_is_free(\"192.0.2.1\");").unwrap();
        assert!(free < main.find(made).unwrap(), "{main}");
    }
}

#[test]
fn what_macos_cannot_have_is_refused_before_anything_is_made() {
    let with_mtu = |mtu| {
        let mut lab = Lab::one(LinkKind::Tap, "net0");
        lab.links[0].mtu = mtu;
        lab_program(lab, Vec::new())
    };
    let refusal = "    fputs(\"not tried: the lab cannot be made: macOS has no interface with an MTU of 71: 72 is its least\\n\", stderr);\n    return 2;\n";
    let text = with_mtu(71);
    assert!(text.find(refusal).unwrap() < text.find("    feth_create(0);").unwrap(), "{text}");
    assert!(!with_mtu(72).contains("not tried: the lab cannot be made: macOS"));
}

fn other() -> Op {
    let (domain, r#type) = ("AF_INET".into(), Flags::of(&["SOCK_DGRAM"]));
    Op::Socket { fd: "other".to_owned(), domain, r#type, protocol: Flags::NONE }
}

fn bound(fd: &str) -> Op {
    let option = Opt::Raw { level: "IPPROTO_IP".into(), name: "IP_BOUND_IF".into() };
    Op::Setsockopt { fd: fd.to_owned(), option, value: Value::Link("net0".to_owned()) }
}

fn sendto(range: Range, scope: Scope) -> Op {
    let addr = Addr { scope, ..Addr::on("net0", Role::Neighbour, range, 9) };
    let (data, flags) = (Payload::Pattern(1), Flags::NONE);
    Op::Sendto { fd: "s".to_owned(), data, flags, addr }
}

#[rstest]
#[case(vec![sendto(Range::V4, Scope::Zero)], &["{\"192.0.2.2\", -1}"])]
#[case(vec![sendto(Range::V4, Scope::Zero), bound("s")], &["{\"192.0.2.2\", -1}"])]
#[case(vec![bound("s"), sendto(Range::V4, Scope::Zero)], &[])]
#[case(vec![other(), bound("other"), sendto(Range::V4, Scope::Zero)], &["{\"192.0.2.2\", -1}"])]
#[case(vec![bound("s"), sendto(Range::V6, Scope::Zero)], &["{\"2001:db8::2\", -1}"])]
#[case(vec![sendto(Range::Ll, Scope::Link("net0".to_owned()))], &[])]
#[case(vec![sendto(Range::Ll, Scope::Zero)], &["{\"::\", 0}"])]
fn where_a_call_would_go_is_asked_first(#[case] mut ops: Vec<Op>, #[case] rows: &[&str]) {
    ops.insert(0, socket("SOCK_DGRAM"));
    ops.push(Op::Lab { step: LabOp::LinkDown { link: "net0".to_owned() } });
    let text = lab_program(Lab::one(LinkKind::Tap, "net0"), ops);
    let looks = text.matches("    nothing_leaves();\n").count();
    if rows.is_empty() {
        assert!(!text.contains("destinations[]") && looks == 0, "{text}");
        return;
    }
    let table = part(&text, "destinations[] = {\n", "\n};");
    assert_eq!(
        table.lines().skip(1).map(|l| l.trim().trim_end_matches(',')).collect::<Vec<_>>(),
        rows
    );
    // Before the calls, and when a link is down: its routes are gone.
    assert_eq!(looks, 2, "{text}");
    assert!(text.find("    nothing_leaves();").unwrap() < text.find("/* The calls. */").unwrap());
}
