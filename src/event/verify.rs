//! Whether an export is what Muster wrote, without a database.

use sha2::{Digest as _, Sha256};

use super::chain::Head;
use super::checkpoint::Checkpoint;
use super::export::{End, Manifest, Read};
use super::flaw::{Broken, Extent, Flaw};
use super::hash::Hash;
use super::jwk::Keys;
use super::numbered::Seq;
use super::walk::Walk;

/// Takes an export line by line, in memory that does not grow with it.
#[derive(Debug)]
pub struct Verifier<'k> {
    keys: &'k Keys,
    kept: Option<Checkpoint>,
    lines: usize,
    digest: Sha256,
    stage: Stage<'k>,
}

#[derive(Debug)]
enum Stage<'k> {
    Before,
    Within { walk: Box<Walk<'k>>, to: Seq },
    After(Extent),
}

impl<'k> Verifier<'k> {
    /// Trusts these keys and no others, and compares with a checkpoint that was kept elsewhere, where there is one.
    #[must_use]
    pub fn new(keys: &'k Keys, kept: Option<Checkpoint>) -> Self {
        Self {
            keys,
            kept,
            lines: 0,
            digest: Sha256::new(),
            stage: Stage::Before,
        }
    }

    /// The next line, with its `\n`.
    ///
    /// # Errors
    /// With the place, at the first line that is not what it was.
    pub fn line(&mut self, line: &[u8]) -> Result<(), Broken> {
        self.lines += 1;
        let taken = self.take(line).map_err(|broken| Broken {
            line: Some(self.lines),
            ..broken
        });
        self.digest.update(line);
        taken
    }

    /// After the last line.
    ///
    /// # Errors
    /// [`Flaw::Missing`] when the last line was not the end.
    pub fn finish(self) -> Result<Extent, Broken> {
        match self.stage {
            Stage::After(extent) => Ok(extent),
            Stage::Before | Stage::Within { .. } => Err(Broken {
                line: Some(self.lines + 1),
                ..self.here(Flaw::Missing)
            }),
        }
    }

    fn take(&mut self, line: &[u8]) -> Result<(), Broken> {
        if !line.ends_with(b"\n") {
            return Err(self.here(Flaw::Missing));
        }
        let read = Read::line(line).map_err(|flaw| self.here(flaw))?;
        match (&mut self.stage, read) {
            (Stage::Before, Read::Manifest(manifest)) => self.open(&manifest),
            (Stage::Within { walk, .. }, Read::Event(event, hash)) => walk.event(&event, &hash),
            (Stage::Within { walk, .. }, Read::Checkpoint(checkpoint)) => walk.checkpoint(&checkpoint),
            (Stage::Within { .. }, Read::End(end)) => self.close(&end),
            _ => Err(self.here(Flaw::Line)),
        }
    }

    fn open(&mut self, manifest: &Manifest) -> Result<(), Broken> {
        manifest.proven(self.keys).map_err(|flaw| self.here(flaw))?;
        if manifest.after.seq == Seq(0) && manifest.after != Head::genesis(&manifest.tenant) {
            return Err(self.here(Flaw::Hash));
        }
        let mut walk = Walk::after(&manifest.tenant, manifest.after, self.keys);
        if let Some(kept) = self.kept.take() {
            walk = walk.since(kept)?;
        }
        self.stage = Stage::Within {
            walk: Box::new(walk),
            to: manifest.to,
        };
        Ok(())
    }

    fn close(&mut self, end: &End) -> Result<(), Broken> {
        let digest = Hash::from(self.digest.clone());
        let Stage::Within { walk, to } = &mut self.stage else {
            return Err(self.here(Flaw::Line));
        };
        end.proven(self.keys).map_err(|flaw| walk.broken(flaw))?;
        let at = walk.head().at;
        let unproven = walk.broken(Flaw::Digest);
        let extent = walk.end(Head {
            seq: end.to,
            at,
            hash: end.hash,
        })?;
        if digest != end.digest || *to != end.to {
            return Err(unproven);
        }
        self.stage = Stage::After(extent);
        Ok(())
    }

    /// A flaw of a line that says nothing that could be relied on.
    fn here(&self, flaw: Flaw) -> Broken {
        let at = match &self.stage {
            Stage::Before => Seq(0),
            Stage::Within { walk, .. } => walk.expected(),
            Stage::After(extent) => extent.to.next(),
        };
        Broken { at, line: None, flaw }
    }
}

/// Verifies an export whose lines are at hand, each with its `\n`.
///
/// # Errors
/// With the first place that is not what it was.
pub fn verify<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
    keys: &Keys,
    kept: Option<Checkpoint>,
) -> Result<Extent, Broken> {
    let mut verifier = Verifier::new(keys, kept);
    for line in lines {
        verifier.line(line)?;
    }
    verifier.finish()
}
