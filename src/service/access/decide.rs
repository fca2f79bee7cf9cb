//! May this user do that, here, now? One read from the database an answer.
//!
//! No answer is kept: the moment a deactivation is on disk, every node says no.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::authority::{self, require};
use super::gather;
use super::names::ALL;
use super::policy::{self, Book};
use crate::access::explain::explain;
use crate::access::{self, RecordRef, Target};
use crate::base::clock::Timestamp;
use crate::base::fold;
use crate::base::id::{ResourceId, ScopeKey};
use crate::service::context::{Authority, Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::access::facts::{DecisionRow, UserKey};
use std::sync::Arc;

/// Most questions of one request.
pub const MAX_QUESTIONS: usize = 1000;

/// What a question is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Resource {
    /// The organisation as a whole, by the slug of the tenant.
    Tenant(String),
    /// A scope, by its id; `all` is the organisation.
    Scope(String),
    /// A record of the product.
    Record {
        /// Its kind.
        kind: String,
        /// Its id.
        id: String,
        /// What restrictions of grants ask about.
        properties: Map<String, Value>,
    },
}

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Id or `userName` of the user.
    pub subject: String,
    /// Key of the permission.
    pub action: String,
    /// What it is about.
    pub resource: Resource,
    /// Whether the answer is to say why.
    pub detail: Detail,
}

/// How much an answer says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Detail {
    /// Whether the user may.
    #[default]
    Decision,
    /// Why, too: every way there is, or the nearest reasons why not.
    Reason,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether the user may.
    pub decision: bool,
    /// Why not, where nothing had to be decided.
    pub reason: Option<Nothing>,
    /// Why, as a tree of text, where the question asks for it and something had to be decided.
    pub explanation: Option<String>,
    /// Version of the policy that decided.
    pub policy_version: Option<i64>,
}

/// Why the answer is no before anything is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nothing {
    /// There is no such user.
    NoUser,
    /// The user is not active.
    NotActive,
    /// There is no such permission; this one looks like it.
    NoPermission(Option<String>),
    /// There is no such scope, or the tenant is another.
    NoResource,
}

impl Nothing {
    /// In words.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::NoUser => "there is no such user".to_owned(),
            Self::NotActive => "the user is not active".to_owned(),
            Self::NoPermission(None) => "there is no such permission".to_owned(),
            Self::NoPermission(Some(near)) => format!("there is no such permission; did you mean `{near}`?"),
            Self::NoResource => "there is no such resource".to_owned(),
        }
    }
}

/// Answers one question.
///
/// # Errors
/// `Forbidden` for a user that asks about another without seeing users; a record that cannot be one.
pub async fn evaluation(services: &Services, caller: &Caller, question: &Question) -> Result<Answer> {
    if question.detail == Detail::Reason {
        let mut answers = evaluations(services, caller, std::slice::from_ref(question)).await?;
        return answers.pop().ok_or(Error::NotFound);
    }
    may_ask(services, caller, [question.subject.as_str()]).await?;
    let record = record_of(&question.resource)?;
    let found = subject(services, caller, &question.subject, record.as_ref()).await?;
    let asked = Asked {
        question,
        record: record.as_ref(),
        scopes: found
            .as_ref()
            .map(|(row, _)| row.record_scopes.as_slice())
            .unwrap_or_default(),
    };
    Ok(answer(caller, found.as_ref(), &asked, services.clock().now()))
}

/// Whether a question can be asked at all: one of many is told so alone.
///
/// # Errors
/// `Invalid` for a record that cannot be one.
pub fn check(question: &Question) -> Result<()> {
    record_of(&question.resource).map(drop)
}

/// Answers many questions, in their order, all for one instant. What they have in common is read once.
///
/// # Errors
/// As [`evaluation`] for any of them, see [`check`], and more than [`MAX_QUESTIONS`].
pub async fn evaluations(services: &Services, caller: &Caller, questions: &[Question]) -> Result<Vec<Answer>> {
    if questions.len() > MAX_QUESTIONS {
        return Err(Error::invalid(
            "/evaluations",
            format!("at most {MAX_QUESTIONS} at once"),
        ));
    }
    may_ask(
        services,
        caller,
        questions.iter().map(|question| question.subject.as_str()),
    )
    .await?;
    let records = questions
        .iter()
        .map(|question| record_of(&question.resource))
        .collect::<Result<Vec<_>>>()?;
    let now = services.clock().now();
    let all: Vec<_> = questions.iter().zip(&records).enumerate().collect();
    let users: BTreeSet<&str> = questions.iter().map(|question| question.subject.as_str()).collect();
    let users: Vec<&str> = users.into_iter().collect();
    let mut answers = BTreeMap::new();
    // Users with those who report to them are many: what is known of some is dropped before others are read.
    for some in users.chunks(gather::users_at_once(services, caller).await?) {
        let about = |question: &Question| some.binary_search(&question.subject.as_str()).is_ok();
        let theirs: Vec<_> = all.iter().filter(|(_, (question, _))| about(question)).collect();
        let found = gathered(services, caller, theirs.iter().map(|(_, asked)| *asked)).await?;
        for (at, (question, record)) in theirs {
            let record = record.as_ref();
            let scopes = found.scopes(record);
            let asked = Asked {
                question,
                record,
                scopes,
            };
            answers.insert(*at, answer(caller, found.user(&question.subject), &asked, now));
        }
    }
    Ok(answers.into_values().collect())
}

/// What these questions need.
async fn gathered<'q>(
    services: &Services,
    caller: &Caller,
    asked: impl Iterator<Item = (&'q Question, &'q Option<RecordRef>)> + Clone,
) -> Result<gather::Found> {
    let users = asked.clone().map(|(question, _)| question.subject.as_str());
    let records = asked.clone().filter_map(|(_, record)| record.as_ref());
    let mut found = gather::subjects(services, caller, users, records).await?;
    let explained = asked.filter(|(question, _)| question.detail == Detail::Reason);
    let explained = explained.map(|(question, _)| question.subject.as_str());
    gather::with_paths(services, caller, &mut found, explained).await?;
    Ok(found)
}

/// A question, the record it is about, and where that lies.
struct Asked<'a> {
    question: &'a Question,
    record: Option<&'a RecordRef>,
    scopes: &'a [ScopeKey],
}

/// What a decision needs.
pub(super) type Subject = (DecisionRow, Arc<Book>);

/// Lets pass who may know what others may do; a user may ask about themselves.
pub(super) async fn may_ask<'s>(
    services: &Services,
    caller: &Caller,
    subjects: impl IntoIterator<Item = &'s str>,
) -> Result<()> {
    if let Authority::User(own) = caller.authority()
        && subjects.into_iter().all(|subject| subject == own)
    {
        return Ok(());
    }
    require(services, caller, &[authority::VIEW]).await?;
    Ok(())
}

/// Characters of an id that Muster gives.
const ID_LENGTH: usize = 36;

/// Whether a text looks like an id; a `userName` that does is found as a second thought.
pub(super) fn looks_like_id(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    text.len() == ID_LENGTH
        && text.bytes().enumerate().all(|(at, byte)| {
            if dashes.contains(&at) {
                byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
}

/// A user by id or `userName`, with the policy that goes with them.
pub(super) async fn subject(
    services: &Services,
    caller: &Caller,
    who: &str,
    record: Option<&RecordRef>,
) -> Result<Option<Subject>> {
    if looks_like_id(who) {
        let id = ResourceId::new(who);
        let found = policy::facts(services, caller, UserKey::Id(&id), record).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    let name = fold::user_name_key(who);
    policy::facts(services, caller, UserKey::Name(&name), record).await
}

fn record_of(resource: &Resource) -> Result<Option<RecordRef>> {
    match resource {
        Resource::Record { kind, id, .. } => Ok(Some(super::names::record("/resource", kind, id)?)),
        Resource::Tenant(_) | Resource::Scope(_) => Ok(None),
    }
}

/// The target a resource means; none when there is no such scope or tenant.
pub(super) fn target<'a>(
    caller: &Caller,
    book: &Book,
    resource: &'a Resource,
    record: Option<&'a RecordRef>,
    scopes: &'a [ScopeKey],
) -> Option<Target<'a>> {
    match (resource, record) {
        (Resource::Tenant(slug), _) => (slug == caller.tenant_slug()).then_some(Target::Organisation),
        (Resource::Scope(id), _) if id == ALL => Some(Target::Organisation),
        (Resource::Scope(id), _) => book.scope_of(id).map(Target::Scope),
        (Resource::Record { properties, .. }, Some(record)) => Some(Target::Record {
            record,
            scopes,
            properties,
        }),
        (Resource::Record { .. }, None) => None,
    }
}

fn answer(caller: &Caller, found: Option<&Subject>, asked: &Asked<'_>, now: Timestamp) -> Answer {
    let question = asked.question;
    let no = |reason| Answer {
        decision: false,
        reason: Some(reason),
        explanation: None,
        policy_version: None,
    };
    let Some((row, book)) = found else {
        return no(Nothing::NoUser);
    };
    let catalogue = book.rulebook.catalogue();
    let permission = match catalogue.get(&question.action) {
        Ok(permission) => permission,
        Err(unknown) => return no(Nothing::NoPermission(unknown.nearest)),
    };
    let Some(target) = target(caller, book, &question.resource, asked.record, asked.scopes) else {
        return no(Nothing::NoResource);
    };
    let decision = access::decide(&row.facts, &book.rulebook, now, permission, &target);
    let told = question.detail == Detail::Reason;
    let told = told.then(|| explain(&row.facts, &book.rulebook, now, Some(permission), &target).to_string());
    Answer {
        decision: decision.allowed,
        reason: (!decision.active).then_some(Nothing::NotActive),
        explanation: told,
        policy_version: Some(decision.version),
    }
}

/// Everything a user may do on a resource: keys in the order of the catalogue.
///
/// # Errors
/// As [`evaluation`].
pub async fn actions(services: &Services, caller: &Caller, who: &str, resource: &Resource) -> Result<Vec<String>> {
    may_ask(services, caller, [who]).await?;
    let record = record_of(resource)?;
    let Some((row, book)) = subject(services, caller, who, record.as_ref()).await? else {
        return Ok(Vec::new());
    };
    let Some(target) = target(caller, &book, resource, record.as_ref(), &row.record_scopes) else {
        return Ok(Vec::new());
    };
    let now = services.clock().now();
    Ok(book.keys(access::permissions(&row.facts, &book.rulebook, now, &target)))
}
