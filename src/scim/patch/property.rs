//! PATCH against a second reading of the RFC that shares nothing with the first: a resource is a list of facts
//! (attribute, element, sub-attribute, value), and each operation adds and deletes facts.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::tests::{registry, stored};
use super::{apply, parse};
use crate::scim::ScimType::{self, InvalidPath, InvalidValue, Mutability, NoTarget};
use crate::scim::message::PATCH_OP;
use crate::scim::schema::{ENTERPRISE_USER, Registry, USER};

const BADGE: &str = "urn:example:params:scim:schemas:extension:badge:2.0:User";

static REGISTRY: LazyLock<Registry> = LazyLock::new(registry);

/// An attribute as the model knows it.
struct Known {
    urn: Option<&'static str>,
    name: &'static str,
    subs: &'static [&'static str],
    many: bool,
}

const KNOWN: &[Known] = &[
    Known { urn: None, name: "userName", subs: &[], many: false },
    Known { urn: None, name: "nickName", subs: &[], many: false },
    Known { urn: None, name: "externalId", subs: &[], many: false },
    Known { urn: None, name: "name", subs: &["givenName", "familyName"], many: false },
    Known { urn: None, name: "emails", subs: &["value", "type", "primary"], many: true },
    Known { urn: None, name: "addresses", subs: &["locality", "primary"], many: true },
    Known { urn: Some(ENTERPRISE_USER), name: "department", subs: &[], many: false },
    Known { urn: Some(ENTERPRISE_USER), name: "manager", subs: &["value"], many: false },
    Known { urn: Some(BADGE), name: "tags", subs: &[], many: true },
    Known { urn: Some(BADGE), name: "serial", subs: &[], many: false },
];

impl Known {
    fn path(&self) -> String {
        self.urn.map_or_else(|| self.name.to_owned(), |urn| format!("{urn}:{}", self.name))
    }
}

#[derive(Debug, Clone)]
struct Step {
    verb: &'static str,
    /// Attribute, filter terms, sub-attribute.
    target: Option<(usize, Vec<(&'static str, Value)>, Option<&'static str>)>,
    value: Option<Value>,
}

impl Step {
    fn to_json(&self) -> Value {
        let mut operation = json!({ "op": self.verb });
        if let Some((attribute, terms, sub)) = &self.target {
            let mut path = KNOWN[*attribute].path();
            if !terms.is_empty() {
                let terms: Vec<_> = terms.iter().map(|(sub, value)| format!("{sub} eq {value}")).collect();
                path += &format!("[{}]", terms.join(" and "));
            }
            path += &sub.map(|sub| format!(".{sub}")).unwrap_or_default();
            operation["path"] = path.into();
        }
        if let Some(value) = &self.value {
            operation["value"] = value.clone();
        }
        operation
    }
}

/// Attribute, element, sub-attribute (`""` for a simple value), value.
type Fact = (usize, u32, &'static str, Value);
/// One element: sub-attributes with their values.
type Parts = Vec<(&'static str, Value)>;

#[derive(Clone, Default)]
struct Model {
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
    let read = items.iter().filter(|item| !nothing(item)).map(|item| element(known, item));
    Ok(read.collect::<Result<Vec<_>, _>>()?.into_iter().filter(|parts| !parts.is_empty()).collect())
}

fn element(known: &Known, value: &Value) -> Result<Parts, ScimType> {
    if known.subs.is_empty() {
        return if value.is_string() { Ok(vec![("", value.clone())]) } else { Err(InvalidValue) };
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

fn typed(sub: &str, value: &Value) -> Result<(), ScimType> {
    if if sub == "primary" { value.is_boolean() } else { value.is_string() } { Ok(()) } else { Err(InvalidValue) }
}

impl Model {
    fn ids(&self, attribute: usize) -> Vec<u32> {
        let mut ids: Vec<_> = self.facts.iter().filter(|fact| fact.0 == attribute).map(|fact| fact.1).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn get(&self, id: u32, sub: &str) -> Option<&Value> {
        self.facts.iter().find(|fact| fact.1 == id && fact.2 == sub).map(|fact| &fact.3)
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
    fn enter(&mut self, attribute: usize, parts: Parts) -> u32 {
        let fresh = self.fresh();
        for (sub, value) in parts {
            self.facts.push((attribute, fresh, sub, value));
        }
        let twin = self.ids(attribute).into_iter().find(|id| *id != fresh && self.same(*id, fresh));
        let Some(twin) = twin else { return fresh };
        self.merge(attribute, twin, fresh);
        twin
    }

    fn same(&self, one: u32, other: u32) -> bool {
        let subs = ["", "value", "type", "locality"];
        subs.iter().all(|sub| self.get(one, sub) == self.get(other, sub))
    }

    fn merge(&mut self, attribute: usize, into: u32, from: u32) {
        let (moved, kept): (Vec<Fact>, Vec<Fact>) = self.facts.drain(..).partition(|fact| fact.1 == from);
        self.facts = kept;
        for (_, _, sub, value) in moved {
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
        if self.ids(attribute).iter().filter(primary).count() > 1 { Err(InvalidValue) } else { Ok(()) }
    }

    fn elect(&mut self, attribute: usize, written: &[u32]) -> Result<(), ScimType> {
        let yes = json!(true);
        let mut chosen: Vec<_> = written.iter().filter(|id| self.get(**id, "primary") == Some(&yes)).collect();
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

    fn step(&mut self, step: &Step) -> Result<(), ScimType> {
        let Some((attribute, terms, sub)) = &step.target else {
            if step.verb == "remove" {
                return Err(NoTarget);
            }
            for (key, value) in step.value.as_ref().and_then(Value::as_object).ok_or(InvalidValue)? {
                let attribute = KNOWN.iter().position(|known| known.path() == *key).ok_or(InvalidValue)?;
                if step.verb != "add" || !value.is_null() {
                    self.judged(step.verb, attribute, &[], None, Some(value))?;
                }
            }
            return Ok(());
        };
        if step.verb != "remove" && step.value.is_none() || step.verb == "add" && step.value == Some(Value::Null) {
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
                        let has = |(sub, value): &(&str, Value)| self.get(id, sub).map(lower) == Some(lower(value));
                        if parts.iter().all(has) {
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
                let mut collected = Self { facts: vec![], next: self.next };
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

    fn part(
        &mut self,
        verb: &str,
        attribute: usize,
        sub: &'static str,
        value: Option<&Value>,
    ) -> Result<(), ScimType> {
        match value.filter(|value| verb != "remove" && !value.is_null() && **value != json!([]) && **value != json!({})) {
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
                self.facts.retain(|fact| !hits.contains(&fact.1) || sub.is_some_and(|sub| sub != fact.2));
                self.settle(attribute)?;
            }
            return Ok(());
        };
        let new: Parts = match sub {
            Some(sub) => {
                typed(sub, value)?;
                vec![(sub, value.clone())]
            }
            None => {
                let lone = value.as_array().filter(|items| items.len() == 1).map_or(value, |items| &items[0]);
                if nothing(lone) {
                    return Err(InvalidValue);
                }
                element(known, lone).and_then(|parts| if parts.is_empty() { Err(InvalidValue) } else { Ok(parts) })?
            }
        };
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
                self.facts.extend(new.iter().map(|(sub, value)| (attribute, id, *sub, value.clone())));
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

    fn shown(&self, attribute: usize) -> Option<Value> {
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

    fn document(&self) -> Value {
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

fn text(sub: &'static str) -> BoxedStrategy<Value> {
    let words: &'static [&'static str] = match sub {
        "type" => &["work", "Work", "home", "other"],
        "userName" => &["ada", "bob", "", "Ada"],
        _ => &["a", "A", "b", "c", ""],
    };
    match sub {
        "primary" => any::<bool>().prop_map(Value::from).boxed(),
        _ => prop::sample::select(words).prop_map(Value::from).boxed(),
    }
}

/// A value for a sub-attribute; now and then none, or one of the wrong type.
fn odd(sub: &'static str) -> impl Strategy<Value = Value> {
    prop_oneof![12 => text(sub), 1 => Just(Value::Null), 1 => Just(json!([])), 1 => Just(json!(7))]
}

fn object(subs: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::sample::subsequence(subs, 0..=subs.len()).prop_flat_map(|chosen| {
        let values: Vec<_> = chosen.iter().map(|sub| odd(sub)).collect();
        values.prop_map(move |values| {
            Value::Object(chosen.iter().zip(values).map(|(sub, value)| ((*sub).to_owned(), value)).collect())
        })
    })
}

/// A value for a whole attribute.
fn value(attribute: usize) -> BoxedStrategy<Value> {
    let known = &KNOWN[attribute];
    let one = if known.subs.is_empty() { odd(known.name).boxed() } else { object(known.subs).boxed() };
    let rare = prop::sample::select(vec![json!(null), json!([]), json!({}), json!(true)]);
    if known.many {
        prop_oneof![6 => prop::collection::vec(one.clone(), 0..4).prop_map(Value::from), 2 => one, 1 => rare].boxed()
    } else {
        prop_oneof![8 => one, 1 => rare].boxed()
    }
}

fn targeted() -> impl Strategy<Value = Step> {
    let verb = prop::sample::select(vec!["add", "remove", "replace"]);
    (verb, 0..KNOWN.len()).prop_flat_map(|(verb, attribute)| {
        let known = &KNOWN[attribute];
        let filterable: &'static [&'static str] = if known.subs.is_empty() { &["value"] } else { known.subs };
        let terms = prop::sample::subsequence(filterable, 0..=filterable.len().min(2)).prop_flat_map(|subs| {
            let values: Vec<_> = subs.iter().map(|sub| text(sub)).collect();
            values.prop_map(move |values| subs.iter().copied().zip(values).collect::<Vec<_>>())
        });
        let terms = prop_oneof![1 => Just(vec![]), 1 => terms];
        let sub = if known.subs.is_empty() {
            Just(None).boxed()
        } else {
            prop::option::of(prop::sample::select(known.subs)).boxed()
        };
        (terms, sub).prop_flat_map(move |(terms, sub)| {
            let value = sub.map_or_else(|| value(attribute), |sub| odd(sub).boxed());
            let value = prop_oneof![9 => value.prop_map(Some), 1 => Just(None)];
            let target = Some((attribute, terms, sub));
            value.prop_map(move |value| Step { verb, target: target.clone(), value })
        })
    })
}

fn pathless() -> impl Strategy<Value = Step> {
    let keys = prop::sample::subsequence((0..KNOWN.len()).collect::<Vec<_>>(), 0..4);
    let object = keys.prop_flat_map(|keys| {
        let values: Vec<_> = keys.iter().map(|key| value(*key)).collect();
        values.prop_map(move |values| {
            Value::Object(keys.iter().zip(values).map(|(key, value)| (KNOWN[*key].path(), value)).collect())
        })
    });
    let value = prop_oneof![9 => object, 1 => Just(json!("x"))];
    (prop::sample::select(vec!["add", "add", "replace", "replace", "remove"]), prop::option::weighted(0.9, value))
        .prop_map(|(verb, value)| Step { verb, target: None, value })
}

fn steps(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(prop_oneof![5 => targeted(), 1 => pathless()], count)
}

/// A document in which an absent `primary` and one that is false are the same.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, value)| *name != "primary" || **value != json!(false));
            Value::Object(kept.map(|(name, value)| (name.clone(), plain(value))).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn apply_does_what_the_model_of_facts_does(history in steps(0..8), request in steps(1..4)) {
        let ty = REGISTRY.resource_type("User").unwrap();
        let (mut document, ..) = stored(ty, &json!({ "schemas": [USER], "userName": "ada" }));
        let mut external_id = None;
        let mut model = Model::default();
        model.enter(0, vec![("", json!("ada"))]);
        // The history grows a random resource, a request at a time; what is refused leaves both as they were.
        let requests = history.into_iter().map(|step| vec![step]).chain([request]);
        for steps in requests {
            let operations: Vec<_> = steps.iter().map(Step::to_json).collect();
            let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
            let mut after = model.clone();
            let mut verdict = steps.iter().try_for_each(|step| after.step(step));
            let renamed = after.shown(0) != model.shown(0);
            if verdict.is_ok() && renamed && after.shown(0) == Some(json!("")) {
                verdict = Err(InvalidValue);
            }
            let patched = parse(&body).and_then(|request| apply(ty, &request, &document, external_id.as_deref()));
            match (verdict, patched) {
                (Ok(()), Ok(patched)) => {
                    let mut shown = patched.document.as_map().clone();
                    shown.shift_remove("schemas");
                    if let Some(id) = &patched.external_id {
                        shown.insert("externalId".to_owned(), id.as_str().into());
                    }
                    prop_assert_eq!(plain(&Value::Object(shown)), plain(&after.document()), "{}", body);
                    let differs = patched.document != document || patched.external_id != external_id;
                    prop_assert_eq!(patched.changed, differs, "{}", body);
                    document = patched.document;
                    external_id = patched.external_id;
                    model = after;
                }
                (Err(expected), Err(error)) => prop_assert_eq!(Some(expected), error.scim_type, "{} {}", body, error),
                (verdict, patched) => prop_assert!(false, "{body}: model {verdict:?}, apply {patched:?}"),
            }
        }
    }
}
