//! The command-line program: it joins the suites, the harness and the reports, and does nothing
//! that one of them could do.

// First: its macros are known to what comes after it.
#[macro_use]
mod out;

mod adopt;
mod bisect;
mod bundle;
mod changes;
mod claims;
mod cli;
mod complete;
mod control;
mod coverage;
mod diff;
mod doctor;
mod find;
mod import;
mod interrupt;
mod list;
mod local_network;
mod matrix;
mod netdown;
mod new;
mod observe;
mod on;
mod place;
mod platforms;
mod product;
mod reasons;
mod report;
mod results;
mod run;
mod screen;
mod select;
mod show;
mod subjects;
mod summary;
mod update;
mod watch;

use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use cases::UsageError;
use clap::Parser as _;
use cli::{Cli, Command, Exec, Import, Of};

/// What the exit status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Status {
    /// As expected.
    Expected = 0,
    /// Changed, or a new deviation.
    Unexpected = 1,
    /// Wrong usage.
    Usage = 2,
    /// The harness could not run.
    Harness = 3,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

/// A process that gets no more memory says so and ends; see [`harness::exec::Memory`].
#[global_allocator]
static MEMORY: harness::exec::Memory = harness::exec::Memory;

/// Whether a panic was told: what comes of it is not told as another fault.
static PANICKED: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    if harness::exec::is_init() {
        harness::exec::init();
        return Status::Harness.into();
    }
    // The last resort: a sentence, and what was begun is ended in order.
    std::panic::set_hook(Box::new(|panic| {
        if !PANICKED.swap(true, Ordering::Relaxed) {
            // Of threads that libraries start: the host's refusal, and nothing of this program's.
            if panic.to_string().contains("failed to spawn thread") {
                errln!("sockeye: no thread can be started: {}", harness::threads::MEND);
            } else {
                errln!("sockeye: a fault of its own: {panic}");
            }
        }
    }));
    let status = std::panic::catch_unwind(|| {
        // A file that must not grow is an error of `write`, and not the end of this program.
        harness::exec::refuse_large_files();
        match complete::answer() {
            Ok(true) => return Status::Expected,
            Ok(false) => {}
            Err(e) => return status(Err(e)),
        }
        match Cli::try_parse() {
            Ok(cli) => status(act(cli)),
            Err(e) => {
                if let Some(error) = mistyped().filter(|_| e.use_stderr()) {
                    return status(Err(error.into()));
                }
                let status = if e.use_stderr() { Status::Usage } else { Status::Expected };
                out::usage(&e, |words| Cli::try_parse_from(words).err());
                status
            }
        }
    });
    harness::subject::dismiss();
    let fault = PANICKED.load(Ordering::Relaxed);
    let status = if fault { Status::Harness } else { status.unwrap_or(Status::Harness) };
    if let Err(e) = out::end() {
        errln!("sockeye: standard output cannot be written: {e}");
        return Status::Harness.into();
    }
    status.into()
}

/// What is to be said where the first word is spelt nearly like a command.
fn mistyped() -> Option<UsageError> {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    complete::mistyped(&words)
}

/// Does what was asked for.
fn act(cli: Cli) -> anyhow::Result<Status> {
    match cli.command {
        None => match mistyped() {
            Some(error) => Err(error.into()),
            None => run::run(&cli.run),
        },
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::New(args)) => new::new(&args),
        Some(Command::Import(Import::Strace(args))) => import::strace(&args),
        Some(Command::List(args)) => list::list(&args),
        Some(Command::Show(args)) => show::show(&args),
        Some(Command::Claims(args)) => claims::claims(&args),
        Some(Command::Coverage(args)) => coverage::coverage(&args),
        Some(Command::Netdown(args)) => netdown::netdown(&args),
        Some(Command::Diff(args)) => diff::diff(&args),
        Some(Command::Merge(args)) => report::merge(&args),
        Some(Command::Report(args)) => report::report(&args),
        Some(Command::Adopt(args)) => adopt::adopt(&args),
        Some(Command::Bisect(args)) => bisect::bisect(&args),
        Some(Command::Changes(args)) => changes::changes(&args),
        Some(Command::Matrix(args)) => matrix::matrix(&args),
        Some(Command::Observe(args)) => observe::observe(&args),
        Some(Command::Bundle(args)) => bundle::bundle(&args),
        Some(Command::Repro(args)) => show::repro(&args),
        Some(Command::Wire(args)) => show::wire(&args),
        Some(Command::Control(args)) => control::control(&args),
        Some(Command::Subjects(args)) => subjects::subjects(&args),
        Some(Command::Doctor) => doctor::doctor(),
        Some(Command::Clean) => doctor::clean(),
        Some(Command::Exec(args)) => exec(&args),
        Some(Command::Schema { of }) => {
            let schema = match of {
                Of::Cases => schema(),
                Of::Results => schema_of_results(),
                Of::Control => far::schema(),
            };
            out::json_line(&format!("{schema:#}"));
            Ok(Status::Expected)
        }
        Some(Command::Completions { shell }) => complete::completions(shell),
        Some(Command::Man(args)) => complete::man(&args),
    }
}

/// What came of it, and why if it could not be done.
fn status(done: anyhow::Result<Status>) -> Status {
    match done {
        Ok(status) => status,
        // Whoever reads the output has closed it, and if it is full `main` says so.
        Err(e) if e.downcast_ref::<out::Failed>().is_some() || is_broken_pipe(&e) => {
            Status::Expected
        }
        Err(_) if PANICKED.load(Ordering::Relaxed) => Status::Harness,
        Err(e) => {
            errln!("sockeye: {e:#}");
            let usage = e.downcast_ref::<UsageError>().is_some();
            if usage { Status::Usage } else { Status::Harness }
        }
    }
}

fn is_broken_pipe(e: &anyhow::Error) -> bool {
    e.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}

fn exec(args: &Exec) -> anyhow::Result<Status> {
    let plant = args.plant.as_deref().map(str::parse).transpose().map_err(UsageError)?;
    if let Some(mark) = &args.guard {
        harness::subject::watch(mark, io::stdin().lock());
        return Ok(Status::Expected);
    }
    if let Some(fd) = args.record {
        // Whoever reads the calls is told why.
        let _ = harness::exec::record(&args.command, fd);
        std::process::exit(127);
    }
    if args.hub {
        let program = std::env::current_exe()?;
        let executor = || {
            let mut command = std::process::Command::new(&program);
            command.arg("exec");
            command.args(args.plant.iter().flat_map(|plant| ["--plant", plant]));
            command
        };
        harness::subject::hub::serve(io::stdin().lock(), out::protocol(), args.count, &executor)?;
        return Ok(Status::Expected);
    }
    args.output.iter().for_each(|fd| harness::exec::output_of_programs(*fd));
    args.calls.iter().for_each(|fd| harness::exec::calls_of_programs(*fd));
    harness::exec::serve(io::stdin().lock(), out::protocol().lock(), plant.as_ref())?;
    Ok(Status::Expected)
}

/// Of everything that the executor reads and writes.
fn schema() -> serde_json::Value {
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("sockeye's cases and traces, version {}", harness::SCHEMA),
        "case": schemars::schema_for!(harness::case::Case),
        "reply": schemars::schema_for!(harness::trace::Reply),
    })
}

/// Of a line of a run's results.
fn schema_of_results() -> serde_json::Value {
    let mut schema = schemars::schema_for!(reports::runs::Line).to_value();
    schema["title"] =
        format!("A line of sockeye's results, version {}", reports::runs::SCHEMA).into();
    schema
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_schema_of_results_in_the_documents_is_this_one() {
        let version = reports::runs::SCHEMA;
        let path = format!("{}/docs/results-schema-{version}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{:#}\n", schema_of_results()), "sockeye schema results > {path}");
    }

    #[test]
    fn the_schema_of_control_in_the_documents_is_this_one() {
        let version = far::schema::VERSION;
        let path = format!("{}/docs/control-schema-{version}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{:#}\n", far::schema()), "sockeye schema control > {path}");
    }

    #[test]
    fn the_schema_in_the_documents_is_this_one() {
        let path = format!("{}/docs/schema-{}.json", env!("CARGO_MANIFEST_DIR"), harness::SCHEMA);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{:#}\n", schema()), "sockeye schema > {path}");
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
