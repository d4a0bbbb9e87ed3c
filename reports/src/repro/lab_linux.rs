//! The lab on Linux: as statements of the program, and as commands of ip(8).

use std::net::IpAddr;

use harness::case::addr::{Host, Range, Role, address, prefix_len};
use harness::case::lab::RouteKind;
use harness::case::op::{Control, Value};
use harness::case::payload::quoted;
use harness::case::{Case, Lab, LabOp, Link, LinkKind, Op, sysctl};

use super::names::numbered;
use super::options::bytes_of;
use super::parts::Part;
use super::program::{Missing, Program};
use super::{far, names_linux, server};

/// The link-layer address of somebody on the lab's link of this number.
pub(super) fn mac(number: u8, role: Role) -> String {
    format!("02:00:00:00:{number:02x}:{:02x}", role as u8)
}

/// What `own(link, range)` is.
pub(super) fn own(lab: &Lab, link: &str, range: Range) -> Option<IpAddr> {
    lab.number(link).map(|number| address(number, Role::Own, range))
}

/// Whether it has ICMP sockets for datagrams, which a new network gives to nobody (icmp(7), `ping_group_range`).
fn pings(case: &Case) -> bool {
    case.ops.iter().any(|op| {
        matches!(op, Op::Socket { r#type, protocol, .. }
            if r#type.has("SOCK_DGRAM") && (protocol.has("IPPROTO_ICMP") || protocol.has("IPPROTO_ICMPV6")))
    })
}

/// Whether the host's settings of TCP could decide what comes out: scales of windows, what `TCP_INFO` says.
fn speaks_tcp(case: &Case) -> bool {
    case.ops.iter().any(|op| {
        matches!(op, Op::Socket { domain, r#type, .. }
            if matches!(domain.plain(), "AF_INET" | "AF_INET6") && r#type.has("SOCK_STREAM"))
    })
}

/// Writes the statements that make the lab's links. `far_ends`: whose descriptors are kept.
pub(super) fn build(p: &mut Program<'_>, far_ends: &[u8]) {
    let lab = &p.case.lab;
    p.need(Part::Network);
    p.line(format_args!("new_network();"));
    if speaks_tcp(p.case) {
        p.need(Part::TcpSettings);
        p.line(format_args!("tcp_settings();"));
    }
    server::build(p);
    names_linux::build(p);
    if !lab.links.is_empty() || pings(p.case) {
        p.need(Part::Quiet);
        p.line(format_args!("quiet_network();"));
    }
    if !lab.links.is_empty() {
        p.need(Part::TunOpen);
    }
    for (number, link) in numbered(lab) {
        let mode = if link.kind == LinkKind::Tun { "IFF_TUN" } else { "IFF_TAP" };
        let name = p.link(&link.name);
        if server::is_served(p.case, &link.name) {
            p.line(format_args!("near_end[{number}] = tun_open({name}, {mode});"));
        } else if names_linux::link(p.case).is_some_and(|(of, _)| of == number) {
            p.line(format_args!("near_name_end = tun_open({name}, {mode});"));
        } else if far_ends.contains(&number) {
            // Also where the program ends before the step that needs it.
            p.need(Part::FarEnds);
            p.line(format_args!("far_end[{number}] = tun_open({name}, {mode});"));
        } else {
            p.line(format_args!("tun_open({name}, {mode});"));
        }
    }
    p.line(format_args!("link_set(\"lo\", 1);"));
    for (number, link) in numbered(lab) {
        furnish(p, number, link);
    }
    names_linux::begin(p);
}

fn furnish(p: &mut Program<'_>, number: u8, link: &Link) {
    let name = p.link(&link.name);
    if link.mtu != 1500 {
        p.need(Part::LinkMtu);
        p.line(format_args!("link_mtu({name}, {});", link.mtu));
    }
    if link.kind == LinkKind::Tap {
        p.need(Part::LinkMac);
        p.line(format_args!("link_mac({name}, \"{}\");", mac(number, Role::Own)));
    }
    p.line(format_args!("link_set({name}, 1);"));
    for range in &link.ranges {
        p.need(Part::AddressAdd);
        let (ip, len) = (address(number, Role::Own, *range), prefix_len(*range));
        p.line(format_args!("address_add({name}, \"{ip}\", {len});"));
    }
    for range in link.ranges.iter().filter(|_| link.kind == LinkKind::Tap) {
        p.need(Part::Neighbour);
        let ip = address(number, Role::Neighbour, *range);
        p.line(format_args!("neighbour({name}, \"{ip}\", \"{}\");", mac(number, Role::Neighbour)));
    }
}

/// How long the program sleeps for a wait. It sees no frames: where the case waits for one, it
/// allows what an idle machine needs at the most.
fn slept(ms: u32, for_a_frame: bool) -> u32 {
    if for_a_frame { ms.min(1000) } else { ms }
}

fn make_read_only(p: &mut Program<'_>) {
    p.need(Part::ReadOnly);
    p.line(format_args!("make_read_only();"));
}

/// Who writes what a link is given: where a server answers, its end is the link's.
fn end_of(p: &Program<'_>, link: &str, number: u8) -> String {
    if server::is_served(p.case, link) {
        format!("near_end[{number}]")
    } else if names_linux::link(p.case).is_some_and(|(of, _)| of == number) {
        "near_name_end".to_owned()
    } else {
        format!("far_end[{number}]")
    }
}

fn set_sysctl(p: &mut Program<'_>, name: &str, value: &str) {
    p.need(Part::Sysctl);
    let (file, value) = (sysctl::file(name), quoted(value.as_bytes()));
    p.line(format_args!("set_sysctl({}, {value});", quoted(file.as_bytes())));
}

/// Writes the statement of one step. `tag` makes its variables its own.
pub(super) fn step(p: &mut Program<'_>, tag: &str, step: &LabOp) -> Result<(), Missing> {
    let no = |what: &str| Missing::Step(format!("the lab has no {what}"));
    match step {
        LabOp::LinkUp { link } => p.line(format_args!("link_set({}, 1);", p.link(link))),
        LabOp::LinkDown { link } => p.line(format_args!("link_set({}, 0);", p.link(link))),
        LabOp::LinkDelete { link } => {
            p.need(Part::LinkDelete);
            p.line(format_args!("link_delete({});", p.link(link)));
        }
        LabOp::Mtu { link, mtu } => {
            p.need(Part::LinkMtu);
            p.line(format_args!("link_mtu({}, {mtu});", p.link(link)));
        }
        LabOp::AddressAdd { link, range } | LabOp::AddressDelete { link, range } => {
            let add = matches!(step, LabOp::AddressAdd { .. });
            p.need(if add { Part::AddressAdd } else { Part::AddressDelete });
            let call = if add { "address_add" } else { "address_delete" };
            let ip = own(&p.case.lab, link, *range).ok_or_else(|| no(link))?;
            let (link, len) = (p.link(link), prefix_len(*range));
            p.line(format_args!("{call}({link}, \"{ip}\", {len});"));
        }
        LabOp::RouteAdd { prefix, prefix_len, kind, link, via } => {
            p.need(Part::RouteAdd);
            let kind = format!("RTN_{}", format!("{kind:?}").to_uppercase());
            let link = link.as_ref().map_or_else(|| "NULL".to_owned(), |l| p.link(l));
            let via = match via {
                None => "NULL".to_owned(),
                Some(host) => format!("\"{}\"", p.case.lab.ip(host).ok_or_else(|| no("router"))?),
            };
            let args = format!("{kind}, \"{prefix}\", {prefix_len}, {link}, {via}");
            p.line(format_args!("route_add({args});"));
        }
        LabOp::RetransTime { link, ms } => {
            p.need(Part::RetransTime);
            p.line(format_args!("retrans_time({}, {ms});", p.link(link)));
        }
        LabOp::Sysctl { name, value } => set_sysctl(p, name, value),
        LabOp::Inject { link, frame } => {
            p.need(Part::Inject);
            let (number, _) = p.number(link).ok_or_else(|| no(link))?;
            p.line(format_args!("static const unsigned char frame{tag}[] = {{"));
            bytes_of(p, &frame.0);
            p.line(format_args!("}};"));
            let end = end_of(p, link, number);
            p.line(format_args!("inject({end}, frame{tag}, sizeof frame{tag});"));
        }
        LabOp::Say { link, frame } => far::say(p, tag, link, frame)?,
        LabOp::Serve { .. }
            if names_linux::is_dns(p.case, step) && names_linux::over_tcp(step).is_none() =>
        {
            let why = "the name server of this program does not do that over TCP";
            return Err(Missing::Step(why.to_owned()));
        }
        // Servers stand before the links, since they have networks of their own; files are `files`.
        LabOp::Serve { .. } | LabOp::NameServer { .. } | LabOp::Hosts { .. } => {}
        LabOp::ReadOnly {} => make_read_only(p),
        LabOp::Resume { port, .. } => {
            p.need(Part::Resume);
            p.line(format_args!("resume({port});"));
        }
        LabOp::Wait { ms, until, .. } => {
            let ms = slept(*ms, until.is_some());
            p.need(Part::WaitMs);
            p.line(format_args!("wait_ms({ms});"));
        }
    }
    Ok(())
}

/// The commands that make the lab's links.
pub(super) fn commands(case: &Case) -> Vec<String> {
    let mut out = vec!["unshare -Urn".to_owned(), "ip link set lo up".to_owned()];
    for (number, link) in numbered(&case.lab) {
        let Link { name, kind, mtu, ranges } = link;
        if number == 0 {
            out.extend(
                ["ipv6/conf/default/accept_dad=0", "ipv6/conf/default/router_solicitations=0"]
                    .map(|s| format!("sysctl -w net/{s}")),
            );
        }
        out.push(format!("ip tuntap add {name} mode {kind}"));
        let tap = *kind == LinkKind::Tap;
        let own_mac =
            if tap { format!("address {} ", mac(number, Role::Own)) } else { String::new() };
        out.push(format!("ip link set {name} {own_mac}mtu {mtu} addrgenmode none"));
        out.push(format!("ip link set {name} up"));
        out.extend(ranges.iter().map(|range| added(name, address(number, Role::Own, *range))));
        out.extend(ranges.iter().filter(|_| tap).map(|range| {
            let ip = address(number, Role::Neighbour, *range);
            format!(
                "ip neigh add {ip} lladdr {} dev {name} nud permanent",
                mac(number, Role::Neighbour)
            )
        }));
    }
    out
}

fn added(link: &str, ip: IpAddr) -> String {
    match ip {
        IpAddr::V6(ip) => format!("ip addr add {ip}/64 dev {link} nodad"),
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("ip addr add {ip}/24 broadcast {a}.{b}.{c}.255 dev {link}")
        }
    }
}

/// The command of one step.
pub(super) fn command(lab: &Lab, step: &LabOp) -> String {
    let ip = |link: &str, range| own(lab, link, range).unwrap_or(IpAddr::from([0; 4]));
    match step {
        LabOp::AddressAdd { link, range } => added(link, ip(link, *range)),
        LabOp::AddressDelete { link, range } => {
            format!("ip addr del {}/{} dev {link}", ip(link, *range), prefix_len(*range))
        }
        LabOp::RouteAdd { prefix, prefix_len, kind, link, via } => {
            let kind = match kind {
                RouteKind::Unicast => String::new(),
                other => format!("{} ", format!("{other:?}").to_lowercase()),
            };
            let via = via.as_ref().and_then(|h| lab.ip(h)).map(|ip| format!(" via {ip}"));
            let dev = link.as_ref().map(|l| format!(" dev {l}"));
            let (via, dev) = (via.unwrap_or_default(), dev.unwrap_or_default());
            format!("ip route add {kind}{prefix}/{prefix_len}{via}{dev}")
        }
        LabOp::RetransTime { link, ms } => {
            format!(
                "sysctl -w net/ipv4/neigh/{link}/retrans_time_ms={ms} net/ipv6/neigh/{link}/retrans_time_ms={ms}"
            )
        }
        LabOp::Sysctl { name, value } => format!("sysctl -w {name}='{value}'"),
        LabOp::Inject { link, frame } => {
            format!("# the far end of {link} sends {} bytes, see below", frame.0.len())
        }
        LabOp::Say { .. }
        | LabOp::Serve { .. }
        | LabOp::Resume { .. }
        | LabOp::NameServer { .. }
        | LabOp::Hosts { .. } => format!("# {step}"),
        LabOp::Wait { ms, until, why } => {
            let ms = slept(*ms, until.is_some());
            format!("sleep {}.{:03} # {why}", ms / 1000, ms % 1000)
        }
        LabOp::ReadOnly {} => step.to_string(),
        LabOp::LinkUp { .. }
        | LabOp::LinkDown { .. }
        | LabOp::LinkDelete { .. }
        | LabOp::Mtu { .. } => format!("ip {step}"),
    }
}

/// The neighbours that must answer address resolution, since the case speaks to them or makes
/// them speak: link number and address.
pub(super) fn answering(case: &Case) -> Vec<(u8, IpAddr)> {
    let mut out = Vec::new();
    for (number, link) in numbered(&case.lab) {
        let hosts = || link.ranges.iter().map(|range| address(number, Role::Unresolved, *range));
        if link.kind == LinkKind::Tap && hosts().any(|ip| speaks_of(case, ip)) {
            out.extend(hosts().map(|ip| (number, ip)));
        }
        // What is local to a link is asked for on the link that a scope id names, whosever it is.
        let others = numbered(&case.lab).filter(|(other, _)| *other != number);
        let local = others.filter(|(_, other)| other.ranges.contains(&Range::Ll));
        let strangers = local.map(|(other, _)| address(other, Role::Unresolved, Range::Ll));
        if link.kind == LinkKind::Tap {
            out.extend(strangers.filter(|ip| speaks_of(case, *ip)).map(|ip| (number, ip)));
        }
    }
    out
}

/// Whether the program reads what the host sends to far ends.
pub(super) fn is_read(case: &Case) -> bool {
    !answering(case).is_empty() || far::hears(case).next().is_some()
}

/// The rows of the table of who answers address resolution, and of links that are read all the same.
pub(super) fn answers(case: &Case) -> String {
    let answering = answering(case);
    let mut rows: Vec<String> =
        answering.iter().map(|(n, ip)| format!("    {{{n}, \"{ip}\"}},")).collect();
    let silent = numbered(&case.lab).map(|(number, _)| number);
    let silent = silent.filter(|n| answering.iter().all(|(of, _)| of != n));
    let read = silent.filter(|n| far::hears(case).any(|of| of == *n));
    rows.extend(read.map(|n| format!("    {{{n}, NULL}},")));
    rows.join("\n")
}

/// The numbers of the links whose far end the program has to reach.
pub(super) fn far_ends(case: &Case) -> Vec<u8> {
    let mut out: Vec<u8> = answering(case).into_iter().map(|(number, _)| number).collect();
    out.extend(steps(case).filter_map(|step| match step {
        LabOp::Inject { link, .. } | LabOp::Say { link, .. } => case.lab.number(link),
        _ => None,
    }));
    out
}

/// Every step of the lab, before the calls and among them.
fn steps(case: &Case) -> impl Iterator<Item = &LabOp> {
    let among = case.ops.iter().filter_map(|op| match op {
        Op::Lab { step } => Some(step),
        _ => None,
    });
    case.lab.setup.iter().chain(among)
}

fn speaks_of(case: &Case, ip: IpAddr) -> bool {
    let is = |host: &Host| case.lab.ip(host) == Some(ip);
    let octets = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let mapped = |host: &Host| match (case.lab.ip(host), ip) {
        (Some(IpAddr::V6(v6)), IpAddr::V4(ip)) => v6.to_ipv4_mapped() == Some(ip),
        _ => false,
    };
    let called = case.ops.iter().any(|op| {
        let to = op.addr().is_some_and(|addr| is(&addr.host) || mapped(&addr.host));
        to || match op {
            Op::Sendmsg { control, .. } => control
                .iter()
                .any(|c| matches!(c, Control::PktInfo { source: Some(host), .. } if is(host))),
            Op::Setsockopt { value: Value::Host(host), .. } => is(host),
            _ => false,
        }
    });
    called
        || steps(case).any(|step| match step {
            LabOp::RouteAdd { via: Some(host), .. } => is(host),
            LabOp::Inject { frame, .. } => frame.0.windows(octets.len()).any(|w| w == octets),
            LabOp::Say { frame, .. } => frame.hosts().any(is),
            _ => false,
        })
}
