//! A server in this process, and clients that are other programs.

#![allow(dead_code, reason = "each test program uses some of it")]

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use far::net::Server;
use far::{Asked, OFFERS, Witness};

use crate::clients::missing;
use crate::fits::check;

/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server of one kind.
pub(crate) struct Far {
    server: Server,
    /// Where it serves.
    pub(crate) addr: SocketAddr,
}

impl Far {
    /// On loopback, at a port that is free.
    pub(crate) fn start(kind: &str, asked: &Asked) -> Self {
        Self::start_at("127.0.0.1:0", kind, asked)
    }

    /// At that address.
    pub(crate) fn start_at(at: &str, kind: &str, asked: &Asked) -> Self {
        let offer = OFFERS.iter().find(|offer| offer.name == kind).expect("the kind");
        let made = (offer.make)(asked).expect("a server");
        let at = at.parse().expect("an address");
        let server =
            Server::start(at, made.kind, made.witness, |told| check(&told)).expect("a socket");
        let addr = server.addr();
        Self { server, addr }
    }

    /// What it says at its end.
    pub(crate) fn end(self) -> Vec<String> {
        self.witness().summary()
    }

    /// Who tells of it.
    pub(crate) fn witness(self) -> Box<dyn Witness> {
        self.server.stop().expect("no panic")
    }
}

/// Whether a client is there: it can be started with these words, and succeeds.
pub(crate) fn has(program: &str, words: &str) -> bool {
    let mut command = Command::new(program);
    match words.split_once(' ') {
        Some((option, word)) if option == "-c" => command.args([option, word]),
        _ => command.args(words.split(' ')),
    };
    let is_there = command.output().is_ok_and(|output| output.status.success());
    if !is_there {
        missing(&format!("what `{program} {words}` asks for"));
    }
    is_there
}

/// A command of the shell.
pub(crate) fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// Runs to the end, or is killed.
pub(crate) fn finished(mut command: Command) -> Output {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let began = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if began.elapsed() > PATIENCE {
            child.kill().expect("a child");
            let output = child.wait_with_output().expect("a child");
            panic!("it took too long: {}", String::from_utf8_lossy(&output.stdout));
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("a child")
}

/// What it wrote, on both.
pub(crate) fn output(command: Command) -> String {
    let Output { stdout, stderr, .. } = finished(command);
    String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned()
}

/// In a test that [`outside`] has started: the script and the client.
pub(crate) fn inside_args() -> Option<(String, String)> {
    let own = |name| std::env::var(name).ok();
    own("FAR_SCRIPT").zip(own("FAR_CLIENT"))
}

/// Runs a test of this program in a network and mounts of its own: what the client said, and the summary. None where
/// that is refused.
pub(crate) fn outside(test: &str, script: &str, client: &str) -> Option<(String, Vec<String>)> {
    let possible = finished(shell("unshare -rmn ip link set lo up"));
    if !possible.status.success() {
        let why = String::from_utf8_lossy(&possible.stderr).into_owned();
        eprintln!("skipped: no namespaces of its own: {}", why.trim());
        return None;
    }
    let mut command = Command::new("unshare");
    command.arg("-rmn").arg(std::env::current_exe().expect("this program"));
    command.args(["--exact", test, "--nocapture"]);
    command.env("FAR_SCRIPT", script).env("FAR_CLIENT", client);
    let text = output(command);
    let said = text.lines().find_map(|line| line.split_once("SAID ")).map(|(_, said)| said);
    let said = said.unwrap_or_else(|| panic!("{text}")).to_owned();
    let lines = text.lines().filter_map(|line| line.strip_prefix("LINE "));
    Some((said, lines.map(str::to_owned).collect()))
}
