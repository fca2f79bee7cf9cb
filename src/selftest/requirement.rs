//! What a requirement is: the words of `conformance/requirements` as types. A word that is not among them is an error.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

use super::feature::Feature;
use super::shape::{Fact, Refusal, Template, facts, one_or_many};

/// How much a requirement weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The RFC says MUST.
    Must,
    /// The RFC says SHOULD.
    Should,
    /// A server is free to do it, but only in one form.
    May,
    /// A strict server refuses it, a lenient one takes it on purpose.
    Tol,
    /// The RFC is silent or can be read in two ways; this is our reading.
    Dec,
}

impl Level {
    /// The word of the data.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::May => "may",
            Self::Tol => "tol",
            Self::Dec => "dec",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One thing that a server has to do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Never used for another requirement.
    pub id: String,
    /// How much it weighs.
    pub level: Level,
    /// Where it is written.
    pub rfc: String,
    /// The requirement in one sentence.
    pub says: String,
    /// What a finding says.
    pub why: Option<String>,
    /// Why no client can see it.
    pub untestable: Option<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    pub(super) feature: Vec<Feature>,
    #[serde(default, rename = "check")]
    pub(super) checks: Vec<Check>,
}

impl Requirement {
    /// How many checks it has.
    #[must_use]
    pub fn checks(&self) -> usize {
        self.checks.len()
    }

    /// What is wrong with it as a whole.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let names = self.checks.iter().map(|check| &check.name);
        let distinct: std::collections::BTreeSet<_> = names.collect();
        if self.checks.is_empty() == self.untestable.is_none() {
            Some("it has checks, or says why it is untestable")
        } else if !self.checks.is_empty() && self.why.is_none() {
            Some("a finding would have nothing to say: `why` is missing")
        } else if distinct.len() < self.checks.len() {
            Some("two of its checks have one name")
        } else {
            None
        }
    }
}

/// One way of finding out.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub(super) struct Check {
    pub name: Option<String>,
    pub level: Option<Level>,
    pub feature: Vec<Feature>,
    pub why: Option<String>,
    /// Run with every combination of these values.
    pub each: Vec<(String, Value)>,
    pub work: Work,
}

impl TryFrom<Map<String, Value>> for Check {
    type Error = String;

    fn try_from(mut map: Map<String, Value>) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            name: Option<String>,
            level: Option<Level>,
            #[serde(default, deserialize_with = "one_or_many")]
            feature: Vec<Feature>,
            why: Option<String>,
            #[serde(default)]
            each: Map<String, Value>,
        }
        let own = ["name", "level", "feature", "why", "each"];
        let head: Map<String, Value> = own.iter().filter_map(|word| map.remove_entry(*word)).collect();
        if !map.contains_key("procedure") {
            map.insert("procedure".to_owned(), "steps".into());
        }
        let head: Head = serde_json::from_value(Value::Object(head)).map_err(|fault| fault.to_string())?;
        let of_what = |value: &Value| value.is_array() || value.is_string();
        if let Some((name, _)) = head.each.iter().find(|(_, value)| !of_what(value)) {
            return Err(format!("`each.{name}` is neither a list nor a placeholder"));
        }
        Ok(Self {
            name: head.name,
            level: head.level,
            feature: head.feature,
            why: head.why,
            each: head.each.into_iter().collect(),
            work: serde_json::from_value(Value::Object(map)).map_err(|fault| fault.to_string())?,
        })
    }
}

/// What a check does: steps, or a procedure for what steps cannot say.
#[derive(Debug, Deserialize)]
#[serde(tag = "procedure", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Work {
    Steps { steps: Vec<Step> },
    EveryAnswer(Every),
    EveryResource(Every),
    EachAttribute(EachAttribute),
    Attribute(Named),
    WithAttribute(With),
    WithType(With),
    Walk(Walk),
    Race(Box<Race>),
}

impl Work {
    /// Whether it looks at the answers of the whole run, and therefore runs last.
    pub fn is_late(&self) -> bool {
        matches!(self, Self::EveryAnswer(_) | Self::EveryResource(_))
    }
}

/// Over every answer, or every resource, of the run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Every {
    #[serde(default)]
    pub steps: Vec<Step>,
    #[serde(default, rename = "where", deserialize_with = "facts")]
    pub condition: Vec<Fact>,
    #[serde(deserialize_with = "facts")]
    pub expect: Vec<Fact>,
}

/// Over every published attribute definition.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EachAttribute {
    #[serde(default, rename = "where", deserialize_with = "facts")]
    pub condition: Vec<Fact>,
    #[serde(default)]
    pub except: Vec<String>,
    #[serde(deserialize_with = "facts")]
    pub expect: Vec<Fact>,
}

/// Over the definitions of these attributes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    pub schema: String,
    pub names: Vec<String>,
    #[serde(deserialize_with = "facts")]
    pub expect: Vec<Fact>,
}

/// Steps with an attribute, or a resource type, that is so.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct With {
    #[serde(rename = "where", deserialize_with = "facts")]
    pub condition: Vec<Fact>,
    pub steps: Vec<Step>,
}

/// How pages follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum By {
    Index,
    Cursor,
}

/// Every page of a query.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Walk {
    pub path: String,
    pub by: By,
    pub count: usize,
    #[serde(default = "seven")]
    pub make: usize,
    #[serde(default = "user")]
    pub create: String,
    #[serde(default)]
    pub with: Template,
    #[serde(default)]
    pub query: Map<String, Value>,
    #[serde(default)]
    pub churn: bool,
}

fn seven() -> usize {
    7
}

fn user() -> String {
    "user".to_owned()
}

/// One request many times at once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Race {
    #[serde(default)]
    pub before: Vec<Step>,
    pub step: Request,
    pub times: usize,
    pub one: u16,
    pub rest: Vec<u16>,
    #[serde(default)]
    pub after: Vec<Step>,
}

/// Makes a resource, sends a request, or waits.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub(super) enum Step {
    Pause(Pause),
    Create(Create),
    Send(Box<Request>),
}

impl TryFrom<Map<String, Value>> for Step {
    type Error = String;

    fn try_from(map: Map<String, Value>) -> Result<Self, String> {
        let (pause, create) = (map.contains_key("pause"), map.contains_key("create"));
        let value = Value::Object(map);
        let step = if pause {
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Waiting {
                pause: Pause,
            }
            serde_json::from_value::<Waiting>(value).map(|step| Self::Pause(step.pause))
        } else if create {
            serde_json::from_value(value).map(Self::Create)
        } else {
            serde_json::from_value(value).map(|step| Self::Send(Box::new(step)))
        };
        step.map_err(|fault| fault.to_string())
    }
}

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub(super) enum Pause {
    /// Until a change shows in `lastModified`.
    Tick,
    Seconds(f64),
}

impl TryFrom<Value> for Pause {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let seconds = value.as_f64().filter(|seconds| (0.0..=60.0).contains(seconds));
        match seconds {
            _ if value == "tick" => Ok(Self::Tick),
            Some(seconds) => Ok(Self::Seconds(seconds)),
            None => Err(format!("`pause` is `tick` or up to 60 seconds, not {value}")),
        }
    }
}

/// A resource to work on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    #[serde(rename = "create")]
    pub fixture: String,
    #[serde(rename = "as")]
    pub name: Option<String>,
    #[serde(default)]
    pub with: Template,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// A request, and what is asked of its answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub send: String,
    #[serde(default)]
    pub query: Map<String, Value>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub body: Option<Template>,
    pub raw: Option<String>,
    pub ops: Option<Template>,
    pub bulk: Option<Template>,
    pub auth: Option<String>,
    #[serde(default)]
    pub save: BTreeMap<String, String>,
    pub keep: Option<String>,
    #[serde(default)]
    pub setup: bool,
    /// The body goes as it stands: nothing that the server requires is added to it.
    #[serde(default)]
    pub exact: bool,
    #[serde(default, deserialize_with = "one_or_many")]
    pub status: Vec<u16>,
    #[serde(default, deserialize_with = "one_or_many")]
    pub error: Vec<Refusal>,
    #[serde(default, deserialize_with = "facts")]
    pub expect: Vec<Fact>,
}

/// What checks start from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fixture {
    pub name: String,
    pub endpoint: String,
    pub bodies: Vec<Template>,
}
