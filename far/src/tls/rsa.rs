//! RSA keys and signatures that today's libraries of TLS refuse to make: short ones, and over SHA-1.

use ::rsa::sha2::digest::common::getrandom::SysRng;
use ::rsa::sha2::{Digest as _, Sha256};
use ::rsa::traits::PublicKeyParts as _;
use ::rsa::{Pkcs1v15Sign, PrivateKey, Pss};
use rcgen::{PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm};
use rustls::SignatureScheme;
use rustls::sign::{Signer, SigningKey};
use sha1::Sha1;

/// `sha256WithRSAEncryption` (RFC 4055 §5), and `sha1WithRSAEncryption`, which differs from it in the last byte.
const SHA256_WITH_RSA: [u8; 11] = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
const SHA1_WITH_RSA: [u8; 11] = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5];

/// A key, and whether it signs certificates over SHA-1.
#[derive(Clone, Debug)]
pub(super) struct Rsa {
    key: PrivateKey,
    /// `RSAPublicKey` (RFC 8017 §A.1.1).
    public: Vec<u8>,
    over_sha1: bool,
}

impl Rsa {
    /// A new one of so many bits.
    pub(super) fn new(bits: usize, over_sha1: bool) -> Result<Self, String> {
        let key = PrivateKey::new(&mut SysRng, bits).map_err(|e| e.to_string())?;
        let both = [integer(&key.n_bytes()), integer(&key.e_bytes())].concat();
        Ok(Self { public: element(0x30, &both), key, over_sha1 })
    }

    /// The same key; what it signs from now on is over SHA-256.
    pub(super) fn over_sha256(&self) -> Self {
        Self { over_sha1: false, ..self.clone() }
    }
}

/// A certificate, or what of it is signed, with SHA-1 where SHA-256 was named.
pub(super) fn named_sha1(der: &[u8]) -> Vec<u8> {
    let mut all = der.to_vec();
    let mut at = 0;
    while let Some(there) = all[at..].windows(11).position(|w| w == SHA256_WITH_RSA) {
        all[at + there..][..11].copy_from_slice(&SHA1_WITH_RSA);
        at += there;
    }
    all
}

impl PublicKeyData for Rsa {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for Rsa {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signed = if self.over_sha1 {
            let digest = Sha1::digest(named_sha1(message));
            self.key.sign(Pkcs1v15Sign::new::<Sha1>(), &digest)
        } else {
            self.key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message))
        };
        signed.map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// One signature of a handshake.
#[derive(Debug)]
struct One(PrivateKey, SignatureScheme);

impl SigningKey for Rsa {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let able = [SignatureScheme::RSA_PSS_SHA256, SignatureScheme::RSA_PKCS1_SHA256];
        let scheme = able.into_iter().find(|scheme| offered.contains(scheme))?;
        Some(Box::new(One(self.key.clone(), scheme)))
    }

    fn algorithm(&self) -> rustls::SignatureAlgorithm {
        rustls::SignatureAlgorithm::RSA
    }
}

impl Signer for One {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let digest = Sha256::digest(message);
        let signed = match self.1 {
            SignatureScheme::RSA_PSS_SHA256 => self.0.sign(Pss::<Sha256>::new(), &digest),
            _ => self.0.sign(Pkcs1v15Sign::new::<Sha256>(), &digest),
        };
        signed.map_err(|e| rustls::Error::General(e.to_string()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.1
    }
}

/// An element of DER.
fn element(tag: u8, body: &[u8]) -> Vec<u8> {
    let [.., high, low] = body.len().to_be_bytes();
    let mut all = match body.len() {
        0..=0x7f => vec![tag, low],
        0x80..=0xff => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    all.extend(body);
    all
}

/// A number that is not negative, from its bytes without leading zeros.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let sign = bytes.first().is_none_or(|byte| byte & 0x80 != 0);
    element(2, &[if sign { &[0][..] } else { &[] }, bytes].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_der() {
        assert_eq!(integer(&[1, 0, 1]), [2, 3, 1, 0, 1]);
        assert_eq!(integer(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(element(4, &[0; 0x80])[..3], [4, 0x81, 0x80]);
        assert_eq!(element(4, &[0; 0x100])[..4], [4, 0x82, 1, 0]);
    }

    #[test]
    fn only_the_name_of_the_hash_is_another() {
        let der = [&SHA256_WITH_RSA[..], &[7, 8], &SHA256_WITH_RSA].concat();
        assert_eq!(named_sha1(&der), [&SHA1_WITH_RSA[..], &[7, 8], &SHA1_WITH_RSA].concat());
        assert_eq!(named_sha1(b"nothing"), b"nothing");
    }
}
