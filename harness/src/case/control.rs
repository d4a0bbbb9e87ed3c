//! Control messages, and constants and processes as they name them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::addr::Host;
use super::op::Name;
use super::{Hex, Sym};

/// A control message of `sendmsg`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// `IP_PKTINFO` or `IPV6_PKTINFO`: by which link and from which address.
    PktInfo {
        /// `IPPROTO_IP` or `IPPROTO_IPV6`.
        level: Sym,
        /// `ipi_ifindex` or `ipi6_ifindex`; none is 0.
        link: Option<String>,
        /// `ipi_spec_dst` or `ipi6_addr`; none is the wildcard.
        source: Option<Host>,
    },
    /// A number, an `int` as a rule.
    Int {
        /// Such as `IPPROTO_IP`.
        level: Sym,
        /// Such as `IP_TTL`.
        name: Sym,
        /// Its value.
        value: i32,
        /// In how many bytes: 1, 2, 4 or 8.
        #[serde(default = "Control::int_width", skip_serializing_if = "Control::is_int")]
        width: u8,
    },
    /// `SOL_SOCKET`, `SCM_RIGHTS`: descriptors of the case's (unix(7)).
    Rights {
        /// Which.
        fds: Vec<Name>,
    },
    /// `SOL_SOCKET`, `SCM_CREDENTIALS`: a `struct ucred` (unix(7)), Linux's.
    Credentials {
        /// `pid`.
        pid: Who,
        /// `uid`.
        uid: Who,
        /// `gid`.
        gid: Who,
    },
    /// Any other, as it is.
    Bytes {
        /// Such as `IPPROTO_IP`.
        level: Code,
        /// Such as `IP_TTL`.
        kind: Code,
        /// Its data.
        data: Hex,
    },
}

/// A constant, by its name or as a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Code {
    /// This number.
    Number(i32),
    /// By name.
    Name(Sym),
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// Whose process, user or group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// That of who makes the call.
    Own,
    /// This one.
    Is(u32),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("own"),
            Self::Is(number) => number.fmt(f),
        }
    }
}

impl Control {
    /// An `int`.
    pub fn int(level: impl Into<Sym>, name: impl Into<Sym>, value: i32) -> Self {
        let (level, name, width) = (level.into(), name.into(), Self::int_width());
        Self::Int { level, name, value, width }
    }

    fn int_width() -> u8 {
        4
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    fn is_int(width: &u8) -> bool {
        *width == Self::int_width()
    }

    /// Whether its number fits into its bytes, signed or not.
    pub(super) fn fits(&self) -> bool {
        match self {
            Self::PktInfo { .. }
            | Self::Rights { .. }
            | Self::Credentials { .. }
            | Self::Bytes { .. } => true,
            Self::Int { value, width, .. } => match width {
                1 => i8::try_from(*value).is_ok() || u8::try_from(*value).is_ok(),
                2 => i16::try_from(*value).is_ok() || u16::try_from(*value).is_ok(),
                4 | 8 => true,
                _ => false,
            },
        }
    }
}
