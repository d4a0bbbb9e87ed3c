//! `sockeye observe`: any program in a lab, and the frames that it causes, to lay a runtime beside
//! the raw sockets below it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use anyhow::{Result, bail};
use harness::case::addr::{Host, Range, Role};
use harness::case::lab::RouteKind;
use harness::case::{Case, Lab, LabOp, Link, LinkKind, Op};
use harness::outcome;
use harness::subject;
use harness::trace::{End, Event};

use crate::cli::{Layer, Observe, Run};
use crate::results::{self, Writer};
use crate::{Status, out, run};

/// The one link, to which every route leads.
const LINK: &str = "link0";

/// Runs the program, shows what happened, and keeps it for `sockeye diff`.
pub(crate) fn observe(args: &Observe) -> Result<Status> {
    let os = run::host()?;
    let case = case(args);
    let kernel = subject::fingerprint(&run::native()?)?;
    let mut answers = run::answers(&[&case], &Run::default(), &kernel, &|_, _, _| ())?;
    let Some(answer) = answers.first_mut() else { bail!("the executor gave no answer") };
    match &answer.trace.end {
        End::Done => {}
        End::Hung => errln!("sockeye: killed after {} s", args.limit),
        End::Skipped { reason } | End::Broken { reason } => bail!("nothing ran: {reason}"),
        End::Died { how } => bail!("the executor ended: {how}"),
        End::Unsupported => bail!("this system cannot do that"),
    }
    out::text(&outcome::transcript(&case, &answer.trace, os));
    let frames = answer.trace.events.iter().filter(|e| matches!(e, Event::Frame { .. })).count();
    let folder = args.out.clone().unwrap_or_else(|| results::default_folder("observe"));
    let about = results::subject(run::NATIVE, &kernel, 1, None);
    let mut writer = Writer::begin(&folder, results::manifest(about, &[]))?;
    writer.append(results::json(run::NATIVE, answer.case, &answer.trace, &answer.judgement)?);
    writer.end(&answers, Duration::ZERO, os)?;
    out::blank();
    outln!("{frames} frames; kept in {}", folder.display());
    Ok(Status::Expected)
}

fn case(args: &Observe) -> Case {
    let kind = match args.link {
        Layer::Tun => LinkKind::Tun,
        Layer::Tap => LinkKind::Tap,
    };
    let link = Link { mtu: args.mtu, ..Link::new(kind, LINK) };
    let lab = Lab { links: vec![link], setup: Vec::new() };
    let routes = [
        route(kind, Ipv4Addr::UNSPECIFIED.into(), Range::V4),
        route(kind, Ipv6Addr::UNSPECIFIED.into(), Range::V6),
    ];
    let run = Op::Run { argv: args.command.clone(), limit_ms: args.limit.saturating_mul(1000) };
    Case {
        id: "observe".to_owned(),
        title: format!("What {:?} sends", args.command),
        catalogue: Vec::new(),
        lab: lab.with(routes),
        ops: vec![run],
        window_ms: 0,
    }
}

/// Everything else lies behind the link; on a tap, behind a router that answers for itself.
fn route(kind: LinkKind, prefix: IpAddr, range: Range) -> LabOp {
    let router = Host::On { link: LINK.to_owned(), role: Role::Unresolved, range };
    let via = (kind == LinkKind::Tap).then_some(router);
    let (kind, link) = (RouteKind::Unicast, Some(LINK.to_owned()));
    LabOp::RouteAdd { prefix, prefix_len: 0, kind, link, via }
}
