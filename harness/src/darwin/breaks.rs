//! Labs that break for one reason, one after the other.
//!
//! Each of them takes seconds until it is given up, and thousands of cases need the same: after a few
//! the rest are not tried any more, and say why.

use std::collections::BTreeMap;

/// So many labs may break for one reason before those that need the same are not tried any more.
const MOST: u32 = 3;

/// How often labs of which kind have broken, by what they need.
#[derive(Debug)]
pub struct Breaks<N>(BTreeMap<N, (u32, String)>);

impl<N> Default for Breaks<N> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<N: Ord> Breaks<N> {
    /// Why a lab that needs this is not tried any more.
    pub fn given_up(&self, needs: &N) -> Option<String> {
        let (_, reason) = self.0.get(needs).filter(|(count, _)| *count >= MOST)?;
        Some(format!("as {MOST} labs before: {reason}"))
    }

    /// A lab that needs this has broken for `reason`, or stands.
    pub fn note(&mut self, needs: N, reason: Option<&str>) {
        let Some(reason) = reason else {
            self.0.remove(&needs);
            return;
        };
        let (count, last) = self.0.entry(needs).or_default();
        *count = if kind_of(last) == kind_of(reason) { *count + 1 } else { 1 };
        reason.clone_into(last);
    }
}

/// A reason without its numbers: units and indexes differ from lab to lab.
fn kind_of(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_ascii_digit()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_for_one_reason_are_enough() {
        let mut breaks = Breaks::default();
        for unit in 0..3 {
            assert_eq!(breaks.given_up(&"tap"), None);
            let reason = format!("address 2001:db8::1 on feth2000{unit} is tentative");
            breaks.note("tap", Some(&reason));
        }
        let why = breaks.given_up(&"tap").unwrap();
        assert_eq!(why, "as 3 labs before: address 2001:db8::1 on feth20002 is tentative");
        // What needs something else is tried.
        assert_eq!(breaks.given_up(&"tun"), None);
    }

    #[test]
    fn another_reason_or_a_lab_that_stands_begins_anew() {
        let mut breaks = Breaks::default();
        for reason in [Some("no route"), Some("no route"), Some("no address"), Some("no address")] {
            breaks.note("tap", reason);
        }
        assert_eq!(breaks.given_up(&"tap"), None);
        breaks.note("tap", None);
        breaks.note("tap", Some("no address"));
        assert_eq!(breaks.given_up(&"tap"), None);
    }
}
