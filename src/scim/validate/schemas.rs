//! The `schemas` of a request (RFC 7643 §3).

use serde_json::Value;

use crate::scim::Error;
use crate::scim::schema::ResourceType;

/// Checks the `schemas` of a whole resource: there, and of this type, base included.
///
/// # Errors
/// `invalidSyntax` when it is missing or not a list of URNs, `invalidValue` when it lists what it must not or lacks the
/// base.
pub(in crate::scim) fn check_schemas(ty: &ResourceType, schemas: Option<&Value>) -> Result<(), Error> {
    let base = &ty.schema().id;
    let Some(Value::Array(urns)) = schemas.filter(|value| !super::is_absent(value)) else {
        return Err(Error::invalid_syntax(format!(
            "`schemas` has to be an array that holds `{base}`"
        )));
    };
    check_urns(ty, urns)?;
    if urns
        .iter()
        .filter_map(Value::as_str)
        .any(|urn| urn.eq_ignore_ascii_case(base))
    {
        Ok(())
    } else {
        Err(Error::invalid_value(format!("`schemas` lacks `{base}`")))
    }
}

/// Checks that every entry is the URN of the type or of one of its extensions.
///
/// # Errors
/// `invalidSyntax` for an entry that is no text, `invalidValue` for one that does not belong to the type.
pub(in crate::scim) fn check_urns(ty: &ResourceType, urns: &[Value]) -> Result<(), Error> {
    for urn in urns {
        let Value::String(urn) = urn else {
            return Err(Error::invalid_syntax("`schemas` has to be an array of URNs"));
        };
        if !urn.eq_ignore_ascii_case(&ty.schema().id) && ty.extension(urn).is_none() {
            let name = ty.name();
            return Err(Error::invalid_value(format!(
                "`schemas` names `{urn}`, which a `{name}` does not have"
            )));
        }
    }
    Ok(())
}
