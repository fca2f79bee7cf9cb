//! Instants on the command line.

use std::str::FromStr;

use crate::base::clock::Timestamp;
use crate::base::instant::parse_instant;

/// An instant with its zone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past(pub(super) Timestamp);

impl FromStr for Past {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = parse_instant(text).ok_or("an instant with its zone belongs here, such as 2026-01-31T12:00:00Z")?;
        Ok(Self(at))
    }
}
