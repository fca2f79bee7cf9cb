//! `muster schema`: schemas and resource types of a tenant.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::service::schemas::{self, Asked, Preview, Purpose};
use crate::service::{Caller, Services};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Name the schemas that a tenant has defined, and the resource types that have them
    List {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
    },
    /// Print one of them as JSON, by its URN or by the name of the resource type
    Show(Which),
    /// Add or change what a file defines, all of it or nothing: a schema or resource type in JSON of SCIM, an array of them,
    /// or an object with `schemas` and `resourceTypes`
    Set(Given),
    /// Tell what of what is stored would be invalid after that
    Preview(Given),
    /// Remove a schema by its URN, or what a resource type has by its name
    Remove {
        #[command(flatten)]
        which: Which,
        /// Take from every resource what it has of the schema, or delete every resource of the type, first
        #[arg(long)]
        discard: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
    /// URN of a schema, or name of a resource type
    name: String,
}

#[derive(Debug, Args)]
pub(super) struct Given {
    /// Slug of the tenant
    #[arg(long)]
    tenant: String,
    /// JSON
    file: PathBuf,
}

pub(super) async fn run(services: Services, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { tenant } => list(&services, &tenant).await,
        Command::Show(which) => show(&services, &which).await,
        Command::Set(given) => write(&services, &given, Purpose::Make).await,
        Command::Preview(given) => write(&services, &given, Purpose::Preview).await,
        Command::Remove { which, discard } => remove(&services, &which, discard).await,
    }
}

fn is_urn(name: &str) -> bool {
    name.contains(':')
}

async fn list(services: &Services, tenant: &str) -> anyhow::Result<()> {
    let caller = Caller::operator(services, tenant, "cli").await?;
    for schema in schemas::schemas(services, &caller).await? {
        println!("{}  {}", text(&schema, "id"), text(&schema, "name"));
    }
    for ty in schemas::resource_types(services, &caller).await? {
        let extensions = ty["schemaExtensions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let core = Some(text(&ty, "schema")).filter(|core| !core.is_empty());
        let extensions = extensions.iter().map(|one| text(one, "schema"));
        let schemas: Vec<&str> = core.into_iter().chain(extensions).collect();
        println!("{}: {}", text(&ty, "name"), schemas.join(", "));
    }
    Ok(())
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

async fn show(services: &Services, which: &Which) -> anyhow::Result<()> {
    let caller = Caller::operator(services, &which.tenant, "cli").await?;
    let found = if is_urn(&which.name) {
        schemas::schema(services, &caller, &which.name).await?
    } else {
        schemas::resource_type(services, &caller, &which.name).await?
    };
    println!("{found:#}");
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<Value> {
    let written = std::fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))?;
    serde_json::from_str(&written).with_context(|| format!("`{}` is no JSON", file.display()))
}

async fn write(services: &Services, given: &Given, purpose: Purpose) -> anyhow::Result<()> {
    let caller = Caller::operator(services, &given.tenant, "cli").await?;
    let document = read(&given.file)?;
    let definitions = schemas::definitions(&document).with_context(|| format!("`{}`", given.file.display()))?;
    let asked: Vec<Asked<'_>> = definitions.into_iter().map(Asked::by).collect();
    let preview = schemas::change_together(services, &caller, &asked, purpose).await?;
    if purpose == Purpose::Preview {
        told(&preview);
    }
    Ok(())
}

fn told(preview: &Preview) {
    if preview.first().is_none() {
        println!(
            "{}",
            if preview.changes {
                "nothing is in the way"
            } else {
                "nothing would change"
            }
        );
    }
    for held in &preview.in_the_way {
        println!(
            "{}: {}; {} of the type {}",
            held.path, held.reason, held.count, held.resource_type
        );
        for (id, name) in &held.first {
            println!("  {id}  {name}");
        }
    }
    for said in &preview.conditions {
        println!("{said}");
    }
}

async fn remove(services: &Services, which: &Which, discard: bool) -> anyhow::Result<()> {
    let caller = Caller::operator(services, &which.tenant, "cli").await?;
    match (is_urn(&which.name), discard) {
        (true, true) => schemas::discard(services, &caller, &which.name).await?,
        (true, false) => schemas::change(services, &caller, Asked::NoSchema(&which.name), Purpose::Make).await?,
        (false, false) => schemas::change(services, &caller, Asked::NoType(&which.name), Purpose::Make).await?,
        (false, true) => schemas::discard_type(services, &caller, &which.name).await?,
    };
    Ok(())
}
