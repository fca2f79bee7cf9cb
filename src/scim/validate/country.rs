//! The country of an address.

use serde_json::Value;

use crate::scim::{Document, Error};

/// Checks that every country is two letters (RFC 7643 §4.1.2, ISO 3166-1 alpha-2).
///
/// Apart from the other checks, because many directories hold the country's name: the caller decides whether to insist.
///
/// # Errors
/// `invalidValue` naming the attribute.
pub fn countries(document: &Document) -> Result<(), Error> {
    let addresses = document
        .as_map()
        .get("addresses")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    for country in addresses.filter_map(|address| address.get("country").and_then(Value::as_str)) {
        if country.len() != 2 || !country.bytes().all(|letter| letter.is_ascii_alphabetic()) {
            return Err(Error::invalid_value(
                "`addresses.country` must be a two-letter country code such as `DE`",
            ));
        }
    }
    Ok(())
}
