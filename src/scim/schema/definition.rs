//! A schema: read from and written to its JSON form (RFC 7643 §7).

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::attribute::{Attribute, Mutability, Returned, Type, Uniqueness};
use super::builtin::SCHEMA;

/// A named set of attribute definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// URN, in canonical spelling.
    pub id: String,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// Top-level attributes in the order they are shown.
    pub attributes: Vec<Attribute>,
}

/// Why a schema definition cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaFault {
    /// Not an object, or an attribute is not.
    #[error("a schema and its attributes must be JSON objects")]
    NotAnObject,
    /// The member is absent or of another JSON type.
    #[error("`{place}` lacks a usable `{member}`")]
    Member {
        /// The schema or attribute.
        place: String,
        /// The member.
        member: &'static str,
    },
    /// The value is none of those the RFC lists.
    #[error("`{value}` is not a known `{member}` (attribute `{place}`)")]
    Keyword {
        /// The attribute.
        place: String,
        /// The member.
        member: &'static str,
        /// What stands there.
        value: String,
    },
    /// Not `ALPHA *(ALPHA / DIGIT / "$" / "-" / "_")`.
    #[error("`{0}` is not a valid attribute name")]
    Name(String),
    /// Two attributes differ in letter case only.
    #[error("the attribute `{0}` is defined twice")]
    Twice(String),
    /// Complex inside complex.
    #[error("the sub-attribute `{0}` must not be complex")]
    Nested(String),
    /// Sub-attributes where there can be none, or none where there must be some.
    #[error("`{0}` must have sub-attributes exactly when its type is `complex`")]
    SubAttributes(String),
    /// A member that looks like another one.
    #[error("`{given}` is no member of {place}; did you mean `{meant}`?")]
    Misspelt {
        /// What has it.
        place: String,
        /// The member.
        given: String,
        /// What it looks like.
        meant: String,
    },
    /// It says that it is something else.
    #[error("`schemas` must name `{0}`")]
    Says(&'static str),
    /// The resource type already has a schema of this URN.
    #[error("the schema `{0}` is already in use")]
    Taken(String),
    /// The registry has no resource type of this name.
    #[error("there is no resource type `{0}`")]
    UnknownType(String),
    /// A schema that every server has.
    #[error("`{0}` belongs to the protocol or to this server, and cannot be defined anew")]
    Core(String),
    /// Not usable as the beginning of a path.
    #[error("`{0}` is no URN that can be used: `urn:` and at least two more parts of letters, digits, `.`, `-`, `_`, at most {max} characters in all", max = super::own::MAX_URN)]
    Urn(String),
    /// More than is read.
    #[error("there are at most {1} {0}")]
    TooMany(&'static str, usize),
    /// Longer than is kept.
    #[error("a {0} has at most {1} characters, and no NUL")]
    TooLong(&'static str, usize),
    /// An attribute that every resource has.
    #[error("every resource has the attribute `{0}` already: a schema cannot define it anew")]
    Common(String),
    /// An extension has an attribute of the core schema.
    #[error("`{ty}` has the attribute `{name}` already: the extension `{urn}` cannot redefine it")]
    Redefined {
        /// The extension.
        urn: String,
        /// The attribute.
        name: String,
        /// The resource type.
        ty: String,
    },
    /// Characteristics that cannot hold together.
    #[error("`{0}`: {1}")]
    Contradiction(String, &'static str),
    /// A path that would lead somewhere else.
    #[error("the path `{0}` would lead somewhere else")]
    Ambiguous(String),
    /// Not an object.
    #[error("a resource type must be a JSON object")]
    NotAType,
    /// A member of a resource type that is absent, of another JSON type or another value than it must be.
    #[error("the resource type lacks a usable `{0}`")]
    TypeMember(&'static str),
    /// The name of a resource type that is none.
    #[error("`{0}` is not a valid name of a resource type")]
    TypeName(String),
    /// A name that cannot be a segment of a URL.
    #[error("`{0}` is no endpoint: a slash and one segment of letters, digits, `-` and `_` that begins with a letter")]
    Endpoint(String),
    /// An endpoint or a type that is there already.
    #[error("`{0}` is already in use on this server")]
    Collides(String),
    /// A schema that a resource type names and nobody has defined.
    #[error("there is no schema `{0}`")]
    UnknownSchema(String),
    /// What cannot be changed of a type that every server has.
    #[error("the `{1}` of the resource type `{0}` cannot be changed")]
    Fixed(String, &'static str),
}

impl Schema {
    /// Reads the JSON form; characteristics left out take the defaults of RFC 7643 §2.2.
    ///
    /// # Errors
    /// The first thing that makes the definition unusable.
    pub fn parse(value: &Value) -> Result<Self, SchemaFault> {
        let members = Members::of(value, "schema")?;
        let id = members.text("id")?.filter(|id| id.contains(':'));
        let id = id.ok_or_else(|| members.missing("id"))?;
        let list = members.object.get("attributes").and_then(Value::as_array);
        let list = list.ok_or_else(|| members.missing("attributes"))?;
        Ok(Self {
            name: members.text("name")?.unwrap_or_default(),
            description: members.text("description")?.unwrap_or_default(),
            attributes: attributes(list, "", id.eq_ignore_ascii_case(SCHEMA))?,
            id,
        })
    }

    /// The attribute of this name, in any letter case.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    /// The form shown under `/Schemas`; `base_url` is the URL above it.
    #[must_use]
    pub fn to_json(&self, base_url: &str) -> Value {
        json!({
            "schemas": [SCHEMA],
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "attributes": self.attributes.iter().map(Attribute::to_json).collect::<Vec<_>>(),
            "meta": {
                "resourceType": "Schema",
                "location": format!("{}/Schemas/{}", base_url.trim_end_matches('/'), self.id),
            },
        })
    }
}

impl Attribute {
    /// The definition as it stands in a schema (RFC 7643 §7).
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("name".into(), self.name.clone().into());
        object.insert("type".into(), self.kind.as_str().into());
        object.insert("multiValued".into(), self.multi_valued.into());
        object.insert("description".into(), self.description.clone().into());
        object.insert("required".into(), self.required.into());
        if !self.canonical_values.is_empty() {
            object.insert("canonicalValues".into(), self.canonical_values.clone().into());
        }
        object.insert("caseExact".into(), self.case_exact.into());
        object.insert("mutability".into(), self.mutability.as_str().into());
        object.insert("returned".into(), self.returned.as_str().into());
        object.insert("uniqueness".into(), self.uniqueness.as_str().into());
        if self.kind == Type::Reference {
            object.insert("referenceTypes".into(), self.reference_types.clone().into());
        }
        if self.kind == Type::Complex {
            let subs: Vec<_> = self.sub_attributes.iter().map(Self::to_json).collect();
            object.insert("subAttributes".into(), subs.into());
        }
        object.into()
    }
}

fn attributes(list: &[Value], parent: &str, nesting: bool) -> Result<Vec<Attribute>, SchemaFault> {
    let mut seen = HashSet::new();
    list.iter()
        .map(|value| {
            let attribute = attribute(value, parent, nesting)?;
            if seen.insert(attribute.name.to_ascii_lowercase()) {
                Ok(attribute)
            } else {
                Err(SchemaFault::Twice(attribute.name))
            }
        })
        .collect()
}

/// Only the schema of schemas may nest complex attributes.
fn attribute(value: &Value, parent: &str, nesting: bool) -> Result<Attribute, SchemaFault> {
    let unnamed = Members::of(value, if parent.is_empty() { "attribute" } else { parent })?;
    let name = unnamed.text("name")?.ok_or_else(|| unnamed.missing("name"))?;
    if !is_name(&name) {
        return Err(SchemaFault::Name(name));
    }
    let place = if parent.is_empty() {
        name.clone()
    } else {
        format!("{parent}.{name}")
    };
    let members = Members::of(value, &place)?;
    let kind = members.keyword("type", Type::ALL, Type::as_str)?;
    let subs = match members.object.get("subAttributes") {
        Some(Value::Array(subs)) => subs.as_slice(),
        _ => &[],
    };
    if (kind == Type::Complex) == subs.is_empty() {
        return Err(SchemaFault::SubAttributes(place));
    }
    if kind == Type::Complex && !parent.is_empty() && !nesting {
        return Err(SchemaFault::Nested(place));
    }
    Ok(Attribute {
        kind,
        multi_valued: members.flag("multiValued")?,
        description: members.text("description")?.unwrap_or_default(),
        required: members.flag("required")?,
        case_exact: members.flag("caseExact")?,
        mutability: members.keyword("mutability", Mutability::ALL, Mutability::as_str)?,
        returned: members.keyword("returned", Returned::ALL, Returned::as_str)?,
        uniqueness: members.keyword("uniqueness", Uniqueness::ALL, Uniqueness::as_str)?,
        canonical_values: members.texts("canonicalValues")?,
        reference_types: members.texts("referenceTypes")?,
        sub_attributes: attributes(subs, &place, nesting)?,
        name,
    })
}

/// `ATTRNAME = ALPHA *(nameChar)`, and `$ref` (RFC 7643 §2.1).
pub(super) fn is_name(name: &str) -> bool {
    let rest = name.strip_prefix('$').unwrap_or(name);
    let in_name = |other: char| other.is_ascii_alphanumeric() || matches!(other, '$' | '-' | '_');
    rest.starts_with(|first: char| first.is_ascii_alphabetic()) && rest.chars().all(in_name)
}

/// Members of a definition; null counts as absent.
struct Members<'a> {
    object: &'a Map<String, Value>,
    /// For messages.
    place: &'a str,
}

impl<'a> Members<'a> {
    fn of(value: &'a Value, place: &'a str) -> Result<Self, SchemaFault> {
        let object = value.as_object().ok_or(SchemaFault::NotAnObject)?;
        Ok(Self { object, place })
    }

    fn missing(&self, member: &'static str) -> SchemaFault {
        SchemaFault::Member {
            place: self.place.to_owned(),
            member,
        }
    }

    fn get(&self, member: &str) -> Option<&'a Value> {
        self.object.get(member).filter(|value| !value.is_null())
    }

    fn text(&self, member: &'static str) -> Result<Option<String>, SchemaFault> {
        let read = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| self.missing(member));
        self.get(member).map(read).transpose()
    }

    fn flag(&self, member: &'static str) -> Result<bool, SchemaFault> {
        let read = |value: &Value| value.as_bool().ok_or_else(|| self.missing(member));
        self.get(member).map_or(Ok(false), read)
    }

    fn texts(&self, member: &'static str) -> Result<Vec<String>, SchemaFault> {
        let text = |item: &Value| item.as_str().map(str::to_owned);
        let read = |value: &Value| -> Option<Vec<_>> { value.as_array()?.iter().map(text).collect() };
        let Some(value) = self.get(member) else {
            return Ok(Vec::new());
        };
        read(value).ok_or_else(|| self.missing(member))
    }

    fn keyword<T: Copy + Default>(
        &self,
        member: &'static str,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Result<T, SchemaFault> {
        let Some(value) = self.text(member)? else {
            return Ok(T::default());
        };
        let found = all
            .iter()
            .copied()
            .find(|keyword| name(*keyword).eq_ignore_ascii_case(&value));
        found.ok_or_else(|| SchemaFault::Keyword {
            place: self.place.to_owned(),
            member,
            value,
        })
    }
}
