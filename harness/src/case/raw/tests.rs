//! What of a call that is written out is let in.

use rstest::rstest;

use super::*;

fn says(call: &str, args: &str) -> Result<(), String> {
    let args: Vec<Arg> = serde_json::from_str(&format!("[{args}]")).expect("arguments");
    check(&Op::Raw { call: call.to_owned(), args })
}

/// What would read or write beyond a buffer, or make a descriptor that nobody closes.
#[rstest]
#[case::nowhere("recv", r#"{"fd":"s"},"bad",{"number":4},{"names":[]}"#, true)]
#[case::somewhere("recv", r#"{"fd":"s"},"room",{"number":65536},{"names":[]}"#, true)]
#[case::beyond("recv", r#"{"fd":"s"},"room",{"number":65537},{"names":[]}"#, false)]
#[case::all("recv", r#"{"fd":"s"},"room",{"number":-1},{"names":[]}"#, false)]
#[case::no_length(
    "setsockopt",
    r#"{"fd":"s"},{"names":[]},{"names":[]},"room",{"number":-1}"#,
    true
)]
#[case::beyond_it(
    "getsockopt",
    r#"{"fd":"s"},{"names":[]},{"names":[]},"room",{"at":65537}"#,
    false
)]
#[case::the_longest(
    "getsockopt",
    r#"{"fd":"s"},{"names":[]},{"names":[]},"room",{"at":2147483647}"#,
    true
)]
#[case::the_longest_is_set(
    "setsockopt",
    r#"{"fd":"s"},{"names":[]},{"names":[]},"room",{"number":2147483647}"#,
    true
)]
#[case::the_longest_of_bytes(
    "setsockopt",
    r#"{"fd":"s"},{"names":[]},{"names":[]},{"bytes":"41"},{"number":2147483647}"#,
    false
)]
#[case::the_longest_address("bind", r#"{"fd":"s"},"room",{"number":2147483647}"#, false)]
#[case::a_message("sendmsg", r#"{"fd":"s"},{"bytes":"41"},{"names":[]}"#, false)]
#[case::parts("writev", r#"{"fd":"s"},"room",{"number":1025}"#, false)]
#[case::gives("accept", r#"{"fd":"s"},"null","bad""#, false)]
#[case::gives_none("accept", r#"{"fd":"s"},"bad",{"at":16}"#, true)]
#[case::gives_two("socketpair", r#"{"names":[]},{"names":[]},{"names":[]},"room""#, false)]
#[case::gives_no_two("socketpair", r#"{"names":[]},{"names":[]},{"names":[]},"bad""#, true)]
#[case::a_process(
    "getsockopt",
    r#"{"fd":"s"},{"names":["SOL_SOCKET"]},{"names":["SO_PEERPIDFD"]},"room",{"at":4}"#,
    false
)]
#[case::a_path("bind", r#"{"fd":"s"},{"bytes":"01002f746d702f5a"},{"number":8}"#, false)]
#[case::beyond_the_lab(
    "sendto",
    r#"{"fd":"s"},"room",{"number":1},{"names":[]},{"bytes":"0200"},{"number":16}"#,
    false
)]
#[case::pointers(
    "getsockopt",
    r#"{"fd":"s"},{"names":["IPPROTO_TCP"]},{"names":["TCP_ZEROCOPY_RECEIVE"]},{"bytes":"0010000000000000"},{"at":64}"#,
    false
)]
#[case::pointers_in_an_address(
    "setsockopt",
    r#"{"fd":"s"},{"names":[]},{"names":[]},{"addr":{"host":{"ip":"10::"},"port":{"is":0}}},{"number":16}"#,
    false
)]
#[case::an_address("sendto", r#"{"fd":"s"},"room",{"number":1},{"names":[]},{"addr":{"host":{"ip":"::1"},"port":{"is":9}}},{"number":28}"#, true)]
#[case::no_bytes("send", r#"{"fd":"s"},{"bytes":""},{"number":0},{"names":[]}"#, false)]
#[case::descriptor_0("poll", r#""room",{"number":1},{"number":0}"#, false)]
#[case::no_descriptors("poll", r#""bad",{"number":1},{"number":5000}"#, true)]
#[case::no_events("epoll_wait", r#"{"fd":"s"},"bad",{"number":1},{"number":-1}"#, true)]
#[case::many_events("epoll_wait", r#"{"fd":"s"},"room",{"number":1025},{"number":0}"#, false)]
#[case::an_event("epoll_ctl", r#"{"fd":"s"},{"names":["EPOLL_CTL_ADD"]},{"fd":"t"},"room""#, false)]
#[case::an_edge("send", r#"{"fd":"s"},{"edge":"4142"},{"number":4096},{"names":[]}"#, true)]
#[case::an_edge_of_nothing("send", r#"{"fd":"s"},{"edge":""},{"number":4096},{"names":[]}"#, false)]
#[case::an_edge_as_a_path("bind", r#"{"fd":"s"},{"edge":"01002f"},{"number":3}"#, false)]
#[case::parts_of_one(
    "writev",
    r#"{"fd":"s"},{"parts":[{"base":"bad","len":-1}]},{"number":1}"#,
    true
)]
#[case::parts_within_parts(
    "writev",
    r#"{"fd":"s"},{"parts":[{"base":{"parts":[]},"len":1}]},{"number":1}"#,
    false
)]
#[case::parts_elsewhere(
    "send",
    r#"{"fd":"s"},{"parts":[{"base":"bad","len":1}]},{"number":1},{"names":[]}"#,
    false
)]
#[case::a_part_beyond(
    "readv",
    r#"{"fd":"s"},{"parts":[{"base":"room","len":65537}]},{"number":1}"#,
    false
)]
#[case::no_call("system", r#""bad""#, false)]
#[case::few("bind", r#"{"fd":"s"},"bad""#, false)]
#[case::other("bind", r#"{"number":1},"bad",{"number":1}"#, false)]
fn what_is_let_in(#[case] call: &str, #[case] args: &str, #[case] is: bool) {
    assert_eq!(says(call, args).is_ok(), is, "{:?}", says(call, args));
}

/// `recvmsg` and `sendmsg` of a message that leads where it says, but for what is named.
#[rstest]
#[case::as_it_is("sendmsg", r#""iovlen":null"#, r#""iovlen":null"#, true)]
#[case::nowhere("sendmsg", r#""name":"null""#, r#""name":"bad","namelen":-1"#, true)]
#[case::no_length("sendmsg", r#""name":"null""#, r#""name":"bad""#, false)]
#[case::bytes(
    "sendmsg",
    r#""name":"null""#,
    r#""name":{"bytes":"01002f746d70"},"namelen":6"#,
    false
)]
#[case::rights(
    "sendmsg",
    r#""control":"null""#,
    r#""control":{"bytes":"1400"},"controllen":20"#,
    false
)]
#[case::rights_by_name(
    "sendmsg",
    r#""control":"null""#,
    r#""control":"null","controls":[{"rights":{"fds":["s"]}}],"controllen":3"#,
    true
)]
#[case::rights_received(
    "recvmsg",
    r#""control":"null""#,
    r#""control":"null","controls":[{"rights":{"fds":["s"]}}]"#,
    false
)]
#[case::room_received(
    "recvmsg",
    r#""control":"null""#,
    r#""control":"room","controllen":64"#,
    true
)]
#[case::beyond_the_room(
    "recvmsg",
    r#""control":"null""#,
    r#""control":"room","controllen":65537"#,
    false
)]
#[case::all_there_is(
    "recvmsg",
    r#""control":"null""#,
    r#""control":"room","controllen":-1"#,
    false
)]
#[case::a_link(
    "sendmsg",
    r#""control":"null""#,
    r#""control":"null","controls":[{"pkt_info":{"level":"IPPROTO_IP","link":null,"source":null}}]"#,
    false
)]
#[case::rights_beside_a_pointer(
    "sendmsg",
    r#""control":"null""#,
    r#""control":"bad","controls":[{"rights":{"fds":["s"]}}],"controllen":20"#,
    false
)]
#[case::many("sendmsg", r#""iovlen":null"#, r#""iovlen":1025"#, true)]
#[case::more_than_there_are("recvmsg", r#""iovlen":null"#, r#""iovlen":4097"#, false)]
#[case::less_than_none("recvmsg", r#""iovlen":null"#, r#""iovlen":-1"#, false)]
fn what_of_a_message_is_let_in(
    #[case] call: &str,
    #[case] of: &str,
    #[case] with: &str,
    #[case] is: bool,
) {
    let right = r#"{"message":{"name":"null","iov":{"parts":[{"base":"room","len":8}]},"iovlen":null,"control":"null"}}"#;
    let message = right.replace(of, with);
    let said = says(call, &format!(r#"{{"fd":"s"}},{message},{{"names":[]}}"#));
    assert_eq!(said.is_ok(), is, "{said:?}");
}
