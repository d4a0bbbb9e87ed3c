//! How names are resolved in a case's lab: in C by files of the program's own, and by a small name
//! server in a network namespace and a process of its own.

use harness::case::addr::{Role, address, prefix_len};
use harness::case::names::{DNS_PORT, Flaw, NameServer, RecordType};
use harness::case::payload::quoted;
use harness::case::{Case, LabOp, Op, ServerStep};
use harness::wire::dns;

use super::comment::within;
use super::parts::Part;
use super::program::Program;

/// The link that has the name server, and its number.
pub(super) fn link(case: &Case) -> Option<(u8, &str)> {
    case.lab.setup.iter().find_map(|step| match step {
        LabOp::NameServer { link, .. } => Some((case.lab.number(link)?, link.as_str())),
        _ => None,
    })
}

/// Whether the service is the name server's, over TCP.
pub(super) fn is_dns(case: &Case, step: &LabOp) -> bool {
    let served = link(case).map(|(_, link)| link);
    matches!(step, LabOp::Serve { link, service } if service.port == DNS_PORT && served == Some(link))
}

/// What the name server does over TCP, as the program has it: it answers (0), or closes when it has
/// read so many bytes. None: something else, which the program has not.
pub(super) fn over_tcp(step: &LabOp) -> Option<u32> {
    let LabOp::Serve { service, .. } = step else { return None };
    match &service.script[..] {
        [ServerStep::Answer, ..] => Some(0),
        [ServerStep::Take { bytes }, ServerStep::Close] => Some(*bytes),
        _ => None,
    }
}

/// Writes the statements that make the name server's network and leave it again.
pub(super) fn build(p: &mut Program<'_>) {
    let Some((number, link)) = link(p.case) else { return };
    p.need(Part::NameServer);
    p.need(Part::AddressAdd);
    let name = p.link(link);
    p.line(format_args!("/* The name server's network. */"));
    p.line(format_args!("quiet_network();"));
    p.line(format_args!("served_name_end = tun_open({name}, IFF_TUN);"));
    p.line(format_args!("link_set({name}, 1);"));
    for range in &p.case.lab.links[usize::from(number)].ranges {
        let (ip, len) = (address(number, Role::Neighbour, *range), prefix_len(*range));
        p.line(format_args!("address_add({name}, \"{ip}\", {len});"));
    }
    let mut services = p.case.lab.setup.iter().filter(|step| is_dns(p.case, step));
    match services.find_map(over_tcp) {
        Some(bytes) => p.line(format_args!("listen_for_queries({bytes});")),
        None => p.line(format_args!("listen_for_queries(-1);")),
    }
    p.line(format_args!("/* The host's. */"));
    p.line(format_args!("new_network();"));
}

/// Writes the statements that begin to answer, once the links are there.
pub(super) fn begin(p: &mut Program<'_>) {
    if link(p.case).is_some() {
        p.line(format_args!("answer_queries();"));
    }
    if p.case.resolves() {
        p.need(Part::Files);
        p.line(format_args!("see_files();"));
    }
}

/// The rows of the table of files.
pub(super) fn files(case: &Case) -> String {
    let row = |(name, text): &(&str, String)| {
        format!("    {{\"/etc/{name}\", {}}},", quoted(text.as_bytes()))
    };
    case.lab.files().iter().map(row).collect::<Vec<_>>().join("\n")
}

/// The rows of the table of answers: those to the questions that the case can ask.
pub(super) fn answers(case: &Case) -> String {
    let Some((_, server)) = case.lab.name_server() else { return String::new() };
    let names = asked(case, server);
    let mut rows = Vec::new();
    for name in names {
        for kind in [RecordType::A, RecordType::Aaaa, RecordType::Ptr] {
            let Some(answer) = server.answer(&name, kind.number()) else { continue };
            let query = dns::query(&name, kind);
            let message = |whole| match dns::answer(server, &query, whole) {
                Some(message) => format!("{}, {}", message.len(), octal(&message)),
                None => "0, NULL".to_owned(),
            };
            let other = i32::from(answer.flaw == Some(Flaw::OtherId));
            let question = &query[dns::HEADER..];
            // A name of a stranger's is no end of a comment.
            let said = within(&answer.to_string());
            rows.push(format!(
                "    {{{other}, {}, {}, {}, {}}}, /* {said} */",
                question.len(),
                octal(question),
                message(false),
                message(true)
            ));
        }
    }
    // The table must not be empty in C.
    rows.push("    {0, 0, NULL, 0, NULL, 0, NULL},".to_owned());
    rows.join("\n")
}

/// The names that the case may ask for, aliases aside, which the server resolves.
fn asked(case: &Case, server: &NameServer) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for op in &case.ops {
        match op {
            Op::Getaddrinfo { node: Some(node), .. } => {
                let node = node.trim_end_matches('.').to_lowercase();
                names.extend(server.search.iter().map(|domain| format!("{node}.{domain}")));
                names.push(node);
            }
            Op::Getnameinfo { addr, .. } => {
                names.extend(case.lab.ip(&addr.host).map(dns::reverse));
            }
            _ => {}
        }
    }
    names.sort();
    names.dedup();
    names
}

/// Each byte for itself: what follows an escape must not become part of it.
fn octal(bytes: &[u8]) -> String {
    let escapes: Vec<String> = bytes.iter().map(|b| format!("\\{b:03o}")).collect();
    let lines: Vec<String> =
        escapes.chunks(20).map(|line| format!("\"{}\"", line.concat())).collect();
    format!("\n        {}", lines.join("\n        "))
}
