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
    /// The answer section, as far as it is there.
    pub answers: Vec<Record>,
    /// Whether it ends in the middle of its question or its answers.
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
    /// CNAME or PTR.
    Name(String),
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
/// Of every record, in seconds.
const TTL: u32 = 60;
/// How far compressed names are followed; a longer chain is a loop.
const MOST_JUMPS: usize = 16;

/// Decodes a message; none where there is not even a header.
pub fn dns(bytes: &[u8]) -> Option<Dns> {
    let (questions, records) = (be16(bytes, 4)?, be16(bytes, 6)?);
    bytes.get(..HEADER)?;
    let mut dns = Dns {
        id: be16(bytes, 0)?,
        response: bytes[2] & QR != 0,
        truncated: bytes[2] & TC != 0,
        rcode: bytes[3] & 0x0f,
        question: None,
        answers: Vec::new(),
        cut: true,
    };
    let mut at = HEADER;
    for _ in 0..questions {
        let Some((name, end)) = name(bytes, at) else { return Some(dns) };
        let (Some(kind), Some(_)) = (be16(bytes, end), be16(bytes, end + 2)) else {
            return Some(dns);
        };
        dns.question.get_or_insert((name, kind));
        at = end + 4;
    }
    for _ in 0..records {
        let Some((record, end)) = record(bytes, at) else { return Some(dns) };
        dns.answers.push(record);
        at = end;
    }
    Some(Dns { cut: false, ..dns })
}

fn record(bytes: &[u8], at: usize) -> Option<(Record, usize)> {
    let (owner, at) = name(bytes, at)?;
    let (kind, len) = (be16(bytes, at)?, usize::from(be16(bytes, at + 8)?));
    let (start, end) = (at + 10, at + 10 + len);
    bytes.get(start..end)?;
    let is = |t: RecordType| t.number() == kind;
    let data = if is(RecordType::A) && len == 4 {
        Data::Ip(v4(bytes, start)?.into())
    } else if is(RecordType::Aaaa) && len == 16 {
        Data::Ip(v6(bytes, start)?.into())
    } else if is(RecordType::Cname) || is(RecordType::Ptr) {
        Data::Name(name(bytes, start)?.0)
    } else {
        Data::Other(len)
    };
    Some((Record { owner, kind, data }, end))
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

/// The message in a datagram or a segment from or to the port of the DNS, as a line has it.
pub(super) fn said(
    ports: [u16; 2],
    bytes: &[u8],
    stream: bool,
    id: &dyn Fn(u16) -> String,
) -> Option<String> {
    if !ports.contains(&DNS_PORT) {
        return None;
    }
    let bytes = if stream {
        let rest = bytes.get(2..)?;
        // In one piece, or it is not said as one.
        (usize::from(be16(bytes, 0)?) == rest.len()).then_some(rest)?
    } else {
        bytes
    };
    let dns = dns(bytes)?;
    let mut text = format!("DNS {}", id(dns.id));
    text.push_str(if dns.response { " response" } else { " query" });
    if let Some((name, kind)) = &dns.question {
        let _ = write!(text, " {} {name}", kind_name(*kind));
    }
    if dns.response {
        let _ = write!(text, ": {}", rcode_name(dns.rcode));
    }
    let owner = dns.question.map(|(name, _)| name);
    for record in &dns.answers {
        text.push_str(", ");
        if Some(&record.owner) != owner.as_ref() {
            let _ = write!(text, "{} ", record.owner);
        }
        let data = match &record.data {
            Data::Ip(ip) => ip.to_string(),
            Data::Name(name) => name.clone(),
            Data::Other(len) => format!("len {len}"),
        };
        let _ = write!(text, "{} {data}", kind_name(record.kind));
    }
    if dns.truncated {
        text.push_str(", truncated");
    }
    if dns.cut {
        text.push_str(", cut short");
    }
    Some(text)
}

fn kind_name(kind: u16) -> String {
    let known = [RecordType::A, RecordType::Aaaa, RecordType::Cname, RecordType::Ptr];
    match known.iter().find(|known| known.number() == kind) {
        Some(known) => format!("{known:?}").to_uppercase(),
        None => format!("TYPE{kind}"),
    }
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
