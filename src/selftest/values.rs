//! Placeholders: what `${...}` stands for.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::compare::instant;
use super::exchange::Exchange;
use super::place::{place, select};
use super::stop::{Outcome, Stop};

/// What `${...}` stands for. A dotted name looks into a kept value; `$...` and `header:` look into the answer at hand.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    pub known: HashMap<String, Value>,
    pub each: HashMap<String, Value>,
    pub at_hand: Option<Arc<Exchange>>,
}

impl Values {
    /// Keeps a value under a name.
    pub fn put(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.known.insert(name.into(), value.into());
    }

    /// A kept text, empty if there is none.
    pub fn known_text(&self, name: &str) -> &str {
        self.known.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn find(&self, name: &str) -> Outcome<Value> {
        if let Some((how, rest)) = name.split_once(' ')
            && matches!(how, "upper" | "lower" | "chop" | "at" | "plus")
        {
            let (more, inner) = rest.rsplit_once(' ').unwrap_or(("", rest));
            return transform(how, more, &plain(&self.find(inner)?)).map(Value::from);
        }
        if let Some(value) = self.each.get(name) {
            return self.fill(value);
        }
        if let Some(value) = self.known.get(name) {
            return Ok(value.clone());
        }
        let of_answer = name.starts_with('$') || name.starts_with("header:") || matches!(name, "status" | "text");
        if let Some(exchange) = self.at_hand.as_ref().filter(|_| of_answer) {
            let found = place(exchange, name)?;
            return Ok(found.into_iter().next().unwrap_or_else(|| "".into()));
        }
        if let Some((head, rest)) = name.split_once('.')
            && let Some(value) = self.known.get(head)
            && let Some(found) = select(value, &format!("$.{rest}"))?.first()
        {
            return Ok((*found).clone());
        }
        Err(Stop::blocked(format!("there is no value `{name}`")))
    }

    /// Placeholders replaced everywhere; a string that is nothing but one takes the type of what it stands for.
    pub fn fill(&self, value: &Value) -> Outcome<Value> {
        Ok(match value {
            Value::Object(members) => {
                let filled = members
                    .iter()
                    .map(|(name, value)| Ok((self.text(name)?, self.fill(value)?)));
                Value::Object(filled.collect::<Outcome<Map<_, _>>>()?)
            }
            Value::Array(rows) => Value::Array(rows.iter().map(|row| self.fill(row)).collect::<Outcome<_>>()?),
            Value::String(text) => match whole(text) {
                Some(name) => self.find(name)?,
                None => self.text(text)?.into(),
            },
            other => other.clone(),
        })
    }

    /// A text with its placeholders replaced.
    pub fn text(&self, text: &str) -> Outcome<String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let Some(end) = rest[at..].find('}').filter(|end| *end > 2) else {
                break;
            };
            filled.push_str(&rest[..at]);
            filled.push_str(&plain(&self.find(&rest[at + 2..at + end])?));
            rest = &rest[at + end + 1..];
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// Texts by name, each filled in.
    pub fn texts(&self, rows: &BTreeMap<String, String>) -> Outcome<Vec<(String, String)>> {
        rows.iter()
            .map(|(name, text)| Ok((self.text(name)?, self.text(text)?)))
            .collect()
    }

    /// Members by name, each filled in and written as text.
    pub fn members(&self, rows: &Map<String, Value>) -> Outcome<Vec<(String, String)>> {
        rows.iter()
            .map(|(name, value)| Ok((self.text(name)?, plain(&self.fill(value)?))))
            .collect()
    }
}

/// The name, if the text is nothing but one placeholder.
fn whole(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    (!name.is_empty() && !name.contains('}')).then_some(name)
}

/// A value inside a text.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn transform(how: &str, more: &str, text: &str) -> Outcome<String> {
    match how {
        "upper" => Ok(text.to_uppercase()),
        "lower" => Ok(text.to_lowercase()),
        "chop" => {
            let mut rest = text.chars();
            rest.next_back();
            Ok(rest.as_str().to_owned())
        }
        "plus" => {
            let sum = text.parse::<i64>().ok().zip(more.parse::<i64>().ok());
            let sum = sum.and_then(|(a, b)| a.checked_add(b));
            sum.map(|sum| sum.to_string())
                .ok_or_else(|| Stop::wrong(format!("`{text}` is no number")))
        }
        _ => at_offset(text, more).ok_or_else(|| Stop::wrong(format!("`{text}` is no dateTime"))),
    }
}

/// The same instant, written with another offset from UTC.
fn at_offset(text: &str, offset: &str) -> Option<String> {
    let (hours, minutes) = offset.split_once(':')?;
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let seconds = hours.parse::<i32>().ok()? * 3600 + sign * minutes.parse::<i32>().ok()? * 60;
    let clock = Timestamp::from_microsecond(instant(text)?).ok()?;
    let clock = Offset::from_seconds(seconds).ok()?.to_datetime(clock);
    let fraction: String = match text.find('.') {
        Some(at) => text[at + 1..].chars().take_while(char::is_ascii_digit).collect(),
        None => String::new(),
    };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!(
        "{}{point}{fraction}{offset}",
        clock.strftime("%Y-%m-%dT%H:%M:%S")
    ))
}
