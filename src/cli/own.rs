//! What is asked about cases of a user's own, and what becomes of what they came to.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What of a run is about a user's own cases alone.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Cases of your own")]
pub(crate) struct OfOwn {
    /// Write what comes into the files, beneath each call of which nothing is written yet; what is
    /// written stays as it is
    #[arg(long, conflicts_with_all = ["json", "format", "subjects"])]
    pub(crate) update: bool,
    /// Judge them by what was observed of them before, which is kept in this folder; with --update, keep
    /// what comes there instead
    #[arg(long, value_name = "DIR")]
    pub(crate) baselines: Option<PathBuf>,
    /// Run again whenever a file is saved, until Ctrl-C
    #[arg(long, conflicts_with = "subjects")]
    pub(crate) watch: bool,
}

/// The arguments of `new`.
#[derive(Args, Debug)]
pub(crate) struct New {
    /// What the case is called, and its file: NAME.case
    #[arg(value_name = "NAME")]
    pub(crate) name: PathBuf,
}

/// How a case is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// As text, which a file of cases may have
    Case,
    /// As JSON, which `exec` reads
    Json,
}

/// The arguments of `adopt`.
#[derive(Args, Debug)]
#[command(after_help = "Exit status: 0 if all was adopted; 1 if something was refused.")]
pub(crate) struct Adopt {
    /// Folders of runs, or of snapshots that `cargo test` recorded
    #[arg(value_name = "RUN", required = true)]
    pub(crate) sources: Vec<PathBuf>,

    /// Where the baselines are
    #[arg(long, value_name = "DIR", default_value = "suites/baselines")]
    pub(crate) into: PathBuf,
}
