//! The limits that a server works with.

use super::Services;
use crate::scim::discovery::{BulkLimits, CursorLimits, Limits};
use crate::service::provision::CURSOR_TIMEOUT_SECS;
use crate::service::{bulk, delivery};

impl Services {
    /// What the service provider configuration says of this server.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let max_results = self.max_results();
        Limits {
            max_results,
            default_page_size: max_results,
            cursor: Some(CursorLimits {
                timeout: Some(CURSOR_TIMEOUT_SECS),
            }),
            bulk: Some(BulkLimits {
                max_operations: bulk::MOST_OPERATIONS as u64,
                max_payload_size: self.0.parts.max_bulk_bytes as u64,
            }),
            events: Some(delivery::told()),
            documentation: None,
            listing: self.0.parts.listing,
        }
    }

    /// Largest page of a list.
    #[must_use]
    pub fn max_results(&self) -> u64 {
        self.0.parts.max_results as u64
    }
}
