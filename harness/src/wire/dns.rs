//! DNS messages (RFC 1035 §4): decoded as far as a line says them, and answered.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::bytes::{be16, v4, v6};
use crate::case::names::{Answer, DNS_PORT, Flaw, NameServer, RecordData, RecordType};

/// A message as far as it is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// The ID, by which a response belongs to a query.
    pub id: u16,
    /// QR: whether it is a response.
    pub response: bool,
    /// TC: whether it was truncated.
    pub truncated: bool,
    /// RCODE, the low four bits.
    pub rcode: u8,
    /// The first question: the name in text, and the type's number.
    pub question: Option<(String, u16)>,
    /// Further questions, as mDNS has them.
    pub others: Vec<(String, u16)>,
    /// The answer section, as far as it is there.
    pub answers: Vec<Record>,
    /// The authority section.
    pub authority: Vec<Record>,
    /// The additional section.
    pub additional: Vec<Record>,
    /// Whether it ends in the middle of what it says that it has.
    pub cut: bool,
}

/// A record of the answer section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub owner: String,
    /// The type's number.
    pub kind: u16,
    /// What it says.
    pub data: Data,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// A or AAAA.
    Ip(IpAddr),
    /// CNAME, PTR or NS.
    Name(String),
    /// SRV (RFC 2782): priority, weight, port, target.
    Srv([u16; 3], String),
    /// SVCB or HTTPS (RFC 9460 §2.2): priority, target, and each parameter in words.
    Svcb(u16, String, Vec<String>),
    /// OPT (RFC 6891 §6.1.2): the payload's size, the extended code, version, DO, the options' codes.
    Opt {
        /// How long a UDP payload the sender takes, in bytes.
        size: u16,
        /// The upper eight bits of the response code.
        rcode: u8,
        /// The version of EDNS.
        version: u8,
        /// DO: DNSSEC records are wanted.
        wants_dnssec: bool,
        /// The codes of the options.
        options: Vec<u16>,
    },
    /// Anything else, and its length in bytes.
    Other(usize),
}

/// How long a header is, in bytes.
pub const HEADER: usize = 12;
const QR: u8 = 0x80;
const TC: u8 = 0x02;
/// RD of a query, which its response repeats, and RA.
const RD: u8 = 0x01;
const RA: u8 = 0x80;
const IN: u16 = 1;
/// Types of records (the registry "Domain Name System Parameters" of IANA).
const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const PTR: u16 = 12;
const AAAA: u16 = 28;
const SRV: u16 = 33;
const OPT: u16 = 41;
const SVCB: u16 = 64;
const HTTPS: u16 = 65;
/// Of every record, in seconds.
const TTL: u32 = 60;
/// How far compressed names are followed; a longer chain is a loop.
const MOST_JUMPS: usize = 16;

/// Decodes a message; none where there is not even a header.
pub fn dns(bytes: &[u8]) -> Option<Dns> {
    let (questions, records) = (be16(bytes, 4)?, be16(bytes, 6)?);
    let (authority, additional) = (be16(bytes, 8)?, be16(bytes, 10)?);
    bytes.get(..HEADER)?;
    let mut dns = Dns {
        id: be16(bytes, 0)?,
        response: bytes[2] & QR != 0,
        truncated: bytes[2] & TC != 0,
        rcode: bytes[3] & 0x0f,
        question: None,
        others: Vec::new(),
        answers: Vec::new(),
        authority: Vec::new(),
        additional: Vec::new(),
        cut: true,
    };
    let mut at = HEADER;
    for _ in 0..questions {
        let Some((name, end)) = name(bytes, at) else { return Some(dns) };
        let (Some(kind), Some(_)) = (be16(bytes, end), be16(bytes, end + 2)) else {
            return Some(dns);
        };
        match dns.question {
            None => dns.question = Some((name, kind)),
            Some(_) => dns.others.push((name, kind)),
        }
        at = end + 4;
    }
    let whole = [
        (&mut dns.answers, records),
        (&mut dns.authority, authority),
        (&mut dns.additional, additional),
    ]
    .into_iter()
    .all(|(section, count)| {
        (0..count).all(|_| {
            let Some((record, end)) = record(bytes, at) else { return false };
            section.push(record);
            at = end;
            true
        })
    });
    dns.cut = !whole;
    Some(dns)
}

fn record(bytes: &[u8], at: usize) -> Option<(Record, usize)> {
    let (owner, at) = name(bytes, at)?;
    let (kind, len) = (be16(bytes, at)?, usize::from(be16(bytes, at + 8)?));
    let (start, end) = (at + 10, at + 10 + len);
    bytes.get(start..end)?;
    let data = match (kind, len) {
        (A, 4) => Data::Ip(v4(bytes, start)?.into()),
        (AAAA, 16) => Data::Ip(v6(bytes, start)?.into()),
        (CNAME | PTR | NS, _) => Data::Name(name(bytes, start)?.0),
        (SRV, 7..) => {
            let word = |place| be16(bytes, start + place);
            Data::Srv([word(0)?, word(2)?, word(4)?], name(bytes, start + 6)?.0)
        }
        (SVCB | HTTPS, 3..) => {
            let (target, at) = name(bytes, start + 2)?;
            Data::Svcb(be16(bytes, start)?, target, parameters(bytes.get(at..end)?))
        }
        (OPT, _) => Data::Opt {
            size: be16(bytes, at + 2)?,
            rcode: bytes[at + 4],
            version: bytes[at + 5],
            wants_dnssec: bytes[at + 6] & 0x80 != 0,
            options: pairs(&bytes[start..end]).map(|(code, _)| code).collect(),
        },
        _ => Data::Other(len),
    };
    Some((Record { owner, kind, data }, end))
}

/// Codes and their data, each behind its length; one that ends too soon ends them.
fn pairs(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (code, len) = (be16(bytes, 0)?, usize::from(be16(bytes, 2)?));
        let data = bytes.get(4..4 + len)?;
        bytes = &bytes[4 + len..];
        Some((code, data))
    })
}

/// The parameters of a service (RFC 9460 §7, §14.3.2).
fn parameters(bytes: &[u8]) -> Vec<String> {
    let said = pairs(bytes).map(|(key, value)| match key {
        1 => {
            let mut rest = value;
            let mut ids = Vec::new();
            while let Some((len, after)) = rest.split_first() {
                let Some(id) = after.get(..usize::from(*len)) else { break };
                ids.push(id.escape_ascii().to_string());
                rest = &after[id.len()..];
            }
            format!("alpn={}", ids.join(","))
        }
        2 => "no-default-alpn".to_owned(),
        3 => be16(value, 0).map_or_else(|| "port".to_owned(), |port| format!("port={port}")),
        4 => format!("ipv4hint={}", hints(value, |at| v4(value, 4 * at).map(IpAddr::from))),
        5 => format!("ech len {}", value.len()),
        6 => format!("ipv6hint={}", hints(value, |at| v6(value, 16 * at).map(IpAddr::from))),
        key => format!("key{key} len {}", value.len()),
    });
    said.collect()
}

fn hints(value: &[u8], at: impl Fn(usize) -> Option<IpAddr>) -> String {
    let all = (0..value.len()).map_while(at).map(|ip| ip.to_string());
    all.collect::<Vec<_>>().join(",")
}

/// A name in text (RFC 1035 §5.1), without a dot at its end, and where the bytes go on behind it.
/// The root is `.`.
fn name(bytes: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut end = None;
    let mut jumps = 0;
    loop {
        let len = usize::from(*bytes.get(at)?);
        match len {
            0 => break,
            1..64 => {
                if !text.is_empty() {
                    text.push('.');
                }
                for byte in bytes.get(at + 1..at + 1 + len)? {
                    match byte {
                        b'.' | b'\\' => text.extend(['\\', char::from(*byte)]),
                        byte if byte.is_ascii_graphic() => text.push(char::from(*byte)),
                        byte => {
                            let _ = write!(text, "\\{byte:03}");
                        }
                    }
                }
                at += 1 + len;
            }
            // Two bits and the place of the rest (RFC 1035 §4.1.4).
            192.. if jumps < MOST_JUMPS => {
                jumps += 1;
                end.get_or_insert(at + 2);
                at = usize::from(be16(bytes, at)? & 0x3fff);
            }
            _ => return None,
        }
    }
    let name = if text.is_empty() { ".".to_owned() } else { text };
    Some((name, end.unwrap_or(at + 1)))
}

/// A query as a resolver writes it: one question, recursion desired, ID 0.
pub fn query(name: &str, kind: RecordType) -> Vec<u8> {
    let mut query = vec![0, 0, RD, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    push_name(&mut query, name);
    query.extend(kind.number().to_be_bytes());
    query.extend(IN.to_be_bytes());
    query
}

/// What the server answers to a query over UDP, or over TCP (`whole`); nothing to what is no
/// query, and where it is silent.
pub fn answer(server: &NameServer, query: &[u8], whole: bool) -> Option<Vec<u8>> {
    let asked = dns(query)?;
    let (name, kind) = asked.question.filter(|_| !asked.response)?;
    let nothing = Answer::new(&name, Vec::new());
    let answer = server.answer(&name, kind);
    let rcode = match answer {
        Some(answer) => answer.rcode.number(),
        None => crate::case::names::Rcode::NxDomain.number(),
    };
    let answer = answer.unwrap_or(&nothing);
    if answer.flaw == Some(Flaw::Silent) {
        return None;
    }
    let truncated = answer.flaw == Some(Flaw::Truncated) && !whole;
    let id = if answer.flaw == Some(Flaw::OtherId) { asked.id ^ 1 } else { asked.id };
    let qr = if answer.flaw == Some(Flaw::NoResponse) { 0 } else { QR };
    let records = if truncated { &[][..] } else { &answer.records };
    let mut out = id.to_be_bytes().to_vec();
    let tc = if truncated { TC } else { 0 };
    out.extend([qr | query[2] & RD | tc, RA | rcode, 0, 1]);
    out.extend(u16::try_from(records.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend([0; 4]);
    if answer.flaw == Some(Flaw::OtherQuestion) {
        push_name(&mut out, "other.example");
    } else {
        // As it was asked, in its case.
        let (_, end) = self::name(query, HEADER)?;
        out.extend(query.get(HEADER..end)?);
    }
    out.extend(kind.to_be_bytes());
    out.extend(IN.to_be_bytes());
    let question_end = out.len();
    for record in records {
        match &record.owner {
            Some(owner) => push_name(&mut out, owner),
            None => out.extend([0xc0, 12]),
        }
        push_data(&mut out, &record.data);
    }
    if answer.flaw == Some(Flaw::Cut) {
        out.truncate(question_end + 5);
    }
    Some(out)
}

fn push_data(out: &mut Vec<u8>, data: &RecordData) {
    out.extend(data.kind().number().to_be_bytes());
    out.extend(IN.to_be_bytes());
    out.extend(TTL.to_be_bytes());
    let mut bytes = Vec::new();
    match data {
        RecordData::A(ip) => bytes.extend(ip.octets()),
        RecordData::Aaaa(ip) => bytes.extend(ip.octets()),
        RecordData::Cname(name) | RecordData::Ptr(name) => push_name(&mut bytes, name),
    }
    out.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(bytes);
}

/// Labels of 63 bytes at the most: [`crate::case::Case::check`] has seen to it.
fn push_name(out: &mut Vec<u8>, name: &str) {
    for label in name.split('.').filter(|label| !label.is_empty()) {
        let label = &label.as_bytes()[..label.len().min(63)];
        out.push(u8::try_from(label.len()).unwrap_or(63));
        out.extend(label);
    }
    out.push(0);
}

/// The message in a datagram or a segment from or to a port of the DNS or its local kin, as a line
/// has it.
pub(super) fn said(
    ports: [u16; 2],
    bytes: &[u8],
    stream: bool,
    id: &dyn Fn(u16) -> String,
) -> Option<String> {
    let on = |port: u16| ports.contains(&port);
    let (what, known) = match () {
        () if on(DNS_PORT) => ("DNS", true),
        () if on(MDNS_PORT) => ("mDNS", false),
        () if on(LLMNR_PORT) => ("LLMNR", false),
        () => return None,
    };
    let bytes = if stream {
        let rest = bytes.get(2..)?;
        // In one piece, or it is not said as one.
        (usize::from(be16(bytes, 0)?) == rest.len()).then_some(rest)?
    } else {
        bytes
    };
    let dns = dns(bytes)?;
    // A case sends anything to these ports: what is no whole message with something in it is data.
    if !known && (dns.cut || dns.question.is_none() && dns.answers.is_empty()) {
        return None;
    }
    // That of mDNS is 0 (RFC 6762 §18.1), and says nothing where it is not.
    let mut text = if what == "mDNS" { what.to_owned() } else { format!("{what} {}", id(dns.id)) };
    text.push_str(if dns.response { " response" } else { " query" });
    let separators = std::iter::once("").chain(std::iter::repeat(","));
    for ((name, kind), separator) in dns.question.iter().chain(&dns.others).zip(separators) {
        let _ = write!(text, "{separator} {} {name}", kind_name(*kind));
    }
    if dns.response {
        let _ = write!(text, ": {}", rcode_name(dns.rcode));
    }
    let owner = dns.question.as_ref().map(|(name, _)| name);
    records(&mut text, "", owner, &dns.answers);
    records(&mut text, "authority ", owner, &dns.authority);
    records(&mut text, "additional ", owner, &dns.additional);
    if dns.truncated {
        text.push_str(", truncated");
    }
    if dns.cut {
        text.push_str(", cut short");
    }
    Some(text)
}

/// RFC 6762 §3.
const MDNS_PORT: u16 = 5353;
/// RFC 4795 §2.
const LLMNR_PORT: u16 = 5355;

fn records(text: &mut String, section: &str, asked: Option<&String>, records: &[Record]) {
    for record in records {
        text.push_str(", ");
        // Which section an OPT is in is not its sender's choice.
        if record.kind != OPT {
            text.push_str(section);
        }
        if Some(&record.owner) != asked && record.kind != OPT {
            let _ = write!(text, "{} ", record.owner);
        }
        let _ = match &record.data {
            Data::Ip(ip) => write!(text, "{} {ip}", kind_name(record.kind)),
            Data::Name(name) => write!(text, "{} {name}", kind_name(record.kind)),
            Data::Srv([priority, weight, port], target) => {
                write!(text, "SRV {priority} {weight} {port} {target}")
            }
            Data::Svcb(priority, target, parameters) => {
                let _ = write!(text, "{} {priority} {target}", kind_name(record.kind));
                parameters.iter().try_for_each(|parameter| write!(text, " {parameter}"))
            }
            Data::Opt { size, rcode, version, wants_dnssec, options } => {
                let _ = write!(text, "EDNS{version} size {size}");
                if *rcode != 0 {
                    let _ = write!(text, " extended rcode {rcode}");
                }
                if *wants_dnssec {
                    text.push_str(" DO");
                }
                options.iter().try_for_each(|code| write!(text, " option {code}"))
            }
            Data::Other(len) => write!(text, "{} len {len}", kind_name(record.kind)),
        };
    }
}

fn kind_name(kind: u16) -> String {
    let name = match kind {
        A => "A",
        NS => "NS",
        CNAME => "CNAME",
        6 => "SOA",
        PTR => "PTR",
        15 => "MX",
        16 => "TXT",
        AAAA => "AAAA",
        SRV => "SRV",
        OPT => "OPT",
        43 => "DS",
        46 => "RRSIG",
        47 => "NSEC",
        48 => "DNSKEY",
        SVCB => "SVCB",
        HTTPS => "HTTPS",
        255 => "ANY",
        kind => return format!("TYPE{kind}"),
    };
    name.to_owned()
}

fn rcode_name(rcode: u8) -> String {
    match rcode {
        0 => "NOERROR".to_owned(),
        1 => "FORMERR".to_owned(),
        2 => "SERVFAIL".to_owned(),
        3 => "NXDOMAIN".to_owned(),
        4 => "NOTIMP".to_owned(),
        5 => "REFUSED".to_owned(),
        rcode => format!("RCODE{rcode}"),
    }
}

/// The addresses that a lookup of `name` was given on the wire: those of the A and AAAA records
/// that `message` has.
pub fn addresses(message: &Dns) -> impl Iterator<Item = IpAddr> {
    message.answers.iter().filter_map(|record| match record.data {
        Data::Ip(ip) => Some(ip),
        _ => None,
    })
}

/// The name under which the addresses of `ip` are asked for (RFC 1035 §3.5, RFC 3596 §2.5).
pub fn reverse(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => reverse4(ip),
        IpAddr::V6(ip) => reverse6(ip),
    }
}

fn reverse4(ip: Ipv4Addr) -> String {
    let [a, b, c, d] = ip.octets();
    format!("{d}.{c}.{b}.{a}.in-addr.arpa")
}

fn reverse6(ip: Ipv6Addr) -> String {
    let nibbles = ip.octets().into_iter().rev().flat_map(|byte| [byte & 0xf, byte >> 4]);
    let mut name = String::new();
    for nibble in nibbles {
        let _ = write!(name, "{nibble:x}.");
    }
    name + "ip6.arpa"
}

#[cfg(test)]
#[path = "dns_tests.rs"]
mod tests;
