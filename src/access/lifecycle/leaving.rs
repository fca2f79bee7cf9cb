//! An attribute of a user that says when they leave.

use crate::base::zone::OfDay;

/// Where provisioning says when somebody leaves, and how a date there is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// Path of the attribute, as the schema spells it.
    pub path: String,
    /// Name of the time zone of dates and of times that name none.
    pub zone: String,
    /// When a date without a time of day has come.
    pub at: OfDay,
}
