//! `muster history`: what was known of a user, what they had, and what became of them.

use clap::Args;
use serde_json::{Map, Value};

use super::instant::Past;
use crate::service::access::access_of_user::{Access, Assignment};
use crate::service::access::names::{Named, Place};
use crate::service::access::ownership;
use crate::service::history::diff::Side;
use crate::service::history::{self, Difference, Incomplete, Profile};
use crate::service::{Caller, Services};

/// What is asked.
#[derive(Debug, Args)]
pub(super) struct History {
    /// Id or userName of the user; of who was deleted, the id
    user: String,
    /// The instant, such as `2026-01-31T12:00:00Z`; now without it
    #[arg(long, value_name = "INSTANT", conflicts_with_all = ["from", "to"])]
    as_of: Option<Past>,
    /// What is different since this instant
    #[arg(long, value_name = "INSTANT")]
    from: Option<Past>,
    /// Until this one; now without it
    #[arg(long, value_name = "INSTANT", requires = "from")]
    to: Option<Past>,
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
}

pub(super) async fn run(services: Services, asked: History) -> anyhow::Result<()> {
    let caller = Caller::operator(&services, &asked.tenant, "cli").await?;
    // Who is not there any more has no name: then it is an id.
    let user = match ownership::candidate(&services, &caller, &asked.user).await {
        Ok(known) => known.id,
        Err(_) => asked.user.clone(),
    };
    let instant = |past: Option<Past>| past.map(|past| past.0);
    if asked.from.is_some() {
        let between = (instant(asked.from), instant(asked.to));
        let told = history::difference(&services, &caller, &user, between).await?;
        print(difference(&told));
    } else {
        let profile = history::profile(&services, &caller, &user, instant(asked.as_of)).await?;
        let then = history::access_of_user(&services, &caller, &user, Some(profile.at)).await?;
        print(whole(&profile, &then.access, &then.incomplete));
    }
    Ok(())
}

/// Each on a line of its own.
pub(super) fn print(lines: Vec<String>) {
    for line in lines {
        println!("{line}");
    }
}

fn whole(profile: &Profile, access: &Access, incomplete: &Incomplete) -> Vec<String> {
    let status = profile.status.as_str();
    let mut lines = vec![format!(
        "{} as of {}, position {}: {status}",
        profile.user, profile.at, profile.seq
    )];
    lines.extend(values("  ", &profile.attributes));
    lines.extend(groups("  ", &profile.groups));
    lines.extend(assignments("  ", &access.assignments));
    lines.extend(unknown(incomplete));
    lines
}

fn difference(told: &Difference) -> Vec<String> {
    let status = |side: &Side| side.status.map_or("not there", |status| status.as_str());
    let (before, after) = (status(&told.from), status(&told.to));
    let mut lines = vec![format!(
        "{} from {} to {}: {before} -> {after}",
        told.user, told.from.at, told.to.at
    )];
    lines.extend(values("  - ", &told.before));
    lines.extend(values("  + ", &told.after));
    lines.extend(groups("  - ", &told.left));
    lines.extend(groups("  + ", &told.joined));
    lines.extend(assignments("  - ", &told.lost));
    lines.extend(assignments("  + ", &told.gained));
    lines.extend(unknown(&told.incomplete));
    lines
}

fn values(before: &str, of: &Map<String, Value>) -> impl Iterator<Item = String> {
    let shown = of.iter().filter(|(name, _)| *name != "schemas");
    shown.map(move |(name, value)| format!("{before}{name}: {value}"))
}

fn groups(before: &str, groups: &[Named]) -> impl Iterator<Item = String> {
    let groups = groups.iter();
    groups.map(move |group| format!("{before}in {} ({})", group.name, group.id))
}

fn assignments(before: &str, assignments: &[Assignment]) -> impl Iterator<Item = String> {
    let assignments = assignments.iter();
    assignments.map(move |assignment| {
        let role = assignment.role.as_ref().map_or("membership", |role| &role.name);
        match &assignment.place {
            Place::All => format!("{before}has {role} on everything"),
            Place::Scope(scope) => format!("{before}has {role} on {}", scope.name),
            Place::Record { kind, id } => format!("{before}has {role} on {kind}:{id}"),
        }
    })
}

/// What the answer cannot know.
pub(super) fn unknown(incomplete: &Incomplete) -> Vec<String> {
    let gaps = incomplete.gaps.iter();
    let mut lines: Vec<String> = gaps
        .map(|(seq, kind)| format!("  not known: what {kind} at {seq} says"))
        .collect();
    if incomplete.erased {
        lines.push("  not known: values of who was erased".to_owned());
    }
    if incomplete.reports {
        lines.push("  not part of this: what managers saw through their reports".to_owned());
    }
    if incomplete.behind {
        lines.push("  not known: what was saved and is not in the log yet".to_owned());
    }
    lines
}
