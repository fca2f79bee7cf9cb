//! The known name nearest to a misspelt one, for error messages.

use super::field::Field;
use super::resource_type::ResourceType;
use crate::base::near::nearest_of;
use crate::scim::path::AttrPath;

impl ResourceType {
    /// A path that exists and looks like the one that does not, written so that it can be used as it stands.
    #[must_use]
    pub fn nearest(&self, path: &AttrPath) -> Option<&str> {
        let wanted = match &path.sub {
            Some(sub) => format!("{}.{sub}", path.name),
            None => path.name.clone(),
        };
        let named = path.urn.as_deref();
        // Where the path names a schema that there is, nothing else was meant.
        let extension = named
            .and_then(|urn| self.extension(urn))
            .map(|found| found.schema.id.as_str());
        let core = named.is_some_and(|urn| urn.eq_ignore_ascii_case(&self.schema().id));
        let within = |field: &&Field| match extension {
            Some(urn) => field.extension() == Some(urn),
            None => !core || field.extension().is_none(),
        };
        let paths = self.fields().iter().filter(within).flat_map(|field| {
            std::iter::once(field.path())
                .chain(field.subs().map(|(_, path)| path))
                .map(move |path| (field, path))
        });
        // An attribute of an extension is known by its own name, too.
        let known = paths.map(|(field, path)| (field.extension().map_or(path, |urn| &path[urn.len() + 1..]), path));
        nearest_of(&wanted, known)
    }
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
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        assert_eq!(
            nearest(&format!("{enterprise}:managr")),
            Some(&*format!("{enterprise}:manager"))
        );
        assert_eq!(nearest(&format!("{enterprise}:usrName")), None);
        assert_eq!(nearest("urn:ietf:params:scim:schemas:core:2.0:User:departmnt"), None);
    }
}
