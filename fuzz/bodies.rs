//! What must hold for any bytes: no panic, and what was accepted means the same when it is written and read again.
//!
//! Used by the libFuzzer targets beside it and, over a bounded number of inputs, by `tests/it/fuzz.rs`.

use std::sync::LazyLock;

use muster::base::id::ResourceId;
use muster::event::{Keyring, Owner};
use muster::scim::cursor::Cursor;
use muster::scim::document::Document;
use muster::scim::filter::{Filter, check, eval};
use muster::scim::path::{AttrPath, PatchPath};
use muster::scim::schema::{Registry, ResourceType};
use muster::scim::{bulk, patch, validate};
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

/// A cursor: as a client brings it, and as it is inside.
pub fn cursor(bytes: &[u8]) {
    let owner = Owner {
        what: "cursor",
        tenant: "t",
        id: "q",
    };
    if let (Ok(text), Ok(ring)) = (std::str::from_utf8(bytes), Keyring::of("k1", [7; 32])) {
        assert!(ring.take_back(&owner, text).is_err(), "forged: {text}");
        assert!(ring.take_back(&owner, &format!("k1.{text}")).is_err(), "forged: {text}");
    }
    if let Some(cursor) = Cursor::parse(bytes) {
        assert_eq!(Cursor::parse(cursor.to_text().as_bytes()), Some(cursor));
    }
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

/// The body of a bulk request: whatever is taken has an order in which each operation is done once, and what refers to nothing
/// any more when all of them are made.
pub fn bulk(bytes: &[u8]) {
    let Ok(request) = serde_json::from_slice::<Value>(bytes).map(|body| bulk::parse(body, 1000)) else {
        return;
    };
    let Ok(mut request) = request else { return };
    let mut needs = Vec::new();
    for operation in &mut request.operations {
        let endpoint = operation.asked.as_ref().map(|asked| asked.endpoint.clone());
        let kind = endpoint.ok().and_then(|endpoint| REGISTRY.by_endpoint(&endpoint));
        needs.push(bulk::need(operation, kind));
        if let (Ok(asked), Some(kind)) = (&mut operation.asked, kind) {
            let made = bulk::resolve(asked, kind, |_| Some(ResourceId::new("1")));
            assert!(made.is_ok());
            assert!(bulk::need(operation, Some(kind)).refers.is_empty());
        }
    }
    let plan = bulk::plan(&needs);
    let mut done: Vec<usize> = Vec::new();
    for step in plan.steps {
        match step {
            bulk::Step::One(one) => done.push(one),
            bulk::Step::Beside(many) | bulk::Step::Circle(many) => done.extend(many),
        }
    }
    done.sort_unstable();
    assert!(done.iter().copied().eq(0..needs.len()));
}
