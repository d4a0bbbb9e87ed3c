//! When the kernel's own timers come between the calls about a group.
//!
//! While a change of a membership waits to be told, XNU returns the length of the record that it has
//! queued as if it were an errno: 8 bytes and 4 for each source over IPv4 (RFC 3376 §4.2.4), 20 and 16 over
//! IPv6 (RFC 3810 §5.2.5). Whether it waits depends on a timer that ticks twice a second
//! (xnu-7195 `bsd/netinet/igmp.c` `igmp_handle_state_change`, `igmp_timeout`), so that one row in a thousand says
//! so, another in each run.

use crate::case::op::Value;
use crate::case::{Case, Op};
use crate::trace::{Did, Event, Trace};

/// The lengths of records of up to nine sources, by Darwin's names of those numbers: what calls about
/// groups have not got to say.
const LENGTHS: [&str; 10] = [
    "ENOEXEC",
    "ENOMEM",
    "EBUSY",
    "ENOTDIR",
    "EMFILE",
    "ENOSPC",
    "EPIPE",
    "EINPROGRESS",
    "EMSGSIZE",
    "ESOCKTNOSUPPORT",
];

/// What says that a timer came between, as one sentence.
pub fn disturbed(case: &Case, trace: &Trace) -> Option<String> {
    trace.events.iter().find_map(|event| {
        let Event::Call { op, did: Did::Returned { errno: Some(errno), .. }, .. } = event else {
            return None;
        };
        let op = case.ops.get(usize::try_from(*op).ok()?)?;
        let Op::Setsockopt {
            value: Value::Membership { .. } | Value::Source { .. } | Value::Filter { .. },
            ..
        } = op
        else {
            return None;
        };
        LENGTHS.contains(&errno.as_str()).then(|| {
            format!(
                "setsockopt returned {errno}, the length of a report that a timer had yet to send"
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::op::Opt;
    use crate::case::{Lab, Sym};
    use crate::trace::{End, Out};

    fn told(value: Value, errno: Option<&'static str>) -> Option<String> {
        let option = Opt::Raw { level: "IPPROTO_IP".into(), name: "IP_ADD_MEMBERSHIP".into() };
        let case = Case::new(
            "s/t",
            String::new(),
            Lab::loopback(),
            vec![Op::Setsockopt { fd: "s".into(), option, value }],
        );
        let errno: Option<Sym> = errno.map(Into::into);
        let did = Did::Returned { ret: -1, errno, out: Out::Nothing };
        let call = Event::Call { op: 0, at_ns: 0, took_ns: 0, addr: None, did };
        disturbed(&case, &Trace::new("s/t", Vec::new(), vec![call], End::Done))
    }

    #[test]
    fn a_length_is_no_errno() {
        let join = || Value::Membership { group: "239.1.2.3".parse().unwrap(), link: None };
        assert!(told(join(), Some("ENOEXEC")).is_some_and(|why| why.contains("ENOEXEC")));
        assert!(told(join(), Some("ENOMEM")).is_some());
        // What joins do say.
        for errno in [None, Some("EADDRINUSE"), Some("EADDRNOTAVAIL"), Some("EINVAL")] {
            assert_eq!(told(join(), errno), None);
        }
        assert_eq!(told(Value::Int(1), Some("ENOMEM")), None);
    }
}
