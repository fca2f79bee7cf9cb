//! Where the resources of a derived type come from.

use std::sync::Arc;

use super::{assignments, entitlements, made, roles};
use crate::base::id::ResourceId;
use crate::scim::cursor::Turn;
use crate::scim::schema::{ENTITLEMENT, ROLE, ROLE_ASSIGNMENT, ResourceType};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::provision::query::Question;
use crate::service::provision::shown::Shown;
use crate::service::provision::walk::Part;

/// What resources of a type are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service::provision) enum Source {
    /// The roles of the organisation, without the owner's.
    Roles,
    /// The permissions of the catalogue.
    Entitlements,
    /// The grants.
    Assignments,
}

impl Source {
    /// The source of a type; none where the store has its resources.
    pub(in crate::service::provision) fn of(kind: &ResourceType) -> Option<Self> {
        match kind.schema().id.as_str() {
            ROLE => Some(Self::Roles),
            ENTITLEMENT => Some(Self::Entitlements),
            ROLE_ASSIGNMENT => Some(Self::Assignments),
            _ => None,
        }
    }

    /// A page, and how many there are in all.
    ///
    /// # Errors
    /// `invalidFilter` and `invalidPath` for what assignments cannot be found and sorted by.
    pub(in crate::service::provision) async fn page(
        self,
        services: &Services,
        caller: &Caller,
        kind: &Arc<ResourceType>,
        question: &Question,
    ) -> Result<(Vec<Shown>, u64)> {
        match self {
            Self::Assignments => assignments::page(services, caller, kind, question).await,
            Self::Roles => Ok(made::page(roles::all(services, caller, kind).await?, question)),
            Self::Entitlements => Ok(made::page(entitlements::all(services, kind), question)),
        }
    }

    /// A page of a walk.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub(in crate::service::provision) async fn walk(
        self,
        services: &Services,
        caller: &Caller,
        kind: &Arc<ResourceType>,
        question: &Question,
        turn: &Turn,
    ) -> Result<Part> {
        match self {
            Self::Assignments => assignments::walk(services, caller, kind, question, turn).await,
            Self::Roles => Ok(made::walk(roles::all(services, caller, kind).await?, question, turn)),
            Self::Entitlements => Ok(made::walk(entitlements::all(services, kind), question, turn)),
        }
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub(in crate::service::provision) async fn find(
        self,
        services: &Services,
        caller: &Caller,
        kind: &Arc<ResourceType>,
        id: &ResourceId,
    ) -> Result<Shown> {
        let all = match self {
            Self::Assignments => return assignments::find(services, caller, kind, id).await,
            Self::Roles => roles::all(services, caller, kind).await?,
            Self::Entitlements => entitlements::all(services, kind),
        };
        all.into_iter().find(|shown| shown.id == *id).ok_or(Error::NotFound)
    }
}
