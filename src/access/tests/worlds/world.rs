//! An organisation as a list of plain facts. People, groups, places, roles and records are named by their position.

use std::collections::BTreeSet;

use super::{ENTERPRISE_USER, ScopeKind, State};

/// The permissions that are shipped, in their order.
pub const KEYS: [&str; 18] = [
    "org.users.view",
    "org.users.manage",
    "org.roles.manage",
    "org.scopes.manage",
    "org.billing.manage",
    "org.integrations.manage",
    "org.settings.manage",
    "org.audit.view",
    "record.create",
    "record.edit",
    "record.delete",
    "record.publish",
    "data.view_anonymised",
    "data.view_identified",
    "data.act",
    "data.labels.manage",
    "data.export_share",
    "data.erase",
];

pub const ORGANISATION: std::ops::Range<usize> = 0..8;
pub const VIEWING: std::ops::Range<usize> = 12..14;

#[derive(Debug, Clone)]
pub struct World {
    pub now: i64,
    pub people: Vec<Person>,
    pub teams: Vec<Team>,
    pub places: Vec<Place>,
    pub roles: Vec<BTreeSet<usize>>,
    pub records: Vec<Record>,
    pub gifts: Vec<Gift>,
    pub laws: Vec<Law>,
}

#[derive(Debug, Clone)]
pub struct Person {
    pub active: bool,
    pub title: &'static str,
    pub department: &'static str,
    /// Teams they are stored as members of.
    pub teams: BTreeSet<usize>,
    /// People who report to them.
    pub reports: Vec<usize>,
}

#[derive(Debug, Clone)]
pub struct Team {
    pub name: &'static str,
    /// Teams it is nested in.
    pub inside: BTreeSet<usize>,
}

#[derive(Debug, Clone)]
pub struct Place {
    pub kind: ScopeKind,
    pub parent: Option<usize>,
    pub starts: Option<i64>,
    pub ends: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct Record {
    pub places: Vec<usize>,
    pub properties: Vec<(&'static str, &'static str)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    All,
    Place(usize),
    Record(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    Person(usize),
    Team(usize),
}

pub type Terms = Vec<(&'static str, Vec<&'static str>)>;

/// From when, and until when.
pub type Span = (Option<i64>, Option<i64>);

/// A grant.
#[derive(Debug, Clone)]
pub struct Gift {
    pub number: i64,
    pub to: To,
    pub role: usize,
    pub at: At,
    pub span: Span,
    pub terms: Terms,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Law {
    pub number: i64,
    pub version: i64,
    pub state: State,
    pub when: When,
    pub then: Vec<Then>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    Role(usize, At),
    Member(usize),
    Team(usize),
}

#[derive(Debug, Clone)]
pub enum When {
    All(Vec<When>),
    Any(Vec<When>),
    Not(Box<When>),
    Title(&'static str),
    Department(&'static str),
    /// In a team of this name.
    Named(&'static str),
    /// In this very team.
    Id(usize),
    /// In a team of this name, by membership of the team itself.
    Direct(&'static str),
    /// `ne`: in a team of another name, or in none.
    Other(&'static str),
    /// In a team with this in its name.
    Like(&'static str),
    /// In some team only through another.
    Indirect,
    /// In any team.
    SomeTeam,
}

impl When {
    /// As a filter; `id` is how a team is called in it.
    pub fn text(&self, id: &dyn Fn(usize) -> String) -> String {
        let join = |parts: &[Self], word| {
            let parts: Vec<_> = parts.iter().map(|part| format!("({})", part.text(id))).collect();
            parts.join(word)
        };
        match self {
            Self::All(parts) => join(parts, " and "),
            Self::Any(parts) => join(parts, " or "),
            Self::Not(part) => format!("not ({})", part.text(id)),
            Self::Title(title) => format!("title eq \"{title}\""),
            Self::Department(name) => format!("{ENTERPRISE_USER}:department eq \"{name}\""),
            Self::Named(name) => format!("groups.display eq \"{name}\""),
            Self::Id(team) => format!("groups.value eq \"{}\"", id(*team)),
            Self::Direct(name) => format!("groups[display eq \"{name}\" and type eq \"direct\"]"),
            Self::Other(name) => format!("groups.display ne \"{name}\""),
            Self::Like(name) => format!("groups.display co \"{name}\""),
            Self::Indirect => "groups[type eq \"indirect\"]".to_owned(),
            Self::SomeTeam => "groups pr".to_owned(),
        }
    }
}
