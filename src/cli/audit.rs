//! `muster audit`: the log of a tenant, taken out and proved.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::args::Common;
use super::run::{Failure, with_services};
use crate::event::{Broken, Checkpoint, Extent, Keys, Verifier};
use crate::service::{Caller, Services, log};

/// Longest line that is read of an export: an event of a thousand members is a tenth of it.
const LONGEST: u64 = 16 << 20;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Prove that a log is what it was, or name the first position that is not
    ///
    /// With --export it reads a file and needs neither a database nor a network.
    #[command(after_help = "Examples:\n  \
        muster audit verify --tenant acme --since kept.jsonl\n  \
        muster audit verify --export log.jsonl --key keys.json")]
    Verify(Verify),
    /// Write the log as JSON lines that can be proved without Muster; values of people stay sealed
    Export {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
        /// Only what comes after this position
        #[arg(long, default_value_t = 0, value_name = "SEQ")]
        after: i64,
        /// Where to write; standard output when absent
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Print where the log ends, signed: a line to be kept elsewhere
    Checkpoint {
        /// Slug of the tenant
        #[arg(long)]
        tenant: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Slug of the tenant whose log in the database is proved
    #[arg(long, required_unless_present = "export")]
    tenant: Option<String>,
    /// An export in the place of the database
    #[arg(long, value_name = "FILE", conflicts_with = "tenant", requires = "key")]
    export: Option<PathBuf>,
    /// Public keys that are trusted, as `muster keys export` prints them: never from the export itself. Of a log in the
    /// database they are those of the installation where this is absent
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// A checkpoint that was kept elsewhere: only that finds a log that was set back as a whole
    #[arg(long, value_name = "CHECKPOINT")]
    since: Option<PathBuf>,
}

pub(super) fn run(common: &Common, command: Command) -> Result<(), Failure> {
    match command {
        Command::Verify(Verify {
            export: Some(export),
            key: Some(key),
            since,
            ..
        }) => told(offline(&export, &key, since.as_deref()).map_err(Failure::Refused)?),
        Command::Verify(Verify { tenant, since, key, .. }) => with_services(common, |services, _| async move {
            let caller = Caller::operator(&services, &tenant.unwrap_or_default(), "cli").await?;
            let kept = since.as_deref().map(kept).transpose()?;
            let trusted = key.as_deref().map(trusted).transpose()?;
            let found = log::verify(&services, &caller, kept, trusted).await?;
            told(found).map_err(|failure| match failure {
                Failure::Start(fault) | Failure::Refused(fault) => fault,
            })
        }),
        Command::Export { tenant, after, output } => {
            with_services(common, |services, _| export(services, tenant, after, output))
        }
        Command::Checkpoint { tenant } => with_services(common, |services, _| async move {
            let caller = Caller::operator(&services, &tenant, "cli").await?;
            let Some(checkpoint) = log::hand_out(&services, &caller).await? else {
                bail!("the log says nothing yet");
            };
            print!("{}", checkpoint.line());
            Ok(())
        }),
    }
}

/// What was found, in a line.
fn told(found: Result<Extent, Broken>) -> Result<(), Failure> {
    match found {
        Ok(extent) => {
            println!(
                "good: tenant {}, events {} to {}, {} checkpoints, hash {}",
                extent.tenant, extent.from, extent.to, extent.checkpoints, extent.hash
            );
            Ok(())
        }
        Err(broken) => Err(Failure::Refused(anyhow::anyhow!(
            "the log is not what it was: {broken}"
        ))),
    }
}

fn offline(export: &Path, key: &Path, since: Option<&Path>) -> anyhow::Result<Result<Extent, Broken>> {
    let keys = trusted(key)?;
    let kept = since.map(kept).transpose()?;
    let file = File::open(export).with_context(|| format!("cannot read {}", export.display()))?;
    let (mut file, mut line) = (BufReader::new(file), Vec::new());
    let mut verifier = Verifier::new(&keys, kept);
    loop {
        line.clear();
        if io::Read::take(&mut file, LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(verifier.finish());
        }
        if let Err(broken) = verifier.line(&line) {
            return Ok(Err(broken));
        }
    }
}

fn trusted(path: &Path) -> anyhow::Result<Keys> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Keys::read(&text).with_context(|| format!("cannot use {}", path.display()))
}

fn kept(path: &Path) -> anyhow::Result<Checkpoint> {
    let line = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Checkpoint::read(&line).with_context(|| format!("{} is no checkpoint", path.display()))
}

async fn export(services: Services, tenant: String, after: i64, output: Option<PathBuf>) -> anyhow::Result<()> {
    let caller = Caller::operator(&services, &tenant, "cli").await?;
    let mut export = log::Export::begin(&services, &caller, after).await?;
    let Some(path) = output else {
        return write(&mut export, &mut BufWriter::new(io::stdout())).await;
    };
    let path = std::fs::canonicalize(&path).unwrap_or(path);
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        // A pipe, a device: nothing is put in its place.
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        return write(&mut export, &mut BufWriter::new(file)).await;
    }
    // Beside it first: an export that fails leaves an earlier one as it is.
    let mut draft = path.clone().into_os_string();
    draft.push(format!(".{}.new", std::process::id()));
    let draft = PathBuf::from(draft);
    let written = write_whole(&mut export, &draft).await;
    let written = written.and_then(|()| Ok(std::fs::rename(&draft, &path)?));
    if written.is_err() {
        drop(std::fs::remove_file(&draft));
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// All of it, on disk.
async fn write_whole(export: &mut log::Export, path: &Path) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    write(export, &mut file).await?;
    Ok(file.get_ref().sync_all()?)
}

async fn write(export: &mut log::Export, to: &mut (impl Write + Send)) -> anyhow::Result<()> {
    while let Some(line) = export.next().await? {
        to.write_all(line.as_bytes())?;
    }
    Ok(to.flush()?)
}
