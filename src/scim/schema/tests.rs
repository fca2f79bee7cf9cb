use serde_json::{Value, json};

use super::*;
use crate::scim::path::AttrPath;

fn attribute<'a>(schema: &'a Value, path: &str) -> &'a Value {
    let (name, sub) = path
        .split_once('.')
        .map_or((path, None), |(name, sub)| (name, Some(sub)));
    let find = |list: &'a Value, name: &str| {
        list.as_array()
            .unwrap()
            .iter()
            .find(|attribute| attribute["name"] == name)
            .unwrap_or_else(|| panic!("{path}"))
    };
    let top = find(&schema["attributes"], name);
    sub.map_or(top, |sub| find(&top["subAttributes"], sub))
}

fn place(ty: &ResourceType, text: &str) -> Option<String> {
    match ty.resolve(&AttrPath::parse(text).unwrap())? {
        Target::Attribute(place) => Some(place.path().to_owned()),
        Target::Extension(extension) => Some(format!("extension {}", extension.schema.id)),
        Target::Core(schema) => Some(format!("core {}", schema.id)),
    }
}

#[test]
fn paths_resolve_in_any_case_and_with_their_urns() {
    let registry = Registry::builtin();
    let user = registry.resource_type("User").unwrap();
    for (typed, canonical) in [
        ("USERNAME", "userName"),
        ("name.FAMILYNAME", "name.familyName"),
        ("urn:ietf:params:scim:schemas:core:2.0:user:emails.Type", "emails.type"),
        ("groups.$REF", "groups.$ref"),
        ("externalid", "externalId"),
        ("meta.LastModified", "meta.lastModified"),
        ("schemas", "schemas"),
        ("urn:ietf:params:scim:schemas:core:2.0:User:id", "id"),
        (
            "URN:ietf:params:scim:schemas:extension:enterprise:2.0:User:Manager.Value",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        ),
        (
            "urn:ietf:params:scim:schemas:extension:Enterprise:2.0:User",
            "extension urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ),
        (
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "core urn:ietf:params:scim:schemas:core:2.0:User",
        ),
    ] {
        assert_eq!(place(user, typed).as_deref(), Some(canonical), "{typed}");
    }
    for unknown in [
        "foo",
        "userName.foo",
        "name.foo",
        "department",
        "members",
        "urn:ietf:params:scim:schemas:core:2.0:Group:members",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:userName",
        "urn:x:y",
    ] {
        assert_eq!(place(user, unknown), None, "{unknown}");
    }
}

#[test]
fn an_extension_whose_urn_ends_in_a_version_resolves() {
    let schema = json!({"id": "urn:example:ext:2.0", "attributes": [{"name": "colour"}]});
    let registry = Registry::builtin()
        .with_extension("User", Schema::parse(&schema).unwrap())
        .unwrap();
    let user = registry.resource_type("User").unwrap();
    assert_eq!(
        place(user, "urn:example:ext:2.0").as_deref(),
        Some("extension urn:example:ext:2.0")
    );
    assert_eq!(
        place(user, "URN:example:ext:2.0:Colour").as_deref(),
        Some("urn:example:ext:2.0:colour")
    );
}

#[test]
fn every_published_attribute_carries_its_characteristics() {
    fn walk(list: &Value, count: &mut usize) {
        for attribute in list.as_array().unwrap() {
            *count += 1;
            for member in ["name", "type", "mutability", "returned", "uniqueness"] {
                assert!(attribute[member].is_string(), "{attribute} lacks {member}");
            }
            for member in ["multiValued", "required", "caseExact"] {
                assert!(attribute[member].is_boolean(), "{attribute} lacks {member}");
            }
            assert_ne!(attribute["description"], "");
            assert_eq!(
                attribute["type"] == "reference",
                attribute.get("referenceTypes").is_some()
            );
            assert_eq!(attribute["type"] == "complex", attribute.get("subAttributes").is_some());
            if let Some(subs) = attribute.get("subAttributes") {
                walk(subs, count);
            }
        }
    }
    let mut count = 0;
    for schema in Registry::builtin().schemas() {
        walk(&schema.to_json("https://h/scim/v2")["attributes"], &mut count);
    }
    assert!(count > 140, "{count}");
}

#[test]
fn a_published_schema_reads_back_as_itself() {
    for schema in Registry::builtin().schemas() {
        assert_eq!(&Schema::parse(&schema.to_json("https://h/")).unwrap(), schema);
    }
}

fn published(urn: &str) -> Value {
    let registry = Registry::builtin();
    registry.schema(urn).unwrap().to_json("https://h/scim/v2/")
}

#[test]
fn references_binaries_and_ids_are_case_exact() {
    let user = published(USER);
    let paths = [
        "profileUrl",
        "photos.value",
        "x509Certificates.value",
        "groups.value",
        "groups.$ref",
    ];
    for path in paths {
        assert_eq!(attribute(&user, path)["caseExact"], true, "{path}");
    }
    let group = published(GROUP);
    for path in ["members.value", "members.$ref"] {
        assert_eq!(attribute(&group, path)["caseExact"], true, "{path}");
    }
    assert_eq!(
        attribute(&published(ENTERPRISE_USER), "manager.value")["caseExact"],
        true
    );
}

#[test]
fn mutability_and_visibility_are_published() {
    let (user, group) = (published(USER), published(GROUP));
    for path in ["members.value", "members.$ref", "members.type"] {
        assert_eq!(attribute(&group, path)["mutability"], "immutable", "{path}");
    }
    for path in ["groups", "groups.value", "groups.$ref", "groups.display", "groups.type"] {
        assert_eq!(attribute(&user, path)["mutability"], "readOnly", "{path}");
    }
    assert_eq!(attribute(&group, "members")["mutability"], "readWrite");
    assert_eq!(attribute(&group, "members.display")["mutability"], "readOnly");
    assert_eq!(
        attribute(&published(ENTERPRISE_USER), "manager.displayName")["mutability"],
        "readOnly"
    );
    assert_eq!(attribute(&user, "emails.display")["mutability"], "readWrite");
    assert_eq!(attribute(&user, "password")["returned"], "never");
    assert_eq!(attribute(&user, "password")["mutability"], "writeOnly");
    assert_eq!(attribute(&user, "userName")["uniqueness"], "server");
}

#[test]
fn errata_and_decisions_show_in_the_published_schemas() {
    let user = published(USER);
    assert_eq!(user["meta"]["location"], format!("https://h/scim/v2/Schemas/{USER}"));
    assert_eq!(attribute(&published(GROUP), "displayName")["required"], true);
    assert_eq!(attribute(&user, "addresses.primary")["type"], "boolean");
    assert_eq!(attribute(&user, "x509Certificates.value")["type"], "binary");
    let has = |attribute: &Value, value: &str| attribute["canonicalValues"].as_array().unwrap().contains(&json!(value));
    assert!(has(attribute(&user, "ims.type"), "other"));
    let config = published(SERVICE_PROVIDER_CONFIG);
    attribute(&config, "etag.supported");
    attribute(&config, "authenticationSchemes.type");
    attribute(&config, "authenticationSchemes.primary");
    attribute(&config, "pagination.cursor");
    assert_eq!(
        attribute(&published(RESOURCE_TYPE), "schemaExtensions")["multiValued"],
        true
    );
    let schema = published(SCHEMA);
    assert!(has(attribute(&schema, "attributes.type"), "binary"));
    let nested = &attribute(&schema, "attributes.subAttributes")["subAttributes"];
    let kinds = nested
        .as_array()
        .unwrap()
        .iter()
        .find(|sub| sub["name"] == "type")
        .unwrap();
    assert!(has(kinds, "binary") && !has(kinds, "complex"));
}

#[test]
fn resource_types_show_their_schemas_and_extensions() {
    let registry = Registry::builtin();
    assert_eq!(
        registry.by_endpoint("Users").unwrap().to_json("https://h/scim/v2"),
        json!({
            "schemas": [RESOURCE_TYPE], "id": "User", "name": "User", "endpoint": "/Users",
            "description": "A person's account", "schema": USER,
            "schemaExtensions": [{"schema": ENTERPRISE_USER, "required": false}],
            "meta": {"resourceType": "ResourceType", "location": "https://h/scim/v2/ResourceTypes/User"},
        })
    );
    assert_eq!(
        registry.by_endpoint("/Groups").unwrap().to_json("")["schemaExtensions"],
        json!([])
    );
    assert!(registry.by_endpoint("/users").is_none());
}

#[test]
fn a_type_is_plain_until_something_is_hidden() {
    let registry = Registry::builtin();
    assert!(registry.types().iter().all(ResourceType::is_plain));
    for returned in ["request", "never"] {
        let schema = json!({"id": "urn:x:y", "attributes": [{"name": "a", "returned": returned}]});
        let more = registry
            .with_extension("user", Schema::parse(&schema).unwrap())
            .unwrap();
        assert!(!more.resource_type("User").unwrap().is_plain());
        assert!(more.resource_type("Group").unwrap().is_plain());
    }
}

#[test]
fn unusable_schemas_say_why() {
    let fault = |attributes: Value| {
        Schema::parse(&json!({"id": "urn:x:y", "attributes": attributes}))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(Schema::parse(&json!([])).unwrap_err(), SchemaFault::NotAnObject);
    assert_eq!(
        Schema::parse(&json!({"id": "x", "attributes": []}))
            .unwrap_err()
            .to_string(),
        "`schema` lacks a usable `id`"
    );
    assert_eq!(fault(json!(1)), "`schema` lacks a usable `attributes`");
    assert_eq!(fault(json!([{}])), "`attribute` lacks a usable `name`");
    assert_eq!(fault(json!([{"name": "1a"}])), "`1a` is not a valid attribute name");
    assert_eq!(
        fault(json!([{"name": "a"}, {"name": "A"}])),
        "the attribute `A` is defined twice"
    );
    assert_eq!(
        fault(json!([{"name": "a", "type": "text"}])),
        "`text` is not a known `type` (attribute `a`)"
    );
    assert_eq!(
        fault(json!([{"name": "a", "required": "yes"}])),
        "`a` lacks a usable `required`"
    );
    let nested = json!([{"name": "a", "type": "complex", "subAttributes": [
        {"name": "b", "type": "complex", "subAttributes": [{"name": "c"}]}]}]);
    assert_eq!(fault(nested), "the sub-attribute `a.b` must not be complex");
    assert_eq!(
        fault(json!([{"name": "a", "type": "complex"}])),
        "`a` must have sub-attributes exactly when its type is `complex`"
    );
}

#[test]
fn a_urn_can_be_added_once() {
    let registry = Registry::builtin();
    let again = registry.schema(ENTERPRISE_USER).unwrap().clone();
    assert_eq!(
        registry.with_extension("User", again).unwrap_err(),
        SchemaFault::Taken(ENTERPRISE_USER.into())
    );
    let other = Schema::parse(&json!({"id": "urn:x:y", "attributes": []})).unwrap();
    assert_eq!(
        registry.with_extension("Robot", other).unwrap_err(),
        SchemaFault::UnknownType("Robot".into())
    );
}

#[test]
fn a_change_demands_what_it_would_make_invalid() {
    let schema = |attributes: Value| Schema::offered(&json!({"id": "urn:x:y:1", "attributes": attributes})).unwrap();
    let ty = |attributes: Value, required: bool| {
        let registry = Registry::builtin().with_schema(schema(attributes)).unwrap();
        let extends = json!({"name": "User", "schemaExtensions": [{"schema": "urn:x:y:1", "required": required}]});
        let registry = registry.with_type(&TypeDefinition::parse(&extends).unwrap()).unwrap();
        registry.resource_type("User").unwrap().clone()
    };
    let before = ty(json!([{"name": "a"}, {"name": "h", "returned": "never"}]), false);
    assert_eq!(before.demands(Some(&before)), []);
    let demanded = |after: &ResourceType| -> Vec<(String, Holds)> {
        let demands = before.demands(Some(after)).into_iter();
        demands.map(|demand| (demand.path, demand.holds)).collect()
    };
    let extended = Among::Extended("urn:x:y:1".into());
    let at = |name: &str| format!("urn:x:y:1:{name}");
    let gone = ty(json!([{"name": "A"}]), false);
    assert_eq!(
        demanded(&gone),
        [
            (at("a"), Holds::Nobody(Among::With(at("a")))),
            (at("h"), Holds::Nobody(extended.clone()))
        ]
    );
    let more = json!([{"name": "a", "uniqueness": "server"}, {"name": "h", "returned": "never"}, {"name": "b", "required": true}]);
    assert_eq!(
        demanded(&ty(more, true)),
        [
            ("urn:x:y:1".to_owned(), Holds::Given(Among::All)),
            (at("a"), Holds::Distinct { any_type: true }),
            (at("b"), Holds::Given(extended.clone())),
        ]
    );
    let none = Registry::builtin();
    assert_eq!(
        demanded(none.resource_type("User").unwrap()),
        [("urn:x:y:1".to_owned(), Holds::Nobody(extended))]
    );
}

#[test]
fn a_path_that_would_lead_elsewhere_is_refused() {
    let with = |urn: &str, name: &str| Schema::offered(&json!({"id": urn, "attributes": [{"name": name}]})).unwrap();
    let registry = Registry::builtin().with_schema(with("urn:x:y", "z")).unwrap();
    let registry = registry.with_schema(with("urn:x:y:z", "a")).unwrap();
    let both = json!({"name": "User", "schemaExtensions": [{"schema": "urn:x:y"}, {"schema": "urn:x:y:z"}]});
    let refused = registry.with_type(&TypeDefinition::parse(&both).unwrap()).unwrap_err();
    assert!(
        matches!(refused, SchemaFault::Ambiguous(_) | SchemaFault::Twice(_)),
        "{refused}"
    );
}
