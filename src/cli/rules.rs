//! `muster rules`: the rules of a tenant as a file that people review and keep beside their code.

use anyhow::Context as _;
use clap::Subcommand;
use std::path::{Path, PathBuf};

use crate::service::access::rules;
use crate::service::{Caller, Services};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the rules that are not retired, as TOML
    Export {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
    },
    /// Make and change rules as a file says; rules that are not in it stay
    Import {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// The file, as `export` prints it
        file: PathBuf,
    },
    /// Show what `import` would do
    Diff {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// The file, as `export` prints it
        file: PathBuf,
    },
}

pub(super) async fn run(services: Services, command: Command) -> anyhow::Result<()> {
    let tenant = match &command {
        Command::Export { tenant } | Command::Import { tenant, .. } | Command::Diff { tenant, .. } => tenant,
    };
    let caller = Caller::operator(&services, tenant, "cli").await?;
    match &command {
        Command::Export { .. } => print!("{}", rules::export(&services, &caller).await?),
        Command::Import { file, .. } => {
            show(&rules::import(&services, &caller, &read(file)?).await?);
        }
        Command::Diff { file, .. } => {
            show(&rules::diff(&services, &caller, &read(file)?).await?);
        }
    }
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))
}

fn show(differences: &[rules::Difference]) {
    for difference in differences {
        println!("{difference}");
    }
}
