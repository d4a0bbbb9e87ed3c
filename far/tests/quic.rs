//! `quic` against clients that there are: aioquic and Chromium, with tshark to read what was kept.

mod clients;
mod fits;

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use clients::missing;
use far::net::Server;
use far::{Asked, OFFERS, Told, Witness};
use rstest::rstest;

/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(40);
const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/quic.py");

/// A server at work, and a folder for what it keeps.
struct Serving {
    server: Server,
    told: mpsc::Receiver<Told>,
    folder: PathBuf,
    at: String,
    url: String,
}

/// What came of it.
struct Came {
    lines: String,
    summary: Vec<String>,
    witness: Box<dyn Witness>,
}

impl Serving {
    fn start(script: &str, name: &str) -> Self {
        let offer = OFFERS.iter().find(|offer| offer.name == "quic").expect("quic");
        let asked = Asked { script: script.to_owned(), ..Asked::default() };
        let made = (offer.make)(&asked).expect("a server");
        let folder = std::env::temp_dir().join(format!("far-quic-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("ca.pem"), made.ca.expect("an authority")).expect("a file");
        let (say, told) = mpsc::channel();
        let say = move |one| {
            fits::check(&one);
            drop(say.send(one));
        };
        let listen = "127.0.0.1:0".parse().expect("an address");
        let server = Server::start(listen, made.kind, made.witness, say).expect("a socket");
        let at = server.addr().to_string();
        let url = (made.url)(server.addr());
        Self { server, told, folder, at, url }
    }

    fn ca(&self) -> String {
        self.folder.join("ca.pem").display().to_string()
    }

    /// Stops it; its files are in the folder then.
    fn stop(self) -> Came {
        let witness = self.server.stop().expect("a witness");
        let mut lines = Vec::new();
        for told in self.told.try_iter() {
            lines.extend(told.lines);
            for (name, bytes) in told.files {
                let path = self.folder.join(name);
                let mut file =
                    OpenOptions::new().append(true).create(true).open(path).expect("a file");
                file.write_all(&bytes).expect("it is written");
            }
        }
        Came { lines: lines.join("\n"), summary: witness.summary(), witness }
    }
}

impl Came {
    fn holds(&self, words: &str) -> bool {
        self.witness.holds(words).expect("an expectation")
    }
}

/// What a command printed, which is ended where it takes too long.
fn output(command: &mut Command) -> String {
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut stdout = child.stdout.take().expect("a pipe");
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        // What is no text matters to nobody.
        let _ = stdout.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let began = Instant::now();
    while child.try_wait().expect("it is waited for").is_none() {
        if began.elapsed() > PATIENCE {
            child.kill().expect("it is ended");
        }
        thread::sleep(Duration::from_millis(10));
    }
    reader.join().expect("a reader")
}

fn has(program: &str, args: &[&str], name: &str) -> bool {
    let status =
        Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let able = status.is_ok_and(|status| status.success());
    if !able {
        missing(name);
    }
    able
}

/// What aioquic makes of a script: what it printed, and what was told of it.
fn aioquic(script: &str, name: &str, steps: &[&str]) -> Option<(String, Came, PathBuf)> {
    if !has("python3", &["-c", "import aioquic"], "python's aioquic") {
        return None;
    }
    let serving = Serving::start(script, name);
    let mut command = Command::new("python3");
    let printed = output(command.arg(CLIENT).arg(&serving.url).arg(serving.ca()).args(steps));
    let folder = serving.folder.clone();
    Some((printed, serving.stop(), folder))
}

fn tidy(folder: &Path) {
    fs::remove_dir_all(folder).expect("the folder is removed");
}

const USED: &str =
    "the client opened stream 0 (bidirectional): 3 bytes and FIN; sent back: 3 bytes and FIN";
const NEVER: &str = "the client opened no bidirectional stream: stream 0 was never used";

#[rstest]
#[case::stream_0("echo", &["write=0,abc", "close=7"], USED, &["stream 0", "fin 0", "closed 7", "alpn sockeye"], &["no stream", "closed 0"])]
#[case::no_stream("echo", &["close=0"], NEVER, &["no stream", "handshake", "closed 0"], &["stream 0", "no handshake"])]
#[case::one_way("echo", &["write=2,abc", "close=0"], NEVER, &["stream 2", "handshake"], &["stream 0", "no stream"])]
#[case::skipped("echo", &["write=4,abc", "close=0"], "stream 0 (bidirectional) counts as opened since a later one is", &["stream 4"], &["stream 0"])]
#[case::reset("echo", &["reset=9", "close=0"], "the client opened stream 0 (bidirectional): 3 bytes and RESET_STREAM with code 9", &["reset 0"], &["fin 0"])]
#[case::stopped("echo", &["stop=5", "close=0"], "the client opened stream 0 (bidirectional): 3 bytes, no FIN; sent back: 3 bytes and RESET_STREAM with code 5", &["stream 0"], &["fin 0", "reset 0"])]
#[case::none_allowed("no-streams", &["write=0,abc", "close=0"], "the client opened no bidirectional stream: stream 0 was never used; this script allows none, and the client said that it wants one", &["no stream"], &["stream 0"])]
#[case::retry("retry", &["write=0,abc", "close=0"], USED, &["retried"], &["no handshake"])]
#[case::refused("refuse", &["write=0,abc"], "the handshake failed: the server ended it with CONNECTION_REFUSED", &["no handshake", "closed CONNECTION_REFUSED"], &["handshake"])]
#[case::closed("close-at-once", &["write=0,abc"], NEVER, &["closed 42"], &["closed 7"])]
#[case::no_version("version-none", &["write=0,abc"], "no handshake: the client came with version 1 and was told that 0x1a2a3a4a", &["no handshake"], &["handshake"])]
#[case::version_2("echo", &["versions=0x6b3343cf,1", "write=0,abc", "close=0"], USED, &["version 1"], &["version 2"])]
#[case::other_alpn("h3", &["write=0,abc"], "the handshake failed: the server ended it with alert no_application_protocol, offered: sockeye", &["alert no_application_protocol"], &["handshake"])]
#[case::any_alpn("echo", &["alpn=mine", "write=0,abc", "close=0"], USED, &["alpn mine"], &["alpn sockeye"])]
#[case::self_signed("self-signed", &["write=0,abc"], "the handshake failed: the client ended it with alert bad_certificate", &["alert bad_certificate"], &["handshake"])]
#[case::wrong_name("wrong-name", &["write=0,abc"], "the handshake failed: the client ended it with alert bad_certificate", &["alert bad_certificate"], &["handshake"])]
#[case::right_name("wrong-name", &["name=wrong.example", "write=0,abc", "close=0"], USED, &["handshake"], &["alert bad_certificate"])]
#[case::expired("expired", &["write=0,abc"], "the handshake failed: the client ended it with alert certificate_expired", &["alert certificate_expired"], &["alert unknown_ca"])]
#[case::trusted_all_the_same("expired", &["trust=nobody", "write=0,abc", "close=0"], USED, &["handshake"], &["no handshake"])]
fn aioquic_is_told(
    #[case] script: &str,
    #[case] steps: &[&str],
    #[case] answer: &str,
    #[case] holds: &[&str],
    #[case] not: &[&str],
) {
    let name = format!("{script}-{}", steps.join("-").replace([',', '='], "_"));
    let Some((printed, came, folder)) = aioquic(script, &name, steps) else { return };
    let first = &came.summary[0];
    assert!(first.starts_with(&format!("connection 1: {answer}")), "{first}\n{}", came.lines);
    for words in holds {
        assert!(came.holds(words), "{words}: {}", came.lines);
    }
    for words in not {
        assert!(!came.holds(words), "{words}: {}", came.lines);
    }
    assert_eq!(printed.contains("stream 0: b'abc' True"), answer == USED, "{printed}");
    tidy(&folder);
}

#[test]
fn datagrams_of_aioquic() {
    let Some((printed, came, folder)) = aioquic("datagrams", "dgram", &["datagram=hi", "close=0"])
    else {
        return;
    };
    assert!(printed.contains("datagram: b'hi'") && came.holds("datagram"), "{printed}");
    tidy(&folder);
    // The fault: a server that takes none is sent one all the same.
    let steps = &["datagram=hi", "close=0"];
    let Some((_, came, folder)) = aioquic("echo", "no-dgram", steps) else { return };
    assert!(!came.holds("datagram") && came.holds("closed PROTOCOL_VIOLATION"), "{}", came.lines);
    tidy(&folder);
}

#[test]
fn http3_of_aioquic_and_what_was_kept() {
    let steps = &["alpn=h3", "get=/x", "close=256"];
    let Some((printed, came, folder)) = aioquic("h3", "h3", steps) else { return };
    assert!(printed.contains("headers: 200"), "{printed}");
    assert!(printed.contains("has read this request by stream 0"), "{printed}");
    for words in ["h3", "request", "stream 0", "closed H3_NO_ERROR"] {
        assert!(came.holds(words), "{words}: {}", came.lines);
    }
    assert!(came.lines.contains(":path: /x"), "{}", came.lines);
    if has("tshark", &["--version"], "tshark") {
        let capture = folder.join("quic.pcapng");
        let mut command = Command::new("tshark");
        let read =
            output(command.arg("-r").arg(&capture).args(["-Y", "http3", "-T", "fields"]).args([
                "-e",
                "quic.stream.stream_id",
                "-e",
                "http3.frame_type",
            ]));
        // Nothing but the file itself was given: the secrets are in it.
        assert!(read.lines().any(|line| line.starts_with("0\t1")), "{read}");
        fs::rename(&capture, folder.join("all.pcapng")).expect("it is renamed");
        assert!(folder.join("keys.log").exists());
    }
    tidy(&folder);
    let Some((_, came, folder)) = aioquic("h3", "h3-raw", &["alpn=h3", "write=0,abc"]) else {
        return;
    };
    assert!(
        came.summary.iter().any(|s| s.contains("no control stream came")),
        "{:?}",
        came.summary
    );
    assert!(!came.holds("h3") && !came.holds("request"));
    tidy(&folder);
}

/// What Chromium makes of the page: what it printed, and what was told of it.
fn chromium(script: &str, trusts: bool) -> Option<(String, Came)> {
    if !has("chromium", &["--version"], "chromium") || !has("openssl", &["version"], "openssl") {
        return None;
    }
    let serving = Serving::start(script, &format!("chromium-{script}-{trusts}"));
    let hash = "openssl x509 -in \"$0\" -pubkey -noout | openssl pkey -pubin -outform der \
                | openssl dgst -sha256 -binary | openssl base64";
    let hash = output(Command::new("sh").args(["-c", hash, &serving.ca()]));
    let mut command = Command::new("chromium");
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--no-proxy-server",
        ])
        .args(["--enable-quic", "--timeout=15000"])
        .arg(format!("--user-data-dir={}", serving.folder.join("profile").display()))
        .arg(format!("--origin-to-force-quic-on={}", serving.at));
    if trusts {
        command.arg(format!("--ignore-certificate-errors-spki-list={}", hash.trim()));
    }
    command.arg("--dump-dom").arg(format!("{}hello", serving.url));
    let printed = output(&mut command);
    let folder = serving.folder.clone();
    let came = serving.stop();
    tidy(&folder);
    Some((printed, came))
}

#[test]
fn chromium_opens_stream_0() {
    let Some((printed, came)) = chromium("h3", true) else { return };
    assert!(printed.contains("has read this request by stream 0"), "{printed}\n{}", came.lines);
    for words in ["h3", "request", "stream 0", "fin 0", "alpn h3"] {
        assert!(came.holds(words), "{words}: {}", came.lines);
    }
}

#[test]
fn chromium_does_not_trust() {
    let Some((printed, came)) = chromium("h3", false) else { return };
    assert!(!printed.contains("has read this request"), "{printed}");
    assert!(came.holds("alert certificate_unknown"), "{}", came.lines);
    assert!(came.holds("no handshake") && !came.holds("stream 0"));
}

#[test]
fn nobody_and_somebody_else() {
    let serving = Serving::start("echo", "nobody");
    let folder = serving.folder.clone();
    let came = serving.stop();
    assert_eq!(came.summary, ["no QUIC packet came: the client sent nothing here"]);
    assert!(came.holds("no connection"));
    tidy(&folder);
    let serving = Serving::start("echo", "small");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let mut initial = vec![0xc0, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x42, 0x30];
    initial.resize(18 + 0x230, 0);
    socket.send_to(&initial, &serving.at).expect("it is sent");
    let folder = serving.folder.clone();
    let came = serving.stop();
    let expected = "connection 1: the handshake never began: 1 Initial of 578 bytes came";
    assert!(came.summary[0].starts_with(expected), "{:?}", came.summary);
    assert!(!came.holds("no connection") && came.holds("no handshake"));
    tidy(&folder);
}
