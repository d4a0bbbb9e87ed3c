//! Which calls may block, told by hand.

use rstest::rstest;

use super::*;
use crate::case::addr::{Addr, Range, Role};
use crate::case::{Lab, LinkKind, Payload, Sym, Threads};

fn socket(kinds: &[&'static str]) -> Op {
    let (domain, protocol) = (Sym::from("AF_INET"), Flags::NONE);
    Op::Socket { fd: "s".into(), domain, r#type: Flags::of(kinds), protocol }
}

fn recv(flags: &[&'static str]) -> Op {
    Op::Recv { fd: "s".into(), len: 1, flags: Flags::of(flags) }
}

fn connect() -> Op {
    Op::Connect { fd: "s".into(), addr: Addr::on("l", Role::Neighbour, Range::V4, 80) }
}

fn set_flags(arg: &[&'static str]) -> Op {
    Op::Fcntl { fd: "s".into(), cmd: "F_SETFL".into(), arg: Flags::of(arg), pid: None }
}

fn linger(on: i32, seconds: i32) -> Op {
    let option = Opt::Raw { level: "SOL_SOCKET".into(), name: "SO_LINGER".into() };
    Op::Setsockopt { fd: "s".into(), option, value: Value::Linger { on, seconds } }
}

/// Whether `op` may block behind `before`.
fn blocks(lab: Lab, before: Vec<Op>, op: &Op) -> bool {
    let (id, title, catalogue) = ("s/t".to_owned(), String::new(), Vec::new());
    let case =
        Case { id, title, catalogue, lab, ops: before, window_ms: 0, threads: Threads::NONE };
    let mut blocking = Blocking::of(&case);
    case.ops.iter().for_each(|op| blocking.succeeded(op));
    blocking.may_block(op)
}

#[test]
fn a_socket_blocks_until_it_is_told_otherwise() {
    let lab = || Lab::one(LinkKind::Tun, "l");
    let stream = || socket(&["SOCK_STREAM"]);
    assert!(blocks(lab(), vec![stream()], &connect()));
    assert!(blocks(lab(), vec![stream()], &recv(&[])));
    assert!(!blocks(lab(), vec![stream()], &recv(&["MSG_DONTWAIT"])));
    let told = || set_flags(&["O_NONBLOCK"]);
    assert!(!blocks(lab(), vec![stream(), told()], &connect()));
    assert!(blocks(lab(), vec![stream(), told(), set_flags(&[])], &connect()));
    let made_so = socket(&["SOCK_STREAM", "SOCK_NONBLOCK"]);
    assert!(!blocks(lab(), vec![made_so], &recv(&[])));
}

/// A part is one of a stream alone, and of who waits for all of it.
#[test]
fn a_part_is_of_a_stream_that_waits() {
    let cut = |kind: &'static str, flags: &[&'static str], returned: i64| {
        let (ops, op) = (vec![socket(&[kind])], recv(flags));
        let Op::Recv { fd, flags, .. } = op else { return false };
        let case = Case::new("s/t".to_owned(), String::new(), Lab::loopback(), ops);
        let mut blocking = Blocking::of(&case);
        case.ops.iter().for_each(|op| blocking.succeeded(op));
        blocking.is_cut(&Op::Recv { fd, len: 8, flags }, returned)
    };
    assert!(cut("SOCK_STREAM", &["MSG_WAITALL"], 3));
    assert!(!cut("SOCK_STREAM", &["MSG_WAITALL"], 8));
    assert!(!cut("SOCK_STREAM", &["MSG_WAITALL", "MSG_DONTWAIT"], 3));
    assert!(!cut("SOCK_STREAM", &[], 3));
    assert!(!cut("SOCK_DGRAM", &["MSG_PEEK", "MSG_WAITALL"], 3));
}

#[test]
fn a_close_that_lingers_may_block() {
    let lab = || Lab::one(LinkKind::Tun, "l");
    let (stream, close) = (|| socket(&["SOCK_STREAM"]), Op::Close { fd: "s".into() });
    assert!(!blocks(lab(), vec![stream()], &close));
    assert!(!blocks(lab(), vec![stream(), linger(1, 0)], &close));
    assert!(blocks(lab(), vec![stream(), linger(1, 2)], &close));
}

/// On Linux as on the BSDs: what is accepted lingers as its listener would.
#[test]
fn an_accepted_socket_lingers_as_its_listener() {
    let lab = || Lab::one(LinkKind::Tun, "l");
    let stream = || socket(&["SOCK_STREAM"]);
    let accept = || Op::Accept { fd: "s".into(), new: "a".into() };
    let close = Op::Close { fd: "a".into() };
    assert!(!blocks(lab(), vec![stream(), accept()], &close));
    assert!(blocks(lab(), vec![stream(), linger(1, 2), accept()], &close));
    assert!(!blocks(lab(), vec![stream(), accept(), linger(1, 2)], &close));
}

#[test]
fn a_datagram_waits_for_room_where_a_buffer_was_made_small() {
    let lab = || Lab::one(LinkKind::Tun, "l");
    let send = Op::Send { fd: "s".into(), data: Payload::Text("x".to_owned()), flags: Flags::NONE };
    let sized = |name: &'static str| {
        let option = Opt::Raw { level: "SOL_SOCKET".into(), name: name.into() };
        let set = Op::Setsockopt { fd: "s".into(), option, value: Value::Int(1) };
        blocks(lab(), vec![socket(&["SOCK_DGRAM"]), set], &send)
    };
    assert!(sized("SO_SNDBUF") && sized("SO_SNDBUFFORCE"));
    assert!(!sized("SO_RCVBUF"));
}

#[test]
fn where_there_is_no_far_end_nothing_waits_for_one() {
    assert!(!blocks(Lab::loopback(), vec![socket(&["SOCK_STREAM"])], &recv(&[])));
}

#[test]
fn a_datagram_is_sent_without_a_wait() {
    let lab = || Lab::one(LinkKind::Tun, "l");
    let datagrams = || socket(&["SOCK_DGRAM"]);
    assert!(!blocks(lab(), vec![datagrams()], &connect()));
    assert!(blocks(lab(), vec![datagrams()], &recv(&[])));
}

/// Cases of words as they come from outside.
fn op(text: &str) -> Op {
    serde_json::from_str(text).expect("a step")
}

/// Whether the last of these steps may block behind the others, beside a far end.
fn last_blocks(steps: &[&str]) -> bool {
    let mut ops: Vec<Op> = steps.iter().map(|step| op(step)).collect();
    let last = ops.pop().expect("a step");
    blocks(Lab::one(LinkKind::Tun, "l"), ops, &last)
}

const STREAM: &str =
    r#"{"socket":{"fd":"s","domain":"AF_INET","type":["SOCK_STREAM"],"protocol":[]}}"#;
const DATAGRAMS: &str =
    r#"{"socket":{"fd":"s","domain":"AF_INET","type":["SOCK_DGRAM"],"protocol":[]}}"#;
const PIPE: &str = r#"{"pipe":{"read":"r","write":"w"}}"#;
const DUP: &str = r#"{"dup":{"fd":"s","new":"d"}}"#;
const NONBLOCK: &str = r#"{"fcntl":{"fd":"s","cmd":"F_SETFL","arg":["O_NONBLOCK"]}}"#;
const NONBLOCK_D: &str = r#"{"fcntl":{"fd":"d","cmd":"F_SETFL","arg":["O_NONBLOCK"]}}"#;
const LINGER: &str = r#"{"setsockopt":{"fd":"s","option":{"raw":{"level":"SOL_SOCKET","name":"SO_LINGER"}},"value":{"linger":{"on":1,"seconds":2}}}}"#;
const RECV: &str = r#"{"recv":{"fd":"s","len":1,"flags":[]}}"#;
const RECV_D: &str = r#"{"recv":{"fd":"d","len":1,"flags":[]}}"#;
const CLOSE: &str = r#"{"close":{"fd":"s"}}"#;
const CLOSE_D: &str = r#"{"close":{"fd":"d"}}"#;

/// dup(2): "the two file descriptors share file offset and file status flags". A close is none as long as
/// there is another descriptor.
#[rstest]
#[case::told_by_the_other(&[STREAM, DUP, NONBLOCK_D, RECV], false)]
#[case::told_the_other(&[STREAM, DUP, NONBLOCK, RECV_D], false)]
#[case::told_before(&[STREAM, NONBLOCK, DUP, RECV_D], false)]
#[case::told_nothing(&[STREAM, DUP, RECV_D], true)]
#[case::of_no_socket(&[DUP, RECV_D], false)]
#[case::another_of_that_name(&[STREAM, DUP, STREAM, NONBLOCK_D, RECV], true)]
#[case::told_when_the_other_is_closed(&[STREAM, DUP, CLOSE, NONBLOCK_D, RECV_D], false)]
#[case::not_the_last(&[STREAM, LINGER, DUP, CLOSE], false)]
#[case::the_last(&[STREAM, LINGER, DUP, CLOSE, CLOSE_D], true)]
#[case::not_the_last_of_no_name(&[STREAM, LINGER, DUP, STREAM, CLOSE_D], false)]
fn names_of_one_description_share_what_they_are_told(#[case] steps: &[&str], #[case] is: bool) {
    assert_eq!(last_blocks(steps), is);
}

/// What cannot be the call's own form: pipes, what leads from one to the other, calls that are written out.
#[rstest]
#[case::a_full_pipe(&[PIPE, r#"{"write":{"fd":"w","data":{"text":"x"}}}"#], true)]
#[case::an_empty_pipe(&[PIPE, r#"{"read":{"fd":"r","len":1}}"#], true)]
#[case::of_a_pipe_that_does_not(&[PIPE, r#"{"fcntl":{"fd":"w","cmd":"F_SETFL","arg":["O_NONBLOCK"]}}"#, r#"{"write":{"fd":"w","data":{"text":"x"}}}"#], false)]
#[case::splice_from(&[STREAM, PIPE, r#"{"splice":{"from":"s","to":"w","count":9,"flags":[]}}"#], true)]
#[case::splice_to(&[STREAM, PIPE, r#"{"splice":{"from":"r","to":"s","count":9,"flags":[]}}"#], true)]
#[case::splice_of_nothing(&[r#"{"splice":{"from":"r","to":"s","count":9,"flags":[]}}"#], false)]
#[case::splice_that_waits_for_no_pipe(&[DATAGRAMS, PIPE, r#"{"splice":{"from":"r","to":"s","count":9,"flags":["SPLICE_F_NONBLOCK"]}}"#], false)]
#[case::splice_that_waits_for_a_socket(&[STREAM, PIPE, r#"{"splice":{"from":"s","to":"w","count":9,"flags":["SPLICE_F_NONBLOCK"]}}"#], true)]
#[case::raw_recv(&[STREAM, r#"{"raw":{"call":"recv","args":[{"fd":"s"},"room",{"number":9},{"names":[]}]}}"#], true)]
#[case::raw_recv_that_does_not(&[STREAM, r#"{"raw":{"call":"recv","args":[{"fd":"s"},"room",{"number":9},{"names":["MSG_DONTWAIT"]}]}}"#], false)]
#[case::raw_of_one_that_does_not(&[STREAM, NONBLOCK, r#"{"raw":{"call":"read","args":[{"fd":"s"},"room",{"number":9}]}}"#], false)]
#[case::raw_accept(&[STREAM, r#"{"raw":{"call":"accept","args":[{"fd":"s"},"bad","null"]}}"#], true)]
#[case::raw_connect(&[STREAM, r#"{"raw":{"call":"connect","args":[{"fd":"s"},"bad",{"number":16}]}}"#], true)]
#[case::raw_connect_of_datagrams(&[DATAGRAMS, r#"{"raw":{"call":"connect","args":[{"fd":"s"},"bad",{"number":16}]}}"#], false)]
#[case::raw_write(&[STREAM, r#"{"raw":{"call":"write","args":[{"fd":"s"},"room",{"number":9}]}}"#], true)]
#[case::raw_write_of_a_datagram(&[DATAGRAMS, r#"{"raw":{"call":"write","args":[{"fd":"s"},"room",{"number":9}]}}"#], false)]
#[case::raw_poll(&[r#"{"raw":{"call":"poll","args":["null",{"number":0},{"number":100}]}}"#], true)]
#[case::raw_poll_at_once(&[r#"{"raw":{"call":"poll","args":["null",{"number":0},{"number":0}]}}"#], false)]
#[case::raw_bind(&[STREAM, r#"{"raw":{"call":"bind","args":[{"fd":"s"},"bad",{"number":16}]}}"#], false)]
#[case::raw_linger(&[STREAM, r#"{"raw":{"call":"setsockopt","args":[{"fd":"s"},{"names":["SOL_SOCKET"]},{"names":["SO_LINGER"]},{"bytes":"0100000002000000"},{"number":8}]}}"#, CLOSE], cfg!(target_endian = "little"))]
#[case::raw_linger_of_none(&[STREAM, r#"{"raw":{"call":"setsockopt","args":[{"fd":"s"},{"names":["SOL_SOCKET"]},{"names":["SO_LINGER"]},"room",{"number":8}]}}"#, CLOSE], false)]
#[case::raw_buffer(&[DATAGRAMS, r#"{"raw":{"call":"setsockopt","args":[{"fd":"s"},{"names":["SOL_SOCKET"]},{"names":["SO_SNDBUF"]},"room",{"number":4}]}}"#, r#"{"send":{"fd":"s","data":{"text":"x"},"flags":[]}}"#], true)]
fn what_is_written_out_and_what_is_no_socket_may_block_too(
    #[case] steps: &[&str],
    #[case] is: bool,
) {
    assert_eq!(last_blocks(steps), is);
}

/// Who counts messages, and who leads bytes from one to the other.
#[rstest]
#[case::a_pipe(&[PIPE], r#"{"write":{"fd":"w","data":{"pattern":9}}}"#, true)]
#[case::messages(&[STREAM], r#"{"sendmmsg":{"fd":"s","data":[{"text":"a"},{"text":"b"},{"text":"c"},{"text":"d"}],"flags":[],"addr":null}}"#, true)]
#[case::messages_that_do_not_wait(&[STREAM], r#"{"sendmmsg":{"fd":"s","data":[{"text":"a"},{"text":"b"},{"text":"c"},{"text":"d"}],"flags":["MSG_DONTWAIT"],"addr":null}}"#, false)]
#[case::datagrams(&[DATAGRAMS], r#"{"sendmmsg":{"fd":"s","data":[{"text":"a"},{"text":"b"},{"text":"c"},{"text":"d"}],"flags":[],"addr":null}}"#, false)]
#[case::local(&[r#"{"socketpair":{"a":"s","b":"t","domain":"AF_UNIX","type":["SOCK_DGRAM"],"protocol":[]}}"#], r#"{"sendmmsg":{"fd":"s","data":[{"text":"a"},{"text":"b"},{"text":"c"},{"text":"d"}],"flags":[],"addr":null}}"#, true)]
#[case::splice(&[STREAM, PIPE], r#"{"splice":{"from":"r","to":"s","count":9,"flags":[]}}"#, true)]
#[case::raw(&[STREAM], r#"{"raw":{"call":"write","args":[{"fd":"s"},"room",{"number":9}]}}"#, true)]
#[case::raw_all(&[STREAM], r#"{"raw":{"call":"recv","args":[{"fd":"s"},"room",{"number":9},{"names":["MSG_WAITALL"]}]}}"#, true)]
#[case::raw_some(&[STREAM], r#"{"raw":{"call":"recv","args":[{"fd":"s"},"room",{"number":9},{"names":[]}]}}"#, false)]
fn three_of_more_are_a_part(#[case] before: &[&str], #[case] last: &str, #[case] is: bool) {
    let ops = before.iter().map(|step| op(step)).collect();
    let case = Case::new("s/t".to_owned(), String::new(), Lab::loopback(), ops);
    let mut blocking = Blocking::of(&case);
    case.ops.iter().for_each(|op| blocking.succeeded(op));
    assert_eq!(blocking.is_cut(&op(last), 3), is);
    assert!(!blocking.is_cut(&op(last), 9));
}
