//! Steps with an attribute, or a resource type, that the server has and nobody else needs to.

use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::super::exchange::Exchange;
use super::super::fact::first_wrong;
use super::super::requirement::With;
use super::super::steps::run_steps;
use super::super::stop::{Outcome, Stop};
use super::super::values::Values;
use super::super::world::{World, endpoint, extensions, object, required_extensions};

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
    let whole = required(world, values, &kind);
    let mut bare = whole.clone();
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
    values.put("as", "made");
    let fixture = world.fixtures.iter().find(|fixture| fixture.endpoint == path);
    let without = match fixture {
        Some(fixture) => {
            let taken = world.bodies.get(&fixture.name).copied().unwrap_or_default();
            object(&values.fill(&fixture.bodies[taken].0)?)
        }
        None => required(world, values, kind),
    };
    for (key, n) in [("whole", 0), ("other-whole", 1)] {
        let mut body = without.clone();
        if is_core {
            body.insert(name.to_owned(), sample(definition, n));
        } else {
            let mut part = body.get(urn).map(object).unwrap_or_default();
            part.insert(name.to_owned(), sample(definition, n));
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
    values.put("value", sample(definition, 0));
    values.put("other", sample(definition, 1));
    values.put("type-schema", kind["schema"].clone());
    Ok(())
}

/// The smallest body of a type that has no fixture.
fn required(world: &World<'_>, values: &Values, kind: &Value) -> Map<String, Value> {
    let part = |urn: &str| -> Map<String, Value> {
        let rows = world.attributes(urn);
        let rows = rows.filter(|row| row["required"] == true && row["mutability"] != "readOnly");
        rows.filter_map(|row| {
            let name = row["name"].as_str()?.to_owned();
            let is_text = row["type"] == "string" && row["multiValued"] != true;
            let value = if is_text {
                values.known_text("n").into()
            } else {
                sample(row, 0)
            };
            Some((name, value))
        })
        .collect()
    };
    let core = kind["schema"].as_str().unwrap_or_default();
    let schemas: Vec<&str> = std::iter::once(core).chain(required_extensions(kind)).collect();
    let mut body = Map::new();
    body.insert("schemas".to_owned(), json!(schemas));
    body.extend(part(core));
    for urn in required_extensions(kind) {
        body.insert(urn.to_owned(), part(urn).into());
    }
    body
}

/// The n-th, 0 or 1, valid value of an attribute.
fn sample(definition: &Value, n: usize) -> Value {
    let value = if definition["type"] == "complex" {
        let rows = definition["subAttributes"].as_array().into_iter().flatten();
        let rows = rows.filter(|row| row["mutability"] != "readOnly" && row["name"] != "$ref");
        let members = rows.filter_map(|row| Some((row["name"].as_str()?.to_owned(), sample(row, n))));
        Value::Object(members.collect())
    } else {
        let known = definition["canonicalValues"]
            .as_array()
            .filter(|known| !known.is_empty());
        match (known, definition["type"].as_str()) {
            (Some(known), _) => known[n % known.len()].clone(),
            (None, Some("boolean")) => json!(n == 0),
            (None, Some("integer")) => json!([3, 10][n]),
            (None, Some("decimal")) => json!([4.5, 9.25][n]),
            (None, Some("binary")) => json!(["AQID", "BAUG"][n]),
            (None, Some("dateTime")) => json!(["2024-01-15T08:00:00Z", "2025-03-01T10:30:00Z"][n]),
            (None, Some("reference")) => json!(["https://example.com/a", "https://example.com/b"][n]),
            (None, _) => json!(["Alpha", "Beta"][n]),
        }
    };
    if definition["multiValued"] == true {
        json!([value])
    } else {
        value
    }
}
