//! What stands for everything that was before.

use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// A SHA-256 digest (FIPS 180-4); printed as 64 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// What the first event of a log follows: the digest of the tenant's public id. Two logs never share a hash.
    #[must_use]
    pub fn genesis(tenant: &str) -> Self {
        Self::of(tenant.as_bytes())
    }

    /// Reads 64 hex digits; upper case is refused, so that a hash has one text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let pairs = text.as_bytes().chunks_exact(2);
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<Sha256> for Hash {
    fn from(digest: Sha256) -> Self {
        Self(digest.finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit = |value: u8| char::from(DIGITS[usize::from(value & 0xf)]);
        let mut digits = self.0.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]);
        digits.try_for_each(|digit| f.write_char(digit))
    }
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_one_text() {
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let hash = Hash::of(b"abc");
        assert_eq!(hash.to_string(), text);
        assert_eq!(Hash::parse(text), Some(hash));
        for wrong in [
            "",
            &text[1..],
            &text.to_uppercase(),
            &format!("{text}0"),
            &text.replace('b', "g"),
            &format!("é{}", &text[2..]),
        ] {
            assert_eq!(Hash::parse(wrong), None, "{wrong}");
        }
    }
}
