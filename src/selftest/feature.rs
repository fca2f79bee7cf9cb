//! What a server may announce, and a check may need.

use serde::de::{Deserialize, Deserializer, Error as _};
use std::fmt;

pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(super) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(super) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Something announced, or, with `!`, not announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Feature {
    pub word: String,
    pub is_absence: bool,
    pub what: Announced,
}

/// Where it is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Announced {
    /// `supported` in the configuration.
    Supported,
    /// A member of the configuration.
    Member,
    Cursor,
    Index,
    Async,
    /// Nothing announces it: it is tried once.
    Tried(Trial),
    /// A resource type with this endpoint.
    Endpoint(String),
    Enterprise,
    /// The base URL ends with a version.
    Version,
    /// A token was given.
    Token,
    /// The attribute of this schema is published.
    Attribute(&'static str, String),
    /// Its value may be replaced, as far as the schema says.
    Changes(&'static str, String),
    /// No resource can be without it.
    Required(&'static str, String),
    RequiredEnterprise,
}

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Trial {
    Me,
    Search,
    Root,
    Auth,
    /// Filters with brackets, which a server may leave out.
    Brackets,
}

impl Feature {
    fn named(text: &str) -> Option<Self> {
        let (word, is_absence) = text.strip_prefix('!').map_or((text, false), |rest| (rest, true));
        let what = match word {
            "patch" | "bulk" | "filter" | "sort" | "etag" | "changePassword" => Announced::Supported,
            "pagination" | "securityEvents" | "RolesAndEntitlements" => Announced::Member,
            "cursor" => Announced::Cursor,
            "index" => Announced::Index,
            "async" => Announced::Async,
            "me" => Announced::Tried(Trial::Me),
            "search" => Announced::Tried(Trial::Search),
            "root" => Announced::Tried(Trial::Root),
            "auth" => Announced::Tried(Trial::Auth),
            "brackets" => Announced::Tried(Trial::Brackets),
            "users" => Announced::Endpoint("/Users".to_owned()),
            "groups" => Announced::Endpoint("/Groups".to_owned()),
            "roles" => Announced::Endpoint("/Roles".to_owned()),
            "entitlements" => Announced::Endpoint("/Entitlements".to_owned()),
            "enterprise" => Announced::Enterprise,
            "version" => Announced::Version,
            "second" | "foreign" => Announced::Token,
            "required.enterprise" => Announced::RequiredEnterprise,
            _ => match word.split_once('.')? {
                ("required", rest) => attribute(rest).map(|(urn, path)| Announced::Required(urn, path))?,
                ("changes", rest) => attribute(rest).map(|(urn, path)| Announced::Changes(urn, path))?,
                _ => attribute(word).map(|(urn, path)| Announced::Attribute(urn, path))?,
            },
        };
        Some(Self {
            word: word.to_owned(),
            is_absence,
            what,
        })
    }

    /// Why a check that needs it is skipped.
    pub fn missing(&self) -> String {
        let does = if self.is_absence {
            "requires"
        } else {
            "does not require"
        };
        match self.what {
            Announced::Required(..) | Announced::RequiredEnterprise => {
                format!("the server {does} {}", self.word.trim_start_matches("required."))
            }
            Announced::Changes(..) => format!(
                "the schema says that {} is set once",
                self.word.trim_start_matches("changes.")
            ),
            _ if self.is_absence => format!("the server announces {}", self.word),
            Announced::Token => format!("no token --{} was given", self.word),
            _ => format!("the server does not announce {}", self.word),
        }
    }
}

/// `User.name.givenName`: schema and path.
fn attribute(word: &str) -> Option<(&'static str, String)> {
    let (kind, path) = word.split_once('.')?;
    let urn = match kind {
        "User" => USER,
        "Group" => GROUP,
        "Enterprise" => ENTERPRISE,
        _ => return None,
    };
    Some((urn, path.to_owned()))
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_absence { "!" } else { "" };
        write!(f, "{sign}{}", self.word)
    }
}

impl<'de> Deserialize<'de> for Feature {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::named(&text).ok_or_else(|| D::Error::custom(format!("what is the feature `{text}`?")))
    }
}
