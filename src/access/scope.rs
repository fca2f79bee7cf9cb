//! Where a role counts: everywhere, on a scope and what lies below it, or on one record.

use std::fmt;

use crate::base::clock::Timestamp;
use crate::base::id::ScopeKey;

/// What a scope is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeKind {
    /// A place in a tree: region, country, area.
    Territory,
    /// Something with a start and an end.
    Program,
    /// A set of records.
    RecordGroup,
}

impl ScopeKind {
    /// Every one of them.
    pub const ALL: &'static [Self] = &[Self::Territory, Self::Program, Self::RecordGroup];

    /// `territory`, `program` or `record_group`, as it stands in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Territory => "territory",
            Self::Program => "program",
            Self::RecordGroup => "record_group",
        }
    }

    /// The kind of this name, exactly as written.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for ScopeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A territory, a program or a group of records. *All* is none of them: it is [`Reach::All`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Number inside.
    pub key: ScopeKey,
    /// Id on the wire.
    pub id: String,
    /// What it is.
    pub kind: ScopeKind,
    /// Its name, for people.
    pub name: String,
    /// The scope above it: what is held there is held here, too.
    pub parent: Option<ScopeKey>,
    /// When a program begins, itself included; open when absent. Other kinds have none.
    pub starts: Option<Timestamp>,
    /// When a program is over, itself excluded; open when absent. Other kinds have none.
    pub ends: Option<Timestamp>,
}

impl Scope {
    /// Whether it counts at an instant: a program from its start until just before its end, other kinds always.
    #[must_use]
    pub fn is_running(&self, now: Timestamp) -> bool {
        self.kind != ScopeKind::Program
            || (self.starts.is_none_or(|starts| starts <= now) && self.ends.is_none_or(|ends| now < ends))
    }
}

/// A record of the product: an account, a lead, a survey. Text form `kind:id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordRef {
    /// What it is, in the product's words; not empty and without a colon.
    pub kind: String,
    /// Its id in the product, opaque; not empty.
    pub id: String,
}

impl RecordRef {
    /// Puts a reference together. None when a part is empty or the kind holds a colon.
    #[must_use]
    pub fn new(kind: &str, id: &str) -> Option<Self> {
        let fits = !kind.is_empty() && !kind.contains(':') && !id.is_empty();
        fits.then(|| Self {
            kind: kind.to_owned(),
            id: id.to_owned(),
        })
    }

    /// Reads `kind:id`; the id may hold further colons.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.split_once(':').and_then(|(kind, id)| Self::new(kind, id))
    }
}

impl fmt::Display for RecordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

/// Where a role counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Everywhere: every scope and record there is and will be, and what belongs to no scope. Wire id `all`.
    All,
    /// On a scope and everything below it.
    Scope(ScopeKey),
    /// On exactly one record.
    Record(RecordRef),
}

impl Reach {
    /// The scope it names.
    #[must_use]
    pub fn scope(&self) -> Option<ScopeKey> {
        match self {
            Self::Scope(scope) => Some(*scope),
            Self::All | Self::Record(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_named_by_kind_and_id() {
        let record = RecordRef::parse("lead:00Q:1").unwrap();
        assert_eq!((record.kind.as_str(), record.id.as_str()), ("lead", "00Q:1"));
        assert_eq!(record.to_string(), "lead:00Q:1");
        for text in ["", "lead", "lead:", ":1"] {
            assert_eq!(RecordRef::parse(text), None, "{text}");
        }
        assert_eq!(RecordRef::new("a:b", "1"), None);
    }

    #[test]
    fn kinds_have_the_names_of_the_wire() {
        for kind in ScopeKind::ALL {
            assert_eq!(ScopeKind::parse(kind.as_str()), Some(*kind));
        }
        assert_eq!(ScopeKind::parse("Territory"), None);
    }

    #[test]
    fn a_program_runs_from_its_start_until_just_before_its_end() {
        let program = |starts: Option<i64>, ends: Option<i64>| Scope {
            key: ScopeKey(1),
            id: "s1".to_owned(),
            kind: ScopeKind::Program,
            name: "Spring".to_owned(),
            parent: None,
            starts: starts.map(Timestamp),
            ends: ends.map(Timestamp),
        };
        let runs = |scope: &Scope| [9, 10, 19, 20].map(|at| scope.is_running(Timestamp(at)));
        assert_eq!(runs(&program(Some(10), Some(20))), [false, true, true, false]);
        assert_eq!(runs(&program(None, Some(20))), [true, true, true, false]);
        assert_eq!(runs(&program(Some(10), None)), [false, true, true, true]);
        let territory = Scope {
            kind: ScopeKind::Territory,
            ..program(Some(10), Some(20))
        };
        assert_eq!(runs(&territory), [true; 4], "only programs have dates");
    }
}
