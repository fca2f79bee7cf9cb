//! A role.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A role in the words of the log. Which one is the subject of the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleImage {
    /// For people.
    pub name: String,
    /// Keys of what it permits.
    pub permissions: Vec<String>,
    /// Id of the role it is a copy of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<String>,
}

impl RoleImage {
    /// Particulars of an event about a role that was so before, and is so after.
    #[must_use]
    pub fn data(before: Option<&Self>, after: Option<&Self>) -> Value {
        sides(before, after)
    }
}

/// `{"before":…,"after":…}`, without what there is not.
pub(super) fn sides<T: Serialize>(before: Option<&T>, after: Option<&T>) -> Value {
    let mut data = json!({});
    for (name, side) in [("before", before), ("after", after)] {
        if let Some(side) = side {
            data[name] = super::value(side);
        }
    }
    data
}
