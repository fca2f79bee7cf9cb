//! Numbers, instants and hashes for what is committed.

use super::encode;
use super::entry::{About, Entry, Record};
use super::hash::Hash;
use super::kind::Class;
use super::numbered::{Event, Seq};
use super::origin::Origin;
use crate::base::clock::Timestamp;
use crate::base::id::{ConnectionId, Pk};

/// How far a log has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last position; 0 before the first event.
    pub seq: Seq,
    /// Its instant.
    pub at: Timestamp,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// The head of a log without events.
    #[must_use]
    pub fn genesis(tenant: &str) -> Self {
        Self {
            seq: Seq(0),
            at: Timestamp(0),
            hash: Hash::genesis(tenant),
        }
    }
}

/// An event with everything that its row holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// What is hashed.
    pub event: Event,
    /// Its hash.
    pub hash: Hash,
    /// Who has to read it.
    pub class: Class,
    /// Row number of the connection.
    pub connection_id: Option<ConnectionId>,
    /// Row number of the subject, where it is a resource.
    pub subject_pk: Option<Pk>,
    /// Memberships that it changed.
    pub about: Vec<About>,
}

/// The growing end of the log of one tenant.
#[derive(Debug, Clone)]
pub struct Chain {
    tenant: String,
    head: Head,
}

impl Chain {
    /// Goes on from a head; `tenant` is the public id.
    #[must_use]
    pub fn from(tenant: impl Into<String>, head: Head) -> Self {
        Self {
            tenant: tenant.into(),
            head,
        }
    }

    /// How far it has come.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Adds what a unit of work did.
    ///
    /// Each event is later than the one before, if only by a microsecond: the clock of another node may be behind, and
    /// several things happen in one unit.
    pub fn push(&mut self, entry: Entry) -> Vec<Placed> {
        let Entry {
            at,
            txn,
            origin,
            first,
            records,
        } = entry;
        let parts = (first..).zip(records);
        parts
            .map(|(part, record)| self.place((at, &txn, part), &origin, record))
            .collect()
    }

    fn place(&mut self, (at, txn, part): (Timestamp, &str, i64), origin: &Origin, record: Record) -> Placed {
        let (connection_id, connection) = origin.connection.clone().unzip();
        let (subject_pk, subject_kind, subject_id) = match record.subject {
            Some(subject) => (subject.pk, Some(subject.kind.as_str().to_owned()), Some(subject.id)),
            None => (None, None, None),
        };
        let event = Event {
            seq: self.head.seq.next(),
            at: at.max(Timestamp(self.head.at.0.saturating_add(1))),
            txn: txn.to_owned(),
            part,
            kind: record.kind.as_str().to_owned(),
            actor_kind: origin.actor.kind.as_str().to_owned(),
            actor_id: origin.actor.id.clone(),
            connection,
            request_id: origin.request_id.clone(),
            subject_kind,
            subject_id,
            cause: record.cause.text(),
            data: record.data.as_str().to_owned(),
            sealed: record.sealed,
        };
        let hash = encode::hash(&self.head.hash, &self.tenant, &event);
        self.head = Head {
            seq: event.seq,
            at: event.at,
            hash,
        };
        Placed {
            event,
            hash,
            class: record.class,
            connection_id,
            subject_pk,
            about: record.about,
        }
    }
}
