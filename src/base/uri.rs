//! The syntax of URI references (RFC 3986).

use std::net::Ipv6Addr;

/// What may stand in a path besides letters, digits and escapes (§3.3).
const PATH: &[u8] = b"-._~!$&'()*+,;=:@/";
/// The same of a query or a fragment (§3.4, §3.5).
const QUERY: &[u8] = b"-._~!$&'()*+,;=:@/?";
/// The same of a user before the host (§3.2.1).
const USER: &[u8] = b"-._~!$&'()*+,;=:";
/// The same of a name of a host (§3.2.2).
const HOST: &[u8] = b"-._~!$&'()*+,;=";

/// Whether text is a `URI-reference` (§4.1): a URI, or a reference relative to one.
#[must_use]
pub fn is_reference(text: &str) -> bool {
    let (text, fragment) = cut(text, '#');
    let (text, query) = cut(text, '?');
    if ![fragment, query]
        .into_iter()
        .flatten()
        .all(|part| is_made_of(part, QUERY))
    {
        return false;
    }
    let first = text.split('/').next().unwrap_or_default();
    // A colon in the first segment ends a scheme: a relative reference has none there (§4.2).
    let rest = match first.split_once(':') {
        Some((scheme, _)) if is_scheme(scheme) => &text[scheme.len() + 1..],
        Some(_) => return false,
        None => text,
    };
    match rest.strip_prefix("//") {
        None => is_made_of(rest, PATH),
        Some(rest) => {
            let (authority, path) = cut(rest, '/');
            is_authority(authority) && path.is_none_or(|path| is_made_of(path, PATH))
        }
    }
}

/// What is before the first of these letters, and what is after it.
fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )` (§3.1).
fn is_scheme(text: &str) -> bool {
    let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(in_scheme)
}

/// `[ userinfo "@" ] host [ ":" port ]` (§3.2).
fn is_authority(text: &str) -> bool {
    let (user, place) = match text.split_once('@') {
        Some((user, place)) => (user, place),
        None => ("", text),
    };
    if !is_made_of(user, USER) {
        return false;
    }
    let (host, port) = match place.strip_prefix('[').map(|inner| inner.split_once(']')) {
        Some(Some((literal, rest))) if is_literal(literal) => ("", rest),
        Some(_) => return false,
        None => place.split_at(place.find(':').unwrap_or(place.len())),
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    is_made_of(host, HOST) && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// What is between the brackets of a host: an IPv6 address, or one of a later kind, which begins with its version.
fn is_literal(text: &str) -> bool {
    let Some(later) = text.strip_prefix(['v', 'V']) else {
        return text.parse::<Ipv6Addr>().is_ok();
    };
    later.split_once('.').is_some_and(|(version, address)| {
        let numbered = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_hexdigit());
        numbered && !address.is_empty() && !address.contains('%') && is_made_of(address, USER)
    })
}

/// Letters, digits, these, and bytes written as `%` and two digits (§2.1).
fn is_made_of(text: &str, others: &[u8]) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => (0..2).all(|_| bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit())),
            byte => byte.is_ascii_alphanumeric() || others.contains(&byte),
        };
        if !fits {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_and_relative_references_are_read() {
        for text in [
            "",
            "https://acme.test",
            "https://ada:x@acme.test:8443/a/b;c=1?q=a/b?c#top/1?",
            "HTTP://ACME.test:/",
            "http://[::1]:80/a",
            "http://[2001:db8::192.0.2.33]",
            "http://[v7.a:b]/",
            "file:///etc/hosts",
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "mailto:ada@acme.test",
            "data:image/png;base64,iVBORw0KGgo=",
            "Users/2819c223",
            "../Users/2819c223",
            "/Users/a%20b",
            "//acme.test/x",
            "./a:b",
            "?q",
            "#top",
            "a//b",
        ] {
            assert!(is_reference(text), "{text}");
        }
    }

    #[test]
    fn other_text_is_no_reference() {
        for text in [
            "a b",
            " https://acme.test",
            "http://exa mple/",
            "http://[",
            "http://[::1",
            "http://[::1]x",
            "http://[::g]/",
            "http://[v.a]/",
            "http://a[b]/",
            "http://a@b@c/",
            "http://acme.test:8o/",
            "http://acme.test/[1]",
            "%zz",
            "a%2",
            "%",
            "<x>",
            "\\x",
            "a^b",
            "{id}",
            "1a:b",
            ":a",
            "a b:c",
            "http://ex\u{e4}mple.test/",
            "a#b#c",
        ] {
            assert!(!is_reference(text), "{text}");
        }
    }
}
