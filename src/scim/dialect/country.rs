//! Countries that are not two letters.

use serde_json::Value;

use super::Rule;
use super::walk::Site;

/// `"country": "Germany"` or `"DEU"`: whatever the directory of the customer holds.
///
/// Nothing is rewritten, since values are stored as sent; the rule only reports, and lets validation pass the value
/// through ([`super::Applied::allows`]).
/// Departs from RFC 7643 §4.1.2: the country must be an ISO 3166-1 alpha-2 code.
pub const COUNTRY_AS_SENT: Rule = Rule {
    name: "country-as-sent",
    clients: "any client that copies a free-text directory attribute",
    does: "stores a country that is not a two-letter code as it was sent",
    departs: "RFC 7643 §4.1.2",
};

/// Letters of an ISO 3166-1 alpha-2 code.
const CODE_LETTERS: usize = 2;

/// Reports the country of an address when it cannot be a code.
pub(super) fn notice(site: &Site<'_>, value: &mut Value) -> u32 {
    let named = |name: &str, wanted: &str| name.eq_ignore_ascii_case(wanted);
    let address = site.parent.is_some_and(|parent| named(&parent.name, "addresses"));
    if !address || !named(&site.attribute.name, "country") {
        return 0;
    }
    let odd = value
        .as_str()
        .is_some_and(|text| text.len() != CODE_LETTERS || !text.bytes().all(|letter| letter.is_ascii_alphabetic()));
    u32::from(odd)
}
