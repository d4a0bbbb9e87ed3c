//! What the tests of the program share.

#![allow(dead_code, reason = "each test file is a crate of its own, and none needs all of this")]

pub(crate) mod compile;
pub(crate) mod git;
pub(crate) mod own;
pub(crate) mod repro;
pub(crate) mod turn;
pub(crate) mod undone;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use harness::case::{Case, Os};
use harness::subject::{self, Kernels, Subject, cache_folder};
use harness::trace::Trace;

pub(crate) use turn::turn;

pub(crate) const SOCKEYE: &str = env!("CARGO_BIN_EXE_sockeye");

/// Runs the program, in its turn.
pub(crate) fn sockeye(args: &[&str]) -> Output {
    let _turn = turn();
    Command::new(SOCKEYE).args(args).output().expect("sockeye starts")
}

/// The program's own executor.
pub(crate) fn executor(args: &[&str]) -> Subject {
    Subject { program: SOCKEYE.into(), args: ["exec"].iter().chain(args).map(Into::into).collect() }
}

/// What comes of cases, one after the other in one executor with these arguments, in its turn.
pub(crate) fn traces(args: &[&str], cases: &[Case]) -> Vec<Trace> {
    let cases: Vec<&Case> = cases.iter().collect();
    let _turn = turn();
    subject::run(&executor(args), &cases, 1, &|_, _| ()).expect("it runs")
}

/// A case that is let in.
pub(crate) fn case(json: &str) -> Case {
    let case: Case = serde_json::from_str(json).expect("a case");
    assert_eq!(case.check(), Ok(()));
    case
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Whether this host can make labs; where it cannot, the tests that need one say so.
pub(crate) fn has_labs() -> bool {
    static ABLE: OnceLock<bool> = OnceLock::new();
    let able = *ABLE.get_or_init(|| sockeye(&["doctor"]).status.success());
    if !able {
        eprintln!("skipped: this host has no labs, see `sockeye doctor`");
    }
    able
}

/// Whether this host can compile; where it cannot, the tests that need it say so.
pub(crate) fn has_cc() -> bool {
    static ABLE: OnceLock<bool> = OnceLock::new();
    let says = || Command::new("cc").arg("--version").output();
    let able = *ABLE.get_or_init(|| says().is_ok_and(|output| output.status.success()));
    if !able {
        eprintln!("skipped: this host has no cc");
    }
    able
}

/// What this host lacks of what reproducers need; none where all is there.
pub(crate) fn lacking() -> Option<&'static str> {
    match (is_linux() && has_labs(), has_cc()) {
        (false, _) => Some("labs"),
        (_, false) => Some("cc"),
        _ => None,
    }
}

/// The newest kernel that was fetched and whose name begins so; none where there is none, which is said.
pub(crate) fn fetched(name: &str) -> Option<String> {
    let kernels = Kernels::new(cache_folder());
    let offers = kernels.offers(false).unwrap_or_default();
    let mut newest_first = offers.iter().rev();
    let found =
        newest_first.find(|o| o.name.starts_with(name) && !o.is_other && kernels.is_cached(o));
    let found = found.map(|offer| offer.name.clone());
    if found.is_none() {
        eprintln!("skipped: no {name} was fetched, see `sockeye subjects --fetch`");
    }
    found
}

/// Whether this is Linux; elsewhere the tests of what only Linux does or has say that they are none.
pub(crate) fn is_linux() -> bool {
    let linux = Os::host() == Some(Os::Linux);
    if !linux {
        eprintln!("skipped: this is about Linux");
    }
    linux
}

/// Whether a run has worked. On Linux it finds nothing that has to be looked at; elsewhere nobody has
/// looked yet at where the system deviates.
pub(crate) fn has_run(output: &Output) -> bool {
    let expected = if Os::host() == Some(Os::Linux) { 0..=0 } else { 0..=1 };
    output.status.code().is_some_and(|code| expected.contains(&code))
}

/// The examples of what a far end sends by words, each as text.
pub(crate) fn documented() -> Vec<&'static str> {
    let all = include_str!("../../docs/cases.md");
    let section = all.split("\n## ").find(|part| part.starts_with("What the far end sends"));
    let blocks = section.expect("the section").split("```case\n").skip(1);
    blocks.filter_map(|block| block.split("\n```").next()).collect()
}

/// `bsd/net/bpf.h` of xnu-11417.101.15, as much as a reproducer names.
pub(crate) const BPF_H: &str = r"
#ifndef _NET_BPF_H_
#define _NET_BPF_H_
#include <stdint.h>
#include <sys/types.h>
struct bpf_hdr { uint32_t bh_tstamp[2], bh_caplen, bh_datalen; unsigned short bh_hdrlen; };
struct bpf_stat { unsigned bs_recv, bs_drop; };
#define BPF_WORDALIGN(x) (((x) + (sizeof(int32_t) - 1)) & ~(sizeof(int32_t) - 1))
#define BIOCGBLEN _IOR('B', 102, unsigned)
#define BIOCSBLEN _IOWR('B', 102, unsigned)
#define BIOCPROMISC _IO('B', 105)
#define BIOCSETIF _IOW('B', 108, struct ifreq)
#define BIOCGSTATS _IOR('B', 111, struct bpf_stat)
#define BIOCIMMEDIATE _IOW('B', 112, unsigned)
#define BIOCSHDRCMPLT _IOW('B', 117, unsigned)
#define BIOCSSEESENT _IOW('B', 119, unsigned)
#endif
";
