//! Links, and the steps of a lab: `tun link0 mtu 1400`, `link set link0 down`.
//!
//! The words are those of a transcript, which are those of ip(8) where it has some. What a transcript
//! leaves out (the bytes of a frame) is said here, so that everything reads back.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::ops::Range as Span;

use harness::case::addr::{Host, Range, Role, prefix_len};
use harness::case::far::Frame;
use harness::case::lab::RouteKind;
use harness::case::{Hex, LabOp, Link, LinkKind};

use crate::fault::Fault;
use crate::tree::Cursor;

mod far;
#[cfg(test)]
mod mistakes;
mod names;
mod serve;
#[cfg(test)]
mod tests;
mod words;

use words::{
    MARKS, another, eat, ends, expected, expected_up_to, host, link, must, number, one_of,
    print_host, print_ranges, print_text, ranges, text, word,
};

/// What an Ethernet carries, and what a link has of which nothing is said.
const MTU: u32 = 1500;

const KINDS: [(&str, RouteKind); 5] = [
    ("unicast", RouteKind::Unicast),
    ("unreachable", RouteKind::Unreachable),
    ("prohibit", RouteKind::Prohibit),
    ("blackhole", RouteKind::Blackhole),
    ("throw", RouteKind::Throw),
];

/// How the steps begin.
const STEPS: [&str; 12] = [
    "link",
    "address",
    "route",
    "ntable",
    "inject",
    "wait",
    "serve",
    "name",
    "/etc/hosts",
    "sysctl",
    "mount",
    "the",
];

/// Whether a step of a lab begins with this word.
pub(crate) fn is_step(word: &str) -> bool {
    STEPS.contains(&word.trim_end_matches(':'))
}

/// The link that this line describes.
pub fn parse_link(line: &str) -> Result<Link, Fault> {
    whole(line, read_link)
}

/// The step of a lab that this line says, without the `--` of a transcript.
pub fn parse_step(line: &str) -> Result<LabOp, Fault> {
    whole(line, read_step)
}

fn whole<T>(
    line: &str,
    read: impl FnOnce(&mut Cursor<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut cursor = Cursor::new(line, 0);
    let read = read(&mut cursor)?;
    cursor.done().map(|()| read)
}

/// `tun link0 mtu 1400`; nothing is said of an MTU of 1500, nor of addresses of every range.
pub fn print_link(link: &Link) -> String {
    let mut out = format!("{} {}", link.kind, link.name);
    if link.mtu != MTU {
        let _ = write!(out, " mtu {}", link.mtu);
    }
    if link.ranges != [Range::Ll, Range::V6, Range::V4] {
        let _ = write!(out, " addresses {}", print_ranges(&link.ranges));
    }
    out
}

/// Reads what `print_link` prints, and forms that mean the same. The cursor stands before the kind.
pub(crate) fn read_link(cursor: &mut Cursor<'_>) -> Result<Link, Fault> {
    let kind = match one_of(cursor, &["tun", "tap"])? {
        "tun" => LinkKind::Tun,
        _ => LinkKind::Tap,
    };
    let name = link(cursor)?;
    let mut link = Link::new(kind, &name);
    let mut seen = Vec::new();
    while !ends(cursor, &[]) {
        if another(cursor, &["mtu", "addresses"], &mut seen)? == "mtu" {
            link.mtu = number(cursor, "an MTU")?;
        } else {
            link.ranges = ranges(cursor, &["mtu", "addresses"])?;
        }
    }
    Ok(link)
}

/// A step as one line, without `--`.
pub fn print_step(step: &LabOp) -> String {
    match step {
        LabOp::AddressAdd { link, range } => address_step("add", link, *range),
        LabOp::AddressDelete { link, range } => address_step("delete", link, *range),
        LabOp::RouteAdd { prefix, prefix_len, kind, link, via } => {
            let kind =
                KINDS.iter().find(|(_, known)| known == kind && *known != RouteKind::Unicast);
            let kind = kind.map(|(word, _)| format!("{word} ")).unwrap_or_default();
            let via = via.as_ref().map(|via| format!(" via {}", print_host(via)));
            let link = link.as_ref().map(|link| format!(" dev {link}"));
            let (via, link) = (via.unwrap_or_default(), link.unwrap_or_default());
            format!("route add {kind}{prefix}/{prefix_len}{via}{link}")
        }
        LabOp::Inject { link, frame } => format!("inject {link} 0x{frame}"),
        LabOp::Wait { ms, until, why } => {
            let mut out = match until {
                None => format!("wait {ms} ms"),
                Some(link) => format!("wait for a frame on {link}, {ms} ms at the most"),
            };
            if !why.is_empty() {
                out.push_str(": ");
                out.push_str(&print_text(why, &[]));
            }
            out
        }
        LabOp::Serve { link, service } => format!("serve {link} {}", serve::print(service)),
        LabOp::NameServer { link, server } => {
            format!("name server {link} {}", names::print(server))
        }
        LabOp::Hosts { lines } => {
            format!("/etc/hosts: {}", names::print_hosts(lines)).trim_end().to_owned()
        }
        LabOp::LinkUp { .. }
        | LabOp::LinkDown { .. }
        | LabOp::LinkDelete { .. }
        | LabOp::Mtu { .. }
        | LabOp::RetransTime { .. }
        | LabOp::Sysctl { .. }
        | LabOp::Say { .. }
        | LabOp::ReadOnly {}
        | LabOp::Resume { .. } => step.to_string(),
    }
}

/// Whether a step that begins with this word tells what the far end of a link of that name sends. Where it is
/// the word of a step, too, a frame has to stand there: of `serve sends 80` the link is `sends`.
fn says(first: &str, after: &mut Cursor<'_>) -> bool {
    let sends = eat(after, "sends");
    let (frame, _) = word(after, MARKS);
    sends && (!STEPS.contains(&first) || far::FRAMES.contains(&frame))
}

/// What the far end of a link sends, as it stands beneath a call: `< link0 ICMP port unreachable, quoting it`.
pub(crate) fn print_said(link: &str, frame: &Frame) -> String {
    format!("< {link} {frame}")
}

/// Reads what `print_said` prints.
pub(crate) fn read_said(cursor: &mut Cursor<'_>) -> Result<LabOp, Fault> {
    cursor.eat("<");
    Ok(LabOp::Say { link: link(cursor)?, frame: far::read(cursor)? })
}

fn address_step(what: &str, link: &str, range: Range) -> String {
    let own = Host::On { link: link.to_owned(), role: Role::Own, range };
    format!("address {what} {} dev {link}", print_host(&own))
}

/// Reads what `print_step` prints, up to the end of the text.
pub(crate) fn read_step(cursor: &mut Cursor<'_>) -> Result<LabOp, Fault> {
    let mut after = cursor.clone();
    let (first, at) = word(&mut after, MARKS);
    if says(first, &mut after.clone()) {
        let link = link(cursor)?;
        must(cursor, "sends")?;
        return Ok(LabOp::Say { link, frame: far::read(cursor)? });
    }
    if !STEPS.contains(&first) {
        let fault = match first {
            "" => expected(cursor, "a step of the lab"),
            _ => Fault::new(at, "this is no step of a lab"),
        };
        return Err(fault.nearest(first, STEPS));
    }
    *cursor = after;
    let step = match first {
        "link" => read_link_step(cursor)?,
        "address" => read_address(cursor)?,
        "route" => read_route(cursor)?,
        "ntable" => {
            must(cursor, "change dev")?;
            let link = link(cursor)?;
            must(cursor, "retrans")?;
            LabOp::RetransTime { link, ms: number(cursor, "a time in milliseconds")? }
        }
        "sysctl" => read_sysctl(cursor)?,
        "inject" => LabOp::Inject { link: link(cursor)?, frame: read_frame(cursor)? },
        "wait" => read_wait(cursor)?,
        "serve" => LabOp::Serve { link: link(cursor)?, service: serve::read(cursor)? },
        "name" => {
            must(cursor, "server")?;
            LabOp::NameServer { link: link(cursor)?, server: names::read(cursor)? }
        }
        "/etc/hosts" => {
            // At once: an address may begin with a colon, too.
            if !cursor.rest().starts_with(':') {
                let what = "a colon and the lines of the file";
                return Err(expected_up_to(cursor, &[], what));
            }
            cursor.eat(":");
            LabOp::Hosts { lines: names::read_hosts(cursor)? }
        }
        "mount" => {
            cursor.blanks();
            if !cursor.eat("-o remount,ro .") {
                return Err(expected(cursor, "-o remount,ro ."));
            }
            LabOp::ReadOnly {}
        }
        _ => {
            must(cursor, "server at")?;
            let (link, port) = (link(cursor)?, number(cursor, "a port")?);
            must(cursor, "goes on")?;
            LabOp::Resume { link, port }
        }
    };
    cursor.done().map(|()| step)
}

/// `set tap0 down`, `delete tap0`
fn read_link_step(cursor: &mut Cursor<'_>) -> Result<LabOp, Fault> {
    let what = one_of(cursor, &["set", "delete"])?;
    let link = link(cursor)?;
    if what == "delete" {
        return Ok(LabOp::LinkDelete { link });
    }
    Ok(match one_of(cursor, &["up", "down", "mtu"])? {
        "up" => LabOp::LinkUp { link },
        "down" => LabOp::LinkDown { link },
        _ => LabOp::Mtu { link, mtu: number(cursor, "an MTU")? },
    })
}

/// `add own(tap0,ll) dev tap0`; whose it is need not be said twice.
fn read_address(cursor: &mut Cursor<'_>) -> Result<LabOp, Fault> {
    let what = one_of(cursor, &["add", "delete"])?;
    cursor.blanks();
    let from = cursor.here();
    let Host::On { link: of, role: Role::Own, range } = host(cursor)? else {
        let says = "a link has its own addresses alone, such as own(tap0,ll)";
        return Err(Fault::new(from..cursor.here(), says));
    };
    if cursor.eat("/") {
        let from = cursor.here();
        let most = prefix_len(range);
        if number::<u8>(cursor, "a length")? != most {
            let says = format!("the prefix of such an address has {most} bits");
            return Err(Fault::new(from..cursor.here(), says));
        }
    }
    if eat(cursor, "dev") {
        cursor.blanks();
        let from = cursor.here();
        if link(cursor)? != of {
            let says = format!("this address is one of {of}");
            return Err(Fault::new(from..cursor.here(), says));
        }
    }
    Ok(match what {
        "add" => LabOp::AddressAdd { link: of, range },
        _ => LabOp::AddressDelete { link: of, range },
    })
}

/// `add unreachable 2001:db8:9::/64`, `add 198.51.100.0/24 via neighbour(link0,v4) dev link0`
fn read_route(cursor: &mut Cursor<'_>) -> Result<LabOp, Fault> {
    must(cursor, "add")?;
    let mut kind = RouteKind::Unicast;
    let mut after = cursor.clone();
    let (first, _) = word(&mut after, MARKS);
    if let Some((_, known)) = KINDS.iter().find(|(word, _)| *word == first) {
        kind = *known;
        *cursor = after;
    }
    let (prefix, prefix_len) = read_prefix(cursor, kind)?;
    let (mut via, mut dev, mut seen) = (None, None, Vec::new());
    while !ends(cursor, &[]) {
        if another(cursor, &["via", "dev"], &mut seen)? == "via" {
            via = Some(host(cursor)?);
        } else {
            dev = Some(link(cursor)?);
        }
    }
    Ok(LabOp::RouteAdd { prefix, prefix_len, kind, link: dev, via })
}

/// An address and how many of its bits count: all, if nothing is said.
fn read_prefix(cursor: &mut Cursor<'_>, kind: RouteKind) -> Result<(IpAddr, u8), Fault> {
    let (read, at) = cursor.token();
    let (ip, len) = read.split_once('/').map_or((read, None), |(ip, len)| (ip, Some(len)));
    let Ok(prefix) = ip.parse::<IpAddr>() else {
        let fault =
            Fault::new(one_at_least(at), "a prefix such as 198.51.100.0/24 is expected here");
        if ip == "default" {
            return Err(fault.help("the default route is 0.0.0.0/0 or ::/0"));
        }
        // What is no address may be meant as what becomes of the packets.
        return Err(match kind {
            RouteKind::Unicast => fault.nearest(read, KINDS.map(|(word, _)| word)),
            _ => fault,
        });
    };
    let most = if prefix.is_ipv4() { 32 } else { 128 };
    let Some(len) = len else { return Ok((prefix, most)) };
    let is_number = !len.is_empty() && len.bytes().all(|b| b.is_ascii_digit());
    match len.parse() {
        Ok(len) if is_number && len <= most => Ok((prefix, len)),
        _ => {
            let says = format!("such a prefix has 0 to {most} bits");
            // The slash, if nothing stands behind it.
            Err(Fault::new(at.end - len.len().max(1)..at.end, says))
        }
    }
}

/// `0x4500…`, with blanks between bytes as one likes.
fn read_frame(cursor: &mut Cursor<'_>) -> Result<Hex, Fault> {
    let mut frame = Hex::default();
    let mut is_first = true;
    while std::mem::take(&mut is_first) || !ends(cursor, &[]) {
        let is_begun = !frame.0.is_empty();
        let (read, at) = cursor.token();
        let digits = match read.strip_prefix("0x") {
            Some(digits) => digits,
            None if is_begun => read,
            None => {
                let fault = Fault::new(
                    one_at_least(at),
                    "the frame's bytes are expected here, as in 0x4500",
                );
                let help = "a transcript has how many there are, show --as case which";
                return Err(if read.parse::<u32>().is_ok() { fault.help(help) } else { fault });
            }
        };
        frame.0.extend(hex(digits, at)?.0);
    }
    Ok(frame)
}

fn one_at_least(at: Span<usize>) -> Span<usize> {
    at.start..at.end.max(at.start + 1)
}

/// The bytes of hexadecimal digits, which end where `at` does.
fn hex(digits: &str, at: Span<usize>) -> Result<Hex, Fault> {
    let from = at.end - digits.len();
    if let Some((bad, c)) = digits.char_indices().find(|(_, c)| !c.is_ascii_hexdigit()) {
        let says = format!("{c:?} is no hexadecimal digit");
        return Err(Fault::new(from + bad..from + bad + c.len_utf8(), says));
    }
    digits.parse().map_err(|()| {
        Fault::new(at, "a byte has two hexadecimal digits, and here is an odd number of them")
    })
}

/// `net.ipv4.ip_default_ttl=7`, with blanks around the sign or without, and with sysctl(8)'s `-w` or without.
fn read_sysctl(cursor: &mut Cursor<'_>) -> Result<LabOp, Fault> {
    eat(cursor, "-w");
    let before = cursor.clone();
    let (name, _) = word(cursor, &['=', '"', ',', ';', ':']);
    if name.is_empty() {
        return Err(expected(&before, "a setting such as net.ipv4.ip_default_ttl"));
    }
    cursor.blanks();
    if !cursor.eat("=") {
        return Err(expected(cursor, "an equals sign and a value"));
    }
    let value = text(cursor, |_| None)?;
    let words: Vec<_> = value.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
    Ok(LabOp::Sysctl { name: name.to_owned(), value: words.join(" ") })
}

/// `100 ms: why it waits`, `for a frame on link0, 100 ms at the most: why`
fn read_wait(cursor: &mut Cursor<'_>) -> Result<LabOp, Fault> {
    let mut until = None;
    if eat(cursor, "for") {
        must(cursor, "a frame on")?;
        until = Some(link(cursor)?);
        if !cursor.eat(",") {
            return Err(expected(cursor, "a comma and how long at the most"));
        }
    }
    let ms = number(cursor, "a time in milliseconds")?;
    must(cursor, "ms")?;
    if until.is_some() && eat(cursor, "at") {
        must(cursor, "the most")?;
    }
    let mut why = String::new();
    if cursor.eat(":") {
        why = text(cursor, |_| None)?;
    } else if !ends(cursor, &[]) {
        return Err(expected(cursor, "a colon and what is waited for"));
    }
    Ok(LabOp::Wait { ms, until, why })
}
