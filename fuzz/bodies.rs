//! What must hold for any bytes: no panic, and what was accepted means the same when it is written and read again.
//!
//! Used by the libFuzzer targets beside it and, over a bounded number of inputs, by `tests/it/fuzz.rs`.

use std::sync::LazyLock;

use muster::scim::document::Document;
use muster::scim::filter::{Filter, check, eval};
use muster::scim::path::{AttrPath, PatchPath};
use muster::scim::schema::{Registry, ResourceType};
use muster::scim::{patch, validate};
use serde_json::Value;

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::builtin);

/// A stored user with something in each kind of attribute.
const STORED: &str = r#"{
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
    "userName": "ada", "active": true, "title": "Countess", "name": {"givenName": "Ada", "familyName": "Lovelace"},
    "emails": [{"value": "ada@acme.test", "type": "work", "primary": true}, {"value": "ada@home.example", "type": "home"}],
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": "1", "manager": {"value": "m1"}}
}"#;

fn types() -> &'static [ResourceType] {
    REGISTRY.types()
}

/// A filter as it stands in a query.
pub fn filter(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(filter) = Filter::parse(text) else {
        return;
    };
    let printed = filter.to_string();
    assert_eq!(Filter::parse(&printed).as_ref(), Ok(&filter), "written as {printed}");
    let resource: Value = serde_json::from_str(STORED).unwrap_or_default();
    for ty in types() {
        if let Ok(checked) = check(&filter, &[ty]) {
            let _ = eval(&checked, &resource);
        }
    }
}

/// The path of a PATCH operation, and an attribute name as it stands in `attributes`.
pub fn path(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(path) = AttrPath::parse(text) {
        assert_eq!(AttrPath::parse(&path.to_string()).as_ref(), Ok(&path));
        for ty in types() {
            let _ = ty.resolve(&path);
        }
    }
    drop(PatchPath::parse(text));
}

/// The body of a PATCH, and of a POST or PUT.
pub fn body(bytes: &[u8]) {
    let (Ok(body), Ok(stored)) = (serde_json::from_slice::<Value>(bytes), Document::from_stored(STORED)) else {
        return;
    };
    for ty in types() {
        drop(validate::create(ty, &body));
        drop(validate::replace(ty, &body, &stored));
        let Ok(request) = patch::parse(&body) else {
            continue;
        };
        let Ok(patched) = patch::apply(ty, &request, &stored, None) else {
            continue;
        };
        assert!(Document::from_stored(&patched.document.to_text()).is_ok());
    }
}
