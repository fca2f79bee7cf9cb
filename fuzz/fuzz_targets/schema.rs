//! Schemas and resource types as somebody defines them: read, put together, and compared with what was there.

#![no_main]

use muster::scim::schema::{Registry, Schema, TypeDefinition};
use serde_json::{Value, json};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let _ = TypeDefinition::parse(&value);
    let Ok(schema) = Schema::offered(&value) else {
        return;
    };
    // What is shown of it reads back as itself.
    let shown = schema.to_json("https://h/");
    assert_eq!(Schema::offered(&shown).as_ref(), Ok(&schema));
    let Ok(registry) = Registry::builtin().with_schema(schema.clone()) else {
        return;
    };
    let extends = json!({"name": "User", "schemaExtensions": [{"schema": schema.id}]});
    let Ok(extended) = TypeDefinition::parse(&extends).map(|ty| registry.with_type(&ty)) else {
        return;
    };
    if let (Ok(extended), Some(before)) = (extended, registry.resource_type("User")) {
        let after = extended.resource_type("User");
        // Nothing that is stored is in the way of what is new, but what all must have.
        assert!(before.demands(after).iter().all(|demand| demand.path.starts_with("urn:")));
        assert!(after.is_some_and(|after| after.demands(after.into()).is_empty()));
    }
});
