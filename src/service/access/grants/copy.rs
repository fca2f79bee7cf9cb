//! What somebody holds is given to somebody new.

use super::give::passing;
use crate::access::permission::{Permissions, Predefined};
use crate::access::{Reach, Subject};
use crate::base::id::{GrantKey, Pk};
use crate::service::access::desk::Desk;
use crate::service::access::policy::Book;
use crate::service::error::Result;
use crate::service::told;
use crate::store::access::grants::{StoredGrant, Wanted};
use crate::store::access::told::Telling;

/// The grants of a user or group that another one can be given.
pub(in crate::service) struct Copies(Vec<StoredGrant>);

impl Copies {
    /// Those that count now or will: all but ownership, which is one person's.
    pub(in crate::service) async fn of(desk: &mut Desk, from: Pk) -> Result<Self> {
        let wanted = Wanted {
            subject: Some(from),
            ..Wanted::default()
        };
        let mut found = desk.unit.grants().list(wanted, GrantKey(0), u32::MAX).await?;
        let now = desk.now;
        found.retain(|found| {
            let ended = found.grant.validity.to.is_some_and(|to| to <= now);
            found.grant.role != Predefined::Owner.key() && !ended
        });
        Ok(Self(found))
    }

    /// Everything that they permit, wherever.
    pub(in crate::service) fn permits(&self, book: &Book) -> Permissions {
        let roles = self.0.iter().map(|found| book.rulebook.permissions(found.grant.role));
        roles.fold(Permissions::NONE, |all, role| all | role)
    }

    /// Gives them to who is new in the unit of the desk, and says so in the log.
    pub(in crate::service) async fn give(self, desk: &mut Desk, to: Subject) -> Result<()> {
        let makes_admins = |found: &&StoredGrant| {
            let grant = &found.grant;
            grant.role == Predefined::Admin.key() && grant.reach == Reach::All && grant.restriction.is_empty()
        };
        let admins = self.0.iter().filter(makes_admins);
        // One that ends, if there is any: it is the one that has to be looked out for.
        if let Some(found) = admins.max_by_key(|found| found.grant.validity.to.is_some()) {
            passing(desk, to, found.grant.validity).await?;
        }
        let given: Vec<(GrantKey, String)> = self
            .0
            .iter()
            .map(|found| (found.grant.key, desk.services.ids().next().into_string()))
            .collect();
        let author = Desk::author(&desk.caller);
        desk.unit.grants().copy(to, &given, author.at(desk.now));
        drop(author);
        let ids: Vec<String> = given.into_iter().map(|(_, id)| id).collect();
        for told in desk.unit.grants().told(Telling::Ids(&ids)).await? {
            told::given(&mut desk.unit, &desk.caller, desk.now, &told);
        }
        Ok(())
    }
}
