//! Names: which constants a system's headers have, and what sockets and links are called in C.

use std::collections::{BTreeMap, BTreeSet};

use harness::case::lab::Lab;
use harness::case::{Link, LinkKind, NOT_ON_LINUX, NOT_ON_MACOS, Op, Os, Sym, is_known, numbers};

use super::headers;

/// The links with their numbers.
pub(super) fn numbered(lab: &Lab) -> impl Iterator<Item = (u8, &Link)> {
    (0u8..).zip(&lab.links)
}

/// Whether `os` has the constant `name`: in its headers, or as [`defines`] has it. What is no name of
/// the sockets API, no system has.
pub(super) fn exists(os: Os, name: &str) -> bool {
    is_known(name)
        && !match os {
            Os::Linux => NOT_ON_LINUX,
            Os::Macos => NOT_ON_MACOS,
        }
        .contains(&name)
}

/// What the headers of `os` call the constant: RFC 3493 §5.2's name where they have no other.
pub(super) fn c_name(os: Os, name: &Sym) -> &str {
    match (os, name.as_str()) {
        (Os::Macos, "IPV6_ADD_MEMBERSHIP") => "IPV6_JOIN_GROUP",
        (Os::Macos, "IPV6_DROP_MEMBERSHIP") => "IPV6_LEAVE_GROUP",
        (_, name) => name,
    }
}

/// The `#define` of each constant in `text` that headers as they are installed may lack or warn of.
pub(super) fn defines(os: Os, text: &str) -> String {
    let words: BTreeSet<&str> =
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let used = numbers(os).iter().filter(|(name, _)| words.contains(name));
    let defines: Vec<String> =
        used.map(|(name, n)| format!("#ifndef {name}\n#define {name} {n}\n#endif\n")).collect();
    defines.concat() + &headers::deprecated(os, &words)
}

/// The interface's name. macOS gives its links no other than `feth21000` and `utun4`, whatever number
/// is free, so that in a program for it the name is a variable, see [`super::macos`].
pub(super) fn interface(os: Os, lab: &Lab, link: &str) -> String {
    match (os, link, lab.number(link)) {
        (Os::Macos, "lo", _) => "lo0".to_owned(),
        (Os::Linux, ..) | (Os::Macos, _, None) => link.to_owned(),
        (Os::Macos, _, Some(number)) => match lab.links[usize::from(number)].kind {
            LinkKind::Tap => format!("feth{}", FETH + 2 * u32::from(number)),
            LinkKind::Tun => format!("utun{}", char::from(b'N' + number)),
        },
    }
}

/// The first feth that a program tries to make: beyond those that people make by hand, those that
/// `ZeroTier` takes, and a lab's.
const FETH: u32 = 21_000;

/// The interface at the other end of a feth link.
pub(super) fn peer(number: u8) -> String {
    format!("feth{}", FETH + 2 * u32::from(number) + 1)
}

/// Words that are no variable's name in a program that includes the headers of the sockets API,
/// beside the calls themselves.
const TAKEN: &[&str] = &[
    "added",
    "address",
    "adds",
    "answering",
    "answers",
    "append",
    "auto",
    "bad",
    "break",
    "case",
    "char",
    "clone_interface",
    "compare",
    "compared",
    "const",
    "continue",
    "control",
    "control_x",
    "data",
    "default",
    "destinations",
    "dial",
    "dialled",
    "differs",
    "do",
    "double",
    "else",
    "enter_folder",
    "enum",
    "errno",
    "errno_name",
    "exit",
    "expected",
    "extern",
    "far_end",
    "feth_create",
    "files",
    "float",
    "folder",
    "for",
    "goto",
    "hex",
    "htons",
    "if",
    "inject",
    "inline",
    "int",
    "interfaces",
    "into",
    "kevents",
    "lab",
    "lab_failed",
    "leave_folder",
    "links",
    "linux",
    "long",
    "look",
    "main",
    "mem",
    "memcpy",
    "near_end",
    "neighbour",
    "no_lab",
    "nothing_leaves",
    "observed",
    "option_value",
    "pattern",
    "port_of",
    "printf",
    "puts",
    "queries",
    "ready",
    "recv_flags",
    "register",
    "request",
    "restrict",
    "result",
    "resume",
    "ret",
    "return",
    "revents",
    "route_add",
    "selected",
    "send_datagram",
    "send_error",
    "send_segment",
    "serve_all",
    "services",
    "short",
    "shown",
    "signal",
    "signed",
    "sizeof",
    "static",
    "stderr",
    "stdin",
    "stdout",
    "steps",
    "streams",
    "strlen",
    "struct",
    "switch",
    "system",
    "tidy",
    "tidy_at_the_end",
    "tun_open",
    "typedef",
    "union",
    "unix",
    "unsigned",
    "value",
    "verdict",
    "void",
    "volatile",
    "wait_frame",
    "watch_wire",
    "while",
    "wire",
];

/// Every call that an `Op` can be.
const CALLS: &[&str] = &[
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
    "write",
    "read",
    "shutdown",
    "close",
    "getsockname",
    "getpeername",
    "setsockopt",
    "getsockopt",
    "poll",
    "ioctl",
    "fcntl",
    "getaddrinfo",
    "getnameinfo",
    "inet_pton",
    "inet_aton",
    "connectx",
    "disconnectx",
    "sendmsg_x",
    "recvmsg_x",
    "kevent",
    "kqueue",
    "accept4",
    "dup",
    "pipe",
    "tmpfile",
    "mkdir",
    "unlink",
    "symlink",
    "chmod",
    "writev",
    "readv",
    "sendmmsg",
    "recvmmsg",
    "sendfile",
    "splice",
    "sockatmark",
    "ppoll",
    "select",
    "pselect",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "if_nametoindex",
    "if_indextoname",
    "getifaddrs",
];

/// The C variables of a case: each socket's descriptor and each link's index.
#[derive(Debug, Default)]
pub(super) struct Variables {
    sockets: BTreeMap<String, String>,
    links: BTreeMap<String, String>,
}

impl Variables {
    pub(super) fn of(lab: &Lab, ops: &[Op]) -> Self {
        let mut variables = Self::default();
        for op in ops {
            for socket in sockets(op) {
                if !variables.sockets.contains_key(socket) {
                    let name = variables.fresh(socket, "fd_");
                    variables.sockets.insert(socket.to_owned(), name);
                }
            }
        }
        for link in lab.links.iter().map(|l| l.name.as_str()).chain(["lo"]) {
            let name = variables.fresh(&format!("{link}_index"), "if_");
            variables.links.insert(link.to_owned(), name);
        }
        variables
    }

    pub(super) fn socket(&self, name: &str) -> &str {
        self.sockets.get(name).map_or("-1", String::as_str)
    }

    pub(super) fn link(&self, name: &str) -> &str {
        self.links.get(name).map_or("0", String::as_str)
    }

    /// `wanted`, as C can have it and nothing else has it already.
    fn fresh(&self, wanted: &str, prefix: &str) -> String {
        let mut name: String =
            wanted.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        // A word and a number is what the arguments of a call are named.
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let numbered = stem.len() > 1 && stem.len() < name.len();
        let shouts = name.len() > 1 && !name.contains(|c: char| c.is_ascii_lowercase());
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
        // Functions of the program and fields that are macros (`s6_addr`) are called like this.
        let joined = prefix == "fd_" && name.contains('_');
        if !begins
            || joined
            || numbered
            || shouts
            || TAKEN.contains(&&*name)
            || CALLS.contains(&&*name)
        {
            name.insert_str(0, prefix);
        }
        while self.sockets.values().chain(self.links.values()).any(|n| *n == name) {
            name.push('_');
        }
        name
    }
}

/// Every socket that a step names.
pub(super) fn sockets(op: &Op) -> Vec<&str> {
    [op.makes(), op.uses()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_of_names_that_a_case_may_use() {
        for name in NOT_ON_LINUX.iter().chain(NOT_ON_MACOS) {
            assert!(is_known(name), "{name}");
        }
    }

    /// The executor's table for macOS is compiled there alone, so it is read as text.
    #[test]
    fn the_executor_has_the_names_that_apples_headers_have() {
        let table = include_str!("../../../harness/src/exec/macos/names.rs");
        let words = |line: &str| {
            let code = line.split("//").next().unwrap_or_default().to_owned();
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            code.split(|c| !is_word(c)).map(str::to_owned).collect::<Vec<_>>()
        };
        let (_, table) = table.split_once("\nvalues! {").expect("the table");
        let (table, _) = table.split_once("\n}").expect("its end");
        let known: BTreeSet<String> = table.lines().flat_map(words).collect();
        for name in harness::case::KNOWN {
            assert_eq!(known.contains(*name), exists(Os::Macos, name), "{name}");
        }
    }

    #[test]
    fn the_headers_have_every_other_name() {
        use std::io::Write as _;
        use std::process::{Command, Stdio};

        if Os::host() != Some(Os::Linux) {
            return eprintln!("skipped: these are Linux's headers");
        }
        let headers = [
            "sys/socket.h",
            "sys/ioctl.h",
            "netinet/in.h",
            "netinet/tcp.h",
            "netinet/udp.h",
            "netdb.h",
            "poll.h",
            "fcntl.h",
            "net/if.h",
            "sys/epoll.h",
        ];
        let mut source = "#define _GNU_SOURCE\n".to_owned();
        source.extend(headers.map(|h| format!("#include <{h}>\n")));
        // Where the headers have a number, it is the same; the kernel's, too, which a program does without.
        let kernels = [
            "linux/netlink.h",
            "linux/if_packet.h",
            "linux/vm_sockets.h",
            "linux/sockios.h",
            "linux/icmp.h",
            "netinet/icmp6.h",
            "netinet/ip.h",
        ];
        source
            .extend(kernels.map(|h| format!("#if __has_include(<{h}>)\n#include <{h}>\n#endif\n")));
        for (name, n) in numbers(Os::Linux) {
            let define = defines(Os::Linux, name);
            source.extend([format!("{define}_Static_assert({name} == {n}, \"{name}\");\n")]);
        }
        for name in harness::case::KNOWN {
            let missing = if exists(Os::Linux, name) { "ifndef" } else { "ifdef" };
            source.extend([format!("#{missing} {name}\n#error {name}\n#endif\n")]);
        }
        let cc = Command::new("cc")
            .args(["-std=c11", "-fsyntax-only", "-xc", "-"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut cc) = cc else { return eprintln!("skipped: there is no C compiler") };
        cc.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
        let out = cc.wait_with_output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    #[test]
    fn what_is_used_and_may_be_missing_is_defined() {
        let text = "getsockopt(s, SOL_SOCKET, SO_INQ, &SO_TXREHASHED, &len1);";
        let define = "#ifndef SO_INQ\n#define SO_INQ 84\n#endif\n";
        assert_eq!(defines(Os::Linux, text), define);
        let define = "#undef NI_IDN_ALLOW_UNASSIGNED\n#define NI_IDN_ALLOW_UNASSIGNED 0x40\n";
        assert_eq!(defines(Os::Linux, "NI_IDN | NI_IDN_ALLOW_UNASSIGNED"), define);
        assert_eq!(defines(Os::Macos, text), "");
    }

    #[test]
    fn no_variable_is_a_word_of_c() {
        let close = |fd: &str| Op::Close { fd: fd.into() };
        let names = ["s", "int", "socket", "r1", "buffer7", "9", "A", "EOF", "a-b", "a_b"];
        let variables = Variables::of(&Lab::loopback(), &names.map(close));
        let got = names.map(|n| variables.socket(n));
        let want = [
            "s",
            "fd_int",
            "fd_socket",
            "r1",
            "fd_buffer7",
            "fd_9",
            "A",
            "fd_EOF",
            "fd_a_b",
            "fd_a_b_",
        ];
        assert_eq!(got, want);
    }
}
