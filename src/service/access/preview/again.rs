//! Users who are compared once more, in the unit that makes the changes: whoever may have changed since everybody was.

use std::collections::HashMap;
use std::sync::Arc;
use tokio::task::spawn_blocking;

use super::everybody::{Page, Print, Records, Work, by_record, own_records};
use super::touched::Touched;
use crate::access::RuleBits;
use crate::base::id::Pk;
use crate::scim::Document;
use crate::service::derive::{self, Meta};
use crate::service::error::{Error, Result};
use crate::store::Unit;
use crate::store::access::facts::Detail;
use crate::store::document::Stored;

/// What everybody gains and loses, in short.
pub(super) struct Seen {
    work: Arc<Work>,
    /// Where the records lie that the policies name.
    shared: Arc<Records>,
    /// Of everybody for whom something changes, by row number.
    prints: Vec<(Pk, Print)>,
}

/// The refusal of changes that come to something else by now.
pub(super) fn moved() -> Error {
    Error::conflict("what the changes come to is not what the preview showed; make a new one")
}

impl Seen {
    /// `prints` in the order of row numbers.
    pub(super) fn new(work: Arc<Work>, shared: Arc<Records>, prints: Vec<(Pk, Print)>) -> Self {
        Self { work, shared, prints }
    }

    /// The version of the policy that is compared with.
    pub(super) fn policy_version(&self) -> i64 {
        self.work.book.rulebook.version()
    }

    /// Compares users again, as the unit sees them. The policy must be held, at the version that is compared with.
    ///
    /// # Errors
    /// `Conflict` when one of them gains or loses something else; `Stale` as of [`Touched::users`].
    pub(super) async fn compare(&self, unit: &mut Unit, touched: Touched) -> Result<()> {
        let users = touched.users(unit, &self.work, &self.shared).await?;
        if users.is_empty() {
            return Ok(());
        }
        let rows = unit.facts().of(&users, Detail::Decision).await?;
        let profiles = if self.work.trial.conditions.is_empty() {
            Vec::new()
        } else {
            unit.resources().users(&users).await?
        };
        let wanted = own_records(&rows);
        let lying = if wanted.is_empty() {
            Vec::new()
        } else {
            unit.records().scopes_of_each(&wanted).await?
        };
        let records = by_record(wanted, lying);
        let (work, shared) = (Arc::clone(&self.work), Arc::clone(&self.shared));
        let looking = spawn_blocking(move || {
            let bits = work.bits_of(&profiles)?;
            Ok::<_, Error>(work.look_at(Page { rows, bits, records }, &shared).prints)
        });
        let prints = looking.await.map_err(|fault| Error::Internal(Box::new(fault)))??;
        let now: HashMap<Pk, Print> = prints.into_iter().collect();
        let same = |user: &Pk| self.print(*user) == now.get(user);
        if users.iter().all(same) { Ok(()) } else { Err(moved()) }
    }

    fn print(&self, user: Pk) -> Option<&Print> {
        let found = self.prints.binary_search_by_key(&user, |(user, _)| *user);
        found.ok().map(|at| &self.prints[at].1)
    }
}

impl Work {
    /// Whether the policy that would be knows a group otherwise than by the facts of users.
    pub(super) fn knows(&self, group: Pk) -> bool {
        self.after.policy().groups.iter().any(|known| known.pk == group)
    }

    /// What profiles say of conditions that nobody has kept matches of: worked out as it is when they are written.
    fn bits_of(&self, profiles: &[Stored]) -> Result<HashMap<Pk, Vec<RuleBits>>> {
        let mut bits: HashMap<Pk, Vec<RuleBits>> = HashMap::new();
        for stored in profiles {
            let document = Document::from_stored(&stored.document).map_err(|fault| Error::Internal(Box::new(fault)))?;
            let meta = Meta {
                id: &stored.id,
                version: stored.version.0,
                created: stored.created,
                modified: stored.modified,
            };
            let whole = derive::whole(&document, &meta);
            for (rule, when) in &self.trial.conditions {
                let found = when.bits(&whole);
                if found != 0 {
                    bits.entry(stored.pk).or_default().push(RuleBits {
                        rule: *rule,
                        version: 1,
                        bits: found,
                    });
                }
            }
        }
        Ok(bits)
    }
}
