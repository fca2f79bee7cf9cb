//! `muster verify`: checks what Muster signed, with nothing but the file and the public key.

use anyhow::Context as _;
use clap::Subcommand;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::run::Failure;
use crate::event::{Certificate, Keys};

/// Largest file that is read: no certificate comes near it.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check the certificate of an offboarding run; needs no database and no network
    Certificate {
        /// The certificate, as the admin API gives it
        file: PathBuf,
        /// Public key as a JWK, or several as a JWK Set; kept from before, or from who runs Muster
        #[arg(long, value_name = "KEYFILE")]
        key: PathBuf,
    },
}

/// Exit code 0: it holds; 1: it does not; 2: a file cannot be read.
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Certificate { file, key } = command;
    let keys = Keys::read(&text(key)?)
        .with_context(|| format!("`{}` is no key", key.display()))
        .map_err(Failure::Start)?;
    let line = text(file)?;
    let certificate = Certificate::read(line.as_bytes()).and_then(|read| read.proven(&keys).map(|()| read));
    let certificate = certificate
        .with_context(|| format!("the certificate `{}` does not hold", file.display()))
        .map_err(Failure::Refused)?;
    println!("{}", told(&certificate));
    Ok(())
}

/// What it says, for people.
fn told(certificate: &Certificate) -> String {
    let late = if certificate.late { ", after the deadline" } else { "" };
    let mut text = format!(
        "the certificate holds\ntenant {}\nrun {}\nuser {}\nended {} (event {})\nclosed {} (event {}){late}",
        certificate.tenant,
        certificate.run,
        certificate.user,
        certificate.ended.at,
        certificate.ended.seq,
        certificate.closed.at,
        certificate.closed.seq,
    );
    for step in &certificate.steps {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n{} confirmed {} by {}",
            step.name,
            step.confirmed,
            step.proof.word()
        );
    }
    for step in &certificate.removed {
        let _ = write!(
            text,
            "\n{} removed {}: nothing is proven of it",
            step.name, step.removed
        );
    }
    text
}

fn text(path: &Path) -> Result<String, Failure> {
    let read = || {
        let size = std::fs::metadata(path)?.len();
        if size > MAX_BYTES {
            return Err(std::io::Error::other("the file is too large"));
        }
        std::fs::read_to_string(path)
    };
    read()
        .with_context(|| format!("`{}` cannot be read", path.display()))
        .map_err(Failure::Start)
}
