//! The calls that are about the process. Whatever is set goes with the program.

use std::collections::BTreeSet;

use harness::case::Op;
use harness::case::process::{Capability, Disposition, ProcessCall};

use super::parts::Part;
use super::program::{Missing, Program};
use super::threads;

/// Sees that the program may act for whom the case acts for, before the case begins.
pub(super) fn needs_users(p: &mut Program<'_>) {
    let mut seen = BTreeSet::new();
    for (_, call) in p.case.of_the_process() {
        let ProcessCall::Seteuid { uid } = call else { continue };
        if seen.insert(*uid) {
            p.need(Part::NeedUser);
            p.line(format_args!("need_user({uid});"));
        }
    }
}

/// Writes the statements of one of them.
pub(super) fn call(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::Process { call } = op else { return Ok(()) };
    match call {
        ProcessCall::Sigaction { signal, how } => {
            p.include(&["signal.h", "stddef.h"]);
            let handler = if *how == Disposition::Ignored {
                "SIG_IGN"
            } else {
                p.need(Part::Handler);
                "do_nothing"
            };
            let flags = if *how == Disposition::Restarts { ", .sa_flags = SA_RESTART" } else { "" };
            let var = format!("action{number}");
            p.line(format_args!("struct sigaction {var} = {{.sa_handler = {handler}{flags}}};"));
            p.call(number, op, &format!("sigaction({signal}, &{var}, NULL)"));
        }
        ProcessCall::PthreadKill { thread, signal } => {
            let Some(step) = threads::last(p.case, thread, number) else {
                return Err(Missing::Step(format!("no thread {thread} has begun")));
            };
            p.need(Part::SendSignal);
            p.include(&["signal.h"]);
            p.call(number, op, &format!("send_signal({step}, {signal})"));
        }
        ProcessCall::Setrlimit { resource, soft } => {
            p.include(&["sys/resource.h"]);
            let var = format!("limit{number}");
            p.line(format_args!("struct rlimit {var} = {{0}};"));
            p.line(format_args!("getrlimit({resource}, &{var});"));
            p.line(format_args!("{var}.rlim_cur = {soft};"));
            p.call(number, op, &format!("setrlimit({resource}, &{var})"));
        }
        ProcessCall::Capset { without } => {
            p.need(Part::ActWithout);
            let bit = |one: &Capability| format!("1u << {one}");
            let bits: Vec<String> = without.iter().map(bit).collect();
            let bits = if bits.is_empty() { "0".to_owned() } else { bits.join(" | ") };
            p.call(number, op, &format!("act_without({bits})"));
        }
        ProcessCall::Seteuid { uid } => {
            p.include(&["sys/types.h", "unistd.h"]);
            p.call(number, op, &format!("seteuid({uid})"));
        }
    }
    Ok(())
}
