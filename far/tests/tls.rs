//! Clients of TLS and LDAP as they are installed, with and without each fault: what is said of them, against what they say
//! themselves.

mod clients;
mod fits;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use clients::missing;
use far::net::Server;
use far::{Asked, OFFERS, Told, Witness};
use rstest::rstest;

/// How long a client may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server, what its clients are given, and what is kept of them.
struct Far {
    server: Server,
    url: String,
    folder: PathBuf,
    told: Receiver<Told>,
}

impl Far {
    fn start(script: &str, within: Option<&str>) -> Self {
        let offer = OFFERS.iter().find(|offer| offer.name == "tls").unwrap();
        let script = script.to_owned();
        let within = within.map(str::to_owned);
        let made = (offer.make)(&Asked { script, within, ..Asked::default() }).unwrap();
        let (say, told) = mpsc::channel();
        let say = move |one| {
            fits::check(&one);
            let _ = say.send(one);
        };
        let at = "127.0.0.1:0".parse().unwrap();
        let server = Server::start(at, made.kind, made.witness, say).unwrap();
        let port = server.addr().port();
        let name = format!("sockeye-far-tls-{}-{port}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("ca.pem"), made.ca.unwrap()).unwrap();
        Self { url: (made.url)(server.addr()), server, folder, told }
    }

    /// Runs a line of shell in which `{url}`, `{port}` and `{ca}` stand: what it says. None if the client is not installed.
    fn run(&self, line: &str) -> Option<String> {
        let name = line.split_whitespace().find(|word| !word.contains('=')).unwrap();
        let found = Command::new("sh").args(["-c", &format!("command -v {name}")]).output();
        if !found.is_ok_and(|found| found.status.success()) {
            missing(name);
            return None;
        }
        let ca = self.folder.join("ca.pem");
        let line = line.replace("{url}", &self.url).replace("{ca}", ca.to_str().unwrap());
        let line = line.replace("{port}", &self.server.addr().port().to_string());
        let mut command = Command::new("sh");
        // Neither proxies nor options of whoever runs the tests are for these clients.
        for name in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "SSLKEYLOGFILE"] {
            command.env_remove(name);
        }
        command.args(["-c", &format!("exec {line}")]).env("NO_PROXY", "*");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Some(said(command.spawn().unwrap(), &line))
    }

    /// Ends it: who was told, and everything that belongs into a folder, which has it.
    fn stop(self) -> (Box<dyn Witness>, PathBuf) {
        let witness = self.server.stop().unwrap();
        for told in self.told.try_iter() {
            for (name, bytes) in told.files {
                let path = self.folder.join(name);
                let file = fs::OpenOptions::new().create(true).append(true).open(path);
                file.unwrap().write_all(&bytes).unwrap();
            }
        }
        (witness, self.folder)
    }
}

/// What a client said, both streams together.
fn said(mut child: Child, line: &str) -> String {
    let streams: [Box<dyn std::io::Read + Send>; 2] =
        [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
    let readers: Vec<_> = streams
        .into_iter()
        .map(|mut stream| {
            thread::spawn(move || {
                let mut bytes = Vec::new();
                let _ = stream.read_to_end(&mut bytes);
                bytes
            })
        })
        .collect();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("{line} did not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
    let bytes: Vec<u8> = readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

const OPENSSL: &str = "openssl s_client -connect localhost:{port} -servername localhost \
    -verify_hostname localhost -CAfile {ca} -verify_return_error -msg";
const CURL: &str = "curl -sSv -m 10 --cacert {ca} {url}x";
const GNUTLS: &str = "gnutls-cli -d 5 --x509cafile {ca} -p {port} localhost";
const LDAP: &str = "env LDAPTLS_CACERT={ca} ldapsearch -o nettimeout=5 -x -H {url} -b dc=x";
const PYTHON: &str = "python3 -c 'import ssl, sys, urllib.request; print(urllib.request.urlopen(\
    sys.argv[1], context=ssl.create_default_context(cafile=sys.argv[2])).read())' {url} {ca}";
const NODE: &str = "node -e 'require(\"https\").get(process.argv[1], { ca: \
    require(\"fs\").readFileSync(process.argv[2]) }, r => r.pipe(process.stdout)).on(\"error\", \
    e => console.log(e.code))' {url} {ca}";

/// What of a client's own words goes with what is held of it.
struct Says {
    script: &'static str,
    client: &'static str,
    own: &'static [&'static str],
    holds: &'static [&'static str],
}

const fn says(
    script: &'static str,
    client: &'static str,
    own: &'static [&'static str],
    holds: &'static [&'static str],
) -> Says {
    Says { script, client, own, holds }
}

const OK: &[&str] = &["handshake", "no alert", "sni localhost"];

#[rstest]
#[case(says("good", OPENSSL, &["Verification: OK"], OK))]
#[case(says("good", CURL, &["what came: GET /x"], &["handshake", "no alert", "alpn h2"]))]
#[case(says("good", GNUTLS, &["The certificate is trusted"], OK))]
#[case(says("good", PYTHON, &["what came: GET /"], OK))]
#[case(says("good", NODE, &["what came: GET /"], OK))]
#[case(says("self-signed", OPENSSL, &["self-signed certificate", "unknown_ca"],
    &["alert unknown_ca", "no handshake"]))]
#[case(says("self-signed", CURL, &["alert, unknown CA"], &["alert unknown_ca", "no handshake"]))]
#[case(says("self-signed", GNUTLS, &["issuer is unknown", "Sending Alert[2|42]"],
    &["alert bad_certificate", "no handshake"]))]
#[case(says("self-signed", PYTHON, &["self-signed certificate"], &["alert unknown_ca"]))]
#[case(says("self-signed", NODE, &["DEPTH_ZERO_SELF_SIGNED_CERT"], &["no alert", "sni localhost"]))]
#[case(says("other-ca", CURL, &["alert, unknown CA"], &["alert unknown_ca", "no handshake"]))]
#[case(says("missing-intermediate", OPENSSL, &["unknown_ca"], &["alert unknown_ca"]))]
#[case(says("wrong-name", OPENSSL, &["hostname mismatch", "bad_certificate"],
    &["alert bad_certificate", "no handshake"]))]
#[case(says("wrong-name", PYTHON, &["Hostname mismatch"], &["alert bad_certificate"]))]
// It looks at the name once the handshake is over, and says nothing to the server.
#[case(says("wrong-name", CURL, &["does not match|no alternative certificate subject name"],
    &["handshake", "no alert"]))]
#[case(says("expired", OPENSSL, &["certificate has expired", "certificate_expired"],
    &["alert certificate_expired"]))]
#[case(says("expired", CURL, &["alert, certificate expired"], &["alert certificate_expired"]))]
#[case(says("not-yet-valid", OPENSSL, &["not yet valid", "bad_certificate"],
    &["alert bad_certificate"]))]
#[case(says("sha1", OPENSSL, &["digest algorithm too weak", "bad_certificate"],
    &["alert bad_certificate"]))]
#[case(says("sha1", GNUTLS, &["insecure algorithm"], &["alert bad_certificate"]))]
#[case(says("small-key", OPENSSL, &["key too weak", "bad_certificate"], &["alert bad_certificate"]))]
#[case(says("wrong-purpose", OPENSSL, &["purpose", "unsupported_certificate"],
    &["alert unsupported_certificate"]))]
// Those that only Apple's systems refuse, and one that OpenSSL takes by its CN.
#[case(says("too-long-825", OPENSSL, &["Verification: OK"], OK))]
#[case(says("too-long-398", CURL, &["what came: GET /x"], &["handshake", "no alert"]))]
#[case(says("no-san", OPENSSL, &["Verification: OK"], OK))]
#[case(says("tls1.2-only", OPENSSL, &["TLSv1.2"], OK))]
#[case(says("tls1.3-only", OPENSSL, &["TLSv1.3"], OK))]
#[case(says("no-alpn", CURL, &["no application protocol"], &["no handshake", "alpn http/1.1"]))]
#[case(says("no-alpn", OPENSSL, &["Verification: OK"], OK))]
#[case(says("close-after-hello", CURL, &["curl: (35)"], &["no handshake", "no alert"]))]
#[case(says("reset-after-hello", CURL, &["reset by peer"], &["no handshake", "no alert"]))]
#[case(says("plain", OPENSSL, &["wrong version number|packet length too long|record layer failure"], &["no handshake"]))]
fn a_client_and_what_is_said_of_it(#[case] case: Says) {
    let far = Far::start(case.script, None);
    let Some(own) = far.run(case.client) else { return };
    let (witness, folder) = far.stop();
    let summary = witness.summary().join("\n");
    for words in case.own {
        assert!(words.split('|').any(|words| own.contains(words)), "{words}: {own}\n{summary}");
    }
    for words in case.holds {
        assert_eq!(witness.holds(words), Ok(true), "{words}: {own}\n{summary}");
    }
    assert_eq!(witness.holds("connection"), Ok(true), "{summary}");
    fs::remove_dir_all(folder).unwrap();
}

/// It refuses in two connections at once, and has an option that makes it take anything.
#[rstest]
#[case("", &["alert certificate_unknown", "no handshake", "alpn h2"])]
#[case("--ignore-certificate-errors", &["handshake", "no alert", "sni localhost"])]
fn chromium(#[case] option: &str, #[case] holds: &[&str]) {
    let far = Far::start("self-signed", None);
    let line = format!(
        "chromium --headless --no-sandbox --disable-gpu --user-data-dir={}/profile {option} \
         --dump-dom {{url}}",
        far.folder.display()
    );
    let Some(own) = far.run(&line) else { return };
    let (witness, folder) = far.stop();
    let summary = witness.summary().join("\n");
    for words in holds {
        assert_eq!(witness.holds(words), Ok(true), "{words}: {own}\n{summary}");
    }
    let took = "a client took a certificate that is signed by its own key";
    assert_eq!(summary.contains(took), !option.is_empty(), "{summary}");
    fs::remove_dir_all(folder).unwrap();
}

/// Versions of the protocol below what the client takes.
#[rstest]
#[case("tls1.0", "TLS 1.0")]
#[case("tls1.1", "TLS 1.1")]
fn an_old_version(#[case] script: &str, #[case] version: &str) {
    for (options, refuses) in [("-min_protocol TLSv1.2", true), ("-cipher ALL:@SECLEVEL=0", false)]
    {
        let far = Far::start(script, None);
        let Some(own) = far.run(&format!("{OPENSSL} {options}")) else { return };
        let (witness, folder) = far.stop();
        let summary = witness.summary().join("\n");
        let words = format!("the client took {version}");
        assert_eq!(witness.holds("alert protocol_version"), Ok(refuses), "{summary}");
        assert_eq!(summary.contains(&words), !refuses, "{summary}");
        assert_eq!(own.contains("protocol_version"), refuses, "{own}");
        fs::remove_dir_all(folder).unwrap();
    }
}

/// What the server cannot do with what was offered.
#[rstest]
#[case("tls1.2-only", "-tls1_3", "alert protocol_version", "protocol version")]
#[case("tls1.3-only", "-tls1_2", "alert protocol_version", "protocol version")]
#[case("good", "-tls1_2 -cipher AES128-SHA", "alert handshake_failure", "handshake failure")]
fn nothing_in_common(
    #[case] script: &str,
    #[case] options: &str,
    #[case] words: &str,
    #[case] theirs: &str,
) {
    let far = Far::start(script, None);
    let Some(own) = far.run(&format!("{OPENSSL} {options}")) else { return };
    let (witness, folder) = far.stop();
    let summary = witness.summary().join("\n");
    assert!(own.contains(theirs), "{own}");
    assert!(summary.contains(&format!("the server sent the {words}; none came back")), "{summary}");
    assert_eq!(witness.holds("no handshake"), Ok(true));
    assert_eq!(witness.holds("no alert"), Ok(true));
    fs::remove_dir_all(folder).unwrap();
}

/// The question of the forum: it works on the command line and not in the app.
#[rstest]
#[case("good", true)]
#[case("tls1.2-only", true)]
#[case("self-signed", false)]
#[case("wrong-name", false)]
#[case("expired", false)]
#[case("plain", false)]
fn ldapsearch(#[case] script: &str, #[case] works: bool) {
    let far = Far::start(script, Some("ldap"));
    let url = far.url.replace("ldap://", "ldaps://");
    let Some(own) = far.run(&LDAP.replace("{url}", &url)) else { return };
    let (witness, folder) = far.stop();
    let summary = witness.summary().join("\n");
    assert_eq!(own.contains("result: 0 Success"), works, "{own}\n{summary}");
    assert_eq!(own.contains("Can't contact LDAP server"), !works, "{own}");
    assert_eq!(witness.holds("connection"), Ok(true), "{summary}");
    assert_eq!(witness.holds("bind"), Ok(works), "{summary}");
    let went_on = summary.contains("the client went on: bind of LDAP 3, anonymous");
    assert_eq!(went_on, works, "{summary}");
    assert_eq!(summary.contains("and no client went on"), !works && script != "plain", "{summary}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn ldapsearch_with_starttls() {
    let far = Far::start("good", Some("ldap"));
    let url = far.url.replace("ldaps://", "ldap://");
    let line = LDAP.replace("{url}", &url).replace(" -x ", " -x -ZZ -D cn=a -w secret ");
    let Some(own) = far.run(&line) else { return };
    let (witness, folder) = far.stop();
    let summary = witness.summary().join("\n");
    assert!(own.contains("result: 0 Success"), "{own}\n{summary}");
    assert_eq!(witness.holds("handshake"), Ok(true), "{summary}");
    assert!(summary.contains("as \"cn=a\" with a password of 6 bytes"), "{summary}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_client_that_never_comes() {
    let far = Far::start("good", None);
    let line = "curl -sS -m 5 --cacert {ca} https://sockeye.invalid:{port}/";
    let Some(own) = far.run(line) else { return };
    let (witness, folder) = far.stop();
    assert!(own.contains("resolve host"), "{own}");
    assert!(witness.summary()[0].starts_with("no connection came"));
    assert_eq!(witness.holds("no connection"), Ok(true));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_client_that_asks_for_another_name() {
    let far = Far::start("good", None);
    let line = "curl -sS -m 9 --cacert {ca} --resolve a.example:{port}:127.0.0.1 \
        https://a.example:{port}/";
    let Some(own) = far.run(line) else { return };
    let (witness, folder) = far.stop();
    let summary = witness.summary().join("\n");
    assert!(own.contains("a.example"), "{own}");
    assert_eq!(witness.holds("sni a.example"), Ok(true), "{summary}");
    assert!(summary.ends_with("is not for what was asked for: a.example"), "{summary}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_client_that_waits() {
    let far = Far::start("silent", None);
    let Some(own) = far.run("curl -sS -m 2 --cacert {ca} {url}") else { return };
    let (witness, folder) = far.stop();
    let summary = witness.summary().join("\n");
    assert!(own.contains("timed out"), "{own}");
    assert!(
        summary.contains("nothing was answered; the client closed (FIN) after 2 s"),
        "{summary}"
    );
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn another_key_share_is_asked_for() {
    let far = Far::start("good", None);
    let Some(_) = far.run(&format!("{OPENSSL} -groups P-521:P-256")) else { return };
    thread::sleep(Duration::from_millis(50));
    let lines: Vec<String> = far.told.try_iter().flat_map(|told| told.lines).collect();
    let lines = lines.join("\n");
    assert!(lines.contains("secp256r1, after a HelloRetryRequest"), "{lines}");
    assert!(lines.contains("key shares: secp521r1"), "{lines}");
    let (witness, folder) = far.stop();
    assert_eq!(witness.holds("handshake"), Ok(true));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn who_only_connects_is_told_apart() {
    let far = Far::start("good", None);
    drop(TcpStream::connect(far.server.addr()).unwrap());
    let mut plain = TcpStream::connect(far.server.addr()).unwrap();
    plain.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    drop(plain);
    // It begins with an alert, as who speaks TLS alone answers.
    assert_eq!(answer.first(), Some(&21));
    let (witness, folder) = far.stop();
    let summary = witness.summary().join("\n");
    assert!(
        summary.contains("connection 1: the connection was opened and no byte came"),
        "{summary}"
    );
    assert!(summary.contains("connection 2: the client spoke no TLS but a text"), "{summary}");
    fs::remove_dir_all(folder).unwrap();
}

/// What is kept of a connection opens in Wireshark and can be read there.
#[rstest]
#[case("tls1.3-only")]
#[case("tls1.2-only")]
fn a_capture_is_decrypted(#[case] script: &str) {
    let far = Far::start(script, None);
    if far.run(CURL).is_none() {
        return;
    }
    let port = far.server.addr().port();
    let (_, folder) = far.stop();
    let capture = folder.join("capture.pcapng");
    let Some(with) = tshark(&capture, port) else { return };
    assert!(with.contains("GET /x"), "{with}");
    assert!(!with.contains("Malformed") && !with.contains("Unreassembled"), "{with}");
    let keys = fs::read_to_string(folder.join("keys.log")).unwrap();
    let label = if script == "tls1.2-only" { "CLIENT_RANDOM " } else { "CLIENT_TRAFFIC_SECRET_0 " };
    assert!(keys.lines().any(|line| line.starts_with(label)), "{keys}");
    for name in ["client-hello", "from-client", "from-server"] {
        let path = folder.join(format!("connection-0001-{name}.bin"));
        assert!(fs::metadata(&path).unwrap().len() > 100, "{path:?}");
    }
    fs::remove_dir_all(folder).unwrap();
}

/// What it makes of a capture, whose secrets are within; the port may be another protocol's.
fn tshark(capture: &Path, port: u16) -> Option<String> {
    let option = format!("tcp.port=={port},tls");
    let output = Command::new("tshark").arg("-r").arg(capture).args(["-d", &option]).output();
    let Ok(Output { stdout, .. }) = output else {
        missing("tshark");
        return None;
    };
    Some(String::from_utf8_lossy(&stdout).into_owned())
}
