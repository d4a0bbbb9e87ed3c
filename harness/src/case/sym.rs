//! Names of the sockets API: constants travel by name, since their values differ between systems.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use rustc_hash::FxHashSet;
use schemars::JsonSchema;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

use super::known::KNOWN;

/// A constant of the C headers by its name, such as `AF_INET6` or `IP_MTU_DISCOVER`.
///
/// Of families, types, options, their levels, protocols and the flags of messages it may be a number that has no name, see [`written`].
/// A name that no system has is a mistake in the case; a name that this system lacks is the
/// outcome `unsupported here`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Sym(#[schemars(with = "String")] pub Cow<'static, str>);

impl Sym {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number that stands in the place of a name, if one does, see [`written`].
    pub fn number(&self) -> Option<i32> {
        written(self.as_str())
    }

    /// The same constant by the name that sockeye's own code knows it by, see [`plain`].
    pub fn plain(&self) -> &str {
        plain(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Sym {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = Sym;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            // An executor is given ten of them with each case, and has all of them already.
            fn visit_str<E: Error>(self, name: &str) -> Result<Sym, E> {
                let known = NAMES.get(name).map(|known| Cow::Borrowed(*known));
                Ok(Sym(known.unwrap_or_else(|| Cow::Owned(name.to_owned()))))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

impl From<&'static str> for Sym {
    fn from(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }
}

impl fmt::Display for Sym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Constants or-ed together, such as `MSG_DONTWAIT|MSG_NOSIGNAL`; none is `0`.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Flags(pub Vec<Sym>);

impl Flags {
    /// No flag at all.
    pub const NONE: Self = Self(Vec::new());

    /// The flags of these names.
    pub fn of(names: &[&'static str]) -> Self {
        Self(names.iter().map(|n| Sym::from(*n)).collect())
    }

    /// Whether `name` is among them, or another name of the same.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|s| s.plain() == name)
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("0");
        }
        for (i, name) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("|")?;
            }
            f.write_str(name.as_str())?;
        }
        Ok(())
    }
}

/// The operating systems that sockeye knows by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Os {
    /// Linux, and what answers its system calls (gVisor).
    Linux,
    /// macOS.
    Macos,
}

impl Os {
    /// The system that this program was built for; none where sockeye has no executor for it.
    pub fn host() -> Option<Self> {
        match std::env::consts::OS {
            "linux" => Some(Self::Linux),
            "macos" => Some(Self::Macos),
            _ => None,
        }
    }
}

/// Other names of constants, and by which of its names sockeye's own code knows each: whoever writes
/// `PF_LOCAL` reads `PF_LOCAL`, and it is a Unix socket to everything that looks at the case.
const ALIASES: &[(&str, &str)] = &[
    // POSIX has AF_UNIX; unix(7), AF_LOCAL; glibc's <bits/socket.h>, AF_FILE.
    ("AF_LOCAL", "AF_UNIX"),
    ("AF_FILE", "AF_UNIX"),
    // RFC 3493 §5.2 has the others, Linux both (glibc's <bits/in.h>).
    ("IPV6_JOIN_GROUP", "IPV6_ADD_MEMBERSHIP"),
    ("IPV6_LEAVE_GROUP", "IPV6_DROP_MEMBERSHIP"),
    // glibc's <bits/in.h>, "obsolete synonyms".
    ("IPV6_RXDSTOPTS", "IPV6_DSTOPTS"),
    ("IPV6_RXHOPOPTS", "IPV6_HOPOPTS"),
    ("O_NDELAY", "O_NONBLOCK"),
    // Levels: include/linux/socket.h, <netinet/tcp.h>, <netinet/udp.h>.
    ("SOL_IP", "IPPROTO_IP"),
    ("SOL_IPV6", "IPPROTO_IPV6"),
    ("SOL_TCP", "IPPROTO_TCP"),
    ("SOL_UDP", "IPPROTO_UDP"),
];

/// By which of its names sockeye's own code knows a constant; this one, if it has no other. The protocol
/// families are the address families everywhere (socket(2), NOTES).
pub fn plain(name: &str) -> &str {
    if let Some((_, plain)) = ALIASES.iter().find(|(alias, _)| *alias == name) {
        return plain;
    }
    let Some(rest) = name.strip_prefix("PF_") else { return name };
    let family = KNOWN.iter().find(|known| known.strip_prefix("AF_") == Some(rest));
    family.map_or(name, |family| plain(family))
}

/// The number that a text is in the place of a name, written in one way: `44`, or as bytes, `0x40000000`. So is asked
/// for what has no name here yet.
pub fn written(text: &str) -> Option<i32> {
    let Some(digits) = text.strip_prefix("0x") else {
        return text.parse().ok().filter(|n: &i32| *n >= 0 && n.to_string() == text);
    };
    let is_written = (1..=8).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_written);
    number.map(u32::cast_signed)
}

/// All of [`KNOWN`], found at once.
static NAMES: LazyLock<FxHashSet<&'static str>> = LazyLock::new(|| KNOWN.iter().copied().collect());

/// Whether `name` is one that a case may use.
pub fn is_known(name: &str) -> bool {
    NAMES.contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_sorted_and_unique() {
        assert!(
            KNOWN.windows(2).all(|w| w[0] < w[1]),
            "{:?}",
            KNOWN.windows(2).find(|w| w[0] >= w[1])
        );
    }

    #[test]
    fn a_number_is_written_in_one_way() {
        for (text, number) in [
            ("0", Some(0)),
            ("44", Some(44)),
            ("0x2c", Some(44)),
            ("0x80000000", Some(i32::MIN)),
            ("0x0000002c", Some(44)),
            ("-1", None),
            ("044", None),
            ("+44", None),
            ("0x2C", None),
            ("0x2", Some(2)),
            ("0x80000", Some(0x80000)),
            ("0x+f", None),
            ("0x", None),
            ("0x0000000001", None),
            ("2147483648", None),
            ("44)", None),
            ("", None),
            ("IP_TTL", None),
        ] {
            assert_eq!(Sym(text.into()).number(), number, "{text}");
        }
    }

    #[test]
    fn an_alias_is_what_it_is_another_name_of_and_reads_as_it_is_written() {
        for (name, of) in [
            ("AF_LOCAL", "AF_UNIX"),
            ("PF_LOCAL", "AF_UNIX"),
            ("PF_INET6", "AF_INET6"),
            ("IPV6_JOIN_GROUP", "IPV6_ADD_MEMBERSHIP"),
            ("SOL_IP", "IPPROTO_IP"),
            ("AF_INET", "AF_INET"),
            ("SOL_SOCKET", "SOL_SOCKET"),
            // Two bits on every system.
            ("POLLRDNORM", "POLLRDNORM"),
            ("PF_NOBODY", "PF_NOBODY"),
        ] {
            let sym = Sym::from(name);
            assert_eq!((sym.plain(), sym.to_string().as_str()), (of, name));
        }
        assert!(ALIASES.iter().all(|(a, b)| is_known(a) && is_known(b) && plain(b) == *b));
        let flags = Flags::of(&["O_APPEND", "O_NDELAY"]);
        assert!(flags.has("O_NONBLOCK") && flags.to_string() == "O_APPEND|O_NDELAY");
    }

    #[test]
    fn flags_read_like_c() {
        assert_eq!(Flags::NONE.to_string(), "0");
        assert_eq!(Flags::of(&["MSG_PEEK", "MSG_TRUNC"]).to_string(), "MSG_PEEK|MSG_TRUNC");
    }
}
