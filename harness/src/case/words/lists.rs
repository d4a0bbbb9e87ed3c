//! No list of a case is without end: each of its shape is in these two cases, and each is made long.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::case::Case;

/// Every list that a case may have has something in it, but for what a program has.
const ALL: &str = r#"{"id":"a/b","title":"","catalogue":["LINK-01"],"lab":{
    "links":[{"name":"l","kind":"tun","mtu":1500,"ranges":["v4"]}],
    "setup":[{"hosts":{"lines":["192.0.2.7 a.example"]}},
        {"name_server":{"link":"l","server":{"at":["v4"],"options":"",
            "answers":[{"name":"*","types":["A"],"records":[{"data":{"a":"192.0.2.9"}}]}]}}},
        {"serve":{"link":"l","service":{"port":80,"script":[
            {"dial":{"from":20,"to":21,"script":[{"send":{"data":{"text":"x"}}}]}}]}}},
        {"serve":{"link":"l","service":{"port":443,"script":[],
            "speaks":{"protocol":"tls","names":["a.example"]}}}}]},
    "threads":{"t":[4]},"ops":[
    {"socket":{"fd":"s","domain":"AF_INET","type":["SOCK_DGRAM"],"protocol":["IPPROTO_UDP"]}},
    {"socketpair":{"a":"p","b":"q","domain":"AF_UNIX","type":["SOCK_STREAM"],"protocol":["IPPROTO_IP"]}},
    {"send":{"fd":"s","data":{"text":"x"},"flags":["MSG_DONTWAIT"]}},
    {"sendto":{"fd":"s","data":{"text":"x"},"flags":["MSG_DONTWAIT"],
        "addr":{"host":{"ip":"192.0.2.2"},"port":{"is":9}}}},
    {"sendmsg":{"fd":"s","data":{"text":"x"},"flags":["MSG_DONTWAIT"],"addr":null,
        "control":[{"int":{"level":"IPPROTO_IP","name":"IP_TTL","value":1}},{"rights":{"fds":["s"]}}]}},
    {"recv":{"fd":"s","len":1,"flags":["MSG_DONTWAIT"]}},
    {"recvfrom":{"fd":"s","len":1,"flags":["MSG_DONTWAIT"]}},
    {"recvmsg":{"fd":"s","len":2,"lens":[1,1],"control_len":1,"flags":["MSG_DONTWAIT"]}},
    {"sendmsg":{"fd":"s","data":{"parts":[{"text":"x"},{"text":"y"}]},"flags":["MSG_DONTWAIT"],"addr":null,
        "control":[{"int":{"level":"IPPROTO_IP","name":"IP_TTL","value":1}}]}},
    {"sendmmsg":{"fd":"s","data":[{"text":"x"}],"flags":["MSG_DONTWAIT"],"addr":null,
        "control":[[{"int":{"level":"IPPROTO_IP","name":"IP_TTL","value":1}}]]}},
    {"setsockopt":{"fd":"s","option":{"raw":{"level":"IPPROTO_IP","name":"MCAST_MSFILTER"}},
        "value":{"filter":{"group":"232.0.0.1","link":null,"mode":"MCAST_INCLUDE","sources":["192.0.2.9"]}}}},
    {"poll":{"fds":[{"fd":"s","events":["POLLIN"]}],"timeout_ms":0}},
    {"fcntl":{"fd":"s","cmd":"F_SETFL","arg":["O_NONBLOCK"]}},
    {"getaddrinfo":{"node":"a","service":null,"family":"AF_INET","type":["SOCK_STREAM"],"flags":["AI_PASSIVE"]}},
    {"getnameinfo":{"addr":{"host":{"ip":"192.0.2.2"},"port":{"is":9}},"host_len":1,"service_len":1,
        "flags":["NI_NUMERICHOST"]}},
    {"connectx":{"fd":"s","link":null,"source":null,"addr":{"host":{"ip":"192.0.2.2"},"port":{"is":9}},
        "flags":["CONNECT_DATA_IDEMPOTENT"],"data":null}},
    {"sendmsg_x":{"fd":"s","data":[{"text":"x"}],"flags":["MSG_DONTWAIT"],"addr":null}},
    {"recvmsg_x":{"fd":"s","count":1,"len":1,"control_len":1,"flags":["MSG_DONTWAIT"]}},
    {"kevent":{"changes":[{"fd":"s","filter":"EVFILT_READ","flags":["EV_ADD"],"fflags":["NOTE_LOWAT"]}],
        "timeout_ms":0}},
    {"accept4":{"fd":"s","new":"t1","flags":["SOCK_NONBLOCK"]}},
    {"writev":{"fd":"s","data":[{"text":"x"}]}},
    {"readv":{"fd":"s","lens":[1]}},
    {"sendmmsg":{"fd":"s","data":[{"text":"x"}],"flags":["MSG_DONTWAIT"],"addr":null}},
    {"recvmmsg":{"fd":"s","count":1,"len":1,"control_len":1,"flags":["MSG_DONTWAIT"],"timeout_ms":null}},
    {"splice":{"from":"p","to":"q","count":1,"flags":["SPLICE_F_NONBLOCK"]}},
    {"ppoll":{"fds":[{"fd":"s","events":["POLLIN"]}],"timeout_ms":0,"mask":["SIGUSR1"]}},
    {"select":{"read":["s"],"write":["s"],"except":["s"],"timeout_ms":0}},
    {"pselect":{"read":["s"],"write":["s"],"except":["s"],"timeout_ms":0,"mask":["SIGUSR1"]}},
    {"raw":{"call":"send","args":[{"fd":"s"},"bad",{"number":1},{"names":["MSG_DONTWAIT"]}]}},
    {"raw":{"call":"writev","args":[{"fd":"s"},{"parts":[{"base":"bad","len":1}]},{"number":1}]}},
    {"raw":{"call":"sendmsg","args":[{"fd":"s"},{"message":{"name":"null","iov":{"parts":[{"base":"bad","len":1}]},
        "control":"null","controls":[{"rights":{"fds":["s"]}}]}},{"names":["MSG_DONTWAIT"]}]}},
    {"epoll_create1":{"new":"e","flags":["EPOLL_CLOEXEC"]}},
    {"epoll_ctl":{"fd":"e","op":"EPOLL_CTL_ADD","target":"s","events":["EPOLLIN"]}},
    {"epoll_pwait":{"fd":"e","max":1,"timeout_ms":0,"mask":["SIGUSR1"]}},
    {"lab":{"step":{"say":{"link":"l","frame":{"error":{"kind":"port_unreachable","lies":["source"]}}}}}}]}"#;

const PROGRAM: &str =
    r#"{"id":"a/b","title":"","ops":[{"run":{"argv":["true"],"limit_ms":1000}}]}"#;

/// What a process is allowed, which a case with links does not change.
const LESS: &str = r#"{"id":"a/b","title":"","ops":[{"process":{"call":{"capset":{"without":["CAP_NET_RAW"]}}}}]}"#;

/// Options of a segment, which needs a link without a server.
const SEGMENT: &str = r#"{"id":"a/b","title":"","lab":{"links":[{"name":"l","kind":"tun","mtu":1500,"ranges":["v4"]}]},"ops":[
    {"lab":{"step":{"say":{"link":"l","frame":{"segment":{"flags":".","options":[{"sack":[{"from":1,"to":11}]}]}}}}}}]}"#;

/// A list, by its name and that of what it stands in.
type List = (String, String);

/// The lists of a value, each by its place.
fn planted(value: &Value, at: &str, keys: &List, found: &mut Vec<(List, String)>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let place = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                planted(member, &place, &(keys.1.clone(), key.clone()), found);
            }
        }
        Value::Array(items) => {
            found.push((keys.clone(), at.to_owned()));
            for (number, item) in items.iter().enumerate() {
                planted(item, &format!("{at}/{number}"), keys, found);
            }
        }
        _ => {}
    }
}

/// The lists that a schema has.
fn asked(schema: &Value, root: &Value, keys: &List, within: &[&str], found: &mut BTreeSet<List>) {
    if let Some(name) = schema["$ref"].as_str() {
        if !within.contains(&name) {
            let other = root.pointer(name.trim_start_matches('#')).expect("it is there");
            asked(other, root, keys, &[within, &[name]].concat(), found);
        }
        return;
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        for one in schema[choice].as_array().into_iter().flatten() {
            asked(one, root, keys, within, found);
        }
    }
    if let Some(items) = schema.get("items") {
        found.insert(keys.clone());
        asked(items, root, keys, within, found);
    }
    for (key, member) in schema["properties"].as_object().into_iter().flatten() {
        asked(member, root, &(keys.1.clone(), key.clone()), within, found);
    }
    if let Some(member) = schema.get("additionalProperties").filter(|member| member.is_object()) {
        asked(member, root, &(keys.1.clone(), "t".to_owned()), within, found);
    }
}

#[test]
fn every_list_of_a_case_has_an_end() {
    let mut lists = BTreeSet::new();
    for text in [ALL, PROGRAM, LESS, SEGMENT] {
        let value: Value = serde_json::from_str(text).expect("JSON");
        let of = |value: Value| serde_json::from_value::<Case>(value).expect("a case").check();
        assert_eq!(of(value.clone()), Ok(()));
        let mut found = Vec::new();
        planted(&value, "", &List::default(), &mut found);
        for (list, at) in found {
            let mut long = value.clone();
            let items = long.pointer_mut(&at).and_then(Value::as_array_mut).expect("a list");
            // What speaks a protocol has no script.
            let Some(first) = items.first().cloned() else { continue };
            items.resize(100_000, first);
            let why = of(long).expect_err(&at);
            assert!(why.contains("are the most"), "{at}: {why}");
            lists.insert(list);
        }
    }
    let schema = serde_json::to_value(schemars::schema_for!(Case)).expect("JSON");
    let mut all = BTreeSet::new();
    asked(&schema, &schema, &List::default(), &[], &mut all);
    assert!(all.len() > 30, "{all:?}");
    // Data has parts in msg_iov alone: elsewhere a case with them is refused, however few they are.
    let nowhere = [("fast_open", "parts"), ("until", "parts")];
    let is_let_in = |(of, list): &&List| !nowhere.contains(&(of, list));
    let missing: Vec<&List> = all.difference(&lists).filter(is_let_in).collect();
    assert!(missing.is_empty(), "no case here has {missing:?}");
}
