//! The second reading: operations add and delete facts.

use serde_json::{Value, json};

use super::known::{KNOWN, Known, Parts, Step};
use crate::scim::ScimType::{self, InvalidPath, InvalidValue, Mutability, NoTarget};

/// Attribute, element, sub-attribute (`""` for a simple value), value.
type Fact = (usize, u32, &'static str, Value);

#[derive(Clone, Default)]
pub(super) struct Model {
    facts: Vec<Fact>,
    next: u32,
}

fn nothing(value: &Value) -> bool {
    *value == Value::Null || *value == json!([]) || *value == json!({})
}

fn lower(value: &Value) -> String {
    value.to_string().to_lowercase()
}

/// The elements a value stands for; types are checked.
fn elements(known: &Known, value: &Value) -> Result<Vec<Parts>, ScimType> {
    let items = match value {
        Value::Array(items) if known.many => items.clone(),
        Value::Array(items) if items.is_empty() => vec![],
        other => vec![other.clone()],
    };
    let read = items
        .iter()
        .filter(|item| !nothing(item))
        .map(|item| element(known, item));
    Ok(read
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .filter(|parts| !parts.is_empty())
        .collect())
}

fn element(known: &Known, value: &Value) -> Result<Parts, ScimType> {
    if known.subs.is_empty() {
        return if value.is_string() {
            Ok(vec![("", value.clone())])
        } else {
            Err(InvalidValue)
        };
    }
    let mut parts = Vec::new();
    for (name, value) in value.as_object().ok_or(InvalidValue)? {
        let sub = known.subs.iter().find(|sub| *sub == name).ok_or(InvalidValue)?;
        if !nothing(value) {
            typed(sub, value)?;
            parts.push((*sub, value.clone()));
        }
    }
    Ok(parts)
}

/// What an operation writes into each element it selects.
fn written(known: &Known, sub: Option<&'static str>, value: &Value) -> Result<Parts, ScimType> {
    if let Some(sub) = sub {
        typed(sub, value)?;
        return Ok(vec![(sub, value.clone())]);
    }
    let one = value.as_array().filter(|items| items.len() == 1);
    let parts = element(known, one.map_or(value, |items| &items[0]))?;
    if parts.is_empty() { Err(InvalidValue) } else { Ok(parts) }
}

fn typed(sub: &str, value: &Value) -> Result<(), ScimType> {
    if if sub == "primary" {
        value.is_boolean()
    } else {
        value.is_string()
    } {
        Ok(())
    } else {
        Err(InvalidValue)
    }
}

impl Model {
    fn ids(&self, attribute: usize) -> Vec<u32> {
        let mut ids: Vec<_> = self
            .facts
            .iter()
            .filter(|fact| fact.0 == attribute)
            .map(|fact| fact.1)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn get(&self, id: u32, sub: &str) -> Option<&Value> {
        self.facts
            .iter()
            .find(|fact| fact.1 == id && fact.2 == sub)
            .map(|fact| &fact.3)
    }

    fn set(&mut self, attribute: usize, id: u32, sub: &'static str, value: Value) {
        if sub == "primary" && value == json!(false) && self.get(id, sub).is_none() {
            return;
        }
        self.facts.retain(|fact| fact.1 != id || fact.2 != sub);
        self.facts.push((attribute, id, sub, value));
    }

    fn fresh(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// Enters an element, into the one that is the same if there is one.
    pub fn enter(&mut self, attribute: usize, parts: Parts) -> u32 {
        let fresh = self.fresh();
        for (sub, value) in parts {
            self.facts.push((attribute, fresh, sub, value));
        }
        let twin = self
            .ids(attribute)
            .into_iter()
            .find(|id| *id != fresh && self.same(*id, fresh));
        let Some(twin) = twin else { return fresh };
        self.merge(attribute, twin, fresh);
        twin
    }

    fn same(&self, one: u32, other: u32) -> bool {
        let subs = ["value", "type", "locality"];
        let simple = |id: u32| self.get(id, "").and_then(Value::as_str).map(str::to_lowercase);
        simple(one) == simple(other) && subs.iter().all(|sub| self.get(one, sub) == self.get(other, sub))
    }

    fn merge(&mut self, attribute: usize, into: u32, from: u32) {
        let (moved, kept): (Vec<Fact>, Vec<Fact>) = self.facts.drain(..).partition(|fact| fact.1 == from);
        self.facts = kept;
        // Of simple values that compare equal the first stays as it is written.
        for (_, _, sub, value) in moved.into_iter().filter(|fact| !fact.2.is_empty()) {
            self.set(attribute, into, sub, value);
        }
    }

    /// Makes the same elements one; refuses a second primary.
    fn settle(&mut self, attribute: usize) -> Result<(), ScimType> {
        let ids = self.ids(attribute);
        for (position, one) in ids.iter().enumerate() {
            for other in &ids[position + 1..] {
                let live = self.ids(attribute);
                if live.contains(one) && live.contains(other) && self.same(*one, *other) {
                    self.merge(attribute, *one, *other);
                }
            }
        }
        let primary = |id: &&u32| self.get(**id, "primary") == Some(&json!(true));
        if self.ids(attribute).iter().filter(primary).count() > 1 {
            Err(InvalidValue)
        } else {
            Ok(())
        }
    }

    fn elect(&mut self, attribute: usize, written: &[u32]) -> Result<(), ScimType> {
        let yes = json!(true);
        let mut chosen: Vec<_> = written
            .iter()
            .filter(|id| self.get(**id, "primary") == Some(&yes))
            .collect();
        chosen.sort_unstable();
        chosen.dedup();
        match chosen.as_slice() {
            [] => Ok(()),
            [one] => {
                for fact in &mut self.facts {
                    if fact.0 == attribute && fact.1 != **one && fact.2 == "primary" && !written.contains(&fact.1) {
                        fact.3 = json!(false);
                    }
                }
                Ok(())
            }
            _ => Err(InvalidValue),
        }
    }

    pub fn step(&mut self, step: &Step) -> Result<(), ScimType> {
        let Some((attribute, terms, sub)) = &step.target else {
            if step.verb == "remove" {
                return Err(NoTarget);
            }
            for (key, value) in step.value.as_ref().and_then(Value::as_object).ok_or(InvalidValue)? {
                let attribute = KNOWN
                    .iter()
                    .position(|known| known.path() == *key)
                    .ok_or(InvalidValue)?;
                if step.verb != "add" || !value.is_null() {
                    self.judged(step.verb, attribute, &[], None, Some(value))?;
                }
            }
            return Ok(());
        };
        if step.verb != "remove" && step.value.is_none() {
            return Err(InvalidValue);
        }
        self.judged(step.verb, *attribute, terms, *sub, step.value.as_ref())
    }

    /// An operation on an attribute, and whether what it left behind is allowed.
    fn judged(
        &mut self,
        verb: &str,
        attribute: usize,
        terms: &[(&'static str, Value)],
        sub: Option<&'static str>,
        value: Option<&Value>,
    ) -> Result<(), ScimType> {
        let before = self.shown(attribute);
        if !terms.is_empty() && !KNOWN[attribute].many {
            return Err(InvalidPath);
        }
        match sub {
            None if terms.is_empty() => self.whole(verb, attribute, value)?,
            Some(sub) if !KNOWN[attribute].many => self.part(verb, attribute, sub, value)?,
            _ => self.selected(verb, attribute, terms, sub, value)?,
        }
        let after = self.shown(attribute);
        let gone = before.is_some() && after.is_none();
        match KNOWN[attribute].name {
            "serial" if before.is_some() && before != after => Err(Mutability),
            "userName" if gone && verb == "remove" => Err(Mutability),
            "userName" if gone => Err(InvalidValue),
            _ => Ok(()),
        }
    }

    fn clear(&mut self, attribute: usize) {
        self.facts.retain(|fact| fact.0 != attribute);
    }

    fn whole(&mut self, verb: &str, attribute: usize, value: Option<&Value>) -> Result<(), ScimType> {
        let known = &KNOWN[attribute];
        match (verb, value) {
            ("remove", Some(value)) if known.many && !value.is_null() => {
                for parts in elements(known, value)? {
                    for id in self.ids(attribute) {
                        if self.satisfies(id, &parts, known) {
                            self.facts.retain(|fact| fact.1 != id);
                        }
                    }
                }
            }
            ("remove", _) | (_, None) => self.clear(attribute),
            (_, Some(value)) if !known.many && !known.subs.is_empty() && (value.is_object() || !nothing(value)) => {
                for (sub, value) in value.as_object().ok_or(InvalidValue)? {
                    let sub = known.subs.iter().find(|known| *known == sub).ok_or(InvalidValue)?;
                    self.part(verb, attribute, sub, Some(value))?;
                }
            }
            (_, Some(value)) => {
                let new = elements(known, value)?;
                if verb == "replace" || (!known.many && !new.is_empty()) {
                    self.clear(attribute);
                }
                let mut collected = Self {
                    facts: vec![],
                    next: self.next,
                };
                for parts in new {
                    collected.enter(attribute, parts);
                }
                collected.settle(attribute)?;
                self.next = collected.next;
                let mut written = vec![];
                for id in collected.ids(attribute) {
                    let parts = collected.facts.iter().filter(|fact| fact.1 == id);
                    written.push(self.enter(attribute, parts.map(|fact| (fact.2, fact.3.clone())).collect()));
                }
                if verb == "add" {
                    self.elect(attribute, &written)?;
                }
                self.settle(attribute)?;
            }
        }
        Ok(())
    }

    fn part(&mut self, verb: &str, attribute: usize, sub: &'static str, value: Option<&Value>) -> Result<(), ScimType> {
        match value.filter(|value| verb != "remove" && !value.is_null() && **value != json!([]) && **value != json!({}))
        {
            Some(value) => {
                typed(sub, value)?;
                let id = self.ids(attribute).first().copied().unwrap_or_else(|| self.fresh());
                self.set(attribute, id, sub, value.clone());
            }
            None if verb == "add" => {}
            None => self.facts.retain(|fact| fact.0 != attribute || fact.2 != sub),
        }
        Ok(())
    }

    fn selected(
        &mut self,
        verb: &str,
        attribute: usize,
        terms: &[(&'static str, Value)],
        sub: Option<&'static str>,
        value: Option<&Value>,
    ) -> Result<(), ScimType> {
        let known = &KNOWN[attribute];
        let mut hits = self.ids(attribute);
        hits.retain(|id| self.satisfies(*id, terms, known));
        if hits.is_empty() && verb == "replace" && !terms.is_empty() {
            return Err(NoTarget);
        }
        let Some(value) = value.filter(|value| verb != "remove" && !nothing(value)) else {
            if verb != "add" {
                self.facts
                    .retain(|fact| !hits.contains(&fact.1) || sub.is_some_and(|sub| sub != fact.2));
                self.settle(attribute)?;
            }
            return Ok(());
        };
        let new = written(known, sub, value)?;
        let create = hits.is_empty();
        if create {
            let id = self.fresh();
            for (sub, value) in terms.iter().filter(|_| !known.subs.is_empty()) {
                self.facts.retain(|fact| fact.1 != id || fact.2 != *sub);
                self.facts.push((attribute, id, sub, value.clone()));
            }
            hits.push(id);
        }
        for id in hits.clone() {
            let beside = known.subs.is_empty() && verb == "add" && !create;
            let target = if beside { self.fresh() } else { id };
            if verb == "replace" && sub.is_none() {
                self.facts.retain(|fact| fact.1 != id);
                self.facts
                    .extend(new.iter().map(|(sub, value)| (attribute, id, *sub, value.clone())));
                continue;
            }
            for (sub, value) in &new {
                self.set(attribute, target, sub, value.clone());
            }
        }
        if create && !self.satisfies(hits[0], terms, known) {
            return Err(NoTarget);
        }
        self.elect(attribute, &hits)?;
        self.settle(attribute)
    }

    fn satisfies(&self, id: u32, terms: &[(&'static str, Value)], known: &Known) -> bool {
        terms.iter().all(|(sub, wanted)| {
            let held = self.get(id, if known.subs.is_empty() { "" } else { sub });
            match wanted {
                Value::Bool(false) => held != Some(&json!(true)),
                wanted => held.map(lower) == Some(lower(wanted)),
            }
        })
    }

    pub fn shown(&self, attribute: usize) -> Option<Value> {
        let shown = self.ids(attribute).into_iter().map(|id| {
            let facts = self.facts.iter().filter(|fact| fact.1 == id);
            match self.get(id, "") {
                Some(simple) => simple.clone(),
                None => Value::Object(facts.map(|fact| (fact.2.to_owned(), fact.3.clone())).collect()),
            }
        });
        let shown: Vec<Value> = shown.collect();
        match (KNOWN[attribute].many, shown.is_empty()) {
            (_, true) => None,
            (true, false) => Some(shown.into()),
            (false, false) => shown.into_iter().next(),
        }
    }

    pub fn document(&self) -> Value {
        let mut document = json!({});
        for (index, known) in KNOWN.iter().enumerate() {
            if let Some(value) = self.shown(index) {
                match known.urn {
                    Some(urn) => document[urn][known.name] = value,
                    None => document[known.name] = value,
                }
            }
        }
        document
    }
}
