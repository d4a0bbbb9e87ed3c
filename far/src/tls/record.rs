//! What can be read of TLS records without any key: the `ClientHello`, and alerts that are not encrypted.

/// How long a `ClientHello` may be before it is given up, in bytes.
const LONGEST: usize = 64 << 10;

/// What was found in records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The first handshake message is there; its header and body, and how long each record was that it came in.
    Message(Vec<u8>, Vec<usize>),
    /// The first handshake message is longer than 64 KiB, or in thousands of records.
    TooLong,
    /// Something else than a handshake came first: its content type.
    Other(u8),
    /// An alert that is not encrypted: level and description.
    Alert(u8, u8),
}

/// Reads one direction, a record at a time; it keeps no more than the first handshake message.
#[derive(Debug, Default)]
pub struct Scanner {
    head: Vec<u8>,
    kind: u8,
    length: usize,
    left: usize,
    /// Of an alert.
    alert: Vec<u8>,
    message: Vec<u8>,
    records: Vec<usize>,
    /// The first handshake message is through, or there is none.
    is_past: bool,
}

impl Scanner {
    /// Takes what came, and tells what is in it.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        while let Some(&byte) = bytes.first() {
            if self.left == 0 {
                bytes = &bytes[1..];
                self.head.push(byte);
                self.head_byte(&mut found);
                continue;
            }
            let (now, rest) = bytes.split_at(bytes.len().min(self.left));
            bytes = rest;
            self.left -= now.len();
            match self.kind {
                // With padding, MAC or tag it would be longer.
                21 if self.length == 2 => {
                    self.alert.extend(now);
                    if let [level, code] = self.alert[..] {
                        found.push(Found::Alert(level, code));
                        self.alert.clear();
                    }
                }
                22 if !self.is_past => self.handshake(now, &mut found),
                _ => {}
            }
        }
        found
    }

    fn head_byte(&mut self, found: &mut Vec<Found>) {
        let [kind, _, _, a, b] = self.head[..] else { return };
        self.head.clear();
        self.kind = kind;
        self.length = usize::from(u16::from_be_bytes([a, b]));
        self.left = self.length;
        if self.is_past {
            return;
        }
        // ChangeCipherSpec means nothing any more (RFC 8446 §5) and may stand anywhere.
        if kind == 20 {
            return;
        }
        self.records.push(self.length);
        if kind != 22 {
            self.is_past = true;
            found.push(Found::Other(kind));
        } else if self.records.len() > LONGEST / 16 {
            self.is_past = true;
            found.push(Found::TooLong);
        }
    }

    fn handshake(&mut self, now: &[u8], found: &mut Vec<Found>) {
        self.message.extend(now);
        let [_, a, b, c, ..] = self.message[..] else { return };
        let length = 4 + u32::from_be_bytes([0, a, b, c]) as usize;
        if length > LONGEST {
            found.push(Found::TooLong);
        } else if self.message.len() >= length {
            self.message.truncate(length);
            let records = std::mem::take(&mut self.records);
            found.push(Found::Message(std::mem::take(&mut self.message), records));
        } else {
            return;
        }
        self.is_past = true;
        self.message = Vec::new();
        self.records = Vec::new();
    }
}

/// Whether what came first can be a TLS record: its content type and its major version.
pub fn is_record(first: &[u8]) -> bool {
    match first {
        [] => true,
        [kind] => (20..=24).contains(kind),
        [kind, major, ..] => (20..=24).contains(kind) && *major == 3,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HELLO: &[u8] = &[1, 0, 0, 3, 7, 8, 9];

    fn record(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&[kind, 3, 1], &length[..], body].concat()
    }

    #[test]
    fn a_message_in_pieces_is_one() {
        let bytes = [record(22, &HELLO[..2]), record(22, &HELLO[2..]), record(21, &[2, 48])];
        let found = Scanner::default().feed(&bytes.concat());
        assert_eq!(found, [Found::Message(HELLO.to_vec(), vec![2, 5]), Found::Alert(2, 48)]);
    }

    #[test]
    fn only_a_plain_alert_is_one() {
        let mut scanner = Scanner::default();
        assert_eq!(scanner.feed(&record(23, &[2, 48])), [Found::Other(23)]);
        assert_eq!(scanner.feed(&record(21, &[0; 26])), []);
        assert_eq!(scanner.feed(&record(21, &[1, 0])), [Found::Alert(1, 0)]);
    }

    #[test]
    fn what_means_nothing_is_skipped() {
        let bytes = [record(20, &[1]), record(22, HELLO)].concat();
        assert_eq!(Scanner::default().feed(&bytes), [Found::Message(HELLO.to_vec(), vec![7])]);
    }

    #[test]
    fn what_is_too_long_is_given_up() {
        assert_eq!(Scanner::default().feed(&record(22, &[1, 1, 0, 0])), [Found::TooLong]);
        let empty = record(22, &[]).repeat(5000);
        assert_eq!(Scanner::default().feed(&empty), [Found::TooLong]);
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(
            kinds in prop::collection::vec((20_u8..25, prop::collection::vec(any::<u8>(), 0..9)), 0..9),
            junk in prop::collection::vec(any::<u8>(), 0..40),
            size in 1_usize..7,
        ) {
            let records = kinds.iter().map(|(kind, body)| record(*kind, body));
            let bytes = records.chain([junk]).collect::<Vec<_>>().concat();
            let whole = Scanner::default().feed(&bytes);
            let mut scanner = Scanner::default();
            let pieces: Vec<Found> = bytes.chunks(size).flat_map(|c| scanner.feed(c)).collect();
            prop_assert_eq!(whole, pieces);
        }
    }
}
