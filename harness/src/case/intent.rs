//! How each system says what a case wants of a socket.

use super::op::{Intent, Opt, Value};
use super::{Os, Sym, plain};

/// The address family of a socket, for options that differ by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `AF_INET`.
    V4,
    /// `AF_INET6`.
    V6,
}

impl Family {
    /// By the name of the domain given to `socket`.
    pub fn of(domain: &str) -> Option<Self> {
        match plain(domain) {
            "AF_INET" => Some(Self::V4),
            "AF_INET6" => Some(Self::V6),
            _ => None,
        }
    }
}

/// The level, option and value that say `option = value` on `os` for a socket of `family`; none
/// where the system cannot say it.
///
/// - Do not fragment: `IP_MTU_DISCOVER` (Linux ip(7)), `IP_DONTFRAG` (Darwin ip(4)),
///   `IPV6_DONTFRAG` (RFC 3542 §11.2).
/// - Bind to an interface: `SO_BINDTODEVICE` (Linux socket(7)), `IP_BOUND_IF` and
///   `IPV6_BOUND_IF` (xnu bsd/netinet/in.h).
/// - Give up connecting: `TCP_SYNCNT`, retries after 1, 3, 7 … seconds (Linux tcp(7));
///   `TCP_CONNECTIONTIMEOUT` (xnu-11417 bsd/netinet/tcp.h:227).
/// - Give up without an acknowledgement: `TCP_USER_TIMEOUT`, in milliseconds (Linux tcp(7));
///   `TCP_RXT_CONNDROPTIME`, in seconds (xnu-11417 bsd/netinet/tcp.h:232).
/// - Probe: `TCP_KEEPIDLE` (Linux tcp(7)), `TCP_KEEPALIVE` (Darwin tcp(4)).
pub fn concrete(
    os: Os,
    family: Option<Family>,
    option: &Opt,
    value: &Value,
) -> Option<(Sym, Sym, Value)> {
    let intent = match option {
        Opt::Raw { level, name } => return Some((level.clone(), name.clone(), value.clone())),
        Opt::Intent(intent) => *intent,
    };
    let (level, name, value) = match (intent, os, family?) {
        (Intent::DontFragment, Os::Linux, Family::V4) => {
            let on = *value == Value::Int(1);
            let mode = if on { "IP_PMTUDISC_DO" } else { "IP_PMTUDISC_DONT" };
            ("IPPROTO_IP", "IP_MTU_DISCOVER", Value::Named(mode.into()))
        }
        (Intent::DontFragment, Os::Macos, Family::V4) => {
            ("IPPROTO_IP", "IP_DONTFRAG", value.clone())
        }
        (Intent::DontFragment, _, Family::V6) => ("IPPROTO_IPV6", "IPV6_DONTFRAG", value.clone()),
        (Intent::BindToInterface, Os::Linux, _) => ("SOL_SOCKET", "SO_BINDTODEVICE", value.clone()),
        (Intent::BindToInterface, Os::Macos, Family::V4) => {
            ("IPPROTO_IP", "IP_BOUND_IF", value.clone())
        }
        (Intent::BindToInterface, Os::Macos, Family::V6) => {
            ("IPPROTO_IPV6", "IPV6_BOUND_IF", value.clone())
        }
        (Intent::ConnectTimeout, Os::Linux, _) => (
            "IPPROTO_TCP",
            "TCP_SYNCNT",
            of_int(value, |seconds| seconds.max(3).saturating_add(1).ilog2().cast_signed() - 1),
        ),
        (Intent::ConnectTimeout, Os::Macos, _) => {
            ("IPPROTO_TCP", "TCP_CONNECTIONTIMEOUT", value.clone())
        }
        (Intent::UserTimeout, Os::Linux, _) => ("IPPROTO_TCP", "TCP_USER_TIMEOUT", value.clone()),
        (Intent::UserTimeout, Os::Macos, _) => {
            ("IPPROTO_TCP", "TCP_RXT_CONNDROPTIME", of_int(value, |ms| (ms / 1000).max(1)))
        }
        (Intent::KeepIdle, Os::Linux, _) => ("IPPROTO_TCP", "TCP_KEEPIDLE", value.clone()),
        (Intent::KeepIdle, Os::Macos, _) => ("IPPROTO_TCP", "TCP_KEEPALIVE", value.clone()),
    };
    Some((level.into(), name.into(), value))
}

/// An `int` in another unit.
fn of_int(value: &Value, unit: impl Fn(i32) -> i32) -> Value {
    if let Value::Int(value) = value { Value::Int(unit(*value)) } else { value.clone() }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Os::Linux, Family::V4, Intent::DontFragment, Value::Int(1), "IP_MTU_DISCOVER")]
    #[case(Os::Macos, Family::V4, Intent::DontFragment, Value::Int(1), "IP_DONTFRAG")]
    #[case(Os::Linux, Family::V6, Intent::DontFragment, Value::Int(1), "IPV6_DONTFRAG")]
    #[case(Os::Linux, Family::V6, Intent::BindToInterface, Value::Link("l".into()), "SO_BINDTODEVICE")]
    #[case(Os::Macos, Family::V6, Intent::BindToInterface, Value::Link("l".into()), "IPV6_BOUND_IF")]
    fn each_system_has_its_option(
        #[case] os: Os,
        #[case] family: Family,
        #[case] intent: Intent,
        #[case] value: Value,
        #[case] expected: &str,
    ) {
        let got = concrete(os, Some(family), &Opt::Intent(intent), &value);
        assert_eq!(got.map(|(_, name, _)| name.0.into_owned()).as_deref(), Some(expected));
    }

    #[rstest]
    #[case(Os::Linux, Intent::ConnectTimeout, 3, "TCP_SYNCNT", 1)]
    #[case(Os::Linux, Intent::ConnectTimeout, 7, "TCP_SYNCNT", 2)]
    #[case(Os::Linux, Intent::ConnectTimeout, i32::MAX, "TCP_SYNCNT", 29)]
    #[case(Os::Linux, Intent::ConnectTimeout, i32::MIN, "TCP_SYNCNT", 1)]
    #[case(Os::Macos, Intent::ConnectTimeout, 3, "TCP_CONNECTIONTIMEOUT", 3)]
    #[case(Os::Linux, Intent::UserTimeout, 1_000, "TCP_USER_TIMEOUT", 1_000)]
    #[case(Os::Macos, Intent::UserTimeout, 1_000, "TCP_RXT_CONNDROPTIME", 1)]
    #[case(Os::Macos, Intent::KeepIdle, 1, "TCP_KEEPALIVE", 1)]
    fn each_system_has_its_unit(
        #[case] os: Os,
        #[case] intent: Intent,
        #[case] value: i32,
        #[case] name: &'static str,
        #[case] expected: i32,
    ) {
        let got = concrete(os, Some(Family::V6), &Opt::Intent(intent), &Value::Int(value));
        assert_eq!(got, Some(("IPPROTO_TCP".into(), name.into(), Value::Int(expected))));
    }
}
