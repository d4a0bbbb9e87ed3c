//! The arguments of `observe`, and of `exec`, by which programs and cases run.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The arguments of `observe`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Exit status: 0 if COMMAND ended with 0, whatever it had left running; 1 if it ended with another \
                        status, which is printed, or was killed by --limit; 2 wrong usage; 3 it could not be run, or \
                        no case be written."
)]
pub(crate) struct Observe {
    /// Over which kind of link all routes lead
    #[arg(long, value_enum, default_value = "tun")]
    pub(crate) link: Layer,
    /// The link's MTU, in bytes of IP packet; below 1280 it has no IPv6
    #[arg(long, default_value_t = 1500, value_parser = clap::value_parser!(u32).range(68..=65535))]
    pub(crate) mtu: u32,
    /// What the far end serves, at every address and under every name: http, tls, quic, ws (and :PORT,
    /// =SCRIPT, as `sockeye control` has them), tcp:PORT (and =TEXT or =@FILE of a MiB at the most, sent at
    /// once), udp:PORT (echo), dns (names alone); may be repeated, a port being one server's. A certificate is for the hosts of the command's URLs;
    /// {ca} and `$SOCKEYE_CA` are its CA. Otherwise nobody answers
    #[arg(long, value_name = "WHAT")]
    pub(crate) serve: Vec<String>,
    /// After how many seconds the program and all that it started are killed
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) limit: u32,
    /// Where results and frames go [default: target/sockeye/observe in the workspace, else
    /// sockeye-out/observe]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write its socket calls, and what they returned, as a case: FILE.case, which is not there yet (Linux)
    #[arg(long = "case", value_name = "FILE")]
    pub(crate) case_file: Option<PathBuf>,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// The layer of a link.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Layer {
    /// IP packets, no address resolution
    Tun,
    /// Ethernet frames; a router answers address resolution
    Tap,
}

/// The arguments of `exec`.
#[derive(Args, Debug)]
pub(crate) struct Exec {
    /// Many executors behind one stream, as inside a machine
    #[arg(long, hide = true)]
    pub(crate) hub: bool,
    /// Say how much was read, as over a terminal
    #[arg(long, hide = true, requires = "hub")]
    pub(crate) count: bool,
    /// End all that has this mark when standard input ends
    #[arg(long, value_name = "MARK", hide = true, conflicts_with = "hub")]
    pub(crate) guard: Option<String>,
    /// Plant a fault, to see a rule fire
    #[arg(long, value_name = "FAULT", hide = true)]
    pub(crate) plant: Option<String>,
    /// Which inherited descriptor is the standard output of programs that are run
    #[arg(long, value_name = "FD", hide = true)]
    pub(crate) output: Option<i32>,
    /// Into which inherited descriptor the calls of programs that are run are written
    #[arg(long, value_name = "FD", hide = true)]
    pub(crate) calls: Option<i32>,
    /// Run a program and write its calls into this inherited descriptor
    #[arg(long, value_name = "FD", hide = true, requires = "command")]
    pub(crate) record: Option<i32>,
    /// That program and its arguments
    #[arg(last = true, hide = true, requires = "record", value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}
