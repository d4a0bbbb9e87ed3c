//! What a query says, as it was written.

use domain::base::iana::OptionCode;
use domain::base::iana::{Class, Opcode, Rtype};
use domain::base::opt::{ClientSubnet, OptRecord, UnknownOptData};
use domain::base::{Message, ParsedName};

/// How many options of EDNS are told.
const OPTIONS: usize = 32;

/// What is asked (RFC 1035 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The message's id.
    pub id: u16,
    /// What is to be done; all but QUERY is refused.
    pub opcode: Opcode,
    /// Of `RD`, `CD`, `AD`, `AA`, `TC` and `RA` those that are set.
    pub flags: Vec<&'static str>,
    /// The name in the case that it came in, without a dot behind it; the root is ".".
    pub name: String,
    /// Of what type.
    pub kind: Rtype,
    /// Of what class.
    pub class: Class,
    /// What EDNS says, if it is there.
    pub edns: Option<Edns>,
}

/// EDNS of a query (RFC 6891 §6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edns {
    /// Its version, 0.
    pub version: u8,
    /// The longest datagram that is taken, in bytes.
    pub size: u16,
    /// Whether records of DNSSEC are wanted (DO).
    pub dnssec_ok: bool,
    /// The options, in words.
    pub options: Vec<String>,
}

impl Question {
    /// Whether it has letters of both cases, as those have who hide numbers there (0x20).
    pub fn is_of_both_cases(&self) -> bool {
        let has = |test: fn(&char) -> bool| self.name.chars().any(|c| test(&c));
        has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase)
    }
}

/// A name as it is compared: without case, and without a dot behind it.
pub(super) fn folded(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.strip_suffix('.') {
        Some("") | None => name,
        Some(rest) => rest.to_owned(),
    }
}

/// Reads a query, or says why it is none.
pub fn read(bytes: &[u8]) -> Result<Question, String> {
    let Ok(message) = Message::from_octets(bytes) else {
        return Err(format!("{} bytes, where a header has 12", bytes.len()));
    };
    let header = message.header();
    if header.qr() {
        return Err("a response, where a query was expected".to_owned());
    }
    let count = message.header_counts().qdcount();
    if count != 1 {
        return Err(format!("it has {count} questions, where a query has one"));
    }
    let question = message.sole_question().map_err(|_| "its question cannot be read".to_owned())?;
    let (name, kind, class) = (question.qname(), question.qtype(), question.qclass());
    let edns = edns(&message)?;
    let all = [
        (header.rd(), "RD"),
        (header.cd(), "CD"),
        (header.ad(), "AD"),
        (header.aa(), "AA"),
        (header.tc(), "TC"),
        (header.ra(), "RA"),
    ];
    let flags = all.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
    let (id, opcode) = (header.id(), header.opcode());
    Ok(Question { id, opcode, flags, name: written(name), kind, class, edns })
}

fn written(name: &ParsedName<&[u8]>) -> String {
    let text = name.to_string();
    if text.is_empty() { ".".to_owned() } else { text }
}

/// The OPT record of the query, if there is one.
fn edns(message: &Message<&[u8]>) -> Result<Option<Edns>, String> {
    let broken = |_| "what is behind its question cannot be read".to_owned();
    let mut found: Option<Edns> = None;
    for record in message.additional().map_err(broken)? {
        let record = record.map_err(broken)?;
        if record.rtype() != Rtype::OPT {
            continue;
        }
        if found.is_some() {
            return Err("it has EDNS twice".to_owned());
        }
        let no_edns = || "its EDNS cannot be read".to_owned();
        let record = record.into_record().map_err(|_| no_edns())?.ok_or_else(no_edns)?;
        let opt: OptRecord<&[u8]> = OptRecord::from_record(record);
        let subnet: Option<ClientSubnet> = opt.opt().first();
        let all = opt.opt().iter::<UnknownOptData<_>>().flatten().take(OPTIONS);
        let options = all.map(|option| words(&option, subnet)).collect();
        let (version, size) = (opt.version(), opt.udp_payload_size());
        found = Some(Edns { version, size, dnssec_ok: opt.dnssec_ok(), options });
    }
    Ok(found)
}

/// An option: "COOKIE 8 bytes", "client subnet 192.0.2.0/24".
fn words(option: &UnknownOptData<&[u8]>, subnet: Option<ClientSubnet>) -> String {
    let name = match option.code() {
        OptionCode::CLIENT_SUBNET => match subnet {
            Some(subnet) => return format!("client subnet {subnet}"),
            None => "client subnet".to_owned(),
        },
        OptionCode::TCP_KEEPALIVE => "TCP keepalive".to_owned(),
        OptionCode::PADDING => "padding".to_owned(),
        code => match code.to_mnemonic_str() {
            Some(name) => name.to_owned(),
            None => format!("option {}", code.to_int()),
        },
    };
    match option.as_slice().len() {
        0 => name,
        1 => format!("{name} 1 byte"),
        n => format!("{name} {n} bytes"),
    }
}
