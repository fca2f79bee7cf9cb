//! Operations on elements of a multi-valued attribute: those a filter selects, or all.

use serde_json::{Map, Value};

use super::apply::OpOutcome;
use super::attribute::drop_part;
use super::draft::{Draft, fixed, writable};
use super::members;
use super::request::Verb;
use crate::scim::Error;
use crate::scim::filter::{Checked, Filter, Literal, Op, check, matches_element};
use crate::scim::path::PatchPath;
use crate::scim::schema::{Attribute, Mutability, Place, Type};
use crate::scim::validate::{clear_other_primaries, holds_members, is_absent, merge_element, tidy};

/// Runs an operation on `attribute[filter]` or `attribute[filter].sub`.
pub(super) fn select(
    draft: &mut Draft<'_>,
    verb: Verb,
    place: Place<'_>,
    path: &PatchPath,
    value: Option<&Value>,
) -> Result<OpOutcome, Error> {
    let top = place.top_path();
    if !place.top().multi_valued || place.sub().is_some() {
        return Err(Error::invalid_path(format!(
            "`{}` is not a list, so it takes no filter",
            place.path()
        )));
    }
    let sub = path.sub.as_deref().map(|name| {
        place
            .with_sub(name)
            .ok_or_else(|| Error::invalid_path(format!("`{top}` has no sub-attribute `{name}`")))
    });
    let sub = sub.transpose()?;
    if holds_members(draft.ty, place.field()) {
        return members::select(draft, verb, sub, path);
    }
    writable(sub.unwrap_or(place))?;
    draft.spoken(verb, sub.unwrap_or(place), value);
    let (Some(filter), Some(value_path)) = (path.filter.as_ref(), path.value_path()) else {
        return every(draft, verb, sub.unwrap_or(place), value);
    };
    let checked = check(&value_path, &[draft.ty])?;
    let elements = draft.elements(place.field());
    let hits = elements
        .iter()
        .map(|element| matches_element(&checked, element))
        .collect();
    let edit = Edit {
        verb,
        place: sub.unwrap_or(place),
        elements,
        hits,
        filter: Some((filter, &checked)),
    };
    edit.run(draft, value)
}

/// Runs an operation on `attribute.sub`: that of every element, or of a new one where there is none.
pub(super) fn every(
    draft: &mut Draft<'_>,
    verb: Verb,
    place: Place<'_>,
    value: Option<&Value>,
) -> Result<OpOutcome, Error> {
    let elements = draft.elements(place.field());
    let hits = vec![true; elements.len()];
    Edit {
        verb,
        place,
        elements,
        hits,
        filter: None,
    }
    .run(draft, value)
}

/// A change of selected elements.
struct Edit<'a> {
    verb: Verb,
    /// The attribute, or the sub-attribute of its elements.
    place: Place<'a>,
    elements: Vec<Value>,
    hits: Vec<bool>,
    /// What selected them.
    filter: Option<(&'a Filter, &'a Checked)>,
}

impl Edit<'_> {
    fn run(mut self, draft: &mut Draft<'_>, value: Option<&Value>) -> Result<OpOutcome, Error> {
        let found = self.hits.contains(&true);
        if !found && self.verb == Verb::Replace && self.filter.is_some() {
            return Err(self.no_target());
        }
        let value = match value {
            Some(value) if self.verb != Verb::Remove && !is_absent(value) => value,
            _ if self.verb == Verb::Add || !found => return Ok(OpOutcome::AlreadyTrue),
            _ => {
                self.remove()?;
                return self.finish(draft);
            }
        };
        if !found {
            let seed = self.seed(draft)?;
            self.elements.push(seed);
            self.hits.push(true);
        }
        let new = self.clean(draft, value)?;
        for index in (0..self.hits.len())
            .filter(|index| self.hits[*index])
            .collect::<Vec<_>>()
        {
            self.write(index, new.clone())?;
        }
        if !found
            && self
                .filter
                .is_some_and(|(_, checked)| !self.elements.last().is_some_and(|new| matches_element(checked, new)))
        {
            return Err(self.no_target());
        }
        self.finish(draft)
    }

    fn no_target(&self) -> Error {
        Error::no_target(format!("no value of `{}` matches the filter", self.place.top_path()))
    }

    /// Takes the elements away, or the sub-attribute of each.
    fn remove(&mut self) -> Result<(), Error> {
        let Some(sub) = self.place.sub() else {
            let mut hits = self.hits.iter();
            self.elements.retain(|_| hits.next() == Some(&false));
            self.hits.clear();
            return Ok(());
        };
        for (element, _) in self.elements.iter_mut().zip(&self.hits).filter(|(_, hit)| **hit) {
            let Value::Object(parts) = element else { continue };
            if sub.mutability == Mutability::Immutable && parts.contains_key(&sub.name) {
                return Err(fixed(self.place.path()));
            }
            drop_part(self.verb, parts, sub, self.place.path())?;
        }
        Ok(())
    }

    /// The new value: of the sub-attribute, or of the whole element.
    fn clean(&self, draft: &mut Draft<'_>, value: &Value) -> Result<Value, Error> {
        let (path, leaf) = (self.place.path(), self.place.leaf());
        let value = match value {
            Value::Array(items) if self.place.sub().is_none() && items.len() == 1 => &items[0],
            value => value,
        };
        let clean = match self.place.sub() {
            Some(_) => draft.cleaner.value(leaf, path, value)?,
            None => draft.cleaner.single(leaf, path, value)?,
        };
        clean.ok_or_else(|| Error::invalid_value(format!("the value for `{path}` is empty")))
    }

    fn write(&mut self, index: usize, new: Value) -> Result<(), Error> {
        let (top, path) = (self.place.top(), self.place.top_path());
        let element = &mut self.elements[index];
        match (self.place.sub(), element, new) {
            (Some(sub), Value::Object(parts), new) => {
                merge_element(top, path, parts, Map::from_iter([(sub.name.clone(), new)]))
            }
            (None, Value::Object(parts), Value::Object(new)) if self.verb == Verb::Add => {
                merge_element(top, path, parts, new)
            }
            (None, Value::Object(parts), Value::Object(new)) => {
                unchanged(top, path, parts, &new)?;
                *parts = new;
                Ok(())
            }
            (_, Value::Null, new) => {
                self.elements[index] = new;
                Ok(())
            }
            // A simple value cannot be added to: the new one comes beside it.
            (_, _, new) if self.verb == Verb::Add => {
                self.elements.push(new);
                self.hits.push(true);
                Ok(())
            }
            (_, element, new) => {
                *element = new;
                Ok(())
            }
        }
    }

    /// A new element that has what the filter asks for: `emails[type eq "work"]` begins as `{"type": "work"}`.
    fn seed(&self, draft: &mut Draft<'_>) -> Result<Value, Error> {
        let top = self.place.top();
        if top.kind != Type::Complex {
            return Ok(Value::Null);
        }
        let mut terms = Map::new();
        if let Some((filter, _)) = self.filter {
            equalities(filter, top, &mut terms);
        }
        let clean = draft
            .cleaner
            .single(top, self.place.top_path(), &Value::Object(terms))?;
        Ok(clean.unwrap_or_else(|| Value::Object(Map::new())))
    }

    fn finish(mut self, draft: &mut Draft<'_>) -> Result<OpOutcome, Error> {
        let (top, path) = (self.place.top(), self.place.top_path());
        let hits = std::mem::take(&mut self.hits);
        clear_other_primaries(path, &mut self.elements, |index| hits.get(index) == Some(&true))?;
        self.elements.retain(|element| !is_absent(element));
        let elements = tidy(top, path, self.elements)?;
        draft.write(self.verb, self.place.field(), Some(Value::Array(elements)))
    }
}

/// Refuses to put an element in the place of one whose immutable sub-attributes differ.
fn unchanged(top: &Attribute, path: &str, old: &Map<String, Value>, new: &Map<String, Value>) -> Result<(), Error> {
    let fault = top.sub_attributes.iter().find(|sub| {
        let before = old.get(&sub.name).filter(|_| sub.mutability == Mutability::Immutable);
        before.is_some() && before != new.get(&sub.name)
    });
    fault.map_or(Ok(()), |sub| Err(fixed(&format!("{path}.{}", sub.name))))
}

/// The terms of a conjunction that say what a sub-attribute equals.
fn equalities(filter: &Filter, top: &Attribute, terms: &mut Map<String, Value>) {
    match filter {
        Filter::And(parts) => parts.iter().for_each(|part| equalities(part, top, terms)),
        Filter::Compare {
            path,
            op: Op::Eq,
            value,
        } if path.sub.is_none() => {
            let value = match value {
                Literal::Null => return,
                Literal::Bool(flag) => Value::Bool(*flag),
                Literal::Number(number) => Value::Number(number.clone()),
                Literal::Text(text) => Value::String(text.clone()),
            };
            let sub = top.sub(&path.name);
            if let Some(sub) = sub.filter(|sub| sub.mutability != Mutability::ReadOnly) {
                terms.insert(sub.name.clone(), value);
            }
        }
        _ => {}
    }
}
