//! An operation that can be done: everything that it speaks of has an id.

use serde_json::Value;
use std::sync::Arc;

use crate::base::id::ResourceId;
use crate::scim::bulk::{Asked, Name, resolve};
use crate::scim::dialect::{Applied, Dialect};
use crate::scim::project::View;
use crate::scim::schema::ResourceType;
use crate::scim::{self, Verb};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::provision::{self, Effect, IfMatch};
use crate::store::Together;

/// Who asks, and in which dialect.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) services: Services,
    pub(super) caller: Caller,
    pub(super) dialect: Dialect,
}

impl Door {
    /// The same for a part of something that is saved together.
    pub(super) fn within(&self, together: &Together) -> Self {
        Self {
            caller: self.caller.within(together),
            ..self.clone()
        }
    }

    /// The same for what was tried before.
    pub(super) fn again(&self) -> Self {
        Self {
            caller: self.caller.counted(),
            ..self.clone()
        }
    }
}

/// What came of an operation that was done.
#[derive(Debug, Clone)]
pub struct Came {
    /// Of what was made, changed or deleted.
    pub id: ResourceId,
    /// Its version; none of what is gone.
    pub version: Option<i64>,
    /// Names in the body that mean nothing here.
    pub ignored: Vec<String>,
    /// What became of each operation of a PATCH.
    pub effects: Vec<Effect>,
    /// The client habits that it needed.
    pub tolerated: Applied,
}

/// An operation that can be done.
#[derive(Clone)]
pub(super) struct Ready {
    verb: Verb,
    kind: Arc<ResourceType>,
    /// Of what is made: the id that it gets, where that was given out before.
    id: Option<ResourceId>,
    /// Of what is made: the hash of the password, where that was made before.
    hash: Option<String>,
    if_match: IfMatch,
    data: Value,
}

impl Ready {
    /// Puts ids in the place of names of what was made.
    ///
    /// # Errors
    /// 409 where it speaks of what was not made; 404 and 405 where its path leads nowhere, or where nobody can write.
    pub(super) fn new(
        mut asked: Asked,
        kind: Option<&Arc<ResourceType>>,
        made_as: impl Fn(&str) -> Option<ResourceId>,
    ) -> Result<Self> {
        let kind = kind.ok_or_else(|| scim::Error::plain(404, "there is no such endpoint or resource"))?;
        if kind.is_read_only() {
            let detail = format!("resources of the type `{}` can only be read", kind.name());
            return Err(scim::Error::plain(405, detail).into());
        }
        resolve(&mut asked, kind, made_as)?;
        let id = match asked.name {
            Some(Name::Id(id)) => Some(id),
            Some(Name::Made(_)) | None => None,
        };
        Ok(Self {
            verb: asked.verb,
            kind: Arc::clone(kind),
            id,
            hash: None,
            if_match: asked
                .version
                .map_or(IfMatch::Absent, |version| IfMatch::of_tags([version.as_str()])),
            data: asked.data,
        })
    }

    /// The same of what is to be made under this id, with a password that was hashed before.
    pub(super) fn under(mut self, id: ResourceId, hash: Option<String>) -> Self {
        (self.id, self.hash) = (Some(id), hash);
        self
    }

    /// Does it, as any request.
    pub(super) async fn perform(self, door: &Door) -> Result<Came> {
        let unread = ["members".to_owned(), "groups".to_owned()];
        // The result shows nothing of the resource: what is kept beside it need not be read.
        let view = View::from_lists(None, Some(&unread), &[&self.kind])?;
        let request = provision::Request {
            verb: self.verb,
            kind: &self.kind,
            id: self.id.as_ref(),
            hash: self.hash,
            if_match: &self.if_match,
            dialect: &door.dialect,
            view: &view,
        };
        let shown = provision::perform(&door.services, &door.caller, request, self.data).await?;
        match (shown, self.id) {
            (Some(shown), _) => Ok(Came {
                id: shown.id,
                version: Some(shown.version),
                ignored: shown.ignored,
                effects: shown.effects,
                tolerated: shown.tolerated,
            }),
            (None, Some(id)) => Ok(Came {
                id,
                version: None,
                ignored: Vec::new(),
                effects: Vec::new(),
                tolerated: Applied::default(),
            }),
            (None, None) => Err(Error::NotFound),
        }
    }
}
