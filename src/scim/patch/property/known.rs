//! The attributes the model knows, and an operation on them.

use serde_json::{Map, Value, json};

use crate::scim::schema::ENTERPRISE_USER;

const BADGE: &str = "urn:example:params:scim:schemas:extension:badge:2.0:User";

/// An attribute as the model knows it.
pub(super) struct Known {
    pub urn: Option<&'static str>,
    pub name: &'static str,
    pub subs: &'static [&'static str],
    pub many: bool,
}

pub(super) const KNOWN: &[Known] = &[
    Known {
        urn: None,
        name: "userName",
        subs: &[],
        many: false,
    },
    Known {
        urn: None,
        name: "nickName",
        subs: &[],
        many: false,
    },
    Known {
        urn: None,
        name: "externalId",
        subs: &[],
        many: false,
    },
    Known {
        urn: None,
        name: "name",
        subs: &["givenName", "familyName"],
        many: false,
    },
    Known {
        urn: None,
        name: "emails",
        subs: &["value", "type", "primary"],
        many: true,
    },
    Known {
        urn: None,
        name: "addresses",
        subs: &["locality", "primary"],
        many: true,
    },
    Known {
        urn: Some(ENTERPRISE_USER),
        name: "department",
        subs: &[],
        many: false,
    },
    Known {
        urn: Some(ENTERPRISE_USER),
        name: "manager",
        subs: &["value"],
        many: false,
    },
    Known {
        urn: Some(BADGE),
        name: "tags",
        subs: &[],
        many: true,
    },
    Known {
        urn: Some(BADGE),
        name: "serial",
        subs: &[],
        many: false,
    },
];

impl Known {
    pub fn path(&self) -> String {
        self.urn
            .map_or_else(|| self.name.to_owned(), |urn| format!("{urn}:{}", self.name))
    }
}

/// Attribute, filter terms, sub-attribute.
pub(super) type Aim = (usize, Parts, Option<&'static str>);

#[derive(Debug, Clone)]
pub(super) struct Step {
    pub verb: &'static str,
    pub target: Option<Aim>,
    pub value: Option<Value>,
}

impl Step {
    pub fn to_json(&self) -> Value {
        let mut operation = json!({ "op": self.verb });
        if let Some((attribute, terms, sub)) = &self.target {
            let mut path = KNOWN[*attribute].path();
            if !terms.is_empty() {
                let terms: Vec<_> = terms.iter().map(|(sub, value)| format!("{sub} eq {value}")).collect();
                path = format!("{path}[{}]", terms.join(" and "));
            }
            path += &sub.map(|sub| format!(".{sub}")).unwrap_or_default();
            operation["path"] = path.into();
        }
        match &self.value {
            Some(Value::Object(keys)) if self.target.is_none() => operation["value"] = nested(keys),
            Some(value) => operation["value"] = value.clone(),
            None => {}
        }
        operation
    }
}

/// Attributes of extensions stand in the object of theirs.
fn nested(keys: &Map<String, Value>) -> Value {
    let mut value = json!({});
    for (key, given) in keys {
        match key.rsplit_once(':') {
            Some((urn, name)) => value[urn][name] = given.clone(),
            None => value[key] = given.clone(),
        }
    }
    value
}

/// One element: sub-attributes with their values.
pub(super) type Parts = Vec<(&'static str, Value)>;
