//! All that the program says goes through here, so that nothing can be forgotten: what a run, a
//! subject or a name has in it is shown and never obeyed ([`mod@text`]), colours are those that this
//! program asked for, and a stream that takes no more ends the program in order.
//!
//! A style is not part of the text: it is told beside it, while a [`Painted`] is written. So no text
//! can ask for one, whatever is in it; in a `String` it is lost.

use std::cell::Cell;
use std::fmt::{self, Display, Write as _};
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::sync::OnceLock;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use anyhow::Result;
use harness::text;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;

/// How much of what is meant to be one line is shown, in bytes. Ours have some hundred.
const MOST: usize = 16 * 1024;

/// What stands before the second and each further line of what is meant to be one.
const GOES_ON: &str = "\n  | ";

/// A line on standard output.
macro_rules! outln {
    ($($arg:tt)*) => { $crate::out::line(format_args!($($arg)*)) };
}

/// A part of a line on standard output.
macro_rules! out {
    ($($arg:tt)*) => { $crate::out::part(format_args!($($arg)*)) };
}

/// A line on standard error.
macro_rules! errln {
    ($($arg:tt)*) => { $crate::out::complain(format_args!($($arg)*)) };
}

thread_local! {
    /// What the thing that is being written asked for.
    static STYLE: Cell<Style> = const { Cell::new(Style::new()) };
}

/// The first error that standard output gave. Nothing is written to it afterwards.
static FAILED: OnceLock<io::Error> = OnceLock::new();

/// Standard output takes no more, and [`end`] says why.
#[derive(Debug)]
pub(crate) struct Failed;

impl Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output cannot be written")
    }
}

impl std::error::Error for Failed {}

/// Something that is written in a style where there are colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Painted<T> {
    what: T,
    style: Style,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = STYLE.replace(self.style);
        let done = self.what.fmt(f);
        STYLE.set(before);
        done
    }
}

/// Whatever can be displayed can be painted.
pub(crate) trait Paint: Display {
    fn style(&self, style: Style) -> Painted<&Self> {
        Painted { what: self, style }
    }
    fn bold(&self) -> Painted<&Self> {
        self.style(Style::new().bold())
    }
    fn red(&self) -> Painted<&Self> {
        self.style(AnsiColor::Red.on_default())
    }
    fn green(&self) -> Painted<&Self> {
        self.style(AnsiColor::Green.on_default())
    }
}

impl<T: Display + ?Sized> Paint for T {}

/// A column of a table for each of `counts`, those that are there in their style.
pub(crate) struct Cells(pub(crate) Vec<(Option<usize>, Style)>);

impl Display for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(count, style)| match count {
            Some(count) => write!(f, "{:>11}", count.style(*style)),
            None => write!(f, "{:>11}", "."),
        })
    }
}

/// What shall be one line, as it is made.
struct Line {
    text: String,
    colours: bool,
    /// The style of the text's end.
    style: Style,
    /// How much more of what others wrote it takes, and how much it did not.
    room: usize,
    left_out: usize,
}

impl Line {
    fn of(what: fmt::Arguments<'_>, colours: bool) -> String {
        let text = String::with_capacity(128);
        let mut line = Self { text, colours, style: Style::new(), room: MOST, left_out: 0 };
        // It fails if a `Display` does, and then what it has written so far is shown.
        let _ = line.write_fmt(what);
        line.turn(Style::new());
        while line.text.ends_with(GOES_ON) {
            line.text.truncate(line.text.len() - GOES_ON.len());
        }
        if line.left_out > 0 {
            let _ = write!(line.text, "… ({} more bytes)", line.left_out);
        }
        line.text
    }

    /// Changes the style of what comes next.
    fn turn(&mut self, style: Style) {
        if self.colours && style != self.style {
            let _ = write!(self.text, "{}{style}", self.style.render_reset());
        }
        self.style = style;
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let (text, rest) = text.split_at(text.floor_char_boundary(self.room));
        self.room = if rest.is_empty() { self.room - text.len() } else { 0 };
        self.left_out += rest.len();
        self.turn(STYLE.get());
        for (number, part) in text.split('\n').enumerate() {
            if number > 0 {
                self.text.push_str(GOES_ON);
            }
            self.text.push_str(&text::shown(part));
        }
        Ok(())
    }
}

/// Whether there are colours on standard output: it is a terminal, and nothing says otherwise.
fn colours() -> bool {
    static COLOURS: OnceLock<bool> = OnceLock::new();
    *COLOURS.get_or_init(|| has_colours(&io::stdout()))
}

fn has_colours(stream: &impl anstream::stream::RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

/// Gives bytes to standard output, and remembers its error.
fn give(bytes: &[u8]) {
    if FAILED.get().is_none()
        && let Err(e) = io::stdout().lock().write_all(bytes)
    {
        let _ = FAILED.set(e);
    }
}

/// See [`outln!`].
pub(crate) fn line(what: fmt::Arguments<'_>) {
    let mut line = Line::of(what, colours());
    line.push('\n');
    give(line.as_bytes());
}

/// See [`out!`].
pub(crate) fn part(what: fmt::Arguments<'_>) {
    give(Line::of(what, colours()).as_bytes());
}

/// See [`errln!`]. If standard error takes nothing there is nobody to tell.
pub(crate) fn complain(what: fmt::Arguments<'_>) {
    let mut line = Line::of(what, has_colours(&io::stderr()));
    line.push('\n');
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// An empty line.
pub(crate) fn blank() {
    give(b"\n");
}

/// A text of many lines that this program made, whatever is in each of them.
pub(crate) fn text(text: &str) {
    give(text::shown(text).as_bytes());
}

/// How wide standard output is: as its terminal says, or where that does not know `COLUMNS`. In a file or
/// a pipe lines have no end, whatever a shell has said of its terminal.
fn width() -> Option<usize> {
    let terminal = io::stdout().is_terminal().then(io::stdout)?;
    let size = terminal_size::terminal_size_of(terminal).map(|(width, _)| usize::from(width.0));
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
    size.filter(|width| *width > 0).or_else(columns).filter(|width| *width > 0)
}

/// A text in lines of `width` that break between words, if `used` columns stand before the first of them
/// and `indent` before the others. A word that is longer has a line of its own.
fn wrap(text: &str, used: usize, indent: usize, width: Option<usize>) -> Vec<String> {
    fill(text.split(' '), used, indent, width)
}

/// The same of words that may have spaces in them. An empty one is a space more: those before a text stay.
fn fill<'w>(
    words: impl Iterator<Item = &'w str>,
    used: usize,
    indent: usize,
    width: Option<usize>,
) -> Vec<String> {
    let width = width.unwrap_or(usize::MAX);
    let (mut lines, mut line, mut column) = (Vec::new(), String::new(), used);
    // Behind a break there is no space, however many stood there.
    let (mut begins, mut broken) = (true, false);
    for word in words {
        let long = word.chars().count();
        if !begins && !line.trim().is_empty() && column + 1 + long > width {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            (column, begins, broken) = (indent, true, true);
        }
        if broken && begins && word.is_empty() {
            continue;
        }
        if !begins {
            line.push(' ');
            column += 1;
        }
        line.push_str(word);
        column += long;
        begins = false;
    }
    lines.push(line);
    lines
}

/// A text behind `head`, which has `used` columns, in lines that break between words.
pub(crate) fn paragraph(head: fmt::Arguments<'_>, used: usize, indent: usize, text: &str) {
    lines_behind(head, indent, &wrap(text, used, indent, width()));
}

/// Things side by side, none of which is broken: commands that can be pasted.
pub(crate) fn items(head: fmt::Arguments<'_>, used: usize, indent: usize, items: &[String]) {
    let last = items.len().saturating_sub(1);
    let dotted = |(number, item): (usize, &String)| {
        if number < last { format!("{item} ·") } else { item.clone() }
    };
    let items: Vec<String> = items.iter().enumerate().map(dotted).collect();
    let words = items.iter().map(String::as_str);
    lines_behind(head, indent, &fill(words, used, indent, width()));
}

fn lines_behind(head: fmt::Arguments<'_>, indent: usize, lines: &[String]) {
    for (number, text) in lines.iter().enumerate() {
        match number {
            0 => line(format_args!("{head}{text}")),
            _ => line(format_args!("{:indent$}{text}", "")),
        }
    }
}

/// A line of JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    json_line(&serde_json::to_string(value)?);
    Ok(())
}

/// A line of JSON that is text already, or is displayed as such.
pub(crate) fn json_line(line: &impl Display) {
    give(format!("{}\n", text::json(&line.to_string())).as_bytes());
}

/// What clap says: help on standard output, and what is wrong on standard error.
///
/// It quotes arguments among its own colours, so that it is asked again (`again`) about arguments in
/// which nothing is obeyed. If it finds nothing wrong with those, it has no colours.
pub(crate) fn usage(error: &clap::Error, again: impl Fn(Vec<String>) -> Option<clap::Error>) {
    let fit = |word: std::ffi::OsString| text::line(&word.to_string_lossy(), MOST).into_owned();
    let words: Vec<String> = std::env::args_os().skip(1).map(fit).collect();
    let fit = again(std::iter::once("sockeye".to_owned()).chain(words).collect());
    let is_error = error.use_stderr();
    let colours = if is_error { has_colours(&io::stderr()) } else { colours() };
    let said = match fit {
        Some(fit) if colours => fit.render().ansi().to_string(),
        fit => text::shown(&fit.as_ref().unwrap_or(error).render().to_string()).into_owned(),
    };
    if is_error {
        let _ = io::stderr().lock().write_all(said.as_bytes());
    } else {
        give(said.as_bytes());
    }
}

/// Where the executor answers: JSON for a program, by its protocol.
pub(crate) fn protocol() -> io::Stdout {
    io::stdout()
}

/// Fails once standard output has, for what would go on forever.
pub(crate) fn is_read() -> Result<(), Failed> {
    if FAILED.get().is_some() { Err(Failed) } else { Ok(()) }
}

/// Why not all could be written, unless its reader has seen enough and closed it.
pub(crate) fn end() -> Result<(), &'static io::Error> {
    if FAILED.get().is_none()
        && let Err(e) = io::stdout().lock().flush()
    {
        let _ = FAILED.set(e);
    }
    match FAILED.get() {
        Some(e) if e.kind() != ErrorKind::BrokenPipe => Err(e),
        _ => Ok(()),
    }
}

/// Bars of progress, on a terminal only.
#[derive(Debug, Default)]
pub(crate) struct Bars(MultiProgress);

/// One of them.
#[derive(Debug)]
pub(crate) struct Bar(ProgressBar);

impl Bars {
    /// One more, under a name.
    pub(crate) fn add(&self, name: &str, cases: usize) -> Bar {
        let bar = self.0.add(ProgressBar::new(cases as u64));
        // Without a terminal nothing is drawn, and nothing has to be laid out.
        if io::stderr().is_terminal()
            && let Ok(style) = ProgressStyle::with_template("{prefix}{bar:40} {pos}/{len} {msg}")
        {
            bar.set_style(style);
        }
        bar.set_prefix(text::line(name, 80).into_owned());
        Bar(bar)
    }

    /// Says something while they are not there.
    pub(crate) fn suspend(&self, say: impl FnOnce()) {
        self.0.suspend(say);
    }
}

impl Bar {
    pub(crate) fn tick(&self) {
        self.0.inc(1);
    }

    pub(crate) fn say(&self, what: &str) {
        self.0.set_message(text::line(what, 80).into_owned());
    }

    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn plain(what: fmt::Arguments<'_>) -> String {
        Line::of(what, false)
    }

    #[test]
    fn styles_are_ours_alone() {
        let hostile = "\x1b[31mred\x1b[0m";
        let coloured = Line::of(format_args!("{:6}|{hostile}|", "ok".green()), true);
        assert_eq!(coloured, "\x1b[32mok    \x1b[0m|\\x1b[31mred\\x1b[0m|");
        assert_eq!(plain(format_args!("{:6}|", "ok".green())), "ok    |");
        let inside = Line::of(format_args!("{}", hostile.bold()), true);
        assert_eq!(inside, "\x1b[1m\\x1b[31mred\\x1b[0m\x1b[0m");
        // A `String` on the way loses the style, and a text cannot bring one.
        let lost = format!("{}", "ok".green());
        assert_eq!(Line::of(format_args!("{lost}"), true), "ok");
    }

    #[rstest]
    #[case("a\nb", "a\n  | b")]
    #[case("a\n\nsockeye: all is well\n", "a\n  | \n  | sockeye: all is well")]
    #[case("a\r\u{2028}b", "a\\r\\u{2028}b")]
    fn nobody_begins_a_line_but_us(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(plain(format_args!("{text}")), expected);
    }

    #[test]
    fn lines_break_between_words() {
        let text = "deviates since the path MTU of the whole host is changed";
        let lines = wrap(text, 6, 2, Some(24));
        assert_eq!(lines, ["deviates since the", "path MTU of the whole", "host is changed"]);
        assert_eq!(wrap(text, 6, 2, None), [text]);
        // A word is never broken, however long it is.
        assert_eq!(wrap("a link-state/netdown b", 0, 0, Some(8)), ["a", "link-state/netdown", "b"]);
        assert_eq!(wrap("", 0, 0, Some(8)), [""]);
        // Frames of an outcome are set in below their call.
        assert_eq!(wrap("    > link0 UDP len 6", 4, 4, None), ["    > link0 UDP len 6"]);
        assert_eq!(wrap("  > link0 UDP len 6", 4, 4, Some(14)), ["  > link0", "UDP len 6"]);
        assert_eq!(wrap("a   b", 0, 0, None), ["a   b"]);
        assert_eq!(wrap("abc   b", 0, 0, Some(4)), ["abc", "b"]);
        // A command stays whole.
        let words = ["sockeye show 'a' ·", "sockeye help"].into_iter();
        assert_eq!(fill(words, 6, 6, Some(20)), ["sockeye show 'a' ·", "sockeye help"]);
    }

    #[test]
    fn a_line_is_not_endless() {
        let long = "ä".repeat(MOST);
        let line = plain(format_args!("x{long}, and {}", "more"));
        assert!(line.len() < MOST + 40, "{}", line.len());
        let left_out = 2 * MOST - (MOST - 2) + 10;
        assert!(line.ends_with(&format!("ä… ({left_out} more bytes)")), "{left_out}");
    }
}
