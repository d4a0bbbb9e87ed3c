//! Whether the executor was there when the host spoke.
//!
//! The far ends are the executor's own. While it stands still, because its process was stopped or
//! its machine was, nobody answers, and timers of the host's send what they would not have sent: a
//! second SYN after a second, a second solicitation. So it looks at the clock whenever it does
//! something, and a case in which it stood still is taken again. The clock alone decides that, and
//! never what came out.

use std::time::{Duration, Instant};

use crate::case::{Case, LabOp, Op, Os};

/// The shortest timer of a host's that a case meets unless it sets one itself: of a SYN (RFC 6298
/// §2.1) and of a solicitation (RFC 4861 §10).
const SHORTEST_TIMER_MS: u32 = 1_000;

/// Who waits looks every few milliseconds. What is longer than this was not its doing: of such the ones in
/// a call add up, since a timer of the C library's (resolv.conf(5), `timeout`) runs on through all of them.
pub(super) const LATE: Duration = Duration::from_millis(50);

/// How long Linux keeps an acknowledgement back that could go with data (`net/ipv4/tcp_input.c` `tcp_fin`,
/// `include/net/tcp.h` `TCP_DELACK_MIN`: a 25th of a second), less what a clock of 100 Hz may be early.
const DELAYED_ACK: Duration = Duration::from_millis(30);

/// How long Linux keeps back at the least what it will send by itself, an answer or none: what is not acknowledged
/// (`include/net/tcp.h` `TCP_RTO_MIN`: a fifth of a second), and what is corked (tcp(7), `TCP_CORK`). Half of it.
const SENT_AGAIN: Duration = Duration::from_millis(100);

/// When the executor did something last, and how long it ever did nothing.
pub(super) struct Pace {
    last: Instant,
    longest: Duration,
    /// How long it was late in the call that is being made.
    late: Duration,
    limit: Duration,
    /// How long everything took but the calls that may wait, and how long it may.
    whole: Duration,
    most: Option<Duration>,
    /// Whether the step that is being taken may wait.
    waits: bool,
}

impl Pace {
    /// From now on, for `case`.
    pub(super) fn of(case: &Case) -> Self {
        let (longest, late, whole) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        let most = match () {
            () if speaks_to_itself(case) => Some(DELAYED_ACK),
            () if Os::host() == Some(Os::Linux) && case.by_hand().next().is_some() => {
                Some(SENT_AGAIN)
            }
            () => None,
        };
        let (last, limit) = (Instant::now(), limit(case));
        Self { last, longest, late, limit, whole, most, waits: false }
    }

    /// The executor does something: sleeps of milliseconds at the most lie between two of these.
    pub(super) fn here(&mut self) {
        self.here_at(Instant::now());
    }

    /// The same, when it is known what time it is.
    pub(super) fn here_at(&mut self, now: Instant) {
        let nothing = now - self.last;
        if nothing > LATE {
            self.late += nothing;
        }
        if !self.waits {
            self.whole += nothing;
        }
        self.longest = self.longest.max(nothing).max(self.late);
        self.last = now;
    }

    /// A call is made now, one that may wait for whatever it is or not: how long that takes is the kernel's or the
    /// case's.
    pub(super) fn begins(&mut self, now: Instant, waits: bool) {
        self.here_at(now);
        self.late = Duration::ZERO;
        self.waits = waits;
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

    /// For how many milliseconds it stood still at the most, if that is more than a timer's half; or how many it
    /// took in all, if an acknowledgement that was kept back may have come meanwhile.
    pub(super) fn pause_ms(&self) -> Option<u32> {
        let ms = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        if self.longest > self.limit {
            return Some(ms(self.longest));
        }
        self.most.filter(|most| self.whole > *most).map(|_| ms(self.whole))
    }
}

/// Whether both ends of a connection are the host's own.
fn has_both_ends(case: &Case) -> bool {
    let is_tcp = |op: &Op| match op {
        Op::Socket { domain, r#type, .. } => {
            matches!(domain.plain(), "AF_INET" | "AF_INET6") && r#type.has("SOCK_STREAM")
        }
        _ => false,
    };
    let connects = |op: &Op| matches!(op.call(), "connect" | "sendto" | "sendmsg" | "sendmmsg");
    Os::host() == Some(Os::Linux)
        && case.ops.iter().any(is_tcp)
        && case.ops.iter().any(|op| matches!(op, Op::Listen { .. }))
        && case.ops.iter().any(connects)
}

/// Whether they are, and nobody else has a part in it: to the lab's servers it acknowledges at once
/// ([`Case::unlike_defaults`]), and of threads nobody knows when they wait.
fn speaks_to_itself(case: &Case) -> bool {
    let serves = |step: &LabOp| matches!(step, LabOp::Serve { .. });
    has_both_ends(case)
        && case.threads.is_empty()
        && !case.lab.setup.iter().any(serves)
        && case.by_hand().next().is_none()
        && !case.runs_a_program()
}

/// Half of the shortest timer: the other half is for what lies between two steps of a case anyway.
fn limit(case: &Case) -> Duration {
    let set = case.lab.setup.iter().filter_map(|step| match step {
        LabOp::RetransTime { ms, .. } => Some(*ms),
        _ => None,
    });
    let shortest = set.min().unwrap_or(SHORTEST_TIMER_MS).min(SHORTEST_TIMER_MS);
    let half = Duration::from_millis(shortest.into()) / 2;
    // Who is connected to itself sends again sooner, whichever thread it is.
    if has_both_ends(case) { half.min(SENT_AGAIN) } else { half }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::addr::Addr;
    use crate::case::far::{Frame, Segment};
    use crate::case::{Flags, Lab, LinkKind, Service};

    fn case(setup: impl IntoIterator<Item = LabOp>) -> Case {
        Case::new("s/t", String::new(), Lab::one(LinkKind::Tap, "tap0").with(setup), Vec::new())
    }

    /// It listens and connects.
    fn connects(lab: Lab) -> Case {
        let socket = Op::Socket {
            fd: "s".to_owned(),
            domain: "AF_INET".into(),
            r#type: Flags::of(&["SOCK_STREAM"]),
            protocol: Flags::NONE,
        };
        let connect = Op::Connect { fd: "s".to_owned(), addr: Addr::ip([127, 0, 0, 1], 7) };
        let listen = Op::Listen { fd: "l".to_owned(), backlog: 1 };
        Case::new("s/t", String::new(), lab, vec![socket, listen, connect])
    }

    /// `signals/part[tcp,handler,recv]` in a guest that had no processor for 427 ms: what its second thread was sent was
    /// sent again after 200, and the case was `changed`.
    #[test]
    fn who_is_connected_to_itself_sends_again_within_a_thread_too() {
        if Os::host() != Some(Os::Linux) {
            return eprintln!("skipped: the time is Linux's");
        }
        let mut both = connects(Lab::default());
        both.threads = serde_json::from_str(r#"{"t":[2]}"#).expect("threads");
        let stood_still = |case: &Case, ms| {
            let mut pace = Pace::of(case);
            pace.begins(Instant::now(), true);
            pace.last -= Duration::from_millis(ms);
            pace.here();
            pace.pause_ms().is_some()
        };
        assert!(stood_still(&both, 427));
        assert!(!stood_still(&both, 90));
        both.ops.remove(1);
        assert!(!stood_still(&both, 427), "nobody listens");
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
        pace.begins(Instant::now(), false);
        ago(&mut pace, 300);
        pace.begins(Instant::now(), false);
        ago(&mut pace, 300);
        assert!(pace.longest < Duration::from_millis(500), "{:?}", pace.longest);
        ago(&mut pace, 300);
        assert!(pace.pause_ms().is_some_and(|ms| ms >= 600), "{:?}", pace.pause_ms());
    }

    /// `stream/end[shut-write,error]` on a machine that was slow: no step took long, and between the FIN and the
    /// case's end lay the 40 ms after which its acknowledgement is sent alone.
    #[test]
    fn an_acknowledgement_that_was_kept_back_is_no_part_of_a_case() {
        if Os::host() != Some(Os::Linux) {
            return eprintln!("skipped: the time is Linux's");
        }
        let slow = |case: &Case, waits| {
            let mut pace = Pace::of(case);
            for _ in 0..4 {
                pace.begins(Instant::now(), waits);
                pace.last -= Duration::from_millis(12);
                pace.here();
            }
            pace.pause_ms()
        };
        let own = connects(Lab::default());
        assert!(slow(&own, false).is_some_and(|ms| ms >= 48));
        assert_eq!(slow(&own, true), None, "a call that may wait took it");
        assert_eq!(slow(&case([]), false), None, "no connection");
        let mut alone = own.clone();
        alone.ops.remove(1);
        assert_eq!(slow(&alone, false), None, "nobody listens");
        let mut also = own.clone();
        let Op::Socket { domain, .. } = &mut also.ops[0] else { panic!("a socket") };
        *domain = "PF_INET".into();
        assert!(slow(&also, false).is_some(), "by its other name");
        let (link, service) = ("tap0".to_owned(), Service::new(80, []));
        let served = Lab::one(LinkKind::Tap, "tap0").with([LabOp::Serve { link, service }]);
        assert_eq!(slow(&connects(served), false), None, "acknowledged at once");
    }

    /// `effects/segments[cork]` on a machine that was slow: between the first `send` and the third lay the 200 ms after
    /// which what is corked leaves.
    #[test]
    fn what_is_kept_back_leaves_in_the_middle_of_a_slow_case() {
        if Os::host() != Some(Os::Linux) {
            return eprintln!("skipped: the time is Linux's");
        }
        let segment = Frame::Segment(Segment::new("S."));
        let says = LabOp::Say { link: "tap0".to_owned(), frame: segment };
        let mut by_hand = case([]);
        by_hand.ops.push(Op::Lab { step: says });
        let slow = |case: &Case, waits| {
            let mut pace = Pace::of(case);
            for _ in 0..3 {
                pace.begins(Instant::now(), waits);
                pace.last -= Duration::from_millis(40);
                pace.here();
            }
            pace.pause_ms()
        };
        assert!(slow(&by_hand, false).is_some_and(|ms| ms >= 120));
        assert_eq!(slow(&by_hand, true), None, "the case waited for it");
        assert_eq!(slow(&case([]), false), None, "nobody sends segments");
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
