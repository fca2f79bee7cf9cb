//! What the interoperability profile refuses although the RFC allows it: what two servers could understand in two ways
//! (draft-zollner-scim-interop-profile).

use super::Error;
use super::patch::{PatchRequest, Verb};

/// Most names that a refusal repeats.
const MOST_NAMED: usize = 5;

/// Refuses attributes that no schema defines; elsewhere they are ignored and reported.
///
/// # Errors
/// `invalidSyntax`, which names them.
pub fn defined(unknown: &[String]) -> Result<(), Error> {
    if unknown.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = unknown
        .iter()
        .take(MOST_NAMED)
        .map(|name| format!("`{name}`"))
        .collect();
    Err(Error::invalid_syntax(format!(
        "no schema defines {}; this connection follows the interoperability profile, which refuses what is not defined",
        named.join(", ")
    )))
}

/// Refuses an operation without a path, and one with a filter that does not say which sub-attribute it sets. Whole elements
/// can be removed.
///
/// # Errors
/// `invalidPath`, which names the operation.
pub fn patch(request: &PatchRequest) -> Result<(), Error> {
    for (index, operation) in request.operations.iter().enumerate() {
        let number = index + 1;
        let Some(path) = &operation.path else {
            return Err(Error::invalid_path(format!(
                "operation {number} has no `path`; this connection follows the interoperability profile, which demands one"
            )));
        };
        if path.filter.is_some() && path.sub.is_none() && operation.verb != Verb::Remove {
            return Err(Error::invalid_path(format!(
                "the `path` of operation {number} must name a sub-attribute behind its filter, such as `{}[…].value`; this \
                 connection follows the interoperability profile",
                path.attr
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::scim::ScimType;
    use crate::scim::patch::parse;

    fn judged(operation: &Value) -> Result<(), Error> {
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]});
        patch(&parse(&body).unwrap())
    }

    #[test]
    fn each_operation_says_where() {
        for (operation, detail) in [
            (json!({"op": "add", "value": {"title": "x"}}), "has no `path`"),
            (
                json!({"op": "replace", "path": "emails[type eq \"work\"]", "value": {"value": "a@x"}}),
                "`emails[…].value`",
            ),
        ] {
            let error = judged(&operation).unwrap_err();
            assert_eq!(error.scim_type, Some(ScimType::InvalidPath));
            assert!(
                error.detail.contains(detail) && error.detail.contains("operation 1"),
                "{}",
                error.detail
            );
        }
        for operation in [
            json!({"op": "add", "path": "title", "value": "x"}),
            json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@x"}),
            json!({"op": "remove", "path": "members[value eq \"2819c223\"]"}),
        ] {
            judged(&operation).unwrap();
        }
    }

    #[test]
    fn names_that_no_schema_defines_are_named() {
        defined(&[]).unwrap();
        let error = defined(&["shoeSize".to_owned(), "name.shoe".to_owned()]).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidSyntax));
        assert!(error.detail.contains("`shoeSize`, `name.shoe`"), "{}", error.detail);
    }
}
