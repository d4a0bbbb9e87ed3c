//! Nothing stays of a run that is killed by SIGKILL: no machine, no executor, no folder.
//!
//! On the kernels that were fetched (`sockeye subjects --fetch`).

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;

use crate::common::{SOCKEYE, fetched, has_labs, is_linux, turn};

/// A process, and when it began: its number alone may be another's by and by.
type Process = (u32, String);

/// All that come from `parent`, itself too, as /proc/PID/stat has it (proc(5)).
fn descendants(parent: u32) -> BTreeSet<Process> {
    let all: Vec<(u32, u32, String)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| stat(&entry.path()))
        .collect();
    let mut found: BTreeSet<Process> = BTreeSet::new();
    let mut next = vec![parent];
    while let Some(number) = next.pop() {
        for (process, of, began) in &all {
            if *process == number {
                found.insert((*process, began.clone()));
            }
            if *of == number {
                next.push(*process);
            }
        }
    }
    found
}

/// Its number, its parent's, and when it began; none of one that is dead.
fn stat(folder: &Path) -> Option<(u32, u32, String)> {
    let text = fs::read_to_string(folder.join("stat")).ok()?;
    let (head, rest) = text.rsplit_once(')')?;
    let words: Vec<&str> = rest.split_ascii_whitespace().collect();
    let dead = ["Z", "X"].contains(words.first()?);
    let number = head.split(' ').next()?.parse().ok()?;
    (!dead).then_some((number, words.get(1)?.parse().ok()?, (*words.get(19)?).to_owned()))
}

fn is_alive((number, began): &Process) -> bool {
    let stat = stat(Path::new(&format!("/proc/{number}")));
    stat.is_some_and(|(_, _, since)| since == *began)
}

/// Those in whose environment `place` stands.
fn of_place(place: &str) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let of_it = processes.filter(|process| {
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        environment.windows(place.len()).any(|bytes| bytes == place.as_bytes())
    });
    of_it.filter_map(|process| process.file_name().to_str()?.parse().ok()).collect()
}

/// In the middle of whatever it does then.
#[rstest]
#[case("uml-7.2")]
#[case("gvisor-20240729")]
#[case("linux-5.10")]
#[case("native")]
fn nothing_stays_of_a_run_that_is_killed(#[case] on: &str) {
    if !is_linux() || !has_labs() || (on != "native" && fetched(on).is_none()) {
        return;
    }
    let _turn = turn();
    let mut most = 0;
    for moment in [20, 100, 300, 600, 1000, 1500, 2200, 3000, 4000, 6000] {
        let (out, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut driver = Command::new(SOCKEYE)
            // Cases that wait for long, so that there is something to end whenever it is.
            .args(["run", "names", "link-state/tcp-connect", "--on", on, "--out"])
            .arg(out.path())
            .env("TMPDIR", place.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sockeye starts");
        thread::sleep(Duration::from_millis(moment));
        let ours = descendants(driver.id());
        most = most.max(ours.len());
        driver.kill().expect("it is there");
        driver.wait().expect("it ends");
        let name = place.path().to_str().expect("UTF-8");
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let alive: Vec<&Process> = ours.iter().filter(|process| is_alive(process)).collect();
            let (others, folders) = (of_place(name), fs::read_dir(place.path()).unwrap().count());
            if alive.is_empty() && others.is_empty() && folders == 0 {
                break;
            }
            let left = format!("{on} after {moment} ms: {alive:?}, {others:?}, {folders} folders");
            assert!(Instant::now() < deadline, "{left}");
            thread::sleep(Duration::from_millis(20));
        }
    }
    assert!(most > 1, "{on}: nothing ran that could have stayed");
}

/// The networks in which they are, as the kernel numbers them.
fn networks(of: &BTreeSet<Process>) -> BTreeSet<PathBuf> {
    let network = |(number, _): &Process| fs::read_link(format!("/proc/{number}/ns/net")).ok();
    of.iter().filter_map(network).collect()
}

/// A program that takes no notice of signals, and its network: who observes it is killed, or its time is over.
#[rstest]
#[case::killed("600", true)]
#[case::over("10", false)]
fn nothing_stays_of_what_is_observed(#[case] limit: &str, #[case] kill: bool) {
    if !is_linux() || !has_labs() {
        return;
    }
    let _turn = turn();
    let out = tempfile::tempdir().unwrap();
    let program = "trap '' TERM INT HUP; (setsid sleep 600 &) ; echo ready; sleep 600; sleep 600";
    let mut driver = Command::new(SOCKEYE)
        .args(["observe", "--limit", limit, "--out"])
        .arg(out.path())
        .args(["--", "sh", "-c", program])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("sockeye starts");
    let mut said = [0; 5];
    driver.stdout.as_mut().expect("a pipe").read_exact(&mut said).expect("it says something");
    assert_eq!(&said, b"ready");
    let host = fs::read_link("/proc/self/ns/net").expect("a network");
    // The driver, the executor, the program, and what it has begun: that may take a while.
    let patience = Instant::now() + Duration::from_secs(5);
    let ours = loop {
        let ours = descendants(driver.id());
        if ours.len() > 4 || Instant::now() > patience {
            break ours;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let labs: BTreeSet<PathBuf> =
        networks(&ours).into_iter().filter(|network| *network != host).collect();
    assert!(ours.len() > 4 && !labs.is_empty(), "{ours:?}, {labs:?}");
    if kill {
        driver.kill().expect("it is there");
    }
    driver.wait().expect("it ends");
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let alive: Vec<&Process> = ours.iter().filter(|process| is_alive(process)).collect();
        let all = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| stat(&entry.path()));
        let all = all.map(|(number, _, began)| (number, began)).collect();
        let left: Vec<PathBuf> = networks(&all).intersection(&labs).cloned().collect();
        if alive.is_empty() && left.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "{alive:?}, {left:?}");
        thread::sleep(Duration::from_millis(20));
    }
}
