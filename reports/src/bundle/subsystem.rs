//! Whose code a report is about: which files of the kernel, or the C library.

use harness::case::{Case, Op, plain};

use super::{Part, pivot};

/// Which of the libraries that resolve names a kernel's programs have, as `Fingerprint::libc` begins.
pub(super) const GLIBC: &str = "glibc";

/// The other one.
pub(super) const MUSL: &str = "musl";

/// Whether it is about a call in which the C library does the work: it resolves names, and reads and
/// writes addresses.
pub(super) fn is_of_libc(part: &Part<'_>) -> bool {
    let op = pivot(part).and_then(|op| part.line.case.ops.get(op as usize));
    op.is_some_and(|op| {
        matches!(
            op,
            Op::Getaddrinfo { .. }
                | Op::Getnameinfo { .. }
                | Op::InetPton { .. }
                | Op::InetAton { .. }
        )
    })
}

/// The socket that a step is about: its family and its type.
fn socket(case: &Case, op: u32) -> Option<(&str, &str)> {
    let fd = case.ops.get(op as usize)?.fd()?;
    case.ops.iter().find_map(|op| match op {
        Op::Socket { fd: made, domain, r#type, .. } if made == fd => {
            Some((domain.as_str(), r#type.0.first().map_or("", |kind| kind.as_str())))
        }
        _ => None,
    })
}

/// Whether it is about an IPv6 socket; none if that cannot be told.
pub(super) fn is_ipv6(part: &Part<'_>) -> Option<bool> {
    match plain(socket(&part.line.case, pivot(part)?)?.0) {
        // A mapped address is IPv4's.
        "AF_INET6" => Some(!part.line.outcome.contains("[::ffff:")),
        "AF_INET" => Some(false),
        _ => None,
    }
}

/// The files that it is about: those that its cause names, else that of the protocol.
pub(super) fn files(part: &Part<'_>) -> Vec<String> {
    let known = part.line.findings.iter().find_map(|finding| finding.known.as_ref());
    let named = known.map(|known| sources(&known.reason)).unwrap_or_default();
    if !named.is_empty() {
        return named;
    }
    let of = |op| socket(&part.line.case, op);
    let Some((family, kind)) = pivot(part).and_then(of) else { return Vec::new() };
    let folder = match plain(family) {
        "AF_INET" => "net/ipv4",
        "AF_INET6" => "net/ipv6",
        "AF_UNIX" => return vec!["net/unix/af_unix.c".to_owned()],
        "AF_PACKET" => return vec!["net/packet/af_packet.c".to_owned()],
        _ => return vec!["net/socket.c".to_owned()],
    };
    let file = match kind {
        // There is but one, for both.
        "SOCK_STREAM" => return vec!["net/ipv4/tcp.c".to_owned()],
        "SOCK_DGRAM" => "udp.c",
        _ => "raw.c",
    };
    vec![format!("{folder}/{file}")]
}

/// The files of C that a text names: `net/ipv4/route.c`.
fn sources(text: &str) -> Vec<String> {
    let apart = |c: char| c.is_whitespace() || "(),;:".contains(c);
    let is = |word: &&str| {
        let end = word.rsplit_once('.').map(|(_, end)| end);
        word.contains('/') && matches!(end, Some("c" | "h")) && !word.contains("//")
    };
    let mut out: Vec<String> = Vec::new();
    for word in text.split(apart).filter(is) {
        if !out.iter().any(|known| known == word) {
            out.push(word.to_owned());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_names_files() {
        let text =
            "Linux does it (net/ipv4/udp.c __udp4_lib_err, net/ipv6/udp.c) and net/ipv4/udp.c.";
        assert_eq!(sources(text), ["net/ipv4/udp.c", "net/ipv6/udp.c"]);
        assert_eq!(sources("see https://x.example/a.c or a.c"), [""; 0]);
    }
}
