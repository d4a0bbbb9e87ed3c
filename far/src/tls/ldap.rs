//! As much of LDAP (RFC 4511) as a client needs that binds, looks around and goes.

/// How long a message may be, in bytes.
const LONGEST: usize = 64 << 10;
/// The name of `StartTLS` (RFC 4511 §4.14.1).
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

/// What a client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A bind: who, the version of the protocol, and how.
    Bind {
        /// The DN, as it came.
        name: String,
        /// 3, mostly.
        version: u64,
        /// With what.
        how: Auth,
    },
    /// It goes.
    Unbind,
    /// A search below that DN.
    Search(String),
    /// `StartTLS`: TLS begins in this connection.
    StartTls,
    /// Anything else, by its name.
    Other(String),
    /// What cannot be read, and why.
    Malformed(String),
}

/// How a client binds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Without a name and a password.
    Anonymous,
    /// With a name and no password, which is as good as anonymous (RFC 4513 §5.1.2).
    Unauthenticated,
    /// With a password of so many bytes.
    Simple(usize),
    /// By a mechanism of SASL, which is refused.
    Sasl(String),
}

/// A server of LDAP.
#[derive(Debug, Default)]
pub struct Ldap {
    buffer: Vec<u8>,
    is_over: bool,
}

/// What it answers, what was asked, and whether the connection is to end.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// To be sent.
    pub bytes: Vec<u8>,
    /// In order.
    pub asked: Vec<Asked>,
    /// No more comes from here.
    pub ends: bool,
    /// What came behind `StartTLS`.
    pub rest: Option<Vec<u8>>,
}

impl Ldap {
    /// Takes what came.
    pub fn input(&mut self, bytes: &[u8]) -> Answer {
        let mut answer = Answer::default();
        if self.is_over {
            return answer;
        }
        self.buffer.extend(bytes);
        let mut used = 0;
        while !answer.ends {
            match split(&self.buffer[used..]) {
                Ok(None) => break,
                Ok(Some((0x30, body, length))) => {
                    one(body, &mut answer);
                    used += length;
                    if answer.asked.last() == Some(&Asked::StartTls) {
                        answer.rest = Some(self.buffer.split_off(used));
                        self.buffer.clear();
                        return answer;
                    }
                }
                Ok(Some((tag, ..))) => {
                    malformed(format!("a message begins with {tag:#04x}"), &mut answer);
                }
                Err(why) => malformed(why, &mut answer),
            }
        }
        self.is_over = answer.ends;
        self.buffer.drain(..used);
        answer
    }
}

/// Notice of Disconnection (RFC 4511 §4.4.1), and the end.
fn malformed(why: String, answer: &mut Answer) {
    let mut result = result(2);
    result.extend(tlv(0x8a, b"1.3.6.1.4.1.1466.20036"));
    answer.bytes.extend(message(&[0], 0x78, &result));
    answer.asked.push(Asked::Malformed(why));
    answer.ends = true;
}

/// Reads one message and answers it.
fn one(body: &[u8], answer: &mut Answer) {
    match read(body) {
        Err(why) => malformed(why, answer),
        Ok((id, asked, reply)) => {
            if let Some((tag, code)) = reply {
                answer.bytes.extend(message(id, tag, &result(code)));
            }
            answer.ends |= asked == Asked::Unbind;
            answer.asked.push(asked);
        }
    }
}

/// The tag and the result code of a reply.
type Reply = Option<(u8, u8)>;

/// A message's id, what it asks, and what is replied.
fn read(body: &[u8]) -> Result<(&[u8], Asked, Reply), String> {
    let (id, rest) = expect(body, 0x02, "the message id")?;
    if id.is_empty() || id.len() > 4 {
        return Err("the message id is no number of 31 bits".to_owned());
    }
    let (tag, op, _) = split(rest)?.ok_or("a message without an operation")?;
    Ok(match tag {
        0x60 => {
            let (asked, code) = bind(op)?;
            (id, asked, Some((0x61, code)))
        }
        0x42 => (id, Asked::Unbind, None),
        0x63 => {
            let (base, _) = expect(op, 0x04, "the search's base")?;
            (id, Asked::Search(text(base)), Some((0x65, 0)))
        }
        0x77 => {
            let (name, _) = expect(op, 0x80, "the request's name")?;
            let is_tls = name == START_TLS;
            let other = || Asked::Other(format!("extended request {}", text(name)));
            let asked = if is_tls { Asked::StartTls } else { other() };
            (id, asked, Some((0x78, if is_tls { 0 } else { 2 })))
        }
        // unwillingToPerform: there is nothing that could be changed.
        0x66 => (id, Asked::Other("modify".to_owned()), Some((0x67, 53))),
        0x68 => (id, Asked::Other("add".to_owned()), Some((0x69, 53))),
        0x4a => (id, Asked::Other("delete".to_owned()), Some((0x6b, 53))),
        0x6c => (id, Asked::Other("modify DN".to_owned()), Some((0x6d, 53))),
        0x6e => (id, Asked::Other("compare".to_owned()), Some((0x6f, 53))),
        0x50 => (id, Asked::Other("abandon".to_owned()), None),
        tag => return Err(format!("there is no operation {tag:#04x}")),
    })
}

fn bind(op: &[u8]) -> Result<(Asked, u8), String> {
    let (version, rest) = expect(op, 0x02, "the version")?;
    let version = version.iter().take(8).fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    let (name, rest) = expect(rest, 0x04, "the name")?;
    let (tag, body, _) = split(rest)?.ok_or("a bind without an authentication")?;
    let (how, code) = match tag {
        0x80 if body.is_empty() && name.is_empty() => (Auth::Anonymous, 0),
        0x80 if body.is_empty() => (Auth::Unauthenticated, 0),
        0x80 => (Auth::Simple(body.len()), 0),
        // authMethodNotSupported.
        0xa3 => (Auth::Sasl(text(expect(body, 0x04, "the mechanism")?.0)), 7),
        tag => return Err(format!("there is no authentication {tag:#04x}")),
    };
    Ok((Asked::Bind { name: text(name), version, how }, code))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Tag, contents and whole length of an element.
type Element<'a> = (u8, &'a [u8], usize);

/// The first element: tag, contents, and its whole length; none if it is not all there.
fn split(bytes: &[u8]) -> Result<Option<Element<'_>>, String> {
    let [tag, first, ..] = bytes else { return Ok(None) };
    let more = match first {
        0..=0x7f => 0,
        0x81..=0x84 => usize::from(first & 0x7f),
        _ => return Err(format!("a length of the form {first:#04x}, which LDAP does not have")),
    };
    let Some(digits) = bytes.get(2..2 + more) else { return Ok(None) };
    let length = if more == 0 {
        usize::from(*first)
    } else {
        digits.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte))
    };
    if length > LONGEST {
        return Err(format!("a length of {length} bytes"));
    }
    let whole = 2 + more + length;
    Ok(bytes.get(2 + more..whole).map(|body| (*tag, body, whole)))
}

/// The contents of an element with that tag, and what is behind it.
fn expect<'a>(bytes: &'a [u8], tag: u8, what: &str) -> Result<(&'a [u8], &'a [u8]), String> {
    match split(bytes)? {
        Some((found, body, length)) if found == tag => Ok((body, &bytes[length..])),
        Some((found, ..)) => Err(format!("{what} has the tag {found:#04x}")),
        None => Err(format!("{what} is missing")),
    }
}

/// An element; what is sent is short.
fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut all = vec![tag, u8::try_from(body.len()).unwrap_or(0x7f)];
    all.extend(body);
    all
}

/// `LDAPResult` without a DN and a text.
fn result(code: u8) -> Vec<u8> {
    [tlv(0x0a, &[code]), tlv(0x04, b""), tlv(0x04, b"")].concat()
}

fn message(id: &[u8], tag: u8, body: &[u8]) -> Vec<u8> {
    tlv(0x30, &[tlv(0x02, id), tlv(tag, body)].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn bind_of(name: &[u8], auth: &[u8]) -> Vec<u8> {
        let op = [tlv(2, &[3]), tlv(4, name), auth.to_vec()].concat();
        message(&[1], 0x60, &op)
    }

    #[rstest]
    #[case(b"", &[0x80, 0], Auth::Anonymous, 0)]
    #[case(b"cn=a", &[0x80, 0], Auth::Unauthenticated, 0)]
    #[case(b"cn=a", b"\x80\x03abc", Auth::Simple(3), 0)]
    #[case(b"", b"\xa3\x07\x04\x05PLAIN", Auth::Sasl("PLAIN".to_owned()), 7)]
    fn binds(#[case] name: &[u8], #[case] auth: &[u8], #[case] how: Auth, #[case] code: u8) {
        let answer = Ldap::default().input(&bind_of(name, auth));
        let name = text(name);
        assert_eq!(answer.asked, [Asked::Bind { name, version: 3, how }]);
        assert_eq!(answer.bytes, message(&[1], 0x61, &result(code)));
        assert!(!answer.ends);
    }

    #[test]
    fn a_session() {
        let search = message(&[2], 0x63, &tlv(4, b"dc=x"));
        let bytes = [bind_of(b"", &[0x80, 0]), search, message(&[3], 0x42, b"")].concat();
        let answer = Ldap::default().input(&bytes);
        assert_eq!(answer.asked[1..], [Asked::Search("dc=x".to_owned()), Asked::Unbind]);
        assert!(answer.ends);
    }

    #[test]
    fn what_follows_starttls_is_not_ldap() {
        let ask = message(&[1], 0x77, &tlv(0x80, START_TLS));
        let answer = Ldap::default().input(&[&ask[..], b"\x16\x03"].concat());
        assert_eq!(answer.asked, [Asked::StartTls]);
        assert_eq!(answer.rest.as_deref(), Some(&b"\x16\x03"[..]));
    }

    #[rstest]
    #[case(
        b"GET / HTTP/1.1\r\n\r\n \
        and so on and so on and so on and so on and so on and so on and so on"
    )]
    #[case(&[0x30, 0x80, 0, 0])]
    #[case(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff])]
    #[case(&[0x30, 3, 2, 1, 1])]
    #[case(&[0x30, 5, 2, 1, 1, 0x7f, 0])]
    fn what_cannot_be_read_ends_it(#[case] bytes: &[u8]) {
        let answer = Ldap::default().input(bytes);
        assert!(matches!(answer.asked[..], [Asked::Malformed(_)]), "{answer:?}");
        assert!(answer.ends && answer.bytes[0] == 0x30);
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces(bytes in prop::collection::vec(any::<u8>(), 0..99), size in 1_usize..9) {
            let whole = Ldap::default().input(&bytes);
            let mut ldap = Ldap::default();
            let asked: Vec<Asked> = bytes.chunks(size).flat_map(|c| ldap.input(c).asked).collect();
            prop_assert_eq!(whole.asked, asked);
        }
    }
}
