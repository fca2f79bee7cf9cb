//! Why a use case did not happen.

use std::time::Duration;

use super::fuse::Over;
use crate::access::invariant::Violation;
use crate::scim;
use crate::store;

/// No variant knows about HTTP.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request breaks SCIM, or cannot be met by its rules; the text is safe to show the caller.
    #[error(transparent)]
    Protocol(#[from] scim::Error),
    /// Absent, or present in another tenant: the caller cannot tell which.
    #[error("there is no such resource")]
    NotFound,
    /// `If-Match` named a version that is no longer current.
    #[error("the resource has changed")]
    Stale,
    /// The caller is known and may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// What is asked for cannot be understood, or names what is not there.
    #[error("{0}")]
    Invalid(Refusal),
    /// It contradicts what is there, or what must hold at every commit.
    #[error("{0}")]
    Conflict(Refusal),
    /// Something that must hold at every commit would not hold after it.
    #[error(transparent)]
    Violated(Violation),
    /// The mass-change fuse of a connection is in the way.
    #[error("{0}")]
    Fused(Fused),
    /// Nothing is wrong; as much waits as may, and something of it has to be done first.
    #[error("{0}")]
    Full(String),
    /// Nothing is wrong; other work was in the way, also after several attempts.
    #[error("the server is busy")]
    Busy,
    /// Nothing is wrong; whoever asked has waited as long as anybody may, and there was no place. It is not tried again.
    #[error("the server has as much to do as it can")]
    Crowded,
    /// Ours to mend. Shown to the caller as "internal error" only.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What becomes of a request that takes away more than its connection may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fused {
    /// It goes beyond a budget. Nobody outside of `service` sees this: it is refused or held then.
    #[error("beyond the budget of the connection")]
    Over(Over),
    /// It is refused.
    #[error("{detail}")]
    Refused {
        /// For whoever runs the client.
        detail: String,
        /// What is left of the window, at least a second.
        wait: Duration,
    },
    /// It is accepted and waits for an administrator, with others, under this id.
    #[error("waits for an administrator as part of the hold `{0}`")]
    Held(String),
}

/// What is wrong, and where in the request as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// One sentence: lower case, no full stop, safe to show the caller.
    pub reason: String,
    /// JSON Pointer into what the caller gave (RFC 6901), with the member names of the admin API: `/then/0/role`.
    pub pointer: Option<String>,
    /// In the text at the pointer: a character, counted from 1.
    pub position: Option<usize>,
    /// What was probably meant there instead.
    pub suggestion: Option<String>,
    /// What the text at the pointer was read as.
    pub read_as: ReadAs,
    /// What stands in the way, where that can be named.
    pub held_by: Option<Box<HeldBy>>,
}

/// What a text that is refused was read as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReadAs {
    /// A value.
    #[default]
    Value,
    /// A filter.
    Filter,
}

/// What hangs on something that is to be deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeldBy {
    /// Some of the grants, oldest first.
    pub grants: Vec<HoldingGrant>,
    /// How many grants there are beside those.
    pub more_grants: u64,
    /// Id and name of each rule.
    pub rules: Vec<(String, String)>,
    /// Id and name of each scope directly below.
    pub scopes: Vec<(String, String)>,
}

/// A grant that names what is to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldingGrant {
    /// Its id.
    pub id: String,
    /// `user` or `group`.
    pub subject_kind: &'static str,
    /// Id of the user or group.
    pub subject: String,
    /// Its name.
    pub subject_name: String,
    /// Id of the role it gives.
    pub role: String,
    /// Its name.
    pub role_name: String,
}

impl Refusal {
    /// A sentence about the whole of what was asked for.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            ..Self::default()
        }
    }

    /// The same about one place in it.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// The same with what was probably meant.
    #[must_use]
    pub fn suggesting(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    /// What is wrong with a filter that stands at this pointer, at its place.
    pub(super) fn of_filter(pointer: impl Into<String>, fault: scim::Error) -> Self {
        Self {
            position: fault.position,
            suggestion: fault.suggestion,
            read_as: ReadAs::Filter,
            ..Self::new(fault.detail).at(pointer)
        }
    }
}

impl Error {
    /// What the caller gave is wrong at this JSON Pointer.
    pub(super) fn invalid(pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid(Refusal::new(reason).at(pointer))
    }

    /// It contradicts what is there.
    pub(super) fn conflict(reason: impl Into<String>) -> Self {
        Self::Conflict(Refusal::new(reason))
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        let text = violation.to_string();
        match violation {
            Violation::MoreThanHeld(_) | Violation::NotTheOwner => Self::Forbidden(text),
            Violation::NoReason => Self::invalid("/break_glass", text),
            _ => Self::conflict(text),
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Retry => Self::Busy,
            store::Error::Crowded => Self::Crowded,
            store::Error::Stale => Self::Stale,
            store::Error::Shut => Self::Forbidden(
                "what this token belongs to was suspended or deleted while the request was on its way".to_owned(),
            ),
            store::Error::TooLong => {
                scim::Error::too_many("the query takes longer than the server allows; ask for less, with fewer terms")
                    .into()
            }
            store::Error::Taken(store::error::Unique::Value) => {
                scim::Error::uniqueness("another resource has a value that must be unique").into()
            }
            other => Self::Internal(Box::new(other)),
        }
    }
}

/// Shorthand of this room.
pub type Result<T> = std::result::Result<T, Error>;
