//! Along a chain once more, event by event, to see whether it is what it was.

use super::chain::Head;
use super::checkpoint::Checkpoint;
use super::encode;
use super::flaw::{Broken, Extent, Flaw};
use super::hash::Hash;
use super::jwk::Keys;
use super::numbered::{Event, Seq};

/// A walk along the log of one tenant: events and checkpoints in the order of their positions, then the signed head.
///
/// The keys are those that the caller trusts. A log, whether in a database or a file, is never asked for them.
#[derive(Debug)]
pub struct Walk<'k> {
    tenant: String,
    keys: &'k Keys,
    head: Head,
    from: Seq,
    /// The last position that a good signature stands for.
    proven: Seq,
    last_checkpoint: Option<Seq>,
    checkpoints: u64,
    /// A checkpoint from elsewhere that has not been reached.
    kept: Option<Checkpoint>,
}

impl<'k> Walk<'k> {
    /// At the beginning of a log.
    #[must_use]
    pub fn begin(tenant: &str, keys: &'k Keys) -> Self {
        Self::after(tenant, Head::genesis(tenant), keys)
    }

    /// After a head that is proven already: by a checkpoint, or by the signed first line of an export.
    #[must_use]
    pub fn after(tenant: &str, head: Head, keys: &'k Keys) -> Self {
        Self {
            tenant: tenant.to_owned(),
            keys,
            head,
            from: head.seq.next(),
            proven: head.seq,
            last_checkpoint: None,
            checkpoints: 0,
            kept: None,
        }
    }

    /// Besides compares with a checkpoint that was kept elsewhere: only that finds a log that was set back as a whole.
    ///
    /// # Errors
    /// When the checkpoint is not proven, is another tenant's, or lies before the walk begins.
    pub fn since(mut self, kept: Checkpoint) -> Result<Self, Broken> {
        self.proven_by(&kept)?;
        if kept.seq < self.head.seq {
            return Err(self.broken(Flaw::Apart));
        }
        self.kept = Some(kept);
        self.compare_with_kept()?;
        Ok(self)
    }

    /// The position that must come next.
    #[must_use]
    pub const fn expected(&self) -> Seq {
        self.head.seq.next()
    }

    /// How far the walk is.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The next event and the hash that is kept beside it.
    ///
    /// # Errors
    /// When it is not the next one, not later than the one before, or does not have this hash.
    pub fn event(&mut self, event: &Event, hash: &Hash) -> Result<(), Broken> {
        let expected = self.expected();
        let broken = |flaw| Broken {
            at: expected,
            line: None,
            flaw,
        };
        if event.seq != expected {
            return Err(broken(Flaw::Position { expected }));
        }
        if encode::hash(&self.head.hash, &self.tenant, event) != *hash {
            return Err(broken(Flaw::Hash));
        }
        if event.at <= self.head.at {
            return Err(broken(Flaw::Instant));
        }
        self.head = Head {
            seq: event.seq,
            at: event.at,
            hash: *hash,
        };
        self.compare_with_kept()
    }

    /// A checkpoint, after the event it stands for.
    ///
    /// # Errors
    /// When it is not proven, stands elsewhere, or stands for another hash than the chain has.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), Broken> {
        self.proven_by(checkpoint)?;
        let again = self.last_checkpoint.is_some_and(|last| checkpoint.seq <= last);
        if again || checkpoint.seq < self.head.seq {
            let expected = self.expected();
            return Err(self.broken(Flaw::Position { expected }));
        }
        self.signed(checkpoint.head())?;
        self.last_checkpoint = Some(checkpoint.seq);
        self.checkpoints += 1;
        Ok(())
    }

    /// The signed head of the log: the walk must have come exactly there.
    ///
    /// # Errors
    /// When the head is not proven, stands for more or fewer events, or for another hash.
    pub fn close(mut self, head: &Checkpoint) -> Result<Extent, Broken> {
        self.proven_by(head)?;
        self.end(head.head())
    }

    /// The end of a log that says nothing yet, so that nobody has signed for it.
    ///
    /// # Errors
    /// When the walk has come further, or a checkpoint that was kept elsewhere says that there was more.
    pub fn empty(mut self) -> Result<Extent, Broken> {
        let genesis = Head::genesis(&self.tenant);
        self.end(genesis)
    }

    /// The same for a head whose signature was looked at already.
    pub(super) fn end(&mut self, head: Head) -> Result<Extent, Broken> {
        if head.seq < self.head.seq {
            // Events that nobody signed for: they were added behind Muster's back, or the head was set back.
            return Err(Broken {
                at: head.seq.next(),
                line: None,
                flaw: Flaw::Rewritten { signed: head.seq },
            });
        }
        self.signed(head)?;
        if self.kept.is_some() {
            return Err(self.missing());
        }
        Ok(Extent {
            tenant: self.tenant.clone(),
            from: self.from,
            to: self.head.seq,
            at: self.head.at,
            hash: self.head.hash,
            checkpoints: self.checkpoints,
        })
    }

    /// What a good signature says of a position: it must be where the walk is, with the same hash.
    fn signed(&mut self, head: Head) -> Result<(), Broken> {
        if head.seq > self.head.seq {
            return Err(self.missing());
        }
        if head != self.head {
            return Err(self.broken(Flaw::Rewritten { signed: head.seq }));
        }
        self.proven = head.seq;
        Ok(())
    }

    fn proven_by(&self, checkpoint: &Checkpoint) -> Result<(), Broken> {
        if checkpoint.tenant != self.tenant {
            return Err(self.broken(Flaw::OtherTenant));
        }
        checkpoint.proven(self.keys).map_err(|flaw| self.broken(flaw))
    }

    fn compare_with_kept(&mut self) -> Result<(), Broken> {
        match self.kept.take_if(|kept| kept.seq == self.head.seq) {
            Some(kept) => self.signed(kept.head()),
            None => Ok(()),
        }
    }

    /// Everything up to here is as hashed, but something after it is gone.
    fn missing(&self) -> Broken {
        Broken {
            at: self.expected(),
            line: None,
            flaw: Flaw::Missing,
        }
    }

    /// Nothing after the last good signature is proven.
    #[must_use]
    pub fn broken(&self, flaw: Flaw) -> Broken {
        Broken {
            at: self.proven.next(),
            line: None,
            flaw,
        }
    }
}
