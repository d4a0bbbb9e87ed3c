//! `sockeye observe`: any program in a lab, and the frames that it causes, to lay a runtime beside
//! the raw sockets below it.

mod serve;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use harness::case::addr::{Host, Range, Role};
use harness::case::lab::RouteKind;
use harness::case::{Case, Lab, LabOp, Link, LinkKind, Op, Os};
use harness::outcome;
use harness::subject;
use harness::trace::{Did, End, Event, Fingerprint, Ran, Trace};
use notation::import::Wanted;
use reports::bundle::Scrub;
use suites::baseline::Baselines;
use suites::verdict::{Judgement, judge};

use crate::cli::{Layer, Observe};
use crate::results::{self, Answer, Out, Writer};
use crate::run::{self, Under};
use crate::{Status, UsageError, import, out};

/// The one link, to which every route leads.
const LINK: &str = "link0";

/// RFC 8200 §5: over links with less there is no IPv6.
const LEAST_MTU_OF_IPV6: u32 = 1280;

/// Runs the program, shows what happened, and keeps it for `sockeye diff`.
///
/// The program's output goes where it would go without sockeye; the transcript follows it.
pub(crate) fn observe(args: &Observe) -> Result<Status> {
    let os = run::host()?;
    let case = case(args)?;
    let calls = calls(args)?;
    let kernel = subject::fingerprint(&run::native()?)?;
    let mut scrub = Scrub::of(&harness::exec::environment());
    let about = results::subject(run::NATIVE, &scrub.kernel(&kernel), 1, None);
    // Before anything runs: a folder that cannot be had loses nothing then.
    let out = Out::of(args.out.as_deref(), "observe");
    let writer = Writer::begin_in(&out, results::manifest(about, &[]))?;
    let folder = writer.folder().to_owned();
    announce(args, &folder.display().to_string());
    let (trace, judgement) = match traced(&case, &kernel, calls.as_ref())
        .and_then(|traced| nothing_ran(calls.as_ref()).map_or(Ok(traced), Err))
        .and_then(|traced| ran(args, traced))
    {
        Ok(traced) => traced,
        Err(e) => {
            writer.give_up();
            return Err(e);
        }
    };
    let ran = trace.program.unwrap_or_default();
    let status = status(&trace, &args.command);
    outln!("-- what was sent:");
    out::text(&outcome::transcript(&case, &trace, os));
    let frames = trace.events.iter().filter(|e| matches!(e, Event::Frame { .. })).count();
    keep(args, writer, &mut scrub, &kernel, (trace, judgement))?;
    out::blank();
    outln!("{}; kept in {}", counted(frames, &ran), folder.display());
    if ran.dropped > 0 {
        let why = "never reached the far end, since they came faster than it read";
        outln!("{} of them {why}", ran.dropped);
    }
    if let (Some(path), Some(calls)) = (&args.case_file, calls) {
        imported(path, calls)?;
    }
    Ok(status)
}

/// Whether the program did what it should, by its own word, as for `control`; that it did not is said. Its status
/// itself would be taken for one of sockeye's.
fn status(trace: &Trace, command: &[String]) -> Status {
    let ended = trace.events.iter().rev().find_map(|event| match event {
        Event::Call { did: Did::Returned { ret, errno: None, .. }, .. } => Some(*ret),
        _ => None,
    });
    // What was killed has none, and that it was is said by then.
    let Some(code) = ended.filter(|_| trace.end == End::Done) else { return Status::Unexpected };
    let program = command.first().map_or("", String::as_str);
    let signal = code - 128;
    match code {
        0 => return Status::Expected,
        129..=192 => errln!(
            "sockeye: the command {program:?} ended with status {code}, which is signal {signal} to a shell"
        ),
        _ => errln!("sockeye: the command {program:?} ended with status {code}"),
    }
    Status::Unexpected
}

/// Where the program's calls are written meanwhile, if they are to become a case.
fn calls(args: &Observe) -> Result<Option<File>> {
    let Some(path) = &args.case_file else { return Ok(None) };
    import::may_be_written(path)?;
    if Os::host() != Some(Os::Linux) {
        return Err(UsageError("--case is of Linux: nobody else tells of calls".to_owned()).into());
    }
    Ok(Some(tempfile::tempfile()?))
}

/// The case that they are.
fn imported(path: &Path, mut calls: File) -> Result<()> {
    let mut log = Vec::new();
    calls.seek(SeekFrom::Start(0))?;
    calls.read_to_end(&mut log)?;
    let log = String::from_utf8_lossy(&log);
    let made = notation::import::strace(&log)
        .and_then(|log| notation::import::import(&log, &Wanted::default()));
    match made {
        Ok(imported) => import::write(&imported, Some(path)),
        Err(why) => bail!("{} is not written: {why}", path.display()),
    }
}

/// Why the program was not run, if its calls were to be written and that stands there.
fn nothing_ran(calls: Option<&File>) -> Option<anyhow::Error> {
    let mut begins = [0; 512];
    let read = calls?.read_at(&mut begins, 0).ok()?;
    let begins = String::from_utf8_lossy(&begins[..read]);
    let why = harness::exec::why_nothing_ran(&begins)?;
    Some(anyhow!("nothing ran: {why}"))
}

/// Says how the program ended; an error if it did not run.
fn ran(args: &Observe, (trace, judgement): (Trace, Judgement)) -> Result<(Trace, Judgement)> {
    let ran = trace.program.unwrap_or_default();
    match &trace.end {
        End::Done if ran.ended => {
            let left = "ended what the program had left running, after";
            errln!("sockeye: {left} {} s", args.limit);
        }
        End::Done => {}
        End::Hung => errln!("sockeye: killed after {} s", args.limit),
        End::Skipped { reason } | End::Broken { reason } => bail!("nothing ran: {reason}"),
        End::Died { how } => bail!("the executor ended: {how}"),
        End::Unsupported => bail!("this system cannot do that"),
    }
    Ok((trace, judgement))
}

/// How many frames there are, and how many more there were.
fn counted(frames: usize, ran: &Ran) -> String {
    let what = if frames == 1 { "frame" } else { "frames" };
    format!("{frames} {what}{}", lost(ran))
}

/// What is not among the frames: always said where it is known.
fn lost(ran: &Ran) -> String {
    match ran.lost {
        None => String::new(),
        Some(0) => ", none lost".to_owned(),
        Some(lost) => {
            format!(", and {lost} more lost, since they came faster than they could be kept")
        }
    }
}

/// Says, before anything is written, what that will be.
fn announce(args: &Observe, folder: &str) {
    errln!(
        "sockeye: {folder} will hold the program's arguments, and every frame with its addresses \
         and payload in clear: passwords, cookies, names that are looked up"
    );
    if args.serve.iter().any(|what| what.starts_with("tls") || what.starts_with("quic")) {
        errln!("sockeye: and what it says within TLS, since the far end reads that");
    }
    if args.mtu < LEAST_MTU_OF_IPV6 {
        let mtu = args.mtu;
        errln!(
            "sockeye: {LINK} has IPv4 alone: IPv6 needs an MTU of {LEAST_MTU_OF_IPV6}, not {mtu} \
             (RFC 8200 §5)"
        );
    }
}

/// What the program does on this kernel.
fn traced(case: &Case, kernel: &Fingerprint, calls: Option<&File>) -> Result<(Trace, Judgement)> {
    let mut executor = run::native()?;
    // Inherited, and so what it is: a file with its offset, a pipe, a terminal. Traces have the
    // executor's own output.
    let output: Option<OwnedFd> = nix::unistd::dup(out::protocol()).ok();
    if let Some(fd) = &output {
        executor.args.extend(["--output".into(), fd.as_raw_fd().to_string().into()]);
    }
    let calls = calls.map(nix::unistd::dup).transpose()?;
    if let Some(fd) = &calls {
        executor.args.extend(["--calls".into(), fd.as_raw_fd().to_string().into()]);
    }
    let (os, platforms) = (run::host()?, kernel.platforms());
    let (kernel_of, own) = (kernel.clone(), Arc::default());
    let under = Under { executors: &executor, os, kernel: kernel_of, platforms, jobs: 1, own };
    let answer = run::answers_of(&under, &[case], None, &|_, _, _| ())?.pop();
    match answer {
        Some(answer) => Ok((answer.trace, answer.judgement)),
        None => bail!("the executor gave no answer"),
    }
}

/// Keeps it, what is private in the program's arguments and in what the host says replaced as in a run.
fn keep(
    args: &Observe,
    mut writer: Writer,
    scrub: &mut Scrub,
    kernel: &Fingerprint,
    (trace, judgement): (Trace, Judgement),
) -> Result<()> {
    let os = run::host()?;
    let told = scrub.told(&trace);
    // Those addresses are in the frames.
    scrub.allow(&args.command.join(" "));
    let mut scrubbed = args.clone();
    for word in &mut scrubbed.command {
        *word = scrub.text(word, &BTreeSet::new());
    }
    let case = case(&scrubbed)?;
    let same = told.is_none() && scrubbed.command == args.command;
    let trace = told.unwrap_or(trace);
    let judgement = if same {
        judgement
    } else {
        // Its text has the arguments.
        let platforms = suites::platforms(kernel, &kernel.platforms(), case.suite());
        judge(&case, &trace, os, &platforms, Baselines::embedded())
    };
    writer.append(results::json(run::NATIVE, &case, &trace, &judgement)?);
    writer.end(&[Answer { case: &case, trace, judgement }], Duration::ZERO, os)
}

fn case(args: &Observe) -> Result<Case, UsageError> {
    let kind = match args.link {
        Layer::Tun => LinkKind::Tun,
        Layer::Tap => LinkKind::Tap,
    };
    if kind == LinkKind::Tap && !args.serve.is_empty() {
        return Err(UsageError("--serve needs --link tun: the servers speak IP alone".to_owned()));
    }
    let mut link = Link { mtu: args.mtu, ..Link::new(kind, LINK) };
    if args.mtu < LEAST_MTU_OF_IPV6 {
        link.ranges = vec![Range::V4];
    }
    let mut routes = vec![route(kind, Ipv4Addr::UNSPECIFIED.into(), Range::V4)];
    if link.ranges.contains(&Range::V6) {
        routes.push(route(kind, Ipv6Addr::UNSPECIFIED.into(), Range::V6));
    }
    let served = serve::steps(&args.serve, &link, &args.command)?;
    let lab = Lab { links: vec![link], setup: Vec::new() };
    let run = Op::Run { argv: args.command.clone(), limit_ms: args.limit.saturating_mul(1000) };
    Ok(Case::new(
        "observe",
        format!("What {:?} sends", args.command),
        lab.with(routes).with(served),
        vec![run],
    ))
}

/// Everything else lies behind the link; on a tap, behind a router that answers for itself.
fn route(kind: LinkKind, prefix: IpAddr, range: Range) -> LabOp {
    let router = Host::On { link: LINK.to_owned(), role: Role::Unresolved, range };
    let via = (kind == LinkKind::Tap).then_some(router);
    let (kind, link) = (RouteKind::Unicast, Some(LINK.to_owned()));
    LabOp::RouteAdd { prefix, prefix_len: 0, kind, link, via }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_frame_is_one() {
        let said = |frames, lost| counted(frames, &Ran { lost, ..Ran::default() });
        assert_eq!(said(0, Some(0)), "0 frames, none lost");
        assert_eq!(said(1, Some(0)), "1 frame, none lost");
        assert_eq!(said(2, None), "2 frames");
        assert!(said(1, Some(2)).starts_with("1 frame, and 2 more lost, "));
    }
}
