//! A change of the definitions of a tenant: looked at with all that is stored, then made as a whole, or not at all.

use serde_json::json;
use std::collections::HashSet;

use super::conditions::broken;
use super::definitions::{Definitions, Misfit};
use super::edit::{Asked, Edit, of_one, unusable};
use super::shown::{InTheWay, Preview};
use crate::scim::schema::{Registry, ResourceType};
use crate::service::access::authority::{SETTINGS, require};
use crate::service::access::desk::{Change, Desk, perform, rehearse};
use crate::service::context::{Caller, Services};
use crate::service::credentials;
use crate::service::error::{Error, Refusal, Result};
use crate::service::ledger;
use crate::store::Kind;

/// What a change is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be made.
    Make,
    /// To know what is in its way.
    Preview,
}

/// Attributes that a preview tells of, and resources of each.
const MOST_TOLD: usize = 20;
const MOST_NAMED: u32 = 20;

/// Changes the definitions of the caller's tenant, or tells what is in the way of that. When this returns every node goes
/// by the new ones.
///
/// # Errors
/// `Forbidden`; a definition that does not stand beside the others; `NotFound` for one to remove that is not there.
/// `Conflict` where something that is stored would be invalid, unless it is a preview.
pub async fn change(services: &Services, caller: &Caller, asked: Asked<'_>, purpose: Purpose) -> Result<Preview> {
    change_together(services, caller, &[asked], purpose).await
}

/// The same of several as one: all of them, or none. In which order they come makes no difference.
///
/// # Errors
/// As [`change`], with the definition that is meant; `Invalid` where one comes twice.
pub async fn change_together(
    services: &Services,
    caller: &Caller,
    asked: &[Asked<'_>],
    purpose: Purpose,
) -> Result<Preview> {
    require(services, caller, &[SETTINGS]).await?;
    let changing = Changing {
        edits: edits(asked)?,
        purpose,
    };
    match purpose {
        Purpose::Preview => rehearse(services, caller, changing).await,
        Purpose::Make => {
            let preview = perform(services, caller, changing).await?;
            if preview.changes {
                // Callers carry the schemas of their tenant as long as their token is remembered.
                credentials::until_everywhere(services).await;
            }
            Ok(preview)
        }
    }
}

fn edits(asked: &[Asked<'_>]) -> Result<Vec<Edit>> {
    if let [one] = asked {
        return Ok(vec![one.edit()?]);
    }
    let mut edits: Vec<Edit> = Vec::with_capacity(asked.len());
    let mut seen = HashSet::new();
    for one in asked {
        let edit = one.edit().map_err(|error| of_one(error, &one.named()))?;
        if !seen.insert(edit.named().to_ascii_lowercase()) {
            return Err(Error::Invalid(Refusal::new(format!(
                "{} is defined twice",
                edit.named()
            ))));
        }
        edits.push(edit);
    }
    Ok(edits)
}

struct Changing {
    edits: Vec<Edit>,
    purpose: Purpose,
}

impl Change for Changing {
    type Made = Preview;

    async fn make(&self, desk: &mut Desk) -> Result<Preview> {
        // Whoever writes a resource shares the policy, so nobody writes one while it is looked at what is stored.
        desk.unit.policy().hold().await?;
        let base = desk.services.vocabularies().base().clone();
        let own = desk.unit.schemas().load().await?;
        let before = Definitions::stored(&own)?;
        let mut after = before.clone();
        for edit in &self.edits {
            after = after.edited(edit)?;
        }
        let (old, new) = (
            before.salvage(&base, desk.caller.tenant()),
            after.after(&before, &base).map_err(|misfit| self.unfit(&misfit))?,
        );
        let mut preview = Preview {
            changes: before != after,
            ..Preview::default()
        };
        if !preview.changes {
            return Ok(preview);
        }
        look(desk, (&old, &new), &mut preview).await?;
        for edit in &self.edits {
            if let Edit::NoType(name) = edit
                && let Some(unserved) = before.unserved(&base, name)
            {
                of_type(desk, &unserved, None, &mut preview).await?;
            }
        }
        if let Some(first) = preview.first() {
            return match self.purpose {
                Purpose::Preview => Ok(preview),
                Purpose::Make => Err(Error::conflict(first)),
            };
        }
        for (what, key, text) in after.beside(&before) {
            desk.unit.schemas().put(what, &key, text, desk.now);
        }
        let kept = after.keys();
        for (what, key) in before.keys().into_iter().filter(|key| !kept.contains(key)) {
            desk.unit.schemas().remove(what, &key);
        }
        unique(desk, &old, &new).await?;
        desk.unit.schemas().bump();
        self.tell(desk, &before, &after);
        Ok(preview)
    }
}

impl Changing {
    /// What does not stand beside the others, by its name where something else was asked for, or more.
    fn unfit(&self, misfit: &Misfit) -> Error {
        let error = unusable(&misfit.fault);
        match &*self.edits {
            [one] if one.named().eq_ignore_ascii_case(&misfit.named) => error,
            _ => of_one(error, &misfit.named),
        }
    }

    /// Says in the log what is another one now.
    fn tell(&self, desk: &mut Desk, before: &Definitions, after: &Definitions) {
        for edit in &self.edits {
            let (was, is) = (before.told(edit), after.told(edit));
            if was == is && self.edits.len() > 1 {
                continue;
            }
            let (thing, id) = edit.subject();
            let mut data = json!({});
            for (name, told) in [("before", was), ("after", is)] {
                if let Some(told) = told {
                    data[name] = told;
                }
            }
            desk.note(edit.what(), ledger::thing(thing, id), &data);
        }
    }
}

/// What of what is stored would be invalid.
async fn look(desk: &mut Desk, (old, new): (&Registry, &Registry), preview: &mut Preview) -> Result<()> {
    for before in old.types() {
        of_type(desk, before, new.resource_type(before.name()), preview).await?;
    }
    if let (Some(before), Some(after)) = (old.resource_type("User"), new.resource_type("User")) {
        let shared = desk.unit.policy().load().await?;
        preview.conditions = broken(&shared, before, after);
    }
    Ok(())
}

/// The same of the resources of one type, which becomes another one, or nothing.
async fn of_type(
    desk: &mut Desk,
    before: &ResourceType,
    after: Option<&ResourceType>,
    preview: &mut Preview,
) -> Result<()> {
    let Some(kind) = Kind::of(before) else { return Ok(()) };
    for demand in before.demands(after) {
        if preview.in_the_way.len() == MOST_TOLD {
            return Ok(());
        }
        let (count, rows) = desk.unit.schemas().in_the_way(kind, &demand, MOST_NAMED).await?;
        if count > 0 {
            preview.in_the_way.push(InTheWay {
                resource_type: before.name().to_owned(),
                path: demand.path,
                reason: demand.why.to_owned(),
                count,
                first: rows.into_iter().map(|row| (row.id.into_string(), row.label)).collect(),
            });
        }
    }
    Ok(())
}

/// Has the index of values that must be unique say what the schemas say.
async fn unique(desk: &mut Desk, old: &Registry, new: &Registry) -> Result<()> {
    let (before, after) = (keys(old), keys(new));
    for key in before.iter().filter(|key| !after.contains(key)) {
        desk.unit.schemas().make_free(key).await?;
    }
    for ty in new.types() {
        let Some(kind) = Kind::of(ty) else { continue };
        let old = old.resource_type(ty.name());
        let is_new = |path: &&str| old.is_none_or(|old| old.unique_key(path).is_none());
        for path in ty.unique_paths().filter(is_new) {
            let key = ty.unique_key(path).unwrap_or(path);
            desk.unit.schemas().make_unique(kind, path, key).await?;
        }
    }
    Ok(())
}

/// Under which keys values must be unique.
fn keys(registry: &Registry) -> Vec<&str> {
    let of = |ty| ResourceType::unique_paths(ty).filter_map(|path| ty.unique_key(path));
    registry.types().iter().flat_map(of).collect()
}
