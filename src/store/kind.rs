//! The kinds of resource there are rows for.

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A person's account.
    User,
    /// A group of users and groups.
    Group,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::User, Self::Group];

    /// How it is written in a row.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::User => 1,
            Self::Group => 2,
        }
    }

    /// The kind a row names.
    #[must_use]
    pub const fn from_code(code: i64) -> Option<Self> {
        match code {
            1 => Some(Self::User),
            2 => Some(Self::Group),
            _ => None,
        }
    }

    /// Its name in `meta.resourceType` and `members.type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// Where resources of this kind live below the base URL, with the slash.
    #[must_use]
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::User => "/Users",
            Self::Group => "/Groups",
        }
    }
}
