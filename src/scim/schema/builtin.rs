//! The schemas and resource types every server has (RFC 7643 §3.1, §4, §8.7).

use std::sync::Arc;

use super::attribute::{Attribute, Mutability, Returned, Type, Uniqueness};
use super::definition::Schema;
use super::resource_type::{Extension, ResourceType};

/// URN of the core User schema.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// URN of the core Group schema.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// URN of the enterprise extension of User.
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// URN of roles (draft-ietf-scim-roles-entitlements-01).
pub const ROLE: &str = "urn:ietf:params:scim:schemas:core:2.0:Role";
/// URN of entitlements (the same draft).
pub const ENTITLEMENT: &str = "urn:ietf:params:scim:schemas:core:2.0:Entitlement";
/// URN of role assignments: our own, no document of the IETF defines them.
pub const ROLE_ASSIGNMENT: &str = "urn:muster:scim:schemas:2.0:RoleAssignment";
/// URN of the service provider configuration.
pub const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// URN of resource types.
pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// URN of schemas.
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// Resource types and schemas of a new registry.
pub(super) fn definitions() -> (Vec<ResourceType>, Vec<Arc<Schema>>) {
    let user = embedded(include_str!("data/user.json"));
    let group = embedded(include_str!("data/group.json"));
    let enterprise = embedded(include_str!("data/enterprise_user.json"));
    let extension = Extension {
        schema: Arc::clone(&enterprise),
        required: false,
    };
    // INVARIANT: the tests read the same data, and the schemas above do not clash.
    let types = [
        ResourceType::new(
            "User",
            "A person's account",
            "/Users",
            Arc::clone(&user),
            vec![extension],
        ),
        ResourceType::new(
            "Group",
            "A set of users and groups",
            "/Groups",
            Arc::clone(&group),
            Vec::new(),
        ),
    ]
    .map(|ty| ty.expect("the built-in resource types are consistent"));
    let schemas = vec![
        user,
        group,
        enterprise,
        embedded(include_str!("data/service_provider_config.json")),
        embedded(include_str!("data/resource_type.json")),
        embedded(include_str!("data/schema.json")),
    ];
    (types.into(), schemas)
}

/// Types whose resources are made of what the server decides by, and that nobody writes by SCIM.
pub(super) fn derived() -> Vec<ResourceType> {
    let types = [
        ResourceType::new(
            "Role",
            "A role that users can have",
            "/Roles",
            embedded(include_str!("data/role.json")),
            Vec::new(),
        ),
        ResourceType::new(
            "Entitlement",
            "A single right, which users have through roles",
            "/Entitlements",
            embedded(include_str!("data/entitlement.json")),
            Vec::new(),
        ),
        ResourceType::new(
            "role-assignment",
            "A role given to a user or a group",
            "/RoleAssignments",
            embedded(include_str!("data/role_assignment.json")),
            Vec::new(),
        ),
    ];
    // INVARIANT: the tests read the same data, and none of the schemas defines what all resources have.
    types
        .map(|ty| ty.expect("the derived resource types are consistent"))
        .into()
}

fn embedded(text: &str) -> Arc<Schema> {
    // INVARIANT: the text is part of the program and every test that needs a registry reads it.
    let value = serde_json::from_str(text).expect("an embedded schema is JSON");
    Arc::new(Schema::parse(&value).expect("an embedded schema is valid"))
}

/// Attributes of every resource, which no schema lists: `schemas`, `id`, `externalId`, `meta` (RFC 7643 §3, §3.1).
///
/// Schema URNs compare without case, so `schemas` is text; `meta.location` refers to the resource type itself.
pub(super) fn common_attributes(type_name: &str) -> Vec<Attribute> {
    use Mutability::{ReadOnly, ReadWrite};

    let text = |name, case_exact, mutability| common(name, Type::String, case_exact, mutability);
    let location = Attribute {
        reference_types: vec![type_name.to_owned()],
        ..common("location", Type::Reference, true, ReadOnly)
    };
    vec![
        Attribute {
            multi_valued: true,
            required: true,
            returned: Returned::Always,
            ..text("schemas", false, ReadWrite)
        },
        Attribute {
            returned: Returned::Always,
            uniqueness: Uniqueness::Server,
            ..text("id", true, ReadOnly)
        },
        text("externalId", true, ReadWrite),
        Attribute {
            sub_attributes: vec![
                text("resourceType", true, ReadOnly),
                common("created", Type::DateTime, false, ReadOnly),
                common("lastModified", Type::DateTime, false, ReadOnly),
                location,
                text("version", true, ReadOnly),
            ],
            ..common("meta", Type::Complex, false, ReadOnly)
        },
    ]
}

fn common(name: &str, kind: Type, case_exact: bool, mutability: Mutability) -> Attribute {
    Attribute {
        name: name.to_owned(),
        kind,
        multi_valued: false,
        description: String::new(),
        required: false,
        case_exact,
        mutability,
        returned: Returned::Default,
        uniqueness: Uniqueness::None,
        canonical_values: Vec::new(),
        reference_types: Vec::new(),
        sub_attributes: Vec::new(),
    }
}
