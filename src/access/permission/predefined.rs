//! The predefined roles, as columns of the table of permissions.

use crate::base::id::RoleKey;

/// A role that every tenant has and nobody can edit, rename or delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Predefined {
    /// Holds every permission; held on *All* by exactly one user.
    Owner,
    /// Everything but what only the owner may do.
    Admin,
    /// Makes and edits, without users and erasure.
    Manager,
    /// Reads and acts.
    Analyst,
    /// Reads what is not personal.
    ReadOnly,
}

impl Predefined {
    /// Every one of them, in the order of their keys.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Admin, Self::Manager, Self::Analyst, Self::ReadOnly];

    /// The id on the wire.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Manager => "manager",
            Self::Analyst => "analyst",
            Self::ReadOnly => "read-only",
        }
    }

    /// The name people read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Manager => "Manager",
            Self::Analyst => "Analyst",
            Self::ReadOnly => "Read-Only",
        }
    }

    /// The one with this id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.id() == id)
    }

    /// Key of the role inside; custom roles have keys from 100.
    #[must_use]
    pub const fn key(self) -> RoleKey {
        RoleKey(match self {
            Self::Owner => 1,
            Self::Admin => 2,
            Self::Manager => 3,
            Self::Analyst => 4,
            Self::ReadOnly => 5,
        })
    }

    /// The one with this key.
    #[must_use]
    pub fn from_key(key: RoleKey) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.key() == key)
    }

    /// Its bit in a set of predefined roles.
    pub(super) const fn bit(self) -> u8 {
        1 << (self as u8)
    }
}
