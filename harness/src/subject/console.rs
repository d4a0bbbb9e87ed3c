//! What a machine says beside the protocol: its console, and what its monitor complains of.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Read, Write as _, stderr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::ending::has_any;
use super::feed::{Got, read_line, size};
use super::lock;
use crate::text;

/// How many lines are remembered.
const REMEMBERED: usize = 200;

/// How many of the last lines an outcome has.
const LAST: usize = 12;

/// How many bytes a line may have; a longer one is several.
const LINE: usize = 4096;

/// How many bytes of it are kept in a file. A kernel's whole boot has a hundredth.
const MOST: usize = 8 << 20;

/// How many are where it is shown.
const MOST_SHOWN: usize = 1 << 20;

/// How a Linux kernel's last message begins.
const PANIC: &str = "Kernel panic - not syncing: ";

/// The last lines of a console, and where they go.
#[derive(Debug, Default)]
pub struct Console {
    lines: Mutex<VecDeque<String>>,
    file: Option<Mutex<File>>,
    /// Under which name they are shown, if they are.
    shown_as: Option<String>,
    /// How many bytes were kept or shown.
    said: AtomicUsize,
}

impl Console {
    /// One that is kept in `file`, and shown on standard error as `shown_as`.
    pub fn new(file: Option<File>, shown_as: Option<String>) -> Self {
        let (lines, said) = (Mutex::default(), AtomicUsize::new(0));
        Self { lines, file: file.map(Mutex::new), shown_as, said }
    }

    /// Takes lines until they end.
    pub(super) fn listen(&self, from: impl Read) {
        let mut from = BufReader::new(from);
        let mut bytes = Vec::new();
        loop {
            let got = read_line(&mut from, &mut bytes, LINE);
            if got != Got::End || !bytes.is_empty() {
                self.say(String::from_utf8_lossy(&bytes).trim_end());
            }
            if got == Got::End {
                return;
            }
        }
    }

    pub(super) fn say(&self, line: &str) {
        let before = self.said.fetch_add(line.len() + 1, Ordering::Relaxed);
        let most = if self.shown_as.is_some() { MOST_SHOWN } else { MOST };
        if before < most {
            self.keep(line);
            if before + line.len() + 1 >= most {
                self.keep(&format!("(more than {}; the rest is left out)", size(most)));
            }
        }
        let mut lines = lock(&self.lines);
        if lines.len() == REMEMBERED {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    /// Writes it to the file, and shows it.
    fn keep(&self, line: &str) {
        if let Some(name) = &self.shown_as {
            let _ = writeln!(stderr(), "{name}: {}", text::line(line, LINE));
        }
        if let Some(file) = &self.file {
            let _ = writeln!(lock(file), "{line}");
        }
    }

    /// Forgets the lines of a machine that is gone.
    pub(super) fn forget(&self) {
        lock(&self.lines).clear();
    }

    /// The message of a kernel's panic, without addresses or times.
    pub(super) fn panic(&self) -> Option<String> {
        let lines = lock(&self.lines);
        let message = lines.iter().find_map(|line| Some(line.split_once(PANIC)?.1.to_owned()));
        message.map(|message| format!("lost to a kernel panic: {}", message.trim()))
    }

    /// Whether one of these stands in a line that is remembered.
    pub(super) fn has(&self, words: &[&str]) -> bool {
        lock(&self.lines).iter().any(|line| has_any(line, words))
    }

    /// The last lines, each on one of its own after a newline.
    pub(super) fn last(&self) -> String {
        let lines = lock(&self.lines);
        let last = lines.iter().skip(lines.len().saturating_sub(LAST));
        last.flat_map(|line| ["\n", line]).collect()
    }

    /// The last line that is not empty.
    pub fn last_line(&self) -> Option<String> {
        lock(&self.lines).iter().rev().find(|line| !line.trim().is_empty()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_found_and_the_last_lines_are_kept() {
        let console = Console::default();
        for number in 0..300 {
            console.say(&format!("[    {number}.0] line {number}"));
        }
        assert_eq!(console.panic(), None);
        console.listen(&b"[    1.5] Kernel panic - not syncing: sysrq triggered crash\r\n\xff"[..]);
        assert_eq!(
            console.panic().as_deref(),
            Some("lost to a kernel panic: sysrq triggered crash")
        );
        let last = console.last();
        assert_eq!(last.lines().skip(1).count(), LAST);
        assert!(last.contains("line 299") && last.ends_with('\u{fffd}'), "{last}");
        console.forget();
        assert_eq!((console.panic(), console.last()), (None, String::new()));
    }

    /// However much is said, a file of so many bytes comes of it, and lines of a length.
    #[test]
    fn a_console_that_floods_is_cut() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let console = Console::new(Some(file.reopen().unwrap()), None);
        let line = vec![b'x'; 100_000];
        let lines =
            std::iter::repeat_n([&line[..], b"\n"].concat(), 100).flatten().collect::<Vec<u8>>();
        console.listen(&lines[..]);
        console.listen(&b"the end\n"[..]);
        let kept = file.as_file().metadata().unwrap().len();
        assert!((8 << 20..9 << 20).contains(&kept), "{kept}");
        assert!(std::fs::read_to_string(file.path()).unwrap().ends_with("is left out)\n"));
        assert!(console.last().len() < 12 * 5000 && console.last().ends_with("the end"));
    }
}
