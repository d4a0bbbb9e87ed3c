//! Datagrams that their sender has numbered: which are missing, doubled, out of order.

use std::collections::BTreeMap;

use crate::text;

/// How many stretches of numbers are remembered.
const STRETCHES: usize = 16_384;
/// After how many datagrams it is settled whether and how they are numbered.
const SETTLED: u64 = 64;
/// How many numbers are told one by one.
const TOLD: usize = 8;

/// How numbers are written at the begin of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// "17 and so on".
    Decimal,
    /// Eight bytes, the highest first.
    Bytes8,
    /// Four.
    Bytes4,
}

const HOW: [How; 3] = [How::Decimal, How::Bytes8, How::Bytes4];

impl How {
    fn read(self, data: &[u8]) -> Option<u64> {
        match self {
            Self::Decimal => {
                let digits = data.iter().take_while(|b| b.is_ascii_digit()).count();
                std::str::from_utf8(&data[..digits]).ok()?.parse().ok()
            }
            Self::Bytes8 => data.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)),
            Self::Bytes4 => {
                let bytes = data.first_chunk()?;
                // Words are no counters.
                let is_text = bytes.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
                (!is_text).then(|| u32::from_be_bytes(*bytes).into())
            }
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Decimal => "in decimal",
            Self::Bytes8 => "in 8 bytes",
            Self::Bytes4 => "in 4 bytes",
        }
    }
}

/// What came of a sender, read in each way that fits all of it.
#[derive(Clone, Debug)]
pub(super) struct Numbered {
    ways: Vec<(How, Numbers)>,
}

impl Default for Numbered {
    fn default() -> Self {
        Self { ways: HOW.into_iter().map(|how| (how, Numbers::default())).collect() }
    }
}

impl Numbered {
    pub(super) fn add(&mut self, data: &[u8]) {
        self.ways.retain_mut(|(how, numbers)| how.read(data).map(|n| numbers.add(n)).is_some());
        if self.ways.iter().any(|(_, numbers)| numbers.count == SETTLED) {
            self.ways = self.chosen().cloned().into_iter().collect();
        }
    }

    fn chosen(&self) -> Option<&(How, Numbers)> {
        self.ways.iter().find(|(how, numbers)| numbers.are_likely(*how))
    }

    /// Whether these are numbers of which none between the first and the last is missing, and how many they are.
    pub(super) fn all(&self) -> Option<u64> {
        let (_, numbers) = self.chosen()?;
        (numbers.stretches.len() == 1 && !numbers.is_scattered).then_some(numbers.distinct)
    }

    /// What there is to say, if these are numbers: "1 to 10 in decimal: all came, once and in order".
    pub(super) fn words(&self) -> Option<String> {
        let (how, numbers) = self.chosen()?;
        let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { return None };
        if numbers.count == 1 {
            return None;
        }
        if numbers.is_scattered {
            let how = how.words();
            return Some(format!(
                "from {first} on {how}, with more than {STRETCHES} gaps: not followed"
            ));
        }
        let mut faults = Vec::new();
        let (missing, stretches) = numbers.missing();
        if missing > 0 {
            faults.push(format!("missing {} ({missing} in all)", list(&stretches)));
        }
        for (what, (n, some)) in [("doubled", &numbers.doubled), ("out of order", &numbers.late)] {
            if *n > 0 {
                let some: Vec<_> = some.iter().map(|n| (*n, *n)).collect();
                let more = text::more(*n - some.len() as u64);
                faults.push(format!("{what} {}{more}", list(&some)));
            }
        }
        let said = if faults.is_empty() {
            "all came, once and in order".to_owned()
        } else {
            faults.join("; ")
        };
        Some(format!("{first} to {last} {}: {said}", how.words()))
    }
}

/// "4, 7 to 9".
fn list(stretches: &[(u64, u64)]) -> String {
    let words = stretches.iter().take(TOLD).map(|(from, to)| match to - from {
        0 => from.to_string(),
        1 => format!("{from}, {to}"),
        _ => format!("{from} to {to}"),
    });
    let more = if stretches.len() > TOLD { ", …" } else { "" };
    format!("{}{more}", words.collect::<Vec<_>>().join(", "))
}

/// Numbers as they came.
#[derive(Clone, Debug, Default)]
struct Numbers {
    /// Stretches without a gap: the first, and the last.
    stretches: BTreeMap<u64, u64>,
    count: u64,
    distinct: u64,
    /// How many came again, and the first of them.
    doubled: (u64, Vec<u64>),
    /// The same of those that came behind a higher one.
    late: (u64, Vec<u64>),
    /// Whether there were more stretches than are remembered.
    is_scattered: bool,
}

impl Numbers {
    /// Takes another.
    fn add(&mut self, n: u64) {
        if self.is_scattered {
            return;
        }
        self.count += 1;
        let before = self.stretches.range(..=n).next_back().map(|(from, to)| (*from, *to));
        if before.is_some_and(|(_, to)| to >= n) {
            note(&mut self.doubled, n);
            return;
        }
        if self.last().is_some_and(|last| n < last) {
            note(&mut self.late, n);
        }
        self.distinct += 1;
        let joins = before.filter(|(_, to)| to + 1 == n);
        let next = n.checked_add(1).and_then(|next| self.stretches.remove(&next));
        self.stretches.insert(joins.map_or(n, |(from, _)| from), next.unwrap_or(n));
        self.is_scattered = self.stretches.len() > STRETCHES;
    }

    fn first(&self) -> Option<u64> {
        self.stretches.keys().next().copied()
    }

    fn last(&self) -> Option<u64> {
        self.stretches.values().next_back().copied()
    }

    /// Those between the first and the last that did not come: how many, and where.
    fn missing(&self) -> (u64, Vec<(u64, u64)>) {
        let gaps: Vec<(u64, u64)> = self
            .stretches
            .values()
            .zip(self.stretches.keys().skip(1))
            .map(|(to, from)| (to + 1, from - 1))
            .collect();
        (gaps.iter().map(|(from, to)| to - from + 1).sum(), gaps)
    }

    /// Whether a counter is likelier than words or noise: they differ, and lie close together.
    fn are_likely(&self, how: How) -> bool {
        let (Some(first), Some(last)) = (self.first(), self.last()) else { return false };
        let is_one = how == How::Decimal && self.count == 1;
        let lie_close = last - first <= self.count.saturating_mul(64).saturating_add(1024);
        (is_one || self.distinct > 1) && lie_close
    }
}

fn note((count, some): &mut (u64, Vec<u64>), n: u64) {
    *count += 1;
    if some.len() < TOLD {
        some.push(n);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn said<T: AsRef<[u8]>>(all: impl IntoIterator<Item = T>) -> Option<String> {
        let mut numbered = Numbered::default();
        all.into_iter().for_each(|data| numbered.add(data.as_ref()));
        numbered.words()
    }

    #[rstest]
    #[case::whole(&["1 a", "2", "3\n"], Some("1 to 3 in decimal: all came, once and in order"))]
    #[case::missing(&["1", "2", "5", "9"], Some("1 to 9 in decimal: missing 3, 4, 6 to 8 (5 in all)"))]
    #[case::doubled(&["7", "8", "8", "9"], Some("7 to 9 in decimal: doubled 8"))]
    #[case::disordered(&["1", "3", "2"], Some("1 to 3 in decimal: out of order 2"))]
    #[case::the_first_late(&["2", "1"], Some("1 to 2 in decimal: out of order 1"))]
    #[case::padded(&["0009", "0010"], Some("9 to 10 in decimal: all came, once and in order"))]
    #[case::alone(&["5"], None)]
    #[case::not_all_numbered(&["1", "2", "x"], None)]
    #[case::the_same_words(&["12:30 a", "12:31 b"], None)]
    #[case::words(&["ping", "pinh", "pini"], None)]
    #[case::times(&["1733000000123", "1733000009999"], None)]
    #[case::too_long(&["99999999999999999999999", "3"], None)]
    #[case::empty(&["", ""], None)]
    fn text(#[case] all: &[&str], #[case] expected: Option<&str>) {
        assert_eq!(said(all).as_deref(), expected);
    }

    #[rstest]
    #[case::of_4([1u32, 2, 4].map(|n| [&n.to_be_bytes()[..], b"pay"].concat()), Some("1 to 4 in 4 bytes: missing 3 (1 in all)"))]
    #[case::of_4_and_long([0u32, 1, 2].map(|n| [&n.to_be_bytes()[..], b"payload"].concat()), Some("0 to 2 in 4 bytes: all came, once and in order"))]
    #[case::of_8([1u64, 2, 4].map(|n| n.to_be_bytes().to_vec()), Some("1 to 4 in 8 bytes: missing 3 (1 in all)"))]
    #[case::noise([0x9e37_79b9u32, 0x3c6e_f372, 0xdaa6_6d2b].map(|n| n.to_be_bytes().to_vec()), None)]
    #[case::a_constant([7u32; 3].map(|n| n.to_be_bytes().to_vec()), None)]
    #[case::the_last([u64::MAX - 1, u64::MAX, u64::MAX].map(|n| n.to_be_bytes().to_vec()), Some("18446744073709551614 to 18446744073709551615 in 8 bytes: doubled 18446744073709551615"))]
    fn bytes(#[case] all: [Vec<u8>; 3], #[case] expected: Option<&str>) {
        assert_eq!(said(all).as_deref(), expected);
    }

    #[test]
    fn much_that_is_scattered_is_said_to_be() {
        let numbers = |step: u64| (0..20_000).map(move |n| (n * step).to_string());
        assert_eq!(said(numbers(1)).unwrap(), "0 to 19999 in decimal: all came, once and in order");
        assert_eq!(
            said(numbers(2)).unwrap(),
            "from 0 on in decimal, with more than 16384 gaps: not followed"
        );
    }

    #[test]
    fn noise_is_let_go() {
        let mut numbered = Numbered::default();
        let noise = |n: u32| n.wrapping_mul(0x9e37_79b9).to_be_bytes();
        (1..1000).for_each(|n| numbered.add(&[noise(n), noise(n + 7)].concat()));
        assert!(numbered.ways.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn what_is_missing_and_what_came_is_all_there_is(all in proptest::collection::vec(0u64..300, 1..200)) {
            let mut numbers = Numbers::default();
            for n in &all {
                numbers.add(*n);
            }
            let set: std::collections::BTreeSet<_> = all.iter().copied().collect();
            let (first, last) = (set.first().unwrap(), set.last().unwrap());
            assert_eq!(numbers.distinct, set.len() as u64);
            assert_eq!(numbers.doubled.0, (all.len() - set.len()) as u64);
            assert_eq!(numbers.missing().0, last - first + 1 - set.len() as u64);
        }
    }
}
