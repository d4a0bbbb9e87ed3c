//! Whether a case waits for timers of the host's TCP.

use super::op::{Intent, Opt};
use super::{Case, LabOp, Op};

/// The least retransmission timeout of Linux, in milliseconds (tcp(7), `TCP_RTO_MIN`).
const LEAST_TIMEOUT_MS: u32 = 200;

/// Whether a lost tail is probed for, and when (ip-sysctl.rst); of a lab 0.
const TAIL_LOSS: &str = "net.ipv4.tcp_early_retrans";

/// From how many milliseconds on a `poll` waits for more than an answer that is on its way.
const LONG_MS: i32 = 1_500;

/// The options of which a timer makes something.
const OF_TIMERS: &[&str] = &[
    "PERSIST_TIMEOUT",
    "SO_KEEPALIVE",
    "TCP_CONNECTIONTIMEOUT",
    "TCP_KEEPALIVE",
    "TCP_KEEPCNT",
    "TCP_KEEPIDLE",
    "TCP_KEEPINTVL",
    "TCP_LINGER2",
    "TCP_RTO_MAX_MS",
    "TCP_RTO_MIN_US",
    "TCP_RXT_CONNDROPTIME",
    "TCP_SYNCNT",
    "TCP_THIN_LINEAR_TIMEOUTS",
    "TCP_USER_TIMEOUT",
];

impl Case {
    /// Whether it waits for what a timer of the host's TCP does to a connection with a far end: it
    /// lets time pass, polls for long, sets an option of such a timer, or runs a program. Then the host keeps its own
    /// timers; in any other case none shall decide what comes out, and the route to a server has a
    /// retransmission timeout of a minute.
    pub fn waits_for_timers(&self) -> bool {
        let serves = |step: &LabOp| matches!(step, LabOp::Serve { .. });
        let passes = self.ops.iter().map(|op| match op {
            Op::Lab { step: LabOp::Wait { ms, .. } } => *ms,
            _ => 0,
        });
        let waits = |op: &Op| match op {
            op if op.timeout_ms().is_some_and(|ms| !(0..LONG_MS).contains(&ms)) => true,
            Op::Setsockopt { option: Opt::Raw { name, .. }, .. } => {
                OF_TIMERS.contains(&name.as_str())
            }
            Op::Setsockopt { option: Opt::Intent(intent), .. } => {
                matches!(intent, Intent::ConnectTimeout | Intent::UserTimeout | Intent::KeepIdle)
            }
            Op::Run { .. } => true,
            _ => false,
        };
        (self.lab.setup.iter().any(serves) || self.by_hand().next().is_some())
            && (passes.fold(self.window_ms, u32::saturating_add) >= LEAST_TIMEOUT_MS
                || self.ops.iter().any(waits))
    }

    /// What the host does otherwise than by its defaults to connections with the lab's servers and with who speaks TCP by hand, a line
    /// for each link: said in transcripts.
    pub fn unlike_defaults(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let probes = |step: &LabOp| matches!(step, LabOp::Sysctl { name, value } if name == TAIL_LOSS && value != "0");
        let of_calls = self.ops.iter().filter_map(|op| match op {
            Op::Lab { step } => Some(step),
            _ => None,
        });
        let probes = if self.lab.setup.iter().chain(of_calls).any(probes) {
            ""
        } else {
            ", no tail loss probes"
        };
        let served = self.lab.setup.iter().filter_map(|step| match step {
            // Who answers for everybody has no route of its own.
            LabOp::Serve { link, service } if !service.anywhere => Some(link.as_str()),
            _ => None,
        });
        for link in served.chain(self.by_hand()) {
            let timeout = if self.waits_for_timers() {
                ""
            } else {
                ", retransmission timeout of a minute (rto_min)"
            };
            let line = format!(
                "{link}: with the neighbour, acknowledgements at once (quickack){probes}{timeout}"
            );
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::op::Value;
    use crate::case::{Lab, LinkKind, Service, Threads};

    fn waits(lab: Lab, op: Op) -> bool {
        let (id, title, catalogue) = ("s/t".to_owned(), String::new(), Vec::new());
        Case { id, title, catalogue, lab, ops: vec![op], window_ms: 0, threads: Threads::NONE }
            .waits_for_timers()
    }

    fn served() -> Lab {
        let (link, service) = ("l".to_owned(), Service::new(80, []));
        Lab::one(LinkKind::Tun, "l").with([LabOp::Serve { link, service }])
    }

    /// It was said of a case that has them.
    #[test]
    fn who_turns_tail_loss_probes_on_has_them() {
        let lines = |value: &str| {
            let (name, value) = (TAIL_LOSS.to_owned(), value.to_owned());
            let set = LabOp::Sysctl { name, value };
            Case::new("s/t", "", served(), vec![Op::Lab { step: set }]).unlike_defaults().concat()
        };
        assert!(lines("0").contains("no tail loss probes"), "{}", lines("0"));
        assert!(!lines("4").contains("tail loss") && lines("4").contains("quickack"));
    }

    #[test]
    fn who_waits_or_sets_a_timer_has_real_ones() {
        let wait = |ms| Op::Lab { step: LabOp::Wait { ms, until: None, why: String::new() } };
        let set = |name: &'static str| {
            let option = Opt::Raw { level: "IPPROTO_TCP".into(), name: name.into() };
            Op::Setsockopt { fd: "s".to_owned(), option, value: Value::Int(2_000) }
        };
        assert!(waits(served(), wait(9_000)));
        assert!(!waits(served(), wait(20)));
        let poll = |timeout_ms| Op::Poll { fds: Vec::new(), timeout_ms };
        assert!(waits(served(), poll(5_000)) && !waits(served(), poll(1_000)));
        assert!(waits(served(), poll(-1)));
        let (id, title, lab) = ("s/t".to_owned(), String::new(), served());
        let ops = vec![wait(100), wait(100)];
        let twice = Case::new(id, title, lab, ops);
        assert!(twice.waits_for_timers());
        assert!(waits(served(), set("TCP_USER_TIMEOUT")));
        assert!(!waits(served(), set("TCP_NODELAY")));
        assert!(!waits(Lab::one(LinkKind::Tun, "l"), wait(9_000)));
    }
}
