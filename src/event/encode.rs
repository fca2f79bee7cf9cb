//! The bytes that are hashed, signed and bound: every field with its length, so that no two things share them.

use super::hash::Hash;
use super::numbered::Event;

/// Begins the bytes of an event. Another format gets another number.
const EVENT: &str = "muster.event.1";

/// Stands where the length would, for a field that is NULL. No field is that long.
const NULL: u32 = u32::MAX;

/// A tag, then fields: each its length in bytes (4 bytes, big endian) and its bytes; NULL is `ff ff ff ff` alone.
pub(super) struct Fields(Vec<u8>);

impl Fields {
    /// The tag stands without a length: it is the same for everything of one kind.
    pub(super) fn begin(tag: &str) -> Self {
        Self(tag.as_bytes().to_vec())
    }

    pub(super) fn bytes(mut self, field: &[u8]) -> Self {
        let length = u32::try_from(field.len()).unwrap_or(NULL - 1);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(field);
        self
    }

    /// UTF-8.
    pub(super) fn text(self, field: &str) -> Self {
        self.bytes(field.as_bytes())
    }

    /// Eight bytes, big endian, two's complement.
    pub(super) fn number(self, field: i64) -> Self {
        self.bytes(&field.to_be_bytes())
    }

    pub(super) fn maybe(mut self, field: Option<&str>) -> Self {
        if let Some(field) = field {
            return self.text(field);
        }
        self.0.extend_from_slice(&NULL.to_be_bytes());
        self
    }

    pub(super) fn end(self) -> Vec<u8> {
        self.0
    }
}

/// The bytes of an event that follows `previous` in the log of a tenant.
///
/// Row numbers are not in it: they mean nothing outside the database. Personal values are in it as they are sealed, so
/// that forgetting a person's key changes no hash.
#[must_use]
pub fn canonical(previous: &Hash, tenant: &str, event: &Event) -> Vec<u8> {
    Fields::begin(EVENT)
        .bytes(previous.as_bytes())
        .text(tenant)
        .number(event.seq.0)
        .number(event.at.0)
        .text(&event.txn)
        .number(event.part)
        .text(&event.kind)
        .text(&event.actor_kind)
        .text(&event.actor_id)
        .maybe(event.connection.as_deref())
        .maybe(event.request_id.as_deref())
        .maybe(event.subject_kind.as_deref())
        .maybe(event.subject_id.as_deref())
        .text(&event.cause)
        .text(&event.data)
        .maybe(event.sealed.as_deref())
        .end()
}

/// The hash of an event that follows `previous` in the log of a tenant.
#[must_use]
pub fn hash(previous: &Hash, tenant: &str, event: &Event) -> Hash {
    Hash::of(&canonical(previous, tenant, event))
}
