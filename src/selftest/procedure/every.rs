//! Over everything that was seen in the run.

use serde_json::Value;
use std::sync::Arc;

use super::super::exchange::Exchange;
use super::super::fact::first_wrong;
use super::super::requirement::Every;
use super::super::steps::run_steps;
use super::super::stop::{Outcome, Stop};
use super::super::values::Values;
use super::super::world::World;

/// Each answer of the whole run for which the condition holds.
pub(in crate::selftest) async fn every_answer(world: &mut World<'_>, values: &mut Values, check: &Every) -> Outcome {
    run_steps(world, values, &check.steps).await?;
    let mut seen = 0;
    for exchange in world.server.seen() {
        if first_wrong(&exchange, values, &check.condition)?.is_none() {
            seen += 1;
            if let Some(wrong) = first_wrong(&exchange, values, &check.expect)? {
                return Err(Stop::wrong_in(wrong, &exchange));
            }
        }
    }
    enough(seen, "no such answer was seen")
}

/// Each User and Group shown in the whole run, alone or in a list.
pub(in crate::selftest) async fn every_resource(world: &mut World<'_>, values: &mut Values, check: &Every) -> Outcome {
    run_steps(world, values, &check.steps).await?;
    let mut seen = 0;
    for exchange in world.server.seen() {
        for resource in shown(&exchange) {
            let alone = Arc::new(Exchange::of(resource, Some(&exchange)));
            if first_wrong(&alone, values, &check.condition)?.is_none() {
                seen += 1;
                if let Some(wrong) = first_wrong(&alone, values, &check.expect)? {
                    return Err(Stop::wrong_in(wrong, &exchange));
                }
            }
        }
    }
    enough(seen, "no such resource was seen")
}

fn enough(seen: usize, otherwise: &str) -> Outcome {
    if seen == 0 {
        return Err(Stop::Skip(otherwise.to_owned()));
    }
    Ok(())
}

/// The users and groups of an answer.
fn shown(exchange: &Exchange) -> impl Iterator<Item = &Value> {
    let is_answer = matches!(exchange.status, 200 | 201) && exchange.json.is_object();
    let is_candidate = is_answer && !exchange.path.contains("/Schemas");
    let rows = match exchange.member("Resources") {
        Some(Value::Array(rows)) => rows.as_slice(),
        _ => std::slice::from_ref(&exchange.json),
    };
    let is_resource = |row: &&Value| {
        let has = |name| row.get(name).is_some();
        row.is_object() && has("id") && (has("userName") || has("displayName"))
    };
    rows.iter().filter(move |_| is_candidate).filter(is_resource)
}
