//! Following the log: what happened after a position, and then whatever happens.

use super::read::{Event, shown};
use super::settled::settled;
use super::watch::Watch;
use crate::event::Seq;
use crate::service::access::authority::{AUDIT, require};
use crate::service::context::{Caller, Services};
use crate::service::error::{Error, Result};
use crate::store::log::events::Which;

/// Events that are handed over together.
const AT_ONCE: u32 = 100;

/// Bytes of what they say, of more than one event: each client that reads slowly keeps several such parts waiting.
const MOST_BYTES: usize = 64 << 10;

/// Somebody who follows the log of their organisation.
pub struct Live {
    services: Services,
    caller: Caller,
    watch: Watch,
    at: Seq,
}

impl Live {
    /// From after a position on; from the end where none is given.
    ///
    /// # Errors
    /// `Forbidden`; a position behind the end, which is one of another log.
    pub async fn begin(services: &Services, caller: &Caller, after: Option<i64>) -> Result<Self> {
        require(services, caller, &[AUDIT]).await?;
        settled(services, caller).await?;
        let mut watch = Watch::new(services, caller);
        let end = watch.end().await?;
        let at = after.map_or(end, Seq);
        if at > end {
            let reason = format!("the log ends at {end}, before this position");
            return Err(Error::invalid("/after", reason));
        }
        Ok(Self {
            services: services.clone(),
            caller: caller.clone(),
            watch,
            at,
        })
    }

    /// Goes on as this caller, who is the same with a token that was looked at again.
    ///
    /// # Errors
    /// `Forbidden`, when they may not read the log any more.
    pub async fn renew(&mut self, caller: Caller) -> Result<()> {
        require(&self.services, &caller, &[AUDIT]).await?;
        self.caller = caller;
        Ok(())
    }

    /// Waits until there is something after what was given out last.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn wait(&mut self) -> Result<()> {
        self.watch.beyond(self.at).await
    }

    /// What comes next, in order; nothing where there is nothing yet.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn take(&mut self) -> Result<Vec<Event>> {
        let reader = self.services.read(&self.caller);
        let part = reader.events().part(self.at, AT_ONCE, &Which::default()).await?;
        let mut rows = part.events;
        let mut bytes = 0;
        let fits = rows.iter().take_while(|row| {
            let before = bytes;
            bytes += row.event.data.len() + row.event.sealed.as_ref().map_or(0, String::len);
            before == 0 || bytes <= MOST_BYTES
        });
        let fits = fits.count();
        rows.truncate(fits);
        let last = rows.last().map(|row| row.event.seq);
        let events = shown(&self.services, &self.caller, rows).await?;
        self.at = last.unwrap_or(self.at);
        Ok(events)
    }
}
