//! Why a check ends before its last step.

use std::sync::Arc;

use super::exchange::Exchange;

/// The end of a check.
#[derive(Debug, Clone)]
pub(super) enum Stop {
    /// The server does not announce what the check needs.
    Skip(String),
    /// It could not be set up, so nothing was learnt.
    Blocked(Said),
    /// The answer is not what the requirement says.
    Wrong(Said),
}

/// A sentence, and the exchange it is about.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub what: String,
    pub exchange: Option<Arc<Exchange>>,
}

impl Stop {
    /// Nothing was learnt.
    pub fn blocked(what: impl Into<String>) -> Self {
        Self::Blocked(Said {
            what: what.into(),
            exchange: None,
        })
    }

    /// Nothing was learnt, as this exchange shows.
    pub fn blocked_by(what: impl Into<String>, exchange: &Arc<Exchange>) -> Self {
        Self::Blocked(Said {
            what: what.into(),
            exchange: Some(Arc::clone(exchange)),
        })
    }

    /// A finding without an exchange.
    pub fn wrong(what: impl Into<String>) -> Self {
        Self::Wrong(Said {
            what: what.into(),
            exchange: None,
        })
    }

    /// A finding, as this exchange shows.
    pub fn wrong_in(what: impl Into<String>, exchange: &Arc<Exchange>) -> Self {
        Self::Wrong(Said {
            what: what.into(),
            exchange: Some(Arc::clone(exchange)),
        })
    }
}

/// What a check, or a part of it, comes to.
pub(super) type Outcome<T = ()> = Result<T, Stop>;
