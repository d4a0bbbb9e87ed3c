//! `ioctl`, each request with what it reads and writes.

use harness::case::Op;
use harness::case::op::{Given, Who};

use super::arguments::fd;
use super::parts::Part;
use super::program::{Missing, Program};

/// Those that write the number of a socket's owner.
pub(super) const OF_AN_OWNER: [&str; 2] = ["FIOGETOWN", "SIOCGPGRP"];

/// The number of a process.
pub(super) fn pid(p: &mut Program<'_>, who: Who) -> String {
    match who {
        Who::Own => {
            p.include(&["unistd.h"]);
            "getpid()".to_owned()
        }
        Who::Is(number) => number.to_string(),
    }
}

/// Writes the statements of one of them.
pub(super) fn call(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::Ioctl { request, link, given, .. } = op else { return Ok(()) };
    p.include(&["sys/ioctl.h"]);
    let (fd, request) = (fd(p, op), p.constant(request)?);
    let (var, written) = (format!("with{number}"), request);
    match written {
        "SIOCGSTAMP" | "SIOCGSTAMPNS" => {
            p.line(format_args!("unsigned long long {var}[4] = {{0}};"));
            p.call(number, op, &format!("ioctl({fd}, {request}, {var})"));
            return Ok(());
        }
        "SIOCGIFCONF" => {
            addresses(p, number, op, &format!("ioctl({fd}, {request}, &conf{number})"));
            return Ok(());
        }
        _ => {}
    }
    let is_of_a_link = link.is_some() || matches!(given, Some(Given::Index(_)));
    if !is_of_a_link {
        let var = format!("value{number}");
        let value = match given {
            Some(Given::Pid(who)) => pid(p, *who),
            _ => "0".to_owned(),
        };
        p.line(format_args!("int {var} = {value};"));
        p.call(number, op, &format!("ioctl({fd}, {request}, &{var})"));
        match given {
            None if OF_AN_OWNER.contains(&request) => owner(p, &var),
            None => told(p, "%d", &var),
            Some(_) => {}
        }
        return Ok(());
    }
    ifreq(p, number, op, written);
    p.call(number, op, &format!("ioctl({fd}, {request}, &{var})"));
    match written {
        "SIOCGIFADDR" => {
            p.need(Part::Address);
            p.line(format_args!("if (ret != -1)"));
            p.line(format_args!("    address(&{var}.ifr_addr, sizeof {var}.ifr_addr);"));
        }
        "SIOCGIFNAME" => {
            p.need(Part::LinkCalled);
            let link = format!("link{number}");
            p.line(format_args!("const char *{link} = link_called({var}.ifr_name);"));
            told(p, "%s", &format!("{link} != NULL ? {link} : {var}.ifr_name"));
        }
        "SIOCETHTOOL" => told(p, "%d", &format!("(int)data{number}[1]")),
        "SIOCSIFMTU" | "SIOCSIFFLAGS" | "SIOCSHWTSTAMP" => {}
        "SIOCGIFMTU" => told(p, "%d", &format!("{var}.ifr_mtu")),
        _ => told(p, "%d", &format!("{var}.ifr_flags")),
    }
    Ok(())
}

/// Tells what it wrote, where it did not fail.
fn told(p: &mut Program<'_>, as_: &str, what: &str) {
    p.need(Part::Value);
    p.line(format_args!("if (ret != -1)"));
    p.line(format_args!("    value(\"{as_}\", {what});"));
}

/// Tells whether a socket's owner is the process itself.
fn owner(p: &mut Program<'_>, var: &str) {
    p.include(&["unistd.h"]);
    p.need(Part::Value);
    p.line(format_args!("if (ret != -1 && {var} == getpid())"));
    p.line(format_args!("    value(\"{}\");", super::output::OWN));
    p.line(format_args!("else if (ret != -1)"));
    p.line(format_args!("    value(\"%d\", {var});"));
}

/// Writes the `struct ifreq`.
fn ifreq(p: &mut Program<'_>, number: u32, op: &Op, request: &str) {
    let Op::Ioctl { link, given, .. } = op else { return };
    p.include(&["net/if.h", "stddef.h"]);
    let var = format!("with{number}");
    if request == "SIOCGIFNAME" {
        let index = match (link, given) {
            (Some(link), _) => p.index(link),
            (None, Some(Given::Index(index))) => format!("{index}u"),
            _ => "0".to_owned(),
        };
        p.line(format_args!("struct ifreq {var} = {{.ifr_ifindex = (int){index}}};"));
        return;
    }
    let name = p.link(link.as_deref().unwrap_or_default());
    if name.starts_with('"') {
        p.line(format_args!("struct ifreq {var} = {{.ifr_name = {name}}};"));
    } else {
        p.include(&["string.h"]);
        p.line(format_args!("struct ifreq {var} = {{.ifr_name = \"\"}};"));
        p.line(format_args!("strncpy({var}.ifr_name, {name}, sizeof {var}.ifr_name - 1);"));
    }
    match given {
        Some(Given::Mtu(mtu)) => p.line(format_args!("{var}.ifr_mtu = {mtu};")),
        Some(Given::Up(true)) => p.line(format_args!("{var}.ifr_flags = IFF_UP;")),
        _ => {}
    }
    if let "SIOCETHTOOL" | "SIOCSHWTSTAMP" = request {
        // ETHTOOL_GLINK of linux/ethtool.h, or a struct hwtstamp_config that asks for nothing.
        let first = if request == "SIOCETHTOOL" { 10 } else { 0 };
        p.line(format_args!("unsigned data{number}[4] = {{{first}}};"));
        p.line(format_args!("{var}.ifr_data = (void *)data{number};"));
    }
}

/// Writes what asks for the addresses of all links, and tells those of the lab's.
fn addresses(p: &mut Program<'_>, number: u32, op: &Op, call: &str) {
    p.include(&["net/if.h"]);
    p.need(Part::IfConf);
    let (list, conf) = (format!("list{number}"), format!("conf{number}"));
    p.line(format_args!("static struct ifreq {list}[64];"));
    p.line(format_args!("struct ifconf {conf} = {{.ifc_len = sizeof {list}, .ifc_req = {list}}};"));
    p.call(number, op, call);
    p.line(format_args!(
        "if_conf({list}, ret == -1 ? 0 : (size_t){conf}.ifc_len / sizeof *{list});"
    ));
}
