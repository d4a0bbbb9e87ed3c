//! A server within the test and real programs that talk to it.

#![allow(dead_code, reason = "each test needs some of it")]

use std::io::Read;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use far::net::Server;
use far::{Asked, OFFERS, Told, Witness};

use crate::clients::missing;
use crate::fits::check;

/// How long a client may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server at work.
pub(crate) struct Serving {
    server: Server,
    told: Receiver<Told>,
    pub(crate) addr: SocketAddr,
    pub(crate) url: String,
}

/// What it said.
pub(crate) struct Said {
    pub(crate) lines: String,
    pub(crate) summary: String,
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) json: Vec<serde_json::Value>,
    pub(crate) counted: usize,
    witness: Box<dyn Witness>,
}

/// What a client came to.
#[derive(Debug)]
pub(crate) struct Came {
    pub(crate) ok: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Serves that kind by that script at a port of its own.
pub(crate) fn serve(name: &str, script: &str) -> Serving {
    let offer = OFFERS.iter().find(|offer| offer.name == name).expect("an offer");
    offer.check(script).unwrap();
    let asked = Asked { script: script.to_owned(), ..Asked::default() };
    let made = (offer.make)(&asked).unwrap();
    let (say, told) = mpsc::channel();
    let say = move |what| {
        check(&what);
        let _ = say.send(what);
    };
    let listen = "127.0.0.1:0".parse().unwrap();
    let server = Server::start(listen, made.kind, made.witness, say).unwrap();
    let addr = server.addr();
    Serving { server, told, addr, url: (made.url)(addr) }
}

impl Serving {
    pub(crate) fn stop(self) -> Said {
        let witness = self.server.stop().expect("no panic");
        let told: Vec<Told> = self.told.try_iter().collect();
        let lines: Vec<String> = told.iter().flat_map(|t| t.lines.clone()).collect();
        Said {
            lines: lines.join("\n"),
            summary: witness.summary().join("\n"),
            files: told.iter().flat_map(|t| t.files.clone()).collect(),
            json: told.iter().map(|t| t.json.clone()).collect(),
            counted: told.iter().filter(|t| t.counts).count(),
            witness,
        }
    }
}

impl Said {
    /// That each of these was so, and each of those was not.
    pub(crate) fn check(&self, so: &[&str], not_so: &[&str]) {
        for (words, expected) in
            so.iter().map(|w| (w, true)).chain(not_so.iter().map(|w| (w, false)))
        {
            assert_eq!(self.witness.holds(words), Ok(expected), "{words}\n{self}");
        }
    }

    /// That the summary has each of these.
    pub(crate) fn sums(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.summary.contains(part), "no {part:?} in\n{self}");
        }
    }

    /// That the lines have each of these.
    pub(crate) fn has(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.lines.contains(part), "no {part:?} in\n{self}");
        }
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n--\n{}", self.lines, self.summary)
    }
}

/// Runs a client to its end. None, and a line that says so, if it is not installed.
pub(crate) fn client(words: &[&str]) -> Option<Came> {
    client_with(words, "")
}

/// The same, with something to read.
pub(crate) fn client_with(words: &[&str], input: &str) -> Option<Came> {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars() {
        if name.to_ascii_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    let Ok(mut child) = command.spawn() else {
        missing(words[0]);
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A client that reads nothing ends before all is written.
    thread::spawn(move || std::io::Write::write_all(&mut stdin, input.as_bytes()).is_ok());
    let out = read(child.stdout.take().unwrap());
    let err = read(child.stderr.take().unwrap());
    let began = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if began.elapsed() > PATIENCE => {
                child.kill().unwrap();
                panic!("{words:?} does not end");
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    Some(Came { ok: status.success(), out: out.join().unwrap(), err: err.join().unwrap() })
}

fn read(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Runs a program of Python, if there is one that has that module.
pub(crate) fn python(module: &str, program: &str, words: &[&str]) -> Option<Came> {
    let python = ["python3", "python"].into_iter().find(|python| {
        let import = format!("import {module}");
        let probe = Command::new(python).args(["-c", &import]).stderr(Stdio::null()).status();
        probe.is_ok_and(|status| status.success())
    });
    let Some(python) = python else {
        missing(&format!("python's {module}"));
        return None;
    };
    client(&[&[python, "-c", program], words].concat())
}
