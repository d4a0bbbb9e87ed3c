//! What words and lines a stranger may give: of a case, a trace, a run.

use super::addr::Host;
use super::check::MOST_BYTES;
use super::op::{Control, Value};
use super::{Case, LabOp, Op, Payload, ServerStep, sysctl};
use crate::text::is_obeyed;

/// The most characters of an id: its table is a file's name, too.
pub const MOST_OF_ID: usize = 200;
/// The most characters of a sentence.
pub const MOST_OF_SENTENCE: usize = 1000;
/// The most bytes of a text that a call is given, `NI_MAXHOST` several times over.
const MOST_OF_TEXT: usize = 4096;
/// The most links of a lab, and of what a call takes several of.
const MOST_OF_LINKS: usize = 12;
const MOST_OF_MANY: usize = 1024;
/// The most names of constants in one step: eight for each of what it takes several of.
const MOST_OF_NAMES: usize = 8 * MOST_OF_MANY;
/// The most bytes of a command line, and as many words as have an end each.
const MOST_OF_COMMAND: usize = 1 << 17;
/// The most steps of a case, of a lab's setup, of a server's script. The suites' longest case has 30.
const MOST_OF_STEPS: usize = 4096;
/// The most bytes of a frame, which is what loopback carries twice over.
const MOST_OF_FRAME: usize = 1 << 17;

/// Whether it is one line of so many characters at the most, and all of it is seen.
pub fn is_line(text: &str, most: usize) -> bool {
    // As nearly all are; each case that an executor is given has one.
    if text.is_ascii() {
        return text.len() <= most && !text.bytes().any(|byte| byte.is_ascii_control());
    }
    text.chars().count() <= most && !text.contains(is_obeyed)
}

/// Whether it is a word of letters, digits and what stands between them in names: `linux-6.18+cfil`.
pub fn is_word(text: &str, most: usize) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"_.+-".contains(&c);
    (1..=most).contains(&text.len()) && text.bytes().all(plain)
}

/// Whether it is an id: `suite/table[parameter,…]`, whose table can be a file below a folder.
pub fn is_id(id: &str) -> bool {
    let (table, parameters) = id.split_once('[').map_or((id, None), |(t, p)| (t, Some(p)));
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric()) && is_word(part, MOST_OF_ID)
    };
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"_.+-%,:=@~/#[]".contains(&c);
    id.len() <= MOST_OF_ID
        && table.split('/').all(part)
        && parameters.is_none_or(|p| p.ends_with(']') && p.bytes().all(plain))
}

/// What is shown of a text that is not let in: its beginning.
pub fn shown(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{:?} and so on, {} bytes", &text[..at], text.len()),
        None => format!("{text:?}"),
    }
}

/// What is wrong with the words of a case beside the names of its steps.
pub(super) fn check(case: &Case) -> Result<(), String> {
    if !is_id(&case.id) {
        return Err(format!("{} is no id, such as suite/table[parameter]", shown(&case.id)));
    }
    // The title of a program's has its command line.
    let most = if case.runs_a_program() { MOST_OF_COMMAND } else { MOST_OF_SENTENCE };
    if !is_line(&case.title, most) {
        return Err(format!("its title is no line of text: {}", shown(&case.title)));
    }
    if let Some(row) = case.catalogue.iter().find(|row| !is_word(row, 40)) {
        return Err(format!("{} is no row of the catalogue", shown(row)));
    }
    steps("the case", case.ops.len())?;
    steps("the lab's setup", case.lab.setup.len())?;
    at_once("the catalogue", case.catalogue.len())?;
    case.threads.0.values().try_for_each(|own| steps("a thread", own.len()))?;
    let links = &case.lab.links;
    if links.len() > MOST_OF_LINKS {
        return Err(format!("the lab has {} links, {MOST_OF_LINKS} are the most", links.len()));
    }
    for (number, link) in links.iter().enumerate() {
        at_once("the ranges of a link", link.ranges.len())?;
        if link.name == "lo" || links[..number].iter().any(|other| other.name == link.name) {
            return Err(format!("the lab has two links called {:?}", link.name));
        }
    }
    Ok(())
}

/// What is wrong with the texts of a lab's step.
pub(super) fn check_step(case: &Case, step: &LabOp) -> Result<(), String> {
    let line = |what: &str, text: &str, most: usize| {
        if is_line(&text.replace('\t', " "), most) {
            Ok(())
        } else {
            Err(format!("{what} is no line of text: {}", shown(text)))
        }
    };
    match step {
        LabOp::Wait { why, .. } => line("what is waited for", why, MOST_OF_SENTENCE),
        LabOp::Inject { frame, .. } if frame.0.len() > MOST_OF_FRAME => {
            Err(format!("a frame of {} bytes, {MOST_OF_FRAME} are the most", frame.0.len()))
        }
        LabOp::Sysctl { name, value } => sysctl::check(name, value),
        LabOp::Hosts { lines } => {
            at_once("/etc/hosts", lines.len())?;
            lines.iter().try_for_each(|text| line("a line of /etc/hosts", text, MOST_OF_TEXT))
        }
        LabOp::NameServer { server, .. } => {
            let answers = server.answers.iter();
            let of_answers = answers.map(|answer| 1 + answer.types.len() + answer.records.len());
            at_once("the name server", server.at.len() + of_answers.sum::<usize>())?;
            line("the options of resolv.conf", &server.options, MOST_OF_TEXT)?;
            match server.search.iter().find(|d| !is_domain(d) || d.contains(' ')) {
                Some(domain) => Err(format!("{} is no domain", shown(domain))),
                None => Ok(()),
            }
        }
        LabOp::RouteAdd { prefix, prefix_len, via, .. } => {
            let most = if prefix.is_ipv4() { 32 } else { 128 };
            if *prefix_len > most {
                return Err(format!("{prefix}/{prefix_len} is no prefix"));
            }
            match via {
                Some(Host::On { link, .. }) if case.lab.number(link).is_none() => {
                    Err(format!("the lab has no link {link:?}"))
                }
                Some(Host::Unix(_) | Host::Packet(_) | Host::Vsock(_) | Host::Netlink(_)) => {
                    Err("a router has an address".to_owned())
                }
                _ => Ok(()),
            }
        }
        LabOp::Serve { service, .. } => {
            let all = || service.script.iter().flat_map(ServerStep::all);
            steps("serve", all().count())?;
            let sent = all().filter_map(|step| match step {
                ServerStep::Expect { until: data } | ServerStep::Send { data } => Some(data),
                _ => None,
            });
            sizes("serve", sent.map(size))
        }
        _ => Ok(()),
    }
}

/// A name of the DNS, which may have a space in it (RFC 2181 §11), as one line.
pub(super) fn is_domain(name: &str) -> bool {
    super::check::is_name(name) && is_line(name, 253)
}

fn size(payload: &Payload) -> u64 {
    payload.len() as u64
}

fn steps(of: &str, many: usize) -> Result<(), String> {
    if many > MOST_OF_STEPS {
        return Err(format!("{of} has {many} steps, {MOST_OF_STEPS} are the most"));
    }
    Ok(())
}

fn at_once(call: &str, many: usize) -> Result<(), String> {
    if many > MOST_OF_MANY {
        return Err(format!("{call}: {many} at once, {MOST_OF_MANY} are the most"));
    }
    Ok(())
}

fn sizes(call: &str, mut all: impl Iterator<Item = u64>) -> Result<(), String> {
    match all.find(|bytes| *bytes > MOST_BYTES) {
        Some(bytes) => Err(format!("{call}: {bytes} bytes, {MOST_BYTES} are the most")),
        None => Ok(()),
    }
}

/// What is wrong with the texts and numbers of a call.
pub(super) fn check_op(op: &Op) -> Result<(), String> {
    let (mut texts, mut many): (Vec<&str>, usize) = (Vec::new(), 0);
    match op {
        Op::Getaddrinfo { node, service, .. } => {
            texts.extend(node.iter().chain(service).map(String::as_str));
        }
        Op::InetPton { text, .. } | Op::InetAton { text } => texts.push(text),
        Op::Run { argv, .. } => {
            if argv.first().is_none_or(String::is_empty) {
                return Err("run: no program is named".to_owned());
            }
            // What of it a command line may have is the system's own affair.
            if argv.len() > MOST_OF_COMMAND / 2 {
                let (many, most) = (argv.len(), MOST_OF_COMMAND / 2);
                return Err(format!("run: {many} words, {most} are the most"));
            }
            if argv.iter().any(|word| word.contains('\0')) {
                return Err("run: a word has a NUL in it".to_owned());
            }
        }
        Op::RecvmsgX { count, .. } | Op::Recvmmsg { count, .. } => many = *count as usize,
        Op::EpollWait { max, .. } | Op::EpollPwait { max, .. } => many = *max as usize,
        Op::SendmsgX { data, .. } | Op::Writev { data, .. } => many = data.len(),
        Op::Raw { args, .. } => many = super::raw::many(args),
        Op::Readv { lens, .. } | Op::Recvmsg { lens, .. } => many = lens.len(),
        Op::Poll { fds, .. } | Op::Ppoll { fds, .. } => many = fds.len(),
        Op::Select { read, write, except, .. } | Op::Pselect { read, write, except, .. } => {
            many = read.len() + write.len() + except.len();
        }
        Op::IfNametoindex { name } => texts.push(name),
        Op::Kevent { changes, .. } if changes.is_empty() => {
            return Err("kevent: it waits for nothing".to_owned());
        }
        Op::Kevent { changes, .. } => many = changes.len(),
        Op::Sendmsg { .. } | Op::Sendmmsg { .. } => {
            let control = op.controls();
            let fds = control.iter().map(|one| match one {
                Control::Rights { fds } => fds.len(),
                _ => 0,
            });
            let messages = if let Op::Sendmmsg { data, .. } = op { data.len() } else { 0 };
            many = messages + control.len() + fds.sum::<usize>();
        }
        Op::Setsockopt { value: Value::Filter { sources, .. }, .. } => many = sources.len(),
        Op::Setsockopt { value: Value::Bytes(bytes), .. } => {
            sizes("setsockopt", std::iter::once(bytes.0.len() as u64))?;
        }
        _ => {}
    }
    if let Op::Ppoll { mask: Some(mask), .. }
    | Op::Pselect { mask: Some(mask), .. }
    | Op::EpollPwait { mask: Some(mask), .. } = op
    {
        many += mask.len();
    }
    let call = op.call();
    if let Some(text) = texts.iter().find(|t| t.len() > MOST_OF_TEXT || t.contains('\0')) {
        return Err(format!("{call}: {} is too long, or has a NUL in it", shown(text)));
    }
    at_once(call, many)
}

/// That a call names no more constants than all that it takes can have.
pub(super) fn check_names(op: &Op, names: &[&str]) -> Result<(), String> {
    let (call, names) = (op.call(), names.len());
    if names > MOST_OF_NAMES {
        return Err(format!("{call}: {names} names, {MOST_OF_NAMES} are the most"));
    }
    Ok(())
}

#[cfg(test)]
mod lists;

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("link-state/netdown", true)]
    #[case("observe", true)]
    #[case("names/numeric[aton,0x7f.1,::ffff:1.2%9]", true)]
    #[case("", false)]
    #[case("../../etc/x", false)]
    #[case("/etc/x", false)]
    #[case("a/..", false)]
    #[case("a//b", false)]
    #[case("a/b[c", false)]
    #[case("a/b[c]\n", false)]
    #[case("a/b[*/]", false)]
    #[case("a/b[<script>]", false)]
    #[case("a b", false)]
    fn an_id_is_a_path_below_a_folder(#[case] id: &str, #[case] is: bool) {
        assert_eq!(is_id(id), is);
        assert!(!is_id(&format!("a/{}", "b".repeat(MOST_OF_ID))));
    }

    /// Each was taken, of any length: what is made of it takes memory many times over.
    #[test]
    fn no_list_and_no_bytes_are_without_end() {
        let case = |lab: &str, ops: &str| {
            let json = format!(r#"{{"id":"a/b","title":"","lab":{lab},"ops":[{ops}]}}"#);
            serde_json::from_str::<Case>(&json).unwrap().check()
        };
        let socket =
            r#"{"socket":{"fd":"s","domain":"AF_INET","type":["SOCK_DGRAM"],"protocol":[]}}"#;
        let of = |what: &str, many: usize| vec![what; many].join(",");
        let set = |name: &str, value: &str| {
            let option = format!(r#"{{"raw":{{"level":"SOL_SOCKET","name":"{name}"}}}}"#);
            format!(r#"{socket},{{"setsockopt":{{"fd":"s","option":{option},"value":{value}}}}}"#)
        };
        let control = r#"{"int":{"level":"IPPROTO_IP","name":"IP_TTL","value":1}}"#;
        let sendmsg = |many| {
            let given = of(control, many);
            format!(
                r#"{socket},{{"sendmsg":{{"fd":"s","data":{{"text":""}},"flags":[],"addr":null,"control":[{given}]}}}}"#
            )
        };
        let filter = |many| {
            let sources = of(r#""192.0.2.9""#, many);
            let value = format!(
                r#"{{"filter":{{"group":"232.0.0.1","link":null,"mode":"MCAST_INCLUDE","sources":[{sources}]}}}}"#
            );
            set("MCAST_MSFILTER", &value)
        };
        let bytes = |many| {
            set("SO_BINDTODEVICE", &format!(r#"{{"bytes":"{}"}}"#, of("00", many).replace(',', "")))
        };
        let link = r#""links":[{"name":"l","kind":"tun","mtu":1500,"ranges":["v4"]}]"#;
        let setup =
            |many| format!(r#"{{{link},"setup":[{}]}}"#, of(r#"{"link_down":{"link":"l"}}"#, many));
        let inject = |many| {
            let frame = of("00", many).replace(',', "");
            format!(r#"{{{link},"setup":[{{"inject":{{"link":"l","frame":"{frame}"}}}}]}}"#)
        };
        let script = |many| {
            let steps = of(r#"{"send":{"data":{"text":"x"}}}"#, many);
            format!(
                r#"{{{link},"setup":[{{"serve":{{"link":"l","service":{{"port":80,"script":[{steps}]}}}}}}]}}"#
            )
        };
        let none = "{}";
        for (few, many) in [
            (case(none, &of(socket, 1)), case(none, &of(socket, 5000))),
            (case(none, &sendmsg(1)), case(none, &sendmsg(2000))),
            (case(none, &filter(1)), case(none, &filter(2000))),
            (case(none, &bytes(8)), case(none, &bytes(2 << 20))),
            (case(&setup(1), ""), case(&setup(5000), "")),
            (case(&inject(20), ""), case(&inject(1 << 18), "")),
            (case(&script(1), ""), case(&script(5000), "")),
        ] {
            assert_eq!(few, Ok(()));
            let why = many.unwrap_err();
            assert!(why.contains("are the most"), "{why}");
        }
    }

    #[test]
    fn a_line_is_seen_as_it_is() {
        assert!(is_line("Größe ≠ 1 🐟 */ ??/", 20));
        for hidden in ["\u{1b}[2J", "a\nb", "a\rb", "\u{9b}0m", "\u{202e}x", "\u{2028}", "\u{feff}"]
        {
            assert!(!is_line(hidden, 20), "{hidden:?}");
        }
        assert!(!is_line("abc", 2));
    }
}
