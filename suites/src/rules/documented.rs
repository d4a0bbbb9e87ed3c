//! Which errnos a call is documented to return.
//!
//! The tables beneath answer one question for the rule *the errno is documented*: does POSIX list
//! this errno for this call, or does a manual page of the OS? An errno that is in neither is news.
//! It breaks no clause of POSIX by itself, because XSH 2.3 lets an implementation "generate
//! additional errors unless explicitly disallowed for a particular function": it is the manual of
//! the OS that then lacks it.
//!
//! Sources:
//!
//! - POSIX.1-2024 ("shall fail" and "may fail" alike): the ERRORS sections of POSIX.1-2017, with
//!   the changes of Issue 8 that concern these calls, noted at their rows.
//! - Linux: the Linux man-pages project, release 6.03.
//! - Darwin: the manual pages in XNU 11417.101.15 (macOS 15), `bsd/man/man2` and `bsd/man/man4`, and
//!   those of Libinfo for what asks about interfaces.
//!
//! The pages of a protocol list errnos without saying which call returns them. They are applied to
//! the calls that they can concern, by what the entry says:
//!
//! - udp(7) says that all errors of ip(7) "may be returned by a send or receive on a UDP socket":
//!   so each errno of ip(7) counts for every call that sends or receives, `read` and `write`
//!   included, even where its description is about something else.
//! - For any other call an errno of ip(7) counts if its description fits the call: no memory for
//!   every call that allocates, a missing address for `bind` and `connect`, a missing permission
//!   for options and ioctls.
//! - packet(7), raw(7) and unix(7) are applied in the same way, but the tables do not know the
//!   family of the socket. An errno that only packet(7) has for `sendto` counts for a UDP socket
//!   too; [`documented`] names the page, so a reader can tell.
//! - send(2) and recv(2) of Linux say that write(2) and read(2) differ from them only in the flags:
//!   their errnos count for `write` and `read`, and so for `writev` and `readv`, whose page refers to
//!   those. Darwin's pages do not say so.
//! - `sendfile` and `splice` send by a socket, too: what the pages of protocols list counts for them.
//! - tcp(4) of Darwin lists errors of a connection: they count for `connect` and for every call
//!   that sends or receives. Darwin's icmp(4) and vsock(4) are left out: they are about sockets
//!   that these suites do not open.

/// Rows as they are read in the manual: calls, then pages, then the errnos of each page.
macro_rules! rows {
    ($($($call:ident)+ { $($page:literal: $($errno:ident)+;)+ })+) => {
        &[$(Row {
            calls: &[$(stringify!($call)),+],
            entries: &[$($(Entry { errno: stringify!($errno), page: $page }),+),+],
        }),+]
    };
}

#[path = "documented_darwin.rs"]
mod darwin;
#[path = "documented_linux.rs"]
mod linux;
#[path = "documented_posix.rs"]
mod standard;

/// The OS whose manual pages are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manual {
    Linux,
    Darwin,
}

/// An errno and the place in a manual that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub errno: &'static str,
    /// The page and its section: `send(2) ERRORS`.
    pub page: &'static str,
}

/// Calls that share their errnos, in a manual.
struct Row {
    calls: &'static [&'static str],
    entries: &'static [Entry],
}

/// The errnos that POSIX.1-2024 lists for `call`, "shall fail" and "may fail", sorted.
/// `None`: POSIX does not have the call.
pub fn posix(call: &str) -> Option<&'static [&'static str]> {
    standard::TABLE.iter().find(|(name, _)| *name == call).map(|(_, errnos)| *errnos)
}

/// The errnos that the manual pages of `os` have for `call`, whether POSIX lists them or not.
/// They stand page by page, the page of the call first, and each errno stands once.
pub fn manual(os: Manual, call: &str) -> &'static [Entry] {
    table(os).iter().find(|row| row.calls.contains(&call)).map_or(&[], |row| row.entries)
}

/// Whether POSIX or the manual of `os` has a page of `call` at all: of a call that has none, such as a
/// `tmpfile` that only makes a descriptor to begin with, no errno is a gap.
pub fn has_page(os: Manual, call: &str) -> bool {
    posix(call).is_some() || !manual(os, call).is_empty()
}

/// Where `errno` is documented for `call`: `POSIX.1-2024 sendto [ENETUNREACH]`, `ip(7) ERRORS`.
/// `None`: nowhere.
pub fn documented(os: Manual, call: &str, errno: &str) -> Option<String> {
    if posix(call).is_some_and(|errnos| errnos.contains(&errno)) {
        return Some(format!("POSIX.1-2024 {call} [{errno}]"));
    }
    let entry = manual(os, call).iter().find(|entry| entry.errno == errno)?;
    Some(entry.page.to_owned())
}

fn table(os: Manual) -> &'static [Row] {
    match os {
        Manual::Linux => linux::TABLE,
        Manual::Darwin => darwin::TABLE,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rstest::rstest;

    use super::*;

    /// Those of Darwin's own that have a page.
    const DARWINS: [&str; 3] = ["connectx", "disconnectx", "kevent"];

    /// Linux's own, and those that Darwin has no page of.
    const LINUXES: [&str; 11] = [
        "accept4",
        "epoll_create1",
        "epoll_ctl",
        "epoll_pwait",
        "epoll_wait",
        "ppoll",
        "recvmmsg",
        "sendfile",
        "sendmmsg",
        "sockatmark",
        "splice",
    ];

    /// Those that POSIX.1-2024 has no page of.
    const NOT_OF_POSIX: [&str; 10] = [
        "epoll_create1",
        "epoll_ctl",
        "epoll_pwait",
        "epoll_wait",
        "getifaddrs",
        "ioctl",
        "recvmmsg",
        "sendmmsg",
        "sendfile",
        "splice",
    ];

    const CALLS: [&str; 34] = [
        "socket",
        "socketpair",
        "bind",
        "connect",
        "listen",
        "accept",
        "send",
        "sendto",
        "sendmsg",
        "recv",
        "recvfrom",
        "recvmsg",
        "shutdown",
        "close",
        "getsockname",
        "getpeername",
        "setsockopt",
        "getsockopt",
        "poll",
        "ioctl",
        "fcntl",
        "read",
        "write",
        "readv",
        "writev",
        "dup",
        "pipe",
        "select",
        "pselect",
        "if_nametoindex",
        "if_indextoname",
        "getifaddrs",
        "getaddrinfo",
        "getnameinfo",
    ];

    fn is_name_of_an_error(call: &str, name: &str) -> bool {
        let plain = name.strip_prefix("EAI_");
        ["getaddrinfo", "getnameinfo"].contains(&call) == plain.is_some()
            && name.starts_with('E')
            && plain
                .unwrap_or(name)
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    }

    #[test]
    fn posix_lists_are_sorted_names_of_errors() {
        for (call, errnos) in standard::TABLE {
            assert!(errnos.is_sorted_by(|a, b| a < b), "{call}: not sorted, or twice");
            for errno in *errnos {
                assert!(is_name_of_an_error(call, errno), "{call}: {errno}");
            }
        }
    }

    #[test]
    fn manuals_list_each_error_once_and_page_by_page() {
        for os in [Manual::Linux, Manual::Darwin] {
            for row in table(os) {
                let mut pages = BTreeSet::new();
                let mut errnos = BTreeSet::new();
                for page in row.entries.chunk_by(|a, b| a.page == b.page) {
                    assert!(pages.insert(page[0].page), "{os:?} {:?}: {page:?}", row.calls);
                    assert!(page.is_sorted_by_key(|entry| entry.errno), "{os:?}: {page:?}");
                }
                for entry in row.entries {
                    assert!(errnos.insert(entry.errno), "{os:?} {:?}: {entry:?}", row.calls);
                    assert!(is_name_of_an_error(row.calls[0], entry.errno), "{os:?}: {entry:?}");
                    assert!(entry.page.contains(") "), "{os:?}: {entry:?} has no section");
                }
            }
        }
    }

    #[test]
    fn every_call_is_in_every_table_once() {
        let all = CALLS.iter().chain(&LINUXES);
        let of_posix: Vec<_> = all.filter(|call| !NOT_OF_POSIX.contains(call)).collect();
        assert_eq!(standard::TABLE.len(), of_posix.len());
        assert!(of_posix.iter().all(|call| posix(call).is_some()), "{of_posix:?}");
        for (os, own) in [(Manual::Linux, &LINUXES[..]), (Manual::Darwin, &DARWINS)] {
            let calls: Vec<_> = table(os).iter().flat_map(|row| row.calls).collect();
            assert_eq!(calls.len(), CALLS.len() + own.len(), "{os:?}");
            for call in CALLS.iter().chain(own) {
                assert!(!manual(os, call).is_empty(), "{os:?}: {call}");
            }
        }
    }

    /// Every errno of the page, and no other.
    #[rstest]
    #[case("connectx", "EMSGSIZE", Some("connectx(2) ERRORS"))]
    #[case("connectx", "EPROTOTYPE", None)]
    #[case("disconnectx", "ENOTCONN", Some("disconnectx(2) ERRORS"))]
    #[case("disconnectx", "EOPNOTSUPP", None)]
    #[case("kevent", "ENOENT", Some("kqueue(2) ERRORS"))]
    #[case("kevent", "ENOTSUP", None)]
    #[case("sendmsg_x", "EMSGSIZE", None)]
    fn darwins_own_calls_have_pages_of_their_own(
        #[case] call: &str,
        #[case] errno: &str,
        #[case] page: Option<&str>,
    ) {
        assert_eq!(documented(Manual::Darwin, call, errno).as_deref(), page);
        assert_eq!(documented(Manual::Linux, call, errno), None);
    }

    #[test]
    fn the_source_of_an_errno_is_named() {
        let source = |call, errno| documented(Manual::Linux, call, errno);
        assert_eq!(
            source("sendto", "ENETUNREACH").as_deref(),
            Some("POSIX.1-2024 sendto [ENETUNREACH]")
        );
        assert_eq!(source("bind", "ENODEV").as_deref(), Some("ipv6(7) ERRORS"));
        assert_eq!(source("recv", "ECONNREFUSED").as_deref(), Some("recv(2) ERRORS"));
        assert_eq!(
            source("getaddrinfo", "EAI_NODATA").as_deref(),
            Some("getaddrinfo(3) RETURN VALUE")
        );
    }

    /// The calls of vectors, of several datagrams and of interfaces: their own page, the one that it
    /// refers to, and what the page leaves to another call of it.
    #[rstest]
    #[case(Manual::Linux, "accept4", "EPERM", Some("accept(2) ERRORS"))]
    #[case(Manual::Linux, "readv", "EFAULT", Some("read(2) ERRORS"))]
    #[case(Manual::Linux, "writev", "EMSGSIZE", Some("send(2) ERRORS"))]
    #[case(Manual::Linux, "sendmmsg", "ETOOMANYREFS", Some("unix(7) ERRORS"))]
    #[case(Manual::Linux, "recvmmsg", "EINVAL", Some("recv(2) ERRORS"))]
    #[case(Manual::Linux, "sendfile", "ECONNREFUSED", Some("udp(7) ERRORS"))]
    #[case(Manual::Linux, "sendfile", "ESPIPE", Some("sendfile(2) ERRORS"))]
    #[case(Manual::Linux, "splice", "EFAULT", None)]
    #[case(Manual::Linux, "dup", "EBUSY", None)]
    #[case(Manual::Linux, "pipe", "ENOPKG", None)]
    #[case(Manual::Linux, "epoll_ctl", "EPERM", Some("epoll_ctl(2) ERRORS"))]
    #[case(Manual::Linux, "if_nametoindex", "ENODEV", Some("if_nametoindex(3) ERRORS"))]
    #[case(Manual::Linux, "if_nametoindex", "ENXIO", None)]
    #[case(Manual::Darwin, "if_nametoindex", "ENXIO", Some("if_indextoname(3) RETURN VALUES"))]
    #[case(Manual::Darwin, "if_nametoindex", "ENODEV", None)]
    #[case(Manual::Darwin, "dup", "EINTR", Some("dup(2) ERRORS"))]
    #[case(Manual::Darwin, "pselect", "EAGAIN", Some("select(2) ERRORS"))]
    #[case(Manual::Darwin, "writev", "EDESTADDRREQ", Some("write(2) ERRORS"))]
    #[case(Manual::Darwin, "readv", "ECONNRESET", Some("POSIX.1-2024 readv [ECONNRESET]"))]
    fn a_call_has_what_its_page_refers_to(
        #[case] os: Manual,
        #[case] call: &str,
        #[case] errno: &str,
        #[case] page: Option<&str>,
    ) {
        assert_eq!(documented(os, call, errno).as_deref(), page);
    }

    #[test]
    fn an_undocumented_errno_has_no_source() {
        for os in [Manual::Linux, Manual::Darwin] {
            assert_eq!(documented(os, "sendto", "ENOTTY"), None);
            assert_eq!(documented(os, "no such call", "EINVAL"), None);
        }
        assert_eq!(posix("ioctl"), None);
        // What is there to begin with is not judged.
        assert!(!has_page(Manual::Linux, "tmpfile") && !has_page(Manual::Linux, "no such call"));
        // A page that says that no errors are defined is a page.
        assert!(has_page(Manual::Darwin, "if_nametoindex") && posix("if_nametoindex") == Some(&[]));
        // What one OS documents says nothing of the other.
        assert!(documented(Manual::Darwin, "sendto", "ENODATA").is_some());
        assert_eq!(documented(Manual::Linux, "sendto", "ENODATA"), None);
    }
}
