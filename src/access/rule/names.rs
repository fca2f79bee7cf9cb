//! What people call roles, scopes and groups, and what they mean by a name.

use crate::access::policy::Policy;
use crate::access::scope::ScopeKind;
use crate::base::fold::fold;
use crate::base::id::{Pk, RoleKey, ScopeKey};
use crate::base::near::nearest;

/// Id and name of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<'a> {
    /// On the wire.
    pub id: &'a str,
    /// For people.
    pub name: &'a str,
}

/// How a text names something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// By its name, in any letter case.
    Name(&'a str),
    /// By its id on the wire.
    Id(&'a str),
}

/// What a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<K> {
    /// Exactly one thing.
    One(K),
    /// Several things have the name.
    Many,
    /// Nothing has it; this name looks like it.
    Nothing(Option<String>),
}

/// Knows what roles, scopes and groups are called. A [`Policy`] does, for those it holds.
pub trait Names {
    /// Id and name of a role.
    fn role(&self, role: RoleKey) -> Option<Named<'_>>;
    /// Id and name of a scope, and what it is.
    fn scope(&self, scope: ScopeKey) -> Option<(Named<'_>, ScopeKind)>;
    /// Id and name of a group.
    fn group(&self, group: Pk) -> Option<Named<'_>>;
    /// The role that is meant.
    fn find_role(&self, wanted: Wanted<'_>) -> Found<RoleKey>;
    /// The scope that is meant.
    fn find_scope(&self, wanted: Wanted<'_>) -> Found<ScopeKey>;
    /// The group that is meant.
    fn find_group(&self, wanted: Wanted<'_>) -> Found<Pk>;
}

/// The one of these that is meant. For implementations of [`Names`] that have them all at hand.
pub fn find<'a, K>(all: impl Iterator<Item = (K, Named<'a>)> + Clone, wanted: Wanted<'_>) -> Found<K> {
    let folded = match wanted {
        Wanted::Name(name) => fold(name),
        Wanted::Id(id) => id.to_owned(),
    };
    let mut fitting = all.clone().filter(|(_, named)| match wanted {
        Wanted::Name(_) => fold(named.name) == folded,
        Wanted::Id(_) => named.id == folded,
    });
    match (fitting.next(), fitting.next()) {
        (Some((key, _)), None) => Found::One(key),
        (Some(_), Some(_)) => Found::Many,
        (None, _) => {
            let near = match wanted {
                Wanted::Name(name) => nearest(name, all.map(|(_, named)| named.name)),
                // An id is not typed by hand: one that looks like it is no more likely meant than any other.
                Wanted::Id(_) => None,
            };
            Found::Nothing(near.map(str::to_owned))
        }
    }
}

impl Names for Policy {
    fn role(&self, role: RoleKey) -> Option<Named<'_>> {
        let found = self.roles.iter().find(|known| known.key == role)?;
        Some(Named {
            id: &found.id,
            name: &found.name,
        })
    }

    fn scope(&self, scope: ScopeKey) -> Option<(Named<'_>, ScopeKind)> {
        let found = self.scopes.iter().find(|known| known.key == scope)?;
        let named = Named {
            id: &found.id,
            name: &found.name,
        };
        Some((named, found.kind))
    }

    fn group(&self, group: Pk) -> Option<Named<'_>> {
        let found = self.groups.iter().find(|known| known.pk == group)?;
        Some(Named {
            id: &found.id,
            name: &found.display,
        })
    }

    fn find_role(&self, wanted: Wanted<'_>) -> Found<RoleKey> {
        let named = |id, name| Named { id, name };
        find(
            self.roles.iter().map(|role| (role.key, named(&role.id, &role.name))),
            wanted,
        )
    }

    fn find_scope(&self, wanted: Wanted<'_>) -> Found<ScopeKey> {
        let named = |id, name| Named { id, name };
        find(
            self.scopes
                .iter()
                .map(|scope| (scope.key, named(&scope.id, &scope.name))),
            wanted,
        )
    }

    fn find_group(&self, wanted: Wanted<'_>) -> Found<Pk> {
        let named = |id, name| Named { id, name };
        find(
            self.groups
                .iter()
                .map(|group| (group.pk, named(&group.id, &group.display))),
            wanted,
        )
    }
}

#[cfg(test)]
pub(in crate::access) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::access::permission::Catalogue;
    use crate::access::policy::PolicyGroup;
    use crate::access::role::predefined;
    use crate::access::scope::Scope;

    /// A policy with some names: scopes 1 Germany, 2 and 3; groups 1 and 2; two groups and two scopes that share one.
    pub fn house() -> Policy {
        let catalogue = Catalogue::builtin();
        let scope = |key: i64, kind, name: &str| Scope {
            key: ScopeKey(key),
            id: format!("s{key}"),
            kind,
            name: name.to_owned(),
            parent: None,
            starts: None,
            ends: None,
        };
        let group = |pk: i64, display: &str| PolicyGroup {
            pk: Pk(pk),
            id: format!("g{pk}"),
            display: display.to_owned(),
            parents: Vec::new(),
        };
        Policy {
            version: 1,
            settings: crate::access::Settings::default(),
            closed: false,
            roles: predefined(&catalogue).into(),
            catalogue: Arc::new(catalogue),
            scopes: vec![
                scope(1, ScopeKind::Territory, "Germany"),
                scope(2, ScopeKind::Program, "spring push"),
                scope(3, ScopeKind::RecordGroup, "Leads"),
                scope(4, ScopeKind::Territory, "North"),
                scope(5, ScopeKind::Territory, "north"),
                scope(6, ScopeKind::Territory, "ALL"),
            ],
            grants: Vec::new(),
            rules: Vec::new(),
            groups: vec![
                group(1, "Sales EMEA"),
                group(2, "Partners"),
                group(3, "Twins"),
                group(4, "Twins"),
                group(5, "It's \"odd\"\n\\"),
            ],
        }
    }

    #[test]
    fn names_are_found_in_any_letter_case_and_ids_as_they_are() {
        let house = house();
        assert_eq!(house.find_role(Wanted::Name("read-ONLY")), Found::One(RoleKey(5)));
        assert_eq!(house.find_role(Wanted::Id("admin")), Found::One(RoleKey(2)));
        assert_eq!(house.find_role(Wanted::Id("Admin")), Found::Nothing(None));
        assert_eq!(house.find_scope(Wanted::Name("NORTH")), Found::Many);
        assert_eq!(
            house.find_scope(Wanted::Name("Germnay")),
            Found::Nothing(Some("Germany".to_owned()))
        );
        assert_eq!(house.find_group(Wanted::Name("Twins")), Found::Many);
        assert_eq!(house.find_group(Wanted::Id("g3")), Found::One(Pk(3)));
        assert_eq!(house.find_group(Wanted::Name("Nobody")), Found::Nothing(None));
    }
}
