//! Certificates, good and wrong in one way each, made when asked for and kept in memory alone.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::ring::sign::any_ecdsa_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use rustls::{ServerConfig, SupportedProtocolVersion};

use super::rsa::{self, Rsa};

/// The days that a certificate is valid unless that is what is wrong with it.
const DAYS: u32 = 90;
/// Whom it is for unless that is what is wrong with it.
const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It is signed by its own key.
    SelfSigned,
    /// It is signed by another CA than the one that a client is given.
    OtherCa,
    /// It is for another host.
    Name,
    /// It has no subject alternative name; its CN is localhost.
    NoSan,
    /// It was valid until yesterday.
    Expired,
    /// It is valid from tomorrow on.
    NotYet,
    /// It is valid for so many days.
    Days(u32),
    /// Its signature is over SHA-1.
    Sha1,
    /// Its key is RSA of 1024 bits.
    SmallKey,
    /// It is signed by a CA between, whose certificate is not sent.
    NoIntermediate,
    /// It is for clients.
    Purpose,
}

/// What a server has to show.
#[derive(Clone)]
pub struct Identity {
    /// Its certificate, and those between it and the CA that are sent.
    pub chain: Vec<CertificateDer<'static>>,
    /// What it signs a handshake with.
    pub key: Arc<dyn SigningKey>,
    /// The CA that a client is to trust, as PEM.
    pub ca: String,
}

impl Identity {
    /// A library's server that has it.
    pub(crate) fn config(
        self,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Result<ServerConfig, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(|e| e.to_string())?;
        let resolver = Arc::new(SingleCertAndKey::from(CertifiedKey::new(self.chain, self.key)));
        Ok(builder.with_no_client_auth().with_cert_resolver(resolver))
    }
}

/// The first of them that a certificate cannot be for, and why.
pub fn wrong_name(names: &[String]) -> Option<(&str, &'static str)> {
    names.iter().enumerate().find_map(|(at, name)| {
        let twice = || names[..at].iter().any(|before| before.eq_ignore_ascii_case(name));
        let why = match name {
            name if !is_host(name) => "is no name of a certificate",
            _ if twice() => "stands twice among the names of a certificate",
            _ => return None,
        };
        Some((name.as_str(), why))
    })
}

/// Whether it is an address, or a name that a host may have (RFC 952, RFC 1123 §2.1), or has with an underscore all the
/// same; the first label may be `*` (RFC 9525 §6.3).
pub fn is_host(name: &str) -> bool {
    let plain = |label: &str| {
        let is_of = |c: u8| c.is_ascii_alphanumeric() || b"-_".contains(&c);
        let is_bare = !label.starts_with('-') && !label.ends_with('-');
        (1..=63).contains(&label.len()) && label.bytes().all(is_of) && is_bare
    };
    let rest = name.strip_prefix("*.").unwrap_or(name);
    name.parse::<IpAddr>().is_ok() || name.len() <= 253 && rest.split('.').all(plain)
}

/// Makes one; `names` are whom it is for besides this host, `now` is since 1970.
pub fn make(fault: Fault, names: &[String], now: Duration) -> Result<Identity, String> {
    if let Some((name, why)) = wrong_name(names) {
        let name: String = name.chars().take(64).collect();
        return Err(format!("{name:?} {why}"));
    }
    build(fault, names, now).map_err(|e| format!("a certificate cannot be made: {e}"))
}

fn build(fault: Fault, names: &[String], now: Duration) -> Result<Identity, String> {
    let leaf = leaf(fault, names, now)?;
    if fault == Fault::Sha1 {
        return over_sha1(&leaf, now);
    }
    let root = authority("sockeye control CA", now)?;
    let ca = root.pem();
    if fault == Fault::SmallKey {
        let key = Rsa::new(1024, false)?;
        let chain = vec![signed(&leaf, &key, &root)?];
        return Ok(Identity { chain, key: Arc::new(key), ca });
    }
    let key = KeyPair::generate().map_err(|e| e.to_string())?;
    let chain = vec![match fault {
        Fault::SelfSigned => leaf.self_signed(&key).map_err(|e| e.to_string())?.der().clone(),
        // Another of the same name would be found and its key not match, which clients call a bad signature.
        Fault::OtherCa => signed(&leaf, &key, &*authority("some other CA", now)?)?,
        Fault::NoIntermediate => {
            let params = authority_params("sockeye control intermediate CA", now);
            let own = KeyPair::generate().map_err(|e| e.to_string())?;
            let between =
                CertifiedIssuer::signed_by(params, own, &root).map_err(|e| e.to_string())?;
            signed(&leaf, &key, &between)?
        }
        _ => signed(&leaf, &key, &root)?,
    }];
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = any_ecdsa_type(&der).map_err(|e| e.to_string())?;
    Ok(Identity { chain, key, ca })
}

/// A chain that is good but for the hash of the signature of its first.
fn over_sha1(leaf: &CertificateParams, now: Duration) -> Result<Identity, String> {
    let key = KeyPair::generate().map_err(|e| e.to_string())?;
    let own = Rsa::new(2048, true)?;
    let params = authority_params("sockeye control CA", now);
    let root = params.self_signed(&own.over_sha256()).map_err(|e| e.to_string())?;
    let der = signed(leaf, &key, &Issuer::new(params, own))?;
    let chain = vec![CertificateDer::from(rsa::named_sha1(&der))];
    let pkcs8 = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = any_ecdsa_type(&pkcs8).map_err(|e| e.to_string())?;
    Ok(Identity { chain, key, ca: root.pem() })
}

fn signed(
    leaf: &CertificateParams,
    key: &impl rcgen::PublicKeyData,
    issuer: &Issuer<'_, impl rcgen::SigningKey>,
) -> Result<CertificateDer<'static>, String> {
    let signed = leaf.signed_by(key, issuer).map_err(|e| e.to_string())?;
    Ok(signed.der().clone())
}

fn authority(name: &str, now: Duration) -> Result<CertifiedIssuer<'static, KeyPair>, String> {
    let key = KeyPair::generate().map_err(|e| e.to_string())?;
    CertifiedIssuer::self_signed(authority_params(name, now), key).map_err(|e| e.to_string())
}

fn authority_params(name: &str, now: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params, now, -10, 3650);
    params
}

fn leaf(fault: Fault, names: &[String], now: Duration) -> Result<CertificateParams, String> {
    let hosts: Vec<String> = match fault {
        Fault::NoSan => Vec::new(),
        Fault::Name => vec!["wrong.example".to_owned()],
        _ => HOSTS.iter().map(|&host| host.to_owned()).chain(names.iter().cloned()).collect(),
    };
    let name = hosts.first().map_or("localhost", String::as_str).to_owned();
    let mut params = CertificateParams::new(hosts).map_err(|e| e.to_string())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if fault == Fault::SmallKey {
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    params.extended_key_usages = vec![match fault {
        Fault::Purpose => ExtendedKeyUsagePurpose::ClientAuth,
        _ => ExtendedKeyUsagePurpose::ServerAuth,
    }];
    params.use_authority_key_identifier_extension = fault != Fault::SelfSigned;
    match fault {
        Fault::Expired => valid(&mut params, now, -31, 30),
        Fault::NotYet => valid(&mut params, now, 1, DAYS),
        Fault::Days(days) => valid(&mut params, now, -1, days),
        _ => valid(&mut params, now, -1, DAYS),
    }
    Ok(params)
}

/// Valid from that many days after now on, for so many days.
fn valid(params: &mut CertificateParams, now: Duration, from: i32, days: u32) {
    const DAY: u64 = 86_400;
    let shift = Duration::from_secs(u64::from(from.unsigned_abs()) * DAY);
    let now = date_time_ymd(1970, 1, 1) + Duration::from_secs(now.as_secs());
    params.not_before = if from < 0 { now - shift } else { now + shift };
    // Both ends belong to it (RFC 5280 §4.1.2.5).
    params.not_after = params.not_before + Duration::from_secs(u64::from(days) * DAY - 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_for_hosts_each_once() {
        let long = format!("{}.example", "a".repeat(64));
        for good in ["a.example", "*.a.example", "a_b", "xn--bcher-kva.example", "192.0.2.1", "::1"]
        {
            assert!(is_host(good), "{good}");
        }
        for bad in
            ["", "-bad-.example", "a-.example", "a..b", "a.", "*", "a.*.b", "a b", "ä", &long]
        {
            assert!(!is_host(bad), "{bad}");
            let why = make(Fault::None, &[bad.to_owned()], Duration::ZERO).err().unwrap();
            assert!(why.contains("is no name of a certificate"), "{why}");
        }
        let twice = ["a.example", "b", "A.example"].map(str::to_owned);
        assert_eq!(wrong_name(&twice).map(|(name, _)| name), Some("A.example"));
        assert_eq!(wrong_name(&twice[..2]), None);
    }
}
