//! Hop limits, loopback, and sizes.

use harness::case::addr::Addr;
use harness::case::op::{Intent, Op, Opt, Value};
use harness::case::{Hex, Payload};

use super::axes::{By, Family, LINK, PORT, State, ip};
use crate::steps::{
    bind, case, covering, getsockopt, recvfrom, sendto, sendto_of, so_error, socket,
};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![hops(), unicast_hops(), loopback(), size()]
}

const HOPS: [&str; 2] = ["IP_MULTICAST_TTL", "IPV6_MULTICAST_HOPS"];
const LOOP: [&str; 2] = ["IP_MULTICAST_LOOP", "IPV6_MULTICAST_LOOP"];

/// The value as an `int` and as one byte: BSD's own `u_char` (ip(4)).
fn values(numbers: &[i32]) -> Vec<(String, Option<Value>)> {
    let ints = numbers.iter().map(|n| (n.to_string(), Some(Value::Int(*n))));
    let bytes = numbers.iter().filter_map(|n| {
        let byte = u8::try_from(*n).ok()?;
        Some((format!("byte-{n}"), Some(Value::Bytes(Hex(vec![byte])))))
    });
    std::iter::once(("unset".to_owned(), None)).chain(ints).chain(bytes).collect()
}

/// A member on the same host, listening.
fn member(family: Family) -> Vec<Op> {
    vec![
        socket("r", family.domain(), "SOCK_DGRAM"),
        bind("r", family.any(PORT)),
        family.join("r", family.group(), By::Link),
    ]
}

/// A socket whose multicast leaves by the link.
fn sender(family: Family) -> Vec<Op> {
    vec![
        socket("s", family.domain(), "SOCK_DGRAM"),
        family.send_by("s", Value::Link(LINK.to_owned())),
    ]
}

fn group(family: Family) -> Addr {
    Addr::ip(family.group(), PORT)
}

fn hops() -> Table {
    let question = "With which hop limit does a multicast leave, and who hears it?";
    let mut table = Table::new("multicast/hops", question);
    for family in Family::ALL {
        for (id, value) in values(&[-2, -1, 0, 1, 2, 64, 255, 256, 65_536]) {
            for to in ["joined", "link-local"] {
                let mut ops = member(family);
                ops.extend(sender(family));
                ops.extend(value.clone().map(|value| family.set("s", HOPS, value)));
                let addr = match to {
                    "joined" => group(family),
                    _ => Addr::ip(ip(family.pick("224.0.0.251", "ff02::fb")), PORT),
                };
                ops.extend([
                    getsockopt("s", family.level(), family.pick(HOPS[0], HOPS[1])),
                    sendto("s", addr),
                    so_error("s"),
                    recvfrom("r"),
                ]);
                let title = format!("hop limit {id} to a {to} group");
                let case = covering(case(title, State::Up.lab(), ops), &["MCAST-13"]);
                table.push(&[family.id(), &id, to], Row::Case(case));
            }
        }
    }
    table
}

/// The unicast option, which is another one, and the message's own.
fn unicast_hops() -> Table {
    let question = "Does the unicast hop limit change that of a multicast?";
    let mut table = Table::new("multicast/unicast-hops", question);
    for family in Family::ALL {
        for first in [0, 7] {
            for second in [-1, 1, 9, 255] {
                let names = ["IP_TTL", "IPV6_UNICAST_HOPS"];
                let mut ops = sender(family);
                if first != 0 {
                    ops.push(family.set("s", HOPS, Value::Int(first)));
                }
                ops.extend([
                    family.set("s", names, Value::Int(second)),
                    sendto("s", group(family)),
                    getsockopt("s", family.level(), family.pick(HOPS[0], HOPS[1])),
                ]);
                let title = format!("multicast hop limit {first}, unicast hop limit {second}");
                let case = covering(case(title, State::Up.lab(), ops), &["MCAST-13"]);
                let parameters = [family.id(), &first.to_string(), &second.to_string()];
                table.push(&parameters, Row::Case(case));
            }
        }
    }
    table
}

fn loopback() -> Table {
    let question = "Who hears a multicast on its own host, by the loop option of either end?";
    let mut table = Table::new("multicast/loop", question);
    for family in Family::ALL {
        for (id, value) in values(&[-1, 0, 1, 2, 256]) {
            for end in ["sender", "receiver"] {
                for (to, addr) in [
                    ("joined", group(family)),
                    ("all-hosts", Addr::ip(ip(family.pick("224.0.0.1", "ff02::1")), PORT)),
                ] {
                    let mut ops = member(family);
                    ops.extend(sender(family));
                    let fd = if end == "sender" { "s" } else { "r" };
                    ops.extend(value.clone().map(|value| family.set(fd, LOOP, value)));
                    ops.extend([
                        getsockopt(fd, family.level(), family.pick(LOOP[0], LOOP[1])),
                        sendto("s", addr),
                        so_error("s"),
                        recvfrom("r"),
                        recvfrom("r"),
                    ]);
                    let title = format!("loop {id} on the {end}, to {to}");
                    let rows = ["MCAST-08", "MCAST-09"];
                    let case = covering(case(title, State::Up.lab(), ops), &rows);
                    table.push(&[family.id(), &id, end, to], Row::Case(case));
                }
            }
        }
    }
    table
}

fn size() -> Table {
    let question = "Which multicast datagrams are fragmented, and which are refused?";
    let mut table = Table::new("multicast/size", question);
    for family in Family::ALL {
        let fits = family.pick(1472, 1452);
        let most = family.pick(65_507, 65_527);
        for len in [0, fits, fits + 1, 2000, most, most + 1] {
            for (id, wish) in [("unset", None), ("may-fragment", Some(0)), ("whole", Some(1))] {
                let mut ops = sender(family);
                ops.extend(wish.map(|wish| Op::Setsockopt {
                    fd: "s".to_owned(),
                    option: Opt::Intent(Intent::DontFragment),
                    value: Value::Int(wish),
                }));
                ops.extend([sendto_of("s", Payload::Pattern(len), group(family)), so_error("s")]);
                let title = format!("a multicast of {len} bytes, fragmentation: {id}");
                let case = covering(case(title, State::Up.lab(), ops), &["MCAST-12"]);
                table.push(&[family.id(), &len.to_string(), id], Row::Case(case));
            }
        }
    }
    table
}
