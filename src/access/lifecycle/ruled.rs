//! What a rule makes of somebody. It lies over whatever else is decided about them, and nothing of that is changed by it.

use super::status::{OffBy, Status};

/// What a rule of status does to whom it holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keeps {
    /// They are suspended as long as it holds.
    Suspended,
    /// They are deactivated as long as it holds.
    Deactivated,
}

impl Keeps {
    const ALL: [Self; 2] = [Self::Suspended, Self::Deactivated];

    /// As it is stored and sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::Deactivated => "deactivated",
        }
    }

    /// Reads what is stored or sent.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// What they are then.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Suspended => Status::Suspended,
            Self::Deactivated => Status::Off(OffBy::Administrator),
        }
    }
}

impl Status {
    /// What they are but for the rule that keeps them out, if it is one: a rule keeps out only whom nothing else does.
    #[must_use]
    pub const fn beneath(self, by_rule: bool) -> Self {
        if by_rule { Self::Active } else { self }
    }

    /// What they are with the strongest of the rules that hold for them.
    #[must_use]
    pub const fn under(self, rule: Option<Keeps>) -> Self {
        match (self, rule) {
            (Self::Active, Some(keeps)) => keeps.status(),
            _ => self,
        }
    }
}
