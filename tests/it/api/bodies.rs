//! What requests carry: schema URNs, and the smallest bodies that say something.

use serde_json::{Value, json};

pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// An id that looks like one of ours and is nobody's.
pub const NOBODY: &str = "00000000-0000-7000-8000-00000000dead";

/// A user with this name and these further attributes.
pub fn user(user_name: &str, more: Value) -> Value {
    with(json!({"schemas": [USER], "userName": user_name}), more)
}

/// A group with this name and these members.
pub fn group(display_name: &str, members: &[&str]) -> Value {
    let mut body = json!({"schemas": [GROUP], "displayName": display_name});
    if !members.is_empty() {
        body["members"] = refs(members);
    }
    body
}

/// Members as a request names them.
pub fn refs(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({"value": id})).collect()
}

/// A query in a body.
pub fn search(query: Value) -> Value {
    with(json!({"schemas": [SEARCH_REQUEST]}), query)
}

/// A PATCH body.
pub fn patch_op(operations: &Value) -> Value {
    json!({"schemas": [PATCH_OP], "Operations": operations})
}

/// Both objects in one; the second wins.
fn with(mut body: Value, more: Value) -> Value {
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}
