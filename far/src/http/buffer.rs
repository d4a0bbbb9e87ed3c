//! Bytes that came and belong to nothing yet.

use super::parse::{HEAD_LIMIT, Parsed, parse};

/// Up to which length a head is looked for whenever more of it came.
const SHORT: usize = 1 << 10;

/// Bytes that belong to nothing yet, and how far they were looked at: a head that comes in many pieces is not
/// read anew for each of them.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// Where what is still there begins.
    start: usize,
    /// How much of that was looked at for the line that ends a head.
    scanned: usize,
    /// How long the line is that is being looked at, and whether one before it had anything in it.
    line: usize,
    has_line: bool,
    /// How much there was when a head was last looked for.
    parsed: usize,
}

impl Buffer {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// The first of them belong to something now.
    pub(super) fn take(&mut self, count: usize) -> &[u8] {
        let from = self.start;
        self.start = from.saturating_add(count).min(self.bytes.len());
        (self.scanned, self.line, self.has_line, self.parsed) = (0, 0, false, 0);
        &self.bytes[from..self.start]
    }

    /// All of them are thrown away.
    pub(super) fn clear(&mut self) {
        self.take(usize::MAX);
    }

    /// Gives back the room of what was taken.
    pub(super) fn compact(&mut self) {
        self.bytes.drain(..self.start);
        self.start = 0;
    }

    /// The head that they begin with. Before all of it is there it may go unseen that it is none; `at_the_end`
    /// nothing more comes.
    pub(super) fn head(&mut self, at_the_end: bool) -> Parsed {
        let ended = self.scan();
        let len = self.bytes().len();
        let due = ended
            || at_the_end
            || len > HEAD_LIMIT
            || self.has_line && (len < SHORT || len > self.parsed + self.parsed / 8);
        if !due {
            return Parsed::Partial;
        }
        self.parsed = len;
        parse(self.bytes())
    }

    /// Whether there is an empty line behind one that is not.
    fn scan(&mut self) -> bool {
        while let Some(byte) = self.bytes.get(self.start + self.scanned) {
            self.scanned += 1;
            match byte {
                b'\n' if self.line == 0 && self.has_line => return true,
                b'\n' => self.line = 0,
                b'\r' => {}
                _ => {
                    self.line += 1;
                    self.has_line = true;
                }
            }
        }
        false
    }
}
