//! The request budget of one connection.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// Requests a second that one connection may send; the burst is twice that. `off` lifts the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// No limit.
    Off,
    /// Requests a second.
    PerSecond(NonZeroU32),
}

/// Entra needs 25 requests a second; a first import by several workers reaches hundreds.
const DEFAULT_PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);

impl Default for RateLimit {
    fn default() -> Self {
        Self::PerSecond(DEFAULT_PER_SECOND)
    }
}

impl FromStr for RateLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("off") {
            return Ok(Self::Off);
        }
        text.parse()
            .map(Self::PerSecond)
            .map_err(|_| format!("`{text}` is neither `off` nor a number of requests a second from 1"))
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::PerSecond(n) => n.fmt(f),
        }
    }
}

impl Serialize for RateLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RateLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// A file may say `rate_limit = 500` as well as `rate_limit = "off"`.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u64),
            Text(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Number(n) => n.to_string(),
            Written::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_a_thousand_a_second() {
        assert_eq!(RateLimit::default().to_string(), "1000");
    }

    #[test]
    fn zero_and_words_are_refused() {
        for text in ["0", "-1", "fast", ""] {
            assert!(text.parse::<RateLimit>().is_err(), "{text}");
        }
        assert_eq!("OFF".parse(), Ok(RateLimit::Off));
    }
}
