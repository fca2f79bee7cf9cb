//! Nobody gives what is not theirs to give.

use super::Violation;
use crate::access::grant::Origin;
use crate::access::permission::{Catalogue, Permissions, Predefined};
use crate::access::role::{Role, is_reserved};
use crate::base::id::RoleKey;

/// Permissions with which one can make oneself an administrator: whoever holds one of them is as good as one.
const AS_GOOD_AS_ADMIN: [&str; 2] = ["org.users.manage", "org.roles.manage"];

/// What creating a token needs beside what the token will be able to do.
const TO_MINT: &str = "org.users.manage";

/// How much provisioning may give. It may never give Owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cap {
    /// Neither Admin, nor a custom role with which one could make oneself one.
    #[default]
    BelowAdmin,
    /// Admin, too.
    Admin,
}

impl Cap {
    /// Whether a role is within it.
    #[must_use]
    pub fn allows(self, role: &Role, catalogue: &Catalogue) -> bool {
        let rises = catalogue.known(AS_GOOD_AS_ADMIN);
        match (role.predefined(), self) {
            (Some(Predefined::Owner), _) => false,
            (_, Self::Admin) => true,
            (_, Self::BelowAdmin) => (role.permissions & rises).is_empty(),
        }
    }
}

/// Checks a role that is to be given, by what gives it.
///
/// # Errors
/// [`Violation::OwnerIsTransferred`], whatever gives it; [`Violation::Capped`] where provisioning does.
pub fn given(role: &Role, origin: Origin, cap: Cap, catalogue: &Catalogue) -> Result<(), Violation> {
    if role.predefined() == Some(Predefined::Owner) {
        return Err(Violation::OwnerIsTransferred);
    }
    if origin == Origin::Provisioned && !cap.allows(role, catalogue) {
        return Err(Violation::Capped(role.name.clone()));
    }
    Ok(())
}

/// Checks a token that somebody who holds these permissions on *All* wants to create, able to do what is wanted.
///
/// # Errors
/// [`Violation::MoreThanHeld`] with everything they would need and do not have.
pub fn mints(held: Permissions, wanted: Permissions, catalogue: &Catalogue) -> Result<(), Violation> {
    let missing = (wanted | catalogue.known([TO_MINT])) - held;
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Violation::MoreThanHeld(
            catalogue.keys(missing).map(str::to_owned).collect(),
        ))
    }
}

/// Checks a role that is to be edited, renamed or deleted.
///
/// # Errors
/// [`Violation::Predefined`].
pub fn editable(role: RoleKey) -> Result<(), Violation> {
    match Predefined::from_key(role) {
        Some(role) => Err(Violation::Predefined(role.name())),
        None => Ok(()),
    }
}

/// Checks the name of a custom role.
///
/// # Errors
/// [`Violation::NameTaken`] for the names and ids of predefined roles, in any letter case.
pub fn role_name(name: &str) -> Result<(), Violation> {
    if is_reserved(name) {
        Err(Violation::NameTaken(name.to_owned()))
    } else {
        Ok(())
    }
}
