//! What of a frame a reproducer compares, as one short text: what the host chooses anew each time (IDs,
//! sequence numbers, ephemeral ports, checksums, link-layer addresses) is not in it. The program reduces
//! what it sees to the same text (`c/frame.c`); both are fed the same bytes in `tests/repro_frames.rs`.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use harness::case::{Case, LabOp, LinkKind, far};
use harness::trace::{Direction, Event, Trace};

/// Where ports of the kernel's own choice begin (ip(7), `ip_local_port_range`).
const CHOSEN_PORTS: u16 = 32_768;
/// How many bytes of a payload are said.
const HEAD: usize = 32;
/// `EtherType`s.
const ARP: u16 = 0x0806;

/// What of a frame is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Nothing: the host says it unasked, or acknowledges when its clock tells it to.
    Never,
    /// Once: it is sent again until it is answered.
    Once,
    /// Always.
    Always,
}

/// A frame, reduced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What is said of it.
    pub text: String,
    /// What of it is compared.
    pub compared: Compared,
    /// The sequence number of a TCP segment, else 0: by it one that is sent again is known.
    pub seq: u32,
    tells: bool,
}

/// Reduces a packet of this `EtherType` (without its Ethernet header) to what is compared.
/// `tells`: the link's far end sends segments by hand, with options of its own ([`Case::tells_options`]), so that
/// acknowledgements and options are compared, too.
pub fn said(protocol: u16, p: &[u8], tells: bool) -> Said {
    let mut said = Said { text: String::new(), compared: Compared::Always, seq: 0, tells };
    if protocol == ARP && p.len() >= 28 {
        arp(&mut said, p);
        return said;
    }
    match p.first().map(|byte| byte >> 4) {
        Some(4) => ipv4(&mut said, p),
        Some(6) => ipv6(&mut said, p),
        _ => {
            put(&mut said, format_args!("protocol 0x{protocol:04x}"));
            data(&mut said, p);
        }
    }
    said
}

fn put(said: &mut Said, words: std::fmt::Arguments<'_>) {
    let _ = said.text.write_fmt(words);
}

fn be16(p: &[u8], at: usize) -> u16 {
    p.get(at..at + 2).map_or(0, |b| u16::from_be_bytes([b[0], b[1]]))
}

fn v4(p: &[u8], at: usize) -> Ipv4Addr {
    p.get(at..at + 4).map_or(Ipv4Addr::UNSPECIFIED, |b| Ipv4Addr::new(b[0], b[1], b[2], b[3]))
}

fn v6(p: &[u8], at: usize) -> Ipv6Addr {
    let bytes = p.get(at..at + 16).and_then(|b| <[u8; 16]>::try_from(b).ok());
    bytes.map_or(Ipv6Addr::UNSPECIFIED, Ipv6Addr::from)
}

/// As `inet_ntop` writes it: an address that ends with one of IPv4 after zeros, with dots.
fn ntop(ip: Ipv6Addr) -> String {
    let words = ip.segments();
    if words[..6] == [0; 6] && words[6] != 0 {
        let [.., a, b, c, d] = ip.octets();
        return format!("::{a}.{b}.{c}.{d}");
    }
    ip.to_string()
}

/// How many bytes, and the first of them.
fn data(said: &mut Said, p: &[u8]) {
    put(said, format_args!(" len {} \"", p.len()));
    for &b in p.iter().take(HEAD) {
        match b {
            b' '..=b'~' if b != b'"' && b != b'\\' => said.text.push(b as char),
            _ => put(said, format_args!("\\{b:03o}")),
        }
    }
    said.text.push_str(if p.len() > HEAD { "\"..." } else { "\"" });
}

fn ports(said: &mut Said, p: &[u8]) {
    for (at, before) in [(0, " "), (2, " > ")] {
        match be16(p, at) {
            port if port < CHOSEN_PORTS => put(said, format_args!("{before}{port}")),
            _ => put(said, format_args!("{before}eph")),
        }
    }
}

fn arp(said: &mut Said, p: &[u8]) {
    let asks = be16(p, 6) == 1;
    let (sender, target) = (v4(p, 14), v4(p, 24));
    if asks {
        put(said, format_args!("ARP who-has {target} tell {sender}"));
    } else {
        put(said, format_args!("ARP is-at {sender} tell {target}"));
    }
    said.compared = match asks {
        _ if sender == target => Compared::Never,
        true => Compared::Once,
        false => Compared::Always,
    };
}

/// How far a number of a far end's is beyond its first one, which is the same in each program and lab.
fn beyond_first(p: &[u8], at: usize) -> i32 {
    (u32::from(be16(p, at)) << 16 | u32::from(be16(p, at + 2)))
        .wrapping_sub(far::FIRST)
        .cast_signed()
}

/// All but the host's clock.
fn options(said: &mut Said, p: &[u8], acknowledges: bool) {
    let (mut at, mut before) = (0, " [");
    while let Some(&kind) = p.get(at) {
        let size = if kind < 2 { 1 } else { p.get(at + 1).map_or(0, |len| usize::from(*len)) };
        put(said, format_args!("{before}"));
        before = ",";
        if kind == 0 || kind > 1 && size < 2 || at + size > p.len() {
            put(said, format_args!("{}", if kind == 0 { "eol" } else { "malformed" }));
            break;
        }
        match (kind, size) {
            (1, _) => put(said, format_args!("nop")),
            (2, 4) => put(said, format_args!("mss {}", be16(p, at + 2))),
            // How far follows the host's memory, as windows do.
            (3, 3) => put(said, format_args!("wscale")),
            (4, 2) => put(said, format_args!("sackOK")),
            (5, _) if size % 8 == 2 => {
                put(said, format_args!("sack"));
                for edge in (at + 2..at + size).step_by(8) {
                    let (from, to) = (beyond_first(p, edge), beyond_first(p, edge + 4));
                    put(said, format_args!(" {from}:{to}"));
                }
            }
            (8, 10) => {
                put(said, format_args!("TS"));
                if acknowledges {
                    let echo = u32::from(be16(p, at + 6)) << 16 | u32::from(be16(p, at + 8));
                    put(said, format_args!(" ecr {echo}"));
                }
            }
            _ => put(said, format_args!("kind {kind} len {size}")),
        }
        at += size;
    }
    if before == "," {
        put(said, format_args!("]"));
    }
}

fn tcp(said: &mut Said, p: &[u8]) {
    let header = (usize::from(p[12] >> 4) * 4).max(20).min(p.len());
    let flags = p[13];
    put(said, format_args!(" TCP"));
    ports(said, p);
    let letters =
        [(2, 'S'), (1, 'F'), (4, 'R'), (32, 'U'), (64, 'E'), (128, 'W'), (16, '.')].into_iter();
    let letters: String = letters.filter(|(bit, _)| flags & bit != 0).map(|(_, c)| c).collect();
    put(said, format_args!(" [{letters}]"));
    said.seq = u32::from(be16(p, 4)) << 16 | u32::from(be16(p, 6));
    if said.tells {
        if flags & 16 != 0 {
            put(said, format_args!(" ack {}", beyond_first(p, 8)));
        }
        options(said, &p[20..header], flags & 16 != 0);
        data(said, &p[header..]);
        // What only acknowledges may be a challenge (RFC 5961), which reads as the one before.
        let is_bare = flags.trailing_zeros() >= 3 && header == p.len();
        said.compared = if is_bare { Compared::Always } else { Compared::Once };
        return;
    }
    let mut at = 20;
    while flags & 2 != 0 && at + 4 <= header && p[at] != 0 {
        if p[at] == 2 {
            put(said, format_args!(" mss {}", be16(p, at + 2)));
        }
        at += if p[at] == 1 || p[at + 1] < 2 { 1 } else { usize::from(p[at + 1]) };
    }
    data(said, &p[header..]);
    if flags.trailing_zeros() >= 3 && header == p.len() {
        said.compared = Compared::Never;
    } else {
        said.compared = Compared::Once;
    }
}

/// An error's quote has a flow label, an ID and a checksum: only its length is said.
fn echo_or_len(said: &mut Said, echo: bool, p: &[u8]) {
    if echo {
        data(said, &p[8..]);
    } else {
        put(said, format_args!(" len {}", p.len() - 8));
    }
}

fn icmp6(said: &mut Said, p: &[u8], src: Ipv6Addr, dst: Ipv6Addr) {
    const ALL: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    put(said, format_args!(" ICMPv6 type {} code {}", p[0], p[1]));
    said.compared = match p[0] {
        135 | 136 if p.len() >= 24 => {
            put(said, format_args!(" target {}", ntop(v6(p, 8))));
            match p[0] {
                135 if src.is_unspecified() => Compared::Never,
                135 => Compared::Once,
                _ if p[4] & 0x40 == 0 && dst == ALL => Compared::Never,
                _ => Compared::Always,
            }
        }
        kind => {
            echo_or_len(said, matches!(kind, 128 | 129), p);
            let unasked = matches!(kind, 131 | 132 | 133 | 143);
            if unasked { Compared::Never } else { Compared::Always }
        }
    };
}

fn body(said: &mut Said, protocol: u8, p: &[u8], (src, dst): (Ipv6Addr, Ipv6Addr)) {
    match protocol {
        6 if p.len() >= 20 => tcp(said, p),
        58 if p.len() >= 8 => icmp6(said, p, src, dst),
        17 if p.len() >= 8 => {
            put(said, format_args!(" UDP"));
            ports(said, p);
            if be16(p, 0) == 53 || be16(p, 2) == 53 {
                put(said, format_args!(" len {}", p.len() - 8));
            } else {
                data(said, &p[8..]);
            }
        }
        1 if p.len() >= 8 => {
            put(said, format_args!(" ICMP type {} code {}", p[0], p[1]));
            echo_or_len(said, matches!(p[0], 0 | 8), p);
        }
        _ => {
            put(said, format_args!(" protocol {protocol}"));
            data(said, p);
            if protocol == 2 && p.len() >= 8 && matches!(p[0], 0x12 | 0x16 | 0x17 | 0x22) {
                said.compared = Compared::Never;
            }
        }
    }
}

fn ipv4(said: &mut Said, p: &[u8]) {
    let header = p.first().map_or(0, |byte| usize::from(byte & 15) * 4);
    if p.len() < 20 || header < 20 || header > p.len() {
        put(said, format_args!("IPv4 malformed"));
        return;
    }
    let total = usize::from(be16(p, 2));
    let end = if total < header || total > p.len() { p.len() } else { total };
    let offset = (be16(p, 6) & 0x1fff) * 8;
    let (df, mf) = (p[6] & 0x40 != 0, p[6] & 0x20 != 0);
    put(said, format_args!("IPv4 {} > {} ttl {}", v4(p, 12), v4(p, 16), p[8]));
    put(said, format_args!("{}{}", if df { " DF" } else { "" }, if mf { " MF" } else { "" }));
    if mf || offset != 0 {
        put(said, format_args!(" frag {offset}+{}", end - header));
    }
    if p[1] != 0 {
        put(said, format_args!(" tos 0x{:02x}", p[1]));
    }
    if header > 20 {
        put(said, format_args!(" options {}", header - 20));
    }
    if offset == 0 {
        let nobody = Ipv6Addr::LOCALHOST;
        body(said, p[9], &p[header..end], (nobody, nobody));
    } else {
        data(said, &p[header..end]);
    }
}

fn ipv6(said: &mut Said, p: &[u8]) {
    if p.len() < 40 {
        put(said, format_args!("IPv6 malformed"));
        return;
    }
    let end = 40 + usize::from(be16(p, 4));
    let end = if end == 40 || end > p.len() { p.len() } else { end };
    let (src, dst) = (v6(p, 8), v6(p, 24));
    put(said, format_args!("IPv6 {} > {} hlim {}", ntop(src), ntop(dst), p[7]));
    let class = be16(p, 0) >> 4 & 0xff;
    if class != 0 {
        put(said, format_args!(" tclass 0x{class:02x}"));
    }
    let (mut at, mut next, mut offset) = (40, p[6], 0);
    while at + 8 <= end && matches!(next, 0 | 43 | 44 | 60) && offset == 0 {
        let mut size = 8;
        if next == 44 {
            offset = be16(p, at + 2) & 0xfff8;
            let more = if p[at + 3] & 1 == 1 { " MF" } else { "" };
            put(said, format_args!(" frag {offset}+{}{more}", end - at - 8));
        } else {
            size = (usize::from(p[at + 1]) + 1) * 8;
            put(said, format_args!(" header {next}"));
        }
        next = p[at];
        at = (at + size).min(end);
    }
    if offset == 0 {
        body(said, next, &p[at..end], (src, dst));
    } else {
        data(said, &p[at..end]);
    }
}

/// What a frame of a link of this kind carries, and its `EtherType`.
fn packet(kind: Option<LinkKind>, bytes: &[u8]) -> (u16, &[u8]) {
    if kind == Some(LinkKind::Tun) {
        let protocol = match bytes.first().map(|byte| byte >> 4) {
            Some(6) => 0x86dd,
            _ => 0x0800,
        };
        return (protocol, bytes);
    }
    (be16(bytes, 12), bytes.get(14..).unwrap_or_default())
}

/// The links that have a server.
pub(super) fn served(case: &Case) -> impl Iterator<Item = &str> {
    case.lab.setup.iter().filter_map(|step| match step {
        LabOp::Serve { link, .. } => Some(link.as_str()),
        _ => None,
    })
}

/// The program's server is another TCP than the lab's: how data is cut its windows and acknowledgments
/// decide, and only what begins and ends a connection is compared.
fn of_server(mut text: String, compared: Compared) -> (String, Compared) {
    let flags = text.find(" TCP ").and_then(|at| Some(at + text[at..].find(" [")?));
    let end = flags.and_then(|at| Some((at, at + text[at..].find("] ")?)));
    let Some((at, end)) = end else { return (text, compared) };
    text.truncate(end + 1);
    let tells = text[at..].contains(['S', 'F', 'R']);
    (text, if tells { compared } else { Compared::Never })
}

/// The frames that the host sent, beneath which step, and by which link: what a reproducer has to see.
pub fn observed(case: &Case, trace: &Trace) -> Vec<(u32, String)> {
    let mut before = HashSet::new();
    let mut out = Vec::new();
    for event in &trace.events {
        let Event::Frame { op, link, dir: Direction::Out, bytes, .. } = event else { continue };
        let known = case.lab.links.iter().find(|of| of.name == *link).map(|of| of.kind);
        let (protocol, bytes) = packet(known, &bytes.0);
        let tells = case.tells_options() && case.by_hand().any(|of| of == link);
        let Said { text, compared, seq, .. } = said(protocol, bytes, tells);
        let is_served = served(case).any(|of| of == link);
        let (text, compared) = if is_served { of_server(text, compared) } else { (text, compared) };
        let text = format!("{link} {text}");
        let again = compared == Compared::Once && !before.insert((text.clone(), seq));
        if compared != Compared::Never && !again {
            out.push((*op, text));
        }
    }
    out
}

/// The frames that a reproducer's output says were sent.
pub(super) fn printed(stdout: &str) -> Vec<(u32, String)> {
    let mut op = 0;
    let mut out = Vec::new();
    for line in stdout.lines() {
        if let Some(text) = line.strip_prefix("    > ") {
            out.push((op, text.to_owned()));
        } else if let Some(number) = line.strip_prefix('#').and_then(|rest| rest.split(' ').next())
        {
            op = number.parse().unwrap_or(op);
        }
    }
    out
}

/// Compares what came with what was observed: how often each under its step, in whatever order.
pub(super) fn same(observed: &[(u32, String)], came: &[(u32, String)]) -> Result<(), String> {
    let mut left: Vec<_> = observed.to_vec();
    for frame in came {
        let Some(at) = left.iter().position(|wanted| wanted == frame) else {
            return Err(format!("#{}: came, and was not observed: > {}", frame.0, frame.1));
        };
        left.swap_remove(at);
    }
    match left.first() {
        None => Ok(()),
        Some((op, text)) => Err(format!("#{op}: observed, and did not come: > {text}")),
    }
}
