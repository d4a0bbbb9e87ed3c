//! What a `ClientHello` says (RFC 8446 §4.1.2): the first message, before anything is encrypted for good.

use serde_json::{Value, json};

use super::names;
use super::packet::{take, varint};

/// How many of a list are kept.
const MOST: usize = 64;
/// The parameter that lists versions (RFC 9368 §3).
const VERSIONS: u64 = 0x11;

/// A `ClientHello`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// The name asked for (RFC 6066 §3).
    pub sni: Option<String>,
    /// The protocols offered, in order (RFC 7301).
    pub alpn: Vec<Vec<u8>>,
    /// Cipher suites, by number.
    pub suites: Vec<u16>,
    /// Groups for the key exchange, by number.
    pub groups: Vec<u16>,
    /// Whether it would resume a session (`pre_shared_key`).
    pub resumes: bool,
    /// Whether it announces early data.
    pub early: bool,
    /// Whether it has an Encrypted `ClientHello`, or a dummy of one.
    pub ech: bool,
    /// QUIC's transport parameters in order; none if there is no such extension.
    pub parameters: Option<Vec<Parameter>>,
}

/// A transport parameter (RFC 9000 §18).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its number.
    pub id: u64,
    /// Its value where that is a number.
    pub number: Option<u64>,
    /// How many bytes it has.
    pub len: usize,
    /// Of `version_information` (RFC 9368 §3): the chosen version, and those that are available.
    pub versions: Vec<u32>,
}

/// What of the beginning of a handshake is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// More has to come.
    Part,
    /// Something else than a `ClientHello`.
    No,
    /// All of it.
    Whole(Box<Hello>),
}

/// Reads a handshake message.
pub(super) fn read(mut bytes: &[u8]) -> Read {
    let Some(head) = take(&mut bytes, 4) else {
        return if bytes.first().is_none_or(|kind| *kind == 1) { Read::Part } else { Read::No };
    };
    let length = usize::from(head[1]) << 16 | usize::from(head[2]) << 8 | usize::from(head[3]);
    if head[0] != 1 {
        return Read::No;
    }
    match take(&mut bytes, length) {
        None => Read::Part,
        Some(body) => parse(body).map_or(Read::No, |hello| Read::Whole(Box::new(hello))),
    }
}

fn parse(mut body: &[u8]) -> Option<Hello> {
    let mut hello = Hello::default();
    take(&mut body, 2 + 32)?;
    take8(&mut body)?;
    hello.suites = numbers(take16(&mut body)?);
    take8(&mut body)?;
    let mut extensions = take16(&mut body)?;
    while !extensions.is_empty() {
        let kind = u16(&mut extensions)?;
        let mut data = take16(&mut extensions)?;
        match kind {
            0 => hello.sni = sni(data),
            10 => hello.groups = numbers(take16(&mut data)?),
            16 => {
                let mut list = take16(&mut data)?;
                while let Some(name) = take8(&mut list).filter(|_| hello.alpn.len() < MOST) {
                    hello.alpn.push(name.to_vec());
                }
            }
            41 => hello.resumes = true,
            42 => hello.early = true,
            57 | 0xffa5 => hello.parameters = Some(parameters(data)),
            0xfe0d => hello.ech = true,
            _ => {}
        }
    }
    Some(hello)
}

fn sni(mut data: &[u8]) -> Option<String> {
    let mut list = take16(&mut data)?;
    let kind = *take(&mut list, 1)?.first()?;
    let name = take16(&mut list)?;
    let name = name.get(..256).unwrap_or(name);
    (kind == 0).then(|| String::from_utf8_lossy(name).into_owned())
}

fn parameters(mut data: &[u8]) -> Vec<Parameter> {
    let mut all = Vec::new();
    while all.len() < MOST {
        let Some(id) = varint(&mut data) else { break };
        let length = varint(&mut data).and_then(|length| usize::try_from(length).ok());
        let Some(value) = length.and_then(|length| take(&mut data, length)) else { break };
        let mut rest = value;
        let is_number = matches!(id, 0x01 | 0x03..=0x0b | 0x0e | 0x20);
        let number = varint(&mut rest).filter(|_| is_number && rest.is_empty());
        let versions = value.as_chunks::<4>().0.iter().take(MOST).filter(|_| id == VERSIONS);
        let versions = versions.map(|version| u32::from_be_bytes(*version)).collect();
        all.push(Parameter { id, number, len: value.len(), versions });
    }
    all
}

fn u16(bytes: &mut &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(take(bytes, 2)?.try_into().ok()?))
}

fn take8<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let n = *take(bytes, 1)?.first()?;
    take(bytes, n.into())
}

fn take16<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let n = u16(bytes)?;
    take(bytes, n.into())
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    let pairs = bytes.as_chunks::<2>().0.iter().take(MOST);
    pairs.map(|pair| u16::from_be_bytes(*pair)).collect()
}

impl Hello {
    /// A parameter's number, or what RFC 9000 §18.2 has it be if it is not there.
    pub fn parameter(&self, id: u64) -> Option<u64> {
        let all = self.parameters.as_deref()?;
        all.iter().find(|parameter| parameter.id == id)?.number
    }

    /// The versions that are available to the client, in order, as text; nothing if it does not say.
    pub fn versions(&self) -> Option<String> {
        let all = self.parameters.iter().flatten();
        let (_, rest) = all.map(|parameter| &parameter.versions).find_map(|v| v.split_first())?;
        let names: Vec<String> = rest.iter().map(|version| names::version(*version)).collect();
        Some(names.join(", "))
    }

    /// The protocols offered, as text.
    pub fn alpn_text(&self) -> String {
        if self.alpn.is_empty() {
            return "none".to_owned();
        }
        let names = self.alpn.iter().map(|name| String::from_utf8_lossy(name));
        names.collect::<Vec<_>>().join(", ")
    }

    /// In lines for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let sni = self.sni.as_deref().unwrap_or("none");
        let extra = [
            (self.resumes, "would resume a session"),
            (self.early, "announces early data (0-RTT)"),
            (self.ech, "has an encrypted_client_hello extension"),
        ];
        let extra = extra.iter().filter(|row| row.0).flat_map(|row| ["; ", row.1]);
        let extra: String = extra.collect();
        let mut lines = vec![format!("    SNI: {sni}; ALPN offered: {}{extra}", self.alpn_text())];
        let Some(parameters) = &self.parameters else {
            lines.push("    it has no transport parameters".to_owned());
            return lines;
        };
        for parameter in parameters {
            let name = names::parameter(parameter.id);
            lines.push(match parameter.number {
                Some(number) => format!("    {name}: {number}"),
                None if !parameter.versions.is_empty() => {
                    let chosen = names::version(parameter.versions[0]);
                    let all = self.versions().unwrap_or_default();
                    format!("    {name}: {chosen}, available: {all}")
                }
                None if parameter.len == 0 => format!("    {name}"),
                None => format!("    {name}: {} bytes", parameter.len),
            });
        }
        lines
    }

    pub(super) fn json(&self) -> Value {
        let parameters = self.parameters.iter().flatten().map(|parameter| {
            let Parameter { id, number, len, .. } = parameter;
            json!({ "id": id, "name": names::parameter(*id), "number": number, "len": len })
        });
        json!({
            "sni": self.sni,
            "alpn": self.alpn.iter().map(|n| String::from_utf8_lossy(n)).collect::<Vec<_>>(),
            "cipher_suites": self.suites,
            "groups": self.groups,
            "resumes": self.resumes,
            "early_data": self.early,
            "ech": self.ech,
            "versions": self.versions(),
            "transport_parameters": parameters.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with_length(bytes: &[u8], of: usize) -> Vec<u8> {
        let length = bytes.len().to_be_bytes();
        [&length[length.len() - of..], bytes].concat()
    }

    /// A `ClientHello` with those extensions.
    pub(in super::super) fn message(extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let all: Vec<u8> = extensions
            .iter()
            .flat_map(|(kind, data)| [&kind.to_be_bytes()[..], &with_length(data, 2)].concat())
            .collect();
        let body = [
            &[3, 3][..],
            &[7; 32],
            &[0],
            &with_length(&[0x13, 1], 2),
            &[1, 0],
            &with_length(&all, 2),
        ];
        [&[1][..], &with_length(&body.concat(), 3)].concat()
    }

    #[test]
    fn what_it_says_is_read() {
        let names = [with_length(b"sockeye", 1), with_length(b"h3", 1)].concat();
        let host = with_length(&[&[0][..], &with_length(b"a.example", 2)].concat(), 2);
        let bytes = message(&[
            (0, host),
            (16, with_length(&names, 2)),
            (42, vec![]),
            (
                57,
                vec![8, 1, 0, 0x0c, 0, 0x11, 8, 0, 0, 0, 1, 0x6b, 0x33, 0x43, 0xcf, 0x0f, 2, 1, 1],
            ),
        ]);
        let Read::Whole(hello) = read(&bytes) else { panic!() };
        assert_eq!(hello.sni.as_deref(), Some("a.example"));
        assert_eq!(hello.alpn_text(), "sockeye, h3");
        assert_eq!((hello.early, hello.resumes), (true, false));
        assert_eq!((hello.parameter(8), hello.parameter(9)), (Some(0), None));
        assert_eq!(hello.suites, [0x1301]);
        assert_eq!(
            hello.lines()[1..],
            [
                "    initial_max_streams_bidi: 0",
                "    disable_active_migration",
                "    version_information: 1, available: 2",
                "    initial_source_connection_id: 2 bytes"
            ]
        );
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]), Read::Part, "{end}");
        }
        assert_eq!(read(&[2, 0, 0, 0]), Read::No);
        assert_eq!(read(&[1, 0, 0, 1, 0]), Read::No);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_as_one(bytes: Vec<u8>, extensions: Vec<(u16, Vec<u8>)>) {
            read(&bytes);
            let short = extensions.into_iter().take(9);
            read(&message(&short.collect::<Vec<_>>()));
        }
    }
}
