//! HTTP, and connections that are ended when idle, by real clients.

mod clients;
mod fits;

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use clients::missing;
use far::http::OFFER;
use far::idle::{THENS, wrap};
use far::net::Server;
use far::{Asked, Witness};
use rstest::rstest;

/// What became of a client: how it ended, the lines that were told, and who told them.
type Served = (Option<i32>, Vec<String>, Box<dyn Witness>);

/// Serves one client.
fn served(script: &str, then: Option<&str>, client: &[&str]) -> Option<Served> {
    let there = Command::new(client[0]).arg("--version").stdout(Stdio::null()).status();
    if there.is_err() {
        missing(client[0]);
        return None;
    }
    let asked = Asked { script: script.to_owned(), ..Asked::default() };
    let mut made = (OFFER.make)(&asked).expect("a server");
    if let Some(then) = then {
        let (_, then, _) = THENS.iter().find(|(name, ..)| *name == then).expect("one of them");
        made = wrap(made, *then);
    }
    let said = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&said);
    let say = move |told: far::Told| {
        fits::check(&told);
        lines.lock().expect("its own").extend(told.lines);
    };
    let at = "127.0.0.1:0".parse().expect("an address");
    let server = Server::start(at, made.kind, made.witness, say).expect("a socket");
    let url = (made.url)(server.addr());
    let words: Vec<String> = client.iter().map(|word| word.replace("{url}", &url)).collect();
    let mut command = Command::new("timeout");
    command.arg("30").args(&words).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().expect("timeout(1)");
    let witness = server.stop().expect("no fault");
    let lines = said.lock().expect("its own").clone();
    Some((status.code(), lines, witness))
}

const CURL: &[&str] = &["curl", "-sS", "-m", "1", "--rate", "2/s", "{url}a", "{url}a"];

/// As `http.client` does it: one connection, and what is lost on it is an exception.
const PYTHON: &[&str] = &[
    "python3",
    "-c",
    "import http.client, sys, time, urllib.parse
c = http.client.HTTPConnection(urllib.parse.urlsplit(sys.argv[1]).netloc, timeout=1)
for _ in range(2):
    c.request('GET', '/a')
    c.getresponse().read()
    time.sleep(0.5)",
    "{url}",
];

#[rstest]
#[case::curl_sees_fin(
    "close",
    CURL,
    Some(0),
    "nothing lost; the client came again on connection 2"
)]
#[case::curl_sees_rst(
    "reset",
    CURL,
    Some(0),
    "connection 1: the client came again on connection 2"
)]
#[case::curl_gives_up("vanish", CURL, Some(28), "were LOST, and not sent again")]
#[case::curl_sends_again("forget", CURL, Some(0), "were lost, and sent again on connection 2")]
#[case::python_loses_it(
    "close",
    PYTHON,
    Some(1),
    "were LOST, and not sent again; the client did not"
)]
#[case::python_sees_rst("reset", PYTHON, Some(1), "the client did not come again")]
#[case::python_gives_up("vanish", PYTHON, Some(1), "were LOST, and not sent again")]
#[case::python_is_reset(
    "forget",
    PYTHON,
    Some(1),
    "were LOST, and not sent again; the client did not"
)]
fn what_a_client_does_with_a_connection_that_was_idle(
    #[case] then: &str,
    #[case] client: &[&str],
    #[case] status: Option<i32>,
    #[case] expected: &str,
) {
    let Some((code, lines, witness)) = served("cookies", Some(then), client) else { return };
    let summary = witness.summary();
    assert!(summary[2].contains(expected), "{summary:?} {lines:?}");
    assert_eq!(code, status, "{lines:?}");
    assert_eq!(witness.holds("ended idle"), Ok(true));
    let lost = expected.contains("LOST");
    assert_eq!(witness.holds("request lost"), Ok(lost), "{summary:?}");
    let came = expected.contains("connection 2");
    assert_eq!(witness.holds("no request lost"), Ok(came), "{summary:?}");
    assert_eq!(summary[0].contains("LOST"), lost, "{summary:?}");
}

/// Without the fault: nothing is ended, and both requests are answered on one connection.
#[rstest]
#[case(CURL)]
#[case(PYTHON)]
fn without_it_both_are_answered(#[case] client: &[&str]) {
    let Some((code, _, witness)) = served("cookies", None, client) else { return };
    assert_eq!((code, witness.summary()[0].as_str()), (Some(0), "2 requests on 1 connection"));
    assert_eq!(witness.holds("one connection"), Ok(true));
}

/// With a jar of its own or without: the sentence of the summary.
#[rstest]
#[case(&["-b", ""], "  Cookie sent: yes, `session=1`, in request 2", true)]
#[case(&[], "  Cookie sent: no, not in request 2", false)]
fn a_cookie_comes_again_or_not(#[case] more: &[&str], #[case] expected: &str, #[case] so: bool) {
    let client = [&["curl", "-sS"], more, &["{url}", "{url}b"]].concat();
    let Some((_, _, witness)) = served("cookies", None, &client) else { return };
    assert_eq!(witness.summary()[2], expected);
    assert_eq!((witness.holds("cookie"), witness.holds("no cookie")), (Ok(so), Ok(!so)));
}
