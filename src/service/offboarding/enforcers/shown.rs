//! Enforcers, as administrators see them.

use super::tested::Tested;
use crate::base::clock::Timestamp;
use crate::base::id::ResourceId;
use crate::service::access::authority::{INTEGRATIONS, require};
use crate::service::access::page::{Page, Paging};
use crate::service::context::{Caller, Services};
use crate::service::delivery::secrets::{Of, Secrets};
use crate::service::error::{Error, Result};
use crate::service::offboarding::shown::read;
use crate::store::runs::enforcers::Enforcer as Row;

/// An enforcer: never its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enforcer {
    /// Its id.
    pub id: String,
    /// Unique in the organisation; the name of its steps.
    pub name: String,
    /// Where it is told to end everything of a person.
    pub url: String,
    /// Where it is asked what is still open; none where what it says is believed.
    pub probe: Option<String>,
    /// `active` or `paused`.
    pub state: &'static str,
    /// Steps of runs under way that wait for it.
    pub waiting: i64,
    /// Whether it is about to be tried.
    pub is_testing: bool,
    /// What came of the last trial.
    pub tested: Option<Tested>,
    /// Its secrets that count: id, when made, when it ends.
    pub secrets: Vec<(String, Timestamp, Option<Timestamp>)>,
    /// When it was made.
    pub created: Timestamp,
    /// How long it is given, in seconds; none where it is as long as all are.
    pub deadline_s: Option<u64>,
}

/// How it is known that an enforcer has nothing open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probing {
    /// It is asked there.
    At(String),
    /// It is not asked: what it says is believed.
    Believed,
}

impl Probing {
    /// Where it is asked.
    pub(super) fn url(&self) -> Option<&str> {
        match self {
            Self::At(url) => Some(url),
            Self::Believed => None,
        }
    }
}

/// Whose secrets they are.
pub(in crate::service::offboarding) const fn of<'a>(tenant: &'a str, id: &'a str) -> Of<'a> {
    Of { tenant, receiver: id }
}

/// The enforcers of the organisation, oldest first.
///
/// # Errors
/// `Forbidden`, a cursor that is none.
pub async fn list(services: &Services, caller: &Caller, paging: &Paging) -> Result<Page<Enforcer>> {
    require(services, caller, &[INTEGRATIONS]).await?;
    let reader = services.read(caller);
    let rows = reader.enforcers().list(paging.after()?, paging.rows()).await?;
    let waiting = reader.enforcers().waiting().await?;
    let tenant = services.tenant_uid(caller).await?;
    let page = paging.cut(rows, |row| row.id);
    let items = page
        .items
        .into_iter()
        .map(|row| shown(services, &tenant, row, &waiting));
    Ok(Page {
        items: items.collect::<Result<_>>()?,
        next: page.next,
    })
}

/// The enforcer of this id.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn find(services: &Services, caller: &Caller, id: &str) -> Result<Enforcer> {
    let row = row(services, caller, id).await?;
    let waiting = services.read(caller).enforcers().waiting().await?;
    shown(services, &services.tenant_uid(caller).await?, row, &waiting)
}

/// The enforcer of this id, as it is stored.
pub(super) async fn row(services: &Services, caller: &Caller, id: &str) -> Result<Row> {
    require(services, caller, &[INTEGRATIONS]).await?;
    let row = services.read(caller).enforcers().find(&ResourceId::new(id)).await?;
    row.ok_or(Error::NotFound)
}

/// As it is shown; `waiting`: steps that wait, by row number.
pub(super) fn shown(services: &Services, tenant: &str, row: Row, waiting: &[(i64, i64)]) -> Result<Enforcer> {
    let secrets = Secrets::open(services, of(tenant, row.uid.as_str()), &row.sealed)?;
    let waits = waiting.iter().find(|(id, _)| *id == row.id);
    Ok(Enforcer {
        secrets: secrets
            .shown(services.clock().now())
            .map(|one| (one.id.clone(), Timestamp(one.created), one.ends.map(Timestamp)))
            .collect(),
        id: row.uid.into_string(),
        name: row.name,
        url: row.url,
        probe: row.probe,
        state: row.state.as_str(),
        waiting: waits.map_or(0, |(_, count)| *count),
        is_testing: row.test_due.is_some(),
        tested: row.tested.as_deref().map(read).transpose()?,
        created: row.created,
        deadline_s: row.deadline_s.and_then(|lasts| u64::try_from(lasts).ok()),
    })
}
