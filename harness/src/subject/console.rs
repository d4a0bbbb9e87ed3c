//! What a machine says beside the protocol: its console, and what its monitor complains of.

use std::collections::VecDeque;
use std::fmt;
use std::io::{BufReader, Read};
use std::sync::Mutex;

use super::ending::has_any;
use super::feed::{Got, read_line, size};
use super::lock;

/// How many lines are remembered.
const REMEMBERED: usize = 200;

/// How many of the last lines an outcome has.
const LAST: usize = 12;

/// How many bytes a line may have; a longer one is several.
const LINE: usize = 4096;

/// How many bytes of one machine are kept. A kernel's whole boot has a hundredth.
const MOST_KEPT: usize = 8 << 20;

/// How many are shown.
const MOST_SHOWN: usize = 1 << 20;

/// Of how many machines that much is let through, one after the other.
const MOST_MACHINES: usize = 16;

/// How a Linux kernel's last message begins.
const PANIC: &str = "Kernel panic - not syncing: ";

/// Who is told each line, which may have anything in it.
pub type Told = Box<dyn Fn(&str) + Send + Sync>;

/// The last lines of a console, and who is told of all.
#[derive(Default)]
pub struct Console {
    lines: Mutex<VecDeque<String>>,
    /// Where it is kept and where it is shown: neither takes from the other.
    to: Vec<(Told, Mutex<Room>)>,
}

/// How much more goes there.
struct Room {
    /// Of one machine.
    most: usize,
    /// Of the one that there is.
    left: usize,
    /// Of all that come.
    whole: usize,
    /// Whether it was said of this machine that it is cut.
    said: bool,
}

impl Room {
    fn of(most: usize) -> Mutex<Self> {
        Mutex::new(Self { most, left: most, whole: most * MOST_MACHINES, said: false })
    }

    /// Takes so many bytes; whether they are let through, and what is to be said behind them if nothing more
    /// is. Where others have left no room, that is all that is told of a machine.
    fn take(&mut self, bytes: usize) -> (bool, Option<String>) {
        let goes = self.left.min(self.whole) > 0;
        if goes {
            self.left = self.left.saturating_sub(bytes);
            self.whole = self.whole.saturating_sub(bytes);
        }
        let cut = if self.whole == 0 {
            Some((self.most * MOST_MACHINES, "all machines"))
        } else if self.left == 0 {
            Some((self.most, "this machine"))
        } else {
            None
        };
        let cut = cut.filter(|_| !std::mem::replace(&mut self.said, true));
        let says =
            |(most, whose)| format!("(more than {} of {whose}; the rest is left out)", size(most));
        (goes, cut.map(says))
    }

    /// Another machine.
    fn renew(&mut self) {
        (self.left, self.said) = (self.most, false);
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl Console {
    /// One that is `kept`, and one that is `shown`.
    pub fn new(kept: Option<Told>, shown: Option<Told>) -> Self {
        let kept = kept.map(|told| (told, Room::of(MOST_KEPT)));
        let shown = shown.map(|told| (told, Room::of(MOST_SHOWN)));
        Self { lines: Mutex::default(), to: kept.into_iter().chain(shown).collect() }
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
        for (told, room) in &self.to {
            let (goes, cut) = lock(room).take(line.len() + 1);
            if goes {
                told(line);
            }
            if let Some(cut) = cut {
                told(&cut);
            }
        }
        let mut lines = lock(&self.lines);
        if lines.len() == REMEMBERED {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    /// Forgets the lines of a machine that is gone: the next one may say as much.
    pub(super) fn forget(&self) {
        lock(&self.lines).clear();
        for (_, room) in &self.to {
            lock(room).renew();
        }
    }

    /// The message of a kernel's panic, without addresses or times; or what is known to be behind it.
    pub(super) fn panic(&self) -> Option<String> {
        let lines = lock(&self.lines);
        if lines.iter().any(|line| line.contains(REGISTERS)) {
            return Some(
                "this User-Mode Linux does not know all registers of this host's processor (AMX); 7.2 does"
                    .to_owned(),
            );
        }
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

/// What User-Mode Linux up to 6.12 says where the processor has more registers than it has room for
/// (`arch/um/os-Linux/registers.c`).
const REGISTERS: &str = "ptrace set fp regs failed, errno = 14";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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

    #[test]
    fn a_processor_that_a_kernel_does_not_know_is_said() {
        let console = Console::default();
        console.say("userspace - ptrace set fp regs failed, errno = 14");
        console.say("Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b");
        assert!(
            console.panic().is_some_and(|said| said.contains("(AMX)")),
            "{:?}",
            console.panic()
        );
    }

    /// What it tells, and how many bytes that were.
    fn teller() -> (Told, Arc<Mutex<(usize, String)>>) {
        let told: Arc<Mutex<(usize, String)>> = Arc::default();
        let to = Arc::clone(&told);
        let tell = move |line: &str| {
            let mut told = lock(&to);
            told.0 += line.len() + 1;
            line.clone_into(&mut told.1);
        };
        (Box::new(tell), told)
    }

    /// However much is said, so many bytes go on, and lines of a length. What is shown takes nothing from
    /// what is kept.
    #[test]
    fn a_console_that_floods_is_cut() {
        let ((keep, kept), (show, shown)) = (teller(), teller());
        let console = Console::new(Some(keep), Some(show));
        let line = vec![b'x'; 100_000];
        let lines =
            std::iter::repeat_n([&line[..], b"\n"].concat(), 100).flatten().collect::<Vec<u8>>();
        console.listen(&lines[..]);
        console.listen(&b"the end\n"[..]);
        for (told, most) in [(&kept, 8 << 20), (&shown, 1 << 20)] {
            let told = lock(told);
            assert!((most..most + 8192).contains(&told.0), "{}", told.0);
            assert!(told.1.ends_with("of this machine; the rest is left out)"), "{}", told.1);
        }
        assert!(console.last().len() < 12 * 5000 && console.last().ends_with("the end"));
        // Another machine may say as much, and sixteen of them no more than that: of each that comes later
        // this is said, and once.
        let mut before = 0;
        for machine in 1..40 {
            console.forget();
            before = lock(&shown).0;
            console.listen(&lines[..]);
            let (whose, is) = (["this machine", "all machines"], usize::from(machine >= 15));
            let cut = format!("of {}; the rest is left out)", whose[is]);
            assert!(lock(&shown).1.ends_with(&cut), "{machine}: {}", lock(&shown).1);
        }
        assert!(lock(&shown).0 - before < 100, "one line is all that is told of the last");
        let most = 16 << 20;
        assert!((most..most + 40 * 8192).contains(&lock(&shown).0), "{}", lock(&shown).0);
    }
}
