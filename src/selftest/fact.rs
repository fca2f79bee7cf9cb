//! Whether a fact holds for an answer.

use regex::Regex;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::compare::{canon, equal, instant, is_nothing, is_type, like, sorted, without_meta};
use super::exchange::{Exchange, short};
use super::place::{parents, place};
use super::shape::{Fact, Operator};
use super::stop::{Outcome, Stop};
use super::values::{Values, plain};

/// Most characters of a value in a sentence.
const BRIEF: usize = 160;

/// None if the fact holds for the answer, else a sentence that says what is there instead.
pub(super) fn holds(exchange: &Arc<Exchange>, values: &mut Values, fact: &Fact) -> Outcome<Option<String>> {
    match fact {
        Fact::Any(ways) => any(exchange, values, ways),
        Fact::One {
            place,
            operator,
            operand,
        } => one(exchange, values, (place, *operator, operand.as_ref())),
    }
}

/// The first of the facts that does not hold.
pub(super) fn first_wrong(exchange: &Arc<Exchange>, values: &mut Values, facts: &[Fact]) -> Outcome<Option<String>> {
    for fact in facts {
        if let Some(wrong) = holds(exchange, values, fact)? {
            return Ok(Some(wrong));
        }
    }
    Ok(None)
}

fn any(exchange: &Arc<Exchange>, values: &mut Values, ways: &[Vec<Fact>]) -> Outcome<Option<String>> {
    let mut reasons = Vec::new();
    for way in ways {
        match first_wrong(exchange, values, way)? {
            None => return Ok(None),
            Some(wrong) => reasons.push(wrong),
        }
    }
    Ok(Some(reasons.join(" and ")))
}

fn one(
    exchange: &Arc<Exchange>,
    values: &mut Values,
    (at, operator, operand): (&str, Operator, Option<&Value>),
) -> Outcome<Option<String>> {
    values.at_hand = Some(Arc::clone(exchange));
    let at = values.text(at)?;
    let wanted = operand.map(|operand| values.fill(operand)).transpose()?;
    let found = place(exchange, &at)?;
    let told = || {
        let beside = wanted
            .as_ref()
            .map(|wanted| format!(" {}", brief(std::slice::from_ref(wanted))));
        let what = brief(&found);
        format!("{at} is {what}, not {}{}", operator.word(), beside.unwrap_or_default())
    };
    let wanted = wanted.as_ref().unwrap_or(&Value::Null);
    let many = at.contains("[*]");
    let good = match operator {
        Operator::Exists => {
            let ought = if many && at.starts_with('$') {
                parents(&exchange.json, &at)?
            } else {
                1
            };
            found.len() >= ought && found.iter().all(|value| !is_nothing(value) && value != "")
        }
        Operator::Absent => found
            .iter()
            .all(|value| value.is_null() || *value == Value::Array(Vec::new())),
        Operator::Has | Operator::Lacks if at == "text" => {
            let word = plain(wanted);
            let there = exchange.text.contains(&word);
            let how = if operator == Operator::Has { "lacks" } else { "shows" };
            let good = there == (operator == Operator::Has);
            return Ok((!good).then(|| format!("the answer {how} `{word}`")));
        }
        Operator::Same | Operator::Identical if !found.is_empty() && wanted.is_object() => {
            return Ok(differs(&at, &found[0], wanted, operator));
        }
        _ => match over_all(&found, &at, operator, wanted) {
            Some(good) => good,
            None if found.is_empty() && !many => {
                let missing = format!(
                    "{at} is missing, not {} {}",
                    operator.word(),
                    brief(std::slice::from_ref(wanted))
                );
                return Ok((operator != Operator::Avoids).then_some(missing));
            }
            None => {
                let mut good = true;
                for value in &found {
                    good = good && of_each(value, operator, wanted)?;
                }
                good
            }
        },
    };
    Ok((!good).then(told))
}

/// Operators on all values at once; a single selected list stands for its elements. `None` if it is another operator.
fn over_all(found: &[Value], at: &str, operator: Operator, wanted: &Value) -> Option<bool> {
    let rows = match found {
        [Value::Array(rows)] if !at.ends_with("[*]") => rows.as_slice(),
        other => other,
    };
    let hits = |wanted: &Value| {
        let hit = |row: &Value| {
            if wanted.is_object() {
                like(row, wanted)
            } else {
                equal(row, wanted)
            }
        };
        rows.iter().any(hit)
    };
    let list = || wanted.as_array().map(Vec::as_slice).unwrap_or_default();
    let number = || wanted.as_u64().and_then(|n| usize::try_from(n).ok());
    Some(match operator {
        Operator::Has => hits(wanted),
        Operator::Lacks => !hits(wanted),
        Operator::Set => {
            rows.len() == list().len() && list().iter().all(|wanted| rows.iter().any(|row| equal(row, wanted)))
        }
        Operator::IsList => {
            rows.len() == list().len() && rows.iter().zip(list()).all(|(row, wanted)| equal(row, wanted))
        }
        Operator::Count => number() == Some(rows.len()),
        Operator::AtLeast => number().is_some_and(|number| rows.len() >= number),
        Operator::AtMost => number().is_some_and(|number| rows.len() <= number),
        Operator::Unique => rows.iter().map(sorted).collect::<BTreeSet<_>>().len() == rows.len(),
        _ => return None,
    })
}

/// Operators on one value.
fn of_each(value: &Value, operator: Operator, wanted: &Value) -> Outcome<bool> {
    let text = || wanted.as_str().unwrap_or_default();
    let instants = || value.as_str().and_then(instant).zip(wanted.as_str().and_then(instant));
    let numbers = || value.as_f64().zip(wanted.as_f64());
    Ok(match operator {
        Operator::Is => equal(value, wanted),
        Operator::Not => !equal(value, wanted),
        Operator::In => wanted
            .as_array()
            .is_some_and(|rows| rows.iter().any(|row| equal(value, row))),
        Operator::Matches | Operator::Avoids => {
            let pattern = plain(wanted);
            let pattern = Regex::new(&pattern).map_err(|fault| Stop::blocked(format!("`{pattern}`: {fault}")))?;
            pattern.is_match(&plain(value)) == (operator == Operator::Matches)
        }
        Operator::Type => {
            is_type(value, text()).ok_or_else(|| Stop::blocked(format!("there is no type `{}`", text())))?
        }
        Operator::Like => like(value, wanted),
        Operator::Same => equal(&canon(&without_meta(value)), &canon(&without_meta(wanted))),
        Operator::Identical => equal(&canon(value), &canon(wanted)),
        Operator::Instant => instants().is_some_and(|(a, b)| a == b),
        Operator::Later => instants().is_some_and(|(a, b)| a > b),
        Operator::FoldsTo => value
            .as_str()
            .is_some_and(|value| value.to_lowercase() == text().to_lowercase()),
        Operator::AtLeastValue => numbers().is_some_and(|(a, b)| a >= b),
        Operator::AtMostValue => numbers().is_some_and(|(a, b)| a <= b),
        // The others are of all values at once.
        _ => false,
    })
}

/// None if two states are equal, else what of them is not.
fn differs(at: &str, have: &Value, wanted: &Value, operator: Operator) -> Option<String> {
    let form = |value: &Value| {
        let value = canon(value);
        if operator == Operator::Same {
            without_meta(&value)
        } else {
            value
        }
    };
    let (have, wanted) = (form(have), form(wanted));
    if equal(&have, &wanted) {
        return None;
    }
    let names = |value: &Value| {
        value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    let all: BTreeSet<String> = names(&have).into_iter().chain(names(&wanted)).collect();
    let shown = |value: &Value, name: &str| {
        value
            .get(name)
            .map_or_else(|| brief(&[]), |value| brief(std::slice::from_ref(value)))
    };
    let told: Vec<String> = all
        .iter()
        .filter(|name| have.get(name.as_str()) != wanted.get(name.as_str()))
        .map(|name| format!("{name} is {}, not {}", shown(&have, name), shown(&wanted, name)))
        .collect();
    Some(format!("{at} is not {}: {}", operator.word(), told.join("; ")))
}

fn brief(found: &[Value]) -> String {
    let word = |value: &Value| match value {
        Value::String(text) => format!("`{text}`"),
        other => other.to_string(),
    };
    let text = found.iter().map(word).collect::<Vec<_>>().join(", ");
    short(if text.is_empty() { "missing" } else { &text }, BRIEF)
}
