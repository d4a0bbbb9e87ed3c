//! What a lab says when a name is looked up: a name server at the far end of a link, as data.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::addr::Range;

/// Where name servers listen.
pub const DNS_PORT: u16 = 53;

/// The name of an answer to whatever is asked.
pub const ANY: &str = "*";

/// A name server at the far end of a tun, at each address of the neighbour, on port 53.
///
/// It answers UDP; TCP too, where the lab serves that port with [`super::ServerStep::Answer`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct NameServer {
    /// By which of its addresses `/etc/resolv.conf` names it, in this order.
    pub at: Vec<Range>,
    /// The words behind `options` in `/etc/resolv.conf`, see resolv.conf(5).
    pub options: String,
    /// The domain behind `search`; there is no search list, if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// What it answers: the first that fits. Any other name does not exist (NXDOMAIN).
    pub answers: Vec<Answer>,
}

/// What is answered to a question.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// The name that is asked for, without a dot at its end, in whatever case; `*` is any.
    pub name: String,
    /// Asked for what; every type, if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<RecordType>,
    /// The response code.
    #[serde(default, skip_serializing_if = "Rcode::is_no_error")]
    pub rcode: Rcode,
    /// The records of the answer section, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Record>,
    /// What is wrong with the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaw: Option<Flaw>,
}

impl Answer {
    /// To every question for the name.
    pub fn new(name: &str, records: Vec<Record>) -> Self {
        let (rcode, types) = (Rcode::NoError, Vec::new());
        Self { name: name.to_owned(), types, rcode, records, flaw: None }
    }
}

/// The type of a record or a question (RFC 1035 §3.2.2, RFC 3596 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordType {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// The name that an alias stands for.
    Cname,
    /// The name of an address.
    Ptr,
}

impl RecordType {
    /// Its number.
    pub fn number(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Cname => 5,
            Self::Ptr => 12,
            Self::Aaaa => 28,
        }
    }
}

/// A record of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Whose it is; none is the name that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What it says.
    pub data: RecordData,
}

impl Record {
    /// A or AAAA of the name that was asked for.
    pub fn ip(ip: impl Into<IpAddr>) -> Self {
        let data = match ip.into() {
            IpAddr::V4(ip) => RecordData::A(ip),
            IpAddr::V6(ip) => RecordData::Aaaa(ip),
        };
        Self { owner: None, data }
    }
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RecordData {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// The name that this one is an alias of.
    Cname(String),
    /// The name of an address.
    Ptr(String),
}

impl RecordData {
    /// Of which type the record is.
    pub fn kind(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::Aaaa,
            Self::Cname(_) => RecordType::Cname,
            Self::Ptr(_) => RecordType::Ptr,
        }
    }
}

/// A response code (RFC 1035 §4.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Rcode {
    /// 0.
    #[default]
    NoError,
    /// 1, the query is malformed.
    FormErr,
    /// 2, the server failed.
    ServFail,
    /// 3, there is no such name.
    NxDomain,
    /// 4, the server does not do that.
    NotImp,
    /// 5, the server does not want to.
    Refused,
}

impl Rcode {
    /// Its number.
    pub fn number(self) -> u8 {
        self as u8
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    fn is_no_error(&self) -> bool {
        *self == Self::NoError
    }
}

/// What is wrong with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// There is none.
    Silent,
    /// Over UDP it says that it was truncated, and has no records (RFC 1035 §4.1.1, TC).
    Truncated,
    /// It has another ID than the query.
    OtherId,
    /// It repeats another question than the query's.
    OtherQuestion,
    /// It ends in the middle of its first record.
    Cut,
    /// It does not say that it is a response (RFC 1035 §4.1.1, QR).
    NoResponse,
}

impl NameServer {
    /// With the words of `options` that keep a case short, and these answers.
    pub fn new(at: Range, answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            at: vec![at],
            options: "timeout:1 attempts:1".to_owned(),
            search: None,
            answers: answers.into_iter().collect(),
        }
    }

    /// What is answered to a question for `name` (in any case) of the type with this number.
    pub fn answer(&self, name: &str, kind: u16) -> Option<&Answer> {
        self.answers.iter().find(|answer| {
            let fits = answer.types.is_empty() || answer.types.iter().any(|t| t.number() == kind);
            fits && (answer.name == ANY || answer.name.eq_ignore_ascii_case(name))
        })
    }

    /// Whether somebody who looks up `name` may have to wait.
    pub fn keeps_waiting(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.');
        let heard = |answer: &Answer| {
            matches!(answer.flaw, None | Some(Flaw::Truncated)) || answer.flaw == Some(Flaw::Cut)
        };
        self.answers.iter().any(|answer| answer.name.eq_ignore_ascii_case(name) && !heard(answer))
    }
}

impl fmt::Display for NameServer {
    /// `53 at v4, options timeout:1 attempts:1: a.example A 192.0.2.7`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at: Vec<&str> = self.at.iter().map(|range| range.name()).collect();
        write!(f, "{DNS_PORT} at {}, options {}", at.join(" "), self.options)?;
        self.search.iter().try_for_each(|domain| write!(f, ", search {domain}"))?;
        f.write_str(":")?;
        let separators = std::iter::once(" ").chain(std::iter::repeat("; "));
        self.answers.iter().zip(separators).try_for_each(|(answer, s)| write!(f, "{s}{answer}"))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for kind in &self.types {
            write!(f, " {}", format!("{kind:?}").to_uppercase())?;
        }
        f.write_str(" is")?;
        if self.rcode != Rcode::NoError {
            write!(f, " {}", format!("{:?}", self.rcode).to_uppercase())?;
        } else if self.records.is_empty() {
            f.write_str(" empty")?;
        }
        for record in &self.records {
            record.owner.iter().try_for_each(|owner| write!(f, " {owner}"))?;
            match &record.data {
                RecordData::A(ip) => write!(f, " {ip}")?,
                RecordData::Aaaa(ip) => write!(f, " {ip}")?,
                RecordData::Cname(name) => write!(f, " alias of {name}")?,
                RecordData::Ptr(name) => write!(f, " named {name}")?,
            }
        }
        match self.flaw {
            None => Ok(()),
            Some(Flaw::Silent) => f.write_str(", never answered"),
            Some(Flaw::Truncated) => f.write_str(", truncated over UDP"),
            Some(Flaw::OtherId) => f.write_str(", with another id"),
            Some(Flaw::OtherQuestion) => f.write_str(", to another question"),
            Some(Flaw::Cut) => f.write_str(", cut short"),
            Some(Flaw::NoResponse) => f.write_str(", without the bit of a response"),
        }
    }
}
