//! Over the published attribute definitions.

use serde_json::Value;
use std::sync::Arc;

use super::super::exchange::Exchange;
use super::super::fact::first_wrong;
use super::super::requirement::{EachAttribute, Named};
use super::super::shape::Fact;
use super::super::stop::{Outcome, Stop};
use super::super::values::Values;
use super::super::world::World;

/// Each attribute definition for which the condition holds.
pub(in crate::selftest) fn each_attribute(world: &World<'_>, values: &mut Values, check: &EachAttribute) -> Outcome {
    let mut seen = 0;
    for (urn, schema) in &world.schemas {
        if check.except.contains(urn) {
            continue;
        }
        for (path, definition) in definitions(schema, urn) {
            let alone = Arc::new(Exchange::of(definition, None));
            if first_wrong(&alone, values, &check.condition)?.is_none() {
                seen += 1;
                judge(&alone, values, (&check.expect, &path))?;
            }
        }
    }
    if seen == 0 {
        return Err(Stop::Skip("no schema has such an attribute".to_owned()));
    }
    Ok(())
}

/// The definitions of these attributes, those that the server has.
pub(in crate::selftest) fn attribute(world: &World<'_>, values: &mut Values, check: &Named) -> Outcome {
    let urn = values.text(&check.schema)?;
    let mut seen = 0;
    for name in &check.names {
        if let Some(definition) = world.attribute(&urn, name) {
            seen += 1;
            let alone = Arc::new(Exchange::of(definition, None));
            judge(&alone, values, (&check.expect, &format!("{urn}:{name}")))?;
        }
    }
    if seen == 0 {
        return Err(Stop::Skip("the server does not have the attribute".to_owned()));
    }
    Ok(())
}

fn judge(alone: &Arc<Exchange>, values: &mut Values, (facts, path): (&[Fact], &str)) -> Outcome {
    let Some(wrong) = first_wrong(alone, values, facts)? else {
        return Ok(());
    };
    let shown = Exchange {
        method: "GET".to_owned(),
        path: format!("/Schemas, {path}"),
        ..(**alone).clone()
    };
    Err(Stop::wrong_in(wrong, &Arc::new(shown)))
}

/// Every attribute and sub-attribute of a schema, with its path.
fn definitions<'v>(schema: &'v Value, urn: &str) -> Vec<(String, &'v Value)> {
    let rows = |value: &'v Value, name: &str, before: &str| {
        let rows = value.get(name).and_then(Value::as_array).into_iter().flatten();
        let named = |row: &'v Value| (format!("{before}{}", row["name"].as_str().unwrap_or("?")), row);
        rows.filter(|row| row.is_object()).map(named).rev().collect::<Vec<_>>()
    };
    let mut open = rows(schema, "attributes", &format!("{urn}:"));
    let mut found = Vec::new();
    while let Some((path, row)) = open.pop() {
        open.extend(rows(row, "subAttributes", &format!("{path}.")));
        found.push((path, row));
    }
    found
}
