//! What a server requires of a resource beyond what a check says of it. Every body is completed here, and nowhere else.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

use super::exchange::Exchange;
use super::feature::{GROUP, USER};
use super::made::segment;
use super::requirement::Create;
use super::sample::{needed, writable};
use super::shape::Template;
use super::stop::Outcome;
use super::values::Values;
use super::world::{World, endpoint, extensions, object, required_extensions};

/// The names of users and groups: checks give them, or leave them away on purpose.
const NAMES: &[(&str, &str)] = &[(USER, "userName"), (GROUP, "displayName")];

/// Texts of resources: each new one has a number, and keeps it when it is replaced.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    last: usize,
    /// By path, below the base.
    known: HashMap<String, usize>,
}

impl Numbers {
    /// That of the resource there, or a new one.
    pub fn of(&mut self, path: Option<&str>) -> usize {
        if let Some(known) = path.and_then(|path| self.known.get(path)) {
            return *known;
        }
        self.last += 1;
        self.last
    }

    /// Keeps the number of the resource that was just made.
    pub fn keep(&mut self, exchange: &Exchange, path: &str) {
        let id = exchange.member("id").and_then(Value::as_str);
        if let Some(id) = id.filter(|_| exchange.method == "POST" && exchange.status == 201) {
            self.known.insert(format!("{path}/{}", segment(id)), self.last);
        }
    }
}

impl World<'_> {
    /// Completes the body of a request: of a resource that is made or replaced, alone or by an operation of bulk.
    pub async fn complete(&mut self, method: &str, path: &str, body: &mut Value) -> Outcome {
        let path = self.below(path);
        if path == "/Bulk" {
            let operations = body.get_mut("Operations").and_then(Value::as_array_mut);
            for operation in operations.into_iter().flatten() {
                let method = operation["method"].as_str().unwrap_or_default().to_owned();
                let path = self.below(operation["path"].as_str().unwrap_or_default());
                if let Some(data) = operation.get_mut("data") {
                    self.complete_one(&method, &path, data).await?;
                }
            }
            return Ok(());
        }
        self.complete_one(method, &path, body).await
    }

    async fn complete_one(&mut self, method: &str, path: &str, body: &mut Value) -> Outcome {
        let endpoint_of = |path: &str| {
            format!(
                "/{}",
                path.trim_start_matches('/').split('/').next().unwrap_or_default()
            )
        };
        let (at, own) = (endpoint_of(path), path.trim_start_matches('/').contains('/'));
        let fits = match method {
            "POST" => !own,
            "PUT" | "PATCH" => own,
            _ => false,
        };
        let Some(body) = body.as_object_mut().filter(|_| fits) else {
            return Ok(());
        };
        if method == "PATCH" {
            let number = self.own(Some(path));
            if let Some(kind) = self.kinds.iter().find(|kind| endpoint(kind) == at) {
                self.complete_operations(kind, body, &number);
            }
            return Ok(());
        }
        self.learn(&at).await?;
        let own = self.own(own.then_some(path));
        if let Some(kind) = self.kinds.iter().find(|kind| endpoint(kind) == at) {
            self.add_required(kind, body, &own);
        }
        for (name, value) in self.unpublished(&at, &own)? {
            let there = member(body, &name).map(str::to_owned);
            match there.and_then(|there| body.get_mut(&there)) {
                None => {
                    body.insert(name, value);
                }
                Some(Value::Object(inside)) => add_missing(inside, object(&value)),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// What is required inside the elements of lists that a PATCH brings. A complex value that is one alone keeps what is
    /// not named, so it needs no more.
    fn complete_operations(&self, kind: &Value, body: &mut Map<String, Value>, own: &str) {
        let core = kind["schema"].as_str().unwrap_or_default();
        let operations = body.get_mut("Operations").and_then(Value::as_array_mut);
        for operation in operations.into_iter().flatten().filter_map(Value::as_object_mut) {
            let verb = operation.get("op").and_then(Value::as_str).unwrap_or_default();
            if verb.eq_ignore_ascii_case("remove") {
                continue;
            }
            let path = operation.get("path").and_then(Value::as_str).map(str::to_owned);
            let Some(value) = operation.get_mut("value") else {
                continue;
            };
            for definition in self.attributes(core).filter(|row| row["multiValued"] == true) {
                let name = definition["name"].as_str().unwrap_or_default();
                match (&path, &mut *value) {
                    (Some(path), value) if path.eq_ignore_ascii_case(name) => add_to_rows(definition, value, own),
                    (None, Value::Object(rows)) => {
                        let there = member(rows, name).map(str::to_owned);
                        if let Some(rows) = there.and_then(|there| rows.get_mut(&there)) {
                            add_to_rows(definition, rows, own);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// A text of one resource alone: of the one there, or of the next that is made.
    pub fn own(&mut self, path: Option<&str>) -> String {
        format!("{}-r{}", self.server.mark, self.numbers.of(path))
    }

    /// What the published schemas of a resource type require, but for its name.
    pub fn add_required(&self, kind: &Value, body: &mut Map<String, Value>, own: &str) {
        let core = kind["schema"].as_str().unwrap_or_default();
        for definition in self.attributes(core).filter(|row| !is_name(core, row)) {
            add(definition, body, own);
        }
        for urn in extensions(kind) {
            let is_required = required_extensions(kind).any(|other| other == urn);
            let there = member(body, urn).map(str::to_owned);
            if there.is_none() && !is_required {
                continue;
            }
            let place = body.entry(there.unwrap_or_else(|| urn.to_owned()));
            let part = place.or_insert_with(|| Value::Object(Map::new()));
            let Some(part) = part.as_object_mut() else { continue };
            for definition in self.attributes(urn) {
                add(definition, part, own);
            }
            // An empty extension is none.
            let mut any = self
                .attributes(urn)
                .filter_map(|row| Some((row["name"].as_str()?, needed(row, own)?)));
            if let Some((name, value)) = any.next().filter(|_| part.is_empty()) {
                part.insert(name.to_owned(), value);
            }
            let names_it = |schema: &Value| schema.as_str().is_some_and(|schema| schema.eq_ignore_ascii_case(urn));
            let schemas = body.get_mut("schemas").and_then(Value::as_array_mut);
            let schemas = schemas.filter(|schemas| is_required && !schemas.is_empty());
            if let Some(schemas) = schemas.filter(|schemas| !schemas.iter().any(names_it)) {
                schemas.push(urn.into());
            }
        }
    }

    /// Whether a resource of this schema cannot be without an attribute.
    pub async fn requires(&mut self, urn: &str, path: &str) -> Outcome<bool> {
        let at = self.kinds.iter().find(|kind| kind["schema"] == urn).map(endpoint);
        let top = path.split('.').next().unwrap_or(path);
        let published = [top, path].into_iter().filter_map(|path| self.attribute(urn, path));
        if published.into_iter().any(|row| row["required"] == true) {
            return Ok(true);
        }
        let Some(at) = at else { return Ok(false) };
        self.learn(&at).await?;
        let more = self.unpublished(&at, "own")?;
        Ok(member(&more, top).is_some())
    }

    /// What the body of a fixture has that the server took, beyond the smallest: it requires some of that and does not say so.
    fn unpublished(&self, at: &str, own: &str) -> Outcome<Map<String, Value>> {
        let fixture = self.fixtures.iter().find(|fixture| fixture.endpoint == at);
        let taken = fixture.and_then(|fixture| Some((fixture, *self.bodies.get(&fixture.name)?)));
        let Some((fixture, taken)) = taken.filter(|(_, taken)| *taken > 0) else {
            return Ok(Map::new());
        };
        let mut values = Values::default();
        for (name, text) in [("n", own), ("as", "more"), ("USER", USER), ("GROUP", GROUP)] {
            values.put(name, text);
        }
        let (smallest, body) = (&fixture.bodies[0].0, values.fill(&fixture.bodies[taken].0)?);
        let more = object(&body)
            .into_iter()
            .filter(|(name, _)| smallest.get(name).is_none());
        Ok(more.collect())
    }

    /// Finds out which body of a fixture the server takes, once.
    async fn learn(&mut self, at: &str) -> Outcome {
        let fixture = self.fixtures.iter().find(|fixture| fixture.endpoint == at);
        let fixture = fixture.filter(|one| one.bodies.len() > 1 && !self.bodies.contains_key(&one.name));
        let Some(fixture) = fixture.map(|fixture| fixture.name.clone()) else {
            return Ok(());
        };
        let step = Create {
            fixture: fixture.clone(),
            name: Some("first".to_owned()),
            with: Template::default(),
            headers: BTreeMap::new(),
        };
        let mut values = self.values();
        match self.create(&mut values, &step).await {
            Err(interrupted) if self.server.halt.is_cancelled() => return Err(interrupted),
            // Where none is taken, the smallest is as good as any.
            _ => self.bodies.entry(fixture).or_insert(0),
        };
        Ok(())
    }

    /// Keeps the number of the resource that an exchange made.
    pub fn note(&mut self, exchange: &Exchange) {
        let path = self.below(&exchange.path);
        self.numbers.keep(exchange, &path);
    }

    /// A path below the base, without a query.
    fn below(&self, path: &str) -> String {
        let path = path.split('?').next().unwrap_or_default();
        let path = path.strip_prefix(&self.server.origin()).unwrap_or(path);
        let path = path
            .strip_prefix(self.server.base_path())
            .filter(|rest| rest.starts_with('/'))
            .unwrap_or(path);
        format!("/{}", path.trim_matches('/'))
    }
}

/// What is required and missing, and what is required and missing inside of what is there.
fn add(definition: &Value, body: &mut Map<String, Value>, own: &str) {
    let Some(name) = definition["name"].as_str() else {
        return;
    };
    let there = member(body, name).map(str::to_owned);
    match there.and_then(|there| body.get_mut(&there)) {
        None if definition["required"] == true => {
            if let Some(value) = needed(definition, own) {
                body.insert(name.to_owned(), value);
            }
        }
        None => {}
        Some(rows) => add_to_rows(definition, rows, own),
    }
}

fn add_parts(definition: &Value, inside: &mut Map<String, Value>, own: &str) {
    for row in writable(definition).filter(|row| row["required"] == true) {
        let name = row["name"].as_str().unwrap_or_default();
        if let Some(value) = needed(row, own).filter(|_| member(inside, name).is_none()) {
            inside.insert(name.to_owned(), value);
        }
    }
}

/// The same for each element of a list, or for one that stands in the place of a list.
fn add_to_rows(definition: &Value, rows: &mut Value, own: &str) {
    match rows {
        Value::Array(rows) => {
            for inside in rows.iter_mut().filter_map(Value::as_object_mut) {
                add_parts(definition, inside, own);
            }
        }
        Value::Object(inside) => add_parts(definition, inside, own),
        _ => {}
    }
}

fn add_missing(inside: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, value) in more {
        if member(inside, &name).is_none() {
            inside.insert(name, value);
        }
    }
}

/// The name of a member, as the body writes it.
fn member<'b>(body: &'b Map<String, Value>, name: &str) -> Option<&'b str> {
    body.keys()
        .map(String::as_str)
        .find(|other| other.eq_ignore_ascii_case(name))
}

fn is_name(schema: &str, definition: &Value) -> bool {
    NAMES
        .iter()
        .any(|(urn, name)| *urn == schema && definition["name"] == *name)
}
