//! What a person is, from the invitation to the end.

/// Who ended somebody's access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffBy {
    /// Provisioning, which can give it back.
    Source,
    /// An administrator, or what they have planned: provisioning cannot give it back.
    Administrator,
}

/// What keeps a person out, whatever provisioning says of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// They were invited, and have not accepted.
    Invited,
    /// They may not come in for a while.
    Suspended,
    /// They may not come in any more.
    Off,
}

impl Hold {
    const ALL: [Self; 3] = [Self::Invited, Self::Suspended, Self::Off];

    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Suspended => "suspended",
            Self::Off => "off",
        }
    }

    /// Reads what is stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hold| hold.as_str() == text)
    }
}

/// What a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Asked to come, and not come yet.
    Invited,
    /// They may come in.
    Active,
    /// Kept out for a while, by an administrator or a leave of absence.
    Suspended,
    /// Kept out.
    Off(OffBy),
    /// Nothing is left but what they can be restored from.
    Deleted,
    /// Nothing is left.
    Purged,
}

impl Status {
    /// Of somebody who is there: whether the account is active, and what holds it if anything does.
    ///
    /// INVARIANT: whoever is held is not active; a hold counts whatever `active` says.
    #[must_use]
    pub const fn of(active: bool, hold: Option<Hold>) -> Self {
        match (hold, active) {
            (Some(Hold::Invited), _) => Self::Invited,
            (Some(Hold::Suspended), _) => Self::Suspended,
            (Some(Hold::Off), _) => Self::Off(OffBy::Administrator),
            (None, true) => Self::Active,
            (None, false) => Self::Off(OffBy::Source),
        }
    }

    /// The same of somebody of whom was read whether they are active, and at another moment what they are: the first
    /// counts.
    #[must_use]
    pub const fn as_read(self, active: bool) -> Self {
        match (active, self) {
            (true, _) => Self::Active,
            (false, Self::Active) => Self::Off(OffBy::Source),
            (false, other) => other,
        }
    }

    /// What holds somebody in this status, if anything does.
    #[must_use]
    pub const fn hold(self) -> Option<Hold> {
        match self {
            Self::Invited => Some(Hold::Invited),
            Self::Suspended => Some(Hold::Suspended),
            Self::Off(OffBy::Administrator) => Some(Hold::Off),
            Self::Active | Self::Off(OffBy::Source) | Self::Deleted | Self::Purged => None,
        }
    }

    /// Whether they may come in.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Active)
    }

    /// The word for people and programs; who deactivated somebody is told beside it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Off(_) => "deactivated",
            Self::Deleted => "deleted",
            Self::Purged => "purged",
        }
    }
}
