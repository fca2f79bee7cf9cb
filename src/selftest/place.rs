//! Places in an answer: `status`, `text`, `header:Name`, `challenge:Scheme`, what was asked, or a path into the JSON.

use serde_json::Value;

use super::challenge;
use super::exchange::Exchange;
use super::stop::{Outcome, Stop};

enum Part<'a> {
    Name(&'a str),
    Number(usize),
    All,
    /// The elements whose member has this text.
    Where(&'a str, &'a str),
}

/// The values at a place of an answer.
pub(super) fn place(exchange: &Exchange, at: &str) -> Outcome<Vec<Value>> {
    if let Some(name) = at.strip_prefix("header:") {
        return Ok(exchange.header(name).map(Value::from).collect());
    }
    if let Some(scheme) = at.strip_prefix("challenge:") {
        let found = challenge::of_scheme(exchange.header("WWW-Authenticate"), scheme);
        return Ok(found.into_iter().map(Value::from).collect());
    }
    Ok(match at {
        "status" => vec![exchange.status.into()],
        "text" => vec![exchange.text.as_str().into()],
        "method" => vec![exchange.method.as_str().into()],
        "path" => vec![exchange.path.as_str().into()],
        "sent" => vec![exchange.sent.as_str().into()],
        _ => select(&exchange.json, at)?.into_iter().cloned().collect(),
    })
}

/// The values at a path: `$.a.b`, `$["urn:x"].a`, `[0]`, `[*]`, `[name=text]`. What is not there selects nothing.
pub(super) fn select<'v>(value: &'v Value, path: &str) -> Outcome<Vec<&'v Value>> {
    let parts = parts(path).ok_or_else(|| Stop::blocked(format!("`{path}` is no path")))?;
    let mut found = vec![value];
    for part in parts {
        found = match part {
            Part::Name(name) => found
                .into_iter()
                .filter_map(|value| value.as_object()?.get(name))
                .collect(),
            Part::Number(n) => found.into_iter().filter_map(|value| value.as_array()?.get(n)).collect(),
            Part::All => found.into_iter().filter_map(Value::as_array).flatten().collect(),
            Part::Where(name, text) => {
                let rows = found.into_iter().filter_map(Value::as_array).flatten();
                rows.filter(|row| row[name] == *text).collect()
            }
        };
    }
    Ok(found)
}

/// For a path with `[*]`: how many values ought to be there, that is, how many the part up to the last `[*]` selects.
pub(super) fn parents(value: &Value, path: &str) -> Outcome<usize> {
    let end = path.rfind("[*]").map_or(path.len(), |at| at + 3);
    Ok(select(value, &path[..end])?.len())
}

fn parts(path: &str) -> Option<Vec<Part<'_>>> {
    let mut rest = path.strip_prefix('$')?;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let part;
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[', ']']).unwrap_or(after.len());
            (part, rest) = (Part::Name(&after[..end]), &after[end..]);
            if end == 0 {
                return None;
            }
        } else if let Some(after) = rest.strip_prefix("[\"") {
            let end = after.find("\"]")?;
            (part, rest) = (Part::Name(&after[..end]), &after[end + 2..]);
        } else {
            let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
            part = if inside == "*" {
                Part::All
            } else if let Some((name, text)) = inside.split_once('=') {
                Part::Where(name, text)
            } else {
                Part::Number(inside.parse().ok()?)
            };
            rest = after;
        }
        parts.push(part);
    }
    Some(parts)
}
