//! The calls that tell of interfaces.

use harness::case::Op;
use harness::case::op::Index;
use harness::case::payload::quoted;

use super::parts::Part;
use super::program::{self, Program};

/// Writes the statements of one of them.
pub(super) fn call(p: &mut Program<'_>, number: u32, op: &Op) {
    p.include(&["net/if.h", "stddef.h"]);
    match op {
        Op::IfNametoindex { name } => {
            let name = p.link(name);
            p.need(Part::AnyIndex);
            returned(p, number, op, &format!("if_nametoindex({name})"));
        }
        Op::IfIndextoname { index } => {
            for part in [Part::LinkCalled, Part::Value] {
                p.need(part);
            }
            let index = match index {
                Index::Of(link) => p.index(link),
                Index::Is(number) => number.to_string(),
            };
            let (var, link) = (format!("name{number}"), format!("link{number}"));
            p.line(format_args!("char {var}[IF_NAMESIZE] = \"\";"));
            returned(p, number, op, &format!("if_indextoname({index}, {var}) != NULL"));
            p.line(format_args!("const char *{link} = link_called({var});"));
            p.line(format_args!("if (ret != 0)"));
            p.line(format_args!("    value(\"%s\", {link} != NULL ? {link} : {var});"));
        }
        Op::Getifaddrs {} => {
            p.include(&["ifaddrs.h"]);
            p.need(Part::Interfaces);
            let list = format!("list{number}");
            p.line(format_args!("struct ifaddrs *{list} = NULL;"));
            p.call(number, op, &format!("getifaddrs(&{list})"));
            p.line(format_args!("interfaces({list});"));
            p.line(format_args!("if (ret != -1)"));
            p.line(format_args!("    freeifaddrs({list});"));
        }
        _ => {}
    }
}

/// Makes a call that returns 0 where it fails, and reports it.
fn returned(p: &mut Program<'_>, number: u32, op: &Op, expression: &str) {
    p.has_ret = true;
    p.include(&["sys/types.h"]);
    p.need(Part::IndexResult);
    p.line(format_args!("ret = {expression};"));
    let call = quoted(program::shown(op).as_bytes());
    p.line(format_args!("index_result({number}, {call}, ret);"));
}

/// The rows of the table of the lab's links: what the interface is called, and the link.
pub(super) fn ours(p: &Program<'_>) -> String {
    let links = p.case.lab.links.iter().map(|link| link.name.as_str());
    let row = |link| format!("        {{{}, {}}},", p.link(link), quoted(str::as_bytes(link)));
    std::iter::once("lo").chain(links).map(row).collect::<Vec<_>>().join("\n")
}
