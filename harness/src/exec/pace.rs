//! Whether the executor was there when the host spoke.
//!
//! The far ends are the executor's own. While it stands still, because its process was stopped or
//! its machine was, nobody answers, and timers of the host's send what they would not have sent: a
//! second SYN after a second, a second solicitation. So it looks at the clock whenever it does
//! something, and a case in which it stood still is taken again. The clock alone decides that, and
//! never what came out.

use std::time::{Duration, Instant};

use crate::case::{Case, LabOp};

/// The shortest timer of a host's that a case meets unless it sets one itself: of a SYN (RFC 6298
/// §2.1) and of a solicitation (RFC 4861 §10).
const SHORTEST_TIMER_MS: u32 = 1_000;

/// Who waits looks every few milliseconds. What is longer than this was not its doing: of such the ones in
/// a call add up, since a timer of the C library's (resolv.conf(5), `timeout`) runs on through all of them.
const LATE: Duration = Duration::from_millis(50);

/// When the executor did something last, and how long it ever did nothing.
pub(super) struct Pace {
    last: Instant,
    longest: Duration,
    /// How long it was late in the call that is being made.
    late: Duration,
    limit: Duration,
}

impl Pace {
    /// From now on, for `case`.
    pub(super) fn of(case: &Case) -> Self {
        let (longest, late) = (Duration::ZERO, Duration::ZERO);
        Self { last: Instant::now(), longest, late, limit: limit(case) }
    }

    /// The executor does something: sleeps of milliseconds at the most lie between two of these.
    pub(super) fn here(&mut self) {
        let now = Instant::now();
        let nothing = now - self.last;
        if nothing > LATE {
            self.late += nothing;
        }
        self.longest = self.longest.max(nothing).max(self.late);
        self.last = now;
    }

    /// A call is made now.
    pub(super) fn begins(&mut self) {
        self.here();
        self.late = Duration::ZERO;
    }

    /// It did nothing since the last time because a call did not return, not to be held against it.
    pub(super) fn waited(&mut self) {
        self.last = Instant::now();
        self.late = Duration::ZERO;
    }

    /// Something else took so long that the executor did not wait for its end.
    pub(super) fn cut(&mut self, took: Duration) {
        self.longest = self.longest.max(took);
    }

    /// For how many milliseconds it stood still at the most, if that is more than a timer's half.
    pub(super) fn pause_ms(&self) -> Option<u32> {
        let ms = u32::try_from(self.longest.as_millis()).unwrap_or(u32::MAX);
        (self.longest > self.limit).then_some(ms)
    }
}

/// Half of the shortest timer: the other half is for what lies between two steps of a case anyway.
fn limit(case: &Case) -> Duration {
    let set = case.lab.setup.iter().filter_map(|step| match step {
        LabOp::RetransTime { ms, .. } => Some(*ms),
        _ => None,
    });
    let shortest = set.min().unwrap_or(SHORTEST_TIMER_MS).min(SHORTEST_TIMER_MS);
    Duration::from_millis(shortest.into()) / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Lab, LinkKind};

    fn case(setup: impl IntoIterator<Item = LabOp>) -> Case {
        Case::new("s/t", String::new(), Lab::one(LinkKind::Tap, "tap0").with(setup), Vec::new())
    }

    #[test]
    fn the_limit_is_half_of_the_shortest_timer() {
        let retrans = |ms| LabOp::RetransTime { link: "tap0".to_owned(), ms };
        assert_eq!(limit(&case([])), Duration::from_millis(500));
        assert_eq!(limit(&case([retrans(200)])), Duration::from_millis(100));
        assert_eq!(limit(&case([retrans(5_000)])), Duration::from_millis(500));
    }

    #[test]
    fn a_call_that_does_not_return_is_no_pause() {
        let mut pace = Pace::of(&case([]));
        pace.last -= Duration::from_secs(7);
        pace.waited();
        pace.here();
        assert!(pace.longest < Duration::from_secs(7));
    }

    /// `names/dns-flawed[no-response,aaaa]` on a machine that was slow: 0.4 s here and 0.4 s there, and glibc's
    /// second was over.
    #[test]
    fn pauses_in_one_call_add_up() {
        let ago = |pace: &mut Pace, ms| {
            pace.last -= Duration::from_millis(ms);
            pace.here();
        };
        let mut pace = Pace::of(&case([]));
        pace.begins();
        ago(&mut pace, 300);
        pace.begins();
        ago(&mut pace, 300);
        assert!(pace.longest < Duration::from_millis(500), "{:?}", pace.longest);
        ago(&mut pace, 300);
        assert!(pace.pause_ms().is_some_and(|ms| ms >= 600), "{:?}", pace.pause_ms());
    }

    #[test]
    fn a_pause_is_the_longest_and_short_ones_do_not_add_up() {
        let mut pace = Pace { limit: Duration::from_millis(50), ..Pace::of(&case([])) };
        for _ in 0..8 {
            std::thread::sleep(Duration::from_millis(10));
            pace.here();
        }
        let slept = pace.longest;
        // On a machine that stood still meanwhile it says so.
        assert_eq!(pace.pause_ms().is_some(), slept > Duration::from_millis(50));
        pace.last -= Duration::from_secs(7);
        pace.here();
        pace.here();
        assert!(pace.pause_ms().is_some_and(|ms| ms >= 7_000), "{:?}", pace.pause_ms());
    }
}
