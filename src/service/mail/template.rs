//! What mails there are.

/// A mail by what it says. Its text is the worker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// To administrators: a connection went beyond a budget.
    FuseTripped,
}

impl Template {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::FuseTripped];

    /// As it stands in the database; the name of its file without `.txt`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FuseTripped => "fuse-tripped",
        }
    }

    /// Reads what is stored; `None` for one of another release.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|template| template.as_str() == text)
    }
}
