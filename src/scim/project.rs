//! Which attributes an answer shows (RFC 7644 §3.4.2.5, §3.9; RFC 7643 §7).

use serde_json::{Map, Value};

use super::Error;
use super::path::AttrPath;
use super::schema::{Attribute, Field, Place, ResourceType, Returned, Target};

/// What a request says about the attributes it wants to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View(Choice);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Choice {
    /// What is shown unless asked otherwise.
    #[default]
    Plain,
    /// The minimum and these.
    Only(Vec<Name>),
    /// All but these.
    Except(Vec<Name>),
}

/// A resolved name. Without `attribute` it is a whole extension, without `sub` a whole attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    extension: Option<String>,
    attribute: Option<String>,
    sub: Option<String>,
}

impl View {
    /// Reads the two query parameters: names separated by commas, blanks around them allowed.
    ///
    /// # Errors
    /// As [`View::from_lists`].
    pub fn parse(attributes: Option<&str>, excluded: Option<&str>, types: &[&ResourceType]) -> Result<Self, Error> {
        let split = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        Self::from_lists(attributes.map(split).as_deref(), excluded.map(split).as_deref(), types)
    }

    /// Reads the two lists. Names may have any letter case and a URN; the URN of an extension alone names all of it.
    /// Names unknown to every type are ignored, blank ones too; a list without names is no list.
    ///
    /// # Errors
    /// `invalidValue` when both lists have names: they exclude each other (RFC 7644 §3.9).
    pub fn from_lists(
        attributes: Option<&[String]>,
        excluded: Option<&[String]>,
        types: &[&ResourceType],
    ) -> Result<Self, Error> {
        let given = |list: Option<&[String]>| {
            let names = list.unwrap_or_default().iter().map(|name| name.trim().to_owned());
            Some(names.filter(|name| !name.is_empty()).collect::<Vec<_>>()).filter(|names| !names.is_empty())
        };
        let choice = match (given(attributes), given(excluded)) {
            (None, None) => Choice::Plain,
            (Some(names), None) => Choice::Only(resolve(&names, types)),
            (None, Some(names)) => Choice::Except(resolve(&names, types)),
            (Some(_), Some(_)) => {
                let detail = "`attributes` and `excludedAttributes` cannot be combined";
                return Err(Error::invalid_value(detail));
            }
        };
        Ok(Self(choice))
    }

    /// Whether nothing was asked for: a stored representation of a type that hides nothing can be shown as it is.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0 == Choice::Plain
    }

    /// Whether the answer could show the core attribute of this canonical name, so that it is worth loading.
    #[must_use]
    pub fn wants(&self, top: &str) -> bool {
        let means = |name: &&Name| name.extension.is_none() && name.attribute.as_deref() == Some(top);
        match &self.0 {
            Choice::Plain => true,
            Choice::Only(names) => names.iter().any(|name| means(&name)),
            Choice::Except(names) => !names.iter().filter(means).any(|name| name.sub.is_none()),
        }
    }

    /// Cuts a whole representation down to what is shown. `asked_for` has the canonical paths the same request has
    /// written to, which are then shown although they are for the asking only; elsewhere it is empty.
    #[must_use]
    pub fn project(&self, full: Map<String, Value>, ty: &ResourceType, asked_for: &[String]) -> Map<String, Value> {
        let mut shown = Map::with_capacity(full.len());
        for (name, value) in full {
            let value = match (ty.field(None, &name), value) {
                (Some(field), value) => self.attribute(field, value, asked_for),
                (None, Value::Object(parts)) if ty.extension(&name).is_some() => {
                    let parts = parts.into_iter().filter_map(|(part, value)| {
                        let field = ty.field(Some(&name), &part)?;
                        Some((part, self.attribute(field, value, asked_for)?))
                    });
                    Some(Value::Object(parts.collect::<Map<_, _>>()))
                        .filter(|value| value != &Value::Object(Map::new()))
                }
                (None, _) => None,
            };
            if let Some(value) = value {
                shown.insert(name, value);
            }
        }
        shown
    }

    fn attribute(&self, field: &Field, value: Value, asked_for: &[String]) -> Option<Value> {
        let attribute = field.attribute();
        let asked = asked_for.iter().any(|path| belongs(path, field));
        if !self.shows(field, asked) {
            return None;
        }
        if attribute.sub_attributes.is_empty() {
            return Some(value);
        }
        match value {
            Value::Object(parts) => self.element(field, parts, asked_for),
            Value::Array(elements) => {
                let shown: Vec<Value> = elements
                    .into_iter()
                    .filter_map(|element| match element {
                        Value::Object(parts) => self.element(field, parts, asked_for),
                        other => Some(other),
                    })
                    .collect();
                Some(Value::Array(shown)).filter(|value| value.as_array().is_some_and(|shown| !shown.is_empty()))
            }
            other => Some(other),
        }
    }

    /// Whether anything of a top-level attribute is shown. `schemas` says `always`, as `id` does.
    fn shows(&self, field: &Field, asked: bool) -> bool {
        let standard = match field.attribute().returned {
            Returned::Never => return false,
            Returned::Always => return true,
            Returned::Default => true,
            Returned::Request => asked,
        };
        match &self.0 {
            Choice::Plain => standard,
            Choice::Except(names) => standard && !names.iter().any(|name| name.covers(field)),
            Choice::Only(names) => names
                .iter()
                .any(|name| name.covers(field) || name.sub_of(field).is_some()),
        }
    }

    fn element(&self, field: &Field, parts: Map<String, Value>, asked_for: &[String]) -> Option<Value> {
        let always = field.attribute().returned == Returned::Always;
        let shown: Map<String, Value> = parts
            .into_iter()
            .filter(|(name, _)| {
                let found = field.subs().find(|(sub, _)| sub.name == *name);
                found.is_some_and(|(sub, path)| {
                    let asked = asked_for.iter().any(|asked| asked == path);
                    self.shows_sub(field, sub, asked, always)
                })
            })
            .collect();
        Some(Value::Object(shown)).filter(|value| value != &Value::Object(Map::new()))
    }

    fn shows_sub(&self, field: &Field, sub: &Attribute, asked: bool, always: bool) -> bool {
        let is_named = |names: &[Name]| names.iter().any(|name| name.sub_of(field) == Some(sub.name.as_str()));
        let standard = match sub.returned {
            Returned::Never => return false,
            Returned::Always => return true,
            Returned::Default => true,
            Returned::Request => asked,
        };
        match &self.0 {
            Choice::Plain => standard,
            Choice::Except(names) => standard && !is_named(names),
            Choice::Only(names) => {
                let whole = always || names.iter().any(|name| name.covers(field));
                is_named(names) || (whole && standard)
            }
        }
    }
}

impl Name {
    fn of(place: Place<'_>) -> Self {
        Self {
            extension: place.extension().map(str::to_owned),
            attribute: Some(place.top().name.clone()),
            sub: place.sub().map(|sub| sub.name.clone()),
        }
    }

    fn at_home(&self, field: &Field) -> bool {
        self.extension.as_deref() == field.extension()
    }

    /// Whether the name means the whole attribute, by itself or with all of its schema.
    fn covers(&self, field: &Field) -> bool {
        let named = self
            .attribute
            .as_ref()
            .is_none_or(|name| *name == field.attribute().name);
        self.sub.is_none() && named && self.at_home(field)
    }

    /// The sub-attribute of this attribute that the name means.
    fn sub_of(&self, field: &Field) -> Option<&str> {
        let here = self.at_home(field) && self.attribute.as_ref() == Some(&field.attribute().name);
        self.sub.as_deref().filter(|_| here)
    }
}

/// Whether a canonical path is that of the attribute or of one of its sub-attributes.
fn belongs(path: &str, field: &Field) -> bool {
    path.strip_prefix(field.path())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn resolve(names: &[String], types: &[&ResourceType]) -> Vec<Name> {
    let mut resolved = Vec::new();
    for path in names.iter().filter_map(|name| AttrPath::parse(name).ok()) {
        for target in types.iter().filter_map(|ty| ty.resolve(&path)) {
            let name = match target {
                Target::Attribute(place) => Name::of(place),
                Target::Extension(extension) => Name {
                    extension: Some(extension.schema.id.clone()),
                    attribute: None,
                    sub: None,
                },
                Target::Core(_) => Name {
                    extension: None,
                    attribute: None,
                    sub: None,
                },
            };
            if !resolved.contains(&name) {
                resolved.push(name);
            }
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::ScimType;
    use crate::scim::schema::{ENTERPRISE_USER, Registry, Schema, USER};
    use serde_json::json;

    const BADGE: &str = "urn:example:params:scim:schemas:extension:badge:2.0:User";

    fn registry() -> Registry {
        let vectors: Value = serde_json::from_str(include_str!("../../conformance/vectors/filters.json")).unwrap();
        Registry::builtin()
            .with_extension("User", Schema::parse(&vectors["extensionSchema"]).unwrap())
            .unwrap()
    }

    fn alice() -> Value {
        json!({
            "schemas": [USER, ENTERPRISE_USER, BADGE],
            "id": "u1",
            "userName": "alice@acme.test",
            "name": { "givenName": "Alice", "familyName": "O'Malley" },
            "emails": [
                { "value": "alice@acme.test", "type": "work", "primary": true },
                { "value": "alice@home.example" }
            ],
            ENTERPRISE_USER: { "department": "R&D", "manager": { "value": "u2", "displayName": "Bob" } },
            BADGE: { "secretHint": "cat" },
            "meta": { "resourceType": "User", "location": "https://x/Users/u1" }
        })
    }

    fn shown(attributes: Option<&str>, excluded: Option<&str>, asked_for: &[String]) -> Value {
        let registry = registry();
        let types: Vec<_> = registry.types().iter().collect();
        let view = View::parse(attributes, excluded, &types).unwrap();
        let Value::Object(full) = alice() else { unreachable!() };
        Value::Object(view.project(full, registry.resource_type("User").unwrap(), asked_for))
    }

    fn with(attributes: &str) -> Value {
        shown(Some(attributes), None, &[])
    }

    fn without(excluded: &str) -> Value {
        shown(None, Some(excluded), &[])
    }

    fn keys(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn a_named_attribute_comes_with_the_minimum() {
        assert_eq!(keys(&with("userName")), ["schemas", "id", "userName"]);
        assert_eq!(
            keys(&with("USERNAME, Emails.VALUE")),
            ["schemas", "id", "userName", "emails"]
        );
        assert_eq!(keys(&with("noSuchThing,a b")), ["schemas", "id"]);
        assert_eq!(keys(&with("password,id")), ["schemas", "id"]);
        assert_eq!(
            with("meta.location")["meta"],
            json!({ "location": "https://x/Users/u1" })
        );
    }

    #[test]
    fn a_sub_attribute_is_taken_from_every_element() {
        assert_eq!(
            with("emails.value")["emails"],
            json!([
                { "value": "alice@acme.test" }, { "value": "alice@home.example" }
            ])
        );
        assert_eq!(with("emails.type")["emails"], json!([{ "type": "work" }]));
        assert_eq!(with("emails.value,emails")["emails"], alice()["emails"]);
        assert_eq!(
            without("emails.type")["emails"][0],
            json!({ "value": "alice@acme.test", "primary": true })
        );
        assert!(without("name.givenName,name.familyName").get("name").is_none());
    }

    #[test]
    fn names_may_carry_a_urn() {
        assert_eq!(with(&format!("{USER}:userName"))["userName"], "alice@acme.test");
        let department = with(&format!("{ENTERPRISE_USER}:department").to_uppercase());
        assert_eq!(keys(&department), ["schemas", "id", ENTERPRISE_USER]);
        assert_eq!(department[ENTERPRISE_USER], json!({ "department": "R&D" }));
        let manager = with(&format!("{ENTERPRISE_USER}:manager.value"));
        assert_eq!(manager[ENTERPRISE_USER], json!({ "manager": { "value": "u2" } }));
        assert_eq!(with(ENTERPRISE_USER)[ENTERPRISE_USER], alice()[ENTERPRISE_USER]);
        assert!(without(ENTERPRISE_USER).get(ENTERPRISE_USER).is_none());
        assert_eq!(
            keys(&with(USER)),
            ["schemas", "id", "userName", "name", "emails", "meta"]
        );
    }

    #[test]
    fn the_minimum_cannot_be_excluded() {
        assert_eq!(
            keys(&without("id,schemas,emails,meta,name")),
            ["schemas", "id", "userName", ENTERPRISE_USER]
        );
    }

    #[test]
    fn a_part_that_is_always_shown_comes_with_its_attribute_alone() {
        let part = |name: &str, returned: &str| json!({ "name": name, "type": "string", "returned": returned });
        let schema = json!({ "id": "urn:x:y:1", "name": "Y", "attributes": [{
            "name": "c", "type": "complex", "subAttributes": [part("a", "always"), part("b", "default"), part("d", "request")],
        }] });
        let registry = Registry::builtin()
            .with_extension("User", Schema::parse(&schema).unwrap())
            .unwrap();
        let types: Vec<_> = registry.types().iter().collect();
        let shown = |attributes: Option<&str>, excluded: Option<&str>| {
            let view = View::parse(attributes, excluded, &types).unwrap();
            let full = json!({ "id": "u1", "urn:x:y:1": { "c": { "a": "1", "b": "2", "d": "3" } } });
            let Value::Object(full) = full else { unreachable!() };
            let map = view.project(full, registry.resource_type("User").unwrap(), &[]);
            map.get("urn:x:y:1").map(|home| home["c"].clone())
        };
        assert_eq!(shown(None, None), Some(json!({ "a": "1", "b": "2" })));
        assert_eq!(shown(Some("urn:x:y:1:c.b"), None), Some(json!({ "a": "1", "b": "2" })));
        assert_eq!(shown(Some("urn:x:y:1:c.d"), None), Some(json!({ "a": "1", "d": "3" })));
        assert_eq!(
            shown(None, Some("urn:x:y:1:c.a,urn:x:y:1:c.b")),
            Some(json!({ "a": "1" }))
        );
        assert_eq!(shown(Some("userName"), None), None);
        assert_eq!(shown(None, Some("urn:x:y:1:c")), None);
    }

    #[test]
    fn what_is_for_the_asking_is_shown_to_those_who_ask() {
        let path = format!("{BADGE}:secretHint");
        assert!(shown(None, None, &[]).get(BADGE).is_none());
        assert_eq!(with(&path)[BADGE], json!({ "secretHint": "cat" }));
        assert_eq!(
            shown(None, None, std::slice::from_ref(&path))[BADGE],
            json!({ "secretHint": "cat" })
        );
        assert!(shown(Some("userName"), None, &[path]).get(BADGE).is_none());
    }

    #[test]
    fn the_two_parameters_exclude_each_other() {
        let registry = registry();
        let types: Vec<_> = registry.types().iter().collect();
        let error = View::parse(Some("userName"), Some("emails"), &types).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
        assert!(View::parse(Some(" "), Some("emails"), &types).is_ok());
        assert!(View::parse(None, Some(","), &types).unwrap().is_plain());
    }

    #[test]
    fn a_view_knows_what_is_worth_loading() {
        let registry = registry();
        let types: Vec<_> = registry.types().iter().collect();
        let wants = |attributes, excluded| View::parse(attributes, excluded, &types).unwrap().wants("members");
        assert!(wants(None, None));
        assert!(wants(Some("MEMBERS.value"), None));
        assert!(!wants(Some("displayName"), None));
        assert!(!wants(None, Some("members")));
        assert!(wants(None, Some("members.display")));
    }
}
