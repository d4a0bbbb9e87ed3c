//! What the server answers: scripts as data, and the one function that reads them.

use crate::head::{Body, Head};
use crate::offer::{Script, row, scripts};

/// How long a connection is idle before a script ends it.
const IDLE_MS: u64 = 200;
/// How long `continue` keeps a client waiting at `/late`.
const LATE_MS: u64 = 1_000;

/// What a script does: the first row that matches a request says what happens.
#[derive(Debug)]
pub(super) struct Rules(&'static [(When, &'static [Step])]);

/// Which requests a row is for.
#[derive(Clone, Copy, Debug)]
enum When {
    Any,
    /// The first of all.
    First,
    /// Any but the first of its connection.
    Reused,
    Body,
    Target(&'static str),
}

/// A step of a row.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// "100 Continue" if the client asked for it.
    Continue,
    Read,
    ReadSlowly,
    /// Status, reason, further header lines.
    Reply(u16, &'static str, &'static [&'static str]),
    Pause(u64),
    Idle(u64),
    HalfClose,
    Drain,
    Close,
    Reset,
    Silence,
}

const OK: Step = Step::Reply(200, "OK", &[]);
const SETS: Step = Step::Reply(200, "OK", &["Set-Cookie: session=1; Path=/"]);
const EXPIRES: Step = Step::Reply(200, "OK", &["Set-Cookie: session=; Path=/; Max-Age=0"]);
const CLOSING: &[&str] = &["Connection: close"];
const TOO_LARGE: Step = Step::Reply(413, "Content Too Large", CLOSING);
const ANSWER: &[Step] = &[Step::Continue, Step::Read, OK];

/// Every script and what it does; the first is the default.
pub(super) const ROWS: &[(Script, Rules)] = &[
    row(
        "cookies",
        "the first response sets session=1, /clear expires it, /set sets it again; the rest is 200",
        Rules(&[
            (When::Target("/clear"), &[Step::Continue, Step::Read, EXPIRES]),
            (When::Target("/set"), &[Step::Continue, Step::Read, SETS]),
            (When::First, &[Step::Continue, Step::Read, SETS]),
            (When::Any, ANSWER),
        ]),
    ),
    row(
        "keep-alive-close",
        "closes a connection (FIN) 200 ms after its first response, never having said so",
        Rules(&[
            (When::Reused, &[Step::Continue, Step::Read, Step::Close]),
            (When::Any, &[Step::Continue, Step::Read, OK, Step::Idle(IDLE_MS), Step::Close]),
        ]),
    ),
    row(
        "keep-alive-reset",
        "resets a connection (RST) 200 ms after its first response",
        Rules(&[
            (When::Reused, &[Step::Continue, Step::Read, Step::Reset]),
            (When::Any, &[Step::Continue, Step::Read, OK, Step::Idle(IDLE_MS), Step::Reset]),
        ]),
    ),
    row(
        "keep-alive-vanish",
        "answers the first request of a connection, takes the second and says nothing, ever",
        Rules(&[(When::Reused, &[Step::Read, Step::Silence]), (When::Any, ANSWER)]),
    ),
    row(
        "early-413",
        "answers 413 before the body is read, and closes; the unread body makes it a reset",
        Rules(&[(When::Body, &[TOO_LARGE, Step::Close]), (When::Any, ANSWER)]),
    ),
    row(
        "early-413-linger",
        "answers 413 before the body is read, half-closes, reads the rest, closes",
        Rules(&[
            (When::Body, &[TOO_LARGE, Step::HalfClose, Step::Drain, Step::Close]),
            (When::Any, ANSWER),
        ]),
    ),
    row(
        "slow",
        "reads a body at 16 KiB every 10 ms",
        Rules(&[(When::Any, &[Step::Continue, Step::ReadSlowly, OK])]),
    ),
    row(
        "continue",
        "100 Continue when asked for; a second late at /late, not at all at /never, 417 at /refuse",
        Rules(&[
            (When::Target("/late"), &[Step::Pause(LATE_MS), Step::Continue, Step::Read, OK]),
            (When::Target("/never"), &[Step::Read, OK]),
            (
                When::Target("/refuse"),
                &[Step::Reply(417, "Expectation Failed", CLOSING), Step::Close],
            ),
            (When::Any, ANSWER),
        ]),
    ),
];

/// The scripts of it.
pub(super) const SCRIPTS: [Script; ROWS.len()] = scripts(ROWS);

/// What the server knows of a request when it decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    /// Its number among all, from 1.
    pub(super) request: u64,
    /// Its connection's number, from 1.
    pub(super) connection: u64,
    /// Its number on its connection, from 1.
    pub(super) on_connection: u64,
    /// What it says.
    pub(super) head: &'a Head,
}

/// What the server does, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Send these bytes.
    Send(Response),
    /// Read the body.
    Read,
    /// Read the body, 16 KiB every 10 ms.
    ReadSlowly,
    /// Do nothing for so many milliseconds.
    Pause(u64),
    /// Wait so many milliseconds for the next request; if it comes, leave out the rest.
    Idle(u64),
    /// `shutdown(SHUT_WR)`.
    HalfClose,
    /// Read until the client closes.
    Drain,
    /// `close`.
    Close,
    /// `close` with `SO_LINGER` 0.
    Reset,
    /// Hold the connection and never write.
    Silence,
}

/// A response, made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Response {
    /// Its status; 100 is not final.
    pub(super) status: u16,
    /// Status line and header lines, without the empty one.
    pub(super) lines: Vec<String>,
    /// All of it.
    pub(super) bytes: Vec<u8>,
}

/// What `script` makes of a request.
pub(super) fn actions(script: &Rules, known: &Known<'_>) -> Vec<Action> {
    if let Some((status, reason, why)) = known.head.refused() {
        let body = format!("sockeye refuses this request: {why}\n");
        let with_body = known.head.method != "HEAD";
        let refusal = response(status, reason, CLOSING, Some(&body), with_body);
        return vec![Action::Send(refusal), Action::Close];
    }
    let row = script.0.iter().find(|(when, _)| applies(*when, known));
    let steps = row.map_or(ANSWER, |(_, steps)| steps);
    let mut actions: Vec<Action> = steps.iter().filter_map(|step| action(*step, known)).collect();
    let last = actions.last();
    if known.head.wants_close() && !last.is_some_and(ends) {
        actions.push(Action::Close);
    }
    actions
}

/// Whether nothing more is read from the connection.
fn ends(action: &Action) -> bool {
    matches!(action, Action::Close | Action::Reset | Action::Silence)
}

/// How the connection goes on after these actions, in words.
pub(super) fn ending(actions: &[Action]) -> &'static str {
    let idle = actions.iter().any(|action| matches!(action, Action::Idle(_)));
    let read = actions.iter().any(|a| matches!(a, Action::Read | Action::ReadSlowly));
    let drained = actions.contains(&Action::Drain);
    match actions.last() {
        Some(Action::Close) if idle => "to be closed (FIN) after 200 ms idle",
        Some(Action::Close) if drained => "half-closed, read to its end, closed",
        Some(Action::Close) if read => "closed (FIN)",
        Some(Action::Close) => "closed without reading the body",
        Some(Action::Reset) if idle => "to be reset (RST) after 200 ms idle",
        Some(Action::Reset) => "reset (RST)",
        Some(Action::Silence) => "held in silence",
        _ => "kept open",
    }
}

/// The answer to what is no request.
pub(super) fn refusal(is_long: bool) -> Response {
    let (status, reason) =
        if is_long { (431, "Request Header Fields Too Large") } else { (400, "Bad Request") };
    response(status, reason, CLOSING, Some("sockeye cannot read this request\n"), true)
}

fn applies(when: When, known: &Known<'_>) -> bool {
    let path = known.head.target.split('?').next().unwrap_or_default();
    match when {
        When::Any => true,
        When::First => known.request == 1,
        When::Reused => known.on_connection > 1,
        When::Body => known.head.body() != Ok(Body::Length(0)),
        When::Target(target) => path == target,
    }
}

fn action(step: Step, known: &Known<'_>) -> Option<Action> {
    let head = known.head;
    Some(match step {
        Step::Continue if !head.expects_continue() => return None,
        Step::Continue => Action::Send(response(100, "Continue", &[], None, false)),
        Step::Reply(status, reason, extra) => {
            let lines = if head.wants_close() && !extra.contains(&CLOSING[0]) {
                [extra, CLOSING].concat()
            } else {
                extra.to_vec()
            };
            let body = told(known);
            Action::Send(response(status, reason, &lines, Some(&body), head.method != "HEAD"))
        }
        Step::Read => Action::Read,
        Step::ReadSlowly => Action::ReadSlowly,
        Step::Pause(ms) => Action::Pause(ms),
        Step::Idle(ms) => Action::Idle(ms),
        Step::HalfClose => Action::HalfClose,
        Step::Drain => Action::Drain,
        Step::Close => Action::Close,
        Step::Reset => Action::Reset,
        Step::Silence => Action::Silence,
    })
}

/// The body of a response: what came.
fn told(known: &Known<'_>) -> String {
    let Head { method, target, .. } = known.head;
    let (request, connection) = (known.request, known.connection);
    let cookie = known.head.cookie().map_or("no".to_owned(), |cookie| format!("yes, {cookie}"));
    format!(
        "request {request} (connection {connection}): {method} {target}\nCookie sent: {cookie}\n"
    )
}

fn response(
    status: u16,
    reason: &str,
    extra: &[&str],
    body: Option<&str>,
    with_body: bool,
) -> Response {
    let mut lines = vec![format!("HTTP/1.1 {status} {reason}")];
    if let Some(body) = body {
        lines.push("Content-Type: text/plain; charset=utf-8".to_owned());
        lines.push("Cache-Control: no-store".to_owned());
        lines.push(format!("Content-Length: {}", body.len()));
    }
    lines.extend(extra.iter().map(|line| (*line).to_owned()));
    let mut bytes = format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes();
    if let Some(body) = body.filter(|_| with_body) {
        bytes.extend_from_slice(body.as_bytes());
    }
    Response { status, lines, bytes }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::head::{Came, parse};
    use crate::offer::find;

    fn head(text: &str) -> Head {
        match parse(text.as_bytes()) {
            Came::Head(head, _) => *head,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    fn brief(script: &str, request: u64, on_connection: u64, text: &str) -> String {
        let head = head(text);
        let known = Known { request, connection: 1, on_connection, head: &head };
        let rules = find(ROWS, script).unwrap();
        let words = actions(rules, &known).into_iter().map(|action| match action {
            Action::Send(response) => {
                let cookie = response.lines.iter().find_map(|l| l.strip_prefix("Set-Cookie: "));
                format!("{}{}", response.status, cookie.map_or(String::new(), |c| format!("[{c}]")))
            }
            other => format!("{other:?}"),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    const POST: &str = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n";
    const EXPECT: &str =
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

    #[rstest]
    #[case("cookies", 1, 1, GET, "Read 200[session=1; Path=/]")]
    #[case("cookies", 2, 1, GET, "Read 200")]
    #[case("cookies", 2, 2, "GET /set HTTP/1.1\r\nHost: h\r\n\r\n", "Read 200[session=1; Path=/]")]
    #[case(
        "cookies",
        3,
        1,
        "GET /clear?x HTTP/1.1\r\nHost: h\r\n\r\n",
        "Read 200[session=; Path=/; Max-Age=0]"
    )]
    #[case("cookies", 1, 1, "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n", "501 Close")]
    #[case("cookies", 1, 1, "GET / HTTP/1.1\r\n\r\n", "400 Close")]
    #[case("cookies", 2, 1, EXPECT, "100 Read 200")]
    #[case("cookies", 2, 1, "GET / HTTP/1.0\r\n\r\n", "Read 200 Close")]
    #[case(
        "cookies",
        2,
        1,
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n",
        "Read 200 Close"
    )]
    #[case("keep-alive-close", 1, 1, GET, "Read 200 Idle(200) Close")]
    #[case("keep-alive-close", 2, 2, GET, "Read Close")]
    #[case("keep-alive-reset", 3, 1, GET, "Read 200 Idle(200) Reset")]
    #[case("keep-alive-reset", 3, 2, GET, "Read Reset")]
    #[case("keep-alive-vanish", 1, 1, GET, "Read 200")]
    #[case("keep-alive-vanish", 2, 2, GET, "Read Silence")]
    #[case("early-413", 1, 1, GET, "Read 200")]
    #[case("early-413", 1, 1, POST, "413 Close")]
    #[case("early-413", 1, 1, EXPECT, "413 Close")]
    #[case("early-413-linger", 1, 1, POST, "413 HalfClose Drain Close")]
    #[case("slow", 1, 1, POST, "ReadSlowly 200")]
    #[case("continue", 1, 1, POST, "Read 200")]
    #[case("continue", 1, 1, EXPECT, "100 Read 200")]
    #[case("continue", 1, 1, &EXPECT.replace("/ ", "/late "), "Pause(1000) 100 Read 200")]
    #[case("continue", 1, 1, &EXPECT.replace("/ ", "/never "), "Read 200")]
    #[case("continue", 1, 1, &EXPECT.replace("/ ", "/refuse "), "417 Close")]
    fn a_script_says_what_happens(
        #[case] script: &str,
        #[case] request: u64,
        #[case] on_connection: u64,
        #[case] text: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(brief(script, request, on_connection, text), expected);
    }

    #[test]
    fn no_row_leaves_a_body_for_the_next_request() {
        for (script, rules) in ROWS {
            for (when, steps) in rules.0 {
                let reads = steps.iter().any(|s| matches!(s, Step::Read | Step::ReadSlowly));
                let ends = matches!(steps.last(), Some(Step::Close | Step::Reset | Step::Silence));
                assert!(reads || ends, "{} {when:?}", script.name);
            }
            assert!(matches!(rules.0.last(), Some((When::Any, _))), "{}", script.name);
        }
    }

    #[test]
    fn a_response_to_head_has_no_body() {
        let head = head("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
        let known = Known { request: 1, connection: 1, on_connection: 1, head: &head };
        let actions = actions(&ROWS[0].1, &known);
        let Some(Action::Send(response)) = actions.last() else { panic!("{actions:?}") };
        assert!(response.bytes.ends_with(b"\r\n\r\n"));
    }
}
