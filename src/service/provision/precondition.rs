//! Conditional requests (RFC 7644 §3.14, RFC 9110 §13.1).

/// The versions that an `If-Match` or `If-None-Match` header names, or that both of them leave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum IfMatch {
    /// There is no such header.
    #[default]
    Absent,
    /// `*`: any version of what exists.
    Any,
    /// These, and no others; tags that are not ours match nothing.
    Versions(Vec<i64>),
    /// Any but these: what an `If-None-Match` leaves.
    Except(Vec<i64>),
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

    /// The versions that are left when `If-None-Match` says which ones may not be (RFC 9110 §13.1.2): none of what exists
    /// where it says `*`.
    #[must_use]
    pub fn unless(self, none: &Self) -> Self {
        match (self, none) {
            (condition, Self::Absent | Self::Except(_)) => condition,
            (_, Self::Any) => Self::Versions(Vec::new()),
            (Self::Versions(mut versions), Self::Versions(out)) => {
                versions.retain(|version| !out.contains(version));
                Self::Versions(versions)
            }
            (Self::Absent | Self::Any, Self::Versions(out)) => Self::Except(out.clone()),
            (Self::Except(mut versions), Self::Versions(out)) => {
                versions.extend(out);
                Self::Except(versions)
            }
        }
    }

    /// The condition as it is written down: the versions that may be, and those that may not.
    #[must_use]
    pub(in crate::service) fn lists(&self) -> (Option<Vec<i64>>, Vec<i64>) {
        match self {
            Self::Versions(versions) => (Some(versions.clone()), Vec::new()),
            Self::Except(versions) => (None, versions.clone()),
            Self::Absent | Self::Any => (None, Vec::new()),
        }
    }

    /// The condition of what is written down.
    #[must_use]
    pub(in crate::service) fn of_lists(only: Option<&[i64]>, except: &[i64]) -> Self {
        match only {
            Some(versions) => Self::Versions(versions.to_vec()),
            None if except.is_empty() => Self::Absent,
            None => Self::Except(except.to_vec()),
        }
    }

    /// Whether the condition lets a request about this version through.
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
            Self::Except(versions) => !versions.contains(&version),
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

    #[test]
    fn what_both_headers_leave_is_one_condition() {
        let named = |versions: &[i64]| IfMatch::Versions(versions.to_vec());
        let any = IfMatch::Absent.unless(&named(&[3]));
        assert!(any.allows(4) && !any.allows(3));
        assert!(!IfMatch::Absent.unless(&IfMatch::Any).allows(1));
        let both = named(&[3, 4]).unless(&named(&[3]));
        assert!(both.allows(4) && !both.allows(3) && !both.allows(5));
        assert_eq!(named(&[3]).unless(&IfMatch::Absent), named(&[3]));
        // Tags that are not ours forbid nothing.
        assert!(IfMatch::Any.unless(&named(&[])).allows(1));
    }

    #[test]
    fn a_condition_that_is_written_down_is_the_same_when_read() {
        for condition in [
            IfMatch::Absent,
            IfMatch::Versions(vec![]),
            IfMatch::Versions(vec![2]),
            IfMatch::Except(vec![2]),
        ] {
            let (only, except) = condition.lists();
            assert_eq!(IfMatch::of_lists(only.as_deref(), &except), condition);
        }
    }
}
