//! The command line, as clap reads it.

mod control;
mod coverage;
mod import;
mod observe;
mod own;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use clap_complete::engine::ArgValueCompleter;
use harness::verdict::Rank;

pub(crate) use self::control::Control;
pub(crate) use self::coverage::Coverage;
pub(crate) use self::import::{How, Import, ImportStrace};
pub(crate) use self::observe::{Exec, Layer, Observe};
pub(crate) use self::own::{Adopt, Form, New, OfOwn};
use crate::complete;
use crate::find::Find;
use crate::select::Shard;

/// A conformance suite for the BSD sockets API: what a call returned, and what it put on the wire.
#[derive(Debug, Parser)]
#[command(version = env!("SOCKEYE_VERSION"), args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Exit status: 0 as expected; 1 changed, unexpected, or a new deviation; 2 wrong usage; \
                        3 the harness could not run.\nWithout a command, sockeye runs every suite."
)]
pub(crate) struct Cli {
    /// What to do; run everything if nothing is said
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// The arguments of `run`, which may stand without its name
    #[command(flatten)]
    pub(crate) run: Run,
}

/// What sockeye does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run cases on this kernel, judge them, write results and evidence
    Run(Box<Run>),
    /// Write a case of your own to begin with: NAME.case, which runs
    New(New),
    /// Make a case of another tool's log
    #[command(subcommand)]
    Import(Import),
    /// List cases, or what is known of their tables
    List(List),
    /// Show one case: transcript, verdict, rules, what each platform did
    Show(Show),
    /// Say which claims about systems and versions are so here
    Claims(Claims),
    /// Say which calls, errnos, options and flags some case shows, and which none
    Coverage(Coverage),
    /// Say whether this kernel loses a datagram over an interface that is down, and keeps silent
    Netdown(Netdown),
    /// Compare the outcomes of two runs, or of two kernels
    Diff(Diff),
    /// Make one run of several: parts of one subject, or many subjects
    Merge(Merge),
    /// Write a run as JUnit, KTAP, Markdown or JSON Lines
    Report(Report),
    /// Say between which kernels the outcomes of cases changed
    Bisect(Bisect),
    /// Write what kernels do otherwise than each other as a page of Markdown
    Changes(Changes),
    /// Keep what reviewed runs observed as baselines
    Adopt(Adopt),
    /// Lay runs side by side as one page: a row for each case, a column for each kernel
    Matrix(Matrix),
    /// Run any program in a lab and show the frames that it causes
    Observe(Observe),
    /// Print a C program that makes the calls of one case
    Repro(Repro),
    /// Write the frames of one case as pcapng
    Wire(Wire),
    /// Make one zip of a bug: what happened, a reproducer that was tried, frames, environment
    Bundle(Bundle),
    /// Serve other people's programs, and say what they sent
    #[command(subcommand)]
    Control(Control),
    /// List the kernels that this machine can start, and which of them are fetched
    Subjects(Subjects),
    /// Say what this host can do, and the command that mends what it cannot
    Doctor,
    /// Take away what labs left on this host that were killed
    Clean,
    /// Read cases on standard input, write traces on standard output, as JSON Lines
    Exec(Exec),
    /// Print the JSON Schema of cases and traces, of a run's results, or of what `control` tells
    Schema {
        /// Of what
        #[arg(value_enum, default_value = "cases")]
        of: Of,
    },
    /// Print a shell's completions: those of cases are looked up while one types
    Completions {
        /// For which shell
        shell: Shell,
    },
    /// Print the manual page of the program or of a command
    Man(Man),
}

/// What a schema is of.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Of {
    /// What `exec` reads and writes
    Cases,
    /// A line of `run --json` and of `results.jsonl`
    Results,
    /// A line of `control KIND --json`
    Control,
}

/// The arguments of `man`.
#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Of which command, such as `list` or `control http`
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    pub(crate) command: Vec<String>,
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// The arguments of `run`.
#[derive(Args, Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(crate) struct Run {
    /// Suites, tables or cases, where `*` stands for anything; files of cases (.case, .json), or folders
    /// of them
    #[arg(value_name = "PATTERN", add = ArgValueCompleter::new(complete::cases))]
    pub(crate) patterns: Vec<String>,
    #[command(flatten)]
    pub(crate) find: Find,
    /// Print a line of JSON for each case instead of the table: --format json
    #[arg(long)]
    pub(crate) json: bool,
    /// Print this instead of the table
    #[arg(long, value_enum, conflicts_with = "json")]
    pub(crate) format: Option<Format>,
    /// Print the findings of this rank alone: violates, surprises or undocumented
    #[arg(long, value_name = "RANK")]
    pub(crate) rank: Option<Rank>,
    /// Tell each known reason, with a case that shows it
    #[arg(long, conflicts_with_all = ["json", "format", "subjects"])]
    pub(crate) known: bool,
    /// Count by table instead of by suite
    #[arg(long, conflicts_with_all = ["json", "format", "subjects"])]
    pub(crate) tables: bool,
    /// Where results and evidence go [default: target/sockeye/run in the workspace,
    /// else sockeye-out/run; with --on target/sockeye/on, a folder for each kernel]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Run in an order made from this number; outcomes must not depend on it
    #[arg(long, value_name = "SEED")]
    pub(crate) shuffle: Option<u64>,
    /// How many executors run side by side [default: one for each processor]
    #[arg(long, short, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Plant a fault, to see a rule fire
    #[arg(long, value_name = "FAULT", hide = true)]
    pub(crate) plant: Option<String>,
    /// Fail also when something is skipped or new
    #[arg(long)]
    pub(crate) strict: bool,
    /// Run one of N parts, such as 1/4; which part a case is in depends on its id alone
    #[arg(long, value_name = "K/N")]
    pub(crate) shard: Option<Shard>,
    #[command(flatten)]
    pub(crate) own: OfOwn,
    #[command(flatten)]
    pub(crate) on: On,
}

impl Run {
    /// What is printed, if not the table.
    pub(crate) fn printed(&self) -> Option<Format> {
        if self.json { Some(Format::Json) } else { self.format }
    }
}

/// How a run is said to other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// JUnit's XML: a suite for each table
    Junit,
    /// KTAP 1, which the kernel's `kunit.py parse` reads
    Ktap,
    /// A line of JSON for each case
    Json,
    /// For the summary of a CI job, 1 MiB at most
    Markdown,
    /// A run for KernelCI's database: kcidb's JSON, version 5
    Kcidb,
}

/// The arguments of `merge`.
#[derive(Args, Debug)]
pub(crate) struct Merge {
    /// The folders of runs
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<PathBuf>,
    /// The folder to write
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
}

/// The arguments of `report`.
#[derive(Args, Debug)]
pub(crate) struct Report {
    /// The folder of a run [default: where `run` writes]
    pub(crate) run: Option<PathBuf>,
    /// As what
    #[arg(long, value_enum, default_value = "markdown")]
    pub(crate) format: Format,
    /// As a page, what was found first
    #[arg(long, conflicts_with_all = ["format", "rank"], requires = "output")]
    pub(crate) html: bool,
    /// Only the cases with a finding of this rank: violates, surprises or undocumented
    #[arg(long, value_name = "RANK")]
    pub(crate) rank: Option<Rank>,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// On which kernels something runs.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct On {
    /// Run on these kernels, each with results of its own: `all`, names of `sockeye subjects`, releases
    /// (`linux-6.12.107`, `linux-6.12.*`), a kernel's image by its path, cmd:PROGRAM
    #[arg(long = "on", value_name = "SUBJECTS")]
    pub(crate) subjects: Vec<String>,
    /// Show what the kernels say on their consoles
    #[arg(long, requires = "subjects")]
    pub(crate) console: bool,
    /// Give the guests' kernels this word on their command line: `ipv6.disable=1`, or a setting,
    /// `sysctl.net.core.rmem_max=16777216`
    #[arg(long, value_name = "WORD", requires = "subjects")]
    pub(crate) append: Vec<String>,
    /// After how many seconds without a sign of life a machine hangs
    #[arg(long, value_name = "SECONDS", hide = true)]
    pub(crate) silence: Option<u64>,
    /// How much memory a machine has, instead of what it needs
    #[arg(long, value_name = "MIB", hide = true)]
    pub(crate) memory: Option<usize>,
}

/// The arguments of `subjects`.
#[derive(Args, Debug)]
pub(crate) struct Subjects {
    /// Look for newer kernels, and fetch all of them, or those that are named
    #[arg(long)]
    pub(crate) fetch: bool,
    /// Names, `linux`, `uml` or `gvisor`, releases: `linux-6.12.107`, `linux-6.12.*`
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

/// The arguments of `list`.
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct List {
    /// Suites, tables or cases; `*` stands for anything
    #[arg(value_name = "PATTERN", add = ArgValueCompleter::new(complete::cases))]
    pub(crate) patterns: Vec<String>,
    #[command(flatten)]
    pub(crate) find: Find,
    /// The tags that cases are found by, and how many have each
    #[arg(long = "tags", conflicts_with_all = ["stats", "catalogue", "left_out"])]
    pub(crate) all_tags: bool,
    /// For each table its rows and their distinct outcomes on this kernel's platform
    #[arg(long)]
    pub(crate) stats: bool,
    /// The catalogue of behaviours: by which tables each is covered, or why not
    #[arg(long, conflicts_with = "stats")]
    pub(crate) catalogue: bool,
    /// The combinations of parameters that are no rows, and why
    #[arg(long, conflicts_with_all = ["stats", "catalogue"])]
    pub(crate) left_out: bool,
    /// Print a line of JSON for each case; with --stats, for each table
    #[arg(long, conflicts_with_all = ["all_tags", "catalogue", "left_out"])]
    pub(crate) json: bool,
}

/// The arguments of `show`.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The case's id, what it is called in its suite, a pattern that only it matches, or a file of it:
    /// FILE.case, FILE.case:NAME
    #[arg(add = ArgValueCompleter::new(complete::cases))]
    pub(crate) case: String,
    /// Run nothing: print the case itself, as text or as JSON
    #[arg(long = "as", value_name = "FORM", value_enum, conflicts_with_all = ["platforms", "runs"])]
    pub(crate) form: Option<Form>,
    /// Run nothing: what each platform with a baseline did, those that did the same together
    #[arg(long)]
    pub(crate) platforms: bool,
    /// Lay the subjects of this run beside them
    #[arg(long = "run", value_name = "RUN", requires = "platforms")]
    pub(crate) runs: Vec<PathBuf>,
}

/// The arguments of `claims`.
#[derive(Args, Debug)]
#[command(after_help = "A claim never fails: the exit status is 0, whatever became of it.")]
pub(crate) struct Claims {
    /// Claims or words of their names, rows of the catalogue (LINK-01), systems (macos) or cases; `*`
    /// stands for anything
    #[arg(value_name = "PATTERN")]
    pub(crate) patterns: Vec<String>,

    /// Ask the results of a run instead of this kernel
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<PathBuf>,

    /// Print a line of JSON for each claim
    #[arg(long)]
    pub(crate) json: bool,

    /// Plant a fault, to see a claim refuted
    #[arg(long, value_name = "FAULT", hide = true, conflicts_with = "run")]
    pub(crate) plant: Option<String>,
}

/// The arguments of `netdown`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 no way of sending that was asked is lost in silence; 1 one is; 2 wrong \
                  usage; 3 it cannot be told."
)]
pub(crate) struct Netdown {
    /// Ask this address on this interface of the host's, by name or index, if it is down, and by the
    /// forum's way alone [default: all ways over a link that sockeye makes; who may not make one asks
    /// an interface that is down already]
    #[arg(value_name = "ADDRESS%INTERFACE", conflicts_with = "plant")]
    pub(crate) target: Option<String>,
    /// Plant a fault in the sends over a link that is down, to see it found
    #[arg(long, value_name = "FAULT", hide = true)]
    pub(crate) plant: Option<String>,
}

/// The arguments of `diff`.
#[derive(Args, Debug)]
pub(crate) struct Diff {
    /// The folders of two runs, of one with --subjects; with --on, cases to run
    #[arg(value_name = "RUN", required_unless_present = "on")]
    pub(crate) runs: Vec<PathBuf>,
    /// Run the cases on these two subjects first
    #[arg(long, value_name = "SUBJECT,SUBJECT")]
    pub(crate) on: Option<String>,
    /// Every line of each outcome that differs, not only the first that does
    #[arg(long)]
    pub(crate) full: bool,
    /// Which subject of each run, where one has several
    #[arg(long, value_name = "SUBJECT", conflicts_with = "on")]
    pub(crate) subject: Option<String>,
    /// Compare two subjects of one run
    #[arg(long, value_name = "SUBJECT,SUBJECT", conflicts_with_all = ["on", "subject"])]
    pub(crate) subjects: Option<String>,
    /// Print this instead
    #[arg(long, value_enum, conflicts_with = "full")]
    pub(crate) format: Option<Format>,
}

/// The arguments of `bisect`.
#[derive(Args, Debug)]
pub(crate) struct Bisect {
    /// Suites, tables or cases, where `*` stands for anything; files or folders of cases
    #[arg(value_name = "PATTERN", required = true, add = ArgValueCompleter::new(complete::cases))]
    pub(crate) patterns: Vec<String>,
    /// Between which kernels, in their order: `all`, or as for `run --on`
    #[arg(long, value_name = "SUBJECTS", default_value = "all")]
    pub(crate) on: Vec<String>,
    /// Where results go [default: target/sockeye/bisect in the workspace, else
    /// sockeye-out/bisect; a folder for each kernel]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// The arguments of `changes`.
#[derive(Args, Debug)]
pub(crate) struct Changes {
    /// The folder of a run; each kernel in it becomes a column; with --on, cases to run
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// Run the cases on these kernels first, as for `run --on`
    #[arg(long, value_name = "SUBJECTS")]
    pub(crate) on: Vec<String>,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// The arguments of `matrix`.
#[derive(Args, Debug)]
pub(crate) struct Matrix {
    /// The folder of a run, or one with runs in it; each kernel becomes a column; with --on, cases to run
    #[arg(required = true, value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// Run the cases on these kernels first, as for `run --on`
    #[arg(long, value_name = "SUBJECTS")]
    pub(crate) on: Vec<String>,
    /// The file to write
    #[arg(short, long, value_name = "FILE", default_value = "matrix.html")]
    pub(crate) output: PathBuf,
    /// Mark what differs from what the same subjects did in this run, instead of from baselines
    #[arg(long, value_name = "RUN")]
    pub(crate) since: Option<PathBuf>,
}

/// A system that a C program can be written for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Target {
    /// The program builds its lab in a network namespace of its own
    Linux,
    /// The program builds its lab in the host's network, as root, and takes it away again
    Macos,
}

/// The arguments of `repro`.
#[derive(Args, Debug)]
pub(crate) struct Repro {
    /// The case's id, what it is called in its suite, a pattern that only it matches, or a file of it:
    /// FILE.case, FILE.case:NAME
    #[arg(add = ArgValueCompleter::new(complete::cases))]
    pub(crate) case: String,
    /// For which system [default: this one]
    #[arg(long, value_enum)]
    pub(crate) os: Option<Target>,
}

/// The arguments of `wire`.
#[derive(Args, Debug)]
pub(crate) struct Wire {
    /// The case's id, what it is called in its suite, a pattern that only it matches, or a file of it:
    /// FILE.case, FILE.case:NAME
    #[arg(add = ArgValueCompleter::new(complete::cases))]
    pub(crate) case: String,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// Whom a bundle is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum For {
    /// Feedback Assistant, with its fields in its order
    Apple,
    /// Linux's networking: a mail
    Netdev,
    /// FreeBSD's Bugzilla
    Freebsd,
    /// gVisor's issues
    Gvisor,
    /// The GNU C Library's list: a mail, where it is what resolves names
    Glibc,
    /// musl's list, the same
    Musl,
}

/// The arguments of `bundle`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 written, and the reproducer reproduces or could not be tried; 1 \
                        written, and it does not reproduce; 2 wrong usage; 3 nothing was written."
)]
pub(crate) struct Bundle {
    /// The ids of cases that show one bug, or their files, the clearest first
    #[arg(required = true, value_name = "CASE", add = ArgValueCompleter::new(complete::cases))]
    pub(crate) cases: Vec<String>,
    /// The folder of a run: the bug is that of the first; further ones say how often, and what other
    /// kernels do [default: asks this kernel now]
    #[arg(long = "run", value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// For whom [default: who can mend it]
    #[arg(long = "for", value_enum, value_name = "WHOM")]
    pub(crate) recipient: Option<For>,
    /// A kernel's source tree, whose MAINTAINERS says whom a mail to netdev is to
    #[arg(long, value_name = "DIR")]
    pub(crate) linux: Option<PathBuf>,
    /// The file to write [default: a name made from the case and the platform]
    #[arg(short, long, value_name = "FILE.zip")]
    pub(crate) output: Option<PathBuf>,
    /// How many times this kernel is asked [default: 10]
    #[arg(long, value_name = "N", conflicts_with = "runs", value_parser = times)]
    pub(crate) times: Option<usize>,
    /// Leave names, addresses and serial numbers of this machine as they are; a run has none
    #[arg(long, conflicts_with = "runs")]
    pub(crate) keep_private: bool,
}

fn times(text: &str) -> Result<usize, String> {
    let most = 1000;
    let n = text.parse().ok().filter(|n| (1..=most).contains(n));
    n.ok_or_else(|| format!("a number from 1 to {most} is wanted"))
}
