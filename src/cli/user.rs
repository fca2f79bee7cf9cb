//! `muster user`: whether people may come in.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::service::access::{Paging, ownership};
use crate::service::lifecycle::clone::{self, NewUser};
use crate::service::lifecycle::purge::{Living, finish, purge};
use crate::service::lifecycle::restore::{How, restore};
use crate::service::lifecycle::status::{self, UserStatus};
use crate::service::lifecycle::tombstones::{self, What};
use crate::service::lifecycle::turn::{Wish, turn};
use crate::service::{Caller, Services};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what a user is, and what keeps them out
    Show(Who),
    /// Let a user in, whoever kept them out
    Activate(Turn),
    /// Keep a user out until an administrator lets them in
    Suspend(Turn),
    /// End the account of a user, who keeps what they have
    Deactivate(Turn),
    /// Make a user after another one: with the profile, in the same groups, with the same grants
    Clone(Copy),
    /// Bring a user back who was deleted, with the same id, memberships and grants
    Restore(Restore),
    /// Destroy what is kept of a user who was deleted, for good
    Purge(Purge),
    /// List the users who were deleted
    Deleted {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
    },
}

/// After whom a user is made.
#[derive(Debug, Args)]
pub(super) struct Copy {
    #[command(flatten)]
    who: Who,
    /// userName of the new user
    #[arg(long)]
    user_name: String,
    /// displayName of the new user, in the place of the other one's
    #[arg(long)]
    display_name: Option<String>,
    /// An e-mail address of the new user
    #[arg(long)]
    email: Option<String>,
    /// The account is not active yet
    #[arg(long)]
    inactive: bool,
}

/// Who is to come back, and how.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// Id
    user: String,
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
    /// Under another userName, as when somebody else has theirs
    #[arg(long, conflicts_with = "into")]
    user_name: Option<String>,
    /// Nobody comes back: the user of this id gets the memberships and grants
    #[arg(long, value_name = "ID")]
    into: Option<String>,
}

/// Who is to be forgotten.
#[derive(Debug, Args)]
pub(super) struct Purge {
    /// Id
    user: String,
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
    /// Delete them first, if they are not deleted
    #[arg(long)]
    force: bool,
}

/// Whom it is about.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// Id or userName
    user: String,
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
    /// Print JSON: `{"id", "name", "status", "since", "reason"}`
    #[arg(long)]
    json: bool,
}

/// Whom it is done to, and why.
#[derive(Debug, Args)]
pub(super) struct Turn {
    #[command(flatten)]
    who: Who,
    /// Why, in your own words
    #[arg(long)]
    reason: Option<String>,
}

pub(super) async fn run(services: Services, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Show(who) => {
            let (caller, id) = found(&services, &who).await?;
            told(&who, &status::find(&services, &caller, &id).await?);
            Ok(())
        }
        Command::Activate(asked) => turned(&services, &asked, Wish::Activate).await,
        Command::Suspend(asked) => turned(&services, &asked, Wish::Suspend).await,
        Command::Deactivate(asked) => turned(&services, &asked, Wish::Deactivate).await,
        Command::Clone(asked) => copied(&services, asked).await,
        Command::Restore(asked) => restored(&services, asked).await,
        Command::Purge(asked) => purged(&services, &asked).await,
        Command::Deleted { tenant } => deleted(&services, &tenant).await,
    }
}

async fn copied(services: &Services, asked: Copy) -> anyhow::Result<()> {
    let (caller, id) = found(services, &asked.who).await?;
    let new = NewUser {
        user_name: asked.user_name,
        display_name: asked.display_name,
        name: None,
        emails: asked.email.map(|email| json!([{ "value": email, "primary": true }])),
        active: Some(!asked.inactive),
    };
    let made = clone::user(services, &caller, &id, &new).await?;
    told(&asked.who, &status::find(services, &caller, made.id.as_str()).await?);
    Ok(())
}

async fn restored(services: &Services, asked: Restore) -> anyhow::Result<()> {
    let caller = Caller::operator(services, &asked.tenant, "cli").await?;
    let how = How {
        name: asked.user_name,
        into: asked.into,
        active: None,
    };
    let restored = restore(services, &caller, What::User, &asked.user, &how).await?;
    println!("{} has it again", restored.id);
    for left in restored.left_out {
        println!("left out: {} {}: {}", left.what, left.id, left.why);
    }
    Ok(())
}

async fn purged(services: &Services, asked: &Purge) -> anyhow::Result<()> {
    let caller = Caller::operator(services, &asked.tenant, "cli").await?;
    let living = if asked.force { Living::Go } else { Living::Stay };
    purge(services, &caller, &asked.user, living).await?;
    if finish(services).await? {
        println!("{} is purged, and nothing of it is left in the database", asked.user);
    } else {
        println!(
            "{} is purged; a server that runs overwrites what is left on disk",
            asked.user
        );
    }
    Ok(())
}

async fn deleted(services: &Services, tenant: &str) -> anyhow::Result<()> {
    let caller = Caller::operator(services, tenant, "cli").await?;
    let mut paging = Paging::default();
    loop {
        let page = tombstones::list(services, &caller, Some(What::User), &paging).await?;
        for tomb in page.items {
            let name = tomb.user_name.unwrap_or(tomb.name);
            println!("{}  {}  {}  {name}", tomb.id, tomb.deleted, tomb.state);
        }
        match page.next {
            Some(next) => paging.after = Some(next),
            None => return Ok(()),
        }
    }
}

async fn turned(services: &Services, asked: &Turn, wish: Wish) -> anyhow::Result<()> {
    let (caller, id) = found(services, &asked.who).await?;
    told(
        &asked.who,
        &turn(services, &caller, &id, wish, asked.reason.as_deref()).await?,
    );
    Ok(())
}

async fn found(services: &Services, who: &Who) -> anyhow::Result<(Caller, String)> {
    let caller = Caller::operator(services, &who.tenant, "cli").await?;
    let user = ownership::candidate(services, &caller, &who.user).await?;
    Ok((caller, user.id))
}

fn told(who: &Who, found: &UserStatus) {
    let hold = found.hold.as_ref();
    let reason = hold.and_then(|hold| hold.reason.as_deref());
    if who.json {
        let since = hold.map(|hold| hold.since.rfc3339());
        println!(
            "{}",
            json!({"id": found.user, "name": found.name, "status": found.status.as_str(), "since": since, "reason": reason})
        );
        return;
    }
    println!("`{}` is {}", found.name, found.status.as_str());
    if let Some(hold) = hold {
        println!("since {} by {}", hold.since, hold.by);
    }
    if let Some(reason) = reason {
        println!("because: {reason}");
    }
}
