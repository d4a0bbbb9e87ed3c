//! Which header has a name of the sockets API: it is the name's own, whatever call it is given to.

use std::collections::BTreeSet;

use harness::case::{Os, Sym};

/// How names begin, and the header that has them; the first row that fits counts.
const HEADERS: &[(&[&str], &str)] = &[
    (&["AI_", "NI_"], "netdb.h"),
    (&["EPOLL"], "sys/epoll.h"),
    (&["EV_", "EVFILT_", "NOTE_"], "sys/event.h"),
    (&["F_", "FD_", "O_", "SPLICE_"], "fcntl.h"),
    (&["FIO", "SIOC", "TIOC"], "sys/ioctl.h"),
    (&["IPTOS_"], "netinet/ip.h"),
    (&["ICMP6_", "IP_", "IPPROTO_", "IPV6_", "MCAST_"], "netinet/in.h"),
    // glibc has these in <netinet/in.h>, and the others beside SOL_SOCKET.
    (&["SOL_ICMPV6", "SOL_IP"], "netinet/in.h"),
    (&["LOCAL_", "SOL_LOCAL"], "sys/un.h"),
    (&["PERSIST_", "SOL_TCP", "TCP_"], "netinet/tcp.h"),
    (&["POLL"], "poll.h"),
    (&["SOL_UDP", "UDP_"], "netinet/udp.h"),
];

/// The header that has the name, which the system has; of what the numbers are listed
/// ([`harness::case::numbers`]) none is needed.
pub(super) fn header(name: &str) -> &'static str {
    let begins = |with: &&str| name.starts_with(with);
    let found = HEADERS.iter().find(|(all, _)| all.iter().any(begins));
    found.map_or("sys/socket.h", |(_, header)| header)
}

/// Names that glibc's headers warn of since 2.28, which is an error under `-Werror`, and their numbers in
/// its `<netdb.h>`.
const DEPRECATED: &[(&str, i32)] = &[
    ("AI_IDN_ALLOW_UNASSIGNED", 0x100),
    ("AI_IDN_USE_STD3_ASCII_RULES", 0x200),
    ("NI_IDN_ALLOW_UNASSIGNED", 0x40),
    ("NI_IDN_USE_STD3_ASCII_RULES", 0x80),
];

/// The `#define` of each word that headers warn of, without the warning.
pub(super) fn deprecated(os: Os, words: &BTreeSet<&str>) -> String {
    let used = DEPRECATED.iter().filter(|(name, _)| os == Os::Linux && words.contains(name));
    let all: Vec<String> =
        used.map(|(name, n)| format!("#undef {name}\n#define {name} 0x{n:x}\n")).collect();
    all.concat()
}

/// A constant where an `int` is wanted: Apple's requests of ioctl are longer.
pub(super) fn int(os: Os, name: &str) -> String {
    let is_longer = os == Os::Macos && header(name) == "sys/ioctl.h";
    format!("{}{name}", if is_longer { "(int)" } else { "" })
}

/// Constants where a shorter type than `int` is wanted, cut as the executor cuts them; those whose names
/// begin like one that belongs there fit.
pub(super) fn short(text: String, of: &str, names: &[Sym], fitting: &[&str]) -> String {
    let fits = |name: &Sym| fitting.iter().any(|with| name.as_str().starts_with(with));
    if names.iter().all(fits) { text } else { format!("({of})({text})") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use harness::case::KNOWN;

    use super::super::names::{defines, exists};
    use super::*;

    /// What the compiler says of a source; none where there is none.
    fn compiled(source: &str, flags: &[&str]) -> Option<String> {
        let mut cc = Command::new("cc");
        cc.args(flags).args(["-fsyntax-only", "-xc", "-"]);
        let Ok(mut cc) = cc.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn() else {
            eprintln!("skipped: there is no C compiler");
            return None;
        };
        cc.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
        let out = cc.wait_with_output().unwrap();
        Some(String::from_utf8_lossy(&out.stderr).into_owned())
    }

    /// Each header with the names that are looked for in it, and the one that every call brings.
    #[test]
    fn each_name_is_in_its_header() {
        if Os::host() != Some(Os::Linux) {
            return eprintln!("skipped: these are Linux's headers");
        }
        let mut of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for name in KNOWN.iter().filter(|name| exists(Os::Linux, name)) {
            of.entry(header(name)).or_default().push(name);
        }
        assert!(of.len() > 7, "{of:?}");
        for (header, names) in of {
            let list = names.join(", ");
            let source = format!(
                "#define _GNU_SOURCE\n#include <sys/socket.h>\n#include <{header}>\n{}long long all[] = {{{list}}};\n",
                defines(Os::Linux, &list)
            );
            let Some(said) = compiled(&source, &super::super::FLAGS) else { return };
            assert_eq!(said, "", "{header}");
        }
    }

    #[test]
    fn what_headers_warn_of_has_their_numbers() {
        let asserted = DEPRECATED.iter().fold(String::new(), |text, (name, n)| {
            text + &format!("#ifdef {name}\n_Static_assert({name} == {n}, \"{name}\");\n#endif\n")
        });
        let source = format!("#define _GNU_SOURCE\n#include <netdb.h>\n{asserted}");
        let Some(said) = compiled(&source, &[]) else { return };
        assert!(!said.contains("error"), "{said}");
    }

    #[test]
    fn what_does_not_fit_is_cut() {
        let short = |names: &[&'static str]| {
            let flags = harness::case::Flags::of(names);
            short(flags.to_string(), "short", &flags.0, &["POLL"])
        };
        assert_eq!(short(&["POLLIN", "POLLOUT"]), "POLLIN|POLLOUT");
        assert_eq!(short(&["POLLIN", "MSG_PEEK"]), "(short)(POLLIN|MSG_PEEK)");
        assert_eq!(
            (int(Os::Linux, "FIONREAD"), int(Os::Macos, "FIONREAD")),
            ("FIONREAD".into(), "(int)FIONREAD".into())
        );
        assert_eq!(int(Os::Macos, "IP_TTL"), "IP_TTL");
    }
}
