//! Source filters (RFC 3678): which calls a kernel takes, and whom a member then hears.

use std::net::{IpAddr, SocketAddr};

use harness::case::op::Value;
use harness::case::{Hex, Lab, LinkKind, Op};

use super::axes::{By, Family, LINK, OTHER, PORT, ip, lab};
use crate::steps::{arrives, bind, case, covering, recvfrom, setsockopt, socket};
use crate::table::{Row, Table};

pub(super) fn tables() -> Vec<Table> {
    vec![calls(), values(), links(), limits()]
}

/// Which options: those of IPv4 alone, or those for either family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Api {
    family: Family,
    generic: bool,
}

const APIS: [(&str, Api); 3] = [
    ("ip", Api { family: Family::V4, generic: false }),
    ("mcast-v4", Api { family: Family::V4, generic: true }),
    ("mcast-v6", Api { family: Family::V6, generic: true }),
];

/// What is done to a source of a group.
const ACTS: [(&str, [&str; 2]); 4] = [
    ("add", ["IP_ADD_SOURCE_MEMBERSHIP", "MCAST_JOIN_SOURCE_GROUP"]),
    ("drop", ["IP_DROP_SOURCE_MEMBERSHIP", "MCAST_LEAVE_SOURCE_GROUP"]),
    ("block", ["IP_BLOCK_SOURCE", "MCAST_BLOCK_SOURCE"]),
    ("unblock", ["IP_UNBLOCK_SOURCE", "MCAST_UNBLOCK_SOURCE"]),
];

impl Api {
    fn set(self, names: [&'static str; 2], value: Value) -> Op {
        setsockopt("s", self.family.level(), names[usize::from(self.generic)], value)
    }

    fn act(self, act: &str, value: Value) -> Op {
        let (_, names) = ACTS.into_iter().find(|(name, _)| *name == act).expect("an act");
        self.set(names, value)
    }

    fn on(self, act: &str, source: IpAddr) -> Op {
        self.act(act, self.value(Some(LINK), source))
    }

    fn value(self, link: Option<&str>, source: IpAddr) -> Value {
        Value::Source { group: self.family.group(), link: link.map(str::to_owned), source }
    }

    fn filter(self, mode: &'static str, sources: Vec<IpAddr>) -> Op {
        let (group, link) = (self.family.group(), Some(LINK.to_owned()));
        let value = Value::Filter { group, link, mode: mode.into(), sources };
        self.set(["IP_MSFILTER", "MCAST_MSFILTER"], value)
    }

    /// Two hosts beyond the link.
    fn sources(self) -> [IpAddr; 2] {
        let texts = self
            .family
            .pick(["203.0.113.77", "203.0.113.78"], ["2001:db8:77::77", "2001:db8:77::78"]);
        texts.map(ip)
    }

    /// The calls of one step of a row.
    fn step(self, name: &str) -> Vec<Op> {
        let [one, two] = self.sources();
        let group = self.family.group();
        match name {
            "none" => vec![],
            "join" => vec![self.family.join("s", group, By::Link)],
            "leave" => vec![self.family.leave("s", group, By::Link)],
            "add-both" => vec![self.on("add", one), self.on("add", two)],
            "add-other" => vec![self.on("add", two)],
            "drop-other" => vec![self.on("drop", two)],
            "join-block" => vec![self.family.join("s", group, By::Link), self.on("block", one)],
            "join-include" => [self.step("join"), self.step("include-one")].concat(),
            "include-none" => vec![self.filter("MCAST_INCLUDE", vec![])],
            "include-one" => vec![self.filter("MCAST_INCLUDE", vec![one])],
            "exclude-none" => vec![self.filter("MCAST_EXCLUDE", vec![])],
            "exclude-one" => vec![self.filter("MCAST_EXCLUDE", vec![one])],
            act => vec![self.on(act, one)],
        }
    }

    fn socket(self) -> Vec<Op> {
        vec![socket("s", self.family.domain(), "SOCK_DGRAM"), bind("s", self.family.any(PORT))]
    }

    /// A datagram of each source comes in, and what the socket hears.
    fn hears(self, on: &Lab) -> Vec<Op> {
        let [one, two] = self.sources();
        let comes = |from: IpAddr, data| {
            let to = SocketAddr::new(self.family.group(), PORT);
            arrives(on, LINK, &from.to_string(), to, data)
        };
        vec![comes(one, "one"), comes(two, "two"), recvfrom("s"), recvfrom("s")]
    }
}

const FIRST: [&str; 6] = ["none", "join", "add", "add-both", "join-block", "join-include"];

const SECOND: [&str; 14] = [
    "none",
    "join",
    "leave",
    "add",
    "add-other",
    "drop",
    "drop-other",
    "block",
    "unblock",
    "include-none",
    "include-one",
    "exclude-none",
    "exclude-one",
    "add-both",
];

/// Linux turns a member of any source into one of none before it finds that there is no source to
/// leave (net/ipv4/igmp.c `ip_mc_source`, net/ipv6/mcast.c `ip6_mc_source`).
fn calls() -> Table {
    let question = "Which sequences of source filters are taken, and which sources are then heard?";
    let mut table = Table::new("multicast/sources", question);
    for (name, api) in APIS {
        for first in FIRST {
            for second in SECOND {
                let on = lab(LinkKind::Tap);
                let mut ops = api.socket();
                ops.extend(api.step(first));
                ops.extend(api.step(second));
                ops.extend(api.hears(&on));
                let title = format!("{first}, then {second}, then a datagram of each source");
                let case = covering(case(title, on, ops), &["MCAST-14"]);
                table.push(&[name, first, second], Row::Case(case));
            }
        }
    }
    table
}

fn values() -> Table {
    let question = "Which groups and sources does each call about sources refuse?";
    let mut table = Table::new("multicast/source-values", question);
    for (name, api) in APIS {
        let family = api.family;
        let [source, _] = api.sources();
        let (other, one) = (family.pick("2001:db8:77::77", "203.0.113.77"), family.group());
        let ssm = ip(family.pick("232.1.2.3", "ff35::99"));
        let mut odd = vec![
            ("no-group", ip(family.pick("198.51.100.9", "2001:db8::99")), source),
            ("any-group", ip(family.pick("0.0.0.0", "::")), source),
            ("all-hosts", ip(family.pick("224.0.0.1", "ff02::1")), source),
            ("ssm", ssm, source),
            ("any-source", one, ip(family.pick("0.0.0.0", "::"))),
            ("group-as-source", one, one),
            ("own-source", one, ip(family.pick("192.0.2.1", "2001:db8::1"))),
        ];
        if api.generic {
            odd.push(("source-of-other-family", one, ip(other)));
            odd.push(("group-of-other-family", ip(family.pick("ff05::99", "239.1.2.3")), source));
        }
        for (what, group, source) in odd {
            for (act, _) in ACTS {
                let value = Value::Source { group, link: Some(LINK.to_owned()), source };
                let ops = [api.socket(), vec![api.act(act, value)]].concat();
                let title = format!("{act} of {source} in {group}: {what}");
                let case = covering(case(title, lab(LinkKind::Tap), ops), &["MCAST-14"]);
                table.push(&[name, what, act], Row::Case(case));
            }
        }
        for (what, len) in [("empty", 0), ("short", 8)] {
            for (act, _) in ACTS {
                let ops = [api.socket(), vec![api.act(act, Value::Bytes(Hex(vec![0; len])))]];
                let title = format!("{act} with {len} bytes");
                let case = covering(case(title, lab(LinkKind::Tap), ops.concat()), &["MCAST-14"]);
                table.push(&[name, what, act], Row::Case(case));
            }
        }
    }
    table
}

/// Linux measures what comes over IPv6 by the list that was named last, on whichever link
/// (net/ipv6/mcast.c `inet6_mc_check`).
fn links() -> Table {
    let question = "Does a call about a source find a membership that names its link otherwise?";
    let mut table = Table::new("multicast/source-links", question);
    for (name, api) in APIS {
        let [source, other] = api.sources();
        for (joined, first) in [("link", Some(LINK)), ("other", Some(OTHER)), ("zero", None)] {
            for (named, second) in [("link", Some(LINK)), ("other", Some(OTHER)), ("zero", None)] {
                for (act, _) in ACTS {
                    let on = lab(LinkKind::Tap);
                    let mut ops = api.socket();
                    let add = |link, source| api.act("add", api.value(link, source));
                    ops.extend([add(first, source), add(first, other)]);
                    ops.push(api.act(act, api.value(second, source)));
                    ops.extend(api.hears(&on));
                    let title = format!("sources added by {joined}, then {act} by {named}");
                    let case = covering(case(title, on, ops), &["MCAST-14"]);
                    table.push(&[name, joined, named, act], Row::Case(case));
                }
            }
        }
    }
    table
}

/// Linux takes 10 sources of IPv4 and 64 of IPv6 (`net.ipv4.igmp_max_msf`, `net.ipv6.mld_max_msf`).
fn limits() -> Table {
    let question = "How many sources of a group can one socket name?";
    let mut table = Table::new("multicast/source-limit", question);
    for (name, api) in APIS {
        let most: u32 = api.family.pick(10, 64);
        let nth = |n: u32| {
            let text = api.family.pick(format!("203.0.113.{n}"), format!("2001:db8:77::{n}"));
            ip(&text)
        };
        let adds = |act, n| (1..=n).map(|n| api.on(act, nth(n))).collect::<Vec<_>>();
        let filter = |mode, n| vec![api.filter(mode, (1..=n).map(nth).collect())];
        for (way, ops) in [
            ("adds", adds("add", most + 2)),
            ("blocks", [api.step("join"), adds("block", most + 2)].concat()),
            ("filter-most", filter("MCAST_INCLUDE", most)),
            ("filter-more", filter("MCAST_INCLUDE", most + 1)),
            ("joined-filter-most", [api.step("join"), filter("MCAST_EXCLUDE", most)].concat()),
            ("joined-filter-more", [api.step("join"), filter("MCAST_EXCLUDE", most + 1)].concat()),
        ] {
            let title = format!("{way}, the limit being {most} on Linux");
            let ops = [api.socket(), ops].concat();
            let case = covering(case(title, lab(LinkKind::Tap), ops), &["MCAST-14"]);
            table.push(&[name, way], Row::Case(case));
        }
    }
    table
}
