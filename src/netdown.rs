//! `sockeye netdown`: does this kernel say that it sent what an interface that is down cannot send?

use std::net::IpAddr;

use anyhow::{Context as _, Result};
use harness::case::addr::{Addr, Scope};
use harness::case::{Case, Lab, Op, Os};
use harness::darwin::down::choose;
use harness::outcome;
use harness::subject;
use harness::trace::{End, Fingerprint};
use nix::ifaddrs::getifaddrs;
use nix::net::if_::if_nametoindex;
use suites::claim::{Answer as Value, Expect, Seems};
use suites::tables;

use crate::cli::{Netdown, Run};
use crate::results::Answer;
use crate::{Status, run};

/// The forum's program.
const PROGRAM: &str = "link-state/netdown";
/// The same with a receiver, which hears what came by another way.
const HEARD: &str = "link-state/udp-sendto[tap,down,own]";
/// The same three times: behind a content filter the second send tells of the first.
const AGAIN: &str = "link-state/udp-sendto-again[tap,down,own]";
/// The control: the link up.
const UP: &str = "link-state/udp-sendto[tap,up,own]";

/// What was found, and why it can or cannot be told.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// The send failed, or what it sent came to somebody.
    NoBug,
    /// It reported success, no error followed, and nothing came to anybody.
    Bug,
    /// As one sentence.
    Untold(String),
}

/// Asks, and says it in some ten lines.
pub(crate) fn netdown(args: &Netdown) -> Result<Status> {
    let os = run::host()?;
    let kernel = subject::fingerprint(&run::native()?)?;
    anstream::println!(
        "{} {}, effective user {}; content filter: {}",
        kernel.system,
        kernel.release,
        kernel.euid,
        content_filter(os, &kernel)
    );
    let all: Vec<Case> = tables().into_iter().flat_map(|table| table.cases).collect();
    let case = |id: &str| {
        all.iter().find(|case| case.id == id).cloned().with_context(|| format!("no case {id}"))
    };
    let (down, up) = ([case(PROGRAM)?, case(HEARD)?, case(AGAIN)?], [case(UP)?]);
    let fault = Run { plant: args.plant.clone(), ..Run::default() };
    let mut answers = ask(&down, &fault, &kernel)?;
    answers.extend(ask(&up, &Run::default(), &kernel)?);
    // Where links cannot be made the control is missing, whatever of the rest may run.
    let skipped = |answer: &Answer<'_>| match &answer.trace.end {
        End::Skipped { reason } => Some(reason.clone()),
        _ => None,
    };
    if let Some(reason) = answers.iter().rev().find_map(skipped) {
        return without_a_lab(os, &kernel, &reason);
    }
    say("the forum's program, over a link that was set down", &answers[0], os);
    say("three times on one socket", &answers[2], os);
    say("the control: the link up", &answers[3], os);
    let found = found(&answers[1], &answers[3]);
    if found == Found::Bug && tells_later(&answers[2]) {
        anstream::println!(
            "the second send says what the first did not, as behind a content filter"
        );
    }
    Ok(conclude(&found, &format!("sockeye bundle {PROGRAM} '{HEARD}' '{UP}' -o netdown.zip")))
}

fn ask<'c>(cases: &'c [Case], how: &Run, kernel: &Fingerprint) -> Result<Vec<Answer<'c>>> {
    let cases: Vec<&Case> = cases.iter().collect();
    run::answers(&cases, how, kernel, &|_, _, _| ())
}

/// The sends of a case, what was heard of them, and each error that followed.
fn say(what: &str, answer: &Answer<'_>, os: Os) {
    anstream::println!("{what}:");
    let outcome = outcome::render(answer.case, &answer.trace, os);
    let told = |line: &&str| {
        let error = line.starts_with("getsockopt(") && !line.ends_with("= 0, 0");
        error || ["sendto(", "recvfrom("].iter().any(|what| line.starts_with(what))
    };
    for line in outcome.lines().filter(told) {
        anstream::println!("  {line}");
    }
}

/// By a case that has a receiver, and the same over a link that is up.
fn found(down: &Answer<'_>, up: &Answer<'_>) -> Found {
    let call = |name: &str, returns: &str| Expect {
        call: Some(name.to_owned()),
        returns: Some(Value::Word(returns.to_owned())),
        ..Expect::default()
    };
    let (sent, heard) = (call("sendto", "success"), call("recvfrom", "success"));
    let no_error = Expect {
        call: Some("getsockopt".to_owned()),
        value: Some(Value::Number(0)),
        ..Expect::default()
    };
    let no_packet = Expect { packets: Some(0), ..Expect::default() };
    let is_so = |expect: &Expect, answer: &Answer<'_>| {
        expect.seems(answer.case, &answer.trace) == Seems::So
    };
    for control in [&sent, &heard] {
        match control.seems(up.case, &up.trace) {
            Seems::So => {}
            Seems::Not(why) | Seems::Untold(why) => {
                return Found::Untold(format!("the control failed: over a link that is up, {why}"));
            }
        }
    }
    match sent.seems(down.case, &down.trace) {
        Seems::Untold(why) => Found::Untold(why),
        Seems::Not(_) => Found::NoBug,
        Seems::So if is_so(&heard, down) || !is_so(&no_error, down) || !is_so(&no_packet, down) => {
            Found::NoBug
        }
        Seems::So => Found::Bug,
    }
}

/// Whether the second send on a socket fails where the first did not.
fn tells_later(again: &Answer<'_>) -> bool {
    let failed = Expect {
        call: Some("sendto".to_owned()),
        nth: Some(2),
        returns: Some(Value::Word("failure".to_owned())),
        ..Expect::default()
    };
    failed.seems(again.case, &again.trace) == Seems::So
}

fn conclude(found: &Found, evidence: &str) -> Status {
    let status = match found {
        Found::NoBug => {
            anstream::println!("no: this kernel has not got the bug");
            Status::Expected
        }
        Found::Bug => {
            anstream::println!(
                "yes: this kernel has the bug: sendto reports success, no error follows, nothing is sent"
            );
            Status::Unexpected
        }
        Found::Untold(why) => {
            anstream::println!("it cannot be told: {why}");
            return Status::Harness;
        }
    };
    anstream::println!("evidence: {evidence}");
    status
}

/// Without a lab an interface of the host's own has to do, where cases run in the host's network:
/// what it sends cannot be seen then, but what the call says can.
fn without_a_lab(os: Os, kernel: &Fingerprint, reason: &str) -> Result<Status> {
    let untold = |why: &str| Ok(conclude(&Found::Untold(format!("{reason}; {why}")), ""));
    if os == Os::Linux {
        return untold("`sockeye doctor` says what mends it");
    }
    let (Some((name, down)), Some((_, up))) = (interface(false)?, interface(true)?) else {
        return untold("and no interface that is down has a link-local address: run it as root");
    };
    let cases = [on_the_host(&down), on_the_host(&up)];
    let answers = ask(&cases, &Run::default(), kernel)?;
    say(&format!("the forum's program, to {name}, which is down"), &answers[0], os);
    say("the control: an interface that is up", &answers[1], os);
    let sent = Expect {
        call: Some("sendto".to_owned()),
        returns: Some(Value::Word("success".to_owned())),
        ..Expect::default()
    };
    let [down, up] = [0, 1].map(|n: usize| sent.seems(answers[n].case, &answers[n].trace));
    let found = match (down, up) {
        (Seems::Untold(why), _) => Found::Untold(why),
        (Seems::So, Seems::So) => Found::Bug,
        (Seems::Not(_), Seems::So) => Found::NoBug,
        (_, Seems::Not(why) | Seems::Untold(why)) => {
            Found::Untold(format!("the control failed: over a link that is up, {why}"))
        }
    };
    Ok(conclude(&found, &format!("sudo sockeye bundle {PROGRAM} -o netdown.zip")))
}

/// The forum's program to an address of the host's own.
fn on_the_host(to: &Addr) -> Case {
    let mut case = Case {
        id: PROGRAM.to_owned(),
        title: String::new(),
        catalogue: Vec::new(),
        lab: Lab::loopback(),
        ops: Vec::new(),
        window_ms: 0,
    };
    let netdown = tables().into_iter().flat_map(|table| table.cases).find(|c| c.id == PROGRAM);
    case.ops = netdown.map(|netdown| netdown.ops).unwrap_or_default();
    for op in &mut case.ops {
        if let Op::Sendto { addr, .. } = op {
            *addr = to.clone();
        }
    }
    case
}

/// An interface of the host's that is up or down and has a link-local address, and that.
fn interface(up: bool) -> Result<Option<(String, Addr)>> {
    let all: Vec<_> = getifaddrs()?.collect();
    let entries = all.iter().map(|found| {
        let address = found.address.as_ref().and_then(|address| address.as_sockaddr_in6());
        let flags = u32::try_from(found.flags.bits()).unwrap_or(0);
        let addresses = address.map(|address| IpAddr::V6(address.ip())).into_iter().collect();
        (found.interface_name.as_str(), flags, addresses)
    });
    let Some((name, addresses)) = choose(entries, up) else { return Ok(None) };
    let Some(ip) = addresses.first() else { return Ok(None) };
    let to = Addr::ip(*ip, 12345).scoped(Scope::Id(if_nametoindex(name.as_str())?));
    Ok(Some((name, to)))
}

/// Whether one sees what sockets send.
fn content_filter(os: Os, kernel: &Fingerprint) -> String {
    if os != Os::Macos {
        return format!("{os:?} has none");
    }
    match kernel.product.as_ref().and_then(|product| product.content_filter) {
        Some(true) => "attached (net.cfil.active_count)",
        Some(false) => "none",
        None => "not known",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_lab_the_same_calls_go_to_an_address_of_the_host() {
        let to = Addr::ip([0xfe80, 0, 0, 0, 0, 0, 0, 7], 12345).scoped(Scope::Id(16));
        let case = on_the_host(&to);
        let calls: Vec<&str> = case.ops.iter().map(Op::call).collect();
        assert_eq!(calls, ["socket", "sendto", "close"]);
        assert_eq!(case.ops[1].addr(), Some(&to));
        assert_eq!(case.check(), Ok(()));
    }
}
