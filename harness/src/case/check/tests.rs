use rstest::rstest;

use crate::case::{Case, Lab, Op};

const UNIX: &str =
    r#"{"socket":{"fd":"s","domain":"AF_UNIX","type":["SOCK_STREAM"],"protocol":[]}}"#;
const UDP: &str = r#"{"socket":{"fd":"s","domain":"AF_INET","type":["SOCK_DGRAM"],"protocol":[]}}"#;
const PACKET: &str =
    r#"{"socket":{"fd":"s","domain":"AF_INET","type":["SOCK_PACKET"],"protocol":[]}}"#;
const NETLINK: &str =
    r#"{"socket":{"fd":"s","domain":"AF_NETLINK","type":["SOCK_RAW"],"protocol":[]}}"#;
const LL: &str = r#"{"socket":{"fd":"s","domain":"AF_PACKET","type":["SOCK_RAW"],"protocol":[]}}"#;

const AUDIT: &str = r#"{"socket":{"fd":"s","domain":"AF_NETLINK","type":["SOCK_RAW"],"protocol":["NETLINK_AUDIT"]}}"#;
const USERSOCK: &str = r#"{"socket":{"fd":"s","domain":"AF_NETLINK","type":["SOCK_RAW"],"protocol":["NETLINK_USERSOCK"]}}"#;
const VSOCK: &str =
    r#"{"socket":{"fd":"s","domain":"AF_VSOCK","type":["SOCK_STREAM"],"protocol":[]}}"#;
/// A structure of so many bytes for an option of packet sockets.
fn fanout(name: &str, len: usize) -> String {
    let (option, bytes) =
        (format!(r#"{{"level":"SOL_PACKET","name":"{name}"}}"#), "00".repeat(len));
    format!(
        r#"{{"setsockopt":{{"fd":"s","option":{{"raw":{option}}},"value":{{"bytes":"{bytes}"}}}}}}"#
    )
}
const LISTEN: &str = r#"{"listen":{"fd":"s","backlog":1}}"#;
/// `RTM_NEWLINK` without a payload, as JSON has it.
const NEW_LINK: &str = r"\u0010\u0000\u0000\u0000\u0010\u0000\u0001\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000";

fn sends(text: &str) -> String {
    format!(r#"{{"send":{{"fd":"s","data":{{"text":"{text}"}},"flags":[]}}}}"#)
}

/// Binds to this host, with what stands beside it.
fn bound(host: &str, beside: &str) -> String {
    format!(r#"{{"bind":{{"fd":"s","addr":{{"host":{host},"port":{{"is":0}}{beside}}}}}}}"#)
}

/// Binds to a link, with a hardware address.
fn on(link: &str, addr: &str) -> String {
    let host = format!(r#"{{"packet":{{"proto":2048,"addr":"{addr}"}}}}"#);
    format!(
        r#"{{"bind":{{"fd":"s","addr":{{"host":{host},"port":{{"is":0}},"scope":{{"link":{link}}}}}}}}}"#
    )
}

/// As bytes of `sockaddr_un` this is the path `/tmp/Z`.
const PATH: &str =
    r#"{"ip":"109.112.47.90"},"port":{"is":12148},"scope":"zero","family":"AF_UNIX""#;

/// Binds to a Unix socket's name, with what stands beside it.
fn at(unix: &str, beside: &str) -> String {
    format!(
        r#"{{"bind":{{"fd":"s","addr":{{"host":{{"unix":{unix}}},"port":{{"is":0}}{beside}}}}}}}"#
    )
}

/// Sends with a control message.
fn with(control: &str) -> String {
    format!(
        r#"{{"sendmsg":{{"fd":"s","data":{{"text":"x"}},"flags":[],"addr":null,"control":[{control}]}}}}"#
    )
}

fn said(ops: &[&str]) -> Result<(), String> {
    let ops: Vec<Op> = serde_json::from_str(&format!("[{}]", ops.join(","))).expect("steps");
    Case::new("s/t".to_owned(), String::new(), Lab::loopback(), ops).check()
}

const FILE: &str =
    r#"{"tmpfile":{"new":"f","data":{"pattern":1000000}}},{"pipe":{"read":"r","write":"w"}}"#;

/// A file had no end: as much as all steps of a case write.
#[rstest]
#[case::a_write(r#"{"write":{"fd":"f","data":{"pattern":48577}}}"#, false)]
#[case::less(r#"{"write":{"fd":"f","data":{"pattern":48576}}}"#, true)]
#[case::by_another_name(
    r#"{"dup":{"fd":"f","new":"d"}},{"write":{"fd":"d","data":{"pattern":48577}}}"#,
    false
)]
#[case::a_sendfile(r#"{"sendfile":{"fd":"f","file":"f","offset":null,"count":48577}}"#, false)]
#[case::a_splice(r#"{"splice":{"from":"r","to":"f","count":48577,"flags":[]}}"#, false)]
#[case::from_it(r#"{"splice":{"from":"f","to":"w","count":48577,"flags":[]}}"#, true)]
#[case::much_at_once(r#"{"splice":{"from":"f","to":"w","count":1048577,"flags":[]}}"#, false)]
#[case::written_out(
    r#"{"raw":{"call":"write","args":[{"fd":"f"},"room",{"number":48577}]}}"#,
    false
)]
#[case::another(r#"{"tmpfile":{"new":"g","data":{"pattern":48577}}}"#, false)]
fn a_file_has_an_end(#[case] step: &str, #[case] is: bool) {
    assert_eq!(said(&[FILE, step]).is_ok(), is, "{:?}", said(&[FILE, step]));
}

#[test]
fn what_is_told_of_a_case_has_an_end() {
    let recv = r#"{"recv":{"fd":"s","len":1048576,"flags":[]}}"#;
    let steps = |many: usize| said(&[vec![UDP], vec![recv; many]].concat());
    assert_eq!(steps(64), Ok(()));
    assert!(steps(65).is_err());
}

/// A run stood for 49 days by one step.
#[test]
fn what_a_case_waits_for_has_an_end() {
    let wait = |ms: u32| format!(r#"{{"lab":{{"step":{{"wait":{{"ms":{ms},"why":"x"}}}}}}}}"#);
    assert_eq!(said(&[UDP, &wait(300_000), &wait(300_000)]), Ok(()));
    let poll = r#"{"poll":{"fds":[],"timeout_ms":600001}}"#;
    for steps in [&[UDP, &wait(u32::MAX)][..], &[UDP, &wait(300_000), &wait(300_001)], &[UDP, poll]]
    {
        let said = said(steps);
        assert!(said.as_ref().is_err_and(|why| why.contains("asks to wait for")), "{said:?}");
    }
}

/// What reached the host, its memory, or a descriptor that nobody closes.
#[rstest]
#[case::binds_a_path(UNIX, &format!(r#"{{"bind":{{"fd":"s","addr":{{"host":{PATH}}}}}}}"#), Some("its path is the host's"))]
#[case::sends_to_a_path(UNIX, &format!(r#"{{"sendto":{{"fd":"s","data":{{"text":"x"}},"flags":[],"addr":{{"host":{PATH}}}}}}}"#), Some("its path is the host's"))]
#[case::a_name(UNIX, &at(r#"{"name":{"path":"s.sock"}}"#, ""), None)]
#[case::an_abstract_name(UNIX, &at(r#"{"name":{"abstract":"s"},"len":9}"#, ""), None)]
#[case::in_a_folder(UNIX, &at(r#"{"name":{"path":"d/s"},"len":4}"#, ""), None)]
#[case::up_from_a_folder(UNIX, &at(r#"{"name":{"path":"d/../../Z"}}"#, ""), Some("is no plain name"))]
#[case::makes_a_folder(UNIX, r#"{"mkdir":{"path":"d","mode":448}}"#, None)]
#[case::makes_one_of_the_hosts(UNIX, r#"{"mkdir":{"path":"/d","mode":448}}"#, Some("is no path"))]
#[case::takes_away_the_hosts(UNIX, r#"{"unlink":{"path":"../x"}}"#, Some("is no path"))]
#[case::changes_the_hosts(UNIX, r#"{"chmod":{"path":"/x","mode":0}}"#, Some("is no path"))]
#[case::leads_out(UNIX, r#"{"symlink":{"target":"../x","path":"x"}}"#, Some("is no path"))]
#[case::leads_to_the_host(UNIX, r#"{"symlink":{"target":"/etc","path":"x"}}"#, Some("is no path"))]
#[case::anybodys_rights(UNIX, r#"{"chmod":{"path":"s","mode":2560}}"#, Some("0777 is the most"))]
#[case::a_path(UNIX, &at(r#"{"name":{"path":"/tmp/Z"}}"#, ""), Some("is no plain name"))]
#[case::a_path_up(UNIX, &at(r#"{"name":{"path":"../Z"}}"#, ""), Some("is no plain name"))]
#[case::a_path_that_is_cut(UNIX, &at(r#"{"name":{"path":"..Z"},"len":4}"#, ""), Some("is no plain name"))]
#[case::a_terminals(UNIX, &at(r#"{"name":{"abstract":"\u001b[2J"}}"#, ""), Some("is no plain name"))]
#[case::too_long(UNIX, &at(r#"{"name":"unnamed","len":129}"#, ""), Some("128 are the most"))]
#[case::with_a_family(UNIX, &at(r#"{"name":{"path":"s"}}"#, r#","family":"AF_UNIX""#), Some("neither a port nor a scope"))]
#[case::with_a_scope(UNIX, &at(r#"{"name":{"path":"s"}}"#, r#","scope":{"id":1}"#), Some("neither a port nor a scope"))]
#[case::asks_the_hosts_name(UNIX, r#"{"getnameinfo":{"addr":{"host":{"unix":{"name":{"path":"s"}}},"port":{"is":0}},"host_len":9,"service_len":9,"flags":[]}}"#, Some("takes no address of AF_UNIX"))]
#[case::on_no_link(UDP, r#"{"setsockopt":{"fd":"s","option":{"raw":{"level":"IPPROTO_IP","name":"IP_MULTICAST_IF"}},"value":{"host":{"unix":{"name":{"path":"s"}}}}}}"#, Some("on no link"))]
#[case::descriptors_by_name(UNIX, &with(r#"{"rights":{"fds":["s","s"]}}"#), None)]
#[case::a_descriptor_of_nobody(UNIX, &with(r#"{"rights":{"fds":["t"]}}"#), Some("makes a socket \"t\""))]
#[case::no_descriptors(UNIX, &with(r#"{"rights":{"fds":[]}}"#), Some("0 bytes"))]
#[case::descriptors_by_number(UNIX, &with(r#"{"bytes":{"level":"SOL_SOCKET","kind":"SCM_RIGHTS","data":"03000000"}}"#), Some("goes by name"))]
#[case::all_by_number(UNIX, &with(r#"{"bytes":{"level":1,"kind":1,"data":"03000000"}}"#), Some("goes by name"))]
#[case::half_a_number(UNIX, &with(r#"{"bytes":{"level":1,"kind":1,"data":"0300"}}"#), None)]
#[case::a_link_by_number(UDP, &with(r#"{"bytes":{"level":"IPPROTO_IP","kind":"IP_PKTINFO","data":"0300"}}"#), Some("goes by name"))]
#[case::other_bytes(UDP, &with(r#"{"bytes":{"level":"IPPROTO_IP","kind":2,"data":"0500"}}"#), None)]
#[case::no_name(UDP, &with(r#"{"bytes":{"level":"x;y","kind":2,"data":""}}"#), Some("is no name of the sockets API"))]
#[case::no_path_to_others(UDP, &format!(r#"{{"connect":{{"fd":"s","addr":{{"host":{PATH}}}}}}}"#), None)]
#[case::obsolete(
    PACKET,
    r#"{"send":{"fd":"s","data":{"text":"x"},"flags":[]}}"#,
    Some("AF_PACKET")
)]
#[case::a_frame(LL, r#"{"send":{"fd":"s","data":{"text":"x"},"flags":[]}}"#, None)]
#[case::of_a_link(LL, &on(r#""lo""#, "02"), None)]
#[case::of_a_link_of_the_hosts(LL, &on(r#""eth0""#, "02"), Some("no link \"eth0\""))]
#[case::too_long_a_hardware_address(LL, &on(r#""lo""#, "020202020202020202"), Some("8 are the most"))]
#[case::rings_of_links(LL, r#"{"setsockopt":{"fd":"s","option":{"raw":{"level":"SOL_PACKET","name":"PACKET_RX_RING"}},"value":{"bytes":"00"}}}"#, Some("AF_PACKET"))]
#[case::a_number_of_links(LL, r#"{"setsockopt":{"fd":"s","option":{"raw":{"level":"SOL_PACKET","name":"PACKET_AUXDATA"}},"value":{"int":1}}}"#, None)]
#[case::a_group_of_links(LL, &fanout("PACKET_FANOUT", 8), None)]
#[case::too_long_a_group_of_links(LL, &fanout("PACKET_FANOUT", 9), Some("AF_PACKET"))]
#[case::a_program_of_a_group(LL, &fanout("PACKET_FANOUT_DATA", 8), Some("AF_PACKET"))]
#[case::a_group_of_what_is_no_link(NETLINK, &fanout("PACKET_FANOUT", 8), Some("AF_NETLINK"))]
#[case::links_written_out(
    LL,
    r#"{"raw":{"call":"bind","args":[{"fd":"s"},"bad",{"number":20}]}}"#,
    Some("AF_PACKET")
)]
#[case::links_by_control(LL, &with(r#"{"int":{"level":"SOL_SOCKET","name":"SO_MARK","value":1}}"#), Some("AF_PACKET"))]
#[case::rings(PACKET, r#"{"setsockopt":{"fd":"s","option":{"raw":{"level":"SOL_PACKET","name":"PACKET_RX_RING"}},"value":{"bytes":"00"}}}"#, Some("AF_PACKET"))]
#[case::bytes(NETLINK, r#"{"setsockopt":{"fd":"s","option":{"raw":{"level":"IPPROTO_IP","name":"IP_TTL"}},"value":{"bytes":"01"}}}"#, Some("AF_NETLINK"))]
#[case::a_number(NETLINK, r#"{"setsockopt":{"fd":"s","option":{"raw":{"level":"SOL_NETLINK","name":"NETLINK_EXT_ACK"}},"value":{"int":1}}}"#, None)]
#[case::of_every_socket(NETLINK, r#"{"setsockopt":{"fd":"s","option":{"raw":{"level":"SOL_SOCKET","name":"SO_RCVBUF"}},"value":{"int":1}}}"#, None)]
#[case::of_no_link(
    UDP,
    r#"{"ioctl":{"fd":"s","request":"SIOCGIFMTU","link":null}}"#,
    Some("SIOCGIFMTU is of a link")
)]
#[case::by_another_name(UNIX, &format!(r#"{{"bind":{{"fd":"s","addr":{{"host":{}}}}}}}"#, PATH.replace("AF_UNIX", "SO_DEBUG")), Some("SO_DEBUG is no family"))]
#[case::a_domain_by_another_name(
    UNIX,
    r#"{"socket":{"fd":"t","domain":"SO_DEBUG","type":["SOCK_STREAM"],"protocol":[]}}"#,
    Some("SO_DEBUG is no family")
)]
#[case::a_program_of_a_filter(UDP, r#"{"setsockopt":{"fd":"s","option":{"raw":{"level":"SOL_SOCKET","name":"SO_ATTACH_FILTER"}},"value":{"bytes":"01000000000000000010000000000000"}}}"#, Some("takes a pointer"))]
#[case::a_pointers_name(
    r#"{"socket":{"fd":"BAD","domain":"AF_INET","type":["SOCK_DGRAM"],"protocol":[]}}"#,
    r#"{"close":{"fd":"BAD"}}"#,
    Some("\"BAD\" is no name of a socket")
)]
#[case::a_name_that_was_made_again(UNIX, &format!(r#"{UDP},{{"dup":{{"fd":"s","new":"d"}}}},{{"bind":{{"fd":"d","addr":{{"host":{PATH}}}}}}}"#), Some("its path is the host's"))]
#[case::cut_short(NETLINK, &sends("x"), None)]
#[case::a_new_link(NETLINK, &sends(NEW_LINK), Some("type 16 may change something"))]
#[case::to_a_program(USERSOCK, &sends(NEW_LINK), None)]
#[case::of_the_executor(NETLINK, &bound(r#"{"netlink":{"pid":"own","groups":0}}"#, ""), Some("is the executor's"))]
#[case::of_its_own(USERSOCK, &bound(r#"{"netlink":{"pid":"own","groups":0}}"#, ""), None)]
#[case::of_nobody_by_netlink(USERSOCK, &bound(r#"{"netlink":{"groups":0}}"#, ""), Some("has one number"))]
#[case::by_the_form_of_ip(NETLINK, &bound(r#"{"ip":"0.0.0.7"}"#, r#","family":"AF_NETLINK""#), Some("have its form"))]
#[case::audit(AUDIT, &sends("x"), Some("a socket of AF_NETLINK"))]
#[case::netlink_written_out(
    NETLINK,
    r#"{"raw":{"call":"bind","args":[{"fd":"s"},"bad",{"number":12}]}}"#,
    Some("AF_NETLINK")
)]
#[case::a_machine(VSOCK, &bound(r#"{"vsock":{"cid":4294967295,"port":4294967295}}"#, ""), None)]
#[case::a_machine_with_a_scope(VSOCK, &bound(r#"{"vsock":{"cid":1,"port":70000}}"#, r#","scope":{"id":1}"#), Some("no scope"))]
#[case::the_hypervisor(VSOCK, &bound(r#"{"vsock":{"cid":2,"port":70000}}"#, "").replace("bind", "connect"), Some("beyond the lab"))]
#[case::another_by_the_form_of_ip(VSOCK, &bound(r#"{"ip":"0.0.0.7"}"#, r#","family":"AF_VSOCK""#).replace("bind", "connect"), Some("have its form"))]
#[case::for_all_machines(VSOCK, &format!("{},{LISTEN}", bound(r#"{"vsock":{"cid":4294967295,"port":4294967295}}"#, "")), Some("beyond the lab could connect"))]
#[case::for_this_one(VSOCK, &format!("{},{LISTEN}", bound(r#"{"vsock":{"cid":1,"port":4294967295}}"#, "")), None)]
#[case::datagrams_of_machines(&VSOCK.replace("STREAM", "DGRAM"), &bound(r#"{"vsock":{"cid":1,"port":70000}}"#, ""), Some("AF_VSOCK, SOCK_DGRAM"))]
#[case::a_mute_one_that_was_made_again(AUDIT, &format!(r#"{UDP},{{"accept":{{"fd":"s","new":"d"}}}},{{"send":{{"fd":"d","data":{{"text":"x"}},"flags":[]}}}}"#), Some("AF_NETLINK"))]
#[case::a_link_of_a_module(UDP, r#"{"if_nametoindex":{"name":"gre0"}}"#, Some("on the host"))]
#[case::an_alias_of_a_module(UDP, r#"{"if_nametoindex":{"name":"gre0:1"}}"#, Some("on the host"))]
#[case::a_zone_that_is_an_alias(UDP, r#"{"getaddrinfo":{"node":"fe80::1%gre0:1","service":null,"family":"AF_INET6","type":[],"flags":[]}}"#, Some("on the host"))]
#[case::a_zone_of_a_module(UDP, r#"{"getaddrinfo":{"node":"fe80::1%sit0","service":null,"family":"AF_INET6","type":[],"flags":[]}}"#, Some("on the host"))]
#[case::a_link_of_nobody(UDP, r#"{"if_nametoindex":{"name":"nobody0"}}"#, None)]
#[case::half_a_descriptor(UNIX, r#"{"getsockopt":{"fd":"s","option":{"raw":{"level":"SOL_SOCKET","name":"SO_PEERPIDFD"}},"len":3}}"#, Some("4 bytes"))]
#[case::the_hosts_link(
    UDP,
    r#"{"ioctl":{"fd":"s","request":"SIOCSIFMTU","link":"eth0","given":{"mtu":1300}}}"#,
    Some("no link \"eth0\"")
)]
#[case::everybodys_link(
    UDP,
    r#"{"ioctl":{"fd":"s","request":"SIOCSIFMTU","link":"lo","given":{"mtu":1300}}}"#,
    Some("a link that the lab has made")
)]
#[case::everybodys_link_down(
    UDP,
    r#"{"ioctl":{"fd":"s","request":"SIOCSIFFLAGS","link":"lo","given":{"up":false}}}"#,
    Some("a link that the lab has made")
)]
#[case::a_link_by_what_reads(
    UDP,
    r#"{"ioctl":{"fd":"s","request":"SIOCGIFMTU","link":"lo","given":{"mtu":1}}}"#,
    Some("a case cannot write")
)]
#[case::sets_no_mtu(
    UDP,
    r#"{"ioctl":{"fd":"s","request":"SIOCSIFMTU","link":"lo"}}"#,
    Some("a case cannot write")
)]
#[case::another_process(
    UDP,
    r#"{"ioctl":{"fd":"s","request":"FIOSETOWN","link":null,"given":{"pid":{"is":1}}}}"#,
    Some("[own] or [0]")
)]
#[case::another_by_fcntl(
    UDP,
    r#"{"fcntl":{"fd":"s","cmd":"F_SETOWN","arg":[],"pid":{"is":1}}}"#,
    Some("own or 0")
)]
#[case::nobody_by_fcntl(UDP, r#"{"fcntl":{"fd":"s","cmd":"F_SETOWN","arg":[]}}"#, Some("own or 0"))]
#[case::own_by_fcntl(UDP, r#"{"fcntl":{"fd":"s","cmd":"F_SETOWN","arg":[],"pid":"own"}}"#, None)]
#[case::a_signal_that_ends_it(UDP, r#"{"fcntl":{"fd":"s","cmd":"F_SETFL","arg":["O_ASYNC"]}},{"ioctl":{"fd":"s","request":"SIOCSPGRP","link":null,"given":{"pid":"own"}}}"#, Some("sent SIGIO"))]
#[case::a_signal_that_is_taken(UDP, r#"{"process":{"call":{"sigaction":{"signal":"SIGIO","how":"SIG_IGN"}}}},{"fcntl":{"fd":"s","cmd":"F_SETFL","arg":["O_ASYNC"]}},{"fcntl":{"fd":"s","cmd":"F_SETOWN","arg":[],"pid":"own"}}"#, None)]
#[case::a_family_by_number(&UDP.replace("AF_INET", "77"), r#"{"getsockname":{"fd":"s"}}"#, None)]
#[case::a_family_by_number_speaks(&UDP.replace("AF_INET", "77"), r#"{"send":{"fd":"s","data":{"text":"x"},"flags":[]}}"#, Some("a socket of 77"))]
#[case::parts_of_a_send(
    UDP,
    r#"{"send":{"fd":"s","data":{"parts":[{"text":"x"},{"text":"y"}]},"flags":[]}}"#,
    Some("in msg_iov alone")
)]
#[case::one_part(
    UDP,
    r#"{"sendmsg":{"fd":"s","data":{"parts":[{"text":"x"}]},"flags":[],"addr":null,"control":[]}}"#,
    Some("two at the least")
)]
#[case::parts_of_parts(UDP, r#"{"sendmsg":{"fd":"s","data":{"parts":[{"text":"x"},{"parts":[]}]},"flags":[],"addr":null,"control":[]}}"#, Some("have none"))]
#[case::parts(UDP, r#"{"sendmsg":{"fd":"s","data":{"parts":[{"text":"x"},{"pattern":9}]},"flags":[],"addr":null,"control":[]}}"#, None)]
#[case::parts_that_lie(
    UDP,
    r#"{"recvmsg":{"fd":"s","len":9,"lens":[4,4],"control_len":0,"flags":[]}}"#,
    Some("as long as all of it")
)]
#[case::room_in_parts(
    UDP,
    r#"{"recvmsg":{"fd":"s","len":9,"lens":[4,5],"control_len":0,"flags":[]}}"#,
    None
)]
#[case::control_of_one_more(UDP, r#"{"sendmmsg":{"fd":"s","data":[{"text":"x"}],"flags":[],"addr":null,"control":[[],[{"int":{"level":"IPPROTO_IP","name":"IP_TTL","value":1}}]]}}"#, Some("each message has its control"))]
#[case::descriptors_of_nobody_in_several(UNIX, r#"{"sendmmsg":{"fd":"s","data":[{"text":"x"}],"flags":[],"addr":null,"control":[[{"rights":{"fds":["t"]}}]]}}"#, Some("makes a socket \"t\""))]
#[case::too_wide_in_several(UDP, r#"{"sendmmsg":{"fd":"s","data":[{"text":"x"}],"flags":[],"addr":null,"control":[[{"int":{"level":"IPPROTO_IP","name":"IP_TTL","value":256,"width":1}}]]}}"#, Some("its number fits"))]
#[case::a_signal_twice(
    UDP,
    r#"{"ppoll":{"fds":[],"timeout_ms":0,"mask":["SIGUSR1","SIGUSR1"]}}"#,
    Some("in its mask twice")
)]
#[case::a_descriptor(UNIX, r#"{"getsockopt":{"fd":"s","option":{"raw":{"level":"SOL_SOCKET","name":"SO_PEERPIDFD"}},"len":4}}"#, None)]
fn what_a_case_may_not_reach(
    #[case] makes: &str,
    #[case] step: &str,
    #[case] refused: Option<&str>,
) {
    match (said(&[makes, step]), refused) {
        (Ok(()), None) => {}
        (Err(says), Some(why)) => assert!(says.contains(why), "{says}"),
        (said, why) => panic!("{said:?}, and it was to be {why:?}"),
    }
}
