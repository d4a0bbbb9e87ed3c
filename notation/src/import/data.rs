//! What calls send and receive.

use harness::case::payload::pattern;
use harness::case::{Hex, Payload};

use super::far::text;
use super::log::Arg;

/// Bytes of a call, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Data {
    /// Those that the log has.
    pub(super) known: Vec<u8>,
    /// All.
    pub(super) len: usize,
}

impl Data {
    /// The bytes of an argument, of which `len` were meant; none where it is no text.
    pub(super) fn of(arg: Option<&Arg>, len: usize) -> Self {
        let mut known = match arg {
            Some(Arg::Bytes { bytes, .. }) => bytes.clone(),
            _ => Vec::new(),
        };
        known.truncate(len);
        Self { known, len }
    }

    /// Whether the log has all of them.
    pub(super) fn is_whole(&self) -> bool {
        self.known.len() == self.len
    }

    /// As a case sends them.
    pub(super) fn payload(&self) -> Payload {
        let len = u32::try_from(self.len).unwrap_or(u32::MAX);
        if self.is_whole() { text(&self.known) } else { Payload::Pattern(len) }
    }

    /// What the payload is.
    pub(super) fn sent(&self) -> Vec<u8> {
        if self.is_whole() {
            self.known.clone()
        } else {
            pattern(u32::try_from(self.len).unwrap_or(u32::MAX))
        }
    }

    /// What stands in for what the log does not have, as a sentence.
    pub(super) fn gap(&self) -> Option<String> {
        let missing = self.len - self.known.len();
        (missing > 0).then(|| {
            let len = self.len;
            format!("the log has not {missing} of its {len} bytes (strace -s): a pattern instead")
        })
    }

    /// What of received data the log does not have, as a sentence.
    pub(super) fn missed(&self) -> Option<String> {
        let missing = self.len - self.known.len();
        (missing > 0).then(|| {
            let len = self.len;
            format!("the log has not {missing} of the {len} bytes that came (strace -s): none are asked for")
        })
    }

    /// Without the first of them.
    pub(super) fn beyond(&self, bytes: usize) -> Self {
        let known = self.known.get(bytes.min(self.len)..).unwrap_or_default().to_vec();
        Self { known, len: self.len.saturating_sub(bytes) }
    }

    /// As received, if the log has them all.
    pub(super) fn received(&self) -> Option<Hex> {
        self.is_whole().then(|| Hex(self.known.clone()))
    }
}

/// The data of `[{iov_base="hi", iov_len=2}, …]`, of which `most` bytes are meant, and how much room there is
/// in all.
pub(super) fn gathered(iov: &Arg, most: Option<usize>) -> (Data, usize) {
    let (mut all, mut room) = (Data::default(), 0usize);
    for one in iov.within() {
        let len = one.field("iov_len").and_then(Arg::number);
        let len = len.and_then(|len| usize::try_from(len).ok()).unwrap_or(0);
        let wanted = most.map_or(len, |most| len.min(most.saturating_sub(room)));
        let part = Data::of(one.field("iov_base"), wanted);
        // What follows a gap has no place.
        if all.is_whole() {
            all.known.extend(part.known);
        }
        all.len = all.len.saturating_add(wanted);
        room = room.saturating_add(len);
    }
    (all, room)
}
