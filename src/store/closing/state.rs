//! Whether something as a whole is open.

/// What a connection or a tenant is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum State {
    /// It works.
    #[default]
    Active,
    /// It does not, until somebody resumes it.
    Suspended,
    /// It does not, for good.
    Deleted,
}

impl State {
    /// The word that is stored, and said.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }

    /// Reads what is stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Deleted]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}
