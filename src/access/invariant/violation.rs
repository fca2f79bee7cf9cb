//! Refusals, in words that are safe to show.

use super::Deed;

/// Why a change is refused. The text is safe to show the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// There would be more than one owner.
    #[error("there can be only one owner")]
    SecondOwner,
    /// There was an owner, and there would be none.
    #[error("there must be an owner: ownership can only be transferred")]
    NoOwner,
    /// Something would end or limit the owner's account.
    #[error(
        "this user is the owner and cannot be {0}: transfer ownership to somebody else first, then this can be repeated"
    )]
    OwnerStays(Deed),
    /// The role of the owner was to be given like any other.
    #[error("the role Owner cannot be given: ownership can only be transferred")]
    OwnerIsTransferred,
    /// Somebody else than the owner wants to transfer ownership.
    #[error("only the owner can transfer ownership")]
    NotTheOwner,
    /// The next owner is not active.
    #[error("ownership can only be transferred to an active user")]
    NextOwnerNotActive,
    /// The owner is the owner already.
    #[error("this user is the owner already")]
    OwnerAlready,
    /// A break-glass operation came without a reason.
    #[error("a break-glass operation needs a reason")]
    NoReason,
    /// Too few administrators would be left.
    #[error("{left} active administrators would be left, and there must be {least}")]
    TooFewAdmins {
        /// Who would be left.
        left: u64,
        /// How many there must be.
        least: u64,
    },
    /// Enough administrators would be left, but not for ever.
    #[error(
        "{lasting} active administrators would be left whose access neither ends by itself nor hangs on a rule, and there must be {least}"
    )]
    AdminsWouldEnd {
        /// Who would be left for good.
        lasting: u64,
        /// How many there must be.
        least: u64,
    },
    /// A break-glass account would no longer be an active administrator.
    #[error("`{0}` is a break-glass account and must stay an active administrator")]
    BreakGlass(String),
    /// A predefined role was to be changed.
    #[error("the predefined role {0} cannot be edited, renamed or deleted; a copy of it can")]
    Predefined(&'static str),
    /// A custom role was to be called like a predefined one.
    #[error("`{0}` is the name of a predefined role")]
    NameTaken(String),
    /// Somebody would give more than they have.
    #[error("nobody can give what they do not have: {}", .0.join(", "))]
    MoreThanHeld(Vec<String>),
    /// Provisioning may not give this role.
    #[error("the role `{0}` cannot be given by provisioning")]
    Capped(String),
}
