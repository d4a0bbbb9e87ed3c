//! Whether a failure may be macOS's local network privacy, and not the sockets API at all.

use std::net::IpAddr;

use harness::case::addr::SockAddr;
use harness::case::op::{Opt, Value};
use harness::case::{Case, Op};
use harness::trace::{Did, Event, Fingerprint, Trace};

/// What to say of calls that [`may_be_refused`]: Apple's TN3179.
pub(crate) const HINT: &str = "EHOSTUNREACH for a group or a local address, and not as root: this \
    may be macOS and not the sockets API. \"Local network privacy puts people in control of which \
    programs can interact with devices on their network.\" \"Users configure local network privacy \
    in Settings > Privacy & Security > Local Network\" (TN3179). Run sockeye as root, which macOS \
    does not ask";

/// Since macOS 15 (Darwin 24).
const FIRST_DARWIN: u32 = 24;

/// Whether a call of the case failed in the way in which local network privacy makes it fail, as a
/// user for whom that can be the reason.
pub(crate) fn may_be_refused(case: &Case, trace: &Trace, kernel: &Fingerprint) -> bool {
    let major = kernel.release.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if kernel.system != "Darwin" || kernel.euid == 0 || major.is_none_or(|m| m < FIRST_DARWIN) {
        return false;
    }
    trace.events.iter().any(|event| match event {
        Event::Call {
            op, addr: Some(addr), did: Did::Returned { errno: Some(errno), .. }, ..
        } => {
            errno.as_str() == "EHOSTUNREACH"
                && is_local(case, addr)
                && !is_ordinary(case, addr)
                && !left(trace, *op)
        }
        _ => false,
    })
}

/// Whether XNU says EHOSTUNREACH whoever asks: to a link-local address, or to a group, whose link is not
/// said (xnu-11417 `bsd/netinet6/in6_src.c:1471`), and to a mapped address from a socket of IPv6 alone.
fn is_ordinary(case: &Case, addr: &SockAddr) -> bool {
    let SockAddr::V6 { ip, scope, .. } = addr else { return false };
    let of_ipv6_alone = || {
        let sets = |op: &Op| match op {
            Op::Setsockopt { option: Opt::Raw { name, .. }, value: Value::Int(on), .. } => {
                name.as_str() == "IPV6_V6ONLY" && *on != 0
            }
            _ => false,
        };
        case.ops.iter().any(sets)
    };
    let on_a_link = ip.is_unicast_link_local() || ip.is_multicast();
    on_a_link && *scope == 0 || ip.to_ipv4_mapped().is_some() && of_ipv6_alone()
}

/// Whether a frame left during the step: then nobody refused it.
fn left(trace: &Trace, of: u32) -> bool {
    use harness::trace::Direction::Out;
    trace.events.iter().any(|e| matches!(e, Event::Frame { op, dir: Out, .. } if *op == of))
}

/// A group, a broadcast, or a host on one of the links.
fn is_local(case: &Case, addr: &SockAddr) -> bool {
    let Some(ip) = addr.ip().map(|ip| ip.to_canonical()) else { return false };
    let by_itself = match ip {
        IpAddr::V4(ip) => ip.is_broadcast() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    by_itself || ip.is_multicast() || case.lab.who(ip).is_some()
}

#[cfg(test)]
mod tests {
    use harness::case::{Hex, Lab, LinkKind, Threads};
    use harness::trace::{Direction, End, Out};
    use rstest::rstest;

    use super::*;

    const MAC: (&str, &str, u32) = ("Darwin", "24.3.0", 501);

    fn call(to: &str, errno: Option<&'static str>) -> Event {
        let ret = if errno.is_some() { -1 } else { 6 };
        let did = Did::Returned { ret, errno: errno.map(Into::into), out: Out::Nothing };
        let addr = Some(to.parse().expect("an address"));
        Event::Call { op: 1, at_ns: 0, took_ns: 0, addr, did }
    }

    fn says(events: Vec<Event>, mac: (&str, &str, u32)) -> bool {
        says_of(Vec::new(), events, mac)
    }

    fn says_of(ops: Vec<Op>, events: Vec<Event>, mac: (&str, &str, u32)) -> bool {
        let (system, release, euid) = mac;
        let lab = Lab::one(LinkKind::Tap, "link0");
        let (id, title, catalogue) = (String::new(), String::new(), Vec::new());
        let case = Case { id, title, catalogue, lab, ops, window_ms: 0, threads: Threads::NONE };
        let trace = Trace::new("", Vec::new(), events, End::Done);
        let [system, release] = [system, release].map(str::to_owned);
        let kernel = Fingerprint { system, release, euid, ..Fingerprint::default() };
        may_be_refused(&case, &trace, &kernel)
    }

    #[rstest]
    #[case::group("{AF_INET 224.0.0.251:5353}", "EHOSTUNREACH", MAC, true)]
    #[case::group_of_ipv6("{AF_INET6 [ff02::fb%4]:5353}", "EHOSTUNREACH", MAC, true)]
    #[case::mapped_group("{AF_INET6 [::ffff:224.0.0.251]:5353}", "EHOSTUNREACH", MAC, true)]
    #[case::broadcast("{AF_INET 255.255.255.255:9}", "EHOSTUNREACH", MAC, true)]
    #[case::link_local("{AF_INET6 [fe80::9%4]:9}", "EHOSTUNREACH", MAC, true)]
    #[case::link_local_without_a_scope("{AF_INET6 [fe80::9]:9}", "EHOSTUNREACH", MAC, false)]
    #[case::group_without_a_scope("{AF_INET6 [ff02::fb]:5353}", "EHOSTUNREACH", MAC, false)]
    #[case::group_of_a_site("{AF_INET6 [ff05::2]:9}", "EHOSTUNREACH", MAC, false)]
    #[case::neighbour_of_ipv6("{AF_INET6 [2001:db8::2]:9}", "EHOSTUNREACH", MAC, true)]
    #[case::neighbour("{AF_INET 192.0.2.2:9}", "EHOSTUNREACH", MAC, true)]
    #[case::far_away("{AF_INET 8.8.8.8:53}", "EHOSTUNREACH", MAC, false)]
    #[case::another_errno("{AF_INET 224.0.0.251:5353}", "ENETUNREACH", MAC, false)]
    #[case::root("{AF_INET 224.0.0.251:5353}", "EHOSTUNREACH", ("Darwin", "25.0.0", 0), false)]
    #[case::older("{AF_INET 224.0.0.251:5353}", "EHOSTUNREACH", ("Darwin", "23.6.0", 501), false)]
    #[case::linux("{AF_INET 224.0.0.251:5353}", "EHOSTUNREACH", ("Linux", "26.1", 501), false)]
    fn a_refusal_is_told_by_what_failed_and_for_whom(
        #[case] to: &str,
        #[case] errno: &'static str,
        #[case] kernel: (&str, &str, u32),
        #[case] expected: bool,
    ) {
        assert_eq!(says(vec![call(to, Some(errno))], kernel), expected);
    }

    /// What is set by a case of the suites.
    #[rstest]
    #[case::of_ipv6_alone(1, false)]
    #[case::of_both(0, true)]
    fn a_socket_of_ipv6_alone_reaches_no_mapped_address(#[case] on: i32, #[case] expected: bool) {
        let (level, name) = ("IPPROTO_IPV6".into(), "IPV6_V6ONLY".into());
        let (option, value) = (Opt::Raw { level, name }, Value::Int(on));
        let ops = vec![Op::Setsockopt { fd: "s".to_owned(), option, value }];
        let refused = call("{AF_INET6 [::ffff:224.0.0.251]:5353}", Some("EHOSTUNREACH"));
        assert_eq!(says_of(ops, vec![refused], MAC), expected);
    }

    #[test]
    fn what_succeeded_or_left_was_not_refused() {
        let to = "{AF_INET 224.0.0.251:5353}";
        let frame = Event::Frame {
            op: 1,
            at_ns: 0,
            link: "link0".into(),
            dir: Direction::Out,
            bytes: Hex(Vec::new()),
        };
        assert!(!says(vec![call(to, None)], MAC));
        assert!(!says(vec![call(to, Some("EHOSTUNREACH")), frame], MAC));
        assert!(!says(Vec::new(), MAC));
    }
}
