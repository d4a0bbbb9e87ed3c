//! The arguments of `control`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// A control experiment: a server of ordinary sockets, for a program that hides its own.
#[derive(Debug, Subcommand)]
pub(crate) enum Control {
    /// Serve HTTP on loopback, run a command, report each request as it came, and every cookie
    Http(ControlHttp),
}

/// The arguments of `control http`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 if it served; 1 if COMMAND failed; 2 wrong usage, or no such \
                        command; 3 it could not serve.\nCtrl-C ends it with the summary."
)]
pub(crate) struct ControlHttp {
    /// Where to listen; port 0 is one of the kernel's choice, which is printed
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: String,
    /// Let other hosts reach the server
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// What the server does
    #[arg(long, value_name = "NAME", default_value = "cookies")]
    pub(crate) script: String,
    /// Say which scripts there are
    #[arg(long)]
    pub(crate) list_scripts: bool,
    /// Stop after so many requests
    #[arg(long, value_name = "N", conflicts_with = "command",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) requests: Option<u64>,
    /// Print a line of JSON for each request; the command's output goes to standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the exact bytes of all requests to one file
    #[arg(long, value_name = "FILE")]
    pub(crate) raw: Option<PathBuf>,
    /// Write the exact bytes of each request to a file of its own, and report.jsonl
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// The program to run, with the URL for {url} or {}, and in `$SOCKEYE_URL`
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}
