//! A client takes back what it asked for: a request that the fuse holds, and that a later word of the same client
//! contradicts, is thrown away. The last word of a source counts, as it does without a fuse.

use std::collections::HashSet;

use serde_json::json;

use super::hold::{self, Standing};
use super::parked::{Kept, Verb};
use super::plan::Planned;
use super::write::{Next, Says, Target};
use crate::access::fuse::Harm;
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk, ResourceId};
use crate::scim::Document;
use crate::scim::patch::{self, MemberOp};
use crate::scim::schema::ResourceType;
use crate::service::ledger::{self, Thing, What};
use crate::store::access::pendings::HeldRequest;
use crate::store::{self, Unit};

/// Held requests that are looked at together.
const AT_ONCE: u32 = 500;

/// What a request that is done says of a resource about which others are held.
pub(super) struct Word {
    connection: ConnectionId,
    resource: (Pk, ResourceId),
    document: Document,
    /// What it speaks of.
    says: Says,
    /// It takes a user for active.
    active: bool,
    /// It ends an account or takes members out, and says nothing else.
    only_takes_away: bool,
    /// It says who is in the group.
    says_members: bool,
    /// Whom it puts into the group.
    added: HashSet<ResourceId>,
}

impl Word {
    /// `None` where nothing is held, or somebody else speaks than who sent it.
    pub(super) fn of(target: &Target, planned: &Planned) -> Option<Self> {
        let connection = target.caller.connection_id()?;
        let Planned { stored, next, .. } = planned;
        // What is settled by somebody else, or put back in an undo, is no word of the client.
        if !stored.held_back || target.caller.is_settling() || target.caller.takes_back() {
            return None;
        }
        let is_active = next.document.as_map().get("active") != Some(&json!(false));
        let says = planned.standing.as_ref().map_or(is_active, Standing::says);
        Some(Self {
            connection,
            resource: (stored.pk, stored.id.clone()),
            document: next.document.clone(),
            says: next.says,
            active: next.says.active && says,
            only_takes_away: !next.says.whole && only_takes_away(next, says),
            says_members: next.members.iter().any(|one| matches!(one, MemberOp::ReplaceAll(_))),
            added: added(&next.members),
        })
    }

    /// Throws away what it contradicts, in the unit that does what it says; whether there was anything.
    pub(super) async fn settle(&self, target: &Target, unit: &mut Unit, now: Timestamp) -> store::Result<bool> {
        let (pk, id) = &self.resource;
        let (mut settled, mut after) = (false, 0);
        // About a user there are as many as there are ways of taking away; about a group as many as there are members.
        loop {
            let held = unit.pendings().held((*pk, self.connection), after, AT_ONCE).await?;
            let Some(last) = held.last() else { return Ok(settled) };
            after = last.number;
            let taken_back: Vec<String> = held
                .into_iter()
                .filter(|held| self.takes_back(&target.kind, held))
                .map(|held| held.id)
                .collect();
            for pending in unit.pendings().settle_all(&taken_back, "dismissed").await? {
                let data = json!({ "pending": pending, "resource": id.as_str(), "taken_back": true });
                let request = ledger::thing(Thing::Request, &pending);
                ledger::note(unit, &target.caller, now, (What::RequestDismissed, request), &data);
                settled = true;
            }
        }
    }

    /// Whether it contradicts a request that is held. One that cannot be read any more waits on, and will have failed.
    fn takes_back(&self, kind: &ResourceType, held: &HeldRequest) -> bool {
        match (serde_json::from_str::<Kept>(&held.request), Harm::parse(&held.what)) {
            (Ok(kept), Some(harm)) => self.contradicts(kind, &kept, harm),
            _ => false,
        }
    }

    fn contradicts(&self, kind: &ResourceType, kept: &Kept, harm: Harm) -> bool {
        match (kept.verb(), harm) {
            // What is spoken of is to be there, unless it is spoken of as of something that goes.
            (Verb::Delete, _) => !self.only_takes_away,
            // A newer whole.
            (Verb::Put, _) if self.says.whole => true,
            (_, Harm::Deactivations) => self.active,
            (_, Harm::Renames) => self.says.name,
            (_, Harm::Departures) => self.says.whole || self.brings_back(&removed(kind, kept, &self.document)),
            (_, Harm::Deletions) => false,
        }
    }

    /// Whether it puts all of these into the group, or says who is in it.
    fn brings_back(&self, removed: &[ResourceId]) -> bool {
        let adds = |id: &ResourceId| self.added.contains(id);
        self.says_members || !removed.is_empty() && removed.iter().all(adds)
    }
}

fn only_takes_away(next: &Next, is_active: bool) -> bool {
    let takes_out = |operation: &MemberOp| !matches!(operation, MemberOp::Add(_) | MemberOp::ReplaceAll(_));
    let of_active = |name: &String| name == hold::ATTRIBUTE;
    let off = next.says.active && !is_active;
    (off || !next.members.is_empty()) && next.members.iter().all(takes_out) && next.names.iter().all(of_active)
}

fn added(operations: &[MemberOp]) -> HashSet<ResourceId> {
    let refs = operations.iter().filter_map(|operation| match operation {
        MemberOp::Add(refs) => Some(refs),
        _ => None,
    });
    refs.flatten().map(|named| named.value.clone()).collect()
}

/// Whom a kept PATCH takes out of a group by name; nobody where it does so in another way.
fn removed(kind: &ResourceType, kept: &Kept, document: &Document) -> Vec<ResourceId> {
    let mut request = kept.body().and_then(|body| patch::parse(body).ok());
    // As it would be read again, or it would be taken for one that takes nobody out.
    if let Some(request) = &mut request {
        request.lenient = true;
    }
    let patched = request.and_then(|request| patch::apply(kind, &request, document, None).ok());
    let operations = patched.map(|patched| patched.members).unwrap_or_default();
    let named = |operation: &MemberOp| match operation {
        MemberOp::RemoveValues(ids) => Some(ids.clone()),
        MemberOp::Add(_) => Some(Vec::new()),
        MemberOp::RemoveWhere(_) | MemberOp::ReplaceAll(_) | MemberOp::Clear => None,
    };
    let named: Option<Vec<Vec<ResourceId>>> = operations.iter().map(named).collect();
    named.unwrap_or_default().concat()
}
