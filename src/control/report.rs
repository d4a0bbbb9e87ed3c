//! What the server saw, for people and as JSON. Nothing here touches a socket.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use harness::text::is_obeyed;
use serde_json::{Value, json};

use super::parse::{Head, header_lines};

/// A request as it came, and what was done about it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Its number, from 1.
    pub(crate) request: u64,
    /// Its connection's number, from 1.
    pub(crate) connection: u64,
    /// When its head was there, since the server began.
    pub(crate) at: Duration,
    /// What it says, or why it is no request.
    pub(crate) head: Result<Head, String>,
    /// Its exact bytes; of the body no more than 1 MiB.
    pub(crate) raw: Vec<u8>,
    /// How many of them are the head.
    pub(crate) head_len: usize,
    /// How much of the body was read, framing left out.
    pub(crate) body_len: u64,
    /// What was odd about the body.
    pub(crate) body_note: Option<String>,
    /// The final response.
    pub(crate) response: Option<Answered>,
    /// What becomes of the connection.
    pub(crate) ending: String,
}

/// A response that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    /// When its first byte was about to leave.
    pub(crate) at: Duration,
    /// Its status.
    pub(crate) status: u16,
    /// Status line and header lines.
    pub(crate) lines: Vec<String>,
}

impl Record {
    fn pairs(&self) -> Vec<(String, String)> {
        let cookie = self.head.as_ref().ok().and_then(Head::cookie).unwrap_or_default();
        let pairs = cookie.split(';').map(str::trim).filter(|pair| !pair.is_empty());
        pairs.map(split).collect()
    }

    fn head_bytes(&self) -> &[u8] {
        self.raw.get(..self.head_len).unwrap_or(&self.raw)
    }
}

fn split(pair: &str) -> (String, String) {
    let (name, value) = pair.split_once('=').unwrap_or(("", pair));
    (name.trim().to_owned(), value.trim().to_owned())
}

/// A Set-Cookie that left.
#[derive(Clone, Debug)]
struct Setting {
    at: Duration,
    response: u64,
    name: String,
    /// None if it expires the cookie.
    value: Option<String>,
}

/// Every Set-Cookie, in the order of time.
fn settings(records: &[Record]) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (record, answered) in records.iter().filter_map(|r| Some((r, r.response.as_ref()?))) {
        for line in answered.lines.iter().filter_map(|line| line.strip_prefix("Set-Cookie: ")) {
            let mut parts = line.split(';').map(str::trim);
            let (name, value) = split(parts.next().unwrap_or_default());
            let expires = parts.any(|part| part.eq_ignore_ascii_case("max-age=0"));
            let value = (!expires).then_some(value);
            settings.push(Setting { at: answered.at, response: record.request, name, value });
        }
    }
    settings.sort_by_key(|setting| (setting.at, setting.response));
    settings
}

/// What a request says of cookies, and what speaks against it.
fn verdict(record: &Record, settings: &[Setting]) -> String {
    let pairs = record.pairs();
    if pairs.is_empty() {
        return "no".to_owned();
    }
    let said = pairs.iter().map(|(name, value)| {
        let last = settings.iter().rfind(|s| s.name == *name && s.at < record.at);
        let remark = match last {
            None => ", which no response here had set".to_owned(),
            Some(Setting { response, value: None, .. }) => {
                format!(", though response {response} expired it")
            }
            Some(Setting { response, value: Some(set), .. }) if set != value => {
                format!(", though response {response} set {name}={set}")
            }
            Some(_) => String::new(),
        };
        format!("{name}={value}{remark}")
    });
    format!("yes, {}", said.collect::<Vec<_>>().join("; "))
}

/// A request as text. `before` are the requests reported before it.
pub(crate) fn text(record: &Record, before: &[Record]) -> String {
    let seconds = record.at.as_secs_f64();
    let (request, connection) = (record.request, record.connection);
    let mut out = format!("request {request} (connection {connection}, {seconds:.3} s): ");
    match &record.head {
        Ok(head) => {
            let cookie = verdict(record, &settings(before));
            let _ = writeln!(out, "{} {} — Cookie sent: {cookie}", head.method, head.target);
            for line in header_lines(record.head_bytes()) {
                let _ = writeln!(out, "    {}", shown(line));
            }
        }
        Err(why) => {
            let _ = writeln!(out, "malformed: {why}");
            let some = record.raw.get(..512).unwrap_or(&record.raw);
            let more = record.raw.len() - some.len();
            let more = if more > 0 { format!(" and {more} bytes more") } else { String::new() };
            let _ = writeln!(out, "    \"{}\"{more}", some.escape_ascii());
        }
    }
    if record.body_len > 0 || record.body_note.is_some() {
        let note = record.body_note.as_ref().map_or(String::new(), |note| format!(", {note}"));
        let _ = writeln!(out, "  body: {} bytes read{note}", record.body_len);
    }
    let answer = record.response.as_ref().map_or("no response".to_owned(), |answered| {
        let status = answered.lines.first().map_or("", |l| l.trim_start_matches("HTTP/1.1 "));
        let cookies = answered.lines.iter().filter(|line| line.starts_with("Set-Cookie: "));
        let parts: Vec<&str> = std::iter::once(status).chain(cookies.map(String::as_str)).collect();
        format!("response {request}: {}", parts.join(", "))
    });
    let _ = writeln!(out, "  {answer}; connection {}", record.ending);
    out
}

/// A header line: as it is if that can be printed, else escaped.
fn shown(line: &[u8]) -> String {
    match std::str::from_utf8(line) {
        Ok(text) if !text.chars().any(|c| is_obeyed(c) && c != '\t') => text.to_owned(),
        _ => line.escape_ascii().to_string(),
    }
}

/// A request as JSON.
pub(crate) fn json(record: &Record) -> Value {
    let head = record.head.as_ref().ok();
    json!({
        "request": record.request,
        "connection": record.connection,
        "at_ms": millis(record.at),
        "method": head.map(|h| &h.method),
        "target": head.map(|h| &h.target),
        "malformed": record.head.as_ref().err(),
        "head": String::from_utf8_lossy(record.head_bytes()),
        "headers": head.map(|h| &h.headers),
        "cookie": head.and_then(Head::cookie),
        "body_len": record.body_len,
        "body_note": record.body_note,
        "response": record.response.as_ref().map(|answered| json!({
            "status": answered.status, "at_ms": millis(answered.at), "lines": answered.lines,
        })),
        "ending": record.ending,
    })
}

/// To a microsecond.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// What happened to cookies, in plain words.
pub(crate) fn summary(records: &[Record]) -> Vec<String> {
    let mut records = records.to_vec();
    records.sort_by_key(|record| record.request);
    let settings = settings(&records);
    let connections: BTreeSet<u64> = records.iter().map(|record| record.connection).collect();
    let mut lines = vec![format!(
        "{} on {}",
        count(records.len(), "request"),
        count(connections.len(), "connection")
    )];
    let malformed: Vec<u64> =
        records.iter().filter(|r| r.head.is_err()).map(|r| r.request).collect();
    if !malformed.is_empty() {
        lines.push(format!("malformed: {}", requests(&malformed)));
    }
    lines.extend(unset(&records, &settings));
    for (i, setting) in settings.iter().enumerate() {
        let until = settings[i + 1..].iter().find(|s| s.name == setting.name).map(|s| s.at);
        let later: Vec<&Record> = records
            .iter()
            .filter(|r| r.head.is_ok() && r.at > setting.at && until.is_none_or(|end| r.at <= end))
            .collect();
        lines.extend(fate(setting, &later));
    }
    if settings.is_empty() {
        lines.push("no response set a cookie".to_owned());
    }
    lines
}

/// Cookies that came from elsewhere.
fn unset(records: &[Record], settings: &[Setting]) -> Vec<String> {
    let mut found: Vec<((String, String), Vec<u64>)> = Vec::new();
    for record in records {
        for pair in record.pairs() {
            if settings.iter().any(|s| s.name == pair.0 && s.at < record.at) {
                continue;
            }
            match found.iter_mut().find(|(known, _)| *known == pair) {
                Some((_, numbers)) => numbers.push(record.request),
                None => found.push((pair, vec![record.request])),
            }
        }
    }
    let line = |((name, value), numbers): ((String, String), Vec<u64>)| {
        let (cookie, numbers) = (format!("`{name}={value}`"), requests(&numbers));
        format!("Cookie sent: yes, {cookie}, in {numbers} though no response here had set it")
    };
    found.into_iter().map(line).collect()
}

/// What the requests between one Set-Cookie and the next made of it.
fn fate(setting: &Setting, later: &[&Record]) -> Vec<String> {
    let Setting { response, name, value, .. } = setting;
    let mut sent: Vec<(String, Vec<u64>)> = Vec::new();
    let mut without = Vec::new();
    for record in later {
        match record.pairs().into_iter().find(|(n, _)| n == name) {
            None => without.push(record.request),
            Some((_, value)) => match sent.iter_mut().find(|(known, _)| *known == value) {
                Some((_, numbers)) => numbers.push(record.request),
                None => sent.push((value, vec![record.request])),
            },
        }
    }
    let mut lines = vec![match value {
        Some(value) => format!("response {response} set `{name}={value}`"),
        None => format!("response {response} expired `{name}`"),
    }];
    for (got, numbers) in &sent {
        let remark = match value {
            None => format!(" though response {response} expired it"),
            Some(own) if own != got => format!(" though response {response} set `{name}={own}`"),
            Some(_) => String::new(),
        };
        let numbers = requests(numbers);
        lines.push(format!("  Cookie sent: yes, `{name}={got}`, in {numbers}{remark}"));
    }
    if !without.is_empty() {
        lines.push(format!("  Cookie sent: no, not in {}", requests(&without)));
    }
    if later.is_empty() {
        lines.push("  no request came after that".to_owned());
    }
    lines
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// "request 1", "requests 1 and 2", "requests 1, 2 and 5".
fn requests(numbers: &[u64]) -> String {
    let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
    match words.split_last() {
        Some((last, [])) => format!("request {last}"),
        Some((last, others)) => format!("requests {} and {last}", others.join(", ")),
        None => "no request".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::parse::{Parsed, parse};
    use super::*;

    /// A request that came with a cookie, and what the response set.
    fn record(request: u64, cookie: &str, set: &str) -> Record {
        let cookie =
            if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") };
        let raw = format!("GET /x HTTP/1.1\r\nHost: h\r\n{cookie}\r\n").into_bytes();
        let (head, head_len) = match parse(&raw) {
            Parsed::Complete(head, len) => (Ok(head), len),
            other => panic!("{other:?}"),
        };
        let mut lines = vec!["HTTP/1.1 200 OK".to_owned()];
        if !set.is_empty() {
            lines.push(format!("Set-Cookie: {set}"));
        }
        let at = Duration::from_millis(request * 10);
        let answered_at = at + Duration::from_millis(1);
        let response = Some(Answered { at: answered_at, status: 200, lines });
        let (body_len, body_note, ending) = (0, None, "kept open".to_owned());
        let connection = 1;
        Record {
            request,
            connection,
            at,
            head,
            raw,
            head_len,
            body_len,
            body_note,
            response,
            ending,
        }
    }

    const SET: &str = "session=1; Path=/";
    const EXPIRED: &str = "session=; Path=/; Max-Age=0";

    #[rstest]
    #[case::nothing(&[], &["no response set a cookie"])]
    #[case::never_set(&[("", "")], &["no response set a cookie"])]
    #[case::set_last(&[("", SET)], &["response 1 set `session=1`", "  no request came after that"])]
    #[case::sent_back(
        &[("", SET), ("session=1", ""), ("a=b; session=1", "")],
        &["Cookie sent: yes, `a=b`, in request 3 though no response here had set it",
          "response 1 set `session=1`",
          "  Cookie sent: yes, `session=1`, in requests 2 and 3"]
    )]
    #[case::not_always(
        &[("", SET), ("session=1", ""), ("", "")],
        &["response 1 set `session=1`",
          "  Cookie sent: yes, `session=1`, in request 2",
          "  Cookie sent: no, not in request 3"]
    )]
    #[case::expired_and_gone(
        &[("", SET), ("session=1", EXPIRED), ("", "")],
        &["response 1 set `session=1`",
          "  Cookie sent: yes, `session=1`, in request 2",
          "response 2 expired `session`",
          "  Cookie sent: no, not in request 3"]
    )]
    #[case::expired_and_sent(
        &[("", SET), ("session=1", EXPIRED), ("session=1", ""), ("session=1", "")],
        &["response 1 set `session=1`",
          "  Cookie sent: yes, `session=1`, in request 2",
          "response 2 expired `session`",
          "  Cookie sent: yes, `session=1`, in requests 3 and 4 though response 2 expired it"]
    )]
    #[case::another_value(
        &[("session=0", SET), ("session=0", "")],
        &["Cookie sent: yes, `session=0`, in request 1 though no response here had set it",
          "response 1 set `session=1`",
          "  Cookie sent: yes, `session=0`, in request 2 though response 1 set `session=1`"]
    )]
    fn the_summary_says_what_became_of_a_cookie(
        #[case] exchanges: &[(&str, &str)],
        #[case] expected: &[&str],
    ) {
        let mut records: Vec<Record> =
            (1..).zip(exchanges).map(|(n, (cookie, set))| record(n, cookie, set)).collect();
        assert_eq!(summary(&records)[1..], *expected);
        records.reverse();
        assert_eq!(summary(&records)[1..], *expected, "in another order");
    }

    #[rstest]
    #[case("", "", "no")]
    #[case(SET, "session=1", "yes, session=1")]
    #[case(EXPIRED, "session=1", "yes, session=1, though response 1 expired it")]
    #[case(SET, "session=2", "yes, session=2, though response 1 set session=1")]
    #[case("", "a=b", "yes, a=b, which no response here had set")]
    fn a_request_says_whether_a_cookie_came(
        #[case] set: &str,
        #[case] cookie: &str,
        #[case] expected: &str,
    ) {
        let before = [record(1, "", set)];
        let text = text(&record(2, cookie, ""), &before);
        let first = text.lines().next().unwrap();
        let wanted = format!("request 2 (connection 1, 0.020 s): GET /x — Cookie sent: {expected}");
        assert_eq!(first, wanted);
        assert_eq!(text.lines().nth(1).unwrap().starts_with("    Cookie:"), !cookie.is_empty());
    }

    #[test]
    fn what_is_no_request_is_quoted() {
        let raw = b"\x16\x03\x01\"\n".to_vec();
        let head = Err("this is TLS".to_owned());
        let record = Record { head, raw, head_len: 0, response: None, ..record(1, "", "") };
        let text = text(&record, &[]);
        assert!(
            text.contains("malformed: this is TLS\n    \"\\x16\\x03\\x01\\\"\\n\"\n"),
            "{text}"
        );
        assert!(summary(&[record]).contains(&"malformed: request 1".to_owned()));
    }

    #[test]
    fn json_has_the_head_as_it_came() {
        let value = json(&record(1, "a=b", SET));
        assert_eq!(value["head"], "GET /x HTTP/1.1\r\nHost: h\r\nCookie: a=b\r\n\r\n");
        assert_eq!(value["cookie"], "a=b");
        assert_eq!(value["headers"][1], json!(["Cookie", "a=b"]));
        assert_eq!(value["response"]["lines"][1], "Set-Cookie: session=1; Path=/");
    }
}
