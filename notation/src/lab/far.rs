//! What the far end of a link sends, by words: `ICMP port unreachable, quoting it`.

use std::ops::Range as Span;

use harness::case::Payload;
use harness::case::addr::Port;
use harness::case::far::{Datagram, End, Ends, Error, Frame, Kind, Lie, Segment};

use super::words::{MARKS, another, eat, ends, expected, must, number, one_of, payload, word};
use crate::calls::{host, port};
use crate::fault::Fault;
use crate::tree::{Cursor, What};

mod options;

/// How a frame by words begins.
pub(super) const FRAMES: [&str; 4] = ["ICMP", "ICMPv6", "UDP", "TCP"];

/// What kinds of errors are called in transcripts, and by others.
const ALSO: [(&str, Kind); 6] = [
    ("communication prohibited", Kind::AdministrativelyProhibited),
    ("communication administratively prohibited", Kind::AdministrativelyProhibited),
    ("hop limit exceeded", Kind::TimeExceeded),
    ("time exceeded in transit", Kind::TimeExceeded),
    ("reassembly time exceeded", Kind::ReassemblyTimeExceeded),
    ("no route to destination", Kind::NoRoute),
];

/// Reads what `Frame` displays, up to the end of the text.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Frame, Fault> {
    let frame = match one_of(cursor, &FRAMES)? {
        "UDP" => Frame::Datagram(datagram(cursor)?),
        "TCP" => Frame::Segment(segment(cursor)?),
        family => Frame::Error(error(cursor, family == "ICMPv6")?),
    };
    cursor.done().map(|()| frame)
}

/// `port unreachable from 192.0.2.9, quoting it, source port wrong`
fn error(cursor: &mut Cursor<'_>, v6: bool) -> Result<Error, Fault> {
    let (said, at) = phrase(cursor, &["mtu", "pointer", "from"]);
    let names = || Kind::all().chain(ALSO.map(|(name, kind)| (kind, name)));
    let known = names().find(|(_, name)| *name == said).map(|(kind, _)| kind);
    let Some(kind) = known else {
        if said.is_empty() {
            return Err(expected(cursor, "an error, such as port unreachable,"));
        }
        let fault = Fault::new(at, "there is no such ICMP error");
        return Err(fault.nearest(&said, names().map(|(_, name)| name)));
    };
    let (mut value, mut from, mut seen) = (None, None, Vec::new());
    while !ends(cursor, &[',']) {
        let (_, at) = word(&mut cursor.clone(), MARKS);
        match another(cursor, &["mtu", "pointer", "from"], &mut seen)? {
            "from" => from = Some(host(&cursor.node()?, None)?),
            unit => {
                if kind.value() != Some(unit) {
                    return Err(Fault::new(at, format!("{} has no {unit}", kind.name())));
                }
                value = Some(number(cursor, if unit == "mtu" { "an MTU" } else { "a pointer" })?);
            }
        }
    }
    if !cursor.eat(",") {
        return Err(expected(cursor, "a comma and quoting it"));
    }
    must(cursor, "quoting it")?;
    let mut lies = Vec::new();
    while cursor.eat(",") {
        lies.push(lie(cursor)?);
    }
    Ok(Error { kind, value, from, v6, lies })
}

/// The words up to the end, a mark, or one of these; and where they stand.
fn phrase(cursor: &mut Cursor<'_>, until: &[&str]) -> (String, Span<usize>) {
    let (mut said, mut all): (String, Option<Span<usize>>) = (String::new(), None);
    loop {
        let mut after = cursor.clone();
        let (next, at) = word(&mut after, MARKS);
        if next.is_empty() || until.contains(&next) {
            break;
        }
        if !said.is_empty() {
            said.push(' ');
        }
        said.push_str(next);
        all = Some(all.map_or(at.start, |all| all.start)..at.end);
        *cursor = after;
    }
    (said, all.unwrap_or_default())
}

fn lie(cursor: &mut Cursor<'_>) -> Result<Lie, Fault> {
    if eat(cursor, "cut") {
        must(cursor, "to")?;
        let bytes = number(cursor, "a number of bytes")?;
        must(cursor, "bytes")?;
        return Ok(Lie::Cut(bytes));
    }
    let (said, at) = phrase(cursor, &[]);
    let known = Lie::NAMED.into_iter().find(|(_, name)| *name == said);
    known.map(|(lie, _)| lie).ok_or_else(|| {
        if said.is_empty() {
            return expected(cursor, "what is wrong with it, such as source port wrong,");
        }
        let fault = Fault::new(at, "this is nothing that can be wrong with it");
        fault.nearest(&said, Lie::NAMED.map(|(_, name)| name))
    })
}

/// `neighbour(link0,v4):9 > own(link0,v4):port(s)`
fn between(cursor: &mut Cursor<'_>) -> Result<Ends, Fault> {
    let from = end(cursor)?;
    if !cursor.eat(">") {
        return Err(expected(cursor, "> and to whom it is sent"));
    }
    Ok(Ends { from, to: end(cursor)? })
}

fn end(cursor: &mut Cursor<'_>) -> Result<End, Fault> {
    const LIKE: &str = "an address and its port are expected here";
    if ends(cursor, &[]) {
        return Err(expected(cursor, "an address and its port, such as neighbour(link0,v4):9,"));
    }
    let node = cursor.node()?;
    let What::Port(whole, number) = &node.what else {
        let fault = Fault::new(node.at.clone(), LIKE);
        return Err(fault.help("such as neighbour(link0,v4):9 or [2001:db8::2]:9"));
    };
    let within = match &whole.what {
        What::List(within) if within.len() == 1 => &within[0],
        _ => whole,
    };
    let port: Port = port(number)?;
    Ok(End { host: host(within, None)?, port })
}

/// `UDP neighbour(link0,v4):9 > own(link0,v4):port(s) ttl 1 "x"`, what is behind the addresses in any order
fn datagram(cursor: &mut Cursor<'_>) -> Result<Datagram, Fault> {
    const WORDS: [&str; 6] = ["ttl", "hlim", "tos", "class", "tclass", "df"];
    let ends = between(cursor)?;
    let data = Payload::Text(String::new());
    let (ttl, tos, dont_fragment, checksum_wrong) = (None, None, false, false);
    let mut read = Datagram { ends, data, ttl, tos, dont_fragment, checksum_wrong };
    let (mut seen, mut has_data) = (Vec::new(), false);
    while !super::words::ends(cursor, &[',']) {
        if is_data(cursor) && !std::mem::replace(&mut has_data, true) {
            read.data = payload(cursor)?;
            continue;
        }
        let (said, at) = word(&mut cursor.clone(), MARKS);
        let again = || Err(Fault::new(at.clone(), format!("{said} is said already")));
        match another(cursor, &WORDS, &mut seen)? {
            "df" => read.dont_fragment = true,
            "ttl" | "hlim" if read.ttl.is_some() => return again(),
            "ttl" | "hlim" => read.ttl = Some(number(cursor, "a number of hops")?),
            _ if read.tos.is_some() => return again(),
            _ => read.tos = Some(byte(cursor)?),
        }
    }
    read.checksum_wrong = checksum(cursor)?;
    Ok(read)
}

/// `0x02`, or in decimal.
fn byte(cursor: &mut Cursor<'_>) -> Result<u8, Fault> {
    let mut after = cursor.clone();
    let (said, at) = word(&mut after, MARKS);
    let read = match said.strip_prefix("0x") {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
            u8::from_str_radix(digits, 16).ok()
        }
        Some(_) => None,
        None => return number(cursor, "a byte such as 0x02"),
    };
    *cursor = after;
    read.ok_or_else(|| Fault::new(at, "a byte such as 0x02 is expected here"))
}

fn is_data(cursor: &mut Cursor<'_>) -> bool {
    cursor.blanks();
    cursor.rest().starts_with(['"']) || cursor.rest().starts_with("pattern[")
}

/// `, checksum wrong`, if it is there.
fn checksum(cursor: &mut Cursor<'_>) -> Result<bool, Fault> {
    let wrong = cursor.eat(",");
    if wrong {
        must(cursor, "checksum wrong")?;
    }
    Ok(wrong)
}

/// `[S.] seq +1 ack -1 win 0 mss 1000 [nop,nop] tos 0x02 "x"`, what is behind the flags in any order
fn segment(cursor: &mut Cursor<'_>) -> Result<Segment, Fault> {
    const WORDS: [&str; 7] = ["seq", "ack", "win", "mss", "tos", "class", "tclass"];
    cursor.blanks();
    // An address of IPv6 in brackets has colons.
    let within = cursor.rest().strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let is_flags = within.is_some_and(|(within, _)| !within.contains(':'));
    let begins = cursor.rest().is_empty() || cursor.rest().starts_with(',');
    let ends = if is_flags || begins { None } else { Some(between(cursor)?) };
    let mut read = Segment { ends, ..Segment::new(&flags(cursor)?) };
    let (mut seen, mut has_data) = (Vec::new(), false);
    while !super::words::ends(cursor, &[',']) {
        if is_data(cursor) && !std::mem::replace(&mut has_data, true) {
            read.data = payload(cursor)?;
            continue;
        }
        if options::begins(cursor) && read.options.is_none() {
            read.options = Some(options::list(cursor)?);
            continue;
        }
        let (said, at) = word(&mut cursor.clone(), MARKS);
        match another(cursor, &WORDS, &mut seen)? {
            "seq" => read.seq = offset(cursor)?,
            "ack" => read.ack = offset(cursor)?,
            "win" => read.window = number(cursor, "a window")?,
            "mss" => read.mss = Some(number(cursor, "a number of bytes")?),
            _ if read.tos.is_some() => {
                return Err(Fault::new(at, format!("{said} is said already")));
            }
            _ => read.tos = Some(byte(cursor)?),
        }
    }
    read.checksum_wrong = checksum(cursor)?;
    Ok(read)
}

/// `[S.]`, in any order.
fn flags(cursor: &mut Cursor<'_>) -> Result<String, Fault> {
    cursor.blanks();
    let rest = cursor.rest();
    let within = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let Some((said, _)) = within else {
        return Err(expected(cursor, "control bits such as [S.]"));
    };
    let from = cursor.here() + 1;
    let at = |letter: usize| from + letter..from + letter + 1;
    if said == Segment::NO_FLAGS {
        cursor.eat("[none]");
        return Ok(said.to_owned());
    }
    if said.is_empty() {
        let fault = Fault::new(from - 1..from + 1, "which control bits are set is expected here");
        return Err(fault.help("S, F, R, P, . for ACK, U, E, W; none for none"));
    }
    for (place, letter) in said.char_indices() {
        if !Segment::FLAGS.contains(letter) {
            let at = from + place..from + place + letter.len_utf8();
            let fault = Fault::new(at, format!("{letter:?} is no control bit"));
            return Err(fault.help("S, F, R, P, . for ACK, U, E, W; none for none"));
        }
        if said[..place].contains(letter) {
            return Err(Fault::new(at(place), "this is said already"));
        }
    }
    let flags = Segment::FLAGS.chars().filter(|flag| said.contains(*flag)).collect();
    cursor.eat(&rest[..said.len() + 2]);
    Ok(flags)
}

/// `+1`, `-1`: how far from what would be right.
fn offset(cursor: &mut Cursor<'_>) -> Result<i32, Fault> {
    let mut after = cursor.clone();
    let (said, at) = word(&mut after, MARKS);
    let digits = said.strip_prefix(['+', '-']).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
    let read = digits.and_then(|_| said.parse().ok());
    let read = read.ok_or_else(|| {
        let at = at.start..at.end.max(at.start + 1);
        let fault = Fault::new(at, "how far it is from the right one is expected here");
        fault.help("such as +1 or -1; of a right one nothing is said")
    })?;
    *cursor = after;
    Ok(read)
}

#[cfg(test)]
pub(super) mod tests;
