//! Lines of the control connection, with the Telnet commands between them (RFC 959 §5.3, RFC 854).

/// How long a command may be.
pub(super) const LIMIT: usize = 1 << 10;

const IAC: u8 = 0xff;

/// A line, or what is to be said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Without its end; [`LIMIT`] at the most.
    pub(super) text: Vec<u8>,
    /// Whether it was longer.
    pub(super) is_cut: bool,
    /// Whether it ended with LF alone.
    pub(super) is_bare: bool,
    /// Telnet commands that came before or in it; 8 at the most.
    pub(super) telnet: Vec<&'static str>,
}

/// Reads lines, however they are cut.
#[derive(Clone, Debug, Default)]
pub(super) struct Reader {
    line: Line,
    /// How much of a Telnet command came.
    telnet: Telnet,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Telnet {
    #[default]
    None,
    Iac,
    /// WILL, WONT, DO or DONT: an option follows.
    Option,
}

impl Reader {
    /// The next line, with what of `bytes` belongs to it taken.
    pub(super) fn next(&mut self, bytes: &mut &[u8]) -> Option<Line> {
        while let Some((&byte, rest)) = bytes.split_first() {
            *bytes = rest;
            match std::mem::take(&mut self.telnet) {
                Telnet::None if byte == IAC => self.telnet = Telnet::Iac,
                Telnet::None if byte == b'\n' => {
                    let mut line = std::mem::take(&mut self.line);
                    line.is_bare = line.text.pop_if(|last| *last == b'\r').is_none();
                    return Some(line);
                }
                Telnet::None => self.push(byte),
                Telnet::Iac if byte == IAC => self.push(byte),
                Telnet::Iac => {
                    if matches!(byte, 0xfb..=0xfe) {
                        self.telnet = Telnet::Option;
                    }
                    if self.line.telnet.len() < 8 {
                        self.line.telnet.push(name(byte));
                    }
                }
                Telnet::Option => {}
            }
        }
        None
    }

    fn push(&mut self, byte: u8) {
        if self.line.text.len() < LIMIT {
            self.line.text.push(byte);
        } else if byte != b'\r' {
            self.line.is_cut = true;
        }
    }

    /// What came of a line that has no end.
    pub(super) fn rest(&self) -> &[u8] {
        &self.line.text
    }
}

/// A Telnet command (RFC 854).
fn name(byte: u8) -> &'static str {
    match byte {
        0xf1 => "NOP",
        0xf2 => "DM",
        0xf3 => "BRK",
        0xf4 => "IP",
        0xf5 => "AO",
        0xf6 => "AYT",
        0xfb => "WILL",
        0xfc => "WONT",
        0xfd => "DO",
        0xfe => "DONT",
        _ => "another",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn all(pieces: &[&[u8]]) -> Vec<Line> {
        let mut reader = Reader::default();
        let mut lines = Vec::new();
        for piece in pieces {
            let mut bytes = *piece;
            while let Some(line) = reader.next(&mut bytes) {
                lines.push(line);
            }
        }
        lines
    }

    #[rstest]
    #[case(b"NOOP\r\n", b"NOOP", false, &[])]
    #[case(b"NOOP\n", b"NOOP", true, &[])]
    #[case(b"\xff\xf4\xff\xf2ABOR\r\n", b"ABOR", false, &["IP", "DM"])]
    #[case(b"\xf2ABOR\r\n", b"\xf2ABOR", false, &[])]
    #[case(b"CWD \xff\xff\r\n", b"CWD \xff", false, &[])]
    #[case(b"\xff\xfb\x01NOOP\r\n", b"NOOP", false, &["WILL"])]
    fn a_line_is_what_telnet_leaves(
        #[case] bytes: &[u8],
        #[case] text: &[u8],
        #[case] is_bare: bool,
        #[case] telnet: &[&'static str],
    ) {
        let expected =
            Line { text: text.to_vec(), is_bare, telnet: telnet.to_vec(), is_cut: false };
        assert_eq!(all(&[bytes]), [expected]);
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let long = [&[b'a'; LIMIT][..], b"\r\n", &[b'b'; LIMIT], b"bb\r\nNOOP\r\n"].concat();
        let cut: Vec<bool> = all(&[&long]).iter().map(|line| line.is_cut).collect();
        assert_eq!(cut, [false, true, false]);
    }

    proptest! {
        #[test]
        fn lines_are_the_same_in_any_pieces(
            bytes in prop::collection::vec(prop::sample::select(vec![b'a', b'\r', b'\n', IAC, 0xf4, 0xfb]), 0..60),
            cut in 0usize..60,
        ) {
            let cut = cut.min(bytes.len());
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            let whole = all(&[&bytes]);
            prop_assert_eq!(&whole, &all(&[&bytes[..cut], &bytes[cut..]]));
            prop_assert_eq!(&whole, &all(&single));
        }
    }
}
