//! The arguments of `import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Logs of other tools that become cases.
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// What a program did, as strace saw it, as a case: its socket calls and what they returned
    Strace(ImportStrace),
}

/// The arguments of `import strace`.
#[derive(Args, Debug)]
#[command(
    after_help = "Make the log by: strace -f -tt -yy -s 256 -e trace=network,desc,process -o LOG PROGRAM\n\
                        Addresses that are not loopback are replaced by the lab's hosts. What the program sent \
                        and received stays as it is: read it before you pass it on.\nExit status: 0 \
                        written; 2 wrong usage, or LOG is no such log: nothing is written."
)]
pub(crate) struct ImportStrace {
    /// The log; - is standard input
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,
    /// The file to write, which is not there yet [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) how: How,
}

/// How a log becomes a case.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct How {
    /// The process that this thread is of [default: the one with the most socket calls]
    #[arg(long, value_name = "N")]
    pub(crate) pid: Option<u32>,
    /// Say in the table of hosts whose addresses they stand for
    #[arg(long)]
    pub(crate) keep_addresses: bool,
}
