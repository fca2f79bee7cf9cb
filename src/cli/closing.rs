//! What `muster connection` and `muster tenant` have in common: what becomes of users.

use anyhow::Context as _;
use clap::ValueEnum;

use crate::service::closing::{self, Asked, Shown, Users};
use crate::service::{Caller, Services};

/// What becomes of the users of what is suspended.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum OfSuspended {
    /// They stay what they are
    Keep,
    /// They are suspended until it is resumed
    Suspend,
    /// Their accounts end
    Deactivate,
}

/// What becomes of the users of what is deleted.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum OfDeleted {
    /// They stay what they are
    Keep,
    /// Their accounts end
    Deactivate,
    /// They are deleted (of a connection)
    Delete,
}

impl From<OfSuspended> for Users {
    fn from(users: OfSuspended) -> Self {
        match users {
            OfSuspended::Keep => Self::Keep,
            OfSuspended::Suspend => Self::Suspend,
            OfSuspended::Deactivate => Self::Deactivate,
        }
    }
}

impl From<OfDeleted> for Users {
    fn from(users: OfDeleted) -> Self {
        match users {
            OfDeleted::Keep => Self::Keep,
            OfDeleted::Deactivate => Self::Deactivate,
            OfDeleted::Delete => Self::Delete,
        }
    }
}

pub(super) fn asked(users: impl Into<Users>, reason: Option<String>) -> Asked {
    Asked {
        users: Some(users.into()),
        reason,
    }
}

/// Does to the users what was decided, and says what came of it.
pub(super) async fn finished(services: &Services, caller: &Caller, mut shown: Shown) -> anyhow::Result<()> {
    if let Some(work) = shown.last {
        let done = closing::finish(services, caller, &work.id).await;
        shown.last = Some(done.context("users are left to be changed; a server that runs goes on with it")?);
    }
    told(&shown);
    Ok(())
}

/// What it is, and whom it is about.
pub(super) fn told(shown: &Shown) {
    println!("{} is {}", shown.name, shown.state);
    let counts = &shown.counts;
    println!(
        "{} users, {} of them active; {} shared with other connections; {} tokens",
        counts.users, counts.active, counts.shared, counts.tokens
    );
    if let Some(work) = &shown.last {
        println!(
            "users: {} ({}), {} changed, {} had to stay",
            work.users, work.state, work.turned, work.stayed
        );
        if work.failed > 0 {
            println!("{} could not be changed: the program's log says why", work.failed);
        }
    }
}
