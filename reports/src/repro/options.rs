//! `setsockopt` and `getsockopt`.

use std::net::IpAddr;

use harness::case::addr::Host;
use harness::case::intent::concrete;
use harness::case::op::{Opt, Value};
use harness::case::payload::quoted;
use harness::case::{Hex, Op, Os, Sym};

use super::arguments::{fd, v4};
use super::parts::Part;
use super::program::{Missing, Program};
use super::stays;

/// The option as this system says it.
fn option(
    p: &Program<'_>,
    socket: &str,
    option: &Opt,
    value: &Value,
) -> Result<(Sym, Sym, Value), Missing> {
    concrete(p.os, p.case.family(socket), option, value)
        .ok_or_else(|| Missing::Name(format!("{option:?}")))
}

pub(super) fn set(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::Setsockopt { fd: socket, option: o, value } = op else { return Ok(()) };
    let (level, name, value) = option(p, socket, o, value)?;
    let (level, c_name, fd) = (p.name(&level)?, p.name(&name)?, fd(p, op));
    p.include(&["netinet/in.h"]);
    let var = format!("value{number}");
    let (mut at, mut size) = (format!("&{var}"), format!("sizeof {var}"));
    match &value {
        Value::Int(n) => p.line(format_args!("int {var} = {n};")),
        Value::Named(n) => {
            let n = p.name(n)?;
            p.line(format_args!("int {var} = {n};"));
        }
        Value::Link(link) if c_name == "SO_BINDTODEVICE" => {
            at = p.link(link);
            size = format!("sizeof {at}");
        }
        Value::Link(link) if c_name == "IP_MULTICAST_IF" => {
            let index = p.index(link);
            p.line(format_args!("struct ip_mreqn {var} = {{.imr_ifindex = (int){index}}};"));
        }
        Value::Link(link) => {
            let index = p.index(link);
            p.line(format_args!("unsigned {var} = {index};"));
        }
        Value::Host(host) => {
            p.include(&["arpa/inet.h"]);
            let ip = v4(p, Some(host))?;
            p.line(format_args!("struct in_addr {var};"));
            p.line(format_args!("inet_pton(AF_INET, \"{ip}\", &{var});"));
        }
        Value::Linger { on, seconds } => {
            let fields = format!("{{.l_onoff = {on}, .l_linger = {seconds}}}");
            p.line(format_args!("struct linger {var} = {fields};"));
        }
        Value::Timeval { ms } => {
            p.include(&["sys/time.h"]);
            let fields = format!("{{.tv_sec = {}, .tv_usec = {}}}", ms / 1000, ms % 1000 * 1000);
            p.line(format_args!("struct timeval {var} = {fields};"));
        }
        Value::Membership { group, link } => membership(p, &var, *group, link.as_deref()),
        Value::Source { .. } => source(p, &var, &c_name, &value)?,
        Value::Filter { .. } => size = filter(p, &var, &c_name, &value)?,
        Value::Bytes(Hex(bytes)) if bytes.is_empty() => {
            (at, size) = ("\"\"".to_owned(), "0".to_owned());
        }
        Value::Bytes(Hex(bytes)) => {
            at.clone_from(&var);
            p.line(format_args!("static const unsigned char {var}[] = {{"));
            bytes_of(p, bytes);
            p.line(format_args!("}};"));
        }
    }
    p.call(number, op, &format!("setsockopt({fd}, {level}, {c_name}, {at}, {size})"));
    Ok(())
}

/// The elements of an array of bytes, sixteen a line.
pub(super) fn bytes_of(p: &mut Program<'_>, bytes: &[u8]) {
    for row in bytes.chunks(16) {
        let row: Vec<String> = row.iter().map(|b| format!("0x{b:02x},")).collect();
        p.line(format_args!("    {}", row.join(" ")));
    }
}

fn membership(p: &mut Program<'_>, var: &str, group: IpAddr, link: Option<&str>) {
    p.include(&["arpa/inet.h"]);
    let index = link.map_or_else(|| "0".to_owned(), |l| p.index(l));
    if group.is_ipv4() {
        p.line(format_args!("struct ip_mreqn {var} = {{.imr_ifindex = (int){index}}};"));
        p.line(format_args!("inet_pton(AF_INET, \"{group}\", &{var}.imr_multiaddr);"));
    } else {
        p.line(format_args!("struct ipv6_mreq {var} = {{.ipv6mr_interface = {index}}};"));
        p.line(format_args!("inet_pton(AF_INET6, \"{group}\", &{var}.ipv6mr_multiaddr);"));
    }
}

/// A group and one source of it.
fn source(p: &mut Program<'_>, var: &str, name: &str, value: &Value) -> Result<(), Missing> {
    let Value::Source { group, link, source } = value else { return Ok(()) };
    p.include(&["arpa/inet.h"]);
    if name.starts_with("MCAST_") {
        let index = link.as_deref().map_or_else(|| "0".to_owned(), |l| p.index(l));
        p.line(format_args!("struct group_source_req {var} = {{.gsr_interface = {index}}};"));
        storage(p, &format!("{var}.gsr_group"), *group);
        storage(p, &format!("{var}.gsr_source"), *source);
    } else {
        p.line(format_args!("struct ip_mreq_source {var} = {{0}};"));
        p.line(format_args!("inet_pton(AF_INET, \"{group}\", &{var}.imr_multiaddr);"));
        if let Some(link) = link {
            let own = v4(p, Some(&Host::own4(link)))?;
            p.line(format_args!("inet_pton(AF_INET, \"{own}\", &{var}.imr_interface);"));
        }
        p.line(format_args!("inet_pton(AF_INET, \"{source}\", &{var}.imr_sourceaddr);"));
    }
    Ok(())
}

/// A group and its sources; the size of the structure with them.
fn filter(p: &mut Program<'_>, var: &str, name: &str, value: &Value) -> Result<String, Missing> {
    let Value::Filter { group, link, mode, sources } = value else { return Ok(String::new()) };
    p.include(&["arpa/inet.h"]);
    let (mode, count) = (p.name(mode)?, sources.len());
    let generic = name == "MCAST_MSFILTER";
    let (of, begins) = if generic { ("group_filter", "gf") } else { ("ip_msfilter", "imsf") };
    let size = if generic { "GROUP_FILTER_SIZE" } else { "IP_MSFILTER_SIZE" };
    let size = format!("{size}({count})");
    p.line(format_args!("union {{"));
    p.line(format_args!("    struct {of} filter;"));
    p.line(format_args!("    unsigned char room[sizeof(struct {of}) + {size}];"));
    p.line(format_args!("}} {var} = {{.filter = {{.{begins}_fmode = {mode}}}}};"));
    p.line(format_args!("{var}.filter.{begins}_numsrc = {count};"));
    if generic {
        let index = link.as_deref().map_or_else(|| "0".to_owned(), |l| p.index(l));
        p.line(format_args!("{var}.filter.gf_interface = {index};"));
        storage(p, &format!("{var}.filter.gf_group"), *group);
    } else {
        p.line(format_args!("inet_pton(AF_INET, \"{group}\", &{var}.filter.imsf_multiaddr);"));
        if let Some(link) = link {
            let own = v4(p, Some(&Host::own4(link)))?;
            p.line(format_args!("inet_pton(AF_INET, \"{own}\", &{var}.filter.imsf_interface);"));
        }
    }
    for (number, source) in sources.iter().enumerate() {
        let at = format!("{var}.filter.{begins}_slist[{number}]");
        if generic {
            storage(p, &at, *source);
        } else {
            p.line(format_args!("inet_pton(AF_INET, \"{source}\", &{at});"));
        }
    }
    Ok(size)
}

/// Writes an address into a `sockaddr_storage`.
fn storage(p: &mut Program<'_>, at: &str, ip: IpAddr) {
    let (family, sin) = if ip.is_ipv4() { ("AF_INET", "sin") } else { ("AF_INET6", "sin6") };
    let of = sin.replace("sin", "in");
    if p.os == Os::Macos {
        p.line(format_args!("{at}.ss_len = sizeof(struct sockaddr_{of});"));
    }
    p.line(format_args!("{at}.ss_family = {family};"));
    p.line(format_args!(
        "inet_pton({family}, \"{ip}\", &((struct sockaddr_{of} *)&{at})->{sin}_addr);"
    ));
}

pub(super) fn get(p: &mut Program<'_>, number: u32, op: &Op) -> Result<(), Missing> {
    let Op::Getsockopt { fd: socket, option: o, len } = op else { return Ok(()) };
    let (level, name, _) = option(p, socket, o, &Value::Int(0))?;
    let (level, name, fd) = (p.name(&level)?, p.name(&name)?, fd(p, op));
    p.include(&["netinet/in.h"]);
    let (var, size) = (format!("value{number}"), format!("len{number}"));
    let (at, shown) = if *len == 4 {
        p.need(Part::Value);
        p.line(format_args!("int {var} = 0;"));
        if name == "SO_ERROR" {
            p.need(Part::ErrnoName);
            let text = format!("value(\"%s\", {var} ? errno_name({var}) : {});", quoted(b"0"));
            (format!("&{var}"), vec![text])
        } else {
            (format!("&{var}"), vec![format!("value(\"%d\", {var});")])
        }
    } else {
        p.need(Part::OptionValue);
        p.line(format_args!("unsigned char {var}[{}] = {{0}};", (*len).max(1)));
        // Of what is another in each run the program compares what stays.
        let mut shown = vec![format!("option_value({var}, {size});")];
        if name == "TCP_INFO" {
            p.need(Part::TcpInfo);
            shown.insert(0, format!("tcp_info({var}, {size});"));
        } else if stays::of_length(&name) {
            shown.insert(0, format!("value(\"%u bytes\", (unsigned){size});"));
        }
        (var.clone(), shown)
    };
    let room = if *len == 0 { "0".to_owned() } else { format!("sizeof {var}") };
    p.line(format_args!("socklen_t {size} = {room};"));
    p.call(number, op, &format!("getsockopt({fd}, {level}, {name}, {at}, &{size})"));
    // Of an int that was not written there is no value: TCP_SAVED_SYN where nothing was saved.
    let written = if *len == 4 { format!(" && {size} > 0") } else { String::new() };
    let several = shown.len() > 1;
    p.line(format_args!("if (ret != -1{written}){}", if several { " {" } else { "" }));
    for statement in &shown {
        p.line(format_args!("    {statement}"));
    }
    if several {
        p.line(format_args!("}}"));
    }
    Ok(())
}
