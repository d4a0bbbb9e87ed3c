//! What of a client's frames breaks RFC 6455, and which messages they are.

use std::collections::BTreeSet;

use super::frame::{Header, LIMIT, Read};
use crate::text;

/// A message that is whole, or something that is about the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Text 1 or binary 2, whether it is compressed, and its bytes.
    Message(u8, bool, Vec<u8>),
    /// Longer than [`LIMIT`].
    TooLong,
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// A code if there is one, and its reason.
    Close(Option<u16>, String),
}

/// Follows a client's frames.
#[derive(Clone, Debug, Default)]
pub(super) struct Follower {
    /// The message that is going on: its opcode, whether it is compressed, what came.
    message: Option<(u8, bool, Vec<u8>)>,
    is_too_long: bool,
    has_closed: bool,
    /// Whether permessage-deflate was agreed (RFC 7692).
    pub(super) deflates: bool,
    mask: Option<[u8; 4]>,
}

impl Follower {
    /// What is wrong with a frame, each with its section, and what it comes to.
    pub(super) fn frame(&mut self, read: &Read) -> (Vec<String>, Option<Event>) {
        let header = &read.header;
        let mut faults = header_faults(header);
        let mut fault = |words: &str| faults.push(words.to_owned());
        let had_closed = self.has_closed;
        self.has_closed |= header.opcode == 8;
        if had_closed {
            fault("a frame behind its Close (§5.5.1)");
        }
        if let Some(mask) = header.mask
            && self.mask.replace(mask) == Some(mask)
            && header.length > 0
        {
            fault("the masking key of the frame before it (§5.3)");
        }
        let may_deflate = self.deflates && matches!(header.opcode, 1 | 2);
        if header.rsv & if may_deflate { 3 } else { 7 } != 0 {
            fault("an RSV bit that no extension was agreed for (§5.2)");
        }
        let (more, event) = match header.opcode {
            0..=2 => self.data(read),
            8 => close(&read.payload),
            9 => (None, Some(Event::Ping(read.payload.clone()))),
            10 => (None, Some(Event::Pong(read.payload.clone()))),
            _ => (None, None),
        };
        faults.extend(more.map(str::to_owned));
        (faults, event)
    }

    fn data(&mut self, read: &Read) -> (Option<&'static str>, Option<Event>) {
        let header = &read.header;
        let mut fault = None;
        match (header.opcode, &mut self.message) {
            (0, None) => return (Some("a continuation of nothing (§5.4)"), None),
            (0, Some((_, _, bytes))) => {
                self.is_too_long |= bytes.len() + read.payload.len() > LIMIT;
                if !self.is_too_long {
                    bytes.extend_from_slice(&read.payload);
                }
            }
            (opcode, message) => {
                if message.is_some() {
                    fault = Some("a new message before the last frame of another (§5.4)");
                }
                *message = Some((opcode, header.rsv & 4 != 0, read.payload.clone()));
                self.is_too_long = false;
            }
        }
        self.is_too_long |= header.length > LIMIT as u64;
        if !header.fin {
            return (fault, self.is_too_long.then_some(Event::TooLong));
        }
        let Some((opcode, is_compressed, bytes)) = self.message.take() else {
            return (fault, None);
        };
        if std::mem::take(&mut self.is_too_long) {
            return (fault, Some(Event::TooLong));
        }
        if opcode == 1 && !is_compressed && std::str::from_utf8(&bytes).is_err() {
            return (Some(NOT_UTF8), None);
        }
        (fault, Some(Event::Message(opcode, is_compressed, bytes)))
    }
}

/// What is wrong with a text that is none.
pub(super) const NOT_UTF8: &str = "text that is no UTF-8 (§8.1)";

fn header_faults(header: &Header) -> Vec<String> {
    let is_long = header.length > 125;
    let faults = [
        (header.mask.is_none(), "a frame without a mask (§5.1)"),
        (matches!(header.opcode, 3..=7 | 11..), "a reserved opcode (§5.2)"),
        (header.is_control() && !header.fin, "a control frame in fragments (§5.5)"),
        (header.is_control() && is_long, "a control frame of more than 125 bytes (§5.5)"),
        (header.is_wide(), "a length in more bytes than it needs (§5.2)"),
        (header.length >> 63 != 0, "a length whose first bit is set (§5.2)"),
    ];
    faults.iter().filter(|(is, _)| *is).map(|(_, words)| (*words).to_owned()).collect()
}

fn close(payload: &[u8]) -> (Option<&'static str>, Option<Event>) {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        let fault = (!payload.is_empty()).then_some("a Close of one byte (§5.5.1)");
        return (fault, Some(Event::Close(None, String::new())));
    };
    let code = u16::from_be_bytes(*code);
    let fault = match (code, std::str::from_utf8(reason)) {
        (1005 | 1006 | 1015, _) => Some("a Close with a code that is never sent (§7.4.1)"),
        (0..1000 | 1004 | 1016..3000 | 5000.., _) => {
            Some("a Close with a code that is nobody's (§7.4.2)")
        }
        (_, Err(_)) => Some("a Close whose reason is no UTF-8 (§5.5.1)"),
        _ => None,
    };
    (fault, Some(Event::Close(Some(code), text::lossy(reason))))
}

/// What a code says (RFC 6455 §7.4.1).
pub(super) fn code_name(code: u16) -> &'static str {
    match code {
        1000 => "normal closure",
        1001 => "going away",
        1002 => "protocol error",
        1003 => "data it cannot take",
        1005 => "no code",
        1006 => "abnormal closure",
        1007 => "data that is not what it says",
        1008 => "policy",
        1009 => "message too big",
        1010 => "extension missing",
        1011 => "internal error",
        1012 => "service restart",
        1013 => "try again later",
        1014 => "bad gateway",
        1015 => "TLS handshake",
        3000..4000 => "a registered code",
        4000..5000 => "a private code",
        _ => "a code that is nobody's",
    }
}

/// The faults' words once each.
pub(super) fn join(faults: &[String]) -> String {
    let all: BTreeSet<&str> = faults.iter().map(String::as_str).collect();
    all.into_iter().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::ws::frame::Reader;

    const MASKED: u8 = 0x80;

    /// A frame of a client: first byte, payload; each has a key of its own.
    fn from_client(first: u8, payload: &[u8]) -> Vec<u8> {
        let key = [first, 2, 3, payload.len().to_le_bytes()[0]];
        let mut out = vec![first, MASKED | u8::try_from(payload.len()).unwrap()];
        out.extend(key);
        out.extend(payload.iter().zip(0usize..).map(|(byte, i)| byte ^ key[i % 4]));
        out
    }

    fn follow(bytes: &[u8], deflates: bool) -> (Vec<String>, Vec<Event>) {
        let mut follower = Follower { deflates, ..Follower::default() };
        let (mut faults, mut events, mut bytes) = (Vec::new(), Vec::new(), bytes);
        let mut reader = Reader::default();
        while let Some(frame) = reader.next(&mut bytes) {
            let (more, event) = follower.frame(&frame);
            faults.extend(more);
            events.extend(event);
        }
        (faults, events)
    }

    #[rstest]
    #[case::right(&[from_client(0x81, b"hi")], "")]
    #[case::fragments(&[from_client(0x01, b"\xc3"), from_client(0x89, b""), from_client(0x80, b"\xa9")], "")]
    #[case::closes(&[from_client(0x88, b"\x03\xe8bye")], "")]
    #[case::private(&[from_client(0x88, b"\x0f\xa0")], "")]
    #[case::no_mask(&[b"\x81\x02hi".to_vec()], "a frame without a mask (§5.1)")]
    #[case::reserved(&[from_client(0x83, b"")], "a reserved opcode (§5.2)")]
    #[case::reserved_control(&[from_client(0x8b, b"")], "a reserved opcode (§5.2)")]
    #[case::rsv(&[from_client(0xc1, b"")], "an RSV bit that no extension was agreed for (§5.2)")]
    #[case::control_fragment(&[from_client(0x09, b"")], "a control frame in fragments (§5.5)")]
    #[case::nothing(&[from_client(0x80, b"")], "a continuation of nothing (§5.4)")]
    #[case::two(&[from_client(0x01, b""), from_client(0x81, b"a")], "a new message before the last frame of another (§5.4)")]
    #[case::text(&[from_client(0x81, b"\xff")], NOT_UTF8)]
    #[case::cut_text(&[from_client(0x01, b"\xc3"), from_client(0x80, b"a")], NOT_UTF8)]
    #[case::one(&[from_client(0x88, b"\x03")], "a Close of one byte (§5.5.1)")]
    #[case::never(&[from_client(0x88, b"\x03\xee")], "a Close with a code that is never sent (§7.4.1)")]
    #[case::nobody(&[from_client(0x88, b"\x00\x01")], "a Close with a code that is nobody's (§7.4.2)")]
    #[case::reason(&[from_client(0x88, b"\x03\xe8\xff")], "a Close whose reason is no UTF-8 (§5.5.1)")]
    #[case::behind(&[from_client(0x88, b""), from_client(0x81, b"a")], "a frame behind its Close (§5.5.1)")]
    #[case::wide(&[b"\x82\xfe\x00\x01abcdX".to_vec()], "a length in more bytes than it needs (§5.2)")]
    #[case::long_ping(&[[&b"\x89\xfe\x00\x7eabcd"[..], &[0; 126]].concat()], "a control frame of more than 125 bytes (§5.5)")]
    #[case::key(&[from_client(0x82, b"ab"), from_client(0x82, b"cd")], "the masking key of the frame before it (§5.3)")]
    fn what_breaks_the_rfc_is_told(#[case] frames: &[Vec<u8>], #[case] expected: &str) {
        let (faults, _) = follow(&frames.concat(), false);
        assert_eq!(faults.join("; "), expected);
    }

    #[test]
    fn messages_come_whole() {
        let bytes =
            [from_client(0x01, b"\xc3"), from_client(0x89, b"p"), from_client(0x80, b"\xa9")];
        let (_, events) = follow(&bytes.concat(), false);
        let text = Event::Message(1, false, "é".into());
        assert_eq!(events, [Event::Ping(b"p".to_vec()), text]);
        let (faults, events) = follow(&from_client(0xc1, b"\xff"), true);
        assert_eq!((faults.len(), events), (0, vec![Event::Message(1, true, vec![0xff])]));
        let (faults, _) = follow(&from_client(0xe1, b"\xff"), true);
        assert_eq!(faults.len(), 1);
    }
}
