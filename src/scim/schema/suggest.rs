//! The known name nearest to a misspelt one, for error messages.

use super::resource_type::ResourceType;
use crate::scim::path::AttrPath;

impl ResourceType {
    /// A path that exists and looks like the one that does not, written so that it can be used as it stands.
    #[must_use]
    pub fn nearest(&self, path: &AttrPath) -> Option<&str> {
        let wanted = match &path.sub {
            Some(sub) => format!("{}.{sub}", path.name).to_ascii_lowercase(),
            None => path.name.to_ascii_lowercase(),
        };
        let allowed = wanted.len().div_ceil(4).min(3);
        let paths = self.fields().iter().flat_map(|field| {
            std::iter::once(field.path())
                .chain(field.subs().map(|(_, path)| path))
                .map(move |path| (field, path))
        });
        let measured = paths.map(|(field, path)| {
            let local = field.extension().map_or(path, |urn| &path[urn.len() + 1..]);
            (distance(&wanted, &local.to_ascii_lowercase()), path)
        });
        measured
            .filter(|(far, _)| *far <= allowed)
            .min_by_key(|(far, _)| *far)
            .map(|(_, path)| path)
    }
}

/// How many letters must be added, dropped, changed or swapped with their neighbour to get from one text to the other.
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for row in 1..=one.len() {
        let mut current = vec![row];
        for column in 1..=other.len() {
            let changed = usize::from(one[row - 1] != other[column - 1]);
            let mut best = (last[column] + 1)
                .min(current[column - 1] + 1)
                .min(last[column - 1] + changed);
            let swapped =
                row > 1 && column > 1 && one[row - 1] == other[column - 2] && one[row - 2] == other[column - 1];
            if swapped {
                best = best.min(before[column - 2] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut last, current);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::schema::Registry;

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        let registry = Registry::builtin();
        let user = registry.resource_type("User").unwrap();
        let nearest = |text: &str| user.nearest(&AttrPath::parse(text).unwrap());
        assert_eq!(nearest("usrName"), Some("userName"));
        assert_eq!(nearest("uesrname"), Some("userName"));
        assert_eq!(nearest("email"), Some("emails"));
        assert_eq!(nearest("email.type"), Some("emails.type"));
        assert_eq!(nearest("name.firstName"), None);
        assert_eq!(
            nearest("department"),
            Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department")
        );
        assert_eq!(nearest("colour"), None);
    }
}
