//! What a tombstone had is given back: memberships and grants, as far as they can be.

use super::restore::LeftOut;
use crate::access::invariant::by_rules;
use crate::base::id::{Pk, ResourceId, Version};
use crate::event::set::VIA_RESTORE;
use crate::service::access::invariants;
use crate::service::access::policy::{self, Book};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::ledger::{self, What};
use crate::service::told;
use crate::store::access::told::Telling;
use crate::store::lifecycle::restore::{GrantsBack, Heir};
use crate::store::lifecycle::tombstones::Tombstone;
use crate::store::{Kind, Unit};

/// Memberships and grants on their way back.
pub(in crate::service) struct GivingBack<'a> {
    pub(in crate::service) services: &'a Services,
    pub(in crate::service) caller: &'a Caller,
    pub(in crate::service) heir: Heir,
    /// Id and version of who gets them.
    pub(in crate::service) id: &'a ResourceId,
    pub(in crate::service) version: Version,
    /// The policy, which the unit has locked.
    pub(in crate::service) book: &'a Book,
}

impl GivingBack<'_> {
    /// Gives everything back that can be; says what cannot, beyond [`gone`].
    pub(super) async fn all(&self, unit: &mut Unit) -> Result<Vec<LeftOut>> {
        let mut left_out = self.join(unit).await?;
        if self.heir.kind == Kind::Group {
            left_out.extend(self.gather(unit).await?);
        }
        left_out.extend(self.hold(unit).await?);
        Ok(left_out)
    }

    /// Puts it into the groups that it was in; but nobody is put into a smart group by hand.
    pub(in crate::service) async fn join(&self, unit: &mut Unit) -> Result<Vec<LeftOut>> {
        let groups = unit.tombstones().groups(self.heir.tomb).await?;
        let smart: Vec<Pk> = groups.into_iter().filter(|group| self.is_smart(*group)).collect();
        for (group, id, version) in unit.tombstones().join_again(self.heir, &smart).await? {
            let about = ledger::moves(group, &[self.heir.to], &[]);
            let data = ledger::changes(&[], Some(version), std::slice::from_ref(self.id), &[]);
            self.tell_moved(unit, (group, &id), (about, data));
        }
        let known = &self.book.rulebook.policy().groups;
        let left = known.iter().filter(|group| smart.contains(&group.pk));
        Ok(left
            .map(|group| LeftOut {
                what: "membership",
                id: group.id.clone(),
                why: given_by_rules(&group.display),
            })
            .collect())
    }

    /// Gives a group its members.
    async fn gather(&self, unit: &mut Unit) -> Result<Vec<LeftOut>> {
        if self.is_smart(self.heir.to) {
            let known = &self.book.rulebook.policy().groups;
            let name = known.iter().find(|group| group.pk == self.heir.to);
            let why = given_by_rules(name.map_or("", |group| &group.display));
            let members = unit.tombstones().members_there(self.heir).await?;
            let left = |id| LeftOut {
                what: "membership",
                id,
                why: why.clone(),
            };
            unit.tombstones().reach_again(self.heir, &[]).await?;
            return Ok(members.into_iter().map(left).collect());
        }
        let members = unit.tombstones().gather_again(self.heir).await?;
        unit.tombstones().reach_again(self.heir, &members).await?;
        if members.is_empty() {
            return Ok(Vec::new());
        }
        let (pks, ids): (Vec<Pk>, Vec<ResourceId>) = members.into_iter().unzip();
        let comes_back = self.heir.to == self.heir.tomb;
        let version = if comes_back {
            self.version
        } else {
            unit.resources().touch(self.heir.to, self.version, self.heir.now)
        };
        let about = ledger::moves(self.heir.to, &pks, &[]);
        let mut data = ledger::changes(&[], Some(version), &ids, &[]);
        if comes_back {
            data["via"] = VIA_RESTORE.into();
        }
        self.tell_moved(unit, (self.heir.to, self.id), (about, data));
        Ok(Vec::new())
    }

    /// Gives it its grants. One that makes an administrator for a while comes back only where somebody is one for good.
    pub(in crate::service) async fn hold(&self, unit: &mut Unit) -> Result<Vec<LeftOut>> {
        let Heir { now, tomb, kind, .. } = self.heir;
        let mut given = unit.tombstones().hold_again(self.heir, GrantsBack::Lasting).await?;
        let passing = unit.tombstones().passing(tomb).await?;
        let mut left_out = Vec::new();
        if !passing.is_empty() {
            if let Err(violation) = invariants::founded(unit, now).await? {
                left_out.extend(passing.into_iter().map(|id| LeftOut {
                    what: "grant",
                    id,
                    why: violation.to_string(),
                }));
            } else {
                given.extend(unit.tombstones().hold_again(self.heir, GrantsBack::Passing).await?);
            }
        }
        for grant in unit.grants().told(Telling::Ids(&given)).await? {
            told::given(unit, self.caller, now, &grant);
        }
        if kind == Kind::Group
            && !given.is_empty()
            && let Err(violation) = invariants::founded(unit, now).await?
        {
            // Nobody is an administrator for good. What a smart group holds, rules may give to others.
            let shared = unit.policy().load().await?;
            if by_rules(&policy::read(self.services, self.caller, shared)?.0) {
                return Err(Error::Violated(violation));
            }
        }
        Ok(left_out)
    }

    fn is_smart(&self, group: Pk) -> bool {
        self.book.rulebook.is_smart(group)
    }

    fn tell_moved(
        &self,
        unit: &mut Unit,
        (group, id): (Pk, &ResourceId),
        (about, data): (Vec<crate::event::About>, serde_json::Value),
    ) {
        let entry = ledger::Entry {
            what: What::GroupUpdated,
            subject: (Kind::Group, group, id),
            about,
            data,
            changes: None,
            reason: None,
            person: None,
        };
        ledger::record(unit, self.caller, self.heir.now, entry);
    }
}

fn given_by_rules(name: &str) -> String {
    format!("rules say who is in `{name}`")
}

/// What does not come back because the other end is gone, and why.
pub(in crate::service) async fn gone(unit: &mut Unit, tomb: &Tombstone) -> Result<Vec<LeftOut>> {
    let mut tombstones = unit.tombstones();
    let grants = tombstones.grants_left_out(tomb.pk).await?;
    let members = tombstones.members_left_out(tomb.pk).await?;
    let names = tombstones.names_left_out(tomb.pk).await?;
    let left = |what, why: fn(&str) -> String| {
        move |(id, name): (String, String)| LeftOut {
            what,
            why: why(&name),
            id,
        }
    };
    let grants = grants
        .into_iter()
        .map(left("grant", |gone| format!("its {gone} is gone")));
    let members = members
        .into_iter()
        .map(left("membership", |name| format!("`{name}` was deleted")));
    let names = names.into_iter().map(left("external_id", |connection| {
        format!("the connection `{connection}` calls another one so")
    }));
    Ok(grants.chain(members).chain(names).collect())
}
