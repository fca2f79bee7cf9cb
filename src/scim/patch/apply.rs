//! Running the operations and judging the result.

use serde_json::{Map, Value};
use std::ops::Range;

use super::draft::Draft;
use super::members::MemberOp;
use super::operation::run;
use super::request::{PatchRequest, Verb, numbered};
use crate::base::secret::Secret;
use crate::scim::schema::ResourceType;
use crate::scim::validate::{ReadOnly, carry_schemas, faults, password, size, take_text, user_name};
use crate::scim::{Document, Error};

/// How an operation ended; a refused one refuses the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OpOutcome {
    /// It asks for what is so already.
    AlreadyTrue,
    /// It touches members alone: the store knows whether that changes anything.
    AskStore,
    /// It changed the resource.
    Applied,
}

/// How an operation of a request that was done ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// What became of it.
    pub outcome: OpOutcome,
    /// Which of [`Patched::members`] it asks for.
    pub members: Range<usize>,
    /// How many names in it mean nothing.
    pub ignored: usize,
}

/// What a PATCH makes of a resource.
#[derive(Debug)]
pub struct Patched {
    /// The new attributes.
    pub document: Document,
    /// The new `externalId`.
    pub external_id: Option<String>,
    /// Whether document or `externalId` differ from before; members and password not counted.
    pub changed: bool,
    /// What to do with the members of a group, in this order.
    pub members: Vec<MemberOp>,
    /// A password to set.
    pub password: Option<Secret<String>>,
    /// One for each operation.
    pub ended: Vec<Ended>,
    /// Names in values that mean nothing.
    pub ignored: Vec<String>,
    /// Canonical paths given a value that are shown on request only: the answer shows them (RFC 7643 §7).
    pub asked_for: Vec<String>,
    /// Canonical paths of what was spoken of and is never returned: whether it was so before is told to nobody.
    pub secrets: Vec<String>,
}

/// Applies a PATCH to what is stored. Each operation sees the result of the one before it; an error means that nothing
/// happened.
///
/// # Errors
/// `invalidPath`, `invalidFilter`, `invalidValue`, `mutability` or `noTarget`, as RFC 7644 §3.5.2 and Table 9 have it.
pub fn apply(
    ty: &ResourceType,
    request: &PatchRequest,
    stored: &Document,
    external_id: Option<&str>,
) -> Result<Patched, Error> {
    let mut draft = Draft::new(ty, stored, external_id);
    draft.lenient = request.lenient;
    let mut ended = Vec::with_capacity(request.operations.len());
    for (index, operation) in request.operations.iter().enumerate() {
        let (first, secrets) = (draft.member_ops.len(), draft.cleaner.secrets.len());
        let ignored = draft.cleaner.ignored_times;
        draft.cleaner.read_only = match operation.verb {
            // What a value selects is not written.
            Verb::Remove => ReadOnly::Skipped,
            Verb::Add | Verb::Replace if request.lenient => ReadOnly::LeftOut,
            Verb::Add | Verb::Replace => ReadOnly::Refused,
        };
        let mut outcome =
            run(&mut draft, operation).map_err(|error| numbered(error, index, request.operations.len()))?;
        // Another answer would tell a right guess from a wrong one.
        if draft.cleaner.secrets.len() > secrets {
            outcome = OpOutcome::Applied;
        }
        ended.push(Ended {
            outcome,
            members: first..draft.member_ops.len(),
            ignored: draft.cleaner.ignored_times - ignored,
        });
    }
    let Draft {
        mut attributes,
        cleaner,
        member_ops,
        ..
    } = draft;
    let new_id = take_text(&mut attributes, "externalId");
    let password = password(ty, &mut attributes)?;
    let differs = differs(&attributes, stored.as_map());
    if differs {
        judge(ty, &attributes, stored.as_map())?;
    }
    Ok(Patched {
        changed: differs || new_id.as_deref() != external_id,
        document: if differs {
            carry_schemas(ty, attributes)
        } else {
            stored.clone()
        },
        external_id: new_id,
        members: member_ops,
        password,
        ended,
        ignored: cleaner.ignored,
        asked_for: cleaner.asked_for,
        secrets: cleaner.secrets,
    })
}

/// Whether the attributes are others than those stored; `schemas` follows from them and is not compared.
fn differs(new: &Map<String, Value>, old: &Map<String, Value>) -> bool {
    let known = old.len() - usize::from(old.contains_key("schemas"));
    known != new.len() || new.iter().any(|(name, value)| old.get(name) != Some(value))
}

/// Refuses a result that lacks what a resource must have. What was lacking before, because the schema has changed
/// since, is not held against a request about something else.
fn judge(ty: &ResourceType, new: &Map<String, Value>, old: &Map<String, Value>) -> Result<(), Error> {
    let missing = faults(ty, new);
    if !missing.is_empty() {
        let before = faults(ty, old);
        if let Some(path) = missing.iter().find(|path| !before.contains(path)) {
            return Err(Error::invalid_value(format!("`{path}` is required")));
        }
    }
    size(new)?;
    if new.get("userName") == old.get("userName") {
        Ok(())
    } else {
        user_name(ty, new)
    }
}
