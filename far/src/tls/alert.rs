//! Alerts by name, and in plain words what who sends one says by it.

/// An alert (RFC 8446 §6, RFC 5246 §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// `AlertDescription`.
    pub code: u8,
    /// Its name there.
    pub name: &'static str,
    /// What its sender says of the other end.
    pub says: &'static str,
    /// Whether it is about the certificate.
    pub of_certificate: bool,
}

const fn row(code: u8, name: &'static str, says: &'static str) -> Alert {
    Alert { code, name, says, of_certificate: false }
}

const fn cert(code: u8, name: &'static str, says: &'static str) -> Alert {
    Alert { code, name, says, of_certificate: true }
}

/// Every alert that was ever registered with a name, by its code.
#[rustfmt::skip]
pub const ALERTS: &[Alert] = &[
    row(0, "close_notify", "it sends no more"),
    row(10, "unexpected_message", "a message came that has no place there"),
    row(20, "bad_record_mac", "a record could not be decrypted"),
    row(21, "decryption_failed", "a record could not be decrypted"),
    row(22, "record_overflow", "a record was too long"),
    row(30, "decompression_failure", "a record could not be decompressed"),
    row(40, "handshake_failure", "there is nothing that both ends can do, or it will not say what failed"),
    row(41, "no_certificate", "it has no certificate (SSL 3.0)"),
    cert(42, "bad_certificate", "the certificate is wrong: its name, time, signature, key or form, or from GnuTLS its CA; \
        the alert does not say which"),
    cert(43, "unsupported_certificate", "the certificate is of a kind, or for a purpose, that it does not take"),
    cert(44, "certificate_revoked", "the certificate was revoked"),
    cert(45, "certificate_expired", "the certificate has expired or is not valid now"),
    cert(46, "certificate_unknown", "something is wrong with the certificate that it does not say; \
        an app's own check of trust often ends so"),
    row(47, "illegal_parameter", "a field of the handshake is wrong"),
    cert(48, "unknown_ca", "it knows no CA that vouches for the certificate: the CA is not trusted there, or one between is missing"),
    row(49, "access_denied", "it will not go on, though the certificate is right"),
    row(50, "decode_error", "a message could not be read"),
    row(51, "decrypt_error", "a signature or a Finished of the handshake does not verify"),
    row(60, "export_restriction", "export rules forbid it"),
    row(70, "protocol_version", "the version that was chosen is not one that it takes"),
    row(71, "insufficient_security", "what was chosen is too weak for it"),
    row(80, "internal_error", "something failed within it"),
    row(86, "inappropriate_fallback", "it should not have fallen back to an older version"),
    row(90, "user_canceled", "it was canceled for a reason that is none of the protocol's"),
    row(100, "no_renegotiation", "it does not renegotiate"),
    row(109, "missing_extension", "an extension is missing"),
    row(110, "unsupported_extension", "an extension came that it had not offered"),
    row(111, "certificate_unobtainable", "the certificate could not be fetched"),
    row(112, "unrecognized_name", "it has no such name"),
    cert(113, "bad_certificate_status_response", "the OCSP response is wrong"),
    cert(114, "bad_certificate_hash_value", "the certificate is not the one of the hash"),
    row(115, "unknown_psk_identity", "it does not know that key"),
    row(116, "certificate_required", "it wants a certificate and got none"),
    row(117, "general_error", "something failed that it does not name"),
    row(120, "no_application_protocol", "no protocol of the ALPN is one that it takes"),
    row(121, "ech_required", "Encrypted ClientHello was not accepted"),
];

/// The alert with that code.
pub fn by_code(code: u8) -> Option<&'static Alert> {
    ALERTS.iter().find(|alert| alert.code == code)
}

/// Its name, or its number.
pub fn name(code: u8) -> String {
    by_code(code).map_or_else(|| code.to_string(), |alert| alert.name.to_owned())
}

/// The code of the alert with that name, or that number. An error has the nearest name, and them all.
pub fn code(name: &str) -> Result<u8, String> {
    let found = ALERTS.iter().find(|alert| alert.name == name).map(|alert| alert.code);
    found.or_else(|| name.parse().ok()).ok_or_else(|| {
        let all: Vec<&str> = ALERTS.iter().map(|alert| alert.name).collect();
        let near = all.iter().min_by_key(|known| strsim::levenshtein(name, known)).unwrap_or(&"");
        let all = all.join(", ");
        format!("there is no alert {name:?}; nearest is {near:?}; it is a number or one of: {all}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_each_other() {
        for alert in ALERTS {
            assert_eq!(by_code(alert.code), Some(alert));
            assert_eq!(code(alert.name), Ok(alert.code));
        }
        assert!(ALERTS.is_sorted_by_key(|alert| alert.code));
        assert_eq!((name(200), code("200")), ("200".to_owned(), Ok(200)));
        assert!(code("256").is_err());
        let err = code("unknown-ca").unwrap_err();
        assert!(err.contains("nearest is \"unknown_ca\""), "{err}");
    }
}
