//! What somebody asks for.

use crate::service::access::authority::{GIVE, Held};
use crate::service::context::Services;
use crate::service::error::{Error, Result};
use crate::store::closing::works::Verb;

/// Longest reason, in characters.
const MAX_REASON: usize = 1000;

/// What becomes of the users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    /// They stay what they are.
    Keep,
    /// They are suspended until it is resumed.
    Suspend,
    /// Their accounts end.
    Deactivate,
    /// They are deleted.
    Delete,
}

impl Users {
    pub(super) const fn verb(self) -> Verb {
        match self {
            Self::Keep => Verb::Keep,
            Self::Suspend => Verb::Suspend,
            Self::Deactivate => Verb::Deactivate,
            Self::Delete => Verb::Delete,
        }
    }
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What becomes of the users; it has to be said.
    pub users: Option<Users>,
    /// Why, in somebody's words.
    pub reason: Option<String>,
}

/// The same, where it is possible.
pub(super) struct Checked {
    pub(super) users: Users,
    pub(super) reason: Option<String>,
}

impl Asked {
    /// The same where nothing but this is possible, with a reason that can be kept.
    pub(super) fn checked(self, possible: &[Users]) -> Result<Checked> {
        let Some(users) = self.users.filter(|users| possible.contains(users)) else {
            let words: Vec<String> = possible
                .iter()
                .map(|users| format!("`{}`", users.verb().as_str()))
                .collect();
            let reason = format!("this says what becomes of the users: {}", words.join(" or "));
            return Err(Error::invalid("/users", reason));
        };
        let reason = match self.reason.as_deref().map(str::trim) {
            None => None,
            Some("") => return Err(Error::invalid("/reason", "a reason has some text, or is left out")),
            Some(reason) if reason.chars().count() > MAX_REASON => {
                let wrong = format!("a reason has at most {MAX_REASON} characters");
                return Err(Error::invalid("/reason", wrong));
            }
            Some(reason) => Some(reason.to_owned()),
        };
        Ok(Checked { users, reason })
    }
}

impl Users {
    /// Lets pass who may do to each of the users what is done to all of them.
    pub(super) fn may(self, services: &Services, held: Held) -> Result<()> {
        match self {
            Self::Keep => Ok(()),
            Self::Suspend | Self::Deactivate | Self::Delete => {
                held.covers(services, services.catalogue().known([GIVE]))
            }
        }
    }
}
