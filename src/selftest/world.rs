//! The server under test with what it says of itself, and the values that every check knows.

use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

use super::client::{Ask, Server};
use super::exchange::Exchange;
use super::feature::{Announced, ENTERPRISE, Feature, GROUP, Trial, USER};
use super::made::segment;
use super::needed::Numbers;
use super::requirement::{Create, Fixture};
use super::stop::{Outcome, Stop};
use super::values::Values;

/// The beginning of the URNs of messages.
pub(super) const MESSAGE: &str = "urn:ietf:params:scim:api:messages:2.0:";

/// Shortest token that is taken for one: a server that asks for none is given any word.
const MIN_SECRET: usize = 16;

/// The server under test.
pub(super) struct World<'b> {
    pub server: Arc<Server>,
    pub fixtures: &'b [Fixture],
    pub config: Value,
    /// Resource types that have an endpoint.
    pub kinds: Vec<Value>,
    /// By their URN, in the order of the server.
    pub schemas: Vec<(String, Value)>,
    /// Tokens of other clients, by their names.
    tokens: Vec<(&'static str, String)>,
    tried: HashMap<Trial, bool>,
    /// Which body of a fixture the server has taken.
    pub bodies: HashMap<String, usize>,
    pub numbers: Numbers,
    count: usize,
}

impl<'b> World<'b> {
    pub fn new(server: Arc<Server>, fixtures: &'b [Fixture], tokens: Vec<(&'static str, String)>) -> Self {
        Self {
            server,
            fixtures,
            config: Value::Null,
            kinds: Vec::new(),
            schemas: Vec::new(),
            tokens,
            tried: HashMap::new(),
            bodies: HashMap::new(),
            numbers: Numbers::default(),
            count: 0,
        }
    }

    /// Reads the three discovery documents; what is not there counts as nothing announced.
    ///
    /// A server that lets this client read none of them, or does not take its token, cannot be tested.
    pub async fn discover(&mut self) -> Outcome {
        let (status, config) = self.document("/ServiceProviderConfig").await?;
        self.config = rows(&config).first().cloned().unwrap_or(config);
        let (of_kinds, kinds) = self.document("/ResourceTypes").await?;
        let kinds = rows(&kinds);
        self.kinds = kinds.into_iter().filter(|kind| kind["endpoint"].is_string()).collect();
        let (of_schemas, schemas) = self.document("/Schemas").await?;
        let schemas = rows(&schemas).into_iter();
        self.schemas = schemas
            .filter_map(|schema| Some((schema["id"].as_str()?.to_owned(), schema)))
            .collect();
        if [status, of_kinds, of_schemas].iter().all(|status| is_closed(*status)) {
            let what = format!("it cannot be tested: GET /ServiceProviderConfig is answered with {status}");
            return Err(Stop::blocked(what));
        }
        let first = self.kinds.first().map_or("/Users".to_owned(), endpoint);
        let probe = self.server.send(Ask::get(&format!("{first}?count=1"))).await?;
        if probe.status == 401 {
            let what = format!("it does not take the token: GET {first} is answered with 401");
            return Err(Stop::blocked(what));
        }
        Ok(())
    }

    async fn document(&self, path: &str) -> Outcome<(u16, Value)> {
        let exchange = self.server.send(Ask::get(path)).await?;
        let good = exchange.status == 200 && (exchange.json.is_object() || exchange.json.is_array());
        Ok((exchange.status, if good { exchange.json.clone() } else { json!({}) }))
    }

    /// Skips the check unless the server announces all of them.
    pub async fn needs(&mut self, features: &[Feature]) -> Outcome {
        for feature in features {
            if self.announces(feature).await? == feature.is_absence {
                return Err(Stop::Skip(feature.missing()));
            }
        }
        Ok(())
    }

    async fn announces(&mut self, feature: &Feature) -> Outcome<bool> {
        let of_paging = |name: &str| self.config["pagination"].get(name).and_then(Value::as_bool);
        Ok(match &feature.what {
            Announced::Supported => self.config[&feature.word]["supported"] == true,
            Announced::Member => self.config.get(&feature.word).is_some(),
            Announced::Cursor => of_paging("cursor") == Some(true),
            Announced::Index => of_paging("index") != Some(false),
            Announced::Async => {
                let how = self.config["securityEvents"]["asyncRequest"]
                    .as_str()
                    .unwrap_or_default();
                matches!(how, "long" | "request" | "LONG" | "REQUEST")
            }
            Announced::Tried(trial) => self.try_once(*trial).await?,
            Announced::Endpoint(path) => self.kinds.iter().any(|kind| endpoint(kind) == *path),
            Announced::Enterprise => self.kinds.iter().flat_map(extensions).any(|urn| urn == ENTERPRISE),
            Announced::Version => version_at(self.server.base_path()).is_some(),
            Announced::Token => self.tokens.iter().any(|(name, _)| *name == feature.word),
            Announced::Attribute(urn, path) => self.attribute(urn, path).is_some(),
            Announced::Changes(urn, path) => {
                let how = self.attribute(urn, path).and_then(|row| row["mutability"].as_str());
                !matches!(how, Some("immutable" | "readOnly"))
            }
            Announced::Required(urn, path) => self.requires(urn, path).await?,
            Announced::RequiredEnterprise => self
                .kinds
                .iter()
                .flat_map(required_extensions)
                .any(|urn| urn == ENTERPRISE),
        })
    }

    /// What no configuration announces is tried once.
    async fn try_once(&mut self, trial: Trial) -> Outcome<bool> {
        if let Some(known) = self.tried.get(&trial) {
            return Ok(*known);
        }
        let search = |path: &str| Ask {
            method: "POST".to_owned(),
            body: Some(
                json!({"schemas": [format!("{MESSAGE}SearchRequest")], "count": 1})
                    .to_string()
                    .into(),
            ),
            ..Ask::get(path)
        };
        let ask = match trial {
            Trial::Me => Ask::get("/Me"),
            Trial::Search => search("/Users/.search"),
            Trial::Root => search("/.search"),
            // Who lets everybody read may still look at the tokens that are shown: one sign is enough.
            Trial::Auth => Ask {
                auth: Some(String::new()),
                ..Ask::get("/Users")
            },
            Trial::Brackets => Ask {
                query: vec![("filter".to_owned(), "emails[type pr]".to_owned())],
                ..Ask::get("/Users")
            },
        };
        let status = self.server.send(ask).await?.status;
        let there = match trial {
            Trial::Auth => matches!(status, 401 | 403) || self.refuses_a_wrong_token().await?,
            Trial::Me => matches!(status, 200 | 308),
            Trial::Brackets => status == 200,
            Trial::Search | Trial::Root => !matches!(status, 401 | 403 | 404 | 405 | 501),
        };
        self.tried.insert(trial, there);
        Ok(there)
    }

    async fn refuses_a_wrong_token(&self) -> Outcome<bool> {
        let ask = Ask {
            auth: Some("Bearer no-such-token".to_owned()),
            ..Ask::get("/Users")
        };
        Ok(matches!(self.server.send(ask).await?.status, 401 | 403))
    }

    /// A published schema.
    pub fn schema(&self, urn: &str) -> Option<&Value> {
        self.schemas.iter().find(|(id, _)| id == urn).map(|(_, schema)| schema)
    }

    /// The attribute definitions of a schema.
    pub fn attributes(&self, urn: &str) -> impl Iterator<Item = &Value> {
        let rows = self.schema(urn).and_then(|schema| schema["attributes"].as_array());
        rows.into_iter().flatten().filter(|row| row.is_object())
    }

    /// The definition of an attribute or sub-attribute, `None` if the server does not have it.
    pub fn attribute(&self, urn: &str, path: &str) -> Option<&Value> {
        let mut inside = self.schema(urn)?.get("attributes");
        let mut found = None;
        for name in path.split('.') {
            let is_it = |row: &&Value| {
                row["name"]
                    .as_str()
                    .is_some_and(|other| other.eq_ignore_ascii_case(name))
            };
            let one = inside.and_then(Value::as_array)?.iter().find(is_it)?;
            (found, inside) = (Some(one), one.get("subAttributes"));
        }
        found
    }

    /// The values that a check starts with; each has a text of its own for names.
    pub fn values(&mut self) -> Values {
        self.count += 1;
        let server = &self.server;
        let (base, host) = (server.base_path(), server.origin());
        let versionless = version_at(base).map_or(base, |at| &base[..at]);
        let other = if versionless == base {
            String::new()
        } else {
            "/v9".to_owned()
        };
        let mut values = Values::default();
        // A short word is no secret, and is found everywhere.
        let token = server.token.expose().as_str();
        let secret = if token.len() < MIN_SECRET {
            "no-secret-was-given"
        } else {
            token
        };
        for (name, text) in [
            ("USER", USER),
            ("GROUP", GROUP),
            ("ENT", ENTERPRISE),
            ("MSG", MESSAGE),
            ("token", token),
            ("host", host.as_str()),
            ("base-path", base),
            ("run", server.mark.as_str()),
            ("secret", secret),
        ] {
            values.put(name, text);
        }
        values.put("base", format!("{host}{base}"));
        values.put("other-version", format!("{host}{versionless}{other}"));
        values.put("n", format!("{}-{}", server.mark, self.count));
        values.put("spc", self.config.clone());
        values.put(
            "schema-ids",
            self.schemas.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(),
        );
        for (name, token) in &self.tokens {
            values.put(format!("{name}-token"), token.as_str());
        }
        let names = self.kinds.iter().map(|kind| kind["name"].clone());
        values.put("type-names", names.collect::<Vec<_>>());
        values.put("endpoints", self.kinds.iter().map(endpoint).collect::<Vec<_>>());
        let urns = self.kinds.iter().flat_map(|kind| {
            let extensions = extension_rows(kind).map(|row| &row["schema"]);
            std::iter::once(&kind["schema"]).chain(extensions)
        });
        let urns: Vec<Value> = urns.cloned().collect();
        values.put("type-schemas", urns);
        values
    }

    /// A resource to work on. The bodies of a fixture are tried in turn: a server may require more than the smallest.
    pub async fn create(&mut self, values: &mut Values, step: &Create) -> Outcome<Arc<Exchange>> {
        let known = self.fixtures.iter().find(|fixture| fixture.name == step.fixture);
        let fixture = known.ok_or_else(|| Stop::blocked(format!("there is no fixture `{}`", step.fixture)))?;
        if !self.kinds.is_empty() && !self.kinds.iter().any(|kind| endpoint(kind) == fixture.endpoint) {
            return Err(Stop::Skip(format!("the server has no {}", fixture.endpoint)));
        }
        let name = step.name.as_deref().unwrap_or(&step.fixture);
        values.put("as", name);
        let start = self.bodies.get(&fixture.name).copied().unwrap_or_default();
        let own = self.own(None);
        let mut last = None;
        for (n, body) in fixture.bodies.iter().enumerate().skip(start) {
            let mut body = values.fill(&body.0)?;
            if let (Some(body), Value::Object(more)) = (body.as_object_mut(), values.fill(&step.with.0)?) {
                body.extend(more);
            }
            let kind = self.kinds.iter().find(|kind| endpoint(kind) == fixture.endpoint);
            if let (Some(kind), Some(body)) = (kind, body.as_object_mut()) {
                self.add_required(kind, body, &own);
            }
            let ask = Ask {
                method: "POST".to_owned(),
                body: Some(body.to_string().into()),
                headers: values.texts(&step.headers)?,
                ..Ask::get(&fixture.endpoint)
            };
            let exchange = self.server.send(ask).await?;
            if exchange.status == 201 && exchange.member("id").is_some_and(Value::is_string) {
                self.bodies.insert(fixture.name.clone(), n);
                self.numbers.keep(&exchange, &fixture.endpoint);
                keep(values, name, &fixture.endpoint, &exchange);
                return Ok(exchange);
            }
            last = Some(exchange);
        }
        let what = "the resource to work on could not be made";
        Err(last.map_or_else(|| Stop::blocked(what), |exchange| Stop::blocked_by(what, &exchange)))
    }
}

/// Keeps an answer under a name, with where it is and its tag.
pub(super) fn keep(values: &mut Values, name: &str, endpoint: &str, exchange: &Exchange) {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let tag = exchange.header("ETag").next().map(str::to_owned);
    let tag = tag.unwrap_or_else(|| text(exchange.json.pointer("/meta/version")));
    let location = exchange.location().unwrap_or_default();
    values.put(
        format!("{name}.path"),
        format!("{endpoint}/{}", segment(&text(exchange.member("id")))),
    );
    values.put(format!("{name}.tag"), tag);
    values.put(format!("{name}.location"), location);
    values.put(name, exchange.json.clone());
}

/// Whether a status says that this client, or any, is not served now.
fn is_closed(status: u16) -> bool {
    matches!(status, 401 | 403 | 429) || status >= 500
}

/// The objects of a list.
fn rows(value: &Value) -> Vec<Value> {
    let rows = match value {
        Value::Array(rows) => rows.as_slice(),
        other => other["Resources"].as_array().map(Vec::as_slice).unwrap_or_default(),
    };
    rows.iter().filter(|row| row.is_object()).cloned().collect()
}

/// The last part of the endpoint of a resource type: some servers give a whole path.
pub(super) fn endpoint(kind: &Value) -> String {
    let path = kind["endpoint"].as_str().unwrap_or_default().trim_matches('/');
    format!("/{}", path.rsplit('/').next().unwrap_or(path))
}

fn extension_rows(kind: &Value) -> impl Iterator<Item = &Value> {
    let rows = kind["schemaExtensions"].as_array();
    rows.into_iter().flatten().filter(|row| row.is_object())
}

/// The URNs of the extensions of a resource type.
pub(super) fn extensions(kind: &Value) -> impl Iterator<Item = &str> {
    extension_rows(kind).filter_map(|row| row["schema"].as_str())
}

/// The URNs of those that it requires.
pub(super) fn required_extensions(kind: &Value) -> impl Iterator<Item = &str> {
    let required = extension_rows(kind).filter(|row| row["required"] == true);
    required.filter_map(|row| row["schema"].as_str())
}

/// Where the version begins that a path ends with: `/v2`.
fn version_at(path: &str) -> Option<usize> {
    let at = path.rfind("/v")?;
    let digits = &path[at + 2..];
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(at)
}

/// An empty object, or this one.
pub(super) fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
