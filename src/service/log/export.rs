//! A log as a file that can be verified without Muster: `docs/log.md`, "An export, byte by byte".

use std::collections::VecDeque;
use std::sync::Arc;

use super::chunks::{CHUNK, read_checkpoint};
use super::settled::settled;
use super::signed::proven_head;
use crate::event::chain::Head;
use crate::event::export::Writer;
use crate::event::{self, Broken, Flaw, Seq, SigningKey};
use crate::service::access::authority::{AUDIT, require};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::service::keys::{self, Purpose};
use crate::store::Reader;

/// An export that is being written. It holds a thousand events at most.
pub struct Export {
    reader: Reader,
    tenant: Arc<str>,
    signer: Arc<SigningKey>,
    /// None after the last line.
    writer: Option<Writer>,
    ready: VecDeque<String>,
    /// How far it has come, and where it ends: where the log was signed for when it began.
    at: Seq,
    end: Head,
}

impl Export {
    /// The log of the caller's tenant after a position, up to where it ends now.
    ///
    /// # Errors
    /// `Forbidden`, a position behind the end, a log that does not end with what was signed, a database that does not
    /// answer.
    pub async fn begin(services: &Services, caller: &Caller, after: i64) -> Result<Self> {
        require(services, caller, &[AUDIT]).await?;
        settled(services, caller).await?;
        let (tenant, reader) = (services.tenant_uid(caller).await?, services.read(caller));
        let end = proven_head(services, caller).await?;
        let end = end.map_or_else(|| Head::genesis(&tenant), |head| head.head());
        let head = match after {
            0 => Some(Head::genesis(&tenant)),
            _ if (1..=end.seq.0).contains(&after) => at(&reader, &tenant, Seq(after)).await?,
            _ => None,
        };
        let head = head.ok_or_else(|| Error::invalid("/after", "the log has no event at this position"))?;
        // Both after the head: the keys are those that signed for it, and the one that signs now.
        let signer = keys::signer(services, Purpose::Log).await?;
        let keys = keys::public(services, Purpose::Log).await?;
        let (writer, first) = Writer::begin(&tenant, (head, end.seq), &keys, &signer).map_err(internal)?;
        Ok(Self {
            reader,
            tenant,
            signer,
            writer: Some(writer),
            ready: VecDeque::from([first]),
            at: Seq(after),
            end,
        })
    }

    /// Whether this caller, whose token was looked at again, may still read the log.
    ///
    /// # Errors
    /// `Forbidden`, when they may not any more.
    pub async fn renew(&self, services: &Services, caller: &Caller) -> Result<()> {
        require(services, caller, &[AUDIT]).await?;
        Ok(())
    }

    /// The next line with its `\n`; none after the last.
    ///
    /// # Errors
    /// A log that does not come to what was signed: then the last line is not written, and what was is proven by nobody. A
    /// database that does not answer.
    pub async fn next(&mut self) -> Result<Option<String>> {
        if self.ready.is_empty() {
            self.read().await?;
        }
        Ok(self.ready.pop_front())
    }

    async fn read(&mut self) -> Result<()> {
        let Some(mut writer) = self.writer.take() else {
            return Ok(());
        };
        let rows = self.reader.events().between(self.at, self.end.seq, CHUNK).await?;
        let Some(last) = rows.last().map(|last| last.event.seq) else {
            // Nothing is signed for but what was signed for already.
            if *writer.head() != self.end {
                let (at, flaw) = (self.end.seq, Flaw::Rewritten { signed: self.end.seq });
                return Err(Error::Internal(Box::new(Broken { at, line: None, flaw })));
            }
            self.ready.push_back(writer.end(&self.signer).map_err(internal)?);
            return Ok(());
        };
        // Of a thousand events there are a thousand checkpoints at most.
        let found = self.reader.checkpoints().between(self.at, last, CHUNK).await?;
        let mut falls = found
            .iter()
            .filter_map(|found| read_checkpoint(&self.tenant, found))
            .peekable();
        for row in rows {
            // What is no hash any more cannot be written as one; the reader finds that it does not fit.
            let hash = row.hash.unwrap_or_else(|| event::Hash::genesis(&self.tenant));
            self.ready.push_back(writer.event(&row.event, &hash));
            while let Some(checkpoint) = falls.next_if(|checkpoint| checkpoint.seq <= row.event.seq) {
                self.ready.push_back(writer.checkpoint(&checkpoint));
            }
        }
        self.at = last;
        self.writer = Some(writer);
        Ok(())
    }
}

/// The head of a log that ends with the event at this position; none where the event is not what was hashed.
async fn at(reader: &Reader, tenant: &str, seq: Seq) -> Result<Option<Head>> {
    let one = async |seq: i64| reader.events().between(Seq(seq - 1), Seq(seq), 1).await;
    let before = match seq {
        Seq(1) => Some(event::Hash::genesis(tenant)),
        Seq(seq) => one(seq - 1).await?.pop().and_then(|before| before.hash),
    };
    Ok(before.zip(one(seq.0).await?.pop()).and_then(|(before, found)| {
        let hash = event::encode::hash(&before, tenant, &found.event);
        (found.hash == Some(hash)).then_some(Head {
            seq: found.event.seq,
            at: found.event.at,
            hash,
        })
    }))
}

fn internal(fault: event::Error) -> Error {
    Error::Internal(Box::new(fault))
}
