//! Paths to attributes: in filters, in projections and in PATCH operations (RFC 7644 §3.10, §3.5.2).

use std::fmt;
use std::hash::{Hash, Hasher};

use super::error::Error;
use super::filter::{Filter, grammar};

/// `attrPath = [URI ":"] ATTRNAME *1subAttr` (RFC 7644 §3.4.2.2), as it was typed.
///
/// A schema URN alone parses too: its last segment becomes `name`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttrPath {
    /// Schema URN: everything before the last colon.
    pub urn: Option<String>,
    /// Attribute.
    pub name: String,
    /// Sub-attribute.
    pub sub: Option<String>,
    /// Where it stands.
    pub column: Column,
}

/// Where a name begins in the filter it was read from.
///
/// No part of what the name means: names are equal wherever they stand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Column(Begins);

#[derive(Debug, Clone, Copy, Default)]
enum Begins {
    /// It was not read, or stands alone.
    #[default]
    Nowhere,
    /// So many bytes before the end: a rule of the grammar does not see what is before it.
    FromEnd(usize),
    /// At this character, counted from 1.
    At(usize),
}

impl Column {
    /// A name at the beginning of the rest of the text.
    pub(super) const fn before(rest: &str) -> Self {
        Self(Begins::FromEnd(rest.len()))
    }

    /// Counts its characters in the whole text.
    pub(super) fn locate(&mut self, text: &str) {
        if let Begins::FromEnd(left) = self.0
            && let Some(before) = text.len().checked_sub(left).and_then(|end| text.get(..end))
        {
            self.0 = Begins::At(before.chars().count() + 1);
        }
    }

    /// The character, counted from 1.
    #[must_use]
    pub const fn get(self) -> Option<usize> {
        match self.0 {
            Begins::At(column) => Some(column),
            Begins::Nowhere | Begins::FromEnd(_) => None,
        }
    }
}

impl PartialEq for Column {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Column {}

impl Hash for Column {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl AttrPath {
    /// A path without URN and sub-attribute.
    pub fn plain(name: impl Into<String>) -> Self {
        Self {
            urn: None,
            name: name.into(),
            sub: None,
            column: Column::default(),
        }
    }

    /// Reads a whole path; spaces around it are ignored.
    ///
    /// # Errors
    /// `invalidPath` with the column.
    pub fn parse(text: &str) -> Result<Self, Error> {
        grammar::whole_attr_path(text).map_err(|fault| Error::invalid_path(fault.to_string()))
    }
}

impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = &self.urn {
            write!(f, "{urn}:")?;
        }
        f.write_str(&self.name)?;
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

/// `PATH = attrPath / valuePath [subAttr]` (RFC 7644 §3.5.2, figure 7).
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPath {
    /// The attribute, and the sub-attribute when there is no filter.
    pub attr: AttrPath,
    /// Which elements of it.
    pub filter: Option<Filter>,
    /// Sub-attribute of those elements; only with a filter.
    pub sub: Option<String>,
}

impl PatchPath {
    /// Reads a whole path; spaces around it are ignored.
    ///
    /// # Errors
    /// `invalidPath`, or `invalidFilter` when what stands in the brackets is at fault; both with the column.
    pub fn parse(text: &str) -> Result<Self, Error> {
        grammar::whole_patch_path(text).map_err(|fault| {
            let detail = fault.to_string();
            if fault.in_brackets {
                Error::invalid_filter(detail)
            } else {
                Error::invalid_path(detail)
            }
        })
    }

    /// The filter as a value path of its own, ready to be checked and tried on elements.
    #[must_use]
    pub fn value_path(&self) -> Option<Filter> {
        let filter = Box::new(self.filter.clone()?);
        Some(Filter::Some {
            path: self.attr.clone(),
            filter,
        })
    }
}

impl fmt::Display for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.attr.fmt(f)?;
        if let Some(filter) = &self.filter {
            write!(f, "[{filter}]")?;
        }
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::ScimType;

    #[test]
    fn the_urn_ends_at_the_last_colon() {
        let path = AttrPath::parse("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName").unwrap();
        assert_eq!(path.urn.as_deref(), Some("urn:ietf:params:scim:schemas:core:2.0:User"));
        assert_eq!((path.name.as_str(), path.sub.as_deref()), ("name", Some("familyName")));
        let bare = AttrPath::parse("urn:example:things:2.0").unwrap();
        assert_eq!(bare.to_string(), "urn:example:things:2.0");
    }

    #[test]
    fn names_may_begin_with_a_dollar() {
        let path = AttrPath::parse("members.$ref").unwrap();
        assert_eq!(path.sub.as_deref(), Some("$ref"));
    }

    #[test]
    fn malformed_paths_are_invalid_path() {
        for text in [
            "",
            " ",
            "1a",
            "a.b.c",
            "a.",
            ".a",
            "a b",
            "/emails/0/value",
            "urn:x:",
            ":a",
            "a[b pr]",
            "é",
            "a,b",
        ] {
            assert_eq!(
                AttrPath::parse(text).unwrap_err().scim_type,
                Some(ScimType::InvalidPath),
                "{text}"
            );
        }
    }

    #[test]
    fn patch_paths_print_as_they_were_read() {
        for text in [
            "nickName",
            "name.familyName",
            "emails[type eq \"work\"]",
            "emails[type eq \"work\" and not (primary eq true)].value",
            "urn:example:badge:2.0:User:tags[value eq \"red\"]",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ] {
            assert_eq!(PatchPath::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_patch_path_says_whether_path_or_filter_is_at_fault() {
        for (text, expected) in [
            ("", ScimType::InvalidPath),
            ("/emails/0/value", ScimType::InvalidPath),
            ("emails[0]", ScimType::InvalidPath),
            ("emails[0].value", ScimType::InvalidPath),
            ("emails[type eq \"work\"", ScimType::InvalidPath),
            ("emails[type eq \"work\"]value", ScimType::InvalidPath),
            ("emails[type eq \"work\"].", ScimType::InvalidPath),
            ("emails[type eq \"work\"].a.b", ScimType::InvalidPath),
            ("emails[type eq \"work\"].value eq \"x\"", ScimType::InvalidPath),
            ("name.familyName.x", ScimType::InvalidPath),
            ("emails[]", ScimType::InvalidFilter),
            ("emails[type xx \"work\"]", ScimType::InvalidFilter),
            ("emails[type eq work]", ScimType::InvalidFilter),
            ("emails[type eq\"work\"]", ScimType::InvalidFilter),
            ("emails[type[value pr] pr]", ScimType::InvalidFilter),
        ] {
            assert_eq!(PatchPath::parse(text).unwrap_err().scim_type, Some(expected), "{text}");
        }
    }
}
