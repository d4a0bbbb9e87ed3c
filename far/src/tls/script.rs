//! What the server does, as data.

use super::certs::Fault;
use crate::offer::{self, Script, scripts};

/// What a script does.
#[derive(Debug)]
pub struct Row {
    /// What is done with a `ClientHello`.
    pub serve: Serve,
    /// What is wrong with the certificate.
    pub fault: Fault,
    /// The same in words, behind "a certificate that"; empty if nothing is.
    pub flaw: &'static str,
}

/// What is done with a `ClientHello`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serve {
    /// It is answered, by versions 1.2 and 1.3.
    Tls,
    /// It is answered, by version 1.2 alone.
    Tls12,
    /// It is answered, by version 1.3 alone.
    Tls13,
    /// It is answered, and whoever offers an ALPN has none that is taken.
    NoAlpn,
    /// It is answered by a `ServerHello` of that old version and no more.
    Old(u16),
    /// Nothing is, ever.
    Silent,
    /// It is answered as if it were a request of what is spoken without TLS.
    Plain,
    /// The connection is closed.
    Close,
    /// The connection is reset.
    Reset,
}

const fn row(name: &'static str, about: &'static str, serve: Serve) -> (Script, Row) {
    offer::row(name, about, Row { serve, fault: Fault::None, flaw: "" })
}

const fn cert(
    name: &'static str,
    about: &'static str,
    fault: Fault,
    flaw: &'static str,
) -> (Script, Row) {
    offer::row(name, about, Row { serve: Serve::Tls, fault, flaw })
}

/// Every script; the first is the default.
#[rustfmt::skip]
pub const ROWS: &[(Script, Row)] = &[
    row("good", "a certificate for localhost, 127.0.0.1 and ::1 that the given CA has signed, valid for 90 days",
        Serve::Tls),
    cert("self-signed", "the certificate is signed by its own key", Fault::SelfSigned,
        "is signed by its own key"),
    cert("other-ca", "the certificate is signed by another CA than the given one", Fault::OtherCa,
        "is signed by a CA that nobody was given"),
    cert("missing-intermediate", "a CA between is not sent", Fault::NoIntermediate,
        "came without the CA between it and the root"),
    cert("wrong-name", "the certificate is for wrong.example", Fault::Name, "is for wrong.example"),
    cert("no-san", "the certificate has only a CN, localhost, and no subject alternative name", Fault::NoSan,
        "has a CN and no subject alternative name"),
    cert("expired", "the certificate was valid until yesterday", Fault::Expired, "has expired"),
    cert("not-yet-valid", "the certificate is valid from tomorrow on", Fault::NotYet, "is not yet valid"),
    cert("too-long-825", "it is valid for 826 days: Apple takes 825 (certificates since July 2019)",
        Fault::Days(826), "is valid for 826 days"),
    cert("too-long-398",
        "it is valid for 399 days: Apple takes 398 of a CA that came with the system (since September 2020)",
        Fault::Days(399), "is valid for 399 days"),
    cert("sha1", "the certificate's signature is over SHA-1, by RSA of 2048 bits", Fault::Sha1,
        "is signed over SHA-1"),
    cert("small-key", "the certificate's key is RSA of 1024 bits", Fault::SmallKey,
        "has an RSA key of 1024 bits"),
    cert("wrong-purpose", "the certificate is for clients (extended key usage clientAuth alone)",
        Fault::Purpose, "is for clients, not for servers"),
    row("tls1.3-only", "good, by TLS 1.3 alone", Serve::Tls13),
    row("tls1.2-only", "good, by TLS 1.2 alone", Serve::Tls12),
    row("tls1.1", "a ServerHello of TLS 1.1 and no more", Serve::Old(0x0302)),
    row("tls1.0", "a ServerHello of TLS 1.0 and no more", Serve::Old(0x0301)),
    row("no-alpn", "good, but no protocol of an ALPN is taken: no_application_protocol", Serve::NoAlpn),
    row("silent", "accepts, reads and never answers", Serve::Silent),
    row("plain", "speaks HTTP, or LDAP if that is asked for, without TLS", Serve::Plain),
    row("close-after-hello", "closes (FIN) once the ClientHello came", Serve::Close),
    row("reset-after-hello", "resets (RST) once the ClientHello came", Serve::Reset),
];

/// [`ROWS`] as they are offered.
pub const SCRIPTS: [Script; ROWS.len()] = scripts(ROWS);
