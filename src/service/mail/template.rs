//! What mails there are.

/// A mail by what it says. Its text is the worker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// To administrators: a connection went beyond a budget.
    FuseTripped,
    /// To somebody new: they are invited.
    Invitation,
    /// To administrators: the log cannot go on.
    LogStopped,
    /// To administrators: a receiver is sent nothing any more.
    ReceiverPaused,
    /// To administrators: an offboarding run is late.
    RunLate,
    /// To administrators: what was planned could not be done.
    ScheduleFailed,
}

impl Template {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::FuseTripped,
        Self::Invitation,
        Self::LogStopped,
        Self::ReceiverPaused,
        Self::RunLate,
        Self::ScheduleFailed,
    ];

    /// As it stands in the database; the name of its file without `.txt`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FuseTripped => "fuse-tripped",
            Self::Invitation => "invitation",
            Self::LogStopped => "log-stopped",
            Self::ReceiverPaused => "receiver-paused",
            Self::RunLate => "run-late",
            Self::ScheduleFailed => "schedule-failed",
        }
    }

    /// Reads what is stored; `None` for one of another release.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|template| template.as_str() == text)
    }
}
