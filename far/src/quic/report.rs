//! What was seen, one thing at a time: for people and as JSON.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::h3::Part;
use super::names;
use super::packet::LEAST;
use super::seen::{Closed, End, Stream, What, is_clients, is_one_way};
use crate::text::{millis, quoted};
use crate::tls::alert;
use crate::witness::count;

/// How many bytes are shown of what came.
const SHOWN: usize = 64;

/// "stream 0 (bidirectional, opened by the client)".
fn stream_name(id: u64) -> String {
    format!("stream {id} ({}, opened by the {})", way(id), who(id))
}

/// Whether a stream has both directions.
pub(super) fn way(id: u64) -> &'static str {
    if is_one_way(id) { "unidirectional" } else { "bidirectional" }
}

/// Who opened a stream.
pub(super) fn who(id: u64) -> &'static str {
    if is_clients(id) { "client" } else { "server" }
}

/// "3 bytes and FIN".
fn amount(bytes: u64, end: Option<End>) -> String {
    let count = count(bytes, "byte");
    match end {
        None => format!("{count}, no FIN"),
        Some(End::Fin) => format!("{count} and FIN"),
        Some(End::Reset(code)) => format!("{count} and RESET_STREAM with code {code}"),
    }
}

/// What came by a stream and what was sent by it.
pub(super) fn exchange(stream: &Stream) -> String {
    let Stream { id, received, end, sent, sent_end } = *stream;
    let came = amount(received, end);
    let back = amount(sent, sent_end);
    match (is_clients(id), is_one_way(id)) {
        (true, true) => came,
        (true, false) if received == 0 && end.is_none() => {
            "nothing came by it, neither a byte nor FIN".to_owned()
        }
        (true, false) => format!("{came}; sent back: {back}"),
        (false, true) => format!("{back} sent"),
        (false, false) => format!("{back} sent; came back: {came}"),
    }
}

/// Why a connection is over.
pub(super) fn why(how: &Closed, is_h3: bool) -> String {
    match how {
        Closed::By { client, application, code, reason } => {
            let who = if *client { "client" } else { "server" };
            let code = if *application {
                format!("application code {}", names::application(*code, is_h3))
            } else {
                format!("transport code {}", names::transport(*code))
            };
            let said = if reason.is_empty() { String::new() } else { format!(": {reason:?}") };
            format!("closed by the {who}, {code}{said}")
        }
        Closed::Idle => "given up: nothing came for the idle timeout".to_owned(),
        Closed::Reset => "gone: the client sent a stateless reset".to_owned(),
        Closed::Stops => "still open when the server ended".to_owned(),
        Closed::Other(why) => format!("given up: {why}"),
    }
}

fn settings(all: &[(u64, u64)]) -> String {
    if all.is_empty() {
        return "none".to_owned();
    }
    let all = all.iter().map(|(id, value)| format!("{}={value}", names::setting(*id)));
    all.collect::<Vec<_>>().join(", ")
}

fn listed(versions: &[u32]) -> String {
    versions.iter().map(|v| names::version(*v)).collect::<Vec<_>>().join(", ")
}

/// The lines for people; empty where it is not worth one.
pub(super) fn lines(connection: u64, at: Duration, what: &What) -> Vec<String> {
    let Some(text) = text(what) else { return Vec::new() };
    let seconds = at.as_secs_f64();
    let mut lines = vec![match connection {
        0 => format!("no connection ({seconds:.3} s): {text}"),
        n => format!("connection {n} ({seconds:.3} s): {text}"),
    }];
    match what {
        What::Hello(hello) => lines.extend(hello.lines()),
        What::Http { part: Part::Fields(fields), .. } => {
            lines.extend(fields.iter().map(|(name, value)| format!("    {name}: {value}")));
        }
        _ => {}
    }
    lines
}

fn text(what: &What) -> Option<String> {
    Some(match what {
        What::Initial { peer, len, version, token, early } => {
            let short = if *len < LEAST { ": less than 1200, so that it is discarded" } else { "" };
            let token = if *token > 0 { ", with a token" } else { "" };
            let early = if *early { ", with 0-RTT data" } else { "" };
            let version = names::version(*version);
            format!(
                "{peer} sent an Initial, version {version}, in a datagram of {len} bytes{token}{early}{short}"
            )
        }
        What::Stray { peer, len, start, reset } => {
            let reset = if *reset { ", answered by a stateless reset" } else { "" };
            let start = quoted(start, SHOWN);
            format!("{peer} sent a datagram of {len} bytes, of no connection{reset}: {start}")
        }
        What::Negotiated { listed: versions, .. } => {
            format!("sent a Version Negotiation: {}", listed(versions))
        }
        What::Retried => "sent a Retry".to_owned(),
        What::Hello(_) => "ClientHello".to_owned(),
        What::Connected { alpn, early } => {
            let alpn = alpn.as_ref().map_or("none".into(), |name| String::from_utf8_lossy(name));
            let early = if *early { ", early data (0-RTT) accepted" } else { "" };
            format!("handshake complete, ALPN {alpn}{early}")
        }
        What::Opened { id, implied: false } | What::Opens { id: Some(id), .. } => {
            format!("{}: opened", stream_name(*id))
        }
        What::Opened { id, implied: true } => {
            format!("{}: opened by the use of a later one, nothing of it came", stream_name(*id))
        }
        What::Opens { id: None, one_way } => {
            let way = if *one_way { "unidirectional" } else { "bidirectional" };
            format!("the client lets the server open no {way} stream")
        }
        What::Bytes { id, offset: 0, bytes, framed: false } => {
            format!("stream {id} begins: {}", quoted(bytes, SHOWN))
        }
        What::Bytes { .. } => return None,
        What::Stream(stream) => format!("{}: {}", stream_name(stream.id), exchange(stream)),
        What::Stopped { id, code } => format!("stream {id}: STOP_SENDING with code {code}"),
        What::Datagram { bytes, echoed } => {
            let echoed = if *echoed { "sent back" } else { "not sent back" };
            format!("datagram of {} bytes, {echoed}: {}", bytes.len(), quoted(bytes, SHOWN))
        }
        What::Http { id, part } => match part {
            Part::Type(kind) => {
                format!("stream {id} is of type {kind:#x}, {}", names::stream_type(*kind))
            }
            Part::Frame { kind, len } => {
                format!("stream {id}: {} of {}", names::frame(*kind), count(*len, "byte"))
            }
            Part::Settings(all) => format!("stream {id}: settings: {}", settings(all)),
            Part::Fields(_) => format!("stream {id}: fields"),
        },
        What::Moved { from, to } => format!("the client's address was {from} and is {to} now"),
        What::Closed { how, is_h3, .. } => why(how, *is_h3),
    })
}

/// An object for programs; null where it is not worth one.
pub(super) fn json(connection: u64, at: Duration, what: &What) -> Value {
    let (name, more) = match what {
        What::Bytes { offset: 1.., .. } | What::Bytes { framed: true, .. } => return Value::Null,
        What::Initial { peer, len, version, token, early } => (
            "initial",
            json!({ "peer": peer.to_string(), "len": len, "at_least_1200": *len >= LEAST,
                "version": names::version(*version), "token_len": token, "zero_rtt": early }),
        ),
        What::Stray { peer, len, start, reset } => (
            "stray",
            json!({ "peer": peer.to_string(), "len": len, "reset": reset,
                "start": start.escape_ascii().to_string() }),
        ),
        What::Negotiated { offered, listed } => (
            "version-negotiation",
            json!({ "offered": names::version(*offered),
                "listed": listed.iter().map(|v| names::version(*v)).collect::<Vec<_>>() }),
        ),
        What::Retried => ("retry", json!({})),
        What::Hello(hello) => ("client-hello", hello.json()),
        What::Connected { alpn, early } => (
            "handshake",
            json!({ "alpn": alpn.as_ref().map(|a| String::from_utf8_lossy(a)), "zero_rtt": early }),
        ),
        What::Opened { id, implied } => ("opened", json!({ "stream": id, "implied": implied })),
        What::Opens { id, one_way } => ("opens", json!({ "stream": id, "one_way": one_way })),
        What::Bytes { id, bytes, .. } => (
            "begins",
            json!({ "stream": id, "start": bytes.get(..SHOWN).unwrap_or(bytes).escape_ascii().to_string() }),
        ),
        What::Stream(stream) => ("stream", of_stream(stream)),
        What::Stopped { id, code } => ("stop-sending", json!({ "stream": id, "code": code })),
        What::Datagram { bytes, echoed } => {
            ("datagram", json!({ "len": bytes.len(), "sent_back": echoed }))
        }
        What::Http { id, part } => ("http3", of_part(*id, part)),
        What::Moved { from, to } => {
            ("moved", json!({ "from": from.to_string(), "to": to.to_string() }))
        }
        What::Closed { how, blocked, is_h3 } => ("closed", of_closed(how, *blocked, *is_h3)),
    };
    let mut object = Map::new();
    object.insert("connection".to_owned(), connection.into());
    object.insert("at_ms".to_owned(), millis(at).into());
    object.insert("event".to_owned(), name.into());
    if let Value::Object(more) = more {
        object.extend(more);
    }
    object.into()
}

fn of_stream(stream: &Stream) -> Value {
    let end = |end: Option<End>| match end {
        None => Value::Null,
        Some(End::Fin) => "fin".into(),
        Some(End::Reset(code)) => json!({ "reset": code }),
    };
    json!({
        "stream": stream.id,
        "opened_by": who(stream.id),
        "one_way": is_one_way(stream.id),
        "received": stream.received,
        "end": end(stream.end),
        "sent": stream.sent,
        "sent_end": end(stream.sent_end),
    })
}

fn of_part(id: u64, part: &Part) -> Value {
    match part {
        Part::Type(kind) => json!({ "stream": id, "type": names::stream_type(*kind) }),
        Part::Frame { kind, len } => {
            json!({ "stream": id, "frame": names::frame(*kind), "len": len })
        }
        Part::Settings(all) => {
            let all = all.iter().map(|(id, value)| json!([names::setting(*id), value]));
            json!({ "stream": id, "settings": all.collect::<Vec<_>>() })
        }
        Part::Fields(fields) => json!({ "stream": id, "fields": fields }),
    }
}

fn of_closed(how: &Closed, blocked: (u64, u64), is_h3: bool) -> Value {
    let mut object = json!({ "how": why(how, is_h3), "by": Value::Null, "streams_blocked": [blocked.0, blocked.1] });
    if let Closed::By { client, application, code, reason } = how {
        object["by"] = if *client { "client" } else { "server" }.into();
        object["application"] = (*application).into();
        object["code"] = (*code).into();
        object["reason"] = reason.as_str().into();
        if let Some(alert) = names::alert_of(*code).filter(|_| !application) {
            object["alert"] = alert::name(alert).into();
        }
    }
    object
}
