//! `sockeye control http`: a server that says what other people's programs sent it.
//!
//! A library that hides its sockets cannot show what it sent; a server of ordinary sockets can.

mod parse;
mod report;
mod script;
mod serve;

use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use harness::text;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;
use report::Record;
use script::Script;

use crate::cli::ControlHttp;
use crate::{Status, UsageError, out, place};

/// How long an interrupted command has to end.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the main thread waits for.
#[derive(Debug)]
enum Event {
    Request(Box<Record>),
    Command(io::Result<ExitStatus>),
    Signal(Signal),
}

/// Why serving ended.
enum End {
    Enough,
    Command(io::Result<ExitStatus>),
    Signal(Signal),
}

/// Serves, runs the command if there is one, and says what came.
pub(crate) fn http(args: &ControlHttp) -> Result<Status> {
    if args.list_scripts {
        for script in script::SCRIPTS {
            outln!("{:17} {}", script.name, script.about);
        }
        return Ok(Status::Expected);
    }
    let script = script::find(&args.script).map_err(UsageError)?;
    let addr = address(&args.listen, args.allow_remote)?;
    let mut reporter = Reporter::new(args)?;
    let listener = TcpListener::bind(addr).with_context(|| format!("cannot listen on {addr}"))?;
    let addr = listener.local_addr()?;
    let url = format!("http://{addr}/");
    let (events, received) = mpsc::channel();
    reporter.begin(&url, script);
    out::is_read()?;
    let command = spawn(args, &url)?;
    // After the command began, which would inherit the mask, and before any other thread does,
    // which has to. The command can connect: its connections wait.
    signals(events.clone())?;
    let server = serve::start(listener, script, events.clone())?;
    let pid = command.as_ref().map(Child::id);
    if let Some(mut child) = command {
        thread::Builder::new().spawn(move || events.send(Event::Command(child.wait())))?;
    }
    let end = wait(&received, args.requests, &mut reporter)?;
    let end = match (end, pid) {
        (End::Signal(signal), Some(pid)) => interrupt(&received, signal, pid, &mut reporter)?,
        (end, _) => end,
    };
    server.stop();
    while let Ok(event) = received.try_recv() {
        if let Event::Request(record) = event {
            reporter.add(*record)?;
        }
    }
    reporter.end();
    Ok(status(&end, args))
}

/// Where to listen, if that is this host alone or was asked for.
fn address(text: &str, allow_remote: bool) -> Result<SocketAddr, UsageError> {
    let parsed = text.to_socket_addrs().ok().and_then(|mut all| all.next());
    let Some(addr) = parsed else {
        return Err(UsageError(format!("{text:?} is no address and port, such as 127.0.0.1:8080")));
    };
    if !addr.ip().to_canonical().is_loopback() && !allow_remote {
        return Err(UsageError(format!(
            "{addr} is not loopback, so that other hosts could reach the server; \
             --allow-remote allows it"
        )));
    }
    Ok(addr)
}

/// The command with the URL in its arguments: for `{url}`, or for `{}` where no `{url}` is.
fn arguments(command: &[String], url: &str) -> Vec<String> {
    let named = command.iter().any(|argument| argument.contains("{url}"));
    let place = if named { "{url}" } else { "{}" };
    command.iter().map(|argument| argument.replace(place, url)).collect()
}

fn spawn(args: &ControlHttp, url: &str) -> Result<Option<Child>> {
    let arguments = arguments(&args.command, url);
    let Some((program, rest)) = arguments.split_first() else { return Ok(None) };
    let mut command = Command::new(program);
    command.args(rest).env("SOCKEYE_URL", url);
    if args.json {
        // Standard output is for the JSON lines alone.
        command.stdout(Stdio::from(io::stderr()));
    }
    let spawned = command.spawn().map(Some);
    spawned.map_err(|e| match e.kind() {
        ErrorKind::NotFound | ErrorKind::PermissionDenied => {
            UsageError(format!("the command {program:?} cannot be run: {e}")).into()
        }
        _ => anyhow::Error::new(e).context(format!("the command {program:?} cannot be run")),
    })
}

/// From now on SIGINT and SIGTERM are events.
fn signals(events: Sender<Event>) -> Result<()> {
    let mut set = SigSet::empty();
    set.add(Signal::SIGINT);
    set.add(Signal::SIGTERM);
    set.thread_block()?;
    thread::Builder::new().spawn(move || {
        while let Ok(signal) = set.wait() {
            if events.send(Event::Signal(signal)).is_err() {
                break;
            }
        }
    })?;
    Ok(())
}

/// Reports requests until there is a reason to stop.
fn wait(received: &Receiver<Event>, enough: Option<u64>, reporter: &mut Reporter) -> Result<End> {
    loop {
        match received.recv()? {
            Event::Request(record) => reporter.add(*record)?,
            Event::Command(status) => return Ok(End::Command(status)),
            Event::Signal(signal) => return Ok(End::Signal(signal)),
        }
        if enough.is_some_and(|n| reporter.records.len() as u64 >= n) {
            return Ok(End::Enough);
        }
    }
}

/// Gives the command, which a terminal has interrupted too, a moment to end, then ends it.
fn interrupt(
    received: &Receiver<Event>,
    signal: Signal,
    pid: u32,
    reporter: &mut Reporter,
) -> Result<End> {
    for stronger in [Some(Signal::SIGTERM), Some(Signal::SIGKILL), None] {
        let began = Instant::now();
        while let Ok(event) = received.recv_timeout(PATIENCE.saturating_sub(began.elapsed())) {
            match event {
                Event::Request(record) => reporter.add(*record)?,
                Event::Command(_) => return Ok(End::Signal(signal)),
                Event::Signal(_) => break,
            }
        }
        if let (Some(stronger), Ok(pid)) = (stronger, i32::try_from(pid)) {
            // It may have ended in the meantime, and has not been waited for.
            let _ = kill(Pid::from_raw(pid), stronger);
        }
    }
    Ok(End::Signal(signal))
}

fn status(end: &End, args: &ControlHttp) -> Status {
    let program = args.command.first().map_or("", String::as_str);
    match end {
        End::Enough => Status::Expected,
        End::Signal(_) if args.command.is_empty() => Status::Expected,
        End::Signal(signal) => {
            errln!("sockeye: {signal} before the command {program:?} ended");
            Status::Unexpected
        }
        End::Command(Ok(status)) if status.success() => Status::Expected,
        End::Command(Ok(status)) => {
            errln!("sockeye: the command {program:?} failed: {status}");
            Status::Unexpected
        }
        End::Command(Err(e)) => {
            errln!("sockeye: the command {program:?} cannot be waited for: {e}");
            Status::Unexpected
        }
    }
}

/// Prints and writes each request as it is reported.
struct Reporter {
    json: bool,
    raw: Option<File>,
    out: Option<(PathBuf, File)>,
    /// That of the folder: one program writes there at a time.
    _lock: Option<File>,
    records: Vec<Record>,
}

impl Reporter {
    fn new(args: &ControlHttp) -> Result<Self> {
        // First: whoever is refused has emptied nothing.
        let lock = args.out.as_deref().map(place::alone).transpose()?;
        let raw = args.raw.as_deref().map(place::emptied_alone).transpose()?;
        let out = match &args.out {
            None => None,
            Some(folder) => Some((folder.clone(), place::emptied(&folder.join("report.jsonl"))?)),
        };
        Ok(Self { json: args.json, raw, out, _lock: lock, records: Vec::new() })
    }

    fn begin(&self, url: &str, script: &Script) {
        if self.json {
            out::json_line(&serde_json::json!({ "url": url, "script": script.name }));
        } else {
            outln!("serving {url} by the script {}: {}", script.name, script.about);
            out::blank();
        }
    }

    fn add(&mut self, mut record: Record) -> Result<()> {
        let value = report::json(&record);
        // What is told has been kept: who reads the line finds the bytes.
        if let Some(file) = &mut self.raw {
            file.write_all(&record.raw)?;
        }
        if let Some((folder, file)) = &mut self.out {
            let path = folder.join(format!("request-{:04}.bin", record.request));
            place::emptied(&path)?.write_all(&record.raw)?;
            writeln!(file, "{}", text::json(&value.to_string()))?;
        }
        if self.json {
            out::json_line(&value);
        } else {
            out::text(&report::text(&record, &self.records));
            out::blank();
        }
        out::is_read()?;
        // A long run keeps what the summary needs.
        record.raw = Vec::new();
        self.records.push(record);
        Ok(())
    }

    fn end(&self) {
        let summary = report::summary(&self.records);
        if self.json {
            out::json_line(&serde_json::json!({ "summary": summary }));
        } else {
            for line in summary {
                outln!("{line}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("127.0.0.1:0", false, Ok("127.0.0.1:0"))]
    #[case("[::1]:80", false, Ok("[::1]:80"))]
    #[case("[::ffff:127.0.0.1]:80", false, Ok("[::ffff:127.0.0.1]:80"))]
    #[case("127.9.9.9:1", false, Ok("127.9.9.9:1"))]
    #[case("0.0.0.0:0", false, Err("--allow-remote"))]
    #[case("[::]:0", false, Err("--allow-remote"))]
    #[case("192.0.2.1:80", false, Err("--allow-remote"))]
    #[case("0.0.0.0:0", true, Ok("0.0.0.0:0"))]
    #[case("8080", false, Err("such as 127.0.0.1:8080"))]
    #[case("127.0.0.1:99999", true, Err("such as 127.0.0.1:8080"))]
    fn the_server_stays_on_this_host(
        #[case] text: &str,
        #[case] allow_remote: bool,
        #[case] expected: Result<&str, &str>,
    ) {
        match (address(text, allow_remote), expected) {
            (Ok(addr), Ok(expected)) => assert_eq!(addr.to_string(), expected),
            (Err(e), Err(part)) => assert!(e.0.contains(part), "{}", e.0),
            (got, _) => panic!("{got:?}"),
        }
    }

    #[rstest]
    #[case(&["curl", "{}"], &["curl", "U/"])]
    #[case(&["curl", "{}a", "{}b"], &["curl", "U/a", "U/b"])]
    #[case(&["curl", "-d", "{}", "{url}a"], &["curl", "-d", "{}", "U/a"])]
    #[case(&["true"], &["true"])]
    fn the_url_is_filled_in(#[case] command: &[&str], #[case] expected: &[&str]) {
        let command: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
        assert_eq!(arguments(&command, "U/"), expected);
    }
}
