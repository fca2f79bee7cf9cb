//! Rows of a log, some at a time.

use crate::base::clock::Timestamp;
use crate::event::{Checkpoint, Hash, Seq};
use crate::store::log::checkpoints::Found;

/// Rows that are read at once: about a megabyte, of large events fewer.
pub(super) const CHUNK: u32 = 1_000;

/// The checkpoint of a row; none where its hash is no hash.
pub(super) fn read_checkpoint(tenant: &str, found: &Found) -> Option<Checkpoint> {
    Some(Checkpoint {
        tenant: tenant.to_owned(),
        seq: Seq(found.seq),
        at: Timestamp(found.at),
        hash: Hash::parse(&found.hash)?,
        key: found.key.clone(),
        signature: found.signature.clone(),
    })
}
