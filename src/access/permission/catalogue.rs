//! What permissions there are: the built-in ones, or those of an operator's file.

use super::builtin;
use super::predefined::Predefined;
use super::set::{Level, Permission, Permissions};
use crate::base::near::nearest;

/// Keys that begin with this gate Muster's own interface, so no file can replace them.
pub(super) const OWN_PREFIX: &str = "org.";

/// Keys that begin with this only look: what a manager may inherit from their reports.
const VIEW_PREFIX: &str = "data.view_";

/// A key that is in no catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no permission `{key}`{}", .nearest.as_ref().map(|key| format!("; did you mean `{key}`?")).unwrap_or_default())]
pub struct UnknownPermission {
    /// As it was typed.
    pub key: String,
    /// The key that looks most like it.
    pub nearest: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub key: String,
    pub label: String,
    pub level: Level,
    /// A bit for each predefined role that holds it.
    pub holders: u8,
}

/// All permissions of the server, each with key, label and level.
///
/// INVARIANT: keys are unique, there are at most [`super::MAX_PERMISSIONS`], and the `org.*` ones are always there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    entries: Vec<Entry>,
}

impl Catalogue {
    /// The 18 permissions that Muster ships.
    #[must_use]
    pub fn builtin() -> Self {
        Self {
            entries: builtin_entries().collect(),
        }
    }

    /// The `org.*` permissions and these; the caller has kept the invariant.
    pub(super) fn with(entries: Vec<Entry>) -> Self {
        let own = builtin_entries().filter(|entry| entry.key.starts_with(OWN_PREFIX));
        Self {
            entries: own.chain(entries).collect(),
        }
    }

    /// The permission with this key, exactly as written.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<Permission> {
        self.entries
            .iter()
            .position(|entry| entry.key == key)
            .and_then(Permission::at)
    }

    /// The permission with this key.
    ///
    /// # Errors
    /// There is none; the error names the nearest.
    pub fn get(&self, key: &str) -> Result<Permission, UnknownPermission> {
        self.find(key).ok_or_else(|| UnknownPermission {
            key: key.to_owned(),
            nearest: self.suggest(key).map(str::to_owned),
        })
    }

    /// The set of these keys.
    ///
    /// # Errors
    /// The first key that is unknown.
    pub fn set<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> Result<Permissions, UnknownPermission> {
        keys.into_iter().map(|key| self.get(key)).collect()
    }

    /// The set of those keys that are known: a role made under another catalogue keeps what still has a meaning.
    #[must_use]
    pub fn known<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> Permissions {
        keys.into_iter().filter_map(|key| self.find(key)).collect()
    }

    /// The known key that looks most like a mistyped one, or that ends like it: `erase` finds `data.erase`.
    #[must_use]
    pub fn suggest(&self, key: &str) -> Option<&str> {
        let keys = || self.entries.iter().map(|entry| entry.key.as_str());
        nearest(key, keys()).or_else(|| {
            let key = key.to_ascii_lowercase();
            let mut ending = keys().filter(|known| known.strip_suffix(&key).is_some_and(|rest| rest.ends_with('.')));
            ending.next().filter(|_| ending.next().is_none())
        })
    }

    /// Its key: what is stored and sent.
    #[must_use]
    pub fn key(&self, permission: Permission) -> &str {
        &self.entry(permission).key
    }

    /// What it allows, for people.
    #[must_use]
    pub fn label(&self, permission: Permission) -> &str {
        &self.entry(permission).label
    }

    /// Where it counts.
    #[must_use]
    pub fn level(&self, permission: Permission) -> Level {
        self.entry(permission).level
    }

    /// Keys of a set, in the order of the catalogue.
    pub fn keys(&self, set: Permissions) -> impl Iterator<Item = &str> {
        set.iter().map(|permission| self.key(permission))
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Permissions {
        self.select(|_| true)
    }

    /// All of one level.
    #[must_use]
    pub fn of_level(&self, level: Level) -> Permissions {
        self.select(|entry| entry.level == level)
    }

    /// Those that only look (`data.view_*`): what a manager may inherit from their reports.
    #[must_use]
    pub fn viewing(&self) -> Permissions {
        self.select(|entry| entry.key.starts_with(VIEW_PREFIX))
    }

    /// What a predefined role holds.
    #[must_use]
    pub fn held_by(&self, role: Predefined) -> Permissions {
        self.select(|entry| entry.holders & role.bit() != 0)
    }

    fn select(&self, wanted: impl Fn(&Entry) -> bool) -> Permissions {
        let chosen = self.entries.iter().enumerate().filter(|(_, entry)| wanted(entry));
        chosen.filter_map(|(index, _)| Permission::at(index)).collect()
    }

    /// # Panics
    /// For a permission of a larger catalogue, which is a mistake in the code: keys are what crosses catalogues.
    fn entry(&self, permission: Permission) -> &Entry {
        &self.entries[permission.index()]
    }
}

impl Default for Catalogue {
    fn default() -> Self {
        Self::builtin()
    }
}

/// The rows of the table as entries.
pub(super) fn builtin_entries() -> impl Iterator<Item = Entry> {
    builtin::ROWS.iter().map(|row| Entry {
        key: row.key.to_owned(),
        label: row.label.to_owned(),
        level: row.level,
        holders: row.holders.iter().fold(0, |bits, role| bits | role.bit()),
    })
}
