//! Which events a receiver is sent.

use serde::{Deserialize, Serialize};

use crate::event::{Event, Kind, SubjectKind};
use crate::service::error::{Error, Result};

/// Most kinds that one receiver can name.
const MAX_KINDS: usize = 100;

/// Which events a receiver is sent, as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    /// Kinds such as `user.created`, or `user.*` for all about users. Empty: every event.
    pub(super) kinds: Vec<String>,
}

impl Wanted {
    /// Reads what is stored.
    pub(super) fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|fault| Error::Internal(Box::new(fault)))
    }

    /// As it is stored.
    pub(super) fn text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|fault| Error::Internal(Box::new(fault)))
    }

    /// Refuses what can never be sent.
    pub(super) fn check(&self) -> Result<()> {
        if self.kinds.len() > MAX_KINDS {
            return Err(Error::invalid(
                "/kinds",
                format!("a receiver names at most {MAX_KINDS} kinds"),
            ));
        }
        for (at, text) in self.kinds.iter().enumerate() {
            if !Kind::ALL.iter().any(|kind| matches(text, kind.as_str())) {
                let reason = format!("there is no kind `{text}`; `user.*` means all about users");
                return Err(Error::invalid(format!("/kinds/{at}"), reason));
            }
        }
        Ok(())
    }

    /// Whether the receiver of this id is sent an event. What happens to itself would be told for ever; an event that
    /// tries it is for it alone, and always.
    pub(super) fn sends(&self, receiver: &str, event: &Event) -> bool {
        let own = event.subject_kind.as_deref() == Some(SubjectKind::Receiver.as_str())
            && event.subject_id.as_deref() == Some(receiver);
        if event.kind == Kind::ReceiverTested.as_str() {
            return own;
        }
        !own && (self.kinds.is_empty() || self.kinds.iter().any(|text| matches(text, &event.kind)))
    }
}

/// Whether a kind is meant by a text: by its name, or by `noun.*`.
fn matches(text: &str, kind: &str) -> bool {
    match text.strip_suffix(".*") {
        Some(noun) => kind.split_once('.').is_some_and(|(of, _)| of == noun),
        None => text == kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_meant_by_its_name_or_its_noun() {
        assert!(matches("user.created", "user.created"));
        assert!(matches("user.*", "user.created"));
        assert!(!matches("use.*", "user.created"));
        assert!(!matches("user", "user.created"));
        let wanted = |kinds: &[&str]| Wanted {
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
        };
        assert!(wanted(&["user.*", "group.updated"]).check().is_ok());
        assert!(wanted(&["user.made"]).check().is_err());
        assert!(wanted(&["*"]).check().is_err());
        assert!(wanted(&["user.created"; MAX_KINDS + 1]).check().is_err());
    }
}
