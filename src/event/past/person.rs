//! One user.

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

use super::fold;
use super::gap::Gap;
use super::told::{Document, Sides, Told};
use crate::base::clock::Timestamp;
use crate::base::id::Pk;
use crate::event::image::GrantImage;
use crate::event::{Change, Changes, Seq};

/// Whether a user is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not yet.
    Unborn,
    /// Yes.
    There,
    /// Not any more.
    Deleted,
}

/// A user at a position.
#[derive(Debug, Clone)]
pub struct PersonPast {
    /// Row number: the same when they are restored.
    pub pk: Pk,
    /// Public id.
    pub id: String,
    standing: Standing,
    document: Document,
    called: BTreeMap<String, Value>,
    /// What each connection called them last, also one that calls them nothing any more.
    once: BTreeMap<String, Value>,
    /// What keeps them out, in the word of the log. It is told in clear, so it is known of who was erased, too.
    out: Option<String>,
    grants: BTreeMap<Seq, GrantImage>,
    /// Where each grant was given first.
    given: HashMap<String, Seq>,
    created: Timestamp,
    modified: Timestamp,
    version: i64,
    erased: bool,
    gaps: Vec<Gap>,
}

/// What connections call a user is no attribute of theirs.
const EXTERNAL_ID: &str = "externalId";

/// The attribute that says whether the account is active.
const ACTIVE: &str = "active";

/// The word for who is kept out where the log has no other.
const BY_SOURCE: &str = "deactivated_by_source";

impl PersonPast {
    /// Before anything happened.
    #[must_use]
    pub fn begin(pk: Pk, id: &str) -> Self {
        Self {
            pk,
            id: id.to_owned(),
            standing: Standing::Unborn,
            document: Document::new(),
            called: BTreeMap::new(),
            once: BTreeMap::new(),
            out: None,
            grants: BTreeMap::new(),
            given: HashMap::new(),
            created: Timestamp(0),
            modified: Timestamp(0),
            version: 0,
            erased: false,
            gaps: Vec::new(),
        }
    }

    /// Goes on by one event about this user.
    pub fn tell(&mut self, told: &Told<'_>) {
        let understood = match told.kind {
            "user.created" => self.begins(told),
            "user.updated" => self.changes(told),
            "user.deleted" => {
                self.standing = Standing::Deleted;
                Some(())
            }
            "user.restored" if told.says("into") => Some(()),
            "user.restored" => self.comes_back(told),
            "grant.created" | "grant.updated" => self.grant(told),
            "grant.deleted" => self.grant_ends(told),
            // Whoever is asked to come waits until they accept, which has an event of its own.
            "invitation.sent" => {
                if let Some(out) = &mut self.out {
                    "invited".clone_into(out);
                }
                Some(())
            }
            // It counts when nothing keeps them out any more, which has an event of its own.
            "user.source_noted" => Some(()),
            kind if kind.starts_with("user.") => self.turns(told),
            _ => Some(()),
        };
        if understood.is_none() {
            self.gaps.push(fold::gap(told));
        }
    }

    /// Whether they are there.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// What is known of them, without `externalId`.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// What connections call them, by the names of the connections.
    #[must_use]
    pub const fn called(&self) -> &BTreeMap<String, Value> {
        &self.called
    }

    /// Whether the account is active.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.standing == Standing::There && self.out.is_none()
    }

    /// The word of the log for what they are: `active`, `suspended`, `deactivated_by_source` …
    #[must_use]
    pub fn status(&self) -> &str {
        match self.standing {
            Standing::Unborn => "unborn",
            Standing::Deleted => "deleted",
            Standing::There => self.out.as_deref().unwrap_or("active"),
        }
    }

    /// Their own grants, oldest first, each with where it was given.
    pub fn grants(&self) -> impl Iterator<Item = (Seq, &GrantImage)> {
        self.grants.iter().map(|(first, image)| (*first, image))
    }

    /// When they were made, when they changed last, and their version.
    #[must_use]
    pub const fn meta(&self) -> (Timestamp, Timestamp, i64) {
        (self.created, self.modified, self.version)
    }

    /// Whether values of theirs cannot be read any more.
    #[must_use]
    pub const fn is_erased(&self) -> bool {
        self.erased
    }

    /// What could not be understood.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    fn begins(&mut self, told: &Told<'_>) -> Option<()> {
        self.standing = Standing::There;
        self.created = told.at;
        self.document.clear();
        self.out = told.read(ACTIVE).and_then(kept_out);
        self.changes(told)
    }

    fn changes(&mut self, told: &Told<'_>) -> Option<()> {
        let called = self.written(told)?;
        called
            .iter()
            .try_for_each(|change| self.is_called(told.connection, change))
    }

    /// What is written of them; gives what is changed of what a connection calls them, which is kept beside the document.
    fn written(&mut self, told: &Told<'_>) -> Option<Vec<Change>> {
        self.modified = told.at;
        if let Some(version) = told.read("version") {
            self.version = version;
        }
        let sides = match &told.sides {
            Sides::None => return Some(Vec::new()),
            Sides::Erased => {
                self.erased = true;
                return Some(Vec::new());
            }
            Sides::Damaged => return None,
            Sides::Open(sides) => sides,
        };
        let changes = Changes::read(sides).ok()?;
        changes.forward(&mut self.document);
        self.document.shift_remove(EXTERNAL_ID);
        if changes.iter().any(|change| change.path == ACTIVE) {
            let says = self.document.get(ACTIVE).and_then(Value::as_bool);
            self.out = says.and_then(kept_out).map(|out| self.out.take().unwrap_or(out));
        }
        let called = changes.iter().filter(|change| change.path == EXTERNAL_ID);
        Some(called.cloned().collect())
    }

    fn is_called(&mut self, connection: Option<&str>, change: &Change) -> Option<()> {
        let connection = match connection {
            Some(connection) => connection.to_owned(),
            None => self.whose(change)?,
        };
        match &change.after {
            Some(id) => {
                self.once.insert(connection.clone(), id.clone());
                self.called.insert(connection, id.clone());
            }
            None => drop(self.called.remove(&connection)),
        }
        Some(())
    }

    /// Whose name for them it is that is taken back, where the connection does not say so itself: known only where a
    /// single one calls them so, or was the last to.
    fn whose(&self, change: &Change) -> Option<String> {
        let mut found = self.once.iter().filter(|(connection, last)| {
            let called = self.called.get(*connection);
            called == change.before.as_ref() && (called.is_some() || change.after.as_ref() == Some(*last))
        });
        let (connection, _) = found.next()?;
        found.next().is_none().then(|| connection.clone())
    }

    /// Connections that are named call them what they did, as far as the event does not say it itself; what the log has
    /// sealed of that is known from before.
    fn comes_back(&mut self, told: &Told<'_>) -> Option<()> {
        self.standing = Standing::There;
        self.document.clear();
        let written = self.written(told);
        let status: String = told.read("status")?;
        self.out = Some(status).filter(|to| to != "active");
        let called = written?;
        let again: Vec<String> = told.read("called_by")?;
        self.called.retain(|connection, _| again.contains(connection));
        // Whoever brings them back may call them something else by now.
        let by = told.connection.filter(|by| again.iter().any(|name| name == by));
        if let Some((by, change)) = by.zip(called.first()) {
            self.is_called(Some(by), change)?;
        }
        (self.erased || self.called.len() == again.len()).then_some(())
    }

    /// Whatever says what they are from now on.
    fn turns(&mut self, told: &Told<'_>) -> Option<()> {
        if told.says("to") {
            let to: String = told.read("to")?;
            self.out = Some(to).filter(|to| to != "active");
        }
        if let Some(version) = told.read("version") {
            self.version = version;
        }
        Some(())
    }

    fn grant(&mut self, told: &Told<'_>) -> Option<()> {
        let image: GrantImage = told.whole()?;
        let first = *self.given.entry(image.grant.clone()).or_insert(told.seq);
        self.grants.insert(first, image);
        Some(())
    }

    fn grant_ends(&mut self, told: &Told<'_>) -> Option<()> {
        let grant: String = told.read("grant")?;
        self.grants.remove(self.given.get(&grant)?)?;
        Some(())
    }
}

/// What an account is that is active or not, where nothing else is said of it.
fn kept_out(active: bool) -> Option<String> {
    (!active).then(|| BY_SOURCE.to_owned())
}
