//! `muster keys`: what the installation signs with.

use anyhow::{Context as _, bail};
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::base::clock::Timestamp;
use crate::service::Services;
use crate::service::keys::{self, Purpose};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the keys that sign, and those that did
    List {
        /// Print JSON: `{"items": [{"id", "purpose", "algorithm", "created", "retired"}]}`
        #[arg(long)]
        json: bool,
    },
    /// Have another key sign from now on; the one until now stays known for what it signed
    Rotate {
        /// What the key signs
        purpose: Signs,
    },
    /// Seal everything anew under the newest key of the key file, so that older lines can be destroyed; servers go on
    Rewrap,
    /// List the keys of the key file, and how much hangs on each
    Wraps {
        /// Print JSON: `{"items": [{"id", "newest", "known", "secrets"}]}`
        #[arg(long)]
        json: bool,
    },
    /// Print the public halves as a JWK Set, also of keys that signed before: to verify with, away from Muster
    Export {
        /// What the keys sign
        #[arg(long, default_value = "log")]
        purpose: Signs,
    },
}

/// What a key signs.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Signs {
    /// Logs, exports and checkpoints
    Log,
    /// Security event tokens
    Set,
}

impl From<Signs> for Purpose {
    fn from(signs: Signs) -> Self {
        match signs {
            Signs::Log => Self::Log,
            Signs::Set => Self::Set,
        }
    }
}

pub(super) async fn run(services: Services, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Rewrap => rewrap(&services).await?,
        Command::Wraps { json } => wraps(&services, json).await?,
        Command::List { json } => {
            let keys = keys::list(&services).await?;
            if json {
                let item = |key: &keys::Listed| {
                    json!({
                        "id": key.kid, "purpose": key.purpose, "algorithm": key.algorithm,
                        "created": key.created.rfc3339(), "retired": key.retired.map(Timestamp::rfc3339),
                    })
                };
                println!("{}", json!({ "items": keys.iter().map(item).collect::<Value>() }));
                return Ok(());
            }
            for key in keys {
                let state = key
                    .retired
                    .map_or_else(|| "signs".to_owned(), |at| format!("until {at}"));
                println!(
                    "{:4} {:8} {} {} {state}",
                    key.purpose, key.algorithm, key.kid, key.created
                );
            }
        }
        Command::Rotate { purpose } => {
            let kid = keys::rotate(&services, purpose.into()).await?;
            println!("{kid} signs from now on; nodes that run take it up within a minute");
        }
        Command::Export { purpose } => {
            let keys = keys::public(&services, purpose.into())
                .await
                .context("the keys cannot be read")?;
            if keys.iter().next().is_none() {
                bail!("nothing has been signed yet, so there is no key");
            }
            println!("{}", keys.jwks());
        }
    }
    Ok(())
}

async fn rewrap(services: &Services) -> anyhow::Result<()> {
    let rewrapped = keys::rewrap(services, |done| println!("{done} sealed anew"))
        .await
        .context("not everything is sealed anew; what is done stays done, and the command goes on where it stopped")?;
    let wraps = keys::wraps(services).await?;
    let (newest, older): (Vec<_>, Vec<_>) = wraps.iter().partition(|wrap| wrap.newest);
    let key = newest.first().map_or("", |wrap| wrap.id.as_str());
    let done = rewrapped.done;
    if let Some(first) = rewrapped.damaged.first() {
        let of = |tenant: &str| {
            if tenant.is_empty() {
                String::new()
            } else {
                format!(" of tenant {tenant}")
            }
        };
        anyhow::bail!(
            "{done} secrets are sealed anew under `{key}`, and {} do not open and stay as they are; the first is the \
             {} of {}{}: each is named in the log of the program",
            rewrapped.damaged.len(),
            first.what,
            first.id,
            of(&first.tenant)
        );
    }
    println!("everything is sealed under `{key}`; {done} secrets were not");
    for wrap in older.iter().filter(|wrap| wrap.secrets == 0) {
        println!("the line of `{}` is not needed any more", wrap.id);
    }
    Ok(())
}

async fn wraps(services: &Services, json: bool) -> anyhow::Result<()> {
    let wraps = keys::wraps(services).await?;
    if json {
        let item = |wrap: &keys::Wrap| json!({ "id": wrap.id, "newest": wrap.newest, "known": wrap.known, "secrets": wrap.secrets });
        println!("{}", json!({ "items": wraps.iter().map(item).collect::<Value>() }));
        return Ok(());
    }
    for wrap in wraps {
        let what = match (wrap.newest, wrap.known, wrap.secrets) {
            (true, _, _) => "seals everything new",
            (_, false, _) => "is not in the key file",
            (_, _, 0) => "is not needed any more",
            _ => "is needed until `muster keys rewrap` is done",
        };
        println!("{} {} secrets; {what}", wrap.id, wrap.secrets);
    }
    Ok(())
}
