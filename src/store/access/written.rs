//! How values of [`crate::access`] are written in columns, and read from JSON that a statement collects.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

use crate::access::{
    Grant, Origin, Outcome, Reach, RecordRef, Restriction, Scope, ScopeKind, State, Subject, Validity,
};
use crate::base::clock::Timestamp;
use crate::base::id::{GrantKey, Pk, RoleKey, ScopeKey};
use crate::store::error::{Error, Result};
use crate::store::kind::Kind;
use crate::store::sql::Bind;

/// Numbers as a JSON array of arrays, for `[each $n]`.
pub(super) fn numbers(numbers: impl IntoIterator<Item = i64>) -> String {
    json!(numbers.into_iter().map(|number| [number]).collect::<Vec<_>>()).to_string()
}

/// What `[collect]` gave: nothing is NULL on one engine and `[]` on the other.
pub(super) fn collected<T: serde::de::DeserializeOwned>(text: Option<&str>, what: &'static str) -> Result<Vec<T>> {
    match text {
        None | Some("[]") => Ok(Vec::new()),
        Some(text) => serde_json::from_str(text).map_err(|_| Error::Damaged(what)),
    }
}

/// A grant as a JSON array: columns of `g`.
macro_rules! grant_array {
    () => {
        "[array](g.id, g.uid, g.subject_kind, g.subject_pk, g.role_id, g.reach, g.scope_id, g.record_kind, \
         g.record_id, g.valid_from, g.valid_to, g.restriction, g.origin)"
    };
}

pub(super) use grant_array;

/// The columns of [`grant_array`], in its order.
#[derive(serde::Deserialize)]
pub(super) struct GrantColumns(
    pub(super) i64,
    pub(super) String,
    pub(super) i64,
    pub(super) i64,
    pub(super) i64,
    pub(super) i64,
    pub(super) Option<i64>,
    pub(super) Option<String>,
    pub(super) Option<String>,
    pub(super) Option<i64>,
    pub(super) Option<i64>,
    pub(super) String,
    pub(super) String,
);

impl GrantColumns {
    pub(super) fn grant(self) -> Result<Grant> {
        let Self(key, id, kind, pk, role, reach, scope, record_kind, record_id, from, to, restriction, origin) = self;
        let reach = match (reach, scope, record_kind, record_id) {
            (0, ..) => Reach::All,
            (1, Some(scope), ..) => Reach::Scope(ScopeKey(scope)),
            (2, _, Some(kind), Some(id)) => Reach::Record(RecordRef { kind, id }),
            _ => return Err(Error::Damaged("reach of a grant")),
        };
        Ok(Grant {
            key: GrantKey(key),
            id,
            subject: read_subject(kind, pk)?,
            role: RoleKey(role),
            reach,
            validity: validity(from, to),
            restriction: read_restriction(&restriction)?,
            origin: Origin::parse(&origin).ok_or(Error::Damaged("origin of a grant"))?,
        })
    }
}

/// All grants of a column that collects [`grant_array`].
pub(super) fn grants(text: Option<&str>) -> Result<Vec<Grant>> {
    collected::<GrantColumns>(text, "grants")?
        .into_iter()
        .map(GrantColumns::grant)
        .collect()
}

fn read_subject(kind: i64, pk: i64) -> Result<Subject> {
    match Kind::from_code(kind) {
        Some(Kind::User) => Ok(Subject::User(Pk(pk))),
        Some(Kind::Group) => Ok(Subject::Group(Pk(pk))),
        Some(Kind::Own(_)) | None => Err(Error::Damaged("subject of a grant")),
    }
}

/// `subject_kind`, `subject_pk`.
pub(super) fn subject(subject: Subject) -> [Bind; 2] {
    match subject {
        Subject::User(pk) => [Kind::User.code().into(), pk.into()],
        Subject::Group(pk) => [Kind::Group.code().into(), pk.into()],
    }
}

/// `reach`, `scope_id`, `record_kind`, `record_id`.
pub(super) fn reach(reach: &Reach) -> [Bind; 4] {
    let none = || Bind::Text(None);
    match reach {
        Reach::All => [0.into(), Bind::Int(None), none(), none()],
        Reach::Scope(scope) => [1.into(), scope.0.into(), none(), none()],
        Reach::Record(record) => [
            2.into(),
            Bind::Int(None),
            record.kind.clone().into(),
            record.id.clone().into(),
        ],
    }
}

pub(super) fn validity(from: Option<i64>, to: Option<i64>) -> Validity {
    Validity {
        from: from.map(Timestamp),
        to: to.map(Timestamp),
    }
}

pub(super) fn restriction(restriction: &Restriction) -> String {
    if restriction.is_empty() {
        return String::new();
    }
    json!(restriction.0).to_string()
}

fn read_restriction(text: &str) -> Result<Restriction> {
    if text.is_empty() {
        return Ok(Restriction::default());
    }
    let map: BTreeMap<String, BTreeSet<String>> =
        serde_json::from_str(text).map_err(|_| Error::Damaged("restriction of a grant"))?;
    Ok(Restriction(map))
}

/// Columns of a scope as a JSON array: of `s`.
macro_rules! scope_array {
    () => {
        "[array](s.id, s.uid, s.kind, s.name, s.parent_id, s.starts, s.ends)"
    };
}

pub(super) use scope_array;

/// The columns of [`scope_array`], in its order.
#[derive(serde::Deserialize)]
pub(super) struct ScopeColumns(
    pub(super) i64,
    pub(super) String,
    pub(super) String,
    pub(super) String,
    pub(super) Option<i64>,
    pub(super) Option<i64>,
    pub(super) Option<i64>,
);

impl ScopeColumns {
    pub(super) fn scope(self) -> Result<Scope> {
        let Self(key, id, kind, name, parent, starts, ends) = self;
        Ok(Scope {
            key: ScopeKey(key),
            id,
            kind: ScopeKind::parse(&kind).ok_or(Error::Damaged("kind of a scope"))?,
            name,
            parent: parent.map(ScopeKey),
            starts: starts.map(Timestamp),
            ends: ends.map(Timestamp),
        })
    }
}

/// Outcomes as JSON by row numbers: `{"role": 2}` on everything, `{"role": 2, "scope": 7}`,
/// `{"role": 2, "record": ["lead", "1"]}`, `{"member": 7}`, `{"group": 12}`.
pub(super) fn outcomes(outcomes: &[Outcome]) -> String {
    let one = |outcome: &Outcome| match outcome {
        Outcome::Role {
            role,
            reach: Reach::All,
        } => json!({"role": role.0}),
        Outcome::Role {
            role,
            reach: Reach::Scope(scope),
        } => json!({"role": role.0, "scope": scope.0}),
        Outcome::Role {
            role,
            reach: Reach::Record(record),
        } => json!({"role": role.0, "record": [record.kind, record.id]}),
        Outcome::Member(scope) => json!({"member": scope.0}),
        Outcome::Group(group) => json!({"group": group.0}),
    };
    Value::from(outcomes.iter().map(one).collect::<Vec<_>>()).to_string()
}

pub(super) fn read_outcomes(text: &str) -> Result<Vec<Outcome>> {
    let damaged = || Error::Damaged("outcomes of a rule");
    let values: Vec<Value> = serde_json::from_str(text).map_err(|_| damaged())?;
    values.iter().map(|value| outcome(value).ok_or_else(damaged)).collect()
}

fn outcome(value: &Value) -> Option<Outcome> {
    let number = |name: &str| value.get(name).and_then(Value::as_i64);
    if let Some(scope) = number("member") {
        return Some(Outcome::Member(ScopeKey(scope)));
    }
    if let Some(group) = number("group") {
        return Some(Outcome::Group(Pk(group)));
    }
    let role = RoleKey(number("role")?);
    let reach = match (number("scope"), value.get("record")) {
        (Some(scope), _) => Reach::Scope(ScopeKey(scope)),
        (None, Some(record)) => Reach::Record(RecordRef {
            kind: record.get(0)?.as_str()?.to_owned(),
            id: record.get(1)?.as_str()?.to_owned(),
        }),
        (None, None) => Reach::All,
    };
    Some(Outcome::Role { role, reach })
}

/// Keys of permissions from a JSON array.
pub(super) fn permissions(text: &str) -> Result<Vec<String>> {
    serde_json::from_str(text).map_err(|_| Error::Damaged("permissions of a role"))
}

pub(super) fn state(name: &str) -> Result<State> {
    State::parse(name).ok_or(Error::Damaged("state of a rule"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_read_back_as_they_were_written() {
        let all = vec![
            Outcome::Role {
                role: RoleKey(2),
                reach: Reach::All,
            },
            Outcome::Role {
                role: RoleKey(100),
                reach: Reach::Scope(ScopeKey(7)),
            },
            Outcome::Role {
                role: RoleKey(5),
                reach: Reach::Record(RecordRef {
                    kind: "lead".to_owned(),
                    id: "a:1".to_owned(),
                }),
            },
            Outcome::Member(ScopeKey(7)),
            Outcome::Group(Pk(12)),
        ];
        assert_eq!(read_outcomes(&outcomes(&all)).unwrap(), all);
        assert_eq!(read_outcomes("[]").unwrap(), []);
        assert!(read_outcomes("[{}]").is_err());
    }

    #[test]
    fn a_restriction_is_read_back_and_none_is_empty() {
        let values = BTreeSet::from(["EU".to_owned(), "it's \"q\"".to_owned()]);
        let some = Restriction(BTreeMap::from([("region".to_owned(), values)]));
        assert_eq!(read_restriction(&restriction(&some)).unwrap(), some);
        assert_eq!(restriction(&Restriction::default()), "");
        assert!(read_restriction("").unwrap().is_empty());
    }
}
