//! Signatures: Ed25519 (RFC 8032) and ES256, ECDSA with P-256 and SHA-256 (RFC 7518 §3.4).

use std::fmt;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    ParsedPublicKey,
};

use super::error::Error;
use super::jwk;
use crate::base::secret::Secret;

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Deterministic: the log's checkpoints and heads.
    Ed25519,
    /// What receivers of security event tokens must know.
    Es256,
}

impl Algorithm {
    /// `alg` of a JWS header and of a JWK (RFC 9864 §2.2, RFC 7518 §3.1).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::Es256 => "ES256",
        }
    }

    /// Reads such a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "Ed25519" => Some(Self::Ed25519),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
}

/// A key that signs, made of 32 bytes.
pub struct SigningKey {
    pair: Pair,
    public: PublicKey,
}

impl SigningKey {
    /// The key of a secret: the seed of RFC 8032 §5.1.5, or the number `d` of RFC 7518 §6.2.2.1.
    ///
    /// # Errors
    /// [`Error::NotASecret`] when the number is not below the order of P-256, or 0.
    pub fn of(algorithm: Algorithm, secret: &Secret<[u8; 32]>) -> Result<Self, Error> {
        let secret = secret.expose();
        let (pair, bytes) = match algorithm {
            Algorithm::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(secret).map_err(|_| Error::NotASecret)?;
                let public = pair.public_key().as_ref().to_vec();
                (Pair::Ed25519(pair), public)
            }
            Algorithm::Es256 => {
                // The library makes a pair of both halves only, and knows the public one of an agreement's key.
                let agreeing = PrivateKey::from_private_key(&ECDH_P256, secret).map_err(|_| Error::NotASecret)?;
                let public = agreeing.compute_public_key().map_err(|_| Error::NotASecret)?;
                let pair = EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    secret,
                    public.as_ref(),
                );
                (
                    Pair::Es256(pair.map_err(|_| Error::NotASecret)?),
                    public.as_ref().to_vec(),
                )
            }
        };
        let public = PublicKey::of(algorithm, &bytes)?;
        Ok(Self { pair, public })
    }

    /// The half that may be known.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signature: 64 bytes for both algorithms.
    ///
    /// ES256 draws a number inside the library, so that two signatures of one message differ; Ed25519 does not.
    ///
    /// # Errors
    /// When the library fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = match &self.pair {
            Pair::Ed25519(pair) => pair.try_sign(message),
            Pair::Es256(pair) => pair.sign(&SystemRandom::new(), message),
        };
        Ok(signature.map_err(|_| Error::Library)?.as_ref().to_vec())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.kid)
    }
}

/// A key that tells whether a signature holds.
#[derive(Clone)]
pub struct PublicKey {
    algorithm: Algorithm,
    bytes: Vec<u8>,
    parsed: ParsedPublicKey,
    kid: String,
}

impl PublicKey {
    /// A key of its bytes: 32 of RFC 8032 §5.1.5, or a point as `04`, x and y (SEC 1 §2.3.3).
    ///
    /// # Errors
    /// [`Error::NotAKey`] when the bytes are none, or the point is not on the curve.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, Error> {
        let parsed = match algorithm {
            Algorithm::Ed25519 => ParsedPublicKey::new(&ED25519, bytes),
            Algorithm::Es256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes),
        };
        Ok(Self {
            algorithm,
            bytes: bytes.to_vec(),
            parsed: parsed.map_err(|_| Error::NotAKey)?,
            kid: jwk::thumbprint(algorithm, bytes).ok_or(Error::NotAKey)?,
        })
    }

    /// How it signs.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its id: the thumbprint of RFC 7638 with SHA-256, so the same key has the same id everywhere.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether this key signed the message.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.kid == other.kid
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.kid)
    }
}
