//! From the names that a system has to the functions between names and numbers.
//!
//! Macros, since what `libc` lacks on a system has no number that could be asked for there.

use libc::c_int;
use rustc_hash::FxHashMap;

use crate::case::KNOWN;

/// All names that a case may use with their values on a system, which else are looked for one name after the other.
pub(super) fn all(value: fn(&str) -> Option<c_int>) -> FxHashMap<&'static str, Option<c_int>> {
    KNOWN.iter().map(|name| (*name, value(name))).collect()
}

/// `errno`, of these names.
macro_rules! errnos {
    ($($name:ident)*) => {
        /// The name of an errno value; a value without one is `errno N`.
        pub(in crate::exec) fn errno(value: c_int) -> Sym {
            match value {
                $(libc::$name => stringify!($name).into(),)*
                other => Sym(format!("errno {other}").into()),
            }
        }
    };
}
pub(super) use errnos;

/// `eai` and `eai_value`, of these names; behind the semicolon what `libc` has not got.
macro_rules! resolver_errors {
    ($($name:ident)* ; $($own:ident = $value:literal;)*) => {
        /// The name of what `getaddrinfo` and `getnameinfo` return.
        pub(in crate::exec) fn eai(value: c_int) -> Sym {
            match value {
                $(libc::$name => stringify!($name).into(),)*
                $($value => stringify!($own).into(),)*
                other => Sym(format!("EAI {other}").into()),
            }
        }

        /// The value of such a name.
        pub(in crate::exec) fn eai_value(name: &str) -> Option<c_int> {
            match name {
                $(stringify!($name) => Some(libc::$name),)*
                $(stringify!($own) => Some($value),)*
                _ => None,
            }
        }
    };
}
pub(super) use resolver_errors;

/// `control_name`, of these types of these levels; those that `libc` has not got, with their numbers.
macro_rules! control_names {
    ($($level:ident: $($kind:ident)*, $($own:ident = $value:literal)*;)*) => {
        /// The names of a control message's level and type, or their numbers.
        pub(in crate::exec) fn control_name(level: c_int, kind: c_int) -> (String, String) {
            let number = || kind.to_string();
            match level {
                $(libc::$level => {
                    let kinds: &[(c_int, &str)] = &[
                        $((libc::$kind, stringify!($kind)),)*
                        $(($value, stringify!($own)),)*
                    ];
                    let name = kinds.iter().find(|(number, _)| *number == kind);
                    let name = name.map_or_else(number, |(_, name)| (*name).to_owned());
                    (stringify!($level).to_owned(), name)
                })*
                _ => (level.to_string(), number()),
            }
        }
    };
}
pub(super) use control_names;
