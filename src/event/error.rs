//! Why something of the log could not be read, opened or signed.

/// Why something of the log could not be read, opened or signed. No text repeats what was read: it may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text has not the form that Muster gives it; the word says which text.
    #[error("this is no {0} as Muster writes it")]
    Unreadable(&'static str),
    /// A line of a key file, counted from 1.
    #[error("line {0} of the key file is not `wrap ID KEY`, or its id was there before")]
    KeyLine(usize),
    /// A key file without a key.
    #[error("the key file holds no key")]
    NoKey,
    /// Sealed under a wrapping key that the key file does not hold.
    #[error("the key file holds no key `{0}`")]
    UnknownWrap(String),
    /// What is sealed does not open: another key, another place, or changed bytes. Which of them cannot be known.
    #[error("what is sealed does not open with this key at this place")]
    Sealed,
    /// These 32 bytes are no private key of the algorithm. Another draw is; the chance of it is below 2⁻³¹.
    #[error("these bytes are no private key")]
    NotASecret,
    /// A JWK of another kind, without what it needs, with a private part, or a point that is not on the curve.
    #[error("this is no public key that Muster knows: Ed25519 (OKP) or P-256 (EC)")]
    NotAKey,
    /// The token is signed by no key that is trusted, or is not what was signed.
    #[error("the signature does not hold")]
    Unproven,
    /// The cryptographic library refused: it is broken or out of memory.
    #[error("the cryptographic library failed")]
    Library,
}
