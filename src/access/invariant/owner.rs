//! Exactly one owner, who stays until they hand over.

use std::fmt;

use super::Violation;
use crate::base::id::Pk;

/// What may be done to an account, but not to the owner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Its status becomes deactivated, or `active` false.
    Deactivate,
    /// Its status becomes suspended.
    Suspend,
    /// It is deleted.
    Delete,
    /// An end is planned for it.
    ScheduleEnd,
    /// The role of the owner is taken from it.
    TakeRole,
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deactivate => "deactivated",
            Self::Suspend => "suspended",
            Self::Delete => "deleted",
            Self::ScheduleEnd => "scheduled to end",
            Self::TakeRole => "deprived of ownership",
        })
    }
}

/// Who transfers ownership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand<'a> {
    /// A user, as themselves.
    User(Pk),
    /// The operator, for a reason that is logged.
    BreakGlass {
        /// In the operator's words.
        reason: &'a str,
    },
    /// The first claim: there has been no owner yet.
    FirstClaim,
}

/// A change of owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer<'a> {
    /// Who is it now.
    pub owner: Option<Pk>,
    /// Who asks.
    pub by: Hand<'a>,
    /// Who is to be it.
    pub to: Pk,
    /// Whether they are active.
    pub to_is_active: bool,
}

/// Checks how many users hold the role of the owner, before and after a change.
///
/// # Errors
/// [`Violation::SecondOwner`]; [`Violation::NoOwner`] where there was one before.
pub fn owners(before: u64, after: u64) -> Result<(), Violation> {
    match (before, after) {
        (_, 2..) => Err(Violation::SecondOwner),
        (1.., 0) => Err(Violation::NoOwner),
        _ => Ok(()),
    }
}

/// Checks what is done to an account.
///
/// # Errors
/// [`Violation::OwnerStays`] where it is the owner's.
pub fn owner_stays(owner: Option<Pk>, account: Pk, deed: Deed) -> Result<(), Violation> {
    if owner == Some(account) {
        Err(Violation::OwnerStays(deed))
    } else {
        Ok(())
    }
}

/// Checks a change of owner.
///
/// # Errors
/// It is not for the asker to do, the next owner is not active or is the owner already, or the reason is missing.
pub fn transfer(transfer: &Transfer<'_>) -> Result<(), Violation> {
    match (transfer.by, transfer.owner) {
        (Hand::User(user), Some(owner)) if user == owner => {}
        (Hand::User(_), _) => return Err(Violation::NotTheOwner),
        (Hand::BreakGlass { reason }, _) if reason.trim().is_empty() => return Err(Violation::NoReason),
        (Hand::FirstClaim, Some(_)) => return Err(Violation::SecondOwner),
        (Hand::BreakGlass { .. }, _) | (Hand::FirstClaim, None) => {}
    }
    if transfer.owner == Some(transfer.to) {
        return Err(Violation::OwnerAlready);
    }
    if transfer.to_is_active {
        Ok(())
    } else {
        Err(Violation::NextOwnerNotActive)
    }
}
