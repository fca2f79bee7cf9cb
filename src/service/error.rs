//! Why a use case did not happen.

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
    /// Nothing is wrong; other work was in the way, also after several attempts.
    #[error("the server is busy")]
    Busy,
    /// Ours to mend. Shown to the caller as "internal error" only.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Retry => Self::Busy,
            store::Error::TooLong => {
                scim::Error::too_many("the query takes longer than the server allows; ask for less, with fewer terms")
                    .into()
            }
            other => Self::Internal(Box::new(other)),
        }
    }
}

/// Shorthand of this room.
pub type Result<T> = std::result::Result<T, Error>;
