//! Many executors behind one stream: what runs inside a machine, and the lines that it speaks.
//!
//! A machine has one way in and out, and its kernel many executors. Each has a number, and each
//! line begins with one:
//!
//! | to the hub | from the hub |
//! | --- | --- |
//! | `7 start`: start an executor and call it 7 | `ready`: once, before anything else |
//! | `7 {…}`: a line for its standard input | `7 {…}`: a line of its standard output |
//! | `7 end`: close its standard input | `7 ended exit status 0`: it has gone |
//! | `7 kill`: kill it | `tick`: now and then, whatever the executors do |
//! | | `took 512`: so many bytes were read, if the stream needs to know |
//!
//! When its input ends, so does the hub.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::ending::describe;
use super::lock;
use crate::threads;

/// How often the hub says that the machine is alive.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// The hub's first line.
pub(super) const READY: &str = "ready";

/// What the hub says every [`TICK`].
pub(super) const ALIVE: &str = "tick";

/// What stands before the number of bytes that the hub has read.
pub(super) const TOOK: &str = "took ";

/// What stands before how an executor ended.
pub(super) const ENDED: &str = "ended ";

/// An executor of the hub's.
struct Seat {
    lines: Sender<Vec<u8>>,
    child: Arc<Mutex<Child>>,
}

/// Starts what `executor` describes as often as `input` asks for it and passes lines on, until
/// `input` ends. Where it `counts`, it says how much it has read.
pub fn serve(
    mut input: impl BufRead,
    output: impl Write + Send + 'static,
    counts: bool,
    executor: &dyn Fn() -> Command,
) -> io::Result<()> {
    let output = Arc::new(Mutex::new(output));
    say(&output, READY)?;
    let beats = Arc::clone(&output);
    threads::start(move || {
        while say(&beats, ALIVE).is_ok() {
            thread::sleep(TICK);
        }
    })?;
    let mut seats: HashMap<u32, Seat> = HashMap::new();
    let mut line = Vec::new();
    loop {
        let read = input.fill_buf()?;
        if read.is_empty() {
            break;
        }
        let all = read.len();
        let end = read.iter().position(|byte| *byte == b'\n');
        line.extend_from_slice(&read[..end.unwrap_or(all)]);
        let taken = end.map_or(all, |end| end + 1);
        input.consume(taken);
        if counts {
            say(&output, &format!("{TOOK}{taken}"))?;
        }
        if end.is_some() {
            obey(&line, &mut seats, executor, &output)?;
            line.clear();
        }
    }
    for seat in seats.into_values() {
        let _ = lock(&seat.child).kill();
    }
    Ok(())
}

/// Does what a line asks for; what is none is passed over.
fn obey(
    line: &[u8],
    seats: &mut HashMap<u32, Seat>,
    executor: &dyn Fn() -> Command,
    output: &Arc<Mutex<impl Write + Send + 'static>>,
) -> io::Result<()> {
    let Some((number, text)) = numbered(line) else { return Ok(()) };
    match text {
        b"start" => match seat(number, executor(), output) {
            Ok(seat) => drop(seats.insert(number, seat)),
            Err(e) => say(output, &format!("{number} {ENDED}at once: {e}"))?,
        },
        b"end" => drop(seats.remove(&number)),
        b"kill" => {
            if let Some(seat) = seats.remove(&number) {
                let _ = lock(&seat.child).kill();
            }
        }
        line => {
            if let Some(seat) = seats.get(&number) {
                let _ = seat.lines.send([line, b"\n"].concat());
            }
        }
    }
    Ok(())
}

/// The number and the rest of a line.
pub(super) fn numbered(line: &[u8]) -> Option<(u32, &[u8])> {
    let at = line.iter().position(|byte| *byte == b' ')?;
    let number = str::from_utf8(&line[..at]).ok()?.parse().ok()?;
    Some((number, &line[at + 1..]))
}

fn say(output: &Mutex<impl Write>, line: &str) -> io::Result<()> {
    pass(output, format!("{line}\n").as_bytes())
}

/// One line in one write, so that whatever happens next, it has been said.
fn pass(output: &Mutex<impl Write>, line: &[u8]) -> io::Result<()> {
    let mut output = lock(output);
    output.write_all(line)?;
    output.flush()
}

/// Starts an executor. A thread writes what it is given, so that one that does not read keeps
/// nobody else waiting; another passes on what it says.
fn seat(
    number: u32,
    mut command: Command,
    output: &Arc<Mutex<impl Write + Send + 'static>>,
) -> io::Result<Seat> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (input, said) = (child.stdin.take(), child.stdout.take());
    let child = Arc::new(Mutex::new(child));
    let (lines, given) = mpsc::channel::<Vec<u8>>();
    threads::start(move || {
        let mut input = input;
        for line in given {
            let _ = input.as_mut().map(|input| input.write_all(&line));
        }
    })?;
    let (ends, output) = (Arc::clone(&child), Arc::clone(output));
    threads::start(move || {
        let mut line = Vec::new();
        if let Some(mut said) = said.map(BufReader::new) {
            loop {
                line.clear();
                let _ = write!(line, "{number} ");
                let before = line.len();
                match said.read_until(b'\n', &mut line) {
                    Ok(_) if line.len() > before => {}
                    _ => break,
                }
                if line.last() != Some(&b'\n') {
                    line.push(b'\n');
                }
                let _ = pass(&output, &line);
            }
        }
        let how = lock(&ends).wait().map_or_else(|e| e.to_string(), describe);
        let _ = say(&output, &format!("{number} {ENDED}{how}"));
    })?;
    Ok(Seat { lines, child })
}
