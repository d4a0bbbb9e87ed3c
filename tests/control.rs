//! `sockeye control http` against the real curl, and against raw sockets.

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use rstest::rstest;
use serde_json::Value;

#[path = "../far/tests/fits/mod.rs"]
mod fits;

/// How long anything may take before a test fails for it.
const PATIENCE: Duration = Duration::from_secs(20);

fn control(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockeye"));
    command.args(["control", "http"]).args(args);
    command
}

/// A line, which is what the schema says.
fn read(line: &str) -> Value {
    let line = serde_json::from_str(line).expect("JSON");
    fits::fits(&line);
    line
}

/// Runs to the end: the exit status, standard output, standard error.
fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = control(args).output().expect("sockeye starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

fn has_curl() -> bool {
    let able = Command::new("curl").arg("--version").output().is_ok();
    if !able {
        eprintln!("SKIPPED: curl is not installed, nothing was tested");
    }
    able
}

/// What a shell script of curl calls makes of the server, as text.
fn curls(folder: &Path, server: &[&str], script: &str) -> (Option<i32>, String) {
    let script =
        format!("set -e; cd '{}'; get() {{ curl -sS -o got \"$@\"; }}; {script}", folder.display());
    let (status, out, err) = run(&[server, &["--", "sh", "-c", &script]].concat());
    assert!(!err.contains("panicked"), "{err}");
    (status, out)
}

/// The last lines of the report.
fn summary(text: &str) -> &str {
    text.rsplit("\n\n").next().unwrap_or_default()
}

#[rstest]
#[case::with_a_jar(
    "get -b jar -c jar {url}; get -b jar -c jar {url}again",
    "2 requests on 2 connections
response 1 set `session=1`
  Cookie sent: yes, `session=1`, in request 2
"
)]
#[case::on_one_connection(
    "get -b jar -c jar {url} -o got2 {url}again",
    "2 requests on 1 connection
response 1 set `session=1`
  Cookie sent: yes, `session=1`, in request 2
"
)]
#[case::without_a_jar(
    "get {url}; get {url}again",
    "2 requests on 2 connections
response 1 set `session=1`
  Cookie sent: no, not in request 2
"
)]
#[case::after_the_jar_is_deleted(
    "get -b jar -c jar {url}; get -b jar {url}again; rm jar; get -b jar {url}gone",
    "3 requests on 3 connections
response 1 set `session=1`
  Cookie sent: yes, `session=1`, in request 2
  Cookie sent: no, not in request 3
"
)]
#[case::expired(
    "get -b jar -c jar {url}; get -b jar -c jar {url}clear; get -b jar {url}after",
    "3 requests on 3 connections
response 1 set `session=1`
  Cookie sent: yes, `session=1`, in request 2
response 2 expired `session`
  Cookie sent: no, not in request 3
"
)]
#[case::sent_though_expired(
    "get -b jar -c jar {url}; get -b jar {url}clear; get -b jar {url}after",
    "3 requests on 3 connections
response 1 set `session=1`
  Cookie sent: yes, `session=1`, in request 2
response 2 expired `session`
  Cookie sent: yes, `session=1`, in request 3 though response 2 expired it
"
)]
#[case::from_elsewhere(
    "get -b a=b {url}",
    "1 request on 1 connection
Cookie sent: yes, `a=b`, in request 1 though no response here had set it
response 1 set `session=1`
  no request came after that
"
)]
fn cookies_of_curl(#[case] script: &str, #[case] expected: &str) {
    if !has_curl() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (status, out) = curls(folder.path(), &[], script);
    assert_eq!((summary(&out), status), (expected, Some(0)), "{out}");
}

#[test]
fn a_request_is_shown_as_it_came() {
    if !has_curl() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (_, out) = curls(folder.path(), &[], "get -A me -H 'x-ODD:  1' -b session=9 {url}x?y");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[2].starts_with("request 1 (connection 1, 0."), "{out}");
    let remark = "session=9, which no response here had set";
    assert!(lines[2].ends_with(&format!(" s): GET /x?y — Cookie sent: yes, {remark}")), "{out}");
    assert_eq!(lines[3], "    Cookie: session=9");
    assert!(lines.contains(&"    x-ODD:  1"), "{out}");
}

#[rstest]
// What curl does about it: it asks again on a new connection.
#[case("keep-alive-close", "get {url} -o got2 {url}b", &[(1, "to be closed"), (1, "closed (FIN)"), (2, "to be closed")], 0)]
#[case("keep-alive-reset", "get {url} -o got2 {url}b", &[(1, "to be reset"), (1, "reset (RST)"), (2, "to be reset")], 0)]
#[case("keep-alive-vanish", "get -m 1 {url} -o got2 {url}b", &[(1, "kept open"), (1, "held in silence")], 1)]
fn keep_alive_of_curl(
    #[case] script: &str,
    #[case] shell: &str,
    #[case] expected: &[(u64, &str)],
    #[case] code: i32,
) {
    if !has_curl() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (status, out) = curls(folder.path(), &["--json", "--script", script], shell);
    let got: Vec<Value> = out.lines().map(read).collect();
    let got = &got[1..got.len() - 1];
    assert_eq!(got.len(), expected.len(), "{out}");
    for (value, (connection, ending)) in got.iter().zip(expected) {
        assert_eq!(value["connection"], *connection, "{out}");
        assert!(value["ending"].as_str().expect("words").starts_with(ending), "{out}");
    }
    assert_eq!(status, Some(code), "{out}");
}

/// A server without a command, stopped when dropped.
struct Server {
    child: Child,
    lines: BufReader<ChildStdout>,
    addr: String,
}

impl Server {
    fn start(args: &[&str]) -> Self {
        let mut command = control(&[&["--json"], args].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().expect("sockeye starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut server = Self { child, lines, addr: String::new() };
        let url = server.line()["url"].as_str().expect("a URL").to_owned();
        url.trim_start_matches("http://").trim_end_matches('/').clone_into(&mut server.addr);
        server
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        read(&line)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.addr).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// Asks, and reads one response that has a body: its text.
fn ask(stream: &mut TcpStream) -> String {
    stream.write_all(GET).expect("written");
    let mut got = Vec::new();
    while !got.windows(13).any(|w| w == b"Cookie sent: ") || got.last() != Some(&b'\n') {
        let mut chunk = [0; 4_096];
        let n = stream.read(&mut chunk).expect("a response");
        assert!(n > 0, "the end after {:?}", String::from_utf8_lossy(&got));
        got.extend_from_slice(&chunk[..n]);
    }
    String::from_utf8(got).expect("UTF-8")
}

/// RFC 9110 §9.3.6, RFC 9112 §3.2: neither a tunnel nor a request without a host is answered by 200.
#[rstest]
#[case::a_tunnel("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501)]
#[case::no_host("GET / HTTP/1.1\r\n\r\n", 400)]
fn what_is_refused_gets_no_cookie(#[case] request: &str, #[case] status: u16) {
    let mut server = Server::start(&[]);
    let mut stream = server.connect();
    stream.write_all(request.as_bytes()).expect("written");
    let mut got = String::new();
    stream.read_to_string(&mut got).expect("an answer, then FIN");
    assert!(got.starts_with(&format!("HTTP/1.1 {status} ")), "{got}");
    assert!(!got.contains("Set-Cookie"), "{got}");
    let line = server.line();
    assert_eq!(line["response"]["status"], status, "{line}");
}

#[test]
fn an_idle_connection_is_closed() {
    let server = Server::start(&["--script", "keep-alive-close"]);
    let mut stream = server.connect();
    assert!(!ask(&mut stream).contains("Connection"));
    assert_eq!(stream.read(&mut [0]).expect("FIN"), 0);
}

#[test]
fn an_idle_connection_is_reset() {
    let server = Server::start(&["--script", "keep-alive-reset"]);
    let mut stream = server.connect();
    ask(&mut stream);
    let error = stream.read(&mut [0]).expect_err("RST");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_second_request_gets_silence() {
    let mut server = Server::start(&["--script", "keep-alive-vanish"]);
    let mut stream = server.connect();
    ask(&mut stream);
    stream.write_all(GET).expect("written");
    server.line();
    assert_eq!(server.line()["response"], Value::Null);
    stream.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
    let error = stream.read(&mut [0]).expect_err("nothing");
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
}

/// Sends a body of 8 MiB: how it went, and then all that can be read.
fn upload(stream: &mut TcpStream) -> (std::io::Result<()>, std::io::Result<String>) {
    let len = 8 << 20;
    write!(stream, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {len}\r\n\r\n").expect("written");
    let written = stream.write_all(&vec![0; len]).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut got = String::new();
    (written, stream.read_to_string(&mut got).map(|_| got))
}

#[test]
fn an_early_413_is_cut_off_by_the_unread_body() {
    let mut server = Server::start(&["--script", "early-413"]);
    let (written, read) = upload(&mut server.connect());
    assert!(written.is_err() || read.is_err(), "{written:?} {read:?}");
    let report = server.line();
    assert_eq!(report["response"]["status"], 413);
    assert_eq!(report["body_len"], 0);
}

#[test]
fn an_early_413_that_lingers_arrives() {
    let mut server = Server::start(&["--script", "early-413-linger"]);
    let (written, read) = upload(&mut server.connect());
    written.expect("all of the body");
    assert!(read.expect("the response").starts_with("HTTP/1.1 413 Content Too Large\r\n"));
    assert_eq!(server.line()["body_len"], 8 << 20);
}

#[test]
fn a_client_that_waits_is_told_to_continue() {
    let server = Server::start(&["--script", "continue"]);
    let mut stream = server.connect();
    let head =
        b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
    stream.write_all(head).expect("written");
    let mut first = [0; 25];
    stream.read_exact(&mut first).expect("a response");
    assert_eq!(&first, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"ab").expect("written");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("a response, then FIN");
    assert!(rest.starts_with("HTTP/1.1 200 OK\r\n"), "{rest}");
}

#[rstest]
#[case::no_http(b"\x16\x03\x01\x00\xff", "TLS", "HTTP/1.1 400 ")]
#[case::cut_off(b"GET / HT", "ended within the head", "HTTP/1.1 400 ")]
#[case::too_long(&[b"GET / HTTP/1.1\r\nA: ".to_vec(), vec![b'x'; 70_000]].concat(), "64 KiB", "")]
fn what_is_no_request_is_reported(#[case] bytes: &[u8], #[case] why: &str, #[case] answer: &str) {
    let mut server = Server::start(&["--requests", "1"]);
    let mut stream = server.connect();
    stream.write_all(bytes).expect("written");
    stream.shutdown(Shutdown::Write).expect("shut down");
    let mut got = Vec::new();
    // Unread bytes make it a reset, which may overtake the answer.
    let _ = stream.read_to_end(&mut got);
    assert!(got.starts_with(answer.as_bytes()), "{}", got.escape_ascii());
    assert!(server.line()["malformed"].as_str().expect("words").contains(why));
    assert!(server.line()["summary"].is_array());
    assert_eq!(server.child.wait().expect("an end").code(), Some(0));
}

#[test]
fn the_exact_bytes_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let (raw, out) = (folder.path().join("raw"), folder.path().join("out"));
    let args = ["--raw", raw.to_str().expect("UTF-8"), "--out", out.to_str().expect("UTF-8")];
    let mut server = Server::start(&[&args[..], &["--requests", "2"]].concat());
    let first =
        b"POST /a HTTP/1.1\r\nHost: h\r\nX:\xff \r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let both = [&first[..], GET].concat();
    server.connect().write_all(&both).expect("written");
    assert_eq!(server.child.wait().expect("an end").code(), Some(0));
    assert_eq!(fs::read(&raw).expect("a file"), both);
    assert_eq!(fs::read(out.join("request-0001.bin")).expect("a file"), first);
    assert_eq!(fs::read(out.join("request-0002.bin")).expect("a file"), GET);
    let report = fs::read_to_string(out.join("report.jsonl")).expect("a file");
    let lines: Vec<Value> = report.lines().map(read).collect();
    assert_eq!((lines.len(), &lines[0]["body_len"]), (2, &Value::from(3)));
}

/// What the first writes stays whole, whichever of the two files the second is refused for.
#[test]
fn a_second_server_empties_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let [raw, out, other] = ["raw", "out", "other"].map(at);
    let mut first = Server::start(&["--raw", &raw, "--out", &out]);
    ask(&mut first.connect());
    first.line();
    fs::write(&other, "of before").expect("a file");
    for (args, kept, expected) in [
        (&["--raw", &raw][..], &raw, GET),
        (&["--raw", &raw, "--out", &at("elsewhere")], &raw, GET),
        (&["--raw", &other, "--out", &out], &other, b"of before"),
    ] {
        let (status, said, err) = run(&[args, &["--", "true"]].concat());
        assert_eq!((status, said.as_str()), (Some(2), ""), "{args:?}: {err}");
        assert!(err.contains("is being written by another sockeye: wait for it"), "{err}");
        assert_eq!(fs::read(kept).expect("a file"), expected, "{args:?}");
    }
    let report = fs::read_to_string(Path::new(&out).join("report.jsonl")).expect("a file");
    assert_eq!(report.lines().count(), 1, "{report}");
    // The first goes on where it was.
    ask(&mut first.connect());
    first.line();
    assert_eq!(fs::read(&raw).expect("a file"), [GET, GET].concat());
    drop(first);
    assert_eq!(run(&["--raw", &raw, "--", "true"]).0, Some(0));
    assert_eq!(fs::read(&raw).expect("a file"), b"");
}

#[test]
fn raw_bytes_follow_no_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let [mine, link] = ["mine", "link"].map(|name| folder.path().join(name));
    fs::write(&mine, "mine").expect("a file");
    std::os::unix::fs::symlink(&mine, &link).expect("a link");
    let (status, _, err) = run(&["--raw", link.to_str().expect("UTF-8"), "--", "true"]);
    assert!(err.contains("is left alone"), "{err}");
    assert_eq!(status, Some(2), "{err}");
    assert_eq!(fs::read_to_string(&mine).expect("a file"), "mine");
}

#[test]
fn wrong_usage_and_what_cannot_be_served() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = taken.local_addr().expect("its address").to_string();
    let rows: [(&[&str], i32, &str); 6] = [
        (&["--listen", "0.0.0.0:0"], 2, "--allow-remote allows it"),
        (&["--script", "cookie"], 2, "nearest is \"cookies\""),
        (&["--requests", "1", "--", "true"], 2, "cannot be used with"),
        (&["--", "no-such-program-here"], 2, "cannot be run"),
        (&["--", "false"], 1, "the command \"false\" failed: exit status: 1"),
        (&["--listen", &addr], 3, "cannot listen on 127.0.0.1:"),
    ];
    for (args, code, words) in rows {
        let (status, _, err) = run(args);
        assert_eq!((status, err.contains(words)), (Some(code), true), "{args:?}: {err}");
    }
}

/// Ctrl-C, as far as the server can tell.
fn interrupt(server: &Server) {
    let kill = format!("kill -INT {}", server.child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("sh").success());
}

#[test]
fn an_interrupt_brings_the_summary() {
    let mut server = Server::start(&[]);
    ask(&mut server.connect());
    server.line();
    interrupt(&server);
    assert_eq!(server.line()["summary"][0], "1 request on 1 connection");
    assert_eq!(server.child.wait().expect("an end").code(), Some(0));
}

#[test]
fn an_interrupt_ends_the_command_too() {
    let mut server = Server::start(&["--", "sleep", "60"]);
    // Once it answers, the command has begun.
    ask(&mut server.connect());
    server.line();
    interrupt(&server);
    assert_eq!(server.line()["summary"][0], "1 request on 1 connection");
    assert_eq!(server.child.wait().expect("an end").code(), Some(1));
}

/// `--expect` is the exit status, and a sentence where it was not so.
#[rstest]
#[case::so(&["--expect", "request", "--expect", "no cookie"], "get {url}", 0, "")]
#[case::not_so(
    &["--expect", "cookie", "--expect", "request"],
    "get {url}",
    1,
    "sockeye: expected, and not so: cookie\n"
)]
#[case::nobody(&["--expect", "no cookie"], "true", 1, "sockeye: expected, and not so: no cookie\n")]
#[case::nobody_and_that_is_right(&["--expect", "no request"], "true", 0, "")]
fn what_was_expected_is_the_status(
    #[case] server: &[&str],
    #[case] script: &str,
    #[case] code: i32,
    #[case] said: &str,
) {
    if !has_curl() {
        return;
    }
    let script = format!("set -e; get() {{ curl -sS -o /dev/null \"$@\"; }}; {script}");
    let (status, out, err) = run(&[server, &["--json", "--", "sh", "-c", &script]].concat());
    assert_eq!((status, err.as_str()), (Some(code), said), "{out}");
    let lines: Vec<_> = out.lines().map(read).collect();
    let last = lines.last().expect("a line");
    assert_eq!(last["expected"].as_array().expect("a list").len(), server.len() / 2);
    let all = last["expected"].as_array().expect("a list").iter().all(|one| one["so"] == true);
    assert_eq!(all, code == 0, "{last}");
}

/// What nobody knows is found before anything is bound or begun.
#[test]
fn what_cannot_be_expected_is_wrong_usage() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = taken.local_addr().expect("its address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let raw = folder.path().join("raw").display().to_string();
    let args = ["--listen", &addr, "--raw", &raw, "--expect", "cookies", "--", "true"];
    let (status, out, err) = run(&args);
    assert_eq!((status, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("\"no cookie\" (requests came, and none had a cookie)"), "{err}");
    assert!(!Path::new(&raw).exists());
    // And known are those of `--idle-then` with it alone.
    assert_eq!(run(&["--expect", "request lost", "--", "true"]).0, Some(2));
    let idle = ["--idle-then", "close", "--expect", "request lost", "--", "true"];
    assert_eq!(run(&idle).0, Some(1));
    assert_eq!(run(&["--idle-then", "sleep"]).0, Some(2));
}

#[test]
fn an_idle_connection_is_ended_whatever_the_script() {
    let mut server = Server::start(&["--idle-then", "forget"]);
    let mut stream = server.connect();
    ask(&mut stream);
    assert_eq!(server.line()["request"], 1);
    let idle = server.line();
    assert_eq!(
        (idle["event"].as_str(), idle["connection"].as_u64()),
        (Some("ended-idle"), Some(1))
    );
    stream.write_all(GET).expect("written");
    let lost = server.line();
    assert_eq!((lost["event"].as_str(), lost["bytes"].as_u64()), (Some("lost"), Some(27)));
    assert_eq!(stream.read(&mut [0]).expect_err("RST").kind(), ErrorKind::ConnectionReset);
    ask(&mut server.connect());
    let said: Vec<Value> = (0..3).map(|_| server.line()).collect();
    assert_eq!(said[0]["event"], "came-again");
    assert_eq!(said[1]["event"], "sent-again");
    assert_eq!(said[2]["request"], 2);
}
