//! What the far end serves to an observed program.

use std::fs;

use harness::case::addr::{Range, Role, address};
use harness::case::names::{ANY, Answer, NameServer, Record, RecordType};
use harness::case::{LabOp, Link, Payload, ServerStep, Service};

use crate::UsageError;

/// The steps of a lab whose only link serves these; none where there is nothing to serve.
pub(super) fn steps(serve: &[String], link: &Link) -> Result<Vec<LabOp>, UsageError> {
    let mut steps = Vec::new();
    for what in serve {
        let service = service(what)?;
        steps.extend(service.map(|service| LabOp::Serve { link: link.name.clone(), service }));
    }
    if !serve.is_empty() {
        steps.push(LabOp::NameServer { link: link.name.clone(), server: names(link) });
    }
    Ok(steps)
}

/// One service; none for names alone.
fn service(what: &str) -> Result<Option<Service>, UsageError> {
    let wrong = |why: &str| {
        let forms = "http[:PORT], tcp:PORT[=TEXT|=@FILE], udp:PORT or dns";
        UsageError(format!("--serve {what:?}: {why}; it is one of {forms}"))
    };
    let (kind, rest) = what.split_once(':').unwrap_or((what, ""));
    let (port, text) = match rest.split_once('=') {
        Some((port, text)) => (port, Some(text)),
        None => (rest, None),
    };
    let number = || match port.parse::<u16>() {
        Ok(port @ 1..) => Ok(port),
        _ => Err(wrong("that is no port")),
    };
    if text.is_some() && kind != "tcp" {
        return Err(wrong("only tcp sends a text"));
    }
    let service = match (kind, port) {
        ("dns", "") => return Ok(None),
        ("http", "") => http(80),
        ("http", _) => http(number()?),
        ("udp", _) => Service { udp: true, ..Service::new(number()?, []) },
        ("tcp", _) => tcp(number()?, text)?,
        _ => return Err(wrong("that is nothing to serve")),
    };
    Ok(Some(Service { anywhere: true, ..service }))
}

/// Sends what there is to send and half-closes; with nothing to send it takes whatever comes.
fn tcp(port: u16, text: Option<&str>) -> Result<Service, UsageError> {
    let bytes = match text.map(|text| (text, text.strip_prefix('@'))) {
        None => Vec::new(),
        Some((_, Some(path))) => fs::read(path)
            .map_err(|e| UsageError(format!("--serve: {path} cannot be read: {e}")))?,
        Some((text, None)) => text.as_bytes().to_vec(),
    };
    let sent = (!bytes.is_empty()).then(|| [send(&bytes), ServerStep::Shutdown]);
    let takes = ServerStep::Take { bytes: u32::MAX };
    Ok(Service::new(port, sent.into_iter().flatten().chain([takes])))
}

/// Answers one request, whatever it is.
fn http(port: u16) -> Service {
    const BODY: &str = "sockeye serves this\n";
    let response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    let head = ServerStep::Expect { until: payload(b"\r\n\r\n") };
    let takes = ServerStep::Take { bytes: u32::MAX };
    Service::new(port, [head, send(response.as_bytes()), ServerStep::Shutdown, takes])
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
    #[case("http", Some((80, false)))]
    #[case("http:8080", Some((8080, false)))]
    #[case("tcp:25=220 hello: there", Some((25, false)))]
    #[case("tcp:9", Some((9, false)))]
    #[case("udp:7", Some((7, true)))]
    #[case("dns", None)]
    fn a_word_is_a_service(#[case] what: &str, #[case] expected: Option<(u16, bool)>) {
        let service = service(what).unwrap();
        assert!(service.iter().all(|service| service.anywhere));
        assert_eq!(service.map(|service| (service.port, service.udp)), expected);
    }

    #[rstest]
    #[case("tcp", "no port")]
    #[case("tcp:0", "no port")]
    #[case("udp:65536", "no port")]
    #[case("dns:53", "nothing to serve")]
    #[case("ftp:21", "nothing to serve")]
    #[case("http:80=x", "only tcp")]
    #[case("tcp:25=@/no/such/file", "cannot be read")]
    fn another_word_is_refused(#[case] what: &str, #[case] why: &str) {
        let error = service(what).unwrap_err();
        assert!(error.0.contains(why), "{}", error.0);
    }

    #[test]
    fn names_come_with_whatever_is_served() {
        let link = Link::new(LinkKind::Tun, "link0");
        assert!(steps(&[], &link).unwrap().is_empty());
        let served = steps(&["http".to_owned()], &link).unwrap();
        assert!(matches!(served[..], [LabOp::Serve { .. }, LabOp::NameServer { .. }]));
    }
}
