//! A new resource (RFC 7644 §3.3).

use serde_json::Value;
use std::sync::Arc;

use super::attempt::attempts;
use super::draft::{content, differences, store_kind};
use super::membership;
use super::refuse;
use super::shown::{Relations, Shown};
use crate::base::clock::Timestamp;
use crate::base::id::{Pk, ResourceId};
use crate::scim::Document;
use crate::scim::dialect::Dialect;
use crate::scim::patch::MemberOp;
use crate::scim::project::View;
use crate::scim::schema::ResourceType;
use crate::scim::validate::{self, Incoming};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::{ledger, tolerances};
use crate::store::document::Content;
use crate::store::{self, Kind, Unit};

/// What an attempt needs, made ready once.
struct Plan {
    services: Services,
    caller: Caller,
    kind: Arc<ResourceType>,
    store_kind: Kind,
    id: ResourceId,
    incoming: Incoming,
    content: Content,
    /// Names of the attributes it starts with, for the ledger.
    names: Vec<String>,
    wants_members: bool,
}

impl Plan {
    fn joins_members(&self) -> bool {
        self.incoming
            .members
            .as_ref()
            .is_some_and(|members| !members.is_empty())
    }
}

/// Creates a resource of this type from the body of a POST.
///
/// # Errors
/// What breaks the schema, a member that does not exist, or a name that is taken.
pub async fn create(
    services: &Services,
    caller: &Caller,
    dialect: &Dialect,
    kind: &Arc<ResourceType>,
    body: Value,
    view: &View,
) -> Result<Shown> {
    let (body, applied) = dialect.create(kind, body);
    tolerances::note(services, caller, *dialect, &applied);
    let mut incoming = validate::create(kind, &body)?;
    refuse::password_unkept(&mut incoming.ignored, incoming.password.as_ref());
    tolerances::note_ignored(services, caller, &incoming.ignored);
    refuse::unless_countries(*dialect, &incoming.document)?;
    let mut names = differences(&Document::default(), &incoming.document);
    names.extend(incoming.external_id.is_some().then(|| "externalId".to_owned()));
    let plan = Arc::new(Plan {
        names,
        services: services.clone(),
        caller: caller.clone(),
        kind: Arc::clone(kind),
        store_kind: store_kind(kind)?,
        id: services.ids().next(),
        content: content(kind, *dialect, &incoming.document),
        incoming,
        wants_members: view.wants("members"),
    });
    attempts(|| attempt(Arc::clone(&plan))).await
}

async fn attempt(plan: Arc<Plan>) -> Result<Shown> {
    let Plan {
        services,
        caller,
        kind,
        content,
        ..
    } = &*plan;
    let mut unit = services.begin(caller).await?;
    // Read inside the unit, so that on one node the order of times is the order of changes.
    let now = services.clock().now();
    let new = store::resources::New {
        kind: plan.store_kind,
        id: &plan.id,
        connection: caller.connection_id(),
        external_id: plan.incoming.external_id.as_deref(),
        content,
        now,
    };
    // Written with the save, where nothing else has to be asked first: the writer is held half as long.
    let inserted = if plan.joins_members() {
        unit.resources().insert(new).await
    } else {
        unit.resources().insert_later(new).await
    };
    let pk = match inserted {
        Ok(pk) => pk,
        Err(error) => {
            // The holder of the name may be in a batch that is not on disk yet.
            unit.dismiss().await?;
            return Err(refuse::explain(services, caller, kind, &content.name_key, error).await);
        }
    };
    let joined = match join(&plan, &mut unit, pk, now).await {
        Ok(joined) => joined,
        Err(error) => return Err(refused(unit, error).await),
    };
    ledger::record(&mut unit, caller, now, &entry(&plan, pk, &joined));
    if let Err(error) = unit.save().await {
        return Err(refuse::explain(services, caller, kind, &content.name_key, error).await);
    }
    Ok(Shown {
        kind: Arc::clone(kind),
        id: plan.id.clone(),
        version: 1,
        created: now,
        modified: now,
        document: content.document.clone(),
        external_id: plan.incoming.external_id.clone(),
        relations: joined.relations,
        asked_for: plan.incoming.asked_for.clone(),
        ignored: plan.incoming.ignored.clone(),
    })
}

fn entry<'p>(plan: &'p Plan, pk: Pk, joined: &Joined) -> ledger::Entry<'p> {
    ledger::Entry {
        kind: match plan.store_kind {
            Kind::User => "user.created",
            Kind::Group => "group.created",
        },
        subject: (pk, &plan.id),
        data: ledger::changes(&plan.names, &joined.added, &[]),
    }
}

/// The members a new group starts with, and what the answer shows of them.
struct Joined {
    added: Vec<ResourceId>,
    relations: Relations,
}

async fn join(plan: &Plan, unit: &mut Unit, pk: Pk, now: Timestamp) -> Result<Joined> {
    if plan.store_kind == Kind::User {
        return Ok(Joined {
            added: Vec::new(),
            relations: Relations::Groups(Vec::new()),
        });
    }
    let mut joined = Joined {
        added: Vec::new(),
        relations: Relations::Members(Vec::new()),
    };
    if let Some(members) = plan.incoming.members.as_deref().filter(|_| plan.joins_members()) {
        joined.added = membership::apply(unit, pk, &[MemberOp::Add(members.to_vec())], now)
            .await?
            .added;
        if plan.wants_members {
            joined.relations = membership::in_unit(unit, pk, None).await?;
        }
    }
    Ok(joined)
}

/// Ends a unit that refuses: the answer waits until what it rests on is on disk.
pub(super) async fn refused(unit: Unit, error: Error) -> Error {
    match unit.dismiss().await {
        Ok(()) => error,
        Err(fault) => fault.into(),
    }
}
