//! Roles: named sets of permissions, predefined ones and those a tenant makes.

use super::permission::{Catalogue, Permission, Permissions, Predefined};
use crate::base::fold::fold;
use crate::base::id::RoleKey;

/// Smallest key of a custom role; below it are the predefined ones.
pub const FIRST_CUSTOM_ROLE: RoleKey = RoleKey(100);

/// A named set of permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// 1 to 5 for predefined roles, from 100 for custom ones.
    pub key: RoleKey,
    /// On the wire: `owner`, `admin`, `manager`, `analyst`, `read-only`, or a UUID.
    pub id: String,
    /// For people; unique in a tenant in any letter case.
    pub name: String,
    /// What it allows, by the catalogue it was read with.
    pub permissions: Permissions,
    /// The role it is a copy of.
    pub origin: Option<RoleKey>,
}

impl Role {
    /// Whether it can be neither edited, renamed nor deleted.
    #[must_use]
    pub fn is_predefined(&self) -> bool {
        self.predefined().is_some()
    }

    /// Which predefined role it is.
    #[must_use]
    pub fn predefined(&self) -> Option<Predefined> {
        Predefined::from_key(self.key)
    }

    /// What it has more and less than the role it is a copy of, as that role is now.
    #[must_use]
    pub fn diff(&self, origin: &Self) -> RoleDiff {
        RoleDiff {
            added: self.permissions.difference(origin.permissions).iter().collect(),
            removed: origin.permissions.difference(self.permissions).iter().collect(),
        }
    }
}

/// How a copy differs from its origin; each list is in the order of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleDiff {
    /// In the copy only.
    pub added: Vec<Permission>,
    /// In the origin only.
    pub removed: Vec<Permission>,
}

impl RoleDiff {
    /// Whether the two allow the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// The predefined roles in the order of their keys, with what they hold by this catalogue.
#[must_use]
pub fn predefined(catalogue: &Catalogue) -> [Role; 5] {
    Predefined::ALL.map(|role| Role {
        key: role.key(),
        id: role.id().to_owned(),
        name: role.name().to_owned(),
        permissions: catalogue.held_by(role),
        origin: None,
    })
}

/// Whether a name or id belongs to a predefined role, in any letter case, so that no custom role may take it.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    let name = fold(name.trim());
    Predefined::ALL
        .into_iter()
        .any(|role| name == role.id() || name == fold(role.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predefined_roles_have_their_keys_ids_and_names() {
        let roles = predefined(&Catalogue::builtin());
        let shown: Vec<_> = roles
            .iter()
            .map(|role| format!("{} {} {} {}", role.key, role.id, role.name, role.permissions.len()))
            .collect();
        assert_eq!(
            shown,
            [
                "1 owner Owner 18",
                "2 admin Admin 18",
                "3 manager Manager 12",
                "4 analyst Analyst 4",
                "5 read-only Read-Only 1"
            ]
        );
        assert!(roles.iter().all(Role::is_predefined));
    }

    #[test]
    fn a_copy_shows_what_it_has_more_and_less_than_its_origin() {
        let catalogue = Catalogue::builtin();
        let [_, _, manager, analyst, _] = predefined(&catalogue);
        let mut copy = Role {
            key: FIRST_CUSTOM_ROLE,
            id: "0190".to_owned(),
            name: "Reviewer".to_owned(),
            origin: Some(analyst.key),
            ..analyst.clone()
        };
        assert!(!copy.is_predefined());
        assert!(copy.diff(&analyst).is_empty());
        copy.permissions = catalogue
            .set(["data.view_anonymised", "data.act", "data.erase"])
            .unwrap();
        let diff = copy.diff(&analyst);
        let keys = |list: &[Permission]| {
            list.iter()
                .map(|one| catalogue.key(*one).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(keys(&diff.added), ["data.erase"]);
        assert_eq!(keys(&diff.removed), ["data.view_identified", "data.export_share"]);
        assert!(!manager.diff(&analyst).added.is_empty());
    }

    #[test]
    fn names_of_predefined_roles_are_taken() {
        for name in ["owner", "ADMIN", " Read-Only ", "read-only"] {
            assert!(is_reserved(name), "{name}");
        }
        assert!(!is_reserved("Owners"));
    }
}
