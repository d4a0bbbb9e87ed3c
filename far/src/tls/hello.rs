//! What a `ClientHello` offers (RFC 8446 §4.1.2), read from its bytes alone, whether TCP or QUIC brought them.

use serde_json::{Value, json};

use super::names;
use crate::text;

/// A `ClientHello`. Numbers that nobody shall know (RFC 8701) are left out of every list and counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// The whole message's length in bytes, its header included.
    pub length: usize,
    /// How long each record was that it came in.
    pub records: Vec<usize>,
    /// `legacy_version`.
    pub legacy_version: u16,
    /// By which a key log knows the connection.
    pub random: [u8; 32],
    /// How long the session id is.
    pub session_id: usize,
    /// Cipher suites in the client's order.
    pub suites: Vec<u16>,
    /// Versions in the client's order; without `supported_versions` what `legacy_version` says.
    pub versions: Vec<u16>,
    /// Groups of the key exchange.
    pub groups: Vec<u16>,
    /// Those of which a share is in it.
    pub shares: Vec<u16>,
    /// Signature algorithms.
    pub signatures: Vec<u16>,
    /// Whom it wants to speak to (SNI), as it came.
    pub sni: Option<Vec<u8>>,
    /// Protocols within (ALPN), as they came.
    pub alpn: Vec<Vec<u8>>,
    /// Extensions in their order: number and length.
    pub extensions: Vec<(u16, usize)>,
    /// How long the session ticket is, if the extension is there.
    pub ticket: Option<usize>,
    /// How many sessions it would resume (`pre_shared_key`).
    pub psks: usize,
    /// Whether it sends data before the handshake is over.
    pub early_data: bool,
    /// Whether Encrypted `ClientHello` is in it, or what is made to look so.
    pub ech: bool,
    /// QUIC's transport parameters (RFC 9001 §8.2), as they came.
    pub quic: Option<Vec<u8>>,
    /// How many numbers are there for nobody to know.
    pub grease: usize,
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize, what: &str) -> Result<&'a [u8], String> {
        let (now, rest) = self.0.split_at_checked(n).ok_or(format!("it ends within {what}"))?;
        self.0 = rest;
        Ok(now)
    }

    /// A number of so many bytes.
    fn number(&mut self, n: usize, what: &str) -> Result<usize, String> {
        Ok(self.take(n, what)?.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)))
    }

    /// A vector whose length is a number of so many bytes.
    fn vector(&mut self, n: usize, what: &str) -> Result<&'a [u8], String> {
        let length = self.number(n, what)?;
        self.take(length, what)
    }

    fn u16(&mut self, what: &str) -> Result<u16, String> {
        let bytes = self.take(2, what)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }
}

impl Hello {
    /// Reads the whole message, header included. An error says where it cannot be read.
    pub fn parse(message: &[u8], records: Vec<usize>) -> Result<Self, String> {
        let mut reader = Reader(message);
        let kind = reader.number(1, "its type")?;
        if kind != 1 {
            return Err(format!("the first handshake message is of type {kind}, ClientHello is 1"));
        }
        let mut body = Reader(reader.vector(3, "the message")?);
        let mut hello = Self { length: message.len(), records, ..Self::default() };
        hello.legacy_version = body.u16("the version")?;
        hello.random.copy_from_slice(body.take(32, "the random")?);
        hello.session_id = body.vector(1, "the session id")?.len();
        hello.suites = hello.numbers(body.vector(2, "the cipher suites")?, "the cipher suites")?;
        body.vector(1, "the compression methods")?;
        if !body.0.is_empty() {
            let mut extensions = Reader(body.vector(2, "the extensions")?);
            while !extensions.0.is_empty() {
                let number = extensions.u16("an extension")?;
                let name = format!("the extension {}", names::extension(number));
                hello.extension(number, extensions.vector(2, &name)?, &name)?;
            }
        }
        if hello.versions.is_empty() {
            let last = hello.legacy_version.min(0x0303);
            hello.versions = (0x0301..=last).rev().collect();
        }
        Ok(hello)
    }

    fn extension(&mut self, number: u16, body: &[u8], name: &str) -> Result<(), String> {
        if names::is_grease(number) {
            self.grease += 1;
            return Ok(());
        }
        self.extensions.push((number, body.len()));
        let mut reader = Reader(body);
        match number {
            0 => {
                let mut list = Reader(reader.vector(2, name)?);
                while !list.0.is_empty() {
                    let kind = list.number(1, name)?;
                    let host = list.vector(2, name)?;
                    if kind == 0 {
                        self.sni = Some(host.to_vec());
                    }
                }
            }
            10 => self.groups = self.numbers(reader.vector(2, name)?, name)?,
            13 => self.signatures = self.numbers(reader.vector(2, name)?, name)?,
            16 => {
                let mut list = Reader(reader.vector(2, name)?);
                while !list.0.is_empty() {
                    self.alpn.push(list.vector(1, name)?.to_vec());
                }
                self.alpn.retain(|p| p.len() != 2 || !names::is_grease(two(p)));
            }
            35 => self.ticket = Some(body.len()),
            41 => {
                let mut list = Reader(reader.vector(2, name)?);
                while !list.0.is_empty() {
                    list.vector(2, name)?;
                    list.take(4, name)?;
                    self.psks += 1;
                }
            }
            42 => self.early_data = true,
            43 => self.versions = self.numbers(reader.vector(1, name)?, name)?,
            51 => {
                let mut list = Reader(reader.vector(2, name)?);
                while !list.0.is_empty() {
                    let group = list.u16(name)?;
                    list.vector(2, name)?;
                    if !names::is_grease(group) {
                        self.shares.push(group);
                    }
                }
            }
            // The second is that of the drafts.
            57 | 0xffa5 => self.quic = Some(body.to_vec()),
            0xfe0d => self.ech = true,
            _ => {}
        }
        Ok(())
    }

    /// A list of numbers of two bytes.
    fn numbers(&mut self, bytes: &[u8], what: &str) -> Result<Vec<u16>, String> {
        if !bytes.len().is_multiple_of(2) {
            return Err(format!("the list of {what} has an odd length"));
        }
        let all: Vec<u16> = bytes.chunks_exact(2).map(two).collect();
        let known: Vec<u16> = all.iter().copied().filter(|n| !names::is_grease(*n)).collect();
        self.grease += all.len() - known.len();
        Ok(known)
    }

    /// The name that it wants, for people; whoever shows it escapes controls.
    pub fn name(&self) -> Option<String> {
        self.sni.as_ref().map(|name| String::from_utf8_lossy(name).into_owned())
    }

    /// The protocols within, for people.
    pub fn protocols(&self) -> Vec<String> {
        self.alpn.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    /// For people: what matters, each in a line; of long lists the beginning.
    pub fn lines(&self) -> Vec<String> {
        let list = |all: &[u16], name: fn(u16) -> String, most: usize| {
            let names: Vec<String> = all.iter().take(most).map(|n| name(*n)).collect();
            if names.is_empty() {
                return "none".to_owned();
            }
            names.join(", ") + &text::more(all.len() - names.len())
        };
        let sni = self.name().unwrap_or_else(|| "none".to_owned());
        let alpn = self.protocols().join(", ");
        let mut lines = vec![
            format!("SNI: {sni}"),
            format!("ALPN: {}", if alpn.is_empty() { "none" } else { &alpn }),
            format!("versions: {}", list(&self.versions, names::version, 8)),
            format!("groups: {}", list(&self.groups, names::group, 12)),
            format!("key shares: {}", list(&self.shares, names::group, 12)),
            format!("cipher suites: {}", list(&self.suites, names::suite, 3)),
            format!("signature algorithms: {}", list(&self.signatures, names::signature, 3)),
        ];
        let mut resumes = vec![format!("session id of {} bytes", self.session_id)];
        resumes.extend(self.ticket.map(|n| format!("session ticket of {n} bytes")));
        if self.psks > 0 {
            resumes.push(format!("{} pre-shared keys", self.psks));
        }
        resumes.extend(self.early_data.then(|| "early data".to_owned()));
        lines.push(format!("resumption: {}", resumes.join(", ")));
        // A server without the key cannot tell them apart: that is what GREASE is for.
        lines.push(format!("ECH: {}", if self.ech { "yes, or GREASE of it" } else { "no" }));
        if self.grease > 0 {
            lines.push(format!("GREASE: {} numbers that nobody knows", self.grease));
        }
        lines
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let list = |all: &[u16], name: fn(u16) -> String| -> Vec<String> {
            all.iter().map(|n| name(*n)).collect()
        };
        let extensions = self.extensions.iter();
        json!({
            "length": self.length,
            "records": self.records,
            "legacy_version": names::version(self.legacy_version),
            "versions": list(&self.versions, names::version),
            "sni": self.name(),
            "alpn": self.protocols(),
            "cipher_suites": list(&self.suites, names::suite),
            "groups": list(&self.groups, names::group),
            "key_shares": list(&self.shares, names::group),
            "signature_algorithms": list(&self.signatures, names::signature),
            "session_id_len": self.session_id,
            "ticket_len": self.ticket,
            "psks": self.psks,
            "early_data": self.early_data,
            "ech_or_grease": self.ech,
            "grease": self.grease,
            "extensions": extensions
                .map(|(n, len)| json!({ "name": names::extension(*n), "number": n, "length": len }))
                .collect::<Vec<_>>(),
        })
    }
}

/// Two bytes as a number.
fn two(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}
