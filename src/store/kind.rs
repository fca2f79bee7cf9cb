//! The kinds of resource there are rows for.

use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use crate::scim::schema::ResourceType;

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A person's account.
    User,
    /// A group of users and groups.
    Group,
    /// What an organisation, or the operator's files, define.
    Own(OwnKind),
}

/// A kind that is not there from the beginning. Its number follows from its name and endpoint alone, so all nodes and
/// tenants agree on it, and a type that was removed and is defined again has it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnKind {
    code: i64,
    /// The same in digits.
    digits: &'static str,
    name: &'static str,
    endpoint: &'static str,
}

/// Those that this process has met. They stay, also those of types that were removed since: each is a line of text, and
/// whoever defines another one waits for a second until every node knows it.
static MET: LazyLock<RwLock<HashMap<i64, OwnKind>>> = LazyLock::new(RwLock::default);

impl OwnKind {
    /// The number in digits, as it can stand in a statement.
    #[must_use]
    pub const fn digits(self) -> &'static str {
        self.digits
    }

    fn of(name: &str, endpoint: &str) -> Option<Self> {
        // Both stand in statements; whoever reads definitions has looked at them already.
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '$' | '-' | '_' | '/');
        if !name.chars().chain(endpoint.chars()).all(plain) {
            return None;
        }
        let mut first = [0; 8];
        first.copy_from_slice(&Sha256::digest(format!("{name} {endpoint}"))[..8]);
        // Far above the numbers of those that are there from the beginning, and never negative.
        let code = i64::from_be_bytes(first) & i64::MAX | 1 << 62;
        if let Some(met) = Self::met(code) {
            return (met.name == name && met.endpoint == endpoint).then_some(met);
        }
        let kept = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        let mut all = MET.write().unwrap_or_else(PoisonError::into_inner);
        Some(*all.entry(code).or_insert_with(|| Self {
            code,
            digits: kept(&code.to_string()),
            name: kept(name),
            endpoint: kept(endpoint),
        }))
    }

    fn met(code: i64) -> Option<Self> {
        MET.read().unwrap_or_else(PoisonError::into_inner).get(&code).copied()
    }
}

impl Kind {
    /// Every kind that is there from the beginning: people and groups, which alone have members, access and a status.
    pub const BUILTIN: [Self; 2] = [Self::User, Self::Group];

    /// The kind of the resources of a type; none of one whose resources are not stored.
    #[must_use]
    pub fn of(ty: &ResourceType) -> Option<Self> {
        if ty.is_own() {
            return OwnKind::of(ty.name(), ty.endpoint()).map(Self::Own);
        }
        Self::BUILTIN.into_iter().find(|kind| kind.name() == ty.name())
    }

    /// How it is written in a row.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::User => 1,
            Self::Group => 2,
            Self::Own(own) => own.code,
        }
    }

    /// The kind a row names. One that is not there from the beginning is known to whoever has met its type: rows of it are
    /// read by who asks for them.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        match code {
            1 => Some(Self::User),
            2 => Some(Self::Group),
            _ => OwnKind::met(code).map(Self::Own),
        }
    }

    /// Whether it is not there from the beginning.
    #[must_use]
    pub const fn is_own(self) -> bool {
        matches!(self, Self::Own(_))
    }

    /// Its name in `meta.resourceType` and `members.type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::Own(own) => own.name,
        }
    }

    /// Where resources of this kind live below the base URL, with the slash.
    #[must_use]
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::User => "/Users",
            Self::Group => "/Groups",
            Self::Own(own) => own.endpoint,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_kind_follows_from_its_name_and_endpoint() {
        let robots = OwnKind::of("Robot", "/Robots").unwrap();
        assert_eq!(OwnKind::of("Robot", "/Robots"), Some(robots));
        assert_ne!(OwnKind::of("Robot", "/Machines").unwrap().code, robots.code);
        assert_eq!(Kind::from_code(robots.code), Some(Kind::Own(robots)));
        assert_eq!(robots.digits().parse(), Ok(robots.code));
        assert!(robots.code >= 1 << 62);
        assert_eq!(OwnKind::of("Robot'", "/Robots"), None);
        assert_eq!(Kind::from_code(3), None);
    }
}
