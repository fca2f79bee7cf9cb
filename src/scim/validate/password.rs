//! Passwords as they come in: prepared (RFC 8265 §4.2), and held against what is far too weak (RFC 7643 §4.1.1).

use precis_profiles::OpaqueString;
use precis_profiles::precis_core::profile::PrecisFastInvocation as _;
use serde_json::{Map, Value};

use super::resource::take_text;
use crate::base::secret::Secret;
use crate::scim::Error;
use crate::scim::schema::{Attribute, Mutability, ResourceType};

/// Fewest characters of a password (NIST SP 800-63B §5.1.1.1).
const FEWEST_CHARS: usize = 8;

/// Most bytes: a longer one would cost time and protect nobody better.
const MOST_BYTES: usize = 1024;

/// Takes the password out of a document, if the type has one.
///
/// # Errors
/// `invalidValue` when it is too short or too long, or holds what no password may hold.
pub(in crate::scim) fn password(
    ty: &ResourceType,
    clean: &mut Map<String, Value>,
) -> Result<Option<Secret<String>>, Error> {
    let secret = |attribute: &Attribute| attribute.mutability == Mutability::WriteOnly;
    if !ty.schema().attribute("password").is_some_and(secret) {
        return Ok(None);
    }
    take_text(clean, "password").map(|text| prepared(&text)).transpose()
}

/// The form in which it is hashed: spaces of every kind are one kind, letters are composed, and case stays.
fn prepared(text: &str) -> Result<Secret<String>, Error> {
    if text.len() > MOST_BYTES {
        return Err(Error::invalid_value(format!(
            "`password` must not have more than {MOST_BYTES} bytes"
        )));
    }
    let weak = || Error::invalid_value(format!("`password` must have at least {FEWEST_CHARS} characters"));
    if text.is_empty() {
        return Err(weak());
    }
    let prepared = OpaqueString::enforce(text)
        .map_err(|_| Error::invalid_value("`password` holds a character that is not allowed in passwords"))?;
    if prepared.chars().count() < FEWEST_CHARS {
        return Err(weak());
    }
    Ok(Secret::new(prepared.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(text: &str) -> String {
        prepared(text).unwrap_err().detail
    }

    #[test]
    fn what_looks_the_same_is_the_same() {
        // RFC 8265 §4.2.2: other spaces become plain ones, and letters with marks are composed.
        let composed = prepared("p\u{e4}ss\u{3000}word").unwrap();
        assert_eq!(composed.expose(), "p\u{e4}ss word");
        assert_eq!(prepared("pa\u{308}ss word").unwrap(), composed);
        assert_ne!(prepared("P\u{e4}ss word").unwrap(), composed);
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert_eq!(
            prepared("\u{1f511}".repeat(8).as_str())
                .unwrap()
                .expose()
                .chars()
                .count(),
            8
        );
        assert!(detail("\u{1f511}\u{1f511}").contains("at least 8"));
        assert!(detail("seven77").contains("at least 8"));
        assert!(detail("").contains("at least 8"));
    }

    #[test]
    fn what_nobody_can_type_is_refused_without_being_repeated() {
        assert!(prepared(&"x".repeat(MOST_BYTES)).is_ok());
        assert!(detail(&"x".repeat(MOST_BYTES + 1)).contains("1024 bytes"));
        let detail = detail("swordfish\u{0}");
        assert!(
            detail.contains("not allowed") && !detail.contains("swordfish"),
            "{detail}"
        );
    }
}
