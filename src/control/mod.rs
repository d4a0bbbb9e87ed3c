//! `sockeye control KIND`: a server that says what other people's programs sent it.
//!
//! A library that hides its sockets cannot show what it sent; a server of ordinary sockets can. What is served and
//! what is said of it is [`far`]'s; here are the command beside it, files, signals and the exit status.

mod command;
mod reporter;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use far::net::Server;
use far::{Told, Witness, idle};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

use self::command::Ca;
use self::reporter::Reporter;
use crate::cli::Control;
use crate::{Status, UsageError, out};

/// How long an interrupted command has to end.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much of what came may wait to be printed. What comes then waits in sockets, and datagrams are lost there,
/// which is counted: else a reader that stands still would cost as much memory as there is.
const WAITING: usize = 1024;

/// What the main thread waits for.
#[derive(Debug)]
enum Event {
    Told(Box<Told>),
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
pub(crate) fn control(args: &Control) -> Result<Status> {
    let offer = args.offer;
    if args.serve.list_scripts {
        let width = offer.scripts.iter().map(|script| script.name.len()).max().unwrap_or(0);
        for script in offer.scripts {
            outln!("{:width$} {}", script.name, script.about);
        }
        return Ok(Status::Expected);
    }
    offer.check(&args.asked.script).map_err(UsageError)?;
    let addr = address(args)?;
    let mut made = (offer.make)(&args.asked).map_err(UsageError)?;
    if let Some(then) = args.idle_then {
        made = idle::wrap(made, then);
    }
    for words in &args.keep.expect {
        can_be_expected(words, &*made.witness, offer.name)?;
    }
    let mut reporter = Reporter::new(args)?;
    if args.resolve_for {
        command::enter_names_of_its_own()?;
    }
    let ca = made.ca.as_deref().map(Ca::new).transpose()?;
    let (events, received) = mpsc::sync_channel(WAITING);
    let told = events.clone();
    // There is nobody to tell once the reporter is gone.
    let say = move |of: Told| drop(told.send(Event::Told(Box::new(of))));
    // All threads have the mask, and the command does not: what of it came in between waits.
    let mask = mask();
    mask.thread_block()?;
    let server = Server::start(addr, made.kind, made.witness, say)
        .with_context(|| format!("cannot listen on {addr}"))?;
    let url = (made.url)(server.addr());
    reporter.begin(&url, args, ca.as_ref());
    out::is_read()?;
    mask.thread_unblock()?;
    let command = command::spawn(args, &url, server.addr(), ca.as_ref())?;
    mask.thread_block()?;
    signals(mask, events.clone(), ca.as_ref().map(Ca::folder))?;
    let pid = command.as_ref().map(Child::id);
    if let Some(mut child) = command {
        thread::Builder::new().spawn(move || events.send(Event::Command(child.wait())))?;
    }
    let end = until_the_end(&received, args.serve.requests, pid, &mut reporter);
    if let (Err(_), Some(pid)) = (&end, pid) {
        // Nobody listens to it any more.
        let _ = interrupt(&received, Signal::SIGTERM, pid, &mut |_| Ok(()));
    }
    let (witness, end) = stop(server, &received, &mut reporter, end)?;
    let expected = args.keep.expect.iter().map(|words| (words, witness.holds(words) == Ok(true)));
    let expected: Vec<(&String, bool)> = expected.collect();
    // Whatever else failed: it is what the user came for.
    reporter.end(&witness.summary(), &expected);
    Ok(status(&end?, args, &expected))
}

/// Reports what comes until there is a reason to stop, and ends the command if that is a signal.
fn until_the_end(
    received: &Receiver<Event>,
    enough: Option<u64>,
    pid: Option<u32>,
    reporter: &mut Reporter,
) -> Result<End> {
    match (wait(received, enough, reporter)?, pid) {
        (End::Signal(signal), Some(pid)) => {
            interrupt(received, signal, pid, &mut |told| reporter.add(told))
        }
        (end, _) => Ok(end),
    }
}

/// Stops the server, which may have more to tell, and says what that is.
fn stop(
    server: Server,
    received: &Receiver<Event>,
    reporter: &mut Reporter,
    mut end: Result<End>,
) -> Result<(Box<dyn Witness>, Result<End>)> {
    let stopping = thread::Builder::new().spawn(move || server.stop())?;
    loop {
        let is_over = stopping.is_finished();
        let event = received.recv_timeout(Duration::from_millis(if is_over { 0 } else { 5 }));
        match event {
            Ok(Event::Told(told)) if end.is_ok() => {
                if let Err(e) = reporter.add(&told) {
                    end = Err(e);
                }
            }
            Err(_) if is_over => break,
            _ => {}
        }
    }
    let witness = stopping.join().ok().flatten();
    Ok((witness.ok_or_else(|| anyhow!("the server ended by a fault"))?, end))
}

/// Where to listen, if that is this host alone or was asked for.
fn address(args: &Control) -> Result<SocketAddr, UsageError> {
    if args.resolve_for {
        return Ok(command::NAMES);
    }
    let is_ours = |group: &String| {
        let (_, link) = group.split_once('%').unwrap_or((group, ""));
        ["lo", "lo0"].contains(&link)
    };
    if let Some(group) = args.asked.groups.iter().find(|group| !is_ours(group))
        && !args.serve.allow_remote
    {
        return Err(UsageError(format!(
            "--join {group}: other hosts are heard in it, unless by loopback ({group}%lo); --allow-remote allows it"
        )));
    }
    loopback(&args.serve.listen, args.serve.allow_remote)
}

fn loopback(text: &str, allow_remote: bool) -> Result<SocketAddr, UsageError> {
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

/// That it is known what these words mean.
fn can_be_expected(words: &str, witness: &dyn Witness, name: &str) -> Result<(), UsageError> {
    if witness.holds(words).is_ok() {
        return Ok(());
    }
    let known: Vec<String> = witness
        .expectations()
        .iter()
        .map(|(words, about)| format!("{words:?} ({about})"))
        .collect();
    let known = known.join(", ");
    Err(UsageError(format!("--expect {words:?}: of {name} there can be expected {known}")))
}

/// What becomes an event.
fn mask() -> SigSet {
    let mut set = SigSet::empty();
    // The last is what a terminal sends that is closed.
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        set.add(signal);
    }
    set
}

/// From now on these, which all threads have blocked, are events. With a second one it ends at once: whoever prints may
/// stand still for ever, if nobody reads.
fn signals(mask: SigSet, events: SyncSender<Event>, folder: Option<PathBuf>) -> Result<()> {
    thread::Builder::new().spawn(move || {
        let mut came = 0;
        while let Ok(signal) = mask.wait() {
            came += 1;
            if came > 1 {
                // What else is there goes with the process.
                let _ = folder.as_deref().map(std::fs::remove_dir_all);
                std::process::exit(128 + signal as i32);
            }
            let events = events.clone();
            // It waits for who prints, and the next signal does not.
            let told = thread::Builder::new().spawn(move || events.send(Event::Signal(signal)));
            if told.is_err() {
                break;
            }
        }
    })?;
    Ok(())
}

/// Reports what comes until there is a reason to stop.
fn wait(received: &Receiver<Event>, enough: Option<u64>, reporter: &mut Reporter) -> Result<End> {
    loop {
        match received.recv()? {
            Event::Told(told) => reporter.add(&told)?,
            Event::Command(status) => return Ok(End::Command(status)),
            Event::Signal(signal) => return Ok(End::Signal(signal)),
        }
        if enough.is_some_and(|n| reporter.counted() >= n) {
            return Ok(End::Enough);
        }
    }
}

/// Gives the command, which a terminal has interrupted too, a moment to end, then ends it.
fn interrupt(
    received: &Receiver<Event>,
    signal: Signal,
    pid: u32,
    add: &mut dyn FnMut(&Told) -> Result<()>,
) -> Result<End> {
    for stronger in [Some(Signal::SIGTERM), Some(Signal::SIGKILL), None] {
        let began = Instant::now();
        while let Ok(event) = received.recv_timeout(PATIENCE.saturating_sub(began.elapsed())) {
            match event {
                Event::Told(told) => add(&told)?,
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

fn status(end: &End, args: &Control, expected: &[(&String, bool)]) -> Status {
    let mut status = of_command(end, &args.keep.command);
    for (words, _) in expected.iter().filter(|(_, so)| !so) {
        errln!("sockeye: expected, and not so: {words}");
        status = Status::Unexpected;
    }
    status
}

fn of_command(end: &End, command: &[String]) -> Status {
    let program = command.first().map_or("", String::as_str);
    match end {
        End::Enough => Status::Expected,
        End::Signal(_) if command.is_empty() => Status::Expected,
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
        match (loopback(text, allow_remote), expected) {
            (Ok(addr), Ok(expected)) => assert_eq!(addr.to_string(), expected),
            (Err(e), Err(part)) => assert!(e.0.contains(part), "{}", e.0),
            (got, _) => panic!("{got:?}"),
        }
    }
}
