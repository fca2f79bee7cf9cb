//! What an attempt came to.

use std::time::Duration;

/// Why an attempt did not get through, in a word of ours: nothing that a receiver says is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It answered with a status that is no success.
    Status,
    /// It answered that the thing is elsewhere; deliveries do not follow.
    Redirect,
    /// It did not answer in time.
    Timeout,
    /// Its address may not be connected to.
    Address,
    /// There is no connection, or it broke.
    Connection,
}

impl Failure {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Redirect => "redirect",
            Self::Timeout => "timeout",
            Self::Address => "address",
            Self::Connection => "connection",
        }
    }
}

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Taken,
    /// The receiver says that it will never accept it: it is not tried again, and others are.
    Refused,
    /// It is tried again.
    Again {
        /// What was wrong.
        failure: Failure,
        /// What the receiver answered, if it did.
        status: Option<u16>,
        /// How long the receiver asks to be left alone.
        after: Option<Duration>,
    },
    /// The receiver says that it is gone for good (410).
    Gone,
}
