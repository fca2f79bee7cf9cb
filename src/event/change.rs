//! What changed in a document, attribute by attribute, so that it can be told, repeated and taken back.

use serde_json::{Map, Value};

use super::error::Error;

/// What schemas of a document say follows from its other members; it is kept, but not told as a change.
const SCHEMAS: &str = "schemas";

/// Extensions are objects under the URN of their schema (RFC 7643 §3.3).
const URN: &str = "urn:";

/// One attribute before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// `displayName`; `urn:…:User:department` of an extension; `urn:…:User:` for an extension as a whole.
    pub path: String,
    /// The value before; `None` where there was none.
    pub before: Option<Value>,
    /// The value after; `None` where there is none any more.
    pub after: Option<Value>,
}

/// Everything that differs between two documents, in the order of the earlier, then of the later one.
///
/// An attribute with several values is one change: which of them came and went is seen from both lists.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes(Vec<Change>);

type Object = Map<String, Value>;

impl Changes {
    /// What turns `before` into `after`. For a document that is made, `before` is empty; `after` for one that goes.
    #[must_use]
    pub fn of(before: &Object, after: &Object) -> Self {
        let mut changes = Vec::new();
        let none = Map::new();
        for name in union(before, after) {
            let (old, new) = (before.get(name), after.get(name));
            if old == new {
                continue;
            }
            match (name.starts_with(URN), members(old, &none), members(new, &none)) {
                (true, Some(old), Some(new)) => {
                    let inner = union(old, new).filter(|member| old.get(*member) != new.get(*member));
                    changes.extend(inner.map(|member| {
                        let path = format!("{name}:{member}");
                        change(path, old.get(member), new.get(member))
                    }));
                }
                (true, ..) => changes.push(change(format!("{name}:"), old, new)),
                (false, ..) => changes.push(change(name.clone(), old, new)),
            }
        }
        Self(changes)
    }

    /// The same and one more, of something that is no attribute of the document.
    #[must_use]
    pub fn and(mut self, path: &str, before: Option<Value>, after: Option<Value>) -> Self {
        if before != after {
            let path = path.to_owned();
            self.0.push(Change { path, before, after });
        }
        self
    }

    /// Each change.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.0.iter()
    }

    /// Whether nothing differs.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Paths of what changed, for people and receivers: without values, and without `schemas`.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let paths = self.0.iter().map(|change| change.path.as_str());
        paths.filter(|path| *path != SCHEMAS)
    }

    /// Makes the later document of the earlier one; the order of members may differ.
    pub fn forward(&self, document: &mut Object) {
        for change in &self.0 {
            set(document, &change.path, change.after.as_ref());
        }
    }

    /// Makes the earlier document of the later one; the order of members may differ.
    pub fn backward(&self, document: &mut Object) {
        for change in &self.0 {
            set(document, &change.path, change.before.as_ref());
        }
    }

    /// The same of what is still as it was after it: what has another value by now stays.
    pub fn backward_where_still_so(&self, document: &mut Object) {
        for change in &self.0 {
            if Self::value_at(document, &change.path) == change.after.as_ref() {
                set(document, &change.path, change.before.as_ref());
            }
        }
    }

    /// What a document has at a path; of an extension as a whole, or of one of its members.
    #[must_use]
    pub fn value_at<'a>(document: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
        match path.rsplit_once(':').filter(|_| path.starts_with(URN)) {
            None => document.get(path),
            Some((urn, "")) => document.get(urn),
            Some((urn, name)) => document.get(urn)?.get(name),
        }
    }

    /// `{"before":{path:value},"after":{path:value}}`, each without what there is not.
    #[must_use]
    pub fn value(&self) -> Value {
        let side = |of: fn(&Change) -> Option<&Value>| {
            let present = self
                .0
                .iter()
                .filter_map(|change| Some((change.path.clone(), of(change)?.clone())));
            Value::Object(present.collect())
        };
        let sides = [
            ("before", side(|change| change.before.as_ref())),
            ("after", side(|change| change.after.as_ref())),
        ];
        let sides = sides.into_iter().filter(|(_, side)| *side != Value::Object(Map::new()));
        Value::Object(sides.map(|(name, side)| (name.to_owned(), side)).collect())
    }

    /// Reads what [`Changes::value`] gives; the order of changes may differ.
    ///
    /// # Errors
    /// When `before` or `after` is no object.
    pub fn read(value: &Value) -> Result<Self, Error> {
        let side = |name: &str| match value.get(name) {
            None => Ok(Map::new()),
            Some(Value::Object(side)) => Ok(side.clone()),
            Some(_) => Err(Error::Unreadable("change")),
        };
        let (before, after) = (side("before")?, side("after")?);
        let changes = union(&before, &after).map(|path| change(path.clone(), before.get(path), after.get(path)));
        Ok(Self(changes.collect()))
    }
}

fn change(path: String, before: Option<&Value>, after: Option<&Value>) -> Change {
    Change {
        path,
        before: before.cloned(),
        after: after.cloned(),
    }
}

/// Names of both, each once.
fn union<'a>(one: &'a Object, other: &'a Object) -> impl Iterator<Item = &'a String> {
    one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)))
}

/// Members of an extension that can be changed one by one; `none` where there is no extension.
///
/// An extension that is empty, or has names that a path cannot tell apart, is one value.
fn members<'a>(extension: Option<&'a Value>, none: &'a Object) -> Option<&'a Object> {
    match extension {
        None => Some(none),
        Some(Value::Object(members)) => {
            let plain = !members.is_empty() && members.keys().all(|name| !name.is_empty() && !name.contains(':'));
            plain.then_some(members)
        }
        Some(_) => None,
    }
}

fn set(document: &mut Object, path: &str, value: Option<&Value>) {
    match path.rsplit_once(':').filter(|_| path.starts_with(URN)) {
        None => put(document, path, value),
        Some((urn, "")) => put(document, urn, value),
        Some((urn, name)) => {
            if value.is_some() && !document.get(urn).is_some_and(Value::is_object) {
                document.insert(urn.to_owned(), Value::Object(Map::new()));
            }
            if let Some(Value::Object(extension)) = document.get_mut(urn) {
                put(extension, name, value);
                if extension.is_empty() {
                    document.shift_remove(urn);
                }
            }
        }
    }
}

fn put(object: &mut Object, name: &str, value: Option<&Value>) {
    match value {
        Some(value) => drop(object.insert(name.to_owned(), value.clone())),
        None => drop(object.shift_remove(name)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn object(value: Value) -> Object {
        match value {
            Value::Object(object) => object,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn attributes_are_told_one_by_one_also_of_extensions() {
        let before = object(json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": "ada", "title": "Countess", "emails": [{ "value": "a@example.com" }],
        }));
        let after = object(json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
            "userName": "ada", "emails": [{ "value": "b@example.com" }],
            ENTERPRISE: { "department": "Engines", "costCenter": "1" },
        }));
        let changes = Changes::of(&before, &after);
        let department = format!("{ENTERPRISE}:department");
        let cost = format!("{ENTERPRISE}:costCenter");
        assert_eq!(
            changes.paths().collect::<Vec<_>>(),
            ["title", "emails", &department, &cost]
        );
        assert_eq!(
            changes.value(),
            json!({
                "before": {
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                    "title": "Countess",
                    "emails": [{ "value": "a@example.com" }],
                },
                "after": {
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
                    "emails": [{ "value": "b@example.com" }],
                    department: "Engines",
                    cost: "1",
                },
            })
        );
        assert!(Changes::of(&after, &after).is_empty());
    }

    #[test]
    fn a_change_that_is_no_object_is_refused() {
        assert_eq!(
            Changes::read(&json!({ "before": [] })),
            Err(Error::Unreadable("change"))
        );
    }

    /// Documents that collide on purpose: an extension whose URN is a path into another, empty and odd extensions.
    fn documents() -> impl Strategy<Value = Object> {
        let name = prop_oneof![
            Just("schemas"),
            Just("userName"),
            Just("a:b"),
            Just("urn:x"),
            Just("urn:x:y"),
            Just("urn:x:"),
            Just("urn:")
        ];
        let member = prop_oneof![Just("y"), Just("z"), Just(""), Just("y:z")];
        let leaf = prop_oneof![
            Just(Value::Null),
            Just(json!(1)),
            Just(json!("a")),
            Just(json!(["a", "b"]))
        ];
        let inner = prop::collection::vec((member, leaf.clone()), 0..3).prop_map(|members| {
            let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
            Value::Object(members.collect())
        });
        let value = prop_oneof![leaf, inner];
        prop::collection::vec((name, value), 0..5).prop_map(|members| {
            members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn forward_gives_the_later_and_backward_the_earlier_document(before in documents(), after in documents()) {
            let changes = Changes::of(&before, &after);
            let read = Changes::read(&changes.value()).unwrap();
            for changes in [&changes, &read] {
                let (mut forth, mut back) = (before.clone(), after.clone());
                changes.forward(&mut forth);
                changes.backward(&mut back);
                prop_assert_eq!(&forth, &after);
                prop_assert_eq!(&back, &before);
            }
        }
    }
}
