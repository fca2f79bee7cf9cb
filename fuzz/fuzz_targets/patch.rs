//! The operations of a PATCH, without the envelope that random bytes would never find.

#![no_main]

use std::sync::LazyLock;

use muster::scim::document::Document;
use muster::scim::message::PATCH_OP;
use muster::scim::schema::Registry;
use muster::scim::{patch, validate};
use serde_json::{Value, json};

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::builtin);

fn stored(kind: &str) -> Option<Document> {
    let body = json!({
        "schemas": [format!("urn:ietf:params:scim:schemas:core:2.0:{kind}")],
        "userName": "ada", "displayName": "Ada", "active": true, "name": { "givenName": "Ada" },
        "emails": [
            { "value": "ada@acme.test", "type": "work", "primary": true },
            { "value": "ada@home.example", "type": "home" }
        ]
    });
    let incoming = validate::create(REGISTRY.resource_type(kind)?, &body).ok()?;
    Some(incoming.document)
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(operations) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let Ok(request) = patch::parse(&json!({ "schemas": [PATCH_OP], "Operations": operations })) else {
        return;
    };
    for ty in REGISTRY.types() {
        let Some(before) = stored(ty.name()) else { continue };
        let Ok(patched) = patch::apply(ty, &request, &before, Some("E1")) else {
            continue;
        };
        let differs = patched.document != before || patched.external_id.as_deref() != Some("E1");
        assert_eq!(patched.changed, differs);
        // Whatever a PATCH makes of a resource can be sent back by PUT.
        let body = Value::Object(patched.document.clone().into_map());
        let again = validate::replace(ty, &body, &patched.document).map(|incoming| incoming.document);
        assert_eq!(again, Ok(patched.document));
    }
});
