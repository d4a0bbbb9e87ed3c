//! Arguments as a tree: what strace's notation has in it, before anybody asks what it means.

use std::net::IpAddr;
use std::ops::Range;

use winnow::combinator::{opt, peek, preceded, separated, terminated};
use winnow::error::{ErrMode, ParserError};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location as _, Stateful};
use winnow::token::{any, one_of, rest, take_while};

use crate::fault::Fault;

/// How deep brackets may stand in brackets.
const DEEPEST: u8 = 12;

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node<'a> {
    /// Which bytes of the text.
    pub(crate) at: Range<usize>,
    /// What they are.
    pub(crate) what: What<'a>,
}

/// What a piece is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What<'a> {
    /// `AF_INET`, `s`.
    Word(&'a str),
    /// `-1`.
    Number(i64),
    /// `0x0a0b`, as bytes.
    Hex(Vec<u8>),
    /// `0x80000`, a number and no bytes: their digits are an even number.
    Odd(&'a str),
    /// `192.0.2.1`, `fe80::1`.
    Ip(IpAddr),
    /// `"text\0"`.
    Text(Vec<u8>),
    /// `pattern[0..1400]`.
    Pattern(u32),
    /// `own(link0)`, and `@"name"`.
    Apply(&'a str, Vec<Node<'a>>),
    /// `{a, b}`.
    Group(Vec<Node<'a>>),
    /// `[a, b]`.
    List(Vec<Node<'a>>),
    /// `name=value`.
    Pair(&'a str, Box<Node<'a>>),
    /// `A|B`.
    Or(Vec<Node<'a>>),
    /// `host:port`.
    Port(Box<Node<'a>>, Box<Node<'a>>),
    /// `fe80::1%tap0`.
    Zone(Box<Node<'a>>, &'a str),
    /// `(uint16_t)100`.
    Cast(&'a str, i64),
    /// What stands side by side without a comma: `AF_INET 192.0.2.1:9`.
    Beside(Vec<Node<'a>>),
}

type Input<'a> = Stateful<LocatingSlice<&'a str>, u8>;

/// Where a text could not be read on.
#[derive(Debug)]
struct Stuck {
    at: usize,
    wanted: Option<&'static str>,
}

impl<'a> ParserError<Input<'a>> for Stuck {
    type Inner = Self;

    fn from_input(input: &Input<'a>) -> Self {
        Self { at: input.current_token_start(), wanted: None }
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }

    fn or(self, other: Self) -> Self {
        if other.at > self.at { other } else { self }
    }
}

type Read<O> = Result<O, ErrMode<Stuck>>;

/// This is expected here, and nothing else will do.
fn wanted<O>(input: &Input<'_>, what: &'static str) -> Read<O> {
    Err(ErrMode::Cut(Stuck { at: input.current_token_start(), wanted: Some(what) }))
}

/// The pieces of a text, and where it stands in a longer one.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    input: Input<'a>,
    /// Where the text begins in the longer one.
    offset: usize,
}

impl<'a> Cursor<'a> {
    /// At the beginning of `text`, which begins at `offset`.
    pub(crate) fn new(text: &'a str, offset: usize) -> Self {
        Self { input: Stateful { input: LocatingSlice::new(text), state: 0 }, offset }
    }

    /// What has not been read.
    pub(crate) fn rest(&self) -> &'a str {
        let mut ahead = self.input;
        let read: Read<&str> = rest.parse_next(&mut ahead);
        read.unwrap_or_default()
    }

    /// Where the cursor stands in the longer text.
    pub(crate) fn here(&self) -> usize {
        self.offset + self.input.current_token_start()
    }

    /// From the cursor to the end of the text.
    pub(crate) fn to_end(&self) -> Range<usize> {
        self.here()..self.here() + self.rest().len()
    }

    /// Skips blanks.
    pub(crate) fn blanks(&mut self) {
        let _ = blanks(&mut self.input);
    }

    /// Whether nothing but blanks is left.
    pub(crate) fn is_done(&self) -> bool {
        self.rest().trim().is_empty()
    }

    /// That nothing is left.
    pub(crate) fn done(&mut self) -> Result<(), Fault> {
        self.blanks();
        if self.is_done() {
            Ok(())
        } else {
            Err(Fault::new(self.to_end(), "nothing more is expected here"))
        }
    }

    /// Reads `text` if it stands here, behind blanks.
    pub(crate) fn eat(&mut self, text: &str) -> bool {
        self.blanks();
        let mut expected = text;
        let read: Read<&str> = expected.parse_next(&mut self.input);
        read.is_ok()
    }

    /// Reads `word` if it stands here as a whole word, behind blanks.
    pub(crate) fn eat_word(&mut self, word: &str) -> bool {
        self.blanks();
        match self.rest().strip_prefix(word) {
            Some(after) if !after.starts_with(is_of_a_word) => self.eat(word),
            _ => false,
        }
    }

    /// Reads everything up to a blank, behind blanks; empty at the end.
    pub(crate) fn token(&mut self) -> (&'a str, Range<usize>) {
        self.blanks();
        let from = self.here();
        let read: Read<&str> = take_while(0.., |c: char| !is_blank(c)).parse_next(&mut self.input);
        let read = read.unwrap_or_default();
        (read, from..from + read.len())
    }

    /// Reads text in quotes that stands here.
    pub(crate) fn quoted(&mut self) -> Option<Vec<u8>> {
        text(&mut self.input).ok()
    }

    /// Reads one piece, behind blanks; what stands beside it is not read.
    pub(crate) fn node(&mut self) -> Result<Node<'a>, Fault> {
        self.blanks();
        let before = self.input;
        single(&mut self.input).map(|node| node.later(self.offset)).map_err(|e| {
            self.input = before;
            self.fault(e)
        })
    }

    /// Reads pieces with commas between them, as many as there are.
    pub(crate) fn nodes(&mut self) -> Result<Vec<Node<'a>>, Fault> {
        self.blanks();
        let before = self.input;
        match items(&mut self.input) {
            Ok(nodes) => Ok(nodes.into_iter().map(|node| node.later(self.offset)).collect()),
            Err(e) => {
                self.input = before;
                Err(self.fault(e))
            }
        }
    }

    fn fault(&self, error: ErrMode<Stuck>) -> Fault {
        let Stuck { at, wanted } = error.into_inner().unwrap_or(Stuck { at: 0, wanted: None });
        let from = self.offset + at;
        let after = self.rest().get(at.saturating_sub(self.input.current_token_start())..);
        let one = after.and_then(|after| after.chars().next()).map_or(1, char::len_utf8);
        let says = match wanted {
            Some(what) => format!("{what} is expected here"),
            None => "this cannot be read".to_owned(),
        };
        Fault::new(from..from + one, says)
    }
}

impl Node<'_> {
    /// The same in a text that begins so many bytes later.
    fn later(mut self, by: usize) -> Self {
        if by == 0 {
            return self;
        }
        self.at = self.at.start + by..self.at.end + by;
        let more = |nodes: Vec<Self>| nodes.into_iter().map(|node| node.later(by)).collect();
        let one = |node: Box<Self>| Box::new(node.later(by));
        self.what = match self.what {
            What::Apply(name, nodes) => What::Apply(name, more(nodes)),
            What::Group(nodes) => What::Group(more(nodes)),
            What::List(nodes) => What::List(more(nodes)),
            What::Or(nodes) => What::Or(more(nodes)),
            What::Beside(nodes) => What::Beside(more(nodes)),
            What::Pair(name, node) => What::Pair(name, one(node)),
            What::Zone(node, zone) => What::Zone(one(node), zone),
            What::Port(host, port) => What::Port(one(host), one(port)),
            plain => plain,
        };
        self
    }

    /// What it is called in a sentence.
    pub(crate) fn kind(&self) -> &'static str {
        match self.what {
            What::Word(_) => "a name",
            What::Number(_) | What::Cast(..) => "a number",
            What::Odd(_) => "a number, bytes having an even number of hexadecimal digits",
            What::Hex(_) => "bytes",
            What::Ip(_) | What::Zone(..) | What::Port(..) => "an address",
            What::Text(_) => "text",
            What::Pattern(_) => "a pattern",
            What::Apply(..) => "a name with arguments",
            What::Group(_) => "a structure",
            What::List(_) => "a list",
            What::Pair(..) => "a field of a structure",
            What::Or(_) => "flags",
            What::Beside(_) => "several words",
        }
    }
}

fn is_of_a_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// A line may go on in the next one.
fn blanks(input: &mut Input<'_>) -> Read<()> {
    take_while(0.., is_blank).void().parse_next(input)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn items<'a>(input: &mut Input<'a>) -> Read<Vec<Node<'a>>> {
    blanks(input)?;
    if input.is_empty() || peek(opt(one_of([')', ']', '}']))).parse_next(input)?.is_some() {
        return Ok(Vec::new());
    }
    separated(1.., item, (',', blanks)).parse_next(input)
}

/// One piece and what stands beside it.
fn item<'a>(input: &mut Input<'a>) -> Read<Node<'a>> {
    let first = single(input)?;
    blanks(input)?;
    if !begins_a_piece(input) {
        return Ok(first);
    }
    let mut beside = vec![first];
    while begins_a_piece(input) {
        beside.push(single(input)?);
        blanks(input)?;
    }
    let at = beside[0].at.start..beside[beside.len() - 1].at.end;
    Ok(Node { at, what: What::Beside(beside) })
}

fn begins_a_piece(input: &Input<'_>) -> bool {
    let next = input.peek_token();
    next.is_some_and(|c| !matches!(c, ',' | ')' | ']' | '}' | '='))
}

/// One piece with what is tied to it: a zone, a port, further flags, a value.
fn single<'a>(input: &mut Input<'a>) -> Read<Node<'a>> {
    if input.state >= DEEPEST {
        return wanted(input, "something with fewer brackets in brackets");
    }
    input.state += 1;
    let read = tied(input);
    input.state -= 1;
    read
}

fn tied<'a>(input: &mut Input<'a>) -> Read<Node<'a>> {
    let from = input.current_token_start();
    let mut node = piece(input)?;
    let made = |what, input: &Input<'a>| Node { at: from..input.previous_token_end(), what };
    if opt('%').parse_next(input)?.is_some() {
        let Ok(zone) = word(input) else { return wanted(input, "the name of a link") };
        node = made(What::Zone(Box::new(node), zone), input);
    }
    let has_port = |rest: &str| {
        let mut chars = rest.chars();
        chars.next() == Some(':') && chars.next().is_some_and(is_of_a_word)
    };
    if has_port(input.peek_finish()) {
        let _: char = any.parse_next(input)?;
        let port = piece(input)?;
        node = made(What::Port(Box::new(node), Box::new(port)), input);
    }
    if let What::Word(name) = node.what
        && opt('=').parse_next(input)?.is_some()
    {
        let value = single(input)?;
        return Ok(made(What::Pair(name, Box::new(value)), input));
    }
    if peek(opt('|')).parse_next(input)?.is_some() {
        let mut all = vec![node];
        while opt('|').parse_next(input)?.is_some() {
            all.push(piece(input)?);
        }
        node = made(What::Or(all), input);
    }
    Ok(node)
}

fn piece<'a>(input: &mut Input<'a>) -> Read<Node<'a>> {
    let from = input.current_token_start();
    let Some(first) = input.peek_token() else { return wanted(input, "an argument") };
    let what = match first {
        '"' => What::Text(text(input)?),
        '@' => What::Apply("@", vec![preceded('@', single).parse_next(input)?]),
        '{' => What::Group(bracketed(input, "} at the end of the structure", '}')?),
        '[' => What::List(bracketed(input, "] at the end of the list", ']')?),
        '(' => cast(input)?,
        _ => atom(input)?,
    };
    Ok(Node { at: from..input.previous_token_end(), what })
}

fn bracketed<'a>(input: &mut Input<'a>, end: &'static str, close: char) -> Read<Vec<Node<'a>>> {
    let _: char = any.parse_next(input)?;
    let within = items(input)?;
    blanks(input)?;
    match opt(close).parse_next(input)? {
        Some(_) => Ok(within),
        None => wanted(input, end),
    }
}

/// `(uint16_t)100`
fn cast<'a>(input: &mut Input<'a>) -> Read<What<'a>> {
    let Ok(name) = preceded('(', terminated(word, ')')).parse_next(input) else {
        return wanted(input, "a width such as (uint16_t)");
    };
    let number = take_while(1.., |c: char| c.is_ascii_digit() || c == '-').parse_next(input);
    match number.map(str::parse) {
        Ok(Ok(number)) => Ok(What::Cast(name, number)),
        Ok(Err(_)) | Err(ErrMode::<Stuck>::Backtrack(_) | _) => wanted(input, "a number"),
    }
}

fn word<'a>(input: &mut Input<'a>) -> Read<&'a str> {
    take_while(1.., is_of_a_word).parse_next(input)
}

/// A number, bytes, an address, a name, or a name with its arguments.
fn atom<'a>(input: &mut Input<'a>) -> Read<What<'a>> {
    // Only what has two colons can be an IPv6 address: of the others one may end at a port.
    let is_of_ip = |c: char| c.is_ascii_hexdigit() || c == ':' || c == '.';
    let rest = input.peek_finish();
    let ahead = &rest[..rest.find(|c| !is_of_ip(c)).unwrap_or(rest.len())];
    if ahead.bytes().filter(|b| *b == b':').count() >= 2 {
        let Ok(ip) = ahead.parse() else { return wanted(input, "an IPv6 address") };
        let _: &str = take_while(1.., is_of_ip).parse_next(input)?;
        return Ok(What::Ip(IpAddr::V6(ip)));
    }
    let before = input.checkpoint();
    let read: Read<&str> =
        take_while(1.., |c: char| is_of_a_word(c) || c == '.' || c == '-').parse_next(input);
    let Ok(read) = read else { return wanted(input, "an argument") };
    if let Some(digits) = read.strip_prefix("0x") {
        if digits.len() % 2 == 1 && harness::case::written(read).is_some() {
            return Ok(What::Odd(read));
        }
        let Ok(bytes) = digits.parse::<harness::case::Hex>() else {
            input.reset(&before);
            return wanted(input, "an even number of hexadecimal digits");
        };
        return Ok(What::Hex(bytes.0));
    }
    if let Ok(number) = read.parse() {
        return Ok(What::Number(number));
    }
    if let Ok(ip) = read.parse() {
        return Ok(What::Ip(IpAddr::V4(ip)));
    }
    if !read.chars().all(is_of_a_word) || read.starts_with(|c: char| c.is_ascii_digit()) {
        input.reset(&before);
        return wanted(input, "a name, a number, or an address");
    }
    if read == "pattern" && opt('[').parse_next(input)?.is_some() {
        let digits: Read<&str> =
            preceded("0..", terminated(take_while(1.., |c: char| c.is_ascii_digit()), ']'))
                .parse_next(input);
        return match digits.map(str::parse) {
            Ok(Ok(len)) => Ok(What::Pattern(len)),
            _ => wanted(input, "a length, which begins at 0, as in pattern[0..1400],"),
        };
    }
    if peek(opt('(')).parse_next(input)?.is_some() {
        return Ok(What::Apply(read, bracketed(input, ") at the end of the arguments", ')')?));
    }
    Ok(What::Word(read))
}

/// A string of C: what stands between its quotes, escapes read.
fn text(input: &mut Input<'_>) -> Read<Vec<u8>> {
    let _: char = any.parse_next(input)?;
    let mut bytes = Vec::new();
    loop {
        let plain: &str = take_while(0.., |c| c != '"' && c != '\\').parse_next(input)?;
        bytes.extend(plain.bytes());
        let end: Option<char> = opt(any).parse_next(input)?;
        match end {
            Some('"') => return Ok(bytes),
            Some(_) => bytes.push(escaped(input)?),
            None => return wanted(input, "a quote at the end of the text"),
        }
    }
}

/// Behind a backslash.
fn escaped(input: &mut Input<'_>) -> Read<u8> {
    const HERE: &str = "an escape such as \\n, \\0, \\377 or \\xff";
    let octal = |c: char| ('0'..='7').contains(&c);
    let digits: &str = take_while(0..=3, octal).parse_next(input)?;
    if !digits.is_empty() {
        return u8::from_str_radix(digits, 8).or_else(|_| wanted(input, HERE));
    }
    let Some(c) = input.peek_token() else { return wanted(input, HERE) };
    let byte = match c {
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'a' => 7,
        'b' => 8,
        'v' => 11,
        'f' => 12,
        '\\' | '"' | '\'' | '?' => u8::try_from(c).unwrap_or_default(),
        'x' => {
            let hex = |c: char| c.is_ascii_hexdigit();
            let digits: Read<&str> = preceded('x', take_while(1..=2, hex)).parse_next(input);
            let byte = digits.ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
            return byte.map_or_else(|| wanted(input, HERE), Ok);
        }
        _ => return wanted(input, HERE),
    };
    let _: char = any.parse_next(input)?;
    Ok(byte)
}

#[cfg(test)]
mod tests;
