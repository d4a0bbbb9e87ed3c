//! What is answered: scripts as data, and who makes messages of them.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr as _;
use std::time::Duration;

use domain::base::iana::{Class, Opcode, OptRcode, Rcode, Rtype};
use domain::base::message_builder::{AnswerBuilder, PushError};
use domain::base::{Message, MessageBuilder, Name, Serial, ToName as _, Ttl};
use domain::rdata::svcb::{HttpsVariant, SvcParams, SvcParamsBuilder, SvcbRdata, SvcbVariant};
use domain::rdata::{A, Aaaa, Cname, Soa};

use super::query::Question;
use crate::offer::{Script, row, scripts};

/// How late `slow` is.
const SLOW: Duration = Duration::from_secs(2);
/// The longest datagram that is taken here, in bytes; told where EDNS was.
const SIZE: u16 = 1232;
/// How long an answer may be kept: asked again, it comes again.
const TTL: Ttl = Ttl::from_secs(1);

/// What a type is answered, and in which way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    a: What,
    aaaa: What,
    https: What,
    /// All other types.
    other: What,
    pub(super) way: Way,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// The record of the type that was asked for.
    Found,
    /// The name is there, and has no such record (RFC 2308 §2.2).
    Nothing,
    /// NXDOMAIN.
    NoName,
    ServFail,
    Refused,
    Silence,
    /// Aliases that lead to it.
    Chain,
    /// Aliases that lead nowhere.
    Loop,
}

/// In which way it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Plain,
    Slow,
    /// Over UDP nothing but that it is too long for that.
    Truncated,
    /// The same, and TCP is reset.
    TruncatedNoTcp,
    WrongId,
    WrongQuestion,
    /// What has EDNS is called malformed.
    NoEdns,
}

/// The same for addresses of both kinds.
const fn both(what: What) -> Plan {
    let other = match what {
        What::Found | What::Chain | What::Loop => What::Nothing,
        what => what,
    };
    Plan { a: what, aaaa: what, https: other, other, way: Way::Plain }
}

const FOUND: Plan = both(What::Found);

const fn found(way: Way) -> Plan {
    Plan { way, ..FOUND }
}

pub(super) const ROWS: &[(Script, Plan)] = &[
    row("found", "every name is 127.0.0.1 (A) and ::1 (AAAA), and has nothing else", FOUND),
    row("nxdomain", "no name exists", both(What::NoName)),
    row("servfail", "every query fails here (SERVFAIL)", both(What::ServFail)),
    row("refused", "every query is refused (REFUSED)", both(What::Refused)),
    row("silent", "nothing is answered", both(What::Silence)),
    row("a-only", "A is 127.0.0.1; there is no AAAA", Plan { aaaa: What::Nothing, ..FOUND }),
    row("aaaa-only", "AAAA is ::1; there is no A", Plan { a: What::Nothing, ..FOUND }),
    row("truncated", "over UDP: too long (TC); over TCP as found", found(Way::Truncated)),
    row("truncated-no-tcp", "over UDP: too long (TC); TCP is reset", found(Way::TruncatedNoTcp)),
    row("cname", "every name is an alias of an alias of 127.0.0.1 and ::1", both(What::Chain)),
    row(
        "cname-loop",
        "every name is an alias of one of two that lead to each other",
        both(What::Loop),
    ),
    row(
        "https",
        "as found, and an HTTPS or SVCB record (ALPN h2, addresses) where one is asked for",
        Plan { https: What::Found, ..FOUND },
    ),
    row("slow", "as found, 2 s late", found(Way::Slow)),
    row("wrong-id", "as found, by another id than the query's", found(Way::WrongId)),
    row("wrong-question", "as found, to a question that nobody asked", found(Way::WrongQuestion)),
    row("no-edns", "what has EDNS is malformed (FORMERR); as found without", found(Way::NoEdns)),
    row(
        "odd",
        "A is 127.0.0.1, and for AAAA the name does not exist (NXDOMAIN)",
        Plan { aaaa: What::NoName, ..FOUND },
    ),
];

/// Every script; the first is the default.
pub const SCRIPTS: [Script; ROWS.len()] = scripts(ROWS);

/// What a client was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Records of the type that it asked for.
    Found,
    /// There are none of that type.
    NoData,
    /// NXDOMAIN: there is no such name (RFC 8020).
    NoName,
    /// Aliases in a circle.
    Loop,
    /// Another error, by its code.
    Error(OptRcode),
    /// Nothing.
    Silence,
}

/// What keeps a client from believing an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It says that it is not all (TC).
    Truncated,
    /// It has another id.
    OtherId,
    /// It is of another question.
    OtherQuestion,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it says.
    pub outcome: Outcome,
    /// What is wrong with it.
    pub flaw: Option<Flaw>,
    /// The records in it, "A 127.0.0.1".
    pub records: Vec<String>,
    /// The message; empty if there is none.
    pub bytes: Vec<u8>,
    /// How long after the query it is sent.
    pub after: Duration,
}

impl Answer {
    /// In a few words: "answered 127.0.0.1", "NXDOMAIN".
    pub fn words(&self) -> String {
        if self.flaw == Some(Flaw::Truncated) {
            return "truncated (TC)".to_owned();
        }
        let said = match self.outcome {
            Outcome::Found => {
                let data = |r: &String| r.split_once(' ').map_or(r.clone(), |(_, d)| d.to_owned());
                let last = self.records.last().map(data).unwrap_or_default();
                let aliases = match self.records.len() {
                    0 | 1 => "",
                    _ => " behind aliases",
                };
                format!("answered {last}{aliases}")
            }
            Outcome::NoData => "no such record (NODATA)".to_owned(),
            Outcome::NoName => "NXDOMAIN".to_owned(),
            Outcome::Loop => "aliases in a circle".to_owned(),
            Outcome::Error(code) => code.to_string(),
            Outcome::Silence => "not answered".to_owned(),
        };
        let flaw = match self.flaw {
            Some(Flaw::OtherId) => " by another id",
            Some(Flaw::OtherQuestion) => " to another question",
            Some(Flaw::Truncated) | None => "",
        };
        format!("{said}{flaw}")
    }
}

/// A record of an answer.
enum Data {
    A,
    Aaaa,
    Alias(&'static str),
    Service(Rtype),
}

const ALIASES: [&str; 2] = ["one.alias.test", "two.alias.test"];

/// What `plan` makes of a query; `bytes` are those of `question`.
pub(super) fn answer(plan: Plan, bytes: &[u8], question: &Question, is_tcp: bool) -> Answer {
    let (outcome, data) = decide(plan, question);
    let after = if plan.way == Way::Slow { SLOW } else { Duration::ZERO };
    let flaw = match plan.way {
        _ if outcome == Outcome::Silence || matches!(outcome, Outcome::Error(_)) => None,
        Way::Truncated | Way::TruncatedNoTcp if !is_tcp => Some(Flaw::Truncated),
        Way::WrongId => Some(Flaw::OtherId),
        Way::WrongQuestion => Some(Flaw::OtherQuestion),
        _ => None,
    };
    let empty = Answer { outcome, flaw, records: Vec::new(), bytes: Vec::new(), after };
    if outcome == Outcome::Silence {
        return empty;
    }
    let data = if flaw == Some(Flaw::Truncated) { Vec::new() } else { data };
    match compose(bytes, question, outcome, flaw, &data, plan.way) {
        Ok((bytes, records)) => Answer { records, bytes, ..empty },
        // It cannot be: all is far shorter than a message may be.
        Err(_) => Answer { outcome: Outcome::Silence, flaw: None, ..empty },
    }
}

/// A header that says that what came is no query (FORMERR); none for what is too short, or is a response: two servers
/// that answer each other would never end.
pub(super) fn malformed(bytes: &[u8]) -> Option<Vec<u8>> {
    let header = Message::from_octets(bytes).ok()?.header();
    if header.qr() {
        return None;
    }
    let mut built = MessageBuilder::new_vec();
    let own = built.header_mut();
    own.set_id(header.id());
    own.set_opcode(header.opcode());
    own.set_qr(true);
    own.set_rcode(Rcode::FORMERR);
    Some(built.finish())
}

fn decide(plan: Plan, question: &Question) -> (Outcome, Vec<Data>) {
    let error = |code| (Outcome::Error(code), Vec::new());
    if question.opcode != Opcode::QUERY {
        return error(OptRcode::NOTIMP);
    }
    if question.edns.as_ref().is_some_and(|edns| edns.version > 0) {
        return error(OptRcode::BADVERS);
    }
    let what = match question.kind {
        Rtype::A => plan.a,
        Rtype::AAAA => plan.aaaa,
        Rtype::HTTPS | Rtype::SVCB => plan.https,
        _ => plan.other,
    };
    if what == What::Silence {
        return (Outcome::Silence, Vec::new());
    }
    if plan.way == Way::NoEdns && question.edns.is_some() {
        return error(OptRcode::FORMERR);
    }
    if question.class != Class::IN {
        return error(OptRcode::REFUSED);
    }
    let own = match question.kind {
        Rtype::A => Data::A,
        Rtype::AAAA => Data::Aaaa,
        other => Data::Service(other),
    };
    let aliases = || ALIASES.into_iter().map(Data::Alias);
    match what {
        What::Found => (Outcome::Found, vec![own]),
        What::Chain => (Outcome::Found, aliases().chain([own]).collect()),
        What::Loop => (Outcome::Loop, aliases().chain([Data::Alias(ALIASES[0])]).collect()),
        What::NoName => (Outcome::NoName, Vec::new()),
        What::ServFail => error(OptRcode::SERVFAIL),
        What::Refused => error(OptRcode::REFUSED),
        What::Nothing | What::Silence => (Outcome::NoData, Vec::new()),
    }
}

type Wire = Name<Vec<u8>>;

fn name(text: &str) -> Wire {
    Name::from_str(text).unwrap_or_else(|_| Name::root_vec())
}

fn compose(
    asked: &[u8],
    question: &Question,
    outcome: Outcome,
    flaw: Option<Flaw>,
    data: &[Data],
    way: Way,
) -> Result<(Vec<u8>, Vec<String>), PushError> {
    let code = match outcome {
        Outcome::NoName => OptRcode::NXDOMAIN,
        Outcome::Error(code) => code,
        _ => OptRcode::NOERROR,
    };
    let mut built = MessageBuilder::new_vec().question();
    let header = built.header_mut();
    header.set_id(if flaw == Some(Flaw::OtherId) { !question.id } else { question.id });
    header.set_qr(true);
    header.set_opcode(question.opcode);
    header.set_rd(question.flags.contains(&"RD"));
    header.set_cd(question.flags.contains(&"CD"));
    header.set_ra(true);
    header.set_tc(flaw == Some(Flaw::Truncated));
    header.set_rcode(code.rcode());
    // To the byte: whoever hid something in the case of the letters looks for it.
    let message = Message::from_octets(asked).ok();
    let exact = message.as_ref().and_then(|m| m.sole_question().ok());
    let mut owner: Wire = match &exact {
        Some(exact) if flaw != Some(Flaw::OtherQuestion) => exact.qname().to_name(),
        _ => name("another.name.test"),
    };
    built.push((&owner, question.kind, question.class))?;
    let mut built = built.answer();
    let mut records = Vec::new();
    for data in data {
        records.push(record(&mut built, &mut owner, data)?);
    }
    let mut built = built.authority();
    if matches!(outcome, Outcome::NoName | Outcome::NoData) {
        let (server, serial) = (name("server.alias.test"), Serial(1));
        let root: Wire = Name::root_vec();
        built.push((&root, TTL, Soa::new(&server, &server, serial, TTL, TTL, TTL, TTL)))?;
    }
    let mut built = built.additional();
    if question.edns.is_some() && way != Way::NoEdns {
        built.opt(|opt| {
            opt.set_udp_payload_size(SIZE);
            opt.set_rcode(code);
            Ok(())
        })?;
    }
    Ok((built.finish(), records))
}

/// Pushes a record of `owner`, who is whoever an alias leads to from then on; in words.
fn record(
    built: &mut AnswerBuilder<Vec<u8>>,
    owner: &mut Wire,
    data: &Data,
) -> Result<String, PushError> {
    let (v4, v6) = (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST);
    match data {
        Data::A => built.push((&*owner, TTL, A::new(v4)))?,
        Data::Aaaa => built.push((&*owner, TTL, Aaaa::new(v6)))?,
        Data::Alias(to) => {
            let to_name = name(to);
            built.push((&*owner, TTL, Cname::new(&to_name)))?;
            *owner = to_name;
            return Ok(format!("CNAME {to}"));
        }
        Data::Service(kind) => {
            let (params, root) = (service(), Wire::root_vec());
            if *kind == Rtype::SVCB {
                let data = SvcbRdata::<SvcbVariant, _, _>::new(1, root, params);
                built.push((&*owner, TTL, data.map_err(|_| PushError::ShortBuf)?))?;
            } else {
                let data = SvcbRdata::<HttpsVariant, _, _>::new(1, root, params);
                built.push((&*owner, TTL, data.map_err(|_| PushError::ShortBuf)?))?;
            }
            return Ok(format!("{kind} 1 . alpn=h2 ipv4hint={v4} ipv6hint={v6}"));
        }
    }
    Ok(if matches!(data, Data::A) { format!("A {v4}") } else { format!("AAAA {v6}") })
}

/// What a service says of itself (RFC 9460 §7).
fn service() -> SvcParams<Vec<u8>> {
    let mut params = SvcParamsBuilder::<Vec<u8>>::empty();
    // They are short, and each is there once.
    let _ = params.alpn(&[b"h2"]);
    let _ = params.ipv4hint([Ipv4Addr::LOCALHOST]);
    let _ = params.ipv6hint([Ipv6Addr::LOCALHOST]);
    params.freeze().unwrap_or_else(|e| match e {})
}
