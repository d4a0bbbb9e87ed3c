//! Schemes by which a proxy asks who is there (RFC 9110 §11), and what a client answers. Nothing is checked: whatever
//! comes by the right scheme lets in. What is secret is neither kept nor told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::text;

/// A scheme of a 407.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 7617.
    Basic,
    /// RFC 7616.
    Digest,
    /// MS-NTHT §2.1.
    Ntlm,
    /// RFC 4559.
    Negotiate,
}

/// Credentials that came, without what is secret in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The scheme as the client wrote it, or `SOCKS5 user/password`.
    pub scheme: String,
    /// The user's name, if it can be read.
    pub user: Option<String>,
    /// What else can be said: `step 1 of 2`.
    pub about: &'static str,
}

/// What a request's credentials come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is let in.
    Enter,
    /// It gets a 407 with that `Proxy-Authenticate`.
    Ask(String),
}

const NONCE: &str = "c29ja2V5ZSBhc2tzIHdobyBpcyB0aGVyZQ==";
const SIGNATURE: &[u8] = b"NTLMSSP\0";

impl Scheme {
    /// As it is written in a header.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Digest => "Digest",
            Self::Ntlm => "NTLM",
            Self::Negotiate => "Negotiate",
        }
    }

    /// What a client is asked that said nothing yet.
    fn challenge(self) -> String {
        match self {
            Self::Basic => "Basic realm=\"sockeye\", charset=\"UTF-8\"".to_owned(),
            Self::Digest => format!(
                "Digest realm=\"sockeye\", qop=\"auth\", algorithm=SHA-256, nonce=\"{NONCE}\""
            ),
            Self::Ntlm | Self::Negotiate => self.name().to_owned(),
        }
    }

    /// What a `Proxy-Authorization` is worth.
    pub(super) fn answer(self, header: Option<&str>) -> (Answer, Option<Credentials>) {
        let Some(header) = header else { return (Answer::Ask(self.challenge()), None) };
        let (word, rest) = header.split_once(' ').unwrap_or((header, ""));
        let is_asked = word.eq_ignore_ascii_case(self.name());
        let token = STANDARD.decode(rest.trim()).unwrap_or_default();
        let (user, about) = match word.to_ascii_lowercase().as_str() {
            "basic" => {
                let end = token.iter().position(|b| *b == b':').unwrap_or(0);
                (Some(text::lossy(&token[..end])), "")
            }
            "digest" => (field(rest, "username"), ""),
            "ntlm" | "negotiate" => (ntlm_user(&token), kind(&token)),
            _ => (None, ""),
        };
        let wants_more = matches!(self, Self::Ntlm | Self::Negotiate) && is_first(&token);
        let answer = match is_asked {
            true if wants_more => Answer::Ask(format!("{} {}", self.name(), type_2())),
            true => Answer::Enter,
            false => Answer::Ask(self.challenge()),
        };
        (answer, Some(Credentials { scheme: text::cut(word), user, about }))
    }
}

/// The value of a quoted field of Digest.
fn field(text: &str, name: &str) -> Option<String> {
    let at = text.find(&format!("{name}=\""))? + name.len() + 2;
    text[at..].split('"').next().map(text::cut)
}

fn message_type(token: &[u8]) -> Option<u8> {
    token.strip_prefix(SIGNATURE)?.first().copied()
}

fn is_first(token: &[u8]) -> bool {
    message_type(token) == Some(1)
}

/// What a token is (MS-NLMP §2.2.1, RFC 4178 §4.2).
fn kind(token: &[u8]) -> &'static str {
    match (message_type(token), token.first()) {
        (Some(1), _) => "NTLM, step 1 of 2",
        (Some(3), _) => "NTLM, step 2 of 2",
        (_, Some(0x60)) => "SPNEGO, Kerberos perhaps",
        (_, None) => "an empty token",
        _ => "a token that is none known",
    }
}

/// `UserNameFields` of the last message (MS-NLMP §2.2.1.3).
fn ntlm_user(token: &[u8]) -> Option<String> {
    if message_type(token) != Some(3) {
        return None;
    }
    let u16_at = |i: usize| Some(u16::from_le_bytes(token.get(i..i + 2)?.try_into().ok()?));
    let u32_at = |i: usize| Some(u32::from_le_bytes(token.get(i..i + 4)?.try_into().ok()?));
    let (len, at) = (usize::from(u16_at(36)?), usize::try_from(u32_at(40)?).ok()?);
    let name = token.get(at..at.checked_add(len)?)?;
    let is_unicode = u32_at(60)? & 1 != 0;
    if !is_unicode {
        return Some(text::lossy(name));
    }
    let (pairs, _) = name.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    Some(text::cut(&String::from_utf16_lossy(&units)))
}

/// `CHALLENGE_MESSAGE` (MS-NLMP §2.2.1.2): Unicode, NTLM, target information that has an end alone.
fn type_2() -> String {
    let mut message = SIGNATURE.to_vec();
    message.extend(2u32.to_le_bytes());
    // TargetNameFields: none, behind the fixed part.
    message.extend([0, 0, 0, 0, 48, 0, 0, 0]);
    // UNICODE, REQUEST_TARGET, NTLM, ALWAYS_SIGN, EXTENDED_SESSIONSECURITY, TARGET_INFO.
    message.extend(0x0088_8205_u32.to_le_bytes());
    message.extend(*b"sockeye!");
    message.extend([0; 8]);
    message.extend([4, 0, 4, 0, 48, 0, 0, 0]);
    // MsvAvEOL.
    message.extend([0; 4]);
    STANDARD.encode(message)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const BASIC: &str = "Basic YWxpY2U6c2VjcmV0";
    const DIGEST: &str = "Digest username=\"alice\", realm=\"sockeye\", response=\"secret\"";

    fn ntlm(kind: u8) -> String {
        let mut message = SIGNATURE.to_vec();
        message.extend([kind, 0, 0, 0]);
        message.resize(64, 0);
        (message[36], message[40], message[60]) = (10, 64, 1);
        message.extend("alice".encode_utf16().flat_map(u16::to_le_bytes));
        STANDARD.encode(message)
    }

    #[rstest]
    #[case(Scheme::Basic, None, false, None)]
    #[case(Scheme::Basic, Some(BASIC.to_owned()), true, Some("alice"))]
    #[case(Scheme::Digest, Some(BASIC.to_owned()), false, Some("alice"))]
    #[case(Scheme::Digest, Some(DIGEST.to_owned()), true, Some("alice"))]
    #[case(Scheme::Basic, Some(DIGEST.to_owned()), false, Some("alice"))]
    #[case(Scheme::Ntlm, Some(format!("NTLM {}", ntlm(1))), false, None)]
    #[case(Scheme::Ntlm, Some(format!("NTLM {}", ntlm(3))), true, Some("alice"))]
    #[case(Scheme::Negotiate, Some(format!("Negotiate {}", ntlm(1))), false, None)]
    #[case(Scheme::Negotiate, Some("Negotiate YAA=".to_owned()), true, None)]
    #[case(Scheme::Ntlm, Some("Negotiate YAA=".to_owned()), false, None)]
    #[case(Scheme::Basic, Some("Basic !".to_owned()), true, Some(""))]
    fn who_is_there_is_told_and_the_secret_is_not(
        #[case] scheme: Scheme,
        #[case] header: Option<String>,
        #[case] enters: bool,
        #[case] user: Option<&str>,
    ) {
        let (answer, credentials) = scheme.answer(header.as_deref());
        assert_eq!(answer == Answer::Enter, enters);
        assert_eq!(credentials.as_ref().and_then(|c| c.user.as_deref()), user);
        assert!(!format!("{credentials:?}").contains("secret"));
        if let Answer::Ask(challenge) = answer {
            assert!(challenge.starts_with(scheme.name()), "{challenge}");
        }
    }

    #[test]
    fn any_token_is_read_to_its_end() {
        let whole = STANDARD.decode(ntlm(3)).unwrap();
        for len in 0..whole.len() {
            let header = format!("NTLM {}", STANDARD.encode(&whole[..len]));
            let (_, credentials) = Scheme::Ntlm.answer(Some(&header));
            assert_eq!(credentials.unwrap().user, None, "{len}");
        }
    }
}
