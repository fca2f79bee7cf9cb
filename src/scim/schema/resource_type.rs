//! A resource type: its schemas, its endpoint, and the resolution of paths (RFC 7643 §6).

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::attribute::{Attribute, Mutability, Returned, Type, Uniqueness};
use super::builtin::{GROUP, RESOURCE_TYPE, USER, common_attributes};
use super::definition::{Schema, SchemaFault};
use super::field::{Field, Place, Target};
use crate::scim::path::AttrPath;

/// A schema extension of a resource type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// What it adds.
    pub schema: Arc<Schema>,
    /// Whether every resource must have it.
    pub required: bool,
}

/// A kind of resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceType {
    name: String,
    description: String,
    endpoint: String,
    schema: Arc<Schema>,
    extensions: Vec<Extension>,
    fields: Vec<Field>,
    index: HashMap<String, usize>,
    /// Paths of values that must be unique, in the order of the fields, each with the key of what is compared.
    unique: Vec<(String, String)>,
    own: bool,
    plain: bool,
    secretive: bool,
}

impl ResourceType {
    /// Puts a type together; `endpoint` with or without the leading slash.
    ///
    /// # Errors
    /// [`SchemaFault::Taken`] when two of its schemas have the same URN; [`SchemaFault::Twice`] when the core schema
    /// defines a common attribute anew.
    pub fn new(
        name: &str,
        description: &str,
        endpoint: &str,
        schema: Arc<Schema>,
        extensions: Vec<Extension>,
    ) -> Result<Self, SchemaFault> {
        Self::made((name, description, endpoint), schema, extensions, false)
    }

    /// The same of a type that is not there from the beginning.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn own(
        (name, description, endpoint): (&str, &str, &str),
        schema: Arc<Schema>,
    ) -> Result<Self, SchemaFault> {
        Self::made((name, description, endpoint), schema, Vec::new(), true)
    }

    fn made(
        (name, description, endpoint): (&str, &str, &str),
        schema: Arc<Schema>,
        extensions: Vec<Extension>,
        own: bool,
    ) -> Result<Self, SchemaFault> {
        let mut fields: Vec<_> = common_attributes(name)
            .iter()
            .map(|attribute| Field::new(attribute, None))
            .collect();
        fields.extend(schema.attributes.iter().map(|attribute| Field::new(attribute, None)));
        for Extension { schema, .. } in &extensions {
            fields.extend(
                schema
                    .attributes
                    .iter()
                    .map(|attribute| Field::new(attribute, Some(&schema.id))),
            );
        }
        let mut urns = vec![schema.id.to_ascii_lowercase()];
        for Extension { schema, .. } in &extensions {
            let urn = schema.id.to_ascii_lowercase();
            if urns.contains(&urn) {
                return Err(SchemaFault::Taken(schema.id.clone()));
            }
            urns.push(urn);
        }
        let mut index = HashMap::new();
        for (position, field) in fields.iter().enumerate() {
            if index.insert(field.path.to_ascii_lowercase(), position).is_some() {
                return Err(SchemaFault::Twice(field.attribute.name.clone()));
            }
        }
        Ok(Self {
            name: name.to_owned(),
            description: description.to_owned(),
            endpoint: format!("/{}", endpoint.trim_matches('/')),
            unique: unique(&fields, own.then_some((name, &*schema))),
            plain: fields.iter().all(|field| is_plain(&schema, field)),
            secretive: fields
                .iter()
                .any(|field| hides(&field.attribute) && !is_password(&schema, field)),
            schema,
            extensions,
            fields,
            index,
            own,
        })
    }

    /// The same type with one more extension.
    pub(super) fn extended(&self, extension: Extension) -> Result<Self, SchemaFault> {
        let mut extensions = self.extensions.clone();
        extensions.push(extension);
        Self::made(
            (&self.name, &self.description, &self.endpoint),
            Arc::clone(&self.schema),
            extensions,
            self.own,
        )
    }

    /// Whether an organisation, or the files of the operator, define it: it is not there from the beginning.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.own
    }

    /// `User`: also the value of `meta.resourceType`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// For people.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// `/Users`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The core schema.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The extensions, in the order they were added.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// The extension of this URN, in any letter case.
    #[must_use]
    pub fn extension(&self, urn: &str) -> Option<&Extension> {
        self.extensions
            .iter()
            .find(|extension| extension.schema.id.eq_ignore_ascii_case(urn))
    }

    /// Every top-level attribute: common, core, then extensions.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The common or core attribute of this name (`extension` none) or the extension's attribute, in any letter case.
    #[must_use]
    pub fn field(&self, extension: Option<&str>, name: &str) -> Option<&Field> {
        let key = match extension {
            Some(urn) => format!("{urn}:{name}").to_ascii_lowercase(),
            None => name.to_ascii_lowercase(),
        };
        let found = self.index.get(&key).map(|position| &self.fields[*position]);
        // Keys are paths: a name with a colon in it must not lead into another schema.
        found.filter(|field| match (field.extension(), extension) {
            (Some(home), Some(urn)) => home.eq_ignore_ascii_case(urn),
            (home, urn) => home.is_none() && urn.is_none(),
        })
    }

    /// Where a member leads that is named by a path, such as `name.givenName` or `urn:…:User:department`. No attribute can
    /// have such a name (RFC 7643 §2.1). None for what is within the elements of a list, as nobody knows which.
    #[must_use]
    pub fn flat(&self, name: &str) -> Option<Place<'_>> {
        if !name.contains([':', '.']) {
            return None;
        }
        match self.resolve(&AttrPath::parse(name).ok()?)? {
            Target::Attribute(place) if place.sub().is_none() || !place.top().multi_valued => Some(place),
            _ => None,
        }
    }

    /// What a path names: any letter case, with or without the core URN, extension attributes with theirs.
    #[must_use]
    pub fn resolve(&self, path: &AttrPath) -> Option<Target<'_>> {
        let Some(urn) = path.urn.as_deref() else {
            return self.place(None, path).map(Target::Attribute);
        };
        if urn.eq_ignore_ascii_case(&self.schema.id) {
            return self.place(None, path).map(Target::Attribute);
        }
        if let Some(place) = self.extension(urn).and_then(|_| self.place(Some(urn), path)) {
            return Some(Target::Attribute(place));
        }
        let whole = path.to_string();
        if whole.eq_ignore_ascii_case(&self.schema.id) {
            return Some(Target::Core(&self.schema));
        }
        self.extension(&whole).map(Target::Extension)
    }

    fn place(&self, extension: Option<&str>, path: &AttrPath) -> Option<Place<'_>> {
        let field = self.field(extension, &path.name)?;
        match &path.sub {
            None => Some(Place::new(field, None)),
            Some(sub) => field.sub_index(sub).map(|index| Place::new(field, Some(index))),
        }
    }

    /// Whether there is nothing in its resources that a client could write.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        let mut attributes = self.schema.attributes.iter();
        attributes.all(|attribute| attribute.mutability == Mutability::ReadOnly)
    }

    /// Where two resources must not have the same value. `userName` and the names of groups have an index of their own.
    pub fn unique_paths(&self) -> impl Iterator<Item = &str> {
        self.unique.iter().map(|(path, _)| path.as_str())
    }

    /// The key under which values at this path are kept that no two resources of a tenant may have.
    #[must_use]
    pub fn unique_key(&self, path: &str) -> Option<&str> {
        let found = self.unique.iter().find(|(unique, _)| unique == path);
        found.map(|(_, key)| key.as_str())
    }

    /// Whether each path of an extension leads to what has it.
    ///
    /// # Errors
    /// [`SchemaFault::Ambiguous`] with the first that does not.
    pub(super) fn addressed(&self) -> Result<(), SchemaFault> {
        let parsed = |path: &str| AttrPath::parse(path).ok();
        let to_schema = |urn: &str| {
            let parsed = parsed(urn);
            let target = parsed.as_ref().and_then(|parsed| self.resolve(parsed));
            matches!(target, Some(Target::Extension(extension)) if extension.schema.id == urn)
        };
        let to_attribute = |path: &str| {
            let parsed = parsed(path);
            let target = parsed.as_ref().and_then(|parsed| self.resolve(parsed));
            matches!(target, Some(Target::Attribute(place)) if place.path() == path)
        };
        let urns = self.extensions.iter().map(|extension| extension.schema.id.as_str());
        let fields = self.fields.iter().filter(|field| field.extension.is_some());
        let paths = fields.flat_map(|field| std::iter::once(field.path()).chain(field.subs().map(|(_, path)| path)));
        let mut elsewhere = urns
            .filter(|urn| !to_schema(urn))
            .chain(paths.filter(|path| !to_attribute(path)));
        match elsewhere.next() {
            Some(path) => Err(SchemaFault::Ambiguous(path.to_owned())),
            None => Ok(()),
        }
    }

    /// Whether stored documents can be shown as they are: nothing is hidden or shown on request only, but the password.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// Whether stored documents may hold what is never returned.
    #[must_use]
    pub fn is_secretive(&self) -> bool {
        self.secretive
    }

    /// The form shown under `/ResourceTypes`; `base_url` is the URL above it.
    #[must_use]
    pub fn to_json(&self, base_url: &str) -> Value {
        let extensions: Vec<_> = self
            .extensions
            .iter()
            .map(|extension| json!({ "schema": extension.schema.id, "required": extension.required }))
            .collect();
        json!({
            "schemas": [RESOURCE_TYPE],
            "id": self.name,
            "name": self.name,
            "endpoint": self.endpoint,
            "description": self.description,
            "schema": self.schema.id,
            "schemaExtensions": extensions,
            "meta": {
                "resourceType": "ResourceType",
                "location": format!("{}/ResourceTypes/{}", base_url.trim_end_matches('/'), self.name),
            },
        })
    }
}

/// Of the core schema that counts for a type that has no index of names. Other types have attributes of the same name, so
/// the name of the type is part of the key; the path of an extension says itself whose it is.
fn unique(fields: &[Field], own: Option<(&str, &Schema)>) -> Vec<(String, String)> {
    let of_core = |field: &Field| own.is_some_and(|(_, core)| core.attribute(&field.attribute.name).is_some());
    let counts = fields
        .iter()
        .filter(|field| field.extension.is_some() || of_core(field));
    let mut found = Vec::new();
    for field in counts {
        for (attribute, path) in std::iter::once((&field.attribute, field.path())).chain(field.subs()) {
            if attribute.uniqueness == Uniqueness::None || attribute.kind == Type::Complex {
                continue;
            }
            let key = match (&field.extension, own) {
                (None, Some((name, _))) => format!("{name}:{path}"),
                _ => path.to_owned(),
            };
            found.push((path.to_owned(), key));
        }
    }
    found
}

/// Whether a stored document can be shown as it is, as far as this attribute goes. Two exceptions are of the core schemas
/// alone: the password is never part of a stored document, and what only the server writes is computed for the answer. A
/// schema that somebody else defines may have been another one when the document was stored.
fn is_plain(schema: &Schema, field: &Field) -> bool {
    is_password(schema, field) || shows_all(&field.attribute, is_core(schema, field))
}

fn shows_all(attribute: &Attribute, core: bool) -> bool {
    let computed = core && attribute.mutability == Mutability::ReadOnly;
    let shown = !matches!(attribute.returned, Returned::Never | Returned::Request);
    computed || (shown && attribute.sub_attributes.iter().all(|sub| shows_all(sub, core)))
}

fn is_core(schema: &Schema, field: &Field) -> bool {
    field.extension.is_none() && [USER, GROUP].contains(&schema.id.as_str())
}

/// The password of users, which is kept elsewhere.
fn is_password(schema: &Schema, field: &Field) -> bool {
    is_core(schema, field) && field.path == "password"
}

/// Whether the attribute, or a part of it, is never returned.
fn hides(attribute: &Attribute) -> bool {
    attribute.returned == Returned::Never || attribute.sub_attributes.iter().any(hides)
}
