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
