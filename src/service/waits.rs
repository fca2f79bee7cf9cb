//! How long a request waits for what goes on without it.

use std::time::Duration;

/// How long a request waits at most; what it waits for goes on after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// For a rule to be in force, before the answer is that it is being prepared.
    pub rule: Duration,
    /// For the log to have numbered what is committed, before the answer is that it is behind.
    pub log: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            rule: Duration::from_secs(5),
            log: Duration::from_secs(1),
        }
    }
}
