//! Top-level attributes at home in a resource type, and what a path leads to.

use super::attribute::Attribute;
use super::definition::Schema;
use super::resource_type::Extension;

/// A top-level attribute of a resource type, with its canonical paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub(super) attribute: Attribute,
    pub(super) extension: Option<String>,
    pub(super) path: String,
    pub(super) sub_paths: Vec<String>,
}

impl Field {
    pub(super) fn new(attribute: &Attribute, extension: Option<&str>) -> Self {
        let path = match extension {
            Some(urn) => format!("{urn}:{}", attribute.name),
            None => attribute.name.clone(),
        };
        let sub_paths = attribute
            .sub_attributes
            .iter()
            .map(|sub| format!("{path}.{}", sub.name))
            .collect();
        Self {
            attribute: attribute.clone(),
            extension: extension.map(str::to_owned),
            path,
            sub_paths,
        }
    }

    /// The definition.
    #[must_use]
    pub fn attribute(&self) -> &Attribute {
        &self.attribute
    }

    /// URN of the extension it belongs to; none for core and common attributes.
    #[must_use]
    pub fn extension(&self) -> Option<&str> {
        self.extension.as_deref()
    }

    /// Canonical path: `userName`, `emails`, `urn:…:User:department`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Sub-attributes with their canonical paths: `emails.type`.
    pub fn subs(&self) -> impl Iterator<Item = (&Attribute, &str)> {
        self.attribute
            .sub_attributes
            .iter()
            .zip(self.sub_paths.iter().map(String::as_str))
    }

    pub(super) fn sub_index(&self, name: &str) -> Option<usize> {
        self.attribute
            .sub_attributes
            .iter()
            .position(|sub| sub.name.eq_ignore_ascii_case(name))
    }
}

/// Where a path leads: a top-level attribute, or a sub-attribute of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    field: &'a Field,
    sub: Option<usize>,
}

impl<'a> Place<'a> {
    pub(super) fn new(field: &'a Field, sub: Option<usize>) -> Self {
        Self { field, sub }
    }

    /// The top-level attribute with its paths.
    #[must_use]
    pub fn field(&self) -> &'a Field {
        self.field
    }

    /// Definition of the top-level attribute.
    #[must_use]
    pub fn top(&self) -> &'a Attribute {
        &self.field.attribute
    }

    /// Definition of the sub-attribute, if the path names one.
    #[must_use]
    pub fn sub(&self) -> Option<&'a Attribute> {
        self.sub.map(|index| &self.field.attribute.sub_attributes[index])
    }

    /// Definition of what the path names: the sub-attribute, else the top-level attribute.
    #[must_use]
    pub fn leaf(&self) -> &'a Attribute {
        self.sub().unwrap_or(&self.field.attribute)
    }

    /// URN of the extension; none for core and common attributes.
    #[must_use]
    pub fn extension(&self) -> Option<&'a str> {
        self.field.extension.as_deref()
    }

    /// Canonical path of what is named: `name.familyName`, `urn:…:User:manager.value`.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.sub.map_or(&self.field.path, |index| &self.field.sub_paths[index])
    }

    /// Canonical path of the top-level attribute.
    #[must_use]
    pub fn top_path(&self) -> &'a str {
        &self.field.path
    }

    /// The sub-attribute of this name below the top-level attribute, in any letter case.
    #[must_use]
    pub fn with_sub(&self, name: &str) -> Option<Self> {
        self.field.sub_index(name).map(|index| Self {
            field: self.field,
            sub: Some(index),
        })
    }
}

/// What a path names in a resource type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// The URN of the core schema alone.
    Core(&'a Schema),
    /// The URN of an extension alone.
    Extension(&'a Extension),
    /// An attribute or sub-attribute.
    Attribute(Place<'a>),
}
