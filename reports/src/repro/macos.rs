//! The lab on macOS, as commands. The program runs them itself, as root: `ifconfig` can make feth
//! links, but a utun link only exists while a program holds it open.

use harness::case::addr::{Range, Role, address};
use harness::case::lab::RouteKind;
use harness::case::{Case, Lab, LabOp, Link, LinkKind, Os};

use super::lab_linux::{mac, numbered, own};
use super::names::{interface, peer, utun_unit};
use super::options::bytes_of;
use super::parts::Part;
use super::program::{Missing, Program};

/// Writes the statements that make the lab's links.
pub(super) fn build(p: &mut Program<'_>) {
    let lab = &p.case.lab;
    if lab.links.is_empty() {
        return;
    }
    p.need(Part::MacLab);
    if lab.links.iter().any(|l| l.kind == LinkKind::Tap) {
        p.need(Part::MacTidy);
        p.line(format_args!("atexit(tidy);"));
    }
    if lab.links.iter().any(|l| l.kind == LinkKind::Tun) {
        p.need(Part::UtunOpen);
        p.need(Part::FarEnds);
    }
    for (number, link) in numbered(lab) {
        if link.kind == LinkKind::Tun {
            p.line(format_args!("far_end[{number}] = utun_open({});", utun_unit(number)));
        }
        for command in link_commands(number, link) {
            p.line(format_args!("lab(\"{command}\");"));
        }
    }
    p.line(format_args!("lab(\"{SETTLE}\"); /* duplicate address detection */"));
}

/// How long macOS looks for duplicates of a new address.
const SETTLE: &str = "sleep 2";

/// The commands that make the lab's links.
pub(super) fn commands(case: &Case) -> Vec<String> {
    let mut out = Vec::new();
    for (number, link) in numbered(&case.lab) {
        if link.kind == LinkKind::Tun {
            let unit = utun_unit(number);
            out.push(format!("# utun{unit}: a program has to open it, ifconfig cannot make it"));
        }
        out.extend(link_commands(number, link).into_iter().map(|c| format!("sudo {c}")));
    }
    if !out.is_empty() {
        out.push(SETTLE.to_owned());
    }
    out
}

/// The commands that take the links away again.
pub(super) fn tidy(lab: &Lab) -> Vec<String> {
    numbered(lab)
        .filter(|(_, link)| link.kind == LinkKind::Tap)
        .flat_map(|(number, link)| [interface(Os::Macos, lab, &link.name), peer(number)])
        .map(|name| format!("ifconfig {name} destroy"))
        .collect()
}

fn link_commands(number: u8, link: &Link) -> Vec<String> {
    let tap = link.kind == LinkKind::Tap;
    let name = if tap {
        format!("feth{}", 2 * u32::from(number))
    } else {
        format!("utun{}", utun_unit(number))
    };
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
    out.extend(link.ranges.iter().map(|range| added(&name, tap, number, *range)));
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
            let family = if *range == Range::V4 { "inet" } else { "inet6" };
            let ip = own(lab, link, *range).ok_or_else(|| no("an address of loopback"))?;
            format!("ifconfig {} {family} {ip} -alias", on(link))
        }
        LabOp::RouteAdd { prefix, prefix_len, kind, link, via } => {
            let family = if prefix.is_ipv4() { "-inet" } else { "-inet6" };
            let to = format!("route -n add {family} -net {prefix}/{prefix_len}");
            let nobody = if prefix.is_ipv4() { "127.0.0.1" } else { "::1" };
            let router = via.as_ref().and_then(|host| lab.ip(host));
            match (kind, link, router) {
                (RouteKind::Unicast, Some(link), None) => format!("{to} -interface {}", on(link)),
                (RouteKind::Unicast, Some(link), Some(ip)) => {
                    format!("{to} {ip} -ifscope {}", on(link))
                }
                (RouteKind::Unicast, None, Some(ip)) => format!("{to} {ip}"),
                (RouteKind::Unreachable, ..) => format!("{to} {nobody} -reject"),
                (RouteKind::Blackhole, ..) => format!("{to} {nobody} -blackhole"),
                _ => return Err(no(&step.to_string())),
            }
        }
        LabOp::RetransTime { .. }
        | LabOp::Serve { .. }
        | LabOp::Resume { .. }
        | LabOp::NameServer { .. }
        | LabOp::Hosts { .. } => {
            return Err(no(&step.to_string()));
        }
        LabOp::Inject { link, frame } => {
            format!("# the far end of {} sends {} bytes, see below", on(link), frame.0.len())
        }
        LabOp::Wait { ms, .. } => format!("sleep {}.{:03}", ms / 1000, ms % 1000),
    })
}

/// Writes the statement of one step. `tag` makes its variables its own.
pub(super) fn step(p: &mut Program<'_>, tag: &str, step: &LabOp) -> Result<(), Missing> {
    let command = command(&p.case.lab, step)?;
    match step {
        LabOp::Wait { ms, .. } => {
            p.need(Part::WaitMs);
            p.line(format_args!("wait_ms({ms});"));
        }
        LabOp::Inject { link, frame } => {
            let Some((number, kind)) = p.number(link) else {
                return Err(Missing::Step(format!("nothing can be injected into {link}")));
            };
            p.line(format_args!("static const unsigned char frame{tag}[] = {{"));
            bytes_of(p, &frame.0);
            p.line(format_args!("}};"));
            let size = format!("frame{tag}, sizeof frame{tag}");
            if kind == LinkKind::Tun {
                p.need(Part::InjectUtun);
                p.line(format_args!("inject_utun(far_end[{number}], {size});"));
            } else {
                p.need(Part::InjectFeth);
                p.line(format_args!("inject_feth(\"{}\", {size});", peer(number)));
            }
        }
        LabOp::LinkDelete { link } if matches!(p.number(link), Some((_, LinkKind::Tun))) => {
            p.include(&["unistd.h"]);
            let number = p.case.lab.number(link).unwrap_or_default();
            p.line(format_args!("close(far_end[{number}]);"));
        }
        _ => {
            p.need(Part::MacLab);
            p.line(format_args!("lab(\"{command}\");"));
        }
    }
    Ok(())
}
