//! What the far end serves to an observed program.

use std::io::Read as _;
use std::path::Path;

use far::tls::certs::is_host;
use far::{OFFERS, Takes};
use harness::case::addr::{Range, Role, address};
use harness::case::names::{ANY, Answer, DNS_PORT, NameServer, Record, RecordType};
use harness::case::{LabOp, Link, MOST_BYTES, Payload, ServerStep, Service, Speaks};
use harness::files::{self, NotOpened};

use crate::UsageError;

/// The steps of a lab whose only link serves these; none where there is nothing to serve. A certificate is for the
/// hosts that the command's URLs name.
pub(super) fn steps(
    serve: &[String],
    link: &Link,
    command: &[String],
) -> Result<Vec<LabOp>, UsageError> {
    let mut steps = Vec::new();
    let mut taken: Vec<(bool, u16, &str)> = Vec::new();
    for what in serve {
        let service = service(what, command)?;
        if let Some(Service { udp, port, .. }) = service {
            free(what, (udp, port), &taken)?;
            taken.push((udp, port, what));
        }
        steps.extend(service.map(|service| LabOp::Serve { link: link.name.clone(), service }));
    }
    if !serve.is_empty() {
        steps.push(LabOp::NameServer { link: link.name.clone(), server: names(link) });
    }
    Ok(steps)
}

/// That nobody serves at this port yet: the second server would never be asked.
fn free(
    what: &str,
    (udp, port): (bool, u16),
    taken: &[(bool, u16, &str)],
) -> Result<(), UsageError> {
    let by = if udp { "UDP" } else { "TCP" };
    let before = taken.iter().find(|before| (before.0, before.1) == (udp, port));
    let whose = match before {
        Some((.., before)) => format!("has --serve {before:?} already"),
        None if udp && port == DNS_PORT => {
            "is where names are answered for, whatever else is served".to_owned()
        }
        None => return Ok(()),
    };
    Err(UsageError(format!("--serve {what:?}: port {port} of {by} {whose}")))
}

/// What is served, each with its own port where it has one.
const FORMS: &str =
    "http, tls, quic or ws[:PORT][=SCRIPT], tcp:PORT[=TEXT|=@FILE], udp:PORT or dns";

/// One service; none for names alone.
fn service(what: &str, command: &[String]) -> Result<Option<Service>, UsageError> {
    let wrong = |why: &str| UsageError(format!("--serve {what:?}: {why}; it is one of {FORMS}"));
    let (head, text) = match what.split_once('=') {
        Some((head, text)) => (head, Some(text)),
        None => (what, None),
    };
    let (kind, port) = head.split_once(':').unwrap_or((head, ""));
    let number = || match port.parse::<u16>() {
        Ok(port @ 1..) => Ok(port),
        _ => Err(wrong("that is no port")),
    };
    let service = match (kind, port, text) {
        ("dns", "", None) => return Ok(None),
        ("udp", _, None) => Service { udp: true, ..speaking(number()?, "udp", Some("echo")) },
        ("tcp", ..) => tcp(number()?, text)?,
        ("http" | "tls" | "quic" | "ws", ..) => {
            let offer = OFFERS.iter().find(|offer| offer.name == kind);
            let offer = offer.ok_or_else(|| wrong("that is nothing to serve"))?;
            if let Some(script) = text {
                offer.check(script).map_err(|why| {
                    UsageError(format!(
                        "--serve {what:?}: {why}: `sockeye control {kind} --list-scripts`"
                    ))
                })?;
            }
            let port = if port.is_empty() { offer.port } else { number()? };
            let mut service = speaking(port, kind, text);
            let has_names = offer.takes.contains(&Takes::Hosts);
            if let Some(speaks) = service.speaks.as_mut().filter(|_| has_names) {
                speaks.names = hosts(command);
            }
            Service { udp: kind == "quic", ..service }
        }
        _ => return Err(wrong("that is nothing to serve")),
    };
    Ok(Some(Service { anywhere: true, ..service }))
}

/// Speaks a protocol by one of its scripts.
fn speaking(port: u16, protocol: &str, script: Option<&str>) -> Service {
    let (protocol, script) = (protocol.to_owned(), script.map(str::to_owned));
    Service {
        speaks: Some(Speaks { protocol, script, names: Vec::new() }),
        ..Service::new(port, [])
    }
}

/// The hosts of the URLs in a command, each once.
fn hosts(command: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in command {
        for (_, rest) in word.match_indices("://").map(|(at, sign)| word.split_at(at + sign.len()))
        {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-._".contains(c)));
            let host = &rest[..end.unwrap_or(rest.len())];
            if is_host(host) && !all.iter().any(|known| known.eq_ignore_ascii_case(host)) {
                all.push(host.to_owned());
            }
        }
    }
    // As many as one certificate is for.
    all.truncate(16);
    all
}

/// Sends what there is to send and half-closes; with nothing to send it takes whatever comes.
fn tcp(port: u16, text: Option<&str>) -> Result<Service, UsageError> {
    let bytes = match text.map(|text| (text, text.strip_prefix('@'))) {
        None => Vec::new(),
        Some((_, Some(path))) => file(path)?,
        Some((text, None)) => text.as_bytes().to_vec(),
    };
    let sent = (!bytes.is_empty()).then(|| [send(&bytes), ServerStep::Shutdown]);
    let takes = ServerStep::Take { bytes: u32::MAX };
    Ok(Service::new(port, sent.into_iter().flatten().chain([takes])))
}

/// What a file has, which is as much as a server's script may send.
fn file(path: &str) -> Result<Vec<u8>, UsageError> {
    let file = files::opened(Path::new(path), true).map_err(|e| match e {
        NotOpened::Io(e) => UsageError(format!("--serve: {path} cannot be read: {e}")),
        NotOpened::Is(what) => {
            UsageError(format!("--serve: {path} is {what}, and what is sent is in a file"))
        }
    })?;
    let mut bytes = Vec::new();
    let read = file.take(MOST_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|e| UsageError(format!("--serve: {path} cannot be read: {e}")))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(UsageError(format!(
            "--serve: {path} has more than {MOST_BYTES} bytes, which are the most that are sent"
        )));
    }
    Ok(bytes)
}

fn send(bytes: &[u8]) -> ServerStep {
    ServerStep::Send { data: payload(bytes) }
}

/// A character for each byte.
fn payload(bytes: &[u8]) -> Payload {
    Payload::Text(bytes.iter().map(|byte| char::from(*byte)).collect())
}

/// Every name is the far end's own.
fn names(link: &Link) -> NameServer {
    let of = |kind, range| {
        let has = link.ranges.contains(&range);
        let records = has.then(|| Record::ip(address(0, Role::Neighbour, range)));
        let types = vec![kind];
        Answer { types, ..Answer::new(ANY, records.into_iter().collect()) }
    };
    let (a, aaaa) = (of(RecordType::A, Range::V4), of(RecordType::Aaaa, Range::V6));
    NameServer::new(Range::V4, [a, aaaa, Answer::new(ANY, Vec::new())])
}

#[cfg(test)]
mod tests {
    use harness::case::LinkKind;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http", Some((80, false)), Some("http"))]
    #[case("http:8080", Some((8080, false)), Some("http"))]
    #[case("http:80=keep-alive-close", Some((80, false)), Some("http keep-alive-close"))]
    #[case("tls=expired", Some((443, false)), Some("tls expired for a.example"))]
    #[case("quic=h3", Some((443, true)), Some("quic h3 for a.example"))]
    #[case("ws:9", Some((9, false)), Some("ws"))]
    #[case("tcp:25=220 hello: there", Some((25, false)), None)]
    #[case("tcp:9", Some((9, false)), None)]
    #[case("udp:7", Some((7, true)), Some("udp echo"))]
    #[case("dns", None, None)]
    fn a_word_is_a_service(
        #[case] what: &str,
        #[case] expected: Option<(u16, bool)>,
        #[case] speaks: Option<&str>,
    ) {
        let service = service(what, &["https://a.example/x".to_owned()]).unwrap();
        assert!(service.iter().all(|service| service.anywhere));
        assert_eq!(service.as_ref().map(|service| (service.port, service.udp)), expected);
        let spoken = service.and_then(|service| service.speaks);
        assert_eq!(spoken.map(|speaks| speaks.to_string()).as_deref(), speaks);
    }

    #[rstest]
    #[case("tcp", "no port")]
    #[case("tcp:0", "no port")]
    #[case("udp:65536", "no port")]
    #[case("dns:53", "nothing to serve")]
    #[case("ftp:21", "nothing to serve")]
    #[case("udp:7=x", "nothing to serve")]
    #[case("http:80=x", "there is no script")]
    #[case("tcp:25=@/no/such/file", "cannot be read")]
    #[case("tcp:25=@/dev/zero", "/dev/zero is a device, and what is sent is in a file")]
    #[case("tcp:25=@/tmp", "/tmp is a folder")]
    fn another_word_is_refused(#[case] what: &str, #[case] why: &str) {
        let error = service(what, &[]).unwrap_err();
        assert!(error.0.contains(why), "{}", error.0);
    }

    #[rstest]
    #[case(&["curl", "https://a.example/"], &["a.example"])]
    #[case(&["sh", "-c", "curl https://a.example:8443 && wget wss://b.example?x"], &["a.example", "b.example"])]
    #[case(&["curl", "https://a.example", "https://a.example/again"], &["a.example"])]
    #[case(&["curl", "https://A.example", "https://a.example", "https://-bad-.example"], &["A.example"])]
    #[case(&["curl", "https://[::1]/", "https://", "a.example", "https://..", "x://$(y)"], &[])]
    fn a_certificate_is_for_the_hosts_of_urls(#[case] command: &[&str], #[case] expected: &[&str]) {
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(hosts(&command), expected);
    }

    #[test]
    fn names_come_with_whatever_is_served() {
        let link = Link::new(LinkKind::Tun, "link0");
        assert!(steps(&[], &link, &[]).unwrap().is_empty());
        let served = steps(&["http".to_owned()], &link, &[]).unwrap();
        assert!(matches!(served[..], [LabOp::Serve { .. }, LabOp::NameServer { .. }]));
    }
    /// A pipe would be waited for, and what is too long would fill the memory.
    #[test]
    fn a_file_has_as_much_as_a_script_may() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        nix::unistd::mkfifo(at("pipe").as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let why = file(&at("pipe")).unwrap_err();
        assert!(why.0.ends_with("is a pipe, and what is sent is in a file"), "{}", why.0);
        let made = |name: &str, len: u64| {
            std::fs::File::create(at(name)).unwrap().set_len(len).unwrap();
            at(name)
        };
        assert_eq!(file(&made("most", MOST_BYTES)).unwrap().len() as u64, MOST_BYTES);
        let why = file(&made("more", MOST_BYTES + 1)).unwrap_err();
        assert!(why.0.contains("more than 1048576 bytes"), "{}", why.0);
        // Nobody has to have as much memory.
        assert!(file(&made("huge", 1 << 40)).is_err());
    }

    #[rstest]
    #[case(&["tcp:80=x", "http"], Err("\"http\": port 80 of TCP has --serve \"tcp:80=x\" already"))]
    #[case(&["tls", "http:443"], Err("port 443 of TCP has --serve \"tls\" already"))]
    #[case(&["udp:443", "quic"], Err("port 443 of UDP has --serve \"udp:443\" already"))]
    #[case(&["udp:53"], Err("\"udp:53\": port 53 of UDP is where names"))]
    #[case(&["tls", "quic", "http", "tcp:53", "dns", "dns"], Ok(()))]
    fn a_port_is_one_servers(#[case] serve: &[&str], #[case] expected: Result<(), &str>) {
        let serve: Vec<String> = serve.iter().map(|what| (*what).to_owned()).collect();
        match (steps(&serve, &Link::new(LinkKind::Tun, "link0"), &[]), expected) {
            (Ok(_), Ok(())) => {}
            (Err(why), Err(part)) => assert!(why.0.contains(part), "{}", why.0),
            (got, _) => panic!("{got:?}"),
        }
    }
}
