//! Which payload some bytes are: whole, a piece at an offset, or not what was sent.

use std::cell::OnceCell;

use super::packets::framing;
use crate::case::payload::quoted;
use crate::case::{Case, LabOp, Op, Payload};
use crate::trace::{Direction, Event, Trace};
use crate::wire::{self, Body};

/// What the bytes that a run shows may be.
pub(super) struct Sources<'a> {
    case: &'a Case,
    trace: Option<&'a Trace>,
    /// The longest pattern that the case sends.
    pattern: u32,
    /// What each socket sends, in its order, and the frames that the case injects; made when first
    /// asked for.
    own: OnceCell<Vec<Vec<u8>>>,
    /// The data that the far ends sent, made when first asked for.
    far: OnceCell<Vec<u8>>,
}

/// Where bytes were seen, and so whose they may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// In what the host sent: the case's.
    Sent,
    /// In what a socket received: the case's, or a far end's.
    Received,
    /// Where anybody's bytes are: in what a far end sent, and with headers in what a raw socket
    /// received.
    Anywhere,
}

/// The longest payload that is shown byte by byte.
const SHOWN: usize = 64;

impl<'a> Sources<'a> {
    pub(super) fn new(case: &'a Case, trace: Option<&'a Trace>) -> Self {
        let said = case.said().filter_map(|(_, frame)| frame.data());
        let all = case.ops.iter().flat_map(Op::payloads).chain(said);
        let patterns = all.flat_map(Payload::parts).filter_map(|data| match data {
            Payload::Pattern(len) => Some(*len),
            Payload::Text(_) | Payload::Parts(_) => None,
        });
        let pattern = patterns.max().unwrap_or(0);
        Self { case, trace, pattern, own: OnceCell::new(), far: OnceCell::new() }
    }

    /// Says which bytes they are. `offset` is where they should start in what was sent. Bytes that
    /// nobody sent who could have are `DIFFERENT`.
    pub(super) fn identify(&self, bytes: &[u8], offset: u32, seen: Seen) -> String {
        if bytes.is_empty() {
            return describe(bytes);
        }
        if let Some(start) = self.pattern_start(bytes, offset) {
            return format!("pattern[{start}..{}]", start as usize + bytes.len());
        }
        // What a program of the user's sends is not known beforehand.
        let known = self.case.runs_a_program()
            || match seen {
                Seen::Sent => self.is_own(bytes),
                Seen::Received => self.is_own(bytes) || self.is_far(bytes),
                Seen::Anywhere => true,
            };
        if known { describe(bytes) } else { format!("DIFFERENT data {}", describe(bytes)) }
    }

    /// Where in the pattern the bytes are.
    fn pattern_start(&self, bytes: &[u8], offset: u32) -> Option<u32> {
        let len = u32::try_from(bytes.len()).ok()?;
        let is_at = |start: u32| {
            start.checked_add(len).is_some_and(|end| end <= self.pattern)
                && (start..).zip(bytes).all(|(at, byte)| pattern_byte(at) == *byte)
        };
        if is_at(offset) {
            return Some(offset);
        }
        // Any whole word tells where it is.
        let words = bytes.windows(4).zip(0u32..4).filter_map(|(word, skipped)| {
            let word = u32::from_be_bytes(word.try_into().ok()?);
            word.checked_mul(4)?.checked_sub(skipped)
        });
        words.into_iter().find(|start| is_at(*start))
    }

    fn is_own(&self, bytes: &[u8]) -> bool {
        let own = self.own.get_or_init(|| {
            let mut by_fd: Vec<(&str, Vec<u8>)> = Vec::new();
            for op in &self.case.ops {
                // What is in a file goes out by no socket's own call.
                let makes = op.makes().first().copied();
                let Some(fd) = op.fd().or(makes) else { continue };
                let bytes = match op {
                    Op::Raw { .. } => op.written().unwrap_or_default(),
                    op => op.payloads().into_iter().flat_map(Payload::bytes).collect(),
                };
                match by_fd.iter_mut().find(|(name, _)| *name == fd) {
                    Some((_, stream)) => stream.extend(bytes),
                    None => by_fd.push((fd, bytes)),
                }
            }
            let injected = injected(self.case).map(|(_, frame)| frame.to_vec());
            let said = self.case.said().filter_map(|(_, frame)| frame.data()).map(Payload::bytes);
            by_fd.into_iter().map(|(_, stream)| stream).chain(injected).chain(said).collect()
        });
        own.iter().any(|stream| contains(stream, bytes))
    }

    /// Not what they quote or echo: that is the host's own.
    fn is_far(&self, bytes: &[u8]) -> bool {
        let far = self.far.get_or_init(|| {
            let mut far = Vec::new();
            let Some(trace) = self.trace else { return far };
            // In the order of the sequence, too: by hand it may be another one than that of the wire.
            let mut by_hand: Vec<(u32, &[u8])> = Vec::new();
            let sorts = self.case.by_hand().next().is_some();
            for event in &trace.events {
                let Event::Frame { dir: Direction::In, link, bytes, .. } = event else { continue };
                let kind = trace.links.iter().find(|l| l.name == *link).and_then(|l| l.kind);
                far.extend(match wire::decode(framing(kind), &bytes.0).body() {
                    Some(Body::Udp(udp)) => udp.payload,
                    Some(Body::Tcp(tcp)) => {
                        by_hand.extend(sorts.then_some((tcp.seq, tcp.payload)));
                        tcp.payload
                    }
                    Some(Body::Fragment(bytes)) => bytes,
                    _ => continue,
                });
            }
            by_hand.sort_by_key(|(seq, _)| *seq);
            far.extend(by_hand.into_iter().flat_map(|(_, data)| data));
            far
        });
        contains(far, bytes)
    }
}

fn contains(stream: &[u8], bytes: &[u8]) -> bool {
    stream.windows(bytes.len()).any(|piece| piece == bytes)
}

/// The frames that the case itself puts on links.
pub(super) fn injected(case: &Case) -> impl Iterator<Item = (&str, &[u8])> {
    let steps = case.ops.iter().filter_map(|op| match op {
        Op::Lab { step } => Some(step),
        _ => None,
    });
    case.lab.setup.iter().chain(steps).filter_map(|step| match step {
        LabOp::Inject { link, frame } => Some((link.as_str(), &frame.0[..])),
        _ => None,
    })
}

fn pattern_byte(at: u32) -> u8 {
    (at / 4).to_be_bytes()[(at % 4) as usize]
}

/// A payload of the case.
pub(super) fn payload(payload: &Payload) -> String {
    match payload {
        Payload::Pattern(len) => format!("pattern[0..{len}]"),
        Payload::Text(_) | Payload::Parts(_) => describe(&payload.bytes()),
    }
}

/// The bytes themselves when they are few, else how many and their checksum.
pub(super) fn describe(bytes: &[u8]) -> String {
    if bytes.len() <= SHOWN {
        quoted(bytes)
    } else {
        format!("{} bytes crc32 {:08x}", bytes.len(), crc32(bytes))
    }
}

/// The checksum of gzip, zlib and Ethernet (ISO 3309), as `crc32` and `cksum -a crc32b` print it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::tests::{case, send, trace};
    use super::*;
    use crate::case::payload::pattern;
    use crate::wire::build;

    fn identify(ops: &[Op], bytes: &[u8], offset: u32) -> String {
        let case = case(ops.iter().cloned());
        Sources::new(&case, None).identify(bytes, offset, Seen::Sent)
    }

    #[test]
    fn the_check_value_of_crc32() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[rstest]
    #[case::whole(0, 3000, 0, "pattern[0..3000]")]
    #[case::fragment(1472, 2952, 1472, "pattern[1472..2952]")]
    #[case::not_where_it_should_be(1480, 2952, 1472, "pattern[1480..2952]")]
    #[case::segment(1001, 2001, 0, "pattern[1001..2001]")]
    #[case::short_where_it_should_be(2998, 3000, 2998, "pattern[2998..3000]")]
    fn pieces_of_the_pattern(
        #[case] start: usize,
        #[case] end: usize,
        #[case] offset: u32,
        #[case] expected: &str,
    ) {
        let bytes = &pattern(3000)[start..end];
        assert_eq!(identify(&[send("s", Payload::Pattern(3000))], bytes, offset), expected);
    }

    #[rstest]
    #[case::whole(b"hello\0", r#""hello\0""#)]
    #[case::piece(b"ell", r#""ell""#)]
    #[case::two_sends(b"lo\0wor", r#""lo\0wor""#)]
    #[case::nothing(b"", r#""""#)]
    #[case::different(b"hellO\0", r#"DIFFERENT data "hellO\0""#)]
    fn pieces_of_text(#[case] bytes: &[u8], #[case] expected: &str) {
        let text = |text: &str| send("s", Payload::Text(text.into()));
        assert_eq!(identify(&[text("hello\0"), text("world")], bytes, 0), expected);
    }

    #[test]
    fn one_wrong_byte_in_many_is_loud() {
        let mut bytes = pattern(1472);
        bytes[1000] ^= 1;
        let said = identify(&[send("s", Payload::Pattern(1472))], &bytes, 0);
        assert!(said.starts_with("DIFFERENT data 1472 bytes crc32 "), "{said}");
    }

    #[test]
    fn a_pattern_is_only_as_long_as_it_was_sent() {
        let said = identify(&[send("s", Payload::Pattern(100))], &pattern(101), 0);
        assert!(said.starts_with("DIFFERENT"), "{said}");
    }

    #[test]
    fn what_the_case_injects_is_known() {
        let frame = crate::case::Hex(b"headers and data".to_vec());
        let step = LabOp::Inject { link: "tap0".into(), frame };
        assert_eq!(identify(&[Op::Lab { step }], b"data", 0), r#""data""#);
    }

    #[rstest]
    #[case(Seen::Received, b"banner", r#""banner""#)]
    #[case(Seen::Sent, b"banner", r#"DIFFERENT data "banner""#)]
    #[case(Seen::Received, b"quoted", r#"DIFFERENT data "quoted""#)]
    #[case(Seen::Anywhere, b"quoted", r#""quoted""#)]
    fn a_far_end_sends_to_sockets(#[case] seen: Seen, #[case] bytes: &[u8], #[case] said: &str) {
        let (far, own) = ("192.0.2.2:9".parse().unwrap(), "192.0.2.1:9".parse().unwrap());
        let udp = |src, dst, data| build::udp(build::Link::Ip, src, dst, 64, data).unwrap();
        let quote = udp(own, far, b"quoted");
        let error = build::icmp_error(build::Link::Ip, far.ip(), own.ip(), 3, 3, 0, &quote);
        let answers = [udp(far, own, b"a ban"), udp(far, own, b"ner"), error.unwrap()];
        let answers = answers.map(|bytes| Event::Frame {
            op: 0,
            at_ns: 0,
            link: "tun0".into(),
            dir: Direction::In,
            bytes: crate::case::Hex(bytes),
        });
        let (case, trace) = (case([]), trace(answers));
        assert_eq!(Sources::new(&case, Some(&trace)).identify(bytes, 0, seen), said);
    }

    #[test]
    fn long_text_is_measured() {
        assert_eq!(payload(&Payload::Text("a".repeat(64))), format!("{:?}", "a".repeat(64)));
        assert_eq!(payload(&Payload::Text("a".repeat(65))), "65 bytes crc32 f33faf5d");
    }
}
