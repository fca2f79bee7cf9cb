//! Steps with an attribute, or a resource type, that the server has and nobody else needs to.

use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::super::exchange::Exchange;
use super::super::fact::first_wrong;
use super::super::requirement::With;
use super::super::sample::{needed, sample};
use super::super::steps::run_steps;
use super::super::stop::{Outcome, Stop};
use super::super::values::Values;
use super::super::world::{World, endpoint, extensions, object};

/// Runs the steps with an attribute of any resource type for which the condition holds.
pub(in crate::selftest) async fn with_attribute(world: &mut World<'_>, values: &mut Values, check: &With) -> Outcome {
    let Some((kind, urn, definition)) = find_attribute(world, values, check)? else {
        return Err(Stop::Skip("no resource type has such an attribute".to_owned()));
    };
    bind(world, values, (&kind, &urn, &definition))?;
    run_steps(world, values, &check.steps).await
}

/// The resource type, the schema and the definition.
fn find_attribute(world: &World<'_>, values: &mut Values, check: &With) -> Outcome<Option<(Value, String, Value)>> {
    for kind in &world.kinds {
        for urn in kind["schema"].as_str().into_iter().chain(extensions(kind)) {
            for definition in world.attributes(urn).filter(|definition| is_usable(definition)) {
                let alone = Arc::new(Exchange::of(definition, None));
                if first_wrong(&alone, values, &check.condition)?.is_none() {
                    return Ok(Some((kind.clone(), urn.to_owned(), definition.clone())));
                }
            }
        }
    }
    Ok(None)
}

/// Runs the steps with a resource type for which the condition holds.
pub(in crate::selftest) async fn with_type(world: &mut World<'_>, values: &mut Values, check: &With) -> Outcome {
    let mut found = None;
    for kind in world.kinds.iter().filter(|kind| kind["schema"].is_string()) {
        let alone = Arc::new(Exchange::of(kind, None));
        if first_wrong(&alone, values, &check.condition)?.is_none() {
            found = Some(kind.clone());
            break;
        }
    }
    let kind = found.ok_or_else(|| Stop::Skip("no such resource type".to_owned()))?;
    let (whole, mut bare) = (required(world, &kind), required(world, &kind));
    bare.retain(|name, _| !name.starts_with("urn:"));
    bare.insert("schemas".to_owned(), json!([kind["schema"]]));
    values.put("endpoint", endpoint(&kind));
    values.put("without", whole);
    values.put("bare", bare);
    run_steps(world, values, &check.steps).await
}

/// Attributes whose values a client may make up. The rest has checks of its own.
fn is_usable(definition: &Value) -> bool {
    let special = [
        "userName",
        "password",
        "members",
        "groups",
        "manager",
        "id",
        "meta",
        "externalId",
        "schemas",
    ];
    let name = definition["name"].as_str();
    definition["type"] != "complex" && name.is_some_and(|name| !special.contains(&name))
}

/// The values of `with-attribute`: see the README of the requirements.
fn bind(world: &World<'_>, values: &mut Values, (kind, urn, definition): (&Value, &str, &Value)) -> Outcome {
    let (path, is_core) = (endpoint(kind), kind["schema"] == urn);
    let name = definition["name"].as_str().unwrap_or_default();
    let own = values.known_text("n").to_owned();
    let fixture = world.fixtures.iter().find(|fixture| fixture.endpoint == path);
    // What else the server requires is added to every body that is sent.
    let mut smallest = |name: &str| -> Outcome<Map<String, Value>> {
        values.put("as", name);
        Ok(match fixture {
            Some(fixture) => object(&values.fill(&fixture.bodies[0].0)?),
            None => object(&json!({"schemas": [kind["schema"]]})),
        })
    };
    let without = smallest("made")?;
    let (whole, other) = (without.clone(), without.clone());
    let twin = smallest("twin")?;
    for (key, mut body, n) in [("whole", whole, 0), ("other-whole", other, 1), ("twin", twin, 0)] {
        let value = sample(definition, n, &own);
        if is_core {
            body.insert(name.to_owned(), value);
        } else {
            let mut part = body.get(urn).map(object).unwrap_or_default();
            part.insert(name.to_owned(), value);
            body.insert(urn.to_owned(), part.into());
        }
        let mut schemas: Vec<Value> = without["schemas"].as_array().cloned().unwrap_or_default();
        if !schemas.contains(&urn.into()) {
            schemas.push(urn.into());
        }
        body.insert("schemas".to_owned(), schemas.into());
        values.put(key, body);
    }
    values.put("without", without);
    values.put("endpoint", path);
    values.put(
        "attr",
        if is_core {
            name.to_owned()
        } else {
            format!("{urn}:{name}")
        },
    );
    values.put(
        "at",
        if is_core {
            format!("$.{name}")
        } else {
            format!("$[\"{urn}\"].{name}")
        },
    );
    values.put("value", sample(definition, 0, &own));
    values.put("other", sample(definition, 1, &own));
    values.put("type-schema", kind["schema"].clone());
    Ok(())
}

/// The smallest body of a type, with all that its schemas require.
fn required(world: &mut World<'_>, kind: &Value) -> Map<String, Value> {
    let own = world.own(None);
    let mut body = object(&json!({"schemas": [kind["schema"]]}));
    world.add_required(kind, &mut body, &own);
    let core = kind["schema"].as_str().unwrap_or_default();
    for row in world.attributes(core).filter(|row| row["required"] == true) {
        if let (Some(name), Some(value)) = (row["name"].as_str(), needed(row, &own)) {
            body.entry(name.to_owned()).or_insert(value);
        }
    }
    body
}
