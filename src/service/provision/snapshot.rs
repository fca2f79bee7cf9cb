//! Everything there is, page by page, and the position of the log to go on from: who reads both misses nothing.

use super::read::shown;
use super::shown::Shown;
use crate::base::id::Pk;
use crate::scim::project::View;
use crate::service::access::authority::{VIEW, require};
use crate::service::access::page::Paging;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::log::{self, watch};
use crate::store::Kind;

/// What a snapshot is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Users.
    Users,
    /// Groups, without their members.
    Groups,
    /// Who is in which group, but for what rules give.
    Memberships,
}

/// Who is in which group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Id of the group.
    pub group: String,
    /// Id of who is in it.
    pub member: String,
    /// `User` or `Group`.
    pub kind: &'static str,
}

/// One thing of a snapshot.
#[derive(Debug, Clone)]
pub enum Item {
    /// A user or a group, without groups and members.
    Resource(Box<Shown>),
    /// A membership.
    Membership(Membership),
}

/// A page of a snapshot.
pub struct Snapshot {
    /// On the first page: the position of the log before anything was read. Whatever happened up to there is in the
    /// snapshot, and what happened after it may be, too.
    pub position: Option<i64>,
    /// In the order in which they were made.
    pub items: Vec<Item>,
    /// For `Paging::after`; none on the last page.
    pub next: Option<String>,
}

/// A page of everything of a kind that the caller's tenant has.
///
/// # Errors
/// `Forbidden`, a cursor that is none.
pub async fn snapshot(services: &Services, caller: &Caller, of: Of, paging: &Paging) -> Result<Snapshot> {
    require(services, caller, &[VIEW]).await?;
    let position = match paging.after {
        None => Some(position(services, caller).await?),
        Some(_) => None,
    };
    let (items, next) = match of {
        Of::Users => resources(services, caller, Kind::User, paging).await?,
        Of::Groups => resources(services, caller, Kind::Group, paging).await?,
        Of::Memberships => memberships(services, caller, paging).await?,
    };
    Ok(Snapshot { position, items, next })
}

/// Where the log ends once everything that was committed before is in it.
async fn position(services: &Services, caller: &Caller) -> Result<i64> {
    // What is not numbered within a second comes after this position, and is told by who follows from there.
    log::settled(services, caller).await?;
    Ok(watch::end(services, caller).await?.0)
}

type Found = (Vec<Item>, Option<String>);

async fn resources(services: &Services, caller: &Caller, kind: Kind, paging: &Paging) -> Result<Found> {
    let ty = caller.types().iter().find(|ty| ty.name() == kind.name());
    let ty = ty.ok_or_else(|| Error::Internal("there is no resource type of a stored kind".into()))?;
    let reader = services.read(caller);
    let rows = reader
        .resources()
        .after(kind, Pk(paging.after()?), paging.rows())
        .await?;
    let page = paging.cut(rows, |row| row.pk.0);
    let item = |row| Item::Resource(Box::new(shown(ty, row, &View::default(), None)));
    Ok((page.items.into_iter().map(item).collect(), page.next))
}

async fn memberships(services: &Services, caller: &Caller, paging: &Paging) -> Result<Found> {
    let after = match paging.after_text()?.as_str() {
        "" => Some((Pk(0), Pk(0))),
        text => read_place(text),
    };
    let after = after.ok_or_else(|| Error::invalid("/after", "`after` is not the `next` of a page"))?;
    let rows = services.read(caller).members().after(after, paging.rows()).await?;
    let page = paging.cut_text(rows, |row| format!("{}.{}", row.at.0, row.at.1));
    let items = page.items.into_iter().map(|row| {
        Item::Membership(Membership {
            group: row.group.into_string(),
            member: row.member.into_string(),
            kind: row.kind.name(),
        })
    });
    Ok((items.collect(), page.next))
}

/// Row numbers of a group and a member.
fn read_place(text: &str) -> Option<(Pk, Pk)> {
    let (group, member) = text.split_once('.')?;
    Some((Pk(group.parse().ok()?), Pk(member.parse().ok()?)))
}
