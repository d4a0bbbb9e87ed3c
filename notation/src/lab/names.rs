//! A name server at the far end of a link, and the lines of `/etc/hosts`.

use std::fmt::Write as _;
use std::net::IpAddr;

use harness::case::addr::Range;
use harness::case::names::{
    Answer, DNS_PORT, Flaw, NameServer, Rcode, Record, RecordData, RecordType,
};

use super::words::{
    MARKS, MARKS_OF_NAMES, alternatives, another, eat, ends, expected, expected_up_to, in_quotes,
    must, number, one_of, print_ranges, print_text, quoted_text, ranges, text, word,
};
use crate::fault::Fault;
use crate::tree::Cursor;

const TYPES: [(&str, RecordType); 4] = [
    ("A", RecordType::A),
    ("AAAA", RecordType::Aaaa),
    ("CNAME", RecordType::Cname),
    ("PTR", RecordType::Ptr),
];

const RCODES: [(&str, Rcode); 6] = [
    ("NOERROR", Rcode::NoError),
    ("FORMERR", Rcode::FormErr),
    ("SERVFAIL", Rcode::ServFail),
    ("NXDOMAIN", Rcode::NxDomain),
    ("NOTIMP", Rcode::NotImp),
    ("REFUSED", Rcode::Refused),
];

const FLAWS: [(&str, Flaw); 6] = [
    ("never answered", Flaw::Silent),
    ("truncated over UDP", Flaw::Truncated),
    ("with another id", Flaw::OtherId),
    ("to another question", Flaw::OtherQuestion),
    ("cut short", Flaw::Cut),
    ("without the bit of a response", Flaw::NoResponse),
];

/// What stands between two words of an answer, or begins what it says.
const RESERVED: [&str; 5] = ["is", "empty", "alias", "named", "of"];

/// `53 at v4 ll, options timeout:1 attempts:1, search a.example: a.example A is 192.0.2.7`
pub(super) fn print(server: &NameServer) -> String {
    let is_ambiguous = server.options.ends_with(':') || server.options.contains(": ");
    let options = match server.options.as_str() {
        options if is_ambiguous => in_quotes(options),
        options => print_text(options, &[',']),
    };
    let mut out = format!("{DNS_PORT} at {}, options {options}", print_ranges(&server.at));
    if let Some(domain) = &server.search {
        let _ = write!(out, ", search {}", print_name(domain));
    }
    out.push(':');
    let mut before = " ";
    for answer in &server.answers {
        let _ = write!(out, "{before}{}", print_answer(answer));
        before = "; ";
    }
    out
}

fn print_answer(answer: &Answer) -> String {
    let mut out = print_name(&answer.name);
    for kind in &answer.types {
        let _ = write!(out, " {}", word_for(&TYPES, kind));
    }
    out.push_str(" is");
    if answer.rcode != Rcode::NoError {
        let _ = write!(out, " {}", word_for(&RCODES, &answer.rcode));
    } else if answer.records.is_empty() {
        out.push_str(" empty");
    }
    for Record { owner, data } in &answer.records {
        if let Some(owner) = owner {
            let _ = write!(out, " {}", print_name(owner));
        }
        let _ = match data {
            RecordData::A(ip) => write!(out, " {ip}"),
            RecordData::Aaaa(ip) => write!(out, " {ip}"),
            RecordData::Cname(name) => write!(out, " alias of {}", print_name(name)),
            RecordData::Ptr(name) => write!(out, " named {}", print_name(name)),
        };
    }
    if let Some(flaw) = &answer.flaw {
        let _ = write!(out, ", {}", word_for(&FLAWS, flaw));
    }
    out
}

fn word_for<'w, T: PartialEq>(words: &[(&'w str, T)], value: &T) -> &'w str {
    words.iter().find(|(_, known)| known == value).map_or("", |(word, _)| word)
}

/// A name of the DNS, which may have anything in it: in quotes, if it could be something else.
fn print_name(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "._-*".contains(c);
    let is_reserved = |word: &str| word.eq_ignore_ascii_case(name);
    let is_plain = !name.is_empty()
        && name.chars().all(plain)
        && name.parse::<IpAddr>().is_err()
        && !RESERVED.iter().copied().any(is_reserved)
        && !RCODES.iter().any(|(word, _)| is_reserved(word));
    if is_plain { name.to_owned() } else { in_quotes(name) }
}

/// Reads what `print` prints. Without `53` it is the same, without `options` those are meant that keep
/// a case short.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<NameServer, Fault> {
    cursor.blanks();
    if cursor.rest().starts_with(|c: char| c.is_ascii_digit()) {
        let from = cursor.here();
        if number::<u16>(cursor, "a port")? != DNS_PORT {
            let says = format!("a name server listens on port {DNS_PORT}");
            return Err(Fault::new(from..cursor.here(), says));
        }
    }
    must(cursor, "at")?;
    let mut server = NameServer::new(Range::V4, []);
    server.at = ranges(cursor, &[])?;
    let mut seen = Vec::new();
    while cursor.eat(",") {
        if another(cursor, &["options", "search"], &mut seen)? == "options" {
            server.options = text(cursor, end_of_options)?;
        } else {
            server.search = Some(read_name(cursor, MARKS, "a domain")?);
        }
    }
    if ends(cursor, &[]) {
        return Ok(server);
    }
    if !cursor.eat(":") {
        return Err(expected(cursor, "a comma and options or search, or a colon and the answers,"));
    }
    if ends(cursor, &[]) {
        return Ok(server);
    }
    server.answers.push(read_answer(cursor)?);
    while cursor.eat(";") {
        server.answers.push(read_answer(cursor)?);
    }
    Ok(server)
}

/// At a comma, or at a colon behind which no word goes on.
fn end_of_options(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map_or(' ', |(_, next)| *next);
        if c == ',' || c == ':' && (next == ' ' || next == '\t') {
            return Some(at);
        }
    }
    None
}

fn read_name(cursor: &mut Cursor<'_>, marks: &[char], what: &str) -> Result<String, Fault> {
    cursor.blanks();
    if cursor.rest().starts_with('"') {
        return quoted_text(cursor);
    }
    if ends(cursor, marks) {
        return Err(expected(cursor, what));
    }
    Ok(word(cursor, marks).0.to_owned())
}

/// `a.example A AAAA is alias of b.example b.example 192.0.2.7, truncated over UDP`
fn read_answer(cursor: &mut Cursor<'_>) -> Result<Answer, Fault> {
    let name = read_name(cursor, MARKS_OF_NAMES, "the name that is asked for, or *,")?;
    let mut answer = Answer::new(&name, Vec::new());
    while !eat(cursor, "is") {
        let mut after = cursor.clone();
        let (read, _) = word(&mut after, MARKS);
        let Some(kind) = find(&TYPES, read) else {
            let mut words: Vec<&str> = TYPES.iter().map(|(word, _)| *word).collect();
            words.push("is");
            return Err(expected(cursor, &alternatives(&words)).nearest(read, words));
        };
        answer.types.push(kind);
        *cursor = after;
    }
    let is_empty = eat(cursor, "empty");
    if !is_empty {
        let mut after = cursor.clone();
        let (read, _) = word(&mut after, MARKS);
        let is_code = find(&RCODES, read).is_some_and(|code| {
            answer.rcode = code;
            true
        });
        if is_code {
            *cursor = after;
        } else if ends(cursor, &[',', ';']) {
            let what = "what is answered, such as 192.0.2.7, alias of NAME, empty or NXDOMAIN,";
            return Err(expected(cursor, what));
        }
        while !ends(cursor, &[',', ';']) {
            answer.records.push(read_record(cursor)?);
        }
    }
    if cursor.eat(",") {
        answer.flaw = Some(read_flaw(cursor)?);
    }
    if ends(cursor, &[';']) {
        Ok(answer)
    } else {
        Err(expected_up_to(cursor, MARKS_OF_NAMES, "a semicolon and another answer"))
    }
}

fn find<T: Copy>(words: &[(&str, T)], word: &str) -> Option<T> {
    words.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, value)| *value)
}

/// An address, `alias of NAME` or `named NAME`, behind whose it is.
fn read_record(cursor: &mut Cursor<'_>) -> Result<Record, Fault> {
    if let Some(data) = read_data(cursor)? {
        return Ok(Record { owner: None, data });
    }
    let before = cursor.clone();
    let owner = read_name(cursor, MARKS_OF_NAMES, "a record")?;
    if let Some(data) = read_data(cursor)? {
        return Ok(Record { owner: Some(owner), data });
    }
    // It is no owner then, but a word that is none of those that stand here.
    let what = "an address, alias of NAME, named NAME or a response code";
    let words = RESERVED.into_iter().chain(RCODES.map(|(word, _)| word));
    Err(expected_up_to(&before, MARKS_OF_NAMES, what).nearest(&owner, words))
}

fn read_data(cursor: &mut Cursor<'_>) -> Result<Option<RecordData>, Fault> {
    if eat(cursor, "alias") {
        must(cursor, "of")?;
        return read_name(cursor, MARKS_OF_NAMES, "a name").map(|n| Some(RecordData::Cname(n)));
    }
    if eat(cursor, "named") {
        return read_name(cursor, MARKS_OF_NAMES, "a name").map(|n| Some(RecordData::Ptr(n)));
    }
    let mut after = cursor.clone();
    let Ok(ip) = word(&mut after, MARKS_OF_NAMES).0.parse::<IpAddr>() else { return Ok(None) };
    *cursor = after;
    Ok(Some(match ip {
        IpAddr::V4(ip) => RecordData::A(ip),
        IpAddr::V6(ip) => RecordData::Aaaa(ip),
    }))
}

fn read_flaw(cursor: &mut Cursor<'_>) -> Result<Flaw, Fault> {
    let firsts = FLAWS.map(|(words, _)| words.split(' ').next().unwrap_or_default());
    let first = one_of(cursor, &firsts)?;
    let found = FLAWS.iter().zip(firsts).find(|(_, word)| *word == first);
    let Some(((words, flaw), _)) = found else { return Err(expected(cursor, "a flaw")) };
    // What behind the first word goes on is read as a whole or left out.
    if !ends(cursor, &[';']) {
        must(cursor, words[first.len()..].trim_start())?;
    }
    Ok(*flaw)
}

/// `192.0.2.7 a.example; ::1 localhost`, a line in quotes if it could be several.
pub(super) fn print_hosts(lines: &[String]) -> String {
    let lines = lines.iter().map(|line| print_text(line, &[';']));
    lines.collect::<Vec<_>>().join("; ")
}

/// Reads what `print_hosts` prints, up to the end.
pub(super) fn read_hosts(cursor: &mut Cursor<'_>) -> Result<Vec<String>, Fault> {
    let mut lines = Vec::new();
    if ends(cursor, &[]) {
        return Ok(lines);
    }
    loop {
        if ends(cursor, &[';']) {
            return Err(expected(cursor, "an address and its names, or \"\" for an empty line,"));
        }
        lines.push(text(cursor, |rest| rest.find(';'))?);
        if !cursor.eat(";") {
            return Ok(lines);
        }
    }
}
