//! What an organisation adds: schemas and resource types from SCIM's own JSON, within limits (RFC 7643 §6, §7).

use serde_json::{Map, Value};

use super::attribute::{Attribute, Mutability, Returned, Type, Uniqueness};
use super::definition::{Schema, SchemaFault, is_name};
use super::registry::Registry;
use super::spelling;

/// Most attributes of one schema, those of complex ones with them.
pub const MAX_ATTRIBUTES: usize = 300;
/// Longest URN, in characters: every path of an attribute begins with it.
pub const MAX_URN: usize = 200;
/// Longest name of a schema, type, endpoint or attribute, in characters.
pub const MAX_NAME: usize = 64;
/// Longest description, in characters.
pub const MAX_DESCRIPTION: usize = 2_000;
/// Most canonical values or reference types of an attribute.
pub const MAX_VALUES: usize = 200;
/// Longest of them, in characters.
pub const MAX_VALUE: usize = 256;
/// Most extensions of one resource type.
pub const MAX_EXTENSIONS: usize = 20;

/// URNs that are the protocol's and ours: nobody defines them anew.
const RESERVED: [&str; 2] = ["urn:ietf:params:scim:api:", "urn:muster:"];

/// A resource type as somebody defines it; what it names is looked up when it is put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeDefinition {
    /// `Device`: also its id.
    pub name: String,
    /// For people.
    pub description: String,
    /// `/Devices`; none for a type that is there already.
    pub endpoint: Option<String>,
    /// URN of the core schema; none for a type that is there already.
    pub schema: Option<String>,
    /// URNs of extensions, and whether every resource must have them.
    pub extensions: Vec<(String, bool)>,
}

impl Schema {
    /// Reads a schema that somebody adds: as [`Self::parse`], within limits, and without what could not be kept.
    ///
    /// # Errors
    /// The first thing that makes it unusable.
    pub fn offered(value: &Value) -> Result<Self, SchemaFault> {
        let builtin = Registry::builtin();
        let id = value.get("id").and_then(Value::as_str).unwrap_or_default();
        if builtin.schema(id).is_some() {
            return Err(SchemaFault::Core(id.to_owned()));
        }
        spelling::of_schema(value)?;
        let schema = Self::parse(value)?;
        check_urn(&schema.id)?;
        short("name", &schema.name, MAX_NAME)?;
        short("description", &schema.description, MAX_DESCRIPTION)?;
        let subs = schema.attributes.iter().map(|attribute| attribute.sub_attributes.len());
        if schema.attributes.len() + subs.sum::<usize>() > MAX_ATTRIBUTES {
            return Err(SchemaFault::TooMany("attributes", MAX_ATTRIBUTES));
        }
        for attribute in &schema.attributes {
            let common = ["id", "externalId", "meta", "schemas"];
            if common.iter().any(|name| name.eq_ignore_ascii_case(&attribute.name)) {
                return Err(SchemaFault::Common(attribute.name.clone()));
            }
            check(attribute, &attribute.name)?;
            for sub in &attribute.sub_attributes {
                check(sub, &format!("{}.{}", attribute.name, sub.name))?;
            }
        }
        Ok(schema)
    }
}

fn check_urn(urn: &str) -> Result<(), SchemaFault> {
    let fault = || SchemaFault::Urn(urn.chars().take(MAX_URN).collect());
    let known = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, ':' | '.' | '-' | '_');
    let parts = urn.split(':');
    if urn.chars().count() > MAX_URN || !urn.chars().all(known) || parts.clone().count() < 3 {
        return Err(fault());
    }
    // Documents tell an extension from an attribute by this.
    if !urn.starts_with("urn:") || parts.clone().any(str::is_empty) {
        return Err(fault());
    }
    let lower = urn.to_ascii_lowercase();
    if RESERVED.iter().any(|reserved| lower.starts_with(reserved)) {
        return Err(SchemaFault::Core(urn.to_owned()));
    }
    Ok(())
}

fn short(what: &'static str, text: &str, most: usize) -> Result<(), SchemaFault> {
    if text.chars().count() > most || text.contains('\0') {
        return Err(SchemaFault::TooLong(what, most));
    }
    Ok(())
}

fn check(attribute: &Attribute, path: &str) -> Result<(), SchemaFault> {
    let fault = |reason| Err(SchemaFault::Contradiction(path.to_owned(), reason));
    short("attribute name", &attribute.name, MAX_NAME)?;
    // A name begins with a letter; `$ref` is the one exception (RFC 7643 §2.1, §2.4).
    if attribute.name.starts_with('$') && !attribute.name.eq_ignore_ascii_case("$ref") {
        return Err(SchemaFault::Name(attribute.name.clone()));
    }
    short("description", &attribute.description, MAX_DESCRIPTION)?;
    for list in [&attribute.canonical_values, &attribute.reference_types] {
        if list.len() > MAX_VALUES {
            return Err(SchemaFault::TooMany("canonical values", MAX_VALUES));
        }
        list.iter()
            .try_for_each(|value| short("canonical value", value, MAX_VALUE))?;
    }
    leads_somewhere(attribute).or_else(fault)?;
    if attribute.mutability == Mutability::WriteOnly && attribute.returned != Returned::Never {
        return fault("what is `writeOnly` has `returned` `never`");
    }
    if attribute.uniqueness != Uniqueness::None {
        if matches!(attribute.kind, Type::Complex | Type::Boolean) {
            return fault("a complex or boolean value cannot be unique; one of its sub-attributes can");
        }
        if attribute.returned == Returned::Never {
            return fault("what is never returned cannot be unique: a refusal would tell it");
        }
    }
    let hides = |attribute: &Attribute| attribute.returned == Returned::Never;
    if attribute.mutability == Mutability::Immutable && (hides(attribute) || attribute.sub_attributes.iter().any(hides))
    {
        return fault(
            "what is never returned cannot be immutable: a refusal of another value would tell a right guess",
        );
    }
    if attribute.kind == Type::Complex && attribute.returned == Returned::Never {
        return fault("a complex attribute cannot be `returned` `never` as a whole; its sub-attributes can");
    }
    Ok(())
}

/// Whether a reference says what it leads to, and nothing else does (RFC 7643 §7). The name may be that of a type which
/// comes later: two types can lead to each other.
fn leads_somewhere(attribute: &Attribute) -> Result<(), &'static str> {
    let names = &attribute.reference_types;
    match attribute.kind {
        Type::Reference if names.is_empty() => {
            Err("a reference has `referenceTypes`: names of resource types, `external` or `uri`")
        }
        Type::Reference if !names.iter().all(|name| is_name(name)) => {
            Err("`referenceTypes` are names of resource types, `external` or `uri`")
        }
        Type::Reference => Ok(()),
        _ if names.is_empty() => Ok(()),
        _ => Err("only a reference has `referenceTypes`"),
    }
}

impl TypeDefinition {
    /// Reads a definition that somebody adds: as [`Self::parse`], and without what nobody would read.
    ///
    /// # Errors
    /// The first thing that makes it unusable.
    pub fn offered(value: &Value) -> Result<Self, SchemaFault> {
        spelling::of_type(value)?;
        Self::parse(value)
    }

    /// Reads the JSON form (RFC 7643 §6).
    ///
    /// # Errors
    /// The first thing that makes it unusable.
    pub fn parse(value: &Value) -> Result<Self, SchemaFault> {
        let object = value.as_object().ok_or(SchemaFault::NotAType)?;
        let id = text(object, "id")?;
        let name = text(object, "name")?.or_else(|| id.clone());
        let name = name.ok_or(SchemaFault::TypeMember("name"))?;
        if !is_name(&name) || name.starts_with('$') || name.chars().count() > MAX_NAME {
            return Err(SchemaFault::TypeName(name.chars().take(MAX_NAME).collect()));
        }
        if id.is_some_and(|id| id != name) {
            return Err(SchemaFault::TypeMember("id"));
        }
        let description = text(object, "description")?.unwrap_or_default();
        short("description", &description, MAX_DESCRIPTION)?;
        let extensions = match object.get("schemaExtensions").filter(|value| !value.is_null()) {
            None => Vec::new(),
            Some(Value::Array(list)) => list.iter().map(extension).collect::<Result<_, _>>()?,
            Some(_) => return Err(SchemaFault::TypeMember("schemaExtensions")),
        };
        if extensions.len() > MAX_EXTENSIONS {
            return Err(SchemaFault::TooMany("extensions", MAX_EXTENSIONS));
        }
        Ok(Self {
            name,
            description,
            endpoint: text(object, "endpoint")?.map(|text| endpoint(&text)).transpose()?,
            schema: text(object, "schema")?,
            extensions,
        })
    }
}

fn text(object: &Map<String, Value>, member: &'static str) -> Result<Option<String>, SchemaFault> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(SchemaFault::TypeMember(member)),
    }
}

fn extension(value: &Value) -> Result<(String, bool), SchemaFault> {
    let fault = SchemaFault::TypeMember("schemaExtensions");
    let Some(object) = value.as_object() else {
        return Err(fault);
    };
    let required = match object.get("required") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(required)) => *required,
        Some(_) => return Err(fault),
    };
    Ok((text(object, "schema")?.ok_or(fault)?, required))
}

/// One segment, with the slash before it.
fn endpoint(given: &str) -> Result<String, SchemaFault> {
    let segment = given.strip_prefix('/').unwrap_or(given);
    let in_segment = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let begins = segment.starts_with(|first: char| first.is_ascii_alphabetic());
    if begins && segment.chars().all(in_segment) && segment.len() <= MAX_NAME {
        Ok(format!("/{segment}"))
    } else {
        Err(SchemaFault::Endpoint(given.chars().take(MAX_NAME).collect()))
    }
}
