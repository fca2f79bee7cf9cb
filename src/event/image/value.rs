//! As JSON.

use serde::Serialize;
use serde_json::Value;

/// Text, numbers and lists of them are all there is in an image, and these have a value.
pub(super) fn value(image: &impl Serialize) -> Value {
    serde_json::to_value(image).unwrap_or_default()
}
