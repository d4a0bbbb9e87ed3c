//! What a `ClientHello` says: what TLS has in it, and QUIC's transport parameters.

use serde_json::{Value, json};

use super::names;
use super::packet::{take, varint};
use crate::tls::hello;

/// How many of a list are kept.
const MOST: usize = 64;
/// The parameter that lists versions (RFC 9368 §3).
const VERSIONS: u64 = 0x11;

/// A `ClientHello`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// What it offers; of its lists the beginning.
    pub tls: hello::Hello,
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

/// Reads a handshake message: nothing while more of it has to come. An error says why it is no `ClientHello`.
pub(super) fn read(bytes: &[u8]) -> Option<Result<Hello, String>> {
    let message = match *bytes {
        [1, a, b, c, ..] => bytes.get(..4 + u32::from_be_bytes([0, a, b, c]) as usize)?,
        [] | [1, ..] => return None,
        [..] => bytes,
    };
    Some(hello::Hello::parse(message, Vec::new()).map(Hello::new))
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

impl Hello {
    fn new(mut tls: hello::Hello) -> Self {
        let parameters = tls.quic.take().map(|bytes| parameters(&bytes));
        tls.sni.iter_mut().for_each(|name| name.truncate(256));
        tls.alpn.truncate(MOST);
        tls.extensions.truncate(MOST);
        let hello::Hello { suites, versions, groups, shares, signatures, .. } = &mut tls;
        for list in [suites, versions, groups, shares, signatures] {
            list.truncate(MOST);
        }
        Self { tls, parameters }
    }

    /// A parameter's number; nothing if it is not there, or has none.
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
        let names = self.tls.protocols().join(", ");
        if names.is_empty() { "none".to_owned() } else { names }
    }

    /// In lines for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let sni = self.tls.name().unwrap_or_else(|| "none".to_owned());
        let extra = [
            (self.tls.psks > 0, "would resume a session"),
            (self.tls.early_data, "announces early data (0-RTT)"),
            (self.tls.ech, "has an encrypted_client_hello extension"),
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

    /// For programs: as of TLS, and what QUIC adds.
    pub(super) fn json(&self) -> Value {
        let parameters = self.parameters.iter().flatten().map(|parameter| {
            let Parameter { id, number, len, .. } = parameter;
            json!({ "id": id, "name": names::parameter(*id), "number": number, "len": len })
        });
        let mut all = self.tls.json();
        all["quic_versions"] = self.versions().into();
        all["transport_parameters"] = parameters.collect();
        all
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with_length(bytes: &[u8], of: usize) -> Vec<u8> {
        let length = bytes.len().to_be_bytes();
        [&length[length.len() - of..], bytes].concat()
    }

    /// A `ClientHello` with those extensions.
    fn message(extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
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
        let hello = read(&bytes).unwrap().unwrap();
        assert_eq!(hello.tls.name().as_deref(), Some("a.example"));
        assert_eq!(hello.alpn_text(), "sockeye, h3");
        assert_eq!((hello.tls.early_data, hello.tls.psks), (true, 0));
        assert_eq!((hello.parameter(8), hello.parameter(9)), (Some(0), None));
        assert_eq!(hello.tls.suites, [0x1301]);
        assert_eq!(hello.json()["cipher_suites"][0], "TLS_AES_128_GCM_SHA256");
        assert_eq!(hello.json()["quic_versions"], "2");
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
            assert_eq!(read(&bytes[..end]), None, "{end}");
        }
        assert!(read(&[2, 0, 0, 0]).unwrap().is_err());
        assert!(read(&[1, 0, 0, 1, 0]).unwrap().is_err());
    }

    #[test]
    fn of_long_lists_the_beginning_is_kept() {
        let names = with_length(b"h3", 1).repeat(MOST + 1);
        let host = with_length(&[&[0][..], &with_length(&[b'a'; 999], 2)].concat(), 2);
        let bytes = message(&[(0, host), (16, with_length(&names, 2))]);
        let hello = read(&bytes).unwrap().unwrap();
        assert_eq!(hello.tls.alpn.len(), MOST);
        assert_eq!(hello.tls.name().map(|name| name.len()), Some(256));
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
