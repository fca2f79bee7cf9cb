//! A role given to a user or a group.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use super::scope::Reach;
use crate::base::clock::Timestamp;
use crate::base::id::{GrantKey, Pk, RoleKey};

/// Who holds a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// One user.
    User(Pk),
    /// Everyone in a group, directly or through groups in it.
    Group(Pk),
}

/// When something counts: from `from`, itself included, until just before `to`; open where absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Validity {
    /// First instant it counts.
    pub from: Option<Timestamp>,
    /// First instant it no longer counts.
    pub to: Option<Timestamp>,
}

impl Validity {
    /// Always.
    pub const ALWAYS: Self = Self { from: None, to: None };

    /// Whether it counts at an instant.
    #[must_use]
    pub fn contains(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.to.is_none_or(|to| now < to)
    }
}

/// Which records a grant is narrowed to: several values of one property are OR, several properties AND.
///
/// Empty is no restriction. A property without values is satisfied by no record.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Restriction(pub BTreeMap<String, BTreeSet<String>>);

impl Restriction {
    /// No restriction.
    pub const NONE: Self = Self(BTreeMap::new());

    /// Whether it restricts nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a record with these properties satisfies it.
    ///
    /// Texts compare exactly; a number or a boolean counts as its JSON text; of a list, one element is enough. Null,
    /// objects and absent properties satisfy nothing: a restriction narrows, it never widens.
    #[must_use]
    pub fn admits(&self, properties: &Map<String, Value>) -> bool {
        self.0.iter().all(|(name, wanted)| match properties.get(name) {
            Some(Value::Array(values)) => values.iter().any(|value| is_one_of(value, wanted)),
            Some(value) => is_one_of(value, wanted),
            None => false,
        })
    }
}

fn is_one_of(value: &Value, wanted: &BTreeSet<String>) -> bool {
    match value {
        Value::String(text) => wanted.contains(text),
        Value::Number(number) => wanted.contains(&number.to_string()),
        Value::Bool(flag) => wanted.contains(if *flag { "true" } else { "false" }),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// `region = EU or US, tier = gold`.
impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, values)) in self.0.iter().enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            let values: Vec<_> = values.iter().map(String::as_str).collect();
            write!(f, "{separator}{name} = {}", values.join(" or "))?;
        }
        Ok(())
    }
}

/// How a grant came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A person or a program asked for it by the admin API.
    Manual,
    /// A rule made it.
    Rule,
    /// It came in with an import.
    Import,
    /// An invitation carried it.
    Invitation,
    /// SCIM `roles` asked for it.
    Provisioned,
}

impl Origin {
    /// Every one of them.
    pub const ALL: &'static [Self] = &[
        Self::Manual,
        Self::Rule,
        Self::Import,
        Self::Invitation,
        Self::Provisioned,
    ];

    /// `manual`, `rule`, `import`, `invitation` or `provisioned`, as it stands in JSON and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Rule => "rule",
            Self::Import => "import",
            Self::Invitation => "invitation",
            Self::Provisioned => "provisioned",
        }
    }

    /// The origin of this name, exactly as written.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|origin| origin.as_str() == name)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Subject × role × reach, while it is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Number inside.
    pub key: GrantKey,
    /// Id on the wire.
    pub id: String,
    /// Who holds it.
    pub subject: Subject,
    /// What it gives.
    pub role: RoleKey,
    /// Where it counts.
    pub reach: Reach,
    /// When it counts.
    pub validity: Validity,
    /// Which records it is narrowed to.
    pub restriction: Restriction,
    /// How it came to be.
    pub origin: Origin,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn restriction(pairs: &[(&str, &[&str])]) -> Restriction {
        let entry = |(name, values): &(&str, &[&str])| {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            ((*name).to_owned(), values)
        };
        Restriction(pairs.iter().map(entry).collect())
    }

    fn admits(restriction: &Restriction, properties: &Value) -> bool {
        restriction.admits(properties.as_object().unwrap())
    }

    #[test]
    fn values_of_a_property_are_or_and_properties_are_and() {
        let narrow = restriction(&[("region", &["EU", "US"]), ("tier", &["gold"])]);
        assert!(admits(&narrow, &json!({ "region": "US", "tier": "gold", "more": 1 })));
        assert!(!admits(&narrow, &json!({ "region": "US", "tier": "silver" })));
        assert!(!admits(&narrow, &json!({ "region": "us", "tier": "gold" })));
        assert!(!admits(&narrow, &json!({ "region": "US" })), "absent is not satisfied");
        assert_eq!(narrow.to_string(), "region = EU or US, tier = gold");
    }

    #[test]
    fn an_empty_restriction_admits_everything_and_an_empty_property_nothing() {
        assert!(admits(&Restriction::default(), &json!({})));
        assert!(!admits(
            &restriction(&[("region", &[])]),
            &json!({ "region": "EU", "": "" })
        ));
    }

    #[test]
    fn numbers_booleans_and_lists_compare_by_their_text_and_elements() {
        let narrow = restriction(&[("p", &["7", "true"])]);
        for value in [json!(7), json!("7"), json!(true), json!([1, 7]), json!(["true"])] {
            assert!(admits(&narrow, &json!({ "p": value })), "{value}");
        }
        for value in [json!(null), json!(false), json!([]), json!([[7]]), json!({ "7": 7 })] {
            assert!(!admits(&narrow, &json!({ "p": value })), "{value}");
        }
    }

    #[test]
    fn validity_includes_its_start_and_excludes_its_end() {
        let validity = Validity {
            from: Some(Timestamp(10)),
            to: Some(Timestamp(20)),
        };
        let at = [9, 10, 19, 20].map(|at| validity.contains(Timestamp(at)));
        assert_eq!(at, [false, true, true, false]);
        assert!(Validity::ALWAYS.contains(Timestamp(i64::MIN)));
    }

    #[test]
    fn origins_have_the_names_of_the_wire() {
        for origin in Origin::ALL {
            assert_eq!(Origin::parse(origin.as_str()), Some(*origin));
        }
    }
}
