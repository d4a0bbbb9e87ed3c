//! What of a trace is let in: it may come from a stranger, and everything behind goes by its numbers.
//! Its words are `words.rs`'s.

use std::collections::BTreeSet;

use super::{Did, End, Event, Out, Trace};
use crate::SCHEMA;
use crate::case::words::shown;
use crate::case::{Case, Op};

/// Far beyond any of these times, and so that two can be added.
const LATEST_NS: u64 = 1 << 62;

impl Trace {
    /// Whether it can be what happened in `case`.
    ///
    /// # Errors
    /// It cannot, and why, as one sentence.
    pub fn check(&self, case: &Case) -> Result<(), String> {
        if self.schema != SCHEMA {
            return Err(format!("it is of schema {}", self.schema));
        }
        if self.case != case.id {
            return Err(format!("it is of the case {}", shown(&self.case)));
        }
        if self.began_ns > LATEST_NS {
            return Err("its beginning is at no time".to_owned());
        }
        if self.pauses_ms.len() > Self::TAKES || self.disturbed.len() > Self::TAKES {
            return Err(format!("it was taken more than {} times", Self::TAKES));
        }
        self.check_words()?;
        self.check_links(case)?;
        let mut made = BTreeSet::new();
        for event in &self.events {
            self.check_event(case, event)?;
            let again = matches!(event, Event::Call { .. } | Event::Lab { .. });
            if again && !made.insert(event.op()) {
                return Err(format!("step {} was taken twice", event.op()));
            }
        }
        self.check_threads(case)
    }

    /// A call of another thread begins once and returns once, the one before it first.
    fn check_threads(&self, case: &Case) -> Result<(), String> {
        let (mut begun, mut ended): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        for event in &self.events {
            let (op, begins) = match event {
                Event::Began { op, .. } => (*op, true),
                Event::Call { op, .. } => (*op, false),
                _ => continue,
            };
            let Some((number, name)) = case.threads.number(op) else {
                if begins {
                    return Err(format!("step {op} began, and is no other thread's"));
                }
                continue;
            };
            let of = |step: &u32| case.threads.number(*step).map(|(at, _)| at) == Some(number);
            match begun.iter().position(of) {
                Some(at) if !begins && begun[at] == op => {
                    begun.remove(at);
                    ended.push(op);
                }
                Some(at) => {
                    let waits = begun[at];
                    return Err(format!(
                        "the thread {name} takes step {op} while it waits in step {waits}"
                    ));
                }
                None if ended.contains(&op) => return Err(format!("step {op} was taken twice")),
                None if begins => begun.push(op),
                None => ended.push(op),
            }
        }
        match begun.first() {
            Some(step) if self.end == End::Done => {
                Err(format!("step {step} began and did not end"))
            }
            _ => Ok(()),
        }
    }

    fn check_links(&self, case: &Case) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for fact in &self.links {
            let spec = case.lab.links.iter().find(|link| link.name == fact.name);
            let others = spec.is_none() && fact.name != "lo";
            let makes = |op: &Op| matches!(op, Op::Run { .. });
            let may_be = !others || case.ops.iter().any(makes) && is_interface(&fact.name);
            if !may_be || !seen.insert(&fact.name) {
                return Err(format!("it has a link {:.30?} that the case has not", fact.name));
            }
            let is_it = others || spec.map(|link| link.kind) == fact.kind;
            if !is_it || fact.mac.0.len() > 32 {
                return Err(format!("its link {} is another one than the case's", fact.name));
            }
        }
        Ok(())
    }

    fn check_event(&self, case: &Case, event: &Event) -> Result<(), String> {
        let number = event.op();
        let op = case.ops.get(number as usize);
        // What a lab without steps shows belongs to the first.
        if op.is_none() && number > 0 {
            return Err(format!("it has a step {number}, and the case has {}", case.ops.len()));
        }
        let (at_ns, took_ns) = match event {
            Event::Call { at_ns, took_ns, .. } | Event::Lab { at_ns, took_ns, .. } => {
                (*at_ns, *took_ns)
            }
            Event::Began { at_ns, .. }
            | Event::Frame { at_ns, .. }
            | Event::Signal { at_ns, .. } => (*at_ns, 0),
        };
        if at_ns.max(took_ns) > LATEST_NS {
            return Err(format!("step {number} is at no time"));
        }
        match event {
            Event::Frame { link, .. } if !self.links.iter().any(|fact| fact.name == *link) => {
                Err(format!("it has a frame of the link {link:.30?}, which it has not"))
            }
            Event::Call { did, .. } => match op {
                Some(Op::Lab { .. }) | None => Err(format!("step {number} is no call")),
                Some(op) => check_did(op, did).map_err(|why| format!("step {number}: {why}")),
            },
            Event::Lab { .. } if !matches!(op, Some(Op::Lab { .. })) => {
                Err(format!("step {number} is a call"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether Linux lets an interface have that name (`net/core/dev.c` `dev_valid_name`), and it is plain.
fn is_interface(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && c != '/' && c != ':';
    (1..16).contains(&name.len()) && name.chars().all(plain) && name != "." && name != ".."
}

/// Whether a call can have given that.
fn check_did(op: &Op, did: &Did) -> Result<(), String> {
    let Did::Returned { out, .. } = did else { return Ok(()) };
    let counts = match (op, out) {
        (Op::Poll { fds, .. } | Op::Ppoll { fds, .. }, Out::Poll(found)) => {
            found.len() <= fds.len()
        }
        (
            Op::Select { read, write, except, .. } | Op::Pselect { read, write, except, .. },
            Out::Sets(sets),
        ) => {
            let asked = [read, write, except].into_iter().zip(sets);
            asked.into_iter().all(|(asked, found)| found.iter().all(|fd| asked.contains(fd)))
        }
        (Op::EpollWait { max, .. } | Op::EpollPwait { max, .. }, Out::Ready(found)) => {
            found.len() <= *max as usize
        }
        (Op::Ioctl { request, .. }, Out::Interfaces(_)) => request.as_str() == "SIOCGIFCONF",
        (Op::Getifaddrs {}, Out::Interfaces(_))
        | (Op::Sendfile { offset: Some(_), .. }, Out::Offset(_)) => true,
        (Op::Kevent { changes, .. }, Out::Events(found)) => found.len() <= changes.len(),
        (Op::RecvmsgX { count, .. } | Op::Recvmmsg { count, .. }, Out::Messages(found)) => {
            found.len() <= *count as usize
        }
        (
            _,
            Out::Poll(_)
            | Out::Events(_)
            | Out::Messages(_)
            | Out::Sets(_)
            | Out::Ready(_)
            | Out::Offset(_)
            | Out::Interfaces(_),
        ) => false,
        _ => true,
    };
    if counts { Ok(()) } else { Err(format!("{} gives no such thing", op.call())) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::case::{Flags, Lab, Threads};

    const BEGAN: fn(u32) -> Event = |op| Event::Began { op, at_ns: 0, addr: None };
    const CALL: fn(u32) -> Event = |op| {
        let did = Did::Returned { ret: 0, errno: None, out: Out::Nothing };
        Event::Call { op, at_ns: 0, took_ns: 0, addr: None, did }
    };

    /// Steps 1 and 3 are those of `t`, 2 is one of `u`.
    fn case() -> Case {
        let close = || Op::Close { fd: "s".to_owned() };
        let (r#type, protocol) = (Flags::of(&["SOCK_STREAM"]), Flags::NONE);
        let socket = Op::Socket { fd: "s".to_owned(), domain: "AF_INET".into(), r#type, protocol };
        let threads = [("t".to_owned(), vec![1, 3]), ("u".to_owned(), vec![2])];
        Case {
            id: "s/t".to_owned(),
            title: String::new(),
            catalogue: Vec::new(),
            lab: Lab::loopback(),
            ops: vec![socket, close(), close(), close()],
            window_ms: 0,
            threads: Threads(threads.into()),
        }
    }

    #[rstest]
    #[case::at_once(vec![CALL(0), CALL(1), CALL(2), CALL(3)], true)]
    #[case::waits(vec![CALL(0), BEGAN(1), CALL(2), CALL(1), CALL(3)], true)]
    #[case::both(vec![CALL(0), BEGAN(1), BEGAN(2), CALL(2), CALL(1)], true)]
    #[case::not_anothers(vec![BEGAN(0), CALL(0)], false)]
    #[case::twice(vec![CALL(0), BEGAN(1), CALL(1), CALL(1)], false)]
    #[case::begins_twice(vec![CALL(0), BEGAN(1), BEGAN(1), CALL(1)], false)]
    #[case::begins_again(vec![CALL(0), BEGAN(1), CALL(1), BEGAN(1)], false)]
    #[case::begins_behind(vec![CALL(0), CALL(1), BEGAN(1)], false)]
    #[case::two_at_once(vec![CALL(0), BEGAN(1), CALL(3), CALL(1)], false)]
    #[case::never_returns(vec![CALL(0), BEGAN(1), CALL(2)], false)]
    fn a_thread_makes_one_call_after_the_other(#[case] events: Vec<Event>, #[case] holds: bool) {
        let trace = Trace::new("s/t", Vec::new(), events, End::Done);
        assert_eq!(trace.check(&case()).is_ok(), holds, "{:?}", trace.check(&case()));
    }

    #[test]
    fn a_call_may_be_left_waiting_where_the_case_ends_early() {
        let events = vec![CALL(0), BEGAN(1), CALL(2)];
        let trace = Trace::new("s/t", Vec::new(), events, End::Hung);
        assert_eq!(trace.check(&case()), Ok(()));
    }
}
