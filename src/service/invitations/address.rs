//! Addresses as people paste them: many in one text.

use std::collections::BTreeSet;

use crate::service::error::{Error, Result};

/// Most addresses of one request.
const MAX_ADDRESSES: usize = 500;
/// Longest address (RFC 5321 §4.5.3.1.3, without the angle brackets), and the longest part before the `@`.
const MAX_CHARS: usize = 254;
const MAX_LOCAL_CHARS: usize = 64;

/// The addresses of a text, as they are compared, each once; in the order in which they come. What is none is among them.
///
/// # Errors
/// None at all, or more than [`MAX_ADDRESSES`].
pub(super) fn all(text: &str) -> Result<Vec<String>> {
    let mut seen = BTreeSet::new();
    let parts = text
        .split([',', ';', '\n'])
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let addresses: Vec<String> = parts
        .map(str::to_lowercase)
        .filter(|address| seen.insert(address.clone()))
        .take(MAX_ADDRESSES + 1)
        .collect();
    match addresses.len() {
        0 => Err(Error::invalid("/emails", "at least one address belongs here")),
        n if n > MAX_ADDRESSES => {
            let reason = format!("at most {MAX_ADDRESSES} addresses at once");
            Err(Error::invalid("/emails", reason))
        }
        _ => Ok(addresses),
    }
}

/// Whether a text can be an address: `local@domain.top` without quoting, comments or a name.
pub(super) fn is_one(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let plain = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let dots = |part: &str| part.starts_with('.') || part.ends_with('.') || part.contains("..");
    let label = |label: &str| {
        let inner = |c: char| c.is_alphanumeric() || c == '-';
        !label.is_empty() && label.chars().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.chars().count() <= MAX_CHARS
        && (1..=MAX_LOCAL_CHARS).contains(&local.chars().count())
        && local.chars().all(plain)
        && !dots(local)
        && domain.contains('.')
        && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_trimmed_folded_and_each_there_once() {
        let text = " Lin@Acme.test,pia@acme.test ;\n lin@acme.test,, nonsense ,";
        assert_eq!(all(text).unwrap(), ["lin@acme.test", "pia@acme.test", "nonsense"]);
        assert!(all(" , ;\n").is_err());
        let many = |n: usize| (0..n).map(|n| format!("u{n}@acme.test")).collect::<Vec<_>>().join(",");
        assert_eq!(all(&many(500)).unwrap().len(), 500);
        assert!(all(&many(501)).is_err());
    }

    #[test]
    fn what_is_no_address_is_seen() {
        for good in ["lin@acme.test", "o'neil+x@a-b.co.uk", "jörg@bücher.example"] {
            assert!(is_one(good), "{good}");
        }
        let long = format!("{}@acme.test", "x".repeat(65));
        for bad in [
            "",
            "lin",
            "@acme.test",
            "lin@",
            "lin@acme",
            "lin@@acme.test",
            "a b@acme.test",
            "<lin@acme.test>",
            ".lin@acme.test",
            "l..n@acme.test",
            "lin@-acme.test",
            "lin@acme..test",
            "lin@acme.test.",
            &long,
        ] {
            assert!(!is_one(bad), "{bad}");
        }
    }
}
