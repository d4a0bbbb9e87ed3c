//! How each system says what a case wants of a socket.

use super::op::{Intent, Opt, Value};
use super::{Os, Sym};

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
        match domain {
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
    };
    Some((level.into(), name.into(), value))
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
}
