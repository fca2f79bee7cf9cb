//! What is done to many users is done to some of them at a time, each time in one unit with how far it is: together, and
//! each apart where something is wrong with one of them.

use std::sync::Arc;

use crate::base::id::ResourceId;
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::provision::attempt::attempts;
use crate::service::setbacks::meets_all;

/// A part of a work: some users, from where the work is.
pub(in crate::service) trait Part: Clone + Send + Sync + 'static {
    /// Somebody it is about.
    type User: Clone + Send + Sync + 'static;

    /// Id of the work.
    fn of(&self) -> &str;

    /// Id of somebody.
    fn id(user: &Self::User) -> &ResourceId;

    /// Does it to these in one unit with how far it is; nothing where somebody else has.
    fn turn(
        &self,
        services: &Services,
        caller: &Caller,
        users: &[Self::User],
    ) -> impl Future<Output = Result<()>> + Send;

    /// Goes past somebody who cannot be changed, and counts them. `Stale` where somebody else has.
    fn leave(&self, services: &Services, caller: &Caller, user: &Self::User)
    -> impl Future<Output = Result<()>> + Send;

    /// The same, which is past this one.
    fn past(&self, user: &Self::User) -> Self;

    /// The same for one of them.
    fn only(&self) -> Self;
}

/// Does it to these. Who cannot be changed because of a fault of ours keeps nobody else from it, and is counted.
///
/// # Errors
/// A database that does not answer.
pub(in crate::service) async fn in_parts<P: Part>(
    services: &Services,
    caller: &Caller,
    part: P,
    users: Vec<P::User>,
) -> Result<()> {
    match together(services, caller, &part, users.clone()).await {
        Err(error) if is_of_one(&error) => apart(services, caller, part, users).await,
        turned => turned,
    }
}

async fn together<P: Part>(services: &Services, caller: &Caller, part: &P, users: Vec<P::User>) -> Result<()> {
    let users: Arc<[P::User]> = users.into();
    attempts(|| {
        let (services, caller) = (services.clone(), caller.clone());
        let (part, users) = (part.clone(), Arc::clone(&users));
        async move { part.turn(&services, &caller, &users).await }
    })
    .await
}

/// Each in a unit of their own.
async fn apart<P: Part>(services: &Services, caller: &Caller, part: P, users: Vec<P::User>) -> Result<()> {
    let mut part = part.only();
    for user in users {
        match together(services, caller, &part, vec![user.clone()]).await {
            Err(error) if is_of_one(&error) => {
                told(part.of(), P::id(&user), &error);
                match part.leave(services, caller, &user).await {
                    // Somebody else goes on with it.
                    Err(Error::Stale) => return Ok(()),
                    left => left?,
                }
            }
            turned => turned?,
        }
        part = part.past(&user);
    }
    Ok(())
}

/// Whether something is wrong with somebody, rather than with all of them.
pub(in crate::service) fn is_of_one(error: &Error) -> bool {
    matches!(error, Error::Internal(_)) && !meets_all(error)
}

/// Tells operators of somebody who cannot be changed.
pub(in crate::service) fn told(work: &str, user: &ResourceId, error: &Error) {
    tracing::error!(
        error = error as &dyn std::error::Error,
        work,
        user = user.as_str(),
        "a user of a work that is done to many cannot be changed; the others are"
    );
}
