//! The options of a TCP segment: `[mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7]`.

use std::ops::Range as Span;

use harness::case::Payload;
use harness::case::far::{Block, Echo, SegmentOption};

use super::super::words::{alternatives, eat, expected_up_to, must, number, payload, word};
use super::is_data;
use crate::fault::Fault;
use crate::tree::Cursor;

/// What ends a word of an option.
const ENDS: &[char] = &[',', ';', ':', '(', ')', '"', ']'];

const NAMES: [&str; 9] = ["mss", "wscale", "sackOK", "TS val", "sack", "tfo", "kind", "nop", "eol"];

/// Whether a list stands here.
pub(super) fn begins(cursor: &mut Cursor<'_>) -> bool {
    cursor.blanks();
    cursor.rest().starts_with('[')
}

/// Reads what is displayed of a list.
pub(super) fn list(cursor: &mut Cursor<'_>) -> Result<Vec<SegmentOption>, Fault> {
    cursor.blanks();
    let from = cursor.here();
    let mut options = Vec::new();
    cursor.eat("[");
    while !cursor.eat("]") {
        if !options.is_empty() && !cursor.eat(",") {
            return Err(expected_up_to(cursor, ENDS, "a comma or ]"));
        }
        options.push(option(cursor)?);
    }
    SegmentOption::check(&options).map_err(|says| Fault::new(from..cursor.here(), says))?;
    Ok(options)
}

fn option(cursor: &mut Cursor<'_>) -> Result<SegmentOption, Fault> {
    let mut after = cursor.clone();
    let (name, at) = word(&mut after, ENDS);
    if name.is_empty() {
        return Err(expected_up_to(cursor, ENDS, "an option of TCP, such as mss 1460,"));
    }
    *cursor = after;
    Ok(match name {
        "eol" => SegmentOption::Eol,
        "nop" => SegmentOption::Nop,
        "mss" => SegmentOption::Mss(number(cursor, "a number of bytes")?),
        "wscale" => SegmentOption::Wscale(number(cursor, "how far windows are shifted")?),
        "sackOK" => SegmentOption::SackOk,
        "sack" => SegmentOption::Sack(blocks(cursor)?),
        "TS" => {
            must(cursor, "val")?;
            let value = number(cursor, "a time")?;
            let echo = if eat(cursor, "ecr") { echo(cursor)? } else { Echo::default() };
            SegmentOption::Timestamps { value, echo }
        }
        "tfo" => SegmentOption::FastOpen(data(cursor)?),
        "kind" => {
            let kind = number(cursor, "the number of a kind")?;
            let len = if eat(cursor, "len") { Some(number(cursor, "a length")?) } else { None };
            SegmentOption::Kind { kind, len, data: data(cursor)? }
        }
        _ => return Err(unknown(name, at)),
    })
}

fn unknown(name: &str, at: Span<usize>) -> Fault {
    let says = format!("an option of TCP is {}", alternatives(&NAMES));
    Fault::new(at, says).nearest(name, NAMES)
}

/// `1001:2001 3001:4001`
fn blocks(cursor: &mut Cursor<'_>) -> Result<Vec<Block>, Fault> {
    let mut blocks = Vec::new();
    cursor.blanks();
    while cursor.rest().starts_with(|c: char| c.is_ascii_digit()) {
        let from = number(cursor, "the edge of a block")?;
        if !cursor.eat(":") {
            return Err(expected_up_to(cursor, ENDS, "a colon and where the block ends"));
        }
        let to = number(cursor, "the edge of a block")?;
        blocks.push(Block { from, to });
        cursor.blanks();
    }
    Ok(blocks)
}

/// `7`, or `+1` and `-1`: how far from the last time that the host sent.
fn echo(cursor: &mut Cursor<'_>) -> Result<Echo, Fault> {
    cursor.blanks();
    if !cursor.rest().starts_with(['+', '-']) {
        return Ok(Echo::Is(number(cursor, "a time")?));
    }
    let mut after = cursor.clone();
    let (said, at) = word(&mut after, ENDS);
    let is_number = said[1..].bytes().all(|b| b.is_ascii_digit());
    let far = said.parse().ok().filter(|_| is_number);
    let far =
        far.ok_or_else(|| Fault::new(at, "how far it is from the host's time is expected here"))?;
    *cursor = after;
    Ok(Echo::Beyond(far))
}

fn data(cursor: &mut Cursor<'_>) -> Result<Payload, Fault> {
    if is_data(cursor) { payload(cursor) } else { Ok(Payload::Text(String::new())) }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// Lists that a segment has room for.
    pub(in crate::lab::far) fn options() -> impl Strategy<Value = Vec<SegmentOption>> {
        let data = || "[ -\u{ff}]{0,4}".prop_map(Payload::Text);
        let echo = prop_oneof![
            any::<u32>().prop_map(Echo::Is),
            any::<i32>().prop_map(Echo::Beyond),
            Just(Echo::default()),
        ];
        let one = prop_oneof![
            Just(SegmentOption::Eol),
            Just(SegmentOption::Nop),
            Just(SegmentOption::SackOk),
            any::<u16>().prop_map(SegmentOption::Mss),
            any::<u8>().prop_map(SegmentOption::Wscale),
            vec(any::<(u32, u32)>().prop_map(|(from, to)| Block { from, to }), 0..3)
                .prop_map(SegmentOption::Sack),
            (any::<u32>(), echo)
                .prop_map(|(value, echo)| { SegmentOption::Timestamps { value, echo } }),
            data().prop_map(SegmentOption::FastOpen),
            (any::<u8>(), proptest::option::of(any::<u8>()), data())
                .prop_map(|(kind, len, data)| SegmentOption::Kind { kind, len, data }),
        ];
        vec(one, 0..6).prop_map(|mut options| {
            while SegmentOption::check(&options).is_err() {
                options.pop();
            }
            options
        })
    }

    /// The words that are wrong, what is said of them, and what is meant.
    #[rstest]
    #[case("[mss]", "]", "a number of bytes is expected", None)]
    #[case("[mss 65536]", "65536", "65535 at the most", None)]
    #[case("[wscal 7]", "wscal", "an option of TCP is mss,", Some("wscale"))]
    #[case("[sackok]", "sackok", "an option of TCP is mss,", Some("sackOK"))]
    #[case("[nop nop]", "nop", "a comma or ] is expected", None)]
    #[case("[nop,]", "]", "an option of TCP, such as mss 1460, is expected", None)]
    #[case("[nop", "", "a comma or ] is expected", None)]
    #[case("[TS 1]", "1]", "val is expected here", None)]
    #[case("[TS val 1 ecr x]", "x]", "a time is expected here", None)]
    #[case("[TS val 1 ecr +x]", "+x", "how far it is from the host's time", None)]
    #[case("[sack 1]", "]", "a colon and where the block ends", None)]
    #[case("[sack 1:x]", "x]", "the edge of a block is expected", None)]
    #[case("[kind x]", "x]", "the number of a kind is expected", None)]
    #[case("[kind 9 len 300]", "300", "a length is 255 at the most", None)]
    #[case(
        "[sack 1:2 3:4 5:6 7:8,TS val 1]",
        "[sack 1:2 3:4 5:6 7:8,TS val 1]",
        "the options take 44 bytes, 40 are the most",
        None
    )]
    fn a_mistake_is_told_where_it_stands(
        #[case] text: &str,
        #[case] at: &str,
        #[case] says: &str,
        #[case] meant: Option<&str>,
    ) {
        let fault = list(&mut Cursor::new(text, 0)).expect_err(text);
        assert!(fault.says.contains(says), "{text}: {fault:?}");
        assert_eq!(text.get(fault.at.clone()).unwrap_or_default(), at, "{text}: {fault:?}");
        assert_eq!(fault.help, meant.map(|meant| format!("did you mean {meant}?")), "{text}");
    }

    #[test]
    fn blanks_are_free() {
        let read = |text| list(&mut Cursor::new(text, 0));
        assert_eq!(read("[ nop , mss 5 ]"), read("[nop,mss 5]"));
        assert!(read("[]").is_ok_and(|options| options.is_empty()));
    }
}
