use harness::case::{Op, Os};
use rstest::rstest;

use super::*;
use crate::{Demand, Written, render};

mod as_meant;
mod ids;
mod lists;
mod served;

const EXAMPLE: &str = r#"# A second send reports the ICMP error that the first one caused.
tun link0 mtu 1400
socket(AF_INET, SOCK_DGRAM, 0) = s
connect(s, {AF_INET neighbour(link0):9})
send(s, "x", 1, 0) = 1
    > link0 UDP "x"
send(s, "y", 1, 0) = -1 ECONNREFUSED
"#;

fn cases(text: &str) -> Vec<Written> {
    read("mine", text).unwrap_or_else(|faults| panic!("{}", render(&faults, "mine", text, false)))
}

fn one(text: &str) -> Written {
    let mut all = cases(text);
    assert_eq!(all.len(), 1, "{text}");
    all.remove(0)
}

/// What is wrong with a text, and the words that it is about.
fn wrong(text: &str) -> Vec<(String, String)> {
    let faults = read("mine", text).expect_err(text);
    faults.into_iter().map(|fault| (text[fault.at].to_owned(), fault.says)).collect()
}

#[test]
fn the_example_is_a_case() {
    let written = one(EXAMPLE);
    let case = &written.case;
    assert_eq!(case.id, "mine/case");
    assert_eq!(case.title, "A second send reports the ICMP error that the first one caused.");
    assert_eq!((case.lab.links[0].mtu, case.ops.len()), (1400, 4));
    assert_eq!(written.lines, [3, 4, 5, 7]);
    let asked: Vec<String> = written.asked.iter().map(|one| one.what.to_string()).collect();
    assert_eq!(asked, ["= 1", "> link0 UDP \"x\"", "= -1 ECONNREFUSED"]);
    assert_eq!((written.asked[2].op, written.asked[2].line), (3, 7));
    assert_eq!(one(&print(case)).case, *case);
}

#[rstest]
#[case::length("send(s, \"x\", 0)")]
#[case::pattern("send(s, pattern[0..14], 0)")]
#[case::hex_escape("send(s, \"\\x78\\0\", 2, MSG_DONTWAIT|MSG_NOSIGNAL)")]
#[case::american("connect(s, {AF_INET neighbor(link0):9})")]
#[case::range("connect(s, {AF_INET neighbour(link0, v4):9})")]
#[case::bare("connect(s, {AF_UNSPEC})")]
#[case::getsockopt("getsockopt(s, SOL_SOCKET, SO_ERROR)")]
#[case::fcntl("fcntl(s, F_GETFL)")]
#[case::path("bind(s, {AF_UNIX \"s.sock\"})")]
#[case::local("connect(s, {AF_LOCAL \"s.sock\"})")]
#[case::abstract_name("bind(s, {AF_UNIX @\"name\"})")]
#[case::unnamed("bind(s, {AF_UNIX})")]
#[case::cut("bind(s, {AF_UNIX \"s.sock\" length 4})")]
#[case::cut_short("bind(s, {AF_UNIX length 1})")]
#[case::filled("sendto(s, \"x\", 0, {AF_UNIX @\"name\" length 110})")]
#[case::rights("sendmsg(s, {msg_iov=[\"x\"], msg_control=[{SOL_SOCKET, SCM_RIGHTS, [s, s]}]}, 0)")]
#[case::credentials(
    "sendmsg(s, {msg_iov=[\"x\"], msg_control=[{SOL_SOCKET, SCM_CREDENTIALS, {pid=own, uid=0, gid=own}}]}, 0)"
)]
#[case::bytes(
    "sendmsg(s, {msg_iov=[\"x\"], msg_control=[{IPPROTO_IP, IP_TTL, 0x05}, {41, 67, 0 bytes}]}, 0)"
)]
fn short_forms_are_read(#[case] call: &str) {
    let text = format!("tun link0\nsocket(AF_INET, SOCK_DGRAM, 0) = s\n{call}\n");
    let written = one(&text);
    assert_eq!(one(&print(&written.case)).case, written.case, "{call}");
}

#[test]
fn a_name_is_no_demand_and_a_call_can_be_asked_to_fail() {
    let first = |text: &str| one(text).asked.into_iter().next().map(|one| one.what.to_string());
    assert_eq!(first("socket(AF_INET, SOCK_DGRAM, 0) = s\n"), None);
    assert_eq!(first("socket(AF_INET, SOCK_DGRAM, 0) = s, success\n"), Some("= success".into()));
    let failed = one("socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP) = -1 EPROTONOSUPPORT\n");
    assert!(matches!(&failed.case.ops[0], Op::Socket { fd, .. } if fd == "unnamed1"));
    assert_eq!(failed.asked[0].what.to_string(), "= -1 EPROTONOSUPPORT");
    let text = "socket(AF_INET, SOCK_DGRAM, 0) = s\nshutdown(s, SHUT_WR) = \
                -1 EINVAL|ENOTCONN on linux, 0 on macos\n";
    let Demand::Result(wanted) = &one(text).asked[0].what else { panic!("a result") };
    let said: Vec<_> = wanted.iter().map(|one| (one.on, one.says.as_str())).collect();
    let linux = Some(Os::Linux);
    assert_eq!(said, [(linux, "-1 EINVAL"), (linux, "-1 ENOTCONN"), (Some(Os::Macos), "0")]);
    assert_eq!(first(text).as_deref(), Some("= -1 EINVAL|ENOTCONN on linux, 0 on macos"));
}

#[test]
fn threads_are_before_their_calls() {
    let text = "socketpair(AF_UNIX, SOCK_STREAM, 0, [a, b])\nt: recv(a, 64, 0) <unfinished ...>\n\
                send(b, \"x\", 1, 0) = 1\nt: <... recv resumed> = 1, \"x\"\n";
    let written = one(text);
    assert_eq!((written.case.thread_of(1), written.case.thread_of(2)), (Some("t"), None));
    let asked: Vec<_> = written.asked.iter().map(|one| (one.op, one.what.to_string())).collect();
    assert_eq!(asked, [(2, "= 1".to_owned()), (1, "= 1, \"x\"".to_owned())]);
}

const TABLE: &str = "case shut\n# What does shutdown {how} say to a {family} socket?\n\
    catalogue UDP-{how}\nfor family in v4: AF_INET, v6: AF_INET6\nfor how in SHUT_RD, SHUT_WR\n\
    for size in 1400, 100\nwithout family=v6 how=SHUT_WR: nobody asks\ntun link0 mtu 1500\n\
    socket(family, SOCK_DGRAM, 0) = s\nif family=v6: setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 1)\n\
    write(s, pattern[0..size-28])\nshutdown(s, how)\n";

#[test]
fn a_table_is_a_case_of_which_words_stand_for_several_things() {
    let all = cases(TABLE);
    let ids: Vec<&str> = all.iter().map(|one| one.case.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "mine/shut[v4,SHUT_RD,1400]",
            "mine/shut[v4,SHUT_RD,100]",
            "mine/shut[v4,SHUT_WR,1400]",
            "mine/shut[v4,SHUT_WR,100]",
            "mine/shut[v6,SHUT_RD,1400]",
            "mine/shut[v6,SHUT_RD,100]",
        ]
    );
    assert_eq!(all[0].case.title, "What does shutdown SHUT_RD say to a AF_INET socket?");
    assert_eq!(all[0].case.catalogue, ["UDP-SHUT_RD"]);
    assert_eq!((all[0].case.ops.len(), all[4].case.ops.len()), (3, 4));
    let Op::Write { data, .. } = &all[1].case.ops[1] else { panic!("a write") };
    assert_eq!(data.len(), 72);
    assert_eq!(all[4].lines, [9, 10, 11, 12]);
}

#[rstest]
#[case("socket(AF_INET, SOCK_DGRAM) = s", ")", "socket wants a protocol here")]
#[case("socket(AF_INNET, SOCK_DGRAM, 0) = s", "AF_INNET", "no name of the sockets API")]
#[case("sokcet(AF_INET, SOCK_DGRAM, 0) = s", "sokcet", "there is no call sokcet")]
#[case("send(s, \"x\", 1, 0)", "s", "makes a socket s")]
#[case(
    "tun link0\nsocket(AF_INET, SOCK_DGRAM, 0) = s\nconnect(s, {AF_INET own(link1):9})",
    "link1",
    "the lab has no link"
)]
#[case("socket(AF_INET, SOCK_DGRAM, 0) = s\nsend(s, \"x\", 2, 0)", "2", "the data has 1 bytes")]
#[case(
    "socket(AF_INET, SOCK_DGRAM, 0) = s\nsend(s, \"x\", 1, 0) = -1 EFOO",
    "-1 EFOO",
    "no errno EFOO"
)]
#[case("socket(AF_INET, SOCK_DGRAM, 0) = s\nclose(s) = sucess", "sucess", "no result")]
#[case("socket(AF_INET, SOCK_DGRAM, 0) = s\ntun link0", "tun link0", "above the first call")]
#[case("socket(AF_INET, SOCK_DGRAM, 0) = s\nlink set lo down", "link set lo down", "without --")]
#[case("> link0 UDP", "> link0 UDP", "beneath a step")]
#[case(
    "socket(AF_UNIX, SOCK_DGRAM, 0) = s\nbind(s, {AF_UNIX \"/tmp/s\"})",
    "AF_UNIX \"/tmp/s\"",
    "no plain name"
)]
#[case(
    "socket(AF_UNIX, SOCK_DGRAM, 0) = s\nbind(s, {AF_UNIX @\"a/../b\"})",
    "AF_UNIX @\"a/../b\"",
    "no plain name"
)]
#[case(
    "socket(AF_UNIX, SOCK_DGRAM, 0) = s\nbind(s, {AF_UNIX \"s\" long 4})",
    "AF_UNIX \"s\" long 4",
    "a Unix socket's address such as"
)]
#[case(
    "socket(AF_UNIX, SOCK_DGRAM, 0) = s\nbind(s, {AF_UNIX @s})",
    "@s",
    "an abstract name such as"
)]
#[case(
    "socket(AF_INET, SOCK_DGRAM, 0) = s\nsendmsg(s, {msg_iov=[\"x\"], msg_control=[{0, 2, 5}]}, 0)",
    "5",
    "bytes such as 0x05"
)]
#[case("for a in x, x\nsocket(AF_INET, SOCK_DGRAM, 0) = s", "x", "here twice")]
#[case("for a in (x)\nsocket(AF_INET, SOCK_DGRAM, 0) = s", "(x)", "needs a name")]
#[case("for a in x\nwithout a=y: why\nsocket(AF_INET, SOCK_DGRAM, 0) = s", "y", "a is never y")]
#[case("for a in x\nwithout a=x: why\nsocket(AF_INET, SOCK_DGRAM, 0) = s", "for a in x", "no rows")]
#[case("for a in x\nif a!=x: close(s)\nsocket(AF_INET, SOCK_DGRAM, 0) = s", "a!=x", "always one")]
#[case("for a in x\nif a=*y: close(s)\nsocket(AF_INET, SOCK_DGRAM, 0) = s", "*y", "a is never *y")]
#[case("for a in x,\n(y)\nsocket(AF_INET, SOCK_DGRAM, 0) = s", "(y)", "needs a name")]
#[case("for a in x \"words: y\nsocket(AF_INET, SOCK_DGRAM, 0) = s", "x \"words: y", "next quote")]
#[case("for a in x \"words\" y\nsocket(AF_INET, SOCK_DGRAM, 0) = s", " y", ": and a value")]
#[case(
    "case x\nsocket(AF_INET, SOCK_DGRAM, 0) = s\neach case",
    "each case",
    "above the first case"
)]
#[case("each case\ntun link0", "each case\ntun link0", "no case here")]
#[case(
    "each case\nsocket(AF_INET, SOCK_DGRAM, 0) = s\ntun link0\ncase a\nclose(s)",
    "tun link0",
    "first call"
)]
#[case("# only a title", "# only a title", "no case here")]
#[case("", "", "no case here")]
#[case("case x\ntun link0", "case x", "no steps")]
#[case("case x\nclose(s)\ncase x\nclose(s)", "s", "makes a socket s")]
#[case("hello", "hello", "no call and no step")]
#[case("# a\u{202e}b\nsocket(AF_INET, SOCK_DGRAM, 0) = s", "\u{202e}", "not seen: '\\u{202e}'")]
#[case("# good\n# a\u{7}b\nsocket(AF_INET, SOCK_DGRAM, 0) = s", "\u{7}", "not seen: '\\u{7}'")]
#[case(
    "tun link0\ntitle \"a\\nb\"\nsocket(AF_INET, SOCK_DGRAM, 0) = s",
    "\"a\\nb\"",
    "a title is one line"
)]
#[case(
    "case A\nsocket(AF_INET, SOCK_DGRAM, 0) = s\n\ncase a\nsocket(AF_INET, SOCK_DGRAM, 0) = s",
    "case a",
    "there is a case A already"
)]
fn what_is_wrong_is_told_at_its_place(#[case] text: &str, #[case] at: &str, #[case] says: &str) {
    let told = wrong(text);
    assert!(told[0].0 == at && told[0].1.contains(says), "{text}: {told:?}");
}

const EACH: &str = "\
# About the file.

each case
for family in
    v4 \"IPv4\": AF_INET,
    v6 \"IPv6\": AF_INET6
tun link0
catalogue UDP-01
socket(family, SOCK_DGRAM, 0) = s

case shut
# What does shutdown say?
# POSIX.1-2024 shutdown. Is there more?
title \"shutdown, {family}\"
catalogue UDP-02
link set link0 down
without family=v4: nobody asks
shutdown(s, SHUT_RD)

case write
# What does write to an {family} socket say?
for len in one \"a byte\": 1, two: 2
if family!=*6: write(s, pattern[0..len])
if family=*6: write(s, pattern[0..len+5])
";

#[test]
fn what_is_said_of_each_case_is_above_what_one_says() {
    let tables = tables("mine", EACH).expect("tables");
    let [shut, write] = &tables[..] else { panic!("two") };
    assert_eq!((&*shut.name, &*shut.question), ("mine/shut", "What does shutdown say?"));
    let out = crate::LeftOut { id: "mine/shut[v4]".to_owned(), why: "nobody asks".to_owned() };
    assert_eq!(shut.left_out, [out]);
    let case = &shut.written[0].case;
    assert_eq!((&*case.id, &*case.title), ("mine/shut[v6]", "shutdown, IPv6"));
    assert_eq!(case.catalogue, ["UDP-01", "UDP-02"]);
    assert_eq!((case.lab.setup.len(), case.ops.len()), (1, 2));
    assert_eq!(shut.written[0].lines, [9, 18]);
    assert_eq!(write.question, "What does write to an {family} socket say?");
    let titles: Vec<&str> = write.written.iter().map(|one| &*one.case.title).collect();
    assert_eq!(titles[0], "What does write to an IPv4 socket say?");
    let last = &write.written[3].case;
    assert_eq!((&*last.id, last.ops.len()), ("mine/write[v6,two]", 2));
    assert!(matches!(&last.ops[1], Op::Write { data, .. } if data.len() == 7));
}

#[rstest]
#[case("to=own", &["own"])]
#[case("to=own|*4", &["own", "own4", "far4"])]
#[case("to!=*4", &["own"])]
#[case("to=*w*", &["own", "own4"])]
#[case("to=f* at!=b", &["far4"])]
fn conditions_mean_values(#[case] condition: &str, #[case] mean: &[&str]) {
    let text = format!(
        "for to in own, own4, far4\nfor at in a\nsocket(AF_INET, SOCK_DGRAM, 0) = s\nif {condition}: close(s)\n"
    )
    .replace("for at in a", "for at in a, b\nwithout at=b: once is enough");
    let rows = cases(&text);
    let of = |one: &&Written| one.case.ops.len() == 2;
    let ids: Vec<&str> = rows.iter().filter(of).map(|one| &*one.case.id).collect();
    let meant: Vec<String> = mean.iter().map(|to| format!("mine/case[{to},a]")).collect();
    assert_eq!(ids, meant);
}

/// What can never come, or asks for nothing that is, is no demand.
#[rstest]
#[case("close(s) = 0 on linx")]
#[case("close(s) = 1 # comment")]
#[case("close(s) = 01")]
#[case("close(s) = 1,\"x\"")]
#[case("close(s) = -5 EINVAL")]
#[case("close(s) =")]
#[case("close(s) = 0 on macos,")]
#[case("close(s)\n> link1 UDP")]
#[case("close(s)\n> link0 nothing")]
#[case("close(s)\n> nothing at all")]
#[case("close(s)\n> link0 UDP \"x")]
#[case("close(s)\n> link0 neighbour(link0) UDP")]
#[case("close(s)\n> link0 UDP\n> nothing")]
#[case("close(s)\n> nothing\n> link0 UDP")]
#[case("t: recv(s, 1, 0)\nt: <... send resumed> = 1")]
#[case("getsockname(s) = 0, {AF_INET 127.0.0.1:port(s)}")]
fn what_cannot_come_is_refused(#[case] line: &str) {
    let text = format!("tun link0\nsocket(AF_INET, SOCK_DGRAM, 0) = s\n{line}\n");
    assert!(read("mine", &text).is_err(), "{line}");
}

#[test]
fn data_is_asked_for_by_its_bytes() {
    let asked = |line: &str| {
        let text = format!("tun link0\nsocket(AF_INET, SOCK_DGRAM, 0) = s\n{line}\n");
        one(&text).asked.into_iter().map(|one| one.what).collect::<Vec<_>>()
    };
    let said = |line: &str| asked(line)[0].to_string();
    assert_eq!(said("recv(s, 9, 0) = 3, \"\\x41\\x00B\""), "= 3, \"A\\0B\"");
    assert_eq!(said("close(s)\n> link0 UDP \"\\xff\""), "> link0 UDP \"\\377\"");
    assert_eq!(said("recv(s, 9, 0) = 2, \"a\\\\\" on linux"), "= 2, \"a\\\\\" on linux");
    assert_eq!(said("recv(s, 9, 0) = -1 EAGAIN|EWOULDBLOCK"), "= -1 EAGAIN|EAGAIN");
    assert_eq!(said("recv(s, 9, 0) = 5, \"port(\""), "= 5, \"port(\"");
}

/// A frame beneath a step that some rows have is asked of those rows.
#[test]
fn a_frame_is_of_the_rows_that_its_step_is_of() {
    let text = "for f in one, two\ntun link0\nsocket(AF_INET, SOCK_DGRAM, 0) = s\n\
                send(s, \"a\", 0) = 1\nif f=two: send(s, \"b\", 0) = 1\n    > link0 UDP \"b\"\n";
    let asked: Vec<usize> = cases(text).iter().map(|one| one.asked.len()).collect();
    assert_eq!(asked, [1, 3]);
}

/// What stands between a step and a frame is not what the frame is of: row `one` was never asked for TCP.
#[test]
fn a_frame_behind_a_frame_of_some_rows_is_of_the_step() {
    let asked = |steps: &str| {
        let text = format!(
            "for f in one, two\nfor g in x, y\ntun link0\nsocket(AF_INET, SOCK_DGRAM, 0) = s\n{steps}"
        );
        let of = |one: &Written| (one.case.ops.len(), one.asked.len());
        cases(&text).iter().map(of).collect::<Vec<_>>()
    };
    let plain = "send(s, \"a\", 0)\n    if f=two: > link0 UDP\n    > link0 TCP\n";
    assert_eq!(asked(plain), [(2, 1), (2, 1), (2, 2), (2, 2)]);
    // A frame that is sent is a step of its own, of the rows of the call above it.
    let sent = "send(s, \"a\", 0)\n    if f=two: < link0 ICMP port unreachable, quoting it\n    \
                < link0 ICMP host unreachable, quoting it\n";
    assert_eq!(asked(sent), [(3, 0), (3, 0), (4, 0), (4, 0)]);
    // Both conditions hold of it.
    let both = "if g=y: send(s, \"a\", 0)\n    if f=two: > link0 UDP\nclose(s)\n";
    assert_eq!(asked(both), [(2, 0), (3, 0), (2, 0), (3, 1)]);
}

#[test]
fn a_frame_beneath_a_call_that_has_returned_is_of_that_call() {
    let text = "tun link0\nsocket(AF_INET, SOCK_DGRAM, 0) = s\nt: recv(s, 9, 0) <unfinished ...>\n\
                send(s, \"x\", 0)\nt: <... recv resumed> = 1\n    > nothing\n";
    let asked: Vec<u32> = one(text).asked.iter().map(|one| one.op).collect();
    assert_eq!(asked, [1, 1]);
}

#[test]
fn a_socket_without_a_name_takes_no_others() {
    let text = "socket(AF_INET, SOCK_DGRAM, 0) = unnamed1\nsocket(AF_INET, SOCK_STREAM, 0)\n\
                close(unnamed1)\n";
    let Op::Socket { fd, .. } = &one(text).case.ops[1] else { panic!("a socket") };
    assert_eq!(fd, "unnamed2");
}

#[test]
fn a_table_of_too_many_steps_is_refused_before_it_is_made() {
    let values: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let list = values.join(", ");
    let sends = "send(s, \"x\", 0)\n".repeat(200);
    let text =
        format!("for a in {list}\nfor b in {list}\nsocket(AF_INET, SOCK_DGRAM, 0) = s\n{sends}");
    let faults = read("mine", &text).expect_err("too many");
    assert!(faults[0].says.contains("rows by lines"), "{faults:?}");
}

/// What is asked is not lost where a case is printed as it was written.
#[test]
fn a_case_is_printed_with_what_it_asks() {
    let threads = "tun link0\nsocketpair(AF_UNIX, SOCK_STREAM, 0, [a, b]) = 0\n\
        t: recv(a, 9, 0)\nsend(b, \"x\", 0) = 1 on linux, 2\nt: <... recv resumed> = 1, \"x\"\n";
    let fails = "tun link0\nsocket(AF_INET, SOCK_DGRAM, IPPROTO_TCP) = s, -1 EPROTONOSUPPORT\n\
        -- link set link0 down\n    > nothing\n";
    for text in [EXAMPLE, threads, fails] {
        let written = one(text);
        let again = one(&print_written(&written));
        let asked = |of: &Written| {
            let mut all: Vec<_> = of.asked.iter().map(|one| (one.op, one.what.clone())).collect();
            all.sort_by_key(|(op, _)| *op);
            all
        };
        assert_eq!(asked(&again), asked(&written), "{text}");
        assert_eq!(again.case, written.case);
        assert!(asked(&written).len() > 1 && one(&print(&written.case)).asked.is_empty());
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let told = wrong("socket(AF_INNET, 0, 0) = s\nclose(s)\nsedn(s, \"x\", 1, 0)\n");
    assert_eq!(told.len(), 2, "{told:?}");
}

/// What stands in a row is shown where it comes from.
#[test]
fn a_fault_in_a_row_is_shown_at_the_parameter() {
    let text = "for f in AF_INET, AF_INET7\nsocket(f, SOCK_DGRAM, 0) = s\n";
    assert_eq!(
        wrong(text),
        [("f".to_owned(), "AF_INET7 is no name of the sockets API".to_owned())]
    );
}

#[test]
fn a_fault_is_told_as_a_compiler_does() {
    let text = "# t\nsocket(AF_INNET, SOCK_DGRAM, 0) = s\n";
    let faults = read("mine", text).expect_err("wrong");
    let told = render(&faults, "mine.case", text, false);
    assert_eq!(
        told,
        "error: AF_INNET is no name of the sockets API\n --> mine.case:2:8\n  |\n\
         2 | socket(AF_INNET, SOCK_DGRAM, 0) = s\n  |        ^^^^^^^^\n  |\n  \
         = help: did you mean AF_INET?"
    );
}

#[test]
fn too_many_rows_are_refused_before_they_are_made() {
    let values: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
    let list = values.join(", ");
    let text = format!("for a in {list}\nfor b in {list}\nsocket(AF_INET, SOCK_DGRAM, 0) = s\n");
    let faults = read("mine", &text).expect_err("too many");
    assert!(faults[0].says.contains("100000 rows at the most"), "{faults:?}");
}

mod of_any_text {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).*") {
            let _ = read("mine", &text);
        }

        #[test]
        fn no_text_of_its_own_words_panics(
            words in proptest::collection::vec(proptest::sample::select(WORDS), 0..40)
        ) {
            let text = words.concat();
            if let Err(faults) = read("mine", &text) {
                prop_assert!(!render(&faults, "mine", &text, false).is_empty());
            }
        }

        #[test]
        fn a_changed_byte_is_no_panic(at in 0usize..400, with in any::<char>()) {
            for text in [EXAMPLE, TABLE, lists::LISTS, ids::IDS] {
                let mut changed: Vec<char> = text.chars().collect();
                let at = at % changed.len();
                changed[at] = with;
                let changed: String = changed.into_iter().collect();
                if let Err(faults) = read("mine", &changed) {
                    prop_assert!(!render(&faults, "mine", &changed, false).is_empty());
                }
            }
        }
    }

    const WORDS: &[&str] = &[
        "\n",
        "\n",
        " ",
        ", ",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "= ",
        "\"x\"",
        "socket",
        "send",
        "s",
        "AF_INET",
        "SOCK_DGRAM",
        "0",
        "-1",
        "EAGAIN",
        "tun link0",
        "> ",
        "< ",
        "-- ",
        "for ",
        " in ",
        "without ",
        "let ",
        "if ",
        ": ",
        "|",
        "case ",
        "# ",
        "own",
        "pattern[0..5]",
        ":9",
        "\u{e9}",
        "\\",
        "title ",
        "window ",
        "t: ",
        "<... ",
        "resumed>",
        " on linux",
        "wait ",
        "serve ",
        "%",
        "0x",
    ];
}
