//! How values compare: each becomes text whose equality and byte order are those of the values.

use serde_json::Value;

use crate::base::{fold, instant, number};
use crate::scim::schema::{Attribute, Type};

/// How the values of an attribute compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text in any letter case.
    Text,
    /// Text in its letter case.
    ExactText,
    /// `userName`: text in any letter case and width.
    UserName,
    /// Numbers, by magnitude.
    Number,
    /// Instants, by time.
    Instant,
    /// `true` or `false`; no order.
    Boolean,
    /// Base64; no order.
    Binary,
    /// URIs; links to resources by resource.
    Reference,
    /// An object; can only be present.
    Complex,
}

impl Kind {
    /// How an attribute compares; `path` is its canonical path.
    #[must_use]
    pub fn of(attribute: &Attribute, path: &str) -> Self {
        match attribute.kind {
            Type::String if path == "userName" => Self::UserName,
            Type::String if attribute.case_exact => Self::ExactText,
            Type::String => Self::Text,
            Type::Boolean => Self::Boolean,
            Type::Decimal | Type::Integer => Self::Number,
            Type::DateTime => Self::Instant,
            Type::Binary => Self::Binary,
            Type::Reference => Self::Reference,
            Type::Complex => Self::Complex,
        }
    }

    /// Whether values are text to a person, so that `co`, `sw` and `ew` apply.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::ExactText | Self::UserName | Self::Reference)
    }

    /// Whether `gt`, `ge`, `lt` and `le` apply.
    #[must_use]
    pub fn is_ordered(self) -> bool {
        self.is_text() || matches!(self, Self::Number | Self::Instant)
    }

    /// The comparison text of one value at a canonical path; none for null, containers and values of another type.
    #[must_use]
    pub fn fold(self, path: &str, value: &Value) -> Option<String> {
        match (self, value) {
            (Self::Number, Value::Number(value)) => Some(number::sortable(value)),
            (Self::Boolean, Value::Bool(value)) => Some(value.to_string()),
            (_, Value::String(text)) => self.fold_text(path, text),
            _ => None,
        }
    }

    /// The same for text; none when it is no date, and for kinds that are not text in JSON.
    #[must_use]
    pub fn fold_text(self, path: &str, text: &str) -> Option<String> {
        match self {
            Self::Text => Some(fold::fold(text)),
            Self::UserName => Some(fold::user_name_key(text)),
            Self::Instant => instant::parse_date_time(text).map(instant::Moment::sortable),
            Self::Binary => Some(base64_key(text)),
            Self::Reference if leads_to_resource(path) => Some(resource_key(text)),
            Self::Reference | Self::ExactText => Some(fold::exact(text)),
            Self::Number | Self::Boolean | Self::Complex => None,
        }
    }
}

/// Whether references at this path are links to resources: they compare equal however much of the URL is written
/// (RFC 7643 §2.3.7, §2.4).
pub(super) fn leads_to_resource(path: &str) -> bool {
    path.ends_with(".$ref") || path == "meta.location"
}

/// `/Users/2819c223`: the last two segments of a URL of any form, whatever its host, base and version.
pub(super) fn resource_key(url: &str) -> String {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => url.trim_start_matches('/'),
    };
    let start = path.rmatch_indices('/').nth(1).map_or(0, |(at, _)| at + 1);
    format!("/{}", &path[start..])
}

/// Base64 without padding and in the standard alphabet, so that the variants of one value are equal.
fn base64_key(text: &str) -> String {
    let letters = text
        .trim_end_matches('=')
        .chars()
        .filter(|letter| !letter.is_ascii_whitespace());
    letters
        .map(|letter| match letter {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_the_same_however_much_of_it_is_written() {
        for url in [
            "https://idp.example/scim/v2/Users/u1",
            "https://other.example/Users/u1",
            "http://idp.example/scim/Users/u1",
            "/scim/v2/Users/u1",
            "/Users/u1",
            "Users/u1",
            "../Users/u1",
        ] {
            assert_eq!(resource_key(url), "/Users/u1", "{url}");
        }
        assert_ne!(resource_key("Users/u1"), resource_key("Groups/u1"));
        assert_ne!(resource_key("Users/u1"), resource_key("Users/U1"));
    }

    #[test]
    fn padding_and_alphabet_do_not_matter_to_binary() {
        let key = |text| Kind::Binary.fold_text("seal", text);
        assert_eq!(key("-_8="), key("+/8"));
        assert_ne!(key("AQID"), key("aqid"));
    }

    #[test]
    fn values_of_another_type_do_not_compare() {
        assert_eq!(Kind::Boolean.fold("active", &"true".into()), None);
        assert_eq!(Kind::Number.fold("level", &"3".into()), None);
        assert_eq!(Kind::Text.fold("title", &Value::Null), None);
        assert_eq!(Kind::Instant.fold("meta.created", &"yesterday".into()), None);
    }
}
