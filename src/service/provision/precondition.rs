//! Conditional requests (RFC 7644 §3.14, RFC 9110 §13.1).

/// The versions that an `If-Match` or `If-None-Match` header names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum IfMatch {
    /// There is no such header.
    #[default]
    Absent,
    /// `*`: any version of what exists.
    Any,
    /// These, and no others; tags that are not ours match nothing.
    Versions(Vec<i64>),
}

impl IfMatch {
    /// The versions of entity tags, weak or not; tags that are not ours match nothing.
    #[must_use]
    pub fn of_tags<'t>(tags: impl IntoIterator<Item = &'t str>) -> Self {
        let mut versions = Vec::new();
        for tag in tags.into_iter().map(str::trim) {
            if tag == "*" {
                return Self::Any;
            }
            // Compared by opaque value: our tags are weak, and SCIM's examples use weak tags with If-Match.
            let opaque = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
            versions.extend(
                opaque
                    .parse::<i64>()
                    .ok()
                    .filter(|version| version.to_string() == opaque),
            );
        }
        Self::Versions(versions)
    }

    /// Whether `If-Match` lets a change of this version through.
    #[must_use]
    pub fn allows(&self, version: i64) -> bool {
        *self == Self::Absent || self.holds(version)
    }

    /// Whether the header is there and names this version.
    #[must_use]
    pub fn holds(&self, version: i64) -> bool {
        match self {
            Self::Absent => false,
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_header_every_change_passes_and_nothing_is_unmodified() {
        assert!(IfMatch::Absent.allows(7));
        assert!(!IfMatch::Absent.holds(7));
    }

    #[test]
    fn named_versions_are_the_only_ones() {
        let named = IfMatch::Versions(vec![3, 4]);
        assert!(named.allows(4) && named.holds(3));
        assert!(!named.allows(5));
        assert!(IfMatch::Any.allows(1) && IfMatch::Any.holds(1));
    }
}
