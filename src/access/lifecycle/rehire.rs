//! Somebody new who may be somebody who was deleted.

/// What becomes of somebody whom provisioning creates and who is called as somebody who was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rehire {
    /// They are somebody new, and that is all.
    Off,
    /// They are somebody new, and administrators are shown whom they may be.
    #[default]
    Offer,
    /// They are who was deleted, with the same id. Where several could be meant, it is offered.
    Link,
}

impl Rehire {
    const ALL: [Self; 3] = [Self::Off, Self::Offer, Self::Link];

    /// As it is stored and sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Offer => "offer",
            Self::Link => "link",
        }
    }

    /// Reads what is stored or sent.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}
