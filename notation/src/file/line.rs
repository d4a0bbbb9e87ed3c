//! What one line is: a link, a step of the lab, a call, a frame.

use std::net::Ipv6Addr;

use harness::case::payload::quoted;
use harness::case::words::{MOST_OF_SENTENCE, is_line};
use harness::case::{LabOp, Link, Op, Os};
use harness::outcome::errnos;

use super::table::is_identifier;
use crate::asked::{Demand, Wanted, range, split};
use crate::calls::{Call, makes};
use crate::fault::Fault;
use crate::lab;
use crate::quotes::by_quotes;
use crate::tree::Cursor;

/// What a line of a case says.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "most lines are steps")]
pub(super) enum Said {
    Title(String),
    Catalogue(Vec<String>),
    Window(u32),
    Link(Link),
    /// A step of the lab before the first call.
    Setup(LabOp),
    Step {
        thread: Option<String>,
        op: Op,
        made: Made,
        asked: Option<Demand>,
    },
    /// A call of another thread returned.
    Resumed {
        thread: String,
        call: String,
        /// What the socket is called that it made.
        made: Option<String>,
        asked: Option<Demand>,
    },
    /// Something about frames beneath the last step.
    Frame(Demand),
}

/// Whether the text has a name for the socket that a call makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    Named,
    Unnamed,
}

/// What the name is where the text has none: the first of these that no socket has.
pub(crate) const UNNAMED: &str = "unnamed";

/// Reads a line that has more than a comment.
pub(super) fn read(text: &str, offset: usize) -> Result<Said, Fault> {
    let mut cursor = Cursor::new(text, offset);
    let first = text.split([' ', '\t']).next().unwrap_or_default();
    let said = match first {
        "tun" | "tap" => Said::Link(lab::read_link(&mut cursor)?),
        "--" => {
            cursor.eat("--");
            let op = Op::Lab { step: lab::read_step(&mut cursor)? };
            Said::Step { thread: None, op, made: Made::Named, asked: None }
        }
        "<" if !is_seen(&split(text)) => {
            let op = Op::Lab { step: lab::read_said(&mut cursor)? };
            Said::Step { thread: None, op, made: Made::Named, asked: None }
        }
        ">" | "<" => return frame(text, offset).map(Said::Frame),
        "title" => {
            cursor.eat("title");
            Said::Title(title(&mut cursor)?)
        }
        "catalogue" => {
            cursor.eat("catalogue");
            let rows = cursor.rest().split(',').map(|row| row.trim().to_owned());
            return Ok(Said::Catalogue(rows.filter(|row| !row.is_empty()).collect()));
        }
        "window" => {
            cursor.eat("window");
            Said::Window(milliseconds(&mut cursor)?)
        }
        word if lab::is_step(word) => Said::Setup(lab::read_step(&mut cursor)?),
        _ => return call(cursor),
    };
    cursor.done()?;
    Ok(said)
}

fn title(cursor: &mut Cursor<'_>) -> Result<String, Fault> {
    let node = cursor.node()?;
    let crate::tree::What::Text(bytes) = node.what else {
        return Err(Fault::new(node.at, "a title in quotes is expected here"));
    };
    let title = String::from_utf8(bytes);
    let title = title.map_err(|_| Fault::new(node.at.clone(), "this title is no UTF-8"))?;
    if is_line(&title, MOST_OF_SENTENCE) {
        Ok(title)
    } else {
        let says = format!("a title is one line of {MOST_OF_SENTENCE} characters at the most");
        Err(Fault::new(node.at, says))
    }
}

fn milliseconds(cursor: &mut Cursor<'_>) -> Result<u32, Fault> {
    let (word, at) = cursor.token();
    let ms = word.parse().ok().filter(|_| cursor.eat_word("ms"));
    ms.ok_or_else(|| Fault::new(at, "a time such as 100 ms is expected here"))
}

/// A call, of the first thread or of another, and what is asked of it.
fn call(mut cursor: Cursor<'_>) -> Result<Said, Fault> {
    let thread = thread(&mut cursor);
    if let (Some(thread), true) = (&thread, cursor.eat("<...")) {
        let rest = cursor.rest();
        let Some(end) = rest.find("resumed>") else {
            return Err(Fault::new(
                cursor.to_end(),
                "<... CALL resumed> = RESULT is expected here",
            ));
        };
        let at = cursor.here() + end + "resumed>".len();
        let call = rest[..end].trim().to_owned();
        let (made, asked) = behind(&rest[end + "resumed>".len()..], at, makes(&call))?;
        return Ok(Said::Resumed { thread: thread.clone(), call, made, asked });
    }
    let call = Call::read(&mut cursor)?;
    cursor.blanks();
    let (name, asked) = behind(cursor.rest(), cursor.here(), makes(call.name))?;
    let made = if name.is_some() || !makes(call.name) { Made::Named } else { Made::Unnamed };
    let op = call.op(name.as_deref().unwrap_or(UNNAMED))?;
    Ok(Said::Step { thread, op, made, asked })
}

/// `t: ` before a call.
fn thread(cursor: &mut Cursor<'_>) -> Option<String> {
    let rest = cursor.rest();
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let name = rest[..end].to_owned();
    if end == 0 || !rest[end..].starts_with(": ") {
        return None;
    }
    cursor.eat(&rest[..end + 2]);
    Some(name)
}

/// What stands behind a call: the name of what it made, and what it returns.
fn behind(
    text: &str,
    offset: usize,
    makes: bool,
) -> Result<(Option<String>, Option<Demand>), Fault> {
    if let Some(before) = text.trim_end().strip_suffix("<unfinished ...>") {
        return match behind(before, offset, makes)? {
            (name, None) => Ok((name, None)),
            _ => Err(Fault::new(
                offset..offset + before.len(),
                "what a call returns that waits stands where it has returned",
            )
            .help("write it behind a line such as t: <... recv resumed>")),
        };
    }
    let at = offset..offset + text.len();
    let said = text.trim();
    if said.is_empty() {
        return Ok((None, None));
    }
    let Some(said) = said.strip_prefix('=') else {
        return Err(Fault::new(at, "= and a result is expected here"));
    };
    let offset =
        offset + text.len() - text.trim_start().len() + 1 + said.len() - said.trim_start().len();
    let said = said.trim();
    let (first, rest) = said.split_once(',').map_or((said, ""), |(a, b)| (a, b.trim()));
    let first = first.trim();
    if makes && first != "success" && is_identifier(first) {
        if rest.is_empty() {
            return Ok((Some(first.to_owned()), None));
        }
        let later = offset + said.len() - rest.len();
        return Ok((Some(first.to_owned()), Some(results(rest, later)?)));
    }
    Ok((None, Some(results(said, offset)?)))
}

/// The most results of which one is to come.
const MOST_RESULTS: usize = 64;

/// `-1 EINVAL|ENOPROTOOPT on linux, 0 on macos`
fn results(said: &str, offset: usize) -> Result<Demand, Fault> {
    let mut all = Vec::new();
    let mut from = 0;
    if said.is_empty() || said.ends_with(',') {
        let end = offset + said.len();
        return Err(Fault::new(end..end + 1, "a result is expected here"));
    }
    while from < said.len() {
        if all.len() > MOST_RESULTS {
            let says = format!("a call has {MOST_RESULTS} results at the most");
            return Err(Fault::new(offset..offset + said.len(), says));
        }
        let rest = &said[from..];
        let (one, on, behind) = match system(rest) {
            Some((end, on, behind)) => (&rest[..end], Some(on), behind),
            None => (rest, None, rest.len()),
        };
        if all.iter().any(|known: &Wanted| known.on == on) {
            let at =
                offset + from..offset + from + rest[..behind].trim_end_matches([',', ' ']).len();
            let says = "what comes on that system is said already";
            return Err(
                Fault::new(at, says).help("one of several is written = one of 0, 1 on linux")
            );
        }
        alternatives(one.trim(), on, offset + from, &mut all)?;
        from += behind;
    }
    Ok(Demand::Result(all))
}

/// Where ` on linux` or ` on macos` stands, and where it goes on behind the comma that follows.
fn system(said: &str) -> Option<(usize, Os, usize)> {
    let blanks = by_quotes(said).filter(|(_, c, quoted)| *c == ' ' && !quoted);
    blanks.map(|(at, ..)| at).find_map(|at| {
        let mut words = [(" on linux", Os::Linux), (" on macos", Os::Macos)].into_iter();
        let (rest, os) = words
            .find_map(|(words, os)| Some((said[at..].strip_prefix(words)?.trim_start(), os)))?;
        let comma = rest.strip_prefix(',').map(str::trim_start);
        let is_end = rest.is_empty() || comma.is_some();
        is_end.then(|| (at, os, said.len() - comma.map_or(0, str::len)))
    })
}

/// Whether a quote is open at the end.
fn is_quoted(text: &str) -> bool {
    // Behind all of it.
    by_quotes(&format!("{text} ")).last().is_some_and(|(.., quoted)| quoted)
}

/// The same text with what stands in quotes as transcripts write those bytes.
fn as_shown(text: &str) -> Option<String> {
    let mut shown = String::with_capacity(text.len());
    let mut cursor = Cursor::new(text, 0);
    while let Some(quote) = cursor.rest().find('"') {
        let rest = cursor.rest();
        shown.push_str(&rest[..quote]);
        cursor = Cursor::new(&rest[quote..], 0);
        shown.push_str(&quoted(&cursor.quoted()?));
    }
    shown.push_str(cursor.rest());
    Some(shown)
}

/// The same with addresses of IPv6 between brackets as transcripts write them (RFC 5952).
fn as_told(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut open = None;
    for (at, c, quoted) in by_quotes(text) {
        match c {
            '[' if !quoted => open = Some(told.len() + 1),
            ']' if !quoted => {
                if let Some(from) = open.take() {
                    let address = ipv6(&told[from..]);
                    told.truncate(from);
                    told.push_str(&address);
                }
            }
            _ => {}
        }
        told.push_str(&text[at..at + c.len_utf8()]);
    }
    told
}

/// An address of IPv6, with its zone if it has one, as transcripts write it; anything else as it is.
fn ipv6(text: &str) -> String {
    let (address, zone) = text.split_at(text.find('%').unwrap_or(text.len()));
    address.parse::<Ipv6Addr>().map_or_else(|_| text.to_owned(), |ip| format!("{ip}{zone}"))
}

/// `0, -1 EAGAIN`: what begins with a number begins one of them, and what does not belongs to the one before it.
fn one_of(said: &str, on: Option<Os>, offset: usize, all: &mut Vec<Wanted>) -> Result<(), Fault> {
    let begins = |rest: &str| {
        rest.starts_with(|c: char| c.is_ascii_digit() || "-<>".contains(c))
            || rest.starts_with("success")
    };
    let commas = by_quotes(said).filter(|(_, c, quoted)| *c == ',' && !quoted);
    let commas = commas.map(|(at, ..)| at).filter(|at| begins(said[at + 1..].trim_start()));
    let ends: Vec<usize> = commas.chain([said.len()]).collect();
    if ends.len() < 2 {
        let fault = Fault::new(
            offset..offset + said.len().max(1),
            "one of several is one of two at the least",
        );
        return Err(fault.help("write them as in one of 0, -1 EAGAIN"));
    }
    let mut from = 0;
    for end in ends {
        let one = &said[from..end];
        let at = offset + from + one.len() - one.trim_start().len();
        // By its first word, or behind a comma where no other begins.
        if let Some(set) = one.find("one of ")
            && !one.contains('"')
        {
            let at = offset + from + set;
            return Err(Fault::new(at..at + 6, "a set is no result of a set"));
        }
        alternatives(one.trim(), on, at, all)?;
        from = end + 1;
    }
    Ok(())
}

fn alternatives(
    said: &str,
    on: Option<Os>,
    offset: usize,
    all: &mut Vec<Wanted>,
) -> Result<(), Fault> {
    let at = || offset..offset + said.len().max(1);
    let mut add = |says: String| all.push(Wanted { on, says });
    let number = said.split([' ', ',']).next().unwrap_or_default();
    if ["own", "success"].contains(&said) || said.starts_with("? ") {
        add(said.to_owned());
        return Ok(());
    }
    if let Some((number, names)) = said.split_once(' ')
        && number.starts_with('-')
        && number.parse::<i64>().is_ok()
    {
        for name in names.split('|') {
            // POSIX lets them be one, as they are on Linux and macOS.
            let name = if name == "EWOULDBLOCK" { "EAGAIN" } else { name };
            is_an_error(number, name, at())?;
            add(format!("{number} {name}"));
        }
        return Ok(());
    }
    if let Some(members) = said.strip_prefix("one of ") {
        return one_of(members, on, offset + "one of ".len(), all);
    }
    let numbers: Option<Vec<i64>> = said.split('|').map(|one| one.trim().parse().ok()).collect();
    if let Some(numbers) = numbers.filter(|numbers| numbers.len() > 1) {
        for number in numbers {
            add(number.to_string());
        }
        return Ok(());
    }
    if let Some((low, high)) = range(number)
        && low > high
    {
        return Err(Fault::new(at(), format!("no number is within {number}")));
    }
    let is_number =
        number.parse::<i64>().is_ok_and(|n| n.to_string() == number) || range(number).is_some();
    let behind = &said[number.len()..];
    // Behind the number stands what was written through pointers, behind a comma and a blank.
    let is_whole = (behind.is_empty() || behind.starts_with(", ")) && !behind.ends_with(',');
    let plain = (is_number || number.starts_with("0x")) && is_whole;
    // A socket that was made is told by its name.
    if plain || is_identifier(number) && said == number && !said.starts_with('E') {
        if number.starts_with('-') && number != "-1" {
            return Err(Fault::new(at(), format!("no call returns {number} without a name")));
        }
        if !plain {
            let fault = Fault::new(at(), format!("{said:?} is no result"));
            return Err(fault.nearest(said, ["success"]));
        }
        let Some(shown) = as_shown(said) else {
            return Err(Fault::new(at(), "what stands in quotes cannot be read"));
        };
        let plain = by_quotes(&shown).filter(|(.., quoted)| !quoted).map(|(_, c, _)| c);
        if plain.collect::<String>().contains("port(") {
            let fault = Fault::new(at(), "a result has no port(SOCKET)");
            return Err(fault.help(
                "ports that the kernel chose are eph1, eph2, in the order in which they come",
            ));
        }
        add(as_told(&shown));
        return Ok(());
    }
    let fault = Fault::new(at(), format!("{said:?} is no result"));
    if let Some((_, word)) = said.rsplit_once(" on ")
        && let Some(near) = crate::fault::nearest(word, ["linux", "macos"])
    {
        return Err(fault.help(format!("did you mean on {near}?")));
    }
    Err(fault.help("a result is a number, -1 and an errno, or success"))
}

/// Whether a call can fail with it: `EAI_…` is of lookups, every other one an errno.
fn is_an_error(number: &str, name: &str, at: std::ops::Range<usize>) -> Result<(), Fault> {
    let of_lookups = name.starts_with("EAI_")
        && name.bytes().all(|b| b"_".contains(&b) || b.is_ascii_uppercase());
    if of_lookups && number != "-1" || number == "-1" && errnos().any(|known| known == name) {
        return Ok(());
    }
    Err(Fault::new(at, format!("there is no errno {name}")).nearest(name, errnos()))
}

/// A line of a frame: what is asked to have left, or to have come.
fn frame(text: &str, offset: usize) -> Result<Demand, Fault> {
    let at = offset..offset + text.len();
    let words = split(text);
    match &words[..] {
        [">", "nothing"] => Ok(Demand::NoFrame),
        [_] => Err(Fault::new(at, "what of a frame is asked for is not said")
            .help("such as: > link0 UDP \"x\", or: > nothing")),
        [">", "nothing", ..] | [">", _, "nothing"] => {
            Err(Fault::new(at, "nothing is nothing at all").help("write > nothing"))
        }
        words => match words.iter().map(|word| as_shown(word).map(|word| ipv6(&word))).collect() {
            Some(words) if !is_quoted(text) => Ok(Demand::Frame(words)),
            _ => Err(Fault::new(at, "a quote at the end of the text is expected here")),
        },
    }
}

/// Whether a frame that comes in is told as a transcript shows one that was seen: it is asked for. Any other is
/// a step, and sent.
fn is_seen(words: &[&str]) -> bool {
    matches!(words.get(2), None | Some(&("IPv4" | "IPv6" | "ARP" | "to" | "ethertype")))
}
