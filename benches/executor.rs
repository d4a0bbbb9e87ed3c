//! How much of a case's time is sockeye's own: the executor against a bare C loop that makes the
//! same calls in the same lab, generated from the cases. Figures are ratios, in one run.

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::case::{Case, Op, Os};
use reports::repro::{Options, reproducer};
use suites::tables;

/// How often each program goes through the cases.
const ROUNDS: u32 = 200;

/// How often each is measured; the best counts, since noise only ever adds.
const TRIES: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    if Os::host() != Some(Os::Linux) {
        println!("skipped: the C loop builds its lab on Linux only");
        return Ok(());
    }
    let all: Vec<Case> = tables().into_iter().flat_map(|table| table.cases).collect();
    let first = all.iter().find(|case| case.id == "link-state/udp-sendto[tap,up,own]");
    let lab = &first.ok_or("the suite has lost its first row")?.lab;
    let steps = |case: &Case| case.ops.iter().any(|op| matches!(op, Op::Lab { .. }));
    let cases: Vec<Case> =
        all.iter().filter(|case| case.lab == *lab && !steps(case)).cloned().collect();
    let first: Vec<Case> =
        cases.iter().filter(|case| case.suite() == "link-state").cloned().collect();
    compare("link-state", &first)?;
    compare("every suite", &cases)?;
    whole_run()
}

fn compare(what: &str, cases: &[Case]) -> Result<(), Box<dyn Error>> {
    println!("{what}: {} cases of one lab, {ROUNDS} times, best of {TRIES}", cases.len());
    let c = best(|| in_c(cases))?;
    let executor = best(|| in_executor(cases))?;
    let count = f64::from(u32::try_from(cases.len())?) * f64::from(ROUNDS);
    let each = |time: Duration| time.as_secs_f64() * 1e6 / count;
    println!("bare C loop          {:8.2} us a case", each(c));
    println!("sockeye exec         {:8.2} us a case", each(executor));
    println!("ratio                {:8.2}", executor.as_secs_f64() / c.as_secs_f64());
    Ok(())
}

fn best(
    mut measure: impl FnMut() -> Result<Duration, Box<dyn Error>>,
) -> Result<Duration, Box<dyn Error>> {
    let times: Result<Vec<Duration>, _> = (0..TRIES).map(|_| measure()).collect();
    times?.into_iter().min().ok_or_else(|| "nothing was measured".into())
}

/// All cases as one program: each socket of each case under a name of its own, and closed.
fn joined(cases: &[Case]) -> Result<Case, Box<dyn Error>> {
    let mut ops = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let mut json = serde_json::to_value(&case.ops)?;
        let mut made = Vec::new();
        rename(&mut json, number, &mut made);
        ops.extend(serde_json::from_value::<Vec<Op>>(json)?);
        ops.extend(made.into_iter().map(|fd| Op::Close { fd }));
    }
    Ok(Case { id: "bench".to_owned(), ops, ..cases[0].clone() })
}

fn rename(value: &mut serde_json::Value, number: usize, made: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                if (key == "fd" || key == "new") && value.is_string() {
                    *value = format!("{}{number}", value.as_str().unwrap_or_default()).into();
                } else {
                    rename(value, number, made);
                    let fd = value.get("fd").and_then(|fd| fd.as_str());
                    made.extend(fd.filter(|_| key == "socket").map(str::to_owned));
                }
            }
        }
        serde_json::Value::Array(list) => {
            for value in list {
                rename(value, number, made);
            }
        }
        _ => {}
    }
}

/// The reproducer of all cases, with the calls in a loop and nothing said of them.
fn loop_of(cases: &[Case]) -> Result<String, Box<dyn Error>> {
    let options = Options { os: Os::Linux, observed: None, expected: &[] };
    let source = reproducer(&joined(cases)?, &options);
    // No far end acts in the loop, whatever blocks: as it was made to be compared with.
    let said = ["result", "value", "address", "data", "revents", "option_value", "begin_acting"];
    let silent: String = said.map(|name| format!("#define {name}(...) ((void)0)\n")).concat();
    let begin = "    /* The calls. */\n";
    let (head, calls) = source.split_once(begin).ok_or("the calls have no beginning")?;
    let (head, main) = head.split_once("int main(void)").ok_or("there is no main")?;
    let (calls, end) = calls.rsplit_once("    return 0;\n").ok_or("the calls have no end")?;
    let (calls, _) = calls.rsplit_once("    puts(").ok_or("they end without a word")?;
    let calls = calls.replace("    nothing_lost();\n", "");
    Ok(format!(
        "{head}#include <time.h>\n{silent}int main(void){main}    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int round = 0; round < {ROUNDS}; round++) {{\n{calls}    }}
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf(\"%lld\\n\", (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec);
    return 0;\n{end}"
    ))
}

fn in_c(cases: &[Case]) -> Result<Duration, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (source, program) = (folder.path().join("loop.c"), folder.path().join("loop"));
    fs::write(&source, loop_of(cases)?)?;
    let compiled = Command::new("cc")
        .args(["-std=c11", "-O2", "-w", "-o"])
        .args([&program, &source])
        .output()?;
    if !compiled.status.success() {
        return Err(String::from_utf8_lossy(&compiled.stderr).into_owned().into());
    }
    let ran = Command::new(&program).output()?;
    let text = String::from_utf8(ran.stdout)?;
    // Behind it a program tells the frames that nobody has read.
    let took = text.lines().find_map(|line| line.parse().ok());
    Ok(Duration::from_nanos(took.ok_or("the loop does not say how long it took")?))
}

fn sockeye() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_sockeye"))
}

/// What `ROUNDS` more rounds cost the executor once its lab stands, traces included.
fn in_executor(cases: &[Case]) -> Result<Duration, Box<dyn Error>> {
    let lines: Result<Vec<String>, _> = cases.iter().map(serde_json::to_string).collect();
    let round = lines?.join("\n") + "\n";
    let mut took = [Duration::ZERO; 2];
    for (took, rounds) in took.iter_mut().zip([1, ROUNDS + 1]) {
        let input = tempfile::NamedTempFile::new()?;
        for _ in 0..rounds {
            input.as_file().write_all(round.as_bytes())?;
        }
        let start = Instant::now();
        let status = Command::new(sockeye())
            .arg("exec")
            .stdin(fs::File::open(input.path())?)
            .stdout(Stdio::null())
            .status()?;
        *took = start.elapsed();
        if !status.success() {
            return Err("the executor failed".into());
        }
    }
    Ok(took[1].saturating_sub(took[0]))
}

/// `sockeye run`, whole, and without what waits.
fn whole_run() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    for (what, patterns) in [
        ("sockeye run", vec![]),
        ("without waits", vec!["*up,*", "*down,*", "*readdressed,*", "*mtu-1000,*"]),
    ] {
        let output = Command::new(sockeye())
            .arg("run")
            .args(&patterns)
            .arg("--out")
            .arg(folder.path())
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let counts = text.lines().find(|line| line.contains(" cases on "));
        println!("{what:20} {}", counts.unwrap_or_default());
    }
    Ok(())
}
