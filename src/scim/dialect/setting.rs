//! What an operator says about the dialect of a connection.

use std::fmt;
use std::str::FromStr;

use super::Client;

/// How a connection treats requests that are not quite RFC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Setting {
    /// Recognise the client by what it sends; tolerate what clients are known to send.
    #[default]
    Auto,
    /// Tolerate nothing.
    Strict,
    /// Tolerate nothing, and refuse what the interoperability profile refuses beside: see [`crate::scim::profile`].
    InteropProfile,
    /// Expect this client, whatever its requests look like.
    Named(Client),
}

/// A dialect name nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown dialect `{0}`, expected one of {known}", known = Setting::list())]
pub struct UnknownSetting(String);

impl Setting {
    /// Every setting in the order a help text should show them.
    pub fn all() -> impl Iterator<Item = Self> {
        let named = Client::ALL.iter().copied().map(Self::Named);
        [Self::Auto, Self::Strict, Self::InteropProfile]
            .into_iter()
            .chain(named)
    }

    /// The word for it; [`FromStr`] reads it back.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Strict => "strict",
            Self::InteropProfile => "interop-profile",
            Self::Named(client) => client.name(),
        }
    }

    fn list() -> String {
        Self::all().map(Self::name).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Setting {
    type Err = UnknownSetting;

    fn from_str(text: &str) -> Result<Self, UnknownSetting> {
        Self::all()
            .find(|setting| setting.name() == text)
            .ok_or_else(|| UnknownSetting(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_read_back_from_its_name() {
        for setting in Setting::all() {
            assert_eq!(setting.to_string().parse(), Ok(setting));
        }
    }

    #[test]
    fn an_unknown_name_is_told_what_there_is() {
        let error = "azure".parse::<Setting>().unwrap_err().to_string();
        assert!(
            error.starts_with("unknown dialect `azure`, expected one of auto, strict, interop-profile, okta, entra")
        );
    }
}
