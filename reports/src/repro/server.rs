//! The server at the far end of a link: in C an ordinary one, in a network namespace of its own.

use harness::case::addr::{Role, address, prefix_len};
use harness::case::payload::quoted;
use harness::case::{Case, LabOp, Payload, ServerStep, Service};

use super::names::numbered;
use super::parts::Part;
use super::program::Program;

/// What the case's links serve.
fn served(case: &Case) -> impl Iterator<Item = (&str, &Service)> {
    let others = case.lab.setup.iter().filter(|step| !super::names_linux::is_dns(case, step));
    others.filter_map(|step| match step {
        LabOp::Serve { link, service } => Some((link.as_str(), service)),
        _ => None,
    })
}

/// Whether anything is served.
pub(super) fn serves(case: &Case) -> bool {
    served(case).next().is_some()
}

/// Whether anything is served on this link.
pub(super) fn is_served(case: &Case, link: &str) -> bool {
    served(case).any(|(of, _)| of == link)
}

/// Writes the statements that make the servers' network and leave it again.
pub(super) fn build(p: &mut Program<'_>) {
    if !serves(p.case) {
        return;
    }
    p.need(Part::Server);
    p.need(Part::AddressAdd);
    p.line(format_args!("/* The servers' network. */"));
    p.line(format_args!("quiet_network();"));
    for (number, link) in numbered(&p.case.lab) {
        if !is_served(p.case, &link.name) {
            continue;
        }
        let name = p.link(&link.name);
        p.line(format_args!("served_end[{number}] = tun_open({name}, IFF_TUN);"));
        if link.mtu != 1500 {
            p.need(Part::LinkMtu);
            p.line(format_args!("link_mtu({name}, {});", link.mtu));
        }
        p.line(format_args!("link_set({name}, 1);"));
        for range in &link.ranges {
            let (ip, len) = (address(number, Role::Neighbour, *range), prefix_len(*range));
            p.line(format_args!("address_add({name}, \"{ip}\", {len});"));
        }
    }
    p.line(format_args!("listen_all();"));
    p.line(format_args!("/* The host's. */"));
    p.line(format_args!("new_network();"));
}

/// The rows of the table of the servers' steps: of each service, and behind them those of the
/// connections that they open.
pub(super) fn steps(case: &Case) -> String {
    let mut scripts: Vec<&[ServerStep]> =
        served(case).map(|(_, service)| &service.script[..]).collect();
    let mut end = scripts.iter().map(|script| script.len() + 1).sum::<usize>();
    let mut rows = Vec::new();
    let mut next = 0;
    while let Some(script) = scripts.get(next).copied() {
        for step in script {
            rows.push(row(step, end));
            if let ServerStep::Dial { script, .. } = step {
                scripts.push(script);
                end += script.len() + 1;
            }
        }
        rows.push("    {STAY, 0, NULL, 0},".to_owned());
        next += 1;
    }
    rows.join("\n")
}

/// `first`: where the steps of a connection begin that this step opens.
fn row(step: &ServerStep, first: usize) -> String {
    let with = |what: &str, payload: &Payload| {
        let bytes = payload.bytes();
        let mut text = quoted(&bytes);
        if let Payload::Pattern(_) = payload {
            // Each byte for itself: what follows an escape must not become part of it.
            let escapes: Vec<String> = bytes.iter().map(|b| format!("\\{b:03o}")).collect();
            let lines: Vec<String> =
                escapes.chunks(20).map(|line| format!("\"{}\"", line.concat())).collect();
            text = format!("\n        {}", lines.join("\n        "));
        }
        format!("{what}, {}, {text}", bytes.len())
    };
    let fields = match step {
        ServerStep::Expect { until } => with("EXPECT", until),
        ServerStep::Take { bytes } => format!("TAKE, {bytes}, NULL"),
        ServerStep::End => "END, 0, NULL".to_owned(),
        ServerStep::Send { data } => with("SEND", data),
        ServerStep::Shutdown => "SHUTDOWN, 0, NULL".to_owned(),
        ServerStep::Close => "CLOSE, 0, NULL".to_owned(),
        ServerStep::Reset => "RESET, 0, NULL".to_owned(),
        ServerStep::Vanish => "VANISH, 0, NULL".to_owned(),
        ServerStep::Pause => "PAUSE, 0, NULL".to_owned(),
        ServerStep::Dial { from, to, .. } => format!("DIAL, PORTS({from}, {to}), NULL"),
        // The name server's own, see `names_linux`.
        ServerStep::Answer => "STAY, 0, NULL".to_owned(),
    };
    let first = if matches!(step, ServerStep::Dial { .. }) { first } else { 0 };
    format!("    {{{fields}, {first}}},")
}

/// How long the longest bytes are that a server waits for; one, if none does.
pub(super) fn longest(case: &Case) -> usize {
    let steps = served(case).flat_map(|(_, service)| &service.script);
    let steps = steps.flat_map(ServerStep::all);
    let expected = steps.filter_map(|step| match step {
        ServerStep::Expect { until } => Some(until.len()),
        _ => None,
    });
    expected.max().unwrap_or(1)
}

/// The rows of the table of services: port, window, first step, link, fast open.
pub(super) fn services(case: &Case) -> String {
    let mut first = 0;
    let rows = served(case).map(|(link, service)| {
        let (port, window, number) =
            (service.port, service.window, case.lab.number(link).unwrap_or_default());
        let fast = u8::from(service.fast_open);
        let row = format!("    {{{port}, {window}, {first}, {number}, {fast}, -1}},");
        first += service.script.len() + 1;
        row
    });
    rows.collect::<Vec<_>>().join("\n")
}
