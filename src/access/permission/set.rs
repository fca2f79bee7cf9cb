//! One permission, and a set of them.

use std::ops::{BitAnd, BitOr, BitOrAssign, Sub};

/// Most permissions a catalogue can hold: a set of them is one `u128`.
pub const MAX_PERMISSIONS: usize = 128;

/// Where a permission counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Only where its role is held on *All*.
    Organisation,
    /// On the scope its role is held on, and below it.
    Scope,
}

impl Level {
    /// Every one of them.
    pub const ALL: &'static [Self] = &[Self::Organisation, Self::Scope];

    /// The keyword in files and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Scope => "scope",
        }
    }
}

/// One right: its place in the [`super::Catalogue`] it was found in, below [`MAX_PERMISSIONS`].
///
/// The number means nothing outside that catalogue: what is stored or sent is the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(u8);

impl Permission {
    /// INVARIANT: below [`MAX_PERMISSIONS`]; the catalogue makes no other.
    pub(super) fn at(index: usize) -> Option<Self> {
        u8::try_from(index).ok().filter(|_| index < MAX_PERMISSIONS).map(Self)
    }

    /// Place in the catalogue, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    fn bit(self) -> u128 {
        1 << self.0
    }
}

/// A set of permissions of one catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Permissions(u128);

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);

    /// Whether it is in the set.
    #[must_use]
    pub fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Whether the set has all permissions of the other.
    #[must_use]
    pub fn contains_all(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Adds one; whether it was new.
    pub fn insert(&mut self, permission: Permission) -> bool {
        let new = !self.contains(permission);
        self.0 |= permission.bit();
        new
    }

    /// The set with one more.
    #[must_use]
    pub fn with(self, permission: Permission) -> Self {
        Self(self.0 | permission.bit())
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Each of them, in the order of the catalogue.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let lowest = u8::try_from(rest.trailing_zeros()).ok().filter(|_| rest != 0)?;
            rest &= rest - 1;
            Some(Permission(lowest))
        })
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        permissions.into_iter().fold(Self::NONE, Self::with)
    }
}

impl From<Permission> for Permissions {
    fn from(permission: Permission) -> Self {
        Self(permission.bit())
    }
}

impl BitOr for Permissions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl BitOrAssign for Permissions {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Permissions {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.intersection(other)
    }
}

impl Sub for Permissions {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.difference(other)
    }
}
