//! What far ends send by words: the program makes the bytes when the step is taken, as a lab does
//! (`harness/src/exec/far.rs`), since what they quote and answer is what the host has sent by then.

use std::fmt::Write as _;
use std::net::IpAddr;

use harness::case::addr::Host;
use harness::case::far::{Base, Datagram, Ends, Error, Frame, Laid, Lie, Segment};
use harness::case::payload::quoted;
use harness::case::{Case, LinkKind, Os};
use harness::wire::TcpFlags;

use super::arguments::{payload_as, port};
use super::parts::Part;
use super::program::{Missing, Program};
use super::{names_linux, server};

/// The numbers of the links whose far end quotes or answers what the host has sent.
pub(super) fn hears(case: &Case) -> impl Iterator<Item = u8> {
    let said = case.said().filter(|(_, frame)| !matches!(frame, Frame::Datagram(_)));
    said.filter_map(|(link, _)| case.lab.number(link))
}

/// Of each link whether its frames have a header of Ethernet.
pub(super) fn taps(case: &Case) -> String {
    let taps = case.lab.links.iter().map(|link| u8::from(link.kind == LinkKind::Tap).to_string());
    taps.collect::<Vec<_>>().join(", ")
}

/// Writes the statement that sends a frame. `tag` makes its variables its own, and is the step's number.
pub(super) fn say(
    p: &mut Program<'_>,
    tag: &str,
    link: &str,
    frame: &Frame,
) -> Result<(), Missing> {
    let no = |why: String| Err(Missing::Step(why));
    let Some((number, kind)) = p.number(link) else {
        return no(format!("the lab has no {link}"));
    };
    if server::is_served(p.case, link)
        || names_linux::link(p.case).is_some_and(|(of, _)| of == number)
    {
        return no(format!("beside the server on {link} this program's far end sends no frames"));
    }
    if p.os == Os::Macos {
        if frame.between().is_some() && kind == LinkKind::Tap {
            return no(format!("this program knows no hardware address of {link}'s to send to"));
        }
        if !p.parts.has(Part::MacWire) && !matches!(frame, Frame::Datagram(_)) {
            return no("what far ends quote and answer is not looked at".to_owned());
        }
    } else {
        p.need(Part::Inject);
    }
    match frame {
        Frame::Error(error) => say_error(p, tag, number, error),
        Frame::Datagram(datagram) => say_datagram(p, tag, number, datagram),
        Frame::Segment(segment) => say_segment(p, tag, number, segment),
    }
}

fn ip(p: &Program<'_>, host: &Host) -> Result<IpAddr, Missing> {
    p.case.lab.ip(host).ok_or_else(|| Missing::Step(format!("the lab has no {host:?}")))
}

fn say_error(p: &mut Program<'_>, tag: &str, link: u8, error: &Error) -> Result<(), Missing> {
    p.need(Part::FarError);
    let of = [false, true].map(|v6| {
        let number = error.kind.number(v6).filter(|_| v6 || !error.v6);
        match (number, error.second_word(v6)) {
            (Some((kind, code)), Ok(rest)) => format!("{{{kind}, {code}, {rest}}}"),
            _ => "{-1, 0, 0}".to_owned(),
        }
    });
    let mut lies = Vec::new();
    let mut cut = None;
    for lie in &error.lies {
        lies.push(match lie {
            Lie::SourcePort => "WRONG_SOURCE_PORT",
            Lie::DestinationPort => "WRONG_DESTINATION_PORT",
            Lie::Source => "WRONG_SOURCE",
            Lie::Destination => "WRONG_DESTINATION",
            Lie::SequenceNumber => "WRONG_SEQUENCE_NUMBER",
            Lie::Checksum => "WRONG_CHECKSUM",
            Lie::Cut(bytes) => {
                cut = Some(*bytes);
                continue;
            }
        });
    }
    let mut fields = vec![format!(".of = {{{}}}", of.join(", "))];
    if let Some(from) = &error.from {
        fields.push(format!(".from = \"{}\"", ip(p, from)?));
    }
    if !lies.is_empty() {
        fields.push(format!(".lies = {}", lies.join(" | ")));
    }
    fields.extend(cut.map(|bytes| format!(".is_cut = 1, .cut = {bytes}")));
    p.line(format_args!("send_error({tag}, {link}, &(struct icmp_error){{"));
    for field in fields {
        p.line(format_args!("    {field},"));
    }
    p.line(format_args!("}});"));
    Ok(())
}

/// From where to where, as an expression.
fn between(p: &mut Program<'_>, ends: &Ends) -> Result<String, Missing> {
    p.include(&["netinet/in.h"]);
    let (from, to) = (ip(p, &ends.from.host)?, ip(p, &ends.to.host)?);
    let (from_port, to_port) = (port(p, &ends.from.port), port(p, &ends.to.port));
    Ok(format!("&(struct between){{\"{from}\", {from_port}, \"{to}\", {to_port}}}"))
}

fn say_datagram(
    p: &mut Program<'_>,
    tag: &str,
    link: u8,
    datagram: &Datagram,
) -> Result<(), Missing> {
    p.need(Part::FarDatagram);
    let Datagram { ends, data, ttl, tos, dont_fragment, checksum_wrong } = datagram;
    let between = between(p, ends)?;
    let (data, len) = payload_as(p, &format!("data{tag}"), data);
    let (ttl, tos) = (ttl.unwrap_or(64), tos.unwrap_or(0));
    let mut fields = format!(".ttl = {ttl}, .tos = {tos}, .data = {data}, .len = {len}");
    for (field, is_set) in [("may_be_cut", !dont_fragment), ("checksum_wrong", *checksum_wrong)] {
        if is_set {
            let _ = write!(fields, ", .{field} = 1");
        }
    }
    p.line(format_args!("send_datagram({tag}, {link}, {between},"));
    p.line(format_args!("              &(struct datagram){{{fields}}});"));
    Ok(())
}

fn say_segment(p: &mut Program<'_>, tag: &str, link: u8, segment: &Segment) -> Result<(), Missing> {
    p.need(Part::FarSegment);
    let Segment { ends, flags, seq, ack, window, tos, data, checksum_wrong, .. } = segment;
    let Ok(TcpFlags(bits)) = flags.parse::<TcpFlags>() else {
        return Err(Missing::Step(format!("{flags:?} are no control bits")));
    };
    let between = match ends {
        Some(ends) => between(p, ends)?,
        None => "NULL".to_owned(),
    };
    let (data, len) = payload_as(p, &format!("data{tag}"), data);
    let mut fields = format!(".flags = {bits}, .window = {window}");
    let tos = tos.map_or(0, i32::from);
    for (field, value) in
        [("seq", *seq), ("ack", *ack), ("tos", tos), ("checksum_wrong", i32::from(*checksum_wrong))]
    {
        if value != 0 {
            let _ = write!(fields, ", .{field} = {value}");
        }
    }
    let options = options(&segment.laid());
    p.line(format_args!("send_segment({tag}, {link}, {between}, /* [{flags}] */"));
    p.line(format_args!("             &(struct segment){{{fields},"));
    for line in options {
        p.line(format_args!("                               {line},"));
    }
    p.line(format_args!("                               .data = {data}, .len = {len}}});"));
    Ok(())
}

/// The options as fields: their bytes, and where numbers stand that are relative, and to what.
fn options(laid: &Laid) -> Vec<String> {
    if laid.bytes.is_empty() {
        return Vec::new();
    }
    let (bytes, len) = (quoted(&laid.bytes), laid.bytes.len());
    let mut fields = vec![format!(".options = {bytes}, .options_len = {len}")];
    let relative = laid.relative.iter().flat_map(|&(at, base)| {
        // A segment has room for 40 bytes of options.
        [u8::try_from(at).unwrap_or(u8::MAX), if base == Base::Echo { b'T' } else { b'S' }]
    });
    let relative: Vec<u8> = relative.collect();
    if !relative.is_empty() {
        fields.push(format!(".relative = {}", quoted(&relative)));
    }
    fields
}
