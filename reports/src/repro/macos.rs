//! The lab on macOS: in the host's own network, so that the program changes nothing that it did not
//! make itself. What ifconfig(8) can do it has ifconfig do; interfaces and routes it makes by calls of
//! its own, since `ifconfig` and `route` do not say whether they made one or one was there.

use harness::case::addr::{Range, Role, address, prefix_len};
use harness::case::lab::RouteKind;
use harness::case::payload::quoted;
use harness::case::{Case, Lab, LabOp, Link, LinkKind, Op, Os};
use harness::darwin::request::network;

use super::calls::streams;
use super::far;
use super::lab_linux::{self, mac};
use super::names::{interface, numbered, peer};
use super::options::bytes_of;
use super::parts::Part;
use super::program::{Missing, Program};

/// Writes the statements that make the lab's links.
pub(super) fn build(p: &mut Program<'_>) {
    let lab = &p.case.lab;
    for (number, link) in numbered(lab) {
        // A link-local network is of its link alone.
        for range in link.ranges.iter().filter(|range| **range != Range::Ll) {
            p.need(Part::MacFree);
            let ip = address(number, Role::Own, *range);
            p.line(format_args!("network_is_free(\"{ip}\");"));
        }
    }
    for (number, link) in numbered(lab) {
        let name = interface(Os::Macos, lab, &link.name);
        if link.kind == LinkKind::Tap {
            p.need(Part::Feth);
            p.line(format_args!("feth_create({number});"));
            run(p, &format!("ifconfig {name} lladdr {}", mac(number, Role::Own)));
            run(p, &format!("ifconfig {} up", peer(number)));
            p.line(format_args!("feth_far_end({number});"));
        } else {
            p.need(Part::UtunOpen);
            p.line(format_args!("utun_open({number});"));
        }
        if streams(p.case) {
            p.need(Part::NoEcn);
            p.line(format_args!("no_ecn({number});"));
        }
        run(p, &format!("ifconfig {name} mtu {} up", link.mtu));
        if link.ranges.iter().any(|range| *range != Range::V4) {
            attach_v6(p, number);
        }
        for range in &link.ranges {
            add_address(p, number, *range);
        }
        if link.ranges.iter().any(|range| *range != Range::V4) {
            p.need(Part::LinkLocal);
            let own = if link.ranges.contains(&Range::Ll) {
                address(number, Role::Own, Range::Ll).to_string()
            } else {
                String::new()
            };
            p.line(format_args!("link_local({number}, \"{own}\");"));
        }
        add_neighbours(p, number, &link.ranges);
    }
}

/// The parts by which the program sees what was sent: a utun's own descriptor, BPF on the peer of a feth
/// and on lo0.
pub(super) fn watch(p: &mut Program<'_>) {
    p.need(Part::MacWire);
    if p.case.lab.links.iter().any(|link| link.kind == LinkKind::Tun) {
        p.need(Part::UtunPacket);
    }
    if lab_linux::is_read(p.case) {
        p.need(Part::FarEnd);
        far_ends_write(p);
    }
}

/// What puts frames on links.
fn far_ends_write(p: &mut Program<'_>) {
    p.need(Part::FarWrite);
    if p.case.lab.links.iter().any(|link| link.kind == LinkKind::Tun) {
        p.need(Part::UtunFamily);
    }
}

/// What the case calls its links, as strings.
pub(super) fn called(case: &Case) -> String {
    let names = case.lab.links.iter().map(|link| quoted(link.name.as_bytes()));
    names.collect::<Vec<_>>().join(", ")
}

/// Has what the program makes taken away at its end, whatever that is.
pub(super) fn tidy_at_the_end(p: &mut Program<'_>) {
    if p.parts.has(Part::Feth) || p.parts.has(Part::MacUndo) {
        p.need(Part::MacTidy);
        p.body.insert_str(0, "    tidy_at_the_end();\n");
    }
}

/// Has a command run that names interfaces as [`interface`] does.
fn run(p: &mut Program<'_>, command: &str) {
    p.need(Part::MacLab);
    let call = printed(&p.case.lab, command);
    p.line(format_args!("lab({call});"));
}

/// The arguments of a `printf` that writes the text, in which each interface is called what it is.
pub(super) fn printed(lab: &Lab, text: &str) -> String {
    let mut format = text.replace('%', "%%");
    let mut found = Vec::new();
    for (number, link) in numbered(lab) {
        let names = [
            (interface(Os::Macos, lab, &link.name), format!("links[{number}].name")),
            (peer(number), format!("links[{number}].peer")),
        ];
        for (name, variable) in names {
            found.extend(text.match_indices(&name).map(|(at, _)| (at, variable.clone())));
            format = format.replace(&name, "%s");
        }
    }
    found.sort();
    let arguments = found.into_iter().map(|(_, variable)| variable);
    [quoted(format.as_bytes())].into_iter().chain(arguments).collect::<Vec<_>>().join(", ")
}

fn attach_v6(p: &mut Program<'_>, number: u8) {
    p.need(Part::AttachV6);
    p.line(format_args!("attach_v6({number});"));
}

fn add_address(p: &mut Program<'_>, number: u8, range: Range) {
    let lab = &p.case.lab;
    let link = &lab.links[usize::from(number)];
    let name = interface(Os::Macos, lab, &link.name);
    run(p, &added(&name, link.kind == LinkKind::Tap, number, range));
    add_network(p, number, range);
    wait_usable(p, number, range, true);
}

fn wait_usable(p: &mut Program<'_>, number: u8, range: Range, usable: bool) {
    p.need(Part::Usable);
    let ip = address(number, Role::Own, range);
    p.line(format_args!("wait_usable(\"{ip}\", links[{number}].index, {});", u8::from(usable)));
}

/// An IPv4 address of a link to one host has a route to that host alone.
fn add_network(p: &mut Program<'_>, number: u8, range: Range) {
    let link = &p.case.lab.links[usize::from(number)];
    if link.kind != LinkKind::Tun || range != Range::V4 {
        return;
    }
    let (ip, len) = (address(number, Role::Own, range), prefix_len(range));
    p.need(Part::MacRouteLink);
    let net = network(ip, len);
    p.line(format_args!("route_by_link(\"{net}\", {len}, links[{number}].index);"));
}

fn add_neighbours(p: &mut Program<'_>, number: u8, ranges: &[Range]) {
    if p.case.lab.links[usize::from(number)].kind != LinkKind::Tap {
        return;
    }
    for range in ranges {
        p.need(Part::MacNeighbour);
        let (ip, mac) = (address(number, Role::Neighbour, *range), mac(number, Role::Neighbour));
        p.line(format_args!("neighbour({number}, \"{ip}\", \"{mac}\");"));
    }
}

/// The ranges of which a link has its address before a step is taken.
fn there(case: &Case, number: u8, before: &LabOp) -> Vec<Range> {
    let among = case.ops.iter().filter_map(|op| match op {
        Op::Lab { step } => Some(step),
        _ => None,
    });
    let link = &case.lab.links[usize::from(number)];
    let mut there = link.ranges.clone();
    for step in case.lab.setup.iter().chain(among).take_while(|step| !std::ptr::eq(*step, before)) {
        match step {
            LabOp::AddressDelete { link: of, range } if *of == link.name => {
                there.retain(|other| other != range);
            }
            LabOp::AddressAdd { link: of, range } if *of == link.name && !there.contains(range) => {
                there.push(*range);
            }
            _ => {}
        }
    }
    there
}

/// The commands that make the lab's links.
pub(super) fn commands(case: &Case) -> Vec<String> {
    let mut out = Vec::new();
    for (number, link) in numbered(&case.lab) {
        let name = interface(Os::Macos, &case.lab, &link.name);
        if link.kind == LinkKind::Tun {
            out.push(format!("# {name}: a program has to open it, ifconfig cannot make it"));
        }
        let all = link_commands(&name, number, link);
        out.extend(all.into_iter().map(|c| format!("sudo {c}")));
    }
    out
}

/// The commands that take away again what [`commands`] and the lab's own steps have made.
pub(super) fn tidy(lab: &Lab) -> Vec<String> {
    let routes = lab.setup.iter().filter_map(|step| match step {
        LabOp::RouteAdd { prefix, prefix_len, .. } => {
            let family = if prefix.is_ipv4() { "-inet" } else { "-inet6" };
            Some(format!("route -n delete {family} -net {prefix}/{prefix_len}"))
        }
        _ => None,
    });
    let links = numbered(lab)
        .filter(|(_, link)| link.kind == LinkKind::Tap)
        .flat_map(|(number, link)| [interface(Os::Macos, lab, &link.name), peer(number)])
        .map(|name| format!("ifconfig {name} destroy"));
    routes.chain(links).collect()
}

fn link_commands(name: &str, number: u8, link: &Link) -> Vec<String> {
    let tap = link.kind == LinkKind::Tap;
    let mut out = Vec::new();
    if tap {
        let peer = peer(number);
        out.push(format!("ifconfig {name} create"));
        out.push(format!("ifconfig {peer} create"));
        out.push(format!("ifconfig {name} peer {peer}"));
        out.push(format!("ifconfig {name} lladdr {}", mac(number, Role::Own)));
        out.push(format!("ifconfig {peer} up"));
    }
    out.push(format!("ifconfig {name} mtu {} up", link.mtu));
    if link.ranges.iter().any(|range| *range != Range::V4) {
        out.push(format!("ifconfig {name} inet6 -dad"));
    }
    for range in &link.ranges {
        out.push(added(name, tap, number, *range));
        if !tap && *range == Range::V4 {
            let net = network(address(number, Role::Own, *range), prefix_len(*range));
            let len = prefix_len(*range);
            out.push(format!("route -n add -inet -net {net}/{len} -interface {name}"));
        }
    }
    if tap {
        out.extend(link.ranges.iter().map(|range| {
            let ip = address(number, Role::Neighbour, *range);
            let mac = mac(number, Role::Neighbour);
            match range {
                Range::Ll => format!("ndp -s {ip}%{name} {mac}"),
                Range::V6 => format!("ndp -s {ip} {mac}"),
                Range::V4 => format!("arp -s {ip} {mac} ifscope {name}"),
            }
        }));
    }
    out
}

fn added(name: &str, tap: bool, number: u8, range: Range) -> String {
    let ip = address(number, Role::Own, range);
    match range {
        Range::Ll | Range::V6 => format!("ifconfig {name} inet6 {ip} prefixlen 64 alias"),
        Range::V4 if tap => format!("ifconfig {name} inet {ip} netmask 255.255.255.0 alias"),
        // A utun link is point to point: IPv4 wants the far end's address.
        Range::V4 => {
            let far = address(number, Role::Neighbour, range);
            format!("ifconfig {name} inet {ip} {far} netmask 255.255.255.0 alias")
        }
    }
}

fn deleted(name: &str, number: u8, range: Range) -> String {
    let family = if range == Range::V4 { "inet" } else { "inet6" };
    format!("ifconfig {name} {family} {} -alias", address(number, Role::Own, range))
}

/// The commands of one step; an error says what macOS cannot do.
pub(super) fn command(lab: &Lab, step: &LabOp) -> Result<String, Missing> {
    let on = |link: &str| interface(Os::Macos, lab, link);
    let kind = |link: &str| lab.links.iter().find(|l| l.name == link).map(|l| l.kind);
    let no = |what: &str| Missing::Step(format!("macOS has no command for this: {what}"));
    Ok(match step {
        LabOp::LinkUp { link } => format!("ifconfig {} up", on(link)),
        LabOp::LinkDown { link } => format!("ifconfig {} down", on(link)),
        LabOp::LinkDelete { link } if kind(link) == Some(LinkKind::Tun) => {
            "# the descriptor that holds the link is closed".to_owned()
        }
        LabOp::LinkDelete { link } => format!("ifconfig {} destroy", on(link)),
        LabOp::Mtu { link, mtu } => format!("ifconfig {} mtu {mtu}", on(link)),
        LabOp::AddressAdd { link, range } => {
            let number = lab.number(link).ok_or_else(|| no("an address of loopback"))?;
            added(&on(link), kind(link) == Some(LinkKind::Tap), number, *range)
        }
        LabOp::AddressDelete { link, range } => {
            let number = lab.number(link).ok_or_else(|| no("an address of loopback"))?;
            deleted(&on(link), number, *range)
        }
        LabOp::RouteAdd { prefix, prefix_len, kind, link, via } => {
            let family = if prefix.is_ipv4() { "-inet" } else { "-inet6" };
            let to = format!("route -n add {family} -net {prefix}/{prefix_len}");
            let nobody = if prefix.is_ipv4() { "127.0.0.1" } else { "::1" };
            let router = via.as_ref().and_then(|host| lab.ip(host));
            match (kind, link, router) {
                (RouteKind::Unicast, _, Some(ip)) => format!("{to} {ip}"),
                (RouteKind::Unicast, Some(link), None) => format!("{to} -interface {}", on(link)),
                (RouteKind::Unreachable, ..) => format!("{to} {nobody} -reject"),
                (RouteKind::Blackhole, ..) => format!("{to} {nobody} -blackhole"),
                _ => return Err(no(&step.to_string())),
            }
        }
        LabOp::RetransTime { .. } => {
            "# macOS keeps how often address resolution asks: three times, a second apart"
                .to_owned()
        }
        LabOp::Sysctl { .. }
        | LabOp::Serve { .. }
        | LabOp::Resume { .. }
        | LabOp::NameServer { .. }
        | LabOp::ReadOnly {}
        | LabOp::Hosts { .. } => {
            return Err(no(&step.to_string()));
        }
        LabOp::Say { .. } => format!("# {step}"),
        LabOp::Inject { link, frame } => {
            format!("# the far end of {} sends {} bytes, see below", on(link), frame.0.len())
        }
        LabOp::Wait { ms, .. } => format!("sleep {}.{:03}", ms / 1000, ms % 1000),
    })
}

/// Writes the statement of one step. `tag` makes its variables its own.
pub(super) fn step(p: &mut Program<'_>, tag: &str, step: &LabOp) -> Result<(), Missing> {
    let case = p.case;
    let command = command(&case.lab, step)?;
    match step {
        LabOp::RetransTime { .. } => {}
        LabOp::Wait { ms, .. } => {
            p.need(Part::WaitMs);
            p.line(format_args!("wait_ms({ms});"));
        }
        LabOp::Inject { link, frame } => {
            let Some((number, _)) = p.number(link) else {
                return Err(Missing::Step(format!("nothing can be injected into {link}")));
            };
            p.line(format_args!("static const unsigned char frame{tag}[] = {{"));
            bytes_of(p, &frame.0);
            p.line(format_args!("}};"));
            far_ends_write(p);
            p.line(format_args!("far_write({number}, frame{tag}, sizeof frame{tag});"));
        }
        LabOp::Say { link, frame } => {
            far_ends_write(p);
            far::say(p, tag, link, frame)?;
        }
        LabOp::LinkDelete { link } => {
            let Some((number, kind)) = p.number(link) else {
                return Err(Missing::Step(format!("{link} cannot be taken away")));
            };
            let (name, all) = (interface(Os::Macos, &case.lab, link), there(case, number, step));
            for range in &all {
                run(p, &deleted(&name, number, *range));
            }
            p.include(&["unistd.h"]);
            p.line(format_args!("close(links[{number}].fd);"));
            p.line(format_args!("links[{number}].fd = -1;"));
            if kind == LinkKind::Tap {
                p.line(format_args!("feth_destroy({number});"));
            }
            for range in &all {
                wait_usable(p, number, *range, false);
            }
        }
        LabOp::LinkUp { link } => {
            run(p, &command);
            // What the kernel took away with the link comes back by itself but for these.
            if let Some((number, _)) = p.number(link) {
                let all = there(case, number, step);
                for range in &all {
                    add_network(p, number, *range);
                }
                add_neighbours(p, number, &all);
            }
        }
        LabOp::AddressAdd { link, range } => {
            if let Some((number, _)) = p.number(link) {
                if *range != Range::V4 {
                    attach_v6(p, number);
                }
                add_address(p, number, *range);
            }
        }
        LabOp::RouteAdd { .. } => add_route(p, step),
        _ => run(p, &command),
    }
    Ok(())
}

fn add_route(p: &mut Program<'_>, step: &LabOp) {
    let LabOp::RouteAdd { prefix, prefix_len, kind, link, via } = step else { return };
    let router = via.as_ref().and_then(|host| p.case.lab.ip(host));
    let to = format!("\"{prefix}\", {prefix_len}");
    match (kind, link, router) {
        (RouteKind::Unicast, _, Some(router)) => {
            p.need(Part::MacRouteVia);
            p.line(format_args!("route_by_router({to}, \"{router}\");"));
        }
        (RouteKind::Unicast, Some(link), None) => {
            p.need(Part::MacRouteLink);
            let index = p.case.lab.number(link).map_or_else(
                || "if_nametoindex(\"lo0\")".to_owned(),
                |number| format!("links[{number}].index"),
            );
            p.line(format_args!("route_by_link({to}, {index});"));
        }
        _ => {
            p.need(Part::MacRouteDrop);
            let how = if *kind == RouteKind::Blackhole { "RTF_BLACKHOLE" } else { "RTF_REJECT" };
            p.line(format_args!("route_drop({to}, {how});"));
        }
    }
}
