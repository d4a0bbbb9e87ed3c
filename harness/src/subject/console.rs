//! What a machine says beside the protocol: its console, and what its monitor complains of.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Write as _, stderr};
use std::sync::Mutex;

use super::lock;
use crate::text;

/// How many lines are remembered.
const REMEMBERED: usize = 200;

/// How many of the last lines an outcome has.
const LAST: usize = 12;

/// How much of a line is shown, in characters.
const LONGEST: usize = 1000;

/// How a Linux kernel's last message begins.
const PANIC: &str = "Kernel panic - not syncing: ";

/// The last lines of a console, and where they go.
#[derive(Debug, Default)]
pub struct Console {
    lines: Mutex<VecDeque<String>>,
    file: Option<Mutex<File>>,
    /// Under which name they are shown, if they are.
    shown_as: Option<String>,
}

impl Console {
    /// One that is kept in `file`, and shown on standard error as `shown_as`.
    pub fn new(file: Option<File>, shown_as: Option<String>) -> Self {
        Self { lines: Mutex::default(), file: file.map(Mutex::new), shown_as }
    }

    /// Takes lines until they end.
    pub(super) fn listen(&self, from: impl Read) {
        let mut from = BufReader::new(from);
        let mut bytes = Vec::new();
        while from.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
            self.say(String::from_utf8_lossy(&bytes).trim_end());
            bytes.clear();
        }
    }

    pub(super) fn say(&self, line: &str) {
        if let Some(name) = &self.shown_as {
            let _ = writeln!(stderr(), "{name}: {}", text::line(line, LONGEST));
        }
        if let Some(file) = &self.file {
            let _ = writeln!(lock(file), "{line}");
        }
        let mut lines = lock(&self.lines);
        if lines.len() == REMEMBERED {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
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
}
