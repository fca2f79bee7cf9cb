//! What one unit of work did: written with it, numbered after it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::cause::Cause;
use super::error::Error;
use super::kind::{Class, Said};
use super::origin::Origin;
use super::word::words;
use crate::base::clock::Timestamp;
use crate::base::id::Pk;

words! {
    /// What kind of thing something happens to.
    SubjectKind {
        /// A user.
        User = "user",
        /// A group.
        Group = "group",
        /// A resource of a type that the organisation, or the operator, has defined.
        Resource = "resource",
        /// A role.
        Role = "role",
        /// A scope.
        Scope = "scope",
        /// A grant.
        Grant = "grant",
        /// A rule.
        Rule = "rule",
        /// A request that was kept.
        Request = "request",
        /// What went beyond a budget of the mass-change fuse.
        Hold = "hold",
        /// A token.
        Token = "token",
        /// A connection.
        Connection = "connection",
        /// Who has to end what a person has open.
        Enforcer = "enforcer",
        /// Who is told of what happens.
        Receiver = "receiver",
        /// A schema of the organisation, by its URN.
        Schema = "schema",
        /// A resource type that the organisation has added to, by its name.
        ResourceType = "resource_type",
        /// The organisation.
        Tenant = "tenant",
        /// Something that is planned.
        Schedule = "schedule",
        /// A signing key.
        Key = "key",
        /// An offboarding run.
        Run = "run",
        /// Changes of a connection that are taken back.
        Undo = "undo",
    }
}

/// What a change of a membership was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Turn {
    /// The resource became a member.
    Joined,
    /// The resource is no member any more.
    Left,
}

impl Turn {
    /// As the index of memberships stores it.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Joined => 1,
            Self::Left => 2,
        }
    }

    /// Reads what is stored.
    #[must_use]
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Joined),
            2 => Some(Self::Left),
            _ => None,
        }
    }
}

/// JSON, as the text that is stored and hashed: what it says is not looked at on its way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(Box<RawValue>);

impl Text {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl TryFrom<&Value> for Text {
    type Error = serde_json::Error;

    /// Compact, members in the order of the value. Fails for no value that can be made.
    fn try_from(value: &Value) -> Result<Self, Self::Error> {
        RawValue::from_string(value.to_string()).map(Self)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

/// What something happens to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SubjectWire", into = "SubjectWire")]
pub struct Subject {
    /// What kind of thing.
    pub kind: SubjectKind,
    /// Row number of a resource; other things have none here, as their numbers are from other tables.
    pub pk: Option<Pk>,
    /// Its public id.
    pub id: String,
}

/// A membership that a record changes, so that a user's groups are found without opening the events of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AboutWire", into = "AboutWire")]
pub struct About {
    /// Who joined or left.
    pub resource: Pk,
    /// Which group.
    pub group: Pk,
    /// Which of the two.
    pub turn: Turn,
}

/// One thing that happened, without a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// What happened.
    pub kind: Said,
    /// [`Kind::class`](super::Kind::class), but for groups and grants that the policy rests on.
    pub class: Class,
    /// To what.
    pub subject: Option<Subject>,
    /// Memberships that it changed.
    pub about: Vec<About>,
    /// Why.
    pub cause: Cause,
    /// Particulars without personal values.
    pub data: Text,
    /// Personal values, sealed.
    pub sealed: Option<String>,
}

/// What one unit of work did, in the order in which it did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Names what was saved as one.
    pub txn: String,
    /// Where it comes from.
    pub origin: Origin,
    /// How many records of the same unit came before, from elsewhere.
    pub first: i64,
    /// What it did.
    pub records: Vec<Record>,
}

impl Entry {
    /// The origin as JSON text, for the row that waits for its number.
    ///
    /// # Errors
    /// None in practice: everything in it is text and numbers.
    pub fn head_text(&self) -> Result<String, Error> {
        self.origin.text(self.first).ok_or(UNREADABLE)
    }

    /// The records as JSON text, for the row that waits for its number.
    ///
    /// # Errors
    /// None in practice: everything in it is text and numbers.
    pub fn records_text(&self) -> Result<String, Error> {
        serde_json::to_string(&self.records).map_err(|_| UNREADABLE)
    }

    /// Reads a row that waits for its number.
    ///
    /// # Errors
    /// When a text is not what [`Entry::head_text`] and [`Entry::records_text`] write: unknown members and words are
    /// refused, so that nothing that another release wrote is lost without a word. A kind that this one does not know is
    /// none of these: it is kept.
    pub fn read(at: Timestamp, txn: String, head: &str, records: &str) -> Result<Self, Error> {
        let (origin, first) = Origin::read(head).ok_or(UNREADABLE)?;
        let records = serde_json::from_str(records).map_err(|_| UNREADABLE)?;
        Ok(Self {
            at,
            txn,
            origin,
            first,
            records,
        })
    }
}

const UNREADABLE: Error = Error::Unreadable("entry");

/// Kind, row number, id.
type SubjectWire = (SubjectKind, Option<i64>, String);

impl From<Subject> for SubjectWire {
    fn from(subject: Subject) -> Self {
        (subject.kind, subject.pk.map(|pk| pk.0), subject.id)
    }
}

impl From<SubjectWire> for Subject {
    fn from((kind, pk, id): SubjectWire) -> Self {
        Self {
            kind,
            pk: pk.map(Pk),
            id,
        }
    }
}

/// Resource, group, turn: a record may have a thousand of them.
type AboutWire = (i64, i64, i64);

impl From<About> for AboutWire {
    fn from(about: About) -> Self {
        (about.resource.0, about.group.0, about.turn.number())
    }
}

impl TryFrom<AboutWire> for About {
    type Error = &'static str;

    fn try_from((resource, group, turn): AboutWire) -> Result<Self, Self::Error> {
        Ok(Self {
            resource: Pk(resource),
            group: Pk(group),
            turn: Turn::from_number(turn).ok_or("no such turn")?,
        })
    }
}
