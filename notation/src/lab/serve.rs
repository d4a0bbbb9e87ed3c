//! A server at the far end of a link, and its script.

use std::fmt::Write as _;

use harness::case::{ServerStep, Service, Speaks};

use super::words::{
    MARKS, alternatives, another, eat, ends, expected, must, number, one_of, payload,
    print_payload, word,
};
use crate::fault::Fault;
use crate::tree::Cursor;

/// How deep a connection may be opened by a connection.
const DEEPEST: u8 = 64;

const STEPS: [&str; 11] = [
    "expect", "take", "end", "send", "shutdown", "close", "reset", "vanish", "pause", "dial",
    "answer",
];

/// `80 with fast open: expect "\r\n\r\n", close`; nothing is said of the widest window.
pub(super) fn print(service: &Service) -> String {
    let mut out = service.port.to_string();
    if service.window != u16::MAX {
        let _ = write!(out, " with a window of {}", service.window);
    }
    if service.fast_open {
        out.push_str(" with fast open");
    }
    if service.anywhere {
        out.push_str(" at every address");
    }
    if let Some(speaks) = &service.speaks {
        let _ = write!(out, "{}: {speaks}", if service.udp { " by UDP" } else { "" });
        return out;
    }
    let script = print_script(&service.script);
    match (service.udp, script.is_empty()) {
        (false, true) => out.push(':'),
        (false, false) => {
            let _ = write!(out, ": {script}");
        }
        (true, true) => out.push_str(" by UDP: echo"),
        // No step of it is ever taken, and none is lost.
        (true, false) => {
            let _ = write!(out, " by UDP: echo, {script}");
        }
    }
    out
}

fn print_script(script: &[ServerStep]) -> String {
    script.iter().map(print_step).collect::<Vec<_>>().join(", ")
}

fn print_step(step: &ServerStep) -> String {
    match step {
        ServerStep::Expect { until } => format!("expect {}", print_payload(until)),
        ServerStep::Send { data } => format!("send {}", print_payload(data)),
        ServerStep::Dial { from, to, script } => {
            format!("dial {to} from {from} ({})", print_script(script))
        }
        plain => plain.to_string(),
    }
}

/// Reads what `print` prints, what is said behind the port in any order.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Service, Fault> {
    let mut service = Service::new(number(cursor, "a port")?, []);
    let mut seen = Vec::new();
    while !ends(cursor, &[':']) {
        match one_of(cursor, &["with", "at", "by", ":"])? {
            "with" => {
                eat(cursor, "a");
                if another(cursor, &["window", "fast"], &mut seen)? == "fast" {
                    must(cursor, "open")?;
                    service.fast_open = true;
                } else {
                    eat(cursor, "of");
                    service.window = number(cursor, "a window")?;
                }
            }
            "at" => {
                must(cursor, "every address")?;
                service.anywhere = true;
            }
            _ => {
                must(cursor, "UDP")?;
                service.udp = true;
            }
        }
    }
    let has_script = cursor.eat(":") && !ends(cursor, &[]);
    if !has_script {
        return Ok(service);
    }
    if let Some(protocol) = Speaks::PROTOCOLS.iter().find(|word| eat(cursor, word)) {
        service.speaks = Some(read_speaks(cursor, protocol)?);
        return Ok(service);
    }
    let known: &[&str] = if service.udp { &["echo"] } else { &STEPS };
    if !known.contains(&word(&mut cursor.clone(), MARKS).0) {
        return Err(unknown(cursor, service.port, known));
    }
    if service.udp {
        must(cursor, "echo")?;
        if !cursor.eat(",") {
            return Ok(service);
        }
    }
    service.script = read_script(cursor, 0)?;
    Ok(service)
}

/// What others call a protocol, and what is meant.
const MEANT: [(&str, &str); 12] = [
    ("https", TLS),
    ("ssl", TLS),
    ("wss", "ws is spoken without TLS"),
    ("websocket", "did you mean ws?"),
    ("h2", "http is HTTP/1.1"),
    ("h3", H3),
    ("http3", H3),
    (
        "dns",
        "names are answered for by name server LINK 53 at v4, options timeout:1: NAME A is ADDRESS",
    ),
    ("tcp", "whatever has steps, or none, is TCP"),
    ("ftp", ITS_OWN),
    ("proxy", ITS_OWN),
    ("ldap", "tls answers LDAP, too, where a client speaks it"),
];
const TLS: &str = "did you mean tls? It answers HTTP within";
const H3: &str = "write serve LINK 443 by UDP: quic h3";
const ITS_OWN: &str =
    "sockeye control has it, and a lab has not: it takes more than one connection";

/// That something else is expected behind the colon.
fn unknown(cursor: &mut Cursor<'_>, port: u16, known: &[&str]) -> Fault {
    let is_udp = |protocol: &str| {
        let protocol = protocol.to_owned();
        Speaks { protocol, script: None, names: Vec::new() }.is_of_datagrams()
    };
    let here = known.contains(&"echo");
    let spoken: Vec<&str> = Speaks::PROTOCOLS.into_iter().filter(|p| is_udp(p) == here).collect();
    let (read, _) = word(&mut cursor.clone(), MARKS);
    let what = if here {
        alternatives(&[&spoken[..], known].concat())
    } else {
        format!("{}, or a step ({}),", spoken.join(", "), known.join(", "))
    };
    let fault = expected(cursor, &what);
    let lower = read.to_ascii_lowercase();
    if lower == "by" {
        return fault.help(format!("by UDP stands before the colon: {port} by UDP: quic"));
    }
    if let Some((_, help)) = MEANT.iter().find(|(word, _)| *word == lower) {
        return fault.help(*help);
    }
    let all = || Speaks::PROTOCOLS.iter().chain(known).copied();
    match all().find(|word| word.eq_ignore_ascii_case(read)) {
        Some(near) => fault.help(format!("did you mean {near}?")),
        None => fault.nearest(read, all()),
    }
}

/// `tls self-signed for example.org and example.com`, behind its first word.
fn read_speaks(cursor: &mut Cursor<'_>, protocol: &str) -> Result<Speaks, Fault> {
    let (protocol, mut script, mut names) = (protocol.to_owned(), None, Vec::new());
    let mut is_for = eat(cursor, "for");
    if !is_for && !ends(cursor, &[]) {
        script = Some(named(cursor, "a script")?);
        is_for = eat(cursor, "for");
    }
    while is_for {
        names.push(named(cursor, "a name")?);
        is_for = eat(cursor, "and");
    }
    Ok(Speaks { protocol, script, names })
}

fn named(cursor: &mut Cursor<'_>, what: &str) -> Result<String, Fault> {
    let (read, _) = word(&mut cursor.clone(), MARKS);
    if read.is_empty() {
        return Err(expected(cursor, what));
    }
    Ok(word(cursor, MARKS).0.to_owned())
}

/// Reads one step at least, and as many as there are commas.
fn read_script(cursor: &mut Cursor<'_>, depth: u8) -> Result<Vec<ServerStep>, Fault> {
    let mut script = vec![read_step(cursor, depth)?];
    while cursor.eat(",") {
        script.push(read_step(cursor, depth)?);
    }
    Ok(script)
}

fn read_step(cursor: &mut Cursor<'_>, depth: u8) -> Result<ServerStep, Fault> {
    Ok(match one_of(cursor, &STEPS)? {
        "expect" => ServerStep::Expect { until: payload(cursor)? },
        "send" => ServerStep::Send { data: payload(cursor)? },
        "take" => ServerStep::Take { bytes: number(cursor, "a number of bytes")? },
        "end" => ServerStep::End,
        "shutdown" => ServerStep::Shutdown,
        "close" => ServerStep::Close,
        "reset" => ServerStep::Reset,
        "vanish" => ServerStep::Vanish,
        "pause" => ServerStep::Pause,
        "dial" => read_dial(cursor, depth)?,
        _ => {
            if eat(cursor, "a") {
                must(cursor, "query")?;
            }
            ServerStep::Answer
        }
    })
}

/// `dial 40000 from 20 (send "x", close)`
fn read_dial(cursor: &mut Cursor<'_>, depth: u8) -> Result<ServerStep, Fault> {
    let to = number(cursor, "a port of the host")?;
    must(cursor, "from")?;
    let from = number(cursor, "a port")?;
    let mut script = Vec::new();
    if cursor.eat("(") && !cursor.eat(")") {
        if depth >= DEEPEST {
            return Err(expected(cursor, "a connection that opens fewer connections"));
        }
        script = read_script(cursor, depth + 1)?;
        if !cursor.eat(")") {
            return Err(expected(cursor, "a comma, or ) at the end of what is done there,"));
        }
    }
    Ok(ServerStep::Dial { from, to, script })
}
