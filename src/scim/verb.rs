//! What a request does to a resource.

/// The method of a request that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Makes something.
    Post,
    /// Gives something a new whole.
    Put,
    /// Changes something.
    Patch,
    /// Ends something.
    Delete,
}

impl Verb {
    const ALL: [Self; 4] = [Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// As it is sent, stored and said.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// The one of this name, exactly as written.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == text)
    }

    /// The status of one that is done (RFC 7644 §3.7.3).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Post => 201,
            Self::Put | Self::Patch => 200,
            Self::Delete => 204,
        }
    }
}
