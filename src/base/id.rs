//! Newtypes for everything that identifies something.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! number_id {
    ($(#[doc = $doc:literal] $name:ident),+ $(,)?) => {$(
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

number_id! {
    #[doc = "A tenant: the border no data crosses."] TenantId,
    #[doc = "One client of a tenant and what was agreed with it."] ConnectionId,
    #[doc = "Row number of a resource inside the store; never shown outside."] Pk,
    #[doc = "How often a resource changed; the first state is version 1."] Version,
    #[doc = "Row number of an attribute path inside the store."] PathId,
    #[doc = "Number of a role inside: 1 to 5 are the predefined ones, custom roles start at 100."] RoleKey,
    #[doc = "Row number of a scope inside the store; never shown outside."] ScopeKey,
    #[doc = "Row number of a grant inside the store; never shown outside."] GrantKey,
    #[doc = "Row number of a rule inside the store; never shown outside."] RuleKey,
}

/// Id of a resource as it travels on the wire: opaque, case-sensitive text (RFC 7643 §3.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(String);

impl ResourceId {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl AsRef<str> for ResourceId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone)]
enum Source {
    Random,
    Counted {
        resources: Arc<AtomicU64>,
        units: Arc<AtomicU64>,
    },
}

/// Where new resource ids come from.
#[derive(Debug, Clone)]
pub struct Ids(Source);

impl Ids {
    /// UUID version 7, lower case with hyphens: unique everywhere and ordered by time.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::Random)
    }

    /// `00000000-0000-7000-8000-000000000001` and up; clones share the counter. For tests.
    #[must_use]
    pub fn counted() -> Self {
        let from_one = || Arc::new(AtomicU64::new(1));
        Self(Source::Counted {
            resources: from_one(),
            units: from_one(),
        })
    }

    /// An id never given before.
    #[must_use]
    pub fn next(&self) -> ResourceId {
        match &self.0 {
            Source::Random => ResourceId(random()),
            Source::Counted { resources, .. } => {
                let number = resources.fetch_add(1, Ordering::Relaxed);
                ResourceId(format!("00000000-0000-7000-8000-{number:012x}"))
            }
        }
    }

    /// A name for a unit of work, never given before. Counted ones are `00000000-0000-7000-9000-000000000001` and up:
    /// how many units there were does not move the ids of resources.
    #[must_use]
    pub fn next_unit(&self) -> String {
        match &self.0 {
            Source::Random => random(),
            Source::Counted { units, .. } => {
                let number = units.fetch_add(1, Ordering::Relaxed);
                format!("00000000-0000-7000-9000-{number:012x}")
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place ids come from")]
fn random() -> String {
    uuid::Uuid::now_v7().hyphenated().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_ids_ascend_and_are_lower_case() {
        let ids = Ids::system();
        let made: Vec<_> = (0..100).map(|_| ids.next()).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(
            made.iter()
                .all(|id| id.as_str().len() == 36 && !id.as_str().contains(char::is_uppercase))
        );
    }

    #[test]
    fn counted_ids_are_shared_by_clones() {
        let ids = Ids::counted();
        let clone = ids.clone();
        assert_eq!(ids.next().as_str(), "00000000-0000-7000-8000-000000000001");
        assert_eq!(clone.next().to_string(), "00000000-0000-7000-8000-000000000002");
    }
}
