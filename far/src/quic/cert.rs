//! Certificates, made when a server starts: an authority that a client is given to trust, and what it signed.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Whose names a certificate has.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const DAY: Duration = Duration::from_hours(24);
/// How long one is good for; Apple's systems take no more than 398 days of many.
const DAYS: u32 = 90;

/// What is odd about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    Nothing,
    /// It is signed by itself, not by the authority.
    SelfSigned,
    /// It is another host's.
    WrongName,
    /// It ended in 2020.
    Expired,
}

/// A certificate, its key, and the authority.
pub(super) struct Made {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) ca: String,
}

/// Makes them.
pub(super) fn make(odd: Odd) -> Result<Made, rcgen::Error> {
    let mut authority = params(&[], "sockeye control, an authority of one run")?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    let ca = authority.self_signed(&authority_key)?;
    let names: &[&str] = if odd == Odd::WrongName { &["wrong.example"] } else { &NAMES };
    let mut leaf = params(names, names[0])?;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    if odd == Odd::Expired {
        leaf.not_before = date_time_ymd(2020, 1, 1);
        leaf.not_after = date_time_ymd(2020, 2, 1);
    }
    let key = KeyPair::generate()?;
    // The authority is sent, too: who pins a key of the chain, as Chromium can, has it from the file.
    let chain = if odd == Odd::SelfSigned {
        vec![leaf.self_signed(&key)?.into()]
    } else {
        let made = leaf.signed_by(&key, &Issuer::new(authority, authority_key))?;
        vec![made.into(), ca.der().clone()]
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(Made { chain, key, ca: ca.pem() })
}

fn params(names: &[&str], common: &str) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, common);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = date_time_ymd(1970, 1, 1) + now;
    params.not_before = now - DAY;
    params.not_after = now + DAY * DAYS;
    Ok(params)
}
